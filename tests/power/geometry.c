/* SPDX-License-Identifier: Apache-2.0 */
#include "power/geometry.h"

#include <string.h>

#define KIB 1024u
#define OTADATA_UNIT_MIN (4 * KIB)

/* Erase sizes from 256 bytes to 128 KiB, write sizes from 1 to 256, as chips have them: serial NOR
   (any byte again and again, larger erase blocks), internal flash with an error-correcting code (a
   word takes one program), and the extremes. */
const struct geometry geometries[] = {
    {"256/1", {256}, 1, false, 1500},
    {"256+1k/4", {256, 1 * KIB}, 4, false, 3500},
    {"256/256once", {256}, 256, true, 1500},
    {"512+2k/16once", {512, 2 * KIB}, 16, true, 5300},
    {"1k/8once", {1 * KIB}, 8, true, 4500},
    {"2k/8once", {2 * KIB}, 8, true, 21000},
    {"4k/1", {4 * KIB}, 1, false, 13000},
    {"4k/256once", {4 * KIB}, 256, true, 13000},
    {"4k+16k/4", {4 * KIB, 16 * KIB}, 4, false, 22000},
    {"8k/32once", {8 * KIB}, 32, true, 20000},
    {"16k/128", {16 * KIB}, 128, false, 20000},
    {"4k+32k+64k/1", {4 * KIB, 32 * KIB, 64 * KIB}, 1, false, 74000},
    {"32k/64once", {32 * KIB}, 64, true, 20000},
    {"128k/32once", {128 * KIB}, 32, true, 20000},
};
const size_t geometry_count = sizeof geometries / sizeof geometries[0];

const struct geometry *geometry_named(const char *name)
{
    for (size_t i = 0; i < geometry_count; i++) {
        if (strcmp(geometries[i].name, name) == 0) {
            return &geometries[i];
        }
    }
    return NULL;
}

uint32_t geometry_block(const struct geometry *geometry)
{
    uint32_t block = geometry->erase[0];

    for (int i = 1; i < ERASE_UNITS && geometry->erase[i] != 0; i++) {
        block = geometry->erase[i];
    }
    return block;
}

static uint32_t round_up(uint32_t value, uint32_t unit)
{
    return (value + unit - 1) / unit * unit;
}

struct layout layout_make(const struct geometry *geometry, unsigned slots, uint32_t image_max,
                          unsigned spare)
{
    uint32_t sector = geometry->erase[0];
    uint32_t block = geometry_block(geometry);
    uint32_t unit = sector > OTADATA_UNIT_MIN ? sector : OTADATA_UNIT_MIN;
    struct layout layout = {.otadata = unit, .otadata_unit = unit};

    layout.slot_size = round_up(image_max, sector) + spare * sector;
    layout.slot_size = round_up(layout.slot_size, block);
    layout.factory = round_up(layout.otadata + 2 * unit, block);
    for (unsigned i = 0; i < slots; i++) {
        layout.ota[i] = layout.factory + (i + 1) * layout.slot_size;
    }
    layout.storage_size = layout.slot_size;
    layout.storage = layout.factory + (slots + 1) * layout.slot_size;
    layout.size = layout.storage + layout.slot_size;
    return layout;
}
