/* SPDX-License-Identifier: Apache-2.0 */
/* The crypto seam on the PSA Crypto API (Mbed TLS and every SDK that ships it). */
#include <psa/crypto.h>

#include <updraft/crypto.h>

#include "base/mem.h"

_Static_assert(sizeof(psa_hash_operation_t) <= OTA_HASH_CONTEXT_SIZE, "OTA_HASH_CONTEXT_SIZE");

static psa_hash_operation_t *own(struct ota_hash *hash)
{
    return (psa_hash_operation_t *)(void *)hash->context.bytes;
}

static enum ota_err result(psa_status_t status)
{
    return status == PSA_SUCCESS ? OTA_OK : OTA_ERR_CRYPTO;
}

static enum ota_err hash_begin(struct ota_hash *hash, enum ota_hash_algorithm algorithm)
{
    psa_hash_operation_t *operation = own(hash);

    *operation = psa_hash_operation_init();
    /* PSA asks for this before any other call and allows it any number of times. */
    if (psa_crypto_init() != PSA_SUCCESS) {
        return OTA_ERR_CRYPTO;
    }
    switch (algorithm) {
    case OTA_HASH_SHA256:
        return result(psa_hash_setup(operation, PSA_ALG_SHA_256));
    case OTA_HASH_MD5:
        return result(psa_hash_setup(operation, PSA_ALG_MD5));
    case OTA_HASH_SHA384:
        return result(psa_hash_setup(operation, PSA_ALG_SHA_384));
    case OTA_HASH_NONE:
        break;
    }
    return OTA_ERR_CRYPTO;
}

static enum ota_err hash_update(struct ota_hash *hash, const void *data, size_t len)
{
    return result(psa_hash_update(own(hash), data, len));
}

static enum ota_err hash_clone(const struct ota_hash *hash, struct ota_hash *copy)
{
    const psa_hash_operation_t *from =
        (const psa_hash_operation_t *)(const void *)hash->context.bytes;

    *own(copy) = psa_hash_operation_init();
    return result(psa_hash_clone(from, own(copy)));
}

static enum ota_err hash_finish(struct ota_hash *hash, uint8_t *digest)
{
    uint8_t bytes[OTA_SHA384_SIZE];
    size_t len = 0;
    enum ota_err err = result(psa_hash_finish(own(hash), bytes, sizeof bytes, &len));

    if (err != OTA_OK) {
        (void)psa_hash_abort(own(hash));
    }
    memcpy(digest, bytes, len);
    return err;
}

static void hash_abort(struct ota_hash *hash)
{
    (void)psa_hash_abort(own(hash));
}

const struct ota_crypto ota_crypto_psa = {
    .hash_begin = hash_begin,
    .hash_update = hash_update,
    .hash_clone = hash_clone,
    .hash_finish = hash_finish,
    .hash_abort = hash_abort,
};
