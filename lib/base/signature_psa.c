/* SPDX-License-Identifier: Apache-2.0 */
/* Signatures on the PSA Crypto API (Mbed TLS and every SDK that ships it). */
#include <psa/crypto.h>

#include "base/mem.h"
#include "base/public_key.h"

struct form {
    psa_key_type_t type;
    psa_algorithm_t algorithm;
    enum ota_key_type own_type; /* a curve's; RSA: OTA_KEY_RSA */
    size_t point_len;
    size_t digest_len;
};

/* ---- The key --------------------------------------------------------------------------------- */

#define TAG_INTEGER 0x02
#define TAG_SEQUENCE 0x30
#define HEAD 4u     /* tag, 0x82, length in two bytes */
#define EXPONENT 7u /* tag, length, at most 5 bytes */
#define RSA_KEY_MAX (HEAD + HEAD + 1 + OTA_RSA_SIZE_MAX + EXPONENT)

/* DER wants the fewest bytes for a length; RSA keys from 1024 bits on need two. */
static size_t put_head(uint8_t *der, uint8_t tag, size_t len)
{
    size_t at = 0;

    der[at++] = tag;
    if (len >= 0x100) {
        der[at++] = 0x82;
        der[at++] = (uint8_t)(len >> 8);
    } else if (len >= 0x80) {
        der[at++] = 0x81;
    }
    der[at++] = (uint8_t)len;
    return at;
}

/* A number without zeros in front, which DER takes for negative if its top bit is set. */
static size_t put_number(uint8_t *der, const uint8_t *number, size_t len)
{
    size_t sign = number[0] >= 0x80;
    size_t at = put_head(der, TAG_INTEGER, sign + len);

    if (sign == 1) {
        der[at++] = 0;
    }
    memcpy(der + at, number, len);
    return at + len;
}

/* RSAPublicKey of RFC 8017 appendix A.1.1. Returns its length. */
static size_t put_rsa_key(uint8_t der[RSA_KEY_MAX], const struct ota_public_key *key)
{
    uint8_t numbers[RSA_KEY_MAX - HEAD];
    uint8_t exponent[4];
    size_t zeros = 0;

    for (unsigned i = 0; i < sizeof exponent; i++) {
        exponent[i] = (uint8_t)(key->exponent >> (24 - 8 * i));
    }
    while (exponent[zeros] == 0) { /* it is 3 at the least */
        zeros++;
    }
    size_t len = put_number(numbers, key->bytes, key->len);
    len += put_number(numbers + len, exponent + zeros, sizeof exponent - zeros);
    size_t head = put_head(der, TAG_SEQUENCE, len);
    memcpy(der + head, numbers, len);
    return head + len;
}

/* ---- The signature --------------------------------------------------------------------------- */

/* PSA checks a point when it is imported. */
static enum ota_err import(const struct form *form, const uint8_t *bytes, size_t len,
                           psa_key_id_t *id)
{
    psa_key_attributes_t attributes = psa_key_attributes_init();

    psa_set_key_type(&attributes, form->type);
    psa_set_key_usage_flags(&attributes, PSA_KEY_USAGE_VERIFY_HASH);
    psa_set_key_algorithm(&attributes, form->algorithm);
    switch (psa_import_key(&attributes, bytes, len, id)) {
    case PSA_SUCCESS:
        return OTA_OK;
    case PSA_ERROR_INVALID_ARGUMENT:
        return OTA_ERR_KEY;
    default:
        return OTA_ERR_CRYPTO;
    }
}

static enum ota_err check(const struct form *form, psa_key_id_t id, const uint8_t *digest,
                          const uint8_t *signature, size_t len)
{
    switch (psa_verify_hash(id, form->algorithm, digest, form->digest_len, signature, len)) {
    case PSA_SUCCESS:
        return OTA_OK;
    case PSA_ERROR_INSUFFICIENT_MEMORY:
    case PSA_ERROR_NOT_SUPPORTED:
        return OTA_ERR_CRYPTO;
    default:
        return OTA_ERR_SIGNATURE;
    }
}

static enum ota_err verify(const struct form *form, const struct ota_public_key *key,
                           const uint8_t *digest, const uint8_t *signature, size_t len)
{
    bool is_rsa = form->own_type == OTA_KEY_RSA;
    enum ota_err err =
        is_rsa ? ota__rsa_key_check(key) : ota__point_check(key, form->own_type, form->point_len);
    uint8_t der[RSA_KEY_MAX];
    psa_key_id_t id;

    if (err == OTA_OK && psa_crypto_init() != PSA_SUCCESS) {
        err = OTA_ERR_CRYPTO;
    }
    if (err == OTA_OK) {
        err = is_rsa ? import(form, der, put_rsa_key(der, key), &id)
                     : import(form, key->bytes, key->len, &id);
    }
    if (err != OTA_OK) {
        return err;
    }
    err = check(form, id, digest, signature, len);
    (void)psa_destroy_key(id);
    return err;
}

/* ---- The objects ----------------------------------------------------------------------------- */

#define RSA_VERIFIER(object, scheme_name, psa_algorithm)                                         \
    static enum ota_err object##_verify(const struct ota_public_key *key, const uint8_t *digest, \
                                        const uint8_t *signature, size_t len)                    \
    {                                                                                            \
        static const struct form form = {.type = PSA_KEY_TYPE_RSA_PUBLIC_KEY,                    \
                                         .algorithm = (psa_algorithm),                           \
                                         .own_type = OTA_KEY_RSA,                                \
                                         .digest_len = OTA_SHA256_SIZE};                         \
                                                                                                 \
        return verify(&form, key, digest, signature, len);                                       \
    }                                                                                            \
    const struct ota_verifier object = {                                                         \
        .scheme = scheme_name, .hash = OTA_HASH_SHA256, .verify = object##_verify}

RSA_VERIFIER(ota_verify_rsa_pkcs1_psa, OTA_SIGNATURE_RSA_PKCS1,
             PSA_ALG_RSA_PKCS1V15_SIGN(PSA_ALG_SHA_256));
RSA_VERIFIER(ota_verify_rsa_pkcs1_raw_psa, OTA_SIGNATURE_RSA_PKCS1_RAW,
             PSA_ALG_RSA_PKCS1V15_SIGN_RAW);
RSA_VERIFIER(ota_verify_rsa_pss_psa, OTA_SIGNATURE_RSA_PSS, PSA_ALG_RSA_PSS(PSA_ALG_SHA_256));

#define CURVE_VERIFIER(object, bits, psa_hash)                                                    \
    static enum ota_err object##_verify(const struct ota_public_key *key, const uint8_t *digest,  \
                                        const uint8_t *signature, size_t len)                     \
    {                                                                                             \
        static const struct form form = {.type =                                                  \
                                             PSA_KEY_TYPE_ECC_PUBLIC_KEY(PSA_ECC_FAMILY_SECP_R1), \
                                         .algorithm = PSA_ALG_ECDSA(psa_hash),                    \
                                         .own_type = OTA_KEY_P##bits,                             \
                                         .point_len = OTA_P##bits##_POINT_SIZE,                   \
                                         .digest_len = OTA_SHA##bits##_SIZE};                     \
                                                                                                  \
        return verify(&form, key, digest, signature, len);                                        \
    }                                                                                             \
    const struct ota_verifier object = {.scheme = OTA_SIGNATURE_ECDSA_P##bits,                    \
                                        .hash = OTA_HASH_SHA##bits,                               \
                                        .verify = object##_verify}

CURVE_VERIFIER(ota_verify_p256_psa, 256, PSA_ALG_SHA_256);
CURVE_VERIFIER(ota_verify_p384_psa, 384, PSA_ALG_SHA_384);
