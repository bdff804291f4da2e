/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ESPHome protocol as the device speaks it: docs/formats/esphome.md section 3. Each step up to
 * the image waits for a known number of bytes, does what they say, and goes on to the next one. All
 * that is said before the image fits `reply`; behind it come acknowledgements, which are counted,
 * and then `tail`. So the output is bounded, whatever a host sends and does not read.
 */
#include <updraft/esphome.h>
#include <updraft/text.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "base/secret.h"
#include "proto/esphome_private.h"

_Static_assert(OTA_ESPHOME_LINE_SIZE >= ESPHOME_SHA256_DIGITS, "a line is a nonce at most");
_Static_assert(OTA_ESPHOME_REPLY_SIZE >= 2 + 2 + 1 + ESPHOME_SHA256_DIGITS + 3,
               "version, features, nonce and three acknowledgements");

enum step {
    STEP_MAGIC,
    STEP_FEATURES,
    STEP_CNONCE,
    STEP_RESPONSE,
    STEP_TYPE,
    STEP_SIZE,
    STEP_CHECKSUM,
};

static bool is_over(const struct ota_esphome *esphome)
{
    return esphome->state == OTA_ESPHOME_IDLE || esphome->state >= OTA_ESPHOME_CLOSING;
}

static void tell(const struct ota_esphome *esphome, enum ota_esphome_event event)
{
    if (esphome->options->on_event != NULL) {
        esphome->options->on_event(esphome->options->context, esphome, event);
    }
}

static void put(struct ota_esphome *esphome, uint8_t byte)
{
    esphome->reply[esphome->reply_len++] = byte;
}

static void expect(struct ota_esphome *esphome, enum step step, size_t bytes)
{
    esphome->step = (uint8_t)step;
    esphome->awaited = (uint8_t)bytes;
    esphome->line_len = 0;
}

/* ---- Ending ---------------------------------------------------------------------------------- */

/* Forgets what the proof was made of. */
static void forget(struct ota_esphome *esphome)
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
    forget(esphome);
    if (esphome->has_begun) {
        esphome->has_begun = false;
        ota_intake_abort(esphome->options->intake);
    }
}

static enum ota_err fail_with(struct ota_esphome *esphome, enum ota_err err, uint8_t answer)
{
    note_failure(esphome, err);
    esphome->answer = answer;
    close_after(esphome, answer);
    tell(esphome, OTA_ESPHOME_FAILED);
    return err;
}

static enum ota_err fail(struct ota_esphome *esphome, enum ota_err err)
{
    const struct ota_esphome_options *options = esphome->options;
    enum ota_esphome_profile profile = options->profile;

    if (profile == OTA_ESPHOME_BY_CHIP) {
        profile = ota_esphome_profile_of(options->intake->options.device);
    }
    return fail_with(esphome, err, ota_esphome_error_byte(profile, err));
}

/* The intake has given the update up by itself. */
static enum ota_err intake_failed(struct ota_esphome *esphome, enum ota_err err)
{
    esphome->has_begun = err == OTA_ERR_HELD;
    return fail(esphome, err);
}

/* ---- Up to the image ------------------------------------------------------------------------- */

static enum ota_err take_magic(struct ota_esphome *esphome)
{
    esphome->state = OTA_ESPHOME_TALKING;
    put(esphome, ESPHOME_OK);
    put(esphome, esphome->options->version != 0 ? esphome->options->version : 2);
    expect(esphome, STEP_FEATURES, 1);
    tell(esphome, OTA_ESPHOME_GREETED);
    return OTA_OK;
}

static enum ota_err let_in(struct ota_esphome *esphome)
{
    forget(esphome);
    put(esphome, ESPHOME_AUTH_OK);
    if ((esphome->features & ESPHOME_CLIENT_EXTENDED) != 0) {
        expect(esphome, STEP_TYPE, 1);
    } else {
        expect(esphome, STEP_SIZE, 4);
    }
    tell(esphome, OTA_ESPHOME_LET_IN);
    return OTA_OK;
}

/* Asks for the password in the strongest way that the host offers. */
static enum ota_err ask(struct ota_esphome *esphome)
{
    const struct ota_esphome_options *options = esphome->options;
    bool is_strong = (esphome->features & ESPHOME_CLIENT_SHA256) != 0;
    size_t size = is_strong ? OTA_SHA256_SIZE : OTA_MD5_SIZE;

    if (!is_strong && options->refuse_md5) {
        return fail(esphome, OTA_ERR_AUTH);
    }
    enum ota_err err = options->random(options->context, esphome->nonce, size);
    if (err != OTA_OK) {
        return fail(esphome, err);
    }
    esphome->auth = is_strong ? OTA_HASH_SHA256 : OTA_HASH_MD5;
    put(esphome, is_strong ? ESPHOME_ASK_SHA256 : ESPHOME_ASK_MD5);
    ota__esphome_hex(esphome->reply + esphome->reply_len, esphome->nonce, size);
    esphome->reply_len = (uint8_t)(esphome->reply_len + 2 * size);
    expect(esphome, STEP_CNONCE, 2 * size);
    if (!is_strong) {
        tell(esphome, OTA_ESPHOME_WEAK_AUTH);
    }
    return OTA_OK;
}

static enum ota_err take_features(struct ota_esphome *esphome)
{
    const char *password = esphome->options->password;

    esphome->features = esphome->line[0];
    if ((esphome->features & ESPHOME_CLIENT_EXTENDED) != 0) {
        put(esphome, ESPHOME_FEATURES_FOLLOW);
        put(esphome, 0);
    } else {
        put(esphome, ESPHOME_HEADER_OK);
    }
    return password != NULL && password[0] != '\0' ? ask(esphome) : let_in(esphome);
}

/* Computes what the host should answer to nonce and cnonce, and keeps its digest in place of the
   nonce, which is thereby used up. */
static enum ota_err take_cnonce(struct ota_esphome *esphome)
{
    const struct ota_esphome_options *options = esphome->options;
    size_t size = ota_digest_size(esphome->auth);
    uint8_t digits[ESPHOME_SHA256_DIGITS + 1];

    ota__esphome_hex(digits, esphome->nonce, size);
    enum ota_err err = ota__esphome_response(options->intake->options.device->crypto, esphome->auth,
                                             options->password, digits, esphome->line, digits);
    if (err == OTA_OK) {
        digits[2 * size] = '\0';
        (void)ota_text_read_hex((const char *)digits, esphome->nonce, size);
    }
    ota__wipe(digits, sizeof digits);
    if (err != OTA_OK) {
        return fail(esphome, err);
    }
    expect(esphome, STEP_RESPONSE, 2 * size);
    return OTA_OK;
}

static enum ota_err take_response(struct ota_esphome *esphome)
{
    size_t size = ota_digest_size(esphome->auth);
    uint8_t digits[ESPHOME_SHA256_DIGITS];

    ota__esphome_hex(digits, esphome->nonce, size);
    bool is_right = ota__same_secret(digits, esphome->line, 2 * size);
    ota__wipe(digits, sizeof digits);
    return is_right ? let_in(esphome) : fail(esphome, OTA_ERR_AUTH);
}

static enum ota_err take_type(struct ota_esphome *esphome)
{
    if (esphome->line[0] != ESPHOME_TYPE_APP) {
        return fail_with(esphome, OTA_ERR_PROTOCOL, ESPHOME_ERROR_TYPE);
    }
    expect(esphome, STEP_SIZE, 4);
    return OTA_OK;
}

static enum ota_err take_size(struct ota_esphome *esphome)
{
    const uint8_t *line = esphome->line;

    esphome->size =
        (uint32_t)line[0] << 24 | (uint32_t)line[1] << 16 | (uint32_t)line[2] << 8 | line[3];
    if (esphome->size == OTA_SIZE_UNKNOWN) {
        return fail(esphome, OTA_ERR_TOO_LARGE);
    }
    const struct ota_arrival arrival = {.way = "esphome", .size = esphome->size};
    enum ota_err err = ota_intake_begin(esphome->options->intake, &arrival);
    if (err != OTA_OK) {
        return fail(esphome, err);
    }
    esphome->has_begun = true;
    esphome->active_ms = esphome->now_ms;
    put(esphome, ESPHOME_PREPARE_OK);
    expect(esphome, STEP_CHECKSUM, ESPHOME_MD5_DIGITS);
    return OTA_OK;
}

static enum ota_err take_checksum(struct ota_esphome *esphome)
{
    struct ota_digest expected = {.algorithm = OTA_HASH_MD5};
    char digits[ESPHOME_MD5_DIGITS + 1] = {0};

    memcpy(digits, esphome->line, ESPHOME_MD5_DIGITS);
    if (!ota_text_read_hex(digits, expected.bytes, OTA_MD5_SIZE)) {
        return fail_with(esphome, OTA_ERR_PROTOCOL, ESPHOME_ERROR_MD5);
    }
    enum ota_err err = ota_intake_expect(esphome->options->intake, &expected);
    if (err != OTA_OK) {
        return intake_failed(esphome, err);
    }
    esphome->state = OTA_ESPHOME_RECEIVING;
    esphome->active_ms = esphome->now_ms;
    put(esphome, ESPHOME_CHECKSUM_OK);
    tell(esphome, OTA_ESPHOME_STARTED);
    return OTA_OK;
}

static enum ota_err take_line(struct ota_esphome *esphome)
{
    switch ((enum step)esphome->step) {
    case STEP_MAGIC:
        return take_magic(esphome);
    case STEP_FEATURES:
        return take_features(esphome);
    case STEP_CNONCE:
        return take_cnonce(esphome);
    case STEP_RESPONSE:
        return take_response(esphome);
    case STEP_TYPE:
        return take_type(esphome);
    case STEP_SIZE:
        return take_size(esphome);
    default:
        return take_checksum(esphome);
    }
}

static void take_byte(struct ota_esphome *esphome, uint8_t byte)
{
    if (esphome->step == STEP_MAGIC && byte != ota__esphome_magic[esphome->line_len]) {
        (void)fail_with(esphome, OTA_ERR_PROTOCOL, ESPHOME_ERROR_MAGIC);
        return;
    }
    esphome->line[esphome->line_len++] = byte;
    if (esphome->line_len == esphome->awaited) {
        (void)take_line(esphome);
    }
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
        (void)intake_failed(esphome, err);
        return;
    }
    esphome->has_begun = false;
    esphome->is_accepted = true;
    close_after(esphome, ESPHOME_END_OK);
    tell(esphome, OTA_ESPHOME_ACCEPTED);
}

/* Takes what is of the image. A block that is whole pays for the time of the next one: a host that
   sends a byte now and then cannot hold the update for ever. */
static void take_image(struct ota_esphome *esphome, const uint8_t *data, size_t len)
{
    uint32_t blocks = esphome->received / ESPHOME_BLOCK;
    uint32_t n = ota__min(esphome->size - esphome->received, (uint32_t)len);
    enum ota_err err = ota_intake_write(esphome->options->intake, data, n);

    if (err != OTA_OK) {
        (void)intake_failed(esphome, err);
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
    expect(esphome, STEP_MAGIC, ESPHOME_MAGIC_SIZE);
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
        take_byte(esphome, bytes[taken++]);
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
        tell(esphome, OTA_ESPHOME_FAILED);
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

    switch (esphome->state) {
    case OTA_ESPHOME_GREETING:
    case OTA_ESPHOME_TALKING:
    case OTA_ESPHOME_RECEIVING:
        return left_of(esphome->has_begun ? OTA_ESPHOME_DATA_TIMEOUT_MS
                                          : OTA_ESPHOME_HANDSHAKE_TIMEOUT_MS,
                       passed);
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
    if (ota_esphome_wait_ms(esphome) == 0) {
        if (esphome->state == OTA_ESPHOME_CLOSING) {
            esphome->state = OTA_ESPHOME_DONE;
        } else {
            (void)fail(esphome, OTA_ERR_TIMEOUT);
        }
    }
    return esphome->failure.err;
}
