/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_PLATFORM_H
#define UPDRAFT_PLATFORM_H

/*
 * What a board gives the agent: time, randomness, a way to restart, a network, a log line and memory
 * that outlives a reset. A port fills in one struct ota_platform; nothing in it may block but `wait`.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

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

    /* Begins a connection to `host` (name or address, port 1 to 65535); whether it comes about shows
       in the stream's first reads. Stores the stream. Returns OTA_OK or OTA_ERR_CONNECT. */
    enum ota_err (*connect)(struct ota_platform *platform, const char *host, uint16_t port,
                            struct ota_stream **stream);

    /* Sleeps until a stream can be read, one that could not take all of a write can take more, or
       `timeout_ms` have passed. May return early. */
    void (*wait)(struct ota_platform *platform, uint32_t timeout_ms);

    /* Writes a line to the log: `tag` names who speaks, `text` has no line end. */
    void (*log)(struct ota_platform *platform, enum ota_log_level level, const char *tag,
                const char *text);

    /* Memory that keeps its content over a reset and loses it with the power; NULL if there is none.
       For the firmware's own use, and for boot commands that live there. */
    void *retained;
    size_t retained_size;
};

#endif
