/* SPDX-License-Identifier: Apache-2.0 */
/* What the command says, for those who look. */
#include "update/staging_private.h"

#include "base/mem.h"

static bool is(const struct ota__command *command, enum ota__note_state state)
{
    return ota__command_is(command, state);
}

static enum ota_staging_state copy_state(const struct ota__command *command)
{
    if (is(command, OTA__STATE_PROVEN)) {
        return OTA_STAGING_DONE;
    }
    return command->is_begun ? OTA_STAGING_UNDER_WAY : OTA_STAGING_WAITING;
}

/* The new image is in the app's place. */
static enum ota_staging_state swapped_state(const struct ota_device *device,
                                            const struct ota__command *command)
{
    const bool is_one_way = is(command, OTA__STATE_ONE_WAY);

    if (is(command, OTA__STATE_BACK) && !is_one_way) {
        return OTA_STAGING_GOING_BACK;
    }
    if (is(command, OTA__STATE_REJECTED)) {
        return OTA_STAGING_REJECTED;
    }
    return device->rollback && !is(command, OTA__STATE_CONFIRMED) && !is_one_way
               ? OTA_STAGING_ON_TRIAL
               : OTA_STAGING_DONE;
}

static enum ota_staging_state swap_state(const struct ota_device *device,
                                         const struct ota__command *command)
{
    if (!command->is_begun) {
        return OTA_STAGING_WAITING;
    }
    if (ota__command_is_swapped(command)) {
        return swapped_state(device, command);
    }
    if (!is(command, OTA__STATE_BACK)) {
        return OTA_STAGING_UNDER_WAY;
    }
    return is(command, OTA__STATE_REJECTED) ? OTA_STAGING_REJECTED : OTA_STAGING_TAKEN_BACK;
}

static enum ota_staging_state state_of(const struct ota_device *device,
                                       const struct ota__command *command)
{
    if (!command->is_there) {
        return OTA_STAGING_IDLE;
    }
    if (is(command, OTA__STATE_REFUSED)) {
        return OTA_STAGING_REFUSED;
    }
    return command->action == OTA__COMMAND_SWAP ? swap_state(device, command) : copy_state(command);
}

/* The spare unit moves from the region's start to behind the old image. */
static void tell_swap(const struct ota_staging *staging, const struct ota__staging_map *map,
                      const struct ota__command *command, struct ota_staging_status *status)
{
    const uint32_t there = 2u * command->units;

    status->spare.offset = staging->staging.offset;
    status->spare.size = map->unit;
    if (ota__command_is_swapped(command)) {
        status->spare.offset += command->units * map->unit;
        status->steps_done = command->steps - there;
    } else {
        status->steps_done = command->steps < there ? command->steps : there;
    }
    status->steps = there;
}

enum ota_err ota_staging_read(const struct ota_device *device, struct ota_staging_status *status)
{
    struct ota__staging_map map;
    struct ota__command command;
    enum ota_err err = ota__staging_load(device, &map, &command);

    memset(status, 0, sizeof *status);
    if (err != OTA_OK) {
        return err;
    }
    status->state = state_of(device, &command);
    status->command = map.command;
    status->notes = map.notes;
    if (command.is_there) {
        status->is_data = (command.flags & OTA__COMMAND_DATA) != 0;
        status->is_compressed = (command.flags & OTA__COMMAND_GZIP) != 0;
        status->is_swap = command.action == OTA__COMMAND_SWAP;
        status->stored = command.stored;
        status->destination = command.destination;
    }
    if (map.unit != 0) {
        tell_swap(device->staging, &map, &command, status);
    }
    return OTA_OK;
}
