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
#include "proto/arduino_words.h"

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

/* Why a push cannot be, or has failed. */
struct fault {
    enum ota_err err;
    const char *reason; /* a gate's words; NULL: the error's own */
    bool is_size;       /* the size is 0 */
};

static struct fault own_fault(const struct ota_espota *espota)
{
    return (struct fault){espota->failure.err, espota->reason, espota->size == 0};
}

/* Of who comes while another one is served, or between its end and the restart. */
static struct fault fault_of_stranger(const struct ota_espota *espota)
{
    bool is_closed = espota->options.intake->is_closed;

    return (struct fault){is_closed ? OTA_ERR_RESTARTING : OTA_ERR_BUSY, NULL, false};
}

/* "Bad Size Given" has no cause of its own in Updraft: a size of 0 is the caller's fault there. */
#define ARDUINO_BAD_SIZE 5

static int arduino_number(const struct fault *fault, bool is_esp32)
{
    if (fault->is_size) {
        return ARDUINO_BAD_SIZE;
    }
    return is_esp32 ? ota_err_arduino_esp32(fault->err) : ota_err_arduino_esp8266(fault->err);
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

static void put_cause(const struct ota_espota *espota, const struct fault *fault,
                      struct ota_text *text)
{
    bool is_esp32 = espota->options.profile == OTA_ESPOTA_ESP32;
    int number = arduino_number(fault, is_esp32);

    if (fault->reason != NULL || (!fault->is_size && !ota__arduino_says(fault->err, is_esp32))) {
        if (is_esp32) {
            ota_text_put(text, "Error: ");
        }
        put_sentence(text, fault->reason != NULL ? fault->reason : ota_err_text(fault->err));
        return;
    }
    ota_text_put(text,
                 is_esp32 ? ota_arduino_esp32_text(number) : ota_arduino_esp8266_text(number));
    if (!is_esp32 && fault->err == OTA_ERR_DIGEST) {
        put_digests(espota, text);
    }
}

static void put_error_line(const struct ota_espota *espota, const struct fault *fault,
                           struct ota_text *text)
{
    if (espota->options.profile == OTA_ESPOTA_ESP32) {
        put_cause(espota, fault, text);
        ota_text_put(text, "\r\n");
        return;
    }
    ota_text_put(text, "ERROR[");
    ota_text_put_decimal(text, (uint32_t)arduino_number(fault, false));
    ota_text_put(text, "]: ");
    put_cause(espota, fault, text);
    ota_text_put(text, "\n");
}

static void put_refusal(const struct ota_espota *espota, struct fault fault, struct ota_text *text)
{
    ota_text_put(text, "ERR: ");
    if (espota->options.profile == OTA_ESPOTA_RP2040 && espota->is_data &&
        fault.err == OTA_ERR_NO_PARTITION) {
        ota_text_put(text, "No Filesystem");
    } else {
        put_error_line(espota, &fault, text);
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
        put_refusal(espota, own_fault(espota), text);
        break;
    case OTA_ESPOTA_REPLY_BUSY:
        put_refusal(espota, fault_of_stranger(espota), text);
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
            const struct fault fault = own_fault(espota);
            put_error_line(espota, &fault, text);
        }
    }
}
