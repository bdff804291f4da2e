/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One HTTP exchange. http-parser does the grammar; this file bounds it, watches the clock and makes
 * one judgement of what the parser and the callbacks find.
 */

#include <updraft/http_client.h>

#include <http_parser.h>

#include "base/mem.h"
#include "proto/http_lines.h"

_Static_assert(sizeof(http_parser) <= OTA_HTTP_PARSER_SIZE, "http_parser has outgrown its place");

/* The parser finds its way back by `data`, set on every use so that a client may be moved. */
static http_parser *parser_of(struct ota_http_client *client)
{
    http_parser *parser = (http_parser *)(void *)client->parser.as.bytes;

    parser->data = client;
    return parser;
}

static struct ota_http_client *client_of(http_parser *parser)
{
    return parser->data;
}

static enum ota_err fail(struct ota_http_client *client, enum ota_err err)
{
    if (client->state != OTA_HTTP_FAILED) {
        client->state = OTA_HTTP_FAILED;
        client->failure = (struct ota_failure){err, client->received};
    }
    return client->failure.err;
}

enum ota_err ota_http_client_begin(struct ota_http_client *client,
                                   const struct ota_http_request *request, uint32_t now_ms)
{
    bool wants = request->wanted != NULL && request->wanted[0] != NULL;

    if (request->method == NULL || request->minor_version > 1 ||
        (request->target == NULL && request->write_target == NULL) ||
        (wants && (request->on_header == NULL || request->buffer_size == 0 ||
                   request->buffer_size > UINT16_MAX))) {
        return OTA_ERR_ARGUMENT;
    }
    memset(client, 0, sizeof *client);
    client->request = request;
    client->state = OTA_HTTP_HEAD;
    client->now_ms = now_ms;
    client->active_ms = now_ms;
    http_parser_init(parser_of(client), HTTP_RESPONSE);
    return OTA_OK;
}

size_t ota_http_client_output(const struct ota_http_client *client, void *buffer, size_t capacity)
{
    const struct ota_http_request *request = client->request;
    struct ota_text text;

    if (client->state != OTA_HTTP_HEAD && client->state != OTA_HTTP_BODY) {
        return 0;
    }
    ota_text_window(&text, buffer, capacity, client->sent);
    ota_text_put(&text, request->method);
    ota_text_put(&text, " ");
    if (request->target != NULL) {
        ota_text_put(&text, request->target);
    } else {
        request->write_target(request->context, &text);
    }
    ota_text_put(&text, request->minor_version == 0 ? " HTTP/1.0\r\n" : " HTTP/1.1\r\n");
    if (request->write_headers != NULL) {
        request->write_headers(request->context, &text);
    }
    ota_text_put(&text, "\r\n");
    if (request->body != NULL) {
        ota_text_put_bytes(&text, request->body, request->body_len);
    }
    return ota_text_stored(&text);
}

void ota_http_client_sent(struct ota_http_client *client, size_t len)
{
    client->sent += len;
}

/* ---- What the parser finds ------------------------------------------------------------------- */

/* Ends the parser's run with this cause. */
static int refuse(struct ota_http_client *client, enum ota_err err)
{
    (void)fail(client, err);
    return -1;
}

static int judge(struct ota_http_client *client, enum ota_err err)
{
    return err == OTA_OK ? 0 : refuse(client, err);
}

/* A header line is whole: name and value have been collected. */
static enum ota_err header_ends(struct ota_http_client *client)
{
    const struct ota_http_request *request = client->request;

    if (!client->lines.in_value) {
        return OTA_OK;
    }
    int index = ota__http_lines_find(&client->lines, request->wanted);
    ota__http_lines_end(&client->lines, request->buffer, index >= 0);
    if (index < 0 || client->is_interim) {
        return OTA_OK;
    }
    return request->on_header(request->context, (unsigned)index, request->buffer);
}

static int on_message_begin(http_parser *parser)
{
    struct ota_http_client *client = client_of(parser);

    client->is_interim = false;
    client->lines.in_value = false;
    client->lines.name_len = 0;
    return 0;
}

static int on_header_field(http_parser *parser, const char *at, size_t len)
{
    struct ota_http_client *client = client_of(parser);

    if (client->state != OTA_HTTP_HEAD) {
        return 0; /* a trailer behind the last chunk */
    }
    client->response.status = (uint16_t)parser->status_code;
    enum ota_err err = header_ends(client);
    if (err == OTA_OK) {
        err = ota__http_lines_name(&client->lines, at, len, OTA_HTTP_HEAD_MAX);
    }
    return judge(client, err);
}

static int on_header_value(http_parser *parser, const char *at, size_t len)
{
    struct ota_http_client *client = client_of(parser);
    const struct ota_http_request *request = client->request;

    if (client->state != OTA_HTTP_HEAD) {
        return 0;
    }
    client->is_interim = parser->status_code < 200;
    return judge(client,
                 ota__http_lines_value(&client->lines, at, len, OTA_HTTP_HEAD_MAX, request->buffer,
                                       request->buffer_size,
                                       ota__http_lines_find(&client->lines, request->wanted) >= 0));
}

/* Checks what the head says of the body's length, and notes it. */
static enum ota_err note_framing(struct ota_http_client *client, const http_parser *parser)
{
    struct ota_http_response *response = &client->response;
    bool has_length = (parser->flags & F_CONTENTLENGTH) != 0;

    response->status = (uint16_t)parser->status_code;
    response->minor_version = (uint8_t)(parser->http_minor > 0);
    response->chunked = (parser->flags & F_CHUNKED) != 0;
    response->length = OTA_SIZE_UNKNOWN;
    if (parser->http_major != 1 || response->status < 100) {
        return OTA_ERR_HTTP_SYNTAX;
    }
    if (parser->uses_transfer_encoding &&
        (!response->chunked || client->lines.coding_is_foreign || response->minor_version == 0)) {
        return OTA_ERR_HTTP_HEADER;
    }
    if (has_length) {
        if (parser->content_length >= OTA_SIZE_UNKNOWN) {
            return OTA_ERR_TOO_LARGE;
        }
        response->length = (uint32_t)parser->content_length;
    }
    return OTA_OK;
}

/* Returns what http-parser wants to hear: 0 go on, 1 there is no body, -1 stop. */
static int on_headers_complete(http_parser *parser)
{
    struct ota_http_client *client = client_of(parser);
    const struct ota_http_request *request = client->request;
    unsigned status = parser->status_code;

    client->is_interim = status >= 100 && status < 200;
    enum ota_err err = header_ends(client);
    if (err != OTA_OK) {
        return refuse(client, err);
    }
    if (client->is_interim) {
        bool too_many = ++client->interim_count > OTA_HTTP_INTERIM_MAX;
        return status == 101 || too_many ? refuse(client, OTA_ERR_HTTP_SYNTAX) : 1;
    }
    err = note_framing(client, parser);
    if (err != OTA_OK) {
        return refuse(client, err);
    }
    client->skips_body = status == 204 || status == 304 || ota_text_same(request->method, "HEAD");
    client->state = OTA_HTTP_BODY;
    client->active_ms = client->now_ms;
    client->stretch_ms = client->now_ms;
    if (request->on_head != NULL) {
        err = request->on_head(request->context, &client->response);
        if (err != OTA_OK) {
            return refuse(client, err);
        }
    }
    return client->skips_body ? 1 : 0;
}

/* A stretch that has brought its least begins anew. */
static void follow_pace(struct ota_http_client *client)
{
    uint32_t least = client->request->body_least;

    least = least != 0 ? least : OTA_HTTP_BODY_LEAST;
    if (client->received - client->stretch_received >= least) {
        client->stretch_ms = client->now_ms;
        client->stretch_received = client->received;
    }
}

static int on_body(http_parser *parser, const char *at, size_t len)
{
    struct ota_http_client *client = client_of(parser);
    const struct ota_http_request *request = client->request;

    if (len > OTA_SIZE_UNKNOWN - 1 - client->received) {
        return refuse(client, OTA_ERR_TOO_LARGE);
    }
    client->active_ms = client->now_ms;
    enum ota_err err =
        request->on_body == NULL ? OTA_OK : request->on_body(request->context, at, len);
    if (err == OTA_OK) {
        client->received += (uint32_t)len;
        follow_pace(client);
    }
    return judge(client, err);
}

static int on_message_complete(http_parser *parser)
{
    struct ota_http_client *client = client_of(parser);

    if (!client->is_interim) {
        client->state = OTA_HTTP_DONE;
        http_parser_pause(parser, 1);
    }
    return 0;
}

static const http_parser_settings settings = {
    .on_message_begin = on_message_begin,
    .on_header_field = on_header_field,
    .on_header_value = on_header_value,
    .on_headers_complete = on_headers_complete,
    .on_body = on_body,
    .on_message_complete = on_message_complete,
};

static enum ota_err parser_error(enum http_errno number)
{
    switch (number) {
    case HPE_HEADER_OVERFLOW:
    case HPE_INVALID_CONTENT_LENGTH:
    case HPE_UNEXPECTED_CONTENT_LENGTH:
    case HPE_INVALID_TRANSFER_ENCODING:
        return OTA_ERR_HTTP_HEADER;
    default:
        return OTA_ERR_HTTP_SYNTAX;
    }
}

/* ---- The connection -------------------------------------------------------------------------- */

enum ota_err ota_http_client_input(struct ota_http_client *client, const void *data, size_t len)
{
    http_parser *parser = parser_of(client);
    size_t taken = 0;

    if (client->state == OTA_HTTP_IDLE) {
        return OTA_ERR_STATE;
    }
    if (client->state == OTA_HTTP_FAILED) {
        return client->failure.err;
    }
    if (len == 0) {
        return OTA_OK; /* to the parser, nothing means the end */
    }
    if (client->state != OTA_HTTP_DONE) {
        taken = http_parser_execute(parser, &settings, data, len);
        if (client->state == OTA_HTTP_FAILED) {
            return client->failure.err;
        }
        if (client->state != OTA_HTTP_DONE && HTTP_PARSER_ERRNO(parser) != HPE_OK) {
            return fail(client, parser_error(HTTP_PARSER_ERRNO(parser)));
        }
    }
    /* A 304 with a body breaks the rules (RFC 9110 section 15.4.5), but servers are known to send
       one and nothing is lost with it. */
    if (taken < len && !client->skips_body) {
        return fail(client, OTA_ERR_TOO_LARGE);
    }
    return OTA_OK;
}

enum ota_err ota_http_client_closed(struct ota_http_client *client)
{
    switch (client->state) {
    case OTA_HTTP_IDLE:
        return OTA_ERR_STATE;
    case OTA_HTTP_HEAD:
        return fail(client, OTA_ERR_CONNECTION_LOST);
    case OTA_HTTP_BODY:
        (void)http_parser_execute(parser_of(client), &settings, NULL, 0);
        return client->state == OTA_HTTP_DONE ? OTA_OK : fail(client, OTA_ERR_INCOMPLETE);
    case OTA_HTTP_DONE:
        return OTA_OK;
    default:
        return client->failure.err;
    }
}

enum ota_err ota_http_client_tick(struct ota_http_client *client, uint32_t now_ms)
{
    client->now_ms = now_ms;
    if (client->state == OTA_HTTP_FAILED) {
        return client->failure.err;
    }
    return ota_http_client_wait_ms(client) == 0 ? fail(client, OTA_ERR_TIMEOUT) : OTA_OK;
}

static uint32_t left(const struct ota_http_client *client, uint32_t since_ms, uint32_t limit)
{
    uint32_t passed = client->now_ms - since_ms;

    return passed < limit ? limit - passed : 0;
}

uint32_t ota_http_client_wait_ms(const struct ota_http_client *client)
{
    const struct ota_http_request *request = client->request;
    uint32_t limit;

    if (client->state == OTA_HTTP_HEAD) {
        limit = request->head_timeout_ms;
        return left(client, client->active_ms, limit != 0 ? limit : OTA_HTTP_HEAD_TIMEOUT_MS);
    }
    if (client->state == OTA_HTTP_BODY) {
        limit = request->body_timeout_ms;
        limit = limit != 0 ? limit : OTA_HTTP_BODY_TIMEOUT_MS;
        uint32_t silence = left(client, client->active_ms, limit);
        uint32_t stretch = left(client, client->stretch_ms, limit);
        return silence < stretch ? silence : stretch;
    }
    return UINT32_MAX;
}
