/* SPDX-License-Identifier: Apache-2.0 */
/* Opening a device with one place to run from: its layout takes the part of a partition table. */
#include "update/staging_private.h"

#include "base/mem.h"

enum ota_err ota__staging_load(const struct ota_device *device, struct ota__staging_map *map,
                               struct ota__command *command)
{
    return ota__staging_command(device->staging, device->flash, map, command);
}

const struct ota_partition *ota__staging_partition(const struct ota_staging *staging,
                                                   const char *label)
{
    for (unsigned i = 0; i < staging->data_count; i++) {
        if (ota__same_text(staging->data[i].label, label)) {
            return &staging->data[i];
        }
    }
    return NULL;
}

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
    err = ota__staging_load(device, &map, &command);
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

enum ota_err ota_staging_open(struct ota_device *device)
{
    enum ota_err err = ota__staging_open(device);

    return err == OTA_OK && device->staging->way == NULL ? OTA_ERR_ARGUMENT : err;
}

enum ota_err ota_staging_plan(const struct ota_device *device, const char *label, uint32_t size,
                              enum ota_staging_plan *plan, struct ota_extent *extent)
{
    return device->staging->way->plan(device, label, size, plan, extent);
}
