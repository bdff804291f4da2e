/* SPDX-License-Identifier: Apache-2.0 */
#include "decode/gzip_streams.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#include "decode/deflate_writer.h"
#include "decode/zlib_judge.h"
#include "support/images.h"

#define DATA_MAX 70000u

/* ---- Chance ---------------------------------------------------------------------------------- */

static struct {
    uint64_t seed, next;
} dice;

static void dice_begin(uint64_t seed)
{
    dice.seed = seed;
    dice.next = 0;
}

/* A number below `count`. */
static uint32_t roll(uint32_t count)
{
    return noise(dice.seed, dice.next++) % count;
}

static bool one_in(uint32_t count)
{
    return roll(count) == 0;
}

/* A number below `count`, most of them small. */
static uint32_t roll_small(uint32_t count)
{
    return roll(roll(roll(count) + 1) + 1);
}

/* ---- Files by zlib --------------------------------------------------------------------------- */

/* A byte of data of a kind, `at` of it being there. */
static uint8_t byte_of(unsigned kind, const uint8_t *data, uint32_t at)
{
    switch (kind) {
    case 0:
        return (uint8_t)roll(256);
    case 1:
        return (uint8_t)("etaoin shrdlu"[roll_small(13)]);
    case 2: /* runs */
        return at > 0 && !one_in(40) ? data[at - 1] : (uint8_t)roll(256);
    case 3: /* words of a processor */
        return at % 4 == 3 ? 0x40 : at % 4 == 2 ? (uint8_t)roll(3) : (uint8_t)roll_small(256);
    case 4:
        return 0;
    default: /* what was there before, near or far */
        return at > 50 && at % 64 < 50 ? data[at - 1 - (at / 64 * 977 % 40000) % at]
                                       : (uint8_t)roll(256);
    }
}

static uint32_t make_data(uint8_t *data)
{
    const uint32_t len = one_in(4) ? roll(DATA_MAX) : roll_small(20000);
    const unsigned kind = roll(7);

    for (uint32_t at = 0; at < len; at++) {
        data[at] = byte_of(kind < 6 ? kind : at / 1000 % 6, data, at);
    }
    return len;
}

static void set_header(z_stream *stream)
{
    static uint8_t extra[500];
    static gz_header header;
    static uint8_t name[] = "firmware.bin", comment[] = "of today";

    memset(&header, 0, sizeof header);
    header.text = (int)roll(2);
    header.time = roll(UINT32_MAX);
    header.os = (int)roll(256);
    header.extra = one_in(2) ? extra : NULL;
    header.extra_len = roll(sizeof extra);
    header.name = one_in(2) ? name : NULL;
    header.comment = one_in(2) ? comment : NULL;
    header.hcrc = (int)roll(2);
    if (deflateSetHeader(stream, &header) != Z_OK) {
        abort();
    }
}

size_t gzip_by_zlib(uint8_t *file, uint64_t seed)
{
    static const int flushes[] = {Z_NO_FLUSH,   Z_NO_FLUSH,      Z_NO_FLUSH,   Z_BLOCK,
                                  Z_SYNC_FLUSH, Z_PARTIAL_FLUSH, Z_FULL_FLUSH, Z_NO_FLUSH};
    static uint8_t data[DATA_MAX];
    z_stream stream = {.next_in = data, .avail_out = GZIP_FILE_MAX};
    uint32_t left, pieces;

    stream.next_out = file;
    dice_begin(seed);
    left = make_data(data);
    pieces = one_in(2) ? 1 : 1 + roll(20);
    if (deflateInit2(&stream, (int)roll(10), Z_DEFLATED, 16 + 9 + (int)roll(7), 1 + (int)roll(9),
                     (int)roll(5)) != Z_OK) {
        abort();
    }
    if (one_in(3)) {
        set_header(&stream);
    }
    for (; pieces > 1; pieces--) {
        const uint32_t piece = roll(left + 1);
        stream.avail_in = piece;
        left -= piece;
        (void)deflate(&stream, flushes[roll(8)]);
        if (one_in(5)) {
            (void)deflateParams(&stream, (int)roll(10), (int)roll(5));
        }
        left += stream.avail_in;
    }
    stream.avail_in = left;
    if (deflate(&stream, Z_FINISH) != Z_STREAM_END) {
        abort();
    }
    (void)deflateEnd(&stream);
    return stream.total_out;
}

/* ---- Files by hand --------------------------------------------------------------------------- */

/* Gives symbols codes: the lengths are the leaves of a tree that grows by splitting leaves, so that
   the code is whole. `deep`: mostly the last one is split. */
static void grow_code(struct prefix_code *code, unsigned leaves, unsigned longest, bool deep)
{
    uint8_t depth[320] = {0};
    unsigned count = 1;

    leaves = leaves < code->symbols ? leaves : code->symbols;
    memset(code->lengths, 0, sizeof code->lengths);
    for (unsigned tries = 0; count < leaves && tries < 5000; tries++) {
        const unsigned i = deep && !one_in(4) ? count - 1 : roll(count);
        if (depth[i] < longest) {
            depth[i]++;
            depth[count++] = depth[i];
        }
    }
    for (unsigned i = 0; count > 1 && i < count; i++) {
        unsigned symbol = roll(code->symbols);
        while (code->lengths[symbol] != 0) {
            symbol = (symbol + 1) % code->symbols;
        }
        code->lengths[symbol] = depth[i];
    }
}

/* A code for so many symbols; one in some is none. */
static void make_code(struct prefix_code *code, unsigned symbols, unsigned longest)
{
    code->symbols = symbols;
    grow_code(code, 2 + roll(symbols), longest, one_in(3));
    switch (roll(24)) {
    case 0: /* over-full or incomplete, mostly by little */
        code->lengths[roll(symbols)] = (uint8_t)(one_in(2) ? longest : roll(longest + 1));
        break;
    case 1: /* one symbol, of mostly one bit */
        memset(code->lengths, 0, sizeof code->lengths);
        code->lengths[roll(symbols)] = (uint8_t)(1 + (one_in(4) ? roll(longest) : 0));
        break;
    case 2: /* none */
        memset(code->lengths, 0, sizeof code->lengths);
        break;
    default:
        break;
    }
    prefix_code_number(code);
}

static bool has_code(const struct prefix_code *code, unsigned symbol)
{
    return symbol < code->symbols && code->lengths[symbol] != 0;
}

/* A symbol from `from` on that has a code; `code->symbols` if there is none. */
static unsigned any_symbol(const struct prefix_code *code, unsigned from)
{
    const unsigned count = code->symbols - from;

    for (unsigned i = 0, start = roll(count > 0 ? count : 1); i < count; i++) {
        if (has_code(code, from + (start + i) % count)) {
            return from + (start + i) % count;
        }
    }
    return code->symbols;
}

/* Symbols by chance, of which copies reach back at most by what is there, most of the time. */
static void put_body(struct deflate *deflate, const struct prefix_code *literals,
                     const struct prefix_code *distances, uint32_t *there)
{
    for (uint32_t left = roll_small(2000); left > 0; left--) {
        const unsigned symbol =
            any_symbol(literals, one_in(3) && literals->symbols > 257 ? 257 : 0);
        if (symbol == 256 || symbol >= literals->symbols) {
            continue;
        }
        if (symbol < 256) {
            deflate_symbol(deflate, literals, symbol);
            ++*there;
            continue;
        }
        const unsigned distance = any_symbol(distances, 0);
        const unsigned more = distance < 4 ? 0 : distance / 2 - 1;
        if (distance >= distances->symbols || (*there < 2u << distance / 2 && !one_in(3000))) {
            continue;
        }
        deflate_symbol(deflate, literals, symbol);
        deflate_bits(deflate, roll(256), symbol < 265 || symbol > 284 ? 0 : (symbol - 261) / 4);
        deflate_symbol(deflate, distances, distance);
        deflate_bits(deflate, roll(UINT32_MAX), more);
        *there += 3;
    }
    if (!one_in(100)) {
        deflate_symbol(deflate, literals, 256);
    }
}

/* The lengths of a dynamic block's codes, in a code of their own that may lack some of what is
   needed. */
static void put_lengths_by_chance(struct deflate *deflate, bool is_last,
                                  const struct prefix_code *literals,
                                  const struct prefix_code *distances)
{
    struct prefix_code code;

    make_code(&code, 19, 7);
    deflate_dynamic_head(deflate, is_last, literals->symbols, distances->symbols, &code);
    for (unsigned i = 0; i < literals->symbols + distances->symbols; i++) {
        const unsigned symbol = any_symbol(&code, 0);
        if (symbol < 19) {
            deflate_symbol(deflate, &code, symbol);
            deflate_bits(deflate, roll(128), symbol < 16 ? 0 : symbol == 18 ? 7 : symbol - 14);
            i += symbol < 16 ? 0 : symbol == 18 ? 70 : 4;
        }
    }
}

static void put_block(struct deflate *deflate, bool is_last, uint32_t *there)
{
    static uint8_t data[40000];
    struct prefix_code literals, distances;
    const uint32_t len = one_in(3) ? roll(sizeof data) : roll_small(500);

    switch (roll(8)) {
    case 0:
        for (uint32_t i = 0; i < len; i++) {
            data[i] = (uint8_t)roll(256);
        }
        deflate_stored(deflate, is_last, data, (uint16_t)len);
        *there += len;
        return;
    case 1:
        prefix_code_fixed(&literals, &distances);
        deflate_fixed(deflate, is_last);
        break;
    default:
        make_code(&literals, 257 + roll(30), 15);
        make_code(&distances, 1 + roll(30), 15);
        if (!has_code(&literals, 256) && !one_in(10)) {
            /* It takes the code of another one. */
            const unsigned other = any_symbol(&literals, 0);
            literals.lengths[256] = other < literals.symbols ? literals.lengths[other] : 1;
            literals.lengths[other] = 0;
            prefix_code_number(&literals);
        }
        if (one_in(20)) {
            put_lengths_by_chance(deflate, is_last, &literals, &distances);
        } else {
            deflate_dynamic(deflate, is_last, &literals, &distances, !one_in(4));
        }
        break;
    }
    put_body(deflate, &literals, &distances, there);
}

size_t gzip_by_hand(uint8_t *file, uint64_t seed)
{
    static struct deflate deflate;
    uint32_t there = 0;
    size_t len;

    dice_begin(seed);
    deflate.bits = 0;
    for (uint32_t blocks = roll_small(8); blocks > 0; blocks--) {
        put_block(&deflate, false, &there);
    }
    put_block(&deflate, true, &there);
    len = gzip_wrap(file, &deflate, "", 0);
    judge_seal(file, len);
    return len;
}

/* ---- Files that are spoiled ------------------------------------------------------------------ */

static size_t spoil_once(uint8_t *file, size_t len, const uint8_t *other, size_t other_len)
{
    const uint32_t at = roll((uint32_t)len), near = roll((uint32_t)(len < 200 ? len : 200));
    size_t n;

    switch (roll(8)) {
    case 0:
        file[at] = (uint8_t)roll(256);
        return len;
    case 1: /* cut */
        return 1 + at;
    case 2: /* taken out */
        n = 1 + roll((uint32_t)(len - at) < 20 ? (uint32_t)(len - at) : 20);
        memmove(file + at, file + at + n, len - at - n);
        return len - n > 0 ? len - n : 1;
    case 3: /* doubled */
        n = 1 + roll(20);
        n = n < len - at ? n : len - at;
        memmove(file + at + n, file + at, len - at);
        return len + n;
    case 4: /* another file goes on */
        n = roll((uint32_t)other_len);
        memcpy(file + at, other + n, other_len - n);
        return at + other_len - n > 0 ? at + other_len - n : 1;
    case 5: /* where the codes are */
        file[near] ^= (uint8_t)(1u << roll(8));
        return len;
    default:
        file[at] ^= (uint8_t)(1u << roll(8));
        return len;
    }
}

size_t gzip_spoil(uint8_t *file, size_t len, const uint8_t *other, size_t other_len, uint64_t seed)
{
    dice_begin(seed);
    for (uint32_t times = 1 + roll_small(5); times > 0; times--) {
        len = spoil_once(file, len, other, other_len);
    }
    if (one_in(2)) {
        judge_seal(file, len);
    }
    return len;
}
