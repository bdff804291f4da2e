/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_PORTS_POSIX_RUNNER_H
#define UPDRAFT_PORTS_POSIX_RUNNER_H

/*
 * Runs a virtual board: boots it, starts the firmware that the boot chose as a child process, and
 * boots again after each restart, crash and power cut, until there is nothing left to run or what
 * was waited for has come about.
 *
 *     BOOT -> firmware runs -> restart --------------------------------> BOOT
 *       |          |-> signal, or exit status other than 0: a crash ---> BOOT (or too many: end)
 *       |          |-> power cut: retained memory is lost -------------> BOOT
 *       |          |-> exit status 0: it has nothing more to do -------> end
 *       |          `-> what was waited for, Ctrl-C, the time is over --> end
 *       |-> power cut: retained memory is lost ------------------------> BOOT
 *       `-> nothing is bootable ---------------------------------------> end
 */

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "posix/board.h"

#define RUNNER_CRASH_LIMIT 10u

enum runner_until {
    RUNNER_FOREVER = 0,
    RUNNER_CONFIRMED, /* an image that was booted on trial has been confirmed */
    RUNNER_UPDATED,   /* another image boots than when the run began */
    RUNNER_IDLE,      /* the firmware says that it waits (board_set_idle), and has no trouble */
};

struct runner_options {
    FILE *out; /* where the board's lines go */
    bool quiet;
    bool json;
    bool real_time;       /* the flash takes the time that a real one would */
    const char *pull_url; /* NULL: the firmware is given none */
    const char *ways;     /* further ways in, as ways_write has it; NULL: none */
    bool keeps_input;     /* the firmware reads this process's standard input */
    uint32_t cut_at;      /* flash operation of this run at which power fails, from 1; 0: none */
    enum nor_cut cut_how;
    uint64_t cut_seed;
    enum runner_until until;
    uint32_t timeout_ms;  /* of the run; 0: none */
    uint32_t crash_limit; /* crashes in a row that end the run; 0: RUNNER_CRASH_LIMIT */
};

/*
 * Runs a board that was opened with BOARD_RUN. SIGINT, SIGTERM and SIGHUP end the run, unless they
 * are ignored; they and SIGCHLD are blocked for its duration. Returns true if it ended as it
 * should: the firmware had no more to do, what `until` names came about, or with RUNNER_FOREVER it
 * was stopped or the time was over. Else false, with the reason in board->error.
 */
bool runner_run(struct board *board, const struct runner_options *options);

#endif
