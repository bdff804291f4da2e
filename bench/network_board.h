/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BENCH_NETWORK_BOARD_H
#define BENCH_NETWORK_BOARD_H

/*
 * A virtual board that runs in a thread of its own: a flash chip in memory that takes no time, the
 * platform of POSIX, and the agent with one way in open. What comes is for its data partition,
 * every page of which holds something else beforehand.
 *
 *     network_board_init(&board);
 *     network_board_start(&board, NETWORK_PUSH, NULL, NULL);
 *     ... send the file to board.port ...
 *     in_place = network_board_finish(&board);             on the clock of rig_seconds
 *     network_board_free(&board);
 */

#include <pthread.h>
#include <stdatomic.h>

#include <updraft/agent.h>
#include <updraft/espota_service.h>
#include <updraft/web_service.h>

#include "posix/nor.h"
#include "posix/platform.h"

#define NETWORK_FILE_SIZE 1572864u

enum network_way {
    NETWORK_PUSH,
    NETWORK_UPLOAD,
    NETWORK_PULL,
};

struct network_board {
    uint16_t port;  /* where it listens */
    double started; /* when its loop began to run: a pull asks at once */

    /* Private. */
    struct nor nor;
    struct nor_state state;
    uint8_t *memory;
    struct ota_device device;
    struct posix_platform platform;
    struct ota_agent agent;
    struct ota_espota_service espota;
    struct ota_web_service web;
    struct ota_web_service_connection connections[OTA_WEB_SERVICE_CONNECTIONS];
    uint8_t buffer[4096];
    char text[2048];
    pthread_t thread;
    double in_place;
    atomic_bool stop;
};

/* Makes the board. Ends the program if it cannot. */
void network_board_init(struct network_board *board);
void network_board_free(struct network_board *board);

/* Starts it with this way in; a pull is from `url`, and by https with `secure`. */
void network_board_start(struct network_board *board, enum network_way way, const char *url,
                         struct ota_secure *secure);

/* Waits until the file is in place and stops the board. Returns when that was. Ends the program if
   it came to nothing, or if the flash does not hold `file`. */
double network_board_finish(struct network_board *board, const uint8_t *file);

#endif
