/* SPDX-License-Identifier: Apache-2.0 */
#include "base/signature_bearssl.h"

static enum ota_err verify(const struct ota_public_key *key, const uint8_t *digest,
                           const uint8_t *signature, size_t len)
{
    static const struct ota__bearssl_curve curve = {.type = OTA_KEY_P384,
                                                    .id = BR_EC_secp384r1,
                                                    .point_len = OTA_P384_POINT_SIZE,
                                                    .digest_len = OTA_SHA384_SIZE,
                                                    .points = &br_ec_prime_i31,
                                                    .verify = br_ecdsa_i31_vrfy_raw};

    return ota__bearssl_ecdsa(&curve, key, digest, signature, len);
}

const struct ota_verifier ota_verify_p384_bearssl = {
    .scheme = OTA_SIGNATURE_ECDSA_P384, .hash = OTA_HASH_SHA384, .verify = verify};
