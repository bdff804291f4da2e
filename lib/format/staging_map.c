/* SPDX-License-Identifier: Apache-2.0 */
/* Where things are in a staging region: docs/formats/staging.md section 1. */
#include "format/staging.h"

#include "base/bytes.h"

/* Places in the log for states, trial boots, and records that power failures spoil. */
#define PLACES_COPY 16u
#define PLACES_SWAP 48u

/* Places for each unit of a swap: four steps there and back, and one that is left out before each,
   since power may fail at every step, and the first record of a boot leaves a place out. */
#define PLACES_UNIT 8u

static bool is_placed(const struct ota_flash *flash, const struct ota_extent *extent)
{
    return extent->size != 0 && extent->offset <= flash->size &&
           extent->size <= flash->size - extent->offset;
}

static bool is_aligned(const struct ota_flash *flash, const struct ota_extent *extent)
{
    return ((extent->offset | extent->size) & (flash->erase_size - 1)) == 0;
}

/* Whether app and staging lie apart, or share space in the one way that they may. */
static bool are_good_neighbours(const struct ota_staging *staging)
{
    const struct ota_extent *app = &staging->app;

    if (!ota__extents_meet(app, &staging->staging)) {
        return true;
    }
    return !staging->swap && staging->staging.offset > app->offset &&
           ota__extent_end(&staging->staging) >= ota__extent_end(app);
}

static enum ota_err check_data(const struct ota_staging *staging, const struct ota_flash *flash)
{
    if (staging->data_count > OTA_STAGING_DATA_MAX) {
        return OTA_ERR_ARGUMENT;
    }
    for (unsigned i = 0; i < staging->data_count; i++) {
        const struct ota_extent extent = {staging->data[i].offset, staging->data[i].size};

        if (!is_placed(flash, &extent)) {
            return OTA_ERR_BOUNDS;
        }
        if (!is_aligned(flash, &extent) || ota__extents_meet(&extent, &staging->app) ||
            ota__extents_meet(&extent, &staging->staging)) {
            return OTA_ERR_ARGUMENT;
        }
    }
    return OTA_OK;
}

static enum ota_err check(const struct ota_staging *staging, const struct ota_flash *flash)
{
    const uint32_t sector = flash->erase_size;

    if (!is_placed(flash, &staging->app) || !is_placed(flash, &staging->staging)) {
        return OTA_ERR_BOUNDS;
    }
    if (!is_aligned(flash, &staging->app) || !is_aligned(flash, &staging->staging) ||
        !are_good_neighbours(staging) || (staging->kept & (sector - 1)) != 0 ||
        staging->kept >= staging->app.size || (staging->swap && staging->kept != 0) ||
        (staging->swap_unit & (staging->swap_unit - 1)) != 0 ||
        (staging->swap_unit & (sector - 1)) != 0) {
        return OTA_ERR_ARGUMENT;
    }
    return check_data(staging, flash);
}

static uint32_t command_size(const struct ota_flash *flash, uint32_t places)
{
    return ota__round_up(ota__command_head(flash) + places * ota__log_stride(flash),
                         flash->erase_size);
}

/* Of a swap of all of `size`: there, and back. */
static uint32_t swap_command_size(const struct ota_flash *flash, uint32_t size, uint32_t unit)
{
    return command_size(flash, PLACES_UNIT * (size / unit) + PLACES_SWAP);
}

/* The unit for which spare and command together are smallest, of those that the app's place is a
   multiple of; the larger one of equals. */
static uint32_t smallest_unit(const struct ota_flash *flash, uint32_t size)
{
    uint32_t unit = flash->erase_size;
    uint32_t best = unit;
    uint32_t least = unit + swap_command_size(flash, size, unit);

    while ((size & unit) == 0) {
        unit *= 2;
        uint32_t sum = unit + swap_command_size(flash, size, unit);
        if (sum <= least) {
            least = sum;
            best = unit;
        }
    }
    return best;
}

/* Whatever its size, data may be written in place: by choice, or for want of room. Two halves take
   turns, each with room for a note of every partition and for whose turn it is. */
static uint32_t notes_size(const struct ota_staging *staging, const struct ota_flash *flash)
{
    const uint32_t half = (1u + staging->data_count) * ota__log_stride(flash);

    return staging->data_count > 0 ? 2 * ota__round_up(half, flash->erase_size) : 0;
}

/* What the place to run from and the region have room for: whole units of a swap, and one more. */
static uint32_t largest_app(const struct ota_staging *staging, const struct ota__staging_map *map)
{
    uint32_t room = map->end - staging->staging.offset;

    if (staging->swap) {
        room = ota__round_down(room, map->unit);
        room -= ota__min(room, map->unit);
        return ota__min(room, ota__round_down(staging->app.size, map->unit));
    }
    return ota__min(room, staging->app.size);
}

enum ota_err ota__staging_map(const struct ota_staging *staging, const struct ota_flash *flash,
                              struct ota__staging_map *map)
{
    enum ota_err err = check(staging, flash);

    if (err != OTA_OK) {
        return err;
    }
    map->unit = staging->swap ? staging->swap_unit : 0;
    if (staging->swap && map->unit == 0) {
        map->unit = smallest_unit(flash, staging->app.size);
    }
    map->command.size = staging->swap ? swap_command_size(flash, staging->app.size, map->unit)
                                      : command_size(flash, PLACES_COPY);
    map->notes.size = notes_size(staging, flash);
    if (map->command.size + ota__max(map->notes.size, flash->erase_size) >= staging->staging.size ||
        (staging->swap && staging->app.size / map->unit > OTA__NOTE_UNITS_MAX)) {
        return OTA_ERR_ARGUMENT;
    }
    map->command.offset = ota__extent_end(&staging->staging) - map->command.size;
    map->notes.offset = map->command.offset - map->notes.size;
    map->end = map->notes.offset;
    map->most = largest_app(staging, map);
    return map->most != 0 ? OTA_OK : OTA_ERR_ARGUMENT;
}

enum ota_err ota__staging_command(const struct ota_staging *staging, struct ota_flash *flash,
                                  struct ota__staging_map *map, struct ota__command *command)
{
    struct ota_region region;
    enum ota_err err = ota__staging_map(staging, flash, map);

    if (err == OTA_OK) {
        err = ota_region_init(&region, flash, map->command.offset, map->command.size);
    }
    return err == OTA_OK ? ota__command_read(command, &region) : err;
}
