/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Slots and their states, as a running app sees and changes them. Every change rewrites one otadata
 * entry; docs/formats/otadata.md sections 6 and 7 say which.
 */
#include <updraft/journal.h>
#include <updraft/sink.h>
#include <updraft/slot.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "format/selection.h"
#include "update/slot_select.h"
#include "update/staging_private.h"

/* Images are proven through a piece of the stack of this many bytes. */
#define PIECE 256u

/* otadata and what it says now. */
struct selection {
    struct ota__selection stored;
    int active; /* index of the entry that counts, or -1 */
};

static unsigned slot_count(const struct ota_device *device)
{
    return device->layout.ota_run;
}

static enum ota_err read_selection(const struct ota_device *device, struct selection *selection)
{
    enum ota_err err =
        device->staging != NULL
            ? device->staging->way->read(device, &selection->stored.otadata)
            : ota__selection_read(&selection->stored, &device->layout, device->flash);

    if (err == OTA_OK) {
        selection->active = ota_otadata_active(&selection->stored.otadata);
    }
    return err;
}

/* Writes an entry; NULL: erases it. */
static enum ota_err write_entry(const struct ota_device *device, const struct selection *selection,
                                int index, const struct ota_otadata_entry *entry)
{
    const struct ota_region *region = &selection->stored.region;

    if (device->staging != NULL) {
        return device->staging->way->write(device, index, entry);
    }
    return entry != NULL ? ota_otadata_write(region, index, entry)
                         : ota_otadata_erase(region, index);
}

/* The slot that an entry names, if its number was ever completely written. */
static int named_slot(const struct ota_device *device, const struct ota_otadata_entry *entry)
{
    if (slot_count(device) == 0 || !ota_otadata_entry_is_written(entry)) {
        return OTA_SLOT_NONE;
    }
    return ota_otadata_slot(entry, slot_count(device));
}

/* The entry that counts; OTA_ERR_NO_ACTIVE_ENTRY if none does. */
static enum ota_err read_active(const struct ota_device *device, struct selection *selection,
                                struct ota_otadata_entry **entry)
{
    enum ota_err err = read_selection(device, selection);

    if (err != OTA_OK) {
        return err;
    }
    if (selection->active < 0 || slot_count(device) == 0) {
        return OTA_ERR_NO_ACTIVE_ENTRY;
    }
    *entry = &selection->stored.otadata.entry[selection->active];
    return OTA_OK;
}

/* The entry that counts, if it names the slot that runs. */
static enum ota_err read_running(const struct ota_device *device, struct selection *selection,
                                 struct ota_otadata_entry **entry)
{
    enum ota_err err = read_active(device, selection, entry);

    if (err == OTA_OK && named_slot(device, *entry) != device->running_slot) {
        err = OTA_ERR_NO_ACTIVE_ENTRY;
    }
    return err;
}

int ota_slot_next(const struct ota_device *device)
{
    int first = device->running_slot < 0 ? 0 : device->running_slot + 1;

    for (int i = 0; i < (int)slot_count(device); i++) {
        int slot = (first + i) % (int)slot_count(device);
        if (slot != device->running_slot) {
            return slot;
        }
    }
    return OTA_SLOT_NONE;
}

uint32_t ota_slot_room(const struct ota_device *device)
{
    enum ota_staging_plan plan;
    struct ota_extent extent = ota_layout_slot(&device->layout, ota_slot_next(device));

    if (device->staging != NULL &&
        device->staging->way->plan(device, NULL, OTA_SIZE_UNKNOWN, &plan, &extent) != OTA_OK) {
        return 0;
    }
    return extent.size;
}

static int default_slot(const struct ota_device *device)
{
    if (device->layout.factory.size != 0) {
        return OTA_SLOT_FACTORY;
    }
    for (int slot = 0; slot < OTA_SLOTS_MAX; slot++) {
        if (device->layout.ota[slot].size != 0) {
            return slot;
        }
    }
    return device->layout.test.size != 0 ? OTA_SLOT_TEST : OTA_SLOT_NONE;
}

enum ota_err ota_slot_boot(const struct ota_device *device, int *slot)
{
    struct selection selection;
    struct ota_otadata_entry *entry;
    enum ota_err err = read_active(device, &selection, &entry);

    if (err == OTA_ERR_NO_ACTIVE_ENTRY) {
        *slot = default_slot(device);
        return OTA_OK;
    }
    if (err == OTA_OK) {
        *slot = named_slot(device, entry);
    }
    return err;
}

enum ota_err ota_slot_state(const struct ota_device *device, int slot, enum ota_image_state *state)
{
    struct selection selection;
    const struct ota_otadata_entry *newest = NULL;
    enum ota_err err = read_selection(device, &selection);

    if (slot < 0 || (unsigned)slot >= slot_count(device)) {
        return OTA_ERR_ARGUMENT;
    }
    if (err != OTA_OK) {
        return err;
    }
    for (int i = 0; i < OTA_OTADATA_ENTRIES; i++) {
        const struct ota_otadata_entry *entry = &selection.stored.otadata.entry[i];
        if (named_slot(device, entry) == slot &&
            (newest == NULL || entry->sequence > newest->sequence)) {
            newest = entry;
        }
    }
    if (newest == NULL) {
        return OTA_ERR_NO_ACTIVE_ENTRY;
    }
    *state = (enum ota_image_state)newest->state;
    return OTA_OK;
}

enum ota_err ota_slot_describe(const struct ota_device *device, int slot,
                               struct ota_app_descriptor *descriptor)
{
    struct ota_region region;
    enum ota_err err = ota_layout_region(&device->layout, device->flash, slot, &region);

    return err == OTA_OK ? ota_image_describe(&region, device->form, descriptor) : err;
}

enum ota_err ota_slot_verify(const struct ota_device *device, int slot,
                             struct ota_image_check *check)
{
    struct ota_region region;
    struct ota_image_rules rules;
    uint8_t piece[PIECE];
    enum ota_err err = ota_layout_region(&device->layout, device->flash, slot, &region);

    if (err != OTA_OK) {
        return err;
    }
    ota_device_image_rules(device, &region, &rules);
    return ota_image_verify(check, &rules, device->crypto, &region, piece, sizeof piece);
}

/* Changing what boots. */

/* Erases both entries, that which does not count first: a cut in between leaves the old choice. */
static enum ota_err erase_both(const struct ota_device *device, const struct selection *selection)
{
    int active = selection->active == 1 ? 1 : 0;
    enum ota_err err = write_entry(device, selection, 1 - active, NULL);

    return err == OTA_OK ? write_entry(device, selection, active, NULL) : err;
}

/* Starts the sequence numbers anew when none is left: the new entry counts once the old one, which
   is larger, is gone. */
static enum ota_err restart_sequence(const struct ota_device *device,
                                     const struct selection *selection, int slot)
{
    struct ota_otadata_entry entry = selection->stored.otadata.entry[1 - selection->active];
    enum ota_err err;

    entry.sequence = (uint32_t)slot + 1;
    entry.state = device->rollback ? OTA_STATE_NEW : OTA_STATE_UNDEFINED;
    entry.crc = ota_otadata_crc(entry.sequence);
    err = write_entry(device, selection, 1 - selection->active, &entry);
    return err == OTA_OK ? write_entry(device, selection, selection->active, NULL) : err;
}

enum ota_err ota__slot_select(const struct ota_device *device, int slot)
{
    struct selection selection;
    struct ota_otadata_entry entry;
    int index;
    enum ota_err err = read_selection(device, &selection);

    if (err != OTA_OK) {
        return err;
    }
    if (slot == OTA_SLOT_FACTORY) {
        return erase_both(device, &selection);
    }
    err = ota_otadata_select(&selection.stored.otadata, slot, slot_count(device), device->rollback,
                             &index, &entry);
    if (err == OTA_ERR_STATE) {
        return restart_sequence(device, &selection, slot);
    }
    return err == OTA_OK ? write_entry(device, &selection, index, &entry) : err;
}

enum ota_err ota_slot_set_boot(const struct ota_device *device, int slot)
{
    struct ota_image_check check;
    enum ota_err err;

    if (slot != OTA_SLOT_FACTORY && (slot < 0 || (unsigned)slot >= slot_count(device))) {
        return OTA_ERR_ARGUMENT;
    }
    err = ota_slot_verify(device, slot, &check);
    return err == OTA_OK ? ota__slot_select(device, slot) : err;
}

/* The life of the running image. */

bool ota_slot_is_on_trial(const struct ota_device *device)
{
    struct selection selection;
    struct ota_otadata_entry *entry;

    return device->rollback && read_running(device, &selection, &entry) == OTA_OK &&
           (entry->state == OTA_STATE_NEW || entry->state == OTA_STATE_PENDING_VERIFY);
}

/* Raises the fuses' floor to the version of the image that runs. */
static enum ota_err raise_floor(const struct ota_device *device)
{
    struct ota_app_descriptor descriptor;
    enum ota_err err;

    if (device->fuses == NULL) {
        return OTA_OK;
    }
    err = ota_slot_describe(device, device->running_slot, &descriptor);
    if (err != OTA_OK) {
        return err == OTA_ERR_IMAGE_DESCRIPTOR ? OTA_OK : err;
    }
    return device->fuses->raise_secure_version(device->fuses, descriptor.secure_version);
}

enum ota_err ota_slot_confirm(const struct ota_device *device)
{
    struct selection selection;
    struct ota_otadata_entry *entry;
    enum ota_err err = read_running(device, &selection, &entry);

    if (err == OTA_OK && entry->state != OTA_STATE_VALID) {
        entry->state = OTA_STATE_VALID;
        err = write_entry(device, &selection, selection.active, entry);
    }
    return err == OTA_OK ? raise_floor(device) : err;
}

static enum ota_err find_fallback(const struct ota_device *device,
                                  const struct selection *selection)
{
    const struct ota_otadata_entry *other = &selection->stored.otadata.entry[1 - selection->active];
    struct ota_image_check check;
    int slot = OTA_SLOT_FACTORY;

    if (ota_otadata_entry_is_valid(other)) {
        slot = named_slot(device, other);
    } else if (device->fuses != NULL && device->fuses->secure_version(device->fuses) != 0) {
        return OTA_ERR_NO_ROLLBACK;
    }
    if (slot == device->running_slot || ota_slot_verify(device, slot, &check) != OTA_OK) {
        return OTA_ERR_NO_ROLLBACK;
    }
    return OTA_OK;
}

enum ota_err ota_slot_can_roll_back(const struct ota_device *device)
{
    struct selection selection;
    struct ota_otadata_entry *entry;
    enum ota_err err = read_running(device, &selection, &entry);

    return err == OTA_OK ? find_fallback(device, &selection) : err;
}

enum ota_err ota_slot_reject(const struct ota_device *device)
{
    struct selection selection;
    struct ota_otadata_entry *entry;
    enum ota_err err = read_running(device, &selection, &entry);

    if (err == OTA_OK) {
        err = find_fallback(device, &selection);
    }
    if (err == OTA_OK) {
        entry->state = OTA_STATE_INVALID;
        err = write_entry(device, &selection, selection.active, entry);
    }
    return err;
}

/* Leaving the old image behind. */

/* Erases a region. Its last sector goes last, and with a mark until then: docs/formats/journal.md
   section 1. */
static enum ota_err erase_region(const struct ota_region *region)
{
    const struct ota_identity none = {.kind = OTA_IDENTITY_NONE};
    uint32_t sector = region->flash->erase_size;
    struct ota_journal journal;
    bool marked = false;
    enum ota_err err = ota_journal_is_marked(region, &marked);

    if (err == OTA_OK && !marked) {
        err = ota_journal_begin(&journal, region, OTA_SIZE_UNKNOWN, &none);
    }
    if (err == OTA_OK) {
        err = ota_region_erase(region, 0, region->size - sector);
    }
    return err == OTA_OK ? ota_region_erase(region, region->size - sector, sector) : err;
}

enum ota_err ota_slot_erase_last(const struct ota_device *device)
{
    struct selection selection;
    struct ota_otadata_entry *entry;
    struct ota_region region;
    int slot;
    enum ota_err err = read_active(device, &selection, &entry);

    if (err != OTA_OK) {
        return err;
    }
    slot = named_slot(device, &selection.stored.otadata.entry[1 - selection.active]);
    if (slot == device->running_slot) {
        return OTA_ERR_RUNNING_SLOT;
    }
    err = ota_layout_region(&device->layout, device->flash, slot, &region);
    if (err == OTA_OK && device->staging == NULL) {
        region.size = ota__round_down(region.size, device->flash->erase_size);
        err = erase_region(&region);
    }
    return err == OTA_OK ? write_entry(device, &selection, 1 - selection.active, NULL) : err;
}

enum ota_err ota_slot_forget(const struct ota_device *device, int slot)
{
    struct selection selection;
    enum ota_err err = read_selection(device, &selection);

    if (err == OTA_ERR_NO_OTADATA) {
        return OTA_OK;
    }
    for (int i = 0; err == OTA_OK && i < OTA_OTADATA_ENTRIES; i++) {
        if (named_slot(device, &selection.stored.otadata.entry[i]) == slot) {
            err = write_entry(device, &selection, i, NULL);
        }
    }
    return err;
}

bool ota_slot_was_rejected(const struct ota_device *device, const char *version)
{
    for (int slot = 0; version[0] != '\0' && slot < OTA_SLOTS_MAX; slot++) {
        struct ota_app_descriptor descriptor;
        enum ota_image_state state;

        if (ota_slot_state(device, slot, &state) == OTA_OK &&
            (state == OTA_STATE_INVALID || state == OTA_STATE_ABORTED) &&
            ota_slot_describe(device, slot, &descriptor) == OTA_OK &&
            ota__same_text(descriptor.version, version)) {
            return true;
        }
    }
    return false;
}
