/* SPDX-License-Identifier: Apache-2.0 */
/* A browser's upload: one request, as a form or as it is, and the answer. ElegantOTA's page asks
 * first. */

#include "network/peer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATIENCE_MS 120000u

/* The head of the upload, and what follows the file. */
static void write_upload(struct peer *peer, const char *path, const char *type, const char *part,
                         const char *tail)
{
    struct peer_upload_state *at = &peer->as.upload;
    char host[OTA_ADDRESS_TEXT_SIZE];

    at->sent = 0;
    at->tail_len = (uint32_t)snprintf(at->tail, sizeof at->tail, "%s", tail);
    at->head_len = (uint32_t)snprintf(
        at->head, sizeof at->head,
        "POST %s HTTP/1.1\r\nHost: %s:%u\r\nContent-Type: %s\r\nContent-Length: %zu\r\n"
        "Connection: close\r\n\r\n%s",
        path, ota_address_host_text(&peer->address, host), peer->address.port, type,
        strlen(part) + peer->image->size + at->tail_len, part);
}

static void write_form(struct peer *peer, const char *path)
{
    write_upload(peer, path, "multipart/form-data; boundary=----Up7MA4",
                 "------Up7MA4\r\nContent-Disposition: form-data; name=\"firmware\"; "
                 "filename=\"firmware.bin\"\r\nContent-Type: application/octet-stream\r\n\r\n",
                 "\r\n------Up7MA4--\r\n");
}

static enum ota_err open_stream(struct peer *peer, uint32_t now_ms)
{
    struct peer_upload_state *at = &peer->as.upload;

    at->stirred_ms = now_ms;
    return peer->platform->connect_to(peer->platform, &peer->address, &at->stream);
}

static enum ota_err form_begin(struct peer *peer, uint32_t now_ms)
{
    write_form(peer, "/update");
    return open_stream(peer, now_ms);
}

static enum ota_err raw_begin(struct peer *peer, uint32_t now_ms)
{
    write_upload(peer, "/update", "application/octet-stream", "", "");
    return open_stream(peer, now_ms);
}

/* Says what will come; the upload follows on the same connection. */
static enum ota_err elegant_begin(struct peer *peer, uint32_t now_ms)
{
    struct peer_upload_state *at = &peer->as.upload;
    char host[OTA_ADDRESS_TEXT_SIZE];

    at->is_starting = true;
    at->head_len =
        (uint32_t)snprintf(at->head, sizeof at->head,
                           "GET /ota/start?mode=fr&hash=%s HTTP/1.1\r\n"
                           "Host: %s:%u\r\nReferer: http://%s:%u/update\r\n\r\n",
                           peer->image->md5_text, ota_address_host_text(&peer->address, host),
                           peer->address.port, host, peer->address.port);
    return open_stream(peer, now_ms);
}

/* The stretch of the request that is to be sent next. */
static const void *next_bytes(const struct peer *peer, size_t *len)
{
    const struct peer_upload_state *at = &peer->as.upload;
    uint32_t from = at->sent;

    if (from < at->head_len) {
        *len = at->head_len - from;
        return at->head + from;
    }
    from -= at->head_len;
    if (at->is_starting) {
        *len = 0;
        return NULL;
    }
    if (from < peer->image->size) {
        *len = peer->image->size - from;
        return peer->image->bytes + from;
    }
    from -= peer->image->size;
    *len = at->tail_len - from;
    return at->tail + from;
}

static void finish(struct peer *peer)
{
    peer->is_over = true;
    peer->is_accepted = strncmp(peer->said, "HTTP/1.1 200 ", 13) == 0 &&
                        (strstr(peer->said, "Update Success!") != NULL ||
                         strstr(peer->said, "Firmware update complete") != NULL ||
                         (peer->kind == &peer_elegant && !peer->as.upload.is_starting &&
                          strstr(peer->said, "\r\n\r\nOK") != NULL));
    peer->was_busy = strncmp(peer->said, "HTTP/1.1 409 ", 13) == 0;
}

/* All of the answer, by its length. */
static bool has_answer(const struct peer *peer)
{
    const char *end = strstr(peer->said, "\r\n\r\n");
    const char *length = strstr(peer->said, "Content-Length: ");

    return end != NULL && length != NULL && length < end &&
           strlen(end + 4) >= strtoul(length + strlen("Content-Length: "), NULL, 10);
}

/* The board has agreed to what ElegantOTA's first request said: the upload goes out. */
static bool may_upload(struct peer *peer)
{
    if (strncmp(peer->said, "HTTP/1.1 200 ", 13) != 0) {
        return false;
    }
    peer->as.upload.is_starting = false;
    peer->said_len = 0;
    peer->said[0] = '\0';
    write_form(peer, "/ota/upload");
    return true;
}

static enum ota_err receive(struct peer *peer, uint32_t now_ms, bool *ended)
{
    struct peer_upload_state *at = &peer->as.upload;
    size_t len = 1;
    enum ota_err err = OTA_OK;

    while (err == OTA_OK && len > 0 && !*ended && peer->said_len + 1 < PEER_SAID_MAX) {
        err = at->stream->read(at->stream, peer->said + peer->said_len,
                               PEER_SAID_MAX - 1 - peer->said_len, &len, ended);
        if (err == OTA_OK && len > 0) {
            peer->said_len += (uint32_t)len;
            peer->said[peer->said_len] = '\0';
            at->stirred_ms = now_ms;
        }
    }
    return err;
}

static void transmit(struct peer *peer, uint32_t now_ms)
{
    struct peer_upload_state *at = &peer->as.upload;
    size_t len, sent;

    while (!at->cannot_send) {
        const void *bytes = next_bytes(peer, &len);
        if (len == 0 ||
            (at->cannot_send = at->stream->write(at->stream, bytes, len, &sent) != OTA_OK)) {
            return;
        }
        at->sent += (uint32_t)sent;
        if (sent > 0) {
            at->stirred_ms = now_ms;
        }
        if (sent < len) {
            return;
        }
    }
}

static uint32_t poll(struct peer *peer, uint32_t now_ms)
{
    struct peer_upload_state *at = &peer->as.upload;
    bool ended = false;

    if (peer->is_over) {
        return UINT32_MAX;
    }
    transmit(peer, now_ms);
    enum ota_err err = receive(peer, now_ms, &ended);
    if (err != OTA_OK && peer->said_len == 0) {
        snprintf(peer->said, sizeof peer->said, "%s, after %u bytes", ota_err_text(err), at->sent);
    }
    if (at->is_starting && has_answer(peer) && may_upload(peer)) {
        return 0;
    }
    if (err != OTA_OK || ended || has_answer(peer) || now_ms - at->stirred_ms >= PATIENCE_MS) {
        finish(peer);
        return UINT32_MAX;
    }
    return PATIENCE_MS - (now_ms - at->stirred_ms);
}

static void end(struct peer *peer)
{
    struct peer_upload_state *at = &peer->as.upload;

    if (at->stream != NULL) {
        at->stream->close(at->stream);
    }
}

const struct peer_kind peer_form = {"web-form", form_begin, poll, end};
const struct peer_kind peer_raw = {"web-raw", raw_begin, poll, end};
const struct peer_kind peer_elegant = {"web-elegant", elegant_begin, poll, end};
