/* SPDX-License-Identifier: Apache-2.0 */
/* Arduino's signed binary: docs/formats/signatures.md section 1. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <updraft/arduino_signature.h>

#include "base/bytes.h"
#include "support/images.h"
#include "support/recorded.h"
#include "support/signer.h"

#define FILE_MAX 8192u

static struct signer *signer;

static int make_signer(void **state)
{
    (void)state;
    signer = signer_new_rsa(2048, 65537);
    return 0;
}

static int free_signer(void **state)
{
    (void)state;
    signer_free(signer);
    return 0;
}

struct file {
    uint8_t bytes[FILE_MAX];
    uint32_t len;
};

/* A small image and its signature. */
static void make_file(struct file *file, const struct signer *by, enum ota_signature_scheme scheme)
{
    uint8_t digest[OTA_SHA384_SIZE];
    size_t len = image_make(file->bytes, FILE_MAX, &(struct image_facts){.version = "1.0.0"});

    signer_digest(scheme, file->bytes, len, digest);
    size_t signature_len = signer_sign(by, scheme, digest, file->bytes + len);
    ota__put_le32(file->bytes + len + signature_len, (uint32_t)signature_len);
    file->len = (uint32_t)(len + signature_len + 4);
}

static const struct ota_verifier *const current[] = {&ota_verify_rsa_pkcs1_bearssl,
                                                     &ota_verify_rsa_pkcs1_openssl};
static const struct ota_verifier *const legacy[] = {&ota_verify_rsa_pkcs1_raw_bearssl,
                                                    &ota_verify_rsa_pkcs1_raw_openssl};
#define LIBRARIES 2

/* Judges a file as one does who streams it and holds back `tail_len` bytes. */
static enum ota_err judge_held(const struct file *file, const struct ota_public_key *key,
                               const struct ota_verifier *verifier, uint32_t tail_len)
{
    struct ota_arduino_signature found;
    uint8_t digest[OTA_SHA384_SIZE];
    /* In memory of its own size, so that a step outside is noticed. */
    uint8_t tail[FILE_MAX];
    const uint8_t *start = tail + FILE_MAX - tail_len;

    memcpy(tail + FILE_MAX - tail_len, file->bytes + file->len - tail_len, tail_len);
    enum ota_err err = ota_arduino_signature_find(&found, key, start, tail_len, file->len);
    if (err != OTA_OK) {
        return err;
    }
    assert_int_equal(found.data_len + found.trailer_len, file->len);
    assert_int_equal(found.len, key->len);
    assert_ptr_equal(found.bytes, start + tail_len - found.trailer_len);
    signer_digest(verifier->scheme, file->bytes, found.data_len, digest);
    return ota_arduino_signature_verify(&found, key, verifier, digest);
}

static enum ota_err judge(const struct file *file, const struct ota_public_key *key,
                          const struct ota_verifier *verifier)
{
    uint32_t tail_len = ota__min(file->len, (uint32_t)ota_arduino_tail_size(key));

    return judge_held(file, key, verifier, tail_len);
}

static void test_accepts(void **state)
{
    struct file file;

    (void)state;
    make_file(&file, signer, OTA_SIGNATURE_RSA_PKCS1);
    for (size_t l = 0; l < LIBRARIES; l++) {
        assert_int_equal(judge(&file, &signer->key, current[l]), OTA_OK);
        assert_int_equal(judge(&file, &signer->key, legacy[l]), OTA_ERR_SIGNATURE);
    }
    make_file(&file, signer, OTA_SIGNATURE_RSA_PKCS1_RAW);
    for (size_t l = 0; l < LIBRARIES; l++) {
        assert_int_equal(judge(&file, &signer->key, legacy[l]), OTA_OK);
        assert_int_equal(judge(&file, &signer->key, current[l]), OTA_ERR_SIGNATURE);
    }
}

/* Whatever the tail holds beside the trailer. */
static void test_any_tail(void **state)
{
    struct file file;

    (void)state;
    make_file(&file, signer, OTA_SIGNATURE_RSA_PKCS1);
    for (uint32_t len = 260; len <= file.len; len++) {
        assert_int_equal(judge_held(&file, &signer->key, current[0], len), OTA_OK);
    }
    for (uint32_t len = 0; len < 260; len++) {
        assert_int_equal(judge_held(&file, &signer->key, current[0], len), OTA_ERR_ARGUMENT);
    }
}

static void test_tail_longer_than_all(void **state)
{
    struct ota_arduino_signature found;
    uint8_t tail[300] = {0};

    (void)state;
    assert_int_equal(ota_arduino_signature_find(&found, &signer->key, tail, sizeof tail, 299),
                     OTA_ERR_ARGUMENT);
}

/* Header, body, signature and length. */
static void test_every_bit(void **state)
{
    static const struct {
        enum ota_signature_scheme scheme;
        const struct ota_verifier *const *by;
    } forms[] = {{OTA_SIGNATURE_RSA_PKCS1, current}, {OTA_SIGNATURE_RSA_PKCS1_RAW, legacy}};
    struct file file;

    (void)state;
    for (size_t f = 0; f < sizeof forms / sizeof forms[0]; f++) {
        make_file(&file, signer, forms[f].scheme);
        for (size_t l = 0; l < LIBRARIES; l++) {
            for (size_t bit = 0; bit < 8 * (size_t)file.len; bit++) {
                file.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
                assert_int_equal(judge(&file, &signer->key, forms[f].by[l]),
                                 bit / 8 < file.len - 4 ? OTA_ERR_SIGNATURE
                                                        : OTA_ERR_SIGNATURE_MISSING);
                file.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
            }
        }
    }
}

static void test_truncated(void **state)
{
    struct file file;

    (void)state;
    make_file(&file, signer, OTA_SIGNATURE_RSA_PKCS1);
    for (uint32_t whole = file.len; file.len > 0; file.len--) {
        enum ota_err err = judge(&file, &signer->key, current[0]);
        assert_true(file.len == whole ? err == OTA_OK : err != OTA_OK);
        if (file.len <= 260) {
            assert_int_equal(err, OTA_ERR_SIGNATURE_MISSING);
        }
    }
}

static void test_garbage_behind(void **state)
{
    struct file file;

    (void)state;
    make_file(&file, signer, OTA_SIGNATURE_RSA_PKCS1);
    for (uint32_t n = 1; n < 300; n++) {
        file.bytes[file.len++] = (uint8_t)noise(3, n);
        assert_int_not_equal(judge(&file, &signer->key, current[0]), OTA_OK);
    }
}

/* The length in the file is compared, and nothing is computed from it. */
static void test_lengths_that_lie(void **state)
{
    static const uint32_t lies[] = {0,          1,          4,          128,       255,  257,
                                    260,        384,        512,        596,       4096, 65536,
                                    0x7FFFFFFF, 0x80000000, 0xFFFFFF00, UINT32_MAX};
    struct file file;

    (void)state;
    make_file(&file, signer, OTA_SIGNATURE_RSA_PKCS1);
    for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++) {
        ota__put_le32(file.bytes + file.len - 4, lies[i]);
        assert_int_equal(judge(&file, &signer->key, current[0]), OTA_ERR_SIGNATURE_MISSING);
    }
}

/* A signature of nothing is none. */
static void test_no_data(void **state)
{
    struct ota_arduino_signature found;
    uint8_t tail[260] = {0};

    (void)state;
    ota__put_le32(tail + 256, 256);
    assert_int_equal(ota_arduino_signature_find(&found, &signer->key, tail, sizeof tail, 260),
                     OTA_ERR_SIGNATURE_MISSING);
    assert_int_equal(ota_arduino_signature_find(&found, &signer->key, tail, sizeof tail, 261),
                     OTA_OK);
    assert_int_equal(found.data_len, 1);
}

/* A file of 4 GiB less one byte is counted without overflow. */
static void test_largest_file(void **state)
{
    struct ota_arduino_signature found;
    uint8_t tail[260] = {0};

    (void)state;
    ota__put_le32(tail + 256, 256);
    assert_int_equal(
        ota_arduino_signature_find(&found, &signer->key, tail, sizeof tail, UINT32_MAX), OTA_OK);
    assert_int_equal(found.data_len, UINT32_MAX - 260);
}

/* The RP2040's tool states 256 for every key. */
static void test_length_of_pico(void **state)
{
    struct signer *long_one = signer_new_rsa(3072, 65537);
    struct file file;

    (void)state;
    make_file(&file, long_one, OTA_SIGNATURE_RSA_PKCS1);
    assert_int_equal(judge(&file, &long_one->key, current[0]), OTA_OK);
    ota__put_le32(file.bytes + file.len - 4, 256);
    assert_int_equal(judge(&file, &long_one->key, current[0]), OTA_OK);
    /* With a key that is so long indeed, it is another signature that is looked for. */
    assert_int_equal(judge(&file, &signer->key, current[0]), OTA_ERR_SIGNATURE);
    ota__put_le32(file.bytes + file.len - 4, 255);
    assert_int_equal(judge(&file, &long_one->key, current[0]), OTA_ERR_SIGNATURE_MISSING);
    signer_free(long_one);
}

static void test_keys(void **state)
{
    struct signer *other = signer_new_rsa(2048, 65537);
    struct ota_public_key key = signer->key;
    struct file file;

    (void)state;
    make_file(&file, signer, OTA_SIGNATURE_RSA_PKCS1);
    assert_int_equal(judge(&file, &other->key, current[0]), OTA_ERR_SIGNATURE);
    key.type = OTA_KEY_P256;
    assert_int_equal(judge(&file, &key, current[0]), OTA_ERR_KEY);
    key.type = OTA_KEY_RSA;
    key.bits_min = 3072;
    assert_int_equal(judge(&file, &key, current[0]), OTA_ERR_KEY);
    static const size_t lengths[] = {OTA_RSA_SIZE_MAX + 1, SIZE_MAX - 4, SIZE_MAX};
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        struct ota_arduino_signature found;
        key.len = lengths[i];
        assert_int_equal(ota_arduino_signature_find(&found, &key, file.bytes, file.len, file.len),
                         OTA_ERR_KEY);
    }
    signer_free(other);
}

/* ---- Recorded files -------------------------------------------------------------------------- */

/* Of TEST-ONLY-rsa2048-public.pem, which signed the recorded files. */
static const uint8_t recorded_modulus[256] = {
    0x9d, 0x6e, 0x57, 0x29, 0xf8, 0x6f, 0x0b, 0xd8, 0xce, 0xdf, 0x29, 0xe5, 0x6d, 0xd3, 0x72, 0x38,
    0xd9, 0xe3, 0x07, 0xdd, 0x57, 0xfa, 0xc2, 0x92, 0xae, 0xea, 0xdb, 0xde, 0x70, 0x9f, 0xb6, 0x7c,
    0xbb, 0x14, 0x83, 0x23, 0x12, 0xd5, 0x20, 0x36, 0x42, 0x82, 0x5d, 0xa1, 0x03, 0xb7, 0x3b, 0x75,
    0x4b, 0xf4, 0x73, 0xbe, 0xe3, 0x9c, 0xb0, 0xaf, 0xdf, 0x20, 0x1a, 0xea, 0xb0, 0x67, 0x2a, 0xe7,
    0x6b, 0x54, 0xb7, 0x16, 0x9d, 0x70, 0x06, 0x49, 0xb2, 0xdd, 0xb7, 0x59, 0x9f, 0xbe, 0x09, 0x9f,
    0xd1, 0xaa, 0xe5, 0xa1, 0x04, 0x98, 0x10, 0x86, 0x0b, 0x9a, 0x81, 0xdb, 0xf0, 0xc4, 0x8f, 0xf7,
    0x10, 0x10, 0x98, 0x1a, 0x6e, 0x36, 0x74, 0x0a, 0xc0, 0x8f, 0x08, 0xfc, 0xcb, 0xc5, 0x17, 0xfa,
    0x65, 0x45, 0xbd, 0x35, 0x65, 0xc0, 0x1f, 0xa8, 0x44, 0xb3, 0xb0, 0xdc, 0xdb, 0x95, 0xbb, 0x8f,
    0xce, 0x32, 0x59, 0x66, 0x7d, 0xb6, 0xbe, 0xd2, 0x2b, 0x92, 0xf1, 0xf9, 0x61, 0x32, 0x37, 0x60,
    0xb5, 0x83, 0xaa, 0x01, 0xd0, 0xe6, 0x7d, 0x16, 0xb7, 0x10, 0x1e, 0x71, 0x12, 0xe8, 0xb4, 0xcd,
    0x91, 0xbd, 0x88, 0x56, 0xd3, 0x88, 0x59, 0x6b, 0x91, 0x03, 0xf0, 0x4f, 0x80, 0xd3, 0x10, 0x25,
    0xc2, 0x76, 0xd1, 0xce, 0x6a, 0x9c, 0x07, 0xc4, 0xed, 0x39, 0x7e, 0x2c, 0xab, 0x0a, 0x10, 0x12,
    0x46, 0x6e, 0x6e, 0xc7, 0x9a, 0x8a, 0x15, 0xe0, 0xe4, 0x8b, 0xf7, 0x30, 0x2e, 0x38, 0x0e, 0x3b,
    0x9d, 0xfe, 0x37, 0x31, 0x87, 0xba, 0xbf, 0x68, 0xae, 0x73, 0x7b, 0xcb, 0x3c, 0x34, 0x29, 0x2a,
    0xe2, 0xa7, 0x31, 0x4b, 0x1a, 0x53, 0xe6, 0x50, 0x28, 0x37, 0x52, 0x82, 0x51, 0xfa, 0x48, 0xba,
    0x9c, 0x74, 0x5a, 0x2f, 0x1f, 0xd5, 0xf3, 0x2f, 0x6e, 0x17, 0xba, 0xb0, 0xdd, 0x6f, 0x0c, 0x53,
};

static void test_recorded(void **state)
{
    static const struct {
        const char *name;
        enum ota_err current, legacy;
    } files[] = {
        {"payload.bin.signed", OTA_OK, OTA_ERR_SIGNATURE},
        {"payload.bin.legacy_sig", OTA_ERR_SIGNATURE, OTA_OK},
        {"payload.bin.signed.bad-data", OTA_ERR_SIGNATURE, OTA_ERR_SIGNATURE},
        {"payload.bin.signed.bad-sig", OTA_ERR_SIGNATURE, OTA_ERR_SIGNATURE},
        {"payload.bin.signed.bad-siglen", OTA_ERR_SIGNATURE_MISSING, OTA_ERR_SIGNATURE_MISSING},
        {"payload.bin", OTA_ERR_SIGNATURE_MISSING, OTA_ERR_SIGNATURE_MISSING},
        {"sketch.bin.gz.signed", OTA_OK, OTA_ERR_SIGNATURE},
        {"sketch.bin.gz.legacy_sig", OTA_ERR_SIGNATURE, OTA_OK},
    };
    const struct ota_public_key key = {.type = OTA_KEY_RSA,
                                       .bytes = recorded_modulus,
                                       .len = sizeof recorded_modulus,
                                       .exponent = 65537};
    struct file file;

    (void)state;
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        uint8_t *bytes =
            recorded_read(UPDRAFT_VECTORS "/arduino/signing", files[i].name, &file.len);
        if (bytes == NULL) {
            skip();
            return;
        }
        assert_true(file.len <= FILE_MAX);
        memcpy(file.bytes, bytes, file.len);
        free(bytes);
        for (size_t l = 0; l < LIBRARIES; l++) {
            assert_int_equal(judge(&file, &key, current[l]), files[i].current);
            assert_int_equal(judge(&file, &key, legacy[l]), files[i].legacy);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_accepts),        cmocka_unit_test(test_any_tail),
        cmocka_unit_test(test_every_bit),      cmocka_unit_test(test_tail_longer_than_all),
        cmocka_unit_test(test_truncated),      cmocka_unit_test(test_garbage_behind),
        cmocka_unit_test(test_largest_file),   cmocka_unit_test(test_lengths_that_lie),
        cmocka_unit_test(test_length_of_pico), cmocka_unit_test(test_keys),
        cmocka_unit_test(test_recorded),       cmocka_unit_test(test_no_data),
    };

    return cmocka_run_group_tests(tests, make_signer, free_signer);
}
