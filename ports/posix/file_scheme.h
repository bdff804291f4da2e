/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_PORTS_POSIX_FILE_SCHEME_H
#define UPDRAFT_PORTS_POSIX_FILE_SCHEME_H

/*
 * Files and the standard input as sources of updates (fetch.h):
 *
 *     file:///srv/app.bin         that file
 *     file://sdcard/tone.bin      tone.bin in the folder that is mounted as "sdcard"
 *     stdin:                      what is piped in, to its end
 *
 *     struct file_scheme files;
 *     struct stdin_scheme input;
 *     stdin_scheme_init(&input, NULL);
 *     file_scheme_init(&files, mounts, 1, &input.scheme);
 *
 * The platform must be a struct posix_platform: pipes and devices are waited for by its wait. Why a
 * file cannot be had is said in the log.
 */

#include <updraft/fetch.h>

/* A folder that stands for a memory card or the like. */
struct file_mount {
    const char *name; /* "sdcard" */
    const char *directory;
};

struct file_scheme {
    struct ota_scheme scheme; /* first: for the chain */
    const struct file_mount *mounts;
    size_t mount_count;
};

/* The standard input comes once. Who has read no more of it than this may fetch it again from its
   beginning: an item that was held before anything came of it. */
#define STDIN_SCHEME_KEPT 4096u

struct stdin_scheme {
    struct ota_scheme scheme; /* first: for the chain */
    bool was_read;            /* what it gave is gone, or was used: there is no other fetch */

    /* Private. */
    size_t kept_len;
    uint8_t kept[STDIN_SCHEME_KEPT]; /* what has come */
};

/* Prepare a scheme, with `next` behind it in the chain. Mounts are the caller's. */
void file_scheme_init(struct file_scheme *files, const struct file_mount *mounts,
                      size_t mount_count, struct ota_scheme *next);
void stdin_scheme_init(struct stdin_scheme *input, struct ota_scheme *next);

#endif
