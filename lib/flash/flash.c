/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>

#include <updraft/flash.h>

#include "base/bytes.h"

static bool is_multiple(uint32_t value, uint32_t unit)
{
    return (value & (unit - 1)) == 0;
}

enum ota_err ota_flash_check(const struct ota_flash *flash)
{
    bool functions = flash->read != NULL && flash->write != NULL && flash->erase != NULL;
    bool units = ota__is_power_of_two(flash->write_size) &&
                 flash->write_size <= OTA_WRITE_SIZE_MAX &&
                 ota__is_power_of_two(flash->erase_size) && flash->erase_size >= flash->write_size;

    if (!functions || !units || flash->size == 0 || !is_multiple(flash->size, flash->erase_size)) {
        return OTA_ERR_ARGUMENT;
    }
    if (flash->block_erase_size != 0 && (!ota__is_power_of_two(flash->block_erase_size) ||
                                         flash->block_erase_size < flash->erase_size)) {
        return OTA_ERR_ARGUMENT;
    }
    return OTA_OK;
}
