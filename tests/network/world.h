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

#include "network/net.h"
#include "network/peer.h"

enum way_kind {
    WAY_PUSH,
    WAY_PULL,
    WAY_LIST,
    WAY_LIST_FILE
};

struct way {
    const char *name;
    enum way_kind kind;
    const struct peer_kind *push;
    const char *password;
    uint32_t ready_ms;    /* after a broken connection the board takes the next one by then */
    uint32_t silence_ms;  /* in the middle of the image the board bears so much, */
    uint32_t greeting_ms; /* and at the beginning */
    bool resumes;         /* the same try goes on where it was broken */
};

extern const struct way ways[];
extern const size_t way_count;

/* Returns the way of this name, or NULL. */
const struct way *way_named(const char *name);

/* Bytes that come as from a memory card. */
struct memory_scheme {
    struct ota_scheme scheme; /* first */
    struct ota_fetch fetch;
    struct world *world;
    const struct board_image *image;
    bool is_open;
    uint32_t at;
};

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
    struct ota_http_scheme http;
    struct memory_scheme memory;
    struct ota_upgrade_item item;
    char url[96];
    unsigned list_runs;

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

/* A try with this plan and all that is demanded of it, a plain try after it if it failed, and nothing left
   open. The flash is as new before. */
bool world_prove(struct world *world, const struct way *way, const struct board_image *image,
                 const struct net_plan *plan, struct try_outcome *outcome);

/* Begins a peer that pushes by this way. */
void world_begin_peer(struct world *world, struct peer *peer, const struct way *way,
                      const struct board_image *image);

/* One turn of the board; UINT32_MAX if nobody but the network can wake it. And time for all. */
uint32_t world_turn(struct world *world);
void world_wait(struct world *world, uint64_t stirred, uint32_t wait_ms);

bool world_fail(struct world *world, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
