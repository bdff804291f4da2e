/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_SIGNATURE_H
#define UPDRAFT_SIGNATURE_H

/*
 * The seam to signatures: public keys, and "does this signature fit this digest and this key".
 *
 * There is one object for each algorithm and each crypto library. A program names those that it
 * accepts, and what it does not name is not linked:
 *
 *     static const uint8_t point[OTA_P256_POINT_SIZE] = {0x04, ...};
 *     static const struct ota_public_key key = {
 *         .type = OTA_KEY_P256, .bytes = point, .len = sizeof point};
 *
 *     err = ota_verify_p256_bearssl.verify(&key, digest, signature, 64);
 *
 * Where a signature stands in a file, and which bytes it is over, is the business of
 * arduino_signature.h and secure_boot.h. docs/formats/signatures.md has the formats.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <updraft/crypto.h>
#include <updraft/error.h>

enum ota_key_type {
    OTA_KEY_NONE = 0,
    OTA_KEY_RSA,
    OTA_KEY_P192, /* NIST curves. Signatures on this one are read and reported, never believed */
    OTA_KEY_P256,
    OTA_KEY_P384,
};

#define OTA_RSA_BITS_MIN 2048u /* unless the key itself says otherwise */
#define OTA_RSA_BITS_MAX 4096u
#define OTA_RSA_EXPONENT_MIN 65537u
#define OTA_RSA_SIZE_MAX (OTA_RSA_BITS_MAX / 8u)

#define OTA_P192_POINT_SIZE 49u
#define OTA_P256_POINT_SIZE 65u
#define OTA_P384_POINT_SIZE 97u

/*
 * A public key. It owns nothing: `bytes` are the caller's (constants in flash, a buffer, a part of
 * a signature block) and outlive it. Copy it freely.
 *
 * What is allowed of weak RSA keys goes with the key, so that a limit is lifted for the key that
 * needs it and for no other.
 */
struct ota_public_key {
    enum ota_key_type type;
    const uint8_t *bytes; /* RSA: the modulus, most significant byte first, no zero in front.
                             Curves: the point as 0x04, X, Y, both most significant byte first */
    size_t len;           /* of `bytes` */
    uint32_t exponent;    /* RSA: the public one */
    uint16_t bits_min;    /* RSA: how short it may be in bits; 0: OTA_RSA_BITS_MIN */
    bool weak_exponent;   /* RSA: an odd exponent from 3 on will do */
};

/* Tells whether a key can be used at all: RSA of OTA_RSA_BITS_MIN (or its own `bits_min`) to
   OTA_RSA_BITS_MAX bits whose modulus is odd and whose exponent is odd and at least
   OTA_RSA_EXPONENT_MIN (or 3, if `weak_exponent`); a point of the length and form of its curve.
   Returns OTA_OK or OTA_ERR_KEY. Whether the point lies on the curve is seen when a signature is
   checked. */
enum ota_err ota_public_key_check(const struct ota_public_key *key);

enum ota_signature_scheme {
    OTA_SIGNATURE_NONE = 0,
    OTA_SIGNATURE_RSA_PKCS1,     /* RSASSA-PKCS1-v1_5, SHA-256 (RFC 8017 section 8.2) */
    OTA_SIGNATURE_RSA_PKCS1_RAW, /* its padding round the bare SHA-256, without DigestInfo: what the
                                    ESP8266's core wrote up to 2.5.2 */
    OTA_SIGNATURE_RSA_PSS,       /* RSASSA-PSS, SHA-256, MGF1 with it, salt of 32 bytes */
    OTA_SIGNATURE_ECDSA_P192,    /* with SHA-256; has no verifier */
    OTA_SIGNATURE_ECDSA_P256,    /* with SHA-256 */
    OTA_SIGNATURE_ECDSA_P384,    /* with SHA-384 */
};

/* Returns its name: "RSA", "RSA-3072", "ECDSA P-256". */
const char *ota_signature_scheme_name(enum ota_signature_scheme scheme);

struct ota_verifier {
    enum ota_signature_scheme scheme;
    enum ota_hash_algorithm hash; /* that the digest is of */

    /*
     * Checks `signature`, `len` bytes, over `digest` (ota_digest_size of `hash`): RSA's number, as
     * long as the modulus; or r and s, as long as the curve's numbers; all most significant byte
     * first. Returns OTA_OK; OTA_ERR_SIGNATURE if it does not fit; OTA_ERR_KEY if the key is of
     * another type, weak or no key at all; OTA_ERR_CRYPTO if the library failed.
     */
    enum ota_err (*verify)(const struct ota_public_key *key, const uint8_t *digest,
                           const uint8_t *signature, size_t len);
};

/* BearSSL: no heap; on the stack about 3 KB for RSA, 2 KB for a curve. The one in words of 15 bits
   is smaller, and for processors such as Cortex-M0+, which multiply to 32 bits and no further. */
extern const struct ota_verifier ota_verify_rsa_pkcs1_bearssl;
extern const struct ota_verifier ota_verify_rsa_pkcs1_raw_bearssl;
extern const struct ota_verifier ota_verify_rsa_pss_bearssl;
extern const struct ota_verifier ota_verify_p256_bearssl;
extern const struct ota_verifier ota_verify_p256_bearssl_i15;
extern const struct ota_verifier ota_verify_p384_bearssl;

/* OpenSSL: hosts. */
extern const struct ota_verifier ota_verify_rsa_pkcs1_openssl;
extern const struct ota_verifier ota_verify_rsa_pkcs1_raw_openssl;
extern const struct ota_verifier ota_verify_rsa_pss_openssl;
extern const struct ota_verifier ota_verify_p256_openssl;
extern const struct ota_verifier ota_verify_p384_openssl;

/* The PSA Crypto API: Mbed TLS and every SDK that ships it. */
extern const struct ota_verifier ota_verify_rsa_pkcs1_psa;
extern const struct ota_verifier ota_verify_rsa_pkcs1_raw_psa;
extern const struct ota_verifier ota_verify_rsa_pss_psa;
extern const struct ota_verifier ota_verify_p256_psa;
extern const struct ota_verifier ota_verify_p384_psa;

/* Finds the verifier of a scheme in a list that ends with NULL (a list that is NULL is empty).
   Returns NULL if it is not in it. */
const struct ota_verifier *ota_verifier_find(const struct ota_verifier *const *verifiers,
                                             enum ota_signature_scheme scheme);

#endif
