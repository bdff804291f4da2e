/* SPDX-License-Identifier: Apache-2.0 */
/* The simulated NOR flash chip: its rules, its counters and clock, and what power cuts leave. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "posix/nor.h"

#define SIZE (256u * 1024u)
#define SECTOR 4096u
#define SEEDS 400u

struct chip {
    struct nor nor;
    struct nor_state state;
    uint32_t wear[SIZE / 256];
    uint8_t memory[SIZE];
};

static struct chip chip;

static const struct nor_config usual = {
    .size = SIZE, .erase = {{SECTOR, 0}, {32768, 0}, {65536, 0}}, .write_size = 1};

static struct ota_flash *make(const struct nor_config *config)
{
    assert_int_equal(nor_init(&chip.nor, config, chip.memory, chip.wear, &chip.state), OTA_OK);
    nor_blank(&chip.nor);
    return &chip.nor.flash;
}

static void fill(uint8_t *bytes, size_t len, uint32_t seed)
{
    for (size_t i = 0; i < len; i++) {
        seed = seed * 1664525u + 1013904223u;
        bytes[i] = (uint8_t)(seed >> 24);
    }
}

static unsigned bits_that_differ(const uint8_t *a, const uint8_t *b, size_t len)
{
    unsigned count = 0;
    for (size_t i = 0; i < len; i++) {
        count += (unsigned)__builtin_popcount((unsigned)(a[i] ^ b[i]));
    }
    return count;
}

static bool is_erased(const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (bytes[i] != 0xFF) {
            return false;
        }
    }
    return true;
}

static void test_geometry_is_offered_to_the_library(void **unused)
{
    (void)unused;
    const struct ota_flash *flash = make(&usual);
    assert_int_equal(flash->size, SIZE);
    assert_int_equal(flash->erase_size, SECTOR);
    assert_int_equal(flash->block_erase_size, 65536);
    assert_int_equal(flash->write_size, 1);

    const struct nor_config small = {.size = SIZE, .erase = {{256, 0}}, .write_size = 256};
    flash = make(&small);
    assert_int_equal(flash->erase_size, 256);
    assert_int_equal(flash->block_erase_size, 0);
    assert_int_equal(flash->write_size, 256);
}

static void test_impossible_geometries_are_refused(void **unused)
{
    (void)unused;
    const struct nor_config wrong[] = {
        {.size = SIZE, .write_size = 1},                                   /* no erase unit */
        {.size = SIZE, .erase = {{3000, 0}}, .write_size = 1},             /* no power of two */
        {.size = SIZE, .erase = {{65536, 0}, {4096, 0}}, .write_size = 1}, /* falling */
        {.size = SIZE, .erase = {{4096, 0}}, .write_size = 3},             /* no power of two */
        {.size = SIZE, .erase = {{4096, 0}}, .write_size = 512},           /* too large */
        {.size = SIZE + 256, .erase = {{4096, 0}}, .write_size = 1},       /* a part of a unit */
        {.size = SIZE, .erase = {{4096, 0}}, .write_size = 1, .page_size = 100}, /* page */
        {.size = SIZE, .erase = {{4096, 0}}, .write_size = 64, .page_size = 32}, /* page < unit */
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_int_equal(nor_init(&chip.nor, &wrong[i], chip.memory, chip.wear, &chip.state),
                         OTA_ERR_ARGUMENT);
    }
}

static void test_programs_and_reads(void **unused)
{
    (void)unused;
    struct ota_flash *flash = make(&usual);
    uint8_t data[1000];
    uint8_t back[1000];
    fill(data, sizeof data, 1);
    assert_int_equal(flash->write(flash, 5001, data, sizeof data), OTA_OK);
    assert_int_equal(flash->read(flash, 5001, back, sizeof back), OTA_OK);
    assert_memory_equal(data, back, sizeof data);
    assert_true(is_erased(chip.memory, 5001));
    assert_true(is_erased(chip.memory + 6001, SIZE - 6001));
}

static void test_programs_are_split_at_pages(void **unused)
{
    (void)unused;
    struct ota_flash *flash = make(&usual);
    const struct nor_statistics *statistics = &chip.state.statistics;
    uint8_t data[600];
    fill(data, sizeof data, 2);
    assert_int_equal(flash->write(flash, 0x1F0, data, sizeof data), OTA_OK); /* 16, 256, 256, 72 */
    assert_int_equal(statistics->programs, 4);
    assert_int_equal(statistics->operations, 4);
    assert_int_equal(statistics->bytes_programmed, 600);
    assert_int_equal(statistics->time_ns, 4 * 400000);
    assert_int_equal(flash->write(flash, 0x1000, data, 256), OTA_OK);
    assert_int_equal(statistics->programs, 5);
    assert_int_equal(flash->write(flash, 0x2000, data, 0), OTA_OK);
    assert_int_equal(statistics->programs, 5);
}

static void test_programs_only_clear_bits(void **unused)
{
    (void)unused;
    struct ota_flash *flash = make(&usual);
    uint8_t byte = 0xF0;
    assert_int_equal(flash->write(flash, 100, &byte, 1), OTA_OK);
    byte = 0x30;
    assert_int_equal(flash->write(flash, 100, &byte, 1), OTA_OK);
    assert_int_equal(chip.memory[100], 0x30);
    assert_int_equal(chip.state.violations, 0);
    byte = 0x31;
    assert_int_equal(flash->write(flash, 100, &byte, 1), OTA_ERR_FLASH_WRITE);
    assert_int_equal(chip.memory[100], 0x30);
    assert_int_equal(chip.state.violations, 1);
    assert_string_equal(chip.state.note, "program of 1 byte at 0x64: 0x30 at 0x64 cannot become "
                                         "0x31, it is not erased");
}

static void test_rules_hold_at_each_byte_of_a_program(void **unused)
{
    (void)unused;
    uint8_t data[64];
    memset(data, 0x0F, sizeof data);
    for (uint32_t place = 0; place < sizeof data; place++) {
        for (int once = 0; once < 2; once++) {
            struct nor_config config = usual;
            config.program_once = once != 0;
            struct ota_flash *flash = make(&config);
            chip.memory[place] = 0x7F; /* takes 0x0F, unless cells take one program only */
            assert_int_equal(flash->write(flash, 0, data, sizeof data),
                             once ? OTA_ERR_FLASH_WRITE : OTA_OK);
            chip.memory[place] = 0x0E;
            assert_int_equal(flash->write(flash, 0, data, sizeof data), OTA_ERR_FLASH_WRITE);
        }
    }
}

static void test_program_once_chips_want_erased_units(void **unused)
{
    (void)unused;
    struct nor_config config = usual;
    config.program_once = true;
    config.write_size = 16;
    struct ota_flash *flash = make(&config);
    uint8_t data[32];
    fill(data, sizeof data, 3);
    assert_int_equal(flash->write(flash, 64, data, 32), OTA_OK);
    assert_int_equal(flash->write(flash, 64, data, 16), OTA_ERR_FLASH_WRITE);
    assert_int_equal(chip.state.violations, 1);
    assert_int_equal(flash->erase(flash, 0, SECTOR), OTA_OK);
    assert_int_equal(flash->write(flash, 64, data, 16), OTA_OK);
    assert_int_equal(chip.state.violations, 1);
}

static void test_accesses_that_a_chip_cannot_do_are_refused(void **unused)
{
    (void)unused;
    struct nor_config config = usual;
    config.write_size = 4;
    struct ota_flash *flash = make(&config);
    uint8_t data[8] = {0};
    assert_int_equal(flash->write(flash, 2, data, 4), OTA_ERR_FLASH_WRITE);
    assert_int_equal(flash->write(flash, 4, data, 6), OTA_ERR_FLASH_WRITE);
    assert_int_equal(flash->write(flash, SIZE - 4, data, 8), OTA_ERR_FLASH_WRITE);
    assert_int_equal(flash->write(flash, UINT32_MAX - 3, data, 8), OTA_ERR_FLASH_WRITE);
    assert_int_equal(flash->erase(flash, 2048, SECTOR), OTA_ERR_FLASH_ERASE);
    assert_int_equal(flash->erase(flash, 0, 2048), OTA_ERR_FLASH_ERASE);
    assert_int_equal(flash->erase(flash, SIZE - SECTOR, 2 * SECTOR), OTA_ERR_FLASH_ERASE);
    assert_int_equal(flash->read(flash, SIZE - 4, data, 8), OTA_ERR_FLASH_READ);
    assert_int_equal(chip.state.violations, 8);
    assert_int_equal(chip.state.statistics.operations, 0);
    assert_true(is_erased(chip.memory, SIZE));
}

static void test_erases_in_the_largest_units(void **unused)
{
    (void)unused;
    struct ota_flash *flash = make(&usual);
    memset(chip.memory, 0, SIZE);
    /* 0x7000: a sector up to 0x8000, 32 KiB up to 0x10000, 64 KiB, 32 KiB, a sector. */
    assert_int_equal(flash->erase(flash, 0x7000, 0x1000 + 0x8000 + 0x10000 + 0x8000 + 0x1000),
                     OTA_OK);
    assert_int_equal(chip.state.statistics.erases[0], 2);
    assert_int_equal(chip.state.statistics.erases[1], 2);
    assert_int_equal(chip.state.statistics.erases[2], 1);
    assert_int_equal(chip.state.statistics.operations, 5);
    assert_int_equal(chip.state.statistics.time_ns / 1000000, 2 * 45 + 2 * 120 + 150);
    assert_true(is_erased(chip.memory + 0x7000, 0x22000));
    assert_int_equal(chip.memory[0x6FFF], 0);
    assert_int_equal(chip.memory[0x29000], 0);
}

static void test_wear_is_counted_by_sector(void **unused)
{
    (void)unused;
    struct ota_flash *flash = make(&usual);
    assert_int_equal(flash->erase(flash, 0x10000, 0x10000), OTA_OK);
    assert_int_equal(flash->erase(flash, 0x11000, 0x1000), OTA_OK);
    for (uint32_t sector = 0; sector < SIZE / SECTOR; sector++) {
        const uint32_t expected = sector == 0x11 ? 2 : sector >= 0x10 && sector < 0x20 ? 1 : 0;
        assert_int_equal(chip.wear[sector], expected);
    }
}

static void test_times_are_the_datasheets_or_the_callers(void **unused)
{
    (void)unused;
    assert_int_equal(nor_erase_time_ns(256), 45000000);
    assert_int_equal(nor_erase_time_ns(4096), 45000000);
    assert_int_equal(nor_erase_time_ns(32768), 120000000);
    assert_int_equal(nor_erase_time_ns(65536), 150000000);
    assert_int_equal(nor_erase_time_ns(131072), 300000000);
    const struct nor_config config = {
        .size = SIZE, .erase = {{SECTOR, 7}}, .write_size = 1, .program_time_ns = 3};
    struct ota_flash *flash = make(&config);
    const uint8_t byte = 0;
    flash->erase(flash, 0, 2 * SECTOR);
    flash->write(flash, 0, &byte, 1);
    assert_int_equal(chip.state.statistics.time_ns, 2 * 7 + 3);
}

static void test_reads_are_counted_and_are_no_mutations(void **unused)
{
    (void)unused;
    struct ota_flash *flash = make(&usual);
    uint8_t data[100];
    flash->read(flash, 1, data, 99);
    assert_int_equal(chip.state.statistics.bytes_read, 99);
    assert_int_equal(chip.state.statistics.operations, 0);
}

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

/* Keeps the last operation it was told of. */
static void remember(void *context, const struct nor_operation *operation)
{
    *(struct nor_operation *)context = *operation;
}

static void test_operations_can_be_watched(void **unused)
{
    (void)unused;
    struct nor_operation last = {NOR_PROGRAM, 0, 0};
    struct nor_config config = usual;
    config.on_operation = remember;
    config.context = &last;
    struct ota_flash *flash = make(&config);
    const uint8_t byte = 0;
    flash->erase(flash, 0x10000, 0x10000);
    assert_int_equal(last.kind, NOR_ERASE);
    assert_int_equal(last.len, 0x10000);
    flash->write(flash, 77, &byte, 1);
    assert_int_equal(last.kind, NOR_PROGRAM);
    assert_int_equal(last.offset, 77);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_geometry_is_offered_to_the_library),
        cmocka_unit_test(test_impossible_geometries_are_refused),
        cmocka_unit_test(test_programs_and_reads),
        cmocka_unit_test(test_programs_are_split_at_pages),
        cmocka_unit_test(test_programs_only_clear_bits),
        cmocka_unit_test(test_rules_hold_at_each_byte_of_a_program),
        cmocka_unit_test(test_program_once_chips_want_erased_units),
        cmocka_unit_test(test_accesses_that_a_chip_cannot_do_are_refused),
        cmocka_unit_test(test_erases_in_the_largest_units),
        cmocka_unit_test(test_wear_is_counted_by_sector),
        cmocka_unit_test(test_times_are_the_datasheets_or_the_callers),
        cmocka_unit_test(test_reads_are_counted_and_are_no_mutations),
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
        cmocka_unit_test(test_operations_can_be_watched),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
