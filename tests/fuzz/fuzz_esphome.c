/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The device side of the ESPHome protocol against a host that says anything. The input is a script:
 * a byte says what happens next, and brings bytes of its own. Whatever happens: the device says one
 * error byte at most and nothing after it, lets nobody in without the password, holds the intake
 * only while it receives, and an image that it accepts is the one image that would pass, at its
 * place.
 */
#include <string.h>

#include <updraft/esphome.h>

#include "fuzz/input.h"
#include "proto/ram_device.h"
#include "support/images.h"

#define IMAGE_SIZE 9000u
#define RANDOM 0x5A

enum happening {
    RAW,      /* length, bytes */
    GREETING, /* magic, features */
    LOGIN,    /* the right response, to a cnonce of zeros */
    SIZE,     /* the right size, and an app after extended features */
    CHECKSUM, /* the right MD5 */
    IMAGE,    /* count: as many times 512 bytes of the image, from where it stands */
    READ,     /* count: as many bytes of the device's */
    LATER,    /* seconds */
    CLOSED,
    HAPPENINGS,
};

static struct stage {
    struct ram_device ram;
    struct ota_intake intake;
    struct ota_esphome esphome;
    struct ota_esphome_options options;
    uint8_t buffer[512];
    uint8_t image[IMAGE_SIZE + 64];
    size_t image_len;
    uint8_t md5[OTA_MD5_SIZE];
    uint32_t now;
    uint8_t features;
    bool has_said_error, has_logged_in;
    size_t said;
} stage;

static enum ota_err random_bytes(void *context, void *data, size_t len)
{
    (void)context;
    memset(data, RANDOM, len);
    return OTA_OK;
}

static void on_event(void *context, const struct ota_esphome *esphome, enum ota_esphome_event event)
{
    (void)context;
    if (event == OTA_ESPHOME_LET_IN) {
        REQUIRE(stage.options.password == NULL || stage.has_logged_in);
    }
    if (event == OTA_ESPHOME_WEAK_AUTH) {
        REQUIRE(!stage.options.refuse_md5 && esphome->auth == OTA_HASH_MD5);
    }
}

static void take_output(size_t capacity)
{
    uint8_t piece[256];
    size_t len = ota_esphome_output(&stage.esphome, piece, capacity);

    REQUIRE(len <= capacity);
    for (size_t i = 0; i < len; i++) {
        REQUIRE(!stage.has_said_error);
        stage.has_said_error = piece[i] >= 0x80;
    }
    stage.said += len;
    ota_esphome_sent(&stage.esphome, len);
}

static void check(void)
{
    const struct ota_esphome *esphome = &stage.esphome;
    bool over = esphome->state >= OTA_ESPHOME_CLOSING;
    bool failed = esphome->failure.err != OTA_OK;

    REQUIRE(over == (failed || esphome->is_accepted));
    REQUIRE(!(failed && esphome->is_accepted));
    REQUIRE(stage.intake.state == OTA_INTAKE_FREE || !over);
    REQUIRE(esphome->state != OTA_ESPHOME_RECEIVING || stage.intake.state == OTA_INTAKE_TAKEN);
    REQUIRE(stage.intake.accepted == (esphome->is_accepted ? 1 : 0));
    REQUIRE(stage.said <= 72 + 2 + IMAGE_SIZE / 8192 + 1);
    if (esphome->is_accepted) {
        REQUIRE(memcmp(stage.ram.memory + RAM_OTA_0, stage.image, stage.image_len) == 0);
    }
}

static void hash(enum ota_hash_algorithm algorithm, const char *start, const uint8_t *data,
                 size_t len, uint8_t *digest)
{
    struct ota_hash state;

    REQUIRE(ota_crypto_psa.hash_begin(&state, algorithm) == OTA_OK);
    REQUIRE(ota_crypto_psa.hash_update(&state, start, strlen(start)) == OTA_OK);
    REQUIRE(ota_crypto_psa.hash_update(&state, data, len) == OTA_OK);
    REQUIRE(ota_crypto_psa.hash_finish(&state, digest) == OTA_OK);
}

static void put_hex(uint8_t *digits, const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        digits[2 * i] = (uint8_t) "0123456789abcdef"[bytes[i] >> 4];
        digits[2 * i + 1] = (uint8_t) "0123456789abcdef"[bytes[i] & 15];
    }
}

static void set_up(uint8_t kind)
{
    const struct image_facts facts = {
        .chip = OTA_CHIP_ESP32S3, .size = IMAGE_SIZE, .version = "1.1.0"};

    if (stage.image_len == 0) {
        stage.image_len = image_make(stage.image, sizeof stage.image, &facts);
        hash(OTA_HASH_MD5, "", stage.image, stage.image_len, stage.md5);
    }
    ram_device_make(&stage.ram);
    const struct ota_intake_options intake = {
        .device = &stage.ram.device, .buffer = stage.buffer, .buffer_size = sizeof stage.buffer};
    REQUIRE(ota_intake_init(&stage.intake, &intake) == OTA_OK);
    stage.options = (struct ota_esphome_options){
        .intake = &stage.intake,
        .profile = (enum ota_esphome_profile)(kind >> 4 & 3),
        .version = kind & 1 ? 1 : 2,
        .password = kind & 2 ? "secret" : NULL,
        .refuse_md5 = (kind & 4) != 0,
        .random = random_bytes,
        .on_event = on_event,
    };
    stage.now = 0;
    stage.said = 0;
    stage.has_said_error = false;
    stage.has_logged_in = false;
    REQUIRE(ota_esphome_begin(&stage.esphome, &stage.options, stage.now) == OTA_OK);
}

static void give(const void *data, size_t len)
{
    (void)ota_esphome_input(&stage.esphome, data, len);
}

static void log_in(void)
{
    enum ota_hash_algorithm algorithm = stage.esphome.auth;
    size_t size = ota_digest_size(algorithm);
    uint8_t nonces[128] = {0}, random[32], digest[32];

    memset(random, RANDOM, sizeof random);
    put_hex(nonces, random, size);
    memset(nonces + 2 * size, '0', 2 * size);
    hash(algorithm == OTA_HASH_NONE ? OTA_HASH_MD5 : algorithm, "secret", nonces, 4 * size, digest);
    stage.has_logged_in = true; /* or what comes now is a part of something else */
    give(nonces + 2 * size, 2 * size);
    put_hex(nonces, digest, size);
    give(nonces, 2 * size);
}

static void give_size(void)
{
    const uint8_t bytes[] = {0, 0, 0, (uint8_t)(stage.image_len >> 8), (uint8_t)stage.image_len};
    bool is_extended = (stage.features & 4) != 0;

    give(is_extended ? bytes : bytes + 1, is_extended ? 5 : 4);
}

static void give_image(size_t count)
{
    size_t left = stage.image_len - stage.esphome.received;
    size_t len = 512 * (1 + count % 20);

    if (stage.esphome.state == OTA_ESPHOME_RECEIVING && stage.esphome.received < stage.image_len) {
        give(stage.image + stage.esphome.received, len < left ? len : left);
    }
}

static void greet(uint8_t features)
{
    uint8_t bytes[] = {0x6C, 0x26, 0xF7, 0x5C, 0x45, features};

    stage.features = features;
    give(bytes, sizeof bytes);
}

static void play(struct input *input)
{
    uint8_t digits[32];

    switch ((enum happening)(input_byte(input) % HAPPENINGS)) {
    case RAW: {
        size_t len = input_byte(input);
        len = len < input->left ? len : input->left;
        give(input->data, len);
        input->data += len;
        input->left -= len;
        break;
    }
    case GREETING:
        greet(input_byte(input));
        break;
    case LOGIN:
        log_in();
        break;
    case SIZE:
        give_size();
        break;
    case CHECKSUM:
        put_hex(digits, stage.md5, sizeof stage.md5);
        give(digits, sizeof digits);
        break;
    case IMAGE:
        give_image(input_byte(input));
        break;
    case READ:
        take_output(input_byte(input));
        break;
    case LATER:
        stage.now += 1000u * input_byte(input);
        (void)ota_esphome_tick(&stage.esphome, stage.now);
        break;
    default:
        (void)ota_esphome_closed(&stage.esphome, OTA_OK);
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {data, size};

    set_up(input_byte(&input));
    while (input.left > 0 && stage.esphome.state != OTA_ESPHOME_DONE) {
        play(&input);
        check();
    }
    take_output(255);
    (void)ota_esphome_closed(&stage.esphome, OTA_OK);
    check();
    REQUIRE(stage.intake.state == OTA_INTAKE_FREE);
    return 0;
}
