/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_CLI_SIGNED_FILE_H
#define UPDRAFT_CLI_SIGNED_FILE_H

/* A file to be signed, or to be freed of its signature: all of it in memory, and what it is. */

#include <stdbool.h>
#include <stdint.h>

#include "cli/files.h"
#include "cli/signature_reader.h"

struct signed_file {
    const char *name; /* to print */
    struct files_content content;
    bool is_gzip;
    uint64_t image_len;   /* 0: no image but other data */
    bool has_secure_boot; /* an image of a form that Secure Boot is for */
    struct signature_found *found;
};

/* Reads the file ("-": standard input), checks that it is a whole image, or gzip, unless it is
   other data (`is_data`), and looks for a signature. `rsa_len` is as in signature_reader. Returns
   0, or 1 after a message. */
int signed_file_open(struct signed_file *file, const char *path, bool is_data, size_t rsa_len);
void signed_file_close(struct signed_file *file);

#endif
