/* SPDX-License-Identifier: Apache-2.0 */
/* Opening a device, and the rules it has for images. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "fixture.h"

static struct fixture fixture;

static int set_up(void **state)
{
    (void)state;
    fixture_open(&fixture);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    fixture_close(&fixture);
    return 0;
}

static void test_open(void **state)
{
    struct ota_failure failure = {OTA_OK, 0};

    (void)state;
    memset(&fixture.device.table, 0xA5, sizeof fixture.device.table);
    memset(&fixture.device.layout, 0xA5, sizeof fixture.device.layout);
    assert_int_equal(ota_device_open(&fixture.device, &failure), OTA_OK);
    assert_int_equal(fixture.device.table.rows, 14);
    assert_int_equal(fixture.device.layout.ota_run, 3);
    assert_int_equal(fixture.device.layout.ota[1].offset, OTA_1);
    assert_int_equal(failure.err, OTA_OK);
}

#define REFUSED(change)                                                     \
    do {                                                                    \
        struct ota_device device = fixture.device;                          \
        change;                                                             \
        assert_int_equal(ota_device_open(&device, NULL), OTA_ERR_ARGUMENT); \
    } while (0)

static void test_arguments(void **state)
{
    struct ota_flash bad = fixture.chip->faulty.flash;

    (void)state;
    bad.write_size = 3;
    REFUSED(device.flash = NULL);
    REFUSED(device.crypto = NULL);
    REFUSED(device.form = OTA_IMAGE_DETECT);
    REFUSED(device.flash = &bad);
}

static void test_bad_table(void **state)
{
    struct ota_failure failure = {OTA_OK, 0};

    (void)state;
    fixture.chip->memory[OTA_PARTITION_TABLE_OFFSET + 2 * OTA_PARTITION_ROW_SIZE] = 0;
    assert_int_equal(ota_device_open(&fixture.device, &failure), OTA_ERR_TABLE_ROW);
    assert_int_equal(failure.err, OTA_ERR_TABLE_ROW);
    assert_int_equal(failure.offset, 2 * OTA_PARTITION_ROW_SIZE);
    assert_int_equal(ota_device_open(&fixture.device, NULL), OTA_ERR_TABLE_ROW);
}

static void fault_scenario(void *context)
{
    enum ota_err err = ota_device_open(&fixture.device, NULL);

    assert_int_equal(err, faults_struck() ? *(const enum ota_err *)context : OTA_OK);
}

static void test_faults(void **state)
{
    enum ota_err expected = OTA_ERR_FLASH_READ;

    (void)state;
    assert_true(faults_everywhere(FAULT_READ, fault_scenario, &expected) > 40);
    expected = OTA_ERR_CRYPTO;
    assert_true(faults_everywhere(FAULT_CRYPTO, fault_scenario, &expected) > 10);
}

static void test_rules(void **state)
{
    struct ota_image_rules rules;
    struct ota_region region = ram_flash_region(fixture.chip, OTA_1, SLOT_SIZE);

    (void)state;
    memset(&rules, 0xA5, sizeof rules);
    ota_device_image_rules(&fixture.device, &region, &rules);
    assert_int_equal(rules.form, OTA_IMAGE_ESP32);
    assert_int_equal(rules.role, OTA_ROLE_APP);
    assert_int_equal(rules.chip.id, OTA_CHIP_ESP32);
    assert_int_equal(rules.size_max, SLOT_SIZE);
    assert_int_equal(rules.flash_offset, OTA_1);
    assert_int_equal(rules.secure_version_floor, 0);
    assert_false(rules.require_descriptor);
    assert_false(rules.allow_trailer);
    assert_null(rules.on_segment);
    fixture_burn(&fixture, 7);
    ota_device_image_rules(&fixture.device, &region, &rules);
    assert_int_equal(rules.secure_version_floor, 7);
}

int main(void)
{
#define WITH_DEVICE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        WITH_DEVICE(test_open),   WITH_DEVICE(test_arguments), WITH_DEVICE(test_bad_table),
        WITH_DEVICE(test_faults), WITH_DEVICE(test_rules),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
