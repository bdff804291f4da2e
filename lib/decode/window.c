/* SPDX-License-Identifier: Apache-2.0 */
/* The last bytes that a decoder put out, in a ring. */
#include <updraft/window.h>

#include "base/bytes.h"
#include "base/mem.h"

static enum ota_err window_read(struct ota_history *history, uint32_t offset, void *data,
                                uint32_t len)
{
    const struct ota_window *window = (const struct ota_window *)history;
    uint8_t *bytes = data;

    if (window->added - offset > window->size) {
        return OTA_ERR_COMPRESSION;
    }
    for (uint32_t i = 0; i < len; i++) {
        bytes[i] = window->bytes[(offset + i) & (window->size - 1)];
    }
    return OTA_OK;
}

void ota_window_init(struct ota_window *window, uint8_t *bytes, uint32_t size)
{
    window->history.read = window_read;
    window->bytes = bytes;
    window->size = size;
    window->added = 0;
}

void ota_window_add(struct ota_window *window, const void *data, size_t len)
{
    const uint8_t *bytes = data;
    size_t skipped = len > window->size ? len - window->size : 0;

    for (size_t i = skipped; i < len; i++) {
        window->bytes[(window->added + i) & (window->size - 1)] = bytes[i];
    }
    window->added += (uint32_t)len;
}
