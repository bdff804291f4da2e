/* SPDX-License-Identifier: Apache-2.0 */
/* What the Arduino updater's texts say. */

#include "proto/arduino_words.h"

bool ota__arduino_says(enum ota_err err, bool is_esp32)
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
        return !is_esp32;
    case OTA_ERR_NO_PARTITION:
        return is_esp32;
    default:
        return false;
    }
}
