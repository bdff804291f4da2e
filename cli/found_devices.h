/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_CLI_FOUND_DEVICES_H
#define UPDRAFT_CLI_FOUND_DEVICES_H

/*
 * What multicast DNS has found, as devices: the services of one host together, each as a way in.
 *
 *     struct found_devices found;
 *     found_devices_make(&found, &list);
 *     for (size_t i = 0; i < found.count; i++) {
 *         const struct found_way *way = found_device_way(&found.devices[i], FOUND_ESPOTA);
 *         ...
 *     }
 *     found_devices_free(&found);
 *
 * Everything points into the list, which must outlive it. Text comes from the network: escape it.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "posix/mdns_browse.h"

#define FOUND_WAYS_MAX 8u

enum found_kind {
    FOUND_ESPOTA = 0, /* _arduino._tcp */
    FOUND_ESPHOME,    /* _esphomelib._tcp */
    FOUND_WEB,        /* _http._tcp: a page, which may take updates */
    FOUND_OTHER,
};

struct found_way {
    enum found_kind kind;
    uint16_t port; /* for updates; 0 if it is not known */
    bool password; /* the device says that it wants one */
    bool gzip;     /* the device says that it unpacks what is compressed */
    const struct mdns_service *service;
};

struct found_device {
    const char *host; /* "garden.local" */
    char address[MDNS_ADDRESS_SIZE];
    const char *board; /* "esp32"; NULL if it says nothing of it */
    struct found_way ways[FOUND_WAYS_MAX];
    size_t way_count; /* at least 1 */
};

struct found_devices {
    struct found_device *devices; /* sorted by host */
    size_t count;
};

/* Makes devices of the services of a list. */
void found_devices_make(struct found_devices *found, const struct mdns_list *list);
void found_devices_free(struct found_devices *found);

/* The first way of a kind that the device has, or NULL. */
const struct found_way *found_device_way(const struct found_device *device, enum found_kind kind);

/* "espota", "esphome", "web page", or the type of another service. */
const char *found_way_name(const struct found_way *way);

#endif
