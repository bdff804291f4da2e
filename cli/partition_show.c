/* SPDX-License-Identifier: Apache-2.0 */
/* `updraft partition show`: the rows of a table, as a person, a spreadsheet or a program reads
   them. */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/csv.h"
#include "cli/output.h"
#include "cli/partition_text.h"
#include "cli/table_load.h"

static int show_json(const struct loaded_table *loaded)
{
    cJSON *json = cJSON_CreateObject();
    output_json_add_text(json, "file", loaded->name);
    cJSON_AddNumberToObject(json, "offset", loaded->options.offset);
    cJSON_AddItemToObject(json, "partitions",
                          partition_text_json(&loaded->table, &loaded->options));
    return output_json(json);
}

static int show_csv(const struct loaded_table *loaded)
{
    for (size_t i = 0; i < loaded->table.count; i++) {
        if (!csv_can_hold(loaded->table.rows[i].name)) {
            warn("%s: row %zu has a name that CSV cannot hold: its line will not read back",
                 loaded->name, i + 1);
        }
    }
    char *csv = csv_write(&loaded->table, &loaded->options);
    if (csv == NULL) {
        return fail("out of memory");
    }
    fputs(csv, stdout);
    free(csv);
    return COMMAND_GOOD;
}

static int run(const struct command_call *call)
{
    struct loaded_table loaded = {0};
    int status = table_load(call, command_argument(call, 0), &loaded);
    if (status == COMMAND_GOOD && command_flag(call, "json")) {
        status = show_json(&loaded);
    } else if (status == COMMAND_GOOD && command_flag(call, "csv")) {
        status = show_csv(&loaded);
    } else if (status == COMMAND_GOOD) {
        partition_text_print(&loaded.table, &loaded.options);
    }
    table_unload(&loaded);
    return status;
}

static const struct command_option options[] = {
    {"csv", 0, NULL, "print CSV, as ESP-IDF's generator does"},
    COMMAND_OPTION_JSON,
    TABLE_LOAD_OPTIONS,
    {0},
};

static const char *const examples[] = {
    "updraft partition show partitions.bin", "# the table inside a whole chip's image, as CSV",
    "updraft partition show chip.bin --csv", "# a built-in table",
    "updraft partition show two_ota",        NULL,
};

const struct command command_partition_show = {
    .noun = "partition",
    .verb = "show",
    .summary = "Show a partition table",
    .synopsis = "FILE|NAME",
    .description =
        "Shows the partitions of a binary table, a CSV, a whole chip's image (its table is found "
        "at --offset) or a built-in table (`updraft partition make --list` names those), in their "
        "order, with empty offsets filled in.\n"
        "\n"
        "A table that breaks a rule is refused with the rule; --no-verify shows it all the same, "
        "and --no-md5 shows one whose MD5 does not match.",
    .options = options,
    .examples = examples,
    .arguments_min = 1,
    .arguments_max = 1,
    .run = run,
};
