/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PBKDF2 on both crypto backends: the answers of RFC 7914 section 11, others made with another
 * implementation, and those of the espota logins (docs/formats/espota.md), in one go and in slices.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include <updraft/text.h>

#include "base/pbkdf2.h"
#include "support/faults.h"

static const struct ota_crypto *const backends[] = {&ota_crypto_psa, &ota_crypto_bearssl};

#define BACKENDS 2

#define X64 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define NONCE "8bb0cf6eb9b17d0f7d22b456f121257dc1254e1f01665370476383ea776df414"
#define CNONCE "c46e7638a39b7c4391d1f1607ffa895f0fb06c2c59765a39cd2ba2711d761ed8"

static const struct answer {
    const char *password, *salt;
    uint32_t iterations;
    const char *key;
} answers[] = {
    /* RFC 7914: the first half of its 64 bytes, which is the first block. */
    {"passwd", "salt", 1, "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc"},
    {"password", "salt", 1, "120fb6cffcf8b32c43e7225256c4f837a86548c92ccc35480805987cb70be17b"},
    {"password", "salt", 2, "ae4d0c95af6b46d32d0adff928f06dd02a303f8ef3c251dfd6e2d85a95474c43"},
    {"passwordPASSWORDpassword", "saltSALTsaltSALTsaltSALTsaltSALTsalt", 4096,
     "348c89dbcbd32b2f32d814b8116e84cf2b17347ebc1800181c4e2a1fb8dd53e1"},
    {"", "b", 1, NULL}, /* only that it runs */
    /* A password as long as HMAC's block, and one that is longer and hashed first. */
    {X64, "s", 2, "24b46090cb66305a0b7d484dc192496e25a852f3387fce908738e5a5f8cf51c7"},
    {X64 "x", "s", 2, "d9d9b26729c6ea29ec60be83b30bd1654ce9e9389cea107350925570350c1223"},
    /* espota: the hash of "secret" as text, SHA-256 and MD5. */
    {"2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b", NONCE ":" CNONCE, 10000,
     "814148ac6a776d0a69f5730361b18eadf1fd73e6afaf682878c3012d9d427890"},
    {"5ebe2294ecd0e0f08eab7690d2a6ee69", NONCE ":" CNONCE, 10000,
     "ee59b7bbf053640b6dd5c8e8bafcd3af4ad702f23a03a4c7af18cde56fb70b86"},
};

static void derive(const struct ota_crypto *crypto, const struct answer *answer, uint32_t slice,
                   uint8_t key[OTA_SHA256_SIZE])
{
    struct ota__pbkdf2 derivation;
    uint32_t runs = 0;
    bool done = false;

    assert_int_equal(ota__pbkdf2_begin(&derivation, crypto, answer->password,
                                       strlen(answer->password), answer->salt, strlen(answer->salt),
                                       answer->iterations),
                     OTA_OK);
    while (!done) {
        assert_int_equal(ota__pbkdf2_run(&derivation, slice, &done), OTA_OK);
        runs++;
    }
    /* begin has done one of them. */
    assert_int_equal(runs, answer->iterations == 1 ? 1 : (answer->iterations - 2) / slice + 1);
    assert_int_equal(ota__pbkdf2_finish(&derivation, key), OTA_OK);
}

static void test_known_answers(void **state)
{
    static const uint32_t slices[] = {UINT32_MAX, 100, 7};

    (void)state;
    for (size_t b = 0; b < BACKENDS; b++) {
        for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
            for (size_t s = 0; s < sizeof slices / sizeof *slices; s++) {
                uint8_t key[OTA_SHA256_SIZE];
                uint8_t expected[OTA_SHA256_SIZE];
                derive(backends[b], &answers[i], slices[s], key);
                if (answers[i].key != NULL) {
                    assert_true(ota_text_read_hex(answers[i].key, expected, sizeof expected));
                    assert_memory_equal(key, expected, sizeof expected);
                }
            }
        }
    }
}

static bool is_zero(const void *data, size_t len)
{
    const uint8_t *bytes = data;

    for (size_t i = 0; i < len; i++) {
        if (bytes[i] != 0) {
            return false;
        }
    }
    return true;
}

static void test_order_of_calls(void **state)
{
    struct ota__pbkdf2 derivation = {0};
    uint8_t key[OTA_SHA256_SIZE];
    bool done = true;

    (void)state;
    ota__pbkdf2_abort(&derivation);
    assert_int_equal(ota__pbkdf2_begin(&derivation, &ota_crypto_psa, "p", 1, "s", 1, 0),
                     OTA_ERR_ARGUMENT);
    assert_int_equal(ota__pbkdf2_run(&derivation, 1, &done), OTA_ERR_STATE);
    assert_false(done);
    assert_int_equal(ota__pbkdf2_finish(&derivation, key), OTA_ERR_STATE);

    assert_int_equal(ota__pbkdf2_begin(&derivation, &ota_crypto_psa, "p", 1, "s", 1, 3), OTA_OK);
    assert_int_equal(ota__pbkdf2_finish(&derivation, key), OTA_ERR_STATE);
    assert_int_equal(ota__pbkdf2_run(&derivation, 1, &done), OTA_OK);
    assert_false(done);
    assert_int_equal(ota__pbkdf2_run(&derivation, 0, &done), OTA_OK);
    assert_false(done);
    assert_int_equal(ota__pbkdf2_run(&derivation, 1, &done), OTA_OK);
    assert_true(done);
    assert_int_equal(ota__pbkdf2_finish(&derivation, key), OTA_OK);
    assert_int_equal(ota__pbkdf2_finish(&derivation, key), OTA_ERR_STATE);
    assert_true(is_zero(&derivation, sizeof derivation));
}

/* Whichever call of the backend fails: the error comes out, no hash is left running, and nothing of
   the secret stays behind. */
static void fail_one(void *context)
{
    static const char long_password[] = X64 X64;
    struct ota__pbkdf2 derivation;
    uint8_t key[OTA_SHA256_SIZE];
    bool done = false;

    (void)context;
    enum ota_err err = ota__pbkdf2_begin(&derivation, &faulty_crypto, long_password,
                                         sizeof long_password - 1, "salt", 4, 4);
    while (err == OTA_OK && !done) {
        err = ota__pbkdf2_run(&derivation, 2, &done);
    }
    assert_int_equal(err, faults_struck() ? OTA_ERR_CRYPTO : OTA_OK);
    if (err == OTA_OK) {
        assert_int_equal(ota__pbkdf2_finish(&derivation, key), OTA_OK);
    }
    assert_true(is_zero(&derivation, sizeof derivation));
    assert_int_equal(faulty_crypto_running(), 0);
}

static void test_failing_backend(void **state)
{
    (void)state;
    /* The key's hash: 3. Two keyed hashes: 4. Four iterations of two hashes of 3, and the block's
       number. */
    assert_int_equal(faults_everywhere(FAULT_CRYPTO, fail_one, NULL), 3 + 4 + 4 * 2 * 3 + 1);
}

/* Giving up in the middle releases what the backend holds. */
static void test_abort(void **state)
{
    struct ota__pbkdf2 derivation;
    bool done = false;

    (void)state;
    assert_int_equal(ota__pbkdf2_begin(&derivation, &faulty_crypto, "p", 1, "s", 1, 100), OTA_OK);
    assert_int_equal(ota__pbkdf2_run(&derivation, 10, &done), OTA_OK);
    assert_int_equal(faulty_crypto_running(), 2);
    ota__pbkdf2_abort(&derivation);
    assert_int_equal(faulty_crypto_running(), 0);
    assert_true(is_zero(&derivation, sizeof derivation));
    ota__pbkdf2_abort(&derivation);
    assert_int_equal(faulty_crypto_running(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_answers),
        cmocka_unit_test(test_order_of_calls),
        cmocka_unit_test(test_failing_backend),
        cmocka_unit_test(test_abort),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
