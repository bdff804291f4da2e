/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_TABLE_LOAD_H
#define CLI_TABLE_LOAD_H

/*
 * The partition table that a command line names: a CSV file, a binary table, a whole chip's image,
 * or a built-in table; read by the options that all commands with tables share.
 *
 *     static const struct command_option options[] = {
 *         TABLE_LOAD_OPTIONS, COMMAND_OPTION_JSON, {0}};
 *
 *     struct loaded_table loaded;
 *     int status = table_load(call, command_argument(call, 0), &loaded);
 *     if (status == COMMAND_GOOD) ...
 *     table_unload(&loaded);
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/builtin_tables.h"
#include "cli/command.h"
#include "cli/table.h"

/* For the table of a command's options. */
#define TABLE_LOAD_OPTIONS                                                                 \
    {"offset", 0, "ADDRESS", "where the table lies on the flash (default 0x8000)"},        \
        {"flash-size", 0, "SIZE",                                                          \
         "size of the chip, like 4MB; all partitions must end within it"},                 \
        {"no-md5", 0, NULL, "neither write the table's MD5 row nor check it"},             \
        {"no-verify", 0, NULL, "accept a table that breaks the rules"},                    \
        {"primary-bootloader-offset", 0, "ADDRESS",                                        \
         "where the bootloader lies, for tables with a row for it"},                       \
        {"recovery-bootloader-offset", 0, "ADDRESS",                                       \
         "where the recovery bootloader lies, likewise"},                                  \
        {"secure", 0, "VERSION", "apps will be signed for Secure Boot v1 or v2"},          \
        {"extra-subtype", 0, "TYPE,NAME,HEX",                                              \
         "a subtype of your own, like data,logs,0x40; may be repeated"},                   \
    {                                                                                      \
        "dialect", 0, "SDK",                                                               \
            "whose rules hold: esp-idf, or esp8266 for ESP8266_RTOS_SDK (default esp-idf)" \
    }

struct loaded_table {
    struct table table;
    struct table_options options;
    struct table_extra_subtype *extra;   /* owned; options.extra */
    const struct builtin_table *builtin; /* NULL if it came from a file */
    const char *name;                    /* for messages */
    bool from_binary;
    bool no_verify;     /* --no-verify */
    bool offset_given;  /* --offset: goes before a built-in table's own */
    unsigned megabytes; /* of --flash-size; 0 if not given */
};

/* Reads, places and verifies the table called `name` ("-": standard input; a file goes before a
   built-in table of the same name), and prints warnings. Returns COMMAND_GOOD, or after a message
   COMMAND_FAILED or COMMAND_USAGE. Unload it in each case. */
int table_load(const struct command_call *call, const char *name, struct loaded_table *loaded);
void table_unload(struct loaded_table *loaded);

/* The two halves of it, for commands that have fewer options or set some themselves: the options as
   they are without any, then from the command line; and the table by what `loaded` has of them. */
void table_load_defaults(struct loaded_table *loaded);
int table_load_options(const struct command_call *call, struct loaded_table *loaded);
int table_load_named(const char *name, struct loaded_table *loaded);

/* Prints a problem as "NAME:LINE: what it is (what to do)". Returns COMMAND_FAILED. */
int table_load_fail(const char *name, const struct table_problem *problem);

#endif
