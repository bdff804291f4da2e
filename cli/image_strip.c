/* SPDX-License-Identifier: Apache-2.0 */
/* `updraft image strip FILE`: the image without its signature. */

#include "cli/commands.h"

#include <string.h>

#include "cli/files.h"
#include "cli/output.h"
#include "cli/signed_file.h"

/* Says what was done, unless the image itself has gone to standard output. */
static int report(const struct command_call *call, const struct signed_file *file,
                  const char *output)
{
    char kind[SIGNATURE_TEXT_SIZE], safe[256];
    if (strcmp(output, "-") == 0) {
        return COMMAND_GOOD;
    }
    signature_text(file->found, kind);
    if (!command_flag(call, "json")) {
        printf("stripped  %s: %s bytes, without its signature (%s)\n",
               output_escape(output, safe, sizeof(safe)),
               output_thousands(file->found->data_len).text, kind);
        return COMMAND_GOOD;
    }
    cJSON *json = cJSON_CreateObject();
    output_json_add_text(json, "file", file->name);
    output_json_add_text(json, "output", output);
    cJSON_AddStringToObject(json, "signature", kind);
    cJSON_AddNumberToObject(json, "size", (double)file->found->data_len);
    return output_json(json);
}

static int run(const struct command_call *call)
{
    const char *output = command_value(call, "output");
    struct signed_file file;
    if (output == NULL) {
        return command_usage(call, "--output is missing; - is standard output");
    }
    if (signed_file_open(&file, command_argument(call, 0), command_flag(call, "data"), 0) != 0) {
        return COMMAND_FAILED;
    }
    int status =
        file.found->kind == SIGNATURE_NONE
            ? fail("%s: is not signed: there is nothing to strip", file.name)
            : files_write_atomically(output, file.content.data, (size_t)file.found->data_len);
    if (status == 0) {
        status = report(call, &file, output);
    }
    signed_file_close(&file);
    return status;
}

static const struct command_option options[] = {
    {"output", 'o', "FILE", "where it goes; - is standard output"},
    {"data", 0, NULL, "it is no firmware image but other data"},
    COMMAND_OPTION_JSON,
    {0},
};

static const char *const examples[] = {
    "updraft image strip app.signed.bin -o app.bin",
    NULL,
};

const struct command command_image_strip = {
    .noun = "image",
    .verb = "strip",
    .summary = "Take the signature off an image",
    .synopsis = "FILE",
    .description =
        "Writes the bytes that are signed, without the signature behind them. With Secure Boot v2 "
        "the padding up to the signature is signed too, and stays: signed again, the image is the "
        "same. - is standard input.",
    .options = options,
    .examples = examples,
    .arguments_min = 1,
    .arguments_max = 1,
    .run = run,
};
