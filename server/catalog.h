/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_SERVER_CATALOG_H
#define UPDRAFT_SERVER_CATALOG_H

/*
 * The files of one folder, with their facts, kept current by a thread while files come and go.
 *
 * Readers take a snapshot: an immutable list that they hold as long as they like while the
 * catalogue publishes newer ones. Files are known by name only; a name from outside is looked up in
 * the list and never becomes a path.
 *
 *     struct catalog_snapshot *snapshot = catalog_take(catalog);
 *     struct catalog_image *image = catalog_find(snapshot, "blinky.bin");
 *     int fd = image == NULL ? -1 : catalog_open_image(snapshot, image);
 *     catalog_release(snapshot);
 *
 * What is left out: names that start with a dot or end as unfinished downloads do (.part, .tmp, ~),
 * names that are not UTF-8 or hold control characters, folders, links that lead out of the folder
 * or nowhere, files that may not be read, and files that are still being written: between the first
 * write and the close, and, where a file's bytes do not prove themselves whole, until it has not
 * changed for `settle_ms`.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <updraft/crypto.h>

#include "server/folder.h"
#include "server/inspect.h"

struct catalog;

/* The same bytes packed by gzip: a file of their own (server/packed.h). */
struct packed_image {
    uint64_t size; /* 0: packing is not worth it, or not possible */
    uint8_t md5[OTA_MD5_SIZE];
    uint8_t sha256[OTA_SHA256_SIZE];
    struct file_identity identity;
};

struct catalog_image {
    const char *name; /* in the folder; UTF-8 without control characters */
    uint64_t size;
    struct timespec modified;
    struct file_facts facts;

    struct file_identity identity;
    _Atomic(struct packed_image *) packed; /* set once, later: see catalog_packed */
    _Atomic unsigned references;
};

/* Images are sorted by name. */
struct catalog_snapshot {
    size_t count;
    struct catalog_image **images;
    uint64_t generation; /* one more for each change */

    int folder;
    _Atomic unsigned references;
};

enum catalog_change {
    CATALOG_ADDED,
    CATALOG_REMOVED,
    CATALOG_OVERWRITTEN, /* removed because its bytes were changed in place: whoever is reading them
                            gets a mixture */
};

struct catalog_options {
    const char *folder;
    const struct ota_crypto *crypto;
    unsigned settle_ms; /* 0: 2000 */
    unsigned rescan_ms; /* how often to look without being told to; 0: 10000 */

    /* Called for each change, from catalog_start (all files found are additions) and then from the
       catalogue's thread. NULL if not wanted. */
    void (*on_change)(void *context, enum catalog_change change, const struct catalog_image *image);
    /* Called for each file that is not offered though its name could be, with the reason: when it is
       first seen, and not again while that lasts. From catalog_start and from the thread, before
       the changes that were found with it. NULL if not wanted. */
    void (*on_skipped)(void *context, const char *name, const char *reason);
    void (*on_publish)(void *context); /* after each new list that on_change has told of; or NULL */
    void *context;
};

/* Reads the folder and starts to watch it. Returns NULL after writing one line of why to `why`. */
struct catalog *catalog_start(const struct catalog_options *options, char *why, size_t why_size);

/* Stops watching and frees all but the snapshots and images that are still held. */
void catalog_stop(struct catalog *catalog);

/* Returns the present list, held until released. Any thread. */
struct catalog_snapshot *catalog_take(struct catalog *catalog);
void catalog_release(struct catalog_snapshot *snapshot);

/* Asks the thread to look at the folder now. */
void catalog_refresh(struct catalog *catalog);

/* Waits until a list newer than `generation` is published, at most `timeout_ms`. Returns
   whether. */
bool catalog_wait(struct catalog *catalog, uint64_t generation, unsigned timeout_ms);

/* Returns the image of that name, which lives as long as the snapshot is held, or NULL. */
struct catalog_image *catalog_find(const struct catalog_snapshot *snapshot, const char *name);

/* Opens the file for reading; the descriptor is the caller's. Returns -1 with errno, ESTALE if the
   file is no longer the one with these facts. */
int catalog_open_image(const struct catalog_snapshot *snapshot, const struct catalog_image *image);

/* Returns the packed form, which lives as long as the image; NULL if there is none, or not yet. Any
   thread. */
const struct packed_image *catalog_packed(const struct catalog_image *image);

/* Holds an image beyond its snapshot, and lets go of it. */
struct catalog_image *catalog_hold_image(struct catalog_image *image);
void catalog_release_image(struct catalog_image *image);

#endif
