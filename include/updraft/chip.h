/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_CHIP_H
#define UPDRAFT_CHIP_H

/*
 * What an image check must know of the chip that is to run the image, and what tools know of all
 * chips.
 */

#include <stdbool.h>
#include <stdint.h>

/* Numbers from the images' extended header (docs/formats/image.md section 3), and two of ours for
   what has none there. */
enum ota_chip_id {
    OTA_CHIP_ESP32 = 0,
    OTA_CHIP_ESP32S2 = 2,
    OTA_CHIP_ESP32C3 = 5,
    OTA_CHIP_ESP32S3 = 9,
    OTA_CHIP_ESP32C2 = 12,
    OTA_CHIP_ESP32C6 = 13,
    OTA_CHIP_ESP32H2 = 16,
    OTA_CHIP_ESP32P4 = 18,
    OTA_CHIP_ESP32C61 = 20,
    OTA_CHIP_ESP32C5 = 23,
    OTA_CHIP_ESP32H21 = 25,
    OTA_CHIP_ESP32H4 = 28,
    OTA_CHIP_ESP32E22 = 31,
    OTA_CHIP_ESP32S31 = 32,
    OTA_CHIP_ESP8266 = 0x8266, /* ours: in no file; ESP8266 images name no chip */
    OTA_CHIP_HOST = 0xFFFE,    /* ours: the image carries a program for the machine of the
                                  virtual board */
    OTA_CHIP_ANY = 0xFFFF,     /* for tools: accept each chip */
};

/* Revisions are major * 100 + minor, as in the images. */
struct ota_chip {
    uint16_t id;                   /* enum ota_chip_id */
    uint16_t revision;             /* of the silicon */
    uint16_t efuse_block_revision; /* of the calibration data in the fuses */
    bool ignore_max_revision; /* the fuse that switches off the check of the highest revision */
    bool ignore_revisions;    /* for tools that look at a file with no chip at hand */
};

/* A window of 64 KiB pages, [first, end), by the upper halves of their addresses; empty if
   equal. */
struct ota_chip_window {
    uint16_t first, end;
};

struct ota_chip_facts {
    const char *name;            /* "esp32-s3" */
    uint16_t id;                 /* enum ota_chip_id */
    uint16_t bootloader_offset;  /* on the flash, bytes */
    struct ota_chip_window irom; /* code that runs from flash through the cache */
    struct ota_chip_window drom; /* constants read from flash through the cache */
    uint8_t page_log2_min;       /* of the flash cache, where an image may choose its page size; */
    uint8_t page_log2_max;       /* both 0: it may not. 64 KiB is the default of all */
    bool large_flash;            /* segments and partitions may exceed 16 MB */
};

#define OTA_CHIP_PAGE_SIZE 65536u

/* Tells whether a window holds an address. */
bool ota_chip_window_holds(struct ota_chip_window window, uint32_t address);

/* Returns the facts of a chip, or NULL if it is not known. */
const struct ota_chip_facts *ota_chip_facts(uint16_t id);

/* Returns the n-th chip known (from 0) or NULL past the last. */
const struct ota_chip_facts *ota_chip_facts_at(unsigned n);

/* Returns the chip of this name, or NULL if there is none. Neither case nor dashes nor underscores
   count: "esp32s3", "esp32-s3" and "ESP32_S3" are one. */
const struct ota_chip_facts *ota_chip_named(const char *name);

#endif
