/* SPDX-License-Identifier: Apache-2.0 */
/* The boot of a device with one place to run from: what is not carried out, and what stops it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "format/staging.h"
#include "support/staged_device.h"

static struct staged_device device;

static int set_up_copy(void **state)
{
    (void)state;
    staged_device_open(&device, &(struct staged_facts){.fuses = true});
    return 0;
}

static int set_up_swap(void **state)
{
    (void)state;
    staged_device_open(&device,
                       &(struct staged_facts){.swap = true, .rollback = true, .fuses = true});
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    staged_device_close(&device);
    return 0;
}

/* Writes a command that no update would leave. */
static void order(const struct ota__command *wanted)
{
    struct ota__staging_map map;
    struct ota__command command;

    assert_int_equal(ota__staging_command(&device.staging, device.device.flash, &map, &command),
                     OTA_OK);
    const struct ota_region region = command.region;
    command = *wanted;
    command.region = region;
    assert_int_equal(ota__command_write(&command), OTA_OK);
}

/* ---- Without a command ----------------------------------------------------------------------- */

static void test_nothing_is_staged(void **state)
{
    (void)state;
    assert_int_equal(staged_device_boot(&device), OTA_OK);
    assert_int_equal(device.boot.slot, 0);
    assert_int_equal(device.boot.region.offset, STAGED_APP);
    assert_false(device.boot.on_trial);
    assert_true(ota_boot_is_proven(&device.boot));
    assert_int_equal(device.event_count, 1);
    assert_int_equal(device.events[0].event, OTA_BOOT_CHOSEN);
    assert_int_equal(staged_device_state(&device), OTA_STAGING_IDLE);
    assert_int_equal(ram_flash_changes(device.chip), 0);
}

static void test_nothing_bootable(void **state)
{
    (void)state;
    device.chip->memory[STAGED_APP + 500] ^= 1;
    assert_int_equal(staged_device_boot(&device), OTA_ERR_NOTHING_BOOTABLE);
    assert_int_equal(device.boot.slot, OTA_SLOT_NONE);
    assert_int_equal(device.device.running_slot, OTA_SLOT_NONE);
    assert_int_equal(device.boot.failure.err, OTA_ERR_IMAGE_CHECKSUM);
    assert_true(staged_device_told(&device, OTA_BOOT_NOTHING, NULL));
}

static void test_a_layout_that_cannot_be(void **state)
{
    (void)state;
    device.staging.app.offset++;
    assert_int_equal(staged_device_boot(&device), OTA_ERR_ARGUMENT);
    assert_true(staged_device_told(&device, OTA_BOOT_TABLE_BAD, NULL));
    device.staging.app.offset--;
}

static void test_a_buffer_that_is_too_small(void **state)
{
    (void)state;
    device.boot_buffer_size = 255;
    assert_int_equal(staged_device_boot(&device), OTA_ERR_ARGUMENT);
    device.boot_buffer_size = 256;
    assert_int_equal(staged_device_boot(&device), OTA_OK);
}

static void test_a_command_that_cannot_be_read(void **state)
{
    (void)state;
    faults_set(FAULT_READ, 1); /* of ota_staging_open */
    assert_int_equal(staged_device_boot(&device), OTA_ERR_FLASH_READ);
    faults_set(FAULT_READ, 2); /* the boot's own look at it */
    assert_int_equal(staged_device_boot(&device), OTA_ERR_FLASH_READ);
    faults_clear();
}

/* ---- Commands that make no sense ------------------------------------------------------------- */

static void test_commands_are_refused(void **state)
{
    const struct ota_extent app = {STAGED_APP, STAGED_APP_SIZE};
    const struct ota_extent fs = {STAGED_FS, STAGED_FS_SIZE};
    const struct ota_extent part = {STAGED_FS, STAGED_FS_SIZE - STAGED_SECTOR};
    const struct ota_extent elsewhere = {STAGED_FS + STAGED_SECTOR, STAGED_FS_SIZE};
    const struct ota_extent stored = {STAGED_STAGING, 5000};
    const struct ota_extent large = {STAGED_STAGING, STAGED_APP_SIZE + 1};
    const struct ota_extent before = {STAGED_STAGING - 1, 5000};
    const struct ota_extent behind = {STAGED_STAGING + STAGED_STAGING_SIZE, 1};
    const struct ota_extent over = {STAGED_STAGING, STAGED_STAGING_SIZE};
    const struct ota__command commands[] = {
        {.action = 3, .stored = stored, .destination = app},
        {.action = OTA__COMMAND_COPY, .stored = stored, .destination = app}, /* of no such bytes */
        {.action = OTA__COMMAND_COPY, .stored = large, .destination = app},
        {.action = OTA__COMMAND_COPY,
         .flags = OTA__COMMAND_GZIP,
         .stored = stored,
         .destination = app},
        {.action = OTA__COMMAND_COPY, .stored = before, .destination = app},
        {.action = OTA__COMMAND_COPY, .stored = behind, .destination = app},
        {.action = OTA__COMMAND_COPY, .stored = over, .destination = app},
        {.action = OTA__COMMAND_COPY,
         .flags = OTA__COMMAND_DATA,
         .stored = stored,
         .destination = app},
        {.action = OTA__COMMAND_COPY,
         .flags = OTA__COMMAND_DATA,
         .stored = stored,
         .destination = part},
        {.action = OTA__COMMAND_COPY,
         .flags = OTA__COMMAND_DATA,
         .stored = stored,
         .destination = elsewhere},
        {.action = OTA__COMMAND_COPY,
         .flags = OTA__COMMAND_DATA,
         .stored = stored,
         .destination = fs},
        {.action = OTA__COMMAND_SWAP,
         .flags = OTA__COMMAND_DATA,
         .stored = stored,
         .destination = fs},
        {.action = OTA__COMMAND_SWAP,
         .flags = OTA__COMMAND_GZIP,
         .stored = stored,
         .destination = app},
        {.action = OTA__COMMAND_SWAP, .stored = stored, .destination = app, .unit = STAGED_SECTOR},
    };

    (void)state;
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        order(&commands[i]);
        assert_int_equal(staged_device_boot(&device), OTA_OK);
        assert_true(staged_device_told(&device, OTA_BOOT_REFUSED, NULL));
        assert_int_equal(staged_device_runs(&device), 0);
        assert_int_equal(staged_device_state(&device), OTA_STAGING_REFUSED);

        /* It is not looked at again. */
        assert_int_equal(staged_device_boot(&device), OTA_OK);
        assert_int_equal(device.event_count, 1);
    }
}

static void test_a_swap_on_a_device_that_copies(void **state)
{
    const struct ota__command command = {.action = OTA__COMMAND_SWAP,
                                         .stored = {STAGED_STAGING, 5000},
                                         .destination = {STAGED_APP, STAGED_APP_SIZE}};

    (void)state;
    order(&command);
    assert_int_equal(staged_device_boot(&device), OTA_OK);
    assert_int_equal(staged_device_state(&device), OTA_STAGING_REFUSED);
    assert_int_equal(staged_device_runs(&device), 0);
}

/* Only what is named can be carried out. */
static void test_a_bootloader_without_the_move(void **state)
{
    static const struct ota_staged_move *const none[] = {NULL};

    (void)state;
    assert_int_equal(staged_device_send_app(&device, 1), OTA_OK);
    device.boot = (struct ota_boot){.device = &device.device, .read = ota_image_read};
    assert_int_equal(ota_staged_boot(&device.boot, none, device.buffer, sizeof device.buffer),
                     OTA_OK);
    assert_int_equal(staged_device_runs(&device), 0);
    assert_int_equal(staged_device_state(&device), OTA_STAGING_REFUSED);
}

/* What was begun by another bootloader is not run half-way. */
static void test_a_bootloader_that_lost_the_move(void **state)
{
    static const struct ota_staged_move *const none[] = {NULL};

    (void)state;
    assert_int_equal(staged_device_send_app(&device, 1), OTA_OK);
    faults_set(FAULT_ERASE, 3);
    assert_int_equal(staged_device_boot(&device), OTA_ERR_FLASH_ERASE);
    faults_clear();
    device.boot = (struct ota_boot){.device = &device.device, .read = ota_image_read};
    assert_int_equal(ota_staged_boot(&device.boot, none, device.buffer, sizeof device.buffer),
                     OTA_ERR_ARGUMENT);
    assert_int_equal(staged_device_boot(&device), OTA_OK);
    assert_int_equal(staged_device_runs(&device), 1);
    device.boot = (struct ota_boot){.device = &device.device, .read = ota_image_read};
    assert_int_equal(ota_staged_boot(&device.boot, none, device.buffer, sizeof device.buffer),
                     OTA_OK);
}

static void test_what_is_staged_is_damaged(void **state)
{
    enum ota_err err;

    (void)state;
    assert_int_equal(staged_device_send_app(&device, 1), OTA_OK);
    const struct ota_staging_status status = staged_device_status(&device);
    device.chip->memory[status.stored.offset + 700] ^= 1;
    assert_int_equal(staged_device_boot(&device), OTA_OK);
    assert_true(staged_device_told(&device, OTA_BOOT_IMAGE_BAD, &err));
    assert_int_equal(err, OTA_ERR_DIGEST);
    assert_int_equal(staged_device_runs(&device), 0);
    assert_true(ota_slot_was_rejected(&device.device, "1.0.0"));
    assert_false(ota_slot_was_rejected(&device.device, "2.0.0"));
}

/* The update had no fuses to look at; the bootloader has. */
static void test_what_is_staged_is_too_old(void **state)
{
    enum ota_err err;

    (void)state;
    assert_int_equal(staged_device_send_app(&device, 1), OTA_OK);
    memcpy(device.chip->memory + STAGED_APP, device.images[3].bytes, device.images[3].len);
    device.fuses.version = 2;
    assert_int_equal(staged_device_boot(&device), OTA_OK);
    assert_true(staged_device_told(&device, OTA_BOOT_IMAGE_BAD, &err));
    assert_int_equal(err, OTA_ERR_SECURE_VERSION);
    assert_int_equal(staged_device_runs(&device), 3);
}

static void test_a_refusal_that_cannot_be_noted(void **state)
{
    enum ota_err err = OTA_OK;

    (void)state;
    assert_int_equal(staged_device_send_app(&device, 1), OTA_OK);
    device.chip->memory[staged_device_status(&device).stored.offset] ^= 1;
    faults_set(FAULT_WRITE, 1);
    assert_int_equal(staged_device_boot(&device), OTA_OK);
    assert_true(staged_device_told(&device, OTA_BOOT_STATE_UNSAVED, &err));
    assert_int_equal(err, OTA_ERR_FLASH_WRITE);
    assert_int_equal(staged_device_runs(&device), 0);
    faults_clear();
    assert_int_equal(staged_device_boot(&device), OTA_OK);
    assert_int_equal(staged_device_runs(&device), 0);
}

/* ---- The processor loses its way ------------------------------------------------------------- */

struct listener {
    struct ota_flash flash; /* first: the object gets itself back by a cast */
    struct ota_flash *under;
    unsigned headers; /* reads of the command's header */
};

static struct listener listener;

/* The third look at the command is the last thing before the decision. */
static enum ota_err read_and_disturb(struct ota_flash *flash, uint32_t offset, void *data,
                                     uint32_t len)
{
    struct ota_flash *under = ((struct listener *)flash)->under;

    if (offset == staged_device_status(&device).command.offset && ++listener.headers == 3) {
        device.boot.proof = 0;
    }
    return under->read(under, offset, data, len);
}

static void test_an_image_without_proof_does_not_run(void **state)
{
    (void)state;
    listener = (struct listener){.flash = device.chip->nor.flash, .under = &device.chip->nor.flash};
    listener.flash.read = read_and_disturb;
    struct ota_device look = device.device;
    look.flash = &listener.flash;
    device.boot = (struct ota_boot){.device = &look, .read = ota_image_read};
    const struct ota_staged_move *const moves[] = {&ota_staged_swap, NULL};
    assert_int_equal(ota_staged_boot(&device.boot, moves, device.buffer, sizeof device.buffer),
                     OTA_ERR_NOTHING_BOOTABLE);
    assert_int_equal(device.boot.slot, OTA_SLOT_NONE);
}

static enum ota_err raise_and_disturb(struct ota_fuses *fuses, uint32_t version)
{
    (void)fuses;
    (void)version;
    device.boot.proof = 0;
    return OTA_OK;
}

static void test_a_proof_that_gets_lost(void **state)
{
    (void)state;
    assert_int_equal(staged_device_send_app(&device, 1), OTA_OK);
    assert_int_equal(staged_device_boot(&device), OTA_OK);
    assert_int_equal(ota_slot_confirm(&device.device), OTA_OK);
    assert_int_equal(device.fuses.version, 1);
    device.fuses.fuses.raise_secure_version = raise_and_disturb;
    assert_int_equal(staged_device_boot(&device), OTA_ERR_NOTHING_BOOTABLE);
    assert_int_equal(device.boot.slot, OTA_SLOT_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_nothing_is_staged, set_up_copy, tear_down),
        cmocka_unit_test_setup_teardown(test_nothing_bootable, set_up_copy, tear_down),
        cmocka_unit_test_setup_teardown(test_a_layout_that_cannot_be, set_up_copy, tear_down),
        cmocka_unit_test_setup_teardown(test_a_buffer_that_is_too_small, set_up_copy, tear_down),
        cmocka_unit_test_setup_teardown(test_a_command_that_cannot_be_read, set_up_copy, tear_down),
        cmocka_unit_test_setup_teardown(test_commands_are_refused, set_up_swap, tear_down),
        cmocka_unit_test_setup_teardown(test_a_swap_on_a_device_that_copies, set_up_copy,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_a_bootloader_without_the_move, set_up_copy, tear_down),
        cmocka_unit_test_setup_teardown(test_a_bootloader_that_lost_the_move, set_up_copy,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_a_bootloader_that_lost_the_move, set_up_swap,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_what_is_staged_is_damaged, set_up_copy, tear_down),
        cmocka_unit_test_setup_teardown(test_what_is_staged_is_damaged, set_up_swap, tear_down),
        cmocka_unit_test_setup_teardown(test_what_is_staged_is_too_old, set_up_copy, tear_down),
        cmocka_unit_test_setup_teardown(test_what_is_staged_is_too_old, set_up_swap, tear_down),
        cmocka_unit_test_setup_teardown(test_a_refusal_that_cannot_be_noted, set_up_copy,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_an_image_without_proof_does_not_run, set_up_swap,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_a_proof_that_gets_lost, set_up_swap, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
