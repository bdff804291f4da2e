/* SPDX-License-Identifier: Apache-2.0 */
/* Upgrade lists as files: docs/formats/upgrade-list.md section 2. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "posix/upgrade_file.h"
#include "support/scratch.h"

#define PEM "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"

static struct upgrade_file file;

static bool parse(const char *text)
{
    upgrade_file_free(&file);
    return upgrade_file_parse(&file, "list.json", text, strlen(text));
}

static int free_file(void **state)
{
    (void)state;
    upgrade_file_free(&file);
    return 0;
}

static void test_all_fields(void **state)
{
    static const char text[] =
        "{\"items\": [\n"
        " {\"type\": \"data\", \"label\": \"flash_tone\", \"uri\": \"file://sdcard/tone.bin\",\n"
        "  \"tone_only\": true, \"check\": \"newer-number\", \"size\": 3406,\n"
        "  \"md5\": \"00112233445566778899AABBCCDDEEFF\", \"break_after_fail\": true},\n"
        " {\"type\": \"app\", \"uri\": \"https://host/app.bin\", \"any_project\": true,\n"
        "  \"sha256\": \"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\",\n"
        "  \"check\": \"always\", \"restart\": true}\n"
        "]}";

    (void)state;
    assert_true(parse(text));
    assert_int_equal(file.count, 2);
    const struct ota_upgrade_item *data = &file.items[0];
    assert_int_equal(data->kind, OTA_UPGRADE_DATA);
    assert_string_equal(data->label, "flash_tone");
    assert_string_equal(data->uri, "file://sdcard/tone.bin");
    assert_true(data->tone_only);
    assert_int_equal(data->check, OTA_UPGRADE_NEWER_NUMBER);
    assert_int_equal(data->size, 3406);
    assert_int_equal(data->expected.algorithm, OTA_HASH_MD5);
    assert_int_equal(data->expected.bytes[15], 0xFF);
    assert_true(data->break_after_fail);
    assert_false(data->restart);
    assert_null(data->steps);
    const struct ota_upgrade_item *app = &file.items[1];
    assert_int_equal(app->kind, OTA_UPGRADE_APP);
    assert_null(app->label);
    assert_true(app->any_project);
    assert_int_equal(app->expected.algorithm, OTA_HASH_SHA256);
    assert_int_equal(app->expected.bytes[31], 0x1f);
    assert_int_equal(app->check, OTA_UPGRADE_ALWAYS);
    assert_true(app->restart);
    assert_false(app->break_after_fail);
}

static void test_least(void **state)
{
    (void)state;
    assert_true(parse("[{\"uri\":\"file:///a\",\"type\":\"app\"}]"));
    assert_int_equal(file.count, 1);
    assert_int_equal(file.items[0].check, OTA_UPGRADE_BY_KIND);
    assert_int_equal(file.items[0].size, 0);
    assert_int_equal(file.items[0].expected.algorithm, OTA_HASH_NONE);
}

static void test_messages(void **state)
{
    static const struct {
        const char *text, *error;
    } cases[] = {
        {"", "list.json: line 1 is not JSON"},
        {"[\n\n{\"type\" \"app\"}]", "list.json: line 3 is not JSON"},
        {"7", "list.json: there is no array of items in it"},
        {"{}", "list.json: there is no array of items in it"},
        {"{\"items\": 1}", "list.json: there is no array of items in it"},
        {"[]", "list.json: there are no items in it"},
        {"[7]", "list.json: item 0 is no object"},
        {"[{}]", "list.json: item 0: type: is missing"},
        {"[{\"type\":\"app\"}]", "list.json: item 0: uri: is missing"},
        {"[{\"type\":\"data\",\"uri\":\"x:\"}]",
         "list.json: item 0: label: is missing; data needs one"},
        {"[{\"type\":\"app\",\"uri\":\"x:\",\"label\":\"a\"}]",
         "list.json: item 0: label: is for data; an app goes to the slot that does not run"},
        {"[{\"type\":\"app\",\"uri\":\"x:\"},{\"typ\":1}]",
         "list.json: item 1: typ: there is no such field"},
        {"[{\"type\":\"app\",\"type\":\"app\"}]", "list.json: item 0: type: is there twice"},
        {"[{\"type\":\"boot\"}]", "list.json: item 0: type: write \"app\" or \"data\""},
        {"[{\"type\":1}]", "list.json: item 0: type: write \"app\" or \"data\""},
        {"[{\"uri\":\"/a\"}]",
         "list.json: item 0: uri: write an address such as \"https://host/app.bin\" or "
         "\"file:///path/app.bin\""},
        {"[{\"label\":\"12345678901234567\"}]",
         "list.json: item 0: label: write a partition's label, of at most 16 characters"},
        {"[{\"check\":\"never\"}]", "list.json: item 0: check: write \"different\", \"newer\", "
                                    "\"newer-number\" or \"always\""},
        {"[{\"restart\":1}]", "list.json: item 0: restart: write true or false"},
        {"[{\"break_after_fail\":\"\"}]",
         "list.json: item 0: break_after_fail: write true or false"},
        {"[{\"any_project\":null}]", "list.json: item 0: any_project: write true or false"},
        {"[{\"tone_only\":[]}]", "list.json: item 0: tone_only: write true or false"},
        {"[{\"size\":0}]", "list.json: item 0: size: write a number of bytes"},
        {"[{\"size\":1.5}]", "list.json: item 0: size: write a number of bytes"},
        {"[{\"size\":4294967295}]", "list.json: item 0: size: write a number of bytes"},
        {"[{\"size\":-1}]", "list.json: item 0: size: write a number of bytes"},
        {"[{\"md5\":\"00\"}]", "list.json: item 0: md5: write 32 hexadecimal digits"},
        {"[{\"sha256\":\"x\"}]", "list.json: item 0: sha256: write 64 hexadecimal digits"},
        {"[{\"md5\":\"00112233445566778899AABBCCDDEEFF\",\"sha256\":\"\"}]",
         "list.json: item 0: sha256: give md5 or sha256, not both"},
        {"[{\"ca\":7}]", "list.json: item 0: ca: write the path of a file of certificates"},
        {"[{\"ca\":\"none.pem\"}]",
         "list.json: item 0: ca: none.pem cannot be read: No such file or directory"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_false(parse(cases[i].text));
        assert_string_equal(file.error, cases[i].error);
    }
}

static void test_too_many(void **state)
{
    char text[2048] = "[";

    (void)state;
    for (unsigned i = 0; i < OTA_UPGRADE_ITEMS_MAX; i++) {
        (void)strcat(text, "{\"type\":\"app\",\"uri\":\"x:\"},");
    }
    char *end = text + strlen(text);
    (void)strcpy(end - 1, "]");
    assert_true(parse(text));
    assert_int_equal(file.count, OTA_UPGRADE_ITEMS_MAX);
    (void)strcpy(end - 1, ",{\"type\":\"app\",\"uri\":\"x:\"}]");
    assert_false(parse(text));
    assert_string_equal(file.error, "list.json: there are more than 16 items");
}

static void test_files(void **state)
{
    static const char text[] = "[{\"type\":\"app\",\"uri\":\"https://h/a\",\"ca\":\"ca.pem\"}]";
    struct scratch scratch;
    static char large[UPGRADE_FILE_SIZE_MAX + 1];

    (void)state;
    scratch_make(&scratch);
    const char *path = scratch_path(&scratch, "list.json");
    assert_false(upgrade_file_load(&file, path));
    assert_non_null(strstr(file.error, "list.json: cannot be read: No such file or directory"));
    scratch_write(&scratch, "list.json", text, strlen(text));
    scratch_write(&scratch, "ca.pem", PEM, strlen(PEM));
    assert_true(upgrade_file_load(&file, path)); /* the certificates lie beside the list */
    assert_string_equal(file.items[0].ca_pem, PEM);
    upgrade_file_free(&file);
    scratch_write(&scratch, "ca.pem", "none", 4);
    assert_false(upgrade_file_load(&file, path));
    assert_non_null(strstr(file.error, "item 0: ca: there is no certificate (PEM) in that file"));
    upgrade_file_free(&file);
    memset(large, ' ', sizeof large);
    scratch_write(&scratch, "list.json", large, sizeof large);
    assert_false(upgrade_file_load(&file, path));
    assert_non_null(strstr(file.error, "cannot be read: File too large"));
    assert_false(upgrade_file_load(&file, scratch.path));
    assert_non_null(strstr(file.error, "cannot be read: Is a directory"));
    scratch_remove(&scratch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_all_fields, free_file),
        cmocka_unit_test_teardown(test_least, free_file),
        cmocka_unit_test_teardown(test_messages, free_file),
        cmocka_unit_test_teardown(test_too_many, free_file),
        cmocka_unit_test_teardown(test_files, free_file),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
