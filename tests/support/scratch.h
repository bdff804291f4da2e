/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SUPPORT_SCRATCH_H
#define SUPPORT_SCRATCH_H

/* A folder of a test's own, and the files it puts there. Whatever fails ends the program. */

#include <stddef.h>
#include <stdint.h>

struct scratch {
    char path[64];
};

/* Make an empty folder and work in it; go back and remove it: the set-up and tear-down of a cmocka
   test or group, one at a time. */
int scratch_enter(void **state);
int scratch_leave(void **state);

/* Makes an empty folder. */
void scratch_make(struct scratch *scratch);

/* Removes it with all that is in it. */
void scratch_remove(const struct scratch *scratch);

/* Removes a folder with all that is in it. */
void scratch_remove_folder(const char *path);

/* Returns "folder/name" in a buffer that the next call but seven reuses. */
const char *scratch_path(const struct scratch *scratch, const char *name);

/* Writes a file in place: opens, writes, closes. */
void scratch_write(const struct scratch *scratch, const char *name, const void *data, size_t len);

/* Writes it under another name and renames it. */
void scratch_replace(const struct scratch *scratch, const char *name, const void *data, size_t len);

void scratch_delete(const struct scratch *scratch, const char *name);

/* Writes an app image (images.h) by renaming. */
void scratch_image(const struct scratch *scratch, const char *name, uint16_t chip,
                   const char *project, const char *version, uint32_t size);

/* Returns `len` bytes of noise, the caller's to free. */
uint8_t *scratch_noise(uint64_t seed, size_t len);

#endif
