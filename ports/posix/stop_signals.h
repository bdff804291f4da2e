/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_PORTS_POSIX_STOP_SIGNALS_H
#define UPDRAFT_PORTS_POSIX_STOP_SIGNALS_H

/* Which signals ask a program to end. */

#include <signal.h>

/* Fills in the signals that ask for an end: SIGINT, SIGTERM and SIGHUP, but none that whoever
   started the program has it ignore, as nohup does. To be asked before one of them is caught: a
   handler takes ignoring back, and one that is blocked is kept for sigwait and signalfd even if it
   is ignored. */
void stop_signals(sigset_t *signals);

#endif
