/* SPDX-License-Identifier: Apache-2.0 */
/* The proof of the password: both forms, against numbers that were made by other programs. */

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "proto/espota_proof.h"

/* Computed with the hash functions of Python. */
#define PASSWORD "open sesame"
#define NONCE "00070e151c232a31383f464d545b626970777e858c939aa1a8afb6bdc4cbd2d9"
#define CNONCE "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define RESPONSE_SHA256 "2f980a06a96eabc318f842016ad8fdd79ef5d8544ca006a350f16e39c1650ac1"
#define RESPONSE_MD5_HASH "8baaccbbca916a5300346cb03bf9a41e988ce22752a92c3710c63eb0ee262cb3"
#define RESPONSE_MD5 "0883c59fe9d6f6e90ecab967796c399f"

static const struct ota_crypto *const backends[] = {&ota_crypto_psa, &ota_crypto_bearssl};

static void expect_response(const struct ota_crypto *crypto, enum ota_hash_algorithm form,
                            enum ota_hash_algorithm kept, const char *password,
                            const char *challenge, uint32_t slice, const char *response)
{
    struct ota__espota_proof proof;
    char passhash[ESPOTA_TEXT_SIZE], text[ESPOTA_TEXT_SIZE];
    bool done = false;

    assert_int_equal(ota__espota_hash(crypto, kept, password, strlen(password), passhash), OTA_OK);
    assert_int_equal(
        ota__espota_proof_begin(&proof, crypto, form, passhash, challenge, strlen(challenge)),
        OTA_OK);
    while (!done) {
        assert_int_equal(ota__espota_proof_run(&proof, slice, &done, text), OTA_OK);
    }
    assert_string_equal(text, response);
    const struct ota__espota_proof wiped = {0};
    assert_memory_equal(&proof, &wiped, sizeof proof);
}

static void test_known_answers(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        expect_response(backends[i], OTA_HASH_SHA256, OTA_HASH_SHA256, PASSWORD, NONCE ":" CNONCE,
                        777, RESPONSE_SHA256);
        expect_response(backends[i], OTA_HASH_SHA256, OTA_HASH_MD5, PASSWORD, NONCE ":" CNONCE,
                        UINT32_MAX, RESPONSE_MD5_HASH);
        char challenge[66];
        snprintf(challenge, sizeof challenge, "%.32s:%.32s", NONCE, CNONCE);
        expect_response(backends[i], OTA_HASH_MD5, OTA_HASH_MD5, PASSWORD, challenge, 1,
                        RESPONSE_MD5);
    }
}

static cJSON *read_vectors(void)
{
    static char text[65536];
    const char *folder = getenv("UPDRAFT_VECTORS");
    char path[512];

    snprintf(path, sizeof path, "%s/arduino/espota/auth-vectors.json",
             folder != NULL ? folder : UPDRAFT_VECTORS);
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        skip();
    }
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    cJSON *json = cJSON_Parse(text);
    assert_non_null(json);
    return json;
}

static const char *member(const cJSON *object, const char *name)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItem(object, name));

    assert_non_null(text);
    return text;
}

static void check_vector(const cJSON *vector, const char *name, enum ota_hash_algorithm form,
                         enum ota_hash_algorithm kept)
{
    const cJSON *part = cJSON_GetObjectItem(vector, name);
    char challenge[ESPOTA_CHALLENGE_SIZE];

    if (part == NULL) {
        return;
    }
    snprintf(challenge, sizeof challenge, "%s:%s", member(part, "nonce"), member(part, "cnonce"));
    for (size_t i = 0; i < 2; i++) {
        expect_response(backends[i], form, kept, member(vector, "password"), challenge, 4096,
                        member(part, "response"));
    }
}

static void test_recorded_answers(void **state)
{
    (void)state;
    cJSON *vectors = read_vectors();
    const cJSON *vector = NULL;
    unsigned count = 0;

    cJSON_ArrayForEach(vector, vectors)
    {
        check_vector(vector, "md5_protocol", OTA_HASH_MD5, OTA_HASH_MD5);
        check_vector(vector, "pbkdf2_sha256_password", OTA_HASH_SHA256, OTA_HASH_SHA256);
        check_vector(vector, "pbkdf2_md5_password", OTA_HASH_SHA256, OTA_HASH_MD5);
        count++;
    }
    cJSON_Delete(vectors);
    assert_true(count >= 4);
}

static void test_abort_wipes(void **state)
{
    (void)state;
    struct ota__espota_proof proof;
    const struct ota__espota_proof wiped = {0};

    assert_int_equal(
        ota__espota_proof_begin(&proof, &ota_crypto_psa, OTA_HASH_SHA256, "00", "a:b", 3), OTA_OK);
    ota__espota_proof_abort(&proof);
    assert_memory_equal(&proof, &wiped, sizeof proof);
    ota__espota_proof_abort(&proof);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_answers),
        cmocka_unit_test(test_recorded_answers),
        cmocka_unit_test(test_abort_wipes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
