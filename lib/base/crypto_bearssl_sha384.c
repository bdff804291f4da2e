/* SPDX-License-Identifier: Apache-2.0 */
/* The crypto seam on BearSSL: SHA-256, MD5 and SHA-384. */
#include "base/crypto_bearssl.h"

static enum ota_err hash_begin(struct ota_hash *hash, enum ota_hash_algorithm algorithm)
{
    static const br_hash_class *const classes[] = {
        [OTA_HASH_NONE] = NULL,
        [OTA_HASH_SHA256] = &br_sha256_vtable,
        [OTA_HASH_MD5] = &br_md5_vtable,
        [OTA_HASH_SHA384] = &br_sha384_vtable,
    };

    return ota__bearssl_begin(hash, classes[algorithm]);
}

const struct ota_crypto ota_crypto_bearssl_sha384 = {
    .hash_begin = hash_begin,
    .hash_update = ota__bearssl_update,
    .hash_clone = ota__bearssl_clone,
    .hash_finish = ota__bearssl_finish,
    .hash_abort = ota__bearssl_abort,
};
