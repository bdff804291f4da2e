/* SPDX-License-Identifier: Apache-2.0 */
/* The upgrade list in the agent's loop: when it runs, and the one restart. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <updraft/slot.h>
#include <updraft/upgrade_service.h>

#include "proto/ram_device.h"
#include "support/images.h"

#define IMAGE_MAX 9100u

struct stage {
    struct ota_platform platform; /* first: a cast gets the stage back */
    struct ota_scheme scheme;
    struct ota_fetch fetch;
    struct ram_device ram;
    struct ota_agent agent;
    struct ota_agent_options options;
    struct ota_upgrade_service service;
    struct ota_upgrade_item items[2];
    uint32_t now;
    uint8_t buffer[4096], image[IMAGE_MAX];
    size_t image_len, at;
    unsigned opened;
    char trace[512]; /* F: finish, A: activated, C: confirmed, R: restart */
};

static struct stage stage;

static void note(const char *what)
{
    (void)strcat(stage.trace, what);
}

static uint32_t now_ms(struct ota_platform *platform)
{
    return ((const struct stage *)platform)->now;
}

static enum ota_err random_bytes(struct ota_platform *platform, void *data, size_t len)
{
    (void)platform;
    memset(data, 7, len);
    return OTA_OK;
}

static void restart(struct ota_platform *platform, enum ota_restart_reason reason)
{
    (void)platform;
    note(reason == OTA_RESTART_UPDATE ? "R" : "?");
}

static void log_line(struct ota_platform *platform, enum ota_log_level level, const char *tag,
                     const char *text)
{
    (void)platform;
    (void)level;
    (void)tag;
    (void)text;
}

static bool serves(const struct ota_scheme *scheme, const char *name)
{
    (void)scheme;
    return strcmp(name, "mem") == 0;
}

static enum ota_err read_image(struct ota_fetch *fetch, void *data, size_t capacity, size_t *len,
                               bool *ended)
{
    size_t left = stage.image_len - stage.at;

    assert_ptr_equal(fetch, &stage.fetch);
    *len = left < capacity ? left : capacity;
    memcpy(data, stage.image + stage.at, *len);
    stage.at += *len;
    *ended = stage.at == stage.image_len;
    return OTA_OK;
}

static void close_image(struct ota_fetch *fetch)
{
    (void)fetch;
}

static enum ota_err open_image(struct ota_scheme *scheme, struct ota_platform *platform,
                               const struct ota_fetch_request *request, struct ota_fetch **fetch)
{
    (void)scheme;
    (void)platform;
    if (strcmp(request->uri, "mem:image") != 0) {
        return OTA_ERR_SOURCE;
    }
    stage.at = 0;
    stage.opened++;
    stage.fetch = (struct ota_fetch){(uint32_t)stage.image_len, read_image, close_image};
    *fetch = &stage.fetch;
    return OTA_OK;
}

static void on_list(void *context, const struct ota_upgrade_list *list,
                    enum ota_upgrade_event event)
{
    (void)context;
    (void)list;
    if (event == OTA_UPGRADE_EVENT_FINISH) {
        note("F");
    }
}

static void on_agent(void *context, const struct ota_agent *agent, enum ota_agent_event event)
{
    (void)context;
    (void)agent;
    note(event == OTA_AGENT_ACTIVATED ? "A" : event == OTA_AGENT_CONFIRMED ? "C" : "?");
}

static void make_image(const char *version)
{
    const struct image_facts facts = {
        .chip = OTA_CHIP_ESP32S3, .size = 9000, .version = version, .seed = 3};

    stage.image_len = image_make(stage.image, sizeof stage.image, &facts);
}

static int set_up(void **state)
{
    const struct image_facts running = {.chip = OTA_CHIP_ESP32S3, .version = "1.0.0"};

    (void)state;
    memset(&stage, 0, sizeof stage);
    ram_device_make(&stage.ram);
    stage.ram.device.rollback = true;
    (void)image_make(stage.ram.memory + RAM_FACTORY, RAM_SLOT_SIZE, &running);
    make_image("1.1.0");
    stage.platform = (struct ota_platform){
        .now_ms = now_ms, .random = random_bytes, .restart = restart, .log = log_line};
    stage.scheme = (struct ota_scheme){serves, open_image, NULL};
    stage.items[0] =
        (struct ota_upgrade_item){.kind = OTA_UPGRADE_APP, .uri = "mem:image", .restart = true};
    stage.options = (struct ota_agent_options){
        .platform = &stage.platform,
        .device = &stage.ram.device,
        .services = &stage.service.service,
        .confirm = OTA_CONFIRM_AT_ONCE,
        .on_event = on_agent,
        .buffer = stage.buffer,
        .buffer_size = sizeof stage.buffer,
    };
    return 0;
}

static void begin(size_t count, uint32_t interval_s)
{
    stage.trace[0] = '\0';
    ota_upgrade_service_init(&stage.service, &(struct ota_upgrade_service_options){
                                                 .items = stage.items,
                                                 .count = count,
                                                 .schemes = &stage.scheme,
                                                 .interval_s = interval_s,
                                                 .on_event = on_list,
                                             });
    assert_int_equal(ota_agent_begin(&stage.agent, &stage.options), OTA_OK);
}

/* Polls for so long a time of the stage's clock, or until a restart. */
static void run_for(uint32_t ms)
{
    uint32_t end = stage.now + ms;

    while (stage.now < end && !stage.agent.is_restarting) {
        uint32_t wait_ms = ota_agent_poll(&stage.agent);
        uint32_t left = end - stage.now;
        stage.now += wait_ms < left ? wait_ms : left;
    }
}

static void boot(void)
{
    int slot;

    assert_int_equal(ota_slot_boot(&stage.ram.device, &slot), OTA_OK);
    stage.ram.device.running_slot = slot;
}

/* The restart comes once, after the finish event; the next boot has nothing to do. */
static void test_one_restart(void **state)
{
    (void)state;
    begin(1, 0);
    run_for(10000);
    assert_string_equal(stage.trace, "AFR");
    for (int boots = 0; boots < 5; boots++) {
        boot();
        begin(1, 0);
        run_for(10000);
        assert_string_equal(stage.trace, boots == 0 ? "CF" : "F");
        ota_agent_end(&stage.agent);
    }
}

static void test_no_restart_after_a_failure(void **state)
{
    (void)state;
    stage.items[1] = (struct ota_upgrade_item){
        .kind = OTA_UPGRADE_DATA, .label = "storage", .uri = "mem:none", .restart = true};
    begin(2, 0);
    run_for(100000);
    assert_string_equal(stage.trace, "AF");
}

/* While the image that runs is on trial, its fallback is not overwritten. */
static void test_waits_for_the_trial(void **state)
{
    (void)state;
    begin(1, 0);
    run_for(10000);
    boot();
    make_image("1.2.0");
    stage.opened = 0;
    stage.options.confirm = OTA_CONFIRM_BY_CALLER;
    begin(1, 0);
    run_for(60000);
    assert_int_equal(stage.opened, 0);
    assert_string_equal(stage.trace, "");
    assert_int_equal(ota_agent_confirm(&stage.agent), OTA_OK);
    run_for(5000);
    assert_string_equal(stage.trace, "CAFR");
}

static void test_interval(void **state)
{
    (void)state;
    make_image("1.0.0");
    begin(1, 60);
    run_for(59000);
    assert_int_equal(stage.opened, 1);
    run_for(2000);
    assert_int_equal(stage.opened, 2);
    make_image("1.0.1");
    run_for(60000);
    assert_string_equal(stage.trace, "FFAFR");
}

static void test_start_by_hand(void **state)
{
    (void)state;
    make_image("1.0.0");
    begin(1, 0);
    run_for(100000);
    assert_int_equal(stage.opened, 1);
    ota_upgrade_service_start(&stage.service);
    run_for(1000);
    assert_int_equal(stage.opened, 2);
}

/* A list that cannot be is said when the agent begins. */
static void test_bad_list(void **state)
{
    (void)state;
    stage.items[0].uri = NULL;
    ota_upgrade_service_init(&stage.service, &(struct ota_upgrade_service_options){
                                                 .items = stage.items,
                                                 .count = 1,
                                                 .schemes = &stage.scheme,
                                             });
    assert_int_equal(ota_agent_begin(&stage.agent, &stage.options), OTA_ERR_ARGUMENT);
}

/* An activation that a gate holds: the list waits for it, and only then is through. */
static enum ota_err hold_for_a_while(void *context, const struct ota_gate_question *question,
                                     struct ota_gate_answer *answer)
{
    (void)context;
    (void)answer;
    return question->stage == OTA_GATE_ACTIVATE && question->now_ms < 30000 ? OTA_ERR_HELD : OTA_OK;
}

static void test_held_activation(void **state)
{
    struct ota_gate_hook hook = OTA_GATE_HOOK(NULL, hold_for_a_while, NULL);

    (void)state;
    stage.options.gates = &hook.gate;
    begin(1, 0);
    run_for(29000);
    assert_string_equal(stage.trace, "");
    assert_int_equal(stage.agent.intake.state, OTA_INTAKE_HELD);
    run_for(5000);
    assert_string_equal(stage.trace, "AFR");
}

int main(void)
{
#define FRESH(test) cmocka_unit_test_setup(test, set_up)
    const struct CMUnitTest tests[] = {
        FRESH(test_one_restart),         FRESH(test_no_restart_after_a_failure),
        FRESH(test_waits_for_the_trial), FRESH(test_interval),
        FRESH(test_start_by_hand),       FRESH(test_bad_list),
        FRESH(test_held_activation),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
