/* SPDX-License-Identifier: Apache-2.0 */
/* One thing after another goes wrong. */

#include "network/explore.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A plain update, which also says how much goes over the network. */
static bool measure(struct world *world, const struct way *way, const struct board_image *image,
                    struct try_outcome *outcome)
{
    return world_prove(world, way, image, NULL, outcome) &&
           ((outcome->is_activated && outcome->was_told) ||
            world_fail(world, "a plain update fails: %.100s", world->peer.said));
}

/* ---- Cuts ------------------------------------------------------------------------------------ */

static bool cut_at(struct world *world, const struct way *way, const struct board_image *image,
                   struct net_plan *plan, struct explored *explored)
{
    struct try_outcome outcome;

    for (unsigned end = NET_CLOSE; end < NET_END_COUNT; end++) {
        plan->end = (enum net_end)end;
        if (!world_prove(world, way, image, plan, &outcome)) {
            return false;
        }
        explored->cuts++;
        explored->updates += outcome.is_activated;
    }
    return true;
}

/* Of the little that the board sends, more places. */
static uint64_t step_over(const struct way *way, uint64_t total, uint32_t step)
{
    const uint64_t sparse = way->sparse != 0 ? way->sparse : 1;
    const uint64_t finer = total / 100;

    return sparse * (1 + (step == 0 || finer < step ? finer : step - 1));
}

bool explore_cuts(struct world *world, const struct way *way, const struct board_image *image,
                  uint32_t step, uint32_t fine, struct explored *explored)
{
    struct try_outcome plain;

    fine = way->sparse != 0 ? fine / way->sparse : fine;
    if (!measure(world, way, image, &plain)) {
        return false;
    }
    for (unsigned direction = 0; direction < 2; direction++) {
        const uint64_t total = plain.carried[direction];
        const uint64_t every = step_over(way, total, step);
        struct net_plan plan = {.direction = (enum net_direction)direction};
        for (uint64_t at = 0; at < total; at++) {
            plan.cut_at = at;
            if (at % every != 0 && at >= fine && at + fine < total) {
                continue;
            }
            if (!cut_at(world, way, image, &plan, explored)) {
                return false;
            }
        }
    }
    return true;
}

/* ---- Pieces ---------------------------------------------------------------------------------- */

bool explore_pieces(struct world *world, const struct way *way, const struct board_image *image,
                    struct explored *explored)
{
    static const size_t sizes[] = {1, 7, 251};
    struct try_outcome outcome;

    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        const struct net_plan plan = {.piece = sizes[i]};
        if (!world_prove(world, way, image, &plan, &outcome)) {
            return false;
        }
        if (!outcome.is_activated || !outcome.was_told) {
            return world_fail(world, "an update in small pieces fails: %.100s", world->peer.said);
        }
        explored->pieces++;
    }
    return true;
}

/* ---- Pauses ---------------------------------------------------------------------------------- */

static bool pause_for(struct world *world, const struct way *way, const struct board_image *image,
                      uint64_t at, uint32_t stall_ms, bool must_pass, struct explored *explored)
{
    const struct net_plan plan = {.direction = NET_TO_DEVICE, .stall_at = at, .stall_ms = stall_ms};
    struct try_outcome outcome;

    explored->stalls++;
    if (!world_prove(world, way, image, &plan, &outcome)) {
        return false;
    }
    if (outcome.is_activated != (must_pass || way->resumes)) {
        return world_fail(world, must_pass ? "a pause that should be borne is not"
                                           : "a pause is borne that is too long");
    }
    return true;
}

bool explore_stalls(struct world *world, const struct way *way, const struct board_image *image,
                    struct explored *explored)
{
    struct try_outcome plain;

    if (way->kind == WAY_LIST_FILE) {
        return true;
    }
    if (!measure(world, way, image, &plain)) {
        return false;
    }
    const uint64_t middle = plain.carried[NET_TO_DEVICE] / 2;
    return pause_for(world, way, image, 0, way->greeting_ms - 1100, true, explored) &&
           pause_for(world, way, image, 0, way->greeting_ms + 1100, false, explored) &&
           pause_for(world, way, image, middle, way->silence_ms - 1100, true, explored) &&
           pause_for(world, way, image, middle, way->silence_ms + 1100, false, explored);
}

/* ---- Datagrams ------------------------------------------------------------------------------- */

bool explore_datagrams(struct world *world, const struct way *way, const struct board_image *image,
                       struct explored *explored)
{
    static const uint32_t late_ms[] = {5, 700, 1600, 4000};
    struct try_outcome outcome;
    struct net_plan plan = {.fate = NET_LOST};

    if (!measure(world, way, image, &outcome)) {
        return false;
    }
    const unsigned count = outcome.datagrams;
    if (!world_prove(world, way, image, &plan, &outcome)) { /* all of them */
        return false;
    }
    for (plan.datagram = 1; plan.datagram <= count + 2; plan.datagram++) {
        for (unsigned fate = NET_LOST; fate < NET_FATE_COUNT; fate++) {
            for (unsigned i = 0; i < sizeof late_ms / sizeof *late_ms; i++) {
                plan.fate = (enum net_fate)fate;
                plan.late_ms = late_ms[i];
                explored->datagrams++;
                if (!world_prove(world, way, image, &plan, &outcome)) {
                    return false;
                }
                if (!outcome.is_activated || !outcome.was_told) {
                    return world_fail(world, "an update fails for one datagram: %.100s",
                                      world->peer.said);
                }
                if (fate == NET_LOST || fate == NET_DOUBLED) {
                    break;
                }
            }
        }
    }
    return true;
}

/* ---- Again and again ------------------------------------------------------------------------- */

bool explore_turns(struct world *world, const struct board_image images[3], unsigned count,
                   struct explored *explored)
{
    struct try_outcome outcome;

    for (unsigned i = 0; i < count; i++) {
        const struct way *way = &ways[i % way_count];
        const struct board_image *image = &images[i % 3];
        if (!world_try(world, way, image, NULL, &outcome)) {
            return false;
        }
        if (!outcome.is_activated || !outcome.was_told) {
            return world_fail(world, "update %u fails: %.100s", i, world->peer.said);
        }
        if (!world_settle(world, image, &outcome)) {
            return false;
        }
        explored->updates++;
    }
    world_close(world);
    return true;
}
