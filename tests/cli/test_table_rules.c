/* SPDX-License-Identifier: Apache-2.0 */
/* Placement and verification: each rule and message of docs/formats/partition-table.md sections 6
   to 8, and which of two faults is told first. */

#include "cli/tables.h"

static void placement(void **state)
{
    (void)state;
    struct made_table made;
    tables_expect_good(&made,
                       "nvs,data,nvs,,0x4000\n"
                       "otadata,data,ota,,0x2000\n"
                       "phy_init,data,phy,,0x1000\n"
                       "factory,app,factory,,1M\n"
                       "small,0x40,0,,1\n"
                       "next,0x40,0,,1\n"
                       "far,0x40,0,0x200000,1\n"
                       "ota_0,app,ota_0,,64K\n",
                       table_options_default());
    static const int64_t offsets[] = {0x9000,   0xD000,   0xF000,   0x10000,
                                      0x110000, 0x111000, 0x200000, 0x210000};
    for (size_t i = 0; i < sizeof offsets / sizeof offsets[0]; i++) {
        assert_int_equal(made.table.rows[i].offset, offsets[i]);
    }
    table_free(&made.table);

    struct table_options options = table_options_default();
    options.offset = 0xF000;
    tables_expect_good(&made, "factory,app,factory,,1M", options);
    assert_int_equal(made.table.rows[0].offset, 0x10000);
    table_free(&made.table);
}

static void end_addresses(void **state)
{
    (void)state;
    struct made_table made;
    tables_expect_good(&made, "factory,app,factory,0x10000,-1M\nx,0x40,0,,-0x100800\n",
                       table_options_default());
    assert_int_equal(made.table.rows[0].size, 0xF0000);
    assert_int_equal(made.table.rows[1].offset, 0x100000);
    assert_int_equal(made.table.rows[1].size, 0x800);
    table_free(&made.table);

    /* An end below the start gives a size below zero, which no row can hold. */
    tables_expect_problem("x,0x40,0,0x10000,-0xf000", 1,
                          "Partition x invalid: Size 0x-1000 is outside 0x0 to 0xffffffff");
}

static void offsets_ascend(void **state)
{
    (void)state;
    tables_expect_problem("a,app,factory,0x14000,0x10000\nb,app,ota_0,0x10000,1M\n", 2,
                          "Partitions overlap. Partition sets offset 0x10000. Previous partition "
                          "ends 0x24000");
    tables_expect_problem("\na,data,nvs,0x8000,0x3000\n", 2,
                          "Partitions overlap. Partition sets offset 0x8000. But partition table "
                          "occupies the whole sector 0x8000. Use a free offset 0x9000 or higher.");
    tables_expect_problem("a,data,nvs,-4K,0x3000\n", 1,
                          "Partitions overlap. Partition sets offset 0x-1000. But");
    /* Nothing overlaps here, but rows with offsets must ascend. */
    tables_expect_problem("a,app,ota_0,0x110000,1M\nb,app,ota_1,0x10000,1M\n", 2,
                          "Partitions overlap. Partition sets offset 0x10000. Previous partition "
                          "ends 0x210000");
    /* Placement comes before verification. */
    tables_expect_problem("a,app,ota_0,0x11000,1M\na,app,ota_1,0x10000,1M\n", 2,
                          "Partitions overlap.");
}

static void row_rules(void **state)
{
    (void)state;
    struct made_table made;
    struct table_options options = table_options_default();

    tables_expect_problem("a,app,factory,0x11000,1M", 1,
                          "Partition a invalid: Offset 0x11000 is not aligned to 0x10000");
    tables_expect_problem("a,data,nvs,0x9100,0x3000", 1,
                          "Partition a invalid: Offset 0x9100 is not aligned to 0x1000");
    tables_expect_problem("a,app,factory,,0x100800", 1,
                          "Partition a invalid: Size 0x100800 is not aligned to 0x1000");
    tables_expect_good(&made, "a,data,fat,,0x801", options);
    table_free(&made.table);

    options.secure = TABLE_SECURE_V1;
    tables_expect_problem_with("a,app,factory,,0x101000", options, 1,
                               "Partition a invalid: Size 0x101000 is not aligned to 0x10000");
    options.secure = TABLE_SECURE_V2;
    tables_expect_good(&made, "a,app,factory,,0x101000", options);
    table_free(&made.table);

    tables_expect_problem("od,data,ota,,0x2000,readonly", 1,
                          "Partition od invalid: 'od' partition of type 1 and subtype 0 is always "
                          "read-write and cannot be read-only");
    tables_expect_problem("c,data,coredump,,64K,readonly", 1,
                          "Partition c invalid: 'c' partition of type 1 and subtype 3 is always "
                          "read-write and cannot be read-only");
    tables_expect_problem("n,data,nvs,,0x2000", 1,
                          "Partition n invalid: 'n' partition of type 1 and subtype 2 of this size "
                          "(0x2000) must be flagged as 'readonly' (the size of read/write NVS has "
                          "to be at least 0x3000)");
    tables_expect_good(&made, "n,data,nvs,,0x2000,readonly\nm,data,nvs,,0x3000",
                       table_options_default());
    table_free(&made.table);
}

static void misleading_names(void **state)
{
    (void)state;
    struct made_table made;
    tables_expect_good(&made,
                       "nvs,data,nvs,,0x3000\n"   /* as it should be */
                       "data,app,ota_0,,64K\n"    /* a type's name */
                       "factory,app,ota_1,,64K\n" /* another subtype's name */
                       "ota,data,ota,,0x2000\n"   /* a name in three types; one of them fits */
                       "app,app,ota_2,,64K\n",
                       table_options_default());
    assert_non_null(strstr(made.warnings, "2: 'data' is the name of a partition type"));
    assert_non_null(strstr(made.warnings, "3: 'factory' is the name of a partition subtype"));
    size_t lines = 0;
    for (const char *c = made.warnings; *c; c++) {
        lines += *c == '\n';
    }
    assert_int_equal(lines, 2);
    table_free(&made.table);
}

static void names(void **state)
{
    (void)state;
    struct made_table made;
    tables_expect_problem("a,data,nvs,,0x3000\nb,data,nvs,,0x3000\na,data,fat,,4K\n", 3,
                          "Partition names must be unique: 'a' is on line 1 too");
    tables_expect_good(&made,
                       "exactly_16_bytes,data,nvs,,0x3000\n"
                       "a_name_of_17_byte,data,nvs,,0x3000\n",
                       table_options_default());
    assert_string_equal(made.warnings,
                        "2: the name 'a_name_of_17_byte' is cut to its first 16 bytes\n");
    assert_memory_equal(made.bytes + 12, "exactly_16_bytes", 16);
    assert_memory_equal(made.bytes + 32 + 12, "a_name_of_17_byt", 16);
    table_free(&made.table);
}

/* Rows as a binary table can have them: in any order. */
static void places(void **state)
{
    (void)state;
    struct table_options options = table_options_default();
    struct table_problem problem;
    struct table table = {0};
    struct table_row row = {.type = 0x40, .has_offset = true};
    static const struct {
        const char *name;
        int64_t offset, size;
    } rows[] = {{"c", 0x30000, 0x1000}, {"a", 0x9000, 0x1000}, {"b", 0xA000, 0x26000}};

    for (size_t i = 0; i < 3; i++) {
        row.offset = rows[i].offset;
        row.size = rows[i].size;
        assert_true(table_append(&table, &row, rows[i].name, 1, &problem));
    }
    assert_true(table_verify(&table, &options, &problem));
    assert_int_equal(table_end(&table), 0x31000);
    table.rows[2].size += 1;
    assert_false(table_verify(&table, &options, &problem));
    assert_string_equal(problem.text, "Partition at 0x30000 overlaps 0xa000-0x30000");
    table.rows[2].size -= 1;
    options.offset = 0x9000;
    assert_false(table_verify(&table, &options, &problem));
    assert_string_equal(problem.text, "Partition offset 0x9000 is below 0xa000");
    table.rows[1].type = OTA_PARTITION_BOOTLOADER;
    assert_true(table_verify(&table, &options, &problem));
    table.rows[1].type = OTA_PARTITION_TABLE;
    assert_true(table_verify(&table, &options, &problem));
    table.rows[1].subtype = OTA_SUBTYPE_TABLE_OTA;
    assert_false(table_verify(&table, &options, &problem));
    table.rows[0].name[0] = 'a';
    table.rows[0].offset = 0xA000;
    assert_false(table_verify(&table, &options, &problem));
    assert_string_equal(problem.text, "Partition names must be unique: 'a' names rows 1 and 2");
    table_free(&table);
}

static void otadata(void **state)
{
    (void)state;
    tables_expect_problem("a,data,ota,,0x2000\nb,data,ota,,0x2000\n", 2,
                          "Found multiple otadata partitions. Only one partition can be defined "
                          "with type=\"data\"(1) and subtype=\"ota\"(0).");
    tables_expect_problem("a,data,ota,,0x3000\n", 1, "otadata partition must have size = 0x2000");
    tables_expect_problem("a,data,ota,,0x3000\nb,data,ota,,0x2000\n", 2, "Found multiple otadata");
    tables_expect_problem(
        "a,data,tee_ota,,0x2000\nb,data,tee_ota,,0x2000\n", 2,
        "Found multiple TEE otadata partitions. Only one partition can be defined "
        "with type=\"data\"(1) and subtype=\"tee_ota\"(0x90).");
    tables_expect_problem("a,data,tee_ota,,0x1000\n", 1,
                          "TEE otadata partition must have size = 0x2000");
}

static void flash_size(void **state)
{
    (void)state;
    struct made_table made;
    struct table_problem problem;
    tables_expect_good(&made, "a,app,factory,,1M\nb,app,ota_0,,0x300000\n",
                       table_options_default());
    assert_true(table_fits_flash(&made.table, 8, &problem));
    assert_false(table_fits_flash(&made.table, 4, &problem));
    assert_string_equal(problem.text,
                        "Partitions tables occupies 4.1MB of flash (4259840 bytes) which does not "
                        "fit in configured flash size 4MB. Change the flash size in menuconfig "
                        "under the 'Serial Flasher Config' menu.");
    table_free(&made.table);
    tables_expect_good(&made, "a,app,factory,,0xf0000\n", table_options_default());
    assert_true(table_fits_flash(&made.table, 1, &problem));
    table_free(&made.table);
    struct table empty = {0};
    assert_true(table_fits_flash(&empty, 1, &problem));
}

static void bootloader_size(void **state)
{
    (void)state;
    struct table_options options = table_options_default();
    struct table_problem problem;
    assert_true(table_fits_bootloader(&options, 0x1000, 0x7000, &problem));
    assert_false(table_fits_bootloader(&options, 0x1000, 0x7001, &problem));
    assert_non_null(strstr(problem.text, "by 0x1:"));
    assert_false(table_fits_bootloader(&options, 0x8000, 1, &problem));
}

static void image_sizes(void **state)
{
    (void)state;
    struct made_table made;
    struct table_options options = table_options_default();
    struct table_problem problem;
    struct table_fit fit;
    tables_expect_good(&made,
                       "t,app,tee_0,,64K\n"
                       "f,app,factory,,1M\n"
                       "a,app,ota_0,,2M\n"
                       "d,data,fat,,0x801\n",
                       options);
    options.warn = tables_keep_warning;
    options.context = &made;

    made.warnings[0] = '\0';
    assert_true(table_fits_image(&made.table, &options, 0, -1, 0xF3333, &fit, &problem));
    assert_int_equal(fit.partitions, 2); /* not the TEE's */
    assert_int_equal(fit.too_small, 0);
    assert_string_equal(fit.smallest->name, "f");
    assert_string_equal(made.warnings, "");
    assert_true(table_fits_image(&made.table, &options, 0, -1, 0xF3334, &fit, &problem));
    assert_non_null(strstr(made.warnings, "less than 5 %"));

    made.warnings[0] = '\0';
    assert_true(table_fits_image(&made.table, &options, 0, -1, 0x100001, &fit, &problem));
    assert_int_equal(fit.too_small, 1);
    assert_string_equal(made.warnings, "2: 0x100001 bytes overflow partition 'f' by 0x1\n");

    assert_false(table_fits_image(&made.table, &options, 0, -1, 0x200001, &fit, &problem));
    assert_int_equal(fit.too_small, 2);
    assert_false(table_fits_image(&made.table, &options, 0, 0x30, 0x10001, &fit, &problem));
    assert_int_equal(fit.partitions, 1);
    assert_true(table_fits_image(&made.table, &options, 0, 0x30, 0x1000, &fit, &problem));

    made.warnings[0] = '\0';
    assert_true(table_fits_image(&made.table, &options, 1, 2, 5, &fit, &problem));
    assert_int_equal(fit.partitions, 0);
    assert_string_equal(made.warnings, "");
    table_free(&made.table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(placement),        cmocka_unit_test(end_addresses),
        cmocka_unit_test(offsets_ascend),   cmocka_unit_test(row_rules),
        cmocka_unit_test(misleading_names), cmocka_unit_test(names),
        cmocka_unit_test(places),           cmocka_unit_test(otadata),
        cmocka_unit_test(flash_size),       cmocka_unit_test(bootloader_size),
        cmocka_unit_test(image_sizes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
