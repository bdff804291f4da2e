/* SPDX-License-Identifier: Apache-2.0 */
/* espota's device from the connection on: acknowledgements, the gap, and the last word. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/digits.h"
#include "proto/espota_bench.h"
#include "support/images.h"

static void make_image(struct espota_bench *bench, uint32_t size)
{
    const struct image_facts image = {.chip = OTA_CHIP_ESP32S3, .size = size, .version = "1.1.0"};

    bench->image_len = image_make(bench->image, sizeof bench->image, &image);
    bench_digest_image(bench);
}

static void test_push(void **state)
{
    struct espota_bench *bench = *state;

    bench_begin(bench);
    bench_push(bench);
    assert_string_equal(bench->events, "invited start progress end ");
    assert_true(bench_is_updated(bench));
    assert_int_equal(bench->progress, 1 + (bench->image_len + 1459) / 1460);
    assert_int_equal(bench->espota.received, bench->image_len);
    assert_int_equal(bench->espota.failure.err, OTA_OK);
}

static void test_file_system(void **state)
{
    struct espota_bench *bench = *state;
    static uint8_t data[3001];
    char digits[33];

    memset(data, 0x5A, sizeof data);
    digits_of(OTA_HASH_MD5, data, sizeof data, digits);
    bench_begin(bench);
    bench_invite_with(bench, 100, sizeof data, digits);
    assert_true(bench->espota.is_data);
    bench_connect(bench);
    bench_send(bench, data, sizeof data, 1460);
    bench_settle(bench);
    assert_string_equal(bench->told, "1460146081OK");
    assert_string_equal(bench->events, "invited start progress end ");
    assert_memory_equal(bench->ram.memory + RAM_STORAGE, data, sizeof data);
}

/* ---- Pieces ---------------------------------------------------------------------------------- */

/* Whatever the pieces, the outcome is one. */
static void test_every_split(void **state)
{
    struct espota_bench *bench = *state;

    make_image(bench, IMAGE_SIZE_MIN);
    for (size_t cut = 1; cut < bench->image_len; cut++) {
        bench->events[0] = '\0';
        ram_device_make(&bench->ram);
        bench_begin(bench);
        bench_invite(bench);
        bench_connect(bench);
        bench_send(bench, bench->image, cut, cut);
        bench_send(bench, bench->image + cut, bench->image_len - cut, bench->image_len);
        bench_settle(bench);
        assert_string_equal(bench->told, "336OK");
        assert_string_equal(bench->events, "invited start progress end ");
        assert_true(bench_is_updated(bench));
    }
}

static void test_byte_by_byte(void **state)
{
    struct espota_bench *bench = *state;
    char expected[256] = "";

    bench->output_step = 1;
    bench_begin(bench);
    bench_invite(bench);
    bench_connect(bench);
    bench_send(bench, bench->image, bench->image_len, 1);
    bench_settle(bench);
    for (size_t at = 0; at < bench->image_len / 512; at++) {
        strcat(expected, "512");
    }
    strcat(expected, "32OK"); /* 20000 = 39 * 512 + 32 */
    assert_string_equal(bench->told, expected);
    assert_true(bench_is_updated(bench));
}

/* Few bytes are acknowledged when the host seems to wait for that, many at once. */
static void test_small_pieces(void **state)
{
    struct espota_bench *bench = *state;

    bench_begin(bench);
    bench_invite(bench);
    bench_connect(bench);
    bench_send(bench, bench->image, 300, 300);
    assert_string_equal(bench->told, "");
    assert_int_equal(ota_espota_wait_ms(&bench->espota), OTA_ESPOTA_COUNT_DELAY_MS);
    bench_pass(bench, OTA_ESPOTA_COUNT_DELAY_MS - 1);
    bench_send(bench, bench->image + 300, 1, 1);
    bench_pass(bench, OTA_ESPOTA_COUNT_DELAY_MS - 1);
    assert_string_equal(bench->told, "");
    bench_pass(bench, 1);
    assert_string_equal(bench->told, "301");
    assert_int_equal(ota_espota_wait_ms(&bench->espota),
                     OTA_ESPOTA_RECEIVE_TIMEOUT_MS - OTA_ESPOTA_COUNT_DELAY_MS);
    bench_send(bench, bench->image + 301, 511, 511);
    bench_send(bench, bench->image + 812, 1, 1);
    assert_string_equal(bench->told, "301512");
    bench_send(bench, bench->image + 813, bench->image_len - 813, 512);
    bench_settle(bench);
    assert_true(bench_is_updated(bench));
}

/* A connection that takes nothing for a while does not hold up the reading; the numbers are added
   up. */
static void test_blocked_acknowledgements(void **state)
{
    struct espota_bench *bench = *state;
    char piece[8];
    char expected[32];

    bench_begin(bench);
    bench_invite(bench);
    bench_connect(bench);
    ota_espota_input(&bench->espota, bench->image, 1460);
    assert_int_equal(ota_espota_output(&bench->espota, piece, sizeof piece), 4);
    assert_memory_equal(piece, "1460", 4);
    ota_espota_sent(&bench->espota, 0);
    ota_espota_input(&bench->espota, bench->image + 1460, 1000);
    ota_espota_input(&bench->espota, bench->image + 2460, 1000);
    assert_int_equal(ota_espota_output(&bench->espota, piece, 2), 2); /* still the first number */
    assert_memory_equal(piece, "14", 2);
    ota_espota_sent(&bench->espota, 1);
    bench_take_output(bench);
    assert_string_equal(bench->told, "4602000");
    ota_espota_input(&bench->espota, bench->image + 3460, bench->image_len - 3460);
    bench_settle(bench);
    (void)snprintf(expected, sizeof expected, "4602000%zuOK", bench->image_len - 3460);
    assert_string_equal(bench->told, expected);
}

/* What exceeds the size is no part of it. */
static void test_too_much(void **state)
{
    struct espota_bench *bench = *state;
    static const uint8_t more[100] = {0xE9};
    static uint8_t both[sizeof bench->image + sizeof more];

    bench_begin(bench);
    bench_invite(bench);
    bench_connect(bench);
    memcpy(both, bench->image, bench->image_len);
    bench_send(bench, both, bench->image_len + sizeof more, sizeof both);
    bench_send(bench, more, sizeof more, sizeof more);
    bench_settle(bench);
    bench_send(bench, more, sizeof more, sizeof more);
    assert_true(bench_is_updated(bench));
    assert_string_equal(bench->events, "invited start progress end ");
}

/* ---- Pauses ---------------------------------------------------------------------------------- */

static void check_gap(struct espota_bench *bench, uint32_t gap)
{
    ram_device_make(&bench->ram);
    bench_begin(bench);
    bench_invite(bench);
    bench_connect(bench);
    bench_send(bench, bench->image, bench->image_len, 1460);
    assert_int_equal(bench->espota.state, OTA_ESPOTA_SETTLING);
    assert_int_equal(ota_espota_wait_ms(&bench->espota), gap);
    size_t before = bench->told_len;
    if (gap > 0) {
        bench_pass(bench, gap - 1);
        assert_int_equal(bench->told_len, before);
    }
    bench_pass(bench, gap > 0 ? 1 : 0);
    assert_string_equal(bench->told + before, "OK");
    assert_int_equal(bench->espota.state, OTA_ESPOTA_LINGERING);
    ota_espota_closed(&bench->espota, OTA_OK);
    assert_true(bench_is_updated(bench));
}

static void test_gap(void **state)
{
    struct espota_bench *bench = *state;

    bench->options.profile = OTA_ESPOTA_ESP8266;
    check_gap(bench, 1000);
    bench->options.profile = OTA_ESPOTA_RP2040;
    check_gap(bench, 1000);
    bench->options.profile = OTA_ESPOTA_ESP32;
    check_gap(bench, 300);
    bench->options.gap_ms = 20;
    check_gap(bench, 20);
    bench->options.gap_ms = OTA_ESPOTA_NO_GAP;
    check_gap(bench, 0);
}

/* The gap begins when the last number has gone, not when the last byte has come. */
static void test_gap_after_acknowledgement(void **state)
{
    struct espota_bench *bench = *state;
    char piece[8];

    bench->options.gap_ms = 100;
    bench_begin(bench);
    bench_invite(bench);
    bench_connect(bench);
    ota_espota_input(&bench->espota, bench->image, bench->image_len);
    assert_int_equal(ota_espota_output(&bench->espota, piece, sizeof piece), 5);
    ota_espota_sent(&bench->espota, 4);
    for (unsigned i = 0; i < 50; i++) {
        bench->now += 100;
        ota_espota_tick(&bench->espota, bench->now);
        assert_int_equal(ota_espota_output(&bench->espota, piece, sizeof piece), 1);
    }
    ota_espota_sent(&bench->espota, 1);
    assert_int_equal(ota_espota_wait_ms(&bench->espota), 100);
    bench_pass(bench, 99);
    assert_int_equal(bench->espota.state, OTA_ESPOTA_SETTLING);
    bench_pass(bench, 1);
    assert_string_equal(bench->told, "OK");
}

/* The peer closes first, if it does within a second; the end is told when all is over. */
static void test_linger(void **state)
{
    struct espota_bench *bench = *state;

    bench_begin(bench);
    bench_invite(bench);
    bench_connect(bench);
    bench_send(bench, bench->image, bench->image_len, 1460);
    bench_pass(bench, OTA_ESPOTA_GAP_ESP32_MS);
    assert_int_equal(bench->espota.state, OTA_ESPOTA_LINGERING);
    assert_true(ota_espota_has_connection(&bench->espota));
    assert_string_equal(bench->events, "invited start progress ");
    bench_pass(bench, OTA_ESPOTA_LINGER_MS - 1);
    assert_true(ota_espota_has_connection(&bench->espota));
    bench_pass(bench, 1);
    assert_false(ota_espota_has_connection(&bench->espota));
    assert_string_equal(bench->events, "invited start progress end ");
}

/* A host that closes as soon as all is sent, in whole or its half only: accepted is accepted, and
   the half that listens hears it. */
static void test_closed_after_last_byte(void **state)
{
    struct espota_bench *bench = *state;

    for (int whole = 0; whole < 2; whole++) {
        ram_device_make(&bench->ram);
        bench->events[0] = '\0';
        bench_begin(bench);
        bench_invite(bench);
        bench_connect(bench);
        bench_send(bench, bench->image, bench->image_len, bench->image_len);
        ota_espota_closed(&bench->espota, whole ? OTA_ERR_CONNECTION_LOST : OTA_OK);
        assert_int_equal(ota_espota_has_connection(&bench->espota), !whole);
        bench_pass(bench, OTA_ESPOTA_GAP_ESP32_MS);
        assert_string_equal(bench->told, whole ? "20000" : "20000OK");
        assert_int_equal(bench->espota.state, OTA_ESPOTA_IDLE);
        assert_string_equal(bench->events, "invited start progress end ");
        assert_true(bench_is_updated(bench));
    }
}

/* ---- A proven update that a gate holds ------------------------------------------------------- */

static enum ota_err gate_err;

static enum ota_err decide(void *context, const struct ota_gate_question *question,
                           struct ota_gate_answer *answer)
{
    (void)context;
    if (question->stage != OTA_GATE_ACTIVATE) {
        return OTA_OK;
    }
    answer->reason = "the door is open";
    return gate_err;
}

static void test_held(void **state)
{
    struct espota_bench *bench = *state;
    struct ota_gate_hook hook = OTA_GATE_HOOK(NULL, decide, NULL);

    gate_err = OTA_ERR_HELD;
    bench->intake_options.gates = &hook.gate;
    bench_begin(bench);
    bench_push(bench);
    assert_string_equal(bench->told + bench->told_len - 2, "OK");
    assert_string_equal(bench->events, "invited start progress end ");
    assert_int_equal(bench->intake.state, OTA_INTAKE_HELD);
    /* The next one is told so. */
    bench_invite(bench);
    assert_string_equal(bench->reply,
                        "ERR: Error: another update is under way: try again when it is over\r\n");
    gate_err = OTA_OK;
    bench_pass(bench, 1000);
    (void)ota_intake_poll(&bench->intake);
    assert_true(bench_is_updated(bench));
}

static void test_refused_at_last(void **state)
{
    struct espota_bench *bench = *state;
    struct ota_gate_hook hook = OTA_GATE_HOOK(NULL, decide, NULL);

    gate_err = OTA_ERR_REFUSED;
    bench->options.profile = OTA_ESPOTA_ESP8266;
    bench->intake_options.gates = &hook.gate;
    bench_begin(bench);
    bench_push(bench);
    assert_non_null(strstr(bench->told, "ERROR[6]: the door is open\n"));
    assert_null(strstr(bench->told, "OK"));
    assert_string_equal(bench->events, "invited start progress error4:REFUSED ");
    assert_string_equal(ota_espota_reason(&bench->espota), "the door is open");
    assert_true(ota_intake_is_free(&bench->intake));
    assert_false(bench_is_updated(bench));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_push, espota_bench_fresh),
        cmocka_unit_test_setup(test_file_system, espota_bench_fresh),
        cmocka_unit_test_setup(test_every_split, espota_bench_fresh),
        cmocka_unit_test_setup(test_byte_by_byte, espota_bench_fresh),
        cmocka_unit_test_setup(test_small_pieces, espota_bench_fresh),
        cmocka_unit_test_setup(test_blocked_acknowledgements, espota_bench_fresh),
        cmocka_unit_test_setup(test_too_much, espota_bench_fresh),
        cmocka_unit_test_setup(test_gap, espota_bench_fresh),
        cmocka_unit_test_setup(test_gap_after_acknowledgement, espota_bench_fresh),
        cmocka_unit_test_setup(test_linger, espota_bench_fresh),
        cmocka_unit_test_setup(test_closed_after_last_byte, espota_bench_fresh),
        cmocka_unit_test_setup(test_held, espota_bench_fresh),
        cmocka_unit_test_setup(test_refused_at_last, espota_bench_fresh),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
