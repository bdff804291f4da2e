/* SPDX-License-Identifier: Apache-2.0 */
/* The device's side of espota's logins: nonces, and judging what comes back (docs/formats/espota.md
   section 5). */

#include "proto/espota_private.h"

#include "base/mem.h"
#include "base/secret.h"
#include "proto/espota_proof.h"

_Static_assert(sizeof(struct ota__espota_proof) <= OTA_ESPOTA_PROOF_SIZE, "OTA_ESPOTA_PROOF_SIZE");
_Static_assert(ESPOTA_CHALLENGE_SIZE <= OTA_ESPOTA_CHALLENGE_SIZE, "OTA_ESPOTA_CHALLENGE_SIZE");

static bool is_set(const char *text)
{
    return text != NULL && text[0] != '\0';
}

bool ota_espota_wants_password(const struct ota_espota_options *options)
{
    return is_set(options->password) || is_set(options->sha256_hash) || is_set(options->md5_hash);
}

bool ota__espota_allows_sha256(const struct ota_espota_options *options)
{
    return options->login != OTA_ESPOTA_LOGIN_MD5 && ota_espota_wants_password(options);
}

static bool knows_md5(const struct ota_espota_options *options)
{
    return is_set(options->password) || is_set(options->md5_hash);
}

static bool knows_sha256(const struct ota_espota_options *options)
{
    return is_set(options->password) || is_set(options->sha256_hash);
}

bool ota_espota_allows_md5(const struct ota_espota_options *options)
{
    return options->login != OTA_ESPOTA_LOGIN_SHA256 && knows_md5(options);
}

/* ---- Nonces ---------------------------------------------------------------------------------- */

size_t ota__espota_nonce_digits(const struct ota_espota *espota)
{
    return espota->is_short ? ESPOTA_MD5_DIGITS : ESPOTA_SHA256_DIGITS;
}

enum ota_err ota__espota_make_nonce(struct ota_espota *espota)
{
    const struct ota_espota_options *options = &espota->options;
    size_t size = ota__espota_nonce_digits(espota) / 2;
    uint8_t nonce[OTA_SHA256_SIZE];
    struct ota_text text;
    enum ota_err err = options->random(options->context, nonce, size);

    ota_text_window(&text, espota->challenge, 2 * size, 0);
    ota_text_put_hex(&text, nonce, size, 0, false);
    return err;
}

bool ota__espota_take_answer(struct ota_espota *espota, const struct ota__espota_answer *answer)
{
    char digits[ESPOTA_TEXT_SIZE] = "";
    char *cnonce = espota->challenge + ota__espota_nonce_digits(espota);
    bool is_allowed = answer->digits == ESPOTA_MD5_DIGITS
                          ? ota_espota_allows_md5(&espota->options)
                          : ota__espota_allows_sha256(&espota->options);

    *cnonce = ':';
    memcpy(cnonce + 1, answer->cnonce, answer->digits);
    memcpy(digits, answer->response, answer->digits);
    memset(espota->response, 0, sizeof espota->response);
    return ota_text_read_hex(digits, espota->response, answer->digits / 2) && is_allowed;
}

/* ---- Proofs ---------------------------------------------------------------------------------- */

static const struct ota_crypto *crypto_of(const struct ota_espota *espota)
{
    return espota->options.intake->options.device->crypto;
}

static struct ota__espota_proof *proof_of(struct ota_espota *espota)
{
    return (struct ota__espota_proof *)(void *)espota->proof.bytes;
}

/* Writes the digits of a hash of the password, made now or kept by the caller. */
static enum ota_err put_passhash(const struct ota_espota *espota, enum ota_hash_algorithm kept,
                                 char passhash[ESPOTA_TEXT_SIZE])
{
    const struct ota_espota_options *options = &espota->options;
    uint8_t digest[OTA_SHA256_SIZE];
    struct ota_text text;

    if (is_set(options->password)) {
        return ota__espota_hash(crypto_of(espota), kept, options->password,
                                strlen(options->password), passhash);
    }
    /* Written anew, because it counts in lower case. */
    const char *hash = kept == OTA_HASH_MD5 ? options->md5_hash : options->sha256_hash;
    (void)ota_text_read_hex(hash, digest, ota_digest_size(kept));
    ota_text_begin(&text, passhash, ESPOTA_TEXT_SIZE);
    ota_text_put_hex(&text, digest, ota_digest_size(kept), 0, false);
    (void)ota_text_end(&text);
    ota__wipe(digest, sizeof digest);
    return OTA_OK;
}

/* Begins what the host should have done, with a hash of the password and a challenge. */
static enum ota_err begin_proof(struct ota_espota *espota, enum ota_hash_algorithm form,
                                enum ota_hash_algorithm kept, const char *challenge, size_t len)
{
    char passhash[ESPOTA_TEXT_SIZE];
    enum ota_err err = put_passhash(espota, kept, passhash);

    if (err == OTA_OK) {
        err = ota__espota_proof_begin(proof_of(espota), crypto_of(espota), form, passhash,
                                      challenge, len);
    }
    ota__wipe(passhash, sizeof passhash);
    return err;
}

/* Compares with the host's response, of `size` bytes. */
static bool is_response(const struct ota_espota *espota, const char *digits, size_t size)
{
    uint8_t expected[OTA_SHA256_SIZE];

    return ota_text_read_hex(digits, expected, size) &&
           ota__same_secret(expected, espota->response, size);
}

/* With a challenge that lies in the object's. */
static enum ota_err check_md5(struct ota_espota *espota, const char *challenge, size_t len,
                              bool *is_right)
{
    char expected[ESPOTA_TEXT_SIZE];
    bool is_done;
    enum ota_err err = begin_proof(espota, OTA_HASH_MD5, OTA_HASH_MD5, challenge, len);

    if (err == OTA_OK) {
        err = ota__espota_proof_run(proof_of(espota), 0, &is_done, expected);
    }
    *is_right = err == OTA_OK && is_response(espota, expected, OTA_MD5_SIZE);
    return err;
}

enum ota_err ota__espota_check_md5(struct ota_espota *espota, bool *is_right)
{
    char *challenge = espota->challenge;
    size_t nonce_digits = ota__espota_nonce_digits(espota);
    enum ota_err err = check_md5(espota, challenge, nonce_digits + 1 + ESPOTA_MD5_DIGITS, is_right);

    if (err == OTA_OK && !*is_right && !espota->is_short) {
        /* Old hosts of the ESP32 have read 32 digits: ":" and cnonce follow those. */
        memmove(challenge + ESPOTA_MD5_DIGITS, challenge + nonce_digits, 1 + ESPOTA_MD5_DIGITS);
        err = check_md5(espota, challenge, 2 * ESPOTA_MD5_DIGITS + 1, is_right);
    }
    return err;
}

static enum ota_err begin_pbkdf2(struct ota_espota *espota, enum ota_hash_algorithm kept)
{
    espota->uses_md5_hash = kept == OTA_HASH_MD5;
    return begin_proof(espota, OTA_HASH_SHA256, kept, espota->challenge,
                       ota__espota_nonce_digits(espota) + 1 + ESPOTA_SHA256_DIGITS);
}

enum ota_err ota__espota_check_begin(struct ota_espota *espota)
{
    return begin_pbkdf2(espota, knows_sha256(&espota->options) ? OTA_HASH_SHA256 : OTA_HASH_MD5);
}

enum ota_err ota__espota_check_run(struct ota_espota *espota, bool *is_done, bool *is_right)
{
    char expected[ESPOTA_TEXT_SIZE];
    enum ota_err err = ota__espota_proof_run(proof_of(espota), OTA_ESPOTA_SLICE, is_done, expected);

    *is_right = false;
    if (err != OTA_OK || !*is_done) {
        return err;
    }
    *is_right = is_response(espota, expected, OTA_SHA256_SIZE);
    if (!*is_right && !espota->uses_md5_hash && knows_md5(&espota->options)) {
        /* A host that was told that this device keeps the MD5 proves that one. */
        *is_done = false;
        err = begin_pbkdf2(espota, OTA_HASH_MD5);
    }
    return err;
}

void ota__espota_forget(struct ota_espota *espota)
{
    ota__espota_proof_abort(proof_of(espota));
    ota__wipe(espota->challenge, sizeof espota->challenge);
}
