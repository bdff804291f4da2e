/* SPDX-License-Identifier: Apache-2.0 */
/* What the gates are asked at the intake, and what their answers do at each stage. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "intake/door.h"

#define STORED 216u /* bytes after which an image is described */

static struct ota_intake *const intake = &door.intake;
static struct door_gate *const gate = &door.gate;

static void asked(unsigned at_begin, unsigned described, unsigned at_activation)
{
    assert_int_equal(gate->asked[OTA_GATE_BEGIN], at_begin);
    assert_int_equal(gate->asked[OTA_GATE_DESCRIBED], described);
    assert_int_equal(gate->asked[OTA_GATE_ACTIVATE], at_activation);
}

static void test_what_is_asked(void **state)
{
    const struct ota_arrival arrival = door_arrival();
    uint64_t changes = ram_flash_changes(door.fixture.chip);

    (void)state;
    door.now = 77;
    assert_int_equal(ota_intake_begin(intake, &arrival), OTA_OK);
    asked(1, 0, 0);
    assert_string_equal(gate->question.way, "test");
    assert_null(gate->question.label);
    assert_false(gate->question.is_data);
    assert_int_equal(gate->question.size, door.len);
    assert_int_equal(gate->question.now_ms, 77);
    assert_false(gate->question.time_is_known);
    assert_null(gate->question.incoming);
    assert_null(gate->question.running);

    door.now = 78;
    door.time_is_known = true;
    door.minute = 1234;
    assert_int_equal(ota_intake_write(intake, door.image, STORED - 1), OTA_OK);
    asked(1, 0, 0);
    assert_int_equal(ota_intake_write(intake, door.image + STORED - 1, 1), OTA_OK);
    asked(1, 1, 0);
    assert_int_equal(gate->changes, changes); /* nothing has been written */
    assert_int_equal(gate->question.now_ms, 78);
    assert_true(gate->question.time_is_known);
    assert_int_equal(gate->question.minute_of_week, 1234);
    assert_string_equal(gate->incoming.version, "2.0.0");
    assert_string_equal(gate->running.version, "1.0.0");

    memset(&gate->incoming, 0, sizeof gate->incoming);
    assert_int_equal(ota_intake_write(intake, door.image + STORED, door.len - STORED), OTA_OK);
    assert_int_equal(ota_intake_end(intake), OTA_OK);
    asked(1, 1, 0);
    assert_int_equal(ota_intake_activate(intake), OTA_OK);
    asked(1, 1, 1);
    assert_string_equal(gate->incoming.version, "2.0.0");
}

static void test_data_has_no_description(void **state)
{
    const struct ota_arrival arrival = {.way = "test", .is_data = true, .size = 5000};

    (void)state;
    assert_int_equal(ota_intake_begin(intake, &arrival), OTA_OK);
    assert_true(gate->question.is_data);
    assert_string_equal(gate->label, "storage");
    /* Not even if its bytes look like an image. */
    assert_int_equal(ota_intake_write(intake, door.image, 5000), OTA_OK);
    assert_null(gate->question.incoming);
    asked(1, 1, 0);
}

/* An image of a form that has no descriptor: its header is all it says. */
static void test_an_app_without_description(void **state)
{
    static const uint8_t header[8] = {0xE9};
    const struct ota_arrival arrival = {.way = "test", .size = 5000};

    (void)state;
    door.fixture.device.form = OTA_IMAGE_ESP8266;
    assert_int_equal(ota_intake_begin(intake, &arrival), OTA_OK);
    assert_int_equal(ota_intake_write(intake, header, sizeof header - 1), OTA_OK);
    asked(1, 0, 0);
    assert_int_equal(ota_intake_write(intake, header + sizeof header - 1, 1), OTA_OK);
    asked(1, 1, 0);
    assert_false(gate->question.is_data);
    assert_null(gate->question.incoming);
    assert_non_null(gate->question.running);
}

/* A running image that does not say what it is. */
static void test_nothing_to_compare_with(void **state)
{
    (void)state;
    door.fixture.chip->memory[OTA_0 + 32] ^= 1; /* the descriptor's magic */
    assert_int_equal(ota_intake_init(intake, &door.options), OTA_OK);
    door.fixture.chip->memory[OTA_0 + 32] ^= 1;
    door_prove();
    assert_null(gate->question.running);
}

/* A server has the file that runs, and nothing else: a board that asks by itself leaves it, and one
   that is sent it takes it. */
static void test_the_build_that_runs(void **state)
{
    struct ota_arrival arrival = door_arrival();

    (void)state;
    memset(door.image + 32 + 144, 7, OTA_SHA256_SIZE);
    memset(intake->running.elf_sha256, 7, OTA_SHA256_SIZE);
    arrival.unasked = true;
    assert_int_equal(ota_intake_begin(intake, &arrival), OTA_OK);
    assert_int_equal(ota_intake_write(intake, door.image, 256), OTA_ERR_SAME_VERSION);
    door_expect_events("SR");
    asked(1, 0, 0);
    arrival.unasked = false;
    assert_int_equal(ota_intake_begin(intake, &arrival), OTA_OK);
    assert_int_equal(ota_intake_write(intake, door.image, 256), OTA_OK);
    /* Another build, and what says nothing of itself. */
    arrival.unasked = true;
    intake->running.elf_sha256[0] ^= 1;
    ota_intake_abort(intake);
    assert_int_equal(ota_intake_begin(intake, &arrival), OTA_OK);
    assert_int_equal(ota_intake_write(intake, door.image, 256), OTA_OK);
    ota_intake_abort(intake);
    door.image[32] ^= 1;
    assert_int_equal(ota_intake_begin(intake, &arrival), OTA_OK);
    assert_int_equal(ota_intake_write(intake, door.image, 256), OTA_OK);
}

static struct {
    unsigned count;
    enum ota_err answer;
    char version[33];
    bool has_descriptor;
} judged;

static enum ota_err judge(void *context, const struct ota_app_descriptor *incoming)
{
    assert_ptr_equal(context, &judged);
    judged.count++;
    judged.has_descriptor = incoming != NULL;
    if (incoming != NULL) {
        memcpy(judged.version, incoming->version, sizeof judged.version);
    }
    return judged.answer;
}

/* A way in with rules of its own is asked before the gates, and its no is the end. */
static void test_a_way_that_judges(void **state)
{
    struct ota_arrival arrival = door_arrival();
    uint64_t changes = ram_flash_changes(door.fixture.chip);

    (void)state;
    arrival.judge = judge;
    arrival.context = &judged;
    judged.answer = OTA_ERR_OLDER_VERSION;
    assert_int_equal(ota_intake_begin(intake, &arrival), OTA_OK);
    assert_int_equal(ota_intake_write(intake, door.image, 256), OTA_ERR_OLDER_VERSION);
    door_expect_events("SR");
    asked(1, 0, 0);
    assert_int_equal(judged.count, 1);
    assert_true(judged.has_descriptor);
    assert_string_equal(judged.version, "2.0.0");
    assert_int_equal(ram_flash_changes(door.fixture.chip), changes);
    judged.answer = OTA_OK;
    door.image[32] ^= 1;
    assert_int_equal(ota_intake_begin(intake, &arrival), OTA_OK);
    assert_int_equal(ota_intake_write(intake, door.image, 256), OTA_OK);
    asked(2, 1, 0);
    assert_int_equal(judged.count, 2);
    assert_false(judged.has_descriptor);
}

/* ---- No at each stage ------------------------------------------------------------------------ */

static void is_refused(enum ota_err err, const char *events)
{
    assert_true(ota_intake_is_free(intake));
    assert_int_equal(intake->failure.err, err);
    assert_string_equal(ota_intake_reason(intake),
                        gate->reason != NULL ? gate->reason : ota_err_text(err));
    assert_false(fixture_is_named(&door.fixture, 1));
    door_expect_events(events);
}

static const enum ota_err answers[] = {OTA_ERR_REFUSED, OTA_ERR_HELD, OTA_ERR_SAME_VERSION};

static void test_no_at_the_beginning(void **state)
{
    const struct ota_arrival arrival = door_arrival();
    struct ota_update_options options;
    uint64_t changes = ram_flash_changes(door.fixture.chip);
    uint32_t offset = 1;

    (void)state;
    for (unsigned i = 0; i < 6; i++) {
        enum ota_err err = answers[i % 3];
        gate->answers[OTA_GATE_BEGIN] = err;
        gate->reason = i < 3 ? "not on this device" : NULL;
        gate->retry_ms = 1000 * i;
        assert_int_equal(ota_intake_begin(intake, &arrival), err);
        is_refused(err, "R");
        assert_int_equal(intake->answer.retry_ms, 1000 * i);
        assert_int_equal(ota_intake_resume(intake, &arrival, &offset), err);
        assert_int_equal(offset, 0);
        is_refused(err, "R");
        assert_int_equal(ota_intake_reserve(intake, &arrival, &options), err);
        is_refused(err, "R");
    }
    asked(18, 0, 0);
    assert_int_equal(ram_flash_changes(door.fixture.chip), changes);
}

static void test_no_to_the_description(void **state)
{
    uint64_t changes = ram_flash_changes(door.fixture.chip);

    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        enum ota_err err = answers[i];
        gate->answers[OTA_GATE_DESCRIBED] = err;
        gate->reason = i == 0 ? "not this one" : NULL;
        door_begin(STORED - 1);
        assert_int_equal(ota_intake_write(intake, door.image + STORED - 1, 1000), err);
        is_refused(err, "SR");
        assert_int_equal(ram_flash_changes(door.fixture.chip), changes);
    }
    /* It may come again, and the next one is judged on its own. */
    gate->answers[OTA_GATE_DESCRIBED] = OTA_OK;
    door_begin(STORED);
    assert_int_equal(ota_intake_write(intake, door.image, 1), OTA_OK);
    assert_int_equal(ota_intake_end(intake), OTA_ERR_INCOMPLETE);
    assert_int_equal(intake->failure.err, OTA_ERR_INCOMPLETE);
    assert_string_equal(ota_intake_reason(intake), ota_err_text(OTA_ERR_INCOMPLETE));
    door_expect_events("SF");
}

static void test_no_to_what_is_resumed(void **state)
{
    struct ota_arrival arrival = door_arrival();
    uint32_t offset = 1;

    (void)state;
    arrival.etag = "\"v2\"";
    assert_int_equal(ota_intake_begin(intake, &arrival), OTA_OK);
    assert_int_equal(ota_intake_write(intake, door.image, 50000), OTA_OK);
    ota_intake_suspend(intake);
    door_expect_events("S");
    gate->answers[OTA_GATE_DESCRIBED] = OTA_ERR_OLDER_VERSION;
    assert_int_equal(ota_intake_resume(intake, &arrival, &offset), OTA_ERR_OLDER_VERSION);
    assert_int_equal(offset, 0);
    is_refused(OTA_ERR_OLDER_VERSION, "R");
    gate->answers[OTA_GATE_DESCRIBED] = OTA_OK;
    assert_int_equal(ota_intake_resume(intake, &arrival, &offset), OTA_OK);
    assert_int_equal(offset, 50000 / SECTOR * SECTOR); /* the no has cost nothing */
}

static void test_no_to_activation(void **state)
{
    (void)state;
    gate->answers[OTA_GATE_ACTIVATE] = OTA_ERR_REFUSED;
    gate->reason = "not to boot";
    door_prove();
    assert_int_equal(ota_intake_activate(intake), OTA_ERR_REFUSED);
    is_refused(OTA_ERR_REFUSED, "SPR");
    assert_int_equal(intake->accepted, 0);
}

/* ---- Held ------------------------------------------------------------------------------------ */

static void hold(void)
{
    gate->answers[OTA_GATE_ACTIVATE] = OTA_ERR_HELD;
    gate->reason = "the battery is low";
    door_prove();
    assert_int_equal(ota_intake_activate(intake), OTA_ERR_HELD);
    assert_int_equal(intake->state, OTA_INTAKE_HELD);
    assert_int_equal(intake->failure.err, OTA_OK); /* it has not failed */
    assert_string_equal(ota_intake_reason(intake), "the battery is low");
    door_expect_events("SPH");
}

static void test_held_and_let_go(void **state)
{
    (void)state;
    hold();
    for (unsigned i = 0; i < 5; i++) {
        assert_in_range(ota_intake_poll(intake), 1, 1000);
        assert_false(fixture_is_named(&door.fixture, 1));
    }
    asked(1, 1, 6);
    door_expect_events(""); /* said once */
    gate->answers[OTA_GATE_ACTIVATE] = OTA_OK;
    assert_int_equal(ota_intake_poll(intake), UINT32_MAX);
    assert_true(fixture_is_named(&door.fixture, 1));
    assert_true(ota_intake_is_free(intake));
    assert_int_equal(intake->accepted, 1);
    door_expect_events("A");
    assert_int_equal(ota_intake_poll(intake), UINT32_MAX);
    asked(1, 1, 7);
}

static void test_held_and_then_refused(void **state)
{
    (void)state;
    hold();
    gate->answers[OTA_GATE_ACTIVATE] = OTA_ERR_REFUSED;
    assert_int_equal(ota_intake_poll(intake), UINT32_MAX);
    is_refused(OTA_ERR_REFUSED, "R");
}

static void test_held_and_then_broken(void **state)
{
    (void)state;
    hold();
    gate->answers[OTA_GATE_ACTIVATE] = OTA_OK;
    faults_set(FAULT_WRITE, 1);
    assert_int_equal(ota_intake_poll(intake), UINT32_MAX);
    faults_clear();
    assert_int_equal(intake->failure.err, OTA_ERR_FLASH_WRITE);
    assert_int_equal(intake->failure.offset, door.len);
    assert_string_equal(ota_intake_reason(intake), ota_err_text(OTA_ERR_FLASH_WRITE));
    door_expect_events("F");
}

/* Between the two the gates of the library, as a product would chain them. */
static void test_the_librarys_gates(void **state)
{
    struct ota_gate_version version = {.gate = {ota_gate_version_ask, NULL}, .refuse_older = true};
    struct ota_gate_schedule night = OTA_GATE_SCHEDULE(&version.gate, 120, 240, 0x7F);
    struct ota_gate_armed button = OTA_GATE_ARMED(&night.gate, 60000);
    const struct ota_arrival arrival = door_arrival();

    (void)state;
    door.options.gates = &button.gate;
    assert_int_equal(ota_intake_init(intake, &door.options), OTA_OK);
    door.time_is_known = true;
    door.minute = 100;
    assert_int_equal(ota_intake_begin(intake, &arrival), OTA_ERR_HELD);
    assert_non_null(strstr(ota_intake_reason(intake), "button"));
    ota_gate_arm(&button, door.now);
    assert_int_equal(ota_intake_begin(intake, &arrival), OTA_ERR_HELD);
    assert_non_null(strstr(ota_intake_reason(intake), "02:00-04:00"));
    assert_int_equal(intake->answer.retry_ms, 20 * 60000);
    door.minute = 239;
    door_prove();
    door.minute = 240; /* the transfer took too long */
    assert_int_equal(ota_intake_activate(intake), OTA_ERR_HELD);
    door.minute = 240 + 1440 - 121; /* up to the next night */
    assert_int_not_equal(ota_intake_poll(intake), UINT32_MAX);
    door.minute++;
    assert_int_equal(ota_intake_poll(intake), UINT32_MAX);
    assert_true(fixture_is_named(&door.fixture, 1));
}

int main(void)
{
#define AT_THE_DOOR(test) cmocka_unit_test_setup_teardown(test, door_set_up, door_tear_down)
    const struct CMUnitTest tests[] = {
        AT_THE_DOOR(test_what_is_asked),
        AT_THE_DOOR(test_data_has_no_description),
        AT_THE_DOOR(test_an_app_without_description),
        AT_THE_DOOR(test_nothing_to_compare_with),
        AT_THE_DOOR(test_the_build_that_runs),
        AT_THE_DOOR(test_a_way_that_judges),
        AT_THE_DOOR(test_no_at_the_beginning),
        AT_THE_DOOR(test_no_to_the_description),
        AT_THE_DOOR(test_no_to_what_is_resumed),
        AT_THE_DOOR(test_no_to_activation),
        AT_THE_DOOR(test_held_and_let_go),
        AT_THE_DOOR(test_held_and_then_refused),
        AT_THE_DOOR(test_held_and_then_broken),
        AT_THE_DOOR(test_the_librarys_gates),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
