/* SPDX-License-Identifier: Apache-2.0 */
/* Services of the network, put together to devices. */

#include "cli/found_devices.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cli/output.h"

static const struct {
    const char *type;
    const char *name;
} kinds[] = {
    [FOUND_ESPOTA] = {"_arduino._tcp", "espota"},
    [FOUND_ESPHOME] = {"_esphomelib._tcp", "esphome"},
    [FOUND_WEB] = {"_http._tcp", "web page"},
};

static enum found_kind kind_of(const struct mdns_service *service)
{
    int kind = FOUND_ESPOTA;
    while (kind < FOUND_OTHER && strcasecmp(service->type, kinds[kind].type) != 0) {
        kind++;
    }
    return (enum found_kind)kind;
}

/* ESPHome advertises the port of its API; updates go to that of the platform. */
static uint16_t esphome_port(const struct mdns_service *service)
{
    static const struct {
        const char *platform;
        uint16_t port;
    } ports[] = {{"ESP32", 3232},  {"ESP8266", 8266}, {"RP2040", 2040},
                 {"BK72XX", 8892}, {"RTL87XX", 8892}, {"LN882X", 8892}};
    const char *platform = mdns_txt(service, "platform");
    for (size_t i = 0; platform != NULL && i < sizeof ports / sizeof *ports; i++) {
        if (strcasecmp(platform, ports[i].platform) == 0) {
            return ports[i].port;
        }
    }
    return 0;
}

static void add_way(struct found_device *device, const struct mdns_service *service)
{
    const char *password = mdns_txt(service, "auth_upload");
    const char *board = mdns_txt(service, "board");
    const char *accept = mdns_txt(service, "accept");
    if (device->board == NULL && board != NULL && board[0] != '\0') {
        device->board = board;
    }
    if (device->way_count == FOUND_WAYS_MAX) {
        return;
    }
    struct found_way *way = &device->ways[device->way_count++];
    *way = (struct found_way){.kind = kind_of(service), .port = service->port, .service = service};
    way->password = password != NULL && strcasecmp(password, "yes") == 0;
    way->gzip = accept != NULL && strcasecmp(accept, "gzip") == 0;
    if (way->kind == FOUND_ESPHOME) {
        way->port = esphome_port(service);
    }
}

static int compare_services(const void *a, const void *b)
{
    const struct mdns_service *first = *(const struct mdns_service *const *)a;
    const struct mdns_service *second = *(const struct mdns_service *const *)b;
    const int by_host = strcasecmp(first->host, second->host);
    const int by_kind = by_host != 0 ? by_host : (int)kind_of(first) - (int)kind_of(second);
    if (by_kind != 0) {
        return by_kind;
    }
    /* The list has an order of its own, of which its places in memory are a part. */
    return (first > second) - (first < second);
}

void found_devices_make(struct found_devices *found, const struct mdns_list *list)
{
    const struct mdns_service **sorted = output_allocate((list->count + 1) * sizeof(*sorted));
    found->devices = output_allocate((list->count + 1) * sizeof *found->devices);
    found->count = 0;
    for (size_t i = 0; i < list->count; i++) {
        sorted[i] = &list->services[i];
    }
    qsort(sorted, list->count, sizeof(*sorted), compare_services);
    for (size_t i = 0; i < list->count; i++) {
        const bool same = i > 0 && strcasecmp(sorted[i]->host, sorted[i - 1]->host) == 0;
        struct found_device *device = &found->devices[same ? found->count - 1 : found->count++];
        if (!same) {
            *device = (struct found_device){.host = sorted[i]->host};
            mdns_address_text(&sorted[i]->addresses[0], device->address);
        }
        add_way(device, sorted[i]);
    }
    free(sorted);
}

void found_devices_free(struct found_devices *found)
{
    free(found->devices);
    *found = (struct found_devices){.devices = NULL};
}

const struct found_way *found_device_way(const struct found_device *device, enum found_kind kind)
{
    for (size_t i = 0; i < device->way_count; i++) {
        if (device->ways[i].kind == kind) {
            return &device->ways[i];
        }
    }
    return NULL;
}

const char *found_way_name(const struct found_way *way)
{
    return way->kind == FOUND_OTHER ? way->service->type : kinds[way->kind].name;
}
