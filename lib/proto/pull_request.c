/* SPDX-License-Identifier: Apache-2.0 */
/* How HTTP pull spells a request: one table of lines for each dialect, one function for all. */

#include "proto/pull_private.h"

#include "base/mem.h"
#include "proto/http_basic.h"

enum line_kind {
    LINE_CONSTANT, /* value below */
    LINE_HOST,
    LINE_AUTHORIZATION,
    LINE_RANGE,
    LINE_IF_RANGE,
    /* The device's own from here on: not for other hosts. */
    LINE_CHIP,
    LINE_PROJECT,
    LINE_VERSION,
    LINE_CHIP_ID,
    LINE_SDK_VERSION,
    LINE_ACCEPT,
    LINE_STA_MAC,
    LINE_AP_MAC,
    LINE_FREE_SPACE,
    LINE_SKETCH_SIZE,
    LINE_CHIP_SIZE,
    LINE_SKETCH_MD5,
    LINE_SKETCH_SHA256,
    LINE_MODE,
};

struct ota_pull_line {
    enum line_kind kind;
    const char *name;
    const char *value;
};

#define LINE_COUNT(lines) (uint8_t)(sizeof(lines) / sizeof *(lines))

/* docs/formats/http-pull.md section 1 */
static const struct ota_pull_line esp8266_lines[] = {
    {LINE_HOST, "Host", NULL},
    {LINE_CONSTANT, "User-Agent", "ESP8266-http-Update"},
    {LINE_AUTHORIZATION, "Authorization", NULL},
    {LINE_CONSTANT, "Connection", "close"},
    {LINE_CHIP_ID, "x-ESP8266-Chip-ID", NULL},
    {LINE_STA_MAC, "x-ESP8266-STA-MAC", NULL},
    {LINE_AP_MAC, "x-ESP8266-AP-MAC", NULL},
    {LINE_FREE_SPACE, "x-ESP8266-free-space", NULL},
    {LINE_SKETCH_SIZE, "x-ESP8266-sketch-size", NULL},
    {LINE_SKETCH_MD5, "x-ESP8266-sketch-md5", NULL},
    {LINE_CHIP_SIZE, "x-ESP8266-chip-size", NULL},
    {LINE_SDK_VERSION, "x-ESP8266-sdk-version", NULL},
    {LINE_MODE, "x-ESP8266-mode", NULL},
    {LINE_VERSION, "x-ESP8266-version", NULL},
    {LINE_RANGE, "Range", NULL},
    {LINE_IF_RANGE, "If-Range", NULL},
    {LINE_CONSTANT, "Content-Length", "0"},
};

const struct ota_pull_dialect ota_pull_esp8266 = {
    .name = "ESP8266",
    .minor_version = 0,
    .line_count = LINE_COUNT(esp8266_lines),
    .lines = esp8266_lines,
};

/* docs/formats/http-pull.md section 2 */
static const struct ota_pull_line esp32_lines[] = {
    {LINE_HOST, "Host", NULL},
    {LINE_CONSTANT, "User-Agent", "ESP32-http-Update"},
    {LINE_CONSTANT, "Connection", "close"},
    {LINE_AUTHORIZATION, "Authorization", NULL},
    {LINE_CONSTANT, "Cache-Control", "no-cache"},
    {LINE_STA_MAC, "x-ESP32-STA-MAC", NULL},
    {LINE_AP_MAC, "x-ESP32-AP-MAC", NULL},
    {LINE_FREE_SPACE, "x-ESP32-free-space", NULL},
    {LINE_SKETCH_SIZE, "x-ESP32-sketch-size", NULL},
    {LINE_SKETCH_MD5, "x-ESP32-sketch-md5", NULL},
    {LINE_SKETCH_SHA256, "x-ESP32-sketch-sha256", NULL},
    {LINE_CHIP_SIZE, "x-ESP32-chip-size", NULL},
    {LINE_SDK_VERSION, "x-ESP32-sdk-version", NULL},
    {LINE_MODE, "x-ESP32-mode", NULL},
    {LINE_VERSION, "x-ESP32-version", NULL},
    {LINE_RANGE, "Range", NULL},
    {LINE_IF_RANGE, "If-Range", NULL},
};

const struct ota_pull_dialect ota_pull_esp32 = {
    .name = "ESP32",
    .minor_version = 0,
    .line_count = LINE_COUNT(esp32_lines),
    .lines = esp32_lines,
};

static const struct ota_pull_line updraft_lines[] = {
    {LINE_HOST, "Host", NULL},
    {LINE_CONSTANT, "User-Agent", "Updraft-http-Update"},
    {LINE_AUTHORIZATION, "Authorization", NULL},
    {LINE_CONSTANT, "Connection", "close"},
    {LINE_CONSTANT, "Cache-Control", "no-cache"},
    {LINE_CHIP, "x-Updraft-Chip", NULL},
    {LINE_PROJECT, "x-Updraft-Project", NULL},
    {LINE_STA_MAC, "x-Updraft-STA-MAC", NULL},
    {LINE_FREE_SPACE, "x-Updraft-free-space", NULL},
    {LINE_SKETCH_SIZE, "x-Updraft-sketch-size", NULL},
    {LINE_SKETCH_MD5, "x-Updraft-sketch-md5", NULL},
    {LINE_SKETCH_SHA256, "x-Updraft-sketch-sha256", NULL},
    {LINE_CHIP_SIZE, "x-Updraft-chip-size", NULL},
    {LINE_SDK_VERSION, "x-Updraft-sdk-version", NULL},
    {LINE_MODE, "x-Updraft-mode", NULL},
    {LINE_VERSION, "x-Updraft-version", NULL},
    {LINE_ACCEPT, "x-Updraft-accept", NULL},
    {LINE_RANGE, "Range", NULL},
    {LINE_IF_RANGE, "If-Range", NULL},
};

const struct ota_pull_dialect ota_pull_updraft = {
    .name = "Updraft",
    .minor_version = 1,
    .line_count = LINE_COUNT(updraft_lines),
    .lines = updraft_lines,
};

static const char *const modes[] = {
    [OTA_PULL_FIRMWARE] = "sketch",
    [OTA_PULL_FILE_SYSTEM] = "spiffs",
    [OTA_PULL_VERSION] = "version",
};

/* The text of a line that is a string, NULL for the others. */
static const char *string_of(const struct ota_pull_options *options,
                             const struct ota_pull_line *line)
{
    const struct ota_pull_facts *facts = options->facts;

    switch (line->kind) {
    case LINE_CONSTANT:
        return line->value;
    case LINE_CHIP:
        return facts->chip;
    case LINE_PROJECT:
        return facts->project;
    case LINE_VERSION:
        return facts->version;
    case LINE_CHIP_ID:
        return facts->chip_id;
    case LINE_SDK_VERSION:
        return facts->sdk_version;
    case LINE_ACCEPT:
        return facts->accept;
    case LINE_MODE:
        return modes[options->mode];
    default:
        return NULL;
    }
}

static enum ota_err credentials_of(const struct ota_pull_options *options,
                                   char out[OTA_PULL_CREDENTIALS_MAX], size_t *len)
{
    return ota__http_credentials(options->credentials, options->url, out, OTA_PULL_CREDENTIALS_MAX,
                                 len);
}

static bool has_credentials(const struct ota_pull_options *options)
{
    char credentials[OTA_PULL_CREDENTIALS_MAX];
    size_t len;

    return credentials_of(options, credentials, &len) == OTA_OK && len > 0;
}

static bool is_written(const struct ota_pull *pull, const struct ota_pull_line *line)
{
    const struct ota_pull_facts *facts = pull->options.facts;

    if (pull->away && line->kind >= LINE_CHIP) {
        return false;
    }
    switch (line->kind) {
    case LINE_AUTHORIZATION:
        return !pull->away && has_credentials(&pull->options);
    case LINE_RANGE:
        return pull->range_start > 0;
    case LINE_IF_RANGE:
        return pull->range_start > 0 && pull->pending.kind == OTA_IDENTITY_ETAG;
    case LINE_SKETCH_MD5:
        return facts->sketch_md5 != NULL;
    case LINE_SKETCH_SHA256:
        return facts->sketch_sha256 != NULL;
    case LINE_CONSTANT:
    case LINE_CHIP:
    case LINE_PROJECT:
    case LINE_VERSION:
    case LINE_CHIP_ID:
    case LINE_SDK_VERSION:
    case LINE_ACCEPT:
    case LINE_MODE: {
        const char *string = string_of(&pull->options, line);
        return string != NULL && *string != '\0';
    }
    default:
        return true;
    }
}

static void put_authorization(const struct ota_pull *pull, struct ota_text *text)
{
    char credentials[OTA_PULL_CREDENTIALS_MAX];
    size_t len;

    (void)credentials_of(&pull->options, credentials, &len);
    ota__http_put_basic(text, credentials, len);
}

static void put_value(const struct ota_pull *pull, const struct ota_pull_line *line,
                      struct ota_text *text)
{
    const struct ota_pull_facts *facts = pull->options.facts;
    struct ota__url url;

    switch (line->kind) {
    case LINE_HOST:
        (void)ota__url_parse(&url, pull->url);
        ota__url_put_host(text, &url);
        break;
    case LINE_AUTHORIZATION:
        put_authorization(pull, text);
        break;
    case LINE_RANGE:
        ota_text_put(text, "bytes=");
        ota_text_put_decimal(text, pull->range_start);
        ota_text_put(text, "-");
        break;
    case LINE_IF_RANGE:
        ota_text_put_bytes(text, pull->pending.bytes, pull->pending.len);
        break;
    case LINE_STA_MAC:
        ota_text_put_hex(text, facts->sta_mac, sizeof facts->sta_mac, ':', true);
        break;
    case LINE_AP_MAC:
        ota_text_put_hex(text, facts->ap_mac, sizeof facts->ap_mac, ':', true);
        break;
    case LINE_FREE_SPACE:
        ota_text_put_decimal(text, facts->free_space);
        break;
    case LINE_SKETCH_SIZE:
        ota_text_put_decimal(text, facts->sketch_size);
        break;
    case LINE_CHIP_SIZE:
        ota_text_put_decimal(text, facts->chip_size);
        break;
    case LINE_SKETCH_MD5:
        ota_text_put_hex(text, facts->sketch_md5, OTA_MD5_SIZE, 0, false);
        break;
    case LINE_SKETCH_SHA256:
        ota_text_put_hex(text, facts->sketch_sha256, OTA_SHA256_SIZE, 0, true);
        break;
    case LINE_ACCEPT:
        ota_text_put(text, pull->prefer_plain ? "plain, " : "");
        ota_text_put(text, facts->accept);
        break;
    default:
        ota_text_put(text, string_of(&pull->options, line));
        break;
    }
}

void ota__pull_write_target(void *context, struct ota_text *text)
{
    const struct ota_pull *pull = context;
    struct ota__url url;

    (void)ota__url_parse(&url, pull->url);
    ota__url_put_target(text, &url);
}

void ota__pull_write_headers(void *context, struct ota_text *text)
{
    const struct ota_pull *pull = context;
    const struct ota_pull_dialect *dialect = pull->options.dialect;

    for (unsigned i = 0; i < dialect->line_count; i++) {
        const struct ota_pull_line *line = &dialect->lines[i];
        if (!is_written(pull, line)) {
            continue;
        }
        ota_text_put(text, line->name);
        ota_text_put(text, ": ");
        put_value(pull, line, text);
        ota_text_put(text, "\r\n");
    }
}

enum ota_err ota__pull_check_request(const struct ota_pull_options *options)
{
    char credentials[OTA_PULL_CREDENTIALS_MAX];
    size_t len;

    if (options->mode > OTA_PULL_VERSION) {
        return OTA_ERR_ARGUMENT;
    }
    for (unsigned i = 0; i < options->dialect->line_count; i++) {
        const char *string = string_of(options, &options->dialect->lines[i]);
        for (; string != NULL && *string != '\0'; string++) {
            if ((unsigned char)*string < ' ' || *string == 0x7F) {
                return OTA_ERR_ARGUMENT;
            }
        }
    }
    return credentials_of(options, credentials, &len);
}
