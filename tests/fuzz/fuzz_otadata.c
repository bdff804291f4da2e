/* SPDX-License-Identifier: Apache-2.0 */
/* otadata: any 64 bytes as the two entries, then choices of slots with the power cut while they are
   written. At any time the old choice or the new one stands. */
#include <string.h>

#include <posix/nor.h>

#include <updraft/otadata.h>

#include "fuzz/input.h"

#define SECTOR 4096u

static uint8_t memory[2 * SECTOR];

static struct ota_otadata read_otadata(const struct ota_region *region)
{
    struct ota_otadata otadata;

    REQUIRE(ota_otadata_read(&otadata, region) == OTA_OK);
    return otadata;
}

static int chosen(const struct ota_otadata *otadata, unsigned slots)
{
    int active = ota_otadata_active(otadata);

    REQUIRE(active >= -1 && active < OTA_OTADATA_ENTRIES);
    if (active < 0) {
        REQUIRE(!ota_otadata_entry_is_valid(&otadata->entry[0]));
        REQUIRE(!ota_otadata_entry_is_valid(&otadata->entry[1]));
        return -1;
    }
    REQUIRE(ota_otadata_entry_is_valid(&otadata->entry[active]));
    if (ota_otadata_entry_is_valid(&otadata->entry[1 - active])) {
        REQUIRE(otadata->entry[active].sequence >= otadata->entry[1 - active].sequence);
    }
    int slot = ota_otadata_slot(&otadata->entry[active], slots);
    REQUIRE(slot >= 0 && (unsigned)slot < slots);
    return slot;
}

static void choose(struct nor *nor, const struct ota_region *region, struct input *input,
                   unsigned slots)
{
    /* Not the weak ones: what they do shows later, in the entry that is to stand by then. */
    static const enum nor_cut cuts[] = {NOR_CUT_BEFORE, NOR_CUT_TORN, NOR_CUT_NEARLY,
                                        NOR_CUT_AFTER};
    struct ota_otadata before = read_otadata(region);
    struct ota_otadata after;
    struct ota_otadata_entry entry;
    uint8_t how = input_byte(input);
    int slot = input_byte(input) % (int)slots;
    int old = chosen(&before, slots);
    int index;
    enum ota_err err = ota_otadata_select(&before, slot, slots, (how & 1) != 0, &index, &entry);

    if (err != OTA_OK) {
        REQUIRE(err == OTA_ERR_STATE);
        REQUIRE(before.entry[ota_otadata_active(&before)].sequence > UINT32_MAX - 17);
        return;
    }
    if ((how & 2) != 0) {
        nor_cut_at(nor, 1 + (how >> 2 & 1), cuts[how >> 3 & 3], input_byte(input));
    }
    err = ota_otadata_write(region, index, &entry);
    nor_cut_at(nor, 0, NOR_CUT_NONE, 0);
    nor_power_up(nor);
    after = read_otadata(region);
    REQUIRE(memcmp(&after.entry[1 - index], &before.entry[1 - index], sizeof entry) == 0);
    int now = chosen(&after, slots);
    if (err == OTA_OK) {
        REQUIRE(now == slot);
    } else if (old != slot) { /* a rewrite of the same entry may lose it: section 6 */
        REQUIRE(now == old || now == slot);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct nor_state state;
    const struct nor_config config = {
        .size = sizeof memory, .erase = {{SECTOR, 0}}, .write_size = 1, .program_once = true};
    struct input input = {data, size};
    struct nor nor;
    unsigned slots = 1 + input_byte(&input) % 16;

    REQUIRE(nor_init(&nor, &config, memory, NULL, &state) == OTA_OK);
    nor_blank(&nor);
    const struct ota_region region = {&nor.flash, 0, sizeof memory};
    for (uint32_t i = 0; i < OTA_OTADATA_ENTRIES; i++) {
        struct ota_otadata_entry entry;
        uint8_t fix = input_byte(&input);
        for (uint32_t at = 0; at < OTA_OTADATA_ENTRY_SIZE; at++) {
            memory[i * SECTOR + at] = input_byte(&input);
        }
        if ((fix & 1) != 0) { /* a random CRC is hardly ever right */
            ota_otadata_entry_decode(memory + i * SECTOR, &entry);
            entry.crc = ota_otadata_crc(entry.sequence);
            ota_otadata_entry_encode(&entry, memory + i * SECTOR);
        }
    }
    while (input.left > 0) {
        choose(&nor, &region, &input, slots);
    }
    REQUIRE(state.violations == 0);
    return 0;
}
