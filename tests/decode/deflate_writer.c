/* SPDX-License-Identifier: Apache-2.0 */
#include "decode/deflate_writer.h"

#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#define CODE_MAX 15

void prefix_code_number(struct prefix_code *code)
{
    unsigned counts[CODE_MAX + 1] = {0}, next[CODE_MAX + 1] = {0};

    for (unsigned i = 0; i < code->symbols; i++) {
        counts[code->lengths[i]]++;
    }
    counts[0] = 0;
    for (unsigned length = 1; length <= CODE_MAX; length++) {
        next[length] = (next[length - 1] + counts[length - 1]) << 1;
    }
    for (unsigned i = 0; i < code->symbols; i++) {
        code->codes[i] = (uint16_t)next[code->lengths[i]]++;
    }
}

void prefix_code_fixed(struct prefix_code *literals, struct prefix_code *distances)
{
    literals->symbols = 288;
    for (unsigned i = 0; i < 288; i++) {
        literals->lengths[i] = i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8;
    }
    distances->symbols = 32;
    memset(distances->lengths, 5, 32);
    prefix_code_number(literals);
    prefix_code_number(distances);
}

void deflate_bits(struct deflate *deflate, uint32_t value, unsigned count)
{
    for (unsigned i = 0; i < count; i++, deflate->bits++) {
        if (deflate->bits / 8 >= DEFLATE_MAX) {
            abort();
        }
        uint8_t *byte = &deflate->bytes[deflate->bits / 8];
        const uint8_t bit = (uint8_t)(1u << deflate->bits % 8);
        *byte = (uint8_t)((value >> i & 1) != 0 ? *byte | bit : *byte & ~bit);
    }
}

void deflate_symbol(struct deflate *deflate, const struct prefix_code *code, unsigned symbol)
{
    for (unsigned i = code->lengths[symbol]; i > 0; i--) {
        deflate_bits(deflate, code->codes[symbol] >> (i - 1), 1);
    }
}

/* Adds a value, counted from 0, as a symbol and further bits: symbols come in groups with as many
   of them each, twice a group with none. Symbols are numbered from `first`. */
static void put_value(struct deflate *deflate, const struct prefix_code *code, unsigned first,
                      unsigned group, uint32_t value)
{
    unsigned symbol = 0, bits = 0;

    while (value >= 1u << bits) {
        value -= 1u << bits;
        symbol++;
        bits = symbol < 2 * group ? 0 : symbol / group - 1;
    }
    deflate_symbol(deflate, code, first + symbol);
    deflate_bits(deflate, value, bits);
}

void deflate_copy(struct deflate *deflate, const struct prefix_code *literals,
                  const struct prefix_code *distances, unsigned distance, unsigned len)
{
    if (len == 258) {
        deflate_symbol(deflate, literals, 285);
    } else {
        put_value(deflate, literals, 257, 4, len - 3);
    }
    put_value(deflate, distances, 0, 2, distance - 1);
}

void deflate_align(struct deflate *deflate)
{
    deflate_bits(deflate, 0, (8 - deflate->bits % 8) % 8);
}

size_t deflate_len(const struct deflate *deflate)
{
    return (deflate->bits + 7) / 8;
}

void deflate_stored(struct deflate *deflate, bool is_last, const void *data, uint16_t len)
{
    const uint8_t *bytes = data;

    deflate_bits(deflate, is_last ? 1 : 0, 3);
    deflate_align(deflate);
    deflate_bits(deflate, len, 16);
    deflate_bits(deflate, ~(uint32_t)len, 16);
    for (unsigned i = 0; i < len; i++) {
        deflate_bits(deflate, bytes[i], 8);
    }
}

void deflate_fixed(struct deflate *deflate, bool is_last)
{
    deflate_bits(deflate, is_last ? 3 : 2, 3);
}

/* How often lengths[at] comes in a row, up to `most`. */
static unsigned run_of(const uint8_t *lengths, unsigned count, unsigned at, unsigned most)
{
    unsigned run = 1;

    while (run < most && at + run < count && lengths[at + run] == lengths[at]) {
        run++;
    }
    return run;
}

static void put_lengths(struct deflate *deflate, const struct prefix_code *code,
                        const uint8_t *lengths, unsigned count, bool repeat)
{
    for (unsigned at = 0; at < count;) {
        const unsigned run = run_of(lengths, count, at, lengths[at] == 0 ? 138 : 7);
        if (repeat && lengths[at] == 0 && run >= 3) {
            deflate_symbol(deflate, code, run > 10 ? 18 : 17);
            deflate_bits(deflate, run > 10 ? run - 11 : run - 3, run > 10 ? 7 : 3);
            at += run;
        } else {
            deflate_symbol(deflate, code, lengths[at]);
            at++;
            if (repeat && run >= 4) {
                deflate_symbol(deflate, code, 16);
                deflate_bits(deflate, run - 1 - 3, 2);
                at += run - 1;
            }
        }
    }
}

void prefix_code_of_lengths(struct prefix_code *code)
{
    code->symbols = 19;
    for (unsigned i = 0; i < 19; i++) {
        code->lengths[i] = i < 13 ? 4 : 5;
    }
    prefix_code_number(code);
}

void deflate_dynamic_head(struct deflate *deflate, bool is_last, unsigned literals,
                          unsigned distances, const struct prefix_code *lengths)
{
    static const uint8_t order[19] = {16, 17, 18, 0, 8,  7, 9,  6, 10, 5,
                                      11, 4,  12, 3, 13, 2, 14, 1, 15};

    deflate_bits(deflate, is_last ? 5 : 4, 3);
    deflate_bits(deflate, literals - 257, 5);
    deflate_bits(deflate, distances - 1, 5);
    deflate_bits(deflate, 19 - 4, 4);
    for (unsigned i = 0; i < 19; i++) {
        deflate_bits(deflate, lengths->lengths[order[i]], 3);
    }
}

void deflate_dynamic(struct deflate *deflate, bool is_last, const struct prefix_code *literals,
                     const struct prefix_code *distances, bool repeat)
{
    struct prefix_code code;
    uint8_t lengths[640];
    const unsigned count = literals->symbols + distances->symbols;

    prefix_code_of_lengths(&code);
    memcpy(lengths, literals->lengths, literals->symbols);
    memcpy(lengths + literals->symbols, distances->lengths, distances->symbols);
    deflate_dynamic_head(deflate, is_last, literals->symbols, distances->symbols, &code);
    put_lengths(deflate, &code, lengths, count, repeat);
}

static void put32(uint8_t *bytes, uint32_t value)
{
    for (unsigned i = 0; i < 4; i++) {
        bytes[i] = (uint8_t)(value >> 8 * i);
    }
}

void gzip_end(uint8_t *end, const void *data, size_t len)
{
    put32(end, (uint32_t)crc32(crc32(0, NULL, 0), data, (uInt)len));
    put32(end + 4, (uint32_t)len);
}

size_t gzip_wrap(uint8_t *file, const struct deflate *deflate, const void *data, size_t len)
{
    static const uint8_t header[GZIP_HEADER_SIZE] = {0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 255};
    const size_t stream = deflate_len(deflate);

    memcpy(file, header, sizeof header);
    memcpy(file + sizeof header, deflate->bytes, stream);
    gzip_end(file + sizeof header + stream, data, len);
    return sizeof header + stream + GZIP_END_SIZE;
}
