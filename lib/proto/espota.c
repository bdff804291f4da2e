/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The device side of espota: datagrams, and beginning an update. States: updraft/espota.h. Logins
 * are espota_login.c's, what follows the connection espota_transfer.c's.
 *
 * E1 What is begun is what the invitation said whose host has logged in, if a password is wanted,
 *    and the device connects to that host.
 * E2 The intake is ours from a begin that worked in ota__espota_start until RECEIVING is left.
 */

#include "proto/espota_private.h"

#include "base/mem.h"

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

    if (err == OTA_ERR_BUSY || err == OTA_ERR_RESTARTING) { /* it did not come that far */
        ota__espota_note(espota, error, err);
        return;
    }
    espota->error = error;
    espota->failure = intake->failure;
    espota->reason = intake->answer.reason;
    if (err == OTA_ERR_DIGEST) {
        /* Kept: the intake may be somebody else's when the line goes out. */
        memcpy(espota->response, intake->update.digest, sizeof espota->response);
    }
    ota__espota_tell(espota, OTA_ESPOTA_ERROR);
}

/* ---- Refusing, and letting in ---------------------------------------------------------------- */

void ota__espota_refuse(struct ota_espota *espota, enum ota_err err)
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

void ota__espota_start(struct ota_espota *espota)
{
    /* A host that cannot be called, or whose digest nothing can have. */
    if (espota->invitation.port == 0 || !espota->invitation.has_md5) {
        ota__espota_refuse(espota, OTA_ERR_PROTOCOL);
        return;
    }
    if (espota->invitation.size == 0) {
        ota__espota_refuse(espota, OTA_ERR_NO_DATA);
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

/* ---- Datagrams ------------------------------------------------------------------------------- */

void ota__espota_reply_to(struct ota_espota *espota, const struct ota_address *from,
                          enum ota_espota_reply reply)
{
    espota->from = *from;
    espota->reply = reply;
}

bool ota__espota_is_awaited(const struct ota_espota *espota)
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
    espota->has_next = false;
    ota__espota_tell(espota, OTA_ESPOTA_INVITED);
    if (espota->options.intake->is_closed) { /* a login would be cut short, too */
        ota__espota_refuse(espota, OTA_ERR_RESTARTING);
    } else if (ota_espota_wants_password(&espota->options)) {
        ota__espota_ask(espota);
    } else {
        ota__espota_start(espota);
    }
}

/* Tells whether a host asks again, from another socket, as soon as it has a nonce: then it could
   not read one of 64 digits (docs/formats/espota.md section 5.3). */
static bool is_quick_repeat(const struct ota_espota *espota, bool is_repeat)
{
    return is_repeat && espota->state == OTA_ESPOTA_OFFERED &&
           espota->now_ms - espota->since_ms < OTA_ESPOTA_QUICK_MS;
}

/* The same invitation from the same socket. A host that reads two nonces takes the second one for
   the answer to its login; one that has lost the first asks again later. */
static void offer_again(struct ota_espota *espota)
{
    if (espota->now_ms - espota->since_ms >= OTA_ESPOTA_DUPLICATE_MS) {
        espota->reply = OTA_ESPOTA_REPLY_NONCE;
    }
}

/* One is being served, and this is another one. */
static void turn_away(struct ota_espota *espota, const struct ota_address *from)
{
    espota->stranger = *from;
    espota->reply = OTA_ESPOTA_REPLY_BUSY;
}

/* Answers an invitation that cannot take the place of the one that is being served. It is not heard
   where that is all but over: sent again, it comes in time. */
static void answer_meanwhile(struct ota_espota *espota, const struct ota_address *from,
                             bool is_repeat)
{
    bool is_busy = espota->state == OTA_ESPOTA_VERIFYING ||
                   ota_intake_availability(espota->options.intake) != OTA_OK;

    if (!is_repeat && is_busy) {
        turn_away(espota, from);
    }
    if (is_repeat && ota__espota_is_awaited(espota) && !espota->is_answered) {
        ota__espota_reply_to(espota, from, OTA_ESPOTA_REPLY_OK);
    }
}

/* A login would be taken for one of this second sender's: they have one address. */
static bool must_wait(const struct ota_espota *espota, const struct ota_address *other)
{
    bool is_login_due = espota->state == OTA_ESPOTA_OFFERED &&
                        espota->now_ms - espota->since_ms < OTA_ESPOTA_TURN_MS;

    return ota_address_same_host(other, &espota->dial) &&
           (is_login_due || espota->state == OTA_ESPOTA_VERIFYING);
}

/* One waits; a third is told to come again. */
static void keep_waiting(struct ota_espota *espota, const struct ota_address *from,
                         const struct ota_espota_invitation *invitation)
{
    if (espota->has_next && espota->next_port != from->port) {
        turn_away(espota, from);
        return;
    }
    espota->next = *invitation;
    espota->next_port = from->port;
    espota->has_next = true;
}

static void on_invitation(struct ota_espota *espota, const struct ota_address *from,
                          const struct ota_espota_invitation *invitation)
{
    bool is_repeat = ota_address_same_host(from, &espota->dial) &&
                     is_same_invitation(invitation, &espota->invitation);
    bool is_duplicate = is_repeat && from->port == espota->from.port;

    if (!is_repeat && must_wait(espota, from)) {
        keep_waiting(espota, from, invitation);
        return;
    }
    switch (espota->state) {
    case OTA_ESPOTA_IDLE:
        break;
    case OTA_ESPOTA_PAUSING:
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
    default:
        answer_meanwhile(espota, from, is_repeat);
        return;
    }
    espota->is_short =
        ota_espota_allows_md5(&espota->options) &&
        (!ota__espota_allows_sha256(&espota->options) || is_quick_repeat(espota, is_repeat));
    take_invitation(espota, from, invitation);
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
        ota__espota_log_in(espota, from, &answer);
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
    *to = espota->reply == OTA_ESPOTA_REPLY_BUSY ? espota->stranger : espota->from;
    espota->reply = OTA_ESPOTA_REPLY_NONE;
    return ota_text_stored(&text);
}

/* Lets the one who waits have his turn, or tells him that somebody else updates now. */
static void serve_next(struct ota_espota *espota)
{
    const struct ota_espota_invitation invitation = espota->next;
    struct ota_address from = espota->dial;

    from.port = espota->next_port;
    if (!espota->has_next || must_wait(espota, &from)) {
        return;
    }
    espota->has_next = false;
    on_invitation(espota, &from, &invitation);
}

/* ---- Time, begin and end --------------------------------------------------------------------- */

void ota_espota_tick(struct ota_espota *espota, uint32_t now_ms)
{
    espota->now_ms = now_ms;
    switch (espota->state) {
    case OTA_ESPOTA_IDLE:
        break;
    case OTA_ESPOTA_PAUSING:
    case OTA_ESPOTA_OFFERED:
    case OTA_ESPOTA_VERIFYING:
        ota__espota_login_tick(espota);
        break;
    default:
        ota__espota_transfer_tick(espota);
        break;
    }
    if (espota->reply == OTA_ESPOTA_REPLY_NONE) {
        serve_next(espota);
    }
}

uint32_t ota_espota_wait_ms(const struct ota_espota *espota)
{
    uint32_t passed = espota->now_ms - espota->since_ms;
    uint32_t limit;

    if (espota->has_next && espota->state != OTA_ESPOTA_OFFERED) {
        return 0;
    }
    switch (espota->state) {
    case OTA_ESPOTA_IDLE:
        return UINT32_MAX;
    case OTA_ESPOTA_PAUSING:
        return ota__espota_pause_left(espota);
    case OTA_ESPOTA_OFFERED:
        limit = espota->has_next ? OTA_ESPOTA_TURN_MS : OTA_ESPOTA_LOGIN_TIMEOUT_MS;
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
    espota->has_next = false;
    ota__espota_enter(espota, OTA_ESPOTA_IDLE);
}
