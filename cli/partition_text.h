/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_PARTITION_TEXT_H
#define CLI_PARTITION_TEXT_H

/* Partitions as commands print them. */

#include <cjson/cJSON.h>

#include "cli/table.h"

#define PARTITION_TEXT_SIZE 32u

/* The keyword of a row's type or subtype, or its number in hexadecimal, written into `text`. */
const char *partition_text_type(const struct table_options *options, const struct table_row *row,
                                char text[PARTITION_TEXT_SIZE]);
const char *partition_text_subtype(const struct table_options *options, const struct table_row *row,
                                   char text[PARTITION_TEXT_SIZE]);

/* "encrypted", "readonly", both, or "". */
const char *partition_text_flags(uint32_t flags);

/* Prints the rows as a table on standard output. */
void partition_text_print(const struct table *table, const struct table_options *options);

/* Returns the rows as a JSON array, and one row as an object. */
cJSON *partition_text_json(const struct table *table, const struct table_options *options);
cJSON *partition_text_json_row(const struct table_options *options, const struct table_row *row);

#endif
