/* SPDX-License-Identifier: Apache-2.0 */
/* The layouts are those of docs/formats/signatures.md sections 3.1 to 3.3, written from there and
   not from the library's reader. */

#include "cli/secure_block.h"

#include <string.h>

#include <openssl/bn.h>

#include "base/bytes.h"
#include "cli/digest.h"

#define RSA_SIZE 384u

struct layout {
    enum ota_key_type type;
    enum ota_signature_scheme scheme;
    uint8_t version, sha;
    size_t digest_len; /* of the image */
    uint8_t curve;
    size_t number_len;      /* of a coordinate, and of r and s */
    size_t key_at, key_len; /* what the key's digest is over */
    size_t signature_at;
};

static const struct layout layouts[] = {
    {OTA_KEY_RSA, OTA_SIGNATURE_RSA_PSS, 2, 0, 32, 0, RSA_SIZE, 36, 776, 812},
    {OTA_KEY_P192, OTA_SIGNATURE_ECDSA_P192, 3, 0, 32, 1, 24, 36, 65, 101},
    {OTA_KEY_P256, OTA_SIGNATURE_ECDSA_P256, 3, 0, 32, 2, 32, 36, 65, 101},
    {OTA_KEY_P384, OTA_SIGNATURE_ECDSA_P384, 3, 1, 48, 3, 48, 52, 97, 149},
};

static const struct layout *layout_of(const struct ota_public_key *key)
{
    if (key->type == OTA_KEY_RSA && (key->len != RSA_SIZE || key->bytes[0] < 0x80)) {
        return NULL;
    }
    for (size_t i = 0; i < sizeof(layouts) / sizeof(layouts[0]); i++) {
        if (layouts[i].type == key->type) {
            return &layouts[i];
        }
    }
    return NULL;
}

enum ota_signature_scheme secure_block_scheme(const struct ota_public_key *key)
{
    const struct layout *layout = layout_of(key);
    return layout != NULL ? layout->scheme : OTA_SIGNATURE_NONE;
}

static void put_turned(uint8_t *to, const uint8_t *number, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        to[i] = number[len - 1 - i];
    }
}

/* The two numbers that spare the chip's hardware a division: R = 2^6144 mod n and -(1/n)
   mod 2^32. */
static bool put_montgomery(uint8_t *r, uint8_t *m, const struct ota_public_key *key)
{
    BN_CTX *context = BN_CTX_new();
    BIGNUM *modulus = BN_bin2bn(key->bytes, (int)key->len, NULL);
    BIGNUM *power = BN_new();
    BIGNUM *word = BN_new();
    BIGNUM *inverse = BN_new();
    bool good = context != NULL && modulus != NULL && power != NULL && word != NULL &&
                inverse != NULL && BN_set_bit(power, 16 * RSA_SIZE) == 1 &&
                BN_nnmod(power, power, modulus, context) == 1 && BN_set_bit(word, 32) == 1 &&
                BN_mod_inverse(inverse, modulus, word, context) != NULL &&
                BN_bn2lebinpad(power, r, RSA_SIZE) == (int)RSA_SIZE;
    if (good) {
        ota__put_le32(m, (uint32_t)(0 - BN_get_word(inverse)));
    }
    BN_free(inverse);
    BN_free(word);
    BN_free(power);
    BN_free(modulus);
    BN_CTX_free(context);
    return good;
}

static bool put_key(uint8_t *fields, const struct layout *layout, const struct ota_public_key *key)
{
    size_t len = layout->number_len;
    memset(fields, 0, layout->key_len);
    if (layout->type == OTA_KEY_RSA) {
        put_turned(fields, key->bytes, len);
        ota__put_le32(fields + len, key->exponent);
        return put_montgomery(fields + len + 4, fields + 2 * len + 4, key);
    }
    fields[0] = layout->curve;
    put_turned(fields + 1, key->bytes + 1, len);
    put_turned(fields + 1 + len, key->bytes + 1 + len, len);
    return true;
}

bool secure_block_write(uint8_t block[OTA_SECURE_BLOCK_SIZE], const struct ota_public_key *key,
                        const uint8_t *image_digest, const uint8_t *signature)
{
    const struct layout *layout = layout_of(key);
    memset(block, 0, OTA_SECURE_BLOCK_SIZE);
    if (layout == NULL || !put_key(block + layout->key_at, layout, key)) {
        return false;
    }
    block[0] = 0xE7;
    block[1] = layout->version;
    block[2] = layout->sha;
    memcpy(block + 4, image_digest, layout->digest_len);
    put_turned(block + layout->signature_at, signature, layout->number_len);
    if (layout->type != OTA_KEY_RSA) {
        put_turned(block + layout->signature_at + layout->number_len,
                   signature + layout->number_len, layout->number_len);
    }
    ota__put_le32(block + 1196, ota_crc32(0, block, 1196));
    return true;
}

bool secure_key_digest(const struct ota_public_key *key, uint8_t digest[OTA_SHA256_SIZE])
{
    const struct layout *layout = layout_of(key);
    uint8_t fields[776];
    return layout != NULL && put_key(fields, layout, key) &&
           digest_of(&ota_crypto_openssl, OTA_HASH_SHA256, fields, layout->key_len, digest);
}
