/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_PORTS_POSIX_MDNS_SERVER_H
#define UPDRAFT_PORTS_POSIX_MDNS_SERVER_H

/* How mdns.c and mdns_browse.c set up a multicast DNS stack of their own (avahi-core). */

#include <avahi-core/core.h>

/* Makes a stack that may publish records of `host_name`, or with NULL one that only asks. It shares
   the port with others on this machine, and publishes nothing by itself. Returns NULL, with
   avahi's error, if that cannot be. */
AvahiServer *mdns_server_new(const AvahiPoll *poll, const char *host_name,
                             AvahiServerCallback on_state, void *context, int *error);

#endif
