/* SPDX-License-Identifier: Apache-2.0 */
/* The virtual board's eboot: docs/formats/eboot.md section 4, and what it does not look at. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "posix/eboot.h"
#include "server/gzip.h"
#include "support/ram_flash.h"
#include "support/recorded.h"

#define SECTOR 4096u
#define FLASH_SIZE 0x100000u
#define STAGED 0x80000u
#define LEN 70001u
#define ROUNDED 73728u /* LEN in whole sectors */

static struct ram_flash *chip;
static uint8_t image[LEN];

static int set_up(void **state)
{
    (void)state;
    faults_clear();
    chip = ram_flash_new(FLASH_SIZE, SECTOR, 65536, 1);
    for (uint32_t i = 0, noise = 1; i < LEN; i++) { /* most of it repeats itself, far apart */
        noise = noise * 1664525u + 1013904223u;
        image[i] = (i / 64) % 4 == 0 || i < 20011 ? (uint8_t)(noise >> 24) : image[i - 20011];
    }
    ram_flash_fill(chip, 0, STAGED, 1);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    ram_flash_free(chip);
    return 0;
}

static enum eboot_result copy(uint32_t source, uint32_t destination, uint32_t size)
{
    const struct ota_eboot_command command = {OTA_EBOOT_COPY, source, destination, size};

    return eboot_carry_out(&chip->faulty.flash, &command);
}

static void assert_copied(uint32_t destination)
{
    assert_memory_equal(chip->memory + destination, image, LEN);
}

static bool is_erased(uint32_t from, uint32_t to)
{
    for (uint32_t i = from; i < to; i++) {
        if (chip->memory[i] != 0xFF) {
            return false;
        }
    }
    return true;
}

static bool put_packed(void *context, const void *data, size_t len)
{
    uint32_t *at = context;

    memcpy(chip->memory + *at, data, len);
    *at += (uint32_t)len;
    return true;
}

/* Stages the image as gzip; returns its length. */
static uint32_t stage_gzip(void)
{
    struct gzip_packer packer;
    uint32_t end = STAGED;

    assert_true(gzip_pack_begin(&packer, put_packed, &end));
    assert_true(gzip_pack(&packer, image, LEN));
    assert_true(gzip_pack_end(&packer));
    return end - STAGED;
}

/* ---- Copies ---------------------------------------------------------------------------------- */

static void test_plain(void **state)
{
    (void)state;
    memcpy(chip->memory + STAGED, image, LEN);
    chip->memory[STAGED + LEN] = 0x5A;
    assert_int_equal(copy(STAGED, 0, LEN), EBOOT_DONE);
    assert_copied(0);
    assert_int_equal(chip->memory[LEN], 0x5A); /* whole sectors are copied, whatever they hold */
    assert_false(is_erased(ROUNDED, ROUNDED + 16));
}

static void test_to_another_place(void **state)
{
    (void)state;
    memcpy(chip->memory + STAGED, image, LEN);
    assert_int_equal(copy(STAGED, 0x10000, LEN), EBOOT_DONE);
    assert_copied(0x10000);
}

static void test_gzip(void **state)
{
    (void)state;
    const uint32_t len = stage_gzip();
    assert_true(len < LEN * 3 / 4);
    assert_int_equal(copy(STAGED, 0, len), EBOOT_DONE);
    assert_copied(0);
    assert_true(is_erased(LEN, ROUNDED));
    assert_false(is_erased(ROUNDED, ROUNDED + 16));
}

/* The boot loader's own sector is not touched if it is the same; the others are, whatever they hold. */
static void test_the_first_sector(void **state)
{
    (void)state;
    memcpy(chip->memory, image, LEN);
    memcpy(chip->memory + STAGED, image, LEN);
    assert_int_equal(copy(STAGED, 0, LEN), EBOOT_DONE);
    assert_int_equal(chip->wear[0], 0);
    for (uint32_t i = 1; i < ROUNDED / SECTOR; i++) {
        assert_int_equal(chip->wear[i], 1);
    }
    chip->memory[100] ^= 1;
    assert_int_equal(copy(STAGED, 0, LEN), EBOOT_DONE);
    assert_int_equal(chip->wear[0], 1);
    assert_copied(0);
}

static void test_a_copy_that_is_begun_again(void **state)
{
    (void)state;
    const uint32_t len = stage_gzip();
    faults_set(FAULT_ERASE, 7);
    assert_int_equal(copy(STAGED, 0, len), EBOOT_ERASE);
    assert_int_equal(copy(STAGED, 0, len), EBOOT_DONE);
    assert_copied(0);
}

static void test_the_recorded_file(void **state)
{
    uint32_t len;
    uint32_t plain_len;
    uint8_t *file = recorded_read(UPDRAFT_VECTORS, "arduino/signing/sketch.bin.gz.signed", &len);
    uint8_t *plain = recorded_read(UPDRAFT_VECTORS, "arduino/signing/sketch.bin", &plain_len);

    (void)state;
    if (file == NULL || plain == NULL) {
        free(file);
        free(plain);
        skip();
        return;
    }
    memcpy(chip->memory + STAGED, file, len);
    assert_int_equal(copy(STAGED, 0, 6574), EBOOT_DONE);
    assert_memory_equal(chip->memory, plain, plain_len);
    free(file);
    free(plain);
}

/* ---- What it cannot do ----------------------------------------------------------------------- */

static void test_actions(void **state)
{
    struct ota_eboot_command command = {.action = OTA_EBOOT_LOAD};

    (void)state;
    assert_int_equal(eboot_carry_out(&chip->faulty.flash, &command), EBOOT_DONE);
    command.action = 2;
    assert_int_equal(eboot_carry_out(&chip->faulty.flash, &command), EBOOT_NO_ACTION);
    assert_int_equal(ram_flash_changes(chip), 0);
}

static void test_places_that_cannot_be(void **state)
{
    (void)state;
    assert_int_equal(copy(STAGED + 1, 0, LEN), EBOOT_ALIGNMENT);
    assert_int_equal(copy(STAGED, 16, LEN), EBOOT_ALIGNMENT);
    assert_int_equal(copy(FLASH_SIZE, 0, LEN), EBOOT_READ);
    assert_int_equal(copy(STAGED, FLASH_SIZE, LEN), EBOOT_ERASE);
    assert_int_equal(ram_flash_changes(chip), 0);
}

static void test_gzip_that_is_none(void **state)
{
    const uint32_t len = stage_gzip();

    (void)state;
    chip->memory[STAGED + 2] = 7; /* the method */
    assert_int_equal(copy(STAGED, 0, len), EBOOT_GZIP_HEADER);
    chip->memory[STAGED + 2] = 8;
    chip->memory[STAGED + 10] |= 6; /* a kind of block that is none */
    assert_int_equal(copy(STAGED, 0, len), EBOOT_INFLATE);
    assert_int_equal(ram_flash_changes(chip), 0);
}

static void fault_scenario(void *context)
{
    const enum eboot_result *expected = context;
    const uint32_t len = stage_gzip();
    const enum eboot_result result = copy(STAGED, 0, len);

    assert_int_equal(result, faults_struck() ? *expected : EBOOT_DONE);
}

static void test_faults_of_the_flash(void **state)
{
    enum eboot_result expected = EBOOT_READ;

    (void)state;
    assert_true(faults_everywhere(FAULT_READ, fault_scenario, &expected) > 3);
    expected = EBOOT_ERASE;
    assert_true(faults_everywhere(FAULT_ERASE, fault_scenario, &expected) > 10);
    expected = EBOOT_WRITE;
    assert_true(faults_everywhere(FAULT_WRITE, fault_scenario, &expected) > 10);
}

/* ---- What it does not look at ---------------------------------------------------------------- */

static void test_sums_are_not_compared(void **state)
{
    const uint32_t len = stage_gzip();

    (void)state;
    chip->memory[STAGED + len - 8] ^= 1;
    assert_int_equal(copy(STAGED, 0, len), EBOOT_DONE);
    assert_copied(0);
}

/* The length at the end decides, also where it belongs to a signature. */
static void test_the_length_at_the_end_decides(void **state)
{
    const uint32_t len = stage_gzip();
    uint8_t *length = chip->memory + STAGED + len - 4;

    (void)state;
    memcpy(length, "\x00\x01\x00\x00", 4);
    assert_int_equal(copy(STAGED, 0, len), EBOOT_DONE);
    assert_memory_equal(chip->memory, image, 256);
    assert_true(is_erased(256, SECTOR));
    assert_int_equal(chip->wear[1], 0);
    memcpy(length, "\x00\x20\x03\x00", 4); /* more than comes out */
    assert_int_equal(copy(STAGED, 0, len), EBOOT_DONE);
    assert_copied(0);
    assert_true(is_erased(LEN, 0x32000));
    memcpy(length, "\x00\x00\x00\x80", 4);
    const uint64_t changes = ram_flash_changes(chip);
    assert_int_equal(copy(STAGED, 0, len), EBOOT_DONE);
    assert_int_equal(ram_flash_changes(chip), changes);
}

/* What grows beyond the place where it was staged overtakes itself. */
static void test_it_overtakes_itself(void **state)
{
    uint32_t staged = 0x5000;

    (void)state;
    const uint32_t len = stage_gzip();
    memcpy(chip->memory + staged, chip->memory + STAGED, len);
    (void)copy(staged, 0, len);
    assert_memory_not_equal(chip->memory, image, LEN);
}

int main(void)
{
#define FRESH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        FRESH(test_plain),
        FRESH(test_to_another_place),
        FRESH(test_gzip),
        FRESH(test_the_first_sector),
        FRESH(test_a_copy_that_is_begun_again),
        FRESH(test_the_recorded_file),
        FRESH(test_actions),
        FRESH(test_places_that_cannot_be),
        FRESH(test_gzip_that_is_none),
        FRESH(test_faults_of_the_flash),
        FRESH(test_sums_are_not_compared),
        FRESH(test_the_length_at_the_end_decides),
        FRESH(test_it_overtakes_itself),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
