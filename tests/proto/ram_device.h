/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROTO_RAM_DEVICE_H
#define PROTO_RAM_DEVICE_H

/*
 * A device made of RAM, for tests of what stands on top of the update: a flash chip that never
 * fails, with a partition table, otadata, a factory app, two OTA slots and a data partition.
 * Writing onto what is not erased ends the program.
 */

#include <updraft/device.h>

#define RAM_DEVICE_SIZE 0x50000u
#define RAM_OTADATA 0xD000u
#define RAM_FACTORY 0x10000u
#define RAM_OTA_0 0x20000u
#define RAM_OTA_1 0x30000u
#define RAM_SLOT_SIZE 0x10000u
#define RAM_STORAGE 0x40000u
#define RAM_STORAGE_SIZE 0x4000u

struct ram_device {
    struct ota_flash flash; /* first: the driver gets its own back by a cast */
    struct ota_device device;
    uint8_t memory[RAM_DEVICE_SIZE];
};

/* Makes a device for ESP32-S3 images that runs the factory app (which is blank), opened. */
void ram_device_make(struct ram_device *ram);

#endif
