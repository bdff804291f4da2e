/* SPDX-License-Identifier: Apache-2.0 */
/* One at a time: the pull beside other ways in, and the gates before all of them. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "agent/way.h"

static struct way first, second;

static struct {
    struct ota_gate gate; /* first: a cast gets it back */
    enum ota_gate_stage stage;
    enum ota_err err;
    uint32_t retry_ms;
    unsigned asked[3];
    char way[16];
} gate;

static enum ota_err ask(struct ota_gate *self, const struct ota_gate_question *question,
                        struct ota_gate_answer *answer)
{
    assert_ptr_equal(self, &gate.gate);
    gate.asked[question->stage]++;
    snprintf(gate.way, sizeof gate.way, "%s", question->way);
    if (question->stage != gate.stage) {
        return OTA_OK;
    }
    answer->reason = "the door is open";
    answer->retry_ms = gate.retry_ms;
    return gate.err;
}

static int set_up(void **state)
{
    (void)stage_set_up(state);
    struct stage *stage = *state;
    way_make(&first, stage, "first");
    way_make(&second, stage, "second");
    memset(&gate, 0, sizeof gate);
    gate.gate.ask = ask;
    stage->options.gates = &gate.gate;
    return 0;
}

/* Nothing is due for the pull until the test says so. */
static void begin_quiet(struct stage *stage)
{
    stage->options.first_check_ms = 1000;
    stage_begin(stage);
}

static void poll_often(struct stage *stage)
{
    for (unsigned i = 0; i < 20; i++) {
        (void)ota_agent_poll(&stage->agent);
    }
}

/* ---- One at a time --------------------------------------------------------------------------- */

/* The pull finds the door taken: it comes again soon, and harms nothing. */
static void test_the_pull_is_put_off(void **state)
{
    struct stage *stage = *state;

    begin_quiet(stage);
    (void)way_does(&first, way_begin_half);
    stage_add_offer(stage);
    ota_agent_check_now(&stage->agent);
    stage_run_checks(stage, 1);
    assert_int_equal(stage->agent.pull.result, OTA_PULL_DECLINED);
    assert_int_equal(stage->agent.pull.failure.err, OTA_ERR_BUSY);
    stage_assert_logged(stage, "I pull: put off: ");
    assert_string_equal(first.calls, "b"); /* not exclusive: nobody is paused */
    assert_in_range(ota_agent_poll(&stage->agent), 1, 60000);
    (void)way_does(&first, way_finish);
    assert_int_equal(stage->agent.intake.accepted, 1);
}

/* The pull's connection breaks before its answer is there: another way's update is none of its. */
static void test_a_broken_pull_harms_nobody(void **state)
{
    struct stage *stage = *state;
    struct scene *scene;

    stage->options.interval_s = 100000;
    begin_quiet(stage);
    scene = stage_add_scene(stage, "HTTP/1.1 200 OK\r\n");
    scene->stays_open = true;
    ota_agent_check_now(&stage->agent);
    poll_often(stage);
    assert_true(stage->is_open);
    (void)way_does(&first, way_begin_half);
    scene->read_error = OTA_ERR_CONNECTION_LOST;
    poll_often(stage);
    assert_false(stage->is_open);
    assert_int_equal(stage->agent.pull.state, OTA_PULL_WAITING);
    assert_int_equal(stage->agent.intake.update.state, OTA_UPDATE_RECEIVING);
    assert_int_equal(stage->agent.pull.failure.offset, 0);
    (void)way_does(&first, way_finish);
    assert_int_equal(stage->agent.intake.accepted, 1);
}

/* While the pull waits for its next try, the door is for everyone. */
static void test_a_retry_leaves_the_door(void **state)
{
    struct stage *stage = *state;
    struct scene *cut;

    begin_quiet(stage);
    cut = stage_add_offer(stage);
    cut->limit = strlen(cut->head) + 5000;
    cut->read_error = OTA_ERR_CONNECTION_LOST;
    ota_agent_check_now(&stage->agent);
    while (stage->agent.pull.state != OTA_PULL_WAITING) {
        (void)ota_agent_poll(&stage->agent);
    }
    assert_true(ota_intake_is_free(&stage->agent.intake));
    (void)way_does(&first, way_begin_half);
    (void)way_does(&first, way_finish);
    assert_int_equal(stage->agent.intake.accepted, 1);
}

/* While a restart is due, no check begins. */
static void test_no_check_before_a_restart(void **state)
{
    struct stage *stage = *state;

    begin_quiet(stage);
    ota_agent_restart_in(&stage->agent, 5000, OTA_RESTART_REQUESTED);
    ota_agent_check_now(&stage->agent);
    assert_int_equal(ota_agent_poll(&stage->agent), 5000);
    assert_false(stage->agent.is_checking);
}

/* ---- Exclusive ------------------------------------------------------------------------------- */

static void test_exclusive_for_a_service(void **state)
{
    struct stage *stage = *state;

    stage->options.exclusive = true;
    begin_quiet(stage);
    assert_int_equal(way_does(&first, way_begin_half), 0); /* who was paused has its turn at once */
    assert_string_equal(first.calls, "b");
    assert_string_equal(second.calls, "bP");
    ota_agent_check_now(&stage->agent); /* due, and not begun */
    assert_int_equal(ota_agent_poll(&stage->agent), UINT32_MAX);
    assert_false(stage->agent.is_checking);
    unsigned polls = second.polls;
    (void)way_does(&first, NULL);
    assert_int_equal(second.polls, polls + 1); /* paused, it is polled all the same */

    stage_add_scene(stage, stage_current);
    (void)way_does(&first, way_give_up);
    assert_string_equal(first.calls, "b");
    assert_string_equal(second.calls, "bPg");
    stage_run_checks(stage, 1);
    assert_int_equal(stage->agent.pull.result, OTA_PULL_CURRENT);
    (void)way_does(&second, way_begin_half); /* now the other way round */
    assert_string_equal(first.calls, "bP");
    assert_string_equal(second.calls, "bPg");
    (void)way_does(&second, way_finish);
    assert_string_equal(first.calls, "bPg");
}

/* A service that does not mind has no pause. */
static void test_exclusive_without_pause(void **state)
{
    struct stage *stage = *state;

    stage->options.exclusive = true;
    second.service.pause = NULL;
    begin_quiet(stage);
    (void)way_does(&first, way_begin_half);
    (void)way_does(&first, way_give_up);
    assert_string_equal(second.calls, "b");
}

static void test_exclusive_for_the_pull(void **state)
{
    struct stage *stage = *state;

    struct scene *cut = stage_add_offer(stage);

    stage->options.exclusive = true;
    stage->piece = 100;
    cut->limit = strlen(cut->head) + 5000;
    cut->read_error = OTA_ERR_CONNECTION_LOST;
    stage_begin(stage);
    while (stage->agent.intake.update.state != OTA_UPDATE_RECEIVING) {
        (void)ota_agent_poll(&stage->agent);
    }
    assert_string_equal(stage->agent.intake.arrival.way, "pull");
    assert_string_equal(first.calls, "bP");
    assert_string_equal(second.calls, "bP");
    while (stage->agent.pull.state != OTA_PULL_WAITING) { /* for its next try: they go on */
        (void)ota_agent_poll(&stage->agent);
    }
    assert_string_equal(first.calls, "bPg");
    assert_string_equal(second.calls, "bPg");
}

/* A check that has begun gives way to an update that comes in meanwhile. */
static void test_exclusive_ends_a_check(void **state)
{
    struct stage *stage = *state;

    stage->options.exclusive = true;
    begin_quiet(stage);
    stage_add_scene(stage, "HTTP/1.1 200 OK\r\n")->stays_open = true;
    ota_agent_check_now(&stage->agent);
    poll_often(stage);
    assert_true(stage->is_open);
    (void)way_does(&first, way_begin_half);
    assert_false(stage->is_open);
    assert_false(stage->agent.is_checking);
    assert_int_equal(stage->agent.checks, 1);
    assert_string_equal(stage->events, "cd");
    stage_assert_logged(stage, "I pull: put off: ");
    assert_int_equal(stage->agent.intake.update.state, OTA_UPDATE_RECEIVING);
    (void)way_does(&first, way_give_up);
    stage_add_scene(stage, stage_current);
    stage_run_checks(stage, 2);
    assert_int_equal(stage->agent.pull.result, OTA_PULL_CURRENT);
}

/* ---- Gates before the pull ------------------------------------------------------------------- */

static void is_untouched(const struct stage *stage)
{
    for (uint32_t i = 0; i < RAM_SLOT_SIZE; i++) {
        assert_int_equal(stage->ram.memory[RAM_OTA_0 + i], 0xFF);
    }
    assert_true(stage->agent.intake.state == OTA_INTAKE_FREE);
    assert_int_equal(stage->restarts, 0);
}

/* Held for now: it asks again when the gate said, and not long after. */
static void test_held_at_the_beginning(void **state)
{
    struct stage *stage = *state;
    uint32_t asked_ms;

    gate.stage = OTA_GATE_BEGIN;
    gate.err = OTA_ERR_HELD;
    gate.retry_ms = 7200000;
    stage_add_offer(stage);
    stage_begin(stage);
    stage_run_checks(stage, 1);
    asked_ms = stage->now;
    assert_int_equal(stage->agent.pull.result, OTA_PULL_DECLINED);
    assert_string_equal(gate.way, "pull");
    stage_assert_logged(stage, "I pull: server has 1.1.0, I run 1.0.0\n");
    stage_assert_logged(stage, "I update: pull put off: the door is open\n");
    is_untouched(stage);
    gate.err = OTA_OK;
    stage_add_offer(stage);
    stage_run_checks(stage, 2);
    assert_in_range(stage->now - asked_ms, 7200000, 7200000 + 70000);
    assert_int_equal(stage->restarts, 1);
}

/* Nobody knows when: soon. A time beyond the clock is as good as that. */
static void test_held_for_no_one_knows_how_long(void **state)
{
    static const uint32_t times[] = {0, UINT32_MAX};

    for (size_t i = 0; i < 2; i++) {
        (void)set_up(state);
        struct stage *stage = *state;
        gate.stage = OTA_GATE_BEGIN;
        gate.err = OTA_ERR_HELD;
        gate.retry_ms = times[i];
        stage_add_offer(stage);
        stage_begin(stage);
        stage_run_checks(stage, 1);
        assert_in_range(ota_agent_poll(&stage->agent), 20000, 60000);
    }
}

static void test_refused_at_the_beginning(void **state)
{
    struct stage *stage = *state;

    gate.stage = OTA_GATE_BEGIN;
    gate.err = OTA_ERR_REFUSED;
    stage_add_offer(stage);
    stage_begin(stage);
    stage_run_checks(stage, 1);
    stage_assert_logged(stage, "W update: pull refused: the door is open\n");
    is_untouched(stage);
    /* The next check comes at its usual time. */
    assert_in_range(ota_agent_poll(&stage->agent), 1000 * OTA_AGENT_INTERVAL_S / 10 * 9,
                    1000 * OTA_AGENT_INTERVAL_S / 10 * 11);
}

static void test_refused_by_its_description(void **state)
{
    struct stage *stage = *state;

    gate.stage = OTA_GATE_DESCRIBED;
    gate.err = OTA_ERR_SAME_VERSION;
    stage_add_offer(stage);
    stage_begin(stage);
    stage_run_checks(stage, 1);
    assert_int_equal(stage->agent.pull.result, OTA_PULL_FAILED);
    assert_int_equal(stage->agent.pull.failure.err, OTA_ERR_SAME_VERSION);
    stage_assert_logged(stage, "E update: the door is open\n");
    is_untouched(stage);
    assert_int_equal(stage->played, 1); /* and not tried again at once */

    gate.err = OTA_ERR_HELD;
    gate.retry_ms = 1000;
    stage_add_offer(stage);
    ota_agent_check_now(&stage->agent);
    stage_run_checks(stage, 2);
    is_untouched(stage);
    assert_in_range(ota_agent_poll(&stage->agent), 1000, 61000);
}

/* The gate lets go: the update is activated, and booted when the way in has had time to say so. */
static void let_go(struct stage *stage)
{
    gate.err = OTA_OK;
    (void)ota_agent_poll(&stage->agent);
    assert_int_equal(stage->agent.intake.state, OTA_INTAKE_FREE);
    assert_int_equal(stage->restarts, 0);
    stage->now += OTA_AGENT_RELEASE_DELAY_MS;
    (void)ota_agent_poll(&stage->agent);
    assert_int_equal(stage->restarts, 1);
}

/* Proven, and held: activated and booted when the gate lets go. */
static void test_held_before_activation(void **state)
{
    struct stage *stage = *state;

    gate.stage = OTA_GATE_ACTIVATE;
    gate.err = OTA_ERR_HELD;
    stage_add_offer(stage);
    stage_begin(stage);
    stage_run_checks(stage, 1);
    assert_int_equal(stage->agent.intake.state, OTA_INTAKE_HELD);
    stage_assert_logged(stage, "I update: pull is proven, and waits: the door is open\n");
    for (unsigned i = 0; i < 5; i++) {
        uint32_t wait_ms = ota_agent_poll(&stage->agent);
        assert_in_range(wait_ms, 1, 1000);
        stage->now += wait_ms;
    }
    assert_int_equal(stage->restarts, 0);
    assert_true(gate.asked[OTA_GATE_ACTIVATE] > 5);
    let_go(stage);
    assert_int_equal(stage->restart_reason, OTA_RESTART_UPDATE);
    assert_string_equal(stage->events, "cdA");
    stage_boot(stage);
    assert_int_equal(stage->ram.device.running_slot, 0);
}

static void test_held_for_a_service(void **state)
{
    struct stage *stage = *state;

    stage->options.url = NULL;
    gate.stage = OTA_GATE_ACTIVATE;
    gate.err = OTA_ERR_HELD;
    stage_begin(stage);
    (void)way_does(&first, way_begin_half);
    (void)way_does(&first, way_finish);
    stage_assert_logged(stage, "I update: first is proven, and waits: the door is open\n");
    let_go(stage);
}

/* What is held may be held for days: the others go on meanwhile. */
static void test_held_and_exclusive(void **state)
{
    struct stage *stage = *state;

    stage->options.exclusive = true;
    gate.stage = OTA_GATE_ACTIVATE;
    gate.err = OTA_ERR_HELD;
    begin_quiet(stage);
    (void)way_does(&first, way_begin_half);
    assert_string_equal(second.calls, "bP");
    (void)way_does(&first, way_finish);
    assert_int_equal(stage->agent.intake.state, OTA_INTAKE_HELD);
    assert_string_equal(second.calls, "bPg");
    let_go(stage);
}

static void test_refused_before_activation(void **state)
{
    struct stage *stage = *state;

    gate.stage = OTA_GATE_ACTIVATE;
    gate.err = OTA_ERR_REFUSED;
    stage_add_offer(stage);
    stage_begin(stage);
    stage_run_checks(stage, 1);
    stage_assert_logged(stage, "W update: pull refused: the door is open\n");
    assert_int_equal(stage->agent.intake.state, OTA_INTAKE_FREE);
    assert_int_equal(stage->restarts, 0);
    assert_string_equal(stage->events, "cd");
}

/* The schedule reads the platform's local time. */
static bool ten_past_midnight(struct ota_platform *platform, uint32_t *minute)
{
    (void)platform;
    *minute = 10;
    return true;
}

static void test_the_platforms_time(void **state)
{
    struct stage *stage = *state;
    struct ota_gate_schedule night = OTA_GATE_SCHEDULE(NULL, 0, 60, 0x7F);

    stage->options.gates = &night.gate;
    stage_add_offer(stage);
    stage_begin(stage);
    stage_run_checks(stage, 1);
    stage_assert_logged(stage, "the time is not known yet\n");
    stage->platform.minute_of_week = ten_past_midnight;
    stage_add_offer(stage);
    stage_run_checks(stage, 2);
    assert_int_equal(stage->restarts, 1);
}

#define TEST(function) cmocka_unit_test_setup(function, set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_the_pull_is_put_off),
        TEST(test_a_broken_pull_harms_nobody),
        TEST(test_a_retry_leaves_the_door),
        TEST(test_no_check_before_a_restart),
        TEST(test_held_and_exclusive),
        TEST(test_exclusive_for_a_service),
        TEST(test_exclusive_without_pause),
        TEST(test_exclusive_for_the_pull),
        TEST(test_exclusive_ends_a_check),
        TEST(test_held_at_the_beginning),
        TEST(test_held_for_no_one_knows_how_long),
        TEST(test_refused_at_the_beginning),
        TEST(test_refused_by_its_description),
        TEST(test_held_before_activation),
        TEST(test_held_for_a_service),
        TEST(test_refused_before_activation),
        TEST(test_the_platforms_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
