/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_PORTS_POSIX_NOR_TEAR_H
#define UPDRAFT_PORTS_POSIX_NOR_TEAR_H

/* What power failing in a mutation leaves behind, and what becomes of weak bits. Used by nor.c. */

#include "posix/nor.h"

/* Does as much of the mutation as state->cut_how and state->cut_seed say, and records it in
   state->damage. `data` are the bytes of a program, NULL for an erase. */
void nor_tear(struct nor *nor, const struct nor_operation *operation, const uint8_t *data);

/* A mutation is complete: weak bits whose delay is over show. */
void nor_weak_tick(struct nor *nor);

/* The power is switched on: weak bits whose time has come show. */
void nor_weak_power_up(struct nor *nor);

/* A unit was erased without disturbance: its weak bits are gone. */
void nor_weak_heal(struct nor *nor, uint32_t offset, uint32_t len);

#endif
