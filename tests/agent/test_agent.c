/* SPDX-License-Identifier: Apache-2.0 */
/* The agent: checks, updates, and what it says of them. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "agent/stage.h"

static void test_an_update_from_start_to_confirmed(void **state)
{
    struct stage *stage = *state;

    for (size_t piece = 0; piece < 3; piece++) {
        (void)stage_set_up(state);
        stage->piece = piece;
        stage_update_and_boot(stage);
        assert_non_null(strstr(stage->request, "GET / HTTP/1.1\r\nHost: server:8266\r\n"));
        assert_non_null(strstr(stage->request, "x-Updraft-Chip: esp32-s3\r\n"));
        assert_non_null(strstr(stage->request, "x-Updraft-Project: test\r\n"));
        assert_non_null(strstr(stage->request, "x-Updraft-version: 1.0.0\r\n"));
        assert_non_null(strstr(stage->request, "x-Updraft-STA-MAC: 02:00:00:00:00:01\r\n"));
        assert_non_null(strstr(stage->request, "x-Updraft-free-space: 65536\r\n"));
        assert_non_null(strstr(stage->request, "x-Updraft-sketch-size: 336\r\n"));
        assert_non_null(strstr(stage->request, "x-Updraft-sketch-md5: "));
        assert_non_null(strstr(stage->request, "x-Updraft-sdk-version: v5.2\r\n"));
        assert_string_equal(stage->events, "cdA");
        assert_true(stage->progress > 0);
        stage_assert_logged(stage, "I pull: server has 1.1.0, I run 1.0.0\n");
        stage_assert_logged(stage, "I update: ota_0 <- 8.8 KB from server\n");
        stage_assert_logged(stage, "I update: ota_0  8.8 KB  100 %  erase ");
        stage_assert_logged(stage,
                            "I update: proven: size, structure, checksum, sha256, chip, version\n");
        stage_assert_logged(stage, "I otadata: sector 0 <- seq 1, new        restart\n");

        stage_add_scene(stage, stage_current);
        stage_begin(stage);
        assert_true(stage->agent.is_on_trial);
        stage_run_checks(stage, 1);
        assert_false(stage->agent.is_on_trial);
        assert_false(ota_slot_is_on_trial(&stage->ram.device));
        assert_string_equal(stage->events, "cCd");
        stage_assert_logged(stage, "I confirm: 1.1.0 reached the server: kept\n");
        stage_assert_logged(stage, "I pull: server has nothing newer than 1.1.0\n");
        assert_int_equal(stage->restarts, 0);
    }
}

static void test_the_gate(void **state)
{
    struct stage *stage = *state;

    stage->update_refused = true;
    stage_add_offer(stage);
    stage_begin(stage);
    stage_run_checks(stage, 1);
    assert_true(stage->update_hook_called);
    assert_int_equal(stage->agent.pull.result, OTA_PULL_DECLINED);
    stage_assert_logged(stage, "I pull: server has 1.1.0, not wanted now\n");
    assert_int_equal(stage->restarts, 0);
    assert_string_equal(stage->events, "cd");
}

static void test_a_broken_line_is_resumed(void **state)
{
    struct stage *stage = *state;
    static char head[256];

    struct scene *cut = stage_add_offer(stage);
    cut->limit = strlen(cut->head) + 5000;
    cut->read_error = OTA_ERR_CONNECTION_LOST;
    snprintf(head, sizeof head,
             "HTTP/1.1 206 Rest\r\nContent-Range: bytes 4096-%zu/%zu\r\nETag: \"e\"\r\n\r\n",
             stage->image_len - 1, stage->image_len);
    struct scene *rest = stage_add_scene(stage, head);
    rest->body = stage->image + 4096;
    rest->body_len = stage->image_len - 4096;
    stage_begin(stage);
    ota_agent_run(&stage->agent);
    assert_int_equal(stage->restarts, 1);
    assert_non_null(strstr(stage->request, "\r\nRange: bytes=4096-\r\nIf-Range: \"e\"\r\n"));
    stage_assert_logged(stage, "I update: ota_0 resumes at 4,096 of ");
    stage_assert_logged(stage, " (at byte 5,000); again in 1 s\n");
    assert_memory_equal(stage->ram.memory + RAM_OTA_0, stage->image, stage->image_len);
}

static void test_a_redirect_is_told(void **state)
{
    struct stage *stage = *state;

    stage_add_scene(stage, "HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\n\r\n");
    stage_add_scene(stage, stage_current);
    stage_begin(stage);
    stage_run_checks(stage, 1);
    assert_int_equal(stage->agent.pull.result, OTA_PULL_CURRENT);
    stage_assert_logged(stage, "I pull: the server sends me on to server port 8266\n");
}

/* The server has another image by now: nothing of the interrupted one is of use. */
static void test_a_rest_that_is_gone(void **state)
{
    struct stage *stage = *state;

    struct scene *cut = stage_add_offer(stage);
    cut->limit = strlen(cut->head) + 5000;
    stage_add_scene(stage, "HTTP/1.1 416 Range Not Satisfiable\r\n\r\n");
    stage_add_offer(stage);
    stage_begin(stage);
    ota_agent_run(&stage->agent);
    assert_int_equal(stage->restarts, 1);
    stage_assert_logged(stage,
                        "I pull: the server does not have the rest of the interrupted update: ");
    assert_memory_equal(stage->ram.memory + RAM_OTA_0, stage->image, stage->image_len);
}

static void test_failures_are_told_and_survived(void **state)
{
    struct stage *stage = *state;

    stage_add_scene(stage, "HTTP/1.1 404 Not Found\r\n\r\n");
    stage_add_scene(stage, "HTTP/1.1 410 Gone\r\n\r\n");
    for (unsigned i = 0; i < OTA_PULL_RETRIES + 1; i++) {
        stage_add_scene(stage, "")->connect = OTA_ERR_CONNECT;
    }
    stage_begin(stage);
    stage_run_checks(stage, 1);
    stage_assert_logged(stage, ": the server has no such file (404)\n");
    stage_run_checks(stage, 2);
    stage_assert_logged(stage, " a status that offers no update (HTTP 410)\n");
    stage_run_checks(stage, 3);
    assert_int_equal(stage->agent.pull.failure.err, OTA_ERR_CONNECT);
    assert_int_equal(stage->played, stage->scenes);
    stage_assert_logged(stage, "E pull: ");
    assert_int_equal(stage->restarts, 0);
    /* The running image is on no trial; nothing rejects it. */
    assert_string_equal(stage->events, "cdcdcd");
}

static void test_a_silent_server_is_left(void **state)
{
    struct stage *stage = *state;
    uint32_t start;

    stage_add_scene(stage, "")->silent = true;
    stage_add_scene(stage, stage_current)->stays_open = true;
    stage_begin(stage);
    start = stage->now;
    stage_run_checks(stage, 1);
    assert_int_equal(stage->agent.pull.result, OTA_PULL_CURRENT);
    assert_false(stage->is_open);
    assert_in_range(stage->now - start, OTA_HTTP_HEAD_TIMEOUT_MS,
                    OTA_HTTP_HEAD_TIMEOUT_MS + OTA_PULL_BACKOFF_MS);
}

/* The pull's owner takes a minute to decide: that is not the server's fault. */
static void test_a_turn_that_takes_long(void **state)
{
    struct stage *stage = *state;

    stage->piece = 100;
    stage->update_hook_takes_ms = 300000;
    stage_add_offer(stage);
    stage_begin(stage);
    stage_run_checks(stage, 1);
    assert_int_equal(stage->restarts, 1);
    assert_null(strstr(stage->log, ota_err_text(OTA_ERR_TIMEOUT)));
}

static void test_checks_come_at_their_times(void **state)
{
    struct stage *stage = *state;
    uint32_t last, least = UINT32_MAX, most = 0;

    stage->options.interval_s = 100;
    for (unsigned i = 0; i < STAGE_SCENES_MAX; i++) {
        stage_add_scene(stage, stage_current);
    }
    stage_begin(stage);
    last = stage->now;
    stage_run_checks(stage, 1);
    assert_int_equal(stage->now, last); /* the first one at once */
    for (uint32_t checks = 2; checks <= STAGE_SCENES_MAX - 1; checks++) {
        stage_run_checks(stage, checks);
        uint32_t passed = stage->now - last;
        least = passed < least ? passed : least;
        most = passed > most ? passed : most;
        last = stage->now;
    }
    assert_in_range(least, 90000, 110000);
    assert_in_range(most, 90000, 110000);
    assert_true(most > least);
    /* Asked for, it comes at once. */
    ota_agent_check_now(&stage->agent);
    stage_run_checks(stage, STAGE_SCENES_MAX);
    assert_int_equal(stage->now, last);
}

static void test_the_first_check_may_be_spread(void **state)
{
    struct stage *stage = *state;
    bool differ = false;
    uint32_t first = 0;

    stage->options.first_check_ms = 60000;
    for (unsigned i = 0; i < STAGE_SCENES_MAX; i++) {
        stage_add_scene(stage, stage_current);
        stage_begin(stage);
        uint32_t start = stage->now;
        stage_run_checks(stage, 1);
        assert_in_range(stage->now - start, 0, 59999);
        differ = differ || (i > 0 && stage->now - start != first);
        first = stage->now - start;
    }
    assert_true(differ);
}

static void test_a_data_partition(void **state)
{
    struct stage *stage = *state;
    struct scene *scene;

    stage->options.label = "storage";
    scene = stage_add_scene(stage, "HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n");
    scene->body = stage->image;
    scene->body_len = 5000;
    stage_begin(stage);
    stage_run_checks(stage, 1);
    assert_non_null(strstr(stage->request, "x-Updraft-mode: spiffs\r\n"));
    assert_non_null(strstr(stage->request, "x-Updraft-free-space: 16384\r\n"));
    assert_memory_equal(stage->ram.memory + RAM_STORAGE, stage->image, 5000);
    stage_assert_logged(stage, "I pull: server has another image, I run 1.0.0\n");
    stage_assert_logged(stage, "I update: proven: size\n");
    assert_int_equal(stage->restarts, 0);
}

static void test_staying_after_an_update(void **state)
{
    struct stage *stage = *state;

    stage->options.stay = true;
    stage_add_offer(stage);
    stage_begin(stage);
    ota_agent_run(&stage->agent);
    assert_true(stage->agent.is_restarting);
    assert_int_equal(stage->restarts, 0);
    assert_int_equal(ota_agent_poll(&stage->agent), UINT32_MAX);
    stage_boot(stage);
    assert_int_equal(stage->ram.device.running_slot, 0);
}

static void test_ending(void **state)
{
    struct stage *stage = *state;
    struct scene *scene = stage_add_offer(stage);

    scene->limit = strlen(scene->head) + 5000;
    scene->stays_open = true;
    stage_begin(stage);
    for (unsigned i = 0; i < 20; i++) {
        (void)ota_agent_poll(&stage->agent);
    }
    assert_true(stage->is_open);
    ota_agent_end(&stage->agent);
    assert_false(stage->is_open);
    assert_int_equal(stage->agent.intake.update.state, OTA_UPDATE_IDLE);
    ota_agent_end(&stage->agent);
}

static void test_wrong_options(void **state)
{
    struct stage *stage = *state;
    const struct ota_agent_options good = stage->options;
    struct ota_agent_options wrong = good;

    wrong.platform = NULL;
    assert_int_equal(ota_agent_begin(&stage->agent, &wrong), OTA_ERR_ARGUMENT);
    wrong = good;
    wrong.device = NULL;
    assert_int_equal(ota_agent_begin(&stage->agent, &wrong), OTA_ERR_ARGUMENT);
    wrong = good;
    wrong.buffer_size = 0;
    assert_int_equal(ota_agent_begin(&stage->agent, &wrong), OTA_ERR_ARGUMENT);
    wrong = good;
    wrong.interval_s = OTA_AGENT_SECONDS_MAX + 1;
    assert_int_equal(ota_agent_begin(&stage->agent, &wrong), OTA_ERR_ARGUMENT);
    wrong = good;
    wrong.url = "gopher://server/";
    assert_int_equal(ota_agent_begin(&stage->agent, &wrong), OTA_ERR_URL);
}

#define TEST(function) cmocka_unit_test_setup(function, stage_set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_an_update_from_start_to_confirmed),
        TEST(test_the_gate),
        TEST(test_a_broken_line_is_resumed),
        TEST(test_a_redirect_is_told),
        TEST(test_a_rest_that_is_gone),
        TEST(test_failures_are_told_and_survived),
        TEST(test_a_silent_server_is_left),
        TEST(test_a_turn_that_takes_long),
        TEST(test_checks_come_at_their_times),
        TEST(test_the_first_check_may_be_spread),
        TEST(test_a_data_partition),
        TEST(test_staying_after_an_update),
        TEST(test_ending),
        TEST(test_wrong_options),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
