/* SPDX-License-Identifier: Apache-2.0 */
/* The network in memory: its nodes, its clock, and what they have open. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "network/net_private.h"

/* ---- Nodes ----------------------------------------------------------------------------------- */

struct net_node *net_node_of(struct ota_platform *platform)
{
    return (struct net_node *)(void *)platform;
}

struct ota_address net_address(unsigned node, uint16_t port)
{
    struct ota_address address = {.ip = {[10] = 0xFF, [11] = 0xFF, [12] = 10}, .port = port};

    address.ip[15] = (uint8_t)(node + 1);
    return address;
}

unsigned net_node_at(const struct ota_address *address)
{
    const struct ota_address first = net_address(0, 1);

    if (memcmp(address->ip, first.ip, 15) != 0 || address->ip[15] == 0 ||
        address->ip[15] > NET_NODES) {
        return NET_NODES;
    }
    return address->ip[15] - 1u;
}

uint16_t net_any_port(struct net *net)
{
    if (++net->next_port < 20000) {
        net->next_port = 20000;
    }
    return net->next_port;
}

/* ---- What goes wrong ------------------------------------------------------------------------- */

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
    for (unsigned i = 0; i < net->connections_top; i++) {
        net->connections[i].is_planned = false;
    }
}

/* ---- Time, and the rest of a platform -------------------------------------------------------- */

static uint32_t sooner(const struct net *net, uint32_t wait_ms, uint32_t at_ms)
{
    uint32_t left_ms = at_ms - net->now_ms;

    return (int32_t)left_ms > 0 && left_ms < wait_ms ? left_ms : wait_ms;
}

void net_pass(struct net *net, uint32_t wait_ms)
{
    for (unsigned i = 0; i < NET_PACKETS && net->packet_count > 0; i++) {
        if (net->packets[i].is_used) {
            wait_ms = sooner(net, wait_ms, net->packets[i].due_ms);
        }
    }
    for (unsigned i = 0; i < net->connections_top; i++) {
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
    return net_node_of(platform)->net->now_ms;
}

static void wait(struct ota_platform *platform, uint32_t timeout_ms)
{
    net_pass(net_node_of(platform)->net, timeout_ms);
}

static enum ota_err random_bytes(struct ota_platform *platform, void *data, size_t len)
{
    struct net *net = net_node_of(platform)->net;

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
    const struct net_node *node = net_node_of(platform);

    if (node->net->logs) {
        fprintf(stderr, "%8u %c %s: %s\n", (unsigned)node->net->now_ms, "EWID"[level], tag, text);
    }
}

/* ---- Beginning, end, and counting ------------------------------------------------------------ */

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
                         .connect = net_connect,
                         .connect_to = net_connect_to,
                         .open_datagrams = net_open_datagrams,
                         .listen = net_listen,
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

    for (unsigned i = 0; i < net->connections_top; i++) {
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
