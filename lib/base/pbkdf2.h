/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_PBKDF2_H
#define BASE_PBKDF2_H

/*
 * PBKDF2 with HMAC-SHA-256 (RFC 8018 section 5.2, RFC 2104), for one block of 32 bytes. It is meant
 * to be slow, so it runs in slices: a device does some iterations in each turn of its loop and goes
 * on with its other work.
 *
 *     err = ota__pbkdf2_begin(&derivation, crypto, password, password_len, salt, salt_len, 10000);
 *     while (err == OTA_OK && !done) err = ota__pbkdf2_run(&derivation, 100, &done);
 *     if (err == OTA_OK) err = ota__pbkdf2_finish(&derivation, key);
 *
 * After an error, finish or abort nothing is held and nothing of the secret is left in the object.
 * A zeroed object may be aborted.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <updraft/crypto.h>

struct ota__pbkdf2 {
    const struct ota_crypto *crypto; /* NULL: not begun, or over */
    struct ota_hash inner, outer;    /* have seen the key of HMAC, and are cloned for each use */
    uint8_t last[OTA_SHA256_SIZE];   /* what the last iteration gave */
    uint8_t key[OTA_SHA256_SIZE];    /* all of them so far, exclusive-or */
    uint32_t left;                   /* iterations to go */
};

/* Begins with a password and a salt, neither of which is kept; does the first of `iterations`.
   Returns OTA_OK, OTA_ERR_ARGUMENT for 0 iterations, OTA_ERR_CRYPTO. */
enum ota_err ota__pbkdf2_begin(struct ota__pbkdf2 *derivation, const struct ota_crypto *crypto,
                               const void *password, size_t password_len, const void *salt,
                               size_t salt_len, uint32_t iterations);

/* Does at most so many further iterations; `*done` tells whether that was all. Returns OTA_OK,
   OTA_ERR_STATE if it is not begun, OTA_ERR_CRYPTO. */
enum ota_err ota__pbkdf2_run(struct ota__pbkdf2 *derivation, uint32_t max_iterations, bool *done);

/* Gives the key. Returns OTA_OK; OTA_ERR_STATE, the derivation going on, if it is not done. */
enum ota_err ota__pbkdf2_finish(struct ota__pbkdf2 *derivation, uint8_t key[OTA_SHA256_SIZE]);

/* Gives up. */
void ota__pbkdf2_abort(struct ota__pbkdf2 *derivation);

#endif
