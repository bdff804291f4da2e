/* SPDX-License-Identifier: Apache-2.0 */
/* A web server with one file, which it gives whole or in ranges, over TLS if it has some. */

#include "network/peer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATIENCE_MS 200000u

static enum ota_err begin(struct peer *peer, uint32_t now_ms)
{
    (void)now_ms;
    return peer->platform->listen(peer->platform, peer->address.port, &peer->as.server.listener);
}

static void drop(struct peer_served *served)
{
    served->stream->close(served->stream);
    served->stream = NULL;
}

/* ---- Answers --------------------------------------------------------------------------------- */

/* The bytes that are asked for, of the file that is there. Returns false for all of it. */
static bool find_range(const struct peer *peer, struct peer_served *served)
{
    static const char range[] = "\r\nRange: bytes=";
    const char *asked = strstr(served->request, range);
    const char *tag = strstr(served->request, "\r\nIf-Range: ");
    char *end;

    served->from = 0;
    served->to = peer->image->size;
    if (asked == NULL || (tag != NULL && strstr(tag, peer->image->md5_text) == NULL)) {
        return false;
    }
    served->from = (uint32_t)strtoul(asked + strlen(range), &end, 10);
    const uint32_t last = (uint32_t)strtoul(end + 1, NULL, 10);
    served->to = last != 0 && last + 1 < served->to ? last + 1 : served->to;
    return true;
}

static void note_request(struct peer *peer, const struct peer_served *served)
{
    if (peer->requests++ == 0) {
        peer->first_offset = served->from;
    }
    peer->last_offset = served->from;
}

static void answer(struct peer *peer, struct peer_served *served)
{
    const struct board_image *image = peer->image;
    char lines[128] = "";

    served->is_answering = true;
    served->sent = 0;
    served->keeps = strstr(served->request, "\r\nConnection: close\r\n") == NULL;
    if (image == NULL) {
        served->from = served->to = 0;
        served->head_len = (uint32_t)snprintf(served->head, sizeof served->head,
                                              "HTTP/1.1 304 Not Modified\r\n\r\n");
        return;
    }
    const bool is_part = find_range(peer, served);
    note_request(peer, served);
    if (is_part) {
        snprintf(lines, sizeof lines, "Content-Range: bytes %u-%u/%u\r\n", served->from,
                 served->to - 1, image->size);
    }
    served->head_len = (uint32_t)snprintf(
        served->head, sizeof served->head,
        "HTTP/1.1 %s\r\nContent-Length: %u\r\n%sETag: \"%s\"\r\nx-MD5: %s\r\nx-version: 2\r\n"
        "%s\r\n",
        is_part ? "206 Partial Content" : "200 OK", served->to - served->from, lines,
        image->md5_text, image->md5_text, served->keeps ? "" : "Connection: close\r\n");
}

/* ---- Carrying -------------------------------------------------------------------------------- */

/* All of the answer is out: the next request may come. */
static void answered(struct peer_served *served)
{
    if (!served->keeps) {
        drop(served);
        return;
    }
    served->is_answering = false;
    served->request_len = 0;
    memset(served->request, 0, sizeof served->request);
}

static void transmit(struct peer *peer, struct peer_served *served, uint32_t now_ms)
{
    for (;;) {
        const bool in_head = served->sent < served->head_len;
        const uint32_t at = in_head ? served->sent : served->sent - served->head_len;
        const size_t len = in_head ? served->head_len - at : served->to - served->from - at;
        size_t sent = 0;

        if (len == 0) {
            answered(served);
            return;
        }
        const void *bytes =
            in_head ? (const void *)(served->head + at) : peer->image->bytes + served->from + at;
        if (served->stream->write(served->stream, bytes, len, &sent) != OTA_OK) {
            drop(served);
            return;
        }
        served->sent += (uint32_t)sent;
        peer->bytes += in_head ? 0 : sent;
        served->stirred_ms = sent > 0 ? now_ms : served->stirred_ms;
        if (sent == 0) {
            return;
        }
    }
}

static void receive(struct peer *peer, struct peer_served *served, uint32_t now_ms)
{
    size_t len = 1;
    bool ended = false;

    while (len > 0 && !ended && !served->is_answering) {
        const size_t room = sizeof served->request - 1 - served->request_len;
        if (room == 0 || served->stream->read(served->stream, served->request + served->request_len,
                                              room, &len, &ended) != OTA_OK) {
            drop(served);
            return;
        }
        served->request_len += (uint32_t)len;
        served->stirred_ms = len > 0 ? now_ms : served->stirred_ms;
        if (strstr(served->request, "\r\n\r\n") != NULL) {
            answer(peer, served);
        }
    }
    if (ended && !served->is_answering) {
        drop(served);
    }
}

static void serve(struct peer *peer, struct peer_served *served, uint32_t now_ms)
{
    if (!served->is_answering) {
        receive(peer, served, now_ms);
    }
    if (served->stream != NULL && served->is_answering) {
        transmit(peer, served, now_ms);
    }
    if (served->stream != NULL && now_ms - served->stirred_ms >= PATIENCE_MS) {
        drop(served);
    }
}

static struct peer_served *find_place(struct peer *peer)
{
    for (unsigned i = 0; i < PEER_CONNECTIONS; i++) {
        if (peer->as.server.served[i].stream == NULL) {
            return &peer->as.server.served[i];
        }
    }
    return NULL;
}

static uint32_t poll(struct peer *peer, uint32_t now_ms)
{
    struct ota_listener *listener = peer->as.server.listener;
    struct peer_served *place;
    struct ota_stream *stream;
    struct ota_address from;

    while ((place = find_place(peer)) != NULL &&
           listener->accept(listener, &stream, &from) == OTA_OK && stream != NULL) {
        *place = (struct peer_served){
            .stream = peer->tls != NULL ? tls_server_wrap(peer->tls, stream) : stream,
            .stirred_ms = now_ms,
        };
    }
    for (unsigned i = 0; i < PEER_CONNECTIONS; i++) {
        if (peer->as.server.served[i].stream != NULL) {
            serve(peer, &peer->as.server.served[i], now_ms);
        }
    }
    return PATIENCE_MS;
}

static void end(struct peer *peer)
{
    struct peer_server_state *at = &peer->as.server;

    for (unsigned i = 0; i < PEER_CONNECTIONS; i++) {
        if (at->served[i].stream != NULL) {
            drop(&at->served[i]);
        }
    }
    if (at->listener != NULL) {
        at->listener->close(at->listener);
    }
}

const struct peer_kind peer_server = {"server", begin, poll, end};
