/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_PORTS_POSIX_SOCKET_H
#define UPDRAFT_PORTS_POSIX_SOCKET_H

/* What streams, datagram sockets and listeners share: addresses in the system's form, and sockets
   bound to a port of all interfaces. */

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include <updraft/address.h>
#include <updraft/error.h>

/* Writes an address in the system's form: for a socket of `family` AF_INET or AF_INET6, or with
   AF_UNSPEC in the form that fits it, IPv4 as IPv4. Returns its length; 0 for an IPv6 address and
   AF_INET. */
socklen_t socket_from_address(const struct ota_address *address, int family,
                              struct sockaddr_storage *system);

/* Takes it back, IPv4 as ::ffff:a.b.c.d; all zero if it is of another family. */
void socket_to_address(const struct sockaddr_storage *system, struct ota_address *address);

/* Opens a non-blocking socket of `type` (SOCK_DGRAM, SOCK_STREAM) at a port, 0 for one that is
   free, of the machine's address `local`, NULL for all: for IPv6 and IPv4, or for IPv4 alone on a
   system without IPv6. Stores descriptor, family and the port that it has. Returns OTA_OK,
   OTA_ERR_PORT if the port is taken, OTA_ERR_CONNECT, also if the address is none of the
   machine's. */
struct bound_socket {
    int descriptor;
    int family;
    uint16_t port;
};
enum ota_err socket_bind(const struct ota_address *local, int type, uint16_t port,
                         struct bound_socket *bound);

/* Tells whether the last call failed for now only. */
bool socket_would_block(void);

#endif
