/* SPDX-License-Identifier: Apache-2.0 */
#include "server/gzip.h"

#define GZIP_WINDOW_BITS (15 + 16) /* zlib's way to ask for gzip round the stream */
#define MEMORY_LEVEL 8             /* of 9, which packs firmware worse */
#define SYSTEM_UNKNOWN 255
#define PIECE 16384u

/* zlib counts in unsigned int. */
static uInt at_most(size_t len)
{
    return len < UINT32_MAX / 2 ? (uInt)len : UINT32_MAX / 2;
}

/* ------------------------------------------------------------------ packing */

bool gzip_pack_begin(struct gzip_packer *packer,
                     bool (*put)(void *context, const void *data, size_t len), void *context)
{
    *packer =
        (struct gzip_packer){.header = {.os = SYSTEM_UNKNOWN}, .put = put, .context = context};
    if (deflateInit2(&packer->stream, Z_BEST_COMPRESSION, Z_DEFLATED, GZIP_WINDOW_BITS,
                     MEMORY_LEVEL, Z_DEFAULT_STRATEGY) != Z_OK) {
        return false;
    }
    (void)deflateSetHeader(&packer->stream, &packer->header);
    return true;
}

static bool put_all(struct gzip_packer *packer, int flush)
{
    unsigned char piece[PIECE];
    int status = Z_OK;
    do {
        packer->stream.next_out = piece;
        packer->stream.avail_out = sizeof piece;
        status = deflate(&packer->stream, flush);
        const size_t len = sizeof piece - packer->stream.avail_out;
        if (len > 0 && !packer->put(packer->context, piece, len)) {
            return false;
        }
    } while (packer->stream.avail_out == 0 && status == Z_OK);
    return flush != Z_FINISH || status == Z_STREAM_END;
}

bool gzip_pack(struct gzip_packer *packer, const void *data, size_t len)
{
    const unsigned char *at = data;
    bool good = true;
    while (good && len > 0) {
        packer->stream.next_in = at;
        packer->stream.avail_in = at_most(len);
        at += packer->stream.avail_in;
        len -= packer->stream.avail_in;
        good = put_all(packer, Z_NO_FLUSH);
    }
    return good;
}

bool gzip_pack_end(struct gzip_packer *packer)
{
    packer->stream.avail_in = 0;
    const bool good = put_all(packer, Z_FINISH);
    (void)deflateEnd(&packer->stream);
    return good;
}

/* ------------------------------------------------------------------ unpacking */

static void stop(struct gzip_unpacker *unpacker, enum gzip_state state, const char *problem)
{
    unpacker->state = state;
    unpacker->problem = problem;
}

void gzip_unpack_begin(struct gzip_unpacker *unpacker)
{
    *unpacker = (struct gzip_unpacker){.state = GZIP_UNPACKING};
    unpacker->is_begun = inflateInit2(&unpacker->stream, GZIP_WINDOW_BITS) == Z_OK;
    if (!unpacker->is_begun) {
        stop(unpacker, GZIP_NO_MEMORY, "no memory");
    }
}

void gzip_unpack(struct gzip_unpacker *unpacker, const void *data, size_t len)
{
    unpacker->stream.next_in = data;
    unpacker->stream.avail_in = at_most(len);
}

bool gzip_unpack_next(struct gzip_unpacker *unpacker, void *data, size_t capacity, size_t *len)
{
    z_stream *stream = &unpacker->stream;
    *len = 0;
    if (unpacker->state != GZIP_UNPACKING) {
        return false;
    }
    const uInt before = stream->avail_in;
    stream->next_out = data;
    stream->avail_out = at_most(capacity);
    const uInt room = stream->avail_out;
    const int status = inflate(stream, Z_NO_FLUSH);
    *len = room - stream->avail_out;
    unpacker->taken += before - stream->avail_in;
    unpacker->given += *len;
    if (status == Z_STREAM_END) {
        unpacker->state = GZIP_WHOLE;
    } else if (status == Z_MEM_ERROR) {
        stop(unpacker, GZIP_NO_MEMORY, "no memory");
    } else if (status != Z_OK && status != Z_BUF_ERROR) {
        stop(unpacker, GZIP_DAMAGED, stream->msg != NULL ? stream->msg : "it makes no sense");
    }
    return *len > 0;
}

void gzip_unpack_end(struct gzip_unpacker *unpacker)
{
    if (unpacker->is_begun) {
        (void)inflateEnd(&unpacker->stream);
        unpacker->is_begun = false;
    }
}
