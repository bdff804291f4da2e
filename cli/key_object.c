/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/key_object.h"

#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/param_build.h>

#define SALT_LEN OTA_SHA256_SIZE
#define OCTET_STRING 0x04

/* --- what a key tells ----------------------------------------------------------------------- */

/* Reads an attribute of at most `capacity` bytes. Returns its length, 0 if the object has none. */
static size_t read_attribute(CK_FUNCTION_LIST *module, CK_SESSION_HANDLE session,
                             CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type, void *data,
                             size_t capacity)
{
    CK_ATTRIBUTE attribute = {type, data, capacity};
    return module->C_GetAttributeValue(session, object, &attribute, 1) == CKR_OK &&
                   attribute.ulValueLen <= capacity
               ? attribute.ulValueLen
               : 0;
}

bool key_object_asks_again(CK_FUNCTION_LIST *module, CK_SESSION_HANDLE session,
                           CK_OBJECT_HANDLE object)
{
    CK_BBOOL asks = CK_FALSE;
    return read_attribute(module, session, object, CKA_ALWAYS_AUTHENTICATE, &asks, sizeof(asks)) ==
               sizeof(asks) &&
           asks == CK_TRUE;
}

/* --- its public half ------------------------------------------------------------------------ */

static EVP_PKEY *from_params(const char *type, OSSL_PARAM *params)
{
    EVP_PKEY *key = NULL;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    if (params == NULL || context == NULL || EVP_PKEY_fromdata_init(context) != 1 ||
        EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, params) != 1) {
        key = NULL;
    }
    EVP_PKEY_CTX_free(context);
    return key;
}

EVP_PKEY *key_object_of_point(const char *curve, const uint8_t *point, size_t len)
{
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    OSSL_PARAM *params = NULL;
    if (builder != NULL &&
        OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME, curve, 0) == 1 &&
        OSSL_PARAM_BLD_push_octet_string(builder, OSSL_PKEY_PARAM_PUB_KEY, point, len) == 1) {
        params = OSSL_PARAM_BLD_to_param(builder);
    }
    EVP_PKEY *key = from_params("EC", params);
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(builder);
    return key;
}

static EVP_PKEY *rsa_of(const uint8_t *modulus, size_t modulus_len, const uint8_t *exponent,
                        size_t exponent_len)
{
    BIGNUM *n = BN_bin2bn(modulus, (int)modulus_len, NULL);
    BIGNUM *e = BN_bin2bn(exponent, (int)exponent_len, NULL);
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    OSSL_PARAM *params = NULL;
    if (n != NULL && e != NULL && builder != NULL &&
        OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, n) == 1 &&
        OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, e) == 1) {
        params = OSSL_PARAM_BLD_to_param(builder);
    }
    EVP_PKEY *key = from_params("RSA", params);
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(builder);
    BN_free(n);
    BN_free(e);
    return key;
}

/* The object identifiers of the curves, as CKA_EC_PARAMS has them. */
static const struct {
    const char *name;
    size_t point_len;
    size_t oid_len;
    uint8_t oid[10];
} curves[] = {
    {"prime192v1", OTA_P192_POINT_SIZE, 10, {6, 8, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 3, 1, 1}},
    {"prime256v1", OTA_P256_POINT_SIZE, 10, {6, 8, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 3, 1, 7}},
    {"secp384r1", OTA_P384_POINT_SIZE, 7, {6, 5, 0x2B, 0x81, 4, 0, 0x22}},
};

/* CKA_EC_POINT is an ASN.1 octet string round the point; some tokens leave that out. */
static EVP_PKEY *point_of(const uint8_t *oid, size_t oid_len, const uint8_t *point, size_t len)
{
    for (size_t i = 0; i < sizeof(curves) / sizeof(curves[0]); i++) {
        if (oid_len != curves[i].oid_len || memcmp(oid, curves[i].oid, oid_len) != 0) {
            continue;
        }
        size_t bare = curves[i].point_len;
        if (len == bare + 2 && point[0] == OCTET_STRING && point[1] == bare) {
            return key_object_of_point(curves[i].name, point + 2, bare);
        }
        return len == bare ? key_object_of_point(curves[i].name, point, len) : NULL;
    }
    return NULL;
}

EVP_PKEY *key_object_public(CK_FUNCTION_LIST *module, CK_SESSION_HANDLE session,
                            CK_OBJECT_HANDLE object)
{
    uint8_t first[1024];
    uint8_t second[256];
    CK_KEY_TYPE type = CKK_RSA;
    if (read_attribute(module, session, object, CKA_KEY_TYPE, &type, sizeof(type)) !=
        sizeof(type)) {
        return NULL;
    }
    bool is_rsa = type == CKK_RSA;
    size_t first_len = read_attribute(module, session, object, is_rsa ? CKA_MODULUS : CKA_EC_PARAMS,
                                      first, sizeof(first));
    size_t second_len =
        read_attribute(module, session, object, is_rsa ? CKA_PUBLIC_EXPONENT : CKA_EC_POINT, second,
                       sizeof(second));
    if (first_len == 0 || second_len == 0) {
        return NULL;
    }
    return is_rsa           ? rsa_of(first, first_len, second, second_len)
           : type == CKK_EC ? point_of(first, first_len, second, second_len)
                            : NULL;
}

/* --- what is signed ------------------------------------------------------------------------- */

/* RFC 8017 section 9.2: what stands in front of a SHA-256. */
static const uint8_t digest_info[] = {0x30, 0x31, 0x30, 0x0D, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01,
                                      0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20};

void key_object_work(enum ota_signature_scheme scheme, const uint8_t *digest,
                     struct key_object_work *work)
{
    size_t prefix = scheme == OTA_SIGNATURE_RSA_PKCS1 ? sizeof(digest_info) : 0;
    size_t len = scheme == OTA_SIGNATURE_ECDSA_P384 ? OTA_SHA384_SIZE : OTA_SHA256_SIZE;
    memset(work, 0, sizeof(*work));
    work->mechanism.mechanism = CKM_ECDSA;
    work->len = prefix + len;
    memcpy(work->data, digest_info, prefix);
    memcpy(work->data + prefix, digest, len);
    if (scheme == OTA_SIGNATURE_RSA_PSS) {
        work->pss = (CK_RSA_PKCS_PSS_PARAMS){CKM_SHA256, CKG_MGF1_SHA256, SALT_LEN};
        work->mechanism = (CK_MECHANISM){CKM_RSA_PKCS_PSS, &work->pss, (CK_ULONG)sizeof(work->pss)};
    } else if (scheme == OTA_SIGNATURE_RSA_PKCS1 || scheme == OTA_SIGNATURE_RSA_PKCS1_RAW) {
        work->mechanism.mechanism = CKM_RSA_PKCS;
    }
}
