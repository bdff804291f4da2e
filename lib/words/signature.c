/* SPDX-License-Identifier: Apache-2.0 */
/* What signatures are called. */
#include <updraft/trust.h>

const char *ota_signature_scheme_name(enum ota_signature_scheme scheme)
{
    static const char *const names[] = {
        [OTA_SIGNATURE_NONE] = "of an unknown kind", [OTA_SIGNATURE_RSA_PKCS1] = "RSA",
        [OTA_SIGNATURE_RSA_PKCS1_RAW] = "RSA",       [OTA_SIGNATURE_RSA_PSS] = "RSA-3072",
        [OTA_SIGNATURE_ECDSA_P192] = "ECDSA P-192",  [OTA_SIGNATURE_ECDSA_P256] = "ECDSA P-256",
        [OTA_SIGNATURE_ECDSA_P384] = "ECDSA P-384",
    };
    unsigned count = sizeof names / sizeof names[0];

    return names[(unsigned)scheme < count ? scheme : OTA_SIGNATURE_NONE];
}

const char *ota_signature_kind_name(enum ota_signature_kind kind)
{
    static const char *const names[] = {"none", "Arduino", "secure boot v1", "secure boot v2"};
    unsigned count = sizeof names / sizeof names[0];

    return names[(unsigned)kind < count ? kind : OTA_SIGNED_NOT];
}
