/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BENCH_FIRMWARE_H
#define BENCH_FIRMWARE_H

#include <stdint.h>

/* Makes bytes that compress as a real firmware does, which level 9 of gzip brings to two thirds:
   functions of instructions, most of them out of a few hundred, with tables and texts between.
   `size` is a multiple of 4. */
void firmware_make(uint8_t *data, uint32_t size);

#endif
