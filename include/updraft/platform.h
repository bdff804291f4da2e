/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_PLATFORM_H
#define UPDRAFT_PLATFORM_H

/*
 * What a board gives the agent: time, randomness, a way to restart, a network, a log line and
 * memory that outlives a reset. A port fills in one struct ota_platform; nothing in it may block
 * but `wait`.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <updraft/address.h>
#include <updraft/error.h>

/*
 * A byte stream to a peer: a TCP connection, or TLS wrapped round one. Obtained from
 * platform->connect; the port's until closed.
 */
struct ota_stream {
    /* Reads what is there now: `*len` bytes of at most `capacity`, 0 if nothing is. `*ended` says
       that the peer has closed and nothing more will come. Returns OTA_OK, OTA_ERR_CONNECT if the
       connection could not be made, OTA_ERR_CONNECTION_LOST if it broke. */
    enum ota_err (*read)(struct ota_stream *stream, void *data, size_t capacity, size_t *len,
                         bool *ended);

    /* Sends what can be sent now: `*sent` bytes of `len`, 0 if none can. Returns as read. */
    enum ota_err (*write)(struct ota_stream *stream, const void *data, size_t len, size_t *sent);

    /* Closes and releases the stream. */
    void (*close)(struct ota_stream *stream);

    bool paused; /* the caller's to set: it reads nothing for now, and `wait` sleeps on for what
                    comes */
};

/* A socket for datagrams (UDP). Obtained from platform->open_datagrams; the port's until closed. */
struct ota_datagrams {
    uint16_t port; /* the one that it has */

    /* Takes the next datagram that came: `*len` bytes of it (what exceeds `capacity` is lost) and
       who sent it. `*len` is 0 if none came; an empty datagram is passed over. Returns OTA_OK, or
       OTA_ERR_CONNECTION_LOST if the socket is of no more use. */
    enum ota_err (*receive)(struct ota_datagrams *datagrams, void *data, size_t capacity,
                            size_t *len, struct ota_address *from);

    /* Sends one. Whether it arrives is never known. Returns as receive. */
    enum ota_err (*send)(struct ota_datagrams *datagrams, const void *data, size_t len,
                         const struct ota_address *to);

    void (*close)(struct ota_datagrams *datagrams);
};

/* Waits for TCP connections. Obtained from platform->listen; the port's until closed. */
struct ota_listener {
    uint16_t port; /* the one that it has */
    bool
        paused; /* the caller's to set: it takes none for now, and `wait` sleeps on for who comes */

    /* Takes the next connection that came: an open stream and who is there. `*stream` is NULL if
       nobody came, or if there is no room for one more (they then wait). Returns OTA_OK, or
       OTA_ERR_CONNECTION_LOST if the listener is of no more use. */
    enum ota_err (*accept)(struct ota_listener *listener, struct ota_stream **stream,
                           struct ota_address *from);

    void (*close)(struct ota_listener *listener);
};

/* A service that the network is told of (DNS-SD). All strings are the caller's while advertised. */
struct ota_advert {
    const char *type; /* "_arduino._tcp" */
    uint16_t port;
    const char *const *txt; /* "key=value" each, ended by NULL */
};

enum ota_restart_reason {
    OTA_RESTART_UPDATE = 1, /* into the new image */
    OTA_RESTART_REJECTED,   /* back to the old image */
    OTA_RESTART_REQUESTED,  /* because someone asked */
};

enum ota_log_level {
    OTA_LOG_ERROR = 0,
    OTA_LOG_WARNING,
    OTA_LOG_INFO,
    OTA_LOG_DEBUG,
};

struct ota_platform {
    /* Milliseconds since the start, rising, never jumping back; wraps after 49 days. */
    uint32_t (*now_ms)(struct ota_platform *platform);

    /* Fills `data` with bytes that nobody can guess. Returns OTA_OK or OTA_ERR_CRYPTO. */
    enum ota_err (*random)(struct ota_platform *platform, void *data, size_t len);

    /* Restarts the board. Does not return on a real one. */
    void (*restart)(struct ota_platform *platform, enum ota_restart_reason reason);

    /* Begins a connection to `host` (name or address, port 1 to 65535); whether it comes about
       shows in the stream's first reads. Stores the stream. Returns OTA_OK or OTA_ERR_CONNECT. */
    enum ota_err (*connect)(struct ota_platform *platform, const char *host, uint16_t port,
                            struct ota_stream **stream);

    /* As connect, to an address. Returns OTA_OK or OTA_ERR_CONNECT. */
    enum ota_err (*connect_to)(struct ota_platform *platform, const struct ota_address *address,
                               struct ota_stream **stream);

    /* Open a socket for datagrams, and one that waits for connections, at `port` on all interfaces;
       port 0: any that is free. Return OTA_OK, OTA_ERR_PORT if the port is taken, OTA_ERR_CONNECT.
       A platform without them leaves them NULL, and is only a client. */
    enum ota_err (*open_datagrams)(struct ota_platform *platform, uint16_t port,
                                   struct ota_datagrams **datagrams);
    enum ota_err (*listen)(struct ota_platform *platform, uint16_t port,
                           struct ota_listener **listener);

    /* Makes the board answer for HOST_NAME.local and advertise these services by multicast DNS, in
       place of those before; `count` 0 ends it. NULL: the platform cannot. Returns OTA_OK or
       OTA_ERR_CONNECT. */
    enum ota_err (*advertise)(struct ota_platform *platform, const char *host_name,
                              const struct ota_advert *adverts, size_t count);

    /* The time: seconds since 1970 in UTC, and minutes since Monday 00:00 in local time (0 to
       10079). Return false while it is not known. NULL: never known. */
    bool (*unix_time)(struct ota_platform *platform, int64_t *seconds);
    bool (*minute_of_week)(struct ota_platform *platform, uint32_t *minute);

    /* Sleeps until a stream, a socket or a listener has something to take, a stream that could not
       take all of a write can take more, or `timeout_ms` have passed. May return early. */
    void (*wait)(struct ota_platform *platform, uint32_t timeout_ms);

    /* Writes a line to the log: `tag` names who speaks, `text` has no line end. */
    void (*log)(struct ota_platform *platform, enum ota_log_level level, const char *tag,
                const char *text);

    /* Memory that keeps its content over a reset and loses it with the power; NULL if there is
       none. For the firmware's own use, and for boot commands that live there. */
    void *retained;
    size_t retained_size;
};

#endif
