/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The device side of espota, from the connection to the last word (docs/formats/espota.md section
 * 6).
 *
 * T1 Acknowledgements never hold up the reading: what could not be told yet is added up. Nor are
 *    they many for a few bytes: hosts read a little after each of their chunks, and would find the
 *    last word behind the rest.
 * T2 Between the last of them and the last word nothing is sent for the gap.
 * T3 After a refusal in the middle the host's bytes are still taken, so that it comes to its end,
 *    where it looks for the reason, and no reset of the connection destroys that.
 * T4 Who sends too little for too long is treated as who sends nothing: a byte now and then would
 *    hold the device's update for as long as somebody likes.
 */

#include "proto/espota_private.h"

#include "base/bytes.h"

static bool has_more_to_tell(const struct ota_espota *espota)
{
    return espota->telling != OTA_ESPOTA_TELLING_NOTHING || espota->unacknowledged > 0 ||
           espota->has_early_line;
}

static uint32_t gap_of(const struct ota_espota *espota)
{
    uint32_t gap = espota->options.gap_ms;

    if (gap == OTA_ESPOTA_NO_GAP) {
        return 0;
    }
    if (gap != 0) {
        return gap;
    }
    return espota->options.profile == OTA_ESPOTA_ESP32 ? OTA_ESPOTA_GAP_ESP32_MS
                                                       : OTA_ESPOTA_GAP_MS;
}

static uint32_t timeout_of(const struct ota_espota *espota)
{
    uint32_t timeout = espota->options.receive_timeout_ms;

    return timeout != 0 ? timeout : OTA_ESPOTA_RECEIVE_TIMEOUT_MS;
}

bool ota_espota_has_connection(const struct ota_espota *espota)
{
    return espota->state >= OTA_ESPOTA_RECEIVING;
}

/* ---- Ends ------------------------------------------------------------------------------------ */

/* The push is over, and the host knows as far as it can be told. */
static void conclude(struct ota_espota *espota)
{
    ota__espota_enter(espota, OTA_ESPOTA_IDLE);
    if (espota->failure.err == OTA_OK) {
        ota__espota_tell(espota, OTA_ESPOTA_END);
    }
}

/* No bytes come any more; the host may still listen. */
static void fail(struct ota_espota *espota, enum ota_espota_error error, enum ota_err err)
{
    ota_intake_abort(espota->options.intake);
    ota__espota_enter(espota, OTA_ESPOTA_SETTLING);
    ota__espota_note(espota, error, err);
}

/* Nobody is there. */
static void fail_alone(struct ota_espota *espota, enum ota_espota_error error, enum ota_err err)
{
    ota_intake_abort(espota->options.intake);
    ota__espota_enter(espota, OTA_ESPOTA_IDLE);
    ota__espota_note(espota, error, err);
}

/* ---- Bytes that come ------------------------------------------------------------------------- */

void ota_espota_connected(struct ota_espota *espota)
{
    if (espota->state != OTA_ESPOTA_CONNECTING) {
        return;
    }
    espota->unacknowledged = 0;
    espota->telling = OTA_ESPOTA_TELLING_NOTHING;
    espota->told = 0;
    espota->has_early_line = false;
    espota->is_ended = false;
    espota->paced = 0;
    espota->pace_ms = espota->now_ms;
    ota__espota_enter(espota, OTA_ESPOTA_RECEIVING);
}

/* All bytes are there: proves them. */
static void finish(struct ota_espota *espota)
{
    struct ota_intake *intake = espota->options.intake;
    enum ota_err err = ota_intake_end(intake);

    if (err == OTA_OK) {
        err = ota_intake_activate(intake);
    }
    ota__espota_enter(espota, OTA_ESPOTA_SETTLING);
    if (err != OTA_OK && err != OTA_ERR_HELD) {
        ota__espota_note_intake(espota, OTA_ESPOTA_ERROR_END, err);
    }
}

static void take(struct ota_espota *espota, const void *data, uint32_t len)
{
    enum ota_err err = ota_intake_write(espota->options.intake, data, len);

    espota->received += len;
    espota->unacknowledged += len;
    if (err != OTA_OK) {
        espota->has_early_line = true;
        ota__espota_enter(espota, OTA_ESPOTA_DISCARDING);
        ota__espota_note_intake(espota, OTA_ESPOTA_ERROR_END, err);
    } else {
        ota__espota_tell(espota, OTA_ESPOTA_PROGRESS);
    }
}

/* Bytes that are enough pay for the time of the next ones. */
static void keep_pace(struct ota_espota *espota, uint32_t len)
{
    espota->paced += len;
    if (espota->paced >= OTA_ESPOTA_PACE) {
        espota->paced = 0;
        espota->pace_ms = espota->now_ms;
    }
}

void ota_espota_input(struct ota_espota *espota, const void *data, size_t len)
{
    uint32_t left = espota->size - espota->received;
    uint32_t wanted =
        len < left ? (uint32_t)len : left; /* what exceeds the size is not looked at */

    espota->since_ms = espota->state <= OTA_ESPOTA_DISCARDING ? espota->now_ms : espota->since_ms;
    if (wanted == 0) {
        return;
    }
    keep_pace(espota, wanted);
    if (espota->state == OTA_ESPOTA_RECEIVING) {
        take(espota, data, wanted);
        if (espota->state == OTA_ESPOTA_RECEIVING && espota->received == espota->size) {
            finish(espota);
        }
    } else if (espota->state == OTA_ESPOTA_DISCARDING) {
        espota->received += wanted;
        espota->unacknowledged += wanted;
    }
    if (espota->state == OTA_ESPOTA_DISCARDING && espota->received == espota->size) {
        espota->has_early_line = false; /* it goes out now in any case */
        ota__espota_enter(espota, OTA_ESPOTA_SETTLING);
    }
}

/* The peer sends no more. */
static void ended(struct ota_espota *espota)
{
    espota->is_ended = true;
    switch (espota->state) {
    case OTA_ESPOTA_RECEIVING:
        fail(espota, OTA_ESPOTA_ERROR_END,
             espota->received == 0 ? OTA_ERR_NO_DATA : OTA_ERR_INCOMPLETE);
        break;
    case OTA_ESPOTA_DISCARDING:
        ota__espota_enter(espota, OTA_ESPOTA_SETTLING);
        break;
    case OTA_ESPOTA_LINGERING:
        conclude(espota);
        break;
    default:
        break;
    }
}

void ota_espota_closed(struct ota_espota *espota, enum ota_err why)
{
    if (espota->state < OTA_ESPOTA_CONNECTING) {
        return;
    }
    if (espota->state == OTA_ESPOTA_CONNECTING ||
        (espota->state == OTA_ESPOTA_RECEIVING && espota->received == 0 && why != OTA_OK)) {
        fail_alone(espota, OTA_ESPOTA_ERROR_CONNECT, OTA_ERR_CONNECT_BACK);
    } else if (why == OTA_OK) {
        ended(espota);
    } else if (espota->state == OTA_ESPOTA_RECEIVING) {
        fail_alone(espota, OTA_ESPOTA_ERROR_RECEIVE, why);
    } else {
        conclude(espota);
    }
}

/* ---- Bytes that go --------------------------------------------------------------------------- */

/* Tells whether the number has become large, or the host waits for it. */
static bool is_count_due(const struct ota_espota *espota)
{
    return espota->unacknowledged > 0 &&
           (espota->unacknowledged >= OTA_ESPOTA_COUNT_MIN ||
            espota->state == OTA_ESPOTA_SETTLING ||
            espota->now_ms - espota->since_ms >= OTA_ESPOTA_COUNT_DELAY_MS);
}

/* Chooses what is told next. */
static void choose(struct ota_espota *espota)
{
    espota->told = 0;
    if (espota->has_early_line || espota->state == OTA_ESPOTA_REPORTING) {
        espota->telling = OTA_ESPOTA_TELLING_LINE;
    } else if (is_count_due(espota)) {
        espota->telling = OTA_ESPOTA_TELLING_COUNT;
        espota->count = espota->unacknowledged;
        espota->unacknowledged = 0;
    }
}

size_t ota_espota_output(struct ota_espota *espota, void *buffer, size_t capacity)
{
    struct ota_text text;

    if (!ota_espota_has_connection(espota) || espota->state == OTA_ESPOTA_LINGERING) {
        return 0;
    }
    if (espota->telling == OTA_ESPOTA_TELLING_NOTHING) {
        choose(espota);
    }
    ota_text_window(&text, buffer, capacity, espota->told);
    ota__espota_put_told(espota, &text);
    return ota_text_stored(&text);
}

/* What was being told went out whole. */
static void told(struct ota_espota *espota)
{
    bool was_line = espota->telling == OTA_ESPOTA_TELLING_LINE;

    espota->telling = OTA_ESPOTA_TELLING_NOTHING;
    if (espota->state == OTA_ESPOTA_REPORTING && was_line) {
        ota__espota_enter(espota, OTA_ESPOTA_LINGERING);
        if (espota->is_ended) {
            conclude(espota);
        }
        return;
    }
    if (was_line) {
        espota->has_early_line = false;
    }
    if (espota->state == OTA_ESPOTA_SETTLING) {
        espota->since_ms = espota->now_ms;
    }
}

void ota_espota_sent(struct ota_espota *espota, size_t len)
{
    struct ota_text text;

    if (espota->telling == OTA_ESPOTA_TELLING_NOTHING || len == 0) {
        return;
    }
    espota->told = (uint16_t)(espota->told + len);
    ota_text_window(&text, NULL, 0, 0);
    ota__espota_put_told(espota, &text);
    if (espota->told >= text.length) {
        told(espota);
    }
}

/* ---- Time ------------------------------------------------------------------------------------ */

/* How long after since_ms the next bytes must be there: none may be silent, nor too slow. */
static uint32_t patience_of(const struct ota_espota *espota)
{
    uint32_t timeout = timeout_of(espota);
    uint32_t pace = timeout > OTA_ESPOTA_PACE_MS ? timeout : OTA_ESPOTA_PACE_MS;
    uint32_t passed = espota->since_ms - espota->pace_ms;

    return ota__min(timeout, passed < pace ? pace - passed : 0);
}

/* How long the state may last. */
static uint32_t limit_of(const struct ota_espota *espota)
{
    switch (espota->state) {
    case OTA_ESPOTA_RECEIVING:
    case OTA_ESPOTA_DISCARDING:
        return patience_of(espota);
    case OTA_ESPOTA_SETTLING:
        return has_more_to_tell(espota) ? timeout_of(espota) : gap_of(espota);
    case OTA_ESPOTA_LINGERING:
        return OTA_ESPOTA_LINGER_MS;
    default:
        return timeout_of(espota);
    }
}

uint32_t ota__espota_transfer_wait(const struct ota_espota *espota)
{
    bool has_small_count =
        espota->telling == OTA_ESPOTA_TELLING_NOTHING && espota->unacknowledged > 0 &&
        espota->now_ms - espota->since_ms < OTA_ESPOTA_COUNT_DELAY_MS &&
        (espota->state == OTA_ESPOTA_RECEIVING || espota->state == OTA_ESPOTA_DISCARDING);

    return has_small_count ? OTA_ESPOTA_COUNT_DELAY_MS : limit_of(espota);
}

void ota__espota_transfer_tick(struct ota_espota *espota)
{
    if (espota->now_ms - espota->since_ms < limit_of(espota)) {
        return;
    }
    switch (espota->state) {
    case OTA_ESPOTA_CONNECTING:
        fail_alone(espota, OTA_ESPOTA_ERROR_CONNECT, OTA_ERR_CONNECT_BACK);
        break;
    case OTA_ESPOTA_RECEIVING:
        if (espota->received == 0) { /* hosts send at once: it never came about */
            fail_alone(espota, OTA_ESPOTA_ERROR_CONNECT, OTA_ERR_CONNECT_BACK);
        } else {
            fail(espota, OTA_ESPOTA_ERROR_RECEIVE, OTA_ERR_TIMEOUT);
        }
        break;
    case OTA_ESPOTA_DISCARDING:
        ota__espota_enter(espota, OTA_ESPOTA_SETTLING);
        break;
    case OTA_ESPOTA_SETTLING:
        if (has_more_to_tell(espota)) {
            conclude(espota); /* the host reads no more */
        } else {
            ota__espota_enter(espota, OTA_ESPOTA_REPORTING);
        }
        break;
    default: /* REPORTING, LINGERING */
        conclude(espota);
        break;
    }
}
