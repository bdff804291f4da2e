/* SPDX-License-Identifier: Apache-2.0 */
/* The further ways in: their turns, what the network is told of them, and their pause while another
   one updates. */

#include "agent/agent_private.h"

/* More services than this are not advertised: a board has two or three. */
#define ADVERTS_MAX 8u

/* ---- What the network is told ---------------------------------------------------------------- */

static size_t collect(const struct ota_agent *agent, struct ota_advert adverts[ADVERTS_MAX])
{
    size_t count = 0;

    for (struct ota_service *service = agent->options.services;
         service != NULL && count < ADVERTS_MAX; service = service->next) {
        if (service->advert != NULL && service->advert(service, &adverts[count])) {
            count++;
        }
    }
    return count;
}

/* That a network does not hear of the services is no reason not to serve. */
static void advertise(struct ota_agent *agent)
{
    struct ota_platform *platform = agent->options.platform;
    struct ota_advert adverts[ADVERTS_MAX];
    const char *name = agent->options.host_name;

    if (name == NULL) {
        return;
    }
    if (platform->advertise == NULL) {
        ota__report(agent, OTA_LOG_DEBUG, "mdns", "this platform cannot advertise services");
        return;
    }
    enum ota_err err = platform->advertise(platform, name, adverts, collect(agent, adverts));
    agent->is_advertised = err == OTA_OK;
    if (err != OTA_OK) {
        ota__report_error(agent, OTA_LOG_WARNING, "mdns", "the services are not advertised", err);
    }
}

static void end_adverts(struct ota_agent *agent)
{
    struct ota_platform *platform = agent->options.platform;

    if (agent->is_advertised) {
        agent->is_advertised = false;
        (void)platform->advertise(platform, agent->options.host_name, NULL, 0);
    }
}

/* ---- Turns ----------------------------------------------------------------------------------- */

/* "cannot open port 8080: the port is taken: …" */
static void report_closed(const struct ota_agent *agent, const struct ota_service *service,
                          enum ota_err err)
{
    char line[sizeof "cannot open port 65535"];
    struct ota_text text;

    ota_text_begin(&text, line, sizeof line);
    ota_text_put(&text, "cannot open port ");
    ota_text_put_decimal(&text, service->port);
    ota__report_error(agent, OTA_LOG_ERROR, service->name,
                      service->port != 0 ? ota_text_end(&text) : "this way in cannot open", err);
}

enum ota_err ota__services_begin(struct ota_agent *agent)
{
    for (struct ota_service *service = agent->options.services; service != NULL;
         service = service->next) {
        enum ota_err err = service->begin(service, agent);
        if (err != OTA_OK) {
            report_closed(agent, service, err);
            ota__services_end(agent);
            return err;
        }
        agent->services_begun++;
    }
    advertise(agent);
    return OTA_OK;
}

void ota__services_end(struct ota_agent *agent)
{
    end_adverts(agent);
    for (struct ota_service *service = agent->options.services;
         service != NULL && agent->services_begun > 0; service = service->next) {
        agent->services_begun--;
        service->end(service);
    }
}

static void pause_all_but(struct ota_agent *agent, const char *way, bool paused)
{
    for (struct ota_service *service = agent->options.services; service != NULL;
         service = service->next) {
        if (service->pause != NULL && !ota_text_same(service->name, way)) {
            service->pause(service, paused);
        }
    }
}

bool ota__services_settle(struct ota_agent *agent)
{
    const enum ota_intake_state state = agent->intake.state;
    const bool pausing =
        agent->options.exclusive && (state == OTA_INTAKE_TAKEN || state == OTA_INTAKE_READY);

    if (pausing && agent->paused_for == NULL) {
        agent->paused_for = agent->intake.arrival.way;
        pause_all_but(agent, agent->paused_for, true);
        return true;
    }
    if (!pausing && agent->paused_for != NULL) {
        pause_all_but(agent, agent->paused_for, false);
        agent->paused_for = NULL;
        return true;
    }
    return false;
}

uint32_t ota__services_poll(struct ota_agent *agent, uint32_t now_ms)
{
    uint32_t wait_ms = UINT32_MAX;

    for (struct ota_service *service = agent->options.services; service != NULL;
         service = service->next) {
        uint32_t wanted_ms = service->poll(service, now_ms);
        wait_ms = wanted_ms < wait_ms ? wanted_ms : wait_ms;
        if (ota__services_settle(agent)) {
            wait_ms = 0; /* who goes on, or begins, has its turn at once */
        }
    }
    return wait_ms;
}
