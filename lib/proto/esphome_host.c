/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ESPHome protocol as the host speaks it. One line of bytes is on its way at a time; what the
 * device answers leads from step to step: docs/formats/esphome.md section 3.
 */
#include <updraft/esphome_host.h>
#include <updraft/sink.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "base/secret.h"
#include "proto/esphome_private.h"

_Static_assert(OTA_ESPHOME_HOST_LINE_SIZE >= 2 * ESPHOME_SHA256_DIGITS,
               "cnonce and response go out together");

static bool is_over(const struct ota_esphome_host *host)
{
    return host->state == OTA_ESPHOME_HOST_IDLE || host->state >= OTA_ESPHOME_HOST_DONE;
}

static void tell(const struct ota_esphome_host *host, enum ota_esphome_host_event event)
{
    if (host->options->on_event != NULL) {
        host->options->on_event(host->options->context, host, event);
    }
}

static enum ota_err fail(struct ota_esphome_host *host, enum ota_err err)
{
    host->state = OTA_ESPHOME_HOST_FAILED;
    host->failure = (struct ota_failure){err, host->sent};
    ota__wipe(host->line, sizeof host->line);
    return err;
}

/* Fails for what the device answered. */
static enum ota_err fail_at(struct ota_esphome_host *host, enum ota_err err, uint8_t answer)
{
    host->answer = answer;
    host->has_answer = true;
    return fail(host, err);
}

/* ---- What is sent ---------------------------------------------------------------------------- */

static void begin_line(struct ota_esphome_host *host)
{
    host->line_len = 0;
    host->line_sent = 0;
}

static void put(struct ota_esphome_host *host, const void *data, size_t len)
{
    memcpy(host->line + host->line_len, data, len);
    host->line_len = (uint8_t)(host->line_len + len);
}

static void put_byte(struct ota_esphome_host *host, uint8_t byte)
{
    put(host, &byte, 1);
}

static bool has_line(const struct ota_esphome_host *host)
{
    return host->line_sent < host->line_len;
}

enum ota_err ota_esphome_host_begin(struct ota_esphome_host *host,
                                    const struct ota_esphome_host_options *options, uint32_t now_ms)
{
    if (options->crypto == NULL || options->size == 0 || options->size == OTA_SIZE_UNKNOWN ||
        options->read == NULL || (options->password != NULL && options->random == NULL)) {
        return OTA_ERR_ARGUMENT;
    }
    memset(host, 0, sizeof *host);
    host->options = options;
    host->state = OTA_ESPHOME_HOST_CONNECTING;
    host->now_ms = now_ms;
    host->active_ms = now_ms;
    put(host, ota__esphome_magic, ESPHOME_MAGIC_SIZE);
    return OTA_OK;
}

size_t ota_esphome_host_output(struct ota_esphome_host *host, void *buffer, size_t capacity)
{
    const struct ota_esphome_host_options *options = host->options;

    if (has_line(host) && host->state != OTA_ESPHOME_HOST_FAILED) {
        size_t len = ota__min((uint32_t)(host->line_len - host->line_sent), (uint32_t)capacity);
        memcpy(buffer, host->line + host->line_sent, len);
        return len;
    }
    if (host->state != OTA_ESPHOME_HOST_SENDING || host->block == 0) {
        return 0;
    }
    size_t len = capacity < host->block ? capacity : host->block;
    enum ota_err err = options->read(options->context, host->sent, buffer, len);
    if (err != OTA_OK) {
        (void)fail(host, err);
        return 0;
    }
    return len;
}

/* Version 2 answers each block; of version 1 the image is one block that gets no answer. */
static void begin_block(struct ota_esphome_host *host)
{
    uint32_t left = host->options->size - host->sent;

    host->block = host->version == 2 ? ota__min(left, ESPHOME_BLOCK) : left;
}

static void image_sent(struct ota_esphome_host *host, uint32_t len)
{
    host->sent += len;
    host->block -= len;
    host->active_ms = host->now_ms;
    if (host->sent == host->options->size) {
        host->state = OTA_ESPHOME_HOST_PROVING;
        host->step = host->version == 2 ? OTA_ESPHOME_STEP_CHUNK : OTA_ESPHOME_STEP_RECEIVED;
    }
    tell(host, OTA_ESPHOME_HOST_PROGRESS);
    if (host->state == OTA_ESPHOME_HOST_PROVING) {
        tell(host, OTA_ESPHOME_HOST_ALL_SENT);
    }
}

void ota_esphome_host_sent(struct ota_esphome_host *host, size_t len)
{
    if (has_line(host)) {
        host->line_sent = (uint8_t)(host->line_sent + len);
    } else if (len > 0 && host->state == OTA_ESPHOME_HOST_SENDING) {
        image_sent(host, (uint32_t)len);
    }
}

/* ---- What the device answers ----------------------------------------------------------------- */

static enum ota_err take_version(struct ota_esphome_host *host, uint8_t byte)
{
    if (host->awaited == 0) {
        host->awaited = 1;
        return byte == ESPHOME_OK ? OTA_OK : fail_at(host, OTA_ERR_PROTOCOL, byte);
    }
    host->awaited = 0;
    if (byte != 1 && byte != 2) {
        return fail_at(host, OTA_ERR_PROTOCOL, byte);
    }
    host->version = byte;
    host->step = OTA_ESPHOME_STEP_FEATURES;
    begin_line(host);
    put_byte(host, ESPHOME_CLIENT_COMPRESSION | ESPHOME_CLIENT_SHA256 | ESPHOME_CLIENT_EXTENDED);
    return OTA_OK;
}

static enum ota_err take_features(struct ota_esphome_host *host, uint8_t byte)
{
    if (host->awaited == 0 && byte == ESPHOME_FEATURES_FOLLOW) {
        host->awaited = 1;
        host->is_extended = true;
        return OTA_OK;
    }
    if (host->awaited == 1) {
        host->awaited = 0;
        host->features = byte;
    } else if (byte == ESPHOME_COMPRESSION) {
        host->features = ESPHOME_DEVICE_COMPRESSION;
    } else if (byte != ESPHOME_HEADER_OK) {
        return fail_at(host, OTA_ERR_PROTOCOL, byte);
    }
    host->step = OTA_ESPHOME_STEP_AUTH;
    tell(host, OTA_ESPHOME_HOST_CONNECTED);
    return OTA_OK;
}

static enum ota_err let_in(struct ota_esphome_host *host)
{
    uint32_t size = host->options->size;
    const uint8_t bytes[4] = {(uint8_t)(size >> 24), (uint8_t)(size >> 16), (uint8_t)(size >> 8),
                              (uint8_t)size};

    host->step = OTA_ESPHOME_STEP_SIZE;
    host->active_ms = host->now_ms;
    begin_line(host);
    if (host->is_extended) {
        put_byte(host, ESPHOME_TYPE_APP);
    }
    put(host, bytes, sizeof bytes);
    tell(host, OTA_ESPHOME_HOST_LET_IN);
    return OTA_OK;
}

/* The device asks for the password, by this hash. */
static enum ota_err begin_auth(struct ota_esphome_host *host, enum ota_hash_algorithm algorithm)
{
    host->auth = algorithm;
    if (host->options->password == NULL) {
        return fail(host, OTA_ERR_AUTH);
    }
    if (algorithm == OTA_HASH_MD5) {
        if (host->options->refuse_md5) {
            return fail(host, OTA_ERR_AUTH);
        }
        tell(host, OTA_ESPHOME_HOST_WEAK_AUTH);
    }
    host->awaited = (uint8_t)(2 * ota_digest_size(algorithm));
    host->nonce_len = 0;
    return OTA_OK;
}

/* The nonce is whole: sends an own one, and what proves the password with both. */
static enum ota_err answer_auth(struct ota_esphome_host *host)
{
    const struct ota_esphome_host_options *options = host->options;
    uint8_t nonce[ESPHOME_SHA256_DIGITS], number[OTA_SHA256_SIZE];
    size_t digits = host->nonce_len;
    enum ota_err err = options->random(options->context, number, digits / 2);

    if (err != OTA_OK) {
        return fail(host, err);
    }
    memcpy(nonce, host->line, digits);
    begin_line(host);
    ota__esphome_hex(host->line, number, digits / 2);
    err = ota__esphome_response(options->crypto, host->auth, options->password, nonce, host->line,
                                host->line + digits);
    if (err != OTA_OK) {
        return fail(host, err);
    }
    host->line_len = (uint8_t)(2 * digits);
    host->step = OTA_ESPHOME_STEP_AUTH_RESULT;
    return OTA_OK;
}

static enum ota_err take_nonce(struct ota_esphome_host *host, uint8_t byte)
{
    bool is_digit = (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'f') ||
                    (byte >= 'A' && byte <= 'F');

    if (!is_digit) {
        return fail_at(host, OTA_ERR_PROTOCOL, byte);
    }
    host->line[host->nonce_len++] = byte; /* nothing is on its way there */
    if (--host->awaited > 0) {
        return OTA_OK;
    }
    return answer_auth(host);
}

static enum ota_err take_auth(struct ota_esphome_host *host, uint8_t byte)
{
    if (host->awaited > 0) {
        return take_nonce(host, byte);
    }
    switch (byte) {
    case ESPHOME_AUTH_OK:
        return let_in(host);
    case ESPHOME_ASK_MD5:
        return begin_auth(host, OTA_HASH_MD5);
    case ESPHOME_ASK_SHA256:
        return begin_auth(host, OTA_HASH_SHA256);
    default:
        return fail_at(host, OTA_ERR_PROTOCOL, byte);
    }
}

static void send_checksum(struct ota_esphome_host *host)
{
    begin_line(host);
    ota__esphome_hex(host->line, host->options->md5, OTA_MD5_SIZE);
    host->line_len = ESPHOME_MD5_DIGITS;
    host->step = OTA_ESPHOME_STEP_CHECKSUM;
}

static void begin_image(struct ota_esphome_host *host)
{
    host->state = OTA_ESPHOME_HOST_SENDING;
    host->step = host->version == 2 ? OTA_ESPHOME_STEP_CHUNK : OTA_ESPHOME_STEP_RECEIVED;
    begin_block(host);
    tell(host, OTA_ESPHOME_HOST_STARTED);
}

static void chunk_arrived(struct ota_esphome_host *host)
{
    host->confirmed = host->sent;
    if (host->sent < host->options->size) {
        begin_block(host);
    } else {
        host->step = OTA_ESPHOME_STEP_RECEIVED;
    }
}

static void succeed(struct ota_esphome_host *host)
{
    host->state = OTA_ESPHOME_HOST_DONE;
    host->confirmed = host->sent;
    begin_line(host);
    put_byte(host, ESPHOME_OK);
    tell(host, OTA_ESPHOME_HOST_SUCCEEDED);
}

/* The answer to each step from the size on, which is one byte. */
static uint8_t expected_at(enum ota_esphome_host_step step)
{
    switch (step) {
    case OTA_ESPHOME_STEP_AUTH_RESULT:
        return ESPHOME_AUTH_OK;
    case OTA_ESPHOME_STEP_SIZE:
        return ESPHOME_PREPARE_OK;
    case OTA_ESPHOME_STEP_CHECKSUM:
        return ESPHOME_CHECKSUM_OK;
    case OTA_ESPHOME_STEP_CHUNK:
        return ESPHOME_CHUNK_OK;
    case OTA_ESPHOME_STEP_RECEIVED:
        return ESPHOME_RECEIVE_OK;
    default:
        return ESPHOME_END_OK;
    }
}

static enum ota_err take_answer(struct ota_esphome_host *host, uint8_t byte)
{
    /* An image that is not all sent cannot have been received, nor a block. */
    if (byte != expected_at(host->step) || host->block > 0) {
        return fail_at(host, OTA_ERR_PROTOCOL, byte);
    }
    host->active_ms = host->now_ms;
    switch (host->step) {
    case OTA_ESPHOME_STEP_AUTH_RESULT:
        return let_in(host);
    case OTA_ESPHOME_STEP_SIZE:
        send_checksum(host);
        break;
    case OTA_ESPHOME_STEP_CHECKSUM:
        begin_image(host);
        break;
    case OTA_ESPHOME_STEP_CHUNK:
        chunk_arrived(host);
        break;
    case OTA_ESPHOME_STEP_RECEIVED:
        host->step = OTA_ESPHOME_STEP_END;
        break;
    default:
        succeed(host);
        break;
    }
    return OTA_OK;
}

static enum ota_err take(struct ota_esphome_host *host, uint8_t byte)
{
    if (byte >= ESPHOME_ERROR) {
        return fail_at(host, byte == ESPHOME_ERROR_AUTH ? OTA_ERR_AUTH : OTA_ERR_PEER, byte);
    }
    if (has_line(host)) {
        return fail_at(host, OTA_ERR_PROTOCOL, byte); /* an answer to what was not asked */
    }
    if (host->state == OTA_ESPHOME_HOST_CONNECTING) {
        host->state = OTA_ESPHOME_HOST_TALKING;
    }
    switch (host->step) {
    case OTA_ESPHOME_STEP_VERSION:
        return take_version(host, byte);
    case OTA_ESPHOME_STEP_FEATURES:
        return take_features(host, byte);
    case OTA_ESPHOME_STEP_AUTH:
        return take_auth(host, byte);
    default:
        return take_answer(host, byte);
    }
}

/* ---- The connection -------------------------------------------------------------------------- */

enum ota_err ota_esphome_host_input(struct ota_esphome_host *host, const void *data, size_t len)
{
    const uint8_t *bytes = data;

    if (host->state == OTA_ESPHOME_HOST_IDLE) {
        return OTA_ERR_STATE;
    }
    for (size_t i = 0; i < len && !is_over(host); i++) {
        (void)take(host, bytes[i]);
    }
    return host->failure.err;
}

enum ota_err ota_esphome_host_closed(struct ota_esphome_host *host, enum ota_err why)
{
    if (host->state == OTA_ESPHOME_HOST_IDLE) {
        return OTA_ERR_STATE;
    }
    if (!is_over(host)) {
        return fail(host, why == OTA_OK ? OTA_ERR_CONNECTION_LOST : why);
    }
    return host->failure.err;
}

enum ota_err ota_esphome_host_tick(struct ota_esphome_host *host, uint32_t now_ms)
{
    host->now_ms = now_ms;
    if (ota_esphome_host_wait_ms(host) == 0) {
        return fail(host,
                    host->state == OTA_ESPHOME_HOST_CONNECTING ? OTA_ERR_CONNECT : OTA_ERR_TIMEOUT);
    }
    return host->failure.err;
}

uint32_t ota_esphome_host_wait_ms(const struct ota_esphome_host *host)
{
    bool is_let_in = host->step >= OTA_ESPHOME_STEP_SIZE;

    if (is_over(host)) {
        return UINT32_MAX;
    }
    uint32_t limit = is_let_in ? host->options->timeout_ms : host->options->connect_timeout_ms;
    if (limit == 0) {
        limit = is_let_in ? OTA_ESPHOME_HOST_TIMEOUT_MS : OTA_ESPHOME_HOST_CONNECT_TIMEOUT_MS;
    }
    uint32_t passed = host->now_ms - host->active_ms;
    return passed < limit ? limit - passed : 0;
}
