/* SPDX-License-Identifier: Apache-2.0 */
/* ElegantOTA's two steps: its page's, its tool's, and the faults of the original. */

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

static unsigned start(const char *query)
{
    char target[128];

    snprintf(target, sizeof target, "/ota/start%s", query);
    return web_bench_get(&bench, target, "");
}

static unsigned upload(const char *name, const char *file_name)
{
    web_bench_compose_form(&bench, "/ota/upload", "", name, file_name, bench.image,
                           bench.image_len);
    return web_bench_ask(&bench);
}

static void test_the_pages_two_steps(void **state)
{
    char query[64];

    (void)state;
    snprintf(query, sizeof query, "?mode=fr&hash=%s", bench.md5);
    assert_int_equal(start(query), 200);
    assert_string_equal(web_bench_body(&bench, 0), "OK");
    assert_true(web_bench_has_line(&bench, 0, "Content-Type: text/plain"));
    assert_int_equal(upload("file", "code.bin"), 200);
    assert_string_equal(web_bench_body(&bench, 0), "OK");
    assert_int_equal(bench.restarts, 1);
    web_bench_assert_updated(&bench);
}

static void test_the_mode_decides_where_it_goes(void **state)
{
    static const struct {
        const char *query, *file_name;
        bool is_data;
    } cases[] = {
        {"", "littlefs.bin", false},    {"?mode=fr", "spiffs.bin", false},
        {"?mode=xy", "a", false},       {"?hash=&mode=fs", "a", true}, /* an empty hash is none */
        {"?mode=fs", "code.bin", true},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        set_up(state);
        if (strstr(cases[i].query, "hash=") != NULL) {
            assert_int_equal(start(cases[i].query), 400);
            continue;
        }
        assert_int_equal(start(cases[i].query), 200);
        assert_int_equal(upload("filesystem", cases[i].file_name), 200);
        if (cases[i].is_data) {
            web_bench_assert_data(&bench);
        } else {
            web_bench_assert_updated(&bench);
        }
    }
}

/* The tool sends the hash twice, and calls the file "firmware". */
static void test_the_tools_upload(void **state)
{
    char query[64], body[2048], head[512];
    size_t len;

    (void)state;
    snprintf(query, sizeof query, "?hash=%s", bench.md5);
    assert_int_equal(web_bench_get(&bench, "/update/update", ""), 404);
    assert_int_equal(start(query), 200);
    len =
        (size_t)snprintf(body, sizeof body,
                         "--b\r\nContent-Disposition: form-data; name=\"MD5\"\r\n\r\n%s\r\n"
                         "--b\r\nContent-Disposition: form-data; name=\"firmware\"; "
                         "filename=\"firmware\"\r\nContent-Type: application/octet-stream\r\n\r\n",
                         bench.md5);
    memcpy(body + len, bench.image, bench.image_len);
    len += bench.image_len;
    len += (size_t)sprintf(body + len, "\r\n--b--\r\n");
    snprintf(head, sizeof head,
             "POST /ota/upload HTTP/1.1\r\nHost: board\r\nOrigin: http://board\r\n"
             "Content-Type: multipart/form-data; boundary=b\r\nContent-Length: %zu\r\n",
             len);
    web_bench_compose(&bench, head, body, len);
    assert_int_equal(web_bench_ask(&bench), 200);
    web_bench_assert_updated(&bench);

    set_up(state);
    bench.md5[0] = bench.md5[0] == '0' ? '1' : '0';
    snprintf(query, sizeof query, "?hash=%s", bench.md5);
    assert_int_equal(start(query), 200);
    web_bench_compose(&bench, head, body, len);
    assert_int_equal(web_bench_ask(&bench), 400);
    assert_string_equal(web_bench_body(&bench, 0), "two different MD5 for one file\n");
    web_bench_assert_nothing(&bench);
}

/* The original sets the hash before its updater begins, which forgets it. */
static void test_the_hash_is_compared(void **state)
{
    char query[64];

    (void)state;
    bench.md5[0] = bench.md5[0] == '0' ? '1' : '0';
    snprintf(query, sizeof query, "?mode=fr&hash=%s", bench.md5);
    assert_int_equal(start(query), 200);
    assert_int_equal(upload("file", "x.bin"), 400);
    assert_string_equal(web_bench_body(&bench, 0), "MD5 Check Failed");
    assert_int_equal(bench.restarts, 0);
    assert_int_equal(bench.intake.accepted, 0);
}

static void test_hashes_that_are_none(void **state)
{
    static const char *const queries[] = {
        "?hash=",
        "?hash=0123",
        "?hash=0123456789abcdef0123456789abcdeg",
        "?hash=0123456789abcdef0123456789abcdef0",
        "?mode=fr&hash=xyz",
    };

    (void)state;
    for (size_t i = 0; i < sizeof queries / sizeof *queries; i++) {
        assert_int_equal(start(queries[i]), 400);
        assert_string_equal(web_bench_body(&bench, 0), "MD5 parameter invalid");
    }
    assert_int_equal(upload("file", "x.bin"), 400);
}

/* The original says OK and restarts. */
static void test_an_upload_needs_a_start(void **state)
{
    (void)state;
    assert_int_equal(upload("file", "x.bin"), 400);
    assert_string_equal(web_bench_body(&bench, 0), "no upload was started\n");
    web_bench_assert_nothing(&bench);

    /* One start is for one upload, */
    assert_int_equal(start(""), 200);
    assert_int_equal(upload("file", "x.bin"), 200);
    assert_int_equal(upload("file", "x.bin"), 400);
    /* for a minute, */
    assert_int_equal(start(""), 200);
    web_bench_wait(&bench, OTA_WEB_SESSION_MS + 1);
    assert_int_equal(upload("file", "x.bin"), 400);
    assert_int_equal(start(""), 200);
    web_bench_wait(&bench, OTA_WEB_SESSION_MS);
    assert_int_equal(upload("file", "x.bin"), 200);
    /* and for who has started. */
    assert_int_equal(start(""), 200);
    web_bench_compose_form(&bench, "/ota/upload", "", "file", "x", bench.image, bench.image_len);
    web_bench_open(&bench, 1);
    web_bench_send(&bench, 1);
    assert_int_equal(web_bench_status(&bench, 1), 400);

    web_bench_compose_raw(&bench, "/ota/upload", "", bench.image, bench.image_len);
    assert_int_equal(web_bench_ask(&bench), 400);
}

/* In the original an upload without a login is written after a start with one. */
static void test_both_steps_need_the_login(void **state)
{
    (void)state;
    bench.options.user = "u";
    bench.options.password = "p";
    web_bench_begin(&bench);
    assert_int_equal(start(""), 401);
    assert_int_equal(web_bench_get(&bench, "/update/update", ""), 401);
    assert_int_equal(web_bench_get(&bench, "/ota/start", "Authorization: Basic dTpw\r\n"), 200);
    assert_int_equal(upload("file", "x.bin"), 401);
    web_bench_assert_nothing(&bench);
    web_bench_compose_form(&bench, "/ota/upload", "Authorization: Basic dTpw\r\n", "file", "x",
                           bench.image, bench.image_len);
    assert_int_equal(web_bench_ask(&bench), 200);
    web_bench_assert_updated(&bench);
}

/* In the original a start during an update says OK, and the upload is appended. */
static void test_a_start_during_an_update(void **state)
{
    (void)state;
    web_bench_compose_raw(&bench, "/update", "", bench.image, bench.image_len);
    web_bench_open(&bench, 1);
    web_bench_feed(&bench, 1, bench.request, bench.request_len - 10);
    assert_int_equal(start(""), 409);
    assert_string_equal(web_bench_body(&bench, 0),
                        "another update is under way: try again when it is over\n");
    assert_int_equal(upload("file", "x.bin"), 409);
    web_bench_compose_raw(&bench, "/update", "", bench.image, bench.image_len);
    web_bench_feed(&bench, 1, bench.request + bench.request_len - 10, 10);
    assert_int_equal(web_bench_status(&bench, 1), 200);
    web_bench_assert_updated(&bench);
}

/* A start is a GET, which the page in another tab can send, too: what waits for its upload is not
   changed by it. */
static void test_a_start_while_another_waits(void **state)
{
    char query[64];

    (void)state;
    snprintf(query, sizeof query, "?mode=fr&hash=%s", bench.md5);
    assert_int_equal(start(query), 200);
    assert_int_equal(start("?mode=fs"), 409);
    assert_int_equal(start(""), 409);
    assert_string_equal(web_bench_body(&bench, 0),
                        "another update is under way: try again when it is over\n");
    assert_int_equal(start(query), 200); /* the same once more */
    assert_int_equal(
        web_bench_get(&bench, "/ota/start?mode=fs", "Referer: http://board/update\r\n"),
        200); /* our page tries another file */
    assert_int_equal(web_bench_get(&bench, "/ota/start", "Referer: http://board/update\r\n"), 200);
    assert_int_equal(upload("file", "code.bin"), 200);
    web_bench_assert_updated(&bench);
    set_up(state);
    assert_int_equal(start("?mode=fs"), 200);
    web_bench_wait(&bench, OTA_WEB_SESSION_MS + 1);
    assert_int_equal(start(query), 200);
    assert_int_equal(upload("file", "code.bin"), 200);
    web_bench_assert_updated(&bench);
}

/* Another site's page cannot start one. */
static void test_whose_page_starts(void **state)
{
    static const struct {
        const char *lines;
        unsigned status;
    } cases[] = {
        {"Referer: http://board/update\r\n", 200},
        {"Referer: http://BOARD:80/\r\n", 200},
        {"Referer: http://board\r\n", 200},
        {"Referer: http://board?x\r\n", 200},
        {"Referer: https://proxy.example/board\r\n", 200},
        {"Origin: http://board\r\nReferer: http://board/update\r\n", 200},
        {"Referer: http://evil.example/\r\n", 403},
        {"Referer: http://board.evil.example/\r\n", 403},
        {"Referer: http://evil.example/http://board/\r\n", 403},
        {"Referer: http://board@evil.example/\r\n", 403},
        {"Referer: https://board/\r\n", 403},
        {"Referer: https://proxy.example.evil/\r\n", 403},
        {"Referer: \r\n", 200},
        {"Origin: http://board\r\nReferer: http://evil.example/\r\n", 403},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        set_up(state);
        bench.options.origin = "https://proxy.example";
        web_bench_begin(&bench);
        assert_int_equal(web_bench_get(&bench, "/ota/start", cases[i].lines), cases[i].status);
        assert_int_equal(upload("file", "x.bin"), cases[i].status == 200 ? 200 : 400);
        /* A link from elsewhere leads to the page all the same. */
        assert_int_equal(web_bench_get(&bench, "/update", cases[i].lines), 200);
    }
    bench.options.origin = NULL;
}

static void test_a_start_before_a_restart(void **state)
{
    (void)state;
    bench.intake.is_closed = true;
    assert_int_equal(start(""), 409);
    assert_string_equal(web_bench_body(&bench, 0),
                        "the device is about to restart: try again in a few seconds\n");
    bench.intake.is_closed = false;
    assert_int_equal(upload("file", "x.bin"), 400);
    web_bench_assert_nothing(&bench);
}

static enum ota_err verdict;
static const char *told;
static unsigned questions;

static enum ota_err decide(void *context, const struct ota_gate_question *question,
                           struct ota_gate_answer *answer)
{
    (void)context;
    if (question->stage != OTA_GATE_BEGIN) {
        return OTA_OK;
    }
    questions++;
    answer->reason = told;
    return question->is_data ? OTA_OK : verdict;
}

/* What would be refused is refused before the file is sent. */
static void test_a_start_that_a_gate_does_not_like(void **state)
{
    static struct ota_gate_hook hook = OTA_GATE_HOOK(NULL, decide, NULL);
    static const struct {
        enum ota_err verdict;
        const char *told;
        unsigned status;
        const char *body;
    } cases[] = {
        {OTA_ERR_REFUSED, "the pump runs", 409, "Aborted (the pump runs)\r\n\n"},
        {OTA_ERR_REFUSED, NULL, 409,
         "Aborted (the device's policy does not allow this update)\r\n\n"},
        {OTA_ERR_HELD, "not at night", 503, "Aborted (not at night)\r\n\n"},
    };

    bench.intake_options.gates = &hook.gate;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        web_bench_begin(&bench);
        verdict = cases[i].verdict;
        told = cases[i].told;
        questions = 0;
        assert_int_equal(start("?mode=fr"), cases[i].status);
        assert_string_equal(web_bench_body(&bench, 0), cases[i].body);
        assert_true(web_bench_has_line(&bench, 0, "Content-Type: text/plain"));
        assert_int_equal(web_bench_has_line(&bench, 0, "Retry-After: 10"), cases[i].status == 503);
        assert_int_equal(questions, 1);
        assert_int_equal(upload("file", "x.bin"), 400); /* there was no start */
        web_bench_assert_nothing(&bench);
        assert_int_equal(start("?mode=fs"), 200); /* the gate knows which it is */
        verdict = OTA_OK;
        web_bench_wait(&bench, OTA_WEB_SESSION_MS + 1); /* another start while one waits is 409 */
        assert_int_equal(start(""), 200);
        assert_int_equal(upload("file", "x.bin"), 200);
        (void)state;
        web_bench_assert_updated(&bench);
        set_up(state);
        bench.intake_options.gates = &hook.gate;
    }
}

/* What the update itself would say to its beginning is the original's line. */
static void test_a_start_that_cannot_begin(void **state)
{
    (void)state;
    bench.ram.device.running_slot = 0;
    bench.intake_options.data_label = "elsewhere";
    web_bench_begin(&bench);
    assert_int_equal(start("?mode=fs"), 400);
    assert_string_equal(web_bench_body(&bench, 0), "Partition Could Not be Found\r\n\n");
    bench.ram.device.form = OTA_IMAGE_ESP8266;
    assert_int_equal(start("?mode=fs"), 400);
    assert_string_equal(
        web_bench_body(&bench, 0),
        "ERROR[4]: Not Enough Space (the partition table has no such partition)\n\n");
    web_bench_assert_nothing(&bench);
}

/* A start leaves the intake to others, also in the middle of an update's life. */
static void test_a_start_takes_nothing(void **state)
{
    (void)state;
    assert_int_equal(start(""), 200);
    assert_int_equal(bench.intake.state, OTA_INTAKE_FREE);
    assert_true(web_bench_same_flash(&bench));
    web_bench_compose_raw(&bench, "/update", "", bench.image, bench.image_len);
    assert_int_equal(web_bench_ask(&bench), 200);
    web_bench_assert_updated(&bench);
}

static void test_a_wrong_file_is_400_with_one_line(void **state)
{
    (void)state;
    assert_int_equal(start("?mode=fr"), 200);
    bench.image[0] = 'x';
    assert_int_equal(upload("file", "x.bin"), 400);
    assert_string_equal(web_bench_body(&bench, 0), "Wrong Magic Byte");
    web_bench_assert_nothing(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_the_pages_two_steps, set_up),
        cmocka_unit_test(test_the_mode_decides_where_it_goes),
        cmocka_unit_test_setup(test_the_tools_upload, set_up),
        cmocka_unit_test_setup(test_the_hash_is_compared, set_up),
        cmocka_unit_test_setup(test_hashes_that_are_none, set_up),
        cmocka_unit_test_setup(test_an_upload_needs_a_start, set_up),
        cmocka_unit_test_setup(test_both_steps_need_the_login, set_up),
        cmocka_unit_test_setup(test_a_start_during_an_update, set_up),
        cmocka_unit_test_setup(test_a_start_while_another_waits, set_up),
        cmocka_unit_test(test_whose_page_starts),
        cmocka_unit_test_setup(test_a_start_before_a_restart, set_up),
        cmocka_unit_test_setup(test_a_start_that_a_gate_does_not_like, set_up),
        cmocka_unit_test_setup(test_a_start_that_cannot_begin, set_up),
        cmocka_unit_test_setup(test_a_start_takes_nothing, set_up),
        cmocka_unit_test_setup(test_a_wrong_file_is_400_with_one_line, set_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
