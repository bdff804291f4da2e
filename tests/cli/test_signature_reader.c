/* SPDX-License-Identifier: Apache-2.0 */
/* Signatures found while a file passes: wherever they are, and in whatever pieces the file
   comes. */

#include "cli/secure_block.h"
#include "cli/signature_reader.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "support/signer.h"

#define FILE_MAX 131072u
#define IMAGE_LEN 5000u
#define SECTOR_AT 8192u

static struct signer *rsa, *p256, *p384;

static int make_signers(void **state)
{
    (void)state;
    rsa = signer_new_rsa(2048, 65537);
    p256 = signer_new_curve("P-256");
    p384 = signer_new_curve("P-384");
    return 0;
}

static int free_signers(void **state)
{
    (void)state;
    signer_free(rsa);
    signer_free(p256);
    signer_free(p384);
    return 0;
}

static uint8_t file[FILE_MAX];
static size_t file_len;

static void make_image(void)
{
    for (size_t i = 0; i < IMAGE_LEN; i++) {
        file[i] = (uint8_t)(i * i >> 3);
    }
    memset(file + IMAGE_LEN, 0xFF, FILE_MAX - IMAGE_LEN);
    file_len = IMAGE_LEN;
}

static void add_block(unsigned place, const struct signer *signer, enum ota_signature_scheme scheme)
{
    uint8_t digest[OTA_SHA384_SIZE];
    uint8_t signature[OTA_RSA_SIZE_MAX];
    signer_digest(scheme, file, SECTOR_AT, digest);
    (void)signer_sign(signer, scheme, digest, signature);
    assert_true(secure_block_write(file + SECTOR_AT + place * OTA_SECURE_BLOCK_SIZE, &signer->key,
                                   digest, signature));
    file_len = SECTOR_AT + OTA_SECURE_SECTOR_SIZE;
}

static void add_v1(void)
{
    uint8_t digest[OTA_SHA384_SIZE];
    uint8_t signature[OTA_RSA_SIZE_MAX];
    signer_digest(OTA_SIGNATURE_ECDSA_P256, file, IMAGE_LEN, digest);
    size_t len = signer_sign(p256, OTA_SIGNATURE_ECDSA_P256, digest, signature);
    memset(file + IMAGE_LEN, 0, 4);
    memcpy(file + IMAGE_LEN + 4, signature, len);
    file_len = IMAGE_LEN + 4 + len;
}

static void add_arduino(size_t data_len)
{
    uint8_t digest[OTA_SHA384_SIZE];
    signer_digest(OTA_SIGNATURE_RSA_PKCS1, file, data_len, digest);
    size_t len = signer_sign(rsa, OTA_SIGNATURE_RSA_PKCS1, digest, file + data_len);
    ota__put_le32(file + data_len + len, (uint32_t)len);
    file_len = data_len + len + 4;
}

/* Reads the file in pieces, as the command does: the image's length is known when it has passed. */
static void read_in(size_t piece, bool is_image, struct signature_found *found)
{
    struct signature_reader reader;
    signature_reader_begin(&reader);
    for (size_t at = 0; at < file_len; at += piece) {
        size_t len = file_len - at < piece ? file_len - at : piece;
        if (is_image && at + len >= IMAGE_LEN) {
            signature_reader_image_ends(&reader, IMAGE_LEN, true);
        }
        signature_reader_take(&reader, file + at, len);
    }
    assert_true(signature_reader_find(&reader, found));
    signature_reader_end(&reader);
}

static void must_find(bool is_image, enum signature_kind kind, size_t data_len, const char *text)
{
    static const size_t pieces[] = {1, 67, 4095, 4096, 8191, 8192, 8193, 65536, FILE_MAX};
    uint8_t sha256[OTA_SHA384_SIZE];
    uint8_t sha384[OTA_SHA384_SIZE];
    signer_digest(OTA_SIGNATURE_ECDSA_P256, file, data_len, sha256);
    signer_digest(OTA_SIGNATURE_ECDSA_P384, file, data_len, sha384);
    for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
        struct signature_found found;
        char said[SIGNATURE_TEXT_SIZE];
        read_in(pieces[i], is_image, &found);
        assert_int_equal(found.kind, kind);
        assert_string_equal(signature_text(&found, said), text);
        if (kind != SIGNATURE_NONE) {
            assert_int_equal(found.data_len, data_len);
            assert_memory_equal(found.sha256, sha256, OTA_SHA256_SIZE);
            assert_memory_equal(found.sha384, sha384, OTA_SHA384_SIZE);
        }
        for (unsigned b = 0; b < OTA_SECURE_BLOCKS_MAX && kind == SIGNATURE_V2; b++) {
            assert_int_equal(found.blocks[b].err,
                             b < found.count ? OTA_OK : OTA_ERR_SIGNATURE_MISSING);
        }
    }
}

/* What a slot's copy has behind the image: filler up to any length. */
static const size_t fillers[] = {0, 1, 4000, 8192, 20000, 100000};
#define FILLERS (sizeof(fillers) / sizeof(fillers[0]))

static void test_v2(void **state)
{
    (void)state;
    make_image();
    add_block(0, p256, OTA_SIGNATURE_ECDSA_P256);
    size_t len = file_len;
    for (size_t i = 0; i < FILLERS; i++) {
        file_len = len + fillers[i];
        must_find(true, SIGNATURE_V2, SECTOR_AT, "secure boot v2, ECDSA P-256, 1 block");
    }
    file_len = len;
    must_find(false, SIGNATURE_V2, SECTOR_AT, "secure boot v2, ECDSA P-256, 1 block");
    add_block(1, p384, OTA_SIGNATURE_ECDSA_P384);
    must_find(true, SIGNATURE_V2, SECTOR_AT, "secure boot v2, several kinds, 2 blocks");
    file_len--; /* a sector that is cut short is none */
    must_find(true, SIGNATURE_NONE, 0, "none");
}

static void test_v1(void **state)
{
    (void)state;
    make_image();
    add_v1();
    size_t len = file_len;
    for (size_t i = 0; i < FILLERS; i++) {
        file_len = len + fillers[i];
        must_find(true, SIGNATURE_V1, IMAGE_LEN, "secure boot v1, ECDSA P-256");
    }
    file_len = len;
    must_find(false, SIGNATURE_V1, IMAGE_LEN, "secure boot v1, ECDSA P-256");
    file_len = len - 1;
    must_find(true, SIGNATURE_NONE, 0, "none");
}

static void test_arduino(void **state)
{
    (void)state;
    for (size_t i = 0; i < FILLERS; i++) {
        make_image();
        add_arduino(IMAGE_LEN + fillers[i]);
        must_find(true, SIGNATURE_ARDUINO, IMAGE_LEN + fillers[i], "Arduino, 256 bytes");
        must_find(false, SIGNATURE_ARDUINO, IMAGE_LEN + fillers[i], "Arduino, 256 bytes");
    }
    file_len -= 1;
    must_find(false, SIGNATURE_NONE, 0, "none");
}

static void test_none(void **state)
{
    (void)state;
    make_image();
    for (size_t i = 0; i < FILLERS; i++) {
        file_len = IMAGE_LEN + fillers[i];
        must_find(true, SIGNATURE_NONE, 0, "none");
    }
    memset(file + IMAGE_LEN, 0, FILE_MAX - IMAGE_LEN); /* zeros look like a v1's version */
    for (size_t i = 0; i < FILLERS; i++) {
        file_len = IMAGE_LEN + fillers[i];
        must_find(true, SIGNATURE_NONE, 0, "none");
    }
    for (file_len = 1; file_len < 70; file_len++) {
        must_find(false, SIGNATURE_NONE, 0, "none");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_v2),
        cmocka_unit_test(test_v1),
        cmocka_unit_test(test_arduino),
        cmocka_unit_test(test_none),
    };
    return cmocka_run_group_tests(tests, make_signers, free_signers);
}
