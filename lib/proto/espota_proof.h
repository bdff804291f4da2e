/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_PROTO_ESPOTA_PROOF_H
#define UPDRAFT_PROTO_ESPOTA_PROOF_H

/*
 * The proof that whoever pushes knows the password (docs/formats/espota.md section 5). All of it is
 * text: a digest goes into the next step as its lower-case hexadecimal digits. The challenge is
 * nonce ":" cnonce.
 *
 *     err = ota__espota_proof_begin(&proof, crypto, OTA_HASH_SHA256, passhash, challenge, len);
 *     while (err == OTA_OK && !done) err = ota__espota_proof_run(&proof, 200, &done, response);
 *
 * MD5 form: response = md5(passhash ":" challenge). PBKDF2 form: response = sha256(key ":"
 * challenge) with key = PBKDF2(passhash, challenge, 10000).
 */

#include <stdbool.h>
#include <stddef.h>

#include <updraft/crypto.h>

#include "base/pbkdf2.h"

#define ESPOTA_MD5_DIGITS 32u
#define ESPOTA_SHA256_DIGITS 64u
#define ESPOTA_CHALLENGE_SIZE (2u * ESPOTA_SHA256_DIGITS + 2u) /* two numbers, a colon, an end */
#define ESPOTA_TEXT_SIZE (ESPOTA_SHA256_DIGITS + 1u)           /* digits of a digest and an end */
#define ESPOTA_ITERATIONS 10000u

struct ota__espota_proof {
    const struct ota_crypto *crypto;
    enum ota_hash_algorithm form;
    const char *challenge; /* the caller's */
    size_t challenge_len;
    union {
        struct ota__pbkdf2 derivation;   /* PBKDF2 form */
        char passhash[ESPOTA_TEXT_SIZE]; /* MD5 form */
    } work;
};

/* Writes the digits of a digest, terminated. */
enum ota_err ota__espota_hash(const struct ota_crypto *crypto, enum ota_hash_algorithm algorithm,
                              const void *data, size_t len, char text[ESPOTA_TEXT_SIZE]);

/* Starts a proof of the MD5 form (OTA_HASH_MD5) or the PBKDF2 form (OTA_HASH_SHA256). `passhash` is
   the digest of the password in digits, terminated, at most 64. Returns OTA_OK or
   OTA_ERR_CRYPTO. */
enum ota_err ota__espota_proof_begin(struct ota__espota_proof *proof,
                                     const struct ota_crypto *crypto, enum ota_hash_algorithm form,
                                     const char *passhash, const char *challenge, size_t len);

/* Does so many iterations; when that was all, writes the response in digits and wipes the proof.
   Returns OTA_OK or OTA_ERR_CRYPTO, wiped. */
enum ota_err ota__espota_proof_run(struct ota__espota_proof *proof, uint32_t iterations, bool *done,
                                   char response[ESPOTA_TEXT_SIZE]);

/* Gives up and wipes it. May be called on a zeroed one. */
void ota__espota_proof_abort(struct ota__espota_proof *proof);

#endif
