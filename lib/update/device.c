/* SPDX-License-Identifier: Apache-2.0 */
#include <updraft/device.h>
#include <updraft/staging.h>

#include "base/mem.h"

enum ota_err ota_device_open(struct ota_device *device, struct ota_failure *failure)
{
    enum ota_err err;

    if (device->flash == NULL || device->crypto == NULL || device->form == OTA_IMAGE_DETECT ||
        ota_flash_check(device->flash) != OTA_OK) {
        return OTA_ERR_ARGUMENT;
    }
    err = ota_partition_table_open(&device->table, device->flash, device->table_offset,
                                   device->crypto, failure);
    return err == OTA_OK ? ota_layout_read(&device->layout, &device->table) : err;
}

void ota_device_image_rules(const struct ota_device *device, const struct ota_region *region,
                            struct ota_image_rules *rules)
{
    memset(rules, 0, sizeof *rules);
    rules->form = device->form;
    rules->role = OTA_ROLE_APP;
    rules->chip = device->chip;
    rules->size_max = region->size;
    rules->flash_offset = device->staging != NULL ? device->staging->app.offset : region->offset;
    rules->esp8266 = device->esp8266;
    if (device->fuses != NULL) {
        rules->secure_version_floor = device->fuses->secure_version(device->fuses);
    }
}
