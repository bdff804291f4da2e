/* SPDX-License-Identifier: Apache-2.0 */
/* Takes at each place the longest copy that there is, found by chains of places that begin with the
   same two bytes. */

#include "cli/heatshrink.h"

#include <stdlib.h>
#include <string.h>

#include <updraft/heatshrink.h>

#include "cli/output.h"

#define NOWHERE SIZE_MAX
#define PAIRS 65536u
#define LITERAL_BITS 9u

struct packing {
    const uint8_t *data;
    size_t size;
    unsigned window_bits, lookahead_bits;

    size_t *last;   /* for each pair of bytes: where it was seen last */
    size_t *before; /* for each place: where its pair was seen before */

    uint8_t *packed;
    size_t bits;
};

static void put(struct packing *packing, size_t value, unsigned count)
{
    while (count-- > 0) {
        uint8_t *byte = &packing->packed[packing->bits / 8];
        *byte = (uint8_t)(*byte | (value >> count & 1) << (7 - packing->bits % 8));
        packing->bits++;
    }
}

static size_t match(const struct packing *packing, size_t from, size_t at, size_t most)
{
    size_t len = 0;
    while (len < most && packing->data[from + len] == packing->data[at + len]) {
        len++;
    }
    return len;
}

/* Finds the longest copy for `at`, the nearest of those that are equal. Returns its length, 0 if
   there is none. */
static size_t find(const struct packing *packing, size_t at, size_t *distance)
{
    const size_t window = (size_t)1 << packing->window_bits;
    const size_t lookahead = (size_t)1 << packing->lookahead_bits;
    const size_t left = packing->size - at;
    const size_t most = left < lookahead ? left : lookahead;
    size_t best = 0;
    for (size_t from = packing->before[at]; from != NOWHERE && at - from <= window && best < most;
         from = packing->before[from]) {
        const size_t len = match(packing, from, at, most);
        if (len > best) {
            best = len;
            *distance = at - from;
        }
    }
    return best;
}

static void link_places(struct packing *packing)
{
    for (size_t i = 0; i < PAIRS; i++) {
        packing->last[i] = NOWHERE;
    }
    for (size_t at = 0; at < packing->size; at++) {
        const unsigned next = at + 1 < packing->size ? packing->data[at + 1] : 0u;
        const unsigned pair = (unsigned)packing->data[at] << 8 | next;
        packing->before[at] = packing->last[pair];
        packing->last[pair] = at;
    }
}

static void pack(struct packing *packing)
{
    const unsigned copy_bits = 1 + packing->window_bits + packing->lookahead_bits;
    for (size_t at = 0; at < packing->size;) {
        size_t distance = 0;
        const size_t len = find(packing, at, &distance);
        if (len * LITERAL_BITS > copy_bits) {
            put(packing, 0, 1);
            put(packing, distance - 1, packing->window_bits);
            put(packing, len - 1, packing->lookahead_bits);
            at += len;
        } else {
            put(packing, 1, 1);
            put(packing, packing->data[at++], 8);
        }
    }
}

uint8_t *heatshrink_pack(const uint8_t *data, size_t size, unsigned window_bits,
                         unsigned lookahead_bits, size_t *packed_size)
{
    const size_t largest = size + size / 8 + 1; /* nothing but bytes, of nine bits each */
    struct packing packing = {
        .data = data,
        .size = size,
        .window_bits = window_bits,
        .lookahead_bits = lookahead_bits,
        .last = output_allocate(PAIRS * sizeof(size_t)),
        .before = output_allocate(size * sizeof(size_t)),
        .packed = output_allocate(largest),
    };
    memset(packing.packed, 0, largest);
    link_places(&packing);
    pack(&packing);
    free(packing.last);
    free(packing.before);
    *packed_size = (packing.bits + 7) / 8;
    return packing.packed;
}

bool heatshrink_is_packed(const uint8_t *data, size_t size)
{
    struct ota_heatshrink_decoder heatshrink;
    ota_heatshrink_decoder_init(&heatshrink, OTA_HEATSHRINK_WINDOW_BITS_MIN,
                                OTA_HEATSHRINK_LOOKAHEAD_BITS_MIN);
    return heatshrink.decoder.recognises(&heatshrink.decoder, data, size, true);
}
