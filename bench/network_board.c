/* SPDX-License-Identifier: Apache-2.0 */
#include "network_board.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rig.h"
#include "support/images.h"

#define FLASH_SIZE (4u << 20)
#define OTADATA 0xD000u
#define SLOT_0 0x10000u
#define SLOT_1 0x110000u
#define SLOT_SIZE 0x100000u
#define DATA 0x210000u
#define DATA_SIZE (NETWORK_FILE_SIZE + RIG_SECTOR) /* and the last sector for the journal */
#define LABEL "spiffs"
#define APP_SIZE 4096u

#define LOOK_MS 10u
#define TIMEOUT_S 30.0

static void need(const char *what, enum ota_err err)
{
    if (err != OTA_OK) {
        rig_fail(what, err);
    }
}

/* ---- The board ------------------------------------------------------------------------------- */

static void fill_flash(struct network_board *board)
{
    static const struct table_row rows[] = {
        {OTA_PARTITION_DATA, OTA_SUBTYPE_DATA_OTA, OTADATA, 0x2000, "otadata", 0},
        {OTA_PARTITION_APP, OTA_SUBTYPE_APP_OTA_0, SLOT_0, SLOT_SIZE, "ota_0", 0},
        {OTA_PARTITION_APP, OTA_SUBTYPE_APP_OTA_0 + 1, SLOT_1, SLOT_SIZE, "ota_1", 0},
        {OTA_PARTITION_DATA, OTA_SUBTYPE_DATA_SPIFFS, DATA, DATA_SIZE, LABEL, 0},
    };
    const struct image_facts facts = {.chip = OTA_CHIP_ESP32S3, .size = APP_SIZE};

    nor_blank(&board->nor);
    table_make(board->memory + OTA_PARTITION_TABLE_OFFSET, rows, sizeof rows / sizeof rows[0],
               true);
    if (image_make(board->memory + SLOT_0, SLOT_SIZE, &facts) == 0) {
        rig_fail("making an image", OTA_ERR_ARGUMENT);
    }
}

void network_board_init(struct network_board *board)
{
    static const struct nor_config config = {
        .size = FLASH_SIZE, .erase = {{RIG_SECTOR, 0}, {RIG_BLOCK, 0}}, .write_size = 1};

    memset(board, 0, sizeof *board);
    board->memory = malloc(FLASH_SIZE);
    need("making the flash", nor_init(&board->nor, &config, board->memory, NULL, &board->state));
    fill_flash(board);
    board->device = (struct ota_device){
        .flash = &board->nor.flash,
        .crypto = &ota_crypto_openssl,
        .table_offset = OTA_PARTITION_TABLE_OFFSET,
        .form = OTA_IMAGE_ESP32,
        .chip.id = OTA_CHIP_ESP32S3,
    };
    need("opening the device", ota_device_open(&board->device, NULL));
    need("choosing ota_0", ota_slot_set_boot(&board->device, 0));
}

void network_board_free(struct network_board *board)
{
    free(board->memory);
}

/* ---- Its ways in ----------------------------------------------------------------------------- */

/* What the agent says would be on the terminal between the figures; warnings may matter. */
static void log_warnings(struct ota_platform *platform, enum ota_log_level level, const char *tag,
                         const char *text)
{
    (void)platform;
    if (level == OTA_LOG_ERROR) {
        fprintf(stderr, "updraft-bench: %s: %s\n", tag, text);
    }
}

/* The services take 0 for their usual port, which may be taken on this machine. */
static uint16_t free_datagram_port(struct ota_platform *platform)
{
    struct ota_datagrams *datagrams;

    need("opening a socket", platform->open_datagrams(platform, 0, &datagrams));
    uint16_t port = datagrams->port;
    datagrams->close(datagrams);
    return port;
}

static uint16_t free_listener_port(struct ota_platform *platform)
{
    struct ota_listener *listener;

    need("opening a socket", platform->listen(platform, 0, &listener));
    uint16_t port = listener->port;
    listener->close(listener);
    return port;
}

static struct ota_service *make_espota(struct network_board *board)
{
    board->port = free_datagram_port(&board->platform.platform);
    ota_espota_service_init(
        &board->espota, &(struct ota_espota_service_options){.port = board->port, .stay = true});
    return &board->espota.service;
}

static struct ota_service *make_web(struct network_board *board)
{
    board->port = free_listener_port(&board->platform.platform);
    ota_web_service_init(&board->web, &(struct ota_web_service_options){
                                          .port = board->port,
                                          .restart = OTA_WEB_RESTART_BY_HAND,
                                          .connections = board->connections,
                                          .connection_count = OTA_WEB_SERVICE_CONNECTIONS,
                                      });
    return &board->web.service;
}

static struct ota_service *make_service(struct network_board *board, enum network_way way)
{
    switch (way) {
    case NETWORK_PUSH:
        return make_espota(board);
    case NETWORK_UPLOAD:
        return make_web(board);
    default:
        return NULL;
    }
}

/* ---- Its life -------------------------------------------------------------------------------- */

static void *live(void *context)
{
    struct network_board *board = context;
    struct ota_platform *platform = &board->platform.platform;

    board->started = rig_seconds();
    while (!atomic_load(&board->stop) && rig_seconds() - board->started < TIMEOUT_S) {
        uint32_t wait_ms = ota_agent_poll(&board->agent);
        if (board->in_place == 0 && board->agent.intake.accepted > 0) {
            board->in_place = rig_seconds();
        }
        if (board->agent.pull.failure.err != OTA_OK ||
            (board->in_place > 0 && board->agent.options.url != NULL)) {
            break;
        }
        if (wait_ms > 0) {
            platform->wait(platform, wait_ms < LOOK_MS ? wait_ms : LOOK_MS);
        }
    }
    return NULL;
}

void network_board_start(struct network_board *board, enum network_way way, const char *url,
                         struct ota_secure *secure)
{
    platform_init(&board->platform);
    board->platform.platform.log = log_warnings;
    const struct ota_agent_options options = {
        .platform = &board->platform.platform,
        .device = &board->device,
        .services = make_service(board, way),
        .url = url,
        .secure = secure,
        .label = way == NETWORK_PULL ? LABEL : NULL,
        .stay = true,
        .buffer = board->buffer,
        .buffer_size = sizeof board->buffer,
        .text = board->text,
        .text_size = sizeof board->text,
    };

    memset(board->memory + DATA, 0x55, DATA_SIZE - RIG_SECTOR);
    board->in_place = 0;
    atomic_store(&board->stop, false);
    need("starting the agent", ota_agent_begin(&board->agent, &options));
    if (pthread_create(&board->thread, NULL, live, board) != 0) {
        rig_fail("starting a thread", OTA_ERR_NO_MEMORY);
    }
}

double network_board_finish(struct network_board *board, const uint8_t *file)
{
    if (board->agent.options.url == NULL) {
        atomic_store(&board->stop, true); /* the sender has its answer */
    }
    pthread_join(board->thread, NULL);
    ota_agent_end(&board->agent);
    platform_close(&board->platform);
    if (board->in_place == 0 || memcmp(board->memory + DATA, file, NETWORK_FILE_SIZE) != 0) {
        rig_fail("updating over the network", board->agent.intake.failure.err);
    }
    return board->in_place;
}
