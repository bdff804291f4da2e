/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_UNWRAP_H
#define UPDRAFT_UNWRAP_H

/*
 * Taking the wrapping off what arrives: the stage between ota_update_write and what is stored. It
 * unpacks compressed images and data, and checks the signature that follows them (trust.h) and
 * takes it away. An update that names none stores what arrives, and links nothing of this.
 *
 *     static struct ota_gunzip_decoder gunzip;
 *     static struct ota_decoder *const decoders[] = {&gunzip.decoder, NULL};
 *     static struct ota_unwrap unwrap;
 *
 *     ota_gunzip_decoder_init(&gunzip);
 *     ota_unwrap_init(&unwrap, decoders);
 *     options.unwrap = &unwrap;                     of an update, an intake or an agent
 *
 *     arrives --> held back --> plain: ------------------> check, write   (what is stored)
 *                     |     '-> compressed: --> decoder ---'
 *                     '- at the end: a trailer, which is judged and dropped; or else the last bytes
 *
 * The first two bytes tell which it is, before anything is changed:
 *
 *     compressed   a decoder of the list recognises it, for an app or for data. How much will be
 *                  stored is not known: the partition is the limit. It cannot be resumed
 *     plain        it goes on as it is, and is resumed as without this stage: what was held back
 *                  is wanted again. An app that is gzip, and that no decoder takes, is
 *                  OTA_ERR_COMPRESSED
 *
 * A device whose trust has `arduino` holds back as many bytes as the longest trailer has. At the
 * end one of its keys has signed all that precedes the trailer, as it arrived, compressed or not;
 * or none has. In the first case the trailer is dropped. Else the update is refused:
 * OTA_ERR_SIGNATURE_MISSING, OTA_ERR_SIGNATURE, or the verifier's error. But for a trust with
 * `only_report`, where all of it is taken, whatever follows an image being passed over; and for one
 * with seals, which may make good for it. update->signature tells which it was.
 *
 * Any digest that is expected is one of all that arrives, trailer included.
 *
 * What may arrive, beyond the size that was announced, is limited: the partition's size, an eighth
 * more if there are decoders (no compression adds that much to what it cannot compress), and the
 * trailer. DESIGN.md, "Wrapping".
 */

#include <stdbool.h>
#include <stdint.h>

#include <updraft/arduino_signature.h>
#include <updraft/crypto.h>
#include <updraft/decoder.h>
#include <updraft/history.h>
#include <updraft/sink.h>

struct ota_update;

/* What a decoder puts out goes to its update, and what it reads again comes from there. */
struct ota_unwrap_output {
    struct ota_sink sink; /* first */
    struct ota_update *update;
};

struct ota_unwrap_history {
    struct ota_history history; /* first */
    const struct ota_update *update;
};

/* The caller's until the update is over. It does not move while it is used. */
struct ota_unwrap {
    /* Private. */
    const struct ota__unwrap_methods *methods;
    struct ota_decoder *const *decoders;
    struct ota_decoder *decoder; /* of the present stream; NULL: it is plain */
    struct ota_unwrap_output output;
    struct ota_unwrap_history history;
    struct ota_hash hash; /* SHA-256 of compressed bytes that were held back no longer */
    bool hash_begun;
    bool is_settled;   /* whether it is compressed */
    uint16_t hold;     /* bytes to hold back */
    uint16_t tail_len; /* of them, those that are here */
    uint32_t most;     /* bytes that may arrive */
    uint8_t tail[OTA_ARDUINO_TAIL_MAX];
};

/* Prepares it. `decoders` ends with NULL, or is NULL: nothing compressed is taken. It is kept, and
   asked in its order. */
void ota_unwrap_init(struct ota_unwrap *unwrap, struct ota_decoder *const *decoders);

#endif
