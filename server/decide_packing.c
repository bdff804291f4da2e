/* SPDX-License-Identifier: Apache-2.0 */
#include "server/decide_packing.h"

#include <string.h>

#define SECTOR 4096u

bool decide_is_running(const struct device *device, const struct catalog_image *image)
{
    const struct file_facts *facts = &image->facts;
    if (device->has_md5 && memcmp(device->md5, facts->image_md5, sizeof device->md5) == 0) {
        return true;
    }
    return device->has_sha256 &&
           (memcmp(device->sha256, facts->image_sha256, sizeof device->sha256) == 0 ||
            (facts->has_image_digest &&
             memcmp(device->sha256, facts->image_digest, sizeof device->sha256) == 0));
}

/* The Arduino cores write a file system as it comes. */
static bool unpacks(const struct device *device, enum file_kind kind)
{
    return device->takes_gzip && (kind == FILE_APP || device->platform == DEVICE_UPDRAFT);
}

bool decide_can_unpack(const struct device *device, const struct catalog_image *image)
{
    return !image->facts.is_packed || unpacks(device, image->facts.kind);
}

static uint64_t whole_sectors(uint64_t bytes)
{
    return (bytes + SECTOR - 1) / SECTOR * SECTOR;
}

/* The packed bytes end where the file system begins, and what they unpack to grows from 0 towards
   them. */
static bool has_room_to_unpack(const struct device *device, uint64_t travels, uint64_t plain)
{
    return device->free_space != DEVICE_NOT_SAID && device->sketch_size != DEVICE_NOT_SAID &&
           whole_sectors(travels) + whole_sectors(plain) <=
               device->free_space + whole_sectors(device->sketch_size);
}

static const struct catalog_image *find_running(const struct device *device,
                                                struct catalog_image *const *images, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (images[i]->facts.kind == FILE_APP && decide_is_running(device, images[i])) {
            return images[i];
        }
    }
    return NULL;
}

const struct packed_image *decide_packed(const struct device *device,
                                         const struct catalog_image *image,
                                         struct catalog_image *const *images, size_t count)
{
    const struct packed_image *packed = catalog_packed(image);
    if (packed == NULL || device->prefers_plain || !unpacks(device, image->facts.kind)) {
        return NULL;
    }
    if (device->platform != DEVICE_ESP8266) {
        return packed;
    }
    /* The core puts its own wiring of the flash into a plain image, and leaves a packed one alone. */
    const struct catalog_image *running = find_running(device, images, count);
    const bool same_wiring = running != NULL && running->facts.spi_mode == image->facts.spi_mode;
    return same_wiring && has_room_to_unpack(device, packed->size, image->facts.plain_size) ? packed
                                                                                            : NULL;
}

const char *decide_packing_problem(const struct device *device, const struct catalog_image *image,
                                   struct catalog_image *const *images, size_t count)
{
    if (!image->facts.is_packed || device->platform != DEVICE_ESP8266) {
        return NULL;
    }
    const struct catalog_image *running = find_running(device, images, count);
    if (running != NULL && running->facts.spi_mode != image->facts.spi_mode) {
        return "is compressed, and made for flash that is wired in another way than the device's";
    }
    return has_room_to_unpack(device, image->size, image->facts.plain_size)
               ? NULL
               : "is compressed, and would overwrite itself while the device unpacks it";
}
