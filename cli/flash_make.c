/* SPDX-License-Identifier: Apache-2.0 */
/* `updraft flash make`: bootloader, table, otadata, apps and data, each at its place, in one
   file. */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <updraft/layout.h>
#include <updraft/otadata.h>

#include "cli/chip_image.h"
#include "cli/commands.h"
#include "cli/flash_image.h"
#include "cli/flash_pieces.h"
#include "cli/image_names.h"
#include "cli/output.h"
#include "cli/table_file.h"
#include "cli/table_load.h"
#include "cli/table_rules.h"

#define ARGUMENT_NAME_SIZE 64u

/* One chip being put together. */
struct making {
    const struct command_call *call;
    const struct ota_chip_facts *chip;
    struct loaded_table loaded;
    struct flash_pieces pieces;
};

/* Cuts "NAME=FILE". */
static int split(const struct command_call *call, const char *option, const char *text,
                 char name[ARGUMENT_NAME_SIZE], const char **path)
{
    const char *equals = strchr(text, '=');
    if (equals == NULL || equals == text || equals[1] == '\0' ||
        (size_t)(equals - text) >= ARGUMENT_NAME_SIZE) {
        return command_usage(call, "--%s takes NAME=FILE, not '%s'", option, text);
    }
    memcpy(name, text, (size_t)(equals - text));
    name[equals - text] = '\0';
    *path = equals + 1;
    return COMMAND_GOOD;
}

/* Proves an image that is about to go in, unless --force. */
static int check_image(const struct making *making, const char *path,
                       const struct files_content *content, uint32_t room, enum ota_image_role role,
                       struct ota_image *image)
{
    struct ota_image_check check;
    struct chip_image file;

    /* Apps and bootloaders begin on a page of the flash cache: the file may stand for the flash. */
    chip_image_adopt(&file, path, *content);
    file.flash.size = room;
    struct ota_region region = {.flash = &file.flash, .offset = 0, .size = room};
    enum ota_err err = flash_image_verify(&check, role, making->chip->id, &region);
    *image = check.image;
    if (err == OTA_OK) {
        return COMMAND_GOOD;
    }
    if (command_flag(making->call, "force")) {
        warn("%s: %s (at 0x%" PRIx32 ")", files_name(path), ota_err_text(err),
             check.failure.offset);
        return COMMAND_GOOD;
    }
    if (err == OTA_ERR_IMAGE_CHIP) {
        char unknown[IMAGE_CHIP_NAME_SIZE];
        return fail("%s: is an image for %s, not for %s; --force takes it all the same",
                    files_name(path), image_chip_name(check.image.chip_id, unknown),
                    making->chip->name);
    }
    return fail("%s: no good %s for %s: %s (at 0x%" PRIx32 "); --force takes it all the same",
                files_name(path), role == OTA_ROLE_APP ? "app" : "bootloader", making->chip->name,
                ota_err_text(err), check.failure.offset);
}

static int add_bootloader(struct making *making)
{
    const char *path = command_value(making->call, "bootloader");
    struct flash_settings settings = {.mode = command_value(making->call, "header-mode"),
                                      .speed = command_value(making->call, "header-freq"),
                                      .size = command_value(making->call, "header-size")};
    struct files_content content;
    struct table_problem problem;
    struct ota_image image;
    uint32_t offset = making->chip->bootloader_offset;

    if (path == NULL) {
        return settings.mode == NULL && settings.speed == NULL && settings.size == NULL
                   ? COMMAND_GOOD
                   : command_usage(making->call,
                                   "--header-mode, --header-freq and --header-size change "
                                   "the bootloader's header; give a --bootloader too");
    }
    if (files_map(path, UINT32_MAX, &content) != 0) {
        return COMMAND_FAILED;
    }
    if (!table_fits_bootloader(&making->loaded.options, offset, content.size, &problem)) {
        files_release(&content);
        return table_load_fail(files_name(path), &problem);
    }
    int status = check_image(making, path, &content, making->loaded.options.offset - offset,
                             OTA_ROLE_BOOTLOADER, &image);
    if (status == COMMAND_GOOD) {
        status =
            flash_image_set(content.data, &image, making->chip->id, &settings, files_name(path));
    }
    if (status != COMMAND_GOOD) {
        files_release(&content);
        return status;
    }
    return flash_pieces_add(&making->pieces, "bootloader", path, offset, content);
}

static int add_table(struct making *making)
{
    struct table_problem problem;
    struct files_content content = {.size = OTA_PARTITION_TABLE_SIZE};
    content.data = output_allocate(content.size);
    if (!table_encode(&making->loaded.table, &making->loaded.options, &ota_crypto_psa, content.data,
                      &problem)) {
        files_release(&content);
        return table_load_fail(making->loaded.name, &problem);
    }
    return flash_pieces_add(&making->pieces, "partition table", NULL, making->loaded.options.offset,
                            content);
}

/* The app partition of this subtype's name, else of this label. */
static const struct table_row *app_partition(const struct loaded_table *loaded, const char *name)
{
    const struct table_row *by_label = table_find(&loaded->table, name, OTA_PARTITION_APP, -1);
    const char *keyword;
    int64_t subtype;
    for (unsigned n = 0; (keyword = table_subtype_keyword(&loaded->options, OTA_PARTITION_APP, n,
                                                          &subtype)) != NULL;
         n++) {
        if (strcmp(keyword, name) == 0) {
            const struct table_row *row =
                table_find(&loaded->table, NULL, OTA_PARTITION_APP, subtype);
            return row != NULL ? row : by_label;
        }
    }
    return by_label;
}

static int no_partition(const struct loaded_table *loaded, const char *what, const char *name)
{
    const char *names[OTA_PARTITION_ROWS_MAX + 1];
    size_t n = 0;
    for (; n < loaded->table.count && n < OTA_PARTITION_ROWS_MAX; n++) {
        names[n] = loaded->table.rows[n].name;
    }
    names[n] = NULL;
    const char *nearest = command_nearest(name, names);
    return fail("%s: has no %s '%s'%s%s%s", loaded->name, what, name,
                nearest != NULL ? "; did you mean '" : " (`updraft partition show` lists them)",
                nearest != NULL ? nearest : "", nearest != NULL ? "'?" : "");
}

static int add_app(struct making *making, const char *text)
{
    char name[ARGUMENT_NAME_SIZE];
    const char *path = NULL;
    int status = split(making->call, "app", text, name, &path);
    if (status != COMMAND_GOOD) {
        return status;
    }
    const struct table_row *row = app_partition(&making->loaded, name);
    if (row == NULL) {
        return no_partition(&making->loaded, "app partition", name);
    }
    status = flash_pieces_add_file(&making->pieces, row->name, path, (uint32_t)row->offset,
                                   (uint64_t)row->size);
    for (size_t i = 0; status == COMMAND_GOOD && i < making->pieces.count; i++) {
        struct flash_piece *piece = &making->pieces.piece[i];
        if (piece->offset == row->offset) {
            struct ota_image image;
            status = check_image(making, path, &piece->content, (uint32_t)row->size, OTA_ROLE_APP,
                                 &image);
        }
    }
    return status;
}

static int add_data(struct making *making, const char *text)
{
    char name[ARGUMENT_NAME_SIZE];
    const char *path = NULL;
    int status = split(making->call, "data", text, name, &path);
    if (status != COMMAND_GOOD) {
        return status;
    }
    const struct table_row *row = table_find(&making->loaded.table, name, -1, -1);
    if (row == NULL) {
        return no_partition(&making->loaded, "partition", name);
    }
    return flash_pieces_add_file(&making->pieces, row->name, path, (uint32_t)row->offset,
                                 (uint64_t)row->size);
}

/* otadata that makes a slot boot: one entry, of sequence slot + 1. */
static int add_otadata(struct making *making)
{
    const char *name = command_value(making->call, "otadata");
    const struct loaded_table *loaded = &making->loaded;
    if (name == NULL) {
        return COMMAND_GOOD;
    }
    const struct table_row *otadata =
        table_find(&loaded->table, NULL, OTA_PARTITION_DATA, OTA_SUBTYPE_DATA_OTA);
    const struct table_row *app = app_partition(loaded, name);
    if (otadata == NULL || otadata->size < OTA_OTADATA_SIZE) {
        return fail("%s: has no otadata partition of 8 KB, so no slot can be chosen", loaded->name);
    }
    if (app == NULL || app->subtype < OTA_SUBTYPE_APP_OTA_0 ||
        app->subtype > OTA_SUBTYPE_APP_OTA_15) {
        return no_partition(loaded, "OTA slot", name);
    }
    struct ota_otadata_entry entry = {.sequence =
                                          (uint32_t)(app->subtype - OTA_SUBTYPE_APP_OTA_0) + 1,
                                      .state = OTA_STATE_UNDEFINED};
    entry.crc = ota_otadata_crc(entry.sequence);
    memset(entry.label, 0xFF, sizeof entry.label);
    struct files_content content = {.size = OTA_OTADATA_SIZE};
    content.data = output_allocate(content.size);
    memset(content.data, 0xFF, content.size);
    ota_otadata_entry_encode(&entry, content.data);
    return flash_pieces_add(&making->pieces, otadata->name, NULL, (uint32_t)otadata->offset,
                            content);
}

static int add_each(struct making *making, const char *option,
                    int (*add)(struct making *making, const char *text))
{
    const char *const *values;
    size_t count = command_values(making->call, option, &values);
    int status = COMMAND_GOOD;
    for (size_t i = 0; i < count && status == COMMAND_GOOD; i++) {
        status = add(making, values[i]);
    }
    return status;
}

static int report(const struct making *making, const char *path, uint64_t length)
{
    const struct flash_pieces *pieces = &making->pieces;
    if (command_flag(making->call, "json")) {
        cJSON *json = cJSON_CreateObject();
        output_json_add_text(json, "file", path);
        cJSON_AddStringToObject(json, "chip", making->chip->name);
        cJSON_AddNumberToObject(json, "size", (double)length);
        cJSON *array = cJSON_AddArrayToObject(json, "pieces");
        for (size_t i = 0; i < pieces->count; i++) {
            const struct flash_piece *piece = &pieces->piece[i];
            cJSON *item = cJSON_CreateObject();
            output_json_add_text(item, "name", piece->label);
            cJSON_AddNumberToObject(item, "offset", piece->offset);
            cJSON_AddNumberToObject(item, "size", (double)piece->content.size);
            if (piece->path != NULL) {
                output_json_add_text(item, "file", piece->path);
            }
            cJSON_AddItemToArray(array, item);
        }
        return output_json(json);
    }
    struct output_table table;
    output_table_begin(&table, "rrll");
    output_table_row(&table, "OFFSET", "BYTES", "WHAT", "FROM");
    for (size_t i = 0; i < pieces->count; i++) {
        const struct flash_piece *piece = &pieces->piece[i];
        output_table_row(&table, output_hex(piece->offset, 1).text,
                         output_thousands(piece->content.size).text, piece->label,
                         piece->path != NULL ? piece->path : "");
    }
    output_table_print(&table, stdout, "");
    printf("%s: %s bytes for %s\n", path, output_thousands(length).text, making->chip->name);
    return COMMAND_GOOD;
}

static int load_table(struct making *making)
{
    struct loaded_table *loaded = &making->loaded;
    int status = table_load_options(making->call, loaded);
    if (status != COMMAND_GOOD) {
        return status;
    }
    if (!loaded->options.has_primary_bootloader && making->chip->id != OTA_CHIP_HOST) {
        loaded->options.has_primary_bootloader = true;
        loaded->options.primary_bootloader_offset = making->chip->bootloader_offset;
    }
    if (making->chip->id == OTA_CHIP_ESP8266 && command_value(making->call, "dialect") == NULL) {
        loaded->options.dialect = TABLE_ESP8266;
    }
    status = table_load_named(command_value(making->call, "partitions"), loaded);
    /* Every number is about to become an address: even --no-verify keeps those in their fields. */
    uint8_t bytes[OTA_PARTITION_TABLE_SIZE];
    struct table_problem problem;
    if (status == COMMAND_GOOD &&
        !table_encode(&loaded->table, &loaded->options, &ota_crypto_psa, bytes, &problem)) {
        status = table_load_fail(loaded->name, &problem);
    }
    return status;
}

static int make(struct making *making, const char *path, uint64_t start)
{
    uint64_t length;
    int status = load_table(making);
    if (status == COMMAND_GOOD) {
        status = add_bootloader(making);
    }
    if (status == COMMAND_GOOD) {
        status = add_table(making);
    }
    if (status == COMMAND_GOOD) {
        status = add_otadata(making);
    }
    if (status == COMMAND_GOOD) {
        status = add_each(making, "app", add_app);
    }
    if (status == COMMAND_GOOD) {
        status = add_each(making, "data", add_data);
    }
    uint64_t chip_size = (uint64_t)making->loaded.megabytes << 20;
    bool pad = command_flag(making->call, "pad");
    if (status == COMMAND_GOOD && pad && chip_size == 0) {
        status = command_usage(making->call, "--pad needs --flash-size");
    }
    if (status == COMMAND_GOOD) {
        status = flash_pieces_write(&making->pieces, start, pad ? chip_size : 0, path, &length);
    }
    if (status == COMMAND_GOOD && strcmp(path, "-") != 0) {
        status = report(making, path, length);
    }
    return status;
}

static int run(const struct command_call *call)
{
    const char *path = command_value(call, "output");
    uint16_t chip_id = OTA_CHIP_ANY;
    uint64_t start = 0;

    if (!command_flag(call, "chip") || !command_flag(call, "partitions") || path == NULL) {
        return command_usage(call, "--chip, --partitions and -o must be given");
    }
    if (image_chip_option(call, &chip_id) != COMMAND_GOOD ||
        !command_number(call, "start", 0, UINT32_MAX, &start)) {
        return COMMAND_USAGE;
    }
    struct making *making = output_allocate(sizeof *making);
    *making = (struct making){.call = call, .chip = ota_chip_facts(chip_id)};
    int status = make(making, path, start);
    flash_pieces_release(&making->pieces);
    table_unload(&making->loaded);
    free(making);
    return status;
}

static const struct command_option options[] = {
    {"chip", 'c', "CHIP", "chip that the image is for: esp32, esp32-s3, esp8266, host, ..."},
    {"partitions", 'p', "TABLE", "partition table: CSV, binary, or a built-in table's name"},
    {"output", 'o', "FILE", "where the image goes; - is standard output"},
    {"bootloader", 'b', "FILE", "the bootloader"},
    {"app", 'a', "SLOT=FILE", "an app, for factory, ota_0, test or a label; may be repeated"},
    {"data", 'd', "LABEL=FILE", "what a partition shall hold; may be repeated"},
    {"otadata", 0, "SLOT", "make this slot boot, like ota_0 (default: otadata stays blank)"},
    {"pad", 0, NULL, "fill up with 0xFF to the end of the chip, which --flash-size says"},
    {"start", 0, "ADDRESS", "the address at which the file begins (default 0)"},
    {"header-mode", 0, "MODE", "write this flash mode into the bootloader's header: dio, qio, ..."},
    {"header-freq", 0, "SPEED", "likewise the flash speed: 80m, 40m, ..."},
    {"header-size", 0, "SIZE", "likewise the flash size: 4MB, ..."},
    {"force", 0, NULL, "take apps and bootloaders that are damaged or for another chip"},
    TABLE_LOAD_OPTIONS,
    COMMAND_OPTION_JSON,
    {0},
};

static const char *const examples[] = {
    "updraft flash make --chip esp32 -p two_ota -b bootloader.bin \\",
    "    -a factory=garden.bin -o chip.bin",
    "# all 8 MB of a chip that boots ota_1, with a file system",
    "updraft flash make --chip esp32-s3 --flash-size 8MB --pad -p default_8MB \\",
    "    -b bootloader.bin -a ota_0=old.bin -a ota_1=new.bin --otadata ota_1 \\",
    "    -d spiffs=pages.bin -o chip.bin",
    NULL,
};

const struct command command_flash_make = {
    .noun = "flash",
    .verb = "make",
    .summary = "Put a whole chip's image together",
    .synopsis = NULL,
    .description =
        "Lays the bootloader, the partition table, otadata, apps and data where the chip and the "
        "table want them, with 0xFF between, in one file that is flashed at address 0.\n"
        "\n"
        "Every app and the bootloader are proven first: whole, undamaged, for this chip, not "
        "larger "
        "than their place. The file appears whole or not at all. It ends with its last byte of "
        "content unless --pad is given.",
    .options = options,
    .examples = examples,
    .arguments_min = 0,
    .arguments_max = 0,
    .run = run,
};
