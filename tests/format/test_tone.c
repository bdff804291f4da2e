/* SPDX-License-Identifier: Apache-2.0 */
/* Voice-tone images: docs/formats/upgrade-list.md section 5. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <updraft/tone.h>

#include "support/ram_flash.h"
#include "support/tones.h"

#define TONE_MAX 8192u
#define ENTRY_0 264u /* of format 1 */

static uint8_t tone[TONE_MAX];
static size_t tone_len;

static void make(uint32_t format, unsigned files)
{
    const struct tone_facts facts = {.format = format,
                                     .version = "v1.2.3",
                                     .project = TONE_PROJECT,
                                     .files = files,
                                     .length = {1001, 2004, 0, 3}};

    tone_len = tone_make(tone, sizeof tone, &facts);
    assert_true(tone_len > 0);
}

static int set_up(void **state)
{
    (void)state;
    make(1, 2);
    return 0;
}

/* Feeds `len` bytes in pieces and finishes. */
static enum ota_err feed(struct ota_tone_check *check, const uint8_t *data, size_t len,
                         size_t piece)
{
    ota_tone_check_begin(check);
    for (size_t at = 0; at < len; at += piece) {
        size_t n = len - at < piece ? len - at : piece;
        if (ota_tone_check_write(check, data + at, n) != OTA_OK) {
            return check->failure.err;
        }
    }
    return ota_tone_check_finish(check);
}

static enum ota_err judge(size_t len)
{
    struct ota_tone_check check;
    enum ota_err err = feed(&check, tone, len, len > 0 ? len : 1);

    assert_int_equal(check.failure.err, err);
    return err;
}

static void test_facts(void **state)
{
    struct ota_tone_check check;

    (void)state;
    assert_int_equal(feed(&check, tone, tone_len, tone_len), OTA_OK);
    assert_int_equal(check.head.files, 2);
    assert_int_equal(check.head.format, 1);
    assert_string_equal(check.head.version, "v1.2.3");
    assert_string_equal(check.head.project, "ESP_TONE_BIN");
    assert_string_equal(check.head.time, "12:00:00");
    assert_string_equal(check.head.date, "2024-01-01");
    assert_int_equal(check.size, tone_len);
}

static void test_pieces(void **state)
{
    (void)state;
    for (uint32_t format = 0; format <= 1; format++) {
        for (unsigned files = 0; files <= 4; files++) {
            make(format, files);
            for (size_t piece = 1; piece <= 300; piece++) {
                struct ota_tone_check check;
                assert_int_equal(feed(&check, tone, tone_len, piece), OTA_OK);
                assert_int_equal(check.size, tone_len);
            }
        }
    }
}

static void test_every_split(void **state)
{
    struct ota_tone_check check;

    (void)state;
    for (size_t split = 0; split <= tone_len; split++) {
        ota_tone_check_begin(&check);
        assert_int_equal(ota_tone_check_write(&check, tone, split), OTA_OK);
        assert_int_equal(ota_tone_check_write(&check, tone + split, tone_len - split), OTA_OK);
        assert_int_equal(ota_tone_check_finish(&check), OTA_OK);
    }
}

static void test_cut_short_anywhere(void **state)
{
    (void)state;
    for (uint32_t format = 0; format <= 1; format++) {
        make(format, 3);
        for (size_t len = 0; len < tone_len; len++) {
            assert_int_equal(judge(len), OTA_ERR_IMAGE_TRUNCATED);
        }
    }
}

static void test_too_long(void **state)
{
    struct ota_tone_check check;

    (void)state;
    assert_int_equal(feed(&check, tone, tone_len + 1, 100), OTA_ERR_TOO_LARGE);
    assert_int_equal(check.failure.offset, tone_len);
    assert_int_equal(ota_tone_check_write(&check, tone, 0), OTA_ERR_TOO_LARGE);
    assert_int_equal(ota_tone_check_finish(&check), OTA_ERR_TOO_LARGE);
}

/* Each bit of format 1 is covered by something. */
static void test_every_bit_counts(void **state)
{
    (void)state;
    for (size_t i = 0; i < tone_len; i++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            tone[i] ^= (uint8_t)(1u << bit);
            assert_int_not_equal(judge(tone_len), OTA_OK);
            tone[i] ^= (uint8_t)(1u << bit);
        }
    }
}

static void assert_broken(size_t at, uint8_t value, enum ota_err err, uint32_t offset)
{
    struct ota_tone_check check;
    uint8_t kept = tone[at];

    tone[at] = value;
    tone_reseal(tone, tone_len);
    assert_int_equal(feed(&check, tone, tone_len, 64), err);
    assert_int_equal(check.failure.offset, offset);
    tone[at] = kept;
    tone_reseal(tone, tone_len);
}

static void test_fields(void **state)
{
    (void)state;
    assert_broken(0, 0x54, OTA_ERR_IMAGE_MAGIC, 0);
    assert_broken(1, 0x21, OTA_ERR_IMAGE_MAGIC, 0);
    assert_broken(3, 0x01, OTA_ERR_IMAGE_SEGMENT_COUNT, 0); /* 258 files */
    assert_broken(4, 2, OTA_ERR_IMAGE_DESCRIPTOR, 0);
    assert_broken(8, 0x77, OTA_ERR_IMAGE_MAGIC, 8);
    assert_broken(ENTRY_0, 0x29, OTA_ERR_IMAGE_SEGMENT, ENTRY_0);
    assert_broken(ENTRY_0 + 1, 1, OTA_ERR_IMAGE_SEGMENT, ENTRY_0);
    assert_broken(ENTRY_0 + 4, 0x87, OTA_ERR_IMAGE_SEGMENT, ENTRY_0);      /* in the directory */
    assert_broken(ENTRY_0 + 7, 0xFF, OTA_ERR_IMAGE_SEGMENT, ENTRY_0 + 64); /* the next is before */
    assert_broken(tone_len - 1, 0xDE, OTA_ERR_IMAGE_HASH, (uint32_t)tone_len - 2);
    tone[500] ^= 1; /* without a new seal */
    assert_int_equal(judge(tone_len), OTA_ERR_IMAGE_HASH);
}

/* Addresses and lengths near the end of 32 bits must not come round. */
static void test_large_numbers(void **state)
{
    static const uint32_t numbers[] = {0x7FFFFFFF, 0x80000000, 0xFFFFFFF0, 0xFFFFFFF8,
                                       0xFFFFFFFC, 0xFFFFFFFE, 0xFFFFFFFF};

    (void)state;
    for (size_t a = 0; a < sizeof numbers / sizeof *numbers; a++) {
        for (size_t b = 0; b < sizeof numbers / sizeof *numbers; b++) {
            struct ota_tone_check check;
            make(1, 1);
            for (unsigned i = 0; i < 4; i++) {
                tone[ENTRY_0 + 4 + i] = (uint8_t)(numbers[a] >> 8 * i);
                tone[ENTRY_0 + 8 + i] = (uint8_t)(numbers[b] >> 8 * i);
            }
            enum ota_err err = feed(&check, tone, tone_len, tone_len);
            assert_true(err == OTA_ERR_IMAGE_SEGMENT || err == OTA_ERR_IMAGE_TRUNCATED);
        }
    }
}

static void test_head(void **state)
{
    struct ota_tone_head head;

    (void)state;
    assert_false(ota_tone_is(tone, 1));
    assert_true(ota_tone_is(tone, 2));
    for (size_t len = 0; len < OTA_TONE_HEAD_SIZE; len++) {
        assert_int_equal(ota_tone_head_decode(&head, tone, len), OTA_ERR_IMAGE_TRUNCATED);
    }
    assert_int_equal(ota_tone_head_decode(&head, tone, OTA_TONE_HEAD_SIZE), OTA_OK);
    assert_string_equal(head.version, "v1.2.3");
    memset(tone + 8 + 16, 'x', 32 + 32); /* both fill their fields */
    assert_int_equal(ota_tone_head_decode(&head, tone, OTA_TONE_HEAD_SIZE), OTA_OK);
    assert_int_equal(strlen(head.version), 32);
    assert_int_equal(strlen(head.project), 32);
    make(0, 2);
    assert_int_equal(ota_tone_head_decode(&head, tone, 8), OTA_OK);
    assert_int_equal(head.files, 2);
    assert_string_equal(head.version, "");
    assert_string_equal(head.project, "");
}

/* ---- In a partition -------------------------------------------------------------------------- */

static void put(struct ram_flash *chip, const void *data, size_t len)
{
    memcpy(chip->memory, data, len);
}

static void test_verify_in_flash(void **state)
{
    struct ram_flash *chip = ram_flash_new(0x4000, 4096, 0, 1);
    struct ota_region region = ram_flash_region(chip, 0, 0x4000);
    struct ota_tone_check check;
    struct ota_tone_file file;

    (void)state;
    assert_int_equal(ota_tone_verify(&check, &region), OTA_ERR_IMAGE_MAGIC); /* blank */
    for (uint32_t format = 0; format <= 1; format++) {
        make(format, 4);
        put(chip, tone, tone_len); /* what follows it does not matter */
        assert_int_equal(ota_tone_verify(&check, &region), OTA_OK);
        assert_int_equal(check.size, tone_len);
        for (unsigned i = 0; i < 4; i++) {
            static const uint32_t lengths[] = {1001, 2004, 0, 3};
            assert_int_equal(ota_tone_file(&check.head, &region, i, &file), OTA_OK);
            assert_int_equal(file.type, i % 2);
            assert_int_equal(file.length, lengths[i]);
            assert_true(file.address + file.length <= check.size);
        }
        assert_int_equal(ota_tone_file(&check.head, &region, 4, &file), OTA_ERR_ARGUMENT);
    }
    region.size = (uint32_t)tone_len - 1;
    assert_int_equal(ota_tone_verify(&check, &region), OTA_ERR_IMAGE_TRUNCATED);
    assert_int_equal(ram_flash_changes(chip), 0);
    ram_flash_free(chip);
}

static void verify_once(void *context)
{
    struct ram_flash *chip = context;
    struct ota_region region = ram_flash_region(chip, 0, 0x4000);
    struct ota_tone_check check;
    struct ota_tone_file file;
    enum ota_err err = ota_tone_verify(&check, &region);

    if (err == OTA_OK) {
        err = ota_tone_file(&check.head, &region, 0, &file);
    }
    assert_int_equal(err, faults_struck() ? OTA_ERR_FLASH_READ : OTA_OK);
}

static void test_failing_reads(void **state)
{
    struct ram_flash *chip = ram_flash_new(0x4000, 4096, 0, 1);

    (void)state;
    put(chip, tone, tone_len);
    assert_true(faults_everywhere(FAULT_READ, verify_once, chip) > 10);
    ram_flash_free(chip);
}

/* ---- Recorded images ------------------------------------------------------------------------- */

static bool load(const char *name)
{
    char path[512];

    (void)snprintf(path, sizeof path, "%s/arduino/adf/%s", UPDRAFT_VECTORS, name);
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        return false;
    }
    tone_len = fread(tone, 1, sizeof tone, file);
    (void)fclose(file);
    return true;
}

static void test_recorded(void **state)
{
    static const struct {
        const char *name;
        uint32_t format, size;
        const char *version;
    } recorded[] = {
        {"tone-format0.bin", 0, 3144, ""},
        {"tone-format1-v1.0.0.bin", 1, 3406, "v1.0.0"},
        {"tone-format1-v1.0.1.bin", 1, 3406, "v1.0.1"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof recorded / sizeof *recorded; i++) {
        struct ota_tone_check check;
        if (!load(recorded[i].name)) {
            skip();
        }
        assert_int_equal(tone_len, recorded[i].size);
        for (size_t piece = 1; piece < 70; piece++) {
            assert_int_equal(feed(&check, tone, tone_len, piece), OTA_OK);
        }
        assert_int_equal(check.head.files, 2);
        assert_int_equal(check.head.format, recorded[i].format);
        assert_string_equal(check.head.version, recorded[i].version);
        assert_string_equal(check.head.project, recorded[i].format == 1 ? "ESP_TONE_BIN" : "");
        for (size_t len = 0; len < tone_len; len++) {
            assert_int_equal(feed(&check, tone, len, 97), OTA_ERR_IMAGE_TRUNCATED);
        }
    }
}

int main(void)
{
#define FRESH(test) cmocka_unit_test_setup(test, set_up)
    const struct CMUnitTest tests[] = {
        FRESH(test_facts),         FRESH(test_pieces),
        FRESH(test_every_split),   FRESH(test_cut_short_anywhere),
        FRESH(test_too_long),      FRESH(test_every_bit_counts),
        FRESH(test_fields),        FRESH(test_large_numbers),
        FRESH(test_head),          FRESH(test_verify_in_flash),
        FRESH(test_failing_reads), FRESH(test_recorded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
