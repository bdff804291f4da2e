/* SPDX-License-Identifier: Apache-2.0 */
/* The login by name and password, and how guessing it is slowed down. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "proto/web_bench.h"

static struct web_bench bench;

static int set_up(void **state)
{
    (void)state;
    web_bench_make(&bench, 0);
    web_bench_begin(&bench);
    return 0;
}

static void test_a_login_is_needed_everywhere(void **state)
{
    static const char *const targets[] = {
        "GET / ",
        "GET /update ",
        "GET /update/info ",
        "GET /ota/start?mode=fs ",
        "GET /nothing ",
        "GET /update/update ",
        "POST /update ",
        "POST /ota/upload ",
        "POST /restart ",
        "POST /update/restart ",
        "POST /update/rollback ",
        "OPTIONS /update ",
        "DELETE /update ",
        "HEAD /update ",
    };
    char head[256];

    set_up(state);
    web_bench_set_password(&bench, "u", "p");
    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++) {
        snprintf(head, sizeof head, "%sHTTP/1.1\r\nHost: board\r\n", targets[i]);
        web_bench_compose(&bench, head, NULL, 0);
        assert_int_equal(web_bench_ask(&bench), 401);
        assert_true(
            web_bench_has_line(&bench, 0, "WWW-Authenticate: Basic realm=\"Login Required\""));
        web_bench_assert_nothing(&bench);
    }
    assert_string_equal(bench.events, ""); /* nobody gave a wrong one */
    assert_int_equal(web_bench_get(&bench, "/update", "Authorization: Basic dTpw\r\n"), 200);
    assert_int_equal(web_bench_get(&bench, "/nothing", "Authorization: Basic dTpw\r\n"), 404);
}

static const char digest[] =
    "Authorization: Digest username=\"u\", realm=\"Login Required\", nonce=\"x\", uri=\"/\", "
    "response=\"0123456789abcdef0123456789abcdef\"\r\n";
#define TEN "dTpwdTpwdTpwdTpwdTpwdTpwdTpwdTpwdTpwdTpw"
static const char longer[] = "Authorization: Basic " TEN TEN TEN TEN TEN "\r\n";

static void test_wrong_logins(void **state)
{
    static const char *const lines[] = {
        "Authorization: Basic dTpx\r\n",     /* u:x */
        "Authorization: Basic eDpw\r\n",     /* x:p */
        "Authorization: Basic dTpwcA==\r\n", /* u:pp */
        "Authorization: Basic dTo=\r\n",     /* u: */
        "Authorization: Basic dTpwAA==\r\n", /* u:p and a zero */
        "Authorization: Basic DTPW\r\n",
        "Authorization: Basic\r\n",
        "Authorization: dTpw\r\n",
        digest,
        "Authorization:\r\n",
        "Authorization: Basic dTpw\r\nAuthorization: Basic dTpx\r\n",
        "Authorization: Basic dTpx\r\nAuthorization: Basic dTpw\r\n",
        "Authorization: Basic dTpw\r\nAuthorization: Basic dTpw\r\n",
        longer,
    };
    char all[1024];

    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        set_up(state);
        web_bench_set_password(&bench, "u", "p");
        snprintf(all, sizeof all, "Host: board\r\n%s", lines[i]);
        assert_int_equal(web_bench_upload(&bench, all), 0); /* nothing yet */
        web_bench_wait(&bench, OTA_WEB_LOGIN_PAUSE_MS - 1);
        assert_int_equal(web_bench_status(&bench, 0), 0);
        web_bench_wait(&bench, 1);
        web_bench_assert_refused(&bench, 401);
        assert_string_equal(bench.events, "L");
    }
}

static void test_the_longest_login(void **state)
{
    char password[OTA_WEB_LOGIN_MAX];

    set_up(state);
    memset(password, 'p', sizeof password);
    password[OTA_WEB_LOGIN_MAX - 6] = '\0'; /* beside "admin:" */
    web_bench_set_password(&bench, NULL, password);
    password[OTA_WEB_LOGIN_MAX - 6] = 'p';
    password[OTA_WEB_LOGIN_MAX - 5] = '\0';
    bench.options.password = password;
    assert_int_equal(ota_web_init(&bench.web, &bench.options), OTA_ERR_ARGUMENT);
    web_bench_set_password(&bench, "", "p");
    assert_int_equal(web_bench_get(&bench, "/", "Authorization: Basic YWRtaW46cA==\r\n"), 200);
    web_bench_set_password(&bench, "u", "");
    assert_int_equal(web_bench_get(&bench, "/", ""), 200);
}

#define RIGHT "Authorization: Basic dTpw\r\n"
#define WRONG "Authorization: Basic dTpx\r\n"

static unsigned get_on(unsigned connection, const char *lines)
{
    char head[256];

    snprintf(head, sizeof head, "GET /update HTTP/1.1\r\nHost: board\r\n%s", lines);
    web_bench_compose(&bench, head, NULL, 0);
    web_bench_open(&bench, connection);
    web_bench_send(&bench, connection);
    return web_bench_status(&bench, connection);
}

/* Guesses are slowed down, also those that do not wait for the answer; who is known is not. */
static void test_guessing_takes_time(void **state)
{
    static const uint32_t pauses[] = {500, 1000, 2000, 4000, 8000, 8000, 8000, 8000, 8000};

    set_up(state);
    web_bench_set_password(&bench, "u", "p");
    assert_int_equal(get_on(2, RIGHT), 200);
    for (size_t i = 0; i < sizeof pauses / sizeof *pauses; i++) {
        assert_int_equal(get_on(0, WRONG), 0);
        /* Not even a right one is looked at from elsewhere, */
        assert_int_equal(get_on(1, RIGHT), 429);
        assert_int_equal(get_on(1, WRONG), 429);
        assert_true(web_bench_has_line(&bench, 1, "Retry-After: 10"));
        web_bench_wait(&bench, pauses[i] - 1);
        assert_int_equal(web_bench_status(&bench, 0), 0);
        assert_int_equal(get_on(1, RIGHT), 429);
        web_bench_wait(&bench, 1);
        assert_int_equal(web_bench_status(&bench, 0), 401);
    }
    /* and who was right before gets in all the time. */
    assert_int_equal(get_on(0, WRONG), 0);
    assert_int_equal(get_on(2, RIGHT), 200);
    assert_int_equal(get_on(0, WRONG), 0);
    web_bench_wait(&bench, 500);
    assert_int_equal(web_bench_status(&bench, 0), 401); /* forgotten */
    assert_int_equal(get_on(1, ""), 401);
    assert_int_equal(get_on(1, RIGHT), 200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_login_is_needed_everywhere),
        cmocka_unit_test(test_wrong_logins),
        cmocka_unit_test(test_the_longest_login),
        cmocka_unit_test(test_guessing_takes_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
