/* SPDX-License-Identifier: Apache-2.0 */
#include "power/staged.h"

#include <stdlib.h>
#include <string.h>

#include <updraft/staged_boot.h>

#include "format/staging.h"

static uint32_t round_up(uint32_t value, uint32_t unit)
{
    return (value + unit - 1) / unit * unit;
}

static struct ota_flash flash_of(const struct geometry *geometry)
{
    return (struct ota_flash){
        .size = 1u << 30, .erase_size = geometry->erase[0], .write_size = geometry->write_size};
}

/* Two halves, each for a partition's note and whose turn it is. */
static uint32_t notes_size(const struct ota_flash *flash)
{
    return 2 * round_up(2 * (flash->write_size > 4 ? flash->write_size : 4), flash->erase_size);
}

/* Sizes the staging region: what the images need, the spare unit of a swap, and the command. */
static uint32_t staging_size(const struct board *board, const struct ota_staging *draft,
                             uint32_t app_max)
{
    const struct ota_flash flash = flash_of(board->geometry);
    struct ota__staging_map map;
    struct ota_staging ample = *draft;

    ample.staging.offset = ample.app.offset + ample.app.size;
    ample.staging.size = 1u << 28;
    ample.data_count = 0;
    if (ota__staging_map(&ample, &flash, &map) != OTA_OK) {
        fprintf(stderr, "updraft-power: %s is no geometry for staging\n", board->geometry->name);
        exit(1);
    }
    const uint32_t unit = map.unit != 0 ? map.unit : flash.erase_size;
    return round_up(app_max, unit) + map.unit + map.command.size + notes_size(&flash);
}

void staged_init(struct board *board, uint32_t app_max, uint32_t data_max)
{
    const struct scenario *scenario = board->scenario;
    const uint32_t block = geometry_block(board->geometry);
    const uint32_t sector = board->geometry->erase[0];
    struct layout *layout = &board->layout;
    struct ota_staging *staging = &board->staging;

    *layout = layout_make(board->geometry, 1, app_max, 1);
    *staging = (struct ota_staging){
        .app = {layout->factory, layout->slot_size},
        .swap = scenario->staged == STAGED_SWAP,
        .inflates = scenario->staged == STAGED_GZIP,
        .way = &ota_staging_in_flash,
    };
    staging->staging.size = round_up(staging_size(board, staging, app_max), block);
    staging->staging.offset = layout->factory + layout->slot_size;
    if (scenario->staged == STAGED_SHARED) { /* it begins within the app's place */
        staging->app.size += staging->staging.size - sector;
    }
    layout->ota[0] = staging->staging.offset;
    layout->storage = staging->staging.offset + staging->staging.size;
    if (data_max != 0) { /* with room for a mark behind the data, or without */
        layout->storage_size = round_up(data_max, sector) + (scenario->full ? 0 : sector);
    }
    layout->size = round_up(layout->storage + layout->storage_size, block);
    board->storage = (struct ota_partition){.type = OTA_PARTITION_DATA,
                                            .subtype = OTA_SUBTYPE_DATA_SPIFFS,
                                            .offset = layout->storage,
                                            .size = layout->storage_size,
                                            .label = "storage"};
    if (layout->storage_size != 0) {
        staging->data = &board->storage;
        staging->data_count = 1;
    }
}

enum ota_err staged_boot(struct board *board, uint8_t *buffer, uint32_t buffer_size)
{
    static uint8_t window[OTA_WINDOW_GZIP];
    static struct ota_staged_inflate inflate;
    const struct ota_staged_move *const moves[] = {&ota_staged_swap, &ota_staged_copy,
                                                   &inflate.move, NULL};

    ota_staged_inflate_init(&inflate, window, sizeof window);
    return ota_staged_boot(&board->boot, moves, buffer, buffer_size);
}

struct ota_unwrap *staged_unwrap(struct board *board)
{
    static struct ota_decoder *decoders[2];

    decoders[0] = &board->gzip.decoder;
    ota_staged_gzip_init(&board->gzip, NULL, 0);
    ota_unwrap_init(&board->unwrap, decoders);
    return &board->unwrap;
}

bool staged_check_data(struct board *board)
{
    const struct layout *layout = &board->layout;
    const struct board_image *image = &board->images[board->scenario->data];
    const uint8_t *now = board->now.memory + layout->storage;
    const uint8_t *first = board->initial.memory + layout->storage;
    bool incomplete = false;

    if (layout->storage_size == 0 || memcmp(now, first, layout->storage_size) == 0 ||
        memcmp(now, image->bytes, image->size) == 0) {
        return true;
    }
    if (ota_data_is_incomplete(&board->device, "storage", &incomplete) == OTA_OK && incomplete) {
        return true;
    }
    return board_fail(board, "the data partition is neither old nor new, and nobody knows");
}
