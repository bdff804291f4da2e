/* SPDX-License-Identifier: Apache-2.0 */
/* The decision: select a slot, then prove images in the order of docs/formats/otadata.md section
   5.2 until one passes. */
#include <updraft/boot.h>

#include "boot/prove.h"
#include "boot/select.h"

void ota__boot_report(const struct ota_boot *boot, enum ota_boot_event event, int slot,
                      enum ota_err err, uint32_t offset)
{
    struct ota_failure failure = {err, offset};

    if (boot->on_event != NULL) {
        boot->on_event(boot->context, boot, event, slot, failure);
    }
}

void ota__boot_tell(const struct ota_boot *boot, enum ota_boot_event event, int slot,
                    enum ota_err err)
{
    ota__boot_report(boot, event, slot, err, 0);
}

/* The slot to try after `slot` when the search began at `start`: down to factory, up again from
   start + 1, the test app last; then OTA_SLOT_NONE. */
static int next_candidate(const struct ota_boot *boot, int start, int slot)
{
    int last = (int)boot->device->layout.ota_rows - 1;
    int next = slot > start ? slot + 1 : slot - 1;

    if (slot == OTA_SLOT_TEST) {
        return OTA_SLOT_NONE;
    }
    if (slot == OTA_SLOT_FACTORY) {
        next = start + 1;
    }
    return next > last ? OTA_SLOT_TEST : next;
}

/* Raises the fuses' floor to the version of an image that is proven now and was confirmed before.
   Fuses cannot be taken back, so what is merely stated in the flash never gets there. */
void ota__boot_raise_floor(const struct ota_boot *boot)
{
    struct ota_fuses *fuses = boot->device->fuses;
    enum ota_err err =
        fuses->raise_secure_version(fuses, ota_image_secure_version(&boot->check.image));

    if (err != OTA_OK) {
        ota__boot_tell(boot, OTA_BOOT_STATE_UNSAVED, boot->slot, err);
    }
}

enum ota_err ota__boot_stop(struct ota_boot *boot, enum ota_err err)
{
    boot->slot = OTA_SLOT_NONE;
    boot->device->running_slot = OTA_SLOT_NONE;
    boot->region.size = 0;
    if (boot->failure.err == OTA_OK) {
        boot->failure.err = err;
    }
    ota__boot_report(boot, OTA_BOOT_NOTHING, OTA_SLOT_NONE, boot->failure.err,
                     boot->failure.offset);
    return err;
}

/* Settles upon an image that was proven. Nobody gets here with another, unless the processor lost
   its way. */
static enum ota_err run(struct ota_boot *boot, int slot, int selected)
{
    if (!ota_boot_is_proven(boot)) {
        return ota__boot_stop(boot, OTA_ERR_NOTHING_BOOTABLE);
    }
    boot->slot = slot;
    boot->device->running_slot = slot;
    boot->on_trial = boot->on_trial && slot == selected;
    if (boot->initial && slot >= 0) {
        ota__boot_write_first_entry(boot, slot);
        boot->confirmed = true;
    } else {
        boot->confirmed = boot->confirmed && slot == selected;
    }
    if (boot->confirmed && boot->device->fuses != NULL) {
        ota__boot_raise_floor(boot);
    }
    if (!ota_boot_is_proven(boot)) {
        return ota__boot_stop(boot, OTA_ERR_NOTHING_BOOTABLE);
    }
    ota__boot_tell(boot, OTA_BOOT_CHOSEN, slot, OTA_OK);
    return OTA_OK;
}

enum ota_err ota_boot_decide(struct ota_boot *boot, uint8_t *buffer, uint32_t buffer_size)
{
    struct ota_failure none = {OTA_OK, 0};
    int start = OTA_SLOT_TEST;
    enum ota_err err;

    boot->proof = 0;
    boot->on_trial = false;
    boot->initial = false;
    boot->confirmed = false;
    boot->failure = none;
    err = ota_device_open(boot->device, &boot->failure);
    if (err != OTA_OK) {
        ota__boot_report(boot, OTA_BOOT_TABLE_BAD, OTA_SLOT_NONE, err, boot->failure.offset);
        return ota__boot_stop(boot, err);
    }
    if (!boot->test_app && ota__boot_select(boot, &start) != OTA_OK) {
        return ota__boot_stop(boot, OTA_ERR_NOTHING_BOOTABLE);
    }
    for (int slot = start; slot != OTA_SLOT_NONE; slot = next_candidate(boot, start, slot)) {
        if (ota__boot_prove(boot, slot, buffer, buffer_size)) {
            return run(boot, slot, start);
        }
    }
    return ota__boot_stop(boot, OTA_ERR_NOTHING_BOOTABLE);
}
