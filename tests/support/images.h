/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SUPPORT_IMAGES_H
#define SUPPORT_IMAGES_H

/*
 * Firmware images and partition tables for tests, made from a few facts. They are written here byte
 * by byte from docs/formats/image.md and docs/formats/partition-table.md, not by the library: what
 * a test feeds the library must not come out of it.
 *
 *     uint8_t bytes[1024];
 *     size_t len = image_make(bytes, sizeof bytes, &(struct image_facts){.version = "1.0.0"});
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The smallest image: headers, one segment that holds only a descriptor, checksum, SHA-256. */
#define IMAGE_SIZE_MIN 336u

struct image_facts {
    uint16_t chip;       /* chip id of the extended header */
    uint32_t size;       /* of the file, rounded up to what the format allows; 0: the smallest */
    const char *version; /* NULL: "1.0.0" */
    const char *project; /* NULL: "test" */
    uint32_t secure_version; /* of the descriptor */
    uint32_t seed;           /* of the payload's bytes */
    uint32_t period;         /* they come again after so many; 0: they do not */
    const uint8_t *payload;  /* as many bytes as the file: the seed's are not used. NULL: none */
    bool plain;              /* no SHA-256 at the end */
    /* Stretches of the file, [from, to), that are not the seed's: all 0xFF; or the same bytes in
       every image that has the stretch. Only payload changes: headers and descriptor stand. */
    uint32_t blank_from, blank_to;
    uint32_t common_from, common_to;
};

/* Writes an ESP32-form app image, which runs from RAM and therefore has no alignment to keep.
   Returns its length, or 0 if it does not fit. */
size_t image_make(uint8_t *image, size_t capacity, const struct image_facts *facts);

struct table_row {
    uint8_t type, subtype;
    uint32_t offset, size;
    const char *label;
    uint32_t flags;
};

#define TABLE_SIZE 0xC00u

/* Writes a partition table of `rows` rows, with an MD5 row if asked for. */
void table_make(uint8_t table[TABLE_SIZE], const struct table_row *row, size_t rows, bool md5);

/* The n-th word of the stream of pseudo-random numbers that `seed` names. */
uint32_t noise(uint64_t seed, uint64_t n);

#endif
