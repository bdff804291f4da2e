/* SPDX-License-Identifier: Apache-2.0 */
/* The scripted platform. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include <updraft/boot.h>

#include "agent/stage.h"
#include "support/images.h"

static struct stage *stage_of_stream(struct ota_stream *stream)
{
    return (struct stage *)(void *)((char *)stream - offsetof(struct stage, stream));
}

static uint32_t now_ms(struct ota_platform *platform)
{
    return ((struct stage *)platform)->now;
}

static enum ota_err random_bytes(struct ota_platform *platform, void *data, size_t len)
{
    struct stage *stage = (struct stage *)platform;

    stage->random_calls++;
    stage->random = stage->random * 1664525u + 1013904223u;
    for (size_t i = 0; i < len; i++) {
        ((uint8_t *)data)[i] = (uint8_t)(stage->random >> (8 * (i % 4)));
    }
    return OTA_OK;
}

static void restart(struct ota_platform *platform, enum ota_restart_reason reason)
{
    struct stage *stage = (struct stage *)platform;

    assert_false(stage->is_open);
    stage->restarts++;
    stage->restart_reason = reason;
}

static void stage_wait(struct ota_platform *platform, uint32_t timeout_ms)
{
    struct stage *stage = (struct stage *)platform;

    assert_int_not_equal(timeout_ms, UINT32_MAX);
    /* A server that speaks, or still takes the request, wakes the agent after a millisecond. */
    if (stage->is_open && !stage->script[stage->played - 1].silent && timeout_ms > 1) {
        timeout_ms = 1;
    }
    stage->now += timeout_ms;
}

static void log_line(struct ota_platform *platform, enum ota_log_level level, const char *tag,
                     const char *text)
{
    struct stage *stage = (struct stage *)platform;
    size_t len = strlen(stage->log);

    snprintf(stage->log + len, sizeof stage->log - len, "%c %s: %s\n", "EWID"[level], tag, text);
}

static enum ota_err stream_read(struct ota_stream *stream, void *data, size_t capacity, size_t *len,
                                bool *ended)
{
    struct stage *stage = stage_of_stream(stream);
    const struct scene *scene = &stage->script[stage->played - 1];
    size_t head_len = strlen(scene->head);
    size_t total = scene->limit != 0 ? scene->limit : head_len + scene->body_len;
    bool asked = strstr(stage->request, "\r\n\r\n") != NULL;

    assert_true(stage->is_open);
    *len = 0;
    *ended = false;
    if (scene->silent || !asked) {
        return OTA_OK;
    }
    if (stage->answered == total) {
        *ended = !scene->stays_open;
        return scene->read_error;
    }
    size_t most = stage->piece != 0 && stage->piece < capacity ? stage->piece : capacity;
    while (*len < most && stage->answered < total) {
        ((uint8_t *)data)[(*len)++] = stage->answered < head_len
                                          ? (uint8_t)scene->head[stage->answered]
                                          : scene->body[stage->answered - head_len];
        stage->answered++;
    }
    return OTA_OK;
}

static enum ota_err stream_write(struct ota_stream *stream, const void *data, size_t len,
                                 size_t *sent)
{
    struct stage *stage = stage_of_stream(stream);

    assert_true(stage->is_open);
    *sent = stage->piece != 0 && stage->piece < len ? stage->piece : len;
    assert_true(stage->request_len + *sent < sizeof stage->request);
    memcpy(stage->request + stage->request_len, data, *sent);
    stage->request_len += *sent;
    stage->request[stage->request_len] = '\0';
    return OTA_OK;
}

static void stream_close(struct ota_stream *stream)
{
    struct stage *stage = stage_of_stream(stream);

    assert_true(stage->is_open);
    stage->is_open = false;
}

static enum ota_err connect(struct ota_platform *platform, const char *host, uint16_t port,
                            struct ota_stream **stream)
{
    struct stage *stage = (struct stage *)platform;

    assert_false(stage->is_open);
    assert_string_equal(host, "server");
    assert_int_equal(port, 8266);
    assert_true(stage->played < stage->scenes);
    const struct scene *scene = &stage->script[stage->played++];
    if (scene->connect != OTA_OK) {
        return scene->connect;
    }
    stage->is_open = true;
    stage->answered = 0;
    stage->request_len = 0;
    stage->request[0] = '\0';
    *stream = &stage->stream;
    return OTA_OK;
}

static bool may_update(void *context, const struct ota_agent *agent)
{
    struct stage *stage = context;

    assert_ptr_equal(agent, &stage->agent);
    stage->update_hook_called = true;
    stage->now += stage->update_hook_takes_ms;
    return !stage->update_refused;
}

static bool may_confirm(void *context, const struct ota_agent *agent)
{
    assert_true(agent->is_on_trial);
    return !((struct stage *)context)->confirm_refused;
}

static void on_event(void *context, const struct ota_agent *agent, enum ota_agent_event event)
{
    struct stage *stage = context;
    size_t len = strlen(stage->events);

    assert_ptr_equal(agent, &stage->agent);
    stage->events[len] = "cdACR"[event]; /* check, done, Activated, Confirmed, Rejected */
}

static void on_update(void *context, const struct ota_update *update, enum ota_update_event event,
                      uint32_t done, uint32_t total)
{
    struct stage *stage = context;

    assert_ptr_equal(update, &stage->agent.intake.update);
    assert_true(done <= total);
    stage->progress += event == OTA_EVENT_PROGRESS;
}

int stage_set_up(void **state)
{
    static struct stage stage;
    struct image_facts facts = {.chip = OTA_CHIP_ESP32S3, .version = "1.0.0"};

    memset(&stage, 0, sizeof stage);
    ram_device_make(&stage.ram);
    stage.ram.device.rollback = true;
    assert_true(image_make(stage.ram.memory + RAM_FACTORY, RAM_SLOT_SIZE, &facts) > 0);
    facts.version = "1.1.0";
    facts.size = STAGE_IMAGE_SIZE;
    stage.image_len = image_make(stage.image, sizeof stage.image, &facts);
    assert_true(stage.image_len > 0);
    stage.platform = (struct ota_platform){
        .now_ms = now_ms,
        .random = random_bytes,
        .restart = restart,
        .connect = connect,
        .wait = stage_wait,
        .log = log_line,
    };
    stage.stream =
        (struct ota_stream){.read = stream_read, .write = stream_write, .close = stream_close};
    stage.now = UINT32_MAX - 1000;
    stage.options = (struct ota_agent_options){
        .platform = &stage.platform,
        .device = &stage.ram.device,
        .url = "http://server:8266/",
        .sta_mac = {2, 0, 0, 0, 0, 1},
        .may_update = may_update,
        .may_confirm = may_confirm,
        .on_event = on_event,
        .on_update = on_update,
        .context = &stage,
        .buffer = stage.buffer,
        .buffer_size = sizeof stage.buffer,
        .text = stage.text,
        .text_size = sizeof stage.text,
    };
    *state = &stage;
    return 0;
}

void stage_begin(struct stage *stage)
{
    memset(stage->events, 0, sizeof stage->events);
    memset(stage->log, 0, sizeof stage->log);
    assert_int_equal(ota_agent_begin(&stage->agent, &stage->options), OTA_OK);
}

struct scene *stage_add_scene(struct stage *stage, const char *head)
{
    struct scene *scene = &stage->script[stage->scenes++];

    assert_true(stage->scenes <= STAGE_SCENES_MAX);
    scene->head = head;
    return scene;
}

/* The server has 1.1.0. */
struct scene *stage_add_offer(struct stage *stage)
{
    static char head[128];

    snprintf(head, sizeof head,
             "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\nx-version: 1.1.0\r\n"
             "ETag: \"e\"\r\n\r\n",
             stage->image_len);
    struct scene *scene = stage_add_scene(stage, head);
    scene->body = stage->image;
    scene->body_len = stage->image_len;
    return scene;
}

const char stage_current[] = "HTTP/1.1 304 Not Modified\r\n\r\n";

/* Polls and waits until `checks` checks have ended, or a restart is due. */
void stage_run_checks(struct stage *stage, uint32_t checks)
{
    for (unsigned i = 0; i < 100000; i++) {
        uint32_t wait_ms = ota_agent_poll(&stage->agent);
        if (stage->agent.is_restarting || stage->agent.checks >= checks) {
            return;
        }
        stage_wait(&stage->platform, wait_ms);
    }
    fail_msg("%u checks did not come about", checks);
}

/* Boots what the flash says, as the bootloader does. */
void stage_boot(struct stage *stage)
{
    static uint8_t buffer[1024];
    struct ota_boot boot = {.device = &stage->ram.device, .read = ota_image_read};

    assert_int_equal(ota_boot_decide(&boot, buffer, sizeof buffer), OTA_OK);
}

/* Updates to 1.1.0 and boots it on trial. */
void stage_update_and_boot(struct stage *stage)
{
    stage_add_offer(stage);
    stage_begin(stage);
    ota_agent_run(&stage->agent);
    assert_int_equal(stage->restart_reason, OTA_RESTART_UPDATE);
    stage_boot(stage);
    assert_int_equal(stage->ram.device.running_slot, 0);
    assert_true(ota_slot_is_on_trial(&stage->ram.device));
    stage->restarts = 0;
}

void stage_assert_logged(const struct stage *stage, const char *text)
{
    if (strstr(stage->log, text) == NULL) {
        print_message("%s", stage->log);
        fail_msg("no line has \"%s\"", text);
    }
}
