/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_WINDOW_H
#define UPDRAFT_WINDOW_H

/*
 * A history in memory (history.h), for those who look at what a decoder puts out and do not keep
 * it: the last bytes of it, in a ring.
 *
 *     static uint8_t memory[OTA_WINDOW_GZIP];
 *     struct ota_window window;
 *     ota_window_init(&window, memory, sizeof memory);
 *     options.history = &window.history;
 *     … in the sink: ota_window_add(&window, data, len);
 */

#include <stddef.h>
#include <stdint.h>

#include <updraft/history.h>

/* As far back as gzip reaches. Whoever compresses may be told to reach less far. */
#define OTA_WINDOW_GZIP 32768u

struct ota_window {
    struct ota_history history; /* first */
    uint8_t *bytes;
    uint32_t size;
    uint32_t added; /* bytes so far */
};

/* Begins, in `size` bytes of the caller's: a power of two, or 0: nothing can be read again. What
   lies farther back than that is OTA_ERR_COMPRESSION to whoever reads it. */
void ota_window_init(struct ota_window *window, uint8_t *bytes, uint32_t size);

/* Adds what came out. */
void ota_window_add(struct ota_window *window, const void *data, size_t len);

#endif
