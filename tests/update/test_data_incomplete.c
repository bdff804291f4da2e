/* SPDX-License-Identifier: Apache-2.0 */
/* Data partitions that were left incomplete, on a device with a partition table: told by the mark
   of the update, as long as that stands. Devices with a staging region: test_staging.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <updraft/staging.h>

#include "fixture.h"

static struct fixture fixture;
static struct ota_update update;
static uint8_t buffer[SECTOR];
static uint8_t data[STORAGE_SIZE];

static int set_up(void **state)
{
    (void)state;
    fixture_open(&fixture);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    faults_clear();
    fixture_close(&fixture);
    return 0;
}

static void test_incomplete(void **state)
{
    const struct ota_update_options options = {.device = &fixture.device,
                                               .label = "storage",
                                               .size = OTA_SIZE_UNKNOWN,
                                               .buffer = buffer,
                                               .buffer_size = sizeof buffer};
    bool incomplete = true;

    (void)state;
    assert_int_equal(ota_data_is_incomplete(&fixture.device, "storage", &incomplete), OTA_OK);
    assert_false(incomplete);
    assert_int_equal(ota_update_begin(&update, &options), OTA_OK);
    assert_int_equal(ota_update_write(&update, data, 10000), OTA_OK);
    assert_int_equal(ota_data_is_incomplete(&fixture.device, "storage", &incomplete), OTA_OK);
    assert_true(incomplete);
    faults_set(FAULT_READ, 1);
    assert_int_equal(ota_data_is_incomplete(&fixture.device, "storage", &incomplete),
                     OTA_ERR_FLASH_READ);
    faults_clear();
    assert_int_equal(ota_update_end(&update), OTA_OK);
    assert_int_equal(ota_data_is_incomplete(&fixture.device, "storage", &incomplete), OTA_OK);
    assert_false(incomplete);
    assert_int_equal(ota_data_is_incomplete(&fixture.device, "none", &incomplete),
                     OTA_ERR_NO_PARTITION);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_incomplete, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
