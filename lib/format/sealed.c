/* SPDX-License-Identifier: Apache-2.0 */
/* The digest of what a seal is over, as it lies on the flash. */
#include "format/sealed.h"

#include "base/bytes.h"

/* Goes on from the hash that has run already, where it is of the kind that is wanted. */
static enum ota_err begin(const struct ota_sealed *sealed, enum ota_hash_algorithm algorithm,
                          struct ota_hash *hash, uint32_t *offset)
{
    if (algorithm == OTA_HASH_SHA256 && sealed->hash != NULL) {
        *offset = sealed->length;
        return sealed->crypto->hash_clone(sealed->hash, hash);
    }
    *offset = 0;
    return sealed->crypto->hash_begin(hash, algorithm);
}

enum ota_err ota__sealed_digest(const struct ota_sealed *sealed, enum ota_hash_algorithm algorithm,
                                uint32_t end, uint8_t *digest)
{
    const struct ota_crypto *crypto = sealed->crypto;
    struct ota_hash hash;
    uint32_t offset;
    enum ota_err err = begin(sealed, algorithm, &hash, &offset);

    if (err != OTA_OK) {
        return err;
    }
    while (err == OTA_OK && offset < end) {
        uint32_t len = ota__min(end - offset, sealed->buffer_size);
        err = ota_region_read(sealed->region, offset, sealed->buffer, len);
        if (err == OTA_OK) {
            err = crypto->hash_update(&hash, sealed->buffer, len);
        }
        offset += len;
    }
    if (err != OTA_OK) {
        crypto->hash_abort(&hash);
        return err;
    }
    return crypto->hash_finish(&hash, digest);
}
