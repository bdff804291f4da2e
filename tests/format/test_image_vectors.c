/* SPDX-License-Identifier: Apache-2.0 */
/* Recorded images of real builds, with the facts that other tools found in them. They are not part
   of this tree: where they are absent, the tests are skipped. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "feed.h"

static uint8_t *bytes;
static uint32_t len;

static bool load(const char *name)
{
    char path[512];
    FILE *file;

    free(bytes);
    bytes = NULL;
    (void)snprintf(path, sizeof path, "%s/%s", UPDRAFT_VECTORS, name);
    file = fopen(path, "rb");
    if (file == NULL) {
        return false;
    }
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    len = (uint32_t)ftell(file);
    rewind(file);
    bytes = malloc(len);
    assert_non_null(bytes);
    assert_int_equal(fread(bytes, 1, len, file), len);
    (void)fclose(file);
    return true;
}

static int tear_down(void **state)
{
    (void)state;
    free(bytes);
    bytes = NULL;
    return 0;
}

#define NEED(name)                                              \
    do {                                                        \
        if (!load(name)) {                                      \
            print_message("no " UPDRAFT_VECTORS "/%s\n", name); \
            skip();                                             \
        }                                                       \
    } while (0)

struct recorded {
    const char *name;
    enum ota_image_form form;
    enum ota_image_variant variant;
    enum ota_image_role role;
    uint32_t size;
    uint16_t chip;
    uint8_t segments;
    uint32_t entry;
    uint8_t checksum;
    uint32_t length; /* of the image within the file */
};

static const struct recorded images[] = {
    {"esp/images/helloworld-esp32.bin", OTA_IMAGE_ESP32, OTA_VARIANT_NONE, OTA_ROLE_BOOTLOADER, 128,
     0, 2, 0x4008C008, 0x14, 128},
    {"esp/images/helloworld-esp32c2.bin", OTA_IMAGE_ESP32, OTA_VARIANT_NONE, OTA_ROLE_BOOTLOADER,
     128, 12, 2, 0x40390000, 0xA1, 128},
    {"esp/images/helloworld-esp32c3.bin", OTA_IMAGE_ESP32, OTA_VARIANT_NONE, OTA_ROLE_BOOTLOADER,
     128, 5, 2, 0x403DFD00, 0x06, 128},
    {"esp/images/helloworld-esp32c6.bin", OTA_IMAGE_ESP32, OTA_VARIANT_NONE, OTA_ROLE_BOOTLOADER,
     128, 13, 2, 0x40860000, 0xEA, 128},
    {"esp/images/helloworld-esp32p4.bin", OTA_IMAGE_ESP32, OTA_VARIANT_NONE, OTA_ROLE_BOOTLOADER,
     128, 18, 2, 0x4FF60000, 0xE5, 128},
    {"esp/images/bootloader_esp32.bin", OTA_IMAGE_ESP32, OTA_VARIANT_NONE, OTA_ROLE_BOOTLOADER,
     7888, 0, 4, 0x4009816C, 0x83, 7888},
    {"esp/images/bootloader_esp32_v5_2.bin", OTA_IMAGE_ESP32, OTA_VARIANT_NONE, OTA_ROLE_BOOTLOADER,
     26768, 0, 4, 0x40080650, 0xBE, 26768},
    {"esp/images/esp32c3_header_min_rev.bin", OTA_IMAGE_ESP32, OTA_VARIANT_NONE,
     OTA_ROLE_BOOTLOADER, 48, 5, 1, 0xDEADBEEF, 0xEF, 48},
    {"esp/images/esp_idf_blink_esp32s2.bin", OTA_IMAGE_ESP32, OTA_VARIANT_NONE, OTA_ROLE_APP,
     182368, 2, 6, 0x40022F84, 0x18, 182368},
    {"arduino/psychichttp/code.bin", OTA_IMAGE_ESP32, OTA_VARIANT_NONE, OTA_ROLE_APP, 867072, 9, 5,
     0x4037702C, 0x80, 867072},
    {"esp/images/4096_user1.bin", OTA_IMAGE_ESP8266, OTA_VARIANT_V2, OTA_ROLE_APP, 256836, 0, 3,
     0x40100004, 0xDA, 256836},
    {"esp/images/bootloader_esp8266.bin", OTA_IMAGE_ESP8266, OTA_VARIANT_V1, OTA_ROLE_APP, 2752, 0,
     3, 0x40100294, 0xC0, 2752},
    {"esp/images/helloworld-esp8266.bin", OTA_IMAGE_ESP8266, OTA_VARIANT_V1, OTA_ROLE_APP, 80, 0, 2,
     0x40108008, 0x12, 80},
    {"arduino/signing/sketch.bin", OTA_IMAGE_ESP8266, OTA_VARIANT_ARDUINO, OTA_ROLE_APP, 18896, 0,
     5, 0x40100004, 0xDA, 18896},
    {"arduino/eboot/esp8266-synthetic.bin", OTA_IMAGE_ESP8266, OTA_VARIANT_ARDUINO, OTA_ROLE_APP,
     18896, 0, 5, 0x40100004, 0xDA, 18896},
};

static void check_recorded(const struct recorded *r)
{
    static const uint32_t pieces[] = {0x7FFFFFFF, 4096, 256, 1460, 0, 1};

    assert_int_equal(len, r->size);
    for (size_t form = 0; form < 2; form++) {
        struct ota_image_rules rules = feed_rules(form == 0 ? r->form : OTA_IMAGE_DETECT);
        rules.role = r->role;
        rules.size_max = 2u << 20;
        rules.chip.ignore_revisions = true;
        for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
            struct ota_image_check check;
            if (pieces[i] == 1 && len > 200000) {
                continue;
            }
            assert_int_equal(feed(&check, &rules, bytes, len, pieces[i], (uint32_t)i), OTA_OK);
            assert_int_equal(check.image.form, r->form);
            assert_int_equal(check.image.variant, r->variant);
            assert_int_equal(check.image.chip_id, r->chip);
            assert_int_equal(check.image.segment_count, r->segments);
            assert_int_equal(check.image.entry, r->entry);
            assert_int_equal(check.image.checksum, r->checksum);
            assert_int_equal(check.image.length, r->length);
        }
    }
}

static void test_recorded(void **state)
{
    (void)state;
    NEED(images[0].name);
    for (size_t i = 0; i < sizeof images / sizeof images[0]; i++) {
        assert_true(load(images[i].name));
        check_recorded(&images[i]);
    }
}

struct segments {
    unsigned count;
    uint32_t address[16], len[16];
};

static void record(void *context, unsigned index, uint32_t offset, uint32_t address,
                   uint32_t segment_len)
{
    struct segments *segments = context;

    (void)offset;
    segments->address[index] = address;
    segments->len[index] = segment_len;
    segments->count = index + 1;
}

static void test_esp32s3_app(void **state)
{
    static const uint32_t address[] = {0x3C0A0020, 0x3FC93F60, 0x40374000, 0x42000020, 0x4037DD5C};
    static const uint32_t lens[] = {134208, 22092, 40284, 645292, 25092};
    static const uint8_t digest[] = {0xf0, 0x34, 0x5d, 0x3f, 0x3a, 0x50, 0xfc, 0xc1};
    static const uint8_t elf[] = {0xf2, 0x73, 0xbe, 0x26, 0xe9, 0x16, 0x92, 0x1e};
    struct segments segments = {.count = 0};
    struct ota_image_rules rules = feed_rules(OTA_IMAGE_ESP32);
    struct ota_image_check check;
    struct ota_app_descriptor descriptor;

    (void)state;
    NEED("arduino/psychichttp/code.bin");
    rules.size_max = 0x330000;
    rules.flash_offset = 0x10000;
    rules.chip = (struct ota_chip){.id = OTA_CHIP_ESP32S3};
    rules.require_descriptor = true;
    rules.on_segment = record;
    rules.context = &segments;
    assert_int_equal(feed(&check, &rules, bytes, len, 0, 1), OTA_OK);
    assert_int_equal(segments.count, 5);
    assert_memory_equal(segments.address, address, sizeof address);
    assert_memory_equal(segments.len, lens, sizeof lens);
    assert_int_equal(check.image.spi_mode, 2);
    assert_int_equal(check.image.spi_speed_size, 0x3F);
    assert_memory_equal(check.image.digest, digest, sizeof digest);
    assert_true(ota_image_app_descriptor(&check.image, &descriptor));
    assert_string_equal(descriptor.version, "esp-idf: v4.4.7 38eeba213a");
    assert_string_equal(descriptor.project, "arduino-lib-builder");
    assert_string_equal(descriptor.time, "12:12:53");
    assert_string_equal(descriptor.date, "Mar  5 2024");
    assert_string_equal(descriptor.idf_version, "v4.4.7-dirty");
    assert_memory_equal(descriptor.elf_sha256, elf, sizeof elf);
    assert_int_equal(descriptor.secure_version, 0);

    rules.chip.id = OTA_CHIP_ESP32;
    assert_int_equal(feed(&check, &rules, bytes, len, 0, 1), OTA_ERR_IMAGE_CHIP);
    rules.chip.id = OTA_CHIP_ESP32S3;
    rules.size_max = len - 1;
    assert_int_equal(feed(&check, &rules, bytes, len, 0, 1), OTA_ERR_TOO_LARGE);
    rules.size_max = 0x330000;
    rules.flash_offset = 0x11000;
    assert_int_equal(feed(&check, &rules, bytes, len, 0, 1), OTA_ERR_IMAGE_MAPPING);
    rules.flash_offset = 0x10000;
    bytes[500000] ^= 0x04;
    assert_int_equal(feed(&check, &rules, bytes, len, 0, 1), OTA_ERR_IMAGE_CHECKSUM);
    assert_int_equal(check.failure.offset, 867039);
}

static void test_bootloader_descriptor(void **state)
{
    struct ota_image_rules rules = feed_rules(OTA_IMAGE_ESP32);
    struct ota_image_check check;
    struct ota_bootloader_descriptor descriptor;

    (void)state;
    NEED("esp/images/bootloader_esp32_v5_2.bin");
    rules.role = OTA_ROLE_BOOTLOADER;
    assert_int_equal(feed(&check, &rules, bytes, len, 0, 1), OTA_OK);
    assert_true(ota_image_bootloader_descriptor(&check.image, &descriptor));
    assert_int_equal(descriptor.version, 1);
    assert_string_equal(descriptor.idf_version, "v5.2-dev-254-g1950b15");
    assert_string_equal(descriptor.date_time, "Apr 25 2023 00:13:32");
    assert_int_equal(check.image.max_revision, 399);
}

/* A copy with one byte of its stored SHA-256 changed: wrong for an app, for a bootloader it says
   nothing. */
static void test_edited(void **state)
{
    struct ota_image_rules rules = feed_rules(OTA_IMAGE_ESP32);
    struct ota_image_check check;

    (void)state;
    NEED("esp/images/helloworld-esp32_edit.bin");
    rules.role = OTA_ROLE_BOOTLOADER;
    assert_int_equal(feed(&check, &rules, bytes, len, 0, 1), OTA_OK);
    assert_int_equal(check.image.digest[0], 0x8F); /* as computed */
    rules.role = OTA_ROLE_APP;                     /* and its segments are too short for an app */
    assert_int_equal(feed(&check, &rules, bytes, len, 0, 1), OTA_ERR_IMAGE_SEGMENT);
    assert_int_equal(check.failure.offset, 28);
}

static void test_min_revision(void **state)
{
    struct ota_image_rules rules = feed_rules(OTA_IMAGE_ESP32);
    struct ota_image_check check;

    (void)state;
    NEED("esp/images/esp32c3_header_min_rev.bin");
    rules.role = OTA_ROLE_BOOTLOADER;
    rules.chip = (struct ota_chip){.id = OTA_CHIP_ESP32C3, .revision = 254};
    assert_int_equal(feed(&check, &rules, bytes, len, 0, 1), OTA_ERR_IMAGE_REVISION);
    assert_int_equal(check.image.min_revision, 255);
    rules.chip.revision = 255;
    assert_int_equal(feed(&check, &rules, bytes, len, 0, 1), OTA_OK);
}

/* A version 1 image with its flash code behind it, in one file. */
static void test_v1_with_code_behind(void **state)
{
    struct ota_image_rules rules = feed_rules(OTA_IMAGE_ESP8266);
    struct ota_image_check check;

    (void)state;
    NEED("esp/delta/mpy_v1.10.bin");
    assert_int_equal(len, 615388);
    rules.size_max = 1u << 20;
    assert_int_equal(feed(&check, &rules, bytes, len, 0, 1), OTA_ERR_TOO_LARGE);
    rules.allow_trailer = true;
    assert_int_equal(feed(&check, &rules, bytes, len, 0, 1), OTA_OK);
    assert_int_equal(check.image.length, 0x80E0);
}

static void test_signed_app(void **state)
{
    struct ota_image_rules rules = feed_rules(OTA_IMAGE_ESP32);
    struct ota_image_check check;
    struct ota_app_descriptor descriptor;

    (void)state;
    NEED("esp/secure/hello-world-signed.bin");
    rules.size_max = 0x100000;
    rules.allow_trailer = true;
    assert_int_equal(feed(&check, &rules, bytes, len, 0, 1), OTA_OK);
    assert_int_equal(check.image.segment_count, 7);
    assert_int_equal(check.image.checksum, 0x30);
    assert_true(ota_image_app_descriptor(&check.image, &descriptor));
    assert_string_equal(descriptor.project, "hello-world");
    rules.allow_trailer = false;
    assert_int_equal(feed(&check, &rules, bytes, len, 0, 1), OTA_ERR_TOO_LARGE);
}

int main(void)
{
#define FILES(test) cmocka_unit_test_teardown(test, tear_down)
    const struct CMUnitTest tests[] = {
        FILES(test_recorded),   FILES(test_esp32s3_app),  FILES(test_bootloader_descriptor),
        FILES(test_edited),     FILES(test_min_revision), FILES(test_v1_with_code_behind),
        FILES(test_signed_app),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
