/* SPDX-License-Identifier: Apache-2.0 */
/* What is no upload, and what breaks off: never success, never a restart, and the next upload
   works. Each of the faults that docs/formats/web-upload.md section 9 lists is tried here or in the
   tests beside it. */

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

/* Still good for an upload. */
static void assert_next_works(void)
{
    bench.restarts = 0;
    web_bench_compose_form(&bench, "/update", "", "firmware", "x.bin", bench.image,
                           bench.image_len);
    assert_int_equal(web_bench_ask(&bench), 200);
    assert_int_equal(bench.restarts, 1);
    web_bench_assert_updated(&bench);
}

static void post(const char *target, const char *lines, const char *body)
{
    char head[512];

    snprintf(head, sizeof head, "POST %s HTTP/1.1\r\nHost: board\r\nContent-Length: %zu\r\n%s",
             target, strlen(body), lines);
    web_bench_compose(&bench, head, body, strlen(body));
    web_bench_ask(&bench);
}

#define FORM "Content-Type: multipart/form-data; boundary=b\r\n"
#define FILE_HEAD "--b\r\nContent-Disposition: form-data; name=\"firmware\"; filename=\"x\"\r\n\r\n"
#define NO_FILE_HEAD \
    "--b\r\nContent-Disposition: form-data; name=\"firmware\"; filename=\"\"\r\n\r\n"
#define TEXT "--b\r\nContent-Disposition: form-data; name=\"text\"\r\n\r\nx"
#define END "\r\n--b--\r\n"

static void test_requests_without_a_file(void **state)
{
    static const struct {
        const char *lines, *body;
        unsigned status;
        const char *text;
    } cases[] = {
        {"", "", 400, "there is no file in this request\n"},
        {FORM, "", 400, "there is no file in this request\n"},
        {FORM, "--b--\r\n", 400, "there is no file in this form\n"},
        {FORM, TEXT END, 400, "there is no file in this form\n"},
        {FORM, NO_FILE_HEAD END, 400, "there is no file in this form\n"},
        {FORM, FILE_HEAD END, 400, "the file is empty\n"},
        {FORM, "garbage", 400, "the form is cut off: its last delimiter is missing\n"},
        {FORM, "--c\r\n\r\n\r\n--c--\r\n", 400,
         "the form is cut off: its last delimiter is missing\n"},
        {FORM, "--b\r\ngarbage\r\n\r\nx" END, 400, "the form is malformed\n"},
        {"Content-Type: multipart/form-data\r\n", "x", 400, "No multipart boundary found."},
        {"Content-Type: multipart/form-data; boundary=\r\n", "x", 400,
         "No multipart boundary found."},
        {FORM, "--b\r\nContent-Disposition: form-data; name=\"MD5\"\r\n\r\n0123" END, 400,
         "MD5 parameter invalid"},
        {FORM,
         "--b\r\nContent-Disposition: form-data; name=\"MD5\"\r\n\r\n"
         "0123456789abcdef0123456789abcdefff" END,
         400, "MD5 parameter invalid"},
        {FORM,
         "--b\r\nContent-Disposition: form-data; name=\"MD5\"\r\n\r\n"
         "0123456789abcdef0123456789abcdeg" END,
         400, "MD5 parameter invalid"},
    };

    /* Asked twice: what the first left behind must not help the second. */
    for (size_t i = 0; i < 2 * sizeof cases / sizeof *cases; i++) {
        size_t n = i / 2;
        if (i % 2 == 0) {
            set_up(state);
        }
        post("/update", cases[n].lines, cases[n].body);
        if (strcmp(web_bench_body(&bench, 0), cases[n].text) != 0) {
            print_message("%s%s\n", cases[n].lines, cases[n].body);
        }
        assert_string_equal(web_bench_body(&bench, 0), cases[n].text);
        assert_int_equal(web_bench_status(&bench, 0), cases[n].status);
        web_bench_assert_nothing(&bench);
        if (i % 2 == 1) {
            assert_next_works();
            /* Nor what a good one left. */
            bench.restarts = 0;
            web_bench_note_flash(&bench);
            post("/update", cases[n].lines, cases[n].body);
            assert_int_equal(web_bench_status(&bench, 0), cases[n].status);
            web_bench_assert_nothing(&bench);
        }
    }
}

static void test_a_length_is_needed(void **state)
{
    (void)state;
    web_bench_compose(&bench, "POST /update HTTP/1.1\r\nHost: board\r\n", NULL, 0);
    assert_int_equal(web_bench_ask(&bench), 411);
    web_bench_assert_nothing(&bench);
}

static void append_part(char *body, size_t *len, const char *head, const void *data,
                        size_t data_len)
{
    *len += (size_t)sprintf(body + *len, "%s", head);
    memcpy(body + *len, data, data_len);
    *len += data_len;
    *len += (size_t)sprintf(body + *len, "\r\n");
}

static unsigned post_form(const char *body, size_t len)
{
    char head[256];

    snprintf(head, sizeof head,
             "POST /update HTTP/1.1\r\nHost: board\r\nContent-Length: %zu\r\n" FORM, len);
    web_bench_compose(&bench, head, body, len);
    return web_bench_ask(&bench);
}

static void test_two_files_are_one_too_many(void **state)
{
    char body[2048];
    size_t len = 0;

    (void)state;
    append_part(body, &len, FILE_HEAD, bench.image, bench.image_len);
    append_part(body, &len, FILE_HEAD, bench.image, bench.image_len);
    len += (size_t)sprintf(body + len, "--b--\r\n");
    assert_int_equal(post_form(body, len), 400);
    assert_string_equal(web_bench_body(&bench, 0), "more than one file: one at a time, please\n");
    assert_int_equal(bench.restarts, 0);
    assert_int_equal(bench.intake.accepted, 0);
    assert_int_equal(bench.intake.state, OTA_INTAKE_FREE);
    assert_next_works();
}

/* A form with two fields of which one was used, and text beside it. */
static void test_other_fields_do_no_harm(void **state)
{
    char body[2048];
    size_t len = 0;

    (void)state;
    append_part(body, &len, TEXT "\r\n", "", 0);
    len -= 2;
    append_part(body, &len, NO_FILE_HEAD, "", 0);
    append_part(body, &len, FILE_HEAD, bench.image, bench.image_len);
    append_part(body, &len, NO_FILE_HEAD, "", 0);
    append_part(body, &len, TEXT, "", 0);
    len += (size_t)sprintf(body + len, "--b--\r\n");
    assert_int_equal(post_form(body, len), 200);
    web_bench_assert_updated(&bench);
}

/* A text part MD5 before the file, as one tool sends it. */
static void test_a_text_part_with_the_md5(void **state)
{
    char part[256], body[2048];
    size_t len = 0;

    (void)state;
    snprintf(part, sizeof part,
             "--b\r\nContent-Disposition: form-data; name=\"MD5\"\r\n\r\n%s\r\n" FILE_HEAD,
             bench.md5);
    append_part(body, &len, part, bench.image, bench.image_len);
    len += (size_t)sprintf(body + len, "--b--\r\n");
    assert_int_equal(post_form(body, len), 200);
    web_bench_assert_updated(&bench);

    set_up(state);
    char *digit = strstr(body, bench.md5);
    *digit = *digit == '0' ? '1' : '0';
    assert_int_equal(post_form(body, len), 200);
    assert_string_equal(web_bench_body(&bench, 0), "Update error: MD5 Check Failed\r\n");
    assert_int_equal(bench.restarts, 0);
    assert_int_equal(bench.intake.accepted, 0);
}

static void test_the_last_line_end_may_be_missing(void **state)
{
    set_up(state);
    char body[2048];
    size_t len = 0;
    append_part(body, &len, FILE_HEAD, bench.image, bench.image_len);
    len += (size_t)sprintf(body + len, "--b--");
    assert_int_equal(post_form(body, len), 200);
    web_bench_assert_updated(&bench);

    /* Announced and never sent: the file is there all the same. */
    set_up(state);
    char head[256];
    snprintf(head, sizeof head,
             "POST /update HTTP/1.1\r\nHost: board\r\nContent-Length: %zu\r\n" FORM, len + 2);
    web_bench_compose(&bench, head, body, len);
    assert_int_equal(web_bench_ask(&bench), 0);
    assert_int_equal(bench.intake.accepted, 0);
    web_bench_wait(&bench, OTA_HTTP_SERVER_BODY_MS);
    assert_int_equal(web_bench_status(&bench, 0), 200);
    assert_int_equal(bench.restarts, 1);
    web_bench_assert_updated(&bench);
}

/* ---- Breaking off ---------------------------------------------------------------------------- */

enum end {
    END_LOST,
    END_CLOSED,
    END_SILENT,
    END_COUNT
};

static void break_off(enum end end)
{
    switch (end) {
    case END_LOST:
        ota_http_server_closed(&bench.connection[0].http, OTA_ERR_CONNECTION_LOST);
        break;
    case END_CLOSED:
        ota_http_server_closed(&bench.connection[0].http, OTA_OK);
        web_bench_take(&bench, 0);
        break;
    default:
        web_bench_wait(&bench, OTA_HTTP_SERVER_BODY_MS);
        break;
    }
}

/* At each byte, in each way; the body's length is right, but it never comes to its end. */
static void test_uploads_that_break_off(void **state)
{
    for (unsigned form = 0; form < 2; form++) {
        set_up(state);
        if (form != 0) {
            web_bench_compose_form(&bench, "/update", "", "firmware", "x", bench.image,
                                   bench.image_len);
        } else {
            web_bench_compose_raw(&bench, "/update", "", bench.image, bench.image_len);
        }
        size_t len = bench.request_len;
        /* A form is whole with its closing delimiter, two bytes before its end. */
        for (size_t cut = 0; cut < len - (form != 0 ? 2 : 0); cut++) {
            for (unsigned end = 0; end < END_COUNT; end++) {
                web_bench_begin(&bench);
                web_bench_feed(&bench, 0, bench.request, cut);
                break_off((enum end)end);
                assert_int_equal(bench.restarts, 0);
                assert_int_equal(bench.intake.accepted, 0);
                assert_int_equal(bench.intake.state, OTA_INTAKE_FREE);
                assert_null(bench.web.upload.owner);
                assert_int_not_equal(web_bench_status(&bench, 0), 200);
            }
        }
        assert_next_works();
    }
}

static void test_a_raw_body_that_ends_early_is_a_protocol_error(void **state)
{
    (void)state;
    web_bench_compose_raw(&bench, "/update", "", bench.image, bench.image_len);
    for (unsigned end = END_CLOSED; end < END_COUNT; end++) {
        web_bench_open(&bench, 0);
        web_bench_feed(&bench, 0, bench.request, bench.request_len - 1);
        break_off((enum end)end);
        assert_int_equal(web_bench_status(&bench, 0), 500);
        assert_string_equal(web_bench_body(&bench, 0), "Protocol Error");
    }
}

/* ---- Chunks ---------------------------------------------------------------------------------- */

/* What was composed as a raw body or a form, with its body in chunks of `size`. */
static void in_chunks(size_t size)
{
    static char chunked[16384];
    char *body = strstr(bench.request, "\r\n\r\n") + 4;
    size_t head_len = (size_t)(body - bench.request), left = bench.request_len - head_len, len;
    char *length = strstr(bench.request, "Content-Length:");
    char *after = strstr(length, "\r\n") + 2;

    len = (size_t)sprintf(chunked, "%.*sTransfer-Encoding: chunked\r\n%.*s",
                          (int)(length - bench.request), bench.request, (int)(body - after), after);
    while (left > 0) {
        size_t piece = size < left ? size : left;
        len += (size_t)sprintf(chunked + len, "%zx\r\n", piece);
        memcpy(chunked + len, body, piece);
        len += piece;
        len += (size_t)sprintf(chunked + len, "\r\n");
        body += piece;
        left -= piece;
    }
    len += (size_t)sprintf(chunked + len, "0\r\n\r\n");
    assert_true(len < sizeof chunked);
    memcpy(bench.request, chunked, len);
    bench.request_len = len;
}

static void test_bodies_in_chunks(void **state)
{
    for (size_t size = 1; size < 900; size = size * 3 + 1) {
        set_up(state);
        web_bench_compose_raw(&bench, "/update", "", bench.image, bench.image_len);
        in_chunks(size);
        assert_int_equal(web_bench_ask(&bench), 200);
        web_bench_assert_updated(&bench);
        set_up(state);
        web_bench_compose_form(&bench, "/update", "", "firmware", "x", bench.image,
                               bench.image_len);
        in_chunks(size);
        bench.step = 7;
        assert_int_equal(web_bench_ask(&bench), 200);
        web_bench_assert_updated(&bench);
    }
    /* Cut off before the last chunk: not even a whole file counts. */
    set_up(state);
    web_bench_compose_raw(&bench, "/update", "", bench.image, bench.image_len);
    in_chunks(100);
    bench.request_len -= 5;
    web_bench_ask(&bench);
    ota_http_server_closed(&bench.connection[0].http, OTA_OK);
    web_bench_take(&bench, 0);
    assert_int_equal(web_bench_status(&bench, 0), 500);
    assert_int_equal(bench.intake.accepted, 0);
    assert_int_equal(bench.restarts, 0);
    /* An empty one is no file. */
    web_bench_compose_raw(&bench, "/update", "", NULL, 0);
    in_chunks(1);
    assert_int_equal(web_bench_ask(&bench), 400);
    assert_int_equal(bench.restarts, 0);
    assert_next_works();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_requests_without_a_file),
        cmocka_unit_test_setup(test_a_length_is_needed, set_up),
        cmocka_unit_test_setup(test_two_files_are_one_too_many, set_up),
        cmocka_unit_test_setup(test_other_fields_do_no_harm, set_up),
        cmocka_unit_test_setup(test_a_text_part_with_the_md5, set_up),
        cmocka_unit_test(test_the_last_line_end_may_be_missing),
        cmocka_unit_test(test_uploads_that_break_off),
        cmocka_unit_test_setup(test_a_raw_body_that_ends_early_is_a_protocol_error, set_up),
        cmocka_unit_test(test_bodies_in_chunks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
