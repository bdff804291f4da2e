/* SPDX-License-Identifier: Apache-2.0 */
/* Profiles: each can be a board, and what lies where is what its name says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <updraft/chip.h>
#include <updraft/crypto.h>
#include <updraft/device.h>
#include <updraft/esp8266_layout.h>

#include "posix/profile.h"

/* Opens a device of this profile, on a chip that is blank. */
static void assert_can_be(const struct profile *profile)
{
    struct nor_config config = {.size = profile->flash_size,
                                .write_size = profile->write_size,
                                .program_once = profile->program_once};
    struct nor_state state = {.off = false};
    struct nor nor;
    uint8_t *memory = malloc(profile->flash_size);
    uint32_t *wear = calloc(profile->flash_size / profile->erase_sizes[0], sizeof *wear);
    for (int i = 0; i < NOR_ERASE_UNITS_MAX; i++) {
        config.erase[i].size = profile->erase_sizes[i];
    }
    assert_non_null(memory);
    assert_non_null(wear);
    assert_int_equal(nor_init(&nor, &config, memory, wear, &state), OTA_OK);
    nor_blank(&nor);
    struct ota_device device = {.flash = &nor.flash,
                                .crypto = &ota_crypto_openssl,
                                .form = OTA_IMAGE_ESP32,
                                .staging = &profile->staging};
    assert_int_equal(ota_staging_open(&device), OTA_OK);
    assert_int_equal(device.table.rows, profile->staging.data_count);
    free(memory);
    free(wear);
}

static void test_each_can_be(void **unused)
{
    (void)unused;
    struct profile profile;
    unsigned count = 0;
    for (; profile_at(count, &profile); count++) {
        assert_can_be(&profile);
        assert_true(strlen(profile.title) > 10);
    }
    assert_true(count > 15);
}

static void test_each_is_found_by_its_name(void **unused)
{
    (void)unused;
    struct profile profile;
    for (unsigned n = 0; profile_at(n, &profile); n++) {
        struct profile found;
        assert_true(profile_find(profile.name, &found));
        assert_string_equal(found.name, profile.name);
        assert_int_equal(found.flash_size, profile.flash_size);
        assert_ptr_equal(found.staging.data, found.partitions);
    }
    assert_false(profile_find("esp8266", &profile));
    assert_false(profile_find("", &profile));
}

/* Every layout of the chip has one. */
static void test_esp8266(void **unused)
{
    (void)unused;
    for (unsigned n = 0; ota_esp8266_layout_at(n) != NULL; n++) {
        const struct ota_esp8266_layout *layout = ota_esp8266_layout_at(n);
        struct profile profile;
        char name[40] = "esp8266-";
        assert_true(profile_find(strcat(name, layout->name), &profile));
        assert_int_equal(profile.chip, OTA_CHIP_ESP8266);
        assert_false(profile.any_chip);
        assert_ptr_equal(profile.esp8266, layout);
        assert_int_equal(profile.flash_size, layout->flash_size);
        assert_int_equal(profile.staging.data_count, layout->fs_block != 0 ? 4 : 3);
        assert_false(profile.staging.swap);
        assert_true(profile.staging.inflates);
    }
}

static void test_4m2m(void **unused)
{
    (void)unused;
    static const struct {
        const char *label;
        struct ota_extent extent;
        uint32_t flags;
    } areas[] = {
        {"fs", {0x200000, 0x1FA000}, 0},
        {"eeprom", {0x3FB000, 0x1000}, OTA_PARTITION_FLAG_READ_ONLY},
        {"rf_cal", {0x3FC000, 0x1000}, OTA_PARTITION_FLAG_READ_ONLY},
        {"wifi", {0x3FD000, 0x3000}, OTA_PARTITION_FLAG_READ_ONLY},
    };
    struct profile profile;
    assert_true(profile_find("esp8266-4m2m", &profile));
    assert_int_equal(profile.staging.app.offset, 0);
    assert_int_equal(profile.staging.app.size, 0x200000);
    for (size_t i = 0; i < 4; i++) {
        const struct ota_partition *partition = &profile.staging.data[i];
        assert_string_equal(partition->label, areas[i].label);
        assert_int_equal(partition->type, OTA_PARTITION_DATA);
        assert_int_equal(partition->offset, areas[i].extent.offset);
        assert_int_equal(partition->size, areas[i].extent.size);
        assert_int_equal(partition->flags, areas[i].flags);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_can_be),
        cmocka_unit_test(test_each_is_found_by_its_name),
        cmocka_unit_test(test_esp8266),
        cmocka_unit_test(test_4m2m),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
