/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_SIGNATURE_BEARSSL_H
#define BASE_SIGNATURE_BEARSSL_H

/* What the verifiers on BearSSL share. */

#include <bearssl_ec.h>
#include <bearssl_rsa.h>

#include <updraft/signature.h>

/* BearSSL's keys point at bytes that it could change, and by its public functions never does. */
static inline unsigned char *ota__bearssl_bytes(const uint8_t *bytes)
{
    union {
        const uint8_t *constant;
        unsigned char *plain;
    } same = {bytes};

    return same.plain;
}

/* A key as BearSSL wants it; its numbers stay where they are. */
struct ota__bearssl_rsa_key {
    br_rsa_public_key key;
    uint8_t exponent[4];
};

/* Fills it in. Returns OTA_OK or OTA_ERR_KEY. */
enum ota_err ota__bearssl_rsa_key(struct ota__bearssl_rsa_key *own,
                                  const struct ota_public_key *key);

/* A curve, and which of BearSSL's codes for it is used. */
struct ota__bearssl_curve {
    enum ota_key_type type;
    int id; /* BearSSL's number */
    uint8_t point_len, digest_len;
    const br_ec_impl *points;
    br_ecdsa_vrfy verify;
};

/* Checks a signature on it. Returns as a verifier does. */
enum ota_err ota__bearssl_ecdsa(const struct ota__bearssl_curve *curve,
                                const struct ota_public_key *key, const uint8_t *digest,
                                const uint8_t *signature, size_t len);

#endif
