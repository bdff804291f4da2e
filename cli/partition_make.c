/* SPDX-License-Identifier: Apache-2.0 */
/* `updraft partition make`: CSV, or a table known by name, to the binary form that is flashed. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/builtin_tables.h"
#include "cli/commands.h"
#include "cli/csv.h"
#include "cli/files.h"
#include "cli/output.h"
#include "cli/table_file.h"
#include "cli/table_load.h"

static int list_builtin(bool json)
{
    const struct builtin_table *builtin;
    if (json) {
        cJSON *array = cJSON_CreateArray();
        for (size_t n = 0; (builtin = builtin_table_at(n)) != NULL; n++) {
            cJSON *item = cJSON_CreateObject();
            cJSON_AddStringToObject(item, "name", builtin->name);
            cJSON_AddStringToObject(item, "title", builtin->title);
            cJSON_AddNumberToObject(item, "offset", builtin->offset);
            cJSON_AddNumberToObject(item, "flash_size", builtin->megabytes * 0x100000);
            cJSON_AddStringToObject(item, "csv", builtin->csv);
            cJSON_AddItemToArray(array, item);
        }
        return output_json(array);
    }
    struct output_table table;
    output_table_begin(&table, "lrl");
    output_table_row(&table, "NAME", "FLASH", "ALSO CALLED");
    for (size_t n = 0; (builtin = builtin_table_at(n)) != NULL; n++) {
        output_table_row(&table, builtin->name,
                         output_size((uint64_t)builtin->megabytes * 0x100000).text, builtin->title);
    }
    output_table_print(&table, stdout, "");
    return COMMAND_GOOD;
}

/* Says what was made, unless the table itself went to standard output. */
static int report(const struct command_call *call, const struct loaded_table *loaded,
                  const char *path)
{
    if (command_flag(call, "json")) {
        cJSON *json = cJSON_CreateObject();
        output_json_add_text(json, "file", path);
        cJSON_AddNumberToObject(json, "offset", loaded->options.offset);
        cJSON_AddNumberToObject(json, "partitions", (double)loaded->table.count);
        cJSON_AddBoolToObject(json, "md5", loaded->options.md5);
        return output_json(json);
    }
    printf("%s: %zu partition%s%s, for flash at 0x%x\n", path, loaded->table.count,
           loaded->table.count == 1 ? "" : "s",
           command_flag(call, "csv") ? " as CSV" : ", 3,072 bytes", loaded->options.offset);
    return COMMAND_GOOD;
}

static int write_csv(const struct loaded_table *loaded, const char *path)
{
    char *csv = csv_write(&loaded->table, &loaded->options);
    if (csv == NULL) {
        return fail("out of memory");
    }
    int status = files_write_atomically(path, csv, strlen(csv));
    free(csv);
    return status;
}

static int write_table(const struct loaded_table *loaded, const char *path)
{
    uint8_t bytes[OTA_PARTITION_TABLE_SIZE];
    struct table_problem problem;
    if (!table_encode(&loaded->table, &loaded->options, &ota_crypto_psa, bytes, &problem)) {
        return table_load_fail(loaded->name, &problem);
    }
    return files_write_atomically(path, bytes, sizeof bytes);
}

static int run(const struct command_call *call)
{
    if (command_flag(call, "list")) {
        return list_builtin(command_flag(call, "json"));
    }
    const char *path = command_value(call, "output");
    if (command_count(call) == 0) {
        return command_usage(call, "name a CSV file or a built-in table (--list shows those)");
    }
    if (path == NULL) {
        return command_usage(call,
                             "say where the table goes: -o FILE, or -o - for standard output");
    }
    bool csv = command_flag(call, "csv");
    bool to_stdout = strcmp(path, "-") == 0;
    struct loaded_table loaded = {0};
    int status = table_load(call, command_argument(call, 0), &loaded);
    if (status == COMMAND_GOOD) {
        status = csv ? write_csv(&loaded, path) : write_table(&loaded, path);
    }
    if (status == COMMAND_GOOD && !to_stdout) {
        status = report(call, &loaded, path);
    }
    table_unload(&loaded);
    return status;
}

static const struct command_option options[] = {
    {"output", 'o', "FILE", "where the table goes; - is standard output"},
    {"csv", 0, NULL, "write CSV, with all offsets filled in, instead of the binary form"},
    {"list", 0, NULL, "list the built-in tables"},
    TABLE_LOAD_OPTIONS,
    COMMAND_OPTION_JSON,
    {0},
};

static const char *const examples[] = {
    "updraft partition make partitions.csv -o partitions.bin",
    "# the table of a project with two OTA slots, by its name in menuconfig",
    "updraft partition make \"Factory app, two OTA definitions\" -o partitions.bin",
    "# the CSV of a table, as a start for one of your own",
    "updraft partition make two_ota --csv -o partitions.csv",
    "updraft partition make partitions.csv -o partitions.bin --flash-size 4MB --secure v2",
    NULL,
};

const struct command command_partition_make = {
    .noun = "partition",
    .verb = "make",
    .summary = "Make a partition table from CSV or by name",
    .synopsis = "[CSV|NAME]",
    .description =
        "Reads a partition table as ESP-IDF projects write it, name,type,subtype,offset,size,flags "
        "a line, or one of the built-in tables, and writes the 3072 bytes that are flashed. Rules "
        "and results are those of Espressif's own generator, byte for byte.\n"
        "\n"
        "Empty offsets are filled in. A size below zero is the address where the partition ends. "
        "Numbers may be hexadecimal (0x9000) and end in K or M. $NAME and ${NAME} stand for "
        "environment variables.",
    .options = options,
    .examples = examples,
    .arguments_min = 0,
    .arguments_max = 1,
    .run = run,
};
