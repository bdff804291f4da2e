/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_PORTS_POSIX_STANDIN_H
#define UPDRAFT_PORTS_POSIX_STANDIN_H

/* What runs in place of an image for a chip that this machine is not: it reports the image's own
   descriptor, and pulls updates as such an image would. */

#include "posix/board.h"
#include "posix/rom.h"

/* Runs on a board that became firmware. Returns the exit status if there is nothing more to do. */
int standin_run(struct board *board, const struct rom_boot *boot);

#endif
