/* SPDX-License-Identifier: Apache-2.0 */
/* What `board run` asked for, on its way to the firmware. */

#include <cjson/cJSON.h>
#include <stddef.h>
#include <string.h>

#include "posix/ways.h"

enum kind {
    NUMBER,
    FLAG,
    TEXT
};

#define FIELD(name, kind)                        \
    {                                            \
#name, kind, offsetof(struct ways, name) \
    }

static const struct field {
    const char *name;
    enum kind kind;
    size_t offset;
} fields[] = {
    FIELD(espota, NUMBER),        FIELD(esphome, NUMBER),       FIELD(http, NUMBER),
    FIELD(host_name, TEXT),       FIELD(password, TEXT),        FIELD(refuse_md5, FLAG),
    FIELD(restart_by_hand, FLAG), FIELD(restart_at_once, FLAG), FIELD(exclusive, FLAG),
    FIELD(ca_file, TEXT),         FIELD(fingerprint, TEXT),     FIELD(update_url, TEXT),
    FIELD(upgrade_list, TEXT),    FIELD(sdcard, TEXT),          FIELD(window_from, NUMBER),
    FIELD(window_to, NUMBER),     FIELD(armed_s, NUMBER),       FIELD(refuse_same, FLAG),
    FIELD(refuse_older, FLAG),    FIELD(refuse_project, FLAG),
};

#define FIELD_COUNT (sizeof fields / sizeof *fields)

void ways_init(struct ways *ways)
{
    *ways = (struct ways){
        .espota = WAYS_CLOSED,
        .esphome = WAYS_CLOSED,
        .http = WAYS_CLOSED,
        .window_from = WAYS_CLOSED,
        .window_to = WAYS_CLOSED,
    };
}

bool ways_any(const struct ways *ways)
{
    return ways->espota != WAYS_CLOSED || ways->esphome != WAYS_CLOSED ||
           ways->http != WAYS_CLOSED || ways->update_url != NULL || ways->upgrade_list != NULL;
}

static void write_field(cJSON *json, const struct field *field, const void *at)
{
    const char *text;
    switch (field->kind) {
    case NUMBER:
        cJSON_AddNumberToObject(json, field->name, *(const int32_t *)at);
        break;
    case FLAG:
        cJSON_AddBoolToObject(json, field->name, *(const bool *)at);
        break;
    default:
        memcpy(&text, at, sizeof text);
        if (text != NULL) {
            cJSON_AddStringToObject(json, field->name, text);
        }
        break;
    }
}

char *ways_write(const struct ways *ways)
{
    cJSON *json = cJSON_CreateObject();
    for (size_t i = 0; i < FIELD_COUNT; i++) {
        write_field(json, &fields[i], (const char *)ways + fields[i].offset);
    }
    char *text = cJSON_PrintUnformatted(json);
    cJSON_Delete(json);
    return text;
}

static bool read_field(const cJSON *value, const struct field *field, void *at)
{
    if (value == NULL) {
        return field->kind == TEXT;
    }
    switch (field->kind) {
    case NUMBER:
        *(int32_t *)at = value->valueint;
        return cJSON_IsNumber(value) != 0;
    case FLAG:
        *(bool *)at = cJSON_IsTrue(value) != 0;
        return cJSON_IsBool(value) != 0;
    default:
        memcpy(at, &value->valuestring, sizeof value->valuestring);
        return cJSON_IsString(value) != 0;
    }
}

bool ways_read(struct ways *ways, const char *text)
{
    ways_init(ways);
    if (text == NULL) {
        return true;
    }
    ways->json = cJSON_Parse(text);
    for (size_t i = 0; i < FIELD_COUNT; i++) {
        const cJSON *value = cJSON_GetObjectItemCaseSensitive(ways->json, fields[i].name);
        if (ways->json == NULL || !read_field(value, &fields[i], (char *)ways + fields[i].offset)) {
            return false;
        }
    }
    return true;
}

void ways_free(struct ways *ways)
{
    cJSON_Delete(ways->json);
    ways_init(ways);
}
