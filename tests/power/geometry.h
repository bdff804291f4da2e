/* SPDX-License-Identifier: Apache-2.0 */
#ifndef POWER_GEOMETRY_H
#define POWER_GEOMETRY_H

/* The flash chips that power is cut on, and how a device is laid out on each. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ERASE_UNITS 3

struct geometry {
    const char *name;            /* erase sizes, "/", write size, "once" if it is program_once */
    uint32_t erase[ERASE_UNITS]; /* rising; 0 ends them */
    uint32_t write_size;
    bool once;           /* a program unit takes one program between erases */
    uint32_t image_size; /* of the images: a few sectors, the last one begun only */
};

extern const struct geometry geometries[];
extern const size_t geometry_count;

/* Returns the geometry of this name, or NULL. */
const struct geometry *geometry_named(const char *name);

/* The larger erase size of a chip that has one, else its only one. */
uint32_t geometry_block(const struct geometry *geometry);

#define LAYOUT_SLOTS_MAX 3

/* Where things lie. Slots are aligned so that the largest erases fit in them. */
struct layout {
    uint32_t otadata, otadata_unit; /* two units of this size */
    uint32_t factory;
    uint32_t ota[LAYOUT_SLOTS_MAX];
    uint32_t slot_size;
    uint32_t storage, storage_size; /* a data partition */
    uint32_t size;                  /* of the flash */
};

/* Lays out a device with slots for images of up to `image_max` bytes, and `spare` more sectors. */
struct layout layout_make(const struct geometry *geometry, unsigned slots, uint32_t image_max,
                          unsigned spare);

#endif
