/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an espota device says, in the words that the tools of each chip look for
 * (docs/formats/espota.md sections 4, 6 and 7).
 *
 * W1 No error line contains "OK", which the tools of the ESP32 take for success.
 * W2 Each but the ESP32's own texts has an "E", which the tools of the ESP8266 take for an error.
 */

#include "proto/espota_private.h"

#include "base/mem.h"

enum ota_espota_profile ota_espota_profile_of(const struct ota_device *device)
{
    return device->form == OTA_IMAGE_ESP8266 || device->form == OTA_IMAGE_ESP8266_RTOS
               ? OTA_ESPOTA_ESP8266
               : OTA_ESPOTA_ESP32;
}

uint16_t ota_espota_port(enum ota_espota_profile profile)
{
    switch (profile) {
    case OTA_ESPOTA_ESP8266:
        return OTA_ESPOTA_PORT_ESP8266;
    case OTA_ESPOTA_RP2040:
        return OTA_ESPOTA_PORT_RP2040;
    default:
        return OTA_ESPOTA_PORT_ESP32;
    }
}

/* Tells whether Arduino's text for an error says what happened. Else a sentence of ours says it
   better. */
static bool is_said_by_arduino(enum ota_err err, enum ota_espota_profile profile)
{
    switch (err) {
    case OTA_ERR_FLASH_READ:
    case OTA_ERR_FLASH_WRITE:
    case OTA_ERR_FLASH_ERASE:
    case OTA_ERR_TOO_LARGE:
    case OTA_ERR_IMAGE_MAGIC:
    case OTA_ERR_DIGEST:
    case OTA_ERR_NO_DATA:
    case OTA_ERR_TIMEOUT:
        return true;
    case OTA_ERR_BUSY:
        return profile != OTA_ESPOTA_ESP32;
    case OTA_ERR_NO_PARTITION:
        return profile == OTA_ESPOTA_ESP32;
    default:
        return false;
    }
}

/* "Bad Size Given" has no cause of its own in Updraft: a size of 0 is the caller's fault there. */
#define ARDUINO_BAD_SIZE 5

static int arduino_number(const struct ota_espota *espota)
{
    enum ota_err err = espota->failure.err;

    if (espota->size == 0) {
        return ARDUINO_BAD_SIZE;
    }
    return espota->options.profile == OTA_ESPOTA_ESP32 ? ota_err_arduino_esp32(err)
                                                       : ota_err_arduino_esp8266(err);
}

const char *ota_espota_reason(const struct ota_espota *espota)
{
    return espota->reason != NULL ? espota->reason : ota_err_text(espota->failure.err);
}

/* A sentence of a gate's or ours on one line, without what a tool would take for something else. */
static void put_sentence(struct ota_text *text, const char *sentence)
{
    for (const char *at = sentence; *at != '\0'; at++) {
        char character = *at;
        if (character == 'O' && at[1] == 'K') {
            character = 'o';
        } else if ((unsigned char)character < ' ') {
            character = ' ';
        }
        ota_text_put_bytes(text, &character, 1);
    }
}

static void put_digests(const struct ota_espota *espota, struct ota_text *text)
{
    ota_text_put(text, ": expected: ");
    ota_text_put_hex(text, espota->invitation.md5, OTA_MD5_SIZE, 0, false);
    ota_text_put(text, ", calculated: ");
    ota_text_put_hex(text, espota->response, OTA_MD5_SIZE, 0, false);
}

static void put_cause(const struct ota_espota *espota, struct ota_text *text)
{
    enum ota_espota_profile profile = espota->options.profile;
    int number = arduino_number(espota);
    bool is_esp32 = profile == OTA_ESPOTA_ESP32;

    if (espota->reason != NULL ||
        (espota->size != 0 && !is_said_by_arduino(espota->failure.err, profile))) {
        if (is_esp32) {
            ota_text_put(text, "Error: ");
        }
        put_sentence(text, ota_espota_reason(espota));
        return;
    }
    ota_text_put(text,
                 is_esp32 ? ota_arduino_esp32_text(number) : ota_arduino_esp8266_text(number));
    if (!is_esp32 && espota->failure.err == OTA_ERR_DIGEST) {
        put_digests(espota, text);
    }
}

static void put_error_line(const struct ota_espota *espota, struct ota_text *text)
{
    if (espota->options.profile == OTA_ESPOTA_ESP32) {
        put_cause(espota, text);
        ota_text_put(text, "\r\n");
        return;
    }
    ota_text_put(text, "ERROR[");
    ota_text_put_decimal(text, (uint32_t)arduino_number(espota));
    ota_text_put(text, "]: ");
    put_cause(espota, text);
    ota_text_put(text, "\n");
}

static void put_refusal(const struct ota_espota *espota, struct ota_text *text)
{
    ota_text_put(text, "ERR: ");
    if (espota->options.profile == OTA_ESPOTA_RP2040 && espota->is_data &&
        espota->failure.err == OTA_ERR_NO_PARTITION) {
        ota_text_put(text, "No Filesystem");
    } else {
        put_error_line(espota, text);
    }
}

void ota__espota_put_reply(const struct ota_espota *espota, struct ota_text *text)
{
    switch (espota->reply) {
    case OTA_ESPOTA_REPLY_NONE:
        break;
    case OTA_ESPOTA_REPLY_OK:
        ota_text_put(text, "OK");
        break;
    case OTA_ESPOTA_REPLY_NONCE:
        ota_text_put(text, "AUTH ");
        ota_text_put_bytes(text, espota->challenge, ota__espota_nonce_digits(espota));
        break;
    case OTA_ESPOTA_REPLY_WRONG:
        ota_text_put(text, "Authentication Failed");
        break;
    case OTA_ESPOTA_REPLY_REFUSED:
        put_refusal(espota, text);
        break;
    }
}

void ota__espota_put_told(const struct ota_espota *espota, struct ota_text *text)
{
    if (espota->telling == OTA_ESPOTA_TELLING_COUNT) {
        ota_text_put_decimal(text, espota->count);
    } else if (espota->telling == OTA_ESPOTA_TELLING_LINE) {
        if (espota->failure.err == OTA_OK) {
            ota_text_put(text, "OK");
        } else {
            put_error_line(espota, text);
        }
    }
}
