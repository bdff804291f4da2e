/* SPDX-License-Identifier: Apache-2.0 */
/* Which dialect an upload is in, and where the file goes: docs/formats/web-upload.md sections 2 and
   8. */

#include "proto/web_private.h"

#include "base/mem.h"

static bool ends_with(const char *name, size_t len, const char *end)
{
    size_t end_len = strlen(end);

    return len >= end_len && memcmp(name + len - end_len, end, end_len) == 0;
}

enum ota__web_kind ota__web_kind_of(const char *name, size_t len)
{
    static const char filesystem[] = "filesystem";
    size_t stem = sizeof filesystem - 1;

    if (ends_with(name, len, "code.bin")) {
        return OTA__WEB_KIND_CODE;
    }
    if (ends_with(name, len, "littlefs.bin")) {
        return OTA__WEB_KIND_LITTLEFS;
    }
    if (ends_with(name, len, "fs.bin") ||
        (len > stem && memcmp(name, filesystem, stem) == 0 && ends_with(name, len, ".bin"))) {
        return OTA__WEB_KIND_DATA; /* spiffs.bin, too */
    }
    return OTA__WEB_KIND_NONE;
}

static bool is_psychic(enum ota__web_kind kind)
{
    return kind == OTA__WEB_KIND_CODE || kind == OTA__WEB_KIND_LITTLEFS;
}

static bool is_data(enum ota__web_kind kind)
{
    return kind == OTA__WEB_KIND_LITTLEFS || kind == OTA__WEB_KIND_DATA;
}

void ota__web_choose_for_part(struct ota_web_connection *connection,
                              const struct ota_multipart_part *part)
{
    enum ota__web_kind kind = ota__web_kind_of(part->file_name, strlen(part->file_name));
    bool by_name = ota_text_same(part->name, "filesystem") ||
                   (is_data(kind) && !ota_text_same(part->name, "firmware"));

    if (connection->route == OTA__WEB_ELEGANT_UPLOAD) {
        connection->dialect = OTA__WEB_ELEGANT; /* and is_data as the start has said */
    } else if (!connection->from_page && ota_text_same(part->name, "update")) {
        connection->dialect = OTA__WEB_ESPHOME;
        connection->is_data = false;
    } else if (!connection->from_page && ota_text_same(part->name, "file") && is_psychic(kind)) {
        connection->dialect = OTA__WEB_PSYCHIC;
        connection->is_data = is_data(kind);
    } else {
        connection->dialect = OTA__WEB_ARDUINO;
        connection->is_data = by_name || connection->asks_data;
    }
}

void ota__web_choose_for_raw(struct ota_web_connection *connection)
{
    enum ota__web_kind kind = (enum ota__web_kind)connection->file_kind;
    bool psychic = is_psychic(kind) && !connection->from_page;

    connection->dialect = psychic ? OTA__WEB_PSYCHIC : OTA__WEB_RAW;
    connection->is_data = is_data(kind) || (connection->asks_data && !psychic);
}

bool ota__web_restarts(const struct ota_web_connection *connection)
{
    switch (connection->web->options.restart) {
    case OTA_WEB_RESTART_AT_ONCE:
        return true;
    case OTA_WEB_RESTART_BY_HAND:
        return false;
    default:
        return connection->dialect != OTA__WEB_PSYCHIC;
    }
}
