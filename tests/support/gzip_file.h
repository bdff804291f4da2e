/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SUPPORT_GZIP_FILE_H
#define SUPPORT_GZIP_FILE_H

#include <stddef.h>
#include <stdint.h>

/* Compresses data into a gzip file, by zlib. Returns its length, or 0 if there is no room for it. */
size_t gzip_file_make(uint8_t *file, size_t capacity, const void *data, size_t len);

#endif
