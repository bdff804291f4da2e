/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DECODE_HEATSHRINK_ENCODER_H
#define DECODE_HEATSHRINK_ENCODER_H

/* Streams of heatshrink's format, by hand or from data. Written from docs/formats/gzip.md section
   5, and not with the library. */

#include <stddef.h>
#include <stdint.h>

#define SHRUNK_MAX 0x20000u

struct shrunk {
    unsigned window_bits, lookahead_bits;
    size_t bits;
    uint8_t bytes[SHRUNK_MAX];
};

void shrunk_begin(struct shrunk *shrunk, unsigned window_bits, unsigned lookahead_bits);
void shrunk_literal(struct shrunk *shrunk, uint8_t byte);
void shrunk_copy(struct shrunk *shrunk, uint32_t distance, uint32_t len);
size_t shrunk_len(const struct shrunk *shrunk);

/* Adds data, with the longest copies there are, also of the zero before its beginning. */
void shrunk_data(struct shrunk *shrunk, const uint8_t *data, size_t len);

#endif
