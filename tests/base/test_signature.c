/* SPDX-License-Identifier: Apache-2.0 */
/* Verifiers: each scheme on each library accepts what OpenSSL signs, and nothing else;
   weak keys. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include <updraft/signature.h>

#include "support/signer.h"

enum library {
    BEARSSL = 0,
    OPENSSL,
    PSA,
    LIBRARIES
};

#define SCHEMES 6

/* Each scheme, and who has it. */
static const struct {
    enum ota_signature_scheme scheme;
    const struct ota_verifier *by[LIBRARIES];
} schemes[SCHEMES] = {
    {OTA_SIGNATURE_RSA_PKCS1,
     {&ota_verify_rsa_pkcs1_bearssl, &ota_verify_rsa_pkcs1_openssl, &ota_verify_rsa_pkcs1_psa}},
    {OTA_SIGNATURE_RSA_PKCS1_RAW,
     {&ota_verify_rsa_pkcs1_raw_bearssl, &ota_verify_rsa_pkcs1_raw_openssl,
      &ota_verify_rsa_pkcs1_raw_psa}},
    {OTA_SIGNATURE_RSA_PSS,
     {&ota_verify_rsa_pss_bearssl, &ota_verify_rsa_pss_openssl, &ota_verify_rsa_pss_psa}},
    {OTA_SIGNATURE_ECDSA_P256,
     {&ota_verify_p256_bearssl, &ota_verify_p256_openssl, &ota_verify_p256_psa}},
    {OTA_SIGNATURE_ECDSA_P256,
     {&ota_verify_p256_bearssl_i15, &ota_verify_p256_openssl, &ota_verify_p256_psa}},
    {OTA_SIGNATURE_ECDSA_P384,
     {&ota_verify_p384_bearssl, &ota_verify_p384_openssl, &ota_verify_p384_psa}},
};
#define RSA_SCHEMES 3

/* Made once: RSA keys take long. */
static struct signer *rsa_2048, *rsa_3072, *rsa_4096, *rsa_1024, *rsa_3, *p256, *p384, *other[3];

static int make_signers(void **state)
{
    (void)state;
    rsa_2048 = signer_new_rsa(2048, 65537);
    rsa_3072 = signer_new_rsa(3072, 65537);
    rsa_4096 = signer_new_rsa(4096, 65537);
    rsa_1024 = signer_new_rsa(1024, 65537);
    rsa_3 = signer_new_rsa(2048, 3);
    p256 = signer_new_curve("P-256");
    p384 = signer_new_curve("P-384");
    other[0] = signer_new_rsa(2048, 65537);
    other[1] = signer_new_curve("P-256");
    other[2] = signer_new_curve("P-384");
    return 0;
}

static int free_signers(void **state)
{
    struct signer *all[] = {rsa_2048, rsa_3072, rsa_4096, rsa_1024, rsa_3,
                            p256,     p384,     other[0], other[1], other[2]};

    (void)state;
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        signer_free(all[i]);
    }
    return 0;
}

static struct signer *signer_of(size_t scheme)
{
    switch (schemes[scheme].scheme) {
    case OTA_SIGNATURE_ECDSA_P256:
        return p256;
    case OTA_SIGNATURE_ECDSA_P384:
        return p384;
    default:
        return rsa_2048;
    }
}

static struct signer *other_than(size_t scheme)
{
    switch (schemes[scheme].scheme) {
    case OTA_SIGNATURE_ECDSA_P256:
        return other[1];
    case OTA_SIGNATURE_ECDSA_P384:
        return other[2];
    default:
        return other[0];
    }
}

/* A digest and a signature over it. */
struct sample {
    uint8_t digest[OTA_SHA384_SIZE];
    uint8_t bytes[OTA_RSA_SIZE_MAX + 1];
    size_t len;
};

static struct sample sign(const struct signer *signer, size_t scheme)
{
    struct sample sample = {.len = 0};

    signer_digest(schemes[scheme].scheme, "firmware", 8, sample.digest);
    sample.len = signer_sign(signer, schemes[scheme].scheme, sample.digest, sample.bytes);
    return sample;
}

static enum ota_err verify(size_t scheme, size_t library, const struct signer *signer,
                           const struct sample *sample)
{
    return schemes[scheme].by[library]->verify(&signer->key, sample->digest, sample->bytes,
                                               sample->len);
}

static void test_accepts(void **state)
{
    (void)state;
    for (size_t s = 0; s < SCHEMES; s++) {
        struct sample sample = sign(signer_of(s), s);
        for (size_t l = 0; l < LIBRARIES; l++) {
            const struct ota_verifier *verifier = schemes[s].by[l];
            assert_int_equal(verifier->scheme, schemes[s].scheme);
            assert_int_equal(verifier->hash, schemes[s].scheme == OTA_SIGNATURE_ECDSA_P384
                                                 ? OTA_HASH_SHA384
                                                 : OTA_HASH_SHA256);
            assert_int_equal(verify(s, l, signer_of(s), &sample), OTA_OK);
            assert_int_equal(verify(s, l, other_than(s), &sample), OTA_ERR_SIGNATURE);
        }
    }
}

static void test_lengths_of_rsa(void **state)
{
    struct signer *signers[] = {rsa_2048, rsa_3072, rsa_4096};

    (void)state;
    for (size_t i = 0; i < sizeof signers / sizeof signers[0]; i++) {
        for (size_t s = 0; s < RSA_SCHEMES; s++) {
            struct sample sample = sign(signers[i], s);
            for (size_t l = 0; l < LIBRARIES; l++) {
                assert_int_equal(verify(s, l, signers[i], &sample), OTA_OK);
            }
        }
    }
}

/* A scheme's signature is none of another, though key and digest are the same. */
static void test_schemes_are_apart(void **state)
{
    (void)state;
    for (size_t made = 0; made < RSA_SCHEMES; made++) {
        struct sample sample = sign(rsa_2048, made);
        for (size_t s = 0; s < RSA_SCHEMES; s++) {
            for (size_t l = 0; l < LIBRARIES; l++) {
                assert_int_equal(verify(s, l, rsa_2048, &sample),
                                 s == made ? OTA_OK : OTA_ERR_SIGNATURE);
            }
        }
    }
}

/* PSA's curves are slow, and are tried on some bits only. */
static size_t step_of(size_t scheme, size_t library)
{
    return library == PSA && scheme >= RSA_SCHEMES ? 13 : 1;
}

static void test_every_bit(void **state)
{
    (void)state;
    for (size_t s = 0; s < SCHEMES; s++) {
        struct sample sample = sign(signer_of(s), s);
        size_t digest_len = ota_digest_size(schemes[s].by[0]->hash);
        for (size_t l = 0; l < LIBRARIES; l++) {
            for (size_t bit = 0; bit < 8 * sample.len; bit += step_of(s, l)) {
                sample.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
                assert_int_equal(verify(s, l, signer_of(s), &sample), OTA_ERR_SIGNATURE);
                sample.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
            }
            for (size_t bit = 0; bit < 8 * digest_len; bit += step_of(s, l)) {
                sample.digest[bit / 8] ^= (uint8_t)(1u << bit % 8);
                assert_int_equal(verify(s, l, signer_of(s), &sample), OTA_ERR_SIGNATURE);
                sample.digest[bit / 8] ^= (uint8_t)(1u << bit % 8);
            }
            assert_int_equal(verify(s, l, signer_of(s), &sample), OTA_OK);
        }
    }
}

static void test_wrong_lengths(void **state)
{
    (void)state;
    for (size_t s = 0; s < SCHEMES; s++) {
        struct sample sample = sign(signer_of(s), s);
        size_t right = sample.len;
        const size_t wrong[] = {0,         1,         2,         right / 2,
                                right - 2, right - 1, right + 1, OTA_RSA_SIZE_MAX + 1};
        for (size_t l = 0; l < LIBRARIES; l++) {
            for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
                sample.len = wrong[i];
                assert_int_equal(verify(s, l, signer_of(s), &sample), OTA_ERR_SIGNATURE);
            }
            sample.len = right;
        }
    }
}

/* The same numbers with a zero in front are another signature, and one too many. */
static void test_numbers_too_long(void **state)
{
    (void)state;
    for (size_t s = RSA_SCHEMES; s < SCHEMES; s++) {
        const struct sample right = sign(signer_of(s), s);
        size_t half = right.len / 2;
        struct sample sample = right;
        sample.len = right.len + 2;
        sample.bytes[0] = sample.bytes[half + 1] = 0;
        memcpy(sample.bytes + 1, right.bytes, half);
        memcpy(sample.bytes + half + 2, right.bytes + half, half);
        for (size_t l = 0; l < LIBRARIES; l++) {
            assert_int_equal(verify(s, l, signer_of(s), &sample), OTA_ERR_SIGNATURE);
        }
    }
}

/* The order of P-256's group. */
static const uint8_t order[32] = {0xFF, 0xFF, 0xFF, 0xFF, 0x00, 0x00, 0x00, 0x00, 0xFF, 0xFF, 0xFF,
                                  0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xBC, 0xE6, 0xFA, 0xAD, 0xA7, 0x17,
                                  0x9E, 0x84, 0xF3, 0xB9, 0xCA, 0xC2, 0xFC, 0x63, 0x25, 0x51};

/* Makes the n-th strange signature of a good one: zeros, ones, a modulus, halves changed over.
   Returns false behind the last. */
static bool make_strange(struct sample *sample, unsigned n)
{
    const struct sample right = *sample;
    size_t half = right.len / 2;

    switch (n) {
    case 0:
        memset(sample->bytes, 0, right.len);
        break;
    case 1:
        memset(sample->bytes, 0xFF, right.len);
        break;
    case 2:
        memset(sample->bytes, 0, right.len);
        sample->bytes[right.len - 1] = 1;
        break;
    case 3:
        memset(sample->bytes, 0, half);
        break;
    case 4:
        memset(sample->bytes + half, 0, half);
        break;
    case 5:
        memcpy(sample->bytes, rsa_2048->bytes, right.len);
        break;
    case 6:
        memcpy(sample->bytes, order, half < sizeof order ? half : sizeof order);
        break;
    case 7:
        memcpy(sample->bytes + half, order, half < sizeof order ? half : sizeof order);
        break;
    case 8:
        memcpy(sample->bytes, right.bytes + half, half);
        memcpy(sample->bytes + half, right.bytes, half);
        break;
    default:
        return false;
    }
    return true;
}

/* Numbers for which formulas like to go wrong. */
static void test_strange_numbers(void **state)
{
    (void)state;
    for (size_t s = 0; s < SCHEMES; s++) {
        const struct sample right = sign(signer_of(s), s);
        for (size_t l = 0; l < LIBRARIES; l++) {
            struct sample sample = right;
            for (unsigned n = 0; make_strange(&sample, n); n++) {
                assert_int_equal(verify(s, l, signer_of(s), &sample), OTA_ERR_SIGNATURE);
                sample = right;
            }
        }
    }
}

/* A salt of 32 bytes and no other: the format says so, and what is laxer than it is wrong. */
static void test_salts(void **state)
{
    static const int salts[] = {0, 1, 20, 31, 33, 222};
    const size_t pss = 2;

    (void)state;
    for (size_t i = 0; i < sizeof salts / sizeof salts[0]; i++) {
        rsa_2048->salt = salts[i];
        struct sample sample = sign(rsa_2048, pss);
        for (size_t l = 0; l < LIBRARIES; l++) {
            assert_int_equal(verify(pss, l, rsa_2048, &sample), OTA_ERR_SIGNATURE);
        }
    }
    rsa_2048->salt = SIGNER_SALT_USUAL;
}

/* ---- Blocks with a fault that the key's owner alone could sign ------------------------------- */

#define RSA_LEN 256u
#define DATA_LEN (RSA_LEN - OTA_SHA256_SIZE - 1)
#define ZEROS (DATA_LEN - SIGNER_SALT_USUAL - 1)

/* Encodes as PSS does, the n-th time with another fault; with n = 0 there is none. */
static void encode_with_salt(uint8_t block[RSA_LEN], const uint8_t *digest, unsigned n, int salt)
{
    uint8_t seed_of[8 + 2 * OTA_SHA256_SIZE] = {0};
    uint8_t *hash = block + DATA_LEN;

    memset(block, 0, RSA_LEN);
    memset(block + DATA_LEN - SIGNER_SALT_USUAL, salt, SIGNER_SALT_USUAL);
    block[ZEROS] = n == 1 ? 0 : n == 2 ? 3 : 1;
    if (n == 3) {
        block[ZEROS - 1] = 1;
    } else if (n == 4) {
        block[1] = 0x80;
    } else if (n == 5) {
        block[0] = 0x40;
    } else if (n == 6) {
        memset(block, 0xFF, ZEROS);
    }
    memcpy(seed_of + 8, digest, OTA_SHA256_SIZE);
    memcpy(seed_of + 8 + OTA_SHA256_SIZE, block + DATA_LEN - SIGNER_SALT_USUAL, SIGNER_SALT_USUAL);
    seed_of[0] = n == 7;
    uint8_t made[OTA_SHA384_SIZE];
    signer_digest(OTA_SIGNATURE_RSA_PSS, seed_of, sizeof seed_of, made);
    memcpy(hash, made, OTA_SHA256_SIZE);
    signer_mask(block, DATA_LEN, hash);
    block[0] &= 0x7F;
    block[RSA_LEN - 1] = n == 8 ? 0xBD : n == 9 ? 0xCC : 0xBC;
}

/* Returns false behind the last fault. That is the one bit which the encoding leaves free in front,
   and takes a block that stays below the modulus with it. */
static bool encode_pss(uint8_t block[RSA_LEN], const uint8_t *digest, unsigned n)
{
    if (n < 10) {
        encode_with_salt(block, digest, n, 0x5A);
        return true;
    }
    for (int salt = 0; n == 10 && salt < 256; salt++) {
        encode_with_salt(block, digest, n, salt);
        block[0] |= 0x80;
        if (memcmp(block, rsa_2048->bytes, RSA_LEN) < 0) {
            return true;
        }
    }
    return false;
}

/* A block of PKCS #1 v1.5 likewise. */
static bool encode_pkcs1(uint8_t block[RSA_LEN], const uint8_t *digest, unsigned n)
{
    static const uint8_t info[] = {0x30, 0x31, 0x30, 0x0D, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01,
                                   0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20};
    /* A digest in front, and room behind it: what lets a cube root forge where it is not
       noticed. */
    size_t behind = n == 1 ? 100 : 0;
    size_t at = RSA_LEN - behind - OTA_SHA256_SIZE - sizeof info;

    memset(block, 0xFF, RSA_LEN);
    block[0] = 0;
    block[1] = n == 2 ? 2 : n == 3 ? 0 : 1;
    block[at - 1] = n == 4 ? 1 : 0;
    memcpy(block + at, info, sizeof info);
    memcpy(block + at + sizeof info, digest, OTA_SHA256_SIZE);
    if (n == 5) {
        block[20] = 0xFE;
    } else if (n == 6) {
        block[at + 14] = 2; /* says SHA-384 */
    } else if (n == 7) {
        block[at + 3] ^= 1;
    } else if (n == 8) {
        block[at + 18] = 0x1F;
    }
    return n < 9;
}

static void test_faulty_blocks(void **state)
{
    static const struct {
        size_t scheme;
        bool (*encode)(uint8_t block[RSA_LEN], const uint8_t *digest, unsigned n);
    } encodings[] = {{0, encode_pkcs1}, {2, encode_pss}};

    (void)state;
    for (size_t e = 0; e < sizeof encodings / sizeof encodings[0]; e++) {
        size_t s = encodings[e].scheme;
        struct sample sample = sign(rsa_2048, s);
        uint8_t block[RSA_LEN];
        for (unsigned n = 0; encodings[e].encode(block, sample.digest, n); n++) {
            signer_sign_block(rsa_2048, block, sample.bytes);
            for (size_t l = 0; l < LIBRARIES; l++) {
                assert_int_equal(verify(s, l, rsa_2048, &sample),
                                 n == 0 ? OTA_OK : OTA_ERR_SIGNATURE);
            }
        }
    }
}

/* ---- Keys ------------------------------------------------------------------------------------ */

/* What every library says to this key, and the check without one. */
static void expect_key(enum ota_err expected, size_t scheme, const struct signer *signer,
                       const struct sample *sample)
{
    assert_int_equal(ota_public_key_check(&signer->key), expected);
    for (size_t l = 0; l < LIBRARIES; l++) {
        assert_int_equal(verify(scheme, l, signer, sample), expected);
    }
}

static void test_short_rsa(void **state)
{
    (void)state;
    for (size_t s = 0; s < RSA_SCHEMES; s++) {
        struct sample sample = sign(rsa_1024, s);
        expect_key(OTA_ERR_KEY, s, rsa_1024, &sample);
        rsa_1024->key.bits_min = 1024;
        expect_key(OTA_OK, s, rsa_1024, &sample);
        rsa_1024->key.bits_min = 1025;
        expect_key(OTA_ERR_KEY, s, rsa_1024, &sample);
        rsa_1024->key.bits_min = 0;
        /* A limit may also be above the usual. */
        sample = sign(rsa_2048, s);
        rsa_2048->key.bits_min = 3072;
        expect_key(OTA_ERR_KEY, s, rsa_2048, &sample);
        rsa_2048->key.bits_min = 0;
    }
}

static void test_weak_exponents(void **state)
{
    static const uint32_t hopeless[] = {0, 1, 2, 65536, 65538, 0x80000000u};

    (void)state;
    for (size_t s = 0; s < RSA_SCHEMES; s++) {
        struct sample sample = sign(rsa_3, s);
        expect_key(OTA_ERR_KEY, s, rsa_3, &sample);
        rsa_3->key.weak_exponent = true;
        expect_key(OTA_OK, s, rsa_3, &sample);
        for (size_t i = 0; i < sizeof hopeless / sizeof hopeless[0]; i++) {
            rsa_3->key.exponent = hopeless[i];
            expect_key(OTA_ERR_KEY, s, rsa_3, &sample);
        }
        rsa_3->key.exponent = 3;
        rsa_3->key.weak_exponent = false;
    }
}

static void test_impossible_rsa(void **state)
{
    (void)state;
    for (size_t s = 0; s < RSA_SCHEMES; s++) {
        struct sample sample = sign(rsa_4096, s);
        struct signer spoilt = *rsa_4096;
        spoilt.key.bytes = spoilt.bytes;
        spoilt.bytes[511] ^= 1; /* even */
        expect_key(OTA_ERR_KEY, s, &spoilt, &sample);
        spoilt.bytes[511] ^= 1;
        spoilt.key.len = 513;
        spoilt.bytes[512] = 1;
        expect_key(OTA_ERR_KEY, s, &spoilt, &sample);
        spoilt.key.len = 0;
        expect_key(OTA_ERR_KEY, s, &spoilt, &sample);
        spoilt.key.len = 512;
        spoilt.bytes[0] = 0;
        expect_key(OTA_ERR_KEY, s, &spoilt, &sample);
        spoilt.key.type = OTA_KEY_P256;
        expect_key(OTA_ERR_KEY, s, &spoilt, &sample);
        /* Bits are counted, not bytes. */
        spoilt = *rsa_2048;
        spoilt.key.bytes = spoilt.bytes;
        spoilt.bytes[0] = 0x7F;
        expect_key(OTA_ERR_KEY, s, &spoilt, &sample);
        spoilt.bytes[0] = 0x01;
        expect_key(OTA_ERR_KEY, s, &spoilt, &sample);
    }
}

/* With a limit that is no limit a key may be shorter than what it is to sign. */
static void test_tiny_rsa(void **state)
{
    struct signer spoilt = *rsa_1024;
    struct sample sample = sign(rsa_1024, 0);

    (void)state;
    spoilt.key.bytes = spoilt.bytes;
    spoilt.key.bits_min = 8;
    for (size_t len = 1; len < 100; len++) {
        spoilt.key.len = len;
        spoilt.bytes[len - 1] |= 1;
        sample.len = len;
        for (size_t s = 0; s < RSA_SCHEMES; s++) {
            for (size_t l = 0; l < LIBRARIES; l++) {
                assert_int_not_equal(verify(s, l, &spoilt, &sample), OTA_OK);
            }
        }
    }
}

static void test_points(void **state)
{
    (void)state;
    for (size_t s = RSA_SCHEMES; s < SCHEMES; s++) {
        struct sample sample = sign(signer_of(s), s);
        struct signer spoilt = *signer_of(s);
        spoilt.key.bytes = spoilt.bytes;
        size_t len = spoilt.key.len;
        /* Off the curve: the form is right, so that only a library can tell. */
        for (size_t at = 1; at < len; at += 7) {
            spoilt.bytes[at] ^= 0x10;
            assert_int_equal(ota_public_key_check(&spoilt.key), OTA_OK);
            for (size_t l = 0; l < LIBRARIES; l++) {
                assert_int_equal(verify(s, l, &spoilt, &sample), OTA_ERR_KEY);
            }
            spoilt.bytes[at] ^= 0x10;
        }
        expect_key(OTA_OK, s, &spoilt, &sample);
        spoilt.bytes[0] = 0x02; /* compressed */
        expect_key(OTA_ERR_KEY, s, &spoilt, &sample);
        spoilt.bytes[0] = 0x04;
        spoilt.key.len = len - 1;
        expect_key(OTA_ERR_KEY, s, &spoilt, &sample);
        spoilt.key.len = len;
        spoilt.key.type = OTA_KEY_RSA;
        for (size_t l = 0; l < LIBRARIES; l++) {
            assert_int_equal(verify(s, l, &spoilt, &sample), OTA_ERR_KEY);
        }
        spoilt.key.type = spoilt.key.type == OTA_KEY_P256 ? OTA_KEY_P384 : OTA_KEY_P256;
        spoilt.key.len = len ^ 1;
        expect_key(OTA_ERR_KEY, s, &spoilt, &sample);
        memset(spoilt.bytes + 1, 0, len - 1); /* the point at infinity has no such form */
        spoilt.key = signer_of(s)->key;
        spoilt.key.bytes = spoilt.bytes;
        for (size_t l = 0; l < LIBRARIES; l++) {
            assert_int_equal(verify(s, l, &spoilt, &sample), OTA_ERR_KEY);
        }
    }
}

static void test_key_types(void **state)
{
    uint8_t point[OTA_P192_POINT_SIZE] = {0x04};
    struct ota_public_key key = {.type = OTA_KEY_P192, .bytes = point, .len = sizeof point};

    (void)state;
    assert_int_equal(ota_public_key_check(&key), OTA_OK);
    key.len--;
    assert_int_equal(ota_public_key_check(&key), OTA_ERR_KEY);
    key.type = OTA_KEY_NONE;
    assert_int_equal(ota_public_key_check(&key), OTA_ERR_KEY);
}

static void test_find(void **state)
{
    static const struct ota_verifier *const list[] = {&ota_verify_p256_bearssl,
                                                      &ota_verify_rsa_pss_bearssl, NULL};

    (void)state;
    assert_ptr_equal(ota_verifier_find(list, OTA_SIGNATURE_ECDSA_P256), list[0]);
    assert_ptr_equal(ota_verifier_find(list, OTA_SIGNATURE_RSA_PSS), list[1]);
    assert_null(ota_verifier_find(list, OTA_SIGNATURE_ECDSA_P384));
    assert_null(ota_verifier_find(list + 2, OTA_SIGNATURE_ECDSA_P256));
    assert_null(ota_verifier_find(NULL, OTA_SIGNATURE_ECDSA_P256));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_accepts),        cmocka_unit_test(test_lengths_of_rsa),
        cmocka_unit_test(test_every_bit),      cmocka_unit_test(test_schemes_are_apart),
        cmocka_unit_test(test_wrong_lengths),  cmocka_unit_test(test_strange_numbers),
        cmocka_unit_test(test_salts),          cmocka_unit_test(test_short_rsa),
        cmocka_unit_test(test_weak_exponents), cmocka_unit_test(test_impossible_rsa),
        cmocka_unit_test(test_tiny_rsa),       cmocka_unit_test(test_points),
        cmocka_unit_test(test_faulty_blocks),  cmocka_unit_test(test_key_types),
        cmocka_unit_test(test_find),           cmocka_unit_test(test_numbers_too_long),
    };

    return cmocka_run_group_tests(tests, make_signers, free_signers);
}
