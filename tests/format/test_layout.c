/* SPDX-License-Identifier: Apache-2.0 */
/* What a table means for booting and updating. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <updraft/layout.h>

#include "support/images.h"
#include "support/ram_flash.h"

#define SECTOR 4096u
#define TABLE 0x8000u

static struct ram_flash *chip;
static struct ota_layout layout;

static int set_up(void **state)
{
    (void)state;
    chip = ram_flash_new(1u << 20, SECTOR, 0, 1);
    faults_clear();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    ram_flash_free(chip);
    return 0;
}

static enum ota_err read_layout(const struct table_row *rows, size_t count)
{
    struct ota_partition_table table;

    table_make(chip->memory + TABLE, rows, count, true);
    assert_int_equal(
        ota_partition_table_open(&table, &chip->faulty.flash, TABLE, &faulty_crypto, NULL), OTA_OK);
    memset(&layout, 0xA5, sizeof layout);
    return ota_layout_read(&layout, &table);
}

static void extent_is(struct ota_extent extent, uint32_t offset, uint32_t size)
{
    assert_int_equal(extent.offset, offset);
    assert_int_equal(extent.size, size);
}

static void test_everything(void **state)
{
    static const struct table_row rows[] = {
        {1, 2, 0x9000, SECTOR, "nvs", 0},       {1, 0, 0xA000, 2 * SECTOR, "otadata", 0},
        {0, 0, 0x10000, SECTOR, "factory", 0},  {0, 0x20, 0x11000, SECTOR, "test", 0},
        {0, 0x11, 0x12000, SECTOR, "ota_1", 0}, {0, 0x10, 0x13000, 2 * SECTOR, "ota_0", 0},
        {0, 0x30, 0x15000, SECTOR, "tee_0", 0}, {0, 0x0F, 0x16000, SECTOR, "below", 0},
        {1, 0x10, 0x17000, SECTOR, "data", 0},
    };
    struct ota_region region;

    (void)state;
    assert_int_equal(read_layout(rows, 9), OTA_OK);
    extent_is(layout.factory, 0x10000, SECTOR);
    extent_is(layout.test, 0x11000, SECTOR);
    extent_is(layout.otadata, 0xA000, 2 * SECTOR);
    extent_is(layout.ota[0], 0x13000, 2 * SECTOR);
    extent_is(layout.ota[1], 0x12000, SECTOR);
    extent_is(layout.ota[2], 0, 0);
    assert_int_equal(layout.ota_rows, 2);
    assert_int_equal(layout.ota_run, 2);

    extent_is(ota_layout_slot(&layout, OTA_SLOT_FACTORY), 0x10000, SECTOR);
    extent_is(ota_layout_slot(&layout, OTA_SLOT_TEST), 0x11000, SECTOR);
    extent_is(ota_layout_slot(&layout, 1), 0x12000, SECTOR);
    extent_is(ota_layout_slot(&layout, 2), 0, 0);
    extent_is(ota_layout_slot(&layout, 16), 0, 0);
    extent_is(ota_layout_slot(&layout, -3), 0, 0);
    extent_is(ota_layout_slot(&layout, OTA_SLOT_NONE), 0, 0);

    assert_int_equal(ota_layout_region(&layout, &chip->faulty.flash, 0, &region), OTA_OK);
    assert_int_equal(region.offset, 0x13000);
    assert_int_equal(region.size, 2 * SECTOR);
    assert_int_equal(ota_layout_region(&layout, &chip->faulty.flash, 2, &region),
                     OTA_ERR_NO_PARTITION);
    assert_int_equal(ota_layout_region(&layout, &chip->faulty.flash, OTA_SLOT_NONE, &region),
                     OTA_ERR_NO_PARTITION);
}

static void test_gap(void **state)
{
    static const struct table_row rows[] = {
        {0, 0x10, 0x10000, SECTOR, "ota_0", 0},
        {0, 0x12, 0x11000, SECTOR, "ota_2", 0},
        {0, 0x1F, 0x12000, SECTOR, "ota_15", 0},
    };

    (void)state;
    assert_int_equal(read_layout(rows, 3), OTA_OK);
    assert_int_equal(layout.ota_rows, 3);
    assert_int_equal(layout.ota_run, 1);
    extent_is(ota_layout_slot(&layout, 15), 0x12000, SECTOR);
    extent_is(layout.factory, 0, 0);
}

static void test_all_sixteen(void **state)
{
    struct table_row rows[16];
    char names[16][OTA_SLOT_NAME_SIZE];

    (void)state;
    for (uint32_t i = 0; i < 16; i++) {
        rows[i] = (struct table_row){
            0, (uint8_t)(0x10 + i), 0x10000 + i * SECTOR, SECTOR, ota_slot_name((int)i, names[i]),
            0};
    }
    assert_int_equal(read_layout(rows, 16), OTA_OK);
    assert_int_equal(layout.ota_rows, 16);
    assert_int_equal(layout.ota_run, 16);
}

static void test_read_error(void **state)
{
    static const struct table_row rows[] = {{0, 0x10, 0x10000, SECTOR, "ota_0", 0},
                                            {0, 0x11, 0x11000, SECTOR, "ota_1", 0}};
    struct ota_partition_table table;

    (void)state;
    assert_int_equal(read_layout(rows, 2), OTA_OK);
    assert_int_equal(
        ota_partition_table_open(&table, &chip->faulty.flash, TABLE, &faulty_crypto, NULL), OTA_OK);
    for (unsigned k = 1; k <= 2; k++) {
        faults_set(FAULT_READ, k);
        assert_int_equal(ota_layout_read(&layout, &table), OTA_ERR_FLASH_READ);
    }
}

static void test_names(void **state)
{
    char name[OTA_SLOT_NAME_SIZE];
    char expected[16];

    (void)state;
    assert_string_equal(ota_slot_name(OTA_SLOT_FACTORY, name), "factory");
    assert_string_equal(ota_slot_name(OTA_SLOT_TEST, name), "test");
    assert_string_equal(ota_slot_name(OTA_SLOT_NONE, name), "none");
    assert_string_equal(ota_slot_name(16, name), "none");
    assert_string_equal(ota_slot_name(-3, name), "none");
    for (int slot = 0; slot < OTA_SLOTS_MAX; slot++) {
        (void)snprintf(expected, sizeof expected, "ota_%d", slot);
        assert_string_equal(ota_slot_name(slot, name), expected);
    }
    assert_ptr_equal(ota_slot_name(0, name), name);
}

int main(void)
{
#define WITH_CHIP(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        WITH_CHIP(test_everything), WITH_CHIP(test_gap),          WITH_CHIP(test_all_sixteen),
        WITH_CHIP(test_read_error), cmocka_unit_test(test_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
