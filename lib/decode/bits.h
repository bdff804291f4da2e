/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DECODE_BITS_H
#define DECODE_BITS_H

/*
 * The bits of DEFLATE (RFC 1951, section 3.1.1), the lowest of a byte first, out of an input that
 * comes in pieces. Bytes are taken ahead of their use, as many as fit.
 *
 * Whoever reads asks first whether all the bits of a thing are there. If not, it takes none of
 * them, `is_short` is set, and it asks again when there is more input.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "decode/huffman.h"

struct ota__bits {
    const uint8_t *at, *end; /* the present piece, as far as it is not taken */
    size_t ahead;            /* what was taken and not used, the next bit lowest */
    unsigned count;          /* how many bits of it */
    bool is_short;           /* what is to be read next is not all there */
};

/* Takes bytes ahead: at least 25 bits are there then, or all that have come. */
static inline void ota__bits_fill(struct ota__bits *in)
{
    if (sizeof in->ahead == 8 && in->count <= 32 && in->end - in->at >= 4) {
        in->ahead |= (size_t)ota__get_le32(in->at) << in->count;
        in->at += 4;
        in->count += 32;
        return;
    }
    while (in->count <= 24 && in->at < in->end) {
        in->ahead |= (size_t)*in->at++ << in->count;
        in->count += 8;
    }
}

/* Are so many bits (at most 25) there? */
static inline bool ota__bits_are_there(struct ota__bits *in, unsigned count)
{
    if (in->count < count) {
        ota__bits_fill(in);
        in->is_short = in->count < count;
    }
    return !in->is_short;
}

/* The next bits, of those that are there. */
static inline uint32_t ota__bits_peek(const struct ota__bits *in, unsigned count)
{
    return (uint32_t)in->ahead & ((1u << count) - 1);
}

static inline void ota__bits_drop(struct ota__bits *in, unsigned count)
{
    in->ahead >>= count;
    in->count -= count;
}

static inline uint32_t ota__bits_take(struct ota__bits *in, unsigned count)
{
    const uint32_t value = ota__bits_peek(in, count);

    ota__bits_drop(in, count);
    return value;
}

/* Finds the next symbol, without taking its bits: symbol << 4 | their number. OTA__CODE_NONE, which
   is greater than each of these, if they mean nothing. */
static inline unsigned ota__bits_look_up(struct ota__bits *in, const struct ota__code *code)
{
    if (in->count < OTA__CODE_LENGTH_MAX) {
        ota__bits_fill(in);
    }
    unsigned entry = code->table[ota__bits_peek(in, code->table_bits)];
    if (entry == 0) {
        entry = ota__code_walk(code, (uint32_t)in->ahead);
    }
    in->is_short = (entry & 15) > in->count; /* what is not there reads as zeros */
    return entry;
}

#endif
