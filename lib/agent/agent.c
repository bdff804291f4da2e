/* SPDX-License-Identifier: Apache-2.0 */
/* The agent's loop: the ways in by turns, the door they share, and the restart that follows. */

#include "agent/agent_private.h"
#include "agent/turn.h"

#include <string.h>

void ota__agent_tell(const struct ota_agent *agent, enum ota_agent_event event)
{
    if (agent->options.on_event != NULL) {
        agent->options.on_event(agent->options.context, agent, event);
    }
}

uint32_t ota__agent_random_below(const struct ota_agent *agent, uint32_t bound)
{
    struct ota_platform *platform = agent->options.platform;
    uint32_t number = 0;

    if (platform->random(platform, &number, sizeof number) != OTA_OK) {
        number = platform->now_ms(platform);
    }
    return number % bound;
}

/* ---- The restart ----------------------------------------------------------------------------- */

static void restart(struct ota_agent *agent)
{
    struct ota_platform *platform = agent->options.platform;

    ota_agent_end(agent);
    agent->is_restarting = true;
    if (!agent->options.stay) {
        platform->restart(platform, agent->restart_reason);
    }
}

void ota_agent_restart_in(struct ota_agent *agent, uint32_t delay_ms,
                          enum ota_restart_reason reason)
{
    if (agent->is_restart_due || agent->is_restarting) {
        return;
    }
    agent->is_restart_due = true;
    agent->intake.is_closed = true; /* what came in now would be cut short */
    agent->restart_reason = reason;
    agent->restart_since_ms = agent->options.platform->now_ms(agent->options.platform);
    agent->restart_delay_ms = delay_ms;
}

/* Within a poll the restart waits for its end: who asked for it is still at work. */
void ota__agent_restart(struct ota_agent *agent, enum ota_restart_reason reason)
{
    agent->is_restart_due = false; /* this one comes first */
    ota_agent_restart_in(agent, 0, reason);
    if (!agent->is_polling) {
        restart(agent);
    }
}

/* Restarts when it is time. Returns milliseconds until then, UINT32_MAX if no restart is due. */
static uint32_t watch_restart(struct ota_agent *agent)
{
    /* It may have been asked for in this very poll, after that began. */
    uint32_t now_ms = agent->options.platform->now_ms(agent->options.platform);
    uint32_t passed_ms = now_ms - agent->restart_since_ms;

    if (!agent->is_restart_due) {
        return UINT32_MAX;
    }
    if (passed_ms < agent->restart_delay_ms) {
        return agent->restart_delay_ms - passed_ms;
    }
    restart(agent);
    return UINT32_MAX;
}

/* ---- The door -------------------------------------------------------------------------------- */

static uint32_t clock_of_gates(void *context)
{
    struct ota_platform *platform = ((const struct ota_agent *)context)->options.platform;

    return platform->now_ms(platform);
}

static bool minute_of_week(void *context, uint32_t *minute)
{
    struct ota_platform *platform = ((const struct ota_agent *)context)->options.platform;

    return platform->minute_of_week != NULL && platform->minute_of_week(platform, minute);
}

static bool is_firmware(const struct ota_intake *intake)
{
    return intake->update.slot != OTA_SLOT_NONE;
}

static void on_intake(void *context, const struct ota_intake *intake, enum ota_intake_event event)
{
    const struct ota_agent *agent = context;

    ota__report_intake(agent, event);
    if (event == OTA_INTAKE_ACTIVATED && is_firmware(intake)) {
        ota__agent_tell(agent, OTA_AGENT_ACTIVATED);
    }
}

static void on_update(void *context, const struct ota_update *update, enum ota_update_event event,
                      uint32_t done, uint32_t total)
{
    const struct ota_agent *agent = context;

    if (event == OTA_EVENT_START) {
        ota__report_start(agent, done);
    }
    if (agent->options.on_update != NULL) {
        agent->options.on_update(agent->options.context, update, event, done, total);
    }
}

static enum ota_err open_intake(struct ota_agent *agent)
{
    const struct ota_agent_options *options = &agent->options;
    const struct ota_intake_options intake = {
        .device = options->device,
        .buffer = options->buffer,
        .buffer_size = options->buffer_size,
        .gates = options->gates,
        .data_label = options->data_label,
        .unwrap = options->unwrap,
        .now_ms = clock_of_gates,
        .minute_of_week = minute_of_week,
        .on_event = on_intake,
        .on_update = on_update,
        .context = agent,
    };

    return ota_intake_init(&agent->intake, &intake);
}

/* Looks after an update that a gate holds. Its way in does not wait for it, so the restart is the
   agent's; it may still have its last words to say. */
static uint32_t poll_intake(struct ota_agent *agent)
{
    uint32_t accepted = agent->intake.accepted;

    if (agent->intake.arrival.attended) {
        return UINT32_MAX;
    }
    uint32_t wait_ms = ota_intake_poll(&agent->intake);

    if (agent->intake.accepted != accepted && is_firmware(&agent->intake)) {
        ota_agent_restart_in(agent, OTA_AGENT_RELEASE_DELAY_MS, OTA_RESTART_UPDATE);
    }
    return wait_ms;
}

/* ---- The loop -------------------------------------------------------------------------------- */

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* The services come before the check, so that it sees what they left of the door, and the restart
   comes last, when nobody is at work. */
static uint32_t poll_all(struct ota_agent *agent, uint32_t now_ms)
{
    uint32_t wait_ms = ota__trial_watch(agent, now_ms);

    wait_ms = least(wait_ms, poll_intake(agent));
    wait_ms = least(wait_ms, ota__services_poll(agent, now_ms));
    wait_ms = least(wait_ms, ota__check_poll(agent, now_ms));
    if (ota__services_settle(agent)) {
        wait_ms = 0;
    }
    return least(wait_ms, watch_restart(agent));
}

uint32_t ota_agent_poll(struct ota_agent *agent)
{
    struct ota_platform *platform = agent->options.platform;

    if (agent->is_restarting) {
        return UINT32_MAX;
    }
    agent->is_polling = true;
    uint32_t begin_ms = platform->now_ms(platform);
    uint32_t wait_ms = poll_all(agent, begin_ms);
    uint32_t took_ms = platform->now_ms(platform) - begin_ms;
    if (took_ms > OTA__LOOK_MS) {
        agent->held_up_ms += took_ms;
    }
    agent->is_polling = false;
    return agent->is_restarting ? UINT32_MAX : wait_ms;
}

void ota_agent_run(struct ota_agent *agent)
{
    struct ota_platform *platform = agent->options.platform;

    for (;;) {
        uint32_t wait_ms = ota_agent_poll(agent);
        if (agent->is_restarting) {
            return;
        }
        platform->wait(platform, wait_ms);
    }
}

/* ---- Beginning and end ----------------------------------------------------------------------- */

static enum ota_err begin(struct ota_agent *agent, uint32_t now_ms)
{
    enum ota_err err = open_intake(agent);

    if (err == OTA_OK) {
        ota__agent_gather_facts(agent);
        err = ota__check_begin(agent, now_ms);
    }
    if (err == OTA_OK) {
        err = ota__services_begin(agent);
    }
    if (err == OTA_OK) {
        ota__trial_begin(agent, now_ms);
        ota__check_plan_first(agent);
    }
    return err;
}

enum ota_err ota_agent_begin(struct ota_agent *agent, const struct ota_agent_options *options)
{
    struct ota_platform *platform = options->platform;

    if (platform == NULL || options->device == NULL || options->buffer == NULL ||
        options->buffer_size == 0 || options->interval_s > OTA_AGENT_SECONDS_MAX ||
        options->confirm_timeout_s > OTA_AGENT_SECONDS_MAX) {
        return OTA_ERR_ARGUMENT;
    }
    memset(agent, 0, sizeof *agent);
    agent->options = *options;
    return begin(agent, platform->now_ms(platform));
}

void ota_agent_end(struct ota_agent *agent)
{
    ota__check_end(agent);
    ota__services_end(agent);
    ota_intake_suspend(&agent->intake);
}
