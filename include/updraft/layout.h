/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_LAYOUT_H
#define UPDRAFT_LAYOUT_H

/*
 * What a partition table means for booting and updating: where the factory app, the test app, the
 * OTA slots and otadata are. Read once at start, about 160 bytes.
 */

#include <stdint.h>

#include <updraft/error.h>
#include <updraft/flash.h>
#include <updraft/partition.h>

/* A slot by number: 0 to 15 for ota_0 to ota_15, or one of these. */
#define OTA_SLOT_FACTORY (-1)
#define OTA_SLOT_TEST (-2)
#define OTA_SLOT_NONE (-99)
#define OTA_SLOTS_MAX 16

/* A stretch of flash; size 0 means "there is none". */
struct ota_extent {
    uint32_t offset;
    uint32_t size;
};

struct ota_layout {
    struct ota_extent factory;
    struct ota_extent test;
    struct ota_extent ota[OTA_SLOTS_MAX];
    struct ota_extent otadata;
    uint8_t ota_rows; /* ota_x rows in the table: the bootloader's N */
    uint8_t ota_run; /* ota_0, ota_1, … without a gap: the app's N. Good tables have both equal */
};

/* Collects the layout from an opened table. Returns OTA_OK or the read's error. */
enum ota_err ota_layout_read(struct ota_layout *layout, const struct ota_partition_table *table);

/* The extent of a slot; one of size 0 if the layout has no such slot. */
struct ota_extent ota_layout_slot(const struct ota_layout *layout, int slot);

/* Makes a region of a slot. Returns OTA_ERR_NO_PARTITION if the layout has no such slot. */
enum ota_err ota_layout_region(const struct ota_layout *layout, struct ota_flash *flash, int slot,
                               struct ota_region *region);

/* Writes the slot's name ("factory", "test", "ota_3", "none") and returns `name`. */
#define OTA_SLOT_NAME_SIZE 8
const char *ota_slot_name(int slot, char name[OTA_SLOT_NAME_SIZE]);

#endif
