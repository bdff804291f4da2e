/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The device side of espota, from an invitation to a connection. States: updraft/espota.h; what follows
 * the connection: espota_transfer.c.
 *
 * E1 A nonce is random, is answered once, and is void after OTA_ESPOTA_LOGIN_TIMEOUT_MS or another
 *    invitation.
 * E2 What is begun after a login is what the invitation said that got the nonce, and the device connects
 *    to the host that sent both.
 * E3 The intake is ours from a begin that worked in `start` until RECEIVING is left.
 */

#include "proto/espota_private.h"

#include "base/mem.h"

#define MD5_DIGITS 32u
#define WRONGS_FREE 1u  /* wrong logins that cost nothing: hosts try a second form at once */
#define PAUSE_MS 500u   /* after the next; then doubled */
#define WRONGS_MAX 100u /* counted */

void ota__espota_tell(const struct ota_espota *espota, enum ota_espota_event event)
{
    if (espota->options.on_event != NULL) {
        espota->options.on_event(espota->options.context, espota, event);
    }
}

void ota__espota_enter(struct ota_espota *espota, enum ota_espota_state state)
{
    espota->state = state;
    espota->since_ms = espota->now_ms;
}

void ota__espota_note(struct ota_espota *espota, enum ota_espota_error error, enum ota_err err)
{
    espota->error = error;
    espota->failure = (struct ota_failure){err, espota->received};
    espota->reason = NULL;
    ota__espota_tell(espota, OTA_ESPOTA_ERROR);
}

void ota__espota_note_intake(struct ota_espota *espota, enum ota_espota_error error,
                             enum ota_err err)
{
    const struct ota_intake *intake = espota->options.intake;

    if (err == OTA_ERR_BUSY) { /* what it says there is of somebody else's update */
        ota__espota_note(espota, error, err);
        return;
    }
    espota->error = error;
    espota->failure = intake->failure;
    espota->reason = intake->answer.reason;
    if (err ==
        OTA_ERR_DIGEST) { /* kept: the intake may be somebody else's when the line goes out */
        memcpy(espota->response, intake->update.digest, sizeof espota->response);
    }
    ota__espota_tell(espota, OTA_ESPOTA_ERROR);
}

/* ---- Refusing, and letting in ----------------------------------------------------------------- */

/* Says no before anything has begun. */
static void refuse(struct ota_espota *espota, enum ota_err err)
{
    ota__espota_forget(espota);
    ota__espota_enter(espota, OTA_ESPOTA_IDLE);
    espota->reply = OTA_ESPOTA_REPLY_REFUSED;
    ota__espota_note(espota, OTA_ESPOTA_ERROR_BEGIN, err);
}

static enum ota_err begin_update(struct ota_espota *espota)
{
    const struct ota_espota_invitation *invitation = &espota->invitation;
    struct ota_arrival arrival = {
        .way = "espota",
        .is_data = invitation->is_data,
        .size = invitation->size,
        .expected.algorithm = OTA_HASH_MD5,
    };

    memcpy(arrival.expected.bytes, invitation->md5, OTA_MD5_SIZE);
    return ota_intake_begin(espota->options.intake, &arrival);
}

/* The invitation is good and, where that is asked for, the password too. */
static void start(struct ota_espota *espota)
{
    /* A host that cannot be called, or whose digest nothing can have. */
    if (espota->invitation.port == 0 || !espota->invitation.has_md5) {
        refuse(espota, OTA_ERR_PROTOCOL);
        return;
    }
    if (espota->invitation.size == 0) {
        refuse(espota, OTA_ERR_NO_DATA);
        return;
    }
    enum ota_err err = begin_update(espota);
    if (err != OTA_OK) {
        ota__espota_enter(espota, OTA_ESPOTA_IDLE);
        espota->reply = OTA_ESPOTA_REPLY_REFUSED;
        ota__espota_note_intake(espota, OTA_ESPOTA_ERROR_BEGIN, err);
        return;
    }
    espota->reply = OTA_ESPOTA_REPLY_OK;
    ota__espota_enter(espota, OTA_ESPOTA_CONNECTING);
    ota__espota_tell(espota, OTA_ESPOTA_START);
    ota__espota_tell(espota, OTA_ESPOTA_PROGRESS);
}

/* ---- Logins ----------------------------------------------------------------------------------- */

/* How much longer who has given wrong answers must wait for the next nonce. */
static uint32_t pause_left(const struct ota_espota *espota)
{
    uint32_t pause = espota->wrongs > WRONGS_FREE ? PAUSE_MS : 0;
    uint32_t passed = espota->now_ms - espota->wrong_ms;

    for (unsigned i = WRONGS_FREE + 1; i < espota->wrongs && pause < OTA_ESPOTA_PAUSE_MAX_MS; i++) {
        pause *= 2;
    }
    pause = pause < OTA_ESPOTA_PAUSE_MAX_MS ? pause : OTA_ESPOTA_PAUSE_MAX_MS;
    return passed < pause ? pause - passed : 0;
}

/* Sends a new nonce. */
static void offer(struct ota_espota *espota)
{
    enum ota_err err = ota__espota_make_nonce(espota);

    if (err != OTA_OK) {
        refuse(espota, err);
        return;
    }
    espota->reply = OTA_ESPOTA_REPLY_NONCE;
    ota__espota_enter(espota, OTA_ESPOTA_OFFERED);
}

static void offer_or_hold(struct ota_espota *espota)
{
    if (pause_left(espota) > 0) {
        ota__espota_enter(espota, OTA_ESPOTA_HOLDING);
    } else {
        offer(espota);
    }
}

static void wrong_login(struct ota_espota *espota)
{
    espota->wrongs = espota->wrongs < WRONGS_MAX ? espota->wrongs + 1 : espota->wrongs;
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
    start(espota);
}

/* Judges an answer to the nonce that is out. */
static void judge(struct ota_espota *espota, size_t digits)
{
    enum ota_err err;
    bool is_right = false;

    if (digits != MD5_DIGITS) {
        err = ota__espota_check_begin(espota);
        if (err == OTA_OK) {
            ota__espota_enter(espota, OTA_ESPOTA_VERIFYING);
            return;
        }
    } else {
        err = ota__espota_check_md5(espota, &is_right);
    }
    if (err != OTA_OK) {
        refuse(espota, err);
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
        refuse(espota, err);
    } else if (is_done && is_right) {
        right_login(espota, OTA_ESPOTA_LOGIN_SHA256);
    } else if (is_done) {
        wrong_login(espota);
    }
}

/* ---- Datagrams -------------------------------------------------------------------------------- */

static void reply_to(struct ota_espota *espota, const struct ota_address *from,
                     enum ota_espota_reply reply)
{
    espota->from = *from;
    espota->reply = reply;
}

/* Tells whether a connection was offered to them, and nothing has come of it yet: then an OK may have been
   lost. */
static bool is_waiting_for_them(const struct ota_espota *espota)
{
    return (espota->state == OTA_ESPOTA_CONNECTING || espota->state == OTA_ESPOTA_RECEIVING) &&
           espota->received == 0;
}

static bool is_same_invitation(const struct ota_espota_invitation *a,
                               const struct ota_espota_invitation *b)
{
    return a->size == b->size && a->port == b->port && a->is_data == b->is_data &&
           a->has_md5 == b->has_md5 && memcmp(a->md5, b->md5, OTA_MD5_SIZE) == 0;
}

static void take_invitation(struct ota_espota *espota, const struct ota_address *from,
                            const struct ota_espota_invitation *invitation)
{
    ota__espota_forget(espota);
    espota->invitation = *invitation;
    espota->from = *from;
    espota->dial = *from;
    espota->dial.port = invitation->port;
    espota->is_data = invitation->is_data;
    espota->size = invitation->size;
    espota->received = 0;
    espota->failure = (struct ota_failure){OTA_OK, 0};
    espota->reason = NULL;
    espota->login = OTA_ESPOTA_LOGIN_ANY;
    espota->is_answered = false;
    espota->reply = OTA_ESPOTA_REPLY_NONE;
    ota__espota_tell(espota, OTA_ESPOTA_INVITED);
    if (ota_espota_wants_password(&espota->options)) {
        offer_or_hold(espota);
    } else {
        start(espota);
    }
}

/* Tells whether a host asks again, from another socket, as soon as it has a nonce: then it could not read
   one of 64 digits (docs/formats/espota.md section 5.3). */
static bool is_quick_repeat(const struct ota_espota *espota, bool is_repeat)
{
    return is_repeat && espota->state == OTA_ESPOTA_OFFERED &&
           espota->now_ms - espota->since_ms < OTA_ESPOTA_QUICK_MS;
}

/* The same invitation from the same socket. A host that reads two nonces takes the second one for the answer to
   its login; one that has lost the first asks again later. */
static void offer_again(struct ota_espota *espota)
{
    if (espota->now_ms - espota->since_ms >= OTA_ESPOTA_DUPLICATE_MS) {
        espota->reply = OTA_ESPOTA_REPLY_NONCE;
    }
}

static void on_invitation(struct ota_espota *espota, const struct ota_address *from,
                          const struct ota_espota_invitation *invitation)
{
    bool is_repeat = ota_address_same_host(from, &espota->dial) &&
                     is_same_invitation(invitation, &espota->invitation);
    bool is_duplicate = is_repeat && from->port == espota->from.port;

    switch (espota->state) {
    case OTA_ESPOTA_HOLDING:
    case OTA_ESPOTA_VERIFYING:
        if (is_duplicate) {
            return;
        }
        break;
    case OTA_ESPOTA_OFFERED:
        if (is_duplicate) {
            offer_again(espota);
            return;
        }
        break;
    case OTA_ESPOTA_IDLE:
        break;
    default:
        if (is_repeat && is_waiting_for_them(espota) && !espota->is_answered) {
            reply_to(espota, from, OTA_ESPOTA_REPLY_OK);
        }
        return;
    }
    espota->is_short =
        ota_espota_allows_md5(&espota->options) &&
        (!ota__espota_allows_sha256(&espota->options) || is_quick_repeat(espota, is_repeat));
    take_invitation(espota, from, invitation);
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
    if (is_waiting_for_them(espota)) {
        reply_to(espota, from, OTA_ESPOTA_REPLY_OK);
    } else if (espota->state == OTA_ESPOTA_IDLE && !espota->is_right) {
        reply_to(espota, from, OTA_ESPOTA_REPLY_WRONG);
    } else if (espota->state == OTA_ESPOTA_IDLE && espota->failure.err != OTA_OK &&
               espota->error == OTA_ESPOTA_ERROR_BEGIN) {
        reply_to(espota, from, OTA_ESPOTA_REPLY_REFUSED);
    }
}

static void on_login(struct ota_espota *espota, const struct ota_address *from,
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

void ota_espota_datagram(struct ota_espota *espota, const struct ota_address *from,
                         const void *data, size_t len)
{
    struct ota_espota_invitation invitation;
    struct ota__espota_answer answer;

    switch (ota__espota_read(data, len, &invitation, &answer)) {
    case OTA__ESPOTA_INVITATION:
        on_invitation(espota, from, &invitation);
        break;
    case OTA__ESPOTA_LOGIN:
        on_login(espota, from, &answer);
        break;
    case OTA__ESPOTA_NOTHING:
        break;
    }
}

size_t ota_espota_reply(struct ota_espota *espota, struct ota_address *to, void *buffer,
                        size_t capacity)
{
    struct ota_text text;

    ota_text_window(&text, buffer, capacity, 0);
    ota__espota_put_reply(espota, &text);
    *to = espota->from;
    espota->reply = OTA_ESPOTA_REPLY_NONE;
    return ota_text_stored(&text);
}

/* ---- Time, begin and end ---------------------------------------------------------------------- */

void ota_espota_tick(struct ota_espota *espota, uint32_t now_ms)
{
    espota->now_ms = now_ms;
    switch (espota->state) {
    case OTA_ESPOTA_IDLE:
        break;
    case OTA_ESPOTA_HOLDING:
        if (pause_left(espota) == 0) {
            offer(espota);
        }
        break;
    case OTA_ESPOTA_OFFERED:
        if (ota_espota_wait_ms(espota) == 0) {
            ota__espota_forget(espota);
            ota__espota_enter(espota, OTA_ESPOTA_IDLE);
        }
        break;
    case OTA_ESPOTA_VERIFYING:
        verify(espota);
        break;
    default:
        ota__espota_transfer_tick(espota);
        break;
    }
}

uint32_t ota_espota_wait_ms(const struct ota_espota *espota)
{
    uint32_t passed = espota->now_ms - espota->since_ms;
    uint32_t limit;

    switch (espota->state) {
    case OTA_ESPOTA_IDLE:
        return UINT32_MAX;
    case OTA_ESPOTA_HOLDING:
        return pause_left(espota);
    case OTA_ESPOTA_OFFERED:
        limit = OTA_ESPOTA_LOGIN_TIMEOUT_MS;
        break;
    case OTA_ESPOTA_VERIFYING:
        return 0;
    default:
        limit = ota__espota_transfer_wait(espota);
        break;
    }
    return passed < limit ? limit - passed : 0;
}

static bool is_hash(const char *text, size_t size)
{
    uint8_t bytes[OTA_SHA256_SIZE];

    return text == NULL || text[0] == '\0' || ota_text_read_hex(text, bytes, size);
}

enum ota_err ota_espota_begin(struct ota_espota *espota, const struct ota_espota_options *options,
                              uint32_t now_ms)
{
    bool wants_password = ota_espota_wants_password(options);

    if (options->intake == NULL || !is_hash(options->sha256_hash, OTA_SHA256_SIZE) ||
        !is_hash(options->md5_hash, OTA_MD5_SIZE) ||
        (wants_password && (options->random == NULL || (!ota__espota_allows_sha256(options) &&
                                                        !ota_espota_allows_md5(options))))) {
        return OTA_ERR_ARGUMENT;
    }
    memset(espota, 0, sizeof *espota);
    espota->options = *options;
    if (options->profile == OTA_ESPOTA_BY_CHIP) {
        espota->options.profile = ota_espota_profile_of(options->intake->options.device);
    }
    espota->now_ms = now_ms;
    espota->since_ms = now_ms;
    return OTA_OK;
}

void ota_espota_stop(struct ota_espota *espota)
{
    if (espota->state == OTA_ESPOTA_CONNECTING || espota->state == OTA_ESPOTA_RECEIVING) {
        ota_intake_abort(espota->options.intake);
    }
    ota__espota_forget(espota);
    espota->reply = OTA_ESPOTA_REPLY_NONE;
    ota__espota_enter(espota, OTA_ESPOTA_IDLE);
}
