/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_CSV_READER_H
#define CLI_CSV_READER_H

/*
 * The partition tools' CSV, from bytes to the six fields of each line: encoding marks, environment
 * variables, comments, blanks (docs/formats/partition-table.md section 4). What the fields mean is
 * csv.c's business.
 *
 *     struct csv_reader reader;
 *     if (!csv_reader_open(&reader, data, len, &options, &problem)) …
 *     while ((line = csv_reader_next(&reader, fields, &problem)) == CSV_ROW) …
 *     csv_reader_close(&reader);
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/table.h"

#define CSV_SIZE_LIMIT (1u << 20)  /* bytes of a text */
#define CSV_LINE_LIMIT (64u << 10) /* bytes of a line with its variables expanded */

/* In the order of the columns. */
enum csv_field {
    CSV_NAME,
    CSV_TYPE,
    CSV_SUBTYPE,
    CSV_OFFSET,
    CSV_SIZE,
    CSV_FLAGS,
    CSV_FIELDS
};

enum csv_line {
    CSV_ROW,
    CSV_END,
    CSV_ERROR
};

struct csv_reader {
    const struct table_options *options; /* for its environment */
    char *text;                          /* the whole text as UTF-8; owned */
    const char *next;
    const char *end;
    char *line;      /* the present line, expanded and cut at its commas; owned */
    unsigned number; /* of the present line, from 1 */
};

/* Decodes the text: UTF-8 or UTF-16 by its byte-order mark, UTF-8 without one. The data need not
   stay; the options must. Returns false with the problem (too long, not such text, no memory);
   close the reader in either case. */
bool csv_reader_open(struct csv_reader *reader, const void *data, size_t len,
                     const struct table_options *options, struct table_problem *problem);

/* Finds the next line that is neither empty nor a comment, and points `fields` at its fields,
   stripped of blanks, missing ones empty; they last until the next call. Returns CSV_ERROR with the
   problem for a line that begins with an unknown variable or is too long. */
enum csv_line csv_reader_next(struct csv_reader *reader, const char *fields[CSV_FIELDS],
                              struct table_problem *problem);

/* Frees what the reader owns. */
void csv_reader_close(struct csv_reader *reader);

#endif
