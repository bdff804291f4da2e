/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_PORTS_POSIX_WATCH_H
#define UPDRAFT_PORTS_POSIX_WATCH_H

/*
 * What struct posix_platform waits for. Each stream, datagram socket and listener holds one
 * struct watch and says in it, whenever it is asked, what it would wake up for.
 *
 *     made->watch = (struct watch){.wanted = wanted, .release = release, .object = made,
 *                                  .descriptor = descriptor};
 *     if (!watch_add(platform, &made->watch)) { ... full ... }
 *     ...
 *     watch_remove(&made->watch);
 */

#include <stdbool.h>
#include <stdint.h>

#include "posix/platform.h"

struct watch {
    /* The events of poll() that are waited for now; 0 if nothing can come of it. */
    short (*wanted)(const void *object);

    /* Closes and frees the object, and takes its watch off the platform. */
    void (*release)(void *object);

    void *object;   /* for both */
    int descriptor; /* may change while on the platform; not looked at while nothing is wanted */
    bool has_input; /* something is there that was taken off the descriptor already: no sleep */

    struct posix_platform *platform; /* set by watch_add, as is the place among its watches */
    unsigned place;
};

/* Puts a watch on the platform. Returns false if there is no room for it. */
bool watch_add(struct posix_platform *platform, struct watch *watch);
bool watch_has_room(const struct posix_platform *platform);

/* Takes it off again; nothing if it is on none. */
void watch_remove(struct watch *watch);

/* Releases every object that is still watched. */
void watch_release_all(struct posix_platform *platform);

/* As ota_platform's wait. */
void watch_wait(struct ota_platform *platform, uint32_t timeout_ms);

#endif
