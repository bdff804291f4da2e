/* SPDX-License-Identifier: Apache-2.0 */
/* A device made of RAM. */

#include "proto/ram_device.h"

#include <stdlib.h>
#include <string.h>

#include "support/images.h"

static enum ota_err ram_read(struct ota_flash *flash, uint32_t offset, void *data, uint32_t len)
{
    memcpy(data, ((struct ram_device *)flash)->memory + offset, len);
    return OTA_OK;
}

static enum ota_err ram_write(struct ota_flash *flash, uint32_t offset, const void *data,
                              uint32_t len)
{
    uint8_t *to = ((struct ram_device *)flash)->memory + offset;

    for (uint32_t i = 0; i < len; i++) {
        if (to[i] != 0xFF) {
            abort();
        }
        to[i] = ((const uint8_t *)data)[i];
    }
    return OTA_OK;
}

static enum ota_err ram_erase(struct ota_flash *flash, uint32_t offset, uint32_t len)
{
    memset(((struct ram_device *)flash)->memory + offset, 0xFF, len);
    return OTA_OK;
}

void ram_device_make(struct ram_device *ram)
{
    static const struct table_row rows[] = {
        {1, 0x00, RAM_OTADATA, 0x2000, "otadata", 0},
        {0, 0x00, RAM_FACTORY, RAM_SLOT_SIZE, "factory", 0},
        {0, 0x10, RAM_OTA_0, RAM_SLOT_SIZE, "ota_0", 0},
        {0, 0x11, RAM_OTA_1, RAM_SLOT_SIZE, "ota_1", 0},
        {1, 0x82, RAM_STORAGE, RAM_STORAGE_SIZE, "storage", 0},
    };

    memset(ram->memory, 0xFF, sizeof ram->memory);
    table_make(ram->memory + OTA_PARTITION_TABLE_OFFSET, rows, sizeof rows / sizeof *rows, true);
    ram->flash = (struct ota_flash){
        .size = RAM_DEVICE_SIZE,
        .erase_size = 4096,
        .write_size = 1,
        .read = ram_read,
        .write = ram_write,
        .erase = ram_erase,
    };
    ram->device = (struct ota_device){
        .flash = &ram->flash,
        .crypto = &ota_crypto_psa,
        .table_offset = OTA_PARTITION_TABLE_OFFSET,
        .form = OTA_IMAGE_ESP32,
        .chip = {.id = OTA_CHIP_ESP32S3},
        .running_slot = OTA_SLOT_FACTORY,
    };
    if (ota_device_open(&ram->device, NULL) != OTA_OK) {
        abort();
    }
}
