/* SPDX-License-Identifier: Apache-2.0 */
/* Boards without a partition table: made, kept, and booted by eboot or by the board's own bootloader,
   with power failing on the way. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <updraft/slot.h>

#include "posix/board.h"
#include "posix/runner.h"
#include "support/forge.h"
#include "support/scratch.h"

#define DOUT 3

static struct board board;
static struct forge first;
static struct forge next;
static char *output;
static size_t output_size;

static struct board_settings settings_of(const char *name, const char *profile)
{
    struct board_settings settings;
    struct profile facts;
    board_default_settings(&settings);
    strcpy(settings.name, name);
    assert_true(profile_find(profile, &facts));
    strcpy(settings.profile, facts.name);
    settings.flash_size = facts.flash_size;
    memcpy(settings.erase_sizes, facts.erase_sizes, sizeof settings.erase_sizes);
    settings.write_size = facts.write_size;
    settings.program_once = facts.program_once;
    settings.table_offset = 0;
    settings.rollback = facts.staging.swap;
    settings.chip.id = facts.chip;
    return settings;
}

static void assert_says(const char *text, const char *part)
{
    if (strstr(text, part) == NULL) {
        fail_msg("\"%s\" does not say \"%s\"", text, part);
    }
}

/* ---- Made and kept --------------------------------------------------------------------------- */

static void make(const struct board_settings *settings)
{
    assert_true(board_create(&board, settings->name, settings));
    assert_true(board_publish(&board));
    board_close(&board);
}

static void test_what_is_made_is_opened(void **unused)
{
    (void)unused;
    struct board_settings settings = settings_of("attic", "esp8266-1m64");
    char name[OTA_SLOT_NAME_SIZE];
    settings.by_eboot = true;
    make(&settings);
    assert_true(board_open(&board, "attic", BOARD_RUN));
    assert_string_equal(board.settings.profile, "esp8266-1m64");
    assert_true(board.settings.by_eboot);
    assert_int_equal(board.device.form, OTA_IMAGE_ESP8266);
    assert_ptr_equal(board.device.staging, &board.profile.staging);
    assert_ptr_equal(board.device.esp8266, &board.esp8266);
    assert_int_equal(board_open_device(&board, NULL), OTA_OK);
    assert_string_equal(board_slot_name(&board, 0, name), "app");
    assert_string_equal(board_slot_name(&board, 1, name), "staged");
    assert_string_equal(board_slot_name(&board, OTA_SLOT_NONE, name), "none");
    board_close(&board);
}

static void test_a_board_of_another_chip(void **unused)
{
    (void)unused;
    const struct board_settings settings = settings_of("shed", "single-4m");
    make(&settings);
    assert_true(board_open(&board, "shed", BOARD_LOOK));
    assert_false(board.settings.by_eboot);
    assert_int_equal(board.device.form, OTA_IMAGE_ESP32);
    assert_null(board.device.esp8266);
    assert_int_equal(board_open_device(&board, NULL), OTA_OK);
    board_close(&board);
}

static void refuse(const struct board_settings *settings, const char *says)
{
    assert_false(board_create(&board, "never", settings));
    assert_says(board.error, says);
    board_close(&board);
}

static void test_boards_that_cannot_be_are_refused(void **unused)
{
    (void)unused;
    struct board_settings settings = settings_of("never", "single-4m");
    settings.by_eboot = true;
    refuse(&settings, "eboot boots boards of the profiles esp8266-");
    settings = settings_of("never", "esp8266-4m2m");
    settings.flash_size /= 2;
    refuse(&settings, "is for a flash chip of 4194304 bytes");
    settings = settings_of("never", "esp8266-4m2m");
    strcpy(settings.profile, "esp8266-4m9m");
    refuse(&settings, "there is no profile \"esp8266-4m9m\"");
}

/* ---- Booted ---------------------------------------------------------------------------------- */

/* A sketch of several sectors. */
static void make_sketch(struct forge *forge, uint32_t size)
{
    forge_esp8266_v1(forge);
    memset(forge->bytes + forge->len, 0xAA, 0x1000 - forge->len);
    forge->len = 0x1000;
    forge_header(forge, 2);
    forge_segment(forge, 0x40201010, size);
    forge_segment(forge, 0x40100000, 100);
    forge_checksum(forge);
}

static struct board *begin(const char *name, bool by_eboot)
{
    struct board_settings settings = settings_of(name, "esp8266-4m2m");
    settings.by_eboot = by_eboot;
    make_sketch(&first, 20000);
    make_sketch(&next, 15000);
    assert_true(board_create(&board, name, &settings));
    memcpy(board.nor.memory, first.bytes, first.len);
    board.nor.memory[2] = DOUT;
    assert_true(board_publish(&board));
    board_close(&board);
    assert_true(board_open(&board, name, BOARD_RUN));
    return &board;
}

static void end(void)
{
    char directory[512];
    snprintf(directory, sizeof directory, "%s", board.directory);
    board_close(&board);
    scratch_remove_folder(directory);
    free(output);
    output = NULL;
}

/* Runs the board, whose stand-in has nothing to do; power fails at an operation, if any. */
static bool run(uint32_t cut_at)
{
    struct runner_options options = {
        .cut_at = cut_at, .cut_how = NOR_CUT_TORN, .cut_seed = cut_at, .timeout_ms = 60000};
    free(output);
    options.out = open_memstream(&output, &output_size);
    assert_non_null(options.out);
    const bool good = runner_run(&board, &options);
    assert_int_equal(fclose(options.out), 0);
    return good;
}

static void assert_runs(const struct forge *forge, uint8_t mode)
{
    assert_memory_equal(board.nor.memory, forge->bytes, 2);
    assert_int_equal(board.nor.memory[2], mode);
    assert_memory_equal(board.nor.memory + 3, forge->bytes + 3, forge->len - 3);
}

/* Stages the next sketch as firmware of the board would. */
static void stage(void)
{
    static struct ota_update update;
    static uint8_t buffer[4096];
    const struct ota_update_options options = {
        .device = &board.device, .size = next.len, .buffer = buffer, .buffer_size = sizeof buffer};
    assert_int_equal(board_open_device(&board, NULL), OTA_OK);
    assert_int_equal(ota_update_begin(&update, &options), OTA_OK);
    assert_int_equal(ota_update_write(&update, next.bytes, next.len), OTA_OK);
    assert_int_equal(ota_update_end(&update), OTA_OK);
    assert_int_equal(ota_update_activate(&update), OTA_OK);
}

static void test_eboot_without_a_command(void **unused)
{
    (void)unused;
    begin("quiet", true);
    assert_true(run(0));
    assert_says(output, "eboot   ~ld");
    assert_says(output, "boot    app: image without a name, image valid");
    assert_runs(&first, DOUT);
    end();
}

static void test_eboot_copies(void **unused)
{
    (void)unused;
    struct ota_eboot_command command;
    begin("copied", true);
    stage();
    assert_int_equal(ota_eboot_decode(board_eboot_command(&board), &command), OTA_OK);
    assert_int_equal(command.size, next.len);
    assert_true(run(0));
    assert_says(output, "eboot   @cp:0 ld (0x1fb000 to 0x0, ");
    assert_runs(&next, DOUT);
    assert_int_equal(ota_eboot_decode(board_eboot_command(&board), &command), OTA_ERR_NO_DATA);
    assert_true(run(0));
    assert_says(output, "~ld");
    end();
}

/* eboot says so if it cannot, and forgets its command. */
static void test_eboot_fails(void **unused)
{
    (void)unused;
    const struct ota_eboot_command command = {OTA_EBOOT_COPY, 0x1FB001, 0, 100};
    begin("failed", true);
    ota_eboot_encode(&command, board_eboot_command(&board));
    assert_true(run(0));
    assert_says(output, "@cp:1 (");
    assert_runs(&first, DOUT);
    end();
}

/* Its known weakness: the command is lost with the power, and the copy is half made. */
static void test_eboot_and_a_power_cut(void **unused)
{
    (void)unused;
    begin("cut", true);
    stage();
    assert_false(run(20));
    assert_says(output, "power cut in flash operation 20");
    assert_says(output, "eboot would run it all the same, and the chip would hang");
    end();
}

/* The update that waited is forgotten if power goes before the restart. */
static void test_eboot_and_power_that_was_away(void **unused)
{
    (void)unused;
    begin("forgotten", true);
    stage();
    board_forget_power(&board);
    assert_true(run(0));
    assert_says(output, "~ld");
    assert_runs(&first, DOUT);
    end();
}

/* The board's own way: wherever power fails, the new sketch runs in the end. */
static void test_the_command_in_flash_and_power_cuts(void **unused)
{
    (void)unused;
    uint32_t cuts = 0;
    bool was_cut = true;
    for (uint32_t at = 1; was_cut; at += 3) {
        begin("steady", false);
        stage();
        board_forget_power(&board);
        assert_true(run(at));
        was_cut = strstr(output, "power cut") != NULL;
        cuts += was_cut ? 1 : 0;
        assert_says(output, "boot    app: copied from 0x1f8000: 1"); /* of 16 KB */
        assert_runs(&next, DOUT);
        end();
    }
    assert_true(cuts > 10);
}

/* What is staged and no longer whole is left where it is. */
static void test_the_command_in_flash_and_damaged_bytes(void **unused)
{
    (void)unused;
    begin("damaged", false);
    stage();
    board.nor.memory[0x1FA100] ^= 1;
    assert_true(run(0));
    assert_says(output, "boot    staged: image does not verify");
    assert_says(output, "boot    staged: refused: all stays as it was");
    assert_runs(&first, DOUT);
    assert_true(run(0));
    assert_null(strstr(output, "refused"));
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_made_is_opened),
        cmocka_unit_test(test_a_board_of_another_chip),
        cmocka_unit_test(test_boards_that_cannot_be_are_refused),
        cmocka_unit_test(test_eboot_without_a_command),
        cmocka_unit_test(test_eboot_copies),
        cmocka_unit_test(test_eboot_fails),
        cmocka_unit_test(test_eboot_and_a_power_cut),
        cmocka_unit_test(test_eboot_and_power_that_was_away),
        cmocka_unit_test(test_the_command_in_flash_and_power_cuts),
        cmocka_unit_test(test_the_command_in_flash_and_damaged_bytes),
    };
    return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}
