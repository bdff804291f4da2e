/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_BOARD_PROFILE_H
#define CLI_BOARD_PROFILE_H

/* The options --profile and --boot of `updraft board new`: boards without a partition table. */

#include "cli/command.h"
#include "posix/board.h"

#define BOARD_PROFILE_OPTIONS                                                         \
    {"profile", 0, "PROFILE",                                                         \
     "a board without a partition table, such as esp8266-4m2m; \"help\" lists them"}, \
    {                                                                                 \
        "boot", 0, "updraft|eboot",                                                   \
            "who boots an esp8266-... board and copies its updates (default updraft)" \
    }

/* Tells whether the line asks for the list of profiles; prints it. */
bool board_profile_is_help(const struct command_call *call);

/* Fills in what a profile settles of `settings`, which are the usual ones; without --profile nothing.
   Returns COMMAND_GOOD, or COMMAND_USAGE after a message. */
int board_profile_options(const struct command_call *call, struct board_settings *settings);

#endif
