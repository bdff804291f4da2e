/* SPDX-License-Identifier: Apache-2.0 */
/* The update from one URL as one of the agent's ways in. */

#include <updraft/https_service.h>

#include <string.h>

#include "agent/agent_private.h"

/* While an image is on trial its confirmation is looked for this often. */
#define TRIAL_LOOK_MS 1000u
/* An update that was put off is asked for again after this time where no gate said another. */
#define PUT_OFF_MS 5000u
#define LINE_SIZE 160u

static const char tag[] = "https";

/* ---- What is said ---------------------------------------------------------------------------- */

/* Also in a form that will be refused. */
static bool is_compressed(const struct ota_https_service *service)
{
    const struct ota_https_update *update = &service->update;
    const struct ota_unwrap *unwrap = service->agent->options.unwrap;

    return ota_is_gzip(update->head, update->head_len) ||
           (unwrap != NULL &&
            ota_decoder_find(unwrap->decoders, update->head, update->head_len, true) != NULL);
}

/* "garden 1.2.0 comes, 867072 bytes" */
static void report_incoming(const struct ota_https_service *service)
{
    const struct ota_app_descriptor *incoming = &service->incoming;
    char line[LINE_SIZE];
    struct ota_text out;

    ota_text_begin(&out, line, sizeof line);
    if (service->options.update.is_data) {
        ota_text_put(&out, "data comes");
    } else if (is_compressed(service)) {
        ota_text_put(&out, "a compressed image comes");
    } else if (incoming->version[0] == '\0' && incoming->project[0] == '\0') {
        ota_text_put(&out, "an image without a version comes");
    } else {
        ota_text_put(&out, incoming->project);
        ota_text_put(&out, incoming->project[0] != '\0' ? " " : "");
        ota_text_put(&out, incoming->version);
        ota_text_put(&out, " comes, I run ");
        ota_text_put(&out, ota__report_version(service->agent));
    }
    if (service->update.received > 0 && service->update.start > 0) {
        ota_text_put(&out, ", from byte ");
        ota_text_put_decimal(&out, service->update.start);
        ota_text_put(&out, " on");
    }
    ota__report(service->agent, OTA_LOG_INFO, tag, ota_text_end(&out));
}

/* What came as far as the intake and ended there is said there. */
static bool is_told(const struct ota_https_service *service, enum ota_err err)
{
    return service->is_described && service->agent->intake.failure.err == err;
}

static void report_failure(const struct ota_https_service *service, enum ota_err err)
{
    const struct ota_https_update *update = &service->update;
    char line[LINE_SIZE];
    struct ota_text out;

    ota_text_begin(&out, line, sizeof line);
    ota_text_put(&out, ota_err_text(err));
    if (update->transfer.status >= 300) {
        ota__report_put_status(&out, err, update->transfer.status);
    } else if (update->failure.offset > 0) {
        ota_text_put(&out, " (at byte ");
        ota_text_put_decimal(&out, update->failure.offset);
        ota_text_put(&out, ")");
    }
    ota__report(service->agent, OTA_LOG_ERROR, tag, ota_text_end(&out));
}

/* ---- Beginning and end of a run -------------------------------------------------------------- */

static void end_run(struct ota_https_service *service, enum ota_err err)
{
    service->is_at_work = false;
    service->runs++;
    if (err != OTA_OK && err != OTA_ERR_HELD && !is_told(service, err)) {
        report_failure(service, err);
    }
    if (service->options.on_end != NULL) {
        service->options.on_end(service->options.context, service, err);
    }
}

static void put_off(struct ota_https_service *service, uint32_t now_ms, uint32_t wait_ms)
{
    service->is_at_work = false;
    service->is_due = true;
    service->since_ms = now_ms;
    service->wait_ms = wait_ms;
}

/* Not now is no failure: it is asked for again. */
static void failed(struct ota_https_service *service, enum ota_err err, uint32_t now_ms)
{
    const struct ota_intake *intake = &service->agent->intake;

    if (err == OTA_ERR_HELD) {
        uint32_t retry_ms = intake->answer.retry_ms;
        put_off(service, now_ms, retry_ms != 0 ? retry_ms : PUT_OFF_MS);
    } else if (err == OTA_ERR_BUSY || err == OTA_ERR_RESTARTING) {
        ota__report_error(service->agent, OTA_LOG_INFO, tag, "put off", err);
        put_off(service, now_ms, PUT_OFF_MS);
    } else {
        end_run(service, err);
    }
}

static void begin_run(struct ota_https_service *service, uint32_t now_ms)
{
    const struct ota_agent_options *agent = &service->agent->options;
    struct ota_https_update_options options = service->options.update;

    options.platform = agent->platform;
    options.intake = &service->agent->intake;
    options.secure = options.secure != NULL ? options.secure : agent->secure;
    service->is_due = false;
    service->is_described = false;
    service->wait_ms = 0;
    memset(&service->incoming, 0, sizeof service->incoming);
    enum ota_err err = ota_https_update_begin(&service->update, &options);
    service->is_at_work = err == OTA_OK;
    if (err != OTA_OK) {
        failed(service, err, now_ms);
    }
}

/* All has come: proves it, and lets the agent restart into it. */
static void finish_run(struct ota_https_service *service, uint32_t now_ms)
{
    enum ota_err err = ota_https_update_finish(&service->update);

    if (err == OTA_OK && !service->options.update.is_data) {
        ota_agent_restart_in(service->agent, 0, OTA_RESTART_UPDATE);
    }
    if (service->update.state == OTA_HTTPS_UPDATE_DONE) {
        end_run(service, err);
    } else {
        failed(service, err, now_ms);
    }
}

/* ---- Turns ----------------------------------------------------------------------------------- */

/* Takes the run one step on. Returns milliseconds until the next. */
static uint32_t go_on(struct ota_https_service *service, uint32_t now_ms)
{
    struct ota_https_update *update = &service->update;

    if (ota_https_update_is_complete(update)) {
        finish_run(service, now_ms);
        return 0;
    }
    if (update->state == OTA_HTTPS_UPDATE_DESCRIBED) {
        (void)ota_https_update_describe(update, &service->incoming);
        report_incoming(service);
        service->is_described = true;
    }
    enum ota_err err = ota_https_update_perform(update);
    if (err != OTA_OK) {
        failed(service, err, now_ms);
        return 0;
    }
    return ota_https_update_wait_ms(update);
}

/* Milliseconds until a run that is due begins. */
static uint32_t until_due(const struct ota_https_service *service, uint32_t now_ms)
{
    uint32_t passed_ms = now_ms - service->since_ms;

    if (!service->is_due || service->is_paused) {
        return UINT32_MAX;
    }
    if (service->agent->is_on_trial) {
        return TRIAL_LOOK_MS;
    }
    return passed_ms < service->wait_ms ? service->wait_ms - passed_ms : 0;
}

static uint32_t poll(struct ota_service *base, uint32_t now_ms)
{
    struct ota_https_service *service = (struct ota_https_service *)base;

    if (service->is_at_work) {
        return go_on(service, now_ms);
    }
    uint32_t wait_ms = until_due(service, now_ms);
    if (wait_ms == 0) {
        begin_run(service, now_ms);
    }
    return wait_ms;
}

/* Another way in has the device for itself: this run has not begun to write, and begins again. */
static void pause(struct ota_service *base, bool paused)
{
    struct ota_https_service *service = (struct ota_https_service *)base;

    service->is_paused = paused;
    if (paused && service->is_at_work) {
        ota_https_update_abort(&service->update);
        put_off(service, 0, 0);
    }
}

static enum ota_err begin(struct ota_service *base, struct ota_agent *agent)
{
    struct ota_https_service *service = (struct ota_https_service *)base;

    service->agent = agent;
    service->is_paused = false;
    return OTA_OK;
}

static void end(struct ota_service *base)
{
    struct ota_https_service *service = (struct ota_https_service *)base;

    ota_https_update_abort(&service->update);
    service->is_at_work = false;
}

void ota_https_service_init(struct ota_https_service *service,
                            const struct ota_https_service_options *options)
{
    memset(service, 0, sizeof *service);
    service->service.name = tag;
    service->service.begin = begin;
    service->service.poll = poll;
    service->service.end = end;
    service->service.pause = pause;
    service->options = *options;
}

void ota_https_service_start(struct ota_https_service *service)
{
    if (!service->is_at_work) {
        service->is_due = true;
        service->wait_ms = 0;
    }
}
