/* SPDX-License-Identifier: Apache-2.0 */
/* How an interrupted transfer is recognised when it is offered again. */
#include <updraft/journal.h>

#include "base/mem.h"

bool ota_identity_equal(const struct ota_identity *a, const struct ota_identity *b)
{
    return a->kind != OTA_IDENTITY_NONE && a->kind == b->kind && a->len == b->len &&
           memcmp(a->bytes, b->bytes, a->len) == 0;
}

struct ota_identity ota_identity_from_digest(const struct ota_digest *digest)
{
    struct ota_identity identity = {.kind = OTA_IDENTITY_NONE};

    if (digest->algorithm != OTA_HASH_NONE) {
        identity.kind =
            digest->algorithm == OTA_HASH_SHA256 ? OTA_IDENTITY_SHA256 : OTA_IDENTITY_MD5;
        identity.len = (uint8_t)ota_digest_size(digest->algorithm);
        memcpy(identity.bytes, digest->bytes, identity.len);
    }
    return identity;
}

struct ota_identity ota_identity_from_etag(const char *etag)
{
    struct ota_identity identity = {.kind = OTA_IDENTITY_NONE};
    size_t len = etag == NULL ? 0 : strlen(etag);

    /* A weak tag, W/"…", may stand for different bytes (RFC 9110 section 8.8.1). */
    if (len > 0 && len <= OTA_IDENTITY_MAX && etag[0] == '"') {
        identity.kind = OTA_IDENTITY_ETAG;
        identity.len = (uint8_t)len;
        memcpy(identity.bytes, etag, len);
    }
    return identity;
}
