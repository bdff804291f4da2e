/* SPDX-License-Identifier: Apache-2.0 */
/* Secure Boot version 1 as a seal: docs/formats/signatures.md sections 2 and 4. */
#include "format/sealed.h"

/* What may follow the trailer, up to the border of a page: docs/formats/image.md section 18. */
#define REST 12u

/* Where the trailer begins; beyond any region if there is no room for one. */
static uint32_t trailer_offset(const struct ota_sealed *sealed)
{
    return sealed->is_data ? sealed->length - OTA_SECURE_V1_SIZE : sealed->length;
}

/* The trailer by any of the keys. A key that cannot be used is the answer only if no other was
   asked. */
static enum ota_err ask_keys(const struct ota_seal_v1 *v1,
                             const uint8_t trailer[OTA_SECURE_V1_SIZE],
                             const uint8_t digest[OTA_SHA256_SIZE], uint8_t *key)
{
    enum ota_err result = OTA_ERR_KEY;

    for (*key = 0; *key < v1->key_count; ++*key) {
        enum ota_err err =
            ota_secure_boot_v1_verify(trailer, digest, &v1->keys[*key], v1->verifier);
        if (err == OTA_OK) {
            return err;
        }
        result = err != OTA_ERR_KEY ? err : result;
    }
    return result;
}

static enum ota_err ask(const struct ota_seal_v1 *v1, const struct ota_sealed *sealed, uint8_t *key)
{
    uint8_t trailer[OTA_SECURE_V1_SIZE];
    uint8_t digest[OTA_SHA256_SIZE];
    uint32_t at = trailer_offset(sealed);
    enum ota_err err = ota_region_read(sealed->region, at, trailer, sizeof trailer);

    if (err == OTA_ERR_BOUNDS) {
        return OTA_ERR_SIGNATURE_MISSING;
    }
    if (err == OTA_OK) {
        err = ota__sealed_digest(sealed, OTA_HASH_SHA256, at, digest);
    }
    return err == OTA_OK ? ask_keys(v1, trailer, digest, key) : err;
}

enum ota_err ota_seal_v1_check(const struct ota_seal *seal, const struct ota_sealed *sealed,
                               struct ota_signature_report *report)
{
    const struct ota_seal_v1 *v1 = (const struct ota_seal_v1 *)seal;

    report->err = ask(v1, sealed, &report->key);
    report->kind =
        report->err == OTA_ERR_SIGNATURE_MISSING ? OTA_SIGNED_NOT : OTA_SIGNED_SECURE_BOOT_V1;
    report->scheme = OTA_SIGNATURE_ECDSA_P256;
    report->end = trailer_offset(sealed) + OTA_SECURE_V1_SIZE + REST;
    return report->err;
}
