/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The stream: reads and writes that carry the handshake on, and then the data, without waiting.
 *
 * S1 Data passes in either direction only in OPEN, after a handshake in which the certificate was
 *    found good, or a session resumed that rests on one.
 * S2 What a write has taken is Mbed TLS's or in `out`; nothing more is taken until that is sent.
 * S3 After an error Mbed TLS is not called again.
 */

#include <string.h>

#include <mbedtls/platform.h>

#include "tls/tls_private.h"

/* One call takes this much from the inner stream at most, whatever comes. */
#define BUDGET 65536u

static bool would_block(int code)
{
    return code == MBEDTLS_ERR_SSL_WANT_READ || code == MBEDTLS_ERR_SSL_WANT_WRITE;
}

/* ---- The inner stream, as Mbed TLS sees it --------------------------------------------------- */

static int inner_failed(struct ota__tls_stream *stream, enum ota_err err)
{
    stream->inner_err = err;
    return MBEDTLS_ERR_SSL_INTERNAL_ERROR;
}

static int receive(void *context, unsigned char *data, size_t capacity)
{
    struct ota__tls_stream *stream = context;
    size_t len = 0;
    bool ended = false;

    if (capacity > stream->budget) {
        capacity = stream->budget;
    }
    if (capacity == 0) {
        return MBEDTLS_ERR_SSL_WANT_READ;
    }
    enum ota_err err = stream->inner->read(stream->inner, data, capacity, &len, &ended);
    if (err != OTA_OK) {
        return inner_failed(stream, err);
    }
    if (len == 0) {
        return ended ? 0 : MBEDTLS_ERR_SSL_WANT_READ;
    }
    stream->budget -= (uint32_t)len;
    return (int)len;
}

static int transmit(void *context, const unsigned char *data, size_t len)
{
    struct ota__tls_stream *stream = context;
    size_t sent = 0;
    enum ota_err err = stream->inner->write(stream->inner, data, len, &sent);

    if (err != OTA_OK) {
        return inner_failed(stream, err);
    }
    return sent > 0 ? (int)sent : MBEDTLS_ERR_SSL_WANT_WRITE;
}

/* ---- Failing --------------------------------------------------------------------------------- */

static enum ota_err judge(const struct ota__tls_stream *stream, int code)
{
    uint32_t flags = stream->flags;

    if (stream->inner_err != OTA_OK) {
        return stream->inner_err;
    }
    if (ota__tls_is_memory(code)) {
        return OTA_ERR_NO_MEMORY;
    }
    if (stream->phase == OTA__TLS_HANDSHAKE && stream->was_verified) {
        uint32_t result = mbedtls_ssl_get_verify_result(&stream->ssl);
        flags |= result != UINT32_MAX ? result : 0;
    }
    if (flags != 0) {
        return ota__tls_verdict(stream, flags);
    }
    return code == MBEDTLS_ERR_SSL_CONN_EOF || code == 0 ? OTA_ERR_CONNECTION_LOST : OTA_ERR_TLS;
}

/* "the handshake failed: Mbed TLS -0x7780" */
static void log_code(const struct ota__tls_stream *stream, int code)
{
    const uint8_t bytes[2] = {(uint8_t)((unsigned)-code >> 8), (uint8_t)-code};
    char text[8];
    struct ota_text digits;

    ota_text_begin(&digits, text, sizeof text);
    ota_text_put_hex(&digits, bytes, sizeof bytes, 0, false);
    ota__tls_log(stream, OTA_LOG_WARNING,
                 stream->phase == OTA__TLS_HANDSHAKE ? "the handshake failed: Mbed TLS -0x"
                                                     : "the connection failed: Mbed TLS -0x",
                 ota_text_end(&digits));
}

static enum ota_err fail(struct ota__tls_stream *stream, int code)
{
    enum ota_err err = judge(stream, code);

    if (err == OTA_ERR_TLS) {
        log_code(stream, code);
    }
    if (stream->has_offered) {
        ota__tls_session_drop(stream);
    }
    stream->err = err;
    stream->phase = OTA__TLS_FAILED;
    return err;
}

/* ---- Going on -------------------------------------------------------------------------------- */

static void handshake_done(struct ota__tls_stream *stream)
{
    struct ota_tls *tls = stream->tls;

    stream->phase = OTA__TLS_OPEN;
    tls->handshakes++;
    tls->resumptions += stream->was_verified ? 0 : 1;
    ota__tls_session_keep(stream);
}

/* Sends what an earlier write took. */
static enum ota_err flush(struct ota__tls_stream *stream)
{
    while (stream->pending_at < stream->pending) {
        int code = mbedtls_ssl_write(&stream->ssl, stream->out + stream->pending_at,
                                     stream->pending - stream->pending_at);
        if (would_block(code)) {
            return OTA_OK;
        }
        if (code < 0) {
            return fail(stream, code);
        }
        stream->pending_at += (size_t)code;
    }
    stream->pending = 0;
    stream->pending_at = 0;
    return OTA_OK;
}

/* Carries on whatever was begun. Returns why nothing more can come of it, or OTA_OK. */
static enum ota_err go_on(struct ota__tls_stream *stream)
{
    stream->budget = BUDGET;
    if (stream->phase == OTA__TLS_FAILED) {
        return stream->err;
    }
    if (stream->phase == OTA__TLS_HANDSHAKE) {
        int code = mbedtls_ssl_handshake(&stream->ssl);
        if (would_block(code)) {
            return OTA_OK;
        }
        if (code != 0) {
            return fail(stream, code);
        }
        handshake_done(stream);
    }
    return stream->phase == OTA__TLS_OPEN ? flush(stream) : OTA_OK;
}

static enum ota_err stream_read(struct ota_stream *self, void *data, size_t capacity, size_t *len,
                                bool *ended)
{
    struct ota__tls_stream *stream = (struct ota__tls_stream *)self;
    enum ota_err err = go_on(stream);

    *len = 0;
    *ended = stream->phase == OTA__TLS_ENDED;
    if (err != OTA_OK || stream->phase != OTA__TLS_OPEN || capacity == 0) {
        return err;
    }
    int code = mbedtls_ssl_read(&stream->ssl, data, capacity);
    if (would_block(code)) {
        return OTA_OK;
    }
    if (code == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY) {
        stream->phase = OTA__TLS_ENDED;
        *ended = true;
        return OTA_OK;
    }
    if (code <= 0) {
        return fail(stream, code); /* 0: the connection has ended without close_notify */
    }
    *len = (size_t)code;
    return OTA_OK;
}

static enum ota_err stream_write(struct ota_stream *self, const void *data, size_t len,
                                 size_t *sent)
{
    struct ota__tls_stream *stream = (struct ota__tls_stream *)self;
    const uint8_t *bytes = data;
    enum ota_err err = go_on(stream);

    *sent = 0;
    while (err == OTA_OK && stream->phase == OTA__TLS_OPEN && stream->pending == 0 && *sent < len) {
        size_t n = len - *sent < sizeof stream->out ? len - *sent : sizeof stream->out;
        memcpy(stream->out, bytes + *sent, n);
        stream->pending = n;
        *sent += n;
        err = flush(stream);
    }
    return err == OTA_OK && stream->phase == OTA__TLS_ENDED ? OTA_ERR_CONNECTION_LOST : err;
}

static void stream_close(struct ota_stream *self)
{
    struct ota__tls_stream *stream = (struct ota__tls_stream *)self;
    struct ota_stream *inner = stream->inner;

    if (stream->phase == OTA__TLS_OPEN || stream->phase == OTA__TLS_ENDED) {
        (void)mbedtls_ssl_close_notify(&stream->ssl); /* as far as it can be sent at once */
    }
    ota__tls_stream_free(stream);
    inner->close(inner);
}

void ota__tls_stream_init(struct ota__tls_stream *stream)
{
    stream->stream = (struct ota_stream){
        .read = stream_read,
        .write = stream_write,
        .close = stream_close,
    };
    mbedtls_ssl_set_bio(&stream->ssl, stream, transmit, receive, NULL);
    stream->tls->open_streams++;
}

void ota__tls_stream_free(struct ota__tls_stream *stream)
{
    if (stream->stream.close != NULL) {
        stream->tls->open_streams--;
    }
    mbedtls_ssl_free(&stream->ssl);
    mbedtls_ssl_config_free(&stream->config);
    ota__tls_trust_free(stream->own_trust);
    mbedtls_free(stream);
}
