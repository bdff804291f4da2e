/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Updates from one URL against a server that says anything, one after the other, so that an update
 * is also resumed. The input is a script: each read of a connection does what its next byte says.
 * Whatever happens: the calls come to an end, nothing stays open, the running image and the table
 * stay as they are, and what is accepted is the one image that would pass.
 */
#include <string.h>

#include <updraft/https_update.h>

#include "fuzz/input.h"
#include "proto/ram_device.h"
#include "support/images.h"

#define IMAGE_SIZE 20000u
#define UPDATES_MAX 4u

enum happening {
    RAW,      /* length, bytes */
    HEAD_200, /* the right head for the whole image */
    HEAD_206, /* the right head for what was asked for */
    BODY,     /* count: as many half kilobytes of the image, from where the answer stands */
    NOTHING,
    CLOSED,
    BROKEN,
    LATER, /* seconds */
    HAPPENINGS,
};

static struct stage {
    struct ota_platform platform; /* first: a cast gets the stage back */
    struct ota_stream stream;
    struct ram_device ram;
    struct ota_intake intake;
    struct ota_https_update update;
    uint8_t buffer[4096];
    char text[512];
    uint8_t image[IMAGE_SIZE + 64];
    size_t image_len;
    uint8_t before[RAM_OTA_0];
    uint32_t now;
    bool is_open;
    struct input script;
    char request[1024];
    size_t request_len;
    size_t from, to, at; /* of the image: what was asked for, and what comes next */
    char said[256];      /* of a head, what did not fit into a read */
    size_t said_len, said_at;
} stage;

/* What the last request asks for. */
static void read_request(void)
{
    const char *range = strstr(stage.request, "\r\nRange: bytes=");
    char *end = NULL;

    stage.from = 0;
    stage.to = stage.image_len;
    if (range != NULL) {
        stage.from = strtoul(range + strlen("\r\nRange: bytes="), &end, 10);
        if (end[0] == '-' && end[1] >= '0' && end[1] <= '9') {
            stage.to = strtoul(end + 1, NULL, 10) + 1;
        }
    }
    stage.to = stage.to < stage.image_len ? stage.to : stage.image_len;
    stage.at = stage.from;
}

static size_t say_head(bool part, void *data, size_t capacity)
{
    if (part) {
        stage.said_len = (size_t)snprintf(
            stage.said, sizeof stage.said,
            "HTTP/1.1 206 Rest\r\nContent-Range: bytes %zu-%zu/%zu\r\nContent-Length: %zu\r\n"
            "ETag: \"e\"\r\n\r\n",
            stage.from, stage.to - 1, stage.image_len, stage.to - stage.from);
    } else {
        stage.said_len = (size_t)snprintf(
            stage.said, sizeof stage.said,
            "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\nETag: \"e\"\r\n\r\n", stage.image_len);
        stage.from = 0;
        stage.to = stage.image_len;
        stage.at = 0;
    }
    stage.said_at = stage.said_len < capacity ? stage.said_len : capacity;
    memcpy(data, stage.said, stage.said_at);
    return stage.said_at;
}

static enum ota_err play(void *data, size_t capacity, size_t *len, bool *ended)
{
    struct input *script = &stage.script;
    size_t most;

    if (script->left == 0) {
        return OTA_ERR_CONNECTION_LOST;
    }
    switch ((enum happening)(input_byte(script) % HAPPENINGS)) {
    case RAW:
        most = input_byte(script);
        for (*len = 0; *len < most && *len < capacity && script->left > 0; (*len)++) {
            ((uint8_t *)data)[*len] = input_byte(script);
        }
        return OTA_OK;
    case HEAD_200:
        *len = say_head(false, data, capacity);
        return OTA_OK;
    case HEAD_206:
        *len = say_head(true, data, capacity);
        return OTA_OK;
    case BODY:
        most = 512u * (1u + input_byte(script) % 32u);
        most = most < capacity ? most : capacity;
        *len = stage.at < stage.to && stage.to - stage.at < most ? stage.to - stage.at : most;
        *len = stage.at < stage.to ? *len : 0;
        memcpy(data, stage.image + stage.at, *len);
        stage.at += *len;
        return OTA_OK;
    case CLOSED:
        *ended = true;
        return OTA_OK;
    case BROKEN:
        return OTA_ERR_CONNECTION_LOST;
    case LATER:
        stage.now += 1000u * input_byte(script);
        return OTA_OK;
    default:
        return OTA_OK;
    }
}

static enum ota_err stream_read(struct ota_stream *stream, void *data, size_t capacity, size_t *len,
                                bool *ended)
{
    (void)stream;
    REQUIRE(stage.is_open && capacity > 0);
    *len = 0;
    *ended = false;
    if (stage.said_at < stage.said_len) {
        *len =
            stage.said_len - stage.said_at < capacity ? stage.said_len - stage.said_at : capacity;
        memcpy(data, stage.said + stage.said_at, *len);
        stage.said_at += *len;
        return OTA_OK;
    }
    return play(data, capacity, len, ended);
}

static enum ota_err stream_write(struct ota_stream *stream, const void *data, size_t len,
                                 size_t *sent)
{
    (void)stream;
    REQUIRE(stage.is_open);
    if (stage.request_len + len >= sizeof stage.request) {
        stage.request_len = 0;
    }
    memcpy(stage.request + stage.request_len, data, len);
    stage.request_len += len;
    stage.request[stage.request_len] = '\0';
    if (strstr(stage.request, "\r\n\r\n") != NULL) {
        read_request();
        stage.request_len = 0;
    }
    *sent = len;
    return OTA_OK;
}

static void stream_close(struct ota_stream *stream)
{
    (void)stream;
    REQUIRE(stage.is_open);
    stage.is_open = false;
}

static enum ota_err connect(struct ota_platform *platform, const char *host, uint16_t port,
                            struct ota_stream **stream)
{
    (void)platform;
    REQUIRE(!stage.is_open && host[0] != '\0' && port != 0);
    stage.is_open = true;
    stage.request_len = 0;
    stage.said_at = stage.said_len = 0;
    *stream = &stage.stream;
    return OTA_OK;
}

static uint32_t now_ms(struct ota_platform *platform)
{
    (void)platform;
    return stage.now;
}

static void wait_ms(struct ota_platform *platform, uint32_t timeout_ms)
{
    (void)platform;
    REQUIRE(timeout_ms != UINT32_MAX);
    stage.now += timeout_ms;
}

static void set_up(void)
{
    const struct image_facts image = {
        .chip = OTA_CHIP_ESP32S3, .size = IMAGE_SIZE, .version = "1.1.0"};

    stage.platform = (struct ota_platform){.now_ms = now_ms, .connect = connect, .wait = wait_ms};
    stage.stream =
        (struct ota_stream){.read = stream_read, .write = stream_write, .close = stream_close};
    ram_device_make(&stage.ram);
    memcpy(stage.before, stage.ram.memory, sizeof stage.before);
    if (stage.image_len == 0) {
        stage.image_len = image_make(stage.image, sizeof stage.image, &image);
    }
    stage.now = 0;
    stage.is_open = false;
    const struct ota_intake_options options = {
        .device = &stage.ram.device,
        .buffer = stage.buffer,
        .buffer_size = sizeof stage.buffer,
    };
    REQUIRE(ota_intake_init(&stage.intake, &options) == OTA_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    set_up();
    stage.script = (struct input){data, size};
    for (unsigned i = 0; i < UPDATES_MAX && stage.script.left > 0; i++) {
        uint8_t kind = input_byte(&stage.script);
        const struct ota_https_update_options options = {
            .platform = &stage.platform,
            .intake = &stage.intake,
            .url = "http://user:password@server/update",
            .allow_http = true,
            .resume = (kind & 1) != 0,
            .bulk_erase = (kind & 2) != 0,
            .max_request = (kind & 4) != 0 ? 300u * (kind >> 3) : 0,
            .text = stage.text,
            .text_size = sizeof stage.text,
        };
        uint32_t accepted = stage.intake.accepted;
        enum ota_err err = ota_https_update(&stage.update, &options);
        REQUIRE(!stage.is_open && ota_intake_is_free(&stage.intake));
        REQUIRE((err == OTA_OK) == (stage.update.state == OTA_HTTPS_UPDATE_DONE));
        REQUIRE((err == OTA_OK) == (stage.intake.accepted == accepted + 1));
        REQUIRE(err != OTA_OK ||
                memcmp(stage.ram.memory + RAM_OTA_0, stage.image, stage.image_len) == 0);
    }
    /* All below the slot but otadata, which an update may touch. */
    REQUIRE(memcmp(stage.before, stage.ram.memory, RAM_OTADATA) == 0);
    REQUIRE(memcmp(stage.before + RAM_FACTORY, stage.ram.memory + RAM_FACTORY, RAM_SLOT_SIZE) == 0);
    return 0;
}
