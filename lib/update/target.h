/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDATE_TARGET_H
#define UPDATE_TARGET_H

/* Where an update goes: the partition that may be overwritten, found by label or by turn. */

#include <updraft/update.h>

struct ota__target {
    struct ota_partition partition; /* what is updated */
    struct ota_region region;       /* where it is written, in whole sectors: the partition, or a
                                       staging region */
    uint32_t limit;                 /* bytes of it that may be written */
    int slot;                       /* OTA_SLOT_NONE for a data partition */
};

/* Finds the target that `label` names (NULL: the next OTA slot) and checks that it may be written,
   as ota_update_begin says. `options` is NULL where no update is begun. */
enum ota_err ota__target_find(const struct ota_device *device, const char *label,
                              const struct ota_update_options *options, struct ota__target *target);

#endif
