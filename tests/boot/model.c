/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The model goes through the steps of the original bootloader one by one, in its words and its
 * order (select, load, fix), even where two of them come to the same: it is to be compared with the
 * text, not to be elegant. Where Updraft's rules differ on purpose, the line says so.
 */
#include "boot/model.h"

#define NO_SEQUENCE 0xFFFFFFFFu
#define UNDEFINED 0xFFFFFFFFu /* a state */

enum {
    NEW = 0,
    PENDING_VERIFY = 1,
    VALID = 2,
    INVALID = 3,
    ABORTED = 4
};

/* How each state counts: is an entry with it out of the question? */
static const bool state_is_out[5] = {
    [NEW] = false, [PENDING_VERIFY] = false, [VALID] = false, [INVALID] = true, [ABORTED] = true,
};

struct run {
    const struct model_device *device;
    struct model_decision decision;
    int slots;    /* rows of OTA slots: the N of the bootloader */
    bool initial; /* otadata was never written */
};

static bool state_exists(uint32_t state)
{
    return state <= ABORTED || state == UNDEFINED;
}

static bool entry_is_invalid(const struct model_entry *e)
{
    return e->sequence == NO_SEQUENCE || (e->state <= ABORTED && state_is_out[e->state]);
}

/* On purpose: an entry with a state that does not exist is what a torn write left, and not valid.
   The original boots it. */
static bool entry_is_valid(const struct model_entry *e)
{
    return !entry_is_invalid(e) && e->crc_good && state_exists(e->state);
}

static bool entry_was_never_written(const struct model_entry *e)
{
    return e->sequence == NO_SEQUENCE || !e->crc_good;
}

static const struct model_place *place_of(const struct run *run, int index)
{
    static const struct model_place none = {.content = MODEL_ABSENT};

    if (index == MODEL_FACTORY) {
        return &run->device->factory;
    }
    if (index == MODEL_TEST) {
        return &run->device->test;
    }
    /* A slot number at or past N cannot be reached, also where a gap in the table has put a slot
       there. */
    return index >= 0 && index < run->slots ? &run->device->ota[index] : &none;
}

/* On purpose: where there is no descriptor the version is 0. The original needs a descriptor as
   soon as there are fuses, Updraft only for a floor above 0. */
static uint32_t version_of(const struct model_place *place)
{
    bool has_descriptor = place->content == MODEL_DAMAGED || place->content == MODEL_VALID;

    return has_descriptor ? place->secure_version : 0;
}

static bool secure_enough(const struct run *run, const struct model_place *place)
{
    return version_of(place) >= run->decision.floor;
}

static bool try(const struct run *run, int index)
{
    const struct model_place *place = place_of(run, index);

    if (run->device->floor != MODEL_NO_FUSES && !secure_enough(run, place)) {
        return false;
    }
    return place->content == MODEL_VALID;
}

static void raise_floor(struct run *run, int index)
{
    const struct model_place *place = place_of(run, index);

    if (version_of(place) > run->decision.floor) {
        run->decision.floor = version_of(place);
    }
}

static int slot_of(const struct run *run, const struct model_entry *e)
{
    return (int)((e->sequence - 1u) % (uint32_t)run->slots);
}

static int active_entry(bool first, bool second, const struct model_entry e[2])
{
    static const int by_validity[2][2] = {{-1, 1}, {0, 2}};
    int active = by_validity[first][second];

    if (active == 2) {
        active = e[0].sequence >= e[1].sequence ? 0 : 1;
    }
    return active;
}

/* Which index the loading starts from; `*entry` is the entry that chose it, or -1. */
static int select(struct run *run, int *entry)
{
    const struct model_device *device = run->device;
    struct model_entry *e = run->decision.entry;
    bool fuses = device->floor != MODEL_NO_FUSES;
    int active;

    *entry = -1;
    if (device->otadata == MODEL_OTADATA_ABSENT) {
        return MODEL_FACTORY;
    }
    if (device->otadata == MODEL_OTADATA_SMALL) {
        return MODEL_NOTHING;
    }
    for (int i = 0; i < 2 && device->rollback; i++) {
        if (e[i].state == PENDING_VERIFY) {
            e[i].state = ABORTED;
        }
    }
    if (!fuses) {
        if ((entry_is_invalid(&e[0]) && entry_is_invalid(&e[1])) || run->slots == 0) {
            if (device->factory.content != MODEL_ABSENT) {
                return MODEL_FACTORY;
            }
            run->initial = entry_was_never_written(&e[0]) && entry_was_never_written(&e[1]);
            return 0;
        }
        /* On purpose: a first entry that a power cut tore is written again. The original leaves
           otadata as it is, for ever. */
        if (device->factory.content == MODEL_ABSENT && entry_was_never_written(&e[0]) &&
            entry_was_never_written(&e[1])) {
            run->initial = true;
            return 0;
        }
        active = active_entry(entry_is_valid(&e[0]), entry_is_valid(&e[1]), e);
    } else {
        if (entry_was_never_written(&e[0]) && entry_was_never_written(&e[1])) {
            run->initial = true;
            return MODEL_FACTORY;
        }
        if (run->slots == 0) { /* the original divides by N here */
            return MODEL_FACTORY;
        }
        active = active_entry(
            entry_is_valid(&e[0]) && secure_enough(run, place_of(run, slot_of(run, &e[0]))),
            entry_is_valid(&e[1]) && secure_enough(run, place_of(run, slot_of(run, &e[1]))), e);
    }
    if (active < 0) {
        return MODEL_FACTORY;
    }
    *entry = active;
    return slot_of(run, &e[active]);
}

/* The change of state that goes with a selected entry. */
static void mark(struct run *run, int active)
{
    struct model_entry *e = &run->decision.entry[active];

    if (run->device->rollback && e->state == NEW) {
        e->state = PENDING_VERIFY;
        run->decision.on_trial = true;
    }
}

/* On purpose: the fuses are raised to the version of an image that was proven. The original raises
   them when it selects the entry, by a descriptor that may be damaged. */
static void raise_for_confirmed(struct run *run, int start, int active)
{
    if (active >= 0 && run->decision.slot == start && run->device->floor != MODEL_NO_FUSES &&
        run->decision.entry[active].state == VALID) {
        raise_floor(run, start);
    }
}

static void fix(struct run *run, int index)
{
    if (!run->initial || index < 0) {
        return;
    }
    run->decision.entry[0] = (struct model_entry){(uint32_t)index + 1, VALID, true};
    run->decision.renewed[0] = true;
    if (run->device->floor != MODEL_NO_FUSES) {
        raise_floor(run, index);
    }
}

static int load(struct run *run, int start)
{
    if (start == MODEL_TEST) {
        return try(run, MODEL_TEST) ? MODEL_TEST : MODEL_NOTHING;
    }
    for (int i = start; i >= MODEL_FACTORY; i--) {
        if (try(run, i)) {
            return i;
        }
    }
    for (int i = start + 1; i < run->slots; i++) {
        if (try(run, i)) {
            return i;
        }
    }
    return try(run, MODEL_TEST) ? MODEL_TEST : MODEL_NOTHING;
}

struct model_decision model_boot(const struct model_device *device)
{
    struct run run = {
        .device = device,
        .decision = {.slot = MODEL_NOTHING,
                     .entry = {device->entry[0], device->entry[1]},
                     .floor = device->floor},
    };
    for (int i = 0; i < MODEL_SLOTS; i++) {
        run.slots += device->ota[i].content != MODEL_ABSENT;
    }

    if (device->test_pin) { /* on purpose: the original first moves the entries' states on */
        run.decision.slot = load(&run, MODEL_TEST);
        return run.decision;
    }

    int active;
    int start = select(&run, &active);
    if (start == MODEL_NOTHING) {
        return run.decision; /* on purpose: the original resets, and comes here again for ever */
    }
    if (active >= 0) {
        mark(&run, active);
    }
    run.decision.slot = load(&run, start);
    run.decision.on_trial = run.decision.on_trial && run.decision.slot == start;
    raise_for_confirmed(&run, start, active);
    fix(&run, run.decision.slot);
    return run.decision;
}
