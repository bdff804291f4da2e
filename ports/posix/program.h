/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_PORTS_POSIX_PROGRAM_H
#define UPDRAFT_PORTS_POSIX_PROGRAM_H

/* The program for this machine that an image for the chip `host` carries. */

#include <updraft/flash.h>
#include <updraft/image.h>

/* Where the segment that is the program's ELF file is loaded. */
#define PROGRAM_LOAD_ADDRESS 0x10000000u

/* Copies the program of a verified image into memory that can be executed (fexecve). Returns a
   descriptor, to be closed by the caller; or -1, with the reason in words in `*reason`. */
int program_load(const struct ota_region *region, const struct ota_image *image,
                 const char **reason);

#endif
