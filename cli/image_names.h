/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_CLI_IMAGE_NAMES_H
#define UPDRAFT_CLI_IMAGE_NAMES_H

/* What the numbers in image headers are called (docs/formats/image.md sections 4 and 5), both
   ways. */

#include <stdbool.h>
#include <stdint.h>

#include <updraft/image.h>

#include "cli/command.h"

/* Reads the option --chip; without it `id` stays as it is. Returns COMMAND_GOOD, or COMMAND_USAGE
   after a message that lists the chips. */
int image_chip_option(const struct command_call *call, uint16_t *id);

/* The chip's name; "chip 0x1234" for one that is not known, in `unknown`. */
#define IMAGE_CHIP_NAME_SIZE 16u
const char *image_chip_name(uint16_t id, char unknown[IMAGE_CHIP_NAME_SIZE]);

/* The form's name: "esp32", "esp8266 version 2", "esp8266 arduino", "esp8266 rtos". */
const char *image_form_name(enum ota_image_form form, enum ota_image_variant variant);

/* Flash mode ("dio"), size and speed in the words of the other tools; NULL for codes without
   one. */
const char *image_flash_mode_name(uint8_t mode);
const char *image_flash_size_name(bool esp8266, uint8_t nibble);
const char *image_flash_speed_name(uint16_t chip_id, uint8_t nibble);

/* The codes of such names ("80m" or "80MHz"; "4MB"). Return false if the chip has no such code. */
bool image_flash_mode_parse(const char *text, uint8_t *mode);
bool image_flash_size_parse(bool esp8266, const char *text, uint8_t *nibble);
bool image_flash_speed_parse(uint16_t chip_id, const char *text, uint8_t *nibble);

#endif
