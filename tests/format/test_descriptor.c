/* SPDX-License-Identifier: Apache-2.0 */
/* The descriptors of images: docs/formats/image.md sections 9 and 10. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include <updraft/image.h>

#include "support/forge.h"

static uint8_t bytes[OTA_APP_DESCRIPTOR_SIZE];

static int set_up(void **state)
{
    (void)state;
    memset(bytes, 0, sizeof bytes);
    forge_put32(bytes, OTA_APP_DESCRIPTOR_MAGIC);
    forge_put32(bytes + 4, 0x01020304);
    memcpy(bytes + 16, "v1.2", 4);
    memset(bytes + 48, 'p', 32); /* fills its field without a NUL */
    memcpy(bytes + 80, "15:36:45", 8);
    memcpy(bytes + 96, "Jan  8 2026", 11);
    memset(bytes + 112, 'i', 32);
    for (unsigned i = 0; i < 32; i++) {
        bytes[144 + i] = (uint8_t)(i + 1);
    }
    bytes[176] = 0x2C;
    bytes[177] = 0x01;
    bytes[178] = 0x90;
    bytes[179] = 0x01;
    bytes[180] = 16;
    bytes[181] = 2;
    return 0;
}

static void test_app(void **state)
{
    struct ota_app_descriptor descriptor;

    (void)state;
    memset(&descriptor, 0xA5, sizeof descriptor);
    assert_true(ota_app_descriptor_decode(bytes, &descriptor));
    assert_int_equal(descriptor.secure_version, 0x01020304);
    assert_string_equal(descriptor.version, "v1.2");
    assert_string_equal(descriptor.project, "pppppppppppppppppppppppppppppppp");
    assert_string_equal(descriptor.time, "15:36:45");
    assert_string_equal(descriptor.date, "Jan  8 2026");
    assert_string_equal(descriptor.idf_version, "iiiiiiiiiiiiiiiiiiiiiiiiiiiiiiii");
    assert_memory_equal(descriptor.elf_sha256, bytes + 144, 32);
    assert_int_equal(descriptor.min_efuse_block_revision, 300);
    assert_int_equal(descriptor.max_efuse_block_revision, 400);
    assert_int_equal(descriptor.page_size_log2, 16);
    assert_int_equal(descriptor.spi_mode, 2);
}

/* Whoever prints a text relies on one line. */
static void test_texts_end_at_control_characters(void **state)
{
    static const char controls[] = {'\n', '\r', '\t', 0x1B, 0x1F, 0x7F};
    struct ota_app_descriptor descriptor;

    (void)state;
    for (size_t i = 0; i < sizeof controls; i++) {
        bytes[16 + 3] = (uint8_t)controls[i]; /* "v1.2" */
        bytes[48 + 31] = (uint8_t)controls[i];
        assert_true(ota_app_descriptor_decode(bytes, &descriptor));
        assert_string_equal(descriptor.version, "v1.");
        assert_string_equal(descriptor.project, "ppppppppppppppppppppppppppppppp");
    }
    memcpy(bytes + 16, "v\xC3\xA9\x20~", 6);
    assert_true(ota_app_descriptor_decode(bytes, &descriptor));
    assert_string_equal(descriptor.version, "v\xC3\xA9\x20~");
}

static void test_app_magic(void **state)
{
    struct ota_app_descriptor descriptor;
    struct ota_app_descriptor before;

    (void)state;
    memset(&descriptor, 0xA5, sizeof descriptor);
    before = descriptor;
    for (unsigned bit = 0; bit < 32; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_false(ota_app_descriptor_decode(bytes, &descriptor));
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    assert_memory_equal(&descriptor, &before, sizeof before); /* the output is left alone */
}

static struct ota_image image_of(enum ota_image_form form, uint8_t len)
{
    struct ota_image image = {.form = form, .descriptor_len = len};

    memcpy(image.descriptor, bytes, len);
    return image;
}

static void test_app_of_image(void **state)
{
    struct ota_app_descriptor descriptor;
    struct ota_image image = image_of(OTA_IMAGE_ESP32, OTA_DESCRIPTOR_KEPT);

    (void)state;
    assert_true(ota_image_app_descriptor(&image, &descriptor));
    assert_int_equal(ota_image_secure_version(&image), 0x01020304);
    image.form = OTA_IMAGE_ESP8266_RTOS;
    assert_true(ota_image_app_descriptor(&image, &descriptor));
    image.form = OTA_IMAGE_ESP8266;
    assert_false(ota_image_app_descriptor(&image, &descriptor));
    image = image_of(OTA_IMAGE_ESP32, OTA_DESCRIPTOR_KEPT - 1);
    assert_false(ota_image_app_descriptor(&image, &descriptor));
    image = image_of(OTA_IMAGE_DATA, 0);
    assert_false(ota_image_app_descriptor(&image, &descriptor));
    assert_int_equal(ota_image_secure_version(&image), 0);
    bytes[0] ^= 1;
    image = image_of(OTA_IMAGE_ESP32, OTA_DESCRIPTOR_KEPT);
    assert_int_equal(ota_image_secure_version(&image), 0);
}

static void test_bootloader(void **state)
{
    struct ota_bootloader_descriptor descriptor;
    struct ota_image image;

    (void)state;
    memset(bytes, 0, sizeof bytes);
    bytes[0] = 0x50;
    bytes[3] = 9;
    forge_put32(bytes + 4, 0x00010002);
    memcpy(bytes + 8, "v5.2-dev", 8);
    memset(bytes + 40, 't', 24);
    image = image_of(OTA_IMAGE_ESP32, OTA_BOOTLOADER_DESCRIPTOR_SIZE);
    assert_true(ota_image_bootloader_descriptor(&image, &descriptor));
    assert_int_equal(descriptor.secure_version, 9);
    assert_int_equal(descriptor.version, 0x00010002);
    assert_string_equal(descriptor.idf_version, "v5.2-dev");
    assert_string_equal(descriptor.date_time, "tttttttttttttttttttttttt");

    image.form = OTA_IMAGE_ESP8266_RTOS;
    assert_false(ota_image_bootloader_descriptor(&image, &descriptor));
    image = image_of(OTA_IMAGE_ESP32, OTA_BOOTLOADER_DESCRIPTOR_SIZE - 1);
    assert_false(ota_image_bootloader_descriptor(&image, &descriptor));
    bytes[0] = 0x51;
    image = image_of(OTA_IMAGE_ESP32, OTA_BOOTLOADER_DESCRIPTOR_SIZE);
    assert_false(ota_image_bootloader_descriptor(&image, &descriptor));
}

int main(void)
{
#define FRESH(test) cmocka_unit_test_setup(test, set_up)
    const struct CMUnitTest tests[] = {
        FRESH(test_app),        FRESH(test_texts_end_at_control_characters),
        FRESH(test_app_magic),  FRESH(test_app_of_image),
        FRESH(test_bootloader),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
