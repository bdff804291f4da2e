/* SPDX-License-Identifier: Apache-2.0 */
#include "update/target.h"

#include <updraft/slot.h>

#include "base/bytes.h"
#include "update/staging_private.h"

static enum ota_err find_partition(const struct ota_device *device, const char *label,
                                   struct ota_partition *partition)
{
    int slot;

    if (label != NULL) {
        return ota_partition_find(&device->table, OTA_PARTITION_ANY, OTA_SUBTYPE_ANY, label,
                                  partition);
    }
    slot = ota_slot_next(device);
    if (slot == OTA_SLOT_NONE) {
        return OTA_ERR_NO_PARTITION;
    }
    return ota_partition_find(&device->table, OTA_PARTITION_APP,
                              (uint8_t)(OTA_SUBTYPE_APP_OTA_0 + slot), NULL, partition);
}

static bool is_ota_slot(const struct ota_partition *partition)
{
    return partition->subtype >= OTA_SUBTYPE_APP_OTA_0 &&
           partition->subtype <= OTA_SUBTYPE_APP_OTA_15;
}

static enum ota_err check_app(const struct ota_device *device, struct ota__target *target)
{
    if (!is_ota_slot(&target->partition)) { /* the factory app, the test app, or none of ours */
        return OTA_ERR_ARGUMENT;
    }
    target->slot = target->partition.subtype - OTA_SUBTYPE_APP_OTA_0;
    if (target->slot >= device->layout.ota_run || device->layout.otadata.size == 0) {
        return OTA_ERR_NO_OTADATA; /* nothing could make it boot */
    }
    if (target->slot == device->running_slot) {
        return OTA_ERR_RUNNING_SLOT;
    }
    return ota_slot_is_on_trial(device) ? OTA_ERR_UNCONFIRMED : OTA_OK;
}

enum ota_err ota__target_find(const struct ota_device *device, const char *label,
                              const struct ota_update_options *options, struct ota__target *target)
{
    const struct ota_partition *partition = &target->partition;
    enum ota_err err;

    if (device->staging != NULL) {
        return device->staging->way->find(device, label, options, target);
    }
    err = find_partition(device, label, &target->partition);
    if (err != OTA_OK) {
        return err;
    }
    target->slot = OTA_SLOT_NONE;
    if (partition->type == OTA_PARTITION_APP) {
        err = check_app(device, target);
    } else if (partition->type != OTA_PARTITION_DATA ||
               partition->subtype == OTA_SUBTYPE_DATA_OTA) {
        err = OTA_ERR_ARGUMENT;
    }
    if (err == OTA_OK && (partition->flags & OTA_PARTITION_FLAG_READ_ONLY) != 0) {
        err = OTA_ERR_READ_ONLY;
    }
    if (err != OTA_OK) {
        return err;
    }
    target->limit = ota__round_down(partition->size, device->flash->erase_size);
    return ota_region_init(&target->region, device->flash, partition->offset, target->limit);
}
