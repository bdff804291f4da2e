/* SPDX-License-Identifier: Apache-2.0 */
#include "power/server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RANGE "Range: bytes="

void server_open(struct server *server, struct transfer *transfer)
{
    memset(server, 0, sizeof *server);
    server->transfer = transfer;
}

/* What is asked for: all, or a range that ends at the image's end at the latest. Returns whether it
   is a range. */
static bool read_range(struct server *server)
{
    const uint32_t size = transfer_sent(server->transfer)->size;
    const char *range = strstr(server->request, RANGE);
    char *end;

    server->next = 0;
    server->end = size;
    if (range == NULL) {
        return false;
    }
    server->next = (uint32_t)strtoul(range + strlen(RANGE), &end, 10);
    if (end[0] == '-' && end[1] >= '0' && end[1] <= '9') {
        const uint32_t last = (uint32_t)strtoul(end + 1, NULL, 10);
        server->end = last < size ? last + 1 : size;
    }
    return true;
}

/* Where the image may be told from others: an entity tag and its digest. */
static size_t write_identity(const struct transfer *transfer, char *text, size_t size)
{
    const struct ota_digest *digest = &transfer_sent(transfer)->digest;
    size_t len = (size_t)snprintf(text, size, "ETag: \"image-%d\"\r\nx-%s: ", transfer->sent,
                                  digest->algorithm == OTA_HASH_MD5 ? "MD5" : "SHA256");

    for (size_t i = 0; i < ota_digest_size(digest->algorithm); i++) {
        len += (size_t)snprintf(text + len, size - len, "%02x", digest->bytes[i]);
    }
    return len + (size_t)snprintf(text + len, size - len, "\r\n");
}

static void write_head(struct server *server, bool is_range)
{
    const struct transfer *transfer = server->transfer;
    char *head = server->head;
    const size_t size = sizeof server->head;
    size_t len = (size_t)snprintf(head, size, "HTTP/1.1 %s\r\nContent-Length: %u\r\n",
                                  is_range ? "206 Partial Content" : "200 OK",
                                  (unsigned)(server->end - server->next));

    if (is_range) {
        len += (size_t)snprintf(head + len, size - len, "Content-Range: bytes %u-%u/%u\r\n",
                                (unsigned)server->next, (unsigned)server->end - 1,
                                (unsigned)transfer_sent(transfer)->size);
    }
    if (!transfer->board->scenario->no_identity) {
        len += write_identity(transfer, head + len, size - len);
    }
    len += (size_t)snprintf(head + len, size - len, "\r\n");
    server->head_len = len;
    server->head_sent = 0;
}

static void answer(struct server *server)
{
    const uint32_t size = transfer_sent(server->transfer)->size;
    const bool is_range = read_range(server);

    server->answers = true;
    server->request_len = 0;
    transfer_asked(server->transfer, server->next);
    if (server->next >= server->end) {
        server->head_len =
            (size_t)snprintf(server->head, sizeof server->head,
                             "HTTP/1.1 416 Range Not Satisfiable\r\nContent-Range: bytes */%u\r\n"
                             "Content-Length: 0\r\n\r\n",
                             (unsigned)size);
        server->head_sent = 0;
        server->end = server->next;
        return;
    }
    write_head(server, is_range);
}

void server_hear(struct server *server, const void *data, size_t len)
{
    const size_t room = sizeof server->request - 1 - server->request_len;

    len = len < room ? len : room;
    memcpy(server->request + server->request_len, data, len);
    server->request_len += len;
    server->request[server->request_len] = '\0';
    if (strstr(server->request, "\r\n\r\n") != NULL) {
        answer(server);
    }
}

size_t server_say(struct server *server, void *data, size_t capacity)
{
    const struct board_image *image = transfer_sent(server->transfer);
    const uint32_t limit = transfer_end(server->transfer);
    uint32_t left = server->end - server->next;
    size_t len = server->head_len - server->head_sent;

    if (!server->answers) {
        return 0;
    }
    if (len > 0) {
        len = len < capacity ? len : capacity;
        memcpy(data, server->head + server->head_sent, len);
        server->head_sent += len;
        return len;
    }
    if (left > 0 && server->next >= limit) {
        server->transfer->is_broken = true;
        return 0;
    }
    len = left < TRANSFER_PIECE ? left : TRANSFER_PIECE;
    len = server->next + len > limit ? limit - server->next : len;
    len = len < capacity ? len : capacity;
    if (server->next + len == image->size) {
        len = len > 1 ? len - 1 : len; /* the last byte goes alone */
    }
    if (server->next + 1 == image->size) {
        transfer_is_all(server->transfer);
    }
    memcpy(data, image->bytes + server->next, len);
    server->next += (uint32_t)len;
    server->answers = server->next < server->end;
    return len;
}
