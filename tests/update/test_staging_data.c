/* SPDX-License-Identifier: Apache-2.0 */
/* Data that is written in place on a device with one place to run from, and the notes that tell
   whether it is whole. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "update/staging.h"

/* ---- An update that was cut short ------------------------------------------------------------ */

static enum ota_err pending(const char *label, uint32_t *offset)
{
    struct ota_identity identity;
    uint32_t size;

    return ota_update_pending(&device.device, label, &identity, &size, offset);
}

static bool was_cut_short(const char *label)
{
    bool cut_short = false;

    assert_int_equal(ota_update_was_cut_short(&device.device, label, &cut_short), OTA_OK);
    return cut_short;
}

/* Sends a part of so many bytes of data for a partition, and is interrupted. */
static void interrupt(const char *label, uint32_t size)
{
    device.options.label = label;
    device.options.size = size;
    device.options.etag = "\"v2\"";
    assert_int_equal(ota_update_begin(&device.update, &device.options), OTA_OK);
    assert_int_equal(ota_update_write(&device.update, data, size - 1000), OTA_OK);
    ota_update_suspend(&device.update);
    device.options.etag = "\"v2\""; /* the update has forgotten it */
}

/* It goes on where those who ask before are told that it does: staged or in place. */
static void test_what_waits_is_found(void **state)
{
    static const struct {
        const char *label;
        uint32_t size;
        bool is_staged;
    } cases[] = {{"big", 0x6000, true}, {"fs", 0x1800, true}, {"big", 0xA000, false}};

    (void)state;
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint32_t told = 0;
        uint32_t offset = 0;

        assert_int_equal(pending(cases[i].label, &told), OTA_ERR_NO_DATA);
        assert_false(was_cut_short(cases[i].label));
        interrupt(cases[i].label, cases[i].size);
        assert_int_equal(device.update.region.offset != device.update.partition.offset,
                         cases[i].is_staged);
        assert_int_equal(pending(cases[i].label, &told), OTA_OK);
        assert_true(was_cut_short(cases[i].label));
        assert_int_equal(ota_update_resume(&device.update, &device.options, &offset), OTA_OK);
        assert_true(offset > 0);
        assert_int_equal(told, offset);
        ota_update_abort(&device.update);
    }
}

/* What is staged waits for a restart: nothing else can be begun there. */
static void test_nothing_waits_behind_what_is_staged(void **state)
{
    bool cut_short = true;
    uint32_t offset;

    (void)state;
    assert_int_equal(pending("none", &offset), OTA_ERR_NO_PARTITION);
    assert_int_equal(staged_device_send_app(&device, 1), OTA_OK);
    assert_int_equal(pending("big", &offset), OTA_ERR_RESTARTING);
    assert_int_equal(ota_update_was_cut_short(&device.device, "big", &cut_short),
                     OTA_ERR_RESTARTING);
    assert_false(cut_short);
    assert_int_equal(pending(NULL, &offset), OTA_ERR_NO_DATA);
}

/* What cannot be read is told, wherever it lies. */
static void test_what_waits_cannot_be_read(void **state)
{
    (void)state;
    interrupt("big", 0x6000);
    for (unsigned number = 1;; number++) {
        bool cut_short = true;
        faults_set(FAULT_READ, number);
        const enum ota_err err = ota_update_was_cut_short(&device.device, "big", &cut_short);
        const bool struck = faults_struck();
        faults_clear();
        assert_true(struck ? err == OTA_ERR_FLASH_READ && !cut_short : err == OTA_OK && cut_short);
        if (!struck) {
            break;
        }
    }
    for (unsigned number = 1;; number++) {
        uint32_t offset;
        faults_set(FAULT_READ, number);
        const enum ota_err err = pending("big", &offset);
        const bool struck = faults_struck();
        faults_clear();
        assert_int_equal(err, struck ? OTA_ERR_FLASH_READ : OTA_OK);
        if (!struck) {
            break;
        }
    }
}

/* ---- Data in place --------------------------------------------------------------------------- */

static void test_data_in_place(void **state)
{
    const uint32_t size = STAGED_BIG_SIZE;

    (void)state;
    assert_false(staging_is_incomplete("big"));
    for (int i = 0; i < 3; i++) {
        data[0]++;
        device.options.size = size;
        device.options.label = "big";
        assert_int_equal(ota_update_begin(&device.update, &device.options), OTA_OK);
        assert_false(staging_is_incomplete("big"));
        assert_int_equal(ota_update_write(&device.update, data, size - 1), OTA_OK);
        assert_true(staging_is_incomplete("big"));
        assert_false(staging_is_incomplete("fs"));
        staged_device_restart(&device); /* power fails */
        assert_true(staging_is_incomplete("big"));
        assert_int_equal(staged_device_state(&device), OTA_STAGING_IDLE);

        device.options.size = size;
        assert_int_equal(staged_device_send(&device, "big", data, size), OTA_OK);
        assert_false(staging_is_incomplete("big"));
        assert_memory_equal(device.chip->memory + STAGED_BIG, data, size);
    }
}

/* The note outlives updates of the app. */
static void test_incomplete_data_and_an_app(void **state)
{
    (void)state;
    device.options.label = "big";
    assert_int_equal(ota_update_begin(&device.update, &device.options), OTA_OK);
    assert_int_equal(ota_update_write(&device.update, data, 10000), OTA_OK);
    ota_update_abort(&device.update);
    staged_device_restart(&device);
    staging_update_to(1);
    assert_int_equal(ota_slot_confirm(&device.device), OTA_OK);
    assert_true(staging_is_incomplete("big"));

    /* Less of it fits the staging region: a copy makes it whole as well. */
    device.options.size = 0x7000;
    assert_int_equal(staged_device_send(&device, "big", data, 0x7000), OTA_OK);
    assert_true(staging_is_incomplete("big"));
    assert_int_equal(staged_device_boot(&device), OTA_OK);
    assert_false(staging_is_incomplete("big"));
    assert_int_equal(staged_device_send(&device, "fs", data, 0x1000), OTA_OK);
    assert_false(staging_is_incomplete("big"));
    assert_int_equal(staged_device_boot(&device), OTA_OK);
    assert_false(staging_is_incomplete("big"));
    assert_false(staging_is_incomplete("fs"));
}

/* What was copied belonged to a partition that this layout does not have any more. */
static void test_data_of_another_layout(void **state)
{
    (void)state;
    device.options.size = 0x1000;
    assert_int_equal(staged_device_send(&device, "fs", data, 0x1000), OTA_OK);
    assert_int_equal(staged_device_boot(&device), OTA_OK);
    device.data[0].offset = STAGED_BIG + STAGED_BIG_SIZE;
    assert_int_equal(staged_device_send_app(&device, 1), OTA_OK);
    assert_int_equal(staged_device_boot(&device), OTA_OK);
    assert_int_equal(staged_device_runs(&device), 1);
}

/* The chip fails while staged data is copied: the app runs on, and may even be updated. */
static void test_data_that_is_half_copied(void **state)
{
    (void)state;
    device.options.size = 0x1000;
    assert_int_equal(staged_device_send(&device, "fs", data, 0x1000), OTA_OK);
    assert_false(staging_is_incomplete("fs"));
    faults_set(FAULT_WRITE, 6);
    (void)staged_device_boot(&device);
    assert_true(faults_struck());
    faults_clear();
    assert_int_equal(staged_device_state(&device), OTA_STAGING_UNDER_WAY);
    assert_true(staging_is_incomplete("fs"));
    assert_false(staging_is_incomplete("big"));
    assert_int_equal(staged_device_send_app(&device, 1), OTA_OK);
    assert_true(staging_is_incomplete("fs"));
    assert_int_equal(staged_device_boot(&device), OTA_OK);
    assert_int_equal(staged_device_runs(&device), 1);
    assert_true(staging_is_incomplete("fs"));

    device.options.size = 0x1000;
    assert_int_equal(staged_device_send(&device, "fs", data, 0x1000), OTA_OK);
    assert_true(staging_is_incomplete("fs"));
    assert_int_equal(staged_device_boot(&device), OTA_OK);
    assert_false(staging_is_incomplete("fs"));
    assert_int_equal(staged_device_send_app(&device, 0), OTA_OK);
    assert_false(staging_is_incomplete("fs"));
}

static void test_incomplete_data_and_other_data(void **state)
{
    (void)state;
    device.options.label = "big";
    assert_int_equal(ota_update_begin(&device.update, &device.options), OTA_OK);
    assert_int_equal(ota_update_write(&device.update, data, 10000), OTA_OK);
    ota_update_abort(&device.update);
    device.options.size = 0x1000;
    assert_int_equal(staged_device_send(&device, "fs", data, 0x1000), OTA_OK);
    assert_int_equal(staged_device_boot(&device), OTA_OK);
    assert_true(staging_is_incomplete("big"));
    assert_false(staging_is_incomplete("fs"));
}

/* A record in the first place that is no turn: the half does not count. */
static void test_notes_of_no_turn(void **state)
{
    uint8_t *first = device.chip->memory + staged_device_status(&device).notes.offset;

    (void)state;
    memcpy(first, "\x00\x00\xff\xff\x02\x00\xfd\xff", 8); /* "big" is being written */
    assert_false(staging_is_incomplete("big"));
    device.options.label = "big";
    assert_int_equal(ota_update_begin(&device.update, &device.options), OTA_OK);
    assert_int_equal(ota_update_write(&device.update, data, 9000), OTA_OK);
    assert_true(staging_is_incomplete("big"));
}

/* Notes that are full begin anew, and keep what still holds, wherever that is broken off. */
static void test_many_notes(void **state)
{
    (void)state;
    device.staging.staging.size = 0x5000; /* neither partition fits */
    device.data[0].size = 0x6000;
    device.data[1].offset = STAGED_FS + 0x6000;
    device.data[1].size = 0x6000;
    staged_device_close(&device);
    staging_open(&(struct staged_facts){.write_size = 256});
    device.staging.app.size = 0x3000;
    device.staging.staging.size = 0x5000;
    device.data[0].size = 0x6000;
    device.data[1].offset = STAGED_FS + 0x6000;
    device.data[1].size = 0x6000;
    staged_device_restart(&device);
    device.options.label = "fs";
    assert_int_equal(ota_update_begin(&device.update, &device.options), OTA_OK);
    assert_int_equal(ota_update_write(&device.update, data, 10000), OTA_OK);
    ota_update_abort(&device.update);
    assert_true(staging_is_incomplete("fs"));
    for (int i = 0; i < 20; i++) {
        data[5]++;
        for (unsigned number = 1; number <= 4; number++) {
            faults_set(i % 2 == 0 ? FAULT_WRITE : FAULT_ERASE, number);
            (void)staged_device_send(&device, "big", data, 0x6000);
            ota_update_abort(&device.update);
            faults_clear();
            assert_true(staging_is_incomplete("fs"));
        }
        assert_int_equal(staged_device_send(&device, "big", data, 0x6000), OTA_OK);
        assert_false(staging_is_incomplete("big"));
        assert_true(staging_is_incomplete("fs"));
    }
    assert_int_equal(staged_device_send(&device, "fs", data, 0x6000), OTA_OK);
    assert_false(staging_is_incomplete("fs"));
}

static void test_notes_that_cannot_be_written(void **state)
{
    bool incomplete = true;

    (void)state;
    for (int kind = 0; kind < 3; kind++) {
        static const enum fault_kind kinds[] = {FAULT_READ, FAULT_ERASE, FAULT_WRITE};
        device.options.label = "big";
        device.options.size = OTA_SIZE_UNKNOWN;
        for (unsigned number = 1; number < 20; number++) {
            assert_int_equal(ota_update_begin(&device.update, &device.options), OTA_OK);
            faults_set(kinds[kind], number);
            const enum ota_err err = ota_update_write(&device.update, data, 9000);
            const bool touched = memcmp(device.chip->memory + STAGED_BIG, data, 1) == 0;
            faults_clear();
            assert_true(err == OTA_OK || err == faults_error(kinds[kind]));
            assert_true(!touched || staging_is_incomplete("big"));
            ota_update_abort(&device.update);
        }
    }
    faults_set(FAULT_READ, 1);
    assert_int_equal(ota_data_is_incomplete(&device.device, "big", &incomplete),
                     OTA_ERR_FLASH_READ);
    faults_clear();
    assert_true(staging_is_incomplete("big"));
    for (unsigned number = 1; number < 1100; number++) {
        faults_set(FAULT_READ, number);
        const enum ota_err err = ota_data_is_incomplete(&device.device, "big", &incomplete);
        assert_true(err == OTA_ERR_FLASH_READ || (err == OTA_OK && incomplete));
        if (!faults_struck()) {
            break;
        }
    }
    faults_clear();
    assert_int_equal(ota_data_is_incomplete(&device.device, "none", &incomplete),
                     OTA_ERR_NO_PARTITION);
    device.staging.app.offset++;
    assert_int_equal(ota_data_is_incomplete(&device.device, "big", &incomplete), OTA_ERR_ARGUMENT);
    device.staging.app.offset--;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_what_waits_is_found, staging_set_up_copy,
                                        staging_tear_down),
        cmocka_unit_test_setup_teardown(test_nothing_waits_behind_what_is_staged,
                                        staging_set_up_copy, staging_tear_down),
        cmocka_unit_test_setup_teardown(test_what_waits_cannot_be_read, staging_set_up_copy,
                                        staging_tear_down),
        cmocka_unit_test_setup_teardown(test_data_in_place, staging_set_up_copy, staging_tear_down),
        cmocka_unit_test_setup_teardown(test_incomplete_data_and_an_app, staging_set_up_swap,
                                        staging_tear_down),
        cmocka_unit_test_setup_teardown(test_data_of_another_layout, staging_set_up_copy,
                                        staging_tear_down),
        cmocka_unit_test_setup_teardown(test_data_that_is_half_copied, staging_set_up_copy,
                                        staging_tear_down),
        cmocka_unit_test_setup_teardown(test_incomplete_data_and_other_data, staging_set_up_copy,
                                        staging_tear_down),
        cmocka_unit_test_setup_teardown(test_notes_of_no_turn, staging_set_up_copy,
                                        staging_tear_down),
        cmocka_unit_test_setup_teardown(test_many_notes, staging_set_up_copy, staging_tear_down),
        cmocka_unit_test_setup_teardown(test_notes_that_cannot_be_written, staging_set_up_copy,
                                        staging_tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
