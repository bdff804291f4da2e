/* SPDX-License-Identifier: Apache-2.0 */

/* inotify events of one folder. */

#include "server/watch.h"

#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

void watch_open(struct watch *watch)
{
    watch->inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    watch->folder = -1;
    watch->writing_count = 0;
}

void watch_close(struct watch *watch)
{
    if (watch->inotify >= 0) {
        close(watch->inotify);
        watch->inotify = -1;
    }
}

void watch_folder(struct watch *watch, const char *path)
{
    watch->writing_count = 0;
    if (watch->inotify < 0) {
        return;
    }
    if (watch->folder >= 0) {
        inotify_rm_watch(watch->inotify, watch->folder);
    }
    watch->folder =
        inotify_add_watch(watch->inotify, path,
                          IN_CREATE | IN_MODIFY | IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM |
                              IN_DELETE | IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR);
}

static struct watch_writing *find_writing(struct watch *watch, const char *name)
{
    for (unsigned i = 0; i < watch->writing_count; i++) {
        if (strcmp(watch->writing[i].name, name) == 0) {
            return &watch->writing[i];
        }
    }
    return NULL;
}

/* Notes a write. Returns whether it is the first since the file was last closed. */
static bool note_write(struct watch *watch, const char *name, int64_t now_ms)
{
    struct watch_writing *writing = find_writing(watch, name);
    const bool is_first = writing == NULL;
    if (is_first) {
        if (watch->writing_count == WATCH_WRITING_MAX) {
            /* Drops the oldest: that file settles by the clock. */
            memmove(&watch->writing[0], &watch->writing[1],
                    sizeof watch->writing - sizeof watch->writing[0]);
            watch->writing_count--;
        }
        writing = &watch->writing[watch->writing_count++];
        snprintf(writing->name, sizeof writing->name, "%s", name);
    }
    writing->last_ms = now_ms;
    return is_first;
}

static void forget_write(struct watch *watch, const char *name)
{
    struct watch_writing *writing = find_writing(watch, name);
    if (writing != NULL) {
        const struct watch_writing *end = &watch->writing[watch->writing_count];
        memmove(writing, writing + 1, (size_t)(end - (writing + 1)) * sizeof *writing);
        watch->writing_count--;
    }
}

static bool take_event(struct watch *watch, const struct inotify_event *event, int64_t now_ms)
{
    if (event->len == 0) {
        return true; /* of the folder itself, or lost events */
    }
    if ((event->mask & IN_MODIFY) != 0) {
        return note_write(watch, event->name, now_ms);
    }
    if ((event->mask & (IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE)) != 0) {
        forget_write(watch, event->name);
    }
    return true;
}

bool watch_read(struct watch *watch, int64_t now_ms)
{
    union {
        struct inotify_event align;
        char bytes[16384];
    } buffer;
    bool look = false;
    ssize_t got = 0;

    while (watch->inotify >= 0 &&
           (got = read(watch->inotify, buffer.bytes, sizeof buffer.bytes)) > 0) {
        for (const char *at = buffer.bytes; at < buffer.bytes + got;) {
            const struct inotify_event *event = (const struct inotify_event *)(const void *)at;
            look = take_event(watch, event, now_ms) || look;
            at += sizeof *event + event->len;
        }
    }
    return look;
}

bool watch_is_written(const struct watch *watch, const char *name, int64_t now_ms,
                      int64_t patience_ms)
{
    for (unsigned i = 0; i < watch->writing_count; i++) {
        if (strcmp(watch->writing[i].name, name) == 0) {
            return now_ms - watch->writing[i].last_ms < patience_ms;
        }
    }
    return false;
}
