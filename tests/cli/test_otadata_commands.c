/* SPDX-License-Identifier: Apache-2.0 */
/* `updraft otadata show|set|erase` on files of their own and inside chips' images
   (docs/formats/otadata.md sections 1, 2, 4 and 6). */

#include "cli/run_command.h"
#include "support/scratch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cjson/cJSON.h>

/* What an entry must be, byte for byte. */
struct expected_entry {
    uint8_t sequence[4];
    uint8_t state[4];
    uint8_t crc[4];
};

static const struct expected_entry seq_1 = {
    {1, 0, 0, 0}, {0xff, 0xff, 0xff, 0xff}, {0x9a, 0x98, 0x43, 0x47}};
static const struct expected_entry seq_2_new = {
    {2, 0, 0, 0}, {0, 0, 0, 0}, {0x74, 0x37, 0xf6, 0x55}};
static const struct expected_entry seq_3_valid = {
    {3, 0, 0, 0}, {2, 0, 0, 0}, {0x11, 0x50, 0x4a, 0xed}};

/* Compares one sector of otadata; NULL expects a blank one. */
static void expect_sector(const uint8_t *sector, const struct expected_entry *entry)
{
    uint8_t expected[0x1000];
    memset(expected, 0xFF, sizeof expected);
    if (entry) {
        memcpy(expected, entry->sequence, 4);
        memcpy(expected + 24, entry->state, 4);
        memcpy(expected + 28, entry->crc, 4);
    }
    assert_memory_equal(sector, expected, sizeof expected);
}

static void expect_otadata(const char *path, size_t offset, const struct expected_entry *entry_0,
                           const struct expected_entry *entry_1)
{
    size_t size;
    uint8_t *data = run_read_file(path, &size);
    assert_true(size >= offset + 0x2000);
    expect_sector(data + offset, entry_0);
    expect_sector(data + offset + 0x1000, entry_1);
    free(data);
}

static void set_in_a_file_of_its_own(void **state)
{
    (void)state;
    run_expect(0, "otadata set od.bin --slot 0");
    expect_otadata("od.bin", 0, &seq_1, NULL);
    run_expect(0, "otadata set od.bin --slot ota_1 --state new");
    expect_otadata("od.bin", 0, &seq_1, &seq_2_new);
    run_expect(0, "otadata set od.bin --slot 0 --state valid");
    expect_otadata("od.bin", 0, &seq_3_valid, &seq_2_new);
    /* The slot is chosen already: same entry, same number, another state. */
    run_expect(0, "otadata set od.bin --slot 0 --state undefined");
    size_t size;
    uint8_t *data = run_read_file("od.bin", &size);
    assert_int_equal(size, 0x2000);
    assert_int_equal(data[0], 3);
    assert_int_equal(data[24], 0xFF);
    free(data);
    run_expect(0, "otadata erase od.bin");
    expect_otadata("od.bin", 0, NULL, NULL);
    assert_int_equal(remove("od.bin"), 0);
    run_expect(0, "otadata erase od.bin");
    expect_otadata("od.bin", 0, NULL, NULL);
}

/* Sequence numbers by slot count, docs/formats/otadata.md section 6. */
static void sequence_numbers(void **state)
{
    (void)state;
    static const struct {
        const char *first, *second;
        unsigned expected;
    } cases[] = {
        {"otadata set s.bin --slot 1 --slots 3 --state valid",
         "otadata set s.bin --slot 0 --slots 3", 4},
        {"otadata set s.bin --slot 2 --slots 4", NULL, 3},
        {"otadata set s.bin --slot 15 --slots 16", "otadata set s.bin --slot 3 --slots 16", 20},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        remove("s.bin");
        run_expect(0, cases[i].first);
        if (cases[i].second) {
            run_expect(0, cases[i].second);
        }
        size_t size;
        uint8_t *data = run_read_file("s.bin", &size);
        assert_int_equal(data[cases[i].second ? 0x1000 : 0], cases[i].expected);
        free(data);
    }
}

static void shown(void **state)
{
    (void)state;
    remove("od.bin");
    run_expect_text(run_expect(0, "otadata erase od.bin")->out, "factory app, or ota_0");
    run_expect_text(run_expect(0, "otadata show od.bin")->out, "no entry counts");
    run_expect(0, "otadata set od.bin --slot 0");
    run_expect(0, "otadata set od.bin --slot 1 --state pending-verify");
    const struct run_result *result = run_expect(0, "otadata show od.bin");
    run_expect_text(result->out, "0x4743989a ok");
    run_expect_text(result->out, "pending-verify");
    run_expect_text(result->out, "ota_1, this entry counts");
    run_expect_text(result->out, "boots ota_1, one of 2 slots");
    /* Of three slots the same numbers stand for the same slots; of one, both for ota_0. */
    run_expect_text(run_expect(0, "otadata show od.bin --slots 1")->out, "boots ota_0");

    size_t size;
    uint8_t *data = run_read_file("od.bin", &size);
    data[0x1000 + 28] ^= 1; /* the CRC of entry 1 */
    run_write_file("od.bin", data, size);
    free(data);
    result = run_expect(0, "otadata show od.bin");
    run_expect_text(result->out, "0x55f63775 bad");
    run_expect_text(result->out, "ota_1, not valid");
    run_expect_text(result->out, "boots ota_0");

    cJSON *json = cJSON_Parse(run_expect(0, "otadata show od.bin --json")->out);
    assert_int_equal(cJSON_GetObjectItem(json, "active")->valueint, 0);
    const cJSON *entry = cJSON_GetArrayItem(cJSON_GetObjectItem(json, "entries"), 1);
    assert_true(cJSON_IsFalse(cJSON_GetObjectItem(entry, "crc_ok")));
    assert_true(cJSON_IsFalse(cJSON_GetObjectItem(entry, "valid")));
    assert_int_equal(cJSON_GetObjectItem(entry, "sequence")->valueint, 2);
    assert_string_equal(cJSON_GetObjectItem(entry, "state_name")->valuestring, "pending-verify");
    cJSON_Delete(json);
}

static void inside_a_chip(void **state)
{
    (void)state;
    run_expect(0, "flash make --chip esp32 -p two_ota --flash-size 4MB --pad -o chip.bin");
    run_expect_text(run_expect(0, "otadata show chip.bin")->out, "no entry counts: boots factory");
    run_expect(0, "otadata set chip.bin --slot 0");
    expect_otadata("chip.bin", 0xD000, &seq_1, NULL);
    run_expect(0, "otadata set chip.bin --slot 1 --state new");
    expect_otadata("chip.bin", 0xD000, &seq_1, &seq_2_new);
    run_expect_text(run_expect(0, "otadata show chip.bin")->out, "otadata at 0xd000");
    run_expect_failure("otadata set chip.bin --slot 2",
                       "there is no ota_2: the partition table has 2 slots");
    run_expect_text(run_expect(0, "otadata erase chip.bin")->out, "boots factory");
    expect_otadata("chip.bin", 0xD000, NULL, NULL);

    /* By a table that is not in the image. */
    run_expect(0, "flash make --chip esp32 -p two_ota_large --flash-size 4MB --pad -o other.bin");
    run_expect(0, "otadata set other.bin --partitions default_4MB --slot 0");
    expect_otadata("other.bin", 0xE000, &seq_1, NULL);

    run_expect(0, "flash make --chip esp32 -p singleapp -o single.bin");
    run_expect_failure("otadata show single.bin", "has no otadata partition");
    run_expect(0, "flash make --chip esp32 -p two_ota -o short.bin");
    run_expect_failure("otadata set short.bin --slot 0", "ends before otadata");
}

/* What Arduino tools flash beside every sketch. Entry 1 has number 0 and is all 0xFF else, which is
   that number's CRC: written, but lower. */
static void arduino(void **state)
{
    (void)state;
    char line[600];
    snprintf(line, sizeof line, "otadata show %s", run_vector("arduino/esp32/boot_app0.bin"));
    const struct run_result *result = run_expect(0, line);
    run_expect_text(result->out, "0x4743989a ok");
    run_expect_text(result->out, "0xffffffff");
    run_expect_text(result->out, "boots ota_0, one of 2 slots");
}

static void refused(void **state)
{
    (void)state;
    run_write_file("odd.bin", "x", 1);
    run_expect_failure("otadata show odd.bin", "neither an otadata partition (8,192 bytes) nor");
    run_expect_failure("otadata show missing.bin", "there is no such file");
    run_expect_failure("otadata show odd.bin --flash", "there is no partition table at 0x8000");
    remove("od.bin");
    run_expect_failure("otadata set od.bin --slot 2", "--slots says how many");
    assert_int_equal(access("od.bin", F_OK), -1);
    run_expect(2, "otadata set od.bin");
    run_expect(2, "otadata set od.bin --slot 16");
    run_expect(2, "otadata set od.bin --slot factory");
    run_expect(2, "otadata set od.bin --slot 1 --state fine");
    run_expect(2, "otadata set - --slot 1");
    run_expect(2, "otadata erase -");
    run_expect(2, "otadata show od.bin --slots 17");

    uint8_t entry[0x2000];
    memset(entry, 0xFF, sizeof entry);
    entry[0] = 0xFE;
    run_write_file("od.bin", entry, sizeof entry);
    run_expect_text(run_expect(0, "otadata show od.bin")->out, "4294967294");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(set_in_a_file_of_its_own),
        cmocka_unit_test(sequence_numbers),
        cmocka_unit_test(shown),
        cmocka_unit_test(inside_a_chip),
        cmocka_unit_test(refused),
        cmocka_unit_test(arduino),
    };
    return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}
