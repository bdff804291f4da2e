/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NETWORK_WORLD_H
#define NETWORK_WORLD_H

/*
 * A board, its network, and whoever sends to it: one try after another, by whatever way.
 *
 *     struct world *world = world_new(&net->nodes[NET_DEVICE].platform, …);
 *     struct try_outcome outcome;
 *     world_try(world, way_named("espota"), &image, &plan, &outcome);
 *     if (world->failure[0] != '\0') … what is wrong, with all that is needed to do it again …
 */

#include <updraft/http_fetch.h>
#include <updraft/tls.h>

#include "network/memory_scheme.h"
#include "network/net.h"
#include "network/way.h"

#define WORLD_FAILURE_SIZE 400u

struct world {
    struct net *net; /* NULL: on real sockets */
    struct ota_platform *host;
    struct ota_address device_address, server_address;
    struct board *board;
    uint16_t espota_port, esphome_port, web_port;

    const struct way *way; /* that the agent was begun for */
    struct peer server, peer;
    bool has_server;
    struct tls_server *tls_server; /* NULL until a way needs one */
    struct ota_tls tls;            /* the board's, while the agent is begun for such a way */
    bool has_tls;
    struct ota_http_scheme http;
    struct memory_scheme memory;
    struct ota_upgrade_item item;
    char url[96];
    unsigned list_runs;

    /* What the next try after a cut sends, most of the time, where it does not go on with the same
       image; NULL: the same. It saves time. */
    const struct board_image *small;

    char failure[WORLD_FAILURE_SIZE]; /* the first demand that was not met; "" */
    uint64_t tries, accepted;
};

struct try_outcome {
    bool was_told;     /* the sender was told that it went well */
    bool is_activated; /* the board boots it next */
    uint32_t ready_ms; /* from the cut until the board was ready again */
    uint64_t carried[2];
    unsigned datagrams;
};

/* Makes a world on a network in memory. */
struct world *world_new(struct net *net, const struct ota_crypto *crypto, uint32_t image_max);

/* Makes one on a platform that both sides use; addresses and ports must be free. */
struct world *world_on(struct ota_platform *platform, const struct ota_crypto *crypto,
                       uint32_t image_max);
void world_free(struct world *world);

/* Begins the agent for a way, if it is not begun for it; closes everything. */
bool world_open(struct world *world, const struct way *way, const struct board_image *image);
void world_close(struct world *world);

/* One try, from the first byte until board and sender are done with it. */
bool world_try(struct world *world, const struct way *way, const struct board_image *image,
               const struct net_plan *plan, struct try_outcome *outcome);

/* After a try: boots what it should have left, or sees that nothing was lost. */
bool world_settle(struct world *world, const struct board_image *image,
                  const struct try_outcome *outcome);

/* A try with this plan and all that is demanded of it, a plain try after it if it failed, and
   nothing left open. The flash is as new before. */
bool world_prove(struct world *world, const struct way *way, const struct board_image *image,
                 const struct net_plan *plan, struct try_outcome *outcome);

/* A way of the board's own, by which it fetches: how many of its runs have ended. */
unsigned world_runs(const struct world *world, const struct way *way);

/* Begins a peer that pushes by this way. */
void world_begin_peer(struct world *world, struct peer *peer, const struct way *way,
                      const struct board_image *image);

uint32_t world_least(uint32_t a, uint32_t b);

/* One turn of the board; UINT32_MAX if nobody but the network can wake it. And time for all. */
uint32_t world_turn(struct world *world);
void world_wait(struct world *world, uint64_t stirred, uint32_t wait_ms);

bool world_fail(struct world *world, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
