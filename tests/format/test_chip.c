/* SPDX-License-Identifier: Apache-2.0 */
/* Facts of chips: docs/formats/image.md sections 3 and 5. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include <updraft/chip.h>

static void window_is(struct ota_chip_window window, uint32_t start, uint32_t end)
{
    assert_true(ota_chip_window_holds(window, start));
    assert_true(ota_chip_window_holds(window, end - 1));
    assert_false(ota_chip_window_holds(window, start - 1));
    assert_false(ota_chip_window_holds(window, end));
}

static void test_table(void **state)
{
    static const struct {
        uint16_t id;
        const char *name;
        uint32_t bootloader, irom, irom_end, drom, drom_end;
        bool large;
    } expected[] = {
        {0x0000, "esp32", 0x1000, 0x400D0000, 0x40400000, 0x3F400000, 0x3F800000, false},
        {0x0002, "esp32-s2", 0x1000, 0x40080000, 0x40B80000, 0x3F000000, 0x3F3F0000, false},
        {0x0005, "esp32-c3", 0, 0x42000000, 0x42800000, 0x3C000000, 0x3C800000, false},
        {0x0009, "esp32-s3", 0, 0x42000000, 0x44000000, 0x3C000000, 0x3E000000, true},
        {0x000C, "esp32-c2", 0, 0x42000000, 0x42400000, 0x3C000000, 0x3C400000, false},
        {0x000D, "esp32-c6", 0, 0x42000000, 0x42800000, 0x42800000, 0x43000000, false},
        {0x0010, "esp32-h2", 0, 0x42000000, 0x42800000, 0x42800000, 0x43000000, false},
        {0x0012, "esp32-p4", 0x2000, 0x40000000, 0x4C000000, 0x40000000, 0x4C000000, true},
        {0x0014, "esp32-c61", 0, 0x42000000, 0x42800000, 0x42800000, 0x43000000, true},
        {0x0017, "esp32-c5", 0x2000, 0x42000000, 0x44000000, 0x42000000, 0x44000000, true},
        {0x0019, "esp32-h21", 0, 0x42000000, 0x42800000, 0x42800000, 0x43000000, false},
        {0x001C, "esp32-h4", 0x2000, 0x42000000, 0x42800000, 0x42800000, 0x43000000, true},
        {0x001F, "esp32-e22", 0, 0x3C000000, 0x40000000, 0x3C000000, 0x40000000, false},
        {0x0020, "esp32-s31", 0x2000, 0x40000000, 0x54000000, 0x40000000, 0x54000000, true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        const struct ota_chip_facts *chip = ota_chip_facts(expected[i].id);
        assert_non_null(chip);
        assert_int_equal(chip->id, expected[i].id);
        assert_string_equal(chip->name, expected[i].name);
        assert_int_equal(chip->bootloader_offset, expected[i].bootloader);
        window_is(chip->irom, expected[i].irom, expected[i].irom_end);
        window_is(chip->drom, expected[i].drom, expected[i].drom_end);
        assert_int_equal(chip->large_flash, expected[i].large);
    }
}

static void test_pages(void **state)
{
    static const struct {
        uint16_t id;
        uint32_t min, max; /* KB; 0: it does not vary */
    } pages[] = {
        {OTA_CHIP_ESP32, 0, 0},       {OTA_CHIP_ESP32S3, 0, 0},   {OTA_CHIP_ESP32C3, 0, 0},
        {OTA_CHIP_ESP32C2, 16, 64},   {OTA_CHIP_ESP32C6, 8, 64},  {OTA_CHIP_ESP32C61, 8, 64},
        {OTA_CHIP_ESP32H2, 8, 64},    {OTA_CHIP_ESP32H21, 8, 64}, {OTA_CHIP_ESP32H4, 8, 64},
        {OTA_CHIP_ESP32S31, 32, 256},
    };

    (void)state;
    for (size_t i = 0; i < sizeof pages / sizeof pages[0]; i++) {
        const struct ota_chip_facts *chip = ota_chip_facts(pages[i].id);
        if (pages[i].max == 0) {
            assert_int_equal(chip->page_log2_min, 0);
            assert_int_equal(chip->page_log2_max, 0);
        } else {
            assert_int_equal(1u << chip->page_log2_min, pages[i].min * 1024);
            assert_int_equal(1u << chip->page_log2_max, pages[i].max * 1024);
        }
    }
}

static void test_listing(void **state)
{
    unsigned count = 0;
    const struct ota_chip_facts *chip;

    (void)state;
    while ((chip = ota_chip_facts_at(count)) != NULL) {
        assert_ptr_equal(ota_chip_facts(chip->id), chip);
        for (unsigned i = 0; i < count; i++) {
            assert_string_not_equal(ota_chip_facts_at(i)->name, chip->name);
        }
        count++;
    }
    assert_int_equal(count, 16); /* the 14 of the family, esp8266 and host */
    assert_null(ota_chip_facts_at(count + 1));
    assert_string_equal(ota_chip_facts(OTA_CHIP_ESP8266)->name, "esp8266");
    assert_string_equal(ota_chip_facts(OTA_CHIP_HOST)->name, "host");
    assert_false(ota_chip_window_holds(ota_chip_facts(OTA_CHIP_HOST)->irom, 0));
    assert_false(ota_chip_window_holds(ota_chip_facts(OTA_CHIP_ESP8266)->drom, 0x40201000));
    assert_null(ota_chip_facts(1));
    assert_null(ota_chip_facts(OTA_CHIP_ANY));
}

static void test_named(void **state)
{
    unsigned n = 0;
    const struct ota_chip_facts *chip;

    (void)state;
    for (; (chip = ota_chip_facts_at(n)) != NULL; n++) {
        assert_ptr_equal(ota_chip_named(chip->name), chip);
    }
    assert_int_equal(n, 16);
    assert_int_equal(ota_chip_named("esp32s3")->id, OTA_CHIP_ESP32S3);
    assert_int_equal(ota_chip_named("ESP32-S3")->id, OTA_CHIP_ESP32S3);
    assert_int_equal(ota_chip_named("Esp32_C61")->id, OTA_CHIP_ESP32C61);
    assert_null(ota_chip_named("esp32s"));
    assert_null(ota_chip_named("esp32s33"));
    assert_null(ota_chip_named("[sp32"));
    assert_null(ota_chip_named(""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_pages),
        cmocka_unit_test(test_listing),
        cmocka_unit_test(test_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
