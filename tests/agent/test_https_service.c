/* SPDX-License-Identifier: Apache-2.0 */
/* The update from one URL as one of the agent's ways in. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include <updraft/https_service.h>

#include "agent/way.h"

static struct ota_https_service fetcher;
static struct way other;
static char text[1024];
static struct {
    unsigned ended;
    enum ota_err err;
} seen;

static void on_end(void *context, const struct ota_https_service *service, enum ota_err err)
{
    assert_ptr_equal(context, &seen);
    assert_ptr_equal(service, &fetcher);
    seen.ended++;
    seen.err = err;
}

static void make(struct stage *stage, const struct ota_https_update_options *update)
{
    struct ota_https_service_options options = {
        .update = *update, .on_end = on_end, .context = &seen};

    options.update.url = "http://server:8266/app.bin";
    options.update.allow_http = true;
    options.update.text = text;
    options.update.text_size = sizeof text;
    ota_https_service_init(&fetcher, &options);
    stage->options.services = &fetcher.service;
}

static int set_up(void **state)
{
    (void)stage_set_up(state);
    struct stage *stage = *state;
    stage->options.url = NULL;
    memset(&seen, 0, sizeof seen);
    make(stage, &(struct ota_https_update_options){.resume = true});
    return 0;
}

/* Lets the agent work until the fetcher has ended so many runs, or a restart is due. Returns how
   long that took. */
static uint32_t run(struct stage *stage, unsigned runs)
{
    const uint32_t begun_ms = stage->now;

    for (unsigned i = 0; i < 10000 && fetcher.runs < runs; i++) {
        uint32_t wait_ms = ota_agent_poll(&stage->agent);
        if (fetcher.runs < runs) {
            stage->platform.wait(&stage->platform, wait_ms);
        }
    }
    assert_int_equal(fetcher.runs, runs);
    assert_int_equal(seen.ended, runs);
    return stage->now - begun_ms;
}

static void assert_not_logged(const struct stage *stage, const char *words)
{
    if (strstr(stage->log, words) != NULL) {
        fail_msg("a line has \"%s\"", words);
    }
}

static void test_once_it_is_asked_for(void **state)
{
    struct stage *stage = *state;

    stage_begin(stage);
    assert_int_equal(ota_agent_poll(&stage->agent), UINT32_MAX);
    stage_add_offer(stage);
    ota_https_service_start(&fetcher);
    run(stage, 1);
    assert_int_equal(seen.err, OTA_OK);
    assert_memory_equal(stage->ram.memory + RAM_OTA_0, stage->image, stage->image_len);
    assert_string_equal(fetcher.incoming.version, "1.1.0");
    const char *comes = strstr(stage->log, "1.1.0 comes, I run 1.0.0\n");
    const char *proven = strstr(stage->log, "proven: ");
    assert_true(comes != NULL && proven != NULL && comes < proven);
    (void)ota_agent_poll(&stage->agent);
    assert_int_equal(stage->restarts, 1);
    assert_int_equal(stage->restart_reason, OTA_RESTART_UPDATE);
}

static void test_before_the_agent_has_begun(void **state)
{
    struct stage *stage = *state;

    stage_add_offer(stage);
    ota_https_service_start(&fetcher);
    stage_begin(stage);
    run(stage, 1);
    assert_int_equal(seen.err, OTA_OK);
}

static void test_data_needs_no_restart(void **state)
{
    struct stage *stage = *state;
    struct scene *scene = stage_add_scene(stage, "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n");

    scene->body = (const uint8_t *)"content";
    scene->body_len = 7;
    make(stage, &(struct ota_https_update_options){.is_data = true, .label = "storage"});
    ota_https_service_start(&fetcher);
    stage_begin(stage);
    run(stage, 1);
    assert_int_equal(seen.err, OTA_OK);
    assert_memory_equal(stage->ram.memory + RAM_STORAGE, "content", 7);
    stage_assert_logged(stage, "I https: data comes\n");
    assert_int_equal(ota_agent_poll(&stage->agent), UINT32_MAX);
    assert_int_equal(stage->restarts, 0);
}

static void test_an_answer_without_it(void **state)
{
    struct stage *stage = *state;

    stage_add_scene(stage, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
    ota_https_service_start(&fetcher);
    stage_begin(stage);
    run(stage, 1);
    assert_int_equal(seen.err, OTA_ERR_HTTP_NOT_FOUND);
    stage_assert_logged(stage, "E https: ");
    stage_assert_logged(stage, ": the server has no such file (404)\n");
    stage_add_scene(stage, "")->connect = OTA_ERR_CONNECT;
    ota_https_service_start(&fetcher);
    run(stage, 2);
    assert_int_equal(seen.err, OTA_ERR_CONNECT);
}

/* A broken connection ends a run; the next goes on where it was. */
static void test_the_next_run_goes_on(void **state)
{
    struct stage *stage = *state;
    struct ota_identity identity;
    uint32_t size = 0, offset = 0;
    char head[160], line[64];

    stage_add_offer(stage)->limit = 7000;
    ota_https_service_start(&fetcher);
    stage_begin(stage);
    run(stage, 1);
    assert_int_equal(seen.err, OTA_ERR_INCOMPLETE);
    stage_assert_logged(stage, "E https: ");
    stage_assert_logged(stage, "(at byte ");
    assert_int_equal(ota_update_pending(&stage->ram.device, NULL, &identity, &size, &offset),
                     OTA_OK);
    assert_true(offset > 0);
    snprintf(head, sizeof head,
             "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes %u-%u/%u\r\nETag: \"e\"\r\n\r\n",
             (unsigned)offset, (unsigned)size - 1, (unsigned)size);
    struct scene *rest = stage_add_scene(stage, head);
    rest->body = stage->image + offset;
    rest->body_len = stage->image_len - offset;
    ota_https_service_start(&fetcher);
    run(stage, 2);
    assert_int_equal(seen.err, OTA_OK);
    assert_memory_equal(stage->ram.memory + RAM_OTA_0, stage->image, stage->image_len);
    snprintf(line, sizeof line, " comes, I run 1.0.0, from byte %u on\n", (unsigned)offset);
    stage_assert_logged(stage, line);
}

static unsigned asked;
static enum ota_err refuse_with;

static enum ota_err hold_twice(void *context, const struct ota_gate_question *question,
                               struct ota_gate_answer *answer)
{
    (void)context;
    assert_string_equal(question->way, "https");
    if (question->stage != OTA_GATE_DESCRIBED || asked == 2) {
        return OTA_OK;
    }
    answer->retry_ms = asked++ == 0 ? 60000 : 0;
    answer->reason = "the machine runs";
    return refuse_with;
}

static void test_held_is_asked_for_again(void **state)
{
    struct stage *stage = *state;
    struct ota_gate_hook hook = OTA_GATE_HOOK(NULL, hold_twice, NULL);

    asked = 0;
    refuse_with = OTA_ERR_HELD;
    stage->options.gates = &hook.gate;
    for (unsigned i = 0; i < 3; i++) {
        stage_add_offer(stage);
    }
    ota_https_service_start(&fetcher);
    stage_begin(stage);
    assert_in_range(run(stage, 1), 65000, 66000); /* the gate's time, then its own */
    assert_int_equal(seen.err, OTA_OK);
    stage_assert_logged(stage, "I update: https put off: the machine runs\n");
    assert_not_logged(stage, "E https");
}

/* What the intake has told is not told again. */
static void test_refused(void **state)
{
    struct stage *stage = *state;
    struct ota_gate_hook hook = OTA_GATE_HOOK(NULL, hold_twice, NULL);

    asked = 0;
    refuse_with = OTA_ERR_REFUSED;
    stage->options.gates = &hook.gate;
    stage_add_offer(stage);
    ota_https_service_start(&fetcher);
    stage_begin(stage);
    run(stage, 1);
    assert_int_equal(seen.err, OTA_ERR_REFUSED);
    stage_assert_logged(stage, "W update: https refused: the machine runs\n");
    assert_not_logged(stage, "E https");
}

static void test_another_updates(void **state)
{
    struct stage *stage = *state;

    way_make(&other, stage, "other");
    stage_begin(stage);
    (void)way_does(&other, way_begin_half);
    ota_https_service_start(&fetcher);
    (void)ota_agent_poll(&stage->agent);
    stage_assert_logged(stage, "I https: put off: another update is under way");
    (void)way_does(&other, way_give_up);
    stage_add_offer(stage);
    assert_in_range(run(stage, 1), 4000, 6000);
    assert_int_equal(seen.err, OTA_OK);
}

/* It has not begun to write when another one comes that is to be alone: its connection is closed.
 */
static void test_it_gives_way(void **state)
{
    struct stage *stage = *state;

    way_make(&other, stage, "other");
    stage->options.exclusive = true;
    stage_add_scene(stage, "")->silent = true;
    ota_https_service_start(&fetcher);
    stage_begin(stage);
    (void)ota_agent_poll(&stage->agent);
    assert_true(stage->is_open);
    (void)way_does(&other, way_begin_half);
    assert_false(stage->is_open);
    for (unsigned i = 0; i < 5; i++) {
        (void)ota_agent_poll(&stage->agent);
    }
    assert_false(stage->is_open);
    stage_add_offer(stage);
    (void)way_does(&other, way_give_up);
    run(stage, 1);
    assert_int_equal(seen.err, OTA_OK);
}

static void test_it_waits_for_a_trial(void **state)
{
    struct stage *stage = *state;

    stage_add_offer(stage);
    ota_https_service_start(&fetcher);
    stage_begin(stage);
    run(stage, 1);
    (void)ota_agent_poll(&stage->agent);
    stage_boot(stage);
    stage->options.confirm = OTA_CONFIRM_BY_CALLER;
    stage_begin(stage);
    assert_true(stage->agent.is_on_trial);
    ota_https_service_start(&fetcher);
    for (unsigned i = 0; i < 5; i++) {
        stage->now += ota_agent_poll(&stage->agent);
        assert_false(stage->is_open);
    }
    stage_add_offer(stage);
    assert_int_equal(ota_agent_confirm(&stage->agent), OTA_OK);
    assert_in_range(run(stage, 2), 0, 1500);
    assert_int_equal(seen.err, OTA_OK);
}

/* The end in the middle of a run leaves nothing open. */
static void test_the_end(void **state)
{
    struct stage *stage = *state;

    stage_add_scene(stage, "")->silent = true;
    ota_https_service_start(&fetcher);
    stage_begin(stage);
    (void)ota_agent_poll(&stage->agent);
    assert_true(stage->is_open);
    ota_https_service_start(&fetcher); /* it is at work: nothing more */
    ota_agent_end(&stage->agent);
    assert_false(stage->is_open);
    assert_int_equal(seen.ended, 0);
    ota_agent_end(&stage->agent);
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_once_it_is_asked_for),
        TEST(test_before_the_agent_has_begun),
        TEST(test_data_needs_no_restart),
        TEST(test_an_answer_without_it),
        TEST(test_the_next_run_goes_on),
        TEST(test_held_is_asked_for_again),
        TEST(test_refused),
        TEST(test_another_updates),
        TEST(test_it_gives_way),
        TEST(test_it_waits_for_a_trial),
        TEST(test_the_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
