/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DECODE_ZLIB_JUDGE_H
#define DECODE_ZLIB_JUDGE_H

/* What zlib says of a gzip file, against what this library says. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JUDGE_LIMIT (1u << 20) /* more may not come out */

/* Has both decode a file. Ends the program unless they agree: one accepts what the other does, and
   both put out the same bytes and end at the same place; and unless ours comes to the same end at
   the same place when its input is cut in pieces, as the seed has it. Returns whether they accept
   it, or says in `*why` which it was. */
bool judge_gzip(const uint8_t *file, size_t len, uint64_t seed, const char **why);

/* Puts right what follows the deflate stream of a file with the plain header of 10 bytes: the sum
   and the length that zlib finds. Leaves a file alone whose stream has no end, or no room behind
   it. */
void judge_seal(uint8_t *file, size_t len);

#endif
