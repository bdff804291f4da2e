/* SPDX-License-Identifier: Apache-2.0 */
/* Whether one of the blocks of Secure Boot version 2 is trusted: docs/formats/signatures.md section
   3.4. */
#include <updraft/secure_boot.h>

#include "base/bytes.h"
#include "base/mem.h"

int ota_secure_trust_find(const struct ota_secure_trust *trust,
                          const uint8_t key_digest[OTA_SHA256_SIZE])
{
    size_t len = trust->digest_len != 0 ? trust->digest_len : OTA_SHA256_SIZE;

    for (unsigned i = 0; i < trust->digest_count; i++) {
        if ((trust->revoked >> i & 1) == 0 && memcmp(trust->digests[i], key_digest, len) == 0) {
            return (int)i;
        }
    }
    return -1;
}

enum ota_err ota_secure_block_verify(const struct ota_secure_block *block,
                                     const struct ota_secure_trust *trust,
                                     const struct ota_secure_digests *digests)
{
    const struct ota_verifier *verifier = ota_verifier_find(trust->verifiers, block->scheme);
    const uint8_t *digest = block->hash == OTA_HASH_SHA256 ? digests->sha256 : digests->sha384;

    if (ota_secure_trust_find(trust, block->key_digest) < 0) {
        return OTA_ERR_SIGNATURE_KEY;
    }
    if (verifier == NULL || digest == NULL) {
        return OTA_ERR_KEY;
    }
    /* Not needed for trust, and a signer that states another digest is not to be followed. */
    if (memcmp(block->image_digest, digest, ota_digest_size(block->hash)) != 0) {
        return OTA_ERR_SIGNATURE;
    }
    return verifier->verify(&block->key, digest, block->signature, block->signature_len);
}

uint32_t ota_secure_sector_offset(uint32_t length)
{
    return ota__round_up(length, OTA_SECURE_SECTOR_SIZE);
}

enum ota_err ota_secure_boot_v2_verify(const struct ota_secure_trust *trust,
                                       const struct ota_crypto *crypto,
                                       const struct ota_region *region, uint32_t offset,
                                       const struct ota_secure_digests *digests,
                                       uint8_t memory[OTA_SECURE_BLOCK_SIZE],
                                       struct ota_secure_block *block)
{
    unsigned blocks = trust->blocks != 0 ? trust->blocks : OTA_SECURE_BLOCKS_MAX;
    enum ota_err first = OTA_ERR_SIGNATURE_MISSING;

    if (offset > region->size || region->size - offset < OTA_SECURE_SECTOR_SIZE) {
        return first;
    }
    for (unsigned i = 0; i < blocks; i++) {
        enum ota_err err = ota_region_read(region, offset + i * OTA_SECURE_BLOCK_SIZE, memory,
                                           OTA_SECURE_BLOCK_SIZE);
        if (err != OTA_OK) {
            return err;
        }
        err = ota_secure_block_decode(block, memory, crypto);
        if (err == OTA_OK) {
            err = ota_secure_block_verify(block, trust, digests);
        }
        if (err == OTA_OK) {
            return err;
        }
        if (first == OTA_ERR_SIGNATURE_MISSING) {
            first = err;
        }
    }
    return first;
}
