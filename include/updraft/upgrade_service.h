/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_UPGRADE_SERVICE_H
#define UPDRAFT_UPGRADE_SERVICE_H

/*
 * An upgrade list (upgrade_list.h) carried by the agent: it is worked through once the agent runs
 * and the running image is not on trial, and again in every interval if there is one. The restart
 * that it asks for is the agent's.
 *
 *     static struct ota_upgrade_service list;
 *     ota_upgrade_service_init(&list, &(struct ota_upgrade_service_options){
 *         .items = items, .count = 2, .schemes = &files.scheme});
 *     agent_options.services = &list.service;
 */

#include <updraft/agent.h>
#include <updraft/upgrade_list.h>

struct ota_upgrade_service_options {
    const struct ota_upgrade_item *items; /* these three as in ota_upgrade_list_options */
    size_t count;
    struct ota_scheme *schemes;
    uint32_t stall_ms;   /* likewise */
    uint32_t interval_s; /* from the end of one run to the next, at most 2000000; 0: one run */
    void (*on_event)(void *context, const struct ota_upgrade_list *list,
                     enum ota_upgrade_event event); /* likewise */
    void *context;
};

struct ota_upgrade_service {
    struct ota_service service; /* for the agent's chain */
    struct ota_upgrade_list list;

    /* Private. */
    struct ota_upgrade_service_options options;
    struct ota_agent *agent;
    uint32_t finished_ms;
    bool is_due; /* to be started at the next turn */
};

/* Prepares it; what is wrong with the items is said when the agent begins. */
void ota_upgrade_service_init(struct ota_upgrade_service *service,
                              const struct ota_upgrade_service_options *options);

/* Works the list through again, from the next poll on; does nothing while it is at work. */
void ota_upgrade_service_start(struct ota_upgrade_service *service);

#endif
