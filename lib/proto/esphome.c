/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ESPHome protocol as the device speaks it: docs/formats/esphome.md section 3. All that is said
 * before the image (esphome_talk.c) fits `reply`; behind it come acknowledgements, which are
 * counted, and then `tail`. So the output is bounded, whatever a host sends and does not read.
 */
#include "base/bytes.h"
#include "base/mem.h"
#include "base/secret.h"
#include "proto/esphome_device.h"

static bool is_over(const struct ota_esphome *esphome)
{
    return esphome->state == OTA_ESPHOME_IDLE || esphome->state >= OTA_ESPHOME_CLOSING;
}

void ota__esphome_tell(const struct ota_esphome *esphome, enum ota_esphome_event event)
{
    if (esphome->options->on_event != NULL) {
        esphome->options->on_event(esphome->options->context, esphome, event);
    }
}

/* ---- Ending ---------------------------------------------------------------------------------- */

/* Forgets what the proof was made of. */
void ota__esphome_forget(struct ota_esphome *esphome)
{
    ota__wipe(esphome->nonce, sizeof esphome->nonce);
    ota__wipe(esphome->line, sizeof esphome->line);
}

static void close_after(struct ota_esphome *esphome, uint8_t byte)
{
    esphome->tail[esphome->tail_len++] = byte;
    esphome->state = OTA_ESPHOME_CLOSING;
    esphome->active_ms = esphome->now_ms;
    esphome->closing_ms = esphome->now_ms;
}

/* Notes the first cause and gives up an update of its own. */
static void note_failure(struct ota_esphome *esphome, enum ota_err err)
{
    esphome->failure = (struct ota_failure){err, esphome->received};
    esphome->is_pausing = false;
    ota__esphome_forget(esphome);
    if (esphome->has_begun) {
        esphome->has_begun = false;
        ota_intake_abort(esphome->options->intake);
    }
}

enum ota_err ota__esphome_fail_with(struct ota_esphome *esphome, enum ota_err err, uint8_t answer)
{
    note_failure(esphome, err);
    esphome->answer = answer;
    close_after(esphome, answer);
    ota__esphome_tell(esphome, OTA_ESPHOME_FAILED);
    return err;
}

enum ota_err ota__esphome_fail(struct ota_esphome *esphome, enum ota_err err)
{
    const struct ota_esphome_options *options = esphome->options;
    enum ota_esphome_profile profile = options->profile;

    if (profile == OTA_ESPHOME_BY_CHIP) {
        profile = ota_esphome_profile_of(options->intake->options.device);
    }
    return ota__esphome_fail_with(esphome, err, ota_esphome_error_byte(profile, err));
}

/* The intake has given the update up by itself. */
enum ota_err ota__esphome_intake_failed(struct ota_esphome *esphome, enum ota_err err)
{
    esphome->has_begun = err == OTA_ERR_HELD;
    return ota__esphome_fail(esphome, err);
}

/* ---- The image ------------------------------------------------------------------------------- */

/* How many blocks are to be acknowledged by now: each that is whole, and the last one. */
static uint32_t blocks_received(const struct ota_esphome *esphome)
{
    bool is_last = esphome->size != 0 && esphome->received == esphome->size;

    if (esphome->options->version == 1) {
        return 0;
    }
    return esphome->received / ESPHOME_BLOCK +
           (uint32_t)(is_last && esphome->received % ESPHOME_BLOCK != 0);
}

static void finish(struct ota_esphome *esphome)
{
    struct ota_intake *intake = esphome->options->intake;

    esphome->tail[esphome->tail_len++] = ESPHOME_RECEIVE_OK;
    enum ota_err err = ota_intake_end(intake);
    if (err == OTA_OK) {
        err = ota_intake_activate(intake);
        esphome->is_held = err == OTA_ERR_HELD;
    }
    if (err != OTA_OK && !esphome->is_held) {
        (void)ota__esphome_intake_failed(esphome, err);
        return;
    }
    esphome->has_begun = false;
    esphome->is_accepted = true;
    close_after(esphome, ESPHOME_END_OK);
    ota__esphome_tell(esphome, OTA_ESPHOME_ACCEPTED);
}

/* Takes what is of the image. A block that is whole pays for the time of the next one: a host that
   sends a byte now and then cannot hold the update for ever. */
static void take_image(struct ota_esphome *esphome, const uint8_t *data, size_t len)
{
    uint32_t blocks = esphome->received / ESPHOME_BLOCK;
    uint32_t n = ota__min(esphome->size - esphome->received, (uint32_t)len);
    enum ota_err err = ota_intake_write(esphome->options->intake, data, n);

    if (err != OTA_OK) {
        (void)ota__esphome_intake_failed(esphome, err);
        return;
    }
    esphome->received += n;
    if (esphome->received / ESPHOME_BLOCK != blocks) {
        esphome->active_ms = esphome->now_ms;
    }
    if (esphome->received == esphome->size) {
        finish(esphome);
    }
}

/* ---- What is sent ---------------------------------------------------------------------------- */

size_t ota_esphome_output(const struct ota_esphome *esphome, void *buffer, size_t capacity)
{
    uint32_t blocks = blocks_received(esphome) - esphome->blocks_told;
    size_t len = (size_t)(esphome->reply_len - esphome->reply_sent);
    uint8_t *bytes = buffer;

    len = len < capacity ? len : capacity;
    memcpy(bytes, esphome->reply + esphome->reply_sent, len);
    size_t acks = blocks < capacity - len ? blocks : capacity - len;
    memset(bytes + len, ESPHOME_CHUNK_OK, acks);
    len += acks;
    size_t last = (size_t)(esphome->tail_len - esphome->tail_sent);
    last = last < capacity - len ? last : capacity - len;
    memcpy(bytes + len, esphome->tail + esphome->tail_sent, last);
    return len + last;
}

void ota_esphome_sent(struct ota_esphome *esphome, size_t len)
{
    uint32_t blocks = blocks_received(esphome) - esphome->blocks_told;
    size_t reply = (size_t)(esphome->reply_len - esphome->reply_sent);

    reply = len < reply ? len : reply;
    esphome->reply_sent = (uint8_t)(esphome->reply_sent + reply);
    len -= reply;
    blocks = len < blocks ? (uint32_t)len : blocks;
    esphome->blocks_told += blocks;
    len -= blocks;
    esphome->tail_sent = (uint8_t)(esphome->tail_sent + len);
}

/* ---- The connection -------------------------------------------------------------------------- */

enum ota_err ota_esphome_begin(struct ota_esphome *esphome,
                               const struct ota_esphome_options *options, uint32_t now_ms)
{
    bool has_password = options->password != NULL && options->password[0] != '\0';

    if (options->intake == NULL || options->version > 2 ||
        (has_password && options->random == NULL)) {
        return OTA_ERR_ARGUMENT;
    }
    memset(esphome, 0, sizeof *esphome);
    esphome->options = options;
    esphome->state = OTA_ESPHOME_GREETING;
    esphome->now_ms = now_ms;
    esphome->active_ms = now_ms;
    ota__esphome_await_magic(esphome);
    return OTA_OK;
}

/* What comes after the last word: the host's own one, or the rest of an image that was refused. */
static void discard(struct ota_esphome *esphome)
{
    esphome->active_ms = esphome->now_ms;
    if (esphome->is_accepted && esphome->tail_sent == esphome->tail_len) {
        esphome->state = OTA_ESPHOME_DONE;
    }
}

enum ota_err ota_esphome_input(struct ota_esphome *esphome, const void *data, size_t len)
{
    const uint8_t *bytes = data;
    size_t taken = 0;

    if (esphome->state == OTA_ESPHOME_IDLE) {
        return OTA_ERR_STATE;
    }
    if (esphome->state == OTA_ESPHOME_CLOSING && len > 0) {
        discard(esphome);
    }
    while (taken < len && !is_over(esphome)) {
        if (esphome->state == OTA_ESPHOME_RECEIVING) {
            take_image(esphome, bytes + taken, len - taken);
            break; /* what came behind the image means nothing */
        }
        ota__esphome_talk(esphome, bytes[taken++]);
    }
    return esphome->failure.err;
}

enum ota_err ota_esphome_closed(struct ota_esphome *esphome, enum ota_err why)
{
    if (esphome->state == OTA_ESPHOME_IDLE) {
        return OTA_ERR_STATE;
    }
    if (!is_over(esphome)) {
        note_failure(esphome, why == OTA_OK ? OTA_ERR_CONNECTION_LOST : why);
        esphome->state = OTA_ESPHOME_DONE;
        ota__esphome_tell(esphome, OTA_ESPHOME_FAILED);
    }
    esphome->state = OTA_ESPHOME_DONE;
    return esphome->failure.err;
}

static uint32_t left_of(uint32_t limit, uint32_t passed)
{
    return passed < limit ? limit - passed : 0;
}

uint32_t ota_esphome_wait_ms(const struct ota_esphome *esphome)
{
    uint32_t passed = esphome->now_ms - esphome->active_ms;
    uint32_t left;

    switch (esphome->state) {
    case OTA_ESPHOME_GREETING:
    case OTA_ESPHOME_TALKING:
    case OTA_ESPHOME_RECEIVING:
        left = left_of(esphome->has_begun ? OTA_ESPHOME_DATA_TIMEOUT_MS
                                          : OTA_ESPHOME_HANDSHAKE_TIMEOUT_MS,
                       passed);
        return esphome->is_pausing ? ota__min(left, ota__esphome_pause_left(esphome)) : left;
    case OTA_ESPHOME_CLOSING:
        return ota__min(left_of(OTA_ESPHOME_LINGER_MS, passed),
                        left_of(OTA_ESPHOME_LINGER_MAX_MS, esphome->now_ms - esphome->closing_ms));
    default:
        return UINT32_MAX;
    }
}

enum ota_err ota_esphome_tick(struct ota_esphome *esphome, uint32_t now_ms)
{
    esphome->now_ms = now_ms;
    if (esphome->is_pausing && ota__esphome_pause_left(esphome) == 0) {
        ota__esphome_pause_over(esphome);
    }
    if (ota_esphome_wait_ms(esphome) == 0) {
        if (esphome->state == OTA_ESPHOME_CLOSING) {
            esphome->state = OTA_ESPHOME_DONE;
        } else {
            (void)ota__esphome_fail(esphome, OTA_ERR_TIMEOUT);
        }
    }
    return esphome->failure.err;
}
