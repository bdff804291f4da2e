/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SUPPORT_RECORDED_H
#define SUPPORT_RECORDED_H

/*
 * Recorded files, which are not part of this tree: a test that needs one is skipped where it is
 * absent.
 *
 *     uint8_t *bytes = recorded_read(UPDRAFT_VECTORS, "esp/secure/bootloader_signed.bin", &len);
 *     if (bytes == NULL) skip();
 */

#include <stdint.h>

/* Reads the file into memory that the caller frees. Returns NULL, after a message, if it
   is absent. */
uint8_t *recorded_read(const char *folder, const char *name, uint32_t *len);

#endif
