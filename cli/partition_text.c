/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of a partition table for people and for programs. */

#include "cli/partition_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/output.h"

static const char *name_or_number(const char *name, int64_t number, char text[PARTITION_TEXT_SIZE])
{
    if (name != NULL) {
        snprintf(text, PARTITION_TEXT_SIZE, "%s", name);
        return text;
    }
    return table_hex(number, text);
}

const char *partition_text_type(const struct table_options *options, const struct table_row *row,
                                char text[PARTITION_TEXT_SIZE])
{
    return name_or_number(table_type_name(options, row->type), row->type, text);
}

const char *partition_text_subtype(const struct table_options *options, const struct table_row *row,
                                   char text[PARTITION_TEXT_SIZE])
{
    return name_or_number(table_subtype_name(options, row->type, row->subtype), row->subtype, text);
}

const char *partition_text_flags(uint32_t flags)
{
    static const char *const names[] = {"", "encrypted", "readonly", "encrypted:readonly"};
    return names[flags & (OTA_PARTITION_FLAG_ENCRYPTED | OTA_PARTITION_FLAG_READ_ONLY)];
}

static void add_row(struct output_table *output, const struct table_options *options,
                    const struct table_row *row)
{
    char type[PARTITION_TEXT_SIZE];
    char subtype[PARTITION_TEXT_SIZE];
    size_t capacity = 4 * strlen(row->name) + 1;
    char *name = output_allocate(capacity);
    char offset[24];
    char end[24];

    output_table_row(output, output_escape(row->name, name, capacity),
                     partition_text_type(options, row, type),
                     partition_text_subtype(options, row, subtype), table_hex(row->offset, offset),
                     table_hex(row->offset + row->size, end),
                     output_size(row->size > 0 ? (uint64_t)row->size : 0).text,
                     partition_text_flags(row->flags));
    free(name);
}

void partition_text_print(const struct table *table, const struct table_options *options)
{
    struct output_table output;
    output_table_begin(&output, "lllrrrl");
    output_table_row(&output, "NAME", "TYPE", "SUBTYPE", "OFFSET", "END", "SIZE", "FLAGS");
    for (size_t i = 0; i < table->count; i++) {
        add_row(&output, options, &table->rows[i]);
    }
    output_table_print(&output, stdout, "");
}

cJSON *partition_text_json_row(const struct table_options *options, const struct table_row *row)
{
    char text[PARTITION_TEXT_SIZE];
    cJSON *item = cJSON_CreateObject();
    output_json_add_text(item, "name", row->name);
    cJSON_AddStringToObject(item, "type", partition_text_type(options, row, text));
    cJSON_AddNumberToObject(item, "type_number", (double)row->type);
    cJSON_AddStringToObject(item, "subtype", partition_text_subtype(options, row, text));
    cJSON_AddNumberToObject(item, "subtype_number", (double)row->subtype);
    cJSON_AddNumberToObject(item, "offset", (double)row->offset);
    cJSON_AddNumberToObject(item, "size", (double)row->size);
    cJSON_AddBoolToObject(item, "encrypted", row->flags & OTA_PARTITION_FLAG_ENCRYPTED);
    cJSON_AddBoolToObject(item, "readonly", (row->flags & OTA_PARTITION_FLAG_READ_ONLY) != 0);
    return item;
}

cJSON *partition_text_json(const struct table *table, const struct table_options *options)
{
    cJSON *array = cJSON_CreateArray();
    for (size_t i = 0; i < table->count; i++) {
        cJSON_AddItemToArray(array, partition_text_json_row(options, &table->rows[i]));
    }
    return array;
}
