/* SPDX-License-Identifier: Apache-2.0 */
/* A multicast DNS stack with the settings that all uses share. */

#include <stddef.h>

#include <avahi-common/malloc.h>
#include <avahi-core/log.h>

#include "posix/mdns_server.h"

/* The library has one log for all; what matters in it shows in states and results. */
static void ignore_log(AvahiLogLevel level, const char *text)
{
    (void)level;
    (void)text;
}

AvahiServer *mdns_server_new(const AvahiPoll *poll, const char *host_name,
                             AvahiServerCallback on_state, void *context, int *error)
{
    AvahiServerConfig config;
    avahi_set_log_function(ignore_log);
    avahi_server_config_init(&config);
    if (host_name != NULL) {
        avahi_free(config.host_name);
        config.host_name = avahi_strdup(host_name);
    }
    config.disable_publishing = host_name == NULL;
    config.publish_addresses = 0; /* see mdns_addresses.h */
    config.publish_hinfo = 0;
    config.publish_workstation = 0;
    config.publish_domain = 0;
    config.enable_wide_area = 0;
    config.disallow_other_stacks = 0;
    AvahiServer *server = avahi_server_new(poll, &config, on_state, context, error);
    avahi_server_config_free(&config);
    return server;
}
