/* SPDX-License-Identifier: Apache-2.0 */
/* Power fails in the middle of a program or an erase: what the cells then hold. Programs go through
   their write units in order; erases work on all cells at once, and may stop with any of them
   anywhere, or with some that are erased but not firmly. */

#include <string.h>

#include "posix/nor_tear.h"

/* Draws from a seed (SplitMix64), so that a cut can be replayed. */
static uint64_t draw(uint64_t *seed)
{
    *seed += 0x9E3779B97F4A7C15u;
    uint64_t z = *seed;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

static uint32_t draw_below(uint64_t *seed, uint32_t limit)
{
    return (uint32_t)(draw(seed) % limit);
}

/* A place in a unit: half of the draws are among its first 64 bytes. */
static uint32_t draw_place(uint64_t *seed, uint32_t len)
{
    const uint32_t head = len < 64 ? len : 64;
    return draw_below(seed, (draw(seed) & 1u) != 0 ? head : len);
}

/* One of the bits set in `bits`, which is not 0. */
static uint8_t draw_bit(uint64_t *seed, uint8_t bits)
{
    uint32_t skip = draw_below(seed, (uint32_t)__builtin_popcount(bits));
    while (skip-- > 0) {
        bits = (uint8_t)(bits & (bits - 1u));
    }
    return (uint8_t)(bits & -bits);
}

static void program_bytes(uint8_t *cells, const uint8_t *data, uint32_t len)
{
    for (uint32_t i = 0; i < len; i++) {
        cells[i] = (uint8_t)(cells[i] & data[i]);
    }
}

/* The whole of the data but one to three bits of the last write unit that changes. */
static void program_nearly(struct nor *nor, const struct nor_operation *operation,
                           const uint8_t *data, uint64_t *seed)
{
    uint8_t *cells = nor->memory + operation->offset;
    uint32_t last = operation->len;
    while (last > 0 && (cells[last - 1] & ~data[last - 1]) == 0) {
        last--;
    }
    if (last == 0) {
        nor->state->damage.written = operation->len;
        return;
    }
    const uint32_t unit = nor->config.write_size;
    const uint32_t start = (last - 1) / unit * unit;
    uint8_t old[256];
    memcpy(old, cells + start, last - start);
    program_bytes(cells, data, operation->len);
    nor->state->damage.written = operation->len;
    for (uint32_t bits = 1 + draw_below(seed, 3); bits > 0; bits--) {
        const uint32_t place = bits == 1 ? last - 1 : start + draw_below(seed, last - start);
        const uint8_t missing = (uint8_t)(old[place - start] & ~cells[place]);
        if (missing != 0) {
            cells[place] |= draw_bit(seed, missing);
        }
    }
    for (uint32_t i = start; i < last; i++) {
        const bool whole = cells[i] == (uint8_t)(old[i - start] & data[i]);
        nor->state->damage.written -= whole ? 0 : 1;
        nor->state->damage.half += !whole && cells[i] != old[i - start] ? 1 : 0;
    }
}

/* A prefix of whole write units, then one with a random subset of its bits. */
static void program_torn(struct nor *nor, const struct nor_operation *operation,
                         const uint8_t *data, uint64_t *seed)
{
    uint8_t *cells = nor->memory + operation->offset;
    const uint32_t unit = nor->config.write_size;
    const uint32_t prefix = draw_below(seed, operation->len / unit) * unit;
    program_bytes(cells, data, prefix);
    nor->state->damage.written = prefix;
    for (uint32_t i = prefix; i < prefix + unit; i++) {
        const uint8_t old = cells[i];
        cells[i] = (uint8_t)(old & (data[i] | (uint8_t)draw(seed)));
        const bool half = cells[i] != old && cells[i] != (uint8_t)(old & data[i]);
        nor->state->damage.half += half ? 1 : 0;
    }
}

static void fill_with_noise(uint8_t *cells, uint32_t len, uint64_t *seed)
{
    while (len > 0) {
        const uint64_t noise = draw(seed);
        const uint32_t n = len < sizeof noise ? len : (uint32_t)sizeof noise;
        memcpy(cells, &noise, n);
        cells += n;
        len -= n;
    }
}

/* Each bit is old or, with a chance drawn once for the unit, already set. */
static void erase_partly(uint8_t *cells, uint32_t len, uint64_t *seed)
{
    const uint32_t rarity = draw_below(seed, 3);
    for (uint32_t i = 0; i < len; i++) {
        uint64_t set = draw(seed);
        for (uint32_t j = 0; j < rarity; j++) {
            set &= set >> 8;
        }
        cells[i] = (uint8_t)(cells[i] | (uint8_t)set);
    }
}

static void erase_torn(uint8_t *cells, uint32_t len, uint64_t *seed)
{
    switch (draw_below(seed, 4)) {
    case 0:
        fill_with_noise(cells, len, seed);
        break;
    case 1:
        erase_partly(cells, len, seed);
        break;
    case 2: /* old, but for a few spots */
        for (uint32_t spots = 1 + draw_below(seed, 8); spots > 0; spots--) {
            cells[draw_place(seed, len)] = (uint8_t)draw(seed);
        }
        break;
    default: { /* erased up to a place, from there on old */
        const uint32_t place = draw_place(seed, len);
        memset(cells, 0xFF, place);
        cells[place] = (uint8_t)(cells[place] | (uint8_t)draw(seed));
        break;
    }
    }
}

static void erase_nearly(uint8_t *cells, uint32_t len, uint64_t *seed)
{
    memset(cells, 0xFF, len);
    for (uint32_t bits = 1 + draw_below(seed, 3); bits > 0; bits--) {
        const uint32_t place = draw_place(seed, len);
        cells[place] = (uint8_t)(cells[place] & ~(1u << draw_below(seed, 8)));
    }
}

static void show_weak_bit(struct nor *nor, uint32_t index)
{
    struct nor_state *state = nor->state;
    const struct nor_weak_bit weak = state->weak[index];
    nor->memory[weak.offset] = (uint8_t)(nor->memory[weak.offset] & ~weak.mask);
    state->weak[index] = state->weak[--state->weak_count];
}

static void erase_weakly(struct nor *nor, const struct nor_operation *operation, bool later,
                         uint64_t *seed)
{
    struct nor_state *state = nor->state;
    memset(nor->memory + operation->offset, 0xFF, operation->len);
    uint32_t bits = 1 + draw_below(seed, 4);
    /* Short delays are the likelier ones: 1 to 2, 4, 8, … 128 mutations. */
    const uint32_t delay = 1 + draw_below(seed, 2u << draw_below(seed, 7));
    while (bits-- > 0) {
        if (state->weak_count == NOR_WEAK_BITS_MAX) {
            show_weak_bit(nor, 0);
        }
        state->weak[state->weak_count++] = (struct nor_weak_bit){
            .offset = operation->offset + draw_place(seed, operation->len),
            .mask = (uint8_t)(1u << draw_below(seed, 8)),
            .power_ups = later ? 2 : 1,
            .delay = later ? (uint16_t)delay : 0,
        };
    }
}

static void tear_program(struct nor *nor, const struct nor_operation *operation,
                         const uint8_t *data, uint64_t *seed)
{
    switch (nor->state->cut_how) {
    case NOR_CUT_TORN:
    case NOR_CUT_WEAK:
        program_torn(nor, operation, data, seed);
        break;
    case NOR_CUT_NEARLY:
    case NOR_CUT_WEAK_LATER:
        program_nearly(nor, operation, data, seed);
        break;
    case NOR_CUT_AFTER:
        program_bytes(nor->memory + operation->offset, data, operation->len);
        nor->state->damage.written = operation->len;
        break;
    default:
        break;
    }
}

static void tear_erase(struct nor *nor, const struct nor_operation *operation, uint64_t *seed)
{
    uint8_t *cells = nor->memory + operation->offset;
    const enum nor_cut how = nor->state->cut_how;
    if (how == NOR_CUT_BEFORE) {
        return;
    }
    nor_weak_heal(nor, operation->offset, operation->len);
    switch (how) {
    case NOR_CUT_TORN:
        erase_torn(cells, operation->len, seed);
        break;
    case NOR_CUT_NEARLY:
        erase_nearly(cells, operation->len, seed);
        break;
    case NOR_CUT_WEAK:
    case NOR_CUT_WEAK_LATER:
        erase_weakly(nor, operation, how == NOR_CUT_WEAK_LATER, seed);
        break;
    default:
        memset(cells, 0xFF, operation->len);
        break;
    }
}

void nor_tear(struct nor *nor, const struct nor_operation *operation, const uint8_t *data)
{
    struct nor_state *state = nor->state;
    uint64_t seed = state->cut_seed;
    state->damage = (struct nor_damage){
        .how = state->cut_how, .number = state->cut_number, .operation = *operation};
    if (operation->kind == NOR_PROGRAM) {
        tear_program(nor, operation, data, &seed);
    } else {
        tear_erase(nor, operation, &seed);
    }
}

void nor_weak_tick(struct nor *nor)
{
    struct nor_state *state = nor->state;
    for (uint32_t i = state->weak_count; i-- > 0;) {
        if (state->weak[i].delay > 0 && --state->weak[i].delay == 0) {
            show_weak_bit(nor, i);
        }
    }
}

void nor_weak_power_up(struct nor *nor)
{
    struct nor_state *state = nor->state;
    for (uint32_t i = state->weak_count; i-- > 0;) {
        if (--state->weak[i].power_ups == 0) {
            show_weak_bit(nor, i);
        }
    }
}

void nor_weak_heal(struct nor *nor, uint32_t offset, uint32_t len)
{
    struct nor_state *state = nor->state;
    for (uint32_t i = state->weak_count; i-- > 0;) {
        if (state->weak[i].offset - offset < len) {
            state->weak[i] = state->weak[--state->weak_count];
        }
    }
}
