/* SPDX-License-Identifier: Apache-2.0 */
/* The list of services that were found: merged, sorted, bounded. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "posix/mdns_list.h"

#define TXT_ENTRIES_MAX 64u

/* --- addresses ------------------------------------------------------------------------------ */

bool mdns_address_is_link_local(const struct ota_address *address)
{
    return address->ip[0] == 0xFE && (address->ip[1] & 0xC0) == 0x80;
}

bool mdns_address_is_ipv4(const struct ota_address *address)
{
    static const uint8_t prefix[12] = {[10] = 0xFF, [11] = 0xFF};
    return memcmp(address->ip, prefix, sizeof prefix) == 0;
}

/* IPv4 first, since every tool takes it; then what needs no interface; what is of this machine only
   last. */
static int rank(const struct ota_address *address)
{
    static const uint8_t loopback[16] = {[15] = 1};
    if (mdns_address_is_ipv4(address)) {
        return address->ip[12] == 127 ? 3 : 0;
    }
    if (memcmp(address->ip, loopback, sizeof loopback) == 0) {
        return 4;
    }
    return mdns_address_is_link_local(address) ? 2 : 1;
}

static int compare_addresses(const struct ota_address *a, const struct ota_address *b)
{
    const int by_rank = rank(a) - rank(b);
    const int by_ip = by_rank != 0 ? by_rank : memcmp(a->ip, b->ip, sizeof a->ip);
    return by_ip != 0 ? by_ip : (a->scope > b->scope) - (a->scope < b->scope);
}

static void add_address(struct mdns_service *service, const struct ota_address *address)
{
    size_t place = 0;
    int order = -1;
    while (place < service->address_count &&
           (order = compare_addresses(&service->addresses[place], address)) < 0) {
        place++;
    }
    if (place == MDNS_ADDRESSES_MAX || (place < service->address_count && order == 0)) {
        return;
    }
    if (service->address_count < MDNS_ADDRESSES_MAX) {
        service->address_count++;
    }
    memmove(&service->addresses[place + 1], &service->addresses[place],
            (service->address_count - 1 - place) * sizeof *address);
    service->addresses[place] = *address;
}

const char *mdns_address_text(const struct ota_address *address, char text[MDNS_ADDRESS_SIZE])
{
    char host[OTA_ADDRESS_TEXT_SIZE];
    ota_address_host_text(address, host);
    if (address->scope == 0) {
        snprintf(text, MDNS_ADDRESS_SIZE, "%s", host);
    } else {
        snprintf(text, MDNS_ADDRESS_SIZE, "%s%%%u", host, (unsigned)address->scope);
    }
    return text;
}

/* --- services ------------------------------------------------------------------------------- */

static void free_service(struct mdns_service *service)
{
    mdns_service_clear_txt(service);
    free(service->txt);
    free(service->name);
    free(service->type);
    free(service->host);
}

void mdns_list_free(struct mdns_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        free_service(&list->services[i]);
    }
    free(list->services);
    *list = (struct mdns_list){.services = NULL};
}

static int compare(const struct mdns_service *service, const char *name, const char *type,
                   uint16_t port)
{
    const int by_name = strcmp(service->name, name);
    const int by_type = by_name != 0 ? by_name : strcmp(service->type, type);
    return by_type != 0 ? by_type : (int)service->port - (int)port;
}

struct mdns_service *mdns_list_add(struct mdns_list *list, const char *name, const char *type,
                                   const char *host, const struct ota_address *address)
{
    size_t place = 0;
    int order = -1;
    while (place < list->count &&
           (order = compare(&list->services[place], name, type, address->port)) < 0) {
        place++;
    }
    if (place < list->count && order == 0) {
        add_address(&list->services[place], address);
        return &list->services[place];
    }
    struct mdns_service made = {
        .name = strdup(name), .type = strdup(type), .host = strdup(host), .port = address->port};
    struct mdns_service *grown = list->count < MDNS_SERVICES_MAX
                                     ? realloc(list->services, (list->count + 1) * sizeof *grown)
                                     : NULL;
    list->services = grown != NULL ? grown : list->services;
    if (grown == NULL || made.name == NULL || made.type == NULL || made.host == NULL) {
        free_service(&made);
        return NULL;
    }
    memmove(&grown[place + 1], &grown[place], (list->count - place) * sizeof *grown);
    grown[place] = made;
    list->count++;
    add_address(&grown[place], address);
    return &grown[place];
}

static bool same_host(const char *host, const char *name)
{
    static const char suffix[] = ".local";
    const size_t len = strlen(name);
    return strncasecmp(host, name, len) == 0 &&
           (host[len] == '\0' || strcasecmp(host + len, suffix) == 0);
}

bool mdns_service_is_named(const struct mdns_service *service, const char *name)
{
    return strcasecmp(service->name, name) == 0 || same_host(service->host, name);
}

/* --- TXT ------------------------------------------------------------------------------------ */

void mdns_service_clear_txt(struct mdns_service *service)
{
    while (service->txt_count > 0) {
        free(service->txt[--service->txt_count]);
    }
}

void mdns_service_add_txt(struct mdns_service *service, const char *text, size_t len)
{
    char **grown = service->txt_count < TXT_ENTRIES_MAX
                       ? realloc(service->txt, (service->txt_count + 1) * sizeof *grown)
                       : NULL;
    if (grown == NULL) {
        return;
    }
    service->txt = grown;
    grown[service->txt_count] = strndup(text, len);
    if (grown[service->txt_count] != NULL) {
        service->txt_count++;
    }
}

const char *mdns_txt(const struct mdns_service *service, const char *key)
{
    const size_t len = strlen(key);
    for (size_t i = 0; i < service->txt_count; i++) {
        const char *entry = service->txt[i];
        if (strncasecmp(entry, key, len) == 0 && (entry[len] == '=' || entry[len] == '\0')) {
            return entry[len] == '=' ? entry + len + 1 : "";
        }
    }
    return NULL;
}
