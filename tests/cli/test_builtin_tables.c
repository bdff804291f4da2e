/* SPDX-License-Identifier: Apache-2.0 */
/* The tables known by name: each is accepted, fits its chip, and has the MD5 of the original
   (docs/formats/partition-table.md section 10). */

#include "cli/tables.h"

#include "cli/builtin_tables.h"

static struct table_options options_of(const struct builtin_table *builtin)
{
    struct table_options options = table_options_default();
    options.dialect = builtin->dialect;
    options.offset = builtin->offset;
    return options;
}

static void all_are_good(void **state)
{
    (void)state;
    const struct builtin_table *builtin;
    size_t n = 0;
    for (; (builtin = builtin_table_at(n)); n++) {
        struct made_table made;
        struct table_problem problem;
        tables_expect_good(&made, builtin->csv, options_of(builtin));
        assert_string_equal(made.warnings, "");
        assert_true(made.table.count > 0);
        assert_true(table_fits_flash(&made.table, builtin->megabytes, &problem));
        assert_true(builtin->megabytes == 1 ||
                    !table_fits_flash(&made.table, builtin->megabytes / 2, &problem));
        assert_ptr_equal(builtin_table_find(builtin->name), builtin);
        assert_ptr_equal(builtin_table_find(builtin->title), builtin);
        table_free(&made.table);
    }
    assert_int_equal(n, 19);
    assert_null(builtin_table_at(n + 1));
}

static void sums(void **state)
{
    (void)state;
    static const struct {
        const char *name, *md5;
    } expected[] = {
        {"singleapp", "f4ad4f4538564b5d7435b62c75b69524"},
        {"singleapp_large", "0423598fe5287e6762f955efc9f5f382"},
        {"singleapp_coredump", "9179c59a53262c5dd4c549db5b3eaa73"},
        {"singleapp_encr_nvs", "55a092271e356dc8c78efd3ed859bada"},
        {"singleapp_tee", "5a9835998338ebb1bdfe043d661084cb"},
        {"two_ota", "bf25822c0fa6d8641bd930251e06b4c4"},
        {"two_ota_large", "37f38b32a34f7412f158930062441178"},
        {"two_ota_tee", "5b781e7398883f3f54e07853e1e086b3"},
    };
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        const struct builtin_table *builtin = builtin_table_find(expected[i].name);
        struct made_table made;
        char md5[33];
        assert_non_null(builtin);
        tables_expect_good(&made, builtin->csv, options_of(builtin));
        const uint8_t *row = made.bytes + 32 * made.table.count;
        for (size_t b = 0; b < 16; b++) {
            sprintf(md5 + 2 * b, "%02x", row[16 + b]);
        }
        assert_string_equal(md5, expected[i].md5);
        table_free(&made.table);
    }
}

static void menu_names(void **state)
{
    (void)state;
    static const struct {
        const char *title, *name;
    } menu[] = {
        {"Single factory app, no OTA", "singleapp"},
        {"Single factory app (large), no OTA", "singleapp_large"},
        {"Factory app, two OTA definitions", "two_ota"},
        {"factory APP, two ota definitions", "two_ota"},
        {"Two large size OTA partitions", "two_ota_large"},
    };
    for (size_t i = 0; i < sizeof menu / sizeof menu[0]; i++) {
        const struct builtin_table *builtin = builtin_table_find(menu[i].title);
        assert_non_null(builtin);
        assert_string_equal(builtin->name, menu[i].name);
    }
    assert_null(builtin_table_find(""));
    assert_null(builtin_table_find("three_ota"));
}

static void rows_of(const char *name, struct made_table *made)
{
    const struct builtin_table *builtin = builtin_table_find(name);
    assert_non_null(builtin);
    tables_expect_good(made, builtin->csv, options_of(builtin));
}

static void expect_extent(const char *table, const char *name, int64_t offset, int64_t size)
{
    struct made_table made;
    rows_of(table, &made);
    const struct table_row *row = table_find(&made.table, name, -1, -1);
    if (!row || row->offset != offset || row->size != size) {
        fail_msg("%s: %s is not at 0x%llx+0x%llx", table, name, (long long)offset, (long long)size);
    }
    table_free(&made.table);
}

static void arduino_and_esp8266(void **state)
{
    (void)state;
    expect_extent("default_4MB", "app1", 0x150000, 0x140000);
    expect_extent("default_4MB", "spiffs", 0x290000, 0x160000);
    expect_extent("default_4MB_old", "spiffs", 0x291000, 0x16F000);
    expect_extent("min_spiffs", "app1", 0x1F0000, 0x1E0000);
    expect_extent("default_8MB", "spiffs", 0x670000, 0x180000);
    expect_extent("default_16MB", "app1", 0x650000, 0x640000);
    expect_extent("minimal", "spiffs", 0x150000, 0xA0000);
    expect_extent("huge_app", "app0", 0x10000, 0x300000);
    expect_extent("esp8266_singleapp", "factory", 0x10000, 0xF0000);
    expect_extent("esp8266_two_ota", "ota_1", 0x110000, 0xF0000);
    expect_extent("esp8266_two_ota_1MB", "ota_1", 0x80000, 0x70000);
    expect_extent("esp8266_v2_to_v3_1MB", "ota_0", 0x7000, 0x77000);
    expect_extent("esp8266_v2_to_v3_1MB", "ota_1", 0x85000, 0x77000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_are_good),
        cmocka_unit_test(sums),
        cmocka_unit_test(menu_names),
        cmocka_unit_test(arduino_and_esp8266),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
