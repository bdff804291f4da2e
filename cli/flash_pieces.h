/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_FLASH_PIECES_H
#define CLI_FLASH_PIECES_H

/*
 * A chip's image as the pieces it is put together from (docs/formats/flash-layout.md section 3):
 * each a stretch of bytes at an address of the flash; 0xFF between them. Files are mapped and
 * written through, so an image of a gigabyte takes no memory.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/files.h"

#define FLASH_PIECES_MAX 128u

struct flash_piece {
    uint32_t offset; /* on the flash */
    struct files_content content;
    const char *label; /* what it is: "bootloader", a partition's name */
    const char *path;  /* the file it came from, or NULL */
};

struct flash_pieces {
    struct flash_piece piece[FLASH_PIECES_MAX];
    size_t count;
};

/* Adds a piece, which takes over the content (also when it fails). Returns 0, or 1 after a message
   if it overlaps another one. */
int flash_pieces_add(struct flash_pieces *pieces, const char *label, const char *path,
                     uint32_t offset, struct files_content content);

/* Maps the file and adds it; it must not be larger than `room`, which `where` names in messages. */
int flash_pieces_add_file(struct flash_pieces *pieces, const char *label, const char *path,
                          uint32_t offset, uint64_t room);

/* Writes everything from address `start` on, padded to the address `end` (0: as far as the pieces
   go), to the file, which appears whole or not at all. Stores the file's length. Returns 0, or 1
   after a message, also if a piece lies below `start` or reaches beyond `end`. */
int flash_pieces_write(struct flash_pieces *pieces, uint64_t start, uint64_t end, const char *path,
                       uint64_t *length);

/* Frees all content. */
void flash_pieces_release(struct flash_pieces *pieces);

#endif
