/* SPDX-License-Identifier: Apache-2.0 */
/* The descriptors of a platform, and sleeping until one of them is ready. */

#include <limits.h>
#include <poll.h>
#include <stddef.h>

#include "posix/mdns.h"
#include "posix/watch.h"

bool watch_has_room(const struct posix_platform *platform)
{
    return platform->watch_count < PLATFORM_SOCKETS_MAX;
}

bool watch_add(struct posix_platform *platform, struct watch *watch)
{
    if (!watch_has_room(platform)) {
        return false;
    }
    watch->platform = platform;
    watch->place = platform->watch_count;
    platform->watches[platform->watch_count++] = watch;
    return true;
}

void watch_remove(struct watch *watch)
{
    struct posix_platform *platform = watch->platform;
    if (platform == NULL) {
        return;
    }
    struct watch *last = platform->watches[--platform->watch_count];
    platform->watches[watch->place] = last;
    last->place = watch->place;
    watch->platform = NULL;
}

void watch_release_all(struct posix_platform *platform)
{
    while (platform->watch_count > 0) {
        struct watch *last = platform->watches[platform->watch_count - 1];
        last->release(last->object);
    }
}

void watch_wait(struct ota_platform *self, uint32_t timeout_ms)
{
    const struct posix_platform *platform = (const struct posix_platform *)self;
    int timeout = timeout_ms > INT_MAX ? INT_MAX : (int)timeout_ms;
    struct pollfd polls[PLATFORM_SOCKETS_MAX];
    unsigned count = 0;
    for (unsigned i = 0; i < platform->watch_count; i++) {
        const struct watch *watch = platform->watches[i];
        const short events = watch->wanted(watch->object);
        timeout = watch->has_input && (events & POLLIN) != 0 ? 0 : timeout;
        if (events != 0) {
            polls[count++] = (struct pollfd){.fd = watch->descriptor, .events = events};
        }
    }
    if (platform->mdns != NULL) {
        mdns_poll(platform->mdns, polls, count, timeout);
    } else {
        poll(polls, count, timeout);
    }
}
