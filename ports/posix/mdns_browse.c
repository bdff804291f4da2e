/* SPDX-License-Identifier: Apache-2.0 */
/* Browsing by multicast DNS. Every answer is merged into a sorted list, since a device is heard on
   each interface and by both IP versions. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include <avahi-common/error.h>
#include <avahi-common/simple-watch.h>
#include <avahi-core/lookup.h>

#include "posix/mdns_browse.h"
#include "posix/mdns_list.h"
#include "posix/mdns_server.h"

#define STEP_MS 200  /* how often query->stop is looked at */
#define GRACE_MS 500 /* for the other addresses of a service that is known */

struct browse {
    AvahiSimplePoll *loop;
    AvahiServer *server;
    const struct mdns_query *query;
    struct mdns_list *list;
    int64_t end_ms; /* when it is over, by now_ms */
};

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* --- answers -------------------------------------------------------------------------------- */

static void take_address(const AvahiAddress *found, AvahiIfIndex interface, uint16_t port,
                         struct ota_address *address)
{
    *address = (struct ota_address){.port = port};
    if (found->proto == AVAHI_PROTO_INET) {
        memset(address->ip + 10, 0xFF, 2);
        memcpy(address->ip + 12, &found->data.ipv4.address, 4);
        return;
    }
    memcpy(address->ip, found->data.ipv6.address, sizeof address->ip);
    if (mdns_address_is_link_local(address)) {
        address->scope = (uint32_t)interface;
    }
}

/* The service that was looked for is known. If only by an address that not every tool takes, its
   other addresses get a moment to arrive. */
static void hurry(struct browse *browse, const struct mdns_service *service)
{
    const int64_t soon = now_ms() + GRACE_MS;
    if (mdns_address_is_ipv4(&service->addresses[0])) {
        browse->end_ms = 0;
    } else if (browse->end_ms > soon) {
        browse->end_ms = soon;
    }
}

static void on_resolved(AvahiSServiceResolver *resolver, AvahiIfIndex interface,
                        AvahiProtocol protocol, AvahiResolverEvent event, const char *name,
                        const char *type, const char *domain, const char *host,
                        const AvahiAddress *found, uint16_t port, AvahiStringList *txt,
                        AvahiLookupResultFlags flags, void *context)
{
    struct browse *browse = context;
    struct ota_address address;
    (void)resolver;
    (void)protocol;
    (void)domain;
    (void)flags;
    if (event != AVAHI_RESOLVER_FOUND || found == NULL) {
        return;
    }
    take_address(found, interface, port, &address);
    struct mdns_service *service = mdns_list_add(browse->list, name, type, host, &address);
    if (service == NULL) {
        return;
    }
    mdns_service_clear_txt(service);
    for (AvahiStringList *at = txt; at != NULL; at = avahi_string_list_get_next(at)) {
        mdns_service_add_txt(service, (const char *)avahi_string_list_get_text(at),
                             avahi_string_list_get_size(at));
    }
    if (browse->query->name != NULL && mdns_service_is_named(service, browse->query->name)) {
        hurry(browse, service);
    }
}

/* Asks for more about an instance. The resolver lives as long as the server. */
static void on_browsed(AvahiSServiceBrowser *browser, AvahiIfIndex interface,
                       AvahiProtocol protocol, AvahiBrowserEvent event, const char *name,
                       const char *type, const char *domain, AvahiLookupResultFlags flags,
                       void *context)
{
    struct browse *browse = context;
    (void)browser;
    (void)flags;
    if (event == AVAHI_BROWSER_NEW) {
        avahi_s_service_resolver_new(browse->server, interface, protocol, name, type, domain,
                                     AVAHI_PROTO_UNSPEC, 0, on_resolved, browse);
    }
}

/* --- asking --------------------------------------------------------------------------------- */

static void on_server_state(AvahiServer *server, AvahiServerState state, void *context)
{
    (void)server;
    (void)state;
    (void)context;
}

/* Lets the network talk until the time is over, which answers may make earlier. */
static void listen_until(AvahiSimplePoll *loop, const int64_t *end_ms, volatile const bool *stop)
{
    int64_t left = *end_ms - now_ms();
    while (left > 0 && (stop == NULL || !*stop)) {
        if (avahi_simple_poll_iterate(loop, left < STEP_MS ? (int)left : STEP_MS) != 0) {
            return;
        }
        left = *end_ms - now_ms();
    }
}

static bool start_browsing(struct browse *browse)
{
    for (const char *const *type = browse->query->types; *type != NULL; type++) {
        if (avahi_s_service_browser_new(browse->server, AVAHI_IF_UNSPEC, AVAHI_PROTO_UNSPEC, *type,
                                        NULL, 0, on_browsed, browse) == NULL) {
            snprintf(browse->list->why, sizeof browse->list->why, "cannot ask for %s: %s", *type,
                     avahi_strerror(avahi_server_errno(browse->server)));
            return false;
        }
    }
    return true;
}

bool mdns_browse(const struct mdns_query *query, struct mdns_list *list)
{
    int error = AVAHI_ERR_NO_MEMORY;
    bool good = false;
    *list = (struct mdns_list){.services = NULL};
    struct browse browse = {.loop = avahi_simple_poll_new(), .query = query, .list = list};
    if (browse.loop != NULL) {
        browse.server = mdns_server_new(avahi_simple_poll_get(browse.loop), NULL, on_server_state,
                                        NULL, &error);
    }
    if (browse.server == NULL) {
        snprintf(list->why, sizeof list->why, "multicast DNS is not possible here: %s",
                 avahi_strerror(error));
    } else if (start_browsing(&browse)) {
        browse.end_ms = now_ms() + query->timeout_ms;
        listen_until(browse.loop, &browse.end_ms, query->stop);
        good = true;
    }
    if (browse.server != NULL) {
        avahi_server_free(browse.server);
    }
    if (browse.loop != NULL) {
        avahi_simple_poll_free(browse.loop);
    }
    return good;
}

/* --- one name ------------------------------------------------------------------------------- */

struct lookup {
    struct ota_address address;
    int64_t end_ms;
    bool found;
};

static void on_host(AvahiSHostNameResolver *resolver, AvahiIfIndex interface,
                    AvahiProtocol protocol, AvahiResolverEvent event, const char *host_name,
                    const AvahiAddress *found, AvahiLookupResultFlags flags, void *context)
{
    struct lookup *lookup = context;
    (void)resolver;
    (void)protocol;
    (void)host_name;
    (void)flags;
    if (event == AVAHI_RESOLVER_FOUND && found != NULL && !lookup->found) {
        take_address(found, interface, 0, &lookup->address);
        lookup->found = true;
        lookup->end_ms = 0;
    }
}

/* Asks for the host's address of one kind. */
static bool look_up(const char *host, AvahiProtocol kind, uint32_t timeout_ms,
                    struct lookup *lookup)
{
    int error;
    AvahiSimplePoll *loop = avahi_simple_poll_new();
    if (loop == NULL) {
        return false;
    }
    AvahiServer *server =
        mdns_server_new(avahi_simple_poll_get(loop), NULL, on_server_state, NULL, &error);
    if (server != NULL) {
        if (avahi_s_host_name_resolver_new(server, AVAHI_IF_UNSPEC, AVAHI_PROTO_UNSPEC, host, kind,
                                           0, on_host, lookup) != NULL) {
            lookup->end_ms = now_ms() + timeout_ms;
            listen_until(loop, &lookup->end_ms, NULL);
        }
        avahi_server_free(server);
    }
    avahi_simple_poll_free(loop);
    return lookup->found;
}

bool mdns_resolve(const char *name, uint32_t timeout_ms, char address[MDNS_ADDRESS_SIZE])
{
    char host[256];
    struct lookup lookup = {.found = false};
    const size_t len = strlen(name);
    const bool whole = len > 6 && strcasecmp(name + len - 6, ".local") == 0;
    if (len == 0 || len > 200) {
        return false;
    }
    snprintf(host, sizeof host, "%s%s", name, whole ? "" : ".local");
    /* Most devices have IPv4 only, and who has both answers for both. */
    const uint32_t share = timeout_ms - timeout_ms / 4;
    if (!look_up(host, AVAHI_PROTO_INET, share, &lookup) &&
        !look_up(host, AVAHI_PROTO_INET6, timeout_ms - share, &lookup)) {
        return false;
    }
    mdns_address_text(&lookup.address, address);
    return true;
}
