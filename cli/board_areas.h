/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_BOARD_AREAS_H
#define CLI_BOARD_AREAS_H

/* The areas of a board's flash, for its map. */

#include "cli/board_map.h"

/* Adds an area and returns it; one of no size is not counted. */
struct board_area *board_areas_add(struct board_map *map, enum board_area_kind kind,
                                   struct ota_extent extent, const char *name, const char *text);

/* Collects all that there is, in any order. Where areas overlap, the first of them is there. */
void board_areas_collect(struct board_map *map, const struct board *board);

#endif
