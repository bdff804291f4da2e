/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FUZZ_DEVICE_H
#define FUZZ_DEVICE_H

/* A small device on a simulated NOR chip, for fuzz targets: table, otadata, a factory app, two
   slots and a data partition, all within 60 KB. */

#include <posix/nor.h>

#include <updraft/device.h>

#define FUZZ_SECTOR 1024u
#define FUZZ_OTADATA 0x1000u
#define FUZZ_FACTORY 0x3000u
#define FUZZ_OTA_0 0x5000u
#define FUZZ_OTA_1 0x8000u
#define FUZZ_SLOT 0x3000u
#define FUZZ_STORAGE 0xB000u
#define FUZZ_STORAGE_SIZE 0x2000u
#define FUZZ_CHIP 0xD000u

struct fuzz_device {
    struct nor nor;
    struct nor_state state;
    uint8_t memory[FUZZ_CHIP];
    struct ota_device device;
};

/* Makes it, its slots and otadata blank, and opens it. ota_0 runs. */
void fuzz_device_make(struct fuzz_device *device);

/* Lays an image into a place. */
void fuzz_device_put_image(struct fuzz_device *device, uint32_t offset, uint32_t seed,
                           uint32_t secure_version);

/* Writes an entry of otadata, CRC and all. */
void fuzz_device_put_entry(struct fuzz_device *device, int index, uint32_t sequence,
                           uint32_t state);

#endif
