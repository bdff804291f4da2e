/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_PORTS_POSIX_UPGRADE_FILE_H
#define UPDRAFT_PORTS_POSIX_UPGRADE_FILE_H

/*
 * Upgrade lists as files: JSON, docs/formats/upgrade-list.md section 2.
 *
 *     struct upgrade_file file;
 *     if (!upgrade_file_load(&file, "list.json")) fputs(file.error, stderr);
 *     else service_options.items = file.items, service_options.count = file.count;
 *     ...
 *     upgrade_file_free(&file);
 */

#include <updraft/upgrade_list.h>

#define UPGRADE_FILE_SIZE_MAX 65536u

struct cJSON;

struct upgrade_file {
    struct ota_upgrade_item items[OTA_UPGRADE_ITEMS_MAX]; /* their strings are the file's */
    size_t count;
    char error[512]; /* a sentence: which file, which item, which field */

    /* Private. */
    struct cJSON *json;
    char *certificates[OTA_UPGRADE_ITEMS_MAX];
};

/* Reads a list; certificates that it names are looked for beside it, and read. Returns false with
   the reason in `error`. End with upgrade_file_free, also after a failure. */
bool upgrade_file_load(struct upgrade_file *file, const char *path);

/* The same from `len` bytes of text; `path` is for messages and for where certificates lie. */
bool upgrade_file_parse(struct upgrade_file *file, const char *path, const char *text, size_t len);

void upgrade_file_free(struct upgrade_file *file);

#endif
