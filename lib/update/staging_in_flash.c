/* SPDX-License-Identifier: Apache-2.0 */
/* The command in flash: written when an update is activated, withdrawn before the next one changes
   what is staged. */
#include "update/staging_private.h"

#include "base/bytes.h"
#include "base/mem.h"

/* What is staged is hashed through a piece of the stack of this many bytes. */
#define PIECE 256u

static enum ota_err hash_staged(const struct ota_device *device, struct ota_extent stored,
                                uint8_t digest[OTA_SHA256_SIZE])
{
    const struct ota_crypto *crypto = device->crypto;
    const struct ota_region region = {device->flash, stored.offset, stored.size};
    uint8_t piece[PIECE];
    struct ota_hash hash;
    enum ota_err err = crypto->hash_begin(&hash, OTA_HASH_SHA256);

    if (err != OTA_OK) {
        return err;
    }
    for (uint32_t offset = 0; err == OTA_OK && offset < stored.size;) {
        uint32_t n = ota__min(PIECE, stored.size - offset);
        err = ota_region_read(&region, offset, piece, n);
        if (err == OTA_OK) {
            err = crypto->hash_update(&hash, piece, n);
        }
        offset += n;
    }
    if (err != OTA_OK) {
        crypto->hash_abort(&hash);
        return err;
    }
    return crypto->hash_finish(&hash, digest);
}

/* Takes the command out of force. What it has done, or left half done, is kept in mind elsewhere
   first. */
static enum ota_err retire(const struct ota_device *device, struct ota__command *command)
{
    enum ota_err err = OTA_OK;

    if (ota__staging_has_begun_data(command)) {
        err = ota__staging_note_data(device, command->destination.offset,
                                     !ota__command_is(command, OTA__STATE_PROVEN));
    }
    return err == OTA_OK ? ota__command_withdraw(command) : err;
}

enum ota_err ota__staging_order(const struct ota_device *device, struct ota_extent stored,
                                const struct ota_partition *data, bool is_gzip)
{
    const struct ota_staging *staging = device->staging;
    struct ota__staging_map map;
    struct ota__command command;
    enum ota_err err = ota__staging_load(device, &map, &command);

    if (err == OTA_OK) {
        err = hash_staged(device, stored, command.digest);
    }
    if (err == OTA_OK) {
        err = retire(device, &command);
    }
    if (err != OTA_OK) {
        return err;
    }
    command.stored = stored;
    command.action = staging->swap && data == NULL ? OTA__COMMAND_SWAP : OTA__COMMAND_COPY;
    command.flags = is_gzip ? OTA__COMMAND_GZIP : 0;
    command.unit = command.action == OTA__COMMAND_SWAP ? map.unit : 0;
    command.destination = staging->app;
    if (data != NULL) {
        command.flags |= OTA__COMMAND_DATA;
        command.destination.offset = data->offset;
        command.destination.size = data->size;
    }
    return ota__command_write(&command);
}

/* Updates begin at different places of the region, but the mark of one that was cut short speaks of
   all of it: before the mark may go, all that reads blank is erased again. */
static enum ota_err heal(const struct ota_update *update, const struct ota__staging_map *map)
{
    const struct ota_device *device = update->options.device;
    struct ota_region region = {device->flash, 0, 0};
    struct ota_writer writer;
    bool marked = false;
    enum ota_err err = ota__staging_find_start(device, &region.offset);

    if (err == OTA_OK) {
        region.size = ota__extent_end(&map->command) - region.offset;
        err = ota_journal_is_marked(&region, &marked);
    }
    if (err == OTA_OK && marked) {
        (void)ota_writer_begin(&writer, &region, 0, OTA_SIZE_UNKNOWN, update->options.buffer,
                               update->options.buffer_size);
        err = ota_writer_heal(&writer, 0, map->end - region.offset);
    }
    return err;
}

/* Begins anew: nothing is in force that speaks of what lies there. */
static enum ota_err begin_anew(const struct ota_update *update)
{
    const struct ota_device *device = update->options.device;
    struct ota__staging_map map;
    struct ota__command command;
    enum ota_err err = ota__staging_load(device, &map, &command);

    if (err == OTA_OK) {
        err = retire(device, &command);
    }
    return err == OTA_OK ? heal(update, &map) : err;
}

/* A transfer that goes on has left its mark where the command would be. */
static enum ota_err open_target(const struct ota_update *update, bool resumed)
{
    if (ota__staging_is_in_place(update)) {
        return ota__staging_note_data(update->options.device, update->partition.offset, true);
    }
    return resumed ? OTA_OK : begin_anew(update);
}

static enum ota_err activate(const struct ota_update *update)
{
    const struct ota_device *device = update->options.device;
    const struct ota_extent stored = {update->region.offset, update->stored};

    if (ota__staging_is_in_place(update)) {
        return ota__staging_note_data(device, update->partition.offset, false);
    }
    return ota__staging_order(device, stored,
                              update->slot == OTA_SLOT_NONE ? &update->partition : NULL,
                              update->keeps_packed);
}

const struct ota_staging_way ota_staging_in_flash = {
    .find = ota__staging_find,
    .open = open_target,
    .activate = activate,
    .read = ota__staging_read_slots,
    .write = ota__staging_write_slot,
    .plan = ota__staging_plan,
    .keeps_notes = true,
};
