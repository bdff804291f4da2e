/* SPDX-License-Identifier: Apache-2.0 */
#include "decode/heatshrink_encoder.h"

#include <stdlib.h>

void shrunk_begin(struct shrunk *shrunk, unsigned window_bits, unsigned lookahead_bits)
{
    shrunk->window_bits = window_bits;
    shrunk->lookahead_bits = lookahead_bits;
    shrunk->bits = 0;
}

static void put(struct shrunk *shrunk, uint32_t value, unsigned count)
{
    while (count-- > 0) {
        uint8_t *byte = &shrunk->bytes[shrunk->bits / 8];
        if (shrunk->bits / 8 == SHRUNK_MAX) {
            abort();
        }
        *byte = shrunk->bits % 8 == 0 ? 0 : *byte;
        *byte = (uint8_t)(*byte | (value >> count & 1) << (7 - shrunk->bits % 8));
        shrunk->bits++;
    }
}

void shrunk_literal(struct shrunk *shrunk, uint8_t byte)
{
    put(shrunk, 1, 1);
    put(shrunk, byte, 8);
}

void shrunk_copy(struct shrunk *shrunk, uint32_t distance, uint32_t len)
{
    put(shrunk, 0, 1);
    put(shrunk, distance - 1, shrunk->window_bits);
    put(shrunk, len - 1, shrunk->lookahead_bits);
}

size_t shrunk_len(const struct shrunk *shrunk)
{
    return (shrunk->bits + 7) / 8;
}

/* The byte so many before data + at; there are zeros before the beginning. */
static uint8_t before(const uint8_t *data, size_t at, size_t distance)
{
    return distance > at ? 0 : data[at - distance];
}

static uint32_t match(const uint8_t *data, size_t at, size_t len, size_t distance, uint32_t most)
{
    uint32_t n = 0;

    while (n < most && at + n < len && before(data, at + n, distance) == data[at + n]) {
        n++;
    }
    return n;
}

void shrunk_data(struct shrunk *shrunk, const uint8_t *data, size_t len)
{
    const uint32_t window = 1u << shrunk->window_bits, most = 1u << shrunk->lookahead_bits;
    const uint32_t least = (1 + shrunk->window_bits + shrunk->lookahead_bits) / 9 + 1;

    for (size_t at = 0; at < len;) {
        uint32_t best = 0, best_distance = 1;
        const uint32_t farthest = at < window ? (uint32_t)at + 1 : window;
        for (uint32_t distance = 1; distance <= farthest && best < most; distance++) {
            const uint32_t n = match(data, at, len, distance, most);
            best_distance = n > best ? distance : best_distance;
            best = n > best ? n : best;
        }
        if (best >= least) {
            shrunk_copy(shrunk, best_distance, best);
            at += best;
        } else {
            shrunk_literal(shrunk, data[at++]);
        }
    }
}
