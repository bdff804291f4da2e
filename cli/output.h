/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_CLI_OUTPUT_H
#define UPDRAFT_CLI_OUTPUT_H

/*
 * What the command says and how: facts on standard output, everything else on standard error, one
 * line a message, colour only for a person at a terminal.
 *
 *     return fail("%s: is a directory; name the image inside it", path);
 *     printf("%s bytes\n", output_thousands(size).text);
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cjson/cJSON.h>

/* Prints "updraft: ...\n" on standard error. The text says what, where and what to do. Returns 1,
   the exit status, so that a command can `return fail(...)`. */
int fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Prints "updraft: warning: ...\n" on standard error. */
void warn(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Flushes standard output; a command need not, as it is done behind each. Returns `status`, or
   fail() if what was printed could not be written (a full disk, a closed pipe). */
int output_finish(int status);

/* Prints the JSON on standard output, deletes it, and returns 0; fail() if memory ran out (`json`
   NULL). */
int output_json(cJSON *json);

/* A short text by value: printf("%s", output_thousands(n).text). */
struct output_text {
    char text[40];
};

struct output_text output_thousands(uint64_t number); /* "867,072" */
struct output_text output_hex(uint64_t number,
                              int digits);      /* "0x003c0a0020": 0x and at least so many */
struct output_text output_size(uint64_t bytes); /* "4 MB", "48.2 KB", "17 bytes"; of 1024 */

/* Writes text that comes from outside so that it cannot harm a terminal: control characters and
   bytes that are no UTF-8 become \xNN. `capacity` > 0 holds the end mark; 4 * strlen + 1 is always
   enough. Returns `safe`. */
const char *output_escape(const char *text, char *safe, size_t capacity);

/* Columns of a terminal that the text takes, which is UTF-8 without control characters: none for
   what is set above another character, two for East Asian ones. */
size_t output_width(const char *text);

/* Returns a copy of at most so many columns, of which the first is a "…" for what is missing in
   front. The caller's. */
char *output_shorten(const char *text, size_t columns);

/* Cuts the text behind so many columns. */
void output_cut(char *text, size_t columns);

/* Strings from outside as JSON: as they are if they are UTF-8, else escaped as above. */
void output_json_add_text(cJSON *object, const char *name, const char *text);

/* Tells whether what was printed on `stream` can be wiped and printed anew: it is a terminal, and
   TERM is not "dumb". Its size is 80 columns and 24 rows if it does not say. */
bool output_can_redraw(FILE *stream);
void output_terminal_size(FILE *stream, unsigned *columns, unsigned *rows);

enum output_style {
    OUTPUT_PLAIN = 0,
    OUTPUT_BOLD,
    OUTPUT_DIM,
    OUTPUT_GOOD,
    OUTPUT_WARNING,
    OUTPUT_BAD,
};

/* Return the escape sequences that begin a style on `stream` and end it: "" where `stream`
   cannot be redrawn, or NO_COLOR is set (and not empty). */
const char *output_begin(FILE *stream, enum output_style style);
const char *output_end(FILE *stream);

/*
 * Columns that are as wide as their widest cell. Cells are added row by row; the table keeps
 * copies.
 *
 *     struct output_table table;
 *     output_table_begin(&table, "lrl");                      left, right, left
 *     output_table_row(&table, "SLOT", "SIZE", "IMAGE");      as many strings as columns
 *     output_table_print(&table, stdout, "  ");               prints with this indent and frees
 */
#define OUTPUT_COLUMNS_MAX 12u
struct output_table {
    const char *align; /* a letter a column */
    size_t columns;
    char **cells;
    size_t cell_count, cell_capacity;
};
void output_table_begin(struct output_table *table, const char *align);
void output_table_row(struct output_table *table, ...);
void output_table_print(struct output_table *table, FILE *stream, const char *indent);

/* malloc, realloc, strdup and asprintf that end the program with a message when memory runs out. */
void *output_allocate(size_t size);
void *output_reallocate(void *memory, size_t size);
char *output_copy(const char *text);
char *output_format(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
