/* SPDX-License-Identifier: Apache-2.0 */
/* The simulated NOR flash chip: when power fails, and what that leaves. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "nor_chip.h"

#define SEEDS 400u

/* Counts power losses. */
static void on_power_lost(void *context)
{
    ++*(unsigned *)context;
}

static void test_power_fails_at_the_operation_asked_for(void **unused)
{
    (void)unused;
    unsigned lost = 0;
    struct nor_config config = usual;
    config.power_lost = on_power_lost;
    config.context = &lost;
    struct ota_flash *flash = make(&config);
    uint8_t data[600];
    fill(data, sizeof data, 4);
    nor_cut_at(&chip.nor, 3, NOR_CUT_BEFORE, 0);
    assert_int_equal(flash->erase(flash, 0, SECTOR), OTA_OK);
    assert_int_equal(flash->write(flash, 0, data, 600), OTA_ERR_FLASH_WRITE);
    assert_int_equal(lost, 1);
    assert_memory_equal(chip.memory, data, 256);
    assert_true(is_erased(chip.memory + 256, SIZE - 256));
    assert_int_equal(chip.state.damage.number, 3);
    assert_int_equal(chip.state.damage.operation.offset, 256);

    /* Nothing works until power comes back, and nothing of that is a second cut. */
    assert_int_equal(flash->read(flash, 0, data, 1), OTA_ERR_FLASH_READ);
    assert_int_equal(flash->write(flash, 4096, data, 1), OTA_ERR_FLASH_WRITE);
    assert_int_equal(flash->erase(flash, 0, SECTOR), OTA_ERR_FLASH_ERASE);
    assert_int_equal(lost, 1);
    assert_int_equal(chip.state.violations, 0);
    nor_power_up(&chip.nor);
    assert_int_equal(flash->write(flash, 4096, data, 256), OTA_OK);
    assert_int_equal(flash->erase(flash, 0, SIZE), OTA_OK);
    assert_int_equal(lost, 1);
}

static jmp_buf out_of_power;

static void jump(void *context)
{
    (void)context;
    longjmp(out_of_power, 1);
}

static void test_the_callback_may_jump_away(void **unused)
{
    (void)unused;
    struct nor_config config = usual;
    config.power_lost = jump;
    struct ota_flash *flash = make(&config);
    if (setjmp(out_of_power) == 0) {
        nor_cut_at(&chip.nor, 1, NOR_CUT_AFTER, 0);
        flash->erase(flash, 0, SECTOR);
        fail();
    }
    assert_true(chip.state.off);
    assert_int_equal(chip.state.statistics.operations, 1);
}

static void test_a_cut_can_be_taken_back(void **unused)
{
    (void)unused;
    struct ota_flash *flash = make(&usual);
    nor_cut_at(&chip.nor, 1, NOR_CUT_TORN, 0);
    nor_cut_at(&chip.nor, 0, NOR_CUT_NONE, 0);
    assert_int_equal(flash->erase(flash, 0, SIZE), OTA_OK);
    nor_cut_at(&chip.nor, 1, NOR_CUT_NONE, 0);
    assert_int_equal(flash->erase(flash, 0, SIZE), OTA_OK);
    nor_cut_now(&chip.nor);
    assert_int_equal(flash->erase(flash, 0, SIZE), OTA_ERR_FLASH_ERASE);
}

/* Programs 200 bytes over `old` with a cut, and checks that only bits that should fall fell. */
static uint32_t torn_program(const struct nor_config *config, enum nor_cut how, uint64_t seed,
                             const uint8_t *data, uint32_t len)
{
    struct ota_flash *flash = make(config);
    nor_cut_at(&chip.nor, 1, how, seed);
    assert_int_equal(flash->write(flash, 512, data, len), OTA_ERR_FLASH_WRITE);
    assert_true(is_erased(chip.memory, 512));
    assert_true(is_erased(chip.memory + 512 + len, SIZE - 512 - len));
    for (uint32_t i = 0; i < len; i++) {
        assert_int_equal(chip.memory[512 + i] & data[i], data[i]);
    }
    uint32_t prefix = 0;
    while (prefix < len && chip.memory[512 + prefix] == data[prefix]) {
        prefix++;
    }
    return prefix;
}

static void test_torn_programs_stop_anywhere_within_a_unit(void **unused)
{
    (void)unused;
    static const uint32_t units[] = {1, 4, 32};
    uint8_t data[64];
    fill(data, sizeof data, 5);
    for (size_t u = 0; u < sizeof units / sizeof *units; u++) {
        struct nor_config config = usual;
        config.write_size = units[u];
        uint64_t stops = 0;
        unsigned halves = 0;
        for (uint32_t seed = 0; seed < SEEDS; seed++) {
            const uint32_t prefix = torn_program(&config, NOR_CUT_TORN, seed, data, 64);
            const uint32_t end = chip.state.damage.written + units[u];
            assert_true(prefix >= chip.state.damage.written);
            assert_int_equal(chip.state.damage.written % units[u], 0);
            assert_true(is_erased(chip.memory + 512 + end, 64 - end));
            stops |= UINT64_C(1) << (end - units[u]) / units[u];
            halves += chip.state.damage.half > 0;
        }
        assert_int_equal(__builtin_popcountll(stops), 64 / units[u]);
        assert_in_range(halves, SEEDS / 4, SEEDS);
    }
}

static void test_nearly_complete_programs_lack_up_to_three_bits(void **unused)
{
    (void)unused;
    uint8_t data[64];
    unsigned seen[4] = {0};
    fill(data, 40, 6);
    memset(data + 40, 0xFF, 24); /* nothing to program there: the last change is before */
    data[39] = 0x00;
    for (uint32_t seed = 0; seed < SEEDS; seed++) {
        struct nor_config config = usual;
        config.write_size = 8;
        torn_program(&config, NOR_CUT_NEARLY, seed, data, 64);
        const unsigned missing = bits_that_differ(chip.memory + 512, data, 64);
        assert_in_range(missing, 1, 3);
        seen[missing]++;
        assert_memory_equal(chip.memory + 512, data, 32); /* all but the last unit that changes */
    }
    assert_true(seen[1] > 0 && seen[2] > 0 && seen[3] > 0);
}

static void test_programs_are_whole_before_and_after(void **unused)
{
    (void)unused;
    uint8_t data[64];
    fill(data, sizeof data, 7);
    assert_int_equal(torn_program(&usual, NOR_CUT_AFTER, 0, data, 64), 64);
    assert_int_equal(chip.state.damage.written, 64);
    torn_program(&usual, NOR_CUT_BEFORE, 0, data, 64);
    assert_true(is_erased(chip.memory, SIZE));
    /* What has nothing to program can be torn too. */
    memset(data, 0xFF, sizeof data);
    assert_int_equal(torn_program(&usual, NOR_CUT_NEARLY, 0, data, 64), 64);
}

/* Erases a sector full of data with a cut. */
static void torn_erase(enum nor_cut how, uint64_t seed)
{
    struct ota_flash *flash = make(&usual);
    fill(chip.memory, SIZE, 8);
    nor_cut_at(&chip.nor, 1, how, seed);
    assert_int_equal(flash->erase(flash, SECTOR, SECTOR), OTA_ERR_FLASH_ERASE);
}

static void test_torn_erases_touch_nothing_else(void **unused)
{
    (void)unused;
    static uint8_t old[SIZE];
    fill(old, SIZE, 8);
    for (int how = NOR_CUT_BEFORE; how < NOR_CUT_COUNT; how++) {
        for (uint32_t seed = 0; seed < 20; seed++) {
            torn_erase((enum nor_cut)how, seed);
            nor_power_up(&chip.nor);
            nor_power_up(&chip.nor);
            assert_memory_equal(chip.memory, old, SECTOR);
            assert_memory_equal(chip.memory + 2 * SECTOR, old + 2 * SECTOR, SIZE - 2 * SECTOR);
        }
    }
}

static void test_torn_erases_leave_all_kinds_of_bits(void **unused)
{
    (void)unused;
    static uint8_t old[SIZE];
    unsigned noise = 0;
    unsigned mixed = 0;
    unsigned spots = 0;
    unsigned prefix = 0;
    fill(old, SIZE, 8);
    for (uint32_t seed = 0; seed < SEEDS; seed++) {
        torn_erase(NOR_CUT_TORN, seed);
        const uint8_t *now = chip.memory + SECTOR;
        const unsigned differ = bits_that_differ(now, old + SECTOR, SECTOR);
        unsigned cleared = 0;
        for (uint32_t i = 0; i < SECTOR; i++) {
            cleared += (unsigned)__builtin_popcount((unsigned)(old[SECTOR + i] & ~now[i]));
        }
        if (cleared > 64) {
            noise++;
        } else if (differ <= 64) {
            spots++;
        } else if (memcmp(now + SECTOR - 64, old + 2 * SECTOR - 64, 64) == 0) {
            prefix++;
        } else {
            mixed++;
        }
    }
    assert_true(noise > SEEDS / 10 && mixed > SEEDS / 10 && spots > SEEDS / 10 &&
                prefix > SEEDS / 20);
}

static void test_nearly_complete_erases_leave_up_to_three_bits(void **unused)
{
    (void)unused;
    static uint8_t erased[SECTOR];
    memset(erased, 0xFF, sizeof erased);
    unsigned at_the_start = 0;
    for (uint32_t seed = 0; seed < SEEDS; seed++) {
        torn_erase(NOR_CUT_NEARLY, seed);
        assert_in_range(bits_that_differ(chip.memory + SECTOR, erased, SECTOR), 1, 3);
        at_the_start += !is_erased(chip.memory + SECTOR, 64);
    }
    assert_true(at_the_start > SEEDS / 3);
}

static void test_erases_are_whole_before_and_after(void **unused)
{
    (void)unused;
    static uint8_t old[SIZE];
    fill(old, SIZE, 8);
    torn_erase(NOR_CUT_BEFORE, 0);
    assert_memory_equal(chip.memory, old, SIZE);
    torn_erase(NOR_CUT_AFTER, 0);
    nor_power_up(&chip.nor);
    nor_power_up(&chip.nor);
    assert_true(is_erased(chip.memory + SECTOR, SECTOR));
}

static void test_weak_bits_show_from_power_up_on(void **unused)
{
    (void)unused;
    for (uint32_t seed = 0; seed < SEEDS; seed++) {
        torn_erase(NOR_CUT_WEAK, seed);
        assert_true(is_erased(chip.memory + SECTOR, SECTOR));
        nor_power_up(&chip.nor);
        assert_false(is_erased(chip.memory + SECTOR, SECTOR));
        assert_int_equal(chip.state.weak_count, 0);
    }
}

static void test_late_weak_bits_show_after_operations(void **unused)
{
    (void)unused;
    unsigned soon = 0;
    for (uint32_t seed = 0; seed < SEEDS; seed++) {
        torn_erase(NOR_CUT_WEAK_LATER, seed);
        struct ota_flash *flash = &chip.nor.flash;
        nor_power_up(&chip.nor);
        assert_true(is_erased(chip.memory + SECTOR, SECTOR));
        unsigned operations = 0;
        while (is_erased(chip.memory + SECTOR, SECTOR)) {
            assert_in_range(operations, 0, 256);
            assert_int_equal(flash->erase(flash, 0x10000, SECTOR), OTA_OK);
            operations++;
        }
        assert_true(operations > 0);
        soon += operations <= 8;
    }
    assert_in_range(soon, SEEDS / 4, SEEDS * 3 / 4);
}

static void test_late_weak_bits_show_at_the_next_power_up_but_one(void **unused)
{
    (void)unused;
    torn_erase(NOR_CUT_WEAK_LATER, 1);
    nor_power_up(&chip.nor);
    assert_true(is_erased(chip.memory + SECTOR, SECTOR));
    nor_power_up(&chip.nor);
    assert_false(is_erased(chip.memory + SECTOR, SECTOR));
}

static void test_a_proper_erase_heals_weak_bits(void **unused)
{
    (void)unused;
    for (uint32_t seed = 0; seed < 50; seed++) {
        torn_erase(NOR_CUT_WEAK_LATER, seed);
        struct ota_flash *flash = &chip.nor.flash;
        nor_power_up(&chip.nor);
        assert_int_equal(flash->erase(flash, SECTOR, SECTOR), OTA_OK);
        for (int i = 0; i < 300; i++) {
            flash->erase(flash, 0x10000, SECTOR);
        }
        nor_power_up(&chip.nor);
        assert_true(is_erased(chip.memory + SECTOR, SECTOR));
    }
}

static void test_many_weak_erases_are_remembered(void **unused)
{
    (void)unused;
    struct ota_flash *flash = make(&usual);
    for (uint32_t sector = 0; sector < SIZE / SECTOR; sector++) {
        nor_cut_at(&chip.nor, 1, NOR_CUT_WEAK, sector);
        flash->erase(flash, sector * SECTOR, SECTOR);
        chip.state.off = false; /* not a power-up: nothing shows yet, but for want of room */
    }
    nor_power_up(&chip.nor);
    for (uint32_t sector = 0; sector < SIZE / SECTOR; sector++) {
        assert_false(is_erased(chip.memory + sector * SECTOR, SECTOR));
    }
}

static void test_the_same_seed_does_the_same(void **unused)
{
    (void)unused;
    static uint8_t first[SIZE];
    for (int how = NOR_CUT_BEFORE; how < NOR_CUT_COUNT; how++) {
        torn_erase((enum nor_cut)how, 42);
        nor_power_up(&chip.nor);
        memcpy(first, chip.memory, SIZE);
        torn_erase((enum nor_cut)how, 42);
        nor_power_up(&chip.nor);
        assert_memory_equal(first, chip.memory, SIZE);
    }
}

static void test_a_copy_goes_on_alone(void **unused)
{
    (void)unused;
    static struct chip copy;
    struct ota_flash *flash = make(&usual);
    const uint8_t byte = 1;
    flash->write(flash, 0, &byte, 1);
    nor_cut_at(&chip.nor, 2, NOR_CUT_AFTER, 0);
    copy = chip;
    assert_int_equal(nor_init(&copy.nor, &usual, copy.memory, copy.wear, &copy.state), OTA_OK);
    flash->erase(flash, 0, SECTOR);
    assert_int_equal(copy.memory[0], 1);
    assert_int_equal(copy.wear[0], 0);
    struct ota_flash *other = &copy.nor.flash;
    assert_int_equal(other->erase(other, 0, SECTOR), OTA_OK);
    assert_int_equal(other->erase(other, 0, SECTOR), OTA_ERR_FLASH_ERASE);
    assert_false(chip.state.off);
}

static void test_damage_in_words(void **unused)
{
    (void)unused;
    char text[160];
    struct nor_damage damage = {.how = NOR_CUT_TORN,
                                .number = 137,
                                .operation = {NOR_PROGRAM, 0x20a300, 256},
                                .written = 113,
                                .half = 1};
    assert_string_equal(nor_damage_text(&damage, text, sizeof text),
                        "program of 256 bytes at 0x20a300, 113 written, 1 byte half");
    damage.operation = (struct nor_operation){NOR_ERASE, 0x10000, 65536};
    assert_string_equal(nor_damage_text(&damage, text, sizeof text),
                        "erase of 65536 bytes at 0x10000, torn");
    damage.how = NOR_CUT_NONE;
    assert_string_equal(nor_damage_text(&damage, text, sizeof text), "");
    for (int how = NOR_CUT_BEFORE; how < NOR_CUT_COUNT; how++) {
        assert_int_equal(nor_cut_from_name(nor_cut_name((enum nor_cut)how)), how);
    }
    assert_int_equal(nor_cut_from_name("none"), NOR_CUT_NONE);
    assert_int_equal(nor_cut_from_name("sideways"), NOR_CUT_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_power_fails_at_the_operation_asked_for),
        cmocka_unit_test(test_the_callback_may_jump_away),
        cmocka_unit_test(test_a_cut_can_be_taken_back),
        cmocka_unit_test(test_torn_programs_stop_anywhere_within_a_unit),
        cmocka_unit_test(test_nearly_complete_programs_lack_up_to_three_bits),
        cmocka_unit_test(test_programs_are_whole_before_and_after),
        cmocka_unit_test(test_torn_erases_touch_nothing_else),
        cmocka_unit_test(test_torn_erases_leave_all_kinds_of_bits),
        cmocka_unit_test(test_nearly_complete_erases_leave_up_to_three_bits),
        cmocka_unit_test(test_erases_are_whole_before_and_after),
        cmocka_unit_test(test_weak_bits_show_from_power_up_on),
        cmocka_unit_test(test_late_weak_bits_show_after_operations),
        cmocka_unit_test(test_late_weak_bits_show_at_the_next_power_up_but_one),
        cmocka_unit_test(test_a_proper_erase_heals_weak_bits),
        cmocka_unit_test(test_many_weak_erases_are_remembered),
        cmocka_unit_test(test_the_same_seed_does_the_same),
        cmocka_unit_test(test_a_copy_goes_on_alone),
        cmocka_unit_test(test_damage_in_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
