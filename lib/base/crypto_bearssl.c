/* SPDX-License-Identifier: Apache-2.0 */
/* The crypto seam on BearSSL: SHA-256 and MD5. */
#include "base/crypto_bearssl.h"

static enum ota_err hash_begin(struct ota_hash *hash, enum ota_hash_algorithm algorithm)
{
    return ota__bearssl_begin(hash, algorithm == OTA_HASH_SHA256 ? &br_sha256_vtable
                                    : algorithm == OTA_HASH_MD5  ? &br_md5_vtable
                                                                 : NULL);
}

const struct ota_crypto ota_crypto_bearssl = {
    .hash_begin = hash_begin,
    .hash_update = ota__bearssl_update,
    .hash_clone = ota__bearssl_clone,
    .hash_finish = ota__bearssl_finish,
    .hash_abort = ota__bearssl_abort,
};
