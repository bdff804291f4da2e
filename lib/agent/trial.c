/* SPDX-License-Identifier: Apache-2.0 */
/* A new image on trial: what confirms it, and how it goes when nothing does. */

#include "agent/agent_private.h"

static void put_running(const struct ota_agent *agent, struct ota_text *text)
{
    ota_text_put(text, ota__report_version(agent));
}

static void keep(struct ota_agent *agent, const char *why)
{
    char line[96];
    struct ota_text text;
    enum ota_err err = ota_slot_confirm(agent->options.device);

    if (err != OTA_OK) {
        ota__report_error(agent, OTA_LOG_ERROR, "confirm", "the running image cannot be confirmed",
                          err);
        return;
    }
    agent->is_on_trial = false;
    ota_text_begin(&text, line, sizeof line);
    put_running(agent, &text);
    ota_text_put(&text, " ");
    ota_text_put(&text, why);
    ota_text_put(&text, ": kept");
    ota__report(agent, OTA_LOG_INFO, "confirm", ota_text_end(&text));
    ota__agent_tell(agent, OTA_AGENT_CONFIRMED);
}

void ota__trial_begin(struct ota_agent *agent, uint32_t now_ms)
{
    agent->begun_ms = now_ms;
    agent->is_on_trial = ota_slot_is_on_trial(agent->options.device);
    if (agent->is_on_trial && agent->options.confirm == OTA_CONFIRM_AT_ONCE) {
        keep(agent, "has started");
    }
}

void ota__trial_contact(struct ota_agent *agent)
{
    const struct ota_agent_options *options = &agent->options;

    if (!agent->is_on_trial || options->confirm != OTA_CONFIRM_ON_CONTACT) {
        return;
    }
    if (options->may_confirm == NULL || options->may_confirm(options->context, agent)) {
        keep(agent, "reached the server");
    } else {
        ota__report(agent, OTA_LOG_WARNING, "confirm",
                    "the server is reached, but the self-test is not passed: still on trial");
    }
}

enum ota_err ota_agent_confirm(struct ota_agent *agent)
{
    if (!agent->is_on_trial) {
        return OTA_ERR_STATE;
    }
    enum ota_err err = ota_slot_confirm(agent->options.device);
    if (err == OTA_OK) {
        agent->is_on_trial = false;
        ota__report(agent, OTA_LOG_INFO, "confirm", "the program keeps this image");
        ota__agent_tell(agent, OTA_AGENT_CONFIRMED);
    }
    return err;
}

enum ota_err ota_agent_reject(struct ota_agent *agent)
{
    if (!agent->is_on_trial) {
        return OTA_ERR_STATE;
    }
    enum ota_err err = ota_slot_reject(agent->options.device);
    if (err == OTA_OK) {
        agent->is_on_trial = false;
        ota__agent_tell(agent, OTA_AGENT_REJECTED);
        ota__agent_restart(agent, OTA_RESTART_REJECTED);
    }
    return err;
}

uint32_t ota__trial_watch(struct ota_agent *agent, uint32_t now_ms)
{
    uint32_t limit_s = agent->options.confirm_timeout_s;
    limit_s = limit_s != 0 ? limit_s : OTA_AGENT_CONFIRM_TIMEOUT_S;
    uint32_t limit_ms = 1000u * limit_s;
    uint32_t passed_ms = now_ms - agent->begun_ms;

    if (!agent->is_on_trial) {
        return UINT32_MAX;
    }
    if (passed_ms < limit_ms) {
        return limit_ms - passed_ms;
    }
    char line[96];
    struct ota_text text;
    ota_text_begin(&text, line, sizeof line);
    put_running(agent, &text);
    ota_text_put(&text, " was not confirmed within ");
    ota_text_put_decimal(&text, limit_s);
    ota_text_put(&text, " s: back to the image before");
    ota__report(agent, OTA_LOG_ERROR, "confirm", ota_text_end(&text));
    enum ota_err err = ota_agent_reject(agent);
    if (err != OTA_OK) {
        /* Nothing to go back to: better to run unconfirmed than not at all. */
        agent->is_on_trial = false;
        ota__report_error(agent, OTA_LOG_ERROR, "confirm", "it stays all the same", err);
    }
    return UINT32_MAX;
}
