/* SPDX-License-Identifier: Apache-2.0 */
/* Uploads in every dialect: what each sender sends, where the file goes, and what it is told. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "proto/web_bench.h"
#include "support/gzip_file.h"
#include "support/images.h"

static struct web_bench bench;

static int set_up(void **state)
{
    (void)state;
    web_bench_make(&bench, 0);
    web_bench_begin(&bench);
    return 0;
}

#define REBOOTING "<META http-equiv=\"refresh\" content=\"15;URL=/\">Update Success! Rebooting..."
#define PSYCHIC "<b style='color:green'>Update done for file.</b>"

struct dialect_case {
    const char *target, *name, *file_name; /* name NULL: raw */
    bool is_data;
    const char *type, *body;
    bool restarts;
};

static const struct dialect_case dialects[] = {
    /* Arduino. */
    {"/update", "firmware", "sketch.bin", false, "text/html", REBOOTING, true},
    {"/update", "image", "sketch.bin.gz", false, "text/html", REBOOTING, true},
    {"/update", "", "x", false, "text/html", REBOOTING, true},
    {"/update", "filesystem", "fs.image", true, "text/html", REBOOTING, true},
    {"/update", "image", "my_spiffs.bin", true, "text/html", REBOOTING, true},
    {"/update", "image", "littlefs.bin", true, "text/html", REBOOTING, true},
    {"/update", "image", "filesystem-2.bin", true, "text/html", REBOOTING, true},
    {"/update", "firmware", "my_fs.bin", false, "text/html", REBOOTING, true},
    {"/update?mode=fs", "image", "x.bin", true, "text/html", REBOOTING, true},
    {"/update", "file", "firmware.bin", false, "text/html", REBOOTING, true},
    {"/update", "image", "v1_code.bin", false, "text/html", REBOOTING, true},
    /* Psychic. */
    {"/update", "file", "v1_code.bin", false, "text/html", PSYCHIC, false},
    {"/update", "file", "littlefs.bin", true, "text/html", PSYCHIC, false},
    {"/update?v1_code.bin", NULL, NULL, false, "text/html", PSYCHIC, false},
    {"/update?_filename=littlefs.bin", NULL, NULL, true, "text/html", PSYCHIC, false},
    {"/update", NULL, "littlefs.bin", true, "text/html", PSYCHIC, false},
    {"/update?littlefs.bin", NULL, "code.bin", false, "text/html", PSYCHIC, false},
    /* Raw. */
    {"/update", NULL, NULL, false, "text/html", "Firmware update complete, rebooting now!\n", true},
    {"/update?mode=fs", NULL, NULL, true, "text/html", "Firmware update complete, rebooting now!\n",
     true},
    {"/update", NULL, "spiffs.bin", true, "text/html", "Firmware update complete, rebooting now!\n",
     true},
    /* ESPHome. */
    {"/update", "update", "garden.bin", false, "text/plain", "Update Successful!", true},
};

static void compose(const struct dialect_case *upload, const void *data, size_t len)
{
    char lines[128] = "";

    if (upload->name != NULL) {
        web_bench_compose_form(&bench, upload->target, "", upload->name, upload->file_name, data,
                               len);
        return;
    }
    if (upload->file_name != NULL) {
        snprintf(lines, sizeof lines, "Content-Disposition: attachment; filename=\"%s\"\r\n",
                 upload->file_name);
    }
    web_bench_compose_raw(&bench, upload->target, lines, data, len);
}

static void assert_success(const struct dialect_case *upload)
{
    char line[64];

    if (web_bench_status(&bench, 0) != 200 ||
        strcmp(web_bench_body(&bench, 0), upload->body) != 0) {
        print_message("%s %s %s\n", upload->target, upload->name, upload->file_name);
    }
    assert_int_equal(web_bench_status(&bench, 0), 200);
    assert_string_equal(web_bench_body(&bench, 0), upload->body);
    snprintf(line, sizeof line, "Content-Type: %s", upload->type);
    assert_true(web_bench_has_line(&bench, 0, line));
    assert_true(web_bench_has_line(&bench, 0, "Connection: keep-alive"));
    assert_int_equal(bench.restarts, upload->restarts ? 1 : 0);
    if (upload->is_data) {
        web_bench_assert_data(&bench);
    } else {
        web_bench_assert_updated(&bench);
    }
}

static void test_every_dialect(void **state)
{
    for (size_t i = 0; i < sizeof dialects / sizeof *dialects; i++) {
        set_up(state);
        compose(&dialects[i], bench.image, bench.image_len);
        web_bench_ask(&bench);
        assert_success(&dialects[i]);
    }
}

/* One of each framing, cut in two at every place, and byte by byte. */
static void test_every_dialect_however_it_is_cut(void **state)
{
    static const unsigned some[] = {0, 11, 13, 17, 20};

    for (size_t i = 0; i < sizeof some / sizeof *some; i++) {
        const struct dialect_case *upload = &dialects[some[i]];
        set_up(state);
        compose(upload, bench.image, bench.image_len);
        size_t len = bench.request_len;
        for (size_t cut = 1; cut < len; cut++) {
            memset(bench.ram.memory + RAM_OTA_0, 0xFF, RAM_SLOT_SIZE);
            memset(bench.ram.memory + RAM_OTADATA, 0xFF, 0x2000);
            web_bench_begin(&bench);
            bench.first = cut;
            web_bench_ask(&bench);
            assert_success(upload);
        }
        for (size_t step = 1; step < 6; step++) {
            memset(bench.ram.memory + RAM_OTADATA, 0xFF, 0x2000);
            web_bench_begin(&bench);
            bench.first = 0;
            bench.step = step;
            web_bench_ask(&bench);
            assert_success(upload);
        }
    }
}

struct failure_case {
    const char *target, *name, *file_name;
    unsigned status;
    const char *body;
};

/* A file whose first byte is no image's. */
static void test_a_wrong_file(void **state)
{
    static const struct failure_case cases[] = {
        {"/update", "firmware", "x.bin", 200, "Update error: Wrong Magic Byte\r\n"},
        {"/update", "file", "code.bin", 500, " Update.errorString() Wrong Magic Byte"},
        {"/update", NULL, NULL, 500, "Flash Error"},
        {"/update", "update", "x.bin", 200, "Update Failed: Wrong Magic Byte\r\n"},
    };
    static char junk[5000];

    memset(junk, 'j', sizeof junk);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct dialect_case upload = {
            cases[i].target, cases[i].name, cases[i].file_name, false, NULL, NULL, false};
        set_up(state);
        compose(&upload, junk, sizeof junk);
        assert_int_equal(web_bench_ask(&bench), cases[i].status);
        assert_string_equal(web_bench_body(&bench, 0), cases[i].body);
        char line[128];
        snprintf(line, sizeof line, "X-Updraft-Error: %s", ota_err_text(OTA_ERR_IMAGE_MAGIC));
        assert_true(web_bench_has_line(&bench, 0, line));
        web_bench_assert_nothing(&bench);

        /* Nothing sticks: the next one is good. */
        compose(&upload, bench.image, bench.image_len);
        assert_int_equal(web_bench_ask(&bench), 200);
        web_bench_assert_updated(&bench);
    }
}

/* A file that shows only at its end that it is broken. What the original's words do not say stands
   behind them; the three of the raw dialect are all that it says. */
static void test_a_broken_file(void **state)
{
#define CUT "Aborted (the image ends too early: the file is cut short)"
    static const struct failure_case cases[] = {
        {"/update", "firmware", "x.bin", 200, "Update error: " CUT "\r\n"},
        {"/update", "file", "code.bin", 500, " Update.errorString() " CUT},
        {"/update", NULL, NULL, 500, "Validation / Activation Error"},
        {"/update", "update", "x.bin", 200, "Update Failed: " CUT "\r\n"},
        {"/ota/upload", "file", "x.bin", 400, CUT},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct dialect_case upload = {
            cases[i].target, cases[i].name, cases[i].file_name, false, NULL, NULL, false};
        set_up(state);
        /* One short, so that it is noticed when all that was sent is there. */
        assert_int_equal(web_bench_get(&bench, "/ota/start", ""), 200);
        compose(&upload, bench.image, bench.image_len - 1);
        assert_int_equal(web_bench_ask(&bench), cases[i].status);
        assert_string_equal(web_bench_body(&bench, 0), cases[i].body);
        assert_true(web_bench_has_line(
            &bench, 0, "X-Updraft-Error: the image ends too early: the file is cut short"));
        assert_int_equal(bench.restarts, 0);
        assert_int_equal(bench.intake.state, OTA_INTAKE_FREE);
        assert_int_equal(bench.intake.accepted, 0);
    }
}

/* A file that is shorter than was announced. */
static void test_an_incomplete_file(void **state)
{
#define FEWER "Aborted (fewer bytes came than were announced)"
    static const struct failure_case cases[] = {
        {"/update", "firmware", "x.bin", 200, "Update error: " FEWER "\r\n"},
        {"/update", "file", "code.bin", 500, " Update.errorString() " FEWER},
        {"/update", "update", "x.bin", 200, "Update Failed: " FEWER "\r\n"},
        {"/ota/upload", "file", "x.bin", 400, FEWER},
    };
    char lines[64];

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        set_up(state);
        assert_int_equal(web_bench_get(&bench, "/ota/start", ""), 200);
        snprintf(lines, sizeof lines, "X-Size: %zu\r\n", bench.image_len + 1);
        web_bench_compose_form(&bench, cases[i].target, lines, cases[i].name, cases[i].file_name,
                               bench.image, bench.image_len);
        assert_int_equal(web_bench_ask(&bench), cases[i].status);
        assert_string_equal(web_bench_body(&bench, 0), cases[i].body);
        assert_int_equal(bench.restarts, 0);
        assert_int_equal(bench.intake.accepted, 0);
    }
}

/* A connection that ends, or stalls, in the middle of the file: the sender may still hear why. */
static void test_an_upload_that_is_cut_off(void **state)
{
    static const struct {
        const char *target, *name, *lines;
        bool ends; /* else it says nothing any more */
        unsigned status;
        const char *body;
    } cases[] = {
        {"/update", NULL, "", true, 500, "Protocol Error"},
        {"/update", NULL, "", false, 500, "Protocol Error"},
        {"/update", "firmware", "", true, 400,
         "the form is cut off: the connection ended in the middle\n"},
        {"/update", "firmware", "", false, 408, "the form is cut off: nothing came for too long\n"},
        {"/ota/upload", "file", "", true, 400,
         "the form is cut off: the connection ended in the middle\n"},
        {"/update", "file", "X-Updraft: 1\r\n", true, 400,
         "{\"ok\":false,\"error\":\"FORM\","
         "\"text\":\"the form is cut off: the connection ended in the middle\"}\n"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        set_up(state);
        assert_int_equal(web_bench_get(&bench, "/ota/start", ""), 200);
        if (cases[i].name != NULL) {
            web_bench_compose_form(&bench, cases[i].target, cases[i].lines, cases[i].name, "x",
                                   bench.image, bench.image_len);
        } else {
            web_bench_compose_raw(&bench, cases[i].target, "", bench.image, bench.image_len);
        }
        bench.request_len -= 100;
        web_bench_open(&bench, 0);
        web_bench_send(&bench, 0);
        assert_int_equal(web_bench_status(&bench, 0), 0);
        if (cases[i].ends) {
            ota_http_server_closed(&bench.connection[0].http, OTA_OK);
            web_bench_take(&bench, 0);
        } else {
            web_bench_wait(&bench, OTA_HTTP_SERVER_BODY_MS);
        }
        assert_int_equal(web_bench_status(&bench, 0), cases[i].status);
        assert_string_equal(web_bench_body(&bench, 0), cases[i].body);
        assert_int_equal(bench.restarts, 0);
        assert_int_equal(bench.intake.state, OTA_INTAKE_FREE);
        assert_int_equal(bench.intake.accepted, 0);
    }
}

static void test_the_esp8266_has_numbers(void **state)
{
    static const char junk[] = "no image, but long enough to be looked at";

    set_up(state);
    bench.ram.device.form = OTA_IMAGE_ESP8266;
    web_bench_compose_form(&bench, "/update", "", "firmware", "x", junk, sizeof junk);
    assert_int_equal(web_bench_ask(&bench), 200);
    assert_string_equal(web_bench_body(&bench, 0),
                        "Update error: ERROR[10]: Magic byte is not 0xE9\n");
    web_bench_compose_form(&bench, "/update", "", "update", "x", junk, sizeof junk);
    assert_int_equal(web_bench_ask(&bench), 200);
    assert_string_equal(web_bench_body(&bench, 0),
                        "Update Failed: ERROR[10]: Magic byte is not 0xE9\n");
}

/* ---- Digests and sizes ----------------------------------------------------------------------- */

static void ask_raw(const char *format, const char *value)
{
    char lines[256];

    /* NOLINTNEXTLINE(clang-diagnostic-format-nonliteral): the caller's */
    snprintf(lines, sizeof lines, "%s%s\r\n", format, value);
    web_bench_compose_raw(&bench, "/update", lines, bench.image, bench.image_len);
    web_bench_ask(&bench);
}

static void test_digests_are_compared(void **state)
{
    static const char zeros[] = "0000000000000000000000000000000000000000000000000000000000000000";
    static const struct {
        const char *line;
        size_t digits;
    } lines[] = {{"x-MD5: ", 32}, {"X-SHA256: ", 64}};
    char value[65];

    for (size_t i = 0; i < 2; i++) {
        set_up(state);
        snprintf(value, sizeof value, "%.*s", (int)lines[i].digits, zeros);
        ask_raw(lines[i].line, value);
        assert_int_equal(web_bench_status(&bench, 0), 500);
        assert_int_equal(bench.intake.accepted, 0);
        ask_raw(lines[i].line, value + 1);
        assert_int_equal(web_bench_status(&bench, 0), 400);
        assert_string_equal(web_bench_body(&bench, 0), "x-MD5, x-SHA256 or X-Size is malformed\n");
        value[3] = 'g';
        ask_raw(lines[i].line, value);
        assert_int_equal(web_bench_status(&bench, 0), 400);
        ask_raw(lines[i].line, i == 0 ? bench.md5 : bench.sha256);
        assert_int_equal(web_bench_status(&bench, 0), 200);
        web_bench_assert_updated(&bench);
    }
}

static void test_sizes_are_compared(void **state)
{
    char line[64];

    set_up(state);
    ask_raw("X-Size: ", "1000");
    assert_int_equal(web_bench_status(&bench, 0), 400);
    ask_raw("X-Size: ", "0");
    assert_int_equal(web_bench_status(&bench, 0), 400);
    web_bench_assert_nothing(&bench);
    web_bench_compose_form(&bench, "/update", "X-Size: 1000\r\nX-Updraft: 1\r\n", "file", "x",
                           bench.image, bench.image_len);
    assert_int_equal(web_bench_ask(&bench), 400);
    assert_int_equal(bench.restarts, 0);
    snprintf(line, sizeof line, "X-Size: %zu\r\n", bench.image_len);
    web_bench_compose_form(&bench, "/update", line, "firmware", "x", bench.image, bench.image_len);
    assert_int_equal(web_bench_ask(&bench), 200);
    assert_int_equal(bench.intake.arrival.size, bench.image_len);
    web_bench_assert_updated(&bench);
}

/* What is compressed is for each dialect what it unpacks to. */
static void test_every_dialect_compressed(void **state)
{
    static uint8_t packed[WEB_IMAGE_MAX];

    for (size_t i = 0; i < sizeof dialects / sizeof *dialects; i++) {
        set_up(state);
        web_bench_take_gzip(&bench);
        size_t len = gzip_file_make(packed, sizeof packed, bench.image, bench.image_len);
        assert_true(len > 0);
        compose(&dialects[i], packed, len);
        web_bench_ask(&bench);
        assert_success(&dialects[i]);
    }
    assert_int_equal(web_bench_get(&bench, "/update/info", ""), 200);
    assert_non_null(strstr(web_bench_body(&bench, 0), "\"gzip\":true"));
}

/* A compressed file may be larger than what comes out of it, by an eighth. */
static void test_too_large_for_what_is_compressed(void **state)
{
    static const struct {
        const char *type;
        unsigned length;
        bool is_refused;
    } heads[] = {
        {"application/octet-stream", 73728, false},
        {"application/octet-stream", 73729, true},
        {"multipart/form-data; boundary=b", 73728 + OTA_WEB_SLACK, false},
        {"multipart/form-data; boundary=b", 73729 + OTA_WEB_SLACK, true},
    };
    char head[256];

    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
        set_up(state);
        web_bench_take_gzip(&bench);
        snprintf(head, sizeof head,
                 "POST /update HTTP/1.1\r\nHost: board\r\nExpect: 100-continue\r\n"
                 "Content-Type: %s\r\nContent-Length: %u\r\n",
                 heads[i].type, heads[i].length);
        web_bench_compose(&bench, head, NULL, 0);
        web_bench_ask(&bench);
        assert_int_equal(web_bench_status(&bench, 0), heads[i].is_refused ? 413 : 100);
        web_bench_open(&bench, 0);
        web_bench_assert_nothing(&bench);
    }
}

static void test_too_large_is_said_before_the_body(void **state)
{
    static const char head[] = "POST /update HTTP/1.1\r\nHost: board\r\nExpect: 100-continue\r\n"
                               "Content-Length: 65537\r\n";
    static const char form[] = "POST /update HTTP/1.1\r\nHost: board\r\nExpect: 100-continue\r\n"
                               "Content-Type: multipart/form-data; boundary=b\r\n"
                               "Content-Length: 81921\r\n";

    set_up(state);
    web_bench_compose(&bench, head, NULL, 0);
    assert_int_equal(web_bench_ask(&bench), 413);
    assert_string_equal(web_bench_body(&bench, 0),
                        "the file does not fit: there is room for 65536 bytes\n");
    web_bench_compose(&bench, form, NULL, 0);
    assert_int_equal(web_bench_ask(&bench), 413);
    assert_null(strstr(bench.out[0], "100 Continue"));
    web_bench_assert_nothing(&bench);

    /* A data partition has room of its own. */
    char lines[] = "X-Updraft: 1\r\n";
    static char data[RAM_STORAGE_SIZE + 1];
    web_bench_compose_raw(&bench, "/update?mode=fs", lines, data, sizeof data);
    assert_int_equal(web_bench_ask(&bench), 413);
    assert_string_equal(web_bench_body(&bench, 0),
                        "{\"ok\":false,\"error\":\"TOO_LARGE\",\"room\":16384,"
                        "\"text\":\"the file does not fit\"}\n");
    web_bench_assert_nothing(&bench);

    /* By so little in a form, which may have more behind its file, it shows while it comes. */
    web_bench_compose_form(&bench, "/update", lines, "filesystem", "x", data, sizeof data);
    assert_int_equal(web_bench_ask(&bench), 413);
    assert_non_null(strstr(web_bench_body(&bench, 0), "\"room\":16384"));
    assert_int_equal(bench.restarts, 0);
    assert_int_equal(bench.intake.state, OTA_INTAKE_FREE);
}

/* A form is for the app or for data, as its part says; a block too much is told before anything is
   changed, however the request comes in pieces. A file that fills its place passes. */
static void test_too_large_is_said_at_the_forms_part(void **state)
{
    static uint8_t data[RAM_STORAGE_SIZE + 4096];
    static const char page[] = "X-Updraft: 1\r\n";
    static const char *const wanted[] = {"the file does not fit: there is room for 16384 bytes\n",
                                         "\"room\":16384"};

    memset(data, 0xA5, sizeof data);
    for (size_t i = 0; i < 4; i++) {
        set_up(state);
        bench.step = i < 2 ? 0 : 1;
        memset(bench.ram.memory + RAM_STORAGE, 0x5A, RAM_STORAGE_SIZE);
        web_bench_note_flash(&bench);
        web_bench_compose_form(&bench, "/update", i % 2 == 0 ? "" : page, "filesystem", "x", data,
                               sizeof data);
        assert_int_equal(web_bench_ask(&bench), 413);
        assert_non_null(strstr(web_bench_body(&bench, 0), wanted[i % 2]));
        assert_string_equal(bench.events, "U");
        assert_string_equal(bench.web.refused, "the file does not fit");
        assert_true(web_bench_same_flash(&bench));
        assert_int_equal(bench.intake.state, OTA_INTAKE_FREE);
        assert_null(bench.web.upload.owner);

        web_bench_compose_form(&bench, "/update", "", "filesystem", "x", data, RAM_STORAGE_SIZE);
        assert_int_equal(web_bench_ask(&bench), 200);
        assert_memory_equal(bench.ram.memory + RAM_STORAGE, data, RAM_STORAGE_SIZE);
    }
}

/* ---- Restart policy -------------------------------------------------------------------------- */

static void test_the_restart_is_the_boards_choice(void **state)
{
    static const struct {
        enum ota_web_restart restart;
        const char *name, *file_name, *body;
        unsigned restarts;
    } cases[] = {
        {OTA_WEB_RESTART_BY_HAND, "firmware", "x", "Update Success! Restart to run it.\n", 0},
        {OTA_WEB_RESTART_BY_HAND, NULL, NULL, "Firmware update complete, restart to run it.\n", 0},
        {OTA_WEB_RESTART_BY_HAND, "update", "x", "Update Successful!", 0},
        {OTA_WEB_RESTART_AT_ONCE, "file", "code.bin", PSYCHIC, 1},
        {OTA_WEB_RESTART_AT_ONCE, "firmware", "x", REBOOTING, 1},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct dialect_case upload = {
            "/update", cases[i].name, cases[i].file_name, false, NULL, NULL, false};
        set_up(state);
        bench.options.restart = cases[i].restart;
        web_bench_begin(&bench);
        compose(&upload, bench.image, bench.image_len);
        assert_int_equal(web_bench_ask(&bench), 200);
        assert_string_equal(web_bench_body(&bench, 0), cases[i].body);
        assert_int_equal(bench.restarts, cases[i].restarts);
        web_bench_assert_updated(&bench);
    }
}

/* Code, then data, then one restart by hand: what PsychicHttp's users do. */
static void test_two_uploads_and_one_restart(void **state)
{
    set_up(state);
    web_bench_compose_form(&bench, "/update", "", "file", "v1_code.bin", bench.image,
                           bench.image_len);
    assert_int_equal(web_bench_ask(&bench), 200);
    web_bench_compose_form(&bench, "/update", "", "file", "v1_littlefs.bin", bench.image,
                           bench.image_len);
    assert_int_equal(web_bench_ask(&bench), 200);
    assert_int_equal(bench.restarts, 0);
    web_bench_assert_updated(&bench);
    web_bench_assert_data(&bench);
    web_bench_compose(&bench, "POST /restart HTTP/1.1\r\nHost: board\r\nContent-Length: 0\r\n",
                      NULL, 0);
    assert_int_equal(web_bench_ask(&bench), 200);
    assert_string_equal(web_bench_body(&bench, 0), "<b style='color:green'>Restarting ...</b>");
    assert_true(web_bench_has_line(&bench, 0, "Content-Type: text/html"));
    assert_int_equal(bench.restarts, 1);
    assert_int_equal(bench.reason, OTA_RESTART_REQUESTED);
    assert_string_equal(bench.events, "R");
}

/* The restart follows the answer, whether or not that can still be given. */
static void test_the_restart_waits_for_the_answer(void **state)
{
    set_up(state);
    web_bench_compose_raw(&bench, "/update", "", bench.image, bench.image_len);
    web_bench_open(&bench, 0);
    assert_int_equal(
        ota_http_server_input(&bench.connection[0].http, bench.request, bench.request_len),
        bench.request_len);
    assert_int_equal(bench.intake.accepted, 1);
    assert_int_equal(bench.restarts, 0);
    char piece[20];
    size_t len = ota_http_server_output(&bench.connection[0].http, piece, sizeof piece);
    ota_http_server_sent(&bench.connection[0].http, len);
    assert_int_equal(bench.restarts, 0);
    ota_http_server_closed(&bench.connection[0].http, OTA_ERR_CONNECTION_LOST);
    assert_int_equal(bench.restarts, 1);
    assert_int_equal(bench.reason, OTA_RESTART_UPDATE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_dialect),
        cmocka_unit_test(test_every_dialect_compressed),
        cmocka_unit_test(test_every_dialect_however_it_is_cut),
        cmocka_unit_test(test_a_wrong_file),
        cmocka_unit_test(test_a_broken_file),
        cmocka_unit_test(test_an_incomplete_file),
        cmocka_unit_test(test_an_upload_that_is_cut_off),
        cmocka_unit_test(test_the_esp8266_has_numbers),
        cmocka_unit_test(test_digests_are_compared),
        cmocka_unit_test(test_sizes_are_compared),
        cmocka_unit_test(test_too_large_is_said_before_the_body),
        cmocka_unit_test(test_too_large_for_what_is_compressed),
        cmocka_unit_test(test_too_large_is_said_at_the_forms_part),
        cmocka_unit_test(test_the_restart_is_the_boards_choice),
        cmocka_unit_test(test_two_uploads_and_one_restart),
        cmocka_unit_test(test_the_restart_waits_for_the_answer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
