/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_SERVER_SERVER_H
#define UPDRAFT_SERVER_SERVER_H

/*
 * The update server: the images of a folder over HTTP. It answers the pull protocols, plain ranged
 * downloads, a person with a browser and programs that want a list.
 *
 *     struct server_options options = {
 *         .folder = "images", .address = "0.0.0.0", .port = 8266, .crypto = &ota_crypto_psa,
 *     };
 *     char why[256];
 *     struct server *server = server_start(&options, why, sizeof why);
 *     ... until a signal comes ...
 *     server_stop(server, 5000);
 *
 * Everything of one server hangs on its struct; a process may run several. Threads of its own do
 * the work and call back; the callbacks must not call server_stop.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <updraft/crypto.h>

#include "server/catalog.h"

struct server;

/* A request that has been answered, or not to its end. Texts come from the network as they are: who
   prints them escapes them. */
struct server_request {
    char peer[64]; /* address, without the port */
    char method[16];
    char path[256];    /* decoded, cut if longer */
    char platform[16]; /* "esp8266" ...; empty: not a device that asks for an update */
    char device[32];   /* its MAC */
    char mode[16];
    char version[64]; /* that it runs; empty: not said */
    unsigned status;
    char image[256];  /* file that was sent, or decided upon; empty: none */
    char reason[256]; /* the decision in words; empty: nothing was to be decided */
    uint64_t first;   /* byte of the file that the answer began with */
    uint64_t length;  /* of the answer's body */
    bool complete;    /* sent to the last byte */
    bool compressed;  /* on its way */
    unsigned duration_ms;
};

struct server_options {
    const char *folder;
    const char *address; /* numeric; NULL: 0.0.0.0 */
    uint16_t port;       /* 0: any free one */
    const struct ota_crypto *crypto;

    unsigned threads;         /* 0: as many as processors, at least 2, at most 16 */
    unsigned connections_max; /* 0: 10000, or what the limit of open files allows */
    unsigned timeout_s;       /* for a silent peer, and for a request to be whole; 0: 30 */
    unsigned settle_ms;       /* see struct catalog_options */
    bool plain_only; /* compress nothing; without it, compressed images are kept in the folder, see
                        packed.h */

    /* Called after each request, by any of the server's threads but never by two at once. NULL if
       not wanted. */
    void (*on_request)(void *context, const struct server_request *request);
    /* Called for each file that comes or goes, see struct catalog_options. */
    void (*on_change)(void *context, enum catalog_change change, const struct catalog_image *image);
    /* Called for each file that is not offered, likewise. */
    void (*on_skipped)(void *context, const char *name, const char *reason);
    /* Called by a thread of its own, see struct packer_options. */
    void (*on_packed)(void *context, const struct catalog_image *image, const char *problem);
    void *context; /* for all */
};

/* Starts to serve. Returns NULL after writing one line of why to `why`. */
struct server *server_start(const struct server_options *options, char *why, size_t why_size);

/* Takes no more connections, gives the answers under way up to `grace_ms` to end, and frees the
   server. */
void server_stop(struct server *server, unsigned grace_ms);

/* Returns the port that is listened on. */
uint16_t server_port(const struct server *server);

/* Returns "http://ADDRESS:PORT" for other machines: if the server listens everywhere, with an
   address of the local network where this machine has one. Lives as long as the server. */
const char *server_url(const struct server *server);

/* The images being served. */
struct catalog *server_catalog(struct server *server);

#endif
