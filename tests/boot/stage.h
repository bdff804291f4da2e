/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BOOT_STAGE_H
#define BOOT_STAGE_H

/*
 * A device made of RAM for the boot tests: flash content, fuses and table as a struct model_device
 * describes them, and the library's decision on it.
 */

#include <updraft/boot.h>

#include "boot/model.h"

#define STAGE_UNIT 0x1000u
#define STAGE_OTADATA STAGE_UNIT
#define STAGE_FACTORY (3 * STAGE_UNIT)
#define STAGE_TEST (4 * STAGE_UNIT)
#define STAGE_OTA (5 * STAGE_UNIT) /* ota_0; the others follow, a unit each */
#define STAGE_DATA \
    (STAGE_OTA + MODEL_SLOTS * STAGE_UNIT) /* a data partition, so that no table is empty */
#define STAGE_SIZE (STAGE_DATA + STAGE_UNIT)

struct stage_fuses {
    struct ota_fuses fuses; /* first: the object gets itself back by a cast */
    uint32_t version;
    bool broken; /* raising fails */
};

/* Which access fails, counted from 1; 0: none. Accesses that are out of place count as well. */
struct stage_faults {
    unsigned read, write, erase;
};

struct stage {
    struct ota_flash flash; /* first: the driver gets itself back by a cast */
    struct ota_device device;
    struct stage_fuses fuses;
    struct stage_faults faults;
    unsigned misplaced;  /* writes and erases outside otadata, or onto flash that is not erased */
    unsigned changes;    /* writes and erases */
    uint32_t bytes_read; /* of the places of images */
    uint8_t memory[STAGE_SIZE];
};

/* Where the image of a slot lies. */
uint32_t stage_offset(int slot);

/* Makes the device that `model` describes. */
void stage_set(struct stage *stage, const struct model_device *model);

/* Changes the two entries of otadata, the fuses and the rollback switch only. */
void stage_set_entries(struct stage *stage, const struct model_device *model);

/* Writes an entry as it lies on flash; its unused bytes are `label`. */
void stage_encode(const struct model_entry *entry, uint8_t label, uint8_t bytes[32]);

/* Boots; `boot` is made by this call. Returns what ota_boot_decide returns. */
enum ota_err stage_boot(struct stage *stage, struct ota_boot *boot, bool test_pin);

/* Boots and compares with the model; returns NULL if they agree, or what differs, in words. */
const char *stage_compare(struct stage *stage, const struct model_device *model);

#define STAGE_LABEL 0xA5u /* the unused bytes of entries that stage_set_entries makes */

#endif
