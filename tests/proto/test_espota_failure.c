/* SPDX-License-Identifier: Apache-2.0 */
/* espota's device when an update comes to nothing: what the host is told, what the sketch is told,
   and that the next push works. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/espota_bench.h"

static void connect_anew(struct espota_bench *bench)
{
    bench->events[0] = '\0';
    bench_invite(bench);
    assert_string_equal(bench->reply, "OK");
    bench_connect(bench);
}

/* Nothing of the failed one is in the way, and nothing of it counts. */
static void assert_next_works(struct espota_bench *bench)
{
    assert_int_equal(bench->intake.accepted, 0);
    assert_true(ota_intake_is_free(&bench->intake));
    assert_int_equal(bench->espota.state, OTA_ESPOTA_IDLE);
    bench_push(bench);
    assert_true(bench_is_updated(bench));
}

/* ---- The image is not what was announced ----------------------------------------------------- */

static void check_digest(struct espota_bench *bench, enum ota_espota_profile profile,
                         const char *line)
{
    char expected[256];

    ram_device_make(&bench->ram);
    bench->events[0] = '\0';
    bench->options.profile = profile;
    bench_begin(bench);
    bench_invite_with(bench, 0, bench->image_len, "9030960bc83512c8b3e630dc7af4abb3");
    bench_connect(bench);
    bench_send(bench, bench->image, bench->image_len, bench->image_len);
    bench_settle(bench);
    (void)snprintf(expected, sizeof expected, "%zu%s", bench->image_len, line);
    assert_string_equal(bench->told, expected);
    assert_string_equal(bench->events, "invited start progress error4:DIGEST ");
    assert_next_works(bench);
}

static void test_digest(void **state)
{
    struct espota_bench *bench = *state;
    char line[160];

    (void)snprintf(line, sizeof line,
                   "ERROR[7]: MD5 verification failed: expected: "
                   "9030960bc83512c8b3e630dc7af4abb3, calculated: %s\n",
                   bench->md5_digits);
    check_digest(bench, OTA_ESPOTA_ESP8266, line);
    check_digest(bench, OTA_ESPOTA_RP2040, line);
    check_digest(bench, OTA_ESPOTA_ESP32, "MD5 Check Failed\r\n");
}

/* Refused in the middle: told at once for those who look, and at the end for those who look only
   then. All bytes are taken and acknowledged meanwhile. */
static void check_refused(struct espota_bench *bench, enum ota_espota_profile profile,
                          const char *line, const char *error)
{
    char expected[512];
    char events[64];

    ram_device_make(&bench->ram);
    bench->options.profile = profile;
    bench_begin(bench);
    connect_anew(bench);
    bench_send(bench, bench->image, bench->image_len, 8000);
    assert_int_equal(bench->espota.state, OTA_ESPOTA_SETTLING);
    bench_settle(bench);
    (void)snprintf(expected, sizeof expected, "%s800080004000%s", line, line);
    assert_string_equal(bench->told, expected);
    (void)snprintf(events, sizeof events, "invited start progress error4:%s ", error);
    assert_string_equal(bench->events, events);
    assert_true(ota_intake_is_free(&bench->intake));
}

static void test_refused_in_the_middle(void **state)
{
    struct espota_bench *bench = *state;

    bench->image[0] = 0x7F;
    check_refused(bench, OTA_ESPOTA_ESP8266, "ERROR[10]: Magic byte is not 0xE9\n", "IMAGE_MAGIC");
    check_refused(bench, OTA_ESPOTA_ESP32, "Wrong Magic Byte\r\n", "IMAGE_MAGIC");
    bench->image[0] = 0xE9;
    bench->image[12] ^= 1; /* the chip's number */
    check_refused(bench, OTA_ESPOTA_ESP8266, "ERROR[10]: the image is made for another chip\n",
                  "IMAGE_CHIP");
    check_refused(bench, OTA_ESPOTA_ESP32, "Error: the image is made for another chip\r\n",
                  "IMAGE_CHIP");
}

/* It is refused by its last piece: one line is enough. */
static void test_refused_at_the_end(void **state)
{
    struct espota_bench *bench = *state;

    bench->options.profile = OTA_ESPOTA_ESP32;
    bench_begin(bench);
    bench->image[0] = 0x7F;
    connect_anew(bench);
    bench_send(bench, bench->image, bench->image_len, bench->image_len);
    bench_settle(bench);
    assert_string_equal(bench->told, "20000Wrong Magic Byte\r\n");
    bench->image[0] = 0xE9;
    assert_next_works(bench);
}

/* A host that stops sending when it sees the line. */
static void test_refused_and_closed(void **state)
{
    struct espota_bench *bench = *state;

    bench_begin(bench);
    bench->image[0] = 0x7F;
    connect_anew(bench);
    bench_send(bench, bench->image, 1460, 1460);
    assert_int_equal(bench->espota.state, OTA_ESPOTA_DISCARDING);
    ota_espota_closed(&bench->espota, OTA_ERR_CONNECTION_LOST);
    assert_string_equal(bench->events, "invited start progress error4:IMAGE_MAGIC ");
    bench->image[0] = 0xE9;
    assert_next_works(bench);
}

/* … and one that neither sends nor closes. */
static void test_refused_and_silent(void **state)
{
    struct espota_bench *bench = *state;

    bench_begin(bench);
    bench->image[0] = 0x7F;
    connect_anew(bench);
    bench_send(bench, bench->image, 1460, 1460);
    bench_pass(bench, OTA_ESPOTA_RECEIVE_TIMEOUT_MS + OTA_ESPOTA_GAP_MS + OTA_ESPOTA_LINGER_MS);
    assert_string_equal(bench->told, "Wrong Magic Byte\r\n1460Wrong Magic Byte\r\n");
    bench->image[0] = 0xE9;
    assert_next_works(bench);
}

/* ---- The connection -------------------------------------------------------------------------- */

/* The device cannot connect: one error, and the right one. */
static void test_no_connection(void **state)
{
    struct espota_bench *bench = *state;

    bench_begin(bench);
    bench_invite(bench);
    ota_espota_closed(&bench->espota, OTA_ERR_CONNECT); /* known at once */
    assert_string_equal(bench->events, "invited start progress error2:CONNECT_BACK ");
    connect_anew(bench);
    ota_espota_closed(&bench->espota, OTA_ERR_CONNECT); /* shows later */
    assert_string_equal(bench->events, "invited start progress error2:CONNECT_BACK ");
    connect_anew(bench); /* never shows: a firewall that drops */
    bench_pass(bench, OTA_ESPOTA_RECEIVE_TIMEOUT_MS - 1);
    assert_int_equal(bench->espota.state, OTA_ESPOTA_RECEIVING);
    bench_pass(bench, 1);
    assert_string_equal(bench->events, "invited start progress error2:CONNECT_BACK ");
    bench->events[0] = '\0';
    bench_invite(bench); /* nobody makes the connection */
    bench_pass(bench, OTA_ESPOTA_RECEIVE_TIMEOUT_MS);
    assert_string_equal(bench->events, "invited start progress error2:CONNECT_BACK ");
    assert_next_works(bench);
}

/* It breaks after any number of bytes. */
static void test_broken(void **state)
{
    struct espota_bench *bench = *state;

    bench_begin(bench);
    for (size_t len = 1; len < bench->image_len; len += 997) {
        connect_anew(bench);
        bench_send(bench, bench->image, len, 1460);
        ota_espota_closed(&bench->espota, OTA_ERR_CONNECTION_LOST);
        assert_string_equal(bench->events, "invited start progress error3:CONNECTION_LOST ");
        assert_int_equal(bench->espota.failure.offset, len);
        assert_false(ota_espota_has_connection(&bench->espota));
        assert_true(ota_intake_is_free(&bench->intake));
    }
    assert_next_works(bench);
}

/* The host closes in an orderly way, too early. If it still listens it is told. */
static void test_closed_early(void **state)
{
    struct espota_bench *bench = *state;

    bench->options.profile = OTA_ESPOTA_ESP8266;
    bench_begin(bench);
    connect_anew(bench);
    ota_espota_closed(&bench->espota, OTA_OK);
    bench_pass(bench, OTA_ESPOTA_GAP_MS);
    assert_string_equal(bench->told, "ERROR[13]: No data supplied\n");
    assert_string_equal(bench->events, "invited start progress error4:NO_DATA ");
    assert_int_equal(bench->espota.state, OTA_ESPOTA_IDLE);
    connect_anew(bench);
    bench_send(bench, bench->image, 1460, 1460);
    ota_espota_closed(&bench->espota, OTA_OK);
    bench_pass(bench, OTA_ESPOTA_GAP_MS);
    assert_memory_equal(bench->told, "1460ERROR[", 10);
    assert_string_equal(bench->events, "invited start progress error4:INCOMPLETE ");
    assert_next_works(bench);
}

/* The host stalls. */
static void test_timeout(void **state)
{
    struct espota_bench *bench = *state;

    bench->options.profile = OTA_ESPOTA_ESP8266;
    bench->options.receive_timeout_ms = 5000;
    bench_begin(bench);
    connect_anew(bench);
    for (size_t i = 0; i < 5; i++) { /* slow is not silent, within the pace */
        bench_pass(bench, 4999);
        bench_send(bench, bench->image + i, 1, 1);
    }
    bench_pass(bench, 4999);
    assert_int_equal(bench->espota.state, OTA_ESPOTA_RECEIVING);
    bench_pass(bench, 1 + OTA_ESPOTA_GAP_MS);
    assert_string_equal(bench->told, "11111ERROR[6]: Stream Read Timeout\n");
    assert_string_equal(bench->events, "invited start progress error3:TIMEOUT ");
    bench_pass(bench, OTA_ESPOTA_LINGER_MS);
    assert_next_works(bench);
}

/* Sends a byte now and then, never as silent as the time-out, for more than any pace may take. */
static void drip(struct espota_bench *bench, size_t at)
{
    for (unsigned i = 0; i < 10; i++) {
        bench_pass(bench, OTA_ESPOTA_RECEIVE_TIMEOUT_MS - 1000);
        bench_send(bench, bench->image + at + i, 1, 1);
    }
}

/* A host that sends a byte now and then would hold the device's update for a year. */
static void test_trickle(void **state)
{
    struct espota_bench *bench = *state;

    bench->options.profile = OTA_ESPOTA_ESP8266;
    bench_begin(bench);
    connect_anew(bench);
    bench_send(bench, bench->image, 5000, 1000);
    drip(bench, 5000);
    assert_true(ota_intake_is_free(&bench->intake));
    assert_string_equal(bench->events, "invited start progress error3:TIMEOUT ");
    assert_next_works(bench);
}

/* … nor does the rest of a refused image. */
static void test_refused_and_trickling(void **state)
{
    struct espota_bench *bench = *state;

    bench_begin(bench);
    bench->image[0] = 0x7F;
    connect_anew(bench);
    bench_send(bench, bench->image, 1460, 1460);
    assert_int_equal(bench->espota.state, OTA_ESPOTA_DISCARDING);
    drip(bench, 1460);
    assert_int_equal(bench->espota.state, OTA_ESPOTA_IDLE);
    bench->image[0] = 0xE9;
    assert_next_works(bench);
}

/* As slow as it may be: the image comes in. So does one that is over before the pace is asked. */
static void test_slow(void **state)
{
    struct espota_bench *bench = *state;

    bench_begin(bench);
    connect_anew(bench);
    for (size_t at = 0; at < bench->image_len; at += OTA_ESPOTA_PACE) {
        size_t left = bench->image_len - at;
        bench_pass(bench, OTA_ESPOTA_RECEIVE_TIMEOUT_MS - 1);
        bench_send(bench, bench->image + at, 1, 1);
        bench_pass(bench, OTA_ESPOTA_RECEIVE_TIMEOUT_MS - 1);
        bench_send(bench, bench->image + at + 1,
                   (left < OTA_ESPOTA_PACE ? left : OTA_ESPOTA_PACE) - 1, OTA_ESPOTA_PACE);
    }
    bench_settle(bench);
    assert_true(bench_is_updated(bench));
}

/* Who allows a longer silence allows it. */
static void test_long_timeout(void **state)
{
    struct espota_bench *bench = *state;

    bench->options.receive_timeout_ms = 2 * OTA_ESPOTA_PACE_MS;
    bench_begin(bench);
    connect_anew(bench);
    bench_pass(bench, 2 * OTA_ESPOTA_PACE_MS - 1);
    bench_send(bench, bench->image, bench->image_len, 1460);
    bench_settle(bench);
    assert_true(bench_is_updated(bench));
}

/* The host sends all and reads nothing, or keeps the connection: the device does not wait for
   ever. */
static void test_host_reads_nothing(void **state)
{
    struct espota_bench *bench = *state;

    bench->options.receive_timeout_ms = 5000;
    bench_begin(bench);
    connect_anew(bench);
    ota_espota_input(&bench->espota, bench->image, bench->image_len);
    assert_int_equal(bench->espota.state, OTA_ESPOTA_SETTLING);
    for (unsigned i = 0; i < 5; i++) {
        char piece[16];
        assert_true(ota_espota_output(&bench->espota, piece, sizeof piece) > 0);
        bench->now += 1000;
        ota_espota_tick(&bench->espota, bench->now);
    }
    assert_int_equal(bench->espota.state, OTA_ESPOTA_IDLE);
    assert_string_equal(bench->events, "invited start progress end "); /* it was accepted */
    assert_true(bench_is_updated(bench));
}

/* ---- Given up -------------------------------------------------------------------------------- */

static void test_stop_anywhere(void **state)
{
    struct espota_bench *bench = *state;

    for (unsigned at = 0; at < 7; at++) {
        ram_device_make(&bench->ram);
        bench->options.password = at < 3 ? "secret" : NULL;
        bench_begin(bench);
        if (at > 0) {
            bench_invite(bench);
        }
        if (at == 2) {
            bench_datagram(bench,
                           "200 "
                           "c46e7638a39b7c4391d1f1607ffa895f0fb06c2c59765a39cd2ba2711d761ed8 "
                           "c46e7638a39b7c4391d1f1607ffa895f0fb06c2c59765a39cd2ba2711d761ed8"
                           "\n");
            assert_int_equal(bench->espota.state, OTA_ESPOTA_VERIFYING);
        }
        if (at >= 4) {
            bench_connect(bench);
        }
        if (at >= 5) {
            bench_send(bench, bench->image, at == 5 ? 5000 : bench->image_len, 1000);
        }
        ota_espota_stop(&bench->espota);
        ota_espota_stop(&bench->espota);
        bench_take_reply(bench);
        assert_string_equal(bench->reply, "");
        assert_int_equal(bench->espota.state, OTA_ESPOTA_IDLE);
        assert_true(ota_intake_is_free(&bench->intake));
        assert_int_equal(ota_espota_wait_ms(&bench->espota), UINT32_MAX);
    }
}

/* Calls that do not belong to the state change nothing. */
static void test_calls_out_of_place(void **state)
{
    struct espota_bench *bench = *state;
    char piece[16];

    bench_begin(bench);
    ota_espota_connected(&bench->espota);
    ota_espota_input(&bench->espota, bench->image, 100);
    ota_espota_closed(&bench->espota, OTA_OK);
    ota_espota_closed(&bench->espota, OTA_ERR_CONNECTION_LOST);
    assert_int_equal(ota_espota_output(&bench->espota, piece, sizeof piece), 0);
    ota_espota_sent(&bench->espota, 5);
    assert_int_equal(bench->espota.state, OTA_ESPOTA_IDLE);
    assert_string_equal(bench->events, "");
    bench_push(bench);
    ota_espota_input(&bench->espota, bench->image, 100);
    ota_espota_closed(&bench->espota, OTA_OK);
    assert_string_equal(bench->events, "invited start progress end ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_digest, espota_bench_fresh),
        cmocka_unit_test_setup(test_refused_in_the_middle, espota_bench_fresh),
        cmocka_unit_test_setup(test_refused_at_the_end, espota_bench_fresh),
        cmocka_unit_test_setup(test_refused_and_closed, espota_bench_fresh),
        cmocka_unit_test_setup(test_refused_and_silent, espota_bench_fresh),
        cmocka_unit_test_setup(test_no_connection, espota_bench_fresh),
        cmocka_unit_test_setup(test_broken, espota_bench_fresh),
        cmocka_unit_test_setup(test_closed_early, espota_bench_fresh),
        cmocka_unit_test_setup(test_timeout, espota_bench_fresh),
        cmocka_unit_test_setup(test_trickle, espota_bench_fresh),
        cmocka_unit_test_setup(test_refused_and_trickling, espota_bench_fresh),
        cmocka_unit_test_setup(test_slow, espota_bench_fresh),
        cmocka_unit_test_setup(test_long_timeout, espota_bench_fresh),
        cmocka_unit_test_setup(test_host_reads_nothing, espota_bench_fresh),
        cmocka_unit_test_setup(test_stop_anywhere, espota_bench_fresh),
        cmocka_unit_test_setup(test_calls_out_of_place, espota_bench_fresh),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
