/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DEFLATE: each kind of block, each thing that may be wrong with one, where copies are read from.
 * The streams are put together by hand; test_inflate_zlib.c has those of a compressor.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <updraft/inflate.h>

#include "decode/deflate_writer.h"
#include "decode/store.h"
#include "support/images.h"

static struct deflate stream;
static struct prefix_code literals, distances;
static struct store store;

static int set_up(void **state)
{
    (void)state;
    memset(&stream, 0, sizeof stream);
    memset(&literals, 0, sizeof literals);
    memset(&distances, 0, sizeof distances);
    prefix_code_fixed(&literals, &distances);
    store_init(&store, 200000);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    store_free(&store);
    return 0;
}

static void put_text(const char *text)
{
    for (; *text != '\0'; text++) {
        deflate_symbol(&stream, &literals, (uint8_t)*text);
    }
}

static void end_block(void)
{
    deflate_symbol(&stream, &literals, 256);
}

/* Decodes the stream in pieces of that size, with bytes behind it that must not be touched. */
static enum ota_err inflate_in(size_t step, bool *is_ended)
{
    static struct ota_inflate inflate;
    const size_t len = deflate_len(&stream);
    static uint8_t file[DEFLATE_MAX + 20];
    enum ota_err err = OTA_OK;
    size_t at = 0, taken = 0;

    memcpy(file, stream.bytes, len);
    memset(file + len, 0xA5, 20);
    store_clear(&store);
    ota_inflate_begin(&inflate, &store.sink, &store.history);
    for (; err == OTA_OK && !inflate.is_ended && at < len; at += taken) {
        /* Not more than the stream if it does not end: what is behind would be decoded. */
        size_t piece = step < len + 20 - at ? step : len + 20 - at;
        piece = is_ended == NULL && piece > len - at ? len - at : piece;
        err = ota_inflate_write(&inflate, file + at, piece, &taken);
        assert_true(taken == piece || err != OTA_OK || inflate.is_ended);
    }
    if (err != OTA_OK) {
        assert_int_equal(ota_inflate_write(&inflate, file, 1, &taken), err);
        assert_int_equal(taken, 0);
    }
    if (is_ended != NULL) {
        *is_ended = inflate.is_ended;
        if (inflate.is_ended) {
            assert_int_equal(at, len);
            assert_int_equal(ota_inflate_write(&inflate, file, 20, &taken), OTA_OK);
            assert_int_equal(taken, 0);
        }
    }
    return err;
}

static const size_t steps[] = {1, 2, 3, 5, 7, 8, 64, 1000, DEFLATE_MAX};
#define EACH_STEP(i) (size_t i = 0; i < sizeof steps / sizeof *steps; i++)

static void expect(const void *data, size_t len)
{
    for
        EACH_STEP(i)
        {
            bool is_ended = false;
            assert_int_equal(inflate_in(steps[i], &is_ended), OTA_OK);
            assert_true(is_ended);
            assert_int_equal(store.len, len);
            assert_memory_equal(store.bytes, data, len);
        }
}

static void expect_refused(void)
{
    for
        EACH_STEP(i)
        {
            assert_int_equal(inflate_in(steps[i], NULL), OTA_ERR_COMPRESSED_DATA);
        }
}

/* ---- Blocks ---------------------------------------------------------------------------------- */

static void test_stored(void **state)
{
    static uint8_t data[65535];

    (void)state;
    for (size_t i = 0; i < sizeof data; i++) {
        data[i] = (uint8_t)noise(1, i);
    }
    deflate_stored(&stream, false, "", 0);
    deflate_stored(&stream, false, data, 1);
    deflate_stored(&stream, false, data + 1, 2999);
    deflate_stored(&stream, true, data + 3000, 62535);
    expect(data, sizeof data);
    assert_int_equal(store.reads, 0);
    stream.bits = 0;
    deflate_stored(&stream, true, data, 65535);
    expect(data, sizeof data);
}

static void test_stored_of_wrong_length(void **state)
{
    (void)state;
    for (unsigned bit = 0; bit < 32; bit++) {
        stream.bits = 0;
        deflate_stored(&stream, true, "abcdefgh", 8);
        stream.bytes[1 + bit / 8] ^= (uint8_t)(1u << bit % 8);
        expect_refused();
    }
}

static void test_fixed(void **state)
{
    (void)state;
    deflate_fixed(&stream, false);
    put_text("blah");
    deflate_copy(&stream, &literals, &distances, 5 - 1, 18);
    put_text("!\xFF");
    end_block();
    deflate_fixed(&stream, false);
    end_block(); /* one without anything */
    deflate_fixed(&stream, true);
    put_text(".");
    end_block();
    expect("blahblahblahblahblahbl!\xFF.", 25);
}

/* The symbols that the fixed codes have and that mean nothing, and the kind of block that is
   none. */
static void test_symbols_without_meaning(void **state)
{
    (void)state;
    for (unsigned symbol = 286; symbol < 288; symbol++) {
        stream.bits = 0;
        deflate_fixed(&stream, true);
        put_text("abc");
        deflate_symbol(&stream, &literals, symbol);
        deflate_bits(&stream, 0, 32);
        expect_refused();
    }
    for (unsigned symbol = 30; symbol < 32; symbol++) {
        stream.bits = 0;
        deflate_fixed(&stream, true);
        put_text("abc");
        deflate_symbol(&stream, &literals, 257);
        deflate_symbol(&stream, &distances, symbol);
        deflate_bits(&stream, 0, 32);
        expect_refused();
    }
    for (unsigned last = 0; last < 2; last++) {
        stream.bits = 0;
        deflate_bits(&stream, last, 1);
        deflate_bits(&stream, 3, 2);
        deflate_align(&stream);
        expect_refused();
    }
}

/* ---- Codes ----------------------------------------------------------------------------------- */

/* Codes of lengths 1, 2, 3 … for as many symbols as there are; the last length comes twice. */
static void steep(struct prefix_code *code, const unsigned *symbols, unsigned count)
{
    memset(code->lengths, 0, sizeof code->lengths);
    for (unsigned i = 0; i < count; i++) {
        code->lengths[symbols[i]] = (uint8_t)(i + 1 < count ? i + 1 : i);
    }
    prefix_code_number(code);
}

static void test_longest_codes(void **state)
{
    static const unsigned symbols[16] = {'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h',
                                         'i', 'j', 'k', 'l', 'm', 'n', 256, 285};
    static const unsigned far[16] = {15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0};

    (void)state;
    literals.symbols = 286;
    distances.symbols = 30;
    steep(&literals, symbols, 16);
    steep(&distances, far, 16);
    for (unsigned repeat = 0; repeat < 2; repeat++) {
        stream.bits = 0;
        deflate_dynamic(&stream, false, &literals, &distances, repeat != 0);
        put_text("abcdefghijklmn");
        deflate_copy(&stream, &literals, &distances, 1, 258);   /* 15 bits and 15 bits */
        deflate_copy(&stream, &literals, &distances, 193, 258); /* 1 bit */
        end_block();
        deflate_dynamic(&stream, true, &literals, &distances, repeat != 0);
        put_text("n");
        end_block();
        uint8_t data[14 + 258 + 258 + 1];
        memcpy(data, "abcdefghijklmn", 14);
        memset(data + 14, 'n', sizeof data - 14);
        expect(data, sizeof data);
    }
}

/* A distance code of one symbol has one bit; none at all is legal while nothing is copied. */
static void test_few_distances(void **state)
{
    (void)state;
    static const unsigned symbols[4] = {'x', 'y', 256, 257};
    literals.symbols = 258;
    distances.symbols = 1;
    steep(&literals, symbols, 4);
    memset(distances.lengths, 0, sizeof distances.lengths);
    deflate_dynamic(&stream, true, &literals, &distances, true);
    put_text("xyx");
    end_block();
    expect("xyx", 3);

    stream.bits = 0;
    deflate_dynamic(&stream, true, &literals, &distances, true);
    put_text("xyx");
    deflate_symbol(&stream, &literals, 257);
    deflate_bits(&stream, 0, 32);
    expect_refused();

    stream.bits = 0;
    distances.lengths[0] = 1;
    prefix_code_number(&distances);
    deflate_dynamic(&stream, true, &literals, &distances, true);
    put_text("y");
    deflate_copy(&stream, &literals, &distances, 1, 3);
    end_block();
    expect("yyyy", 4);

    stream.bits = 0;
    deflate_dynamic(&stream, true, &literals, &distances, true);
    put_text("y");
    deflate_symbol(&stream, &literals, 257);
    deflate_bits(&stream, 0xFFFFFFFF, 32); /* the other bit */
    expect_refused();
}

/* Only the end: one literal code of one bit. */
static void test_single_literal(void **state)
{
    (void)state;
    memset(literals.lengths, 0, sizeof literals.lengths);
    literals.symbols = 257;
    distances.symbols = 1;
    literals.lengths[256] = 1;
    memset(distances.lengths, 0, sizeof distances.lengths);
    prefix_code_number(&literals);
    deflate_dynamic(&stream, true, &literals, &distances, true);
    end_block();
    expect("", 0);
    stream.bits--;
    deflate_bits(&stream, 0xFFFFFFFF, 32);
    expect_refused();
}

static void put_dynamic(unsigned literal_count, unsigned distance_count)
{
    stream.bits = 0;
    literals.symbols = literal_count;
    distances.symbols = distance_count;
    prefix_code_number(&literals);
    prefix_code_number(&distances);
    deflate_dynamic(&stream, true, &literals, &distances, true);
    deflate_bits(&stream, 0, 32);
}

static void test_codes_that_are_none(void **state)
{
    static const unsigned symbols[4] = {'x', 'y', 256, 257};

    (void)state;
    steep(&literals, symbols, 4);
    memset(distances.lengths, 0, sizeof distances.lengths);
    literals.lengths['z'] = 15; /* over-full by the least */
    put_dynamic(258, 1);
    expect_refused();
    literals.lengths['z'] = 0;
    literals.lengths[257] = 4; /* incomplete by the least */
    put_dynamic(258, 1);
    expect_refused();
    literals.lengths[257] = 0; /* incomplete */
    put_dynamic(258, 1);
    expect_refused();
    steep(&literals, symbols, 4);
    literals.lengths[256] = 0;
    literals.lengths['z'] = 3; /* whole, but without an end */
    put_dynamic(258, 1);
    expect_refused();
    literals.lengths['z'] = 0;
    literals.lengths[256] = 3;
    distances.lengths[0] = 2; /* one code, of two bits */
    put_dynamic(258, 1);
    expect_refused();
    distances.lengths[1] = distances.lengths[2] = 1; /* over-full */
    put_dynamic(258, 3);
    expect_refused();
    distances.lengths[2] = 0; /* incomplete */
    put_dynamic(258, 3);
    expect_refused();
    distances.lengths[2] = 2; /* and whole */
    put_dynamic(258, 3);
    bool is_ended;
    assert_int_equal(inflate_in(1, &is_ended), OTA_OK);
}

/* Symbols that no block may have: 286 and 287, and the distances 30 and 31. */
static void test_too_many_symbols(void **state)
{
    struct prefix_code code;

    (void)state;
    prefix_code_of_lengths(&code);
    for (unsigned i = 286; i <= 288; i++) {
        stream.bits = 0;
        deflate_dynamic_head(&stream, true, i, 30, &code);
        deflate_bits(&stream, 0, 32);
        assert_int_equal(inflate_in(1, NULL), i == 286 ? OTA_OK : OTA_ERR_COMPRESSED_DATA);
    }
    for (unsigned i = 30; i <= 32; i++) {
        stream.bits = 0;
        deflate_dynamic_head(&stream, true, 257, i, &code);
        deflate_bits(&stream, 0, 32);
        assert_int_equal(inflate_in(1, NULL), i == 30 ? OTA_OK : OTA_ERR_COMPRESSED_DATA);
    }
}

static void test_code_of_lengths(void **state)
{
    struct prefix_code code;

    (void)state;
    for (unsigned fault = 0; fault < 4; fault++) {
        prefix_code_of_lengths(&code);
        code.lengths[18] = fault == 0 ? 4 : 5;                /* over-full */
        code.lengths[18] = fault == 1 ? 6 : code.lengths[18]; /* incomplete */
        if (fault >= 2) {                                     /* one alone; none */
            memset(code.lengths, 0, sizeof code.lengths);
            code.lengths[0] = fault == 2 ? 1 : 0;
        }
        stream.bits = 0;
        deflate_dynamic_head(&stream, true, 257, 1, &code);
        deflate_bits(&stream, 0, 32);
        expect_refused();
    }
}

/* Repeats: of nothing; as far as the last length and one too far. */
static void test_repeats(void **state)
{
    struct prefix_code code;

    (void)state;
    prefix_code_of_lengths(&code);
    deflate_dynamic_head(&stream, true, 257, 1, &code);
    deflate_symbol(&stream, &code, 16);
    deflate_bits(&stream, 0, 32);
    expect_refused();
    for (unsigned more = 0; more < 2; more++) {
        stream.bits = 0;
        deflate_dynamic_head(&stream, true, 257, 12, &code);
        deflate_symbol(&stream, &code, 18);
        deflate_bits(&stream, 127, 7); /* 138 zeros */
        deflate_symbol(&stream, &code, 18);
        deflate_bits(&stream, 118 - 11, 7); /* up to symbol 256 */
        deflate_symbol(&stream, &code, 1);  /* the end */
        deflate_symbol(&stream, &code, 17);
        deflate_bits(&stream, 9 - 3, 3);
        deflate_symbol(&stream, &code, 0);
        deflate_symbol(&stream, &code, 0);
        if (more == 0) {
            deflate_symbol(&stream, &code, 1);
            deflate_bits(&stream, 0, 1);
            expect("", 0);
        } else {
            deflate_symbol(&stream, &code, 16);
            deflate_bits(&stream, 0, 32);
            expect_refused();
        }
    }
}

/* ---- Copies ---------------------------------------------------------------------------------- */

/* What the copies of the stream mean, byte by byte. */
static uint8_t plain[200000];
static uint32_t plain_len;

static void put_noise(uint32_t len, uint64_t seed)
{
    for (uint32_t i = 0; i < len; i++) {
        plain[plain_len] = (uint8_t)noise(seed, i);
        deflate_symbol(&stream, &literals, plain[plain_len++]);
    }
}

static void put_copy(uint32_t distance, uint32_t len)
{
    deflate_copy(&stream, &literals, &distances, distance, len);
    for (uint32_t i = 0; i < len; i++, plain_len++) {
        plain[plain_len] = plain[plain_len - distance];
    }
}

/* Each distance round the sizes that matter, with each length. */
static void test_copies(void **state)
{
    static const uint32_t around[] = {1,    2,    3,    4,    7,    128,   256,  258,  259,
                                      511,  512,  513,  765,  766,  767,   1023, 1024, 1025,
                                      1026, 1281, 1282, 1283, 4096, 32767, 32768};

    (void)state;
    plain_len = 0;
    deflate_fixed(&stream, true);
    put_noise(33000, 1);
    for (size_t i = 0; i < sizeof around / sizeof *around; i++) {
        for (uint32_t len = 3; len <= 258; len += len < 12 ? 1 : len < 250 ? 13 : 1) {
            put_copy(around[i], len);
            put_noise(noise(2, plain_len) % 4, plain_len);
        }
    }
    end_block();
    expect(plain, plain_len);
    /* Only what lies further back than the recent bytes was read, and in at most two pieces
       each. */
    assert_true(store.reads > 0 && store.longest_read <= 258);
}

/* The history is asked for as much as the copy is long, and only if it is not among the recent
   bytes. */
static void test_what_is_read(void **state)
{
    (void)state;
    for (uint32_t distance = 1000; distance < 1050; distance++) {
        stream.bits = 0;
        plain_len = 0;
        deflate_fixed(&stream, true);
        put_noise(1500, 3);
        put_copy(distance, 200);
        end_block();
        expect(plain, plain_len);
        assert_int_equal(store.bytes_read, distance > OTA_RECENT_SIZE ? 200 : 0);
    }
}

static void test_copy_from_before_the_beginning(void **state)
{
    (void)state;
    for (uint32_t there = 0; there < 3000; there = 2 * there + 1) {
        for (uint32_t more = 0; more < 2; more++) {
            stream.bits = 0;
            plain_len = 0;
            deflate_fixed(&stream, true);
            put_noise(there, 4);
            deflate_copy(&stream, &literals, &distances, there + more, 3);
            end_block();
            if (more == 0 && there > 0) {
                bool is_ended;
                assert_int_equal(inflate_in(1, &is_ended), OTA_OK);
                assert_true(is_ended);
                assert_int_equal(store.len, there + 3);
            } else if (more == 1) {
                expect_refused();
            }
        }
    }
}

static void test_history_that_fails(void **state)
{
    unsigned reads;

    (void)state;
    plain_len = 0;
    deflate_fixed(&stream, true);
    put_noise(3000, 5);
    for (unsigned i = 0; i < 20; i++) {
        put_copy(1025 + i * 40, 100);
    }
    end_block();
    expect(plain, plain_len);
    reads = store.reads;
    assert_true(reads > 20); /* some go over the edge of the recent bytes */
    for (unsigned failing = 1; failing <= reads; failing++) {
        static struct ota_inflate inflate;
        size_t taken;
        store_clear(&store);
        store.failing_read = failing;
        ota_inflate_begin(&inflate, &store.sink, &store.history);
        assert_int_equal(ota_inflate_write(&inflate, stream.bytes, deflate_len(&stream), &taken),
                         OTA_ERR_FLASH_READ);
        assert_int_equal(store.reads, failing);
        assert_false(inflate.is_ended);
    }
}

/* ---- Limits ---------------------------------------------------------------------------------- */

/* Offsets are counted in 32 bits. The first 4 GB are said to have come. */
static void test_four_gigabytes(void **state)
{
    static struct ota_inflate inflate;
    size_t taken;

    (void)state;
    deflate_fixed(&stream, false);
    put_text("x");
    for (unsigned i = 0; i < 50; i++) {
        deflate_copy(&stream, &literals, &distances, 1, 258);
    }
    end_block();
    ota_inflate_begin(&inflate, &store.sink, &store.history);
    inflate.recent.produced = inflate.recent.given = UINT32_MAX - 5000;
    assert_int_equal(ota_inflate_write(&inflate, stream.bytes, deflate_len(&stream), &taken),
                     OTA_ERR_TOO_LARGE);
    assert_in_range(store.len, 5000 - 3 * OTA_RECENT_SIZE, 5000);
}

static void test_size(void **state)
{
    (void)state;
    print_message("struct ota_inflate: %zu bytes\n", sizeof(struct ota_inflate));
    assert_true(sizeof(struct ota_inflate) < 3500);
}

int main(void)
{
#define FRESH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        FRESH(test_stored),
        FRESH(test_stored_of_wrong_length),
        FRESH(test_fixed),
        FRESH(test_symbols_without_meaning),
        FRESH(test_longest_codes),
        FRESH(test_few_distances),
        FRESH(test_single_literal),
        FRESH(test_codes_that_are_none),
        FRESH(test_too_many_symbols),
        FRESH(test_code_of_lengths),
        FRESH(test_repeats),
        FRESH(test_copies),
        FRESH(test_what_is_read),
        FRESH(test_copy_from_before_the_beginning),
        FRESH(test_history_that_fails),
        FRESH(test_four_gigabytes),
        FRESH(test_size),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
