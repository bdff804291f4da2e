/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_SERVER_INSPECT_H
#define UPDRAFT_SERVER_INSPECT_H

/*
 * What a file is, found out from its bytes: an app image and for which chip, project and
 * version; a file system image; or just a file. And its digests.
 *
 * An app says its project and version in its descriptor. ESP8266 images, Arduino's ESP32 core
 * (whose descriptor is the core's, not the sketch's), images for the Pico and file systems have
 * none; there the file name says it: NAME[-VERSION][.KIND].bin, as in "door-1.2.0.bin",
 * "Blink.ino.bin", "door-1.2.0.littlefs.bin", "door-1.2.0.rp2040.bin", each also followed by .gz and
 * .signed, in any order.
 *
 * A file that gzip has packed is unpacked to be looked at, and its facts are of what is inside; what
 * travels is the file as it is.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <updraft/crypto.h>
#include <updraft/image.h>

enum file_kind {
    FILE_PLAIN = 0,   /* served by its name, never offered to a device */
    FILE_APP,         /* a firmware image, whole and right */
    FILE_FILE_SYSTEM, /* by its name: a LittleFS, SPIFFS or FAT image */
};

/* Ours, beside those of enum ota_chip_id: boards whose images have no header that names a chip. */
/* What each image of Arduino's core for the ESP32 calls itself: its descriptor is that of the build
   of the core's libraries, and says neither project nor version of the program. */
#define FILE_PROJECT_OF_ARDUINO "arduino-lib-builder"

#define FILE_CHIP_PICO 0x2040u
#define FILE_CHIP_NONE 0xFFFFu

struct file_facts {
    enum file_kind kind;
    enum ota_image_form form; /* OTA_IMAGE_DATA but for apps of the ESP families */
    uint16_t chip;            /* enum ota_chip_id, FILE_CHIP_PICO or FILE_CHIP_NONE */
    char project[65];         /* printable; empty where it is not known */
    char version[65];         /* likewise */
    bool is_packed;           /* by gzip */
    bool has_trailer;      /* it ends as Arduino's signed binaries do, whose signature is over what
                              travels: never to be packed or unpacked on its way */
    bool is_whole;         /* its own structure says that it ends where it does */
    uint64_t plain_size;   /* of the file, or of what it unpacks to */
    uint32_t image_length; /* without what follows the image; 0 but for apps of the ESP families */
    uint8_t spi_mode;      /* how flash is wired: byte 2 of the image */
    uint64_t flash_size;   /* bytes of flash that the image's header claims; 0: says nothing */
    uint8_t md5[OTA_MD5_SIZE]; /* of the whole file, and so on */
    uint8_t sha256[OTA_SHA256_SIZE];
    uint8_t image_md5[OTA_MD5_SIZE]; /* of the first image_length plain bytes: what a device runs */
    uint8_t image_sha256[OTA_SHA256_SIZE];
    bool has_image_digest; /* the SHA-256 inside the image: what ESP32 devices report as theirs */
    uint8_t image_digest[OTA_SHA256_SIZE];
    char problem[200]; /* why what looks like an image is none; empty: nothing to say */
};

enum inspect_result {
    INSPECT_DONE,
    INSPECT_STOPPED, /* `*stop` became true */
    INSPECT_FAILED,  /* the file could not be read or hashed; errno says why */
};

/* Reads `fd` from its first byte to its end and fills `facts`. `name` is the file's name without
   its folder. Leaves early when `*stop` becomes true. `fd` stays the caller's. */
enum inspect_result inspect_file(int fd, const char *name, uint64_t size,
                                 const struct ota_crypto *crypto, const atomic_bool *stop,
                                 struct file_facts *facts);

/* Returns the chip's name, "esp32-s3", "host", "pico"; "" for FILE_CHIP_NONE. */
const char *inspect_chip_name(uint16_t chip);

/* Returns the chip of that name, whatever its case, with or without the dash; FILE_CHIP_NONE if
   there is none. */
uint16_t inspect_chip_by_name(const char *name);

#endif
