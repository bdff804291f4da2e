/* SPDX-License-Identifier: Apache-2.0 */
/* The container of gzip: header, end, what follows; that nothing depends on how the input is
   cut. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <zlib.h>

#include <updraft/gunzip.h>

#include "decode/crc32_words.h"
#include "decode/deflate_writer.h"
#include "decode/store.h"
#include "support/images.h"

#define TEXT "a text, a text, and the same text again"
#define TEXT_LEN (sizeof TEXT - 1)

static struct store store;
static struct ota_gunzip gunzip;

static int set_up(void **state)
{
    (void)state;
    store_init(&store, 100000);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    store_free(&store);
    return 0;
}

static enum ota_err run(const struct ota_gunzip_options *more, const uint8_t *file, size_t len,
                        const struct cuts *cuts)
{
    struct ota_gunzip_options options = *more;

    store_clear(&store);
    options.next = &store.sink;
    options.history = &store.history;
    ota_gunzip_begin(&gunzip, &options);
    return feed(&gunzip.sink, file, len, cuts);
}

static const struct ota_gunzip_options usual = {.allow_trailer = false};
static const struct ota_gunzip_options lenient = {.allow_trailer = true};

/* Whole, in every two pieces, and byte by byte. */
static void expect_text(const uint8_t *file, size_t len)
{
    for (size_t cut = 0; cut <= len + 1; cut++) {
        const struct cuts cuts = {cut <= len ? cut : 1, cut <= len ? len : 1, 0};
        assert_int_equal(run(&usual, file, len, &cuts), OTA_OK);
        assert_int_equal(store.len, TEXT_LEN);
        assert_memory_equal(store.bytes, TEXT, TEXT_LEN);
        assert_int_equal(store.finished, 1);
        assert_int_equal(gunzip.taken, len);
        assert_int_equal(gunzip.trailer, 0);
    }
}

static void expect_failure(const uint8_t *file, size_t len, enum ota_err err, uint32_t offset)
{
    for (size_t cut = 0; cut <= len + 1; cut++) {
        const struct cuts cuts = {cut <= len ? cut : 1, cut <= len ? len : 1, 0};
        assert_int_equal(run(&usual, file, len, &cuts), err);
        assert_int_equal(gunzip.failure.err, err);
        assert_int_equal(gunzip.failure.offset, offset);
        assert_int_equal(store.finished, 0);
    }
}

/* ---- The header ------------------------------------------------------------------------------ */

enum field {
    TEXT_FLAG = 1,
    HEAD_SUM = 2,
    EXTRA = 4,
    NAME = 8,
    COMMENT = 16,
};

static size_t put_string(uint8_t *file, size_t len, const char *text)
{
    memcpy(file + len, text, strlen(text) + 1);
    return len + strlen(text) + 1;
}

/* Makes a file with those fields. Returns its length, and that of its header. */
static size_t make_file(uint8_t *file, unsigned fields, unsigned extra, size_t *header)
{
    static struct deflate stream;
    struct prefix_code literals, distances;
    uint8_t rest[256];
    size_t at = 10, len;

    memset(&stream, 0, sizeof stream);
    prefix_code_fixed(&literals, &distances);
    deflate_fixed(&stream, true);
    for (size_t i = 0; i < TEXT_LEN; i++) {
        deflate_symbol(&stream, &literals, (uint8_t)TEXT[i]);
    }
    deflate_symbol(&stream, &literals, 256);
    len = gzip_wrap(rest, &stream, TEXT, TEXT_LEN) - 10;
    memcpy(file, rest, 10);
    file[3] = (uint8_t)fields;
    if ((fields & EXTRA) != 0) {
        file[at++] = (uint8_t)extra;
        file[at++] = (uint8_t)(extra >> 8);
        memset(file + at, 0, extra);
        at += extra;
    }
    at = (fields & NAME) != 0 ? put_string(file, at, "firmware.bin") : at;
    at = (fields & COMMENT) != 0 ? put_string(file, at, "") : at;
    if ((fields & HEAD_SUM) != 0) {
        uint32_t sum = (uint32_t)crc32(0, file, (uInt)at);
        file[at++] = (uint8_t)sum;
        file[at++] = (uint8_t)(sum >> 8);
    }
    memcpy(file + at, rest + 10, len);
    *header = at;
    return at + len;
}

static void test_every_set_of_fields(void **state)
{
    static const unsigned extras[] = {0, 1, 255, 256, 700};
    uint8_t file[2048];
    size_t header;

    (void)state;
    for (unsigned fields = 0; fields < 32; fields++) {
        for (size_t i = 0; i < sizeof extras / sizeof *extras; i++) {
            if (i == 0 || (fields & EXTRA) != 0) {
                expect_text(file, make_file(file, fields, extras[i], &header));
            }
        }
    }
}

static void test_longest_extra_field(void **state)
{
    static uint8_t file[66000];
    const struct cuts cuts = {10, 0, 1};
    size_t header, len = make_file(file, EXTRA | HEAD_SUM, 65535, &header);

    (void)state;
    assert_int_equal(run(&usual, file, len, &cuts), OTA_OK);
    assert_int_equal(store.len, TEXT_LEN);
}

static void test_what_is_no_gzip(void **state)
{
    uint8_t file[2048];
    size_t header, len = make_file(file, 0, 0, &header);

    (void)state;
    for (unsigned at = 0; at < 3; at++) {
        file[at] ^= 1;
        expect_failure(file, len, OTA_ERR_COMPRESSION, at);
        file[at] ^= 1;
    }
    for (unsigned bit = 0x20; bit <= 0x80; bit <<= 1) {
        file[3] = (uint8_t)bit;
        expect_failure(file, len, OTA_ERR_COMPRESSION, 3);
    }
}

static void test_magic(void **state)
{
    (void)state;
    assert_true(ota_is_gzip("\x1F\x8B\x08", 3));
    assert_true(ota_is_gzip("\x1F\x8B", 2));
    assert_false(ota_is_gzip("\x1F\x8B", 1));
    assert_false(ota_is_gzip("", 0));
    assert_false(ota_is_gzip("\xE9\x8B", 2));
    assert_false(ota_is_gzip("\x1F\x8C", 2));
}

/* Each bit of the header that is summed. Those of the extra field's length and of the flags change
   what the rest means, and what is said then is another matter: it is not "well". */
static void test_header_sum(void **state)
{
    const struct cuts whole = {SIZE_MAX, 1, 0};
    uint8_t file[2048];
    size_t header, len = make_file(file, 31, 20, &header);

    (void)state;
    for (size_t bit = 0; bit < 8 * header; bit++) {
        const size_t at = bit / 8;
        file[at] ^= (uint8_t)(1u << bit % 8);
        assert_int_not_equal(run(&usual, file, len, &whole), OTA_OK);
        if ((at > 3 && at < 10) || (at >= 12 && at < 32)) {
            assert_int_equal(gunzip.failure.err, OTA_ERR_COMPRESSED_SUM);
            assert_int_equal(gunzip.failure.offset, header - 1);
        }
        file[at] ^= (uint8_t)(1u << bit % 8);
    }
    file[header - 1] ^= 0x80;
    expect_failure(file, len, OTA_ERR_COMPRESSED_SUM, (uint32_t)header - 1);
}

/* ---- The end --------------------------------------------------------------------------------- */

static void test_sum_and_length(void **state)
{
    uint8_t file[2048];
    size_t header, len = make_file(file, 0, 0, &header);

    (void)state;
    for (size_t at = len - 8; at < len; at++) {
        file[at] ^= 0x40;
        /* Seen at the last byte of the number. */
        expect_failure(file, len, OTA_ERR_COMPRESSED_SUM,
                       (uint32_t)(at < len - 4 ? len - 5 : len - 1));
        file[at] ^= 0x40;
    }
}

static void test_cut_anywhere(void **state)
{
    uint8_t file[2048];
    size_t header, len = make_file(file, 31, 9, &header);

    (void)state;
    for (size_t cut = 0; cut < len; cut++) {
        const struct cuts whole = {cut, 1, 0};
        assert_int_equal(run(&usual, file, cut, &whole), OTA_ERR_INCOMPLETE);
        assert_in_range(gunzip.failure.offset, cut < 8 ? 0 : cut - 8, cut);
        assert_int_equal(gunzip.taken, cut);
        assert_int_equal(store.finished, 0);
    }
}

static void test_what_follows(void **state)
{
    uint8_t file[2048];
    size_t header, len = make_file(file, 0, 0, &header);

    (void)state;
    memcpy(file + len, file, len); /* a second member is a trailer too */
    for (size_t more = 1; more <= len; more++) {
        expect_failure(file, len + more, OTA_ERR_COMPRESSED_TRAILER, (uint32_t)len);
        for (size_t cut = 0; cut <= len + more; cut++) {
            const struct cuts cuts = {cut, len + more, 0};
            assert_int_equal(run(&lenient, file, len + more, &cuts), OTA_OK);
            assert_int_equal(store.len, TEXT_LEN);
            assert_int_equal(gunzip.trailer, more);
            assert_int_equal(gunzip.taken, len + more);
        }
    }
}

static void test_most_that_may_come(void **state)
{
    uint8_t file[2048];
    size_t header, len = make_file(file, EXTRA, 100, &header);

    (void)state;
    memset(file + len, 0, 50);
    for (size_t step = 1; step < 200; step += 7) {
        const struct cuts cuts = {step, step, 0};
        for (size_t most = 1; most < len + 50; most++) {
            const struct ota_gunzip_options options = {.allow_trailer = true,
                                                       .max_size = (uint32_t)most};
            assert_int_equal(run(&options, file, len + 50, &cuts), OTA_ERR_TOO_LARGE);
            assert_int_equal(gunzip.taken, most);
            assert_int_equal(run(&options, file, most, &cuts),
                             most < len ? OTA_ERR_INCOMPLETE : OTA_OK);
        }
    }
}

/* ---- The next sink --------------------------------------------------------------------------- */

#define BIG 20000u

/* Data of which parts come again from near and far, and what a compressor makes of it. */
static size_t make_big(uint8_t *data, uint8_t *file, size_t capacity, int level)
{
    z_stream stream = {.next_in = data, .avail_in = BIG};

    for (uint32_t i = 0; i < BIG; i++) {
        const uint32_t far = noise(6, i / 100) % 20000;
        data[i] = far < i && i % 100 < 60 ? data[i - far] : (uint8_t)noise(7, i);
    }
    assert_int_equal(deflateInit2(&stream, level, Z_DEFLATED, 31, 9, Z_DEFAULT_STRATEGY), Z_OK);
    stream.next_out = file;
    stream.avail_out = (uInt)capacity;
    assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
    assert_int_equal(deflateEnd(&stream), Z_OK);
    return stream.total_out;
}

static void test_cut_in_two_anywhere(void **state)
{
    static uint8_t data[BIG], file[2 * BIG];

    (void)state;
    for (int level = 0; level < 10; level += 3) {
        const size_t len = make_big(data, file, sizeof file, level);
        for (size_t cut = 0; cut <= len; cut += 1 + len / 2000) {
            const struct cuts cuts = {cut, len, 0};
            assert_int_equal(run(&usual, file, len, &cuts), OTA_OK);
            assert_int_equal(store.len, BIG);
            assert_memory_equal(store.bytes, data, BIG);
        }
    }
}

/* The slot is full after any number of bytes: what came before lies there as it is, no byte more is
   written, and the place is the same however the input is cut. */
static void test_limit_anywhere(void **state)
{
    static uint8_t data[BIG], file[2 * BIG];

    (void)state;
    for (int level = 0; level <= 9; level += 9) {
        const size_t len = make_big(data, file, sizeof file, level);
        const struct cuts whole = {len, len, 0}, bytes = {1, 1, 0};
        for (store.limit = 0; store.limit < BIG; store.limit += 1 + store.limit / 50) {
            assert_int_equal(run(&usual, file, len, &whole), OTA_ERR_TOO_LARGE);
            const struct ota_failure failure = gunzip.failure;
            assert_true(store.len <= store.limit && store.len + OTA_RECENT_SIZE > store.limit);
            assert_memory_equal(store.bytes, data, store.len);
            assert_int_equal(run(&usual, file, len, &bytes), OTA_ERR_TOO_LARGE);
            assert_int_equal(gunzip.failure.offset, failure.offset);
        }
        store.limit = BIG;
        assert_int_equal(run(&usual, file, len, &whole), OTA_OK);
    }
}

/* 1 GB of zeros in 1 MB: a slot of 100,000 bytes is full after a hundred of them or two. */
static void test_bomb(void **state)
{
    static uint8_t file[1100000], zeros[65536];
    const struct cuts whole = {SIZE_MAX, 1, 0};
    z_stream stream = {.next_out = file, .avail_out = sizeof file};
    size_t len;

    (void)state;
    assert_int_equal(deflateInit2(&stream, 9, Z_DEFLATED, 31, 9, Z_DEFAULT_STRATEGY), Z_OK);
    for (uint32_t i = 0; i < 1u << 14; i++) {
        stream.next_in = zeros;
        stream.avail_in = sizeof zeros;
        assert_int_equal(deflate(&stream, Z_NO_FLUSH), Z_OK);
    }
    assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
    len = stream.total_out;
    assert_int_equal(deflateEnd(&stream), Z_OK);
    assert_in_range(len, 1000000, 1100000);
    assert_int_equal(run(&usual, file, len, &whole), OTA_ERR_TOO_LARGE);
    assert_in_range(store.len, 100000 - OTA_RECENT_SIZE, 100000);
    assert_true(gunzip.failure.offset < 200);
}

static void test_finish_that_fails(void **state)
{
    uint8_t file[2048];
    size_t header, len = make_file(file, 0, 0, &header);
    const struct ota_gunzip_options options = {.next = &store.sink, .history = &store.history};

    (void)state;
    store.finish_answer = OTA_ERR_DIGEST;
    ota_gunzip_begin(&gunzip, &options);
    assert_int_equal(feed(&gunzip.sink, file, len, &(struct cuts){len, len, 0}), OTA_ERR_DIGEST);
    assert_int_equal(gunzip.failure.offset, len);
    assert_int_equal(store.finished, 1);
}

static void test_abort(void **state)
{
    uint8_t file[2048];
    size_t header, len = make_file(file, 0, 0, &header);
    const struct ota_gunzip_options options = {.next = &store.sink, .history = &store.history};

    (void)state;
    for (size_t cut = 0; cut <= len; cut++) {
        store_clear(&store);
        ota_gunzip_begin(&gunzip, &options);
        assert_int_equal(gunzip.sink.write(&gunzip.sink, file, cut), OTA_OK);
        gunzip.sink.abort(&gunzip.sink);
        gunzip.sink.abort(&gunzip.sink);
        assert_int_equal(store.aborted, 2);
        assert_int_equal(gunzip.sink.write(&gunzip.sink, file, 1), OTA_ERR_STATE);
        assert_int_equal(gunzip.sink.finish(&gunzip.sink), OTA_ERR_STATE);
        assert_int_equal(store.finished, 0);
    }
}

/* ---- Checksums ------------------------------------------------------------------------------- */

static unsigned calls;

static uint32_t counting_crc32(uint32_t crc, const void *data, size_t len)
{
    calls++;
    return (uint32_t)crc32(crc, data, (uInt)len);
}

static void test_checksum_of_the_callers(void **state)
{
    const struct ota_gunzip_options options = {.crc32 = counting_crc32};
    uint8_t file[2048];
    size_t header, len = make_file(file, HEAD_SUM, 0, &header);

    (void)state;
    calls = 0;
    assert_int_equal(run(&options, file, len, &(struct cuts){len, len, 0}), OTA_OK);
    assert_true(calls > 0);
}

/* The one for words gives what zlib's does, for every length, from every place and in two parts. */
static void test_crc32_words(void **state)
{
    uint8_t data[80];

    (void)state;
    for (size_t i = 0; i < sizeof data; i++) {
        data[i] = (uint8_t)noise(8, i);
    }
    for (size_t from = 0; from < 8; from++) {
        for (size_t len = 0; len <= sizeof data - from; len++) {
            const uint32_t first = ota__crc32_words(0, data + from, len / 3);
            assert_int_equal(ota__crc32_words(first, data + from + len / 3, len - len / 3),
                             crc32(0, data + from, (uInt)len));
        }
    }
    /* Each entry of its table: one nibble at each of eight places. */
    for (unsigned nibble = 0; nibble < 128; nibble++) {
        const uint32_t word = (nibble & 15) << 4 * (nibble >> 4);
        const uint8_t bytes[4] = {(uint8_t)word, (uint8_t)(word >> 8), (uint8_t)(word >> 16),
                                  (uint8_t)(word >> 24)};
        assert_int_equal(ota__crc32_words(UINT32_MAX, bytes, 4), crc32(UINT32_MAX, bytes, 4));
    }
}

static void test_size(void **state)
{
    (void)state;
    print_message("struct ota_gunzip: %zu bytes\n", sizeof(struct ota_gunzip));
    assert_true(sizeof(struct ota_gunzip) <= 4096);
}

int main(void)
{
#define FRESH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        FRESH(test_every_set_of_fields),
        FRESH(test_longest_extra_field),
        FRESH(test_what_is_no_gzip),
        FRESH(test_magic),
        FRESH(test_header_sum),
        FRESH(test_sum_and_length),
        FRESH(test_cut_anywhere),
        FRESH(test_what_follows),
        FRESH(test_most_that_may_come),
        FRESH(test_cut_in_two_anywhere),
        FRESH(test_limit_anywhere),
        FRESH(test_bomb),
        FRESH(test_finish_that_fails),
        FRESH(test_abort),
        FRESH(test_checksum_of_the_callers),
        FRESH(test_crc32_words),
        FRESH(test_size),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
