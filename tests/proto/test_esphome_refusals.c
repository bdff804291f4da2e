/* SPDX-License-Identifier: Apache-2.0 */
/* The device side of the ESPHome protocol says no: the password, the error bytes, time-outs, gates,
   and faults of flash and crypto. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "proto/esphome_bench.h"
#include "support/faults.h"

static const char magic[] = "\x6C\x26\xF7\x5C\x45";

static void feed_magic(struct esphome_bench *bench, uint8_t features)
{
    esphome_device_begin(bench);
    esphome_feed(bench, magic, 5, 0);
    esphome_feed(bench, &features, 1, 0);
}

static void feed_preamble(struct esphome_bench *bench)
{
    uint8_t bytes[64];

    esphome_device_begin(bench);
    esphome_feed(bench, bytes, esphome_preamble(bench, 0x01, bytes), 0);
}

static void run_push(struct esphome_bench *bench)
{
    feed_preamble(bench);
    if (bench->esphome.state == OTA_ESPHOME_RECEIVING) {
        esphome_feed(bench, bench->image, bench->image_len, 500);
    }
}

/* ---- The password ---------------------------------------------------------------------------- */

/* Two exchanges that were computed elsewhere, for the password "secret". */
struct exchange {
    uint8_t features;
    uint8_t random[32];
    const char *asked, *cnonce, *response;
};

static const struct exchange md5 = {
    .features = 0x01,
    .random = {0x4f, 0x41, 0x24, 0x38, 0x47, 0xda, 0x69, 0x3a, 0x4f, 0x35, 0x6c, 0x04, 0x86, 0x11,
               0x4b, 0xc6},
    .asked = "\x01"
             "4f41243847da693a4f356c0486114bc6",
    .cnonce = "e8193ec1c60b8784bef7760b21085339",
    .response = "3d79001a8ebc1783ffded0b952703c06",
};

static const struct exchange sha256 = {
    .features = 0x03,
    .random = {0x66, 0x84, 0x0d, 0xda, 0x15, 0x4e, 0x8a, 0x11, 0x3c, 0x31, 0xdd,
               0x0a, 0xd3, 0x2f, 0x7f, 0x3a, 0x36, 0x6a, 0x80, 0xe8, 0x13, 0x69,
               0x79, 0xd8, 0xf5, 0xa1, 0x01, 0xd3, 0xd2, 0x9d, 0x6f, 0x72},
    .asked = "\x02"
             "66840dda154e8a113c31dd0ad32f7f3a366a80e8136979d8f5a101d3d29d6f72",
    .cnonce = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff",
    .response = "f6917bce75be77e0c83806a17ba2c9ae15a1031107f569de37e66621220e779c",
};

/* Goes as far as the response, in pieces of `step`. */
static void log_in(struct esphome_bench *bench, const struct exchange *exchange, size_t step)
{
    bench->options.password = "secret";
    memcpy(bench->random, exchange->random, sizeof bench->random);
    feed_magic(bench, exchange->features);
    size_t len = strlen(exchange->asked);
    assert_int_equal(bench->said_len, 3 + len);
    assert_int_equal(bench->said[2], 0x40);
    assert_memory_equal(bench->said + 3, exchange->asked, len);
    esphome_feed(bench, exchange->cnonce, strlen(exchange->cnonce), step);
    assert_int_equal(bench->said_len, 3 + len);
    esphome_feed(bench, exchange->response, strlen(exchange->response), step);
}

static void test_recorded_logins(void **state)
{
    struct esphome_bench *bench = *state;
    const struct exchange *const exchanges[] = {&md5, &sha256};

    for (size_t i = 0; i < 2; i++) {
        for (size_t step = 0; step < 5; step++) {
            log_in(bench, exchanges[i], step);
            assert_int_equal(bench->said_len, 3 + strlen(exchanges[i]->asked) + 1);
            assert_int_equal(bench->said[bench->said_len - 1], 0x41);
            assert_int_equal(bench->esphome.auth, i == 0 ? OTA_HASH_MD5 : OTA_HASH_SHA256);
            assert_string_equal(bench->events, i == 0 ? "GWL" : "GL");
            ota_esphome_closed(&bench->esphome, OTA_OK);
        }
    }
}

/* Every digit counts, and its case does. */
static void test_wrong_response(void **state)
{
    struct esphome_bench *bench = *state;
    const struct exchange *const exchanges[] = {&md5, &sha256};

    for (size_t i = 0; i < 2; i++) {
        for (size_t digit = 0; digit < strlen(exchanges[i]->response); digit++) {
            char response[65];
            struct exchange wrong = *exchanges[i];
            strcpy(response, wrong.response);
            response[digit] = (char)(response[digit] ^ 1);
            wrong.response = response;
            log_in(bench, &wrong, 0);
            esphome_assert_refused(bench, OTA_ERR_AUTH, 0x82);
            assert_int_equal(bench->said_len, 3 + strlen(wrong.asked) + 1);
        }
    }
}

static void assert_asked(struct esphome_bench *bench, bool is_asked)
{
    esphome_take_said(bench, sizeof bench->said);
    assert_int_equal(bench->said_len, is_asked ? 3 + strlen(sha256.asked) : 3);
}

static void pass(struct esphome_bench *bench, uint32_t ms)
{
    bench->now += ms;
    (void)ota_esphome_tick(&bench->esphome, bench->now);
}

/* Comes again with a password, as often as somebody who guesses. */
static void guess(struct esphome_bench *bench, uint32_t pause, const struct exchange *exchange)
{
    bench->options.password = "secret";
    memcpy(bench->random, exchange->random, sizeof bench->random);
    feed_magic(bench, exchange->features);
    if (pause > 0) {
        assert_asked(bench, false);
        assert_int_equal(ota_esphome_wait_ms(&bench->esphome), pause);
        pass(bench, pause - 1);
        assert_asked(bench, false);
        pass(bench, 1);
    }
    assert_asked(bench, true);
    esphome_feed(bench, exchange->cnonce, strlen(exchange->cnonce), 0);
    esphome_feed(bench, exchange->response, strlen(exchange->response), 0);
}

/* Who guesses waits longer each time, on whatever connection; who knows it ends that. */
static void test_guesses_are_slowed_down(void **state)
{
    static const uint32_t pauses[] = {0, 500, 1000, 2000, 4000, 5000, 5000, 5000};
    struct esphome_bench *bench = *state;
    struct ota_esphome_guesses guesses = {0};
    struct exchange wrong = sha256;

    wrong.response = sha256.cnonce;
    bench->options.guesses = &guesses;
    for (size_t i = 0; i < sizeof pauses / sizeof *pauses; i++) {
        guess(bench, pauses[i], &wrong);
        esphome_assert_refused(bench, OTA_ERR_AUTH, 0x82);
    }
    guess(bench, 5000, &sha256);
    assert_int_equal(bench->said[bench->said_len - 1], 0x41);
    ota_esphome_closed(&bench->esphome, OTA_OK);
    guess(bench, 0, &wrong);
    guess(bench, 500, &wrong);
}

/* Nothing that comes during a pause is looked at; who leaves or hangs on is not asked later. */
static void test_pause(void **state)
{
    struct esphome_bench *bench = *state;
    struct ota_esphome_guesses guesses = {.wrongs = 200, .wrong_ms = bench->now};

    bench->options.guesses = &guesses;
    bench->options.password = "secret";
    feed_magic(bench, 0x03);
    assert_asked(bench, false);
    esphome_feed(bench, "0", 1, 0);
    esphome_assert_refused(bench, OTA_ERR_AUTH, 0x82);
    assert_int_equal(bench->said_len, 4);
    pass(bench, OTA_ESPHOME_PAUSE_MAX_MS);
    esphome_take_said(bench, sizeof bench->said);
    assert_int_equal(bench->said_len, 4);
    guesses.wrong_ms = bench->now;
    bench->random_error = OTA_ERR_CRYPTO;
    feed_magic(bench, 0x03);
    pass(bench, OTA_ESPHOME_PAUSE_MAX_MS);
    esphome_take_said(bench, sizeof bench->said);
    esphome_assert_refused(bench, OTA_ERR_CRYPTO, 0xFF);
}

/* An answer that was overheard is worth nothing on the next connection. */
static void test_replay(void **state)
{
    struct esphome_bench *bench = *state;

    log_in(bench, &sha256, 0);
    assert_int_equal(bench->said[bench->said_len - 1], 0x41);
    ota_esphome_closed(&bench->esphome, OTA_OK);
    feed_magic(bench, 0x03); /* another random number */
    assert_memory_not_equal(bench->said + 3, sha256.asked, strlen(sha256.asked));
    esphome_feed(bench, sha256.cnonce, 64, 0);
    esphome_feed(bench, sha256.response, 64, 0);
    esphome_assert_refused(bench, OTA_ERR_AUTH, 0x82);
}

static void test_md5_refused(void **state)
{
    struct esphome_bench *bench = *state;

    bench->options.refuse_md5 = true;
    log_in(bench, &sha256, 0);
    assert_int_equal(bench->said[bench->said_len - 1], 0x41);
    ota_esphome_closed(&bench->esphome, OTA_OK);
    feed_magic(bench, 0x01);
    assert_int_equal(bench->said_len, 4);
    esphome_assert_refused(bench, OTA_ERR_AUTH, 0x82);
}

/* What a secret was made of does not stay in memory. */
static void test_nonce_is_forgotten(void **state)
{
    struct esphome_bench *bench = *state;
    const uint8_t zeros[OTA_SHA256_SIZE] = {0};

    log_in(bench, &sha256, 0);
    assert_memory_equal(bench->esphome.nonce, zeros, sizeof zeros);
    ota_esphome_closed(&bench->esphome, OTA_OK);
    struct exchange wrong = sha256;
    wrong.response = sha256.cnonce;
    log_in(bench, &wrong, 0);
    assert_memory_equal(bench->esphome.nonce, zeros, sizeof zeros);
}

static void test_no_random_numbers(void **state)
{
    struct esphome_bench *bench = *state;

    bench->options.password = "secret";
    bench->random_error = OTA_ERR_CRYPTO;
    feed_magic(bench, 0x03);
    esphome_assert_refused(bench, OTA_ERR_CRYPTO, 0xFF);
}

/* ---- What is said of errors ------------------------------------------------------------------ */

static void test_wrong_magic(void **state)
{
    struct esphome_bench *bench = *state;

    for (size_t at = 0; at < 5; at++) {
        char bytes[5];
        memcpy(bytes, magic, sizeof bytes);
        bytes[at] = (char)(bytes[at] ^ 0x20);
        esphome_device_begin(bench);
        esphome_feed(bench, bytes, 5, 0);
        esphome_assert_refused(bench, OTA_ERR_PROTOCOL, 0x80);
        assert_int_equal(bench->said_len, 1);
        assert_string_equal(bench->events, "F");
    }
}

static void test_other_types(void **state)
{
    struct esphome_bench *bench = *state;

    for (unsigned type = 1; type < 256; type++) {
        const uint8_t byte = (uint8_t)type;
        feed_magic(bench, 0x04);
        esphome_feed(bench, &byte, 1, 0);
        esphome_assert_refused(bench, OTA_ERR_PROTOCOL, 0x8E);
        assert_int_equal(bench->said_len, 6);
    }
}

static void refuse_size(struct esphome_bench *bench, const char size[4], enum ota_err err,
                        uint8_t answer)
{
    feed_magic(bench, 0x01);
    esphome_feed(bench, size, 4, 0);
    esphome_assert_refused(bench, err, answer);
    assert_int_equal(bench->said_len, 5);
}

static void test_sizes(void **state)
{
    struct esphome_bench *bench = *state;
    static const struct {
        enum ota_esphome_profile profile;
        uint8_t answer;
    } rows[] = {{OTA_ESPHOME_BY_CHIP, 0x89},
                {OTA_ESPHOME_ESP32, 0x89},
                {OTA_ESPHOME_ESP8266, 0x88},
                {OTA_ESPHOME_RP2040, 0x8C},
                {OTA_ESPHOME_LIBRETINY, 0x89}};

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        bench->options.profile = rows[i].profile;
        refuse_size(bench, "\x00\x01\x00\x01", OTA_ERR_TOO_LARGE, rows[i].answer);
        refuse_size(bench, "\xFF\xFF\xFF\xFE", OTA_ERR_TOO_LARGE, rows[i].answer);
        refuse_size(bench, "\xFF\xFF\xFF\xFF", OTA_ERR_TOO_LARGE, rows[i].answer);
        refuse_size(bench, "\x00\x00\x00\x00", OTA_ERR_ARGUMENT, 0x81);
    }
    bench->options.profile = OTA_ESPHOME_BY_CHIP;
    bench->ram.device.form = OTA_IMAGE_ESP8266;
    refuse_size(bench, "\x00\x01\x00\x01", OTA_ERR_TOO_LARGE, 0x88);
}

static void test_busy(void **state)
{
    struct esphome_bench *bench = *state;
    const struct ota_arrival other = {.way = "other", .size = 1000};

    assert_int_equal(ota_intake_begin(&bench->intake, &other), OTA_OK);
    feed_magic(bench, 0x01);
    esphome_feed(bench, "\x00\x00\x10\x00", 4, 0);
    assert_int_equal(bench->esphome.failure.err, OTA_ERR_BUSY);
    assert_int_equal(bench->said[bench->said_len - 1], 0x81);
    assert_int_equal(bench->intake.state, OTA_INTAKE_TAKEN); /* the other one's still */
    ota_intake_abort(&bench->intake);
}

/* Before any login, so that the host need not wonder whether it was let in. */
static void test_restart_is_due(void **state)
{
    struct esphome_bench *bench = *state;

    bench->options.password = "secret";
    bench->intake.is_closed = true;
    feed_magic(bench, 0x07);
    esphome_assert_refused(bench, OTA_ERR_RESTARTING, 0x81);
}

/* A checksum that is none can never fit. */
static void test_checksum_that_is_none(void **state)
{
    struct esphome_bench *bench = *state;

    feed_magic(bench, 0x01);
    esphome_feed(bench, "\x00\x00\x10\x00", 4, 0);
    esphome_feed(bench, "0123456789abcdef0123456789abcdeg", 32, 0);
    esphome_assert_refused(bench, OTA_ERR_PROTOCOL, 0x8B);
}

static void test_damaged_image(void **state)
{
    struct esphome_bench *bench = *state;

    /* Behind the descriptor the digest notices first, and the MD5 last of all. */
    bench->md5[3] ^= 1;
    run_push(bench);
    esphome_assert_refused(bench, OTA_ERR_DIGEST, 0x8B);
    assert_int_equal(bench->said[bench->said_len - 2], 0x44);
    bench->md5[3] ^= 1;
    bench->image[0] = 0x7F;
    esphome_use_image(bench);
    run_push(bench);
    esphome_assert_refused(bench, OTA_ERR_IMAGE_MAGIC, 0x80);
    bench->image[0] = 0x1F; /* gzip, which this device does not take */
    esphome_use_image(bench);
    run_push(bench);
    esphome_assert_refused(bench, OTA_ERR_COMPRESSED, 0x80);
    esphome_make_image(bench, 0);
    bench->image[12] ^= 1;
    esphome_use_image(bench);
    run_push(bench);
    esphome_assert_refused(bench, OTA_ERR_IMAGE_CHIP, 0x84);
    esphome_make_image(bench, 0);
    bench->image[bench->image_len - 1] ^= 1;
    esphome_use_image(bench);
    run_push(bench);
    esphome_assert_refused(bench, OTA_ERR_IMAGE_HASH, 0x84);
    esphome_make_image(bench, 0);
    run_push(bench);
    esphome_assert_updated(bench);
}

/* Each error has a byte, of which each host knows that it is one. */
static void test_error_bytes(void **state)
{
    static const struct {
        enum ota_err err;
        uint8_t byte;
    } rows[] = {
        {OTA_ERR_ARGUMENT, 0x81},
        {OTA_ERR_BUSY, 0x81},
        {OTA_ERR_RESTARTING, 0x81},
        {OTA_ERR_HELD, 0x81},
        {OTA_ERR_REFUSED, 0x81},
        {OTA_ERR_SAME_VERSION, 0x81},
        {OTA_ERR_PROJECT, 0x81},
        {OTA_ERR_UNCONFIRMED, 0x81},
        {OTA_ERR_AUTH, 0x82},
        {OTA_ERR_FLASH_READ, 0x83},
        {OTA_ERR_FLASH_WRITE, 0x83},
        {OTA_ERR_FLASH_ERASE, 0x83},
        {OTA_ERR_FLASH_VERIFY, 0x83},
        {OTA_ERR_IMAGE_CHIP, 0x84},
        {OTA_ERR_IMAGE_HASH, 0x84},
        {OTA_ERR_IMAGE_TRUNCATED, 0x84},
        {OTA_ERR_IMAGE_FLASH_SIZE, 0x87},
        {OTA_ERR_IMAGE_MAGIC, 0x80},
        {OTA_ERR_NO_PARTITION, 0x8A},
        {OTA_ERR_NO_OTADATA, 0x8A},
        {OTA_ERR_DIGEST, 0x8B},
        {OTA_ERR_OLDER_VERSION, 0x93},
        {OTA_ERR_SECURE_VERSION, 0x93},
        {OTA_ERR_COMPRESSION, 0x80},
        {OTA_ERR_COMPRESSED_SUM, 0x84},
        {OTA_ERR_COMPRESSED_TRAILER, 0x84},
        {OTA_ERR_TIMEOUT, 0xFF},
        {OTA_ERR_CRYPTO, 0xFF},
        {OTA_ERR_INCOMPLETE, 0xFF},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(ota_esphome_error_byte(OTA_ESPHOME_ESP32, rows[i].err), rows[i].byte);
    }
    for (int err = 1; err < OTA_ERR_COUNT; err++) {
        uint8_t byte = ota_esphome_error_byte(OTA_ESPHOME_RP2040, (enum ota_err)err);
        assert_true(byte >= 0x80);
        assert_non_null(ota_esphome_answer_text(byte));
    }
}

/* ---- Gates ----------------------------------------------------------------------------------- */

static enum ota_err decide(void *context, const struct ota_gate_question *question,
                           struct ota_gate_answer *answer)
{
    const int *stage_and_error = context;

    (void)answer;
    assert_string_equal(question->way, "esphome");
    return (int)question->stage == stage_and_error[0] ? (enum ota_err)stage_and_error[1] : OTA_OK;
}

static void test_gates(void **state)
{
    struct esphome_bench *bench = *state;
    int wanted[2];
    struct ota_gate_hook hook = OTA_GATE_HOOK(NULL, decide, wanted);

    bench->intake.options.gates = &hook.gate;
    for (wanted[0] = OTA_GATE_BEGIN; wanted[0] <= OTA_GATE_ACTIVATE; wanted[0]++) {
        wanted[1] = OTA_ERR_REFUSED;
        run_push(bench);
        esphome_assert_refused(bench, OTA_ERR_REFUSED, 0x81);
        assert_int_equal(bench->said[bench->said_len - 2], wanted[0] == OTA_GATE_BEGIN ? 0x41
                                                           : wanted[0] == OTA_GATE_DESCRIBED
                                                               ? 0x43
                                                               : 0x44);
        wanted[1] = OTA_ERR_OLDER_VERSION;
        run_push(bench);
        esphome_assert_refused(bench, OTA_ERR_OLDER_VERSION, 0x93);
        if (wanted[0] != OTA_GATE_ACTIVATE) {
            wanted[1] = OTA_ERR_HELD;
            run_push(bench);
            esphome_assert_refused(bench, OTA_ERR_HELD, 0x81);
        }
    }
    /* Held at the end: it is accepted, and boots when the gate lets it. */
    wanted[0] = OTA_GATE_ACTIVATE;
    wanted[1] = OTA_ERR_HELD;
    run_push(bench);
    assert_true(bench->esphome.is_accepted && bench->esphome.is_held);
    assert_int_equal(bench->said[bench->said_len - 1], 0x45);
    ota_esphome_closed(&bench->esphome, OTA_OK);
    assert_int_equal(bench->intake.state, OTA_INTAKE_HELD);
    wanted[1] = OTA_OK;
    ota_intake_poll(&bench->intake);
    esphome_assert_updated(bench);
}

/* ---- Time-outs ------------------------------------------------------------------------------- */

/* Lets the time of the present step pass: not a millisecond before is it over. */
static void let_time_pass(struct esphome_bench *bench, uint32_t ms)
{
    assert_int_equal(ota_esphome_wait_ms(&bench->esphome), ms);
    bench->now += ms - 1;
    assert_int_equal(ota_esphome_tick(&bench->esphome, bench->now), OTA_OK);
    bench->now += 1;
    assert_int_equal(ota_esphome_tick(&bench->esphome, bench->now), OTA_ERR_TIMEOUT);
    esphome_take_said(bench, 1);
    esphome_assert_refused(bench, OTA_ERR_TIMEOUT, 0xFF);
}

/* 20 seconds for all up to the size, however it is sent. */
static void test_handshake_timeout(void **state)
{
    struct esphome_bench *bench = *state;
    uint8_t bytes[64];
    size_t up_to_size = esphome_preamble(bench, 0x07, bytes) - 32;

    for (size_t at = 0; at < up_to_size; at++) {
        esphome_device_begin(bench);
        for (size_t i = 0; i < at; i++) {
            bench->now += 100;
            assert_int_equal(ota_esphome_tick(&bench->esphome, bench->now), OTA_OK);
            esphome_feed(bench, &bytes[i], 1, 0);
        }
        let_time_pass(bench, 20000 - 100 * (uint32_t)at);
    }
}

/* Then 90 for the checksum, and for each block: a byte now and then does not buy more. */
static void test_data_timeout(void **state)
{
    struct esphome_bench *bench = *state;
    uint8_t bytes[64];

    esphome_make_image(bench, 20000);
    size_t len = esphome_preamble(bench, 0x01, bytes);
    esphome_device_begin(bench);
    esphome_feed(bench, bytes, len - 1, 0);
    let_time_pass(bench, 90000);
    feed_preamble(bench);
    let_time_pass(bench, 90000);
    feed_preamble(bench);
    for (size_t at = 0; at < 89; at++) {
        bench->now += 1000;
        assert_int_equal(ota_esphome_tick(&bench->esphome, bench->now), OTA_OK);
        esphome_feed(bench, bench->image + at, 1, 0);
    }
    let_time_pass(bench, 1000);
    feed_preamble(bench);
    bench->now += 89000;
    assert_int_equal(ota_esphome_tick(&bench->esphome, bench->now), OTA_OK);
    esphome_feed(bench, bench->image, 8192, 0);
    let_time_pass(bench, 90000);
    run_push(bench);
    esphome_assert_updated(bench);
}

/* ---- Faults underneath ----------------------------------------------------------------------- */

static void push_with_fault(void *context)
{
    struct esphome_bench *bench = context;
    static struct faulty_flash flash;

    esphome_bench_make(bench);
    esphome_make_image(bench, 9000);
    faulty_flash_init(&flash, bench->ram.device.flash);
    bench->ram.device.flash = &flash.flash;
    bench->ram.device.crypto = &faulty_crypto;
    bench->options.password = "secret";
    memcpy(bench->random, sha256.random, sizeof bench->random);
    feed_magic(bench, 0x03);
    esphome_feed(bench, sha256.cnonce, 64, 0);
    esphome_feed(bench, sha256.response, 64, 0);
    uint8_t bytes[64];
    size_t len = esphome_preamble(bench, 0x03, bytes);
    esphome_feed(bench, bytes + 6, len - 6, 0);
    esphome_feed(bench, bench->image, bench->image_len, 0);
    assert_int_equal(bench->intake.state, OTA_INTAKE_FREE);
    assert_int_equal(bench->esphome.state, OTA_ESPHOME_CLOSING);
    if (bench->esphome.is_accepted) {
        assert_int_equal(bench->intake.accepted, 1);
        assert_int_equal(bench->said[bench->said_len - 1], 0x45);
        assert_memory_equal(bench->ram.memory + RAM_OTA_0, bench->image, bench->image_len);
    } else {
        assert_true(faults_struck());
        assert_int_equal(bench->intake.accepted, 0);
        assert_true(bench->said[bench->said_len - 1] >= 0x81);
        for (size_t i = 0; i + 1 < bench->said_len; i++) {
            assert_true(bench->said[i] < 0x80);
        }
    }
    ota_esphome_closed(&bench->esphome, OTA_OK);
    assert_int_equal(faulty_crypto_running(), 0);
}

static void test_faults(void **state)
{
    struct esphome_bench *bench = *state;
    static const enum fault_kind kinds[] = {FAULT_READ, FAULT_WRITE, FAULT_ERASE, FAULT_VERIFY,
                                            FAULT_CRYPTO};

    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        assert_true(faults_everywhere(kinds[i], push_with_fault, bench) > 0);
    }
}

#define TEST(name) cmocka_unit_test_setup(name, esphome_bench_set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_recorded_logins),
        TEST(test_wrong_response),
        TEST(test_guesses_are_slowed_down),
        TEST(test_pause),
        TEST(test_replay),
        TEST(test_md5_refused),
        TEST(test_nonce_is_forgotten),
        TEST(test_no_random_numbers),
        TEST(test_wrong_magic),
        TEST(test_other_types),
        TEST(test_sizes),
        TEST(test_busy),
        TEST(test_restart_is_due),
        TEST(test_checksum_that_is_none),
        TEST(test_damaged_image),
        TEST(test_error_bytes),
        TEST(test_gates),
        TEST(test_handshake_timeout),
        TEST(test_data_timeout),
        TEST(test_faults),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
