/* SPDX-License-Identifier: Apache-2.0 */
/* The intake's states, the target that an arrival means, and what becomes of the update behind
   it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <bearssl.h>
#include <cmocka.h>

#include "intake/door.h"

static struct ota_intake *const intake = &door.intake;

static void test_whole(void **state)
{
    (void)state;
    assert_true(ota_intake_is_free(intake));
    assert_true(intake->has_running);
    assert_string_equal(intake->running.version, "1.0.0");
    door_begin(door.len);
    assert_false(ota_intake_is_free(intake));
    door_expect_events("S");
    assert_string_equal(intake->arrival.way, "test");
    assert_int_equal(intake->arrival.size, door.len);
    assert_true(door.progress > 0);
    assert_int_equal(ota_intake_end(intake), OTA_OK);
    door_expect_events("P");
    assert_false(fixture_is_named(&door.fixture, 1));
    assert_int_equal(ota_intake_activate(intake), OTA_OK);
    door_expect_events("A");
    assert_true(fixture_is_named(&door.fixture, 1));
    assert_true(ota_intake_is_free(intake));
    assert_int_equal(intake->accepted, 1);
    assert_int_equal(intake->failure.err, OTA_OK);
    door_prove(); /* and again */
    assert_int_equal(ota_intake_activate(intake), OTA_OK);
    assert_int_equal(intake->accepted, 2);
}

/* ---- Which call is legal in which state ------------------------------------------------------ */

static void reach(enum ota_intake_state wanted)
{
    door.gate.answers[OTA_GATE_ACTIVATE] = wanted == OTA_INTAKE_HELD ? OTA_ERR_HELD : OTA_OK;
    switch (wanted) {
    case OTA_INTAKE_FREE:
        break;
    case OTA_INTAKE_TAKEN:
        door_begin(5000);
        break;
    case OTA_INTAKE_READY:
        door_prove();
        break;
    case OTA_INTAKE_HELD:
        door_prove();
        assert_int_equal(ota_intake_activate(intake), OTA_ERR_HELD);
        break;
    }
    assert_int_equal(intake->state, wanted);
    memset(door.events, 0, sizeof door.events);
}

static void is_still(enum ota_intake_state state)
{
    assert_int_equal(intake->state, state);
    door_expect_events("");
}

static void test_legal_calls(void **unused)
{
    const struct ota_digest digest = {.algorithm = OTA_HASH_MD5};
    const struct ota_arrival arrival = door_arrival();
    struct ota_update_options options;
    uint32_t offset;

    (void)unused;
    for (enum ota_intake_state state = OTA_INTAKE_FREE; state <= OTA_INTAKE_HELD; state++) {
        reach(state);
        if (state != OTA_INTAKE_FREE) {
            assert_int_equal(ota_intake_begin(intake, &arrival), OTA_ERR_BUSY);
            assert_int_equal(ota_intake_resume(intake, &arrival, &offset), OTA_ERR_BUSY);
            assert_int_equal(ota_intake_reserve(intake, &arrival, &options), OTA_ERR_BUSY);
            is_still(state);
        }
        if (state != OTA_INTAKE_TAKEN) {
            assert_int_equal(ota_intake_expect(intake, &digest), OTA_ERR_STATE);
            assert_int_equal(ota_intake_write(intake, door.image, 1), OTA_ERR_STATE);
            assert_int_equal(ota_intake_end(intake), OTA_ERR_STATE);
            is_still(state);
        }
        if (state != OTA_INTAKE_READY) {
            assert_int_equal(ota_intake_activate(intake), OTA_ERR_STATE);
            is_still(state);
        }
        if (state != OTA_INTAKE_HELD) {
            assert_int_equal(ota_intake_poll(intake), UINT32_MAX);
            is_still(state);
        }
        /* Always legal: they leave it FREE, with nothing to boot. */
        ota_intake_abort(intake);
        is_still(OTA_INTAKE_FREE);
        reach(state);
        ota_intake_suspend(intake);
        is_still(OTA_INTAKE_FREE);
        assert_int_equal(intake->update.state, OTA_UPDATE_IDLE);
        assert_false(fixture_is_named(&door.fixture, 1));
    }
}

/* While a restart is due, its owner closes the door. */
static void test_closed(void **state)
{
    const struct ota_arrival arrival = door_arrival();

    (void)state;
    intake->is_closed = true;
    assert_false(ota_intake_is_free(intake));
    assert_int_equal(ota_intake_begin(intake, &arrival), OTA_ERR_RESTARTING);
    intake->is_closed = false;
    assert_int_equal(ota_intake_availability(intake), OTA_OK);
    door_prove();
    assert_int_equal(ota_intake_availability(intake), OTA_ERR_BUSY);
    intake->is_closed = true; /* what is in may still go its way */
    assert_int_equal(ota_intake_availability(intake), OTA_ERR_RESTARTING);
    assert_int_equal(ota_intake_activate(intake), OTA_OK);
}

/* Asking lets nobody in, changes nothing and tells the update's listeners nothing. */
static void test_asking(void **state)
{
    struct ota_arrival arrival = door_arrival();
    uint64_t changes = ram_flash_changes(door.fixture.chip);

    (void)state;
    assert_int_equal(ota_intake_ask(intake, &arrival), OTA_OK);
    door_expect_events("");
    assert_int_equal(door.progress, 0);
    assert_int_equal(door.gate.asked[OTA_GATE_BEGIN], 1);
    assert_int_equal(intake->state, OTA_INTAKE_FREE);
    assert_int_equal(intake->update.state, OTA_UPDATE_IDLE);

    arrival.size = SLOT_SIZE + 1;
    assert_int_equal(ota_intake_ask(intake, &arrival), OTA_ERR_TOO_LARGE);
    door_expect_events("R");
    assert_string_equal(ota_intake_reason(intake), ota_err_text(OTA_ERR_TOO_LARGE));

    door.gate.answers[OTA_GATE_BEGIN] = OTA_ERR_HELD;
    door.gate.reason = "the pump runs";
    assert_int_equal(ota_intake_ask(intake, &arrival), OTA_ERR_HELD);
    door_expect_events("R");
    assert_string_equal(ota_intake_reason(intake), "the pump runs");

    assert_int_equal(ram_flash_changes(door.fixture.chip), changes);

    door.gate.answers[OTA_GATE_BEGIN] = OTA_OK;
    door_begin(1);
    assert_int_equal(ota_intake_ask(intake, &arrival), OTA_ERR_BUSY);
    assert_int_equal(intake->state, OTA_INTAKE_TAKEN);
}

static void test_wrong_options(void **state)
{
    struct ota_intake_options wrong = door.options;

    (void)state;
    wrong.device = NULL;
    assert_int_equal(ota_intake_init(intake, &wrong), OTA_ERR_ARGUMENT);
    wrong = door.options;
    wrong.buffer = NULL;
    assert_int_equal(ota_intake_init(intake, &wrong), OTA_ERR_ARGUMENT);
    wrong = door.options;
    wrong.buffer_size = 0;
    assert_int_equal(ota_intake_init(intake, &wrong), OTA_ERR_ARGUMENT);
    fixture_break_image(&door.fixture, 0);
    memset(door.fixture.chip->memory + OTA_0, 0, 64); /* nothing that runs says what it is */
    assert_int_equal(ota_intake_init(intake, &door.options), OTA_OK);
    assert_false(intake->has_running);
    memcpy(door.fixture.chip->memory + OTA_0, door.fixture.running, SLOT_SIZE);
}

/* Neither gates nor clock nor anyone who listens. */
static void test_bare(void **state)
{
    struct ota_intake_options bare = {
        .device = door.options.device, .buffer = door.buffer, .buffer_size = sizeof door.buffer};

    (void)state;
    assert_int_equal(ota_intake_init(intake, &bare), OTA_OK);
    door_prove();
    assert_int_equal(ota_intake_activate(intake), OTA_OK);
    door_expect_events("");
}

/* ---- What fails ------------------------------------------------------------------------------ */

static void test_the_update_refuses(void **state)
{
    struct ota_arrival arrival = door_arrival();

    (void)state;
    arrival.size = SLOT_SIZE + 1;
    assert_int_equal(ota_intake_begin(intake, &arrival), OTA_ERR_TOO_LARGE);
    door_expect_events("R");
    assert_int_equal(intake->failure.err, OTA_ERR_TOO_LARGE);
    assert_string_equal(ota_intake_reason(intake), ota_err_text(OTA_ERR_TOO_LARGE));
    assert_true(ota_intake_is_free(intake));
    arrival.size = 0;
    assert_int_equal(ota_intake_begin(intake, &arrival), OTA_ERR_ARGUMENT);
    door_expect_events("R");
    door_begin(1); /* the failure is forgotten */
    assert_int_equal(intake->failure.err, OTA_OK);
}

static void test_failures(void **state)
{
    (void)state;
    door_begin(5000);
    assert_int_equal(ota_intake_end(intake), OTA_ERR_INCOMPLETE);
    door_expect_events("SF");
    assert_int_equal(intake->failure.err, OTA_ERR_INCOMPLETE);
    assert_int_equal(intake->failure.offset, 5000);
    assert_true(ota_intake_is_free(intake));

    door.image[60000] ^= 1;
    door_begin(50000);
    assert_int_equal(ota_intake_write(intake, door.image + 50000, door.len - 50000),
                     OTA_ERR_IMAGE_CHECKSUM);
    door_expect_events("SF");
    assert_int_equal(intake->failure.err, OTA_ERR_IMAGE_CHECKSUM);
    assert_string_equal(ota_intake_reason(intake), ota_err_text(OTA_ERR_IMAGE_CHECKSUM));
    assert_int_equal(ota_intake_write(intake, door.image, 1), OTA_ERR_STATE);
    assert_int_equal(intake->failure.err, OTA_ERR_IMAGE_CHECKSUM); /* the first cause stays */
    door.image[60000] ^= 1;
    door_prove();
}

/* Proven, but otadata cannot be written: given up, and the next try works. */
static void test_activation_fails(void **state)
{
    (void)state;
    door_prove();
    memset(door.events, 0, sizeof door.events);
    faults_set(FAULT_WRITE, 1);
    assert_int_equal(ota_intake_activate(intake), OTA_ERR_FLASH_WRITE);
    faults_clear();
    door_expect_events("F");
    assert_int_equal(intake->failure.err, OTA_ERR_FLASH_WRITE);
    assert_int_equal(intake->accepted, 0);
    assert_true(ota_intake_is_free(intake));
    door_prove();
    assert_int_equal(ota_intake_activate(intake), OTA_OK);
}

/* ---- Expected digests ------------------------------------------------------------------------ */

static struct ota_digest md5_of_image(void)
{
    struct ota_digest digest = {.algorithm = OTA_HASH_MD5};
    br_md5_context md5;

    br_md5_init(&md5);
    br_md5_update(&md5, door.image, door.len);
    br_md5_out(&md5, digest.bytes);
    return digest;
}

static void test_digest_with_the_arrival(void **state)
{
    struct ota_arrival arrival = door_arrival();

    (void)state;
    for (int wrong = 1; wrong >= 0; wrong--) {
        arrival.expected = md5_of_image();
        arrival.expected.bytes[3] ^= (uint8_t)wrong;
        assert_int_equal(ota_intake_begin(intake, &arrival), OTA_OK);
        assert_int_equal(ota_intake_write(intake, door.image, door.len), OTA_OK);
        assert_int_equal(ota_intake_end(intake), wrong ? OTA_ERR_DIGEST : OTA_OK);
    }
}

/* A sender that tells it later; and the digest is there to be told back. */
static void test_digest_afterwards(void **state)
{
    const struct ota_arrival arrival = door_arrival();
    struct ota_digest digest = md5_of_image();

    (void)state;
    for (int wrong = 1; wrong >= 0; wrong--) {
        digest.bytes[0] ^= 0x40;
        assert_int_equal(ota_intake_begin(intake, &arrival), OTA_OK);
        assert_int_equal(ota_intake_expect(intake, &digest), OTA_OK);
        assert_int_equal(ota_intake_expect(intake, &digest), OTA_OK); /* said twice */
        assert_int_equal(ota_intake_write(intake, door.image, door.len), OTA_OK);
        assert_int_equal(ota_intake_end(intake), wrong ? OTA_ERR_DIGEST : OTA_OK);
    }
    assert_memory_equal(intake->update.digest, digest.bytes, OTA_MD5_SIZE);
    ota_intake_abort(intake);
    door_begin(1);
    assert_int_equal(ota_intake_expect(intake, &digest), OTA_ERR_STATE); /* too late */
    assert_int_equal(intake->state, OTA_INTAKE_TAKEN);
    ota_intake_abort(intake);

    digest.algorithm = OTA_HASH_MD5;
    assert_int_equal(ota_intake_begin(intake, &arrival), OTA_OK);
    faults_set(FAULT_CRYPTO, 1);
    assert_int_equal(ota_intake_expect(intake, &digest), OTA_ERR_CRYPTO);
    faults_clear();
    assert_int_equal(intake->state, OTA_INTAKE_FREE);
    assert_int_equal(intake->failure.err, OTA_ERR_CRYPTO);
}

/* ---- Suspending and resuming ----------------------------------------------------------------- */

static void test_suspend_and_resume(void **state)
{
    struct ota_arrival arrival = door_arrival();
    uint32_t offset = 1;

    (void)state;
    arrival.etag = "\"v2\"";
    assert_int_equal(ota_intake_begin(intake, &arrival), OTA_OK);
    assert_null(intake->arrival.etag); /* not kept */
    assert_int_equal(ota_intake_write(intake, door.image, 50000), OTA_OK);
    ota_intake_suspend(intake);
    door_expect_events("S");
    assert_int_equal(ota_intake_resume(intake, &arrival, &offset), OTA_OK);
    assert_int_equal(offset, 50000 / SECTOR * SECTOR);
    door_expect_events("S");
    assert_int_equal(door.gate.asked[OTA_GATE_DESCRIBED], 2); /* each time */
    assert_int_equal(ota_intake_write(intake, door.image + offset, door.len - offset), OTA_OK);
    assert_int_equal(ota_intake_end(intake), OTA_OK);
    assert_int_equal(ota_intake_activate(intake), OTA_OK);
    assert_memory_equal(door.fixture.chip->memory + OTA_1, door.image, door.len);

    arrival.size = SLOT_SIZE + 1;
    assert_int_equal(ota_intake_resume(intake, &arrival, &offset), OTA_ERR_TOO_LARGE);
    assert_int_equal(offset, 0);
    assert_true(ota_intake_is_free(intake));
}

/* A protocol that drives the update itself. */
static void test_reserve(void **state)
{
    const struct ota_arrival arrival = door_arrival();
    struct ota_update_options options;

    (void)state;
    assert_int_equal(ota_intake_reserve(intake, &arrival, &options), OTA_OK);
    door_expect_events("S");
    assert_int_equal(ota_update_begin(&intake->update, &options), OTA_OK);
    assert_int_equal(ota_update_write(&intake->update, door.image, door.len), OTA_OK);
    assert_int_equal(door.gate.asked[OTA_GATE_DESCRIBED], 1);
    assert_int_equal(ota_update_end(&intake->update), OTA_OK);
    assert_int_equal(ota_intake_end(intake), OTA_OK); /* only notes it */
    assert_int_equal(ota_intake_activate(intake), OTA_OK);
    door_expect_events("PA");
    assert_true(fixture_is_named(&door.fixture, 1));

    assert_int_equal(ota_intake_reserve(intake, &arrival, &options), OTA_OK);
    ota_intake_abort(intake); /* nothing had begun */
    assert_true(fixture_is_named(&door.fixture, 1));
}

/* ---- The target ------------------------------------------------------------------------------ */

static enum ota_err begin_data(const char *label, uint32_t size)
{
    const struct ota_arrival arrival = {
        .way = "test", .is_data = true, .label = label, .size = size};

    return ota_intake_begin(intake, &arrival);
}

static void test_data(void **state)
{
    (void)state;
    assert_int_equal(begin_data(NULL, 5000), OTA_OK); /* the first of its kind */
    assert_string_equal(intake->update.partition.label, "storage");
    assert_null(intake->arrival.label);
    assert_int_equal(ota_intake_write(intake, door.image, 5000), OTA_OK);
    assert_int_equal(ota_intake_end(intake), OTA_OK);
    assert_int_equal(ota_intake_activate(intake), OTA_OK);
    assert_memory_equal(door.fixture.chip->memory + STORAGE, door.image, 5000);
    door_expect_events("SPA");

    assert_int_equal(begin_data("sector", 100), OTA_OK);
    assert_string_equal(intake->update.partition.label, "sector");
    ota_intake_abort(intake);
    assert_int_equal(begin_data("nowhere", 100), OTA_ERR_NO_PARTITION);
    assert_int_equal(begin_data("a label that no partition can have", 100), OTA_ERR_NO_PARTITION);
    assert_int_equal(begin_data("locked", 100), OTA_ERR_READ_ONLY);
    memset(door.events, 0, sizeof door.events);

    door.options.data_label = "ragged";
    assert_int_equal(ota_intake_init(intake, &door.options), OTA_OK);
    assert_int_equal(begin_data(NULL, 100), OTA_OK);
    assert_string_equal(intake->update.partition.label, "ragged");
}

static void set_data_partition(uint8_t subtype)
{
    const struct table_row rows[] = {{1, 0x00, OTADATA, 0x2000, "otadata", 0},
                                     {0, 0x10, OTA_0, SLOT_SIZE, "ota_0", 0},
                                     {0, 0x11, OTA_1, SLOT_SIZE, "ota_1", 0},
                                     {1, subtype, STORAGE, STORAGE_SIZE, "a_label_of_16_by", 0}};

    fixture_set_table(&door.fixture, rows, sizeof rows / sizeof rows[0]);
}

static void test_kinds_of_file_system(void **state)
{
    static const uint8_t subtypes[] = {OTA_SUBTYPE_DATA_SPIFFS, OTA_SUBTYPE_DATA_LITTLEFS,
                                       OTA_SUBTYPE_DATA_FAT};

    (void)state;
    for (size_t i = 0; i < sizeof subtypes; i++) {
        set_data_partition(subtypes[i]);
        assert_int_equal(begin_data(NULL, 100), OTA_OK);
        assert_string_equal(intake->update.partition.label, "a_label_of_16_by");
        ota_intake_abort(intake);
    }
    set_data_partition(OTA_SUBTYPE_DATA_NVS);
    memset(door.events, 0, sizeof door.events);
    assert_int_equal(begin_data(NULL, 100), OTA_ERR_NO_PARTITION);
    door_expect_events("R");
    assert_int_equal(door.gate.asked[OTA_GATE_BEGIN], 3); /* for nothing nobody is asked */
}

/* An OTA slot by its label. */
static void test_app_by_label(void **state)
{
    struct ota_arrival arrival = door_arrival();

    (void)state;
    arrival.label = "ota_1";
    assert_int_equal(ota_intake_begin(intake, &arrival), OTA_OK);
    assert_int_equal(intake->update.slot, 1);
    assert_string_equal(door.gate.label, "ota_1");
    ota_intake_abort(intake);
    arrival.label = "ota_0";
    assert_int_equal(ota_intake_begin(intake, &arrival), OTA_ERR_RUNNING_SLOT);
}

static void test_trailers(void **state)
{
    struct ota_arrival arrival = door_arrival();

    (void)state;
    door.options.allow_trailer = true;
    assert_int_equal(ota_intake_init(intake, &door.options), OTA_OK);
    arrival.size = door.len + 4;
    assert_int_equal(ota_intake_begin(intake, &arrival), OTA_OK);
    assert_int_equal(ota_intake_write(intake, door.image, door.len + 4), OTA_OK);
    assert_int_equal(ota_intake_end(intake), OTA_OK);
}

int main(void)
{
#define AT_THE_DOOR(test) cmocka_unit_test_setup_teardown(test, door_set_up, door_tear_down)
    const struct CMUnitTest tests[] = {
        AT_THE_DOOR(test_whole),
        AT_THE_DOOR(test_legal_calls),
        AT_THE_DOOR(test_closed),
        AT_THE_DOOR(test_asking),
        AT_THE_DOOR(test_wrong_options),
        AT_THE_DOOR(test_bare),
        AT_THE_DOOR(test_the_update_refuses),
        AT_THE_DOOR(test_failures),
        AT_THE_DOOR(test_activation_fails),
        AT_THE_DOOR(test_digest_with_the_arrival),
        AT_THE_DOOR(test_digest_afterwards),
        AT_THE_DOOR(test_suspend_and_resume),
        AT_THE_DOOR(test_reserve),
        AT_THE_DOOR(test_data),
        AT_THE_DOOR(test_kinds_of_file_system),
        AT_THE_DOOR(test_app_by_label),
        AT_THE_DOOR(test_trailers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
