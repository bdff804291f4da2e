/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Boots of a device with one place to run from: any command, any log, any damage, the power cut on
 * the way. The decision ends; what it chooses verifies; nothing but the app's place, the staging
 * region and the data partition is changed, and none of these for a command that makes no sense.
 */
#include <string.h>

#include <updraft/staged_boot.h>

#include "format/staging.h"
#include "fuzz/device.h"
#include "fuzz/input.h"

#define APP FUZZ_OTA_0
#define STAGING FUZZ_OTA_1
#define BOOTS 4

static struct fuzz_device fuzz;
static struct ota_partition partition;
static struct ota_staging staging;
static uint8_t before[FUZZ_CHIP];

static void make_device(uint8_t flags)
{
    fuzz_device_make(&fuzz);
    partition = (struct ota_partition){.type = OTA_PARTITION_DATA,
                                       .offset = FUZZ_STORAGE,
                                       .size = FUZZ_STORAGE_SIZE,
                                       .label = "storage"};
    staging = (struct ota_staging){.app = {APP, FUZZ_SLOT},
                                   .staging = {STAGING, FUZZ_SLOT},
                                   .swap = (flags & 1) != 0,
                                   .data = &partition,
                                   .data_count = 1};
    fuzz.device.staging = &staging;
    fuzz.device.rollback = (flags & 2) != 0;
}

/* A command with a right CRC, of which the input decides what it wants. */
static void put_command(struct input *input, uint8_t flags)
{
    struct ota__staging_map map;
    struct ota__command command;

    REQUIRE(ota__staging_command(&staging, &fuzz.nor.flash, &map, &command) == OTA_OK);
    const struct ota_region region = command.region;
    command.action = input_byte(input) % 4;
    command.flags = input_byte(input) % 5;
    command.stored.offset = STAGING + map.unit;
    command.stored.size = input_word(input);
    command.destination = staging.app;
    command.unit = map.unit;
    if ((command.flags & OTA__COMMAND_DATA) != 0) {
        command.destination.offset = partition.offset;
        command.destination.size = partition.size;
    }
    if ((flags & 4) != 0) { /* anything */
        command.stored.offset = (uint32_t)input_word(input) << 4;
        command.destination.offset = (uint32_t)input_word(input) << 4;
        command.unit = input_word(input);
    }
    if ((flags & 8) != 0) { /* the digest of what is there */
        struct ota_hash hash;
        const uint32_t from = command.stored.offset % FUZZ_CHIP;
        const uint32_t left = FUZZ_CHIP - from;
        const uint32_t size = command.stored.size < left ? command.stored.size : left;
        REQUIRE(ota_crypto_bearssl.hash_begin(&hash, OTA_HASH_SHA256) == OTA_OK);
        REQUIRE(ota_crypto_bearssl.hash_update(&hash, fuzz.memory + from, size) == OTA_OK);
        REQUIRE(ota_crypto_bearssl.hash_finish(&hash, command.digest) == OTA_OK);
    }
    command.region = region;
    REQUIRE(ota__command_write(&command) == OTA_OK);
    REQUIRE(ota__command_read(&command, &region) == OTA_OK);
    for (unsigned n = input_byte(input) % 64; n > 0; n--) {
        (void)ota__command_note(&command, input_word(input));
    }
}

static bool is_inside(uint32_t at, uint32_t offset, uint32_t size)
{
    return at >= offset && at - offset < size;
}

static bool only_places_changed(void)
{
    for (uint32_t i = 0; i < FUZZ_CHIP; i++) {
        if (fuzz.memory[i] != before[i] && !is_inside(i, APP, FUZZ_SLOT) &&
            !is_inside(i, STAGING, FUZZ_SLOT) && !is_inside(i, FUZZ_STORAGE, FUZZ_STORAGE_SIZE)) {
            return false;
        }
    }
    return true;
}

static enum ota_err boot_once(struct ota_boot *boot)
{
    static uint8_t window[1024];
    struct ota_staged_inflate inflate;
    const struct ota_staged_move *const moves[] = {&ota_staged_swap, &ota_staged_copy,
                                                   &inflate.move, NULL};
    uint8_t buffer[512];

    ota_staged_inflate_init(&inflate, window, sizeof window);
    *boot = (struct ota_boot){.device = &fuzz.device, .read = ota_image_read};
    return ota_staged_boot(boot, moves, buffer, sizeof buffer);
}

static void check_choice(const struct ota_boot *boot)
{
    struct ota_image_check check;
    struct ota_image_rules rules;
    uint8_t buffer[512];

    REQUIRE(boot->slot == 0 && boot->region.offset == APP && ota_boot_is_proven(boot));
    ota_device_image_rules(boot->device, &boot->region, &rules);
    REQUIRE(ota_image_verify(&check, &rules, &ota_crypto_bearssl, &boot->region, buffer,
                             sizeof buffer) == OTA_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {data, size};
    struct ota_boot boot;
    const uint8_t flags = input_byte(&input);
    const uint8_t cut = input_byte(&input);

    make_device(flags);
    fuzz_device_put_image(&fuzz, APP, 1, 0);
    fuzz_device_put_image(&fuzz, STAGING + FUZZ_SECTOR, 2, 0);
    if ((flags & 16) != 0) {
        fuzz_device_put_image(&fuzz, STAGING, 3, 0);
    }
    put_command(&input, flags);
    /* Damage anywhere: each three bytes are a place and what is changed there. */
    for (unsigned n = flags >> 5; n > 0 && input.left > 0; n--) {
        uint32_t place = input_word(&input) % FUZZ_CHIP;
        fuzz.memory[place] ^= input_byte(&input);
    }
    memcpy(before, fuzz.memory, FUZZ_CHIP);
    if (cut != 0) {
        nor_cut_at(&fuzz.nor, cut / 4 + 1u, (enum nor_cut)(1 + cut % (NOR_CUT_COUNT - 1)), cut);
    }
    for (int i = 0; i < BOOTS; i++) {
        const enum ota_err err = boot_once(&boot);
        REQUIRE(only_places_changed());
        if (fuzz.state.off) {
            nor_power_up(&fuzz.nor);
        } else if (err == OTA_OK) {
            check_choice(&boot);
        } else {
            REQUIRE(boot.slot == OTA_SLOT_NONE && boot.failure.err != OTA_OK);
        }
    }
    return 0;
}
