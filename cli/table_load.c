/* SPDX-License-Identifier: Apache-2.0 */
/* From the word on the command line to a verified table. */

#include "cli/table_load.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "cli/csv.h"
#include "cli/csv_reader.h"
#include "cli/files.h"
#include "cli/output.h"
#include "cli/table_file.h"
#include "cli/table_rules.h"

#define MEGABYTE (UINT64_C(1) << 20)
#define FLASH_MEGABYTES_MAX 128u

int table_load_fail(const char *name, const struct table_problem *problem)
{
    const char *hint = problem->hint;
    char line[16] = "";

    if (problem->line > 0) {
        snprintf(line, sizeof line, ":%u", problem->line);
    }
    return fail("%s%s: %s%s%s%s", name, line, problem->text, hint != NULL ? " (" : "",
                hint != NULL ? hint : "", hint != NULL ? ")" : "");
}

static void print_warning(void *context, unsigned line, const char *text)
{
    const struct loaded_table *loaded = context;
    if (line > 0) {
        warn("%s:%u: %s", loaded->name, line, text);
    } else {
        warn("%s: %s", loaded->name, text);
    }
}

static const char *environment(void *context, const char *name)
{
    (void)context;
    return getenv(name);
}

/* Options. */

static int read_address(const struct command_call *call, const char *option, bool *given,
                        uint32_t *address)
{
    uint64_t value = *address;
    if (!command_number(call, option, 0, UINT32_MAX, &value)) {
        return COMMAND_USAGE;
    }
    *given = command_flag(call, option);
    *address = (uint32_t)value;
    return COMMAND_GOOD;
}

static int read_words(const struct command_call *call, struct table_options *options)
{
    const char *secure = command_value(call, "secure");
    if (secure != NULL && strcmp(secure, "v1") != 0 && strcmp(secure, "v2") != 0) {
        return command_usage(call, "--secure takes v1 or v2, not '%s'", secure);
    }
    if (secure != NULL) {
        options->secure = secure[1] == '1' ? TABLE_SECURE_V1 : TABLE_SECURE_V2;
    }
    const char *dialect = command_value(call, "dialect");
    if (dialect != NULL && strcmp(dialect, "esp-idf") != 0 && strcmp(dialect, "esp8266") != 0) {
        return command_usage(call, "--dialect takes esp-idf or esp8266, not '%s'", dialect);
    }
    if (dialect != NULL && strcmp(dialect, "esp8266") == 0) {
        options->dialect = TABLE_ESP8266;
    }
    return COMMAND_GOOD;
}

static int read_extra_subtypes(const struct command_call *call, struct loaded_table *loaded)
{
    struct table_problem problem;
    const char *const *values;
    size_t count = command_values(call, "extra-subtype", &values);

    loaded->extra = output_allocate((count + 1) * sizeof *loaded->extra);
    loaded->options.extra = loaded->extra;
    for (size_t i = 0; i < count; i++) {
        if (!table_extra_subtype_parse(values[i], loaded->options.dialect, loaded->extra,
                                       &loaded->options.extra_count, &problem)) {
            return command_usage(call, "--extra-subtype: %s", problem.text);
        }
    }
    return COMMAND_GOOD;
}

void table_load_defaults(struct loaded_table *loaded)
{
    *loaded = (struct loaded_table){.options = table_options_default()};
    loaded->options.variable = environment;
    loaded->options.warn = print_warning;
    loaded->options.context = loaded;
}

int table_load_options(const struct command_call *call, struct loaded_table *loaded)
{
    struct table_options *options = &loaded->options;
    uint64_t flash_size = 0;

    table_load_defaults(loaded);
    options->md5 = !command_flag(call, "no-md5");
    loaded->no_verify = command_flag(call, "no-verify");
    if (read_address(call, "offset", &loaded->offset_given, &options->offset) != COMMAND_GOOD ||
        read_address(call, "primary-bootloader-offset", &options->has_primary_bootloader,
                     &options->primary_bootloader_offset) != COMMAND_GOOD ||
        read_address(call, "recovery-bootloader-offset", &options->has_recovery_bootloader,
                     &options->recovery_bootloader_offset) != COMMAND_GOOD ||
        !command_number(call, "flash-size", MEGABYTE, FLASH_MEGABYTES_MAX * MEGABYTE,
                        &flash_size)) {
        return COMMAND_USAGE;
    }
    if (flash_size % MEGABYTE != 0) {
        return command_usage(call, "--flash-size takes whole megabytes, such as 4MB");
    }
    loaded->megabytes = (unsigned)(flash_size / MEGABYTE);
    int status = read_words(call, options);
    if (status == COMMAND_GOOD) {
        status = read_extra_subtypes(call, loaded);
    }
    struct table_problem problem;
    if (status == COMMAND_GOOD && !table_options_check(options, &problem)) {
        return command_usage(call, "%s", problem.text);
    }
    return status;
}

void table_unload(struct loaded_table *loaded)
{
    table_free(&loaded->table);
    free(loaded->extra);
    loaded->extra = NULL;
}

/* Tables. */

/* The problem speaks of the original's menu; here the size is an option. */
static int fail_flash_size(const struct loaded_table *loaded, struct table_problem *problem)
{
    char hint[64] = "make the table smaller";
    unsigned megabytes = 1;
    while ((int64_t)(megabytes * MEGABYTE) < table_end(&loaded->table)) {
        megabytes *= 2;
    }
    if (megabytes <= FLASH_MEGABYTES_MAX) {
        snprintf(hint, sizeof hint, "here: --flash-size %uMB, or a smaller table", megabytes);
    }
    table_hint(problem, hint);
    return table_load_fail(loaded->name, problem);
}

static int check(struct loaded_table *loaded)
{
    struct table_problem problem;
    if (loaded->table.count == 0) {
        return fail("%s: holds no partition; write one row for each: name,type,subtype,offset,size",
                    loaded->name);
    }
    if (!loaded->no_verify && !table_verify(&loaded->table, &loaded->options, &problem)) {
        return table_load_fail(loaded->name, &problem);
    }
    if (loaded->megabytes > 0 && !table_fits_flash(&loaded->table, loaded->megabytes, &problem)) {
        return fail_flash_size(loaded, &problem);
    }
    return COMMAND_GOOD;
}

static int load_binary(const void *data, size_t len, struct loaded_table *loaded)
{
    struct table_problem problem;
    loaded->from_binary = true;
    if (!table_decode(data, len, &loaded->options, &ota_crypto_psa, &loaded->table, &problem)) {
        return table_load_fail(loaded->name, &problem);
    }
    return check(loaded);
}

static int load_csv(const void *data, size_t len, struct loaded_table *loaded)
{
    struct table_problem problem;
    if (!csv_parse(data, len, &loaded->options, &loaded->table, &problem) ||
        !table_place(&loaded->table, &loaded->options, &problem)) {
        return table_load_fail(loaded->name, &problem);
    }
    return check(loaded);
}

static int load_builtin(const struct builtin_table *builtin, struct loaded_table *loaded)
{
    loaded->builtin = builtin;
    loaded->options.dialect = builtin->dialect;
    if (!loaded->offset_given) {
        loaded->options.offset = builtin->offset;
    }
    return load_csv(builtin->csv, strlen(builtin->csv), loaded);
}

/* No file and no table is called so. */
static int unknown_table(const char *name)
{
    const char *names[64];
    size_t n = 0;
    const struct builtin_table *builtin;
    while (n < 63 && (builtin = builtin_table_at(n)) != NULL) {
        names[n++] = builtin->name;
    }
    names[n] = NULL;
    const char *nearest = command_nearest(name, names);
    if (nearest != NULL) {
        return fail("%s: there is no such file, nor a built-in table of that name; did you mean "
                    "'%s'?",
                    name, nearest);
    }
    return fail("%s: there is no such file, nor a built-in table of that name; `updraft partition "
                "make --list` names those",
                name);
}

/* A chip's image is as large as the chip; only the table's sector of it is looked at. */
static int load_file(const char *path, struct loaded_table *loaded)
{
    struct files_content content;
    int status = files_map(path, UINT32_MAX, &content);
    if (status != COMMAND_GOOD) {
        return status;
    }
    uint32_t offset = loaded->options.offset;
    bool whole_chip = content.size > offset && !table_is_binary(content.data, content.size) &&
                      table_is_binary(content.data + offset, content.size - offset);
    if (whole_chip) {
        size_t len = content.size - offset;
        status =
            load_binary(content.data + offset,
                        len < OTA_PARTITION_TABLE_SIZE ? len : OTA_PARTITION_TABLE_SIZE, loaded);
    } else if (table_is_binary(content.data, content.size)) {
        status = load_binary(content.data, content.size, loaded);
    } else {
        status = load_csv(content.data, content.size, loaded);
    }
    files_release(&content);
    return status;
}

int table_load(const struct command_call *call, const char *name, struct loaded_table *loaded)
{
    int status = table_load_options(call, loaded);
    return status == COMMAND_GOOD ? table_load_named(name, loaded) : status;
}

int table_load_named(const char *name, struct loaded_table *loaded)
{
    loaded->name = files_name(name);
    if (strcmp(name, "-") != 0 && access(name, F_OK) != 0 && errno == ENOENT) {
        const struct builtin_table *builtin = builtin_table_find(name);
        return builtin != NULL ? load_builtin(builtin, loaded) : unknown_table(name);
    }
    return load_file(name, loaded);
}
