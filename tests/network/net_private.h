/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NETWORK_NET_PRIVATE_H
#define NETWORK_NET_PRIVATE_H

/* Between the files of the network in memory: net.c has nodes, clock and plan, net_stream.c the
   connections and how they break, net_listener.c who connects to whom, net_datagrams.c the rest. */

#include "network/net.h"

struct net_node *net_node_of(struct ota_platform *platform);

/* The node that has this address; NET_NODES: none. */
unsigned net_node_at(const struct ota_address *address);

/* A port that nobody has had for a while. */
uint16_t net_any_port(struct net *net);

/* Something moved: whoever waits has to look again. */
static inline void net_stir(struct net *net)
{
    net->stirred++;
}

/* ---- net_stream.c ---------------------------------------------------------------------------- */

/* A connection with both ends at `node` and closed. */
struct net_connection *net_new_connection(struct net *net, unsigned node);

/* Forgets it if both ends are closed. */
void net_release(struct net_connection *connection);

/* ---- For the platform of each node ----------------------------------------------------------- */

enum ota_err net_listen(struct ota_platform *platform, uint16_t port,
                        struct ota_listener **listener);
enum ota_err net_connect_to(struct ota_platform *platform, const struct ota_address *address,
                            struct ota_stream **stream);
enum ota_err net_connect(struct ota_platform *platform, const char *host, uint16_t port,
                         struct ota_stream **stream);
enum ota_err net_open_datagrams(struct ota_platform *platform, uint16_t port,
                                struct ota_datagrams **datagrams);

#endif
