/* SPDX-License-Identifier: Apache-2.0 */
#include "decode/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/images.h"

#define REQUIRE(condition)                                            \
    do {                                                              \
        if (!(condition)) {                                           \
            (void)fprintf(stderr, "store: not so: %s\n", #condition); \
            abort();                                                  \
        }                                                             \
    } while (0)

static enum ota_err store_write(struct ota_sink *sink, const void *data, size_t len)
{
    struct store *store = (struct store *)sink;

    REQUIRE(!store->refused && store->finished == 0 && store->aborted == 0);
    if (len > store->limit - store->len) {
        store->refused = true;
        return OTA_ERR_TOO_LARGE;
    }
    memcpy(store->bytes + store->len, data, len);
    store->len += (uint32_t)len;
    return OTA_OK;
}

static enum ota_err store_finish(struct ota_sink *sink)
{
    struct store *store = (struct store *)sink;

    REQUIRE(!store->refused);
    store->finished++;
    return store->finish_answer;
}

static void store_abort(struct ota_sink *sink)
{
    ((struct store *)sink)->aborted++;
}

static enum ota_err store_read(struct ota_history *history, uint32_t offset, void *data,
                               uint32_t len)
{
    struct store *store = (struct store *)((char *)history - offsetof(struct store, history));

    REQUIRE(len > 0 && offset < store->len && len <= store->len - offset);
    store->reads++;
    store->bytes_read += len;
    store->longest_read = len > store->longest_read ? len : store->longest_read;
    if (store->reads == store->failing_read) {
        return OTA_ERR_FLASH_READ;
    }
    memcpy(data, store->bytes + offset, len);
    return OTA_OK;
}

void store_clear(struct store *store)
{
    uint8_t *bytes = store->bytes;
    uint32_t limit = store->limit;

    memset(store, 0, sizeof *store);
    store->sink = (struct ota_sink){store_write, store_finish, store_abort};
    store->history.read = store_read;
    store->bytes = bytes;
    store->limit = limit;
}

void store_init(struct store *store, uint32_t limit)
{
    memset(store, 0, sizeof *store);
    store->bytes = malloc(limit + 1u);
    REQUIRE(store->bytes != NULL);
    store->limit = limit;
    store_clear(store);
}

void store_free(struct store *store)
{
    free(store->bytes);
    store->bytes = NULL;
}

enum ota_err feed(struct ota_sink *sink, const void *data, size_t len, const struct cuts *cuts)
{
    const uint8_t *bytes = data;
    enum ota_err err = OTA_OK;
    size_t piece = cuts->first;

    for (uint64_t n = 0; err == OTA_OK && len > 0; n++) {
        piece = piece < len ? piece : len;
        err = sink->write(sink, bytes, piece);
        bytes += piece;
        len -= piece;
        piece = cuts->then != 0 ? cuts->then : noise(cuts->seed, n) % 300;
    }
    if (err == OTA_OK) {
        err = sink->finish(sink);
        REQUIRE(sink->finish(sink) == (err == OTA_OK ? OTA_ERR_STATE : err));
        REQUIRE(sink->write(sink, "", 1) == (err == OTA_OK ? OTA_ERR_STATE : err));
        return err;
    }
    REQUIRE(sink->write(sink, "", 1) == err);
    REQUIRE(sink->finish(sink) == err);
    return err;
}
