/* SPDX-License-Identifier: Apache-2.0 */
/* What an update tells, and an update that fetches its bytes itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "transfer.h"

#define LEN 70000u
#define NONE 0xFFFFFFFFu

static int set_up(void **state)
{
    (void)state;
    transfer_open(LEN, "2.0.0");
    return 0;
}

/* Events. */

struct event_log {
    unsigned counts[5];
    enum ota_update_event last;
    uint32_t done, total;
    bool ordered;
};

static void record(void *context, const struct ota_update *u, enum ota_update_event event,
                   uint32_t done, uint32_t total)
{
    struct event_log *log = context;

    assert_ptr_equal(u, &update);
    log->ordered = log->ordered && done >= (event == OTA_EVENT_START ? 0 : log->done);
    log->counts[event]++;
    log->last = event;
    log->done = done;
    log->total = total;
}

static void test_events(void **state)
{
    struct event_log log = {.ordered = true};

    (void)state;
    options.on_event = record;
    options.context = &log;
    transfer_begin();
    assert_int_equal(log.last, OTA_EVENT_START);
    assert_int_equal(log.done, 0);
    assert_int_equal(log.total, len);
    assert_int_equal(ota_update_write(&update, image, 1000), OTA_OK);
    assert_int_equal(log.last, OTA_EVENT_PROGRESS);
    assert_int_equal(log.done, 1000);
    assert_int_equal(ota_update_write(&update, image + 1000, len - 1000), OTA_OK);
    assert_int_equal(ota_update_end(&update), OTA_OK);
    assert_int_equal(log.last, OTA_EVENT_PROVEN);
    assert_int_equal(log.done, len);
    assert_int_equal(ota_update_activate(&update), OTA_OK);
    assert_int_equal(log.last, OTA_EVENT_ACTIVATED);
    assert_int_equal(log.counts[OTA_EVENT_START], 1);
    assert_int_equal(log.counts[OTA_EVENT_PROGRESS], 2);
    assert_int_equal(log.counts[OTA_EVENT_PROVEN], 1);
    assert_int_equal(log.counts[OTA_EVENT_ACTIVATED], 1);
    assert_int_equal(log.counts[OTA_EVENT_ERROR], 0);
    assert_true(log.ordered);
}

static void test_error_event(void **state)
{
    struct event_log log = {.ordered = true};

    (void)state;
    options.on_event = record;
    options.context = &log;
    options.size = OTA_SIZE_UNKNOWN;
    transfer_begin();
    assert_int_equal(log.total, OTA_SIZE_UNKNOWN);
    assert_int_equal(ota_update_write(&update, "X", 1), OTA_ERR_IMAGE_MAGIC);
    assert_int_equal(ota_update_write(&update, "X", 1), OTA_ERR_IMAGE_MAGIC);
    assert_int_equal(ota_update_end(&update), OTA_ERR_IMAGE_MAGIC);
    assert_int_equal(log.counts[OTA_EVENT_ERROR], 1); /* once */
    assert_int_equal(log.counts[OTA_EVENT_PROGRESS], 0);
    options.label = "absent";
    assert_int_equal(ota_update_begin(&update, &options), OTA_ERR_NO_PARTITION);
    assert_int_equal(log.counts[OTA_EVENT_ERROR], 2);
    assert_int_equal(log.counts[OTA_EVENT_START], 1);
}

/* From a source. */

struct test_source {
    struct ota_source source; /* first: it gets itself back by a cast */
    uint32_t at;
    uint32_t end;
    uint32_t fails_at;
};

static enum ota_err source_read(struct ota_source *source, void *data, size_t capacity, size_t *n)
{
    struct test_source *self = (struct test_source *)source;

    if (self->at >= self->fails_at) {
        return OTA_ERR_SOURCE;
    }
    *n = capacity < self->end - self->at ? capacity : self->end - self->at;
    memcpy(data, image + self->at, *n);
    self->at += (uint32_t)*n;
    return OTA_OK;
}

static struct test_source some_source(void)
{
    struct test_source source = {
        .source = {.size = len, .read = source_read}, .end = len, .fails_at = NONE};

    return source;
}

static void test_from_source(void **state)
{
    uint8_t piece[777];
    struct test_source source = some_source();

    (void)state;
    transfer_begin();
    assert_int_equal(ota_update_from_source(&update, &source.source, piece, sizeof piece), OTA_OK);
    assert_int_equal(update.state, OTA_UPDATE_PROVEN);
    assert_memory_equal(fixture.chip->memory + OTA_1, image, len);

    source = some_source(); /* it ends too early */
    source.end = len - 1;
    transfer_begin();
    assert_int_equal(ota_update_from_source(&update, &source.source, piece, sizeof piece),
                     OTA_ERR_INCOMPLETE);

    source = some_source(); /* what it gives is wrong */
    image[0] = 0;
    transfer_begin();
    assert_int_equal(ota_update_from_source(&update, &source.source, piece, sizeof piece),
                     OTA_ERR_IMAGE_MAGIC);
    assert_int_equal(source.at, sizeof piece);
    image[0] = 0xE9;
}

/* Its error suspends the update: it can go on later. */
static void test_source_fails(void **state)
{
    uint8_t piece[1000];
    struct test_source source = some_source();
    uint32_t offset = 0;

    (void)state;
    transfer_expect(OTA_HASH_SHA256);
    source.fails_at = 50000;
    transfer_begin();
    assert_int_equal(ota_update_from_source(&update, &source.source, piece, sizeof piece),
                     OTA_ERR_SOURCE);
    assert_int_equal(update.state, OTA_UPDATE_IDLE);
    assert_int_equal(ota_update_resume(&update, &options, &offset), OTA_OK);
    assert_int_equal(offset, 50000 / SECTOR * SECTOR);
    source.at = offset;
    source.fails_at = NONE;
    assert_int_equal(ota_update_from_source(&update, &source.source, piece, sizeof piece), OTA_OK);
    assert_memory_equal(fixture.chip->memory + OTA_1, image, len);
}

/* In any other state the source is not even asked. */
static void test_from_source_in_wrong_states(void **state)
{
    uint8_t piece[100];
    struct test_source source = some_source();

    (void)state;
    source.fails_at = 0;
    assert_int_equal(ota_update_from_source(&update, &source.source, piece, sizeof piece),
                     OTA_ERR_STATE);
    transfer_prove();
    assert_int_equal(ota_update_from_source(&update, &source.source, piece, sizeof piece),
                     OTA_ERR_STATE);
    assert_int_equal(update.state, OTA_UPDATE_PROVEN);
    transfer_begin();
    assert_int_equal(ota_update_write(&update, "X", 1), OTA_ERR_IMAGE_MAGIC);
    assert_int_equal(ota_update_from_source(&update, &source.source, piece, sizeof piece),
                     OTA_ERR_IMAGE_MAGIC);
}

int main(void)
{
#define WITH_DEVICE(test) cmocka_unit_test_setup_teardown(test, set_up, transfer_close)
    const struct CMUnitTest tests[] = {
        WITH_DEVICE(test_events),
        WITH_DEVICE(test_error_event),
        WITH_DEVICE(test_from_source),
        WITH_DEVICE(test_source_fails),
        WITH_DEVICE(test_from_source_in_wrong_states),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
