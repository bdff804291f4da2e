/* SPDX-License-Identifier: Apache-2.0 */
/* `updraft board new DIR`: makes a virtual board, its flash filled as a programmer would. */

#include "cli/commands.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <updraft/chip.h>
#include <updraft/layout.h>
#include <updraft/otadata.h>
#include <updraft/slot.h>

#include "cli/board_profile.h"
#include "cli/board_trust.h"
#include "cli/files.h"
#include "cli/image_names.h"
#include "cli/image_reader.h"
#include "cli/output.h"
#include "cli/table_file.h"
#include "cli/table_load.h"
#include "posix/board.h"

#define MEGABYTE (1u << 20)
#define FLASH_MEGABYTES_DEFAULT 4u
#define PARTITIONS_DEFAULT "two_ota"

/* What is to go onto the board: a word of the command line taken apart. */
struct content {
    char name[64];    /* of the slot, or the partition's label */
    const char *path; /* the caller's */
};

/* Takes "NAME=FILE" apart. Returns false after saying what is wrong with it. */
static bool parse_content(const struct command_call *call, const char *option, const char *word,
                          struct content *content)
{
    const char *equals = strchr(word, '=');
    if (equals == NULL || equals == word || equals[1] == '\0' ||
        (size_t)(equals - word) >= sizeof content->name) {
        command_usage(call, "--%s %s: write it as %s=FILE", option, word,
                      strcmp(option, "app") == 0 ? "SLOT" : "LABEL");
        return false;
    }
    memcpy(content->name, word, (size_t)(equals - word));
    content->name[equals - word] = '\0';
    content->path = equals + 1;
    if (strcmp(content->path, "-") == 0) {
        command_usage(call, "--%s %s: name a file; it is read more than once", option, word);
        return false;
    }
    return true;
}

static bool parse_mac(const char *text, uint8_t mac[BOARD_MAC_SIZE])
{
    static const char shape[] = "xx:xx:xx:xx:xx:xx";
    if (strlen(text) != strlen(shape)) {
        return false;
    }
    for (size_t i = 0; i < strlen(shape); i++) {
        const bool fits = shape[i] == ':' ? text[i] == ':' : isxdigit((unsigned char)text[i]) != 0;
        if (!fits) {
            return false;
        }
    }
    for (size_t i = 0; i < BOARD_MAC_SIZE; i++) {
        mac[i] = (uint8_t)strtoul(text + 3 * i, NULL, 16);
    }
    return true;
}

/* The settings that the command line asks for; those of the table come from where it was read. */
static int read_settings(const struct command_call *call, const struct loaded_table *loaded,
                         struct board_settings *settings)
{
    uint64_t revision = 0;
    const char *mac = command_value(call, "mac");
    const char *name = command_value(call, "name");
    board_default_settings(settings);
    if (image_chip_option(call, &settings->chip.id) != COMMAND_GOOD) {
        return COMMAND_USAGE;
    }
    if (mac != NULL && !parse_mac(mac, settings->mac)) {
        return command_usage(call, "--mac %s: write six bytes as 24:0a:c4:00:11:22", mac);
    }
    if (!command_number(call, "revision", 0, UINT16_MAX, &revision)) {
        return COMMAND_USAGE;
    }
    settings->chip.revision = (uint16_t)revision;
    if (name != NULL && strlen(name) > BOARD_NAME_MAX) {
        return command_usage(call, "--name %s: a name has at most %d bytes", name, BOARD_NAME_MAX);
    }
    if (name != NULL) {
        strcpy(settings->name, name);
    } else {
        board_name_from_path(command_argument(call, 0), settings->name);
    }
    unsigned megabytes = loaded->megabytes;
    if (megabytes == 0 && loaded->builtin != NULL) {
        megabytes = loaded->builtin->megabytes;
    }
    settings->flash_size = (megabytes != 0 ? megabytes : FLASH_MEGABYTES_DEFAULT) * MEGABYTE;
    settings->table_offset = loaded->options.offset;
    settings->rollback = !command_flag(call, "no-rollback");
    settings->anti_rollback = command_flag(call, "anti-rollback");
    const int status = board_profile_options(call, settings);
    return status == COMMAND_GOOD ? board_trust_read(call, settings) : status;
}

static int put_table(struct board *board, const struct loaded_table *loaded)
{
    struct table_problem problem;
    struct ota_failure failure = {.err = OTA_OK};
    const uint32_t offset = board->settings.table_offset;
    if (offset > board->settings.flash_size - OTA_PARTITION_TABLE_SIZE) {
        return fail("%s: a table at 0x%x is beyond the flash of %s", loaded->name, offset,
                    output_size(board->settings.flash_size).text);
    }
    if (!table_encode(&loaded->table, &loaded->options, &ota_crypto_psa, board->nor.memory + offset,
                      &problem)) {
        return table_load_fail(loaded->name, &problem);
    }
    if (ota_device_open(&board->device, &failure) != OTA_OK) {
        return fail("%s: a board of %s cannot use this table: %s (row %u)", loaded->name,
                    output_size(board->settings.flash_size).text, ota_err_text(failure.err),
                    failure.offset / OTA_PARTITION_ROW_SIZE + 1);
    }
    return COMMAND_GOOD;
}

/* Lays out the flash: by a partition table on it, or by the profile. */
static int lay_out(struct board *board, const struct loaded_table *loaded)
{
    if (board->settings.profile[0] == '\0') {
        return put_table(board, loaded);
    }
    const enum ota_err err = board_open_device(board, NULL);
    return err == OTA_OK ? COMMAND_GOOD
                         : fail("%s: the profile cannot be used: %s", board->settings.profile,
                                ota_err_text(err));
}

/* Copies a file to a stretch of blank flash. */
static int put_file(struct board *board, const struct content *content, struct ota_extent extent)
{
    struct files_content file;
    if (files_map(content->path, UINT32_MAX, &file) != 0) {
        return COMMAND_FAILED;
    }
    int status = COMMAND_GOOD;
    if (file.size > extent.size) {
        status = fail("%s: %s bytes do not fit into %s, which has %s", content->path,
                      output_thousands(file.size).text, content->name,
                      output_thousands(extent.size).text);
    } else {
        memcpy(board->nor.memory + extent.offset, file.data, file.size);
    }
    files_release(&file);
    return status;
}

/* Whether an image can be put there by hand. What is staged comes by an update. */
static bool is_open(const struct board *board, int slot)
{
    return ota_layout_slot(&board->device.layout, slot).size != 0 &&
           (board->device.staging == NULL || slot == 0);
}

/* Finds the slot of this name: ota_0 to ota_15, factory or test; "app" where there is but one. */
static int find_slot(const struct board *board, const char *name)
{
    for (int slot = OTA_SLOT_TEST; slot < OTA_SLOTS_MAX; slot++) {
        char slot_name[OTA_SLOT_NAME_SIZE];
        if (strcmp(board_slot_name(board, slot, slot_name), name) == 0 && is_open(board, slot)) {
            return slot;
        }
    }
    return OTA_SLOT_NONE;
}

static int unknown_slot(const struct board *board, const char *name)
{
    char slots[OTA_SLOTS_MAX * OTA_SLOT_NAME_SIZE * 2] = "";
    for (int slot = OTA_SLOT_TEST; slot < OTA_SLOTS_MAX; slot++) {
        char slot_name[OTA_SLOT_NAME_SIZE];
        if (is_open(board, slot)) {
            strcat(slots, slots[0] != '\0' ? ", " : "");
            strcat(slots, board_slot_name(board, slot, slot_name));
        }
    }
    return fail("--app %s: the %s has no such slot; it has %s", name,
                board->device.staging != NULL ? "board" : "partition table",
                slots[0] != '\0' ? slots : "none");
}

/* A file that is whole, but of another form than the board boots, is not damaged. */
static int fail_app(const struct content *content, const struct image_reading *reading,
                    const struct image_report *report)
{
    const struct image_reading any = {
        .form = OTA_IMAGE_DETECT,
        .chip = {.id = OTA_CHIP_ANY, .ignore_revisions = true},
    };
    struct image_report detected;
    if (image_read(content->path, &any, &detected) != 0) {
        return COMMAND_FAILED;
    }
    if (detected.failure.err != OTA_OK || detected.image.form == reading->form) {
        return image_report_fail(report, "it is for no slot: a board has its own");
    }
    return fail(
        "%s: is whole, and of the form \"%s\"; this board boots images of the form \"%s\"%s",
        content->path, image_form_name(detected.image.form, detected.image.variant),
        image_form_name(reading->form, OTA_VARIANT_NONE),
        reading->form == OTA_IMAGE_ESP8266_RTOS
            ? ", as ESP8266_RTOS_SDK makes them for a partition table (one for Arduino's is made "
              "with --profile)"
            : "");
}

static int put_app(struct board *board, const struct content *content, int *slot)
{
    struct image_report report;
    const struct image_reading reading = {
        .form = board->device.form,
        .chip = board->device.chip,
    };
    *slot = find_slot(board, content->name);
    if (*slot == OTA_SLOT_NONE) {
        return unknown_slot(board, content->name);
    }
    if (image_read(content->path, &reading, &report) != 0) {
        return COMMAND_FAILED;
    }
    if (report.failure.err != OTA_OK) {
        return fail_app(content, &reading, &report);
    }
    const struct ota_extent extent = ota_layout_slot(&board->device.layout, *slot);
    if (put_file(board, content, extent) != COMMAND_GOOD) {
        return COMMAND_FAILED;
    }
    struct ota_image_check check;
    const enum ota_err err = ota_slot_verify(&board->device, *slot, &check);
    if (err != OTA_OK) {
        return fail("%s: would not boot from %s: %s (at 0x%x)", content->path, content->name,
                    ota_err_text(err), check.failure.offset);
    }
    return board_trust_check(board, *slot, content->path);
}

/* A board of a profile has no table to be looked at: says what it has. */
static int fail_without_partition(const struct board *board, const char *name)
{
    const struct ota_staging *staging = board->device.staging;
    char labels[128] = "";
    for (unsigned i = 0; i < staging->data_count; i++) {
        strncat(labels, i > 0 ? ", " : "", sizeof labels - strlen(labels) - 1);
        strncat(labels, staging->data[i].label, sizeof labels - strlen(labels) - 1);
    }
    return fail("--data %s: the board has no such partition; it has %s", name,
                labels[0] != '\0' ? labels : "none");
}

static int put_data(struct board *board, const struct content *content)
{
    struct ota_partition partition;
    if (ota_partition_find(&board->device.table, OTA_PARTITION_ANY, OTA_SUBTYPE_ANY, content->name,
                           &partition) != OTA_OK) {
        if (board->device.staging != NULL) {
            return fail_without_partition(board, content->name);
        }
        return fail("--data %s: the partition table has no partition of that label (`updraft "
                    "partition show` lists them)",
                    content->name);
    }
    if (partition.type == OTA_PARTITION_APP) {
        return fail("--data %s: that is an app partition; put images there with --app",
                    content->name);
    }
    return put_file(board, content,
                    (struct ota_extent){.offset = partition.offset, .size = partition.size});
}

/* Makes otadata choose `slot`, whose image nobody need confirm. */
static int select_slot(struct board *board, int slot)
{
    struct ota_device *device = &board->device;
    const struct ota_extent extent = device->layout.otadata;
    struct ota_region region;
    struct ota_otadata otadata;
    struct ota_otadata_entry entry;
    int index;
    if (extent.size == 0) {
        return COMMAND_GOOD;
    }
    enum ota_err err = ota_region_init(&region, device->flash, extent.offset, extent.size);
    if (err == OTA_OK) {
        err = ota_otadata_read(&otadata, &region);
    }
    if (err == OTA_OK) {
        err = ota_otadata_select(&otadata, slot, device->layout.ota_rows, false, &index, &entry);
    }
    if (err == OTA_OK) {
        entry.state = device->rollback ? OTA_STATE_VALID : OTA_STATE_UNDEFINED;
        err = ota_otadata_write(&region, index, &entry);
    }
    return err == OTA_OK ? COMMAND_GOOD : fail("otadata cannot be written: %s", ota_err_text(err));
}

static int put_apps(const struct command_call *call, struct board *board)
{
    const char *const *words;
    const size_t count = command_values(call, "app", &words);
    int first_ota = OTA_SLOT_NONE;
    bool factory = false;
    for (size_t i = 0; i < count; i++) {
        struct content content;
        int slot;
        if (!parse_content(call, "app", words[i], &content)) {
            return COMMAND_USAGE;
        }
        if (put_app(board, &content, &slot) != COMMAND_GOOD) {
            return COMMAND_FAILED;
        }
        factory = factory || slot == OTA_SLOT_FACTORY;
        first_ota = first_ota == OTA_SLOT_NONE && slot >= 0 ? slot : first_ota;
    }
    return !factory && first_ota != OTA_SLOT_NONE ? select_slot(board, first_ota) : COMMAND_GOOD;
}

static int put_contents(const struct command_call *call, struct board *board)
{
    const char *const *words;
    const size_t count = command_values(call, "data", &words);
    int status = put_apps(call, board);
    for (size_t i = 0; i < count && status == COMMAND_GOOD; i++) {
        struct content content;
        if (!parse_content(call, "data", words[i], &content)) {
            return COMMAND_USAGE;
        }
        status = put_data(board, &content);
    }
    return status;
}

/* ", with blinky 1.0.0 in factory": what was put where. */
static void tell_apps(const struct board *board)
{
    const char *before = ", with";
    for (int slot = OTA_SLOT_TEST; slot < OTA_SLOTS_MAX; slot++) {
        struct ota_app_descriptor descriptor;
        char name[OTA_SLOT_NAME_SIZE];
        char project[4 * sizeof descriptor.project];
        char version[4 * sizeof descriptor.version];
        if (ota_slot_describe(&board->device, slot, &descriptor) == OTA_OK) {
            printf("%s %s %s in %s", before,
                   output_escape(descriptor.project, project, sizeof project),
                   output_escape(descriptor.version, version, sizeof version),
                   board_slot_name(board, slot, name));
            before = ",";
        }
    }
}

static int tell(const struct command_call *call, const struct board *board)
{
    const struct board_settings *settings = &board->settings;
    char unknown[IMAGE_CHIP_NAME_SIZE];
    const char *chip = image_chip_name(settings->chip.id, unknown);
    if (command_flag(call, "json")) {
        cJSON *json = cJSON_CreateObject();
        output_json_add_text(json, "directory", board->directory);
        output_json_add_text(json, "name", settings->name);
        cJSON_AddStringToObject(json, "chip", chip);
        cJSON_AddNumberToObject(json, "flash_size", settings->flash_size);
        cJSON_AddBoolToObject(json, "rollback", settings->rollback);
        if (settings->profile[0] != '\0') {
            cJSON_AddStringToObject(json, "profile", settings->profile);
            cJSON_AddStringToObject(json, "boot", settings->by_eboot ? "eboot" : "updraft");
        }
        return output_json(json);
    }
    char name[4 * BOARD_NAME_MAX + 1];
    printf("new board \"%s\": %s, %s flash, ", output_escape(settings->name, name, sizeof name),
           chip, output_size(settings->flash_size).text);
    if (settings->profile[0] != '\0') {
        printf("one slot (%s)%s", settings->profile, settings->by_eboot ? ", booted by eboot" : "");
    } else {
        printf("%u OTA slot%s", board->device.layout.ota_rows,
               board->device.layout.ota_rows == 1 ? "" : "s");
    }
    printf("%s", settings->rollback ? "" : ", without rollback");
    tell_apps(board);
    putchar('\n');
    return COMMAND_GOOD;
}

static int make(const struct command_call *call, const struct loaded_table *loaded)
{
    static struct board board;
    struct board_settings settings;
    int status = read_settings(call, loaded, &settings);
    if (status != COMMAND_GOOD) {
        return status;
    }
    if (!board_create(&board, command_argument(call, 0), &settings)) {
        status = fail("%s", board.error);
    } else {
        status = lay_out(&board, loaded);
    }
    if (status == COMMAND_GOOD) {
        status = put_contents(call, &board);
    }
    if (status == COMMAND_GOOD && !board_publish(&board)) {
        status = fail("%s", board.error);
    }
    if (status == COMMAND_GOOD) {
        status = tell(call, &board);
    }
    board_close(&board);
    return status;
}

static int run(const struct command_call *call)
{
    struct loaded_table loaded;
    const char *partitions = command_value(call, "partitions");
    if (board_profile_is_help(call)) {
        return COMMAND_GOOD;
    }
    if (command_argument(call, 0) == NULL) {
        return command_usage(call, "an argument is missing: DIR");
    }
    int status = table_load(call, partitions != NULL ? partitions : PARTITIONS_DEFAULT, &loaded);
    if (status == COMMAND_GOOD) {
        status = make(call, &loaded);
    }
    table_unload(&loaded);
    return status;
}

static const struct command_option options[] = {
    {"chip", 'c', "CHIP",
     "the board's chip (default host: images carry programs for this machine)"},
    {"partitions", 'p', "TABLE",
     "partition table: CSV, binary, or a built-in table's name (default two_ota)"},
    BOARD_PROFILE_OPTIONS,
    {"app", 'a', "SLOT=FILE", "put an image into a slot; may be repeated"},
    {"data", 'd', "LABEL=FILE", "put a file into a data partition; may be repeated"},
    {"name", 'n', "NAME", "what the board calls itself (default: the directory's name)"},
    {"mac", 0, "MAC", "the board's MAC address (default: random)"},
    {"revision", 0, "NUMBER", "revision of the chip, major * 100 + minor (default 0)"},
    {"no-rollback", 0, NULL, "new images need not confirm that they work"},
    {"anti-rollback", 0, NULL, "images below the secure version in the fuses do not boot"},
    BOARD_TRUST_OPTIONS,
    COMMAND_OPTION_JSON,
    TABLE_LOAD_OPTIONS,
    {0},
};

static const char *const examples[] = {
    "updraft board new porch --app factory=blinky.bin",
    "# a board that takes signed images only, and looks at each boot",
    "updraft board new porch --trust-secure-boot key.pem --verify-at-boot --app ota_0=signed.bin",
    "# a rehearsal with the real file for a real chip",
    "updraft board new porch --chip esp32s3 --flash-size 8MB --partitions default_8MB \\",
    "    --app ota_0=garden-2.3.0.bin --data spiffs=pages.bin",
    "# an ESP8266 as Arduino lays it out, with a sketch and its file system",
    "updraft board new attic --profile esp8266-4m2m --app app=sketch.bin --data fs=fs.bin",
    NULL,
};

const struct command command_board_new = {
    .noun = "board",
    .verb = "new",
    .summary = "Make a virtual board",
    .synopsis = "DIR",
    .description =
        "Makes a directory that is a board: a NOR flash chip with a partition table, images and "
        "data, fuses, and memory that survives a reset. Each image is proven before it is put "
        "there, and for the place where it is put.\n"
        "\n"
        "Without an image for the factory slot, otadata chooses the first OTA slot that was given "
        "an image. Without --flash-size the chip has 4 MB.\n"
        "\n"
        "With --profile the board has no partition table but a layout that is known by name: one "
        "slot, called app, and a place where updates are staged until the next boot brings them "
        "there. `--profile help` lists the profiles. The board's own bootloader keeps the command "
        "for that in the flash, so that power may fail at any time; with --boot eboot an ESP8266 "
        "keeps it where eboot looks, and a cut during the copy leaves nothing that runs, as on the "
        "chip.\n"
        "\n"
        "The directory appears whole or not at all. To throw a board away, remove it.",
    .options = options,
    .examples = examples,
    .arguments_min = 0,
    .arguments_max = 1,
    .run = run,
};
