/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NETWORK_EXPLORE_H
#define NETWORK_EXPLORE_H

/*
 * What can go wrong on the network, one thing after another, each proven by world_prove. All return
 * false at the first demand that is not met; world->failure then says which, and by what plan.
 */

#include "network/world.h"

struct explored {
    unsigned cuts, stalls, pieces, datagrams, peers, updates;
};

/* The connection ends at every step-th byte of both directions, and at each of the first and the
   last `fine` ones, in each way that there is; where way->sparse says so at fewer. */
bool explore_cuts(struct world *world, const struct way *way, const struct board_image *image,
                  uint32_t step, uint32_t fine, struct explored *explored);

/* Reads and writes of one byte, and of a few odd sizes. */
bool explore_pieces(struct world *world, const struct way *way, const struct board_image *image,
                    struct explored *explored);

/* The sender pauses a little less than the board bears, and a little more: at the beginning and in
   the middle. */
bool explore_stalls(struct world *world, const struct way *way, const struct board_image *image,
                    struct explored *explored);

/* Every single datagram is lost, doubled, late, doubled and late; and all of them are lost. */
bool explore_datagrams(struct world *world, const struct way *way, const struct board_image *image,
                       struct explored *explored);

/* So many senders at once, of all ways that push, with three images in turn, some of the time while
   the board fetches one over TLS: one is served, and what it brought boots. Some more who only
   connect, and say nothing or half of what they should: an update by this way succeeds. */
bool explore_crowd(struct world *world, const struct board_image images[3], unsigned count,
                   struct explored *explored);
bool explore_silent_clients(struct world *world, const struct way *way,
                            const struct board_image *image, struct explored *explored);

/* So many updates by all ways in turn, with three images in turn. */
bool explore_turns(struct world *world, const struct board_image images[3], unsigned count,
                   struct explored *explored);

#endif
