/* SPDX-License-Identifier: Apache-2.0 */
/* The layouts of Arduino's core for the ESP8266: docs/formats/flash-layout.md section 7. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <updraft/esp8266_layout.h>
#include <updraft/sink.h>

#include "support/forge.h"
#include "support/ram_flash.h"
#include "support/recorded.h"

#define FLASH_SIZE 0x80000u

static const struct ota_esp8266_layout *find(const char *name)
{
    const struct ota_esp8266_layout *layout = ota_esp8266_layout_find(name);

    assert_non_null(layout);
    return layout;
}

/* The table of section 7. */
static void test_the_layouts(void **state)
{
    static const struct ota_esp8266_layout table[] = {
        {"512k", 0x80000, 0x07B000, 0x07B000, 0},
        {"512k32", 0x80000, 0x073000, 0x07B000, 4096},
        {"1m", 0x100000, 0x0FB000, 0x0FB000, 0},
        {"1m64", 0x100000, 0x0EB000, 0x0FB000, 4096},
        {"1m128", 0x100000, 0x0DB000, 0x0FB000, 4096},
        {"1m256", 0x100000, 0x0BB000, 0x0FB000, 4096},
        {"1m512", 0x100000, 0x07B000, 0x0FB000, 8192},
        {"2m256", 0x200000, 0x1C0000, 0x1FB000, 4096},
        {"2m1m", 0x200000, 0x100000, 0x1FA000, 8192},
        {"4m", 0x400000, 0x3FB000, 0x3FB000, 0},
        {"4m1m", 0x400000, 0x300000, 0x3FA000, 8192},
        {"4m2m", 0x400000, 0x200000, 0x3FA000, 8192},
        {"4m3m", 0x400000, 0x100000, 0x3FA000, 8192},
        {"8m6m", 0x800000, 0x200000, 0x7FA000, 8192},
        {"16m14m", 0x1000000, 0x200000, 0xFFA000, 8192},
    };
    unsigned count = 0;

    (void)state;
    for (; ota_esp8266_layout_at(count) != NULL; count++) {
        const struct ota_esp8266_layout *layout = ota_esp8266_layout_at(count);

        assert_true(count < sizeof table / sizeof table[0]);
        assert_string_equal(layout->name, table[count].name);
        assert_int_equal(layout->flash_size, table[count].flash_size);
        assert_int_equal(layout->fs_begin, table[count].fs_begin);
        assert_int_equal(layout->fs_end, table[count].fs_end);
        assert_int_equal(layout->fs_block, table[count].fs_block);
        assert_ptr_equal(ota_esp8266_layout_find(table[count].name), layout);
    }
    assert_int_equal(count, sizeof table / sizeof table[0]);
    assert_null(ota_esp8266_layout_find("4m4m"));
    assert_null(ota_esp8266_layout_find(""));
    assert_null(ota_esp8266_layout_find("4m2"));
}

/* They lie in order, in whole sectors, and end where the flash does. */
static void test_the_areas(void **state)
{
    (void)state;
    for (unsigned n = 0; ota_esp8266_layout_at(n) != NULL; n++) {
        const struct ota_esp8266_layout *layout = ota_esp8266_layout_at(n);
        uint32_t end = 0;

        for (int area = 0; area < OTA_ESP8266_AREAS; area++) {
            struct ota_extent extent = ota_esp8266_layout_area(layout, (enum ota_esp8266_area)area);
            assert_true(extent.offset >= end);
            assert_int_equal(extent.offset % OTA_ESP8266_SECTOR, 0);
            assert_int_equal(extent.size % OTA_ESP8266_SECTOR, 0);
            assert_true(extent.size != 0 || area == OTA_ESP8266_FILE_SYSTEM);
            end = extent.offset + extent.size;
        }
        assert_int_equal(end, layout->flash_size);
    }
}

static void test_the_areas_of_4m2m(void **state)
{
    static const struct ota_extent areas[] = {
        {0, 0x200000},      {0x200000, 0x1FA000}, {0x3FB000, 0x1000},
        {0x3FC000, 0x1000}, {0x3FD000, 0x3000},
    };

    (void)state;
    for (int area = 0; area < OTA_ESP8266_AREAS; area++) {
        struct ota_extent extent =
            ota_esp8266_layout_area(find("4m2m"), (enum ota_esp8266_area)area);
        assert_int_equal(extent.offset, areas[area].offset);
        assert_int_equal(extent.size, areas[area].size);
    }
}

static void test_layouts_by_the_size_of_the_flash(void **state)
{
    static const struct {
        uint32_t size;
        const char *name;
    } cases[] = {
        {0x80000, "512k32"}, {0x100000, "1m64"}, {0x200000, "2m256"},
        {0x400000, "4m2m"},  {0x800000, "8m6m"}, {0x1000000, "16m14m"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_ptr_equal(ota_esp8266_layout_for(cases[i].size), find(cases[i].name));
    }
    assert_null(ota_esp8266_layout_for(0x40000));
    assert_null(ota_esp8266_layout_for(0x2000000));
}

/* ---- Staging --------------------------------------------------------------------------------- */

/* The two examples of section 7. */
static void test_free_space(void **state)
{
    (void)state;
    assert_int_equal(ota_esp8266_free_space(find("4m3m"), 373940), 671744);
    assert_int_equal(ota_esp8266_free_space(find("4m2m"), 0), 0x200000);
    assert_int_equal(ota_esp8266_free_space(find("512k"), 0x7A000), 0x1000);
    assert_int_equal(ota_esp8266_free_space(find("512k"), 0x7A001), 0);
    assert_int_equal(ota_esp8266_free_space(find("512k"), 0x7B000), 0);
    assert_int_equal(ota_esp8266_free_space(find("512k"), UINT32_MAX), 0);
}

static void assert_staged(const char *layout, uint32_t sketch, uint32_t size, uint32_t expected)
{
    uint32_t offset = 0;

    assert_int_equal(ota_esp8266_stage(find(layout), sketch, size, &offset), OTA_OK);
    assert_int_equal(offset, expected);
}

static void assert_no_room(const char *layout, uint32_t sketch, uint32_t size)
{
    uint32_t offset = 77;

    assert_int_equal(ota_esp8266_stage(find(layout), sketch, size, &offset), OTA_ERR_TOO_LARGE);
    assert_int_equal(offset, 77);
}

static void test_staging(void **state)
{
    (void)state;
    assert_staged("4m2m", 18896, 18896, 0x1FB000);
    assert_staged("1m64", 18896, 18896, 0xE6000);
    assert_staged("4m2m", 18896, 6574, 0x1FE000);
    assert_staged("4m2m", 0x100000, 0x100000, 0x100000);
    assert_no_room("4m2m", 0x100000, 0x100001);
    assert_no_room("4m2m", 0x100001, 0x100000);
    assert_no_room("512k", 0x7B000, 1);
    assert_no_room("512k", 0, UINT32_MAX - 1);
}

/* What an upload page stages: right above the running sketch and one sector. */
static void test_staging_what_has_no_size(void **state)
{
    (void)state;
    assert_staged("4m2m", 18896, OTA_SIZE_UNKNOWN, 0x6000);
    assert_staged("512k", 0x79000, OTA_SIZE_UNKNOWN, 0x7A000);
    assert_no_room("512k", 0x7A000, OTA_SIZE_UNKNOWN);
    assert_no_room("512k", 0x7B000, OTA_SIZE_UNKNOWN);
}

/* ---- The size of a sketch -------------------------------------------------------------------- */

static struct ram_flash *chip;

static int make_chip(void **state)
{
    (void)state;
    chip = ram_flash_new(FLASH_SIZE, 4096, 0, 1);
    return 0;
}

static int free_chip(void **state)
{
    (void)state;
    ram_flash_free(chip);
    return 0;
}

static void put(const uint8_t *bytes, uint32_t len)
{
    assert_true(len <= FLASH_SIZE);
    memcpy(chip->memory, bytes, len);
}

static enum ota_err size_of_sketch(uint32_t *size)
{
    *size = 0;
    return ota_esp8266_sketch_size(&chip->faulty.flash, size);
}

static void test_a_sketch(void **state)
{
    struct forge forge = {.len = 0};
    uint32_t size;

    (void)state;
    forge_esp8266_arduino(&forge, true);
    put(forge.bytes, forge.len);
    assert_int_equal(size_of_sketch(&size), OTA_OK);
    assert_int_equal(size, forge.len);
}

static void test_no_sketch(void **state)
{
    uint32_t size;

    (void)state;
    assert_int_equal(size_of_sketch(&size), OTA_ERR_IMAGE_MAGIC);
}

static void test_too_many_segments(void **state)
{
    uint32_t size;

    (void)state;
    memcpy(chip->memory + 0x1000, "\xE9\x11", 2);
    assert_int_equal(size_of_sketch(&size), OTA_ERR_IMAGE_SEGMENT_COUNT);
}

/* One segment whose data end at this offset of the flash. */
static void put_segment_to(uint32_t end)
{
    memcpy(chip->memory + 0x1000, "\xE9\x01", 2);
    forge_put32(chip->memory + 0x100C, end - 0x1010);
}

static void test_a_sketch_that_fills_the_flash(void **state)
{
    uint32_t size;

    (void)state;
    put_segment_to(FLASH_SIZE - 1);
    assert_int_equal(size_of_sketch(&size), OTA_OK);
    assert_int_equal(size, FLASH_SIZE);
}

static void test_segments_beyond_the_flash(void **state)
{
    uint32_t size;

    (void)state;
    put_segment_to(FLASH_SIZE); /* no room for the checksum */
    assert_int_equal(size_of_sketch(&size), OTA_ERR_IMAGE_TRUNCATED);
    put_segment_to(FLASH_SIZE + 1);
    assert_int_equal(size_of_sketch(&size), OTA_ERR_IMAGE_TRUNCATED);
    forge_put32(chip->memory + 0x100C, UINT32_MAX);
    assert_int_equal(size_of_sketch(&size), OTA_ERR_IMAGE_TRUNCATED);
    put_segment_to(FLASH_SIZE - 7);
    chip->memory[0x1001] = 2; /* no room for the second one's header */
    assert_int_equal(size_of_sketch(&size), OTA_ERR_IMAGE_TRUNCATED);
}

static void read_size(void *context)
{
    uint32_t size;

    (void)context;
    enum ota_err err = size_of_sketch(&size);
    assert_int_equal(err, faults_struck() ? OTA_ERR_FLASH_READ : OTA_OK);
}

static void test_faults_of_the_flash(void **state)
{
    struct forge forge = {.len = 0};

    (void)state;
    forge_esp8266_arduino(&forge, true);
    put(forge.bytes, forge.len);
    assert_true(faults_everywhere(FAULT_READ, read_size, NULL) > 2);
}

static void test_the_recorded_sketch(void **state)
{
    uint32_t len;
    uint32_t size;
    uint8_t *bytes = recorded_read(UPDRAFT_VECTORS, "arduino/eboot/esp8266-synthetic.bin", &len);

    (void)state;
    if (bytes == NULL) {
        skip();
        return;
    }
    put(bytes, len);
    free(bytes);
    assert_int_equal(size_of_sketch(&size), OTA_OK);
    assert_int_equal(size, 18896);
}

#define ON_CHIP(test) cmocka_unit_test_setup_teardown(test, make_chip, free_chip)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_layouts),
        cmocka_unit_test(test_the_areas),
        cmocka_unit_test(test_the_areas_of_4m2m),
        cmocka_unit_test(test_layouts_by_the_size_of_the_flash),
        cmocka_unit_test(test_free_space),
        cmocka_unit_test(test_staging),
        cmocka_unit_test(test_staging_what_has_no_size),
        ON_CHIP(test_a_sketch),
        ON_CHIP(test_no_sketch),
        ON_CHIP(test_too_many_segments),
        ON_CHIP(test_a_sketch_that_fills_the_flash),
        ON_CHIP(test_segments_beyond_the_flash),
        ON_CHIP(test_faults_of_the_flash),
        ON_CHIP(test_the_recorded_sketch),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
