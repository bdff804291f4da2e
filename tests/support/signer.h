/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SUPPORT_SIGNER_H
#define SUPPORT_SIGNER_H

/*
 * Keys and signatures for tests, made by OpenSSL and not by anything that is under test.
 *
 *     struct signer *signer = signer_new_curve("P-256");
 *     size_t len = signer_sign(signer, OTA_SIGNATURE_ECDSA_P256, digest, signature);
 *     verify(&signer->key, ...);
 *     signer_free(signer);
 */

#include <stddef.h>
#include <stdint.h>

#include <updraft/signature.h>

#define SIGNER_SALT_USUAL 32

struct signer {
    struct ota_public_key key;
    uint8_t bytes[OTA_RSA_SIZE_MAX + 1]; /* what it points at: a test's to spoil */
    int salt;                            /* of RSA-PSS */
    void *own;                           /* OpenSSL's key */
};

/* Make a key. What fails ends the test. */
struct signer *signer_new_rsa(unsigned bits, unsigned exponent);
struct signer *signer_new_curve(const char *name); /* "P-256", "P-384" */
void signer_free(struct signer *signer);

/* Signs a digest (SHA-384 on P-384, else SHA-256). Writes the signature, most significant byte
   first, and returns its length. */
size_t signer_sign(const struct signer *signer, enum ota_signature_scheme scheme,
                   const uint8_t *digest, uint8_t signature[OTA_RSA_SIZE_MAX]);

/* RSA: signs a block that is padded already, as long as the modulus and below it. */
void signer_sign_block(const struct signer *signer, const uint8_t *block,
                       uint8_t signature[OTA_RSA_SIZE_MAX]);

/* XORs MGF1 with SHA-256 of 32 bytes onto the data. */
void signer_mask(uint8_t *data, size_t len, const uint8_t seed[OTA_SHA256_SIZE]);

/* Writes the digest of `len` bytes by which this scheme signs. */
void signer_digest(enum ota_signature_scheme scheme, const void *data, size_t len,
                   uint8_t digest[OTA_SHA384_SIZE]);

#endif
