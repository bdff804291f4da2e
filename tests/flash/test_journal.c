/* SPDX-License-Identifier: Apache-2.0 */
/* The resume journal: what is written is found again, what is torn is not, on every geometry. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include <updraft/journal.h>

#include "support/images.h"
#include "support/ram_flash.h"

#define HEADER 84u /* bytes, docs/formats/journal.md */
#define RECORD 16u

struct geometry {
    uint32_t erase_size, write_size;
};

static const struct geometry geometries[] = {
    {256, 1},  {256, 16},   {256, 256}, {512, 1},    {512, 256},    {1024, 8},   {4096, 1},
    {4096, 4}, {4096, 256}, {8192, 32}, {65536, 64}, {131072, 256}, {131072, 1},
};
static const struct geometry usual = {4096, 1};
#define GEOMETRIES (sizeof geometries / sizeof geometries[0])

static struct ram_flash *chip;
static struct ota_region region;

static void open_chip(const struct geometry *geometry)
{
    chip = ram_flash_new(8 * geometry->erase_size, geometry->erase_size, 0, geometry->write_size);
    region = ram_flash_region(chip, geometry->erase_size, 6 * geometry->erase_size);
}

static uint32_t round_up(uint32_t value, uint32_t unit)
{
    return (value + unit - 1) / unit * unit;
}

static struct ota_identity some_identity(void)
{
    return ota_identity_from_etag("\"the transfer\"");
}

static struct ota_checkpoint some_checkpoint(uint32_t offset)
{
    struct ota_checkpoint checkpoint = {.offset = offset};

    for (unsigned i = 0; i < sizeof checkpoint.proof; i++) {
        checkpoint.proof[i] = (uint8_t)noise(offset, i);
    }
    return checkpoint;
}

static void begin(struct ota_journal *journal, uint32_t size)
{
    struct ota_identity identity = some_identity();

    assert_int_equal(ota_journal_begin(journal, &region, size, &identity), OTA_OK);
    assert_true(journal->open);
    assert_true(journal->resumable);
}

static bool room_for_checkpoints(const struct geometry *g)
{
    return round_up(HEADER, g->write_size) + round_up(RECORD, g->write_size) <= g->erase_size;
}

static bool is_marked(void)
{
    bool marked = false;

    assert_int_equal(ota_journal_is_marked(&region, &marked), OTA_OK);
    return marked;
}

/* Which transfers can be resumed: those that leave the last sector free and can be recognised. */
static void test_resumable(void **state)
{
    (void)state;
    for (size_t i = 0; i < GEOMETRIES; i++) {
        const struct geometry *g = &geometries[i];
        const struct ota_identity none = {.kind = OTA_IDENTITY_NONE};
        struct ota_identity identity = some_identity();
        struct ota_journal journal;
        struct ota_journal found;
        bool room = room_for_checkpoints(g);

        open_chip(g);
        assert_int_equal(ota_journal_begin(&journal, &region, 5 * g->erase_size, &identity),
                         OTA_OK);
        assert_true(journal.open);
        assert_int_equal(journal.resumable, room);
        assert_int_equal(ota_journal_open(&found, &region), room ? OTA_OK : OTA_ERR_NO_DATA);
        const uint32_t sizes[] = {5 * g->erase_size + 1, 0xFFFFFFFF};
        for (size_t k = 0; k < 2; k++) { /* the last sector is data, or may be */
            assert_int_equal(ota_journal_begin(&journal, &region, sizes[k], &identity), OTA_OK);
            assert_true(journal.open);
            assert_false(journal.resumable);
            assert_true(is_marked());
            assert_int_equal(ota_journal_open(&found, &region), OTA_ERR_NO_DATA);
            assert_false(found.resumable);
        }
        assert_int_equal(ota_journal_begin(&journal, &region, 10, &none), OTA_OK);
        assert_true(journal.open);
        assert_false(journal.resumable);
        assert_true(is_marked());
        assert_int_equal(ota_journal_open(&found, &region), OTA_ERR_NO_DATA);
        ram_flash_free(chip);
    }
}

/* The byte that is stored otherwise is kept in the header; an older header has none. */
static void test_the_byte_that_arrived(void **state)
{
    struct ota_identity identity = some_identity();
    struct ota_journal journal;
    struct ota_journal found;

    (void)state;
    open_chip(&usual);
    begin(&journal, 10);
    assert_int_equal(ota_journal_open(&found, &region), OTA_OK);
    assert_int_equal(found.mode, OTA_JOURNAL_AS_STORED);
    assert_int_equal(chip->memory[journal.sector.offset + 7], 0xFF);
    assert_int_equal(ota_journal_begin_changed(&journal, &region, 10, &identity, 2), OTA_OK);
    assert_int_equal(ota_journal_open(&found, &region), OTA_OK);
    assert_int_equal(found.mode, 2);
    assert_int_equal(chip->memory[journal.sector.offset + 7], 2);
    ram_flash_free(chip);
}

/* Checkpoints of what cannot be resumed are not written, and that is no error. */
static void test_append_without_room(void **state)
{
    struct ota_identity identity = some_identity();
    struct ota_checkpoint checkpoint = some_checkpoint(1);
    struct ota_journal journal;

    (void)state;
    open_chip(&usual);
    assert_int_equal(ota_journal_begin(&journal, &region, 0xFFFFFFFF, &identity), OTA_OK);
    uint64_t changes = ram_flash_changes(chip);
    assert_int_equal(ota_journal_append(&journal, &checkpoint), OTA_OK);
    assert_int_equal(ram_flash_changes(chip), changes);
    ram_flash_free(chip);
}

/* A region of one sector has no room for a mark; it counts as marked always. */
static void test_no_room_for_a_mark(void **state)
{
    struct ota_identity identity = some_identity();
    struct ota_journal journal;

    (void)state;
    open_chip(&usual);
    assert_true(ota_journal_can_mark(&region));
    assert_false(is_marked());
    for (uint32_t sectors = 0; sectors < 2; sectors++) {
        region.size = sectors * 4096;
        assert_false(ota_journal_can_mark(&region));
        assert_true(is_marked());
        assert_int_equal(ota_journal_begin(&journal, &region, 10, &identity), OTA_OK);
        assert_false(journal.open);
        assert_false(journal.resumable);
        assert_int_equal(ota_journal_end(&journal, 0), OTA_OK);
        assert_int_equal(ota_journal_open(&journal, &region), OTA_ERR_NO_DATA);
    }
    assert_int_equal(ram_flash_changes(chip), 0);
    ram_flash_free(chip);
}

/* Any bit in the last sector is a mark; none elsewhere is. */
static void test_marks(void **state)
{
    (void)state;
    open_chip(&usual);
    uint8_t *end = chip->memory + region.offset + region.size;
    assert_false(is_marked());
    for (uint32_t back = 1; back <= 4096; back += 455) {
        end[-(ptrdiff_t)back] = 0xFE;
        assert_true(is_marked());
        end[-(ptrdiff_t)back] = 0xFF;
    }
    end[-4097] = 0;
    end[0] = 0;
    assert_false(is_marked());
    ram_flash_free(chip);
}

/* Where data reaches into the sector, the mark is overwritten already: it is not erased. */
static void test_end_spares_data(void **state)
{
    struct ota_identity identity = some_identity();
    struct ota_journal journal;

    (void)state;
    open_chip(&usual);
    assert_int_equal(ota_journal_begin(&journal, &region, 0xFFFFFFFF, &identity), OTA_OK);
    uint64_t changes = ram_flash_changes(chip);
    assert_int_equal(ota_journal_end(&journal, 5 * 4096 + 1), OTA_OK);
    assert_int_equal(ram_flash_changes(chip), changes);
    assert_false(journal.open);
    assert_int_equal(ota_journal_begin(&journal, &region, 0xFFFFFFFF, &identity), OTA_OK);
    assert_int_equal(ota_journal_end(&journal, 5 * 4096), OTA_OK);
    assert_false(is_marked());
    ram_flash_free(chip);
}

/* Header and checkpoints are found again, the last one counts, and appending goes on. */
static void test_round_trip(void **state)
{
    struct ota_identity identity = some_identity();

    (void)state;
    for (size_t i = 0; i < GEOMETRIES; i++) {
        const struct geometry *g = &geometries[i];
        struct ota_journal journal;
        struct ota_journal found;
        uint32_t size = 4 * g->erase_size + 7;

        open_chip(g);
        if (!room_for_checkpoints(g)) {
            ram_flash_free(chip);
            continue;
        }
        ram_flash_fill(chip, 0, 8 * g->erase_size, i);
        begin(&journal, size);
        assert_int_equal(journal.interval % g->erase_size, 0);
        assert_true(journal.interval > 0);

        assert_int_equal(ota_journal_open(&found, &region), OTA_OK);
        assert_true(found.resumable);
        assert_false(found.open); /* whoever goes on with it says so */
        assert_int_equal(found.size, size);
        assert_int_equal(found.interval, journal.interval);
        assert_true(ota_identity_equal(&found.identity, &identity));
        assert_int_equal(found.last.offset, 0);

        struct ota_checkpoint checkpoint = some_checkpoint(g->erase_size);
        assert_int_equal(ota_journal_append(&journal, &checkpoint), OTA_OK);
        assert_int_equal(ota_journal_open(&found, &region), OTA_OK);
        assert_int_equal(found.last.offset, g->erase_size);
        assert_memory_equal(found.last.proof, checkpoint.proof, sizeof checkpoint.proof);

        assert_int_equal(ota_journal_end(&journal, 0), OTA_OK);
        assert_false(journal.open);
        assert_int_equal(ota_journal_open(&found, &region), OTA_ERR_NO_DATA);
        assert_false(found.resumable);
        ram_flash_free(chip);
    }
}

/* Only the last sector of the region is touched. */
static void test_stays_in_its_sector(void **state)
{
    uint8_t before[8 * 4096];
    struct ota_journal journal;
    struct ota_checkpoint checkpoint = some_checkpoint(100);

    (void)state;
    open_chip(&usual);
    ram_flash_fill(chip, 0, sizeof before, 9);
    memcpy(before, chip->memory, sizeof before);
    begin(&journal, 1000);
    assert_int_equal(ota_journal_append(&journal, &checkpoint), OTA_OK);
    assert_int_equal(ota_journal_end(&journal, 0), OTA_OK);
    assert_memory_equal(chip->memory, before, 6 * 4096);
    assert_memory_equal(chip->memory + 7 * 4096, before + 7 * 4096, 4096);
    ram_flash_free(chip);
}

/* Ending what is not open does nothing. */
static void test_end_is_idle(void **state)
{
    struct ota_journal journal;

    (void)state;
    open_chip(&usual);
    begin(&journal, 1000);
    assert_int_equal(ota_journal_end(&journal, 0), OTA_OK);
    uint64_t changes = ram_flash_changes(chip);
    assert_int_equal(ota_journal_end(&journal, 0), OTA_OK);
    assert_int_equal(ram_flash_changes(chip), changes);
    ram_flash_free(chip);
}

/* A full sector: no more is written, the last that was stays, and it is no error. */
static void test_full(void **state)
{
    (void)state;
    for (size_t i = 0; i < GEOMETRIES; i++) {
        const struct geometry *g = &geometries[i];
        struct ota_journal journal;
        struct ota_journal found;

        open_chip(g);
        if (g->erase_size > 8192 || !room_for_checkpoints(g)) {
            ram_flash_free(chip);
            continue;
        }
        uint32_t room =
            (g->erase_size - round_up(HEADER, g->write_size)) / round_up(RECORD, g->write_size);
        begin(&journal, 1000);
        for (uint32_t n = 1; n <= room + 3; n++) {
            struct ota_checkpoint checkpoint = some_checkpoint(n);
            assert_int_equal(ota_journal_append(&journal, &checkpoint), OTA_OK);
            assert_int_equal(ota_journal_open(&found, &region), OTA_OK);
            assert_int_equal(found.last.offset, n < room ? n : room);
        }
        ram_flash_free(chip);
    }
}

/* Intervals are such that a transfer of any size needs no more checkpoints than there is room
   for. */
static void test_interval(void **state)
{
    static const uint32_t erase_sizes[] = {256, 4096, 65536};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        uint32_t erase_size = erase_sizes[i];
        chip = ram_flash_new(64 * 65536, erase_size, 0, 1);
        region = ram_flash_region(chip, 0, 64 * 65536);
        for (uint32_t size = 1; size <= region.size - erase_size; size = size * 3 + 1) {
            struct ota_journal journal;
            uint32_t room = (erase_size - HEADER) / RECORD;
            begin(&journal, size);
            assert_int_equal(journal.interval % erase_size, 0);
            assert_true(journal.interval >= 0x8000);
            assert_true(size / journal.interval <= room);
        }
        ram_flash_free(chip);
    }
}

/* Any bit of the header that is wrong: no journal. */
static void test_damaged_header(void **state)
{
    struct ota_journal journal;
    struct ota_journal found;

    (void)state;
    open_chip(&usual);
    begin(&journal, 1000);
    uint8_t *header = chip->memory + region.offset + region.size - 4096;
    for (unsigned bit = 0; bit < 8 * HEADER; bit++) {
        header[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_equal(ota_journal_open(&found, &region), OTA_ERR_NO_DATA);
        assert_false(found.resumable);
        header[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    assert_int_equal(ota_journal_open(&found, &region), OTA_OK);
    ram_flash_free(chip);
}

static void put32(uint8_t *bytes, uint32_t value)
{
    for (int i = 0; i < 4; i++) {
        bytes[i] = (uint8_t)(value >> 8 * i);
    }
}

/* A header whose CRC fits and whose numbers cannot be: no journal either. */
static void test_impossible_header(void **state)
{
    static const struct {
        unsigned offset;
        uint8_t bytes[4];
        unsigned len;
    } changes[] = {
        {0, {'X'}, 1},                    /* magic */
        {4, {2}, 1},                      /* version */
        {5, {OTA_IDENTITY_NONE}, 1},      /* kind: a mark and no more */
        {6, {65}, 1},                     /* length of the identity */
        {8, {0x01, 0x50, 0x00, 0x00}, 4}, /* size: into the last sector */
        {8, {0xFF, 0xFF, 0xFF, 0xFF}, 4}, /* size: not known */
    };
    struct ota_journal journal;
    struct ota_journal found;

    (void)state;
    open_chip(&usual);
    begin(&journal, 1000);
    uint8_t *header = chip->memory + region.offset + region.size - 4096;
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        uint8_t good[HEADER];
        memcpy(good, header, sizeof good);
        memcpy(header + changes[i].offset, changes[i].bytes, changes[i].len);
        put32(header + HEADER - 4, ota_crc32(0, header, HEADER - 4));
        assert_int_equal(ota_journal_open(&found, &region), OTA_ERR_NO_DATA);
        assert_false(found.resumable);
        memcpy(header, good, sizeof good);
    }
    ram_flash_free(chip);
}

/* Any bit of the last checkpoint that is wrong: the one before counts. */
static void test_damaged_checkpoint(void **state)
{
    struct ota_checkpoint first = some_checkpoint(300);
    struct ota_checkpoint second = some_checkpoint(600);
    struct ota_journal journal;
    struct ota_journal found;

    (void)state;
    open_chip(&usual);
    begin(&journal, 1000);
    assert_int_equal(ota_journal_append(&journal, &first), OTA_OK);
    assert_int_equal(ota_journal_append(&journal, &second), OTA_OK);
    uint8_t *record = chip->memory + region.offset + region.size - 4096 + HEADER + RECORD;
    for (unsigned bit = 0; bit < 8 * RECORD; bit++) {
        record[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_equal(ota_journal_open(&found, &region), OTA_OK);
        assert_int_equal(found.last.offset, 300);
        assert_memory_equal(found.last.proof, first.proof, sizeof first.proof);
        record[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    ram_flash_free(chip);
}

/* Records belong to one header: those of an older journal are not taken for this one's. */
static void test_records_belong_to_their_header(void **state)
{
    uint8_t record[RECORD];
    struct ota_checkpoint checkpoint = some_checkpoint(300);
    struct ota_identity other = ota_identity_from_etag("\"another\"");
    struct ota_journal journal;
    struct ota_journal found;

    (void)state;
    open_chip(&usual);
    uint8_t *sector = chip->memory + region.offset + region.size - 4096;
    begin(&journal, 1000);
    assert_int_equal(ota_journal_append(&journal, &checkpoint), OTA_OK);
    memcpy(record, sector + HEADER, sizeof record);
    assert_int_equal(ota_journal_begin(&journal, &region, 1000, &other), OTA_OK);
    memcpy(sector + HEADER, record, sizeof record);
    assert_int_equal(ota_journal_open(&found, &region), OTA_OK);
    assert_int_equal(found.last.offset, 0);
    ram_flash_free(chip);
}

/* A checkpoint beyond the transfer's end is none. */
static void test_checkpoint_beyond_the_end(void **state)
{
    struct ota_checkpoint at_end = some_checkpoint(1000);
    struct ota_checkpoint beyond = some_checkpoint(1001);
    struct ota_journal journal;
    struct ota_journal found;

    (void)state;
    open_chip(&usual);
    begin(&journal, 1000);
    assert_int_equal(ota_journal_append(&journal, &at_end), OTA_OK);
    assert_int_equal(ota_journal_append(&journal, &beyond), OTA_OK);
    assert_int_equal(ota_journal_open(&found, &region), OTA_OK);
    assert_int_equal(found.last.offset, 1000);
    ram_flash_free(chip);
}

/* After a restart one place is left out: power may have failed there before a bit of a record
   showed. */
static void test_place_left_out(void **state)
{
    struct ota_checkpoint first = some_checkpoint(100);
    struct ota_checkpoint second = some_checkpoint(200);
    struct ota_journal journal;
    struct ota_journal found;
    bool blank = false;

    (void)state;
    open_chip(&usual);
    begin(&journal, 1000);
    assert_int_equal(ota_journal_append(&journal, &first), OTA_OK);
    assert_int_equal(ota_journal_open(&found, &region), OTA_OK);
    assert_int_equal(ota_journal_append(&found, &second), OTA_OK);
    assert_int_equal(ota_region_is_blank(&found.sector, HEADER + RECORD, RECORD, &blank), OTA_OK);
    assert_true(blank);
    assert_int_equal(ota_region_is_blank(&found.sector, HEADER + 2 * RECORD, RECORD, &blank),
                     OTA_OK);
    assert_false(blank);
    assert_int_equal(ota_journal_open(&found, &region), OTA_OK);
    assert_int_equal(found.last.offset, 200);
    ram_flash_free(chip);
}

/* Power fails while a record is programmed, in each way: the record before counts, or the new one;
   and appending goes on without a second program of the same bytes (the chip would refuse it). */
static void test_torn_append(void **state)
{
    (void)state;
    for (size_t i = 0; i < GEOMETRIES; i++) {
        const struct geometry *g = &geometries[i];
        for (uint32_t trial = 0; trial < 60; trial++) {
            enum nor_cut how = (enum nor_cut)(NOR_CUT_BEFORE + (int)(trial % 6));
            struct ota_journal journal;
            struct ota_journal found;
            struct ota_checkpoint first = some_checkpoint(g->erase_size);
            struct ota_checkpoint second = some_checkpoint(2 * g->erase_size);
            struct ota_checkpoint third = some_checkpoint(3 * g->erase_size);

            open_chip(g);
            if (g->erase_size > 8192 || !room_for_checkpoints(g)) {
                ram_flash_free(chip);
                break;
            }
            begin(&journal, 4 * g->erase_size);
            assert_int_equal(ota_journal_append(&journal, &first), OTA_OK);
            nor_cut_at(&chip->nor, 1, how, trial);
            (void)ota_journal_append(&journal, &second);
            nor_power_up(&chip->nor);

            assert_int_equal(ota_journal_open(&found, &region), OTA_OK);
            uint32_t offset = found.last.offset;
            assert_true(offset == first.offset || offset == second.offset ||
                        (offset == 0 && found.next > g->erase_size));
            assert_int_equal(ota_journal_append(&found, &third), OTA_OK);
            assert_int_equal(ota_journal_open(&found, &region), OTA_OK);
            assert_true(found.last.offset == third.offset || found.last.offset == offset);
            ram_flash_free(chip);
        }
    }
}

/* Power fails while a journal is begun over an old one: the old, the new, or none. */
static void test_torn_begin(void **state)
{
    struct ota_identity identity = some_identity();
    struct ota_identity other = ota_identity_from_etag("\"another\"");

    (void)state;
    for (uint32_t trial = 0; trial < 240; trial++) {
        enum nor_cut how = (enum nor_cut)(NOR_CUT_BEFORE + (int)(trial % 6));
        struct ota_checkpoint checkpoint = some_checkpoint(4096);
        struct ota_journal journal;
        struct ota_journal found;

        open_chip(&usual);
        begin(&journal, 5000);
        assert_int_equal(ota_journal_append(&journal, &checkpoint), OTA_OK);
        nor_cut_at(&chip->nor, 1 + trial / 6 % 2, how, trial);
        assert_int_not_equal(ota_journal_begin(&journal, &region, 6000, &other), OTA_OK);
        nor_power_up(&chip->nor);
        if (ota_journal_open(&found, &region) == OTA_OK) {
            bool is_old = ota_identity_equal(&found.identity, &identity);
            bool is_new = ota_identity_equal(&found.identity, &other);
            assert_true(is_old || is_new);
            assert_int_equal(found.size, is_old ? 5000 : 6000);
            assert_true(found.last.offset == 0 || is_old);
        }
        ram_flash_free(chip);
    }
}

struct fault_case {
    enum fault_kind kind;
};

static void fault_scenario(void *context)
{
    const struct fault_case *c = context;
    struct ota_identity identity = some_identity();
    struct ota_checkpoint checkpoint = some_checkpoint(300);
    struct ota_journal journal;
    struct ota_journal found;
    enum ota_err err;

    open_chip(&usual);
    err = ota_journal_begin(&journal, &region, 1000, &identity);
    if (err == OTA_OK) {
        err = ota_journal_append(&journal, &checkpoint);
        if (err != OTA_OK) { /* what failed to be written does not count */
            assert_int_equal(journal.last.offset, 0);
        }
    } else {
        assert_false(journal.open);
    }
    if (err == OTA_OK) {
        err = ota_journal_open(&found, &region);
        assert_true(err == OTA_OK || !found.resumable);
    }
    if (err == OTA_OK) {
        found.open = true;
        err = ota_journal_end(&found, 0);
    }
    assert_int_equal(err, faults_struck() ? faults_error(c->kind) : OTA_OK);
    ram_flash_free(chip);
}

static void test_flash_errors(void **state)
{
    struct fault_case c;

    (void)state;
    c.kind = FAULT_READ;
    assert_true(faults_everywhere(FAULT_READ, fault_scenario, &c) > 100);
    c.kind = FAULT_WRITE;
    assert_int_equal(faults_everywhere(FAULT_WRITE, fault_scenario, &c), 2);
    c.kind = FAULT_VERIFY;
    assert_int_equal(faults_everywhere(FAULT_VERIFY, fault_scenario, &c), 2);
    c.kind = FAULT_ERASE;
    assert_int_equal(faults_everywhere(FAULT_ERASE, fault_scenario, &c), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_resumable),
        cmocka_unit_test(test_the_byte_that_arrived),
        cmocka_unit_test(test_append_without_room),
        cmocka_unit_test(test_no_room_for_a_mark),
        cmocka_unit_test(test_marks),
        cmocka_unit_test(test_end_spares_data),
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_stays_in_its_sector),
        cmocka_unit_test(test_end_is_idle),
        cmocka_unit_test(test_full),
        cmocka_unit_test(test_interval),
        cmocka_unit_test(test_damaged_header),
        cmocka_unit_test(test_impossible_header),
        cmocka_unit_test(test_damaged_checkpoint),
        cmocka_unit_test(test_records_belong_to_their_header),
        cmocka_unit_test(test_checkpoint_beyond_the_end),
        cmocka_unit_test(test_place_left_out),
        cmocka_unit_test(test_torn_append),
        cmocka_unit_test(test_torn_begin),
        cmocka_unit_test(test_flash_errors),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
