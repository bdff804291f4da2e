/* SPDX-License-Identifier: Apache-2.0 */

/* Folders and files for tests of the server. */

#include "server/scratch.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/images.h"

static _Noreturn void give_up(const char *what)
{
    perror(what);
    abort();
}

static void demand(int holds, const char *what)
{
    if (!holds) {
        give_up(what);
    }
}

void scratch_make(struct scratch *scratch)
{
    snprintf(scratch->path, sizeof scratch->path, "/tmp/updraft-test-XXXXXX");
    demand(mkdtemp(scratch->path) != NULL, "mkdtemp");
}

static void remove_tree(const char *path)
{
    DIR *directory = opendir(path);
    if (directory == NULL) {
        give_up(path);
    }
    const struct dirent *entry = NULL;
    while ((entry = readdir(directory)) != NULL) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) {
            continue;
        }
        char child[512];
        struct stat status;
        snprintf(child, sizeof child, "%s/%s", path, entry->d_name);
        if (lstat(child, &status) == 0 && S_ISDIR(status.st_mode)) {
            remove_tree(child);
        } else {
            unlink(child);
        }
    }
    closedir(directory);
    rmdir(path);
}

void scratch_remove(const struct scratch *scratch)
{
    remove_tree(scratch->path);
}

const char *scratch_path(const struct scratch *scratch, const char *name)
{
    static _Thread_local char paths[8][512];
    static _Thread_local unsigned turn;
    char *path = paths[turn++ % 8];
    snprintf(path, sizeof paths[0], "%s/%s", scratch->path, name);
    return path;
}

void scratch_write(const struct scratch *scratch, const char *name, const void *data, size_t len)
{
    const int fd =
        open(scratch_path(scratch, name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    demand(fd >= 0, name);
    demand(write(fd, data, len) == (ssize_t)len, name);
    demand(close(fd) == 0, name);
}

void scratch_replace(const struct scratch *scratch, const char *name, const void *data, size_t len)
{
    char temporary[300];
    snprintf(temporary, sizeof temporary, ".%s.new", name);
    scratch_write(scratch, temporary, data, len);
    demand(rename(scratch_path(scratch, temporary), scratch_path(scratch, name)) == 0, name);
}

void scratch_delete(const struct scratch *scratch, const char *name)
{
    demand(unlink(scratch_path(scratch, name)) == 0, name);
}

void scratch_image(const struct scratch *scratch, const char *name, uint16_t chip,
                   const char *project, const char *version, uint32_t size)
{
    const size_t capacity = (size_t)size + 4096;
    uint8_t *image = malloc(capacity);
    demand(image != NULL, name);
    const struct image_facts facts = {
        .chip = chip, .size = size, .project = project, .version = version, .seed = size};
    const size_t len = image_make(image, capacity, &facts);
    demand(len != 0, name);
    scratch_replace(scratch, name, image, len);
    free(image);
}

uint8_t *scratch_noise(uint64_t seed, size_t len)
{
    uint8_t *bytes = malloc(len + 4);
    demand(bytes != NULL, "noise");
    for (size_t i = 0; i < len; i += 4) {
        const uint32_t word = noise(seed, i / 4);
        memcpy(bytes + i, &word, sizeof word);
    }
    return bytes;
}
