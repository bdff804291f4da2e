/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses in the system's form, and sockets bound to a port of all interfaces. */

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#include "posix/socket.h"

static const uint8_t ipv4_prefix[12] = {[10] = 0xFF, [11] = 0xFF};

static bool is_ipv4(const struct ota_address *address)
{
    return memcmp(address->ip, ipv4_prefix, sizeof ipv4_prefix) == 0;
}

socklen_t socket_from_address(const struct ota_address *address, int family,
                              struct sockaddr_storage *system)
{
    *system = (struct sockaddr_storage){0};
    if (family != AF_INET6 && is_ipv4(address)) {
        struct sockaddr_in *ipv4 = (struct sockaddr_in *)system;
        ipv4->sin_family = AF_INET;
        ipv4->sin_port = htons(address->port);
        memcpy(&ipv4->sin_addr, address->ip + sizeof ipv4_prefix, sizeof ipv4->sin_addr);
        return sizeof *ipv4;
    }
    if (family == AF_INET) {
        return 0;
    }
    struct sockaddr_in6 *ipv6 = (struct sockaddr_in6 *)system;
    ipv6->sin6_family = AF_INET6;
    ipv6->sin6_port = htons(address->port);
    ipv6->sin6_scope_id = address->scope;
    memcpy(&ipv6->sin6_addr, address->ip, sizeof ipv6->sin6_addr);
    return sizeof *ipv6;
}

void socket_to_address(const struct sockaddr_storage *system, struct ota_address *address)
{
    *address = (struct ota_address){.port = 0};
    if (system->ss_family == AF_INET) {
        const struct sockaddr_in *ipv4 = (const struct sockaddr_in *)system;
        memcpy(address->ip, ipv4_prefix, sizeof ipv4_prefix);
        memcpy(address->ip + sizeof ipv4_prefix, &ipv4->sin_addr, sizeof ipv4->sin_addr);
        address->port = ntohs(ipv4->sin_port);
    } else if (system->ss_family == AF_INET6) {
        const struct sockaddr_in6 *ipv6 = (const struct sockaddr_in6 *)system;
        memcpy(address->ip, &ipv6->sin6_addr, sizeof ipv6->sin6_addr);
        address->scope = ipv6->sin6_scope_id;
        address->port = ntohs(ipv6->sin6_port);
    }
}

/* Binds a fresh socket and reads back which port it got. Returns 0, or the errno. */
static int bind_to(const struct ota_address *local, const struct bound_socket *socket,
                   uint16_t wanted, uint16_t *port)
{
    static const struct ota_address any_ipv4 = {.ip = {[10] = 0xFF, [11] = 0xFF}};
    static const struct ota_address any_ipv6 = {.port = 0};
    struct ota_address address = socket->family == AF_INET ? any_ipv4 : any_ipv6;
    if (local != NULL) {
        address = *local;
    }
    struct sockaddr_storage system;
    address.port = wanted;
    socklen_t size = socket_from_address(&address, socket->family, &system);
    if (bind(socket->descriptor, (struct sockaddr *)&system, size) != 0) {
        return errno;
    }
    size = sizeof system;
    if (getsockname(socket->descriptor, (struct sockaddr *)&system, &size) != 0) {
        return errno;
    }
    socket_to_address(&system, &address);
    *port = address.port;
    return 0;
}

/* Opens and binds a socket of one family. Returns 0, or the errno. */
static int open_bound(const struct ota_address *local, int family, int type, uint16_t port,
                      struct bound_socket *bound)
{
    const int on = 1;
    const int off = 0;
    bound->family = family;
    bound->descriptor = socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (bound->descriptor < 0) {
        return errno;
    }
    int error = 0;
    if (family == AF_INET6 &&
        setsockopt(bound->descriptor, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off) != 0) {
        error = errno;
    }
    /* A board that restarts gets its TCP port again at once. For datagrams the option would mean
       that two programs may have the same port. */
    if (type == SOCK_STREAM) {
        setsockopt(bound->descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    }
    if (error == 0) {
        error = bind_to(local, bound, port, &bound->port);
    }
    if (error != 0) {
        close(bound->descriptor);
        bound->descriptor = -1;
    }
    return error;
}

enum ota_err socket_bind(const struct ota_address *local, int type, uint16_t port,
                         struct bound_socket *bound)
{
    int error = open_bound(local, AF_INET6, type, port, bound);
    if (error != 0 && error != EADDRINUSE) {
        error = open_bound(local, AF_INET, type, port, bound);
    }
    if (error == EADDRINUSE) {
        return OTA_ERR_PORT;
    }
    return error == 0 ? OTA_OK : OTA_ERR_CONNECT;
}

bool socket_would_block(void)
{
    return errno == EAGAIN || errno == EINTR;
}
