/* SPDX-License-Identifier: Apache-2.0 */
/* `updraft partition check`: a table against the rules, and files against their partitions. */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "cli/commands.h"
#include "cli/csv.h"
#include "cli/output.h"
#include "cli/table_load.h"
#include "cli/table_rules.h"

/* What --image says: TYPE[,SUBTYPE]=FILE. */
struct image_request {
    char kind[64]; /* "app" or "app,ota_0", for messages */
    const char *path;
    int64_t type;
    int64_t subtype; /* -1: each */
    uint64_t size;
};

static bool keyword_or_number(const struct table_options *options, int64_t type, bool subtype,
                              const char *text, int64_t *value)
{
    const char *name;
    for (unsigned n = 0; (name = subtype ? table_subtype_keyword(options, type, n, value)
                                         : table_type_keyword(options, n, value)) != NULL;
         n++) {
        if (strcasecmp(name, text) == 0) {
            return true;
        }
    }
    return csv_number(text, value) && *value >= 0 && *value <= UINT8_MAX;
}

static int parse_request(const struct command_call *call, const struct table_options *options,
                         const char *text, struct image_request *request)
{
    const char *equals = strchr(text, '=');
    if (equals == NULL || equals[1] == '\0' || (size_t)(equals - text) >= sizeof request->kind) {
        return command_usage(call, "--image takes TYPE=FILE or TYPE,SUBTYPE=FILE, not '%s'", text);
    }
    memcpy(request->kind, text, (size_t)(equals - text));
    request->kind[equals - text] = '\0';
    request->path = equals + 1;
    request->subtype = -1;

    char type[sizeof request->kind];
    memcpy(type, request->kind, sizeof type);
    char *comma = strchr(type, ',');
    if (comma != NULL) {
        *comma = '\0';
    }
    if (!keyword_or_number(options, 0, false, type, &request->type) ||
        (comma != NULL &&
         !keyword_or_number(options, request->type, true, comma + 1, &request->subtype))) {
        return command_usage(call, "--image: '%s' is no partition type and subtype", request->kind);
    }
    struct stat status;
    if (stat(request->path, &status) != 0 || !S_ISREG(status.st_mode)) {
        return fail("%s: there is no such file", request->path);
    }
    request->size = (uint64_t)status.st_size;
    return COMMAND_GOOD;
}

static void report_fit(cJSON *images, const struct image_request *request, int64_t room)
{
    int64_t left = room - (int64_t)request->size;
    if (images == NULL) {
        printf("%s: 0x%" PRIx64 " bytes; smallest partition for %s has 0x%" PRIx64 ", 0x%" PRIx64
               " (%" PRId64 " %%) free\n",
               request->path, request->size, request->kind, (uint64_t)room, (uint64_t)left,
               room > 0 ? left * 100 / room : 0);
        return;
    }
    cJSON *image = cJSON_CreateObject();
    output_json_add_text(image, "file", request->path);
    output_json_add_text(image, "for", request->kind);
    cJSON_AddNumberToObject(image, "size", (double)request->size);
    cJSON_AddNumberToObject(image, "partition_size", (double)room);
    cJSON_AddNumberToObject(image, "free", (double)left);
    cJSON_AddItemToArray(images, image);
}

/* The bootloader has a place rather than a partition, unless the table has a row for it too. */
static int check_bootloader(const struct command_call *call, const struct loaded_table *loaded,
                            const struct image_request *request, cJSON *images)
{
    struct table_problem problem;
    const struct table_options *options = &loaded->options;
    if (!options->has_primary_bootloader) {
        return command_usage(call, "--image bootloader= needs --primary-bootloader-offset "
                                   "(0x1000 on the ESP32, 0x0 or 0x2000 on later chips)");
    }
    if (!table_fits_bootloader(options, options->primary_bootloader_offset, request->size,
                               &problem)) {
        return table_load_fail(request->path, &problem);
    }
    report_fit(images, request, (int64_t)options->offset - options->primary_bootloader_offset);
    return COMMAND_GOOD;
}

static int check_image(const struct command_call *call, const struct loaded_table *loaded,
                       const char *text, cJSON *images)
{
    struct image_request request = {0};
    struct table_problem problem;
    struct table_fit fit;
    int status = parse_request(call, &loaded->options, text, &request);
    if (status != COMMAND_GOOD) {
        return status;
    }
    if (request.type == OTA_PARTITION_BOOTLOADER && request.subtype <= 0) {
        return check_bootloader(call, loaded, &request, images);
    }
    if (!table_fits_image(&loaded->table, &loaded->options, request.type, request.subtype,
                          request.size, &fit, &problem)) {
        if (!command_flag(call, "allow-failures")) {
            return table_load_fail(request.path, &problem);
        }
        warn("%s: %s", request.path, problem.text);
    } else if (fit.partitions == 0) {
        warn("%s: not checked, because %s has no partition of %s", request.path, loaded->name,
             request.kind);
    } else if (fit.partitions > 0 && fit.too_small == 0) {
        report_fit(images, &request, fit.smallest->size);
    }
    return COMMAND_GOOD;
}

static int run(const struct command_call *call)
{
    struct loaded_table loaded = {0};
    const char *const *values;
    size_t count = command_values(call, "image", &values);
    bool json = command_flag(call, "json");
    cJSON *images = json ? cJSON_CreateArray() : NULL;

    int status = table_load(call, command_argument(call, 0), &loaded);
    size_t checked = status == COMMAND_GOOD ? count : 0; /* all, also after one that is bad */
    for (size_t i = 0; i < checked && status != COMMAND_USAGE; i++) {
        int one = check_image(call, &loaded, values[i], images);
        status = one > status ? one : status;
    }
    if (json && status != COMMAND_USAGE) {
        cJSON *object = cJSON_CreateObject();
        output_json_add_text(object, "file", loaded.name);
        cJSON_AddBoolToObject(object, "good", status == COMMAND_GOOD);
        cJSON_AddNumberToObject(object, "partitions", (double)loaded.table.count);
        cJSON_AddNumberToObject(object, "end", (double)table_end(&loaded.table));
        cJSON_AddItemToObject(object, "images", images);
        images = NULL;
        int printed = output_json(object);
        status = status == COMMAND_GOOD ? printed : status;
    } else if (status == COMMAND_GOOD) {
        printf("%s: good; %zu partitions end at 0x%" PRIx64 "\n", loaded.name, loaded.table.count,
               (uint64_t)table_end(&loaded.table));
    }
    cJSON_Delete(images);
    table_unload(&loaded);
    return status;
}

static const struct command_option options[] = {
    {"image", 0, "TYPE[,SUBTYPE]=FILE", "check that a file fits its partitions; may be repeated"},
    {"allow-failures", 0, NULL, "only warn about files that fit nowhere"},
    COMMAND_OPTION_JSON,
    TABLE_LOAD_OPTIONS,
    {0},
};

static const char *const examples[] = {
    "updraft partition check partitions.csv --flash-size 4MB",
    "# does this build fit every app slot?",
    "updraft partition check partitions.csv --image app=build/garden.bin",
    "updraft partition check default_8MB \\",
    "    --image app,ota_0=garden.bin --image data,spiffs=pages.bin",
    "updraft partition check two_ota --primary-bootloader-offset 0x1000 --image bootloader=b.bin",
    NULL,
};

const struct command command_partition_check = {
    .noun = "partition",
    .verb = "check",
    .summary = "Check a partition table, and files against its partitions",
    .synopsis = "FILE|NAME",
    .description =
        "Checks a table (CSV, binary, a whole chip's image, or built in) by the rules of "
        "Espressif's generator: alignment, overlaps, names, otadata, NVS sizes; and, with "
        "--flash-size, that it fits the chip.\n"
        "\n"
        "--image checks a file against all partitions of its type: it fails if the file fits none, "
        "and warns if it does not fit all, or leaves less than 5 % of the smallest.",
    .options = options,
    .examples = examples,
    .arguments_min = 1,
    .arguments_max = 1,
    .run = run,
};
