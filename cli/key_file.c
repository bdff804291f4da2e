/* SPDX-License-Identifier: Apache-2.0 */
/* Reading keys with OpenSSL, and taking out of them what the library wants. */

#include "cli/key_file.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/decoder.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "cli/digest.h"
#include "cli/files.h"
#include "cli/key_object.h"
#include "cli/output.h"
#include "cli/password.h"
#include "cli/secure_block.h"

#define KEY_LIMIT 65536u
#define RAW_SIZE 64u
#define UNCOMPRESSED 0x04
#define WEAK_BITS_MIN 1024u

/* --- from OpenSSL's key to the library's ---------------------------------------------------- */

static const struct {
    enum ota_key_type type;
    const char *name; /* for people */
    const char *group;
    size_t point_len;
} curves[] = {
    {OTA_KEY_P192, "P-192", "prime192v1", OTA_P192_POINT_SIZE},
    {OTA_KEY_P256, "P-256", "prime256v1", OTA_P256_POINT_SIZE},
    {OTA_KEY_P384, "P-384", "secp384r1", OTA_P384_POINT_SIZE},
};
#define CURVES (sizeof(curves) / sizeof(curves[0]))

const char *key_file_type(const struct ota_public_key *key, char text[KEY_FILE_TYPE_SIZE])
{
    for (size_t i = 0; i < CURVES; i++) {
        if (key->type == curves[i].type) {
            return curves[i].name;
        }
    }
    BIGNUM *modulus = BN_bin2bn(key->bytes, (int)key->len, NULL);
    snprintf(text, KEY_FILE_TYPE_SIZE, "RSA-%d", BN_num_bits(modulus));
    BN_free(modulus);
    return text;
}

static int take_rsa(struct key_file *key)
{
    BIGNUM *modulus = NULL;
    BIGNUM *exponent = NULL;
    int status = 0;
    if (EVP_PKEY_get_bn_param(key->own, OSSL_PKEY_PARAM_RSA_N, &modulus) != 1 ||
        EVP_PKEY_get_bn_param(key->own, OSSL_PKEY_PARAM_RSA_E, &exponent) != 1) {
        status = fail("%s: its modulus cannot be read", key->name);
    } else if (BN_num_bytes(modulus) > (int)OTA_RSA_SIZE_MAX) {
        status = fail("%s: an RSA key of %d bits is longer than boards can check (%u at the most)",
                      key->name, BN_num_bits(modulus), OTA_RSA_BITS_MAX);
    } else if (BN_num_bits(exponent) > 32) {
        status = fail("%s: its exponent is larger than boards can check; make a key with the usual "
                      "one, 65537",
                      key->name);
    } else {
        key->public_key = (struct ota_public_key){.type = OTA_KEY_RSA,
                                                  .bytes = key->bytes,
                                                  .len = (size_t)BN_bn2bin(modulus, key->bytes),
                                                  .exponent = (uint32_t)BN_get_word(exponent)};
    }
    BN_free(modulus);
    BN_free(exponent);
    return status;
}

static int take_point(struct key_file *key)
{
    char group[64] = "";
    size_t len = 0;
    EVP_PKEY_get_group_name(key->own, group, sizeof(group), NULL);
    for (size_t i = 0; i < CURVES; i++) {
        if (strcmp(group, curves[i].group) != 0) {
            continue;
        }
        (void)EVP_PKEY_set_utf8_string_param(key->own, OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT,
                                             "uncompressed");
        if (EVP_PKEY_get_octet_string_param(key->own, OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY,
                                            key->bytes, sizeof(key->bytes), &len) != 1 ||
            len != curves[i].point_len) {
            return fail("%s: its point cannot be read", key->name);
        }
        key->public_key = (struct ota_public_key){
            .type = curves[i].type, .bytes = key->bytes, .len = curves[i].point_len};
        return 0;
    }
    char safe[160];
    return fail("%s: is on the curve %s, and only P-256 and P-384 (and P-192, to look at) are used "
                "for images",
                key->name, output_escape(group, safe, sizeof(safe)));
}

int key_file_adopt(struct key_file *key, const char *name, EVP_PKEY *own)
{
    *key = (struct key_file){
        .name = name, .own = own, .token = key->token, .is_private = key->is_private};
    int status;
    if (EVP_PKEY_is_a(own, "RSA")) {
        status = take_rsa(key);
    } else if (EVP_PKEY_is_a(own, "EC")) {
        status = take_point(key);
    } else {
        const char *type = EVP_PKEY_get0_type_name(own);
        status = fail("%s: is a key of type %s; images are signed with RSA or with ECDSA on P-256 "
                      "and P-384 (\"updraft key new\" makes one)",
                      name, type != NULL ? type : "unknown");
    }
    if (status != 0) {
        key_file_close(key);
        return status;
    }
    key->has_digest = secure_key_digest(&key->public_key, key->digest);
    return 0;
}

void key_file_close(struct key_file *key)
{
    EVP_PKEY_free(key->own);
    key->own = NULL;
    key_token_close(key->token);
    key->token = NULL;
}

/* --- reading -------------------------------------------------------------------------------- */

/* A key file that is being read. */
struct reading {
    const struct command_call *call;
    const char *name;
    const struct files_content *content;
    enum key_file_use use;
    bool is_locked; /* a password was wanted */
    int status;     /* of finding one */
    struct password password;
};

/* OpenSSL's way to ask for a password; it may do so several times. */
static int give_password(char *text, int size, int is_written, void *context)
{
    static const struct password_places places = {"key-password-file", NULL, KEY_FILE_PASSWORD_ENV};
    struct reading *reading = context;
    struct password *password = &reading->password;
    (void)is_written;
    if (!reading->is_locked) {
        reading->is_locked = true;
        reading->status = password_find(reading->call, &places, password);
        if (reading->status == COMMAND_GOOD && !password->is_known) {
            (void)password_ask(reading->name, password);
        }
    }
    size_t len = strlen(password->text);
    if (!password->is_known || len > (size_t)size) {
        return -1;
    }
    memcpy(text, password->text, len);
    return (int)len;
}

static int fail_locked(const struct reading *reading)
{
    static const char instead[] =
        "--key-password-file or " KEY_FILE_PASSWORD_ENV " in the environment gives it";
    const struct password *password = &reading->password;
    if (reading->status != COMMAND_GOOD) {
        return reading->status;
    }
    if (password->is_known) {
        return fail("%s: the password is wrong: the key cannot be decrypted with it",
                    reading->name);
    }
    return password->was_asked
               ? fail("%s: is encrypted, and no password was typed; %s", reading->name, instead)
               : fail("%s: is encrypted, and there is no terminal to ask for its password at; %s",
                      reading->name, instead);
}

/* Decodes PEM or DER. */
static EVP_PKEY *decode(struct reading *reading, int selection)
{
    const struct files_content *content = reading->content;
    EVP_PKEY *own = NULL;
    const unsigned char *data = content->data;
    size_t left = content->size;
    OSSL_DECODER_CTX *decoder =
        OSSL_DECODER_CTX_new_for_pkey(&own, NULL, NULL, NULL, selection, NULL, NULL);
    if (decoder == NULL) {
        return NULL;
    }
    (void)OSSL_DECODER_CTX_set_pem_password_cb(decoder, give_password, reading);
    if (OSSL_DECODER_from_data(decoder, &data, &left) != 1) {
        EVP_PKEY_free(own);
        own = NULL;
    }
    OSSL_DECODER_CTX_free(decoder);
    return own;
}

/* A public key of Secure Boot's first version: X and Y. Returns NULL if it is no point. */
static EVP_PKEY *decode_raw(const struct files_content *content)
{
    uint8_t point[1 + RAW_SIZE] = {UNCOMPRESSED};
    memcpy(point + 1, content->data, RAW_SIZE);
    return key_object_of_point("prime256v1", point, sizeof(point));
}

static int read_token(struct key_file *key, const char *uri, enum key_file_use use)
{
    EVP_PKEY *own = NULL;
    key->is_private = use == KEY_FILE_PRIVATE;
    key->token = key_token_open(uri, key->is_private, &own);
    return key->token != NULL ? key_file_adopt(key, uri, own) : 1;
}

static int read_content(struct key_file *key, struct reading *reading)
{
    const struct files_content *content = reading->content;
    const char *name = reading->name;
    const enum key_file_use use = reading->use;
    if (content->size == OTA_SHA256_SIZE && use == KEY_FILE_TRUST) {
        *key = (struct key_file){.name = name, .has_digest = true};
        memcpy(key->digest, content->data, OTA_SHA256_SIZE);
        return 0;
    }
    bool is_raw = content->size == RAW_SIZE;
    EVP_PKEY *own = is_raw ? decode_raw(content) : decode(reading, EVP_PKEY_KEYPAIR);
    key->is_private = !is_raw && own != NULL;
    if (own == NULL && reading->is_locked) {
        return fail_locked(reading);
    }
    if (own == NULL && !is_raw) {
        own = decode(reading, EVP_PKEY_PUBLIC_KEY);
    }
    if (own == NULL) {
        return fail("%s: holds no key that can be read: it takes PEM or DER, or the 64 bytes of a "
                    "Secure Boot v1 key",
                    name);
    }
    if (use == KEY_FILE_PRIVATE && !key->is_private) {
        EVP_PKEY_free(own);
        return fail("%s: is a public key, and signing takes the private one", name);
    }
    return key_file_adopt(key, name, own);
}

/* The 64 hexadecimal digits of a key's digest. */
static bool parse_digest(const char *word, uint8_t digest[OTA_SHA256_SIZE])
{
    if (strlen(word) != (size_t)2 * OTA_SHA256_SIZE) {
        return false;
    }
    for (size_t i = 0; i < OTA_SHA256_SIZE; i++) {
        const char pair[] = {word[2 * i], word[2 * i + 1], '\0'};
        if (!isxdigit((unsigned char)pair[0]) || !isxdigit((unsigned char)pair[1])) {
            return false;
        }
        digest[i] = (uint8_t)strtoul(pair, NULL, 16);
    }
    return true;
}

int key_file_read(struct key_file *key, const struct command_call *call, const char *path,
                  enum key_file_use use)
{
    *key = (struct key_file){.name = files_name(path)};
    if (key_token_is_uri(path)) {
        return read_token(key, path, use);
    }
    if (use == KEY_FILE_TRUST && parse_digest(path, key->digest)) {
        key->has_digest = true;
        return 0;
    }
    struct files_content content;
    if (files_read(path, KEY_LIMIT, &content) != 0) {
        return 1;
    }
    struct reading reading = {.call = call, .name = key->name, .content = &content, .use = use};
    int status = read_content(key, &reading);
    password_wipe(&reading.password);
    OPENSSL_cleanse(content.data, content.size);
    files_release(&content);
    ERR_clear_error();
    return status;
}

int key_file_keep(const char *path, const char *output)
{
    return files_is_input(output, path)
               ? fail("%s: is a key that is read, and is not overwritten; choose another name",
                      output)
               : 0;
}

/* --- judging and giving out ----------------------------------------------------------------- */

int key_file_strong(struct key_file *key, bool allowed)
{
    struct ota_public_key *own = &key->public_key;
    if (own->type == OTA_KEY_NONE || ota_public_key_check(own) == OTA_OK) {
        return 0;
    }
    if (allowed) {
        own->bits_min = WEAK_BITS_MIN;
        own->weak_exponent = true;
        if (ota_public_key_check(own) == OTA_OK) {
            return 0;
        }
        return fail("%s: is too weak even so: no board takes less than RSA of %u bits with an odd "
                    "exponent from 3 on",
                    key->name, WEAK_BITS_MIN);
    }
    char text[KEY_FILE_TYPE_SIZE];
    return fail("%s: is weak: %s with the exponent %lu, and boards demand %u bits and %u; make a "
                "new key, or say --weak if a board's policy allows it",
                key->name, key_file_type(own, text), (unsigned long)own->exponent, OTA_RSA_BITS_MIN,
                OTA_RSA_EXPONENT_MIN);
}

/* What was written into the memory, as a text of the caller's. */
static char *text_of(BIO *memory)
{
    char *data = NULL;
    long len = BIO_get_mem_data(memory, &data);
    return len > 0 ? output_format("%.*s", (int)len, data) : NULL;
}

char *key_file_public_pem(const struct key_file *key)
{
    BIO *memory = BIO_new(BIO_s_mem());
    char *pem = PEM_write_bio_PUBKEY(memory, key->own) == 1 ? text_of(memory) : NULL;
    BIO_free(memory);
    return pem;
}

char *key_file_private_pem(const struct key_file *key)
{
    BIO *memory = BIO_new(BIO_s_secmem());
    bool good = PEM_write_bio_PKCS8PrivateKey(memory, key->own, NULL, NULL, 0, NULL, NULL) == 1;
    char *pem = good ? text_of(memory) : NULL;
    BIO_free(memory);
    return pem;
}

bool key_file_fingerprint(const struct key_file *key, uint8_t digest[OTA_SHA256_SIZE])
{
    unsigned char *der = NULL;
    int len = i2d_PUBKEY(key->own, &der);
    bool good =
        len > 0 && digest_of(&ota_crypto_openssl, OTA_HASH_SHA256, der, (size_t)len, digest);
    OPENSSL_free(der);
    return good;
}

size_t key_file_scalar(const struct key_file *key, uint8_t scalar[OTA_SHA384_SIZE])
{
    BIGNUM *number = NULL;
    size_t len = (key->public_key.len - 1) / 2;
    if (key->public_key.type == OTA_KEY_RSA || !key->is_private ||
        EVP_PKEY_get_bn_param(key->own, OSSL_PKEY_PARAM_PRIV_KEY, &number) != 1) {
        ERR_clear_error();
        return 0;
    }
    bool good = BN_bn2binpad(number, scalar, (int)len) == (int)len;
    BN_clear_free(number);
    return good ? len : 0;
}
