/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_CLI_TABLES_H
#define TESTS_CLI_TABLES_H

/* One partition table from text to bytes, as `updraft partition make` does it, with what it
   said. */

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/csv.h"
#include "cli/table_file.h"
#include "cli/table_rules.h"

struct made_table {
    struct table table;
    struct table_problem problem;
    uint8_t bytes[OTA_PARTITION_TABLE_SIZE];
    char warnings[4096]; /* each as "LINE: text\n" */
};

static inline void tables_keep_warning(void *context, unsigned line, const char *text)
{
    struct made_table *made = context;
    size_t used = strlen(made->warnings);
    snprintf(made->warnings + used, sizeof made->warnings - used, "%u: %s\n", line, text);
}

static inline bool tables_make_from(struct made_table *made, const void *data, size_t len,
                                    struct table_options options)
{
    memset(made, 0, sizeof *made);
    options.warn = tables_keep_warning;
    options.context = made;
    bool good = csv_parse(data, len, &options, &made->table, &made->problem) &&
                table_place(&made->table, &options, &made->problem) &&
                table_verify(&made->table, &options, &made->problem) &&
                table_encode(&made->table, &options, &ota_crypto_psa, made->bytes, &made->problem);
    return good;
}

static inline bool tables_make(struct made_table *made, const char *csv,
                               struct table_options options)
{
    return tables_make_from(made, csv, strlen(csv), options);
}

/* Demands that the text is accepted; free the table afterwards. */
static inline void tables_expect_good(struct made_table *made, const char *csv,
                                      struct table_options options)
{
    if (!tables_make(made, csv, options)) {
        fail_msg("refused at line %u: %s\n%s", made->problem.line, made->problem.text, csv);
    }
}

/* Demands that the text is refused at this line with a message that begins so. */
static inline void tables_expect_problem_with(const char *csv, struct table_options options,
                                              unsigned line, const char *text)
{
    struct made_table made;
    if (tables_make(&made, csv, options)) {
        fail_msg("accepted:\n%s", csv);
    }
    if (made.problem.line != line || strncmp(made.problem.text, text, strlen(text)) != 0) {
        fail_msg("line %u: %s\ninstead of\nline %u: %s", made.problem.line, made.problem.text, line,
                 text);
    }
    table_free(&made.table);
}

static inline void tables_expect_problem(const char *csv, unsigned line, const char *text)
{
    tables_expect_problem_with(csv, table_options_default(), line, text);
}

/* The i-th row. */
static inline void tables_expect_row(const struct made_table *made, size_t i, const char *name,
                                     int64_t type, int64_t subtype, int64_t offset, int64_t size)
{
    assert_true(i < made->table.count);
    const struct table_row *row = &made->table.rows[i];
    assert_string_equal(row->name, name);
    assert_int_equal(row->type, type);
    assert_int_equal(row->subtype, subtype);
    assert_int_equal(row->offset, offset);
    assert_int_equal(row->size, size);
}

/* Reads a recorded file; skips the test where it is absent. The caller frees `*data`. */
static inline size_t tables_read_vector(const char *name, uint8_t **data)
{
    char path[512];
    snprintf(path, sizeof path, "%s/esp/partitions/%s", UPDRAFT_VECTORS, name);
    FILE *file = fopen(path, "rb");
    if (!file) {
        skip();
    }
    *data = malloc(1u << 16);
    assert_non_null(*data);
    size_t len = fread(*data, 1, 1u << 16, file);
    fclose(file);
    assert_true(len > 0);
    return len;
}

#endif
