/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_PORTS_POSIX_NOR_H
#define UPDRAFT_PORTS_POSIX_NOR_H

/*
 * A simulated NOR flash chip: the rules of such chips enforced, every change counted and timed by a
 * datasheet model, and power that fails on demand in the middle of a change.
 *
 * All that a chip holds is the caller's and free of pointers: its memory, its wear counters and its
 * struct nor_state. To clone a chip, copy those three and call nor_init on the copies; to let two
 * processes share one, put them in shared memory. Nothing here allocates.
 *
 *     static uint8_t memory[1 << 20];
 *     static uint32_t wear[256];
 *     static struct nor_state state;
 *     struct nor nor;
 *     const struct nor_config config = {
 *         .size = sizeof memory, .erase = {{4096}, {32768}, {65536}}, .write_size = 1,
 *     };
 *     nor_init(&nor, &config, memory, wear, &state);
 *     nor_blank(&nor);
 *     use(&nor.flash);
 *
 * A mutation is what the chip does in one go, and what power can interrupt: the program of one page
 * (or a part of it), or the erase of one unit.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <updraft/flash.h>

#define NOR_ERASE_UNITS_MAX 4
#define NOR_WEAK_BITS_MAX 32
#define NOR_NOTE_SIZE 128

enum nor_operation_kind {
    NOR_PROGRAM,
    NOR_ERASE,
};

/* One mutation. */
struct nor_operation {
    enum nor_operation_kind kind;
    uint32_t offset;
    uint32_t len;
};

/*
 * How power fails at a mutation. The details are drawn from the cut's seed, with a liking for the
 * first bytes of a unit, where headers and records lie.
 *
 *                 program                               erase
 *     BEFORE      nothing happened                      nothing happened (all old)
 *     TORN        a prefix is whole, of the next write  bits at random: old, set, or noise, in
 *                 unit some bits are programmed         the whole unit or in spots
 *     NEARLY      all but one to three bits             all but one to three bits are erased
 *     WEAK        as TORN                               looks erased; one to four bits read
 *                                                       as 0 from the next power-up on
 *     WEAK_LATER  as NEARLY                             looks erased, also after power-up; the
 *                                                       bits read as 0 some mutations later,
 *                                                       or from the power-up after that
 *     AFTER       complete                              complete
 *
 * Weak bits are healed by an undisturbed erase of their unit.
 */
enum nor_cut {
    NOR_CUT_NONE = 0,
    NOR_CUT_BEFORE,
    NOR_CUT_TORN,
    NOR_CUT_NEARLY,
    NOR_CUT_WEAK,
    NOR_CUT_WEAK_LATER,
    NOR_CUT_AFTER,
    NOR_CUT_COUNT /* how many there are; not a cut */
};

/* A size that the chip erases in one go, and the time this takes (0: by the datasheet model). */
struct nor_erase_unit {
    uint32_t size;
    uint64_t time_ns;
};

struct nor_config {
    uint32_t size; /* bytes; a multiple of the smallest erase unit */
    struct nor_erase_unit erase[NOR_ERASE_UNITS_MAX]; /* rising powers of two; size 0 ends them */
    uint32_t write_size;      /* program unit, bytes: a power of two, 1 to 256 */
    uint32_t page_size;       /* largest program, bytes: a power of two; 0: 256 */
    uint64_t program_time_ns; /* of a page or a part of it; 0: 0.4 ms */
    bool program_once;        /* a unit that is not erased cannot be programmed, as on chips with an
                                 error-correcting code; else a program may clear further bits */
    bool real_time;           /* sleep for as long as the chip would take */

    /* Called when power fails, after the damage is done; may end the process or jump away. If it
       returns, or is NULL, the access fails, and so does each one up to nor_power_up. */
    void (*power_lost)(void *context);

    /* Called before each mutation; NULL if not wanted. */
    void (*on_operation)(void *context, const struct nor_operation *operation);

    void *context; /* for both */
};

struct nor_statistics {
    uint64_t operations; /* mutations: programs and erases; the one that power cut short counts */
    uint64_t programs;
    uint64_t erases[NOR_ERASE_UNITS_MAX]; /* by unit, as in the configuration */
    uint64_t bytes_read;
    uint64_t bytes_programmed;
    uint64_t time_ns; /* of programs and erases, by the model */
};

/* What a power cut did. */
struct nor_damage {
    enum nor_cut how; /* NOR_CUT_NONE: there was none */
    uint32_t number;  /* of the mutation, as it was asked for */
    struct nor_operation operation;
    uint32_t written; /* program: bytes that are as they should be */
    uint32_t half;    /* program: bytes that are neither old nor new */
};

/* A bit that reads as erased for now. */
struct nor_weak_bit {
    uint32_t offset;
    uint8_t mask;      /* 0: no weak bit */
    uint8_t power_ups; /* until it shows */
    uint16_t delay;    /* mutations until it shows, from the first power-up on; 0: not by those */
};

/* All that changes besides memory and wear. Zeroed is a new chip under power. */
struct nor_state {
    struct nor_statistics statistics;
    uint32_t violations;      /* accesses that broke the rules of the chip */
    char note[NOR_NOTE_SIZE]; /* the first of them, in words; "" if there was none */
    bool off;                 /* power has failed */

    uint32_t cut_countdown; /* mutations until power fails; 0: it does not */
    uint32_t cut_number;
    enum nor_cut cut_how;
    uint64_t cut_seed;
    struct nor_damage damage; /* of the last cut */
    struct nor_weak_bit weak[NOR_WEAK_BITS_MAX];
    uint32_t weak_count;
};

struct nor {
    struct ota_flash flash; /* first: the driver gets its chip back by a cast */
    struct nor_config config;
    unsigned erase_units; /* how many the configuration has */
    uint8_t *memory;
    uint32_t *wear;
    struct nor_state *state;
};

/* Makes a chip of `memory` (config->size bytes), `wear` (a counter of erases for each smallest
   erase unit, or NULL) and `state`, all as they are: nothing is cleared. They must outlive the
   chip. flash offers the largest erase unit as its block; the driver uses whatever is largest at
   each place. Returns OTA_OK, or OTA_ERR_ARGUMENT for a geometry that cannot be. */
enum ota_err nor_init(struct nor *nor, const struct nor_config *config, uint8_t *memory,
                      uint32_t *wear, struct nor_state *state);

/* Makes the chip new: all memory erased, no wear, the state zeroed. */
void nor_blank(struct nor *nor);

/* Asks for power to fail at the `number`-th mutation from now on (1 is the next), in the given way;
   `seed` decides the details. One cut can be waiting; number 0 or NOR_CUT_NONE takes it back. */
void nor_cut_at(struct nor *nor, uint32_t number, enum nor_cut how, uint64_t seed);

/* Cuts the power now, between mutations. Calls power_lost, as each cut does. */
void nor_cut_now(struct nor *nor);

/* Switches the power on, also where it was not off: weak bits come a power-up nearer. */
void nor_power_up(struct nor *nor);

/* Writes what the last cut did, such as "program of 256 bytes at 0x20a300, 113 written, 1 byte
   half", into `text` and returns it; "" if there was none. */
const char *nor_damage_text(const struct nor_damage *damage, char *text, size_t size);

/* The word for a way of failing ("before", "torn", "nearly", "weak", "weak-later", "after"), and
   the way for a word: NOR_CUT_NONE if there is none of that name. */
const char *nor_cut_name(enum nor_cut how);
enum nor_cut nor_cut_from_name(const char *name);

/* The datasheet model's time for erasing a unit of this size: 45 ms up to 4 KiB, 120 ms up to
   32 KiB, 150 ms for each 64 KiB. */
uint64_t nor_erase_time_ns(uint32_t size);

#endif
