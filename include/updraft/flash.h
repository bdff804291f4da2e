/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_FLASH_H
#define UPDRAFT_FLASH_H

/*
 * NOR flash: what a board supplies (struct ota_flash) and bounded windows into it
 * (struct ota_region).
 *
 * The contract is that of every NOR chip. An erase sets whole erase units to 0xFF. Programming only
 * clears bits; a unit that has been programmed is erased before it is programmed again, so chips
 * with an error-correcting code per word fit too. Power may fail during any call: the bytes that
 * the call was to change are then undefined, all others are untouched.
 *
 * A driver fills in the numbers and three functions, and keeps what it needs beside them:
 *
 *     struct my_flash {
 *         struct ota_flash flash;   (first member: the driver gets its own back by a cast)
 *         struct spi *bus;
 *     };
 *
 *     static struct my_flash chip = {
 *         .flash = { .size = 4u << 20, .erase_size = 4096, .block_erase_size = 65536,
 *                    .write_size = 1, .read = my_read, .write = my_write, .erase = my_erase },
 *         .bus = &spi0,
 *     };
 *
 * Drivers are told only of accesses that are inside the chip and aligned: regions check that once.
 */

#include <stdbool.h>
#include <stdint.h>

#include <updraft/error.h>

/* The largest write_size that the library serves, in bytes. */
#define OTA_WRITE_SIZE_MAX 256u

struct ota_flash {
    uint32_t size;       /* bytes; a multiple of erase_size */
    uint32_t erase_size; /* smallest erase unit in bytes: a power of two, at least write_size */
    uint32_t block_erase_size; /* larger erase unit, cheaper by the byte: a power of two; or 0 */
    uint32_t write_size;       /* program unit in bytes: a power of two, 1 to OTA_WRITE_SIZE_MAX */

    /* Reads `len` bytes at `offset` (any alignment) into `data`. Returns OTA_OK or
       OTA_ERR_FLASH_READ. */
    enum ota_err (*read)(struct ota_flash *flash, uint32_t offset, void *data, uint32_t len);

    /* Programs `len` bytes at `offset`, both multiples of write_size, onto erased units. The driver
       splits at page boundaries where its chip has such. Returns OTA_OK or OTA_ERR_FLASH_WRITE. */
    enum ota_err (*write)(struct ota_flash *flash, uint32_t offset, const void *data, uint32_t len);

    /* Erases `len` bytes at `offset`, both multiples of erase_size, with as few and as large
       operations as the chip has. Returns OTA_OK or OTA_ERR_FLASH_ERASE. */
    enum ota_err (*erase)(struct ota_flash *flash, uint32_t offset, uint32_t len);
};

/* Checks that the driver's numbers obey the rules above and that all functions are there. Returns
   OTA_OK or OTA_ERR_ARGUMENT. */
enum ota_err ota_flash_check(const struct ota_flash *flash);

/*
 * A window of a flash device: a partition, a slot, a sector of otadata. It owns nothing; the flash
 * outlives it. All offsets are relative to its start. Copy it freely.
 */
struct ota_region {
    struct ota_flash *flash;
    uint32_t offset; /* of the first byte on the flash, bytes */
    uint32_t size;   /* bytes */
};

/* Makes a region of `size` bytes at `offset`. Returns OTA_ERR_BOUNDS if that is not wholly inside
   the flash, else OTA_OK. Alignment is checked when the region is written or erased. */
enum ota_err ota_region_init(struct ota_region *region, struct ota_flash *flash, uint32_t offset,
                             uint32_t size);

/* Reads bytes. Returns OTA_ERR_BOUNDS or the driver's error. */
enum ota_err ota_region_read(const struct ota_region *region, uint32_t offset, void *data,
                             uint32_t len);

/* Programs bytes onto erased flash. Returns OTA_ERR_BOUNDS, OTA_ERR_ALIGNMENT (absolute offset or
   length no multiple of write_size) or the driver's error. */
enum ota_err ota_region_write(const struct ota_region *region, uint32_t offset, const void *data,
                              uint32_t len);

/* Programs bytes and compares what reads back. Returns as ota_region_write, or
   OTA_ERR_FLASH_VERIFY. */
enum ota_err ota_region_write_verified(const struct ota_region *region, uint32_t offset,
                                       const void *data, uint32_t len);

/* Erases whole units. Returns OTA_ERR_BOUNDS, OTA_ERR_ALIGNMENT (absolute offset or length no
   multiple of erase_size) or the driver's error. */
enum ota_err ota_region_erase(const struct ota_region *region, uint32_t offset, uint32_t len);

/* Tells in `*blank` whether all bytes of the range are 0xFF. Returns OTA_ERR_BOUNDS or the driver's
   error. */
enum ota_err ota_region_is_blank(const struct ota_region *region, uint32_t offset, uint32_t len,
                                 bool *blank);

/* Tells in `*same` whether the range holds exactly `data`. Returns OTA_ERR_BOUNDS or the driver's
   error. */
enum ota_err ota_region_equals(const struct ota_region *region, uint32_t offset, const void *data,
                               uint32_t len, bool *same);

#endif
