/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP pull against a server that says anything. The input is a script: a byte says what happens
 * next, and brings bytes of its own. Whatever happens: an update is under way only while there is a
 * connection, the running image and the table stay as they are, and an image that is said to be
 * proven is the one image that would pass, at its place.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <updraft/pull.h>

#include "proto/ram_device.h"
#include "support/images.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define IMAGE_SIZE 20000u

enum happening {
    CONNECTED,
    RAW,      /* length, bytes */
    HEAD_200, /* the right head for the whole image */
    HEAD_206, /* the right head for the rest that was asked for */
    BODY,     /* count: as many kilobytes of the image, from where the update stands */
    CLOSED,
    BROKEN,
    LATER, /* seconds */
    HAPPENINGS,
};

static struct stage {
    struct ram_device ram;
    struct ota_update update;
    struct ota_pull pull;
    uint8_t buffer[4096];
    char text[512];
    uint8_t image[IMAGE_SIZE + 64];
    size_t image_len;
    uint8_t before[RAM_OTA_0];
    uint32_t now;
} stage;

static void check(void)
{
    const struct ota_pull *pull = &stage.pull;
    bool connected = pull->state == OTA_PULL_EXCHANGING || pull->state == OTA_PULL_SETTLING;
    bool over = pull->state == OTA_PULL_DONE;

    if ((stage.update.state == OTA_UPDATE_RECEIVING && !connected) ||
        (over == (pull->result == OTA_PULL_UNDECIDED)) ||
        (over && pull->result == OTA_PULL_FAILED && pull->failure.err == OTA_OK) ||
        ((stage.update.state == OTA_UPDATE_PROVEN) != (pull->result == OTA_PULL_UPDATED))) {
        abort();
    }
    if (pull->result == OTA_PULL_UPDATED &&
        memcmp(stage.ram.memory + RAM_OTA_0, stage.image, stage.image_len) != 0) {
        abort();
    }
}

static void set_up(void)
{
    static const struct ota_pull_facts facts = {.version = "1.0.0"};
    const struct image_facts image = {
        .chip = OTA_CHIP_ESP32S3, .size = IMAGE_SIZE, .version = "1.1.0"};
    const struct ota_pull_options options = {
        .url = "http://user:password@server/update",
        .facts = &facts,
        .update = &stage.update,
        .update_options = {.device = &stage.ram.device,
                           .buffer = stage.buffer,
                           .buffer_size = sizeof stage.buffer},
        .text = stage.text,
        .text_size = sizeof stage.text,
        .random = 7,
    };

    memset(&stage.update, 0, sizeof stage.update);
    ram_device_make(&stage.ram);
    memcpy(stage.before, stage.ram.memory, sizeof stage.before);
    if (stage.image_len == 0) {
        stage.image_len = image_make(stage.image, sizeof stage.image, &image);
    }
    stage.now = 0;
    if (ota_pull_begin(&stage.pull, &options, stage.now) != OTA_OK) {
        abort();
    }
}

static void send_request(void)
{
    char piece[97];
    size_t len;

    ota_pull_connected(&stage.pull);
    while ((len = ota_pull_output(&stage.pull, piece, sizeof piece)) > 0) {
        ota_pull_sent(&stage.pull, len);
    }
}

static void say_head(bool rest)
{
    char head[256];
    unsigned long len = stage.image_len, start = stage.pull.range_start;

    if (rest) {
        snprintf(head, sizeof head,
                 "HTTP/1.1 206 Rest\r\nContent-Range: bytes %lu-%lu/%lu\r\nETag: \"e\"\r\n\r\n",
                 start, len - 1, len);
    } else {
        snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\nContent-Length: %lu\r\nETag: \"e\"\r\n\r\n",
                 len);
    }
    ota_pull_input(&stage.pull, head, strlen(head));
}

static void say_body(size_t count)
{
    size_t from = stage.update.state == OTA_UPDATE_RECEIVING ? stage.update.received : 0;
    size_t len = 1024 * (1 + count % 20);

    len = len < stage.image_len - from ? len : stage.image_len - from;
    ota_pull_input(&stage.pull, stage.image + from, len);
}

/* Does what the script says next; returns how many bytes of it that took. */
static size_t play(const uint8_t *data, size_t size)
{
    size_t argument = size > 1 ? data[1] : 0;

    switch ((enum happening)(data[0] % HAPPENINGS)) {
    case CONNECTED:
        send_request();
        return 1;
    case RAW: {
        size_t left = size > 2 ? size - 2 : 0;
        size_t len = argument < left ? argument : left;
        ota_pull_input(&stage.pull, data + (left > 0 ? 2 : 0), len);
        return 2 + len;
    }
    case HEAD_200:
        say_head(false);
        return 1;
    case HEAD_206:
        say_head(true);
        return 1;
    case BODY:
        say_body(argument);
        return 2;
    case CLOSED:
        ota_pull_closed(&stage.pull, OTA_OK);
        return 1;
    case BROKEN:
        ota_pull_closed(&stage.pull, OTA_ERR_CONNECTION_LOST);
        return 1;
    default:
        stage.now += 1000 * (uint32_t)argument;
        ota_pull_tick(&stage.pull, stage.now);
        return 2;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    set_up();
    check();
    for (size_t at = 0; at < size && stage.pull.state != OTA_PULL_DONE;) {
        at += play(data + at, size - at);
        check();
    }
    ota_pull_stop(&stage.pull);
    check();
    /* All below the slot but otadata, which an update may touch. */
    if (memcmp(stage.before, stage.ram.memory, RAM_OTADATA) != 0 ||
        memcmp(stage.before + RAM_FACTORY, stage.ram.memory + RAM_FACTORY, RAM_SLOT_SIZE) != 0) {
        abort();
    }
    return 0;
}
