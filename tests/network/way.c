/* SPDX-License-Identifier: Apache-2.0 */
/* The table of the ways in. */

#include "network/way.h"

#include <string.h>

#include <updraft/upgrade_list.h>

#define PASSWORD "correct horse"
#define RANGE 65536u

#define ESPOTA                                                                            \
    .push = &peer_espota, .ready_ms = 17500, .silence_ms = OTA_ESPOTA_RECEIVE_TIMEOUT_MS, \
    .greeting_ms = OTA_ESPOTA_RECEIVE_TIMEOUT_MS
#define ESPHOME                                                                          \
    .push = &peer_esphome, .ready_ms = 93500, .silence_ms = OTA_ESPHOME_DATA_TIMEOUT_MS, \
    .greeting_ms = OTA_ESPHOME_HANDSHAKE_TIMEOUT_MS
#define UPLOAD \
    .ready_ms = 23500, .silence_ms = OTA_HTTP_SERVER_BODY_MS, .greeting_ms = OTA_HTTP_SERVER_IDLE_MS
#define DOWNLOAD                                               \
    .ready_ms = 63500, .silence_ms = OTA_HTTP_BODY_TIMEOUT_MS, \
    .greeting_ms = OTA_HTTP_HEAD_TIMEOUT_MS
#define LIST .ready_ms = 32500, .silence_ms = OTA_UPGRADE_STALL_MS

/* Slow are a login of the Arduino protocol, 10,000 rounds on both sides, and a handshake of TLS. */
const struct way ways[] = {
    {"espota", WAY_PUSH, ESPOTA},
    {"espota-password", WAY_PUSH, .password = PASSWORD, .sparse = 7, ESPOTA},
    {"esphome", WAY_PUSH, ESPHOME},
    {"esphome-password", WAY_PUSH, .password = PASSWORD, ESPHOME},
    {"web-form", WAY_PUSH, &peer_form, UPLOAD},
    {"web-raw", WAY_PUSH, &peer_raw, UPLOAD},
    {"web-elegant", WAY_PUSH, &peer_elegant, UPLOAD},
    {"pull", WAY_PULL, DOWNLOAD, .resumes = true},
    {"pull-tls", WAY_PULL, .is_tls = true, .sparse = 5, DOWNLOAD, .resumes = true},
    {"https", WAY_URL, DOWNLOAD, .next_resumes = true},
    {"https-ranges", WAY_URL, .range = RANGE, DOWNLOAD, .next_resumes = true},
    {"https-tls", WAY_URL, .is_tls = true, .sparse = 5, DOWNLOAD, .next_resumes = true},
    {"list", WAY_LIST, LIST, .greeting_ms = OTA_HTTP_HEAD_TIMEOUT_MS},
    {"list-file", WAY_LIST_FILE, LIST, .greeting_ms = OTA_UPGRADE_STALL_MS},
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
