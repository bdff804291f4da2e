/* SPDX-License-Identifier: Apache-2.0 */
/* What all peers share. */

#include "network/peer.h"

#include <string.h>

void peer_begin(struct peer *peer, const struct peer_kind *kind)
{
    peer->kind = kind;
    memset(&peer->as, 0, sizeof peer->as);
    if (kind->begin(peer, peer->platform->now_ms(peer->platform)) != OTA_OK) {
        peer->is_over = true;
    }
}

uint32_t peer_poll(struct peer *peer)
{
    return peer->kind->poll(peer, peer->platform->now_ms(peer->platform));
}

void peer_end(struct peer *peer)
{
    peer->kind->end(peer);
}

enum ota_err peer_read_image(void *context, uint32_t offset, void *data, size_t len)
{
    const struct peer *peer = context;

    memcpy(data, peer->image->bytes + offset, len);
    return OTA_OK;
}

enum ota_err peer_random(void *context, void *data, size_t len)
{
    const struct peer *peer = context;

    return peer->platform->random(peer->platform, data, len);
}

static enum ota_err read_all(const struct peer_pump *pump, struct ota_stream *stream, bool *ended)
{
    char data[1024];
    size_t len = 1;
    enum ota_err err = OTA_OK;

    while (err == OTA_OK && len > 0 && !*ended && !pump->is_over(pump->machine)) {
        err = stream->read(stream, data, sizeof data, &len, ended);
        if (err == OTA_OK && len > 0) {
            pump->input(pump->machine, data, len);
        }
    }
    return err;
}

static enum ota_err write_all(const struct peer_pump *pump, struct ota_stream *stream)
{
    char data[1460];
    size_t len, sent = 0;

    while ((len = pump->output(pump->machine, data, sizeof data)) > 0) {
        enum ota_err err = stream->write(stream, data, len, &sent);
        pump->sent(pump->machine, sent);
        if (err != OTA_OK || sent < len) {
            return err;
        }
    }
    return OTA_OK;
}

void peer_carry(const struct peer_pump *pump, struct ota_stream *stream)
{
    bool ended = false;
    enum ota_err why = write_all(pump, stream);
    enum ota_err err = read_all(pump, stream, &ended); /* also why a write failed */

    if (why == OTA_OK && err == OTA_OK && !ended) {
        why = write_all(pump, stream); /* what was read may ask for more */
    }
    err = why != OTA_OK ? why : err;
    if ((err != OTA_OK || ended) && !pump->is_over(pump->machine)) {
        pump->closed(pump->machine, err);
    }
}
