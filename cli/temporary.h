/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_CLI_TEMPORARY_H
#define UPDRAFT_CLI_TEMPORARY_H

/*
 * Files under a temporary name, which Ctrl-C does not leave behind: SIGINT, SIGTERM and SIGHUP
 * remove them before they end the program. Where a command ignores such a signal or has a handler
 * of its own, that stays, and the command goes on. For one thread.
 */

#include <sys/types.h>

/* Makes an empty file beside `path`. Returns the descriptor and stores the name for the other
   functions, which free it; or returns -1 with errno. */
int temporary_create(const char *path, mode_t mode, char **name);

/* Leaves the file alone from now on: it has another name, or is gone. */
void temporary_forget(char *name);

/* Removes the file. NULL is none. */
void temporary_remove(char *name);

/* Removes all of them, in a signal handler that is about to end the program. */
void temporary_remove_all(void);

#endif
