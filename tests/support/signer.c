/* SPDX-License-Identifier: Apache-2.0 */
#include "support/signer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

static struct signer *make(void)
{
    struct signer *signer = calloc(1, sizeof *signer);

    assert_non_null(signer);
    signer->key.bytes = signer->bytes;
    signer->salt = SIGNER_SALT_USUAL;
    return signer;
}

struct signer *signer_new_rsa(unsigned bits, unsigned exponent)
{
    struct signer *signer = make();
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    BIGNUM *e = BN_new();
    BIGNUM *n = NULL;
    EVP_PKEY *own = NULL;

    assert_non_null(context);
    assert_int_equal(BN_set_word(e, exponent), 1);
    assert_int_equal(EVP_PKEY_keygen_init(context), 1);
    assert_int_equal(EVP_PKEY_CTX_set_rsa_keygen_bits(context, (int)bits), 1);
    assert_int_equal(EVP_PKEY_CTX_set1_rsa_keygen_pubexp(context, e), 1);
    assert_int_equal(EVP_PKEY_generate(context, &own), 1);
    assert_int_equal(EVP_PKEY_get_bn_param(own, OSSL_PKEY_PARAM_RSA_N, &n), 1);
    signer->own = own;
    signer->key.type = OTA_KEY_RSA;
    signer->key.len = (size_t)BN_bn2bin(n, signer->bytes);
    signer->key.exponent = exponent;
    BN_free(n);
    BN_free(e);
    EVP_PKEY_CTX_free(context);
    return signer;
}

struct signer *signer_new_curve(const char *name)
{
    struct signer *signer = make();
    EVP_PKEY *own = EVP_EC_gen(name);

    assert_non_null(own);
    signer->own = own;
    signer->key.type = strcmp(name, "P-256") == 0 ? OTA_KEY_P256 : OTA_KEY_P384;
    assert_int_equal(EVP_PKEY_get_octet_string_param(own, OSSL_PKEY_PARAM_PUB_KEY, signer->bytes,
                                                     sizeof signer->bytes, &signer->key.len),
                     1);
    return signer;
}

void signer_free(struct signer *signer)
{
    if (signer != NULL) {
        EVP_PKEY_free(signer->own);
        free(signer);
    }
}

static void set_padding(const struct signer *signer, EVP_PKEY_CTX *context,
                        enum ota_signature_scheme scheme)
{
    bool is_pss = scheme == OTA_SIGNATURE_RSA_PSS;

    assert_int_equal(
        EVP_PKEY_CTX_set_rsa_padding(context, is_pss ? RSA_PKCS1_PSS_PADDING : RSA_PKCS1_PADDING),
        1);
    if (scheme != OTA_SIGNATURE_RSA_PKCS1_RAW) {
        assert_int_equal(EVP_PKEY_CTX_set_signature_md(context, EVP_sha256()), 1);
    }
    if (is_pss) {
        assert_int_equal(EVP_PKEY_CTX_set_rsa_pss_saltlen(context, signer->salt), 1);
    }
}

static size_t pair_of(const uint8_t *asn1, size_t len, int size, uint8_t *signature)
{
    const unsigned char *at = asn1;
    ECDSA_SIG *pair = d2i_ECDSA_SIG(NULL, &at, (long)len);

    assert_non_null(pair);
    assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_r(pair), signature, size), size);
    assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_s(pair), signature + size, size), size);
    ECDSA_SIG_free(pair);
    return 2 * (size_t)size;
}

size_t signer_sign(const struct signer *signer, enum ota_signature_scheme scheme,
                   const uint8_t *digest, uint8_t signature[OTA_RSA_SIZE_MAX])
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(signer->own, NULL);
    bool is_rsa = signer->key.type == OTA_KEY_RSA;
    size_t digest_len = scheme == OTA_SIGNATURE_ECDSA_P384 ? OTA_SHA384_SIZE : OTA_SHA256_SIZE;
    uint8_t made[OTA_RSA_SIZE_MAX];
    size_t len = sizeof made;

    assert_non_null(context);
    assert_int_equal(EVP_PKEY_sign_init(context), 1);
    if (is_rsa) {
        set_padding(signer, context, scheme);
    }
    assert_int_equal(EVP_PKEY_sign(context, made, &len, digest, digest_len), 1);
    EVP_PKEY_CTX_free(context);
    if (!is_rsa) {
        return pair_of(made, len, scheme == OTA_SIGNATURE_ECDSA_P384 ? 48 : 32, signature);
    }
    memcpy(signature, made, len);
    return len;
}

void signer_sign_block(const struct signer *signer, const uint8_t *block,
                       uint8_t signature[OTA_RSA_SIZE_MAX])
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(signer->own, NULL);
    size_t len = OTA_RSA_SIZE_MAX;

    assert_non_null(context);
    assert_int_equal(EVP_PKEY_sign_init(context), 1);
    assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(context, RSA_NO_PADDING), 1);
    assert_int_equal(EVP_PKEY_sign(context, signature, &len, block, signer->key.len), 1);
    assert_int_equal(len, signer->key.len);
    EVP_PKEY_CTX_free(context);
}

void signer_mask(uint8_t *data, size_t len, const uint8_t seed[OTA_SHA256_SIZE])
{
    uint8_t input[OTA_SHA256_SIZE + 4] = {0};
    uint8_t mask[OTA_SHA256_SIZE];

    memcpy(input, seed, OTA_SHA256_SIZE);
    for (size_t i = 0; i < len; i++) {
        if (i % OTA_SHA256_SIZE == 0) {
            input[OTA_SHA256_SIZE + 3] = (uint8_t)(i / OTA_SHA256_SIZE);
            assert_int_equal(EVP_Digest(input, sizeof input, mask, NULL, EVP_sha256(), NULL), 1);
        }
        data[i] ^= mask[i % OTA_SHA256_SIZE];
    }
}

void signer_digest(enum ota_signature_scheme scheme, const void *data, size_t len,
                   uint8_t digest[OTA_SHA384_SIZE])
{
    const EVP_MD *md = scheme == OTA_SIGNATURE_ECDSA_P384 ? EVP_sha384() : EVP_sha256();

    assert_int_equal(EVP_Digest(data, len, digest, NULL, md, NULL), 1);
}
