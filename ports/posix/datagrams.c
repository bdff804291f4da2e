/* SPDX-License-Identifier: Apache-2.0 */
/* Datagram sockets that never block. */

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "posix/datagrams.h"
#include "posix/socket.h"
#include "posix/watch.h"

struct posix_datagrams {
    struct ota_datagrams datagrams; /* first: a cast gets this back */
    struct watch watch;
    int family;
};

/* Tells whether the socket itself is of no more use; anything else concerns one datagram. */
static bool is_broken(void)
{
    return errno == EBADF || errno == ENOTSOCK || errno == EINVAL;
}

static enum ota_err datagrams_receive(struct ota_datagrams *self, void *data, size_t capacity,
                                      size_t *len, struct ota_address *from)
{
    struct posix_datagrams *datagrams = (struct posix_datagrams *)self;
    ssize_t got;
    *len = 0;
    do {
        struct sockaddr_storage system = {0};
        socklen_t size = sizeof system;
        got = recvfrom(datagrams->watch.descriptor, data, capacity, 0, (struct sockaddr *)&system,
                       &size);
        if (got < 0) {
            return is_broken() ? OTA_ERR_CONNECTION_LOST : OTA_OK;
        }
        socket_to_address(&system, from);
    } while (got == 0);
    *len = (size_t)got;
    return OTA_OK;
}

static enum ota_err datagrams_send(struct ota_datagrams *self, const void *data, size_t len,
                                   const struct ota_address *to)
{
    struct posix_datagrams *datagrams = (struct posix_datagrams *)self;
    struct sockaddr_storage system;
    const socklen_t size = socket_from_address(to, datagrams->family, &system);
    if (size == 0) {
        return OTA_OK; /* to an IPv6 host from a machine without IPv6: lost */
    }
    const ssize_t sent = sendto(datagrams->watch.descriptor, data, len, MSG_NOSIGNAL,
                                (struct sockaddr *)&system, size);
    return sent < 0 && errno == EBADF ? OTA_ERR_CONNECTION_LOST : OTA_OK;
}

static void release(void *object)
{
    struct posix_datagrams *datagrams = object;
    watch_remove(&datagrams->watch);
    close(datagrams->watch.descriptor);
    free(datagrams);
}

static void datagrams_close(struct ota_datagrams *self)
{
    release(self);
}

static short wanted(const void *object)
{
    (void)object;
    return POLLIN;
}

enum ota_err datagrams_open(struct ota_platform *self, uint16_t port,
                            struct ota_datagrams **datagrams)
{
    struct bound_socket bound;
    const enum ota_err err =
        socket_bind(((const struct posix_platform *)self)->local, SOCK_DGRAM, port, &bound);
    if (err != OTA_OK) {
        return err;
    }
    struct posix_datagrams *made = malloc(sizeof *made);
    if (made == NULL) {
        close(bound.descriptor);
        return OTA_ERR_CONNECT;
    }
    *made = (struct posix_datagrams){
        .datagrams = {.port = bound.port,
                      .receive = datagrams_receive,
                      .send = datagrams_send,
                      .close = datagrams_close},
        .watch = {.wanted = wanted,
                  .release = release,
                  .object = made,
                  .descriptor = bound.descriptor},
        .family = bound.family,
    };
    if (!watch_add((struct posix_platform *)self, &made->watch)) {
        release(made);
        return OTA_ERR_CONNECT;
    }
    *datagrams = &made->datagrams;
    return OTA_OK;
}
