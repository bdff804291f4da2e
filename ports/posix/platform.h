/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_PORTS_POSIX_PLATFORM_H
#define UPDRAFT_PORTS_POSIX_PLATFORM_H

/*
 * struct ota_platform on a POSIX system: its clocks, its random numbers, TCP streams, listeners
 * and datagram sockets that never block (only looking a name up does), services told to
 * the network by multicast DNS, and log lines on a descriptor. Nothing of it needs SIGPIPE to be
 * ignored.
 *
 *     struct posix_platform platform;
 *     platform_init(&platform);
 *     platform.on_restart = restart; platform.context = board;
 *     agent_run(&platform.platform);
 */

#include <stdbool.h>
#include <stdint.h>

#include <updraft/platform.h>

/* Streams, listeners and datagram sockets together. */
#define PLATFORM_SOCKETS_MAX 128u

struct watch; /* in watch.h */
struct mdns;  /* in mdns.h */

/* Called for a restart; does not return on a board. */
typedef void platform_restart_fn(void *context, enum ota_restart_reason reason);

struct posix_platform {
    struct ota_platform platform;    /* first: a cast gets this back */
    platform_restart_fn *on_restart; /* NULL: the process ends */
    void *context;                   /* for on_restart */
    const struct ota_address *local; /* the address of this machine that sockets use; NULL: any */
    bool marked_log;                 /* log lines carry level and tag as platform_parse_log reads */
    int64_t start_ms;
    struct watch *watches[PLATFORM_SOCKETS_MAX];
    unsigned watch_count;
    struct mdns *mdns; /* NULL: nothing is advertised */
};

/* Fills in a platform without retained memory that logs to standard error. */
void platform_init(struct posix_platform *platform);

/* Closes the streams and sockets that are still open, and ends what is advertised. */
void platform_close(struct posix_platform *platform);

/* Milliseconds of the clock that never jumps. */
int64_t platform_clock_ms(void);

/* Tells whoever reads the marked log how far something has come: `name` is what it is about.
   Without a marked log it does nothing. */
void platform_log_progress(const struct posix_platform *platform, const char *tag, const char *name,
                           uint32_t done, uint32_t total);

/* Takes such a line apart, in place. Returns false, leaving the outputs alone, for other lines. */
bool platform_parse_progress(char *line, char **tag, char **name, uint32_t *done, uint32_t *total);

/* Takes a marked log line apart, in place. Returns false, leaving the outputs alone, for a line
   that is not marked. */
bool platform_parse_log(char *line, enum ota_log_level *level, char **tag, char **text);

#endif
