/* SPDX-License-Identifier: Apache-2.0 */
/* RSASSA-PKCS1-v1_5 on BearSSL: with the DigestInfo round the hash, and without. */
#include "base/signature_bearssl.h"

#include "base/mem.h"

static enum ota_err verify(const struct ota_public_key *key, const unsigned char *oid,
                           const uint8_t *digest, const uint8_t *signature, size_t len)
{
    struct ota__bearssl_rsa_key own;
    uint8_t signed_digest[OTA_SHA256_SIZE];

    if (ota__bearssl_rsa_key(&own, key) != OTA_OK) {
        return OTA_ERR_KEY;
    }
    if (br_rsa_pkcs1_vrfy_get_default()(signature, len, oid, sizeof signed_digest, &own.key,
                                        signed_digest) != 1 ||
        memcmp(signed_digest, digest, sizeof signed_digest) != 0) {
        return OTA_ERR_SIGNATURE;
    }
    return OTA_OK;
}

static enum ota_err verify_sha256(const struct ota_public_key *key, const uint8_t *digest,
                                  const uint8_t *signature, size_t len)
{
    return verify(key, BR_HASH_OID_SHA256, digest, signature, len);
}

static enum ota_err verify_raw(const struct ota_public_key *key, const uint8_t *digest,
                               const uint8_t *signature, size_t len)
{
    return verify(key, NULL, digest, signature, len);
}

const struct ota_verifier ota_verify_rsa_pkcs1_bearssl = {
    .scheme = OTA_SIGNATURE_RSA_PKCS1, .hash = OTA_HASH_SHA256, .verify = verify_sha256};

const struct ota_verifier ota_verify_rsa_pkcs1_raw_bearssl = {
    .scheme = OTA_SIGNATURE_RSA_PKCS1_RAW, .hash = OTA_HASH_SHA256, .verify = verify_raw};
