/* SPDX-License-Identifier: Apache-2.0 */
#include "skip/flash.h"

#include <string.h>

#include <updraft/chip.h>
#include <updraft/otadata.h>

#include "skip/fail.h"
#include "support/images.h"
#include "support/seals.h"

#define OTADATA 0x9000u
#define TABLE 0x8000u
#define IMAGE_SIZE 700u
#define LARGE_SLOT_SIZE 0x100000u

static struct signer *ours;
static struct signer *theirs;

void flash_begin(void)
{
    ours = signer_new_curve("P-256");
    theirs = signer_new_curve("P-256");
}

void flash_end(void)
{
    signer_free(ours);
    signer_free(theirs);
}

static void put_table(uint8_t *flash)
{
    const struct table_row rows[] = {{1, 0x00, OTADATA, 0x2000, "otadata", 0},
                                     {0, 0x10, FLASH_SLOT(0), FLASH_SLOT_SIZE, "ota_0", 0},
                                     {0, 0x11, FLASH_SLOT(1), FLASH_SLOT_SIZE, "ota_1", 0}};
    table_make(flash + TABLE, rows, 3, false);
}

static void put_entry(uint8_t *flash, uint32_t index, enum ota_image_state state)
{
    struct ota_otadata_entry entry = {
        .sequence = index + 1, .state = state, .crc = ota_otadata_crc(index + 1)};
    memset(entry.label, 0xFF, sizeof entry.label);
    ota_otadata_entry_encode(&entry, flash + OTADATA + 0x1000 * index);
}

static size_t put_image(uint8_t *place, uint32_t seed)
{
    const size_t len =
        image_make(place, FLASH_SLOT_SIZE / 2,
                   &(struct image_facts){.chip = OTA_CHIP_HOST, .size = IMAGE_SIZE, .seed = seed});
    if (len == 0) {
        skip_fail("an image", "cannot be made");
    }
    return len;
}

static void seal(enum flash_form form, uint8_t *image, size_t len, struct signer *signer)
{
    if (form == FLASH_V2) {
        (void)seals_put_v2(image, len, &signer, 1);
    } else {
        (void)seals_put_v1(image, len, signer);
    }
}

/* An image whose signature is of an image as long as this. */
static void put_changed(enum flash_form form, uint8_t *place)
{
    static uint8_t other[FLASH_SLOT_SIZE];
    memset(other, 0xFF, sizeof other);
    const size_t len = put_image(other, 3);
    seal(form, other, len, ours);
    if (put_image(place, 2) != len) {
        skip_fail("images", "differ in length");
    }
    memcpy(place + len, other + len, FLASH_SLOT_SIZE - len);
}

static void put_bad(enum flash_form form, enum flash_bad bad, uint8_t *place)
{
    if (bad == FLASH_CHANGED) {
        put_changed(form, place);
        return;
    }
    const size_t len = put_image(place, 2);
    if (bad == FLASH_STRANGER) {
        seal(form, place, len, theirs);
    }
}

void flash_put_bad(uint8_t *flash, enum flash_form form, enum flash_bad bad, bool other_is_good)
{
    memset(flash, 0xFF, MACHINE_FLASH_SIZE);
    put_table(flash);
    put_entry(flash, 0, OTA_STATE_VALID);
    put_entry(flash, 1, OTA_STATE_NEW);
    if (other_is_good) {
        seal(form, flash + FLASH_SLOT(0), put_image(flash + FLASH_SLOT(0), 1), ours);
    }
    put_bad(form, bad, flash + FLASH_SLOT(1));
}

size_t flash_put_large(uint8_t *flash, uint32_t size)
{
    const struct table_row rows[] = {{1, 0x00, OTADATA, 0x2000, "otadata", 0},
                                     {0, 0x10, FLASH_SLOT(0), LARGE_SLOT_SIZE, "ota_0", 0}};
    uint8_t *image = flash + FLASH_SLOT(0);
    memset(flash, 0xFF, MACHINE_FLASH_SIZE);
    table_make(flash + TABLE, rows, 2, false);
    put_entry(flash, 0, OTA_STATE_VALID);
    const size_t len =
        image_make(image, LARGE_SLOT_SIZE - OTA_SECURE_V1_SIZE,
                   &(struct image_facts){.chip = OTA_CHIP_HOST, .size = size, .seed = 1});
    seal(FLASH_V1, image, len, ours);
    return len;
}

void flash_put_key(struct machine *machine, enum flash_form form)
{
    uint32_t size;
    uint8_t *place =
        machine_symbol(machine, form == FLASH_V2 ? "boot_digests" : "boot_point", &size);
    if (size != (form == FLASH_V2 ? OTA_SHA256_SIZE : OTA_P256_POINT_SIZE)) {
        skip_fail("the program's key", "has another size");
    }
    if (form == FLASH_V2) {
        seals_key_digest(ours, place);
    } else {
        memcpy(place, ours->key.bytes, size);
    }
}
