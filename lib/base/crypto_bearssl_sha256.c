/* SPDX-License-Identifier: Apache-2.0 */
/* The crypto seam on BearSSL, SHA-256 alone and called by its name: as small as it gets. */
#include <bearssl_hash.h>

#include <updraft/crypto.h>

#include "base/mem.h"

static br_sha256_context *own(struct ota_hash *hash)
{
    return (br_sha256_context *)(void *)hash->context.bytes;
}

static enum ota_err hash_begin(struct ota_hash *hash, enum ota_hash_algorithm algorithm)
{
    if (algorithm != OTA_HASH_SHA256) {
        return OTA_ERR_CRYPTO;
    }
    br_sha256_init(own(hash));
    return OTA_OK;
}

static enum ota_err hash_update(struct ota_hash *hash, const void *data, size_t len)
{
    br_sha256_update(own(hash), data, len);
    return OTA_OK;
}

static enum ota_err hash_clone(const struct ota_hash *hash, struct ota_hash *copy)
{
    memcpy(copy, hash, sizeof *copy);
    return OTA_OK;
}

static enum ota_err hash_finish(struct ota_hash *hash, uint8_t *digest)
{
    br_sha256_out(own(hash), digest);
    return OTA_OK;
}

static void hash_abort(struct ota_hash *hash)
{
    (void)hash; /* holds nothing */
}

const struct ota_crypto ota_crypto_bearssl_sha256 = {
    .hash_begin = hash_begin,
    .hash_update = hash_update,
    .hash_clone = hash_clone,
    .hash_finish = hash_finish,
    .hash_abort = hash_abort,
};
