/* SPDX-License-Identifier: Apache-2.0 */
/* Advertising by multicast DNS. avahi-core's loop and the caller's descriptors wait in one
   poll(). */

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <avahi-common/alternative.h>
#include <avahi-common/error.h>
#include <avahi-common/malloc.h>
#include <avahi-common/simple-watch.h>
#include <avahi-common/timeval.h>
#include <avahi-core/publish.h>

#include "posix/mdns.h"
#include "posix/mdns_addresses.h"
#include "posix/mdns_server.h"

/* How often is looked whether the machine's addresses have changed. */
#define ADDRESS_CHECK_MS 3000

struct mdns {
    AvahiSimplePoll *loop;
    AvahiServer *server;
    AvahiSEntryGroup *group; /* all records: the addresses of the name, and the services */
    AvahiTimeout *address_check;
    struct mdns_addresses addresses;
    struct ota_advert *adverts;
    size_t advert_count;
    mdns_log_fn *log;
    void *context;

    /* For the duration of mdns_poll: the caller's descriptors, and how many of them are ready. */
    struct pollfd *polls;
    nfds_t poll_count;
    int ready;
    struct pollfd *merged;
    nfds_t merged_size;
};

static void say(const struct mdns *mdns, enum ota_log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void say(const struct mdns *mdns, enum ota_log_level level, const char *format, ...)
{
    char text[256];
    va_list arguments;
    va_start(arguments, format);
    /* NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): begun in the line above */
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    mdns->log(mdns->context, level, text);
}

/* --- records -------------------------------------------------------------------------------- */

static int add_service(struct mdns *mdns, AvahiServer *server, const struct ota_advert *advert)
{
    AvahiStringList *txt = NULL;
    for (const char *const *entry = advert->txt; entry != NULL && *entry != NULL; entry++) {
        txt = avahi_string_list_add(txt, *entry);
    }
    txt = avahi_string_list_reverse(txt);
    const int error = avahi_server_add_service_strlst(
        server, mdns->group, AVAHI_IF_UNSPEC, AVAHI_PROTO_UNSPEC, 0,
        avahi_server_get_host_name(server), advert->type, NULL, NULL, advert->port, txt);
    avahi_string_list_free(txt);
    return error;
}

/* Someone else has the name. The library goes through REGISTERING to RUNNING with the next one, and
   all records follow then. */
static void take_another_name(const struct mdns *mdns, AvahiServer *server)
{
    char *name = avahi_alternative_host_name(avahi_server_get_host_name(server));
    if (name == NULL || avahi_server_set_host_name(server, name) < 0) {
        say(mdns, OTA_LOG_ERROR, "the name %s.local is taken, and no other could be had: %s",
            avahi_server_get_host_name(server), avahi_strerror(avahi_server_errno(server)));
    } else {
        say(mdns, OTA_LOG_WARNING, "someone else has this name already: this board is %s.local",
            name);
    }
    avahi_free(name);
}

static void on_group_state(AvahiServer *server, AvahiSEntryGroup *group, AvahiEntryGroupState state,
                           void *context)
{
    const struct mdns *mdns = context;
    (void)group;
    if (state == AVAHI_ENTRY_GROUP_COLLISION) {
        take_another_name(mdns, server);
    } else if (state == AVAHI_ENTRY_GROUP_FAILURE) {
        say(mdns, OTA_LOG_ERROR, "the services could not be advertised: %s",
            avahi_strerror(avahi_server_errno(server)));
    } else if (state == AVAHI_ENTRY_GROUP_ESTABLISHED) {
        say(mdns, OTA_LOG_INFO, "%s.local is known to the network",
            avahi_server_get_host_name(server));
    }
}

/* Puts all records up in place of those before. */
static void publish(struct mdns *mdns, AvahiServer *server)
{
    if (mdns->group == NULL) {
        mdns->group = avahi_s_entry_group_new(server, on_group_state, mdns);
    }
    int error = mdns->group == NULL ? avahi_server_errno(server) : 0;
    if (error == 0) {
        avahi_s_entry_group_reset(mdns->group);
    }
    if (mdns->addresses.count == 0) {
        say(mdns, OTA_LOG_WARNING,
            "there is no network yet: %s.local is advertised as soon as there is",
            avahi_server_get_host_name(server));
        return;
    }
    if (error == 0) {
        error = mdns_addresses_publish(&mdns->addresses, server, mdns->group);
    }
    for (size_t i = 0; i < mdns->advert_count && error == 0; i++) {
        error = add_service(mdns, server, &mdns->adverts[i]);
    }
    if (error == 0) {
        error = avahi_s_entry_group_commit(mdns->group);
    }
    if (error != 0) {
        say(mdns, OTA_LOG_ERROR, "the services could not be advertised: %s", avahi_strerror(error));
    }
}

/* The first call comes from within avahi_server_new, before mdns->server is set. */
static void on_server_state(AvahiServer *server, AvahiServerState state, void *context)
{
    struct mdns *mdns = context;
    switch (state) {
    case AVAHI_SERVER_RUNNING:
        publish(mdns, server);
        break;
    case AVAHI_SERVER_COLLISION:
        take_another_name(mdns, server);
        break;
    case AVAHI_SERVER_FAILURE:
        say(mdns, OTA_LOG_ERROR, "multicast DNS failed: %s",
            avahi_strerror(avahi_server_errno(server)));
        break;
    case AVAHI_SERVER_REGISTERING:
    case AVAHI_SERVER_INVALID:
        break;
    }
}

static void check_addresses(AvahiTimeout *timeout, void *context)
{
    struct mdns *mdns = context;
    struct mdns_addresses now;
    struct timeval next;
    mdns_addresses_take(&now);
    if (!mdns_addresses_equal(&now, &mdns->addresses)) {
        mdns->addresses = now;
        publish(mdns, mdns->server);
    }
    avahi_elapse_time(&next, ADDRESS_CHECK_MS, 0);
    avahi_simple_poll_get(mdns->loop)->timeout_update(timeout, &next);
}

/* --- waiting -------------------------------------------------------------------------------- */

static bool make_room(struct mdns *mdns, nfds_t wanted)
{
    if (wanted > mdns->merged_size) {
        struct pollfd *grown = realloc(mdns->merged, wanted * sizeof *grown);
        if (grown == NULL) {
            return false;
        }
        mdns->merged = grown;
        mdns->merged_size = wanted;
    }
    return true;
}

static int count_ready(const struct pollfd *polls, nfds_t count)
{
    int ready = 0;
    for (nfds_t i = 0; i < count; i++) {
        ready += polls[i].revents != 0 ? 1 : 0;
    }
    return ready;
}

/* What avahi's loop calls in place of poll(): its own descriptors, and the caller's beside them. */
static int poll_all(struct pollfd *polls, unsigned count, int timeout_ms, void *context)
{
    struct mdns *mdns = context;
    struct pollfd *merged = NULL;
    if (!make_room(mdns, count + mdns->poll_count)) {
        return poll(polls, count, timeout_ms);
    }
    merged = mdns->merged;
    memcpy(merged, polls, count * sizeof *polls);
    if (mdns->poll_count > 0) {
        memcpy(merged + count, mdns->polls, mdns->poll_count * sizeof *polls);
    }
    const int result = poll(merged, count + mdns->poll_count, timeout_ms);
    if (result < 0) {
        return errno == EINTR ? 0 : result;
    }
    for (unsigned i = 0; i < count; i++) {
        polls[i].revents = merged[i].revents;
    }
    for (nfds_t i = 0; i < mdns->poll_count; i++) {
        mdns->polls[i].revents = merged[count + i].revents;
    }
    mdns->ready = count_ready(mdns->polls, mdns->poll_count);
    return count_ready(polls, count);
}

int mdns_poll(struct mdns *mdns, struct pollfd *polls, nfds_t count, int timeout_ms)
{
    mdns->polls = polls;
    mdns->poll_count = count;
    mdns->ready = 0;
    avahi_simple_poll_iterate(mdns->loop, timeout_ms);
    mdns->polls = NULL;
    mdns->poll_count = 0;
    return mdns->ready;
}

/* --- life ----------------------------------------------------------------------------------- */

static bool start(struct mdns *mdns, const char *host_name, const struct ota_advert *adverts,
                  size_t count)
{
    int error = AVAHI_ERR_NO_MEMORY;
    mdns->adverts = calloc(count + 1, sizeof *adverts);
    mdns->loop = avahi_simple_poll_new();
    if (mdns->adverts != NULL && mdns->loop != NULL) {
        memcpy(mdns->adverts, adverts, count * sizeof *adverts);
        mdns->advert_count = count;
        mdns_addresses_take(&mdns->addresses);
        avahi_simple_poll_set_func(mdns->loop, poll_all, mdns);
        mdns->server = mdns_server_new(avahi_simple_poll_get(mdns->loop), host_name,
                                       on_server_state, mdns, &error);
    }
    if (mdns->server == NULL) {
        say(mdns, OTA_LOG_WARNING, "%s.local is not advertised: %s", host_name,
            avahi_strerror(error));
    }
    return mdns->server != NULL;
}

static void begin_address_checks(struct mdns *mdns)
{
    const AvahiPoll *poll_api = avahi_simple_poll_get(mdns->loop);
    struct timeval next;
    avahi_elapse_time(&next, ADDRESS_CHECK_MS, 0);
    mdns->address_check = poll_api->timeout_new(poll_api, &next, check_addresses, mdns);
}

struct mdns *mdns_open(const char *host_name, const struct ota_advert *adverts, size_t count,
                       mdns_log_fn *log, void *context)
{
    struct mdns *mdns = calloc(1, sizeof *mdns);
    if (mdns == NULL) {
        return NULL;
    }
    mdns->log = log;
    mdns->context = context;
    if (!start(mdns, host_name, adverts, count)) {
        mdns_close(mdns);
        return NULL;
    }
    begin_address_checks(mdns);
    return mdns;
}

void mdns_close(struct mdns *mdns)
{
    if (mdns == NULL) {
        return;
    }
    if (mdns->address_check != NULL) {
        avahi_simple_poll_get(mdns->loop)->timeout_free(mdns->address_check);
    }
    if (mdns->server != NULL) {
        avahi_server_free(mdns->server); /* and its groups */
    }
    if (mdns->loop != NULL) {
        avahi_simple_poll_free(mdns->loop);
    }
    free(mdns->merged);
    free(mdns->adverts);
    free(mdns);
}
