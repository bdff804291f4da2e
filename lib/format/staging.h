/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FORMAT_STAGING_H
#define FORMAT_STAGING_H

/* The staging region: where things are in it, and the command (docs/formats/staging.md). */

#include <updraft/staging.h>

/* The slots of such a device. */
#define OTA__SLOT_APP 0
#define OTA__SLOT_STAGED 1

/* ---- Where things are ------------------------------------------------------------------------ */

struct ota__staging_map {
    uint32_t unit;             /* of a swap, bytes; 0 for a copy */
    struct ota_extent command; /* the end of the region */
    struct ota_extent notes;   /* in front of it; size 0: every data partition can be staged */
    uint32_t end;              /* flash offset behind the last byte that may be staged */
    uint32_t most;             /* bytes that an app may have */
};

/* Works out the map. Returns OTA_ERR_BOUNDS or OTA_ERR_ARGUMENT for a layout that cannot be. */
enum ota_err ota__staging_map(const struct ota_staging *staging, const struct ota_flash *flash,
                              struct ota__staging_map *map);

static inline uint32_t ota__extent_end(const struct ota_extent *extent)
{
    return extent->offset + extent->size;
}

static inline bool ota__extents_meet(const struct ota_extent *a, const struct ota_extent *b)
{
    return a->offset < ota__extent_end(b) && b->offset < ota__extent_end(a);
}

/* ---- The log --------------------------------------------------------------------------------- */

/*
 * Numbers of 16 bits, one behind the other, each in program units of its own and beside its
 * complement. Programming clears bits: one that was cut short has a bit set in both, and does not
 * count.
 */
struct ota__log {
    struct ota_region region;
    uint32_t next; /* offset of the next record */
};

#define OTA__LOG_RECORD 4u

/* How many bytes a record takes on this flash. */
uint32_t ota__log_stride(const struct ota_flash *flash);

/* Called for each record, in order. */
typedef void ota__log_fn(void *context, uint16_t value);

/* Reads what lies from `start` to the end of the region, and finds the place for the next record.
   One place is left out: power may have failed before the first bit of a record there showed.
   Returns the read's error. */
enum ota_err ota__log_read(struct ota__log *log, const struct ota_region *region, uint32_t start,
                           ota__log_fn *on_record, void *context);

/* How many more records there is room for. */
uint32_t ota__log_room(const struct ota__log *log);

/* Appends a record. Returns OTA_ERR_TOO_LARGE if the log is full, or the flash's error. */
enum ota_err ota__log_append(struct ota__log *log, uint16_t value);

/* ---- The command ----------------------------------------------------------------------------- */

enum ota__command_action {
    OTA__COMMAND_COPY = 1,
    OTA__COMMAND_SWAP = 2,
};

/* Bits of `flags`. */
#define OTA__COMMAND_DATA 0x01u /* of a data partition; else the app */
#define OTA__COMMAND_GZIP 0x02u /* what is staged is gzip */

/* What the log has: steps below the first of these, then a number of units, then states. */
#define OTA__NOTE_BEGUN 0x8000u     /* and the units that change places */
#define OTA__NOTE_UNITS_MAX 0x1FFFu /* four times as many steps are numbers below BEGUN */
#define OTA__NOTE_STATE 0xC000u

enum ota__note_state {
    OTA__STATE_REFUSED = 0, /* what is staged did not verify */
    OTA__STATE_ONE_WAY,     /* what ran before did not verify: there is no way back */
    OTA__STATE_PROVEN,      /* what was staged is where it belongs, and was compared */
    OTA__STATE_CONFIRMED,   /* the swapped image confirmed itself */
    OTA__STATE_REJECTED,    /* the swapped image rejected itself */
    OTA__STATE_BACK,        /* it is swapped back */
    OTA__STATE_TRIAL,       /* it boots on trial */
    OTA__STATE_COUNT
};

struct ota__command {
    /* As written. */
    uint8_t action;
    uint8_t flags;
    struct ota_extent stored;        /* what is staged */
    struct ota_extent destination;   /* where it belongs */
    uint32_t unit;                   /* of a swap */
    uint8_t digest[OTA_SHA256_SIZE]; /* of what is staged */

    /* As found. */
    bool is_there; /* and in force: else nothing but `region` has a meaning */
    bool is_begun;
    uint8_t states; /* a bit for each enum ota__note_state that was noted */
    uint8_t trials; /* trial boots */
    uint16_t units; /* with is_begun: how many change places */
    uint32_t steps; /* of the swap and of the way back, done */
    struct ota_region region;
    struct ota__log log;
};

/* Where its log begins: bytes. */
uint32_t ota__command_head(const struct ota_flash *flash);

/* Reads the command that lies in `region`, whole sectors. Returns OTA_OK, also if there is none, or
   the read's error. */
enum ota_err ota__command_read(struct ota__command *command, const struct ota_region *region);

/* Writes a command of which the first part was filled in, in place of whatever is there. If power
   fails, there is none. Returns OTA_OK or the flash's error. */
enum ota_err ota__command_write(struct ota__command *command);

/* Takes it out of force, and erases it. From the first bit on it is no command. Returns OTA_OK,
   also if there is none, or the flash's error. */
enum ota_err ota__command_withdraw(struct ota__command *command);

/* Note a step or units in the log; note a state. Return OTA_OK, or the log's error. */
enum ota_err ota__command_note(struct ota__command *command, uint16_t value);
enum ota_err ota__command_note_state(struct ota__command *command, enum ota__note_state state);

static inline bool ota__command_is(const struct ota__command *command, enum ota__note_state state)
{
    return (command->states >> state & 1u) != 0;
}

/* Tells whether the new image is in the app's place: a swap that went there, and has not come all
   the way back. */
static inline bool ota__command_is_swapped(const struct ota__command *command)
{
    return command->is_there && command->action == OTA__COMMAND_SWAP && command->is_begun &&
           command->steps >= 2u * command->units && command->steps < 4u * command->units;
}

/* Opens a device as ota_staging_open does, but for a bootloader, which gives no commands. */
enum ota_err ota__staging_open(struct ota_device *device);

/* Reads the command of a device. Returns what ota__staging_map does, or the read's error. */
enum ota_err ota__staging_command(const struct ota_staging *staging, struct ota_flash *flash,
                                  struct ota__staging_map *map, struct ota__command *command);

#endif
