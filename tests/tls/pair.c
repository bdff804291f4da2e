/* SPDX-License-Identifier: Apache-2.0 */
/* A client and a server joined by memory. */

#include "tls/pair.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/images.h"

struct certificate pair_ca, pair_server_certificate, pair_self_signed;

/* ---- The queues ------------------------------------------------------------------------------ */

static size_t queue_put(struct pair_queue *queue, const void *data, size_t len)
{
    len = queue->piece != 0 && queue->piece < len ? queue->piece : len;
    assert_true(queue->sent + len <= sizeof queue->bytes);
    memcpy(queue->bytes + queue->sent, data, len);
    queue->sent += len;
    return len;
}

static size_t queue_take(struct pair_queue *queue, void *data, size_t len)
{
    size_t most = queue->sent - queue->taken;

    if (queue->hold != 0 && !queue->held && queue->taken + most >= queue->hold) {
        most = queue->hold > queue->taken ? queue->hold - queue->taken : 0;
        queue->held = most == 0;
    }
    if (queue->cut != 0 && queue->sent > queue->cut) {
        queue->sent = queue->cut;
        queue->ended = true;
        most = queue->sent - queue->taken;
    }
    len = most < len ? most : len;
    len = queue->piece != 0 && queue->piece < len ? queue->piece : len;
    memcpy(data, queue->bytes + queue->taken, len);
    if (queue->damage > queue->taken && queue->damage <= queue->taken + len) {
        ((unsigned char *)data)[queue->damage - 1 - queue->taken] ^= 4;
    }
    queue->taken += len;
    return len;
}

static void queue_empty(struct pair_queue *queue)
{
    queue->sent = 0;
    queue->taken = 0;
    queue->ended = false;
    queue->held = false;
}

/* ---- The platform ---------------------------------------------------------------------------- */

static struct pair *pair_of(struct ota_stream *inner)
{
    return (struct pair *)(void *)((char *)inner - offsetof(struct pair, inner));
}

static enum ota_err inner_read(struct ota_stream *inner, void *data, size_t capacity, size_t *len,
                               bool *ended)
{
    struct pair *pair = pair_of(inner);
    struct pair_queue *queue = &pair->to_client;

    assert_false(pair->inner_closed);
    *len = queue_take(queue, data, capacity);
    *ended = queue->ended && queue->taken == queue->sent;
    return *len == 0 ? pair->read_error : OTA_OK;
}

static enum ota_err inner_write(struct ota_stream *inner, const void *data, size_t len,
                                size_t *sent)
{
    struct pair *pair = pair_of(inner);

    assert_false(pair->inner_closed);
    *sent = 0;
    if (pair->write_error != OTA_OK) {
        return pair->write_error;
    }
    pair->to_server.stutter = pair->to_server.stutters && !pair->to_server.stutter;
    if (!pair->to_server.stutter) {
        *sent = queue_put(&pair->to_server, data, len);
    }
    return OTA_OK;
}

static void inner_close(struct ota_stream *inner)
{
    struct pair *pair = pair_of(inner);

    assert_false(pair->inner_closed);
    pair->inner_closed = true;
    pair->to_server.ended = true;
}

static uint32_t now_ms(struct ota_platform *platform)
{
    return ((struct pair *)platform)->now_ms;
}

static enum ota_err random_bytes(struct ota_platform *platform, void *data, size_t len)
{
    test_random(NULL, data, len);
    return ((struct pair *)platform)->random_error;
}

static bool unix_time(struct ota_platform *platform, int64_t *seconds)
{
    *seconds = ((struct pair *)platform)->unix_time;
    return *seconds != 0;
}

static void log_line(struct ota_platform *platform, enum ota_log_level level, const char *tag,
                     const char *text)
{
    struct pair *pair = (struct pair *)platform;
    size_t len = strlen(pair->log);

    snprintf(pair->log + len, sizeof pair->log - len, "%c %s: %s\n", "EWID"[level], tag, text);
}

void pair_assert_logged(const struct pair *pair, const char *text)
{
    if (strstr(pair->log, text) == NULL) {
        print_message("%s", pair->log);
        fail_msg("no line has \"%s\"", text);
    }
}

/* ---- The server ------------------------------------------------------------------------------ */

static int server_receive(void *context, unsigned char *data, size_t capacity)
{
    struct pair_queue *queue = &((struct pair *)context)->to_server;
    size_t len = queue_take(queue, data, capacity);

    if (len == 0) {
        return queue->ended ? 0 : MBEDTLS_ERR_SSL_WANT_READ;
    }
    return (int)len;
}

static int server_send(void *context, const unsigned char *data, size_t len)
{
    struct pair *pair = context;

    return (int)queue_put(&pair->to_client, data, len);
}

static int on_server_name(void *context, mbedtls_ssl_context *ssl, const unsigned char *name,
                          size_t len)
{
    struct pair *pair = context;

    (void)ssl;
    snprintf(pair->server_name, sizeof pair->server_name, "%.*s", (int)len, (const char *)name);
    return 0;
}

void pair_serve(struct pair *pair, struct certificate *certificate)
{
    mbedtls_ssl_config *config = &pair->server_config;

    if (pair->server_ready) {
        mbedtls_ssl_config_free(config);
        mbedtls_ssl_cache_free(&pair->cache);
        mbedtls_ssl_ticket_free(&pair->ticket);
    }
    mbedtls_ssl_config_init(config);
    mbedtls_ssl_cache_init(&pair->cache);
    mbedtls_ssl_ticket_init(&pair->ticket);
    pair->server_ready = true;
    assert_int_equal(mbedtls_ssl_config_defaults(config, MBEDTLS_SSL_IS_SERVER,
                                                 MBEDTLS_SSL_TRANSPORT_STREAM,
                                                 MBEDTLS_SSL_PRESET_DEFAULT),
                     0);
    mbedtls_ssl_conf_rng(config, test_random, NULL);
    mbedtls_ssl_conf_sni(config, on_server_name, pair);
    mbedtls_ssl_conf_session_cache(config, &pair->cache, mbedtls_ssl_cache_get,
                                   mbedtls_ssl_cache_set);
    assert_int_equal(mbedtls_ssl_conf_own_cert(config, &certificate->parsed, &certificate->key), 0);
}

/* Does what the server can do now: shake hands, read `*left` bytes, answer, close. */
static void server_step(struct pair *pair, size_t len, size_t *got, size_t answer_len,
                        size_t *answered)
{
    unsigned char data[4096];

    if (pair->server_err != 0) {
        return;
    }
    if (!pair->server_shakes) {
        int code = mbedtls_ssl_handshake(&pair->server);
        if (code == MBEDTLS_ERR_SSL_WANT_READ || code == MBEDTLS_ERR_SSL_WANT_WRITE) {
            return;
        }
        pair->server_err = code;
        pair->server_shakes = code == 0;
        return;
    }
    if (*got < len) {
        int code = mbedtls_ssl_read(&pair->server, data, sizeof data);
        if (code > 0) {
            for (int i = 0; i < code; i++) {
                assert_int_equal(data[i], (unsigned char)noise(1, *got + (size_t)i));
            }
            *got += (size_t)code;
        } else if (code != MBEDTLS_ERR_SSL_WANT_READ) {
            pair->server_err = code;
        }
        return;
    }
    while (*answered < answer_len) {
        size_t n = answer_len - *answered < sizeof data ? answer_len - *answered : sizeof data;
        for (size_t i = 0; i < n; i++) {
            data[i] = (unsigned char)noise(2, *answered + i);
        }
        int code = mbedtls_ssl_write(&pair->server, data, n);
        assert_true(code > 0);
        *answered += (size_t)code;
    }
    if (!pair->to_client.ended) {
        assert_int_equal(mbedtls_ssl_close_notify(&pair->server), 0);
        pair->to_client.ended = true;
    }
}

/* ---- The client ------------------------------------------------------------------------------ */

static void client_turn(const struct pair *pair, bool enters)
{
    if (pair->on_client != NULL) {
        pair->on_client(enters);
    }
}

void pair_begin(struct pair *pair, const struct ota_tls_options *options)
{
    client_turn(pair, true);
    assert_int_equal(ota_tls_begin(&pair->tls, options), OTA_OK);
    client_turn(pair, false);
}

enum ota_err pair_wrap(struct pair *pair, const char *host, const char *ca_pem)
{
    struct ota_secure *secure = &pair->tls.secure;
    enum ota_err err;

    client_turn(pair, true);
    err = secure->wrap(secure, &pair->platform, host, ca_pem, &pair->inner, &pair->client);
    client_turn(pair, false);
    return err;
}

void pair_ready(struct pair *pair)
{
    queue_empty(&pair->to_client);
    queue_empty(&pair->to_server);
    pair->inner_closed = false;
    pair->client_err = OTA_OK;
    pair->client_ended = false;
    pair->server_shakes = false;
    pair->server_err = 0;
    pair->server_name[0] = '\0';
    mbedtls_ssl_init(&pair->server);
    assert_int_equal(mbedtls_ssl_setup(&pair->server, &pair->server_config), 0);
    mbedtls_ssl_set_bio(&pair->server, pair, server_send, server_receive, NULL);
    pair->server_open = true;
}

void pair_connect(struct pair *pair, const char *host, const char *ca_pem)
{
    pair_ready(pair);
    assert_int_equal(pair_wrap(pair, host, ca_pem), OTA_OK);
}

void pair_disconnect(struct pair *pair)
{
    if (pair->client != NULL) {
        client_turn(pair, true);
        pair->client->close(pair->client);
        client_turn(pair, false);
        pair->client = NULL;
        assert_true(pair->inner_closed);
    }
    if (pair->server_open) {
        mbedtls_ssl_free(&pair->server);
        pair->server_open = false;
    }
}

static enum ota_err client_step(struct pair *pair, size_t len, size_t *sent, size_t *got)
{
    unsigned char data[3000];
    size_t n = 0;
    enum ota_err err = OTA_OK;

    if (*sent < len) {
        size_t most = len - *sent < sizeof data ? len - *sent : sizeof data;
        for (size_t i = 0; i < most; i++) {
            data[i] = (unsigned char)noise(1, *sent + i);
        }
        client_turn(pair, true);
        err = pair->client->write(pair->client, data, most, &n);
        client_turn(pair, false);
        *sent += n;
    }
    if (err == OTA_OK) {
        client_turn(pair, true);
        err = pair->client->read(pair->client, data, sizeof data, &n, &pair->client_ended);
        client_turn(pair, false);
    }
    for (size_t i = 0; err == OTA_OK && i < n; i++) {
        assert_int_equal(data[i], (unsigned char)noise(2, *got + i));
    }
    *got += err == OTA_OK ? n : 0;
    return err;
}

enum ota_err pair_talk(struct pair *pair, size_t len, size_t answer_len)
{
    size_t sent = 0, got = 0, received = 0, answered = 0;

    for (unsigned i = 0; i < 1000000; i++) {
        enum ota_err err = client_step(pair, len, &sent, &received);
        if (err != OTA_OK) {
            /* It stays. */
            assert_int_equal(client_step(pair, len, &sent, &received), err);
            return err;
        }
        if (pair->client_ended) {
            assert_int_equal(received, answer_len);
            assert_int_equal(got, len);
            return OTA_OK;
        }
        server_step(pair, len, &got, answer_len, &answered);
    }
    fail_msg("the talk has no end");
    return OTA_OK;
}

/* ---- Set-up ---------------------------------------------------------------------------------- */

int pair_set_up_group(void **state)
{
    (void)state;
    certificate_make(&pair_ca, &(struct certificate_facts){.subject = "CN=Test CA", .is_ca = true});
    certificate_make(&pair_server_certificate, &(struct certificate_facts){
                                                   .subject = "CN=ignored.test",
                                                   .issuer = &pair_ca,
                                                   .dns_name = "server.test",
                                               });
    certificate_make(&pair_self_signed,
                     &(struct certificate_facts){.subject = "CN=server.test", .is_ca = true});
    return 0;
}

int pair_tear_down_group(void **state)
{
    (void)state;
    certificate_free(&pair_ca);
    certificate_free(&pair_server_certificate);
    certificate_free(&pair_self_signed);
    return 0;
}

int pair_set_up(void **state)
{
    struct pair *pair = calloc(1, sizeof *pair);

    assert_non_null(pair);
    pair->platform = (struct ota_platform){
        .now_ms = now_ms,
        .random = random_bytes,
        .unix_time = unix_time,
        .log = log_line,
    };
    pair->inner = (struct ota_stream){
        .read = inner_read,
        .write = inner_write,
        .close = inner_close,
    };
    pair->unix_time = 1700000000; /* 2023 */
    pair_serve(pair, &pair_server_certificate);
    *state = pair;
    return 0;
}

int pair_tear_down(void **state)
{
    struct pair *pair = *state;

    pair_disconnect(pair);
    ota_tls_end(&pair->tls);
    assert_int_equal(pair->tls.open_streams, 0);
    mbedtls_ssl_config_free(&pair->server_config);
    mbedtls_ssl_cache_free(&pair->cache);
    mbedtls_ssl_ticket_free(&pair->ticket);
    free(pair);
    return 0;
}
