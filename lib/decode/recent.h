/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DECODE_RECENT_H
#define DECODE_RECENT_H

/*
 * What comes out of a decoder: bytes that are added to the recent ones, and copies of earlier ones.
 * They go to the next sink when there is no room for more, or when they are asked for.
 *
 * After any error the decoder must stop: some bytes may be counted and not passed on.
 */

#include <updraft/history.h>

#include "base/bytes.h"

#define OTA__RECENT_MASK (OTA_RECENT_SIZE - 1)

void ota__recent_begin(struct ota_recent *recent, struct ota_sink *next,
                       struct ota_history *history);

/* Passes on what the next sink does not have. Returns OTA_OK; OTA_ERR_TOO_LARGE near 4 GB; what the
   sink says. */
enum ota_err ota__recent_give(struct ota_recent *recent);

/* Makes room for `len` bytes, at most OTA_RECENT_SIZE. Errors as above. */
static inline enum ota_err ota__recent_make_room(struct ota_recent *recent, uint32_t len)
{
    return recent->produced - recent->given + len > OTA_RECENT_SIZE ? ota__recent_give(recent)
                                                                    : OTA_OK;
}

/* Adds a byte. Errors as above. */
static inline enum ota_err ota__recent_add(struct ota_recent *recent, uint8_t byte)
{
    enum ota_err err = ota__recent_make_room(recent, 1);

    if (err == OTA_OK) {
        recent->bytes[recent->produced++ & OTA__RECENT_MASK] = byte;
    }
    return err;
}

/* Adds what was added `distance` (1 to `produced`) bytes ago, `len` bytes of it; they may reach
   into themselves. Errors as above, or what the history says. */
enum ota_err ota__recent_copy(struct ota_recent *recent, uint32_t distance, uint32_t len);

#endif
