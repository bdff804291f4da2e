/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP pull: interrupted updates, and which answers they go on with. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "proto/pull_bench.h"

static void test_the_rest_is_asked_for_and_taken(void **state)
{
    struct bench *bench = *state;

    for (const char *kind = "msbe"; *kind != '\0'; kind++) {
        for (size_t received = 8192; received < bench->image_len; received += 3001) {
            char head[512], line[256];
            bench_interrupt(bench, *kind, received);
            size_t start = bench_connect_for_rest(bench);
            assert_true(start <= received);
            assert_int_equal(strstr(bench->request, "\r\nIf-Range: \"tag-1\"\r\n") != NULL,
                             *kind == 'e');
            bench_format(head, sizeof head,
                         "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes %zu-%zu/%zu\r\n"
                         "Content-Length: %zu\r\n%s\r\n",
                         start, bench->image_len - 1, bench->image_len, bench->image_len - start,
                         bench_identity_lines(bench, *kind, false, line));
            bench_feed(bench, head, strlen(head), received % 3);
            bench_feed(bench, bench->image + start, bench->image_len - start, 1000);
            bench_close_connection(bench);
            assert_string_equal(bench->events, "RS");
            bench_assert_updated(bench);
            memset(bench->ram.memory + RAM_OTA_0, 0xFF, RAM_SLOT_SIZE);
        }
    }
}

static void test_the_rest_may_come_in_chunks(void **state)
{
    struct bench *bench = *state;
    char head[512], line[256];

    for (int missing = 0; missing < 2; missing++) {
        bench_interrupt(bench, 'm', 12288);
        size_t start = bench_connect_for_rest(bench);
        size_t rest = bench->image_len - start - (size_t)missing;
        bench_format(head, sizeof head,
                     "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes %zu-%zu/%zu\r\n"
                     "Transfer-Encoding: chunked\r\n%s\r\n%zx\r\n",
                     start, bench->image_len - 1, bench->image_len,
                     bench_identity_lines(bench, 'm', false, line), rest);
        bench_feed(bench, head, strlen(head), 0);
        bench_feed(bench, bench->image + start, rest, 0);
        bench_feed(bench, "\r\n0\r\n\r\n", 7, 0);
        bench_close_connection(bench);
        if (missing == 0) {
            bench_assert_updated(bench);
            memset(bench->ram.memory + RAM_OTA_0, 0xFF, RAM_SLOT_SIZE);
        } else {
            assert_int_equal(bench->pull.state, OTA_PULL_WAITING);
            assert_int_equal(bench->pull.failure.err, OTA_ERR_INCOMPLETE);
        }
    }
}

/* Servers may cap the length of a range: what is left is then asked for as after a break. */
static void test_the_rest_may_come_in_parts(void **state)
{
    struct bench *bench = *state;
    char head[512], line[256];

    bench_interrupt(bench, 'm', 9000);
    while (bench->pull.state != OTA_PULL_DONE) {
        size_t start = bench_connect_for_rest(bench);
        size_t end = start + 5000 < bench->image_len ? start + 5000 : bench->image_len;
        bench_format(
            head, sizeof head,
            "HTTP/1.1 206 Part\r\nContent-Range: bytes %zu-%zu/%zu\r\nContent-Length: %zu\r\n"
            "%s\r\n",
            start, end - 1, bench->image_len, end - start,
            bench_identity_lines(bench, 'm', false, line));
        bench_feed(bench, head, strlen(head), 0);
        bench_feed(bench, bench->image + start, end - start, 0);
        bench_close_connection(bench);
        if (end < bench->image_len) {
            bench_wait_out(bench);
        }
    }
    bench_assert_updated(bench);
}

/* Answers to a range request that must not be taken for the rest: %s start, end, total, length. */
static void test_what_is_not_the_rest(void **state)
{
    struct bench *bench = *state;
    static const struct {
        const char *name;
        const char *status;
        long start, end, total, length; /* added to the right value */
        char kind;                      /* of the identity in the answer */
        bool other;
        const char *range; /* instead of the numbers */
    } cases[] = {
        {"wrong start", "206", -1, 0, 0, 0, 'm', false, NULL},
        {"start 0", "206", -100000, 0, 0, 0, 'm', false, NULL},
        {"later start", "206", 4096, 0, 0, -4096, 'm', false, NULL},
        {"early end", "206", 0, -1, 0, 0, 'm', false, NULL},
        {"late end", "206", 0, 1, 0, 0, 'm', false, NULL},
        {"larger total", "206", 0, 0, 1, 0, 'm', false, NULL},
        {"larger file", "206", 0, 1, 1, 1, 'm', false, NULL},
        {"wrong length", "206", 0, 0, 0, -1, 'm', false, NULL},
        {"another MD5", "206", 0, 0, 0, 0, 'm', true, NULL},
        {"no identity", "206", 0, 0, 0, 0, ' ', false, NULL},
        {"another kind", "206", 0, 0, 0, 0, 'e', false, NULL},
        {"no Content-Range", "206", 0, 0, 0, 0, 'm', false, ""},
        {"unknown total", "206", 0, 0, 0, 0, 'm', false, "Content-Range: bytes 4096-19999/*\r\n"},
        {"unsatisfied", "206", 0, 0, 0, 0, 'm', false, "Content-Range: bytes */20000\r\n"},
        {"other unit", "206", 0, 0, 0, 0, 'm', false, "Content-Range: lines 1-2/3\r\n"},
        {"no numbers", "206", 0, 0, 0, 0, 'm', false, "Content-Range: bytes\r\n"},
        {"beyond 32 bits", "206", 0, 0, 0, 0, 'm', false,
         "Content-Range: bytes 4294967296-1/1\r\n"},
        {"416", "416", 0, 0, 0, 0, 'm', false, "Content-Range: bytes */10\r\n"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char head[1024], line[256], range[128];
        bench_interrupt(bench, 'm', 16000);
        long start = (long)bench_connect_for_rest(bench);
        long first = cases[i].start == -100000 ? 0 : start + cases[i].start;
        long len = (long)bench->image_len;
        bench_format(range, sizeof range, "Content-Range: bytes %ld-%ld/%ld\r\n", first,
                     len - 1 + cases[i].end, len + cases[i].total);
        bench_format(head, sizeof head, "HTTP/1.1 %s X\r\n%sContent-Length: %ld\r\n%s\r\n",
                     cases[i].status, cases[i].range != NULL ? cases[i].range : range,
                     len - start + cases[i].length,
                     bench_identity_lines(bench, cases[i].kind, cases[i].other, line));
        bench_feed(bench, head, strlen(head), 0);
        bench_feed(bench, bench->image, 100, 0); /* never written: wrong bytes at any offset */
        if (bench->pull.state != OTA_PULL_CONNECTING) {
            print_message("%s\n", cases[i].name);
        }
        assert_string_equal(bench->events, "RA");
        bench_answer(bench, bench_whole(bench, head), bench->image, bench->image_len);
        assert_int_equal(bench_asked_range(bench), 0);
        bench_close_connection(bench);
        bench_assert_updated(bench);
        memset(bench->ram.memory + RAM_OTA_0, 0xFF, RAM_SLOT_SIZE);
    }
}

static void test_a_whole_answer_to_a_range_starts_at_0(void **state)
{
    struct bench *bench = *state;
    char head[512];

    /* The same image, from a server that knows no ranges. */
    bench_interrupt(bench, 'm', 16000);
    (void)bench_connect_for_rest(bench);
    bench_whole(bench, head);
    bench_feed(bench, head, strlen(head), 0);
    bench_feed(bench, bench->image, bench->image_len, 0);
    bench_close_connection(bench);
    bench_assert_updated(bench);

    /* Another image: the server has a newer one by now. Broken off again, it is that one's rest
       that is asked for. */
    memset(bench->ram.memory + RAM_OTA_0, 0xFF, RAM_SLOT_SIZE);
    bench_interrupt(bench, 'm', 16000);
    (void)bench_connect_for_rest(bench);
    bench_format(head, sizeof head, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\nx-MD5: %s\r\n\r\n",
                 bench->other_len, bench->other_md5);
    bench_feed(bench, head, strlen(head), 0);
    bench_feed(bench, bench->other, 9000, 0);
    ota_pull_closed(&bench->pull, OTA_ERR_CONNECTION_LOST);
    bench_wait_out(bench);
    size_t start = bench_connect_for_rest(bench);
    assert_true(start <= 9000);
    bench_format(head, sizeof head,
                 "HTTP/1.1 206 Rest\r\nContent-Range: bytes %zu-%zu/%zu\r\nx-MD5: %s\r\n"
                 "Content-Length: %zu\r\n\r\n",
                 start, bench->other_len - 1, bench->other_len, bench->other_md5,
                 bench->other_len - start);
    bench_feed(bench, head, strlen(head), 0);
    bench_feed(bench, bench->other + start, bench->other_len - start, 0);
    bench_close_connection(bench);
    assert_int_equal(bench->pull.result, OTA_PULL_UPDATED);
    assert_memory_equal(bench->ram.memory + RAM_OTA_0, bench->other, bench->other_len);
}

static void test_what_cannot_be_recognised_is_not_resumed(void **state)
{
    struct bench *bench = *state;

    for (const char *kind = " w"; *kind != '\0'; kind++) {
        bench_interrupt(bench, *kind, 16000);
        ota_pull_connected(&bench->pull);
        bench_take_request(bench);
        assert_int_equal(bench_asked_range(bench), 0);
        ota_pull_stop(&bench->pull);
    }
    /* Nor what the caller does not expect. */
    bench_interrupt(bench, 'm', 16000);
    ota_pull_stop(&bench->pull);
    bench->options.update_options.expected.algorithm = OTA_HASH_MD5;
    bench_begin(bench);
    ota_pull_connected(&bench->pull);
    bench_take_request(bench);
    assert_int_equal(bench_asked_range(bench), 0);
}

static void test_a_later_pull_goes_on(void **state)
{
    struct bench *bench = *state;

    bench_interrupt(bench, 's', 16000);
    ota_pull_stop(&bench->pull);
    bench_assert_failed(bench, OTA_ERR_ABORTED);
    memset(&bench->update, 0, sizeof bench->update); /* the power was cut */
    bench_begin(bench);
    size_t start = bench_connect_for_rest(bench);
    bench_feed_rest_head(bench, 's', start);
    bench_feed(bench, bench->image + start, bench->image_len - start, 0);
    bench_close_connection(bench);
    bench_assert_updated(bench);
}

/* The journal claims more than the flash holds: what comes does not belong there. */
static void test_flash_that_lost_what_the_journal_claims(void **state)
{
    struct bench *bench = *state;
    char head[512];

    bench_interrupt(bench, 'm', 16000);
    bench->ram.memory[RAM_OTA_0 + 1000] ^= 0xFF;
    size_t start = bench_connect_for_rest(bench);
    bench_feed_rest_head(bench, 'm', start);
    assert_string_equal(bench->events, "RA");
    bench_answer(bench, bench_whole(bench, head), bench->image, bench->image_len);
    assert_int_equal(bench_asked_range(bench), 0);
    bench_close_connection(bench);
    bench_assert_updated(bench);
}

static void test_a_rest_declined_is_kept_for_later(void **state)
{
    struct bench *bench = *state;
    char head[512], line[256];

    for (int declined = 1; declined >= 0; declined--) {
        if (declined) {
            bench_interrupt(bench, 'm', 16000);
        } else {
            bench_begin(bench);
        }
        bench->offer_answer = declined ? OTA_ERR_ABORTED : OTA_OK;
        size_t start = bench_connect_for_rest(bench);
        bench_format(head, sizeof head,
                     "HTTP/1.1 206 Rest\r\nContent-Range: bytes %zu-%zu/%zu\r\n"
                     "Content-Encoding: identity\r\n%s\r\n",
                     start, bench->image_len - 1, bench->image_len,
                     bench_identity_lines(bench, 'm', false, line));
        bench_feed(bench, head, strlen(head), 0);
        if (declined) {
            assert_int_equal(bench->pull.state, OTA_PULL_DONE);
            assert_int_equal(bench->pull.result, OTA_PULL_DECLINED);
            assert_int_equal(bench->pull.offer.offset, start);
        } else {
            ota_pull_connected(&bench->pull); /* out of turn: no effect */
            bench_feed(bench, bench->image + start, bench->image_len - start, 0);
            bench_close_connection(bench);
            bench_assert_updated(bench);
        }
    }
}

/* A tag in the journal that no header could carry, whoever wrote it there. */
static void test_a_tag_that_would_break_the_request(void **state)
{
    struct bench *bench = *state;
    struct ota_update_options options = bench->options.update_options;

    options.size = (uint32_t)bench->image_len;
    options.etag = "\"a\r\nEvil: yes\"";
    assert_int_equal(ota_update_begin(&bench->update, &options), OTA_OK);
    assert_int_equal(ota_update_write(&bench->update, bench->image, 16000), OTA_OK);
    ota_update_suspend(&bench->update);
    bench_begin(bench);
    ota_pull_connected(&bench->pull);
    bench_take_request(bench);
    assert_null(strstr(bench->request, "Evil"));
    assert_int_equal(bench_asked_range(bench), 0);
}

/* A rest that turns out wrong at the end: once more from the start, and then no more. */
static void test_a_rest_with_wrong_bytes(void **state)
{
    struct bench *bench = *state;
    char head[512];

    bench_interrupt(bench, 'm', 16000);
    size_t start = bench_connect_for_rest(bench);
    bench_feed_rest_head(bench, 'm', start);
    bench_feed(bench, bench->other + start, bench->image_len - start, 0);
    bench_close_connection(bench);
    assert_int_equal(bench->pull.state, OTA_PULL_WAITING);
    bench_wait_out(bench);
    bench_answer(bench, bench_whole(bench, head), bench->other, bench->image_len);
    assert_int_equal(bench_asked_range(bench), 0);
    bench_close_connection(bench);
    bench_assert_failed(bench, OTA_ERR_DIGEST);
}

#define TEST(function) cmocka_unit_test_setup(function, bench_fresh)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_the_rest_is_asked_for_and_taken),
        TEST(test_the_rest_may_come_in_chunks),
        TEST(test_the_rest_may_come_in_parts),
        TEST(test_what_is_not_the_rest),
        TEST(test_a_whole_answer_to_a_range_starts_at_0),
        TEST(test_what_cannot_be_recognised_is_not_resumed),
        TEST(test_a_later_pull_goes_on),
        TEST(test_flash_that_lost_what_the_journal_claims),
        TEST(test_a_rest_declined_is_kept_for_later),
        TEST(test_a_tag_that_would_break_the_request),
        TEST(test_a_rest_with_wrong_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
