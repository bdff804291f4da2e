/* SPDX-License-Identifier: Apache-2.0 */
/* Rows, keywords and problems: what reading, checking and writing partition tables share. */

#include "cli/table.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct table_options table_options_default(void)
{
    struct table_options options = {.offset = OTA_PARTITION_TABLE_OFFSET, .md5 = true};
    return options;
}

bool table_options_check(const struct table_options *options, struct table_problem *problem)
{
    if (options->has_primary_bootloader && options->primary_bootloader_offset >= options->offset) {
        return table_problem(
            problem, 0,
            "Unsupported configuration. Primary bootloader must be below partition "
            "table. Check --primary-bootloader-offset=0x%" PRIx32 " and --offset=0x%" PRIx32,
            options->primary_bootloader_offset, options->offset);
    }
    return true;
}

/* Rows. */

bool table_append(struct table *table, const struct table_row *row, const char *name, size_t len,
                  struct table_problem *problem)
{
    if (table->count == TABLE_ROWS_LIMIT) {
        return table_problem(problem, row->line,
                             "Binary partition table length (%u) longer than max: a table holds %u "
                             "partitions",
                             (TABLE_ROWS_LIMIT + 1) * OTA_PARTITION_ROW_SIZE,
                             OTA_PARTITION_ROWS_MAX);
    }
    if (table->count == table->capacity) {
        size_t capacity = table->capacity ? 2 * table->capacity : 16;
        struct table_row *rows = realloc(table->rows, capacity * sizeof *rows);
        if (!rows) {
            return table_problem(problem, row->line, "out of memory");
        }
        table->rows = rows;
        table->capacity = capacity;
    }
    char *copy = strndup(name, len);
    if (!copy) {
        return table_problem(problem, row->line, "out of memory");
    }
    table->rows[table->count] = *row;
    table->rows[table->count].name = copy;
    table->count++;
    return true;
}

void table_free(struct table *table)
{
    for (size_t i = 0; i < table->count; i++) {
        free(table->rows[i].name);
    }
    free(table->rows);
    *table = (struct table){0};
}

const struct table_row *table_find(const struct table *table, const char *name, int64_t type,
                                   int64_t subtype)
{
    for (size_t i = 0; i < table->count; i++) {
        const struct table_row *row = &table->rows[i];
        if ((!name || strcmp(row->name, name) == 0) && (type < 0 || row->type == type) &&
            (subtype < 0 || row->subtype == subtype)) {
            return row;
        }
    }
    return NULL;
}

/* Keywords. ESP8266_RTOS_SDK knows fewer. */

static bool type_in_dialect(enum table_dialect dialect, int64_t type)
{
    return dialect == TABLE_ESP_IDF || type == OTA_PARTITION_APP || type == OTA_PARTITION_DATA;
}

static bool subtype_in_dialect(enum table_dialect dialect, int64_t type, uint8_t subtype)
{
    if (dialect == TABLE_ESP_IDF) {
        return true;
    }
    if (type == OTA_PARTITION_APP) {
        return subtype <= OTA_SUBTYPE_APP_TEST;
    }
    return type == OTA_PARTITION_DATA && subtype != OTA_SUBTYPE_DATA_UNDEFINED &&
           subtype <= OTA_SUBTYPE_DATA_SPIFFS;
}

const char *table_type_keyword(const struct table_options *options, unsigned n, int64_t *value)
{
    for (const struct ota_keyword *type = ota_partition_types(); type->name; type++) {
        if (type_in_dialect(options->dialect, type->value) && n-- == 0) {
            *value = type->value;
            return type->name;
        }
    }
    return NULL;
}

const char *table_subtype_keyword(const struct table_options *options, int64_t type, unsigned n,
                                  int64_t *value)
{
    if (type < 0 || type > UINT8_MAX) {
        return NULL;
    }
    const struct ota_keyword *subtype = ota_partition_subtypes((uint8_t)type);
    for (; subtype && subtype->name; subtype++) {
        if (subtype_in_dialect(options->dialect, type, subtype->value) && n-- == 0) {
            *value = subtype->value;
            return subtype->name;
        }
    }
    for (size_t i = 0; i < options->extra_count; i++) {
        if (options->extra[i].type == type && n-- == 0) {
            *value = options->extra[i].value;
            return options->extra[i].name;
        }
    }
    return NULL;
}

const char *table_type_name(const struct table_options *options, int64_t type)
{
    const char *name;
    int64_t value;
    for (unsigned n = 0; (name = table_type_keyword(options, n, &value)); n++) {
        if (value == type) {
            return name;
        }
    }
    return NULL;
}

const char *table_subtype_name(const struct table_options *options, int64_t type, int64_t subtype)
{
    const char *name;
    int64_t value;
    for (unsigned n = 0; (name = table_subtype_keyword(options, type, n, &value)); n++) {
        if (value == subtype) {
            return name;
        }
    }
    return NULL;
}

bool table_extra_subtype_parse(const char *text, enum table_dialect dialect,
                               struct table_extra_subtype *extra, size_t *count,
                               struct table_problem *problem)
{
    struct table_options known = {.dialect = dialect, .extra = extra, .extra_count = *count};
    struct table_extra_subtype *added = &extra[*count];
    char type[20];
    char value[12];
    int end = 0;

    if (sscanf(text, "%19[^, ] , %31[^, ] , %11[0-9A-Fa-fxX] %n", type, added->name, value, &end) !=
            3 ||
        text[end] != '\0') {
        return table_problem(problem, 0,
                             "'%s' names no subtype: write type,name,value such as data,logs,0x40",
                             text);
    }
    char *rest;
    unsigned long number = strtoul(value, &rest, 16);
    if (*rest != '\0' || number > UINT8_MAX) {
        return table_problem(
            problem, 0, "the value of subtype '%s' must be hexadecimal, 0x00 to 0xff", added->name);
    }
    const char *name;
    int64_t type_number = 0;
    unsigned n = 0;
    do {
        name = table_type_keyword(&known, n++, &type_number);
    } while (name && strcmp(name, type) != 0);
    if (!name) {
        return table_problem(problem, 0, "'%s' is no partition type that has named subtypes", type);
    }
    const char *taken = table_subtype_name(&known, type_number, (int64_t)number);
    if (taken) {
        return table_problem(problem, 0,
                             "subtype 0x%02lx of type %s is '%s' already: '%s' needs another",
                             number, type, taken, added->name);
    }
    added->type = (uint8_t)type_number;
    added->value = (uint8_t)number;
    (*count)++;
    return true;
}

/* Problems. Names out of files go into messages, and messages to terminals. */

static void make_printable(char *text)
{
    for (char *c = text; *c; c++) {
        if ((unsigned char)*c < ' ' || *c == 0x7F) {
            *c = '?';
        }
    }
}

bool table_problem(struct table_problem *problem, unsigned line, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    problem->line = line;
    problem->hint = NULL;
    vsnprintf(problem->text, sizeof problem->text, format, arguments);
    va_end(arguments);
    make_printable(problem->text);
    return false;
}

bool table_hint(struct table_problem *problem, const char *hint)
{
    problem->hint = hint;
    return false;
}

void table_warn(const struct table_options *options, unsigned line, const char *format, ...)
{
    if (!options->warn) {
        return;
    }
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    make_printable(text);
    options->warn(options->context, line, text);
}

const char *table_hex(int64_t number, char text[24])
{
    snprintf(text, 24, number < 0 ? "0x-%" PRIx64 : "0x%" PRIx64,
             number < 0 ? (uint64_t)-number : (uint64_t)number);
    return text;
}
