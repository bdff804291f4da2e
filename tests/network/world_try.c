/* SPDX-License-Identifier: Apache-2.0 */
/* Tries, by whatever way, and what is demanded of them. */

#include "network/world.h"

#include <string.h>

#define TRY_MAX_MS 900000u /* of the network's time */
#define PROMPT_MS 4500u
#define SAME_AGAIN 7u /* of so many second tries one is with the same image */
#define TURNS_MAX 20000000u

/* ---- One try --------------------------------------------------------------------------------- */

static uint16_t port_of(const struct world *world, const struct way *way)
{
    if (way->push == &peer_espota) {
        return world->espota_port;
    }
    return way->push == &peer_esphome ? world->esphome_port : world->web_port;
}

void world_begin_peer(struct world *world, struct peer *peer, const struct way *way,
                      const struct board_image *image)
{
    struct ota_platform *platform = peer->platform;

    memset(peer, 0, sizeof *peer);
    peer->platform = platform != NULL ? platform : world->host;
    peer->address = world->device_address;
    peer->address.port = port_of(world, way);
    peer->image = image;
    peer->password = way->password;
    peer_begin(peer, way->push);
}

unsigned world_runs(const struct world *world, const struct way *way)
{
    switch (way->kind) {
    case WAY_PULL:
        return world->board->agent.checks;
    case WAY_URL:
        return world->board->fetcher.runs;
    default:
        return world->list_runs;
    }
}

static bool sender_is_done(const struct world *world, const struct way *way, unsigned runs)
{
    return way->kind == WAY_PUSH ? world->peer.is_over : world_runs(world, way) != runs;
}

static bool board_is_done(const struct world *world, bool is_activated)
{
    const struct board *board = world->board;

    if (is_activated) {
        return world->net == NULL || board->agent.is_restarting;
    }
    return board_is_ready(board) &&
           (world->net == NULL || net_open_streams(world->net, NET_DEVICE) == 0);
}

static void begin_try(struct world *world, const struct way *way, const struct board_image *image,
                      bool was_begun)
{
    world->memory.image = world->server.image = image;
    world->server.requests = 0;
    if (way->kind == WAY_PUSH) {
        world->peer.platform = NULL;
        world_begin_peer(world, &world->peer, way, image);
    } else if (!was_begun) {
        return; /* it begins with the agent */
    } else if (way->kind == WAY_PULL) {
        ota_agent_check_now(&world->board->agent);
    } else if (way->kind == WAY_URL) {
        ota_https_service_start(&world->board->fetcher);
    } else {
        ota_upgrade_service_start(&world->board->list);
    }
}

static void note_readiness(const struct world *world, struct try_outcome *outcome)
{
    const struct net *net = world->net;

    if (net != NULL && net->has_cut && outcome->ready_ms == UINT32_MAX &&
        board_is_done(world, world->board->agent.is_restarting)) {
        outcome->ready_ms = net->now_ms - net->cut_ms;
    }
}

static bool run(struct world *world, const struct way *way, unsigned runs, uint32_t accepted,
                struct try_outcome *outcome)
{
    const struct ota_agent *agent = &world->board->agent;
    const uint32_t begun_ms = world->host->now_ms(world->host);

    for (uint64_t turn = 0; turn < TURNS_MAX; turn++) {
        const uint64_t stirred = world->net != NULL ? world->net->stirred : 0;
        uint32_t wait_ms = world_turn(world);
        if (way->kind == WAY_PUSH && !world->peer.is_over) {
            wait_ms = world_least(wait_ms, peer_poll(&world->peer));
        }
        note_readiness(world, outcome);
        outcome->is_activated = agent->intake.accepted != accepted;
        if (sender_is_done(world, way, runs) && board_is_done(world, outcome->is_activated)) {
            return true;
        }
        if (world->host->now_ms(world->host) - begun_ms > TRY_MAX_MS) {
            break;
        }
        world_wait(world, stirred, wait_ms);
    }
    return world_fail(world, "a try comes to no end (sender %s, board %s)",
                      sender_is_done(world, way, runs) ? "done" : "at it",
                      board_is_done(world, outcome->is_activated) ? "done" : "at it");
}

bool world_try(struct world *world, const struct way *way, const struct board_image *image,
               const struct net_plan *plan, struct try_outcome *outcome)
{
    const bool was_begun = world->board->is_begun && world->way == way;
    bool is_well;

    memset(outcome, 0, sizeof *outcome);
    outcome->ready_ms = UINT32_MAX;
    if (world->net != NULL) {
        net_arm(world->net, plan);
    }
    if (!world_open(world, way, image)) {
        return false;
    }
    const unsigned runs = world_runs(world, way);
    begin_try(world, way, image, was_begun);
    is_well = run(world, way, runs, world->board->agent.intake.accepted, outcome);
    outcome->was_told = way->kind == WAY_PUSH ? world->peer.is_accepted : outcome->is_activated;
    if (way->kind == WAY_PUSH) {
        peer_end(&world->peer);
    }
    if (world->net != NULL) {
        memcpy(outcome->carried, world->net->carried, sizeof outcome->carried);
        outcome->datagrams = world->net->datagrams;
    }
    world->tries++;
    world->accepted += outcome->is_activated;
    return is_well;
}

/* ---- What is demanded ------------------------------------------------------------------------ */

bool world_settle(struct world *world, const struct board_image *image,
                  const struct try_outcome *outcome)
{
    const struct way *way = world->way;
    const char *wrong;

    if (outcome->was_told && !outcome->is_activated) {
        return world_fail(world, "the sender was told that it went well, and it did not");
    }
    if (!outcome->is_activated) {
        wrong = board_check(world->board);
        return wrong == NULL || world_fail(world, "%s", wrong);
    }
    world_close(world);
    wrong = board_boot(world->board, image);
    world->way = way; /* for the message */
    return wrong == NULL || world_fail(world, "%s", wrong);
}

/* What is fetched goes on where it was, but for a sector, heads, and what was under way: with TLS a
   whole record, and what a handshake takes. */
static bool goes_on_from(struct world *world, const struct net_plan *plan, uint32_t offset)
{
    const struct way *way = world->way;
    const uint64_t heads = way->range != 0 ? (plan->cut_at / way->range + 1) * 512 : 512;
    const uint64_t lost = NET_WINDOW + 2 * 4096 + heads + (way->is_tls ? 16384 + 4096 : 0);

    if (plan->end == NET_NOTHING || plan->direction != NET_TO_DEVICE) {
        return true;
    }
    return offset + lost >= plan->cut_at || world_fail(world, "it went on at byte %u only", offset);
}

static bool check_cut(struct world *world, const struct way *way, const struct net_plan *plan,
                      const struct try_outcome *outcome)
{
    if (plan == NULL) {
        return true;
    }
    if (way->resumes) {
        return (outcome->is_activated || world_fail(world, "it was not tried again")) &&
               (world->server.requests < 2 || goes_on_from(world, plan, world->server.last_offset));
    }
    /* Who is told of the end needs no time-out, only time for its last words. */
    const uint32_t limit_ms = plan->end == NET_SILENCE ? way->ready_ms : PROMPT_MS;
    if (world->net->has_cut && outcome->ready_ms > limit_ms) {
        return world_fail(world, "the board was ready again after %u ms only", outcome->ready_ms);
    }
    return true;
}

/* After a try that came to nothing, one that nobody disturbs. */
static bool try_again(struct world *world, const struct way *way, const struct board_image *image)
{
    const struct net_plan before = world->net->plan;
    struct try_outcome second;

    if (world->small != NULL && !way->next_resumes && world->tries % SAME_AGAIN != 0) {
        image = world->small;
    }
    bool is_well = world_try(world, way, image, NULL, &second);

    world->net->plan = before; /* for the message */
    if (!is_well || !second.is_activated || !second.was_told) {
        return world_fail(world, "the next try failed: %.60s", world->peer.said);
    }
    return (!way->next_resumes || goes_on_from(world, &before, world->server.first_offset)) &&
           world_settle(world, image, &second);
}

bool world_prove(struct world *world, const struct way *way, const struct board_image *image,
                 const struct net_plan *plan, struct try_outcome *outcome)
{
    world_close(world);
    board_reset(world->board);
    if (!world_try(world, way, image, plan, outcome) || !check_cut(world, way, plan, outcome) ||
        !world_settle(world, image, outcome)) {
        return false;
    }
    if (!outcome->is_activated && !try_again(world, way, image)) {
        return false;
    }
    world_close(world);
    if (net_open_everywhere(world->net) != 0) {
        world->way = way;
        return world_fail(world, "%u sockets stay open", net_open_everywhere(world->net));
    }
    return true;
}
