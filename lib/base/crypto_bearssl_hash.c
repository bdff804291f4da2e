/* SPDX-License-Identifier: Apache-2.0 */
/* Contexts of BearSSL are plain data, so a hash is cloned by copying it. */
#include "base/crypto_bearssl.h"

#include "base/mem.h"

_Static_assert(sizeof(br_hash_compat_context) <= OTA_HASH_CONTEXT_SIZE, "OTA_HASH_CONTEXT_SIZE");

/* Each context begins with the pointer to its class. */
static const br_hash_class **own(struct ota_hash *hash)
{
    return (const br_hash_class **)(void *)hash->context.bytes;
}

enum ota_err ota__bearssl_begin(struct ota_hash *hash, const br_hash_class *hash_class)
{
    if (hash_class == NULL) {
        return OTA_ERR_CRYPTO;
    }
    hash_class->init(own(hash));
    return OTA_OK;
}

enum ota_err ota__bearssl_update(struct ota_hash *hash, const void *data, size_t len)
{
    (*own(hash))->update(own(hash), data, len);
    return OTA_OK;
}

enum ota_err ota__bearssl_clone(const struct ota_hash *hash, struct ota_hash *copy)
{
    memcpy(copy, hash, sizeof *copy);
    return OTA_OK;
}

enum ota_err ota__bearssl_finish(struct ota_hash *hash, uint8_t *digest)
{
    (*own(hash))->out(own(hash), digest);
    return OTA_OK;
}

void ota__bearssl_abort(struct ota_hash *hash)
{
    (void)hash; /* holds nothing */
}
