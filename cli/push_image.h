/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_CLI_PUSH_IMAGE_H
#define UPDRAFT_CLI_PUSH_IMAGE_H

/*
 * The file that is pushed: what it is, and whether it is for the board that a device says it is.
 *
 *     struct push_image image;
 *     if (push_image_open(&image, path, is_data) != 0) return COMMAND_FAILED;
 *     if (push_image_misfit(&image, "d1_mini", 8266, false, text) != NULL) ...
 *     push_image_close(&image);
 */

#include <stdbool.h>
#include <stdint.h>

#include <updraft/crypto.h>
#include <updraft/image.h>

#include "cli/files.h"

enum push_image_kind {
    PUSH_IMAGE_DATA = 0, /* for the file system: any bytes */
    PUSH_IMAGE_APP,      /* whole and right */
    PUSH_IMAGE_PACKED,   /* compressed by gzip, as ESP8266 and RP2040 take it */
    PUSH_IMAGE_SHRUNK,   /* compressed by heatshrink, for a device that is set to it */
    PUSH_IMAGE_UNKNOWN,  /* no image of a known form */
    PUSH_IMAGE_BROKEN,   /* an image that is wrong somewhere */
};

struct push_image {
    const char *name; /* to print */
    struct files_content content;
    uint8_t md5[OTA_MD5_SIZE];
    enum push_image_kind kind;
    struct ota_failure failure; /* of an image that is BROKEN or UNKNOWN */
    uint16_t chip; /* of an APP, a PACKED or a BROKEN one; OTA_CHIP_ANY if it is not known */
    struct ota_app_descriptor descriptor;
    bool has_descriptor;
};

/* Reads the file ("-": standard input) and finds out what it is. Returns 0, or 1 after a
   message. */
int push_image_open(struct push_image *image, const char *path, bool is_data);
void push_image_close(struct push_image *image);

/* Says what is wrong with the file as a firmware for an ESP; NULL if it may be one. `text` holds
   what is written. */
#define PUSH_IMAGE_TEXT_SIZE 512u
const char *push_image_problem(const struct push_image *image, char text[PUSH_IMAGE_TEXT_SIZE]);

/* Says why the file is not for a device that calls its board `board` (NULL: it does not say), is
   asked at `port`, and says whether it takes gzip; NULL if it may be for it. */
const char *push_image_misfit(const struct push_image *image, const char *board, uint16_t port,
                              bool takes_gzip, char text[PUSH_IMAGE_TEXT_SIZE]);

/* The OTA port that devices usually have that the image is for. */
uint16_t push_image_usual_port(const struct push_image *image);

/* Tells whether a device has an RP2040 or one of its kind, by its board's name or its port. What is
   firmware for those is not known here. */
bool push_board_is_pico(const char *board, uint16_t port);

/* The chip that a board's name tells of, or OTA_CHIP_ANY: "esp32s3", "lolin32", "d1_mini" (at
   8266). */
uint16_t push_board_chip(const char *board, uint16_t port);

/* "garden 2.3.1", or the file's name where it does not say. */
const char *push_image_title(const struct push_image *image, char text[PUSH_IMAGE_TEXT_SIZE]);

#endif
