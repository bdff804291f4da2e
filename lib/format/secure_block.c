/* SPDX-License-Identifier: Apache-2.0 */
/* A signature block of Secure Boot version 2, decoded: docs/formats/signatures.md section 3. */
#include <updraft/secure_boot.h>

#include "base/bytes.h"
#include "base/mem.h"

#define MAGIC 0xE7
#define KIND_AT 1u /* version, and how the image is hashed */
#define DIGEST_AT 4u
#define RSA_EXPONENT_AT 420u
#define CRC_AT 1196u
#define REST_AT 1200u

#define UNCOMPRESSED 0x04

/* Where things are in a block, by what its key is. Before a curve's point stands its number. */
struct form {
    enum ota_key_type type;
    enum ota_signature_scheme scheme;
    enum ota_hash_algorithm hash;
    uint8_t version, sha, curve; /* as the block states them; RSA's states its version alone */
    uint8_t numbers;             /* in a key, and in a signature */
    uint8_t key_at;              /* behind the digest of the image */
    uint16_t number_size;
    uint16_t signature_at; /* the fields before may be wider than their numbers */
};

static const struct form forms[] = {
    {OTA_KEY_RSA, OTA_SIGNATURE_RSA_PSS, OTA_HASH_SHA256, 2, 0, 0, 1, 36, 384, 812},
    {OTA_KEY_P192, OTA_SIGNATURE_ECDSA_P192, OTA_HASH_SHA256, 3, 0, 1, 2, 36, 24, 101},
    {OTA_KEY_P256, OTA_SIGNATURE_ECDSA_P256, OTA_HASH_SHA256, 3, 0, 2, 2, 36, 32, 101},
    {OTA_KEY_P384, OTA_SIGNATURE_ECDSA_P384, OTA_HASH_SHA384, 3, 1, 3, 2, 52, 48, 149},
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

static bool is_of_form(const uint8_t *bytes, const struct form *form)
{
    return bytes[KIND_AT] == form->version &&
           (form->type == OTA_KEY_RSA ||
            (bytes[KIND_AT + 1] == form->sha && bytes[form->key_at] == form->curve));
}

static const struct form *find_form(const uint8_t *bytes)
{
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        if (is_of_form(bytes, &forms[i])) {
            return &forms[i];
        }
    }
    return NULL;
}

/* Turns the numbers of the key and of the signature. Returns where the signature is then: a curve's
   is moved to an even address. A processor that is disturbed may take its address for a function's,
   and where it runs Thumb code, it would run what the signer wrote there if that were odd. */
static const uint8_t *turn_all(const struct form *form, uint8_t *bytes)
{
    uint8_t *key = bytes + form->key_at;
    uint8_t *signature = bytes + form->signature_at;

    if (form->type != OTA_KEY_RSA) {
        *key++ = UNCOMPRESSED; /* the curve's number stands where a point has its form */
        memmove(signature + 1, signature, (size_t)form->number_size * form->numbers);
        signature++;
    }
    for (unsigned i = 0; i < 2u * form->numbers; i++) {
        uint8_t *numbers = i % 2 == 0 ? key : signature;
        turn(numbers + i / 2 * form->number_size, form->number_size);
    }
    return signature;
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
    const struct form *form = find_form(bytes);
    if (form == NULL) {
        return OTA_ERR_KEY;
    }
    const uint8_t *key = bytes + form->key_at;
    enum ota_err err = digest_key(block, key, (size_t)(form->signature_at - form->key_at), crypto);
    block->signature = turn_all(form, bytes);
    block->scheme = form->scheme;
    block->hash = form->hash;
    block->image_digest = bytes + DIGEST_AT;
    block->key = (struct ota_public_key){.type = form->type,
                                         .bytes = key,
                                         .len = (form->number_size + 1u) * form->numbers - 1,
                                         .exponent = ota__get_le32(bytes + RSA_EXPONENT_AT),
                                         .bits_min = OTA_SECURE_RSA_BITS};
    block->signature_len = (size_t)form->number_size * form->numbers;
    return err;
}
