/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BENCH_DECODE_H
#define BENCH_DECODE_H

/* Decompression: gunzip.h against zlib's inflate, with the same file of 1.5 MB of what looks like
   firmware, compressed at level 9. Both check the sum; ours gets its input in pieces of 4096 bytes,
   as an update does, zlib's all at once. */

#include "figures.h"

/* Adds `inflate_over_zlib`: the best of `runs` runs each, taken in turns. */
void decode_measure(struct figures *figures, int runs);

#endif
