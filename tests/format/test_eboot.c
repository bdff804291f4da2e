/* SPDX-License-Identifier: Apache-2.0 */
/* eboot's command: docs/formats/eboot.md section 1, whose examples are here, and recorded ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <updraft/eboot.h>

#include "support/recorded.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

struct example {
    const char *recorded;
    struct ota_eboot_command command;
    uint8_t first[20];
    uint8_t crc[4];
};

static const struct example examples[] = {
    {"cmd-copy-sketch-4m2m",
     {OTA_EBOOT_COPY, 0x1FB000, 0, 18896},
     {0x00, 0x10, 0x00, 0xEB, 1, 0, 0, 0, 0x00, 0xB0, 0x1F, 0, 0, 0, 0, 0, 0xD0, 0x49, 0, 0},
     {0xF9, 0xC5, 0x8D, 0x22}},
    {"cmd-copy-sketch-1m64",
     {OTA_EBOOT_COPY, 0xE6000, 0, 18896},
     {0x00, 0x10, 0x00, 0xEB, 1, 0, 0, 0, 0x00, 0x60, 0x0E, 0, 0, 0, 0, 0, 0xD0, 0x49, 0, 0},
     {0xFB, 0xFF, 0xA3, 0x14}},
    {"cmd-copy-gzip-signed",
     {OTA_EBOOT_COPY, 0x1FE000, 0, 6574},
     {0x00, 0x10, 0x00, 0xEB, 1, 0, 0, 0, 0x00, 0xE0, 0x1F, 0, 0, 0, 0, 0, 0xAE, 0x19, 0, 0},
     {0x89, 0x89, 0xDA, 0x71}},
    {"cmd-copy-atomic-fs",
     {OTA_EBOOT_COPY, 0x100000, 0x200000, 65536},
     {0x00, 0x10, 0x00, 0xEB, 1, 0, 0, 0, 0x00, 0x00, 0x10, 0, 0, 0, 0x20, 0, 0, 0, 1, 0},
     {0x58, 0xBE, 0x6E, 0xCA}},
    {"cmd-load-app-0",
     {OTA_EBOOT_LOAD, 0, 0, 0},
     {0x00, 0x10, 0x00, 0xEB, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
     {0xB9, 0xAB, 0xE8, 0xE5}},
};

static const struct ota_eboot_command untouched = {1, 2, 3, 4};

static void assert_is_none(const uint8_t *record)
{
    struct ota_eboot_command command = untouched;

    assert_int_equal(ota_eboot_decode(record, &command), OTA_ERR_NO_DATA);
    assert_memory_equal(&command, &untouched, sizeof command);
}

static void test_examples(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(examples); i++) {
        const struct example *example = &examples[i];
        uint8_t record[OTA_EBOOT_COMMAND_SIZE];
        uint8_t zeros[104] = {0};
        struct ota_eboot_command command = untouched;

        memset(record, 0xA5, sizeof record);
        ota_eboot_encode(&example->command, record);
        assert_memory_equal(record, example->first, sizeof example->first);
        assert_memory_equal(record + 20, zeros, sizeof zeros);
        assert_memory_equal(record + 124, example->crc, sizeof example->crc);
        assert_int_equal(ota_eboot_decode(record, &command), OTA_OK);
        assert_memory_equal(&command, &example->command, sizeof command);
    }
}

/* The low bits of the mark may be anything; the CRC covers them. */
static void test_the_mark(void **state)
{
    uint8_t record[OTA_EBOOT_COMMAND_SIZE];
    struct ota_eboot_command command;

    (void)state;
    ota_eboot_encode(&examples[0].command, record);
    record[0] = 0xBC;
    record[1] = 0x1A;
    assert_is_none(record);
    memcpy(record + 124, "\x87\xAA\xD8\x4B", 4);
    assert_int_equal(ota_eboot_decode(record, &command), OTA_OK);
    assert_memory_equal(&command, &examples[0].command, sizeof command);
}

/* The CRC of zeros is none, and an erased or forgotten memory is no command. */
static void test_what_is_none(void **state)
{
    uint8_t record[OTA_EBOOT_COMMAND_SIZE];

    (void)state;
    memset(record, 0xFF, sizeof record);
    assert_is_none(record);
    memset(record, 0, sizeof record);
    assert_is_none(record);
    memcpy(record + 124, "\x57\x14\x8F\xCF", 4);
    assert_is_none(record);
}

static void test_every_flipped_bit_is_seen(void **state)
{
    uint8_t record[OTA_EBOOT_COMMAND_SIZE];

    (void)state;
    ota_eboot_encode(&examples[0].command, record);
    for (unsigned bit = 0; bit < 8 * sizeof record; bit++) {
        record[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_is_none(record);
        record[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

static void test_clear(void **state)
{
    uint8_t record[OTA_EBOOT_COMMAND_SIZE];
    uint8_t before[OTA_EBOOT_COMMAND_SIZE];

    (void)state;
    ota_eboot_encode(&examples[3].command, before);
    memcpy(record, before, sizeof record);
    ota_eboot_clear(record);
    assert_memory_equal(record, "\0\0\0", 4);
    assert_memory_equal(record + 124, "\0\0\0", 4);
    assert_memory_equal(record + 4, before + 4, 120);
    assert_is_none(record);
}

/* ---- Recorded -------------------------------------------------------------------------------- */

static uint8_t *read_record(const char *name)
{
    char path[64];
    uint32_t len;

    (void)snprintf(path, sizeof path, "arduino/eboot/%s.bin", name);
    uint8_t *record = recorded_read(UPDRAFT_VECTORS, path, &len);
    if (record != NULL) {
        assert_int_equal(len, OTA_EBOOT_COMMAND_SIZE);
    }
    return record;
}

static void test_recorded_commands_are_ours(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(examples); i++) {
        uint8_t *record = read_record(examples[i].recorded);
        uint8_t made[OTA_EBOOT_COMMAND_SIZE];

        if (record == NULL) {
            skip();
            return;
        }
        ota_eboot_encode(&examples[i].command, made);
        assert_memory_equal(made, record, sizeof made);
        free(record);
    }
}

static void test_recorded_judgements(void **state)
{
    static const struct {
        const char *name;
        enum ota_err err;
    } cases[] = {
        {"cmd-magic-lowbits", OTA_OK},
        {"cmd-bad-crc", OTA_ERR_NO_DATA},
        {"cmd-cleared", OTA_ERR_NO_DATA},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        uint8_t *record = read_record(cases[i].name);
        struct ota_eboot_command command;

        if (record == NULL) {
            skip();
            return;
        }
        assert_int_equal(ota_eboot_decode(record, &command), cases[i].err);
        free(record);
    }
}

static void test_a_recorded_command_cleared(void **state)
{
    uint8_t *record = read_record("cmd-copy-sketch-4m2m");
    uint8_t *cleared = read_record("cmd-cleared");

    (void)state;
    if (record == NULL || cleared == NULL) {
        free(record);
        free(cleared);
        skip();
        return;
    }
    ota_eboot_clear(record);
    assert_memory_equal(record, cleared, OTA_EBOOT_COMMAND_SIZE);
    free(record);
    free(cleared);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_examples),
        cmocka_unit_test(test_the_mark),
        cmocka_unit_test(test_what_is_none),
        cmocka_unit_test(test_every_flipped_bit_is_seen),
        cmocka_unit_test(test_clear),
        cmocka_unit_test(test_recorded_commands_are_ours),
        cmocka_unit_test(test_recorded_judgements),
        cmocka_unit_test(test_a_recorded_command_cleared),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
