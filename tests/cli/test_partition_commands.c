/* SPDX-License-Identifier: Apache-2.0 */
/* `updraft partition make|show|check` as a person runs them. */

#include "cli/run_command.h"
#include "support/scratch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cjson/cJSON.h>

static void write_text(const char *path, const char *text)
{
    run_write_file(path, text, strlen(text));
}

static void make_by_name_and_back(void **state)
{
    (void)state;
    size_t size;
    run_expect(0, "partition make 'Factory app, two OTA definitions' -o two.bin");
    uint8_t *table = run_read_file("two.bin", &size);
    assert_int_equal(size, 0xC00);
    static const uint8_t md5[] = {0xbf, 0x25, 0x82, 0x2c, 0x0f, 0xa6, 0xd8, 0x64,
                                  0x1b, 0xd9, 0x30, 0x25, 0x1e, 0x06, 0xb4, 0xc4};
    assert_memory_equal(table + 0xD0, md5, sizeof md5);

    const struct run_result *shown = run_expect(0, "partition show two.bin --csv");
    assert_string_equal(shown->out, "# ESP-IDF Partition Table\n"
                                    "# Name, Type, SubType, Offset, Size, Flags\n"
                                    "nvs,data,nvs,0x9000,16K,\n"
                                    "otadata,data,ota,0xd000,8K,\n"
                                    "phy_init,data,phy,0xf000,4K,\n"
                                    "factory,app,factory,0x10000,1M,\n"
                                    "ota_0,app,ota_0,0x110000,1M,\n"
                                    "ota_1,app,ota_1,0x210000,1M,\n");
    write_text("two.csv", shown->out);
    run_expect(0, "partition make two.csv -o again.bin --flash-size 4MB");
    uint8_t *again = run_read_file("again.bin", &size);
    assert_int_equal(size, 0xC00);
    assert_memory_equal(again, table, size);
    free(table);
    free(again);

    run_expect(0, "partition make two_ota --csv -o out.csv");
    uint8_t *csv = run_read_file("out.csv", &size);
    uint8_t *shown_csv = run_read_file("two.csv", &size);
    assert_string_equal((const char *)csv, (const char *)shown_csv);
    free(shown_csv);
    free(csv);
}

static void json(void **state)
{
    (void)state;
    run_expect(0, "partition make two_ota -o two.bin --no-md5");
    cJSON *shown = cJSON_Parse(run_expect(0, "partition show --json two.bin")->out);
    const cJSON *partitions = cJSON_GetObjectItem(shown, "partitions");
    assert_int_equal(cJSON_GetArraySize(partitions), 6);
    const cJSON *row = cJSON_GetArrayItem(partitions, 4);
    assert_string_equal(cJSON_GetObjectItem(row, "name")->valuestring, "ota_0");
    assert_string_equal(cJSON_GetObjectItem(row, "type")->valuestring, "app");
    assert_int_equal(cJSON_GetObjectItem(row, "subtype_number")->valueint, 0x10);
    assert_int_equal(cJSON_GetObjectItem(row, "offset")->valueint, 0x110000);
    assert_true(cJSON_IsFalse(cJSON_GetObjectItem(row, "encrypted")));
    cJSON_Delete(shown);

    cJSON *made = cJSON_Parse(run_expect(0, "partition make two_ota -o '\xff.bin' --json")->out);
    assert_string_equal(cJSON_GetObjectItem(made, "file")->valuestring, "\\xff.bin");
    cJSON_Delete(made);

    cJSON *list = cJSON_Parse(run_expect(0, "partition make --list --json")->out);
    assert_true(cJSON_GetArraySize(list) > 8);
    cJSON_Delete(list);

    cJSON *checked =
        cJSON_Parse(run_expect(1, "partition check two_ota --flash-size 2MB --json")->out);
    assert_true(cJSON_IsFalse(cJSON_GetObjectItem(checked, "good")));
    cJSON_Delete(checked);
}

static void errors_say_file_line_and_what_to_do(void **state)
{
    (void)state;
    write_text("bad.csv", "# my table\nnvs,data,nvs,,24K\nx,app,factory,0x11000,1M\n");
    run_expect_failure("partition make bad.csv -o bad.bin",
                       "updraft: bad.csv:3: Partition x invalid: Offset 0x11000 is not aligned to "
                       "0x10000 (an empty offset is filled in)\n");
    assert_int_equal(access("bad.bin", F_OK), -1);
    run_expect(0, "partition make bad.csv -o bad.bin --no-verify");
    run_expect_failure("partition show bad.bin",
                       "updraft: bad.bin: Partition x invalid: Offset 0x11000 is not aligned");
    run_expect(0, "partition show bad.bin --no-verify");

    write_text("bad.csv", "nvs,data,nvs,,24Q\n");
    run_expect_failure("partition show bad.csv",
                       "bad.csv:1: Invalid field value 24Q (write a number");
    run_expect_failure("partition show two_otta", "did you mean 'two_ota'?");
    run_expect_failure("partition show nothing-like-it", "partition make --list");
    run_expect_failure("partition check two_ota --flash-size 2MB",
                       "two_ota: Partitions tables occupies 3.1MB of flash (3211264 bytes)");
    write_text("far.csv", "a,app,factory,0x10000,64K\nb,data,nvs,200M,16K\n");
    run_expect_failure("partition check far.csv --flash-size 128MB", "(make the table smaller)");
    write_text("empty.csv", "");
    run_expect_failure("partition show empty.csv", "is empty");
    write_text("empty.csv", "# nothing\n");
    run_expect_failure("partition show empty.csv", "holds no partition");
    run_expect_failure("partition show .", "is a directory");

    run_expect(2, "partition make two_ota");
    run_expect(2, "partition make -o x");
    run_expect(2, "partition make two_ota -o - --json");
    run_expect(2, "partition show two_ota --secure v3");
    run_expect(2, "partition show two_ota --dialect arduino");
    run_expect(2, "partition show two_ota --flash-size 3000000");
    run_expect(2, "partition show two_ota --extra-subtype nonsense");
    run_expect(2, "partition show two_ota --primary-bootloader-offset 0x8000");
    run_expect(2, "partition check two_ota --image app");
    run_expect(2, "partition check two_ota --image nothing=two.bin");
    run_expect(2, "partition check two_ota --image bootloader=bad.csv");
    run_expect_failure("partition check two_ota --image app=missing.bin", "there is no such file");
}

static void options(void **state)
{
    (void)state;
    write_text("o.csv",
               "logs,data,logs,,4K\nboot,bootloader,primary,,\nota,app,ota_0,,$SLOT_SIZE\n");
    setenv("SLOT_SIZE", "128K", 1);
    const struct run_result *shown =
        run_expect(0, "partition show o.csv --csv --offset 0x10000 --extra-subtype data,logs,0x40 "
                      "--primary-bootloader-offset 0x2000 --secure v1");
    run_expect_text(shown->out, "logs,data,logs,0x11000,4K,\n"
                                "boot,bootloader,primary,0x2000,56K,\n"
                                "ota,app,ota_0,0x20000,128K,\n");
    unsetenv("SLOT_SIZE");
    run_expect_failure("partition show o.csv --extra-subtype data,logs,0x40 "
                       "--primary-bootloader-offset 0x2000",
                       "o.csv:3: Invalid field value $SLOT_SIZE");
    run_expect_text(run_expect(0, "partition show esp8266_two_ota_1MB")->out, "0x80000");
    run_expect_text(run_expect(0, "partition make esp8266_v2_to_v3_1MB -o e.bin")->out,
                    "at 0x5000");
}

static void a_file_goes_before_a_name(void **state)
{
    (void)state;
    write_text("singleapp", "mine,data,fat,,4K\n");
    run_expect_text(run_expect(0, "partition show singleapp")->out, "mine");
    assert_int_equal(remove("singleapp"), 0);
    run_expect_text(run_expect(0, "partition show singleapp")->out, "factory");
}

static void image_sizes(void **state)
{
    (void)state;
    static uint8_t image[0x100001];
    run_write_file("fits.bin", image, 1000);
    run_write_file("tight.bin", image, 0xFF000);
    run_write_file("large.bin", image, sizeof image);
    run_expect_text(
        run_expect(0, "partition check two_ota --image app=fits.bin")->out,
        "fits.bin: 0x3e8 bytes; smallest partition for app has 0x100000, 0xffc18 (99 %) free");
    run_expect_text(run_expect(0, "partition check two_ota --image app,ota_1=tight.bin")->err,
                    "warning: two_ota:6: only 0x1000 bytes of partition 'ota_1' are free");
    run_expect_failure("partition check two_ota --image app=large.bin",
                       "large.bin: 1048577 bytes (0x100001) fit no partition that is for it");
    run_expect_text(
        run_expect(0, "partition check two_ota --image app=large.bin --allow-failures")->err,
        "warning: large.bin");
    run_expect_text(run_expect(0, "partition check two_ota --image data,spiffs=fits.bin")->err,
                    "fits.bin: not checked, because two_ota has no partition of data,spiffs");
    run_expect(
        0,
        "partition check two_ota --primary-bootloader-offset 0x1000 --image bootloader=fits.bin");
    run_expect_failure("partition check two_ota --primary-bootloader-offset 0x1000 --image "
                       "bootloader=tight.bin",
                       "tight.bin: the bootloader's 1044480 bytes");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(make_by_name_and_back),
        cmocka_unit_test(json),
        cmocka_unit_test(errors_say_file_line_and_what_to_do),
        cmocka_unit_test(options),
        cmocka_unit_test(a_file_goes_before_a_name),
        cmocka_unit_test(image_sizes),
    };
    return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}
