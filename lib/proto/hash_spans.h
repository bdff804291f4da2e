/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_PROTO_HASH_SPANS_H
#define UPDRAFT_PROTO_HASH_SPANS_H

/* The digest of several pieces one after the other, as logins are made of: what was hashed is
   forgotten for good. */

#include <stddef.h>
#include <stdint.h>

#include <updraft/crypto.h>

struct ota__span {
    const void *data;
    size_t len;
};

/* Writes the digest, of ota_digest_size(algorithm) bytes. Returns OTA_OK or OTA_ERR_CRYPTO. */
enum ota_err ota__hash_spans(const struct ota_crypto *crypto, enum ota_hash_algorithm algorithm,
                             const struct ota__span *spans, size_t count, uint8_t *digest);

#endif
