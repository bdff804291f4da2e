/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BENCH_NETWORK_H
#define BENCH_NETWORK_H

/*
 * Ways in over a real TCP connection: push, upload and pull of a file of 1,572,864 bytes to a
 * virtual board whose flash takes no time, as a ratio to copying the same bytes over a connection
 * of the same machine in the same run.
 *
 * The clock runs from the first byte of the protocol (invitation, request, the connection for them)
 * until the update is in place on the board. What comes after that is not counted: the answer, and
 * the pause that an espota device makes before its last OK because the original tools need it.
 */

#include "figures.h"

/* Adds `push_over_tcp`, `upload_over_tcp`, `pull_over_tcp`, `pull_tls_over_tcp`, and the same over
   copies in larger pieces: the best of `runs` runs each, taken in turns. */
void network_measure(struct figures *figures, int runs);

#endif
