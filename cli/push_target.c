/* SPDX-License-Identifier: Apache-2.0 */
/* Names and types of services become devices to push to. */

#include "cli/push_target.h"

#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cli/command.h"
#include "cli/found_devices.h"
#include "cli/output.h"
#include "posix/mdns_browse.h"
#include "posix/socket.h"

#define SEARCH_MS 3000u

static struct push_device *add(struct push_devices *devices)
{
    devices->devices =
        output_reallocate(devices->devices, (devices->count + 1) * sizeof *devices->devices);
    struct push_device *device = &devices->devices[devices->count++];
    *device = (struct push_device){0};
    return device;
}

void push_devices_free(struct push_devices *devices)
{
    for (size_t i = 0; i < devices->count; i++) {
        push_device_free(&devices->devices[i]);
    }
    free(devices->devices);
    *devices = (struct push_devices){0};
}

/* ---- Names on the command line --------------------------------------------------------------- */

/* "name:8266", "[fe80::1%eth0]:8266", or either without a port. */
struct spoken {
    char host[256];
    uint16_t port; /* 0: none */
};

static bool parse_port(const char *text, uint16_t *port)
{
    uint64_t number;

    if (!command_parse_number(text, &number) || number == 0 || number > 65535) {
        return false;
    }
    *port = (uint16_t)number;
    return true;
}

static int parse(const char *text, struct spoken *spoken)
{
    const char *end = text + strlen(text);
    const char *port = NULL;
    const char *bracket = text[0] == '[' ? strchr(text, ']') : NULL;
    const char *colon = strchr(text, ':');

    *spoken = (struct spoken){.port = 0};
    if (bracket != NULL) {
        port = bracket[1] == ':' ? bracket + 2 : NULL;
        text++;
        end = bracket;
    } else if (colon != NULL && strchr(colon + 1, ':') == NULL) {
        port = colon + 1;
        end = colon;
    }
    const size_t len = (size_t)(end - text);
    if (len == 0 || len >= sizeof spoken->host) {
        return fail("\"%s\" is no name or address of a device", text);
    }
    memcpy(spoken->host, text, len);
    spoken->host[len] = '\0';
    if (port != NULL && !parse_port(port, &spoken->port)) {
        return fail("%s: its port is not a number of 1 to 65535", text);
    }
    return 0;
}

/* ---- What the network says ------------------------------------------------------------------- */

static const struct found_way *way_for(const struct found_device *found,
                                       const struct push_dialect *dialect)
{
    const struct found_way *espota = found_device_way(found, FOUND_ESPOTA);
    const struct found_way *esphome = found_device_way(found, FOUND_ESPHOME);

    if (dialect != NULL) {
        return dialect == &push_esphome ? esphome : espota;
    }
    return espota != NULL ? espota : esphome;
}

static uint16_t first_port(uint16_t a, uint16_t b, uint16_t c)
{
    if (a != 0) {
        return a;
    }
    return b != 0 ? b : c;
}

/* Fills in what a device says of itself; `way` is NULL if it offers no way in that we speak. */
static void take_found(struct push_device *device, const struct found_device *found,
                       const struct found_way *way, const struct push_wish *wish)
{
    const uint16_t said = way != NULL ? way->port : 0;

    device->address = found->ways[0].service->addresses[0];
    device->address.port = first_port(wish->port, said, wish->usual_port);
    device->port_is_guess = wish->port == 0 && said == 0;
    device->board = found->board != NULL ? output_copy(found->board) : NULL;
    device->wants_password = way != NULL && way->password;
    device->takes_gzip = way != NULL && way->gzip;
    device->dialect = wish->dialect;
    if (device->dialect == NULL) {
        device->dialect = way != NULL && way->kind == FOUND_ESPHOME ? &push_esphome : &push_espota;
    }
}

static bool same_name(const struct found_device *found, const char *name)
{
    const size_t len = strcspn(name, ".");

    return strncasecmp(found->host, name, len) == 0 &&
           (found->host[len] == '.' || found->host[len] == '\0');
}

/* Looks a name up by multicast DNS. Returns false if nobody of that name answers. */
static bool find_by_mdns(struct push_devices *devices, const char *name,
                         const struct push_wish *wish)
{
    static const char *const types[] = {"_arduino._tcp", "_esphomelib._tcp", NULL};
    const struct mdns_query query = {
        .types = types, .timeout_ms = SEARCH_MS, .name = name, .stop = wish->stop};
    struct mdns_list list;
    struct found_devices found;
    bool is_found = false;

    if (mdns_browse(&query, &list)) {
        found_devices_make(&found, &list);
        for (size_t i = 0; i < found.count && !is_found; i++) {
            if (same_name(&found.devices[i], name)) {
                struct push_device *device = add(devices);
                device->name = output_copy(found.devices[i].host);
                take_found(device, &found.devices[i], way_for(&found.devices[i], wish->dialect),
                           wish);
                is_found = true;
            }
        }
        found_devices_free(&found);
    }
    mdns_list_free(&list);
    return is_found;
}

/* Looks a name or address up as the system does. */
static bool find_by_system(struct push_devices *devices, const char *name, const char *host,
                           const struct push_wish *wish)
{
    const struct addrinfo wanted = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *addresses = NULL;
    struct sockaddr_storage system = {0};

    if (getaddrinfo(host, NULL, &wanted, &addresses) != 0 || addresses == NULL) {
        return false;
    }
    const struct addrinfo *best = addresses;
    for (const struct addrinfo *at = addresses; at != NULL; at = at->ai_next) {
        if (at->ai_family == AF_INET) { /* small devices often speak nothing else */
            best = at;
            break;
        }
    }
    memcpy(&system, best->ai_addr, best->ai_addrlen);
    freeaddrinfo(addresses);
    struct push_device *device = add(devices);
    socket_to_address(&system, &device->address);
    device->name = output_copy(name);
    device->address.port = first_port(wish->port, wish->usual_port, 0);
    device->port_is_guess = wish->port == 0;
    device->dialect = wish->dialect != NULL ? wish->dialect : &push_espota;
    return true;
}

static bool resolve_local(struct push_devices *devices, const char *host,
                          const struct push_wish *wish)
{
    char address[MDNS_ADDRESS_SIZE];

    return mdns_resolve(host, SEARCH_MS, address) && find_by_system(devices, host, address, wish);
}

/* "garden" and "garden.local" are asked for in the local network first; other names, and addresses,
   are the system's business. */
static bool is_local_name(const char *host)
{
    const size_t len = strlen(host);
    const bool ends_local = len > 6 && strcasecmp(host + len - 6, ".local") == 0;

    return ends_local || (strpbrk(host, ".:") == NULL && strcasecmp(host, "localhost") != 0);
}

int push_target_add(struct push_devices *devices, const char *text, const struct push_wish *wish)
{
    struct push_wish own = *wish;
    struct spoken spoken;

    if (parse(text, &spoken) != 0) {
        return 1;
    }
    own.port = spoken.port != 0 ? spoken.port : wish->port;
    const bool is_local = is_local_name(spoken.host);
    if ((is_local && find_by_mdns(devices, spoken.host, &own)) ||
        find_by_system(devices, spoken.host, spoken.host, &own) ||
        (is_local && resolve_local(devices, spoken.host, &own))) {
        return 0;
    }
    return fail("%s: nobody of that name answers: is the device on, and in the same network? "
                "\"updraft discover\" lists who is there; an address works, too",
                spoken.host);
}

/* ---- All of a type --------------------------------------------------------------------------- */

static const struct found_way *way_of_type(const struct found_device *found, const char *type)
{
    for (size_t i = 0; i < found->way_count; i++) {
        if (strcasecmp(found->ways[i].service->type, type) == 0) {
            return &found->ways[i];
        }
    }
    return NULL;
}

int push_target_add_all(struct push_devices *devices, const char *type,
                        const struct push_wish *wish)
{
    const char *const types[] = {type, NULL};
    const struct mdns_query query = {.types = types, .timeout_ms = SEARCH_MS, .stop = wish->stop};
    struct mdns_list list;
    struct found_devices found;

    if (!mdns_browse(&query, &list)) {
        const int status = fail("%s", list.why);
        mdns_list_free(&list);
        return status;
    }
    found_devices_make(&found, &list);
    for (size_t i = 0; i < found.count; i++) {
        struct push_device *device = add(devices);
        device->name = output_copy(found.devices[i].host);
        take_found(device, &found.devices[i], way_of_type(&found.devices[i], type), wish);
    }
    const size_t count = found.count;
    found_devices_free(&found);
    mdns_list_free(&list);
    return count > 0 ? 0
                     : fail("no device of type %s answered within %u s: are they on, and in the "
                            "same network? \"updraft discover\" lists who is there",
                            type, SEARCH_MS / 1000);
}
