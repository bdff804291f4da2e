/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NETWORK_BOARD_H
#define NETWORK_BOARD_H

/*
 * The device of the network tests: a simulated flash chip with two OTA slots, the real agent with
 * its services, and the bootloader between restarts. It keeps, out of the agent's reach, what runs.
 *
 *     struct board *board = board_new(&crypto, image_max);
 *     board->options.platform = platform; board->options.url = …;
 *     if (board_start(board, &why)) … ota_agent_poll(&board->agent) …
 *     if (!board_restart(board, &why)) fail(why);         ends the agent, boots, begins it again
 */

#include <updraft/agent.h>
#include <updraft/boot.h>
#include <updraft/esphome_service.h>
#include <updraft/espota_service.h>
#include <updraft/https_service.h>
#include <updraft/upgrade_service.h>
#include <updraft/web_service.h>

#include <posix/nor.h>

struct board_image {
    uint8_t *bytes;
    uint32_t size;
    uint8_t md5[OTA_MD5_SIZE];
    char md5_text[33];
};

struct board {
    struct nor nor;
    struct nor_state state;
    uint8_t *memory, *scratch, *initial;
    struct nor_state initial_state;
    uint32_t flash_size, slot_size;
    const struct ota_crypto *crypto;
    struct ota_device device;

    struct ota_agent_options options; /* platform, url and the like are the caller's to set */
    struct ota_agent agent;
    bool is_begun;
    struct ota_espota_service espota;
    struct ota_esphome_service esphome;
    struct ota_web_service web;
    struct ota_web_service_connection connections[OTA_WEB_SERVICE_CONNECTIONS];
    struct ota_upgrade_service list;
    struct ota_https_service fetcher;
    uint8_t buffer[4096];
    char text[2048];

    struct board_image running; /* what must be in the running slot; a copy */
    uint8_t *otadata;           /* as it was when the agent began */
};

#define BOARD_OTADATA 0xD000u
#define BOARD_OTADATA_SIZE 0x2000u
#define BOARD_SLOTS 0x10000u

/* Makes a board with a small first image in ota_0, booted once, and noise in ota_1. The services
   are to be initialised by the caller. */
struct board *board_new(const struct ota_crypto *crypto, uint32_t image_max);
void board_free(struct board *board);

/* The flash as it was after board_new. The agent must have ended. */
void board_reset(struct board *board);

/* Begin the agent; end it if it was begun. */
enum ota_err board_begin(struct board *board);
void board_end(struct board *board);

/* Ends the agent and boots: `image` must be what boots then; NULL: what ran. Returns NULL, or what
   is wrong. */
const char *board_boot(struct board *board, const struct board_image *image);

/* Whether what runs is untouched and would boot again, and the chip's rules were kept. Returns
   NULL, or what is wrong. */
const char *board_check(const struct board *board);

/* The door is open, and nobody is inside. */
bool board_is_ready(const struct board *board);

/* Images: of `size` bytes, made or read from a file; false if it cannot be read. */
void image_forge(struct board_image *image, const struct ota_crypto *crypto, uint32_t size,
                 const char *version);
bool image_load(struct board_image *image, const struct ota_crypto *crypto, const char *path);
void image_free(struct board_image *image);

#endif
