/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BENCH_CHAINS_H
#define BENCH_CHAINS_H

/* What each chain of an update costs, from the bytes that arrive to the slot that boots: chain.c
   goes through one of them, and valgrind's callgrind counts its instructions. They are the same on
   each run and whatever else the machine does, so that two runs compare. */

#include "figures.h"

/* Adds, for each chain, `chain_<name>_instructions_per_byte` (of the image) and `chain_<name>_ram`
   (its objects and its deepest stack on this machine). Without valgrind only the latter. */
void chains_measure(struct figures *figures);

#endif
