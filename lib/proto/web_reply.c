/* SPDX-License-Identifier: Apache-2.0 */
/* What is said, in each dialect: docs/formats/web-upload.md sections 4 and 6. */

#include "proto/web_private.h"

#include "proto/json.h"

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

static bool is_failure(const struct ota_web_connection *connection)
{
    return connection->say <= OTA__WEB_SAY_PROTOCOL_ERROR;
}

static bool is_upload(const struct ota_web_connection *connection)
{
    return connection->say >= OTA__WEB_SAY_FAILED && connection->say <= OTA__WEB_SAY_DONE;
}

/* Policy's refusals have reasons of their own, which the updater's lines do not know. */
static bool is_policy(enum ota_err err)
{
    return err >= OTA_ERR_BUSY && err <= OTA_ERR_PROJECT;
}

/* ---- The updater's line ----------------------------------------------------------------------- */

static bool is_esp8266(const struct ota_web_connection *connection)
{
    enum ota_image_form form = connection->web->options.device->form;

    return (form == OTA_IMAGE_ESP8266 || form == OTA_IMAGE_ESP8266_RTOS) &&
           connection->dialect != OTA__WEB_PSYCHIC;
}

static void put_line(const struct ota_web_connection *connection, struct ota_text *text)
{
    enum ota_err err = connection->err;

    if (is_esp8266(connection)) {
        int number = ota_err_arduino_esp8266(err);
        ota_text_put(text, "ERROR[");
        ota_text_put_decimal(text, (uint32_t)number);
        ota_text_put(text, "]: ");
        ota_text_put(text, ota_arduino_esp8266_text(number));
    } else {
        ota_text_put(text, ota_arduino_esp32_text(ota_err_arduino_esp32(err)));
    }
    if (is_policy(err)) {
        ota_text_put(text, " (");
        ota_text_put(text, connection->text);
        ota_text_put(text, ")");
    }
}

/* ---- Bodies ----------------------------------------------------------------------------------- */

/* The text of a refusal, with what would fit where that is the trouble. */
static void put_reason(const struct ota_web_connection *connection, struct ota_text *text)
{
    ota_text_put(text, connection->text != NULL ? connection->text : "");
    if (connection->limit != 0 && connection->limit != OTA_SIZE_UNKNOWN) {
        ota_text_put(text, ": there is room for ");
        ota_text_put_decimal(text, connection->limit);
        ota_text_put(text, " bytes");
    }
}

static void put_waiting(const struct ota_web_connection *connection, struct ota_text *text)
{
    ota_text_put(text, "Waiting: ");
    ota_text_put(text, connection->text);
}

static void write_done(const struct ota_web_connection *connection, struct ota_text *text)
{
    switch (connection->dialect) {
    case OTA__WEB_PSYCHIC:
        ota_text_put(text, "<b style='color:green'>Update done for file.</b>");
        break;
    case OTA__WEB_RAW:
        ota_text_put(text, "Firmware update complete, ");
        if (connection->is_held) {
            put_waiting(connection, text);
        } else {
            ota_text_put(text, connection->restarts ? "rebooting now!" : "restart to run it.");
        }
        ota_text_put(text, "\n");
        break;
    case OTA__WEB_ELEGANT:
        ota_text_put(text, "OK");
        break;
    case OTA__WEB_ESPHOME:
        ota_text_put(text, "Update Successful!");
        break;
    default:
        if (connection->restarts) {
            ota_text_put(text, "<META http-equiv=\"refresh\" content=\"15;URL=/\">"
                               "Update Success! Rebooting...\n");
            break;
        }
        ota_text_put(text, "Update Success! ");
        if (connection->is_held) {
            put_waiting(connection, text);
        } else {
            ota_text_put(text, "Restart to run it.");
        }
        ota_text_put(text, "\n");
        break;
    }
}

static void write_failed(const struct ota_web_connection *connection, struct ota_text *text)
{
    switch (connection->dialect) {
    case OTA__WEB_PSYCHIC:
        ota_text_put(text, " Update.errorString() ");
        put_line(connection, text);
        break;
    case OTA__WEB_RAW:
        if (is_policy(connection->err)) {
            put_reason(connection, text);
            ota_text_put(text, "\n");
        } else if (connection->say == OTA__WEB_SAY_PROTOCOL_ERROR) {
            ota_text_put(text, "Protocol Error");
        } else {
            ota_text_put(text, connection->say == OTA__WEB_SAY_FAILED_AT_END
                                   ? "Validation / Activation Error"
                                   : "Flash Error");
        }
        break;
    case OTA__WEB_ELEGANT:
        put_line(connection, text);
        break;
    case OTA__WEB_ESPHOME:
        ota_text_put(text, "Update Failed: ");
        put_line(connection, text);
        break;
    default:
        ota_text_put(text, "Update error: ");
        put_line(connection, text);
        ota_text_put(text, is_esp8266(connection) ? "\n" : "\r\n");
        break;
    }
}

/* For the page: what is good news. */
static const char *good_news(const struct ota_web_connection *connection)
{
    switch (connection->say) {
    case OTA__WEB_SAY_RESTARTING:
        return "The board restarts.";
    case OTA__WEB_SAY_ROLLED_BACK:
        return connection->restarts ? "The board restarts into the other image."
                                    : "The next start is into the other image.";
    default:
        if (connection->is_held) {
            return "The update is complete, and waits.";
        }
        return connection->restarts ? "The update is complete. The board restarts."
                                    : "The update is complete. Restart to run it.";
    }
}

static void write_json(const struct ota_web_connection *connection, struct ota_text *text)
{
    ota_text_put(text, "{");
    ota__json_put_name(text, "ok", true);
    ota__json_put_bool(text, !is_failure(connection));
    if (is_failure(connection)) {
        ota__json_put_string_member(text, "error", connection->word);
        if (connection->limit != 0 && connection->limit != OTA_SIZE_UNKNOWN) {
            ota__json_put_number_member(text, "room", connection->limit);
        }
        ota__json_put_string_member(text, "text", connection->text);
    } else {
        ota__json_put_string_member(text, "restart", connection->restarts ? "auto" : "user");
        ota__json_put_bool_member(text, "held", connection->is_held);
        ota__json_put_string_member(text, "text", good_news(connection));
        if (connection->is_held) {
            ota__json_put_string_member(text, "reason", connection->text);
        }
    }
    ota_text_put(text, "}\n");
}

static void write_body(void *context, struct ota_text *text)
{
    const struct ota_web_connection *connection = context;

    if (connection->say == OTA__WEB_SAY_INFO) {
        ota__web_write_info(connection, text);
        return;
    }
    if (connection->from_page) {
        write_json(connection, text);
        return;
    }
    switch (connection->say) {
    case OTA__WEB_SAY_TEXT:
        put_reason(connection, text);
        ota_text_put(text, "\n");
        break;
    case OTA__WEB_SAY_DONE:
        write_done(connection, text);
        break;
    case OTA__WEB_SAY_STARTED:
        ota_text_put(text, "OK");
        break;
    case OTA__WEB_SAY_RESTARTING:
        ota_text_put(text, "<b style='color:green'>Restarting ...</b>");
        break;
    case OTA__WEB_SAY_ROLLED_BACK:
        ota_text_put(text, good_news(connection));
        ota_text_put(text, "\n");
        break;
    default:
        write_failed(connection, text);
        break;
    }
}

/* ---- Heads ------------------------------------------------------------------------------------ */

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
        ota_text_put(text, "WWW-Authenticate: Basic realm=\"Login Required\"\r\n");
    }
    if (status == 405 || connection->say == OTA__WEB_SAY_NOTHING) {
        ota_text_put(text, allowed(connection));
    }
    if (status == 429 || status == 503) {
        ota_text_put(text, "Retry-After: 10\r\n");
    }
    if (is_failure(connection) && connection->text != NULL) {
        put_safe_line(text, "X-Updraft-Error: ", connection->text);
    }
}

/* ---- Statuses --------------------------------------------------------------------------------- */

/* What an upload's failure is in HTTP's own terms. */
static unsigned true_status(const struct ota_web_connection *connection)
{
    enum ota_err err = connection->err;

    if (err == OTA_ERR_HELD) {
        return 503;
    }
    if (is_policy(err) || err == OTA_ERR_UNCONFIRMED) {
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
        return is_policy(connection->err) ? true_status(connection) : 500;
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

/* ---- Answers ---------------------------------------------------------------------------------- */

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
        answer.write_body = write_body;
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

void ota__web_say(struct ota_web_connection *connection, enum ota__web_say say)
{
    connection->say = (uint8_t)say;
    if (is_failure(connection)) {
        connection->word = ota_err_name(connection->err);
    }
    answer(connection, status_of(connection), 0);
}
