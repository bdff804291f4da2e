/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_SERVER_GZIP_H
#define UPDRAFT_SERVER_GZIP_H

/*
 * gzip (RFC 1952) on hosts, by zlib, in pieces of any length and in constant memory.
 *
 *     struct gzip_packer packer;
 *     good = gzip_pack_begin(&packer, put, file) && gzip_pack(&packer, data, len) && …
 *     good = gzip_pack_end(&packer) && good;
 *
 *     struct gzip_unpacker unpacker;
 *     gzip_unpack_begin(&unpacker);
 *     gzip_unpack(&unpacker, data, len);
 *     while (gzip_unpack_next(&unpacker, piece, sizeof piece, &len)) …
 *     … unpacker.state, .taken, .given
 *     gzip_unpack_end(&unpacker);
 *
 * What is packed is one member at the best level, without a time, a name or a system, so that equal
 * bytes give equal files.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <zlib.h>

/* What unpacks to more is no image: no flash chip of a microcontroller is so large. */
#define GZIP_PLAIN_MAX (UINT64_C(256) << 20)

struct gzip_packer {
    z_stream stream;
    gz_header header;
    bool (*put)(void *context, const void *data, size_t len); /* false: it cannot be kept */
    void *context;
};

/* Return false without memory, or when `put` did. A packer that could not be begun needs no end. */
bool gzip_pack_begin(struct gzip_packer *packer,
                     bool (*put)(void *context, const void *data, size_t len), void *context);
bool gzip_pack(struct gzip_packer *packer, const void *data, size_t len);

/* Puts what is left, and frees. */
bool gzip_pack_end(struct gzip_packer *packer);

enum gzip_state {
    GZIP_UNPACKING = 0,
    GZIP_WHOLE,    /* the member has ended, and its sum and length are right */
    GZIP_DAMAGED,  /* see `problem` */
    GZIP_NO_MEMORY /* likewise */
};

struct gzip_unpacker {
    enum gzip_state state;
    const char *problem; /* in zlib's words; NULL if there is none */
    uint64_t taken;      /* packed bytes that are used up; when WHOLE, how long the member is */
    uint64_t given;      /* bytes that have come out */

    /* Private. */
    z_stream stream;
    bool is_begun;
};

void gzip_unpack_begin(struct gzip_unpacker *unpacker);

/* Hands over packed bytes. They stay the caller's, and as they are, until gzip_unpack_next has
   returned false. What follows the member is left alone. */
void gzip_unpack(struct gzip_unpacker *unpacker, const void *data, size_t len);

/* Writes the next bytes that come out of what was handed over. Returns false when there are none. */
bool gzip_unpack_next(struct gzip_unpacker *unpacker, void *data, size_t capacity, size_t *len);

/* Frees. The state and the counts stay. */
void gzip_unpack_end(struct gzip_unpacker *unpacker);

#endif
