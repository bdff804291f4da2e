/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_AGENT_CONNECT_H
#define UPDRAFT_AGENT_CONNECT_H

/* A connection, with TLS round it where that is wanted. */

#include <updraft/platform.h>
#include <updraft/secure.h>

struct ota__peer {
    const char *host;
    uint16_t port;
    struct ota_secure *secure; /* NULL: a plain connection */
    const char *ca_pem;        /* as in ota_secure */
};

/* Begins a connection to `peer` and wraps it. Returns OTA_OK or why it could not; `*stream` is then
   NULL. */
enum ota_err ota__connect(struct ota_platform *platform, const struct ota__peer *peer,
                          struct ota_stream **stream);

/* Closes what is open: `*stream` is NULL then, and may be before. */
void ota__disconnect(struct ota_stream **stream);

#endif
