/* SPDX-License-Identifier: Apache-2.0 */
/* The memory map of a board: its areas in order, and what lies between them. */

#include "cli/board_map.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/board_areas.h"
#include "cli/output.h"

static uint32_t end_of(const struct ota_extent *extent)
{
    return extent->offset + extent->size;
}

/* Whether a byte belongs to none of the first `count` areas; `*until` is how far that holds. */
static bool is_open(const struct board_map *map, size_t count, uint32_t at, uint32_t *until)
{
    for (size_t i = 0; i < count; i++) {
        const struct ota_extent *extent = &map->areas[i].extent;
        if (at >= extent->offset && at < end_of(extent)) {
            *until = end_of(extent);
            return false;
        }
        if (extent->offset > at && extent->offset < *until) {
            *until = extent->offset;
        }
    }
    return true;
}

/* Adds the parts of the area at `index` that no area before it has. */
static void add_open_parts(struct board_map *parts, const struct board_map *map, size_t index)
{
    const struct board_area *area = &map->areas[index];
    const uint32_t end = end_of(&area->extent);
    uint32_t until;
    for (uint32_t at = area->extent.offset; at < end; at = until) {
        until = end;
        if (is_open(map, index, at, &until)) {
            const struct ota_extent extent = {at, until - at};
            struct board_area *part = board_areas_add(parts, area->kind, extent, "", "");
            *part = *area;
            part->extent = extent;
        }
    }
}

static int compare_areas(const void *a, const void *b)
{
    const struct board_area *first = a;
    const struct board_area *second = b;
    return first->extent.offset < second->extent.offset ? -1 : 1;
}

void board_map_read(struct board_map *map, const struct board *board)
{
    static struct board_map found;
    board_areas_collect(&found, board);
    board_areas_add(&found, BOARD_AREA_UNUSED, (struct ota_extent){0, board->settings.flash_size},
                    "", "not used");
    map->count = 0;
    for (size_t i = 0; i < found.count; i++) {
        add_open_parts(map, &found, i);
    }
    qsort(map->areas, map->count, sizeof *map->areas, compare_areas);
}

/* ---- On paper -------------------------------------------------------------------------------- */

/* "an update goes in two steps", as far as images of some size do. */
static struct output_text plan_text(const struct board_area *area)
{
    struct output_text text = {""};
    if (!area->has_plan) {
        return text;
    }
    if (area->two_steps_max == 0) {
        strcpy(text.text, "in place");
    } else if (area->two_steps_max == area->extent.size) {
        strcpy(text.text, "two steps");
    } else {
        snprintf(text.text, sizeof text.text, "two steps up to %.20s",
                 output_thousands(area->two_steps_max).text);
    }
    return text;
}

void board_map_print(const struct board_map *map)
{
    struct output_table table;
    output_table_begin(&table, "llrll");
    output_table_row(&table, "FLASH", "AREA", "SIZE", "HOLDS", "UPDATED");
    for (size_t i = 0; i < map->count; i++) {
        const struct board_area *area = &map->areas[i];
        char where[48];
        snprintf(where, sizeof where, "%s %s", output_hex(area->extent.offset, 6).text,
                 i == 0 ? "┌" : "├");
        output_table_row(&table, where, area->name, output_size(area->extent.size).text, area->text,
                         plan_text(area).text);
    }
    output_table_print(&table, stdout, "  ");
}

cJSON *board_map_json(const struct board_map *map)
{
    static const char *const kinds[] = {
        [BOARD_AREA_UNUSED] = "unused",   [BOARD_AREA_BOOTLOADER] = "bootloader",
        [BOARD_AREA_TABLE] = "table",     [BOARD_AREA_APP] = "app",
        [BOARD_AREA_FREE] = "free",       [BOARD_AREA_STAGED] = "staged",
        [BOARD_AREA_SPARE] = "spare",     [BOARD_AREA_COMMAND] = "command",
        [BOARD_AREA_OTADATA] = "otadata", [BOARD_AREA_DATA] = "data",
        [BOARD_AREA_NOTES] = "notes",
    };
    cJSON *json = cJSON_CreateArray();
    for (size_t i = 0; i < map->count; i++) {
        const struct board_area *area = &map->areas[i];
        cJSON *item = cJSON_CreateObject();
        cJSON_AddStringToObject(item, "kind", kinds[area->kind]);
        output_json_add_text(item, "name", area->name);
        cJSON_AddNumberToObject(item, "offset", area->extent.offset);
        cJSON_AddNumberToObject(item, "size", area->extent.size);
        output_json_add_text(item, "holds", area->text);
        if (area->has_plan) {
            cJSON_AddBoolToObject(item, "incomplete", area->incomplete);
            cJSON_AddNumberToObject(item, "two_steps_max", area->two_steps_max);
        }
        cJSON_AddItemToArray(json, item);
    }
    return json;
}
