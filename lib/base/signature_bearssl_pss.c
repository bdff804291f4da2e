/* SPDX-License-Identifier: Apache-2.0 */
/* RSASSA-PSS on BearSSL, which has the number's part of it; the encoding is RFC 8017 section 9.1.2
 * with SHA-256, MGF1 with SHA-256, and a salt of 32 bytes:
 *
 *     0 … 0, 1, salt    H                                0xBC
 *     masked by MGF1(H)  SHA-256(8 zeros, digest, salt)
 */
#include "base/signature_bearssl.h"

#include <bearssl_hash.h>

#include "base/mem.h"

#define HASH OTA_SHA256_SIZE
#define SALT 32u
#define LEAST (SALT + HASH + 2u)
#define TRAILER 0xBC
#define TOP_BIT 0x80

/* The data's part, `len` bytes, XOR a mask that is made of `seed`. */
static void unmask(uint8_t *data, size_t len, const uint8_t *seed)
{
    uint8_t mask[HASH];
    uint8_t counter[4] = {0};

    for (size_t i = 0; i < len; i++) {
        if (i % HASH == 0) {
            br_sha256_context hash;
            br_sha256_init(&hash);
            br_sha256_update(&hash, seed, HASH);
            br_sha256_update(&hash, counter, sizeof counter);
            br_sha256_out(&hash, mask);
            counter[3]++; /* 16 masks are the most */
        }
        data[i] ^= mask[i % HASH];
    }
}

static bool encodes(uint8_t *encoded, size_t len, const uint8_t *digest)
{
    static const uint8_t zeros[8];
    const uint8_t *seed = encoded + len - 1 - HASH;
    const uint8_t *salt = seed - SALT;
    uint8_t wrong = (uint8_t)(encoded[len - 1] ^ TRAILER) | (encoded[0] & TOP_BIT);
    br_sha256_context hash;
    uint8_t expected[HASH];

    unmask(encoded, (size_t)(seed - encoded), seed);
    encoded[0] &= TOP_BIT - 1;
    for (const uint8_t *byte = encoded; byte < salt - 1; byte++) {
        wrong |= *byte;
    }
    wrong |= salt[-1] ^ 1;
    br_sha256_init(&hash);
    br_sha256_update(&hash, zeros, sizeof zeros);
    br_sha256_update(&hash, digest, HASH);
    br_sha256_update(&hash, salt, SALT);
    br_sha256_out(&hash, expected);
    return wrong == 0 && memcmp(expected, seed, HASH) == 0;
}

static enum ota_err verify(const struct ota_public_key *key, const uint8_t *digest,
                           const uint8_t *signature, size_t len)
{
    struct ota__bearssl_rsa_key own;
    uint8_t encoded[OTA_RSA_SIZE_MAX];

    /* With a modulus whose top bit is not set the encoding would begin elsewhere. */
    if (ota__bearssl_rsa_key(&own, key) != OTA_OK || key->len < LEAST ||
        (key->bytes[0] & TOP_BIT) == 0) {
        return OTA_ERR_KEY;
    }
    if (len != key->len) {
        return OTA_ERR_SIGNATURE;
    }
    memcpy(encoded, signature, len);
    if (br_rsa_public_get_default()(encoded, len, &own.key) != 1 ||
        !encodes(encoded, len, digest)) {
        return OTA_ERR_SIGNATURE;
    }
    return OTA_OK;
}

const struct ota_verifier ota_verify_rsa_pss_bearssl = {
    .scheme = OTA_SIGNATURE_RSA_PSS, .hash = OTA_HASH_SHA256, .verify = verify};
