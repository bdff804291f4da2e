/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_PORTS_POSIX_ROM_H
#define UPDRAFT_PORTS_POSIX_ROM_H

/* The virtual board's ROM: it boots by lib/boot, and says what it sees. */

#include "posix/board.h"
#include "posix/console.h"

#include <updraft/boot.h>

/* What a boot came to. */
struct rom_boot {
    enum ota_err err; /* OTA_OK, or why nothing runs */
    int slot;
    bool on_trial;
    unsigned trial_boot;  /* with on_trial: which one this is, */
    unsigned trial_boots; /* of how many */
    bool is_sealed;       /* the bootloader asked for a signature, and this was found: */
    struct ota_signature_report signature;
    struct ota_region region; /* of the image that runs */
    struct ota_image image;
    uint32_t crc;                         /* of that image as it lies there */
    struct ota_app_descriptor descriptor; /* of that image; empty strings where it has none */
};

/* Decides what runs, telling the console of it. If power fails meanwhile, board->state->nor.off is
   set and the result means nothing. */
void rom_boot(struct board *board, struct console *console, struct rom_boot *result);

#endif
