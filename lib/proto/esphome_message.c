/* SPDX-License-Identifier: Apache-2.0 */
/* What went wrong with a push over the ESPHome protocol, in words for whoever pushes. */
#include <updraft/esphome_host.h>
#include <updraft/text.h>

#include "proto/esphome_private.h"

struct answer_text {
    uint8_t answer;
    const char *text;
};

/* docs/formats/esphome.md section 2. */
static const struct answer_text answer_texts[] = {
    {ESPHOME_ERROR_MAGIC, "the device takes neither the greeting nor the image's first byte: is "
                          "this the right port, and "
                          "the right file"},
    {ESPHOME_ERROR_PREPARE,
     "the device cannot take an update now: another one may run, the image may be too large, or "
     "its "
     "firmware is on trial or has a rule against it; see its log, or restart it and try again"},
    {ESPHOME_ERROR_AUTH, "the device does not accept the password"},
    {ESPHOME_ERROR_FLASH, "the device could not write to its flash; see its log"},
    {ESPHOME_ERROR_END,
     "the device has received the image and does not accept it: it may be damaged, or made for "
     "another chip; see its log"},
    {ESPHOME_ERROR_BOOTSTRAP,
     "the device was flashed over a cable and not restarted since: press its reset button once"},
    {ESPHOME_ERROR_OLD_FLASH_CONFIG,
     "the device's firmware was built for another flash size than it has: choose the right board "
     "and flash it over a cable"},
    {ESPHOME_ERROR_NEW_FLASH_CONFIG,
     "the image was built for another flash size than the device has: choose the right board"},
    {ESPHOME_ERROR_ESP8266_SPACE,
     "the image does not fit beside the running firmware: push a minimal firmware first"},
    {ESPHOME_ERROR_ESP32_SPACE,
     "the image is larger than the device's OTA partition: flash over a cable with a larger one"},
    {ESPHOME_ERROR_NO_PARTITION,
     "the device has no partition for updates: flash over a cable with a table that has"},
    {ESPHOME_ERROR_MD5, "the image was damaged on its way: try again"},
    {ESPHOME_ERROR_RP2040_SPACE, "the image is larger than the space that the device has for it"},
    {ESPHOME_ERROR_SIGNATURE, "the image is not signed with a key that the device trusts"},
    {ESPHOME_ERROR_TYPE, "the device does not take this kind of update"},
    {ESPHOME_ERROR_TABLE_VERIFY, "the partition table is not one that the device accepts"},
    {ESPHOME_ERROR_TABLE_UPDATE, "the device could not write its partition table"},
    {ESPHOME_ERROR_BOOTLOADER_VERIFY, "the bootloader is not one that the device accepts"},
    {ESPHOME_ERROR_BOOTLOADER_UPDATE, "the device could not write its bootloader"},
    {ESPHOME_ERROR_OLDER, "the image is older than what the device accepts"},
    {ESPHOME_ERROR_ENCRYPTION, "the device takes updates only over an encrypted connection"},
    {ESPHOME_ERROR_UNKNOWN, "the device failed and does not say why; see its log"},
};

const char *ota_esphome_answer_text(uint8_t answer)
{
    for (size_t i = 0; i < sizeof answer_texts / sizeof *answer_texts; i++) {
        if (answer_texts[i].answer == answer) {
            return answer_texts[i].text;
        }
    }
    return NULL;
}

static const char *const step_names[] = {
    [OTA_ESPHOME_STEP_VERSION] = "the greeting",
    [OTA_ESPHOME_STEP_FEATURES] = "the features",
    [OTA_ESPHOME_STEP_AUTH] = "the features",
    [OTA_ESPHOME_STEP_AUTH_RESULT] = "the password",
    [OTA_ESPHOME_STEP_SIZE] = "the size",
    [OTA_ESPHOME_STEP_CHECKSUM] = "the checksum",
    [OTA_ESPHOME_STEP_CHUNK] = "a block of the image",
    [OTA_ESPHOME_STEP_RECEIVED] = "the image",
    [OTA_ESPHOME_STEP_END] = "the end",
};

static void put_answer(struct ota_text *text, const struct ota_esphome_host *host)
{
    ota_text_put(text, "0x");
    ota_text_put_hex(text, &host->answer, 1, 0, true);
    ota_text_put(text, " to ");
    ota_text_put(text, step_names[host->step]);
}

/* The device said something that ended it. */
static void put_answered(struct ota_text *text, const struct ota_esphome_host *host)
{
    const char *meaning = ota_esphome_answer_text(host->answer);

    if (meaning != NULL) {
        ota_text_put(text, meaning);
        ota_text_put(text, " (it answered ");
        put_answer(text, host);
        ota_text_put(text, ")");
        return;
    }
    ota_text_put(text, "the device answered ");
    put_answer(text, host);
    if (host->answer >= ESPHOME_ERROR) {
        ota_text_put(text, ", an error that is not known here: it may speak a newer protocol");
    } else {
        ota_text_put(text, ", which is not the ESPHome protocol");
    }
}

static void put_auth(struct ota_text *text, const struct ota_esphome_host *host)
{
    if (host->options->password == NULL) {
        ota_text_put(text, "the device wants a password, and none was given");
        return;
    }
    ota_text_put(text,
                 "the device asks for the password by MD5, which is refused here: it can be "
                 "guessed from what is heard on the network; update its firmware over a cable, "
                 "or allow MD5");
}

const char *ota_esphome_host_message(const struct ota_esphome_host *host, char *buffer, size_t size)
{
    struct ota_text text;

    ota_text_begin(&text, buffer, size);
    if (host->has_answer) {
        put_answered(&text, host);
        return ota_text_end(&text);
    }
    switch (host->failure.err) {
    case OTA_ERR_AUTH:
        put_auth(&text, host);
        break;
    case OTA_ERR_CONNECT:
        ota_text_put(&text, "nothing answers there: the device may be off, at another address, or "
                            "without the ESPHome update port");
        break;
    case OTA_ERR_CONNECTION_LOST:
    case OTA_ERR_TIMEOUT:
        ota_text_put(&text, host->failure.err == OTA_ERR_TIMEOUT
                                ? "the device did not answer in time to "
                                : "the device ended the connection without an answer to ");
        ota_text_put(&text, step_names[host->step]);
        ota_text_put(&text, ": it may have run out of memory, restarted, or lost the network");
        break;
    default:
        ota_text_put(&text, ota_err_text(host->failure.err));
        break;
    }
    return ota_text_end(&text);
}
