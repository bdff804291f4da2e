/* SPDX-License-Identifier: Apache-2.0 */
#include "support/gzip_file.h"

#include <zlib.h>

#define WITH_GZIP_HEADER (MAX_WBITS + 16)
#define MEMORY_LEVEL 8

size_t gzip_file_make(uint8_t *file, size_t capacity, const void *data, size_t len)
{
    z_stream stream = {.next_in = data, .avail_in = (uInt)len, .avail_out = (uInt)capacity};

    stream.next_out = file;
    if (deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, WITH_GZIP_HEADER, MEMORY_LEVEL,
                     Z_DEFAULT_STRATEGY) != Z_OK) {
        return 0;
    }
    int end = deflate(&stream, Z_FINISH);
    size_t made = stream.total_out;
    deflateEnd(&stream);
    return end == Z_STREAM_END ? made : 0;
}
