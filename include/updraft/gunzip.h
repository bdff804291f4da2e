/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_GUNZIP_H
#define UPDRAFT_GUNZIP_H

/*
 * gzip (RFC 1952) as a sink: compressed bytes are written into it, and what they stand for goes on
 * to the next sink.
 *
 *     struct ota_gunzip gunzip;
 *     const struct ota_gunzip_options options = {.next = &writer.sink, .history = &slot.history};
 *     ota_gunzip_begin(&gunzip, &options);
 *     while (err == OTA_OK && receive(data, &len)) {
 *         err = gunzip.sink.write(&gunzip.sink, data, len);
 *     }
 *     err = err == OTA_OK ? gunzip.sink.finish(&gunzip.sink) : err;
 *
 * Any level and kind of block; all optional fields of the header, which are passed over; one
 * member. The header's checksum, if it has one, and the checksum and length at the end are
 * compared. How much may come out is for the next sink to say: when it refuses, this one stops.
 *
 *     header ----> data ----> checksum and length ----> trailer ----> finished
 *
 * What it reads, and how much memory it takes: docs/formats/gzip.md.
 */

#include <updraft/decoder.h>
#include <updraft/inflate.h>

/* As ota_crc32. */
typedef uint32_t ota_crc32_fn(uint32_t crc, const void *data, size_t len);

struct ota_gunzip_options {
    struct ota_sink *next;       /* finished and aborted with this one */
    struct ota_history *history; /* reads what `next` has taken */
    ota_crc32_fn *crc32;         /* NULL: one with a table of 512 bytes; a chip may have its own */
    uint32_t max_size;           /* compressed bytes that may come, trailer and all; 0: any */
    bool allow_trailer;          /* bytes that follow the member are passed over, else refused */
};

/* Sums what comes out. */
struct ota_gunzip_output {
    struct ota_sink sink; /* first */
    struct ota_sink *next;
    ota_crc32_fn *crc32;
    uint32_t crc;
};

struct ota_gunzip {
    struct ota_sink sink; /* first */

    /* To be read by anyone. */
    struct ota_failure failure; /* the first cause, and its offset in the compressed bytes */
    uint32_t taken;             /* compressed bytes that came */
    uint32_t trailer;           /* of them, bytes that followed the member */

    /* Private. */
    struct ota_gunzip_output output;
    uint32_t max_size;
    bool allow_trailer;
    uint8_t step;
    uint8_t flags;     /* of the header */
    uint8_t count;     /* bytes of the present field that came */
    uint16_t left;     /* bytes of the extra field to come */
    uint32_t value;    /* of a field that is a number, as far as it came */
    uint32_t head_crc; /* of the header so far */
    struct ota_inflate inflate;
};

/*
 * Begins. Its sink's write returns OTA_OK; OTA_ERR_COMPRESSION for what is not gzip, or gzip with a
 * method or a field that nobody has defined; OTA_ERR_COMPRESSED_DATA for data that is damaged;
 * OTA_ERR_COMPRESSED_SUM if a checksum or the length differs; OTA_ERR_COMPRESSED_TRAILER for bytes
 * that follow; OTA_ERR_TOO_LARGE for more than may come, or 4 GB; or the error of the next sink or
 * of the history. Its finish returns OTA_ERR_INCOMPLETE if the end did not come, and else what the
 * next sink's finish does. After that, both return OTA_ERR_STATE.
 */
void ota_gunzip_begin(struct ota_gunzip *gunzip, const struct ota_gunzip_options *options);

/* gzip for whoever takes several kinds of compression. It does not move while it is used. */
struct ota_gunzip_decoder {
    struct ota_decoder decoder; /* first */
    struct ota_gunzip gunzip;
};

void ota_gunzip_decoder_init(struct ota_gunzip_decoder *decoder);

#endif
