/* SPDX-License-Identifier: Apache-2.0 */
/* What a device with one place to run from says of its two slots and of what is staged, and what
   can be done to them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "update/staging.h"

/* ---- Slots ----------------------------------------------------------------------------------- */

#define NOTHING ((enum ota_image_state)77)

static void assert_slots(enum ota_image_state app, enum ota_image_state staged, int boots)
{
    enum ota_image_state found;
    int slot = 7;

    assert_int_equal(ota_slot_state(&device.device, 0, &found), OTA_OK);
    assert_int_equal(found, app);
    if (staged == NOTHING) {
        assert_int_equal(ota_slot_state(&device.device, 1, &found), OTA_ERR_NO_ACTIVE_ENTRY);
    } else {
        assert_int_equal(ota_slot_state(&device.device, 1, &found), OTA_OK);
        assert_int_equal(found, staged);
    }
    assert_int_equal(ota_slot_boot(&device.device, &slot), OTA_OK);
    assert_int_equal(slot, boots);
}

static void test_slots_of_a_swap(void **state)
{
    (void)state;
    assert_slots(OTA_STATE_VALID, NOTHING, 0);
    assert_int_equal(ota_slot_confirm(&device.device), OTA_OK);
    assert_int_equal(staged_device_send(&device, "fs", data, 100), OTA_OK);
    assert_slots(OTA_STATE_VALID, NOTHING, 0);
    assert_int_equal(staged_device_boot(&device), OTA_OK);
    assert_int_equal(staged_device_send_app(&device, 1), OTA_OK);
    assert_slots(OTA_STATE_VALID, OTA_STATE_NEW, 1);
    assert_int_equal(staged_device_boot(&device), OTA_OK);
    assert_slots(OTA_STATE_PENDING_VERIFY, OTA_STATE_VALID, 0);
    assert_int_equal(ota_slot_confirm(&device.device), OTA_OK);
    assert_slots(OTA_STATE_VALID, OTA_STATE_VALID, 0);
    assert_int_equal(ota_slot_set_boot(&device.device, 1), OTA_OK);
    assert_slots(OTA_STATE_VALID, OTA_STATE_NEW, 1);
    assert_int_equal(staged_device_boot(&device), OTA_OK);
    assert_slots(OTA_STATE_VALID, OTA_STATE_VALID, 0);
    staging_update_to(2);
    assert_int_equal(staged_device_boot(&device), OTA_OK);
    assert_slots(OTA_STATE_VALID, OTA_STATE_ABORTED, 0);
    staging_update_to(2);
    assert_int_equal(ota_slot_reject(&device.device), OTA_OK);
    assert_slots(OTA_STATE_INVALID, OTA_STATE_VALID, 1);
    assert_int_equal(staged_device_boot(&device), OTA_OK);
    assert_slots(OTA_STATE_VALID, OTA_STATE_INVALID, 0);
}

static void test_slots_of_a_copy(void **state)
{
    (void)state;
    assert_int_equal(staged_device_send_app(&device, 1), OTA_OK);
    assert_slots(OTA_STATE_VALID, OTA_STATE_UNDEFINED, 1);
    assert_int_equal(staged_device_boot(&device), OTA_OK);
    assert_slots(OTA_STATE_VALID, NOTHING, 0);
    assert_int_equal(staged_device_send_app(&device, 2), OTA_OK);
    device.chip->memory[staged_device_status(&device).stored.offset + 600] ^= 1;
    assert_int_equal(staged_device_boot(&device), OTA_OK);
    assert_slots(OTA_STATE_VALID, OTA_STATE_INVALID, 0);

    /* What is staged still can be chosen again, if it verifies. */
    assert_int_equal(ota_slot_set_boot(&device.device, 1), OTA_ERR_IMAGE_CHECKSUM);
    device.chip->memory[device.device.layout.ota[1].offset + 600] ^= 1;
    assert_int_equal(ota_slot_set_boot(&device.device, 1), OTA_OK);
    assert_int_equal(ota_slot_set_boot(&device.device, 0), OTA_OK); /* no */
    assert_int_equal(staged_device_state(&device), OTA_STAGING_IDLE);
    assert_int_equal(ota_slot_set_boot(&device.device, 0), OTA_OK);

    /* The command's place is erased for it, although it reads blank. */
    faults_set(FAULT_ERASE, 1);
    assert_int_equal(ota_slot_set_boot(&device.device, 1), OTA_ERR_FLASH_ERASE);
    faults_clear();
    assert_int_equal(staged_device_boot(&device), OTA_OK);
    assert_int_equal(staged_device_runs(&device), 1);
}

static void test_slots_without_trial(void **state)
{
    (void)state;
    assert_int_equal(staged_device_send_app(&device, 1), OTA_OK);
    assert_slots(OTA_STATE_VALID, OTA_STATE_UNDEFINED, 1);
    assert_int_equal(staged_device_boot(&device), OTA_OK);
    assert_slots(OTA_STATE_VALID, OTA_STATE_VALID, 0);
    assert_int_equal(ota_slot_set_boot(&device.device, 1), OTA_OK);
    assert_slots(OTA_STATE_VALID, OTA_STATE_UNDEFINED, 1);
}

/* There was nothing to go back to, or it went bad. */
static void test_slots_of_a_one_way_swap(void **state)
{
    (void)state;
    assert_int_equal(staged_device_send_app(&device, 1), OTA_OK);
    device.chip->memory[STAGED_APP] = 0;
    assert_int_equal(staged_device_boot(&device), OTA_OK);
    assert_slots(OTA_STATE_VALID, NOTHING, 0);
}

static void test_slots_that_cannot_be_read(void **state)
{
    enum ota_image_state found;

    (void)state;
    faults_set(FAULT_READ, 1);
    assert_int_equal(ota_slot_state(&device.device, 0, &found), OTA_ERR_FLASH_READ);
    staging_update_to(1);
    unsigned number = 0;
    do {
        faults_set(FAULT_READ, ++number);
        const enum ota_err err = ota_slot_confirm(&device.device);
        assert_int_equal(err, faults_struck() ? OTA_ERR_FLASH_READ : OTA_OK);
    } while (faults_struck());
    assert_true(number > 10);
    faults_clear();
}

static void test_choices_that_cannot_be_read(void **state)
{
    unsigned number = 0;

    (void)state;
    staging_update_to(1);
    assert_int_equal(ota_slot_set_boot(&device.device, 1), OTA_OK);
    assert_int_equal(staged_device_boot(&device), OTA_OK);
    assert_int_equal(staged_device_runs(&device), 0);
    do {
        faults_set(FAULT_READ, ++number);
        const enum ota_err err = ota_slot_set_boot(&device.device, 1);
        assert_int_equal(err, faults_struck() ? OTA_ERR_FLASH_READ : OTA_OK);
    } while (faults_struck());
    faults_clear();
    assert_int_equal(staged_device_boot(&device), OTA_OK);
    assert_int_equal(staged_device_runs(&device), 1);
}

static void test_erase_last(void **state)
{
    (void)state;
    assert_int_equal(ota_slot_erase_last(&device.device), OTA_ERR_NO_PARTITION);
    staging_update_to(1);
    assert_int_equal(ota_slot_confirm(&device.device), OTA_OK);
    assert_int_equal(ota_slot_can_roll_back(&device.device), OTA_OK);
    assert_int_equal(ota_slot_erase_last(&device.device), OTA_OK);
    for (uint32_t i = 0; i < STAGED_STAGING_SIZE - 2 * STAGED_SECTOR; i++) {
        assert_int_equal(device.chip->memory[STAGED_STAGING + i], 0xFF);
    }
    assert_int_equal(staged_device_state(&device), OTA_STAGING_IDLE);
    assert_int_equal(ota_slot_can_roll_back(&device.device), OTA_ERR_NO_ROLLBACK);
    staging_update_to(2);
    for (unsigned number = 1; number <= 4; number++) {
        assert_int_equal(ota_slot_confirm(&device.device), OTA_OK);
        faults_set(FAULT_ERASE, number);
        assert_int_equal(ota_slot_erase_last(&device.device), OTA_ERR_FLASH_ERASE);
        faults_clear();
        assert_int_equal(staged_device_boot(&device), OTA_OK);
        assert_int_equal(staged_device_runs(&device), 1 + number % 2);
        staging_update_to(2 - (int)number % 2);
    }
}

/* Confirmed or without trial, an image may still reject itself: a button for it is on the page. */
static void test_rejected_after_all(void **state)
{
    for (int is_confirmed = 0; is_confirmed < 2; is_confirmed++) {
        assert_int_equal(staging_tear_down(state), 0);
        assert_int_equal(is_confirmed ? staging_set_up_swap(state)
                                      : staging_set_up_swap_without_trial(state),
                         0);
        staging_update_to(1);
        if (is_confirmed) {
            assert_int_equal(ota_slot_confirm(&device.device), OTA_OK);
        }
        assert_int_equal(ota_slot_reject(&device.device), OTA_OK);
        assert_slots(OTA_STATE_INVALID, OTA_STATE_VALID, 1);
        assert_int_equal(staged_device_boot(&device), OTA_OK);
        assert_int_equal(staged_device_runs(&device), 0);
        assert_slots(OTA_STATE_VALID, OTA_STATE_INVALID, 0);
        assert_true(ota_slot_was_rejected(&device.device, "1.0.0"));
        staging_update_to(2);
    }
}

/* What rejects itself is the old image, which is back: the new one did nothing wrong. */
static void test_rejected_after_the_way_back(void **state)
{
    (void)state;
    staging_update_to(1);
    assert_int_equal(ota_slot_confirm(&device.device), OTA_OK);
    assert_int_equal(ota_slot_set_boot(&device.device, 1), OTA_OK);
    assert_int_equal(staged_device_boot(&device), OTA_OK);
    assert_int_equal(staged_device_runs(&device), 0);
    assert_int_equal(ota_slot_reject(&device.device), OTA_OK);
    assert_false(ota_slot_was_rejected(&device.device, "1.0.0"));
    assert_slots(OTA_STATE_VALID, OTA_STATE_NEW, 1);
    assert_int_equal(staged_device_boot(&device), OTA_OK);
    assert_int_equal(staged_device_runs(&device), 1);
}

/* The other entry's erasure, which nobody asks of a staged device but by the number of its slot. */
static void test_forget(void **state)
{
    (void)state;
    assert_int_equal(staged_device_send_app(&device, 1), OTA_OK);
    assert_int_equal(ota_slot_forget(&device.device, 0), OTA_OK);
    assert_int_equal(staged_device_state(&device), OTA_STAGING_WAITING);
    assert_int_equal(ota_slot_forget(&device.device, 1), OTA_OK);
    assert_int_equal(staged_device_state(&device), OTA_STAGING_IDLE);
}

/* Where staging begins within the app's place, what runs is not part of it. */
static void test_forget_in_shared_space(void **state)
{
    assert_int_equal(staging_tear_down(state), 0);
    staging_open(&(struct staged_facts){.shared = true});
    staged_device_make_image(&device, 0, 20000); /* beyond where staging begins */
    memcpy(device.chip->memory + STAGED_APP, device.images[0].bytes, device.images[0].len);
    staged_device_make_image(&device, 1, 3000);
    assert_int_equal(staged_device_boot(&device), OTA_OK);
    assert_int_equal(staged_device_runs(&device), 0);
    assert_int_equal(staged_device_send_app(&device, 1), OTA_OK);
    assert_int_equal(ota_slot_forget(&device.device, 1), OTA_OK);
    assert_int_equal(staged_device_state(&device), OTA_STAGING_IDLE);
    assert_int_equal(staged_device_boot(&device), OTA_OK);
    assert_int_equal(staged_device_runs(&device), 0);

    /* Each read fails once: what runs stays, and forgetting can be tried again. */
    bool struck = true;
    for (unsigned number = 1; struck; number++) {
        assert_int_equal(staged_device_send_app(&device, 1), OTA_OK);
        faults_set(FAULT_READ, number);
        const enum ota_err err = ota_slot_forget(&device.device, 1);
        struck = faults_struck();
        faults_clear();
        assert_int_equal(err, struck ? OTA_ERR_FLASH_READ : OTA_OK);
        assert_int_equal(ota_slot_forget(&device.device, 1), OTA_OK);
        assert_int_equal(staged_device_boot(&device), OTA_OK);
        assert_int_equal(staged_device_runs(&device), 0);
    }
}

/* ---- Status ---------------------------------------------------------------------------------- */

static void test_status_of_a_swap(void **state)
{
    struct ota_staging_status status = staged_device_status(&device);

    (void)state;
    assert_int_equal(status.state, OTA_STAGING_IDLE);
    assert_int_equal(status.command.offset, STAGED_FS - STAGED_SECTOR);
    assert_int_equal(status.spare.offset, STAGED_STAGING);
    assert_int_equal(status.spare.size, STAGED_SECTOR);

    assert_int_equal(staged_device_send_app(&device, 2), OTA_OK);
    status = staged_device_status(&device);
    assert_int_equal(status.state, OTA_STAGING_WAITING);
    assert_true(status.is_swap);
    assert_false(status.is_data);
    assert_int_equal(status.stored.offset, STAGED_STAGING + STAGED_SECTOR);
    assert_int_equal(status.stored.size, device.images[2].len);
    assert_int_equal(status.destination.offset, STAGED_APP);

    faults_set(FAULT_ERASE, 4);
    assert_int_equal(staged_device_boot(&device), OTA_ERR_FLASH_ERASE);
    faults_clear();
    status = staged_device_status(&device);
    assert_int_equal(status.state, OTA_STAGING_UNDER_WAY);
    assert_int_equal(status.steps, 8);
    assert_int_equal(status.steps_done, 3);

    assert_int_equal(staged_device_boot(&device), OTA_OK);
    status = staged_device_status(&device);
    assert_int_equal(status.state, OTA_STAGING_ON_TRIAL);
    assert_int_equal(status.spare.offset, STAGED_STAGING + 4 * STAGED_SECTOR);

    faults_set(FAULT_ERASE, 3);
    assert_int_equal(staged_device_boot(&device), OTA_ERR_FLASH_ERASE);
    faults_clear();
    status = staged_device_status(&device);
    assert_int_equal(status.state, OTA_STAGING_GOING_BACK);
    assert_int_equal(status.steps_done, 2);
    assert_int_equal(staged_device_boot(&device), OTA_OK);
    status = staged_device_status(&device);
    assert_int_equal(status.state, OTA_STAGING_TAKEN_BACK);
    assert_int_equal(status.spare.offset, STAGED_STAGING);
}

static void test_status_of_a_copy(void **state)
{
    struct ota_staging_status status;

    (void)state;
    assert_int_equal(staged_device_send(&device, "fs", data, 5000), OTA_OK);
    status = staged_device_status(&device);
    assert_int_equal(status.state, OTA_STAGING_WAITING);
    assert_true(status.is_data);
    assert_false(status.is_swap);
    assert_int_equal(status.destination.offset, STAGED_FS);
    faults_set(FAULT_ERASE, 1);
    assert_int_equal(staged_device_boot(&device), OTA_OK);
    faults_clear();
    assert_int_equal(staged_device_state(&device), OTA_STAGING_UNDER_WAY);
    assert_int_equal(staged_device_boot(&device), OTA_OK);
    assert_int_equal(staged_device_state(&device), OTA_STAGING_DONE);
    device.staging.app.offset++;
    assert_int_equal(ota_staging_read(&device.device, &status), OTA_ERR_ARGUMENT);
    device.staging.app.offset--;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_slots_of_a_swap, staging_set_up_swap,
                                        staging_tear_down),
        cmocka_unit_test_setup_teardown(test_slots_of_a_copy, staging_set_up_copy,
                                        staging_tear_down),
        cmocka_unit_test_setup_teardown(test_slots_without_trial, staging_set_up_swap_without_trial,
                                        staging_tear_down),
        cmocka_unit_test_setup_teardown(test_slots_of_a_one_way_swap, staging_set_up_swap,
                                        staging_tear_down),
        cmocka_unit_test_setup_teardown(test_slots_that_cannot_be_read, staging_set_up_swap,
                                        staging_tear_down),
        cmocka_unit_test_setup_teardown(test_choices_that_cannot_be_read,
                                        staging_set_up_swap_without_trial, staging_tear_down),
        cmocka_unit_test_setup_teardown(test_erase_last, staging_set_up_swap_without_trial,
                                        staging_tear_down),
        cmocka_unit_test_setup_teardown(test_forget, staging_set_up_swap, staging_tear_down),
        cmocka_unit_test_setup_teardown(test_forget_in_shared_space, staging_set_up_copy,
                                        staging_tear_down),
        cmocka_unit_test_setup_teardown(test_rejected_after_all, staging_set_up_swap,
                                        staging_tear_down),
        cmocka_unit_test_setup_teardown(test_rejected_after_the_way_back, staging_set_up_swap,
                                        staging_tear_down),
        cmocka_unit_test_setup_teardown(test_status_of_a_swap, staging_set_up_swap,
                                        staging_tear_down),
        cmocka_unit_test_setup_teardown(test_status_of_a_copy, staging_set_up_copy,
                                        staging_tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
