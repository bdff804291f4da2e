/* SPDX-License-Identifier: Apache-2.0 */
/* Secure Boot's first signature: docs/formats/signatures.md section 2. */
#include <updraft/secure_boot.h>

#include "base/bytes.h"

#define VERSION 0u
#define SIGNATURE_AT 4u

enum ota_err ota_secure_boot_v1_verify(const uint8_t trailer[OTA_SECURE_V1_SIZE],
                                       const uint8_t digest[OTA_SHA256_SIZE],
                                       const struct ota_public_key *key,
                                       const struct ota_verifier *verifier)
{
    if (ota__get_le32(trailer) != VERSION) {
        return OTA_ERR_SIGNATURE_MISSING;
    }
    return verifier->verify(key, digest, trailer + SIGNATURE_AT, OTA_SECURE_V1_SIZE - SIGNATURE_AT);
}
