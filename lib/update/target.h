/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDATE_TARGET_H
#define UPDATE_TARGET_H

/* Where an update goes: the partition that may be overwritten, found by label or by turn. */

#include <updraft/device.h>

struct ota__target {
    struct ota_partition partition;
    struct ota_region region; /* the partition, in whole sectors */
    int slot;                 /* OTA_SLOT_NONE for a data partition */
};

/* Finds the target that `label` names (NULL: the next OTA slot) and checks that it may be written,
   as ota_update_begin says. */
enum ota_err ota__target_find(const struct ota_device *device, const char *label,
                              struct ota__target *target);

#endif
