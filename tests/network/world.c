/* SPDX-License-Identifier: Apache-2.0 */
/* Tries, by whatever way, and what is demanded of them. */

#include "network/world.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PASSWORD "correct horse"
#define SERVER_NODE 1u
#define SERVER_PORT 8080u
#define TRY_MAX_MS 900000u /* of the network's time */
#define PROMPT_MS 4500u
#define TURNS_MAX 20000000u

/* The time-outs are those that the headers state; a second of grace for looking now and then, and what the last
   words may take. */
const struct way ways[] = {
    {"espota", WAY_PUSH, &peer_espota, NULL, 17500, OTA_ESPOTA_RECEIVE_TIMEOUT_MS,
     OTA_ESPOTA_RECEIVE_TIMEOUT_MS, false},
    {"espota-password", WAY_PUSH, &peer_espota, PASSWORD, 17500, OTA_ESPOTA_RECEIVE_TIMEOUT_MS,
     OTA_ESPOTA_RECEIVE_TIMEOUT_MS, false},
    {"esphome", WAY_PUSH, &peer_esphome, NULL, 93500, OTA_ESPHOME_DATA_TIMEOUT_MS,
     OTA_ESPHOME_HANDSHAKE_TIMEOUT_MS, false},
    {"esphome-password", WAY_PUSH, &peer_esphome, PASSWORD, 93500, OTA_ESPHOME_DATA_TIMEOUT_MS,
     OTA_ESPHOME_HANDSHAKE_TIMEOUT_MS, false},
    {"web-form", WAY_PUSH, &peer_form, NULL, 23500, OTA_HTTP_SERVER_BODY_MS,
     OTA_HTTP_SERVER_IDLE_MS, false},
    {"web-raw", WAY_PUSH, &peer_raw, NULL, 23500, OTA_HTTP_SERVER_BODY_MS, OTA_HTTP_SERVER_IDLE_MS,
     false},
    {"pull", WAY_PULL, NULL, NULL, 63500, OTA_HTTP_BODY_TIMEOUT_MS, OTA_HTTP_HEAD_TIMEOUT_MS, true},
    {"list", WAY_LIST, NULL, NULL, 32500, OTA_UPGRADE_STALL_MS, OTA_HTTP_HEAD_TIMEOUT_MS, false},
    {"list-file", WAY_LIST_FILE, NULL, NULL, 32500, OTA_UPGRADE_STALL_MS, OTA_UPGRADE_STALL_MS,
     false},
};
const size_t way_count = sizeof ways / sizeof *ways;

const struct way *way_named(const char *name)
{
    for (size_t i = 0; i < way_count; i++) {
        if (strcmp(ways[i].name, name) == 0) {
            return &ways[i];
        }
    }
    return NULL;
}

/* ---- Failing ---------------------------------------------------------------------------------- */

bool world_fail(struct world *world, const char *format, ...)
{
    const struct net_plan *plan = world->net != NULL ? &world->net->plan : NULL;
    char what[WORLD_FAILURE_SIZE / 2];
    va_list arguments;

    if (world->failure[0] != '\0') {
        return false;
    }
    va_start(arguments, format);
    vsnprintf(what, sizeof what, format, arguments);
    va_end(arguments);
    snprintf(world->failure, sizeof world->failure, "%s: %s",
             world->way != NULL ? world->way->name : "", what);
    if (plan != NULL) {
        const size_t len = strlen(world->failure);
        snprintf(
            world->failure + len, sizeof world->failure - len,
            " [%s at byte %llu %s the device; stall %u ms at %llu; piece %zu; datagram %u fate "
            "%d late %u ms]",
            net_end_name(plan->end), (unsigned long long)plan->cut_at,
            plan->direction == NET_TO_DEVICE ? "to" : "from", plan->stall_ms,
            (unsigned long long)plan->stall_at, plan->piece, plan->datagram, (int)plan->fate,
            plan->late_ms);
    }
    return false;
}

/* ---- A source like a memory card -------------------------------------------------------------- */

static enum ota_err memory_read(struct ota_fetch *fetch, void *data, size_t capacity, size_t *len,
                                bool *ended)
{
    struct memory_scheme *memory =
        (struct memory_scheme *)(void *)((char *)fetch - offsetof(struct memory_scheme, fetch));
    struct net *net = memory->world->net;
    size_t most = memory->image->size - memory->at;

    *len = 0;
    *ended = false;
    if (net != NULL && net->plan.end != NET_NOTHING && net->is_armed) {
        most = net->plan.cut_at - memory->at;
        if (most == 0 && !net->has_cut) {
            net->has_cut = true;
            net->cut_ms = net->now_ms;
        }
        if (most == 0) {
            return net->plan.end == NET_CLOSE   ? OTA_ERR_INCOMPLETE
                   : net->plan.end == NET_RESET ? OTA_ERR_CONNECTION_LOST
                                                : OTA_OK;
        }
    }
    if (net != NULL && net->plan.piece != 0 && most > net->plan.piece) {
        most = net->plan.piece;
    }
    *len = most < capacity ? most : capacity;
    memcpy(data, memory->image->bytes + memory->at, *len);
    memory->at += (uint32_t)*len;
    *ended = memory->at == memory->image->size;
    if (net != NULL) {
        net->stirred++;
        net->carried[NET_TO_DEVICE] += *len;
    }
    return OTA_OK;
}

static void memory_close(struct ota_fetch *fetch)
{
    ((struct memory_scheme *)(void *)((char *)fetch - offsetof(struct memory_scheme, fetch)))
        ->is_open = false;
}

static enum ota_err memory_open(struct ota_scheme *scheme, struct ota_platform *platform,
                                const struct ota_fetch_request *request, struct ota_fetch **fetch)
{
    struct memory_scheme *memory = (struct memory_scheme *)(void *)scheme;

    (void)platform;
    (void)request;
    if (memory->is_open) {
        return OTA_ERR_BUSY;
    }
    memory->is_open = true;
    memory->at = 0;
    memory->fetch =
        (struct ota_fetch){.size = memory->image->size, .read = memory_read, .close = memory_close};
    *fetch = &memory->fetch;
    return OTA_OK;
}

static bool memory_serves(const struct ota_scheme *scheme, const char *name)
{
    (void)scheme;
    return strcmp(name, "memory") == 0;
}

/* ---- Opening and closing ---------------------------------------------------------------------- */

static struct world *make(struct ota_platform *device, struct ota_platform *host,
                          const struct ota_crypto *crypto, uint32_t image_max)
{
    struct world *world = calloc(1, sizeof *world);

    if (world == NULL) {
        abort();
    }
    world->host = host;
    world->board = board_new(crypto, image_max);
    world->board->options.platform = device;
    return world;
}

struct world *world_new(struct net *net, const struct ota_crypto *crypto, uint32_t image_max)
{
    struct world *world = make(&net->nodes[NET_DEVICE].platform, &net->nodes[SERVER_NODE].platform,
                               crypto, image_max);

    world->net = net;
    world->device_address = net_address(NET_DEVICE, 1);
    world->server_address = net_address(SERVER_NODE, SERVER_PORT);
    world->espota_port = world->esphome_port = 3232;
    world->web_port = 80;
    return world;
}

static uint16_t free_port(struct ota_platform *platform)
{
    struct ota_listener *listener;

    if (platform->listen(platform, 0, &listener) != OTA_OK) {
        abort();
    }
    const uint16_t port = listener->port;
    listener->close(listener);
    return port;
}

struct world *world_on(struct ota_platform *platform, const struct ota_crypto *crypto,
                       uint32_t image_max)
{
    struct world *world = make(platform, platform, crypto, image_max);
    const struct ota_address loopback = {.ip = {[10] = 0xFF, [11] = 0xFF, [12] = 127, [15] = 1},
                                         .port = free_port(platform)};

    world->device_address = world->server_address = loopback;
    world->espota_port = free_port(platform);
    world->esphome_port = free_port(platform);
    world->web_port = free_port(platform);
    return world;
}

void world_free(struct world *world)
{
    world_close(world);
    board_free(world->board);
    free(world);
}

static void on_list(void *context, const struct ota_upgrade_list *list,
                    enum ota_upgrade_event event)
{
    struct world *world = context;

    (void)list;
    world->list_runs += event == OTA_UPGRADE_EVENT_FINISH;
}

static void prepare_services(struct world *world, const struct way *way)
{
    struct board *board = world->board;

    ota_espota_service_init(
        &board->espota,
        &(struct ota_espota_service_options){.password = way->password,
                                             .port = world->espota_port,
                                             .gap_ms = world->net == NULL ? OTA_ESPOTA_NO_GAP : 0});
    ota_esphome_service_init(&board->esphome,
                             &(struct ota_esphome_service_options){.password = way->password,
                                                                   .port = world->esphome_port});
    ota_web_service_init(&board->web, &(struct ota_web_service_options){
                                          .port = world->web_port,
                                          .connections = board->connections,
                                          .connection_count = OTA_WEB_SERVICE_CONNECTIONS});
    board->espota.service.next = &board->esphome.service;
    board->esphome.service.next = &board->web.service;
    board->options.services = &board->espota.service;
}

static void prepare_list(struct world *world)
{
    struct board *board = world->board;

    world->memory = (struct memory_scheme){.scheme = {.serves = memory_serves, .open = memory_open},
                                           .world = world};
    ota_http_scheme_init(&world->http, NULL, &world->memory.scheme);
    world->item = (struct ota_upgrade_item){
        .uri = world->way->kind == WAY_LIST_FILE ? "memory:app.bin" : world->url,
        .check = OTA_UPGRADE_ALWAYS,
        .any_project = true,
        .restart = true,
    };
    ota_upgrade_service_init(&board->list,
                             &(struct ota_upgrade_service_options){.items = &world->item,
                                                                   .count = 1,
                                                                   .schemes = &world->http.scheme,
                                                                   .on_event = on_list,
                                                                   .context = world});
    board->web.service.next = &board->list.service;
}

static void open_server(struct world *world)
{
    char host[OTA_ADDRESS_TEXT_SIZE];

    memset(&world->server, 0, sizeof world->server);
    world->server.platform = world->host;
    world->server.address = world->server_address;
    peer_begin(&world->server, &peer_server);
    world->has_server = true;
    snprintf(world->url, sizeof world->url, "http://%s:%u/app.bin",
             ota_address_host_text(&world->server_address, host), world->server_address.port);
}

bool world_open(struct world *world, const struct way *way, const struct board_image *image)
{
    struct board *board = world->board;

    if (board->is_begun && world->way == way) {
        return true;
    }
    world_close(world);
    world->way = way;
    prepare_services(world, way);
    open_server(world);
    board->options.url = way->kind == WAY_PULL ? world->url : NULL;
    if (way->kind == WAY_LIST || way->kind == WAY_LIST_FILE) {
        prepare_list(world);
    }
    world->memory.image = world->server.image = image;
    world->server.is_over = false;
    enum ota_err err = board_begin(board);
    return err == OTA_OK || world_fail(world, "the agent does not begin: %s", ota_err_text(err));
}

void world_close(struct world *world)
{
    board_end(world->board);
    if (world->has_server) {
        peer_end(&world->server);
        world->has_server = false;
    }
    world->way = NULL;
}

/* ---- Turns ------------------------------------------------------------------------------------ */

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

uint32_t world_turn(struct world *world)
{
    uint32_t wait_ms = ota_agent_poll(&world->board->agent);

    return world->has_server ? least(wait_ms, peer_poll(&world->server)) : wait_ms;
}

void world_wait(struct world *world, uint64_t stirred, uint32_t wait_ms)
{
    struct net *net = world->net;

    if (net == NULL) {
        world->host->wait(world->host, least(wait_ms, 1000));
    } else if (net->stirred != stirred) {
        net_pass(net, 1);
    } else {
        net_pass(net, wait_ms == 0 ? 1 : least(wait_ms, 10000));
    }
}

/* ---- One try ---------------------------------------------------------------------------------- */

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

static bool sender_is_done(const struct world *world, const struct way *way, unsigned runs)
{
    const struct ota_agent *agent = &world->board->agent;

    switch (way->kind) {
    case WAY_PUSH:
        return world->peer.is_over;
    case WAY_PULL:
        return agent->checks != runs;
    default:
        return world->list_runs != runs;
    }
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
    } else if (was_begun && way->kind == WAY_PULL) {
        ota_agent_check_now(&world->board->agent);
    } else if (was_begun) {
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
            wait_ms = least(wait_ms, peer_poll(&world->peer));
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
    unsigned runs = world->list_runs;
    if (!world_open(world, way, image)) {
        return false;
    }
    if (way->kind == WAY_PULL) {
        runs = world->board->agent.checks;
    }
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

/* ---- What is demanded ------------------------------------------------------------------------- */

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

/* A pull goes on where it was, but for a sector and what was under way. */
static bool has_resumed(struct world *world, const struct net_plan *plan)
{
    const uint64_t lost = NET_WINDOW + 2 * 4096 + 512;

    if (plan->end == NET_NOTHING || world->server.requests < 2 ||
        plan->direction != NET_TO_DEVICE || plan->cut_at < lost) {
        return true;
    }
    return world->server.last_offset + lost >= plan->cut_at ||
           world_fail(world, "the pull went on at byte %u", world->server.last_offset);
}

static bool check_cut(struct world *world, const struct way *way, const struct net_plan *plan,
                      const struct try_outcome *outcome)
{
    if (plan == NULL) {
        return true;
    }
    if (way->resumes) {
        return (outcome->is_activated || world_fail(world, "it was not tried again")) &&
               has_resumed(world, plan);
    }
    /* Who is told of the end needs no time-out, only time for its last words. */
    const uint32_t limit_ms = plan->end == NET_SILENCE ? way->ready_ms : PROMPT_MS;
    if (world->net->has_cut && outcome->ready_ms > limit_ms) {
        return world_fail(world, "the board was ready again after %u ms only", outcome->ready_ms);
    }
    return true;
}

bool world_prove(struct world *world, const struct way *way, const struct board_image *image,
                 const struct net_plan *plan, struct try_outcome *outcome)
{
    struct try_outcome second;

    world_close(world);
    board_reset(world->board);
    if (!world_try(world, way, image, plan, outcome) || !check_cut(world, way, plan, outcome) ||
        !world_settle(world, image, outcome)) {
        return false;
    }
    if (!outcome->is_activated) {
        const struct net_plan before = world->net->plan;
        if (!world_try(world, way, image, NULL, &second) || !second.is_activated ||
            !second.was_told) {
            world->net->plan = before;
            return world_fail(world, "the next try failed: %.60s", world->peer.said);
        }
        if (!world_settle(world, image, &second)) {
            return false;
        }
    }
    world_close(world);
    if (net_open_everywhere(world->net) != 0) {
        world->way = way;
        return world_fail(world, "%u sockets stay open", net_open_everywhere(world->net));
    }
    return true;
}
