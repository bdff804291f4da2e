/* SPDX-License-Identifier: Apache-2.0 */
/* Many clients at once, some of whom only keep others away. */

#include "network/explore.h"

#include <stdlib.h>
#include <string.h>

#define KINDS 5u /* of clients who push */

/* ---- Many at once ---------------------------------------------------------------------------- */

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

/* The board fetches for itself, and has not come to an end. */
static bool is_fetching(const struct world *world)
{
    return world->way->kind == WAY_URL && world->board->fetcher.runs == 0;
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

/* Exactly one was served, be it the board itself; the image that it brought is what must boot. */
static bool judge_crowd(struct world *world, const struct peer *peers, unsigned count)
{
    const struct try_outcome outcome = {.is_activated = true, .was_told = true};
    const bool has_fetched = world->way->kind == WAY_URL && !is_fetching(world);
    const struct board_image *image = has_fetched ? world->server.image : NULL;
    unsigned accepted = has_fetched, busy = 0;

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
    const struct way *kinds[KINDS] = {way_named("web-raw"), way_named("esphome"),
                                      way_named("espota"), way_named("web-form"),
                                      way_named("web-elegant")};
    const struct way *own = turn % 2 == 0 ? way_named("esphome") : way_named("https-tls");
    struct peer *peers = calloc(count, sizeof *peers);

    world_close(world);
    board_reset(world->board);
    net_arm(world->net, NULL);
    bool is_well = peers != NULL && world_open(world, own, &images[turn % 3]);
    for (unsigned i = 0; is_well && i < count; i++) {
        peers[i].platform = &world->net->nodes[2 + i].platform;
        world_begin_peer(world, &peers[i], kinds[(i + turn) % KINDS], &images[i % 3]);
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

/* Another kind of client is the first each time, and every other time the board fetches, too. */
bool explore_crowd(struct world *world, const struct board_image images[3], unsigned count,
                   struct explored *explored)
{
    for (unsigned turn = 0; turn < KINDS; turn++) {
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

#define SILENT_CLIENTS 24u
#define PATIENCE_MS 2100u /* who has said nothing for two seconds makes room, */
#define SERVED_MS 5000u /* and the others soon after, so that whoever has come by then is served */

/* Clients who say nothing, or begin to and stop: half a head, half a greeting, ElegantOTA's request
   without its end. */
static bool open_silent(struct world *world, struct ota_stream *streams[SILENT_CLIENTS])
{
    static const struct {
        bool is_web;
        const char *says;
    } kinds[] = {
        {true, ""},
        {false, ""},
        {true, "GET / HT"},
        {false, "l&\xF7"},
        {true, "POST /update HTTP/1.1\r\nHost: x\r\n"},
    };
    struct ota_platform *platform = &world->net->nodes[2].platform;

    for (unsigned i = 0; i < SILENT_CLIENTS; i++) {
        const unsigned kind = i % (sizeof kinds / sizeof *kinds);
        const size_t len = strlen(kinds[kind].says);
        struct ota_address address = world->device_address;
        size_t sent = 0;

        address.port = kinds[kind].is_web ? world->web_port : world->esphome_port;
        if (platform->connect_to(platform, &address, &streams[i]) != OTA_OK ||
            streams[i]->write(streams[i], kinds[kind].says, len, &sent) != OTA_OK || sent != len) {
            return world_fail(world, "there is no connection to be had");
        }
    }
    return true;
}

bool explore_silent_clients(struct world *world, const struct way *way,
                            const struct board_image *image, struct explored *explored)
{
    struct ota_stream *streams[SILENT_CLIENTS];
    struct try_outcome outcome = {.is_activated = false};

    world_close(world);
    board_reset(world->board);
    net_arm(world->net, NULL);
    if (!world_open(world, way, image) || !open_silent(world, streams)) {
        return false;
    }
    if (way->kind == WAY_PUSH) {
        wait_for(world, PATIENCE_MS);
    }
    const uint32_t begun_ms = world->net->now_ms;
    bool is_well = world_try(world, way, image, NULL, &outcome) &&
                   ((outcome.is_activated && outcome.was_told) ||
                    world_fail(world, "silent clients keep others away: %.100s", world->peer.said));
    const uint32_t took_ms = world->net->now_ms - begun_ms;
    is_well = is_well && (took_ms <= SERVED_MS ||
                          world_fail(world, "for silent clients an update took %u ms", took_ms));
    for (unsigned i = 0; i < SILENT_CLIENTS; i++) {
        streams[i]->close(streams[i]);
    }
    explored->peers += SILENT_CLIENTS;
    return is_well && world_settle(world, image, &outcome);
}
