/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_HTTPS_SERVICE_H
#define UPDRAFT_HTTPS_SERVICE_H

/*
 * An update from one URL (https_update.h) carried by the agent, whenever the program asks for one:
 * because somebody sent the URL, or pressed a key. The restart into it is the agent's.
 *
 *     static struct ota_https_service fetcher;
 *     ota_https_service_init(&fetcher, &(struct ota_https_service_options){
 *         .update = {.secure = &tls.secure, .url = url, .text = text, .text_size = sizeof text}});
 *     agent_options.services = &fetcher.service;
 *     ...
 *     ota_https_service_start(&fetcher);            from the agent's next poll on
 *
 *     IDLE --start--> AT WORK --proven and activated, proven and held, failed--> IDLE (on_end)
 *                      |    ^
 *                      +----+  put off: a gate holds it, or another way in updates
 *
 * While the running image is on trial a start waits until it is kept. A failure of the network is
 * the end of one run; with update.resume the next start goes on where it was. An image that its
 * device did not keep is not remembered: who starts by itself must not start for it again.
 */

#include <updraft/agent.h>
#include <updraft/https_update.h>

struct ota_https_service;

struct ota_https_service_options {
    /* As for ota_https_update, but platform, intake and, where NULL, secure are the agent's. The
       text must not be the agent's if that has a URL, too. */
    struct ota_https_update_options update;

    /* A run has ended: OTA_OK, OTA_ERR_HELD (proven, and activated when the gate lets it), or why
       not. NULL: nobody wants to know. */
    void (*on_end)(void *context, const struct ota_https_service *service, enum ota_err err);
    void *context;
};

struct ota_https_service {
    struct ota_service service; /* for the agent's chain */

    /* To be read by anyone. */
    struct ota_https_update update;
    struct ota_app_descriptor incoming; /* what comes; empty strings if it does not say */
    uint32_t runs;                      /* ended since init */

    /* Private. */
    struct ota_https_service_options options;
    struct ota_agent *agent;
    bool is_due, is_at_work, is_paused, is_described;
    uint32_t since_ms, wait_ms; /* a run that is due begins then */
};

void ota_https_service_init(struct ota_https_service *service,
                            const struct ota_https_service_options *options);

/* Asks for the update, from the next poll on; does nothing while it is at work. Legal before the
   agent has begun. */
void ota_https_service_start(struct ota_https_service *service);

#endif
