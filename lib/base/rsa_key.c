/* SPDX-License-Identifier: Apache-2.0 */
/* Which RSA keys are strong enough. */
#include "base/public_key.h"

#define WEAKEST_EXPONENT 3u

uint32_t ota__rsa_key_bits(const struct ota_public_key *key)
{
    uint32_t bits = (uint32_t)key->len * 8;

    for (uint8_t top = key->bytes[0]; top < 0x80; top = (uint8_t)(top << 1)) {
        bits--;
    }
    return bits;
}

enum ota_err ota__rsa_key_check(const struct ota_public_key *key)
{
    uint32_t exponent_min = key->weak_exponent ? WEAKEST_EXPONENT : OTA_RSA_EXPONENT_MIN;
    uint32_t bits_min = key->bits_min != 0 ? key->bits_min : OTA_RSA_BITS_MIN;

    if (key->type != OTA_KEY_RSA || key->len == 0 || key->len > OTA_RSA_SIZE_MAX ||
        key->bytes[0] == 0) {
        return OTA_ERR_KEY;
    }
    bool is_odd = (key->bytes[key->len - 1] & key->exponent & 1) != 0;
    return is_odd && key->exponent >= exponent_min && ota__rsa_key_bits(key) >= bits_min
               ? OTA_OK
               : OTA_ERR_KEY;
}
