/* SPDX-License-Identifier: Apache-2.0 */
/* `updraft image compress FILE`: fewer bytes to travel. */

#include "cli/commands.h"

#include <stdlib.h>
#include <string.h>

#include <updraft/heatshrink.h>

#include "cli/digest.h"
#include "cli/files.h"
#include "cli/heatshrink.h"
#include "cli/output.h"
#include "cli/signed_file.h"
#include "server/gzip.h"
#include "server/hex.h"

struct request {
    const struct command_call *call;
    const char *output;
    unsigned window_bits, lookahead_bits; /* of heatshrink; 0: gzip */
    struct signed_file file;
    uint8_t *packed;
    size_t packed_size, packed_capacity;
};

/* --- what may be compressed ----------------------------------------------------------------- */

static int check_input(const struct request *request)
{
    const struct signed_file *file = &request->file;
    char text[SIGNATURE_TEXT_SIZE];
    if (command_flag(request->call, "again")) {
        return COMMAND_GOOD;
    }
    if (file->is_gzip) {
        return fail("%s: is compressed already", file->name);
    }
    if (file->found->kind == SIGNATURE_ARDUINO) {
        return fail("%s: is signed (%s), and that signature is over what travels: compress first, "
                    "sign then; \"updraft image strip\" takes it off",
                    file->name, signature_text(file->found, text));
    }
    return COMMAND_GOOD;
}

/* "11,4": the two numbers of bits on which sender and device have agreed. */
static int read_heatshrink(struct request *request)
{
    const char *text = command_value(request->call, "heatshrink");
    const char *comma = text != NULL ? strchr(text, ',') : NULL;
    uint64_t window = 0;
    uint64_t lookahead = 0;
    if (text == NULL) {
        return COMMAND_GOOD;
    }
    char *first = comma != NULL ? output_format("%.*s", (int)(comma - text), text) : NULL;
    const bool good = first != NULL && command_parse_number(first, &window) &&
                      command_parse_number(comma + 1, &lookahead) &&
                      window >= OTA_HEATSHRINK_WINDOW_BITS_MIN &&
                      window <= OTA_HEATSHRINK_WINDOW_BITS_MAX &&
                      lookahead >= OTA_HEATSHRINK_LOOKAHEAD_BITS_MIN && lookahead < window;
    free(first);
    if (!good) {
        return command_usage(request->call,
                             "--heatshrink takes the bits of its window (%u to %u) and of its "
                             "lookahead (%u to those less one), like 11,4; not \"%s\"",
                             OTA_HEATSHRINK_WINDOW_BITS_MIN, OTA_HEATSHRINK_WINDOW_BITS_MAX,
                             OTA_HEATSHRINK_LOOKAHEAD_BITS_MIN, text);
    }
    request->window_bits = (unsigned)window;
    request->lookahead_bits = (unsigned)lookahead;
    return COMMAND_GOOD;
}

/* --- compressing ---------------------------------------------------------------------------- */

static bool keep(void *context, const void *data, size_t len)
{
    struct request *request = context;
    if (request->packed_capacity - request->packed_size < len) {
        request->packed_capacity = 2 * (request->packed_capacity + len);
        request->packed = output_reallocate(request->packed, request->packed_capacity);
    }
    memcpy(request->packed + request->packed_size, data, len);
    request->packed_size += len;
    return true;
}

static bool pack(struct request *request)
{
    const struct files_content *content = &request->file.content;
    struct gzip_packer packer;
    if (request->window_bits != 0) {
        request->packed = heatshrink_pack(content->data, content->size, request->window_bits,
                                          request->lookahead_bits, &request->packed_size);
        return true;
    }
    if (!gzip_pack_begin(&packer, keep, request)) {
        return false;
    }
    const bool good = gzip_pack(&packer, content->data, content->size);
    return gzip_pack_end(&packer) && good;
}

/* --- what came of it ------------------------------------------------------------------------ */

static const char *format_of(const struct request *request)
{
    return request->window_bits != 0 ? "heatshrink" : "gzip";
}

static double percent_of(const struct request *request)
{
    return 100.0 * (double)request->packed_size / (double)request->file.content.size;
}

static int report_json(const struct request *request)
{
    char text[2 * OTA_SHA256_SIZE + 1];
    uint8_t digest[OTA_SHA256_SIZE];
    cJSON *json = cJSON_CreateObject();
    output_json_add_text(json, "file", request->file.name);
    output_json_add_text(json, "output", request->output);
    cJSON_AddStringToObject(json, "format", format_of(request));
    if (request->window_bits != 0) {
        cJSON_AddNumberToObject(json, "window_bits", request->window_bits);
        cJSON_AddNumberToObject(json, "lookahead_bits", request->lookahead_bits);
    }
    cJSON_AddNumberToObject(json, "size", (double)request->file.content.size);
    cJSON_AddNumberToObject(json, "compressed_size", (double)request->packed_size);
    cJSON_AddNumberToObject(json, "percent", (double)(int)(10 * percent_of(request) + 0.5) / 10);
    if (digest_of(&ota_crypto_psa, OTA_HASH_SHA256, request->packed, request->packed_size,
                  digest)) {
        cJSON_AddStringToObject(json, "sha256", hex_of(digest, sizeof(digest), text));
    }
    return output_json(json);
}

/* Says what was done, unless the image itself has gone to standard output. */
static int report(const struct request *request)
{
    char safe[256];
    if (request->packed_size >= request->file.content.size) {
        warn("%s: does not become smaller; send it as it is", request->file.name);
    }
    if (strcmp(request->output, "-") == 0) {
        return COMMAND_GOOD;
    }
    if (command_flag(request->call, "json")) {
        return report_json(request);
    }
    printf("compressed  %s: %s of %s bytes (%.1f %%), %s\n",
           output_escape(request->output, safe, sizeof(safe)),
           output_thousands(request->packed_size).text,
           output_thousands(request->file.content.size).text, percent_of(request),
           format_of(request));
    return COMMAND_GOOD;
}

static int make(struct request *request)
{
    const struct command_call *call = request->call;
    if (signed_file_open(&request->file, command_argument(call, 0), command_flag(call, "data"),
                         0) != 0 ||
        check_input(request) != COMMAND_GOOD) {
        return COMMAND_FAILED;
    }
    if (!pack(request)) {
        return fail("%s: there is no memory to compress it with", request->file.name);
    }
    if (files_write_atomically(request->output, request->packed, request->packed_size) != 0) {
        return COMMAND_FAILED;
    }
    return report(request);
}

static int run(const struct command_call *call)
{
    struct request request = {.call = call, .output = command_value(call, "output")};
    if (request.output == NULL) {
        return command_usage(call, "--output is missing; - is standard output");
    }
    int status = read_heatshrink(&request);
    if (status == COMMAND_GOOD) {
        status = make(&request);
    }
    signed_file_close(&request.file);
    free(request.packed);
    return status;
}

static const struct command_option options[] = {
    {"output", 'o', "FILE", "where the compressed image goes; - is standard output"},
    {"data", 0, NULL, "it is no firmware image but other data"},
    {"heatshrink", 0, "W,L",
     "heatshrink instead of gzip, with so many bits of window and lookahead, like 11,4"},
    {"again", 0, NULL, "compress what looks compressed or signed already"},
    COMMAND_OPTION_JSON,
    {0},
};

static const char *const examples[] = {
    "updraft image compress garden.bin -o garden.bin.gz",
    "# to be signed as well: compress first",
    "updraft image compress sketch.bin -o sketch.bin.gz",
    "updraft image sign sketch.bin.gz --scheme arduino --key signing.pem -o sketch.bin.gz.signed",
    "updraft image compress --data garden.littlefs.bin -o garden.littlefs.bin.gz",
    NULL,
};

const struct command command_image_compress = {
    .noun = "image",
    .verb = "compress",
    .summary = "Compress an image for its way to the device",
    .synopsis = "FILE",
    .description =
        "Compresses a firmware image by gzip, as devices with Updraft, the ESP8266 and the RP2040 "
        "unpack it while it comes or when they boot. Equal images give equal files: neither name "
        "nor time is in them.\n"
        "\n"
        "Arduino's signature is over what travels, so an image is compressed first and signed "
        "then; one that is signed so is refused. Secure Boot's signature is a part of the image, "
        "which is signed first and compressed then. \"updraft serve\" compresses by itself what "
        "it sends.\n"
        "\n"
        "heatshrink is smaller to unpack, packs less, and says nothing of itself: the device must "
        "have been set to the same two numbers. - is standard input or output.",
    .options = options,
    .examples = examples,
    .arguments_min = 1,
    .arguments_max = 1,
    .run = run,
};
