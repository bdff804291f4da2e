/* SPDX-License-Identifier: Apache-2.0 */
/* The sender's proof of the password: the strongest form that the device asks for, and for devices
   that keep their password as an MD5 a second try with that. docs/formats/espota.md section 5. */

#include "proto/espota_host_private.h"

#include <updraft/text.h>

#include "base/mem.h"
#include "base/secret.h"

#define ITERATIONS_A_TICK 1000u /* a millisecond or two where a host runs */

static struct ota__espota_proof *proof_of(struct ota_espota_host *host)
{
    return (struct ota__espota_proof *)(void *)host->proof.bytes;
}

void ota__espota_host_forget(struct ota_espota_host *host)
{
    ota__espota_proof_abort(proof_of(host));
    ota__wipe(host->response, sizeof host->response);
}

static bool is_at_work_on(const struct ota_espota_host *host, const char *nonce, size_t len)
{
    return host->state != OTA_ESPOTA_HOST_INVITING && len == host->digits &&
           memcmp(nonce, host->challenge, len) == 0;
}

static bool is_nonce(const char *nonce, size_t len)
{
    if (len != ESPOTA_MD5_DIGITS && len != ESPOTA_SHA256_DIGITS) {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        if (nonce[i] <= ' ' || nonce[i] > '~') {
            return false;
        }
    }
    return true;
}

static enum ota_espota_host_login login_for(const struct ota_espota_host *host, size_t digits)
{
    if (digits == ESPOTA_MD5_DIGITS) {
        return OTA_ESPOTA_HOST_LOGIN_MD5;
    }
    return host->try_md5_hash ? OTA_ESPOTA_HOST_LOGIN_PBKDF2_MD5 : OTA_ESPOTA_HOST_LOGIN_PBKDF2;
}

/* Notes the challenge, with a number of our own so that no device can have the answer to its
   question worked out beforehand for every password. */
static enum ota_err make_challenge(struct ota_espota_host *host, const char *nonce, size_t len)
{
    uint8_t own[OTA_SHA256_SIZE];
    struct ota_text text;
    enum ota_err err = host->options->random(host->options->context, own, len / 2);

    if (err != OTA_OK) {
        return err;
    }
    host->digits = (uint8_t)len;
    ota_text_begin(&text, host->challenge, sizeof host->challenge);
    ota_text_put_bytes(&text, nonce, len);
    ota_text_put(&text, ":");
    ota_text_put_hex(&text, own, len / 2, 0, false);
    ota_text_end(&text);
    return OTA_OK;
}

static enum ota_err begin_proof(struct ota_espota_host *host)
{
    const struct ota_espota_host_options *options = host->options;
    bool is_strong = host->login != OTA_ESPOTA_HOST_LOGIN_MD5;
    enum ota_hash_algorithm kept =
        host->login == OTA_ESPOTA_HOST_LOGIN_PBKDF2 ? OTA_HASH_SHA256 : OTA_HASH_MD5;
    char passhash[ESPOTA_TEXT_SIZE];
    enum ota_err err = ota__espota_hash(options->crypto, kept, options->password,
                                        strlen(options->password), passhash);

    if (err == OTA_OK) {
        err = ota__espota_proof_begin(proof_of(host), options->crypto,
                                      is_strong ? OTA_HASH_SHA256 : OTA_HASH_MD5, passhash,
                                      host->challenge, 2u * host->digits + 1u);
    }
    ota__wipe(passhash, sizeof passhash);
    return err;
}

enum ota_err ota__espota_host_challenged(struct ota_espota_host *host, const char *nonce,
                                         size_t len)
{
    if (is_at_work_on(host, nonce, len)) {
        return OTA_OK;
    }
    if (!is_nonce(nonce, len) || host->logins == OTA_ESPOTA_HOST_LOGINS) {
        return ota__espota_host_fail(host, OTA_ERR_PROTOCOL);
    }
    ota__espota_host_forget(host);
    host->logins++;
    host->tries = 0;
    host->login = login_for(host, len);
    ota__espota_host_tell(host, OTA_ESPOTA_HOST_CHALLENGED);
    if (host->options->password == NULL) {
        return ota__espota_host_fail(host, OTA_ERR_AUTH);
    }
    if (host->login == OTA_ESPOTA_HOST_LOGIN_MD5) {
        if (host->options->refuse_md5) {
            return ota__espota_host_fail(host, OTA_ERR_AUTH);
        }
        ota__espota_host_tell(host, OTA_ESPOTA_HOST_WEAK_AUTH);
    }
    enum ota_err err = make_challenge(host, nonce, len);
    if (err == OTA_OK) {
        err = begin_proof(host);
    }
    if (err != OTA_OK) {
        return ota__espota_host_fail(host, err);
    }
    ota__espota_host_enter(host, OTA_ESPOTA_HOST_COMPUTING);
    return OTA_OK;
}

enum ota_err ota__espota_host_compute(struct ota_espota_host *host)
{
    bool done = false;
    enum ota_err err =
        ota__espota_proof_run(proof_of(host), ITERATIONS_A_TICK, &done, host->response);

    if (err != OTA_OK) {
        return ota__espota_host_fail(host, err);
    }
    if (done) {
        ota__espota_host_enter(host, OTA_ESPOTA_HOST_PROVING);
    }
    return OTA_OK;
}

static void switch_to_md5_hash(struct ota_espota_host *host)
{
    host->try_md5_hash = true;
    ota__espota_host_tell(host, OTA_ESPOTA_HOST_MD5_HASH);
}

static enum ota_err invite_again(struct ota_espota_host *host)
{
    ota__espota_host_enter(host, OTA_ESPOTA_HOST_INVITING);
    host->tries = 0;
    return OTA_OK;
}

enum ota_err ota__espota_host_wrong(struct ota_espota_host *host)
{
    if (host->login != OTA_ESPOTA_HOST_LOGIN_PBKDF2) {
        return ota__espota_host_fail(host, OTA_ERR_AUTH);
    }
    switch_to_md5_hash(host);
    return invite_again(host);
}

/* Something was lost, a device has forgotten its question, or it does not say that the proof is
   wrong: the same once more, then the other. */
enum ota_err ota__espota_host_unanswered(struct ota_espota_host *host)
{
    if (host->logins == OTA_ESPOTA_HOST_LOGINS) {
        return ota__espota_host_fail(host, OTA_ERR_TIMEOUT);
    }
    if (host->login == OTA_ESPOTA_HOST_LOGIN_PBKDF2 && host->logins > 1) {
        switch_to_md5_hash(host);
    }
    return invite_again(host);
}
