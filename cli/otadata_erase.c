/* SPDX-License-Identifier: Apache-2.0 */
/* `updraft otadata erase`: back to the factory app. */

#include <stdio.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/otadata_file.h"
#include "cli/output.h"

static int erase(const struct command_call *call, struct otadata_file *file)
{
    enum ota_err err = ota_region_erase(&file->region, 0, file->region.size);
    if (err != OTA_OK) {
        return fail("%s: %s", file->chip.path, ota_err_text(err));
    }
    if (chip_image_save(&file->chip) != 0) {
        return COMMAND_FAILED;
    }
    if (command_flag(call, "json")) {
        cJSON *json = cJSON_CreateObject();
        output_json_add_text(json, "file", file->chip.path);
        cJSON_AddNumberToObject(json, "offset", file->region.offset);
        cJSON_AddNumberToObject(json, "size", file->region.size);
        return output_json(json);
    }
    const struct ota_layout *layout = file->has_layout ? &file->layout : NULL;
    printf("%s: otadata erased: boots %s\n", file->chip.path,
           layout == NULL             ? "the factory app, or ota_0 where there is none"
           : layout->factory.size > 0 ? "factory"
                                      : "ota_0");
    return COMMAND_GOOD;
}

static int run(const struct command_call *call)
{
    const char *path = command_argument(call, 0);
    if (strcmp(path, "-") == 0) {
        return command_usage(call, "otadata is erased in place: name its file instead of -");
    }
    struct otadata_file file;
    int status = otadata_file_open(call, path, true, &file);
    if (status == COMMAND_GOOD) {
        status = erase(call, &file);
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
    "updraft otadata erase chip.bin",
    "# makes the blank otadata partition that a new board is flashed with",
    "updraft otadata erase otadata.bin",
    NULL,
};

const struct command command_otadata_erase = {
    .noun = "otadata",
    .verb = "erase",
    .summary = "Go back to the factory app",
    .synopsis = "FILE",
    .description =
        "Erases both entries (0xFF), so that the factory app boots, or ota_0 where there is none. "
        "FILE is an otadata partition of 8,192 bytes, made if it does not exist, or a whole chip's "
        "image, where the partition table says where otadata is. The file changes whole or not at "
        "all.",
    .options = options,
    .examples = examples,
    .arguments_min = 1,
    .arguments_max = 1,
    .run = run,
};
