/* SPDX-License-Identifier: Apache-2.0 */
/* `updraft otadata show`: both entries, which of them counts, and what it makes boot. */

#include <inttypes.h>
#include <stdio.h>

#include "cli/commands.h"
#include "cli/otadata_file.h"
#include "cli/output.h"

static int show(const struct command_call *call, const struct otadata_file *file,
                const struct ota_otadata *otadata)
{
    const struct ota_layout *layout = file->has_layout ? &file->layout : NULL;
    char name[OTA_SLOT_NAME_SIZE];
    const char *boots = otadata_file_boots(otadata, layout, file->slots, name);

    if (command_flag(call, "json")) {
        cJSON *json = otadata_file_json(otadata, file->slots);
        output_json_add_text(json, "file", files_name(file->chip.path));
        cJSON_AddNumberToObject(json, "offset", file->region.offset);
        cJSON_AddStringToObject(json, "boots", boots);
        return output_json(json);
    }
    if (file->whole_chip) {
        printf("%s: otadata at 0x%" PRIx32 "\n", files_name(file->chip.path), file->region.offset);
    } else {
        printf("%s: otadata\n", files_name(file->chip.path));
    }
    otadata_file_print(otadata, file->slots, "  ");
    if (ota_otadata_active(otadata) >= 0) {
        printf("boots %s, one of %u slot%s\n", boots, file->slots, file->slots == 1 ? "" : "s");
    } else if (layout != NULL) {
        printf("no entry counts: boots %s\n", boots);
    } else {
        printf("no entry counts: boots the factory app, or ota_0 where there is none\n");
    }
    return COMMAND_GOOD;
}

static int run(const struct command_call *call)
{
    struct otadata_file file;
    struct ota_otadata otadata;
    int status = otadata_file_open(call, command_argument(call, 0), false, &file);
    if (status == COMMAND_GOOD) {
        enum ota_err err = ota_otadata_read(&otadata, &file.region);
        status = err == OTA_OK ? show(call, &file, &otadata)
                               : fail("%s: %s", files_name(file.chip.path), ota_err_text(err));
    }
    otadata_file_close(&file);
    return status;
}

static const struct command_option options[] = {
    OTADATA_FILE_OPTIONS,
    COMMAND_OPTION_JSON,
    {0},
};

static const char *const examples[] = {
    "updraft otadata show otadata.bin --slots 2",
    "# inside a whole chip's image, by its own partition table",
    "updraft otadata show chip.bin",
    "updraft otadata show otadata.bin --partitions partitions.csv --json",
    NULL,
};

const struct command command_otadata_show = {
    .noun = "otadata",
    .verb = "show",
    .summary = "Show which slot boots, and why",
    .synopsis = "FILE",
    .description =
        "FILE is an otadata partition of 8,192 bytes, or a whole chip's image, where the partition "
        "table says where otadata is. Shows both entries: sequence number, CRC, state, the slot "
        "that the number stands for, and which entry counts.",
    .options = options,
    .examples = examples,
    .arguments_min = 1,
    .arguments_max = 1,
    .run = run,
};
