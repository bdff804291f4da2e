/* SPDX-License-Identifier: Apache-2.0 */
/* The check: when to ask the server, carrying bytes between stream and pull, and what follows. */

#include "agent/agent_private.h"
#include "agent/connect.h"
#include "agent/turn.h"

#include <string.h>

#define PIECE 1024u
/* An update that was put off is asked for again after this time where nobody said another: of a
   gate's time, devices that were held together are spread over it. */
#define PUT_OFF_MS 60000u

static const char way[] = OTA__WAY_PULL;

static uint32_t seconds_or(uint32_t value, uint32_t fallback)
{
    return value != 0 ? value : fallback;
}

/* Leaves the door to others, if it is the pull's; what was received stays for the next try. */
static void leave_door(struct ota_agent *agent)
{
    if (agent->intake.state == OTA_INTAKE_TAKEN && agent->intake.arrival.way == way) {
        ota_intake_suspend(&agent->intake);
    }
}

/* ---- When ------------------------------------------------------------------------------------ */

static void wait_from_now(struct ota_agent *agent, uint32_t wait_ms)
{
    agent->waiting_ms = agent->options.platform->now_ms(agent->options.platform);
    agent->wait_ms = wait_ms;
}

/* The interval, give or take a tenth: devices that once asked together drift apart. */
static uint32_t next_interval(struct ota_agent *agent)
{
    uint32_t wait_ms = 1000u * seconds_or(agent->options.interval_s, OTA_AGENT_INTERVAL_S);

    if (agent->is_on_trial && wait_ms > 1000u * OTA_AGENT_TRIAL_INTERVAL_S) {
        wait_ms = 1000u * OTA_AGENT_TRIAL_INTERVAL_S;
    }
    uint32_t tenth = wait_ms / 10;
    return wait_ms - tenth + ota__agent_random_below(agent, 2 * tenth + 1);
}

static bool is_put_off(enum ota_err err)
{
    return err == OTA_ERR_BUSY || err == OTA_ERR_RESTARTING || err == OTA_ERR_HELD;
}

/* After an update that was put off: when the gate said, or soon. */
static uint32_t put_off_wait(const struct ota_agent *agent)
{
    uint32_t retry_ms = agent->pull.failure.err == OTA_ERR_HELD ? agent->intake.answer.retry_ms : 0;

    return (retry_ms <= UINT32_MAX - PUT_OFF_MS ? retry_ms : 0) + PUT_OFF_MS / 2 +
           ota__agent_random_below(agent, PUT_OFF_MS / 2);
}

static void plan_next_check(struct ota_agent *agent)
{
    uint32_t wait_ms = next_interval(agent);

    if (is_put_off(agent->pull.failure.err) && !agent->is_on_trial) {
        wait_ms = put_off_wait(agent);
    }
    wait_from_now(agent, wait_ms);
}

void ota__check_plan_first(struct ota_agent *agent)
{
    uint32_t within_ms = agent->options.first_check_ms;
    bool at_once = agent->is_on_trial || within_ms == 0;

    wait_from_now(agent, at_once ? 0 : ota__agent_random_below(agent, within_ms));
}

/* Whether a check would be one connection too many. */
static bool must_keep_away(const struct ota_agent *agent)
{
    const struct ota_intake *intake = &agent->intake;

    return agent->options.exclusive && intake->state != OTA_INTAKE_FREE &&
           intake->arrival.way != way;
}

static uint32_t until_next_check(const struct ota_agent *agent, uint32_t now_ms)
{
    uint32_t passed_ms = now_ms - agent->waiting_ms;

    if (agent->options.url == NULL || agent->is_restart_due || must_keep_away(agent)) {
        return UINT32_MAX;
    }
    return passed_ms < agent->wait_ms ? agent->wait_ms - passed_ms : 0;
}

void ota_agent_check_now(struct ota_agent *agent)
{
    wait_from_now(agent, 0);
}

/* ---- What the pull asks and tells ------------------------------------------------------------ */

/* Asks at the door, and sees to it that the update begins as the intake wants it. */
static enum ota_err reserve(struct ota_agent *agent)
{
    const struct ota_arrival arrival = {
        .way = way,
        .is_data = agent->options.label != NULL,
        .label = agent->options.label,
        .size = agent->pull.offer.size,
        .unasked = true,
    };

    leave_door(agent); /* it may be the pull's from the answer before this one */
    return ota_intake_reserve(&agent->intake, &arrival, &agent->pull.options.update_options);
}

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
    enum ota_err err = reserve(agent);
    if (err == OTA_ERR_BUSY || err == OTA_ERR_RESTARTING) { /* of gates the intake tells */
        ota__report_error(agent, OTA_LOG_INFO, "pull", "put off", err);
    }
    return err;
}

static void on_pull(void *context, const struct ota_pull *pull, enum ota_pull_event event)
{
    struct ota_agent *agent = context;

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
        leave_door(agent); /* until then it is for everyone */
        break;
    default:
        break;
    }
}

/* ---- Beginning and end of a check ------------------------------------------------------------ */

/* A compressed transfer begins anew after each cut: where there was one, a plain one had better be
   next. */
static bool was_cut_short(const struct ota_agent *agent)
{
    const struct ota_agent_options *options = &agent->options;
    bool cut_short;

    return ota_update_was_cut_short(options->device, options->label, &cut_short) == OTA_OK &&
           cut_short;
}

static enum ota_err begin_pull(struct ota_agent *agent, uint32_t now_ms)
{
    const struct ota_agent_options *options = &agent->options;
    const struct ota_pull_options pull = {
        .url = options->url,
        .credentials = options->credentials,
        .dialect = options->dialect,
        .mode = options->label == NULL ? OTA_PULL_FIRMWARE : OTA_PULL_FILE_SYSTEM,
        .facts = &agent->facts,
        .update = &agent->intake.update,
        /* Enough to look for an interrupted update; on_offer fills in the rest. */
        .update_options = {.device = options->device, .label = options->label},
        .text = options->text,
        .text_size = options->text_size,
        .random = ota__agent_random_below(agent, UINT32_MAX),
        .may_secure = options->secure != NULL,
        .prefer_plain = was_cut_short(agent),
        .on_offer = on_offer,
        .on_event = on_pull,
        .context = agent,
    };

    return ota_pull_begin(&agent->pull, &pull, now_ms);
}

/* Tried once at the start, so that a wrong URL is said before anything depends on it. */
enum ota_err ota__check_begin(struct ota_agent *agent, uint32_t now_ms)
{
    enum ota_err err = agent->options.url != NULL ? begin_pull(agent, now_ms) : OTA_OK;

    memset(&agent->pull, 0, sizeof agent->pull);
    return err;
}

static void start_check(struct ota_agent *agent, uint32_t now_ms)
{
    agent->is_checking = true;
    ota__agent_tell(agent, OTA_AGENT_CHECKING);
    (void)begin_pull(agent, now_ms); /* the same options as in ota__check_begin, where it worked */
}

/* Makes the proven image boot, and boots it. A data partition is in place already. */
static void activate(struct ota_agent *agent)
{
    if (ota_intake_end(&agent->intake) == OTA_OK && ota_intake_activate(&agent->intake) == OTA_OK &&
        agent->intake.update.slot != OTA_SLOT_NONE) {
        ota__agent_restart(agent, OTA_RESTART_UPDATE);
    }
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
    if (agent->pull.result != OTA_PULL_UPDATED) {
        leave_door(agent);
    }
    plan_next_check(agent);
    ota__agent_tell(agent, OTA_AGENT_CHECKED);
    if (agent->pull.result == OTA_PULL_UPDATED) {
        activate(agent);
    }
}

void ota__check_end(struct ota_agent *agent)
{
    ota_pull_stop(&agent->pull);
    ota__disconnect(&agent->stream);
    leave_door(agent);
    agent->is_checking = false;
}

/* ---- The network ----------------------------------------------------------------------------- */

static bool wants_stream(const struct ota_agent *agent)
{
    return agent->pull.state == OTA_PULL_EXCHANGING || agent->pull.state == OTA_PULL_SETTLING;
}

static void connect_stream(struct ota_agent *agent)
{
    const struct ota__peer peer = {
        .host = agent->pull.host,
        .port = agent->pull.port,
        .secure = agent->pull.is_secure ? agent->options.secure : NULL,
    };
    enum ota_err err = ota__connect(agent->options.platform, &peer, &agent->stream);

    if (err == OTA_OK) {
        ota_pull_connected(&agent->pull);
    } else {
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

    for (unsigned i = 0; i < OTA__PIECES_PER_TURN && wants_stream(agent); i++) {
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
        ota__disconnect(&agent->stream);
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
    return agent->stream != NULL && wait > OTA__LOOK_MS ? OTA__LOOK_MS : wait;
}

/* Another way in has the device for itself: this check is put off. */
static void give_way(struct ota_agent *agent)
{
    ota__report_error(agent, OTA_LOG_INFO, "pull", "put off", OTA_ERR_BUSY);
    ota__check_end(agent);
    agent->checks++;
    wait_from_now(agent, PUT_OFF_MS / 2);
    ota__agent_tell(agent, OTA_AGENT_CHECKED);
}

uint32_t ota__check_poll(struct ota_agent *agent, uint32_t now_ms)
{
    if (agent->is_checking && must_keep_away(agent)) {
        give_way(agent);
    }
    if (agent->is_checking) {
        return carry(agent, ota__peer_time(agent, now_ms));
    }
    uint32_t wait_ms = until_next_check(agent, now_ms);
    if (wait_ms == 0) {
        start_check(agent, ota__peer_time(agent, now_ms));
    }
    return wait_ms;
}
