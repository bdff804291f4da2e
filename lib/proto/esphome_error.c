/* SPDX-License-Identifier: Apache-2.0 */
/* Which error byte tells an ESPHome host of which error. docs/formats/esphome.md section 6. */
#include <updraft/esphome.h>

#include "proto/esphome_private.h"

enum ota_esphome_profile ota_esphome_profile_of(const struct ota_device *device)
{
    return device->form == OTA_IMAGE_ESP8266 || device->form == OTA_IMAGE_ESP8266_RTOS
               ? OTA_ESPHOME_ESP8266
               : OTA_ESPHOME_ESP32;
}

uint16_t ota_esphome_port(enum ota_esphome_profile profile)
{
    switch (profile) {
    case OTA_ESPHOME_ESP8266:
        return OTA_ESPHOME_PORT_ESP8266;
    case OTA_ESPHOME_RP2040:
        return OTA_ESPHOME_PORT_RP2040;
    case OTA_ESPHOME_LIBRETINY:
        return OTA_ESPHOME_PORT_LIBRETINY;
    default:
        return OTA_ESPHOME_PORT_ESP32;
    }
}

static uint8_t space_byte(enum ota_esphome_profile profile)
{
    switch (profile) {
    case OTA_ESPHOME_ESP8266:
        return ESPHOME_ERROR_ESP8266_SPACE;
    case OTA_ESPHOME_RP2040:
        return ESPHOME_ERROR_RP2040_SPACE;
    default:
        return ESPHOME_ERROR_ESP32_SPACE;
    }
}

uint8_t ota_esphome_error_byte(enum ota_esphome_profile profile, enum ota_err err)
{
    switch (err) {
    case OTA_ERR_IMAGE_MAGIC:
    case OTA_ERR_COMPRESSED:
    case OTA_ERR_COMPRESSION:
        return ESPHOME_ERROR_MAGIC;
    case OTA_ERR_ARGUMENT: /* a size of 0 */
    case OTA_ERR_STATE:
    case OTA_ERR_RUNNING_SLOT:
    case OTA_ERR_UNCONFIRMED:
    case OTA_ERR_READ_ONLY:
    case OTA_ERR_BUSY:
    case OTA_ERR_RESTARTING:
    case OTA_ERR_HELD:
    case OTA_ERR_REFUSED:
    case OTA_ERR_SAME_VERSION:
    case OTA_ERR_PROJECT:
        return ESPHOME_ERROR_PREPARE;
    case OTA_ERR_AUTH:
        return ESPHOME_ERROR_AUTH;
    case OTA_ERR_FLASH_READ:
    case OTA_ERR_FLASH_WRITE:
    case OTA_ERR_FLASH_ERASE:
    case OTA_ERR_FLASH_VERIFY:
        return ESPHOME_ERROR_FLASH;
    case OTA_ERR_IMAGE_FLASH_SIZE:
        return ESPHOME_ERROR_NEW_FLASH_CONFIG;
    case OTA_ERR_TOO_LARGE:
        return space_byte(profile);
    case OTA_ERR_NO_PARTITION:
    case OTA_ERR_NO_OTADATA:
        return ESPHOME_ERROR_NO_PARTITION;
    case OTA_ERR_DIGEST:
        return ESPHOME_ERROR_MD5;
    case OTA_ERR_SECURE_VERSION:
    case OTA_ERR_OLDER_VERSION:
        return ESPHOME_ERROR_OLDER;
    default:
        break;
    }
    /* What is wrong with the image, its compression or its signature: these are numbered in a row. */
    return err > OTA_ERR_IMAGE_MAGIC && err <= OTA_ERR_KEY ? ESPHOME_ERROR_END
                                                           : ESPHOME_ERROR_UNKNOWN;
}
