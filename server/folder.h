/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_SERVER_FOLDER_H
#define UPDRAFT_SERVER_FOLDER_H

/* Access to the files of one folder, and to nothing outside it. */

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <time.h>

/* What makes a file the same file with the same bytes. */
struct file_identity {
    dev_t device;
    ino_t inode;
    uint64_t size;
    struct timespec modified;
    struct timespec changed;
};

struct file_identity folder_identity(const struct stat *status);

/* Tells whether both are of one file that was not touched in between; and whether, of one file, the
   bytes were not. */
bool folder_same_file(const struct file_identity *a, const struct file_identity *b);
bool folder_same_bytes(const struct file_identity *a, const struct file_identity *b);

/* Opens the file `name` of `folder` for reading. Follows a link only to a place inside the folder,
   and does not wait for a pipe's other end. Returns the descriptor, or -1 with errno. */
int folder_open_file(int folder, const char *name);

/* The same, if it is still the file with this identity; else -1 with ESTALE. */
int folder_open_same(int folder, const char *name, const struct file_identity *identity);

/* Says whether a file of this name may be offered at all. */
bool folder_offers_name(const char *name);

#endif
