/* SPDX-License-Identifier: Apache-2.0 */
/* How a request is answered: status and head, and the text of web_words.c behind them. */

#include "proto/web_private.h"

#define HTML "text/html"
#define PLAIN "text/plain"
#define JSON "application/json"

/* The page may load nothing, be framed by nobody, and talk only to the board that it came from. */
#define PAGE_POLICY                                                                       \
    "Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'; "            \
    "script-src 'unsafe-inline'; img-src data:; connect-src 'self'; form-action 'self'; " \
    "base-uri 'none'; frame-ancestors 'none'\r\n"

/* For who has no page of his own: the two forms of the ESP8266's server. */
static const char plain_form[] =
    "<!DOCTYPE html><html lang='en'><head><meta charset='utf-8'>"
    "<meta name='viewport' content='width=device-width,initial-scale=1'><title>Update</title>"
    "</head><body><form method='POST' action='/update' enctype='multipart/form-data'>"
    "<label>Firmware:<br><input type='file' accept='.bin,.bin.gz' name='firmware'></label>"
    "<input type='submit' value='Update Firmware'></form>"
    "<form method='POST' action='/update' enctype='multipart/form-data'>"
    "<label>FileSystem:<br><input type='file' accept='.bin,.bin.gz,.image' name='filesystem'>"
    "</label><input type='submit' value='Update FileSystem'></form></body></html>\n";

static bool is_upload(const struct ota_web_connection *connection)
{
    return connection->say >= OTA__WEB_SAY_FAILED && connection->say <= OTA__WEB_SAY_DONE;
}

/* ---- Heads ----------------------------------------------------------------------------------- */

/* A header line with a text that others have a say in. */
static void put_safe_line(struct ota_text *text, const char *name, const char *value)
{
    ota_text_put(text, name);
    for (; *value != '\0'; value++) {
        ota_text_put_bytes(text, *value >= ' ' && *value <= '~' ? value : "?", 1);
    }
    ota_text_put(text, "\r\n");
}

static const char *allowed(const struct ota_web_connection *connection)
{
    switch (connection->route) {
    case OTA__WEB_PAGE:
    case OTA__WEB_UPLOAD:
        return "Allow: GET, HEAD, POST, OPTIONS\r\n";
    case OTA__WEB_INFO:
    case OTA__WEB_ELEGANT_START:
        return "Allow: GET, HEAD, OPTIONS\r\n";
    default:
        return "Allow: POST, OPTIONS\r\n";
    }
}

static void write_headers(void *context, struct ota_text *text)
{
    const struct ota_web_connection *connection = context;
    unsigned status = connection->http.answer.status;

    ota_text_put(text, "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n");
    if (connection->say == OTA__WEB_SAY_PAGE || connection->say == OTA__WEB_SAY_FORM) {
        ota_text_put(text, PAGE_POLICY);
    }
    if (connection->say == OTA__WEB_SAY_PAGE) {
        ota_text_put(text, "Content-Encoding: gzip\r\n");
    }
    if (status == 401) {
        ota__web_login_put_challenges(connection, text);
    }
    if (status == 405 || connection->say == OTA__WEB_SAY_NOTHING) {
        ota_text_put(text, allowed(connection));
    }
    if (status == 429 || status == 503) {
        ota_text_put(text, "Retry-After: 10\r\n");
    }
    if (ota__web_is_failure(connection) && connection->text != NULL) {
        put_safe_line(text, "X-Updraft-Error: ", connection->text);
    }
}

/* ---- Statuses -------------------------------------------------------------------------------- */

/* What an upload's failure is in HTTP's own terms. */
static unsigned true_status(const struct ota_web_connection *connection)
{
    enum ota_err err = connection->err;

    if (err == OTA_ERR_HELD) {
        return 503;
    }
    if (ota__web_is_policy(err) || err == OTA_ERR_UNCONFIRMED) {
        return 409;
    }
    if (err == OTA_ERR_TOO_LARGE) {
        return 413;
    }
    bool is_file = (err >= OTA_ERR_SECURE_VERSION && err <= OTA_ERR_DIGEST) ||
                   connection->say == OTA__WEB_SAY_PROTOCOL_ERROR;
    return is_file && err != OTA_ERR_NOTHING_BOOTABLE ? 400 : 500;
}

static unsigned failed_status(const struct ota_web_connection *connection)
{
    if (connection->from_page) {
        return true_status(connection);
    }
    switch (connection->dialect) {
    case OTA__WEB_PSYCHIC:
        return 500;
    case OTA__WEB_RAW:
        return ota__web_is_policy(connection->err) ? true_status(connection) : 500;
    case OTA__WEB_ELEGANT:
        return 400;
    default:
        return 200;
    }
}

static unsigned status_of(const struct ota_web_connection *connection)
{
    switch (connection->say) {
    case OTA__WEB_SAY_NOTHING:
        return 204;
    case OTA__WEB_SAY_START_FAILED:
        return ota__web_is_policy(connection->err) || connection->from_page
                   ? true_status(connection)
                   : 400;
    case OTA__WEB_SAY_DONE:
        return connection->is_held && connection->from_page ? 202 : 200;
    case OTA__WEB_SAY_FAILED:
    case OTA__WEB_SAY_FAILED_AT_END:
    case OTA__WEB_SAY_PROTOCOL_ERROR:
        return failed_status(connection);
    default:
        return 200;
    }
}

static const char *type_of(const struct ota_web_connection *connection)
{
    if (connection->say == OTA__WEB_SAY_NOTHING) {
        return NULL;
    }
    if (connection->say == OTA__WEB_SAY_PAGE || connection->say == OTA__WEB_SAY_FORM) {
        return "text/html; charset=utf-8";
    }
    if (connection->from_page || connection->say == OTA__WEB_SAY_INFO) {
        return JSON;
    }
    if (connection->say == OTA__WEB_SAY_RESTARTING) {
        return HTML;
    }
    bool is_plain = connection->dialect == OTA__WEB_ELEGANT ||
                    connection->dialect == OTA__WEB_ESPHOME || !is_upload(connection);
    return is_plain ? PLAIN : HTML;
}

/* ---- Answers --------------------------------------------------------------------------------- */

static void answer(struct ota_web_connection *connection, unsigned status, uint32_t pause_ms)
{
    const struct ota_web_options *options = &connection->web->options;
    struct ota_http_answer answer = {
        .status = (uint16_t)status,
        .type = type_of(connection),
        .write_headers = write_headers,
        .pause_ms = pause_ms,
    };

    if (connection->say == OTA__WEB_SAY_PAGE) {
        answer.body = options->page;
        answer.body_len = options->page_len;
    } else if (connection->say == OTA__WEB_SAY_FORM) {
        answer.body = plain_form;
        answer.body_len = sizeof plain_form - 1;
    } else if (connection->say != OTA__WEB_SAY_NOTHING) {
        answer.write_body = ota__web_write_body;
    }
    (void)ota_http_server_answer(&connection->http, &answer);
}

void ota__web_refuse_slowly(struct ota_web_connection *connection, unsigned status,
                            const char *word, const char *text, uint32_t pause_ms)
{
    connection->say = OTA__WEB_SAY_TEXT;
    connection->word = word;
    connection->text = text;
    answer(connection, status, pause_ms);
}

void ota__web_refuse(struct ota_web_connection *connection, unsigned status, const char *word,
                     const char *text)
{
    ota__web_refuse_slowly(connection, status, word, text, 0);
}

void ota__web_refuse_busy(struct ota_web_connection *connection)
{
    bool is_closed = connection->web->options.intake->is_closed;
    enum ota_err err = is_closed ? OTA_ERR_RESTARTING : OTA_ERR_BUSY;

    ota__web_refuse(connection, 409, ota_err_name(err), ota_err_text(err));
}

void ota__web_refuse_as_original(struct ota_web_connection *connection, const char *text)
{
    connection->say = OTA__WEB_SAY_ORIGINAL;
    connection->word = "FORM";
    connection->text = text;
    answer(connection, 400, 0);
}

void ota__web_say(struct ota_web_connection *connection, enum ota__web_say say)
{
    connection->say = (uint8_t)say;
    if (ota__web_is_failure(connection)) {
        connection->word = ota_err_name(connection->err);
    }
    answer(connection, status_of(connection), 0);
}
