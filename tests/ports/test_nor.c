/* SPDX-License-Identifier: Apache-2.0 */
/* The simulated NOR flash chip: its rules, its counters and its clock. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "nor_chip.h"

static void test_geometry_is_offered_to_the_library(void **unused)
{
    (void)unused;
    const struct ota_flash *flash = make(&usual);
    assert_int_equal(flash->size, SIZE);
    assert_int_equal(flash->erase_size, SECTOR);
    assert_int_equal(flash->block_erase_size, 65536);
    assert_int_equal(flash->write_size, 1);

    const struct nor_config small = {.size = SIZE, .erase = {{256, 0}}, .write_size = 256};
    flash = make(&small);
    assert_int_equal(flash->erase_size, 256);
    assert_int_equal(flash->block_erase_size, 0);
    assert_int_equal(flash->write_size, 256);
}

static void test_impossible_geometries_are_refused(void **unused)
{
    (void)unused;
    const struct nor_config wrong[] = {
        {.size = SIZE, .write_size = 1},                                   /* no erase unit */
        {.size = SIZE, .erase = {{3000, 0}}, .write_size = 1},             /* no power of two */
        {.size = SIZE, .erase = {{65536, 0}, {4096, 0}}, .write_size = 1}, /* falling */
        {.size = SIZE, .erase = {{4096, 0}}, .write_size = 3},             /* no power of two */
        {.size = SIZE, .erase = {{4096, 0}}, .write_size = 512},           /* too large */
        {.size = SIZE + 256, .erase = {{4096, 0}}, .write_size = 1},       /* a part of a unit */
        {.size = SIZE, .erase = {{4096, 0}}, .write_size = 1, .page_size = 100}, /* page */
        {.size = SIZE, .erase = {{4096, 0}}, .write_size = 64, .page_size = 32}, /* page < unit */
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_int_equal(nor_init(&chip.nor, &wrong[i], chip.memory, chip.wear, &chip.state),
                         OTA_ERR_ARGUMENT);
    }
}

static void test_programs_and_reads(void **unused)
{
    (void)unused;
    struct ota_flash *flash = make(&usual);
    uint8_t data[1000];
    uint8_t back[1000];
    fill(data, sizeof data, 1);
    assert_int_equal(flash->write(flash, 5001, data, sizeof data), OTA_OK);
    assert_int_equal(flash->read(flash, 5001, back, sizeof back), OTA_OK);
    assert_memory_equal(data, back, sizeof data);
    assert_true(is_erased(chip.memory, 5001));
    assert_true(is_erased(chip.memory + 6001, SIZE - 6001));
}

static void test_programs_are_split_at_pages(void **unused)
{
    (void)unused;
    struct ota_flash *flash = make(&usual);
    const struct nor_statistics *statistics = &chip.state.statistics;
    uint8_t data[600];
    fill(data, sizeof data, 2);
    assert_int_equal(flash->write(flash, 0x1F0, data, sizeof data), OTA_OK); /* 16, 256, 256, 72 */
    assert_int_equal(statistics->programs, 4);
    assert_int_equal(statistics->operations, 4);
    assert_int_equal(statistics->bytes_programmed, 600);
    assert_int_equal(statistics->time_ns, 4 * 400000);
    assert_int_equal(flash->write(flash, 0x1000, data, 256), OTA_OK);
    assert_int_equal(statistics->programs, 5);
    assert_int_equal(flash->write(flash, 0x2000, data, 0), OTA_OK);
    assert_int_equal(statistics->programs, 5);
}

static void test_programs_only_clear_bits(void **unused)
{
    (void)unused;
    struct ota_flash *flash = make(&usual);
    uint8_t byte = 0xF0;
    assert_int_equal(flash->write(flash, 100, &byte, 1), OTA_OK);
    byte = 0x30;
    assert_int_equal(flash->write(flash, 100, &byte, 1), OTA_OK);
    assert_int_equal(chip.memory[100], 0x30);
    assert_int_equal(chip.state.violations, 0);
    byte = 0x31;
    assert_int_equal(flash->write(flash, 100, &byte, 1), OTA_ERR_FLASH_WRITE);
    assert_int_equal(chip.memory[100], 0x30);
    assert_int_equal(chip.state.violations, 1);
    assert_string_equal(chip.state.note, "program of 1 byte at 0x64: 0x30 at 0x64 cannot become "
                                         "0x31, it is not erased");
}

static void test_rules_hold_at_each_byte_of_a_program(void **unused)
{
    (void)unused;
    uint8_t data[64];
    memset(data, 0x0F, sizeof data);
    for (uint32_t place = 0; place < sizeof data; place++) {
        for (int once = 0; once < 2; once++) {
            struct nor_config config = usual;
            config.program_once = once != 0;
            struct ota_flash *flash = make(&config);
            chip.memory[place] = 0x7F; /* takes 0x0F, unless cells take one program only */
            assert_int_equal(flash->write(flash, 0, data, sizeof data),
                             once ? OTA_ERR_FLASH_WRITE : OTA_OK);
            chip.memory[place] = 0x0E;
            assert_int_equal(flash->write(flash, 0, data, sizeof data), OTA_ERR_FLASH_WRITE);
        }
    }
}

static void test_program_once_chips_want_erased_units(void **unused)
{
    (void)unused;
    struct nor_config config = usual;
    config.program_once = true;
    config.write_size = 16;
    struct ota_flash *flash = make(&config);
    uint8_t data[32];
    fill(data, sizeof data, 3);
    assert_int_equal(flash->write(flash, 64, data, 32), OTA_OK);
    assert_int_equal(flash->write(flash, 64, data, 16), OTA_ERR_FLASH_WRITE);
    assert_int_equal(chip.state.violations, 1);
    assert_int_equal(flash->erase(flash, 0, SECTOR), OTA_OK);
    assert_int_equal(flash->write(flash, 64, data, 16), OTA_OK);
    assert_int_equal(chip.state.violations, 1);
}

static void test_accesses_that_a_chip_cannot_do_are_refused(void **unused)
{
    (void)unused;
    struct nor_config config = usual;
    config.write_size = 4;
    struct ota_flash *flash = make(&config);
    uint8_t data[8] = {0};
    assert_int_equal(flash->write(flash, 2, data, 4), OTA_ERR_FLASH_WRITE);
    assert_int_equal(flash->write(flash, 4, data, 6), OTA_ERR_FLASH_WRITE);
    assert_int_equal(flash->write(flash, SIZE - 4, data, 8), OTA_ERR_FLASH_WRITE);
    assert_int_equal(flash->write(flash, UINT32_MAX - 3, data, 8), OTA_ERR_FLASH_WRITE);
    assert_int_equal(flash->erase(flash, 2048, SECTOR), OTA_ERR_FLASH_ERASE);
    assert_int_equal(flash->erase(flash, 0, 2048), OTA_ERR_FLASH_ERASE);
    assert_int_equal(flash->erase(flash, SIZE - SECTOR, 2 * SECTOR), OTA_ERR_FLASH_ERASE);
    assert_int_equal(flash->read(flash, SIZE - 4, data, 8), OTA_ERR_FLASH_READ);
    assert_int_equal(chip.state.violations, 8);
    assert_int_equal(chip.state.statistics.operations, 0);
    assert_true(is_erased(chip.memory, SIZE));
}

static void test_erases_in_the_largest_units(void **unused)
{
    (void)unused;
    struct ota_flash *flash = make(&usual);
    memset(chip.memory, 0, SIZE);
    /* 0x7000: a sector up to 0x8000, 32 KiB up to 0x10000, 64 KiB, 32 KiB, a sector. */
    assert_int_equal(flash->erase(flash, 0x7000, 0x1000 + 0x8000 + 0x10000 + 0x8000 + 0x1000),
                     OTA_OK);
    assert_int_equal(chip.state.statistics.erases[0], 2);
    assert_int_equal(chip.state.statistics.erases[1], 2);
    assert_int_equal(chip.state.statistics.erases[2], 1);
    assert_int_equal(chip.state.statistics.operations, 5);
    assert_int_equal(chip.state.statistics.time_ns / 1000000, 2 * 45 + 2 * 120 + 150);
    assert_true(is_erased(chip.memory + 0x7000, 0x22000));
    assert_int_equal(chip.memory[0x6FFF], 0);
    assert_int_equal(chip.memory[0x29000], 0);
}

static void test_wear_is_counted_by_sector(void **unused)
{
    (void)unused;
    struct ota_flash *flash = make(&usual);
    assert_int_equal(flash->erase(flash, 0x10000, 0x10000), OTA_OK);
    assert_int_equal(flash->erase(flash, 0x11000, 0x1000), OTA_OK);
    for (uint32_t sector = 0; sector < SIZE / SECTOR; sector++) {
        const uint32_t expected = sector == 0x11 ? 2 : sector >= 0x10 && sector < 0x20 ? 1 : 0;
        assert_int_equal(chip.wear[sector], expected);
    }
}

static void test_times_are_the_datasheets_or_the_callers(void **unused)
{
    (void)unused;
    assert_int_equal(nor_erase_time_ns(256), 45000000);
    assert_int_equal(nor_erase_time_ns(4096), 45000000);
    assert_int_equal(nor_erase_time_ns(32768), 120000000);
    assert_int_equal(nor_erase_time_ns(65536), 150000000);
    assert_int_equal(nor_erase_time_ns(131072), 300000000);
    const struct nor_config config = {
        .size = SIZE, .erase = {{SECTOR, 7}}, .write_size = 1, .program_time_ns = 3};
    struct ota_flash *flash = make(&config);
    const uint8_t byte = 0;
    flash->erase(flash, 0, 2 * SECTOR);
    flash->write(flash, 0, &byte, 1);
    assert_int_equal(chip.state.statistics.time_ns, 2 * 7 + 3);
}

static void test_reads_are_counted_and_are_no_mutations(void **unused)
{
    (void)unused;
    struct ota_flash *flash = make(&usual);
    uint8_t data[100];
    flash->read(flash, 1, data, 99);
    assert_int_equal(chip.state.statistics.bytes_read, 99);
    assert_int_equal(chip.state.statistics.operations, 0);
}

/* Keeps the last operation it was told of. */
static void remember(void *context, const struct nor_operation *operation)
{
    *(struct nor_operation *)context = *operation;
}

static void test_operations_can_be_watched(void **unused)
{
    (void)unused;
    struct nor_operation last = {NOR_PROGRAM, 0, 0};
    struct nor_config config = usual;
    config.on_operation = remember;
    config.context = &last;
    struct ota_flash *flash = make(&config);
    const uint8_t byte = 0;
    flash->erase(flash, 0x10000, 0x10000);
    assert_int_equal(last.kind, NOR_ERASE);
    assert_int_equal(last.len, 0x10000);
    flash->write(flash, 77, &byte, 1);
    assert_int_equal(last.kind, NOR_PROGRAM);
    assert_int_equal(last.offset, 77);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_geometry_is_offered_to_the_library),
        cmocka_unit_test(test_impossible_geometries_are_refused),
        cmocka_unit_test(test_programs_and_reads),
        cmocka_unit_test(test_programs_are_split_at_pages),
        cmocka_unit_test(test_programs_only_clear_bits),
        cmocka_unit_test(test_rules_hold_at_each_byte_of_a_program),
        cmocka_unit_test(test_program_once_chips_want_erased_units),
        cmocka_unit_test(test_accesses_that_a_chip_cannot_do_are_refused),
        cmocka_unit_test(test_erases_in_the_largest_units),
        cmocka_unit_test(test_wear_is_counted_by_sector),
        cmocka_unit_test(test_times_are_the_datasheets_or_the_callers),
        cmocka_unit_test(test_reads_are_counted_and_are_no_mutations),
        cmocka_unit_test(test_operations_can_be_watched),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
