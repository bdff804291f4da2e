/* SPDX-License-Identifier: Apache-2.0 */
#include "scratch.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[] = "/tmp/updraft-test-XXXXXX";
static char path[512];

int scratch_setup(void **state)
{
    (void)state;
    return mkdtemp(folder) != NULL ? 0 : -1;
}

void scratch_remove(const char *name)
{
    DIR *entries = opendir(name);
    const struct dirent *entry;
    while (entries != NULL && (entry = readdir(entries)) != NULL) {
        char file[1024];
        snprintf(file, sizeof file, "%s/%s", name, entry->d_name);
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
            unlink(file) != 0) {
            scratch_remove(file);
        }
    }
    if (entries != NULL) {
        closedir(entries);
    }
    rmdir(name);
}

int scratch_teardown(void **state)
{
    (void)state;
    scratch_remove(folder);
    return 0;
}

const char *scratch_path(const char *name)
{
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}
