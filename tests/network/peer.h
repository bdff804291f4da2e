/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NETWORK_PEER_H
#define NETWORK_PEER_H

/*
 * Who talks to the board: one object for each push, or for a web server that is asked. All of them
 * work over any struct ota_platform and never wait.
 *
 *     struct peer peer = {.platform = platform, .address = board, .image = &image};
 *     peer_begin(&peer, &peer_espota);
 *     while (!peer.is_over) { … wait_ms = peer_poll(&peer) … }
 *     peer_end(&peer);
 */

#include <updraft/esphome_host.h>
#include <updraft/espota_host.h>

#include "network/board.h"
#include "tls/tls_server.h"

#define PEER_SAID_MAX 2048u
#define PEER_CONNECTIONS 6u

struct peer;

struct peer_kind {
    const char *name;
    enum ota_err (*begin)(struct peer *peer, uint32_t now_ms);
    uint32_t (*poll)(struct peer *peer, uint32_t now_ms);
    void (*end)(struct peer *peer);
};

struct peer_espota_state {
    struct ota_espota_host host;
    struct ota_espota_host_options options;
    struct ota_datagrams *datagrams;
    struct ota_listener *listener;
    struct ota_stream *stream;
};

struct peer_esphome_state {
    struct ota_esphome_host host;
    struct ota_esphome_host_options options;
    struct ota_stream *stream;
};

struct peer_upload_state {
    struct ota_stream *stream;
    char head[512], tail[64];
    uint32_t head_len, tail_len, sent, stirred_ms;
    bool is_starting; /* ElegantOTA's first request is out, or goes out */
    bool cannot_send;
};

struct peer_served {
    struct ota_stream *stream;
    char request[2048];
    uint32_t request_len;
    char head[512];
    uint32_t head_len, sent;
    uint32_t from, to; /* of the file */
    bool is_answering;
    bool keeps; /* the connection, for the next request */
    uint32_t stirred_ms;
};

struct peer_server_state {
    struct ota_listener *listener;
    struct peer_served served[PEER_CONNECTIONS];
};

struct peer {
    /* The caller's part. */
    struct ota_platform *platform;
    struct ota_address address; /* of the board, with the port; of a server the port is its own */
    const struct board_image *image;
    const char *password;
    struct tls_server *tls; /* of a server; NULL: it speaks http */

    /* To be read. */
    const struct peer_kind *kind;
    bool is_over;
    bool is_accepted;         /* it was told that all went well */
    bool was_busy;            /* or that another one is at it */
    char said[PEER_SAID_MAX]; /* what it was told */
    uint32_t said_len;
    unsigned requests;     /* of a server: for the image, */
    uint32_t first_offset; /* the first and */
    uint32_t last_offset;  /* the last from here on, */
    uint64_t bytes;        /* and how much of it went out in all */

    union {
        struct peer_espota_state espota;
        struct peer_esphome_state esphome;
        struct peer_upload_state upload;
        struct peer_server_state server;
    } as;
};

extern const struct peer_kind peer_espota, peer_esphome, peer_form, peer_raw, peer_elegant,
    peer_server;

/* Begins; what could not be begun is over. */
void peer_begin(struct peer *peer, const struct peer_kind *kind);

/* Does what can be done now; returns after how many milliseconds it wants to be called again. */
uint32_t peer_poll(struct peer *peer);

/* Closes what is open. */
void peer_end(struct peer *peer);

/* For the kinds: the image as the machines read it, and numbers for their proofs. `context` is
   the peer. */
enum ota_err peer_read_image(void *context, uint32_t offset, void *data, size_t len);
enum ota_err peer_random(void *context, void *data, size_t len);

/* Carries bytes between a machine and a stream as far as it goes. */
struct peer_pump {
    void *machine;
    size_t (*output)(void *machine, void *buffer, size_t capacity);
    void (*sent)(void *machine, size_t len);
    void (*input)(void *machine, const void *data, size_t len);
    void (*closed)(void *machine, enum ota_err why);
    bool (*is_over)(const void *machine);
};
void peer_carry(const struct peer_pump *pump, struct ota_stream *stream);

#endif
