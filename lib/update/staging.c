/* SPDX-License-Identifier: Apache-2.0 */
/* A device with one place to run from, as the firmware opens it. */
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
