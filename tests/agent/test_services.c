/* SPDX-License-Identifier: Apache-2.0 */
/* Further ways in: their turns, an update through one of them, the restart after it, and what the
   network is told. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "agent/way.h"

static struct way first, second;

static int set_up(void **state)
{
    (void)stage_set_up(state);
    struct stage *stage = *state;
    stage->options.url = NULL;
    way_make(&first, stage, "first");
    way_make(&second, stage, "second");
    return 0;
}

static void test_turns(void **state)
{
    struct stage *stage = *state;

    first.wait_ms = 700;
    second.wait_ms = 300;
    stage_begin(stage);
    assert_ptr_equal(first.agent, &stage->agent);
    assert_int_equal(ota_agent_poll(&stage->agent), 300); /* the least of all */
    first.wait_ms = 0;
    assert_int_equal(ota_agent_poll(&stage->agent), 0);
    first.wait_ms = UINT32_MAX;
    second.wait_ms = UINT32_MAX;
    assert_int_equal(ota_agent_poll(&stage->agent), UINT32_MAX);
    assert_int_equal(first.polls, 3);
    assert_int_equal(second.polls, 3);
    assert_int_equal(first.polled_ms, stage->now);
    ota_agent_end(&stage->agent);
    ota_agent_end(&stage->agent);
    assert_string_equal(first.calls, "be");
    assert_string_equal(second.calls, "be");
}

/* One that cannot open: those before it are closed again, those behind it never opened. */
static void test_one_cannot_open(void **state)
{
    struct stage *stage = *state;
    struct way third;

    way_make(&third, stage, "third");
    second.begin_err = OTA_ERR_CONNECT;
    assert_int_equal(ota_agent_begin(&stage->agent, &stage->options), OTA_ERR_CONNECT);
    assert_string_equal(first.calls, "be");
    assert_string_equal(second.calls, "b");
    assert_string_equal(third.calls, "");
    stage_assert_logged(stage, "E second: this way in cannot open: ");
}

/* Whose port it is that somebody else has is said with its number. */
static void test_port_is_taken(void **state)
{
    struct stage *stage = *state;

    second.begin_err = OTA_ERR_PORT;
    second.service.port = 8080;
    assert_int_equal(ota_agent_begin(&stage->agent, &stage->options), OTA_ERR_PORT);
    stage_assert_logged(stage, "E second: cannot open port 8080: the port is taken");
}

static void test_update_by_a_service(void **state)
{
    struct stage *stage = *state;

    stage_begin(stage);
    assert_true(way_does(&second, way_begin_half) > 0);
    stage_assert_logged(stage, "I update: ota_0 <- 8.8 KB by second\n");
    assert_true(stage->progress > 0);
    assert_int_equal(way_does(&second, way_finish), 500);
    stage_assert_logged(stage, "I update: ota_0  8.8 KB  100 %  erase ");
    stage_assert_logged(stage,
                        "I update: proven: size, structure, checksum, sha256, chip, version\n");
    stage_assert_logged(stage,
                        "I otadata: sector 0 <- seq 1, new\n"); /* when, the service decides */
    assert_string_equal(stage->events, "A");
    assert_int_equal(stage->agent.intake.accepted, 1);
    assert_int_equal(stage->restarts, 0);

    /* Until the restart nothing is let in, and a second call changes nothing. */
    stage->now += 200;
    assert_false(ota_intake_is_free(&stage->agent.intake));
    ota_agent_restart_in(&stage->agent, 10000, OTA_RESTART_REQUESTED);
    assert_int_equal(ota_agent_poll(&stage->agent), 300);
    stage->now += 299;
    assert_int_equal(ota_agent_poll(&stage->agent), 1);
    assert_string_equal(first.calls, "b");
    stage->now += 1;
    assert_int_equal(ota_agent_poll(&stage->agent), UINT32_MAX);
    assert_int_equal(stage->restarts, 1);
    assert_int_equal(stage->restart_reason, OTA_RESTART_UPDATE);
    assert_string_equal(first.calls, "be");
    assert_string_equal(second.calls, "be");
    ota_agent_restart_in(&stage->agent, 0, OTA_RESTART_REQUESTED);
    assert_int_equal(ota_agent_poll(&stage->agent), UINT32_MAX);
    assert_int_equal(stage->restarts, 1);
    stage_boot(stage);
    assert_int_equal(stage->ram.device.running_slot, 0);
}

static void put_data(struct way *way)
{
    const struct ota_arrival arrival = {
        .way = way->service.name, .is_data = true, .label = "storage", .size = OTA_SIZE_UNKNOWN};
    struct ota_intake *intake = &way->agent->intake;

    assert_int_equal(ota_intake_begin(intake, &arrival), OTA_OK);
    assert_int_equal(ota_intake_write(intake, "content", 7), OTA_OK);
    assert_int_equal(ota_intake_end(intake), OTA_OK);
    assert_int_equal(ota_intake_activate(intake), OTA_OK);
}

static void test_data_by_a_service(void **state)
{
    struct stage *stage = *state;

    stage_begin(stage);
    (void)way_does(&first, put_data);
    stage_assert_logged(stage, "I update: storage <- an unknown size by first\n");
    stage_assert_logged(stage, "I update: storage is in place\n");
    assert_memory_equal(stage->ram.memory + RAM_STORAGE, "content", 7);
    assert_string_equal(stage->events, "");
}

static void put_rubbish(struct way *way)
{
    const struct ota_arrival arrival = {.way = way->service.name, .size = 5000};
    const struct stage *stage = way->agent->options.context;
    struct ota_intake *intake = &way->agent->intake;

    assert_int_equal(ota_intake_begin(intake, &arrival), OTA_OK);
    assert_int_equal(ota_intake_write(intake, stage->image, 2000), OTA_OK);
    assert_int_equal(ota_intake_end(intake), OTA_ERR_INCOMPLETE);
}

static void put_too_much(struct way *way)
{
    const struct ota_arrival arrival = {.way = way->service.name, .size = 1 << 24};

    assert_int_equal(ota_intake_begin(&way->agent->intake, &arrival), OTA_ERR_TOO_LARGE);
}

static void test_failures_are_told(void **state)
{
    struct stage *stage = *state;

    stage_begin(stage);
    (void)way_does(&first, put_rubbish);
    stage_assert_logged(stage, "E update: first failed: ");
    stage_assert_logged(stage, " (at byte 2,000)\n");
    (void)way_does(&first, put_too_much);
    stage_assert_logged(stage, "W update: first refused: ");
    assert_int_equal(stage->restarts, 0);
}

/* ---- The restart ----------------------------------------------------------------------------- */

static void reject(struct way *way)
{
    assert_int_equal(ota_agent_reject(way->agent), OTA_OK);
    assert_int_equal(((struct stage *)way->agent->options.context)->restarts, 0);
}

/* Who asks for the restart while it has its turn is not ended under its feet. */
static void test_rejecting_within_a_turn(void **state)
{
    struct stage *stage = *state;

    stage->options.url = "http://server:8266/";
    stage->options.services = NULL;
    stage_update_and_boot(stage);
    stage->options.url = NULL;
    stage->options.services = &first.service;
    stage_begin(stage);
    assert_true(stage->agent.is_on_trial);
    assert_int_equal(way_does(&first, reject), UINT32_MAX);
    assert_int_equal(stage->restarts, 1);
    assert_int_equal(stage->restart_reason, OTA_RESTART_REJECTED);
    assert_string_equal(first.calls, "be");
}

static void test_restart_with_stay(void **state)
{
    struct stage *stage = *state;

    stage->options.stay = true;
    stage_begin(stage);
    ota_agent_restart_in(&stage->agent, 1000, OTA_RESTART_REQUESTED);
    assert_int_equal(ota_agent_poll(&stage->agent), 1000);
    assert_false(stage->agent.is_restarting);
    stage->now += 1000;
    assert_int_equal(ota_agent_poll(&stage->agent), UINT32_MAX);
    assert_true(stage->agent.is_restarting);
    assert_int_equal(stage->restarts, 0);
}

/* A restart that must be now does not wait for one that is due later. */
static void test_the_sooner_restart_counts(void **state)
{
    struct stage *stage = *state;

    stage->options.url = "http://server:8266/";
    stage->options.services = NULL;
    stage_update_and_boot(stage);
    stage->options.url = NULL;
    stage_begin(stage);
    ota_agent_restart_in(&stage->agent, 60000, OTA_RESTART_REQUESTED);
    assert_int_equal(ota_agent_reject(&stage->agent), OTA_OK);
    assert_int_equal(stage->restarts, 1);
    assert_int_equal(stage->restart_reason, OTA_RESTART_REJECTED);
}

/* ---- What the network is told ---------------------------------------------------------------- */

static struct {
    unsigned calls;
    char name[32];
    size_t count;
    struct ota_advert adverts[3];
    enum ota_err err;
} told;

static enum ota_err advertise(struct ota_platform *platform, const char *host_name,
                              const struct ota_advert *adverts, size_t count)
{
    (void)platform;
    told.calls++;
    strncpy(told.name, host_name, sizeof told.name - 1);
    told.count = count;
    for (size_t i = 0; i < count; i++) {
        told.adverts[i] = adverts[i];
    }
    return told.err;
}

static void test_adverts(void **state)
{
    struct stage *stage = *state;
    struct way third;

    memset(&told, 0, sizeof told);
    way_make(&third, stage, "third");
    third.service.advert = NULL;
    second.has_advert = true;
    second.advert = (struct ota_advert){.type = "_http._tcp", .port = 80};
    stage->platform.advertise = advertise;
    stage_begin(stage);
    assert_int_equal(told.calls, 0); /* no name, no adverts */
    stage->options.host_name = "porch";
    stage_begin(stage);
    assert_int_equal(told.calls, 1);
    assert_string_equal(told.name, "porch");
    assert_int_equal(told.count, 1); /* the first has nothing to tell */
    assert_string_equal(told.adverts[0].type, "_http._tcp");
    first.has_advert = true;
    first.advert = (struct ota_advert){.type = "_arduino._tcp", .port = 8266};
    stage_begin(stage);
    assert_int_equal(told.count, 2);
    assert_string_equal(told.adverts[0].type, "_arduino._tcp");
    ota_agent_end(&stage->agent);
    assert_int_equal(told.count, 0);
    unsigned calls = told.calls;
    ota_agent_end(&stage->agent);
    assert_int_equal(told.calls, calls);
}

static void test_adverts_that_fail(void **state)
{
    struct stage *stage = *state;

    memset(&told, 0, sizeof told);
    stage->options.host_name = "porch";
    stage_begin(stage);
    stage_assert_logged(stage, "D mdns: this platform cannot advertise services\n");
    told.err = OTA_ERR_CONNECT;
    stage->platform.advertise = advertise;
    stage_begin(stage);
    stage_assert_logged(stage, "W mdns: the services are not advertised: ");
    ota_agent_end(&stage->agent);
    assert_int_equal(told.calls, 1); /* there is nothing to end */
}

#define TEST(function) cmocka_unit_test_setup(function, set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_turns),
        TEST(test_one_cannot_open),
        TEST(test_port_is_taken),
        TEST(test_update_by_a_service),
        TEST(test_data_by_a_service),
        TEST(test_failures_are_told),
        TEST(test_rejecting_within_a_turn),
        TEST(test_restart_with_stay),
        TEST(test_the_sooner_restart_counts),
        TEST(test_adverts),
        TEST(test_adverts_that_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
