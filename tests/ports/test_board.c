/* SPDX-License-Identifier: Apache-2.0 */
/* The directory of a virtual board: made, opened, locked, kept. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "posix/board.h"
#include "support/scratch.h"

static struct board board;
static struct board other;

/* Makes a board of this name and leaves it closed. */
static void make(const char *name, const struct board_settings *settings)
{
    assert_true(board_create(&board, name, settings));
    assert_true(board_publish(&board));
    board_close(&board);
}

static struct board_settings usual(const char *name)
{
    struct board_settings settings;
    board_default_settings(&settings);
    strcpy(settings.name, name);
    return settings;
}

static void assert_says(const char *text, const char *part)
{
    if (strstr(text, part) == NULL) {
        fail_msg("\"%s\" does not say \"%s\"", text, part);
    }
}

static void test_what_is_made_is_opened(void **unused)
{
    (void)unused;
    struct board_settings settings = {
        .name = "pörch \"1\"",
        .flash_size = 1u << 20,
        .erase_sizes = {256, 4096},
        .write_size = 8,
        .program_once = true,
        .table_offset = 0x4000,
        .anti_rollback = true,
        .chip = {.id = OTA_CHIP_ESP32S3,
                 .revision = 102,
                 .efuse_block_revision = 3,
                 .ignore_max_revision = true},
        .mac = {1, 2, 3, 4, 5, 6},
    };
    make("kept", &settings);
    assert_true(board_open(&board, "kept", BOARD_RUN));
    assert_memory_equal(&board.settings.mac, settings.mac, BOARD_MAC_SIZE);
    assert_memory_equal(&board.settings.erase_sizes, settings.erase_sizes,
                        sizeof settings.erase_sizes);
    assert_string_equal(board.settings.name, settings.name);
    assert_int_equal(board.settings.flash_size, 1u << 20);
    assert_int_equal(board.settings.write_size, 8);
    assert_true(board.settings.program_once);
    assert_int_equal(board.settings.table_offset, 0x4000);
    assert_false(board.settings.rollback);
    assert_true(board.settings.anti_rollback);
    assert_int_equal(board.settings.chip.id, OTA_CHIP_ESP32S3);
    assert_int_equal(board.settings.chip.revision, 102);
    assert_int_equal(board.settings.chip.efuse_block_revision, 3);
    assert_true(board.settings.chip.ignore_max_revision);

    assert_int_equal(board.nor.flash.erase_size, 256);
    assert_int_equal(board.nor.flash.block_erase_size, 4096);
    assert_ptr_equal(board.device.flash, &board.nor.flash);
    assert_ptr_equal(board.device.fuses, &board.fuses.fuses);
    assert_int_equal(board.device.form, OTA_IMAGE_ESP32);
    assert_int_equal(board.device.running_slot, OTA_SLOT_NONE);
    board_close(&board);
}

static void test_new_boards_are_blank(void **unused)
{
    (void)unused;
    const struct board_settings settings = usual("blank");
    uint8_t byte = 0;
    bool blank;
    struct ota_region all;
    assert_true(board_create(&board, "blank", &settings));
    /* What the maker writes stays; that it was written does not count. */
    assert_int_equal(board.nor.flash.erase(&board.nor.flash, 0, 4096), OTA_OK);
    assert_int_equal(board.nor.flash.write(&board.nor.flash, 100, &byte, 1), OTA_OK);
    assert_true(board_publish(&board));
    board_close(&board);

    assert_true(board_open(&board, "blank", BOARD_RUN));
    assert_int_equal(board.state->nor.statistics.operations, 0);
    assert_int_equal(board.state->boots, 0);
    assert_int_equal(board.nor.wear[0], 0);
    assert_int_equal(board.nor.memory[100], 0);
    board.nor.memory[100] = 0xFF;
    assert_int_equal(ota_region_init(&all, &board.nor.flash, 0, board.nor.flash.size), OTA_OK);
    assert_int_equal(ota_region_is_blank(&all, 0, all.size, &blank), OTA_OK);
    assert_true(blank);
    assert_null(board.device.fuses);
    board_close(&board);
}

static void test_a_board_appears_whole_or_not_at_all(void **unused)
{
    (void)unused;
    const struct board_settings settings = usual("late");
    struct stat facts;
    assert_true(board_create(&board, "late", &settings));
    assert_int_not_equal(stat("late", &facts), 0);
    char temporary[512];
    strcpy(temporary, board.directory);
    assert_int_equal(stat(temporary, &facts), 0);
    board_close(&board);
    assert_int_not_equal(stat(temporary, &facts), 0);
    assert_int_not_equal(stat("late", &facts), 0);
}

static void test_nothing_is_overwritten(void **unused)
{
    (void)unused;
    const struct board_settings settings = usual("twice");
    make("twice", &settings);
    assert_false(board_create(&board, "twice", &settings));
    assert_says(board.error, "exists already");
    board_close(&board);

    /* Nor what came between. */
    assert_true(board_create(&board, "meanwhile", &settings));
    assert_int_equal(mkdir("meanwhile", 0777), 0);
    assert_false(board_publish(&board));
    assert_says(board.error, "cannot be made");
    board_close(&board);
}

static void test_boards_that_cannot_be_are_refused(void **unused)
{
    (void)unused;
    const struct {
        const char *says;
        uint32_t flash_size, erase_size, write_size, table_offset;
        const char *name;
    } cases[] = {
        {.says = "there is no flash chip", .flash_size = 5000},
        {.says = "there is no flash chip", .erase_size = 3000},
        {.says = "there is no flash chip", .write_size = 512},
        {.says = "too large", .flash_size = 1u << 31},
        {.says = "no sector", .table_offset = 0x8001},
        {.says = "no sector", .table_offset = 8u << 20},
        {.says = "needs a name", .name = ""},
        {.says = "control character", .name = "a\nb"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct board_settings settings = usual(cases[i].name != NULL ? cases[i].name : "x");
        settings.flash_size = cases[i].flash_size != 0 ? cases[i].flash_size : settings.flash_size;
        settings.write_size = cases[i].write_size != 0 ? cases[i].write_size : settings.write_size;
        if (cases[i].erase_size != 0) {
            settings.erase_sizes[0] = cases[i].erase_size;
        }
        if (cases[i].table_offset != 0) {
            settings.table_offset = cases[i].table_offset;
        }
        assert_false(board_create(&board, "never", &settings));
        assert_says(board.error, cases[i].says);
        board_close(&board);
    }
    const struct board_settings settings = usual("x");
    assert_false(board_create(&board, "no/such/folder/x", &settings));
    assert_says(board.error, "cannot be made");
    board_close(&board);
}

static void test_changes_are_kept(void **unused)
{
    (void)unused;
    const struct board_settings settings = usual("changes");
    const uint8_t data[3] = {1, 2, 3};
    make("changes", &settings);
    assert_true(board_open(&board, "changes", BOARD_RUN));
    struct ota_flash *flash = &board.nor.flash;
    assert_int_equal(flash->erase(flash, 0x20000, 0x1000), OTA_OK);
    assert_int_equal(flash->write(flash, 0x20000, data, sizeof data), OTA_OK);
    memcpy(board.retained, "kept", 4);
    board.state->boots = 7;
    board_close(&board);

    assert_true(board_open(&board, "changes", BOARD_RUN));
    assert_memory_equal(board.nor.memory + 0x20000, data, sizeof data);
    assert_int_equal(board.nor.wear[0x20], 1);
    assert_int_equal(board.state->nor.statistics.operations, 2);
    assert_int_equal(board.state->boots, 7);
    assert_memory_equal(board.retained, "kept", 4);
    board.state->boots_since_power_on = 3;
    board_forget_power(&board);
    assert_memory_equal(board.retained, "\0\0\0\0", 4);
    assert_int_equal(board.state->boots_since_power_on, 0);
    board_close(&board);
}

static void test_one_user_at_a_time(void **unused)
{
    (void)unused;
    const struct board_settings settings = usual("locked");
    char process[32];
    make("locked", &settings);
    assert_true(board_open(&board, "locked", BOARD_RUN));
    assert_false(board_open(&other, "locked", BOARD_RUN));
    snprintf(process, sizeof process, "(process %d)", (int)getpid());
    assert_says(other.error, "is in use by another updraft");
    assert_says(other.error, process);
    board_close(&other);
    board_close(&board);
    assert_true(board_open(&board, "locked", BOARD_RUN));
    board_close(&board);
}

static void test_looking_changes_nothing(void **unused)
{
    (void)unused;
    const struct board_settings settings = usual("looked");
    make("looked", &settings);
    assert_true(board_open(&board, "looked", BOARD_RUN));
    assert_true(board_open(&other, "looked", BOARD_LOOK));
    board.nor.memory[5] = 0x55;
    assert_int_equal(other.nor.memory[5], 0x55);
    other.nor.memory[9] = 0x55;
    other.state->boots = 9;
    assert_int_equal(other.nor.flash.erase(&other.nor.flash, 0, 4096), OTA_OK);
    board_close(&other);
    assert_int_equal(board.nor.memory[5], 0x55);
    assert_int_equal(board.nor.memory[9], 0xFF);
    assert_int_equal(board.state->boots, 0);
    board_close(&board);
}

static void test_a_board_killed_without_power_comes_back(void **unused)
{
    (void)unused;
    const struct board_settings settings = usual("killed");
    make("killed", &settings);
    assert_true(board_open(&board, "killed", BOARD_RUN));
    board.state->boots_since_power_on = 2;
    board.retained[0] = 1;
    nor_cut_now(&board.nor);
    board_close(&board);
    assert_true(board_open(&board, "killed", BOARD_RUN));
    assert_int_equal(board.retained[0], 0);
    assert_int_equal(board.state->boots_since_power_on, 0);
    assert_int_equal(board.nor.flash.erase(&board.nor.flash, 0, 4096), OTA_OK);
    board_close(&board);
}

static void test_fuses_only_burn(void **unused)
{
    (void)unused;
    struct board_settings settings = usual("fuses");
    settings.anti_rollback = true;
    make("fuses", &settings);
    assert_true(board_open(&board, "fuses", BOARD_RUN));
    struct ota_fuses *fuses = board.device.fuses;
    assert_int_equal(fuses->secure_version(fuses), 0);
    static const uint32_t versions[][2] = {{1, 1}, {3, 3}, {2, 3}, {0, 3}, {17, 17}, {17, 17}};
    for (size_t i = 0; i < sizeof versions / sizeof *versions; i++) {
        assert_int_equal(fuses->raise_secure_version(fuses, versions[i][0]), OTA_OK);
        assert_int_equal(fuses->secure_version(fuses), versions[i][1]);
    }
    board_close(&board);
    assert_true(board_open(&board, "fuses", BOARD_RUN));
    fuses = board.device.fuses;
    assert_int_equal(fuses->secure_version(fuses), 17);
    assert_int_equal(fuses->raise_secure_version(fuses, BOARD_SECURE_VERSION_MAX + 1),
                     OTA_ERR_FLASH_WRITE);
    assert_int_equal(fuses->secure_version(fuses), 17);
    assert_int_equal(fuses->raise_secure_version(fuses, BOARD_SECURE_VERSION_MAX), OTA_OK);
    assert_int_equal(fuses->secure_version(fuses), BOARD_SECURE_VERSION_MAX);
    board_close(&board);
}

/* Replaces a file of the board "harm". */
static void put_file(const char *name, const char *text, size_t len)
{
    char path[64];
    snprintf(path, sizeof path, "harm/%s", name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, len, file), len);
    assert_int_equal(fclose(file), 0);
}

static void assert_harmed(const char *says)
{
    assert_false(board_open(&board, "harm", BOARD_RUN));
    assert_says(board.error, says);
    board_close(&board);
    scratch_remove_folder("harm");
}

static void harm(const char *name, const char *text, const char *says)
{
    const struct board_settings settings = usual("harm");
    make("harm", &settings);
    put_file(name, text, strlen(text));
    assert_harmed(says);
}

#define JSON(name, size, erase, table)                                  \
    "{\"name\":" name ",\"flash_size\":" size ",\"erase_sizes\":" erase \
    ",\"write_size\":1,\"program_once\":false,\"table_offset\":" table  \
    ",\"rollback\":true,\"anti_rollback\":false}"

static void test_damaged_boards_are_refused(void **unused)
{
    (void)unused;
    harm("board.json", "{\"name\": ", "is not JSON");
    harm("board.json", "{}", "\"name\"");
    harm("board.json", JSON("\"\"", "4194304", "[4096]", "0"), "\"name\"");
    harm("board.json",
         JSON("\"a name of more than thirty-two bytes, one too many\"", "4194304", "[4096]", "0"),
         "\"name\"");
    harm("board.json", JSON("\"x\"", "-1", "[4096]", "0"), "\"flash_size\"");
    harm("board.json", JSON("\"x\"", "4294967296", "[4096]", "0"), "\"flash_size\"");
    harm("board.json", JSON("\"x\"", "1.5", "[4096]", "0"), "\"flash_size\"");
    harm("board.json", JSON("\"x\"", "4194304", "[]", "0"), "\"erase_sizes\"");
    harm("board.json", JSON("\"x\"", "4194304", "[1,2,4,8,16]", "0"), "\"erase_sizes\"");
    harm("board.json", JSON("\"x\"", "4194304", "[0]", "0"), "there is no flash chip");
    harm("board.json", JSON("\"x\"", "4194304", "4096", "0"), "\"erase_sizes\"");
    harm("board.json", JSON("\"x\"", "8388608", "[4096]", "0"), "instead of 8388608");
    harm("board.json", JSON("\"x\"", "4194304", "[4096]", "\"0\""), "\"table_offset\"");
    harm("flash.bin", "short", "flash.bin has 5 bytes");
    harm("wear.bin", "", "wear.bin has 0 bytes");
    harm("fuses.bin", "0123456789012345678901234567890123456789012345678901234567890123",
         "does not hold a board's fuses");

    const struct board_settings settings = usual("harm");
    make("harm", &settings);
    char state[sizeof(struct board_state)] = "another";
    put_file("state.bin", state, sizeof state);
    assert_harmed("another version of updraft");

    static char large[70000];
    memset(large, ' ', sizeof large);
    make("harm", &settings);
    put_file("board.json", large, sizeof large);
    assert_harmed("File too large");

    make("harm", &settings);
    assert_int_equal(unlink("harm/board.json"), 0);
    assert_harmed("Is this the directory of a board?");

    assert_false(board_open(&board, "nowhere", BOARD_RUN));
    assert_says(board.error, "there is no such board");
    board_close(&board);
}

static void test_firmware_attaches_by_the_environment(void **unused)
{
    (void)unused;
    const struct board_settings settings = usual("attached");
    make("attached", &settings);
    assert_true(board_open(&board, "attached", BOARD_RUN));
    board.state->running_slot = 1;
    setenv(BOARD_ENV_DIRECTORY, "attached", 1);
    setenv(BOARD_ENV_PULL, "http://server/", 1);
    assert_true(board_attach(&other));
    assert_int_equal(other.device.running_slot, 1);
    assert_string_equal(other.pull_url, "http://server/");
    assert_ptr_equal(other.platform.platform.retained, other.retained);
    assert_int_equal(other.platform.platform.retained_size, BOARD_RETAINED_SIZE);
    board_set_idle(&other, true);
    assert_true(board.state->idle);
    assert_int_equal(other.nor.flash.erase(&other.nor.flash, 0, 4096), OTA_OK);
    assert_int_equal(board.nor.wear[0], 1);
    board_close(&other);

    /* A restart and a power cut end the process; the runner finds out why. */
    pid_t child = fork();
    if (child == 0) {
        board_attach(&other);
        other.platform.platform.restart(&other.platform.platform, OTA_RESTART_REJECTED);
        _exit(9);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    assert_int_equal(board.state->restart, OTA_RESTART_REJECTED);
    nor_cut_at(&board.nor, 1, NOR_CUT_AFTER, 0);
    child = fork();
    if (child == 0) {
        board_attach(&other);
        other.nor.flash.erase(&other.nor.flash, 0, 4096);
        _exit(9);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    assert_true(board.state->nor.off);
    board_close(&board);
    unsetenv(BOARD_ENV_DIRECTORY);
    unsetenv(BOARD_ENV_PULL);
}

static void test_names_come_from_paths(void **unused)
{
    (void)unused;
    static const char *const cases[][2] = {
        {"porch", "porch"},
        {"/a/b/porch", "porch"},
        {"a/porch//", "porch"},
        {"./a name", "a name"},
        {"", ""},
        {"a-name-that-is-longer-than-thirty-two-bytes", "a-name-that-is-longer-than-thirt"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char name[BOARD_NAME_MAX + 1];
        board_name_from_path(cases[i][0], name);
        assert_string_equal(name, cases[i][1]);
    }
}

static void test_words_for_resets(void **unused)
{
    (void)unused;
    assert_string_equal(board_reset_reason_text(BOARD_RESET_POWER_ON), "power on");
    assert_string_equal(board_reset_reason_text(BOARD_RESET_PANIC), "crash");
    assert_string_equal(board_reset_reason_text(77), "unknown");
    assert_int_equal(board_image_form(OTA_CHIP_ESP8266), OTA_IMAGE_ESP8266_RTOS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_made_is_opened),
        cmocka_unit_test(test_new_boards_are_blank),
        cmocka_unit_test(test_a_board_appears_whole_or_not_at_all),
        cmocka_unit_test(test_nothing_is_overwritten),
        cmocka_unit_test(test_boards_that_cannot_be_are_refused),
        cmocka_unit_test(test_changes_are_kept),
        cmocka_unit_test(test_one_user_at_a_time),
        cmocka_unit_test(test_looking_changes_nothing),
        cmocka_unit_test(test_a_board_killed_without_power_comes_back),
        cmocka_unit_test(test_fuses_only_burn),
        cmocka_unit_test(test_damaged_boards_are_refused),
        cmocka_unit_test(test_firmware_attaches_by_the_environment),
        cmocka_unit_test(test_names_come_from_paths),
        cmocka_unit_test(test_words_for_resets),
    };
    return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}
