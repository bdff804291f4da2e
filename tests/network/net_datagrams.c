/* SPDX-License-Identifier: Apache-2.0 */
/* Datagrams of the network in memory: they arrive, or are lost, doubled, late. */

#include <stdlib.h>
#include <string.h>

#include "network/net_private.h"

static enum ota_err receive(struct ota_datagrams *base, void *data, size_t capacity, size_t *len,
                            struct ota_address *from)
{
    struct net_socket *socket = (struct net_socket *)(void *)base;
    struct net *net = socket->net;
    struct net_packet *first = NULL;

    *len = 0;
    for (unsigned i = 0; i < NET_PACKETS && net->packet_count > 0; i++) {
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
        net->packet_count--;
        net_stir(net);
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
                .to_node = net_node_at(to),
                .to_port = to->port,
                .from = net_address(socket->node, socket->datagrams.port),
                .due_ms = net->now_ms + late_ms,
                .order = ++net->orders,
                .len = len,
            };
            memcpy(packet->data, data, len);
            net->packet_count++;
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
    net_stir(net);
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
        if (packet->is_used && packet->to_node == socket->node && packet->to_port == base->port) {
            packet->is_used = false;
            net->packet_count--;
        }
    }
    socket->is_open = false;
    net_stir(net);
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

enum ota_err net_open_datagrams(struct ota_platform *platform, uint16_t port,
                                struct ota_datagrams **datagrams)
{
    struct net_node *node = net_node_of(platform);

    if (port != 0 && port_is_taken(node->net, node->number, port)) {
        return OTA_ERR_PORT;
    }
    for (unsigned i = 0; i < NET_SOCKETS; i++) {
        struct net_socket *socket = &node->net->sockets[i];
        if (!socket->is_open) {
            *socket = (struct net_socket){
                .datagrams = {.port = port != 0 ? port : net_any_port(node->net),
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
