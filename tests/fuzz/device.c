/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz/device.h"

#include <string.h>

#include <updraft/otadata.h>

#include "fuzz/input.h"
#include "support/images.h"

#define IMAGE_SIZE 3000u

void fuzz_device_make(struct fuzz_device *device)
{
    static const struct table_row rows[] = {
        {1, 0x00, FUZZ_OTADATA, 0x2000, "otadata", 0},
        {0, 0x00, FUZZ_FACTORY, FUZZ_OTA_0 - FUZZ_FACTORY, "factory", 0},
        {0, 0x10, FUZZ_OTA_0, FUZZ_SLOT, "ota_0", 0},
        {0, 0x11, FUZZ_OTA_1, FUZZ_SLOT, "ota_1", 0},
        {1, 0x82, FUZZ_STORAGE, FUZZ_STORAGE_SIZE, "storage", 0},
    };
    const struct nor_config config = {.size = FUZZ_CHIP,
                                      .erase = {{FUZZ_SECTOR, 0}, {4096, 0}},
                                      .write_size = 4,
                                      .program_once = true};

    memset(device, 0, sizeof *device);
    REQUIRE(nor_init(&device->nor, &config, device->memory, NULL, &device->state) == OTA_OK);
    nor_blank(&device->nor);
    table_make(device->memory, rows, sizeof rows / sizeof rows[0], true);
    device->device = (struct ota_device){.flash = &device->nor.flash,
                                         .crypto = &ota_crypto_bearssl,
                                         .form = OTA_IMAGE_ESP32,
                                         .chip = {.id = OTA_CHIP_ESP32},
                                         .rollback = true,
                                         .running_slot = 0};
    REQUIRE(ota_device_open(&device->device, NULL) == OTA_OK);
}

void fuzz_device_put_image(struct fuzz_device *device, uint32_t offset, uint32_t seed,
                           uint32_t secure_version)
{
    const struct image_facts facts = {
        .size = IMAGE_SIZE, .seed = seed, .secure_version = secure_version};

    REQUIRE(image_make(device->memory + offset, FUZZ_OTA_0 - FUZZ_FACTORY, &facts) != 0);
}

void fuzz_device_put_entry(struct fuzz_device *device, int index, uint32_t sequence, uint32_t state)
{
    struct ota_otadata_entry entry;

    memset(&entry, 0xFF, sizeof entry);
    entry.sequence = sequence;
    entry.state = state;
    entry.crc = ota_otadata_crc(sequence);
    ota_otadata_entry_encode(&entry, device->memory + FUZZ_OTADATA + (uint32_t)index * 0x1000u);
}
