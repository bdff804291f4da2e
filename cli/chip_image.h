/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_CHIP_IMAGE_H
#define CLI_CHIP_IMAGE_H

/*
 * A file that holds what a whole flash chip holds, or its first part, as a flash device: so that
 * the library reads and changes it as it does on a board. The file is mapped, not read, and stays
 * as it is until chip_image_save.
 *
 *     struct chip_image chip;
 *     if (chip_image_open(&chip, path, 0) == 0 &&
 *         chip_image_open_table(&chip, offset, &table) == 0) ...
 *     chip_image_close(&chip);
 */

#include <stdint.h>

#include <updraft/flash.h>
#include <updraft/partition.h>

#include "cli/files.h"

#define CHIP_IMAGE_LIMIT (UINT64_C(1) << 30) /* bytes of a file */
#define CHIP_IMAGE_SECTOR 0x1000u

struct chip_image {
    struct ota_flash flash; /* first: the driver gets its own back by a cast */
    struct files_content content;
    const char *path; /* the caller's */
};

/* Maps the file. `size` is the chip's, at least the file's; 0 takes the smallest power of two that
   holds the file, 1 MB at the least. What the file does not reach reads as 0xFF and cannot be
   programmed. Returns 0, or 1 after a message. */
int chip_image_open(struct chip_image *chip, const char *path, uint32_t size);

/* The same for bytes in memory, which the chip image takes over; it has their size. */
void chip_image_adopt(struct chip_image *chip, const char *path, struct files_content content);

/* Opens the partition table in the image, verified as the library does. Where the chip's size was
   guessed it grows to hold every partition. Returns 0, or 1 after a message. */
int chip_image_open_table(struct chip_image *chip, uint32_t offset,
                          struct ota_partition_table *table);

/* Writes the image as it is now over its file, which appears whole or not at all. Returns 0, or 1
   after a message. */
int chip_image_save(const struct chip_image *chip);

void chip_image_close(struct chip_image *chip);

#endif
