/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_STAGED_GZIP_H
#define UPDRAFT_STAGED_GZIP_H

/*
 * gzip for a device whose bootloader inflates (staging.h, `inflates`): what arrives is staged as it
 * is. Takes the place of ota_gunzip_decoder in the list of such a device.
 *
 *     static struct ota_staged_gzip gzip;
 *     static struct ota_decoder *const decoders[] = {&gzip.decoder, NULL};
 *     ota_staged_gzip_init(&gzip, NULL, 0);
 *     ota_unwrap_init(&unwrap, decoders);
 *
 * On the way it looks into it: the image says what it is (so that gates can judge) and is checked,
 * as far as memory reaches. With a window (window.h) that is all of it. Without, it is the
 * beginning of the image and, at the end, the length that it will have; the bootloader then proves
 * the whole before it erases anything.
 *
 * If the update's buffer holds a sector, nothing is changed before the image has said what it is.
 * With a smaller one that is so only where the first 256 compressed bytes tell it (or those of the
 * first write, if they are more): a long name in the file, or a long table of codes, is too much.
 *
 * Data that does not fit the staging region is written in place, and inflated for that.
 *
 * OTA_ERR_TOO_LARGE if what comes out is too large for its place. OTA_ERR_COMPRESSED where the
 * device's trust has seals (trust.h), before anything is changed. They are asked about what lies on
 * the flash, and that is compressed until the bootloader, which may be to ask as well, has put it
 * in place of the old image.
 */

#include <stdbool.h>
#include <stdint.h>

#include <updraft/decoder.h>
#include <updraft/gunzip.h>
#include <updraft/window.h>

struct ota_update;

/* Takes what comes out, and gives it to the update's check. */
struct ota_staged_gzip_output {
    struct ota_sink sink; /* first */
    struct ota_update *update;
    struct ota_window *window;
};

/* It does not move while it is used. */
struct ota_staged_gzip {
    struct ota_decoder decoder; /* first */

    /* Private. */
    struct ota_sink sink; /* takes what arrives */
    struct ota_sink *next;
    struct ota_failure failure;
    struct ota_staged_gzip_output output;
    struct ota_window window;
    struct ota_gunzip gunzip;
    bool is_looking;  /* into what arrives */
    bool may_overlap; /* what comes out, with what it comes from, unless it overtakes that */
    uint32_t arrived; /* bytes before those that are looked at */
    uint8_t last[4];  /* bytes that arrived: at the end, the length that comes out */
};

/* Prepares it. `window` (`size` bytes: a power of two, 1024 or more) is the caller's as long as
   this is used; NULL and 0: none. */
void ota_staged_gzip_init(struct ota_staged_gzip *gzip, uint8_t *window, uint32_t size);

#endif
