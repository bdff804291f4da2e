/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_ESPHOME_SERVICE_H
#define UPDRAFT_ESPHOME_SERVICE_H

/*
 * The ESPHome update port (esphome.h) carried by the agent: listens, takes an image from one host
 * at a time, and has the board restarted.
 *
 *     static struct ota_esphome_service esphome;
 *     ota_esphome_service_init(&esphome, &(struct ota_esphome_service_options){
 *         .password = "secret"});
 *     agent_options.services = &esphome.service;
 *
 * Two hosts may be connected; which of them updates is settled at the intake, and the other one is
 * told that the device cannot prepare (81). A third is told so at once, but a client that has not
 * begun to update and has said nothing for a second makes room for it, and is told: silent clients
 * block nobody. While a restart is due everybody is told so in place of the features, and so is who
 * has not begun when the service ends. The device's log names each host that is refused.
 *
 * It is not advertised: ESPHome's own devices advertise the port of another protocol.
 */

#include <updraft/agent.h>
#include <updraft/esphome.h>

#define OTA_ESPHOME_CLIENTS 2u
#define OTA_ESPHOME_SILENCE_MS 1000u      /* after which a client yields to the next one */
#define OTA_ESPHOME_RESTART_DELAY_MS 100u /* after the host has gone */

struct ota_esphome_service_options {
    uint16_t port;                    /* 0: the profile's */
    enum ota_esphome_profile profile; /* these four as in ota_esphome_options */
    uint8_t version;
    const char *password; /* the caller's */
    bool refuse_md5;
};

/* A host that is connected. Private. */
struct ota_esphome_client {
    struct ota_stream *stream; /* NULL: nobody */
    struct ota_address from;
    uint32_t heard_ms; /* when it came, or last said something */
    bool has_greeted;
    struct ota_esphome esphome;
};

struct ota_esphome_service {
    struct ota_service service;    /* for the agent's chain */
    struct ota_listener *listener; /* listener->port is where; NULL while it could not be opened */

    /* Private. */
    struct ota_esphome_service_options options;
    struct ota_esphome_options protocol;
    struct ota_esphome_guesses guesses;
    struct ota_agent *agent;
    uint32_t now_ms;
    bool is_paused;
    struct ota_esphome_client clients[OTA_ESPHOME_CLIENTS];
};

/* Prepares it. The agent's begin opens the port: OTA_ERR_PORT if it is taken, OTA_ERR_ARGUMENT for
   a platform that cannot listen or a version that does not exist. */
void ota_esphome_service_init(struct ota_esphome_service *service,
                              const struct ota_esphome_service_options *options);

#endif
