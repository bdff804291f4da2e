/* SPDX-License-Identifier: Apache-2.0 */
/* What is done with an image on an ESP8266 besides: docs/formats/flash-layout.md section 7.3. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include <updraft/esp8266.h>
#include <updraft/writer.h>

#include "feed.h"
#include "support/ram_flash.h"

#define FLASH_SIZE 0x100000u
#define STAGE 0x80000u
#define BUFFER_SIZE 256u

#define QIO 0
#define DIO 2
#define DOUT 3
#define UNKNOWN 0xFF

static struct ram_flash *chip;
static struct forge forge;
static struct ota_esp8266 esp8266;
static struct ota_image_rules rules;

static int set_up(void **state)
{
    (void)state;
    faults_clear();
    chip = ram_flash_new(FLASH_SIZE, 4096, 0, 1);
    rules = feed_rules(OTA_IMAGE_ESP8266);
    rules.esp8266 = &esp8266;
    forge_esp8266_arduino(&forge, true);
    assert_int_equal(ota_esp8266_init(&esp8266, &chip->faulty.flash), OTA_OK);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    ram_flash_free(chip);
    return 0;
}

static void init_with_mode(uint8_t mode)
{
    chip->memory[2] = mode;
    assert_int_equal(ota_esp8266_init(&esp8266, &chip->faulty.flash), OTA_OK);
}

static void test_init_reads_the_mode(void **state)
{
    (void)state;
    assert_int_equal(esp8266.mode, UNKNOWN);
    init_with_mode(DOUT);
    assert_int_equal(esp8266.mode, DOUT);
    assert_int_equal(esp8266.flash_size, FLASH_SIZE);
    faults_set(FAULT_READ, 1);
    assert_int_equal(ota_esp8266_init(&esp8266, &chip->faulty.flash), OTA_ERR_FLASH_READ);
}

/* ---- The size -------------------------------------------------------------------------------- */

static enum ota_err check_image(void)
{
    struct ota_image_check check;

    return feed(&check, &rules, forge.bytes, forge.len, 0, 1);
}

/* Changes a byte that no checksum of a version 1 image covers. */
static void assert_fits(uint8_t size_code, uint32_t flash_size, bool fits)
{
    struct ota_image_check check;

    forge_esp8266_v1(&forge);
    forge.bytes[3] = (uint8_t)(size_code << 4 | (forge.bytes[3] & 0x0F));
    esp8266.flash_size = flash_size;
    assert_int_equal(feed(&check, &rules, forge.bytes, forge.len, 0, 1),
                     fits ? OTA_OK : OTA_ERR_IMAGE_FLASH_SIZE);
    assert_int_equal(check.failure.offset, fits ? 0 : 3);
}

static void test_images_for_larger_flash_are_refused(void **state)
{
    static const struct {
        uint8_t code;
        uint32_t size;
    } sizes[] = {
        {0, 512u << 10}, {1, 256u << 10}, {2, 1u << 20}, {3, 2u << 20},  {4, 4u << 20},
        {5, 2u << 20},   {6, 4u << 20},   {8, 8u << 20}, {9, 16u << 20},
    };

    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        assert_fits(sizes[i].code, sizes[i].size, true);
        assert_fits(sizes[i].code, sizes[i].size - 4096, false);
    }
}

static void test_codes_that_are_no_size(void **state)
{
    (void)state;
    assert_fits(7, 256u << 10, true);
    for (uint8_t code = 10; code < 16; code++) {
        assert_fits(code, 256u << 10, true);
    }
}

/* As flash tools change it, which leave the sketch's own header alone. */
static void test_only_the_first_header_counts(void **state)
{
    (void)state;
    esp8266.flash_size = 512u << 10;
    forge_esp8266_arduino(&forge, false);
    forge.bytes[3] = 0;
    forge.bytes[0x1003] = 0x40;
    assert_int_equal(check_image(), OTA_OK);
    rules.esp8266 = NULL;
    forge.bytes[3] = 0x90;
    assert_int_equal(check_image(), OTA_OK);
}

/* ---- The mode and the CRC -------------------------------------------------------------------- */

static void test_any_mode_passes(void **state)
{
    const uint8_t made_with = forge.bytes[2];

    (void)state;
    for (unsigned mode = 0; mode < 256; mode++) {
        forge.bytes[2] = (uint8_t)mode;
        rules.esp8266 = &esp8266;
        assert_int_equal(check_image(), OTA_OK);
        rules.esp8266 = NULL;
        assert_int_equal(check_image(), mode == made_with ? OTA_OK : OTA_ERR_IMAGE_HASH);
    }
}

/* No other byte may differ, whatever the mode is. */
static void test_any_mode_passes_and_nothing_else(void **state)
{
    (void)state;
    forge.bytes[2] ^= 1;
    for (uint32_t i = 0; i < forge.len; i++) {
        for (unsigned bit = 0; bit < 8 && i != 2; bit++) {
            forge.bytes[i] ^= (uint8_t)(1u << bit);
            assert_int_not_equal(check_image(), OTA_OK);
            forge.bytes[i] ^= (uint8_t)(1u << bit);
        }
    }
    assert_int_equal(check_image(), OTA_OK);
}

/* ---- Storing --------------------------------------------------------------------------------- */

/* Stores the image in pieces: two that meet at `split`, the second in pieces of `piece`. */
static void store(uint32_t split, uint32_t piece)
{
    uint8_t buffer[BUFFER_SIZE];
    struct ota_writer writer;
    struct ota_region region = ram_flash_region(chip, STAGE, 0x10000);

    assert_int_equal(ota_writer_begin(&writer, &region, 0, forge.len, buffer, sizeof buffer),
                     OTA_OK);
    for (uint32_t offset = 0, len; offset < forge.len; offset += len) {
        len = offset == 0 ? split : piece;
        len = len < forge.len - offset ? len : forge.len - offset;
        assert_int_equal(esp8266.store(&esp8266, &writer, offset, forge.bytes + offset, len),
                         OTA_OK);
    }
    assert_int_equal(ota_writer_finish(&writer), OTA_OK);
}

static void assert_stored_with(uint8_t mode)
{
    const uint8_t *stored = chip->memory + STAGE;

    assert_memory_equal(stored, forge.bytes, 2);
    assert_int_equal(stored[2], mode);
    assert_memory_equal(stored + 3, forge.bytes + 3, forge.len - 3);
}

static void test_the_mode_of_the_flash_is_stored(void **state)
{
    static const uint32_t pieces[] = {1, 2, 3, 4, 100, 0x10000};

    (void)state;
    for (uint8_t mode = QIO; mode <= DOUT; mode++) {
        init_with_mode(mode);
        for (uint32_t split = 1; split < 6; split++) {
            for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
                store(split, pieces[i]);
                assert_stored_with(mode);
            }
        }
    }
    assert_int_equal(forge.bytes[2], DIO);
}

static void test_a_mode_that_is_not_known_changes_nothing(void **state)
{
    (void)state;
    init_with_mode(4);
    store(1, 100);
    assert_stored_with(DIO);
    init_with_mode(UNKNOWN);
    store(1, 100);
    assert_stored_with(DIO);
}

/* The first write of all is that of the changed byte, with a buffer of one. */
static void test_faults_of_the_flash(void **state)
{
    uint8_t buffer[1];
    struct ota_writer writer;
    struct ota_region region = ram_flash_region(chip, STAGE, 0x10000);

    (void)state;
    init_with_mode(DIO);
    for (unsigned k = 1; k <= 4; k++) {
        assert_int_equal(ota_writer_begin(&writer, &region, 0, forge.len, buffer, 1), OTA_OK);
        faults_set(FAULT_WRITE, k);
        assert_int_equal(esp8266.store(&esp8266, &writer, 0, forge.bytes, 8), OTA_ERR_FLASH_WRITE);
        assert_true(faults_struck());
        ram_flash_blank(chip);
        chip->memory[2] = DIO;
    }
}

int main(void)
{
#define FRESH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        FRESH(test_init_reads_the_mode),
        FRESH(test_images_for_larger_flash_are_refused),
        FRESH(test_codes_that_are_no_size),
        FRESH(test_only_the_first_header_counts),
        FRESH(test_any_mode_passes),
        FRESH(test_any_mode_passes_and_nothing_else),
        FRESH(test_the_mode_of_the_flash_is_stored),
        FRESH(test_a_mode_that_is_not_known_changes_nothing),
        FRESH(test_faults_of_the_flash),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
