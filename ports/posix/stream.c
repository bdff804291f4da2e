/* SPDX-License-Identifier: Apache-2.0 */
/* TCP streams that never block. A stream begins CONNECTING; each read, write or wait looks whether
   the address at hand has answered, and goes on to the next one if it refused. */

#include <errno.h>
#include <limits.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "posix/stream.h"

enum stream_phase {
    CONNECTING,
    OPEN,
    FAILED, /* no address could be connected to */
};

struct posix_stream {
    struct ota_stream stream; /* first: a cast gets this back */
    struct posix_platform *owner;
    struct addrinfo *addresses; /* of the name, to be freed */
    struct addrinfo *next;      /* the one to try after the present one fails */
    int descriptor;             /* -1 when FAILED */
    enum stream_phase phase;
    bool ended;      /* the peer has closed */
    bool write_full; /* the last write could not take all */
};

/* Begins to connect to the next address that a socket can be made for. */
static void try_next(struct posix_stream *stream)
{
    if (stream->descriptor >= 0) {
        close(stream->descriptor);
        stream->descriptor = -1;
    }
    while (stream->next != NULL) {
        const struct addrinfo *address = stream->next;
        stream->next = address->ai_next;
        const int descriptor =
            socket(address->ai_family, address->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC,
                   address->ai_protocol);
        if (descriptor < 0) {
            continue;
        }
        const int on = 1;
        setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        if (connect(descriptor, address->ai_addr, address->ai_addrlen) == 0 ||
            errno == EINPROGRESS) {
            stream->descriptor = descriptor;
            return;
        }
        close(descriptor);
    }
    stream->phase = FAILED;
}

/* Looks whether the connection has come about. */
static void progress(struct posix_stream *stream)
{
    while (stream->phase == CONNECTING) {
        struct pollfd poll_one = {.fd = stream->descriptor, .events = POLLOUT};
        if (poll(&poll_one, 1, 0) <= 0) {
            return;
        }
        int error = 0;
        socklen_t size = sizeof error;
        if (getsockopt(stream->descriptor, SOL_SOCKET, SO_ERROR, &error, &size) == 0 &&
            error == 0) {
            stream->phase = OPEN;
        } else {
            try_next(stream);
        }
    }
}

static bool would_block(void)
{
    return errno == EAGAIN || errno == EINTR;
}

static enum ota_err stream_read(struct ota_stream *self, void *data, size_t capacity, size_t *len,
                                bool *ended)
{
    struct posix_stream *stream = (struct posix_stream *)self;
    *len = 0;
    *ended = stream->ended;
    progress(stream);
    if (stream->phase != OPEN) {
        return stream->phase == FAILED ? OTA_ERR_CONNECT : OTA_OK;
    }
    if (stream->ended || capacity == 0) {
        return OTA_OK;
    }
    const ssize_t got = recv(stream->descriptor, data, capacity, 0);
    if (got < 0) {
        return would_block() ? OTA_OK : OTA_ERR_CONNECTION_LOST;
    }
    stream->ended = got == 0;
    *ended = stream->ended;
    *len = (size_t)got;
    return OTA_OK;
}

static enum ota_err stream_write(struct ota_stream *self, const void *data, size_t len,
                                 size_t *sent)
{
    struct posix_stream *stream = (struct posix_stream *)self;
    *sent = 0;
    progress(stream);
    if (stream->phase != OPEN) {
        return stream->phase == FAILED ? OTA_ERR_CONNECT : OTA_OK;
    }
    const ssize_t taken = send(stream->descriptor, data, len, MSG_NOSIGNAL);
    if (taken < 0 && !would_block()) {
        return OTA_ERR_CONNECTION_LOST;
    }
    *sent = taken > 0 ? (size_t)taken : 0;
    stream->write_full = *sent < len;
    return OTA_OK;
}

void stream_close(struct posix_stream *stream)
{
    for (size_t i = 0; i < PLATFORM_STREAMS_MAX; i++) {
        if (stream->owner->streams[i] == stream) {
            stream->owner->streams[i] = NULL;
        }
    }
    if (stream->descriptor >= 0) {
        close(stream->descriptor);
    }
    freeaddrinfo(stream->addresses);
    free(stream);
}

static void stream_close_public(struct ota_stream *self)
{
    stream_close((struct posix_stream *)self);
}

enum ota_err stream_connect(struct ota_platform *self, const char *host, uint16_t port,
                            struct ota_stream **stream)
{
    struct posix_platform *platform = (struct posix_platform *)self;
    size_t place = 0;
    while (place < PLATFORM_STREAMS_MAX && platform->streams[place] != NULL) {
        place++;
    }
    if (place == PLATFORM_STREAMS_MAX) {
        return OTA_ERR_CONNECT;
    }
    const struct addrinfo wanted = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *addresses = NULL;
    char service[8];
    snprintf(service, sizeof service, "%u", (unsigned)port);
    if (getaddrinfo(host, service, &wanted, &addresses) != 0) {
        return OTA_ERR_CONNECT;
    }
    struct posix_stream *made = malloc(sizeof *made);
    if (made == NULL) {
        freeaddrinfo(addresses);
        return OTA_ERR_CONNECT;
    }
    *made = (struct posix_stream){
        .stream = {.read = stream_read, .write = stream_write, .close = stream_close_public},
        .owner = platform,
        .addresses = addresses,
        .next = addresses,
        .descriptor = -1,
        .phase = CONNECTING,
    };
    platform->streams[place] = made;
    try_next(made);
    *stream = &made->stream;
    return OTA_OK;
}

/* What to wait for on a stream; 0 if nothing can come of it. */
static short wanted_events(const struct posix_stream *stream)
{
    if (stream->phase == CONNECTING) {
        return POLLOUT;
    }
    if (stream->phase == FAILED) {
        return 0;
    }
    return (short)((stream->ended ? 0 : POLLIN) | (stream->write_full ? POLLOUT : 0));
}

void stream_wait(struct ota_platform *self, uint32_t timeout_ms)
{
    struct posix_platform *platform = (struct posix_platform *)self;
    struct pollfd polls[PLATFORM_STREAMS_MAX];
    nfds_t count = 0;
    for (size_t i = 0; i < PLATFORM_STREAMS_MAX; i++) {
        const struct posix_stream *stream = platform->streams[i];
        const short events = stream != NULL ? wanted_events(stream) : 0;
        if (events != 0) {
            polls[count++] = (struct pollfd){.fd = stream->descriptor, .events = events};
        }
    }
    poll(polls, count, timeout_ms > INT_MAX ? INT_MAX : (int)timeout_ms);
}
