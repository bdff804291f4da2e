/* SPDX-License-Identifier: Apache-2.0 */
/* Who waits for connections on the network in memory, and who makes them. */

#include <stdlib.h>
#include <string.h>

#include "network/net_private.h"

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

    for (unsigned i = 0; i < listener->net->connections_top; i++) {
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
    net_stir(listener->net);
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
        net_release(connection);
    }
    listener->is_open = false;
    net_stir(listener->net);
}

enum ota_err net_listen(struct ota_platform *platform, uint16_t port,
                        struct ota_listener **listener)
{
    struct net_node *node = net_node_of(platform);

    if (port != 0 && listener_at(node->net, node->number, port) != NULL) {
        return OTA_ERR_PORT;
    }
    for (unsigned i = 0; i < NET_LISTENERS; i++) {
        struct net_listener *place = &node->net->listeners[i];
        if (!place->is_open) {
            *place = (struct net_listener){
                .listener = {.port = port != 0 ? port : net_any_port(node->net),
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

enum ota_err net_connect_to(struct ota_platform *platform, const struct ota_address *address,
                            struct ota_stream **stream)
{
    struct net_node *node = net_node_of(platform);
    struct net *net = node->net;
    struct net_connection *connection = net_new_connection(net, node->number);
    struct net_listener *listener = listener_at(net, net_node_at(address), address->port);

    connection->side[0].is_open = true;
    *stream = &connection->side[0].stream;
    net_stir(net);
    if (listener == NULL) {
        connection->is_refused = true;
        return OTA_OK;
    }
    connection->node[1] = listener->node;
    connection->waits_at = listener;
    connection->from = net_address(node->number, net_any_port(net));
    connection->is_planned = net->is_armed;
    net->is_armed = false;
    return OTA_OK;
}

enum ota_err net_connect(struct ota_platform *platform, const char *host, uint16_t port,
                         struct ota_stream **stream)
{
    char text[OTA_ADDRESS_TEXT_SIZE];

    for (unsigned i = 0; i < NET_NODES; i++) {
        struct ota_address address = net_address(i, port);
        if (strcmp(ota_address_host_text(&address, text), host) == 0) {
            return net_connect_to(platform, &address, stream);
        }
    }
    return OTA_ERR_CONNECT;
}
