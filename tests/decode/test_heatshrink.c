/* SPDX-License-Identifier: Apache-2.0 */
/* Heatshrink's format: every pair of parameters, however the input is cut; and what may be
   wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <updraft/heatshrink.h>

#include "decode/heatshrink_encoder.h"
#include "decode/store.h"
#include "support/images.h"

static struct store store;
static struct ota_heatshrink heatshrink;
static struct shrunk shrunk;

static int set_up(void **state)
{
    (void)state;
    store_init(&store, 200000);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    store_free(&store);
    return 0;
}

static enum ota_err run(uint32_t size, size_t len, const struct cuts *cuts)
{
    const struct ota_heatshrink_options options = {
        .next = &store.sink,
        .history = &store.history,
        .window_bits = (uint8_t)shrunk.window_bits,
        .lookahead_bits = (uint8_t)shrunk.lookahead_bits,
        .size = size,
    };

    store_clear(&store);
    assert_int_equal(ota_heatshrink_begin(&heatshrink, &options), OTA_OK);
    return feed(&heatshrink.sink, shrunk.bytes, len, cuts);
}

static const struct cuts whole = {SIZE_MAX, 1, 0};
static const struct cuts bytes = {1, 1, 0};

/* With the size known and not, whole and in pieces. */
static void expect(const uint8_t *data, uint32_t len)
{
    const size_t from = shrunk_len(&shrunk);

    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(run((i & 1) != 0 ? len : OTA_SIZE_UNKNOWN, from, i < 2 ? &whole : &bytes),
                         OTA_OK);
        assert_int_equal(store.len, len);
        assert_memory_equal(store.bytes, data, len);
        assert_int_equal(store.finished, 1);
        assert_int_equal(heatshrink.taken, from);
    }
}

/* ---- What is decoded ------------------------------------------------------------------------- */

/* What the library's own encoder makes of a text, as another decoder's documentation shows it. */
static void test_known_answer(void **state)
{
    static const uint8_t known[] = {0xBA, 0x5A, 0x2D, 0x37, 0x39, 0x00, 0x08,
                                    0xAC, 0x32, 0x0B, 0xA5, 0x96, 0xE7, 0x74};

    (void)state;
    shrunk_begin(&shrunk, 8, 4);
    memcpy(shrunk.bytes, known, sizeof known);
    shrunk.bits = 8 * sizeof known;
    expect((const uint8_t *)"this is a test", 14);
}

/* Data that is partly noise, partly a copy from any distance within the window. */
static uint32_t make_data(uint8_t *data, uint32_t len, unsigned window_bits, uint64_t seed)
{
    for (uint32_t i = 0; i < len; i++) {
        const uint32_t far = 1 + noise(seed, i / 50) % (1u << window_bits);
        const bool is_copy = i % 50 < 40 && far <= i;
        data[i] =
            is_copy ? data[i - far] : (uint8_t)(noise(seed + 1, i) & (i % 100 < 50 ? 255 : 1));
    }
    return len;
}

static void test_every_pair_of_parameters(void **state)
{
    static uint8_t data[6000];

    (void)state;
    for (unsigned window = 4; window <= 15; window++) {
        for (unsigned lookahead = 3; lookahead < window; lookahead++) {
            const uint32_t len = make_data(data, window > 12 ? 6000 : 2000, window, window);
            shrunk_begin(&shrunk, window, lookahead);
            shrunk_data(&shrunk, data, len);
            expect(data, len);
        }
    }
}

/* Distances and lengths round the size of the recent bytes, beyond what the encoder finds. */
static void test_copies(void **state)
{
    static const uint32_t distances[] = {1,    2,    3,    511,  512,  513,  600,
                                         1023, 1024, 1025, 1536, 4096, 32768};
    static const uint32_t lens[] = {1, 2, 511, 512, 513, 1023, 1024, 1025, 3000, 16384};
    static uint8_t data[200000];

    (void)state;
    for (size_t i = 0; i < sizeof distances / sizeof *distances; i++) {
        uint32_t len = 0;
        shrunk_begin(&shrunk, 15, 14);
        for (; len < 40000; len++) {
            data[len] = (uint8_t)noise(9, len);
            shrunk_literal(&shrunk, data[len]);
        }
        for (size_t j = 0; j < sizeof lens / sizeof *lens; j++) {
            shrunk_copy(&shrunk, distances[i], lens[j]);
            for (uint32_t k = 0; k < lens[j]; k++, len++) {
                data[len] = data[len - distances[i]];
            }
            data[len] = (uint8_t)len;
            shrunk_literal(&shrunk, data[len++]);
        }
        expect(data, len);
        assert_true(distances[i] <= OTA_RECENT_SIZE ? store.reads == 0 : store.reads > 0);
    }
}

/* The library's buffer holds zeros when it begins, and copies may reach there, wholly or in
   part. */
static void test_zeros_before_the_beginning(void **state)
{
    uint8_t data[6000] = {0};

    (void)state;
    for (uint32_t there = 0; there < 3; there++) {
        for (uint32_t distance = 1; distance <= 4096; distance = 2 * distance + 1) {
            uint32_t len = 0;
            shrunk_begin(&shrunk, 12, 11);
            for (; len < there; len++) {
                data[len] = (uint8_t)('a' + len);
                shrunk_literal(&shrunk, data[len]);
            }
            for (uint32_t copy = 1; copy <= 2048; copy *= 2) {
                shrunk_copy(&shrunk, distance, copy);
                for (uint32_t k = 0; k < copy; k++, len++) {
                    data[len] = distance > len ? 0 : data[len - distance];
                }
            }
            expect(data, len);
        }
    }
}

static void test_nothing(void **state)
{
    (void)state;
    shrunk_begin(&shrunk, 8, 4);
    expect((const uint8_t *)"", 0);
    assert_int_equal(run(1, 0, &whole), OTA_ERR_INCOMPLETE);
}

static void test_cut_in_two_anywhere(void **state)
{
    static uint8_t data[3000];
    const uint32_t len = make_data(data, sizeof data, 11, 3);

    (void)state;
    shrunk_begin(&shrunk, 11, 4);
    shrunk_data(&shrunk, data, len);
    for (size_t cut = 0; cut <= shrunk_len(&shrunk); cut++) {
        const struct cuts cuts = {cut, SIZE_MAX, 0};
        assert_int_equal(run(len, shrunk_len(&shrunk), &cuts), OTA_OK);
        assert_memory_equal(store.bytes, data, len);
    }
}

/* ---- What is refused ------------------------------------------------------------------------- */

static void test_parameters(void **state)
{
    const struct ota_heatshrink_options good = {.next = &store.sink,
                                                .history = &store.history,
                                                .window_bits = 8,
                                                .lookahead_bits = 4,
                                                .size = OTA_SIZE_UNKNOWN};

    (void)state;
    for (unsigned window = 0; window < 20; window++) {
        for (unsigned lookahead = 0; lookahead < 20; lookahead++) {
            struct ota_heatshrink_options options = good;
            options.window_bits = (uint8_t)window;
            options.lookahead_bits = (uint8_t)lookahead;
            const bool is_good =
                window >= 4 && window <= 15 && lookahead >= 3 && lookahead < window;
            assert_int_equal(ota_heatshrink_begin(&heatshrink, &options),
                             is_good ? OTA_OK : OTA_ERR_ARGUMENT);
        }
    }
}

/* Where the size is known, a stream that is cut anywhere is too short, and one with more behind is
   refused at the first byte. */
static void test_known_size(void **state)
{
    static uint8_t data[2000];
    const uint32_t len = make_data(data, sizeof data, 11, 5);
    size_t from;

    (void)state;
    shrunk_begin(&shrunk, 11, 4);
    shrunk_data(&shrunk, data, len);
    from = shrunk_len(&shrunk);
    for (size_t cut = 0; cut < from; cut++) {
        assert_int_equal(run(len, cut, &whole), OTA_ERR_INCOMPLETE);
        assert_int_equal(heatshrink.failure.offset, cut);
    }
    memset(shrunk.bytes + from, 0, 10);
    for (size_t more = 1; more < 10; more++) {
        assert_int_equal(run(len, from + more, &whole), OTA_ERR_COMPRESSED_TRAILER);
        assert_int_equal(heatshrink.failure.offset, from);
        assert_int_equal(run(len, from + more, &bytes), OTA_ERR_COMPRESSED_TRAILER);
        assert_int_equal(heatshrink.failure.offset, from);
    }
    /* Any smaller size is passed, or leaves bytes behind. */
    for (uint32_t size = 0; size < len; size++) {
        const enum ota_err err = run(size, from, &whole);
        assert_true(err == OTA_ERR_COMPRESSED_DATA || err == OTA_ERR_COMPRESSED_TRAILER);
        assert_true(store.len <= size);
    }
}

/* The bits that fill the last byte are zeros. */
static void test_filling(void **state)
{
    (void)state;
    for (unsigned literals = 1; literals < 8; literals++) {
        shrunk_begin(&shrunk, 4, 3);
        for (unsigned i = 0; i < literals; i++) {
            shrunk_literal(&shrunk, 'x');
        }
        expect((const uint8_t *)"xxxxxxx", literals);
        for (unsigned bit = 0; bit < 8 - literals; bit++) {
            shrunk.bytes[literals] ^= (uint8_t)(1u << bit);
            assert_int_equal(run(literals, literals + 1, &whole), OTA_ERR_COMPRESSED_DATA);
            assert_int_equal(run(OTA_SIZE_UNKNOWN, literals + 1, &whole), OTA_ERR_INCOMPLETE);
            shrunk.bytes[literals] ^= (uint8_t)(1u << bit);
        }
        /* A byte of zeros is no filling: it is the beginning of a copy, or a copy and a rest. */
        shrunk.bytes[literals + 1] = 0;
        const enum ota_err err = run(OTA_SIZE_UNKNOWN, literals + 2, &whole);
        assert_true(err == OTA_OK && store.len == literals + 1);
    }
}

/* As many zeros as a byte has are no filling. */
static void test_too_much_filling(void **state)
{
    (void)state;
    for (unsigned window = 4; window <= 15; window++) {
        shrunk_begin(&shrunk, window, 3);
        for (unsigned i = 0; i < 8; i++) {
            shrunk_literal(&shrunk, 'x');
        }
        shrunk.bytes[9] = 0;
        assert_int_equal(run(OTA_SIZE_UNKNOWN, 10, &whole),
                         window == 4 ? OTA_OK : OTA_ERR_INCOMPLETE);
        assert_int_equal(heatshrink.recent.produced, window == 4 ? 9 : 8); /* a copy of one byte */
    }
}

/* Where the size is not known, a cut shows when what is left is more than filling. */
static void test_cut_of_unknown_size(void **state)
{
    unsigned seen = 0;
    size_t from;

    (void)state;
    shrunk_begin(&shrunk, 15, 14);
    for (unsigned i = 0; i < 300; i++) {
        shrunk_literal(&shrunk, (uint8_t)i);
        shrunk_copy(&shrunk, 1 + i, 1 + i);
    }
    from = shrunk_len(&shrunk);
    for (size_t cut = 1; cut < from; cut++) {
        const enum ota_err err = run(OTA_SIZE_UNKNOWN, cut, &bytes);
        assert_true(err == OTA_ERR_INCOMPLETE || err == OTA_OK);
        seen += err == OTA_ERR_INCOMPLETE;
    }
    assert_true(seen > from / 2);
}

static void test_limit_anywhere(void **state)
{
    static uint8_t data[6000];
    const uint32_t len = make_data(data, sizeof data, 13, 7);

    (void)state;
    shrunk_begin(&shrunk, 13, 8);
    shrunk_data(&shrunk, data, len);
    for (store.limit = 0; store.limit < len; store.limit += 1 + store.limit / 50) {
        assert_int_equal(run(OTA_SIZE_UNKNOWN, shrunk_len(&shrunk), &whole), OTA_ERR_TOO_LARGE);
        const struct ota_failure failure = heatshrink.failure;
        assert_true(store.len <= store.limit);
        assert_memory_equal(store.bytes, data, store.len);
        assert_int_equal(run(OTA_SIZE_UNKNOWN, shrunk_len(&shrunk), &bytes), OTA_ERR_TOO_LARGE);
        assert_int_equal(heatshrink.failure.offset, failure.offset);
    }
    /* Zeros from before the beginning count too. */
    store.limit = 3000;
    shrunk_begin(&shrunk, 13, 12);
    shrunk_copy(&shrunk, 8192, 4096);
    shrunk_copy(&shrunk, 8192, 4096);
    assert_int_equal(run(OTA_SIZE_UNKNOWN, shrunk_len(&shrunk), &whole), OTA_ERR_TOO_LARGE);
    assert_int_equal(store.len, 2048);
}

static void test_history_that_fails(void **state)
{
    (void)state;
    shrunk_begin(&shrunk, 12, 8);
    for (unsigned i = 0; i < 3000; i++) {
        shrunk_literal(&shrunk, (uint8_t)i);
    }
    shrunk_copy(&shrunk, 2000, 200);
    const struct ota_heatshrink_options options = {&store.sink, &store.history, 12, 8,
                                                   OTA_SIZE_UNKNOWN};
    assert_int_equal(ota_heatshrink_begin(&heatshrink, &options), OTA_OK);
    store.failing_read = 1;
    assert_int_equal(feed(&heatshrink.sink, shrunk.bytes, shrunk_len(&shrunk), &whole),
                     OTA_ERR_FLASH_READ);
    assert_int_equal(store.finished, 0);
}

static void test_four_gigabytes(void **state)
{
    (void)state;
    shrunk_begin(&shrunk, 12, 11);
    for (unsigned i = 0; i < 10; i++) {
        shrunk_copy(&shrunk, 1, 2048);
    }
    const struct ota_heatshrink_options options = {&store.sink, &store.history, 12, 11,
                                                   OTA_SIZE_UNKNOWN};
    assert_int_equal(ota_heatshrink_begin(&heatshrink, &options), OTA_OK);
    heatshrink.recent.produced = heatshrink.recent.given = UINT32_MAX - 5000;
    const enum ota_err err = feed(&heatshrink.sink, shrunk.bytes, shrunk_len(&shrunk), &whole);
    assert_true(err == OTA_ERR_TOO_LARGE || err == OTA_ERR_COMPRESSED_DATA);
}

static void test_finish_and_abort(void **state)
{
    const struct ota_heatshrink_options options = {&store.sink, &store.history, 12, 11, 1};

    (void)state;
    shrunk_begin(&shrunk, 12, 11);
    shrunk_literal(&shrunk, 'x');
    assert_int_equal(ota_heatshrink_begin(&heatshrink, &options), OTA_OK);
    store.finish_answer = OTA_ERR_DIGEST;
    assert_int_equal(feed(&heatshrink.sink, shrunk.bytes, 2, &whole), OTA_ERR_DIGEST);
    assert_int_equal(heatshrink.failure.offset, 2);
    /* The last of it does not fit. */
    store_clear(&store);
    store.limit = 0;
    assert_int_equal(ota_heatshrink_begin(&heatshrink, &options), OTA_OK);
    assert_int_equal(feed(&heatshrink.sink, shrunk.bytes, 2, &whole), OTA_ERR_TOO_LARGE);
    store_clear(&store);
    assert_int_equal(ota_heatshrink_begin(&heatshrink, &options), OTA_OK);
    heatshrink.sink.abort(&heatshrink.sink);
    heatshrink.sink.abort(&heatshrink.sink);
    assert_int_equal(store.aborted, 2);
    assert_int_equal(heatshrink.sink.write(&heatshrink.sink, "x", 1), OTA_ERR_STATE);
    assert_int_equal(heatshrink.sink.finish(&heatshrink.sink), OTA_ERR_STATE);
}

int main(void)
{
#define FRESH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        FRESH(test_known_answer),
        FRESH(test_every_pair_of_parameters),
        FRESH(test_copies),
        FRESH(test_zeros_before_the_beginning),
        FRESH(test_nothing),
        FRESH(test_cut_in_two_anywhere),
        FRESH(test_parameters),
        FRESH(test_known_size),
        FRESH(test_filling),
        FRESH(test_too_much_filling),
        FRESH(test_cut_of_unknown_size),
        FRESH(test_limit_anywhere),
        FRESH(test_history_that_fails),
        FRESH(test_four_gigabytes),
        FRESH(test_finish_and_abort),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
