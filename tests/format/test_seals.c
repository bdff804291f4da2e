/* SPDX-License-Identifier: Apache-2.0 */
/* Seals: where they are looked for behind images and in data, what they say, and all of a trust's
   seals together. What each signature is over, bit by bit, is test_secure_boot.c's business. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include <updraft/trust.h>

#include "support/faults.h"
#include "support/images.h"
#include "support/ram_flash.h"
#include "support/seals.h"

#define SECTOR OTA_SECURE_SECTOR_SIZE
#define BLOCK OTA_SECURE_BLOCK_SIZE
#define FLASH_SIZE (8 * SECTOR)
#define BASE SECTOR /* where the region begins */

enum who {
    RSA = 0,
    P256,
    P384,
    SECOND,
    WHO
};
static struct signer *signers[WHO];

static const struct ota_verifier *const verifiers[] = {
    &ota_verify_rsa_pss_bearssl, &ota_verify_p256_bearssl, &ota_verify_p384_bearssl, NULL};
static const struct ota_verifier *const only_p256[] = {&ota_verify_p256_bearssl, NULL};

/* A device's flash and what it trusts. */
struct bench {
    struct ram_flash *chip;
    uint8_t *bytes; /* of the region */
    uint32_t length;
    bool is_data;
    uint8_t digests[WHO][OTA_SHA256_SIZE];
    struct ota_public_key keys[2];
    struct ota_secure_trust secure;
    struct ota_seal_v1 v1;
    struct ota_seal_v2 v2;
    const struct ota_seal *list[3];
    struct ota_seals seals;
    struct ota_trust trust;
    struct ota_signature_report report;
    uint32_t bytes_read;
};

static struct bench bench;

static int set_up_all(void **state)
{
    (void)state;
    signers[RSA] = signer_new_rsa(3072, 65537);
    signers[P256] = signer_new_curve("P-256");
    signers[P384] = signer_new_curve("P-384");
    signers[SECOND] = signer_new_curve("P-256");
    return 0;
}

static int tear_down_all(void **state)
{
    (void)state;
    for (size_t i = 0; i < WHO; i++) {
        signer_free(signers[i]);
    }
    return 0;
}

/* Trusts all: digests in the order of enum who, and P256 as version 1's second key. */
static int set_up(void **state)
{
    (void)state;
    memset(&bench, 0, sizeof bench);
    bench.chip = ram_flash_new(FLASH_SIZE, SECTOR, 0, 1);
    bench.bytes = bench.chip->memory + BASE;
    for (size_t i = 0; i < WHO; i++) {
        seals_key_digest(signers[i], bench.digests[i]);
    }
    bench.secure =
        (struct ota_secure_trust){.digests = (const uint8_t(*)[OTA_SHA256_SIZE])bench.digests,
                                  .digest_count = WHO,
                                  .verifiers = verifiers};
    bench.keys[0] = signers[SECOND]->key;
    bench.keys[1] = signers[P256]->key;
    bench.v1 = (struct ota_seal_v1){.seal = {ota_seal_v1_check},
                                    .keys = bench.keys,
                                    .key_count = 2,
                                    .verifier = &ota_verify_p256_bearssl};
    bench.v2 = (struct ota_seal_v2){.seal = {ota_seal_v2_check}, .trust = &bench.secure};
    bench.list[0] = &bench.v1.seal;
    bench.list[1] = &bench.v2.seal;
    bench.seals = (struct ota_seals){.ask = ota_seals_ask, .list = bench.list};
    bench.trust = (struct ota_trust){.seals = &bench.seals};
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    ram_flash_free(bench.chip);
    return 0;
}

/* An image of `size` bytes at the region's start, not signed. */
static void put_image(uint32_t size)
{
    bench.length =
        (uint32_t)image_make(bench.bytes, 4 * SECTOR, &(struct image_facts){.size = size});
    assert_true(bench.length > 0);
}

/* What ota_image_verify would leave behind. */
static void hash_image(struct ota_hash *hash)
{
    assert_int_equal(faulty_crypto.hash_begin(hash, OTA_HASH_SHA256), OTA_OK);
    assert_int_equal(faulty_crypto.hash_update(hash, bench.bytes, bench.length), OTA_OK);
}

static struct ota_sealed sealed_with(const struct ota_region *region, const struct ota_hash *hash,
                                     uint8_t *buffer, uint32_t buffer_size)
{
    return (struct ota_sealed){.region = region,
                               .length = bench.length,
                               .is_data = bench.is_data,
                               .hash = hash,
                               .crypto = &faulty_crypto,
                               .buffer = buffer,
                               .buffer_size = buffer_size};
}

static enum ota_err ask_in(uint32_t region_size, bool hashed, uint32_t buffer_size)
{
    struct ota_region region = ram_flash_region(bench.chip, BASE, region_size);
    uint8_t buffer[2 * SECTOR];
    struct ota_hash hash;

    if (hashed) {
        hash_image(&hash);
    }
    uint64_t before = bench.chip->state.statistics.bytes_read;
    struct ota_sealed sealed = sealed_with(&region, hashed ? &hash : NULL, buffer, buffer_size);
    enum ota_err err = bench.seals.ask(&bench.trust, &sealed, &bench.report);
    bench.bytes_read = (uint32_t)(bench.chip->state.statistics.bytes_read - before);
    if (hashed) {
        faulty_crypto.hash_abort(&hash);
    }
    assert_int_equal(faulty_crypto_running(), 0);
    return err;
}

/* By the flash alone, and with the hash that has run already: both say the same. */
static enum ota_err ask(void)
{
    enum ota_err err = ask_in(6 * SECTOR, false, BLOCK);
    struct ota_signature_report report = bench.report;

    if (!bench.is_data) {
        assert_int_equal(ask_in(6 * SECTOR, true, BLOCK), err);
        assert_int_equal(bench.report.err, report.err);
        assert_int_equal(bench.report.kind, report.kind);
    }
    return err;
}

static void assert_signed(enum ota_signature_kind kind, enum ota_signature_scheme scheme,
                          unsigned key)
{
    assert_int_equal(bench.report.err, OTA_OK);
    assert_int_equal(bench.report.kind, kind);
    assert_int_equal(bench.report.scheme, scheme);
    assert_int_equal(bench.report.key, key);
}

/* ---- Images ---------------------------------------------------------------------------------- */

static void test_unsigned(void **state)
{
    (void)state;
    put_image(1000);
    assert_int_equal(ask(), OTA_ERR_SIGNATURE_MISSING);
    assert_int_equal(bench.report.err, OTA_ERR_SIGNATURE_MISSING);
    assert_int_equal(bench.report.kind, OTA_SIGNED_NOT);
}

static void test_v1(void **state)
{
    (void)state;
    put_image(5000);
    (void)seals_put_v1(bench.bytes, bench.length, signers[P256]);
    assert_int_equal(ask(), OTA_OK);
    assert_signed(OTA_SIGNED_SECURE_BOOT_V1, OTA_SIGNATURE_ECDSA_P256, 1);
    assert_int_equal(bench.report.end, bench.length + OTA_SECURE_V1_SIZE + 12);
    (void)seals_put_v1(bench.bytes, bench.length, signers[SECOND]);
    assert_int_equal(ask(), OTA_OK);
    assert_signed(OTA_SIGNED_SECURE_BOOT_V1, OTA_SIGNATURE_ECDSA_P256, 0);
    bench.bytes[900] ^= 1;
    assert_int_equal(ask(), OTA_ERR_SIGNATURE);
    assert_int_equal(bench.report.kind, OTA_SIGNED_SECURE_BOOT_V1);
}

static void test_v1_keys(void **state)
{
    (void)state;
    put_image(1000);
    (void)seals_put_v1(bench.bytes, bench.length, signers[P256]);
    bench.v1.key_count = 1;
    assert_int_equal(ask(), OTA_ERR_SIGNATURE);
    bench.keys[0] = signers[RSA]->key; /* of no use here */
    assert_int_equal(ask(), OTA_ERR_KEY);
    bench.v1.key_count = 2;
    assert_int_equal(ask(), OTA_OK);
    bench.keys[1] = signers[SECOND]->key;
    assert_int_equal(ask(), OTA_ERR_SIGNATURE);
    bench.v1.key_count = 0;
    assert_int_equal(ask(), OTA_ERR_KEY);
}

static void test_v2(void **state)
{
    (void)state;
    for (enum who who = RSA; who < WHO; who++) {
        put_image(5000);
        (void)seals_put_v2(bench.bytes, bench.length, &signers[who], 1);
        assert_int_equal(ask(), OTA_OK);
        assert_signed(OTA_SIGNED_SECURE_BOOT_V2, seals_scheme(signers[who]), who);
        assert_int_equal(bench.report.end, 3 * SECTOR);
        bench.bytes[4999] ^= 1; /* of the image */
        assert_int_equal(ask(), OTA_ERR_SIGNATURE);
        assert_int_equal(bench.report.kind, OTA_SIGNED_SECURE_BOOT_V2);
        bench.bytes[4999] ^= 1;
        bench.bytes[2 * SECTOR - 1] ^= 1; /* of the padding */
        assert_int_equal(ask(), OTA_ERR_SIGNATURE);
    }
}

/* An image that ends with its sector has no padding. */
static void test_v2_without_padding(void **state)
{
    (void)state;
    put_image(2 * SECTOR);
    assert_int_equal(bench.length, 2 * SECTOR);
    (void)seals_put_v2(bench.bytes, bench.length, &signers[P256], 1);
    assert_int_equal(ask(), OTA_OK);
}

static void test_revoked_and_unknown(void **state)
{
    (void)state;
    put_image(1000);
    (void)seals_put_v2(bench.bytes, bench.length, &signers[P256], 1);
    bench.secure.revoked = 1u << P256;
    assert_int_equal(ask(), OTA_ERR_SIGNATURE_KEY);
    bench.secure.revoked = (uint8_t) ~(1u << P256);
    assert_int_equal(ask(), OTA_OK);
    bench.secure.digest_count = P256;
    assert_int_equal(ask(), OTA_ERR_SIGNATURE_KEY);
}

/* Blocks on both hashes: the image is read once more only for the one that needs it. */
static void test_reads(void **state)
{
    struct signer *const both[] = {signers[SECOND], signers[P384]};

    (void)state;
    put_image(2 * SECTOR);
    (void)seals_put_v2(bench.bytes, bench.length, both, 2);
    bench.list[0] = &bench.v2.seal;
    bench.list[1] = NULL;
    assert_int_equal(ask_in(6 * SECTOR, true, BLOCK), OTA_OK);
    assert_int_equal(bench.bytes_read, BLOCK);
    assert_int_equal(ask_in(6 * SECTOR, false, BLOCK), OTA_OK);
    assert_int_equal(bench.bytes_read, 2 * SECTOR + BLOCK);

    bench.secure.revoked = 1u << SECOND;
    assert_int_equal(ask_in(6 * SECTOR, true, BLOCK), OTA_OK);
    assert_signed(OTA_SIGNED_SECURE_BOOT_V2, OTA_SIGNATURE_ECDSA_P384, P384);
    assert_int_equal(bench.bytes_read, 3 * BLOCK + 2 * SECTOR + 2 * BLOCK);
    /* Who cannot check such a one does not read for it. */
    bench.secure.verifiers = only_p256;
    assert_int_equal(ask_in(6 * SECTOR, true, BLOCK), OTA_ERR_SIGNATURE_KEY);
    assert_int_equal(bench.bytes_read, 3 * BLOCK);
}

static void test_buffers(void **state)
{
    (void)state;
    put_image(5000);
    (void)seals_put_v2(bench.bytes, bench.length, &signers[P256], 1);
    assert_int_equal(ask_in(6 * SECTOR, false, BLOCK - 1), OTA_ERR_ARGUMENT);
    assert_int_equal(ask_in(6 * SECTOR, false, BLOCK + 1), OTA_OK);
    assert_int_equal(ask_in(6 * SECTOR, false, 2 * SECTOR), OTA_OK);
    (void)seals_put_v1(bench.bytes, bench.length, signers[P256]);
    assert_int_equal(ask_in(6 * SECTOR, false, 1), OTA_OK);
}

/* A region that ends before the seal does has none. */
static void test_ends(void **state)
{
    (void)state;
    put_image(1000);
    (void)seals_put_v1(bench.bytes, bench.length, signers[P256]);
    assert_int_equal(ask_in(bench.length + OTA_SECURE_V1_SIZE, true, BLOCK), OTA_OK);
    assert_int_equal(ask_in(bench.length + OTA_SECURE_V1_SIZE - 1, true, BLOCK),
                     OTA_ERR_SIGNATURE_MISSING);
    assert_int_equal(ask_in(bench.length, true, BLOCK), OTA_ERR_SIGNATURE_MISSING);
    (void)seals_put_v2(bench.bytes, bench.length, &signers[P256], 1);
    assert_int_equal(ask_in(2 * SECTOR, true, BLOCK), OTA_OK);
    assert_int_equal(ask_in(2 * SECTOR - 1, true, BLOCK), OTA_ERR_SIGNATURE_MISSING);
    assert_int_equal(ask_in(SECTOR, true, BLOCK), OTA_ERR_SIGNATURE_MISSING);
    assert_int_equal(ask_in(SECTOR - 1, true, BLOCK), OTA_ERR_SIGNATURE_MISSING);
}

/* ---- Data ------------------------------------------------------------------------------------ */

static void put_data(uint32_t len)
{
    memset(bench.bytes, 0xFF, 6 * SECTOR);
    for (uint32_t i = 0; i < len; i++) {
        bench.bytes[i] = (uint8_t)noise(7, i);
    }
    bench.length = len;
    bench.is_data = true;
}

static void test_data(void **state)
{
    (void)state;
    put_data(4000);
    assert_int_equal(ask(), OTA_ERR_SIGNATURE_MISSING);
    bench.length = (uint32_t)seals_put_v1(bench.bytes, bench.length, signers[P256]);
    assert_int_equal(ask(), OTA_OK);
    assert_signed(OTA_SIGNED_SECURE_BOOT_V1, OTA_SIGNATURE_ECDSA_P256, 1);
    bench.bytes[17] ^= 1;
    assert_int_equal(ask(), OTA_ERR_SIGNATURE);
    for (enum who who = RSA; who < WHO; who++) {
        put_data(5000);
        bench.length = (uint32_t)seals_put_v2(bench.bytes, bench.length, &signers[who], 1);
        assert_int_equal(ask(), OTA_OK);
        assert_signed(OTA_SIGNED_SECURE_BOOT_V2, seals_scheme(signers[who]), who);
        bench.length += SECTOR - 1; /* behind the last whole sector may be anything */
        assert_int_equal(ask(), OTA_OK);
        bench.length++;
        assert_int_equal(ask(), OTA_ERR_SIGNATURE_MISSING);
        bench.length -= SECTOR;
        bench.bytes[17] ^= 1;
        assert_int_equal(ask(), OTA_ERR_SIGNATURE);
    }
}

static void test_little_data(void **state)
{
    static const uint32_t lengths[] = {0, 1, OTA_SECURE_V1_SIZE - 1, SECTOR - 1};

    (void)state;
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        put_data(lengths[i]);
        assert_int_equal(ask(), OTA_ERR_SIGNATURE_MISSING);
    }
    /* Nothing, signed. */
    put_data(0);
    bench.length = (uint32_t)seals_put_v1(bench.bytes, 0, signers[P256]);
    assert_int_equal(ask(), OTA_OK);
    put_data(0);
    bench.length = (uint32_t)seals_put_v2(bench.bytes, 0, &signers[P256], 1);
    assert_int_equal(ask(), OTA_OK);
}

/* ---- All of a trust -------------------------------------------------------------------------- */

/* An image of a whole number of sectors less the trailer: it may have both. */
static void put_both(struct signer *first, struct signer *second)
{
    put_image(2 * SECTOR - 80);
    size_t len = seals_put_v1(bench.bytes, bench.length, first);
    (void)seals_put_v2(bench.bytes, len, &second, 1);
}

static void test_one_suffices(void **state)
{
    (void)state;
    put_both(signers[P256], signers[P384]);
    assert_int_equal(ask(), OTA_OK);
    assert_int_equal(bench.report.kind, OTA_SIGNED_SECURE_BOOT_V1);
    bench.keys[0] = signers[RSA]->key;
    bench.v1.key_count = 1;
    assert_int_equal(ask(), OTA_OK);
    assert_signed(OTA_SIGNED_SECURE_BOOT_V2, OTA_SIGNATURE_ECDSA_P384, P384);
    /* What is told is what the first said that is there. */
    bench.secure.digest_count = 0;
    assert_int_equal(ask(), OTA_ERR_KEY);
    assert_int_equal(bench.report.kind, OTA_SIGNED_SECURE_BOOT_V1);
    memset(bench.bytes + bench.length, 0xFF, OTA_SECURE_V1_SIZE);
    assert_int_equal(ask(), OTA_ERR_SIGNATURE_KEY);
    assert_int_equal(bench.report.kind, OTA_SIGNED_SECURE_BOOT_V2);
    bench.list[1] = NULL;
    assert_int_equal(ask(), OTA_ERR_SIGNATURE_MISSING);
    bench.list[0] = NULL;
    assert_int_equal(ask(), OTA_ERR_SIGNATURE_MISSING);
}

static void test_only_report(void **state)
{
    (void)state;
    bench.trust.only_report = true;
    put_image(1000);
    assert_int_equal(ask(), OTA_OK);
    assert_int_equal(bench.report.err, OTA_ERR_SIGNATURE_MISSING);
    (void)seals_put_v2(bench.bytes, bench.length, &signers[P256], 1);
    assert_int_equal(ask(), OTA_OK);
    assert_signed(OTA_SIGNED_SECURE_BOOT_V2, OTA_SIGNATURE_ECDSA_P256, P256);
    bench.bytes[900] ^= 1;
    assert_int_equal(ask(), OTA_OK);
    assert_int_equal(bench.report.err, OTA_ERR_SIGNATURE);
    bench.secure.digest_count = 0;
    assert_int_equal(ask(), OTA_OK);
    assert_int_equal(bench.report.err, OTA_ERR_SIGNATURE_KEY);
    bench.v1.key_count = 0;
    (void)seals_put_v1(bench.bytes, bench.length, signers[P256]);
    assert_int_equal(ask(), OTA_OK);
    assert_int_equal(bench.report.err, OTA_ERR_KEY);
    assert_int_equal(ask_in(6 * SECTOR, true, 1), OTA_ERR_ARGUMENT);
}

/* ---- Faults ---------------------------------------------------------------------------------- */

struct faulty_case {
    bool hashed;
    bool only_report;
    enum fault_kind kind;
};

static void ask_faulty(void *context)
{
    const struct faulty_case *faulty = context;
    uint8_t buffer[BLOCK];
    struct ota_hash hash;
    struct ota_region region = ram_flash_region(bench.chip, BASE, 6 * SECTOR);
    struct ota_sealed sealed = sealed_with(&region, NULL, buffer, sizeof buffer);

    if (faulty->hashed) {
        ota_crypto_bearssl.hash_begin(&hash, OTA_HASH_SHA256);
        ota_crypto_bearssl.hash_update(&hash, bench.bytes, bench.length);
        sealed.hash = &hash;
    }
    bench.trust.only_report = faulty->only_report;
    enum ota_err err = bench.seals.ask(&bench.trust, &sealed, &bench.report);
    if (faults_struck()) {
        assert_int_equal(err, faults_error(faulty->kind));
        assert_int_equal(bench.report.err, err);
    } else {
        assert_int_equal(err, OTA_OK);
    }
    assert_int_equal(faulty_crypto_running(), 0);
}

/* What the flash or the library cannot do is no bad signature, also where those are only told. */
static void test_faults(void **state)
{
    struct faulty_case faulty = {.hashed = false};

    (void)state;
    put_image(1000);
    (void)seals_put_v2(bench.bytes, bench.length, &signers[P384], 1);
    for (unsigned n = 0; n < 4; n++) {
        faulty = (struct faulty_case){n & 1, n & 2, FAULT_READ};
        assert_true(faults_everywhere(FAULT_READ, ask_faulty, &faulty) >= 7);
        faulty.kind = FAULT_CRYPTO;
        assert_true(faults_everywhere(FAULT_CRYPTO, ask_faulty, &faulty) >= 10);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_unsigned),
        TEST(test_v1),
        TEST(test_v1_keys),
        TEST(test_v2),
        TEST(test_v2_without_padding),
        TEST(test_revoked_and_unknown),
        TEST(test_reads),
        TEST(test_buffers),
        TEST(test_ends),
        TEST(test_data),
        TEST(test_little_data),
        TEST(test_one_suffices),
        TEST(test_only_report),
        TEST(test_faults),
    };

    return cmocka_run_group_tests(tests, set_up_all, tear_down_all);
}
