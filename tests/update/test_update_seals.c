/* SPDX-License-Identifier: Apache-2.0 */
/* Seals in the update: who is refused at the end of it, what is left of that on the flash, and what
   the device makes of a trailer and a seal together. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "support/seals.h"
#include "wrapping.h"

enum who {
    TRUSTED = 0,
    REVOKED,
    STRANGER,
    ARDUINO, /* signs trailers */
    WHO
};
static struct signer *signers[WHO];

static uint8_t digests[2][OTA_SHA256_SIZE];
static const struct ota_verifier *const verifiers[] = {&ota_verify_p256_bearssl, NULL};
static struct ota_secure_trust secure;
static struct ota_seal_v1 v1;
static struct ota_seal_v2 v2;
static const struct ota_seal *const list[] = {&v1.seal, &v2.seal, NULL};
static const struct ota_seals seals = {.ask = ota_seals_ask, .list = list};

static int set_up_all(void **state)
{
    (void)state;
    for (enum who who = TRUSTED; who < ARDUINO; who++) {
        signers[who] = signer_new_curve("P-256");
    }
    signers[ARDUINO] = signer_new_rsa(2048, 65537);
    seals_key_digest(signers[TRUSTED], digests[TRUSTED]);
    seals_key_digest(signers[REVOKED], digests[REVOKED]);
    v1 = (struct ota_seal_v1){.seal = {ota_seal_v1_check},
                              .keys = &signers[TRUSTED]->key,
                              .key_count = 1,
                              .verifier = &ota_verify_p256_bearssl};
    v2 = (struct ota_seal_v2){.seal = {ota_seal_v2_check}, .trust = &secure};
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

static int set_up(void **state)
{
    (void)state;
    wrapping_open(20000);
    secure = (struct ota_secure_trust){.digests = (const uint8_t(*)[OTA_SHA256_SIZE])digests,
                                       .digest_count = 2,
                                       .revoked = 1u << REVOKED,
                                       .verifiers = verifiers};
    trust = (struct ota_trust){.seals = &seals};
    fixture.device.trust = &trust;
    return 0;
}

/* Seals what is to be stored, and sends that. */
static void seal(struct signer *signer)
{
    len = (uint32_t)seals_put_v2(image, len, &signer, 1);
    sent_as(PLAIN);
}

static enum ota_err send(void)
{
    return send_in_pieces(1000);
}

static bool target_boots(void)
{
    struct ota_image_check check;

    return ota_slot_verify(&fixture.device, 1, &check) == OTA_OK;
}

/* It ended in this, nothing of it can boot, and a new update comes through. */
static void assert_refused(enum ota_err err)
{
    assert_int_equal(update.state, OTA_UPDATE_FAILED);
    assert_int_equal(update.failure.err, err);
    assert_false(fixture_is_named(&fixture, 1));
    assert_false(target_boots());
    assert_int_equal(ota_update_activate(&update), OTA_ERR_STATE);
    assert_int_equal(ota_update_pending(&fixture.device, NULL, &(struct ota_identity){0},
                                        &(uint32_t){0}, &(uint32_t){0}),
                     OTA_ERR_NO_DATA);
}

static void refuse(enum ota_err err)
{
    assert_int_equal(send(), err);
    assert_refused(err);
}

/* ---- Apps ------------------------------------------------------------------------------------ */

static void test_signed(void **state)
{
    (void)state;
    seal(signers[TRUSTED]);
    for (uint32_t piece = 1; piece < 70000; piece = piece * 5 + 1) {
        assert_int_equal(send_in_pieces(piece), OTA_OK);
        is_stored();
        assert_int_equal(update.signature.err, OTA_OK);
        assert_int_equal(update.signature.kind, OTA_SIGNED_SECURE_BOOT_V2);
        assert_int_equal(update.signature.key, TRUSTED);
    }
    assert_int_equal(ota_update_activate(&update), OTA_OK);
    assert_true(fixture_is_named(&fixture, 1));
    assert_true(target_boots());
}

static void test_without_unwrap(void **state)
{
    (void)state;
    options.unwrap = NULL;
    seal(signers[TRUSTED]);
    assert_int_equal(send(), OTA_OK);
    is_stored();
    trust.at_boot = true;
    assert_int_equal(send(), OTA_OK);
}

static void test_unsigned(void **state)
{
    (void)state;
    refuse(OTA_ERR_SIGNATURE_MISSING);
    assert_int_equal(update.signature.err, OTA_ERR_SIGNATURE_MISSING);
    options.unwrap = NULL;
    refuse(OTA_ERR_SIGNATURE_MISSING);
}

static void test_other_keys(void **state)
{
    uint32_t image_len = len;

    (void)state;
    seal(signers[STRANGER]);
    refuse(OTA_ERR_SIGNATURE_KEY);
    assert_int_equal(update.signature.err, OTA_ERR_SIGNATURE_KEY);
    assert_int_equal(update.signature.kind, OTA_SIGNED_SECURE_BOOT_V2);
    len = image_len;
    seal(signers[REVOKED]);
    refuse(OTA_ERR_SIGNATURE_KEY);
    secure.revoked = 0;
    assert_int_equal(send(), OTA_OK);
    assert_int_equal(update.signature.key, REVOKED);
}

/* Whole by all that it says of itself. */
static void test_changed(void **state)
{
    uint32_t padding = len;

    (void)state;
    seal(signers[TRUSTED]);
    sent[padding] ^= 1;
    refuse(OTA_ERR_SIGNATURE);
    assert_int_equal(update.signature.err, OTA_ERR_SIGNATURE);
    sent[padding] ^= 1;
    assert_int_equal(send(), OTA_OK);
}

static void test_signature_of_another(void **state)
{
    uint32_t image_len = len;
    uint8_t sector[OTA_SECURE_SECTOR_SIZE];

    (void)state;
    seal(signers[TRUSTED]);
    memcpy(sector, image + len - sizeof sector, sizeof sector);
    transfer_make(&(struct image_facts){.size = 20000, .seed = 6, .version = "2.0.1"});
    assert_int_equal(len, image_len);
    (void)seals_put_v2(image, len, NULL, 0);
    len = (uint32_t)seals_sector(len) + OTA_SECURE_SECTOR_SIZE;
    memcpy(image + len - sizeof sector, sector, sizeof sector);
    sent_as(PLAIN);
    refuse(OTA_ERR_SIGNATURE);
}

static void test_truncated(void **state)
{
    uint32_t image_len = len;

    (void)state;
    seal(signers[TRUSTED]);
    sent_cut(len - 1);
    refuse(OTA_ERR_SIGNATURE_MISSING);
    sent_cut(len - OTA_SECURE_SECTOR_SIZE);
    refuse(OTA_ERR_SIGNATURE_MISSING);
    sent_cut(image_len);
    refuse(OTA_ERR_SIGNATURE_MISSING);
    sent_cut(image_len - 1);
    assert_int_equal(send(), OTA_ERR_IMAGE_TRUNCATED);
}

static void test_garbage_behind(void **state)
{
    (void)state;
    seal(signers[TRUSTED]);
    sent_append("x", 1);
    refuse(OTA_ERR_TOO_LARGE);
    options.allow_trailer = true;
    assert_int_equal(send(), OTA_OK);
}

static void test_v1(void **state)
{
    static const uint8_t rest[13] = {1, 2, 3};

    (void)state;
    len = (uint32_t)seals_put_v1(image, len, signers[TRUSTED]);
    sent_as(PLAIN);
    assert_int_equal(send(), OTA_OK);
    assert_int_equal(update.signature.kind, OTA_SIGNED_SECURE_BOOT_V1);
    sent_append(rest, 12);
    assert_int_equal(send(), OTA_OK);
    sent_append(rest, 1);
    refuse(OTA_ERR_TOO_LARGE);
}

/* The signature must have come with the image: one that lies there from before is none. */
static void test_stale_seal(void **state)
{
    uint32_t image_len = len;

    (void)state;
    seal(signers[TRUSTED]);
    memcpy(fixture.chip->memory + OTA_1, image, len);
    sent_cut(image_len);
    refuse(OTA_ERR_SIGNATURE_MISSING);
}

static void test_compressed(void **state)
{
    (void)state;
    len = (uint32_t)seals_put_v2(image, len, &signers[TRUSTED], 1);
    sent_as(GZIP);
    assert_int_equal(send(), OTA_OK);
    is_stored();
    sent_as(SHRUNK);
    assert_int_equal(send(), OTA_OK);
    is_stored();
    image[len - 1] ^= 1; /* behind the blocks: nobody's business */
    sent_as(GZIP);
    assert_int_equal(send(), OTA_OK);
    image[len - OTA_SECURE_SECTOR_SIZE - 1] ^= 1;
    sent_as(GZIP);
    refuse(OTA_ERR_SIGNATURE);
}

static void test_resumed(void **state)
{
    uint32_t offset;

    (void)state;
    transfer_make(&(struct image_facts){.size = 90000, .seed = 5, .version = "2.0.0"});
    seal(signers[TRUSTED]);
    sent_expect(OTA_HASH_SHA256);
    assert_int_equal(ota_update_begin(&update, &options), OTA_OK);
    assert_int_equal(ota_update_write(&update, sent, 70000), OTA_OK);
    lose_power();
    assert_int_equal(ota_update_resume(&update, &options, &offset), OTA_OK);
    assert_true(offset > 0);
    assert_int_equal(ota_update_write(&update, sent + offset, sent_len - offset), OTA_OK);
    assert_int_equal(ota_update_end(&update), OTA_OK);
    is_stored();
    assert_int_equal(update.signature.err, OTA_OK);
}

/* ---- Data ------------------------------------------------------------------------------------ */

static void test_data(void **state)
{
    (void)state;
    wrapping_make_data(20000);
    sent_as(PLAIN);
    assert_int_equal(send(), OTA_ERR_SIGNATURE_MISSING);
    seal(signers[TRUSTED]);
    assert_int_equal(send(), OTA_OK);
    is_stored();
    sent[100] ^= 1;
    assert_int_equal(send(), OTA_ERR_SIGNATURE);
    sent[100] ^= 1;
    sent_append("x", 1);
    assert_int_equal(send(), OTA_ERR_TOO_LARGE);
}

/* ---- What is demanded ------------------------------------------------------------------------ */

static void test_small_buffer(void **state)
{
    (void)state;
    seal(signers[TRUSTED]);
    options.buffer_size = OTA_SECURE_BLOCK_SIZE - 1;
    assert_int_equal(ota_update_begin(&update, &options), OTA_ERR_ARGUMENT);
    options.buffer_size = OTA_SECURE_BLOCK_SIZE;
    assert_int_equal(send(), OTA_OK);
    is_stored();
}

static void test_only_report(void **state)
{
    uint32_t image_len = len;

    (void)state;
    trust.only_report = true;
    assert_int_equal(send(), OTA_OK);
    is_stored();
    assert_int_equal(update.signature.err, OTA_ERR_SIGNATURE_MISSING);
    seal(signers[STRANGER]);
    assert_int_equal(send(), OTA_OK);
    assert_int_equal(update.signature.err, OTA_ERR_SIGNATURE_KEY);
    len = image_len;
    seal(signers[TRUSTED]);
    assert_int_equal(send(), OTA_OK);
    assert_int_equal(update.signature.err, OTA_OK);
    sent_append("x", 1);
    refuse(OTA_ERR_TOO_LARGE);
}

/* A trust that names nobody trusts nobody. */
static void test_nobody(void **state)
{
    (void)state;
    trust.seals = NULL;
    assert_int_equal(send(), OTA_ERR_SIGNATURE_MISSING);
    trust.only_report = true;
    assert_int_equal(send(), OTA_OK);
}

/* ---- Trailer and seal ------------------------------------------------------------------------ */

static void trust_both(void)
{
    trust_keys(&signers[ARDUINO]->key, 1, &ota_verify_rsa_pkcs1_bearssl);
    trust.seals = &seals;
}

static void test_trailer_suffices(void **state)
{
    (void)state;
    trust_both();
    sent_sign(signers[ARDUINO], OTA_SIGNATURE_RSA_PKCS1);
    assert_int_equal(send(), OTA_OK);
    assert_int_equal(update.signature.kind, OTA_SIGNED_ARDUINO);
    assert_int_equal(update.signature.err, OTA_OK);
    /* But not if the bootloader wants to see a seal. */
    trust.at_boot = true;
    refuse(OTA_ERR_SIGNATURE_MISSING);
    seal(signers[TRUSTED]);
    sent_sign(signers[ARDUINO], OTA_SIGNATURE_RSA_PKCS1);
    assert_int_equal(send(), OTA_OK);
    is_stored();
}

static void test_seal_suffices(void **state)
{
    (void)state;
    trust_both();
    seal(signers[TRUSTED]);
    assert_int_equal(send(), OTA_OK);
    assert_int_equal(update.signature.kind, OTA_SIGNED_SECURE_BOOT_V2);
    sent[100] ^= 1;
    assert_true(send() != OTA_OK);
}

/* What is told is the signature that is there. */
static void test_bad_trailer(void **state)
{
    (void)state;
    trust_both();
    trust.seals = &seals;
    sent_sign(signers[ARDUINO], OTA_SIGNATURE_RSA_PKCS1);
    sent[sent_len - 10] ^= 1;
    refuse(OTA_ERR_SIGNATURE);
    assert_int_equal(update.signature.err, OTA_ERR_SIGNATURE);
}

/* ---- Faults ---------------------------------------------------------------------------------- */

static bool sends_good;

static void send_faulty(void *context)
{
    const enum fault_kind *kind = context;
    enum ota_err err = send();

    if (sends_good && faults_struck()) {
        assert_true(err == faults_error(*kind) || err == OTA_OK);
    }
    if (!sends_good) {
        assert_true(err != OTA_OK);
        assert_false(fixture_is_named(&fixture, 1));
    }
    assert_int_equal(update.state, err == OTA_OK ? OTA_UPDATE_PROVEN : OTA_UPDATE_FAILED);
    ota_update_abort(&update);
}

static void test_faults(void **state)
{
    static enum fault_kind kinds[] = {FAULT_READ, FAULT_CRYPTO, FAULT_ERASE, FAULT_WRITE};

    (void)state;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        for (int good = 0; good < 2; good++) {
            transfer_make(&(struct image_facts){.size = 5000, .seed = 5, .version = "2.0.0"});
            seal(signers[good ? TRUSTED : STRANGER]);
            sends_good = good;
            assert_true(faults_everywhere(kinds[i], send_faulty, &kinds[i]) > 2);
        }
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, transfer_close)
    const struct CMUnitTest tests[] = {
        TEST(test_signed),      TEST(test_without_unwrap),   TEST(test_unsigned),
        TEST(test_other_keys),  TEST(test_changed),          TEST(test_signature_of_another),
        TEST(test_truncated),   TEST(test_garbage_behind),   TEST(test_v1),
        TEST(test_stale_seal),  TEST(test_compressed),       TEST(test_resumed),
        TEST(test_data),        TEST(test_small_buffer),     TEST(test_only_report),
        TEST(test_nobody),      TEST(test_trailer_suffices), TEST(test_seal_suffices),
        TEST(test_bad_trailer), TEST(test_faults),
    };

    return cmocka_run_group_tests(tests, set_up_all, tear_down_all);
}
