/* SPDX-License-Identifier: Apache-2.0 */
/* Going on with an interrupted update: from where, and when not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "transfer.h"

#define LEN 100000u
#define INTERVAL 0x8000u

static int set_up(void **state)
{
    (void)state;
    transfer_open(LEN, NULL);
    options.etag = "\"v2\"";
    return 0;
}

/* The power goes: the object is gone, the flash stays. */
static void lose_power(void)
{
    struct ota_crypto const *crypto = fixture.device.crypto;

    if (update.check.hash_begun) {
        crypto->hash_abort(&update.check.hash);
    }
    if (update.md5_begun) {
        crypto->hash_abort(&update.md5);
    }
    memset(&update, 0, sizeof update);
}

static void write_up_to(uint32_t end)
{
    assert_int_equal(ota_update_write(&update, image + update.received, end - update.received),
                     OTA_OK);
}

static void begin_and_write(uint32_t end)
{
    assert_int_equal(ota_update_begin(&update, &options), OTA_OK);
    write_up_to(end);
}

static uint32_t resume(void)
{
    uint32_t offset = 12345;

    assert_int_equal(ota_update_resume(&update, &options, &offset), OTA_OK);
    assert_int_equal(update.state, OTA_UPDATE_RECEIVING);
    assert_int_equal(offset, update.received);
    return offset;
}

static void finish(void)
{
    write_up_to(len);
    assert_int_equal(ota_update_end(&update), OTA_OK);
    assert_memory_equal(fixture.chip->memory + OTA_1, image, len);
    assert_int_equal(ota_update_activate(&update), OTA_OK);
    assert_true(fixture_is_named(&fixture, 1));
}

static enum ota_err pending(uint32_t *size, uint32_t *offset)
{
    struct ota_identity identity;

    return ota_update_pending(&fixture.device, NULL, &identity, size, offset);
}

/* After a loss of power: from the last multiple of the interval. */
static void test_after_power_loss(void **state)
{
    (void)state;
    for (uint32_t cut = 1; cut < len; cut += 9973) {
        begin_and_write(cut);
        lose_power();
        assert_int_equal(resume(), cut / INTERVAL * INTERVAL);
        finish();
    }
}

/* After a suspend: from the sector in which it stopped. */
static void test_after_suspend(void **state)
{
    (void)state;
    for (uint32_t cut = 1; cut < len; cut += 9973) {
        uint32_t size = 0;
        uint32_t offset = 0;

        begin_and_write(cut);
        ota_update_suspend(&update);
        assert_int_equal(update.state, OTA_UPDATE_IDLE);
        enum ota_err err = pending(&size, &offset);
        if (cut < SECTOR) {
            assert_int_equal(err, OTA_ERR_NO_DATA);
        } else {
            assert_int_equal(err, OTA_OK);
            assert_int_equal(size, len);
            assert_int_equal(offset, cut / SECTOR * SECTOR);
        }
        assert_int_equal(resume(), cut / SECTOR * SECTOR);
        finish();
    }
}

/* Stopped at the very end: nothing more is wanted but what is in the last sector. */
static void test_suspend_at_the_end(void **state)
{
    (void)state;
    begin_and_write(len);
    ota_update_suspend(&update);
    assert_int_equal(resume(), len / SECTOR * SECTOR);
    finish();
}

/* Again and again, with a page buffer as well as a sector buffer. */
static void test_many_times(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        uint32_t at = 0;
        options.buffer_size = i == 0 ? 256 : SECTOR;
        begin_and_write(5000);
        for (uint32_t n = 0; at < len - 5000; n++) {
            if (n % 2 == 0) {
                ota_update_suspend(&update);
            } else {
                lose_power();
            }
            at = resume();
            at = at + 5000 < len ? at + 4000 + noise(3, n) % 1000 : len;
            write_up_to(at);
        }
        finish();
    }
}

static void test_identities(void **state)
{
    static const enum ota_hash_algorithm algorithms[] = {OTA_HASH_SHA256, OTA_HASH_MD5};
    struct ota_identity identity;
    uint32_t size;
    uint32_t offset;

    (void)state;
    for (int i = 0; i < 2; i++) {
        transfer_expect(algorithms[i]); /* goes before the tag */
        begin_and_write(70000);
        lose_power();
        assert_int_equal(ota_update_pending(&fixture.device, NULL, &identity, &size, &offset),
                         OTA_OK);
        assert_int_equal(identity.kind, i == 0 ? OTA_IDENTITY_SHA256 : OTA_IDENTITY_MD5);
        assert_memory_equal(identity.bytes, options.expected.bytes, identity.len);
        assert_int_equal(size, len);
        assert_int_equal(offset, 2 * INTERVAL);
        assert_int_equal(resume(), 2 * INTERVAL); /* the MD5 of what is there was made again */
        finish();
    }
}

/* Something else is offered: it starts afresh, and with its first bytes the old journal is gone. */
static void test_other_transfers(void **state)
{
    const struct ota_update_options good = options;
    uint32_t size;
    uint32_t offset;

    (void)state;
    for (int i = 0; i < 5; i++) {
        options = good;
        begin_and_write(70000);
        lose_power();
        switch (i) {
        case 0:
            options.etag = "\"v3\"";
            break;
        case 1:
            options.size = len + 1;
            break;
        case 2:
            options.size = OTA_SIZE_UNKNOWN;
            break;
        case 3:
            options.etag = NULL;
            break;
        default:
            transfer_expect(OTA_HASH_SHA256);
            break;
        }
        assert_int_equal(resume(), 0);
        assert_int_equal(pending(&size, &offset), OTA_OK);
        write_up_to(256);
        lose_power();
        assert_int_equal(pending(&size, &offset), OTA_ERR_NO_DATA);
    }
    options = good;
    begin_and_write(70000); /* begin never goes on */
    lose_power();
    begin_and_write(0);
    assert_int_equal(update.received, 0);
    finish();
}

/* What lies on the flash is not what the checkpoint says: from the start. */
static void test_claims_are_proven(void **state)
{
    static const uint32_t places[] = {0, 300, INTERVAL, 2 * INTERVAL - 1};

    (void)state;
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        begin_and_write(70000);
        lose_power();
        fixture.chip->memory[OTA_1 + places[i]] ^= 0x10;
        assert_int_equal(resume(), 0);
        finish();
    }
    begin_and_write(70000); /* behind the checkpoint nothing was claimed */
    lose_power();
    fixture.chip->memory[OTA_1 + 2 * INTERVAL] ^= 0x10;
    assert_int_equal(resume(), 2 * INTERVAL);
    finish();
}

/* The rules of the device changed meanwhile: what is there is checked by those of now. */
static void test_rules_of_now(void **state)
{
    (void)state;
    begin_and_write(70000);
    lose_power();
    fixture_burn(&fixture, 4);
    assert_int_equal(resume(), 0);
    assert_int_equal(ota_update_write(&update, image, len), OTA_ERR_SECURE_VERSION);
}

static void test_nothing_to_resume(void **state)
{
    uint32_t size;
    uint32_t offset;

    (void)state;
    assert_int_equal(pending(&size, &offset), OTA_ERR_NO_DATA);
    assert_int_equal(resume(), 0);
    write_up_to(INTERVAL - 1); /* no checkpoint yet */
    lose_power();
    assert_int_equal(pending(&size, &offset), OTA_ERR_NO_DATA);
    assert_int_equal(resume(), 0);
    finish();
}

/* A data partition is resumed like an app, whatever names the transfer; `spoil` changes a byte that
   a checkpoint speaks of, so that nothing is left to be gone on with. */
static void resume_data(bool spoil)
{
    struct ota_identity identity;
    uint32_t size;
    uint32_t offset;

    begin_and_write(40000);
    lose_power();
    fixture.chip->memory[STORAGE + 100] ^= spoil ? 1 : 0;
    assert_int_equal(ota_update_pending(&fixture.device, "storage", &identity, &size, &offset),
                     OTA_OK);
    assert_int_equal(offset, INTERVAL);
    assert_int_equal(resume(), spoil ? 0 : INTERVAL);
    write_up_to(len);
    assert_int_equal(ota_update_end(&update), OTA_OK);
    assert_memory_equal(fixture.chip->memory + STORAGE, image, len);
}

static void test_data(void **state)
{
    (void)state;
    options.label = "storage";
    options.size = len = 50000;
    for (int spoil = 0; spoil < 2; spoil++) {
        options.expected.algorithm = OTA_HASH_NONE; /* the tag names it */
        resume_data(spoil == 1);
        transfer_expect(OTA_HASH_SHA256);
        resume_data(spoil == 1);
        transfer_expect(OTA_HASH_MD5);
        resume_data(spoil == 1);
    }
}

/* Behind an update that was cut short, what reads blank may be half erased: a fresh begin erases
   it. */
static void test_begin_heals(void **state)
{
    const uint32_t *wear = fixture.chip->wear + OTA_1 / SECTOR;

    (void)state;
    begin_and_write(70000);
    assert_int_equal(wear[25], 0); /* blank, and believed to be */
    lose_power();
    options.etag = "\"v3\"";
    begin_and_write(255);
    assert_int_equal(wear[25], 1);
    finish();
    assert_int_equal(wear[25], 1);
}

/* Suspending twice, or where nothing new came, adds nothing. */
static void test_suspend_is_idle(void **state)
{
    (void)state;
    begin_and_write(2 * INTERVAL);
    uint64_t changes = ram_flash_changes(fixture.chip);
    ota_update_suspend(&update);
    assert_int_equal(ram_flash_changes(fixture.chip), changes);
    ota_update_suspend(&update);
    assert_int_equal(ram_flash_changes(fixture.chip), changes);
    /* Once suspended the journal is nobody's: an abort leaves it to who resumes. */
    ota_update_abort(&update);
    assert_int_equal(resume(), 2 * INTERVAL);
    ota_update_abort(&update);
    assert_int_equal(resume(), 0);
}

/* What is buffered cannot be written: the last checkpoint stands, and a later resume goes on
   there. */
static void test_suspend_that_cannot_write(void **state)
{
    (void)state;
    begin_and_write(70100);
    faults_set(FAULT_WRITE, 1);
    ota_update_suspend(&update);
    assert_true(faults_struck());
    assert_int_equal(update.state, OTA_UPDATE_IDLE);
    assert_int_equal(resume(), 2 * INTERVAL);
    finish();
}

/* The checkpoint that says what is about to be erased cannot be written: the one before stands. */
static void test_resume_that_cannot_write(void **state)
{
    uint32_t offset = 1;

    (void)state;
    begin_and_write(70100);
    ota_update_suspend(&update);
    faults_set(FAULT_WRITE, 1);
    assert_int_equal(ota_update_resume(&update, &options, &offset), OTA_ERR_FLASH_WRITE);
    assert_true(faults_struck());
    assert_int_equal(offset, 0);
    faults_clear();
    assert_int_equal(resume(), 70100 / SECTOR * SECTOR);
    finish();
}

/* The row of the target changed since the table was verified, and what lies there is the transfer
   still: it is not gone on with at a place that cannot be erased. */
static void test_row_decays(void **state)
{
    uint32_t offset = 1;

    (void)state;
    begin_and_write(70000);
    lose_power();
    memmove(fixture.chip->memory + OTA_1 + 0x100, fixture.chip->memory + OTA_1, SLOT_SIZE);
    fixture.chip->memory[OTA_PARTITION_TABLE_OFFSET + 4 * OTA_PARTITION_ROW_SIZE + 5] = 0x01;
    uint64_t changes = ram_flash_changes(fixture.chip);
    assert_int_equal(ota_update_resume(&update, &options, &offset), OTA_ERR_ALIGNMENT);
    assert_int_equal(offset, 0);
    assert_int_equal(ram_flash_changes(fixture.chip), changes);
}

static void test_resumed_update_counts(void **state)
{
    (void)state;
    begin_and_write(70000);
    lose_power();
    uint32_t offset = resume();
    assert_int_equal(ota_update_write(&update, image + offset, len - offset - 1), OTA_OK);
    assert_int_equal(ota_update_end(&update), OTA_ERR_INCOMPLETE);
    assert_int_equal(update.failure.offset, len - 1);
}

/* Faults while it resumes. */

static void resume_with_fault(enum fault_kind kind, enum ota_hash_algorithm algorithm)
{
    unsigned places = 0;

    transfer_expect(algorithm);
    for (bool struck = true; struck; places++) {
        faults_clear();
        memset(fixture.chip->memory + OTA_1, 0xFF,
               SLOT_SIZE); /* so that there is something to heal */
        begin_and_write(70000);
        lose_power();
        faults_set(kind, places + 1);
        uint32_t offset = 1;
        enum ota_err err = ota_update_resume(&update, &options, &offset);
        struck = faults_struck();
        if (err == OTA_OK) {
            assert_true(offset == 0 || offset == 2 * INTERVAL);
            assert_true(struck || offset == 2 * INTERVAL);
            faults_clear();
            finish();
        } else {
            assert_true(struck);
            assert_int_equal(err, faults_error(kind));
            assert_int_equal(offset, 0);
            assert_int_equal(update.state, OTA_UPDATE_FAILED);
            assert_false(fixture_is_named(&fixture, 1));
        }
        ota_update_abort(&update);
        assert_int_equal(faulty_crypto_running(), 0);
    }
    assert_true(places > 1 || kind == FAULT_VERIFY || kind == FAULT_WRITE);
    faults_clear();
}

static void test_faults(void **state)
{
    static const enum fault_kind kinds[] = {FAULT_READ, FAULT_WRITE, FAULT_ERASE, FAULT_VERIFY,
                                            FAULT_CRYPTO};

    (void)state;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        resume_with_fault(kinds[i], OTA_HASH_SHA256);
        resume_with_fault(kinds[i], OTA_HASH_MD5);
    }
}

static void test_pending_read_error(void **state)
{
    uint32_t size;
    uint32_t offset;

    (void)state;
    begin_and_write(70000);
    lose_power();
    for (unsigned k = 1; k < 6; k++) {
        faults_set(FAULT_READ, k);
        enum ota_err err = pending(&size, &offset);
        if (faults_struck() && k > 3) {
            assert_int_equal(err, OTA_ERR_FLASH_READ);
        }
    }
    faults_clear();
    assert_int_equal(pending(&size, &offset), OTA_OK);
}

int main(void)
{
#define WITH_DEVICE(test) cmocka_unit_test_setup_teardown(test, set_up, transfer_close)
    const struct CMUnitTest tests[] = {
        WITH_DEVICE(test_after_power_loss),
        WITH_DEVICE(test_after_suspend),
        WITH_DEVICE(test_suspend_at_the_end),
        WITH_DEVICE(test_many_times),
        WITH_DEVICE(test_identities),
        WITH_DEVICE(test_other_transfers),
        WITH_DEVICE(test_claims_are_proven),
        WITH_DEVICE(test_rules_of_now),
        WITH_DEVICE(test_nothing_to_resume),
        WITH_DEVICE(test_data),
        WITH_DEVICE(test_begin_heals),
        WITH_DEVICE(test_suspend_is_idle),
        WITH_DEVICE(test_suspend_that_cannot_write),
        WITH_DEVICE(test_resume_that_cannot_write),
        WITH_DEVICE(test_row_decays),
        WITH_DEVICE(test_resumed_update_counts),
        WITH_DEVICE(test_faults),
        WITH_DEVICE(test_pending_read_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
