/* SPDX-License-Identifier: Apache-2.0 */
/* Trial boots, more than one of them: docs/formats/otadata.md section 3.1. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include <updraft/slot.h>

#include "boot/stage.h"
#include "support/images.h"

#define ENTRY_0 STAGE_OTADATA
#define ENTRY_1 (STAGE_OTADATA + STAGE_UNIT)

static struct stage stage;
static struct ota_boot boot;
static unsigned told[OTA_BOOT_NOTHING + 1]; /* how often each event was told */

static void on_event(void *context, const struct ota_boot *self, enum ota_boot_event event,
                     int slot, struct ota_failure failure)
{
    (void)context;
    (void)self;
    (void)slot;
    (void)failure;
    told[event]++;
}

/* An old image in slot 0, confirmed; a new one in slot 1, set to boot. */
static void set_up_update(void)
{
    const struct model_device model = {
        .ota = {{MODEL_VALID, 0}, {MODEL_VALID, 0}},
        .otadata = MODEL_OTADATA_THERE,
        .entry = {{1, OTA_STATE_VALID, true}, {2, OTA_STATE_NEW, true}},
        .rollback = true,
        .floor = MODEL_NO_FUSES,
    };

    stage_set(&stage, &model);
    memset(stage.memory + ENTRY_1 + 4, 0xFF, 20);
}

/* Boots; returns the slot. */
static int start(uint8_t trial_boots)
{
    uint8_t buffer[256];

    memset(&boot, 0, sizeof boot);
    memset(told, 0, sizeof told);
    boot.device = &stage.device;
    boot.read = ota_image_read;
    boot.on_event = on_event;
    boot.trial_boots = trial_boots;
    assert_int_equal(ota_boot_decide(&boot, buffer, sizeof buffer), OTA_OK);
    assert_int_equal(stage.misplaced, 0);
    return boot.slot;
}

static uint32_t state_of(uint32_t entry)
{
    return stage.memory[entry + 24];
}

static void test_every_number(void **state)
{
    (void)state;
    for (unsigned trials = 0; trials <= 255; trials++) {
        set_up_update();
        for (unsigned n = 1; n <= (trials == 0 ? 1 : trials); n++) {
            assert_int_equal(start((uint8_t)trials), 1);
            assert_true(boot.on_trial);
            assert_int_equal(boot.trial_boot, n);
            assert_int_equal(told[OTA_BOOT_ON_TRIAL], 1);
            assert_int_equal(told[OTA_BOOT_TAKEN_BACK], 0);
            assert_int_equal(state_of(ENTRY_1), OTA_STATE_PENDING_VERIFY);
        }
        assert_int_equal(start((uint8_t)trials), 0);
        assert_false(boot.on_trial);
        assert_int_equal(told[OTA_BOOT_TAKEN_BACK], 1);
        assert_int_equal(state_of(ENTRY_1), OTA_STATE_ABORTED);
        assert_int_equal(start((uint8_t)trials), 0);
        assert_int_equal(told[OTA_BOOT_TAKEN_BACK], 0);
    }
}

/* The entry is as the original would have written it, but for two bytes of the label that nobody
   looks at; with one trial boot, down to these. */
static void test_bytes(void **state)
{
    static const uint8_t pending[32] = {2,    0,    0,    0,    0xFF, 0xFF, 0xFF, 0xFF,
                                        0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
                                        0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
                                        1,    0,    0,    0,    0x74, 0x37, 0xF6, 0x55};
    uint8_t counted[32];

    (void)state;
    set_up_update();
    (void)start(1);
    assert_memory_equal(stage.memory + ENTRY_1, pending, 32);
    memcpy(counted, pending, 32);
    set_up_update();
    for (uint8_t n = 1; n <= 3; n++) {
        (void)start(3);
        counted[4] = n;
        counted[5] = (uint8_t)~n;
        assert_memory_equal(stage.memory + ENTRY_1, counted, 32);
    }
}

/* A confirmed image boots for good, whatever its label still says. */
static void test_confirmed(void **state)
{
    (void)state;
    set_up_update();
    (void)start(3);
    (void)start(3);
    stage.memory[ENTRY_1 + 24] = OTA_STATE_VALID;
    stage.changes = 0;
    for (int i = 0; i < 5; i++) {
        assert_int_equal(start(3), 1);
        assert_false(boot.on_trial);
    }
    assert_int_equal(stage.changes, 0);
}

/* The original bootloader and one that allows a single trial take it back after what they find to be
   the first. And one that finds a label which is no count counts the one boot that there was. */
static void test_others(void **state)
{
    (void)state;
    set_up_update();
    (void)start(3);
    assert_int_equal(start(1), 0);
    assert_int_equal(state_of(ENTRY_1), OTA_STATE_ABORTED);

    set_up_update();
    memset(stage.memory + ENTRY_1 + 4, STAGE_LABEL, 20);
    (void)start(1);
    assert_int_equal(stage.memory[ENTRY_1 + 4], STAGE_LABEL);
    assert_int_equal(start(3), 1);
    assert_int_equal(boot.trial_boot, 2);
    assert_int_equal(stage.memory[ENTRY_1 + 4], 2);
    assert_int_equal(stage.memory[ENTRY_1 + 6], STAGE_LABEL);
}

/* A count that an earlier image left behind says nothing of a new one. */
static void test_stale_count(void **state)
{
    (void)state;
    set_up_update();
    for (int i = 0; i < 4; i++) {
        (void)start(3);
    }
    assert_int_equal(state_of(ENTRY_1), OTA_STATE_ABORTED);
    stage.memory[ENTRY_1 + 24] = OTA_STATE_NEW;
    assert_int_equal(start(3), 1);
    assert_int_equal(boot.trial_boot, 1);
}

static void test_without_rollback(void **state)
{
    (void)state;
    set_up_update();
    stage.device.rollback = false;
    stage.changes = 0;
    for (int i = 0; i < 5; i++) {
        assert_int_equal(start(3), 1);
        assert_false(boot.on_trial);
    }
    assert_int_equal(stage.changes, 0);
}

/* Power fails between erase and write, or the write fails, at each of the trials: the image boots no
   oftener than it may, and the old one is there. */
static void test_cuts(void **state)
{
    (void)state;
    for (int kind = 0; kind < 2; kind++) {
        for (unsigned cut = 1; cut <= 3; cut++) {
            unsigned boots = 0;
            set_up_update();
            while (boots < 5) {
                bool fails = boots + 1 == cut;
                stage.faults.write = fails && kind == 0;
                stage.faults.erase = fails && kind == 1;
                int slot = start(3);
                stage.faults = (struct stage_faults){0};
                if (slot != 1) {
                    assert_int_equal(slot, 0);
                    break;
                }
                boots++;
            }
            assert_true(boots < cut);
            /* If only the erase failed, the entry is as it was, and the trials go on. */
            for (unsigned more = boots; more < 3 && kind == 1; more++) {
                assert_int_equal(start(3), 1);
                assert_int_equal(boot.trial_boot, more + 1);
            }
            assert_int_equal(start(3), 0);
        }
    }
}

/* An image that does not verify is given its trials, too: it may be the flash that was disturbed. */
static void test_damaged(void **state)
{
    (void)state;
    set_up_update();
    stage.memory[stage_offset(1) + 320] ^= 1;
    assert_int_equal(start(2), 0);
    assert_false(boot.on_trial);
    assert_int_equal(told[OTA_BOOT_IMAGE_BAD], 1);
    stage.memory[stage_offset(1) + 320] ^= 1;
    assert_int_equal(start(2), 1);
    assert_int_equal(boot.trial_boot, 2);
    assert_int_equal(start(2), 0);
}

/* However often it boots on trial, the floor of the secure version stays; it rises with the
   confirmation, and not before. */
static void test_floor(void **state)
{
    (void)state;
    for (unsigned trials = 1; trials <= 3; trials++) {
        set_up_update();
        memset(stage.memory + stage_offset(1), 0xFF, STAGE_UNIT);
        assert_true(image_make(stage.memory + stage_offset(1), STAGE_UNIT,
                               &(struct image_facts){.secure_version = 7}) > 0);
        stage.device.fuses = &stage.fuses.fuses;
        stage.fuses.version = 0;
        for (unsigned n = 0; n < trials; n++) {
            assert_int_equal(start((uint8_t)trials), 1);
            assert_int_equal(stage.fuses.version, 0);
        }
        assert_int_equal(ota_slot_confirm(&stage.device), OTA_OK);
        assert_int_equal(stage.fuses.version, 7);
        assert_int_equal(start((uint8_t)trials), 1);
        assert_false(boot.on_trial);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_number), cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_confirmed),    cmocka_unit_test(test_others),
        cmocka_unit_test(test_stale_count),  cmocka_unit_test(test_without_rollback),
        cmocka_unit_test(test_cuts),         cmocka_unit_test(test_damaged),
        cmocka_unit_test(test_floor),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
