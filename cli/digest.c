/* SPDX-License-Identifier: Apache-2.0 */
/* A hash begun is finished or aborted: a backend may hold something for it. */

#include "cli/digest.h"

bool digest_of(const struct ota_crypto *crypto, enum ota_hash_algorithm algorithm, const void *data,
               size_t len, uint8_t *digest)
{
    struct ota_hash hash;
    if (crypto->hash_begin(&hash, algorithm) != OTA_OK) {
        return false;
    }
    if (crypto->hash_update(&hash, data, len) != OTA_OK) {
        crypto->hash_abort(&hash);
        return false;
    }
    return crypto->hash_finish(&hash, digest) == OTA_OK;
}
