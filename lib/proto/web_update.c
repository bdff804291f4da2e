/* SPDX-License-Identifier: Apache-2.0 */
/* The routes of the web server, and what stands in a request's target and headers. */

#include "proto/web_private.h"

#include <updraft/slot.h>

#include "base/mem.h"

enum {
    HEADER_HOST,
    HEADER_ORIGIN,
    HEADER_FETCH_SITE,
    HEADER_REFERER,
    HEADER_LOGIN,
    HEADER_TYPE,
    HEADER_DISPOSITION,
    HEADER_MD5,
    HEADER_SHA256,
    HEADER_SIZE,
    HEADER_PAGE,
};

static const char *const wanted[] = {
    [HEADER_HOST] = "Host",
    [HEADER_ORIGIN] = "Origin",
    [HEADER_FETCH_SITE] = "Sec-Fetch-Site",
    [HEADER_REFERER] = "Referer",
    [HEADER_LOGIN] = "Authorization",
    [HEADER_TYPE] = "Content-Type",
    [HEADER_DISPOSITION] = "Content-Disposition",
    [HEADER_MD5] = "x-MD5",
    [HEADER_SHA256] = "x-SHA256",
    [HEADER_SIZE] = "X-Size",
    [HEADER_PAGE] = "X-Updraft",
    NULL,
};

/* ---- The target ------------------------------------------------------------------------------ */

static size_t until(const char *text, char first, char second)
{
    size_t len = 0;

    while (text[len] != '\0' && text[len] != first && text[len] != second) {
        len++;
    }
    return len;
}

static bool is(const char *text, size_t len, const char *word)
{
    return strlen(word) == len && memcmp(text, word, len) == 0;
}

static uint8_t route_of(const char *path, size_t len)
{
    static const struct {
        const char *path;
        uint8_t route;
    } routes[] = {
        {"/", OTA__WEB_PAGE},
        {"/update", OTA__WEB_UPLOAD},
        {"/ota/start", OTA__WEB_ELEGANT_START},
        {"/ota/upload", OTA__WEB_ELEGANT_UPLOAD},
        {"/update/info", OTA__WEB_INFO},
        {"/update/rollback", OTA__WEB_ROLLBACK},
        {"/update/restart", OTA__WEB_RESTART},
        {"/restart", OTA__WEB_RESTART},
        {"*", OTA__WEB_UPLOAD}, /* OPTIONS of the server as a whole */
    };

    for (size_t i = 0; i < sizeof routes / sizeof *routes; i++) {
        if (is(path, len, routes[i].path)) {
            return routes[i].route;
        }
    }
    return OTA__WEB_NOWHERE;
}

/* Sets what is expected of the file; a SHA-256 counts more than an MD5. */
static void expect(struct ota_web_connection *connection, enum ota_hash_algorithm algorithm,
                   const char *hex, size_t len)
{
    size_t size = ota_digest_size(algorithm);
    struct ota_digest digest = {.algorithm = algorithm};
    char text[2 * OTA_SHA256_SIZE + 1];

    if (len != 2 * size) {
        connection->is_bad_digest = true;
        return;
    }
    memcpy(text, hex, len);
    text[len] = '\0';
    if (!ota_text_read_hex(text, digest.bytes, size)) {
        connection->is_bad_digest = true;
    } else if (connection->expected.algorithm != OTA_HASH_SHA256) {
        connection->expected = digest;
    }
}

static void take_parameter(struct ota_web_connection *connection, const char *name, size_t name_len,
                           const char *value, size_t len)
{
    bool elegant = connection->route == OTA__WEB_ELEGANT_START;

    if (is(name, name_len, "mode")) {
        connection->asks_data = is(value, len, "fs");
    } else if (elegant && is(name, name_len, "hash")) {
        expect(connection, OTA_HASH_MD5, value, len);
    } else if (!elegant && is(name, name_len, "_filename")) {
        connection->file_kind = (uint8_t)ota__web_kind_of(value, len);
    }
}

static void take_query(struct ota_web_connection *connection, const char *at)
{
    while (*at != '\0') {
        size_t len = until(at, '&', '\0'), name_len = until(at, '=', '&');
        if (name_len < len) {
            take_parameter(connection, at, name_len, at + name_len + 1, len - name_len - 1);
        } else {
            connection->file_kind = (uint8_t)ota__web_kind_of(at, len);
        }
        at += at[len] == '\0' ? len : len + 1;
    }
}

static void on_request(void *context, enum ota_http_method method, const char *target)
{
    struct ota_web_connection *connection = context;
    size_t path_len = until(target, '?', '#');

    /* Everything that a request leaves behind, from `expected` to the buffer. */
    memset(&connection->expected, 0,
           offsetof(struct ota_web_connection, buffer) -
               offsetof(struct ota_web_connection, expected));
    connection->size = OTA_SIZE_UNKNOWN;
    connection->method = (uint8_t)method;
    connection->route = route_of(target, path_len);
    ota__web_digest_note(connection, target);
    if (target[path_len] == '?') {
        take_query(connection, target + path_len + 1);
    }
}

/* ---- Headers --------------------------------------------------------------------------------- */

static void take_type(struct ota_web_connection *connection, const char *value)
{
    char boundary[OTA_BOUNDARY_SIZE];

    connection->is_form = ota_multipart_is(value);
    connection->boundary = NULL;
    if (connection->is_form && ota_multipart_boundary(value, boundary) == OTA_OK) {
        connection->boundary = ota_http_server_keep(&connection->http, boundary, strlen(boundary));
    }
}

/* …; filename="v1_code.bin" */
static void take_disposition(struct ota_web_connection *connection, const char *value)
{
    static const char name[] = "filename=";
    size_t name_len = sizeof name - 1;

    for (size_t i = 0; value[i] != '\0'; i++) {
        if (strlen(value + i) > name_len && memcmp(value + i, name, name_len) == 0) {
            const char *file = value + i + name_len;
            file += *file == '"' ? 1 : 0;
            connection->file_kind = (uint8_t)ota__web_kind_of(file, until(file, '"', ';'));
            return;
        }
    }
}

static void on_header(void *context, unsigned index, const char *value)
{
    struct ota_web_connection *connection = context;

    switch (index) {
    case HEADER_HOST:
        ota__web_guard_host(connection, value);
        break;
    case HEADER_ORIGIN:
        ota__web_guard_origin(connection, value);
        break;
    case HEADER_FETCH_SITE:
        ota__web_guard_fetch(connection, value);
        break;
    case HEADER_REFERER:
        ota__web_guard_referer(connection, value);
        break;
    case HEADER_LOGIN:
        ota__web_login_take(connection, value);
        break;
    case HEADER_TYPE:
        take_type(connection, value);
        break;
    case HEADER_DISPOSITION:
        take_disposition(connection, value);
        break;
    case HEADER_MD5:
        expect(connection, OTA_HASH_MD5, value, strlen(value));
        break;
    case HEADER_SHA256:
        expect(connection, OTA_HASH_SHA256, value, strlen(value));
        break;
    case HEADER_SIZE:
        if (!ota_text_read_decimal(value, strlen(value), &connection->size) ||
            connection->size == 0) {
            connection->is_bad_digest = true;
        }
        break;
    default:
        connection->from_page = ota_text_same(value, "1");
        break;
    }
}

/* ---- What is asked for ----------------------------------------------------------------------- */

static bool is_get(const struct ota_web_connection *connection)
{
    return connection->method == OTA_HTTP_GET || connection->method == OTA_HTTP_HEAD_ONLY;
}

static bool has_method(const struct ota_web_connection *connection)
{
    bool is_post = connection->method == OTA_HTTP_POST;

    switch (connection->route) {
    case OTA__WEB_PAGE:
    case OTA__WEB_INFO:
        return is_get(connection);
    case OTA__WEB_ELEGANT_START:
        return connection->method == OTA_HTTP_GET;
    default:
        return is_post;
    }
}

static void on_head(void *context, const struct ota_http_asked *asked)
{
    struct ota_web_connection *connection = context;

    if (connection->route == OTA__WEB_UPLOAD && is_get(connection)) {
        connection->route = OTA__WEB_PAGE;
    }
    if (!ota__web_guard_passes(connection)) {
        return;
    }
    if (connection->route == OTA__WEB_NOWHERE) {
        ota__web_refuse(connection, 404, "NOT_FOUND", "there is nothing at this address");
    } else if (connection->method == OTA_HTTP_OPTIONS) {
        ota__web_say(connection, OTA__WEB_SAY_NOTHING);
    } else if (!has_method(connection)) {
        ota__web_refuse(connection, 405, "METHOD", "this address has no such method");
    } else if (connection->route == OTA__WEB_UPLOAD ||
               connection->route == OTA__WEB_ELEGANT_UPLOAD) {
        ota__web_upload_head(connection, asked);
    }
}

static void on_body(void *context, const void *data, size_t len)
{
    struct ota_web_connection *connection = context;

    if (connection->web->upload.owner == connection) {
        ota__web_upload_body(connection, data, len);
    }
}

void ota__web_tell(const struct ota_web *web, enum ota_web_event event)
{
    if (web->options.on_event != NULL) {
        web->options.on_event(web->options.context, event);
    }
}

/* Neither a restart nor a change of slots may cut an update off. */
static bool refuses_while_busy(struct ota_web_connection *connection)
{
    enum ota_intake_state state = connection->web->options.intake->state;

    if (state == OTA_INTAKE_FREE || state == OTA_INTAKE_HELD) {
        return false;
    }
    ota__web_refuse_busy(connection);
    return true;
}

static void restart(struct ota_web_connection *connection)
{
    if (refuses_while_busy(connection)) {
        return;
    }
    connection->reason = OTA_RESTART_REQUESTED;
    connection->restarts = true;
    ota__web_tell(connection->web, OTA_WEB_RESTART_ASKED);
    ota__web_say(connection, OTA__WEB_SAY_RESTARTING);
}

static void roll_back(struct ota_web_connection *connection)
{
    const struct ota_web_options *options = &connection->web->options;

    if (refuses_while_busy(connection)) {
        return;
    }
    enum ota_err err = ota_slot_can_roll_back(options->device);
    if (err != OTA_OK) {
        ota__web_refuse(connection, 409, ota_err_name(err), ota_err_text(err));
        return;
    }
    err = options->roll_back != NULL ? options->roll_back(options->context)
                                     : ota_slot_reject(options->device);
    if (err != OTA_OK) {
        ota__web_refuse(connection, 500, ota_err_name(err), ota_err_text(err));
        return;
    }
    connection->restarts = options->restart != OTA_WEB_RESTART_BY_HAND;
    if (connection->restarts) {
        connection->reason = OTA_RESTART_REJECTED;
    }
    ota__web_tell(connection->web, OTA_WEB_ROLLED_BACK);
    ota__web_say(connection, OTA__WEB_SAY_ROLLED_BACK);
}

static void on_end(void *context)
{
    struct ota_web_connection *connection = context;
    const struct ota_web_options *options = &connection->web->options;

    switch (connection->route) {
    case OTA__WEB_PAGE:
        ota__web_say(connection, options->page != NULL ? OTA__WEB_SAY_PAGE : OTA__WEB_SAY_FORM);
        break;
    case OTA__WEB_INFO:
        connection->uptime_ms = connection->http.now_ms;
        connection->received = options->intake->update.received;
        ota__web_say(connection, OTA__WEB_SAY_INFO);
        break;
    case OTA__WEB_ELEGANT_START:
        ota__web_elegant_start(connection);
        break;
    case OTA__WEB_RESTART:
        restart(connection);
        break;
    case OTA__WEB_ROLLBACK:
        roll_back(connection);
        break;
    default:
        ota__web_upload_end(connection);
        break;
    }
}

static void on_gone(void *context, enum ota_err why)
{
    struct ota_web_connection *connection = context;

    ota__web_upload_gone(connection, why);
}

static void on_sent(void *context)
{
    struct ota_web_connection *connection = context;
    const struct ota_web_options *options = &connection->web->options;

    if (connection->reason != 0 && options->on_restart != NULL) {
        options->on_restart(options->context, connection->reason);
    }
    connection->reason = (enum ota_restart_reason)0;
}

static const struct ota_http_handler handler = {
    .wanted = wanted,
    .on_request = on_request,
    .on_header = on_header,
    .on_head = on_head,
    .on_body = on_body,
    .on_end = on_end,
    .on_gone = on_gone,
    .on_sent = on_sent,
};

/* ---- The object ------------------------------------------------------------------------------ */

enum ota_err ota_web_init(struct ota_web *web, const struct ota_web_options *options)
{
    if (options->intake == NULL || options->device == NULL ||
        (options->page != NULL && options->page_len == 0)) {
        return OTA_ERR_ARGUMENT;
    }
    if (options->password != NULL &&
        strlen(ota__web_user(options)) + 1 + strlen(options->password) > OTA_WEB_LOGIN_MAX) {
        return OTA_ERR_ARGUMENT;
    }
    memset(web, 0, sizeof *web);
    web->options = *options;
    ota__web_digest_init(web);
    return OTA_OK;
}

void ota_web_open(struct ota_web_connection *connection, struct ota_web *web,
                  const struct ota_address *peer, uint32_t now_ms)
{
    memset(connection, 0, sizeof *connection);
    connection->web = web;
    if (peer != NULL) {
        connection->peer = *peer;
    }
    (void)ota_http_server_begin(&connection->http, &handler, connection, connection->buffer,
                                sizeof connection->buffer, now_ms);
}
