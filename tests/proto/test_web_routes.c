/* SPDX-License-Identifier: Apache-2.0 */
/* The page's side: what it is told, what it may ask for, and how gates and other uploads look from
   there. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include <updraft/slot.h>

#include "proto/web_bench.h"
#include "support/images.h"

static struct web_bench bench;

static int set_up(void **state)
{
    (void)state;
    web_bench_make(&bench, 0);
    web_bench_begin(&bench);
    return 0;
}

#define PAGE "X-Updraft: 1\r\n"

static unsigned post(const char *target)
{
    char head[256];

    snprintf(head, sizeof head, "POST %s HTTP/1.1\r\nHost: board\r\nContent-Length: 0\r\n" PAGE,
             target);
    web_bench_compose(&bench, head, NULL, 0);
    return web_bench_ask(&bench);
}

static void test_the_page(void **state)
{
    static const char page[] = "\x1f\x8b not really";

    (void)state;
    assert_int_equal(web_bench_get(&bench, "/update", ""), 200);
    assert_non_null(strstr(web_bench_body(&bench, 0), "name='firmware'"));
    assert_non_null(strstr(web_bench_body(&bench, 0), "name='filesystem'"));
    assert_true(web_bench_has_line(&bench, 0, "Content-Type: text/html; charset=utf-8"));

    bench.options.page = page;
    bench.options.page_len = sizeof page - 1;
    web_bench_begin(&bench);
    assert_int_equal(web_bench_get(&bench, "/?x=y", ""), 200);
    assert_string_equal(web_bench_body(&bench, 0), page);
    assert_true(web_bench_has_line(&bench, 0, "Content-Encoding: gzip"));
    assert_non_null(strstr(bench.out[0], "frame-ancestors 'none'"));
    assert_null(strstr(bench.out[0], "Access-Control"));
    web_bench_compose(&bench, "HEAD /update HTTP/1.1\r\nHost: board\r\n", NULL, 0);
    assert_int_equal(web_bench_ask(&bench), 200);
    assert_string_equal(web_bench_body(&bench, 0), "");
    bench.options.page_len = 0;
    assert_int_equal(ota_web_init(&bench.web, &bench.options), OTA_ERR_ARGUMENT);
}

static void test_other_methods_and_addresses(void **state)
{
    (void)state;
    assert_int_equal(web_bench_get(&bench, "/updat", ""), 404);
    assert_int_equal(web_bench_get(&bench, "/update/", ""), 404);
    assert_int_equal(web_bench_get(&bench, "/restart", ""), 405);
    assert_true(web_bench_has_line(&bench, 0, "Allow: POST, OPTIONS"));
    assert_int_equal(post("/update/info"), 405);
    assert_int_equal(post("/"), 405);
    web_bench_compose(&bench, "PUT /update HTTP/1.1\r\nHost: board\r\n", NULL, 0);
    assert_int_equal(web_bench_ask(&bench), 405);
    web_bench_compose(&bench, "OPTIONS /update HTTP/1.1\r\nHost: board\r\n", NULL, 0);
    assert_int_equal(web_bench_ask(&bench), 204);
    assert_true(web_bench_has_line(&bench, 0, "Allow: GET, HEAD, POST, OPTIONS"));
    assert_null(strstr(bench.out[0], "Access-Control"));
    web_bench_compose(&bench, "OPTIONS * HTTP/1.1\r\nHost: board\r\n", NULL, 0);
    assert_int_equal(web_bench_ask(&bench), 204);
    web_bench_assert_nothing(&bench);
}

/* ---- What it is told ------------------------------------------------------------------------- */

static void test_the_information(void **state)
{
    (void)state;
    bench.ram.device.rollback = true;
    bench.options.name = "the \"garden\"\n\xc3\xbc \xff";
    web_bench_begin(&bench);
    assert_int_equal(web_bench_get(&bench, "/update/info", ""), 200);
    assert_true(web_bench_has_line(&bench, 0, "Content-Type: application/json"));
    assert_true(web_bench_has_line(&bench, 0, "Cache-Control: no-store"));
    assert_string_equal(
        web_bench_body(&bench, 0),
        "{\"name\":\"the \\\"garden\\\"\\u000a\xc3\xbc \\u00ff\",\"chip\":\"esp32-s3\","
        "\"project\":\"test\",\"version\":\"1.0.0\",\"idf\":\"v5.2\",\"built\":\"Jan  1 2025 "
        "12:00:00\","
        "\"running\":\"factory\",\"on_trial\":false,\"can_roll_back\":false,\"gzip\":false,"
        "\"restart\":\"auto\","
        "\"boot\":\"5f0e9a31\",\"uptime_ms\":4294966295,\"busy\":null,\"slots\":["
        "{\"label\":\"factory\",\"size\":65536,\"project\":\"test\",\"version\":\"1.0.0\","
        "\"state\":null,\"runs\":true,\"next\":true},"
        "{\"label\":\"ota_0\",\"size\":65536,\"project\":null,\"version\":null,\"state\":null,"
        "\"runs\":false,\"next\":false},"
        "{\"label\":\"ota_1\",\"size\":65536,\"project\":null,\"version\":null,\"state\":null,"
        "\"runs\":false,\"next\":false}],"
        "\"data\":[{\"label\":\"storage\",\"size\":16384}]}\n");

    web_bench_compose_raw(&bench, "/update", PAGE, bench.image, bench.image_len);
    assert_int_equal(web_bench_ask(&bench), 200);
    assert_string_equal(web_bench_body(&bench, 0),
                        "{\"ok\":true,\"restart\":\"auto\",\"held\":false,"
                        "\"text\":\"The update is complete. The board restarts.\"}\n");
    assert_int_equal(web_bench_get(&bench, "/update/info", ""), 200);
    assert_non_null(
        strstr(web_bench_body(&bench, 0),
               "{\"label\":\"ota_0\",\"size\":65536,\"project\":\"test\","
               "\"version\":\"1.1.0\",\"state\":\"new\",\"runs\":false,\"next\":true}"));
}

static void test_the_information_while_an_update_comes(void **state)
{
    (void)state;
    web_bench_compose_raw(&bench, "/update", "", bench.image, bench.image_len);
    web_bench_open(&bench, 1);
    web_bench_feed(&bench, 1, bench.request, bench.request_len - 36);
    assert_int_equal(web_bench_get(&bench, "/update/info", ""), 200);
    char busy[128];
    snprintf(busy, sizeof busy, "\"busy\":{\"way\":\"http\",\"received\":%zu,\"size\":%zu},",
             bench.image_len - 36, bench.image_len);
    assert_non_null(strstr(web_bench_body(&bench, 0), busy));
    ota_http_server_closed(&bench.connection[1].http, OTA_ERR_CONNECTION_LOST);

    web_bench_compose_form(&bench, "/update", "", "file", "x", bench.image, bench.image_len);
    web_bench_open(&bench, 1);
    web_bench_feed(&bench, 1, bench.request, bench.request_len - 200);
    assert_int_equal(web_bench_get(&bench, "/update/info", ""), 200);
    assert_non_null(strstr(web_bench_body(&bench, 0), "\"size\":null},"));
}

/* ---- One at a time --------------------------------------------------------------------------- */

static void test_one_upload_at_a_time(void **state)
{
    for (unsigned form = 0; form < 2; form++) {
        set_up(state);
        if (form != 0) {
            web_bench_compose_form(&bench, "/update", "", "image", "x", bench.image,
                                   bench.image_len);
        } else {
            web_bench_compose_raw(&bench, "/update", "", bench.image, bench.image_len);
        }
        char rest[40];
        memcpy(rest, bench.request + bench.request_len - sizeof rest, sizeof rest);
        web_bench_open(&bench, 1);
        web_bench_feed(&bench, 1, bench.request, bench.request_len - sizeof rest);

        /* Others are told so before their body, and the page goes on. */
        web_bench_compose_raw(&bench, "/update", "Expect: 100-continue\r\n", bench.image,
                              bench.image_len);
        bench.request_len -= bench.image_len;
        assert_int_equal(web_bench_ask(&bench), 409);
        assert_string_equal(web_bench_body(&bench, 0),
                            "another update is under way: try again when it is over\n");
        web_bench_compose_form(&bench, "/update", PAGE, "firmware", "x", bench.image,
                               bench.image_len);
        assert_int_equal(web_bench_ask(&bench), 409);
        assert_string_equal(
            web_bench_body(&bench, 0),
            "{\"ok\":false,\"error\":\"BUSY\","
            "\"text\":\"another update is under way: try again when it is over\"}\n");
        assert_int_equal(post("/restart"), 409);
        assert_int_equal(post("/update/rollback"), 409);
        assert_int_equal(web_bench_get(&bench, "/update", ""), 200);
        assert_int_equal(bench.restarts, 0);

        web_bench_feed(&bench, 1, rest, sizeof rest);
        assert_int_equal(web_bench_status(&bench, 1), 200);
        assert_int_equal(bench.restarts, 1);
        web_bench_assert_updated(&bench);
    }
}

/* Also while the first one has said no more than that it will come. */
static void test_a_second_upload_before_the_first_file(void **state)
{
    (void)state;
    web_bench_compose_form(&bench, "/update", "", "image", "x", bench.image, bench.image_len);
    size_t len = bench.request_len;
    size_t head_len = (size_t)(strstr(bench.request, "\r\n\r\n") + 4 - bench.request);
    static char first[2048];
    assert_true(len <= sizeof first);
    memcpy(first, bench.request, len);
    web_bench_open(&bench, 1);
    web_bench_feed(&bench, 1, first, head_len);
    assert_int_equal(bench.intake.state, OTA_INTAKE_FREE);
    assert_int_equal(web_bench_ask(&bench), 409);
    web_bench_feed(&bench, 1, first + head_len, len - head_len);
    assert_int_equal(web_bench_status(&bench, 1), 200);
    web_bench_assert_updated(&bench);
}

/* The intake is somebody else's, or closed because a restart is due. */
static void test_other_ways_count_too(void **state)
{
    const struct ota_arrival arrival = {.way = "espota", .size = 1000};

    (void)state;
    assert_int_equal(ota_intake_begin(&bench.intake, &arrival), OTA_OK);
    web_bench_compose_raw(&bench, "/update", "", bench.image, bench.image_len);
    assert_int_equal(web_bench_ask(&bench), 409);
    assert_int_equal(bench.intake.state, OTA_INTAKE_TAKEN);
    ota_intake_abort(&bench.intake);

    /* Taken between a form's head and its file. */
    web_bench_compose_form(&bench, "/update", "", "image", "x", bench.image, bench.image_len);
    web_bench_open(&bench, 0);
    size_t head_len = (size_t)(strstr(bench.request, "\r\n\r\n") + 4 - bench.request);
    web_bench_feed(&bench, 0, bench.request, head_len);
    assert_int_equal(ota_intake_begin(&bench.intake, &arrival), OTA_OK);
    web_bench_feed(&bench, 0, bench.request + head_len, bench.request_len - head_len);
    assert_int_equal(web_bench_status(&bench, 0), 409);
    assert_int_equal(bench.intake.state, OTA_INTAKE_TAKEN);
    assert_int_equal(bench.restarts, 0);
    ota_intake_abort(&bench.intake);

    bench.intake.is_closed = true;
    web_bench_compose_raw(&bench, "/update", "", bench.image, bench.image_len);
    assert_int_equal(web_bench_ask(&bench), 409);
    assert_string_equal(web_bench_body(&bench, 0),
                        "the device is about to restart: try again in a few seconds\n");

    /* Closed between a form's head and its file. */
    bench.intake.is_closed = false;
    web_bench_compose_form(&bench, "/update", PAGE, "image", "x", bench.image, bench.image_len);
    web_bench_open(&bench, 0);
    head_len = (size_t)(strstr(bench.request, "\r\n\r\n") + 4 - bench.request);
    web_bench_feed(&bench, 0, bench.request, head_len);
    bench.intake.is_closed = true;
    web_bench_feed(&bench, 0, bench.request + head_len, bench.request_len - head_len);
    assert_int_equal(web_bench_status(&bench, 0), 409);
    assert_non_null(strstr(web_bench_body(&bench, 0), "\"error\":\"RESTARTING\""));
}

/* ---- Restart and roll back ------------------------------------------------------------------- */

static void test_restart(void **state)
{
    (void)state;
    assert_int_equal(post("/update/restart"), 200);
    assert_string_equal(web_bench_body(&bench, 0),
                        "{\"ok\":true,\"restart\":\"auto\",\"held\":false,"
                        "\"text\":\"The board restarts.\"}\n");
    assert_int_equal(bench.restarts, 1);
    bench.restarts = 0;
    /* However it is asked, a body does not matter. */
    web_bench_compose(&bench, "POST /restart HTTP/1.1\r\nHost: board\r\nContent-Length: 3\r\n",
                      "abc", 3);
    assert_int_equal(web_bench_ask(&bench), 200);
    assert_int_equal(bench.restarts, 1);
}

/* Two slots with an image each, the second runs. */
static void make_two_slots(void)
{
    const struct image_facts facts = {.chip = OTA_CHIP_ESP32S3, .version = "0.9.0"};

    assert_true(image_make(bench.ram.memory + RAM_OTA_0, RAM_SLOT_SIZE, &facts) > 0);
    assert_true(image_make(bench.ram.memory + RAM_OTA_1, RAM_SLOT_SIZE, &facts) > 0);
    bench.ram.device.rollback = true;
    assert_int_equal(ota_slot_set_boot(&bench.ram.device, 0), OTA_OK);
    bench.ram.device.running_slot = 0;
    assert_int_equal(ota_slot_confirm(&bench.ram.device), OTA_OK);
    assert_int_equal(ota_slot_set_boot(&bench.ram.device, 1), OTA_OK);
    bench.ram.device.running_slot = 1;
    assert_int_equal(ota_slot_confirm(&bench.ram.device), OTA_OK);
}

static void test_roll_back(void **state)
{
    int boots = OTA_SLOT_NONE;

    (void)state;
    assert_int_equal(post("/update/rollback"), 409);
    assert_non_null(strstr(web_bench_body(&bench, 0), "{\"ok\":false,\"error\":\""));
    web_bench_assert_nothing(&bench);

    make_two_slots();
    web_bench_begin(&bench);
    assert_int_equal(web_bench_get(&bench, "/update/info", ""), 200);
    assert_non_null(strstr(web_bench_body(&bench, 0), "\"can_roll_back\":true"));
    assert_int_equal(post("/update/rollback"), 200);
    assert_non_null(strstr(web_bench_body(&bench, 0), "\"ok\":true,\"restart\":\"auto\""));
    assert_int_equal(bench.restarts, 1);
    assert_int_equal(bench.reason, OTA_RESTART_REJECTED);
    assert_string_equal(bench.events, "B");
    assert_int_equal(ota_slot_boot(&bench.ram.device, &boots), OTA_OK);
    assert_int_equal(boots, 0);
}

static void test_roll_back_by_hand(void **state)
{
    (void)state;
    make_two_slots();
    bench.options.restart = OTA_WEB_RESTART_BY_HAND;
    web_bench_begin(&bench);
    web_bench_compose(&bench, "POST /update/rollback HTTP/1.1\r\nHost: board\r\n", NULL, 0);
    assert_int_equal(web_bench_ask(&bench), 200);
    assert_string_equal(web_bench_body(&bench, 0), "The next start is into the other image.\n");
    assert_int_equal(bench.restarts, 0);
    assert_int_equal(web_bench_get(&bench, "/update/info", ""), 200);
    assert_non_null(strstr(web_bench_body(&bench, 0), "\"restart\":\"user\""));
}

static enum ota_err no_roll_back(void *context)
{
    (void)context;
    return OTA_ERR_FLASH_WRITE;
}

static void test_a_roll_back_that_fails(void **state)
{
    (void)state;
    make_two_slots();
    bench.options.roll_back = no_roll_back;
    web_bench_begin(&bench);
    assert_int_equal(post("/update/rollback"), 500);
    web_bench_assert_nothing(&bench);
}

/* ---- Gates ----------------------------------------------------------------------------------- */

static enum ota_gate_stage refuses_at;
static enum ota_err refuses_with;

static enum ota_err decide(void *context, const struct ota_gate_question *question,
                           struct ota_gate_answer *answer)
{
    (void)context;
    assert_string_equal(question->way, "http");
    if (question->stage != refuses_at) {
        return OTA_OK;
    }
    answer->reason = "the pump runs";
    return refuses_with;
}

static void gate(enum ota_gate_stage stage, enum ota_err err)
{
    static struct ota_gate_hook hook = OTA_GATE_HOOK(NULL, decide, NULL);

    refuses_at = stage;
    refuses_with = err;
    bench.intake_options.gates = &hook.gate;
    web_bench_begin(&bench);
}

struct gate_case {
    enum ota_gate_stage stage;
    enum ota_err err;
    const char *name, *lines;
    unsigned status;
    const char *body;
};

/* Sends the image, as a form where the file has a name, and is answered so. */
static void assert_gated(const struct gate_case *gated)
{
    gate(gated->stage, gated->err);
    if (gated->name != NULL) {
        web_bench_compose_form(&bench, "/update", gated->lines, gated->name, "x", bench.image,
                               bench.image_len);
    } else {
        web_bench_compose_raw(&bench, "/update", "", bench.image, bench.image_len);
    }
    assert_int_equal(web_bench_ask(&bench), gated->status);
    assert_string_equal(web_bench_body(&bench, 0), gated->body);
}

static void test_gates_speak_in_every_dialect(void **state)
{
    static const struct gate_case cases[] = {
        {OTA_GATE_BEGIN, OTA_ERR_REFUSED, NULL, "", 409, "the pump runs\n"},
        {OTA_GATE_BEGIN, OTA_ERR_HELD, NULL, "", 503, "the pump runs\n"},
        {OTA_GATE_DESCRIBED, OTA_ERR_REFUSED, NULL, "", 409, "the pump runs\n"},
        {OTA_GATE_BEGIN, OTA_ERR_HELD, "firmware", "", 200,
         "Update error: Aborted (the pump runs)\r\n"},
        {OTA_GATE_DESCRIBED, OTA_ERR_SAME_VERSION, "firmware", "", 200,
         "Update error: Aborted (the pump runs)\r\n"},
        {OTA_GATE_DESCRIBED, OTA_ERR_REFUSED, "update", "", 200,
         "Update Failed: Aborted (the pump runs)\r\n"},
        {OTA_GATE_ACTIVATE, OTA_ERR_REFUSED, "firmware", "", 200,
         "Update error: Aborted (the pump runs)\r\n"},
        {OTA_GATE_DESCRIBED, OTA_ERR_REFUSED, "firmware", PAGE, 409,
         "{\"ok\":false,\"error\":\"REFUSED\",\"text\":\"the pump runs\"}\n"},
        {OTA_GATE_BEGIN, OTA_ERR_HELD, "firmware", PAGE, 503,
         "{\"ok\":false,\"error\":\"HELD\",\"text\":\"the pump runs\"}\n"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        set_up(state);
        assert_gated(&cases[i]);
        assert_true(web_bench_has_line(&bench, 0, "X-Updraft-Error: the pump runs"));
        if (cases[i].stage != OTA_GATE_ACTIVATE) {
            web_bench_assert_nothing(&bench);
        }
        assert_int_equal(bench.restarts, 0);
        assert_int_equal(bench.intake.state, OTA_INTAKE_FREE);
    }
}

static void test_a_gate_that_holds_what_is_proven(void **state)
{
    static const struct gate_case cases[] = {
        {OTA_GATE_ACTIVATE, OTA_ERR_HELD, "firmware", "", 200,
         "Update Success! Waiting: the pump runs\n"},
        {OTA_GATE_ACTIVATE, OTA_ERR_HELD, NULL, "", 200,
         "Firmware update complete, Waiting: the pump runs\n"},
        {OTA_GATE_ACTIVATE, OTA_ERR_HELD, "firmware", PAGE, 202,
         "{\"ok\":true,\"restart\":\"user\",\"held\":true,"
         "\"text\":\"The update is complete, and waits.\",\"reason\":\"the pump runs\"}\n"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        set_up(state);
        assert_gated(&cases[i]);
        assert_int_equal(bench.restarts, 0);
        assert_int_equal(bench.intake.state, OTA_INTAKE_HELD);
        /* It is still taken, and still activated when the gate lets it. */
        web_bench_compose_raw(&bench, "/update", "", bench.image, bench.image_len);
        assert_int_equal(web_bench_ask(&bench), 409);
        refuses_with = OTA_OK;
        assert_int_equal(ota_intake_poll(&bench.intake), UINT32_MAX);
        web_bench_assert_updated(&bench);
    }
}

/* While the running image is on trial, the one to go back to is not overwritten. */
static void test_on_trial(void **state)
{
    (void)state;
    make_two_slots();
    assert_int_equal(ota_slot_set_boot(&bench.ram.device, 0), OTA_OK);
    bench.ram.device.running_slot = 0;
    web_bench_begin(&bench);
    assert_int_equal(web_bench_get(&bench, "/update/info", ""), 200);
    assert_non_null(strstr(web_bench_body(&bench, 0), "\"on_trial\":true"));
    web_bench_compose_raw(&bench, "/update", PAGE, bench.image, bench.image_len);
    assert_int_equal(web_bench_ask(&bench), 409);
    assert_non_null(strstr(web_bench_body(&bench, 0), "\"error\":\"UNCONFIRMED\""));
    web_bench_assert_nothing(&bench);
}

/* What a person has to say does not get into the head as lines of its own. */
static enum ota_err decide_badly(void *context, const struct ota_gate_question *question,
                                 struct ota_gate_answer *answer)
{
    (void)context;
    (void)question;
    answer->reason = "no\r\nX-Evil: 1";
    return OTA_ERR_REFUSED;
}

static void test_reasons_stay_in_their_line(void **state)
{
    static struct ota_gate_hook hook = OTA_GATE_HOOK(NULL, decide_badly, NULL);

    (void)state;
    bench.intake_options.gates = &hook.gate;
    web_bench_begin(&bench);
    web_bench_compose_raw(&bench, "/update", "", bench.image, bench.image_len);
    assert_int_equal(web_bench_ask(&bench), 409);
    assert_true(web_bench_has_line(&bench, 0, "X-Updraft-Error: no??X-Evil: 1"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_the_page, set_up),
        cmocka_unit_test_setup(test_other_methods_and_addresses, set_up),
        cmocka_unit_test_setup(test_the_information, set_up),
        cmocka_unit_test_setup(test_the_information_while_an_update_comes, set_up),
        cmocka_unit_test(test_one_upload_at_a_time),
        cmocka_unit_test_setup(test_a_second_upload_before_the_first_file, set_up),
        cmocka_unit_test_setup(test_other_ways_count_too, set_up),
        cmocka_unit_test_setup(test_restart, set_up),
        cmocka_unit_test_setup(test_roll_back, set_up),
        cmocka_unit_test_setup(test_roll_back_by_hand, set_up),
        cmocka_unit_test_setup(test_a_roll_back_that_fails, set_up),
        cmocka_unit_test(test_gates_speak_in_every_dialect),
        cmocka_unit_test(test_a_gate_that_holds_what_is_proven),
        cmocka_unit_test_setup(test_on_trial, set_up),
        cmocka_unit_test_setup(test_reasons_stay_in_their_line, set_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
