/* SPDX-License-Identifier: Apache-2.0 */
/* An update that was cut short: whether there is one, of whatever kind, and whether it waits to be
   gone on with. For those who only ask. */
#include <updraft/update.h>

#include "base/bytes.h"
#include "update/target.h"

/* Finds the target of an update that is so small that it is staged if anything is, also where one
   of unknown size would be written in place. It takes two sectors, one of them for the mark. */
static enum ota_err find_small(const struct ota_device *device, const char *label,
                               struct ota__target *target)
{
    const struct ota_update_options options = {.size = device->flash->erase_size + 1};

    return ota__target_find(device, label, &options, target);
}

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
        err = find_small(device, label, &target);
        err = err == OTA_OK ? ota_journal_is_begun(&target.region, cut_short) : err;
    }
    return err;
}

enum ota_err ota_update_pending(struct ota_device *device, const char *label,
                                struct ota_identity *identity, uint32_t *size, uint32_t *offset)
{
    struct ota__target target;
    struct ota_journal journal;
    enum ota_err err = ota__target_find(device, label, NULL, &target);

    if (err == OTA_OK) {
        err = ota_journal_open(&journal, &target.region);
    }
    if (err == OTA_ERR_NO_DATA) {
        err = find_small(device, label, &target);
        err = err == OTA_OK ? ota_journal_open(&journal, &target.region) : err;
    }
    if (err != OTA_OK) {
        return err;
    }
    *identity = journal.identity;
    *size = journal.size;
    *offset = ota__round_down(journal.last.offset, device->flash->erase_size);
    return *offset == 0 ? OTA_ERR_NO_DATA : OTA_OK;
}
