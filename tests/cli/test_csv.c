/* SPDX-License-Identifier: Apache-2.0 */
/* CSV: the text's encoding, lines, variables, numbers, keywords, flags, and each message of
   docs/formats/partition-table.md sections 4 and 5. */

#include "cli/tables.h"

#include "cli/csv_reader.h"
#include "server/utf8.h"

#define DATA OTA_PARTITION_DATA
#define APP OTA_PARTITION_APP

static const char *test_variable(void *context, const char *name)
{
    (void)context;
    static const struct {
        const char *name, *value;
    } variables[] = {{"SIZE", "0x4000"},    {"FLAGS", "encrypted:readonly"},
                     {"HASH", "# comment"}, {"SELF", "$OTHER"},
                     {"9LIVES", "9"},       {"odd name", "odd"},
                     {"BAD", "\xFF"},       {"LINE", "nvs,data,nvs,,0x3000"}};
    for (size_t i = 0; i < sizeof variables / sizeof variables[0]; i++) {
        if (strcmp(name, variables[i].name) == 0) {
            return variables[i].value;
        }
    }
    return NULL;
}

static struct table_options with_variables(void)
{
    struct table_options options = table_options_default();
    options.variable = test_variable;
    return options;
}

static void numbers(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t value;
    } good[] = {
        {"0", 0},
        {"00", 0},
        {"0_0", 0},
        {"-0", 0},
        {"+7", 7},
        {"-7", -7},
        {"4096", 4096},
        {"1_000_000", 1000000},
        {"0x9000", 0x9000},
        {"0X9aBc", 0x9ABC},
        {"0x_ff", 0xFF},
        {"0o17", 15},
        {"0O17", 15},
        {"0b1_01", 5},
        {"0B11", 3},
        {"1k", 1024},
        {"1K", 1024},
        {"2m", 2097152},
        {"2M", 2097152},
        {"16kk", 16 * 1024 * 1024},
        {"1km", INT64_C(1) << 30},
        {"-1M", -1048576},
        {"0x10K", 16384},
        {"1 k", 1024},
        {" 12 ", 12},
        {"99999999999999999999999", TABLE_NUMBER_LIMIT},
        {"-99999999999999999999999", -TABLE_NUMBER_LIMIT},
        {"1kkkkkkkkkk", TABLE_NUMBER_LIMIT},
        {"0kkkkkkkkkk", 0},
    };
    static const char *const bad[] = {
        "",   "k",   "M",   "-",   "+",   "- 1", "--1", "010",    "0_1", "1__0", "_1",     "1_",
        "0x", "0xg", "0x_", "0o8", "0b2", "1.5", "1e3", "0x1__2", "ten", "1 0",  "1k k x", "0xk"};
    int64_t value;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        if (!csv_number(good[i].text, &value)) {
            fail_msg("'%s' is refused", good[i].text);
        }
        assert_int_equal(value, good[i].value);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (csv_number(bad[i], &value)) {
            fail_msg("'%s' is accepted", bad[i]);
        }
    }
}

static void keywords(void **state)
{
    (void)state;
    struct made_table made;
    tables_expect_good(
        &made,
        "a,DATA,NvS,,0x3000\n"
        "b,1,0x02,,0x3000\n"
        "c,appk,ota_0,0x10000,64K\n" /* a suffix is cut off a keyword too: 0 * 1024 */
        "d,0x40,,,16\n"
        "e,0x40,0xfe,,16\n"
        "f,data,,,16\n"
        "g,data,littlefs,,16\n"
        "h,app,tee_1,,64K\n"
        "i,app,ota_15,,64K\n",
        table_options_default());
    tables_expect_row(&made, 0, "a", DATA, 2, 0x9000, 0x3000);
    tables_expect_row(&made, 1, "b", DATA, 2, 0xC000, 0x3000);
    tables_expect_row(&made, 2, "c", APP, 0x10, 0x10000, 0x10000);
    tables_expect_row(&made, 3, "d", 0x40, 6, 0x20000, 16);
    tables_expect_row(&made, 4, "e", 0x40, 0xFE, 0x21000, 16);
    tables_expect_row(&made, 5, "f", DATA, 6, 0x22000, 16);
    tables_expect_row(&made, 6, "g", DATA, 0x83, 0x23000, 16);
    tables_expect_row(&made, 7, "h", APP, 0x31, 0x30000, 0x10000);
    tables_expect_row(&made, 8, "i", APP, 0x1F, 0x40000, 0x10000);
    table_free(&made.table);
}

static void field_messages(void **state)
{
    (void)state;
    tables_expect_problem("nvs", 1, "Field 'type' can't be left empty.");
    tables_expect_problem("nvs,,nvs,,1M", 1, "Field 'type' can't be left empty.");
    tables_expect_problem("# x\n\nnvs,date,nvs,,1M", 3,
                          "Value 'date' is not valid. Known keywords: bootloader, partition_table, "
                          "app, data");
    tables_expect_problem("nvs,data,nvz,,1M", 1,
                          "Value 'nvz' is not valid. Known keywords: ota, phy, nvs, coredump, "
                          "nvs_keys, efuse, undefined, esphttpd, fat, spiffs, littlefs, tee_ota");
    tables_expect_problem("a,app,,,1M", 1, "App partition cannot have an empty subtype");
    tables_expect_problem("a,app,nothing,,1M", 1,
                          "Value 'nothing' is not valid. Known keywords: factory");
    tables_expect_problem("a,app,factory_m,,1M", 1, "Value 'factory_' is not valid.");
    tables_expect_problem("a,0x40,nvs,,1M", 1, "Invalid field value nvs");
    tables_expect_problem("a,data,nvs,x,1M", 1, "Invalid field value x");
    tables_expect_problem("a,data,nvs,,1.5M", 1, "Invalid field value 1.5");
    tables_expect_problem("a,data,nvs,,", 1, "Size field can't be empty");
    tables_expect_problem("a,data,nvs", 1, "Size field can't be empty");
    tables_expect_problem("a,data,nvs,,1M,fast", 1, "CSV flag column contains unknown flag 'fast'");
    tables_expect_problem("a,data,nvs,,1M,Encrypted", 1,
                          "CSV flag column contains unknown flag 'Encrypted'");
    tables_expect_problem("a,data,nvs,,1M,encrypted: readonly", 1,
                          "CSV flag column contains unknown flag ' readonly'");
    /* In the order of the fields, whatever else is wrong with the line. */
    tables_expect_problem("a,date,x,x,x,x", 1, "Value 'date'");
    tables_expect_problem("a,data,x,x,x,x", 1, "Value 'x'");
    tables_expect_problem("a,data,nvs,y,z,x", 1, "Invalid field value y");
    tables_expect_problem("a,data,nvs,,z,x", 1, "Invalid field value z");
}

static void flags(void **state)
{
    (void)state;
    struct made_table made;
    tables_expect_good(&made,
                       "a,data,nvs,,0x3000,encrypted\n"
                       "b,data,nvs,,0x1000,readonly\n"
                       "c,data,nvs,,0x1000,readonly:encrypted\n"
                       "d,data,nvs,,0x3000,:\n"
                       "e,data,nvs,,0x3000,encrypted:encrypted,ignored,fields\n"
                       "f,data,nvs,,0x3000,\n",
                       table_options_default());
    static const uint32_t expected[] = {1, 2, 3, 0, 1, 0};
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        assert_int_equal(made.table.rows[i].flags, expected[i]);
    }
    table_free(&made.table);
}

static void variables(void **state)
{
    (void)state;
    struct made_table made;
    tables_expect_good(&made,
                       "$LINE,${FLAGS}\n"
                       "$HASH\n"
                       "b$NONE,data,nvs,,$SIZE\n"
                       "c${odd name}${NONE}${,data,fat,,$9LIVES$9LIVES$9LIVES$9LIVES\n"
                       " $NOT_AT_THE_START,data,nvs,,${SIZE},\n"
                       "$1$,data,nvs,,$SIZE\n",
                       with_variables());
    assert_int_equal(made.table.count, 5);
    tables_expect_row(&made, 0, "nvs", DATA, 2, 0x9000, 0x3000);
    assert_int_equal(made.table.rows[0].flags, 3);
    tables_expect_row(&made, 1, "b$NONE", DATA, 2, 0xC000, 0x4000);
    tables_expect_row(&made, 2, "codd${NONE}${", DATA, 0x81, 0x10000, 9999);
    tables_expect_row(&made, 3, "$NOT_AT_THE_START", DATA, 2, 0x13000, 0x4000);
    tables_expect_row(&made, 4, "$1$", DATA, 2, 0x17000, 0x4000);
    table_free(&made.table);

    tables_expect_problem_with("\n$NONE,data,nvs,,4K", with_variables(), 2,
                               "unknown variable 'NONE'");
    tables_expect_problem_with("$SELF", with_variables(), 1, "unknown variable 'OTHER'");
    tables_expect_problem_with("a$BAD,data,nvs,,4K", with_variables(), 1,
                               "a variable's value is not UTF-8 text");
    tables_expect_problem("$SIZE,data,nvs,,4K", 1, "unknown variable 'SIZE'");
}

static void lines(void **state)
{
    (void)state;
    struct made_table made;
    /* Every line end there is; each counts one, and a carriage return with a line feed too. */
    tables_expect_good(&made,
                       "# a\r\n\r\n  # b\n\xC2\x85"
                       "a,data,nvs,,0x3000\r"
                       "b,data,nvs,,0x3000\v"
                       "c,data,nvs,,0x3000\xE2\x80\xA8"
                       "d , data\xC2\xA0,\t nvs,,0x3000 \f"
                       ",data,nvs,,0x3000",
                       table_options_default());
    assert_int_equal(made.table.count, 5);
    static const unsigned expected[] = {5, 6, 7, 8, 9};
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(made.table.rows[i].line, expected[i]);
    }
    tables_expect_row(&made, 3, "d", DATA, 2, 0x12000, 0x3000);
    tables_expect_row(&made, 4, "", DATA, 2, 0x15000, 0x3000);
    table_free(&made.table);

    /* No comments behind fields. */
    tables_expect_problem("a,data,nvs,,4K # four", 1, "Invalid field value 4K # four");
}

static void encodings(void **state)
{
    (void)state;
    static const char utf16_le[] = "\xFF\xFE"
                                   "a\0,\0"
                                   "1\0,\0"
                                   "2\0,\0,\0"
                                   "1\0M\0";
    static const char utf16_be[] = "\xFE\xFF"
                                   "\xD8\x3D\xDE\x00\0,\0"
                                   "1\0,\0"
                                   "2\0,\0,\0"
                                   "1\0M";
    static const struct {
        const char *data;
        size_t len;
        const char *name; /* NULL: refused */
    } cases[] = {
        {utf16_le, sizeof utf16_le - 1, "a"},
        {utf16_be, sizeof utf16_be - 1, "\xF0\x9F\x98\x80"},
        {"\xEF\xBB\xBF"
         "a,1,2,,1M",
         12, "a"},
        {"a\xEF\xBB\xBF,1,2,,1M", 12, "a\xEF\xBB\xBF"},
        {utf16_le, sizeof utf16_le - 2, NULL}, /* half a unit */
        {"\xFF\xFE\x00\xD8"
         "a\0",
         6, NULL}, /* half a pair */
        {"\xFF\xFE\x00\xDC"
         "a\0",
         6, NULL}, /* the other half */
        {"\xFF\xFE\x00\x00"
         "a\0\0\0",
         8, NULL}, /* UTF-32 */
        {"a\xFF,1,2,,1M", 10, NULL},
        {"a\xC3,1,2,,1M", 10, NULL},
        {"a\xC0\x80,1,2,,1M", 11, NULL},
        {"a\xED\xA0\x80,1,2,,1M", 12, NULL}, /* a surrogate in UTF-8 */
        {"a\0,1,2,,1M", 10, NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct made_table made;
        bool good = tables_make_from(&made, cases[i].data, cases[i].len, table_options_default());
        if (good != (cases[i].name != NULL)) {
            fail_msg("case %zu: %s", i, made.problem.text);
        }
        if (good) {
            tables_expect_row(&made, 0, cases[i].name, DATA, 2, 0x9000, 0x100000);
        }
        table_free(&made.table);
    }
}

static void limits(void **state)
{
    (void)state;
    struct made_table made;
    char *text = malloc((CSV_SIZE_LIMIT + 1));
    assert_non_null(text);

    memset(text, 'x', (CSV_SIZE_LIMIT + 1));
    assert_false(tables_make_from(&made, text, (CSV_SIZE_LIMIT + 1), table_options_default()));
    assert_non_null(strstr(made.problem.text, "longer than 1048576 bytes"));
    table_free(&made.table);

    assert_false(tables_make_from(&made, text, 100000, table_options_default()));
    assert_string_equal(made.problem.text, "line longer than 65536 bytes");
    table_free(&made.table);

    size_t used = 0;
    for (unsigned i = 0; i < TABLE_ROWS_LIMIT + 1; i++) {
        used += (size_t)sprintf(text + used, "%u,64,1,,1\n", i);
    }
    assert_false(tables_make_from(&made, text, used, table_options_default()));
    assert_int_equal(made.problem.line, TABLE_ROWS_LIMIT + 1);
    assert_non_null(strstr(made.problem.text, "longer than max"));
    table_free(&made.table);
    free(text);

    /* What a message quotes cannot steer a terminal. */
    tables_expect_problem("a,\x1b[31m,nvs,,4K", 1, "Value '?[31");
}

static void bootloader_rows(void **state)
{
    (void)state;
    struct made_table made;
    struct table_options options = table_options_default();
    static const char all[] = "b,bootloader,primary,N/A,N/A\n"
                              "t,partition_table,primary,,\n"
                              "nvs,data,nvs,,0x6000\n"
                              "bo,bootloader,ota,,1\n"
                              "br,bootloader,recovery,,\n"
                              "to,partition_table,ota,,\n";

    static const char no_primary[] = "Primary bootloader offset is not defined. Please use "
                                     "--primary-bootloader-offset";
    static const char no_recovery[] = "Recovery bootloader offset is not defined. Please use "
                                      "--recovery-bootloader-offset";
    tables_expect_problem(all, 1, no_primary);
    tables_expect_problem("b,bootloader,ota,,", 1, no_primary);
    tables_expect_problem("b,bootloader,recovery,,", 1, no_recovery);
    options.has_primary_bootloader = true;
    options.primary_bootloader_offset = 0x1000;
    tables_expect_problem_with(all, options, 5, no_recovery);

    options.has_recovery_bootloader = true;
    options.recovery_bootloader_offset = 0x20000;
    tables_expect_good(&made, all, options);
    tables_expect_row(&made, 0, "b", OTA_PARTITION_BOOTLOADER, 0, 0x1000, 0x7000);
    tables_expect_row(&made, 1, "t", OTA_PARTITION_TABLE, 0, 0x8000, 0x1000);
    tables_expect_row(&made, 3, "bo", OTA_PARTITION_BOOTLOADER, 1, 0xF000, 0x7000);
    tables_expect_row(&made, 4, "br", OTA_PARTITION_BOOTLOADER, 2, 0x20000, 0x7000);
    tables_expect_row(&made, 5, "to", OTA_PARTITION_TABLE, 1, 0x27000, 0x1000);
    table_free(&made.table);

    struct table_problem problem;
    assert_true(table_options_check(&options, &problem));
    options.primary_bootloader_offset = 0x8000;
    assert_false(table_options_check(&options, &problem));
    assert_string_equal(problem.text,
                        "Unsupported configuration. Primary bootloader must be below partition "
                        "table. Check --primary-bootloader-offset=0x8000 and --offset=0x8000");
}

static void extra_subtypes(void **state)
{
    (void)state;
    struct table_extra_subtype extra[4];
    struct table_problem problem;
    size_t count = 0;
    struct made_table made;

    assert_true(table_extra_subtype_parse("data,logs,40", TABLE_ESP_IDF, extra, &count, &problem));
    assert_true(
        table_extra_subtype_parse("app, spare , 0x41", TABLE_ESP_IDF, extra, &count, &problem));
    assert_int_equal(count, 2);
    static const char *const bad[] = {
        "data,logs",      "data,,40",
        "data,logs,40,1", "data,other,0x40",
        "data,x,2",       "nothing,x,42",
        "data,x,100",     "data,x,0x",
        "data,x,4g",      "data,a-name-of-more-than-thirty-one-bytes,43"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (table_extra_subtype_parse(bad[i], TABLE_ESP_IDF, extra, &count, &problem)) {
            fail_msg("'%s' is accepted", bad[i]);
        }
        assert_int_equal(count, 2);
    }
    assert_true(
        table_extra_subtype_parse("app,other,0x40", TABLE_ESP_IDF, extra, &count, &problem));

    struct table_options options = table_options_default();
    options.extra = extra;
    options.extra_count = count;
    tables_expect_good(&made, "l,data,LOGS,,4K\ns,app,spare,,64K\n", options);
    tables_expect_row(&made, 0, "l", DATA, 0x40, 0x9000, 0x1000);
    tables_expect_row(&made, 1, "s", APP, 0x41, 0x10000, 0x10000);
    char *csv = csv_write(&made.table, &options);
    assert_string_equal(csv, "# ESP-IDF Partition Table\n"
                             "# Name, Type, SubType, Offset, Size, Flags\n"
                             "l,data,logs,0x9000,4K,\n"
                             "s,app,spare,0x10000,64K,\n");
    free(csv);
    table_free(&made.table);
    tables_expect_problem_with(
        "l,data,logz,,4K", options, 1,
        "Value 'logz' is not valid. Known keywords: ota, phy, nvs, coredump, "
        "nvs_keys, efuse, undefined, esphttpd, fat, spiffs, littlefs, "
        "tee_ota, logs");
}

static void written(void **state)
{
    (void)state;
    struct made_table made;
    tables_expect_good(&made,
                       "nvs,data,nvs,,0x3000,encrypted:readonly\n"
                       "odd,data,99,,0x801\n"
                       "own,0x40,1,,1000\n"
                       "a,app,factory,,1M,encrypted\n"
                       "r,data,nvs,,4K,readonly\n",
                       table_options_default());
    struct table_options options = table_options_default();
    char *csv = csv_write(&made.table, &options);
    assert_string_equal(csv, "# ESP-IDF Partition Table\n"
                             "# Name, Type, SubType, Offset, Size, Flags\n"
                             "nvs,data,nvs,0x9000,12K,encrypted:readonly\n"
                             "odd,data,99,0xc000,0x801,\n"
                             "own,64,1,0xd000,0x3e8,\n"
                             "a,app,factory,0x10000,1M,encrypted\n"
                             "r,data,nvs,0x110000,4K,readonly\n");
    struct made_table again;
    tables_expect_good(&again, csv, options);
    assert_memory_equal(again.bytes, made.bytes, sizeof made.bytes);
    free(csv);
    table_free(&made.table);
    table_free(&again.table);

    static const char *const held[] = {"", "nvs", "a b", "\xD0\xB8", "a#b"};
    static const char *const lost[] = {"a,b",    "#a",   " a",   "a\t",         "$HOME",
                                       "a$HOME", "a\nb", "\xFF", "\xE2\x80\xA9"};
    for (size_t i = 0; i < sizeof held / sizeof held[0]; i++) {
        assert_true(csv_can_hold(held[i]));
    }
    for (size_t i = 0; i < sizeof lost / sizeof lost[0]; i++) {
        assert_false(csv_can_hold(lost[i]));
    }
}

static void esp8266_dialect(void **state)
{
    (void)state;
    struct made_table made;
    struct table_options options = table_options_default();
    options.dialect = TABLE_ESP8266;

    tables_expect_good(&made,
                       "a,data,nvs,,6\n"
                       "b,data,,,3\n"
                       "c,app,,,0x10\n"
                       "d,2,0,,1,encrypted\n",
                       options);
    tables_expect_row(&made, 0, "a", DATA, 2, 0x9000, 6);
    tables_expect_row(&made, 1, "b", DATA, 0, 0x9008, 3);
    tables_expect_row(&made, 2, "c", APP, 0, 0xA000, 0x10);
    tables_expect_row(&made, 3, "d", 2, 0, 0xA010, 1);
    char *csv = csv_write(&made.table, &options);
    assert_int_equal(strncmp(csv, "# Espressif ESP32 Partition Table\n", 34), 0);
    free(csv);
    table_free(&made.table);

    tables_expect_problem_with("a,bootloader,0,,1", options, 1,
                               "Value 'bootloader' is not valid. Known keywords: app, data");
    tables_expect_problem_with("a,data,littlefs,,1", options, 1,
                               "Value 'littlefs' is not valid. Known keywords: ota, phy, nvs, "
                               "coredump, nvs_keys, efuse, esphttpd, fat, spiffs");
    tables_expect_problem_with("a,data,nvs,,1,readonly", options, 1,
                               "CSV flag column contains unknown flag 'readonly'");
    tables_expect_problem_with("a,data,nvs,0x8ffc,1", options, 1,
                               "First partition offset 0x8ffc overlaps end of partition table "
                               "0x9000");
    tables_expect_problem_with("a,data,nvs,,16\nb,data,nvs,0x9004,1", options, 2,
                               "Partitions overlap. Partition at line 2 sets offset 0x9004. "
                               "Previous partition ends 0x9010");
    options.secure = TABLE_SECURE_V1;
    tables_expect_problem_with("a,data,nvs,,6", options, 1,
                               "Partition a invalid: Size 0x6 is not aligned to 0x4");
    tables_expect_problem_with("a,app,ota_0,,0x1800", options, 1,
                               "Partition a invalid: Size 0x1800 is not aligned to 0x1000");
}

static void utf8(void **state)
{
    (void)state;
    static const uint32_t characters[] = {0x24,  0x7F,   0x80,    0x7FF,
                                          0x800, 0xFFFF, 0x10000, 0x10FFFF};
    for (size_t i = 0; i < sizeof characters / sizeof characters[0]; i++) {
        char text[UTF8_LONGEST];
        size_t len = utf8_encode(characters[i], text);
        size_t used;
        assert_int_equal(utf8_decode(text, len, &used), characters[i]);
        assert_int_equal(used, len);
        if (len > 1) {
            assert_int_equal(utf8_decode(text, len - 1, &used), UTF8_INVALID);
        }
    }
    size_t used;
    assert_int_equal(utf8_decode("\xF4\x90\x80\x80", 4, &used), UTF8_INVALID);
    assert_int_equal(utf8_decode("\xE0\x80\x80", 3, &used), UTF8_INVALID);
    assert_int_equal(utf8_decode("\xF0\x80\x80\x80", 4, &used), UTF8_INVALID);
    assert_int_equal(utf8_decode("\xF5\x80\x80\x80", 4, &used), UTF8_INVALID);

    const char *text = "\xE3\x80\x80 a b\xC2\xA0\xE2\x80\x83";
    size_t len = strlen(text);
    utf8_strip(&text, &len);
    assert_int_equal(len, 3);
    assert_memory_equal(text, "a b", 3);
    text = " \t";
    len = 2;
    utf8_strip(&text, &len);
    assert_int_equal(len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers),
        cmocka_unit_test(keywords),
        cmocka_unit_test(field_messages),
        cmocka_unit_test(flags),
        cmocka_unit_test(variables),
        cmocka_unit_test(lines),
        cmocka_unit_test(encodings),
        cmocka_unit_test(limits),
        cmocka_unit_test(bootloader_rows),
        cmocka_unit_test(extra_subtypes),
        cmocka_unit_test(written),
        cmocka_unit_test(esp8266_dialect),
        cmocka_unit_test(utf8),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
