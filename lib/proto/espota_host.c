/* SPDX-License-Identifier: Apache-2.0 */
/* The sender of the Arduino update protocol: its states, the connection and the image, and the
   time. What it says by datagrams is in espota_host_datagram.c, its proof of the password in
   espota_host_login.c. docs/formats/espota.md. */

#include "proto/espota_host_private.h"

#include "base/mem.h"

#define SIZE_MAX_BYTES 2147483647u /* devices keep it in an int */

_Static_assert(sizeof(struct ota__espota_proof) <= OTA_ESPOTA_HOST_PROOF_SIZE,
               "the proof has outgrown its place");

/* ---- What the rest is built of --------------------------------------------------------------- */

static uint32_t limit(uint32_t chosen, uint32_t usual)
{
    return chosen != 0 ? chosen : usual;
}

static uint32_t passed(const struct ota_espota_host *host, uint32_t since_ms)
{
    return host->now_ms - since_ms;
}

void ota__espota_host_tell(struct ota_espota_host *host, enum ota_espota_host_event event)
{
    if (host->options->on_event != NULL) {
        host->options->on_event(host->options->context, host, event);
    }
}

void ota__espota_host_enter(struct ota_espota_host *host, enum ota_espota_host_state state)
{
    host->state = state;
    host->since_ms = host->now_ms;
    host->is_due = state == OTA_ESPOTA_HOST_INVITING || state == OTA_ESPOTA_HOST_PROVING;
}

enum ota_err ota__espota_host_fail(struct ota_espota_host *host, enum ota_err err)
{
    host->failed_in = host->state;
    host->failure = (struct ota_failure){err, host->sent};
    ota__espota_host_enter(host, OTA_ESPOTA_HOST_FAILED);
    ota_espota_host_end(host);
    return err;
}

void ota_espota_host_end(struct ota_espota_host *host)
{
    ota__espota_host_forget(host);
    host->is_due = false;
}

enum ota_err ota__espota_host_standing(const struct ota_espota_host *host)
{
    if (host->state == OTA_ESPOTA_HOST_IDLE) {
        return OTA_ERR_STATE;
    }
    return host->state == OTA_ESPOTA_HOST_FAILED ? host->failure.err : OTA_OK;
}

enum ota_err ota_espota_host_begin(struct ota_espota_host *host,
                                   const struct ota_espota_host_options *options, uint32_t now_ms)
{
    memset(host, 0, sizeof *host);
    if (options->crypto == NULL || options->read == NULL || options->host_port == 0 ||
        options->size == 0 || options->size > SIZE_MAX_BYTES ||
        (options->password != NULL && options->random == NULL)) {
        return OTA_ERR_ARGUMENT;
    }
    host->options = options;
    host->now_ms = now_ms;
    ota__espota_host_enter(host, OTA_ESPOTA_HOST_INVITING);
    return OTA_OK;
}

/* ---- The connection ------------------------------------------------------------------------- */

bool ota_espota_host_connected(struct ota_espota_host *host)
{
    if (host->state < OTA_ESPOTA_HOST_INVITING || host->state > OTA_ESPOTA_HOST_WAITING) {
        return false;
    }
    if (host->state != OTA_ESPOTA_HOST_WAITING) {
        ota__espota_host_let_in(host);
    }
    host->has_answered = true;
    host->reply_len = 0;
    host->reply[0] = '\0';
    ota__espota_host_enter(host, OTA_ESPOTA_HOST_SENDING);
    ota__espota_host_tell(host, OTA_ESPOTA_HOST_CONNECTED);
    return true;
}

static bool is_exchanging(const struct ota_espota_host *host)
{
    return host->state == OTA_ESPOTA_HOST_SENDING || host->state == OTA_ESPOTA_HOST_FINISHING;
}

/* The device has begun to say that it failed: "O" may still become "OK". */
static bool hears_line(const struct ota_espota_host *host)
{
    return is_exchanging(host) && host->reply_len > 0 &&
           !ota__espota_host_is_text(host->reply, host->reply_len, "O");
}

size_t ota_espota_host_output(struct ota_espota_host *host, void *buffer, size_t capacity)
{
    size_t left = host->state == OTA_ESPOTA_HOST_SENDING ? host->options->size - host->sent : 0;
    size_t len = left < capacity ? left : capacity;

    if (len == 0 || hears_line(host)) {
        return 0;
    }
    enum ota_err err = host->options->read(host->options->context, host->sent, buffer, len);
    if (err != OTA_OK) {
        ota__espota_host_fail(host, err);
        return 0;
    }
    return len;
}

void ota_espota_host_sent(struct ota_espota_host *host, size_t len)
{
    if (host->state != OTA_ESPOTA_HOST_SENDING || len == 0) {
        return;
    }
    host->sent += (uint32_t)len;
    host->since_ms = host->now_ms;
    ota__espota_host_tell(host, OTA_ESPOTA_HOST_PROGRESS);
    if (host->sent == host->options->size) {
        host->all_sent_ms = host->now_ms;
        ota__espota_host_enter(host, OTA_ESPOTA_HOST_FINISHING);
        ota__espota_host_tell(host, OTA_ESPOTA_HOST_ALL_SENT);
    }
}

static enum ota_err accepted(struct ota_espota_host *host)
{
    if (host->state == OTA_ESPOTA_HOST_SENDING) {
        return ota__espota_host_fail(host, OTA_ERR_PROTOCOL);
    }
    ota__espota_host_enter(host, OTA_ESPOTA_HOST_DONE);
    ota_espota_host_end(host);
    ota__espota_host_tell(host, OTA_ESPOTA_HOST_SUCCEEDED);
    return OTA_OK;
}

/* The device's last words are whole, or no more of them will come. */
static enum ota_err line_ends(struct ota_espota_host *host)
{
    while (host->reply_len > 0 && ota__espota_host_is_blank(host->reply[host->reply_len - 1])) {
        host->reply[--host->reply_len] = '\0';
    }
    return ota__espota_host_fail(host, OTA_ERR_PEER);
}

static enum ota_err take_byte(struct ota_espota_host *host, char byte)
{
    if (host->reply_len == 0 && (ota__espota_host_is_blank(byte) || (byte >= '0' && byte <= '9'))) {
        return OTA_OK; /* some progress */
    }
    if (byte == '\n' || byte == '\0') {
        return line_ends(host);
    }
    host->reply[host->reply_len++] = byte;
    host->reply[host->reply_len] = '\0';
    if (ota__espota_host_is_text(host->reply, host->reply_len, "OK")) {
        return accepted(host);
    }
    return host->reply_len == sizeof host->reply - 1 ? line_ends(host) : OTA_OK;
}

enum ota_err ota_espota_host_input(struct ota_espota_host *host, const void *data, size_t len)
{
    const char *bytes = data;

    for (size_t i = 0; i < len && is_exchanging(host); i++) {
        host->since_ms = host->now_ms;
        (void)take_byte(host, bytes[i]);
    }
    return ota__espota_host_standing(host);
}

enum ota_err ota_espota_host_closed(struct ota_espota_host *host, enum ota_err why)
{
    (void)why; /* however it ended, what counts is what was said before */
    if (!is_exchanging(host)) {
        return ota__espota_host_standing(host);
    }
    return host->reply_len > 0 ? line_ends(host)
                               : ota__espota_host_fail(host, OTA_ERR_CONNECTION_LOST);
}

/* ---- Time ----------------------------------------------------------------------------------- */

static uint32_t left_of(uint32_t passed_ms, uint32_t limit_ms)
{
    return passed_ms < limit_ms ? limit_ms - passed_ms : 0;
}

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* How long the state may still last before something must be done about it. */
static uint32_t state_left(const struct ota_espota_host *host)
{
    const struct ota_espota_host_options *options = host->options;
    uint32_t quiet = passed(host, host->since_ms);

    switch (host->state) {
    case OTA_ESPOTA_HOST_PROVING:
        return left_of(quiet, limit(options->login_timeout_ms, OTA_ESPOTA_HOST_LOGIN_TIMEOUT_MS));
    case OTA_ESPOTA_HOST_WAITING:
        return left_of(quiet,
                       limit(options->connect_timeout_ms, OTA_ESPOTA_HOST_CONNECT_TIMEOUT_MS));
    case OTA_ESPOTA_HOST_SENDING:
        return left_of(quiet, limit(options->stall_timeout_ms, OTA_ESPOTA_HOST_STALL_TIMEOUT_MS));
    case OTA_ESPOTA_HOST_FINISHING:
        return least(
            left_of(quiet, limit(options->finish_timeout_ms, OTA_ESPOTA_HOST_FINISH_TIMEOUT_MS)),
            left_of(passed(host, host->all_sent_ms), OTA_ESPOTA_HOST_FINISH_MAX_MS));
    default:
        return UINT32_MAX;
    }
}

static uint32_t line_left(const struct ota_espota_host *host)
{
    return hears_line(host) ? left_of(passed(host, host->since_ms), OTA_ESPOTA_HOST_LINE_TIMEOUT_MS)
                            : UINT32_MAX;
}

/* How long until the datagram is to go out again. */
static uint32_t repeat_left(const struct ota_espota_host *host)
{
    uint32_t quiet = passed(host, host->repeat_ms);

    switch (host->state) {
    case OTA_ESPOTA_HOST_INVITING:
        return left_of(quiet, limit(host->options->try_ms, OTA_ESPOTA_HOST_TRY_MS));
    case OTA_ESPOTA_HOST_PROVING:
        return left_of(quiet, OTA_ESPOTA_HOST_LOGIN_TRY_MS);
    default:
        return UINT32_MAX;
    }
}

static enum ota_err overdue(struct ota_espota_host *host)
{
    switch (host->state) {
    case OTA_ESPOTA_HOST_PROVING:
        return ota__espota_host_unanswered(host);
    case OTA_ESPOTA_HOST_WAITING:
        return ota__espota_host_fail(host, OTA_ERR_CONNECT_BACK);
    default:
        return ota__espota_host_fail(host, OTA_ERR_TIMEOUT);
    }
}

static enum ota_err repeat(struct ota_espota_host *host)
{
    if (host->state == OTA_ESPOTA_HOST_INVITING &&
        host->tries >= limit(host->options->tries, OTA_ESPOTA_HOST_TRIES)) {
        return ota__espota_host_fail(host, OTA_ERR_TIMEOUT);
    }
    host->is_due = true;
    return OTA_OK;
}

enum ota_err ota_espota_host_tick(struct ota_espota_host *host, uint32_t now_ms)
{
    host->now_ms = now_ms;
    if (host->state == OTA_ESPOTA_HOST_COMPUTING) {
        return ota__espota_host_compute(host);
    }
    if (host->state == OTA_ESPOTA_HOST_IDLE || host->state >= OTA_ESPOTA_HOST_DONE) {
        return ota__espota_host_standing(host);
    }
    if (line_left(host) == 0) {
        return line_ends(host);
    }
    if (state_left(host) == 0) {
        return overdue(host);
    }
    return !host->is_due && repeat_left(host) == 0 ? repeat(host) : OTA_OK;
}

uint32_t ota_espota_host_wait_ms(const struct ota_espota_host *host)
{
    if (host->is_due || host->state == OTA_ESPOTA_HOST_COMPUTING) {
        return 0;
    }
    if (host->state == OTA_ESPOTA_HOST_IDLE || host->state >= OTA_ESPOTA_HOST_DONE) {
        return UINT32_MAX;
    }
    return least(least(state_left(host), repeat_left(host)), line_left(host));
}
