/* SPDX-License-Identifier: Apache-2.0 */
/* The crypto seam on BearSSL: contexts are plain data, so a hash is cloned by copying it. */
#include <bearssl_hash.h>

#include <updraft/crypto.h>

#include "base/mem.h"

struct bearssl_hash {
    enum ota_hash_algorithm algorithm;
    union {
        br_sha256_context sha256;
        br_md5_context md5;
    } context;
};

_Static_assert(sizeof(struct bearssl_hash) <= OTA_HASH_CONTEXT_SIZE, "OTA_HASH_CONTEXT_SIZE");

static struct bearssl_hash *own(struct ota_hash *hash)
{
    return (struct bearssl_hash *)(void *)hash->context.bytes;
}

static enum ota_err hash_begin(struct ota_hash *hash, enum ota_hash_algorithm algorithm)
{
    struct bearssl_hash *self = own(hash);

    self->algorithm = algorithm;
    switch (algorithm) {
    case OTA_HASH_SHA256:
        br_sha256_init(&self->context.sha256);
        return OTA_OK;
    case OTA_HASH_MD5:
        br_md5_init(&self->context.md5);
        return OTA_OK;
    case OTA_HASH_NONE:
        break;
    }
    return OTA_ERR_CRYPTO;
}

static enum ota_err hash_update(struct ota_hash *hash, const void *data, size_t len)
{
    struct bearssl_hash *self = own(hash);

    if (self->algorithm == OTA_HASH_SHA256) {
        br_sha256_update(&self->context.sha256, data, len);
    } else {
        br_md5_update(&self->context.md5, data, len);
    }
    return OTA_OK;
}

static enum ota_err hash_clone(const struct ota_hash *hash, struct ota_hash *copy)
{
    memcpy(copy, hash, sizeof *copy);
    return OTA_OK;
}

static enum ota_err hash_finish(struct ota_hash *hash, uint8_t *digest)
{
    struct bearssl_hash *self = own(hash);

    if (self->algorithm == OTA_HASH_SHA256) {
        br_sha256_out(&self->context.sha256, digest);
    } else {
        br_md5_out(&self->context.md5, digest);
    }
    return OTA_OK;
}

static void hash_abort(struct ota_hash *hash)
{
    (void)hash; /* holds nothing */
}

const struct ota_crypto ota_crypto_bearssl = {
    .hash_begin = hash_begin,
    .hash_update = hash_update,
    .hash_clone = hash_clone,
    .hash_finish = hash_finish,
    .hash_abort = hash_abort,
};
