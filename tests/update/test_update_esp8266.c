/* SPDX-License-Identifier: Apache-2.0 */
/* An update on an ESP8266: byte 2 of the image becomes that of the flash, and all that arrived is
   still what is hashed. docs/formats/flash-layout.md section 7.3. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include <updraft/esp8266.h>
#include <updraft/gunzip.h>

#include "support/forge.h"
#include "transfer.h"

#define DIO 2
#define DOUT 3

static struct ota_esp8266 esp8266;

static int set_up(void **state)
{
    static struct forge forge;

    (void)state;
    transfer_open(IMAGE_MAX / 2, NULL);
    forge_esp8266_arduino(&forge, true);
    assert_int_equal(forge.bytes[2], DIO);
    memcpy(image, forge.bytes, forge.len);
    len = forge.len;
    options.size = len;
    fixture.chip->memory[2] = DOUT;
    assert_int_equal(ota_esp8266_init(&esp8266, &fixture.chip->faulty.flash), OTA_OK);
    fixture.device.form = OTA_IMAGE_ESP8266;
    fixture.device.chip.id = OTA_CHIP_ESP8266;
    fixture.device.esp8266 = &esp8266;
    return 0;
}

/* The image as it is stored. */
static void assert_stored(uint32_t offset, uint8_t mode)
{
    const uint8_t *stored = fixture.chip->memory + offset;

    assert_memory_equal(stored, image, 2);
    assert_int_equal(stored[2], mode);
    assert_memory_equal(stored + 3, image + 3, len - 3);
}

static void test_the_mode_of_the_flash(void **state)
{
    struct ota_image_check check;

    (void)state;
    transfer_expect(OTA_HASH_MD5);
    transfer_prove();
    assert_stored(OTA_1, DOUT);
    assert_int_equal(ota_update_activate(&update), OTA_OK);
    assert_int_equal(ota_slot_verify(&fixture.device, 1, &check), OTA_OK);
}

static void test_byte_by_byte(void **state)
{
    (void)state;
    transfer_expect(OTA_HASH_SHA256);
    transfer_begin();
    for (uint32_t i = 0; i < len; i++) {
        assert_int_equal(ota_update_write(&update, image + i, 1), OTA_OK);
    }
    assert_int_equal(ota_update_end(&update), OTA_OK);
    assert_stored(OTA_1, DOUT);
}

static void test_data_is_left_alone(void **state)
{
    (void)state;
    options.label = "storage";
    transfer_prove();
    assert_stored(STORAGE, DIO);
}

/* The image as gzip, in one stored block. */
static uint32_t pack(uint8_t *file)
{
    static const uint8_t head[] = {0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 0xFF, 1};
    uint8_t *at = file;

    memcpy(at, head, sizeof head);
    at += sizeof head;
    forge_put32(at, len | ~len << 16);
    memcpy(at + 4, image, len);
    at += 4 + len;
    forge_put32(at, ota_crc32(0, image, len));
    forge_put32(at + 4, len);
    return (uint32_t)(at + 8 - file);
}

static void test_what_was_compressed_is_left_alone(void **state)
{
    static struct ota_gunzip_decoder gunzip;
    static struct ota_decoder *const decoders[] = {&gunzip.decoder, NULL};
    static struct ota_unwrap unwrap;
    static uint8_t file[0x10000];

    (void)state;
    ota_gunzip_decoder_init(&gunzip);
    ota_unwrap_init(&unwrap, decoders);
    options.unwrap = &unwrap;
    options.size = pack(file);
    transfer_begin();
    assert_int_equal(ota_update_write(&update, file, options.size), OTA_OK);
    assert_int_equal(ota_update_end(&update), OTA_OK);
    assert_stored(OTA_1, DIO);
}

static void test_other_devices_leave_images_alone(void **state)
{
    (void)state;
    fixture.device.esp8266 = NULL;
    transfer_prove();
    assert_stored(OTA_1, DIO);
}

static void test_an_image_for_a_larger_flash(void **state)
{
    (void)state;
    image[3] = 0x30; /* 2 MB */
    transfer_begin();
    assert_int_equal(ota_update_write(&update, image, len), OTA_ERR_IMAGE_FLASH_SIZE);
    assert_int_equal(update.failure.offset, 3);
    assert_int_equal(ota_update_end(&update), OTA_ERR_IMAGE_FLASH_SIZE);
}

/* Byte by byte too, before anything was changed. */
static void test_an_image_for_a_larger_flash_in_pieces(void **state)
{
    enum ota_err err = OTA_OK;

    (void)state;
    image[3] = 0x30;
    transfer_begin();
    for (uint32_t i = 0; i < len && err == OTA_OK; i++) {
        err = ota_update_write(&update, image + i, 1);
    }
    assert_int_equal(err, OTA_ERR_IMAGE_FLASH_SIZE);
    assert_int_equal(ram_flash_changes(fixture.chip), 0);
}

/* Makes an image of version 1 that takes some sectors. */
static void make_large(void)
{
    static const uint8_t header[] = {0xE9, 1, DIO, 0};

    len = 5 * SECTOR;
    memset(image, 0, len);
    memcpy(image, header, sizeof header);
    forge_put32(image + 12, len - 32);
    image[len - 1] = 0xEF;
    options.size = len;
    options.etag = "\"v2\"";
}

/* Sends the first bytes, and goes on later with another buffer, or the same. */
static uint32_t interrupt_and_resume(uint32_t end, uint32_t piece, uint32_t other_buffer)
{
    uint32_t offset = 12345;

    transfer_begin();
    for (uint32_t at = 0; at < end; at += piece) {
        assert_int_equal(ota_update_write(&update, image + at, piece), OTA_OK);
    }
    ota_update_suspend(&update);
    options.buffer_size = other_buffer;
    assert_int_equal(ota_update_resume(&update, &options, &offset), OTA_OK);
    return offset;
}

static void finish_from(uint32_t offset, uint32_t place, uint8_t mode)
{
    assert_int_equal(ota_update_write(&update, image + offset, len - offset), OTA_OK);
    assert_int_equal(ota_update_end(&update), OTA_OK);
    assert_stored(place, mode);
}

/* The checkpoints are of what arrived, and so is the proof. */
static void test_resume(void **state)
{
    static const uint32_t buffers[] = {1, 2, 3, 256, SECTOR};

    (void)state;
    make_large();
    for (unsigned i = 0; i < sizeof buffers / sizeof buffers[0]; i++) {
        for (uint32_t piece = 1; piece <= SECTOR; piece *= 64) {
            options.buffer_size = 256;
            assert_int_equal(interrupt_and_resume(3 * SECTOR, piece, buffers[i]), 3 * SECTOR);
            finish_from(3 * SECTOR, OTA_1, DOUT);
        }
    }
}

/* With too small a buffer it begins before byte 2 is there, and is fetched again. */
static void test_no_resume_with_a_small_buffer(void **state)
{
    (void)state;
    make_large();
    options.buffer_size = 1;
    assert_int_equal(interrupt_and_resume(3 * SECTOR, 1, 256), 0);
    finish_from(0, OTA_1, DOUT);
}

/* Nothing is changed in data, so nothing is put back. */
static void test_resume_of_data(void **state)
{
    (void)state;
    make_large();
    options.label = "storage";
    assert_int_equal(interrupt_and_resume(3 * SECTOR, SECTOR, SECTOR), 3 * SECTOR);
    finish_from(3 * SECTOR, STORAGE, DIO);
}

/* The mode that the board has is none: the image's is stored. */
static void test_resume_without_a_mode(void **state)
{
    (void)state;
    make_large();
    esp8266.mode = 4;
    assert_int_equal(interrupt_and_resume(3 * SECTOR, SECTOR, SECTOR), 3 * SECTOR);
    finish_from(3 * SECTOR, OTA_1, DIO);
}

static void fault_scenario(void *context)
{
    enum ota_err err = ota_update_begin(&update, &options);

    (void)context;
    if (err == OTA_OK) {
        err = ota_update_write(&update, image, len);
    }
    if (err == OTA_OK) {
        err = ota_update_end(&update);
    }
    assert_int_equal(err, faults_struck() ? OTA_ERR_FLASH_WRITE : OTA_OK);
    ota_update_abort(&update);
}

static void test_faults_of_the_flash(void **state)
{
    (void)state;
    options.buffer_size = 1;
    assert_true(faults_everywhere(FAULT_WRITE, fault_scenario, NULL) > 100);
}

int main(void)
{
#define FRESH(test) cmocka_unit_test_setup_teardown(test, set_up, transfer_close)
    const struct CMUnitTest tests[] = {
        FRESH(test_the_mode_of_the_flash),
        FRESH(test_byte_by_byte),
        FRESH(test_data_is_left_alone),
        FRESH(test_what_was_compressed_is_left_alone),
        FRESH(test_other_devices_leave_images_alone),
        FRESH(test_an_image_for_a_larger_flash),
        FRESH(test_an_image_for_a_larger_flash_in_pieces),
        FRESH(test_resume),
        FRESH(test_no_resume_with_a_small_buffer),
        FRESH(test_resume_of_data),
        FRESH(test_resume_without_a_mode),
        FRESH(test_faults_of_the_flash),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
