/* SPDX-License-Identifier: Apache-2.0 */
/* The simulated NOR flash chip: its rules, its counters and its clock. What a power cut does to the
   cells is in nor_tear.c. */

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "posix/nor.h"
#include "posix/nor_tear.h"

#define PAGE_SIZE_DEFAULT 256u
#define PROGRAM_TIME_NS UINT64_C(400000)
#define MILLISECOND_NS UINT64_C(1000000)

static bool is_power_of_two(uint32_t n)
{
    return n != 0 && (n & (n - 1)) == 0;
}

uint64_t nor_erase_time_ns(uint32_t size)
{
    if (size <= 4096) {
        return 45 * MILLISECOND_NS;
    }
    if (size <= 32768) {
        return 120 * MILLISECOND_NS;
    }
    return ((uint64_t)size + 65535) / 65536 * 150 * MILLISECOND_NS;
}

static const char *plural(uint32_t n)
{
    return n == 1 ? "" : "s";
}

/* Notes the first access that broke the rules, and counts them all. */
__attribute__((format(printf, 3, 4))) static enum ota_err violation(struct nor *nor,
                                                                    enum ota_err err,
                                                                    const char *format, ...)
{
    struct nor_state *state = nor->state;
    if (state->violations++ == 0) {
        va_list arguments;
        va_start(arguments, format);
        vsnprintf(state->note, sizeof state->note, format, arguments);
        va_end(arguments);
    }
    return err;
}

static bool is_inside(const struct nor *nor, uint32_t offset, uint32_t len)
{
    return offset <= nor->config.size && len <= nor->config.size - offset;
}

static void spend(struct nor *nor, uint64_t time_ns)
{
    nor->state->statistics.time_ns += time_ns;
    if (nor->config.real_time) {
        const struct timespec pause = {.tv_sec = (time_t)(time_ns / 1000000000u),
                                       .tv_nsec = (long)(time_ns % 1000000000u)};
        nanosleep(&pause, NULL);
    }
}

static void lose_power(struct nor *nor)
{
    nor->state->off = true;
    nor->state->cut_countdown = 0;
    if (nor->config.power_lost != NULL) {
        nor->config.power_lost(nor->config.context);
    }
}

/* Counts a mutation that is about to happen. If this is the one at which power fails, it happens as
   far as the cut lets it, and true is returned. */
static bool is_cut_short(struct nor *nor, const struct nor_operation *operation,
                         const uint8_t *data)
{
    struct nor_state *state = nor->state;
    if (nor->config.on_operation != NULL) {
        nor->config.on_operation(nor->config.context, operation);
    }
    state->statistics.operations++;
    if (state->cut_countdown == 0 || --state->cut_countdown > 0) {
        return false;
    }
    nor_tear(nor, operation, data);
    return true;
}

static enum ota_err nor_read(struct ota_flash *flash, uint32_t offset, void *data, uint32_t len)
{
    struct nor *nor = (struct nor *)flash;
    if (nor->state->off) {
        return OTA_ERR_FLASH_READ;
    }
    if (!is_inside(nor, offset, len)) {
        return violation(nor, OTA_ERR_FLASH_READ,
                         "read of %" PRIu32 " byte%s at 0x%" PRIx32 " reaches beyond the chip", len,
                         plural(len), offset);
    }
    memcpy(data, nor->memory + offset, len);
    nor->state->statistics.bytes_read += len;
    return OTA_OK;
}

/* Returns how many bytes of `data` the cells can take: all of them, or those before the first that
   breaks the rules. */
static uint32_t programmable(const struct nor *nor, const uint8_t *cells, const uint8_t *data,
                             uint32_t len)
{
    const bool once = nor->config.program_once;
    uint32_t i = 0;
    for (; len - i >= sizeof(uint64_t); i += (uint32_t)sizeof(uint64_t)) {
        uint64_t old;
        uint64_t new;
        memcpy(&old, cells + i, sizeof old);
        memcpy(&new, data + i, sizeof new);
        if ((once ? ~old : (new & ~old)) != 0) {
            break;
        }
    }
    while (i < len && (once ? cells[i] == 0xFF : (data[i] & ~cells[i]) == 0)) {
        i++;
    }
    return i;
}

static void clear_bits(uint8_t *cells, const uint8_t *data, uint32_t len)
{
    uint32_t i = 0;
    for (; len - i >= sizeof(uint64_t); i += (uint32_t)sizeof(uint64_t)) {
        uint64_t old;
        uint64_t new;
        memcpy(&old, cells + i, sizeof old);
        memcpy(&new, data + i, sizeof new);
        old &= new;
        memcpy(cells + i, &old, sizeof old);
    }
    for (; i < len; i++) {
        cells[i] = (uint8_t)(cells[i] & data[i]);
    }
}

/* Programs within one page. */
static enum ota_err program_page(struct nor *nor, uint32_t offset, const uint8_t *data,
                                 uint32_t len)
{
    uint8_t *cells = nor->memory + offset;
    const uint32_t good = programmable(nor, cells, data, len);
    if (good < len) {
        return violation(nor, OTA_ERR_FLASH_WRITE,
                         "program of %" PRIu32 " byte%s at 0x%" PRIx32 ": 0x%02x at 0x%" PRIx32
                         " cannot become 0x%02x, it is not erased",
                         len, plural(len), offset, cells[good], offset + good, data[good]);
    }
    struct nor_statistics *statistics = &nor->state->statistics;
    const struct nor_operation operation = {NOR_PROGRAM, offset, len};
    const bool cut = is_cut_short(nor, &operation, data);
    if (!cut) {
        clear_bits(cells, data, len);
    }
    statistics->programs++;
    statistics->bytes_programmed += len;
    spend(nor, nor->config.program_time_ns);
    if (cut) {
        lose_power(nor);
        return OTA_ERR_FLASH_WRITE;
    }
    nor_weak_tick(nor);
    return OTA_OK;
}

static enum ota_err nor_write(struct ota_flash *flash, uint32_t offset, const void *data,
                              uint32_t len)
{
    struct nor *nor = (struct nor *)flash;
    const uint8_t *bytes = data;
    if (nor->state->off) {
        return OTA_ERR_FLASH_WRITE;
    }
    if (!is_inside(nor, offset, len) || (offset | len) % nor->config.write_size != 0) {
        return violation(nor, OTA_ERR_FLASH_WRITE,
                         "program of %" PRIu32 " byte%s at 0x%" PRIx32 " is not aligned to %" PRIu32
                         ", or reaches beyond the chip",
                         len, plural(len), offset, nor->config.write_size);
    }
    while (len > 0) {
        const uint32_t page_left = nor->config.page_size - offset % nor->config.page_size;
        const uint32_t n = len < page_left ? len : page_left;
        const enum ota_err err = program_page(nor, offset, bytes, n);
        if (err != OTA_OK) {
            return err;
        }
        offset += n;
        bytes += n;
        len -= n;
    }
    return OTA_OK;
}

static void count_wear(struct nor *nor, uint32_t offset, uint32_t len)
{
    if (nor->wear == NULL) {
        return;
    }
    const uint32_t first = offset / nor->flash.erase_size;
    for (uint32_t i = first; i < first + len / nor->flash.erase_size; i++) {
        nor->wear[i]++;
    }
}

static enum ota_err erase_unit(struct nor *nor, uint32_t offset, unsigned unit)
{
    const uint32_t len = nor->config.erase[unit].size;
    const struct nor_operation operation = {NOR_ERASE, offset, len};
    const bool cut = is_cut_short(nor, &operation, NULL);
    if (!cut) {
        memset(nor->memory + offset, 0xFF, len);
        nor_weak_heal(nor, offset, len);
    }
    nor->state->statistics.erases[unit]++;
    count_wear(nor, offset, len);
    spend(nor, nor->config.erase[unit].time_ns);
    if (cut) {
        lose_power(nor);
        return OTA_ERR_FLASH_ERASE;
    }
    nor_weak_tick(nor);
    return OTA_OK;
}

static enum ota_err nor_erase(struct ota_flash *flash, uint32_t offset, uint32_t len)
{
    struct nor *nor = (struct nor *)flash;
    if (nor->state->off) {
        return OTA_ERR_FLASH_ERASE;
    }
    if (!is_inside(nor, offset, len) || (offset | len) % flash->erase_size != 0) {
        return violation(nor, OTA_ERR_FLASH_ERASE,
                         "erase of %" PRIu32 " bytes at 0x%" PRIx32 " is not aligned to %" PRIu32
                         ", or reaches beyond the chip",
                         len, offset, flash->erase_size);
    }
    while (len > 0) {
        unsigned unit = nor->erase_units - 1;
        while (offset % nor->config.erase[unit].size != 0 || len < nor->config.erase[unit].size) {
            unit--;
        }
        const enum ota_err err = erase_unit(nor, offset, unit);
        if (err != OTA_OK) {
            return err;
        }
        offset += nor->config.erase[unit].size;
        len -= nor->config.erase[unit].size;
    }
    return OTA_OK;
}

/* Fills in the defaults and counts the erase units; returns false for a geometry that cannot be. */
static bool complete_config(struct nor_config *config, unsigned *erase_units)
{
    config->page_size = config->page_size != 0 ? config->page_size : PAGE_SIZE_DEFAULT;
    if (config->program_time_ns == 0) {
        config->program_time_ns = PROGRAM_TIME_NS;
    }
    unsigned count = 0;
    while (count < NOR_ERASE_UNITS_MAX && config->erase[count].size != 0) {
        struct nor_erase_unit *unit = &config->erase[count];
        if (!is_power_of_two(unit->size) ||
            (count > 0 && unit->size <= config->erase[count - 1].size)) {
            return false;
        }
        unit->time_ns = unit->time_ns != 0 ? unit->time_ns : nor_erase_time_ns(unit->size);
        count++;
    }
    *erase_units = count;
    return count > 0 && is_power_of_two(config->page_size) &&
           config->write_size <= config->page_size && config->page_size <= 65536;
}

enum ota_err nor_init(struct nor *nor, const struct nor_config *config, uint8_t *memory,
                      uint32_t *wear, struct nor_state *state)
{
    *nor = (struct nor){.config = *config, .state = state};
    nor->memory = memory;
    nor->wear = wear;
    if (!complete_config(&nor->config, &nor->erase_units)) {
        return OTA_ERR_ARGUMENT;
    }
    const uint32_t largest = nor->config.erase[nor->erase_units - 1].size;
    nor->flash = (struct ota_flash){
        .size = config->size,
        .erase_size = config->erase[0].size,
        .block_erase_size = nor->erase_units > 1 ? largest : 0,
        .write_size = config->write_size,
        .read = nor_read,
        .write = nor_write,
        .erase = nor_erase,
    };
    return ota_flash_check(&nor->flash);
}

void nor_blank(struct nor *nor)
{
    memset(nor->memory, 0xFF, nor->config.size);
    if (nor->wear != NULL) {
        memset(nor->wear, 0, nor->config.size / nor->flash.erase_size * sizeof *nor->wear);
    }
    memset(nor->state, 0, sizeof *nor->state);
}

void nor_cut_at(struct nor *nor, uint32_t number, enum nor_cut how, uint64_t seed)
{
    nor->state->cut_countdown = how != NOR_CUT_NONE ? number : 0;
    nor->state->cut_number = number;
    nor->state->cut_how = how;
    nor->state->cut_seed = seed;
}

void nor_cut_now(struct nor *nor)
{
    nor->state->damage = (struct nor_damage){.how = NOR_CUT_NONE};
    lose_power(nor);
}

void nor_power_up(struct nor *nor)
{
    nor->state->off = false;
    nor_weak_power_up(nor);
}

static const char *const cut_names[NOR_CUT_COUNT] = {
    [NOR_CUT_NONE] = "none",     [NOR_CUT_BEFORE] = "before", [NOR_CUT_TORN] = "torn",
    [NOR_CUT_NEARLY] = "nearly", [NOR_CUT_WEAK] = "weak",     [NOR_CUT_WEAK_LATER] = "weak-later",
    [NOR_CUT_AFTER] = "after",
};

const char *nor_cut_name(enum nor_cut how)
{
    return (unsigned)how < NOR_CUT_COUNT ? cut_names[how] : "none";
}

enum nor_cut nor_cut_from_name(const char *name)
{
    for (int how = NOR_CUT_BEFORE; how < NOR_CUT_COUNT; how++) {
        if (strcmp(name, cut_names[how]) == 0) {
            return (enum nor_cut)how;
        }
    }
    return NOR_CUT_NONE;
}

/* What the cut did to the mutation, in words, unless the numbers of a program say it. */
static const char *erase_outcome(enum nor_cut how)
{
    switch (how) {
    case NOR_CUT_BEFORE:
        return "not begun";
    case NOR_CUT_TORN:
        return "torn";
    case NOR_CUT_NEARLY:
        return "all but a few bits done";
    case NOR_CUT_WEAK:
    case NOR_CUT_WEAK_LATER:
        return "weakly erased";
    default:
        return "complete";
    }
}

const char *nor_damage_text(const struct nor_damage *damage, char *text, size_t size)
{
    const struct nor_operation *operation = &damage->operation;
    if (damage->how == NOR_CUT_NONE) {
        snprintf(text, size, "%s", "");
    } else if (operation->kind == NOR_ERASE) {
        snprintf(text, size, "erase of %" PRIu32 " bytes at 0x%" PRIx32 ", %s", operation->len,
                 operation->offset, erase_outcome(damage->how));
    } else {
        snprintf(text, size,
                 "program of %" PRIu32 " byte%s at 0x%" PRIx32 ", %" PRIu32 " written, %" PRIu32
                 " byte%s half",
                 operation->len, plural(operation->len), operation->offset, damage->written,
                 damage->half, plural(damage->half));
    }
    return text;
}
