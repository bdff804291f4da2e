/* SPDX-License-Identifier: Apache-2.0 */
#include "decode/huffman.h"

#include "base/mem.h"

/* How the lengths fill the space of 15 bits. */
static enum ota__code_set judge(const uint16_t *counts, unsigned used)
{
    int32_t left = 1;

    for (unsigned length = 1; length <= OTA__CODE_LENGTH_MAX; length++) {
        left = left * 2 - counts[length];
        if (left < 0) {
            return OTA__CODE_TOO_MANY;
        }
    }
    if (left == 0) {
        return OTA__CODE_WHOLE;
    }
    return used == 0 || (used == 1 && counts[1] == 1) ? OTA__CODE_SINGLE : OTA__CODE_INCOMPLETE;
}

enum ota__code_set ota__code_order(const struct ota__code *code, const uint8_t *lengths,
                                   unsigned count)
{
    uint16_t at[OTA__CODE_LENGTH_MAX + 1] = {0};
    unsigned used = 0;

    memset(code->counts, 0, (OTA__CODE_LENGTH_MAX + 1) * sizeof *code->counts);
    for (unsigned i = 0; i < count; i++) {
        code->counts[lengths[i]]++;
    }
    code->counts[0] = 0;
    for (unsigned length = 1; length <= OTA__CODE_LENGTH_MAX; length++) {
        at[length] = (uint16_t)used;
        used += code->counts[length];
    }
    for (unsigned i = 0; i < count; i++) {
        if (lengths[i] != 0) {
            code->symbols[at[lengths[i]]++] = (uint16_t)i;
        }
    }
    return judge(code->counts, used);
}

/* Codes are numbered with the first bit highest, and come with the first bit lowest. */
static uint32_t reversed(uint32_t code, unsigned length)
{
    uint32_t bits = 0;

    for (; length > 0; length--) {
        bits = bits << 1 | (code & 1);
        code >>= 1;
    }
    return bits;
}

void ota__code_tabulate(const struct ota__code *code)
{
    const uint32_t size = 1u << code->table_bits;
    uint32_t number = 0;
    unsigned index = 0;

    memset(code->table, 0, size * sizeof *code->table);
    for (unsigned length = 1; length <= code->table_bits; length++) {
        for (unsigned i = 0; i < code->counts[length]; i++) {
            const uint16_t entry = (uint16_t)((unsigned)code->symbols[index++] << 4 | length);
            for (uint32_t at = reversed(number, length); at < size; at += 1u << length) {
                code->table[at] = entry;
            }
            number++;
        }
        number <<= 1;
    }
}

unsigned ota__code_walk(const struct ota__code *code, uint32_t bits)
{
    uint32_t number = 0, first = 0;
    unsigned index = 0;

    for (unsigned length = 1; length <= OTA__CODE_LENGTH_MAX; length++) {
        const unsigned count = code->counts[length];
        number |= bits & 1;
        if (number - first < count) {
            return code->symbols[index + number - first] * 16u + length;
        }
        bits >>= 1;
        index += count;
        first = (first + count) << 1;
        number <<= 1;
    }
    return OTA__CODE_NONE;
}
