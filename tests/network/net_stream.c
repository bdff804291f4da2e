/* SPDX-License-Identifier: Apache-2.0 */
/* Connections of the network in memory, and what breaks them. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "network/net_private.h"

/* ---- What goes wrong ------------------------------------------------------------------------- */

static enum net_direction direction_of(const struct net_connection *connection, unsigned writer)
{
    return connection->node[writer] == NET_DEVICE ? NET_FROM_DEVICE : NET_TO_DEVICE;
}

static void cut(struct net_connection *connection)
{
    struct net *net = connection->net;

    net->has_cut = true;
    net->cut_ms = net->now_ms;
    net_stir(net);
    switch (net->plan.end) {
    case NET_CLOSE:
        connection->pipe[0].is_over = connection->pipe[1].is_over = true;
        break;
    case NET_RESET:
        connection->is_reset = true;
        break;
    default:
        connection->is_silent = true;
        break;
    }
}

/* Bytes that may still go before the plan's end. */
static uint64_t until_cut(const struct net_connection *connection, unsigned writer)
{
    const struct net_plan *plan = &connection->net->plan;
    const struct net_pipe *pipe = &connection->pipe[writer];

    if (!connection->is_planned || plan->end == NET_NOTHING || connection->net->has_cut ||
        direction_of(connection, writer) != plan->direction) {
        return UINT64_MAX;
    }
    return plan->cut_at > pipe->taken ? plan->cut_at - pipe->taken : 0;
}

static uint64_t until_stall(struct net_connection *connection, unsigned writer)
{
    const struct net_plan *plan = &connection->net->plan;
    struct net_pipe *pipe = &connection->pipe[writer];

    if (!connection->is_planned || plan->stall_ms == 0 ||
        direction_of(connection, writer) != plan->direction) {
        return UINT64_MAX;
    }
    if (pipe->given < plan->stall_at) {
        return plan->stall_at - pipe->given;
    }
    if (pipe->given == plan->stall_at && !pipe->is_stalled && pipe->len > 0) {
        pipe->is_stalled = true;
        pipe->stall_since = connection->net->now_ms;
    }
    return pipe->is_stalled && connection->net->now_ms - pipe->stall_since < plan->stall_ms
               ? 0
               : UINT64_MAX;
}

static size_t least(size_t a, uint64_t b)
{
    return a < b ? a : (size_t)b;
}

static size_t piece_of(const struct net *net, size_t len)
{
    return net->plan.piece != 0 && net->plan.piece < len ? net->plan.piece : len;
}

/* ---- Streams --------------------------------------------------------------------------------- */

static void copy_in(struct net_pipe *pipe, const uint8_t *data, size_t len)
{
    const size_t end = (pipe->at + pipe->len) % NET_WINDOW;
    const size_t first = len < NET_WINDOW - end ? len : NET_WINDOW - end;

    memcpy(pipe->bytes + end, data, first);
    memcpy(pipe->bytes, data + first, len - first);
    pipe->len += len;
    pipe->taken += len;
}

static void copy_out(struct net_pipe *pipe, uint8_t *data, size_t len)
{
    const size_t first = len < NET_WINDOW - pipe->at ? len : NET_WINDOW - pipe->at;

    memcpy(data, pipe->bytes + pipe->at, first);
    memcpy(data + first, pipe->bytes, len - first);
    pipe->at = (pipe->at + len) % NET_WINDOW;
    pipe->len -= len;
    pipe->given += len;
}

static enum ota_err stream_read(struct ota_stream *stream, void *data, size_t capacity, size_t *len,
                                bool *ended)
{
    struct net_side *side = (struct net_side *)(void *)stream;
    struct net_connection *connection = side->connection;
    const unsigned writer = 1 - side->side;
    struct net_pipe *pipe = &connection->pipe[writer];

    *len = 0;
    *ended = false;
    if (!side->is_open) {
        abort();
    }
    if (connection->is_refused) {
        return OTA_ERR_CONNECT;
    }
    if (connection->is_reset) {
        return OTA_ERR_CONNECTION_LOST;
    }
    *len = least(piece_of(connection->net, least(pipe->len, capacity)),
                 until_stall(connection, writer));
    copy_out(pipe, data, *len);
    *ended = pipe->len == 0 && pipe->is_over && !connection->is_silent;
    if (*len > 0) {
        net_stir(connection->net);
    }
    return OTA_OK;
}

static enum ota_err write_into_silence(struct net_pipe *pipe, size_t len, size_t *sent)
{
    *sent = len < NET_WINDOW - pipe->swallowed ? len : NET_WINDOW - pipe->swallowed;
    pipe->swallowed += *sent;
    return OTA_OK;
}

static enum ota_err stream_write(struct ota_stream *stream, const void *data, size_t len,
                                 size_t *sent)
{
    struct net_side *side = (struct net_side *)(void *)stream;
    struct net_connection *connection = side->connection;
    struct net *net = connection->net;
    struct net_pipe *pipe = &connection->pipe[side->side];

    *sent = 0;
    if (!side->is_open) {
        abort();
    }
    if (connection->is_refused) {
        return OTA_ERR_CONNECT;
    }
    if (connection->is_reset) {
        return OTA_ERR_CONNECTION_LOST;
    }
    if (connection->is_silent) {
        return write_into_silence(pipe, len, sent);
    }
    if (pipe->is_over ||
        (!connection->side[1 - side->side].is_open && connection->waits_at == NULL)) {
        connection->is_reset = true; /* the answer to bytes for nobody */
        *sent = len;
        net_stir(net);
        return OTA_OK;
    }
    *sent =
        least(piece_of(net, least(len, NET_WINDOW - pipe->len)), until_cut(connection, side->side));
    copy_in(pipe, data, *sent);
    if (connection->is_planned) {
        net->carried[direction_of(connection, side->side)] += *sent;
    }
    if (*sent > 0) {
        net_stir(net);
    }
    if (len > 0 && until_cut(connection, side->side) == 0) {
        cut(connection);
    }
    return OTA_OK;
}

void net_release(struct net_connection *connection)
{
    if (!connection->side[0].is_open && !connection->side[1].is_open) {
        connection->is_used = false;
    }
}

static void stream_close(struct ota_stream *stream)
{
    struct net_side *side = (struct net_side *)(void *)stream;
    struct net_connection *connection = side->connection;

    if (!side->is_open) {
        abort();
    }
    side->is_open = false;
    net_stir(connection->net);
    if (connection->pipe[1 - side->side].len > 0 && !connection->is_silent) {
        connection->is_reset = true;
    }
    connection->pipe[side->side].is_over = true;
    if (connection->waits_at == NULL) {
        net_release(connection);
    }
}

struct net_connection *net_new_connection(struct net *net, unsigned node)
{
    for (unsigned i = 0; i < NET_CONNECTIONS; i++) {
        struct net_connection *connection = &net->connections[i];
        if (connection->is_used) {
            continue;
        }
        net->connections_top = i < net->connections_top ? net->connections_top : i + 1;
        memset(connection, 0, sizeof *connection);
        connection->net = net;
        connection->is_used = true;
        connection->node[0] = connection->node[1] = node;
        connection->order = ++net->orders;
        for (unsigned k = 0; k < 2; k++) {
            connection->side[k] = (struct net_side){
                .stream = {stream_read, stream_write, stream_close},
                .connection = connection,
                .side = k,
            };
        }
        return connection;
    }
    fputs("network: there are no more connections\n", stderr);
    abort();
}
