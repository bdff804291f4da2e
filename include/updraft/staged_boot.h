/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_STAGED_BOOT_H
#define UPDRAFT_STAGED_BOOT_H

/*
 * The bootloader of a device with one place to run from (staging.h): it carries out the command in
 * the staging region, then proves the image in that place and runs it.
 *
 *     static const struct ota_staged_move *const moves[] = {&ota_staged_swap, NULL};
 *     static struct ota_boot boot = {.device = &device, .read = ota_image_read};
 *     static uint8_t buffer[1024];
 *     if (ota_staged_boot(&boot, moves, buffer, sizeof buffer) == OTA_OK) run(&boot.region);
 *     else halt(boot.failure);
 *
 * A bootloader names the moves that its boards need, and links no other. Its device has a staging,
 * whose `way` may be NULL.
 *
 *     command           what is done
 *     none, or done     the image in the app's place is proven and runs
 *     waiting           what is staged is proven whole: its digest, its structure, its seals where
 *                       the trust asks for them at boot. Only then the first sector is erased; else
 *                       the command is refused, and all stays as it was
 *     under way         goes on where power failed, as often as it fails
 *     on trial          each boot takes one of the trial boots; when none is left, or the image has
 *                       rejected itself, the old image is proven where it is and swapped back
 *
 * If the image in the app's place does not verify, and the one in the staging region does, that one
 * is copied once more, or swapped back.
 *
 * What it needs that is not constant is in its arguments, and about 700 bytes of stack.
 */

#include <stddef.h>
#include <stdint.h>

#include <updraft/boot.h>
#include <updraft/decoder.h>
#include <updraft/gunzip.h>
#include <updraft/staging.h>
#include <updraft/window.h>

/* A way to carry out a command. */
struct ota_staged_move;

extern const struct ota_staged_move ota_staged_swap;
extern const struct ota_staged_move ota_staged_copy; /* of what is staged as it is: apps and data */

/*
 * What is staged as gzip, inflated while it is copied. Its proof inflates it once for the checks
 * before anything is erased, which takes a window in memory: 32 KB, or what the compressor was told
 * to use.
 *
 *     static uint8_t window[OTA_WINDOW_GZIP];
 *     static struct ota_staged_inflate inflate;
 *     ota_staged_inflate_init(&inflate, window, sizeof window);
 *     const struct ota_staged_move *const moves[] = {&ota_staged_copy, &inflate.move, NULL};
 */
struct ota_staged_move {
    /* Private. */
    const struct ota__staged_methods *methods;
    void *state; /* NULL: it needs none */
};

struct ota_staged_inflate {
    struct ota_staged_move move; /* first */

    /* Private. */
    struct ota_gunzip gunzip;
    struct ota_window window;
};

/* Prepares it. `window` (`size` bytes, a power of two, 1024 or more) is the caller's until the
   decision is made. A stream that reaches farther back than that is refused. */
void ota_staged_inflate_init(struct ota_staged_inflate *inflate, uint8_t *window, uint32_t size);

/*
 * Decides, as ota_boot_decide does: opens `device` (ota_staging_open), carries out the command,
 * proves the image, and fills in `boot` and device->running_slot. `moves` ends with NULL.
 * `buffer_size` is at least 256, and what the seals need.
 *
 * Returns OTA_OK; OTA_ERR_NOTHING_BOOTABLE; or the error of the layout or of the flash that stopped
 * a command half-way: the command stands, and the next boot goes on with it.
 */
enum ota_err ota_staged_boot(struct ota_boot *boot, const struct ota_staged_move *const *moves,
                             uint8_t *buffer, uint32_t buffer_size);

#endif
