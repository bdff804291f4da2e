/* SPDX-License-Identifier: Apache-2.0 */
/* otadata: what two entries mean, and how they are rewritten. docs/formats/otadata.md */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include <updraft/otadata.h>

#include "support/ram_flash.h"

#define NONE 0xFFFFFFFFu
#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static const uint32_t known_states[] = {0, 1, 2, 3, 4, 0xFFFFFFFF};

static struct ota_otadata_entry entry_of(uint32_t sequence, uint32_t state)
{
    struct ota_otadata_entry entry = {.sequence = sequence, .state = state};

    memset(entry.label, 0xFF, sizeof entry.label);
    entry.crc = ota_otadata_crc(sequence);
    return entry;
}

static struct ota_otadata otadata_of(struct ota_otadata_entry first,
                                     struct ota_otadata_entry second)
{
    struct ota_otadata otadata = {.entry = {first, second}};

    return otadata;
}

static struct ota_otadata_entry erased(void)
{
    struct ota_otadata_entry entry;

    memset(&entry, 0xFF, sizeof entry);
    return entry;
}

/* Section 2. */
static void test_crc(void **state)
{
    static const struct {
        uint32_t sequence, crc;
    } known[] = {
        {0, 0xFFFFFFFF},   {1, 0x4743989A},          {2, 0x55F63774}, {3, 0xED4A5011},
        {4, 0x709D68A8},   {5, 0xC8210FCD},          {6, 0xDA94A023}, {7, 0x6228C746},
        {100, 0x4BBB9FAB}, {0xFFFFFFFE, 0x99F8B879},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(known); i++) {
        assert_int_equal(ota_otadata_crc(known[i].sequence), known[i].crc);
    }
}

static void test_states(void **state)
{
    static const char *const names[] = {"new",     "pending-verify", "valid",
                                        "invalid", "aborted",        "undefined"};

    (void)state;
    for (size_t i = 0; i < COUNT(known_states); i++) {
        assert_true(ota_image_state_is_known(known_states[i]));
        assert_string_equal(ota_image_state_name(known_states[i]), names[i]);
    }
    assert_false(ota_image_state_is_known(5));
    assert_false(ota_image_state_is_known(0xFFFFFFFE));
    assert_false(ota_image_state_is_known(0x80000001));
    assert_string_equal(ota_image_state_name(5), "torn");
    assert_string_equal(ota_image_state_name(0xFFFFFFFE), "torn");
}

/* Section 4: written, valid. */
static void test_validity(void **state)
{
    static const bool boots[] = {true, true, true, false, false, true};
    struct ota_otadata_entry entry;

    (void)state;
    for (size_t i = 0; i < COUNT(known_states); i++) {
        entry = entry_of(1, known_states[i]);
        assert_true(ota_otadata_entry_is_written(&entry));
        assert_int_equal(ota_otadata_entry_is_valid(&entry), boots[i]);
        entry.crc ^= 1;
        assert_false(ota_otadata_entry_is_written(&entry));
        assert_false(ota_otadata_entry_is_valid(&entry));
        entry = entry_of(NONE, known_states[i]); /* a number that is none, its CRC right */
        assert_false(ota_otadata_entry_is_written(&entry));
        assert_false(ota_otadata_entry_is_valid(&entry));
    }
    entry = entry_of(1, 5); /* a torn state */
    assert_true(ota_otadata_entry_is_written(&entry));
    assert_false(ota_otadata_entry_is_valid(&entry));
    entry = entry_of(0, OTA_STATE_VALID); /* number 0 is as good as another */
    assert_true(ota_otadata_entry_is_valid(&entry));
}

static void test_active(void **state)
{
    struct ota_otadata otadata;

    (void)state;
    otadata = otadata_of(erased(), erased());
    assert_int_equal(ota_otadata_active(&otadata), -1);
    otadata = otadata_of(entry_of(1, 2), erased());
    assert_int_equal(ota_otadata_active(&otadata), 0);
    otadata = otadata_of(erased(), entry_of(1, 2));
    assert_int_equal(ota_otadata_active(&otadata), 1);
    otadata = otadata_of(entry_of(1, 2), entry_of(2, 2));
    assert_int_equal(ota_otadata_active(&otadata), 1);
    otadata = otadata_of(entry_of(3, 2), entry_of(2, 2));
    assert_int_equal(ota_otadata_active(&otadata), 0);
    otadata = otadata_of(entry_of(7, 2), entry_of(7, 2));
    assert_int_equal(ota_otadata_active(&otadata), 0);
    otadata = otadata_of(entry_of(1, 2), entry_of(2, OTA_STATE_ABORTED));
    assert_int_equal(ota_otadata_active(&otadata), 0);
    otadata = otadata_of(entry_of(3, OTA_STATE_INVALID), entry_of(2, 2));
    assert_int_equal(ota_otadata_active(&otadata), 1);
    otadata = otadata_of(entry_of(0x7FFFFFFF, 2), entry_of(0x80000000, 2)); /* no sign */
    assert_int_equal(ota_otadata_active(&otadata), 1);
}

static void test_slots(void **state)
{
    struct ota_otadata_entry entry;

    (void)state;
    for (unsigned slots = 1; slots <= 16; slots++) {
        for (uint32_t sequence = 1; sequence < 100; sequence++) {
            entry = entry_of(sequence, 2);
            assert_int_equal(ota_otadata_slot(&entry, slots), (sequence - 1) % slots);
        }
    }
    entry = entry_of(0, 2); /* section 4.1 */
    assert_int_equal(ota_otadata_slot(&entry, 2), 1);
    assert_int_equal(ota_otadata_slot(&entry, 3), 0);
}

/* The smallest number that is not below and chooses the slot, found by trying. */
static void test_next_sequence(void **state)
{
    (void)state;
    for (unsigned slots = 1; slots <= 16; slots++) {
        for (unsigned slot = 0; slot < slots; slot++) {
            for (uint32_t current = 1; current < 70; current++) {
                uint32_t expected = current;
                while ((expected - 1) % slots != slot) {
                    expected++;
                }
                assert_int_equal(ota_otadata_next_sequence(current, slot, slots), expected);
            }
        }
    }
    /* Section 6. */
    assert_int_equal(ota_otadata_next_sequence(1, 1, 2), 2);
    assert_int_equal(ota_otadata_next_sequence(2, 0, 2), 3);
    assert_int_equal(ota_otadata_next_sequence(5, 0, 3), 7);
    assert_int_equal(ota_otadata_next_sequence(5, 2, 3), 6);
}

static void test_last_sequences(void **state)
{
    (void)state;
    for (unsigned slots = 1; slots <= 16; slots++) {
        for (unsigned slot = 0; slot < slots; slot++) {
            for (uint32_t current = NONE - 40; current != 0; current++) {
                uint64_t expected = current;
                while ((expected - 1) % slots != slot) {
                    expected++;
                }
                expected = expected < NONE ? expected : NONE;
                assert_int_equal(ota_otadata_next_sequence(current, slot, slots), expected);
            }
        }
    }
}

static void test_encoding(void **state)
{
    static const uint8_t bytes[OTA_OTADATA_ENTRY_SIZE] = {
        2,    0,    0,    0,    0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
        0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
        0xFF, 0xFF, 1,    0,    0,    0,    0x74, 0x37, 0xF6, 0x55};
    uint8_t encoded[OTA_OTADATA_ENTRY_SIZE];
    struct ota_otadata_entry entry = entry_of(2, OTA_STATE_PENDING_VERIFY);

    (void)state;
    ota_otadata_entry_encode(&entry, encoded);
    assert_memory_equal(encoded, bytes, sizeof bytes);
    memset(&entry, 0, sizeof entry);
    ota_otadata_entry_decode(bytes, &entry);
    assert_int_equal(entry.sequence, 2);
    assert_int_equal(entry.state, OTA_STATE_PENDING_VERIFY);
    assert_int_equal(entry.crc, 0x55F63774);
    assert_int_equal(entry.label[0], 0xFF);
    assert_int_equal(entry.label[19], 0xFF);
}

/* On flash. */

static struct ram_flash *chip;
static struct ota_region region;

static void open_chip(uint32_t erase_size, uint32_t write_size)
{
    uint32_t distance = erase_size > 0x1000 ? erase_size : 0x1000;

    faults_clear();
    chip = ram_flash_new(4 * distance, erase_size, 0, write_size);
    region = ram_flash_region(chip, distance, 2 * distance);
}

static void test_places(void **state)
{
    static const struct {
        uint32_t erase_size, second;
    } places[] = {{256, 0x1000}, {4096, 0x1000}, {8192, 0x2000}, {131072, 0x20000}};

    (void)state;
    for (size_t i = 0; i < COUNT(places); i++) {
        open_chip(places[i].erase_size, 1);
        assert_int_equal(ota_otadata_entry_offset(&region, 0), 0);
        assert_int_equal(ota_otadata_entry_offset(&region, 1), places[i].second);
        ram_flash_free(chip);
    }
}

static void test_too_small(void **state)
{
    struct ota_otadata otadata;
    struct ota_otadata_entry entry = entry_of(1, 2);

    (void)state;
    open_chip(4096, 1);
    region.size = 0x1FFF;
    assert_int_equal(ota_otadata_read(&otadata, &region), OTA_ERR_NO_OTADATA);
    assert_int_equal(ota_otadata_write(&region, 0, &entry), OTA_ERR_NO_OTADATA);
    assert_int_equal(ota_otadata_erase(&region, 0), OTA_ERR_NO_OTADATA);
    assert_int_equal(ram_flash_changes(chip), 0);
    ram_flash_free(chip);
    open_chip(8192, 1); /* 0x2000 is not enough here */
    region.size = 0x2000;
    assert_int_equal(ota_otadata_read(&otadata, &region), OTA_ERR_NO_OTADATA);
    ram_flash_free(chip);
}

static void test_write_and_read(void **state)
{
    static const struct {
        uint32_t erase_size, write_size;
    } geometries[] = {{256, 1}, {256, 256}, {4096, 1}, {4096, 32}, {8192, 128}, {131072, 256}};

    (void)state;
    for (size_t i = 0; i < COUNT(geometries); i++) {
        struct ota_otadata otadata;
        struct ota_otadata_entry first = entry_of(7, OTA_STATE_VALID);
        struct ota_otadata_entry second = entry_of(8, OTA_STATE_NEW);

        open_chip(geometries[i].erase_size, geometries[i].write_size);
        ram_flash_fill(chip, 0, chip->nor.config.size, 3);
        assert_int_equal(ota_otadata_write(&region, 0, &first), OTA_OK);
        assert_int_equal(ota_otadata_write(&region, 1, &second), OTA_OK);
        assert_int_equal(ota_otadata_read(&otadata, &region), OTA_OK);
        assert_memory_equal(&otadata.entry[0], &first, sizeof first);
        assert_memory_equal(&otadata.entry[1], &second, sizeof second);

        /* One is rewritten, the other not touched. */
        first.state = OTA_STATE_INVALID;
        uint8_t *other = chip->memory + region.offset + ota_otadata_entry_offset(&region, 1);
        uint8_t before[OTA_OTADATA_ENTRY_SIZE];
        memcpy(before, other, sizeof before);
        assert_int_equal(ota_otadata_write(&region, 0, &first), OTA_OK);
        assert_memory_equal(other, before, sizeof before);
        assert_int_equal(ota_otadata_erase(&region, 0), OTA_OK);
        assert_memory_equal(other, before, sizeof before);
        assert_int_equal(ota_otadata_read(&otadata, &region), OTA_OK);
        assert_int_equal(otadata.entry[0].sequence, NONE);
        assert_int_equal(otadata.entry[1].sequence, 8);
        assert_int_equal(ota_otadata_erase(&region, 1), OTA_OK);
        assert_int_equal(ota_otadata_read(&otadata, &region), OTA_OK);
        assert_int_equal(ota_otadata_active(&otadata), -1);
        ram_flash_free(chip);
    }
}

/* A cut while an entry is rewritten: it is the old, the new or not valid; the other stands. */
static void test_cut(void **state)
{
    (void)state;
    for (uint32_t trial = 0; trial < 600; trial++) {
        enum nor_cut how = (enum nor_cut)(NOR_CUT_BEFORE + (int)(trial % 6));
        struct ota_otadata otadata;
        struct ota_otadata_entry old = entry_of(7, OTA_STATE_VALID);
        struct ota_otadata_entry new = entry_of(9, OTA_STATE_NEW);
        struct ota_otadata_entry other = entry_of(8, OTA_STATE_VALID);

        open_chip(4096, 1);
        assert_int_equal(ota_otadata_write(&region, 0, &old), OTA_OK);
        assert_int_equal(ota_otadata_write(&region, 1, &other), OTA_OK);
        nor_cut_at(&chip->nor, 1 + trial / 6 % 2, how, trial);
        (void)ota_otadata_write(&region, 0, &new);
        nor_power_up(&chip->nor);
        assert_int_equal(ota_otadata_read(&otadata, &region), OTA_OK);
        assert_memory_equal(&otadata.entry[1], &other, sizeof other);
        if (ota_otadata_entry_is_valid(&otadata.entry[0])) {
            assert_true(otadata.entry[0].sequence == 7 || otadata.entry[0].sequence == 9);
        }
        ram_flash_free(chip);
    }
}

static void fault_scenario(void *context)
{
    enum ota_err expected = *(const enum ota_err *)context;
    struct ota_otadata otadata;
    struct ota_otadata_entry entry = entry_of(1, 2);
    enum ota_err err = ota_otadata_write(&region, 1, &entry);

    if (err == OTA_OK) {
        err = ota_otadata_read(&otadata, &region);
    }
    assert_int_equal(err, faults_struck() ? expected : OTA_OK);
}

static void test_faults(void **state)
{
    static const struct {
        enum fault_kind kind;
        unsigned places;
    } kinds[] = {{FAULT_READ, 3}, {FAULT_WRITE, 1}, {FAULT_ERASE, 1}, {FAULT_VERIFY, 1}};

    (void)state;
    open_chip(4096, 1);
    for (size_t i = 0; i < COUNT(kinds); i++) {
        enum ota_err expected = faults_error(kinds[i].kind);
        assert_int_equal(faults_everywhere(kinds[i].kind, fault_scenario, &expected),
                         kinds[i].places);
    }
    ram_flash_free(chip);
}

/* Choosing. */

static void test_select(void **state)
{
    struct ota_otadata otadata = otadata_of(erased(), erased());
    struct ota_otadata_entry entry;
    int index;

    (void)state;
    assert_int_equal(ota_otadata_select(&otadata, 2, 4, true, &index, &entry), OTA_OK);
    assert_int_equal(index, 0);
    assert_int_equal(entry.sequence, 3);
    assert_int_equal(entry.state, OTA_STATE_NEW);
    assert_int_equal(entry.crc, ota_otadata_crc(3));

    otadata = otadata_of(entry_of(5, 2), entry_of(4, 2));
    otadata.entry[1].label[3] = 0x11;
    assert_int_equal(ota_otadata_select(&otadata, 0, 3, false, &index, &entry), OTA_OK);
    assert_int_equal(index, 1); /* the one that counts is left alone */
    assert_int_equal(entry.sequence, 7);
    assert_int_equal(entry.state, OTA_STATE_UNDEFINED);
    assert_int_equal(entry.label[3], 0x11);

    assert_int_equal(ota_otadata_select(&otadata, 1, 3, true, &index, &entry), OTA_OK);
    assert_int_equal(index, 0); /* names the slot already */
    assert_int_equal(entry.sequence, 5);
    assert_int_equal(entry.state, OTA_STATE_NEW);
}

static void test_select_refuses(void **state)
{
    struct ota_otadata otadata = otadata_of(entry_of(0xFFFFFFFE, 2), erased());
    struct ota_otadata_entry entry;
    int index;

    (void)state;
    assert_int_equal(ota_otadata_select(&otadata, -1, 2, true, &index, &entry), OTA_ERR_ARGUMENT);
    assert_int_equal(ota_otadata_select(&otadata, 2, 2, true, &index, &entry), OTA_ERR_ARGUMENT);
    assert_int_equal(ota_otadata_select(&otadata, 0, 0, true, &index, &entry), OTA_ERR_ARGUMENT);
    /* 0xFFFFFFFE is the last number there is: it names slot 1 of 2, and slot 0 can have none. */
    assert_int_equal(ota_otadata_select(&otadata, 1, 2, true, &index, &entry), OTA_OK);
    assert_int_equal(ota_otadata_select(&otadata, 0, 2, true, &index, &entry), OTA_ERR_STATE);
}

/* After a choice is written, that slot is the one chosen; over all states, numbers and slots. */
static void test_select_chooses(void **state)
{
    static const uint32_t numbers[] = {0, 1, 2, 3, 1000, 0xFFFFFFF0, NONE};

    (void)state;
    for (size_t a = 0; a < COUNT(numbers) * COUNT(known_states); a++) {
        for (size_t b = 0; b < COUNT(numbers) * COUNT(known_states); b++) {
            for (unsigned slots = 1; slots <= 3; slots++) {
                for (int slot = 0; slot < (int)slots; slot++) {
                    struct ota_otadata otadata =
                        otadata_of(entry_of(numbers[a / 6], known_states[a % 6]),
                                   entry_of(numbers[b / 6], known_states[b % 6]));
                    struct ota_otadata_entry entry;
                    int before = ota_otadata_active(&otadata);
                    int index;
                    assert_int_equal(
                        ota_otadata_select(&otadata, slot, slots, true, &index, &entry), OTA_OK);
                    assert_true(index != before ||
                                ota_otadata_slot(&otadata.entry[before], slots) == slot);
                    otadata.entry[index] = entry;
                    int active = ota_otadata_active(&otadata);
                    assert_true(active >= 0);
                    assert_int_equal(ota_otadata_slot(&otadata.entry[active], slots), slot);
                }
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_crc),
        cmocka_unit_test(test_states),
        cmocka_unit_test(test_validity),
        cmocka_unit_test(test_active),
        cmocka_unit_test(test_slots),
        cmocka_unit_test(test_next_sequence),
        cmocka_unit_test(test_last_sequences),
        cmocka_unit_test(test_encoding),
        cmocka_unit_test(test_places),
        cmocka_unit_test(test_too_small),
        cmocka_unit_test(test_write_and_read),
        cmocka_unit_test(test_cut),
        cmocka_unit_test(test_faults),
        cmocka_unit_test(test_select),
        cmocka_unit_test(test_select_refuses),
        cmocka_unit_test(test_select_chooses),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
