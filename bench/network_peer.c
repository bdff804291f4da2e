/* SPDX-License-Identifier: Apache-2.0 */
#include "network_peer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/sha.h>

#include "rig.h"

#define BOUNDARY "----updraft-bench-7d1f"
#define HEAD_MAX 4096u

static _Noreturn void die(const char *what)
{
    fprintf(stderr, "updraft-bench: %s: %s\n", what, strerror(errno));
    exit(1);
}

/* ---- Sockets --------------------------------------------------------------------------------- */

static int listen_anywhere(uint16_t *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (listener < 0 || bind(listener, (struct sockaddr *)&address, size) != 0 ||
        listen(listener, 1) != 0 ||
        getsockname(listener, (struct sockaddr *)&address, &size) != 0) {
        die("listening");
    }
    *port = ntohs(address.sin_port);
    return listener;
}

static void send_at_once(int connection)
{
    const int on = 1;

    setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

static int connect_to(uint16_t port)
{
    const struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons(port)};
    int connection = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (connection < 0 ||
        connect(connection, (const struct sockaddr *)&address, sizeof address) != 0) {
        die("connecting");
    }
    send_at_once(connection);
    return connection;
}

static int accept_one(int listener)
{
    int connection = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

    if (connection < 0) {
        die("accepting");
    }
    send_at_once(connection);
    return connection;
}

static void send_all(int connection, const void *data, size_t len, size_t piece)
{
    const uint8_t *bytes = data;

    while (len > 0) {
        ssize_t sent = send(connection, bytes, len < piece ? len : piece, MSG_NOSIGNAL);
        if (sent <= 0) {
            die("sending");
        }
        bytes += sent;
        len -= (size_t)sent;
    }
}

/* Reads a head, up to its empty line, and leaves it terminated. */
static void read_head(int connection, SSL *tls, char head[HEAD_MAX])
{
    size_t len = 0;

    do {
        size_t room = HEAD_MAX - 1 - len;
        ssize_t got = tls != NULL ? SSL_read(tls, head + len, (int)room)
                                  : recv(connection, head + len, room, 0);
        if (got <= 0) {
            die("reading a head");
        }
        len += (size_t)got;
        head[len] = '\0';
    } while (strstr(head, "\r\n\r\n") == NULL);
}

/* ---- The copy -------------------------------------------------------------------------------- */

struct receiver {
    int listener;
    size_t len, piece;
    uint8_t *to;
    double ended;
};

static void *receive(void *context)
{
    struct receiver *receiver = context;
    int connection = accept_one(receiver->listener);

    for (size_t at = 0; at < receiver->len;) {
        size_t left = receiver->len - at;
        ssize_t got =
            recv(connection, receiver->to + at, left < receiver->piece ? left : receiver->piece, 0);
        if (got <= 0) {
            die("receiving");
        }
        at += (size_t)got;
    }
    receiver->ended = rig_seconds();
    close(connection);
    return NULL;
}

double network_copy(const uint8_t *data, size_t len, size_t piece, uint8_t *to)
{
    struct receiver receiver = {.len = len, .piece = piece};
    pthread_t thread;
    uint16_t port;

    receiver.listener = listen_anywhere(&port);
    receiver.to = to;
    if (pthread_create(&thread, NULL, receive, &receiver) != 0) {
        die("starting a thread");
    }
    double started = rig_seconds();
    int connection = connect_to(port);
    send_all(connection, data, len, piece);
    pthread_join(thread, NULL);
    close(connection);
    close(receiver.listener);
    return receiver.ended - started;
}

/* ---- The upload ------------------------------------------------------------------------------ */

void network_upload(uint16_t port, const uint8_t *file, size_t len, size_t piece)
{
    static const char before[] =
        "--" BOUNDARY "\r\n"
        "Content-Disposition: form-data; name=\"filesystem\"; filename=\"data.bin\"\r\n"
        "Content-Type: application/octet-stream\r\n\r\n";
    static const char after[] = "\r\n--" BOUNDARY "--\r\n";
    char head[HEAD_MAX];
    int connection = connect_to(port);
    int head_len = snprintf(head, sizeof head,
                            "POST /update HTTP/1.1\r\nHost: 127.0.0.1:%u\r\n"
                            "Content-Type: multipart/form-data; boundary=" BOUNDARY "\r\n"
                            "Content-Length: %zu\r\n\r\n%s",
                            (unsigned)port, sizeof before - 1 + len + sizeof after - 1, before);

    send_all(connection, head, (size_t)head_len, (size_t)head_len);
    send_all(connection, file, len, piece);
    send_all(connection, after, sizeof after - 1, sizeof after);
    read_head(connection, NULL, head);
    if (strncmp(head, "HTTP/1.1 200 ", 13) != 0) {
        fprintf(stderr, "updraft-bench: the upload was answered with: %s\n", head);
        exit(1);
    }
    close(connection);
}

/* ---- The server ------------------------------------------------------------------------------ */

static void make_certificate(struct network_server *server)
{
    X509_NAME *name;

    server->key = EVP_EC_gen("P-256");
    server->certificate = X509_new();
    if (server->key == NULL || server->certificate == NULL) {
        die("making a key");
    }
    ASN1_INTEGER_set(X509_get_serialNumber(server->certificate), 1);
    X509_gmtime_adj(X509_getm_notBefore(server->certificate), -86400);
    X509_gmtime_adj(X509_getm_notAfter(server->certificate), 86400);
    X509_set_pubkey(server->certificate, server->key);
    name = X509_get_subject_name(server->certificate);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"127.0.0.1", -1, -1,
                               0);
    X509_set_issuer_name(server->certificate, name);
    if (X509_sign(server->certificate, server->key, EVP_sha256()) == 0) {
        die("signing a certificate");
    }
}

void network_server_init(struct network_server *server, bool secure, const uint8_t *file,
                         size_t len, size_t piece)
{
    memset(server, 0, sizeof *server);
    server->file = file;
    server->len = len;
    server->piece = piece;
    SHA256(file, len, server->sha256);
    server->listener = listen_anywhere(&server->port);
    if (!secure) {
        return;
    }
    make_certificate(server);
    server->tls = SSL_CTX_new(TLS_server_method());
    if (server->tls == NULL || SSL_CTX_use_certificate(server->tls, server->certificate) != 1 ||
        SSL_CTX_use_PrivateKey(server->tls, server->key) != 1) {
        die("preparing TLS");
    }
}

void network_server_free(struct network_server *server)
{
    close(server->listener);
    SSL_CTX_free(server->tls);
    X509_free(server->certificate);
    EVP_PKEY_free(server->key);
}

static void put_hex(char *text, const uint8_t digest[OTA_SHA256_SIZE])
{
    for (size_t i = 0; i < OTA_SHA256_SIZE; i++) {
        snprintf(text + 2 * i, 3, "%02x", digest[i]);
    }
}

void network_server_fingerprint(const struct network_server *server,
                                char text[2 * OTA_SHA256_SIZE + 1])
{
    uint8_t digest[OTA_SHA256_SIZE];

    X509_digest(server->certificate, EVP_sha256(), digest, NULL);
    put_hex(text, digest);
}

static void send_secured(SSL *tls, const void *data, size_t len, size_t piece)
{
    const uint8_t *bytes = data;

    while (len > 0) {
        int sent = SSL_write(tls, bytes, (int)(len < piece ? len : piece));
        if (sent <= 0) {
            die("sending by TLS");
        }
        bytes += sent;
        len -= (size_t)sent;
    }
}

static void answer(const struct network_server *server, int connection, SSL *tls)
{
    char head[HEAD_MAX];
    char digest[2 * OTA_SHA256_SIZE + 1];

    read_head(connection, tls, head);
    put_hex(digest, server->sha256);
    int len = snprintf(head, sizeof head,
                       "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n"
                       "Content-Length: %zu\r\nx-SHA256: %s\r\n\r\n",
                       server->len, digest);
    if (tls != NULL) {
        send_secured(tls, head, (size_t)len, (size_t)len);
        send_secured(tls, server->file, server->len, server->piece);
    } else {
        send_all(connection, head, (size_t)len, (size_t)len);
        send_all(connection, server->file, server->len, server->piece);
    }
}

static void *serve(void *context)
{
    struct network_server *server = context;
    int connection = accept_one(server->listener);
    SSL *tls = NULL;

    if (server->tls != NULL) {
        tls = SSL_new(server->tls);
        if (tls == NULL || SSL_set_fd(tls, connection) != 1 || SSL_accept(tls) != 1) {
            die("accepting TLS");
        }
    }
    answer(server, connection, tls);
    SSL_free(tls);
    close(connection);
    return NULL;
}

void network_server_start(struct network_server *server)
{
    if (pthread_create(&server->thread, NULL, serve, server) != 0) {
        die("starting a thread");
    }
}

void network_server_wait(struct network_server *server)
{
    pthread_join(server->thread, NULL);
}
