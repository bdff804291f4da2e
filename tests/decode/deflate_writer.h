/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DECODE_DEFLATE_WRITER_H
#define DECODE_DEFLATE_WRITER_H

/*
 * DEFLATE streams put together by hand, bit by bit, so that each may have what no compressor makes.
 * Written from RFC 1951 and RFC 1952, and not with the library.
 *
 *     struct deflate deflate = {.bits = 0};
 *     deflate_bits(&deflate, 1, 1);                    (last block)
 *     deflate_bits(&deflate, 1, 2);                    (fixed codes)
 *     deflate_symbol(&deflate, &fixed_literals, 'a');
 *     deflate_symbol(&deflate, &fixed_literals, 256);
 *     len = gzip_wrap(file, sizeof file, &deflate, "a", 1);
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DEFLATE_MAX 0x20000u /* bytes of a stream */
#define GZIP_HEADER_SIZE 10u
#define GZIP_END_SIZE 8u

struct deflate {
    uint8_t bytes[DEFLATE_MAX];
    size_t bits;
};

/* Symbols and their codes, which follow from the lengths. */
struct prefix_code {
    unsigned symbols;
    uint8_t lengths[320];
    uint16_t codes[320];
};

/* Numbers the codes (RFC 1951, section 3.2.2), after the lengths are set. */
void prefix_code_number(struct prefix_code *code);

/* Makes the codes of fixed blocks. */
void prefix_code_fixed(struct prefix_code *literals, struct prefix_code *distances);

/* Add bits, the lowest first; a symbol's code; a copy with the further bits of its length and
   distance; nothing up to the next byte. A symbol without a code adds nothing. */
void deflate_bits(struct deflate *deflate, uint32_t value, unsigned count);
void deflate_symbol(struct deflate *deflate, const struct prefix_code *code, unsigned symbol);
void deflate_copy(struct deflate *deflate, const struct prefix_code *literals,
                  const struct prefix_code *distances, unsigned distance, unsigned len);
void deflate_align(struct deflate *deflate);
size_t deflate_len(const struct deflate *deflate);

/* Adds a stored block. */
void deflate_stored(struct deflate *deflate, bool is_last, const void *data, uint16_t len);

/* Begins a block of fixed codes. */
void deflate_fixed(struct deflate *deflate, bool is_last);

/* The head of a dynamic block: how many lengths are told, and the code in which they are (a symbol
   of it may have 7 bits). They follow as symbols 0 to 15; 16 and 2 bits: the last one 3 to 6 times;
   17 and 3 bits: 0, 3 to 10 times; 18 and 7 bits: 0, 11 to 138 times. */
void deflate_dynamic_head(struct deflate *deflate, bool is_last, unsigned literals,
                          unsigned distances, const struct prefix_code *lengths);

/* A code for the lengths that has them all: 13 of 4 bits and 6 of 5. */
void prefix_code_of_lengths(struct prefix_code *code);

/* Begins a block of dynamic codes. `repeat`: runs of lengths are told as such, also across the
   border of the two codes. */
void deflate_dynamic(struct deflate *deflate, bool is_last, const struct prefix_code *literals,
                     const struct prefix_code *distances, bool repeat);

/* Writes the sum and the length of data, the 8 bytes at the end of a gzip file. */
void gzip_end(uint8_t *end, const void *data, size_t len);

/* Writes the gzip file of a stream that decodes to `data`: the plain header of 10 bytes, the
   stream, and the sum and length of the data. Returns its length. */
size_t gzip_wrap(uint8_t *file, const struct deflate *deflate, const void *data, size_t len);

#endif
