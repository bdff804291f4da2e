/* SPDX-License-Identifier: Apache-2.0 */
/* A removed folder is walked without following links: a test may link to what is not its own. */

#include "scratch.h"

#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "images.h"

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

static struct scratch entered;
static char left[PATH_MAX];

int scratch_enter(void **state)
{
    (void)state;
    demand(getcwd(left, sizeof left) != NULL, "getcwd");
    scratch_make(&entered);
    return chdir(entered.path);
}

int scratch_leave(void **state)
{
    (void)state;
    demand(chdir(left) == 0, left);
    scratch_remove(&entered);
    return 0;
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *place)
{
    (void)status;
    (void)type;
    (void)place;
    return remove(path);
}

void scratch_remove_folder(const char *path)
{
    const int folders_open_max = 8;
    demand(nftw(path, remove_entry, folders_open_max, FTW_DEPTH | FTW_PHYS) == 0, path);
}

void scratch_remove(const struct scratch *scratch)
{
    scratch_remove_folder(scratch->path);
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
