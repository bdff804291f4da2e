/* SPDX-License-Identifier: Apache-2.0 */
/* The binary partition table: rows, and each rule by which a table is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <updraft/partition.h>

#include "support/images.h"
#include "support/ram_flash.h"

#define SECTOR 4096u
#define CHIP (4u << 20)
#define TABLE 0x8000u
#define ROW OTA_PARTITION_ROW_SIZE
#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* The worked example of docs/formats/partition-table.md section 2.3. */
static const struct table_row two_ota[] = {
    {1, 2, 0x9000, 0x4000, "nvs", 0},          {1, 0, 0xD000, 0x2000, "otadata", 0},
    {1, 1, 0xF000, 0x1000, "phy_init", 0},     {0, 0, 0x10000, 0x100000, "factory", 0},
    {0, 0x10, 0x110000, 0x100000, "ota_0", 0}, {0, 0x11, 0x210000, 0x100000, "ota_1", 0},
};

static struct ram_flash *chip;
static struct ota_partition_table table;
static struct ota_failure failure;
static uint8_t *bytes; /* the table on the chip */

static int set_up(void **state)
{
    (void)state;
    chip = ram_flash_new(CHIP, SECTOR, 65536, 1);
    bytes = chip->memory + TABLE;
    faults_clear();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    assert_int_equal(ram_flash_changes(chip), 0); /* reading a table writes nothing */
    assert_int_equal(faulty_crypto_running(), 0);
    ram_flash_free(chip);
    return 0;
}

static enum ota_err open_table(void)
{
    failure = (struct ota_failure){OTA_OK, 0};
    return ota_partition_table_open(&table, &chip->faulty.flash, TABLE, &faulty_crypto, &failure);
}

static void make(const struct table_row *rows, size_t count, bool md5)
{
    table_make(bytes, rows, count, md5);
}

#define MAKE(rows, md5) make(rows, COUNT(rows), md5)

static void refused(enum ota_err err, uint32_t row)
{
    assert_int_equal(open_table(), err);
    assert_int_equal(failure.err, err);
    assert_int_equal(failure.offset, row * ROW);
}

static void test_rows(void **state)
{
    static const uint8_t row[ROW] = {0xAA, 0x50, 0x01, 0x82, 0x00, 0x10, 0x20, 0x00,
                                     0x00, 0x00, 0x03, 0x00, 'a',  'b',  'c',  'd',
                                     'e',  'f',  'g',  'h',  'i',  'j',  'k',  'l',
                                     'm',  'n',  'o',  'p',  0x03, 0x00, 0x00, 0x80};
    uint8_t encoded[ROW];
    struct ota_partition partition;

    (void)state;
    assert_int_equal(ota_partition_decode(row, &partition), OTA_OK);
    assert_int_equal(partition.type, 1);
    assert_int_equal(partition.subtype, 0x82);
    assert_int_equal(partition.offset, 0x201000);
    assert_int_equal(partition.size, 0x30000);
    assert_int_equal(partition.flags, 0x80000003);
    assert_string_equal(partition.label, "abcdefghijklmnop"); /* 16 bytes have no NUL in the row */
    memset(encoded, 0xEE, sizeof encoded);
    ota_partition_encode(&partition, encoded);
    assert_memory_equal(encoded, row, ROW);

    strcpy(partition.label, "ab");
    ota_partition_encode(&partition, encoded);
    assert_memory_equal(encoded + 12, "ab\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16);
    encoded[0] = 0xAB;
    assert_int_equal(ota_partition_decode(encoded, &partition), OTA_ERR_TABLE_ROW);
}

static void test_worked_example(void **state)
{
    static const uint8_t md5[OTA_MD5_SIZE] = {0xbf, 0x25, 0x82, 0x2c, 0x0f, 0xa6, 0xd8, 0x64,
                                              0x1b, 0xd9, 0x30, 0x25, 0x1e, 0x06, 0xb4, 0xc4};
    struct ota_partition partition;

    (void)state;
    MAKE(two_ota, true);
    assert_memory_equal(bytes + 0xD0, md5, sizeof md5);
    assert_int_equal(open_table(), OTA_OK);
    assert_int_equal(failure.err, OTA_OK);
    assert_true(table.has_md5);
    assert_int_equal(table.rows, 6);
    assert_int_equal(table.offset, TABLE);
    assert_ptr_equal(table.flash, &chip->faulty.flash);
    for (uint32_t i = 0; i < COUNT(two_ota); i++) {
        assert_int_equal(ota_partition_get(&table, i, &partition), OTA_OK);
        assert_int_equal(partition.type, two_ota[i].type);
        assert_int_equal(partition.subtype, two_ota[i].subtype);
        assert_int_equal(partition.offset, two_ota[i].offset);
        assert_int_equal(partition.size, two_ota[i].size);
        assert_string_equal(partition.label, two_ota[i].label);
    }
    assert_int_equal(ota_partition_get(&table, 6, &partition), OTA_ERR_NO_PARTITION);
}

static void test_md5_is_optional(void **state)
{
    (void)state;
    MAKE(two_ota, false);
    assert_int_equal(open_table(), OTA_OK);
    assert_false(table.has_md5);
    assert_int_equal(table.rows, 6);
}

/* Any bit of a row, or of the MD5 itself, that is wrong shows. */
static void test_md5_covers_all(void **state)
{
    (void)state;
    MAKE(two_ota, true);
    for (unsigned bit = 0; bit < 8 * 6 * ROW; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_not_equal(open_table(), OTA_OK);
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    for (unsigned bit = 0; bit < 8 * 16; bit++) {
        bytes[6 * ROW + 16 + bit / 8] ^= (uint8_t)(1u << bit % 8);
        refused(OTA_ERR_TABLE_MD5, 6);
        bytes[6 * ROW + 16 + bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    assert_int_equal(open_table(), OTA_OK);
}

static void test_rows_behind_the_md5(void **state)
{
    (void)state;
    MAKE(two_ota, true);
    memcpy(bytes + 7 * ROW, bytes + 6 * ROW, ROW); /* a second MD5 row */
    refused(OTA_ERR_TABLE_MD5, 7);
    memcpy(bytes + 7 * ROW, bytes, ROW); /* a partition */
    refused(OTA_ERR_TABLE_ROW, 7);
}

static void test_marks(void **state)
{
    (void)state;
    MAKE(two_ota, false);
    for (uint32_t row = 0; row < 6; row++) {
        uint8_t good = bytes[row * ROW];
        bytes[row * ROW] = 0x00;
        refused(OTA_ERR_TABLE_ROW, row);
        bytes[row * ROW] = good;
    }
    /* FF FF is the end only if type and subtype are FF too. */
    memset(bytes + 6 * ROW, 0xFF, ROW);
    bytes[6 * ROW + 2] = 0x01;
    refused(OTA_ERR_TABLE_ROW, 6);
    bytes[6 * ROW + 2] = 0xFF;
    bytes[6 * ROW + 3] = 0x01;
    refused(OTA_ERR_TABLE_ROW, 6);
    bytes[6 * ROW + 3] = 0xFF;
    bytes[6 * ROW + 4] = 0x00; /* what follows the four bytes does not matter */
    assert_int_equal(open_table(), OTA_OK);
}

static void test_empty(void **state)
{
    (void)state;
    refused(OTA_ERR_TABLE_EMPTY, 0);
    table_make(bytes, NULL, 0, true); /* an MD5 row is no partition */
    refused(OTA_ERR_TABLE_EMPTY, 1);
}

static size_t many(struct table_row *rows, char labels[][24], size_t count)
{
    for (size_t i = 0; i < count; i++) {
        (void)snprintf(labels[i], 24, "p%zu", i);
        rows[i] = (struct table_row){0x40,   (uint8_t)i, 0x9000 + (uint32_t)i * SECTOR,
                                     SECTOR, labels[i],  0};
    }
    return count;
}

static void test_most_rows(void **state)
{
    struct table_row rows[96];
    char labels[96][24];

    (void)state;
    make(rows, many(rows, labels, 95), false);
    assert_int_equal(open_table(), OTA_OK);
    assert_int_equal(table.rows, OTA_PARTITION_ROWS_MAX);
    make(rows, many(rows, labels, 94), true);
    assert_int_equal(open_table(), OTA_OK);
    assert_int_equal(table.rows, 94);

    /* 95 rows and the MD5 in the place of the end. */
    make(rows, many(rows, labels, 95), true);
    refused(OTA_ERR_TABLE_NO_END, 96);
    /* 96 rows. */
    make(rows, many(rows, labels, 95), false);
    memcpy(bytes + 95 * ROW, bytes + 94 * ROW, ROW);
    bytes[95 * ROW + 4 + 1] = 0xF0; /* elsewhere */
    bytes[95 * ROW + 4 + 2] = 0x3F;
    refused(OTA_ERR_TABLE_NO_END, 96);
}

static void test_bounds(void **state)
{
    static const struct {
        uint32_t offset, size;
        enum ota_err err;
    } cases[] = {
        {CHIP - SECTOR, SECTOR, OTA_OK},
        {CHIP, 0, OTA_OK},
        {CHIP - SECTOR, SECTOR + 1, OTA_ERR_TABLE_BOUNDS},
        {CHIP, 1, OTA_ERR_TABLE_BOUNDS},
        {CHIP + SECTOR, 0, OTA_ERR_TABLE_BOUNDS},
        {0xFFFFF000, 0x2000, OTA_ERR_TABLE_BOUNDS},
        {0x9000, 0xFFFFFFFF, OTA_ERR_TABLE_BOUNDS},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct table_row rows[] = {{1, 2, 0x9000, SECTOR, "a", 0},
                                         {1, 0x82, cases[i].offset, cases[i].size, "b", 0}};
        MAKE(rows, true);
        assert_int_equal(open_table(), cases[i].err);
        assert_int_equal(failure.err, cases[i].err);
        assert_int_equal(failure.offset, cases[i].err == OTA_OK ? 0 : ROW);
    }
}

static void test_alignment(void **state)
{
    (void)state;
    for (uint32_t off = 4; off < SECTOR; off *= 2) {
        const struct table_row rows[] = {{1, 2, 0x9000, SECTOR, "a", 0},
                                         {1, 0x82, 0x20000 + off, SECTOR, "b", 0}};
        MAKE(rows, true);
        refused(OTA_ERR_TABLE_ALIGNMENT, 1);
    }
    /* Apps on 0x1000 are the business of tools, and so are odd sizes. */
    const struct table_row app[] = {{0, 0x10, 0x11000, 0x12345, "app", 0}};
    MAKE(app, true);
    assert_int_equal(open_table(), OTA_OK);
}

static void test_overlap(void **state)
{
    static const struct {
        uint32_t offset, size;
        enum ota_err err;
    } cases[] = {
        {0x1F000, SECTOR, OTA_OK},
        {0x22000, SECTOR, OTA_OK},
        {0x1F000, 2 * SECTOR, OTA_ERR_TABLE_OVERLAP},
        {0x21000, SECTOR, OTA_ERR_TABLE_OVERLAP},
        {0x20000, 1, OTA_ERR_TABLE_OVERLAP},
        {0x10000, 0x20000, OTA_ERR_TABLE_OVERLAP},
        {0x20000, 0x2000, OTA_ERR_TABLE_OVERLAP},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct table_row rows[] = {{1, 0x81, 0x40000, SECTOR, "before", 0},
                                         {1, 2, 0x20000, 2 * SECTOR, "a", 0},
                                         {1, 0x82, cases[i].offset, cases[i].size, "b", 0}};
        MAKE(rows, true);
        assert_int_equal(open_table(), cases[i].err);
        assert_int_equal(failure.offset, cases[i].err == OTA_OK ? 0 : 2 * ROW);
    }
}

/* The table's own sector belongs to nobody but the row that stands for it. */
static void test_overlap_with_the_table(void **state)
{
    static const struct {
        uint8_t type, subtype;
        uint32_t offset, size;
        enum ota_err err;
    } cases[] = {
        {1, 2, TABLE - SECTOR, SECTOR, OTA_OK},
        {1, 2, TABLE + SECTOR, SECTOR, OTA_OK},
        {1, 2, TABLE, SECTOR, OTA_ERR_TABLE_OVERLAP},
        {1, 2, TABLE - SECTOR, SECTOR + 1, OTA_ERR_TABLE_OVERLAP},
        {2, 0, 0x1000, 0x7000, OTA_OK},
        {3, 0, TABLE, SECTOR, OTA_OK},
        {3, 1, TABLE, SECTOR, OTA_ERR_TABLE_OVERLAP},
        {2, 0, TABLE, SECTOR, OTA_ERR_TABLE_OVERLAP},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct table_row rows[] = {
            {cases[i].type, cases[i].subtype, cases[i].offset, cases[i].size, "a", 0}};
        MAKE(rows, true);
        assert_int_equal(open_table(), cases[i].err);
    }
}

static void test_duplicates(void **state)
{
    static const struct {
        struct table_row first, second;
        enum ota_err err;
    } cases[] = {
        {{1, 2, 0x20000, SECTOR, "same", 0},
         {1, 0x82, 0x30000, SECTOR, "same", 0},
         OTA_ERR_TABLE_DUPLICATE},
        {{1, 2, 0x20000, SECTOR, "sam", 0}, {1, 0x82, 0x30000, SECTOR, "same", 0}, OTA_OK},
        {{1, 2, 0x20000, SECTOR, "same", 0}, {1, 0x82, 0x30000, SECTOR, "samf", 0}, OTA_OK},
        {{0, 0x10, 0x20000, SECTOR, "a", 0},
         {0, 0x10, 0x30000, SECTOR, "b", 0},
         OTA_ERR_TABLE_DUPLICATE},
        {{0, 0, 0x20000, SECTOR, "a", 0}, {0, 0, 0x30000, SECTOR, "b", 0}, OTA_ERR_TABLE_DUPLICATE},
        {{0, 0x10, 0x20000, SECTOR, "a", 0}, {1, 0x10, 0x30000, SECTOR, "b", 0}, OTA_OK},
        {{1, 0, 0x20000, 2 * SECTOR, "a", 0},
         {1, 0, 0x30000, 2 * SECTOR, "b", 0},
         OTA_ERR_TABLE_DUPLICATE},
        {{1, 2, 0x20000, SECTOR, "a", 0}, {1, 2, 0x30000, SECTOR, "b", 0}, OTA_OK}, /* two nvs */
        {{0x40, 0, 0x20000, SECTOR, "a", 0}, {0x40, 0, 0x30000, SECTOR, "b", 0}, OTA_OK},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct table_row rows[] = {cases[i].first, cases[i].second};
        MAKE(rows, true);
        assert_int_equal(open_table(), cases[i].err);
        assert_int_equal(failure.offset, cases[i].err == OTA_OK ? 0 : ROW);
    }
}

static void test_find(void **state)
{
    struct ota_partition partition;

    (void)state;
    MAKE(two_ota, true);
    assert_int_equal(open_table(), OTA_OK);
#define FIND(type, subtype, label) ota_partition_find(&table, type, subtype, label, &partition)
    assert_int_equal(FIND(OTA_PARTITION_ANY, OTA_SUBTYPE_ANY, NULL), OTA_OK);
    assert_string_equal(partition.label, "nvs");
    assert_int_equal(FIND(OTA_PARTITION_APP, OTA_SUBTYPE_ANY, NULL), OTA_OK);
    assert_string_equal(partition.label, "factory");
    assert_int_equal(FIND(OTA_PARTITION_APP, OTA_SUBTYPE_APP_OTA_0 + 1, NULL), OTA_OK);
    assert_string_equal(partition.label, "ota_1");
    assert_int_equal(FIND(OTA_PARTITION_ANY, OTA_SUBTYPE_ANY, "phy_init"), OTA_OK);
    assert_int_equal(partition.offset, 0xF000);
    assert_int_equal(FIND(OTA_PARTITION_DATA, OTA_SUBTYPE_DATA_PHY, "phy_init"), OTA_OK);
    assert_int_equal(FIND(OTA_PARTITION_DATA, OTA_SUBTYPE_DATA_PHY, "nvs"), OTA_ERR_NO_PARTITION);
    assert_int_equal(FIND(OTA_PARTITION_APP, OTA_SUBTYPE_ANY, "nvs"), OTA_ERR_NO_PARTITION);
    assert_int_equal(FIND(OTA_PARTITION_ANY, OTA_SUBTYPE_ANY, "phy"), OTA_ERR_NO_PARTITION);
    assert_int_equal(FIND(OTA_PARTITION_ANY, OTA_SUBTYPE_ANY, "phy_init_"), OTA_ERR_NO_PARTITION);
    assert_int_equal(FIND(OTA_PARTITION_ANY, OTA_SUBTYPE_ANY, ""), OTA_ERR_NO_PARTITION);
    faults_set(FAULT_READ, 3);
    assert_int_equal(FIND(OTA_PARTITION_ANY, OTA_SUBTYPE_ANY, "ota_1"), OTA_ERR_FLASH_READ);
#undef FIND
}

/* A device without a table on its flash has the same rows in memory. */
static void test_fixed_rows(void **state)
{
    static const struct ota_partition rows[] = {
        {.type = 1, .subtype = 0x82, .offset = 0x200000, .size = 0x1FA000, .label = "fs"},
        {.type = 1, .subtype = 6, .offset = 0x3FB000, .size = 0x1000, .label = "eeprom"},
    };
    struct ota_partition partition;
    struct ota_region region;

    (void)state;
    table = (struct ota_partition_table){
        .flash = &chip->faulty.flash, .rows = COUNT(rows), .fixed = rows};
    faults_set(FAULT_READ, 1);
    assert_int_equal(ota_partition_get(&table, 1, &partition), OTA_OK);
    assert_string_equal(partition.label, "eeprom");
    assert_int_equal(ota_partition_get(&table, 2, &partition), OTA_ERR_NO_PARTITION);
    assert_int_equal(ota_partition_find(&table, 1, 0x82, NULL, &partition), OTA_OK);
    assert_int_equal(ota_partition_region(&table, &partition, &region), OTA_OK);
    assert_int_equal(region.offset, 0x200000);
    assert_int_equal(ota_partition_find(&table, 0, OTA_SUBTYPE_ANY, NULL, &partition),
                     OTA_ERR_NO_PARTITION);
    assert_false(faults_struck());
    faults_clear();
}

static void test_region(void **state)
{
    struct ota_partition partition;
    struct ota_region region;

    (void)state;
    MAKE(two_ota, true);
    assert_int_equal(open_table(), OTA_OK);
    assert_int_equal(ota_partition_get(&table, 4, &partition), OTA_OK);
    assert_int_equal(ota_partition_region(&table, &partition, &region), OTA_OK);
    assert_int_equal(region.offset, 0x110000);
    assert_int_equal(region.size, 0x100000);
    assert_ptr_equal(region.flash, &chip->faulty.flash);
    partition.size = CHIP;
    assert_int_equal(ota_partition_region(&table, &partition, &region), OTA_ERR_BOUNDS);
}

static void test_other_place(void **state)
{
    (void)state;
    MAKE(two_ota, true);
    memmove(chip->memory + 0x5000, bytes, OTA_PARTITION_TABLE_SIZE);
    assert_int_equal(
        ota_partition_table_open(&table, &chip->faulty.flash, 0x5000, &faulty_crypto, NULL),
        OTA_OK);
    assert_int_equal(ota_partition_table_open(&table, &chip->faulty.flash, CHIP - 0xBFF,
                                              &faulty_crypto, &failure),
                     OTA_ERR_BOUNDS);
    assert_int_equal(failure.err, OTA_ERR_BOUNDS);
    memset(bytes, 0, ROW); /* no place to tell it: no harm */
    assert_int_equal(
        ota_partition_table_open(&table, &chip->faulty.flash, TABLE, &faulty_crypto, NULL),
        OTA_ERR_TABLE_ROW);
}

/* The row changes between two looks at it. */
static void test_row_decays(void **state)
{
    struct ota_partition partition;

    (void)state;
    MAKE(two_ota, true);
    assert_int_equal(open_table(), OTA_OK);
    bytes[0] = 0;
    assert_int_equal(ota_partition_get(&table, 0, &partition), OTA_ERR_TABLE_ROW);
}

static void fault_scenario(void *context)
{
    enum ota_err expected = *(const enum ota_err *)context;
    enum ota_err err = open_table();

    assert_int_equal(err, faults_struck() ? expected : OTA_OK);
    assert_int_equal(failure.err, err);
    assert_int_equal(faulty_crypto_running(), 0);
}

static void test_faults(void **state)
{
    enum ota_err expected = OTA_ERR_FLASH_READ;

    (void)state;
    MAKE(two_ota, true);
    assert_true(faults_everywhere(FAULT_READ, fault_scenario, &expected) > 8);
    expected = OTA_ERR_CRYPTO;
    assert_int_equal(faults_everywhere(FAULT_CRYPTO, fault_scenario, &expected), 1 + 6 + 1);
}

/* Names. */

static void test_names(void **state)
{
    (void)state;
    assert_string_equal(ota_partition_type_name(OTA_PARTITION_APP), "app");
    assert_string_equal(ota_partition_type_name(OTA_PARTITION_DATA), "data");
    assert_string_equal(ota_partition_type_name(OTA_PARTITION_BOOTLOADER), "bootloader");
    assert_string_equal(ota_partition_type_name(OTA_PARTITION_TABLE), "partition_table");
    assert_null(ota_partition_type_name(0x40));
    assert_null(ota_partition_type_name(0xFF));
    assert_string_equal(ota_partition_subtype_name(OTA_PARTITION_APP, 0x00), "factory");
    assert_string_equal(ota_partition_subtype_name(OTA_PARTITION_DATA, 0x00), "ota");
    assert_string_equal(ota_partition_subtype_name(OTA_PARTITION_DATA, 0x83), "littlefs");
    assert_string_equal(ota_partition_subtype_name(OTA_PARTITION_BOOTLOADER, 2), "recovery");
    assert_string_equal(ota_partition_subtype_name(OTA_PARTITION_TABLE, 1), "ota");
    assert_null(ota_partition_subtype_name(OTA_PARTITION_APP, 0x0F));
    assert_null(ota_partition_subtype_name(0x40, 0));
    for (int i = 0; i < 16; i++) {
        char name[16];
        (void)snprintf(name, sizeof name, "ota_%d", i);
        assert_string_equal(ota_partition_subtype_name(0, (uint8_t)(0x10 + i)), name);
    }
}

/* Lists: each entry is found by its number again, no name stands twice. */
static void test_lists(void **state)
{
    static const size_t counts[] = {20, 12, 3, 2};
    const struct ota_keyword *types = ota_partition_types();
    size_t type_count = 0;

    (void)state;
    for (; types[type_count].name != NULL; type_count++) {
        uint8_t type = types[type_count].value;
        const struct ota_keyword *subtypes = ota_partition_subtypes(type);
        size_t n = 0;

        assert_string_equal(ota_partition_type_name(type), types[type_count].name);
        for (; subtypes[n].name != NULL; n++) {
            assert_string_equal(ota_partition_subtype_name(type, subtypes[n].value),
                                subtypes[n].name);
            for (size_t i = 0; i < n; i++) {
                assert_string_not_equal(subtypes[i].name, subtypes[n].name);
            }
        }
        assert_int_equal(n, counts[type]);
    }
    assert_int_equal(type_count, 4);
    assert_null(ota_partition_subtypes(0x40));
}

static void test_alignments(void **state)
{
    (void)state;
    assert_int_equal(ota_partition_alignment(OTA_PARTITION_APP), 0x10000);
    assert_int_equal(ota_partition_alignment(OTA_PARTITION_DATA), 0x1000);
    assert_int_equal(ota_partition_alignment(0x40), 0x1000);
}

/* Tables made by the original generator. */

static bool load(const char *name, uint32_t *len)
{
    char path[512];
    FILE *file;

    (void)snprintf(path, sizeof path, "%s/esp/partitions/%s", UPDRAFT_VECTORS, name);
    file = fopen(path, "rb");
    if (file == NULL) {
        return false;
    }
    memset(bytes, 0xFF, OTA_PARTITION_TABLE_SIZE);
    *len = (uint32_t)fread(bytes, 1, OTA_PARTITION_TABLE_SIZE, file);
    (void)fclose(file);
    return true;
}

static void test_recorded_tables(void **state)
{
    static const struct {
        const char *name;
        uint32_t rows;
        uint32_t ota_0; /* offset; 0: none */
    } recorded[] = {
        {"partitions_singleapp.bin", 3, 0},
        {"partitions_singleapp_coredump.bin", 4, 0},
        {"partitions_two_ota.bin", 6, 0x110000},
        {"partitions_two_ota_large.bin", 5, 0},
        {"partitions_two_ota_tee.bin", 9, 0},
        {"partitions_efuse_emul_1.bin", 8, 0x20000},
        {"partitions_efuse_emul_2.bin", 10, 0x20000},
        {"host_test_partitions.bin", 3, 0},
        {"partitions-utf8-bom.bin", 3, 0},
    };
    struct ota_partition partition;
    uint32_t len = 0;

    (void)state;
    if (!load(recorded[0].name, &len)) {
        print_message("no recorded tables in " UPDRAFT_VECTORS "\n");
        skip();
    }
    for (size_t i = 0; i < COUNT(recorded); i++) {
        assert_true(load(recorded[i].name, &len));
        assert_int_equal(len, OTA_PARTITION_TABLE_SIZE);
        assert_int_equal(
            ota_partition_table_open(&table, &chip->faulty.flash, TABLE, &ota_crypto_psa, &failure),
            OTA_OK);
        assert_true(table.has_md5);
        assert_int_equal(table.rows, recorded[i].rows);
        if (recorded[i].ota_0 != 0) {
            assert_int_equal(ota_partition_find(&table, OTA_PARTITION_APP, OTA_SUBTYPE_APP_OTA_0,
                                                NULL, &partition),
                             OTA_OK);
            assert_int_equal(partition.offset, recorded[i].ota_0);
        }
        for (uint32_t row = 0; row < table.rows; row++) { /* what is read can be written again */
            uint8_t encoded[ROW];
            assert_int_equal(ota_partition_get(&table, row, &partition), OTA_OK);
            ota_partition_encode(&partition, encoded);
            assert_memory_equal(encoded, bytes + row * ROW, ROW);
        }
    }
    assert_true(load("partitions_efuse_emul_1.bin", &len));
    assert_int_equal(open_table(), OTA_OK);
    assert_int_equal(
        ota_partition_find(&table, OTA_PARTITION_ANY, OTA_SUBTYPE_ANY, "storage", &partition),
        OTA_OK);
    assert_int_equal(partition.flags, OTA_PARTITION_FLAG_ENCRYPTED);
}

/* A file of three rows without an end: on erased flash the end follows; on other flash it does
   not. */
static void test_recorded_table_without_end(void **state)
{
    uint32_t len = 0;

    (void)state;
    if (!load("partitions_singleapp_no_end.bin", &len)) {
        skip();
    }
    assert_int_equal(len, 3 * ROW);
    assert_int_equal(open_table(), OTA_OK);
    assert_int_equal(table.rows, 3);
    memset(bytes + 3 * ROW, 0, ROW);
    refused(OTA_ERR_TABLE_ROW, 3);
}

int main(void)
{
#define WITH_CHIP(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        WITH_CHIP(test_worked_example),
        WITH_CHIP(test_md5_is_optional),
        WITH_CHIP(test_md5_covers_all),
        WITH_CHIP(test_rows_behind_the_md5),
        WITH_CHIP(test_marks),
        WITH_CHIP(test_empty),
        WITH_CHIP(test_most_rows),
        WITH_CHIP(test_bounds),
        WITH_CHIP(test_alignment),
        WITH_CHIP(test_overlap),
        WITH_CHIP(test_overlap_with_the_table),
        WITH_CHIP(test_duplicates),
        WITH_CHIP(test_find),
        WITH_CHIP(test_fixed_rows),
        WITH_CHIP(test_region),
        WITH_CHIP(test_other_place),
        WITH_CHIP(test_row_decays),
        WITH_CHIP(test_faults),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_lists),
        cmocka_unit_test(test_alignments),
        WITH_CHIP(test_recorded_tables),
        WITH_CHIP(test_recorded_table_without_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
