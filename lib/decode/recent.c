/* SPDX-License-Identifier: Apache-2.0 */
#include "decode/recent.h"

#include "base/mem.h"

_Static_assert((OTA_RECENT_SIZE & OTA__RECENT_MASK) == 0, "places are found by a mask");

void ota__recent_begin(struct ota_recent *recent, struct ota_sink *next,
                       struct ota_history *history)
{
    memset(recent, 0, sizeof *recent);
    recent->next = next;
    recent->history = history;
}

enum ota_err ota__recent_give(struct ota_recent *recent)
{
    /* Far enough from the end of the numbers that nobody else needs to look. */
    enum ota_err err = recent->produced > UINT32_MAX - OTA_RECENT_SIZE ? OTA_ERR_TOO_LARGE : OTA_OK;

    while (err == OTA_OK && recent->given != recent->produced) {
        const uint32_t at = recent->given & OTA__RECENT_MASK;
        const uint32_t len = ota__min(recent->produced - recent->given, OTA_RECENT_SIZE - at);
        err = recent->next->write(recent->next, recent->bytes + at, len);
        recent->given += len;
    }
    return err;
}

/* Copies within the recent bytes. A copy that reaches into itself repeats what lies between: each
   time that is there once more, twice as much can be copied at once. */
static void copy_recent(struct ota_recent *recent, uint32_t distance, uint32_t len)
{
    uint8_t *bytes = recent->bytes;
    uint32_t to = recent->produced & OTA__RECENT_MASK;
    uint32_t from = (recent->produced - distance) & OTA__RECENT_MASK;
    uint32_t reach = distance;

    while (len > 0) {
        const uint32_t to_edge = OTA_RECENT_SIZE - ota__max(to, from);
        const uint32_t n = ota__min(ota__min(len, reach), to_edge);
        memmove(bytes + to, bytes + from, n);
        to = (to + n) & OTA__RECENT_MASK;
        len -= n;
        if (n == reach) {
            reach *= 2;
        } else {
            from = (from + n) & OTA__RECENT_MASK;
        }
    }
}

/* Copies from what is no longer here. All of it was passed on: where there is room for the copy,
   what was not is within the last OTA_RECENT_SIZE - len bytes. */
static enum ota_err copy_past(struct ota_recent *recent, uint32_t distance, uint32_t len)
{
    const uint32_t from = recent->produced - distance;
    const uint32_t to = recent->produced & OTA__RECENT_MASK;
    const uint32_t first = ota__min(len, OTA_RECENT_SIZE - to);
    struct ota_history *history = recent->history;
    enum ota_err err = history->read(history, from, recent->bytes + to, first);

    if (err == OTA_OK && first < len) {
        err = history->read(history, from + first, recent->bytes, len - first);
    }
    return err;
}

/* In pieces of half the recent bytes: a piece that repeats itself must not overwrite what it
   repeats. */
enum ota_err ota__recent_copy(struct ota_recent *recent, uint32_t distance, uint32_t len)
{
    enum ota_err err = OTA_OK;

    while (err == OTA_OK && len > 0) {
        const uint32_t n = ota__min(len, OTA_RECENT_SIZE / 2);
        err = ota__recent_make_room(recent, n);
        if (err == OTA_OK && distance > OTA_RECENT_SIZE) {
            err = copy_past(recent, distance, n);
        } else if (err == OTA_OK) {
            copy_recent(recent, distance, n);
        }
        recent->produced += n;
        len -= n;
    }
    return err;
}
