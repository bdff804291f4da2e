/* SPDX-License-Identifier: Apache-2.0 */
/* The agent: an image on trial, confirmed or rejected. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "agent/stage.h"

static void test_an_image_that_reaches_nobody_rejects_itself(void **state)
{
    struct stage *stage = *state;
    uint32_t start;

    stage_update_and_boot(stage);
    stage->options.confirm_timeout_s = 20;
    for (unsigned i = stage->scenes; i < STAGE_SCENES_MAX; i++) {
        stage_add_scene(stage, "")->connect = OTA_ERR_CONNECT;
    }
    stage_begin(stage);
    start = stage->now;
    ota_agent_run(&stage->agent);
    assert_int_equal(stage->restarts, 1);
    assert_int_equal(stage->restart_reason, OTA_RESTART_REJECTED);
    assert_int_equal(stage->now - start, 20000);
    stage_assert_logged(stage,
                        "E confirm: 1.1.0 was not confirmed within 20 s: back to the image before");
    stage_boot(stage);
    assert_int_equal(stage->ram.device.running_slot, OTA_SLOT_FACTORY);

    /* Back in 1.0.0, the same version is not taken again … */
    stage->scenes = 0;
    stage->played = 0;
    memset(stage->script, 0, sizeof stage->script);
    stage_add_offer(stage);
    stage_begin(stage);
    stage_run_checks(stage, 1);
    assert_int_equal(stage->agent.pull.result, OTA_PULL_DECLINED);
    stage_assert_logged(stage,
                        "server has 1.1.0, which did not prove itself here before: not taken\n");
    /* … unless that is wanted. */
    stage->options.retry_rejected = true;
    stage_add_offer(stage);
    stage_begin(stage);
    stage_run_checks(stage, 1);
    assert_int_equal(stage->agent.pull.result, OTA_PULL_UPDATED);
}

static void test_on_trial_the_checks_come_often(void **state)
{
    struct stage *stage = *state;
    uint32_t start;

    stage_update_and_boot(stage);
    stage_add_scene(stage, "HTTP/1.1 403 Forbidden\r\n\r\n");
    stage_add_scene(stage, stage_current);
    stage_begin(stage);
    start = stage->now;
    stage_run_checks(stage, 1);
    assert_true(stage->agent.is_on_trial); /* a refusal is no contact */
    stage_run_checks(stage, 2);
    assert_false(stage->agent.is_on_trial);
    assert_true(stage->now - start <= OTA_AGENT_TRIAL_INTERVAL_S * 1100);
}

static void test_an_offer_is_contact_and_can_be_taken(void **state)
{
    struct stage *stage = *state;

    stage_update_and_boot(stage);
    stage_add_offer(stage);
    stage_begin(stage);
    ota_agent_run(&stage->agent);
    assert_string_equal(stage->events, "cCdA");
    stage_boot(stage);
    assert_int_equal(stage->ram.device.running_slot, 1);
}

static void test_the_self_test_decides(void **state)
{
    struct stage *stage = *state;

    stage_update_and_boot(stage);
    stage->confirm_refused = true;
    stage_add_scene(stage, stage_current);
    stage_add_scene(stage, stage_current);
    stage_begin(stage);
    stage_run_checks(stage, 1);
    assert_true(stage->agent.is_on_trial);
    stage_assert_logged(stage, "W confirm: the server is reached, but the self-test is not passed");
    stage->confirm_refused = false;
    stage_run_checks(stage, 2);
    assert_false(stage->agent.is_on_trial);
}

static void test_the_other_policies(void **state)
{
    struct stage *stage = *state;

    stage_update_and_boot(stage);
    stage->options.confirm = OTA_CONFIRM_BY_CALLER;
    stage_add_scene(stage, stage_current);
    stage_begin(stage);
    stage_run_checks(stage, 1);
    assert_true(stage->agent.is_on_trial);
    assert_int_equal(ota_agent_confirm(&stage->agent), OTA_OK);
    assert_false(ota_slot_is_on_trial(&stage->ram.device));
    assert_int_equal(ota_agent_confirm(&stage->agent), OTA_ERR_STATE);
    assert_int_equal(ota_agent_reject(&stage->agent), OTA_ERR_STATE);
    assert_string_equal(stage->events, "cdC");
}

static void test_confirming_at_once(void **state)
{
    struct stage *stage = *state;

    stage_update_and_boot(stage);
    stage->options.confirm = OTA_CONFIRM_AT_ONCE;
    stage_begin(stage);
    assert_false(ota_slot_is_on_trial(&stage->ram.device));
    stage_assert_logged(stage, "I confirm: 1.1.0 has started: kept\n");
}

static void test_without_a_server_only_the_trial_counts(void **state)
{
    struct stage *stage = *state;

    stage_begin(stage);
    stage->options.url = NULL;
    stage_begin(stage);
    assert_int_equal(ota_agent_poll(&stage->agent), UINT32_MAX);
    stage->options.url = "http://server:8266/";
    stage_update_and_boot(stage);
    stage->options.url = NULL;
    stage_begin(stage);
    assert_int_equal(ota_agent_poll(&stage->agent), 1000 * OTA_AGENT_CONFIRM_TIMEOUT_S);
    ota_agent_run(&stage->agent);
    assert_int_equal(stage->restart_reason, OTA_RESTART_REJECTED);
}

static void test_nothing_to_go_back_to(void **state)
{
    struct stage *stage = *state;

    stage_update_and_boot(stage);
    memset(stage->ram.memory + RAM_FACTORY, 0, 64);
    /* Without a factory app in the table there is no way back. */
    stage->ram.device.layout.factory.size = 0;
    stage->options.url = NULL;
    stage_begin(stage);
    stage->now += 1000 * OTA_AGENT_CONFIRM_TIMEOUT_S;
    (void)ota_agent_poll(&stage->agent);
    assert_int_equal(stage->restarts, 0);
    stage_assert_logged(stage, "E confirm: it stays all the same: ");
    assert_int_equal(ota_agent_poll(&stage->agent), UINT32_MAX);
}

#define TEST(function) cmocka_unit_test_setup(function, stage_set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_an_image_that_reaches_nobody_rejects_itself),
        TEST(test_on_trial_the_checks_come_often),
        TEST(test_an_offer_is_contact_and_can_be_taken),
        TEST(test_the_self_test_decides),
        TEST(test_the_other_policies),
        TEST(test_confirming_at_once),
        TEST(test_without_a_server_only_the_trial_counts),
        TEST(test_nothing_to_go_back_to),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
