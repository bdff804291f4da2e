/* SPDX-License-Identifier: Apache-2.0 */
/* `updraft image make`: an image from a program for the virtual board, or from the segments of one
   for a chip. */

#include "cli/commands.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <updraft/chip.h>
#include <updraft/crypto.h>

#include "base/bytes.h"
#include "cli/digest.h"
#include "cli/files.h"
#include "cli/image_names.h"
#include "cli/image_writer.h"
#include "cli/output.h"

#define INPUT_LIMIT 0xFFFFFFFEu
#define TEXT_FIELD 32u

/* What the command line asks for, with the memory that it takes. */
struct request {
    const struct command_call *call;
    struct image_spec spec;
    struct image_segment segments[OTA_IMAGE_SEGMENTS_MAX];
    struct files_content contents[OTA_IMAGE_SEGMENTS_MAX];
    struct files_content elf, boot;
    struct ota_app_descriptor descriptor;
    bool has_descriptor;
};

/* Each step returns COMMAND_GOOD, or another status after a message. */

static int read_chip(struct request *request)
{
    const char *chip = command_value(request->call, "chip");
    const char *form = command_value(request->call, "form");
    uint16_t id;
    if (chip == NULL) {
        return command_usage(request->call, "--chip is missing");
    }
    if (image_chip_option(request->call, &id) != COMMAND_GOOD) {
        return COMMAND_USAGE;
    }
    request->spec.chip_id = id;
    request->spec.form = OTA_IMAGE_ESP32;
    if (id != OTA_CHIP_ESP8266) {
        return form == NULL ? COMMAND_GOOD
                            : command_usage(request->call, "--form is for the esp8266 only");
    }
    request->spec.form = OTA_IMAGE_ESP8266;
    request->spec.variant = OTA_VARIANT_V1;
    if (form == NULL || strcmp(form, "v1") == 0) {
        return COMMAND_GOOD;
    }
    if (strcmp(form, "v2") == 0) {
        request->spec.variant = OTA_VARIANT_V2;
    } else if (strcmp(form, "arduino") == 0) {
        request->spec.variant = OTA_VARIANT_ARDUINO;
    } else if (strcmp(form, "rtos") == 0) {
        request->spec.form = OTA_IMAGE_ESP8266_RTOS;
        request->spec.variant = OTA_VARIANT_NONE;
    } else {
        return command_usage(request->call, "--form takes v1, v2, arduino or rtos, not \"%s\"",
                             form);
    }
    return COMMAND_GOOD;
}

static int read_flash(struct request *request)
{
    const char *mode = command_value(request->call, "flash-mode");
    const char *size = command_value(request->call, "flash-size");
    const char *speed = command_value(request->call, "flash-speed");
    bool esp8266 = request->spec.chip_id == OTA_CHIP_ESP8266;
    uint8_t size_code = 0;
    uint8_t speed_code = 0;
    if (mode != NULL && !image_flash_mode_parse(mode, &request->spec.spi_mode)) {
        return command_usage(request->call, "--flash-mode takes qio, qout, dio or dout, not \"%s\"",
                             mode);
    }
    if (size != NULL && !image_flash_size_parse(esp8266, size, &size_code)) {
        return command_usage(
            request->call,
            "--flash-size: the chip's images know no size \"%s\"; use one such as 4MB", size);
    }
    if (speed != NULL && !image_flash_speed_parse(request->spec.chip_id, speed, &speed_code)) {
        return command_usage(
            request->call,
            "--flash-speed: the chip's images know no speed \"%s\"; use one such as 40m", speed);
    }
    request->spec.spi_speed_size = (uint8_t)(size_code << 4 | speed_code);
    return COMMAND_GOOD;
}

static int read_numbers(struct request *request)
{
    uint64_t entry = 0;
    uint64_t secure = 0;
    uint64_t least = 0;
    uint64_t most = 65535;
    if (!command_number(request->call, "entry", 0, UINT32_MAX, &entry) ||
        !command_number(request->call, "secure-version", 0, UINT32_MAX, &secure) ||
        !command_number(request->call, "min-revision", 0, 65535, &least) ||
        !command_number(request->call, "max-revision", 0, 65535, &most)) {
        return COMMAND_USAGE;
    }
    request->spec.entry = (uint32_t)entry;
    request->spec.min_revision = (uint16_t)least;
    request->spec.max_revision = (uint16_t)most;
    request->descriptor.secure_version = (uint32_t)secure;
    return COMMAND_GOOD;
}

static int read_text(struct request *request, const char *option, char field[TEXT_FIELD + 1])
{
    const char *text = command_value(request->call, option);
    if (text == NULL) {
        return COMMAND_GOOD;
    }
    if (strlen(text) > TEXT_FIELD) {
        return command_usage(request->call,
                             "--%s: \"%s\" is longer than the %u bytes that an image "
                             "has for it",
                             option, text, TEXT_FIELD);
    }
    for (const char *p = text; *p != '\0'; p++) {
        if ((unsigned char)*p < 0x20 || *p == 0x7F) {
            return command_usage(request->call,
                                 "--%s: \"%s\" has a control character; devices read no further",
                                 option, text);
        }
    }
    memcpy(field, text, strlen(text) + 1);
    return COMMAND_GOOD;
}

/* The time of building comes from the caller or not at all, so that equal input gives equal
   images. */
static int read_date(struct request *request)
{
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const char *date = command_value(request->call, "date");
    const char *epoch = getenv("SOURCE_DATE_EPOCH");
    struct tm tm = {0};
    if (date != NULL) {
        const char *rest = strptime(date, "%Y-%m-%d", &tm);
        if (rest != NULL && *rest != 0) {
            rest = strptime(rest + 1, "%H:%M:%S", &tm);
        }
        if (rest == NULL || (*rest != 0 && strcmp(rest, "Z") != 0)) {
            return command_usage(request->call, "--date: \"%s\" is not like 2024-03-05T12:12:53",
                                 date);
        }
    } else if (epoch != NULL && epoch[0] != 0) {
        uint64_t seconds;
        if (!command_parse_number(epoch, &seconds) || seconds > 253402300799u) {
            return fail("SOURCE_DATE_EPOCH is \"%s\", which is no number of seconds", epoch);
        }
        time_t time = (time_t)seconds;
        gmtime_r(&time, &tm);
    } else {
        return COMMAND_GOOD;
    }
    snprintf(request->descriptor.date, sizeof(request->descriptor.date), "%s %2d %04d",
             months[tm.tm_mon], tm.tm_mday, (tm.tm_year + 1900) % 10000);
    snprintf(request->descriptor.time, sizeof(request->descriptor.time), "%02d:%02d:%02d",
             tm.tm_hour % 100, tm.tm_min % 100, tm.tm_sec % 100);
    return COMMAND_GOOD;
}

static int read_descriptor(struct request *request)
{
    struct ota_app_descriptor *descriptor = &request->descriptor;
    const struct command_call *call = request->call;
    request->has_descriptor = command_flag(call, "project") || command_flag(call, "version");
    if (!request->has_descriptor &&
        (command_flag(call, "secure-version") || command_flag(call, "idf-version") ||
         command_flag(call, "date") || command_flag(call, "elf"))) {
        return command_usage(call, "an app's description needs --project and --version");
    }
    int status = read_text(request, "project", descriptor->project);
    status = status == 0 ? read_text(request, "version", descriptor->version) : status;
    status = status == 0 ? read_text(request, "idf-version", descriptor->idf_version) : status;
    return status == 0 ? read_date(request) : status;
}

/* "ADDR=FILE". */
static int read_segment(struct request *request, const char *text, size_t index)
{
    const char *equals = strchr(text, '=');
    uint64_t address;
    char *number = equals != NULL ? output_format("%.*s", (int)(equals - text), text) : NULL;
    bool good = number != NULL && command_parse_number(number, &address) && address <= UINT32_MAX;
    free(number);
    if (!good) {
        return command_usage(request->call, "--segment: \"%s\" is not like 0x3c000020=FILE", text);
    }
    struct files_content *content = &request->contents[index];
    if (files_map(equals + 1, INPUT_LIMIT, content) != 0) {
        return COMMAND_FAILED;
    }
    request->segments[index] =
        (struct image_segment){(uint32_t)address, content->data, content->size};
    return COMMAND_GOOD;
}

static int read_segments(struct request *request)
{
    const char *const *values;
    size_t count = command_values(request->call, "segment", &values);
    if (request->spec.chip_id == OTA_CHIP_HOST) {
        return count == 0 ? COMMAND_GOOD
                          : command_usage(request->call, "an image for the host has no --segment; "
                                                         "its program is the --elf");
    }
    if (count == 0 || count > OTA_IMAGE_SEGMENTS_MAX) {
        return command_usage(request->call, count == 0 ? "--segment ADDR=FILE is missing"
                                                       : "an image holds at most 16 segments");
    }
    for (size_t i = 0; i < count; i++) {
        int status = read_segment(request, values[i], i);
        if (status != COMMAND_GOOD) {
            return status;
        }
    }
    request->spec.segments = request->segments;
    request->spec.segment_count = count;
    request->spec.keep_order = command_flag(request->call, "keep-order");
    request->spec.without_digest = command_flag(request->call, "no-sha256");
    request->spec.descriptor = request->has_descriptor ? &request->descriptor : NULL;
    return COMMAND_GOOD;
}

static int read_programs(struct request *request)
{
    const struct command_call *call = request->call;
    const char *elf = command_value(call, "elf");
    const char *boot = command_value(call, "boot-image");
    bool arduino = request->spec.variant == OTA_VARIANT_ARDUINO;
    bool host = request->spec.chip_id == OTA_CHIP_HOST;
    if (host && (elf == NULL || !request->has_descriptor)) {
        return command_usage(call, "an image for the host needs --project, --version and --elf");
    }
    if (arduino != (boot != NULL)) {
        return command_usage(call, arduino ? "--boot-image is missing"
                                           : "--boot-image is for --form arduino only");
    }
    if (elf != NULL) {
        if (files_map(elf, INPUT_LIMIT, &request->elf) != 0) {
            return COMMAND_FAILED;
        }
        if (request->elf.size < 4 || memcmp(request->elf.data, "\x7f\x45LF", 4) != 0) {
            return fail("%s: is no ELF program; name the file that the linker made", elf);
        }
        if (!digest_of(&ota_crypto_psa, OTA_HASH_SHA256, request->elf.data, request->elf.size,
                       request->descriptor.elf_sha256)) {
            return fail("%s: %s", elf, ota_err_text(OTA_ERR_CRYPTO));
        }
    }
    if (boot != NULL) {
        if (files_read(boot, 0x1000, &request->boot) != 0) {
            return COMMAND_FAILED;
        }
        request->spec.boot_image = request->boot.data;
        request->spec.boot_size = request->boot.size;
    }
    return COMMAND_GOOD;
}

static int build(struct request *request)
{
    struct image_built built;
    const char *path = command_value(request->call, "output");
    bool host = request->spec.chip_id == OTA_CHIP_HOST;
    bool good = host ? image_build_host(&request->descriptor, request->elf.data, request->elf.size,
                                        &ota_crypto_psa, &built)
                     : image_build(&request->spec, &ota_crypto_psa, &built);
    if (!good) {
        return fail("%s", built.problem);
    }
    int status = files_write_atomically(path, built.data, built.size);
    image_built_free(&built);
    return status;
}

static int run(const struct command_call *call)
{
    static int (*const steps[])(struct request * request) = {
        read_chip, read_flash, read_numbers, read_descriptor, read_programs, read_segments, build,
    };
    if (command_value(call, "output") == NULL) {
        return command_usage(call, "--output is missing; - is standard output");
    }
    struct request *request = output_allocate(sizeof(*request));
    memset(request, 0, sizeof(*request));
    request->call = call;
    int status = COMMAND_GOOD;
    for (size_t i = 0; status == COMMAND_GOOD && i < sizeof(steps) / sizeof(steps[0]); i++) {
        status = steps[i](request);
    }
    for (size_t i = 0; i < OTA_IMAGE_SEGMENTS_MAX; i++) {
        files_release(&request->contents[i]);
    }
    files_release(&request->elf);
    files_release(&request->boot);
    free(request);
    return status;
}

static const struct command_option options[] = {
    {"chip", 'c', "CHIP", "chip that the image is for; host is the virtual board's machine"},
    {"output", 'o', "FILE", "image to write; - is standard output"},
    {"project", 0, "NAME", "name in the app's description"},
    {"version", 0, "TEXT", "version in the app's description"},
    {"secure-version", 0, "N", "number that protects from going back to older apps (default 0)"},
    {"idf-version", 0, "TEXT", "version of the framework in the app's description"},
    {"date", 0, "DATE", "time of building, like 2024-03-05T12:12:53 (default: empty)"},
    {"elf", 0, "FILE",
     "program: what an image for the host carries, and whose SHA-256 any app states"},
    {"segment", 's', "ADDR=FILE",
     "bytes and the address that they are loaded or mapped at; may be repeated"},
    {"entry", 'e', "ADDR", "address where the program starts (default 0)"},
    {"flash-mode", 0, "qio|qout|dio|dout", "how the flash is wired (default qio)"},
    {"flash-size", 0, "SIZE",
     "size of the flash, like 4MB (default: the code 0, which most chips read as 1MB)"},
    {"flash-speed", 0, "SPEED",
     "clock of the flash, like 80m (default: the code 0, 40m on most chips)"},
    {"min-revision", 0, "N", "least chip revision, major * 100 + minor (default 0)"},
    {"max-revision", 0, "N", "highest chip revision (default 65535: no limit)"},
    {"form", 0, "v1|v2|arduino|rtos", "form of an esp8266 image (default v1)"},
    {"boot-image", 0, "FILE", "version 1 image of the bootloader in front of an Arduino sketch"},
    {"keep-order", 0, NULL, "write segments in the order given, without padding"},
    {"no-sha256", 0, NULL, "append no SHA-256"},
    {0},
};

static const char *const examples[] = {
    "# a program for the virtual board",
    "updraft image make --chip host --project blinky --version 1.1.0 --elf blinky -o blinky.bin",
    "# an app for a chip, from its parts",
    "updraft image make --chip esp32s3 --project garden --version 2.3.1 \\",
    "    -s 0x3c000020=rodata.bin -s 0x42010020=text.bin -e 0x42010020 -o garden.bin",
    NULL,
};

const struct command command_image_make = {
    .noun = "image",
    .verb = "make",
    .summary = "Make an image",
    .synopsis = NULL,
    .description =
        "Makes an image for the virtual board from an ELF program, or an image for a chip from its "
        "segments: header, padding so that the flash cache can map what runs from flash, checksum, "
        "SHA-256.\n"
        "\n"
        "With --project or --version an app description is put in front of the segment that comes "
        "first: the mapped one with the lowest address. Without them the segment that holds a "
        "description already comes first.\n"
        "\n"
        "Equal input gives equal bytes. The time of building is what --date or the environment "
        "variable SOURCE_DATE_EPOCH says, or left empty.",
    .options = options,
    .examples = examples,
    .run = run,
};
