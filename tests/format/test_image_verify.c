/* SPDX-License-Identifier: Apache-2.0 */
/* Images that lie in flash: each byte is read once, none behind the image. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "feed.h"
#include "support/images.h"
#include "support/ram_flash.h"

#define SLOT 0x10000u
#define SLOT_SIZE 0x10000u

static struct ram_flash *chip;
static struct ota_region region;
static struct forge forge;
static uint8_t buffer[4096];

static int set_up(void **state)
{
    (void)state;
    faults_clear();
    chip = ram_flash_new(0x40000, 4096, 0, 1);
    region = ram_flash_region(chip, SLOT, SLOT_SIZE);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    assert_int_equal(faulty_crypto_running(), 0);
    assert_int_equal(ram_flash_changes(chip), 0);
    ram_flash_free(chip);
    return 0;
}

static void lay(void)
{
    ram_flash_fill(chip, 0, 0x40000, 8); /* noise on either side */
    memcpy(chip->memory + SLOT, forge.bytes, forge.len);
}

static enum ota_err verify(struct ota_image_check *check, enum ota_image_form form, uint32_t size)
{
    struct ota_image_rules rules = feed_rules(form);

    rules.size_max = region.size;
    return ota_image_verify(check, &rules, &faulty_crypto, &region, buffer, size);
}

/* `filler` bytes lead to where a sketch begins or might begin: before each piece of them that place
   is looked at. */
static void reads_once(enum ota_image_form form, uint32_t filler)
{
    static const uint32_t sizes[] = {1, 7, 32, 256, 4096};

    lay();
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct ota_image_check check;
        uint64_t before = chip->state.statistics.bytes_read;
        assert_int_equal(verify(&check, form, sizes[i]), OTA_OK);
        assert_int_equal(check.image.length, forge.len);
        uint32_t looks = 1 + (filler + sizes[i] - 1) / sizes[i];
        assert_in_range(chip->state.statistics.bytes_read - before, forge.len, forge.len + looks);
    }
}

static void test_each_byte_once(void **state)
{
    (void)state;
    forge_esp32(&forge, OTA_CHIP_ESP32);
    reads_once(OTA_IMAGE_ESP32, 0);
    forge_esp8266_rtos(&forge);
    reads_once(OTA_IMAGE_ESP8266_RTOS, 0);
    forge_esp8266_v2(&forge, 320);
    reads_once(OTA_IMAGE_ESP8266, 0);
    forge_esp8266_v1(&forge);
    reads_once(OTA_IMAGE_ESP8266, 0); /* one look, and no sketch */
    forge_esp8266_arduino(&forge, true);
    reads_once(OTA_IMAGE_ESP8266, 4096 - 80);
    forge_esp8266_arduino(&forge, false);
    reads_once(OTA_IMAGE_ESP8266, 4096 - 80);
}

static void test_damage(void **state)
{
    struct ota_image_check check;

    (void)state;
    forge_esp8266_arduino(&forge, true);
    lay();
    chip->memory[SLOT + 0x1100] ^= 1; /* in the sketch */
    assert_int_equal(verify(&check, OTA_IMAGE_ESP8266, 256), OTA_ERR_IMAGE_HASH);
    forge_esp32(&forge, OTA_CHIP_ESP32);
    lay();
    chip->memory[SLOT + 300] ^= 1;
    assert_int_equal(verify(&check, OTA_IMAGE_ESP32, 256), OTA_ERR_IMAGE_CHECKSUM);
    chip->memory[SLOT] ^= 1;
    assert_int_equal(verify(&check, OTA_IMAGE_ESP32, 256), OTA_ERR_IMAGE_MAGIC);
    assert_int_equal(check.failure.offset, 0);
}

/* An image that would end behind its region is not followed there. */
static void test_never_beyond_the_region(void **state)
{
    struct ota_image_check check;

    (void)state;
    forge_esp32(&forge, OTA_CHIP_ESP32);
    lay();
    region.size = forge.len;
    assert_int_equal(verify(&check, OTA_IMAGE_ESP32, 4096), OTA_OK);
    for (region.size = 0; region.size < forge.len; region.size++) {
        assert_int_equal(verify(&check, OTA_IMAGE_ESP32, 4096), OTA_ERR_TOO_LARGE);
    }
}

/* No buffer at all is a fault of the caller, and no endless loop. */
static void test_no_buffer(void **state)
{
    struct ota_image_check check;

    (void)state;
    forge_esp32(&forge, OTA_CHIP_ESP32);
    lay();
    assert_int_equal(verify(&check, OTA_IMAGE_ESP32, 0), OTA_ERR_ARGUMENT);
}

struct fault_case {
    enum fault_kind kind;
    enum ota_image_form form;
};

static void fault_scenario(void *context)
{
    const struct fault_case *c = context;
    struct ota_image_check check;
    enum ota_err err = verify(&check, c->form, 100);

    assert_int_equal(err, faults_struck() ? faults_error(c->kind) : OTA_OK);
    assert_int_equal(check.failure.err, err);
    assert_int_equal(faulty_crypto_running(), 0);
}

static void test_faults(void **state)
{
    struct fault_case c;

    (void)state;
    forge_esp32(&forge, OTA_CHIP_ESP32);
    lay();
    c = (struct fault_case){FAULT_READ, OTA_IMAGE_ESP32};
    assert_true(faults_everywhere(FAULT_READ, fault_scenario, &c) > 5);
    c.kind = FAULT_CRYPTO;
    assert_true(faults_everywhere(FAULT_CRYPTO, fault_scenario, &c) > 5);
    forge_esp8266_arduino(&forge, true);
    lay();
    c = (struct fault_case){FAULT_READ, OTA_IMAGE_ESP8266};
    assert_true(faults_everywhere(FAULT_READ, fault_scenario, &c) > 40);
    c.kind = FAULT_CRYPTO;
    assert_true(faults_everywhere(FAULT_CRYPTO, fault_scenario, &c) > 40);
}

static void test_describe(void **state)
{
    struct ota_app_descriptor descriptor;

    (void)state;
    forge_esp32(&forge, OTA_CHIP_ESP32);
    lay();
    chip->memory[SLOT + 380] ^= 1; /* it is not proven */
    assert_int_equal(ota_image_describe(&region, OTA_IMAGE_ESP32, &descriptor), OTA_OK);
    assert_string_equal(descriptor.project, "forged");
    assert_int_equal(ota_image_describe(&region, OTA_IMAGE_ESP8266_RTOS, &descriptor),
                     OTA_ERR_IMAGE_DESCRIPTOR);
    forge_esp8266_rtos(&forge);
    lay();
    assert_int_equal(ota_image_describe(&region, OTA_IMAGE_ESP8266_RTOS, &descriptor), OTA_OK);
    chip->memory[SLOT] = 0xEA;
    assert_int_equal(ota_image_describe(&region, OTA_IMAGE_ESP8266_RTOS, &descriptor),
                     OTA_ERR_IMAGE_MAGIC);
    chip->memory[SLOT] = 0xE9;
    for (unsigned k = 1; k <= 2; k++) {
        faults_set(FAULT_READ, k);
        assert_int_equal(ota_image_describe(&region, OTA_IMAGE_ESP8266_RTOS, &descriptor),
                         OTA_ERR_FLASH_READ);
    }
}

int main(void)
{
#define WITH_CHIP(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        WITH_CHIP(test_each_byte_once),
        WITH_CHIP(test_damage),
        WITH_CHIP(test_never_beyond_the_region),
        WITH_CHIP(test_no_buffer),
        WITH_CHIP(test_faults),
        WITH_CHIP(test_describe),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
