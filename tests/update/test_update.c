/* SPDX-License-Identifier: Apache-2.0 */
/* The update from begin to activate: its states, its refusals, and what is on the flash after
   it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "transfer.h"

#define LEN 70000u
#define NONE 0xFFFFFFFFu

static struct ota_device *const device = &fixture.device;

static int set_up(void **state)
{
    (void)state;
    transfer_open(LEN, "2.0.0");
    return 0;
}

static void fails(enum ota_err err, uint32_t offset)
{
    assert_int_equal(update.state, OTA_UPDATE_FAILED);
    assert_int_equal(update.failure.err, err);
    assert_int_equal(update.failure.offset, offset);
    assert_false(fixture_is_named(&fixture, 1));
}

static void has_no_journal(const char *label)
{
    struct ota_identity identity;
    uint32_t size;
    uint32_t offset;

    assert_int_equal(ota_update_pending(device, label, &identity, &size, &offset), OTA_ERR_NO_DATA);
}

/* The whole way. */

static void test_whole(void **state)
{
    struct ota_app_descriptor descriptor;
    struct ota_otadata_entry entry;

    (void)state;
    transfer_begin();
    assert_int_equal(update.slot, 1);
    assert_string_equal(update.partition.label, "ota_1");
    assert_int_equal(update.received, 0);
    assert_int_equal(ota_update_write(&update, image, len), OTA_OK);
    assert_int_equal(update.received, len);
    assert_false(fixture_is_named(&fixture, 1));
    assert_int_equal(ota_update_end(&update), OTA_OK);
    assert_memory_equal(fixture.chip->memory + OTA_1, image, len);
    assert_false(fixture_is_named(&fixture, 1)); /* proven is not activated */
    assert_true(ota_image_app_descriptor(&update.check.image, &descriptor));
    assert_string_equal(descriptor.version, "2.0.0");
    assert_int_equal(ota_update_activate(&update), OTA_OK);
    assert_int_equal(update.state, OTA_UPDATE_IDLE);
    entry = fixture_entry(&fixture, 1);
    assert_int_equal(entry.sequence, 2);
    assert_int_equal(entry.state, OTA_STATE_NEW);
    assert_int_equal(fixture_entry(&fixture, 0).sequence, 1);
    assert_int_equal(update.failure.err, OTA_OK);
}

static void test_by_label(void **state)
{
    (void)state;
    device->running_slot = OTA_SLOT_FACTORY;
    options.label = "ota_1";
    transfer_prove();
    assert_int_equal(update.slot, 1);
    assert_memory_equal(fixture.chip->memory + OTA_1, image, len);
}

/* Any split, either buffer, known or unknown size: the same content. */
static void test_splits(void **state)
{
    static const uint32_t pieces[] = {1, 0, 13, 256, 1000, 4096, 65536, 1u << 30};

    (void)state;
    for (uint32_t p = 0; p < sizeof pieces / sizeof pieces[0]; p++) {
        for (uint32_t variant = 0; variant < 4; variant++) {
            options.size = variant % 2 == 0 ? len : OTA_SIZE_UNKNOWN;
            options.buffer_size = variant < 2 ? SECTOR : 256;
            ram_flash_fill(fixture.chip, OTA_1, SLOT_SIZE, p * 4 + variant);
            transfer_begin();
            for (uint32_t done = 0, n = 0; done < len; n++) {
                uint32_t next = pieces[p] != 0 ? pieces[p] : noise(p, n) % 9000;
                next = next < len - done ? next : len - done;
                assert_int_equal(ota_update_write(&update, image + done, next), OTA_OK);
                done += next;
            }
            assert_int_equal(ota_update_end(&update), OTA_OK);
            assert_memory_equal(fixture.chip->memory + OTA_1, image, len);
        }
    }
}

/* States. */

static void test_calls_in_wrong_states(void **state)
{
    uint32_t offset = 77;

    (void)state;
    /* IDLE */
    assert_int_equal(ota_update_write(&update, image, 1), OTA_ERR_STATE);
    assert_int_equal(ota_update_end(&update), OTA_ERR_STATE);
    assert_int_equal(ota_update_activate(&update), OTA_ERR_STATE);
    ota_update_suspend(&update);
    ota_update_abort(&update);
    assert_int_equal(update.state, OTA_UPDATE_IDLE);
    /* RECEIVING */
    transfer_begin();
    assert_int_equal(ota_update_write(&update, image, 1000), OTA_OK);
    assert_int_equal(ota_update_begin(&update, &options), OTA_ERR_STATE);
    assert_int_equal(ota_update_resume(&update, &options, &offset), OTA_ERR_STATE);
    assert_int_equal(ota_update_activate(&update), OTA_ERR_STATE);
    assert_int_equal(update.state, OTA_UPDATE_RECEIVING);
    assert_int_equal(update.received, 1000); /* nothing changed: it goes on */
    assert_int_equal(ota_update_write(&update, image + 1000, len - 1000), OTA_OK);
    assert_int_equal(ota_update_end(&update), OTA_OK);
    /* PROVEN */
    assert_int_equal(ota_update_write(&update, image, 1), OTA_ERR_STATE);
    assert_int_equal(ota_update_end(&update), OTA_ERR_STATE);
    assert_int_equal(update.state, OTA_UPDATE_PROVEN);
    assert_int_equal(ota_update_activate(&update), OTA_OK);
    assert_int_equal(ota_update_activate(&update), OTA_ERR_STATE);
}

static void test_failed_keeps_its_cause(void **state)
{
    (void)state;
    transfer_begin();
    assert_int_equal(ota_update_write(&update, "X", 1), OTA_ERR_IMAGE_MAGIC);
    fails(OTA_ERR_IMAGE_MAGIC, 0);
    assert_int_equal(ota_update_write(&update, image, len), OTA_ERR_IMAGE_MAGIC);
    assert_int_equal(ota_update_end(&update), OTA_ERR_IMAGE_MAGIC);
    assert_int_equal(ota_update_activate(&update), OTA_ERR_STATE);
    fails(OTA_ERR_IMAGE_MAGIC, 0);
    transfer_prove(); /* and a new one begins from there */
    assert_int_equal(update.failure.err, OTA_OK);
}

static void test_begin_again(void **state)
{
    (void)state;
    transfer_prove();
    transfer_prove(); /* from PROVEN */
    ota_update_suspend(&update);
    assert_int_equal(update.state, OTA_UPDATE_IDLE);
    assert_int_equal(ota_update_activate(&update), OTA_ERR_STATE);
    transfer_prove();
    ota_update_abort(&update);
    assert_int_equal(update.state, OTA_UPDATE_IDLE);
    assert_int_equal(ota_update_activate(&update), OTA_ERR_STATE);
    assert_false(fixture_is_named(&fixture, 1));
}

/* Refusals of begin. */

static void refused(enum ota_err err)
{
    struct ota_identity identity;
    uint64_t changes = ram_flash_changes(fixture.chip);
    uint32_t offset = 77;
    uint32_t size;

    assert_int_equal(ota_update_begin(&update, &options), err);
    assert_int_equal(update.state, OTA_UPDATE_FAILED);
    assert_int_equal(update.failure.err, err);
    assert_int_equal(ota_update_resume(&update, &options, &offset), err);
    assert_int_equal(offset, 0);
    assert_int_equal(ram_flash_changes(fixture.chip), changes); /* nothing erased before that */
    if (err != OTA_ERR_ARGUMENT && err != OTA_ERR_TOO_LARGE) {
        assert_int_equal(ota_update_pending(device, options.label, &identity, &size, &offset), err);
    }
    memset(&update, 0, sizeof update);
}

static void test_begin_arguments(void **state)
{
    const struct ota_update_options good = options;

    (void)state;
    options.size = 0;
    refused(OTA_ERR_ARGUMENT);
    options = good;
    options.buffer = NULL;
    refused(OTA_ERR_ARGUMENT);
    options = good;
    options.buffer_size = 0;
    refused(OTA_ERR_ARGUMENT);
    options = good;
    options.device = NULL;
    assert_int_equal(ota_update_begin(&update, &options), OTA_ERR_ARGUMENT);
    options = good;
}

static void test_targets(void **state)
{
    static const struct {
        const char *label;
        enum ota_err err;
    } targets[] = {
        {"absent", OTA_ERR_NO_PARTITION}, {"", OTA_ERR_NO_PARTITION},
        {"ota_0", OTA_ERR_RUNNING_SLOT},  {"ota_2", OTA_ERR_READ_ONLY},
        {"locked", OTA_ERR_READ_ONLY},    {"factory", OTA_ERR_ARGUMENT},
        {"test", OTA_ERR_ARGUMENT},       {"tee_0", OTA_ERR_ARGUMENT},
        {"custom", OTA_ERR_ARGUMENT},     {"otadata", OTA_ERR_ARGUMENT},
    };

    (void)state;
    for (size_t i = 0; i < sizeof targets / sizeof targets[0]; i++) {
        options.label = targets[i].label;
        refused(targets[i].err);
    }
    options.label = NULL;
    device->running_slot = 1; /* the next is ota_2, read-only */
    refused(OTA_ERR_READ_ONLY);
    device->running_slot = 0;
}

static void test_no_slot_left(void **state)
{
    static const struct table_row rows[] = {{1, 0x00, OTADATA, 2 * SECTOR, "otadata", 0},
                                            {0, 0x10, OTA_0, SLOT_SIZE, "ota_0", 0}};

    (void)state;
    fixture_set_table(&fixture, rows, 2);
    refused(OTA_ERR_NO_PARTITION);
}

/* A slot that no entry of otadata could ever choose is not worth the writing. */
static void test_slots_that_cannot_boot(void **state)
{
    static const struct table_row gap[] = {{1, 0x00, OTADATA, 2 * SECTOR, "otadata", 0},
                                           {0, 0x10, OTA_0, SLOT_SIZE, "ota_0", 0},
                                           {0, 0x12, OTA_2, SLOT_SIZE, "ota_2", 0}};
    static const struct table_row bare[] = {{0, 0x10, OTA_0, SLOT_SIZE, "ota_0", 0},
                                            {0, 0x11, OTA_1, SLOT_SIZE, "ota_1", 0}};

    (void)state;
    fixture_set_table(&fixture, gap, 3);
    options.label = "ota_2";
    refused(OTA_ERR_NO_OTADATA);
    fixture_set_table(&fixture, bare, 2);
    options.label = NULL;
    refused(OTA_ERR_NO_OTADATA);
}

static void test_unconfirmed(void **state)
{
    (void)state;
    fixture_set_entry(&fixture, 0, 1, OTA_STATE_PENDING_VERIFY);
    refused(OTA_ERR_UNCONFIRMED);
    options.label = "storage"; /* data may be written meanwhile */
    options.size = 100;
    transfer_begin();
    ota_update_abort(&update);
    options.label = NULL;
    options.size = len;
    assert_int_equal(ota_slot_confirm(device), OTA_OK);
    transfer_begin();
}

static void test_too_large_at_begin(void **state)
{
    (void)state;
    options.size = SLOT_SIZE + 1;
    refused(OTA_ERR_TOO_LARGE);
    options.label = "storage";
    options.size = STORAGE_SIZE + 1;
    refused(OTA_ERR_TOO_LARGE);
    options.label = "ragged"; /* whole sectors count */
    options.size = 2 * SECTOR + 1;
    refused(OTA_ERR_TOO_LARGE);
    options.label = "half";
    options.size = 1;
    refused(OTA_ERR_TOO_LARGE);
    options.label = NULL;
    options.size = SLOT_SIZE;
    transfer_begin();
}

/* Invariant U1: an update withdraws a choice of the target, and nothing else. */
static void test_update_withdraws_the_choice(void **state)
{
    (void)state;
    fixture_put_image(&fixture, 1, 9, 0);
    assert_int_equal(ota_slot_set_boot(device, 1), OTA_OK);
    assert_true(fixture_is_named(&fixture, 1));
    transfer_begin();
    assert_int_equal(ota_update_write(&update, image, 256), OTA_OK);
    assert_false(fixture_is_named(&fixture, 1));
    assert_true(fixture_is_named(&fixture, 0));
}

/* Failures on the way. */

static void test_image_errors(void **state)
{
    (void)state;
    transfer_begin();
    image[len - 100] ^= 1;
    assert_int_equal(ota_update_write(&update, image, len), OTA_ERR_IMAGE_CHECKSUM);
    fails(OTA_ERR_IMAGE_CHECKSUM, len - 33);
    image[len - 100] ^= 1;

    transfer_begin();
    image[12] = 9;
    assert_int_equal(ota_update_write(&update, image, len), OTA_ERR_IMAGE_CHIP);
    fails(OTA_ERR_IMAGE_CHIP, 12);
    image[12] = 0;

    fixture_burn(&fixture, 3);
    transfer_begin();
    assert_int_equal(ota_update_write(&update, image, len), OTA_ERR_SECURE_VERSION);
    assert_int_equal(fixture.fuses.version, 3);
}

/* An image that fails in its header costs no flash: it is refused before the first erase. */
static void test_nothing_written_for_a_bad_header(void **state)
{
    (void)state;
    options.size = OTA_SIZE_UNKNOWN;
    ram_flash_fill(fixture.chip, OTA_1, SLOT_SIZE - SECTOR, 3);
    transfer_begin();
    uint64_t changes = ram_flash_changes(fixture.chip);
    image[0] = 0x7F;
    assert_int_equal(ota_update_write(&update, image, len), OTA_ERR_IMAGE_MAGIC);
    assert_true(ram_flash_changes(fixture.chip) <= changes + 1); /* the mark goes */
    for (uint32_t i = 0; i < SLOT_SIZE - SECTOR; i += 97) {
        assert_int_equal(fixture.chip->memory[OTA_1 + i], (uint8_t)noise(3, i));
    }
}

static void test_too_many_bytes(void **state)
{
    (void)state;
    memset(image + len, 0, 100);
    transfer_begin(); /* the size is known */
    assert_int_equal(ota_update_write(&update, image, len), OTA_OK);
    assert_int_equal(ota_update_write(&update, image, 0), OTA_OK);
    assert_int_equal(ota_update_write(&update, image + len, 1), OTA_ERR_TOO_LARGE);
    fails(OTA_ERR_TOO_LARGE, len);

    options.size = OTA_SIZE_UNKNOWN; /* the image tells */
    transfer_begin();
    assert_int_equal(ota_update_write(&update, image, len + 1), OTA_ERR_TOO_LARGE);
    fails(OTA_ERR_TOO_LARGE, len);

    options.allow_trailer = true; /* the partition tells */
    transfer_begin();
    assert_int_equal(ota_update_write(&update, image, SLOT_SIZE + 1), OTA_ERR_TOO_LARGE);
    fails(OTA_ERR_TOO_LARGE, SLOT_SIZE);
}

static void test_trailer(void **state)
{
    (void)state;
    memset(image + len, 0x77, 500);
    options.allow_trailer = true;
    len += 500;
    options.size = len;
    transfer_prove();
    assert_memory_equal(fixture.chip->memory + OTA_1, image, len);
    assert_int_equal(update.check.image.length, len - 500);
}

static void test_too_few_bytes(void **state)
{
    (void)state;
    transfer_begin();
    assert_int_equal(ota_update_end(&update), OTA_ERR_NO_DATA);
    fails(OTA_ERR_NO_DATA, 0);
    transfer_begin();
    assert_int_equal(ota_update_write(&update, image, 0), OTA_OK);
    assert_int_equal(ota_update_end(&update), OTA_ERR_NO_DATA);
    transfer_begin();
    assert_int_equal(ota_update_write(&update, image, len - 1), OTA_OK);
    assert_int_equal(ota_update_end(&update), OTA_ERR_INCOMPLETE);
    fails(OTA_ERR_INCOMPLETE, len - 1);
    options.size = OTA_SIZE_UNKNOWN;
    transfer_begin();
    assert_int_equal(ota_update_write(&update, image, len - 1), OTA_OK);
    assert_int_equal(ota_update_end(&update), OTA_ERR_IMAGE_TRUNCATED);
    fails(OTA_ERR_IMAGE_TRUNCATED, len - 1);
    /* The image is whole, and more was announced. */
    options.size = len + 1;
    transfer_begin();
    assert_int_equal(ota_update_write(&update, image, len), OTA_OK);
    assert_int_equal(ota_update_end(&update), OTA_ERR_INCOMPLETE);
}

static void test_expected_digest(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        transfer_expect(i == 0 ? OTA_HASH_SHA256 : OTA_HASH_MD5);
        transfer_prove();
        options.expected.bytes[i == 0 ? 31 : 15] ^= 0x80; /* the last byte counts */
        transfer_begin();
        assert_int_equal(ota_update_write(&update, image, len), OTA_OK);
        assert_int_equal(ota_update_end(&update), OTA_ERR_DIGEST);
        fails(OTA_ERR_DIGEST, len);
        has_no_journal(NULL);
    }
}

/* U4: a failed or aborted update leaves no journal; a proven one neither. */
static void test_no_journal_is_left(void **state)
{
    (void)state;
    transfer_expect(OTA_HASH_MD5);
    transfer_prove();
    has_no_journal(NULL);
    transfer_begin();
    assert_int_equal(ota_update_write(&update, image, 40000), OTA_OK);
    ota_update_abort(&update);
    has_no_journal(NULL);
    transfer_begin();
    assert_int_equal(ota_update_write(&update, image, 40000), OTA_OK);
    assert_int_equal(ota_update_write(&update, image + 40000, 40000), OTA_ERR_TOO_LARGE);
    has_no_journal(NULL);
}

/* Data partitions. */

static void test_data(void **state)
{
    struct ota_otadata_entry before = fixture_entry(&fixture, 0);
    struct ota_otadata_entry after;

    (void)state;
    options.label = "storage";
    options.size = STORAGE_SIZE;
    memset(image, 0x3C, STORAGE_SIZE);
    len = STORAGE_SIZE;
    transfer_prove();
    assert_int_equal(update.slot, OTA_SLOT_NONE);
    assert_memory_equal(fixture.chip->memory + STORAGE, image, STORAGE_SIZE);
    assert_int_equal(ota_update_activate(&update), OTA_OK);
    assert_int_equal(update.state, OTA_UPDATE_IDLE);
    after = fixture_entry(&fixture, 0);
    assert_memory_equal(&after, &before, sizeof before);
    assert_int_equal(fixture_entry(&fixture, 1).sequence, NONE);
}

static void test_data_of_unknown_size(void **state)
{
    (void)state;
    options.label = "ragged";
    options.size = OTA_SIZE_UNKNOWN;
    transfer_begin();
    assert_int_equal(ota_update_write(&update, image, 2 * SECTOR), OTA_OK);
    assert_int_equal(ota_update_write(&update, image, 1), OTA_ERR_TOO_LARGE);
    assert_int_equal(update.failure.offset, 2 * SECTOR);
    options.label = "sector";
    transfer_begin();
    assert_int_equal(ota_update_write(&update, image, 10), OTA_OK);
    assert_int_equal(ota_update_end(&update), OTA_OK);
    assert_memory_equal(fixture.chip->memory + 0xB4000, image, 10);
    options.label = "half";
    transfer_begin();
    assert_int_equal(ota_update_write(&update, image, 1), OTA_ERR_TOO_LARGE);
}

/* A transfer that fills its partition to the last byte has no room for a journal, and none is
   kept. */
static void test_full_partition(void **state)
{
    (void)state;
    options.label = "storage";
    options.size = STORAGE_SIZE;
    len = STORAGE_SIZE;
    transfer_expect(OTA_HASH_MD5);
    transfer_begin();
    assert_int_equal(ota_update_write(&update, image, 40000), OTA_OK);
    ota_update_suspend(&update);
    has_no_journal("storage");
    transfer_prove();
    assert_memory_equal(fixture.chip->memory + STORAGE, image, STORAGE_SIZE);
}

/* Activation. */

/* All that will be written is erased before the first byte is, and nothing after that. */
static void test_erase_ahead(void **state)
{
    (void)state;
    options.erase_ahead = true;
    ram_flash_fill(fixture.chip, OTA_1, SLOT_SIZE, 9);
    transfer_begin();
    assert_int_equal(ota_update_write(&update, image, 300), OTA_OK);
    assert_int_equal(update.writer.stats.block_erases, 1);
    assert_int_equal(update.writer.stats.sector_erases, 2);
    assert_int_equal(ota_update_write(&update, image + 300, len - 300), OTA_OK);
    assert_int_equal(ota_update_end(&update), OTA_OK);
    assert_int_equal(update.writer.stats.block_erases, 1);
    assert_int_equal(update.writer.stats.sector_erases, 2);
    assert_memory_equal(fixture.chip->memory + OTA_1, image, len);
}

static void test_activate_can_be_tried_again(void **state)
{
    static const enum fault_kind kinds[] = {FAULT_READ, FAULT_ERASE, FAULT_WRITE, FAULT_VERIFY};

    (void)state;
    transfer_prove();
    for (size_t i = 0; i < 4; i++) {
        faults_set(kinds[i], 1);
        assert_int_equal(ota_update_activate(&update), faults_error(kinds[i]));
        assert_int_equal(update.state, OTA_UPDATE_PROVEN);
        assert_true(fixture_is_named(&fixture, 0)); /* the old choice stands */
    }
    assert_int_equal(ota_update_activate(&update), OTA_OK);
    assert_true(fixture_is_named(&fixture, 1));
}

/* The table was replaced while the update was under way: the slot is none any more. */
static void test_activate_under_another_table(void **state)
{
    static const struct table_row rows[] = {{1, 0x00, OTADATA, 2 * SECTOR, "otadata", 0},
                                            {0, 0x10, OTA_0, SLOT_SIZE, "ota_0", 0}};

    (void)state;
    transfer_prove();
    fixture_set_table(&fixture, rows, 2);
    assert_int_equal(ota_update_activate(&update), OTA_ERR_ARGUMENT);
    assert_int_equal(update.state, OTA_UPDATE_PROVEN);
    assert_int_equal(fixture_entry(&fixture, 0).sequence, 1);
}

/* A row that changed since the table was verified: the target no longer begins at a sector. */
static void test_row_decays(void **state)
{
    (void)state;
    fixture.chip->memory[OTA_PARTITION_TABLE_OFFSET + 4 * OTA_PARTITION_ROW_SIZE + 5] = 0x01;
    assert_int_equal(ota_update_begin(&update, &options), OTA_ERR_ALIGNMENT);
    assert_int_equal(ram_flash_changes(fixture.chip), 0);
}

static void test_activate_without_rollback(void **state)
{
    (void)state;
    device->rollback = false;
    transfer_prove();
    assert_int_equal(ota_update_activate(&update), OTA_OK);
    assert_int_equal(fixture_entry(&fixture, 1).state, OTA_STATE_UNDEFINED);
}

int main(void)
{
#define WITH_DEVICE(test) cmocka_unit_test_setup_teardown(test, set_up, transfer_close)
    const struct CMUnitTest tests[] = {
        WITH_DEVICE(test_whole),
        WITH_DEVICE(test_by_label),
        WITH_DEVICE(test_splits),
        WITH_DEVICE(test_calls_in_wrong_states),
        WITH_DEVICE(test_failed_keeps_its_cause),
        WITH_DEVICE(test_begin_again),
        WITH_DEVICE(test_begin_arguments),
        WITH_DEVICE(test_targets),
        WITH_DEVICE(test_no_slot_left),
        WITH_DEVICE(test_slots_that_cannot_boot),
        WITH_DEVICE(test_unconfirmed),
        WITH_DEVICE(test_too_large_at_begin),
        WITH_DEVICE(test_update_withdraws_the_choice),
        WITH_DEVICE(test_image_errors),
        WITH_DEVICE(test_nothing_written_for_a_bad_header),
        WITH_DEVICE(test_too_many_bytes),
        WITH_DEVICE(test_trailer),
        WITH_DEVICE(test_too_few_bytes),
        WITH_DEVICE(test_expected_digest),
        WITH_DEVICE(test_no_journal_is_left),
        WITH_DEVICE(test_data),
        WITH_DEVICE(test_data_of_unknown_size),
        WITH_DEVICE(test_full_partition),
        WITH_DEVICE(test_erase_ahead),
        WITH_DEVICE(test_activate_can_be_tried_again),
        WITH_DEVICE(test_activate_under_another_table),
        WITH_DEVICE(test_row_decays),
        WITH_DEVICE(test_activate_without_rollback),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
