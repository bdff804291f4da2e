/* SPDX-License-Identifier: Apache-2.0 */
/* ECDSA on BearSSL, by whichever of its codes a verifier names. */
#include "base/signature_bearssl.h"

#include "base/mem.h"
#include "base/public_key.h"

/* BearSSL tells no wrong point from a wrong signature: the point times one does. */
static bool is_on_curve(const struct ota__bearssl_curve *curve, const struct ota_public_key *key)
{
    static const unsigned char one = 1;
    unsigned char point[OTA_P384_POINT_SIZE];

    memcpy(point, key->bytes, key->len);
    return curve->points->mul(point, key->len, &one, sizeof one, curve->id) == 1;
}

enum ota_err ota__bearssl_ecdsa(const struct ota__bearssl_curve *curve,
                                const struct ota_public_key *key, const uint8_t *digest,
                                const uint8_t *signature, size_t len)
{
    const br_ec_public_key own = {
        .curve = curve->id, .q = ota__bearssl_bytes(key->bytes), .qlen = key->len};

    if (ota__point_check(key, curve->type, curve->point_len) != OTA_OK) {
        return OTA_ERR_KEY;
    }
    if (len + 1 == curve->point_len &&
        curve->verify(curve->points, digest, curve->digest_len, &own, signature, len) == 1) {
        return OTA_OK;
    }
    return is_on_curve(curve, key) ? OTA_ERR_SIGNATURE : OTA_ERR_KEY;
}
