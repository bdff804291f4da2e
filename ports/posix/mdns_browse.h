/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_PORTS_POSIX_MDNS_BROWSE_H
#define UPDRAFT_PORTS_POSIX_MDNS_BROWSE_H

/*
 * Finding devices by multicast DNS, without a daemon and without the system's help: which services
 * of the given types there are on the local network, and which address a NAME.local has.
 *
 *     const char *const types[] = {"_arduino._tcp", NULL};
 *     struct mdns_list list;
 *     if (!mdns_browse(&(struct mdns_query){.types = types, .timeout_ms = 3000}, &list)) {
 *         return fail("%s", list.why);
 *     }
 *     for (size_t i = 0; i < list.count; i++) {
 *         const char *board = mdns_txt(&list.services[i], "board");
 *         ...
 *     }
 *     mdns_list_free(&list);
 *
 * All text comes from the network, may hold any byte but NUL, and is escaped by whoever prints it.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <updraft/address.h>

/* An address in the form that getaddrinfo takes, "fe80::1%4" where it needs an interface. */
#define MDNS_ADDRESS_SIZE 64u

#define MDNS_ADDRESSES_MAX 8u
#define MDNS_SERVICES_MAX 4096u

/* One service of one device, as seen on all interfaces and by both IP versions. */
struct mdns_service {
    char *name; /* of the instance: "garden" */
    char *type; /* "_arduino._tcp" */
    char *host; /* "garden.local" */
    uint16_t port;
    struct ota_address
        addresses[MDNS_ADDRESSES_MAX]; /* the one to try first first; with the port */
    size_t address_count;              /* at least 1 */
    char **txt;                        /* "key=value" each */
    size_t txt_count;
};

struct mdns_query {
    const char *const *types; /* ended by NULL */
    uint32_t timeout_ms;      /* how long answers are waited for */
    const char *name; /* end early when a service of this name or host is known; NULL: never */
    volatile const bool *stop; /* end early when it becomes true; NULL: never */
};

struct mdns_list {
    struct mdns_service *services; /* sorted by name, then type, then port */
    size_t count;
    char why[128]; /* why there is no answer, if there is none */
};

/* Asks the network. Blocks for the time given. Returns false, with the reason in list->why, if the
   network cannot be asked; else true, also when nothing was found. The list is the caller's. */
bool mdns_browse(const struct mdns_query *query, struct mdns_list *list);
void mdns_list_free(struct mdns_list *list);

/* The value of a key of the TXT record ("" for a key without one), or NULL. Letter case of the key
   does not matter. */
const char *mdns_txt(const struct mdns_service *service, const char *key);

/* Writes an address as getaddrinfo takes it; the result is `text`. */
const char *mdns_address_text(const struct ota_address *address, char text[MDNS_ADDRESS_SIZE]);

/* Finds the address of NAME.local (".local" may be left out) on systems that know nothing of it, an
   IPv4 address if there is one. Blocks until there is an answer, at most for the time given. Writes
   the text form and returns true, or returns false. */
bool mdns_resolve(const char *name, uint32_t timeout_ms, char address[MDNS_ADDRESS_SIZE]);

#endif
