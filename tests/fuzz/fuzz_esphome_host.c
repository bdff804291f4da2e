/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host side of the ESPHome protocol against a device that says anything: the first byte of the
 * input chooses the host's options, the second how its output is taken, the rest is what the device
 * says. Whatever that is: nothing is sent after an error byte, the image goes out in order and no
 * further than acknowledged blocks allow, and it is done only if all of it went out.
 */
#include <string.h>

#include <updraft/esphome_host.h>

#include "fuzz/input.h"

#define IMAGE_SIZE 20000u

static struct stage {
    struct ota_esphome_host host;
    struct ota_esphome_host_options options;
    uint32_t read_to;
    uint32_t now;
} stage;

static enum ota_err read_image(void *context, uint32_t offset, void *data, size_t len)
{
    (void)context;
    REQUIRE(offset == stage.host.sent && offset + len <= IMAGE_SIZE);
    REQUIRE(stage.host.version == 1 || offset + len <= stage.host.confirmed + 8192);
    memset(data, 0xA5, len);
    stage.read_to = offset + (uint32_t)len;
    return OTA_OK;
}

static enum ota_err random_bytes(void *context, void *data, size_t len)
{
    (void)context;
    memset(data, 0x5A, len);
    return OTA_OK;
}

static void take_output(size_t capacity)
{
    uint8_t piece[4096];
    size_t len;

    while ((len = ota_esphome_host_output(&stage.host, piece, capacity)) > 0) {
        REQUIRE(len <= capacity);
        REQUIRE(stage.host.state != OTA_ESPHOME_HOST_FAILED);
        ota_esphome_host_sent(&stage.host, len);
    }
}

static void check(void)
{
    const struct ota_esphome_host *host = &stage.host;

    REQUIRE((host->state == OTA_ESPHOME_HOST_FAILED) == (host->failure.err != OTA_OK));
    REQUIRE(host->sent <= IMAGE_SIZE && host->confirmed <= host->sent);
    if (host->state == OTA_ESPHOME_HOST_DONE) {
        REQUIRE(host->sent == IMAGE_SIZE && stage.read_to == IMAGE_SIZE);
    }
    REQUIRE(!host->has_answer || host->state == OTA_ESPHOME_HOST_FAILED);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {data, size};
    uint8_t kind = input_byte(&input);
    size_t capacity = 1 + 16u * input_byte(&input);

    stage.options = (struct ota_esphome_host_options){
        .crypto = &ota_crypto_bearssl,
        .size = IMAGE_SIZE,
        .password = kind & 1 ? "secret" : NULL,
        .refuse_md5 = (kind & 2) != 0,
        .read = read_image,
        .random = random_bytes,
    };
    stage.read_to = 0;
    stage.now = 0;
    REQUIRE(ota_esphome_host_begin(&stage.host, &stage.options, stage.now) == OTA_OK);
    while (input.left > 0 && stage.host.state < OTA_ESPHOME_HOST_DONE) {
        const uint8_t byte = input_byte(&input);
        if ((kind & 4) == 0 || byte != 0x7F) {
            take_output(capacity);
            (void)ota_esphome_host_input(&stage.host, &byte, 1);
        } else {
            stage.now += 1000u * input_byte(&input);
            (void)ota_esphome_host_tick(&stage.host, stage.now);
        }
        check();
    }
    take_output(capacity);
    (void)ota_esphome_host_closed(&stage.host, OTA_OK);
    check();
    char text[512];
    REQUIRE(strlen(ota_esphome_host_message(&stage.host, text, sizeof text)) < sizeof text - 1);
    return 0;
}
