/* SPDX-License-Identifier: Apache-2.0 */
/* The network in memory. */

#include "network/net.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Nodes ------------------------------------------------------------------------------------ */

static struct net_node *node_of(struct ota_platform *platform)
{
    return (struct net_node *)(void *)platform;
}

struct ota_address net_address(unsigned node, uint16_t port)
{
    struct ota_address address = {.ip = {[10] = 0xFF, [11] = 0xFF, [12] = 10}, .port = port};

    address.ip[15] = (uint8_t)(node + 1);
    return address;
}

static unsigned node_at(const struct ota_address *address)
{
    const struct ota_address first = net_address(0, 1);

    if (memcmp(address->ip, first.ip, 15) != 0 || address->ip[15] == 0 ||
        address->ip[15] > NET_NODES) {
        return NET_NODES;
    }
    return address->ip[15] - 1u;
}

static uint16_t any_port(struct net *net)
{
    if (++net->next_port < 20000) {
        net->next_port = 20000;
    }
    return net->next_port;
}

static void stir(struct net *net)
{
    net->stirred++;
}

/* ---- What goes wrong -------------------------------------------------------------------------- */

void net_arm(struct net *net, const struct net_plan *plan)
{
    memset(&net->plan, 0, sizeof net->plan);
    if (plan != NULL) {
        net->plan = *plan;
    }
    net->is_armed = true;
    net->has_cut = false;
    net->datagrams = 0;
    net->carried[0] = net->carried[1] = 0;
    for (unsigned i = 0; i < NET_CONNECTIONS; i++) {
        net->connections[i].is_planned = false;
    }
}

static enum net_direction direction_of(const struct net_connection *connection, unsigned writer)
{
    return connection->node[writer] == NET_DEVICE ? NET_FROM_DEVICE : NET_TO_DEVICE;
}

static void cut(struct net_connection *connection)
{
    struct net *net = connection->net;

    net->has_cut = true;
    net->cut_ms = net->now_ms;
    stir(net);
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

/* ---- Streams ---------------------------------------------------------------------------------- */

static void copy_in(struct net_pipe *pipe, const uint8_t *data, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        pipe->bytes[(pipe->at + pipe->len + i) % NET_WINDOW] = data[i];
    }
    pipe->len += len;
    pipe->taken += len;
}

static void copy_out(struct net_pipe *pipe, uint8_t *data, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        data[i] = pipe->bytes[(pipe->at + i) % NET_WINDOW];
    }
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
        stir(connection->net);
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
        stir(net);
        return OTA_OK;
    }
    *sent =
        least(piece_of(net, least(len, NET_WINDOW - pipe->len)), until_cut(connection, side->side));
    copy_in(pipe, data, *sent);
    if (connection->is_planned) {
        net->carried[direction_of(connection, side->side)] += *sent;
    }
    if (*sent > 0) {
        stir(net);
    }
    if (len > 0 && until_cut(connection, side->side) == 0) {
        cut(connection);
    }
    return OTA_OK;
}

static void release(struct net_connection *connection)
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
    stir(connection->net);
    if (connection->pipe[1 - side->side].len > 0 && !connection->is_silent) {
        connection->is_reset = true;
    }
    connection->pipe[side->side].is_over = true;
    if (connection->waits_at == NULL) {
        release(connection);
    }
}

static struct net_connection *new_connection(struct net *net, unsigned node)
{
    for (unsigned i = 0; i < NET_CONNECTIONS; i++) {
        struct net_connection *connection = &net->connections[i];
        if (connection->is_used) {
            continue;
        }
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

/* ---- Listeners -------------------------------------------------------------------------------- */

static struct net_listener *listener_at(struct net *net, unsigned node, uint16_t port)
{
    for (unsigned i = 0; i < NET_LISTENERS; i++) {
        struct net_listener *listener = &net->listeners[i];
        if (listener->is_open && listener->node == node && listener->listener.port == port) {
            return listener;
        }
    }
    return NULL;
}

static struct net_connection *first_waiting(struct net_listener *listener)
{
    struct net_connection *first = NULL;

    for (unsigned i = 0; i < NET_CONNECTIONS; i++) {
        struct net_connection *connection = &listener->net->connections[i];
        if (connection->is_used && connection->waits_at == listener &&
            (first == NULL || connection->order < first->order)) {
            first = connection;
        }
    }
    return first;
}

static enum ota_err accept(struct ota_listener *base, struct ota_stream **stream,
                           struct ota_address *from)
{
    struct net_listener *listener = (struct net_listener *)(void *)base;
    struct net_connection *connection = first_waiting(listener);

    *stream = NULL;
    if (connection == NULL) {
        return OTA_OK;
    }
    connection->waits_at = NULL;
    connection->side[1].is_open = true;
    *stream = &connection->side[1].stream;
    *from = connection->from;
    stir(listener->net);
    return OTA_OK;
}

static void listener_close(struct ota_listener *base)
{
    struct net_listener *listener = (struct net_listener *)(void *)base;
    struct net_connection *connection;

    if (!listener->is_open) {
        abort();
    }
    while ((connection = first_waiting(listener)) != NULL) {
        connection->waits_at = NULL;
        connection->is_reset = true;
        release(connection);
    }
    listener->is_open = false;
    stir(listener->net);
}

static enum ota_err listen(struct ota_platform *platform, uint16_t port,
                           struct ota_listener **listener)
{
    struct net_node *node = node_of(platform);

    if (port != 0 && listener_at(node->net, node->number, port) != NULL) {
        return OTA_ERR_BUSY;
    }
    for (unsigned i = 0; i < NET_LISTENERS; i++) {
        struct net_listener *place = &node->net->listeners[i];
        if (!place->is_open) {
            *place = (struct net_listener){
                .listener = {.port = port != 0 ? port : any_port(node->net),
                             .accept = accept,
                             .close = listener_close},
                .net = node->net,
                .node = node->number,
                .is_open = true,
            };
            *listener = &place->listener;
            return OTA_OK;
        }
    }
    return OTA_ERR_CONNECT;
}

static enum ota_err connect_to(struct ota_platform *platform, const struct ota_address *address,
                               struct ota_stream **stream)
{
    struct net_node *node = node_of(platform);
    struct net *net = node->net;
    struct net_connection *connection = new_connection(net, node->number);
    struct net_listener *listener = listener_at(net, node_at(address), address->port);

    connection->side[0].is_open = true;
    *stream = &connection->side[0].stream;
    stir(net);
    if (listener == NULL) {
        connection->is_refused = true;
        return OTA_OK;
    }
    connection->node[1] = listener->node;
    connection->waits_at = listener;
    connection->from = net_address(node->number, any_port(net));
    connection->is_planned = net->is_armed;
    net->is_armed = false;
    return OTA_OK;
}

static enum ota_err connect(struct ota_platform *platform, const char *host, uint16_t port,
                            struct ota_stream **stream)
{
    char text[OTA_ADDRESS_TEXT_SIZE];

    for (unsigned i = 0; i < NET_NODES; i++) {
        struct ota_address address = net_address(i, port);
        if (strcmp(ota_address_host_text(&address, text), host) == 0) {
            return connect_to(platform, &address, stream);
        }
    }
    return OTA_ERR_CONNECT;
}

/* ---- Datagrams -------------------------------------------------------------------------------- */

static enum ota_err receive(struct ota_datagrams *base, void *data, size_t capacity, size_t *len,
                            struct ota_address *from)
{
    struct net_socket *socket = (struct net_socket *)(void *)base;
    struct net *net = socket->net;
    struct net_packet *first = NULL;

    *len = 0;
    for (unsigned i = 0; i < NET_PACKETS; i++) {
        struct net_packet *packet = &net->packets[i];
        if (packet->is_used && packet->to_node == socket->node && packet->to_port == base->port &&
            (int32_t)(net->now_ms - packet->due_ms) >= 0 &&
            (first == NULL || packet->order < first->order)) {
            first = packet;
        }
    }
    if (first != NULL) {
        *len = first->len < capacity ? first->len : capacity;
        memcpy(data, first->data, *len);
        *from = first->from;
        first->is_used = false;
        stir(net);
    }
    return OTA_OK;
}

static void post(struct net_socket *socket, const void *data, size_t len,
                 const struct ota_address *to, uint32_t late_ms)
{
    struct net *net = socket->net;

    for (unsigned i = 0; i < NET_PACKETS; i++) {
        struct net_packet *packet = &net->packets[i];
        if (!packet->is_used) {
            *packet = (struct net_packet){
                .is_used = true,
                .to_node = node_at(to),
                .to_port = to->port,
                .from = net_address(socket->node, socket->datagrams.port),
                .due_ms = net->now_ms + late_ms,
                .order = ++net->orders,
                .len = len,
            };
            memcpy(packet->data, data, len);
            return;
        }
    }
}

static enum ota_err send_datagram(struct ota_datagrams *base, const void *data, size_t len,
                                  const struct ota_address *to)
{
    struct net_socket *socket = (struct net_socket *)(void *)base;
    struct net *net = socket->net;
    const struct net_plan *plan = &net->plan;
    bool is_planned = ++net->datagrams == plan->datagram || plan->datagram == 0;
    enum net_fate fate = is_planned ? plan->fate : NET_ARRIVES;

    if (len > NET_PACKET_SIZE) {
        abort();
    }
    stir(net);
    if (fate == NET_ARRIVES || fate == NET_DOUBLED || fate == NET_DOUBLED_LATE) {
        post(socket, data, len, to, 0);
    }
    if (fate == NET_DOUBLED) {
        post(socket, data, len, to, 0);
    }
    if (fate == NET_LATE || fate == NET_DOUBLED_LATE) {
        post(socket, data, len, to, plan->late_ms);
    }
    return OTA_OK;
}

static void socket_close(struct ota_datagrams *base)
{
    struct net_socket *socket = (struct net_socket *)(void *)base;
    struct net *net = socket->net;

    if (!socket->is_open) {
        abort();
    }
    for (unsigned i = 0; i < NET_PACKETS; i++) {
        struct net_packet *packet = &net->packets[i];
        if (packet->to_node == socket->node && packet->to_port == base->port) {
            packet->is_used = false;
        }
    }
    socket->is_open = false;
    stir(net);
}

static bool port_is_taken(const struct net *net, unsigned node, uint16_t port)
{
    for (unsigned i = 0; i < NET_SOCKETS; i++) {
        const struct net_socket *socket = &net->sockets[i];
        if (socket->is_open && socket->node == node && socket->datagrams.port == port) {
            return true;
        }
    }
    return false;
}

static enum ota_err open_datagrams(struct ota_platform *platform, uint16_t port,
                                   struct ota_datagrams **datagrams)
{
    struct net_node *node = node_of(platform);

    if (port != 0 && port_is_taken(node->net, node->number, port)) {
        return OTA_ERR_BUSY;
    }
    for (unsigned i = 0; i < NET_SOCKETS; i++) {
        struct net_socket *socket = &node->net->sockets[i];
        if (!socket->is_open) {
            *socket = (struct net_socket){
                .datagrams = {.port = port != 0 ? port : any_port(node->net),
                              .receive = receive,
                              .send = send_datagram,
                              .close = socket_close},
                .net = node->net,
                .node = node->number,
                .is_open = true,
            };
            *datagrams = &socket->datagrams;
            return OTA_OK;
        }
    }
    return OTA_ERR_CONNECT;
}

/* ---- Time, and the rest of a platform --------------------------------------------------------- */

static uint32_t sooner(const struct net *net, uint32_t wait_ms, uint32_t at_ms)
{
    uint32_t left_ms = at_ms - net->now_ms;

    return (int32_t)left_ms > 0 && left_ms < wait_ms ? left_ms : wait_ms;
}

void net_pass(struct net *net, uint32_t wait_ms)
{
    for (unsigned i = 0; i < NET_PACKETS; i++) {
        if (net->packets[i].is_used) {
            wait_ms = sooner(net, wait_ms, net->packets[i].due_ms);
        }
    }
    for (unsigned i = 0; i < NET_CONNECTIONS; i++) {
        for (unsigned k = 0; net->connections[i].is_used && k < 2; k++) {
            const struct net_pipe *pipe = &net->connections[i].pipe[k];
            if (pipe->is_stalled) {
                wait_ms = sooner(net, wait_ms, pipe->stall_since + net->plan.stall_ms);
            }
        }
    }
    net->now_ms += wait_ms;
}

static uint32_t now_ms(struct ota_platform *platform)
{
    return node_of(platform)->net->now_ms;
}

static void wait(struct ota_platform *platform, uint32_t timeout_ms)
{
    net_pass(node_of(platform)->net, timeout_ms);
}

static enum ota_err random_bytes(struct ota_platform *platform, void *data, size_t len)
{
    struct net *net = node_of(platform)->net;

    for (size_t i = 0; i < len; i++) {
        net->random = net->random * 1664525u + 1013904223u;
        ((uint8_t *)data)[i] = (uint8_t)(net->random >> 24);
    }
    return OTA_OK;
}

static void restart(struct ota_platform *platform, enum ota_restart_reason reason)
{
    (void)platform;
    (void)reason;
    abort(); /* the agents of these tests stay */
}

static void log_line(struct ota_platform *platform, enum ota_log_level level, const char *tag,
                     const char *text)
{
    const struct net_node *node = node_of(platform);

    if (node->net->logs) {
        fprintf(stderr, "%8u %c %s: %s\n", (unsigned)node->net->now_ms, "EWID"[level], tag, text);
    }
}

/* ---- Beginning, end, and counting ------------------------------------------------------------- */

struct net *net_new(void)
{
    struct net *net = calloc(1, sizeof *net);

    if (net == NULL) {
        abort();
    }
    for (unsigned i = 0; i < NET_NODES; i++) {
        net->nodes[i] = (struct net_node){
            .platform = {.now_ms = now_ms,
                         .random = random_bytes,
                         .restart = restart,
                         .connect = connect,
                         .connect_to = connect_to,
                         .open_datagrams = open_datagrams,
                         .listen = listen,
                         .wait = wait,
                         .log = log_line},
            .net = net,
            .number = i,
        };
    }
    net->now_ms = UINT32_MAX - 100000; /* it wraps early */
    net->logs = getenv("NETWORK_LOG") != NULL;
    net_arm(net, NULL);
    return net;
}

void net_free(struct net *net)
{
    free(net);
}

unsigned net_open_streams(const struct net *net, unsigned node)
{
    unsigned count = 0;

    for (unsigned i = 0; i < NET_CONNECTIONS; i++) {
        const struct net_connection *connection = &net->connections[i];
        for (unsigned k = 0; connection->is_used && k < 2; k++) {
            count += connection->side[k].is_open && connection->node[k] == node;
        }
    }
    return count;
}

unsigned net_open(const struct net *net, unsigned node)
{
    unsigned count = net_open_streams(net, node);

    for (unsigned i = 0; i < NET_LISTENERS; i++) {
        count += net->listeners[i].is_open && net->listeners[i].node == node;
    }
    for (unsigned i = 0; i < NET_SOCKETS; i++) {
        count += net->sockets[i].is_open && net->sockets[i].node == node;
    }
    return count;
}

unsigned net_open_everywhere(const struct net *net)
{
    unsigned count = 0;

    for (unsigned i = 0; i < NET_NODES; i++) {
        count += net_open(net, i);
    }
    return count;
}

const char *net_end_name(enum net_end end)
{
    static const char *const names[] = {"nothing", "close", "reset", "silence"};

    return names[end];
}
