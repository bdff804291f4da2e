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

/* ---- Cuts ------------------------------------------------------------------------------------- */

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
static uint64_t step_over(uint64_t total, uint32_t step)
{
    const uint64_t finer = total / 100;

    return 1 + (step == 0 || finer < step ? finer : step - 1);
}

bool explore_cuts(struct world *world, const struct way *way, const struct board_image *image,
                  uint32_t step, uint32_t fine, struct explored *explored)
{
    struct try_outcome plain;

    if (!measure(world, way, image, &plain)) {
        return false;
    }
    for (unsigned direction = 0; direction < 2; direction++) {
        const uint64_t total = plain.carried[direction];
        const uint64_t every = step_over(total, step);
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

/* ---- Pieces ----------------------------------------------------------------------------------- */

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

/* ---- Pauses ----------------------------------------------------------------------------------- */

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

/* ---- Datagrams -------------------------------------------------------------------------------- */

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

/* ---- Many at once ----------------------------------------------------------------------------- */

static uint32_t poll_peers(struct peer *peers, unsigned count, unsigned *over)
{
    uint32_t wait_ms = UINT32_MAX;

    *over = 0;
    for (unsigned i = 0; i < count; i++) {
        uint32_t wanted_ms = peers[i].is_over ? UINT32_MAX : peer_poll(&peers[i]);
        wait_ms = wanted_ms < wait_ms ? wanted_ms : wait_ms;
        *over += peers[i].is_over;
    }
    return wait_ms;
}

static bool run_crowd(struct world *world, struct peer *peers, unsigned count)
{
    const uint32_t begun_ms = world->net->now_ms;
    unsigned over = 0;

    while (over < count || !world->board->agent.is_restarting) {
        const uint64_t stirred = world->net->stirred;
        uint32_t wait_ms = world_turn(world);
        uint32_t peers_ms = poll_peers(peers, count, &over);
        if (world->net->now_ms - begun_ms > 900000u) {
            return world_fail(world, "%u of %u clients come to no end", count - over, count);
        }
        world_wait(world, stirred, wait_ms < peers_ms ? wait_ms : peers_ms);
    }
    return true;
}

/* Exactly one was served; the image that it brought is what must boot. */
static bool judge_crowd(struct world *world, const struct peer *peers, unsigned count)
{
    const struct try_outcome outcome = {.is_activated = true, .was_told = true};
    const struct board_image *image = NULL;
    unsigned accepted = 0, busy = 0;

    for (unsigned i = 0; i < count; i++) {
        accepted += peers[i].is_accepted;
        busy += peers[i].was_busy;
        image = peers[i].is_accepted ? peers[i].image : image;
    }
    if (accepted != 1 || world->board->agent.intake.accepted != 1) {
        return world_fail(world, "of %u clients %u were served, and %u updates accepted", count,
                          accepted, (unsigned)world->board->agent.intake.accepted);
    }
    return (busy > 0 || world_fail(world, "nobody was told that the board is busy")) &&
           world_settle(world, image, &outcome);
}

static bool try_crowd(struct world *world, const struct board_image images[3], unsigned count,
                      unsigned turn)
{
    const struct way *kinds[] = {way_named("web-raw"), way_named("esphome"), way_named("espota"),
                                 way_named("web-form")};
    struct peer *peers = calloc(count, sizeof *peers);

    world_close(world);
    board_reset(world->board);
    net_arm(world->net, NULL);
    bool is_well = peers != NULL && world_open(world, kinds[1], NULL);
    for (unsigned i = 0; is_well && i < count; i++) {
        peers[i].platform = &world->net->nodes[2 + i].platform;
        world_begin_peer(world, &peers[i], kinds[(i + turn) % 4], &images[i % 3]);
    }
    is_well = is_well && run_crowd(world, peers, count) && judge_crowd(world, peers, count);
    for (unsigned i = 0; peers != NULL && i < count; i++) {
        if (peers[i].kind != NULL) {
            peer_end(&peers[i]);
        }
    }
    free(peers);
    world_close(world);
    return is_well && (net_open_everywhere(world->net) == 0 ||
                       world_fail(world, "%u sockets stay open after a crowd",
                                  net_open_everywhere(world->net)));
}

/* Another kind of client is the first each time. */
bool explore_crowd(struct world *world, const struct board_image images[3], unsigned count,
                   struct explored *explored)
{
    for (unsigned turn = 0; turn < 4; turn++) {
        if (!try_crowd(world, images, count, turn)) {
            return false;
        }
        explored->peers += count;
    }
    return true;
}

/* Lets time pass for the board alone. */
static void wait_for(struct world *world, uint32_t time_ms)
{
    const uint32_t begun_ms = world->net->now_ms;

    while (world->net->now_ms - begun_ms < time_ms) {
        const uint64_t stirred = world->net->stirred;
        uint32_t wait_ms = world_turn(world);
        world_wait(world, stirred, wait_ms < 100 ? wait_ms : 100);
    }
}

#define SILENT_CLIENTS 12
#define PATIENCE_MS 2100u /* who has said nothing for two seconds makes room */

bool explore_silent_clients(struct world *world, const struct way *way,
                            const struct board_image *image, struct explored *explored)
{
    struct ota_platform *platform = &world->net->nodes[2].platform;
    struct ota_stream *streams[SILENT_CLIENTS];
    struct try_outcome outcome = {.is_activated = false};
    const uint16_t ports[] = {world->web_port, world->esphome_port};

    world_close(world);
    board_reset(world->board);
    net_arm(world->net, NULL);
    if (!world_open(world, way, image)) {
        return false;
    }
    for (unsigned i = 0; i < SILENT_CLIENTS; i++) {
        struct ota_address address = world->device_address;
        address.port = ports[i % 2];
        if (platform->connect_to(platform, &address, &streams[i]) != OTA_OK) {
            return world_fail(world, "there is no connection to be had");
        }
    }
    if (way->kind == WAY_PUSH) {
        wait_for(world, PATIENCE_MS);
    }
    bool is_well = world_try(world, way, image, NULL, &outcome) &&
                   ((outcome.is_activated && outcome.was_told) ||
                    world_fail(world, "silent clients keep others away: %.100s", world->peer.said));
    for (unsigned i = 0; i < SILENT_CLIENTS; i++) {
        streams[i]->close(streams[i]);
    }
    explored->peers += SILENT_CLIENTS;
    return is_well && world_settle(world, image, &outcome);
}

/* ---- Again and again -------------------------------------------------------------------------- */

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
