/* SPDX-License-Identifier: Apache-2.0 */
/* A board and its network: opened for one way or another, and given their turns. */

#include "network/world.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SERVER_NODE 1u
#define SERVER_PORT 8080u

/* ---- Failing --------------------------------------------------------------------------------- */

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

/* ---- Opening and closing --------------------------------------------------------------------- */

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
    tls_server_free(world->tls_server);
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

    memory_scheme_init(&world->memory, world->net);
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

/* As it is made to be used: the agent carries it, step by step. */
static void prepare_fetcher(struct world *world)
{
    struct board *board = world->board;

    ota_https_service_init(&board->fetcher, &(struct ota_https_service_options){
                                                .update = {.url = world->url,
                                                           .max_request = world->way->range,
                                                           .resume = true,
                                                           .allow_http = !world->way->is_tls,
                                                           .text = board->text,
                                                           .text_size = sizeof board->text}});
    ota_https_service_start(&board->fetcher);
    board->web.service.next = &board->fetcher.service;
}

static void open_tls(struct world *world)
{
    char host[OTA_ADDRESS_TEXT_SIZE];

    if (world->tls_server == NULL) {
        world->tls_server = tls_server_new(ota_address_host_text(&world->server_address, host));
    }
    const struct ota_tls_options options = {.ca_pem = tls_server_certificate(world->tls_server)};
    if (ota_tls_begin(&world->tls, &options) != OTA_OK) {
        abort();
    }
    world->has_tls = true;
}

static void open_server(struct world *world)
{
    char host[OTA_ADDRESS_TEXT_SIZE];
    const bool is_tls = world->way->is_tls;

    if (is_tls) {
        open_tls(world);
    }
    memset(&world->server, 0, sizeof world->server);
    world->server.platform = world->host;
    world->server.address = world->server_address;
    world->server.tls = is_tls ? world->tls_server : NULL;
    peer_begin(&world->server, &peer_server);
    world->has_server = true;
    snprintf(world->url, sizeof world->url, "http%s://%s:%u/app.bin", is_tls ? "s" : "",
             ota_address_host_text(&world->server_address, host), world->server_address.port);
}

static void prepare_way(struct world *world)
{
    struct board *board = world->board;

    board->options.url = NULL;
    board->options.secure = world->has_tls ? &world->tls.secure : NULL;
    switch (world->way->kind) {
    case WAY_PUSH:
        break;
    case WAY_PULL:
        board->options.url = world->url;
        break;
    case WAY_URL:
        prepare_fetcher(world);
        break;
    default:
        prepare_list(world);
        break;
    }
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
    prepare_way(world);
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
    if (world->has_tls) {
        ota_tls_end(&world->tls);
        world->has_tls = false;
    }
    world->way = NULL;
}

/* ---- Turns ----------------------------------------------------------------------------------- */

uint32_t world_least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

uint32_t world_turn(struct world *world)
{
    uint32_t wait_ms = ota_agent_poll(&world->board->agent);

    return world->has_server ? world_least(wait_ms, peer_poll(&world->server)) : wait_ms;
}

void world_wait(struct world *world, uint64_t stirred, uint32_t wait_ms)
{
    struct net *net = world->net;

    if (net == NULL) {
        world->host->wait(world->host, world_least(wait_ms, 1000));
    } else if (net->stirred != stirred) {
        net_pass(net, 1);
    } else {
        net_pass(net, wait_ms == 0 ? 1 : world_least(wait_ms, 10000));
    }
}
