/* SPDX-License-Identifier: Apache-2.0 */
#include "rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "support/images.h"

#define FLASH_SIZE (4u << 20)
#define OTADATA 0xD000u
#define WRITE_SIZE 4096u

_Noreturn void rig_fail(const char *what, enum ota_err err)
{
    fprintf(stderr, "updraft-bench: %s: %s\n", what, ota_err_text(err));
    exit(1);
}

static void need(const char *what, enum ota_err err)
{
    if (err != OTA_OK) {
        rig_fail(what, err);
    }
}

double rig_seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static void make_images(struct rig *rig)
{
    for (int i = 0; i < 2; i++) {
        struct image_facts facts = {
            .chip = OTA_CHIP_ESP32S3,
            .size = RIG_IMAGE_SIZE,
            .version = i == 0 ? "1.0.0" : "1.1.0",
            .seed = (uint32_t)i + 1,
        };
        rig->image[i] = malloc(RIG_IMAGE_SIZE);
        if (image_make(rig->image[i], RIG_IMAGE_SIZE, &facts) != RIG_IMAGE_SIZE) {
            rig_fail("making an image", OTA_ERR_ARGUMENT);
        }
    }
}

static void fill_flash(struct rig *rig)
{
    static const struct table_row rows[] = {
        {OTA_PARTITION_DATA, OTA_SUBTYPE_DATA_OTA, OTADATA, 0x2000, "otadata", 0},
        {OTA_PARTITION_APP, OTA_SUBTYPE_APP_OTA_0, RIG_SLOT_0, RIG_SLOT_SIZE, "ota_0", 0},
        {OTA_PARTITION_APP, OTA_SUBTYPE_APP_OTA_0 + 1, RIG_SLOT_1, RIG_SLOT_SIZE, "ota_1", 0},
    };

    nor_blank(&rig->nor);
    table_make(rig->memory + OTA_PARTITION_TABLE_OFFSET, rows, sizeof rows / sizeof rows[0], true);
    memset(rig->memory + RIG_SLOT_0, 0x55, RIG_SLOT_SIZE);
    memset(rig->memory + RIG_SLOT_1, 0x55, RIG_SLOT_SIZE);
    memcpy(rig->memory + RIG_SLOT_0, rig->image[0], RIG_IMAGE_SIZE);
    memcpy(rig->memory + RIG_SLOT_1, rig->image[0], RIG_IMAGE_SIZE);
}

static void hash_image(struct rig *rig, int which)
{
    struct ota_hash hash;
    struct ota_digest *digest = &rig->digest[which];

    digest->algorithm = OTA_HASH_SHA256;
    need("hashing", rig->device.crypto->hash_begin(&hash, OTA_HASH_SHA256));
    need("hashing", rig->device.crypto->hash_update(&hash, rig->image[which], RIG_IMAGE_SIZE));
    need("hashing", rig->device.crypto->hash_finish(&hash, digest->bytes));
}

void rig_init(struct rig *rig)
{
    static const struct nor_config config = {
        .size = FLASH_SIZE, .erase = {{RIG_SECTOR, 0}, {RIG_BLOCK, 0}}, .write_size = 1};

    memset(rig, 0, sizeof *rig);
    rig->memory = malloc(FLASH_SIZE);
    make_images(rig);
    need("making the flash", nor_init(&rig->nor, &config, rig->memory, NULL, &rig->state));
    fill_flash(rig);
    rig->device.crypto = &ota_crypto_psa;
    hash_image(rig, 0);
    hash_image(rig, 1);
    rig->device.flash = &rig->nor.flash;
    rig->device.table_offset = OTA_PARTITION_TABLE_OFFSET;
    rig->device.form = OTA_IMAGE_ESP32;
    rig->device.chip.id = OTA_CHIP_ESP32S3;
    rig->device.running_slot = 0;
    need("opening the device", ota_device_open(&rig->device, NULL));
    need("choosing ota_0", ota_slot_set_boot(&rig->device, 0));
}

void rig_free(struct rig *rig)
{
    free(rig->memory);
    free(rig->image[0]);
    free(rig->image[1]);
}

void rig_update(struct rig *rig, int which, uint32_t buffer_size, bool unknown,
                struct ota_update *update)
{
    static uint8_t buffer[RIG_SECTOR];
    struct ota_update_options options = {
        .device = &rig->device,
        .size = unknown ? OTA_SIZE_UNKNOWN : RIG_IMAGE_SIZE,
        .expected = rig->digest[which],
        .buffer = buffer,
        .buffer_size = buffer_size,
    };

    update->state = OTA_UPDATE_IDLE;
    need("beginning", ota_update_begin(update, &options));
    for (uint32_t at = 0; at < RIG_IMAGE_SIZE; at += WRITE_SIZE) {
        uint32_t left = RIG_IMAGE_SIZE - at;
        need("writing", ota_update_write(update, rig->image[which] + at,
                                         left < WRITE_SIZE ? left : WRITE_SIZE));
    }
    need("ending", ota_update_end(update));
}
