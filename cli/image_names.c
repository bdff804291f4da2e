/* SPDX-License-Identifier: Apache-2.0 */
/* The names of chips and of flash modes, sizes and speeds. */

#include "cli/image_names.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <updraft/chip.h>

#define SIZE_CODES 10u
#define MODE_CODES 6u

#define CHIP_LIST_SIZE 256u

/* "esp32, esp32-s2, ..." */
static const char *chip_list(char list[CHIP_LIST_SIZE])
{
    const struct ota_chip_facts *chip;
    size_t used = 0;
    list[0] = 0;
    for (unsigned n = 0; (chip = ota_chip_facts_at(n)) != NULL && used < CHIP_LIST_SIZE; n++) {
        int len =
            snprintf(list + used, CHIP_LIST_SIZE - used, "%s%s", n > 0 ? ", " : "", chip->name);
        used += len > 0 ? (size_t)len : 0;
    }
    return list;
}

int image_chip_option(const struct command_call *call, uint16_t *id)
{
    const char *name = command_value(call, "chip");
    if (name == NULL) {
        return COMMAND_GOOD;
    }
    const struct ota_chip_facts *chip = ota_chip_named(name);
    if (chip == NULL) {
        char list[CHIP_LIST_SIZE];
        return command_usage(call, "there is no chip \"%s\"; there are %s", name, chip_list(list));
    }
    *id = chip->id;
    return COMMAND_GOOD;
}

const char *image_chip_name(uint16_t id, char unknown[IMAGE_CHIP_NAME_SIZE])
{
    const struct ota_chip_facts *chip = ota_chip_facts(id);
    if (chip != NULL) {
        return chip->name;
    }
    snprintf(unknown, IMAGE_CHIP_NAME_SIZE, "chip 0x%04x", id);
    return unknown;
}

const char *image_form_name(enum ota_image_form form, enum ota_image_variant variant)
{
    switch (form) {
    case OTA_IMAGE_ESP32:
        return "esp32";
    case OTA_IMAGE_ESP8266_RTOS:
        return "esp8266 rtos";
    case OTA_IMAGE_ESP8266:
        return variant == OTA_VARIANT_V2        ? "esp8266 version 2"
               : variant == OTA_VARIANT_ARDUINO ? "esp8266 arduino"
                                                : "esp8266 version 1";
    case OTA_IMAGE_DETECT:
    case OTA_IMAGE_DATA:
        break;
    }
    return "data";
}

static const char *const modes[MODE_CODES] = {"qio",  "qout",      "dio",
                                              "dout", "fast-read", "slow-read"};

const char *image_flash_mode_name(uint8_t mode)
{
    return mode < MODE_CODES ? modes[mode] : NULL;
}

bool image_flash_mode_parse(const char *text, uint8_t *mode)
{
    for (uint8_t i = 0; i < MODE_CODES; i++) {
        if (strcasecmp(text, modes[i]) == 0) {
            *mode = i;
            return true;
        }
    }
    return false;
}

static const char *const sizes_esp32[SIZE_CODES] = {"1MB",  "2MB",  "4MB",  "8MB",
                                                    "16MB", "32MB", "64MB", "128MB"};
static const char *const sizes_esp8266[SIZE_CODES] = {"512KB",  "256KB",  "1MB", "2MB", "4MB",
                                                      "2MB-c1", "4MB-c1", NULL,  "8MB", "16MB"};

const char *image_flash_size_name(bool esp8266, uint8_t nibble)
{
    return nibble < SIZE_CODES ? (esp8266 ? sizes_esp8266 : sizes_esp32)[nibble] : NULL;
}

bool image_flash_size_parse(bool esp8266, const char *text, uint8_t *nibble)
{
    for (uint8_t i = 0; i < SIZE_CODES; i++) {
        const char *name = image_flash_size_name(esp8266, i);
        if (name != NULL && strcasecmp(text, name) == 0) {
            *nibble = i;
            return true;
        }
    }
    return false;
}

/* Megahertz by code: 0xF, 0, 1, 2; 0 where the chip has no such code. */
struct speeds {
    unsigned megahertz[4];
};

static const struct speeds *speeds_of(uint16_t chip_id)
{
    static const struct speeds common = {{80, 40, 26, 20}};
    static const struct speeds c2 = {{60, 30, 20, 15}};
    static const struct speeds h = {{48, 24, 16, 12}};
    static const struct speeds c5 = {{80, 40, 0, 20}};
    static const struct speeds c6 = {{0, 80, 0, 20}};
    switch (chip_id) {
    case OTA_CHIP_ESP32C2:
        return &c2;
    case OTA_CHIP_ESP32H2:
    case OTA_CHIP_ESP32H21:
    case OTA_CHIP_ESP32H4:
        return &h;
    case OTA_CHIP_ESP32C5:
    case OTA_CHIP_ESP32C61:
    case OTA_CHIP_ESP32S31:
        return &c5;
    case OTA_CHIP_ESP32C6:
        return &c6;
    default:
        return &common;
    }
}

static uint8_t speed_code(size_t column)
{
    return column == 0 ? 0xF : (uint8_t)(column - 1);
}

const char *image_flash_speed_name(uint16_t chip_id, uint8_t nibble)
{
    static const struct {
        unsigned megahertz;
        const char *name;
    } names[] = {{80, "80 MHz"}, {60, "60 MHz"}, {48, "48 MHz"}, {40, "40 MHz"},
                 {30, "30 MHz"}, {26, "26 MHz"}, {24, "24 MHz"}, {20, "20 MHz"},
                 {16, "16 MHz"}, {15, "15 MHz"}, {12, "12 MHz"}};
    const struct speeds *speeds = speeds_of(chip_id);
    for (size_t column = 0; column < 4; column++) {
        for (size_t i = 0; speed_code(column) == nibble && i < sizeof(names) / sizeof(names[0]);
             i++) {
            if (names[i].megahertz == speeds->megahertz[column]) {
                return names[i].name;
            }
        }
    }
    return NULL;
}

bool image_flash_speed_parse(uint16_t chip_id, const char *text, uint8_t *nibble)
{
    char *end;
    unsigned long megahertz = strtoul(text, &end, 10);
    bool unit = strcasecmp(end, "m") == 0 || strcasecmp(end, "mhz") == 0 || *end == 0;
    if (end == text || !unit || megahertz == 0) {
        return false;
    }
    /* The C6 stores 40 MHz as it stores 80 MHz. */
    if (chip_id == OTA_CHIP_ESP32C6 && megahertz == 40) {
        megahertz = 80;
    }
    const struct speeds *speeds = speeds_of(chip_id);
    for (size_t column = 0; column < 4; column++) {
        if (speeds->megahertz[column] == megahertz) {
            *nibble = speed_code(column);
            return true;
        }
    }
    return false;
}
