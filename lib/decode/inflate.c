/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DEFLATE, RFC 1951. The decoder stops wherever the input does, and goes on there: what it is at is
 * `step`, and a step begins only when all the bits that it takes are there.
 *
 *     BLOCK -+-> STORED_LENGTH -> STORED_CHECK -> STORED -> (end of block)
 *            +-> COUNTS -> CODE_LENGTHS -> LENGTHS -+
 *            +-- fixed codes -----------------------+-> SYMBOL -> (end of block)
 *            ^                                           |  ^
 *            `- end of block, if not the last            |  `- COPY_OFFSET <- COPY_DISTANCE <-.
 *                                                        `---> COPY_LENGTH -------------------'
 */
#include "base/mem.h"
#include "decode/inflate_private.h"
#include "decode/recent.h"

_Static_assert(sizeof(struct ota_inflate) < 4096, "less than 4 KB, as promised");

/* ---- Blocks that are stored ------------------------------------------------------------------ */

static void end_block(struct ota_inflate *inflate)
{
    inflate->step = OTA__BLOCK;
    inflate->is_ended = inflate->is_last;
}

static enum ota_err read_stored_length(struct ota_inflate *inflate, struct ota__bits *in)
{
    ota__bits_drop(in, in->count & 7); /* to the next byte */
    if (!ota__bits_are_there(in, 16)) {
        return OTA_OK;
    }
    inflate->left = (uint16_t)ota__bits_take(in, 16);
    inflate->step = OTA__STORED_CHECK;
    return OTA_OK;
}

static enum ota_err read_stored_check(struct ota_inflate *inflate, struct ota__bits *in)
{
    if (!ota__bits_are_there(in, 16)) {
        return OTA_OK;
    }
    inflate->step = OTA__STORED;
    return (inflate->left ^ ota__bits_take(in, 16)) == 0xFFFF ? OTA_OK : OTA_ERR_COMPRESSED_DATA;
}

/* Takes at most `most` bytes to where there is room for them: first those that were taken ahead. */
static uint32_t take_bytes(struct ota__bits *in, uint8_t *to, uint32_t most)
{
    uint32_t len = 0;

    for (; len < most && in->count > 0; len++) {
        to[len] = (uint8_t)ota__bits_take(in, 8);
    }
    if (len < most && in->at < in->end) {
        const size_t there = (size_t)(in->end - in->at);
        const uint32_t more = there < most - len ? (uint32_t)there : most - len;
        memcpy(to + len, in->at, more);
        in->at += more;
        len += more;
    }
    return len;
}

static enum ota_err read_stored(struct ota_inflate *inflate, struct ota__bits *in)
{
    struct ota_recent *recent = &inflate->recent;

    while (inflate->left > 0) {
        const uint32_t to = recent->produced & OTA__RECENT_MASK;
        const uint32_t most = ota__min(inflate->left, OTA_RECENT_SIZE - to);
        const enum ota_err err = ota__recent_make_room(recent, most);
        if (err != OTA_OK) {
            return err;
        }
        const uint32_t len = take_bytes(in, recent->bytes + to, most);
        if (len == 0) {
            in->is_short = true;
            return OTA_OK;
        }
        inflate->left = (uint16_t)(inflate->left - len);
        recent->produced += len;
    }
    end_block(inflate);
    return OTA_OK;
}

/* ---- Symbols --------------------------------------------------------------------------------- */

static enum ota_err read_block(struct ota_inflate *inflate, struct ota__bits *in)
{
    if (!ota__bits_are_there(in, 3)) {
        return OTA_OK;
    }
    inflate->is_last = ota__bits_take(in, 1) != 0;
    switch (ota__bits_take(in, 2)) {
    case 0:
        inflate->step = OTA__STORED_LENGTH;
        return OTA_OK;
    case 1:
        return ota__use_fixed_codes(inflate);
    case 2:
        inflate->step = OTA__COUNTS;
        return OTA_OK;
    default:
        return OTA_ERR_COMPRESSED_DATA;
    }
}

/* RFC 1951, section 3.2.5: a symbol's first value, and how many bits are added. */
struct range {
    uint16_t first;
    uint8_t bits;
};

static const struct range copy_lengths[] = {
    {3, 0},  {4, 0},  {5, 0},  {6, 0},   {7, 0},   {8, 0},   {9, 0},   {10, 0},  {11, 1},  {13, 1},
    {15, 1}, {17, 1}, {19, 2}, {23, 2},  {27, 2},  {31, 2},  {35, 3},  {43, 3},  {51, 3},  {59, 3},
    {67, 4}, {83, 4}, {99, 4}, {115, 4}, {131, 5}, {163, 5}, {195, 5}, {227, 5}, {258, 0},
};

static const struct range copy_distances[] = {
    {1, 0},     {2, 0},     {3, 0},     {4, 0},      {5, 1},      {7, 1},
    {9, 2},     {13, 2},    {17, 3},    {25, 3},     {33, 4},     {49, 4},
    {65, 5},    {97, 5},    {129, 6},   {193, 6},    {257, 7},    {385, 7},
    {513, 8},   {769, 8},   {1025, 9},  {1537, 9},   {2049, 10},  {3073, 10},
    {4097, 11}, {6145, 11}, {8193, 12}, {12289, 12}, {16385, 13}, {24577, 13},
};

static enum ota_err read_copy_offset(struct ota_inflate *inflate, struct ota__bits *in)
{
    const struct range *range = &copy_distances[inflate->symbol];

    if (!ota__bits_are_there(in, range->bits)) {
        return OTA_OK;
    }
    const uint32_t distance = range->first + ota__bits_take(in, range->bits);
    inflate->step = OTA__SYMBOL;
    return distance > inflate->recent.produced
               ? OTA_ERR_COMPRESSED_DATA
               : ota__recent_copy(&inflate->recent, distance, inflate->left);
}

static enum ota_err read_copy_distance(struct ota_inflate *inflate, struct ota__bits *in)
{
    const struct ota__code code = ota__distance_code(inflate);
    const unsigned entry = ota__bits_look_up(in, &code);

    if (in->is_short) {
        return OTA_OK;
    }
    if (entry >> 4 >= sizeof copy_distances / sizeof *copy_distances) {
        return OTA_ERR_COMPRESSED_DATA;
    }
    ota__bits_drop(in, entry & 15);
    inflate->symbol = (uint8_t)(entry >> 4);
    inflate->step = OTA__COPY_OFFSET;
    return read_copy_offset(inflate, in);
}

static enum ota_err read_copy_length(struct ota_inflate *inflate, struct ota__bits *in)
{
    const struct range *range = &copy_lengths[inflate->symbol];

    if (!ota__bits_are_there(in, range->bits)) {
        return OTA_OK;
    }
    inflate->left = (uint16_t)(range->first + ota__bits_take(in, range->bits));
    inflate->step = OTA__COPY_DISTANCE;
    return read_copy_distance(inflate, in);
}

/* Literals, up to a symbol that is none. */
static enum ota_err read_symbol(struct ota_inflate *inflate, struct ota__bits *in)
{
    const struct ota__code code = ota__literal_code(inflate);
    unsigned entry = ota__bits_look_up(in, &code);

    while (!in->is_short && entry < OTA__END_OF_BLOCK << 4) {
        const enum ota_err err = ota__recent_add(&inflate->recent, (uint8_t)(entry >> 4));
        if (err != OTA_OK) {
            return err;
        }
        ota__bits_drop(in, entry & 15);
        entry = ota__bits_look_up(in, &code);
    }
    if (in->is_short) {
        return OTA_OK;
    }
    const unsigned symbol = entry >> 4;
    if (symbol > OTA__END_OF_BLOCK + sizeof copy_lengths / sizeof *copy_lengths) {
        return OTA_ERR_COMPRESSED_DATA;
    }
    ota__bits_drop(in, entry & 15);
    if (symbol == OTA__END_OF_BLOCK) {
        end_block(inflate);
        return OTA_OK;
    }
    inflate->symbol = (uint8_t)(symbol - OTA__END_OF_BLOCK - 1);
    inflate->step = OTA__COPY_LENGTH;
    return read_copy_length(inflate, in);
}

/* ---- All of it ------------------------------------------------------------------------------- */

void ota_inflate_begin(struct ota_inflate *inflate, struct ota_sink *next,
                       struct ota_history *history)
{
    memset(inflate, 0, sizeof *inflate);
    ota__recent_begin(&inflate->recent, next, history);
}

static enum ota_err take_step(struct ota_inflate *inflate, struct ota__bits *in)
{
    static enum ota_err (*const steps[])(struct ota_inflate *, struct ota__bits *) = {
        [OTA__BLOCK] = read_block,
        [OTA__STORED_LENGTH] = read_stored_length,
        [OTA__STORED_CHECK] = read_stored_check,
        [OTA__STORED] = read_stored,
        [OTA__COUNTS] = ota__read_counts,
        [OTA__CODE_LENGTHS] = ota__read_code_lengths,
        [OTA__LENGTHS] = ota__read_lengths,
        [OTA__SYMBOL] = read_symbol,
        [OTA__COPY_LENGTH] = read_copy_length,
        [OTA__COPY_DISTANCE] = read_copy_distance,
        [OTA__COPY_OFFSET] = read_copy_offset,
    };
    return steps[inflate->step](inflate, in);
}

enum ota_err ota_inflate_write(struct ota_inflate *inflate, const void *data, size_t len,
                               size_t *taken)
{
    const uint8_t *bytes = data;
    struct ota__bits in = {bytes, bytes + len, inflate->ahead, inflate->ahead_count, false};

    while (inflate->err == OTA_OK && !inflate->is_ended && !in.is_short) {
        inflate->err = take_step(inflate, &in);
    }
    if (inflate->err == OTA_OK && inflate->is_ended) {
        inflate->err = ota__recent_give(&inflate->recent);
        /* The end was seen as soon as it was there: what was taken ahead of it came in this
           call. */
        in.at -= in.count / 8;
        in.count &= 7;
    }
    inflate->ahead = in.ahead;
    inflate->ahead_count = (uint8_t)in.count;
    *taken = (size_t)(in.at - bytes);
    return inflate->err;
}
