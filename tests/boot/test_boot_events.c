/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every access to the flash during a boot, failed once each, over devices in every condition: the
 * boot ends, tells what it could not do, chooses only what it has proven, and the next boot is as
 * if nothing had been.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "boot/stage.h"

#define STATES 6
#define EVENTS 64

static struct stage stage;

struct event_log {
    enum ota_boot_event event[EVENTS];
    int slot[EVENTS];
    struct ota_failure failure[EVENTS];
    size_t count;
};

static struct event_log events;

static void record(void *context, const struct ota_boot *boot, enum ota_boot_event event, int slot,
                   struct ota_failure failure)
{
    struct event_log *log = context;

    (void)boot;
    assert_true(log->count < EVENTS);
    log->event[log->count] = event;
    log->slot[log->count] = slot;
    log->failure[log->count] = failure;
    log->count++;
}

static enum ota_err decide(struct ota_boot *boot)
{
    uint8_t buffer[64];

    memset(boot, 0, sizeof *boot);
    memset(&events, 0, sizeof events);
    boot->device = &stage.device;
    boot->read = ota_image_read;
    boot->on_event = record;
    boot->context = &events;
    return ota_boot_decide(boot, buffer, sizeof buffer);
}

static bool happened(enum ota_boot_event event)
{
    for (size_t i = 0; i < events.count; i++) {
        if (events.event[i] == event) {
            return true;
        }
    }
    return false;
}

/* The last event is the decision; errors go with the events that are about one. */
static void check_events(const struct ota_boot *boot, enum ota_err err)
{
    assert_true(events.count > 0);
    assert_int_equal(events.event[events.count - 1],
                     err == OTA_OK ? OTA_BOOT_CHOSEN : OTA_BOOT_NOTHING);
    assert_int_equal(events.slot[events.count - 1], boot->slot);
    for (size_t i = 0; i < events.count; i++) {
        bool is_error =
            events.event[i] == OTA_BOOT_TABLE_BAD || events.event[i] == OTA_BOOT_OTADATA_BAD ||
            events.event[i] == OTA_BOOT_IMAGE_BAD || events.event[i] == OTA_BOOT_BELOW_FLOOR ||
            events.event[i] == OTA_BOOT_STATE_UNSAVED || events.event[i] == OTA_BOOT_NOTHING;
        assert_int_equal(events.failure[i].err != OTA_OK, is_error);
    }
}

static struct model_device device_in_state(unsigned first, unsigned second, bool rollback,
                                           bool factory, bool fuses)
{
    static const uint32_t states[STATES] = {0, 1, 2, 3, 4, 0xFFFFFFFF};
    struct model_device model = {
        .otadata = MODEL_OTADATA_THERE, .rollback = rollback, .floor = fuses ? 1 : MODEL_NO_FUSES};

    model.ota[0] = (struct model_place){MODEL_VALID, 1};
    model.ota[1] = (struct model_place){MODEL_VALID, 2};
    model.factory = (struct model_place){factory ? MODEL_VALID : MODEL_ABSENT, 1};
    model.entry[0] = (struct model_entry){1, states[first % STATES], true};
    model.entry[1] = (struct model_entry){2, states[second % STATES], true};
    if (first == STATES) { /* nothing was ever written */
        model.entry[0] = (struct model_entry){0xFFFFFFFF, 0xFFFFFFFF, false};
        model.entry[1] = model.entry[0];
    }
    return model;
}

/* Boots with the k-th access of a kind failing, for k = 1, 2, … until none does. */
static unsigned fail_each(const struct model_device *model, unsigned *fault)
{
    for (unsigned k = 1;; k++) {
        struct ota_boot boot;

        stage_set(&stage, model);
        *fault = k;
        enum ota_err err = decide(&boot);
        bool struck = *fault == 0;
        *fault = 0;

        check_events(&boot, err);
        assert_int_equal(stage.misplaced, 0);
        if (err == OTA_OK) {
            assert_int_equal(boot.region.offset, stage_offset(boot.slot));
            assert_int_equal(stage.device.running_slot, boot.slot);
            if (boot.on_trial) {
                assert_true(happened(OTA_BOOT_ON_TRIAL));
            }
        } else {
            assert_int_equal(boot.slot, OTA_SLOT_NONE);
            assert_int_not_equal(boot.failure.err, OTA_OK);
        }
        if (!struck) {
            assert_int_equal(err, OTA_OK);
            return k - 1;
        }
        assert_true(happened(OTA_BOOT_STATE_UNSAVED) || happened(OTA_BOOT_IMAGE_BAD) ||
                    happened(OTA_BOOT_OTADATA_BAD) || happened(OTA_BOOT_TABLE_BAD) ||
                    happened(OTA_BOOT_BELOW_FLOOR));
        /* The board is not lost: what could not be read or written can be the next time. */
        assert_int_equal(decide(&boot), OTA_OK);
    }
}

static void test_every_access(void **state)
{
    unsigned reads = 0;
    unsigned writes = 0;
    unsigned erases = 0;

    (void)state;
    for (unsigned n = 0; n < (STATES + 1) * STATES * 8; n++) {
        struct model_device model =
            device_in_state(n % (STATES + 1), n / (STATES + 1) % STATES, n / 42 % 2 != 0,
                            n / 84 % 2 != 0, n / 168 % 2 != 0);
        reads += fail_each(&model, &stage.faults.read);
        writes += fail_each(&model, &stage.faults.write);
        erases += fail_each(&model, &stage.faults.erase);
    }
    assert_true(reads > 5000);
    assert_true(writes > 50);
    assert_int_equal(writes, erases); /* each write follows an erase */
}

/* The first boot of a board without a factory app: what happens, in order. */
static void test_first_boot(void **state)
{
    static const enum ota_boot_event expected[] = {OTA_BOOT_OTADATA_EMPTY, OTA_BOOT_ENTRY_WRITTEN,
                                                   OTA_BOOT_CHOSEN};
    struct model_device model = device_in_state(STATES, 0, true, false, false);
    struct ota_boot boot;

    (void)state;
    stage_set(&stage, &model);
    assert_int_equal(decide(&boot), OTA_OK);
    assert_int_equal(events.count, 3);
    assert_memory_equal(events.event, expected, sizeof expected);
    assert_int_equal(boot.slot, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_access),
        cmocka_unit_test(test_first_boot),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
