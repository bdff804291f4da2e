/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DECODE_STORE_H
#define DECODE_STORE_H

/*
 * Where a decoder under test puts its output, and reads it again: a sink and its history, in
 * memory. It holds the decoder to its promises and ends the program if one is broken: what is read
 * was written before, and nothing is written after the end or a refusal.
 *
 *     struct store store;
 *     store_init(&store, 100000);
 *     … .next = &store.sink, .history = &store.history …
 *     store_free(&store);
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <updraft/history.h>
#include <updraft/sink.h>

struct store {
    struct ota_sink sink; /* first */
    struct ota_history history;
    uint8_t *bytes;
    uint32_t limit; /* more than so many bytes are refused with OTA_ERR_TOO_LARGE */
    uint32_t len;
    bool refused;
    unsigned finished, aborted; /* how often */
    unsigned reads;             /* of the history */
    uint32_t bytes_read, longest_read;
    unsigned failing_read; /* this one (1 is the first) fails with OTA_ERR_FLASH_READ; 0: none */
    enum ota_err finish_answer; /* what finish returns */
};

void store_init(struct store *store, uint32_t limit);
void store_clear(struct store *store);
void store_free(struct store *store);

/* How an input is cut: a first piece, and then pieces of that size; or, if that is 0, of 0 to 299
   bytes, as the seed has it. */
struct cuts {
    size_t first, then;
    uint64_t seed;
};

/* Writes all of it into a sink and finishes that. Returns the first error, having seen that it
   stays. */
enum ota_err feed(struct ota_sink *sink, const void *data, size_t len, const struct cuts *cuts);

#endif
