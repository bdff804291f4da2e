/* SPDX-License-Identifier: Apache-2.0 */
#ifndef POWER_BOARD_H
#define POWER_BOARD_H

/*
 * The board whose power is cut: a simulated flash chip with a device on it, and what is demanded of
 * it at each boot.
 *
 * What a power cut leaves is the flash and a memo. The memo is not the device's: it holds the
 * fuses, what the operator at the other end of the line remembers, and which images may boot next,
 * given what the device has been told and has acknowledged.
 */

#include <setjmp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <updraft/updraft.h>

#include "posix/nor.h"
#include "power/geometry.h"

#define BOARD_IMAGES_MAX 4
#define BOARD_LARGE_IMAGE 80000u /* bytes: checkpoints are at least 32 KiB apart */

struct board;

enum outcome {
    OUTCOME_RESTART, /* the firmware restarts, or has to try again */
    OUTCOME_DONE,    /* the goal is reached, as far as the firmware can tell */
};

/* How images come: by calls of the update, or by a way in (ways.h). */
enum way {
    WAY_CALLS = 0,
    WAY_ESPOTA,
    WAY_ESPHOME,
    WAY_FORM, /* upload as multipart/form-data */
    WAY_RAW,  /* upload as the body itself */
    WAY_PULL,
    WAY_HTTPS,  /* update from one URL, in one call */
    WAY_RANGES, /* the same step by step, and in ranges */
    WAY_LIST,   /* upgrade list: data and an app */
    WAY_COUNT
};

/* Where a device runs its app from, and how updates get there. */
enum staged {
    STAGED_NOT = 0, /* slots */
    STAGED_COPY,    /* one place; what is staged is copied there */
    STAGED_SHARED,  /* the same, and staging begins within that place */
    STAGED_GZIP,    /* the same, and what is staged is compressed */
    STAGED_SWAP,    /* what is staged is swapped with what runs */
};

/* A story with an end, told by its firmware: what it does after each boot. */
struct scenario {
    const char *name;
    enum outcome (*firmware)(struct board *board);
    int goal;          /* the image that runs in the end */
    unsigned images;   /* how many there are; image 0 runs at first */
    unsigned slots;    /* OTA slots */
    unsigned present;  /* images that are there at first: 0 in factory (or ota_0), and so on */
    bool factory;      /* there is a factory app */
    bool no_entry;     /* otadata is blank at first, also without factory app */
    bool second;       /* without factory app: image 0 is in ota_1 at first, nothing in ota_0 */
    bool rollback;     /* images boot on trial */
    bool fuses;        /* with a floor; image n has secure version n */
    bool used;         /* slots are full of other bytes at first, else blank */
    bool page_buffer;  /* the update has a small buffer, else one that holds a sector */
    bool size_unknown; /* the update is not told how long the image is */
    bool ahead;        /* all is erased before the first byte is written */
    bool no_identity;  /* nor what its digest is */
    enum way way;      /* how images come */
    enum staged staged;
    bool in_place;   /* staged: data is larger than what can be staged */
    bool long_story; /* too long for every pair of cuts */
    unsigned trials; /* trial boots that an image has; 0: one */
    unsigned data;   /* this image is none, but the content of the data partition; 0: none */
    bool app_first;  /* the upgrade list has the app before the data */
    bool large;      /* images are large enough for the journal to make checkpoints */
    bool full;       /* images reach into the last sector of their slot, where the journal is */
    bool packed;     /* images travel as gzip, and are unpacked as they come */
};

struct board_image {
    uint8_t *bytes;
    uint32_t size;
    struct ota_digest digest; /* MD5 and SHA-256 by turns */
    uint8_t md5[OTA_MD5_SIZE];
    uint8_t *sent; /* what travels: the bytes, or gzip of them */
    uint32_t sent_size;
};

struct memo {
    uint32_t allowed;   /* images that may boot next, a bit each */
    uint32_t confirmed; /* images that may have been confirmed, or need not be */
    uint32_t floor;     /* the fuses */
    int stable;         /* the image that is fallen back to */
    int step;           /* where the operator is in his plan */
    unsigned attempts;  /* transfers begun or resumed */
    int incoming;       /* the image that is being transferred */
    uint32_t suspended; /* bytes of a transfer that was suspended, and must not be wanted again */
    bool weak;          /* an erase was cut so that it looks complete: later errors are honest */
    bool torn_entry; /* an entry of otadata was torn: its state, which no CRC covers, is anything */
    int candidate;   /* the image that was last made to boot */
};

/* Everything that outlives a power cut. */
struct point {
    uint8_t *memory;
    struct nor_state state;
    struct memo memo;
};

struct board_fuses {
    struct ota_fuses fuses; /* first: the object gets itself back by a cast */
    struct memo *memo;
};

#define BOARD_FAILURE_SIZE 200

struct board {
    const struct scenario *scenario;
    const struct geometry *geometry;
    struct layout layout;
    struct ota_staging staging;       /* scenario->staged */
    struct ota_partition storage;     /* likewise */
    struct ota_staged_gzip gzip;      /* scenario->staged STAGED_GZIP */
    struct ota_gunzip_decoder gunzip; /* scenario->packed */
    struct ota_unwrap unwrap;
    struct board_image images[BOARD_IMAGES_MAX];
    struct point initial;

    struct nor nor;
    struct point now; /* the chip's memory and state, and the memo */
    struct board_fuses fuses;

    /* Lost with the power. */
    struct ota_device device;
    struct ota_boot boot;
    struct ota_update update;
    uint8_t *buffer;
    uint32_t buffer_size;
    int running; /* the image that was booted */

    jmp_buf power_lost;               /* where a cut goes */
    char failure[BOARD_FAILURE_SIZE]; /* the first demand that was not met, in words; "" */
    FILE *trace;                      /* NULL: none */
    unsigned operations;              /* mutations since power came */
    void (*on_operation)(void *context, const struct nor_operation *operation);
    void *context; /* for on_operation */
};

/* Makes a board with its images and its first flash content; `seed` decides their bytes. Ends the
   process if there is no memory. */
struct board *board_new(const struct scenario *scenario, const struct geometry *geometry,
                        uint64_t seed);
void board_free(struct board *board);

/* Points: memory for one, copies. */
void point_init(struct point *point, const struct board *board);
void point_free(struct point *point);
void board_save(const struct board *board, struct point *point);
void board_load(struct board *board, const struct point *point);

/* Notes that a demand is not met; the first one stays. Returns false. */
bool board_fail(struct board *board, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Adds a line to the trace if there is one. */
void board_trace(struct board *board, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Boots what the flash holds: demands an image that may boot, byte by byte. Returns whether all
   demands are met. */
bool board_boot(struct board *board);

/* Boots, lets the firmware run, restarts, until it is done; then lets all weak bits show and boots
   once more. Returns whether all demands are met. A cut that was asked for jumps to power_lost. */
bool board_run(struct board *board);

/* The same after the power came back. */
bool board_recover(struct board *board);

/* Where a partition of the device lies. */
uint32_t board_slot_offset(const struct board *board, int slot);

#endif
