/* SPDX-License-Identifier: Apache-2.0 */
/* PBKDF2 with HMAC-SHA-256 in slices: an iteration is two clones of hashes that have seen the
   key. */

#include "base/pbkdf2.h"

#include "base/mem.h"
#include "base/secret.h"

#define BLOCK_SIZE 64u /* of SHA-256 */
#define INNER_PAD 0x36u
#define OUTER_PAD 0x5Cu

static enum ota_err hash_once(const struct ota_crypto *crypto, const void *data, size_t len,
                              uint8_t digest[OTA_SHA256_SIZE])
{
    struct ota_hash hash;
    enum ota_err err = crypto->hash_begin(&hash, OTA_HASH_SHA256);

    if (err != OTA_OK) {
        return err;
    }
    err = crypto->hash_update(&hash, data, len);
    if (err != OTA_OK) {
        crypto->hash_abort(&hash);
        return err;
    }
    return crypto->hash_finish(&hash, digest);
}

/* Starts a hash with the key's block, each byte exclusive-or `pad`. */
static enum ota_err begin_keyed(const struct ota_crypto *crypto, struct ota_hash *hash,
                                const uint8_t key[BLOCK_SIZE], uint8_t pad)
{
    uint8_t block[BLOCK_SIZE];

    for (size_t i = 0; i < BLOCK_SIZE; i++) {
        block[i] = key[i] ^ pad;
    }
    enum ota_err err = crypto->hash_begin(hash, OTA_HASH_SHA256);
    if (err == OTA_OK) {
        err = crypto->hash_update(hash, block, sizeof block);
        if (err != OTA_OK) {
            crypto->hash_abort(hash);
        }
    }
    ota__wipe(block, sizeof block);
    return err;
}

/* Starts both hashes, or none. */
static enum ota_err begin_hashes(struct ota__pbkdf2 *derivation, const struct ota_crypto *crypto,
                                 const uint8_t key[BLOCK_SIZE])
{
    enum ota_err err = begin_keyed(crypto, &derivation->inner, key, INNER_PAD);

    if (err != OTA_OK) {
        return err;
    }
    err = begin_keyed(crypto, &derivation->outer, key, OUTER_PAD);
    if (err != OTA_OK) {
        crypto->hash_abort(&derivation->inner);
        return err;
    }
    derivation->crypto = crypto;
    return OTA_OK;
}

/* Writes the digest of what `keyed` has seen and of `data` and `more` after it; `digest` may be
   `data`. */
static enum ota_err finish_keyed(const struct ota_crypto *crypto, const struct ota_hash *keyed,
                                 const void *data, size_t len, const void *more, size_t more_len,
                                 uint8_t digest[OTA_SHA256_SIZE])
{
    struct ota_hash hash;
    enum ota_err err = crypto->hash_clone(keyed, &hash);

    if (err != OTA_OK) {
        return err;
    }
    err = crypto->hash_update(&hash, data, len);
    if (err == OTA_OK && more_len > 0) {
        err = crypto->hash_update(&hash, more, more_len);
    }
    if (err != OTA_OK) {
        crypto->hash_abort(&hash);
        return err;
    }
    return crypto->hash_finish(&hash, digest);
}

/* HMAC of `data` and `more` becomes `last`, and part of the key. */
static enum ota_err iterate(struct ota__pbkdf2 *derivation, const void *data, size_t len,
                            const void *more, size_t more_len)
{
    const struct ota_crypto *crypto = derivation->crypto;
    uint8_t *last = derivation->last;
    enum ota_err err = finish_keyed(crypto, &derivation->inner, data, len, more, more_len, last);

    if (err == OTA_OK) {
        err = finish_keyed(crypto, &derivation->outer, last, OTA_SHA256_SIZE, NULL, 0, last);
    }
    if (err != OTA_OK) {
        ota__pbkdf2_abort(derivation);
        return err;
    }
    for (size_t i = 0; i < OTA_SHA256_SIZE; i++) {
        derivation->key[i] ^= last[i];
    }
    derivation->left--;
    return OTA_OK;
}

enum ota_err ota__pbkdf2_begin(struct ota__pbkdf2 *derivation, const struct ota_crypto *crypto,
                               const void *password, size_t password_len, const void *salt,
                               size_t salt_len, uint32_t iterations)
{
    static const uint8_t first_block[4] = {0, 0, 0, 1};
    uint8_t key[BLOCK_SIZE] = {0};
    enum ota_err err = OTA_OK;

    memset(derivation, 0, sizeof *derivation);
    if (iterations == 0) {
        return OTA_ERR_ARGUMENT;
    }
    if (password_len > BLOCK_SIZE) {
        err = hash_once(crypto, password, password_len, key);
    } else if (password_len > 0) {
        memcpy(key, password, password_len);
    }
    if (err == OTA_OK) {
        err = begin_hashes(derivation, crypto, key);
    }
    ota__wipe(key, sizeof key);
    if (err != OTA_OK) {
        ota__pbkdf2_abort(derivation);
        return err;
    }
    derivation->left = iterations;
    return iterate(derivation, salt, salt_len, first_block, sizeof first_block);
}

enum ota_err ota__pbkdf2_run(struct ota__pbkdf2 *derivation, uint32_t max_iterations, bool *done)
{
    *done = false;
    if (derivation->crypto == NULL) {
        return OTA_ERR_STATE;
    }
    for (uint32_t i = 0; i < max_iterations && derivation->left > 0; i++) {
        enum ota_err err = iterate(derivation, derivation->last, OTA_SHA256_SIZE, NULL, 0);
        if (err != OTA_OK) {
            return err;
        }
    }
    *done = derivation->left == 0;
    return OTA_OK;
}

enum ota_err ota__pbkdf2_finish(struct ota__pbkdf2 *derivation, uint8_t key[OTA_SHA256_SIZE])
{
    if (derivation->crypto == NULL || derivation->left > 0) {
        return OTA_ERR_STATE;
    }
    memcpy(key, derivation->key, OTA_SHA256_SIZE);
    ota__pbkdf2_abort(derivation);
    return OTA_OK;
}

void ota__pbkdf2_abort(struct ota__pbkdf2 *derivation)
{
    if (derivation->crypto != NULL) {
        derivation->crypto->hash_abort(&derivation->inner);
        derivation->crypto->hash_abort(&derivation->outer);
    }
    ota__wipe(derivation, sizeof *derivation);
}
