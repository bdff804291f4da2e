/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_CLI_PUSH_TARGET_H
#define UPDRAFT_CLI_PUSH_TARGET_H

/*
 * Whom to push to: names, addresses and types of services become devices with an address, a port
 * and a dialect. What multicast DNS says of a device is taken where the command line does not say
 * it.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/push_device.h"

struct push_devices {
    struct push_device *devices;
    size_t count;
};

struct push_wish {
    const struct push_dialect *dialect; /* NULL: as the device says, else espota */
    uint16_t port;                      /* 0: as the device says, else usual_port */
    uint16_t usual_port;
    volatile const bool *stop; /* give up searching when it becomes true */
};

/* Adds the device that `text` names: NAME, NAME.local, an address, each also with :PORT. Returns 0,
   or 1 after a message. */
int push_target_add(struct push_devices *devices, const char *text, const struct push_wish *wish);

/* Adds all devices of the network that offer services of `type`. Returns 0, or 1 after a message,
   also when there is none. */
int push_target_add_all(struct push_devices *devices, const char *type,
                        const struct push_wish *wish);

void push_devices_free(struct push_devices *devices);

#endif
