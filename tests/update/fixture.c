/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define IMAGE_SIZE 20000u
#define APP 0
#define DATA 1

static const struct table_row rows[] = {
    {DATA, 0x02, 0x9000, 0x4000, "nvs", 0},
    {DATA, 0x00, OTADATA, 0x2000, "otadata", 0},
    {APP, 0x00, FACTORY, 0x10000, "factory", 0},
    {APP, 0x10, OTA_0, SLOT_SIZE, "ota_0", 0},
    {APP, 0x11, OTA_1, SLOT_SIZE, "ota_1", 0},
    {APP, 0x12, OTA_2, SLOT_SIZE, "ota_2", OTA_PARTITION_FLAG_READ_ONLY},
    {APP, 0x20, TEST_APP, 0x10000, "test", 0},
    {DATA, 0x82, STORAGE, STORAGE_SIZE, "storage", 0},
    {DATA, 0x82, 0xB0000, 0x2800, "ragged", 0}, /* two and a half sectors */
    {DATA, 0x82, 0xB4000, 0x1000, "sector", 0},
    {DATA, 0x82, 0xB5000, 0x1000, "locked", OTA_PARTITION_FLAG_READ_ONLY},
    {DATA, 0x82, 0xB6000, 0x800, "half", 0},
    {APP, 0x30, 0xC0000, 0x10000, "tee_0", 0},
    {0x40, 0x00, 0xD0000, 0x10000, "custom", 0},
};

static uint32_t secure_version(struct ota_fuses *fuses)
{
    return ((struct test_fuses *)fuses)->version;
}

static enum ota_err raise_secure_version(struct ota_fuses *fuses, uint32_t version)
{
    struct test_fuses *self = (struct test_fuses *)fuses;

    if (self->broken) {
        return OTA_ERR_FLASH_WRITE;
    }
    self->version = version > self->version ? version : self->version;
    return OTA_OK;
}

void fixture_set_table(struct fixture *fixture, const struct table_row *table, size_t count)
{
    table_make(fixture->chip->memory + OTA_PARTITION_TABLE_OFFSET, table, count, true);
    assert_int_equal(ota_device_open(&fixture->device, NULL), OTA_OK);
}

void fixture_open(struct fixture *fixture)
{
    memset(fixture, 0, sizeof *fixture);
    faults_clear();
    fixture->chip = ram_flash_new(CHIP_SIZE, SECTOR, BLOCK, 1);
    fixture->fuses.fuses.secure_version = secure_version;
    fixture->fuses.fuses.raise_secure_version = raise_secure_version;
    fixture->device = (struct ota_device){
        .flash = &fixture->chip->faulty.flash,
        .crypto = &faulty_crypto,
        .table_offset = OTA_PARTITION_TABLE_OFFSET,
        .form = OTA_IMAGE_ESP32,
        .chip = {.id = OTA_CHIP_ESP32},
        .rollback = true,
        .running_slot = 0,
    };
    fixture_set_table(fixture, rows, sizeof rows / sizeof rows[0]);
    fixture_put_image(fixture, 0, 1, 0);
    memcpy(fixture->running, fixture->chip->memory + OTA_0, SLOT_SIZE);
    fixture_set_entry(fixture, 0, 1, OTA_STATE_VALID);
}

void fixture_close(struct fixture *fixture)
{
    assert_int_equal(faulty_crypto_running(), 0); /* no hash is left begun */
    ram_flash_free(fixture->chip);
}

uint32_t fixture_offset(const struct fixture *fixture, int slot)
{
    struct ota_extent extent = ota_layout_slot(&fixture->device.layout, slot);

    assert_int_not_equal(extent.size, 0);
    return extent.offset;
}

void fixture_put_image(struct fixture *fixture, int slot, uint32_t seed, uint32_t version)
{
    const struct image_facts facts = {.size = IMAGE_SIZE, .seed = seed, .secure_version = version};
    uint8_t *place = fixture->chip->memory + fixture_offset(fixture, slot);

    assert_int_not_equal(image_make(place, IMAGE_SIZE + 64, &facts), 0);
}

void fixture_break_image(struct fixture *fixture, int slot)
{
    fixture->chip->memory[fixture_offset(fixture, slot) + 1000] ^= 0x20;
}

void fixture_set_entry(struct fixture *fixture, int index, uint32_t sequence, uint32_t state)
{
    uint8_t *sector = fixture->chip->memory + OTADATA + (uint32_t)index * SECTOR;
    struct ota_otadata_entry entry;

    memset(sector, 0xFF, SECTOR);
    if (sequence != 0xFFFFFFFF) {
        memset(&entry, 0xFF, sizeof entry);
        entry.sequence = sequence;
        entry.state = state;
        entry.crc = ota_otadata_crc(sequence);
        ota_otadata_entry_encode(&entry, sector);
    }
}

struct ota_otadata_entry fixture_entry(const struct fixture *fixture, int index)
{
    struct ota_otadata_entry entry;

    ota_otadata_entry_decode(fixture->chip->memory + OTADATA + (uint32_t)index * SECTOR, &entry);
    return entry;
}

bool fixture_is_named(const struct fixture *fixture, int slot)
{
    for (int i = 0; i < OTA_OTADATA_ENTRIES; i++) {
        struct ota_otadata_entry entry = fixture_entry(fixture, i);
        if (ota_otadata_entry_is_valid(&entry) &&
            ota_otadata_slot(&entry, fixture->device.layout.ota_run) == slot) {
            return true;
        }
    }
    return false;
}

bool fixture_running_is_whole(const struct fixture *fixture)
{
    return memcmp(fixture->chip->memory + OTA_0, fixture->running, SLOT_SIZE) == 0;
}

void fixture_burn(struct fixture *fixture, uint32_t floor)
{
    fixture->fuses.version = floor;
    fixture->device.fuses = &fixture->fuses.fuses;
}
