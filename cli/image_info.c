/* SPDX-License-Identifier: Apache-2.0 */
/* `updraft image info FILE...`: everything that an image says of itself, and whether it is
   whole. */

#include "cli/commands.h"

#include <stdlib.h>
#include <string.h>

#include <updraft/chip.h>

#include "cli/image_names.h"
#include "cli/image_reader.h"
#include "cli/output.h"
#include "cli/signature_check.h"
#include "server/hex.h"

#define LABEL_WIDTH 14
#define VALUE_WIDTH 30
#define SECOND_LABEL_WIDTH 10
#define VERIFY_HINT "see \"updraft image verify --bootloader\""

/* Facts in two columns, as far as they fit. */
struct facts {
    bool open;   /* a line lacks its second column */
    int padding; /* blanks before that */
};

static void put_fact(struct facts *facts, const char *label, const char *value)
{
    char safe[160];
    output_escape(value, safe, sizeof(safe));
    const char *dim = output_begin(stdout, OUTPUT_DIM);
    const char *end = output_end(stdout);
    if (facts->open) {
        printf("%*s  %s%-*s%s%s\n", facts->padding, "", dim, SECOND_LABEL_WIDTH, label, end, safe);
        facts->open = false;
        return;
    }
    printf("  %s%-*s%s %s", dim, LABEL_WIDTH, label, end, safe);
    facts->padding = VALUE_WIDTH - (int)strlen(safe);
    facts->open = facts->padding >= 0;
    if (!facts->open) {
        putchar('\n');
    }
}

static void put_line_end(struct facts *facts)
{
    if (facts->open) {
        putchar('\n');
        facts->open = false;
    }
}

static void put_fact_alone(struct facts *facts, const char *label, const char *value)
{
    put_line_end(facts);
    put_fact(facts, label, value);
    put_line_end(facts);
}

/* --- the parts ------------------------------------------------------------------------------ */

static const char *role_name(const struct image_report *report)
{
    struct ota_app_descriptor app;
    struct ota_bootloader_descriptor bootloader;
    if (ota_image_app_descriptor(&report->image, &app)) {
        return "app";
    }
    if (report->image.form == OTA_IMAGE_ESP32 &&
        ota_image_bootloader_descriptor(&report->image, &bootloader)) {
        return "bootloader";
    }
    return "image";
}

static void put_title(const struct image_report *report)
{
    char unknown[IMAGE_CHIP_NAME_SIZE];
    const char *name = report->image.form == OTA_IMAGE_ESP32
                           ? image_chip_name(report->chip, unknown)
                           : image_form_name(report->image.form, report->image.variant);
    char safe[256];
    printf("%s%s%s   %s %s, %s bytes\n", output_begin(stdout, OUTPUT_BOLD),
           output_escape(report->name, safe, sizeof(safe)), output_end(stdout), name,
           role_name(report), output_thousands(report->file_size).text);
}

static char *joined_time(const char *date, const char *time)
{
    return output_format("%s%s%s", date, date[0] != 0 && time[0] != 0 ? " " : "", time);
}

static void put_descriptor(struct facts *facts, const struct image_report *report)
{
    struct ota_app_descriptor app;
    struct ota_bootloader_descriptor bootloader;
    char text[2 * OTA_SHA256_SIZE + 1];
    if (ota_image_app_descriptor(&report->image, &app)) {
        put_fact(facts, "project", app.project);
        put_fact(facts, "version", app.version);
        char *built = joined_time(app.date, app.time);
        put_fact(facts, "built", built[0] != 0 ? built : "not stated");
        free(built);
        put_fact(facts, "idf", app.idf_version[0] != 0 ? app.idf_version : "not stated");
        put_fact_alone(facts, "elf sha256", hex_of(app.elf_sha256, OTA_SHA256_SIZE, text));
        snprintf(text, sizeof(text), "%u", app.secure_version);
        put_fact(facts, "secure version", text);
        if (app.page_size_log2 > 0 && app.page_size_log2 < 32) {
            put_fact(facts, "page", output_size(UINT64_C(1) << app.page_size_log2).text);
        }
        put_line_end(facts);
    } else if (report->image.form == OTA_IMAGE_ESP32 &&
               ota_image_bootloader_descriptor(&report->image, &bootloader)) {
        snprintf(text, sizeof(text), "%u", bootloader.version);
        put_fact(facts, "version", text);
        put_fact(facts, "idf", bootloader.idf_version);
        put_fact(facts, "built", bootloader.date_time);
        put_line_end(facts);
    }
}

static char *flash_text(const struct image_report *report)
{
    const struct ota_image *image = &report->image;
    bool esp8266 = image->form != OTA_IMAGE_ESP32;
    uint8_t size_code = image->spi_speed_size >> 4;
    uint8_t speed_code = image->spi_speed_size & 15;
    const char *mode = image_flash_mode_name(image->spi_mode);
    const char *speed = image_flash_speed_name(report->chip, speed_code);
    const char *size = image_flash_size_name(esp8266, size_code);
    char *mode_text = mode != NULL ? output_copy(mode) : output_format("mode %u?", image->spi_mode);
    char *speed_text = speed != NULL ? output_copy(speed) : output_format("speed %u?", speed_code);
    char *size_text = size != NULL ? output_copy(size) : output_format("size %u?", size_code);
    char *text = output_format("%s %s %s", mode_text, speed_text, size_text);
    free(size_text);
    free(speed_text);
    free(mode_text);
    return text;
}

/* "v0.0 and above", "v2.55 to v3.99". */
static char *revisions_text(const struct ota_image *image)
{
    char *least = output_format("v%u.%u", image->min_revision / 100, image->min_revision % 100);
    bool bounded = image->max_revision != 0 && image->max_revision != 65535;
    char *text = bounded ? output_format("%s to v%u.%u", least, image->max_revision / 100,
                                         image->max_revision % 100)
                         : output_format("%s and above", least);
    free(least);
    return text;
}

static void put_header(struct facts *facts, const struct image_report *report)
{
    const struct ota_image *image = &report->image;
    put_fact(facts, "entry", output_hex(image->entry, 8).text);
    char *flash = flash_text(report);
    put_fact(facts, "flash", flash);
    free(flash);
    if (image->form == OTA_IMAGE_ESP32) {
        char *revisions = revisions_text(image);
        put_fact(facts, "chip revisions", revisions);
        free(revisions);
        const uint8_t *e = image->extended;
        char *pins = e[0] == 0xEE ? output_copy("none") : output_format("%u", e[0]);
        put_fact(facts, "wp pin", pins);
        free(pins);
        if ((e[1] | e[2] | e[3]) != 0) {
            char *drive = output_format("clk %u, q %u, d %u, cs %u, hd %u, wp %u", e[1] & 15,
                                        e[1] >> 4, e[2] & 15, e[2] >> 4, e[3] & 15, e[3] >> 4);
            put_fact_alone(facts, "pin drive", drive);
            free(drive);
        }
    }
    put_line_end(facts);
}

static void put_verdict(struct facts *facts, const char *label, const char *value, bool good,
                        const char *computed)
{
    put_line_end(facts);
    printf("  %s%-*s%s %s %s%s%s", output_begin(stdout, OUTPUT_DIM), LABEL_WIDTH, label,
           output_end(stdout), value, output_begin(stdout, good ? OUTPUT_GOOD : OUTPUT_BAD),
           good ? "ok" : "wrong", output_end(stdout));
    printf("%s%s\n", good ? "" : ", the data give ", good ? "" : computed);
}

/* The keys by which Secure Boot's blocks are, and whether the blocks fit them and the image. */
static void put_signers(const struct signature_found *found)
{
    char text[2 * OTA_SHA256_SIZE + 1];
    for (size_t i = 0; i < OTA_SECURE_BLOCKS_MAX; i++) {
        const struct signature_block *block = &found->blocks[i];
        if (found->kind != SIGNATURE_V2 || block->err == OTA_ERR_SIGNATURE_MISSING) {
            continue;
        }
        enum output_style style = block->err == OTA_OK        ? OUTPUT_GOOD
                                  : block->err == OTA_ERR_KEY ? OUTPUT_WARNING
                                                              : OUTPUT_BAD;
        const char *digest = block->is_decoded
                                 ? hex_of(block->block.key_digest, OTA_SHA256_SIZE, text)
                                 : "a damaged block";
        printf("  %s%-*s%s %s %s%s%s\n", output_begin(stdout, OUTPUT_DIM), LABEL_WIDTH,
               "key digest", output_end(stdout), digest, output_begin(stdout, style),
               signature_block_state(block), output_end(stdout));
    }
}

static void put_proofs(struct facts *facts, const struct image_report *report)
{
    const struct ota_image *image = &report->image;
    if (report->checksum_known) {
        struct output_text computed = output_hex(image->checksum, 2);
        put_verdict(facts, "checksum", output_hex(report->checksum_stored, 2).text,
                    report->checksum_good, computed.text);
    }
    if (report->digest_known) {
        char stored[2 * OTA_SHA256_SIZE + 1];
        char computed[2 * OTA_SHA256_SIZE + 1];
        hex_of(report->digest_computed, OTA_SHA256_SIZE, computed);
        put_verdict(facts, "sha256", hex_of(report->digest_stored, OTA_SHA256_SIZE, stored),
                    report->digest_good, computed);
    } else if (image->form == OTA_IMAGE_ESP32) {
        put_fact_alone(facts, "sha256", "none appended");
    }
    if (image->crc != 0 && report->failure.err == OTA_OK) {
        put_fact_alone(facts, "crc", output_hex(image->crc, 8).text);
    }
    char text[SIGNATURE_TEXT_SIZE];
    put_fact(facts, "signature", signature_text(&report->signature, text));
    if (report->trailer > 0) {
        char *trailer = output_format("%s bytes follow%s", output_thousands(report->trailer).text,
                                      report->trailer_is_filler ? ", all filler" : "");
        put_fact(facts, "trailer", trailer);
        free(trailer);
    }
    put_line_end(facts);
    put_signers(&report->signature);
}

/* What becomes of a segment, by its address. */
static const char *segment_use(const struct image_report *report, uint32_t address)
{
    const struct ota_chip_facts *chip = ota_chip_facts(report->chip);
    if (report->image.form != OTA_IMAGE_ESP32) {
        bool flash_part = report->image.variant == OTA_VARIANT_V2 && address == 0;
        return flash_part || (address >= 0x40200000u && address < 0x40300000u) ? "flash, code"
               : address >= 0x40100000u && address < 0x40200000u               ? "ram, code"
                                                                               : "ram";
    }
    if (report->chip == OTA_CHIP_HOST) {
        return address == 0 ? "description" : "program for this machine";
    }
    if (address < 0x10000000u) {
        return "padding";
    }
    if (chip == NULL) {
        return "";
    }
    bool data = ota_chip_window_holds(chip->drom, address);
    bool code = ota_chip_window_holds(chip->irom, address);
    return data && code ? "flash" : data ? "flash, read-only data" : code ? "flash, code" : "ram";
}

static void put_segments(const struct image_report *report)
{
    struct output_table table;
    output_table_begin(&table, "lrllrl");
    output_table_row(&table, "segments", "#", "offset", "address", "bytes", "where");
    for (unsigned i = 0; i < report->segment_count; i++) {
        const struct image_report_segment *segment = &report->segments[i];
        char number[12];
        snprintf(number, sizeof(number), "%u", i);
        output_table_row(&table, "", number, output_hex(segment->offset, 6).text,
                         output_hex(segment->address, 8).text,
                         output_thousands(segment->length).text,
                         segment_use(report, segment->address));
    }
    output_table_print(&table, stdout, "  ");
}

static void put_packing(struct facts *facts, const struct image_report *report)
{
    if (!report->is_packed) {
        return;
    }
    char *text =
        output_format("gzip, %s bytes (%.1f %%)", output_thousands(report->packed_size).text,
                      image_report_percent(report));
    put_fact_alone(facts, "compressed", text);
    free(text);
}

static void put_report(const struct image_report *report)
{
    struct facts facts = {0};
    put_title(report);
    put_packing(&facts, report);
    put_descriptor(&facts, report);
    put_header(&facts, report);
    put_proofs(&facts, report);
    put_segments(report);
}

/* --- JSON ----------------------------------------------------------------------------------- */

static void add_name(cJSON *json, const char *key, const char *name)
{
    if (name != NULL) {
        cJSON_AddStringToObject(json, key, name);
    } else {
        cJSON_AddNullToObject(json, key);
    }
}

static void add_hex(cJSON *json, const char *key, const uint8_t *bytes, size_t len)
{
    char text[2 * OTA_SHA256_SIZE + 1];
    cJSON_AddStringToObject(json, key, hex_of(bytes, len, text));
}

static void add_descriptor(cJSON *json, const struct image_report *report)
{
    struct ota_app_descriptor app;
    struct ota_bootloader_descriptor bootloader;
    if (ota_image_app_descriptor(&report->image, &app)) {
        output_json_add_text(json, "project", app.project);
        output_json_add_text(json, "version", app.version);
        output_json_add_text(json, "date", app.date);
        output_json_add_text(json, "time", app.time);
        output_json_add_text(json, "idf_version", app.idf_version);
        cJSON_AddNumberToObject(json, "secure_version", app.secure_version);
        add_hex(json, "elf_sha256", app.elf_sha256, OTA_SHA256_SIZE);
        cJSON_AddNumberToObject(json, "min_efuse_block_revision", app.min_efuse_block_revision);
        cJSON_AddNumberToObject(json, "max_efuse_block_revision", app.max_efuse_block_revision);
        cJSON_AddNumberToObject(json, "page_size",
                                app.page_size_log2 > 0 && app.page_size_log2 < 32
                                    ? (double)(UINT64_C(1) << app.page_size_log2)
                                    : 0);
    } else if (report->image.form == OTA_IMAGE_ESP32 &&
               ota_image_bootloader_descriptor(&report->image, &bootloader)) {
        cJSON_AddNumberToObject(json, "bootloader_version", bootloader.version);
        output_json_add_text(json, "idf_version", bootloader.idf_version);
        output_json_add_text(json, "date", bootloader.date_time);
        cJSON_AddNumberToObject(json, "secure_version", bootloader.secure_version);
    }
}

static void add_header(cJSON *json, const struct image_report *report)
{
    const struct ota_image *image = &report->image;
    bool esp8266 = image->form != OTA_IMAGE_ESP32;
    char unknown[IMAGE_CHIP_NAME_SIZE];
    cJSON_AddStringToObject(json, "form", image_form_name(image->form, image->variant));
    cJSON_AddStringToObject(json, "role", role_name(report));
    cJSON_AddStringToObject(json, "chip", image_chip_name(report->chip, unknown));
    cJSON_AddNumberToObject(json, "entry", image->entry);
    add_name(json, "flash_mode", image_flash_mode_name(image->spi_mode));
    add_name(json, "flash_size", image_flash_size_name(esp8266, image->spi_speed_size >> 4));
    add_name(json, "flash_speed", image_flash_speed_name(report->chip, image->spi_speed_size & 15));
    if (!esp8266) {
        cJSON_AddNumberToObject(json, "chip_id", image->chip_id);
        cJSON_AddNumberToObject(json, "min_revision", image->min_revision);
        cJSON_AddNumberToObject(json, "max_revision", image->max_revision);
        cJSON_AddNumberToObject(json, "wp_pin", image->extended[0]);
        add_hex(json, "pin_drive", image->extended + 1, 3);
    }
}

static void add_proofs(cJSON *json, const struct image_report *report)
{
    if (report->checksum_known) {
        cJSON_AddNumberToObject(json, "checksum", report->checksum_stored);
        cJSON_AddBoolToObject(json, "checksum_ok", report->checksum_good);
        cJSON_AddNumberToObject(json, "checksum_computed", report->image.checksum);
    }
    cJSON_AddBoolToObject(json, "has_sha256", report->image.has_digest);
    if (report->digest_known) {
        add_hex(json, "sha256", report->digest_stored, OTA_SHA256_SIZE);
        cJSON_AddBoolToObject(json, "sha256_ok", report->digest_good);
        add_hex(json, "sha256_computed", report->digest_computed, OTA_SHA256_SIZE);
    }
    if (report->image.crc != 0) {
        cJSON_AddNumberToObject(json, "crc", report->image.crc);
    }
    if (report->has_file_digest) {
        add_hex(json, "file_sha256", report->file_digest, OTA_SHA256_SIZE);
    }
    char text[SIGNATURE_TEXT_SIZE];
    cJSON_AddStringToObject(json, "signature", signature_text(&report->signature, text));
    cJSON_AddItemToObject(json, "signatures", signature_json(&report->signature));
}

static void add_segments(cJSON *json, const struct image_report *report)
{
    cJSON *segments = cJSON_AddArrayToObject(json, "segments");
    for (unsigned i = 0; i < report->segment_count; i++) {
        cJSON *segment = cJSON_CreateObject();
        cJSON_AddNumberToObject(segment, "offset", report->segments[i].offset);
        cJSON_AddNumberToObject(segment, "address", report->segments[i].address);
        cJSON_AddNumberToObject(segment, "length", report->segments[i].length);
        cJSON_AddItemToArray(segments, segment);
    }
}

static bool is_right(const struct image_report *report)
{
    return report->failure.err == OTA_OK && (!report->digest_known || report->digest_good);
}

static cJSON *report_json(const struct image_report *report)
{
    cJSON *json = cJSON_CreateObject();
    output_json_add_text(json, "file", report->name);
    cJSON_AddNumberToObject(json, "size", (double)report->file_size);
    if (report->is_packed) {
        cJSON *packing = cJSON_AddObjectToObject(json, "compressed");
        cJSON_AddStringToObject(packing, "format", "gzip");
        cJSON_AddNumberToObject(packing, "size", (double)report->packed_size);
    }
    cJSON_AddNumberToObject(json, "length", report->image.length);
    cJSON_AddBoolToObject(json, "ok", is_right(report));
    add_header(json, report);
    add_descriptor(json, report);
    add_proofs(json, report);
    add_segments(json, report);
    return json;
}

/* --- the command ---------------------------------------------------------------------------- */

/* Whether so much of the image could be read that its facts are worth showing. */
static bool has_facts(const struct image_report *report)
{
    enum ota_err err = report->failure.err;
    return err == OTA_OK || err == OTA_ERR_IMAGE_CHECKSUM || err == OTA_ERR_IMAGE_HASH;
}

/* Says what is wrong with an image whose facts are printed. */
static int judge(const struct image_report *report)
{
    if (report->failure.err != OTA_OK) {
        return image_report_fail(report, VERIFY_HINT);
    }
    if (!is_right(report)) {
        return fail("%s: the SHA-256 that ends the image does not match it; a chip boots such a "
                    "bootloader, but not such an app",
                    report->name);
    }
    return image_report_check_packing(report);
}

static int show(const char *path, cJSON *list, bool apart)
{
    struct image_reading reading = {.form = OTA_IMAGE_DETECT,
                                    .lenient = true,
                                    .unpack = true,
                                    .chip = {.id = OTA_CHIP_ANY, .ignore_revisions = true}};
    struct image_report report;
    if (image_read(path, &reading, &report) != 0) {
        return 1;
    }
    if (!has_facts(&report)) {
        return image_report_fail(&report, VERIFY_HINT);
    }
    if (list != NULL) {
        cJSON_AddItemToArray(list, report_json(&report));
    } else {
        fputs(apart ? "\n" : "", stdout);
        put_report(&report);
        fflush(stdout);
    }
    return judge(&report);
}

static int run(const struct command_call *call)
{
    bool json = command_flag(call, "json");
    cJSON *list = json ? cJSON_CreateArray() : NULL;
    int status = 0;
    for (size_t i = 0; i < command_count(call); i++) {
        status |= show(command_argument(call, i), list, i > 0);
    }
    if (json && command_count(call) == 1) {
        cJSON *only = cJSON_DetachItemFromArray(list, 0);
        cJSON_Delete(list);
        return only != NULL ? output_json(only) | status : status;
    }
    return json ? output_json(list) | status : status;
}

static const struct command_option options[] = {
    COMMAND_OPTION_JSON,
    {0},
};

static const char *const examples[] = {
    "updraft image info code.bin",
    "curl -s https://example.com/code.bin | updraft image info -",
    "updraft image info --json *.bin",
    NULL,
};

const struct command command_image_info = {
    .noun = "image",
    .verb = "info",
    .summary = "Show everything that images say of themselves",
    .synopsis = "FILE...",
    .description =
        "Reads firmware images and prints their chip, project, version, entry point, flash "
        "settings, "
        "segments, checksum and SHA-256, and whether these are right. Knows the images of the "
        "whole "
        "ESP32 family, apps and bootloaders, those of Updraft's virtual board, and of the ESP8266 "
        "version 1, version 2, Arduino's file and that of ESP8266_RTOS_SDK.\n"
        "\n"
        "Each file is read once, from front to back, in constant memory, so files of any length "
        "and "
        "pipes will do; - is standard input. With --json one file gives an object and several give "
        "an array of them.\n"
        "\n"
        "What gzip has compressed is unpacked on the way, and the facts are of what is inside.\n"
        "\n"
        "A signature is recognised; the blocks of Secure Boot v2 are checked by the keys that they "
        "carry. Whether these keys are yours tells \"updraft image verify --key\".",
    .options = options,
    .examples = examples,
    .arguments_min = 1,
    .arguments_max = COMMAND_ANY,
    .run = run,
};
