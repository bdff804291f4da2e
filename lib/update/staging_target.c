/* SPDX-License-Identifier: Apache-2.0 */
/* Where an update of a device with one place to run from is put first, and whether it may be. */
#include "update/staging_private.h"

#include "base/bytes.h"
#include "base/mem.h"

/* Images are read through a piece of the stack of this many bytes. */
#define PIECE 256u

/* An update's target, as far as its place goes. */
struct place {
    enum ota_staging_plan plan;
    struct ota_extent extent; /* its offset, and the bytes that there is room for */
};

/* Where the running image ends: the flash offset of the first sector behind it. */
static enum ota_err find_free_space(const struct ota_device *device, uint32_t *offset)
{
    const struct ota_extent *app = &device->staging->app;
    const struct ota_region region = {device->flash, app->offset, app->size};
    struct ota_image_rules rules;
    struct ota_image_check check;
    uint8_t piece[PIECE];
    enum ota_err err;

    ota_device_image_rules(device, &region, &rules);
    err = ota_image_verify(&check, &rules, device->crypto, &region, piece, sizeof piece);
    if (err == OTA_OK) {
        *offset = app->offset + ota__round_up(check.image.length, device->flash->erase_size);
    }
    return err;
}

enum ota_err ota__staging_find_start(const struct ota_device *device, uint32_t *offset)
{
    const struct ota_staging *staging = device->staging;
    uint32_t free_from = 0;
    enum ota_err err = OTA_OK;

    if (ota__extents_meet(&staging->app, &staging->staging)) {
        err = find_free_space(device, &free_from);
    }
    *offset = ota__max(staging->staging.offset, free_from);
    return err;
}

/* Where an app begins that is staged in space that it shares: at the end of it, so that the place
   to run from may grow most; in the middle, if its size is not known, which serves the largest
   there can be. Never within the running image. */
static uint32_t place_in_shared(const struct ota_device *device, const struct ota__staging_map *map,
                                uint32_t start, uint32_t size)
{
    const uint32_t app = device->staging->app.offset;
    const uint32_t sector = device->flash->erase_size;
    uint32_t offset = app + ota__round_up((map->end - app) / 2, sector);

    if (size != OTA_SIZE_UNKNOWN) {
        offset = map->end - ota__round_up(ota__min(size, map->end - app), sector);
    }
    return ota__max(offset, start);
}

/* An app must not reach to where it is staged when it is copied. */
static void place_app(const struct ota_device *device, const struct ota__staging_map *map,
                      uint32_t start, uint32_t size, struct place *place)
{
    const struct ota_staging *staging = device->staging;

    if (ota__extents_meet(&staging->app, &staging->staging)) {
        start = place_in_shared(device, map, start, size);
    }
    uint32_t room = ota__min(map->most, map->end - ota__min(start, map->end));
    if (start > staging->app.offset) {
        room = ota__min(room, start - staging->app.offset);
    }
    place->plan = staging->swap ? OTA_STAGING_SWAP : OTA_STAGING_COPY;
    place->extent.offset = start + map->unit;
    place->extent.size = room;
}

static void place_data(const struct ota__staging_map *map, uint32_t start,
                       const struct ota_partition *partition, uint32_t size, bool in_place,
                       struct place *place)
{
    uint32_t room = map->end - ota__min(start, map->end);

    if (!in_place && size <= room) {
        place->plan = OTA_STAGING_COPY;
        place->extent.offset = start;
        place->extent.size = ota__min(room, partition->size);
    } else {
        place->plan = OTA_STAGING_IN_PLACE;
        place->extent.offset = partition->offset;
        place->extent.size = partition->size;
    }
}

/* Finds the place for an update of `size` bytes of the app (`data` NULL) or of a data partition. */
static enum ota_err find_place(const struct ota_device *device, const struct ota__staging_map *map,
                               const struct ota_partition *data, uint32_t size, bool in_place,
                               struct place *place)
{
    uint32_t start = 0;
    enum ota_err err = ota__staging_find_start(device, &start);

    if (err != OTA_OK) {
        return err;
    }
    if (data == NULL) {
        place_app(device, map, start, size, place);
    } else {
        place_data(map, start, data, ota__min(size, data->size), in_place, place);
    }
    return OTA_OK;
}

enum ota_err ota__staging_plan(const struct ota_device *device, const char *label, uint32_t size,
                               enum ota_staging_plan *plan, struct ota_extent *extent)
{
    const struct ota_partition *data = NULL;
    struct ota__staging_map map;
    struct place place;
    enum ota_err err = ota__staging_map(device->staging, device->flash, &map);

    if (label != NULL) {
        data = ota__staging_partition(device->staging, label);
        if (data == NULL) {
            return OTA_ERR_NO_PARTITION;
        }
    }
    if (err == OTA_OK) {
        err = find_place(device, &map, data, size, false, &place);
    }
    if (err == OTA_OK) {
        *plan = place.plan;
        *extent = place.extent;
        err = size != OTA_SIZE_UNKNOWN && size > place.extent.size ? OTA_ERR_TOO_LARGE : OTA_OK;
    }
    return err;
}

/* ---- The target of an update ----------------------------------------------------------------- */

/* How many bytes of data will be stored, as far as that is known. What is unpacked on the way may
   be any number, unless it is the bootloader that unpacks it. */
static uint32_t stored_size(const struct ota_staging *staging,
                            const struct ota_update_options *options)
{
    bool is_known = options != NULL && (options->unwrap == NULL || staging->inflates);

    return is_known ? options->size : OTA_SIZE_UNKNOWN;
}

/* Whether the image before the running one is staged, and may be needed. */
static bool holds_fallback(const struct ota_device *device, const struct ota__command *command)
{
    return device->rollback && ota__command_is_swapped(command) &&
           !ota__command_is(command, OTA__STATE_CONFIRMED) &&
           !ota__command_is(command, OTA__STATE_ONE_WAY);
}

static bool is_waiting(const struct ota__command *command)
{
    return command->is_there && !command->is_begun && !ota__command_is(command, OTA__STATE_REFUSED);
}

/* Whether what is staged already forbids this update. */
static enum ota_err check_staged(const struct ota_device *device,
                                 const struct ota__command *command, const struct place *place,
                                 uint32_t destination)
{
    bool is_in_place = place->plan == OTA_STAGING_IN_PLACE;
    bool is_same = command->destination.offset == destination;

    if (is_waiting(command) && is_same == is_in_place) {
        return OTA_ERR_RESTARTING;
    }
    return !is_in_place && holds_fallback(device, command) ? OTA_ERR_UNCONFIRMED : OTA_OK;
}

/* The app's place, as a partition to be told of. */
static struct ota_partition app_partition(const struct ota_staging *staging)
{
    struct ota_partition partition = {.type = OTA_PARTITION_APP,
                                      .subtype = OTA_SUBTYPE_APP_OTA_0,
                                      .offset = staging->app.offset,
                                      .size = staging->app.size,
                                      .label = "app"};

    return partition;
}

enum ota_err ota__staging_find(const struct ota_device *device, const char *label,
                               const struct ota_update_options *options, struct ota__target *target)
{
    const struct ota_staging *staging = device->staging;
    const struct ota_partition *data = NULL;
    struct ota__staging_map map;
    struct ota__command command;
    struct place place;
    enum ota_err err = ota__staging_load(device, &map, &command);

    if (label != NULL) {
        data = ota__staging_partition(staging, label);
        if (data == NULL) {
            return OTA_ERR_NO_PARTITION;
        }
        if ((data->flags & OTA_PARTITION_FLAG_READ_ONLY) != 0) {
            return OTA_ERR_READ_ONLY;
        }
    }
    if (err == OTA_OK) {
        err = find_place(device, &map, data, stored_size(staging, options),
                         options != NULL && options->in_place, &place);
    }
    if (err != OTA_OK) {
        return err;
    }
    target->partition = data != NULL ? *data : app_partition(staging);
    target->slot = data != NULL ? OTA_SLOT_NONE : OTA__SLOT_STAGED;
    target->limit = place.extent.size;
    target->region.flash = device->flash;
    target->region.offset = place.extent.offset;
    target->region.size = place.plan == OTA_STAGING_IN_PLACE
                              ? place.extent.size
                              : ota__extent_end(&map.command) - place.extent.offset;
    return check_staged(device, &command, &place, target->partition.offset);
}
