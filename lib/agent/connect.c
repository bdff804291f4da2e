/* SPDX-License-Identifier: Apache-2.0 */
/* A connection, with TLS round it where that is wanted. */

#include "agent/connect.h"

#include <stddef.h>

enum ota_err ota__connect(struct ota_platform *platform, const struct ota__peer *peer,
                          struct ota_stream **stream)
{
    struct ota_stream *inner = NULL;
    enum ota_err err = platform->connect(platform, peer->host, peer->port, &inner);

    *stream = NULL;
    if (err != OTA_OK) {
        return err;
    }
    if (peer->secure == NULL) {
        *stream = inner;
        return OTA_OK;
    }
    err = peer->secure->wrap(peer->secure, platform, peer->host, peer->ca_pem, inner, stream);
    if (err != OTA_OK) {
        *stream = NULL;
        inner->close(inner);
    }
    return err;
}

void ota__disconnect(struct ota_stream **stream)
{
    if (*stream != NULL) {
        (*stream)->close(*stream);
        *stream = NULL;
    }
}
