/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_BOARD_MAP_H
#define CLI_BOARD_MAP_H

/*
 * What lies where on a board's flash, from the first byte to the last: what each area holds now, what
 * an update that is under way has done of it, and how the next one would be made.
 *
 *     struct board_map map;
 *     board_map_read(&map, &board);        an opened device
 *     board_map_print(&map);
 */

#include <cjson/cJSON.h>
#include <updraft/staging.h>

#include "posix/board.h"

#define BOARD_MAP_AREAS_MAX 256u
#define BOARD_MAP_TEXT_SIZE 128u

enum board_area_kind {
    BOARD_AREA_UNUSED,
    BOARD_AREA_BOOTLOADER,
    BOARD_AREA_TABLE,
    BOARD_AREA_APP,
    BOARD_AREA_FREE,    /* for the next update to be staged */
    BOARD_AREA_STAGED,  /* an update, or the image before this one */
    BOARD_AREA_SPARE,   /* of a swap */
    BOARD_AREA_COMMAND, /* for the bootloader */
    BOARD_AREA_OTADATA,
    BOARD_AREA_DATA,
    BOARD_AREA_NOTES, /* of a staging region */
};

struct board_area {
    enum board_area_kind kind;
    struct ota_extent extent;
    char name[OTA_PARTITION_LABEL_MAX + 1];
    char text[BOARD_MAP_TEXT_SIZE]; /* what it holds */

    /* Of data that can be updated. */
    bool has_plan;
    bool incomplete;        /* its last update in place was not finished */
    uint32_t two_steps_max; /* images of so many bytes are staged first; larger ones in place */
};

struct board_map {
    struct board_area areas[BOARD_MAP_AREAS_MAX];
    size_t count;
};

/* Reads the flash, by board->device, which is open. Of areas that overlap the first is kept whole. */
void board_map_read(struct board_map *map, const struct board *board);

void board_map_print(const struct board_map *map);

/* The areas, as an array. */
cJSON *board_map_json(const struct board_map *map);

#endif
