/* SPDX-License-Identifier: Apache-2.0 */
/* Updates of a device with one place to run from, as the firmware sees them: where they go, what
   forbids them, and what they change. What becomes of them at the next boot is in tests/boot. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "support/gzip_file.h"
#include "update/staging.h"

/* ---- Opening --------------------------------------------------------------------------------- */

static void test_open(void **state)
{
    const struct ota_layout *layout = &device.device.layout;

    (void)state;
    assert_int_equal(device.device.running_slot, 0);
    assert_int_equal(layout->ota_rows, 2);
    assert_int_equal(layout->ota_run, 2);
    assert_int_equal(layout->ota[0].offset, STAGED_APP);
    assert_int_equal(layout->ota[1].offset, STAGED_STAGING + STAGED_SECTOR);
    assert_int_equal(layout->otadata.size, 0);
    assert_int_equal(ota_slot_next(&device.device), 1);
    staging_update_to(1);
    assert_int_equal(layout->ota[1].offset, STAGED_STAGING);
}

static void test_devices_that_are_not_filled_in(void **state)
{
    struct ota_device whole = device.device;
    struct ota_flash crooked = *whole.flash;
    struct ota_staging aimless = device.staging;
    struct ota_device broken[6];

    (void)state;
    crooked.erase_size = 100;
    aimless.way = NULL;
    for (int i = 0; i < 6; i++) {
        broken[i] = whole;
    }
    broken[0].flash = NULL;
    broken[1].crypto = NULL;
    broken[2].form = OTA_IMAGE_DETECT;
    broken[3].flash = &crooked;
    broken[4].staging = NULL;
    broken[5].staging = &aimless;
    for (int i = 0; i < 6; i++) {
        assert_int_equal(ota_staging_open(&broken[i]), OTA_ERR_ARGUMENT);
    }
    faults_set(FAULT_READ, 1);
    assert_int_equal(ota_staging_open(&whole), OTA_ERR_FLASH_READ);
}

/* ---- Where it goes --------------------------------------------------------------------------- */

static void assert_plan(const char *label, uint32_t size, enum ota_staging_plan plan,
                        uint32_t offset, uint32_t room)
{
    struct ota_extent extent;
    enum ota_staging_plan found;

    assert_int_equal(ota_staging_plan(&device.device, label, size, &found, &extent), OTA_OK);
    assert_int_equal(found, plan);
    assert_int_equal(extent.offset, offset);
    assert_int_equal(extent.size, room);
}

static void test_plans_of_a_swap(void **state)
{
    struct ota_extent extent;
    enum ota_staging_plan plan;

    (void)state;
    assert_plan(NULL, 100, OTA_STAGING_SWAP, STAGED_STAGING + STAGED_SECTOR, STAGED_APP_SIZE);
    assert_plan(NULL, OTA_SIZE_UNKNOWN, OTA_STAGING_SWAP, STAGED_STAGING + STAGED_SECTOR,
                STAGED_APP_SIZE);
    assert_plan("fs", STAGED_FS_SIZE, OTA_STAGING_COPY, STAGED_STAGING, STAGED_FS_SIZE);
    assert_plan("big", 0x8000, OTA_STAGING_COPY, STAGED_STAGING, 0x8000);
    assert_plan("big", 0x8001, OTA_STAGING_IN_PLACE, STAGED_BIG, STAGED_BIG_SIZE);
    assert_plan("big", OTA_SIZE_UNKNOWN, OTA_STAGING_IN_PLACE, STAGED_BIG, STAGED_BIG_SIZE);
    assert_int_equal(ota_staging_plan(&device.device, NULL, STAGED_APP_SIZE + 1, &plan, &extent),
                     OTA_ERR_TOO_LARGE);
    assert_int_equal(ota_staging_plan(&device.device, "big", STAGED_BIG_SIZE + 1, &plan, &extent),
                     OTA_ERR_TOO_LARGE);
    assert_int_equal(ota_staging_plan(&device.device, "none", 1, &plan, &extent),
                     OTA_ERR_NO_PARTITION);
    device.staging.app.offset++;
    assert_int_equal(ota_staging_plan(&device.device, NULL, 1, &plan, &extent), OTA_ERR_ARGUMENT);
    device.staging.app.offset--;
}

/* A staging region in front of the app: nothing can be in its way. */
static void test_staging_before_the_app(void **state)
{
    (void)state;
    device.staging.staging.offset = STAGED_APP;
    device.staging.staging.size = STAGED_STAGING_SIZE;
    device.staging.app.offset = STAGED_APP + STAGED_STAGING_SIZE;
    assert_plan(NULL, 100, OTA_STAGING_COPY, STAGED_APP, STAGED_APP_SIZE);
    device.staging.staging.offset = STAGED_STAGING;
    device.staging.app.offset = STAGED_APP;
}

static void test_targets(void **state)
{
    (void)state;
    assert_int_equal(staging_begin(NULL, STAGED_APP_SIZE), OTA_OK);
    assert_int_equal(staging_begin(NULL, STAGED_APP_SIZE + 1), OTA_ERR_TOO_LARGE);
    assert_int_equal(staging_begin("fs", STAGED_FS_SIZE), OTA_OK);
    assert_int_equal(device.update.region.offset, STAGED_STAGING);
    assert_int_equal(staging_begin("fs", STAGED_FS_SIZE + 1), OTA_ERR_TOO_LARGE);
    assert_int_equal(staging_begin("big", 0x8001), OTA_OK);
    assert_int_equal(device.update.region.offset, STAGED_BIG);
    assert_int_equal(staging_begin("none", 1), OTA_ERR_NO_PARTITION);
    device.data[0].flags = OTA_PARTITION_FLAG_READ_ONLY;
    assert_int_equal(staging_begin("fs", 1), OTA_ERR_READ_ONLY);
    device.data[0].flags = 0;
    assert_int_equal(ram_flash_changes(device.chip), 0);
    faults_set(FAULT_READ, 1);
    assert_int_equal(staging_begin(NULL, 1), OTA_ERR_FLASH_READ);
}

/* What is unpacked on the way may be any number of bytes: what the partition can hold must fit,
   unless the bootloader unpacks it. */
static void test_targets_of_what_is_unpacked(void **state)
{
    (void)state;
    device.options.unwrap = &device.unwrap;
    ota_unwrap_init(&device.unwrap, NULL);
    assert_int_equal(staging_begin("big", 1000), OTA_OK);
    assert_int_equal(device.update.region.offset, STAGED_BIG);
    device.staging.inflates = true;
    assert_int_equal(staging_begin("big", 1000), OTA_OK);
    assert_int_equal(device.update.region.offset, STAGED_STAGING);
    device.options.unwrap = NULL;
}

/* A decoder for bootloaders that inflate, where this one does not. */
static void test_a_bootloader_that_does_not_inflate(void **state)
{
    static uint8_t file[STAGED_IMAGE_MAX];
    const struct staged_image *image = &device.images[1];

    (void)state;
    device.decoders[0] = &device.gzip.decoder;
    ota_staged_gzip_init(&device.gzip, NULL, 0);
    ota_unwrap_init(&device.unwrap, device.decoders);
    device.options.unwrap = &device.unwrap;
    const size_t len = gzip_file_make(file, sizeof file, image->bytes, image->len);
    assert_int_equal(staged_device_send(&device, NULL, file, (uint32_t)len), OTA_OK);
    assert_false(device.update.keeps_packed);
    assert_int_equal(staged_device_status(&device).stored.size, image->len);
    assert_int_equal(staged_device_boot(&device), OTA_OK);
    assert_int_equal(staged_device_runs(&device), 1);
}

/* What would not be kept is not begun. */
static void test_more_than_can_be_staged(void **state)
{
    (void)state;
    staged_device_make_image(&device, 3, STAGED_IMAGE_MAX);
    device.staging.staging.size -= 3 * STAGED_SECTOR;
    device.staging.staging.offset += 3 * STAGED_SECTOR;
    assert_int_equal(staged_device_send_app(&device, 3), OTA_ERR_TOO_LARGE);
    assert_int_equal(staged_device_state(&device), OTA_STAGING_IDLE);
}

/* ---- What forbids it ------------------------------------------------------------------------- */

static void test_while_on_trial(void **state)
{
    (void)state;
    staging_update_to(1);
    assert_int_equal(staging_begin(NULL, 5000), OTA_ERR_UNCONFIRMED);
    assert_int_equal(staging_begin("fs", 5000), OTA_ERR_UNCONFIRMED);
    assert_int_equal(staging_begin("big", OTA_SIZE_UNKNOWN), OTA_OK); /* in place */
    assert_int_equal(ota_slot_confirm(&device.device), OTA_OK);
    assert_int_equal(staging_begin(NULL, 5000), OTA_OK);
    assert_int_equal(staging_begin("fs", 5000), OTA_OK);
}

static void test_without_trial_nothing_is_kept(void **state)
{
    (void)state;
    staging_update_to(1);
    assert_int_equal(staging_begin(NULL, 5000), OTA_OK);
}

static void test_while_a_command_waits(void **state)
{
    (void)state;
    assert_int_equal(staged_device_send_app(&device, 1), OTA_OK);
    assert_int_equal(staging_begin(NULL, 5000), OTA_OK);
    assert_int_equal(staging_begin("fs", 5000), OTA_ERR_RESTARTING);
    assert_int_equal(staging_begin("big", OTA_SIZE_UNKNOWN), OTA_OK);
    assert_int_equal(staged_device_state(&device), OTA_STAGING_WAITING);
    assert_int_equal(staged_device_send_app(&device, 2), OTA_OK);
    assert_int_equal(staged_device_boot(&device), OTA_OK);
    assert_int_equal(staged_device_runs(&device), 2);
}

static void test_while_data_waits(void **state)
{
    (void)state;
    assert_int_equal(staged_device_send(&device, "big", data, 0x7000), OTA_OK);
    assert_int_equal(staging_begin(NULL, 5000), OTA_OK); /* of unknown size it went to its place */
    device.options.size = 0x7000;
    assert_int_equal(staged_device_send(&device, "big", data, 0x7000), OTA_OK);
    assert_int_equal(staging_begin(NULL, 5000), OTA_ERR_RESTARTING);
    assert_int_equal(staging_begin("fs", 5000), OTA_ERR_RESTARTING);
    assert_int_equal(staging_begin("big", 5000), OTA_OK);
    assert_int_equal(staging_begin("big", OTA_SIZE_UNKNOWN),
                     OTA_ERR_RESTARTING); /* it would be copied over */
    assert_int_equal(staged_device_boot(&device), OTA_OK);
    assert_int_equal(staging_begin(NULL, 5000), OTA_OK);
}

/* Data that could be staged, and is not to be. */
static void test_in_place_by_choice(void **state)
{
    (void)state;
    assert_int_equal(staged_device_send_app(&device, 1), OTA_OK);
    device.options.in_place = true;
    device.options.size = 5000;
    device.options.label = "fs";
    assert_int_equal(ota_update_begin(&device.update, &device.options), OTA_OK);
    assert_int_equal(ota_update_write(&device.update, data, 4500), OTA_OK);
    ota_update_suspend(&device.update);
    assert_true(staging_is_incomplete("fs"));
    assert_int_equal(staged_device_send(&device, "fs", data, 5000), OTA_OK);
    assert_false(staging_is_incomplete("fs"));
    assert_memory_equal(device.chip->memory + STAGED_FS, data, 5000);
    assert_int_equal(staged_device_state(&device), OTA_STAGING_WAITING); /* the app does */
    assert_int_equal(staged_device_boot(&device), OTA_OK);
    assert_int_equal(staged_device_runs(&device), 1);

    /* What waits for the restart would be copied over it. */
    assert_int_equal(ota_slot_confirm(&device.device), OTA_OK);
    device.options.size = 5000;
    assert_int_equal(staged_device_send(&device, "fs", data + 1, 5000), OTA_OK);
    device.options.in_place = true;
    assert_int_equal(staging_begin("fs", 5000), OTA_ERR_RESTARTING);
}

/* ---- Changes to what is staged --------------------------------------------------------------- */

/* Nothing is changed before the image has said what it is; then the command is withdrawn first. */
static void test_the_command_is_withdrawn(void **state)
{
    (void)state;
    assert_int_equal(staged_device_send_app(&device, 1), OTA_OK);
    device.options.size = device.images[2].len;
    assert_int_equal(ota_update_begin(&device.update, &device.options), OTA_OK);
    assert_int_equal(ota_update_write(&device.update, device.images[2].bytes, 100), OTA_OK);
    assert_int_equal(staged_device_state(&device), OTA_STAGING_WAITING);
    assert_int_equal(ota_update_write(&device.update, device.images[2].bytes + 100, 200), OTA_OK);
    assert_int_equal(staged_device_state(&device), OTA_STAGING_IDLE);
    ota_update_abort(&device.update);
    assert_int_equal(staged_device_boot(&device), OTA_OK);
    assert_int_equal(staged_device_runs(&device), 0);
}

static void test_resume(void **state)
{
    const struct staged_image *image = &device.images[2];
    uint32_t offset = 7;

    (void)state;
    device.options.size = image->len;
    device.options.etag = "\"a\"";
    assert_int_equal(ota_update_begin(&device.update, &device.options), OTA_OK);
    assert_int_equal(ota_update_write(&device.update, image->bytes, 9000), OTA_OK);
    ota_update_suspend(&device.update);
    staged_device_restart(&device);
    device.options.size = image->len;
    device.options.etag = "\"a\"";
    assert_int_equal(ota_update_resume(&device.update, &device.options, &offset), OTA_OK);
    assert_int_equal(offset, 8192);
    assert_int_equal(ota_update_write(&device.update, image->bytes + offset, image->len - offset),
                     OTA_OK);
    assert_int_equal(ota_update_end(&device.update), OTA_OK);
    assert_int_equal(ota_update_activate(&device.update), OTA_OK);
    assert_int_equal(staged_device_boot(&device), OTA_OK);
    assert_int_equal(staged_device_runs(&device), 2);
}

static void test_pending(void **state)
{
    struct ota_identity identity;
    uint32_t size;
    uint32_t offset;

    (void)state;
    assert_int_equal(ota_update_pending(&device.device, NULL, &identity, &size, &offset),
                     OTA_ERR_NO_DATA);
    device.options.size = device.images[2].len;
    device.options.etag = "\"a\"";
    assert_int_equal(ota_update_begin(&device.update, &device.options), OTA_OK);
    assert_int_equal(ota_update_write(&device.update, device.images[2].bytes, 9000), OTA_OK);
    ota_update_suspend(&device.update);
    assert_int_equal(ota_update_pending(&device.device, NULL, &identity, &size, &offset), OTA_OK);
    assert_int_equal(size, device.images[2].len);
    assert_int_equal(offset, 8192);
}

/* An interrupted update leaves a mark, which speaks of the whole region: what reads blank is erased
   again, also where the next update does not begin. */
static void test_an_interrupted_update_is_healed(void **state)
{
    (void)state;
    device.options.size = 5000;
    device.options.label = "fs";
    assert_int_equal(ota_update_begin(&device.update, &device.options), OTA_OK);
    assert_int_equal(ota_update_write(&device.update, data, 5000), OTA_OK);
    ota_update_suspend(&device.update);
    staged_device_restart(&device);
    memset(device.chip->memory + STAGED_STAGING, 0xFF, STAGED_SECTOR); /* as if cut short */
    const uint32_t wear = device.chip->wear[STAGED_STAGING / STAGED_SECTOR];
    assert_int_equal(staged_device_send_app(&device, 1), OTA_OK);
    assert_int_equal(device.chip->wear[STAGED_STAGING / STAGED_SECTOR], wear + 1);
}

/* ---- Faults ---------------------------------------------------------------------------------- */

/* The first change to the flash fails anywhere: what is in force is what was, or nothing, and what
   runs stays. */
static void test_faults_of_the_beginning(void **state)
{
    static const enum fault_kind kinds[] = {FAULT_READ, FAULT_WRITE, FAULT_ERASE, FAULT_VERIFY};

    (void)state;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        for (int story = 0; story < 3; story++) {
            bool struck = true;
            for (unsigned number = 1; struck; number++) {
                assert_int_equal(staging_tear_down(NULL), 0);
                staging_open(&(struct staged_facts){.shared = story == 2});
                if (story == 0) {
                    device.options.size = 0x7000;
                    assert_int_equal(staged_device_send(&device, "big", data, 0x7000), OTA_OK);
                    assert_int_equal(staged_device_boot(&device), OTA_OK);
                } else { /* an interrupted update */
                    device.options.size = 9000;
                    assert_int_equal(ota_update_begin(&device.update, &device.options), OTA_OK);
                    assert_int_equal(ota_update_write(&device.update, device.images[0].bytes, 5000),
                                     OTA_OK);
                    staged_device_restart(&device);
                }
                assert_int_equal(ota_update_begin(&device.update, &device.options), OTA_OK);
                faults_set(kinds[i], number);
                const enum ota_err err =
                    ota_update_write(&device.update, device.images[1].bytes, 300);
                struck = faults_struck();
                faults_clear();
                assert_int_equal(err, struck ? faults_error(kinds[i]) : OTA_OK);
                ota_update_abort(&device.update);
                assert_int_equal(staged_device_boot(&device), OTA_OK);
                assert_int_equal(staged_device_runs(&device), 0);
                assert_false(staging_is_incomplete("big"));
            }
        }
    }
}

/* Each access fails once: the activation can be tried again, and nothing is in force that is not
   whole. */
static void test_faults(void **state)
{
    static const enum fault_kind kinds[] = {FAULT_READ, FAULT_WRITE, FAULT_ERASE, FAULT_VERIFY,
                                            FAULT_CRYPTO};

    (void)state;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        bool struck = true;
        for (unsigned number = 1; struck; number++) {
            assert_int_equal(staging_tear_down(NULL), 0);
            assert_int_equal(staging_set_up_swap(NULL), 0);
            staging_update_to(2);
            assert_int_equal(ota_slot_confirm(&device.device), OTA_OK);
            device.options.label = NULL;
            assert_int_equal(ota_update_begin(&device.update, &device.options), OTA_OK);
            assert_int_equal(
                ota_update_write(&device.update, device.images[1].bytes, device.images[1].len),
                OTA_OK);
            assert_int_equal(ota_update_end(&device.update), OTA_OK);
            faults_set(kinds[i], number);
            const enum ota_err err = ota_update_activate(&device.update);
            struck = faults_struck();
            faults_clear();
            assert_int_equal(err, struck ? faults_error(kinds[i]) : OTA_OK);
            if (struck) {
                assert_int_equal(ota_update_activate(&device.update), OTA_OK);
            }
            assert_int_equal(staged_device_boot(&device), OTA_OK);
            assert_int_equal(staged_device_runs(&device), 1);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_open, staging_set_up_swap, staging_tear_down),
        cmocka_unit_test_setup_teardown(test_devices_that_are_not_filled_in, staging_set_up_swap,
                                        staging_tear_down),
        cmocka_unit_test_setup_teardown(test_plans_of_a_swap, staging_set_up_swap,
                                        staging_tear_down),
        cmocka_unit_test_setup_teardown(test_staging_before_the_app, staging_set_up_copy,
                                        staging_tear_down),
        cmocka_unit_test_setup_teardown(test_targets, staging_set_up_copy, staging_tear_down),
        cmocka_unit_test_setup_teardown(test_targets_of_what_is_unpacked, staging_set_up_copy,
                                        staging_tear_down),
        cmocka_unit_test_setup_teardown(test_a_bootloader_that_does_not_inflate,
                                        staging_set_up_copy, staging_tear_down),
        cmocka_unit_test_setup_teardown(test_more_than_can_be_staged, staging_set_up_copy,
                                        staging_tear_down),
        cmocka_unit_test_setup_teardown(test_while_on_trial, staging_set_up_swap,
                                        staging_tear_down),
        cmocka_unit_test_setup_teardown(test_without_trial_nothing_is_kept,
                                        staging_set_up_swap_without_trial, staging_tear_down),
        cmocka_unit_test_setup_teardown(test_while_a_command_waits, staging_set_up_copy,
                                        staging_tear_down),
        cmocka_unit_test_setup_teardown(test_while_data_waits, staging_set_up_copy,
                                        staging_tear_down),
        cmocka_unit_test_setup_teardown(test_in_place_by_choice, staging_set_up_copy,
                                        staging_tear_down),
        cmocka_unit_test_setup_teardown(test_the_command_is_withdrawn, staging_set_up_swap,
                                        staging_tear_down),
        cmocka_unit_test_setup_teardown(test_resume, staging_set_up_swap, staging_tear_down),
        cmocka_unit_test_setup_teardown(test_pending, staging_set_up_swap, staging_tear_down),
        cmocka_unit_test_setup_teardown(test_an_interrupted_update_is_healed, staging_set_up_swap,
                                        staging_tear_down),
        cmocka_unit_test_setup_teardown(test_faults_of_the_beginning, staging_set_up_copy,
                                        staging_tear_down),
        cmocka_unit_test_setup_teardown(test_faults, staging_set_up_swap, staging_tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
