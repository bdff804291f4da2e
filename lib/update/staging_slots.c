/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command told as otadata would tell it, so that the calls of slot.h need not know of it: entry
 * 0 is about the app's place, entry 1 about what is staged.
 *
 *     command                      entry 0            entry 1
 *     none, or of data             1 valid            -
 *     waiting                      1 valid            2 new (undefined without trial)
 *     refused                      1 valid            2 invalid
 *     copied                       3 valid            -
 *     swapped, on trial            3 pending-verify   2 valid
 *     swapped, confirmed           3 valid            2 valid
 *     swapped, rejected            3 invalid          2 valid
 *     swapped, to go back          3 valid            4 new (undefined without trial)
 *     back                         3 valid            2 aborted; invalid if it rejected itself;
 *                                                       valid if it was confirmed before
 */
#include <updraft/slot.h>

#include "update/staging_private.h"

#include "base/mem.h"

static void put_entry(struct ota_otadata *otadata, int index, uint32_t sequence, uint32_t state)
{
    struct ota_otadata_entry *entry = &otadata->entry[index];

    entry->sequence = sequence;
    entry->state = state;
    entry->crc = ota_otadata_crc(sequence);
}

static bool is(const struct ota__command *command, enum ota__note_state state)
{
    return ota__command_is(command, state);
}

/* What becomes of an image that is about to boot. */
static uint32_t fresh_state(const struct ota_device *device)
{
    return device->rollback && device->staging->swap ? OTA_STATE_NEW : OTA_STATE_UNDEFINED;
}

static void put_swapped(const struct ota_device *device, const struct ota__command *command,
                        struct ota_otadata *otadata)
{
    uint32_t state = OTA_STATE_VALID;

    if (is(command, OTA__STATE_REJECTED)) {
        state = OTA_STATE_INVALID;
    } else if (device->rollback && !is(command, OTA__STATE_CONFIRMED) &&
               !is(command, OTA__STATE_ONE_WAY)) {
        state = OTA_STATE_PENDING_VERIFY;
    }
    put_entry(otadata, 0, 3, state);
    if (is(command, OTA__STATE_BACK) && !is(command, OTA__STATE_ONE_WAY)) {
        put_entry(otadata, 1, 4, fresh_state(device));
    } else if (!is(command, OTA__STATE_ONE_WAY)) {
        put_entry(otadata, 1, 2, OTA_STATE_VALID);
    }
}

static void put_back(const struct ota__command *command, struct ota_otadata *otadata)
{
    uint32_t state = is(command, OTA__STATE_CONFIRMED) ? OTA_STATE_VALID : OTA_STATE_ABORTED;

    put_entry(otadata, 0, 3, OTA_STATE_VALID);
    put_entry(otadata, 1, 2, is(command, OTA__STATE_REJECTED) ? OTA_STATE_INVALID : state);
}

static void put_app(const struct ota_device *device, const struct ota__command *command,
                    struct ota_otadata *otadata)
{
    if (ota__command_is_swapped(command)) {
        put_swapped(device, command, otadata);
    } else if (is(command, OTA__STATE_BACK)) {
        put_back(command, otadata);
    } else if (is(command, OTA__STATE_REFUSED)) {
        put_entry(otadata, 1, 2, OTA_STATE_INVALID);
    } else if (!command->is_begun) {
        put_entry(otadata, 1, 2, fresh_state(device));
    } else {
        put_entry(otadata, 0, 3, OTA_STATE_VALID);
    }
}

enum ota_err ota__staging_read_slots(const struct ota_device *device, struct ota_otadata *otadata)
{
    struct ota__staging_map map;
    struct ota__command command;
    enum ota_err err = ota__staging_load(device, &map, &command);

    memset(otadata, 0xFF, sizeof *otadata);
    put_entry(otadata, 0, 1, OTA_STATE_VALID);
    if (err == OTA_OK && command.is_there && (command.flags & OTA__COMMAND_DATA) == 0) {
        put_app(device, &command, otadata);
    }
    return err;
}

/* ---- Changes --------------------------------------------------------------------------------- */

/* What is staged boots next: as the way back, if the image there was the one before; else by a new
   command. */
static enum ota_err choose_staged(const struct ota_device *device, struct ota__command *command)
{
    struct ota_extent stored = device->layout.ota[OTA__SLOT_STAGED];
    struct ota_image_check check;

    if (ota__command_is_swapped(command)) {
        return ota__command_note_state(command, OTA__STATE_BACK);
    }
    enum ota_err err = ota_slot_verify(device, OTA__SLOT_STAGED, &check);
    stored.size = check.image.length;
    /* The last sector is taken as it is when it reads blank, but no update has just erased it. */
    if (err == OTA_OK && !command->is_there) {
        const uint32_t sector = device->flash->erase_size;
        err = ota_region_erase(&command->region, command->region.size - sector, sector);
    }
    return err == OTA_OK ? ota__staging_order(device, stored, NULL, false) : err;
}

/* What runs goes on running: nothing waits any more. */
static enum ota_err choose_app(struct ota__command *command)
{
    return command->is_begun ? OTA_ERR_STATE : ota__command_withdraw(command);
}

/* Makes what is staged as if it had never been, wherever it was put: all behind the running image.
   The mark goes last: docs/formats/journal.md section 1. */
static enum ota_err erase_staged(const struct ota_device *device,
                                 const struct ota__staging_map *map, struct ota__command *command)
{
    struct ota_region region = {.flash = device->flash};
    const struct ota_identity none = {.kind = OTA_IDENTITY_NONE};
    struct ota_journal journal;
    enum ota_err err = ota__staging_find_start(device, &region.offset);

    region.size = ota__extent_end(&map->command) - region.offset;
    if (err == OTA_OK) {
        err = ota__command_withdraw(command);
    }
    if (err == OTA_OK) {
        err = ota_journal_begin(&journal, &region, OTA_SIZE_UNKNOWN, &none);
    }
    if (err == OTA_OK) {
        err = ota_region_erase(&region, 0, map->end - region.offset);
    }
    return err == OTA_OK ? ota_journal_end(&journal, 0) : err;
}

enum ota_err ota__staging_write_slot(const struct ota_device *device, int index,
                                     const struct ota_otadata_entry *entry)
{
    struct ota__staging_map map;
    struct ota__command command;
    enum ota_err err = ota__staging_load(device, &map, &command);

    if (err != OTA_OK) {
        return err;
    }
    if (index == OTA__SLOT_STAGED) {
        return entry != NULL ? choose_staged(device, &command)
                             : erase_staged(device, &map, &command);
    }
    if (entry == NULL) { /* nothing speaks against what runs */
        return OTA_OK;
    }
    switch (entry->state) {
    case OTA_STATE_VALID:
        return ota__command_note_state(&command, OTA__STATE_CONFIRMED);
    case OTA_STATE_INVALID: /* where the old image is back already, the new one is chosen again */
        return ota__command_is_swapped(&command)
                   ? ota__command_note_state(&command, OTA__STATE_REJECTED)
                   : choose_staged(device, &command);
    default:
        return choose_app(&command);
    }
}
