/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_ESP8266_LAYOUT_H
#define UPDRAFT_ESP8266_LAYOUT_H

/*
 * The flash layouts of Arduino's core for the ESP8266, which has no partition table
 * (docs/formats/flash-layout.md section 7): where the sketch, the file system and the chip's own
 * settings are, and where an update is staged, which is wherever the sketch leaves room.
 *
 *     const struct ota_esp8266_layout *layout = ota_esp8266_layout_find("4m2m");
 *     uint32_t sketch, offset;
 *     err = ota_esp8266_sketch_size(&flash, &sketch);
 *     if (err == OTA_OK) err = ota_esp8266_stage(layout, sketch, size_of_update, &offset);
 *
 *     0          0x1000                   fs_begin          fs_end   eeprom rf_cal wifi  flash_size
 *     | eboot    | sketch ...    staging  | file system     | (gap)  | 4K   | 4K  | 12K  |
 *     `- one file, "the sketch" of all sizes below -'
 */

#include <stdint.h>

#include <updraft/error.h>
#include <updraft/flash.h>
#include <updraft/layout.h>

#define OTA_ESP8266_SECTOR 4096u
#define OTA_ESP8266_SKETCH_OFFSET 0x1000u /* of the sketch's own image, behind eboot */

struct ota_esp8266_layout {
    const char *name;    /* "4m2m": the flash's size and the file system's */
    uint32_t flash_size; /* bytes */
    uint32_t fs_begin;   /* flash offset, and the end of the staging space */
    uint32_t fs_end;     /* equal to fs_begin: there is no file system */
    uint32_t fs_block;   /* the file system's own block, bytes; 0 without one */
};

enum ota_esp8266_area {
    OTA_ESP8266_PROGRAM, /* eboot, the sketch and the space for staging */
    OTA_ESP8266_FILE_SYSTEM,
    OTA_ESP8266_EEPROM, /* emulated */
    OTA_ESP8266_RF_CALIBRATION,
    OTA_ESP8266_WIFI, /* settings that the vendor's SDK keeps */
    OTA_ESP8266_AREAS,
};

/* The n-th layout, from small flashes to large; NULL past the last. */
const struct ota_esp8266_layout *ota_esp8266_layout_at(unsigned n);

/* The layout of this name, or NULL. */
const struct ota_esp8266_layout *ota_esp8266_layout_find(const char *name);

/* The layout that a build takes which finds its map by the flash's size, or NULL where there is
   none for that. */
const struct ota_esp8266_layout *ota_esp8266_layout_for(uint32_t flash_size);

/* Where an area lies; size 0 if the layout has none. */
struct ota_extent ota_esp8266_layout_area(const struct ota_esp8266_layout *layout,
                                          enum ota_esp8266_area area);

/* Reads how large the file is that runs: from the start of the flash to the end of the sketch's
   image, found by its segments, which are not proven. Returns OTA_ERR_IMAGE_MAGIC,
   OTA_ERR_IMAGE_SEGMENT_COUNT, OTA_ERR_IMAGE_TRUNCATED (it ends beyond the flash) or the read's
   error. */
enum ota_err ota_esp8266_sketch_size(struct ota_flash *flash, uint32_t *size);

/* "Free sketch space", as a sketch tells servers and browsers: what is left for an update beside a
   running sketch of this size. */
uint32_t ota_esp8266_free_space(const struct ota_esp8266_layout *layout, uint32_t sketch_size);

/* Where the core stages an update of `size` bytes: at the upper end of the free space. Where the
   size is not known (OTA_SIZE_UNKNOWN) it stages as if it were the largest that upload pages take:
   a sector above the sketch. Returns OTA_ERR_TOO_LARGE if there is no room for it. */
enum ota_err ota_esp8266_stage(const struct ota_esp8266_layout *layout, uint32_t sketch_size,
                               uint32_t size, uint32_t *offset);

#endif
