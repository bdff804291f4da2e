/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_PORTS_POSIX_DATAGRAMS_H
#define UPDRAFT_PORTS_POSIX_DATAGRAMS_H

/* The datagram sockets of struct posix_platform. Used by platform.c. */

#include <updraft/platform.h>

/* As ota_platform's open_datagrams: for IPv6 and IPv4 where the system has both. */
enum ota_err datagrams_open(struct ota_platform *platform, uint16_t port,
                            struct ota_datagrams **datagrams);

#endif
