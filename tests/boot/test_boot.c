/* SPDX-License-Identifier: Apache-2.0 */
/* What ota_boot_decide tells on its way, and what it does when the flash or the fuses fail it. The
   choices themselves are the oracle's: test_oracle.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "boot/stage.h"
#include "support/images.h"

#define EVENTS_MAX 16

struct told {
    enum ota_boot_event event;
    int slot;
    enum ota_err err;
    uint32_t offset;
};

static struct stage stage;
static struct ota_boot boot;
static struct told told[EVENTS_MAX];
static int told_count;

static void on_event(void *context, const struct ota_boot *self, enum ota_boot_event event,
                     int slot, struct ota_failure failure)
{
    assert_ptr_equal(context, told);
    assert_ptr_equal(self, &boot);
    assert_true(told_count < EVENTS_MAX);
    told[told_count++] = (struct told){event, slot, failure.err, failure.offset};
}

static enum ota_err decide(void)
{
    uint8_t buffer[64];

    told_count = 0;
    boot.device = &stage.device;
    boot.read = ota_image_read;
    boot.on_event = on_event;
    boot.context = told;
    return ota_boot_decide(&boot, buffer, sizeof buffer);
}

/* Demands exactly these events. */
static void assert_told(const struct told *expected, int count)
{
    for (int i = 0; i < count && i < told_count; i++) {
        if (told[i].event != expected[i].event || told[i].slot != expected[i].slot ||
            told[i].err != expected[i].err || told[i].offset != expected[i].offset) {
            print_error("event %d: \"%s\", slot %d, %s at %u; expected \"%s\", slot %d, %s at %u\n",
                        i, ota_boot_event_text(told[i].event), told[i].slot,
                        ota_err_name(told[i].err), (unsigned)told[i].offset,
                        ota_boot_event_text(expected[i].event), expected[i].slot,
                        ota_err_name(expected[i].err), (unsigned)expected[i].offset);
            fail();
        }
    }
    assert_int_equal(told_count, count);
}

#define ASSERT_TOLD(...)                                                       \
    do {                                                                       \
        const struct told expected_[] = {__VA_ARGS__};                         \
        assert_told(expected_, (int)(sizeof expected_ / sizeof expected_[0])); \
    } while (0)

static const struct model_entry blank = {0xFFFFFFFF, 0xFFFFFFFF, false};

/* Two good slots and no factory; entry 0 names slot 0 and is confirmed, entry 1 is blank. */
static struct model_device two_slots(void)
{
    return (struct model_device){
        .ota = {{MODEL_VALID, 1}, {MODEL_VALID, 2}},
        .otadata = MODEL_OTADATA_THERE,
        .entry = {{1, OTA_STATE_VALID, true}, blank},
        .rollback = true,
        .floor = MODEL_NO_FUSES,
    };
}

static struct model_entry entry_now(int index)
{
    const uint8_t *bytes = stage.memory + STAGE_OTADATA + (uint32_t)index * STAGE_UNIT;
    struct ota_otadata_entry entry;

    ota_otadata_entry_decode(bytes, &entry);
    return (struct model_entry){entry.sequence, entry.state,
                                entry.crc == ota_otadata_crc(entry.sequence)};
}

static void test_tells_the_choice(void **state)
{
    struct model_device model = two_slots();

    (void)state;
    stage_set(&stage, &model);
    assert_int_equal(decide(), OTA_OK);
    ASSERT_TOLD({OTA_BOOT_SELECTED, 0, OTA_OK, 0}, {OTA_BOOT_CHOSEN, 0, OTA_OK, 0});
    assert_int_equal(boot.slot, 0);
    assert_false(boot.on_trial);
    assert_int_equal(boot.failure.err, OTA_OK);
    assert_int_equal(boot.check.image.length, 416);
    assert_null(boot.check.rules); /* they were local to the boot */
    assert_int_equal(stage.changes, 0);
}

static void test_tells_the_trial_and_its_end(void **state)
{
    struct model_device model = two_slots();

    (void)state;
    model.entry[1] = (struct model_entry){2, OTA_STATE_NEW, true};
    stage_set(&stage, &model);
    assert_int_equal(decide(), OTA_OK);
    ASSERT_TOLD({OTA_BOOT_SELECTED, 1, OTA_OK, 0}, {OTA_BOOT_ON_TRIAL, 1, OTA_OK, 0},
                {OTA_BOOT_CHOSEN, 1, OTA_OK, 0});
    assert_true(boot.on_trial);

    assert_int_equal(decide(), OTA_OK);
    ASSERT_TOLD({OTA_BOOT_TAKEN_BACK, 1, OTA_OK, 0}, {OTA_BOOT_SELECTED, 0, OTA_OK, 0},
                {OTA_BOOT_CHOSEN, 0, OTA_OK, 0});
    assert_false(boot.on_trial);
    assert_int_equal(boot.slot, 0);
}

/* What an entry shares its program unit with stays erased. */
static void test_entries_are_padded(void **state)
{
    struct model_device model = two_slots();
    const uint8_t *entry = stage.memory + STAGE_OTADATA + STAGE_UNIT;

    (void)state;
    model.entry[1] = (struct model_entry){2, OTA_STATE_NEW, true};
    stage_set(&stage, &model);
    stage.flash.write_size = 64;
    assert_int_equal(decide(), OTA_OK);
    assert_true(boot.on_trial);
    for (int i = 32; i < 64; i++) {
        assert_int_equal(entry[i], 0xFF);
    }
}

static void test_tells_of_bad_images(void **state)
{
    struct model_device model = two_slots();

    (void)state;
    model.ota[0].content = MODEL_DAMAGED;
    model.ota[1].content = MODEL_BLANK;
    stage_set(&stage, &model);
    assert_int_equal(decide(), OTA_ERR_NOTHING_BOOTABLE);
    ASSERT_TOLD({OTA_BOOT_SELECTED, 0, OTA_OK, 0},
                {OTA_BOOT_IMAGE_BAD, 0, OTA_ERR_IMAGE_CHECKSUM, 383},
                {OTA_BOOT_IMAGE_BAD, 1, OTA_ERR_IMAGE_MAGIC, 0},
                {OTA_BOOT_NOTHING, OTA_SLOT_NONE, OTA_ERR_IMAGE_CHECKSUM, 383});
    assert_int_equal(boot.slot, OTA_SLOT_NONE);
    assert_int_equal(stage.device.running_slot, OTA_SLOT_NONE);
    assert_int_equal(boot.failure.err, OTA_ERR_IMAGE_CHECKSUM);
    assert_int_equal(boot.failure.offset, 383);
}

static void test_a_trial_of_a_bad_image_is_none(void **state)
{
    struct model_device model = two_slots();

    (void)state;
    model.entry[1] = (struct model_entry){2, OTA_STATE_NEW, true};
    model.ota[1].content = MODEL_DAMAGED;
    stage_set(&stage, &model);
    assert_int_equal(decide(), OTA_OK);
    assert_int_equal(boot.slot, 0);
    assert_false(boot.on_trial);
}

static void test_nothing_at_all(void **state)
{
    struct model_device model = {.otadata = MODEL_OTADATA_ABSENT, .floor = MODEL_NO_FUSES};

    (void)state;
    stage_set(&stage, &model);
    assert_int_equal(decide(), OTA_ERR_NOTHING_BOOTABLE);
    ASSERT_TOLD({OTA_BOOT_NO_OTADATA, OTA_SLOT_NONE, OTA_OK, 0},
                {OTA_BOOT_NOTHING, OTA_SLOT_NONE, OTA_ERR_NOTHING_BOOTABLE, 0});
    assert_int_equal(boot.failure.err, OTA_ERR_NOTHING_BOOTABLE);
}

static void test_bad_table(void **state)
{
    struct model_device model = two_slots();

    (void)state;
    stage_set(&stage, &model);
    stage.memory[32] = 0; /* the second row's mark */
    stage.device.running_slot = 7;
    boot.slot = 7;
    boot.failure = (struct ota_failure){OTA_ERR_TIMEOUT, 9};
    assert_int_equal(decide(), OTA_ERR_TABLE_ROW);
    ASSERT_TOLD({OTA_BOOT_TABLE_BAD, OTA_SLOT_NONE, OTA_ERR_TABLE_ROW, 32},
                {OTA_BOOT_NOTHING, OTA_SLOT_NONE, OTA_ERR_TABLE_ROW, 32});
    assert_int_equal(boot.slot, OTA_SLOT_NONE);
    assert_int_equal(stage.device.running_slot, OTA_SLOT_NONE);
    assert_int_equal(boot.failure.err, OTA_ERR_TABLE_ROW);
    assert_int_equal(boot.failure.offset, 32);
}

static void test_a_device_that_cannot_be(void **state)
{
    struct model_device model = two_slots();

    (void)state;
    stage_set(&stage, &model);
    stage.flash.write_size = 3;
    assert_int_equal(decide(), OTA_ERR_ARGUMENT);
    ASSERT_TOLD({OTA_BOOT_TABLE_BAD, OTA_SLOT_NONE, OTA_ERR_ARGUMENT, 0},
                {OTA_BOOT_NOTHING, OTA_SLOT_NONE, OTA_ERR_ARGUMENT, 0});
}

static void test_small_otadata(void **state)
{
    struct model_device model = two_slots();

    (void)state;
    model.otadata = MODEL_OTADATA_SMALL;
    stage_set(&stage, &model);
    assert_int_equal(decide(), OTA_ERR_NOTHING_BOOTABLE);
    ASSERT_TOLD({OTA_BOOT_OTADATA_BAD, OTA_SLOT_NONE, OTA_ERR_NO_OTADATA, 0},
                {OTA_BOOT_NOTHING, OTA_SLOT_NONE, OTA_ERR_NOTHING_BOOTABLE, 0});
}

static void test_empty_otadata(void **state)
{
    struct model_device model = two_slots();

    (void)state;
    model.entry[0] = blank;
    stage_set(&stage, &model);
    assert_int_equal(decide(), OTA_OK);
    ASSERT_TOLD({OTA_BOOT_OTADATA_EMPTY, OTA_SLOT_NONE, OTA_OK, 0},
                {OTA_BOOT_ENTRY_WRITTEN, 0, OTA_OK, 0}, {OTA_BOOT_CHOSEN, 0, OTA_OK, 0});
    assert_int_equal(entry_now(0).sequence, 1);
    assert_int_equal(entry_now(0).state, OTA_STATE_VALID);
}

static void test_entries_that_choose_nothing(void **state)
{
    struct model_device model = two_slots();

    (void)state;
    model.entry[0] = (struct model_entry){1, OTA_STATE_VALID, false};
    model.entry[1] = (struct model_entry){2, OTA_STATE_ABORTED, true};
    stage_set(&stage, &model);
    assert_int_equal(decide(), OTA_OK);
    ASSERT_TOLD({OTA_BOOT_OTADATA_EMPTY, OTA_SLOT_NONE, OTA_OK, 0},
                {OTA_BOOT_CHOSEN, 0, OTA_OK, 0});
}

static void test_entries_without_slots(void **state)
{
    struct model_device model = {
        .factory = {MODEL_VALID, 0},
        .otadata = MODEL_OTADATA_THERE,
        .entry = {{1, OTA_STATE_PENDING_VERIFY, true}, {2, OTA_STATE_VALID, true}},
        .rollback = true,
        .floor = MODEL_NO_FUSES,
    };

    (void)state;
    stage_set(&stage, &model);
    assert_int_equal(decide(), OTA_OK);
    ASSERT_TOLD({OTA_BOOT_TAKEN_BACK, OTA_SLOT_NONE, OTA_OK, 0},
                {OTA_BOOT_OTADATA_EMPTY, OTA_SLOT_NONE, OTA_OK, 0},
                {OTA_BOOT_CHOSEN, OTA_SLOT_FACTORY, OTA_OK, 0});
}

/* A trial that cannot be noted could go on for ever: the image is not booted. */
static void test_a_trial_that_cannot_be_noted(void **state)
{
    static const struct {
        struct stage_faults faults;
        enum ota_err err;
    } cases[] = {{{.write = 1}, OTA_ERR_FLASH_WRITE}, {{.erase = 1}, OTA_ERR_FLASH_ERASE}};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct model_device model = two_slots();
        model.entry[1] = (struct model_entry){2, OTA_STATE_NEW, true};
        stage_set(&stage, &model);
        stage.faults = cases[i].faults;
        assert_int_equal(decide(), OTA_OK);
        ASSERT_TOLD({OTA_BOOT_SELECTED, 1, OTA_OK, 0}, {OTA_BOOT_STATE_UNSAVED, 1, cases[i].err, 0},
                    {OTA_BOOT_SELECTED, 0, OTA_OK, 0}, {OTA_BOOT_CHOSEN, 0, OTA_OK, 0});
        assert_int_equal(boot.slot, 0);
        assert_false(boot.on_trial);
    }
}

static void test_no_entry_left_after_a_trial_that_cannot_be_noted(void **state)
{
    struct model_device model = two_slots();

    (void)state;
    model.entry[0] = (struct model_entry){1, OTA_STATE_NEW, true};
    model.entry[1] = (struct model_entry){2, OTA_STATE_NEW, true};
    stage_set(&stage, &model);
    stage.faults.erase = 1;
    assert_int_equal(decide(), OTA_OK);
    assert_int_equal(boot.slot, 0); /* the other entry, on trial */
    assert_true(boot.on_trial);
}

/* The image was not confirmed: it is passed over, also if that cannot be noted. */
static void test_taking_back_that_cannot_be_noted(void **state)
{
    struct model_device model = two_slots();

    (void)state;
    model.entry[1] = (struct model_entry){2, OTA_STATE_PENDING_VERIFY, true};
    stage_set(&stage, &model);
    stage.faults.write = 1;
    assert_int_equal(decide(), OTA_OK);
    ASSERT_TOLD({OTA_BOOT_STATE_UNSAVED, 1, OTA_ERR_FLASH_WRITE, 0},
                {OTA_BOOT_SELECTED, 0, OTA_OK, 0}, {OTA_BOOT_CHOSEN, 0, OTA_OK, 0});
}

static void test_a_first_entry_that_cannot_be_written(void **state)
{
    struct model_device model = two_slots();

    (void)state;
    model.entry[0] = blank;
    stage_set(&stage, &model);
    stage.faults.write = 1;
    assert_int_equal(decide(), OTA_OK);
    ASSERT_TOLD({OTA_BOOT_OTADATA_EMPTY, OTA_SLOT_NONE, OTA_OK, 0},
                {OTA_BOOT_STATE_UNSAVED, 0, OTA_ERR_FLASH_WRITE, 0},
                {OTA_BOOT_CHOSEN, 0, OTA_OK, 0});
}

/* Whichever read fails, something is chosen or the cause is told. */
static void test_each_read_may_fail(void **state)
{
    struct model_device model = two_slots();
    unsigned n = 0;

    (void)state;
    model.floor = 1;
    do {
        stage_set(&stage, &model);
        stage.faults.read = ++n;
        enum ota_err err = decide();
        if (err == OTA_OK) {
            assert_true(boot.slot == 0 || boot.slot == 1);
            assert_int_equal(told[told_count - 1].event, OTA_BOOT_CHOSEN);
        } else {
            assert_true(err == OTA_ERR_FLASH_READ || err == OTA_ERR_NOTHING_BOOTABLE);
            assert_int_equal(boot.slot, OTA_SLOT_NONE);
            assert_int_equal(told[told_count - 1].event, OTA_BOOT_NOTHING);
            assert_int_equal(boot.failure.err, told[told_count - 1].err);
        }
    } while (stage.faults.read == 0);
    assert_true(n > 10);
}

static void test_otadata_that_cannot_be_read(void **state)
{
    struct model_device model = two_slots();
    unsigned n = 0;
    bool told_of_otadata = false;

    (void)state;
    do {
        stage_set(&stage, &model);
        stage.faults.read = ++n;
        enum ota_err err = decide();
        if (told[0].event == OTA_BOOT_OTADATA_BAD) {
            told_of_otadata = true;
            assert_int_equal(err, OTA_ERR_NOTHING_BOOTABLE);
            ASSERT_TOLD({OTA_BOOT_OTADATA_BAD, OTA_SLOT_NONE, OTA_ERR_FLASH_READ, 0},
                        {OTA_BOOT_NOTHING, OTA_SLOT_NONE, OTA_ERR_NOTHING_BOOTABLE, 0});
        }
    } while (stage.faults.read == 0);
    assert_true(told_of_otadata);
}

static void test_floor(void **state)
{
    struct model_device model = two_slots();

    (void)state;
    model.entry[1] = (struct model_entry){2, OTA_STATE_VALID, true};
    model.ota[1].secure_version = 0;
    model.floor = 1;
    stage_set(&stage, &model);
    assert_int_equal(decide(), OTA_OK);
    ASSERT_TOLD({OTA_BOOT_BELOW_FLOOR, 1, OTA_ERR_SECURE_VERSION, 0},
                {OTA_BOOT_SELECTED, 0, OTA_OK, 0}, {OTA_BOOT_CHOSEN, 0, OTA_OK, 0});
    assert_int_equal(stage.fuses.version, 1);
}

static void test_floor_that_cannot_be_raised(void **state)
{
    struct model_device model = two_slots();

    (void)state;
    model.floor = 0;
    stage_set(&stage, &model);
    stage.fuses.broken = true;
    assert_int_equal(decide(), OTA_OK);
    ASSERT_TOLD({OTA_BOOT_SELECTED, 0, OTA_OK, 0},
                {OTA_BOOT_STATE_UNSAVED, 0, OTA_ERR_FLASH_WRITE, 0},
                {OTA_BOOT_CHOSEN, 0, OTA_OK, 0});
    assert_int_equal(stage.fuses.version, 0);
}

/* Only the image of a confirmed entry raises it, whatever an earlier boot found. */
static void test_floor_stays_without_a_confirmed_entry(void **state)
{
    struct model_device model = two_slots();

    (void)state;
    model.factory = (struct model_place){MODEL_VALID, 2};
    model.floor = 0;
    stage_set(&stage, &model);
    assert_int_equal(decide(), OTA_OK);
    assert_int_equal(stage.fuses.version, 1);

    model.entry[0] = (struct model_entry){1, OTA_STATE_ABORTED, true};
    stage_set_entries(&stage, &model);
    assert_int_equal(decide(), OTA_OK);
    assert_int_equal(boot.slot, OTA_SLOT_FACTORY);
    assert_int_equal(stage.fuses.version, 0);
}

static void test_test_app(void **state)
{
    struct model_device model = two_slots();

    (void)state;
    model.test = (struct model_place){MODEL_VALID, 0};
    stage_set(&stage, &model);
    boot.test_app = true;
    enum ota_err err = decide();
    boot.test_app = false;
    assert_int_equal(err, OTA_OK);
    ASSERT_TOLD({OTA_BOOT_CHOSEN, OTA_SLOT_TEST, OTA_OK, 0});
}

static void test_without_a_listener(void **state)
{
    struct model_device model = two_slots();
    uint8_t buffer[32];

    (void)state;
    stage_set(&stage, &model);
    boot.on_event = NULL;
    assert_int_equal(ota_boot_decide(&boot, buffer, sizeof buffer), OTA_OK);
    assert_int_equal(boot.slot, 0);
}

static void test_event_texts(void **state)
{
    (void)state;
    for (int event = OTA_BOOT_TABLE_BAD; event <= OTA_BOOT_NOTHING; event++) {
        const char *text = ota_boot_event_text((enum ota_boot_event)event);
        assert_true(strlen(text) > 5);
        assert_string_not_equal(text, "unknown event");
        for (int other = OTA_BOOT_TABLE_BAD; other < event; other++) {
            assert_string_not_equal(text, ota_boot_event_text((enum ota_boot_event)other));
        }
    }
    assert_string_equal(ota_boot_event_text((enum ota_boot_event)(OTA_BOOT_NOTHING + 1)),
                        "unknown event");
    assert_string_equal(ota_boot_event_text(OTA_BOOT_IMAGE_BAD), "image does not verify");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tells_the_choice),
        cmocka_unit_test(test_tells_the_trial_and_its_end),
        cmocka_unit_test(test_entries_are_padded),
        cmocka_unit_test(test_tells_of_bad_images),
        cmocka_unit_test(test_a_trial_of_a_bad_image_is_none),
        cmocka_unit_test(test_nothing_at_all),
        cmocka_unit_test(test_bad_table),
        cmocka_unit_test(test_a_device_that_cannot_be),
        cmocka_unit_test(test_small_otadata),
        cmocka_unit_test(test_empty_otadata),
        cmocka_unit_test(test_entries_that_choose_nothing),
        cmocka_unit_test(test_entries_without_slots),
        cmocka_unit_test(test_a_trial_that_cannot_be_noted),
        cmocka_unit_test(test_no_entry_left_after_a_trial_that_cannot_be_noted),
        cmocka_unit_test(test_taking_back_that_cannot_be_noted),
        cmocka_unit_test(test_a_first_entry_that_cannot_be_written),
        cmocka_unit_test(test_each_read_may_fail),
        cmocka_unit_test(test_otadata_that_cannot_be_read),
        cmocka_unit_test(test_floor),
        cmocka_unit_test(test_floor_that_cannot_be_raised),
        cmocka_unit_test(test_floor_stays_without_a_confirmed_entry),
        cmocka_unit_test(test_test_app),
        cmocka_unit_test(test_without_a_listener),
        cmocka_unit_test(test_event_texts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
