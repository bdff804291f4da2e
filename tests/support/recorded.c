/* SPDX-License-Identifier: Apache-2.0 */
#include "support/recorded.h"

#include <stdio.h>
#include <stdlib.h>

static uint8_t *read_whole(FILE *file, uint32_t *len)
{
    if (fseek(file, 0, SEEK_END) != 0) {
        abort();
    }
    *len = (uint32_t)ftell(file);
    rewind(file);
    uint8_t *bytes = malloc(*len);
    if (bytes == NULL || fread(bytes, 1, *len, file) != *len) {
        abort();
    }
    return bytes;
}

uint8_t *recorded_read(const char *folder, const char *name, uint32_t *len)
{
    char path[512];

    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        (void)printf("no %s\n", path);
        return NULL;
    }
    uint8_t *bytes = read_whole(file, len);
    (void)fclose(file);
    return bytes;
}
