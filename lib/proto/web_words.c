/* SPDX-License-Identifier: Apache-2.0 */
/* What is said, in each dialect: docs/formats/web-upload.md sections 4 to 6. */

#include "proto/web_private.h"

#include "proto/arduino_words.h"
#include "proto/json.h"

bool ota__web_is_failure(const struct ota_web_connection *connection)
{
    return connection->say <= OTA__WEB_SAY_PROTOCOL_ERROR;
}

bool ota__web_is_policy(enum ota_err err)
{
    return err >= OTA_ERR_BUSY && err <= OTA_ERR_VERSION;
}

/* ---- The updater's line ---------------------------------------------------------------------- */

static bool is_esp8266(const struct ota_web_connection *connection)
{
    enum ota_image_form form = connection->web->options.device->form;

    return (form == OTA_IMAGE_ESP8266 || form == OTA_IMAGE_ESP8266_RTOS) &&
           connection->dialect != OTA__WEB_PSYCHIC;
}

/* What happened, where that line does not say it, and what a gate says, follows in brackets. */
static void put_line(const struct ota_web_connection *connection, struct ota_text *text)
{
    enum ota_err err = connection->err;
    bool is_gates = connection->text != ota_err_text(err);

    if (is_esp8266(connection)) {
        int number = ota_err_arduino_esp8266(err);
        ota_text_put(text, "ERROR[");
        ota_text_put_decimal(text, (uint32_t)number);
        ota_text_put(text, "]: ");
        ota_text_put(text, ota_arduino_esp8266_text(number));
    } else {
        ota_text_put(text, ota_arduino_esp32_text(ota_err_arduino_esp32(err)));
    }
    if (ota__web_is_policy(err) || is_gates || !ota__arduino_says(err, !is_esp8266(connection))) {
        ota_text_put(text, " (");
        ota_text_put(text, connection->text);
        ota_text_put(text, ")");
    }
}

/* The same as the updater prints it. */
static void put_printed_line(const struct ota_web_connection *connection, struct ota_text *text)
{
    put_line(connection, text);
    ota_text_put(text, is_esp8266(connection) ? "\n" : "\r\n");
}

/* ---- Bodies ---------------------------------------------------------------------------------- */

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
                               "Update Success! Rebooting...");
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
        if (ota__web_is_policy(connection->err)) {
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
        put_printed_line(connection, text);
        break;
    default:
        ota_text_put(text, "Update error: ");
        put_printed_line(connection, text);
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
    ota__json_put_bool(text, !ota__web_is_failure(connection));
    if (ota__web_is_failure(connection)) {
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

void ota__web_write_body(void *context, struct ota_text *text)
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
    case OTA__WEB_SAY_ORIGINAL:
        ota_text_put(text, connection->text);
        break;
    case OTA__WEB_SAY_START_FAILED:
        put_printed_line(connection, text);
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
