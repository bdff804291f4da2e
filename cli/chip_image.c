/* SPDX-License-Identifier: Apache-2.0 */
/* A flash driver on a mapped file. */

#include "cli/chip_image.h"

#include <string.h>

#include "cli/output.h"
#include "cli/table.h"
#include "cli/table_file.h"
#include "cli/table_rules.h"

#define SMALLEST_CHIP (UINT32_C(1) << 20)

static struct chip_image *own(struct ota_flash *flash)
{
    return (struct chip_image *)flash;
}

/* How many of `len` bytes at `offset` are in the file. */
static uint32_t in_file(const struct chip_image *chip, uint32_t offset, uint32_t len)
{
    if (offset >= chip->content.size) {
        return 0;
    }
    size_t left = chip->content.size - offset;
    return left < len ? (uint32_t)left : len;
}

static enum ota_err chip_read(struct ota_flash *flash, uint32_t offset, void *data, uint32_t len)
{
    uint8_t *bytes = data;
    uint32_t present = in_file(own(flash), offset, len);
    if (present > 0) {
        memcpy(bytes, own(flash)->content.data + offset, present);
    }
    memset(bytes + present, 0xFF, len - present);
    return OTA_OK;
}

static enum ota_err chip_write(struct ota_flash *flash, uint32_t offset, const void *data,
                               uint32_t len)
{
    const uint8_t *bytes = data;
    if (in_file(own(flash), offset, len) < len) {
        return OTA_ERR_FLASH_WRITE;
    }
    for (uint32_t i = 0; i < len; i++) {
        own(flash)->content.data[offset + i] &= bytes[i];
    }
    return OTA_OK;
}

static enum ota_err chip_erase(struct ota_flash *flash, uint32_t offset, uint32_t len)
{
    uint32_t present = in_file(own(flash), offset, len);
    if (present > 0) {
        memset(own(flash)->content.data + offset, 0xFF, present);
    }
    return OTA_OK;
}

static uint32_t chip_size_for(uint64_t bytes)
{
    uint32_t size = SMALLEST_CHIP;
    while (size < bytes && size < CHIP_IMAGE_LIMIT) {
        size *= 2;
    }
    return size;
}

static void set_up(struct chip_image *chip, const char *path, uint32_t size)
{
    chip->path = path;
    chip->flash = (struct ota_flash){.size = size,
                                     .erase_size = CHIP_IMAGE_SECTOR,
                                     .write_size = 1,
                                     .read = chip_read,
                                     .write = chip_write,
                                     .erase = chip_erase};
}

int chip_image_open(struct chip_image *chip, const char *path, uint32_t size)
{
    *chip = (struct chip_image){.path = path};
    if (files_map(path, CHIP_IMAGE_LIMIT, &chip->content) != 0) {
        return 1;
    }
    if (size != 0 && chip->content.size > size) {
        size_t len = chip->content.size;
        files_release(&chip->content);
        return fail("%s: %s bytes are more than the chip's %s", files_name(path),
                    output_thousands(len).text, output_size(size).text);
    }
    set_up(chip, path, size != 0 ? size : chip_size_for(chip->content.size));
    return 0;
}

void chip_image_adopt(struct chip_image *chip, const char *path, struct files_content content)
{
    *chip = (struct chip_image){.content = content};
    set_up(chip, path, (uint32_t)content.size);
}

int chip_image_open_table(struct chip_image *chip, uint32_t offset,
                          struct ota_partition_table *table)
{
    struct ota_failure failure;
    enum ota_err err =
        ota_partition_table_open(table, &chip->flash, offset, &ota_crypto_psa, &failure);
    while (err == OTA_ERR_TABLE_BOUNDS && chip->flash.size < CHIP_IMAGE_LIMIT) {
        chip->flash.size *= 2;
        err = ota_partition_table_open(table, &chip->flash, offset, &ota_crypto_psa, &failure);
    }
    if (err == OTA_OK) {
        return 0;
    }
    if (err == OTA_ERR_TABLE_EMPTY) {
        return fail(
            "%s: there is no partition table at 0x%x; if it lies elsewhere: --offset ADDRESS",
            files_name(chip->path), offset);
    }
    return fail(
        "%s: the partition table at 0x%x: %s (row %u, at 0x%x); if the table lies elsewhere: "
        "--offset ADDRESS",
        files_name(chip->path), offset, ota_err_text(err),
        failure.offset / OTA_PARTITION_ROW_SIZE + 1, offset + failure.offset);
}

int chip_image_save(const struct chip_image *chip)
{
    return files_write_atomically(chip->path, chip->content.data, chip->content.size);
}

void chip_image_close(struct chip_image *chip)
{
    files_release(&chip->content);
}
