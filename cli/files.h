/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_CLI_FILES_H
#define UPDRAFT_CLI_FILES_H

/*
 * Files as the command takes and makes them. "-" is standard input or output. Functions that return
 * int return 0, or 1 after saying what is wrong in one sentence: missing, a directory, no
 * permission, empty, too large.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <updraft/sink.h>

/* The name to print for a path: itself, or "<stdin>" for "-". */
const char *files_name(const char *path);

/* Tells whether `output` leads to the regular file that is read from `input`, by whatever names.
   Standard output and NULL are no file. */
bool files_is_input(const char *output, const char *input);

/* Whole files in memory: allocated or mapped. Bytes are the holder's to change; the file
   does not. */
struct files_content {
    uint8_t *data;
    size_t size;
    bool mapped;
};

/* Reads a file of at most `limit` bytes into memory. An empty file is an error. */
int files_read(const char *path, size_t limit, struct files_content *content);

/* Maps a file of at most `limit` bytes: memory is used only for what is looked at. Standard input
   and other things that cannot be mapped are read. An empty file is an error. */
int files_map(const char *path, uint64_t limit, struct files_content *content);

/* Frees either kind; harmless on a zeroed struct, and twice. */
void files_release(struct files_content *content);

/* A file that is read from front to back in pieces: files of any length, pipes, terminals. */
struct files_source {
    struct ota_source source; /* first: hand &file.source to the library */
    const char *path;         /* the caller's */
    int descriptor;
    int error;       /* errno of the read that failed, or 0 */
    uint64_t offset; /* bytes read so far */
    uint64_t size;   /* as the file system says; 0 if it does not */
};

/* Opens it. `source.size` is exact, or OTA_SIZE_UNKNOWN for a pipe or a file of 4 GiB and more. An
   empty regular file is an error here; an empty pipe shows as an early end. */
int files_source_open(struct files_source *file, const char *path);

/* Says what a read that returned OTA_ERR_SOURCE met. Returns 1. */
int files_source_fail(const struct files_source *file);
void files_source_close(struct files_source *file);

/*
 * A file that appears whole or not at all: written under a temporary name beside it, then flushed
 * to the disk and renamed. "-" writes to standard output as it goes. What is no regular file (a
 * device, a pipe, /dev/stdout) is written in place. A link stays one: what it leads to is replaced.
 */
struct files_writer {
    FILE *stream;     /* write here; errors are kept by it and told by commit */
    const char *path; /* the caller's */
    char *temporary;  /* NULL where written in place */
    char *target;     /* what it is renamed to: the path, or what that link leads to */
};
int files_writer_open(struct files_writer *writer, const char *path);
int files_writer_commit(struct files_writer *writer);
void files_writer_abandon(struct files_writer *writer);

/* The same at once. */
int files_write_atomically(const char *path, const void *data, size_t size);

/* The same for a file that must be new: what is there already is never overwritten. A secret one is
   nobody's to read but the owner's, from its first byte on. */
int files_create(const char *path, const void *data, size_t size, bool is_secret);

/* Tells whether there is no such file yet, so that long work for one is not in vain; says so if
   there is. */
bool files_may_create(const char *path);

#endif
