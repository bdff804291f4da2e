/* SPDX-License-Identifier: Apache-2.0 */
/* The `updraft board` commands as a person types them, from an empty folder to a board that ran. */

#include <setjmp.h>
#include <signal.h>
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
#include <cjson/cJSON.h>

#include "support/images.h"
#include "support/scratch.h"

#define ESP32S3 9

static char output[131072];

/* Runs `updraft` with these words ; returns its exit status. What it prints on
   both outputs is in `output`. */
static int updraft(const char *words)
{
    char line[2048];
    snprintf(line, sizeof line, "'%s' %s 2>&1", UPDRAFT_COMMAND, words);
    FILE *pipe = popen(line, "r"); /* NOLINT(cert-env33-c): the words are this file's */
    assert_non_null(pipe);
    const size_t len = fread(output, 1, sizeof output - 1, pipe);
    output[len] = '\0';
    const int status = pclose(pipe);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void assert_said(const char *part)
{
    if (strstr(output, part) == NULL) {
        fail_msg("not said: \"%s\"; but\n%s", part, output);
    }
}

static void assert_file_written(const char *name, const void *data, size_t len)
{
    FILE *file = fopen(name, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, len, file), len);
    assert_int_equal(fclose(file), 0);
}

static int setup(void **state)
{
    static uint8_t image[65536];
    const struct image_facts facts = {
        .chip = ESP32S3, .size = 20000, .project = "garden", .version = "2.3.0"};
    if (scratch_enter(state) != 0) {
        return -1;
    }
    const size_t len = image_make(image, sizeof image, &facts);
    assert_file_written("garden.bin", image, len);
    image[5000] ^= 1;
    assert_file_written("damaged.bin", image, len);
    memcpy(image + 28, (const uint8_t[]){16, 0, 0, 0}, 4); /* the length of its first segment */
    assert_file_written("small.bin", image, len);
    assert_file_written("data.bin", "some data", 9);
    return len > 0 ? 0 : -1;
}

static void test_a_board_from_new_to_run(void **unused)
{
    (void)unused;
    assert_int_equal(updraft("board new porch --chip esp32s3 --flash-size 8MB --partitions two_ota "
                             "--app ota_1=garden.bin --data nvs=data.bin --mac 24:0a:c4:00:11:22"),
                     0);
    assert_string_equal(output, "new board \"porch\": esp32-s3, 8 MB flash, 2 OTA slots, with "
                                "garden 2.3.0 in ota_1\n");
    assert_int_equal(updraft("board info porch"), 0);
    assert_said("porch: esp32-s3, 8 MB flash, never switched on\n");
    assert_said("MAC 24:0a:c4:00:11:22");
    assert_int_equal(updraft("board run porch --timeout 60"), 0);
    assert_said("boot    ota_1: garden 2.3.0, image valid");
    assert_said("standin in place of garden 2.3.0 for esp32-s3");
    assert_int_equal(updraft("board info porch"), 0);
    assert_said("running ota_1, 1 boot since power on");
    assert_said("garden 2.3.0  valid, runs");
    assert_said("seq 2");

    /* Twice is twice since power came on, until that is taken away. */
    assert_int_equal(updraft("board run porch -q"), 0);
    assert_string_equal(output, "");
    assert_int_equal(updraft("board info porch"), 0);
    assert_said("2 boots since power on");
    assert_said("the last by reset button");
    assert_int_equal(updraft("board reset porch --power"), 0);
    assert_int_equal(updraft("board run porch -q"), 0);
    assert_int_equal(updraft("board info porch"), 0);
    assert_said("1 boot since power on");
    assert_said("3 in all, the last by power on");
}

static void test_a_factory_reset(void **unused)
{
    (void)unused;
    assert_int_equal(updraft("board new reset --chip esp32s3 --app factory=garden.bin "
                             "--app ota_0=garden.bin"),
                     0);
    assert_int_equal(updraft("board run reset"), 0);
    assert_said("boot    factory: garden 2.3.0");
    assert_int_equal(updraft("board new slot --chip esp32s3 --app ota_0=garden.bin"), 0);
    assert_int_equal(updraft("board info slot"), 0);
    assert_said("seq 1");
    assert_int_equal(updraft("board reset slot --factory"), 0);
    assert_int_equal(updraft("board info slot"), 0);
    assert_said("otadata  0x00d000  empty");
    assert_int_equal(updraft("board reset slot"), 2);
    assert_said("say what to reset");
}

static void test_info_as_json(void **unused)
{
    (void)unused;
    assert_int_equal(updraft("board new facts --chip esp32s3 --app ota_0=garden.bin --no-rollback"),
                     0);
    assert_int_equal(updraft("board info facts --json"), 0);
    cJSON *json = cJSON_Parse(output);
    assert_non_null(json);
    assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItem(json, "chip")), "esp32-s3");
    const cJSON *slots = cJSON_GetObjectItem(json, "slots");
    assert_int_equal(cJSON_GetArraySize(slots), 3);
    const cJSON *slot = cJSON_GetArrayItem(slots, 1);
    assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItem(slot, "slot")), "ota_0");
    assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItem(slot, "version")), "2.3.0");
    assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItem(slot, "state")), "undefined");
    assert_true(cJSON_IsTrue(cJSON_GetObjectItem(slot, "valid")));
    cJSON_Delete(json);
}

/* What `board info --json` says of a hold: its reason, or NULL. */
static cJSON *look_at_hold(const char **reason)
{
    assert_int_equal(updraft("board info held --json"), 0);
    cJSON *json = cJSON_Parse(output);
    assert_true(cJSON_HasObjectItem(json, "hold"));
    *reason = cJSON_GetStringValue(cJSON_GetObjectItem(json, "hold"));
    return json;
}

static void test_a_hold_can_be_seen_and_has_a_reason(void **unused)
{
    (void)unused;
    const char *reason;
    assert_int_equal(updraft("board new held --app factory=garden.bin --chip esp32s3"), 0);
    cJSON_Delete(look_at_hold(&reason));
    assert_null(reason);
    assert_int_equal(updraft("board hold held 'the battery is low'"), 0);
    assert_int_equal(updraft("board hold held ''"), 2);
    assert_said("REASON is empty");
    assert_int_equal(updraft("board run held --hold ''"), 2);
    assert_said("--hold takes a reason");
    assert_int_equal(updraft("board info held"), 0);
    assert_said("\n  held     the battery is low\n");
    cJSON *json = look_at_hold(&reason);
    assert_string_equal(reason, "the battery is low");
    cJSON_Delete(json);
    assert_int_equal(updraft("board release held"), 0);
    cJSON_Delete(look_at_hold(&reason));
    assert_null(reason);
    assert_int_equal(updraft("board info held"), 0);
    assert_null(strstr(output, "held     "));
    assert_int_equal(updraft("board hold held"), 0);
    assert_int_equal(updraft("board info held"), 0);
    assert_said("held     somebody asked to wait");
}

/* Starts `updraft serve www` and waits until it listens. Returns its process, stores its port. */
static pid_t serve(unsigned *port)
{
    const pid_t server = fork();
    if (server == 0) {
        execl(UPDRAFT_COMMAND, "updraft", "serve", "www", "--address", "127.0.0.1", "--port", "0",
              "--port-file", "port", "--quiet", (char *)NULL);
        _exit(1);
    }
    assert_true(server > 0);
    for (int patience = 0; patience < 1000; patience++) {
        char text[16] = "";
        FILE *file = fopen("port", "r");
        if (file != NULL) {
            const bool whole = fgets(text, sizeof text, file) != NULL && strchr(text, '\n') != NULL;
            fclose(file);
            if (whole) {
                *port = (unsigned)strtoul(text, NULL, 10);
                return server;
            }
        }
        assert_int_equal(waitpid(server, NULL, WNOHANG), 0);
        usleep(10000);
    }
    fail_msg("the server does not listen");
    return -1;
}

/* The real image for a real chip: updated over HTTP by the stand-in, power failing on the way. */
static void test_a_rehearsal(void **unused)
{
    (void)unused;
    static uint8_t image[300000];
    const struct image_facts facts = {
        .chip = ESP32S3, .size = 280000, .project = "garden", .version = "2.3.1", .seed = 7};
    const size_t len = image_make(image, sizeof image, &facts);
    unsigned port = 0;
    char words[256];
    assert_int_equal(mkdir("www", 0777), 0);
    assert_file_written("www/garden-2.3.1.bin", image, len);
    const pid_t server = serve(&port);
    assert_int_equal(updraft("board new far --chip esp32s3 --app ota_0=garden.bin"), 0);
    snprintf(
        words, sizeof words,
        "board run far --pull http://127.0.0.1:%u/ --power-cut-at 700 --torn --until confirmed "
        "--timeout 120",
        port);
    assert_int_equal(updraft(words), 0);
    kill(server, SIGTERM);
    assert_int_equal(waitpid(server, NULL, 0), server);
    assert_said("power cut in flash operation 700 (program of 256 bytes at 0x");
    assert_said("update  ota_1 resumes at ");
    assert_said("boot    ota_1: garden 2.3.1, on trial");
    assert_said("confirm 2.3.1 reached the server: kept");
    assert_int_equal(updraft("board info far"), 0);
    assert_said("garden 2.3.1  valid, runs");
}

static void test_what_cannot_be_made_is_refused(void **unused)
{
    (void)unused;
    static const struct {
        const char *words;
        int status;
        const char *says;
    } cases[] = {
        {"--chip esp33", 2, "there is no chip \"esp33\""},
        {"--mac 24:0a:c4:00:11", 2, "write six bytes"},
        {"--mac 24:0a:c4:00:11:2g", 2, "write six bytes"},
        {"--app garden.bin", 2, "write it as SLOT=FILE"},
        {"--data =garden.bin", 2, "write it as LABEL=FILE"},
        {"--app ota_0=-", 2, "name a file"},
        {"--name a-name-that-is-longer-than-thirty-two", 2, "at most 32 bytes"},
        {"--partitions no_such_table", 1, "no_such_table"},
        {"--chip esp32s3 --app ota_9=garden.bin", 1, "it has factory, ota_0, ota_1"},
        {"--chip esp32 --app ota_0=garden.bin", 1, "esp32-s3"},
        {"--chip esp32s3 --app ota_0=damaged.bin", 1, "damaged.bin: "},
        {"--chip esp32s3 --app ota_0=nowhere.bin", 1, "there is no such file"},
        {"--chip esp8266 --app ota_0=garden.bin", 1,
         "garden.bin: is whole, and of the form \"esp32\""},
        {"--chip esp8266 --app ota_0=damaged.bin", 1, "damaged"},
        {"--data nvs=garden.bin", 1, "do not fit into nvs, which has 16,384"},
        {"--data ota_0=data.bin", 1, "put images there with --app"},
        {"--data nowhere=data.bin", 1, "no partition of that label"},
        {"--flash-size 2MB --partitions two_ota", 1, "two_ota"},
        {"--flash-size 3MB", 1, "(here: --flash-size 4MB, or a smaller table)"},
        {"--chip esp32s3 --app ota_0=small.bin", 1, "it is for no slot: a board has its own"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char words[256];
        snprintf(words, sizeof words, "board new never %s", cases[i].words);
        assert_int_equal(updraft(words), cases[i].status);
        assert_int_equal(strncmp(output, "updraft: ", 9), 0);
        assert_said(cases[i].says);
        assert_int_not_equal(access("never", F_OK), 0);
    }
}

/* What esp8266 owners have is sound, and says so; but eboot boots it, and no partition table. */
static void test_arduinos_file_of_the_esp8266(void **unused)
{
    (void)unused;
    assert_int_equal(updraft("image make --chip esp8266 -s 0x40100000=data.bin -e 0x40100004 "
                             "-o eboot.bin"),
                     0);
    assert_int_equal(updraft("image make --chip esp8266 --form arduino --boot-image eboot.bin "
                             "-s 0x40201010=garden.bin -s 0x40100000=data.bin -e 0x40100004 "
                             "-o sketch.bin"),
                     0);
    assert_int_equal(updraft("image verify --chip esp8266 sketch.bin"), 0);
    assert_int_equal(updraft("board new never --chip esp8266 --app ota_0=sketch.bin"), 1);
    assert_said(
        "sketch.bin: is whole, and of the form \"esp8266 arduino\"; this board boots images "
        "of the form \"esp8266 rtos\"");
    assert_said("(one for Arduino's is made with --profile)");
}

/* ---- Boards without a partition table ---------------------------------------------------------
   */

static void make_sketch(void)
{
    assert_int_equal(updraft("image make --chip esp8266 --flash-size 4MB -s 0x40100000=data.bin "
                             "-e 0x40100004 -o eboot4.bin"),
                     0);
    assert_int_equal(updraft("image make --chip esp8266 --form arduino --boot-image eboot4.bin "
                             "-s 0x40201010=garden.bin -s 0x40100000=data.bin -e 0x40100004 "
                             "-o sketch4.bin"),
                     0);
}

static void test_a_board_of_a_profile(void **unused)
{
    (void)unused;
    make_sketch();
    assert_int_equal(updraft("board new attic --profile esp8266-4m2m --app app=sketch4.bin "
                             "--data fs=garden.bin --data eeprom=data.bin"),
                     0);
    assert_string_equal(output, "new board \"attic\": esp8266, 4 MB flash, one slot "
                                "(esp8266-4m2m), without rollback\n");
    assert_int_equal(updraft("board run attic --timeout 60"), 0);
    assert_said("boot    app: image without a name, image valid");
    assert_int_equal(updraft("board info attic"), 0);
    assert_said("attic: esp8266, 4 MB flash, esp8266-4m2m, running app, 1 boot since power on");
    assert_said("  0x000000 ┌  app ");
    assert_said("an image without a name, 24,");
    assert_said(" bytes, runs");
    assert_said("  0x006000 ├  free ");
    assert_said("  0x1ff000 ├  command ");
    assert_said("  0x200000 ├  fs ");
    assert_said("two steps up to 2,060,288");
    assert_said("  0x3fd000 ├  wifi ");
    assert_int_equal(updraft("board reset attic --factory"), 1);
    assert_said("a board of a profile has no otadata");
}

static void test_the_map_as_json(void **unused)
{
    (void)unused;
    static const struct {
        const char *kind, *name;
        double offset;
    } expected[] = {
        {"app", "app", 0x10000},
        {"free", "free", 0x190000},
        {"data", "storage", 0x320000},
    };
    assert_int_equal(updraft("board new shed --profile single-4m --chip esp32s3 "
                             "--app app=garden.bin"),
                     0);
    assert_said("one slot (single-4m), with garden 2.3.0 in app\n");
    assert_int_equal(updraft("board info shed --json"), 0);
    cJSON *json = cJSON_Parse(output);
    assert_non_null(json);
    assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItem(json, "profile")), "single-4m");
    assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItem(json, "boot")), "updraft");
    const cJSON *map = cJSON_GetObjectItem(json, "map");
    double end = 0;
    size_t found = 0;
    const cJSON *area = NULL;
    cJSON_ArrayForEach(area, map)
    {
        const char *kind = cJSON_GetStringValue(cJSON_GetObjectItem(area, "kind"));
        const char *name = cJSON_GetStringValue(cJSON_GetObjectItem(area, "name"));
        const double offset = cJSON_GetNumberValue(cJSON_GetObjectItem(area, "offset"));
        assert_true(offset == end); /* no gap, no overlap */
        end = offset + cJSON_GetNumberValue(cJSON_GetObjectItem(area, "size"));
        if (found < 3 && strcmp(kind, expected[found].kind) == 0) {
            assert_string_equal(name, expected[found].name);
            assert_true(offset == expected[found].offset);
            found++;
        }
    }
    assert_true(end == 4 << 20);
    assert_int_equal(found, 3);
    cJSON_Delete(json);
}

static void test_the_map_of_a_partition_table(void **unused)
{
    (void)unused;
    assert_int_equal(updraft("board new tabled --chip esp32s3 --partitions two_ota "
                             "--app factory=garden.bin"),
                     0);
    assert_int_equal(updraft("board info tabled"), 0);
    assert_said("  0x000000 ┌  bootloader ");
    assert_said("  0x008000 ├  table ");
    assert_said("  0x00d000 ├  otadata ");
    assert_said("  0x010000 ├  factory ");
    assert_said("garden 2.3.0, 20,");
    assert_said("in place");
}

static void test_profiles_are_listed(void **unused)
{
    (void)unused;
    assert_int_equal(updraft("board new --profile help"), 0);
    assert_said("single-1m ");
    assert_said("esp8266-16m14m   16 MB  Arduino on the ESP8266: sketch, staging, file system\n");
    assert_int_equal(updraft("completion bash"), 0);
    assert_said("--profile) mapfile -t COMPREPLY < <(compgen -W \"single-4m ");
    assert_said(" esp8266-4m2m ");
    assert_said("--boot) mapfile -t COMPREPLY < <(compgen -W \"updraft eboot\"");
    assert_int_equal(updraft("completion zsh"), 0);
    assert_said(":choice:(single-4m ");
    assert_int_equal(updraft("completion fish"), 0);
    assert_said("-l profile -r -f -a 'single-4m ");
}

static void test_profiles_that_cannot_be_are_refused(void **unused)
{
    (void)unused;
    static const struct {
        const char *words;
        int status;
        const char *says;
    } cases[] = {
        {"never --profile esp8266-4m9m", 2,
         "there is no profile \"esp8266-4m9m\"; there are single-"},
        {"never --profile esp8266-4m2m --chip esp32", 2, "is for another chip"},
        {"never --profile esp8266-4m2m --partitions two_ota", 2,
         "--partitions: not with --profile"},
        {"never --profile esp8266-4m2m --flash-size 4MB", 2, "--flash-size: not with --profile"},
        {"never --profile single-4m --boot eboot", 2, "only with a profile esp8266-"},
        {"never --boot eboot", 2, "only with a --profile"},
        {"never --profile esp8266-4m2m --boot grub", 2, "write updraft or eboot"},
        {"never --profile esp8266-1m64 --app app=sketch4.bin", 1, "built for a larger flash chip"},
        {"never --profile esp8266-4m2m --app ota_0=sketch4.bin", 1,
         "the board has no such slot; it has app"},
        {"never --profile esp8266-4m2m --app staged=sketch4.bin", 1, "it has app"},
        {"never --profile esp8266-4m2m --app app=garden.bin", 1,
         "garden.bin: is whole, and of the form"},
        {"never --profile esp8266-4m2m --data nvs=data.bin", 1, "it has fs, eeprom, rf_cal, wifi"},
        {"", 2, "an argument is missing: DIR"},
    };
    make_sketch();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char words[256];
        snprintf(words, sizeof words, "board new %s", cases[i].words);
        assert_int_equal(updraft(words), cases[i].status);
        assert_said(cases[i].says);
        assert_int_not_equal(access("never", F_OK), 0);
    }
}

static void test_boards_that_cannot_run_say_why(void **unused)
{
    (void)unused;
    assert_int_equal(updraft("board run nowhere"), 1);
    assert_said("there is no such board");
    assert_int_equal(updraft("board info nowhere"), 1);
    assert_said("there is no such board");
    assert_int_equal(updraft("board new bare"), 0);
    assert_int_equal(updraft("board run bare"), 1);
    assert_said("updraft: bare: nothing is bootable");
    assert_int_equal(updraft("board new bare"), 1);
    assert_said("exists already");
}

static void test_wrong_words_for_a_run(void **unused)
{
    (void)unused;
    static const char *const cases[][2] = {
        {"--until tomorrow", "write confirmed, updated or idle"},
        {"--torn", "both are needed"},
        {"--cut after", "both are needed"},
        {"--power-cut-at 1 --cut sideways", "write before, torn"},
        {"--power-cut-at 0", "power-cut-at"},
        {"--timeout soon", "timeout"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char words[128];
        snprintf(words, sizeof words, "board run porch %s", cases[i][0]);
        assert_int_equal(updraft(words), 2);
        assert_said(cases[i][1]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_board_from_new_to_run),
        cmocka_unit_test(test_a_factory_reset),
        cmocka_unit_test(test_info_as_json),
        cmocka_unit_test(test_a_hold_can_be_seen_and_has_a_reason),
        cmocka_unit_test(test_a_rehearsal),
        cmocka_unit_test(test_what_cannot_be_made_is_refused),
        cmocka_unit_test(test_arduinos_file_of_the_esp8266),
        cmocka_unit_test(test_a_board_of_a_profile),
        cmocka_unit_test(test_the_map_as_json),
        cmocka_unit_test(test_the_map_of_a_partition_table),
        cmocka_unit_test(test_profiles_are_listed),
        cmocka_unit_test(test_profiles_that_cannot_be_are_refused),
        cmocka_unit_test(test_boards_that_cannot_run_say_why),
        cmocka_unit_test(test_wrong_words_for_a_run),
    };
    return cmocka_run_group_tests(tests, setup, scratch_leave);
}
