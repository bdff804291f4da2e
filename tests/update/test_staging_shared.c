/* SPDX-License-Identifier: Apache-2.0 */
/* Where an update is staged on a device whose staging space is what the running image leaves free, as on
   an ESP8266. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include <updraft/staging.h>
#include <updraft/update.h>

#include "support/forge.h"
#include "support/ram_flash.h"

#define FLASH_SIZE 0x80000u
#define SECTOR 4096u
#define FS_BEGIN 0x73000u
#define FS_SIZE 0x8000u
#define END (FS_BEGIN - 3 * SECTOR) /* notes and command */
#define MIDDLE 0x38000u             /* of what lies below that, in whole sectors */

static struct ram_flash *chip;
static struct forge running;
static struct ota_device device;

static const struct ota_partition file_system = {
    .type = 1, .subtype = 0x83, .offset = FS_BEGIN, .size = FS_SIZE, .label = "fs"};

static const struct ota_staging staging = {
    .app = {0, FS_BEGIN},
    .staging = {SECTOR, FS_BEGIN - SECTOR},
    .data = &file_system,
    .data_count = 1,
    .way = &ota_staging_in_flash,
};

static int set_up(void **state)
{
    (void)state;
    faults_clear();
    chip = ram_flash_new(FLASH_SIZE, SECTOR, 65536, 1);
    forge_esp8266_arduino(&running, true);
    memcpy(chip->memory, running.bytes, running.len);
    device = (struct ota_device){
        .flash = &chip->faulty.flash,
        .crypto = &faulty_crypto,
        .form = OTA_IMAGE_ESP8266,
        .chip = {.id = OTA_CHIP_ESP8266},
        .staging = &staging,
    };
    assert_int_equal(ota_staging_open(&device), OTA_OK);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    assert_int_equal(faulty_crypto_running(), 0);
    ram_flash_free(chip);
    return 0;
}

/* A sketch that fills so many sectors, all of it zeros: of version 1, which has no CRC. */
static void run_sketch_of(uint32_t sectors)
{
    const uint32_t size = sectors * SECTOR;

    memset(chip->memory, 0, size);
    memcpy(chip->memory, "\xE9\x01\x00\x00", 4);
    forge_put32(chip->memory + 12, size - 32);
    chip->memory[size - 1] = 0xEF;
}

static void assert_planned(const char *label, uint32_t size, enum ota_staging_plan expected,
                           uint32_t offset, uint32_t room)
{
    enum ota_staging_plan plan;
    struct ota_extent extent;

    assert_int_equal(ota_staging_plan(&device, label, size, &plan, &extent), OTA_OK);
    assert_int_equal(plan, expected);
    assert_int_equal(extent.offset, offset);
    assert_int_equal(extent.size, room);
}

static void assert_too_large(uint32_t size)
{
    enum ota_staging_plan plan;
    struct ota_extent extent;

    assert_int_equal(ota_staging_plan(&device, NULL, size, &plan, &extent), OTA_ERR_TOO_LARGE);
}

/* At the end, so that it may be larger than what runs, up to half of all there is. */
static void test_a_known_size(void **state)
{
    (void)state;
    assert_planned(NULL, 1, OTA_STAGING_COPY, END - SECTOR, SECTOR);
    assert_planned(NULL, 5000, OTA_STAGING_COPY, END - 2 * SECTOR, 2 * SECTOR);
    assert_planned(NULL, 0x38000, OTA_STAGING_COPY, END - 0x38000, 0x38000);
    assert_too_large(END / 2 + SECTOR);
    assert_too_large(END);
    assert_too_large(OTA_SIZE_UNKNOWN - 1);
}

static void test_an_unknown_size(void **state)
{
    (void)state;
    assert_planned(NULL, OTA_SIZE_UNKNOWN, OTA_STAGING_COPY, MIDDLE, END - MIDDLE);
}

/* Never within what runs, even if that is more than half. */
static void test_behind_a_large_sketch(void **state)
{
    (void)state;
    run_sketch_of(0x60);
    assert_planned(NULL, OTA_SIZE_UNKNOWN, OTA_STAGING_COPY, 0x60000, END - 0x60000);
    assert_planned(NULL, SECTOR, OTA_STAGING_COPY, END - SECTOR, SECTOR);
    assert_planned(NULL, END - 0x60000, OTA_STAGING_COPY, 0x60000, END - 0x60000);
    assert_too_large(END - 0x60000 + 1);
}

static void test_data(void **state)
{
    (void)state;
    assert_planned("fs", FS_SIZE, OTA_STAGING_COPY, 2 * SECTOR, FS_SIZE);
    run_sketch_of(0x6C);
    assert_planned("fs", 4 * SECTOR, OTA_STAGING_COPY, 0x6C000, 4 * SECTOR);
    assert_planned("fs", 4 * SECTOR + 1, OTA_STAGING_IN_PLACE, FS_BEGIN, FS_SIZE);
}

/* Data that would fit the whole region may not fit beside the sketch: the note of that has a place. */
static void test_data_in_place_is_noted(void **state)
{
    static struct ota_update update;
    static uint8_t buffer[SECTOR];
    static uint8_t content[FS_SIZE];
    const struct ota_update_options options = {.device = &device,
                                               .label = "fs",
                                               .size = FS_SIZE,
                                               .buffer = buffer,
                                               .buffer_size = sizeof buffer};
    bool incomplete = false;

    (void)state;
    run_sketch_of(0x6C);
    assert_int_equal(ota_update_begin(&update, &options), OTA_OK);
    assert_int_equal(ota_update_write(&update, content, FS_SIZE / 2), OTA_OK);
    assert_int_equal(ota_data_is_incomplete(&device, "fs", &incomplete), OTA_OK);
    assert_true(incomplete);
    assert_int_equal(ota_update_write(&update, content, FS_SIZE / 2), OTA_OK);
    assert_int_equal(ota_update_end(&update), OTA_OK);
    assert_int_equal(ota_update_activate(&update), OTA_OK);
    assert_int_equal(ota_data_is_incomplete(&device, "fs", &incomplete), OTA_OK);
    assert_false(incomplete);
}

int main(void)
{
#define FRESH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        FRESH(test_a_known_size),           FRESH(test_an_unknown_size),
        FRESH(test_behind_a_large_sketch),  FRESH(test_data),
        FRESH(test_data_in_place_is_noted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
