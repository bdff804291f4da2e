/* SPDX-License-Identifier: Apache-2.0 */
/* The layouts of boards without a partition table. */

#include <stdio.h>
#include <string.h>

#include <updraft/chip.h>
#include <updraft/esp8266_layout.h>

#include "posix/profile.h"

/* ---- ESP8266, as Arduino's core lays it out -------------------------------------------------- */

static void add_partition(struct profile *profile, struct ota_extent extent, uint8_t subtype,
                          uint32_t flags, const char *label)
{
    if (extent.size == 0) {
        return;
    }
    struct ota_partition *partition = &profile->partitions[profile->staging.data_count++];
    *partition = (struct ota_partition){
        .type = OTA_PARTITION_DATA,
        .subtype = subtype,
        .offset = extent.offset,
        .size = extent.size,
        .flags = flags,
    };
    strcpy(partition->label, label);
}

/* All but the file system is the chip's own, or the sketch's: no update writes it. */
static void add_areas(struct profile *profile)
{
    static const struct {
        enum ota_esp8266_area area;
        uint8_t subtype;
        uint32_t flags;
        const char *label;
    } areas[PROFILE_PARTITIONS_MAX] = {
        {OTA_ESP8266_FILE_SYSTEM, OTA_SUBTYPE_DATA_LITTLEFS, 0, "fs"},
        {OTA_ESP8266_EEPROM, OTA_SUBTYPE_DATA_UNDEFINED, OTA_PARTITION_FLAG_READ_ONLY, "eeprom"},
        {OTA_ESP8266_RF_CALIBRATION, OTA_SUBTYPE_DATA_PHY, OTA_PARTITION_FLAG_READ_ONLY, "rf_cal"},
        {OTA_ESP8266_WIFI, OTA_SUBTYPE_DATA_NVS, OTA_PARTITION_FLAG_READ_ONLY, "wifi"},
    };
    for (size_t i = 0; i < PROFILE_PARTITIONS_MAX; i++) {
        add_partition(profile, ota_esp8266_layout_area(profile->esp8266, areas[i].area),
                      areas[i].subtype, areas[i].flags, areas[i].label);
    }
}

static void fill_esp8266(struct profile *profile, const struct ota_esp8266_layout *layout)
{
    const struct ota_extent program = ota_esp8266_layout_area(layout, OTA_ESP8266_PROGRAM);
    *profile = (struct profile){
        .title = layout->fs_block != 0 ? "Arduino on the ESP8266: sketch, staging, file system"
                                       : "Arduino on the ESP8266: sketch and staging",
        .chip = OTA_CHIP_ESP8266,
        .esp8266 = layout,
        .flash_size = layout->flash_size,
        .erase_sizes = {4096, 65536},
        .write_size = 4,
        .staging = {.app = program,
                    .staging = {OTA_ESP8266_SKETCH_OFFSET,
                                program.size - OTA_ESP8266_SKETCH_OFFSET},
                    .inflates = true,
                    .way = &ota_staging_in_flash},
    };
    snprintf(profile->name, sizeof profile->name, "esp8266-%s", layout->name);
    add_areas(profile);
    profile->staging.data = profile->partitions;
}

/* ---- Others ---------------------------------------------------------------------------------- */

#define STORAGE(offset_, size_)                                                                    \
    {                                                                                              \
        {                                                                                          \
            .type = OTA_PARTITION_DATA, .subtype = OTA_SUBTYPE_DATA_LITTLEFS, .offset = (offset_), \
            .size = (size_), .label = "storage"                                                    \
        }                                                                                          \
    }

static const struct profile others[] = {
    {
        .name = "single-4m",
        .title = "One slot on a flash chip of 4 MB: updates are swapped, and can be taken back",
        .flash_size = 4u << 20,
        .erase_sizes = {4096, 32768, 65536},
        .write_size = 1,
        .staging = {.app = {0x10000, 0x180000}, .staging = {0x190000, 0x190000}, .swap = true},
        .partitions = STORAGE(0x320000, 0xE0000),
    },
    {
        .name = "single-4m-copy",
        .title = "The same without a way back: updates are copied, images may be larger",
        .flash_size = 4u << 20,
        .erase_sizes = {4096, 32768, 65536},
        .write_size = 1,
        .staging = {.app = {0x10000, 0x310000}, .staging = {0x11000, 0x30F000}},
        .partitions = STORAGE(0x320000, 0xE0000),
    },
    {
        .name = "single-1m",
        .title = "One slot in a microcontroller's own 1 MB: pages of 2 KB, 8 bytes programmed once",
        .flash_size = 1u << 20,
        .erase_sizes = {2048},
        .write_size = 8,
        .program_once = true,
        .staging = {.app = {0x8000, 0x70000}, .staging = {0x78000, 0x78000}, .swap = true},
        .partitions = STORAGE(0xF0000, 0x10000),
    },
};

static void fill_other(struct profile *profile, const struct profile *other)
{
    *profile = *other;
    profile->chip = OTA_CHIP_HOST;
    profile->any_chip = true;
    profile->staging.way = &ota_staging_in_flash;
    profile->staging.data = profile->partitions;
    profile->staging.data_count = 1;
}

/* ---- By number and by name ------------------------------------------------------------------- */

bool profile_at(unsigned n, struct profile *profile)
{
    const unsigned count = sizeof others / sizeof *others;
    if (n < count) {
        fill_other(profile, &others[n]);
        return true;
    }
    const struct ota_esp8266_layout *layout = ota_esp8266_layout_at(n - count);
    if (layout != NULL) {
        fill_esp8266(profile, layout);
    }
    return layout != NULL;
}

bool profile_find(const char *name, struct profile *profile)
{
    for (unsigned n = 0; profile_at(n, profile); n++) {
        if (strcmp(profile->name, name) == 0) {
            return true;
        }
    }
    return false;
}
