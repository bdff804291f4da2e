/* SPDX-License-Identifier: Apache-2.0 */
/* The device side of the ESPHome protocol: what it says, to whom it gives the update, and how it
   ends. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "proto/esphome_bench.h"

#define ASSERT_SAID(bench, ...)                                          \
    do {                                                                 \
        const uint8_t expected_[] = {__VA_ARGS__};                       \
        assert_int_equal((bench)->said_len, sizeof expected_);           \
        assert_memory_equal((bench)->said, expected_, sizeof expected_); \
    } while (0)

/* The bytes of a whole push without a password: of 64 + ESPHOME_IMAGE_MAX + 1. */
static uint8_t push[64 + ESPHOME_IMAGE_MAX + 1];

static size_t make_push(const struct esphome_bench *bench, uint8_t features)
{
    size_t len = esphome_preamble(bench, features, push);

    memcpy(push + len, bench->image, bench->image_len);
    len += bench->image_len;
    push[len++] = 0x00;
    return len;
}

static void run_push(struct esphome_bench *bench, uint8_t features, size_t step)
{
    size_t len = make_push(bench, features);

    esphome_device_begin(bench);
    esphome_feed(bench, push, len, step);
}

/* ---- The way it should go -------------------------------------------------------------------- */

static void test_version_2(void **state)
{
    struct esphome_bench *bench = *state;

    run_push(bench, 0x01, 0);
    ASSERT_SAID(bench, 0x00, 0x02, 0x40, 0x41, 0x42, 0x43, 0x47, 0x44, 0x45);
    esphome_assert_updated(bench);
    assert_string_equal(bench->events, "GLSA");
}

static void test_version_1(void **state)
{
    struct esphome_bench *bench = *state;

    bench->options.version = 1;
    esphome_make_image(bench, 20000);
    run_push(bench, 0x01, 0);
    ASSERT_SAID(bench, 0x00, 0x01, 0x40, 0x41, 0x42, 0x43, 0x44, 0x45);
    esphome_assert_updated(bench);
}

static void test_extended(void **state)
{
    struct esphome_bench *bench = *state;

    run_push(bench, 0x07, 0);
    ASSERT_SAID(bench, 0x00, 0x02, 0x48, 0x00, 0x41, 0x42, 0x43, 0x47, 0x44, 0x45);
    esphome_assert_updated(bench);
}

/* What it does not know it passes over, and claims nothing that it cannot. */
static void test_unknown_features(void **state)
{
    struct esphome_bench *bench = *state;

    run_push(bench, 0xFB, 0);
    assert_int_equal(bench->said[2], 0x40);
    esphome_assert_updated(bench);
    esphome_bench_make(bench);
    run_push(bench, 0xFF, 0);
    assert_int_equal(bench->said[2], 0x48);
    assert_int_equal(bench->said[3], 0x00);
    esphome_assert_updated(bench);
}

/* Each block is acknowledged when it is there, and the last one whatever it has. */
static void test_acknowledgements(void **state)
{
    struct esphome_bench *bench = *state;
    static const uint32_t sizes[] = {8176, 8192, 8208, 16384, 16400, 24576, 39984};

    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        uint8_t preamble[64];
        esphome_bench_make(bench);
        esphome_make_image(bench, sizes[i]);
        esphome_device_begin(bench);
        size_t len = esphome_preamble(bench, 0x01, preamble);
        esphome_feed(bench, preamble, len, 0);
        bench->said_len = 0;
        for (size_t at = 0; at < bench->image_len; at++) {
            assert_int_equal(bench->said_len, at / 8192);
            esphome_feed(bench, bench->image + at, 1, 0);
        }
        size_t blocks = (bench->image_len + 8191) / 8192;
        assert_int_equal(bench->said_len, blocks + 2);
        for (size_t block = 0; block < blocks; block++) {
            assert_int_equal(bench->said[block], 0x47);
        }
        esphome_assert_updated(bench);
    }
}

/* A host that sends all and reads nothing cannot make the device hold more than it has room for. */
static void test_host_that_does_not_read(void **state)
{
    struct esphome_bench *bench = *state;

    esphome_make_image(bench, 39984);
    size_t len = make_push(bench, 0x01);
    esphome_device_begin(bench);
    assert_int_equal(ota_esphome_input(&bench->esphome, push, len), OTA_OK);
    esphome_take_said(bench, 1);
    ASSERT_SAID(bench, 0x00, 0x02, 0x40, 0x41, 0x42, 0x43, 0x47, 0x47, 0x47, 0x47, 0x47, 0x44,
                0x45);
    esphome_assert_updated(bench);
}

/* ---- However it is cut ----------------------------------------------------------------------- */

static void test_every_split(void **state)
{
    struct esphome_bench *bench = *state;
    uint8_t said[sizeof bench->said];

    run_push(bench, 0x07, 0);
    size_t said_len = bench->said_len, len = make_push(bench, 0x07);
    memcpy(said, bench->said, said_len);
    for (size_t at = 1; at < len; at++) {
        esphome_bench_make(bench);
        esphome_device_begin(bench);
        esphome_feed(bench, push, at, 0);
        esphome_feed(bench, push + at, len - at, 0);
        assert_int_equal(bench->said_len, said_len);
        assert_memory_equal(bench->said, said, said_len);
        esphome_assert_updated(bench);
    }
}

static void test_byte_by_byte(void **state)
{
    struct esphome_bench *bench = *state;

    esphome_make_image(bench, 20000);
    for (size_t step = 1; step < 4; step++) {
        esphome_bench_make(bench);
        esphome_make_image(bench, 20000);
        run_push(bench, 0x01, step);
        ASSERT_SAID(bench, 0x00, 0x02, 0x40, 0x41, 0x42, 0x43, 0x47, 0x47, 0x47, 0x44, 0x45);
        esphome_assert_updated(bench);
    }
}

/* ---- The end of the connection --------------------------------------------------------------- */

static void test_closes_after_the_last_word(void **state)
{
    struct esphome_bench *bench = *state;
    size_t len = make_push(bench, 0x01) - 1;

    /* The host's last byte ends it. */
    esphome_device_begin(bench);
    esphome_feed(bench, push, len, 0);
    assert_int_equal(bench->esphome.state, OTA_ESPHOME_CLOSING);
    esphome_feed(bench, push + len, 1, 0);
    assert_int_equal(bench->esphome.state, OTA_ESPHOME_DONE);
    assert_int_equal(ota_esphome_wait_ms(&bench->esphome), UINT32_MAX);

    /* So does its end. */
    esphome_bench_make(bench);
    esphome_device_begin(bench);
    esphome_feed(bench, push, len, 0);
    assert_int_equal(ota_esphome_closed(&bench->esphome, OTA_OK), OTA_OK);
    assert_int_equal(bench->esphome.state, OTA_ESPHOME_DONE);
    esphome_assert_updated(bench);

    /* Or a little time. */
    esphome_bench_make(bench);
    esphome_device_begin(bench);
    esphome_feed(bench, push, len, 0);
    uint32_t wait = ota_esphome_wait_ms(&bench->esphome);
    assert_int_equal(wait, OTA_ESPHOME_LINGER_MS);
    assert_int_equal(ota_esphome_tick(&bench->esphome, bench->now + wait - 1), OTA_OK);
    assert_int_equal(bench->esphome.state, OTA_ESPHOME_CLOSING);
    assert_int_equal(ota_esphome_tick(&bench->esphome, bench->now + wait), OTA_OK);
    assert_int_equal(bench->esphome.state, OTA_ESPHOME_DONE);
}

/* The host goes away at each place; the next one updates. */
static void test_cut_everywhere(void **state)
{
    struct esphome_bench *bench = *state;
    size_t len = make_push(bench, 0x01) - 1;

    for (size_t at = 0; at < len; at++) {
        esphome_device_begin(bench);
        esphome_feed(bench, push, at, 0);
        assert_int_equal(ota_esphome_closed(&bench->esphome, OTA_OK), OTA_ERR_CONNECTION_LOST);
        assert_int_equal(bench->esphome.state, OTA_ESPHOME_DONE);
        assert_int_equal(bench->intake.state, OTA_INTAKE_FREE);
        assert_int_equal(bench->events[strlen(bench->events) - 1], 'F');
        assert_int_equal(ota_esphome_output(&bench->esphome, bench->said + 200, 16), 0);
    }
    run_push(bench, 0x01, 0);
    esphome_assert_updated(bench);
}

/* What a host sends on after an error is taken, so that the error reaches it. */
static void test_drains_after_an_error(void **state)
{
    struct esphome_bench *bench = *state;
    uint8_t noise[1000] = {0};

    esphome_device_begin(bench);
    esphome_feed(bench, "GET / HTTP/1.1\r\n", 16, 0);
    ASSERT_SAID(bench, 0x80);
    esphome_assert_refused(bench, OTA_ERR_PROTOCOL, 0x80);
    for (uint32_t second = 0; bench->esphome.state == OTA_ESPHOME_CLOSING; second++) {
        assert_true(second * 1000 <= OTA_ESPHOME_LINGER_MAX_MS);
        esphome_feed(bench, noise, sizeof noise, 0);
        bench->now += 1000;
        ota_esphome_tick(&bench->esphome, bench->now);
    }
    assert_int_equal(bench->said_len, 1);
}

/* ---- Arguments ------------------------------------------------------------------------------- */

static void test_arguments(void **state)
{
    struct esphome_bench *bench = *state;
    struct ota_esphome zeroed = {0};

    assert_int_equal(ota_esphome_input(&zeroed, "l", 1), OTA_ERR_STATE);
    assert_int_equal(ota_esphome_closed(&zeroed, OTA_OK), OTA_ERR_STATE);
    assert_int_equal(ota_esphome_wait_ms(&zeroed), UINT32_MAX);
    bench->options.version = 3;
    assert_int_equal(ota_esphome_begin(&zeroed, &bench->options, 0), OTA_ERR_ARGUMENT);
    bench->options.version = 0;
    bench->options.random = NULL;
    bench->options.password = "secret";
    assert_int_equal(ota_esphome_begin(&zeroed, &bench->options, 0), OTA_ERR_ARGUMENT);
    bench->options.password = ""; /* none */
    assert_int_equal(ota_esphome_begin(&zeroed, &bench->options, 0), OTA_OK);
    bench->options.intake = NULL;
    assert_int_equal(ota_esphome_begin(&zeroed, &bench->options, 0), OTA_ERR_ARGUMENT);
}

static void test_ports(void **state)
{
    const struct esphome_bench *bench = *state;
    struct ota_device device = bench->ram.device;

    assert_int_equal(ota_esphome_port(OTA_ESPHOME_ESP8266), 8266);
    assert_int_equal(ota_esphome_port(OTA_ESPHOME_ESP32), 3232);
    assert_int_equal(ota_esphome_port(OTA_ESPHOME_RP2040), 2040);
    assert_int_equal(ota_esphome_port(OTA_ESPHOME_LIBRETINY), 8892);
    assert_int_equal(ota_esphome_profile_of(&device), OTA_ESPHOME_ESP32);
    device.form = OTA_IMAGE_ESP8266;
    assert_int_equal(ota_esphome_profile_of(&device), OTA_ESPHOME_ESP8266);
}

#define TEST(name) cmocka_unit_test_setup(name, esphome_bench_set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_version_2),
        TEST(test_version_1),
        TEST(test_extended),
        TEST(test_unknown_features),
        TEST(test_acknowledgements),
        TEST(test_host_that_does_not_read),
        TEST(test_every_split),
        TEST(test_byte_by_byte),
        TEST(test_closes_after_the_last_word),
        TEST(test_cut_everywhere),
        TEST(test_drains_after_an_error),
        TEST(test_arguments),
        TEST(test_ports),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
