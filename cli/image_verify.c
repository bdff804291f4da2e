/* SPDX-License-Identifier: Apache-2.0 */
/* `updraft image verify FILE`: whether an image is whole and right, and whether it fits where it is
   to go. */

#include "cli/commands.h"

#include <stdlib.h>
#include <string.h>

#include <updraft/chip.h>
#include <updraft/partition.h>

#include "cli/image_names.h"
#include "cli/image_reader.h"
#include "cli/image_verdict.h"
#include "cli/output.h"
#include "cli/signed_file.h"
#include "cli/table.h"
#include "cli/table_load.h"
#include "cli/table_rules.h"

#define TIGHT_PERCENT 5u

/* --- the partition table -------------------------------------------------------------------- */

static bool is_slot(const struct table_row *row)
{
    return row->type == OTA_PARTITION_APP && row->subtype >= OTA_SUBTYPE_APP_OTA_0 &&
           row->subtype <= OTA_SUBTYPE_APP_OTA_15;
}

/* Whether the image is to go into this partition: the one named, else every OTA slot, else, in a
   table without such, every app partition. */
static bool is_wanted(const struct table_row *row, const char *slot, bool has_slots)
{
    if (slot == NULL) {
        return has_slots ? is_slot(row) : row->type == OTA_PARTITION_APP;
    }
    const char *keyword = row->type == OTA_PARTITION_APP
                              ? ota_partition_subtype_name(OTA_PARTITION_APP, (uint8_t)row->subtype)
                              : NULL;
    return strcmp(row->name, slot) == 0 || (keyword != NULL && strcmp(keyword, slot) == 0);
}

static int too_large(const struct image_verdict *verdict, const struct table_row *row)
{
    uint64_t room = row->size > 0 ? (uint64_t)row->size : 0;
    char safe[64];
    return fail("%s: has %s bytes, %s more than %s holds (%s); make it smaller or the partition "
                "larger",
                verdict->report->name, output_thousands(verdict->size).text,
                output_thousands(verdict->size - room).text,
                output_escape(row->name, safe, sizeof(safe)), output_thousands(room).text);
}

/* "ota_0 and ota_1 (1,048,576 bytes, 17 % free)". */
static void say_fit(const struct image_verdict *verdict, char *names, uint64_t smallest)
{
    uint64_t free_percent = (smallest - verdict->size) * 100 / smallest;
    image_say_good(verdict, output_format("fits %s (%s bytes, %llu %% free)", names,
                                          output_thousands(smallest).text,
                                          (unsigned long long)free_percent));
    if (free_percent < TIGHT_PERCENT) {
        image_say_warning(
            verdict,
            output_format("less than %u %% of the smallest partition is left", TIGHT_PERCENT));
    }
    free(names);
}

static char *append_name(char *names, const char *name, bool last)
{
    const char *between = names[0] == 0 ? "" : last ? " and " : ", ";
    char *longer = output_format("%s%s%s", names, between, name);
    free(names);
    return longer;
}

static int check_slots(const struct image_verdict *verdict, const char *table_name,
                       const struct table *table)
{
    const char *slot = command_value(verdict->call, "slot");
    bool has_slots = false;
    size_t wanted = 0;
    for (size_t i = 0; i < table->count; i++) {
        has_slots = has_slots || is_slot(&table->rows[i]);
    }
    for (size_t i = 0; i < table->count; i++) {
        wanted += is_wanted(&table->rows[i], slot, has_slots);
    }
    if (wanted == 0) {
        return slot != NULL
                   ? fail("%s: has no partition \"%s\" (`updraft partition show` lists them)",
                          table_name, slot)
                   : fail("%s: has no app partition", table_name);
    }
    char *names = output_copy("");
    uint64_t smallest = UINT64_MAX;
    size_t seen = 0;
    for (size_t i = 0; i < table->count; i++) {
        const struct table_row *row = &table->rows[i];
        if (!is_wanted(row, slot, has_slots)) {
            continue;
        }
        if (row->size <= 0 || verdict->size > (uint64_t)row->size) {
            free(names);
            return too_large(verdict, row);
        }
        smallest = (uint64_t)row->size < smallest ? (uint64_t)row->size : smallest;
        names = append_name(names, row->name, ++seen == wanted);
        if (verdict->json != NULL) {
            cJSON *fits = cJSON_GetObjectItem(verdict->json, "fits");
            cJSON *name = cJSON_CreateObject();
            output_json_add_text(name, "partition", row->name);
            cJSON_AddNumberToObject(name, "size", (double)row->size);
            cJSON_AddItemToArray(fits, name);
        }
    }
    say_fit(verdict, names, smallest);
    return COMMAND_GOOD;
}

static int check_partitions(const struct image_verdict *verdict)
{
    struct loaded_table loaded;
    table_load_defaults(&loaded);
    int status = table_load_named(command_value(verdict->call, "partitions"), &loaded);
    if (status == COMMAND_GOOD) {
        int64_t end = table_end(&loaded.table);
        bool beyond = verdict->flash_size != 0 && end > (int64_t)verdict->flash_size;
        status =
            beyond ? fail("%s: the partitions end at %s, behind the end of the flash (%s); name a "
                          "table for this size",
                          loaded.name, output_hex((uint64_t)end, 1).text,
                          output_size(verdict->flash_size).text)
                   : check_slots(verdict, loaded.name, &loaded.table);
    }
    table_unload(&loaded);
    return status;
}

/* --- the image ------------------------------------------------------------------------------ */

static void say_packing(const struct image_verdict *verdict)
{
    const struct image_report *report = verdict->report;
    if (report->is_packed) {
        image_say_good(verdict, output_format("compressed by gzip: %s of %s bytes (%.1f %%)",
                                              output_thousands(report->packed_size).text,
                                              output_thousands(report->file_size).text,
                                              image_report_percent(report)));
    }
}

static void say_image(const struct image_verdict *verdict)
{
    const struct image_report *report = verdict->report;
    struct ota_app_descriptor app;
    char unknown[IMAGE_CHIP_NAME_SIZE];
    bool named = ota_image_app_descriptor(&report->image, &app);
    const char *proofs = report->digest_known && report->digest_good
                             ? "structure, checksum and SHA-256"
                         : report->image.crc != 0 ? "structure, checksum and CRC"
                                                  : "structure and checksum";
    image_say_good(verdict, output_format("%s%s%s%s%s, %s bytes: %s are right",
                                          image_chip_name(report->chip, unknown),
                                          named ? " app " : " image", named ? app.project : "",
                                          named ? " " : "", named ? app.version : "",
                                          output_thousands(report->image.length).text, proofs));
}

static void say_warnings(const struct image_verdict *verdict)
{
    const struct image_report *report = verdict->report;
    if (report->image.form == OTA_IMAGE_ESP32 && !report->image.has_digest) {
        image_say_warning(verdict,
                          output_copy("no SHA-256 is appended; only a checksum of one byte "
                                      "protects the image"));
    }
    if (report->digest_known && !report->digest_good) {
        image_say_warning(verdict,
                          output_copy("the SHA-256 does not match; a bootloader boots all the "
                                      "same, as flash tools change its header"));
    }
    if (report->trailer > 0 && !report->trailer_is_filler &&
        report->signature.kind == SIGNATURE_NONE) {
        image_say_warning(verdict, output_format("%s bytes that are no part of it follow the image",
                                                 output_thousands(report->trailer).text));
    }
    const char *stated = image_flash_size_name(report->image.form != OTA_IMAGE_ESP32,
                                               report->image.spi_speed_size >> 4);
    uint64_t stated_size;
    if (verdict->flash_size != 0 && stated != NULL && command_parse_number(stated, &stated_size) &&
        stated_size > verdict->flash_size) {
        image_say_warning(verdict, output_format("it is made for a flash of %s; this one has %s",
                                                 stated, output_size(verdict->flash_size).text));
    }
}

static int judge(struct image_verdict *verdict)
{
    const struct image_report *report = verdict->report;
    if (report->failure.err != OTA_OK) {
        return image_report_fail(report, "say --bootloader");
    }
    /* What is written into a slot is the file; filler behind the image can be left out. */
    verdict->size = report->trailer_is_filler ? report->image.length : report->file_size;
    say_packing(verdict);
    say_image(verdict);
    if (image_report_check_packing(report) != 0) {
        return COMMAND_FAILED;
    }
    if (verdict->flash_size != 0 && verdict->size > verdict->flash_size) {
        return fail("%s: has %s bytes, more than the flash (%s)", report->name,
                    output_thousands(verdict->size).text, output_size(verdict->flash_size).text);
    }
    int status = COMMAND_GOOD;
    if (command_value(verdict->call, "partitions") != NULL) {
        status = check_partitions(verdict);
    }
    if (status == COMMAND_GOOD) {
        say_warnings(verdict);
        status = image_check_signature(verdict, report->name, &report->signature);
    }
    return status;
}

static void begin_json(struct image_verdict *verdict, const char *name)
{
    if (command_flag(verdict->call, "json")) {
        verdict->json = cJSON_CreateObject();
        output_json_add_text(verdict->json, "file", name);
        cJSON_AddArrayToObject(verdict->json, "fits");
        cJSON_AddArrayToObject(verdict->json, "warnings");
    }
}

static int print_json(struct image_verdict *verdict, int status)
{
    cJSON *json = verdict->json;
    if (json == NULL) {
        return status;
    }
    cJSON_AddBoolToObject(json, "ok", status == COMMAND_GOOD);
    if (verdict->report != NULL) {
        char unknown[IMAGE_CHIP_NAME_SIZE];
        const struct ota_failure *failure = &verdict->report->failure;
        cJSON_AddStringToObject(json, "chip", image_chip_name(verdict->report->chip, unknown));
        cJSON_AddNumberToObject(json, "length", verdict->report->image.length);
        cJSON_AddBoolToObject(json, "compressed", verdict->report->is_packed);
        if (failure->err != OTA_OK) {
            cJSON_AddStringToObject(json, "error", ota_err_name(failure->err));
            cJSON_AddNumberToObject(json, "offset", failure->offset);
        }
    }
    return output_json(json) | status;
}

static int verify_image(struct image_verdict *verdict, uint16_t wanted)
{
    struct image_reading reading = {.form = OTA_IMAGE_DETECT,
                                    .bootloader = command_flag(verdict->call, "bootloader"),
                                    .unpack = true,
                                    .chip = {.id = OTA_CHIP_ANY, .ignore_revisions = true},
                                    .rsa_len = signature_keys_rsa_len(verdict->keys)};
    struct image_report *report = output_allocate(sizeof(*report));
    int status = image_read(command_argument(verdict->call, 0), &reading, report);
    if (status == 0) {
        verdict->report = report;
        /* Compared here, not by the check, because the images of the ESP8266 name no chip: there
           the form is what can be demanded. */
        if (report->failure.err == OTA_OK && wanted != OTA_CHIP_ANY && report->chip != wanted) {
            report->failure.err = OTA_ERR_IMAGE_CHIP;
            report->wanted_chip = wanted;
        }
        begin_json(verdict, report->name);
        status = print_json(verdict, judge(verdict));
    }
    free(report);
    return status;
}

/* Of other data there is only the signature to be right. */
static int verify_data(struct image_verdict *verdict)
{
    struct signed_file file;
    if (signed_file_open(&file, command_argument(verdict->call, 0), true,
                         signature_keys_rsa_len(verdict->keys)) != 0) {
        return COMMAND_FAILED;
    }
    begin_json(verdict, file.name);
    int status = print_json(verdict, image_check_signature(verdict, file.name, file.found));
    signed_file_close(&file);
    return status;
}

static int run(const struct command_call *call)
{
    struct signature_keys keys = {.count = 0};
    struct image_verdict verdict = {.call = call, .keys = &keys};
    uint16_t wanted = OTA_CHIP_ANY;
    if (image_chip_option(call, &wanted) != COMMAND_GOOD) {
        return COMMAND_USAGE;
    }
    if (!command_number(call, "flash", 1, UINT32_MAX, &verdict.flash_size)) {
        return COMMAND_USAGE;
    }
    if (command_flag(call, "slot") && !command_flag(call, "partitions")) {
        return command_usage(call, "--slot needs --partitions");
    }
    int status = signature_keys_read(call, &keys);
    if (status == COMMAND_GOOD) {
        status =
            command_flag(call, "data") ? verify_data(&verdict) : verify_image(&verdict, wanted);
    }
    signature_keys_close(&keys);
    return status;
}

static const struct command_option options[] = {
    {"chip", 'c', "CHIP", "demand an image for this chip"},
    {"partitions", 'p', "TABLE",
     "partition table that it must fit: CSV, binary, or a built-in table's name"},
    {"slot", 's', "NAME", "partition that it is for (default: every OTA slot)"},
    {"flash", 0, "SIZE", "size of the flash chip, like 4MB"},
    {"bootloader", 0, NULL, "it is a second-stage bootloader, not an app"},
    {"key", 'k', "FILE",
     "demand a signature by this key: public or private, or its digest (a file, or 64 digits); may "
     "be repeated"},
    KEY_FILE_PASSWORD_OPTION,
    {"weak", 0, NULL, "allow RSA keys from 1024 bits on, and exponents from 3 on"},
    {"data", 0, NULL, "it is no app but other data: check the signature alone"},
    COMMAND_OPTION_JSON,
    {0},
};

static const char *const examples[] = {
    "updraft image verify code.bin --flash 4MB --partitions two_ota.csv",
    "updraft image verify --chip esp32s3 - < code.bin",
    "updraft image verify app.signed.bin --key signing.pub.pem",
    "updraft image verify sketch.bin.gz.signed --key signing.pub.pem",
    NULL,
};

const struct command command_image_verify = {
    .noun = "image",
    .verb = "verify",
    .summary = "Check that an image is whole and fits",
    .synopsis = "FILE",
    .description =
        "Checks an image as a board does before it boots it: its structure, that it is whole, its "
        "checksum and SHA-256, that mapped segments lie where the flash cache can map them; if "
        "asked "
        "to, that it is for this chip and fits the slots of a partition table. A compressed image "
        "is unpacked on the way. - is standard input.\n"
        "\n"
        "With --key it must be signed by one of these keys: as Arduino's signed binary, or by "
        "Secure Boot v1 or v2. Without, only the blocks of Secure Boot v2 are checked, by the keys "
        "that they carry.\n"
        "\n"
        "The exit status is 0 only if all of that is so. Warnings do not change it.",
    .options = options,
    .examples = examples,
    .arguments_min = 1,
    .arguments_max = 1,
    .run = run,
};
