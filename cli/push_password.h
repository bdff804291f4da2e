/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_CLI_PUSH_PASSWORD_H
#define UPDRAFT_CLI_PUSH_PASSWORD_H

/*
 * Where the password of a push comes from: a file, the environment (UPDRAFT_PASSWORD), the command
 * line, or a person at the terminal.
 */

#include <stdbool.h>

#include "cli/command.h"

#define PUSH_PASSWORD_SIZE 256u

struct push_password {
    char text[PUSH_PASSWORD_SIZE]; /* "" if there is none */
    bool is_known;
};

/* Takes it from --password-file, --password, or UPDRAFT_PASSWORD, the first that is there. Returns
   COMMAND_GOOD, also if none is; COMMAND_FAILED or COMMAND_USAGE after a message. */
int push_password_find(const struct command_call *call, struct push_password *password);

/* Takes it from a file: its first line. Returns as push_password_find. */
int push_password_read(const char *path, struct push_password *password);

/* Asks for it at the terminal, without echo, if there is one. Returns false if there is none, or
   nothing was typed. `name` is whom it is for. */
bool push_password_ask(const char *name, struct push_password *password);

/* Forgets it. */
void push_password_wipe(struct push_password *password);

#endif
