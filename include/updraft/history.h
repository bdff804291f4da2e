/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_HISTORY_H
#define UPDRAFT_HISTORY_H

/*
 * What a decoder has put out, to be read again.
 *
 * Compressed data says again and again "as it was so many bytes ago": up to 32 KB ago. Those bytes
 * lie in the slot already, or in the buffer in front of it, and that is where they are read from:
 * whoever owns the two makes a history of them. Only the last OTA_RECENT_SIZE bytes are kept in
 * memory, by a struct ota_recent inside each decoder; they serve most copies.
 *
 *     struct slot { struct ota_history history; const struct ota_region *region; };
 *
 *     static enum ota_err slot_read(struct ota_history *history, uint32_t offset, void *data,
 *                                   uint32_t len)
 *     {
 *         struct slot *slot = (struct slot *)history;
 *         return ota_region_read(slot->region, offset, data, len);
 *     }
 */

#include <stdint.h>

#include <updraft/error.h>
#include <updraft/sink.h>

/* What a sink has taken. */
struct ota_history {
    /* Reads `len` bytes from `offset` on, both counted in what the sink took since it began. All of
       them were taken before. Returns OTA_OK, or what the flash says. */
    enum ota_err (*read)(struct ota_history *history, uint32_t offset, void *data, uint32_t len);
};

#define OTA_RECENT_SIZE 1024u /* bytes, a power of two */

/* The end of what was decoded. Private to the decoders, but for `produced`. */
struct ota_recent {
    uint32_t produced; /* bytes decoded so far */
    uint32_t given;    /* of them, bytes that the sink has */
    struct ota_sink *next;
    struct ota_history *history;    /* of what `next` took */
    uint8_t bytes[OTA_RECENT_SIZE]; /* byte n is at n modulo the size */
};

#endif
