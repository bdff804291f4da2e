/* SPDX-License-Identifier: Apache-2.0 */
/* The writer: the same flash content from every split of the stream, and no erase too many. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <updraft/writer.h>

#include "support/images.h"
#include "support/ram_flash.h"

#define SECTOR 4096u
#define BLOCK 65536u
#define START BLOCK
#define SECTORS 64u /* in the region: four blocks */
#define SIZE (SECTORS * SECTOR)
#define CHIP (START + SIZE + BLOCK)
#define SEED 1u

static struct ram_flash *chip;
static struct ota_region region;
static uint8_t data[SIZE + 1];
static uint8_t buffer[SECTOR];

static int set_up(void **state)
{
    (void)state;
    chip = ram_flash_new(CHIP, SECTOR, BLOCK, 1);
    region = ram_flash_region(chip, START, SIZE);
    for (uint32_t i = 0; i < sizeof data; i++) {
        data[i] = (uint8_t)noise(SEED, i);
    }
    faults_clear();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    ram_flash_free(chip);
    return 0;
}

static void begin(struct ota_writer *writer, uint32_t total, uint32_t buffer_size)
{
    assert_int_equal(ota_writer_begin(writer, &region, 0, total, buffer, buffer_size), OTA_OK);
}

static void write_all(struct ota_writer *writer, const uint8_t *bytes, uint32_t len)
{
    assert_int_equal(ota_writer_write(writer, bytes, len), OTA_OK);
    assert_int_equal(ota_writer_finish(writer), OTA_OK);
    assert_int_equal(writer->failure.err, OTA_OK);
}

static struct ota_writer_stats written(const uint8_t *bytes, uint32_t len, uint32_t buffer_size)
{
    struct ota_writer writer;

    begin(&writer, len, buffer_size);
    write_all(&writer, bytes, len);
    assert_memory_equal(chip->memory + START, bytes, len);
    return writer.stats;
}

/* Every split of the stream, every kind of buffer, erased or used flash, known or unknown
   length. */
static void split_case(uint32_t erase_size, uint32_t write_size, uint32_t buffer_size, uint32_t len,
                       uint32_t piece, bool known, bool used)
{
    struct ram_flash *flash =
        ram_flash_new(16 * erase_size, erase_size, 4 * erase_size, write_size);
    struct ota_region r = ram_flash_region(flash, 4 * erase_size, 8 * erase_size);
    struct ota_writer writer;
    uint8_t outside[SECTOR];
    uint32_t done = 0;

    if (used) {
        ram_flash_fill(flash, 0, 16 * erase_size, 99);
    }
    memcpy(flash->memory + 12 * erase_size, flash->memory + 3 * erase_size, erase_size);
    memcpy(outside, flash->memory + 3 * erase_size, erase_size);
    assert_int_equal(
        ota_writer_begin(&writer, &r, 0, known ? len : OTA_SIZE_UNKNOWN, buffer, buffer_size),
        OTA_OK);
    for (uint64_t n = 0; done < len; n++) {
        uint32_t next = piece != 0 ? piece : 1 + noise(piece, n) % (3 * erase_size);
        next = next < len - done ? next : len - done;
        assert_int_equal(ota_writer_write(&writer, data + done, next), OTA_OK);
        done += next;
        assert_true(ota_writer_flushed(&writer) <= done);
    }
    assert_int_equal(ota_writer_finish(&writer), OTA_OK);
    assert_true(ota_writer_flushed(&writer) >= len);
    assert_memory_equal(flash->memory + r.offset, data, len);
    /* Nothing outside the region changed. */
    for (uint32_t i = 0; i < 16; i++) {
        if (i < 4 || i >= 12) {
            assert_int_equal(flash->wear[i], 0);
        }
    }
    assert_memory_equal(flash->memory + 3 * erase_size, outside, erase_size);
    assert_memory_equal(flash->memory + 12 * erase_size, outside, erase_size);
    ram_flash_free(flash);
}

static void test_splits(void **state)
{
    static const struct {
        uint32_t erase_size, write_size;
    } geometries[] = {{256, 1}, {256, 256}, {512, 16}, {4096, 1}, {1024, 4}, {128, 64}};
    static const uint32_t pieces[] = {1, 0, 7, 100, 256, 1000, 0xFFFFFFFF};

    (void)state;
    for (size_t g = 0; g < sizeof geometries / sizeof geometries[0]; g++) {
        uint32_t erase_size = geometries[g].erase_size;
        uint32_t write_size = geometries[g].write_size;
        const uint32_t buffers[] = {write_size, write_size + 1, 200, 256, erase_size};
        const uint32_t lens[] = {1, write_size, erase_size - 1, 3 * erase_size + 5, 8 * erase_size};
        for (size_t b = 0; b < 5; b++) {
            if (buffers[b] < write_size || buffers[b] > sizeof buffer) {
                continue;
            }
            for (size_t l = 0; l < 5; l++) {
                for (size_t p = 0; p < sizeof pieces / sizeof pieces[0]; p++) {
                    split_case(erase_size, write_size, buffers[b], lens[l], pieces[p], p % 2 == 0,
                               (b + l) % 2 == 0);
                    split_case(erase_size, write_size, buffers[b], lens[l], pieces[p], p % 2 == 1,
                               (b + l) % 2 == 1);
                }
            }
        }
    }
}

/* Blank stretches in the data, wherever they lie, come out blank. */
static void test_blank_stretches(void **state)
{
    static const uint32_t buffers[] = {256, SECTOR};

    (void)state;
    memset(data, 0xFF, 300);
    memset(data + 3 * SECTOR, 0xFF, SECTOR);
    memset(data + 5 * SECTOR + 256, 0xFF, 512);
    memset(data + 20 * SECTOR, 0xFF, 20 * SECTOR);
    for (size_t i = 0; i < 2; i++) {
        struct ota_writer_stats stats;
        ram_flash_fill(chip, 0, CHIP, 5);
        stats = written(data, SIZE, buffers[i]);
        /* One page of the first sector, two of the sixth, and the pages of the blank sectors. */
        assert_int_equal(stats.pages_blank, 1 + 2 + 21 * 16);
        assert_int_equal(stats.pages, SIZE / 256 - stats.pages_blank);
    }
}

/* Erasing. */

/* The largest unit that what remains covers whole; the region's last sector, where a mark may be,
   goes alone. */
static void test_blocks(void **state)
{
    static const uint32_t buffers[] = {256, SECTOR};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct ota_writer_stats stats;
        ram_flash_fill(chip, START, SIZE, 5);
        stats = written(data, SIZE, buffers[i]);
        assert_int_equal(stats.block_erases, 3);
        assert_int_equal(stats.sector_erases, 16);
        assert_int_equal(stats.pages, SIZE / 256);

        ram_flash_fill(chip, START, SIZE, 5);
        stats = written(data, SIZE - BLOCK, buffers[i]);
        assert_int_equal(stats.block_erases, 3);
        assert_int_equal(stats.sector_erases, 0);

        ram_flash_fill(chip, START, SIZE, 6);
        stats = written(data, 2 * BLOCK + 3 * SECTOR + 1, buffers[i]);
        assert_int_equal(stats.block_erases, 2);
        assert_int_equal(stats.sector_erases, 4);

        ram_flash_fill(chip, START, SIZE, 7);
        stats = written(data, BLOCK - 1, buffers[i]);
        assert_int_equal(stats.block_erases, 0);
        assert_int_equal(stats.sector_erases, 16);

        ram_flash_fill(chip, START, SIZE, 8);
        stats = written(data, 1, buffers[i]);
        assert_int_equal(stats.sector_erases, 1);
    }
}

/* A region that does not begin at a block: sectors up to the block, blocks, sectors. */
static void test_block_alignment(void **state)
{
    struct ota_writer_stats stats;

    (void)state;
    region = ram_flash_region(chip, START + 3 * SECTOR, SIZE - 3 * SECTOR);
    ram_flash_fill(chip, START, SIZE, 5);
    struct ota_writer writer;
    begin(&writer, SIZE - 4 * SECTOR, 256);
    write_all(&writer, data, SIZE - 4 * SECTOR);
    stats = writer.stats;
    assert_int_equal(stats.block_erases, 2);
    assert_int_equal(stats.sector_erases, 13 + 15);
    assert_memory_equal(chip->memory + region.offset, data, SIZE - 4 * SECTOR);
}

/* What lies behind the stream's last sector is not erased. */
static void test_tail_is_left_alone(void **state)
{
    static const uint32_t buffers[] = {256, SECTOR};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        uint8_t before[4 * SECTOR];
        ram_flash_fill(chip, START, SIZE, 5 + i);
        memcpy(before, chip->memory + START + BLOCK + SECTOR, sizeof before);
        (void)written(data, BLOCK + 100, buffers[i]);
        assert_memory_equal(chip->memory + START + BLOCK + SECTOR, before, sizeof before);
    }
}

/* Where the end is not known, no sector is erased before its first byte has come. */
static void test_unknown_length(void **state)
{
    struct ota_writer writer;

    (void)state;
    ram_flash_fill(chip, START, SIZE, 5);
    begin(&writer, OTA_SIZE_UNKNOWN, 256);
    for (uint32_t n = 1; n <= 5; n++) {
        assert_int_equal(ota_writer_write(&writer, data + (n - 1) * SECTOR, SECTOR), OTA_OK);
        assert_int_equal(writer.stats.block_erases, 0);
        assert_int_equal(writer.stats.sector_erases, n);
    }
    assert_int_equal(ota_writer_finish(&writer), OTA_OK);
}

/* Blank flash is not erased again, in blocks or in sectors. */
static void test_blank_flash(void **state)
{
    struct ota_writer_stats stats = written(data, SIZE, 256);

    (void)state;
    assert_int_equal(stats.block_erases + stats.sector_erases, 0);
    assert_int_equal(stats.sectors_blank, SECTORS);
    ram_flash_blank(chip);
    stats = written(data, SIZE, SECTOR);
    assert_int_equal(stats.block_erases + stats.sector_erases, 0);
    assert_int_equal(stats.sectors_blank, SECTORS);
}

/* A chip that has sectors only. */
static void test_no_blocks(void **state)
{
    struct ram_flash *flash = ram_flash_new(16 * SECTOR, SECTOR, 0, 1);
    struct ota_region r = ram_flash_region(flash, 0, 16 * SECTOR);
    struct ota_writer writer;

    (void)state;
    ram_flash_fill(flash, 0, 16 * SECTOR, 5);
    assert_int_equal(ota_writer_begin(&writer, &r, 0, r.size, buffer, 256), OTA_OK);
    write_all(&writer, data, r.size);
    assert_memory_equal(flash->memory, data, r.size);
    assert_int_equal(writer.stats.sector_erases, 16);
    assert_int_equal(writer.stats.block_erases, 0);
    ram_flash_free(flash);
}

/* A block of which a part is blank is erased whole; blank sectors among others are not. */
static void test_partly_blank_flash(void **state)
{
    struct ota_writer_stats stats;

    (void)state;
    ram_flash_fill(chip, START, SIZE, 5);
    memset(chip->memory + START + 5 * SECTOR, 0xFF, SECTOR);
    memset(chip->memory + START + SIZE - 3 * SECTOR, 0xFF, 2 * SECTOR);
    stats = written(data, SIZE, 256);
    assert_int_equal(stats.block_erases, 3);
    assert_int_equal(stats.sector_erases, 14);
    assert_int_equal(stats.sectors_blank, 2);
}

/* Healing erases what reads blank, in the largest units, and nothing else. */
static void test_heal(void **state)
{
    struct ota_writer writer;

    (void)state;
    ram_flash_fill(chip, START, SIZE, 5);
    memset(chip->memory + START + BLOCK, 0xFF, BLOCK);
    memset(chip->memory + START + 3 * SECTOR, 0xFF, SECTOR);
    memset(chip->memory + START + SIZE - SECTOR, 0xFF, SECTOR);
    begin(&writer, SIZE, 256);
    assert_int_equal(ota_writer_heal(&writer, 0, SIZE), OTA_OK);
    assert_int_equal(writer.stats.block_erases, 1);
    assert_int_equal(writer.stats.sector_erases, 2);
    for (uint32_t sector = 0; sector < SECTORS; sector++) {
        bool blank = sector == 3 || (sector >= 16 && sector < 32) || sector == SECTORS - 1;
        assert_int_equal(chip->wear[START / SECTOR + sector], blank);
    }
    begin(&writer, SIZE, 256); /* only where it was asked for */
    assert_int_equal(ota_writer_heal(&writer, 4 * SECTOR, SIZE - SECTOR), OTA_OK);
    assert_int_equal(writer.stats.block_erases, 1);
    assert_int_equal(writer.stats.sector_erases, 0);
    assert_int_equal(ota_writer_heal(&writer, SECTOR, SECTOR), OTA_OK);
    write_all(&writer, data, SIZE);
    assert_memory_equal(chip->memory + START, data, SIZE);
}

/* All that will be needed is blank before the first byte, but for the region's last sector. */
static void test_erase_ahead(void **state)
{
    static const uint32_t lens[] = {SIZE, BLOCK + SECTOR + 1, SECTOR, 1, OTA_SIZE_UNKNOWN};
    static const uint32_t blocks[] = {3, 1, 0, 0, 3}, sectors[] = {15, 2, 1, 1, 15};

    (void)state;
    for (size_t i = 0; i < sizeof lens / sizeof *lens; i++) {
        struct ota_writer writer;
        uint32_t len = lens[i] == OTA_SIZE_UNKNOWN ? 3 * SECTOR : lens[i];
        ram_flash_fill(chip, START, SIZE, 5);
        begin(&writer, lens[i], 256);
        assert_int_equal(ota_writer_erase_ahead(&writer), OTA_OK);
        assert_int_equal(writer.stats.block_erases, blocks[i]);
        assert_int_equal(writer.stats.sector_erases, sectors[i]);
        assert_int_equal(ota_writer_erase_ahead(&writer), OTA_OK); /* nothing is left */
        write_all(&writer, data, len);
        assert_memory_equal(chip->memory + START, data, len);
        assert_int_equal(writer.stats.block_erases, blocks[i]);
        assert_int_equal(writer.stats.sector_erases, sectors[i] + (len == SIZE));
    }
}

static void erase_ahead_scenario(void *context)
{
    enum ota_err expected = *(const enum ota_err *)context;
    struct ota_writer writer;

    ram_flash_fill(chip, START, SIZE, 5);
    begin(&writer, BLOCK + 2 * SECTOR, 256);
    enum ota_err err = ota_writer_erase_ahead(&writer);
    assert_int_equal(err, faults_struck() ? expected : OTA_OK);
}

static void test_erase_ahead_errors(void **state)
{
    static const enum fault_kind kinds[] = {FAULT_READ, FAULT_ERASE};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        enum ota_err expected = faults_error(kinds[i]);
        assert_true(faults_everywhere(kinds[i], erase_ahead_scenario, &expected) >= 3);
    }
}

static void heal_scenario(void *context)
{
    enum ota_err expected = *(const enum ota_err *)context;
    struct ota_writer writer;

    ram_flash_fill(chip, START, SIZE, 5);
    memset(chip->memory + START + BLOCK - SECTOR, 0xFF, BLOCK + 2 * SECTOR);
    begin(&writer, SIZE, 256);
    enum ota_err err = ota_writer_heal(&writer, 0, SIZE);
    assert_int_equal(err, faults_struck() ? expected : OTA_OK);
}

static void test_heal_errors(void **state)
{
    static const enum fault_kind kinds[] = {FAULT_READ, FAULT_ERASE};
    static const unsigned places[] = {500, 3};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        enum ota_err expected = faults_error(kinds[i]);
        assert_true(faults_everywhere(kinds[i], heal_scenario, &expected) >= places[i]);
    }
}

/* Sectors that hold the right bytes are neither erased nor written, if the buffer holds a
   sector. */
static void test_same_sectors(void **state)
{
    struct ota_writer_stats stats;

    (void)state;
    memcpy(chip->memory + START, data, SIZE);
    uint64_t before = ram_flash_changes(chip);
    stats = written(data, SIZE, SECTOR);
    assert_int_equal(ram_flash_changes(chip), before);
    assert_int_equal(stats.sectors_same, SECTORS);
    assert_int_equal(stats.pages + stats.pages_blank, 0);

    /* One differs; that at a block's start is no reason to erase all of the block. */
    static const uint32_t sectors[] = {10, 16, SECTORS - 1};
    for (size_t i = 0; i < 3; i++) {
        uint32_t sector = sectors[i];
        chip->memory[START + sector * SECTOR + 77] ^= 1;
        stats = written(data, SIZE, SECTOR);
        assert_int_equal(stats.sectors_same, SECTORS - 1);
        assert_int_equal(stats.sector_erases, 1);
        assert_int_equal(stats.block_erases, 0);
        assert_int_equal(stats.pages, 16);
        assert_int_equal(chip->wear[START / SECTOR + sector], 1);
    }
}

/* The same last part of a sector: what lies behind it stays. */
static void test_same_tail(void **state)
{
    struct ota_writer_stats stats;

    (void)state;
    memcpy(chip->memory + START, data, SIZE);
    memset(chip->memory + START + SECTOR + 100, 0, SECTOR - 100);
    stats = written(data, SECTOR + 100, SECTOR);
    assert_int_equal(stats.sectors_same, 2);
    assert_int_equal(ram_flash_changes(chip), 0);
}

/* A page buffer cannot know in time: it erases. */
static void test_page_buffer_knows_no_same(void **state)
{
    struct ota_writer_stats stats;

    (void)state;
    memcpy(chip->memory + START, data, SIZE);
    stats = written(data, SIZE, SECTOR - 1);
    assert_int_equal(stats.sectors_same, 0);
    assert_int_equal(stats.block_erases, 3);
}

/* Blank data on blank flash: nothing to do, whichever way it is seen. */
static void test_blank_data_on_blank_flash(void **state)
{
    static const uint32_t buffers[] = {256, SECTOR};

    (void)state;
    memset(data, 0xFF, SIZE);
    for (size_t i = 0; i < 2; i++) {
        (void)written(data, SIZE, buffers[i]);
        assert_int_equal(ram_flash_changes(chip), 0);
    }
}

/* Limits. */

static void test_begin_arguments(void **state)
{
    struct ota_writer writer;
    struct ota_region odd = ram_flash_region(chip, START + 16, SIZE - SECTOR);
    struct ota_region ragged = ram_flash_region(chip, START, SIZE - 16);

    (void)state;
    assert_int_equal(ota_writer_begin(&writer, &region, 0, 1, NULL, SECTOR), OTA_ERR_ARGUMENT);
    assert_int_equal(ota_writer_begin(&writer, &region, 0, 1, buffer, 0), OTA_ERR_ARGUMENT);
    assert_int_equal(ota_writer_begin(&writer, &region, 1, 2, buffer, SECTOR), OTA_ERR_ALIGNMENT);
    assert_int_equal(ota_writer_begin(&writer, &odd, 0, 1, buffer, SECTOR), OTA_ERR_ALIGNMENT);
    assert_int_equal(ota_writer_begin(&writer, &ragged, 0, 1, buffer, SECTOR), OTA_ERR_ALIGNMENT);
    assert_int_equal(ota_writer_begin(&writer, &region, 0, SIZE + 1, buffer, SECTOR),
                     OTA_ERR_TOO_LARGE);
    assert_int_equal(ota_writer_begin(&writer, &region, SECTOR, SECTOR - 1, buffer, SECTOR),
                     OTA_ERR_TOO_LARGE);
    assert_int_equal(ota_writer_begin(&writer, &region, 0, SIZE, buffer, 1), OTA_OK);
    assert_int_equal(ota_writer_begin(&writer, &region, SECTOR, SECTOR, buffer, 1), OTA_OK);
    assert_int_equal(ram_flash_changes(chip), 0);
}

static void test_write_size_needs_buffer(void **state)
{
    struct ram_flash *flash = ram_flash_new(16 * SECTOR, SECTOR, 0, 256);
    struct ota_region r = ram_flash_region(flash, 0, 16 * SECTOR);
    struct ota_writer writer;

    (void)state;
    assert_int_equal(ota_writer_begin(&writer, &r, 0, 1, buffer, 255), OTA_ERR_ARGUMENT);
    assert_int_equal(ota_writer_begin(&writer, &r, 0, 1, buffer, 256), OTA_OK);
    ram_flash_free(flash);
}

/* What lies before the start stays. */
static void test_start(void **state)
{
    struct ota_writer writer;

    (void)state;
    ram_flash_fill(chip, START, SIZE, 5);
    assert_int_equal(
        ota_writer_begin(&writer, &region, 5 * SECTOR, 8 * SECTOR, buffer, sizeof buffer), OTA_OK);
    assert_int_equal(ota_writer_flushed(&writer), 5 * SECTOR);
    write_all(&writer, data, 3 * SECTOR);
    assert_int_equal(ota_writer_flushed(&writer), 8 * SECTOR);
    assert_memory_equal(chip->memory + START + 5 * SECTOR, data, 3 * SECTOR);
    for (uint32_t i = 0; i < SIZE; i++) {
        if (i < 5 * SECTOR || i >= 8 * SECTOR) {
            assert_int_equal(chip->memory[START + i], (uint8_t)noise(5, i));
        }
    }
}

/* The first byte too many is refused, those before it are taken, and nothing more comes through. */
static void test_too_large(void **state)
{
    static const uint32_t totals[] = {1000, SIZE, OTA_SIZE_UNKNOWN};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        uint32_t limit = totals[i] < SIZE ? totals[i] : SIZE;
        struct ota_writer writer;

        ram_flash_fill(chip, START, SIZE, i);
        begin(&writer, totals[i], 256);
        assert_int_equal(ota_writer_write(&writer, data, limit), OTA_OK);
        assert_int_equal(ota_writer_write(&writer, data, 0), OTA_OK);
        assert_int_equal(ota_writer_write(&writer, data, 1), OTA_ERR_TOO_LARGE);
        assert_int_equal(writer.failure.err, OTA_ERR_TOO_LARGE);
        assert_int_equal(writer.failure.offset, limit);
        uint64_t changes = ram_flash_changes(chip);
        assert_int_equal(ota_writer_write(&writer, data, 0), OTA_ERR_TOO_LARGE);
        assert_int_equal(ota_writer_finish(&writer), OTA_ERR_TOO_LARGE);
        assert_int_equal(ram_flash_changes(chip), changes);

        begin(&writer, totals[i], 256);
        assert_int_equal(ota_writer_write(&writer, data, limit + 1), OTA_ERR_TOO_LARGE);
        assert_int_equal(writer.failure.offset, limit);
        assert_memory_equal(chip->memory + START, data, limit / 256 * 256);
    }
}

/* A length beyond 32 bits is too many, and no less. */
static void test_huge_length(void **state)
{
    struct ota_writer writer;

    (void)state;
#if SIZE_MAX > UINT32_MAX
    begin(&writer, OTA_SIZE_UNKNOWN, 256);
    assert_int_equal(ota_writer_write(&writer, data, SIZE), OTA_OK);
    assert_int_equal(ota_writer_write(&writer, data, (size_t)UINT32_MAX + 1), OTA_ERR_TOO_LARGE);
#else
    (void)writer;
    skip();
#endif
}

/* The end need not be reached; after it nothing more is taken. */
static void test_finish_early(void **state)
{
    struct ota_writer writer;

    (void)state;
    begin(&writer, SIZE, 256);
    assert_int_equal(ota_writer_write(&writer, data, 10), OTA_OK);
    assert_int_equal(ota_writer_flushed(&writer), 0);
    assert_int_equal(ota_writer_finish(&writer), OTA_OK);
    assert_memory_equal(chip->memory + START, data, 10);
    assert_int_equal(chip->memory[START + 10], 0xFF);
    assert_int_not_equal(ota_writer_write(&writer, data, 1), OTA_OK);
}

/* The sink in front is the writer. */
static void test_sink(void **state)
{
    struct ota_writer writer;

    (void)state;
    begin(&writer, 300, 256);
    assert_int_equal(writer.sink.write(&writer.sink, data, 300), OTA_OK);
    assert_int_equal(writer.sink.finish(&writer.sink), OTA_OK);
    assert_memory_equal(chip->memory + START, data, 300);
    writer.sink.abort(&writer.sink);
    writer.sink.abort(&writer.sink);
}

/* Failures of the flash. */

struct fault_case {
    enum fault_kind kind;
    uint32_t buffer_size;
};

static void fault_scenario(void *context)
{
    const struct fault_case *c = context;
    uint32_t len = BLOCK + 2 * SECTOR + 700;
    struct ota_writer writer;
    enum ota_err err = OTA_OK;

    ram_flash_fill(chip, START, SIZE, 5);
    begin(&writer, len, c->buffer_size);
    for (uint32_t done = 0; done < len && err == OTA_OK; done += 100) {
        err = ota_writer_write(&writer, data + done, len - done < 100 ? len - done : 100);
    }
    if (err == OTA_OK) {
        err = ota_writer_finish(&writer);
    }
    if (!faults_struck()) {
        assert_int_equal(err, OTA_OK);
        return;
    }
    uint64_t changes = ram_flash_changes(chip);
    assert_int_equal(err, faults_error(c->kind));
    assert_int_equal(writer.failure.err, err);
    assert_true(writer.failure.offset <= len);
    assert_true(ota_writer_flushed(&writer) <= writer.failure.offset);
    assert_memory_equal(chip->memory + START, data, ota_writer_flushed(&writer));
    /* The first cause stays, and nothing more is done. */
    assert_int_equal(ota_writer_write(&writer, data, 1), err);
    assert_int_equal(ota_writer_finish(&writer), err);
    assert_int_equal(ram_flash_changes(chip), changes);
}

static void test_flash_errors(void **state)
{
    static const enum fault_kind kinds[] = {FAULT_READ, FAULT_WRITE, FAULT_ERASE, FAULT_VERIFY};
    static const unsigned least[] = {280, 200, 4, 200};

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        struct fault_case c = {kinds[i], 256};
        assert_true(faults_everywhere(kinds[i], fault_scenario, &c) >= least[i]);
        c.buffer_size = SECTOR;
        assert_true(faults_everywhere(kinds[i], fault_scenario, &c) >= least[i]);
    }
}

/* An erase that does nothing is noticed on pages that are not programmed, too. */
static void test_idle_erase(void **state)
{
    static const uint32_t buffer_sizes[] = {256, SECTOR};
    struct ota_writer writer;

    (void)state;
    memset(data, 0xFF, 2 * SECTOR);
    for (size_t i = 0; i < 2; i++) {
        ram_flash_fill(chip, START, SIZE, 5);
        begin(&writer, 2 * SECTOR, buffer_sizes[i]);
        faults_set(FAULT_IDLE, 2);
        assert_int_equal(ota_writer_write(&writer, data, 2 * SECTOR), OTA_ERR_FLASH_VERIFY);
        assert_true(faults_struck());
        assert_int_equal(writer.failure.offset, SECTOR);
    }
}

int main(void)
{
#define WITH_CHIP(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_splits, set_up, tear_down),
        WITH_CHIP(test_blank_stretches),
        WITH_CHIP(test_blocks),
        WITH_CHIP(test_block_alignment),
        WITH_CHIP(test_tail_is_left_alone),
        WITH_CHIP(test_unknown_length),
        WITH_CHIP(test_blank_flash),
        WITH_CHIP(test_no_blocks),
        WITH_CHIP(test_partly_blank_flash),
        WITH_CHIP(test_heal),
        WITH_CHIP(test_heal_errors),
        WITH_CHIP(test_erase_ahead),
        WITH_CHIP(test_erase_ahead_errors),
        WITH_CHIP(test_same_sectors),
        WITH_CHIP(test_same_tail),
        WITH_CHIP(test_page_buffer_knows_no_same),
        WITH_CHIP(test_blank_data_on_blank_flash),
        WITH_CHIP(test_begin_arguments),
        WITH_CHIP(test_write_size_needs_buffer),
        WITH_CHIP(test_start),
        WITH_CHIP(test_too_large),
        WITH_CHIP(test_huge_length),
        WITH_CHIP(test_finish_early),
        WITH_CHIP(test_sink),
        WITH_CHIP(test_flash_errors),
        WITH_CHIP(test_idle_erase),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
