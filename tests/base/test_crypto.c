/* SPDX-License-Identifier: Apache-2.0 */
/* The crypto seam: all backends on the same inputs, against known answers and against each
   other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include <updraft/crypto.h>

#include "support/images.h"

/* BearSSL's tables with fewer hashes are compared with this one by a test of their own. */
static const struct ota_crypto *const backends[] = {&ota_crypto_psa, &ota_crypto_bearssl_sha384,
                                                    &ota_crypto_openssl};
static const enum ota_hash_algorithm algorithms[] = {OTA_HASH_SHA256, OTA_HASH_MD5,
                                                     OTA_HASH_SHA384};

#define BACKENDS 3
#define ALGORITHMS 3
#define DATA_SIZE 1000u

static uint8_t data[DATA_SIZE];

static void make_data(void)
{
    for (uint32_t i = 0; i < DATA_SIZE; i++) {
        data[i] = (uint8_t)noise(7, i);
    }
}

static void digest_of(const struct ota_crypto *crypto, enum ota_hash_algorithm algorithm,
                      const void *bytes, size_t len, uint8_t *digest)
{
    struct ota_hash hash;

    assert_int_equal(crypto->hash_begin(&hash, algorithm), OTA_OK);
    assert_int_equal(crypto->hash_update(&hash, bytes, len), OTA_OK);
    assert_int_equal(crypto->hash_finish(&hash, digest), OTA_OK);
}

static void test_digest_sizes(void **state)
{
    (void)state;
    assert_int_equal(ota_digest_size(OTA_HASH_SHA256), 32);
    assert_int_equal(ota_digest_size(OTA_HASH_MD5), 16);
    assert_int_equal(ota_digest_size(OTA_HASH_SHA384), 48);
    assert_int_equal(ota_digest_size(OTA_HASH_NONE), 0);
}

/* FIPS 180-4 examples and RFC 1321 section A.5. */
static void test_known_answers(void **state)
{
    static const struct {
        enum ota_hash_algorithm algorithm;
        const char *text;
        uint8_t digest[OTA_SHA384_SIZE];
    } answers[] = {
        {OTA_HASH_SHA256, "abc", {0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea, 0x41, 0x41, 0x40,
                                  0xde, 0x5d, 0xae, 0x22, 0x23, 0xb0, 0x03, 0x61, 0xa3, 0x96, 0x17,
                                  0x7a, 0x9c, 0xb4, 0x10, 0xff, 0x61, 0xf2, 0x00, 0x15, 0xad}},
        {OTA_HASH_SHA256, "", {0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4,
                               0xc8, 0x99, 0x6f, 0xb9, 0x24, 0x27, 0xae, 0x41, 0xe4, 0x64, 0x9b,
                               0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55}},
        {OTA_HASH_MD5,
         "abc",
         {0x90, 0x01, 0x50, 0x98, 0x3c, 0xd2, 0x4f, 0xb0, 0xd6, 0x96, 0x3f, 0x7d, 0x28, 0xe1, 0x7f,
          0x72}},
        {OTA_HASH_MD5,
         "",
         {0xd4, 0x1d, 0x8c, 0xd9, 0x8f, 0x00, 0xb2, 0x04, 0xe9, 0x80, 0x09, 0x98, 0xec, 0xf8, 0x42,
          0x7e}},
        {OTA_HASH_SHA384, "abc", {0xcb, 0x00, 0x75, 0x3f, 0x45, 0xa3, 0x5e, 0x8b, 0xb5, 0xa0,
                                  0x3d, 0x69, 0x9a, 0xc6, 0x50, 0x07, 0x27, 0x2c, 0x32, 0xab,
                                  0x0e, 0xde, 0xd1, 0x63, 0x1a, 0x8b, 0x60, 0x5a, 0x43, 0xff,
                                  0x5b, 0xed, 0x80, 0x86, 0x07, 0x2b, 0xa1, 0xe7, 0xcc, 0x23,
                                  0x58, 0xba, 0xec, 0xa1, 0x34, 0xc8, 0x25, 0xa7}},
        {OTA_HASH_MD5,
         "message digest",
         {0xf9, 0x6b, 0x69, 0x7d, 0x7c, 0xb7, 0x93, 0x8d, 0x52, 0x5a, 0x2f, 0x31, 0xaa, 0xf1, 0x61,
          0xd0}},
    };

    (void)state;
    for (size_t b = 0; b < BACKENDS; b++) {
        for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
            uint8_t digest[OTA_SHA384_SIZE];
            digest_of(backends[b], answers[i].algorithm, answers[i].text, strlen(answers[i].text),
                      digest);
            assert_memory_equal(digest, answers[i].digest, ota_digest_size(answers[i].algorithm));
        }
    }
}

/* Each length about the hashes' block borders, and each way to cut the data in two. */
static void test_backends_agree(void **state)
{
    (void)state;
    for (size_t a = 0; a < ALGORITHMS; a++) {
        for (size_t len = 0; len < 200; len++) {
            uint8_t digest[BACKENDS][OTA_SHA384_SIZE];
            for (size_t b = 0; b < BACKENDS; b++) {
                digest_of(backends[b], algorithms[a], data, len, digest[b]);
            }
            assert_memory_equal(digest[0], digest[1], ota_digest_size(algorithms[a]));
            assert_memory_equal(digest[0], digest[2], ota_digest_size(algorithms[a]));
        }
    }
}

static void test_pieces(void **state)
{
    (void)state;
    for (size_t b = 0; b < BACKENDS; b++) {
        const struct ota_crypto *crypto = backends[b];
        for (size_t a = 0; a < ALGORITHMS; a++) {
            uint8_t whole[OTA_SHA384_SIZE];
            digest_of(crypto, algorithms[a], data, DATA_SIZE, whole);
            for (size_t cut = 0; cut <= DATA_SIZE; cut += 23) {
                struct ota_hash hash;
                uint8_t digest[OTA_SHA384_SIZE];
                assert_int_equal(crypto->hash_begin(&hash, algorithms[a]), OTA_OK);
                assert_int_equal(crypto->hash_update(&hash, data, cut), OTA_OK);
                assert_int_equal(crypto->hash_update(&hash, data + cut, DATA_SIZE - cut), OTA_OK);
                assert_int_equal(crypto->hash_finish(&hash, digest), OTA_OK);
                assert_memory_equal(digest, whole, ota_digest_size(algorithms[a]));
            }
        }
    }
}

/* A clone has seen the same bytes, and neither disturbs the other. */
static void test_clone(void **state)
{
    (void)state;
    for (size_t b = 0; b < BACKENDS; b++) {
        const struct ota_crypto *crypto = backends[b];
        for (size_t a = 0; a < ALGORITHMS; a++) {
            uint8_t expected_half[OTA_SHA384_SIZE];
            uint8_t expected_whole[OTA_SHA384_SIZE];
            uint8_t half[OTA_SHA384_SIZE];
            uint8_t whole[OTA_SHA384_SIZE];
            struct ota_hash hash;
            struct ota_hash copy;
            size_t size = ota_digest_size(algorithms[a]);

            digest_of(crypto, algorithms[a], data, DATA_SIZE / 2, expected_half);
            digest_of(crypto, algorithms[a], data, DATA_SIZE, expected_whole);
            assert_int_equal(crypto->hash_begin(&hash, algorithms[a]), OTA_OK);
            assert_int_equal(crypto->hash_update(&hash, data, DATA_SIZE / 2), OTA_OK);
            memset(&copy, 0xA5, sizeof copy);
            assert_int_equal(crypto->hash_clone(&hash, &copy), OTA_OK);
            assert_int_equal(crypto->hash_update(&hash, data + DATA_SIZE / 2, DATA_SIZE / 2),
                             OTA_OK);
            assert_int_equal(crypto->hash_finish(&copy, half), OTA_OK);
            assert_int_equal(crypto->hash_finish(&hash, whole), OTA_OK);
            assert_memory_equal(half, expected_half, size);
            assert_memory_equal(whole, expected_whole, size);
        }
    }
}

static void test_no_algorithm(void **state)
{
    (void)state;
    for (size_t b = 0; b < BACKENDS; b++) {
        struct ota_hash hash;
        assert_int_equal(backends[b]->hash_begin(&hash, OTA_HASH_NONE), OTA_ERR_CRYPTO);
        backends[b]->hash_abort(&hash);
    }
}

/* An ended hash can be begun again; an aborted one too. */
static void test_again(void **state)
{
    (void)state;
    for (size_t b = 0; b < BACKENDS; b++) {
        struct ota_hash hash;
        uint8_t expected[OTA_SHA384_SIZE];
        uint8_t digest[OTA_SHA384_SIZE];

        digest_of(backends[b], OTA_HASH_SHA256, data, 100, expected);
        assert_int_equal(backends[b]->hash_begin(&hash, OTA_HASH_MD5), OTA_OK);
        assert_int_equal(backends[b]->hash_update(&hash, data, 10), OTA_OK);
        backends[b]->hash_abort(&hash);
        assert_int_equal(backends[b]->hash_begin(&hash, OTA_HASH_SHA256), OTA_OK);
        assert_int_equal(backends[b]->hash_update(&hash, data, 100), OTA_OK);
        assert_int_equal(backends[b]->hash_finish(&hash, digest), OTA_OK);
        assert_memory_equal(digest, expected, ota_digest_size(OTA_HASH_SHA256));
    }
}

/* BearSSL's tables for less: what is left out is refused, the rest is the same. */
static void test_smaller_tables(void **state)
{
    static const struct {
        const struct ota_crypto *crypto;
        bool has[ALGORITHMS]; /* as in `algorithms` */
    } tables[] = {{&ota_crypto_bearssl, {true, true, false}},
                  {&ota_crypto_bearssl_sha256, {true, false, false}}};

    (void)state;
    for (size_t t = 0; t < sizeof tables / sizeof tables[0]; t++) {
        for (size_t a = 0; a < ALGORITHMS; a++) {
            const struct ota_crypto *crypto = tables[t].crypto;
            uint8_t expected[OTA_SHA384_SIZE];
            uint8_t digest[OTA_SHA384_SIZE];
            struct ota_hash hash;
            struct ota_hash copy;
            if (!tables[t].has[a]) {
                assert_int_equal(crypto->hash_begin(&hash, algorithms[a]), OTA_ERR_CRYPTO);
                crypto->hash_abort(&hash);
                continue;
            }
            digest_of(&ota_crypto_openssl, algorithms[a], data, DATA_SIZE, expected);
            assert_int_equal(crypto->hash_begin(&hash, algorithms[a]), OTA_OK);
            assert_int_equal(crypto->hash_update(&hash, data, 100), OTA_OK);
            assert_int_equal(crypto->hash_clone(&hash, &copy), OTA_OK);
            crypto->hash_abort(&hash);
            assert_int_equal(crypto->hash_update(&copy, data + 100, DATA_SIZE - 100), OTA_OK);
            assert_int_equal(crypto->hash_finish(&copy, digest), OTA_OK);
            assert_memory_equal(digest, expected, ota_digest_size(algorithms[a]));
        }
    }
}

/* Both of these know that a hash has ended, and the seam hands their refusal on. */
static void test_ended_refuses(void **state)
{
    static const struct ota_crypto *const careful[] = {&ota_crypto_psa, &ota_crypto_openssl};
    struct ota_hash hash;
    struct ota_hash copy;
    uint8_t digest[OTA_SHA384_SIZE];

    (void)state;
    for (size_t i = 0; i < sizeof careful / sizeof careful[0]; i++) {
        assert_int_equal(careful[i]->hash_begin(&hash, OTA_HASH_SHA256), OTA_OK);
        careful[i]->hash_abort(&hash);
        assert_int_equal(careful[i]->hash_update(&hash, data, 1), OTA_ERR_CRYPTO);
        assert_int_equal(careful[i]->hash_clone(&hash, &copy), OTA_ERR_CRYPTO);
        assert_int_equal(careful[i]->hash_finish(&hash, digest), OTA_ERR_CRYPTO);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_digest_sizes),   cmocka_unit_test(test_known_answers),
        cmocka_unit_test(test_backends_agree), cmocka_unit_test(test_pieces),
        cmocka_unit_test(test_clone),          cmocka_unit_test(test_no_algorithm),
        cmocka_unit_test(test_again),          cmocka_unit_test(test_ended_refuses),
        cmocka_unit_test(test_smaller_tables),
    };

    make_data();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
