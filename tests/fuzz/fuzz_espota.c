/* SPDX-License-Identifier: Apache-2.0 */
/*
 * espota's device against hosts that say anything at any time. The input is a script: a byte says
 * what happens next, and brings bytes of its own. Whatever happens: nothing is begun before a
 * login where one is wanted, the intake is taken only while there is or will be a connection, the
 * running image and the table stay as they are, no failure is told as OK, and what is accepted is
 * the one image that would pass, at its place.
 */
#include <string.h>

#include <updraft/espota.h>

#include "fuzz/input.h"
#include "proto/ram_device.h"
#include "proto/espota_proof.h"
#include "support/images.h"

#define IMAGE_SIZE 20000u

enum happening {
    DATAGRAM, /* who, length, bytes */
    INVITE,   /* who, kind: the right invitation, or nearly */
    LOGIN,    /* who, kind: the right answer in the MD5 form, or nearly */
    LATER,    /* time */
    CONNECTED,
    BODY,   /* count: as many kilobytes of the image, from where the device stands */
    STREAM, /* length, bytes */
    SENT,   /* count: the connection takes so many bytes */
    CLOSED,
    BROKEN,
    STOPPED,
    HAPPENINGS,
};

static struct stage {
    struct ram_device ram;
    struct ota_intake intake;
    struct ota_espota espota;
    uint8_t buffer[4096];
    uint8_t image[IMAGE_SIZE + 64];
    size_t image_len;
    char md5[ESPOTA_TEXT_SIZE];
    uint8_t before[RAM_OTA_0];
    uint32_t now, accepted;
    uint8_t random;
    char nonce[80];
    char told[3]; /* the last characters */
    bool has_password, has_logged_in;
} stage;

static enum ota_err give_random(void *context, void *data, size_t len)
{
    (void)context;
    memset(data, ++stage.random, len);
    return OTA_OK;
}

static void on_event(void *context, const struct ota_espota *espota, enum ota_espota_event event)
{
    (void)context;
    if (event == OTA_ESPOTA_LOGGED_IN) {
        stage.has_logged_in = true;
    } else if (event == OTA_ESPOTA_START) {
        REQUIRE(stage.has_logged_in || !stage.has_password);
        stage.has_logged_in = false;
    } else if (event == OTA_ESPOTA_ERROR) {
        REQUIRE(espota->failure.err != OTA_OK);
        REQUIRE(ota_espota_reason(espota)[0] != '\0');
    } else if (event == OTA_ESPOTA_END) {
        REQUIRE(espota->failure.err == OTA_OK);
    }
}

static void check(void)
{
    const struct ota_espota *espota = &stage.espota;
    bool is_under_way =
        espota->state == OTA_ESPOTA_CONNECTING || espota->state == OTA_ESPOTA_RECEIVING;

    REQUIRE((stage.intake.state == OTA_INTAKE_TAKEN) == is_under_way);
    REQUIRE(stage.intake.state != OTA_INTAKE_READY);
    REQUIRE(espota->received <= espota->size);
    REQUIRE((ota_espota_wait_ms(espota) == UINT32_MAX) ==
            (espota->state == OTA_ESPOTA_IDLE && !espota->has_next));
    if (stage.intake.accepted != stage.accepted && !stage.intake.arrival.is_data) {
        REQUIRE(memcmp(stage.ram.memory + RAM_OTA_0, stage.image, stage.image_len) == 0 ||
                memcmp(stage.ram.memory + RAM_OTA_1, stage.image, stage.image_len) == 0);
    }
    stage.accepted = stage.intake.accepted;
}

static void set_up(uint8_t kind)
{
    const struct image_facts image = {
        .chip = OTA_CHIP_ESP32S3, .size = IMAGE_SIZE, .version = "1.1.0"};
    const struct ota_intake_options intake = {.device = &stage.ram.device,
                                              .buffer = stage.buffer,
                                              .buffer_size = sizeof stage.buffer,
                                              .data_label = "storage"};
    const struct ota_espota_options options = {
        .intake = &stage.intake,
        .profile = (enum ota_espota_profile)(kind % 4),
        .login = (enum ota_espota_login)(kind / 4 % 3),
        .password = (kind & 0x40) != 0 ? "secret" : NULL,
        .gap_ms = (kind & 0x80) != 0 ? OTA_ESPOTA_NO_GAP : 0,
        .random = give_random,
        .on_event = on_event,
    };

    ram_device_make(&stage.ram);
    memcpy(stage.before, stage.ram.memory, sizeof stage.before);
    if (stage.image_len == 0) {
        stage.image_len = image_make(stage.image, sizeof stage.image, &image);
        REQUIRE(ota__espota_hash(&ota_crypto_psa, OTA_HASH_MD5, stage.image, stage.image_len,
                                 stage.md5) == OTA_OK);
    }
    stage.now = 0xFFFF0000;
    stage.random = 0;
    stage.accepted = 0;
    stage.nonce[0] = '\0';
    memset(stage.told, 0, sizeof stage.told);
    stage.has_password = options.password != NULL;
    stage.has_logged_in = false;
    REQUIRE(ota_intake_init(&stage.intake, &intake) == OTA_OK);
    REQUIRE(ota_espota_begin(&stage.espota, &options, stage.now) == OTA_OK);
}

/* ---- Datagrams ------------------------------------------------------------------------------- */

static void take_reply(void)
{
    struct ota_address to;
    char text[OTA_ESPOTA_REPLY_SIZE + 1];
    size_t len = ota_espota_reply(&stage.espota, &to, text, sizeof text - 1);

    text[len] = '\0';
    REQUIRE(ota_espota_reply(&stage.espota, &to, text + len, 1) == 0);
    if (strncmp(text, "AUTH ", 5) == 0) {
        (void)snprintf(stage.nonce, sizeof stage.nonce, "%.64s", text + 5);
    }
}

static void give_datagram(uint8_t who, const void *data, size_t len)
{
    struct ota_address from = {.ip = {[10] = 0xFF, 0xFF, 10, 0, 0, (uint8_t)(who % 3 + 1)}};

    from.port = (uint16_t)(1000 + who / 3 % 3);
    ota_espota_datagram(&stage.espota, &from, data, len);
    take_reply();
}

static void invite(uint8_t who, uint8_t kind)
{
    char text[128];

    (void)snprintf(text, sizeof text, "%u %u %zu %s\n", (kind & 1) != 0 ? 100u : 0u,
                   (kind & 2) != 0 ? 0u : 43211u, stage.image_len - (kind >> 5 & 7), stage.md5);
    give_datagram(who, text, strlen(text));
}

static void log_in(uint8_t who, uint8_t kind)
{
    struct ota__espota_proof proof;
    char challenge[160];
    char passhash[ESPOTA_TEXT_SIZE];
    char response[ESPOTA_TEXT_SIZE];
    char text[160];
    bool done;
    static const char cnonce[] = "45c43a74c645da3727e2b16f8136db8a";

    (void)snprintf(challenge, sizeof challenge, "%.*s:%s", (kind & 2) != 0 ? 32 : 64, stage.nonce,
                   cnonce);
    REQUIRE(ota__espota_hash(&ota_crypto_psa, OTA_HASH_MD5, (kind & 1) != 0 ? "wrong" : "secret",
                             (kind & 1) != 0 ? 5 : 6, passhash) == OTA_OK);
    REQUIRE(ota__espota_proof_begin(&proof, &ota_crypto_psa, OTA_HASH_MD5, passhash, challenge,
                                    strlen(challenge)) == OTA_OK);
    REQUIRE(ota__espota_proof_run(&proof, 0, &done, response) == OTA_OK);
    (void)snprintf(text, sizeof text, "200 %s %s\n", cnonce, response);
    give_datagram(who, text, strlen(text));
}

/* ---- The connection -------------------------------------------------------------------------- */

/* The device says OK only when it has accepted. */
static void hear(char character)
{
    stage.told[0] = stage.told[1];
    stage.told[1] = character;
    REQUIRE(strcmp(stage.told, "OK") != 0 || stage.espota.failure.err == OTA_OK);
}

static void take_output(size_t most)
{
    char piece[7];
    size_t len;

    while (most > 0 && (len = ota_espota_output(&stage.espota, piece, sizeof piece)) > 0) {
        len = len < most ? len : most;
        for (size_t i = 0; i < len; i++) {
            hear(piece[i]);
        }
        ota_espota_sent(&stage.espota, len);
        most -= len;
    }
}

static void give_body(uint8_t count)
{
    size_t from = stage.espota.received;
    size_t len = 1024u * (1u + count % 20u);

    if (from < stage.image_len) {
        len = len < stage.image_len - from ? len : stage.image_len - from;
        ota_espota_input(&stage.espota, stage.image + from, len);
    }
}

static void play(struct input *input)
{
    uint8_t what = input_byte(input) % HAPPENINGS;
    uint8_t argument = what == CONNECTED || what >= CLOSED ? 0 : input_byte(input);
    uint8_t second = what <= LOGIN ? input_byte(input) : argument;
    size_t len = second < input->left ? second : input->left;

    switch ((enum happening)what) {
    case DATAGRAM:
        give_datagram(argument, input->data, len);
        break;
    case INVITE:
        invite(argument, second);
        return;
    case LOGIN:
        log_in(argument, second);
        return;
    case LATER:
        stage.now += (uint32_t)argument * argument;
        ota_espota_tick(&stage.espota, stage.now);
        take_reply();
        return;
    case CONNECTED:
        ota_espota_connected(&stage.espota);
        return;
    case BODY:
        give_body(argument);
        return;
    case STREAM:
        ota_espota_input(&stage.espota, input->data, len);
        break;
    case SENT:
        take_output(argument);
        return;
    case CLOSED:
        ota_espota_closed(&stage.espota, OTA_OK);
        return;
    case BROKEN:
        ota_espota_closed(&stage.espota, OTA_ERR_CONNECTION_LOST);
        return;
    default:
        ota_espota_stop(&stage.espota);
        return;
    }
    input->data += len;
    input->left -= len;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {data, size};

    set_up(input_byte(&input));
    check();
    while (input.left > 0) {
        play(&input);
        check();
    }
    ota_espota_stop(&stage.espota);
    check();
    /* All below the slot but otadata, which an update may touch. */
    REQUIRE(memcmp(stage.before, stage.ram.memory, RAM_OTADATA) == 0);
    REQUIRE(memcmp(stage.before + RAM_FACTORY, stage.ram.memory + RAM_FACTORY, RAM_SLOT_SIZE) == 0);
    return 0;
}
