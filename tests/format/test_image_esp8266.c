/* SPDX-License-Identifier: Apache-2.0 */
/* ESP8266 images: version 1, version 2, Arduino's file, ESP8266_RTOS_SDK. docs/formats/image.md
   sections 13 to 16. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "feed.h"

#define V1_LENGTH 80u
#define SKETCH 0x1000u

static struct forge forge;
static struct ota_image_rules rules;

static int set_up(void **state)
{
    (void)state;
    faults_clear();
    rules = feed_rules(OTA_IMAGE_ESP8266);
    return 0;
}

static void ends(enum ota_err err, uint32_t offset)
{
    feed_ends(&rules, &forge, err, offset);
}

static void passes(enum ota_image_variant variant)
{
    struct ota_image_check check;

    ends(OTA_OK, forge.len);
    assert_int_equal(feed(&check, &rules, forge.bytes, forge.len, 0, 3), OTA_OK);
    assert_int_equal(check.image.variant, variant);
}

/* The worked example of section 13. */
static void test_v1_example(void **state)
{
    static const uint8_t example[V1_LENGTH] = {
        0xe9, 0x02, 0x00, 0x20, 0x08, 0x80, 0x10, 0x40, 0x00, 0x80, 0x10, 0x40, 0x1c, 0x00,
        0x00, 0x00, 0x00, 0x80, 0xfe, 0x3f, 0xcc, 0x24, 0x00, 0x40, 0x12, 0xc1, 0xf0, 0x09,
        0x31, 0x21, 0xfc, 0xff, 0x01, 0xfd, 0xff, 0xc0, 0x00, 0x00, 0xc6, 0xfc, 0xff, 0x00,
        0x00, 0x00, 0x00, 0x80, 0xfe, 0x3f, 0x10, 0x00, 0x00, 0x00, 0x48, 0x65, 0x6c, 0x6c,
        0x6f, 0x20, 0x77, 0x6f, 0x72, 0x6c, 0x64, 0x21, 0x0a, 0x00, 0x00, 0x00, 0x00, 0x00,
        0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x12};
    struct ota_image_check check;

    (void)state;
    memcpy(forge.bytes, example, sizeof example);
    forge.len = sizeof example;
    passes(OTA_VARIANT_V1);
    assert_int_equal(feed(&check, &rules, forge.bytes, forge.len, 1, 0), OTA_OK);
    assert_int_equal(check.image.entry, 0x40108008);
    assert_int_equal(check.image.segment_count, 2);
    assert_int_equal(check.image.data_end, 0x44);
    assert_int_equal(check.image.checksum, 0x12);
    assert_false(check.image.has_digest);
}

static void test_v1(void **state)
{
    (void)state;
    forge_esp8266_v1(&forge);
    passes(OTA_VARIANT_V1);
    forge.bytes[30] ^= 1;
    ends(OTA_ERR_IMAGE_CHECKSUM, V1_LENGTH - 1);
    forge.bytes[30] ^= 1;
    forge.bytes[0] = 0xE8;
    ends(OTA_ERR_IMAGE_MAGIC, 0);
    forge.bytes[0] = 0xE9;
    forge.bytes[1] = 17;
    ends(OTA_ERR_IMAGE_SEGMENT_COUNT, 1);
    forge.bytes[1] = 2;
    for (forge.len = 0; forge.len < V1_LENGTH; forge.len++) {
        ends(OTA_ERR_IMAGE_TRUNCATED, forge.len);
    }
    forge.len = V1_LENGTH;
    rules.size_max = V1_LENGTH - 1;
    ends(OTA_ERR_TOO_LARGE, 68);
}

/* A converter that takes sections as they are. */
static void test_v1_odd_lengths(void **state)
{
    (void)state;
    forge.len = 0;
    forge_header(&forge, 3);
    forge_segment(&forge, 0x40108000, 27);
    forge_segment(&forge, 0x3FFE8000, 1);
    forge_segment(&forge, 0x3FFE8000, 0);
    forge_checksum(&forge);
    passes(OTA_VARIANT_V1);
}

/* What follows a version 1 image. */
static void test_v1_trailer(void **state)
{
    (void)state;
    forge_esp8266_v1(&forge);
    memset(forge.bytes + V1_LENGTH, 0xAA, FORGE_MAX - V1_LENGTH);
    static const uint32_t lens[] = {V1_LENGTH + 1, SKETCH - 1, SKETCH, SKETCH + 1, SKETCH + 300};
    for (size_t i = 0; i < sizeof lens / sizeof lens[0]; i++) {
        forge.len = lens[i];
        rules.allow_trailer = false;
        ends(OTA_ERR_TOO_LARGE, V1_LENGTH);
        rules.allow_trailer = true;
        ends(OTA_OK, V1_LENGTH);
    }
    /* A space that ends before a sketch could begin, or within its header. */
    for (uint32_t room = SKETCH - 1; room < SKETCH + 10; room++) {
        rules.size_max = room;
        forge.len = room;
        ends(OTA_OK, V1_LENGTH);
        forge.len = room + 1;
        ends(OTA_ERR_TOO_LARGE, room);
    }
}

/* A version 1 image that is too long for a boot loader: no sketch is looked for. */
static void test_v1_long(void **state)
{
    (void)state;
    forge.len = 0;
    forge_header(&forge, 1);
    forge_segment(&forge, 0x40108000, 0x2000);
    forge_checksum(&forge);
    passes(OTA_VARIANT_V1);
    memset(forge.bytes + forge.len, 0xE9, 10);
    forge.len += 10;
    ends(OTA_ERR_TOO_LARGE, forge.len - 10);
}

static void test_v2(void **state)
{
    static const uint32_t sizes[] = {0, 16, 64, 1024};

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        uint32_t irom = sizes[i];
        uint32_t b = 16 + irom;

        forge_esp8266_v2(&forge, irom);
        passes(OTA_VARIANT_V2);
        uint32_t len = forge.len;

        forge.bytes[len - 1] ^= 1; /* the CRC itself */
        ends(OTA_ERR_IMAGE_HASH, len - 4);
        forge.bytes[len - 1] ^= 1;
        forge.bytes[9] ^= 1; /* what only it covers */
        ends(OTA_ERR_IMAGE_HASH, len - 4);
        forge.bytes[9] ^= 1;
        if (irom > 0) {
            forge.bytes[16] ^= 1;
            ends(OTA_ERR_IMAGE_HASH, len - 4);
            forge.bytes[16] ^= 1;
        }
        forge.bytes[b] = 0xEA; /* the second header is version 1's */
        ends(OTA_ERR_IMAGE_MAGIC, b);
        forge.bytes[b] = 0xE9;
        forge.bytes[b + 20] ^= 1;
        ends(OTA_ERR_IMAGE_CHECKSUM, len - 5);
        forge.bytes[b + 20] ^= 1;
        forge.bytes[12] += 4; /* the length of irom is a multiple of 16 */
        ends(OTA_ERR_IMAGE_LAYOUT, 12);
        forge.bytes[12] = (uint8_t)(forge.bytes[12] - 4);
        for (forge.len = 0; forge.len < len; forge.len += 7) {
            ends(OTA_ERR_IMAGE_TRUNCATED, forge.len);
        }
        forge.len = len + 1;
        ends(OTA_ERR_TOO_LARGE, len);
        rules.size_max = b;
        forge.len = len;
        ends(OTA_ERR_TOO_LARGE, b);
        rules.size_max = FORGE_MAX;
    }
}

/* The trailer's two cases: bit 31 of the CRC set, and not set. */
static void test_v2_crc(void **state)
{
    unsigned seen[2] = {0, 0};

    (void)state;
    for (uint32_t irom = 0; irom < 50 * 16; irom += 16) {
        struct ota_image_check check;
        uint32_t stored;
        forge_esp8266_v2(&forge, irom);
        assert_int_equal(feed(&check, &rules, forge.bytes, forge.len, 0, irom), OTA_OK);
        memcpy(&stored, forge.bytes + forge.len - 4, 4);
        assert_int_equal(check.image.crc, stored);
        seen[ota_crc32(0, forge.bytes, forge.len - 4) >> 31]++;
    }
    assert_true(seen[0] > 0 && seen[1] > 0);
}

static void test_arduino(void **state)
{
    struct ota_image_check check;

    (void)state;
    forge_esp8266_arduino(&forge, true);
    passes(OTA_VARIANT_ARDUINO);
    uint32_t len = forge.len;
    assert_int_equal(feed(&check, &rules, forge.bytes, len, 0, 0), OTA_OK);
    uint32_t stored;
    memcpy(&stored, forge.bytes + 0x1014, 4);
    assert_int_equal(check.image.crc, stored);

    forge.bytes[0x1014] ^= 1; /* the CRC */
    ends(OTA_ERR_IMAGE_HASH, 0x1014);
    forge.bytes[0x1014] ^= 1;
    forge.bytes[500] ^= 1; /* the filler: the CRC covers it */
    ends(OTA_ERR_IMAGE_HASH, 0x1014);
    forge.bytes[500] ^= 1;
    forge.bytes[0x1100] ^= 1;
    ends(OTA_ERR_IMAGE_HASH, 0x1014);
    forge.bytes[0x1100] ^= 1;
    forge.bytes[30] ^= 1; /* the boot loader has a checksum of its own */
    ends(OTA_ERR_IMAGE_CHECKSUM, V1_LENGTH - 1);
    forge.bytes[30] ^= 1;
    forge.bytes[0x1010] ^= 1; /* no length of the file: then the words are code */
    ends(OTA_ERR_IMAGE_CHECKSUM, len - 1);
    forge.bytes[0x1010] ^= 1;
    for (forge.len = SKETCH + 1; forge.len < len; forge.len += 13) {
        ends(OTA_ERR_IMAGE_TRUNCATED, forge.len);
    }
    forge.len = len + 1;
    ends(OTA_ERR_TOO_LARGE, len);
    rules.allow_trailer = true;
    ends(OTA_OK, len);
}

/* The checksum byte fits the eight bytes as zeros and not as they stand. */
static void test_arduino_checksum(void **state)
{
    uint8_t sum;

    (void)state;
    forge_esp8266_arduino(&forge, true);
    sum = forge.bytes[forge.len - 1];
    for (unsigned i = 0; i < 8; i++) {
        sum ^= forge.bytes[0x1010 + i];
    }
    assert_int_not_equal(sum, forge.bytes[forge.len - 1]);
    forge.bytes[forge.len - 1] = sum;
    ends(OTA_ERR_IMAGE_HASH, 0x1014); /* the CRC covers the checksum and is looked at first */
}

/* Files of cores too old to have the words. */
static void test_arduino_old(void **state)
{
    (void)state;
    forge_esp8266_arduino(&forge, false);
    passes(OTA_VARIANT_ARDUINO);
    forge.bytes[0x1012] ^= 1;
    ends(OTA_ERR_IMAGE_CHECKSUM, forge.len - 1);
}

static void test_arduino_too_large(void **state)
{
    (void)state;
    forge_esp8266_arduino(&forge, true);
    rules.size_max = forge.len;
    passes(OTA_VARIANT_ARDUINO);
    rules.size_max = forge.len - 1;
    ends(OTA_ERR_TOO_LARGE, SKETCH + 8 + 8 + 500 + 8 + 100);
    rules.size_max = SKETCH + 16 + 400;
    ends(OTA_ERR_TOO_LARGE, SKETCH + 16);
}

static void test_rtos(void **state)
{
    struct ota_app_descriptor descriptor;
    struct ota_image_check check;

    (void)state;
    rules.form = OTA_IMAGE_ESP8266_RTOS;
    forge_esp8266_rtos(&forge);
    passes(OTA_VARIANT_NONE);
    uint32_t len = forge.len;
    assert_int_equal(feed(&check, &rules, forge.bytes, len, 3, 0), OTA_OK);
    assert_true(check.image.has_digest);
    assert_true(ota_image_app_descriptor(&check.image, &descriptor));
    assert_string_equal(descriptor.project, "forged");

    forge.bytes[len - 1] ^= 1;
    ends(OTA_ERR_IMAGE_HASH, len - 32);
    forge.bytes[len - 1] ^= 1;
    forge.bytes[4] ^= 1;
    ends(OTA_ERR_IMAGE_HASH, len - 32);
    forge.bytes[4] ^= 1;
    forge.bytes[400 - 64] ^= 1;
    ends(OTA_ERR_IMAGE_CHECKSUM, len - 33);
    forge.bytes[400 - 64] ^= 1;
    forge.bytes[12] ^= 1; /* lengths are multiples of 4 */
    ends(OTA_ERR_IMAGE_SEGMENT, 12);
    forge.bytes[12] ^= 1;
    forge.bytes[0] = 0xEA;
    ends(OTA_ERR_IMAGE_MAGIC, 0);
    forge.bytes[0] = 0xE9;
    rules.secure_version_floor = 1;
    ends(OTA_ERR_SECURE_VERSION, 20);
    rules.secure_version_floor = 0;
    forge.bytes[16] ^= 1;
    rules.require_descriptor = true;
    ends(OTA_ERR_IMAGE_DESCRIPTOR, 16);
}

/* A board of the one kind is sent what is built for the other: whole files, and not damaged. */
static void test_rtos_and_arduino_are_told_apart(void **state)
{
    (void)state;
    rules.form = OTA_IMAGE_ESP8266_RTOS;
    forge_esp8266_arduino(&forge, true);
    ends(OTA_ERR_IMAGE_FORM, 0);
    forge_esp8266_arduino(&forge, false);
    ends(OTA_ERR_IMAGE_FORM, 0);

    rules.form = OTA_IMAGE_ESP8266;
    forge_esp8266_rtos(&forge);
    ends(OTA_ERR_IMAGE_FORM, 0);
    rules.allow_trailer = true;
    ends(OTA_ERR_IMAGE_FORM, 0);
    forge.bytes[16] ^= 1; /* no descriptor; its checksum is off by the same */
    ends(OTA_ERR_IMAGE_CHECKSUM, forge.len - 33);
}

/* The descriptor is no matter of the other forms. */
static void test_no_descriptor(void **state)
{
    struct ota_app_descriptor descriptor;
    struct ota_image_check check;

    (void)state;
    rules.require_descriptor = true;
    forge_esp8266_v1(&forge);
    assert_int_equal(feed(&check, &rules, forge.bytes, forge.len, 0, 0), OTA_OK);
    assert_false(ota_image_app_descriptor(&check.image, &descriptor));
}

static void fault_scenario(void *context)
{
    struct ota_image_check check;

    (void)context;
    enum ota_err err = feed(&check, &rules, forge.bytes, forge.len, 500, 0);
    assert_int_equal(err, faults_struck() ? OTA_ERR_CRYPTO : OTA_OK);
}

static void test_crypto_faults(void **state)
{
    (void)state;
    forge_esp8266_arduino(&forge, true);
    assert_true(faults_everywhere(FAULT_CRYPTO, fault_scenario, NULL) > 10);
}

int main(void)
{
#define FRESH(test) cmocka_unit_test_setup(test, set_up)
    const struct CMUnitTest tests[] = {
        FRESH(test_v1_example),
        FRESH(test_v1),
        FRESH(test_v1_odd_lengths),
        FRESH(test_v1_trailer),
        FRESH(test_v1_long),
        FRESH(test_v2),
        FRESH(test_v2_crc),
        FRESH(test_arduino),
        FRESH(test_arduino_checksum),
        FRESH(test_arduino_old),
        FRESH(test_arduino_too_large),
        FRESH(test_rtos),
        FRESH(test_rtos_and_arduino_are_told_apart),
        FRESH(test_no_descriptor),
        FRESH(test_crypto_faults),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
