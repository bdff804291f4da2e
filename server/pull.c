/* SPDX-License-Identifier: Apache-2.0 */

/* Pull requests: headers in, decision, answer out. */

#include "server/pull.h"

#include <stdio.h>
#include <string.h>

#include "server/decide.h"
#include "server/device.h"
#include "server/download.h"

static const char *look_up(void *context, const char *name)
{
    return http_header(context, name);
}

static void read_device(struct http_request *request, const char *project, struct device *device)
{
    const struct device_request asked = {
        .header = look_up,
        .context = request,
        .project =
            project != NULL && *project != '\0' ? project : http_argument(request, "project"),
        .chip = http_argument(request, "chip"),
    };
    device_read(&asked, device);
}

static void note(char *to, size_t capacity, const char *text)
{
    snprintf(to, capacity, "%s", text == NULL ? "" : text);
}

static void record(struct server_request *entry, const struct device *device,
                   const struct decision *decision)
{
    note(entry->platform, sizeof entry->platform, device_platform_name(device->platform));
    note(entry->device, sizeof entry->device, device->station_mac);
    note(entry->mode, sizeof entry->mode, device->mode);
    note(entry->version, sizeof entry->version, device->version);
    note(entry->reason, sizeof entry->reason, decision->reason);
    note(entry->image, sizeof entry->image, decision->image == NULL ? "" : decision->image->name);
}

enum MHD_Result pull_answer(struct http_request *request, struct catalog *catalog,
                            const char *project)
{
    struct device device;
    read_device(request, project, &device);
    struct catalog_snapshot *snapshot = catalog_take(catalog);
    const struct decision decision = decide(&device, snapshot->images, snapshot->count);
    record(&request->record, &device, &decision);

    enum MHD_Result result = MHD_NO;
    switch (decision.kind) {
    case DECISION_SEND:
        result = download_send(request, catalog, snapshot, decision.image, decision.packed);
        break;
    case DECISION_TELL_VERSION:
        result = download_send_facts(request, decision.image);
        break;
    case DECISION_NOTHING_NEWER:
        result = http_send(request, decision.status, http_not_modified());
        break;
    case DECISION_REFUSE:
    case DECISION_NOT_FOUND:
        result = http_send_text(request, decision.status, "%s", decision.reason);
        break;
    }
    catalog_release(snapshot);
    return result;
}

bool pull_is_updater(struct http_request *request)
{
    const struct device_request asked = {.header = look_up, .context = request};
    struct device device;
    device_read(&asked, &device);
    return device.platform != DEVICE_NONE;
}
