/* SPDX-License-Identifier: Apache-2.0 */
/* The server's side of TLS. */

#include "tls/tls_server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mbedtls/ssl.h>
#include <mbedtls/ssl_ticket.h>

#include "tls/certificates.h"

#define TICKET_S 86400u

struct tls_server {
    mbedtls_ssl_config config;
    mbedtls_ssl_ticket_context tickets;
    struct certificate certificate;
};

struct tls_stream {
    struct ota_stream stream; /* first: a cast gets this back */
    struct ota_stream *inner;
    mbedtls_ssl_context ssl;
    enum ota_err inner_err;
};

/* ---- The server ------------------------------------------------------------------------------ */

static void demand(int code)
{
    if (code != 0) {
        fprintf(stderr, "tls server: Mbed TLS says -0x%04x\n", (unsigned)-code);
        abort();
    }
}

struct tls_server *tls_server_new(const char *host)
{
    struct tls_server *server = calloc(1, sizeof *server);
    char subject[128];

    if (server == NULL) {
        abort();
    }
    snprintf(subject, sizeof subject, "CN=%s", host);
    certificate_make(&server->certificate,
                     &(struct certificate_facts){.subject = subject, .is_ca = true});
    mbedtls_ssl_config_init(&server->config);
    mbedtls_ssl_ticket_init(&server->tickets);
    demand(mbedtls_ssl_config_defaults(&server->config, MBEDTLS_SSL_IS_SERVER,
                                       MBEDTLS_SSL_TRANSPORT_STREAM, MBEDTLS_SSL_PRESET_DEFAULT));
    mbedtls_ssl_conf_rng(&server->config, test_random, NULL);
    demand(mbedtls_ssl_ticket_setup(&server->tickets, test_random, NULL, MBEDTLS_CIPHER_AES_256_GCM,
                                    TICKET_S));
    mbedtls_ssl_conf_session_tickets_cb(&server->config, mbedtls_ssl_ticket_write,
                                        mbedtls_ssl_ticket_parse, &server->tickets);
    demand(mbedtls_ssl_conf_own_cert(&server->config, &server->certificate.parsed,
                                     &server->certificate.key));
    return server;
}

void tls_server_free(struct tls_server *server)
{
    if (server != NULL) {
        mbedtls_ssl_config_free(&server->config);
        mbedtls_ssl_ticket_free(&server->tickets);
        certificate_free(&server->certificate);
        free(server);
    }
}

const char *tls_server_certificate(const struct tls_server *server)
{
    return server->certificate.pem;
}

void tls_server_fingerprint(const struct tls_server *server, char text[96])
{
    certificate_fingerprint(&server->certificate, false, text);
}

/* ---- The inner stream, as Mbed TLS sees it --------------------------------------------------- */

static int receive(void *context, unsigned char *data, size_t capacity)
{
    struct tls_stream *stream = context;
    size_t len = 0;
    bool ended = false;

    stream->inner_err = stream->inner->read(stream->inner, data, capacity, &len, &ended);
    if (stream->inner_err != OTA_OK) {
        return MBEDTLS_ERR_SSL_INTERNAL_ERROR;
    }
    return len == 0 && !ended ? MBEDTLS_ERR_SSL_WANT_READ : (int)len;
}

static int transmit(void *context, const unsigned char *data, size_t len)
{
    struct tls_stream *stream = context;
    size_t sent = 0;

    stream->inner_err = stream->inner->write(stream->inner, data, len, &sent);
    if (stream->inner_err != OTA_OK) {
        return MBEDTLS_ERR_SSL_INTERNAL_ERROR;
    }
    return sent == 0 ? MBEDTLS_ERR_SSL_WANT_WRITE : (int)sent;
}

/* ---- The outer one --------------------------------------------------------------------------- */

static bool would_block(int code)
{
    return code == MBEDTLS_ERR_SSL_WANT_READ || code == MBEDTLS_ERR_SSL_WANT_WRITE;
}

static enum ota_err error_of(const struct tls_stream *stream)
{
    return stream->inner_err != OTA_OK ? stream->inner_err : OTA_ERR_TLS;
}

static enum ota_err stream_read(struct ota_stream *base, void *data, size_t capacity, size_t *len,
                                bool *ended)
{
    struct tls_stream *stream = (struct tls_stream *)base;
    int code = mbedtls_ssl_read(&stream->ssl, data, capacity);

    *len = code > 0 ? (size_t)code : 0;
    *ended = code == 0 || code == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY;
    return code > 0 || *ended || would_block(code) ? OTA_OK : error_of(stream);
}

static enum ota_err stream_write(struct ota_stream *base, const void *data, size_t len,
                                 size_t *sent)
{
    struct tls_stream *stream = (struct tls_stream *)base;
    int code = mbedtls_ssl_write(&stream->ssl, data, len);

    *sent = code > 0 ? (size_t)code : 0;
    return code >= 0 || would_block(code) ? OTA_OK : error_of(stream);
}

static void stream_close(struct ota_stream *base)
{
    struct tls_stream *stream = (struct tls_stream *)base;

    if (stream->inner_err == OTA_OK) {
        (void)mbedtls_ssl_close_notify(&stream->ssl);
    }
    mbedtls_ssl_free(&stream->ssl);
    stream->inner->close(stream->inner);
    free(stream);
}

struct ota_stream *tls_server_wrap(struct tls_server *server, struct ota_stream *inner)
{
    struct tls_stream *stream = calloc(1, sizeof *stream);

    if (stream == NULL) {
        abort();
    }
    stream->stream =
        (struct ota_stream){.read = stream_read, .write = stream_write, .close = stream_close};
    stream->inner = inner;
    mbedtls_ssl_init(&stream->ssl);
    demand(mbedtls_ssl_setup(&stream->ssl, &server->config));
    mbedtls_ssl_set_bio(&stream->ssl, stream, transmit, receive, NULL);
    return &stream->stream;
}
