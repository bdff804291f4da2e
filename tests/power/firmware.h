/* SPDX-License-Identifier: Apache-2.0 */
#ifndef POWER_FIRMWARE_H
#define POWER_FIRMWARE_H

/*
 * What the firmware on the board can do, each step with the demands that go with it: what may boot
 * while it is under way, and after it.
 */

#include "power/board.h"

/* The whole transfer. */
#define FIRMWARE_ALL UINT32_MAX

/* How a step ended. */
enum step {
    STEP_DONE,
    STEP_SUSPENDED, /* the transfer stopped, and will be resumed */
    STEP_RETRY,     /* an error that weak bits explain, or one that is noted as a failure */
};

/* Transfers an image into the next slot (or the data partition), from where an earlier transfer
   left off, up to byte `limit`; if that is all, activates it. */
enum step firmware_update(struct board *board, int image, uint32_t limit);

/* As firmware_update, but from the first byte, and it is given up at byte `limit`. */
enum step firmware_abandon(struct board *board, int image, uint32_t limit);

/* As firmware_update, but a gate refuses the image: nothing on the flash may change. */
enum step firmware_refuse(struct board *board, int image);

/* Makes `slot`, which holds `image`, boot next. */
enum step firmware_set_boot(struct board *board, int slot, int image);

/* Confirms or rejects what runs. Confirming what is confirmed is nothing. */
enum step firmware_confirm(struct board *board);
enum step firmware_reject(struct board *board);

/* Erases the image before this one. */
enum step firmware_erase_last(struct board *board);

/* Writes the entry of otadata that makes `slot`, which holds `image`, boot next: no image is looked
   at. `*sequence` is the present sequence number; nothing is written once it is `last`. */
enum step firmware_write_entry(struct board *board, int slot, int image, uint32_t last,
                               uint32_t *sequence);

/* Whether a transfer that was suspended can go on where it had come to. */
bool firmware_keeps_checkpoints(const struct board *board);

/* Whether the data partition holds the whole of an image. */
bool firmware_storage_holds(const struct board *board, int image);

/* What steps are made of. */

/* Demands success; where weak bits may have shown, what they lead to is an honest answer too. */
enum step firmware_check(struct board *board, const char *call, enum ota_err err);

/* A transfer of `image` is tried. It goes on at `offset`: demands that what came before a
   suspension is not wanted again. */
void firmware_attempt(struct board *board, int image);
bool firmware_resumed(struct board *board, int image, uint32_t offset);

/* Demands that what was proven is what arrived, in its place. */
bool firmware_holds(struct board *board, const struct ota_update *update, int image);

/* From now on `image` may boot too; and once a step that is DONE is acknowledged, nothing else. */
void firmware_announce(struct board *board, int image);
enum step firmware_acknowledge(struct board *board, enum step step, int image);

#endif
