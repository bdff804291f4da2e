/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_PORTS_POSIX_CHILD_H
#define UPDRAFT_PORTS_POSIX_CHILD_H

/* The firmware as a child process of the runner: started, listened to, and ended. */

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "posix/console.h"
#include "posix/rom.h"

#define CHILD_LINE_SIZE 2048u

struct child {
    pid_t process; /* -1: none */
    int output;    /* descriptor of what it prints, or -1 */
    char tag[33];  /* for lines that name none: the image's project */
    char line[CHILD_LINE_SIZE];
    size_t line_len;
};

/* What the firmware is given. */
struct child_options {
    const char *pull_url; /* NULL: none */
    const char *ways;     /* as ways_write has it; NULL: none */
    bool keeps_input;     /* it reads the runner's standard input; else it has none */
};

/* Starts the firmware that the boot chose: for the chip `host` the program that the image carries,
   else the stand-in. Returns false, with the reason in words in `*reason`, if it cannot. */
bool child_start(struct child *child, struct board *board, const struct rom_boot *boot,
                 const struct child_options *options, const char **reason);

/* Prints what the child has written since. */
void child_listen(struct child *child, struct console *console);

/* Ends the child, with force if it does not obey, and prints its last lines. */
void child_stop(struct child *child, struct console *console);

/* Tells whether the child has ended by itself, with its status as of waitpid; if so prints its last
   lines. */
bool child_ended(struct child *child, struct console *console, int *status);

#endif
