/* SPDX-License-Identifier: Apache-2.0 */
/* `updraft flash show`: what a whole chip's image holds. */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/flash_survey.h"
#include "cli/image_names.h"
#include "cli/otadata_file.h"
#include "cli/output.h"
#include "cli/partition_text.h"

static unsigned slot_count(const struct flash_survey *survey)
{
    return survey->layout.ota_rows > 0 ? survey->layout.ota_rows : 1;
}

static struct table_row row_of(const struct ota_partition *partition, char *name, size_t capacity)
{
    snprintf(name, capacity, "%s", partition->label);
    return (struct table_row){.name = name,
                              .type = partition->type,
                              .subtype = partition->subtype,
                              .offset = partition->offset,
                              .size = partition->size,
                              .flags = partition->flags};
}

/* What boots unless its image is bad. */
static const char *boots(const struct flash_survey *survey, char name[OTA_SLOT_NAME_SIZE])
{
    if (!survey->has_otadata) {
        return ota_slot_name(survey->layout.factory.size > 0 ? OTA_SLOT_FACTORY : 0, name);
    }
    return otadata_file_boots(&survey->otadata, &survey->layout, slot_count(survey), name);
}

/* What is in the slot of that name; NULL if the table has none such. */
static const struct flash_survey_image *image_in(const struct flash_survey *survey,
                                                 const char *slot)
{
    for (uint32_t i = 0; i < survey->partitions; i++) {
        const struct flash_survey_partition *found = &survey->partition[i];
        const char *subtype =
            ota_partition_subtype_name(found->partition.type, found->partition.subtype);
        if (found->is_app && subtype != NULL && strcmp(subtype, slot) == 0) {
            return &found->app;
        }
    }
    return NULL;
}

/* As text. */

static void print_boots(const struct flash_survey *survey)
{
    char name[OTA_SLOT_NAME_SIZE];
    const char *slot = boots(survey, name);
    const struct flash_survey_image *image = image_in(survey, slot);

    if (image != NULL && !image->blank && image->failure.err == OTA_OK) {
        printf("  boots %s\n", slot);
    } else {
        printf("  would boot %s, but %s: the bootloader looks for another app\n", slot,
               image == NULL  ? "the table has none"
               : image->blank ? "it is blank"
                              : "its image is bad");
    }
}

static void image_words(const struct flash_survey_image *found, char *text, size_t capacity)
{
    if (found->blank) {
        snprintf(text, capacity, "blank");
    } else if (found->failure.err == OTA_OK) {
        snprintf(text, capacity, "%s, %s bytes, good", found->name,
                 output_thousands(found->image.length).text);
    } else {
        snprintf(text, capacity, "bad: %s (at 0x%" PRIx32 ")", ota_err_text(found->failure.err),
                 found->failure.offset);
    }
}

static void partition_words(const struct flash_survey_partition *found, char *text, size_t capacity)
{
    uint32_t sectors = (found->partition.size + CHIP_IMAGE_SECTOR - 1) / CHIP_IMAGE_SECTOR;
    if (found->is_app) {
        image_words(&found->app, text, capacity);
    } else if (found->sectors_used == 0) {
        snprintf(text, capacity, "blank");
    } else {
        snprintf(text, capacity, "%" PRIu32 " of %" PRIu32 " sectors written", found->sectors_used,
                 sectors);
    }
}

static void print_partitions(const struct flash_survey *survey)
{
    struct table_options options = table_options_default();
    struct output_table table;
    output_table_begin(&table, "lllrrl");
    output_table_row(&table, "PARTITION", "TYPE", "SUBTYPE", "OFFSET", "SIZE", "HOLDS");
    for (uint32_t i = 0; i < survey->partitions; i++) {
        const struct flash_survey_partition *found = &survey->partition[i];
        char name[OTA_PARTITION_LABEL_MAX + 1];
        char safe[4 * OTA_PARTITION_LABEL_MAX + 1];
        char type[PARTITION_TEXT_SIZE];
        char subtype[PARTITION_TEXT_SIZE];
        char holds[256];
        struct table_row row = row_of(&found->partition, name, sizeof name);
        partition_words(found, holds, sizeof holds);
        output_table_row(&table, output_escape(name, safe, sizeof safe),
                         partition_text_type(&options, &row, type),
                         partition_text_subtype(&options, &row, subtype),
                         output_hex(found->partition.offset, 1).text,
                         output_size(found->partition.size).text, holds);
    }
    output_table_print(&table, stdout, "  ");
}

static int print_survey(const struct flash_survey *survey)
{
    char unknown[IMAGE_CHIP_NAME_SIZE];
    char words[256];
    bool known = survey->chip_id != OTA_CHIP_ANY;

    printf("%s: %s bytes%s%s\n", files_name(survey->chip->path),
           output_thousands(survey->chip->content.size).text, known ? " of " : "",
           known ? image_chip_name(survey->chip_id, unknown) : "");
    if (survey->has_bootloader) {
        image_words(&survey->bootloader, words, sizeof words);
        printf("  bootloader at 0x%" PRIx32 ": %s\n", survey->bootloader_offset, words);
    } else {
        printf("  no bootloader\n");
    }
    printf("  partition table at 0x%" PRIx32 ": %" PRIu32 " partitions%s\n", survey->table.offset,
           survey->table.rows, survey->table.has_md5 ? ", MD5 ok" : ", no MD5");
    print_partitions(survey);
    if (survey->has_otadata) {
        otadata_file_print(&survey->otadata, slot_count(survey), "  ");
    }
    print_boots(survey);
    return COMMAND_GOOD;
}

/* As JSON. */

static cJSON *image_json(const struct flash_survey_image *found)
{
    cJSON *json = cJSON_CreateObject();
    struct ota_app_descriptor app;
    struct ota_bootloader_descriptor bootloader;
    bool good = !found->blank && found->failure.err == OTA_OK;

    cJSON_AddBoolToObject(json, "blank", found->blank);
    cJSON_AddBoolToObject(json, "good", good);
    if (good) {
        cJSON_AddNumberToObject(json, "size", found->image.length);
    } else if (!found->blank) {
        cJSON_AddStringToObject(json, "error", ota_err_name(found->failure.err));
        cJSON_AddStringToObject(json, "error_text", ota_err_text(found->failure.err));
        cJSON_AddNumberToObject(json, "error_offset", found->failure.offset);
    }
    if (!found->blank && ota_image_app_descriptor(&found->image, &app)) {
        output_json_add_text(json, "project", app.project);
        output_json_add_text(json, "version", app.version);
        output_json_add_text(json, "idf_version", app.idf_version);
        cJSON_AddNumberToObject(json, "secure_version", app.secure_version);
    }
    if (!found->blank && ota_image_bootloader_descriptor(&found->image, &bootloader)) {
        output_json_add_text(json, "idf_version", bootloader.idf_version);
    }
    return json;
}

static cJSON *partition_json(const struct flash_survey_partition *found)
{
    struct table_options options = table_options_default();
    char name[OTA_PARTITION_LABEL_MAX + 1];
    struct table_row row = row_of(&found->partition, name, sizeof name);
    cJSON *json = partition_text_json_row(&options, &row);

    if (found->is_app) {
        cJSON_AddItemToObject(json, "image", image_json(&found->app));
    } else {
        cJSON_AddNumberToObject(json, "bytes_used",
                                (double)found->sectors_used * CHIP_IMAGE_SECTOR);
    }
    return json;
}

static int print_json(const struct flash_survey *survey)
{
    char unknown[IMAGE_CHIP_NAME_SIZE];
    char name[OTA_SLOT_NAME_SIZE];
    cJSON *json = cJSON_CreateObject();

    output_json_add_text(json, "file", files_name(survey->chip->path));
    cJSON_AddNumberToObject(json, "size", (double)survey->chip->content.size);
    if (survey->chip_id != OTA_CHIP_ANY) {
        cJSON_AddStringToObject(json, "chip", image_chip_name(survey->chip_id, unknown));
    }
    if (survey->has_bootloader) {
        cJSON *bootloader = image_json(&survey->bootloader);
        cJSON_AddNumberToObject(bootloader, "offset", survey->bootloader_offset);
        cJSON_AddItemToObject(json, "bootloader", bootloader);
    }
    cJSON_AddNumberToObject(json, "table_offset", survey->table.offset);
    cJSON_AddBoolToObject(json, "table_md5", survey->table.has_md5);
    cJSON *partitions = cJSON_AddArrayToObject(json, "partitions");
    for (uint32_t i = 0; i < survey->partitions; i++) {
        cJSON_AddItemToArray(partitions, partition_json(&survey->partition[i]));
    }
    if (survey->has_otadata) {
        cJSON_AddItemToObject(json, "otadata",
                              otadata_file_json(&survey->otadata, slot_count(survey)));
    }
    const char *slot = boots(survey, name);
    const struct flash_survey_image *image = image_in(survey, slot);
    cJSON_AddStringToObject(json, "boots", slot);
    cJSON_AddBoolToObject(json, "boots_good_image",
                          image != NULL && !image->blank && image->failure.err == OTA_OK);
    return output_json(json);
}

static int run(const struct command_call *call)
{
    uint16_t chip_id = OTA_CHIP_ANY;
    uint64_t offset = OTA_PARTITION_TABLE_OFFSET;
    uint64_t size = 0;
    struct chip_image chip;

    if (image_chip_option(call, &chip_id) != COMMAND_GOOD ||
        !command_number(call, "offset", 0, UINT32_MAX, &offset) ||
        !command_number(call, "flash-size", 1, CHIP_IMAGE_LIMIT, &size)) {
        return COMMAND_USAGE;
    }
    if (chip_image_open(&chip, command_argument(call, 0), (uint32_t)size) != 0) {
        return COMMAND_FAILED;
    }
    struct flash_survey *survey = output_allocate(sizeof *survey);
    int status = flash_survey(&chip, (uint32_t)offset, chip_id, survey);
    if (status == 0) {
        status = command_flag(call, "json") ? print_json(survey) : print_survey(survey);
    }
    free(survey);
    chip_image_close(&chip);
    return status;
}

static const struct command_option options[] = {
    {"chip", 'c', "CHIP", "which chip it is, if the bootloader does not tell"},
    {"flash-size", 0, "SIZE", "how large the chip is, if the file is shorter"},
    {"offset", 0, "ADDRESS", "where the partition table lies (default 0x8000)"},
    COMMAND_OPTION_JSON,
    {0},
};

static const char *const examples[] = {
    "updraft flash show chip.bin",
    "# what a programmer read out of a board",
    "updraft flash show dump.bin --chip esp32 --json",
    NULL,
};

const struct command command_flash_show = {
    .noun = "flash",
    .verb = "show",
    .summary = "Show what a whole chip's image holds",
    .synopsis = "FILE",
    .description =
        "Looks over the image of a whole flash chip: bootloader, partition table, otadata, and "
        "what "
        "each partition holds. Every image is proven, as the bootloader would before it runs it.\n"
        "\n"
        "A file that is shorter than the chip is taken to be followed by 0xFF.",
    .options = options,
    .examples = examples,
    .arguments_min = 1,
    .arguments_max = 1,
    .run = run,
};
