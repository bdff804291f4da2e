/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_PORTS_POSIX_LISTENER_H
#define UPDRAFT_PORTS_POSIX_LISTENER_H

/* The listening sockets of struct posix_platform. Used by platform.c. */

#include <updraft/platform.h>

/* As ota_platform's listen: for IPv6 and IPv4 where the system has both. */
enum ota_err listener_open(struct ota_platform *platform, uint16_t port,
                           struct ota_listener **listener);

#endif
