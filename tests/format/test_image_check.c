/* SPDX-License-Identifier: Apache-2.0 */
/* The check of ESP32-family images: each rule of docs/formats/image.md section 11, broken alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "feed.h"
#include "support/images.h"

#define SEGMENT_0 24u /* offset of its header */
#define DATA_0 32u
#define SEGMENT_1 (DATA_0 + 300u)
#define DATA_END (SEGMENT_1 + 8 + 44u)
#define CHECKSUM 399u /* DATA_END | 15 */
#define LENGTH (CHECKSUM + 1 + 32u)
#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static struct forge forge;
static struct ota_image_rules rules;

static int set_up(void **state)
{
    (void)state;
    faults_clear();
    forge_esp32(&forge, OTA_CHIP_ESP32);
    rules = feed_rules(OTA_IMAGE_ESP32);
    return 0;
}

static void ends(enum ota_err err, uint32_t offset)
{
    feed_ends(&rules, &forge, err, offset);
}

static void passes(void)
{
    ends(OTA_OK, forge.len);
}

static void test_good(void **state)
{
    struct ota_image_check check;
    struct ota_app_descriptor descriptor;
    const struct ota_image *image = &check.image;

    (void)state;
    assert_int_equal(forge.len, LENGTH);
    passes();
    assert_int_equal(feed(&check, &rules, forge.bytes, forge.len, 0, 1), OTA_OK);
    assert_int_equal(image->form, OTA_IMAGE_ESP32);
    assert_int_equal(image->variant, OTA_VARIANT_NONE);
    assert_int_equal(image->segment_count, 2);
    assert_int_equal(image->spi_mode, 2);
    assert_int_equal(image->spi_speed_size, 0x20);
    assert_int_equal(image->entry, 0x40080000);
    assert_memory_equal(image->extended, forge.bytes + 8, 16);
    assert_int_equal(image->chip_id, OTA_CHIP_ESP32);
    assert_int_equal(image->min_revision, 0);
    assert_int_equal(image->max_revision, 0xFFFF);
    assert_int_equal(image->data_end, DATA_END);
    assert_int_equal(image->checksum, forge.bytes[CHECKSUM]);
    assert_true(image->has_digest);
    assert_memory_equal(image->digest, forge.bytes + CHECKSUM + 1, 32);
    assert_int_equal(image->length, LENGTH);
    assert_int_equal(image->descriptor_len, OTA_DESCRIPTOR_KEPT);
    assert_true(ota_image_app_descriptor(image, &descriptor));
    assert_string_equal(descriptor.version, "3.2.1");
}

static void test_every_split_in_two(void **state)
{
    (void)state;
    for (uint32_t cut = 0; cut <= forge.len; cut++) {
        struct ota_image_check check;
        assert_int_equal(ota_image_check_begin(&check, &rules, &faulty_crypto), OTA_OK);
        assert_int_equal(ota_image_check_write(&check, forge.bytes, cut), OTA_OK);
        assert_int_equal(ota_image_check_write(&check, forge.bytes + cut, 0), OTA_OK);
        assert_int_equal(ota_image_check_write(&check, forge.bytes + cut, forge.len - cut), OTA_OK);
        assert_int_equal(ota_image_check_finish(&check), OTA_OK);
    }
}

/* The header. */

static void test_magic(void **state)
{
    (void)state;
    for (unsigned magic = 0; magic < 256; magic++) {
        if (magic != 0xE9) {
            forge.bytes[0] = (uint8_t)magic;
            ends(magic == 0x1F ? OTA_ERR_COMPRESSED : OTA_ERR_IMAGE_MAGIC, 0); /* gzip's */
        }
    }
}

static void test_chip(void **state)
{
    (void)state;
    rules.chip.id = OTA_CHIP_ESP32;
    passes();
    rules.chip.id = OTA_CHIP_ESP32S3;
    ends(OTA_ERR_IMAGE_CHIP, 12);
    rules.chip.id = OTA_CHIP_ESP32;
    forge.bytes[13] = 1; /* the high byte counts */
    forge_reseal(&forge);
    ends(OTA_ERR_IMAGE_CHIP, 12);
    rules.chip.id = OTA_CHIP_ANY; /* also one that nobody knows */
    passes();
}

static void set16(uint32_t offset, uint16_t value)
{
    forge.bytes[offset] = (uint8_t)value;
    forge.bytes[offset + 1] = (uint8_t)(value >> 8);
}

static void test_chip_revisions(void **state)
{
    static const struct {
        uint16_t min, max, revision;
        bool ignore_max, ignore_all;
        enum ota_image_role role;
        enum ota_err err;
        uint32_t offset;
    } cases[] = {
        {100, 399, 100, false, false, OTA_ROLE_APP, OTA_OK, 0},
        {100, 399, 399, false, false, OTA_ROLE_APP, OTA_OK, 0},
        {100, 399, 99, false, false, OTA_ROLE_APP, OTA_ERR_IMAGE_REVISION, 15},
        {100, 399, 400, false, false, OTA_ROLE_APP, OTA_ERR_IMAGE_REVISION, 17},
        {100, 0, 5000, false, false, OTA_ROLE_APP, OTA_OK, 0},
        {100, 65535, 5000, false, false, OTA_ROLE_APP, OTA_OK, 0},
        {100, 399, 400, true, false, OTA_ROLE_APP, OTA_OK, 0},
        {100, 399, 99, true, false, OTA_ROLE_APP, OTA_ERR_IMAGE_REVISION, 15},
        {100, 399, 400, false, true, OTA_ROLE_APP, OTA_OK, 0},
        {100, 399, 99, false, true, OTA_ROLE_APP, OTA_OK, 0},
        {100, 399, 400, false, false, OTA_ROLE_BOOTLOADER, OTA_OK, 0},
        {100, 399, 99, false, false, OTA_ROLE_BOOTLOADER, OTA_ERR_IMAGE_REVISION, 15},
        {0, 399, 0, false, false, OTA_ROLE_APP, OTA_OK, 0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        set16(15, cases[i].min);
        set16(17, cases[i].max);
        forge_reseal(&forge);
        rules.chip = (struct ota_chip){.id = OTA_CHIP_ESP32,
                                       .revision = cases[i].revision,
                                       .ignore_max_revision = cases[i].ignore_max,
                                       .ignore_revisions = cases[i].ignore_all};
        rules.role = cases[i].role;
        ends(cases[i].err, cases[i].err == OTA_OK ? forge.len : cases[i].offset);
    }
}

static void test_segment_count(void **state)
{
    (void)state;
    forge.len = 0;
    forge_header(&forge, 16);
    forge_extended(&forge, OTA_CHIP_ESP32, false);
    forge_app(&forge, 0x3FFB0000, 256);
    for (int i = 1; i < 16; i++) {
        forge_segment(&forge, 0x3FFB0000, 4);
    }
    forge_checksum(&forge);
    passes();
    forge.bytes[1] = 17;
    ends(OTA_ERR_IMAGE_SEGMENT_COUNT, 1);

    forge.len = 0; /* none at all is not refused */
    forge_header(&forge, 0);
    forge_extended(&forge, OTA_CHIP_ESP32, true);
    forge_checksum(&forge);
    forge_sha256(&forge);
    assert_int_equal(forge.len, 64);
    passes();
}

/* Segments. */

static void test_lengths(void **state)
{
    (void)state;
    for (uint32_t odd = 1; odd < 4; odd++) {
        forge_put32(forge.bytes + SEGMENT_1 + 4, 44 + odd);
        ends(OTA_ERR_IMAGE_SEGMENT, SEGMENT_1 + 4);
    }
    forge_put32(forge.bytes + SEGMENT_0 + 4, 252); /* a descriptor needs 256 */
    ends(OTA_ERR_IMAGE_SEGMENT, SEGMENT_0 + 4);
    forge_put32(forge.bytes + SEGMENT_0 + 4, 0x1000000);
    rules.size_max = 0xFFFFFFFF;
    ends(OTA_ERR_IMAGE_SEGMENT, SEGMENT_0 + 4);
    set16(12, 0x7777); /* a chip that nobody knows is held to the limit */
    ends(OTA_ERR_IMAGE_SEGMENT, SEGMENT_0 + 4);
    set16(12, OTA_CHIP_ESP32S3); /* this one maps more */
    ends(OTA_ERR_IMAGE_TRUNCATED, forge.len);
}

static void test_short_first_segment(void **state)
{
    (void)state;
    forge.len = 0;
    forge_header(&forge, 3);
    forge_extended(&forge, OTA_CHIP_ESP32, true);
    forge_segment(&forge, 0x3FFB0000, 0);
    forge_segment(&forge, 0x3FFB0000, 12);
    forge_segment(&forge, 0x3FFB0000, 0);
    forge_checksum(&forge);
    forge_sha256(&forge);
    ends(OTA_ERR_IMAGE_SEGMENT, SEGMENT_0 + 4);
    rules.role = OTA_ROLE_BOOTLOADER;
    passes();
}

/* A segment that cannot fit is refused by its header. */
static void test_too_large(void **state)
{
    (void)state;
    rules.size_max = LENGTH;
    passes();
    rules.size_max = LENGTH - 1; /* the SHA-256 does not fit */
    ends(OTA_ERR_TOO_LARGE, CHECKSUM + 1);
    rules.size_max = CHECKSUM; /* the checksum does not */
    ends(OTA_ERR_TOO_LARGE, DATA_END);
    rules.size_max = DATA_END - 1;
    ends(OTA_ERR_TOO_LARGE, SEGMENT_1 + 8);
    rules.size_max = SEGMENT_1 + 7;
    ends(OTA_ERR_TOO_LARGE, SEGMENT_1);
    rules.size_max = SEGMENT_0 + 7;
    ends(OTA_ERR_TOO_LARGE, SEGMENT_0);
    rules.size_max = 23;
    ends(OTA_ERR_TOO_LARGE, 0);
    rules.size_max = LENGTH;
    forge_put32(forge.bytes + SEGMENT_1 + 4, 0xFFFFFC); /* sums do not wrap */
    ends(OTA_ERR_TOO_LARGE, SEGMENT_1 + 8);
    set16(12, OTA_CHIP_ESP32S3);
    forge_put32(forge.bytes + SEGMENT_1 + 4, 0xFFFFFFFC);
    ends(OTA_ERR_TOO_LARGE, SEGMENT_1 + 8);
}

struct segments {
    unsigned count;
    uint32_t offset[4], address[4], len[4];
};

static void record(void *context, unsigned index, uint32_t offset, uint32_t address, uint32_t len)
{
    struct segments *segments = context;

    assert_int_equal(index, segments->count);
    segments->offset[index] = offset;
    segments->address[index] = address;
    segments->len[index] = len;
    segments->count++;
}

static void test_on_segment(void **state)
{
    struct segments segments = {.count = 0};
    struct ota_image_check check;

    (void)state;
    rules.on_segment = record;
    rules.context = &segments;
    assert_int_equal(feed(&check, &rules, forge.bytes, forge.len, 5, 0), OTA_OK);
    assert_int_equal(segments.count, 2);
    assert_int_equal(segments.offset[0], SEGMENT_0);
    assert_int_equal(segments.address[0], 0x3FFB0000);
    assert_int_equal(segments.len[0], 300);
    assert_int_equal(segments.offset[1], SEGMENT_1);
    assert_int_equal(segments.address[1], 0x40080000);
    assert_int_equal(segments.len[1], 44);
}

/* The descriptor. */

static void test_no_descriptor(void **state)
{
    (void)state;
    forge.bytes[DATA_0] ^= 1;
    forge_reseal(&forge);
    passes(); /* on the ESP32 it may be missing */
    rules.require_descriptor = true;
    ends(OTA_ERR_IMAGE_DESCRIPTOR, DATA_0);
    rules.require_descriptor = false;
    rules.secure_version_floor = 1;
    ends(OTA_ERR_IMAGE_DESCRIPTOR, DATA_0);
    rules.role = OTA_ROLE_BOOTLOADER;
    rules.require_descriptor = true;
    passes();
}

/* Nor is there one where there is no segment. */
static void test_no_segment_and_no_descriptor(void **state)
{
    (void)state;
    for (int is_rtos = 0; is_rtos < 2; is_rtos++) {
        const uint32_t header = is_rtos != 0 ? 8 : 24;
        rules.role = OTA_ROLE_APP;
        rules.form = is_rtos != 0 ? OTA_IMAGE_ESP8266_RTOS : OTA_IMAGE_ESP32;
        rules.secure_version_floor = 0;
        forge.len = 0;
        forge_header(&forge, 0);
        if (is_rtos == 0) {
            forge_extended(&forge, OTA_CHIP_ESP32, true);
        }
        forge_checksum(&forge);
        forge_sha256(&forge);
        passes();
        rules.secure_version_floor = 1;
        ends(OTA_ERR_IMAGE_DESCRIPTOR, header);
        rules.secure_version_floor = 0;
        rules.require_descriptor = true;
        ends(OTA_ERR_IMAGE_DESCRIPTOR, header);
        rules.role = OTA_ROLE_BOOTLOADER;
        passes();
        rules.require_descriptor = false;
    }
}

/* The ESP8266's images have none at all. */
static void test_no_segment_where_no_descriptor_is_known(void **state)
{
    (void)state;
    rules.form = OTA_IMAGE_ESP8266;
    rules.secure_version_floor = 1;
    forge.len = 0;
    forge_header(&forge, 0);
    forge_checksum(&forge);
    passes();
}

/* Where it gives the page size it must be there. */
static void test_descriptor_of_chips_with_page_sizes(void **state)
{
    static const struct {
        uint16_t chip;
        bool needed;
    } chips[] = {
        {OTA_CHIP_ESP32, false},   {OTA_CHIP_ESP32S2, false}, {OTA_CHIP_ESP32C3, false},
        {OTA_CHIP_ESP32S3, false}, {OTA_CHIP_ESP32C2, true},  {OTA_CHIP_ESP32C6, true},
        {OTA_CHIP_ESP32H2, true},  {OTA_CHIP_ESP32P4, false}, {OTA_CHIP_ESP32C61, true},
        {OTA_CHIP_ESP32C5, false}, {OTA_CHIP_ESP32H21, true}, {OTA_CHIP_ESP32H4, true},
        {OTA_CHIP_ESP32S31, true}, {OTA_CHIP_HOST, false},    {0x7777, false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(chips); i++) {
        forge_esp32(&forge, chips[i].chip);
        forge_put32(forge.bytes + SEGMENT_0, 0); /* not mapped on any */
        forge_put32(forge.bytes + SEGMENT_1, 0);
        forge_reseal(&forge);
        passes();
        forge.bytes[DATA_0 + 3] ^= 1;
        forge_reseal(&forge);
        ends(chips[i].needed ? OTA_ERR_IMAGE_DESCRIPTOR : OTA_OK,
             chips[i].needed ? DATA_0 : forge.len);
    }
}

static void test_secure_version(void **state)
{
    (void)state;
    forge_put32(forge.bytes + DATA_0 + 4, 7);
    forge_reseal(&forge);
    rules.secure_version_floor = 7;
    passes();
    rules.secure_version_floor = 8;
    ends(OTA_ERR_SECURE_VERSION, DATA_0 + 4);
    rules.role = OTA_ROLE_BOOTLOADER;
    passes();
}

static void test_efuse_block_revision(void **state)
{
    static const struct {
        uint16_t chip, min, max, revision;
        bool ignore;
        enum ota_err err;
        uint32_t offset;
    } cases[] = {
        {OTA_CHIP_ESP32S3, 101, 199, 101, false, OTA_OK, 0},
        {OTA_CHIP_ESP32S3, 101, 199, 199, false, OTA_OK, 0},
        {OTA_CHIP_ESP32S3, 101, 199, 100, false, OTA_ERR_IMAGE_REVISION, 176},
        {OTA_CHIP_ESP32S3, 101, 199, 200, false, OTA_ERR_IMAGE_REVISION, 178},
        {OTA_CHIP_ESP32S3, 0, 0, 100, false, OTA_OK, 0},
        {OTA_CHIP_ESP32S3, 65535, 65535, 100, false, OTA_OK, 0},
        {OTA_CHIP_ESP32S3, 101, 199, 200, true, OTA_OK, 0},
        {OTA_CHIP_ESP32, 101, 199, 200, false, OTA_OK, 0}, /* has no such blocks */
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        forge_esp32(&forge, cases[i].chip);
        set16(DATA_0 + 176, cases[i].min);
        set16(DATA_0 + 178, cases[i].max);
        forge_put32(forge.bytes + SEGMENT_1, 0x3FFB0000);
        forge_reseal(&forge);
        rules.chip = (struct ota_chip){.id = cases[i].chip,
                                       .efuse_block_revision = cases[i].revision,
                                       .ignore_revisions = cases[i].ignore};
        ends(cases[i].err, cases[i].err == OTA_OK ? forge.len : DATA_0 + cases[i].offset);
        rules.chip = (struct ota_chip){.id = OTA_CHIP_ANY};
        passes();
    }
}

/* Mapping: (offset of the data) and (address) agree within the page. */

static void test_mapping(void **state)
{
    static const struct {
        uint16_t chip;
        uint32_t address;
        uint8_t page_log2;
        bool fits;
    } cases[] = {
        {OTA_CHIP_ESP32, 0x400D0020, 0, true},
        {OTA_CHIP_ESP32, 0x400D0024, 0, false},
        {OTA_CHIP_ESP32, 0x3F400020, 0, true},
        {OTA_CHIP_ESP32, 0x3F408020, 0, false},
        {OTA_CHIP_ESP32, 0x403F0020, 0, true},
        {OTA_CHIP_ESP32, 0x40400024, 0, true}, /* beyond */
        {OTA_CHIP_ESP32, 0x400CFFFC, 0, true},
        {OTA_CHIP_ESP32, 0x3F3FFFFC, 0, true},
        {OTA_CHIP_ESP32, 0x00000004, 0, true},
        {OTA_CHIP_ESP32S3, 0x3C000020, 0, true},
        {OTA_CHIP_ESP32S3, 0x3C000030, 0, false},
        {OTA_CHIP_ESP32C6, 0x42000020, 0, true},
        {OTA_CHIP_ESP32C6, 0x42002020, 0, false},
        {OTA_CHIP_ESP32C6, 0x42002020, 13, true},
        {OTA_CHIP_ESP32C6, 0x42002020, 14, false},
        {OTA_CHIP_ESP32C6, 0x42004020, 14, true},
        {OTA_CHIP_ESP32C6, 0x42001020, 12, false}, /* no such page: the default counts */
        {OTA_CHIP_ESP32C6, 0x42010020, 17, true},
        {OTA_CHIP_ESP32C6, 0x42002020, 200, false},
        {OTA_CHIP_ESP32S3, 0x3C002020, 13, false}, /* may not choose */
        {OTA_CHIP_ESP32S31, 0x40010020, 17, false},
        {OTA_CHIP_ESP32S31, 0x40020020, 17, true},
        {OTA_CHIP_HOST, 0x42000024, 0, true},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        forge_esp32(&forge, cases[i].chip);
        forge_put32(forge.bytes + SEGMENT_0, cases[i].address);
        forge_put32(forge.bytes + SEGMENT_1, 0);
        forge.bytes[DATA_0 + 180] = cases[i].page_log2;
        forge_reseal(&forge);
        ends(cases[i].fits ? OTA_OK : OTA_ERR_IMAGE_MAPPING, cases[i].fits ? forge.len : SEGMENT_0);
    }
}

static void test_mapping_of_later_segments(void **state)
{
    (void)state;
    forge_put32(forge.bytes + SEGMENT_1, 0x400D0000 + SEGMENT_1 + 8);
    forge_reseal(&forge);
    passes();
    rules.flash_offset = 0x10000;
    passes();
    rules.flash_offset = 0x1000; /* where it lies counts, within the page */
    ends(OTA_ERR_IMAGE_MAPPING, SEGMENT_1);
    forge_put32(forge.bytes + SEGMENT_1, 0x400D1000 + SEGMENT_1 + 8);
    forge_reseal(&forge);
    passes();
}

/* Bootloaders always use the default page. */
static void test_mapping_of_bootloaders(void **state)
{
    (void)state;
    forge_esp32(&forge, OTA_CHIP_ESP32C6);
    forge_put32(forge.bytes + SEGMENT_0, 0x42002020);
    forge_put32(forge.bytes + SEGMENT_1, 0);
    forge.bytes[DATA_0 + 180] = 13;
    forge_reseal(&forge);
    passes();
    rules.role = OTA_ROLE_BOOTLOADER;
    ends(OTA_ERR_IMAGE_MAPPING, SEGMENT_0);
}

/* The end. */

static void test_checksum(void **state)
{
    (void)state;
    for (unsigned bit = 0; bit < 8; bit++) {
        forge.bytes[CHECKSUM] ^= (uint8_t)(1u << bit);
        ends(OTA_ERR_IMAGE_CHECKSUM, CHECKSUM);
        forge.bytes[CHECKSUM] ^= (uint8_t)(1u << bit);
    }
    forge.bytes[SEGMENT_1 + 8] ^= 0x10;
    ends(OTA_ERR_IMAGE_CHECKSUM, CHECKSUM);
}

static void test_hash(void **state)
{
    (void)state;
    forge.bytes[CHECKSUM + 1 + 31] ^= 1;
    ends(OTA_ERR_IMAGE_HASH, CHECKSUM + 1);
    rules.role = OTA_ROLE_BOOTLOADER; /* flash tools patch those */
    passes();
    set_up(state);
    forge.bytes[2] ^= 1; /* what only the hash covers */
    ends(OTA_ERR_IMAGE_HASH, CHECKSUM + 1);
}

/* Where the last block is full, a whole block of padding follows. */
static void test_padding(void **state)
{
    (void)state;
    for (uint32_t len = 256; len <= 272; len += 4) {
        forge.len = 0;
        forge_header(&forge, 1);
        forge_extended(&forge, OTA_CHIP_ESP32, false);
        forge_app(&forge, 0x3FFB0000, len);
        forge_checksum(&forge);
        assert_int_equal(forge.len, ((32 + len) | 15) + 1);
        passes();
    }
}

/* Cut anywhere: truncated there; and `wanted` never asks for more than there is. */
static void test_truncated(void **state)
{
    uint32_t len = forge.len;

    (void)state;
    for (forge.len = 0; forge.len < len; forge.len++) {
        struct ota_image_check check;
        ends(OTA_ERR_IMAGE_TRUNCATED, forge.len);
        assert_int_equal(ota_image_check_begin(&check, &rules, &faulty_crypto), OTA_OK);
        assert_int_equal(ota_image_check_write(&check, forge.bytes, forge.len), OTA_OK);
        assert_in_range(ota_image_check_wanted(&check), 1, len - forge.len);
        ota_image_check_abort(&check);
        ota_image_check_abort(&check); /* more than once */
    }
}

static void test_wanted(void **state)
{
    struct ota_image_check check;
    uint32_t at = 0;
    uint32_t wanted;

    (void)state;
    assert_int_equal(ota_image_check_begin(&check, &rules, &faulty_crypto), OTA_OK);
    while ((wanted = ota_image_check_wanted(&check)) != 0) {
        assert_true(wanted <= forge.len - at);
        assert_int_equal(ota_image_check_write(&check, forge.bytes + at, wanted), OTA_OK);
        at += wanted;
    }
    assert_int_equal(at, forge.len);
    assert_int_equal(ota_image_check_finish(&check), OTA_OK);

    forge.bytes[0] = 0;
    assert_int_equal(ota_image_check_begin(&check, &rules, &faulty_crypto), OTA_OK);
    assert_int_equal(ota_image_check_write(&check, forge.bytes, 1), OTA_ERR_IMAGE_MAGIC);
    assert_int_equal(ota_image_check_wanted(&check), 0); /* nothing helps it any more */
    ota_image_check_abort(&check);
}

static void test_trailer(void **state)
{
    uint32_t len = forge.len;

    (void)state;
    forge.len = len + 1;
    ends(OTA_ERR_TOO_LARGE, len);
    forge.len = len + 700;
    ends(OTA_ERR_TOO_LARGE, len);
    rules.allow_trailer = true;
    ends(OTA_OK, len);
    rules.size_max = len + 699;
    ends(OTA_ERR_TOO_LARGE, len + 699);
    rules.size_max = len;
    ends(OTA_ERR_TOO_LARGE, len);
    forge.len = len;
    ends(OTA_OK, len);
}

static void test_huge_write(void **state)
{
#if SIZE_MAX > UINT32_MAX
    struct ota_image_check check;

    (void)state;
    assert_int_equal(ota_image_check_begin(&check, &rules, &faulty_crypto), OTA_OK);
    assert_int_equal(ota_image_check_write(&check, forge.bytes, 10), OTA_OK);
    assert_int_equal(ota_image_check_write(&check, forge.bytes, (size_t)UINT32_MAX + 2),
                     OTA_ERR_TOO_LARGE);
    ota_image_check_abort(&check);
#else
    (void)state;
    skip();
#endif
}

/* Every single bit of an image with a SHA-256: the check refuses it. */
static void test_bit_flips_with_hash(void **state)
{
    (void)state;
    for (uint32_t bit = 0; bit < 8 * LENGTH; bit++) {
        struct ota_image_check check;
        forge.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_not_equal(feed(&check, &rules, forge.bytes, forge.len, FORGE_MAX, 0), OTA_OK);
        forge.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

/* Without it nothing protects headers and zeros (docs/formats/image.md section 7) but what gives
   the image its structure, and what the chip is asked for. */
static bool is_unprotected(uint32_t offset)
{
    bool in_header =
        offset >= 2 && offset < 23 && offset != 12 && offset != 13 && offset != 15 && offset != 16;
    bool in_address = (offset >= SEGMENT_0 && offset < SEGMENT_0 + 4) ||
                      (offset >= SEGMENT_1 && offset < SEGMENT_1 + 4);
    bool in_padding = offset >= DATA_END && offset < CHECKSUM;

    return in_header || in_address || in_padding;
}

static void test_bit_flips_without_hash(void **state)
{
    unsigned harmless = 0;

    (void)state;
    forge.bytes[23] = 0;
    forge_reseal(&forge);
    rules.chip = (struct ota_chip){.id = OTA_CHIP_ESP32, .revision = 0};
    passes();
    for (uint32_t bit = 0; bit < 8 * forge.len; bit++) {
        struct ota_image_check check;
        forge.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        enum ota_err err = feed(&check, &rules, forge.bytes, forge.len, FORGE_MAX, 0);
        if (bit == 8) { /* three segments instead of two: the zeros read as an empty third one */
            assert_int_equal(err, OTA_OK);
        } else if (is_unprotected(bit / 8)) {
            /* An address may turn into one that is mapped, at a place where it cannot be. */
            assert_true(err == OTA_OK || err == OTA_ERR_IMAGE_MAPPING);
            harmless += err == OTA_OK;
        } else {
            assert_int_not_equal(err, OTA_OK);
        }
        forge.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    assert_true(harmless > 8 * 20);
}

/* The digest so far, at any point, and the check goes on. */
static void test_running_digest(void **state)
{
    struct ota_image_check check;
    uint8_t digest[OTA_SHA256_SIZE];

    (void)state;
    assert_int_equal(ota_image_check_begin(&check, &rules, &faulty_crypto), OTA_OK);
    assert_int_equal(ota_image_check_write(&check, forge.bytes, CHECKSUM + 1), OTA_OK);
    assert_int_equal(ota_image_check_digest(&check, digest), OTA_OK);
    assert_memory_equal(digest, forge.bytes + CHECKSUM + 1, sizeof digest);
    assert_int_equal(ota_image_check_write(&check, forge.bytes + CHECKSUM + 1, 32), OTA_OK);
    assert_int_equal(ota_image_check_finish(&check), OTA_OK);
}

static void fault_scenario(void *context)
{
    struct ota_image_check check;

    (void)context;
    enum ota_err err = feed(&check, &rules, forge.bytes, forge.len, 50, 0);
    assert_int_equal(err, faults_struck() ? OTA_ERR_CRYPTO : OTA_OK);
}

static void test_crypto_faults(void **state)
{
    (void)state;
    assert_true(faults_everywhere(FAULT_CRYPTO, fault_scenario, NULL) >= 11);
    rules.form = OTA_IMAGE_DETECT;
    assert_true(faults_everywhere(FAULT_CRYPTO, fault_scenario, NULL) >= 11);
}

/* Any bytes: hashed, and no more. */
static void test_data(void **state)
{
    (void)state;
    rules = feed_rules(OTA_IMAGE_DATA);
    memset(forge.bytes, 0x1F, 1000);
    forge.len = 1000;
    passes();
    forge.len = 0;
    passes();
    rules.size_max = 999;
    forge.len = 999;
    passes();
    forge.len = 1000;
    ends(OTA_ERR_TOO_LARGE, 999);
}

/* docs/formats/image.md section 17. */
static void test_detect(void **state)
{
    struct ota_image_check check;

    (void)state;
    rules.form = OTA_IMAGE_DETECT;
    passes();
    for (uint32_t piece = 1; piece < 40; piece++) {
        assert_int_equal(feed(&check, &rules, forge.bytes, forge.len, piece, 0), OTA_OK);
        assert_int_equal(check.image.form, OTA_IMAGE_ESP32);
    }
    forge_esp32(&forge, OTA_CHIP_HOST);
    assert_int_equal(feed(&check, &rules, forge.bytes, forge.len, 9, 0), OTA_OK);
    assert_int_equal(check.image.form, OTA_IMAGE_ESP32);
    forge_esp8266_rtos(&forge);
    assert_int_equal(feed(&check, &rules, forge.bytes, forge.len, 9, 0), OTA_OK);
    assert_int_equal(check.image.form, OTA_IMAGE_ESP8266_RTOS);
    forge_esp8266_v1(&forge); /* its first length looks like a chip id */
    assert_int_equal(feed(&check, &rules, forge.bytes, forge.len, 9, 0), OTA_OK);
    assert_int_equal(check.image.form, OTA_IMAGE_ESP8266);
    assert_int_equal(check.image.variant, OTA_VARIANT_V1);
    forge_esp8266_v2(&forge, 64);
    assert_int_equal(feed(&check, &rules, forge.bytes, forge.len, 9, 0), OTA_OK);
    assert_int_equal(check.image.variant, OTA_VARIANT_V2);
    forge_esp8266_arduino(&forge, true);
    assert_int_equal(feed(&check, &rules, forge.bytes, forge.len, 9, 0), OTA_OK);
    assert_int_equal(check.image.variant, OTA_VARIANT_ARDUINO);

    forge.bytes[0] = 0x1F; /* gzip */
    forge.bytes[1] = 0x8B;
    ends(OTA_ERR_IMAGE_MAGIC, 0);
    forge.bytes[0] = 0xE9;
    forge.len = 23;
    ends(OTA_ERR_IMAGE_TRUNCATED, 0);
    rules.size_max = 23;
    ends(OTA_ERR_TOO_LARGE, 0);
}

int main(void)
{
#define FRESH(test) cmocka_unit_test_setup(test, set_up)
    const struct CMUnitTest tests[] = {
        FRESH(test_good),
        FRESH(test_every_split_in_two),
        FRESH(test_magic),
        FRESH(test_chip),
        FRESH(test_chip_revisions),
        FRESH(test_segment_count),
        FRESH(test_lengths),
        FRESH(test_short_first_segment),
        FRESH(test_too_large),
        FRESH(test_on_segment),
        FRESH(test_no_descriptor),
        FRESH(test_no_segment_and_no_descriptor),
        FRESH(test_no_segment_where_no_descriptor_is_known),
        FRESH(test_descriptor_of_chips_with_page_sizes),
        FRESH(test_secure_version),
        FRESH(test_efuse_block_revision),
        FRESH(test_mapping),
        FRESH(test_mapping_of_later_segments),
        FRESH(test_mapping_of_bootloaders),
        FRESH(test_checksum),
        FRESH(test_hash),
        FRESH(test_padding),
        FRESH(test_truncated),
        FRESH(test_wanted),
        FRESH(test_trailer),
        FRESH(test_huge_write),
        FRESH(test_bit_flips_with_hash),
        FRESH(test_bit_flips_without_hash),
        FRESH(test_running_digest),
        FRESH(test_crypto_faults),
        FRESH(test_data),
        FRESH(test_detect),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
