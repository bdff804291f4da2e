/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The swap: the image in the app's place (units p0, p1, …) and the staged one change places with
 * the help of one spare unit, each unit erased once. The staged image lies one unit up; the old one
 * comes to lie at the region's start.
 *
 *     there, i = 0, 1, …:     t[i] <- p[i],  p[i] <- t[i + 1]
 *     back, i = …, 1, 0:      t[i + 1] <- p[i],  p[i] <- t[i]
 *
 * What a step overwrites is spare by then: the step before has put a copy of it where it belongs,
 * and noted that in the log before this step began. So the step that was under way when power
 * failed can be made again, as often as need be: its source stands, and what its target held is
 * nobody's.
 */
#include "boot/staged.h"

#include "base/blank.h"
#include "base/bytes.h"
#include "boot/select.h"

#include <updraft/secure_boot.h>
#include <updraft/trust.h>

/* Pieces in which flash is programmed. */
#define PAGE 256u

/* Places that the log must have beside those of the steps back. */
#define PLACES_RESERVED 8u

static bool is(const struct ota__staged *staged, enum ota__note_state state)
{
    return ota__command_is(&staged->command, state);
}

static enum ota_err note(struct ota__staged *staged, enum ota__note_state state)
{
    return ota__command_note_state(&staged->command, state);
}

/* ---- One step -------------------------------------------------------------------------------- */

/* Erase units may be smaller. */
static uint32_t page_of(const struct ota_region *region)
{
    return ota__min(PAGE, region->size);
}

static enum ota_err copy_page(struct ota__staged *staged, const struct ota_region *from,
                              const struct ota_region *to, uint32_t offset, uint32_t len)
{
    bool blank = false;
    enum ota_err err = ota_region_read(from, offset, staged->buffer, len);

    if (err != OTA_OK) {
        return err;
    }
    if (!ota__is_blank(staged->buffer, len)) {
        return ota_region_write_verified(to, offset, staged->buffer, len);
    }
    err = ota_region_is_blank(to, offset, len, &blank);
    return err == OTA_OK && !blank ? OTA_ERR_FLASH_VERIFY : err;
}

static enum ota_err is_same(struct ota__staged *staged, const struct ota_region *from,
                            const struct ota_region *to, bool *same)
{
    enum ota_err err = OTA_OK;

    *same = true;
    for (uint32_t offset = 0; err == OTA_OK && *same && offset < from->size;
         offset += page_of(from)) {
        err = ota_region_read(from, offset, staged->buffer, page_of(from));
        if (err == OTA_OK) {
            err = ota_region_equals(to, offset, staged->buffer, page_of(from), same);
        }
    }
    return err;
}

/* Makes one unit the same as another. */
static enum ota_err copy_unit(struct ota__staged *staged, uint32_t from_offset, uint32_t to_offset,
                              bool is_doubtful)
{
    struct ota_flash *flash = staged->source.flash;
    const uint32_t unit = staged->map.unit;
    const struct ota_region from = {flash, from_offset, unit};
    const struct ota_region to = {flash, to_offset, unit};
    bool same = false;
    enum ota_err err = is_doubtful ? OTA_OK : is_same(staged, &from, &to, &same);

    if (err != OTA_OK || same) {
        return err;
    }
    err = ota_region_erase(&to, 0, unit);
    for (uint32_t offset = 0; err == OTA_OK && offset < unit; offset += page_of(&to)) {
        err = copy_page(staged, &from, &to, offset, page_of(&to));
    }
    return err;
}

/* The step after `staged->command.steps`. In each the old image's unit goes one way, and the new
   one's the other; behind the new image's end there is nothing of it to be moved. */
static enum ota_err make_step(struct ota__staged *staged, bool is_doubtful)
{
    const struct ota__command *command = &staged->command;
    const uint32_t unit = staged->map.unit;
    const bool is_back = command->steps >= 2u * command->units;
    const bool is_first = command->steps % 2 == 0;
    uint32_t i = command->steps / 2;

    if (is_back) {
        i = 2u * command->units - 1 - i;
    }
    const uint32_t here = staged->boot->device->staging->app.offset + i * unit;
    const uint32_t old = staged->boot->device->staging->staging.offset + i * unit;
    const bool is_of_old = is_first != is_back;

    if (!is_of_old && i * unit >= command->stored.size) {
        return OTA_OK;
    }
    const uint32_t there = is_of_old ? old : old + unit;
    return is_first ? copy_unit(staged, here, there, is_doubtful)
                    : copy_unit(staged, there, here, is_doubtful);
}

/* Makes all steps up to `end`. What lies at the first one's target is not believed: it may have
   been under way when power failed. */
static enum ota_err make_steps(struct ota__staged *staged, uint32_t end)
{
    struct ota__command *command = &staged->command;
    bool is_doubtful = true;
    enum ota_err err = OTA_OK;

    while (err == OTA_OK && command->steps < end) {
        err = make_step(staged, is_doubtful);
        if (err == OTA_OK) {
            err = ota__command_note(command, (uint16_t)command->steps);
        }
        is_doubtful = false;
    }
    return err == OTA_OK ? OTA_OK : ota__staged_report(staged, OTA_BOOT_STOPPED, err, 0);
}

/* ---- There ----------------------------------------------------------------------------------- */

/* How many bytes of the image that runs so far are to be kept; 0: it does not verify. With it goes
   the sector of a seal, if one can be there. */
static uint32_t measure_old(struct ota__staged *staged)
{
    const struct ota_device *device = staged->boot->device;
    const uint32_t length = ota__staged_measure_app(staged);
    const uint32_t sealed = ota_secure_sector_offset(length) + OTA_SECURE_SECTOR_SIZE;
    const bool may_be_sealed = device->trust != NULL && device->trust->seals != NULL &&
                               sealed <= device->staging->app.size;

    return length != 0 && may_be_sealed ? sealed : length;
}

/* Proves what is staged; finds out how much changes places. */
static enum ota_err begin(struct ota__staged *staged)
{
    const struct ota__command *command = &staged->command;
    const struct ota__staging_map *map = &staged->map;
    enum ota_err err = OTA_OK;

    if (!ota__staged_prove(staged)) {
        return ota__staged_refuse(staged);
    }
    const uint32_t old = measure_old(staged);
    if (old > map->most) {
        return ota__staged_refuse(staged);
    }
    if (old == 0) {
        err = note(staged, OTA__STATE_ONE_WAY);
    }
    const uint32_t size = ota__max(old, command->stored.size);
    const uint32_t units = (size + map->unit - 1) / map->unit;
    return err == OTA_OK ? ota__command_note(&staged->command, (uint16_t)(OTA__NOTE_BEGUN + units))
                         : err;
}

/* ---- Back ------------------------------------------------------------------------------------ */

/* Swaps back, if the image before this one still verifies. Otherwise nothing changes. */
static enum ota_err go_back(struct ota__staged *staged)
{
    struct ota__command *command = &staged->command;
    enum ota_err err = OTA_OK;

    if (command->steps == 2u * command->units &&
        !ota__staged_prove_image(staged, staged->boot->device->staging->staging.offset)) {
        return note(staged, OTA__STATE_ONE_WAY);
    }
    if (!is(staged, OTA__STATE_BACK)) {
        err = note(staged, OTA__STATE_BACK);
    }
    if (err == OTA_OK) {
        err = make_steps(staged, 4u * command->units);
    }
    return err == OTA_OK ? ota__staged_report(staged, OTA_BOOT_TAKEN_BACK, err, 0) : err;
}

/* ---- The trial ------------------------------------------------------------------------------- */

/* Lets the new image boot once more, if it may. */
static bool begin_trial(struct ota__staged *staged)
{
    struct ota_boot *boot = staged->boot;
    struct ota__command *command = &staged->command;
    /* The way back may have a place left out before each step. */
    const uint32_t places = 4u * command->units + PLACES_RESERVED;
    enum ota_err err;

    if (command->trials >= ota__max(boot->trial_boots, 1) ||
        ota__log_room(&command->log) <= places) {
        return false;
    }
    err = note(staged, OTA__STATE_TRIAL);
    if (err != OTA_OK) {
        ota__boot_report(boot, OTA_BOOT_STATE_UNSAVED, OTA__SLOT_APP, err, 0);
        return false;
    }
    boot->on_trial = true;
    boot->trial_boot = command->trials;
    ota__boot_report(boot, OTA_BOOT_ON_TRIAL, OTA__SLOT_APP, OTA_OK, 0);
    return true;
}

/* The new image is in its place. It may reject itself also when it had been confirmed. */
static enum ota_err judge(struct ota__staged *staged)
{
    const bool is_one_way = is(staged, OTA__STATE_ONE_WAY);
    const bool is_confirmed = is(staged, OTA__STATE_CONFIRMED);
    const bool is_settled = !staged->boot->device->rollback || is_confirmed || is_one_way;

    if (is(staged, OTA__STATE_REJECTED) && !is_one_way) {
        return go_back(staged);
    }
    staged->boot->confirmed = is_confirmed;
    return is_settled || begin_trial(staged) ? OTA_OK : go_back(staged);
}

/* ---- The move -------------------------------------------------------------------------------- */

/* A command of another layout than this bootloader's is none for it. */
static bool takes(const struct ota__staged *staged)
{
    const struct ota__command *command = &staged->command;
    const struct ota__staging_map *map = &staged->map;
    const uint32_t region = staged->boot->device->staging->staging.offset;

    return command->action == OTA__COMMAND_SWAP && command->flags == 0 && map->unit != 0 &&
           command->unit == map->unit && command->stored.offset == region + map->unit &&
           command->stored.size <= map->most && command->units <= map->most / map->unit;
}

static enum ota_err restore(const struct ota_staged_move *move, struct ota__staged *staged)
{
    (void)move;
    if (!ota__command_is_swapped(&staged->command) || is(staged, OTA__STATE_ONE_WAY)) {
        return OTA_ERR_NO_ROLLBACK;
    }
    staged->boot->on_trial = false;
    staged->boot->confirmed = false;
    return go_back(staged);
}

/* What is in the app's place must be what was staged, to the last byte, before it runs for the
   first time; else all goes back. */
static enum ota_err prove_destination(struct ota__staged *staged)
{
    enum ota_err err;

    if (ota__staged_has_digest(staged, &staged->destination)) {
        return note(staged, OTA__STATE_PROVEN);
    }
    err = is(staged, OTA__STATE_ONE_WAY) ? OTA_ERR_DIGEST : go_back(staged);
    return err == OTA_OK && is(staged, OTA__STATE_ONE_WAY) ? OTA_ERR_DIGEST : err;
}

static enum ota_err carry_out(const struct ota_staged_move *move, struct ota__staged *staged)
{
    struct ota__command *command = &staged->command;
    enum ota_err err = command->is_begun ? OTA_OK : begin(staged);

    (void)move;
    if (err != OTA_OK || is(staged, OTA__STATE_REFUSED)) {
        return err;
    }
    if (is(staged, OTA__STATE_BACK) && !is(staged, OTA__STATE_ONE_WAY)) {
        return go_back(staged);
    }
    if (command->steps < 2u * command->units) {
        err = make_steps(staged, 2u * command->units);
    }
    if (err != OTA_OK) {
        return err;
    }
    if (!is(staged, OTA__STATE_PROVEN)) {
        err = prove_destination(staged);
    }
    return err == OTA_OK && !is(staged, OTA__STATE_BACK) ? judge(staged) : err;
}

static const struct ota__staged_methods methods = {
    .takes = takes, .carry_out = carry_out, .restore = restore};

const struct ota_staged_move ota_staged_swap = {.methods = &methods};
