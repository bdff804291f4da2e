/* SPDX-License-Identifier: Apache-2.0 */
/* Fetching over http: the scheme, its fetches, and what they give. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include <updraft/http_fetch.h>

#include "agent/web_stage.h"

static uint8_t got[WEB_REPLY_MAX];

/* Fetches all there is, `capacity` bytes a read, into `got`. Returns how it ended. */
static enum ota_err fetch_all(struct web *web, struct ota_fetch *fetch, size_t capacity,
                              size_t *total)
{
    bool ended = false;
    enum ota_err err = OTA_OK;

    *total = 0;
    while (err == OTA_OK && !ended) {
        size_t len = 0;
        assert_true(*total + capacity <= sizeof got);
        err = fetch->read(fetch, got + *total, capacity, &len, &ended);
        assert_true(len <= capacity);
        *total += len;
        if (err == OTA_OK && len == 0 && !ended) {
            web->platform.wait(&web->platform, 1000);
        }
    }
    return err;
}

static void files_come_whole(void **state)
{
    static const size_t capacities[] = {1, 3, 64, 1000, 4096};
    struct web *web = *state;
    struct ota_http_scheme scheme;
    struct ota_fetch_request request = {.uri = "HTTP://server/f"};
    struct ota_fetch *fetch;
    size_t total;

    ota_http_scheme_init(&scheme, NULL, NULL);
    web_make_file(web, 5000, "1.1.0");
    for (size_t i = 0; i < sizeof capacities / sizeof *capacities; i++) {
        for (unsigned kind = 0; kind < 3; kind++) {
            web->habits = (struct web_habits){.chunked = kind == 1, .no_length = kind == 2};
            assert_int_equal(ota_fetch_open(&scheme.scheme, &web->platform, &request, &fetch),
                             OTA_OK);
            assert_int_equal(fetch_all(web, fetch, capacities[i], &total), OTA_OK);
            assert_int_equal(total, web->file_len);
            assert_int_equal(fetch->size, web->file_len);
            assert_memory_equal(got, web->file, total);
            fetch->close(fetch);
        }
    }
}

static void from_an_offset(void **state)
{
    struct web *web = *state;
    struct ota_http_scheme scheme;
    struct ota_fetch_request request = {.uri = "http://server/f", .offset = 777};
    struct ota_fetch *fetch;
    size_t total;

    ota_http_scheme_init(&scheme, NULL, NULL);
    assert_int_equal(ota_fetch_open(&scheme.scheme, &web->platform, &request, &fetch), OTA_OK);
    assert_int_equal(fetch->size, OTA_SIZE_UNKNOWN);
    assert_int_equal(fetch_all(web, fetch, 500, &total), OTA_OK);
    assert_int_equal(total, web->file_len - 777);
    assert_int_equal(fetch->size, web->file_len);
    assert_memory_equal(got, web->file + 777, total);
    fetch->close(fetch);
    web->habits.no_ranges = true;
    assert_int_equal(ota_fetch_open(&scheme.scheme, &web->platform, &request, &fetch), OTA_OK);
    assert_int_equal(fetch_all(web, fetch, 500, &total), OTA_ERR_HTTP_RANGE);
    assert_int_equal(total, 0);
    fetch->close(fetch);
}

static void which_uris_it_serves(void **state)
{
    struct web *web = *state;
    struct ota_http_scheme scheme;
    struct ota_fetch *fetch;

    ota_http_scheme_init(&scheme, NULL, NULL);
    for (const char *const *uri = (const char *const[]){"https://server/f", "ftp://server/f",
                                                        "http:/x", "http://", NULL};
         *uri != NULL; uri++) {
        const struct ota_fetch_request request = {.uri = *uri};
        assert_int_equal(ota_fetch_open(&scheme.scheme, &web->platform, &request, &fetch),
                         OTA_ERR_URL);
    }
    assert_int_equal(web->connections, 0);
}

/* The stage has one stream at a time: what counts is that a third fetch is not begun. */
static void as_many_as_there_is_room_for(void **state)
{
    struct web *web = *state;
    struct ota_http_scheme scheme;
    const struct ota_fetch_request request = {.uri = "http://server/f"};
    struct ota_fetch *fetches[OTA_HTTP_FETCHES], *more;

    ota_http_scheme_init(&scheme, NULL, NULL);
    for (size_t i = 0; i < OTA_HTTP_FETCHES; i++) {
        size_t len;
        bool ended = false;
        assert_int_equal(ota_fetch_open(&scheme.scheme, &web->platform, &request, &fetches[i]),
                         OTA_OK);
        while (!ended) {
            assert_int_equal(fetches[i]->read(fetches[i], got, sizeof got, &len, &ended), OTA_OK);
        }
        assert_int_equal(fetches[i]->read(fetches[i], got, sizeof got, &len, &ended), OTA_OK);
        assert_true(len == 0 && ended);
    }
    assert_int_equal(ota_fetch_open(&scheme.scheme, &web->platform, &request, &more), OTA_ERR_BUSY);
    fetches[0]->close(fetches[0]);
    assert_int_equal(ota_fetch_open(&scheme.scheme, &web->platform, &request, &more), OTA_OK);
    more->close(more);
    fetches[1]->close(fetches[1]);
}

static void ends_that_are_none(void **state)
{
    static const struct {
        struct web_habits habits;
        enum ota_err err;
    } cases[] = {
        {{.length_lie = 5}, OTA_ERR_INCOMPLETE},
        {{.cut = 5000}, OTA_ERR_CONNECTION_LOST},
        {{.cut = 20}, OTA_ERR_CONNECTION_LOST},
        {{.silent_after = 5000}, OTA_ERR_TIMEOUT},
        {{.byte_every_ms = 1000}, OTA_ERR_TIMEOUT},
        {{.status = 404}, OTA_ERR_HTTP_NOT_FOUND},
        {{.endless_head = true}, OTA_ERR_HTTP_HEADER},
        {{.extra_lines = "Content-Encoding: gzip\r\n"}, OTA_ERR_HTTP_HEADER},
        {{.redirects = 99, .redirect_status = 301, .location = "x"}, OTA_ERR_HTTP_REDIRECT},
        {{.redirects = 99, .redirect_status = 301, .location = "gopher://x"},
         OTA_ERR_HTTP_REDIRECT},
    };
    struct web *web = *state;
    struct ota_http_scheme scheme;
    const struct ota_fetch_request request = {.uri = "http://server/f"};
    struct ota_fetch *fetch;

    ota_http_scheme_init(&scheme, NULL, NULL);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t total;
        web->habits = cases[i].habits;
        assert_int_equal(ota_fetch_open(&scheme.scheme, &web->platform, &request, &fetch), OTA_OK);
        assert_int_equal(fetch_all(web, fetch, 300, &total), cases[i].err);
        assert_memory_equal(got, web->file, total);
        fetch->close(fetch);
    }
}

#define FORTY "????????????????????????????????????????"

/* A redirect that comes before the request is out: the rest of the old request is not sent, least
   of all with the new URL in it. */
static void an_answer_that_overtakes_the_request(void **state)
{
    struct web *web = *state;
    struct ota_http_scheme scheme;
    const struct ota_fetch_request request = {.uri = "http://server/a-long-path/f"};
    struct ota_fetch *fetch;
    uint8_t piece[100];
    size_t len;
    bool ended;

    ota_http_scheme_init(&scheme, NULL, NULL);
    web->piece = 1;
    web->habits = (struct web_habits){
        .redirects = 1,
        .redirect_status = 302,
        .location = "http://other/" FORTY FORTY FORTY,
        .answers_after = 8,
        .byte_every_ms = 1,
    };
    assert_int_equal(ota_fetch_open(&scheme.scheme, &web->platform, &request, &fetch), OTA_OK);
    while (web->connections == 1) {
        assert_int_equal(fetch->read(fetch, piece, sizeof piece, &len, &ended), OTA_OK);
        web->platform.wait(&web->platform, 1);
        assert_null(strchr(web->request, '?'));
    }
    fetch->close(fetch);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, web_set_up, web_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(files_come_whole),     TEST(from_an_offset),
        TEST(which_uris_it_serves), TEST(as_many_as_there_is_room_for),
        TEST(ends_that_are_none),   TEST(an_answer_that_overtakes_the_request),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
