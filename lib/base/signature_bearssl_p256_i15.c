/* SPDX-License-Identifier: Apache-2.0 */
/* The same in words of 15 bits, for processors whose products have 32 bits. */
#include "base/signature_bearssl.h"

static enum ota_err verify(const struct ota_public_key *key, const uint8_t *digest,
                           const uint8_t *signature, size_t len)
{
    static const struct ota__bearssl_curve curve = {.type = OTA_KEY_P256,
                                                    .id = BR_EC_secp256r1,
                                                    .point_len = OTA_P256_POINT_SIZE,
                                                    .digest_len = OTA_SHA256_SIZE,
                                                    .points = &br_ec_prime_i15,
                                                    .verify = br_ecdsa_i15_vrfy_raw};

    return ota__bearssl_ecdsa(&curve, key, digest, signature, len);
}

const struct ota_verifier ota_verify_p256_bearssl_i15 = {
    .scheme = OTA_SIGNATURE_ECDSA_P256, .hash = OTA_HASH_SHA256, .verify = verify};
