/* SPDX-License-Identifier: Apache-2.0 */
/* The upgrade list as one of the agent's ways in. */

#include <updraft/upgrade_service.h>

#include <string.h>

/* While an image is on trial its confirmation is looked for this often. */
#define TRIAL_LOOK_MS 1000u

static void on_event(void *context, const struct ota_upgrade_list *list,
                     enum ota_upgrade_event event)
{
    struct ota_upgrade_service *service = context;
    struct ota_platform *platform = list->options.platform;

    if (service->options.on_event != NULL) {
        service->options.on_event(service->options.context, list, event);
    }
    if (event == OTA_UPGRADE_EVENT_FINISH) {
        service->finished_ms = platform->now_ms(platform);
        if (list->wants_restart) {
            ota_upgrade_log(&list->upgrade, OTA_LOG_INFO, "the list is through: restart");
            ota_agent_restart_in(service->agent, 0, OTA_RESTART_UPDATE);
        } else {
            ota_upgrade_log(&list->upgrade, OTA_LOG_INFO, "the list is through");
        }
    }
}

static enum ota_err begin(struct ota_service *base, struct ota_agent *agent)
{
    struct ota_upgrade_service *service = (struct ota_upgrade_service *)base;
    const struct ota_upgrade_list_options options = {
        .items = service->options.items,
        .count = service->options.count,
        .schemes = service->options.schemes,
        .platform = agent->options.platform,
        .intake = &agent->intake,
        .stall_ms = service->options.stall_ms,
        .on_event = on_event,
        .context = service,
    };

    service->agent = agent;
    service->is_due = true;
    return ota_upgrade_list_init(&service->list, &options);
}

/* Milliseconds until the list should be worked through again. */
static uint32_t until_next(const struct ota_upgrade_service *service, uint32_t now_ms)
{
    uint32_t interval_ms = service->options.interval_s * 1000u;
    uint32_t passed_ms = now_ms - service->finished_ms;

    if (interval_ms == 0) {
        return UINT32_MAX;
    }
    return passed_ms < interval_ms ? interval_ms - passed_ms : 0;
}

static uint32_t poll(struct ota_service *base, uint32_t now_ms)
{
    struct ota_upgrade_service *service = (struct ota_upgrade_service *)base;
    struct ota_upgrade_list *list = &service->list;

    if (list->state == OTA_UPGRADE_FINISHED && !service->is_due) {
        uint32_t left_ms = until_next(service, now_ms);
        service->is_due = left_ms == 0;
        if (!service->is_due) {
            return left_ms;
        }
    }
    if (service->is_due) {
        if (service->agent->is_on_trial) {
            return TRIAL_LOOK_MS;
        }
        service->is_due = false;
        (void)ota_upgrade_list_start(list); /* it is not at work */
    }
    uint32_t wait_ms = ota_upgrade_list_poll(list, now_ms);
    return list->state == OTA_UPGRADE_FINISHED ? until_next(service, now_ms) : wait_ms;
}

static void end(struct ota_service *base)
{
    ota_upgrade_list_stop(&((struct ota_upgrade_service *)base)->list);
}

void ota_upgrade_service_init(struct ota_upgrade_service *service,
                              const struct ota_upgrade_service_options *options)
{
    memset(service, 0, sizeof *service);
    service->service.name = "list";
    service->service.begin = begin;
    service->service.poll = poll;
    service->service.end = end;
    service->options = *options;
}

void ota_upgrade_service_start(struct ota_upgrade_service *service)
{
    enum ota_upgrade_state state = service->list.state;

    if (state != OTA_UPGRADE_RUNNING && state != OTA_UPGRADE_HOLDING) {
        service->is_due = true;
    }
}
