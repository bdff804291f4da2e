/* SPDX-License-Identifier: Apache-2.0 */
/* Messages, numbers, columns and JSON as the command prints them. */

#include "cli/output.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "server/hex.h"
#include "server/utf8.h"

/* --- messages ------------------------------------------------------------------------------- */

int fail(const char *format, ...)
{
    fprintf(stderr, "%supdraft:%s ", output_begin(stderr, OUTPUT_BAD), output_end(stderr));
    va_list list;
    va_start(list, format);
    vfprintf(stderr, format, list);
    va_end(list);
    fputc('\n', stderr);
    return 1;
}

void warn(const char *format, ...)
{
    fprintf(stderr, "%supdraft: warning:%s ", output_begin(stderr, OUTPUT_WARNING),
            output_end(stderr));
    va_list list;
    va_start(list, format);
    vfprintf(stderr, format, list);
    va_end(list);
    fputc('\n', stderr);
}

int output_finish(int status)
{
    bool flushed = fflush(stdout) == 0;
    int error = errno;
    if (flushed && !ferror(stdout)) {
        return status;
    }
    clearerr(stdout);
    /* A write that failed before has left its mark but no reason: errno is of what came since. */
    return flushed ? fail("standard output could not be written")
                   : fail("standard output could not be written: %s", strerror(error));
}

int output_json(cJSON *json)
{
    char *text = json != NULL ? cJSON_Print(json) : NULL;
    cJSON_Delete(json);
    if (text == NULL) {
        return fail("out of memory");
    }
    puts(text);
    cJSON_free(text);
    return 0;
}

/* --- numbers and text ----------------------------------------------------------------------- */

struct output_text output_thousands(uint64_t number)
{
    char digits[24];
    int len = snprintf(digits, sizeof(digits), "%llu", (unsigned long long)number);
    struct output_text result = {""};
    size_t used = 0;
    for (int i = 0; i < len; i++) {
        if (i > 0 && (len - i) % 3 == 0) {
            result.text[used++] = ',';
        }
        result.text[used++] = digits[i];
    }
    return result;
}

struct output_text output_hex(uint64_t number, int digits)
{
    struct output_text result;
    snprintf(result.text, sizeof(result.text), "0x%0*llx", digits, (unsigned long long)number);
    return result;
}

struct output_text output_size(uint64_t bytes)
{
    static const char *const units[] = {"bytes", "KB", "MB", "GB", "TB", "PB", "EB"};
    struct output_text result;
    size_t unit = 0;
    double value = (double)bytes;
    while (value >= 1024 && unit + 1 < sizeof(units) / sizeof(units[0])) {
        value /= 1024;
        unit++;
    }
    /* Compared in tenths, so that 4 MB is not "4.0 MB". */
    bool whole = (uint64_t)(value * 10 + 0.5) % 10 == 0;
    snprintf(result.text, sizeof(result.text), "%.*f %s", whole ? 0 : 1, value,
             bytes == 1 ? "byte" : units[unit]);
    return result;
}

const char *output_escape(const char *text, char *safe, size_t capacity)
{
    size_t used = 0;
    const char *p = text;
    while (*p != 0) {
        size_t len = utf8_printable(p);
        size_t needed = len > 0 ? len : 4;
        if (used + needed >= capacity) {
            break;
        }
        if (len > 0) {
            memcpy(safe + used, p, len);
            p += len;
        } else {
            memcpy(safe + used, "\\x", 2);
            hex_of((const uint8_t *)p, 1, safe + used + 2);
            p++;
        }
        used += needed;
    }
    safe[used] = 0;
    return safe;
}

/* Columns of one character, by the blocks of Unicode that hold those of another width. */
static size_t character_width(uint32_t character)
{
    static const struct {
        uint32_t first, last;
        size_t width;
    } blocks[] = {
        {0x0300, 0x036F, 0},   {0x1100, 0x115F, 2}, {0x200B, 0x200F, 0}, {0x20D0, 0x20FF, 0},
        {0x2E80, 0xA4CF, 2},   {0xAC00, 0xD7A3, 2}, {0xF900, 0xFAFF, 2}, {0xFE00, 0xFE0F, 0},
        {0xFE30, 0xFE6F, 2},   {0xFF00, 0xFF60, 2}, {0xFFE0, 0xFFE6, 2}, {0x1F300, 0x1FAFF, 2},
        {0x20000, 0x3FFFD, 2},
    };
    for (size_t i = 0; i < sizeof blocks / sizeof blocks[0]; i++) {
        if (character >= blocks[i].first && character <= blocks[i].last) {
            return blocks[i].width;
        }
    }
    return 1;
}

/* The width of the character at the start of the text, and its bytes. */
static size_t first_width(const char *text, size_t *used)
{
    return character_width(utf8_decode(text, strnlen(text, UTF8_LONGEST), used));
}

size_t output_width(const char *text)
{
    size_t width = 0;
    size_t used;
    for (; *text != 0; text += used) {
        width += first_width(text, &used);
    }
    return width;
}

char *output_shorten(const char *text, size_t columns)
{
    size_t width = output_width(text);
    size_t used;
    if (width <= columns) {
        return output_copy(text);
    }
    for (; *text != 0 && width + 1 > columns; text += used) {
        width -= first_width(text, &used);
    }
    return output_format("%s%s", columns > 0 ? "…" : "", text);
}

void output_cut(char *text, size_t columns)
{
    size_t used;
    for (; *text != 0; text += used) {
        const size_t width = first_width(text, &used);
        if (width > columns) {
            *text = 0;
            return;
        }
        columns -= width;
    }
}

void output_json_add_text(cJSON *object, const char *name, const char *text)
{
    size_t capacity = 4 * strlen(text) + 1;
    char *safe = output_allocate(capacity);
    cJSON_AddStringToObject(object, name, output_escape(text, safe, capacity));
    free(safe);
}

/* --- the terminal --------------------------------------------------------------------------- */

bool output_can_redraw(FILE *stream)
{
    const char *term = getenv("TERM");
    return isatty(fileno(stream)) && term != NULL && strcmp(term, "dumb") != 0;
}

void output_terminal_size(FILE *stream, unsigned *columns, unsigned *rows)
{
    struct winsize size;
    const bool known = ioctl(fileno(stream), TIOCGWINSZ, &size) == 0;
    *columns = known && size.ws_col > 0 ? size.ws_col : 80;
    *rows = known && size.ws_row > 0 ? size.ws_row : 24;
}

/* --- colour --------------------------------------------------------------------------------- */

static bool is_coloured(FILE *stream)
{
    const char *no_color = getenv("NO_COLOR");
    return output_can_redraw(stream) && (no_color == NULL || no_color[0] == 0);
}

const char *output_begin(FILE *stream, enum output_style style)
{
    static const char *const sequences[] = {
        [OUTPUT_PLAIN] = "",        [OUTPUT_BOLD] = "\033[1m",     [OUTPUT_DIM] = "\033[2m",
        [OUTPUT_GOOD] = "\033[32m", [OUTPUT_WARNING] = "\033[33m", [OUTPUT_BAD] = "\033[31m",
    };
    return is_coloured(stream) ? sequences[style] : "";
}

const char *output_end(FILE *stream)
{
    return is_coloured(stream) ? "\033[0m" : "";
}

/* --- columns -------------------------------------------------------------------------------- */

void output_table_begin(struct output_table *table, const char *align)
{
    *table = (struct output_table){.align = align, .columns = strlen(align)};
    assert(table->columns > 0 && table->columns <= OUTPUT_COLUMNS_MAX);
}

void output_table_row(struct output_table *table, ...)
{
    if (table->cell_count + table->columns > table->cell_capacity) {
        table->cell_capacity = 2 * table->cell_capacity + 8 * table->columns;
        table->cells =
            output_reallocate(table->cells, table->cell_capacity * sizeof(*table->cells));
    }
    va_list list;
    va_start(list, table);
    for (size_t i = 0; i < table->columns; i++) {
        table->cells[table->cell_count++] = output_copy(va_arg(list, const char *));
    }
    va_end(list);
}

static void print_row(const struct output_table *table, const size_t *widths, size_t first,
                      FILE *stream)
{
    size_t columns = table->columns;
    while (columns > 0 && table->cells[first + columns - 1][0] == 0) {
        columns--;
    }
    for (size_t column = 0; column < columns; column++) {
        const char *cell = table->cells[first + column];
        int padding = (int)(widths[column] - output_width(cell));
        bool last = column + 1 == columns;
        const char *gap = column > 0 ? "  " : "";
        if (table->align[column] == 'r') {
            fprintf(stream, "%s%*s%s", gap, padding, "", cell);
        } else {
            fprintf(stream, "%s%s%*s", gap, cell, last ? 0 : padding, "");
        }
    }
    fputc('\n', stream);
}

void output_table_print(struct output_table *table, FILE *stream, const char *indent)
{
    size_t widths[OUTPUT_COLUMNS_MAX] = {0};
    for (size_t i = 0; i < table->cell_count; i++) {
        size_t width = output_width(table->cells[i]);
        size_t *widest = &widths[i % table->columns];
        *widest = width > *widest ? width : *widest;
    }
    for (size_t i = 0; i < table->cell_count; i += table->columns) {
        fputs(indent, stream);
        print_row(table, widths, i, stream);
    }
    for (size_t i = 0; i < table->cell_count; i++) {
        free(table->cells[i]);
    }
    free(table->cells);
    *table = (struct output_table){0};
}

/* --- memory --------------------------------------------------------------------------------- */

static _Noreturn void out_of_memory(void)
{
    fail("out of memory");
    exit(1);
}

void *output_reallocate(void *memory, size_t size)
{
    void *result = realloc(memory, size > 0 ? size : 1);
    if (result == NULL) {
        out_of_memory();
    }
    return result;
}

void *output_allocate(size_t size)
{
    return output_reallocate(NULL, size);
}

char *output_copy(const char *text)
{
    size_t size = strlen(text) + 1;
    return memcpy(output_allocate(size), text, size);
}

char *output_format(const char *format, ...)
{
    va_list list;
    va_start(list, format);
    char *text = NULL;
    int len = vasprintf(&text, format, list);
    va_end(list);
    if (len < 0) {
        out_of_memory();
    }
    return text;
}
