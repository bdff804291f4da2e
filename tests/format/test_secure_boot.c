/* SPDX-License-Identifier: Apache-2.0 */
/* Secure Boot's signatures: docs/formats/signatures.md sections 2 and 3. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <updraft/secure_boot.h>

#include "base/bytes.h"
#include "cli/secure_block.h"
#include "support/images.h"
#include "support/ram_flash.h"
#include "support/recorded.h"
#include "support/signer.h"

#define SECTOR OTA_SECURE_SECTOR_SIZE
#define BLOCK OTA_SECURE_BLOCK_SIZE
#define CRC_AT 1196u

static const struct ota_verifier *const by_bearssl[] = {
    &ota_verify_rsa_pss_bearssl, &ota_verify_p256_bearssl, &ota_verify_p384_bearssl, NULL};
static const struct ota_verifier *const by_openssl[] = {
    &ota_verify_rsa_pss_openssl, &ota_verify_p256_openssl, &ota_verify_p384_openssl, NULL};
static const struct ota_verifier *const *const libraries[] = {by_bearssl, by_openssl};
#define LIBRARIES 2

/* One of each kind of key, and further ones. */
enum who {
    RSA = 0,
    P256,
    P384,
    SECOND,
    THIRD,
    WHO
};
static struct signer *signers[WHO];

static int make_signers(void **state)
{
    (void)state;
    signers[RSA] = signer_new_rsa(3072, 65537);
    signers[P256] = signer_new_curve("P-256");
    signers[P384] = signer_new_curve("P-384");
    signers[SECOND] = signer_new_curve("P-256");
    signers[THIRD] = signer_new_curve("P-256");
    return 0;
}

static int free_signers(void **state)
{
    (void)state;
    for (size_t i = 0; i < WHO; i++) {
        signer_free(signers[i]);
    }
    return 0;
}

/* ---- Version 1 ------------------------------------------------------------------------------- */

static const struct ota_verifier *const p256_by[] = {&ota_verify_p256_bearssl,
                                                     &ota_verify_p256_openssl};

struct v1_file {
    uint8_t bytes[IMAGE_SIZE_MIN + OTA_SECURE_V1_SIZE];
    size_t image_len;
};

static void make_v1(struct v1_file *file)
{
    uint8_t digest[OTA_SHA384_SIZE];

    file->image_len =
        image_make(file->bytes, sizeof file->bytes, &(struct image_facts){.version = "1.0.0"});
    signer_digest(OTA_SIGNATURE_ECDSA_P256, file->bytes, file->image_len, digest);
    memset(file->bytes + file->image_len, 0, 4);
    uint8_t signature[OTA_RSA_SIZE_MAX];
    assert_int_equal(signer_sign(signers[P256], OTA_SIGNATURE_ECDSA_P256, digest, signature), 64);
    memcpy(file->bytes + file->image_len + 4, signature, 64);
}

static enum ota_err judge_v1(const struct v1_file *file, const struct ota_public_key *key,
                             size_t library)
{
    uint8_t digest[OTA_SHA384_SIZE];

    signer_digest(OTA_SIGNATURE_ECDSA_P256, file->bytes, file->image_len, digest);
    return ota_secure_boot_v1_verify(file->bytes + file->image_len, digest, key, p256_by[library]);
}

static void test_v1(void **state)
{
    struct v1_file file;

    (void)state;
    make_v1(&file);
    for (size_t l = 0; l < LIBRARIES; l++) {
        assert_int_equal(judge_v1(&file, &signers[P256]->key, l), OTA_OK);
        assert_int_equal(judge_v1(&file, &signers[SECOND]->key, l), OTA_ERR_SIGNATURE);
        assert_int_equal(judge_v1(&file, &signers[RSA]->key, l), OTA_ERR_KEY);
    }
    memset(file.bytes + file.image_len, 0xFF, OTA_SECURE_V1_SIZE);
    assert_int_equal(judge_v1(&file, &signers[P256]->key, 0), OTA_ERR_SIGNATURE_MISSING);
}

/* Header, body, version and signature. */
static void test_v1_every_bit(void **state)
{
    struct v1_file file;

    (void)state;
    make_v1(&file);
    for (size_t l = 0; l < LIBRARIES; l++) {
        for (size_t bit = 0; bit < 8 * (file.image_len + OTA_SECURE_V1_SIZE); bit++) {
            bool is_version = bit / 8 >= file.image_len && bit / 8 < file.image_len + 4;
            file.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
            assert_int_equal(judge_v1(&file, &signers[P256]->key, l),
                             is_version ? OTA_ERR_SIGNATURE_MISSING : OTA_ERR_SIGNATURE);
            file.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
    }
}

/* ---- Version 2 ------------------------------------------------------------------------------- */

/* A padded image and its sector, as a chip's flash holds them, and what a device knows of
   the keys. */
struct v2_file {
    uint8_t bytes[2 * SECTOR];
    struct ota_flash flash; /* reads `bytes` */
    uint8_t key_digests[OTA_SECURE_BLOCKS_MAX + 1][OTA_SHA256_SIZE];
    struct ota_secure_trust trust;
};

static struct v2_file *file_of(struct ota_flash *flash)
{
    return (struct v2_file *)(void *)((char *)flash - offsetof(struct v2_file, flash));
}

static enum ota_err read_file(struct ota_flash *flash, uint32_t offset, void *data, uint32_t len)
{
    memcpy(data, file_of(flash)->bytes + offset, len);
    return OTA_OK;
}

static enum ota_signature_scheme scheme_of(enum who who)
{
    return who == RSA    ? OTA_SIGNATURE_RSA_PSS
           : who == P384 ? OTA_SIGNATURE_ECDSA_P384
                         : OTA_SIGNATURE_ECDSA_P256;
}

static void make_block(struct v2_file *file, unsigned place, enum who who)
{
    enum ota_signature_scheme scheme = scheme_of(who);
    uint8_t digest[OTA_SHA384_SIZE];
    uint8_t signature[OTA_RSA_SIZE_MAX];

    signer_digest(scheme, file->bytes, SECTOR, digest);
    (void)signer_sign(signers[who], scheme, digest, signature);
    assert_true(secure_block_write(file->bytes + SECTOR + place * BLOCK, &signers[who]->key, digest,
                                   signature));
}

static void trust(struct v2_file *file, enum who who)
{
    assert_true(
        secure_key_digest(&signers[who]->key, file->key_digests[file->trust.digest_count++]));
}

static void make_image(struct v2_file *file)
{
    memset(file, 0, sizeof *file);
    memset(file->bytes, 0xFF, sizeof file->bytes);
    assert_true(image_make(file->bytes, SECTOR, &(struct image_facts){.version = "1.0.0"}) > 0);
    file->flash = (struct ota_flash){.size = sizeof file->bytes, .read = read_file};
    file->trust.digests = (const uint8_t(*)[OTA_SHA256_SIZE])file->key_digests;
    file->trust.verifiers = by_bearssl;
}

/* Signed once, by one who is trusted. */
static void make_v2(struct v2_file *file, enum who who)
{
    make_image(file);
    make_block(file, 0, who);
    trust(file, who);
}

static struct ota_secure_block counted;
static uint8_t memory[BLOCK];

static enum ota_err judge_at(struct v2_file *file, uint32_t offset)
{
    uint8_t sha256[OTA_SHA384_SIZE];
    uint8_t sha384[OTA_SHA384_SIZE];
    const struct ota_secure_digests digests = {sha256, sha384};
    struct ota_region region;

    signer_digest(OTA_SIGNATURE_ECDSA_P256, file->bytes, SECTOR, sha256);
    signer_digest(OTA_SIGNATURE_ECDSA_P384, file->bytes, SECTOR, sha384);
    assert_int_equal(ota_region_init(&region, &file->flash, 0, sizeof file->bytes), OTA_OK);
    return ota_secure_boot_v2_verify(&file->trust, &ota_crypto_bearssl_sha256, &region, offset,
                                     &digests, memory, &counted);
}

static enum ota_err judge(struct v2_file *file)
{
    return judge_at(file, SECTOR);
}

static void test_v2(void **state)
{
    struct v2_file file;

    (void)state;
    for (size_t l = 0; l < LIBRARIES; l++) {
        for (enum who who = RSA; who <= P384; who++) {
            make_v2(&file, who);
            file.trust.verifiers = libraries[l];
            assert_int_equal(judge(&file), OTA_OK);
            assert_int_equal(counted.scheme, scheme_of(who));
            assert_int_equal(counted.key.type, signers[who]->key.type);
            assert_int_equal(counted.key.len, signers[who]->key.len);
            assert_memory_equal(counted.key.bytes, signers[who]->bytes, counted.key.len);
            assert_memory_equal(counted.key_digest, file.key_digests[0], OTA_SHA256_SIZE);
        }
    }
}

/* The image with its padding, and the block. The checksum notices what is changed in the block. */
static void test_v2_every_bit(void **state)
{
    struct v2_file file;

    (void)state;
    for (size_t l = 0; l < LIBRARIES; l++) {
        for (enum who who = RSA; who <= P384; who++) {
            make_v2(&file, who);
            file.trust.verifiers = libraries[l];
            for (size_t bit = 0; bit < (size_t)8 * (SECTOR + BLOCK); bit++) {
                bool is_magic = bit / 8 == SECTOR;
                file.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
                assert_int_equal(judge(&file),
                                 is_magic ? OTA_ERR_SIGNATURE_MISSING : OTA_ERR_SIGNATURE);
                file.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
            }
            assert_int_equal(judge(&file), OTA_OK);
        }
    }
}

static void renew_crc(struct v2_file *file)
{
    uint8_t *block = file->bytes + SECTOR;

    ota__put_le32(block + CRC_AT, ota_crc32(0, block, CRC_AT));
}

/* One who changes the block on purpose renews its checksum too. */
static void test_v2_every_bit_resealed(void **state)
{
    static const struct {
        enum who who;
        unsigned digest_at, key_at, key_len, signature_at, signature_len;
    } layouts[] = {
        {RSA, 4, 36, 776, 812, 384}, {P256, 4, 36, 65, 101, 64}, {P384, 4, 52, 97, 149, 96}};
    struct v2_file file;

    (void)state;
    for (size_t i = 0; i < sizeof layouts / sizeof layouts[0]; i++) {
        make_v2(&file, layouts[i].who);
        file.trust.verifiers = by_openssl;
        for (unsigned bit = 8 * layouts[i].digest_at;
             bit < 8 * (layouts[i].signature_at + layouts[i].signature_len); bit++) {
            unsigned at = bit / 8;
            bool is_key = at >= layouts[i].key_at && at < layouts[i].key_at + layouts[i].key_len;
            file.bytes[SECTOR + at] ^= (uint8_t)(1u << bit % 8);
            renew_crc(&file);
            enum ota_err err = judge(&file);
            assert_true(err == (is_key ? OTA_ERR_SIGNATURE_KEY : OTA_ERR_SIGNATURE) ||
                        (is_key && err == OTA_ERR_KEY)); /* another curve's number */
            file.bytes[SECTOR + at] ^= (uint8_t)(1u << bit % 8);
        }
        renew_crc(&file);
        assert_int_equal(judge(&file), OTA_OK);
    }
}

/* ---- Whom one trusts ------------------------------------------------------------------------- */

static void test_any_order(void **state)
{
    static const enum who orders[][3] = {{P256, SECOND, THIRD}, {P256, THIRD, SECOND},
                                         {SECOND, P256, THIRD}, {SECOND, THIRD, P256},
                                         {THIRD, P256, SECOND}, {THIRD, SECOND, P256}};
    struct v2_file file;

    (void)state;
    for (size_t i = 0; i < sizeof orders / sizeof orders[0]; i++) {
        make_image(&file);
        for (unsigned place = 0; place < 3; place++) {
            make_block(&file, place, orders[i][place]);
        }
        assert_int_equal(judge(&file), OTA_ERR_SIGNATURE_KEY);
        trust(&file, P256);
        assert_int_equal(judge(&file), OTA_OK);
        assert_memory_equal(counted.key_digest, file.key_digests[0], OTA_SHA256_SIZE);
        /* Some chips look at the first only. */
        file.trust.blocks = 1;
        assert_int_equal(judge(&file), orders[i][0] == P256 ? OTA_OK : OTA_ERR_SIGNATURE_KEY);
    }
}

/* A trusted block that does not fit does not end the search. */
static void test_later_block(void **state)
{
    struct v2_file file;

    (void)state;
    make_image(&file);
    make_block(&file, 0, P256);
    make_block(&file, 1, RSA);
    make_block(&file, 2, P384);
    trust(&file, P256);
    trust(&file, P384);
    file.bytes[SECTOR + 110] ^= 1; /* of the first's signature */
    renew_crc(&file);
    assert_int_equal(judge(&file), OTA_OK);
    assert_int_equal(counted.scheme, OTA_SIGNATURE_ECDSA_P384);
    memset(file.bytes + SECTOR, 0xFF, (size_t)2 * BLOCK);
    assert_int_equal(judge(&file), OTA_OK);
    file.bytes[SECTOR + 2 * BLOCK + CRC_AT] ^= 1;
    assert_int_equal(judge(&file), OTA_ERR_SIGNATURE);
    memset(file.bytes + SECTOR, 0xFF, SECTOR);
    assert_int_equal(judge(&file), OTA_ERR_SIGNATURE_MISSING);
}

/* What is said is what was wrong with the first block that is one. */
static void test_first_cause(void **state)
{
    struct v2_file file;

    (void)state;
    make_image(&file);
    make_block(&file, 1, SECOND);
    make_block(&file, 2, P256);
    trust(&file, P256);
    file.bytes[SECTOR + 2 * BLOCK + 5] ^= 1;
    assert_int_equal(judge(&file), OTA_ERR_SIGNATURE_KEY);
    file.bytes[SECTOR + BLOCK + 5] ^= 1;
    assert_int_equal(judge(&file), OTA_ERR_SIGNATURE);
}

static void test_revoked(void **state)
{
    struct v2_file file;

    (void)state;
    make_v2(&file, P256);
    trust(&file, SECOND);
    trust(&file, THIRD);
    file.trust.revoked = 1u << 1 | 1u << 2;
    assert_int_equal(judge(&file), OTA_OK);
    file.trust.revoked = 1u << 0;
    assert_int_equal(judge(&file), OTA_ERR_SIGNATURE_KEY);
    /* The same key in another place of the fuses counts. */
    file.trust.digest_count = 1;
    trust(&file, P256);
    assert_int_equal(judge(&file), OTA_OK);
    file.trust.revoked = 3;
    assert_int_equal(judge(&file), OTA_ERR_SIGNATURE_KEY);
    file.trust.digest_count = 0;
    file.trust.revoked = 0;
    assert_int_equal(judge(&file), OTA_ERR_SIGNATURE_KEY);
}

/* The ESP32-C2 keeps the first half of a digest. */
static void test_half_a_digest(void **state)
{
    struct v2_file file;

    (void)state;
    make_v2(&file, P256);
    memset(file.key_digests[0] + 16, 0, 16);
    assert_int_equal(judge(&file), OTA_ERR_SIGNATURE_KEY);
    file.trust.digest_len = 16;
    assert_int_equal(judge(&file), OTA_OK);
    file.key_digests[0][15] ^= 1;
    assert_int_equal(judge(&file), OTA_ERR_SIGNATURE_KEY);
}

static void test_what_cannot_be_checked(void **state)
{
    static const struct ota_verifier *const only_p384[] = {&ota_verify_p384_bearssl, NULL};
    const uint8_t none[OTA_SHA256_SIZE] = {0};
    const struct ota_secure_digests no_sha384 = {none, NULL};
    struct v2_file file;

    (void)state;
    make_v2(&file, P256);
    file.trust.verifiers = only_p384;
    assert_int_equal(judge(&file), OTA_ERR_KEY);
    file.trust.verifiers = NULL;
    assert_int_equal(judge(&file), OTA_ERR_KEY);
    make_v2(&file, P384);
    assert_int_equal(judge(&file), OTA_OK);
    assert_int_equal(ota_secure_block_verify(&counted, &file.trust, &no_sha384), OTA_ERR_KEY);
}

/* P-192 is read, and never believed. */
static void test_p192(void **state)
{
    uint8_t point[OTA_P192_POINT_SIZE] = {0x04, 1, 2, 3};
    const struct ota_public_key key = {.type = OTA_KEY_P192, .bytes = point, .len = sizeof point};
    uint8_t digest[OTA_SHA384_SIZE];
    uint8_t signature[48] = {9, 8, 7};
    struct v2_file file;

    (void)state;
    make_image(&file);
    signer_digest(OTA_SIGNATURE_ECDSA_P192, file.bytes, SECTOR, digest);
    assert_true(secure_block_write(file.bytes + SECTOR, &key, digest, signature));
    assert_true(secure_key_digest(&key, file.key_digests[0]));
    file.trust.digest_count = 1;
    assert_int_equal(judge(&file), OTA_ERR_KEY);
    assert_int_equal(counted.scheme, OTA_SIGNATURE_ECDSA_P192);
    memcpy(memory, file.bytes + SECTOR, BLOCK);
    assert_int_equal(ota_secure_block_decode(&counted, memory, &ota_crypto_bearssl_sha256), OTA_OK);
    assert_memory_equal(counted.key_digest, file.key_digests[0], OTA_SHA256_SIZE);
    assert_memory_equal(counted.key.bytes, point, sizeof point);
    assert_memory_equal(counted.signature, signature, sizeof signature);
    assert_int_equal(counted.signature_len, sizeof signature);
}

static void test_unknown_kinds(void **state)
{
    static const struct {
        unsigned at;
        uint8_t value;
    } kinds[] = {{1, 0}, {1, 1}, {1, 4}, {1, 0xFF}, {2, 1}, {2, 2}, {36, 0}, {36, 3}, {36, 4}};
    struct v2_file file;

    (void)state;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        make_v2(&file, P256);
        file.bytes[SECTOR + kinds[i].at] = kinds[i].value;
        renew_crc(&file);
        assert_int_equal(judge(&file), OTA_ERR_KEY);
    }
}

/* A key is weak though its digest is trusted: the exponent stands in the block. */
static void test_weak_key(void **state)
{
    struct signer *weak = signer_new_rsa(3072, 3);
    struct signer *kept = signers[RSA];
    struct v2_file file;

    (void)state;
    signers[RSA] = weak;
    make_v2(&file, RSA);
    signers[RSA] = kept;
    for (size_t l = 0; l < LIBRARIES; l++) {
        file.trust.verifiers = libraries[l];
        assert_int_equal(judge(&file), OTA_ERR_KEY);
    }
    signer_free(weak);
}

/* ---- Where it is looked for ------------------------------------------------------------------ */

static void test_places(void **state)
{
    struct v2_file file;

    (void)state;
    make_v2(&file, P256);
    assert_int_equal(judge_at(&file, 0), OTA_ERR_SIGNATURE_MISSING); /* begins as an image */
    assert_int_equal(judge_at(&file, SECTOR + 1), OTA_ERR_SIGNATURE_MISSING);
    assert_int_equal(judge_at(&file, 2 * SECTOR), OTA_ERR_SIGNATURE_MISSING);
    assert_int_equal(judge_at(&file, UINT32_MAX - SECTOR), OTA_ERR_SIGNATURE_MISSING);
    assert_int_equal(judge_at(&file, UINT32_MAX), OTA_ERR_SIGNATURE_MISSING);
    assert_int_equal(ota_secure_sector_offset(1), SECTOR);
    assert_int_equal(ota_secure_sector_offset(SECTOR), SECTOR);
    assert_int_equal(ota_secure_sector_offset(SECTOR + 1), 2 * SECTOR);
}

/* What follows the blocks in their sector, and behind it, is nobody's business. */
static void test_garbage_behind(void **state)
{
    struct v2_file file;

    (void)state;
    make_v2(&file, P256);
    for (unsigned i = BLOCK; i < SECTOR; i++) {
        file.bytes[SECTOR + i] = (uint8_t)noise(5, i);
    }
    assert_int_equal(judge(&file), OTA_OK);
}

/* ---- Faults ---------------------------------------------------------------------------------- */

static void judge_faulty(void *context)
{
    struct v2_file *file = context;
    uint8_t sha256[OTA_SHA384_SIZE];
    const struct ota_secure_digests digests = {sha256, NULL};
    struct faulty_flash faulty;
    struct ota_region region;

    signer_digest(OTA_SIGNATURE_ECDSA_P256, file->bytes, SECTOR, sha256);
    faulty_flash_init(&faulty, &file->flash);
    assert_int_equal(ota_region_init(&region, &faulty.flash, 0, sizeof file->bytes), OTA_OK);
    enum ota_err err = ota_secure_boot_v2_verify(&file->trust, &faulty_crypto, &region, SECTOR,
                                                 &digests, memory, &counted);
    if (faults_struck()) {
        assert_true(err == OTA_ERR_FLASH_READ || err == OTA_ERR_CRYPTO);
    } else {
        assert_int_equal(err, OTA_OK);
    }
    assert_int_equal(faulty_crypto_running(), 0);
}

static void test_faults(void **state)
{
    struct v2_file file;

    (void)state;
    make_v2(&file, P256);
    assert_int_equal(faults_everywhere(FAULT_READ, judge_faulty, &file), 1);
    assert_int_equal(faults_everywhere(FAULT_CRYPTO, judge_faulty, &file), 3);
}

/* ---- Recorded files -------------------------------------------------------------------------- */

/* What the fuses would hold of the keys: docs/formats/signatures.md section 3.5. */
static const uint8_t recorded_digests[][OTA_SHA256_SIZE] = {
    {0xcb, 0x27, 0x91, 0xa3, 0x71, 0xb0, 0xc0, 0x32, 0x2b, 0xf7, 0x37,
     0x04, 0x78, 0xba, 0x09, 0x62, 0x22, 0x4c, 0xab, 0x1c, 0xf2, 0x28,
     0x78, 0x79, 0xe4, 0x29, 0x67, 0x3e, 0x7d, 0xa8, 0x44, 0x63},
    {0xf3, 0x5c, 0xc5, 0xdb, 0xdd, 0xe6, 0x7f, 0x94, 0xa7, 0xbb, 0xcb,
     0x57, 0x23, 0x37, 0x1b, 0xa9, 0x18, 0x22, 0x19, 0x35, 0x82, 0x30,
     0x8f, 0x84, 0xcb, 0x95, 0xb4, 0x53, 0x12, 0x19, 0x05, 0x6d},
    {0xe3, 0xa2, 0x68, 0x7e, 0x24, 0x11, 0xfe, 0x08, 0xb5, 0x80, 0xed,
     0x53, 0xa7, 0xfa, 0xd5, 0xa7, 0x1e, 0x94, 0x37, 0x1b, 0xf1, 0x3a,
     0x3d, 0x0b, 0x92, 0x1a, 0x3e, 0x7e, 0x68, 0x27, 0xee, 0x7d},
};

static void test_recorded(void **state)
{
    static const struct {
        const char *name;
        unsigned by; /* which digest */
        bool others; /* it has the blocks of further keys */
    } files[] = {
        {"esp/secure/bootloader_signed_v2_rsa.bin", 0, false},
        {"esp/secure/bootloader_signed_v2_ecdsa256.bin", 1, false},
        {"esp/secure/bootloader_multi_signed_v2_ecdsa256.bin", 1, true},
        {"esp/partitions/signed_storage.bin", 2, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        uint32_t len;
        uint8_t *bytes = recorded_read(UPDRAFT_VECTORS, files[i].name, &len);
        if (bytes == NULL) {
            skip();
            return;
        }
        uint8_t digest[OTA_SHA384_SIZE];
        signer_digest(OTA_SIGNATURE_ECDSA_P256, bytes, len - SECTOR, digest);
        const struct ota_secure_digests digests = {digest, NULL};
        for (unsigned d = 0; d < 3; d++) {
            struct ota_secure_trust trusted = {.digests = &recorded_digests[d], .digest_count = 1};
            for (size_t l = 0; l < LIBRARIES; l++) {
                trusted.verifiers = libraries[l];
                memcpy(memory, bytes + len - SECTOR, BLOCK);
                assert_int_equal(
                    ota_secure_block_decode(&counted, memory, &ota_crypto_bearssl_sha256), OTA_OK);
                assert_int_equal(ota_secure_block_verify(&counted, &trusted, &digests),
                                 d == files[i].by ? OTA_OK : OTA_ERR_SIGNATURE_KEY);
            }
        }
        memcpy(memory, bytes + len - SECTOR + BLOCK, BLOCK);
        assert_int_equal(ota_secure_block_decode(&counted, memory, &ota_crypto_bearssl_sha256),
                         files[i].others ? OTA_OK : OTA_ERR_SIGNATURE_MISSING);
        free(bytes);
    }
}

static void test_recorded_v1(void **state)
{
    uint32_t len;
    uint32_t key_len;
    uint8_t *bytes = recorded_read(UPDRAFT_VECTORS, "esp/secure/bootloader_signed.bin", &len);
    uint8_t *raw = recorded_read(
        UPDRAFT_VECTORS, "esp/secure/ecdsa256_secure_boot_signing_pubkey_raw.bin", &key_len);
    uint8_t point[OTA_P256_POINT_SIZE] = {0x04};
    uint8_t digest[OTA_SHA384_SIZE];
    const struct ota_public_key key = {.type = OTA_KEY_P256, .bytes = point, .len = sizeof point};

    (void)state;
    if (bytes == NULL || raw == NULL) {
        free(bytes);
        free(raw);
        skip();
        return;
    }
    assert_int_equal(key_len, OTA_SECURE_V1_KEY_SIZE);
    memcpy(point + 1, raw, OTA_SECURE_V1_KEY_SIZE);
    signer_digest(OTA_SIGNATURE_ECDSA_P256, bytes, len - OTA_SECURE_V1_SIZE, digest);
    for (size_t l = 0; l < LIBRARIES; l++) {
        assert_int_equal(
            ota_secure_boot_v1_verify(bytes + len - OTA_SECURE_V1_SIZE, digest, &key, p256_by[l]),
            OTA_OK);
    }
    free(bytes);
    free(raw);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_v1),
        cmocka_unit_test(test_v1_every_bit),
        cmocka_unit_test(test_v2),
        cmocka_unit_test(test_v2_every_bit),
        cmocka_unit_test(test_v2_every_bit_resealed),
        cmocka_unit_test(test_any_order),
        cmocka_unit_test(test_later_block),
        cmocka_unit_test(test_first_cause),
        cmocka_unit_test(test_revoked),
        cmocka_unit_test(test_half_a_digest),
        cmocka_unit_test(test_what_cannot_be_checked),
        cmocka_unit_test(test_p192),
        cmocka_unit_test(test_unknown_kinds),
        cmocka_unit_test(test_weak_key),
        cmocka_unit_test(test_places),
        cmocka_unit_test(test_garbage_behind),
        cmocka_unit_test(test_faults),
        cmocka_unit_test(test_recorded),
        cmocka_unit_test(test_recorded_v1),
    };

    return cmocka_run_group_tests(tests, make_signers, free_signers);
}
