/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BOOT_MODEL_H
#define BOOT_MODEL_H

/*
 * The boot decision once more, as docs/formats/otadata.md section 5 has it, for the tests to
 * compare the library with. It shares no line with the library and decides on facts, not on flash
 * content.
 */

#include <stdbool.h>
#include <stdint.h>

#define MODEL_SLOTS 16
#define MODEL_FACTORY (-1)
#define MODEL_TEST (-2)
#define MODEL_NOTHING (-99)
#define MODEL_NO_FUSES UINT32_MAX

/* What lies in a place for an image. */
enum model_content {
    MODEL_ABSENT,  /* the table has no such partition */
    MODEL_BLANK,   /* nothing: neither image nor descriptor */
    MODEL_DAMAGED, /* an image with its descriptor, and a wrong bit further on */
    MODEL_VALID,
};

struct model_place {
    enum model_content content;
    uint32_t secure_version;
};

struct model_entry {
    uint32_t sequence;
    uint32_t state;
    bool crc_good;
};

enum model_otadata {
    MODEL_OTADATA_ABSENT,
    MODEL_OTADATA_SMALL, /* the partition has room for one entry only */
    MODEL_OTADATA_THERE,
};

struct model_device {
    struct model_place ota[MODEL_SLOTS];
    struct model_place factory, test;
    enum model_otadata otadata;
    struct model_entry entry[2];
    bool rollback;
    uint32_t floor; /* of the secure version, or MODEL_NO_FUSES */
    bool test_pin;
};

struct model_decision {
    int slot; /* 0 to 15, or MODEL_… */
    bool on_trial;
    struct model_entry entry[2];
    bool renewed[2]; /* the entry was written anew: its unused bytes are 0xFF */
    uint32_t floor;
};

struct model_decision model_boot(const struct model_device *device);

#endif
