/* SPDX-License-Identifier: Apache-2.0 */
/* Binary tables: the recorded files byte for byte, what is refused and how, round trips. */

#include "cli/tables.h"

static void expect_recorded(const char *csv_name, const char *binary_name,
                            struct table_options options)
{
    uint8_t *csv;
    uint8_t *binary;
    struct made_table made;
    size_t csv_len = tables_read_vector(csv_name, &csv);
    size_t binary_len = tables_read_vector(binary_name, &binary);

    if (!tables_make_from(&made, csv, csv_len, options)) {
        fail_msg("%s:%u: %s", csv_name, made.problem.line, made.problem.text);
    }
    assert_int_equal(binary_len, sizeof made.bytes);
    assert_memory_equal(made.bytes, binary, sizeof made.bytes);

    /* And back: the rows are the same, and so are the bytes made of their text. */
    struct table decoded = {0};
    struct made_table again;
    assert_true(
        table_decode(binary, binary_len, &options, &ota_crypto_psa, &decoded, &made.problem));
    assert_int_equal(decoded.count, made.table.count);
    assert_true(table_verify(&decoded, &options, &made.problem));
    char *text = csv_write(&decoded, &options);
    tables_expect_good(&again, text, options);
    assert_memory_equal(again.bytes, binary, binary_len);

    free(text);
    free(csv);
    free(binary);
    table_free(&decoded);
    table_free(&again.table);
    table_free(&made.table);
}

static void recorded(void **state)
{
    (void)state;
    struct table_options options = table_options_default();
    expect_recorded("partitions_singleapp.csv", "partitions_singleapp.bin", options);
    expect_recorded("partitions_singleapp_coredump.csv", "partitions_singleapp_coredump.bin",
                    options);
    expect_recorded("partitions_two_ota.csv", "partitions_two_ota.bin", options);
    expect_recorded("partitions_two_ota_large.csv", "partitions_two_ota_large.bin", options);
    expect_recorded("partitions_two_ota_tee.csv", "partitions_two_ota_tee.bin", options);
    expect_recorded("partitions-utf8-bom.csv", "partitions-utf8-bom.bin", options);
    expect_recorded("partitions-utf8-bom.csv", "host_test_partitions.bin", options);
    options.has_primary_bootloader = true;
    options.primary_bootloader_offset = 0x1000;
    expect_recorded("partitions_efuse_emul_1.csv", "partitions_efuse_emul_1.bin", options);
    expect_recorded("partitions_efuse_emul_2.csv", "partitions_efuse_emul_2.bin", options);
}

static void recorded_without_end(void **state)
{
    (void)state;
    uint8_t *binary;
    size_t len = tables_read_vector("partitions_singleapp_no_end.bin", &binary);
    struct table_options options = table_options_default();
    struct table table = {0};
    struct table_problem problem;

    assert_true(table_is_binary(binary, len));
    assert_false(table_decode(binary, len, &options, &ota_crypto_psa, &table, &problem));
    assert_string_equal(problem.text, "Partition table is missing an end-of-table marker");
    assert_int_equal(table.count, 3);
    table_free(&table);
    free(binary);
}

/* The worked example of docs/formats/partition-table.md section 2.3. */
static const char two_ota[] = "nvs,data,nvs,,0x4000\notadata,data,ota,,0x2000\n"
                              "phy_init,data,phy,,0x1000\nfactory,app,factory,,1M\n"
                              "ota_0,app,ota_0,,1M\nota_1,app,ota_1,,1M\n";
static const uint8_t two_ota_md5[] = {0xbf, 0x25, 0x82, 0x2c, 0x0f, 0xa6, 0xd8, 0x64,
                                      0x1b, 0xd9, 0x30, 0x25, 0x1e, 0x06, 0xb4, 0xc4};

static void encoded(void **state)
{
    (void)state;
    struct made_table made;
    static const uint8_t factory[32] = {0xAA, 0x50, 0,   0,   0,   0,   1,   0,   0,  0,
                                        0x10, 0,    'f', 'a', 'c', 't', 'o', 'r', 'y'};
    tables_expect_good(&made, two_ota, table_options_default());
    assert_memory_equal(made.bytes + 0x60, factory, sizeof factory);
    assert_int_equal(made.bytes[0xC0], 0xEB);
    assert_int_equal(made.bytes[0xC1], 0xEB);
    for (size_t i = 0xC2; i < 0xD0; i++) {
        assert_int_equal(made.bytes[i], 0xFF);
    }
    assert_memory_equal(made.bytes + 0xD0, two_ota_md5, 16);
    for (size_t i = 0xE0; i < sizeof made.bytes; i++) {
        assert_int_equal(made.bytes[i], 0xFF);
    }
    table_free(&made.table);

    struct table_options options = table_options_default();
    options.md5 = false;
    tables_expect_good(&made, two_ota, options);
    assert_int_equal(made.bytes[0xC0], 0xFF);
    table_free(&made.table);
}

static void row_counts(void **state)
{
    (void)state;
    for (unsigned md5 = 0; md5 < 2; md5++) {
        struct table_options options = table_options_default();
        options.md5 = md5;
        for (unsigned rows = 93; rows < 99; rows++) {
            char text[99 * 24] = "";
            size_t used = 0;
            for (unsigned i = 0; i < rows; i++) {
                used += (size_t)sprintf(text + used, "p%u,0x40,%u,,1\n", i, i);
            }
            struct made_table made;
            bool good = tables_make(&made, text, options);
            assert_int_equal(good, rows <= (md5 ? 94 : 95));
            if (!good) {
                char message[80];
                sprintf(message, "Binary partition table length (%u) longer than max",
                        32 * (rows + md5));
                assert_int_equal(strncmp(made.problem.text, message, strlen(message)), 0);
            }
            table_free(&made.table);
        }
    }
}

static void too_large_for_a_field(void **state)
{
    (void)state;
    tables_expect_problem("a,256,0,,4K", 1,
                          "Partition a invalid: Type 0x100 is outside 0x0 to 0xff");
    tables_expect_problem("a,-1,0,,4K", 1, "Partition a invalid: Type 0x-1 is outside");
    tables_expect_problem("a,datam,0,,4K", 1, "Partition a invalid: Type 0x100000 is outside");
    tables_expect_problem("a,data,0x1ff,,4K", 1, "Partition a invalid: Subtype 0x1ff is outside");
    tables_expect_problem("a,data,fat,0x100000000,4K", 1,
                          "Partition a invalid: Offset 0x100000000 is outside 0x0 to 0xffffffff");
    tables_expect_problem("a,data,fat,,4096M", 1,
                          "Partition a invalid: Size 0x100000000 is outside 0x0 to 0xffffffff");
    tables_expect_problem("a,data,fat,,9mmmmmm\nb,data,fat,,4K", 1,
                          "Partition a invalid: Size 0x4");
}

static void expect_decode_problem(const uint8_t *bytes, size_t len, bool md5, const char *text)
{
    struct table_options options = table_options_default();
    struct table table = {0};
    struct table_problem problem;
    options.md5 = md5;
    assert_false(table_decode(bytes, len, &options, &ota_crypto_psa, &table, &problem));
    if (strncmp(problem.text, text, strlen(text)) != 0) {
        fail_msg("%s\ninstead of\n%s", problem.text, text);
    }
    assert_int_equal(problem.line, 0);
    table_free(&table);
}

static void damaged(void **state)
{
    (void)state;
    struct made_table made;
    tables_expect_good(&made, two_ota, table_options_default());
    uint8_t *bytes = made.bytes;

    expect_decode_problem(bytes, 0xE0, true, "Partition table is missing an end-of-table marker");
    expect_decode_problem(bytes, 0xE1, true,
                          "Partition table length must be a multiple of 32 bytes");
    expect_decode_problem(bytes, 0, true, "Partition table is missing an end-of-table marker");
    bytes[4] ^= 0x10;
    expect_decode_problem(bytes, sizeof made.bytes, true,
                          "MD5 checksums don't match! (computed: 0x");
    struct table_options no_md5 = table_options_default();
    no_md5.md5 = false;
    struct table table = {0};
    assert_true(
        table_decode(bytes, sizeof made.bytes, &no_md5, &ota_crypto_psa, &table, &made.problem));
    assert_int_equal(table.count, 6);
    table_free(&table);
    bytes[4] ^= 0x10;
    bytes[0xD0] ^= 1;
    expect_decode_problem(bytes, sizeof made.bytes, true,
                          "MD5 checksums don't match! (computed: "
                          "0xbf25822c0fa6d8641bd930251e06b4c4, parsed: "
                          "0xbe25822c0fa6d8641bd930251e06b4c4)");
    bytes[0xD0] ^= 1;

    bytes[0x40] = 0x00;
    expect_decode_problem(bytes, sizeof made.bytes, true,
                          "Invalid magic bytes (b'\\x00P') for partition definition");
    bytes[0x40] = '\'';
    bytes[0x41] = '\n';
    expect_decode_problem(bytes, sizeof made.bytes, true,
                          "Invalid magic bytes (b\"'\\n\") for partition definition");
    bytes[0x40] = '\'';
    bytes[0x41] = '"';
    expect_decode_problem(bytes, sizeof made.bytes, true,
                          "Invalid magic bytes (b'\\'\"') for partition definition");
    bytes[0x40] = 0xAA;
    bytes[0x41] = 0x50;
    bytes[0x4C] = 0xFF;
    expect_decode_problem(bytes, sizeof made.bytes, true,
                          "the name of partition definition 3 at 0x4c is not UTF-8 text");
    table_free(&made.table);
}

static void unknown_flags(void **state)
{
    (void)state;
    struct made_table made;
    struct table_options options = table_options_default();
    options.md5 = false;
    tables_expect_good(&made, "nvs,data,nvs,,0x3000,readonly\n", options);
    made.bytes[29] = 0x80;
    made.bytes[32] = 0xFF;
    struct table table = {0};
    options.warn = tables_keep_warning;
    options.context = &made;
    assert_true(table_decode(made.bytes, sizeof made.bytes, &options, &ota_crypto_psa, &table,
                             &made.problem));
    assert_string_equal(made.warnings, "0: partition 'nvs' has unknown flags 0x8000\n");
    assert_int_equal(table.count, 1);
    table_free(&table);
    table_free(&made.table);
}

static void only_the_mark_makes_it_binary(void **state)
{
    (void)state;
    assert_true(table_is_binary("\xAA\x50", 2));
    assert_false(table_is_binary("\xAA", 1));
    assert_false(table_is_binary("\xEB\xEB", 2));
    assert_false(table_is_binary("nvs", 3));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(recorded),      cmocka_unit_test(recorded_without_end),
        cmocka_unit_test(encoded),       cmocka_unit_test(row_counts),
        cmocka_unit_test(damaged),       cmocka_unit_test(too_large_for_a_field),
        cmocka_unit_test(unknown_flags), cmocka_unit_test(only_the_mark_makes_it_binary),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
