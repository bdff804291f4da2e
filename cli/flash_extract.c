/* SPDX-License-Identifier: Apache-2.0 */
/* `updraft flash extract`: partitions of a whole chip's image as files of their own. */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/chip_image.h"
#include "cli/commands.h"
#include "cli/output.h"

#define PIECE 65536u

/* What is extracted, for --json. */
struct extraction {
    const struct command_call *call;
    struct chip_image chip;
    struct ota_partition_table table;
    cJSON *json; /* an array, or NULL */
};

/* The length of a region without the 0xFF at its end. */
static uint32_t trimmed(const struct chip_image *chip, uint32_t offset, uint32_t size)
{
    const struct files_content *content = &chip->content;
    if (offset >= content->size) {
        return 0;
    }
    size_t left = content->size - offset;
    uint32_t len = left < size ? (uint32_t)left : size;
    while (len > 0 && content->data[offset + len - 1] == 0xFF) {
        len--;
    }
    return len;
}

static int write_region(const struct ota_region *region, uint32_t size, const char *path)
{
    struct files_writer writer;
    enum ota_err err = OTA_OK;
    if (files_writer_open(&writer, path) != 0) {
        return COMMAND_FAILED;
    }
    uint8_t *buffer = output_allocate(PIECE);
    for (uint32_t at = 0; at < size && err == OTA_OK && !ferror(writer.stream);) {
        uint32_t part = size - at < PIECE ? size - at : PIECE;
        err = ota_region_read(region, at, buffer, part);
        if (err == OTA_OK) {
            fwrite(buffer, 1, part, writer.stream);
        }
        at += part;
    }
    free(buffer);
    if (err != OTA_OK) {
        files_writer_abandon(&writer);
        return fail("%s: %s", path, ota_err_text(err));
    }
    return files_writer_commit(&writer);
}

static int extract(struct extraction *extraction, const struct ota_partition *partition,
                   const char *path)
{
    struct ota_region region;
    char safe[4 * OTA_PARTITION_LABEL_MAX + 1];
    enum ota_err err = ota_partition_region(&extraction->table, partition, &region);
    if (err != OTA_OK) {
        return fail("%s: %s", path, ota_err_text(err));
    }
    uint32_t size = command_flag(extraction->call, "trim")
                        ? trimmed(&extraction->chip, partition->offset, partition->size)
                        : partition->size;
    if (write_region(&region, size, path) != COMMAND_GOOD) {
        return COMMAND_FAILED;
    }
    if (extraction->json != NULL) {
        cJSON *item = cJSON_CreateObject();
        output_json_add_text(item, "partition", partition->label);
        output_json_add_text(item, "file", path);
        cJSON_AddNumberToObject(item, "offset", partition->offset);
        cJSON_AddNumberToObject(item, "size", size);
        cJSON_AddItemToArray(extraction->json, item);
    } else if (strcmp(path, "-") != 0) {
        printf("%s: %s bytes of %s at 0x%" PRIx32 "\n", path, output_thousands(size).text,
               output_escape(partition->label, safe, sizeof safe), partition->offset);
    }
    return COMMAND_GOOD;
}

static int extract_one(struct extraction *extraction, const char *label, const char *path)
{
    struct ota_partition partition;
    enum ota_err err = ota_partition_find(&extraction->table, OTA_PARTITION_ANY, OTA_SUBTYPE_ANY,
                                          label, &partition);
    if (err != OTA_OK) {
        return fail("%s: has no partition '%s' (`updraft flash show` lists them)",
                    files_name(extraction->chip.path), label);
    }
    return extract(extraction, &partition, path);
}

/* A label as the name of a file: letters, digits, and little else. A label that had to be changed
   carries its row's number, so that no two become one. */
static char *file_name(const char *folder, const char *label, uint32_t row)
{
    char name[OTA_PARTITION_LABEL_MAX + 1];
    bool changed = label[0] == '\0' || label[0] == '.' || label[0] == '-';
    size_t i = 0;
    for (; label[i] != '\0'; i++) {
        char c = label[i];
        bool fine = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                    c == '_' || c == '-' || c == '.';
        name[i] = fine ? c : '_';
        changed |= !fine;
    }
    name[i] = '\0';
    return changed ? output_format("%s/row%" PRIu32 "_%s.bin", folder, row, name)
                   : output_format("%s/%s.bin", folder, name);
}

static int extract_all(struct extraction *extraction, const char *folder)
{
    int status = COMMAND_GOOD;
    if (mkdir(folder, 0777) != 0 && errno != EEXIST) {
        return fail("%s: cannot be made: %s", folder, strerror(errno));
    }
    for (uint32_t i = 0; i < extraction->table.rows && status == COMMAND_GOOD; i++) {
        struct ota_partition partition;
        enum ota_err err = ota_partition_get(&extraction->table, i, &partition);
        if (err != OTA_OK) {
            return fail("%s: %s", files_name(extraction->chip.path), ota_err_text(err));
        }
        char *path = file_name(folder, partition.label, i);
        status = extract(extraction, &partition, path);
        free(path);
    }
    return status;
}

static int run(const struct command_call *call)
{
    const char *label = command_value(call, "partition");
    const char *path = command_value(call, "output");
    const char *folder = command_value(call, "all");
    uint64_t offset = OTA_PARTITION_TABLE_OFFSET;
    bool json = command_flag(call, "json");

    if ((label == NULL) == (folder == NULL) || (label == NULL) != (path == NULL)) {
        return command_usage(call, "say what goes where: --partition LABEL -o FILE, or --all DIR");
    }
    if (!command_number(call, "offset", 0, UINT32_MAX, &offset)) {
        return COMMAND_USAGE;
    }
    struct extraction extraction = {.call = call, .json = json ? cJSON_CreateArray() : NULL};
    int status = chip_image_open(&extraction.chip, command_argument(call, 0), 0);
    if (status == 0) {
        status = chip_image_open_table(&extraction.chip, (uint32_t)offset, &extraction.table);
    }
    if (status == 0) {
        status = label != NULL ? extract_one(&extraction, label, path)
                               : extract_all(&extraction, folder);
    }
    if (status == 0 && json) {
        status = output_json(extraction.json);
        extraction.json = NULL;
    }
    cJSON_Delete(extraction.json);
    chip_image_close(&extraction.chip);
    return status;
}

static const struct command_option options[] = {
    {"partition", 'p', "LABEL", "which partition, by its label"},
    {"output", 'o', "FILE", "file that it goes to; - is standard output"},
    {"all", 0, "DIR", "every partition, as DIR/LABEL.bin"},
    {"trim", 0, NULL, "leave out the 0xFF at the end"},
    {"offset", 0, "ADDRESS", "where the partition table lies (default 0x8000)"},
    COMMAND_OPTION_JSON,
    {0},
};

static const char *const examples[] = {
    "updraft flash extract chip.bin --partition ota_0 --trim -o app.bin",
    "# all of them, as parts/nvs.bin, parts/otadata.bin and so on",
    "updraft flash extract chip.bin --all parts",
    NULL,
};

const struct command command_flash_extract = {
    .noun = "flash",
    .verb = "extract",
    .summary = "Take partitions out of a whole chip's image",
    .synopsis = "FILE",
    .description =
        "Writes one partition, or each, as a file of its own, as long as the partition unless "
        "--trim is given. Labels that no file can have are changed and carry their row's number.",
    .options = options,
    .examples = examples,
    .arguments_min = 1,
    .arguments_max = 1,
    .run = run,
};
