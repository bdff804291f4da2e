/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_PORTS_POSIX_MDNS_ADDRESSES_H
#define UPDRAFT_PORTS_POSIX_MDNS_ADDRESSES_H

/* This machine's addresses on each interface, for mdns.c. The library could publish them itself,
   but it would claim their reverse names too, which a daemon on the same machine already has: the
   two would take each other for strangers, and rename without end. */

#include <stdbool.h>
#include <stddef.h>

#include <avahi-core/publish.h>

#define MDNS_OWN_ADDRESSES_MAX 64u

struct mdns_own_address {
    AvahiIfIndex interface;
    AvahiAddress address;
};

struct mdns_addresses {
    struct mdns_own_address entries[MDNS_OWN_ADDRESSES_MAX];
    size_t count;
};

/* Takes the addresses of all interfaces that are up; none if they cannot be had. */
void mdns_addresses_take(struct mdns_addresses *addresses);
bool mdns_addresses_equal(const struct mdns_addresses *a, const struct mdns_addresses *b);

/* Adds a record for each to the group, for the stack's host name. Returns 0 or avahi's error. */
int mdns_addresses_publish(const struct mdns_addresses *addresses, AvahiServer *server,
                           AvahiSEntryGroup *group);

#endif
