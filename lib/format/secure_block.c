/* SPDX-License-Identifier: Apache-2.0 */
/* A signature block of Secure Boot version 2, decoded: docs/formats/signatures.md section 3. */
#include <updraft/secure_boot.h>

#include "base/bytes.h"
#include "base/mem.h"

#define MAGIC 0xE7
#define VERSION_RSA 2
#define VERSION_CURVE 3
#define KIND_AT 1u /* version, and how the image is hashed */
#define DIGEST_AT 4u
#define CRC_AT 1196u
#define REST_AT 1200u

#define RSA_SIZE (OTA_SECURE_RSA_BITS / 8u)
#define RSA_MODULUS_AT 36u
#define RSA_EXPONENT_AT (RSA_MODULUS_AT + RSA_SIZE)
#define RSA_KEY_SIZE 776u /* with the two numbers that only the chip's hardware uses */
#define RSA_SIGNATURE_AT 812u

#define UNCOMPRESSED 0x04

/* Where things are in a block of a curve. The curve's number comes before the point. */
struct curve_form {
    enum ota_key_type type;
    enum ota_signature_scheme scheme;
    enum ota_hash_algorithm hash;
    uint8_t sha, id;      /* as the block states them */
    uint8_t curve_at;     /* behind the digest of the image */
    uint8_t number_size;  /* of a coordinate, and of r and s */
    uint8_t signature_at; /* the fields before may be wider than their numbers */
};

static const struct curve_form curve_forms[] = {
    {OTA_KEY_P192, OTA_SIGNATURE_ECDSA_P192, OTA_HASH_SHA256, 0, 1, 36, 24, 101},
    {OTA_KEY_P256, OTA_SIGNATURE_ECDSA_P256, OTA_HASH_SHA256, 0, 2, 36, 32, 101},
    {OTA_KEY_P384, OTA_SIGNATURE_ECDSA_P384, OTA_HASH_SHA384, 1, 3, 52, 48, 149},
};

static void turn(uint8_t *number, size_t len)
{
    for (size_t i = 0; i < len / 2; i++) {
        uint8_t byte = number[i];
        number[i] = number[len - 1 - i];
        number[len - 1 - i] = byte;
    }
}

/* SHA-256 of the key's fields as they stand in the block. */
static enum ota_err digest_key(struct ota_secure_block *block, const uint8_t *fields, size_t len,
                               const struct ota_crypto *crypto)
{
    struct ota_hash hash;
    enum ota_err err = crypto->hash_begin(&hash, OTA_HASH_SHA256);

    if (err != OTA_OK) {
        return err;
    }
    err = crypto->hash_update(&hash, fields, len);
    if (err != OTA_OK) {
        crypto->hash_abort(&hash);
        return err;
    }
    return crypto->hash_finish(&hash, block->key_digest);
}

static enum ota_err decode_rsa(struct ota_secure_block *block, uint8_t *bytes,
                               const struct ota_crypto *crypto)
{
    enum ota_err err = digest_key(block, bytes + RSA_MODULUS_AT, RSA_KEY_SIZE, crypto);

    turn(bytes + RSA_MODULUS_AT, RSA_SIZE);
    turn(bytes + RSA_SIGNATURE_AT, RSA_SIZE);
    block->scheme = OTA_SIGNATURE_RSA_PSS;
    block->hash = OTA_HASH_SHA256;
    block->key = (struct ota_public_key){.type = OTA_KEY_RSA,
                                         .bytes = bytes + RSA_MODULUS_AT,
                                         .len = RSA_SIZE,
                                         .exponent = ota__get_le32(bytes + RSA_EXPONENT_AT),
                                         .bits_min = OTA_SECURE_RSA_BITS};
    block->signature = bytes + RSA_SIGNATURE_AT;
    block->signature_len = RSA_SIZE;
    return err;
}

static const struct curve_form *find_curve(const uint8_t *bytes)
{
    for (size_t i = 0; i < sizeof curve_forms / sizeof curve_forms[0]; i++) {
        const struct curve_form *form = &curve_forms[i];
        if (bytes[KIND_AT + 1] == form->sha && bytes[form->curve_at] == form->id) {
            return form;
        }
    }
    return NULL;
}

static enum ota_err decode_curve(struct ota_secure_block *block, uint8_t *bytes,
                                 const struct ota_crypto *crypto)
{
    const struct curve_form *form = find_curve(bytes);

    if (form == NULL) {
        return OTA_ERR_KEY;
    }
    uint8_t *point = bytes + form->curve_at;
    uint8_t *signature = bytes + form->signature_at;
    size_t size = form->number_size;
    enum ota_err err = digest_key(block, point, (size_t)(signature - point), crypto);
    turn(point + 1, size);
    turn(point + 1 + size, size);
    turn(signature, size);
    turn(signature + size, size);
    /* The curve's number stands where a point has its form. */
    point[0] = UNCOMPRESSED;
    block->scheme = form->scheme;
    block->hash = form->hash;
    block->key = (struct ota_public_key){.type = form->type, .bytes = point, .len = 1 + 2 * size};
    block->signature = signature;
    block->signature_len = 2 * size;
    return err;
}

/* The checksum covers all but the last bytes, which are zero. */
static bool is_whole(const uint8_t *bytes)
{
    uint8_t rest = 0;

    for (unsigned i = REST_AT; i < OTA_SECURE_BLOCK_SIZE; i++) {
        rest |= bytes[i];
    }
    return rest == 0 && ota_crc32(0, bytes, CRC_AT) == ota__get_le32(bytes + CRC_AT);
}

enum ota_err ota_secure_block_decode(struct ota_secure_block *block,
                                     uint8_t bytes[OTA_SECURE_BLOCK_SIZE],
                                     const struct ota_crypto *crypto)
{
    if (bytes[0] != MAGIC) {
        return OTA_ERR_SIGNATURE_MISSING;
    }
    if (!is_whole(bytes)) {
        return OTA_ERR_SIGNATURE;
    }
    block->image_digest = bytes + DIGEST_AT;
    switch (bytes[KIND_AT]) {
    case VERSION_RSA:
        return decode_rsa(block, bytes, crypto);
    case VERSION_CURVE:
        return decode_curve(block, bytes, crypto);
    default:
        return OTA_ERR_KEY;
    }
}
