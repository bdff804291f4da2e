/* SPDX-License-Identifier: Apache-2.0 */
/* CSV lines: decode the text, expand variables, skip what is no row, cut at the commas. */

#include "cli/csv_reader.h"

#include <stdlib.h>
#include <string.h>

#include "server/utf8.h"

/* The text's encoding. */

static bool begins_with(const uint8_t *data, size_t len, const char *mark)
{
    return len >= strlen(mark) && memcmp(data, mark, strlen(mark)) == 0;
}

/* Returns the UTF-16 unit at `data`, in the byte order of the text. */
static uint32_t unit_at(const uint8_t *data, bool big_endian)
{
    return big_endian ? (uint32_t)data[0] << 8 | data[1] : (uint32_t)data[1] << 8 | data[0];
}

/* Writes UTF-16 as UTF-8, which takes at most three bytes for a unit of two. Returns the length, or
   0 if it is not UTF-16. */
static size_t decode_utf16(const uint8_t *data, size_t len, bool big_endian, char *text)
{
    size_t written = 0;

    if (len % 2 != 0) {
        return 0;
    }
    for (size_t at = 0; at < len; at += 2) {
        uint32_t character = unit_at(data + at, big_endian);
        if (character >= 0xD800 && character <= 0xDFFF) {
            uint32_t low = at + 4 <= len ? unit_at(data + at + 2, big_endian) : 0;
            if (character >= 0xDC00 || low < 0xDC00 || low > 0xDFFF) {
                return 0;
            }
            character = 0x10000 + ((character - 0xD800) << 10) + (low - 0xDC00);
            at += 2;
        }
        written += utf8_encode(character, text + written);
    }
    return written;
}

static unsigned line_of(const char *text, size_t where)
{
    unsigned line = 1;
    for (size_t i = 0; i < where; i++) {
        line += text[i] == '\n';
    }
    return line;
}

bool csv_reader_open(struct csv_reader *reader, const void *data, size_t len,
                     const struct table_options *options, struct table_problem *problem)
{
    const uint8_t *bytes = data;

    *reader = (struct csv_reader){.options = options};
    if (len > CSV_SIZE_LIMIT) {
        return table_problem(problem, 0, "longer than %u bytes: is this a partition table in CSV?",
                             CSV_SIZE_LIMIT);
    }
    reader->text = calloc(1, len + len / 2 + 1);
    reader->line = malloc(CSV_LINE_LIMIT + 1);
    if (!reader->text || !reader->line) {
        return table_problem(problem, 0, "out of memory");
    }
    size_t decoded;
    bool big_endian = begins_with(bytes, len, "\xFE\xFF");
    if (big_endian || begins_with(bytes, len, "\xFF\xFE")) {
        decoded = decode_utf16(bytes + 2, len - 2, big_endian, reader->text);
        if (decoded == 0 && len > 2) {
            return table_problem(problem, 0, "begins as UTF-16 text, but is not: save it as UTF-8");
        }
    } else {
        size_t mark = begins_with(bytes, len, "\xEF\xBB\xBF") ? 3 : 0;
        decoded = len - mark;
        if (decoded > 0) {
            memcpy(reader->text, bytes + mark, decoded);
        }
        size_t where = 0;
        if (!utf8_is_valid(reader->text, decoded, &where)) {
            return table_problem(
                problem, line_of(reader->text, where),
                "byte 0x%02x is not UTF-8 text: neither a CSV nor a binary partition "
                "table",
                (unsigned char)reader->text[where]);
        }
    }
    const char *nul = memchr(reader->text, '\0', decoded);
    if (nul) {
        return table_problem(problem, line_of(reader->text, (size_t)(nul - reader->text)),
                             "a zero byte: neither a CSV nor a binary partition table");
    }
    reader->next = reader->text;
    reader->end = reader->text + decoded;
    return true;
}

void csv_reader_close(struct csv_reader *reader)
{
    free(reader->text);
    free(reader->line);
    *reader = (struct csv_reader){0};
}

/* Variables. */

static bool is_name_character(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

static size_t name_length(const char *text, size_t len)
{
    size_t n = 0;
    while (n < len && is_name_character(text[n])) {
        n++;
    }
    return n;
}

/* If a variable's use begins at `text` (which begins with $) and the variable is known, returns its
   value and stores the length of the use. */
static const char *variable_at(const struct csv_reader *reader, const char *text, size_t len,
                               size_t *used)
{
    char name[256];
    const char *start = text + 1;
    size_t n;

    if (len > 1 && text[1] == '{') {
        start = text + 2;
        const char *close = memchr(start, '}', len - 2);
        if (!close) {
            return NULL;
        }
        n = (size_t)(close - start);
        *used = n + 3;
    } else {
        n = name_length(start, len - 1);
        *used = n + 1;
    }
    if (n == 0 || n >= sizeof name || !reader->options->variable) {
        return NULL;
    }
    memcpy(name, start, n);
    name[n] = '\0';
    return reader->options->variable(reader->options->context, name);
}

/* Copies a line into reader->line with its variables replaced. Values are not looked at again. */
static bool expand(struct csv_reader *reader, const char *raw, size_t len, size_t *expanded,
                   struct table_problem *problem)
{
    size_t written = 0;

    for (size_t at = 0; at < len;) {
        size_t used = 1;
        const char *value = raw[at] == '$' ? variable_at(reader, raw + at, len - at, &used) : NULL;
        if (!value) {
            value = raw + at;
            used = 1;
        }
        size_t add = value == raw + at ? 1 : strlen(value);
        if (add > CSV_LINE_LIMIT - written) {
            return table_problem(problem, reader->number, "line longer than %u bytes",
                                 CSV_LINE_LIMIT);
        }
        memcpy(reader->line + written, value, add);
        written += add;
        at += used;
    }
    reader->line[written] = '\0';
    *expanded = written;
    if (!utf8_is_valid(reader->line, written, NULL)) {
        return table_problem(problem, reader->number, "a variable's value is not UTF-8 text");
    }
    if (written > 1 && reader->line[0] == '$') {
        size_t n = name_length(reader->line + 1, written - 1);
        if (n > 0 && (reader->line[1] < '0' || reader->line[1] > '9')) {
            return table_problem(problem, reader->number, "unknown variable '%.*s'", (int)n,
                                 reader->line + 1);
        }
    }
    return true;
}

/* Lines and fields. */

/* Takes the next raw line off the text. */
static bool next_line(struct csv_reader *reader, const char **line, size_t *len)
{
    if (reader->next == reader->end) {
        return false;
    }
    const char *at = reader->next;
    uint32_t character = 0;
    size_t used = 0;

    *line = at;
    while (at < reader->end) {
        character = utf8_decode(at, (size_t)(reader->end - at), &used);
        if (utf8_ends_line(character)) {
            break;
        }
        at += used;
    }
    *len = (size_t)(at - *line);
    if (at < reader->end) {
        at += used;
        if (character == '\r' && at < reader->end && *at == '\n') {
            at++;
        }
    }
    reader->next = at;
    reader->number++;
    return true;
}

/* Cuts the stripped line at its commas, in place; `line` has room for one more byte. */
static void split(char *line, size_t len, const char *fields[CSV_FIELDS])
{
    char *end = line + len;

    for (unsigned i = 0; i < CSV_FIELDS; i++) {
        if (line > end) {
            fields[i] = "";
            continue;
        }
        char *comma = memchr(line, ',', (size_t)(end - line));
        char *stop = comma ? comma : end;
        const char *field = line;
        size_t field_len = (size_t)(stop - line);
        utf8_strip(&field, &field_len);
        line[field - line + (ptrdiff_t)field_len] = '\0';
        fields[i] = field;
        line = stop + 1;
    }
}

enum csv_line csv_reader_next(struct csv_reader *reader, const char *fields[CSV_FIELDS],
                              struct table_problem *problem)
{
    const char *raw;
    size_t len;

    while (next_line(reader, &raw, &len)) {
        if (!expand(reader, raw, len, &len, problem)) {
            return CSV_ERROR;
        }
        const char *line = reader->line;
        utf8_strip(&line, &len);
        if (len == 0 || line[0] == '#') {
            continue;
        }
        split(reader->line + (line - reader->line), len, fields);
        return CSV_ROW;
    }
    return CSV_END;
}
