/* SPDX-License-Identifier: Apache-2.0 */
/* This machine's addresses, and publishing them for a host name that is not the machine's own. */

#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "posix/mdns_addresses.h"

static bool is_usable(const struct ifaddrs *interface)
{
    return interface->ifa_addr != NULL && (interface->ifa_flags & IFF_UP) != 0 &&
           (interface->ifa_flags & (IFF_MULTICAST | IFF_LOOPBACK)) != 0;
}

static bool take_address(const struct sockaddr *system, AvahiAddress *address)
{
    if (system->sa_family == AF_INET) {
        struct sockaddr_in ipv4;
        memcpy(&ipv4, system, sizeof ipv4);
        address->proto = AVAHI_PROTO_INET;
        address->data.ipv4.address = ipv4.sin_addr.s_addr;
        return true;
    }
    if (system->sa_family == AF_INET6) {
        struct sockaddr_in6 ipv6;
        memcpy(&ipv6, system, sizeof ipv6);
        address->proto = AVAHI_PROTO_INET6;
        memcpy(address->data.ipv6.address, &ipv6.sin6_addr, sizeof address->data.ipv6.address);
        return true;
    }
    return false;
}

void mdns_addresses_take(struct mdns_addresses *addresses)
{
    struct ifaddrs *interfaces = NULL;
    memset(addresses, 0, sizeof *addresses);
    if (getifaddrs(&interfaces) != 0) {
        return;
    }
    for (const struct ifaddrs *at = interfaces;
         at != NULL && addresses->count < MDNS_OWN_ADDRESSES_MAX; at = at->ifa_next) {
        struct mdns_own_address *entry = &addresses->entries[addresses->count];
        if (is_usable(at) && take_address(at->ifa_addr, &entry->address)) {
            entry->interface = (AvahiIfIndex)if_nametoindex(at->ifa_name);
            addresses->count++;
        }
    }
    freeifaddrs(interfaces);
}

bool mdns_addresses_equal(const struct mdns_addresses *a, const struct mdns_addresses *b)
{
    bool equal = a->count == b->count;
    for (size_t i = 0; i < a->count && equal; i++) {
        equal = a->entries[i].interface == b->entries[i].interface &&
                avahi_address_cmp(&a->entries[i].address, &b->entries[i].address) == 0;
    }
    return equal;
}

int mdns_addresses_publish(const struct mdns_addresses *addresses, AvahiServer *server,
                           AvahiSEntryGroup *group)
{
    int error = 0;
    for (size_t i = 0; i < addresses->count && error == 0; i++) {
        const struct mdns_own_address *entry = &addresses->entries[i];
        AvahiAddress address = entry->address;
        error = avahi_server_add_address(server, group, entry->interface, AVAHI_PROTO_UNSPEC,
                                         AVAHI_PUBLISH_NO_REVERSE, NULL, &address);
    }
    return error;
}
