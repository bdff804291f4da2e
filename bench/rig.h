/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BENCH_RIG_H
#define BENCH_RIG_H

/*
 * What every benchmark runs on: a simulated 4 MB flash with two OTA slots, and two images of the
 * size of a real ESP32-S3 firmware, 867,072 bytes, that differ everywhere.
 */

#include <stdint.h>

#include <updraft/updraft.h>

#include "posix/nor.h"

#define RIG_IMAGE_SIZE 867072u
#define RIG_SECTOR 4096u
#define RIG_BLOCK 65536u
#define RIG_SLOT_0 0x10000u
#define RIG_SLOT_1 0x110000u
#define RIG_SLOT_SIZE 0x100000u

struct rig {
    struct nor nor;
    struct nor_state state;
    struct ota_device device;
    uint8_t *memory;
    uint8_t *image[2];
    struct ota_digest digest[2];
};

/* Sets the rig up: table written, ota_0 runs and holds image 0, ota_1 is full of image 0 too, each
   byte of its slot programmed. Ends the program if it cannot. */
void rig_init(struct rig *rig);

void rig_free(struct rig *rig);

/* Runs a whole update of image `which` to the next slot, in writes of 4096 bytes, with its SHA-256
   expected (so that a resume journal is kept), through a buffer of `buffer_size` bytes; `unknown`
   leaves the size unsaid. Ends the program if it fails. The result is in `update`. */
void rig_update(struct rig *rig, int which, uint32_t buffer_size, bool unknown,
                struct ota_update *update);

/* Seconds on a clock that never jumps. */
double rig_seconds(void);

/* Ends the program, saying what went wrong. */
_Noreturn void rig_fail(const char *what, enum ota_err err);

#endif
