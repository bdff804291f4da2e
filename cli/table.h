/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_TABLE_H
#define CLI_TABLE_H

/*
 * A partition table on its way between text and flash: rows as a person wrote them, with numbers
 * that need not fit yet, and the line that each came from.
 *
 *     struct table table = {0};
 *     struct table_problem problem;
 *     bool good = csv_parse(text, len, &options, &table, &problem) &&
 *                 table_place(&table, &options, &problem) &&
 *                 table_verify(&table, &options, &problem) &&
 *                 table_encode(&table, &options, &ota_crypto_psa, bytes, &problem);
 *     if (!good) print(problem.line, problem.text);
 *     table_free(&table);
 *
 * Rules and messages are those of Espressif's generator (docs/formats/partition-table.md), so that
 * what it accepts is accepted, what it refuses is refused, and with the same words.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <updraft/crypto.h>
#include <updraft/partition.h>

/* A table on flash holds 95 rows; a text of more than this is refused while it is read. */
#define TABLE_ROWS_LIMIT 1024u

/* Numbers are kept inside ± this, which no field of a table can hold, so that sums of as many as
   there may be rows cannot overflow. */
#define TABLE_NUMBER_LIMIT (INT64_C(1) << 50)

struct table_row {
    char *name; /* owned, UTF-8, of any length; a label keeps its first 16 bytes */
    int64_t type;
    int64_t subtype;
    int64_t offset;  /* on the flash, bytes */
    int64_t size;    /* bytes; before table_place a negative one is an end address */
    uint32_t flags;  /* OTA_PARTITION_FLAG_… */
    unsigned line;   /* of the text it came from, from 1; 0 if it came from a binary table */
    bool has_offset; /* false before table_place where the offset was left empty */
};

struct table {
    struct table_row *rows; /* owned */
    size_t count;
    size_t capacity;
};

enum table_dialect {
    TABLE_ESP_IDF,
    TABLE_ESP8266, /* ESP8266_RTOS_SDK */
};

enum table_secure {
    TABLE_SECURE_NONE,
    TABLE_SECURE_V1, /* Secure Boot v1: apps' sizes in 64 KB, as their signature ends one */
    TABLE_SECURE_V2,
};

/* A subtype that a project names itself. */
struct table_extra_subtype {
    uint8_t type;
    uint8_t value;
    char name[32];
};

struct table_options {
    enum table_dialect dialect;
    uint32_t offset; /* of the table on the flash */
    bool md5;        /* write the MD5 row; check it when reading */
    enum table_secure secure;
    bool has_primary_bootloader; /* the offsets below are known */
    bool has_recovery_bootloader;
    uint32_t primary_bootloader_offset;
    uint32_t recovery_bootloader_offset;
    const struct table_extra_subtype *extra; /* the caller's */
    size_t extra_count;

    /* Returns the value of an environment variable or NULL; a NULL function knows none. */
    const char *(*variable)(void *context, const char *name);
    /* Is told what is allowed but odd; `line` as in struct table_row. May be NULL. */
    void (*warn)(void *context, unsigned line, const char *text);
    void *context;
};

/* The first thing that is wrong. `line` as in struct table_row; `text` is the original's where it
   has one, without control characters; `hint` says what to do where that text does not, else
   NULL. */
struct table_problem {
    unsigned line;
    const char *hint;
    char text[1024];
};

/* Returns the options that the original tools start with: ESP-IDF's dialect, a table at 0x8000,
   with MD5 row. */
struct table_options table_options_default(void);

/* Checks the options against each other. Returns false with the problem. */
bool table_options_check(const struct table_options *options, struct table_problem *problem);

/* Reads "type,name,value" (the value hexadecimal, with or without 0x) into `extra[*count]` and
   counts it; there must be room. Returns false with the problem: syntax, an unknown type, a value
   of that type that has a name already. */
bool table_extra_subtype_parse(const char *text, enum table_dialect dialect,
                               struct table_extra_subtype *extra, size_t *count,
                               struct table_problem *problem);

/* Appends a copy of `row` with a copy of `len` bytes of name. Returns false with the problem when
   there are too many rows or no memory. */
bool table_append(struct table *table, const struct table_row *row, const char *name, size_t len,
                  struct table_problem *problem);

/* Frees the rows and leaves an empty table, which can be used again. */
void table_free(struct table *table);

/* Returns the first row of this name, type and subtype, or NULL; a NULL name and a negative number
   match all. */
const struct table_row *table_find(const struct table *table, const char *name, int64_t type,
                                   int64_t subtype);

/* Keywords, by dialect and with the project's own subtypes. `n` counts from 0 in the order in which
   messages list them; NULL past the last. */
const char *table_type_keyword(const struct table_options *options, unsigned n, int64_t *value);
const char *table_subtype_keyword(const struct table_options *options, int64_t type, unsigned n,
                                  int64_t *value);

/* The keyword of a number, or NULL if it has none. */
const char *table_type_name(const struct table_options *options, int64_t type);
const char *table_subtype_name(const struct table_options *options, int64_t type, int64_t subtype);

/* Fills in a problem and returns false, for `return table_problem(…)`. */
bool table_problem(struct table_problem *problem, unsigned line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Adds what to do about a problem, and returns false likewise. */
bool table_hint(struct table_problem *problem, const char *hint);

/* Passes a warning on, if anyone wants to hear it. */
void table_warn(const struct table_options *options, unsigned line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Writes a number as the original prints offsets and sizes: "0x9000", and "0x-1" below zero.
   Returns `text`. */
const char *table_hex(int64_t number, char text[24]);

#endif
