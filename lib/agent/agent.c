/* SPDX-License-Identifier: Apache-2.0 */
/* The agent's loop: when to ask the server, carrying bytes between stream and pull, and what follows. */

#include "agent/agent_private.h"

#include <string.h>

#define PIECE 1024u
/* One poll reads at most this many pieces, so that a fast network leaves the program its turn. */
#define PIECES_PER_POLL 16u
/* A stream that could take or give nothing is looked at again after this time at the latest; the
   platform's wait ends earlier when it stirs. */
#define STREAM_LOOK_MS 1000u

static uint32_t seconds_or(uint32_t value, uint32_t fallback)
{
    return value != 0 ? value : fallback;
}

static uint32_t random_below(const struct ota_agent *agent, uint32_t bound)
{
    struct ota_platform *platform = agent->options.platform;
    uint32_t number = 0;

    if (platform->random(platform, &number, sizeof number) != OTA_OK) {
        number = platform->now_ms(platform);
    }
    return number % bound;
}

void ota__agent_tell(const struct ota_agent *agent, enum ota_agent_event event)
{
    if (agent->options.on_event != NULL) {
        agent->options.on_event(agent->options.context, agent, event);
    }
}

static void close_stream(struct ota_agent *agent)
{
    if (agent->stream != NULL) {
        agent->stream->close(agent->stream);
        agent->stream = NULL;
    }
}

void ota__agent_restart(struct ota_agent *agent, enum ota_restart_reason reason)
{
    struct ota_platform *platform = agent->options.platform;

    ota_agent_end(agent);
    agent->is_restarting = true;
    if (!agent->options.stay) {
        platform->restart(platform, reason);
    }
}

/* ---- When ------------------------------------------------------------------------------------- */

static void wait_from_now(struct ota_agent *agent, uint32_t wait_ms)
{
    agent->waiting_ms = agent->options.platform->now_ms(agent->options.platform);
    agent->wait_ms = wait_ms;
}

/* The interval, give or take a tenth: devices that once asked together drift apart. */
static void plan_next_check(struct ota_agent *agent)
{
    uint32_t wait_ms = 1000u * seconds_or(agent->options.interval_s, OTA_AGENT_INTERVAL_S);

    if (agent->is_on_trial && wait_ms > 1000u * OTA_AGENT_TRIAL_INTERVAL_S) {
        wait_ms = 1000u * OTA_AGENT_TRIAL_INTERVAL_S;
    }
    uint32_t tenth = wait_ms / 10;
    wait_from_now(agent, wait_ms - tenth + random_below(agent, 2 * tenth + 1));
}

static uint32_t until_next_check(const struct ota_agent *agent, uint32_t now_ms)
{
    uint32_t passed = now_ms - agent->waiting_ms;

    if (agent->options.url == NULL) {
        return UINT32_MAX;
    }
    return passed < agent->wait_ms ? agent->wait_ms - passed : 0;
}

void ota_agent_check_now(struct ota_agent *agent)
{
    wait_from_now(agent, 0);
}

/* ---- The update ------------------------------------------------------------------------------- */

static enum ota_err on_offer(void *context, const struct ota_pull *pull)
{
    struct ota_agent *agent = context;

    (void)pull;
    ota__trial_contact(agent);
    if (!agent->options.retry_rejected && ota__agent_was_rejected(agent)) {
        ota__report_offer(agent, "which did not prove itself here before: not taken");
        return OTA_ERR_ABORTED;
    }
    if (agent->options.may_update != NULL &&
        !agent->options.may_update(agent->options.context, agent)) {
        ota__report_offer(agent, "not wanted now");
        return OTA_ERR_ABORTED;
    }
    ota__report_offer(agent, NULL);
    return OTA_OK;
}

static void on_pull(void *context, const struct ota_pull *pull, enum ota_pull_event event)
{
    const struct ota_agent *agent = context;

    switch (event) {
    case OTA_PULL_REDIRECTED:
        ota__report_redirect(agent, pull);
        break;
    case OTA_PULL_ASKED_AGAIN:
        ota__report(agent, OTA_LOG_INFO, "pull",
                    "the server does not have the rest of the interrupted update: from the start");
        break;
    case OTA_PULL_RETRY_PLANNED:
        ota__report_retry(agent, pull);
        break;
    default:
        break;
    }
}

static void on_update(void *context, const struct ota_update *update, enum ota_update_event event,
                      uint32_t done, uint32_t total)
{
    const struct ota_agent *agent = context;

    if (event == OTA_EVENT_START) {
        ota__report_start(agent, done);
    } else if (event == OTA_EVENT_PROVEN) {
        ota__report_proven(agent);
    }
    if (agent->options.on_update != NULL) {
        agent->options.on_update(agent->options.context, update, event, done, total);
    }
}

/* Makes the proven image boot, and boots it. A data partition is in place already. */
static void activate(struct ota_agent *agent)
{
    bool is_firmware = agent->update.slot != OTA_SLOT_NONE;
    enum ota_err err = ota_update_activate(&agent->update);

    if (err != OTA_OK) {
        ota_update_abort(&agent->update);
        ota__report_error(agent, OTA_LOG_ERROR, "update",
                          "the new image is proven but cannot be made to boot", err);
        return;
    }
    if (!is_firmware) {
        return;
    }
    ota__report_activated(agent);
    ota__agent_tell(agent, OTA_AGENT_ACTIVATED);
    ota__agent_restart(agent, OTA_RESTART_UPDATE);
}

/* ---- The check -------------------------------------------------------------------------------- */

static enum ota_err begin_pull(struct ota_agent *agent, uint32_t now_ms)
{
    const struct ota_agent_options *options = &agent->options;
    const struct ota_pull_options pull = {
        .url = options->url,
        .credentials = options->credentials,
        .dialect = options->dialect,
        .mode = options->label == NULL ? OTA_PULL_FIRMWARE : OTA_PULL_FILE_SYSTEM,
        .facts = &agent->facts,
        .update = &agent->update,
        .update_options =
            {
                .device = options->device,
                .label = options->label,
                .buffer = options->buffer,
                .buffer_size = options->buffer_size,
                .on_event = on_update,
                .context = agent,
            },
        .text = options->text,
        .text_size = options->text_size,
        .random = random_below(agent, UINT32_MAX),
        .on_offer = on_offer,
        .on_event = on_pull,
        .context = agent,
    };

    return ota_pull_begin(&agent->pull, &pull, now_ms);
}

static void start_check(struct ota_agent *agent, uint32_t now_ms)
{
    agent->is_checking = true;
    ota__agent_tell(agent, OTA_AGENT_CHECKING);
    (void)begin_pull(agent, now_ms); /* the same options as in ota_agent_begin, where it worked */
}

static void end_check(struct ota_agent *agent)
{
    agent->is_checking = false;
    agent->checks++;
    switch (agent->pull.result) {
    case OTA_PULL_CURRENT:
        ota__trial_contact(agent);
        ota__report_current(agent);
        break;
    case OTA_PULL_FAILED:
        ota__report_failure(agent);
        break;
    default:
        break;
    }
    plan_next_check(agent);
    ota__agent_tell(agent, OTA_AGENT_CHECKED);
    if (agent->pull.result == OTA_PULL_UPDATED) {
        activate(agent);
    }
}

static bool wants_stream(const struct ota_agent *agent)
{
    return agent->pull.state == OTA_PULL_EXCHANGING || agent->pull.state == OTA_PULL_SETTLING;
}

static void connect_stream(struct ota_agent *agent)
{
    struct ota_platform *platform = agent->options.platform;
    enum ota_err err =
        platform->connect(platform, agent->pull.host, agent->pull.port, &agent->stream);

    if (err == OTA_OK) {
        ota_pull_connected(&agent->pull);
    } else {
        agent->stream = NULL;
        ota_pull_closed(&agent->pull, err);
    }
}

static void send_some(struct ota_agent *agent)
{
    uint8_t piece[PIECE];
    size_t len;

    while ((len = ota_pull_output(&agent->pull, piece, sizeof piece)) > 0) {
        size_t sent = 0;
        enum ota_err err = agent->stream->write(agent->stream, piece, len, &sent);
        ota_pull_sent(&agent->pull, sent);
        if (err != OTA_OK) {
            ota_pull_closed(&agent->pull, err);
            return;
        }
        if (sent < len) {
            return;
        }
    }
}

/* Returns true if more may be there at once. */
static bool receive_some(struct ota_agent *agent)
{
    uint8_t piece[PIECE];

    for (unsigned i = 0; i < PIECES_PER_POLL && wants_stream(agent); i++) {
        size_t len = 0;
        bool ended = false;
        enum ota_err err = agent->stream->read(agent->stream, piece, sizeof piece, &len, &ended);

        if (err == OTA_OK && len > 0) {
            ota_pull_input(&agent->pull, piece, len);
        }
        if (err != OTA_OK || ended) {
            ota_pull_closed(&agent->pull, err);
            return false;
        }
        if (len == 0) {
            return false;
        }
    }
    return wants_stream(agent);
}

/* Moves the pull on as far as the network lets it. Returns how long it can be left alone. */
static uint32_t carry(struct ota_agent *agent, uint32_t now_ms)
{
    bool more = false;

    ota_pull_tick(&agent->pull, now_ms);
    if (agent->stream != NULL && wants_stream(agent)) {
        send_some(agent);
    }
    if (agent->stream != NULL && wants_stream(agent)) {
        more = receive_some(agent);
    }
    if (!wants_stream(agent)) {
        close_stream(agent);
    }
    if (agent->pull.state == OTA_PULL_CONNECTING) {
        connect_stream(agent);
        return 0;
    }
    if (agent->pull.state == OTA_PULL_DONE) {
        end_check(agent);
        return 0;
    }
    uint32_t wait = more ? 0 : ota_pull_wait_ms(&agent->pull);
    return agent->stream != NULL && wait > STREAM_LOOK_MS ? STREAM_LOOK_MS : wait;
}

uint32_t ota_agent_poll(struct ota_agent *agent)
{
    struct ota_platform *platform = agent->options.platform;
    uint32_t now_ms = platform->now_ms(platform);

    if (agent->is_restarting) {
        return UINT32_MAX;
    }
    uint32_t trial = ota__trial_watch(agent, now_ms);
    if (agent->is_restarting) {
        return UINT32_MAX;
    }
    uint32_t check;
    if (agent->is_checking) {
        check = carry(agent, now_ms);
    } else {
        check = until_next_check(agent, now_ms);
        if (check == 0) {
            start_check(agent, now_ms);
        }
    }
    if (agent->is_restarting) {
        return UINT32_MAX;
    }
    return check < trial ? check : trial;
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
    uint32_t now_ms = platform->now_ms(platform);
    ota__agent_gather_facts(agent);
    if (options->url != NULL) {
        /* Tried once now, so that a wrong URL is said before anything depends on it. */
        enum ota_err err = begin_pull(agent, now_ms);
        if (err != OTA_OK) {
            return err;
        }
        memset(&agent->pull, 0, sizeof agent->pull);
    }
    ota__trial_begin(agent, now_ms);
    wait_from_now(agent, agent->is_on_trial || options->first_check_ms == 0
                             ? 0
                             : random_below(agent, options->first_check_ms));
    return OTA_OK;
}

void ota_agent_end(struct ota_agent *agent)
{
    ota_pull_stop(&agent->pull);
    close_stream(agent);
    agent->is_checking = false;
}
