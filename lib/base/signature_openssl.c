/* SPDX-License-Identifier: Apache-2.0 */
/* Signatures on OpenSSL's libcrypto. */
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>

#include "base/mem.h"
#include "base/public_key.h"

struct form {
    enum ota_key_type type;
    const char *curve; /* NULL: RSA */
    size_t point_len;
    int padding;       /* RSA's */
    bool without_info; /* the padding is round the bare digest */
    const EVP_MD *(*digest)(void);
    size_t digest_len;
};

/* ---- The key --------------------------------------------------------------------------------- */

static EVP_PKEY *made_of(const char *name, OSSL_PARAM_BLD *builder)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, name, NULL);
    OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(builder);
    EVP_PKEY *made = NULL;

    if (context != NULL && params != NULL && EVP_PKEY_fromdata_init(context) == 1 &&
        EVP_PKEY_fromdata(context, &made, EVP_PKEY_PUBLIC_KEY, params) != 1) {
        made = NULL;
    }
    OSSL_PARAM_free(params);
    EVP_PKEY_CTX_free(context);
    return made;
}

static EVP_PKEY *rsa_key(const struct ota_public_key *key, OSSL_PARAM_BLD *builder)
{
    BIGNUM *modulus = BN_bin2bn(key->bytes, (int)key->len, NULL);
    EVP_PKEY *made = NULL;

    if (modulus != NULL && OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, modulus) == 1 &&
        OSSL_PARAM_BLD_push_uint32(builder, OSSL_PKEY_PARAM_RSA_E, key->exponent) == 1) {
        made = made_of("RSA", builder);
    }
    BN_free(modulus);
    return made;
}

static EVP_PKEY *curve_key(const struct form *form, const struct ota_public_key *key,
                           OSSL_PARAM_BLD *builder)
{
    bool good =
        OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME, form->curve, 0) == 1 &&
        OSSL_PARAM_BLD_push_octet_string(builder, OSSL_PKEY_PARAM_PUB_KEY, key->bytes, key->len) ==
            1;

    return good ? made_of("EC", builder) : NULL;
}

/* OpenSSL refuses a point that is not on its curve. */
static EVP_PKEY *own_key(const struct form *form, const struct ota_public_key *key)
{
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    EVP_PKEY *own = NULL;

    if (builder != NULL) {
        own = form->curve == NULL ? rsa_key(key, builder) : curve_key(form, key, builder);
    }
    OSSL_PARAM_BLD_free(builder);
    return own;
}

/* ---- The signature --------------------------------------------------------------------------- */

/* Sets up how an RSA signature is padded. */
static bool set_padding(const struct form *form, EVP_PKEY_CTX *context)
{
    if (EVP_PKEY_CTX_set_rsa_padding(context, form->padding) != 1 ||
        (!form->without_info && EVP_PKEY_CTX_set_signature_md(context, form->digest()) != 1)) {
        return false;
    }
    return form->padding != RSA_PKCS1_PSS_PADDING ||
           EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST) == 1;
}

/* OpenSSL takes a curve's signature as ASN.1 only. Returns its length; 0 if there is no memory. */
static int asn1_of(const uint8_t *signature, size_t len, unsigned char **asn1)
{
    ECDSA_SIG *pair = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn(signature, (int)(len / 2), NULL);
    BIGNUM *s = BN_bin2bn(signature + len / 2, (int)(len / 2), NULL);
    int asn1_len = 0;

    if (pair != NULL && ECDSA_SIG_set0(pair, r, s) == 1) {
        asn1_len = i2d_ECDSA_SIG(pair, asn1);
    } else {
        BN_free(r);
        BN_free(s);
    }
    ECDSA_SIG_free(pair);
    return asn1_len > 0 ? asn1_len : 0;
}

static enum ota_err check(const struct form *form, EVP_PKEY_CTX *context, const uint8_t *digest,
                          const uint8_t *signature, size_t len)
{
    unsigned char *asn1 = NULL;
    int asn1_len = 0;

    if (EVP_PKEY_verify_init(context) != 1) {
        return OTA_ERR_CRYPTO;
    }
    if (form->curve == NULL) {
        if (!set_padding(form, context)) {
            return OTA_ERR_CRYPTO;
        }
    } else {
        asn1_len = asn1_of(signature, len, &asn1);
        if (asn1_len == 0) {
            return OTA_ERR_CRYPTO;
        }
    }
    int good = asn1 != NULL
                   ? EVP_PKEY_verify(context, asn1, (size_t)asn1_len, digest, form->digest_len)
                   : EVP_PKEY_verify(context, signature, len, digest, form->digest_len);
    OPENSSL_free(asn1);
    return good == 1 ? OTA_OK : OTA_ERR_SIGNATURE;
}

static enum ota_err verify(const struct form *form, const struct ota_public_key *key,
                           const uint8_t *digest, const uint8_t *signature, size_t len)
{
    bool is_rsa = form->curve == NULL;
    enum ota_err err =
        is_rsa ? ota__rsa_key_check(key) : ota__point_check(key, form->type, form->point_len);

    if (err != OTA_OK) {
        return err;
    }
    EVP_PKEY *own = own_key(form, key);
    EVP_PKEY_CTX *context = own != NULL ? EVP_PKEY_CTX_new(own, NULL) : NULL;
    if (own == NULL) {
        err = OTA_ERR_KEY;
    } else if (len != (is_rsa ? key->len : form->point_len - 1)) {
        err = OTA_ERR_SIGNATURE;
    } else {
        err = context != NULL ? check(form, context, digest, signature, len) : OTA_ERR_CRYPTO;
    }
    EVP_PKEY_CTX_free(context);
    EVP_PKEY_free(own);
    ERR_clear_error();
    return err;
}

/* ---- The objects ----------------------------------------------------------------------------- */

#define VERIFIER(object, scheme_name, hash_name, ...)                                            \
    static enum ota_err object##_verify(const struct ota_public_key *key, const uint8_t *digest, \
                                        const uint8_t *signature, size_t len)                    \
    {                                                                                            \
        static const struct form form = {__VA_ARGS__};                                           \
                                                                                                 \
        return verify(&form, key, digest, signature, len);                                       \
    }                                                                                            \
    const struct ota_verifier object = {                                                         \
        .scheme = scheme_name, .hash = hash_name, .verify = object##_verify}

VERIFIER(ota_verify_rsa_pkcs1_openssl, OTA_SIGNATURE_RSA_PKCS1, OTA_HASH_SHA256,
         .type = OTA_KEY_RSA, .padding = RSA_PKCS1_PADDING, .digest = EVP_sha256,
         .digest_len = OTA_SHA256_SIZE);

VERIFIER(ota_verify_rsa_pkcs1_raw_openssl, OTA_SIGNATURE_RSA_PKCS1_RAW, OTA_HASH_SHA256,
         .type = OTA_KEY_RSA, .padding = RSA_PKCS1_PADDING, .without_info = true,
         .digest_len = OTA_SHA256_SIZE);

VERIFIER(ota_verify_rsa_pss_openssl, OTA_SIGNATURE_RSA_PSS, OTA_HASH_SHA256, .type = OTA_KEY_RSA,
         .padding = RSA_PKCS1_PSS_PADDING, .digest = EVP_sha256, .digest_len = OTA_SHA256_SIZE);

VERIFIER(ota_verify_p256_openssl, OTA_SIGNATURE_ECDSA_P256, OTA_HASH_SHA256, .type = OTA_KEY_P256,
         .curve = "P-256", .point_len = OTA_P256_POINT_SIZE, .digest_len = OTA_SHA256_SIZE);

VERIFIER(ota_verify_p384_openssl, OTA_SIGNATURE_ECDSA_P384, OTA_HASH_SHA384, .type = OTA_KEY_P384,
         .curve = "P-384", .point_len = OTA_P384_POINT_SIZE, .digest_len = OTA_SHA384_SIZE);
