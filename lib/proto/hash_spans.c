/* SPDX-License-Identifier: Apache-2.0 */
/* The digest of several pieces. */

#include "proto/hash_spans.h"

#include "base/secret.h"

enum ota_err ota__hash_spans(const struct ota_crypto *crypto, enum ota_hash_algorithm algorithm,
                             const struct ota__span *spans, size_t count, uint8_t *digest)
{
    struct ota_hash hash;
    enum ota_err err = crypto->hash_begin(&hash, algorithm);

    if (err != OTA_OK) {
        return err;
    }
    for (size_t i = 0; i < count && err == OTA_OK; i++) {
        err = crypto->hash_update(&hash, spans[i].data, spans[i].len);
    }
    if (err == OTA_OK) {
        err = crypto->hash_finish(&hash, digest);
    } else {
        crypto->hash_abort(&hash);
    }
    ota__wipe(&hash, sizeof hash);
    return err;
}
