/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/signing.h"

#include <string.h>

#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/rsa.h>
#include <psa/crypto.h>

#include "cli/files.h"
#include "cli/output.h"

#define SIGNATURE_LIMIT 4096u

static const char *const names[SIGNING_SCHEMES] = {"arduino", "arduino-legacy", "secure-boot-v1",
                                                   "secure-boot-v2"};

enum signing_scheme signing_scheme_parse(const char *name)
{
    unsigned scheme = 0;
    while (scheme < SIGNING_SCHEMES && strcmp(name, names[scheme]) != 0) {
        scheme++;
    }
    return (enum signing_scheme)scheme;
}

const char *signing_scheme_name(enum signing_scheme scheme)
{
    return names[scheme];
}

const struct ota_verifier *signing_verifier(enum signing_scheme scheme,
                                            const struct ota_public_key *key)
{
    bool is_rsa = key->type == OTA_KEY_RSA;
    switch (scheme) {
    case SIGNING_ARDUINO:
        return is_rsa ? &ota_verify_rsa_pkcs1_openssl : NULL;
    case SIGNING_ARDUINO_LEGACY:
        return is_rsa ? &ota_verify_rsa_pkcs1_raw_openssl : NULL;
    case SIGNING_V1:
        return key->type == OTA_KEY_P256 ? &ota_verify_p256_openssl : NULL;
    case SIGNING_V2:
        return is_rsa && key->len == 384   ? &ota_verify_rsa_pss_openssl
               : key->type == OTA_KEY_P256 ? &ota_verify_p256_openssl
               : key->type == OTA_KEY_P384 ? &ota_verify_p384_openssl
                                           : NULL;
    case SIGNING_SCHEMES:
        break;
    }
    return NULL;
}

int signing_fail_key(enum signing_scheme scheme, const struct key_file *key)
{
    static const char *const wants[] = {
        [SIGNING_ARDUINO] = "RSA keys of 2048 to 4096 bits",
        [SIGNING_ARDUINO_LEGACY] = "RSA keys of 2048 to 4096 bits",
        [SIGNING_V1] = "keys on P-256",
        [SIGNING_V2] = "RSA keys of 3072 bits and keys on P-256 and P-384",
    };
    char text[KEY_FILE_TYPE_SIZE];
    return fail("%s: is a key of type %s, and %s takes %s", key->name,
                key_file_type(&key->public_key, text), names[scheme], wants[scheme]);
}

static int fail_signing(const struct key_file *key)
{
    const char *reason = ERR_reason_error_string(ERR_peek_last_error());
    return fail("%s: the signature could not be made (%s)", key->name,
                reason != NULL ? reason : "no reason given");
}

/* --- making --------------------------------------------------------------------------------- */

/* ASN.1 to r and s. */
static bool take_pair(const uint8_t *der, size_t der_len, const struct ota_public_key *key,
                      struct signing_signature *signature)
{
    int size = (int)(key->len - 1) / 2;
    const unsigned char *at = der;
    ECDSA_SIG *pair = d2i_ECDSA_SIG(NULL, &at, (long)der_len);
    bool good = pair != NULL && at == der + der_len &&
                BN_bn2binpad(ECDSA_SIG_get0_r(pair), signature->bytes, size) == size &&
                BN_bn2binpad(ECDSA_SIG_get0_s(pair), signature->bytes + size, size) == size;
    ECDSA_SIG_free(pair);
    signature->len = 2 * (size_t)size;
    return good;
}

static bool set_padding(EVP_PKEY_CTX *context, enum ota_signature_scheme scheme)
{
    bool pss = scheme == OTA_SIGNATURE_RSA_PSS;
    int padding = pss ? RSA_PKCS1_PSS_PADDING : RSA_PKCS1_PADDING;
    return EVP_PKEY_CTX_set_rsa_padding(context, padding) == 1 &&
           (scheme == OTA_SIGNATURE_RSA_PKCS1_RAW ||
            EVP_PKEY_CTX_set_signature_md(context, EVP_sha256()) == 1) &&
           (!pss || EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST) == 1);
}

/* By OpenSSL, whatever holds the key. */
static bool sign_anywhere(const struct ota_verifier *verifier, const struct key_file *key,
                          const uint8_t *digest, struct signing_signature *signature)
{
    bool is_rsa = key->public_key.type == OTA_KEY_RSA;
    uint8_t made[OTA_RSA_SIZE_MAX];
    size_t len = sizeof(made);
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(key->own, NULL);
    bool good = context != NULL && EVP_PKEY_sign_init(context) == 1 &&
                (!is_rsa || set_padding(context, verifier->scheme)) &&
                EVP_PKEY_sign(context, made, &len, digest, ota_digest_size(verifier->hash)) == 1;
    EVP_PKEY_CTX_free(context);
    if (good && !is_rsa) {
        return take_pair(made, len, &key->public_key, signature);
    }
    if (good) {
        memcpy(signature->bytes, made, len);
        signature->len = len;
    }
    return good;
}

/* ECDSA whose nonce comes from the key and the digest (RFC 6979), as espsecure has it for
   Secure Boot's first version: equal images give equal files. Mbed TLS can, OpenSSL of
   Debian 12 cannot. */
static bool sign_again_the_same(const struct ota_verifier *verifier, const uint8_t *scalar,
                                size_t len, const uint8_t *digest,
                                struct signing_signature *signature)
{
    psa_algorithm_t algorithm = PSA_ALG_DETERMINISTIC_ECDSA(
        verifier->hash == OTA_HASH_SHA384 ? PSA_ALG_SHA_384 : PSA_ALG_SHA_256);
    psa_key_attributes_t attributes = psa_key_attributes_init();
    psa_key_id_t id;
    psa_set_key_type(&attributes, PSA_KEY_TYPE_ECC_KEY_PAIR(PSA_ECC_FAMILY_SECP_R1));
    psa_set_key_usage_flags(&attributes, PSA_KEY_USAGE_SIGN_HASH);
    psa_set_key_algorithm(&attributes, algorithm);
    if (psa_crypto_init() != PSA_SUCCESS ||
        psa_import_key(&attributes, scalar, len, &id) != PSA_SUCCESS) {
        return false;
    }
    bool good =
        psa_sign_hash(id, algorithm, digest, ota_digest_size(verifier->hash), signature->bytes,
                      sizeof(signature->bytes), &signature->len) == PSA_SUCCESS;
    (void)psa_destroy_key(id);
    return good;
}

/* A signature with a fault in it could give the key away: it is checked before it is used. */
static bool is_right(const struct ota_verifier *verifier, const struct key_file *key,
                     const uint8_t *digest, const struct signing_signature *signature)
{
    return verifier->verify(&key->public_key, digest, signature->bytes, signature->len) == OTA_OK;
}

int signing_sign(const struct ota_verifier *verifier, const struct key_file *key,
                 const uint8_t *digest, struct signing_signature *signature)
{
    if (key->token != NULL) {
        int status =
            key_token_sign(key->token, verifier->scheme, digest, signature->bytes, &signature->len);
        return status != 0 || is_right(verifier, key, digest, signature) ? status
                                                                         : fail_signing(key);
    }
    uint8_t scalar[OTA_SHA384_SIZE];
    size_t len = key_file_scalar(key, scalar);
    bool good = len > 0 ? sign_again_the_same(verifier, scalar, len, digest, signature)
                        : sign_anywhere(verifier, key, digest, signature);
    OPENSSL_cleanse(scalar, sizeof(scalar));
    return good && is_right(verifier, key, digest, signature) ? 0 : fail_signing(key);
}

/* --- taking back ---------------------------------------------------------------------------- */

int signing_read(const char *path, const struct ota_public_key *key,
                 struct signing_signature *signature)
{
    struct files_content content;
    if (files_read(path, SIGNATURE_LIMIT, &content) != 0) {
        return 1;
    }
    bool is_rsa = key->type == OTA_KEY_RSA;
    size_t plain = is_rsa ? key->len : key->len - 1;
    bool good = content.size == plain;
    if (good) {
        memcpy(signature->bytes, content.data, content.size);
        signature->len = content.size;
    } else if (!is_rsa) {
        good = take_pair(content.data, content.size, key, signature);
    }
    files_release(&content);
    ERR_clear_error();
    char text[KEY_FILE_TYPE_SIZE];
    return good ? 0
                : fail("%s: is no signature by a key of type %s: that has %zu bytes%s",
                       files_name(path), key_file_type(key, text), plain,
                       is_rsa ? "" : ", or is ASN.1");
}
