/* SPDX-License-Identifier: Apache-2.0 */
/* What the fields of a CSV line mean: numbers, keywords, flags, and the rows whose offset and size
   the table's own place decides. The order of the checks is the order of the messages. */

#include "cli/csv.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cli/csv_reader.h"
#include "server/utf8.h"

/* Numbers. */

static int64_t limited_product(int64_t a, int64_t factor)
{
    int64_t product;
    if (__builtin_mul_overflow(a, factor, &product) || product > TABLE_NUMBER_LIMIT ||
        product < -TABLE_NUMBER_LIMIT) {
        return a < 0 ? -TABLE_NUMBER_LIMIT : TABLE_NUMBER_LIMIT;
    }
    return product;
}

/* Returns the factor that the suffixes at the end of the text stand for, and cuts them off. */
static int64_t cut_suffixes(const char *text, size_t *len)
{
    int64_t factor = 1;
    while (*len > 0) {
        char last = (char)(text[*len - 1] | 0x20);
        if (last != 'k' && last != 'm') {
            break;
        }
        factor = limited_product(factor, last == 'k' ? 1024 : 1024 * 1024);
        (*len)--;
    }
    return factor;
}

static unsigned digit_value(char c)
{
    if (c >= '0' && c <= '9') {
        return (unsigned)(c - '0');
    }
    char lower = (char)(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? (unsigned)(lower - 'a') + 10 : 16;
}

/* Reads digits with single underscores between them (and before the first, with `after_prefix`). */
static bool read_digits(const char *text, size_t len, unsigned base, bool after_prefix,
                        int64_t *value)
{
    bool digit_before = after_prefix;

    *value = 0;
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '_') {
            if (!digit_before) {
                return false;
            }
            digit_before = false;
            continue;
        }
        unsigned digit = digit_value(text[i]);
        if (digit >= base) {
            return false;
        }
        *value = limited_product(*value, base) + digit;
        if (*value > TABLE_NUMBER_LIMIT) {
            *value = TABLE_NUMBER_LIMIT;
        }
        digit_before = true;
    }
    return len > 0 && text[len - 1] != '_';
}

/* Reads an integer without suffixes. */
static bool read_integer(const char *text, size_t len, int64_t *value)
{
    utf8_strip(&text, &len);
    bool negative = len > 0 && text[0] == '-';
    if (len > 0 && (text[0] == '-' || text[0] == '+')) {
        text++;
        len--;
    }
    unsigned base = 10;
    if (len > 1 && text[0] == '0') {
        char letter = (char)(text[1] | 0x20);
        base = letter == 'x' ? 16 : letter == 'o' ? 8 : letter == 'b' ? 2 : 10;
    }
    bool prefixed = base != 10;
    if (prefixed) {
        text += 2;
        len -= 2;
    }
    if (!read_digits(text, len, base, prefixed, value)) {
        return false;
    }
    /* "010" would be eight to some readers and ten to others: only zeros may begin with a zero. */
    if (!prefixed && text[0] == '0' && *value != 0) {
        return false;
    }
    if (negative) {
        *value = -*value;
    }
    return true;
}

bool csv_number(const char *text, int64_t *value)
{
    size_t len = strlen(text);
    int64_t factor = cut_suffixes(text, &len);
    if (!read_integer(text, len, value)) {
        return false;
    }
    *value = limited_product(*value, factor);
    return true;
}

/* Fields. */

/* One line being read. */
struct parse {
    const struct table_options *options;
    struct table_problem *problem;
    const char *const *fields;
    struct table_row row;
};

static const char *keyword_at(const struct parse *parse, bool subtype, unsigned n, int64_t *value)
{
    return subtype ? table_subtype_keyword(parse->options, parse->row.type, n, value)
                   : table_type_keyword(parse->options, n, value);
}

static bool unknown_keyword(struct parse *parse, bool subtype, const char *text, size_t len)
{
    char known[512] = "";
    size_t used = 0;
    const char *name;
    int64_t value;

    for (unsigned n = 0; (name = keyword_at(parse, subtype, n, &value)); n++) {
        int added = snprintf(known + used, sizeof known - used, "%s%s", n ? ", " : "", name);
        if (added < 0 || (size_t)added >= sizeof known - used) {
            break;
        }
        used += (size_t)added;
    }
    if (used == 0) {
        table_problem(parse->problem, parse->row.line, "Invalid field value %.*s", (int)len, text);
        return table_hint(parse->problem,
                          "subtypes of this type have no names, but numbers 0 to 0xfe");
    }
    table_problem(parse->problem, parse->row.line, "Value '%.*s' is not valid. Known keywords: %s",
                  (int)len, text, known);
    return table_hint(parse->problem, subtype ? "name subtypes of your own with --extra-subtype"
                                              : "types of your own are numbers, 0x40 to 0xfe");
}

/* Reads a type or subtype. Suffixes are cut off keywords too, as the original does: no keyword that
   ends in k or m could be matched. */
static bool parse_keyword(struct parse *parse, bool subtype, const char *text, int64_t *value)
{
    size_t len = strlen(text);
    int64_t factor = cut_suffixes(text, &len);
    if (read_integer(text, len, value)) {
        *value = limited_product(*value, factor);
        return true;
    }
    const char *name;
    int64_t named;
    for (unsigned n = 0; (name = keyword_at(parse, subtype, n, &named)); n++) {
        if (strlen(name) == len && strncasecmp(name, text, len) == 0) {
            *value = limited_product(named, factor);
            return true;
        }
    }
    return unknown_keyword(parse, subtype, text, len);
}

static bool parse_number(struct parse *parse, const char *text, int64_t *value)
{
    size_t len = strlen(text);
    int64_t factor = cut_suffixes(text, &len);
    if (!read_integer(text, len, value)) {
        table_problem(parse->problem, parse->row.line, "Invalid field value %.*s", (int)len, text);
        return table_hint(parse->problem, "write a number such as 4096, 0x1000, 4K or 1M");
    }
    *value = limited_product(*value, factor);
    return true;
}

static bool parse_type(struct parse *parse)
{
    const char *text = parse->fields[CSV_TYPE];
    if (*text == '\0') {
        return table_problem(parse->problem, parse->row.line, "Field 'type' can't be left empty.");
    }
    return parse_keyword(parse, false, text, &parse->row.type);
}

static bool parse_subtype(struct parse *parse)
{
    const char *text = parse->fields[CSV_SUBTYPE];
    if (*text != '\0') {
        return parse_keyword(parse, true, text, &parse->row.subtype);
    }
    if (parse->options->dialect == TABLE_ESP8266) {
        parse->row.subtype = 0;
        return true;
    }
    if (parse->row.type == OTA_PARTITION_APP) {
        table_problem(parse->problem, parse->row.line,
                      "App partition cannot have an empty subtype");
        return table_hint(parse->problem, "write factory, ota_0 or another subtype");
    }
    parse->row.subtype = OTA_SUBTYPE_DATA_UNDEFINED;
    return true;
}

static bool no_primary_bootloader(const struct parse *parse)
{
    return table_problem(parse->problem, parse->row.line,
                         "Primary bootloader offset is not defined. Please use "
                         "--primary-bootloader-offset");
}

/* Rows of the bootloader and of the table itself lie where those lie, whatever the text says. */
static bool parse_offset(struct parse *parse)
{
    const struct table_options *options = parse->options;
    const char *text = parse->fields[CSV_OFFSET];
    struct table_row *row = &parse->row;
    bool esp_idf = options->dialect == TABLE_ESP_IDF;

    row->has_offset = true;
    if (esp_idf && row->type == OTA_PARTITION_BOOTLOADER &&
        row->subtype == OTA_SUBTYPE_BOOTLOADER_PRIMARY) {
        row->offset = options->primary_bootloader_offset;
        return options->has_primary_bootloader || no_primary_bootloader(parse);
    }
    if (esp_idf && row->type == OTA_PARTITION_BOOTLOADER &&
        row->subtype == OTA_SUBTYPE_BOOTLOADER_RECOVERY) {
        row->offset = options->recovery_bootloader_offset;
        return options->has_recovery_bootloader ||
               table_problem(parse->problem, row->line,
                             "Recovery bootloader offset is not defined. Please use "
                             "--recovery-bootloader-offset");
    }
    if (esp_idf && row->type == OTA_PARTITION_TABLE && row->subtype == OTA_SUBTYPE_TABLE_PRIMARY) {
        row->offset = options->offset;
        return true;
    }
    if (*text == '\0') {
        row->has_offset = false;
        return true;
    }
    return parse_number(parse, text, &row->offset);
}

static bool parse_size(struct parse *parse)
{
    const struct table_options *options = parse->options;
    const char *text = parse->fields[CSV_SIZE];
    struct table_row *row = &parse->row;

    if (options->dialect == TABLE_ESP_IDF && row->type == OTA_PARTITION_BOOTLOADER) {
        row->size = (int64_t)options->offset - options->primary_bootloader_offset;
        return options->has_primary_bootloader || no_primary_bootloader(parse);
    }
    if (options->dialect == TABLE_ESP_IDF && row->type == OTA_PARTITION_TABLE) {
        row->size = OTA_PARTITION_TABLE_SECTOR;
        return true;
    }
    if (*text == '\0') {
        table_problem(parse->problem, row->line, "Size field can't be empty");
        return table_hint(parse->problem, "write a size such as 0x1000, 4K or 1M");
    }
    return parse_number(parse, text, &row->size);
}

static bool is_flag(const char *flag, size_t len, const char *name)
{
    return strlen(name) == len && memcmp(flag, name, len) == 0;
}

static bool parse_flags(struct parse *parse)
{
    for (const char *flag = parse->fields[CSV_FLAGS]; *flag != '\0';) {
        size_t len = strcspn(flag, ":");
        if (is_flag(flag, len, "encrypted")) {
            parse->row.flags |= OTA_PARTITION_FLAG_ENCRYPTED;
        } else if (is_flag(flag, len, "readonly") && parse->options->dialect == TABLE_ESP_IDF) {
            parse->row.flags |= OTA_PARTITION_FLAG_READ_ONLY;
        } else if (len > 0) {
            table_problem(parse->problem, parse->row.line,
                          "CSV flag column contains unknown flag '%.*s'", (int)len, flag);
            return table_hint(parse->problem, "flags are encrypted, readonly, encrypted:readonly");
        }
        flag += len;
        flag += *flag == ':';
    }
    return true;
}

bool csv_parse(const void *data, size_t len, const struct table_options *options,
               struct table *table, struct table_problem *problem)
{
    struct csv_reader reader;
    const char *fields[CSV_FIELDS];
    enum csv_line line = CSV_ERROR;

    if (csv_reader_open(&reader, data, len, options, problem)) {
        while ((line = csv_reader_next(&reader, fields, problem)) == CSV_ROW) {
            struct parse parse = {.options = options,
                                  .problem = problem,
                                  .fields = fields,
                                  .row = {.line = reader.number}};
            if (!parse_type(&parse) || !parse_subtype(&parse) || !parse_offset(&parse) ||
                !parse_size(&parse) || !parse_flags(&parse) ||
                !table_append(table, &parse.row, fields[CSV_NAME], strlen(fields[CSV_NAME]),
                              problem)) {
                break;
            }
        }
    }
    csv_reader_close(&reader);
    return line == CSV_END;
}

/* Writing. */

static void write_number_or_name(FILE *out, const char *name, int64_t number)
{
    if (name) {
        fprintf(out, "%s,", name);
    } else {
        fprintf(out, "%" PRId64 ",", number);
    }
}

static void write_size(FILE *out, int64_t size)
{
    char hex[24];
    if (size % 0x100000 == 0) {
        fprintf(out, "%" PRId64 "M,", size / 0x100000);
    } else if (size % 0x400 == 0) {
        fprintf(out, "%" PRId64 "K,", size / 0x400);
    } else {
        fprintf(out, "%s,", table_hex(size, hex));
    }
}

char *csv_write(const struct table *table, const struct table_options *options)
{
    bool esp_idf = options->dialect == TABLE_ESP_IDF;
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);
    if (!out) {
        return NULL;
    }
    fprintf(out, "# %s Partition Table\n", esp_idf ? "ESP-IDF" : "Espressif ESP32");
    fprintf(out, "# Name, Type, SubType, Offset, Size, Flags\n");
    for (size_t i = 0; i < table->count; i++) {
        const struct table_row *row = &table->rows[i];
        bool encrypted = row->flags & OTA_PARTITION_FLAG_ENCRYPTED;
        bool read_only = (row->flags & OTA_PARTITION_FLAG_READ_ONLY) && esp_idf;
        char hex[24];
        fprintf(out, "%s,", row->name);
        write_number_or_name(out, table_type_name(options, row->type), row->type);
        write_number_or_name(out, table_subtype_name(options, row->type, row->subtype),
                             row->subtype);
        fprintf(out, "%s,", table_hex(row->offset, hex));
        write_size(out, row->size);
        fprintf(out, "%s%s%s\n", encrypted ? "encrypted" : "", encrypted && read_only ? ":" : "",
                read_only ? "readonly" : "");
    }
    bool whole = !ferror(out);
    if (fclose(out) != 0 || !whole) {
        free(text);
        return NULL;
    }
    return text;
}

bool csv_can_hold(const char *name)
{
    const char *stripped = name;
    size_t len = strlen(name);
    size_t used;

    for (size_t at = 0; at < len; at += used) {
        uint32_t character = utf8_decode(name + at, len - at, &used);
        if (character == UTF8_INVALID || character == ',' || character == '$' ||
            utf8_ends_line(character)) {
            return false;
        }
    }
    utf8_strip(&stripped, &len);
    return len == strlen(name) && name[0] != '#';
}
