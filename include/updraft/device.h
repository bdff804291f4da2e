/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_DEVICE_H
#define UPDRAFT_DEVICE_H

/*
 * A device as the library sees it: a flash chip with a partition table, a chip that images are for,
 * and the slot that runs now. One object, shared by everything that updates, confirms or rolls
 * back.
 *
 *     static struct ota_device device = {
 *         .flash = &flash,
 *         .crypto = &ota_crypto_bearssl,
 *         .table_offset = OTA_PARTITION_TABLE_OFFSET,
 *         .form = OTA_IMAGE_ESP32, .chip = { .id = OTA_CHIP_ESP32S3 },
 *         .rollback = true, .running_slot = slot_from_bootloader,
 *     };
 *     err = ota_device_open(&device, &failure);
 */

#include <stdbool.h>
#include <stdint.h>

#include <updraft/chip.h>
#include <updraft/crypto.h>
#include <updraft/error.h>
#include <updraft/flash.h>
#include <updraft/image.h>
#include <updraft/layout.h>
#include <updraft/partition.h>

/* Fuses that hold the lowest secure version that may run. A version, once raised, never falls. */
struct ota_fuses {
    /* Returns the floor; 0 where nothing was burned. */
    uint32_t (*secure_version)(struct ota_fuses *fuses);

    /* Raises the floor to `version`; does nothing if it is there already. Returns OTA_OK or
       OTA_ERR_FLASH_WRITE. */
    enum ota_err (*raise_secure_version)(struct ota_fuses *fuses, uint32_t version);
};

struct ota_esp8266;
struct ota_staging;
struct ota_trust;

struct ota_device {
    /* The caller's part. */
    struct ota_flash *flash;
    const struct ota_crypto *crypto;
    struct ota_fuses *fuses;  /* NULL: no floor, no anti-rollback */
    uint32_t table_offset;    /* of the partition table, usually OTA_PARTITION_TABLE_OFFSET */
    enum ota_image_form form; /* of the images that this chip boots; not OTA_IMAGE_DETECT */
    struct ota_chip chip;
    bool rollback;                 /* new images boot on trial, and must confirm themselves */
    int running_slot;              /* what the bootloader started: 0 to 15, OTA_SLOT_FACTORY, … */
    const struct ota_trust *trust; /* NULL: no signatures are asked for (trust.h) */
    const struct ota_staging *staging; /* NULL: slots by a partition table; else staging.h */
    const struct ota_esp8266
        *esp8266; /* NULL, or what is done for such a chip besides (esp8266.h) */

    /* Filled in by ota_device_open. */
    struct ota_partition_table table;
    struct ota_layout layout;
};

/* Reads and verifies the partition table and the layout. Returns OTA_OK, OTA_ERR_ARGUMENT or what
   ota_partition_table_open returns; `failure` (may be NULL) says where in the table. */
enum ota_err ota_device_open(struct ota_device *device, struct ota_failure *failure);

/* The rules for an app image in `region` of this device, with the fuses' floor. */
void ota_device_image_rules(const struct ota_device *device, const struct ota_region *region,
                            struct ota_image_rules *rules);

#endif
