/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as what a browser, a tool or an attacker sends to the web server of a board with an
 * image in its factory slot. The first byte says how they are cut, the second how the board is set
 * up, the third how much of a good image is sent for each "@" in the rest, so that the fuzzer need
 * not invent one. Whatever comes: what runs stays as it is, a slot boots only if it holds the
 * image, a restart comes only after an upload that was activated or a request for it, and the
 * server is free at the end.
 */
#include <stdbool.h>
#include <string.h>

#include <updraft/slot.h>
#include <updraft/web_update.h>

#include "fuzz/input.h"
#include "proto/ram_device.h"
#include "support/images.h"

enum settings {
    WITH_PASSWORD = 1,
    BY_HAND = 2,
    FROM_RAM = 4
};

static struct board {
    struct ram_device ram;
    struct ota_intake intake;
    struct ota_web web;
    struct ota_web_connection connection;
    uint8_t buffer[4096];
    uint8_t image[1024];
    uint8_t running[1024];
    size_t image_len;
    unsigned restarts, asked;
} board;

/* The same for every input, so that one may hold the answer to a challenge. */
static enum ota_err fill(void *context, void *data, size_t len)
{
    (void)context;
    memset(data, 'k', len);
    return OTA_OK;
}

static void on_restart(void *context, enum ota_restart_reason reason)
{
    (void)context;
    (void)reason;
    board.restarts++;
}

static void on_event(void *context, enum ota_web_event event)
{
    (void)context;
    board.asked += event == OTA_WEB_RESTART_ASKED || event == OTA_WEB_ROLLED_BACK;
}

static void make_board(uint8_t settings)
{
    const struct image_facts running = {.chip = OTA_CHIP_ESP32S3, .version = "1.0.0"};
    const struct image_facts facts = {.chip = OTA_CHIP_ESP32S3, .version = "1.1.0"};
    const struct ota_intake_options intake = {
        .device = &board.ram.device,
        .buffer = board.buffer,
        .buffer_size = sizeof board.buffer,
    };
    const struct ota_web_options web = {
        .intake = &board.intake,
        .device = &board.ram.device,
        .password = (settings & WITH_PASSWORD) != 0 ? "p" : NULL,
        .restart = (settings & BY_HAND) != 0 ? OTA_WEB_RESTART_BY_HAND : OTA_WEB_RESTART_BY_DIALECT,
        .random = fill,
        .on_restart = on_restart,
        .on_event = on_event,
    };

    ram_device_make(&board.ram);
    REQUIRE(image_make(board.ram.memory + RAM_FACTORY, RAM_SLOT_SIZE, &running) > 0);
    memcpy(board.running, board.ram.memory + RAM_FACTORY, sizeof board.running);
    board.image_len = image_make(board.image, sizeof board.image, &facts);
    REQUIRE(board.image_len > 0);
    board.restarts = board.asked = 0;
    REQUIRE(ota_intake_init(&board.intake, &intake) == OTA_OK);
    REQUIRE(ota_web_init(&board.web, &web) == OTA_OK);
}

static void take(void)
{
    char piece[512];
    size_t len;

    while ((len = ota_http_server_output(&board.connection.http, piece, sizeof piece)) > 0) {
        ota_http_server_sent(&board.connection.http, len);
    }
}

static void feed(const uint8_t *data, size_t size, size_t step, uint32_t *now_ms)
{
    struct ota_http_server *http = &board.connection.http;

    for (size_t at = 0; at < size && http->state != OTA_HTTP_SERVER_OVER;) {
        size_t taken = ota_http_server_input(http, data + at, step < size - at ? step : size - at);
        at += taken;
        if (taken == 0) {
            *now_ms += 500; /* an answer is held */
            ota_http_server_tick(http, *now_ms);
        }
        take();
    }
}

static void look(void)
{
    int boots = OTA_SLOT_NONE;

    REQUIRE(board.intake.state == OTA_INTAKE_FREE);
    REQUIRE(board.web.upload.owner == NULL);
    REQUIRE(memcmp(board.running, board.ram.memory + RAM_FACTORY, sizeof board.running) == 0);
    REQUIRE(board.restarts <= board.intake.accepted + board.asked);
    REQUIRE(ota_slot_boot(&board.ram.device, &boots) == OTA_OK);
    if (boots != OTA_SLOT_FACTORY) {
        struct ota_image_check check;
        REQUIRE(board.intake.accepted > 0);
        REQUIRE(ota_slot_verify(&board.ram.device, boots, &check) == OTA_OK);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {data, size};
    size_t step = 1 + input_byte(&input) % 100;
    uint8_t settings = input_byte(&input);
    size_t planted = input_byte(&input) * 4u;
    uint32_t now_ms = UINT32_MAX - 1000;

    make_board(settings);
    ota_web_open(&board.connection, &board.web, NULL, now_ms);
    planted = planted < board.image_len ? planted : board.image_len;
    /* "@" stands for the image, or as much of it as is asked for. */
    while (input.left > 0) {
        const uint8_t *mark = memchr(input.data, '@', input.left);
        size_t len = mark != NULL ? (size_t)(mark - input.data) : input.left;
        feed(input.data, len, step, &now_ms);
        input.data += len;
        input.left -= len;
        if (mark != NULL) {
            feed(board.image, planted, step, &now_ms);
            input.data++;
            input.left--;
        }
    }
    ota_http_server_closed(&board.connection.http, OTA_OK);
    take();
    ota_http_server_closed(&board.connection.http, OTA_ERR_CONNECTION_LOST);
    look();
    return 0;
}
