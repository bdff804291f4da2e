/* SPDX-License-Identifier: Apache-2.0 */
/* Whole runs of virtual boards: the boot, a program out of the flash, restarts, crashes, power
   cuts. The program is firmware.c; each image carries the same one and tells it what to do. */

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <cjson/cJSON.h>

#include <updraft/slot.h>

#include "cli/files.h"
#include "cli/image_writer.h"
#include "posix/board.h"
#include "posix/runner.h"
#include "support/images.h"
#include "support/scratch.h"

#define FLASH_SIZE (16u << 20)
#define SLOT_SIZE (4u << 20)
#define FACTORY 0x100000u
#define OTA_0 0x500000u
#define OTA_1 0x900000u
#define STORAGE 0xE00000u

static const struct table_row rows[] = {
    {.type = 1, .subtype = 0, .offset = 0x10000, .size = 0x2000, .label = "otadata"},
    {.type = 0, .subtype = 0, .offset = FACTORY, .size = SLOT_SIZE, .label = "factory"},
    {.type = 0, .subtype = 0x10, .offset = OTA_0, .size = SLOT_SIZE, .label = "ota_0"},
    {.type = 0, .subtype = 0x11, .offset = OTA_1, .size = SLOT_SIZE, .label = "ota_1"},
    {.type = 1, .subtype = 0x82, .offset = STORAGE, .size = 0x10000, .label = "storage"},
};

static struct files_content firmware;
static struct board board;
static struct runner_options options;
static char *output;
static size_t output_size;
static unsigned serial;

static int setup(void **state)
{
    return files_map(TEST_FIRMWARE, SLOT_SIZE, &firmware) == 0 ? scratch_enter(state) : -1;
}

static int teardown(void **state)
{
    files_release(&firmware);
    return scratch_leave(state);
}

/* Each test gets a board with a table and nothing else. */
static int begin(void **state)
{
    (void)state;
    struct board_settings settings;
    char name[32];
    snprintf(name, sizeof name, "board-%u", serial++);
    board_default_settings(&settings);
    strcpy(settings.name, "porch");
    settings.flash_size = FLASH_SIZE;
    if (!board_create(&board, name, &settings)) {
        return -1;
    }
    uint8_t table[TABLE_SIZE];
    table_make(table, rows, sizeof rows / sizeof *rows, true);
    memcpy(board.nor.memory + settings.table_offset, table, sizeof table);
    options = (struct runner_options){.crash_limit = 3, .timeout_ms = 60000};
    return board_publish(&board) ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    char directory[512];
    snprintf(directory, sizeof directory, "%s", board.directory);
    board_close(&board);
    scratch_remove_folder(directory);
    free(output);
    output = NULL;
    return 0;
}

/* Puts an image there whose program does what `version` says. */
static void put(uint32_t offset, const char *version)
{
    struct ota_app_descriptor descriptor = {.project = "fw"};
    struct image_built built;
    strcpy(descriptor.version, version);
    assert_true(
        image_build_host(&descriptor, firmware.data, firmware.size, &ota_crypto_psa, &built));
    assert_true(built.size <= SLOT_SIZE);
    memcpy(board.nor.memory + offset, built.data, built.size);
    image_built_free(&built);
}

static bool run(void)
{
    free(output);
    options.out = open_memstream(&output, &output_size);
    assert_non_null(options.out);
    const bool good = runner_run(&board, &options);
    assert_int_equal(fclose(options.out), 0);
    return good;
}

static void assert_said(const char *part)
{
    if (strstr(output, part) == NULL) {
        fail_msg("not said: \"%s\"; but\n%s%s", part, output, board.error);
    }
}

static void assert_not_said(const char *part)
{
    if (strstr(output, part) != NULL) {
        fail_msg("said: \"%s\"\n%s", part, output);
    }
}

static void assert_error(const char *part)
{
    if (strstr(board.error, part) == NULL) {
        fail_msg("the error is not \"%s\" but \"%s\"", part, board.error);
    }
}

static void test_firmware_runs_and_returns(void **unused)
{
    (void)unused;
    put(FACTORY, "return");
    assert_true(run());
    assert_said("boot    factory: fw return, image valid (");
    assert_said(" fw      hello\n");
    assert_said("fw      \\x1b[31mand a second line without an end\n");
    assert_int_equal(strncmp(output, "porch  |", 8), 0);
    assert_int_equal(board.state->boots, 1);
    assert_int_equal(board.state->reset_reason, BOARD_RESET_POWER_ON);
    assert_int_equal(board.state->running_slot, OTA_SLOT_FACTORY);

    assert_true(run());
    assert_int_equal(board.state->boots_since_power_on, 2);
    assert_int_equal(board.state->reset_reason, BOARD_RESET_EXTERNAL);
}

static void test_quiet_boards_say_nothing(void **unused)
{
    (void)unused;
    put(FACTORY, "return");
    options.quiet = true;
    assert_true(run());
    assert_string_equal(output, "");
}

static void test_json_is_one_object_a_line(void **unused)
{
    (void)unused;
    put(FACTORY, "write");
    options.json = true;
    options.cut_at = 1;
    options.cut_how = NOR_CUT_AFTER;
    assert_true(run());
    bool boot = false;
    bool log = false;
    bool cut = false;
    for (char *line = strtok(output, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        cJSON *json = cJSON_Parse(line);
        const char *event = cJSON_GetStringValue(cJSON_GetObjectItem(json, "event"));
        assert_non_null(event);
        assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItem(json, "board")), "porch");
        assert_true(cJSON_IsNumber(cJSON_GetObjectItem(json, "time")));
        if (strcmp(event, "boot") == 0) {
            boot = true;
            assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItem(json, "version")),
                                "write");
        } else if (strcmp(event, "log") == 0) {
            log = true;
            assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItem(json, "level")), "info");
        } else if (strcmp(event, "power-cut") == 0) {
            cut = true;
            assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItem(json, "kind")), "erase");
        }
        cJSON_Delete(json);
    }
    assert_true(boot && log && cut);
}

static void test_restarts_keep_memory(void **unused)
{
    (void)unused;
    put(FACTORY, "restart");
    assert_true(run());
    assert_said("test    boot 1 since power on");
    assert_said("test    boot 2 since power on");
    assert_said("test    boot 3 since power on");
    assert_int_equal(board.state->boots, 3);
    assert_int_equal(board.state->boots_since_power_on, 3);
    assert_int_equal(board.state->reset_reason, BOARD_RESET_REQUESTED);
}

static void test_power_cuts_lose_memory(void **unused)
{
    (void)unused;
    put(FACTORY, "write");
    options.cut_at = 3;
    options.cut_how = NOR_CUT_TORN;
    options.cut_seed = 4;
    assert_true(run());
    assert_said("\npower cut in flash operation 3 (program of 256 bytes at 0xe00100, ");
    assert_not_said("boot 2");
    assert_said("written");
    assert_int_equal(board.state->boots, 2);
    assert_int_equal(board.state->boots_since_power_on, 1);
    assert_int_equal(board.state->reset_reason, BOARD_RESET_POWER_ON);
    assert_int_equal(board.state->nor.statistics.erases[0], 2);
    assert_int_equal(board.nor.wear[STORAGE / 4096], 2);
}

static void test_cuts_that_do_not_come_are_forgotten(void **unused)
{
    (void)unused;
    put(FACTORY, "write");
    options.cut_at = 100;
    options.cut_how = NOR_CUT_BEFORE;
    assert_true(run());
    assert_not_said("power cut");
    assert_int_equal(board.state->nor.cut_countdown, 0);
}

static void test_power_can_fail_in_the_boot(void **unused)
{
    (void)unused;
    put(FACTORY, "switch");
    put(OTA_0, "confirm");
    options.until = RUNNER_CONFIRMED;
    /* otadata: an erase and a program by set_boot, then the boot's own, which is the third. */
    options.cut_at = 3;
    options.cut_how = NOR_CUT_AFTER;
    assert_true(run());
    assert_said("power cut in flash operation 3 (erase of 4096 bytes at 0x1");
}

static void test_crashes_in_a_row_end_the_run(void **unused)
{
    (void)unused;
    put(FACTORY, "crash");
    assert_false(run());
    assert_said("crash   fw crash died of signal 6");
    assert_error("porch: fw crash crashed 3 times in a row");
    assert_int_equal(board.state->boots, 3);
    assert_int_equal(board.state->reset_reason, BOARD_RESET_PANIC);
}

static void test_a_status_is_a_crash_too(void **unused)
{
    (void)unused;
    put(FACTORY, "fail");
    options.crash_limit = 1;
    assert_false(run());
    assert_said("crash   fw fail ended with status 3");
}

static void test_an_image_without_a_program_crashes(void **unused)
{
    (void)unused;
    struct image_facts facts = {.chip = OTA_CHIP_HOST, .size = 4096};
    assert_true(image_make(board.nor.memory + FACTORY, SLOT_SIZE, &facts) > 0);
    options.crash_limit = 1;
    assert_false(run());
    assert_said("crash   the image carries no program for this machine");
}

static void test_a_crash_on_trial_is_taken_back(void **unused)
{
    (void)unused;
    put(FACTORY, "switch");
    put(OTA_0, "crash");
    assert_true(run());
    assert_said("boot    ota_0: fw crash, on trial");
    assert_said("crash   fw crash died");
    assert_said("boot    ota_0: did not confirm itself: taken back");
    assert_said("test    aborted");
    assert_int_equal(board.state->boots, 3);
    assert_int_equal(board.state->running_slot, OTA_SLOT_FACTORY);
}

static void test_an_image_can_reject_itself(void **unused)
{
    (void)unused;
    put(FACTORY, "switch");
    put(OTA_0, "reject");
    assert_true(run());
    assert_said("test    invalid");
    assert_int_equal(board.state->reset_reason, BOARD_RESET_REJECTED);
}

static void test_a_run_ends_when_an_image_is_confirmed(void **unused)
{
    (void)unused;
    enum ota_image_state state;
    put(FACTORY, "switch");
    put(OTA_0, "confirm");
    options.until = RUNNER_CONFIRMED;
    assert_true(run());
    assert_said("test    confirmed");
    assert_int_equal(ota_device_open(&board.device, NULL), OTA_OK);
    assert_int_equal(ota_slot_state(&board.device, 0, &state), OTA_OK);
    assert_int_equal(state, OTA_STATE_VALID);

    /* Nothing is on trial any more. */
    options.timeout_ms = 200;
    assert_false(run());
    assert_error("the time was over before an image on trial was confirmed");
}

static void test_a_run_ends_when_another_image_runs(void **unused)
{
    (void)unused;
    put(FACTORY, "switch");
    put(OTA_0, "hang");
    options.until = RUNNER_UPDATED;
    assert_true(run());
    assert_said("test    hanging");
}

static void test_a_run_ends_when_the_firmware_is_idle(void **unused)
{
    (void)unused;
    put(FACTORY, "switch");
    put(OTA_0, "confirm");
    options.until = RUNNER_IDLE;
    assert_true(run());
    assert_said("test    confirmed");
}

static void test_what_is_waited_for_may_not_come(void **unused)
{
    (void)unused;
    put(FACTORY, "return");
    options.until = RUNNER_UPDATED;
    assert_false(run());
    assert_error("the firmware came to its end before another image ran");
}

static void test_time_ends_a_run(void **unused)
{
    (void)unused;
    put(FACTORY, "hang");
    options.timeout_ms = 300;
    assert_true(run());
    options.until = RUNNER_IDLE;
    assert_false(run());
    assert_error("the time was over before the firmware was idle");
}

static void test_signals_end_a_run(void **unused)
{
    (void)unused;
    sigset_t before;
    sigset_t after;
    put(FACTORY, "stop");
    signal(SIGINT, SIG_DFL); /* a shell may have started this deaf to it */
    sigprocmask(SIG_BLOCK, NULL, &before);
    assert_true(run());
    assert_said("test    stopping");
    sigprocmask(SIG_BLOCK, NULL, &after);
    assert_int_equal(sigismember(&before, SIGINT), sigismember(&after, SIGINT));
    options.until = RUNNER_IDLE;
    assert_false(run());
    assert_error("the firmware was stopped before the firmware was idle");
}

static void test_ignored_signals_end_nothing(void **unused)
{
    (void)unused;
    put(FACTORY, "stop");
    signal(SIGINT, SIG_IGN);
    options.timeout_ms = 1000;
    options.until = RUNNER_IDLE;
    assert_false(run());
    signal(SIGINT, SIG_DFL);
    assert_said("test    stopping");
    assert_error("the time was over before the firmware was idle");
}

static void test_nothing_bootable_is_said(void **unused)
{
    (void)unused;
    assert_false(run());
    assert_said("the board stops");
    assert_error("porch: nothing is bootable, so the board has stopped");
    memset(board.nor.memory + board.settings.table_offset, 0, 32);
    assert_false(run());
    assert_said("boot    partition table at 0x8000: ");
}

static void test_the_firmware_is_told_where_to_pull(void **unused)
{
    (void)unused;
    put(FACTORY, "pull");
    assert_true(run());
    assert_said("test    no server");
    options.pull_url = "http://127.0.0.1:1/";
    assert_true(run());
    assert_said("test    http://127.0.0.1:1/");
}

static void test_real_time_takes_time(void **unused)
{
    (void)unused;
    put(FACTORY, "write");
    options.real_time = true;
    const int64_t before = platform_clock_ms();
    assert_true(run());
    assert_true(platform_clock_ms() - before >= 46); /* an erase, four programs */
    assert_int_equal(board.state->nor.statistics.time_ns, 46600000);
}

static void test_a_standin_runs_for_other_chips(void **unused)
{
    (void)unused;
    struct ota_otadata_entry entry = {.sequence = 1, .state = OTA_STATE_NEW};
    struct ota_region region;
    enum ota_image_state state;
    const struct image_facts facts = {
        .chip = OTA_CHIP_ESP32S3, .size = 8192, .project = "garden", .version = "2.3.0"};
    board.settings.chip.id = OTA_CHIP_ESP32S3;
    board.device.chip.id = OTA_CHIP_ESP32S3;
    assert_true(image_make(board.nor.memory + OTA_0, SLOT_SIZE, &facts) > 0);
    assert_int_equal(ota_region_init(&region, &board.nor.flash, 0x10000, 0x2000), OTA_OK);
    entry.crc = ota_otadata_crc(entry.sequence);
    assert_int_equal(ota_otadata_write(&region, 0, &entry), OTA_OK);
    assert_true(run());
    assert_said("boot    ota_0: garden 2.3.0, on trial");
    assert_said("standin in place of garden 2.3.0 for esp32-s3");
    assert_said("confirm 2.3.0 has started: kept");
    assert_int_equal(ota_device_open(&board.device, NULL), OTA_OK);
    assert_int_equal(ota_slot_state(&board.device, 0, &state), OTA_OK);
    assert_int_equal(state, OTA_STATE_VALID);
}

static void test_a_wrong_url_is_a_crash_with_a_reason(void **unused)
{
    (void)unused;
    const struct image_facts facts = {.chip = OTA_CHIP_ESP32S3, .size = 8192};
    board.settings.chip.id = OTA_CHIP_ESP32S3;
    board.device.chip.id = OTA_CHIP_ESP32S3;
    assert_true(image_make(board.nor.memory + FACTORY, SLOT_SIZE, &facts) > 0);
    options.pull_url = "gopher://x";
    options.crash_limit = 1;
    assert_false(run());
    assert_said("standin gopher://x: ");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_firmware_runs_and_returns),
        TEST(test_quiet_boards_say_nothing),
        TEST(test_json_is_one_object_a_line),
        TEST(test_restarts_keep_memory),
        TEST(test_power_cuts_lose_memory),
        TEST(test_cuts_that_do_not_come_are_forgotten),
        TEST(test_power_can_fail_in_the_boot),
        TEST(test_crashes_in_a_row_end_the_run),
        TEST(test_a_status_is_a_crash_too),
        TEST(test_an_image_without_a_program_crashes),
        TEST(test_a_crash_on_trial_is_taken_back),
        TEST(test_an_image_can_reject_itself),
        TEST(test_a_run_ends_when_an_image_is_confirmed),
        TEST(test_a_run_ends_when_another_image_runs),
        TEST(test_a_run_ends_when_the_firmware_is_idle),
        TEST(test_what_is_waited_for_may_not_come),
        TEST(test_time_ends_a_run),
        TEST(test_signals_end_a_run),
        TEST(test_ignored_signals_end_nothing),
        TEST(test_nothing_bootable_is_said),
        TEST(test_the_firmware_is_told_where_to_pull),
        TEST(test_real_time_takes_time),
        TEST(test_a_standin_runs_for_other_chips),
        TEST(test_a_wrong_url_is_a_crash_with_a_reason),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
