/* SPDX-License-Identifier: Apache-2.0 */
/* The command in the staging region and its log, byte by byte: docs/formats/staging.md sections 2
   and 3. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "format/staging.h"
#include "support/ram_flash.h"

#define SECTOR 1024u
#define AT 0x1000u

static struct ram_flash *chip;
static struct ota_region region;
static struct ota__command command;

static void open_chip(uint32_t write_size, uint32_t sectors)
{
    chip = ram_flash_new(0x4000, SECTOR, 0, write_size);
    region = ram_flash_region(chip, AT, sectors * SECTOR);
    memset(&command, 0, sizeof command);
    command.region = region;
    command.action = OTA__COMMAND_SWAP;
    command.flags = OTA__COMMAND_DATA | OTA__COMMAND_GZIP;
    command.stored = (struct ota_extent){0x11223344, 0x55667788};
    command.destination = (struct ota_extent){0x99AABBCC, 0xDDEEFF00};
    command.unit = 0x2000;
    memset(command.digest, 0xA5, sizeof command.digest);
}

static int set_up(void **state)
{
    (void)state;
    faults_clear();
    open_chip(1, 1);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    faults_clear();
    ram_flash_free(chip);
    return 0;
}

static void read_again(void)
{
    assert_int_equal(ota__command_read(&command, &region), OTA_OK);
}

static void test_layout(void **state)
{
    static const uint8_t head[] = {'U',  'P',  'D',  'C',  1,    2,    3,    0xFF, 0x44, 0x33,
                                   0x22, 0x11, 0x88, 0x77, 0x66, 0x55, 0xCC, 0xBB, 0xAA, 0x99,
                                   0x00, 0xFF, 0xEE, 0xDD, 0x00, 0x20, 0x00, 0x00};
    const uint8_t *bytes = chip->memory + AT;

    (void)state;
    assert_int_equal(ota__command_write(&command), OTA_OK);
    assert_memory_equal(bytes, head, sizeof head);
    for (int i = 28; i < 60; i++) {
        assert_int_equal(bytes[i], 0xA5);
    }
    const uint32_t crc = ota_crc32(0, bytes, 60);
    const uint8_t sum[] = {(uint8_t)crc, (uint8_t)(crc >> 8), (uint8_t)(crc >> 16),
                           (uint8_t)(crc >> 24)};
    assert_memory_equal(bytes + 60, sum, sizeof sum);
    for (uint32_t i = 64; i < SECTOR; i++) {
        assert_int_equal(bytes[i], 0xFF);
    }
    read_again();
    assert_true(command.is_there);
    assert_int_equal(command.action, OTA__COMMAND_SWAP);
    assert_int_equal(command.flags, 3);
    assert_int_equal(command.stored.size, 0x55667788);
    assert_int_equal(command.destination.offset, 0x99AABBCC);
    assert_int_equal(command.unit, 0x2000);
    assert_false(command.is_begun);

    /* One place is left out: power may have failed there. */
    assert_int_equal(ota__command_note(&command, 0x8005), OTA_OK);
    assert_memory_equal(bytes + 84, "\x05\x80\xFA\x7F", 4);
    assert_int_equal(ota__command_note(&command, 0), OTA_OK);
    assert_memory_equal(bytes + 88, "\x00\x00\xFF\xFF", 4);
    assert_int_equal(ota__command_note_state(&command, OTA__STATE_TRIAL), OTA_OK);
    assert_memory_equal(bytes + 92, "\x06\xC0\xF9\x3F", 4);
}

static void test_notes(void **state)
{
    (void)state;
    assert_int_equal(ota__command_write(&command), OTA_OK);
    read_again();
    assert_int_equal(ota__command_note(&command, OTA__NOTE_BEGUN + 7), OTA_OK);
    for (uint16_t step = 0; step < 16; step++) {
        assert_int_equal(ota__command_note(&command, step), OTA_OK);
        assert_int_equal(command.steps, step + 1u);
        assert_int_equal(ota__command_is_swapped(&command), step >= 13);
    }
    assert_int_equal(ota__command_note_state(&command, OTA__STATE_TRIAL), OTA_OK);
    read_again();
    assert_int_equal(ota__command_note_state(&command, OTA__STATE_TRIAL), OTA_OK);
    assert_int_equal(ota__command_note_state(&command, OTA__STATE_REJECTED), OTA_OK);
    read_again();
    assert_true(command.is_begun);
    assert_int_equal(command.units, 7);
    assert_int_equal(command.steps, 16);
    assert_int_equal(command.trials, 2);
    assert_true(ota__command_is(&command, OTA__STATE_REJECTED));
    assert_false(ota__command_is(&command, OTA__STATE_CONFIRMED));
    for (uint16_t step = 16; step < 28; step++) {
        assert_true(ota__command_is_swapped(&command));
        assert_int_equal(ota__command_note(&command, step), OTA_OK);
    }
    assert_false(ota__command_is_swapped(&command));
    command.is_begun = false;
    assert_false(ota__command_is_swapped(&command));
    command.action = OTA__COMMAND_COPY;
    assert_false(ota__command_is_swapped(&command));
    command.is_there = false;
    assert_false(ota__command_is_swapped(&command));
}

/* A record that was cut short does not count, wherever it was cut, nor does it stand in the way. */
static void test_torn_records(void **state)
{
    uint8_t *bytes = chip->memory + AT;

    (void)state;
    assert_int_equal(ota__command_write(&command), OTA_OK);
    for (int bit = 0; bit < 32; bit++) {
        read_again();
        const uint32_t at = command.log.next;
        const uint16_t step = (uint16_t)(0x1234 + bit);
        const uint32_t record = step | (uint32_t)(uint16_t)~step << 16;
        if ((record >> bit & 1) != 0) {
            continue; /* is set in the end: nothing to be cut */
        }
        for (int i = 0; i < 4; i++) {
            bytes[at + (uint32_t)i] = (uint8_t)((record | 1u << bit) >> 8 * i);
        }
        const uint32_t steps = command.steps;
        read_again();
        assert_int_equal(command.steps, steps);
        assert_int_equal(command.log.next, at + 4); /* nothing can have been begun behind it */
        assert_int_equal(ota__command_note(&command, step), OTA_OK);
        read_again();
        assert_int_equal(command.steps, step + 1u);
    }
}

static void test_a_full_log(void **state)
{
    uint32_t notes = 0;

    (void)state;
    assert_int_equal(ota__command_write(&command), OTA_OK);
    read_again();
    uint32_t room = ota__log_room(&command.log);
    while (room > 0) {
        assert_int_equal(ota__command_note(&command, (uint16_t)notes++), OTA_OK);
        assert_int_equal(ota__log_room(&command.log), --room);
    }
    assert_int_equal(notes, (SECTOR - 80) / 4 - 1);
    assert_int_equal(ota__command_note(&command, 1), OTA_ERR_TOO_LARGE);
    read_again();
    assert_int_equal(command.steps, notes);
    assert_int_equal(ota__log_room(&command.log), 0);
    assert_int_equal(ota__command_note_state(&command, OTA__STATE_TRIAL), OTA_ERR_TOO_LARGE);
}

/* In program units of their own, whatever their size. */
static void test_write_sizes(void **state)
{
    (void)state;
    for (uint32_t write_size = 1; write_size <= 256; write_size *= 2) {
        ram_flash_free(chip);
        open_chip(write_size, 3);
        assert_int_equal(ota__command_write(&command), OTA_OK);
        read_again();
        assert_true(command.is_there);
        assert_int_equal(ota__command_note(&command, OTA__NOTE_BEGUN + 3), OTA_OK);
        assert_int_equal(ota__command_note(&command, 0), OTA_OK);
        read_again();
        assert_int_equal(command.steps, 1);
        assert_int_equal(ota__command_withdraw(&command), OTA_OK);
        read_again();
        assert_false(command.is_there);
    }
}

/* ---- Out of force ---------------------------------------------------------------------------- */

static void test_withdrawn(void **state)
{
    (void)state;
    assert_int_equal(ota__command_write(&command), OTA_OK);
    read_again();
    assert_int_equal(ota__command_withdraw(&command), OTA_OK);
    assert_false(command.is_there);
    const uint64_t changes = ram_flash_changes(chip);
    assert_int_equal(ota__command_withdraw(&command), OTA_OK);
    assert_int_equal(ram_flash_changes(chip), changes);
    for (uint32_t i = 0; i < SECTOR; i++) {
        assert_int_equal(chip->memory[AT + i], 0xFF);
    }
}

/* From the first bit on it is no command; and a half-done erase cannot make it one again. */
static void test_half_withdrawn(void **state)
{
    (void)state;
    assert_int_equal(ota__command_write(&command), OTA_OK);
    for (uint32_t i = 64; i < 80; i++) {
        for (int bit = 0; bit < 8; bit++) {
            chip->memory[AT + i] ^= (uint8_t)(1 << bit);
            read_again();
            assert_false(command.is_there);
            chip->memory[AT + i] = 0xFF;
        }
    }
    read_again();
    assert_true(command.is_there);
    faults_set(FAULT_ERASE, 1);
    assert_int_equal(ota__command_withdraw(&command), OTA_ERR_FLASH_ERASE);
    read_again();
    assert_false(command.is_there);
}

static void test_damaged(void **state)
{
    (void)state;
    assert_int_equal(ota__command_write(&command), OTA_OK);
    for (uint32_t i = 0; i < 64; i++) {
        chip->memory[AT + i] ^= 1;
        read_again();
        assert_false(command.is_there);
        chip->memory[AT + i] ^= 1;
    }
    memset(chip->memory + AT, 0xFF, SECTOR);
    read_again();
    assert_false(command.is_there);
}

/* Another magic or version, its sum being right. */
static void test_another_version(void **state)
{
    uint8_t *bytes = chip->memory + AT;

    (void)state;
    for (int i = 0; i < 5; i += 4) {
        assert_int_equal(ota__command_write(&command), OTA_OK);
        bytes[i] = (uint8_t)(bytes[i] + 1);
        const uint32_t crc = ota_crc32(0, bytes, 60);
        memcpy(bytes + 60,
               (uint8_t[]){(uint8_t)crc, (uint8_t)(crc >> 8), (uint8_t)(crc >> 16),
                           (uint8_t)(crc >> 24)},
               4);
        struct ota__command found;
        assert_int_equal(ota__command_read(&found, &region), OTA_OK);
        assert_false(found.is_there);
    }
}

/* ---- Writing it ------------------------------------------------------------------------------ */

/* All sectors but the last are erased before; that one, if it is not blank. */
static void test_what_was_there_before(void **state)
{
    (void)state;
    ram_flash_free(chip);
    open_chip(1, 3);
    assert_int_equal(ota__command_write(&command), OTA_OK);
    assert_int_equal(chip->wear[AT / SECTOR], 1);
    assert_int_equal(chip->wear[AT / SECTOR + 1], 1);
    assert_int_equal(chip->wear[AT / SECTOR + 2], 0);
    ram_flash_fill(chip, AT, 3 * SECTOR, 1);
    assert_int_equal(ota__command_write(&command), OTA_OK);
    assert_int_equal(chip->wear[AT / SECTOR + 2], 1);
    read_again();
    assert_true(command.is_there);
}

static void story(void *context)
{
    static uint8_t before[0x4000];

    (void)context;
    ram_flash_free(chip);
    open_chip(8, 3);
    ram_flash_fill(chip, AT, 3 * SECTOR, 1);
    memcpy(before, chip->memory, sizeof before);
    enum ota_err err = ota__command_write(&command);
    if (err == OTA_OK) {
        err = ota__command_read(&command, &region);
    }
    if (err == OTA_OK) {
        err = ota__command_note(&command, 3);
    }
    if (err == OTA_OK) {
        err = ota__command_withdraw(&command);
    }
    assert_int_equal(err == OTA_OK, !faults_struck());
}

static void test_faults(void **state)
{
    (void)state;
    assert_true(faults_everywhere(FAULT_READ, story, NULL) > 10);
    assert_int_equal(faults_everywhere(FAULT_WRITE, story, NULL), 3);
    assert_int_equal(faults_everywhere(FAULT_ERASE, story, NULL), 3);
    assert_int_equal(faults_everywhere(FAULT_VERIFY, story, NULL), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_layout, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_notes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_torn_records, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_full_log, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_write_sizes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_withdrawn, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_half_withdrawn, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_damaged, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_another_version, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_what_was_there_before, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_faults, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
