/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_INFLATE_H
#define UPDRAFT_INFLATE_H

/*
 * DEFLATE (RFC 1951), decoded as it comes, without a window of 32 KB: what was put out long ago is
 * read again (history.h). All of it is one object of less than 4 KB.
 *
 *     struct ota_inflate inflate;
 *     ota_inflate_begin(&inflate, &next, &history);
 *     while (receive(data, &len)) {
 *         err = ota_inflate_write(&inflate, data, len, &taken);
 *         if (err != OTA_OK || inflate.is_ended) … data + taken is what follows the stream …
 *     }
 *
 * gunzip.h puts the container of gzip round it. docs/formats/gzip.md section 2.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <updraft/error.h>
#include <updraft/history.h>
#include <updraft/sink.h>

#define OTA_INFLATE_LITERALS 288u    /* symbols of the literal and length code */
#define OTA_INFLATE_DISTANCES 32u    /* and of the distance code */
#define OTA_INFLATE_LITERAL_BITS 9u  /* codes up to this length are found by one look */
#define OTA_INFLATE_DISTANCE_BITS 7u /* this one holds the code of the code lengths too */

struct ota_inflate {
    /* To be read by anyone. */
    bool is_ended; /* the last block is over */

    /* Private. */
    bool is_last; /* block */
    uint8_t step;
    uint8_t ahead_count; /* how many bits there are in */
    size_t ahead;        /* what was taken from the input and not used, the next bit lowest */
    enum ota_err err;    /* the first, which stays */
    uint16_t literals, distances; /* how many codes this block has, */
    uint16_t known;               /* how many of their lengths are known, */
    uint8_t code_lengths;         /* and in how many lengths the code of these is told */
    uint8_t symbol; /* of a length, then of a distance, whose further bits are to come */
    uint16_t left;  /* bytes of a stored block, or of a copy */

    uint16_t literal_counts[16], distance_counts[16]; /* codes of each length */
    uint16_t literal_symbols[OTA_INFLATE_LITERALS];   /* in the order of their codes */
    uint16_t distance_symbols[OTA_INFLATE_DISTANCES];
    uint16_t distance_table[1u << OTA_INFLATE_DISTANCE_BITS];
    union {
        uint16_t literal_table[1u << OTA_INFLATE_LITERAL_BITS];
        uint8_t lengths[OTA_INFLATE_LITERALS + OTA_INFLATE_DISTANCES]; /* until the table is made */
    };
    struct ota_recent recent;
};

/* Begins a stream whose bytes go to `next`, and are read again through `history`. */
void ota_inflate_begin(struct ota_inflate *inflate, struct ota_sink *next,
                       struct ota_history *history);

/*
 * Takes the next bytes, any number: `*taken` says how many, which is fewer than `len` only after an
 * error or when the stream is ended; what follows it is not touched then. What is decoded goes to
 * `next` in pieces, the last of them at the end. Returns OTA_OK; OTA_ERR_COMPRESSED_DATA for what
 * is no DEFLATE stream; OTA_ERR_TOO_LARGE for almost 4 GB; or the error of `next` or of `history`,
 * for good.
 */
enum ota_err ota_inflate_write(struct ota_inflate *inflate, const void *data, size_t len,
                               size_t *taken);

#endif
