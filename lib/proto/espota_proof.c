/* SPDX-License-Identifier: Apache-2.0 */
/* Digests as text, chained as the Arduino update protocol does. */

#include "proto/espota_proof.h"

#include <updraft/text.h>

#include "base/mem.h"
#include "base/secret.h"
#include "proto/hash_spans.h"

static enum ota_err hash_spans(const struct ota_crypto *crypto, enum ota_hash_algorithm algorithm,
                               const struct ota__span *spans, size_t count,
                               char text[ESPOTA_TEXT_SIZE])
{
    uint8_t digest[OTA_SHA256_SIZE];
    struct ota_text out;
    enum ota_err err = ota__hash_spans(crypto, algorithm, spans, count, digest);

    if (err != OTA_OK) {
        return err;
    }
    ota_text_begin(&out, text, ESPOTA_TEXT_SIZE);
    ota_text_put_hex(&out, digest, ota_digest_size(algorithm), 0, false);
    ota_text_end(&out);
    ota__wipe(digest, sizeof digest);
    return OTA_OK;
}

enum ota_err ota__espota_hash(const struct ota_crypto *crypto, enum ota_hash_algorithm algorithm,
                              const void *data, size_t len, char text[ESPOTA_TEXT_SIZE])
{
    const struct ota__span span = {data, len};

    return hash_spans(crypto, algorithm, &span, 1, text);
}

enum ota_err ota__espota_proof_begin(struct ota__espota_proof *proof,
                                     const struct ota_crypto *crypto, enum ota_hash_algorithm form,
                                     const char *passhash, const char *challenge, size_t len)
{
    size_t passhash_len = strlen(passhash);

    memset(proof, 0, sizeof *proof);
    proof->crypto = crypto;
    proof->form = form;
    proof->challenge = challenge;
    proof->challenge_len = len;
    if (form == OTA_HASH_MD5) {
        memcpy(proof->work.passhash, passhash, passhash_len + 1);
        return OTA_OK;
    }
    return ota__pbkdf2_begin(&proof->work.derivation, crypto, passhash, passhash_len, challenge,
                             len, ESPOTA_ITERATIONS);
}

/* The last step of both forms. */
static enum ota_err finish(struct ota__espota_proof *proof, const char *secret, char *response)
{
    const struct ota__span spans[] = {
        {secret, strlen(secret)}, {":", 1}, {proof->challenge, proof->challenge_len}};

    return hash_spans(proof->crypto, proof->form, spans, sizeof spans / sizeof *spans, response);
}

static enum ota_err finish_derived(struct ota__espota_proof *proof, char *response)
{
    uint8_t key[OTA_SHA256_SIZE];
    char text[ESPOTA_TEXT_SIZE];
    struct ota_text out;
    enum ota_err err = ota__pbkdf2_finish(&proof->work.derivation, key);

    if (err == OTA_OK) {
        ota_text_begin(&out, text, sizeof text);
        ota_text_put_hex(&out, key, sizeof key, 0, false);
        err = finish(proof, ota_text_end(&out), response);
    }
    ota__wipe(key, sizeof key);
    ota__wipe(text, sizeof text);
    return err;
}

enum ota_err ota__espota_proof_run(struct ota__espota_proof *proof, uint32_t iterations, bool *done,
                                   char response[ESPOTA_TEXT_SIZE])
{
    enum ota_err err = OTA_OK;

    *done = proof->form == OTA_HASH_MD5;
    if (*done) {
        err = finish(proof, proof->work.passhash, response);
    } else {
        err = ota__pbkdf2_run(&proof->work.derivation, iterations, done);
        if (err == OTA_OK && *done) {
            err = finish_derived(proof, response);
        }
    }
    if (err != OTA_OK || *done) {
        ota__espota_proof_abort(proof);
    }
    return err;
}

void ota__espota_proof_abort(struct ota__espota_proof *proof)
{
    if (proof->form != OTA_HASH_MD5) {
        ota__pbkdf2_abort(&proof->work.derivation);
    }
    ota__wipe(proof, sizeof *proof);
}
