/* SPDX-License-Identifier: Apache-2.0 */
/* Reading requests: http-parser does the grammar, this file bounds it, and tells the handler what
   there is. */

#include <http_parser.h>

#include "base/mem.h"
#include "proto/http_lines.h"
#include "proto/http_server_private.h"

_Static_assert(sizeof(http_parser) <= OTA_HTTP_PARSER_SIZE, "http_parser has outgrown its place");

/* The parser finds its way back by `data`, set on every use so that a connection may be moved. */
static http_parser *parser_of(struct ota_http_server *server)
{
    http_parser *parser = (http_parser *)(void *)server->parser.as.bytes;

    parser->data = server;
    return parser;
}

static struct ota_http_server *server_of(http_parser *parser)
{
    return parser->data;
}

void ota__http_server_parser_init(struct ota_http_server *server)
{
    http_parser_init(parser_of(server), HTTP_REQUEST);
}

/* ---- What the parser finds ------------------------------------------------------------------- */

/* Ends the parser's run. */
static int stop(struct ota_http_server *server, unsigned status, enum ota_err why)
{
    ota__http_server_give_up(server, status, why);
    return -1;
}

static uint8_t method_of(unsigned method)
{
    switch (method) {
    case HTTP_GET:
        return OTA_HTTP_GET;
    case HTTP_HEAD:
        return OTA_HTTP_HEAD_ONLY;
    case HTTP_POST:
        return OTA_HTTP_POST;
    case HTTP_PUT:
        return OTA_HTTP_PUT;
    case HTTP_OPTIONS:
        return OTA_HTTP_OPTIONS;
    default:
        return OTA_HTTP_OTHER;
    }
}

/* The part of a target behind scheme and host, if it has them (RFC 9112 section 3.2.2). */
static const char *path_of(const char *target)
{
    size_t at = 0;

    if (target[0] == '/' || target[0] == '*') {
        return target;
    }
    while (target[at] != '\0' && target[at] != ':') {
        at++;
    }
    if (target[at] == '\0' || target[at + 1] != '/' || target[at + 2] != '/') {
        return NULL;
    }
    at += 3;
    while (target[at] != '\0' && target[at] != '/') {
        at++;
    }
    return target[at] == '\0' ? "/" : target + at;
}

/* How much of the buffer a target or a value may take. */
static size_t room_of(const struct ota_http_server *server)
{
    return (size_t)(server->buffer_size - server->kept);
}

static int on_url(http_parser *parser, const char *at, size_t len)
{
    struct ota_http_server *server = server_of(parser);

    if (len >= room_of(server) - server->target_len) {
        server->method = method_of(parser->method);
        return stop(server, 414, OTA_ERR_HTTP_HEADER);
    }
    memcpy(server->buffer + server->target_len, at, len);
    server->target_len = (uint16_t)(server->target_len + len);
    return 0;
}

/* The request line is whole; the first time after it that something comes. */
static int request_line_ends(struct ota_http_server *server, const http_parser *parser)
{
    if (server->told) {
        return 0;
    }
    server->method = method_of(parser->method);
    server->buffer[server->target_len] = '\0';
    const char *path = path_of(server->buffer);
    if (parser->http_major != 1) {
        return stop(server, 505, OTA_ERR_HTTP_SYNTAX);
    }
    if (parser->method == HTTP_CONNECT || parser->method == HTTP_TRACE) {
        return stop(server, 501, OTA_ERR_HTTP_SYNTAX);
    }
    if (path == NULL) {
        return stop(server, 400, OTA_ERR_HTTP_SYNTAX);
    }
    server->told = true;
    server->requests++;
    server->handler->on_request(server->context, (enum ota_http_method)server->method, path);
    return 0;
}

/* Of what is not wanted, Expect is still looked at, and Host counted. */
static bool keeps_value(const struct ota_http_server *server)
{
    return ota__http_lines_find(&server->lines, server->handler->wanted) >= 0 ||
           ota__http_lines_is(&server->lines, "Expect");
}

static void header_ends(struct ota_http_server *server)
{
    struct ota_http_lines *lines = &server->lines;

    if (!lines->in_value) {
        return;
    }
    int index = ota__http_lines_find(lines, server->handler->wanted);
    bool is_expect = ota__http_lines_is(lines, "Expect");
    if (ota__http_lines_is(lines, "Host") && server->hosts < 2) {
        server->hosts++;
    }
    ota__http_lines_end(lines, server->buffer, index >= 0 || is_expect);
    if (is_expect) {
        server->expects = ota_text_same(server->buffer, "100-continue");
        server->bad_expect = server->bad_expect || !server->expects;
    }
    if (index >= 0 && !ota_http_server_is_answered(server)) {
        server->handler->on_header(server->context, (unsigned)index, server->buffer);
    }
}

static int on_header_field(http_parser *parser, const char *at, size_t len)
{
    struct ota_http_server *server = server_of(parser);

    if (server->state != OTA_HTTP_SERVER_HEAD) {
        return 0; /* a trailer behind the last chunk */
    }
    if (request_line_ends(server, parser) != 0) {
        return -1;
    }
    header_ends(server);
    switch (ota__http_lines_name(&server->lines, at, len, OTA_HTTP_SERVER_HEAD_MAX)) {
    case OTA_OK:
        return 0;
    case OTA_ERR_HTTP_HEADER:
        return stop(server, 431, OTA_ERR_HTTP_HEADER);
    default:
        return stop(server, 400, OTA_ERR_HTTP_SYNTAX);
    }
}

static int on_header_value(http_parser *parser, const char *at, size_t len)
{
    struct ota_http_server *server = server_of(parser);

    if (server->state != OTA_HTTP_SERVER_HEAD) {
        return 0;
    }
    if (ota__http_lines_value(&server->lines, at, len, OTA_HTTP_SERVER_HEAD_MAX, server->buffer,
                              room_of(server), keeps_value(server)) != OTA_OK) {
        return stop(server, 431, OTA_ERR_HTTP_HEADER);
    }
    return 0;
}

/* Returns the status that the head's own words about the body deserve; 0 if they are sound. */
static unsigned judge_framing(const struct ota_http_server *server, const http_parser *parser,
                              struct ota_http_asked *asked)
{
    bool is_1_0 = parser->http_minor == 0;

    asked->has_length = (parser->flags & F_CONTENTLENGTH) != 0;
    asked->chunked = (parser->flags & F_CHUNKED) != 0;
    if (server->hosts > 1 || (server->hosts == 0 && !is_1_0)) {
        return 400;
    }
    if (parser->uses_transfer_encoding && (asked->chunked ? is_1_0 : true)) {
        return 400;
    }
    if (server->lines.coding_is_foreign) {
        return 501;
    }
    if (asked->has_length && parser->content_length >= OTA_SIZE_UNKNOWN) {
        return 413;
    }
    if (server->bad_expect && !is_1_0) {
        return 417;
    }
    asked->expects_continue = server->expects && !is_1_0;
    if (asked->chunked) {
        asked->length = OTA_SIZE_UNKNOWN;
    } else if (asked->has_length) {
        asked->length = (uint32_t)parser->content_length;
    }
    return 0;
}

/* Returns what http-parser wants to hear: 0 go on, -1 stop. */
static int on_headers_complete(http_parser *parser)
{
    struct ota_http_server *server = server_of(parser);
    struct ota_http_asked asked = {.length = 0};

    if (request_line_ends(server, parser) != 0) {
        return -1;
    }
    header_ends(server);
    asked.method = (enum ota_http_method)server->method;
    unsigned status = judge_framing(server, parser, &asked);
    if (status != 0) {
        return stop(server, status, OTA_ERR_HTTP_HEADER);
    }
    server->has_body = asked.length > 0;
    server->state = OTA_HTTP_SERVER_BODY;
    server->count = 0;
    if (ota_http_server_is_answered(server)) {
        return 0; /* by on_request or on_header: closes the connection afterwards */
    }
    server->since_ms = server->active_ms = server->now_ms;
    server->keep_alive = http_should_keep_alive(parser) != 0;
    server->handler->on_head(server->context, &asked);
    server->continues =
        asked.expects_continue && server->has_body && !ota_http_server_is_answered(server);
    return 0;
}

static int on_body(http_parser *parser, const char *at, size_t len)
{
    struct ota_http_server *server = server_of(parser);

    server->active_ms = server->now_ms;
    server->count = len < UINT32_MAX - server->count ? server->count + (uint32_t)len : UINT32_MAX;
    if (!ota_http_server_is_answered(server)) {
        if (server->sent == 0) {
            server->continues = false; /* it did not wait to be asked */
        }
        server->handler->on_body(server->context, at, len);
    }
    return 0;
}

static int on_message_complete(http_parser *parser)
{
    struct ota_http_server *server = server_of(parser);

    server->state = OTA_HTTP_SERVER_WHOLE;
    http_parser_pause(parser, 1);
    if (!ota_http_server_is_answered(server)) {
        server->handler->on_end(server->context);
    } else if (server->is_all_sent) {
        ota__http_server_end(server);
    }
    return 0;
}

static const http_parser_settings settings = {
    .on_url = on_url,
    .on_header_field = on_header_field,
    .on_header_value = on_header_value,
    .on_headers_complete = on_headers_complete,
    .on_body = on_body,
    .on_message_complete = on_message_complete,
};

static unsigned parser_status(enum http_errno number)
{
    switch (number) {
    case HPE_HEADER_OVERFLOW:
        return 431;
    case HPE_INVALID_METHOD:
        return 501;
    case HPE_INVALID_VERSION:
        return 505;
    default:
        return 400;
    }
}

const char *ota_http_server_keep(struct ota_http_server *server, const char *text, size_t len)
{
    if (len >= room_of(server)) {
        return NULL;
    }
    server->kept = (uint16_t)(server->kept + len + 1);
    char *copy = server->buffer + room_of(server);
    memmove(copy, text, len);
    copy[len] = '\0';
    return copy;
}

/* ---- Bytes ----------------------------------------------------------------------------------- */

/* Line ends before a request, which some clients send behind a body: how many. */
static size_t line_ends(const char *data, size_t len)
{
    size_t count = 0;

    while (count < len && (data[count] == '\r' || data[count] == '\n')) {
        count++;
    }
    return count;
}

size_t ota__http_server_parse(struct ota_http_server *server, const char *data, size_t len)
{
    http_parser *parser = parser_of(server);
    size_t before = server->is_idle ? line_ends(data, len) : 0;

    if (before == len) {
        return len;
    }
    if (server->is_idle) {
        server->is_idle = false;
        server->since_ms = server->now_ms;
    }
    size_t taken = before + http_parser_execute(parser, &settings, data + before, len - before);
    switch (server->state) {
    case OTA_HTTP_SERVER_HEAD:
    case OTA_HTTP_SERVER_BODY:
        if (HTTP_PARSER_ERRNO(parser) != HPE_OK) {
            ota__http_server_give_up(server, parser_status(HTTP_PARSER_ERRNO(parser)),
                                     OTA_ERR_HTTP_SYNTAX);
            return len;
        }
        return taken;
    case OTA_HTTP_SERVER_JUNK:
        return len;
    default:
        return taken;
    }
}

uint32_t ota_http_server_left(const struct ota_http_server *server)
{
    const http_parser *parser = (const http_parser *)(const void *)server->parser.as.bytes;

    if (server->state != OTA_HTTP_SERVER_BODY) {
        return 0;
    }
    if ((parser->flags & F_CHUNKED) != 0) {
        return OTA_SIZE_UNKNOWN;
    }
    return parser->content_length < OTA_SIZE_UNKNOWN ? (uint32_t)parser->content_length : 0;
}

size_t ota_http_server_wanted(const struct ota_http_server *server)
{
    const http_parser *parser = (const http_parser *)(const void *)server->parser.as.bytes;

    switch (server->state) {
    case OTA_HTTP_SERVER_HEAD:
        return 1;
    case OTA_HTTP_SERVER_BODY:
        /* Of a length, or of the present chunk, as far as its size has been read: so much will
           come. A trailer's own words of a length say nothing. */
        if (parser->content_length == 0 || parser->content_length >= OTA_SIZE_UNKNOWN ||
            (parser->flags & F_TRAILING) != 0) {
            return 1;
        }
        return (size_t)parser->content_length;
    case OTA_HTTP_SERVER_JUNK:
        return OTA_HTTP_SERVER_DRAIN_MAX;
    default:
        return 0;
    }
}
