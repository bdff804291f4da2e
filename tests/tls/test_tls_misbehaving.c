/* SPDX-License-Identifier: Apache-2.0 */
/* Servers that stop, lie, trickle or never end, over TLS: each ends in its own error, within the
   limits set. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tls/online.h"

/* ---- Servers that misbehave ------------------------------------------------------------------ */

/* What the test has s_server say: something at first, then something every now and then, `every_ms`
   0 as often as it is taken. */
struct chatter {
    const char *again;
    size_t again_len;
    int64_t every_ms;
    int64_t next_ms;
    bool has_answered;
};

/* Not before the handshake: what s_server reads earlier it sends to whoever probed its port. */
static void chat(const struct server *server, const char *answer, size_t len,
                 struct chatter *chatter)
{
    if (online.tls.handshakes == 0) {
        return;
    }
    if (!chatter->has_answered) {
        assert_int_equal(write(server->input, answer, len), (ssize_t)len);
        chatter->has_answered = true;
    }
    while (chatter->again != NULL && platform_clock_ms() >= chatter->next_ms) {
        if (write(server->input, chatter->again, chatter->again_len) <= 0) {
            return;
        }
        chatter->next_ms = chatter->every_ms == 0 ? 0 : platform_clock_ms() + chatter->every_ms;
    }
}

/* An update from a server that says this and then chatters. Returns how it ended, which must be
   within `limit_ms`. */
static enum ota_err update_from_liar(const char *answer, size_t len, struct chatter chatter,
                                     int64_t limit_ms)
{
    char url[128];
    struct server server;
    enum ota_err err;

    online_trust("ca_cert.pem", (struct ota_tls_options){0});
    online_serve(&server, "ca", false, NULL, NULL, NULL);
    const struct ota_https_update_options options =
        online_options_for("127.0.0.1", server.port, url);
    const int64_t begun_ms = platform_clock_ms();
    err = ota_https_update_begin(&online.update, &options);
    while (err == OTA_OK && !ota_https_update_is_complete(&online.update)) {
        const uint32_t wait_ms = ota_https_update_wait_ms(&online.update);
        err = ota_https_update_perform(&online.update);
        online.platform.platform.wait(&online.platform.platform, wait_ms < 10 ? wait_ms : 10);
        chat(&server, answer, len, &chatter);
    }
    if (err == OTA_OK) {
        err = ota_https_update_finish(&online.update);
    }
    assert_in_range(platform_clock_ms() - begun_ms, 0, limit_ms);
    server_stop(&server);
    ota_tls_end(&online.tls);
    free(online.certificates);
    online.certificates = NULL;
    assert_int_equal(online.intake.accepted, 0);
    return err;
}

static void lies_and_silences(void **state)
{
    static char answer[ONLINE_FILE_SIZE + 4096];
    static const char head[] = "HTTP/1.1 200 OK\r\nContent-Length: ";
    const struct chatter none = {0};
    size_t len;

    (void)state;
    online_need("openssl");
    /* Stops in the head, and in the body. */
    assert_int_equal(update_from_liar(head, strlen(head), none, ONLINE_HEAD_MS + 2000),
                     OTA_ERR_TIMEOUT);
    len = (size_t)snprintf(answer, sizeof answer, "%s%zu\r\n\r\n", head, online.file_len);
    memcpy(answer + len, online.file, 10000);
    assert_int_equal(
        update_from_liar(answer, len + 10000, none, ONLINE_HEAD_MS + ONLINE_BODY_MS + 2000),
        OTA_ERR_TIMEOUT);
    /* A byte now and then. */
    assert_int_equal(update_from_liar(answer, len + 10000, (struct chatter){"x", 1, 50, 0, false},
                                      ONLINE_HEAD_MS + ONLINE_BODY_MS + 2000),
                     OTA_ERR_TIMEOUT);
    assert_int_equal(update_from_liar("HTTP/1.1 200 OK\r\nx: ", 20,
                                      (struct chatter){"y", 1, 50, 0, false},
                                      ONLINE_HEAD_MS + 2000),
                     OTA_ERR_TIMEOUT);
    /* Says less than comes, so that the image ends early. */
    len = (size_t)snprintf(answer, sizeof answer, "%s%zu\r\n\r\n", head, online.file_len - 100);
    memcpy(answer + len, online.file, online.file_len);
    enum ota_err err = update_from_liar(answer, len + online.file_len, none,
                                        ONLINE_HEAD_MS + ONLINE_BODY_MS + 2000);
    assert_true(err == OTA_ERR_TOO_LARGE || err == OTA_ERR_IMAGE_TRUNCATED);
    /* Never ends: a header line, a body of which nobody said how long it is. */
    assert_int_equal(
        update_from_liar("HTTP/1.1 200 OK\r\nx: ", 20,
                         (struct chatter){"yyyyyyyyyyyyyyyyyyyyyyyyy", 25, 0, 0, false}, 5000),
        OTA_ERR_HTTP_HEADER);
    len = (size_t)snprintf(answer, sizeof answer, "HTTP/1.1 200 OK\r\n\r\n");
    memcpy(answer + len, online.file, online.file_len);
    assert_int_equal(update_from_liar(answer, len + online.file_len,
                                      (struct chatter){answer, 4096, 0, 0, false}, 5000),
                     OTA_ERR_TOO_LARGE);
}

/* What a file says goes out as it is, and then the server ends the connection as it should. */
static enum ota_err update_from_answer(const void *answer, size_t len)
{
    char url[128];
    struct server server;

    scratch_write(&online.scratch, "answer", answer, len);
    online_trust("ca_cert.pem", (struct ota_tls_options){0});
    online_serve(&server, "ca", false, "-HTTP", NULL, NULL);
    const struct ota_https_update_options options =
        online_options_for("127.0.0.1", server.port, url);
    snprintf(url, sizeof url, "https://127.0.0.1:%u/answer", (unsigned)server.port);
    const int64_t begun_ms = platform_clock_ms();
    const enum ota_err err = ota_https_update(&online.update, &options);
    assert_in_range(platform_clock_ms() - begun_ms, 0, ONLINE_HEAD_MS);
    server_stop(&server);
    ota_tls_end(&online.tls);
    free(online.certificates);
    online.certificates = NULL;
    return err;
}

static void lies_about_the_length(void **state)
{
    static const struct {
        const char *head;
        size_t body; /* bytes of the file */
        enum ota_err err;
    } cases[] = {
        {"HTTP/1.0 200 OK\r\nContent-Length: 31000\r\n\r\n", ONLINE_FILE_SIZE, OTA_ERR_INCOMPLETE},
        {"HTTP/1.0 200 OK\r\nContent-Length: 20000\r\n\r\n", ONLINE_FILE_SIZE, OTA_ERR_TOO_LARGE},
        {"HTTP/1.0 200 OK\r\nContent-Length: 99999999999\r\n\r\n", ONLINE_FILE_SIZE,
         OTA_ERR_TOO_LARGE},
        {"HTTP/1.0 200 OK\r\nContent-Length: 4000000000\r\n\r\n", ONLINE_FILE_SIZE,
         OTA_ERR_TOO_LARGE},
        {"HTTP/1.0 200 OK\r\n\r\n", 20000, OTA_ERR_IMAGE_TRUNCATED},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4e20\r\n", 20000,
         OTA_ERR_INCOMPLETE},
        {"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", 0, OTA_ERR_NO_DATA},
        {"HTTP/1.0 200 OK\r\nContent-", 0, OTA_ERR_CONNECTION_LOST},
        {"", 0, OTA_ERR_CONNECTION_LOST},
    };
    static char answer[ONLINE_FILE_SIZE + 4096];

    (void)state;
    online_need("openssl");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const size_t len = strlen(cases[i].head);
        const size_t body = cases[i].body < online.file_len ? cases[i].body : online.file_len;
        memcpy(answer, cases[i].head, len);
        memcpy(answer + len, online.file, body);
        const enum ota_err err = update_from_answer(answer, len + body);
        if (err != cases[i].err) {
            fail_msg("%s: %s", cases[i].head, ota_err_text(err));
        }
        assert_int_equal(online.intake.accepted, 0);
    }
}

static void closes_too_early(void **state)
{
    char answer[12000], url[128];
    struct server server;
    struct chatter chatter = {0};
    enum ota_err err;

    (void)state;
    online_need("openssl");
    online_trust("ca_cert.pem", (struct ota_tls_options){0});
    online_serve(&server, "ca", false, NULL, NULL, NULL);
    const struct ota_https_update_options options =
        online_options_for("127.0.0.1", server.port, url);
    const size_t len = (size_t)snprintf(
        answer, sizeof answer, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", online.file_len);
    memcpy(answer + len, online.file, 10000);
    err = ota_https_update_begin(&online.update, &options);
    while (err == OTA_OK && online.update.received < 9000) {
        err = ota_https_update_perform(&online.update);
        online.platform.platform.wait(&online.platform.platform, 10);
        chat(&server, answer, len + 10000, &chatter);
    }
    assert_int_equal(err, OTA_OK);
    server_stop(&server); /* the connection is cut, without close_notify */
    while (err == OTA_OK && !ota_https_update_is_complete(&online.update)) {
        err = ota_https_update_perform(&online.update);
        online.platform.platform.wait(&online.platform.platform, 10);
    }
    assert_int_equal(err, OTA_ERR_CONNECTION_LOST);
    /* Nobody is there any more. */
    assert_int_equal(online_update_from("127.0.0.1", server.port), OTA_ERR_CONNECT);
}

/* A handshake that comes a byte a time, or not at all. */
static void slow_handshakes(void **state)
{
    static const unsigned byte_ms[] = {20, 1000, 1000000};
    struct server server, relay;

    (void)state;
    online_need("openssl");
    online_trust("ca_cert.pem", (struct ota_tls_options){0});
    online_serve(&server, "ca", true, NULL, NULL, NULL);
    for (size_t i = 0; i < sizeof byte_ms / sizeof *byte_ms; i++) {
        const int64_t begun_ms = platform_clock_ms();
        server_relay(&relay, server.port, byte_ms[i]);
        assert_int_equal(online_update_from("127.0.0.1", relay.port), OTA_ERR_TIMEOUT);
        server_stop(&relay);
        assert_in_range(platform_clock_ms() - begun_ms, ONLINE_HEAD_MS, ONLINE_HEAD_MS + 2000);
    }
    server_stop(&server);
}

static void no_tls_at_all(void **state)
{
    static const char configuration[] =
        "daemon off; master_process off; pid plain.pid;\n"
        "events {}\n"
        "http { access_log off; server { listen 127.0.0.1:%u; } }\n";
    char conf[512];
    struct server server;
    const uint16_t port = servers_free_port();

    (void)state;
    online_need("nginx");
    snprintf(conf, sizeof conf, configuration, (unsigned)port);
    scratch_write(&online.scratch, "plain.conf", conf, strlen(conf));
    online_trust("ca_cert.pem", (struct ota_tls_options){0});
    server_nginx(&server, &online.scratch, "plain.conf", port);
    assert_int_equal(online_update_from("127.0.0.1", port), OTA_ERR_TLS);
    server_stop(&server);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, online_set_up, online_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(lies_and_silences), TEST(lies_about_the_length), TEST(closes_too_early),
        TEST(slow_handshakes),   TEST(no_tls_at_all),
    };

    return cmocka_run_group_tests(tests, online_set_up_group, online_tear_down_group);
}
