/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_ESPOTA_SERVICE_H
#define UPDRAFT_ESPOTA_SERVICE_H

/*
 * The Arduino update protocol (espota.h) carried by the agent: listens for invitations, connects
 * back, takes the image, and has the board restarted. The Arduino IDE finds the board by what is
 * advertised.
 *
 *     static struct ota_espota_service espota;
 *     ota_espota_service_init(&espota, &(struct ota_espota_service_options){
 *         .password = "secret", .board = "d1_mini"});
 *     agent_options.services = &espota.service;
 *     agent_options.host_name = "porch";          for discovery: porch.local
 *
 * The log says who was let in and by which login, who was not, and, once at begin, that nobody
 * needs a password if none is set. What becomes of the update itself the agent says.
 */

#include <updraft/agent.h>
#include <updraft/espota.h>

#define OTA_ESPOTA_RESTART_DELAY_MS 100u /* after the host has its OK */
#define OTA_ESPOTA_BOARD_MAX 47u         /* characters of options.board that are advertised */

struct ota_espota_service_options {
    /* As in ota_espota_options; all pointers are the caller's. */
    enum ota_espota_profile profile;
    const char *password, *sha256_hash, *md5_hash;
    enum ota_espota_login login;
    uint32_t gap_ms, receive_timeout_ms;

    uint16_t port;     /* 0: the profile's */
    const char *board; /* what the board calls itself; NULL: its chip, or "generic" (ESP8266) */
    bool stay;         /* after an update, leave the restart to somebody else */

    /* onStart, onProgress, onEnd, onError of sketches. NULL: nobody wants to know. */
    void (*on_event)(void *context, const struct ota_espota *espota, enum ota_espota_event event);
    void *context;
};

struct ota_espota_service {
    struct ota_service service; /* for the agent's chain */
    struct ota_espota espota;   /* to be read */
    struct ota_datagrams
        *datagrams; /* datagrams->port is where; NULL while it could not be opened */

    /* Private. */
    struct ota_espota_service_options options;
    struct ota_agent *agent;
    struct ota_stream *stream;
    bool has_ended; /* the peer sends no more */
    char board[sizeof "board=" + OTA_ESPOTA_BOARD_MAX];
    const char *txt[6];
};

/* Prepares it. The agent's begin opens the port: OTA_ERR_PORT if it is taken, OTA_ERR_ARGUMENT for
   a platform without datagrams or options that ota_espota_begin refuses. */
void ota_espota_service_init(struct ota_espota_service *service,
                             const struct ota_espota_service_options *options);

#endif
