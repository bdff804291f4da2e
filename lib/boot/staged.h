/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BOOT_STAGED_H
#define BOOT_STAGED_H

/* What the bootloader's files for staged updates share. */

#include <updraft/staged_boot.h>

#include "format/staging.h"

/* One boot. */
struct ota__staged {
    struct ota_boot *boot;
    uint8_t *buffer; /* the caller's */
    uint32_t buffer_size;
    struct ota__staging_map map;
    struct ota__command command;
    struct ota_region source;      /* what is staged, from its first byte to its last */
    struct ota_region destination; /* where it belongs */
    bool is_data;
    uint32_t size; /* bytes that come to lie at the destination */
};

struct ota__staged_methods {
    /* Whether it is this move that the command asks for, and one that can be. */
    bool (*takes)(const struct ota__staged *staged);

    /* Carries the command out, or on, and notes how far that has come. Returns OTA_OK if there is
       nothing more to do in this boot, whatever came of it; or the error that stopped it. */
    enum ota_err (*carry_out)(const struct ota_staged_move *move, struct ota__staged *staged);

    /* The image in the app's place does not verify: puts the one that is staged there instead, if
       that one does. Returns OTA_ERR_NO_ROLLBACK if it cannot, or the error that stopped it. */
    enum ota_err (*restore)(const struct ota_staged_move *move, struct ota__staged *staged);
};

/* ---- staged_boot.c --------------------------------------------------------------------------- */

/* Tells of a failure. Returns it. */
enum ota_err ota__staged_report(const struct ota__staged *staged, enum ota_boot_event event,
                                enum ota_err err, uint32_t offset);

/* Proves what lies at `offset` of the flash as an image that is to run from the app's place: its
   structure, and its seals where the trust asks for them at boot. */
bool ota__staged_prove_image(struct ota__staged *staged, uint32_t offset);

/* Proves the image in the app's place, which is not to run any more. Returns its length; 0: it does
   not verify. */
uint32_t ota__staged_measure_app(struct ota__staged *staged);

/* Proves that the first bytes of `region` are what the command says was staged. */
bool ota__staged_has_digest(struct ota__staged *staged, const struct ota_region *region);

/* Proves what is staged as it lies there: the digest, and for an app the image. */
bool ota__staged_prove(struct ota__staged *staged);

/* Notes that it does not verify. It is not looked at again. */
enum ota_err ota__staged_refuse(struct ota__staged *staged);

/* ---- staged_place.c -------------------------------------------------------------------------- */

/* How what is staged is read. */
struct ota__staged_reader {
    /* Proves it whole, and finds out staged->size. */
    bool (*prove)(const struct ota_staged_move *move, struct ota__staged *staged);

    /* Gives it to `sink`, and finishes that, but for the first bytes that are kept. Of the buffer
       it may use the first half. */
    enum ota_err (*feed)(const struct ota_staged_move *move, const struct ota__staged *staged,
                         struct ota_sink *sink);
};

/* The bytes at the start of the destination that are not written. */
uint32_t ota__staged_kept(const struct ota__staged *staged);

/* Tells whether `size` bytes fit the destination, are more than what is kept, and do not reach to
   where they come from. */
bool ota__staged_fits(const struct ota__staged *staged, uint32_t size);

/* Carry out and restore for a move that puts what it reads in its place. */
enum ota_err ota__staged_place(const struct ota_staged_move *move, struct ota__staged *staged,
                               const struct ota__staged_reader *reader);
enum ota_err ota__staged_place_again(const struct ota_staged_move *move, struct ota__staged *staged,
                                     const struct ota__staged_reader *reader);

#endif
