/* SPDX-License-Identifier: Apache-2.0 */
/* Regions: bounds and alignment are checked before the driver hears of an access. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "support/ram_flash.h"

#define SECTOR 4096u
#define CHIP (16 * SECTOR)
#define START (4 * SECTOR)
#define SIZE (4 * SECTOR)
#define UNIT 4u /* write size */

static struct ram_flash *chip;
static struct ota_region region;
static uint8_t data[SIZE];

static int set_up(void **state)
{
    (void)state;
    chip = ram_flash_new(CHIP, SECTOR, 0, UNIT);
    region = ram_flash_region(chip, START, SIZE);
    memset(data, 0x5A, sizeof data);
    faults_clear();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    ram_flash_free(chip);
    return 0;
}

static void test_init(void **state)
{
    struct ota_flash *flash = &chip->faulty.flash;
    struct ota_region r;

    (void)state;
    assert_int_equal(ota_region_init(&r, flash, 0, CHIP), OTA_OK);
    assert_int_equal(ota_region_init(&r, flash, CHIP, 0), OTA_OK);
    assert_int_equal(ota_region_init(&r, flash, SECTOR, 100), OTA_OK);
    assert_ptr_equal(r.flash, flash);
    assert_int_equal(r.offset, SECTOR);
    assert_int_equal(r.size, 100);

    assert_int_equal(ota_region_init(&r, flash, 0, CHIP + 1), OTA_ERR_BOUNDS);
    assert_int_equal(ota_region_init(&r, flash, CHIP + 1, 0), OTA_ERR_BOUNDS);
    assert_int_equal(ota_region_init(&r, flash, CHIP - 1, 2), OTA_ERR_BOUNDS);
    assert_int_equal(ota_region_init(&r, flash, 0xFFFFFFFF, 2), OTA_ERR_BOUNDS); /* sums wrap */
    assert_int_equal(ota_region_init(&r, flash, 2, 0xFFFFFFFF), OTA_ERR_BOUNDS);
}

/* Each access that leaves the region is refused, also where sums wrap; the driver sees none of
   it. */
static void test_bounds(void **state)
{
    static const struct {
        uint32_t offset, len;
    } outside[] = {
        {0, SIZE + SECTOR}, {SIZE, SECTOR},           {SIZE - SECTOR, 2 * SECTOR},
        {SIZE + SECTOR, 0}, {0xFFFFF000, 2 * SECTOR}, {SECTOR, 0xFFFFF000},
    };
    bool answer;

    (void)state;
    for (size_t i = 0; i < sizeof outside / sizeof outside[0]; i++) {
        uint32_t offset = outside[i].offset;
        uint32_t len = outside[i].len;
        assert_int_equal(ota_region_read(&region, offset, data, len), OTA_ERR_BOUNDS);
        assert_int_equal(ota_region_write(&region, offset, data, len), OTA_ERR_BOUNDS);
        assert_int_equal(ota_region_write_verified(&region, offset, data, len), OTA_ERR_BOUNDS);
        assert_int_equal(ota_region_erase(&region, offset, len), OTA_ERR_BOUNDS);
        assert_int_equal(ota_region_is_blank(&region, offset, len, &answer), OTA_ERR_BOUNDS);
        assert_int_equal(ota_region_equals(&region, offset, data, len, &answer), OTA_ERR_BOUNDS);
    }
    assert_int_equal(ram_flash_changes(chip), 0);
    assert_int_equal(chip->state.statistics.bytes_read, 0);
}

static void test_alignment(void **state)
{
    struct ota_region odd = ram_flash_region(chip, START + 2, SIZE);

    (void)state;
    for (uint32_t off = 1; off < UNIT; off++) {
        assert_int_equal(ota_region_write(&region, off, data, UNIT), OTA_ERR_ALIGNMENT);
        assert_int_equal(ota_region_write(&region, 0, data, off), OTA_ERR_ALIGNMENT);
        assert_int_equal(ota_region_write_verified(&region, off, data, UNIT), OTA_ERR_ALIGNMENT);
    }
    assert_int_equal(ota_region_erase(&region, UNIT, SECTOR), OTA_ERR_ALIGNMENT);
    assert_int_equal(ota_region_erase(&region, 0, SECTOR - UNIT), OTA_ERR_ALIGNMENT);
    /* It is the place on the flash that counts. */
    assert_int_equal(ota_region_write(&odd, 0, data, UNIT), OTA_ERR_ALIGNMENT);
    assert_int_equal(ota_region_write(&odd, 2, data, UNIT), OTA_OK);
    assert_int_equal(ota_region_erase(&odd, 0, SECTOR), OTA_ERR_ALIGNMENT);
    assert_int_equal(ota_region_erase(&odd, SECTOR - 2, SECTOR), OTA_OK);
    assert_int_equal(ota_region_read(&region, 1, data, 3), OTA_OK); /* reading has none */
}

static void test_offsets_are_relative(void **state)
{
    uint8_t back[16];

    (void)state;
    assert_int_equal(ota_region_write(&region, 16, "written there...", 16), OTA_OK);
    assert_memory_equal(chip->memory + START + 16, "written there...", 16);
    assert_int_equal(ota_region_read(&region, 16, back, 16), OTA_OK);
    assert_memory_equal(back, "written there...", 16);
    memset(chip->memory, 0, CHIP);
    assert_int_equal(ota_region_erase(&region, SECTOR, SECTOR), OTA_OK);
    for (uint32_t i = 0; i < CHIP; i++) {
        bool inside = i >= START + SECTOR && i < START + 2 * SECTOR;
        assert_int_equal(chip->memory[i], inside ? 0xFF : 0);
    }
}

static void test_is_blank(void **state)
{
    static const uint32_t places[] = {0, 1, 127, 128, 129, 255, 256, 1023};
    bool blank = false;

    (void)state;
    assert_int_equal(ota_region_is_blank(&region, 0, SIZE, &blank), OTA_OK);
    assert_true(blank);
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        chip->memory[START + places[i]] = 0xFE;
        assert_int_equal(ota_region_is_blank(&region, 0, 1024, &blank), OTA_OK);
        assert_false(blank);
        assert_int_equal(ota_region_is_blank(&region, 0, places[i], &blank), OTA_OK);
        assert_true(blank);
        assert_int_equal(ota_region_is_blank(&region, places[i] + 1, 1024, &blank), OTA_OK);
        assert_true(blank);
        chip->memory[START + places[i]] = 0xFF;
    }
}

static void test_equals(void **state)
{
    static const uint32_t places[] = {0, 1, 127, 128, 129, 255, 256, 999};
    bool same = false;

    (void)state;
    ram_flash_fill(chip, START, 1000, 3);
    memcpy(data, chip->memory + START, 1000);
    assert_int_equal(ota_region_equals(&region, 0, data, 1000, &same), OTA_OK);
    assert_true(same);
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        data[places[i]] ^= 0x80;
        assert_int_equal(ota_region_equals(&region, 0, data, 1000, &same), OTA_OK);
        assert_false(same);
        assert_int_equal(ota_region_equals(&region, 0, data, places[i], &same), OTA_OK);
        assert_true(same);
        data[places[i]] ^= 0x80;
    }
}

static void write_scenario(void *context)
{
    enum ota_err expected = *(const enum ota_err *)context;
    enum ota_err err;

    ram_flash_blank(chip);
    err = ota_region_write_verified(&region, 0, data, 1024);
    assert_int_equal(err, faults_struck() ? expected : OTA_OK);
}

/* Whatever fails in the driver is what the caller hears; a write that did not take is noticed. */
static void test_driver_errors(void **state)
{
    static const enum fault_kind kinds[] = {FAULT_READ, FAULT_WRITE, FAULT_VERIFY};
    bool answer;

    (void)state;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        enum ota_err expected = faults_error(kinds[i]);
        assert_true(faults_everywhere(kinds[i], write_scenario, &expected) >= 1);
    }
    faults_set(FAULT_READ, 1);
    assert_int_equal(ota_region_read(&region, 0, data, 1), OTA_ERR_FLASH_READ);
    faults_set(FAULT_READ, 2);
    assert_int_equal(ota_region_is_blank(&region, SECTOR, 1024, &answer), OTA_ERR_FLASH_READ);
    faults_set(FAULT_WRITE, 1);
    assert_int_equal(ota_region_write(&region, 0, data, UNIT), OTA_ERR_FLASH_WRITE);
    faults_set(FAULT_ERASE, 1);
    assert_int_equal(ota_region_erase(&region, 0, SECTOR), OTA_ERR_FLASH_ERASE);
}

int main(void)
{
#define WITH_CHIP(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        WITH_CHIP(test_init),          WITH_CHIP(test_bounds),
        WITH_CHIP(test_alignment),     WITH_CHIP(test_offsets_are_relative),
        WITH_CHIP(test_is_blank),      WITH_CHIP(test_equals),
        WITH_CHIP(test_driver_errors),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
