/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_CLI_IMAGE_INPUT_H
#define UPDRAFT_CLI_IMAGE_INPUT_H

/*
 * The bytes of an image file as they will lie in flash: those of the file, or, if gzip has packed
 * it and that is wanted, what it unpacks to. Read from front to back in constant memory, and never more than any chip
 * could hold, however much a small file may unpack to (GZIP_PLAIN_MAX).
 *
 *     struct image_input input;
 *     if (image_input_open(&input, path, rsa_len) != 0) return 1;
 *     input.unpack = true;
 *     while (image_input_read(&input, data, sizeof data, &len) && len > 0) …
 *     … input.is_packed, input.file.offset, input.trailer; image_input_signature(&input, &found)
 *     image_input_close(&input);
 */

#include <stdbool.h>
#include <stdint.h>

#include "cli/files.h"
#include "cli/progress.h"
#include "cli/signature_reader.h"
#include "server/gzip.h"

struct image_input {
    struct files_source file;  /* its offset: bytes of the file that were read */
    bool unpack;               /* the holder's to set before the first read */
    struct progress *progress; /* likewise: wiped before a message; NULL: none */
    bool is_packed;            /* and is unpacked; known when something was read */
    uint64_t trailer;          /* bytes behind what is packed, once all was read */

    /* Private. */
    uint8_t *piece; /* of the file */
    size_t piece_len, piece_at;
    struct gzip_unpacker unpacker;
    struct signature_reader signatures; /* of the packed bytes, as they travel */
};

/* Opens the file ("-": standard input). `rsa_len` is as in signature_reader. Returns 0, or 1 after
   a message; there is nothing to close then. */
int image_input_open(struct image_input *input, const char *path, size_t rsa_len);

/* Reads as much as there is, at most `capacity` bytes; none are left if `*len` is 0. Returns false
   after a message, also if what is packed is damaged or too much. */
bool image_input_read(struct image_input *input, void *data, size_t capacity, size_t *len);

/* Finds a signature over the packed bytes, when all were read. Returns false if the crypto library
   failed. */
bool image_input_signature(struct image_input *input, struct signature_found *found);

void image_input_close(struct image_input *input);

#endif
