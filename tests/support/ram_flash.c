/* SPDX-License-Identifier: Apache-2.0 */
#include "support/ram_flash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/images.h"

struct ram_flash *ram_flash_new(uint32_t size, uint32_t erase_size, uint32_t block_size,
                                uint32_t write_size)
{
    struct ram_flash *chip = calloc(1, sizeof *chip);
    struct nor_config config = {
        .size = size, .erase = {{erase_size, 0}}, .write_size = write_size, .program_once = true};

    assert_non_null(chip);
    if (block_size != 0) {
        config.erase[1].size = block_size;
    }
    chip->sectors = size / erase_size;
    chip->memory = malloc(size);
    chip->wear = calloc(chip->sectors, sizeof *chip->wear);
    assert_non_null(chip->memory);
    assert_non_null(chip->wear);
    assert_int_equal(nor_init(&chip->nor, &config, chip->memory, chip->wear, &chip->state), OTA_OK);
    nor_blank(&chip->nor);
    faulty_flash_init(&chip->faulty, &chip->nor.flash);
    return chip;
}

static void check_rules(const struct ram_flash *chip)
{
    if (chip->state.violations != 0) {
        fail_msg("the flash chip's rules were broken: %s", chip->state.note);
    }
}

void ram_flash_free(struct ram_flash *chip)
{
    check_rules(chip);
    free(chip->memory);
    free(chip->wear);
    free(chip);
}

void ram_flash_blank(struct ram_flash *chip)
{
    check_rules(chip);
    nor_blank(&chip->nor);
}

void ram_flash_fill(struct ram_flash *chip, uint32_t offset, uint32_t len, uint64_t seed)
{
    for (uint32_t i = 0; i < len; i++) {
        chip->memory[offset + i] = (uint8_t)noise(seed, i);
    }
}

struct ota_region ram_flash_region(struct ram_flash *chip, uint32_t offset, uint32_t size)
{
    struct ota_region region;

    assert_int_equal(ota_region_init(&region, &chip->faulty.flash, offset, size), OTA_OK);
    return region;
}

uint64_t ram_flash_changes(const struct ram_flash *chip)
{
    return chip->state.statistics.operations;
}
