/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Logins on the device's side of espota: who has to wait, the nonce that is out, and what follows
 * from an answer to it. docs/formats/espota.md section 5.
 *
 *     ask -> PAUSING -> offer -> OFFERED -> log_in -> VERIFYING -> ota__espota_start, or wrong
 *
 * L1 A nonce is random, is answered once, and is void after OTA_ESPOTA_LOGIN_TIMEOUT_MS or another
 *    invitation.
 * L2 Only the host that was invited to log in can, from whatever port.
 */

#include "proto/espota_private.h"

#include "base/bytes.h"
#include "base/mem.h"
#include "proto/espota_proof.h"
#include "proto/guess_pause.h"

#define WRONGS_FREE 1u /* wrong logins that cost nothing: hosts try a second form at once */

/* How much longer who has given wrong answers must wait for the next nonce. */
uint32_t ota__espota_pause_left(const struct ota_espota *espota)
{
    unsigned wrongs = espota->wrongs > WRONGS_FREE ? espota->wrongs - WRONGS_FREE : 0;

    return ota__guess_pause_left(wrongs, OTA_ESPOTA_PAUSE_MAX_MS,
                                 espota->now_ms - espota->wrong_ms);
}

/* Sends a new nonce. */
static void offer(struct ota_espota *espota)
{
    enum ota_err err = ota__espota_make_nonce(espota);

    if (err != OTA_OK) {
        ota__espota_refuse(espota, err);
        return;
    }
    espota->reply = OTA_ESPOTA_REPLY_NONCE;
    ota__espota_enter(espota, OTA_ESPOTA_OFFERED);
}

void ota__espota_ask(struct ota_espota *espota)
{
    if (ota__espota_pause_left(espota) > 0) {
        ota__espota_enter(espota, OTA_ESPOTA_PAUSING);
    } else {
        offer(espota);
    }
}

static void wrong_login(struct ota_espota *espota)
{
    espota->wrongs = (uint8_t)ota__min(espota->wrongs + 1u, OTA__GUESSES_MAX);
    espota->wrong_ms = espota->now_ms;
    espota->is_answered = true;
    espota->is_right = false;
    espota->reply = OTA_ESPOTA_REPLY_WRONG;
    ota__espota_forget(espota);
    ota__espota_enter(espota, OTA_ESPOTA_IDLE);
    ota__espota_note(espota, OTA_ESPOTA_ERROR_AUTH, OTA_ERR_AUTH);
}

static void right_login(struct ota_espota *espota, enum ota_espota_login login)
{
    espota->wrongs = 0;
    espota->is_answered = true;
    espota->is_right = true;
    espota->login = login;
    ota__espota_forget(espota);
    ota__espota_tell(espota, OTA_ESPOTA_LOGGED_IN);
    ota__espota_start(espota);
}

/* Judges an answer to the nonce that is out. */
static void judge(struct ota_espota *espota, size_t digits)
{
    enum ota_err err;
    bool is_right = false;

    if (digits != ESPOTA_MD5_DIGITS) {
        err = ota__espota_check_begin(espota);
        if (err == OTA_OK) {
            ota__espota_enter(espota, OTA_ESPOTA_VERIFYING);
            return;
        }
    } else {
        err = ota__espota_check_md5(espota, &is_right);
    }
    if (err != OTA_OK) {
        ota__espota_refuse(espota, err);
    } else if (is_right) {
        right_login(espota, OTA_ESPOTA_LOGIN_MD5);
    } else {
        wrong_login(espota);
    }
}

static void verify(struct ota_espota *espota)
{
    bool is_done = false;
    bool is_right = false;
    enum ota_err err = ota__espota_check_run(espota, &is_done, &is_right);

    if (err != OTA_OK) {
        ota__espota_refuse(espota, err);
    } else if (is_done && is_right) {
        right_login(espota, OTA_ESPOTA_LOGIN_SHA256);
    } else if (is_done) {
        wrong_login(espota);
    }
}

/* Tells whether an answer is the one that was judged last. */
static bool is_old_answer(const struct ota_espota *espota, const struct ota__espota_answer *answer)
{
    char digits[2 * OTA_SHA256_SIZE + 1] = "";
    uint8_t response[OTA_SHA256_SIZE] = {0};

    memcpy(digits, answer->response, answer->digits);
    return espota->is_answered && ota_text_read_hex(digits, response, answer->digits / 2) &&
           memcmp(response, espota->response, sizeof response) == 0;
}

/* The reply to it was lost. */
static void reply_again(struct ota_espota *espota, const struct ota_address *from)
{
    if (ota__espota_is_awaited(espota)) {
        ota__espota_reply_to(espota, from, OTA_ESPOTA_REPLY_OK);
    } else if (espota->state == OTA_ESPOTA_IDLE && !espota->is_right) {
        ota__espota_reply_to(espota, from, OTA_ESPOTA_REPLY_WRONG);
    } else if (espota->state == OTA_ESPOTA_IDLE && espota->failure.err != OTA_OK &&
               espota->error == OTA_ESPOTA_ERROR_BEGIN) {
        ota__espota_reply_to(espota, from, OTA_ESPOTA_REPLY_REFUSED);
    }
}

void ota__espota_log_in(struct ota_espota *espota, const struct ota_address *from,
                        const struct ota__espota_answer *answer)
{
    if (!ota_address_same_host(from, &espota->dial)) {
        return;
    }
    if (espota->state != OTA_ESPOTA_OFFERED) {
        if (is_old_answer(espota, answer)) {
            reply_again(espota, from);
        }
        return;
    }
    espota->from = *from;
    if (ota__espota_take_answer(espota, answer)) {
        judge(espota, answer->digits);
    } else {
        wrong_login(espota);
    }
}

void ota__espota_login_tick(struct ota_espota *espota)
{
    switch (espota->state) {
    case OTA_ESPOTA_PAUSING:
        if (ota__espota_pause_left(espota) == 0) {
            offer(espota);
        }
        break;
    case OTA_ESPOTA_OFFERED:
        if (ota_espota_wait_ms(espota) == 0) {
            ota__espota_forget(espota);
            ota__espota_enter(espota, OTA_ESPOTA_IDLE);
        }
        break;
    default:
        verify(espota);
        break;
    }
}
