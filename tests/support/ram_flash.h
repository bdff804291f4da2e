/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SUPPORT_RAM_FLASH_H
#define SUPPORT_RAM_FLASH_H

/*
 * A flash chip for tests: the simulated NOR chip of ports/posix in memory of its own, strict (a
 * unit is programmed once after each erase), with the fault layer on top.
 *
 *     struct ram_flash *chip = ram_flash_new(1 << 20, 4096, 65536, 1);
 *     use(&chip->faulty.flash);
 *     ram_flash_free(chip);    (fails the test if the rules of the chip were broken)
 */

#include <posix/nor.h>

#include "support/faults.h"

struct ram_flash {
    struct faulty_flash faulty; /* what the code under test is given */
    struct nor nor;
    struct nor_state state;
    uint8_t *memory;
    uint32_t *wear; /* erases of each smallest unit */
    uint32_t sectors;
};

/* Makes an erased chip; `block_size` 0: it has sectors only. */
struct ram_flash *ram_flash_new(uint32_t size, uint32_t erase_size, uint32_t block_size,
                                uint32_t write_size);

/* Fails the test if a rule was broken; frees the chip. */
void ram_flash_free(struct ram_flash *chip);

/* Makes it erased, its counters zero. Checks the rules first. */
void ram_flash_blank(struct ram_flash *chip);

/* Fills a stretch with noise of a seed, as if it had been written long ago. */
void ram_flash_fill(struct ram_flash *chip, uint32_t offset, uint32_t len, uint64_t seed);

/* A region of it. */
struct ota_region ram_flash_region(struct ram_flash *chip, uint32_t offset, uint32_t size);

/* How many erases and programs there were since it was made or made blank. */
uint64_t ram_flash_changes(const struct ram_flash *chip);

#endif
