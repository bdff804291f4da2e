/* SPDX-License-Identifier: Apache-2.0 */
/* The small check of images in flash: it says what the large one says, of whole images and of every
   kind of broken one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include <updraft/image.h>

#include "support/forge.h"
#include "support/images.h"
#include "support/ram_flash.h"

#define SECTOR 4096u
#define FLASH_SIZE 0x20000u
#define GZIP 0x1F
#define ROUNDS 20000u

static struct ram_flash *chip;
static struct ota_image_rules rules;
static struct forge forge;

static int set_up(void **state)
{
    (void)state;
    chip = ram_flash_new(FLASH_SIZE, SECTOR, 0, 1);
    rules = (struct ota_image_rules){.form = OTA_IMAGE_ESP32,
                                     .chip = {.id = OTA_CHIP_HOST, .ignore_revisions = true}};
    memset(&forge, 0, sizeof forge);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    assert_int_equal(faulty_crypto_running(), 0);
    ram_flash_free(chip);
    return 0;
}

static void put(const struct forge *image)
{
    memset(chip->memory, 0xFF, FLASH_SIZE);
    memcpy(chip->memory, image->bytes, image->len);
}

static enum ota_err read_plain(struct ota_image_check *check, uint32_t size, uint32_t buffer_size)
{
    struct ota_region region = ram_flash_region(chip, 0, size);
    uint8_t buffer[SECTOR];

    rules.size_max = size;
    enum ota_err err =
        ota_image_read_plain(check, &rules, &faulty_crypto, &region, buffer, buffer_size);
    assert_int_equal(check->failure.err, err);
    return err;
}

/* Lets both look at it. */
static enum ota_err compare_with(uint32_t size, uint32_t buffer_size)
{
    struct ota_region region = ram_flash_region(chip, 0, size);
    struct ota_image_check plain;
    struct ota_image_check whole;
    uint8_t buffer[SECTOR];
    enum ota_err err = read_plain(&plain, size, buffer_size);
    enum ota_err expected =
        ota_image_read(&whole, &rules, &faulty_crypto, &region, buffer, buffer_size);

    if (expected == OTA_ERR_COMPRESSED) { /* of no interest to a bootloader */
        expected = OTA_ERR_IMAGE_MAGIC;
    }
    if (err != expected || (err != OTA_OK && plain.failure.offset != whole.failure.offset)) {
        fail_msg("%s at %u instead of %s at %u", ota_err_name(err), (unsigned)plain.failure.offset,
                 ota_err_name(expected), (unsigned)whole.failure.offset);
    }
    if (err == OTA_OK) {
        uint8_t digest[2][OTA_SHA256_SIZE];
        assert_int_equal(plain.image.length, whole.image.length);
        whole.image.max_revision = plain.image.max_revision;
        whole.image.min_revision = plain.image.min_revision;
        assert_memory_equal(&plain.image, &whole.image, sizeof plain.image);
        assert_int_equal(ota_image_check_digest(&plain, digest[0]), OTA_OK);
        assert_int_equal(ota_image_check_digest(&whole, digest[1]), OTA_OK);
        assert_memory_equal(digest[0], digest[1], OTA_SHA256_SIZE);
    }
    ota_image_check_abort(&plain);
    ota_image_check_abort(&whole);
    return err;
}

static enum ota_err compare(void)
{
    return compare_with(FLASH_SIZE, 256);
}

/* Segments of these lengths, the first with a descriptor. */
static void make(unsigned segments, uint32_t len, bool digest)
{
    forge.len = 0;
    forge_header(&forge, (uint8_t)segments);
    forge_extended(&forge, OTA_CHIP_HOST, digest);
    for (unsigned i = 0; i < segments; i++) {
        if (i == 0) {
            forge_app(&forge, 0x3FFB0000, len);
        } else {
            forge_segment(&forge, 0x40080000, 4 * i);
        }
    }
    forge_checksum(&forge);
    if (digest) {
        forge_sha256(&forge);
    }
    put(&forge);
}

static void test_whole(void **state)
{
    (void)state;
    for (unsigned segments = 0; segments <= 16; segments++) {
        for (uint32_t len = 256; len < 300; len += 4) {
            make(segments, len, true);
            assert_int_equal(compare(), OTA_OK);
            make(segments, len, false);
            assert_int_equal(compare(), OTA_OK);
        }
    }
}

static void test_made_images(void **state)
{
    (void)state;
    for (uint32_t size = 0; size < 20000; size += 1237) {
        size_t len = image_make(chip->memory, FLASH_SIZE,
                                &(struct image_facts){.chip = OTA_CHIP_HOST, .size = size});
        assert_true(len > 0);
        for (uint32_t buffer = 1; buffer <= SECTOR; buffer = buffer * 3 + 1) {
            assert_int_equal(compare_with(FLASH_SIZE, buffer), OTA_OK);
        }
    }
}

/* Every byte, changed to each of some values. */
static void test_every_byte(void **state)
{
    static const uint8_t changes[] = {0x01, 0x80, 0x10, 0xFF, 0x03};

    (void)state;
    make(3, 300, true);
    for (uint32_t i = 0; i < forge.len; i++) {
        for (size_t n = 0; n < sizeof changes; n++) {
            chip->memory[i] ^= changes[n];
            (void)compare();
            chip->memory[i] ^= changes[n];
        }
    }
    chip->memory[0] = GZIP;
    assert_int_equal(compare(), OTA_ERR_IMAGE_MAGIC);
}

/* Headers of segments, with any lengths. */
static void test_any_lengths(void **state)
{
    (void)state;
    for (unsigned round = 0; round < ROUNDS; round++) {
        make(1 + noise(1, round) % 4, 256 + 4 * (noise(2, round) % 20), noise(3, round) % 2);
        uint32_t at = 24 + 4;
        uint32_t value = noise(4, round) >> noise(5, round) % 32;
        if (noise(6, round) % 2 == 0) { /* of the second segment, if there is one */
            at += 8 + (uint32_t)(chip->memory[28] | chip->memory[29] << 8);
        }
        forge_put32(chip->memory + at, value);
        (void)compare();
    }
}

static void test_every_size(void **state)
{
    (void)state;
    make(3, 300, true);
    for (uint32_t size = 0; size <= forge.len; size++) {
        assert_int_equal(compare_with(size, 64), size < forge.len ? OTA_ERR_TOO_LARGE : OTA_OK);
    }
}

static void test_descriptor(void **state)
{
    (void)state;
    assert_true(image_make(chip->memory, FLASH_SIZE,
                           &(struct image_facts){.chip = OTA_CHIP_HOST, .secure_version = 3}) > 0);
    rules.secure_version_floor = 3;
    assert_int_equal(compare(), OTA_OK);
    rules.secure_version_floor = 4;
    assert_int_equal(compare(), OTA_ERR_SECURE_VERSION);
    chip->memory[32] ^= 1;
    assert_int_equal(compare(), OTA_ERR_IMAGE_DESCRIPTOR);
    rules.secure_version_floor = 0;
    rules.require_descriptor = true;
    assert_int_equal(compare(), OTA_ERR_IMAGE_DESCRIPTOR);
    rules.require_descriptor = false;
    assert_int_equal(compare(), OTA_ERR_IMAGE_CHECKSUM);
}

/* Without a segment there is no descriptor. */
static void test_no_segment(void **state)
{
    (void)state;
    make(0, 0, true);
    assert_int_equal(compare(), OTA_OK);
    rules.secure_version_floor = 1;
    assert_int_equal(compare(), OTA_ERR_IMAGE_DESCRIPTOR);
    rules.secure_version_floor = 0;
    rules.require_descriptor = true;
    assert_int_equal(compare(), OTA_ERR_IMAGE_DESCRIPTOR);
}

/* What it is not for, it refuses. */
static void test_other_forms(void **state)
{
    struct ota_image_check check;

    (void)state;
    make(2, 300, true);
    for (int form = OTA_IMAGE_DETECT; form <= OTA_IMAGE_DATA; form++) {
        rules.form = (enum ota_image_form)form;
        assert_int_equal(read_plain(&check, FLASH_SIZE, 64),
                         form == OTA_IMAGE_ESP32 ? OTA_OK : OTA_ERR_ARGUMENT);
        ota_image_check_abort(&check);
    }
    rules.form = OTA_IMAGE_ESP32;
    rules.role = OTA_ROLE_BOOTLOADER;
    assert_int_equal(read_plain(&check, FLASH_SIZE, 64), OTA_ERR_ARGUMENT);
    rules.role = OTA_ROLE_APP;
    assert_int_equal(read_plain(&check, FLASH_SIZE, 0), OTA_ERR_ARGUMENT);
    rules.chip.id = OTA_CHIP_ESP32;
    assert_int_equal(read_plain(&check, FLASH_SIZE, 64), OTA_ERR_IMAGE_CHIP);
    ota_image_check_abort(&check);
}

static void read_faulty(void *context)
{
    const enum fault_kind *kind = context;
    struct ota_image_check check;
    enum ota_err err = read_plain(&check, FLASH_SIZE, 100);

    ota_image_check_abort(&check);
    assert_int_equal(err, faults_struck() ? faults_error(*kind) : OTA_OK);
    assert_int_equal(faulty_crypto_running(), 0);
}

static void test_faults(void **state)
{
    enum fault_kind kind = FAULT_READ;

    (void)state;
    make(3, 300, true);
    assert_int_equal(faults_everywhere(kind, read_faulty, &kind), 11);
    kind = FAULT_CRYPTO;
    assert_int_equal(faults_everywhere(kind, read_faulty, &kind), 1 + 11 + 2);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_whole),       TEST(test_made_images), TEST(test_every_byte),
        TEST(test_any_lengths), TEST(test_every_size),  TEST(test_descriptor),
        TEST(test_no_segment),  TEST(test_other_forms), TEST(test_faults),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
