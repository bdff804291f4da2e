/* SPDX-License-Identifier: Apache-2.0 */
/* The selection of docs/formats/otadata.md section 5.1, step by step. */
#include "boot/select.h"

#include "base/mem.h"
#include "format/selection.h"

static bool has_fuses(const struct ota_boot *boot)
{
    return boot->device->fuses != NULL;
}

static bool is_never_written(const struct ota_otadata *otadata)
{
    return !ota_otadata_entry_is_written(&otadata->entry[0]) &&
           !ota_otadata_entry_is_written(&otadata->entry[1]);
}

/* Writes an entry's new state. If that fails, the entry counts no longer, in this boot at least. */
static bool save(const struct ota_boot *boot, struct ota__selection *selection, int index, int slot)
{
    struct ota_otadata_entry *entry = &selection->otadata.entry[index];
    enum ota_err err = ota_otadata_write(&selection->region, index, entry);

    if (err != OTA_OK) {
        ota__boot_tell(boot, OTA_BOOT_STATE_UNSAVED, slot, err);
        entry->state = OTA_STATE_ABORTED;
    }
    return err == OTA_OK;
}

/* An image that is still on trial when the bootloader runs did not confirm itself. It may have more
   than one trial. */
static void take_back_unconfirmed(const struct ota_boot *boot, struct ota__selection *selection)
{
    for (int i = 0; i < OTA_OTADATA_ENTRIES; i++) {
        struct ota_otadata_entry *entry = &selection->otadata.entry[i];
        if (entry->state == OTA_STATE_PENDING_VERIFY &&
            ota_otadata_trials(entry) >= boot->trial_boots) {
            unsigned slots = boot->device->layout.ota_rows;
            int slot = slots == 0 ? OTA_SLOT_NONE : ota_otadata_slot(entry, slots);
            entry->state = OTA_STATE_ABORTED;
            if (save(boot, selection, i, slot)) {
                ota__boot_tell(boot, OTA_BOOT_TAKEN_BACK, slot, OTA_OK);
            }
        }
    }
}

static uint32_t secure_version(const struct ota_boot *boot, int slot)
{
    struct ota_region region;
    const struct ota_device *device = boot->device;

    return ota_layout_region(&device->layout, device->flash, slot, &region) == OTA_OK
               ? ota_image_read_secure_version(&region, device->form)
               : 0;
}

/* With fuses, entries count only if their slot's image is not below the floor. */
static void drop_below_floor(const struct ota_boot *boot, struct ota_otadata *otadata)
{
    struct ota_fuses *fuses = boot->device->fuses;

    for (int i = 0; i < OTA_OTADATA_ENTRIES; i++) {
        struct ota_otadata_entry *entry = &otadata->entry[i];
        if (ota_otadata_entry_is_valid(entry)) {
            int slot = ota_otadata_slot(entry, boot->device->layout.ota_rows);
            if (secure_version(boot, slot) < fuses->secure_version(fuses)) {
                ota__boot_tell(boot, OTA_BOOT_BELOW_FLOOR, slot, OTA_ERR_SECURE_VERSION);
                entry->state = OTA_STATE_INVALID;
            }
        }
    }
}

/* Whether the entry's image has yet to confirm itself. */
static bool is_unconfirmed(const struct ota_boot *boot, const struct ota_otadata_entry *entry)
{
    return boot->device->rollback &&
           (entry->state == OTA_STATE_NEW || entry->state == OTA_STATE_PENDING_VERIFY);
}

/* Notes that the image boots on trial, and for which time, where there may be a second. */
static bool begin_trial(struct ota_boot *boot, struct ota__selection *selection, int index,
                        int slot)
{
    struct ota_otadata_entry *entry = &selection->otadata.entry[index];

    boot->trial_boot = (uint8_t)(ota_otadata_trials(entry) + 1);
    entry->state = OTA_STATE_PENDING_VERIFY;
    if (boot->trial_boots > 1) {
        ota_otadata_set_trials(entry, boot->trial_boot);
    }
    boot->on_trial = save(boot, selection, index, slot);
    if (boot->on_trial) {
        ota__boot_tell(boot, OTA_BOOT_ON_TRIAL, slot, OTA_OK);
    }
    return boot->on_trial;
}

/* The slot of the entry that counts, its state moved on; OTA_SLOT_FACTORY if none does. */
static int select_active(struct ota_boot *boot, struct ota__selection *selection)
{
    int index;

    while ((index = ota_otadata_active(&selection->otadata)) >= 0) {
        struct ota_otadata_entry *entry = &selection->otadata.entry[index];
        int slot = ota_otadata_slot(entry, boot->device->layout.ota_rows);

        ota__boot_tell(boot, OTA_BOOT_SELECTED, slot, OTA_OK);
        if (is_unconfirmed(boot, entry) && !begin_trial(boot, selection, index, slot)) {
            continue;
        }
        boot->confirmed = entry->state == OTA_STATE_VALID;
        return slot;
    }
    ota__boot_tell(boot, OTA_BOOT_OTADATA_EMPTY, OTA_SLOT_NONE, OTA_OK);
    return OTA_SLOT_FACTORY;
}

/* Step 4 of the section: there is no entry to go by, or no slot that one could name. The search
   begins at the factory app; where there is none, that is to begin at slot 0. Entries that were
   written and are void choose nothing either: select_active finds that. */
static bool is_empty(struct ota_boot *boot, const struct ota_otadata *otadata)
{
    const struct ota_layout *layout = &boot->device->layout;
    bool never_written = is_never_written(otadata);

    if (!never_written && layout->ota_rows != 0) {
        return false;
    }
    boot->initial = never_written && (has_fuses(boot) || layout->factory.size == 0);
    ota__boot_tell(boot, OTA_BOOT_OTADATA_EMPTY, OTA_SLOT_NONE, OTA_OK);
    return true;
}

enum ota_err ota__boot_select(struct ota_boot *boot, int *slot)
{
    struct ota__selection selection;
    enum ota_err err;

    *slot = OTA_SLOT_FACTORY;
    if (boot->device->layout.otadata.size == 0) {
        ota__boot_tell(boot, OTA_BOOT_NO_OTADATA, OTA_SLOT_NONE, OTA_OK);
        return OTA_OK;
    }
    err = ota__selection_read(&selection, &boot->device->layout, boot->device->flash);
    if (err != OTA_OK) {
        ota__boot_tell(boot, OTA_BOOT_OTADATA_BAD, OTA_SLOT_NONE, err);
        return err;
    }
    if (boot->device->rollback) {
        take_back_unconfirmed(boot, &selection);
    }
    if (is_empty(boot, &selection.otadata)) {
        return OTA_OK;
    }
    if (has_fuses(boot)) {
        drop_below_floor(boot, &selection.otadata);
    }
    *slot = select_active(boot, &selection);
    return OTA_OK;
}

void ota__boot_write_first_entry(struct ota_boot *boot, int slot)
{
    struct ota__selection selection;
    struct ota_otadata_entry entry;
    enum ota_err err = ota__selection_read(&selection, &boot->device->layout, boot->device->flash);

    memset(&entry, 0xFF, sizeof entry);
    entry.sequence = (uint32_t)slot + 1;
    entry.state = OTA_STATE_VALID;
    entry.crc = ota_otadata_crc(entry.sequence);
    if (err == OTA_OK) {
        err = ota_otadata_write(&selection.region, 0, &entry);
    }
    if (err != OTA_OK) {
        ota__boot_tell(boot, OTA_BOOT_STATE_UNSAVED, slot, err);
        return;
    }
    ota__boot_tell(boot, OTA_BOOT_ENTRY_WRITTEN, slot, OTA_OK);
}
