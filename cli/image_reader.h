/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_CLI_IMAGE_READER_H
#define UPDRAFT_CLI_IMAGE_READER_H

/*
 * All facts of an image file, read in one pass through the library's own check: files of any
 * length, pipes too, in constant memory. A file that gzip has packed is unpacked on the way if that
 * is asked for, and the facts are of what is inside.
 */

#include <stdbool.h>
#include <stdint.h>

#include <updraft/image.h>

#include "cli/signature_reader.h"

/* An Arduino file has two images of at most 16 segments each. */
#define IMAGE_REPORT_SEGMENTS (2 * OTA_IMAGE_SEGMENTS_MAX)

struct image_report_segment {
    uint32_t offset;  /* of its header in the file */
    uint32_t address; /* where it is loaded or mapped */
    uint32_t length;
};

struct image_report {
    const char *path; /* as given */
    const char *name; /* to print: "<stdin>" for "-" */
    uint8_t first[8]; /* bytes of the file, zero where it is shorter */
    struct ota_image image;
    struct ota_failure failure; /* OTA_OK: the image is whole and right */
    enum ota_image_role role;
    uint16_t chip;        /* OTA_CHIP_ESP8266 for its forms */
    uint16_t wanted_chip; /* the one that was asked for */
    struct image_report_segment segments[IMAGE_REPORT_SEGMENTS];
    unsigned segment_count;

    bool checksum_known, digest_known; /* the file reaches far enough */
    uint8_t checksum_stored;           /* beside image.checksum, what the data give */
    uint8_t digest_stored[OTA_SHA256_SIZE];
    uint8_t digest_computed[OTA_SHA256_SIZE];
    bool checksum_good, digest_good;

    bool is_packed;          /* by gzip */
    uint64_t packed_size;    /* bytes of the file, trailer and all */
    uint64_t packed_trailer; /* bytes of it behind what is packed */

    uint64_t file_size;                   /* bytes read, unpacked */
    bool has_file_digest;                 /* a whole image, and nothing but what may follow one */
    uint8_t file_digest[OTA_SHA256_SIZE]; /* SHA-256 of all bytes */
    uint64_t trailer;                     /* bytes behind the image */
    bool trailer_is_filler;               /* they are all 0xFF or all zero */
    struct signature_found signature;     /* of an image that is whole and right */
};

struct image_reading {
    enum ota_image_form form; /* OTA_IMAGE_DETECT finds out */
    bool bootloader;          /* judge it as a bootloader even if it looks like an app */
    bool lenient;             /* to show facts: judge what is no app as a bootloader */
    struct ota_chip chip;
    uint32_t secure_version_floor;
    size_t rsa_len; /* as in signature_reader */
    bool unpack;    /* what gzip has packed */
};

/* Reads the image at `path` ("-": standard input) and fills in the report, also about an image that
   is wrong. Returns 0, or 1 after a message if the file cannot be read or is empty. */
int image_read(const char *path, const struct image_reading *reading, struct image_report *report);

/* Returns how many bytes of each hundred are left of a packed image. */
double image_report_percent(const struct image_report *report);

/* Says what is wrong with the packing of an image that is right itself: something follows it that
   is no signature, and devices refuse that. Returns 0, or 1 after a message. */
int image_report_check_packing(const struct image_report *report);

/* Says in one sentence what is wrong with the image: what, where, what to do. `if_bootloader` is
   what to do about one that may be a bootloader's ("say --bootloader"). Returns 1. */
int image_report_fail(const struct image_report *report, const char *if_bootloader);

#endif
