/* SPDX-License-Identifier: Apache-2.0 */
/* espota's device and invitations, without a password: what is one, who is answered, and what is
   refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/espota_bench.h"
#include "support/images.h"

#define MD5 "9030960bc83512c8b3e630dc7af4abb3"

/* ---- What is an invitation ------------------------------------------------------------------- */

static void assert_accepted(struct espota_bench *bench, const char *text, size_t len)
{
    bench_begin(bench);
    bench_datagram_bytes(bench, text, len);
    assert_string_equal(bench->reply, "OK");
    assert_int_equal(bench->espota.state, OTA_ESPOTA_CONNECTING);
    assert_int_equal(bench->espota.size, 3001);
    assert_int_equal(bench->espota.dial.port, 43211);
    ota_espota_stop(&bench->espota);
}

static void test_forms(void **state)
{
    struct espota_bench *bench = *state;
    static const char *const forms[] = {
        "0 43211 3001 " MD5 "\n",
        "0 43211 3001 " MD5,
        "0 43211 3001 " MD5 "\r\n",
        "  0  43211   3001    " MD5 "  \n",
        "0 43211 3001 9030960BC83512C8B3E630DC7AF4ABB3\n",
        "0 43211 3001," MD5 "\n", /* one byte of any kind after the size */
        "00 043211 000000000003001 " MD5 "\n",
        "0 43211 3001 " MD5 "\nand whatever follows",
    };

    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        assert_accepted(bench, forms[i], strlen(forms[i]));
    }
    assert_accepted(bench, "0 43211 3001 " MD5 "\0zero", 13 + 32 + 5);
}

static void assert_ignored(struct espota_bench *bench, const void *data, size_t len)
{
    bench_datagram_bytes(bench, data, len);
    assert_string_equal(bench->reply, "");
    assert_int_equal(bench->espota.state, OTA_ESPOTA_IDLE);
    assert_string_equal(bench->events, "");
}

static void test_not_for_us(void **state)
{
    struct espota_bench *bench = *state;
    static const char *const texts[] = {
        "",
        "\n",
        " ",
        "hello, world",
        "1 43211 3001 " MD5 "\n",
        "99 43211 3001 " MD5 "\n",
        "101 43211 3001 " MD5 "\n",
        "-0 43211 3001 " MD5 "\n",
        "0,43211,3001," MD5 "\n",
        "0\t43211\t3001\t" MD5 "\n",
        "0 -43211 3001 " MD5 "\n",
        "0 43211 " MD5 "\n",
        "0 43211 x" MD5 "\n",
        "0 x 3001 " MD5 "\n",
        "0 43211 3001 " MD5 "0\n",
        "0 43211 3001 9030960bc83512c8b3e630dc7af4abb\n",
        "0 43211 3001\n" MD5 "\n",
        "200 " MD5 " " MD5 "\n",
        "200",
        "200 ",
        "1000000000000000000000000000000 43211 3001 " MD5 "\n",
        "AUTH fcea920f7412b5da7be0cf42b8c93759",
    };

    bench_begin(bench);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        assert_ignored(bench, texts[i], strlen(texts[i]));
    }
}

/* Cut short anywhere, and with each byte changed to several others: a datagram is one or it is
   none. */
static void test_damaged(void **state)
{
    struct espota_bench *bench = *state;
    static const char whole[] = "0 43211 3001 " MD5;
    static const char others[] = {0, 1, ' ', '\n', '-', '9', 'g', (char)0x80, (char)0xFF};

    bench_begin(bench);
    for (size_t len = 0; len < sizeof whole - 1; len++) {
        assert_ignored(bench, whole, len);
    }
    for (size_t at = 0; at < sizeof whole - 1; at++) {
        for (size_t i = 0; i < sizeof others; i++) {
            char text[sizeof whole];
            memcpy(text, whole, sizeof whole);
            text[at] = others[i];
            bench_datagram_bytes(bench, text, sizeof text - 1);
            ota_espota_stop(&bench->espota);
            bench->events[0] = '\0';
        }
    }
    assert_true(ota_intake_is_free(&bench->intake));
}

/* ---- Who is answered ------------------------------------------------------------------------- */

static void test_addresses(void **state)
{
    struct espota_bench *bench = *state;
    struct ota_address expected = bench_address(50, BENCH_HOST_PORT);

    bench_begin(bench);
    bench_invite(bench);
    assert_true(ota_address_same(&bench->replied_to, &bench->host));
    assert_true(ota_address_same(&bench->espota.dial, &expected));
}

/* A datagram that the network doubled gets the same answer, and one whose answer was lost gets it
   now. */
static void test_duplicates(void **state)
{
    struct espota_bench *bench = *state;

    bench_begin(bench);
    bench_invite(bench);
    bench_invite(bench);
    assert_string_equal(bench->reply, "OK");
    bench_connect(bench);
    bench->host.port++; /* a tool that asks again does so from another socket */
    bench_pass(bench, 10000);
    bench_invite(bench);
    assert_string_equal(bench->reply, "OK");
    assert_true(ota_address_same(&bench->replied_to, &bench->host));
    bench_send(bench, bench->image, 1, 1);
    bench_invite(bench);
    assert_string_equal(bench->reply, "");
    bench_send(bench, bench->image + 1, bench->image_len - 1, 1024);
    bench_invite(bench);
    assert_string_equal(bench->reply, "");
    bench_settle(bench);
    assert_string_equal(bench->events, "invited start progress end ");
    assert_true(bench_is_updated(bench));
}

/* While an update runs, others are told so, and it goes on. */
static void test_others_while_updating(void **state)
{
    static const struct {
        enum ota_espota_profile profile;
        const char *busy, *closed;
    } rows[] = {
        {OTA_ESPOTA_ESP8266, "ERR: ERROR[15]: Update already running\n",
         "ERR: ERROR[15]: the device is about to restart: try again in a few seconds\n"},
        {OTA_ESPOTA_ESP32, "ERR: Error: another update is under way: try again when it is over\r\n",
         "ERR: Error: the device is about to restart: try again in a few seconds\r\n"},
    };
    struct espota_bench *bench = *state;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        bench->options.profile = rows[i].profile;
        bench_begin(bench);
        bench->events[0] = '\0';
        bench->host = bench_address(50, 60000);
        bench_invite(bench);
        bench_connect(bench);
        bench_send(bench, bench->image, 5000, 1024);
        bench->host = bench_address(51, 60000);
        bench_invite(bench);
        assert_string_equal(bench->reply, rows[i].busy);
        assert_true(ota_address_same(&bench->replied_to, &bench->host));
        bench_invite_with(bench, 100, 100, MD5);
        assert_string_equal(bench->reply, rows[i].busy);
        bench_invite_with(bench, 0, 0, MD5); /* whatever else is wrong with it */
        assert_string_equal(bench->reply, rows[i].busy);
        bench_send(bench, bench->image + 5000, bench->image_len - 5000, 1024);
        bench->intake.is_closed = true; /* as the service does, for the restart */
        bench_invite(bench);
        assert_string_equal(bench->reply, rows[i].closed);
        bench_settle(bench);
        assert_string_equal(bench->events, "invited start progress end ");
        assert_true(bench_is_updated(bench));
        bench->intake.is_closed = false;
    }
}

/* One that failed and is not over yet keeps nobody busy: the next one is not refused, and is sent
   again. */
static void test_others_after_a_failure(void **state)
{
    struct espota_bench *bench = *state;

    bench_begin(bench);
    bench_invite(bench);
    bench_connect(bench);
    bench_send(bench, "no image", 8, 8);
    assert_int_equal(bench->espota.state, OTA_ESPOTA_DISCARDING);
    bench_invite_with(bench, 0, 5000, bench->md5_digits);
    assert_string_equal(bench->reply, "");
    ota_espota_closed(&bench->espota, OTA_ERR_CONNECTION_LOST);
    assert_false(ota_espota_has_connection(&bench->espota));
    bench_invite_with(bench, 0, 5000, bench->md5_digits);
    assert_string_equal(bench->reply, "OK");
}

/* The restart is due when the last connection is gone, too. */
static void test_restart_is_due(void **state)
{
    struct espota_bench *bench = *state;

    bench->options.profile = OTA_ESPOTA_ESP32;
    bench_begin(bench);
    bench->intake.is_closed = true;
    bench_invite(bench);
    assert_string_equal(
        bench->reply, "ERR: Error: the device is about to restart: try again in a few seconds\r\n");
    assert_string_equal(bench->events, "invited error1:RESTARTING ");
    bench->intake.is_closed = false;
    bench_push(bench);
    assert_true(bench_is_updated(bench));
}

/* ---- What is refused at once ----------------------------------------------------------------- */

static void assert_refused(struct espota_bench *bench, const char *reply, const char *error)
{
    char events[64];

    assert_string_equal(bench->reply, reply);
    assert_int_equal(bench->espota.state, OTA_ESPOTA_IDLE);
    (void)snprintf(events, sizeof events, "invited error1:%s ", error);
    assert_string_equal(bench->events, events);
    bench->events[0] = '\0';
}

static void test_sizes(void **state)
{
    struct espota_bench *bench = *state;

    bench->options.profile = OTA_ESPOTA_ESP8266;
    bench_begin(bench);
    bench_invite_with(bench, 0, 0, MD5);
    assert_refused(bench, "ERR: ERROR[5]: Bad Size Given\n", "NO_DATA");
    bench_invite_with(bench, 0, RAM_SLOT_SIZE + 1, MD5);
    assert_refused(bench, "ERR: ERROR[4]: Not Enough Space\n", "TOO_LARGE");
    bench_invite_with(bench, 0, 999999999999999, MD5);
    assert_refused(bench, "ERR: ERROR[4]: Not Enough Space\n", "TOO_LARGE");
    bench_invite_with(bench, 0, 1000000000000000, MD5); /* a digit more than is read */
    assert_refused(bench, "ERR: ERROR[4]: Not Enough Space\n", "TOO_LARGE");
    bench_invite_with(bench, 100, RAM_STORAGE_SIZE + 1, MD5);
    assert_refused(bench, "ERR: ERROR[4]: Not Enough Space\n", "TOO_LARGE");

    bench->options.profile = OTA_ESPOTA_ESP32;
    bench_begin(bench);
    bench_invite_with(bench, 0, RAM_SLOT_SIZE + 1, MD5);
    assert_refused(bench, "ERR: Not Enough Space\r\n", "TOO_LARGE");
    bench_invite_with(bench, 0, 0, MD5);
    assert_refused(bench, "ERR: Bad Size Given\r\n", "NO_DATA");
}

static void test_no_file_system(void **state)
{
    struct espota_bench *bench = *state;

    bench->intake_options.data_label = "missing";
    bench->options.profile = OTA_ESPOTA_RP2040;
    bench_begin(bench);
    bench_invite_with(bench, 100, 1000, MD5);
    assert_refused(bench, "ERR: No Filesystem", "NO_PARTITION");

    bench->options.profile = OTA_ESPOTA_ESP32;
    bench_begin(bench);
    bench_invite_with(bench, 100, 1000, MD5);
    assert_refused(bench, "ERR: Partition Could Not be Found\r\n", "NO_PARTITION");

    bench->options.profile = OTA_ESPOTA_ESP8266;
    bench_begin(bench);
    bench_invite_with(bench, 100, 1000, MD5);
    assert_refused(bench, "ERR: ERROR[4]: the partition table has no such partition\n",
                   "NO_PARTITION");
}

/* A port that cannot be called, a digest that nothing has: refused before anything begins. */
static void test_impossible(void **state)
{
    struct espota_bench *bench = *state;
    static const char *const texts[] = {
        "0 0 3001 " MD5 "\n",
        "0 65536 3001 " MD5 "\n",
        "0 108747 3001 " MD5 "\n",
        "0 43211 3001 9030960bc83512c8b3e630dc7af4abbx\n",
        "0 43211 3001 9030960bc83512c8 3e630dc7af4abb3\n",
    };

    bench->options.profile = OTA_ESPOTA_ESP32;
    bench_begin(bench);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        bench_datagram(bench, texts[i]);
        assert_refused(
            bench,
            "ERR: Error: the other side does not speak this protocol, or breaks its rules\r\n",
            "PROTOCOL");
    }
}

static void test_busy(void **state)
{
    struct espota_bench *bench = *state;
    const struct ota_arrival other = {.way = "http", .size = 1000};

    bench->options.profile = OTA_ESPOTA_ESP8266;
    bench_begin(bench);
    assert_int_equal(ota_intake_begin(&bench->intake, &other), OTA_OK);
    bench_invite(bench);
    assert_refused(bench, "ERR: ERROR[15]: Update already running\n", "BUSY");
    assert_int_equal(bench->intake.state, OTA_INTAKE_TAKEN);
    ota_espota_stop(&bench->espota);
    assert_int_equal(bench->intake.state, OTA_INTAKE_TAKEN);
    ota_intake_abort(&bench->intake);
    bench_push(bench);
    assert_true(bench_is_updated(bench));
}

/* ---- Gates ----------------------------------------------------------------------------------- */

static enum ota_err gate_err;
static const char *gate_reason;
static enum ota_gate_stage gate_stage;

static enum ota_err decide(void *context, const struct ota_gate_question *question,
                           struct ota_gate_answer *answer)
{
    (void)context;
    assert_string_equal(question->way, "espota");
    if (question->stage != gate_stage) {
        return OTA_OK;
    }
    answer->reason = gate_reason;
    return gate_err;
}

static void test_gate(void **state)
{
    struct espota_bench *bench = *state;
    struct ota_gate_hook hook = OTA_GATE_HOOK(NULL, decide, NULL);

    gate_stage = OTA_GATE_BEGIN;
    gate_err = OTA_ERR_HELD;
    gate_reason = "the battery is not OK:\nOOK OKOK 12 %";
    bench->intake_options.gates = &hook.gate;
    bench->options.profile = OTA_ESPOTA_ESP32;
    bench_begin(bench);
    bench_invite(bench);
    /* No tool may take it for success. */
    assert_refused(bench, "ERR: Error: the battery is not oK: OoK oKoK 12 %\r\n", "HELD");
    bench->options.profile = OTA_ESPOTA_ESP8266;
    gate_reason = NULL;
    gate_err = OTA_ERR_REFUSED;
    bench_begin(bench);
    bench_invite(bench);
    assert_refused(bench, "ERR: ERROR[6]: the device's policy does not allow this update\n",
                   "REFUSED");
    gate_err = OTA_OK;
    bench_push(bench);
    assert_true(bench_is_updated(bench));
}

static void test_profiles(void **state)
{
    struct espota_bench *bench = *state;

    assert_int_equal(ota_espota_port(OTA_ESPOTA_ESP8266), 8266);
    assert_int_equal(ota_espota_port(OTA_ESPOTA_ESP32), 3232);
    assert_int_equal(ota_espota_port(OTA_ESPOTA_RP2040), 2040);
    bench_begin(bench);
    assert_int_equal(bench->espota.options.profile, OTA_ESPOTA_ESP32);
    bench->ram.device.form = OTA_IMAGE_ESP8266;
    bench_begin(bench);
    assert_int_equal(bench->espota.options.profile, OTA_ESPOTA_ESP8266);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_forms, espota_bench_fresh),
        cmocka_unit_test_setup(test_not_for_us, espota_bench_fresh),
        cmocka_unit_test_setup(test_damaged, espota_bench_fresh),
        cmocka_unit_test_setup(test_addresses, espota_bench_fresh),
        cmocka_unit_test_setup(test_duplicates, espota_bench_fresh),
        cmocka_unit_test_setup(test_others_while_updating, espota_bench_fresh),
        cmocka_unit_test_setup(test_others_after_a_failure, espota_bench_fresh),
        cmocka_unit_test_setup(test_restart_is_due, espota_bench_fresh),
        cmocka_unit_test_setup(test_sizes, espota_bench_fresh),
        cmocka_unit_test_setup(test_no_file_system, espota_bench_fresh),
        cmocka_unit_test_setup(test_impossible, espota_bench_fresh),
        cmocka_unit_test_setup(test_busy, espota_bench_fresh),
        cmocka_unit_test_setup(test_gate, espota_bench_fresh),
        cmocka_unit_test_setup(test_profiles, espota_bench_fresh),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
