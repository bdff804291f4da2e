/* SPDX-License-Identifier: Apache-2.0 */
/* Who may: other sites' pages and strange names. Each is refused before its body, and changes
   nothing. */

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

struct origin_case {
    const char *lines;
    bool passes;
};

/* As long as a name may be to be compared. */
#define LONG_HOST                                                                                 \
    "0.012345678.012345678.012345678.012345678.012345678.012345678.012345678.012345678.012345678" \
    ".123"

static void test_other_sites_pages(void **state)
{
    static const struct origin_case cases[] = {
        {"Host: board\r\n", true},
        {"Host: board\r\nOrigin: http://board\r\n", true},
        {"Origin: http://board\r\nHost: board\r\n", true},
        {"Host: Board:80\r\nOrigin: http://board\r\n", true},
        {"Host: board\r\nOrigin: HTTP://BOARD:80\r\n", true},
        {"Host: board:8080\r\nOrigin: http://board:8080\r\n", true},
        {"Host: 192.168.4.1\r\nOrigin: http://192.168.4.1/\r\n", true},
        {"Host: [fe80::1]:81\r\nOrigin: http://[fe80::1]:81\r\n", true},
        {"Host: board\r\nSec-Fetch-Site: same-origin\r\n", true},
        {"Host: board\r\nSec-Fetch-Site: none\r\n", true},
        {"Host: board\r\nOrigin: http://other\r\n", false},
        {"Host: board\r\nOrigin: http://board:81\r\n", false},
        {"Host: board:81\r\nOrigin: http://board\r\n", false},
        {"Host: board\r\nOrigin: http://board.example\r\n", false},
        {"Host: board\r\nOrigin: http://boar\r\n", false},
        {"Host: board\r\nOrigin: https://board\r\n", false},
        {"Host: board\r\nOrigin: null\r\n", false},
        {"Host: board\r\nOrigin:\r\n", false},
        {"Host: board\r\nOrigin: http://\r\n", false},
        {"Host: board\r\nOrigin: http://board\r\nOrigin: http://board\r\n", false},
        {"Origin: http://other\r\nHost: board\r\n", false},
        {"Host: board\r\nSec-Fetch-Site: cross-site\r\n", false},
        {"Host: board\r\nSec-Fetch-Site: same-site\r\n", false},
        {"Host: board\r\nOrigin: http://board\r\nSec-Fetch-Site: cross-site\r\n", false},
        {"Host: " LONG_HOST "789\r\nOrigin: http://" LONG_HOST "789\r\n", false},
        {"Host: " LONG_HOST "789\r\nOrigin: http://" LONG_HOST "\r\n", false},
        {"Host: " LONG_HOST "\r\nOrigin: http://" LONG_HOST "\r\n", true},
    };

    /* A password makes no difference. */
    for (unsigned with_login = 0; with_login < 2; with_login++) {
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
            char lines[512];
            set_up(state);
            if (with_login != 0) {
                web_bench_set_password(&bench, "u", "p");
            }
            snprintf(lines, sizeof lines, "Authorization: Basic dTpw\r\n%s", cases[i].lines);
            unsigned status = web_bench_upload(&bench, lines);
            if (status != (cases[i].passes ? 200 : 403)) {
                print_message("%s", cases[i].lines);
            }
            if (cases[i].passes) {
                assert_int_equal(status, 200);
                web_bench_assert_updated(&bench);
            } else {
                web_bench_assert_refused(&bench, 403);
                assert_string_equal(bench.events, "F");
                assert_string_equal(web_bench_body(&bench, 0),
                                    "this comes from another site's page\n");
            }
        }
    }
}

static void test_a_link_to_the_page_may_come_from_anywhere(void **state)
{
    static const char *const closed[] = {"/update/info", "/ota/start?mode=fr", "/nothing"};

    (void)state;
    assert_int_equal(web_bench_get(&bench, "/update", "Sec-Fetch-Site: cross-site\r\n"), 200);
    assert_int_equal(web_bench_get(&bench, "/", "Sec-Fetch-Site: cross-site\r\n"), 200);
    assert_int_equal(web_bench_get(&bench, "/", "Origin: http://other\r\n"), 403);
    for (size_t i = 0; i < sizeof closed / sizeof *closed; i++) {
        assert_int_equal(web_bench_get(&bench, closed[i], "Sec-Fetch-Site: cross-site\r\n"), 403);
    }
    web_bench_compose(&bench,
                      "OPTIONS /update HTTP/1.1\r\nHost: board\r\nOrigin: http://other\r\n"
                      "Access-Control-Request-Method: POST\r\n",
                      NULL, 0);
    assert_int_equal(web_bench_ask(&bench), 403);
    assert_null(strstr(bench.out[0], "Access-Control"));
}

static void test_a_proxy_in_front(void **state)
{
    static const struct origin_case cases[] = {
        {"Host: garden.example\r\nOrigin: https://garden.example\r\n", true},
        {"Host: 10.0.0.7\r\nOrigin: https://garden.example\r\n", true},
        {"Host: 10.0.0.7\r\nOrigin: http://10.0.0.7\r\n", true},
        {"Host: garden.example\r\n", true},
        {"Host: garden.example.evil.example\r\n", false},
        {"Host: garden.exampl\r\n", false},
        {"Host: garden.example\r\nOrigin: https://garden.example.evil\r\n", false},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        set_up(state);
        bench.options.origin = "https://garden.example";
        web_bench_begin(&bench);
        if (cases[i].passes) {
            assert_int_equal(web_bench_upload(&bench, cases[i].lines), 200);
        } else {
            web_bench_upload(&bench, cases[i].lines);
            web_bench_assert_refused(&bench, 403);
        }
    }
}

/* Without a password a name that a stranger's DNS can make lead here is not answered. */
static void test_strange_names(void **state)
{
    static const struct {
        const char *host;
        bool passes;
    } cases[] = {
        {"192.168.4.1", true},
        {"192.168.4.1:8080", true},
        {"[fe80::1]", true},
        {"[::1]:80", true},
        {"board", true},
        {"localhost:8080", true},
        {"garden.local", true},
        {"GARDEN.LOCAL:80", true},
        {"garden.example", true},
        {"garden.example:81", true},
        {"", true},
        {"evil.example", false},
        {"evil.example:80", false},
        {"192.168.4.1.evil.example", false},
        {"local.example", false},
        {".local.example", false},
        {"a.localx", false},
        {"sub.garden.example", false},
    };
    char lines[128];

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        set_up(state);
        bench.options.host_name = "garden.example";
        web_bench_begin(&bench);
        snprintf(lines, sizeof lines, "Host: %s\r\n", cases[i].host);
        unsigned status = web_bench_upload(&bench, lines);
        if (status != (cases[i].passes ? 200 : 403)) {
            print_message("%s", lines);
        }
        if (cases[i].passes) {
            assert_int_equal(status, 200);
        } else {
            web_bench_assert_refused(&bench, 403);
            assert_string_equal(bench.events, "F");
        }

        /* With one, nobody gets in by a name. */
        web_bench_set_password(&bench, "u", "p");
        web_bench_upload(&bench, lines);
        assert_int_equal(web_bench_status(&bench, 0), 401);
    }
    set_up(state);
    web_bench_compose(&bench, "GET /update HTTP/1.0\r\n", NULL, 0);
    assert_int_equal(web_bench_ask(&bench), 200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_other_sites_pages),
        cmocka_unit_test_setup(test_a_link_to_the_page_may_come_from_anywhere, set_up),
        cmocka_unit_test(test_a_proxy_in_front),
        cmocka_unit_test(test_strange_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
