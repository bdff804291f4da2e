/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_SERVER_PLAIN_H
#define UPDRAFT_SERVER_PLAIN_H

/*
 * A file read from front to back for both of what it is: the bytes that travel, and the plain bytes
 * that they stand for, which are the same unless gzip has packed them.
 *
 *     struct plain_reading reading = {.travels = hash, .plain = check, .context = …, .stop = &stop};
 *     if (!plain_read(fd, &reading)) … errno, or told to stop
 *     … reading.is_packed, .size, .plain_size, .problem
 *
 * However much a small file unpacks to, no more than GZIP_PLAIN_MAX bytes are looked at.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct plain_reading {
    /* What is done with the bytes: NULL: nothing. Return false to have no more of them. */
    bool (*travels)(void *context, const void *data, size_t len);
    bool (*plain)(void *context, const void *data, size_t len);
    void *context;
    const atomic_bool *stop; /* leave when it becomes true */

    /* The answer. When neither wants more bytes, it is about those that were read. */
    bool is_packed;
    uint64_t size;        /* of the file */
    uint64_t packed_size; /* of it, what is packed: the rest is a trailer. 0 if it is plain */
    uint64_t plain_size;
    uint8_t last[4];     /* bytes of the file; zeros in front where it has fewer */
    const char *problem; /* what is wrong with the packing; NULL: nothing */
};

/* Reads `fd` from its first byte. Returns false with errno, or when told to stop. */
bool plain_read(int fd, struct plain_reading *reading);

#endif
