/* SPDX-License-Identifier: Apache-2.0 */
/* Sockets that wait for TCP connections. Who finds no room stays in the system's queue. */

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "posix/listener.h"
#include "posix/socket.h"
#include "posix/stream.h"
#include "posix/watch.h"

#define QUEUE_LEN 64

struct posix_listener {
    struct ota_listener listener; /* first: a cast gets this back */
    struct watch watch;
    bool stalled; /* the system had no descriptor left: nothing to wake up for until tried again */
};

/* To ask for a connection that is not there costs the system as much as to make one. */
static bool is_alone(const struct posix_listener *listener)
{
    struct pollfd poll_one = {.fd = listener->watch.descriptor, .events = POLLIN};
    return poll(&poll_one, 1, 0) == 0;
}

static enum ota_err listener_accept(struct ota_listener *self, struct ota_stream **stream,
                                    struct ota_address *from)
{
    struct posix_listener *listener = (struct posix_listener *)self;
    struct sockaddr_storage system = {0};
    socklen_t size = sizeof system;
    *stream = NULL;
    listener->stalled = false;
    if (!watch_has_room(listener->watch.platform) || is_alone(listener)) {
        return OTA_OK;
    }
    const int descriptor = accept4(listener->watch.descriptor, (struct sockaddr *)&system, &size,
                                   SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (descriptor >= 0) {
        socket_to_address(&system, from);
        *stream = stream_accepted(listener->watch.platform, descriptor);
        return OTA_OK;
    }
    listener->stalled = errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM;
    return errno == EBADF || errno == EINVAL || errno == ENOTSOCK ? OTA_ERR_CONNECTION_LOST
                                                                  : OTA_OK;
}

static void release(void *object)
{
    struct posix_listener *listener = object;
    watch_remove(&listener->watch);
    close(listener->watch.descriptor);
    free(listener);
}

static void listener_close(struct ota_listener *self)
{
    release(self);
}

static short wanted(const void *object)
{
    const struct posix_listener *listener = object;
    const bool possible = !listener->stalled && !listener->listener.paused &&
                          watch_has_room(listener->watch.platform);
    return possible ? POLLIN : 0;
}

enum ota_err listener_open(struct ota_platform *self, uint16_t port, struct ota_listener **listener)
{
    struct bound_socket bound;
    const enum ota_err err =
        socket_bind(((const struct posix_platform *)self)->local, SOCK_STREAM, port, &bound);
    if (err != OTA_OK) {
        return err;
    }
    /* Of two sockets that are both bound and do not listen yet, the second one learns only here. */
    struct posix_listener *made = NULL;
    if (listen(bound.descriptor, QUEUE_LEN) != 0 || (made = malloc(sizeof *made)) == NULL) {
        const bool taken = errno == EADDRINUSE;
        close(bound.descriptor);
        return taken ? OTA_ERR_PORT : OTA_ERR_CONNECT;
    }
    *made = (struct posix_listener){
        .listener = {.port = bound.port, .accept = listener_accept, .close = listener_close},
        .watch = {.wanted = wanted,
                  .release = release,
                  .object = made,
                  .descriptor = bound.descriptor},
    };
    if (!watch_add((struct posix_platform *)self, &made->watch)) {
        release(made);
        return OTA_ERR_CONNECT;
    }
    *listener = &made->listener;
    return OTA_OK;
}
