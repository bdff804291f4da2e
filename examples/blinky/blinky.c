/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Blinky: firmware for the virtual board that blinks and keeps itself up to date. What it takes is
 * all here: a device, a platform, memory for the agent, and the agent's poll in the program's loop.
 * Which further ways in are open the board's runner says; ways_kit.c puts them together.
 */

#include <stdlib.h>
#include <string.h>

#include <updraft/agent.h>
#include <updraft/trust.h>

#include <updraft_signing_keys.h> /* made by the build */

#include "posix/board.h"
#include "posix/ways_kit.h"
#include "start.h"

#define TAG "blinky"
#define BLINK_MS 1000u
#define CHECK_INTERVAL_S 60u

static struct board board;
static struct ota_agent agent;
static struct ways_kit kit;
static uint8_t flash_buffer[4096]; /* a sector: unchanged ones are then not written again */
static char text_buffer[2048];

static void say(enum ota_log_level level, const char *text)
{
    struct ota_platform *platform = &board.platform.platform;

    platform->log(platform, level, TAG, text);
}

/* Lets whoever runs the board know when there is nothing to do but blink, and what went wrong. */
static void on_event(void *context, const struct ota_agent *source, enum ota_agent_event event)
{
    (void)context;
    ways_kit_follow_check(&kit, source, event);
}

/* A firmware that was built with a key takes nothing that was not signed by it, on a board that has
   no rule of its own. */
static void trust_own_keys(void)
{
    static const struct ota_arduino_trust arduino = {.keys = updraft_signing_keys,
                                                     .key_count = UPDRAFT_SIGNING_KEYS,
                                                     .verifier = &ota_verify_rsa_pkcs1_openssl};
    static const struct ota_trust own = {.arduino = &arduino};

    if (UPDRAFT_SIGNING_KEYS > 0 && board.device.trust == NULL) {
        board.device.trust = &own;
    }
}

static enum ota_err start_agent(void)
{
    struct ota_agent_options options = {
        .platform = &board.platform.platform,
        .device = &board.device,
        .interval_s = CHECK_INTERVAL_S,
        .on_event = on_event,
        .on_update = board_show_progress,
        .context = &board,
        .buffer = flash_buffer,
        .buffer_size = sizeof flash_buffer,
        .text = text_buffer,
        .text_size = sizeof text_buffer,
    };

    memcpy(options.sta_mac, board.settings.mac, sizeof options.sta_mac);
    memcpy(options.ap_mac, board.settings.mac, sizeof options.ap_mac);
    options.ap_mac[5]++;
    if (!ways_kit_open(&kit, &board, &options)) {
        return OTA_ERR_ARGUMENT;
    }
    return ota_agent_begin(&agent, &options);
}

/* Toggles the LED when its time has come; returns milliseconds until the next time. */
static uint32_t blink(uint32_t now_ms)
{
    static bool is_on;
    static uint32_t since_ms;

    if (now_ms - since_ms >= BLINK_MS) {
        since_ms = now_ms;
        is_on = !is_on;
        say(OTA_LOG_DEBUG, is_on ? "LED on" : "LED off");
    }
    return BLINK_MS - (now_ms - since_ms);
}

int main(void)
{
    struct ota_platform *platform = &board.platform.platform;

    if (!board_attach(&board)) {
        return EXIT_FAILURE;
    }
    say(OTA_LOG_INFO, "hello from " BLINKY_VERSION);
    trust_own_keys();
    enum ota_err err = board_open_device(&board, NULL);
    if (err != OTA_OK) {
        say(OTA_LOG_ERROR, ota_err_text(err));
        return EXIT_FAILURE;
    }
    start(platform);
    err = start_agent();
    if (err != OTA_OK) {
        say(OTA_LOG_ERROR, ota_err_text(err));
        return EXIT_FAILURE;
    }
    ways_kit_announce(&kit);
    board_set_idle(&board, ways_kit_is_idle(&kit));
    for (;;) {
        uint32_t agent_ms = ota_agent_poll(&agent);
        uint32_t blink_ms = blink(platform->now_ms(platform));
        platform->wait(platform, agent_ms < blink_ms ? agent_ms : blink_ms);
    }
}
