/* SPDX-License-Identifier: Apache-2.0 */
/* What the file is that is pushed, and which boards it is for. */

#include "cli/push_image.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <updraft/decoder.h>
#include <updraft/espota_host.h>

#include "cli/digest.h"
#include "cli/heatshrink.h"
#include "cli/image_names.h"
#include "cli/output.h"
#include "server/gzip.h"

#define PICO_FLASH_MAX (16u << 20)      /* what an RP2040 can map */
#define SIZE_LIMIT UINT64_C(0x7FFFFFFF) /* what the protocols can say */

static void check_packed(struct ota_image_check *check, const struct files_content *content)
{
    struct gzip_unpacker unpacker;
    uint8_t piece[4096];
    size_t len;

    gzip_unpack_begin(&unpacker);
    gzip_unpack(&unpacker, content->data, content->size);
    while (unpacker.given <= GZIP_PLAIN_MAX &&
           gzip_unpack_next(&unpacker, piece, sizeof piece, &len)) {
        ota_image_check_write(check, piece, len);
    }
    gzip_unpack_end(&unpacker);
}

/* Reads the image by the library's own check. Of one that is compressed no more is wanted than what
   it says of itself: it need not be an image that is known here. */
static void judge(struct push_image *image)
{
    const bool is_packed = ota_is_gzip(image->content.data, image->content.size);
    const struct ota_image_rules rules = {
        .form = OTA_IMAGE_DETECT,
        .chip = {.id = OTA_CHIP_ANY, .ignore_revisions = true},
        .size_max = UINT32_MAX,
        .allow_trailer = true,
    };
    struct ota_image_check check;
    enum ota_err err = ota_image_check_begin(&check, &rules, &ota_crypto_psa);

    if (err == OTA_OK) {
        if (is_packed) {
            check_packed(&check, &image->content);
        } else {
            ota_image_check_write(&check, image->content.data, image->content.size);
        }
        err = ota_image_check_finish(&check);
    }
    if (is_packed && err != OTA_OK) {
        image->kind = PUSH_IMAGE_PACKED;
        return;
    }
    image->failure = check.failure;
    image->kind = is_packed ? PUSH_IMAGE_PACKED : PUSH_IMAGE_APP;
    if (err == OTA_ERR_IMAGE_MAGIC && check.failure.offset == 0) {
        image->kind = PUSH_IMAGE_UNKNOWN;
    } else if (err != OTA_OK) {
        image->kind = PUSH_IMAGE_BROKEN;
    }
    switch (check.image.form) {
    case OTA_IMAGE_ESP32:
        image->chip = check.image.chip_id;
        break;
    case OTA_IMAGE_ESP8266:
    case OTA_IMAGE_ESP8266_RTOS:
        image->chip = OTA_CHIP_ESP8266;
        break;
    default:
        image->chip = OTA_CHIP_ANY;
        break;
    }
    image->has_descriptor = ota_image_app_descriptor(&check.image, &image->descriptor);
}

int push_image_open(struct push_image *image, const char *path, bool is_data)
{
    *image = (struct push_image){.name = files_name(path), .chip = OTA_CHIP_ANY};
    if (files_map(path, SIZE_LIMIT, &image->content) != 0) {
        return 1;
    }
    if (!digest_of(&ota_crypto_psa, OTA_HASH_MD5, image->content.data, image->content.size,
                   image->md5)) {
        files_release(&image->content);
        return fail("the MD5 of %s could not be computed", image->name);
    }
    if (is_data) {
        image->kind = PUSH_IMAGE_DATA;
    } else if (heatshrink_is_packed(image->content.data, image->content.size)) {
        image->kind = PUSH_IMAGE_SHRUNK;
    } else {
        judge(image);
    }
    return 0;
}

void push_image_close(struct push_image *image)
{
    files_release(&image->content);
}

const char *push_image_problem(const struct push_image *image, char text[PUSH_IMAGE_TEXT_SIZE])
{
    switch (image->kind) {
    case PUSH_IMAGE_UNKNOWN:
        snprintf(text, PUSH_IMAGE_TEXT_SIZE,
                 "%s is no firmware image that is known here (it begins with 0x%02x). For an image "
                 "of a file system there is --data; a device with an RP2040 is told by its port: "
                 "HOST:%u",
                 image->name, image->content.data[0], OTA_ESPOTA_HOST_PORT_PICO);
        return text;
    case PUSH_IMAGE_BROKEN:
        snprintf(text, PUSH_IMAGE_TEXT_SIZE,
                 "%s is damaged: at byte %s, %s; \"updraft image verify\" says more", image->name,
                 output_thousands(image->failure.offset).text, ota_err_text(image->failure.err));
        return text;
    default:
        return NULL;
    }
}

/* ---- Boards ---------------------------------------------------------------------------------- */

/* Which chip a port is usual for. */
static const char *family_of_port(uint16_t port)
{
    switch (port) {
    case OTA_ESPOTA_HOST_PORT_ESP8266:
        return "esp8266";
    case OTA_ESPOTA_HOST_PORT_ESP32:
        return "esp32";
    case OTA_ESPOTA_HOST_PORT_PICO:
        return "rp2040";
    default:
        return NULL;
    }
}

/* Copies a name in lower case, without dashes and underscores. */
static void plain_name(const char *name, char *plain, size_t size)
{
    size_t len = 0;

    for (; *name != '\0' && len + 1 < size; name++) {
        if (isalnum((unsigned char)*name)) {
            plain[len++] = (char)tolower((unsigned char)*name);
        }
    }
    plain[len] = '\0';
}

uint16_t push_board_chip(const char *board, uint16_t port)
{
    const struct ota_chip_facts *chip = NULL;
    const char *family = family_of_port(port);
    uint16_t found = OTA_CHIP_ANY;
    size_t longest = 0;
    char name[128];

    plain_name(board, name, sizeof name);
    for (unsigned i = 0; (chip = ota_chip_facts_at(i)) != NULL; i++) {
        char wanted[32];
        plain_name(chip->name, wanted, sizeof wanted);
        /* "esp32" alone may be a maker's word for the whole family. */
        const bool names_it =
            chip->id == OTA_CHIP_ESP32 ? strcmp(name, wanted) == 0 : strstr(name, wanted) != NULL;
        if (names_it && chip->id != OTA_CHIP_HOST && strlen(wanted) > longest) {
            found = chip->id;
            longest = strlen(wanted);
        }
    }
    if (found == OTA_CHIP_ANY && strcmp(name, "host") == 0) {
        return OTA_CHIP_HOST;
    }
    if (found == OTA_CHIP_ANY && family != NULL && strcmp(family, "esp8266") == 0) {
        return OTA_CHIP_ESP8266;
    }
    return found;
}

bool push_board_is_pico(const char *board, uint16_t port)
{
    static const char *const names[] = {"rpipico", "rp2040", "rp2350"};
    char name[128];

    if (board == NULL) {
        return port == OTA_ESPOTA_HOST_PORT_PICO;
    }
    plain_name(board, name, sizeof name);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strstr(name, names[i]) != NULL) {
            return true;
        }
    }
    return port == OTA_ESPOTA_HOST_PORT_PICO && push_board_chip(board, port) == OTA_CHIP_ANY;
}

static const char *chip_name(uint16_t chip, char unknown[IMAGE_CHIP_NAME_SIZE])
{
    return chip == OTA_CHIP_ESP8266 ? "esp8266" : image_chip_name(chip, unknown);
}

/* The name of the chip that the board has, as far as one can tell; NULL if not. */
static const char *board_chip_text(const char *board, uint16_t port,
                                   char unknown[IMAGE_CHIP_NAME_SIZE])
{
    const uint16_t chip = push_board_chip(board, port);

    return chip == OTA_CHIP_ANY ? family_of_port(port) : chip_name(chip, unknown);
}

/* Tells whether a board whose name does not tell its chip can have this one. */
static bool family_may_be(uint16_t port, uint16_t chip)
{
    const char *family = family_of_port(port);

    return family == NULL || (strcmp(family, "esp32") == 0 && chip != OTA_CHIP_ESP8266);
}

/* Does the device unpack it? The ESP8266's core does, and says nothing of it. */
static bool is_unpacked(const struct push_image *image, const char *board, uint16_t port,
                        bool takes_gzip)
{
    const uint16_t chip = push_board_chip(board, port);

    if (image->kind != PUSH_IMAGE_PACKED || takes_gzip) {
        return true;
    }
    return chip == OTA_CHIP_ANY ? port != OTA_ESPOTA_HOST_PORT_ESP32 : chip == OTA_CHIP_ESP8266;
}

static bool fits(const struct push_image *image, const char *board, uint16_t port)
{
    const uint16_t chip = push_board_chip(board, port);

    if (image->chip == OTA_CHIP_ANY) {
        return true;
    }
    return chip == OTA_CHIP_ANY ? family_may_be(port, image->chip) : chip == image->chip;
}

/* Of firmware for an RP2040 only the size can be judged here; but one for another chip is known. */
static const char *pico_misfit(const struct push_image *image, char text[PUSH_IMAGE_TEXT_SIZE])
{
    char unknown[IMAGE_CHIP_NAME_SIZE];

    if (image->content.size > PICO_FLASH_MAX) {
        snprintf(text, PUSH_IMAGE_TEXT_SIZE, "%s is larger than the flash of any RP2040, %u MB",
                 image->name, PICO_FLASH_MAX >> 20);
        return text;
    }
    if (image->kind != PUSH_IMAGE_APP || image->chip == OTA_CHIP_ANY) {
        return NULL;
    }
    snprintf(text, PUSH_IMAGE_TEXT_SIZE, "%s is for %s; the device seems to have an RP2040",
             image->name, chip_name(image->chip, unknown));
    return text;
}

const char *push_image_misfit(const struct push_image *image, const char *board, uint16_t port,
                              bool takes_gzip, char text[PUSH_IMAGE_TEXT_SIZE])
{
    char unknown[IMAGE_CHIP_NAME_SIZE], board_unknown[IMAGE_CHIP_NAME_SIZE];
    char safe[128];

    if (image->kind != PUSH_IMAGE_DATA && push_board_is_pico(board, port)) {
        return pico_misfit(image, text);
    }
    const char *problem = push_image_problem(image, text);
    if (problem != NULL) {
        return problem;
    }
    if (image->kind == PUSH_IMAGE_DATA || board == NULL) {
        return NULL;
    }
    const bool is_for_it = fits(image, board, port);
    if (is_for_it && is_unpacked(image, board, port, takes_gzip)) {
        return NULL;
    }
    const char *has = board_chip_text(board, port, board_unknown);
    output_escape(board, safe, sizeof safe);
    char *what =
        is_for_it
            ? output_copy("compressed, which an ESP8266, an RP2040 or a device that says so takes")
            : output_format("for %s", chip_name(image->chip, unknown));
    if (has == NULL || strcmp(has, safe) == 0) {
        snprintf(text, PUSH_IMAGE_TEXT_SIZE, "%s is %s; the device says its board is %s",
                 image->name, what, safe);
    } else {
        snprintf(text, PUSH_IMAGE_TEXT_SIZE, "%s is %s; the device says its board is %s (%s)",
                 image->name, what, safe, has);
    }
    free(what);
    return text;
}

uint16_t push_image_usual_port(const struct push_image *image)
{
    const bool is_esp8266 = image->chip == OTA_CHIP_ESP8266 ||
                            (image->kind == PUSH_IMAGE_PACKED && image->chip == OTA_CHIP_ANY);

    return is_esp8266 ? OTA_ESPOTA_HOST_PORT_ESP8266 : OTA_ESPOTA_HOST_PORT_ESP32;
}

const char *push_image_title(const struct push_image *image, char text[PUSH_IMAGE_TEXT_SIZE])
{
    char raw[128];

    if (!image->has_descriptor || image->descriptor.project[0] == '\0') {
        return output_escape(image->name, text, PUSH_IMAGE_TEXT_SIZE);
    }
    snprintf(raw, sizeof raw, "%s %s", image->descriptor.project, image->descriptor.version);
    return output_escape(raw, text, PUSH_IMAGE_TEXT_SIZE);
}
