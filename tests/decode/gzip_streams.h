/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DECODE_GZIP_STREAMS_H
#define DECODE_GZIP_STREAMS_H

/* gzip files of every kind, each the same whenever its seed is. */

#include <stddef.h>
#include <stdint.h>

#define GZIP_FILE_MAX 0x40000u

/* Writes a file that zlib made: of data of one of several kinds; any level, strategy, window,
   memory, flushes and changes in between; with any fields in its header. Returns its length. */
size_t gzip_by_zlib(uint8_t *file, uint64_t seed);

/* Writes a file put together by hand: blocks of all kinds, with codes that compressors do not make,
   some of which mean nothing. Its sum and length are right if it has an end. */
size_t gzip_by_hand(uint8_t *file, uint64_t seed);

/* Spoils a file: bits, bytes, parts that are cut out, doubled or taken from another file. Half of
   them get a sum and length that are right again, if they have an end. Returns its new length. */
size_t gzip_spoil(uint8_t *file, size_t len, const uint8_t *other, size_t other_len, uint64_t seed);

#endif
