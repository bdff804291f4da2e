/* SPDX-License-Identifier: Apache-2.0 */
/* Updates of a device with one place to run from, as the firmware sees them: where they go, what
   forbids them, and what is told of them. What becomes of them at the next boot is in tests/boot. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "format/staging.h"
#include "support/gzip_file.h"
#include "support/staged_device.h"

static struct staged_device device;
static uint8_t data[STAGED_BIG_SIZE + 1];

static void open_device(const struct staged_facts *facts)
{
    staged_device_open(&device, facts);
    for (uint32_t i = 0; i < sizeof data; i++) {
        data[i] = (uint8_t)noise(9, i);
    }
}

static int set_up_copy(void **state)
{
    (void)state;
    open_device(&(struct staged_facts){.rollback = true});
    return 0;
}

static int set_up_swap(void **state)
{
    (void)state;
    open_device(&(struct staged_facts){.swap = true, .rollback = true});
    return 0;
}

static int set_up_swap_without_trial(void **state)
{
    (void)state;
    open_device(&(struct staged_facts){.swap = true});
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    staged_device_close(&device);
    return 0;
}

static enum ota_err begin(const char *label, uint32_t size)
{
    device.options.label = label;
    device.options.size = size;
    const enum ota_err err = ota_update_begin(&device.update, &device.options);
    ota_update_abort(&device.update);
    return err;
}

static void update_to(int n)
{
    assert_int_equal(staged_device_send_app(&device, n), OTA_OK);
    assert_int_equal(staged_device_boot(&device), OTA_OK);
    assert_int_equal(staged_device_runs(&device), n);
}

static bool is_incomplete(const char *label)
{
    bool incomplete = true;

    assert_int_equal(ota_data_is_incomplete(&device.device, label, &incomplete), OTA_OK);
    return incomplete;
}

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
    update_to(1);
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
    assert_int_equal(begin(NULL, STAGED_APP_SIZE), OTA_OK);
    assert_int_equal(begin(NULL, STAGED_APP_SIZE + 1), OTA_ERR_TOO_LARGE);
    assert_int_equal(begin("fs", STAGED_FS_SIZE), OTA_OK);
    assert_int_equal(device.update.region.offset, STAGED_STAGING);
    assert_int_equal(begin("fs", STAGED_FS_SIZE + 1), OTA_ERR_TOO_LARGE);
    assert_int_equal(begin("big", 0x8001), OTA_OK);
    assert_int_equal(device.update.region.offset, STAGED_BIG);
    assert_int_equal(begin("none", 1), OTA_ERR_NO_PARTITION);
    device.data[0].flags = OTA_PARTITION_FLAG_READ_ONLY;
    assert_int_equal(begin("fs", 1), OTA_ERR_READ_ONLY);
    device.data[0].flags = 0;
    assert_int_equal(ram_flash_changes(device.chip), 0);
    faults_set(FAULT_READ, 1);
    assert_int_equal(begin(NULL, 1), OTA_ERR_FLASH_READ);
}

/* What is unpacked on the way may be any number of bytes: what the partition can hold must fit,
   unless the bootloader unpacks it. */
static void test_targets_of_what_is_unpacked(void **state)
{
    (void)state;
    device.options.unwrap = &device.unwrap;
    ota_unwrap_init(&device.unwrap, NULL);
    assert_int_equal(begin("big", 1000), OTA_OK);
    assert_int_equal(device.update.region.offset, STAGED_BIG);
    device.staging.inflates = true;
    assert_int_equal(begin("big", 1000), OTA_OK);
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
    update_to(1);
    assert_int_equal(begin(NULL, 5000), OTA_ERR_UNCONFIRMED);
    assert_int_equal(begin("fs", 5000), OTA_ERR_UNCONFIRMED);
    assert_int_equal(begin("big", OTA_SIZE_UNKNOWN), OTA_OK); /* in place */
    assert_int_equal(ota_slot_confirm(&device.device), OTA_OK);
    assert_int_equal(begin(NULL, 5000), OTA_OK);
    assert_int_equal(begin("fs", 5000), OTA_OK);
}

static void test_without_trial_nothing_is_kept(void **state)
{
    (void)state;
    update_to(1);
    assert_int_equal(begin(NULL, 5000), OTA_OK);
}

static void test_while_a_command_waits(void **state)
{
    (void)state;
    assert_int_equal(staged_device_send_app(&device, 1), OTA_OK);
    assert_int_equal(begin(NULL, 5000), OTA_OK);
    assert_int_equal(begin("fs", 5000), OTA_ERR_RESTARTING);
    assert_int_equal(begin("big", OTA_SIZE_UNKNOWN), OTA_OK);
    assert_int_equal(staged_device_state(&device), OTA_STAGING_WAITING);
    assert_int_equal(staged_device_send_app(&device, 2), OTA_OK);
    assert_int_equal(staged_device_boot(&device), OTA_OK);
    assert_int_equal(staged_device_runs(&device), 2);
}

static void test_while_data_waits(void **state)
{
    (void)state;
    assert_int_equal(staged_device_send(&device, "big", data, 0x7000), OTA_OK);
    assert_int_equal(begin(NULL, 5000), OTA_OK); /* of unknown size it went to its place */
    device.options.size = 0x7000;
    assert_int_equal(staged_device_send(&device, "big", data, 0x7000), OTA_OK);
    assert_int_equal(begin(NULL, 5000), OTA_ERR_RESTARTING);
    assert_int_equal(begin("fs", 5000), OTA_ERR_RESTARTING);
    assert_int_equal(begin("big", 5000), OTA_OK);
    assert_int_equal(begin("big", OTA_SIZE_UNKNOWN),
                     OTA_ERR_RESTARTING); /* it would be copied over */
    assert_int_equal(staged_device_boot(&device), OTA_OK);
    assert_int_equal(begin(NULL, 5000), OTA_OK);
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
    assert_true(is_incomplete("fs"));
    assert_int_equal(staged_device_send(&device, "fs", data, 5000), OTA_OK);
    assert_false(is_incomplete("fs"));
    assert_memory_equal(device.chip->memory + STAGED_FS, data, 5000);
    assert_int_equal(staged_device_state(&device), OTA_STAGING_WAITING); /* the app does */
    assert_int_equal(staged_device_boot(&device), OTA_OK);
    assert_int_equal(staged_device_runs(&device), 1);

    /* What waits for the restart would be copied over it. */
    assert_int_equal(ota_slot_confirm(&device.device), OTA_OK);
    device.options.size = 5000;
    assert_int_equal(staged_device_send(&device, "fs", data + 1, 5000), OTA_OK);
    device.options.in_place = true;
    assert_int_equal(begin("fs", 5000), OTA_ERR_RESTARTING);
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
    update_to(2);
    assert_int_equal(staged_device_boot(&device), OTA_OK);
    assert_slots(OTA_STATE_VALID, OTA_STATE_ABORTED, 0);
    update_to(2);
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
    update_to(1);
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
    update_to(1);
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
    update_to(1);
    assert_int_equal(ota_slot_confirm(&device.device), OTA_OK);
    assert_int_equal(ota_slot_can_roll_back(&device.device), OTA_OK);
    assert_int_equal(ota_slot_erase_last(&device.device), OTA_OK);
    for (uint32_t i = 0; i < STAGED_STAGING_SIZE - 2 * STAGED_SECTOR; i++) {
        assert_int_equal(device.chip->memory[STAGED_STAGING + i], 0xFF);
    }
    assert_int_equal(staged_device_state(&device), OTA_STAGING_IDLE);
    assert_int_equal(ota_slot_can_roll_back(&device.device), OTA_ERR_NO_ROLLBACK);
    update_to(2);
    for (unsigned number = 1; number <= 4; number++) {
        assert_int_equal(ota_slot_confirm(&device.device), OTA_OK);
        faults_set(FAULT_ERASE, number);
        assert_int_equal(ota_slot_erase_last(&device.device), OTA_ERR_FLASH_ERASE);
        faults_clear();
        assert_int_equal(staged_device_boot(&device), OTA_OK);
        assert_int_equal(staged_device_runs(&device), 1 + number % 2);
        update_to(2 - (int)number % 2);
    }
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

/* ---- Data in place --------------------------------------------------------------------------- */

static void test_data_in_place(void **state)
{
    const uint32_t size = STAGED_BIG_SIZE;

    (void)state;
    assert_false(is_incomplete("big"));
    for (int i = 0; i < 3; i++) {
        data[0]++;
        device.options.size = size;
        device.options.label = "big";
        assert_int_equal(ota_update_begin(&device.update, &device.options), OTA_OK);
        assert_false(is_incomplete("big"));
        assert_int_equal(ota_update_write(&device.update, data, size - 1), OTA_OK);
        assert_true(is_incomplete("big"));
        assert_false(is_incomplete("fs"));
        staged_device_restart(&device); /* power fails */
        assert_true(is_incomplete("big"));
        assert_int_equal(staged_device_state(&device), OTA_STAGING_IDLE);

        device.options.size = size;
        assert_int_equal(staged_device_send(&device, "big", data, size), OTA_OK);
        assert_false(is_incomplete("big"));
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
    update_to(1);
    assert_int_equal(ota_slot_confirm(&device.device), OTA_OK);
    assert_true(is_incomplete("big"));

    /* Less of it fits the staging region: a copy makes it whole as well. */
    device.options.size = 0x7000;
    assert_int_equal(staged_device_send(&device, "big", data, 0x7000), OTA_OK);
    assert_true(is_incomplete("big"));
    assert_int_equal(staged_device_boot(&device), OTA_OK);
    assert_false(is_incomplete("big"));
    assert_int_equal(staged_device_send(&device, "fs", data, 0x1000), OTA_OK);
    assert_false(is_incomplete("big"));
    assert_int_equal(staged_device_boot(&device), OTA_OK);
    assert_false(is_incomplete("big"));
    assert_false(is_incomplete("fs"));
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
    assert_true(is_incomplete("big"));
    assert_false(is_incomplete("fs"));
}

/* A record in the first place that is no turn: the half does not count. */
static void test_notes_of_no_turn(void **state)
{
    uint8_t *first = device.chip->memory + staged_device_status(&device).notes.offset;

    (void)state;
    memcpy(first, "\x00\x00\xff\xff\x02\x00\xfd\xff", 8); /* "big" is being written */
    assert_false(is_incomplete("big"));
    device.options.label = "big";
    assert_int_equal(ota_update_begin(&device.update, &device.options), OTA_OK);
    assert_int_equal(ota_update_write(&device.update, data, 9000), OTA_OK);
    assert_true(is_incomplete("big"));
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
    open_device(&(struct staged_facts){.write_size = 256});
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
    assert_true(is_incomplete("fs"));
    for (int i = 0; i < 20; i++) {
        data[5]++;
        for (unsigned number = 1; number <= 4; number++) {
            faults_set(i % 2 == 0 ? FAULT_WRITE : FAULT_ERASE, number);
            (void)staged_device_send(&device, "big", data, 0x6000);
            ota_update_abort(&device.update);
            faults_clear();
            assert_true(is_incomplete("fs"));
        }
        assert_int_equal(staged_device_send(&device, "big", data, 0x6000), OTA_OK);
        assert_false(is_incomplete("big"));
        assert_true(is_incomplete("fs"));
    }
    assert_int_equal(staged_device_send(&device, "fs", data, 0x6000), OTA_OK);
    assert_false(is_incomplete("fs"));
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
            assert_true(!touched || is_incomplete("big"));
            ota_update_abort(&device.update);
        }
    }
    faults_set(FAULT_READ, 1);
    assert_int_equal(ota_data_is_incomplete(&device.device, "big", &incomplete),
                     OTA_ERR_FLASH_READ);
    faults_clear();
    assert_true(is_incomplete("big"));
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
                assert_int_equal(tear_down(NULL), 0);
                open_device(&(struct staged_facts){.shared = story == 2});
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
                assert_false(is_incomplete("big"));
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
            assert_int_equal(tear_down(NULL), 0);
            assert_int_equal(set_up_swap(NULL), 0);
            update_to(2);
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
        cmocka_unit_test_setup_teardown(test_open, set_up_swap, tear_down),
        cmocka_unit_test_setup_teardown(test_devices_that_are_not_filled_in, set_up_swap,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_plans_of_a_swap, set_up_swap, tear_down),
        cmocka_unit_test_setup_teardown(test_staging_before_the_app, set_up_copy, tear_down),
        cmocka_unit_test_setup_teardown(test_targets, set_up_copy, tear_down),
        cmocka_unit_test_setup_teardown(test_targets_of_what_is_unpacked, set_up_copy, tear_down),
        cmocka_unit_test_setup_teardown(test_more_than_can_be_staged, set_up_copy, tear_down),
        cmocka_unit_test_setup_teardown(test_a_bootloader_that_does_not_inflate, set_up_copy,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_pending, set_up_swap, tear_down),
        cmocka_unit_test_setup_teardown(test_choices_that_cannot_be_read, set_up_swap_without_trial,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_data_of_another_layout, set_up_copy, tear_down),
        cmocka_unit_test_setup_teardown(test_incomplete_data_and_other_data, set_up_copy,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_while_on_trial, set_up_swap, tear_down),
        cmocka_unit_test_setup_teardown(test_without_trial_nothing_is_kept,
                                        set_up_swap_without_trial, tear_down),
        cmocka_unit_test_setup_teardown(test_while_a_command_waits, set_up_copy, tear_down),
        cmocka_unit_test_setup_teardown(test_in_place_by_choice, set_up_copy, tear_down),
        cmocka_unit_test_setup_teardown(test_while_data_waits, set_up_copy, tear_down),
        cmocka_unit_test_setup_teardown(test_the_command_is_withdrawn, set_up_swap, tear_down),
        cmocka_unit_test_setup_teardown(test_resume, set_up_swap, tear_down),
        cmocka_unit_test_setup_teardown(test_an_interrupted_update_is_healed, set_up_swap,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_slots_of_a_swap, set_up_swap, tear_down),
        cmocka_unit_test_setup_teardown(test_slots_of_a_copy, set_up_copy, tear_down),
        cmocka_unit_test_setup_teardown(test_slots_without_trial, set_up_swap_without_trial,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_slots_of_a_one_way_swap, set_up_swap, tear_down),
        cmocka_unit_test_setup_teardown(test_slots_that_cannot_be_read, set_up_swap, tear_down),
        cmocka_unit_test_setup_teardown(test_erase_last, set_up_swap_without_trial, tear_down),
        cmocka_unit_test_setup_teardown(test_forget, set_up_swap, tear_down),
        cmocka_unit_test_setup_teardown(test_data_in_place, set_up_copy, tear_down),
        cmocka_unit_test_setup_teardown(test_incomplete_data_and_an_app, set_up_swap, tear_down),
        cmocka_unit_test_setup_teardown(test_notes_of_no_turn, set_up_copy, tear_down),
        cmocka_unit_test_setup_teardown(test_many_notes, set_up_copy, tear_down),
        cmocka_unit_test_setup_teardown(test_notes_that_cannot_be_written, set_up_copy, tear_down),
        cmocka_unit_test_setup_teardown(test_status_of_a_swap, set_up_swap, tear_down),
        cmocka_unit_test_setup_teardown(test_status_of_a_copy, set_up_copy, tear_down),
        cmocka_unit_test_setup_teardown(test_faults_of_the_beginning, set_up_copy, tear_down),
        cmocka_unit_test_setup_teardown(test_faults, set_up_swap, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
