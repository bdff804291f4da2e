/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_WEB_SERVICE_H
#define UPDRAFT_WEB_SERVICE_H

/*
 * The web server for updates (web_update.h) carried by the agent: listens, serves several
 * connections at once, and has the board restarted a second after the answer.
 *
 *     static struct ota_web_service_connection connections[OTA_WEB_SERVICE_CONNECTIONS];
 *     static struct ota_web_service web;
 *     ota_web_service_init(&web, &(struct ota_web_service_options){
 *         .password = "secret",
 *         .page = ota_update_page, .page_len = ota_update_page_size,
 *         .connections = connections, .connection_count = OTA_WEB_SERVICE_CONNECTIONS});
 *     agent_options.services = &web.service;
 *     agent_options.host_name = "garden";          for discovery: http://garden.local/update
 *
 * Someone who looks at the page, or leaves it open, does not stand in the way of an upload: there
 * is one at a time, and the other connections go on. When all are taken, one that only waits for a
 * further request is closed for who comes, and so is one that for two seconds has not said what it
 * wants: half a head is no request. The longer the queue behind them, the less than two seconds.
 * Who has sent a head keeps the place until the answer is out, and the others wait in the network's
 * queue.
 */

#include <updraft/agent.h>
#include <updraft/web_update.h>

#define OTA_WEB_SERVICE_PORT 80u
#define OTA_WEB_SERVICE_CONNECTIONS 3u         /* is good: an upload, and two for a browser */
#define OTA_WEB_SERVICE_RESTART_DELAY_MS 1000u /* from the answer to the restart */

/* One connection. All of it is private. */
struct ota_web_service_connection {
    struct ota_web_connection web;
    struct ota_stream *stream; /* NULL: free */
    bool has_ended;            /* the peer sends no more */
    bool is_refusal_told;      /* that what came was no request to go by */
    uint16_t ahead;            /* bytes in web.buffer, of a request that came with the one before */
};

struct ota_web_service_options {
    /* As in ota_web_options; all pointers are the caller's. */
    const char *name;
    const char *host_name; /* NULL: the agent's */
    const char *origin, *user, *password;
    const void *page;
    size_t page_len;
    enum ota_web_restart restart;

    uint16_t port; /* 0: OTA_WEB_SERVICE_PORT */
    struct ota_web_service_connection *connections;
    unsigned connection_count; /* at least 1 */
};

struct ota_web_service {
    struct ota_service service;    /* for the agent's chain */
    struct ota_web web;            /* to be read */
    struct ota_listener *listener; /* listener->port is where; NULL while it could not be opened */

    /* Private. */
    struct ota_web_service_options options;
    struct ota_agent *agent;
    const char *txt[2];
    bool is_paused;
    uint8_t pressed; /* how often the patience with who says nothing was halved */
};

/* Prepares it. The agent's begin opens the port: OTA_ERR_PORT if it is taken, OTA_ERR_ARGUMENT for
   a platform without listeners, no connections, or options that ota_web_init refuses. */
void ota_web_service_init(struct ota_web_service *service,
                          const struct ota_web_service_options *options);

#endif
