/* SPDX-License-Identifier: Apache-2.0 */
#include "server/plain.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <updraft/gunzip.h>

#include "server/gzip.h"

#define PIECE 32768u

struct work {
    struct plain_reading *reading;
    bool wants_travelling, wants_plain;
    struct gzip_unpacker unpacker;
    unsigned char piece[PIECE];
    unsigned char unpacked[PIECE];
};

static void note_last(struct plain_reading *reading, const unsigned char *data, size_t len)
{
    const size_t size = sizeof reading->last;
    if (len >= size) {
        memcpy(reading->last, data + len - size, size);
    } else {
        memmove(reading->last, reading->last + len, size - len);
        memcpy(reading->last + size - len, data, len);
    }
}

static void give_plain(struct work *work, const unsigned char *data, size_t len)
{
    struct plain_reading *reading = work->reading;
    reading->plain_size += len;
    work->wants_plain = work->wants_plain && reading->plain(reading->context, data, len);
}

static void unpack(struct work *work, size_t len)
{
    struct plain_reading *reading = work->reading;
    size_t got = 0;
    gzip_unpack(&work->unpacker, work->piece, len);
    while (reading->problem == NULL && work->wants_plain &&
           gzip_unpack_next(&work->unpacker, work->unpacked, sizeof work->unpacked, &got)) {
        if (work->unpacker.given > GZIP_PLAIN_MAX) {
            reading->problem = "unpacks to more than any flash holds";
            work->wants_plain = false;
            return;
        }
        give_plain(work, work->unpacked, got);
    }
    if (work->unpacker.problem != NULL) {
        reading->problem = work->unpacker.problem;
        work->wants_plain = false;
    }
}

static void take_piece(struct work *work, size_t len)
{
    struct plain_reading *reading = work->reading;
    if (reading->size == 0 && ota_is_gzip(work->piece, len)) {
        reading->is_packed = true;
        gzip_unpack_begin(&work->unpacker);
    }
    reading->size += len;
    note_last(reading, work->piece, len);
    work->wants_travelling =
        work->wants_travelling && reading->travels(reading->context, work->piece, len);
    if (reading->is_packed) {
        unpack(work, len);
    } else {
        give_plain(work, work->piece, len);
    }
}

static void conclude(struct work *work)
{
    struct plain_reading *reading = work->reading;
    if (!reading->is_packed) {
        return;
    }
    reading->packed_size = work->unpacker.taken;
    if (work->unpacker.state == GZIP_UNPACKING && work->wants_plain) {
        reading->problem = "it ends too early";
    }
    gzip_unpack_end(&work->unpacker);
}

static bool read_all(int fd, struct work *work)
{
    struct plain_reading *reading = work->reading;
    while (!atomic_load(reading->stop) && (work->wants_travelling || work->wants_plain)) {
        const ssize_t got = pread(fd, work->piece, sizeof work->piece, (off_t)reading->size);
        if (got < 0 && errno != EINTR) {
            return false;
        }
        if (got == 0) {
            return true;
        }
        if (got > 0) {
            take_piece(work, (size_t)got);
        }
    }
    return !atomic_load(reading->stop);
}

bool plain_read(int fd, struct plain_reading *reading)
{
    struct work work = {
        .reading = reading,
        .wants_travelling = reading->travels != NULL,
        .wants_plain = reading->plain != NULL,
    };
    const bool good = read_all(fd, &work);
    conclude(&work);
    return good;
}
