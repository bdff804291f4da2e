/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_CSV_H
#define CLI_CSV_H

/* Partition tables as the CSV that ESP-IDF projects keep, to and from rows
   (docs/formats/partition-table.md sections 4, 5 and 9). */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/table.h"

/* Reads a number: 0x, 0o, 0b, underscores between digits, a sign; then suffixes k (1024) and m
   (1024 * 1024), as many as one likes. What passes ± TABLE_NUMBER_LIMIT is stored as that limit.
   Returns false for anything else. */
bool csv_number(const char *text, int64_t *value);

/* Reads a CSV text into rows, in its order, appended to `table`; offsets left empty stay so.
   Returns false with the problem at its line; free the table in either case. */
bool csv_parse(const void *data, size_t len, const struct table_options *options,
               struct table *table, struct table_problem *problem);

/* Writes rows as CSV, with the header that ESP-IDF's generator writes. Returns the text for the
   caller to free, or NULL when out of memory. */
char *csv_write(const struct table *table, const struct table_options *options);

/* Tells whether a name read back from CSV is the same name: no commas, no line ends, no blanks at
   its ends, nothing at its start that would make the line a comment or a variable. */
bool csv_can_hold(const char *name);

#endif
