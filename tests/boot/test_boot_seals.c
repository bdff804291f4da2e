/* SPDX-License-Identifier: Apache-2.0 */
/* Signatures at boot: who is refused, what boots instead, and what is told; and that the traces of
   the proof are looked at. That no single disturbance gets past them is shown under an emulator:
   tests/skip. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include <updraft/boot.h>

#include "support/images.h"
#include "support/ram_flash.h"
#include "support/seals.h"

#define SECTOR OTA_SECURE_SECTOR_SIZE
#define BLOCK OTA_SECURE_BLOCK_SIZE
#define TABLE 0x8000u
#define OTADATA 0x9000u
#define SLOT(n) (0x10000u + 0x10000u * (unsigned)(n))
#define FLASH_SIZE 0x40000u
#define EVENTS_MAX 8

enum who {
    TRUSTED = 0,
    REVOKED,
    ON_P384,
    STRANGER,
    WHO
};
static struct signer *signers[WHO];

static const struct ota_verifier *const verifiers[] = {&ota_verify_p256_bearssl,
                                                       &ota_verify_p384_bearssl, NULL};

struct told {
    enum ota_boot_event event;
    int slot;
    enum ota_err err;
    uint32_t offset;
};

struct bench {
    struct ram_flash *chip;
    struct ota_device device;
    struct ota_boot boot;
    ota_image_read_fn *read;
    uint8_t digests[WHO][OTA_SHA256_SIZE];
    struct ota_secure_trust secure;
    struct ota_seal_v2 v2;
    const struct ota_seal *list[2];
    struct ota_seals seals;
    struct ota_trust trust;
    uint32_t length[2]; /* of the slots' images */
    struct told told[EVENTS_MAX];
    int told_count;
    uint8_t buffer[2048];
    uint32_t buffer_size;
};

static struct bench bench;

static int set_up_all(void **state)
{
    (void)state;
    for (enum who who = TRUSTED; who < WHO; who++) {
        signers[who] = signer_new_curve(who == ON_P384 ? "P-384" : "P-256");
    }
    return 0;
}

static int tear_down_all(void **state)
{
    (void)state;
    for (enum who who = TRUSTED; who < WHO; who++) {
        signer_free(signers[who]);
    }
    return 0;
}

static void on_event(void *context, const struct ota_boot *boot, enum ota_boot_event event,
                     int slot, struct ota_failure failure)
{
    (void)context;
    (void)boot;
    assert_true(bench.told_count < EVENTS_MAX);
    bench.told[bench.told_count++] = (struct told){event, slot, failure.err, failure.offset};
}

static void put_table(void)
{
    const struct table_row rows[] = {{1, 0x00, OTADATA, 0x2000, "otadata", 0},
                                     {0, 0x10, SLOT(0), 0x10000, "ota_0", 0},
                                     {0, 0x11, SLOT(1), 0x10000, "ota_1", 0}};

    table_make(bench.chip->memory + TABLE, rows, 3, true);
}

/* Sequence 1 is slot 0's, 2 slot 1's. */
static void put_entry(int index, uint32_t sequence, enum ota_image_state state)
{
    struct ota_otadata_entry entry = {
        .sequence = sequence, .state = state, .crc = ota_otadata_crc(sequence)};

    memset(entry.label, 0xFF, sizeof entry.label);
    ota_otadata_entry_encode(&entry, bench.chip->memory + OTADATA + 0x1000 * index);
}

/* Who signs; NULL: nobody. */
static void put_image(int slot, struct signer *signer)
{
    uint8_t *memory = bench.chip->memory + SLOT(slot);

    memset(memory, 0xFF, 0x10000);
    bench.length[slot] = (uint32_t)image_make(
        memory, 0x8000, &(struct image_facts){.size = 5000, .seed = (uint32_t)slot + 1});
    if (signer != NULL) {
        (void)seals_put_v2(memory, bench.length[slot], &signer, 1);
    }
}

/* Slot 0 runs, confirmed; slot 1 was just put there and is chosen. Both are signed. */
static int set_up(void **state)
{
    (void)state;
    memset(&bench, 0, sizeof bench);
    bench.chip = ram_flash_new(FLASH_SIZE, SECTOR, 0, 1);
    put_table();
    put_entry(0, 1, OTA_STATE_VALID);
    put_entry(1, 2, OTA_STATE_NEW);
    put_image(0, signers[TRUSTED]);
    put_image(1, signers[TRUSTED]);
    for (enum who who = TRUSTED; who < STRANGER; who++) {
        seals_key_digest(signers[who], bench.digests[who]);
    }
    bench.secure =
        (struct ota_secure_trust){.digests = (const uint8_t(*)[OTA_SHA256_SIZE])bench.digests,
                                  .digest_count = STRANGER,
                                  .revoked = 1u << REVOKED,
                                  .verifiers = verifiers};
    bench.v2 = (struct ota_seal_v2){.seal = {ota_seal_v2_check}, .trust = &bench.secure};
    bench.list[0] = &bench.v2.seal;
    bench.seals = (struct ota_seals){.ask = ota_seals_ask, .list = bench.list};
    bench.trust = (struct ota_trust){.seals = &bench.seals, .at_boot = true};
    bench.device = (struct ota_device){.flash = &bench.chip->faulty.flash,
                                       .crypto = &faulty_crypto,
                                       .table_offset = TABLE,
                                       .form = OTA_IMAGE_ESP32,
                                       .chip = {.id = OTA_CHIP_ESP32},
                                       .rollback = true,
                                       .trust = &bench.trust};
    bench.buffer_size = sizeof bench.buffer;
    bench.read = ota_image_read;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    assert_int_equal(faulty_crypto_running(), 0);
    ram_flash_free(bench.chip);
    return 0;
}

static enum ota_err decide(void)
{
    bench.told_count = 0;
    bench.boot.device = &bench.device;
    bench.boot.read = bench.read;
    bench.boot.on_event = on_event;
    enum ota_err err = ota_boot_decide(&bench.boot, bench.buffer, bench.buffer_size);
    if (err == OTA_OK) {
        bool is_asked =
            bench.device.trust != NULL && bench.trust.at_boot && bench.trust.seals != NULL;
        assert_true(ota_boot_is_proven(&bench.boot));
        assert_int_equal(ota_boot_is_sealed(&bench.boot), is_asked);
    } else {
        assert_false(ota_boot_is_sealed(&bench.boot));
        assert_int_equal(bench.boot.slot, OTA_SLOT_NONE);
        assert_int_equal(bench.boot.region.size, 0);
        assert_int_equal(bench.device.running_slot, OTA_SLOT_NONE);
    }
    return err;
}

static void assert_told(const struct told *expected, int count)
{
    assert_int_equal(bench.told_count, count);
    for (int i = 0; i < count; i++) {
        assert_int_equal(bench.told[i].event, expected[i].event);
        assert_int_equal(bench.told[i].slot, expected[i].slot);
        assert_int_equal(bench.told[i].err, expected[i].err);
        assert_int_equal(bench.told[i].offset, expected[i].offset);
    }
}

#define ASSERT_TOLD(...)                                                       \
    do {                                                                       \
        const struct told expected_[] = {__VA_ARGS__};                         \
        assert_told(expected_, (int)(sizeof expected_ / sizeof expected_[0])); \
    } while (0)

/* The new image is refused for this reason, and the old one boots. */
static void assert_refused(enum ota_err err)
{
    put_entry(1, 2, OTA_STATE_NEW);
    assert_int_equal(decide(), OTA_OK);
    assert_int_equal(bench.boot.slot, 0);
    assert_false(bench.boot.on_trial);
    assert_int_equal(bench.boot.signature.err, OTA_OK);
    ASSERT_TOLD({OTA_BOOT_SELECTED, 1, OTA_OK, 0}, {OTA_BOOT_ON_TRIAL, 1, OTA_OK, 0},
                {OTA_BOOT_IMAGE_BAD, 1, err, bench.length[1]}, {OTA_BOOT_CHOSEN, 0, OTA_OK, 0});
}

static void test_signed(void **state)
{
    (void)state;
    assert_int_equal(decide(), OTA_OK);
    assert_int_equal(bench.boot.slot, 1);
    assert_true(bench.boot.on_trial);
    assert_int_equal(bench.boot.region.offset, SLOT(1));
    assert_int_equal(bench.boot.signature.err, OTA_OK);
    assert_int_equal(bench.boot.signature.kind, OTA_SIGNED_SECURE_BOOT_V2);
    assert_int_equal(bench.boot.signature.scheme, OTA_SIGNATURE_ECDSA_P256);
    assert_int_equal(bench.boot.signature.key, TRUSTED);
    assert_null(bench.boot.check.rules);
    ASSERT_TOLD({OTA_BOOT_SELECTED, 1, OTA_OK, 0}, {OTA_BOOT_ON_TRIAL, 1, OTA_OK, 0},
                {OTA_BOOT_CHOSEN, 1, OTA_OK, 0});
}

static void test_refused(void **state)
{
    (void)state;
    put_image(1, NULL);
    assert_refused(OTA_ERR_SIGNATURE_MISSING);
    put_image(1, signers[STRANGER]);
    assert_refused(OTA_ERR_SIGNATURE_KEY);
    put_image(1, signers[REVOKED]);
    assert_refused(OTA_ERR_SIGNATURE_KEY);
    /* Another image's signature. */
    put_image(1, NULL);
    memcpy(bench.chip->memory + SLOT(1) + 2 * SECTOR, bench.chip->memory + SLOT(0) + 2 * SECTOR,
           SECTOR);
    assert_refused(OTA_ERR_SIGNATURE);
    /* Whole but for a bit that only the signature is over: of the padding. */
    put_image(1, signers[TRUSTED]);
    bench.chip->memory[SLOT(1) + 2 * SECTOR - 1] ^= 0x20;
    assert_refused(OTA_ERR_SIGNATURE);
}

static void test_p384(void **state)
{
    (void)state;
    put_image(1, signers[ON_P384]);
    assert_int_equal(decide(), OTA_OK);
    assert_int_equal(bench.boot.slot, 1);
    assert_int_equal(bench.boot.signature.scheme, OTA_SIGNATURE_ECDSA_P384);
    assert_int_equal(bench.boot.signature.key, ON_P384);
}

static void test_nothing_signed(void **state)
{
    (void)state;
    put_image(0, signers[STRANGER]);
    put_image(1, NULL);
    assert_int_equal(decide(), OTA_ERR_NOTHING_BOOTABLE);
    assert_false(ota_boot_is_proven(&bench.boot));
    assert_int_equal(bench.boot.failure.err, OTA_ERR_SIGNATURE_MISSING);
    assert_int_equal(bench.boot.failure.offset, bench.length[1]);
    ASSERT_TOLD({OTA_BOOT_SELECTED, 1, OTA_OK, 0}, {OTA_BOOT_ON_TRIAL, 1, OTA_OK, 0},
                {OTA_BOOT_IMAGE_BAD, 1, OTA_ERR_SIGNATURE_MISSING, bench.length[1]},
                {OTA_BOOT_IMAGE_BAD, 0, OTA_ERR_SIGNATURE_KEY, bench.length[0]},
                {OTA_BOOT_NOTHING, OTA_SLOT_NONE, OTA_ERR_SIGNATURE_MISSING, bench.length[1]});
}

/* What is damaged is told as that, and not as badly signed. */
static void test_damaged(void **state)
{
    (void)state;
    bench.chip->memory[SLOT(1) + 3000] ^= 1;
    assert_int_equal(decide(), OTA_OK);
    assert_int_equal(bench.boot.slot, 0);
    assert_int_equal(bench.told[2].event, OTA_BOOT_IMAGE_BAD);
    assert_int_equal(bench.told[2].err, OTA_ERR_IMAGE_CHECKSUM);
}

static void test_not_demanded(void **state)
{
    (void)state;
    put_image(1, NULL);
    bench.trust.at_boot = false;
    assert_int_equal(decide(), OTA_OK);
    assert_int_equal(bench.boot.slot, 1);
    assert_int_equal(bench.boot.signature.kind, OTA_SIGNED_NOT);

    bench.trust.at_boot = true;
    bench.trust.seals = NULL;
    put_entry(1, 2, OTA_STATE_NEW);
    assert_int_equal(decide(), OTA_OK);
    assert_int_equal(bench.boot.slot, 1);

    bench.device.trust = NULL;
    put_entry(1, 2, OTA_STATE_NEW);
    assert_int_equal(decide(), OTA_OK);
    assert_int_equal(bench.boot.slot, 1);
}

static void test_only_report(void **state)
{
    (void)state;
    put_image(1, signers[REVOKED]);
    bench.trust.only_report = true;
    assert_int_equal(decide(), OTA_OK);
    assert_int_equal(bench.boot.slot, 1);
    assert_int_equal(bench.boot.signature.err, OTA_ERR_SIGNATURE_KEY);
    ASSERT_TOLD({OTA_BOOT_SELECTED, 1, OTA_OK, 0}, {OTA_BOOT_ON_TRIAL, 1, OTA_OK, 0},
                {OTA_BOOT_SIGNATURE_BAD, 1, OTA_ERR_SIGNATURE_KEY, bench.length[1]},
                {OTA_BOOT_CHOSEN, 1, OTA_OK, 0});
}

static void test_small_buffer(void **state)
{
    (void)state;
    bench.buffer_size = BLOCK - 1;
    assert_int_equal(decide(), OTA_ERR_NOTHING_BOOTABLE);
    assert_int_equal(bench.boot.failure.err, OTA_ERR_ARGUMENT);
    bench.buffer_size = BLOCK;
    assert_int_equal(decide(), OTA_OK);
}

/* The image is read once; then twice the block, for the seal is asked twice. */
static void test_reads(void **state)
{
    (void)state;
    assert_int_equal(decide(), OTA_OK);
    uint64_t before = bench.chip->state.statistics.bytes_read;
    bench.trust.at_boot = false;
    put_entry(1, 2, OTA_STATE_NEW);
    assert_int_equal(decide(), OTA_OK);
    uint64_t plain = bench.chip->state.statistics.bytes_read - before;
    before = bench.chip->state.statistics.bytes_read;
    bench.trust.at_boot = true;
    put_entry(1, 2, OTA_STATE_NEW);
    assert_int_equal(decide(), OTA_OK);
    uint32_t padding = 2 * SECTOR - bench.length[1];
    assert_int_equal(bench.chip->state.statistics.bytes_read - before,
                     plain + 2 * (padding + BLOCK));
}

/* The small check of images says no less. */
static void test_plain(void **state)
{
    (void)state;
    bench.read = ota_image_read_plain;
    assert_int_equal(decide(), OTA_OK);
    assert_int_equal(bench.boot.slot, 1);
    assert_int_equal(bench.boot.signature.err, OTA_OK);
    put_image(1, signers[STRANGER]);
    assert_refused(OTA_ERR_SIGNATURE_KEY);
    put_image(1, NULL);
    assert_refused(OTA_ERR_SIGNATURE_MISSING);
    bench.read = NULL;
    assert_int_equal(decide(), OTA_ERR_NOTHING_BOOTABLE);
}

/* Whichever call of the flash or the library fails: no image boots that nobody signed. */
static void decide_faulty(void *context)
{
    (void)context;
    put_entry(0, 1, OTA_STATE_VALID);
    put_entry(1, 2, OTA_STATE_NEW);
    if (decide() == OTA_OK) {
        assert_int_equal(bench.boot.slot, 0);
    }
}

static void test_faults(void **state)
{
    (void)state;
    put_image(1, signers[STRANGER]);
    assert_true(faults_everywhere(FAULT_READ, decide_faulty, NULL) > 20);
    assert_true(faults_everywhere(FAULT_CRYPTO, decide_faulty, NULL) > 20);
}

/* ---- The traces of the proof ----------------------------------------------------------------- */

static unsigned asked;
static bool spoils; /* the second time, the traces */

/* Has nothing against the image, the first time. */
static enum ota_err agree_once(const struct ota_trust *trust, const struct ota_sealed *sealed,
                               struct ota_signature_report *report)
{
    (void)trust;
    (void)sealed;
    memset(report, 0, sizeof *report);
    if (++asked % 2 == 0 && spoils) {
        bench.boot.proof ^= 1;
        return OTA_OK;
    }
    return asked % 2 == 1 ? OTA_OK : OTA_ERR_SIGNATURE;
}

static void test_both_must_agree(void **state)
{
    (void)state;
    bench.seals.ask = agree_once;
    asked = 0;
    spoils = false;
    assert_int_equal(decide(), OTA_ERR_NOTHING_BOOTABLE);
    assert_int_equal(asked, 4); /* both images, twice */
    assert_int_equal(bench.boot.failure.err, OTA_ERR_SIGNATURE);
    assert_false(ota_boot_is_proven(&bench.boot));
}

/* Has nothing against images, but for the first one at the second look. */
static enum ota_err agree_later(const struct ota_trust *trust, const struct ota_sealed *sealed,
                                struct ota_signature_report *report)
{
    (void)trust;
    (void)sealed;
    memset(report, 0, sizeof *report);
    return ++asked == 2 ? OTA_ERR_SIGNATURE : OTA_OK;
}

/* The traces of one image do not count for the next. */
static void test_each_image_has_its_own_traces(void **state)
{
    (void)state;
    bench.seals.ask = agree_later;
    asked = 0;
    assert_int_equal(decide(), OTA_OK);
    assert_int_equal(asked, 4);
    assert_int_equal(bench.boot.slot, 0);
}

/* A step that left no trace was not taken: everything stops. */
static void test_traces_are_added_up(void **state)
{
    (void)state;
    bench.seals.ask = agree_once;
    asked = 0;
    spoils = true;
    assert_int_equal(decide(), OTA_ERR_NOTHING_BOOTABLE);
    assert_int_equal(asked, 2);
    assert_int_equal(bench.told[bench.told_count - 1].event, OTA_BOOT_NOTHING);
}

static uint32_t floor_of(struct ota_fuses *fuses)
{
    (void)fuses;
    return 0;
}

static enum ota_err spoil(struct ota_fuses *fuses, uint32_t version)
{
    (void)fuses;
    (void)version;
    bench.boot.proof ^= 0x80000000u;
    return OTA_OK;
}

static void test_traces_are_added_up_again(void **state)
{
    struct ota_fuses fuses = {.secure_version = floor_of, .raise_secure_version = spoil};

    (void)state;
    bench.device.fuses = &fuses;
    put_entry(1, 2, OTA_STATE_VALID);
    assert_int_equal(decide(), OTA_ERR_NOTHING_BOOTABLE);
}

/* Nothing was demanded when the image was read, and is when it is given away; and the reverse. */
static void test_demands_that_change(void **state)
{
    (void)state;
    bench.trust.at_boot = false;
    assert_int_equal(decide(), OTA_OK);
    bench.trust.at_boot = true;
    assert_false(ota_boot_is_proven(&bench.boot));
    put_entry(1, 2, OTA_STATE_NEW);
    assert_int_equal(decide(), OTA_OK);
    bench.trust.at_boot = false;
    assert_false(ota_boot_is_proven(&bench.boot));
    bench.trust.at_boot = true;
    assert_true(ota_boot_is_proven(&bench.boot));
    bench.trust.at_boot = false; /* what was found in an earlier boot is not told again */
    put_entry(1, 2, OTA_STATE_NEW);
    assert_int_equal(decide(), OTA_OK);
    assert_int_equal(bench.boot.signature.kind, OTA_SIGNED_NOT);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_signed),
        TEST(test_refused),
        TEST(test_p384),
        TEST(test_nothing_signed),
        TEST(test_damaged),
        TEST(test_not_demanded),
        TEST(test_only_report),
        TEST(test_small_buffer),
        TEST(test_reads),
        TEST(test_plain),
        TEST(test_faults),
        TEST(test_both_must_agree),
        TEST(test_each_image_has_its_own_traces),
        TEST(test_traces_are_added_up),
        TEST(test_traces_are_added_up_again),
        TEST(test_demands_that_change),
    };

    return cmocka_run_group_tests(tests, set_up_all, tear_down_all);
}
