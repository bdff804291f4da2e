/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_CLI_PASSWORD_H
#define UPDRAFT_CLI_PASSWORD_H

/*
 * Where the password of a push or of a private key comes from: a file, the environment, the command
 * line, or a person at the terminal.
 */

#include <stdbool.h>

#include "cli/command.h"

#define PASSWORD_SIZE 256u

struct password {
    char text[PASSWORD_SIZE]; /* "" if there is none */
    bool is_known;
    bool was_asked; /* there is a terminal, and a person there was asked */
};

/* By which names a command takes it. */
struct password_places {
    const char *file_option; /* "password-file" */
    const char *text_option; /* "password"; NULL: the command has no such option */
    const char *environment; /* "UPDRAFT_PASSWORD" */
};

/* Takes it from the first of these places where there is one. Returns COMMAND_GOOD, also if none
   is; COMMAND_FAILED or COMMAND_USAGE after a message. */
int password_find(const struct command_call *call, const struct password_places *places,
                  struct password *password);

/* Takes it from a file: its first line. Returns as password_find. */
int password_read(const char *path, struct password *password);

/* Asks for it at the terminal, without echo, if there is one. Returns false if there is none, or
   nothing was typed. `name` is whom it is for. */
bool password_ask(const char *name, struct password *password);

/* Forgets it. */
void password_wipe(struct password *password);

#endif
