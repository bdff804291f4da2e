/* SPDX-License-Identifier: Apache-2.0 */
/* Opening a device with one place to run from: its layout takes the part of a partition table. */
#include "format/staging.h"

#include "base/mem.h"

/* Where the image is that slot 1 stands for: what ran before, or what was or will be staged. */
static struct ota_extent staged_slot(const struct ota_staging *staging,
                                     const struct ota__staging_map *map,
                                     const struct ota__command *command)
{
    struct ota_extent extent = {staging->staging.offset + map->unit, map->most};

    if (ota__command_is_swapped(command)) {
        extent.offset = staging->staging.offset;
    } else if (command->is_there) {
        extent.offset = command->stored.offset;
        extent.size = map->end - command->stored.offset;
    }
    return extent;
}

enum ota_err ota__staging_open(struct ota_device *device)
{
    const struct ota_staging *staging = device->staging;
    struct ota__staging_map map;
    struct ota__command command;
    enum ota_err err;

    if (device->flash == NULL || device->crypto == NULL || device->form == OTA_IMAGE_DETECT ||
        ota_flash_check(device->flash) != OTA_OK || staging == NULL) {
        return OTA_ERR_ARGUMENT;
    }
    err = ota__staging_command(staging, device->flash, &map, &command);
    if (err != OTA_OK) {
        return err;
    }
    memset(&device->table, 0, sizeof device->table);
    device->table.flash = device->flash;
    device->table.rows = staging->data_count;
    device->table.fixed = staging->data;
    memset(&device->layout, 0, sizeof device->layout);
    device->layout.ota[OTA__SLOT_APP] = staging->app;
    device->layout.ota[OTA__SLOT_STAGED] = staged_slot(staging, &map, &command);
    device->layout.ota_rows = 2;
    device->layout.ota_run = 2;
    device->running_slot = OTA__SLOT_APP;
    return OTA_OK;
}
