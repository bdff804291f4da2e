/* SPDX-License-Identifier: Apache-2.0 */
/* Arduino's signed binary: docs/formats/signatures.md section 1. */
#include <updraft/arduino_signature.h>

#include "base/bytes.h"

#define LENGTH_OF_PICO 256u

size_t ota_arduino_tail_size(const struct ota_public_key *key)
{
    return key->len + OTA_ARDUINO_LENGTH_SIZE;
}

enum ota_err ota_arduino_signature_find(struct ota_arduino_signature *found,
                                        const struct ota_public_key *key, const uint8_t *tail,
                                        size_t tail_len, uint32_t total)
{
    size_t trailer_len = ota_arduino_tail_size(key);

    if (key->type != OTA_KEY_RSA || key->len > OTA_RSA_SIZE_MAX) {
        return OTA_ERR_KEY;
    }
    if (tail_len > total || (tail_len < trailer_len && tail_len != total)) {
        return OTA_ERR_ARGUMENT;
    }
    /* A signature without data is none. */
    if (total <= trailer_len) {
        return OTA_ERR_SIGNATURE_MISSING;
    }
    uint32_t stated = ota__get_le32(tail + tail_len - OTA_ARDUINO_LENGTH_SIZE);
    if (stated != key->len && stated != LENGTH_OF_PICO) {
        return OTA_ERR_SIGNATURE_MISSING;
    }
    found->trailer_len = (uint32_t)trailer_len;
    found->data_len = total - found->trailer_len;
    found->bytes = tail + tail_len - trailer_len;
    found->len = key->len;
    return OTA_OK;
}

enum ota_err ota_arduino_signature_verify(const struct ota_arduino_signature *found,
                                          const struct ota_public_key *key,
                                          const struct ota_verifier *verifier,
                                          const uint8_t digest[OTA_SHA256_SIZE])
{
    return verifier->verify(key, digest, found->bytes, found->len);
}
