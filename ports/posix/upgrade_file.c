/* SPDX-License-Identifier: Apache-2.0 */
/* Upgrade lists as files: docs/formats/upgrade-list.md section 2. */

#include <cjson/cJSON.h>
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <updraft/text.h>

#include "posix/upgrade_file.h"

/* What is being read, for messages. */
struct reader {
    struct upgrade_file *file;
    const char *path;
    size_t item;
};

static bool fail(struct upgrade_file *file, const char *path, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static bool fail(struct upgrade_file *file, const char *path, const char *format, ...)
{
    va_list arguments;
    const int len = snprintf(file->error, sizeof file->error, "%s: ", path);
    const size_t at = len > 0 && (size_t)len < sizeof file->error ? (size_t)len : 0;
    va_start(arguments, format);
    vsnprintf(file->error + at, sizeof file->error - at, format, arguments);
    va_end(arguments);
    return false;
}

static bool fail_field(const struct reader *reader, const char *field, const char *why)
{
    return fail(reader->file, reader->path, "item %zu: %s: %s", reader->item, field, why);
}

/* ---- Fields ---------------------------------------------------------------------------------- */

typedef bool read_field_fn(const struct reader *reader, const char *field, const cJSON *json,
                           struct ota_upgrade_item *item);

static bool is_text(const cJSON *json)
{
    return cJSON_IsString(json) && json->valuestring[0] != '\0';
}

static bool read_type(const struct reader *reader, const char *field, const cJSON *json,
                      struct ota_upgrade_item *item)
{
    if (is_text(json) && strcmp(json->valuestring, "app") == 0) {
        item->kind = OTA_UPGRADE_APP;
    } else if (is_text(json) && strcmp(json->valuestring, "data") == 0) {
        item->kind = OTA_UPGRADE_DATA;
    } else {
        return fail_field(reader, field, "write \"app\" or \"data\"");
    }
    return true;
}

static bool read_uri(const struct reader *reader, const char *field, const cJSON *json,
                     struct ota_upgrade_item *item)
{
    if (!is_text(json) || strchr(json->valuestring, ':') == NULL) {
        return fail_field(reader, field,
                          "write an address such as \"https://host/app.bin\" or "
                          "\"file:///path/app.bin\"");
    }
    item->uri = json->valuestring;
    return true;
}

static bool read_label(const struct reader *reader, const char *field, const cJSON *json,
                       struct ota_upgrade_item *item)
{
    if (!is_text(json) || strlen(json->valuestring) > OTA_PARTITION_LABEL_MAX) {
        return fail_field(reader, field, "write a partition's label, of at most 16 characters");
    }
    item->label = json->valuestring;
    return true;
}

static bool read_check(const struct reader *reader, const char *field, const cJSON *json,
                       struct ota_upgrade_item *item)
{
    static const struct {
        const char *word;
        enum ota_upgrade_check check;
    } words[] = {
        {"different", OTA_UPGRADE_DIFFERENT},
        {"newer", OTA_UPGRADE_NEWER},
        {"newer-number", OTA_UPGRADE_NEWER_NUMBER},
        {"always", OTA_UPGRADE_ALWAYS},
    };
    for (size_t i = 0; is_text(json) && i < sizeof words / sizeof *words; i++) {
        if (strcmp(json->valuestring, words[i].word) == 0) {
            item->check = words[i].check;
            return true;
        }
    }
    return fail_field(reader, field,
                      "write \"different\", \"newer\", \"newer-number\" or \"always\"");
}

static bool read_bool(const struct reader *reader, const char *field, const cJSON *json,
                      bool *value)
{
    *value = cJSON_IsTrue(json) != 0;
    return cJSON_IsBool(json) != 0 || fail_field(reader, field, "write true or false");
}

static bool read_restart(const struct reader *reader, const char *field, const cJSON *json,
                         struct ota_upgrade_item *item)
{
    return read_bool(reader, field, json, &item->restart);
}

static bool read_break(const struct reader *reader, const char *field, const cJSON *json,
                       struct ota_upgrade_item *item)
{
    return read_bool(reader, field, json, &item->break_after_fail);
}

static bool read_any_project(const struct reader *reader, const char *field, const cJSON *json,
                             struct ota_upgrade_item *item)
{
    return read_bool(reader, field, json, &item->any_project);
}

static bool read_tone_only(const struct reader *reader, const char *field, const cJSON *json,
                           struct ota_upgrade_item *item)
{
    return read_bool(reader, field, json, &item->tone_only);
}

static bool read_size(const struct reader *reader, const char *field, const cJSON *json,
                      struct ota_upgrade_item *item)
{
    if (!cJSON_IsNumber(json) || json->valuedouble < 1 || json->valuedouble >= OTA_SIZE_UNKNOWN ||
        json->valuedouble != floor(json->valuedouble)) {
        return fail_field(reader, field, "write a number of bytes");
    }
    item->size = (uint32_t)json->valuedouble;
    return true;
}

static bool read_digest(const struct reader *reader, const char *field, const cJSON *json,
                        enum ota_hash_algorithm algorithm, struct ota_upgrade_item *item)
{
    if (item->expected.algorithm != OTA_HASH_NONE) {
        return fail_field(reader, field, "give md5 or sha256, not both");
    }
    item->expected.algorithm = algorithm;
    return (is_text(json) && ota_text_read_hex(json->valuestring, item->expected.bytes,
                                               ota_digest_size(algorithm))) ||
           fail_field(reader, field,
                      algorithm == OTA_HASH_MD5 ? "write 32 hexadecimal digits"
                                                : "write 64 hexadecimal digits");
}

static bool read_md5(const struct reader *reader, const char *field, const cJSON *json,
                     struct ota_upgrade_item *item)
{
    return read_digest(reader, field, json, OTA_HASH_MD5, item);
}

static bool read_sha256(const struct reader *reader, const char *field, const cJSON *json,
                        struct ota_upgrade_item *item)
{
    return read_digest(reader, field, json, OTA_HASH_SHA256, item);
}

/* ---- Files ----------------------------------------------------------------------------------- */

/* Reads a whole file, terminated; NULL with errno if it cannot, EFBIG if it is too large. */
static char *read_whole(const char *path, size_t *len)
{
    FILE *stream = fopen(path, "rbe");
    char *text = stream != NULL ? malloc(UPGRADE_FILE_SIZE_MAX + 1) : NULL;
    if (text != NULL) {
        *len = fread(text, 1, UPGRADE_FILE_SIZE_MAX + 1, stream);
        if (ferror(stream) != 0 || *len > UPGRADE_FILE_SIZE_MAX) {
            errno = ferror(stream) != 0 ? errno : EFBIG;
            free(text);
            text = NULL;
        } else {
            text[*len] = '\0';
        }
    }
    if (stream != NULL) {
        const int error = errno;
        fclose(stream);
        errno = error;
    }
    return text;
}

/* The path of a file that the list names: beside the list, unless it is absolute. */
static bool path_beside(const char *list, const char *name, char path[PATH_MAX])
{
    const char *slash = strrchr(list, '/');
    const int folder = name[0] == '/' || slash == NULL ? 0 : (int)(slash + 1 - list);
    return snprintf(path, PATH_MAX, "%.*s%s", folder, list, name) < PATH_MAX;
}

static bool read_ca(const struct reader *reader, const char *field, const cJSON *json,
                    struct ota_upgrade_item *item)
{
    char path[PATH_MAX];
    size_t len;
    if (!is_text(json) || !path_beside(reader->path, json->valuestring, path)) {
        return fail_field(reader, field, "write the path of a file of certificates");
    }
    char *pem = read_whole(path, &len);
    if (pem == NULL) {
        return fail(reader->file, reader->path, "item %zu: %s: %s cannot be read: %s", reader->item,
                    field, path, strerror(errno));
    }
    reader->file->certificates[reader->item] = pem;
    item->ca_pem = pem;
    return strstr(pem, "-----BEGIN CERTIFICATE-----") != NULL ||
           fail_field(reader, field, "there is no certificate (PEM) in that file");
}

/* ---- The list -------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    read_field_fn *read;
} fields[] = {
    {"type", read_type},
    {"uri", read_uri},
    {"label", read_label},
    {"ca", read_ca},
    {"check", read_check},
    {"any_project", read_any_project},
    {"tone_only", read_tone_only},
    {"size", read_size},
    {"md5", read_md5},
    {"sha256", read_sha256},
    {"restart", read_restart},
    {"break_after_fail", read_break},
};

#define FIELD_COUNT (sizeof fields / sizeof *fields)

static bool read_one_field(const struct reader *reader, const cJSON *json, bool seen[FIELD_COUNT],
                           struct ota_upgrade_item *item)
{
    for (size_t i = 0; i < FIELD_COUNT; i++) {
        if (strcmp(json->string, fields[i].name) != 0) {
            continue;
        }
        if (seen[i]) {
            return fail_field(reader, json->string, "is there twice");
        }
        seen[i] = true;
        return fields[i].read(reader, json->string, json, item);
    }
    return fail_field(reader, json->string, "there is no such field");
}

static bool read_item(const struct reader *reader, const cJSON *json, struct ota_upgrade_item *item)
{
    bool seen[FIELD_COUNT] = {false};
    const cJSON *field = NULL;
    if (!cJSON_IsObject(json)) {
        return fail(reader->file, reader->path, "item %zu is no object", reader->item);
    }
    cJSON_ArrayForEach(field, json)
    {
        if (!read_one_field(reader, field, seen, item)) {
            return false;
        }
    }
    if (!seen[0]) {
        return fail_field(reader, "type", "is missing");
    }
    if (item->uri == NULL) {
        return fail_field(reader, "uri", "is missing");
    }
    if (item->kind == OTA_UPGRADE_DATA && item->label == NULL) {
        return fail_field(reader, "label", "is missing; data needs one");
    }
    if (item->kind == OTA_UPGRADE_APP && item->label != NULL) {
        return fail_field(reader, "label",
                          "is for data; an app goes to the slot that does not run");
    }
    return true;
}

/* Says in which line the text stops being JSON. */
static bool fail_at(struct upgrade_file *file, const char *path, const char *text, const char *at)
{
    unsigned line = 1;
    for (const char *c = text; at != NULL && c < at; c++) {
        line += *c == '\n';
    }
    return fail(file, path, "line %u is not JSON", line);
}

bool upgrade_file_parse(struct upgrade_file *file, const char *path, const char *text, size_t len)
{
    const char *end = NULL;
    struct reader reader = {.file = file, .path = path};
    const cJSON *item = NULL;
    *file = (struct upgrade_file){.count = 0};
    file->json = cJSON_ParseWithLengthOpts(text, len, &end, false);
    if (file->json == NULL) {
        return fail_at(file, path, text, end);
    }
    const cJSON *items = cJSON_IsObject(file->json)
                             ? cJSON_GetObjectItemCaseSensitive(file->json, "items")
                             : file->json;
    if (!cJSON_IsArray(items)) {
        return fail(file, path, "there is no array of items in it");
    }
    cJSON_ArrayForEach(item, items)
    {
        if (file->count == OTA_UPGRADE_ITEMS_MAX) {
            return fail(file, path, "there are more than %u items", OTA_UPGRADE_ITEMS_MAX);
        }
        reader.item = file->count;
        if (!read_item(&reader, item, &file->items[file->count])) {
            return false;
        }
        file->count++;
    }
    return file->count > 0 || fail(file, path, "there are no items in it");
}

bool upgrade_file_load(struct upgrade_file *file, const char *path)
{
    size_t len;
    char *text = read_whole(path, &len);
    if (text == NULL) {
        *file = (struct upgrade_file){.count = 0};
        return fail(file, path, "cannot be read: %s", strerror(errno));
    }
    const bool parsed = upgrade_file_parse(file, path, text, len);
    free(text);
    return parsed;
}

void upgrade_file_free(struct upgrade_file *file)
{
    cJSON_Delete(file->json);
    for (size_t i = 0; i < OTA_UPGRADE_ITEMS_MAX; i++) {
        free(file->certificates[i]);
    }
    *file = (struct upgrade_file){.count = 0};
}
