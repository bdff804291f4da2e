/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_SERVER_WATCH_H
#define UPDRAFT_SERVER_WATCH_H

/*
 * News of a folder from the kernel (inotify), reduced to what a catalogue wants to know: "look
 * again", and which files are open for writing. Where the kernel has no watch to give, the
 * catalogue looks by the clock alone.
 */

#include <stdbool.h>
#include <stdint.h>

#define WATCH_WRITING_MAX 64u

struct watch {
    int inotify; /* -1: none */
    int folder;  /* watch descriptor; -1: none */
    struct watch_writing {
        char name[256];
        int64_t last_ms; /* of the last write */
    } writing[WATCH_WRITING_MAX];
    unsigned writing_count;
};

/* Opens; a watch without inotify is a working one that tells nothing. */
void watch_open(struct watch *watch);
void watch_close(struct watch *watch);

/* Watches this folder instead of the present one, and forgets who was writing. */
void watch_folder(struct watch *watch, const char *path);

/* Takes all news there is. Returns whether the folder is worth another look. */
bool watch_read(struct watch *watch, int64_t now_ms);

/* Says whether the file is being written: it was, and has neither been closed nor left alone for
   `patience_ms` since. */
bool watch_is_written(const struct watch *watch, const char *name, int64_t now_ms,
                      int64_t patience_ms);

#endif
