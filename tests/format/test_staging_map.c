/* SPDX-License-Identifier: Apache-2.0 */
/* Where things are in a staging region: docs/formats/staging.md section 1. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "format/staging.h"

#define KIB 1024u
#define MIB (1024u * KIB)

static struct ota_flash flash;
static struct ota_partition data[2];
static struct ota_staging staging;
static struct ota__staging_map map;

static int set_up(void **state)
{
    (void)state;
    flash = (struct ota_flash){.size = 4 * MIB, .erase_size = 4096, .write_size = 1};
    memset(data, 0, sizeof data);
    data[0].offset = 2 * MIB;
    data[0].size = MIB / 2;
    data[1].offset = 3 * MIB;
    data[1].size = MIB / 4;
    staging =
        (struct ota_staging){.app = {0, MIB}, .staging = {MIB, MIB}, .data = data, .data_count = 2};
    return 0;
}

static enum ota_err make_map(void)
{
    return ota__staging_map(&staging, &flash, &map);
}

static void test_copy(void **state)
{
    (void)state;
    assert_int_equal(make_map(), OTA_OK);
    assert_int_equal(map.unit, 0);
    assert_int_equal(map.command.offset, 2 * MIB - 4096);
    assert_int_equal(map.command.size, 4096);
    assert_int_equal(map.notes.offset, 2 * MIB - 3 * 4096);
    assert_int_equal(map.notes.size, 8192);
    assert_int_equal(map.end, map.notes.offset);
    assert_int_equal(map.most, MIB - 3 * 4096);
    staging.app.size = MIB / 2;
    assert_int_equal(make_map(), OTA_OK);
    assert_int_equal(map.most, MIB / 2);
}

/* Any data may be written in place. */
static void test_notes(void **state)
{
    (void)state;
    staging.data_count = 0;
    assert_int_equal(make_map(), OTA_OK);
    assert_int_equal(map.notes.size, 0);
    assert_int_equal(map.end, 2 * MIB - 4096);
    assert_int_equal(map.most, MIB - 4096);
    staging.data_count = 1;
    assert_int_equal(make_map(), OTA_OK);
    assert_int_equal(map.notes.size, 2 * 4096);
    flash.write_size = 256;
    flash.erase_size = 256;
    staging.data_count = 2; /* three records in each half */
    assert_int_equal(make_map(), OTA_OK);
    assert_int_equal(map.notes.size, 2 * 3 * 256);
}

/* Spare and command together are as small as may be. Log: 8 places for each unit, and 48. */
static void test_units_of_a_swap(void **state)
{
    static const struct {
        uint32_t erase_size, write_size, app, unit, command;
    } cases[] = {
        {4096, 1, 512 * KIB, 8192, 4096},     /* of equals the larger */
        {4096, 1, MIB, 8192, 8192},           /* 80 + (8 * 128 + 48) * 4 */
        {4096, 1, 2 * MIB, 8192, 12288},      /* 80 + (8 * 256 + 48) * 4 */
        {4096, 256, MIB, 64 * KIB, 48 * KIB}, /* 512 + (8 * 16 + 48) * 256 */
        {2048, 8, 256 * KIB, 4096, 6144},     /* 80 + (8 * 64 + 48) * 8 */
        {8192, 16, MIB, 16384, 16384},        /* 80 + (8 * 64 + 48) * 16 */
        {131072, 32, MIB, 131072, 131072},
        {256, 256, 2 * KIB, 2 * KIB, 58 * 256}, /* 512 + (8 + 48) * 256 */
        {4096, 1, 516 * KIB, 4096, 8192},       /* an odd number of sectors */
    };

    (void)state;
    staging.swap = true;
    staging.data_count = 0;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        flash.erase_size = cases[i].erase_size;
        flash.write_size = cases[i].write_size;
        staging.app.size = cases[i].app;
        staging.staging.offset = 2 * MIB;
        staging.staging.size = 2 * MIB;
        assert_int_equal(make_map(), OTA_OK);
        assert_int_equal(map.unit, cases[i].unit);
        assert_int_equal(map.command.size, cases[i].command);
        assert_true(map.most <= cases[i].app);
        assert_true(map.most + map.unit <= map.end - staging.staging.offset);
    }
}

static void test_a_unit_by_choice(void **state)
{
    (void)state;
    staging.swap = true;
    staging.swap_unit = 65536;
    assert_int_equal(make_map(), OTA_OK);
    assert_int_equal(map.unit, 65536);
    assert_int_equal(map.command.size, 4096);
    assert_int_equal(map.most, MIB - 2 * 65536); /* one is spare, one is begun by the command */
    staging.swap_unit = 2048;
    assert_int_equal(make_map(), OTA_ERR_ARGUMENT);
    staging.swap_unit = 12288;
    assert_int_equal(make_map(), OTA_ERR_ARGUMENT);
    staging.swap_unit = 2 * MIB; /* no image is as small as that */
    assert_int_equal(make_map(), OTA_ERR_ARGUMENT);
}

static void test_places_that_cannot_be(void **state)
{
    static const struct ota_extent extents[] = {
        {0, 0}, {4 * MIB + 4096, 4096}, {2 * MIB, 2 * MIB + 4096}};
    static const struct ota_extent crooked[] = {{1, 4096}, {MIB + 8192, 4097}};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        (void)set_up(NULL);
        staging.app = extents[i];
        assert_int_equal(make_map(), OTA_ERR_BOUNDS);
        (void)set_up(NULL);
        staging.staging = extents[i];
        assert_int_equal(make_map(), OTA_ERR_BOUNDS);
        (void)set_up(NULL);
        data[1].offset = extents[i].offset;
        data[1].size = extents[i].size;
        assert_int_equal(make_map(), OTA_ERR_BOUNDS);
    }
    for (size_t i = 0; i < 2; i++) {
        (void)set_up(NULL);
        staging.app = crooked[i];
        assert_int_equal(make_map(), OTA_ERR_ARGUMENT);
        (void)set_up(NULL);
        staging.staging = crooked[i];
        assert_int_equal(make_map(), OTA_ERR_ARGUMENT);
        (void)set_up(NULL);
        data[1].offset = 3 * MIB + 1;
        assert_int_equal(make_map(), OTA_ERR_ARGUMENT);
    }
    data[1].offset = MIB - 4096; /* in app */
    assert_int_equal(make_map(), OTA_ERR_ARGUMENT);
    data[1].offset = 2 * MIB - 4096; /* in staging */
    assert_int_equal(make_map(), OTA_ERR_ARGUMENT);
}

static void test_shared_space(void **state)
{
    (void)state;
    staging.app.size = 2 * MIB;
    staging.staging.offset = 64 * KIB;
    staging.staging.size = 2 * MIB - 64 * KIB;
    assert_int_equal(make_map(), OTA_OK);
    staging.staging.size -= 4096; /* it ends within the app's place */
    assert_int_equal(make_map(), OTA_ERR_ARGUMENT);
    staging.staging.size += 4096;
    staging.swap = true;
    assert_int_equal(make_map(), OTA_ERR_ARGUMENT);
    staging.swap = false;
    staging.staging.offset = 0;
    staging.staging.size = 2 * MIB;
    assert_int_equal(make_map(), OTA_ERR_ARGUMENT);
}

static void test_kept_bytes(void **state)
{
    (void)state;
    staging.kept = 4096;
    assert_int_equal(make_map(), OTA_OK);
    staging.swap = true;
    assert_int_equal(make_map(), OTA_ERR_ARGUMENT);
    staging.swap = false;
    staging.kept = 100;
    assert_int_equal(make_map(), OTA_ERR_ARGUMENT);
    staging.kept = MIB;
    assert_int_equal(make_map(), OTA_ERR_ARGUMENT);
}

static void test_too_little_room(void **state)
{
    (void)state;
    staging.staging.size = 8192;
    staging.data_count = 0;
    assert_int_equal(make_map(), OTA_ERR_ARGUMENT);
    staging.staging.size = 3 * 4096;
    assert_int_equal(make_map(), OTA_OK);
    assert_int_equal(map.most, 8192);
    staging.data_count = 2;
    assert_int_equal(make_map(), OTA_ERR_ARGUMENT);
    staging.staging.size = 4 * 4096;
    assert_int_equal(make_map(), OTA_OK);
    assert_int_equal(map.most, 4096);

    /* A swap needs a spare unit, too. */
    staging.swap = true;
    assert_int_equal(make_map(), OTA_ERR_ARGUMENT);

    /* More units than there are numbers for. */
    flash.erase_size = 128;
    staging.swap_unit = 128;
    staging.app.size = 2 * MIB;
    staging.staging.offset = 2 * MIB;
    staging.staging.size = 2 * MIB;
    staging.data_count = 0;
    assert_int_equal(make_map(), OTA_ERR_ARGUMENT);
}

static void test_too_many_data_partitions(void **state)
{
    static struct ota_partition many[OTA_STAGING_DATA_MAX + 1];

    (void)state;
    for (unsigned i = 0; i <= OTA_STAGING_DATA_MAX; i++) {
        many[i] = data[0];
    }
    staging.data = many;
    staging.data_count = OTA_STAGING_DATA_MAX;
    assert_int_equal(make_map(), OTA_OK);
    staging.data_count++;
    assert_int_equal(make_map(), OTA_ERR_ARGUMENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_copy, set_up),
        cmocka_unit_test_setup(test_notes, set_up),
        cmocka_unit_test_setup(test_units_of_a_swap, set_up),
        cmocka_unit_test_setup(test_a_unit_by_choice, set_up),
        cmocka_unit_test_setup(test_places_that_cannot_be, set_up),
        cmocka_unit_test_setup(test_shared_space, set_up),
        cmocka_unit_test_setup(test_kept_bytes, set_up),
        cmocka_unit_test_setup(test_too_little_room, set_up),
        cmocka_unit_test_setup(test_too_many_data_partitions, set_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
