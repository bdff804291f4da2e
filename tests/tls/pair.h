/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TLS_PAIR_H
#define TLS_PAIR_H

/*
 * The wrapper and a TLS server of Mbed TLS's own, joined by memory in place of a network: what each
 * sends lies in a queue until the other takes it, in pieces as small as the test wants. The clock
 * moves only when the test says so.
 */

#include <mbedtls/ssl.h>
#include <mbedtls/ssl_cache.h>
#include <mbedtls/ssl_ticket.h>

#include <updraft/tls.h>

#include "tls/certificates.h"

#define PAIR_QUEUE 262144u

/* Bytes on their way in one direction. */
struct pair_queue {
    unsigned char bytes[PAIR_QUEUE];
    size_t sent, taken;
    size_t piece; /* most bytes that one call moves; 0: any number */
    size_t hold;  /* bytes after which the first look finds nothing; 0: never */
    bool held;
    size_t damage; /* the number of a byte, from 1, of which a bit is turned; 0: none */
    size_t cut;    /* bytes after which the connection is gone; 0: never */
    bool stutters; /* takes nothing every other time */
    bool stutter;
    bool ended; /* the sender has closed */
};

struct pair {
    struct ota_platform platform; /* first: a cast gets the pair back */
    struct ota_stream inner;
    struct pair_queue to_server, to_client;
    enum ota_err read_error, write_error, random_error; /* OTA_OK: none */
    uint32_t now_ms;
    int64_t unix_time; /* 0: not known */
    char log[2048];
    bool inner_closed;
    void (*on_client)(bool enters); /* around what the client does; NULL: nobody wants to know */

    struct ota_tls tls;
    struct ota_stream *client; /* what tests read and write */
    enum ota_err client_err;
    bool client_ended;

    mbedtls_ssl_context server;
    mbedtls_ssl_config server_config;
    mbedtls_ssl_cache_context cache;
    mbedtls_ssl_ticket_context ticket;
    bool server_ready, server_open;
    bool server_shakes;    /* its handshake is over */
    char server_name[128]; /* that the client has sent */
    int server_err;
};

extern struct certificate pair_ca, pair_server_certificate, pair_self_signed;

/* Set-up and tear-down functions for cmocka: a pair whose server has a certificate for
   "server.test" signed by pair_ca; the client trusts nobody yet. For a group: the certificates. */
int pair_set_up_group(void **state);
int pair_tear_down_group(void **state);
int pair_set_up(void **state);
int pair_tear_down(void **state);

/* Begins the wrapper (once a test), and a connection to `host` with its queues empty. */
void pair_begin(struct pair *pair, const struct ota_tls_options *options);
void pair_connect(struct pair *pair, const char *host, const char *ca_pem);
void pair_disconnect(struct pair *pair);

/* The two halves of pair_connect: a fresh server and empty queues; and the client, which may
   fail. */
void pair_ready(struct pair *pair);
enum ota_err pair_wrap(struct pair *pair, const char *host, const char *ca_pem);

/* Gives the server this certificate from the next connection on. */
void pair_serve(struct pair *pair, struct certificate *certificate);

/* Runs both sides until `len` bytes of noise have gone to the server and `answer_len` back, and the
   server has closed; or until the client fails. Returns the client's error. */
enum ota_err pair_talk(struct pair *pair, size_t len, size_t answer_len);

/* The log has this in it. */
void pair_assert_logged(const struct pair *pair, const char *text);

#endif
