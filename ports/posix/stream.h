/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_PORTS_POSIX_STREAM_H
#define UPDRAFT_PORTS_POSIX_STREAM_H

/* The TCP streams of struct posix_platform: its `connect` and `wait`. Used by platform.c. */

#include "posix/platform.h"

/* As ota_platform's connect and wait. A name is looked up at once, and blocks; its addresses are
   then tried in turn, without blocking, until one connects. */
enum ota_err stream_connect(struct ota_platform *platform, const char *host, uint16_t port,
                            struct ota_stream **stream);
void stream_wait(struct ota_platform *platform, uint32_t timeout_ms);

/* Closes and frees a stream, and takes it off its platform. */
void stream_close(struct posix_stream *stream);

#endif
