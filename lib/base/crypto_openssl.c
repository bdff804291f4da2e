/* SPDX-License-Identifier: Apache-2.0 */
/* The crypto seam on OpenSSL's libcrypto: for hosts, where it uses the processor's own
   instructions. */
#include <openssl/evp.h>

#include <updraft/crypto.h>

#include "base/mem.h"

/* The context is OpenSSL's own, on its heap: the caller's memory holds the pointer to it. */
static EVP_MD_CTX *own(const struct ota_hash *hash)
{
    EVP_MD_CTX *context;

    memcpy(&context, hash->context.bytes, sizeof context);
    return context;
}

static EVP_MD_CTX *renew(struct ota_hash *hash)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();

    memcpy(hash->context.bytes, &context, sizeof context);
    return context;
}

static void hash_abort(struct ota_hash *hash)
{
    EVP_MD_CTX *none = NULL;

    EVP_MD_CTX_free(own(hash));
    memcpy(hash->context.bytes, &none, sizeof none);
}

/* Ends the hash if it did not work. */
static enum ota_err result(struct ota_hash *hash, int good)
{
    if (good == 1) {
        return OTA_OK;
    }
    hash_abort(hash);
    return OTA_ERR_CRYPTO;
}

static const EVP_MD *digest_of(enum ota_hash_algorithm algorithm)
{
    switch (algorithm) {
    case OTA_HASH_SHA256:
        return EVP_sha256();
    case OTA_HASH_MD5:
        return EVP_md5();
    case OTA_HASH_SHA384:
        return EVP_sha384();
    case OTA_HASH_NONE:
        break;
    }
    return NULL;
}

static enum ota_err hash_begin(struct ota_hash *hash, enum ota_hash_algorithm algorithm)
{
    const EVP_MD *digest = digest_of(algorithm);

    if (digest == NULL || renew(hash) == NULL) {
        return OTA_ERR_CRYPTO;
    }
    return result(hash, EVP_DigestInit_ex(own(hash), digest, NULL));
}

static enum ota_err hash_update(struct ota_hash *hash, const void *data, size_t len)
{
    EVP_MD_CTX *context = own(hash);

    return context != NULL && EVP_DigestUpdate(context, data, len) == 1 ? OTA_OK : OTA_ERR_CRYPTO;
}

static enum ota_err hash_clone(const struct ota_hash *hash, struct ota_hash *copy)
{
    if (own(hash) == NULL || renew(copy) == NULL) {
        return OTA_ERR_CRYPTO;
    }
    return result(copy, EVP_MD_CTX_copy_ex(own(copy), own(hash)));
}

static enum ota_err hash_finish(struct ota_hash *hash, uint8_t *digest)
{
    EVP_MD_CTX *context = own(hash);
    int good = context != NULL && EVP_DigestFinal_ex(context, digest, NULL);

    hash_abort(hash);
    return good == 1 ? OTA_OK : OTA_ERR_CRYPTO;
}

const struct ota_crypto ota_crypto_openssl = {
    .hash_begin = hash_begin,
    .hash_update = hash_update,
    .hash_clone = hash_clone,
    .hash_finish = hash_finish,
    .hash_abort = hash_abort,
};
