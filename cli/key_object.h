/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_CLI_KEY_OBJECT_H
#define UPDRAFT_CLI_KEY_OBJECT_H

/* A key as PKCS #11 has it: its public half for OpenSSL, and what it is asked to do for a signature. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/evp.h>
#include <p11-kit/pkcs11.h>

#include <updraft/signature.h>

/* Returns the public half of an RSA key or a point on one of our curves, the caller's; NULL if the
   object does not tell one. */
EVP_PKEY *key_object_public(CK_FUNCTION_LIST *module, CK_SESSION_HANDLE session,
                            CK_OBJECT_HANDLE object);

/* Tells whether the key wants its PIN at each signature. */
bool key_object_asks_again(CK_FUNCTION_LIST *module, CK_SESSION_HANDLE session,
                           CK_OBJECT_HANDLE object);

/* What C_SignInit and C_Sign are given for a scheme's signature of a digest. Points into itself. */
struct key_object_work {
    CK_MECHANISM mechanism;
    CK_RSA_PKCS_PSS_PARAMS pss;
    CK_BYTE data[19 + OTA_SHA384_SIZE];
    CK_ULONG len;
};
void key_object_work(enum ota_signature_scheme scheme, const uint8_t *digest,
                     struct key_object_work *work);

/* Makes OpenSSL's key of a point on a curve ("prime256v1"): 0x04, X, Y. NULL if it is none. */
EVP_PKEY *key_object_of_point(const char *curve, const uint8_t *point, size_t len);

#endif
