/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_SINK_H
#define UPDRAFT_SINK_H

/*
 * The two ends of every stream: a sink takes bytes when they come, a source gives them when asked.
 *
 * A chain is built by pointing one sink at the next: what the network pushes in at the front comes
 * out decoded, checked and written at the back. An object that is a sink has a struct ota_sink as
 * its first member and gets itself back by a cast:
 *
 *     struct counter { struct ota_sink sink; uint32_t bytes; };
 *
 *     static enum ota_err counter_write(struct ota_sink *sink, const void *data, size_t len)
 *     {
 *         struct counter *counter = (struct counter *)sink;
 *         counter->bytes += (uint32_t)len;
 *         return OTA_OK;
 *     }
 *
 * After an error or a finish a sink takes nothing more: a further write returns an error, the first
 * one if there was one.
 */

#include <stddef.h>
#include <stdint.h>

#include <updraft/error.h>

/* "The length is not known before the end comes". */
#define OTA_SIZE_UNKNOWN UINT32_MAX

struct ota_sink {
    /* Takes all `len` bytes (0 is legal and does nothing) or returns the first cause. The data is
       the caller's and is not kept. */
    enum ota_err (*write)(struct ota_sink *sink, const void *data, size_t len);

    /* Says that no more bytes come. Returns OTA_OK only if what came is whole and right. */
    enum ota_err (*finish)(struct ota_sink *sink);

    /* Gives up; releases what the sink holds. May be called in any state, more than once. */
    void (*abort)(struct ota_sink *sink);
};

struct ota_source {
    uint32_t size; /* bytes in all, or OTA_SIZE_UNKNOWN */

    /* Reads at most `capacity` (> 0) bytes into `data` and stores how many in `*len`; 0 with OTA_OK
       is the end. Returns OTA_ERR_SOURCE or a more exact error if it cannot. */
    enum ota_err (*read)(struct ota_source *source, void *data, size_t capacity, size_t *len);
};

#endif
