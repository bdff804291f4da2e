/* SPDX-License-Identifier: Apache-2.0 */
/* The host side of the ESPHome protocol: what it sends, and that nothing a device answers, or does
   not, goes unnoticed. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "proto/esphome_bench.h"

/* What a device answers in each step of one push, and what the host has sent before that. */
struct dialogue {
    const char *password;
    struct {
        const char *answer;
        size_t len;
        size_t sent; /* bytes of the host's so far */
    } steps[12];
};

#define ANSWER(text, sent)             \
    {                                  \
        (text), sizeof(text) - 1, sent \
    }
#define MD5_NONCE "4f41243847da693a4f356c0486114bc6"
#define SHA256_NONCE "66840dda154e8a113c31dd0ad32f7f3a366a80e8136979d8f5a101d3d29d6f72"

/* For an image of 9008 bytes. */
#define IMAGE 9008u

static const struct dialogue version_2 = {
    NULL,
    {ANSWER("\x00\x02", 5), ANSWER("\x40\x41", 6), ANSWER("\x42", 10), ANSWER("\x43", 42),
     ANSWER("\x47", 42 + 8192), ANSWER("\x47", 42 + IMAGE), ANSWER("\x44\x45", 42 + IMAGE)}};

static const struct dialogue version_1 = {NULL,
                                          {ANSWER("\x00\x01", 5), ANSWER("\x46\x41", 6),
                                           ANSWER("\x42", 10), ANSWER("\x43", 42),
                                           ANSWER("\x44\x45", 42 + IMAGE)}};

static const struct dialogue md5 = {"secret",
                                    {ANSWER("\x00\x02", 5), ANSWER("\x40\x01" MD5_NONCE, 6),
                                     ANSWER("\x41", 6 + 64), ANSWER("\x42", 74),
                                     ANSWER("\x43", 106), ANSWER("\x47", 106 + 8192),
                                     ANSWER("\x47\x44", 106 + IMAGE), ANSWER("\x45", 106 + IMAGE)}};

static const struct dialogue sha256 = {
    "secret",
    {ANSWER("\x00\x02", 5), ANSWER("\x48\x00\x02" SHA256_NONCE, 6), ANSWER("\x41", 6 + 128),
     ANSWER("\x42", 139), ANSWER("\x43", 171), ANSWER("\x47", 171 + 8192),
     ANSWER("\x47", 171 + IMAGE), ANSWER("\x44\x45", 171 + IMAGE)}};

static const struct dialogue *const dialogues[] = {&version_2, &version_1, &md5, &sha256};
#define DIALOGUES (sizeof dialogues / sizeof *dialogues)

static void begin(struct esphome_bench *bench, const struct dialogue *dialogue)
{
    static const uint8_t md5_random[] = {0xe8, 0x19, 0x3e, 0xc1, 0xc6, 0x0b, 0x87, 0x84,
                                         0xbe, 0xf7, 0x76, 0x0b, 0x21, 0x08, 0x53, 0x39};

    if (bench->image_len != IMAGE) {
        esphome_make_image(bench, IMAGE);
        assert_int_equal(bench->image_len, IMAGE);
    }
    bench->host_options.password = dialogue->password;
    for (size_t i = 0; i < sizeof bench->host_random; i++) {
        bench->host_random[i] = (uint8_t)(0x11 * (i % 16));
    }
    if (dialogue == &md5) {
        memcpy(bench->host_random, md5_random, sizeof md5_random);
    }
    esphome_host_begin(bench);
    esphome_host_take(bench, 1000);
}

static size_t count_steps(const struct dialogue *dialogue)
{
    size_t steps = 0;

    while (dialogue->steps[steps].len > 0) {
        steps++;
    }
    return steps;
}

/* Answers one step in two pieces, the first of `cut` bytes. */
static void answer(struct esphome_bench *bench, const struct dialogue *dialogue, size_t step,
                   size_t cut, size_t capacity)
{
    const char *text = dialogue->steps[step].answer;
    size_t len = dialogue->steps[step].len;

    assert_int_equal(bench->sent_len, dialogue->steps[step].sent);
    cut = cut < len ? cut : len;
    ota_esphome_host_input(&bench->host, text, cut);
    esphome_host_take(bench, capacity);
    ota_esphome_host_input(&bench->host, text + cut, len - cut);
    esphome_host_take(bench, capacity);
}

static void assert_done(const struct esphome_bench *bench, const struct dialogue *dialogue)
{
    size_t image = dialogue->steps[count_steps(dialogue) - 1].sent - IMAGE;

    assert_int_equal(bench->host.failure.err, OTA_OK);
    assert_int_equal(bench->host.state, OTA_ESPHOME_HOST_DONE);
    assert_int_equal(bench->host.sent, IMAGE);
    assert_int_equal(bench->host.confirmed, IMAGE);
    assert_int_equal(bench->sent_len, image + IMAGE + 1);
    assert_memory_equal(bench->sent, "\x6C\x26\xF7\x5C\x45\x07", 6);
    assert_memory_equal(bench->sent + image - 36, "\x00\x00\x23\x30", 4);
    assert_memory_equal(bench->sent + image, bench->image, IMAGE);
    assert_int_equal(bench->sent[image + IMAGE], 0x00);
    assert_int_equal(ota_esphome_host_wait_ms(&bench->host), UINT32_MAX);
}

/* ---- The way it should go -------------------------------------------------------------------- */

static void test_dialogues(void **state)
{
    struct esphome_bench *bench = *state;
    static const char *const events[] = {"CLSAD", "CLSAD", "CWLSAD", "CLSAD"};

    for (size_t i = 0; i < DIALOGUES; i++) {
        begin(bench, dialogues[i]);
        for (size_t step = 0; step < count_steps(dialogues[i]); step++) {
            answer(bench, dialogues[i], step, 0, 1000);
        }
        assert_done(bench, dialogues[i]);
        assert_string_equal(bench->host_events, events[i]);
        assert_int_equal(bench->host.version, i == 1 ? 1 : 2);
        assert_int_equal(bench->host.features, i == 1 ? 1 : 0);
    }
}

static void test_proofs(void **state)
{
    struct esphome_bench *bench = *state;

    begin(bench, &md5);
    answer(bench, &md5, 0, 0, 1000);
    answer(bench, &md5, 1, 0, 1000);
    assert_memory_equal(bench->sent + 6, "e8193ec1c60b8784bef7760b21085339", 32);
    assert_memory_equal(bench->sent + 38, "3d79001a8ebc1783ffded0b952703c06", 32);
    begin(bench, &sha256);
    answer(bench, &sha256, 0, 0, 1000);
    answer(bench, &sha256, 1, 0, 1000);
    assert_memory_equal(bench->sent + 6,
                        "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff", 64);
    assert_memory_equal(bench->sent + 70,
                        "f6917bce75be77e0c83806a17ba2c9ae15a1031107f569de37e66621220e779c", 64);
    assert_int_equal(bench->host.auth, OTA_HASH_SHA256);
}

/* Each answer cut in two at each place, and what is sent byte by byte. */
static void test_every_split(void **state)
{
    struct esphome_bench *bench = *state;

    for (size_t i = 0; i < DIALOGUES; i++) {
        for (size_t cut = 0; cut < 68; cut++) {
            begin(bench, dialogues[i]);
            for (size_t step = 0; step < count_steps(dialogues[i]); step++) {
                answer(bench, dialogues[i], step, cut, cut == 0 ? 1 : 4000);
            }
            assert_done(bench, dialogues[i]);
        }
    }
}

/* ---- Errors of the device -------------------------------------------------------------------- */

/* Plays the dialogue but for the bytes of the device from the `place`-th on. Returns false if it
   has no so many. */
static bool play_up_to(struct esphome_bench *bench, const struct dialogue *dialogue, size_t place)
{
    begin(bench, dialogue);
    for (size_t step = 0; step < count_steps(dialogue); step++) {
        for (size_t i = 0; i < dialogue->steps[step].len; i++) {
            if (place-- == 0) {
                return true;
            }
            ota_esphome_host_input(&bench->host, dialogue->steps[step].answer + i, 1);
            esphome_host_take(bench, 1000);
        }
    }
    return false;
}

static void assert_failed(const struct esphome_bench *bench, enum ota_err err)
{
    char text[512];

    assert_int_equal(bench->host.state, OTA_ESPHOME_HOST_FAILED);
    assert_int_equal(bench->host.failure.err, err);
    assert_int_equal(bench->host.failure.offset, bench->host.sent);
    ota_esphome_host_message(&bench->host, text, sizeof text);
    assert_true(strlen(text) > 20 && strlen(text) < sizeof text - 1);
    assert_int_equal(ota_esphome_host_wait_ms(&bench->host), UINT32_MAX);
}

/* An error byte is one at every place where the device speaks. */
static void test_error_everywhere(void **state)
{
    struct esphome_bench *bench = *state;

    for (size_t i = 0; i < DIALOGUES; i++) {
        for (size_t place = 0; play_up_to(bench, dialogues[i], place); place++) {
            for (unsigned error = 0x80; error <= 0xFF; error++) {
                const uint8_t bytes[] = {(uint8_t)error, 0x00};
                assert_true(play_up_to(bench, dialogues[i], place));
                enum ota_err expected = error == 0x82 ? OTA_ERR_AUTH : OTA_ERR_PEER;
                assert_int_equal(ota_esphome_host_input(&bench->host, bytes, 2), expected);
                assert_failed(bench, expected);
                assert_true(bench->host.has_answer);
                assert_int_equal(bench->host.answer, error);
                uint8_t piece[8];
                assert_int_equal(ota_esphome_host_output(&bench->host, piece, 8), 0);
                error = error == 0x95 ? 0xFE : error;
            }
        }
    }
}

/* So is each byte that does not belong there. */
static void test_wrong_byte_everywhere(void **state)
{
    struct esphome_bench *bench = *state;
    const uint8_t wrong = 0x7E;

    for (size_t i = 0; i < DIALOGUES; i++) {
        for (size_t place = 0; play_up_to(bench, dialogues[i], place); place++) {
            if (dialogues[i] == &sha256 && place == 3) {
                continue; /* features of the device: any below 80 */
            }
            assert_int_equal(ota_esphome_host_input(&bench->host, &wrong, 1), OTA_ERR_PROTOCOL);
            assert_failed(bench, OTA_ERR_PROTOCOL);
        }
    }
}

static void test_end_everywhere(void **state)
{
    struct esphome_bench *bench = *state;

    for (size_t i = 0; i < DIALOGUES; i++) {
        for (size_t place = 0; play_up_to(bench, dialogues[i], place); place++) {
            assert_int_equal(ota_esphome_host_closed(&bench->host, OTA_OK),
                             OTA_ERR_CONNECTION_LOST);
            assert_failed(bench, OTA_ERR_CONNECTION_LOST);
        }
        assert_int_equal(ota_esphome_host_closed(&bench->host, OTA_OK), OTA_OK);
        assert_done(bench, dialogues[i]);
    }
    begin(bench, &md5);
    assert_int_equal(ota_esphome_host_closed(&bench->host, OTA_ERR_CONNECT), OTA_ERR_CONNECT);
    assert_failed(bench, OTA_ERR_CONNECT);
}

/* An error that comes while the image is on its way stops it. */
static void test_error_within_the_image(void **state)
{
    struct esphome_bench *bench = *state;
    uint8_t piece[100];

    assert_true(play_up_to(bench, &version_2, 6)); /* 43 is there, and the first block sent */
    assert_int_equal(bench->host.sent, 8192);
    begin(bench, &version_1);
    ota_esphome_host_input(&bench->host, "\x00\x01", 2);
    esphome_host_take(bench, 1000);
    ota_esphome_host_input(&bench->host, "\x40\x41", 2);
    esphome_host_take(bench, 1000);
    ota_esphome_host_input(&bench->host, "\x42", 1);
    esphome_host_take(bench, 1000);
    ota_esphome_host_input(&bench->host, "\x43", 1);
    ota_esphome_host_sent(&bench->host, ota_esphome_host_output(&bench->host, piece, 100));
    assert_int_equal(bench->host.sent, 100);
    assert_int_equal(ota_esphome_host_input(&bench->host, "\x83", 1), OTA_ERR_PEER);
    assert_failed(bench, OTA_ERR_PEER);
    assert_int_equal(ota_esphome_host_output(&bench->host, piece, 100), 0);
}

/* What was not asked yet cannot be answered. */
static void test_answers_that_come_too_early(void **state)
{
    struct esphome_bench *bench = *state;

    begin(bench, &version_2);
    assert_int_equal(ota_esphome_host_input(&bench->host, "\x00\x02\x40", 3), OTA_ERR_PROTOCOL);
    assert_failed(bench, OTA_ERR_PROTOCOL);
    assert_true(play_up_to(bench, &version_2, 4));
    assert_int_equal(ota_esphome_host_input(&bench->host, "\x42\x43", 2), OTA_ERR_PROTOCOL);
    assert_true(play_up_to(bench, &version_2, 5));
    assert_int_equal(ota_esphome_host_input(&bench->host, "\x43\x47", 2), OTA_ERR_PROTOCOL);
    assert_true(play_up_to(bench, &version_2, 6));
    assert_int_equal(ota_esphome_host_input(&bench->host, "\x47\x47", 2), OTA_ERR_PROTOCOL);
    assert_true(play_up_to(bench, &version_1, 5));
    assert_int_equal(ota_esphome_host_input(&bench->host, "\x43\x44", 2), OTA_ERR_PROTOCOL);
}

/* ---- The password ---------------------------------------------------------------------------- */

static void test_password_that_is_missing(void **state)
{
    struct esphome_bench *bench = *state;
    struct dialogue without = md5;
    char text[512];

    without.password = NULL;
    assert_true(play_up_to(bench, &without, 4));
    assert_failed(bench, OTA_ERR_AUTH);
    assert_false(bench->host.has_answer);
    assert_int_equal(bench->host.auth, OTA_HASH_MD5);
    assert_string_equal(ota_esphome_host_message(&bench->host, text, sizeof text),
                        "the device wants a password, and none was given");
}

static void test_md5_refused(void **state)
{
    struct esphome_bench *bench = *state;
    char text[512];

    bench->host_options.refuse_md5 = true;
    assert_true(play_up_to(bench, &md5, 4));
    assert_failed(bench, OTA_ERR_AUTH);
    assert_non_null(strstr(ota_esphome_host_message(&bench->host, text, sizeof text), "MD5"));
    assert_int_equal(bench->sent_len, 6); /* and no proof of the password */
    assert_false(play_up_to(bench, &sha256, SIZE_MAX));
    assert_done(bench, &sha256);
}

/* ---- Time-outs and sources ------------------------------------------------------------------- */

static void let_time_pass(struct esphome_bench *bench, uint32_t ms, enum ota_err err)
{
    assert_int_equal(ota_esphome_host_wait_ms(&bench->host), ms);
    bench->now += ms - 1;
    assert_int_equal(ota_esphome_host_tick(&bench->host, bench->now), OTA_OK);
    bench->now += 1;
    assert_int_equal(ota_esphome_host_tick(&bench->host, bench->now), err);
    assert_failed(bench, err);
}

static void test_timeouts(void **state)
{
    struct esphome_bench *bench = *state;
    const size_t let_in = 2 + 3 + 64 + 1; /* the device's bytes until then */

    for (size_t place = 0; play_up_to(bench, &sha256, place); place++) {
        bool is_let_in = place >= let_in;
        let_time_pass(bench, is_let_in ? 90000 : 20000,
                      place == 0 ? OTA_ERR_CONNECT : OTA_ERR_TIMEOUT);
    }
    /* Until it is let in, all answers share the time. */
    begin(bench, &version_2);
    bench->now += 15000;
    assert_int_equal(ota_esphome_host_tick(&bench->host, bench->now), OTA_OK);
    ota_esphome_host_input(&bench->host, "\x00\x02", 2);
    let_time_pass(bench, 5000, OTA_ERR_TIMEOUT);
    bench->host_options.connect_timeout_ms = 300;
    bench->host_options.timeout_ms = 700;
    begin(bench, &version_2);
    let_time_pass(bench, 300, OTA_ERR_CONNECT);
    assert_true(play_up_to(bench, &version_2, 4));
    let_time_pass(bench, 700, OTA_ERR_TIMEOUT);
}

static void test_source_that_fails(void **state)
{
    struct esphome_bench *bench = *state;

    bench->source_error = OTA_ERR_SOURCE;
    assert_true(play_up_to(bench, &version_2, 6));
    assert_failed(bench, OTA_ERR_SOURCE);
    assert_int_equal(bench->host.failure.offset, 0);
}

static void test_arguments(void **state)
{
    struct esphome_bench *bench = *state;
    struct ota_esphome_host host = {0};
    struct ota_esphome_host_options options = bench->host_options;

    assert_int_equal(ota_esphome_host_input(&host, "", 1), OTA_ERR_STATE);
    assert_int_equal(ota_esphome_host_closed(&host, OTA_OK), OTA_ERR_STATE);
    assert_int_equal(ota_esphome_host_begin(&host, &options, 0), OTA_OK);
    options.size = 0;
    assert_int_equal(ota_esphome_host_begin(&host, &options, 0), OTA_ERR_ARGUMENT);
    options.size = UINT32_MAX;
    assert_int_equal(ota_esphome_host_begin(&host, &options, 0), OTA_ERR_ARGUMENT);
    options.size = 1;
    options.random = NULL;
    assert_int_equal(ota_esphome_host_begin(&host, &options, 0), OTA_OK);
    options.password = "secret";
    assert_int_equal(ota_esphome_host_begin(&host, &options, 0), OTA_ERR_ARGUMENT);
    options.password = NULL;
    options.read = NULL;
    assert_int_equal(ota_esphome_host_begin(&host, &options, 0), OTA_ERR_ARGUMENT);
}

/* Messages say what was answered to what. */
static void test_messages(void **state)
{
    struct esphome_bench *bench = *state;
    char text[512];

    assert_true(play_up_to(bench, &version_2, 4));
    ota_esphome_host_input(&bench->host, "\x89", 1);
    assert_string_equal(ota_esphome_host_message(&bench->host, text, sizeof text),
                        "the image is larger than the device's OTA partition: flash over a cable "
                        "with a larger one (it answered 0x89 to the size)");
    assert_true(play_up_to(bench, &version_2, 0));
    ota_esphome_host_input(&bench->host, "\xAA", 1);
    assert_string_equal(
        ota_esphome_host_message(&bench->host, text, sizeof text),
        "the device answered 0xAA to the greeting, an error that is not known here: "
        "it may speak a newer protocol");
    assert_true(play_up_to(bench, &version_2, 0));
    ota_esphome_host_input(&bench->host, "HTTP/1.1 400", 12);
    assert_string_equal(
        ota_esphome_host_message(&bench->host, text, sizeof text),
        "the device answered 0x48 to the greeting, which is not the ESPHome protocol");
    assert_null(ota_esphome_answer_text(0x45));
    assert_null(ota_esphome_answer_text(0x95));
}

#define TEST(name) cmocka_unit_test_setup(name, esphome_bench_set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_dialogues),
        TEST(test_proofs),
        TEST(test_every_split),
        TEST(test_error_everywhere),
        TEST(test_wrong_byte_everywhere),
        TEST(test_end_everywhere),
        TEST(test_error_within_the_image),
        TEST(test_answers_that_come_too_early),
        TEST(test_password_that_is_missing),
        TEST(test_md5_refused),
        TEST(test_timeouts),
        TEST(test_source_that_fails),
        TEST(test_arguments),
        TEST(test_messages),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
