/* SPDX-License-Identifier: Apache-2.0 */
/* The swap: there, on trial, confirmed or back again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "format/staging.h"
#include "support/staged_device.h"

static struct staged_device device;

static int set_up(void **state)
{
    (void)state;
    staged_device_open(&device,
                       &(struct staged_facts){.swap = true, .rollback = true, .fuses = true});
    return 0;
}

static int set_up_without_fuses(void **state)
{
    (void)state;
    staged_device_open(&device, &(struct staged_facts){.swap = true, .rollback = true});
    return 0;
}

static int set_up_without_trial(void **state)
{
    (void)state;
    staged_device_open(&device, &(struct staged_facts){.swap = true});
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    staged_device_close(&device);
    return 0;
}

/* Reads the command as the bootloader does. */
static struct ota__command read_command(void)
{
    struct ota__staging_map map;
    struct ota__command command;

    assert_int_equal(ota__staging_command(&device.staging, device.device.flash, &map, &command),
                     OTA_OK);
    return command;
}

static void update_to(int n)
{
    assert_int_equal(staged_device_send_app(&device, n), OTA_OK);
    assert_int_equal(staged_device_boot(&device), OTA_OK);
    assert_int_equal(staged_device_runs(&device), n);
}

/* ---- The good way ---------------------------------------------------------------------------- */

static void test_confirmed(void **state)
{
    enum ota_image_state image_state;

    (void)state;
    assert_int_equal(staged_device_send_app(&device, 1), OTA_OK);
    assert_int_equal(ota_slot_state(&device.device, 1, &image_state), OTA_OK);
    assert_int_equal(image_state, OTA_STATE_NEW);
    assert_int_equal(staged_device_boot(&device), OTA_OK);
    assert_int_equal(staged_device_runs(&device), 1);
    assert_true(device.boot.on_trial);
    assert_int_equal(device.boot.trial_boot, 1);
    assert_true(ota_slot_is_on_trial(&device.device));
    assert_int_equal(staged_device_state(&device), OTA_STAGING_ON_TRIAL);
    assert_int_equal(device.fuses.version, 0);
    assert_int_equal(ota_slot_can_roll_back(&device.device), OTA_OK);

    assert_int_equal(ota_slot_confirm(&device.device), OTA_OK);
    assert_false(ota_slot_is_on_trial(&device.device));
    assert_int_equal(device.fuses.version, 1);
    assert_int_equal(staged_device_state(&device), OTA_STAGING_DONE);
    const uint64_t changes = ram_flash_changes(device.chip);
    device.fuses.version = 0; /* power failed before they were burned */
    assert_int_equal(staged_device_boot(&device), OTA_OK);
    assert_false(device.boot.on_trial);
    assert_int_equal(staged_device_runs(&device), 1);
    assert_int_equal(device.fuses.version, 1);
    assert_int_equal(ram_flash_changes(device.chip), changes);
}

static void test_without_trial(void **state)
{
    enum ota_image_state image_state;

    (void)state;
    update_to(1);
    assert_false(device.boot.on_trial);
    assert_int_equal(staged_device_state(&device), OTA_STAGING_DONE);
    assert_int_equal(ota_slot_state(&device.device, 1, &image_state), OTA_OK);
    assert_int_equal(image_state, OTA_STATE_VALID);
    const uint64_t changes = ram_flash_changes(device.chip);
    assert_int_equal(staged_device_boot(&device), OTA_OK);
    assert_int_equal(ram_flash_changes(device.chip), changes);
    update_to(2);
    update_to(0);
}

/* Each sector of the two places is erased once, and not even that where it is the same already. */
static void test_wear(void **state)
{
    (void)state;
    memset(device.chip->wear, 0, device.chip->sectors * sizeof *device.chip->wear);
    assert_int_equal(staged_device_send_app(&device, 1), OTA_OK);
    memset(device.chip->wear, 0, device.chip->sectors * sizeof *device.chip->wear);
    assert_int_equal(staged_device_boot(&device), OTA_OK);
    for (uint32_t sector = 0; sector < device.chip->sectors; sector++) {
        assert_true(device.chip->wear[sector] <= 1);
    }
    assert_int_equal(ota_slot_confirm(&device.device), OTA_OK);

    /* The same image again. */
    assert_int_equal(staged_device_send_app(&device, 1), OTA_OK);
    memset(device.chip->wear, 0, device.chip->sectors * sizeof *device.chip->wear);
    assert_int_equal(staged_device_boot(&device), OTA_OK);
    for (uint32_t at = STAGED_APP; at < STAGED_STAGING; at += STAGED_SECTOR) {
        assert_int_equal(device.chip->wear[at / STAGED_SECTOR], 0);
    }
}

/* The example of docs/formats/staging.md section 6. */
static void test_the_example(void **state)
{
    static const uint8_t head[] = {0x55, 0x50, 0x44, 0x43, 0x01, 0x02, 0x00, 0xff, 0x00, 0x80,
                                   0x00, 0x00, 0x90, 0x13, 0x00, 0x00, 0x00, 0x10, 0x00, 0x00,
                                   0x00, 0x60, 0x00, 0x00, 0x00, 0x10, 0x00, 0x00};
    static const uint8_t log[] = {0xff, 0xff, 0xff, 0xff, 0x03, 0x80, 0xfc, 0x7f, 0x00, 0x00, 0xff,
                                  0xff, 0x01, 0x00, 0xfe, 0xff, 0x02, 0x00, 0xfd, 0xff, 0x03, 0x00,
                                  0xfc, 0xff, 0x04, 0x00, 0xfb, 0xff, 0x05, 0x00, 0xfa, 0xff, 0x02,
                                  0xc0, 0xfd, 0x3f, 0x06, 0xc0, 0xf9, 0x3f, 0xff, 0xff};
    const uint8_t *command = device.chip->memory + 0x11000;

    (void)state;
    staged_device_make_image(&device, 1, 5000);
    assert_int_equal(device.images[1].len, 5008);
    assert_int_equal(staged_device_send_app(&device, 1), OTA_OK);
    assert_int_equal(staged_device_boot(&device), OTA_OK);
    assert_memory_equal(command, head, sizeof head);
    assert_memory_equal(command + 0x50, log, sizeof log);
}

/* ---- Back ------------------------------------------------------------------------------------ */

static void test_not_confirmed(void **state)
{
    (void)state;
    update_to(1);
    assert_int_equal(staged_device_boot(&device), OTA_OK);
    assert_int_equal(staged_device_runs(&device), 0);
    assert_false(device.boot.on_trial);
    assert_true(staged_device_told(&device, OTA_BOOT_TAKEN_BACK, NULL));
    assert_int_equal(staged_device_state(&device), OTA_STAGING_TAKEN_BACK);
    assert_true(ota_slot_was_rejected(&device.device, "1.0.0"));
    assert_int_equal(device.fuses.version, 0);

    const uint64_t changes = ram_flash_changes(device.chip);
    assert_int_equal(staged_device_boot(&device), OTA_OK);
    assert_int_equal(staged_device_runs(&device), 0);
    assert_int_equal(ram_flash_changes(device.chip), changes);
    update_to(2);
}

static void test_more_trials(void **state)
{
    (void)state;
    device.boot.trial_boots = 3;
    update_to(1);
    for (int trial = 2; trial <= 3; trial++) {
        assert_int_equal(staged_device_boot(&device), OTA_OK);
        assert_int_equal(staged_device_runs(&device), 1);
        assert_int_equal(device.boot.trial_boot, trial);
    }
    assert_int_equal(staged_device_boot(&device), OTA_OK);
    assert_int_equal(staged_device_runs(&device), 0);
}

/* There are as many as the log has room for, and the way back fits behind them. */
static void test_endless_trials(void **state)
{
    int boots = 0;

    (void)state;
    staged_device_close(&device);
    staged_device_open(&device,
                       &(struct staged_facts){.swap = true, .rollback = true, .write_size = 256});
    for (int n = 0; n < 2; n++) {
        staged_device_make_image(&device, n, 8000);
    }
    memcpy(device.chip->memory + STAGED_APP, device.images[0].bytes, device.images[0].len);
    device.boot.trial_boots = 255;
    update_to(1);
    while (device.boot.on_trial) {
        assert_int_equal(staged_device_boot(&device), OTA_OK);
        boots++;
    }
    assert_true(boots > 10 && boots < 255);
    assert_int_equal(staged_device_runs(&device), 0);
}

static void test_rejected(void **state)
{
    int slot = 7;

    (void)state;
    device.boot.trial_boots = 3;
    update_to(1);
    assert_int_equal(ota_slot_reject(&device.device), OTA_OK);
    assert_int_equal(staged_device_state(&device), OTA_STAGING_REJECTED);
    assert_int_equal(ota_slot_boot(&device.device, &slot), OTA_OK);
    assert_int_equal(slot, 1);
    assert_int_equal(staged_device_boot(&device), OTA_OK);
    assert_int_equal(staged_device_runs(&device), 0);
    assert_int_equal(staged_device_state(&device), OTA_STAGING_REJECTED);
}

static void test_a_trial_that_cannot_be_noted(void **state)
{
    enum ota_err err;

    (void)state;
    device.boot.trial_boots = 3;
    update_to(1);
    faults_set(FAULT_WRITE, 1);
    assert_int_equal(staged_device_boot(&device), OTA_OK);
    assert_true(staged_device_told(&device, OTA_BOOT_STATE_UNSAVED, &err));
    assert_int_equal(err, OTA_ERR_FLASH_WRITE);
    assert_int_equal(staged_device_runs(&device), 0);
}

/* The old image was lost meanwhile: the new one stays. */
static void test_no_way_back(void **state)
{
    (void)state;
    update_to(1);
    device.chip->memory[STAGED_STAGING + 600] ^= 1;
    assert_int_equal(ota_slot_reject(&device.device), OTA_ERR_NO_ROLLBACK);
    assert_int_equal(staged_device_boot(&device), OTA_OK);
    assert_int_equal(staged_device_runs(&device), 1);
    assert_false(device.boot.on_trial);
    assert_int_equal(staged_device_state(&device), OTA_STAGING_DONE);
    assert_false(ota_slot_is_on_trial(&device.device));
    assert_int_equal(ota_slot_can_roll_back(&device.device), OTA_ERR_NO_ROLLBACK);
    const uint64_t changes = ram_flash_changes(device.chip);
    assert_int_equal(staged_device_boot(&device), OTA_OK);
    assert_int_equal(ram_flash_changes(device.chip), changes);
    update_to(2);
}

/* What ran before does not verify: it is not kept, and there is no trial. */
static void test_nothing_ran_before(void **state)
{
    (void)state;
    assert_int_equal(staged_device_send_app(&device, 1), OTA_OK);
    device.chip->memory[STAGED_APP] = 0;
    faults_set(FAULT_WRITE, 1);
    assert_int_equal(staged_device_boot(&device), OTA_ERR_NOTHING_BOOTABLE);
    faults_clear();
    assert_int_equal(staged_device_boot(&device), OTA_OK);
    assert_int_equal(staged_device_runs(&device), 1);
    assert_false(device.boot.on_trial);
    assert_int_equal(ota_slot_can_roll_back(&device.device), OTA_ERR_NO_ROLLBACK);
    assert_int_equal(staged_device_boot(&device), OTA_OK);
    assert_int_equal(staged_device_runs(&device), 1);

    device.chip->memory[STAGED_APP] = 0;
    assert_int_equal(staged_device_boot(&device), OTA_ERR_NOTHING_BOOTABLE);
}

/* The image in its place goes bad, long after it was confirmed. */
static void test_a_bad_place_is_restored(void **state)
{
    (void)state;
    update_to(1);
    assert_int_equal(ota_slot_confirm(&device.device), OTA_OK);
    device.chip->memory[STAGED_APP + 600] ^= 1;
    device.fuses.version = 0;
    assert_int_equal(staged_device_boot(&device), OTA_OK);
    assert_int_equal(staged_device_runs(&device), 0);
    device.chip->memory[STAGED_APP + 600] ^= 1;
    assert_int_equal(staged_device_boot(&device), OTA_ERR_NOTHING_BOOTABLE);
}

static void test_a_bad_place_and_a_bad_fallback(void **state)
{
    (void)state;
    update_to(1);
    assert_int_equal(ota_slot_confirm(&device.device), OTA_OK);
    device.chip->memory[STAGED_APP + 600] ^= 1;
    device.chip->memory[STAGED_STAGING + 600] ^= 1;
    assert_int_equal(staged_device_boot(&device), OTA_ERR_NOTHING_BOOTABLE);
    assert_int_equal(staged_device_boot(&device), OTA_ERR_NOTHING_BOOTABLE);
}

/* ---- Errors on the way ----------------------------------------------------------------------- */

/* Updates to image 1 as far as that all steps are made, and power fails before they are proven. */
static void make_all_steps(void)
{
    struct ota__command command;
    unsigned number = 0;

    do {
        assert_true(++number < 500);
        (void)tear_down(NULL);
        (void)set_up(NULL);
        assert_int_equal(staged_device_send_app(&device, 1), OTA_OK);
        faults_set(FAULT_WRITE, number);
        const enum ota_err err = staged_device_boot(&device);
        command = read_command();
        assert_int_equal(err, command.is_begun ? OTA_ERR_FLASH_WRITE : OTA_OK);
    } while (!command.is_begun || command.steps < 2u * command.units);
    faults_clear();
}

/* The whole is compared once more before it runs for the first time. */
static void test_the_place_is_not_as_it_should_be(void **state)
{
    enum ota_err err;

    (void)state;
    make_all_steps();
    assert_int_equal(device.boot.slot, OTA_SLOT_NONE);
    device.chip->memory[STAGED_APP + device.images[1].len - 1] ^= 1;
    assert_int_equal(staged_device_boot(&device), OTA_OK);
    assert_true(staged_device_told(&device, OTA_BOOT_IMAGE_BAD, &err));
    assert_int_equal(err, OTA_ERR_DIGEST);
    assert_int_equal(staged_device_runs(&device), 0);
    assert_int_equal(staged_device_state(&device), OTA_STAGING_TAKEN_BACK);
}

static void test_neither_place_is_as_it_should_be(void **state)
{
    (void)state;
    make_all_steps();
    device.chip->memory[STAGED_APP + 600] ^= 1;
    device.chip->memory[STAGED_STAGING + 600] ^= 1;
    assert_int_equal(staged_device_boot(&device), OTA_ERR_DIGEST);
    assert_int_equal(staged_device_boot(&device), OTA_ERR_DIGEST);
    device.chip->memory[STAGED_APP + 600] ^= 1;
    assert_int_equal(staged_device_boot(&device), OTA_OK);
    assert_int_equal(staged_device_runs(&device), 1);
}

static void test_the_way_back_fails_after_the_proof(void **state)
{
    (void)state;
    make_all_steps();
    device.chip->memory[STAGED_APP + 600] ^= 1;
    faults_set(FAULT_ERASE, 1);
    assert_int_equal(staged_device_boot(&device), OTA_ERR_FLASH_ERASE);
    faults_clear();
    assert_int_equal(staged_device_state(&device), OTA_STAGING_GOING_BACK);
    assert_int_equal(staged_device_boot(&device), OTA_OK);
    assert_int_equal(staged_device_runs(&device), 0);
}

/* Boots again and again, each time one step further, until that is no longer needed. Returns how
   often that was. */
static int boot_step_by_step(void)
{
    int boots = 0;
    enum ota_err err;

    do {
        faults_set(FAULT_WRITE, 3);
        err = staged_device_boot(&device);
        assert_true(err == OTA_OK || err == OTA_ERR_FLASH_WRITE);
        assert_true(++boots < 500);
    } while (err != OTA_OK);
    faults_clear();
    return boots;
}

/* However often power fails: as long as each boot gets one step further, the swap comes to its end,
   and so does the way back. */
static void test_power_fails_at_every_step(void **state)
{
    (void)state;
    staged_device_close(&device);
    staged_device_open(&device,
                       &(struct staged_facts){.swap = true, .rollback = true, .sector = 256});
    device.staging.swap_unit = 256;
    for (int n = 0; n < 2;
         n++) { /* with nothing blank in it, of which a step would write nothing */
        const struct image_facts facts = {.size = 20000, .seed = (uint32_t)n + 1};
        device.images[n].len =
            (uint32_t)image_make(device.images[n].bytes, sizeof device.images[n].bytes, &facts);
        assert_true(device.images[n].len > 0);
    }
    memcpy(device.chip->memory + STAGED_APP, device.images[0].bytes, device.images[0].len);
    staged_device_restart(&device);
    assert_int_equal(staged_device_send_app(&device, 1), OTA_OK);
    assert_true(boot_step_by_step() > 150);
    assert_int_equal(staged_device_runs(&device), 1);
    assert_true(staged_device_told(&device, OTA_BOOT_ON_TRIAL, NULL));
    assert_true(boot_step_by_step() > 150);
    assert_int_equal(staged_device_runs(&device), 0);
    assert_int_equal(staged_device_state(&device), OTA_STAGING_TAKEN_BACK);
}

static void test_a_longer_image_than_can_be_swapped(void **state)
{
    (void)state;
    staged_device_make_image(&device, 3, STAGED_IMAGE_MAX);
    const struct ota_staging_status status = staged_device_status(&device);
    assert_true(status.spare.size >= STAGED_SECTOR);
    /* There is less room than the running image needs. */
    device.staging.staging.size -= 2 * STAGED_SECTOR;
    device.staging.staging.offset += 2 * STAGED_SECTOR;
    memcpy(device.chip->memory + STAGED_APP, device.images[3].bytes, device.images[3].len);
    staged_device_restart(&device);
    assert_int_equal(staged_device_send_app(&device, 3), OTA_ERR_TOO_LARGE);
    assert_int_equal(staged_device_send_app(&device, 1), OTA_OK);
    assert_int_equal(staged_device_boot(&device), OTA_OK);
    assert_int_equal(staged_device_state(&device), OTA_STAGING_REFUSED);
    assert_int_equal(staged_device_runs(&device), 3);
}

/* A command of another layout: the firmware was built for another than the bootloader. */
static void test_another_layout(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(staged_device_send_app(&device, 1), OTA_OK);
        struct ota__command command = read_command();
        const uint32_t unit = command.unit;
        command.unit = i == 0 ? 2 * unit : unit;
        command.stored.offset += i == 1 ? unit : 0;
        command.stored.size = i == 2 ? STAGED_APP_SIZE + 1 : command.stored.size;
        assert_int_equal(ota__command_write(&command), OTA_OK);
        assert_int_equal(staged_device_boot(&device), OTA_OK);
        assert_int_equal(staged_device_state(&device), OTA_STAGING_REFUSED);
        assert_int_equal(staged_device_runs(&device), 0);
    }
}

/* The command's sectors take no record: nothing has begun, and the app that runs goes on. */
static void test_a_start_that_cannot_be_noted(void **state)
{
    (void)state;
    assert_int_equal(staged_device_send_app(&device, 1), OTA_OK);
    faults_set(FAULT_WRITE, 1);
    assert_int_equal(staged_device_boot(&device), OTA_OK);
    assert_true(faults_struck());
    assert_int_equal(staged_device_runs(&device), 0);
    faults_clear();
    assert_int_equal(staged_device_boot(&device), OTA_OK);
    assert_int_equal(staged_device_runs(&device), 1);
}

static void test_more_units_than_there_are(void **state)
{
    (void)state;
    assert_int_equal(staged_device_send_app(&device, 1), OTA_OK);
    struct ota__command command = read_command();
    assert_int_equal(ota__command_note(&command, OTA__NOTE_BEGUN + 7), OTA_OK);
    assert_int_equal(staged_device_boot(&device), OTA_ERR_ARGUMENT);
    assert_int_equal(staged_device_runs(&device), 0);
}

/* The chip says that it has erased, and has not: where the new image is blank, nobody else would
   tell. */
static void test_a_sector_that_was_not_erased(void **state)
{
    unsigned number = 0;

    (void)state;
    do {
        assert_true(++number < 20);
        (void)tear_down(NULL);
        (void)set_up(NULL);
        ram_flash_fill(device.chip, STAGED_APP + 0x3000, STAGED_SECTOR, 5);
        staged_device_make_image(&device, 3, STAGED_IMAGE_MAX); /* all of its sector 3 is blank */
        assert_int_equal(staged_device_send_app(&device, 3), OTA_OK);
        faults_set(FAULT_ERASE, number);
        assert_int_equal(staged_device_boot(&device), OTA_ERR_FLASH_ERASE);
    } while (read_command().steps != 7); /* the next is to put it in its place */
    faults_set(FAULT_IDLE, 1);
    assert_int_equal(staged_device_boot(&device), OTA_ERR_FLASH_VERIFY);
    faults_clear();
    assert_int_equal(staged_device_boot(&device), OTA_OK);
    assert_int_equal(staged_device_runs(&device), 3);
}

/* With an image goes the seal behind it. */
static void test_images_with_seals(void **state)
{
    struct ota_trust trust = {.at_boot = true};

    (void)state;
    for (int n = 1; n < 3; n++) {
        device.chip->memory[STAGED_APP + 0x3800] = (uint8_t)n; /* of the seal of 9000 bytes */
        device.device.trust = NULL;
        assert_int_equal(staged_device_send_app(&device, 1), OTA_OK);
        device.device.trust = &trust;
        assert_int_equal(staged_device_boot(&device), OTA_OK);
        assert_int_equal(staged_device_runs(&device), 1);
        const bool is_with = device.chip->memory[STAGED_STAGING + 0x3800] == n;
        assert_int_equal(is_with, trust.seals != NULL);
        assert_int_equal(staged_device_boot(&device), OTA_OK);
        assert_int_equal(staged_device_runs(&device), 0);
        trust.seals = &staged_seals;
    }
    device.device.trust = NULL;
}

/* Where an image leaves no room for a seal, there is none to go with it. */
static void test_an_image_without_room_for_a_seal(void **state)
{
    struct ota_trust trust = {.seals = &staged_seals, .at_boot = true};

    (void)state;
    staged_device_make_image(&device, 0, STAGED_APP_SIZE - STAGED_SECTOR + 1);
    memcpy(device.chip->memory + STAGED_APP, device.images[0].bytes, device.images[0].len);
    assert_int_equal(staged_device_send_app(&device, 1), OTA_OK);
    device.device.trust = &trust;
    assert_int_equal(staged_device_boot(&device), OTA_OK);
    assert_int_equal(staged_device_runs(&device), 1);
    assert_int_equal(staged_device_boot(&device), OTA_OK);
    assert_int_equal(staged_device_runs(&device), 0);
    device.device.trust = NULL;
}

/* ---- Choosing -------------------------------------------------------------------------------- */

static void test_there_and_back_by_choice(void **state)
{
    enum ota_image_state image_state;
    int slot = 7;

    (void)state;
    update_to(1);
    assert_int_equal(ota_slot_confirm(&device.device), OTA_OK);
    assert_int_equal(ota_slot_set_boot(&device.device, 1), OTA_OK);
    assert_int_equal(ota_slot_boot(&device.device, &slot), OTA_OK);
    assert_int_equal(slot, 1);
    assert_int_equal(staged_device_state(&device), OTA_STAGING_GOING_BACK);
    assert_int_equal(ota_slot_set_boot(&device.device, 0), OTA_ERR_STATE);
    assert_int_equal(staged_device_boot(&device), OTA_OK);
    assert_int_equal(staged_device_runs(&device), 0);
    assert_false(device.boot.on_trial);
    assert_int_equal(ota_slot_state(&device.device, 1, &image_state), OTA_OK);
    assert_int_equal(image_state, OTA_STATE_VALID);
    assert_false(ota_slot_was_rejected(&device.device, "1.0.0"));

    /* And the other way, as if it had just come. */
    assert_int_equal(ota_slot_set_boot(&device.device, 1), OTA_OK);
    assert_int_equal(staged_device_state(&device), OTA_STAGING_WAITING);
    assert_int_equal(staged_device_boot(&device), OTA_OK);
    assert_int_equal(staged_device_runs(&device), 1);
    assert_true(device.boot.on_trial);
}

/* The choice cannot be carried out: what runs goes on. */
static void test_a_choice_that_went_bad(void **state)
{
    int slot = 7;

    (void)state;
    update_to(1);
    assert_int_equal(ota_slot_confirm(&device.device), OTA_OK);
    assert_int_equal(ota_slot_set_boot(&device.device, 1), OTA_OK);
    device.chip->memory[STAGED_STAGING + 600] ^= 1;
    assert_int_equal(staged_device_boot(&device), OTA_OK);
    assert_int_equal(staged_device_runs(&device), 1);
    assert_false(device.boot.on_trial);
    assert_int_equal(staged_device_boot(&device), OTA_OK);
    assert_int_equal(staged_device_state(&device), OTA_STAGING_DONE);
    assert_int_equal(ota_slot_boot(&device.device, &slot), OTA_OK);
    assert_int_equal(slot, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_confirmed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_without_trial, set_up_without_trial, tear_down),
        cmocka_unit_test_setup_teardown(test_wear, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_the_example, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_not_confirmed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_more_trials, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_endless_trials, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_rejected, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_trial_that_cannot_be_noted, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_no_way_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_nothing_ran_before, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_bad_place_is_restored, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_bad_place_and_a_bad_fallback, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_the_place_is_not_as_it_should_be, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_neither_place_is_as_it_should_be, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_the_way_back_fails_after_the_proof, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_power_fails_at_every_step, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_longer_image_than_can_be_swapped, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_another_layout, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_start_that_cannot_be_noted, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_more_units_than_there_are, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_sector_that_was_not_erased, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_images_with_seals, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_an_image_without_room_for_a_seal, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_there_and_back_by_choice, set_up_without_fuses,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_a_choice_that_went_bad, set_up_without_fuses,
                                        tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
