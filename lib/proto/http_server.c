/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One HTTP connection of a server: the clock is watched, and every request gets one answer, which
 * the peer has a chance to read.
 */

#include <updraft/http_server.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "proto/http_server_private.h"

bool ota_http_server_is_answered(const struct ota_http_server *server)
{
    return server->answer.status != 0;
}

/* Makes room for the next request. */
static void await_request(struct ota_http_server *server)
{
    ota__http_server_parser_init(server);
    memset(&server->lines, 0, sizeof server->lines);
    memset(&server->answer, 0, sizeof server->answer);
    server->state = OTA_HTTP_SERVER_HEAD;
    server->is_idle = true;
    server->since_ms = server->now_ms;
    server->active_ms = server->now_ms;
    server->total = server->sent = server->count = 0;
    server->target_len = server->kept = 0;
    server->hosts = 0;
    server->told = server->keep_alive = server->continues = server->expects = false;
    server->bad_expect = server->has_body = server->is_all_sent = server->is_own_answer = false;
}

enum ota_err ota_http_server_begin(struct ota_http_server *server,
                                   const struct ota_http_handler *handler, void *context,
                                   char *buffer, size_t buffer_size, uint32_t now_ms)
{
    if (handler == NULL || handler->on_request == NULL || handler->on_header == NULL ||
        handler->on_head == NULL || handler->on_body == NULL || handler->on_end == NULL ||
        handler->on_gone == NULL || buffer == NULL || buffer_size < 16 ||
        buffer_size > UINT16_MAX) {
        return OTA_ERR_ARGUMENT;
    }
    memset(server, 0, sizeof *server);
    server->handler = handler;
    server->context = context;
    server->buffer = buffer;
    server->buffer_size = (uint16_t)buffer_size;
    server->now_ms = now_ms;
    await_request(server);
    return OTA_OK;
}

/* ---- Ends ------------------------------------------------------------------------------------ */

/* Tells the handler that its answer is sent, or never will be. */
static void tell_sent(struct ota_http_server *server)
{
    if (ota_http_server_is_answered(server) && !server->is_own_answer && !server->is_all_sent &&
        server->handler->on_sent != NULL) {
        server->is_all_sent = true;
        server->handler->on_sent(server->context);
    }
    server->is_all_sent = true;
}

void ota__http_server_end(struct ota_http_server *server)
{
    tell_sent(server);
    server->state = OTA_HTTP_SERVER_OVER;
}

/* The request that the handler was told of comes to nothing. */
static void tell_gone(struct ota_http_server *server, enum ota_err why)
{
    if (server->told && !ota_http_server_is_answered(server)) {
        server->told = false;
        server->handler->on_gone(server->context, why);
    }
}

static void write_reason(void *context, struct ota_text *text)
{
    const struct ota_http_server *server = context;

    ota_text_put(text, ota_http_reason(server->answer.status));
    ota_text_put(text, "\n");
}

void ota__http_server_give_up(struct ota_http_server *server, unsigned status, enum ota_err why)
{
    server->keep_alive = false;
    server->state = OTA_HTTP_SERVER_JUNK;
    server->count = 0;
    server->active_ms = server->now_ms;
    tell_gone(server, why);
    if (!ota_http_server_is_answered(server)) {
        const struct ota_http_answer answer = {
            .status = (uint16_t)status, .type = "text/plain", .write_body = write_reason};
        server->is_own_answer = true;
        (void)ota_http_server_answer(server, &answer);
    }
}

/* ---- The answer ------------------------------------------------------------------------------ */

static bool is_held(const struct ota_http_server *server)
{
    return server->now_ms - server->since_ms < server->answer.pause_ms;
}

static void write_body(struct ota_http_server *server, struct ota_text *text)
{
    const struct ota_http_answer *answer = &server->answer;

    if (answer->write_body != NULL) {
        answer->write_body(server->is_own_answer ? server : server->context, text);
    } else if (answer->body != NULL) {
        ota_text_put_bytes(text, answer->body, answer->body_len);
    }
}

/* All that the present request is answered with. */
static void compose(struct ota_http_server *server, struct ota_text *text)
{
    const struct ota_http_answer *answer = &server->answer;

    if (server->continues) {
        ota_text_put(text, "HTTP/1.1 100 Continue\r\n\r\n");
    }
    if (!ota_http_server_is_answered(server)) {
        return;
    }
    ota_text_put(text, "HTTP/1.1 ");
    ota_text_put_decimal(text, answer->status);
    ota_text_put(text, " ");
    ota_text_put(text, ota_http_reason(answer->status));
    ota_text_put(text, "\r\n");
    if (answer->type != NULL) {
        ota_text_put(text, "Content-Type: ");
        ota_text_put(text, answer->type);
        ota_text_put(text, "\r\n");
    }
    if (answer->write_headers != NULL) {
        answer->write_headers(server->context, text);
    }
    if (answer->status != 204) {
        ota_text_put(text, "Content-Length: ");
        ota_text_put_decimal(text, server->body_len);
        ota_text_put(text, "\r\n");
    }
    ota_text_put(text, server->keep_alive ? "Connection: keep-alive\r\n\r\n"
                                          : "Connection: close\r\n\r\n");
    if (server->method != OTA_HTTP_HEAD_ONLY) {
        write_body(server, text);
    }
}

enum ota_err ota_http_server_answer(struct ota_http_server *server,
                                    const struct ota_http_answer *answer)
{
    struct ota_text text;

    if (server->state == OTA_HTTP_SERVER_OVER || server->is_idle ||
        ota_http_server_is_answered(server)) {
        return OTA_ERR_STATE;
    }
    server->answer = *answer;
    server->since_ms = server->active_ms = server->now_ms;
    if (server->state == OTA_HTTP_SERVER_HEAD ||
        (server->state == OTA_HTTP_SERVER_BODY && server->has_body)) {
        server->keep_alive = false;
        server->count = 0;
    }
    ota_text_window(&text, NULL, 0, 0);
    write_body(server, &text);
    server->body_len = (uint32_t)text.length;
    ota_text_window(&text, NULL, 0, 0);
    compose(server, &text);
    server->total = (uint32_t)text.length;
    return OTA_OK;
}

size_t ota_http_server_output(struct ota_http_server *server, void *buffer, size_t capacity)
{
    struct ota_text text;

    if (server->state == OTA_HTTP_SERVER_OVER || server->is_all_sent ||
        (ota_http_server_is_answered(server) && is_held(server))) {
        return 0;
    }
    ota_text_window(&text, buffer, capacity, server->sent);
    compose(server, &text);
    if (ota_http_server_is_answered(server) && text.length != server->total) {
        ota__http_server_end(
            server); /* it changed while it was sent: better none than a wrong one */
        return 0;
    }
    return ota_text_stored(&text);
}

void ota_http_server_sent(struct ota_http_server *server, size_t len)
{
    if (len == 0) {
        return;
    }
    server->sent += (uint32_t)len;
    server->active_ms = server->now_ms;
    if (!ota_http_server_is_answered(server) || server->sent < server->total) {
        return;
    }
    tell_sent(server);
    if (server->has_ended) {
        ota__http_server_end(server); /* nothing more comes that could be passed over */
    } else if (server->state == OTA_HTTP_SERVER_WHOLE) {
        if (server->keep_alive) {
            await_request(server);
        } else {
            ota__http_server_end(server);
        }
    }
}

/* ---- The connection -------------------------------------------------------------------------- */

size_t ota_http_server_input(struct ota_http_server *server, const void *data, size_t len)
{
    size_t taken = 0;

    if (len == 0) {
        return 0; /* to the parser, nothing means the end */
    }
    switch (server->state) {
    case OTA_HTTP_SERVER_HEAD:
    case OTA_HTTP_SERVER_BODY:
        taken = ota__http_server_parse(server, data, len);
        break;
    case OTA_HTTP_SERVER_JUNK:
        server->active_ms = server->now_ms;
        server->count += (uint32_t)ota__min((uint32_t)len, UINT32_MAX - server->count);
        taken = len;
        break;
    default:
        return 0;
    }
    bool is_passed_over =
        server->state == OTA_HTTP_SERVER_JUNK ||
        (server->state == OTA_HTTP_SERVER_BODY && ota_http_server_is_answered(server));
    if (is_passed_over && server->count > OTA_HTTP_SERVER_DRAIN_MAX) {
        ota__http_server_end(server);
    }
    return taken;
}

void ota_http_server_closed(struct ota_http_server *server, enum ota_err err)
{
    if (server->state == OTA_HTTP_SERVER_OVER) {
        return;
    }
    if (err != OTA_OK) {
        tell_gone(server, err);
        ota__http_server_end(server);
        return;
    }
    server->keep_alive = false;
    server->has_ended = true;
    if (server->is_all_sent || (server->state == OTA_HTTP_SERVER_HEAD && !server->told)) {
        ota__http_server_end(server);
    } else if (server->state == OTA_HTTP_SERVER_HEAD || server->state == OTA_HTTP_SERVER_BODY) {
        ota__http_server_give_up(server, 400, OTA_ERR_INCOMPLETE);
    }
}

/* ---- Time ------------------------------------------------------------------------------------ */

static uint32_t left_of(const struct ota_http_server *server, uint32_t since, uint32_t limit)
{
    uint32_t passed = server->now_ms - since;

    return passed < limit ? limit - passed : 0;
}

static uint32_t limit_or(uint32_t limit, uint32_t fallback)
{
    return limit != 0 ? limit : fallback;
}

/* Until an answer that was given is overdue, or may be sent. */
static uint32_t answer_wait(const struct ota_http_server *server)
{
    if (is_held(server)) {
        return left_of(server, server->since_ms, server->answer.pause_ms);
    }
    uint32_t altogether =
        left_of(server, server->since_ms, server->answer.pause_ms + OTA_HTTP_SERVER_ANSWER_MS);
    uint32_t silence =
        left_of(server, server->active_ms,
                server->is_all_sent ? OTA_HTTP_SERVER_LINGER_MS : OTA_HTTP_SERVER_SEND_MS);
    return ota__min(altogether, silence);
}

uint32_t ota_http_server_wait_ms(const struct ota_http_server *server)
{
    const struct ota_http_handler *handler = server->handler;

    if (server->state == OTA_HTTP_SERVER_OVER) {
        return UINT32_MAX;
    }
    if (ota_http_server_is_answered(server)) {
        return answer_wait(server);
    }
    if (server->is_idle) {
        return left_of(server, server->since_ms,
                       limit_or(handler->idle_ms, OTA_HTTP_SERVER_IDLE_MS));
    }
    if (server->state == OTA_HTTP_SERVER_HEAD) {
        return left_of(server, server->since_ms,
                       limit_or(handler->head_ms, OTA_HTTP_SERVER_HEAD_MS));
    }
    if (server->state == OTA_HTTP_SERVER_BODY) {
        uint32_t silence = limit_or(handler->body_ms, OTA_HTTP_SERVER_BODY_MS);
        return ota__min(left_of(server, server->active_ms, silence),
                        left_of(server, server->since_ms, OTA_HTTP_SERVER_WINDOW_MS));
    }
    return UINT32_MAX;
}

/* A window of the body's time is over: enough of it, and the next begins. */
static bool starts_window(struct ota_http_server *server)
{
    if (server->state != OTA_HTTP_SERVER_BODY || ota_http_server_is_answered(server) ||
        left_of(server, server->since_ms, OTA_HTTP_SERVER_WINDOW_MS) > 0 ||
        server->count < OTA_HTTP_SERVER_WINDOW_BYTES) {
        return false;
    }
    server->since_ms = server->now_ms;
    server->count = 0;
    return true;
}

void ota_http_server_tick(struct ota_http_server *server, uint32_t now_ms)
{
    bool was_held = server->state != OTA_HTTP_SERVER_OVER && is_held(server);

    server->now_ms = now_ms;
    if (server->state == OTA_HTTP_SERVER_OVER) {
        return;
    }
    if (was_held && ota_http_server_is_answered(server)) {
        server->active_ms = now_ms;
        return;
    }
    (void)starts_window(server);
    if (ota_http_server_wait_ms(server) > 0) {
        return;
    }
    if (server->is_idle || ota_http_server_is_answered(server)) {
        ota__http_server_end(server);
    } else {
        ota__http_server_give_up(server, 408, OTA_ERR_TIMEOUT);
    }
}
