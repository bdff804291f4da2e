/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TCP streams that never block. A stream begins CONNECTING; each read, write or wait looks whether
 * the address at hand has answered, and goes on to the next one if it refused.
 *
 * Readers ask for little at a time, as fits the stack of a small device. A stream therefore reads
 * ahead: one system call brings what many reads take.
 */

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <linux/sockios.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "posix/socket.h"
#include "posix/stream.h"
#include "posix/watch.h"

#define AHEAD_SIZE 65536u

enum stream_phase {
    CONNECTING,
    OPEN,
    FAILED, /* no address could be connected to */
};

struct posix_stream {
    struct ota_stream stream;   /* first: a cast gets this back */
    struct watch watch;         /* its descriptor is -1 when FAILED */
    struct addrinfo *addresses; /* of the name, to be freed; NULL if there was none */
    struct addrinfo *next;      /* the one to try after the present one fails */
    enum stream_phase phase;
    bool ended;                 /* the peer has closed */
    bool write_full;            /* the last write could not take all */
    size_t ahead_at, ahead_len; /* what was read ahead: where it begins, how much it is */
    uint8_t ahead[];            /* AHEAD_SIZE bytes */
};

static void send_at_once(int descriptor)
{
    const int on = 1;
    setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

/* Binds to the address that the platform is to use. Returns false if that cannot be. */
static bool use_local(const struct posix_platform *platform, int descriptor, int family)
{
    struct sockaddr_storage system;
    if (platform->local == NULL) {
        return true;
    }
    const socklen_t size = socket_from_address(platform->local, family, &system);
    return size > 0 && bind(descriptor, (struct sockaddr *)&system, size) == 0;
}

/* Begins to connect to an address. Returns false if it is already clear that nothing comes of
   it. */
static bool try_address(struct posix_stream *stream, const struct sockaddr *address,
                        socklen_t address_size)
{
    const int descriptor =
        socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (descriptor < 0) {
        return false;
    }
    send_at_once(descriptor);
    if (!use_local(stream->watch.platform, descriptor, address->sa_family) ||
        (connect(descriptor, address, address_size) != 0 && errno != EINPROGRESS)) {
        close(descriptor);
        return false;
    }
    stream->watch.descriptor = descriptor;
    return true;
}

/* Begins to connect to the next address of the name for which that is possible. */
static void try_next(struct posix_stream *stream)
{
    if (stream->watch.descriptor >= 0) {
        close(stream->watch.descriptor);
        stream->watch.descriptor = -1;
    }
    while (stream->next != NULL) {
        const struct addrinfo *address = stream->next;
        stream->next = address->ai_next;
        if (try_address(stream, address->ai_addr, address->ai_addrlen)) {
            return;
        }
    }
    stream->phase = FAILED;
}

/* Looks whether the connection has come about. */
static void progress(struct posix_stream *stream)
{
    while (stream->phase == CONNECTING) {
        struct pollfd poll_one = {.fd = stream->watch.descriptor, .events = POLLOUT};
        if (poll(&poll_one, 1, 0) <= 0) {
            return;
        }
        int error = 0;
        socklen_t size = sizeof error;
        if (getsockopt(stream->watch.descriptor, SOL_SOCKET, SO_ERROR, &error, &size) == 0 &&
            error == 0) {
            stream->phase = OPEN;
        } else {
            try_next(stream);
        }
    }
}

/* Takes `*len` bytes off the socket, 0 if none are there. */
static enum ota_err receive(struct posix_stream *stream, void *data, size_t capacity, size_t *len)
{
    const ssize_t got = recv(stream->watch.descriptor, data, capacity, 0);
    *len = got > 0 ? (size_t)got : 0;
    if (got < 0) {
        return socket_would_block() ? OTA_OK : OTA_ERR_CONNECTION_LOST;
    }
    stream->ended = got == 0;
    return OTA_OK;
}

static void take_ahead(struct posix_stream *stream, void *data, size_t capacity, size_t *len)
{
    *len = capacity < stream->ahead_len ? capacity : stream->ahead_len;
    memcpy(data, stream->ahead + stream->ahead_at, *len);
    stream->ahead_at += *len;
    stream->ahead_len -= *len;
    stream->watch.has_input = stream->ahead_len > 0;
}

static enum ota_err stream_read(struct ota_stream *self, void *data, size_t capacity, size_t *len,
                                bool *ended)
{
    struct posix_stream *stream = (struct posix_stream *)self;
    enum ota_err err = OTA_OK;
    *len = 0;
    *ended = stream->ended;
    progress(stream);
    if (stream->phase != OPEN) {
        return stream->phase == FAILED ? OTA_ERR_CONNECT : OTA_OK;
    }
    if (stream->ended || capacity == 0) {
        return OTA_OK;
    }
    if (stream->ahead_len > 0) {
        take_ahead(stream, data, capacity, len);
    } else if (capacity >= AHEAD_SIZE) {
        err = receive(stream, data, capacity, len);
    } else {
        stream->ahead_at = 0;
        err = receive(stream, stream->ahead, AHEAD_SIZE, &stream->ahead_len);
        take_ahead(stream, data, capacity, len);
    }
    *ended = stream->ended;
    return err;
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
    const ssize_t taken = send(stream->watch.descriptor, data, len, MSG_NOSIGNAL);
    if (taken < 0 && !socket_would_block()) {
        return OTA_ERR_CONNECTION_LOST;
    }
    *sent = taken > 0 ? (size_t)taken : 0;
    stream->write_full = *sent < len;
    return OTA_OK;
}

static void release(void *object)
{
    struct posix_stream *stream = object;
    watch_remove(&stream->watch);
    if (stream->watch.descriptor >= 0) {
        close(stream->watch.descriptor);
    }
    if (stream->addresses != NULL) {
        freeaddrinfo(stream->addresses);
    }
    free(stream);
}

static void stream_close(struct ota_stream *self)
{
    release(self);
}

/* What to wait for on a stream; 0 if nothing can come of it. */
static short wanted(const void *object)
{
    const struct posix_stream *stream = object;
    if (stream->phase == CONNECTING) {
        return POLLOUT;
    }
    if (stream->phase == FAILED) {
        return 0;
    }
    const bool reads = !stream->ended && !stream->stream.paused;
    return (short)((reads ? POLLIN : 0) | (stream->write_full ? POLLOUT : 0));
}

/* Makes a stream without a descriptor; NULL if there is no room for it. */
static struct posix_stream *make_stream(struct posix_platform *platform, enum stream_phase phase)
{
    struct posix_stream *made = malloc(sizeof *made + AHEAD_SIZE);
    if (made == NULL) {
        return NULL;
    }
    *made = (struct posix_stream){
        .stream = {.read = stream_read, .write = stream_write, .close = stream_close},
        .watch = {.wanted = wanted, .release = release, .object = made, .descriptor = -1},
        .phase = phase,
    };
    if (!watch_add(platform, &made->watch)) {
        free(made);
        return NULL;
    }
    return made;
}

enum ota_err stream_connect(struct ota_platform *self, const char *host, uint16_t port,
                            struct ota_stream **stream)
{
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *addresses = NULL;
    char service[8];
    snprintf(service, sizeof service, "%u", (unsigned)port);
    if (getaddrinfo(host, service, &hints, &addresses) != 0) {
        return OTA_ERR_CONNECT;
    }
    struct posix_stream *made = make_stream((struct posix_platform *)self, CONNECTING);
    if (made == NULL) {
        freeaddrinfo(addresses);
        return OTA_ERR_CONNECT;
    }
    made->addresses = addresses;
    made->next = addresses;
    try_next(made);
    *stream = &made->stream;
    return OTA_OK;
}

enum ota_err stream_connect_to(struct ota_platform *self, const struct ota_address *address,
                               struct ota_stream **stream)
{
    struct sockaddr_storage system;
    const socklen_t size = socket_from_address(address, AF_UNSPEC, &system);
    struct posix_stream *made = make_stream((struct posix_platform *)self, CONNECTING);
    if (made == NULL) {
        return OTA_ERR_CONNECT;
    }
    if (!try_address(made, (const struct sockaddr *)&system, size)) {
        made->phase = FAILED;
    }
    *stream = &made->stream;
    return OTA_OK;
}

struct ota_stream *stream_accepted(struct posix_platform *platform, int descriptor)
{
    struct posix_stream *made = make_stream(platform, OPEN);
    if (made == NULL) {
        close(descriptor);
        return NULL;
    }
    send_at_once(descriptor);
    made->watch.descriptor = descriptor;
    return &made->stream;
}

size_t stream_queued(const struct ota_stream *self)
{
    const struct posix_stream *stream = (const struct posix_stream *)self;
    int queued = 0;
    if (stream->watch.descriptor < 0 || ioctl(stream->watch.descriptor, SIOCOUTQ, &queued) != 0) {
        return 0;
    }
    return queued > 0 ? (size_t)queued : 0;
}
