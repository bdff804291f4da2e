/* SPDX-License-Identifier: Apache-2.0 */
/* From an image on the flash to a program in memory: docs/formats/image.md section 12 says where
   its segments are. */

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "posix/program.h"

#define IMAGE_HEADER_SIZE 24u
#define SEGMENT_HEADER_SIZE 8u

static uint32_t get32(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
           (uint32_t)bytes[3] << 24;
}

/* Finds the segment; returns false if the image has none of that address. */
static bool find_segment(const struct ota_region *region, const struct ota_image *image,
                         uint32_t *offset, uint32_t *len)
{
    uint32_t position = IMAGE_HEADER_SIZE;
    for (unsigned i = 0; i < image->segment_count; i++) {
        uint8_t header[SEGMENT_HEADER_SIZE];
        if (ota_region_read(region, position, header, sizeof header) != OTA_OK) {
            return false;
        }
        *offset = position + SEGMENT_HEADER_SIZE;
        *len = get32(header + 4);
        if (get32(header) == PROGRAM_LOAD_ADDRESS) {
            return true;
        }
        position = *offset + *len;
    }
    return false;
}

static bool copy_to_file(const struct ota_region *region, uint32_t offset, uint32_t len, int file)
{
    uint8_t buffer[16384];
    while (len > 0) {
        const uint32_t n = len < sizeof buffer ? len : (uint32_t)sizeof buffer;
        if (ota_region_read(region, offset, buffer, n) != OTA_OK ||
            write(file, buffer, n) != (ssize_t)n) {
            return false;
        }
        offset += n;
        len -= n;
    }
    return true;
}

int program_load(const struct ota_region *region, const struct ota_image *image,
                 const char **reason)
{
    uint32_t offset;
    uint32_t len;
    uint8_t magic[4];
    if (!find_segment(region, image, &offset, &len) ||
        ota_region_read(region, offset, magic, sizeof magic) != OTA_OK ||
        memcmp(magic, "\177ELF", sizeof magic) != 0) {
        *reason = "the image carries no program for this machine (an ELF file at load address "
                  "0x10000000; `updraft image make --chip host` makes such images)";
        return -1;
    }
    const int file = memfd_create("firmware", MFD_CLOEXEC);
    if (file < 0 || !copy_to_file(region, offset, len, file)) {
        *reason = "there is not enough memory to load the program of the image";
        if (file >= 0) {
            close(file);
        }
        return -1;
    }
    return file;
}
