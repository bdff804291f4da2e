/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP pull: broken lines, waits and time limits. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "proto/pull_bench.h"

static void test_every_break_is_tried_again(void **state)
{
    struct bench *bench = *state;
    static const enum ota_err breaks[] = {OTA_ERR_CONNECT, OTA_ERR_CONNECTION_LOST,
                                          OTA_ERR_TIMEOUT};

    /* No connection at all. */
    for (size_t i = 0; i < sizeof breaks / sizeof *breaks; i++) {
        bench_begin(bench);
        for (unsigned try = 0; try < OTA_PULL_RETRIES; try++) {
            ota_pull_closed(&bench->pull, breaks[i]);
            assert_int_equal(bench->pull.retries, try + 1);
            bench_wait_out(bench);
        }
        ota_pull_closed(&bench->pull, breaks[i]);
        bench_assert_failed(bench, breaks[i]);
    }
    bench->options.no_retry = true;
    bench_begin(bench);
    ota_pull_closed(&bench->pull, OTA_OK);
    bench_assert_failed(bench, OTA_ERR_CONNECT);
}

static void test_progress_earns_new_tries(void **state)
{
    struct bench *bench = *state;
    char head[512];

    bench->options.retry_limit = 1;
    bench_begin(bench);
    for (size_t received = 1000; received <= 5000; received += 1000) {
        bench_answer(bench, bench_whole(bench, head), bench->image, received);
        bench_close_connection(bench);
        bench_wait_out(bench);
        memset(bench->ram.memory + RAM_OTA_0, 0xFF,
               RAM_SLOT_SIZE); /* no journal: always from the start */
    }
    bench_answer(bench, bench_whole(bench, head), bench->image, 5000);
    bench_close_connection(bench);
    bench_assert_failed(bench, OTA_ERR_INCOMPLETE);
    assert_int_equal(bench->pull.failure.offset, 5000);
}

static void test_waits_grow_and_differ(void **state)
{
    struct bench *bench = *state;
    bool differ = false;
    uint32_t first = 0;

    bench->options.retry_limit = 20;
    for (uint32_t seed = 0; seed < 10; seed++) {
        uint32_t full = OTA_PULL_BACKOFF_MS;
        bench->options.random = seed * 0x9E3779B9u;
        bench_begin(bench);
        for (unsigned i = 0; i < 20; i++) {
            ota_pull_closed(&bench->pull, OTA_ERR_CONNECT);
            assert_in_range(bench->pull.wait_ms, full / 2, full);
            differ = differ || (i == 0 && seed > 0 && bench->pull.wait_ms != first);
            first = i == 0 ? bench->pull.wait_ms : first;
            bench_wait_out(bench);
            full = 2 * full < OTA_PULL_BACKOFF_MAX_MS ? 2 * full : OTA_PULL_BACKOFF_MAX_MS;
        }
    }
    assert_true(differ);
}

static void test_retry_after(void **state)
{
    struct bench *bench = *state;
    static const struct {
        const char *value;
        uint32_t seconds;
    } cases[] = {
        {"120", 120}, {"3600", 3600}, {"0", 0}, {"Wed, 21 Oct 2026 07:28:00 GMT", 0}, {"-5", 0}};

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char head[256];
        bench_begin(bench);
        bench_format(head, sizeof head, "HTTP/1.1 503 Busy\r\nRetry-After: %s\r\n\r\n",
                     cases[i].value);
        bench_answer(bench, head, NULL, 0);
        assert_in_range(bench->pull.wait_ms, cases[i].seconds * 1000 + 1,
                        cases[i].seconds * 1000 + OTA_PULL_BACKOFF_MS);
        bench_wait_out(bench);
        /* It counts once. */
        ota_pull_closed(&bench->pull, OTA_ERR_CONNECT);
        assert_in_range(bench->pull.wait_ms, 1, 2 * OTA_PULL_BACKOFF_MS);
    }
    bench_begin(bench);
    bench_answer(bench, "HTTP/1.1 429 Slowly\r\nRetry-After: 3601\r\n\r\n", NULL, 0);
    bench_assert_failed(bench, OTA_ERR_HTTP_STATUS);
}

static void test_time_outs(void **state)
{
    struct bench *bench = *state;
    char head[512];

    bench_begin(bench);
    ota_pull_tick(&bench->pull, bench->now + OTA_PULL_CONNECT_TIMEOUT_MS - 1);
    assert_int_equal(bench->pull.state, OTA_PULL_CONNECTING);
    ota_pull_tick(&bench->pull, bench->now + OTA_PULL_CONNECT_TIMEOUT_MS);
    assert_int_equal(bench->pull.state, OTA_PULL_WAITING);
    assert_int_equal(bench->pull.failure.err, OTA_ERR_TIMEOUT);

    bench_begin(bench);
    ota_pull_connected(&bench->pull);
    ota_pull_tick(&bench->pull, bench->now + OTA_HTTP_HEAD_TIMEOUT_MS);
    assert_int_equal(bench->pull.state, OTA_PULL_WAITING);

    bench_begin(bench);
    bench_answer(bench, bench_whole(bench, head), bench->image, 5000);
    ota_pull_tick(&bench->pull, bench->now + OTA_HTTP_BODY_TIMEOUT_MS - 1);
    assert_int_equal(bench->pull.state, OTA_PULL_EXCHANGING);
    assert_int_equal(ota_pull_wait_ms(&bench->pull), 1);
    ota_pull_tick(&bench->pull, bench->now + OTA_HTTP_BODY_TIMEOUT_MS);
    assert_int_equal(bench->pull.state, OTA_PULL_WAITING);
    assert_int_equal(bench->pull.failure.err, OTA_ERR_TIMEOUT);
    assert_int_equal(bench->pull.failure.offset, 5000);
    assert_int_equal(bench->update.state, OTA_UPDATE_IDLE);
}

static void test_stopping_at_any_point(void **state)
{
    struct bench *bench = *state;
    char head[512];

    bench_begin(bench);
    ota_pull_stop(&bench->pull);
    bench_assert_failed(bench, OTA_ERR_ABORTED);
    bench_begin(bench);
    bench_answer(bench, bench_whole(bench, head), bench->image, 9000);
    ota_pull_stop(&bench->pull);
    bench_assert_failed(bench, OTA_ERR_ABORTED);
    ota_pull_stop(&bench->pull);
    ota_pull_tick(&bench->pull, bench->now + 1000000);
    bench_assert_failed(bench, OTA_ERR_ABORTED);
    bench_begin(bench);
    bench_answer(bench, bench_whole(bench, head), bench->image, bench->image_len);
    bench_close_connection(bench);
    ota_pull_stop(&bench->pull);
    bench_assert_updated(bench);
}

#define TEST(function) cmocka_unit_test_setup(function, bench_fresh)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_every_break_is_tried_again),
        TEST(test_progress_earns_new_tries),
        TEST(test_waits_grow_and_differ),
        TEST(test_retry_after),
        TEST(test_time_outs),
        TEST(test_stopping_at_any_point),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
