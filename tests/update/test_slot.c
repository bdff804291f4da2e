/* SPDX-License-Identifier: Apache-2.0 */
/* Slots: which boots, and the life of an image. docs/formats/otadata.md sections 6 and 7. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "fixture.h"

#define NONE 0xFFFFFFFFu

static struct fixture fixture;
static struct ota_device *const device = &fixture.device;

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

static void entry_is(int index, uint32_t sequence, uint32_t state)
{
    struct ota_otadata_entry entry = fixture_entry(&fixture, index);

    assert_int_equal(entry.sequence, sequence);
    assert_int_equal(entry.state, state);
    assert_true(ota_otadata_entry_is_written(&entry));
}

static void entry_is_erased(int index)
{
    assert_int_equal(fixture_entry(&fixture, index).sequence, NONE);
}

/* A device whose table has no otadata; one whose otadata is too small. */
static void use_table_without_otadata(void)
{
    static const struct table_row rows[] = {{0, 0x10, OTA_0, SLOT_SIZE, "ota_0", 0},
                                            {0, 0x11, OTA_1, SLOT_SIZE, "ota_1", 0}};

    fixture_set_table(&fixture, rows, 2);
}

static void use_table_with_small_otadata(void)
{
    static const struct table_row rows[] = {{1, 0x00, OTADATA, SECTOR, "otadata", 0},
                                            {0, 0x10, OTA_0, SLOT_SIZE, "ota_0", 0},
                                            {0, 0x11, OTA_1, SLOT_SIZE, "ota_1", 0}};

    fixture_set_table(&fixture, rows, 3);
}

/* otadata, and nothing that it could name. */
static void use_table_without_slots(bool factory)
{
    static const struct table_row rows[] = {{1, 0x00, OTADATA, 2 * SECTOR, "otadata", 0},
                                            {0, 0x00, FACTORY, 0x10000, "factory", 0}};

    fixture_set_table(&fixture, rows, factory ? 2 : 1);
}

/* Which slot is next. */

static void test_next(void **state)
{
    static const struct table_row two[] = {{1, 0x00, OTADATA, 2 * SECTOR, "otadata", 0},
                                           {0, 0x10, OTA_0, SLOT_SIZE, "ota_0", 0},
                                           {0, 0x11, OTA_1, SLOT_SIZE, "ota_1", 0}};

    (void)state;
    device->running_slot = 0;
    assert_int_equal(ota_slot_next(device), 1);
    device->running_slot = 1;
    assert_int_equal(ota_slot_next(device), 2);
    device->running_slot = 2;
    assert_int_equal(ota_slot_next(device), 0);
    device->running_slot = OTA_SLOT_FACTORY;
    assert_int_equal(ota_slot_next(device), 0);
    device->running_slot = OTA_SLOT_TEST;
    assert_int_equal(ota_slot_next(device), 0);

    fixture_set_table(&fixture, two, 3);
    device->running_slot = 1;
    assert_int_equal(ota_slot_next(device), 0);
    assert_int_equal(ota_slot_room(device), SLOT_SIZE);
    fixture_set_table(&fixture, two, 2); /* one slot, and it runs */
    device->running_slot = 0;
    assert_int_equal(ota_slot_room(device), 0);
    assert_int_equal(ota_slot_next(device), OTA_SLOT_NONE);
    device->running_slot = OTA_SLOT_FACTORY;
    assert_int_equal(ota_slot_next(device), 0);
    fixture_set_table(&fixture, two, 1);
    assert_int_equal(ota_slot_next(device), OTA_SLOT_NONE);
}

/* What otadata chooses. */

static void test_boot(void **state)
{
    int slot = 99;

    (void)state;
    assert_int_equal(ota_slot_boot(device, &slot), OTA_OK);
    assert_int_equal(slot, 0);
    fixture_set_entry(&fixture, 1, 2, OTA_STATE_NEW);
    assert_int_equal(ota_slot_boot(device, &slot), OTA_OK);
    assert_int_equal(slot, 1);
    fixture_set_entry(&fixture, 1, 2, OTA_STATE_ABORTED);
    assert_int_equal(ota_slot_boot(device, &slot), OTA_OK);
    assert_int_equal(slot, 0);
}

/* Where it chooses none: factory, the lowest OTA slot, the test app. */
static void test_boot_by_default(void **state)
{
    static const struct table_row rows[] = {{1, 0x00, OTADATA, 2 * SECTOR, "otadata", 0},
                                            {0, 0x20, TEST_APP, SECTOR, "test", 0},
                                            {0, 0x12, OTA_2, SLOT_SIZE, "ota_2", 0}};
    int slot = 99;

    (void)state;
    fixture_set_entry(&fixture, 0, NONE, 0);
    assert_int_equal(ota_slot_boot(device, &slot), OTA_OK);
    assert_int_equal(slot, OTA_SLOT_FACTORY);
    fixture_set_table(&fixture, rows, 3);
    assert_int_equal(ota_slot_boot(device, &slot), OTA_OK);
    assert_int_equal(slot, 2);
    fixture_set_table(&fixture, rows, 2);
    assert_int_equal(ota_slot_boot(device, &slot), OTA_OK);
    assert_int_equal(slot, OTA_SLOT_TEST);
    fixture_set_table(&fixture, rows, 1);
    assert_int_equal(ota_slot_boot(device, &slot), OTA_OK);
    assert_int_equal(slot, OTA_SLOT_NONE);
    use_table_without_slots(true);
    fixture_set_entry(&fixture, 0, 1, OTA_STATE_VALID);
    assert_int_equal(ota_slot_boot(device, &slot), OTA_OK);
    assert_int_equal(slot, OTA_SLOT_FACTORY);
}

static void test_no_otadata(void **state)
{
    enum ota_image_state image_state;
    int slot;

    (void)state;
    for (int i = 0; i < 2; i++) {
        if (i == 0) {
            use_table_without_otadata();
        } else {
            use_table_with_small_otadata();
        }
        fixture_put_image(&fixture, 1, 2, 0);
        assert_int_equal(ota_slot_boot(device, &slot), OTA_ERR_NO_OTADATA);
        assert_int_equal(ota_slot_state(device, 0, &image_state), OTA_ERR_NO_OTADATA);
        assert_int_equal(ota_slot_confirm(device), OTA_ERR_NO_OTADATA);
        assert_int_equal(ota_slot_can_roll_back(device), OTA_ERR_NO_OTADATA);
        assert_int_equal(ota_slot_reject(device), OTA_ERR_NO_OTADATA);
        assert_int_equal(ota_slot_erase_last(device), OTA_ERR_NO_OTADATA);
        assert_int_equal(ota_slot_set_boot(device, 1), OTA_ERR_NO_OTADATA);
        assert_false(ota_slot_is_on_trial(device));
        assert_int_equal(ota_slot_forget(device, 1), OTA_OK);
    }
    assert_int_equal(ram_flash_changes(fixture.chip), 0);
}

/* Without slots no entry names anything. */
static void test_no_slots(void **state)
{
    enum ota_image_state image_state;

    (void)state;
    use_table_without_slots(true);
    assert_int_equal(ota_slot_state(device, 0, &image_state), OTA_ERR_ARGUMENT);
    assert_int_equal(ota_slot_confirm(device), OTA_ERR_NO_ACTIVE_ENTRY);
    assert_int_equal(ota_slot_erase_last(device), OTA_ERR_NO_ACTIVE_ENTRY);
    fixture_set_entry(&fixture, 0, 1, OTA_STATE_ABORTED);
    assert_int_equal(ota_slot_forget(device, 0), OTA_OK);
    entry_is(0, 1, OTA_STATE_ABORTED);
}

static void test_state(void **state)
{
    enum ota_image_state image_state;

    (void)state;
    assert_int_equal(ota_slot_state(device, 0, &image_state), OTA_OK);
    assert_int_equal(image_state, OTA_STATE_VALID);
    assert_int_equal(ota_slot_state(device, 1, &image_state), OTA_ERR_NO_ACTIVE_ENTRY);
    assert_int_equal(ota_slot_state(device, 3, &image_state), OTA_ERR_ARGUMENT);
    assert_int_equal(ota_slot_state(device, -1, &image_state), OTA_ERR_ARGUMENT);
    /* Also of entries that do not count: it is what is written. */
    fixture_set_entry(&fixture, 1, 2, OTA_STATE_INVALID);
    assert_int_equal(ota_slot_state(device, 1, &image_state), OTA_OK);
    assert_int_equal(image_state, OTA_STATE_INVALID);
    /* Both name the slot: the larger number, in either place. */
    fixture_set_entry(&fixture, 1, 4, OTA_STATE_NEW);
    assert_int_equal(ota_slot_state(device, 0, &image_state), OTA_OK);
    assert_int_equal(image_state, OTA_STATE_NEW);
    fixture_set_entry(&fixture, 0, 7, OTA_STATE_ABORTED);
    assert_int_equal(ota_slot_state(device, 0, &image_state), OTA_OK);
    assert_int_equal(image_state, OTA_STATE_ABORTED);
}

/* What is in a slot. */

static void test_describe(void **state)
{
    struct ota_app_descriptor descriptor;

    (void)state;
    assert_int_equal(ota_slot_describe(device, 0, &descriptor), OTA_OK);
    assert_string_equal(descriptor.version, "1.0.0");
    assert_string_equal(descriptor.project, "test");
    assert_int_equal(ota_slot_describe(device, 1, &descriptor), OTA_ERR_IMAGE_MAGIC);
    fixture.chip->memory[OTA_1] = 0xE9;
    assert_int_equal(ota_slot_describe(device, 1, &descriptor), OTA_ERR_IMAGE_DESCRIPTOR);
    assert_int_equal(ota_slot_describe(device, 3, &descriptor), OTA_ERR_NO_PARTITION);
    assert_int_equal(ota_slot_describe(device, OTA_SLOT_NONE, &descriptor), OTA_ERR_NO_PARTITION);
    for (unsigned k = 1; k <= 2; k++) {
        faults_set(FAULT_READ, k);
        assert_int_equal(ota_slot_describe(device, 0, &descriptor), OTA_ERR_FLASH_READ);
    }
}

static void test_verify(void **state)
{
    struct ota_image_check check;

    (void)state;
    assert_int_equal(ota_slot_verify(device, 0, &check), OTA_OK);
    assert_true(check.image.length > 19000);
    assert_int_equal(ota_slot_verify(device, 1, &check), OTA_ERR_IMAGE_MAGIC);
    assert_int_equal(check.failure.err, OTA_ERR_IMAGE_MAGIC);
    assert_int_equal(ota_slot_verify(device, 5, &check), OTA_ERR_NO_PARTITION);
    fixture_break_image(&fixture, 0);
    assert_int_equal(ota_slot_verify(device, 0, &check), OTA_ERR_IMAGE_CHECKSUM);
}

/* Setting the boot slot. */

static void test_set_boot(void **state)
{
    (void)state;
    fixture_put_image(&fixture, 1, 2, 0);
    assert_int_equal(ota_slot_set_boot(device, 1), OTA_OK);
    entry_is(0, 1, OTA_STATE_VALID);
    entry_is(1, 2, OTA_STATE_NEW);
    device->rollback = false;
    assert_int_equal(ota_slot_set_boot(device, 0), OTA_OK);
    entry_is(0, 4, OTA_STATE_UNDEFINED);
    entry_is(1, 2, OTA_STATE_NEW);
    assert_int_equal(ota_slot_set_boot(device, 0), OTA_OK); /* the same again: the same entry */
    entry_is(0, 4, OTA_STATE_UNDEFINED);
}

static void test_set_boot_refuses(void **state)
{
    static const int wrong[] = {3, 16, OTA_SLOT_TEST, OTA_SLOT_NONE, -3};

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_int_equal(ota_slot_set_boot(device, wrong[i]), OTA_ERR_ARGUMENT);
    }
    assert_int_equal(ota_slot_set_boot(device, 1), OTA_ERR_IMAGE_MAGIC);
    assert_int_equal(ota_slot_set_boot(device, OTA_SLOT_FACTORY), OTA_ERR_IMAGE_MAGIC);
    fixture_put_image(&fixture, 1, 2, 0);
    fixture_break_image(&fixture, 1);
    assert_int_equal(ota_slot_set_boot(device, 1), OTA_ERR_IMAGE_CHECKSUM);
    fixture_put_image(&fixture, 1, 2, 4);
    fixture_burn(&fixture, 5);
    assert_int_equal(ota_slot_set_boot(device, 1), OTA_ERR_SECURE_VERSION);
    assert_int_equal(ram_flash_changes(fixture.chip), 0);
    entry_is(0, 1, OTA_STATE_VALID);
}

/* Factory: both entries are erased, that which counts last. */
static void test_set_boot_factory(void **state)
{
    (void)state;
    for (int active = 0; active < 2; active++) {
        fixture_put_image(&fixture, OTA_SLOT_FACTORY, 3, 0);
        for (unsigned k = 1; k <= 2; k++) {
            fixture_set_entry(&fixture, active, 4, OTA_STATE_VALID);
            fixture_set_entry(&fixture, 1 - active, 3, OTA_STATE_VALID);
            faults_set(FAULT_ERASE, k);
            assert_int_equal(ota_slot_set_boot(device, OTA_SLOT_FACTORY), OTA_ERR_FLASH_ERASE);
            entry_is(active, 4, OTA_STATE_VALID);
        }
        assert_int_equal(ota_slot_set_boot(device, OTA_SLOT_FACTORY), OTA_OK);
        entry_is_erased(0);
        entry_is_erased(1);
    }
    assert_int_equal(ota_slot_set_boot(device, OTA_SLOT_FACTORY), OTA_OK); /* none counts */
}

/* The numbers are used up: they start anew, and the old choice stands until the new one does. */
static void test_set_boot_at_the_last_number(void **state)
{
    (void)state;
    for (int trial = 0; trial < 2; trial++) {
        device->rollback = trial == 0;
        fixture_put_image(&fixture, 1, 2, 0);
        fixture_put_image(&fixture, 0, 2, 0);
        fixture_set_entry(&fixture, 0, 7, OTA_STATE_VALID);
        fixture_set_entry(&fixture, 1, 0xFFFFFFFE, OTA_STATE_VALID); /* slot 1 of three */
        assert_int_equal(ota_slot_set_boot(device, 1), OTA_OK);
        entry_is(1, 0xFFFFFFFE, trial == 0 ? OTA_STATE_NEW : OTA_STATE_UNDEFINED);
        faults_set(FAULT_WRITE, 1);
        assert_int_equal(ota_slot_set_boot(device, 0), OTA_ERR_FLASH_WRITE);
        entry_is(1, 0xFFFFFFFE, trial == 0 ? OTA_STATE_NEW : OTA_STATE_UNDEFINED);
        assert_int_equal(ota_slot_set_boot(device, 0), OTA_OK);
        entry_is(0, 1, trial == 0 ? OTA_STATE_NEW : OTA_STATE_UNDEFINED);
        entry_is_erased(1);
    }
}

/* Trial, confirmation. */

static void test_on_trial(void **state)
{
    static const struct {
        uint32_t state;
        bool on_trial;
    } cases[] = {{OTA_STATE_NEW, true},      {OTA_STATE_PENDING_VERIFY, true},
                 {OTA_STATE_VALID, false},   {OTA_STATE_UNDEFINED, false},
                 {OTA_STATE_INVALID, false}, {OTA_STATE_ABORTED, false}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        fixture_set_entry(&fixture, 0, 1, cases[i].state);
        assert_int_equal(ota_slot_is_on_trial(device), cases[i].on_trial);
    }
    fixture_set_entry(&fixture, 0, 1, OTA_STATE_PENDING_VERIFY);
    device->running_slot = 1; /* another runs */
    assert_false(ota_slot_is_on_trial(device));
    device->running_slot = 0;
    device->rollback = false;
    assert_false(ota_slot_is_on_trial(device));
    device->rollback = true;
    faults_set(FAULT_READ, 1);
    assert_false(ota_slot_is_on_trial(device));
    faults_clear();
    assert_true(ota_slot_is_on_trial(device));
}

static void test_confirm(void **state)
{
    (void)state;
    fixture_set_entry(&fixture, 0, 1, OTA_STATE_PENDING_VERIFY);
    assert_int_equal(ota_slot_confirm(device), OTA_OK);
    entry_is(0, 1, OTA_STATE_VALID);
    uint64_t changes = ram_flash_changes(fixture.chip);
    assert_int_equal(ota_slot_confirm(device), OTA_OK); /* no write if it is */
    assert_int_equal(ram_flash_changes(fixture.chip), changes);

    device->running_slot = OTA_SLOT_FACTORY;
    assert_int_equal(ota_slot_confirm(device), OTA_ERR_NO_ACTIVE_ENTRY);
    device->running_slot = 1;
    assert_int_equal(ota_slot_confirm(device), OTA_ERR_NO_ACTIVE_ENTRY);
    device->running_slot = 0;
    fixture_set_entry(&fixture, 0, NONE, 0);
    assert_int_equal(ota_slot_confirm(device), OTA_ERR_NO_ACTIVE_ENTRY);
}

static void confirm_scenario(void *context)
{
    enum ota_err expected = *(const enum ota_err *)context;

    fixture_set_entry(&fixture, 0, 1, OTA_STATE_PENDING_VERIFY);
    fixture_burn(&fixture, 1);
    fixture_put_image(&fixture, 0, 1, 3);
    enum ota_err err = ota_slot_confirm(device);
    assert_int_equal(err, faults_struck() ? expected : OTA_OK);
    assert_int_equal(fixture.fuses.version, err == OTA_OK ? 3 : 1);
}

static void test_confirm_faults(void **state)
{
    static const enum fault_kind kinds[] = {FAULT_READ, FAULT_WRITE, FAULT_ERASE, FAULT_VERIFY};
    static const unsigned places[] = {5, 1, 1, 1};

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        enum ota_err expected = faults_error(kinds[i]);
        assert_int_equal(faults_everywhere(kinds[i], confirm_scenario, &expected), places[i]);
    }
}

/* Confirming raises the floor; an image without a descriptor raises nothing. */
static void test_confirm_raises_the_floor(void **state)
{
    (void)state;
    fixture_burn(&fixture, 0);
    fixture_put_image(&fixture, 0, 1, 6);
    assert_int_equal(ota_slot_confirm(device), OTA_OK); /* also if it is VALID already */
    assert_int_equal(fixture.fuses.version, 6);
    fixture_put_image(&fixture, 0, 1, 4);
    assert_int_equal(ota_slot_confirm(device), OTA_OK);
    assert_int_equal(fixture.fuses.version, 6);
    memset(fixture.chip->memory + OTA_0 + 32, 0, 4);
    assert_int_equal(ota_slot_confirm(device), OTA_OK);
    assert_int_equal(fixture.fuses.version, 6);
    fixture.fuses.broken = true;
    fixture_put_image(&fixture, 0, 1, 9);
    assert_int_equal(ota_slot_confirm(device), OTA_ERR_FLASH_WRITE);
    fixture.chip->memory[OTA_0] = 0;
    assert_int_equal(ota_slot_confirm(device), OTA_ERR_IMAGE_MAGIC);
}

/* Going back. */

static void run_slot_1(uint32_t other_state)
{
    fixture_put_image(&fixture, 1, 2, 0);
    fixture_set_entry(&fixture, 0, 1, other_state);
    fixture_set_entry(&fixture, 1, 2, OTA_STATE_PENDING_VERIFY);
    device->running_slot = 1;
}

static void test_roll_back_to_the_other(void **state)
{
    (void)state;
    run_slot_1(OTA_STATE_VALID);
    assert_int_equal(ota_slot_can_roll_back(device), OTA_OK);
    assert_int_equal(ota_slot_reject(device), OTA_OK);
    entry_is(0, 1, OTA_STATE_VALID);
    entry_is(1, 2, OTA_STATE_INVALID);
    assert_int_equal(ota_slot_reject(device), OTA_ERR_NO_ACTIVE_ENTRY); /* it is not named now */
}

static void test_no_way_back(void **state)
{
    (void)state;
    run_slot_1(OTA_STATE_VALID);
    fixture_break_image(&fixture, 0);
    assert_int_equal(ota_slot_can_roll_back(device), OTA_ERR_NO_ROLLBACK);
    assert_int_equal(ota_slot_reject(device), OTA_ERR_NO_ROLLBACK);
    entry_is(1, 2, OTA_STATE_PENDING_VERIFY);

    run_slot_1(OTA_STATE_ABORTED); /* the other is out: factory, and that is empty */
    assert_int_equal(ota_slot_can_roll_back(device), OTA_ERR_NO_ROLLBACK);

    fixture_set_entry(&fixture, 0, 5, OTA_STATE_VALID); /* both name the running slot */
    fixture_set_entry(&fixture, 1, 8, OTA_STATE_VALID);
    assert_int_equal(ota_slot_can_roll_back(device), OTA_ERR_NO_ROLLBACK);

    device->running_slot = 0;
    assert_int_equal(ota_slot_can_roll_back(device), OTA_ERR_NO_ACTIVE_ENTRY);
}

static void test_roll_back_to_factory(void **state)
{
    (void)state;
    fixture_put_image(&fixture, OTA_SLOT_FACTORY, 3, 0);
    run_slot_1(OTA_STATE_INVALID);
    assert_int_equal(ota_slot_can_roll_back(device), OTA_OK);
    fixture_burn(&fixture, 0); /* fuses in which nothing was burned: no floor */
    assert_int_equal(ota_slot_can_roll_back(device), OTA_OK);
    fixture_burn(&fixture, 1); /* never with a floor */
    assert_int_equal(ota_slot_can_roll_back(device), OTA_ERR_NO_ROLLBACK);
    device->fuses = NULL;
    assert_int_equal(ota_slot_reject(device), OTA_OK);
    entry_is(1, 2, OTA_STATE_INVALID);
}

/* The other image's secure version counts too. */
static void test_roll_back_below_the_floor(void **state)
{
    (void)state;
    run_slot_1(OTA_STATE_VALID);
    fixture_burn(&fixture, 2);
    assert_int_equal(ota_slot_can_roll_back(device), OTA_ERR_NO_ROLLBACK);
    fixture_put_image(&fixture, 0, 1, 2);
    assert_int_equal(ota_slot_can_roll_back(device), OTA_OK);
}

static void reject_scenario(void *context)
{
    enum ota_err expected = *(const enum ota_err *)context;

    run_slot_1(OTA_STATE_VALID);
    enum ota_err err = ota_slot_reject(device);
    if (faults_struck()) {
        /* A fault while the other image is proven: then it is not proven. */
        assert_true(err == expected || err == OTA_ERR_NO_ROLLBACK);
    } else {
        assert_int_equal(err, OTA_OK);
    }
    entry_is(0, 1, OTA_STATE_VALID);
}

static void test_reject_faults(void **state)
{
    static const enum fault_kind kinds[] = {FAULT_READ, FAULT_WRITE, FAULT_ERASE, FAULT_CRYPTO};

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        enum ota_err expected = faults_error(kinds[i]);
        assert_true(faults_everywhere(kinds[i], reject_scenario, &expected) >= 1);
    }
}

/* Leaving the old image behind. */

static void test_erase_last(void **state)
{
    bool blank = false;
    struct ota_region region = ram_flash_region(fixture.chip, OTA_1, SLOT_SIZE);

    (void)state;
    assert_int_equal(ota_slot_erase_last(device), OTA_ERR_NO_PARTITION); /* the other names none */
    ram_flash_fill(fixture.chip, OTA_1, SLOT_SIZE, 4);
    fixture_set_entry(&fixture, 0, 3 * 2 + 1, OTA_STATE_VALID);
    fixture_set_entry(&fixture, 1, 2, OTA_STATE_VALID);
    assert_int_equal(ota_slot_erase_last(device), OTA_OK);
    assert_int_equal(ota_region_is_blank(&region, 0, SLOT_SIZE, &blank), OTA_OK);
    assert_true(blank);
    entry_is(0, 7, OTA_STATE_VALID);
    entry_is_erased(1);
    assert_true(fixture_running_is_whole(&fixture));
    assert_int_equal(ota_slot_erase_last(device), OTA_ERR_NO_PARTITION);

    fixture_set_entry(&fixture, 1, 4, OTA_STATE_VALID); /* names the running slot as well */
    assert_int_equal(ota_slot_erase_last(device), OTA_ERR_RUNNING_SLOT);
    fixture_set_entry(&fixture, 1, NONE, 0);
    fixture_set_entry(&fixture, 0, NONE, 0);
    assert_int_equal(ota_slot_erase_last(device), OTA_ERR_NO_ACTIVE_ENTRY);
    assert_true(fixture_running_is_whole(&fixture));
}

static void erase_last_scenario(void *context)
{
    enum ota_err expected = *(const enum ota_err *)context;

    ram_flash_fill(fixture.chip, OTA_1, SLOT_SIZE, 4);
    memset(fixture.chip->memory + OTA_1 + SLOT_SIZE - SECTOR, 0xFF, SECTOR);
    fixture_set_entry(&fixture, 0, 7, OTA_STATE_VALID);
    fixture_set_entry(&fixture, 1, 2, OTA_STATE_VALID);
    enum ota_err err = ota_slot_erase_last(device);
    assert_int_equal(err, faults_struck() ? expected : OTA_OK);
    entry_is(0, 7, OTA_STATE_VALID);
    assert_true(fixture_running_is_whole(&fixture));
}

static void test_erase_last_faults(void **state)
{
    static const enum fault_kind kinds[] = {FAULT_READ, FAULT_WRITE, FAULT_ERASE, FAULT_VERIFY};

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        enum ota_err expected = faults_error(kinds[i]);
        assert_true(faults_everywhere(kinds[i], erase_last_scenario, &expected) >= 1);
    }
}

static void test_forget(void **state)
{
    (void)state;
    fixture_set_entry(&fixture, 1, 2, OTA_STATE_NEW);
    assert_int_equal(ota_slot_forget(device, 2), OTA_OK); /* named by none */
    assert_int_equal(ram_flash_changes(fixture.chip), 0);
    assert_int_equal(ota_slot_forget(device, 1), OTA_OK);
    entry_is(0, 1, OTA_STATE_VALID);
    entry_is_erased(1);
    fixture_set_entry(&fixture, 0, 2, OTA_STATE_ABORTED); /* both, in any state */
    fixture_set_entry(&fixture, 1, 5, OTA_STATE_INVALID);
    assert_int_equal(ota_slot_forget(device, 1), OTA_OK);
    entry_is_erased(0);
    entry_is_erased(1);
    fixture_set_entry(&fixture, 0, 2, OTA_STATE_VALID);
    faults_set(FAULT_READ, 1);
    assert_int_equal(ota_slot_forget(device, 1), OTA_ERR_FLASH_READ);
    faults_set(FAULT_ERASE, 1);
    assert_int_equal(ota_slot_forget(device, 1), OTA_ERR_FLASH_ERASE);
}

static void test_was_rejected(void **state)
{
    (void)state;
    fixture_put_image(&fixture, 1, 9, 0);
    for (uint32_t mark = OTA_STATE_NEW; mark <= OTA_STATE_ABORTED; mark++) {
        fixture_set_entry(&fixture, 1, 2, mark);
        bool bad = mark == OTA_STATE_INVALID || mark == OTA_STATE_ABORTED;
        assert_int_equal(ota_slot_was_rejected(device, "1.0.0"), bad);
        assert_false(ota_slot_was_rejected(device, "1.0.1"));
        assert_false(ota_slot_was_rejected(device, ""));
    }
    memset(fixture.chip->memory + OTA_1, 0, 64); /* it no longer says what it was */
    assert_false(ota_slot_was_rejected(device, "1.0.0"));
}

/* The layout of a larger chip than there is. */
static void test_layout_of_another_chip(void **state)
{
    struct ram_flash *small = ram_flash_new(2 * SECTOR, SECTOR, 0, 1);
    int slot;

    (void)state;
    device->flash = &small->faulty.flash;
    assert_int_equal(ota_slot_boot(device, &slot), OTA_ERR_BOUNDS);
    assert_int_equal(ota_slot_confirm(device), OTA_ERR_BOUNDS);
    ram_flash_free(small);
}

static void test_read_errors(void **state)
{
    enum ota_image_state image_state;
    int slot;

    (void)state;
    faults_set(FAULT_READ, 1);
    assert_int_equal(ota_slot_boot(device, &slot), OTA_ERR_FLASH_READ);
    faults_set(FAULT_READ, 2);
    assert_int_equal(ota_slot_state(device, 0, &image_state), OTA_ERR_FLASH_READ);
    faults_set(FAULT_READ, 1);
    assert_int_equal(ota_slot_can_roll_back(device), OTA_ERR_FLASH_READ);
    faults_set(FAULT_READ, 1);
    assert_int_equal(ota_slot_erase_last(device), OTA_ERR_FLASH_READ);
}

int main(void)
{
#define WITH_DEVICE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        WITH_DEVICE(test_next),
        WITH_DEVICE(test_boot),
        WITH_DEVICE(test_boot_by_default),
        WITH_DEVICE(test_no_otadata),
        WITH_DEVICE(test_no_slots),
        WITH_DEVICE(test_state),
        WITH_DEVICE(test_describe),
        WITH_DEVICE(test_verify),
        WITH_DEVICE(test_set_boot),
        WITH_DEVICE(test_set_boot_refuses),
        WITH_DEVICE(test_set_boot_factory),
        WITH_DEVICE(test_set_boot_at_the_last_number),
        WITH_DEVICE(test_on_trial),
        WITH_DEVICE(test_confirm),
        WITH_DEVICE(test_confirm_faults),
        WITH_DEVICE(test_confirm_raises_the_floor),
        WITH_DEVICE(test_roll_back_to_the_other),
        WITH_DEVICE(test_no_way_back),
        WITH_DEVICE(test_roll_back_to_factory),
        WITH_DEVICE(test_roll_back_below_the_floor),
        WITH_DEVICE(test_reject_faults),
        WITH_DEVICE(test_erase_last),
        WITH_DEVICE(test_erase_last_faults),
        WITH_DEVICE(test_forget),
        WITH_DEVICE(test_was_rejected),
        WITH_DEVICE(test_layout_of_another_chip),
        WITH_DEVICE(test_read_errors),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
