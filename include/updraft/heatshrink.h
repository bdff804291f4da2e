/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_HEATSHRINK_H
#define UPDRAFT_HEATSHRINK_H

/*
 * The compression of the heatshrink library as a sink, for senders that use it: it compresses less
 * than gzip, and its decoder is a few hundred bytes of code.
 *
 *     struct ota_heatshrink heatshrink;
 *     const struct ota_heatshrink_options options = {
 *         .next = &writer.sink, .history = &slot.history,
 *         .window_bits = 11, .lookahead_bits = 4, .size = OTA_SIZE_UNKNOWN};
 *     err = ota_heatshrink_begin(&heatshrink, &options);
 *     … as gunzip.h …
 *
 * Such a stream has no header, no length and no checksum. Sender and device must have agreed on the
 * two numbers of bits, and something else must prove what comes out: the image's own hash, or a
 * digest. Where the size is known, say it: then a stream that is cut, or that is too long, is
 * refused. Where it is not, the stream ends where the input does. docs/formats/gzip.md section 5.
 */

#include <stdbool.h>
#include <stdint.h>

#include <updraft/decoder.h>
#include <updraft/error.h>
#include <updraft/history.h>
#include <updraft/sink.h>

#define OTA_HEATSHRINK_WINDOW_BITS_MIN 4u
#define OTA_HEATSHRINK_WINDOW_BITS_MAX 15u
#define OTA_HEATSHRINK_LOOKAHEAD_BITS_MIN 3u /* and at most those of the window, less one */

struct ota_heatshrink_options {
    struct ota_sink *next;       /* finished and aborted with this one */
    struct ota_history *history; /* reads what `next` has taken */
    uint8_t window_bits;         /* of how far back a copy reaches */
    uint8_t lookahead_bits;      /* of how long it is */
    uint32_t size;               /* of what comes out, or OTA_SIZE_UNKNOWN */
};

struct ota_heatshrink {
    struct ota_sink sink; /* first */

    /* To be read by anyone. */
    struct ota_failure failure; /* the first cause, and its offset in the compressed bytes */
    uint32_t taken;             /* compressed bytes that came */

    /* Private. */
    struct ota_heatshrink_options options;
    bool is_finished;
    uint8_t count;     /* how many bits there are in */
    uint32_t bits;     /* what was taken and not used, the lowest bit last; above, what was used */
    uint32_t distance; /* of a copy whose length is to come; 0: none */
    struct ota_recent recent;
};

/*
 * Begins. Returns OTA_OK, or OTA_ERR_ARGUMENT for numbers of bits that are not possible.
 *
 * Its sink's write returns OTA_OK; OTA_ERR_COMPRESSED_DATA if more comes out than was to;
 * OTA_ERR_COMPRESSED_TRAILER for bytes that follow; OTA_ERR_TOO_LARGE for almost 4 GB; or the error
 * of the next sink or of the history. Its finish returns OTA_ERR_INCOMPLETE if less came out than
 * was to, or the stream ends in the middle, as far as that shows; and else what the next sink's
 * finish does. After that, both return OTA_ERR_STATE.
 */
enum ota_err ota_heatshrink_begin(struct ota_heatshrink *heatshrink,
                                  const struct ota_heatshrink_options *options);

/*
 * Heatshrink for whoever takes several kinds of compression. It has no magic: what is recognised is
 * an app, by the bits that its first byte (0xE9 or 0xEA) becomes. Data is never taken for it. It
 * does not move while it is used.
 */
struct ota_heatshrink_decoder {
    struct ota_decoder decoder; /* first */
    uint8_t window_bits;
    uint8_t lookahead_bits;
    struct ota_heatshrink heatshrink;
};

/* The numbers of bits are judged when a stream begins. */
void ota_heatshrink_decoder_init(struct ota_heatshrink_decoder *decoder, uint8_t window_bits,
                                 uint8_t lookahead_bits);

#endif
