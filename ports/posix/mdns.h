/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_PORTS_POSIX_MDNS_H
#define UPDRAFT_PORTS_POSIX_MDNS_H

/*
 * Makes a board answer for NAME.local and tell the network of its services (RFC 6762 and 6763),
 * with a stack of its own: no daemon is needed, and one that runs is not disturbed.
 *
 *     struct mdns *mdns = mdns_open("garden", adverts, count, log_line, context);
 *     while (mdns != NULL && ...) {
 *         mdns_poll(mdns, own_descriptors, own_count, timeout_ms);
 *     }
 *     mdns_close(mdns);
 *
 *     CLAIMING ------> KNOWN -----> (closed: the network is told)
 *      ^  ^ |            | |
 *      |  | `------------|-+-> someone else has the name: the next one (garden-2) is taken, and
 *      |  `--------------+     logged
 *      `- the machine's addresses have changed
 *
 * The instance name of each service is the host name, as the Arduino tools expect it
 * (docs/formats/espota.md).
 */

#include <poll.h>
#include <stddef.h>

#include <updraft/platform.h>

struct mdns;

/* Gets one line, for people. */
typedef void mdns_log_fn(void *context, enum ota_log_level level, const char *text);

/* Begins to advertise. `host_name` is without ".local"; the adverts' strings stay the caller's and
   must last until mdns_close, the array need not. Returns NULL, after a line in the log, if it
   cannot be. Without a network it waits for one. */
struct mdns *mdns_open(const char *host_name, const struct ota_advert *adverts, size_t count,
                       mdns_log_fn *log, void *context);

/* As poll(2) on these descriptors, and does what the network asks for meanwhile. May return 0
   early. */
int mdns_poll(struct mdns *mdns, struct pollfd *polls, nfds_t count, int timeout_ms);

/* Says goodbye to the network and frees all. Nothing if it is NULL. */
void mdns_close(struct mdns *mdns);

#endif
