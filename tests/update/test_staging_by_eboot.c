/* SPDX-License-Identifier: Apache-2.0 */
/* Updates of an ESP8266 that eboot boots: where they are staged, and the record that is left.
   docs/formats/eboot.md, docs/formats/flash-layout.md section 7.2. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include <updraft/eboot.h>
#include <updraft/esp8266.h>
#include <updraft/esp8266_layout.h>
#include <updraft/slot.h>
#include <updraft/staged_gzip.h>
#include <updraft/staging_by_eboot.h>
#include <updraft/update.h>

#include "server/gzip.h"
#include "support/forge.h"
#include "support/ram_flash.h"
#include "update/target.h"

#define FLASH_SIZE 0x80000u
#define FS_BEGIN 0x73000u /* of 512k32 */
#define FS_SIZE 0x8000u
#define SECTOR 4096u
#define WORDS (OTA_EBOOT_COMMAND_SIZE / 4)

static struct ram_flash *chip;
static struct forge running;
static struct forge next;
static uint32_t words[WORDS]; /* the retained memory */
static struct ota_esp8266 esp8266;
static struct ota_device device;
static struct ota_update update;
static struct ota_update_options options;
static uint8_t buffer[SECTOR];
static uint8_t file_system[FS_SIZE + 1];

static const struct ota_partition partitions[] = {
    {.type = 1, .subtype = 0x83, .offset = FS_BEGIN, .size = FS_SIZE, .label = "fs"},
    {.type = 1, .subtype = 6, .offset = 0x7B000, .size = 0x1000, .flags = 2, .label = "eeprom"},
};

static const struct ota_staging staging = {
    .app = {0, FS_BEGIN},
    .staging = {SECTOR, FS_BEGIN - SECTOR},
    .inflates = true,
    .data = partitions,
    .data_count = 2,
    .way = &ota_staging_by_eboot,
};

/* A sketch whose first segment has so many bytes more. */
static void make_sketch(struct forge *forge, uint32_t more)
{
    forge_esp8266_v1(forge);
    memset(forge->bytes + forge->len, 0xAA, 0x1000 - forge->len);
    forge->len = 0x1000;
    forge_header(forge, 2);
    forge_segment(forge, 0x40201010, 500 + more);
    forge_segment(forge, 0x40100000, 100);
    forge_checksum(forge);
    forge->bytes[3] = 0; /* 512 KB */
}

static int set_up(void **state)
{
    (void)state;
    faults_clear();
    chip = ram_flash_new(FLASH_SIZE, SECTOR, 65536, 1);
    make_sketch(&running, 0);
    make_sketch(&next, 20000);
    memcpy(chip->memory, running.bytes, running.len);
    memset(words, 0, sizeof words);
    memset(file_system, 0x17, sizeof file_system);
    assert_int_equal(ota_esp8266_init(&esp8266, &chip->faulty.flash), OTA_OK);
    esp8266.layout = ota_esp8266_layout_find("512k32");
    esp8266.eboot_command = words;
    device = (struct ota_device){
        .flash = &chip->faulty.flash,
        .crypto = &faulty_crypto,
        .form = OTA_IMAGE_ESP8266,
        .chip = {.id = OTA_CHIP_ESP8266},
        .staging = &staging,
        .esp8266 = &esp8266,
    };
    assert_int_equal(ota_staging_open(&device), OTA_OK);
    memset(&update, 0, sizeof update);
    options = (struct ota_update_options){
        .device = &device, .size = next.len, .buffer = buffer, .buffer_size = sizeof buffer};
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    ota_update_abort(&update);
    assert_memory_equal(chip->memory, running.bytes, running.len);
    assert_int_equal(faulty_crypto_running(), 0);
    ram_flash_free(chip);
    return 0;
}

static enum ota_err push(const void *bytes, uint32_t len)
{
    enum ota_err err = ota_update_begin(&update, &options);

    if (err == OTA_OK) {
        err = ota_update_write(&update, bytes, len);
    }
    if (err == OTA_OK) {
        err = ota_update_end(&update);
    }
    return err == OTA_OK ? ota_update_activate(&update) : err;
}

static void assert_no_command(void)
{
    struct ota_eboot_command command;

    assert_int_equal(ota_eboot_decode((const uint8_t *)words, &command), OTA_ERR_NO_DATA);
}

/* The record is, byte for byte, the one for this copy. */
static void assert_command(uint32_t source, uint32_t destination, uint32_t size)
{
    const struct ota_eboot_command command = {OTA_EBOOT_COPY, source, destination, size};
    uint8_t record[OTA_EBOOT_COMMAND_SIZE];

    ota_eboot_encode(&command, record);
    assert_memory_equal(words, record, sizeof record);
}

/* ---- Sketches -------------------------------------------------------------------------------- */

static void test_a_sketch(void **state)
{
    const uint32_t stage = FS_BEGIN - 0x7000;
    enum ota_image_state image_state;

    (void)state;
    assert_true(next.len > 0x6000 && next.len <= 0x7000);
    assert_int_equal(push(next.bytes, next.len), OTA_OK);
    assert_memory_equal(chip->memory + stage, next.bytes, next.len);
    assert_command(stage, 0, next.len);
    assert_int_equal(ota_slot_state(&device, 1, &image_state), OTA_OK);
    assert_int_equal(image_state, OTA_STATE_UNDEFINED);
    assert_false(ota_slot_is_on_trial(&device));
}

static void test_a_sketch_of_unknown_size(void **state)
{
    (void)state;
    options.size = OTA_SIZE_UNKNOWN;
    assert_int_equal(push(next.bytes, next.len), OTA_OK);
    assert_memory_equal(chip->memory + 0x3000, next.bytes, next.len);
    assert_command(0x3000, 0, next.len);
}

static void test_a_sketch_that_is_too_large(void **state)
{
    (void)state;
    options.size = FS_BEGIN - 0x2000;
    assert_int_equal(ota_update_begin(&update, &options), OTA_OK);
    ota_update_abort(&update);
    options.size++;
    assert_int_equal(ota_update_begin(&update, &options), OTA_ERR_TOO_LARGE);
}

static void test_no_sketch_runs(void **state)
{
    (void)state;
    chip->memory[0x1000] = 0;
    assert_int_equal(ota_update_begin(&update, &options), OTA_ERR_IMAGE_MAGIC);
    chip->memory[0x1000] = 0xE9;
}

/* A record speaks of bytes that are about to be overwritten: it goes before they do. */
static void test_the_next_update_withdraws_the_record(void **state)
{
    uint32_t before[WORDS];

    (void)state;
    assert_int_equal(push(next.bytes, next.len), OTA_OK);
    memcpy(before, words, sizeof before);
    assert_int_equal(ota_update_begin(&update, &options), OTA_OK);
    assert_int_equal(ota_update_write(&update, "no sketch", 9), OTA_ERR_IMAGE_MAGIC);
    assert_memory_equal(words, before, sizeof before);
    assert_int_equal(ota_update_begin(&update, &options), OTA_OK);
    assert_int_equal(ota_update_write(&update, next.bytes, 5000), OTA_OK);
    assert_no_command();
    assert_int_equal(ota_update_write(&update, next.bytes + 5000, next.len - 5000), OTA_OK);
    assert_int_equal(ota_update_end(&update), OTA_OK);
    assert_no_command();
    assert_int_equal(ota_update_activate(&update), OTA_OK);
    assert_memory_equal(words, before, sizeof before);
}

/* ---- gzip ------------------------------------------------------------------------------------ */

static struct ota_staged_gzip staged_gzip;
static struct ota_unwrap unwrap;
static uint8_t file[FORGE_MAX + 64];

/* The next sketch as gzip, in one stored block; a window or none to look into it. Returns the
   file's length, which is announced, too. */
static uint32_t pack(uint8_t *window, uint32_t window_size)
{
    static struct ota_decoder *const decoders[] = {&staged_gzip.decoder, NULL};
    static const uint8_t head[] = {0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 0xFF, 1};
    uint8_t *at = file;

    memcpy(at, head, sizeof head);
    at += sizeof head;
    forge_put32(at, next.len | ~next.len << 16);
    memcpy(at + 4, next.bytes, next.len);
    at += 4 + next.len;
    forge_put32(at, ota_crc32(0, next.bytes, next.len));
    forge_put32(at + 4, next.len);
    ota_staged_gzip_init(&staged_gzip, window, window_size);
    ota_unwrap_init(&unwrap, decoders);
    options.unwrap = &unwrap;
    options.size = (uint32_t)(at + 8 - file);
    return options.size;
}

static bool put_packed(void *context, const void *data, size_t len)
{
    memcpy((uint8_t *)context + options.size, data, len);
    options.size += (uint32_t)len;
    return true;
}

/* It is staged where there is just room for what was announced: less than it says of itself. */
static void test_a_sketch_that_is_cut_short(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        if (i == 1) { /* the same on a device that takes gzip */
            (void)pack(NULL, 0);
        }
        options.size = next.len - 10000;
        assert_int_equal(push(next.bytes, next.len - 10000), OTA_ERR_IMAGE_TRUNCATED);
        assert_no_command();
    }
}

static void test_gzip_is_staged_as_it_comes(void **state)
{
    static uint8_t window[OTA_WINDOW_GZIP];
    const uint32_t sizes[] = {0, sizeof window};

    (void)state;
    next.bytes[2] = 3; /* and not changed to the mode of the flash */
    for (size_t i = 0; i < 2; i++) {
        const uint32_t size = pack(sizes[i] != 0 ? window : NULL, sizes[i]);
        const uint32_t stage = FS_BEGIN - 0x7000;

        assert_int_equal(push(file, size), OTA_OK);
        assert_true(update.keeps_packed);
        assert_memory_equal(chip->memory + stage, file, size);
        assert_command(stage, 0, size);
    }
}

/* Data that comes out larger than what is staged for it. */
static void test_a_file_system_as_gzip(void **state)
{
    static uint8_t window[OTA_WINDOW_GZIP];
    struct gzip_packer packer;

    (void)state;
    pack(window, sizeof window);
    options.size = 0;
    assert_true(gzip_pack_begin(&packer, put_packed, file));
    assert_true(gzip_pack(&packer, file_system, FS_SIZE));
    assert_true(gzip_pack_end(&packer));
    assert_true(options.size < SECTOR);
    options.label = "fs";
    assert_int_equal(push(file, options.size), OTA_OK);
    assert_true(update.keeps_packed);
    assert_command(FS_BEGIN - SECTOR, FS_BEGIN, options.size);
}

/* A boot loader that does not inflate: it is unpacked on the way, to nobody knows how much. */
static void test_gzip_for_another_boot_loader(void **state)
{
    static struct ota_staging plain;
    const uint32_t size = pack(NULL, 0);

    (void)state;
    plain = staging;
    plain.inflates = false;
    device.staging = &plain;
    assert_int_equal(push(file, size), OTA_OK);
    assert_false(update.keeps_packed);
    assert_memory_equal(chip->memory + 0x3000, next.bytes, next.len);
    assert_command(0x3000, 0, next.len);
}

/* What is told of a transfer that waits is asked without one. */
static void test_nothing_is_pending(void **state)
{
    struct ota_identity identity;
    uint32_t size, offset;

    (void)state;
    assert_int_equal(ota_update_pending(&device, NULL, &identity, &size, &offset), OTA_ERR_NO_DATA);
}

/* eboot would overtake itself. */
static void test_gzip_that_grows_into_where_it_is_staged(void **state)
{
    const uint32_t size = pack(NULL, 0);

    (void)state;
    options.size = OTA_SIZE_UNKNOWN; /* staged at 0x3000, for 0x6xxx bytes */
    assert_int_equal(push(file, size), OTA_ERR_TOO_LARGE);
    assert_no_command();
}

static void test_gzip_that_holds_no_sketch(void **state)
{
    static uint8_t window[OTA_WINDOW_GZIP];

    (void)state;
    next.bytes[0] = 0;
    uint32_t size = pack(NULL, 0);
    assert_int_equal(push(file, size), OTA_ERR_IMAGE_MAGIC);
    next.bytes[0] = 0xE9;
    next.bytes[0x2000] ^= 1;
    size = pack(window, sizeof window);
    assert_int_equal(push(file, size), OTA_ERR_IMAGE_CHECKSUM);
    assert_no_command();
}

/* ---- Slots ----------------------------------------------------------------------------------- */

/* There is no trial: to confirm is nothing, and there is no way back. */
static void test_slots(void **state)
{
    enum ota_image_state image_state;
    int slot = 7;

    (void)state;
    assert_int_equal(ota_slot_state(&device, 0, &image_state), OTA_OK);
    assert_int_equal(image_state, OTA_STATE_VALID);
    assert_int_equal(ota_slot_state(&device, 1, &image_state), OTA_ERR_NO_ACTIVE_ENTRY);
    assert_int_equal(ota_slot_boot(&device, &slot), OTA_OK);
    assert_int_equal(slot, 0);
    assert_int_equal(ota_slot_can_roll_back(&device), OTA_ERR_NO_ROLLBACK);
    assert_int_equal(ota_slot_reject(&device), OTA_ERR_NO_ROLLBACK);
    assert_int_equal(ota_slot_confirm(&device), OTA_OK);
    assert_no_command();
}

/* What waits can be taken back before the restart; what was taken back cannot be chosen again. */
static void test_choosing_what_runs(void **state)
{
    int slot = 7;

    (void)state;
    assert_int_equal(push(next.bytes, next.len), OTA_OK);
    assert_int_equal(ota_staging_open(&device), OTA_OK);
    assert_int_equal(ota_slot_boot(&device, &slot), OTA_OK);
    assert_int_equal(slot, 1);
    assert_int_equal(ota_slot_set_boot(&device, 0), OTA_OK);
    assert_no_command();
    assert_int_equal(ota_slot_boot(&device, &slot), OTA_OK);
    assert_int_equal(slot, 0);
    device.layout.ota[1] = (struct ota_extent){FS_BEGIN - 0x7000, 0x7000};
    assert_int_equal(ota_slot_set_boot(&device, 1), OTA_ERR_STATE);
    assert_no_command();
}

static void test_what_waits_is_forgotten(void **state)
{
    (void)state;
    assert_int_equal(push(next.bytes, next.len), OTA_OK);
    assert_int_equal(ota_staging_open(&device), OTA_OK);
    assert_int_equal(ota_slot_forget(&device, 0), OTA_OK);
    assert_command(FS_BEGIN - 0x7000, 0, next.len);
    assert_int_equal(ota_slot_forget(&device, 1), OTA_OK);
    assert_no_command();
}

/* Other commands are none of the slots' business. */
static void test_a_record_of_another_kind(void **state)
{
    static const struct ota_eboot_command commands[] = {
        {OTA_EBOOT_LOAD, 0, 0, 0},
        {OTA_EBOOT_COPY, 0x10000, FS_BEGIN, 100},
    };
    enum ota_image_state image_state;

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        ota_eboot_encode(&commands[i], (uint8_t *)words);
        assert_int_equal(ota_slot_state(&device, 1, &image_state), OTA_ERR_NO_ACTIVE_ENTRY);
    }
}

/* ---- Data ------------------------------------------------------------------------------------ */

static void test_a_file_system_that_fits(void **state)
{
    (void)state;
    options.label = "fs";
    options.size = FS_SIZE;
    assert_int_equal(push(file_system, FS_SIZE), OTA_OK);
    assert_memory_equal(chip->memory + FS_BEGIN - FS_SIZE, file_system, FS_SIZE);
    assert_int_equal(chip->memory[FS_BEGIN], 0xFF);
    assert_command(FS_BEGIN - FS_SIZE, FS_BEGIN, FS_SIZE);
}

/* In place, and what waits for the restart goes on waiting. */
static void test_a_file_system_that_does_not_fit(void **state)
{
    struct ota_eboot_command command;

    (void)state;
    assert_int_equal(push(next.bytes, next.len), OTA_OK);
    options.label = "fs";
    options.size = OTA_SIZE_UNKNOWN;
    assert_int_equal(push(file_system, FS_SIZE), OTA_OK);
    assert_memory_equal(chip->memory + FS_BEGIN, file_system, FS_SIZE);
    assert_int_equal(ota_eboot_decode((const uint8_t *)words, &command), OTA_OK);
    assert_int_equal(command.destination, 0);
}

/* A sketch that leaves little room: its segment says so, and nothing is there. */
static void run_large_sketch(void)
{
    forge_put32(chip->memory + 0x100C, 0x6C000);
    chip->memory[0x1001] = 1;
}

static void test_a_file_system_beside_a_large_sketch(void **state)
{
    (void)state;
    run_large_sketch();
    options.label = "fs";
    options.size = FS_SIZE;
    assert_int_equal(push(file_system, FS_SIZE), OTA_OK);
    assert_memory_equal(chip->memory + FS_BEGIN, file_system, FS_SIZE);
    assert_no_command();
    memcpy(chip->memory, running.bytes, running.len);
}

static void test_a_file_system_that_is_too_large(void **state)
{
    (void)state;
    options.label = "fs";
    options.size = FS_SIZE + 1;
    assert_int_equal(ota_update_begin(&update, &options), OTA_ERR_TOO_LARGE);
}

static void test_data_beside_no_sketch(void **state)
{
    (void)state;
    chip->memory[0x1000] = 0;
    options.label = "fs";
    options.size = FS_SIZE;
    assert_int_equal(ota_update_begin(&update, &options), OTA_ERR_IMAGE_MAGIC);
    chip->memory[0x1000] = 0xE9;
}

static void test_labels(void **state)
{
    (void)state;
    options.label = "nowhere";
    assert_int_equal(ota_update_begin(&update, &options), OTA_ERR_NO_PARTITION);
    options.label = "eeprom";
    assert_int_equal(ota_update_begin(&update, &options), OTA_ERR_READ_ONLY);
}

/* ---- Plans --------------------------------------------------------------------------------- */

static void assert_planned(const char *label, uint32_t size, enum ota_staging_plan expected,
                           uint32_t offset, uint32_t room)
{
    enum ota_staging_plan plan;
    struct ota_extent extent;

    assert_int_equal(ota_staging_plan(&device, label, size, &plan, &extent), OTA_OK);
    assert_int_equal(plan, expected);
    assert_int_equal(extent.offset, offset);
    assert_int_equal(extent.size, room);
}

static void assert_no_plan(const char *label, uint32_t size, enum ota_err err)
{
    enum ota_staging_plan plan;
    struct ota_extent extent;

    assert_int_equal(ota_staging_plan(&device, label, size, &plan, &extent), err);
}

static void test_plans(void **state)
{
    const uint32_t space = FS_BEGIN - 0x2000; /* free beside the running sketch */

    (void)state;
    assert_planned(NULL, 5000, OTA_STAGING_COPY, FS_BEGIN - 0x2000, space);
    assert_planned(NULL, OTA_SIZE_UNKNOWN, OTA_STAGING_COPY, 0x3000, space);
    assert_no_plan(NULL, space + 1, OTA_ERR_TOO_LARGE);
    assert_int_equal(ota_slot_room(&device), space);
    assert_planned("fs", FS_SIZE, OTA_STAGING_COPY, FS_BEGIN - FS_SIZE, FS_SIZE);
    assert_planned("fs", OTA_SIZE_UNKNOWN, OTA_STAGING_IN_PLACE, FS_BEGIN, FS_SIZE);
    assert_no_plan("fs", FS_SIZE + 1, OTA_ERR_TOO_LARGE);
    assert_no_plan("nowhere", 1, OTA_ERR_NO_PARTITION);
    chip->memory[0x1000] = 0;
    assert_no_plan("fs", 1, OTA_ERR_IMAGE_MAGIC);
    assert_no_plan(NULL, 1, OTA_ERR_IMAGE_MAGIC);
    assert_int_equal(ota_slot_room(&device), 0);
    chip->memory[0x1000] = 0xE9;
}

static void test_plans_beside_a_large_sketch(void **state)
{
    (void)state;
    run_large_sketch();
    assert_planned("fs", 0x5000, OTA_STAGING_COPY, FS_BEGIN - 0x5000, 0x5000);
    assert_planned("fs", 0x5001, OTA_STAGING_IN_PLACE, FS_BEGIN, FS_SIZE);
    memcpy(chip->memory, running.bytes, running.len);
}

/* An update that was staged has left its mark there, though one of unknown size goes in place. */
static void test_data_that_was_cut_short(void **state)
{
    bool cut_short = false;

    (void)state;
    options.label = "fs";
    options.size = 0x3000;
    assert_int_equal(ota_update_begin(&update, &options), OTA_OK);
    assert_int_equal(update.region.offset, FS_BEGIN - 0x3000);
    assert_int_equal(ota_update_write(&update, file_system, 0x1000), OTA_OK);
    ota_update_suspend(&update);
    assert_int_equal(ota_update_was_cut_short(&device, "fs", &cut_short), OTA_OK);
    assert_true(cut_short);
}

/* Where there is no target, nothing is made of what nobody has filled in. */
static void test_no_target(void **state)
{
    struct ota__target target;
    struct ota__target before;

    (void)state;
    memset(&target, 0xEE, sizeof target);
    memcpy(&before, &target, sizeof before);
    assert_int_equal(ota__target_find(&device, "none", &options, &target), OTA_ERR_NO_PARTITION);
    assert_memory_equal(&target, &before, sizeof before);
}

/* ---- Faults ---------------------------------------------------------------------------------- */

static void fault_scenario(void *context)
{
    const enum fault_kind *kind = context;
    enum ota_err err = push(next.bytes, next.len);

    assert_int_equal(err, faults_struck() ? faults_error(*kind) : OTA_OK);
    ota_update_abort(&update);
    ram_flash_fill(chip, 0x10000, FS_BEGIN - 0x10000, 3);
}

static void test_faults(void **state)
{
    static enum fault_kind kinds[] = {FAULT_READ, FAULT_WRITE, FAULT_ERASE};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        ram_flash_fill(chip, 0x10000, FS_BEGIN - 0x10000, 3);
        assert_true(faults_everywhere(kinds[i], fault_scenario, &kinds[i]) > 5);
    }
}

/* It is written from its beginning, and its own last sector tells until the end that it is not
   whole: what waits in the staging space says nothing of it. */
static void test_an_incomplete_file_system(void **state)
{
    bool incomplete = true;

    (void)state;
    for (uint32_t at = 0x10000; at < FS_BEGIN; at += 4) { /* such as would be notes elsewhere */
        memset(chip->memory + at, 0, 2);
        memset(chip->memory + at + 2, 0xFF, 2);
    }
    assert_int_equal(ota_data_is_incomplete(&device, "fs", &incomplete), OTA_OK);
    assert_false(incomplete);
    options.label = "fs";
    options.size = OTA_SIZE_UNKNOWN;
    assert_int_equal(ota_update_begin(&update, &options), OTA_OK);
    assert_int_equal(ota_update_write(&update, file_system, 9000), OTA_OK);
    ota_update_suspend(&update);
    assert_int_equal(ota_data_is_incomplete(&device, "fs", &incomplete), OTA_OK);
    assert_true(incomplete);
    assert_int_equal(push(file_system, 9000), OTA_OK);
    assert_int_equal(ota_data_is_incomplete(&device, "fs", &incomplete), OTA_OK);
    assert_false(incomplete);
}

/* A record that asks for no copy keeps nothing waiting. */
static void test_a_record_that_waits_for_nothing(void **state)
{
    uint8_t record[OTA_EBOOT_COMMAND_SIZE];
    const struct ota_eboot_command load = {.action = OTA_EBOOT_LOAD};

    (void)state;
    ota_eboot_encode(&load, record);
    memcpy(words, record, sizeof words);
    assert_int_equal(push(next.bytes, next.len), OTA_OK);
}

/* There is one record: what it speaks of is neither lost nor copied over what came later. */
static void test_what_waits_is_not_lost(void **state)
{
    uint32_t before[WORDS];

    (void)state;
    options.label = "fs";
    options.size = 20000;
    assert_int_equal(push(file_system, 20000), OTA_OK);
    memcpy(before, words, sizeof before);
    options.in_place = true;
    assert_int_equal(ota_update_begin(&update, &options), OTA_ERR_RESTARTING);
    options.in_place = false;
    options.label = NULL;
    options.size = next.len;
    assert_int_equal(push(next.bytes, next.len), OTA_ERR_RESTARTING);
    assert_memory_equal(words, before, sizeof before);

    memset(words, 0, sizeof words); /* after the restart */
    assert_int_equal(push(next.bytes, next.len), OTA_OK);
    memcpy(before, words, sizeof before);
    options.label = "fs";
    options.size = 20000;
    assert_int_equal(ota_update_begin(&update, &options), OTA_ERR_RESTARTING);
    options.in_place = true;
    assert_int_equal(push(file_system, 20000), OTA_OK);
    assert_memory_equal(chip->memory + FS_BEGIN, file_system, 20000);
    assert_memory_equal(words, before, sizeof before);
}

int main(void)
{
#define FRESH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        FRESH(test_a_sketch),
        FRESH(test_a_sketch_of_unknown_size),
        FRESH(test_a_sketch_that_is_too_large),
        FRESH(test_a_sketch_that_is_cut_short),
        FRESH(test_no_sketch_runs),
        FRESH(test_the_next_update_withdraws_the_record),
        FRESH(test_gzip_is_staged_as_it_comes),
        FRESH(test_a_file_system_as_gzip),
        FRESH(test_gzip_for_another_boot_loader),
        FRESH(test_nothing_is_pending),
        FRESH(test_gzip_that_grows_into_where_it_is_staged),
        FRESH(test_gzip_that_holds_no_sketch),
        FRESH(test_slots),
        FRESH(test_choosing_what_runs),
        FRESH(test_what_waits_is_forgotten),
        FRESH(test_a_record_of_another_kind),
        FRESH(test_a_file_system_that_fits),
        FRESH(test_a_file_system_that_does_not_fit),
        FRESH(test_a_file_system_beside_a_large_sketch),
        FRESH(test_a_file_system_that_is_too_large),
        FRESH(test_data_beside_no_sketch),
        FRESH(test_an_incomplete_file_system),
        FRESH(test_a_record_that_waits_for_nothing),
        FRESH(test_what_waits_is_not_lost),
        FRESH(test_labels),
        FRESH(test_plans),
        FRESH(test_plans_beside_a_large_sketch),
        FRESH(test_data_that_was_cut_short),
        FRESH(test_no_target),
        FRESH(test_faults),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
