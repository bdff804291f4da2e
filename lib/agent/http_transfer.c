/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files over http and https: one HTTP exchange after another on the platform's connections. States
 * and answers are drawn in updraft/http_transfer.h; the head of an answer is judged in
 * http_transfer_answer.c.
 *
 * T1 Body reaches the reader only after a head that was judged good, and goes where
 *    transfer->offset says.
 * T2 A connection is used again only if the answer before was whole and the server has not said
 *    that it closes.
 */

#include <string.h>

#include "agent/connect.h"
#include "agent/http_transfer_private.h"
#include "agent/turn.h"
#include "proto/http_basic.h"

/* What is sent is composed this much at a time. */
#define PIECE 512u

static uint32_t now_ms(const struct ota_http_transfer *transfer)
{
    return transfer->options.platform->now_ms(transfer->options.platform);
}

static enum ota_err fail(struct ota_http_transfer *transfer, enum ota_err err)
{
    ota__disconnect(&transfer->stream);
    transfer->state = OTA_TRANSFER_FAILED;
    transfer->failure = (struct ota_failure){err, transfer->offset};
    return err;
}

/* ---- The request ----------------------------------------------------------------------------- */

static void write_target(void *context, struct ota_text *text)
{
    const struct ota_http_transfer *transfer = context;
    struct ota__url url;

    (void)ota__url_parse(&url, transfer->url);
    ota__url_put_target(text, &url);
}

static bool wants_range(const struct ota_http_transfer *transfer)
{
    return transfer->range_from > 0 || transfer->range_to != OTA_SIZE_UNKNOWN;
}

static void write_range(const struct ota_http_transfer *transfer, struct ota_text *text)
{
    ota_text_put(text, "Range: bytes=");
    ota_text_put_decimal(text, transfer->range_from);
    ota_text_put(text, "-");
    if (transfer->range_to != OTA_SIZE_UNKNOWN) {
        ota_text_put_decimal(text, transfer->range_to - 1);
    }
    ota_text_put(text, "\r\n");
    if (transfer->if_range != NULL) {
        ota_text_put(text, "If-Range: ");
        ota_text_put(text, transfer->if_range);
        ota_text_put(text, "\r\n");
    }
}

/* Lines that only the first host may see. */
static void write_own_lines(const struct ota_http_transfer *transfer, struct ota_text *text)
{
    const struct ota_http_transfer_options *options = &transfer->options;
    char credentials[OTA_HTTP_CREDENTIALS_MAX];
    size_t len = 0;

    if (ota__http_credentials(options->credentials, options->url, credentials, sizeof credentials,
                              &len) == OTA_OK &&
        len > 0) {
        ota_text_put(text, "Authorization: ");
        ota__http_put_basic(text, credentials, len);
        ota_text_put(text, "\r\n");
    }
    if (options->write_headers != NULL) {
        options->write_headers(options->context, text);
    }
}

static void write_headers(void *context, struct ota_text *text)
{
    const struct ota_http_transfer *transfer = context;
    struct ota__url url;

    (void)ota__url_parse(&url, transfer->url);
    ota_text_put(text, "Host: ");
    ota__url_put_host(text, &url);
    ota_text_put(text, "\r\nUser-Agent: Updraft\r\n");
    if (!transfer->options.keep_alive) {
        ota_text_put(text, "Connection: close\r\n");
    }
    if (wants_range(transfer)) {
        write_range(transfer, text);
    }
    if (!transfer->away) {
        write_own_lines(transfer, text);
    }
}

/* The body lies in the reader's memory already, behind where it belongs by what frames it. */
static enum ota_err on_body(void *context, const void *data, size_t len)
{
    struct ota_http_transfer *transfer = context;

    memmove(transfer->out + transfer->out_len, data, len);
    transfer->out_len += len;
    return OTA_OK;
}

/* ---- The connection -------------------------------------------------------------------------- */

static bool may_go(const struct ota_http_transfer *transfer, const struct ota__url *url)
{
    const struct ota_http_transfer_options *options = &transfer->options;

    if (url->host.len > OTA_HTTP_HOST_MAX) {
        return false;
    }
    if (url->secure) {
        return options->secure != NULL;
    }
    return !options->refuse_http &&
           (transfer->redirects == 0 || !transfer->is_secure || options->allow_downgrade);
}

static bool is_same_peer(const struct ota_http_transfer *transfer, const struct ota__url *url)
{
    return transfer->port == url->port && transfer->is_secure == url->secure &&
           ota_text_same_bytes(url->host.at, url->host.len, transfer->host);
}

/* Notes where the present URL points. Returns OTA_ERR_URL if it may not be gone there. */
static enum ota_err aim(struct ota_http_transfer *transfer)
{
    struct ota__url url, first;

    if (ota__url_parse(&url, transfer->url) != OTA_OK || !may_go(transfer, &url)) {
        return OTA_ERR_URL;
    }
    if (!is_same_peer(transfer, &url)) {
        ota__disconnect(&transfer->stream);
    }
    memcpy(transfer->host, url.host.at, url.host.len);
    transfer->host[url.host.len] = '\0';
    transfer->port = url.port;
    transfer->is_secure = url.secure;
    (void)ota__url_parse(&first, transfer->options.url);
    transfer->away = !ota__url_keeps_trust(&first, &url);
    return OTA_OK;
}

static enum ota_err connect_stream(struct ota_http_transfer *transfer)
{
    const struct ota__peer peer = {
        .host = transfer->host,
        .port = transfer->port,
        .secure = transfer->is_secure ? transfer->options.secure : NULL,
        .ca_pem = transfer->options.ca_pem,
    };

    transfer->is_reused = transfer->stream != NULL;
    if (transfer->is_reused) {
        return OTA_OK;
    }
    transfer->connections++;
    return ota__connect(transfer->options.platform, &peer, &transfer->stream);
}

/* Sends the request for the present URL, on the connection that is there or a new one. */
static enum ota_err ask(struct ota_http_transfer *transfer)
{
    const struct ota_http_transfer_options *options = &transfer->options;
    enum ota_err err = connect_stream(transfer);

    if (err != OTA_OK) {
        return fail(transfer, err);
    }
    ota__transfer_forget_answer(transfer);
    transfer->request = (struct ota_http_request){
        .method = "GET",
        .minor_version = 1,
        .write_target = write_target,
        .write_headers = write_headers,
        .wanted = ota__transfer_wanted,
        .on_header = ota__transfer_on_header,
        .on_head = ota__transfer_on_head,
        .on_body = on_body,
        .context = transfer,
        .buffer = options->text + transfer->url_size,
        .buffer_size = transfer->url_size,
        .head_timeout_ms = options->head_timeout_ms,
        .body_timeout_ms = options->body_timeout_ms,
        .body_least = options->body_least,
    };
    (void)ota_http_client_begin(&transfer->http, &transfer->request, now_ms(transfer));
    transfer->state = OTA_TRANSFER_ASKING;
    return OTA_OK;
}

/* A kept connection may have been closed by the server in the meantime: asked once more on a new
   one, if nothing has been answered. */
static enum ota_err lost(struct ota_http_transfer *transfer, enum ota_err err)
{
    bool may_ask_again = transfer->is_reused && !transfer->is_answered &&
                         (err == OTA_ERR_CONNECTION_LOST || err == OTA_ERR_INCOMPLETE);

    ota__disconnect(&transfer->stream);
    return may_ask_again ? ask(transfer) : fail(transfer, err);
}

static enum ota_err follow(struct ota_http_transfer *transfer)
{
    enum ota_err err;

    transfer->is_redirected = false;
    transfer->redirects++;
    ota__disconnect(&transfer->stream);
    err = aim(transfer);
    return err == OTA_OK ? ask(transfer) : fail(transfer, OTA_ERR_HTTP_REDIRECT);
}

/* ---- The answer ------------------------------------------------------------------------------ */

static void send_some(struct ota_http_transfer *transfer, enum ota_err *err)
{
    uint8_t piece[PIECE];
    size_t len;

    /* An answer that begins before the request is out has overtaken it, and may have changed the
       URL that the rest would be made of. */
    while (*err == OTA_OK && transfer->seen == 0 && !transfer->is_asked) {
        size_t sent = 0;
        len = ota_http_client_output(&transfer->http, piece, sizeof piece);
        if (len > 0) {
            *err = transfer->stream->write(transfer->stream, piece, len, &sent);
            ota_http_client_sent(&transfer->http, sent);
        }
        transfer->is_asked = len == 0;
        if (sent < len) {
            return;
        }
    }
}

/* The exchange has come to its end. */
static enum ota_err complete(struct ota_http_transfer *transfer)
{
    if (transfer->body_end != OTA_SIZE_UNKNOWN && transfer->offset != transfer->body_end) {
        return fail(transfer, OTA_ERR_INCOMPLETE);
    }
    if (transfer->size == OTA_SIZE_UNKNOWN) {
        transfer->size = transfer->offset; /* the end has told it */
    }
    if (!transfer->options.keep_alive || transfer->closes || !transfer->is_asked) {
        ota__disconnect(&transfer->stream);
    }
    transfer->state = OTA_TRANSFER_DONE;
    return OTA_OK;
}

/* Looks at what the exchange has come to. */
static enum ota_err consider(struct ota_http_transfer *transfer, enum ota_err err, size_t *len)
{
    *len = transfer->out_len;
    if (transfer->is_redirected) {
        *len = 0;
        return follow(transfer);
    }
    if (transfer->out_len > OTA_SIZE_UNKNOWN - 1 - transfer->offset) {
        err = OTA_ERR_TOO_LARGE;
    }
    if (err != OTA_OK) {
        *len = 0;
        return lost(transfer, err);
    }
    transfer->offset += (uint32_t)transfer->out_len;
    return transfer->http.state == OTA_HTTP_DONE ? complete(transfer) : OTA_OK;
}

/* Reads once from the stream into the reader's memory, and lets the exchange take it apart
   there. */
static enum ota_err receive_once(struct ota_http_transfer *transfer, void *data, size_t capacity,
                                 size_t *got, size_t *len)
{
    bool ended = false;
    enum ota_err err;

    *got = 0;
    transfer->out = data;
    transfer->out_len = 0;
    err = transfer->stream->read(transfer->stream, data, capacity, got, &ended);
    if (err == OTA_OK && *got > 0) {
        transfer->is_answered = true;
        err = ota_http_client_input(&transfer->http, data, *got);
    }
    if (err == OTA_OK && ended && transfer->http.state != OTA_HTTP_DONE) {
        err = ota_http_client_closed(&transfer->http);
    }
    transfer->closes = transfer->closes || ended;
    return consider(transfer, err, len);
}

enum ota_err ota_http_transfer_read(struct ota_http_transfer *transfer, void *data, size_t capacity,
                                    size_t *len)
{
    enum ota_err err;
    size_t got;

    *len = 0;
    if (transfer->state == OTA_TRANSFER_FAILED) {
        return transfer->failure.err;
    }
    if (transfer->state != OTA_TRANSFER_ASKING && transfer->state != OTA_TRANSFER_RECEIVING) {
        return transfer->state == OTA_TRANSFER_DONE ? OTA_OK : OTA_ERR_STATE;
    }
    if (capacity == 0) {
        return OTA_OK;
    }
    err = ota_http_client_tick(&transfer->http, now_ms(transfer));
    if (err != OTA_OK) {
        return fail(transfer, err);
    }
    send_some(transfer, &err);
    if (err != OTA_OK) {
        return lost(transfer, err);
    }
    /* Heads may take several reads; the first that brings body, or nothing at all, is the last. */
    do {
        err = receive_once(transfer, data, capacity, &got, len);
    } while (err == OTA_OK && *len == 0 && got > 0 && transfer->http.state == OTA_HTTP_HEAD &&
             transfer->stream != NULL && transfer->is_answered);
    return err;
}

/* ---- Beginning and end ----------------------------------------------------------------------- */

enum ota_err ota_http_transfer_begin(struct ota_http_transfer *transfer,
                                     const struct ota_http_transfer_options *options)
{
    char credentials[OTA_HTTP_CREDENTIALS_MAX];
    size_t len;

    if (options->platform == NULL || options->url == NULL || options->text == NULL ||
        options->text_size < OTA_HTTP_TEXT_MIN) {
        return OTA_ERR_ARGUMENT;
    }
    memset(transfer, 0, sizeof *transfer);
    transfer->options = *options;
    transfer->url = options->text;
    transfer->url_size = options->text_size / 2 < UINT16_MAX ? options->text_size / 2 : UINT16_MAX;
    transfer->size = OTA_SIZE_UNKNOWN;
    len = strlen(options->url);
    if (len >= transfer->url_size) {
        return OTA_ERR_URL;
    }
    memcpy(transfer->url, options->url, len + 1);
    if (aim(transfer) != OTA_OK) {
        return OTA_ERR_URL;
    }
    return ota__http_credentials(options->credentials, options->url, credentials,
                                 sizeof credentials, &len);
}

enum ota_err ota_http_transfer_get(struct ota_http_transfer *transfer, uint32_t offset,
                                   uint32_t len, const char *if_range)
{
    if (transfer->state == OTA_TRANSFER_ASKING || transfer->state == OTA_TRANSFER_RECEIVING) {
        return OTA_ERR_STATE;
    }
    transfer->offset = offset;
    transfer->range_from = offset;
    transfer->range_to =
        len == 0 || len > OTA_SIZE_UNKNOWN - 1 - offset ? OTA_SIZE_UNKNOWN : offset + len;
    transfer->if_range = if_range;
    transfer->redirects = 0;
    transfer->failure = (struct ota_failure){OTA_OK, 0};
    return ask(transfer);
}

uint32_t ota_http_transfer_wait_ms(const struct ota_http_transfer *transfer)
{
    if (transfer->state != OTA_TRANSFER_ASKING && transfer->state != OTA_TRANSFER_RECEIVING) {
        return 0;
    }
    uint32_t wait = ota_http_client_wait_ms(&transfer->http);
    return wait < OTA__LOOK_MS ? wait : OTA__LOOK_MS;
}

bool ota_http_transfer_is_part(const struct ota_http_transfer *transfer)
{
    return transfer->status == 206;
}

void ota_http_transfer_end(struct ota_http_transfer *transfer)
{
    ota__disconnect(&transfer->stream);
    transfer->state = OTA_TRANSFER_IDLE;
}
