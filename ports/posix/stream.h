/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_PORTS_POSIX_STREAM_H
#define UPDRAFT_PORTS_POSIX_STREAM_H

/* The TCP streams of struct posix_platform. Used by platform.c and listener.c. */

#include "posix/platform.h"

/* As ota_platform's connect and connect_to. A name is looked up at once, and blocks; its addresses
   are then tried in turn, without blocking, until one connects. */
enum ota_err stream_connect(struct ota_platform *platform, const char *host, uint16_t port,
                            struct ota_stream **stream);
enum ota_err stream_connect_to(struct ota_platform *platform, const struct ota_address *address,
                               struct ota_stream **stream);

/* Makes a stream of a connection that was accepted, and takes its descriptor, which does not block.
   Returns NULL, having closed it, if there is no room. */
struct ota_stream *stream_accepted(struct posix_platform *platform, int descriptor);

/* Bytes that were written and that the peer's system has not acknowledged yet: what a sender should
   not count as arrived. */
size_t stream_queued(const struct ota_stream *stream);

#endif
