/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The codes of a block, RFC 1951, sections 3.2.6 and 3.2.7. A block of the dynamic kind tells them
 * by the lengths of the codes of its symbols; and those it tells in a code of their own, told by
 * lengths too.
 */
#include "base/mem.h"
#include "decode/inflate_private.h"

#define LITERALS_USED 286u /* symbols that a block may give codes to */
#define DISTANCES_USED 30u
#define LENGTH_CODES 19u /* symbols of the code in which the lengths of codes are told */

_Static_assert(LENGTH_CODES <= OTA_INFLATE_DISTANCES,
               "it is kept where the distances' code will be");

/* Makes the codes of a block from the lengths of both, which lie where the table will. */
static enum ota_err make_codes(struct ota_inflate *inflate)
{
    const struct ota__code literals = ota__literal_code(inflate);
    const struct ota__code distances = ota__distance_code(inflate);
    const uint8_t *lengths = inflate->lengths;

    if (lengths[OTA__END_OF_BLOCK] == 0 ||
        ota__code_order(&literals, lengths, inflate->literals) > OTA__CODE_SINGLE ||
        ota__code_order(&distances, lengths + inflate->literals, inflate->distances) >
            OTA__CODE_SINGLE) {
        return OTA_ERR_COMPRESSED_DATA;
    }
    ota__code_tabulate(&literals);
    ota__code_tabulate(&distances);
    inflate->step = OTA__SYMBOL;
    return OTA_OK;
}

enum ota_err ota__use_fixed_codes(struct ota_inflate *inflate)
{
    uint8_t *lengths = inflate->lengths;

    inflate->literals = OTA_INFLATE_LITERALS;
    inflate->distances = OTA_INFLATE_DISTANCES;
    memset(lengths, 8, 144);
    memset(lengths + 144, 9, 112);
    memset(lengths + 256, 7, 24);
    memset(lengths + 280, 8, 8);
    memset(lengths + 288, 5, 32);
    return make_codes(inflate);
}

enum ota_err ota__read_counts(struct ota_inflate *inflate, struct ota__bits *in)
{
    if (!ota__bits_are_there(in, 14)) {
        return OTA_OK;
    }
    inflate->literals = (uint16_t)(257 + ota__bits_take(in, 5));
    inflate->distances = (uint16_t)(1 + ota__bits_take(in, 5));
    inflate->code_lengths = (uint8_t)(4 + ota__bits_take(in, 4));
    if (inflate->literals > LITERALS_USED || inflate->distances > DISTANCES_USED) {
        return OTA_ERR_COMPRESSED_DATA;
    }
    memset(inflate->lengths, 0, LENGTH_CODES);
    inflate->known = 0;
    inflate->step = OTA__CODE_LENGTHS;
    return OTA_OK;
}

enum ota_err ota__read_code_lengths(struct ota_inflate *inflate, struct ota__bits *in)
{
    static const uint8_t order[LENGTH_CODES] = {16, 17, 18, 0, 8,  7, 9,  6, 10, 5,
                                                11, 4,  12, 3, 13, 2, 14, 1, 15};
    const struct ota__code code = ota__distance_code(inflate);

    while (inflate->known < inflate->code_lengths) {
        if (!ota__bits_are_there(in, 3)) {
            return OTA_OK;
        }
        inflate->lengths[order[inflate->known++]] = (uint8_t)ota__bits_take(in, 3);
    }
    if (ota__code_order(&code, inflate->lengths, LENGTH_CODES) != OTA__CODE_WHOLE) {
        return OTA_ERR_COMPRESSED_DATA;
    }
    ota__code_tabulate(&code);
    inflate->known = 0;
    inflate->step = OTA__LENGTHS;
    return OTA_OK;
}

/* Takes one symbol of the lengths: up to 15 it is one; above, it repeats the last one, or 0. */
static enum ota_err read_length(struct ota_inflate *inflate, struct ota__bits *in)
{
    static const struct {
        uint8_t bits, least;
    } repeats[] = {{2, 3}, {3, 3}, {7, 11}};
    const struct ota__code code = ota__distance_code(inflate);
    const unsigned entry = ota__bits_look_up(in, &code);
    const unsigned symbol = entry >> 4, bits = entry & 15;
    unsigned times = 1;
    uint8_t length = (uint8_t)symbol;

    if (in->is_short ||
        (symbol > 15 && !ota__bits_are_there(in, bits + repeats[symbol - 16].bits))) {
        return OTA_OK;
    }
    ota__bits_drop(in, bits);
    if (symbol > 15) {
        times = repeats[symbol - 16].least + ota__bits_take(in, repeats[symbol - 16].bits);
        length = 0;
    }
    if (symbol == 16) {
        if (inflate->known == 0) {
            return OTA_ERR_COMPRESSED_DATA;
        }
        length = inflate->lengths[inflate->known - 1];
    }
    if (times > (unsigned)inflate->literals + inflate->distances - inflate->known) {
        return OTA_ERR_COMPRESSED_DATA;
    }
    memset(inflate->lengths + inflate->known, length, times);
    inflate->known = (uint16_t)(inflate->known + times);
    return OTA_OK;
}

enum ota_err ota__read_lengths(struct ota_inflate *inflate, struct ota__bits *in)
{
    enum ota_err err = OTA_OK;

    while (err == OTA_OK && inflate->known < inflate->literals + inflate->distances) {
        err = read_length(inflate, in);
        if (in->is_short) {
            return OTA_OK;
        }
    }
    return err == OTA_OK ? make_codes(inflate) : err;
}
