/* SPDX-License-Identifier: Apache-2.0 */
/* Regions: the one place where flash accesses are checked for bounds and alignment. */
#include <updraft/flash.h>

#include "base/blank.h"
#include "base/bytes.h"
#include "base/mem.h"

/* Comparisons go through a piece of the stack of this many bytes. */
#define PIECE 128u

static bool is_inside(uint32_t size, uint32_t offset, uint32_t len)
{
    return offset <= size && len <= size - offset;
}

enum ota_err ota_region_init(struct ota_region *region, struct ota_flash *flash, uint32_t offset,
                             uint32_t size)
{
    if (!is_inside(flash->size, offset, size)) {
        return OTA_ERR_BOUNDS;
    }
    region->flash = flash;
    region->offset = offset;
    region->size = size;
    return OTA_OK;
}

static enum ota_err check_access(const struct ota_region *region, uint32_t offset, uint32_t len,
                                 uint32_t unit)
{
    if (!is_inside(region->size, offset, len)) {
        return OTA_ERR_BOUNDS;
    }
    return ((region->offset + offset) | len) & (unit - 1) ? OTA_ERR_ALIGNMENT : OTA_OK;
}

enum ota_err ota_region_read(const struct ota_region *region, uint32_t offset, void *data,
                             uint32_t len)
{
    enum ota_err err = check_access(region, offset, len, 1);

    if (err != OTA_OK) {
        return err;
    }
    return region->flash->read(region->flash, region->offset + offset, data, len);
}

enum ota_err ota_region_write(const struct ota_region *region, uint32_t offset, const void *data,
                              uint32_t len)
{
    enum ota_err err = check_access(region, offset, len, region->flash->write_size);

    if (err != OTA_OK) {
        return err;
    }
    return region->flash->write(region->flash, region->offset + offset, data, len);
}

enum ota_err ota_region_write_verified(const struct ota_region *region, uint32_t offset,
                                       const void *data, uint32_t len)
{
    bool same = false;
    enum ota_err err = ota_region_write(region, offset, data, len);

    if (err == OTA_OK) {
        err = ota_region_equals(region, offset, data, len, &same);
    }
    if (err == OTA_OK && !same) {
        err = OTA_ERR_FLASH_VERIFY;
    }
    return err;
}

enum ota_err ota_region_erase(const struct ota_region *region, uint32_t offset, uint32_t len)
{
    enum ota_err err = check_access(region, offset, len, region->flash->erase_size);

    if (err != OTA_OK) {
        return err;
    }
    return region->flash->erase(region->flash, region->offset + offset, len);
}

enum ota_err ota_region_is_blank(const struct ota_region *region, uint32_t offset, uint32_t len,
                                 bool *blank)
{
    uint8_t piece[PIECE];
    enum ota_err err = check_access(region, offset, len, 1);

    *blank = true;
    while (err == OTA_OK && len > 0 && *blank) {
        uint32_t n = ota__min(len, PIECE);
        err = ota_region_read(region, offset, piece, n);
        *blank = err == OTA_OK && ota__is_blank(piece, n);
        offset += n;
        len -= n;
    }
    return err;
}

enum ota_err ota_region_equals(const struct ota_region *region, uint32_t offset, const void *data,
                               uint32_t len, bool *same)
{
    const uint8_t *expected = data;
    uint8_t piece[PIECE];
    enum ota_err err = check_access(region, offset, len, 1);

    *same = true;
    while (err == OTA_OK && len > 0 && *same) {
        uint32_t n = ota__min(len, PIECE);
        err = ota_region_read(region, offset, piece, n);
        *same = err == OTA_OK && memcmp(piece, expected, n) == 0;
        expected += n;
        offset += n;
        len -= n;
    }
    return err;
}
