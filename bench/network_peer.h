/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BENCH_NETWORK_PEER_H
#define BENCH_NETWORK_PEER_H

/*
 * Who is at the other end of the loopback connection: a plain copy to compare with, a browser's
 * upload, and a web server with and without TLS. Sockets that block, as plain as can be. Whatever
 * fails ends the program.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <pthread.h>

#include <openssl/ssl.h>

#include <updraft/crypto.h>

/* Sends `len` bytes over a new connection to a thread that reads them into `to`, both `piece` bytes
   at a time. Returns the seconds from before it connects until the last byte was read. */
double network_copy(const uint8_t *data, size_t len, size_t piece, uint8_t *to);

/* Posts the file as a form to /update at `port`, part "filesystem". Returns after the answer, which
   must be 200. The file is sent `piece` bytes at a time. */
void network_upload(uint16_t port, const uint8_t *file, size_t len, size_t piece);

/* A server that answers one request with the file. */
struct network_server {
    uint16_t port;

    /* Private. */
    int listener;
    SSL_CTX *tls; /* NULL: plain */
    X509 *certificate;
    EVP_PKEY *key;
    const uint8_t *file;
    size_t len, piece;
    uint8_t sha256[OTA_SHA256_SIZE];
    pthread_t thread;
};

/* Makes the server, which sends `piece` bytes at a time; with `secure` it speaks TLS and has a
   certificate of its own making, for 127.0.0.1. */
void network_server_init(struct network_server *server, bool secure, const uint8_t *file,
                         size_t len, size_t piece);
void network_server_free(struct network_server *server);

/* The SHA-256 of its certificate in hexadecimal. */
void network_server_fingerprint(const struct network_server *server,
                                char text[2 * OTA_SHA256_SIZE + 1]);

/* Serves one connection, in a thread; wait for its end. */
void network_server_start(struct network_server *server);
void network_server_wait(struct network_server *server);

#endif
