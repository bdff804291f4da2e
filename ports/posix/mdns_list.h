/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_PORTS_POSIX_MDNS_LIST_H
#define UPDRAFT_PORTS_POSIX_MDNS_LIST_H

/* How mdns_browse.c builds the list of services that mdns_browse.h describes. */

#include "posix/mdns_browse.h"

bool mdns_address_is_ipv4(const struct ota_address *address);

/* Tells whether an address needs an interface to be of use (fe80::/10). */
bool mdns_address_is_link_local(const struct ota_address *address);

/* Adds what was heard of a service: a service of its own in the list's order, or one more address
   of one that is known. Returns it, valid until the next call; NULL if there is no room or no
   memory. */
struct mdns_service *mdns_list_add(struct mdns_list *list, const char *name, const char *type,
                                   const char *host, const struct ota_address *address);

/* Replace the TXT entries of a service. What follows a NUL in an entry is lost. */
void mdns_service_clear_txt(struct mdns_service *service);
void mdns_service_add_txt(struct mdns_service *service, const char *text, size_t len);

/* Tells whether this is the service's or its host's name, with or without ".local". */
bool mdns_service_is_named(const struct mdns_service *service, const char *name);

#endif
