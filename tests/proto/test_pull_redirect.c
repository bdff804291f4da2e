/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP pull: redirects, how many of them, and what the next server is told. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "proto/pull_bench.h"

static void test_a_redirect_on_the_same_host_keeps_the_headers(void **state)
{
    struct bench *bench = *state;
    char head[512];

    bench->options.url = "http://me:secret@server/a/b?c";
    bench_begin(bench);
    /* The digest is of the redirect's own body, not of the image. */
    bench_answer(bench,
                 "HTTP/1.0 302 Found\r\nLocation: ../d?e\r\n"
                 "x-MD5: d41d8cd98f00b204e9800998ecf8427e\r\n\r\n",
                 NULL, 0);
    assert_string_equal(bench->events, "D");
    assert_string_equal(bench->pull.host, "server");
    bench_answer(bench, bench_whole(bench, head), bench->image, bench->image_len);
    bench_close_connection(bench);
    assert_non_null(strstr(bench->request, "GET /d?e HTTP/1.1\r\nHost: server\r\n"));
    assert_non_null(strstr(bench->request, "Authorization: Basic bWU6c2VjcmV0\r\n"));
    assert_non_null(strstr(bench->request, "x-Updraft-version: 1.0.0\r\n"));
    bench_assert_updated(bench);
}

static void test_a_redirect_to_another_host_tells_it_nothing(void **state)
{
    struct bench *bench = *state;
    static const char *const elsewhere[] = {"http://other/file", "//other:80/file",
                                            "http://you:too@other/file"};
    char head[512];

    bench->options.url = "http://server/";
    bench->options.credentials = "me:secret";
    for (size_t i = 0; i < sizeof elsewhere / sizeof *elsewhere; i++) {
        bench_begin(bench);
        bench_answer(bench,
                     bench_format(head, sizeof head, "HTTP/1.1 307 Moved\r\nLocation: %s\r\n\r\n",
                                  elsewhere[i]),
                     NULL, 0);
        assert_non_null(strstr(bench->request, "Authorization: Basic bWU6c2VjcmV0\r\n"));
        assert_string_equal(bench->pull.host, "other");
        bench_answer(bench, bench_whole(bench, head), bench->image, bench->image_len);
        bench_close_connection(bench);
        assert_string_equal(bench->request, "GET /file HTTP/1.1\r\n"
                                            "Host: other\r\n"
                                            "User-Agent: Updraft-http-Update\r\n"
                                            "Connection: close\r\n"
                                            "Cache-Control: no-cache\r\n"
                                            "\r\n");
        bench_assert_updated(bench);
    }
    /* Another port is another server; and back home everything is said again. */
    bench_begin(bench);
    bench_answer(bench, "HTTP/1.1 302 Found\r\nLocation: http://server:81/\r\n\r\n", NULL, 0);
    assert_int_equal(bench->pull.port, 81);
    bench_answer(bench, "HTTP/1.1 302 Found\r\nLocation: http://SERVER:80/x\r\n\r\n", NULL, 0);
    assert_null(strstr(bench->request, "Authorization"));
    assert_null(strstr(bench->request, "x-Updraft"));
    bench_answer(bench, "HTTP/1.1 304 Not Modified\r\n\r\n", NULL, 0);
    assert_non_null(strstr(bench->request, "Authorization"));
    assert_non_null(strstr(bench->request, "x-Updraft-Chip"));
    assert_int_equal(bench->pull.result, OTA_PULL_CURRENT);
}

static void test_redirects_are_counted(void **state)
{
    struct bench *bench = *state;

    bench_begin(bench);
    for (unsigned i = 0; i < OTA_PULL_REDIRECTS; i++) {
        bench_answer(bench, "HTTP/1.1 302 Found\r\nLocation: /round\r\n\r\n", NULL, 0);
        assert_int_equal(bench->pull.redirects, i + 1);
    }
    bench_answer(bench, "HTTP/1.1 302 Found\r\nLocation: /round\r\n\r\n", NULL, 0);
    bench_assert_failed(bench, OTA_ERR_HTTP_REDIRECT);

    bench->options.redirect_limit = 1;
    bench_begin(bench);
    bench_answer(bench, "HTTP/1.1 302 Found\r\nLocation: /1\r\n\r\n", NULL, 0);
    bench_answer(bench, "HTTP/1.1 302 Found\r\nLocation: /2\r\n\r\n", NULL, 0);
    bench_assert_failed(bench, OTA_ERR_HTTP_REDIRECT);

    bench->options.redirect_limit = OTA_PULL_NO_REDIRECTS;
    bench_begin(bench);
    bench_answer(bench, "HTTP/1.1 302 Found\r\nLocation: /1\r\n\r\n", NULL, 0);
    bench_assert_failed(bench, OTA_ERR_HTTP_REDIRECT);
}

static void test_a_location_longer_than_its_place(void **state)
{
    struct bench *bench = *state;
    char head[1024];
    char path[600];

    memset(path, 'p', sizeof path);
    path[sizeof path - 1] = '\0';
    bench_begin(bench);
    bench_answer(
        bench, bench_format(head, sizeof head, "HTTP/1.1 302 Found\r\nLocation: /%s\r\n\r\n", path),
        NULL, 0);
    bench_assert_failed(bench, OTA_ERR_HTTP_HEADER);
    path[sizeof bench->text / 2 - 8] = '\0'; /* fits as a header, not behind "http://server" */
    bench_begin(bench);
    bench_answer(
        bench, bench_format(head, sizeof head, "HTTP/1.1 302 Found\r\nLocation: /%s\r\n\r\n", path),
        NULL, 0);
    bench_assert_failed(bench, OTA_ERR_HTTP_REDIRECT);
}

static void test_https_where_the_caller_speaks_it(void **state)
{
    struct bench *bench = *state;
    char head[512];

    bench->options.url = "https://me:secret@server/";
    bench->options.may_secure = true;
    bench_begin(bench);
    assert_true(bench->pull.is_secure);
    assert_int_equal(bench->pull.port, 443);
    bench_answer(bench, bench_whole(bench, head), bench->image, bench->image_len);
    bench_close_connection(bench);
    assert_non_null(strstr(bench->request, "\r\nHost: server\r\n"));
    bench_assert_updated(bench);
}

static void test_a_redirect_to_https_of_the_same_host(void **state)
{
    struct bench *bench = *state;

    bench->options.url = "http://me:secret@server/";
    bench->options.may_secure = true;
    bench_begin(bench);
    assert_false(bench->pull.is_secure);
    bench_answer(bench, "HTTP/1.1 301 Moved\r\nLocation: https://server/x\r\n\r\n", NULL, 0);
    assert_true(bench->pull.is_secure);
    assert_int_equal(bench->pull.port, 443);
    bench_answer(bench, "HTTP/1.1 304 Not Modified\r\n\r\n", NULL, 0);
    assert_non_null(strstr(bench->request, "Authorization"));
    assert_non_null(strstr(bench->request, "x-Updraft-Chip"));
    assert_int_equal(bench->pull.result, OTA_PULL_CURRENT);
}

static void test_the_way_back_to_http_is_refused(void **state)
{
    struct bench *bench = *state;

    bench->options.url = "https://me:secret@server/";
    bench->options.may_secure = true;
    bench_begin(bench);
    bench_answer(bench, "HTTP/1.1 302 Found\r\nLocation: http://server/x\r\n\r\n", NULL, 0);
    bench_assert_failed(bench, OTA_ERR_HTTP_REDIRECT);
    bench->options.allow_downgrade = true;
    bench_begin(bench);
    bench_answer(bench, "HTTP/1.1 302 Found\r\nLocation: http://server/x\r\n\r\n", NULL, 0);
    assert_false(bench->pull.is_secure);
    bench_answer(bench, "HTTP/1.1 304 Not Modified\r\n\r\n", NULL, 0);
    assert_null(strstr(bench->request, "Authorization"));
    assert_null(strstr(bench->request, "x-Updraft-Chip"));
    /* Up, and down again. */
    bench->options.allow_downgrade = false;
    bench->options.url = "http://server/";
    bench_begin(bench);
    bench_answer(bench, "HTTP/1.1 302 Found\r\nLocation: https://server/x\r\n\r\n", NULL, 0);
    bench_answer(bench, "HTTP/1.1 302 Found\r\nLocation: http://server/x\r\n\r\n", NULL, 0);
    bench_assert_failed(bench, OTA_ERR_HTTP_REDIRECT);
}

#define TEST(function) cmocka_unit_test_setup(function, bench_fresh)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_redirect_on_the_same_host_keeps_the_headers),
        TEST(test_a_redirect_to_another_host_tells_it_nothing),
        TEST(test_redirects_are_counted),
        TEST(test_a_location_longer_than_its_place),
        TEST(test_https_where_the_caller_speaks_it),
        TEST(test_a_redirect_to_https_of_the_same_host),
        TEST(test_the_way_back_to_http_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
