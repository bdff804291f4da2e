/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_DECODER_H
#define UPDRAFT_DECODER_H

/*
 * A kind of compression, as an object that a program names or does not link: it tells by the first
 * bytes whether it is meant, and becomes a sink then. gunzip.h and heatshrink.h have one each; who
 * asks them is unwrap.h.
 *
 *     static struct ota_gunzip_decoder gunzip;
 *     static struct ota_decoder *const decoders[] = {&gunzip.decoder, NULL};
 *     ota_gunzip_decoder_init(&gunzip);
 *
 *     if (decoder->recognises(decoder, head, sizeof head, is_app)) {
 *         err = decoder->begin(decoder, &options);
 *         … decoder->sink->write(decoder->sink, data, len) …
 *     }
 *
 * A decoder owns its memory and nothing else: whoever gives a stream up does not tell it.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <updraft/error.h>
#include <updraft/history.h>
#include <updraft/sink.h>

/* So many bytes tell. */
#define OTA_DECODER_HEAD 2u

struct ota_decoder_options {
    struct ota_sink *next;       /* takes what comes out; finished with the decoder's own sink */
    struct ota_history *history; /* reads what `next` has taken */
    bool allow_trailer; /* bytes that follow are passed over, where the format tells its end */
};

struct ota_decoder {
    /* Tells whether a stream is this decoder's by its first bytes: OTA_DECODER_HEAD of them, or all
       there are. `is_app` says that an app is due: what it begins with is known, so that a format
       without a magic can be told. */
    bool (*recognises)(const struct ota_decoder *decoder, const uint8_t *head, size_t len,
                       bool is_app);

    /* Begins a stream, at its first byte. Returns OTA_OK, or OTA_ERR_ARGUMENT for what the program
       set wrongly. */
    enum ota_err (*begin)(struct ota_decoder *decoder, const struct ota_decoder_options *options);

    struct ota_sink *sink;             /* where the stream goes, once begun */
    const struct ota_failure *failure; /* of it; the offset is in the compressed bytes */
};

/* Returns the first of a list that recognises a stream, or NULL. The list ends with NULL; one that
   is NULL is empty. */
struct ota_decoder *ota_decoder_find(struct ota_decoder *const *decoders, const uint8_t *head,
                                     size_t len, bool is_app);

/* Tells whether data begins as gzip does; two bytes are enough. */
bool ota_is_gzip(const void *data, size_t len);

/* Tells whether a list takes gzip: for who wants to know before anything comes. */
bool ota_decoders_take_gzip(struct ota_decoder *const *decoders);

#endif
