/* SPDX-License-Identifier: Apache-2.0 */
/* The gate of the update: when it is asked, and that nothing on the flash has changed before. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "transfer.h"

#define LEN 70000u
#define DESCRIBED 216u /* bytes until the meaningful part of a descriptor is there */

static uint8_t before[CHIP_SIZE];

/* The question, as it was last asked, and what is answered. */
static struct {
    enum ota_err answer;
    unsigned count;
    uint64_t changes; /* to the flash at that time */
    uint32_t received;
    bool is_described;
    struct ota_app_descriptor incoming;
} asked;

static enum ota_err may_write(void *context, const struct ota_update *asking)
{
    assert_ptr_equal(context, &fixture);
    assert_ptr_equal(asking, &update);
    asked.count++;
    asked.changes = ram_flash_changes(fixture.chip);
    asked.received = asking->received;
    asked.is_described = ota_image_app_descriptor(&asking->check.image, &asked.incoming);
    return asked.answer;
}

static int set_up(void **state)
{
    (void)state;
    transfer_open(LEN, "2.0.0");
    memset(&asked, 0, sizeof asked);
    options.etag = "\"v2\"";
    options.may_write = may_write;
    options.context = &fixture;
    /* The slot's old image is what boots next: what a refused update must leave as it is. */
    fixture_put_image(&fixture, 1, 9, 0);
    assert_int_equal(ota_slot_set_boot(&fixture.device, 1), OTA_OK);
    return 0;
}

static void begin(void)
{
    asked.count = 0;
    memcpy(before, fixture.chip->memory, sizeof before);
    assert_int_equal(ota_update_begin(&update, &options), OTA_OK);
}

static void is_unchanged(void)
{
    assert_memory_equal(fixture.chip->memory, before, sizeof before);
}

/* An interrupted transfer, of which `written` bytes came. */
static void interrupt(uint32_t written)
{
    assert_int_equal(ota_update_begin(&update, &options), OTA_OK);
    assert_int_equal(ota_update_write(&update, image, written), OTA_OK);
    ota_update_suspend(&update);
    asked.count = 0;
}

/* However the bytes come, the question comes with the byte that ends the description. */
static void test_asked_when_the_image_is_described(void **state)
{
    (void)state;
    for (uint32_t first = 1; first <= 300; first++) {
        uint64_t changes = ram_flash_changes(fixture.chip);
        options.buffer_size = first % 2 == 0 ? 256 : SECTOR;
        begin();
        assert_int_equal(ota_update_write(&update, image, first), OTA_OK);
        assert_int_equal(asked.count, first >= DESCRIBED ? 1 : 0);
        if (first < DESCRIBED) {
            is_unchanged();
        }
        assert_int_equal(ota_update_write(&update, image + first, len - first), OTA_OK);
        assert_int_equal(asked.count, 1);
        assert_int_equal(asked.changes, changes);
        assert_true(asked.is_described);
        assert_string_equal(asked.incoming.version, "2.0.0");
        assert_int_equal(ota_update_end(&update), OTA_OK);
        assert_memory_equal(fixture.chip->memory + OTA_1, image, len);
        assert_int_equal(ota_update_activate(&update), OTA_OK);
    }
}

static void test_asked_byte_by_byte(void **state)
{
    (void)state;
    begin();
    for (uint32_t i = 0; i < len; i++) {
        assert_int_equal(ota_update_write(&update, image + i, 1), OTA_OK);
        assert_int_equal(asked.count, i + 1 >= DESCRIBED ? 1 : 0);
    }
    assert_int_equal(ota_update_end(&update), OTA_OK);
    assert_memory_equal(fixture.chip->memory + OTA_1, image, len);
}

static void test_refused(void **state)
{
    (void)state;
    for (uint32_t piece = 1; piece <= len; piece = piece * 3 + 1) {
        enum ota_err err = OTA_OK;
        asked.answer = OTA_ERR_OLDER_VERSION;
        options.buffer_size = piece % 2 == 0 ? 256 : SECTOR;
        begin();
        for (uint32_t at = 0; err == OTA_OK; at += piece) {
            err = ota_update_write(&update, image + at, piece);
        }
        assert_int_equal(err, OTA_ERR_OLDER_VERSION);
        assert_int_equal(update.state, OTA_UPDATE_FAILED);
        assert_int_equal(update.failure.err, OTA_ERR_OLDER_VERSION);
        assert_int_equal(update.failure.offset, 0);
        assert_int_equal(ota_update_write(&update, image, 1), OTA_ERR_OLDER_VERSION);
        assert_int_equal(ota_update_end(&update), OTA_ERR_OLDER_VERSION);
        assert_int_equal(asked.count, 1);
        is_unchanged();
        ota_update_abort(&update);
        is_unchanged();
    }
}

/* A begin that comes to nothing before an image said what it is: as if it had not been. */
static void test_nothing_comes_of_it(void **state)
{
    static const uint8_t wrong[300] = {0x7F, 'E', 'L', 'F'};
    uint8_t other_chip[DESCRIBED];

    (void)state;
    begin();
    ota_update_abort(&update);
    is_unchanged();
    begin();
    assert_int_equal(ota_update_write(&update, image, DESCRIBED - 1), OTA_OK);
    ota_update_abort(&update);
    is_unchanged();
    begin();
    assert_int_equal(ota_update_write(&update, image, DESCRIBED - 1), OTA_OK);
    ota_update_suspend(&update);
    is_unchanged();
    begin();
    assert_int_equal(ota_update_write(&update, image, DESCRIBED - 1), OTA_OK);
    assert_int_equal(ota_update_end(&update), OTA_ERR_INCOMPLETE);
    is_unchanged();
    begin();
    assert_int_equal(ota_update_write(&update, wrong, sizeof wrong), OTA_ERR_IMAGE_MAGIC);
    is_unchanged();
    memcpy(other_chip, image, sizeof other_chip);
    other_chip[12] ^= 0xFF;
    begin();
    assert_int_equal(ota_update_write(&update, other_chip, sizeof other_chip), OTA_ERR_IMAGE_CHIP);
    is_unchanged();
    assert_int_equal(asked.count, 0);
}

/* What an interrupted transfer left is not lost to another one that is refused. */
static void test_refused_with_a_journal(void **state)
{
    uint32_t offset = 0;

    (void)state;
    interrupt(50000);
    options.etag = "\"v3\"";
    asked.answer = OTA_ERR_HELD;
    memcpy(before, fixture.chip->memory, sizeof before);
    assert_int_equal(ota_update_resume(&update, &options, &offset), OTA_OK);
    assert_int_equal(offset, 0);
    assert_int_equal(ota_update_write(&update, image, len), OTA_ERR_HELD);
    assert_memory_equal(fixture.chip->memory, before, sizeof before);
    options.etag = "\"v2\"";
    asked.answer = OTA_OK;
    assert_int_equal(ota_update_resume(&update, &options, &offset), OTA_OK);
    assert_int_equal(offset, 50000 / SECTOR * SECTOR);
}

/* Power was lost before an update had its first checkpoint. Another begins, and is suspended before
   it has changed anything: the journal that lies there is not its own. */
static void test_suspended_over_a_young_journal(void **state)
{
    (void)state;
    assert_int_equal(ota_update_begin(&update, &options), OTA_OK);
    assert_int_equal(ota_update_write(&update, image, 5000), OTA_OK);
    ota_image_check_abort(&update.check);
    memset(&update, 0, sizeof update);
    options.etag = "\"v3\"";
    begin();
    assert_int_equal(ota_update_write(&update, image, 100), OTA_OK);
    ota_update_suspend(&update);
    is_unchanged();
}

/* A resumed update knows at once what the image says. */
static void test_resumed(void **state)
{
    uint32_t offset = 1;

    (void)state;
    interrupt(50000);
    memcpy(before, fixture.chip->memory, sizeof before);
    asked.answer = OTA_ERR_REFUSED;
    assert_int_equal(ota_update_resume(&update, &options, &offset), OTA_ERR_REFUSED);
    assert_int_equal(offset, 0);
    assert_int_equal(asked.count, 1);
    assert_true(asked.is_described);
    assert_int_equal(asked.received, 50000 / SECTOR * SECTOR);
    assert_memory_equal(fixture.chip->memory, before, sizeof before);

    uint64_t changes = ram_flash_changes(fixture.chip);
    asked.answer = OTA_OK;
    assert_int_equal(ota_update_resume(&update, &options, &offset), OTA_OK);
    assert_int_equal(asked.count, 2);
    assert_int_equal(asked.changes, changes);
    assert_int_equal(ota_update_write(&update, image + offset, len - offset), OTA_OK);
    assert_int_equal(ota_update_end(&update), OTA_OK);
    assert_int_equal(asked.count, 2);
    assert_memory_equal(fixture.chip->memory + OTA_1, image, len);
}

/* Where an image says nothing of itself, the question comes with its header, or the first byte. */
static void test_nothing_to_be_said(void **state)
{
    static const uint8_t no_segments[24] = {0xE9, 0};
    static const uint32_t headers[] = {1, 8, sizeof no_segments};

    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        uint32_t bytes = headers[i];
        options.label = i == 0 ? "storage" : NULL;
        options.size = 5000;
        fixture.device.form = i == 1 ? OTA_IMAGE_ESP8266 : OTA_IMAGE_ESP32;
        uint64_t changes = ram_flash_changes(fixture.chip);
        asked.answer = OTA_ERR_REFUSED;
        begin();
        assert_int_equal(ota_update_write(&update, no_segments, bytes), OTA_ERR_REFUSED);
        assert_false(asked.is_described);
        asked.answer = OTA_OK;
        begin();
        assert_int_equal(ota_update_write(&update, no_segments, bytes - 1), OTA_OK);
        assert_int_equal(asked.count, 0);
        is_unchanged();
        assert_int_equal(ota_update_write(&update, no_segments + bytes - 1, 1), OTA_OK);
        assert_int_equal(asked.count, 1);
        assert_int_equal(asked.changes, changes);
        assert_int_not_equal(ram_flash_changes(fixture.chip), changes);
        ota_update_abort(&update);
    }
}

/* Short segments, which hold no descriptor. */
static void test_no_room_for_a_description(void **state)
{
    static const uint8_t bytes[] = {0xE9, 2, 0, 0, 0, 0, 0, 0x40, 0, 0, 0, 0x40, 4, 0, 0, 0, 1,
                                    2,    3, 4, 0, 0, 0, 0, 0x40, 4, 0, 0, 0,    5, 6, 7, 8};
    enum {
        FIRST_ENDS = 20
    };

    (void)state;
    fixture.device.form = OTA_IMAGE_ESP8266_RTOS;
    options.size = 5000;
    begin();
    assert_int_equal(ota_update_write(&update, bytes, FIRST_ENDS - 1), OTA_OK);
    assert_int_equal(asked.count, 0);
    is_unchanged();
    assert_int_equal(ota_update_write(&update, bytes + FIRST_ENDS - 1, 1), OTA_OK);
    assert_int_equal(asked.count, 1);
    assert_false(asked.is_described);
    assert_int_equal(ota_update_write(&update, bytes + FIRST_ENDS, sizeof bytes - FIRST_ENDS),
                     OTA_OK);
    assert_int_equal(asked.count, 1);
}

/* A buffer too small to hold the description: it is asked all the same, and once. */
static void test_small_buffers(void **state)
{
    (void)state;
    for (uint32_t size = 1; size < 256; size *= 2) {
        options.buffer_size = size;
        asked.answer = OTA_ERR_PROJECT;
        begin();
        assert_int_equal(ota_update_write(&update, image, 1), OTA_OK);
        assert_int_equal(ota_update_write(&update, image + 1, len - 1), OTA_ERR_PROJECT);
        assert_int_equal(asked.count, 1);
        assert_true(asked.is_described);
        asked.answer = OTA_OK;
        begin();
        for (uint32_t at = 0; at < len; at += size) {
            uint32_t n = len - at < size ? len - at : size;
            assert_int_equal(ota_update_write(&update, image + at, n), OTA_OK);
        }
        assert_int_equal(asked.count, 1);
        assert_int_equal(ota_update_end(&update), OTA_OK);
        assert_memory_equal(fixture.chip->memory + OTA_1, image, len);
    }
}

/* A fault of the flash at the first change: the update fails with that, whatever the gate said. */
static void test_the_flash_fails_behind_the_gate(void **state)
{
    (void)state;
    begin();
    faults_set(FAULT_ERASE, 1);
    assert_int_equal(ota_update_write(&update, image, DESCRIBED), OTA_ERR_FLASH_ERASE);
    assert_true(faults_struck());
    assert_int_equal(asked.count, 1);
    faults_clear();
}

int main(void)
{
#define WITH_DEVICE(test) cmocka_unit_test_setup_teardown(test, set_up, transfer_close)
    const struct CMUnitTest tests[] = {
        WITH_DEVICE(test_asked_when_the_image_is_described),
        WITH_DEVICE(test_asked_byte_by_byte),
        WITH_DEVICE(test_refused),
        WITH_DEVICE(test_nothing_comes_of_it),
        WITH_DEVICE(test_refused_with_a_journal),
        WITH_DEVICE(test_suspended_over_a_young_journal),
        WITH_DEVICE(test_resumed),
        WITH_DEVICE(test_nothing_to_be_said),
        WITH_DEVICE(test_no_room_for_a_description),
        WITH_DEVICE(test_small_buffers),
        WITH_DEVICE(test_the_flash_fails_behind_the_gate),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
