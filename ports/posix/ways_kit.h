/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_PORTS_POSIX_WAYS_KIT_H
#define UPDRAFT_PORTS_POSIX_WAYS_KIT_H

/*
 * All that a firmware needs to open the ways into its board: the services, what they fetch by, and
 * the gates before them. It shows how the parts of the library are put together; a product takes
 * those that it wants.
 *
 *     static struct ways_kit kit;
 *     struct ota_agent_options options = { ... };
 *     if (!ways_kit_open(&kit, &board, &options)) return EXIT_FAILURE;
 *     if (ota_agent_begin(&agent, &options) == OTA_OK) ways_kit_announce(&kit);
 */

#include <updraft/agent.h>
#include <updraft/esphome_service.h>
#include <updraft/espota_service.h>
#include <updraft/gate.h>
#include <updraft/gunzip.h>
#include <updraft/heatshrink.h>
#include <updraft/http_fetch.h>
#include <updraft/https_service.h>
#include <updraft/staged_gzip.h>
#include <updraft/tls.h>
#include <updraft/upgrade_service.h>
#include <updraft/web_service.h>

#include "posix/board.h"
#include "posix/file_scheme.h"
#include "posix/upgrade_file.h"
#include "posix/ways.h"

#define WAYS_KIT_WEB_CONNECTIONS 6u /* a browser opens up to six */

/* How heatshrink's senders are to be told to compress for a board. */
#define WAYS_KIT_WINDOW_BITS 11u
#define WAYS_KIT_LOOKAHEAD_BITS 4u

struct ways_kit {
    struct board *board;
    struct ways ways;

    struct ota_espota_service espota;
    struct ota_esphome_service esphome;
    struct ota_web_service web;
    struct ota_web_service_connection web_connections[WAYS_KIT_WEB_CONNECTIONS];
    struct ota_upgrade_service list;
    struct ota_https_service update; /* from one URL */
    char update_text[2048];

    /* What takes compression and signatures off what comes. */
    struct ota_gunzip_decoder gunzip;
    struct ota_staged_gzip staged_gzip; /* in its place, on boards that run from one place */
    uint8_t gzip_window[OTA_WINDOW_GZIP];
    struct ota_heatshrink_decoder heatshrink;
    struct ota_decoder *decoders[3];
    struct ota_unwrap unwrap;

    /* What lists and the pull fetch by. */
    struct ota_tls tls;
    char *certificates;
    struct ota_http_scheme http;
    struct file_scheme files;
    struct stdin_scheme input;
    struct file_mount mounts[1];
    struct upgrade_file file;

    /* Policy, in the order in which it is asked. */
    struct ota_gate_hook hold;
    struct ota_gate_hook button;
    struct ota_gate_armed armed;
    struct ota_gate_schedule window;
    struct ota_gate_version version;
};

/* Reads what the board's runner asked for, prepares it, and completes `options`: url, secure,
   services, gates, unwrap, host_name, exclusive and confirm. Returns false after logging why
   not. */
bool ways_kit_open(struct ways_kit *kit, struct board *board, struct ota_agent_options *options);

/* For the firmware's on_event: tells whoever runs the board whether a check of the server is under
   way, and what went wrong with it (board_set_idle, board_set_trouble). */
void ways_kit_follow_check(const struct ways_kit *kit, const struct ota_agent *agent,
                           enum ota_agent_event event);

/* Logs at which ports the board can be reached, once the agent has begun. */
void ways_kit_announce(const struct ways_kit *kit);

/* Tells whether there is anything to wait for: a server to ask, or a way in. */
bool ways_kit_has_work(const struct ways_kit *kit);

/* Tells whether the firmware has nothing to begin with but to wait: no server to ask, no update to
   fetch, no list. */
bool ways_kit_is_idle(const struct ways_kit *kit);

#endif
