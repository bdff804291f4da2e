/* SPDX-License-Identifier: Apache-2.0 */
/* Whether an update was cut short, of whatever kind. */
#include <updraft/update.h>

#include "update/target.h"

enum ota_err ota_update_was_cut_short(const struct ota_device *device, const char *label,
                                      bool *cut_short)
{
    struct ota__target target;
    enum ota_err err = ota__target_find(device, label, NULL, &target);

    *cut_short = false;
    if (err == OTA_OK) {
        err = ota_journal_is_begun(&target.region, cut_short);
    }
    if (err == OTA_OK && !*cut_short) {
        err = ota__target_find_small(device, label, &target);
        err = err == OTA_OK ? ota_journal_is_begun(&target.region, cut_short) : err;
    }
    return err;
}
