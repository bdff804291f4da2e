/* SPDX-License-Identifier: Apache-2.0 */
/* Secure Boot version 2 as a seal: docs/formats/signatures.md sections 3 and 4. */
#include "format/sealed.h"

#include "base/bytes.h"

/* Where the sector with the blocks begins; beyond any region if there is no room for one. */
static uint32_t sector_offset(const struct ota_sealed *sealed)
{
    if (sealed->is_data) {
        return ota__round_down(sealed->length, OTA_SECURE_SECTOR_SIZE) - OTA_SECURE_SECTOR_SIZE;
    }
    return ota_secure_sector_offset(sealed->length);
}

static enum ota_err verify(const struct ota_seal_v2 *v2, const struct ota_sealed *sealed,
                           const struct ota_secure_digests *digests, struct ota_secure_block *block)
{
    return ota_secure_boot_v2_verify(v2->trust, sealed->crypto, sealed->region,
                                     sector_offset(sealed), digests, sealed->buffer, block);
}

/* Once more with the other digest, where there is a block and someone who could check such a one. */
static enum ota_err verify_sha384(const struct ota_seal_v2 *v2, const struct ota_sealed *sealed,
                                  const uint8_t *sha256, struct ota_secure_block *block)
{
    uint8_t sha384[OTA_SHA384_SIZE];
    const struct ota_secure_digests digests = {.sha256 = sha256, .sha384 = sha384};
    enum ota_err err = ota__sealed_digest(sealed, OTA_HASH_SHA384, sector_offset(sealed), sha384);

    return err == OTA_OK ? verify(v2, sealed, &digests, block) : err;
}

static enum ota_err ask(const struct ota_seal_v2 *v2, const struct ota_sealed *sealed,
                        struct ota_secure_block *block)
{
    uint8_t sha256[OTA_SHA256_SIZE];
    const struct ota_secure_digests digests = {.sha256 = sha256};
    enum ota_err err;

    if (sealed->buffer_size < OTA_SECURE_BLOCK_SIZE) {
        return OTA_ERR_ARGUMENT;
    }
    if (sector_offset(sealed) > sealed->region->size) {
        return OTA_ERR_SIGNATURE_MISSING;
    }
    err = ota__sealed_digest(sealed, OTA_HASH_SHA256, sector_offset(sealed), sha256);
    if (err == OTA_OK) {
        err = verify(v2, sealed, &digests, block);
    }
    if (ota__is_bad_signature(err) &&
        ota_verifier_find(v2->trust->verifiers, OTA_SIGNATURE_ECDSA_P384) != NULL) {
        err = verify_sha384(v2, sealed, sha256, block);
    }
    return err;
}

enum ota_err ota_seal_v2_check(const struct ota_seal *seal, const struct ota_sealed *sealed,
                               struct ota_signature_report *report)
{
    const struct ota_seal_v2 *v2 = (const struct ota_seal_v2 *)seal;
    struct ota_secure_block block;

    report->err = ask(v2, sealed, &block);
    report->kind =
        report->err == OTA_ERR_SIGNATURE_MISSING ? OTA_SIGNED_NOT : OTA_SIGNED_SECURE_BOOT_V2;
    if (report->err == OTA_OK) {
        report->scheme = block.scheme;
        report->end = sector_offset(sealed) + OTA_SECURE_SECTOR_SIZE;
        report->key = (uint8_t)ota_secure_trust_find(v2->trust, block.key_digest);
    }
    return report->err;
}
