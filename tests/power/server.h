/* SPDX-License-Identifier: Apache-2.0 */
#ifndef POWER_SERVER_H
#define POWER_SERVER_H

/* The HTTP server that pulls ask, in memory: it has the image of a transfer, whole or by ranges,
   and loses the connection at the transfer's limit. */

#include "power/transfer.h"

struct server {
    struct transfer *transfer;
    char request[2048];
    size_t request_len;
    char head[512]; /* of the answer */
    size_t head_len, head_sent;
    uint32_t next, end; /* of the image, still to be sent */
    bool answers;
};

/* A new connection. */
void server_open(struct server *server, struct transfer *transfer);

/* Takes bytes of a request. */
void server_hear(struct server *server, const void *data, size_t len);

/* Writes the next bytes of the answer, at most `capacity`; returns how many. 0: it waits for a
   request, or the connection is lost (transfer->is_broken). */
size_t server_say(struct server *server, void *data, size_t capacity);

#endif
