/* SPDX-License-Identifier: Apache-2.0 */
#include <updraft/crypto.h>

size_t ota_digest_size(enum ota_hash_algorithm algorithm)
{
    switch (algorithm) {
    case OTA_HASH_SHA256:
        return OTA_SHA256_SIZE;
    case OTA_HASH_MD5:
        return OTA_MD5_SIZE;
    case OTA_HASH_SHA384:
        return OTA_SHA384_SIZE;
    case OTA_HASH_NONE:
        break;
    }
    return 0;
}
