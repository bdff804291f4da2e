/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDATE_FIXTURE_H
#define UPDATE_FIXTURE_H

/*
 * A device for the tests of the update room: a flash chip with a table of every kind of partition,
 * fuses, and images to put in its slots. ota_0 runs and is confirmed.
 */

#include <stdbool.h>

#include <updraft/slot.h>
#include <updraft/update.h>

#include "support/images.h"
#include "support/ram_flash.h"

#define SECTOR 4096u
#define BLOCK 65536u
#define CHIP_SIZE (1u << 20)
#define OTADATA 0xD000u
#define FACTORY 0x10000u
#define OTA_0 0x20000u
#define OTA_1 0x40000u
#define OTA_2 0x60000u
#define SLOT_SIZE 0x20000u
#define TEST_APP 0x90000u
#define STORAGE 0xA0000u
#define STORAGE_SIZE 0x10000u
#define IMAGE_MAX SLOT_SIZE

struct test_fuses {
    struct ota_fuses fuses; /* first: the object gets itself back by a cast */
    uint32_t version;
    bool broken; /* raising fails */
};

struct fixture {
    struct ram_flash *chip;
    struct ota_device device;
    struct test_fuses fuses;
    uint8_t running[SLOT_SIZE]; /* what ota_0 holds */
};

/* Makes the device, with an image in ota_0 and entry 0 of otadata for it. */
void fixture_open(struct fixture *fixture);
void fixture_close(struct fixture *fixture);

/* Puts another table on the chip and opens it. */
void fixture_set_table(struct fixture *fixture, const struct table_row *rows, size_t count);

/* Lays an image into a slot, as if it had been there for long. */
void fixture_put_image(struct fixture *fixture, int slot, uint32_t seed, uint32_t secure_version);

/* Breaks a slot's image. */
void fixture_break_image(struct fixture *fixture, int slot);

/* Where a slot begins. */
uint32_t fixture_offset(const struct fixture *fixture, int slot);

/* Writes entry `index` of otadata, its CRC right; sequence 0xFFFFFFFF erases it. Reads it. */
void fixture_set_entry(struct fixture *fixture, int index, uint32_t sequence, uint32_t state);
struct ota_otadata_entry fixture_entry(const struct fixture *fixture, int index);

/* Tells whether an entry that could ever boot names the slot. */
bool fixture_is_named(const struct fixture *fixture, int slot);

/* Tells whether ota_0, the running slot, holds what it always held. */
bool fixture_running_is_whole(const struct fixture *fixture);

/* Uses the fuses, with this floor. */
void fixture_burn(struct fixture *fixture, uint32_t floor);

#endif
