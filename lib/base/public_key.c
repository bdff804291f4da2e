/* SPDX-License-Identifier: Apache-2.0 */
#include "base/public_key.h"

enum ota_err ota_public_key_check(const struct ota_public_key *key)
{
    switch (key->type) {
    case OTA_KEY_RSA:
        return ota__rsa_key_check(key);
    case OTA_KEY_P192:
        return ota__point_check(key, OTA_KEY_P192, OTA_P192_POINT_SIZE);
    case OTA_KEY_P256:
        return ota__point_check(key, OTA_KEY_P256, OTA_P256_POINT_SIZE);
    case OTA_KEY_P384:
        return ota__point_check(key, OTA_KEY_P384, OTA_P384_POINT_SIZE);
    case OTA_KEY_NONE:
        break;
    }
    return OTA_ERR_KEY;
}
