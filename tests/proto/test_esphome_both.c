/* SPDX-License-Identifier: Apache-2.0 */
/* Both sides of the ESPHome protocol: against each other, and against what was recorded of
   others. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <updraft/text.h>

#include "proto/esphome_bench.h"

/* ---- Against each other ---------------------------------------------------------------------- */

static void test_every_kind(void **state)
{
    struct esphome_bench *bench = *state;
    static const size_t steps[] = {1, 7, 1500};
    static const char *const passwords[] = {NULL, "secret", "p\xC3\xA4sswort"};

    for (uint8_t version = 0; version <= 2; version++) {
        for (size_t password = 0; password < 3; password++) {
            for (size_t step = 0; step < 3; step++) {
                esphome_bench_make(bench);
                esphome_make_image(bench, 17000);
                bench->options.version = version;
                bench->options.password = passwords[password];
                bench->options.refuse_md5 = version == 2;
                bench->host_options.password = passwords[password];
                bench->host_options.refuse_md5 = version == 2;
                esphome_device_begin(bench);
                esphome_host_begin(bench);
                esphome_converse(bench, steps[step]);
                assert_int_equal(bench->host.state, OTA_ESPHOME_HOST_DONE);
                assert_int_equal(bench->host.auth, password == 0 ? OTA_HASH_NONE : OTA_HASH_SHA256);
                assert_int_equal(bench->host.version, version == 0 ? 2 : version);
                assert_int_equal(bench->esphome.state, OTA_ESPHOME_DONE);
                esphome_assert_updated(bench);
            }
        }
    }
}

static void test_wrong_password(void **state)
{
    struct esphome_bench *bench = *state;

    bench->options.password = "secret";
    bench->host_options.password = "Secret";
    esphome_device_begin(bench);
    esphome_host_begin(bench);
    esphome_converse(bench, 1500);
    assert_int_equal(bench->host.state, OTA_ESPHOME_HOST_FAILED);
    assert_int_equal(bench->host.failure.err, OTA_ERR_AUTH);
    assert_int_equal(bench->host.answer, 0x82);
    assert_int_equal(bench->host.step, OTA_ESPHOME_STEP_AUTH_RESULT);
    esphome_assert_refused(bench, OTA_ERR_AUTH, 0x82);
    assert_int_equal(bench->intake.update.state, OTA_UPDATE_IDLE); /* nothing began */
}

/* A fault of the image in the middle reaches the host of each version. */
static void test_bad_image(void **state)
{
    struct esphome_bench *bench = *state;

    for (uint8_t version = 1; version <= 2; version++) {
        esphome_bench_make(bench);
        esphome_make_image(bench, 30000);
        bench->image[12] = 77; /* another chip */
        esphome_use_image(bench);
        bench->options.version = version;
        esphome_device_begin(bench);
        esphome_host_begin(bench);
        esphome_converse(bench, 1000);
        assert_int_equal(bench->host.state, OTA_ESPHOME_HOST_FAILED);
        assert_int_equal(bench->host.answer, 0x84);
        assert_true(bench->host.sent <= 1000);
        esphome_assert_refused(bench, OTA_ERR_IMAGE_CHIP, 0x84);
    }
}

static void test_too_large(void **state)
{
    struct esphome_bench *bench = *state;

    bench->host_options.size = RAM_SLOT_SIZE + 1;
    esphome_device_begin(bench);
    esphome_host_begin(bench);
    esphome_converse(bench, 1000);
    assert_int_equal(bench->host.answer, 0x89);
    assert_int_equal(bench->host.step, OTA_ESPHOME_STEP_SIZE);
    assert_int_equal(bench->host.sent, 0);
}

/* ---- Recordings of the original host and a device -------------------------------------------- */

struct recording {
    uint8_t host[512], device[256]; /* what each said, but for the image */
    size_t host_len, device_len;
    size_t image_at; /* where in the host's bytes the image went */
};

static bool load(const char *name, uint8_t *data, size_t capacity, size_t *len)
{
    const char *folder = getenv("UPDRAFT_VECTORS");
    char path[512];

    snprintf(path, sizeof path, "%s/arduino/%s", folder != NULL ? folder : UPDRAFT_VECTORS, name);
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        return false;
    }
    *len = fread(data, 1, capacity, file);
    fclose(file);
    return true;
}

/* Reads the last word of a line as hexadecimal bytes. */
static size_t read_bytes(const char *line, uint8_t *bytes)
{
    const char *word = strrchr(line, ' ') + 1;
    size_t len = strlen(word) / 2;

    assert_true(ota_text_read_hex(word, bytes, len));
    return len;
}

static void read_recording(char *text, struct recording *recording)
{
    for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        if (strstr(line, "blocks: 8192, 8192, 2512") != NULL) {
            memset(recording->device + recording->device_len, 0x47, 3);
            recording->device_len += 3;
        }
        if (strncmp(line, "# host log", 10) == 0) {
            return;
        }
        if (strncmp(line, "C->D", 4) == 0) {
            if (strstr(line, "final ack") != NULL) {
                recording->image_at = recording->host_len;
            }
            recording->host_len += read_bytes(line, recording->host + recording->host_len);
        } else if (strncmp(line, "D->C", 4) == 0) {
            recording->device_len += read_bytes(line, recording->device + recording->device_len);
        }
    }
}

/* Prepares bench and recording; skips the test where there is none. */
static bool begin_replay(struct esphome_bench *bench, const char *name, struct recording *recording)
{
    static char text[8192];
    char path[64];
    size_t len;

    snprintf(path, sizeof path, "esphome/%s.txt", name);
    memset(recording, 0, sizeof *recording);
    esphome_bench_make(bench);
    if (!load(path, (uint8_t *)text, sizeof text - 1, &len) ||
        !load("signing/sketch.bin", bench->image, sizeof bench->image, &bench->image_len)) {
        print_message("no recordings in " UPDRAFT_VECTORS "\n");
        return false;
    }
    text[len] = '\0';
    read_recording(text, recording);
    esphome_use_image(bench);
    bench->ram.device.form = OTA_IMAGE_ESP8266;
    return true;
}

struct replay {
    const char *name;
    uint8_t version;
    const char *password;
    size_t nonce_at, cnonce_at; /* in what device and host said */
    size_t digits;
};

static const struct replay replays[] = {
    {"v1-noauth", 1, NULL, 0, 0, 0},
    {"v2-md5", 2, "secret", 4, 6, 32},
    {"v2-sha256-extended", 2, "secret", 5, 6, 64},
    {"badpw", 2, "secret", 4, 6, 32},
};

static void read_random(const uint8_t *digits, size_t len, uint8_t *bytes)
{
    char text[65] = {0};

    memcpy(text, digits, len);
    assert_true(ota_text_read_hex(text, bytes, len / 2));
}

/* The device, given what the original host said, says what was recorded. */
static void test_device_recordings(void **state)
{
    struct esphome_bench *bench = *state;
    struct recording recording;

    for (size_t i = 0; i < sizeof replays / sizeof *replays; i++) {
        const struct replay *replay = &replays[i];
        if (!begin_replay(bench, replay->name, &recording)) {
            skip();
        }
        bench->options.version = replay->version;
        bench->options.password = replay->password;
        read_random(recording.device + replay->nonce_at, replay->digits, bench->random);
        size_t image_at = recording.image_at != 0 ? recording.image_at : recording.host_len;
        esphome_device_begin(bench);
        esphome_feed(bench, recording.host, image_at, 0);
        if (recording.image_at != 0) {
            esphome_feed(bench, bench->image, bench->image_len, 1024);
            esphome_feed(bench, recording.host + image_at, recording.host_len - image_at, 0);
        }
        assert_int_equal(bench->said_len, recording.device_len);
        assert_memory_equal(bench->said, recording.device, recording.device_len);
        assert_int_equal(bench->esphome.is_accepted, recording.image_at != 0);
    }
}

/* No room: the host said the size, and the answer is the ESP8266's. */
static void test_device_recording_of_no_space(void **state)
{
    struct esphome_bench *bench = *state;
    struct recording recording;

    if (!begin_replay(bench, "nospace", &recording)) {
        skip();
    }
    recording.host[recording.host_len - 3] = 0x7F; /* our slot is larger */
    esphome_device_begin(bench);
    esphome_feed(bench, recording.host, recording.host_len, 0);
    assert_int_equal(bench->said_len, recording.device_len);
    assert_memory_equal(bench->said, recording.device, recording.device_len);
}

/* The host, given what the device said, says what was recorded but for the features that it
   offers. */
static void test_host_recordings(void **state)
{
    struct esphome_bench *bench = *state;
    struct recording recording;

    for (size_t i = 0; i < 3; i++) {
        const struct replay *replay = &replays[i];
        if (!begin_replay(bench, replay->name, &recording)) {
            skip();
        }
        bench->host_options.password = replay->password;
        read_random(recording.host + replay->cnonce_at, replay->digits, bench->host_random);
        esphome_host_begin(bench);
        for (size_t at = 0; at < recording.device_len; at++) {
            esphome_host_take(bench, 1024);
            ota_esphome_host_input(&bench->host, recording.device + at, 1);
        }
        esphome_host_take(bench, 1024);
        assert_int_equal(bench->host.state, OTA_ESPHOME_HOST_DONE);
        recording.host[5] = 0x07;
        assert_int_equal(bench->sent_len, recording.host_len + bench->image_len);
        assert_memory_equal(bench->sent, recording.host, recording.image_at);
        assert_memory_equal(bench->sent + recording.image_at, bench->image, bench->image_len);
        assert_int_equal(bench->sent[bench->sent_len - 1], 0x00);
    }
}

static void test_host_recordings_of_failures(void **state)
{
    struct esphome_bench *bench = *state;
    static const struct {
        const char *name;
        uint8_t answer;
        enum ota_esphome_host_step step;
    } rows[] = {{"badpw", 0x82, OTA_ESPHOME_STEP_AUTH_RESULT},
                {"nospace", 0x88, OTA_ESPHOME_STEP_SIZE},
                {"enderr", 0x84, OTA_ESPHOME_STEP_END}};
    struct recording recording;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (!begin_replay(bench, rows[i].name, &recording)) {
            skip();
        }
        bench->host_options.password = "secret";
        esphome_host_begin(bench);
        for (size_t at = 0; at < recording.device_len; at++) {
            esphome_host_take(bench, 1024);
            ota_esphome_host_input(&bench->host, recording.device + at, 1);
        }
        assert_int_equal(bench->host.state, OTA_ESPHOME_HOST_FAILED);
        assert_int_equal(bench->host.answer, rows[i].answer);
        assert_int_equal(bench->host.step, rows[i].step);
    }
}

#define TEST(name) cmocka_unit_test_setup(name, esphome_bench_set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_every_kind),        TEST(test_wrong_password),
        TEST(test_bad_image),         TEST(test_too_large),
        TEST(test_device_recordings), TEST(test_device_recording_of_no_space),
        TEST(test_host_recordings),   TEST(test_host_recordings_of_failures),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
