/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Updates over TLS from servers of other make: `openssl s_server -WWW` with certificates as its users make
 * them, and nginx. What goes wrong ends in its own error, within the limits set.
 */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <updraft/agent.h>
#include <updraft/http_fetch.h>
#include <updraft/https_update.h>
#include <updraft/tls.h>

#include "posix/platform.h"
#include "posix/tls_store.h"
#include "proto/ram_device.h"
#include "support/images.h"
#include "tls/servers.h"

#define FILE_SIZE 30000u
#define HEAD_MS 1500u
#define BODY_MS 800u
#define BODY_LEAST 500u

static struct scratch scratch;
static struct posix_platform platform;
static struct ram_device ram;
static struct ota_intake intake;
static struct ota_tls tls;
static struct ota_https_update update;
static uint8_t buffer[4096], *file;
static size_t file_len;
static char text[2048];
static char *certificates;

/* ---- Set-up ----------------------------------------------------------------------------------- */

/* As in the documentation that people copy from: openssl req -x509, the address as common name. */
static const char make_certificates[] =
    "openssl req -x509 -newkey rsa:2048 -keyout ca_key.pem -out ca_cert.pem -days 365 -nodes"
    " -subj /CN=127.0.0.1 && "
    "openssl req -x509 -newkey rsa:2048 -keyout other_key.pem -out other_cert.pem -days 365 -nodes"
    " -subj /CN=elsewhere.example && "
    "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -keyout ec_key.pem"
    " -out ec_cert.pem -days 365 -nodes -subj /CN=x -addext"
    " subjectAltName=IP:127.0.0.1,DNS:localhost && "
    "openssl req -newkey rsa:2048 -nodes -keyout old_key.pem -out old.csr -subj /CN=127.0.0.1 && "
    "openssl x509 -req -in old.csr -signkey old_key.pem -days -1 -out old_cert.pem && "
    "openssl x509 -in ca_cert.pem -noout -fingerprint -sha256 | sed 's/.*=//' >sha256.txt && "
    "openssl x509 -in ca_cert.pem -noout -fingerprint -sha1 | sed 's/.*=//' >sha1.txt";

static int set_up_group(void **state)
{
    (void)state;
    if (!servers_have("openssl")) {
        return 0;
    }
    scratch_make(&scratch);
    servers_run(&scratch, make_certificates);
    file = malloc(FILE_SIZE + 64);
    assert_non_null(file);
    file_len = image_make(
        file, FILE_SIZE + 64,
        &(struct image_facts){.chip = OTA_CHIP_ESP32S3, .size = FILE_SIZE, .version = "1.1.0"});
    scratch_write(&scratch, "app.bin", file, file_len);
    return 0;
}

static int tear_down_group(void **state)
{
    (void)state;
    if (file != NULL) {
        scratch_remove(&scratch);
    }
    free(file);
    return 0;
}

static int set_up(void **state)
{
    (void)state;
    platform_init(&platform);
    ram_device_make(&ram);
    assert_int_equal(ota_intake_init(&intake,
                                     &(struct ota_intake_options){
                                         .device = &ram.device,
                                         .buffer = buffer,
                                         .buffer_size = sizeof buffer,
                                     }),
                     OTA_OK);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    ota_tls_end(&tls);
    assert_int_equal(tls.open_streams, 0);
    memset(&tls, 0, sizeof tls);
    platform_close(&platform);
    free(certificates);
    certificates = NULL;
    return 0;
}

/* Trusts what is in this file of the folder; NULL: nothing. */
static void trust(const char *name, struct ota_tls_options options)
{
    if (name != NULL) {
        certificates = tls_store_load(scratch_path(&scratch, name));
        assert_non_null(certificates);
        options.ca_pem = certificates;
    }
    assert_int_equal(ota_tls_begin(&tls, &options), OTA_OK);
}

/* Starts s_server with these certificates, serving the folder's files, or what the test writes to it. */
static void serve(struct server *server, const char *name, bool files, const char *more,
                  const char *more_2, const char *more_3)
{
    char cert[64], key[64];
    const char *arguments[16] = {"-cert", cert, "-key", key};
    size_t count = 4;

    snprintf(cert, sizeof cert, "%s_cert.pem", name);
    snprintf(key, sizeof key, "%s_key.pem", name);
    if (files) {
        arguments[count++] = "-WWW";
    }
    if (more != NULL) {
        arguments[count++] = more;
    }
    if (more_2 != NULL) {
        arguments[count++] = more_2;
    }
    if (more_3 != NULL) {
        arguments[count++] = more_3;
    }
    server_openssl(server, &scratch, arguments);
}

/* ---- Updating --------------------------------------------------------------------------------- */

static struct ota_https_update_options options_for(const char *host, uint16_t port, char url[128])
{
    snprintf(url, 128, "https://%s:%u/app.bin", host, (unsigned)port);
    return (struct ota_https_update_options){
        .platform = &platform.platform,
        .intake = &intake,
        .secure = &tls.secure,
        .url = url,
        .head_timeout_ms = HEAD_MS,
        .body_timeout_ms = BODY_MS,
        .body_least = BODY_LEAST,
        .text = text,
        .text_size = sizeof text,
    };
}

static enum ota_err update_from(const char *host, uint16_t port)
{
    char url[128];
    const struct ota_https_update_options options = options_for(host, port, url);
    const enum ota_err err = ota_https_update(&update, &options);

    assert_true(ota_intake_is_free(&intake));
    assert_int_equal(tls.open_streams, 0);
    if (err == OTA_OK) {
        assert_memory_equal(ram.memory + RAM_OTA_0, file, file_len);
        assert_int_equal(intake.accepted, 1);
    } else {
        assert_int_equal(intake.accepted, 0);
    }
    return err;
}

/* One update from s_server with these certificates and no more than the usual options. */
static enum ota_err update_from_openssl(const char *name, const char *host, const char *more,
                                        const char *more_2, const char *more_3)
{
    struct server server;

    serve(&server, name, true, more, more_2, more_3);
    const enum ota_err err = update_from(host, server.port);
    server_stop(&server);
    return err;
}

static void need(const char *program)
{
    if (!servers_have("openssl") || !servers_have(program)) {
        print_message("%s is not installed: skipped\n", program);
        skip();
    }
}

/* ---- openssl s_server -WWW -------------------------------------------------------------------- */

static void as_its_users_do(void **state)
{
    (void)state;
    need("openssl");
    trust("ca_cert.pem", (struct ota_tls_options){0});
    assert_int_equal(update_from_openssl("ca", "127.0.0.1", NULL, NULL, NULL), OTA_OK);
}

static void with_tls_1_2_alone(void **state)
{
    (void)state;
    need("openssl");
    trust("ca_cert.pem", (struct ota_tls_options){0});
    assert_int_equal(update_from_openssl("ca", "127.0.0.1", "-tls1_2", NULL, NULL), OTA_OK);
}

static void tls_1_3_alone_is_too_new(void **state)
{
    (void)state;
    need("openssl");
    trust("ca_cert.pem", (struct ota_tls_options){0});
    assert_int_equal(update_from_openssl("ca", "127.0.0.1", "-tls1_3", NULL, NULL), OTA_ERR_TLS);
}

static void the_wrong_ca(void **state)
{
    (void)state;
    need("openssl");
    trust("other_cert.pem", (struct ota_tls_options){0});
    assert_int_equal(update_from_openssl("ca", "127.0.0.1", NULL, NULL, NULL),
                     OTA_ERR_TLS_UNTRUSTED);
}

static void the_systems_store(void **state)
{
    (void)state;
    need("openssl");
    certificates = tls_store_load(NULL);
    if (certificates == NULL) {
        print_message("this system has no store of certificates: skipped\n");
        skip();
    }
    trust(NULL, (struct ota_tls_options){.ca_pem = certificates});
    assert_int_equal(update_from_openssl("ca", "127.0.0.1", NULL, NULL, NULL),
                     OTA_ERR_TLS_UNTRUSTED);
}

static void the_wrong_name(void **state)
{
    (void)state;
    need("openssl");
    trust("other_cert.pem", (struct ota_tls_options){0});
    assert_int_equal(update_from_openssl("other", "127.0.0.1", NULL, NULL, NULL), OTA_ERR_TLS_NAME);
}

static void an_address_among_the_names(void **state)
{
    (void)state;
    need("openssl");
    trust("ec_cert.pem", (struct ota_tls_options){0});
    assert_int_equal(update_from_openssl("ec", "127.0.0.1", NULL, NULL, NULL), OTA_OK);
}

static void a_name_among_the_names(void **state)
{
    (void)state;
    need("openssl");
    trust("ec_cert.pem", (struct ota_tls_options){0});
    assert_int_equal(update_from_openssl("ec", "localhost", NULL, NULL, NULL), OTA_OK);
}

static void an_expired_one(void **state)
{
    (void)state;
    need("openssl");
    trust("old_cert.pem", (struct ota_tls_options){0});
    assert_int_equal(update_from_openssl("old", "127.0.0.1", NULL, NULL, NULL),
                     OTA_ERR_TLS_EXPIRED);
}

static void an_expired_one_where_nobody_knows_the_time(void **state)
{
    (void)state;
    need("openssl");
    platform.platform.unix_time = NULL;
    trust("old_cert.pem", (struct ota_tls_options){0});
    assert_int_equal(update_from_openssl("old", "127.0.0.1", NULL, NULL, NULL), OTA_OK);
}

static void fingerprints(void **state)
{
    static const char *const files[] = {"sha256.txt", "sha1.txt"};

    (void)state;
    need("openssl");
    for (size_t i = 0; i < 2; i++) {
        char *fingerprint = tls_store_load(scratch_path(&scratch, files[i]));
        assert_non_null(fingerprint);
        fingerprint[strcspn(fingerprint, "\n")] = '\0';
        intake.accepted = 0;
        trust(NULL, (struct ota_tls_options){.fingerprint = fingerprint});
        assert_int_equal(update_from_openssl("ca", "localhost", NULL, NULL, NULL), OTA_OK);
        ota_tls_end(&tls);
        fingerprint[0] = fingerprint[0] == '0' ? '1' : '0';
        intake.accepted = 0;
        trust(NULL, (struct ota_tls_options){.fingerprint = fingerprint});
        assert_int_equal(update_from_openssl("ca", "127.0.0.1", NULL, NULL, NULL),
                         OTA_ERR_TLS_UNTRUSTED);
        ota_tls_end(&tls);
        free(fingerprint);
    }
}

static void only_old_suites(void **state)
{
    static const char *const suites[] = {"AES128-SHA", "AES256-GCM-SHA384", "ECDHE-RSA-AES128-SHA"};

    (void)state;
    need("openssl");
    for (size_t i = 0; i < sizeof suites / sizeof *suites; i++) {
        intake.accepted = 0;
        trust("ca_cert.pem", (struct ota_tls_options){0});
        assert_int_equal(update_from_openssl("ca", "127.0.0.1", "-tls1_2", "-cipher", suites[i]),
                         OTA_ERR_TLS);
        ota_tls_end(&tls);
        free(certificates);
        trust("ca_cert.pem", (struct ota_tls_options){.legacy_suites = true});
        assert_int_equal(update_from_openssl("ca", "127.0.0.1", "-tls1_2", "-cipher", suites[i]),
                         OTA_OK);
        ota_tls_end(&tls);
        free(certificates);
        certificates = NULL;
    }
}

static void short_records(void **state)
{
    (void)state;
    need("openssl");
    trust("ca_cert.pem", (struct ota_tls_options){.max_fragment = 2048});
    assert_int_equal(update_from_openssl("ca", "127.0.0.1", NULL, NULL, NULL), OTA_OK);
    ota_tls_end(&tls);
    free(certificates);
    /* Mbed TLS 2.28 does not put a certificate of several records together. */
    intake.accepted = 0;
    trust("ca_cert.pem", (struct ota_tls_options){.max_fragment = 512});
    assert_int_equal(update_from_openssl("ca", "127.0.0.1", NULL, NULL, NULL), OTA_ERR_TLS);
}

/* ---- Fetching, and sessions ------------------------------------------------------------------- */

/* What the server's page says, with zero bytes in place of none. */
static enum ota_err fetch_page(struct ota_http_scheme *scheme, const char *uri, char *page,
                               size_t size)
{
    const struct ota_fetch_request request = {.uri = uri};
    struct ota_fetch *fetch;
    bool ended = false;
    size_t total = 0;
    enum ota_err err = ota_fetch_open(&scheme->scheme, &platform.platform, &request, &fetch);

    while (err == OTA_OK && !ended) {
        size_t len = 0;
        assert_true(total < size - 1);
        err = fetch->read(fetch, page + total, size - 1 - total, &len, &ended);
        total += len;
        if (len == 0 && !ended) {
            platform.platform.wait(&platform.platform, 20);
        }
    }
    page[total] = '\0';
    if (fetch != NULL) {
        fetch->close(fetch);
    }
    return err;
}

/* s_server -www says of each connection whether its session was new. */
static void sessions_are_resumed(void **state)
{
    static struct ota_http_scheme scheme;
    static char page[20000];
    struct server server;
    char uri[64];

    (void)state;
    need("openssl");
    trust("ca_cert.pem", (struct ota_tls_options){0});
    serve(&server, "ca", false, "-www", "-tls1_2", NULL);
    ota_http_scheme_init(&scheme, &tls.secure, NULL);
    snprintf(uri, sizeof uri, "https://127.0.0.1:%u/", (unsigned)server.port);
    assert_int_equal(fetch_page(&scheme, uri, page, sizeof page), OTA_OK);
    assert_non_null(strstr(page, "New, TLSv1.2"));
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(fetch_page(&scheme, uri, page, sizeof page), OTA_OK);
        assert_non_null(strstr(page, "Reused, TLSv1.2"));
    }
    assert_int_equal(tls.handshakes, 4);
    assert_int_equal(tls.resumptions, 3);
    server_stop(&server);
}

/* ---- Servers that misbehave ------------------------------------------------------------------- */

/* What the test has s_server say: something at first, then something every now and then, `every_ms` 0 as
   often as it is taken. */
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
    if (tls.handshakes == 0) {
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

/* An update from a server that says this and then chatters. Returns how it ended, which must be within
   `limit_ms`. */
static enum ota_err update_from_liar(const char *answer, size_t len, struct chatter chatter,
                                     int64_t limit_ms)
{
    char url[128];
    struct server server;
    enum ota_err err;

    trust("ca_cert.pem", (struct ota_tls_options){0});
    serve(&server, "ca", false, NULL, NULL, NULL);
    const struct ota_https_update_options options = options_for("127.0.0.1", server.port, url);
    const int64_t begun_ms = platform_clock_ms();
    err = ota_https_update_begin(&update, &options);
    while (err == OTA_OK && !ota_https_update_is_complete(&update)) {
        const uint32_t wait_ms = ota_https_update_wait_ms(&update);
        err = ota_https_update_perform(&update);
        platform.platform.wait(&platform.platform, wait_ms < 10 ? wait_ms : 10);
        chat(&server, answer, len, &chatter);
    }
    if (err == OTA_OK) {
        err = ota_https_update_finish(&update);
    }
    assert_in_range(platform_clock_ms() - begun_ms, 0, limit_ms);
    server_stop(&server);
    ota_tls_end(&tls);
    free(certificates);
    certificates = NULL;
    assert_int_equal(intake.accepted, 0);
    return err;
}

static void lies_and_silences(void **state)
{
    static char answer[FILE_SIZE + 4096];
    static const char head[] = "HTTP/1.1 200 OK\r\nContent-Length: ";
    const struct chatter none = {0};
    size_t len;

    (void)state;
    need("openssl");
    /* Stops in the head, and in the body. */
    assert_int_equal(update_from_liar(head, strlen(head), none, HEAD_MS + 2000), OTA_ERR_TIMEOUT);
    len = (size_t)snprintf(answer, sizeof answer, "%s%zu\r\n\r\n", head, file_len);
    memcpy(answer + len, file, 10000);
    assert_int_equal(update_from_liar(answer, len + 10000, none, HEAD_MS + BODY_MS + 2000),
                     OTA_ERR_TIMEOUT);
    /* A byte now and then. */
    assert_int_equal(update_from_liar(answer, len + 10000, (struct chatter){"x", 1, 50, 0, false},
                                      HEAD_MS + BODY_MS + 2000),
                     OTA_ERR_TIMEOUT);
    assert_int_equal(update_from_liar("HTTP/1.1 200 OK\r\nx: ", 20,
                                      (struct chatter){"y", 1, 50, 0, false}, HEAD_MS + 2000),
                     OTA_ERR_TIMEOUT);
    /* Says less than comes, so that the image ends early. */
    len = (size_t)snprintf(answer, sizeof answer, "%s%zu\r\n\r\n", head, file_len - 100);
    memcpy(answer + len, file, file_len);
    enum ota_err err = update_from_liar(answer, len + file_len, none, HEAD_MS + BODY_MS + 2000);
    assert_true(err == OTA_ERR_TOO_LARGE || err == OTA_ERR_IMAGE_TRUNCATED);
    /* Never ends: a header line, a body of which nobody said how long it is. */
    assert_int_equal(
        update_from_liar("HTTP/1.1 200 OK\r\nx: ", 20,
                         (struct chatter){"yyyyyyyyyyyyyyyyyyyyyyyyy", 25, 0, 0, false}, 5000),
        OTA_ERR_HTTP_HEADER);
    len = (size_t)snprintf(answer, sizeof answer, "HTTP/1.1 200 OK\r\n\r\n");
    memcpy(answer + len, file, file_len);
    assert_int_equal(
        update_from_liar(answer, len + file_len, (struct chatter){answer, 4096, 0, 0, false}, 5000),
        OTA_ERR_TOO_LARGE);
}

static void closes_too_early(void **state)
{
    char answer[12000], url[128];
    struct server server;
    struct chatter chatter = {0};
    enum ota_err err;

    (void)state;
    need("openssl");
    trust("ca_cert.pem", (struct ota_tls_options){0});
    serve(&server, "ca", false, NULL, NULL, NULL);
    const struct ota_https_update_options options = options_for("127.0.0.1", server.port, url);
    const size_t len = (size_t)snprintf(answer, sizeof answer,
                                        "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", file_len);
    memcpy(answer + len, file, 10000);
    err = ota_https_update_begin(&update, &options);
    while (err == OTA_OK && update.received < 9000) {
        err = ota_https_update_perform(&update);
        platform.platform.wait(&platform.platform, 10);
        chat(&server, answer, len + 10000, &chatter);
    }
    assert_int_equal(err, OTA_OK);
    server_stop(&server); /* the connection is cut, without close_notify */
    while (err == OTA_OK && !ota_https_update_is_complete(&update)) {
        err = ota_https_update_perform(&update);
        platform.platform.wait(&platform.platform, 10);
    }
    assert_int_equal(err, OTA_ERR_CONNECTION_LOST);
    /* Nobody is there any more. */
    assert_int_equal(update_from("127.0.0.1", server.port), OTA_ERR_CONNECT);
}

/* A handshake that comes a byte a time, or not at all. */
static void slow_handshakes(void **state)
{
    struct server server, relay;
    const int64_t begun_ms = platform_clock_ms();

    (void)state;
    need("openssl");
    trust("ca_cert.pem", (struct ota_tls_options){0});
    serve(&server, "ca", true, NULL, NULL, NULL);
    server_relay(&relay, server.port, 20);
    assert_int_equal(update_from("127.0.0.1", relay.port), OTA_ERR_TIMEOUT);
    server_stop(&relay);
    server_relay(&relay, server.port, 1000000);
    assert_int_equal(update_from("127.0.0.1", relay.port), OTA_ERR_TIMEOUT);
    server_stop(&relay);
    server_stop(&server);
    assert_in_range(platform_clock_ms() - begun_ms, 2 * HEAD_MS, 2 * HEAD_MS + 4000);
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
    need("nginx");
    snprintf(conf, sizeof conf, configuration, (unsigned)port);
    scratch_write(&scratch, "plain.conf", conf, strlen(conf));
    trust("ca_cert.pem", (struct ota_tls_options){0});
    server_nginx(&server, &scratch, "plain.conf", port);
    assert_int_equal(update_from("127.0.0.1", port), OTA_ERR_TLS);
    server_stop(&server);
}

/* ---- nginx ------------------------------------------------------------------------------------ */

static const char nginx_conf[] =
    "daemon off; master_process off; pid nginx.pid;\n"
    "events {}\n"
    "http {\n"
    "  access_log off; client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path f;\n"
    "  uwsgi_temp_path u; scgi_temp_path s;\n"
    "  server { listen 127.0.0.1:%u ssl; root .; %s\n"
    "    ssl_certificate ca_cert.pem; ssl_certificate_key ca_key.pem;\n"
    "    location /gone { return 302 /app.bin; }\n"
    "    location /down { return 302 http://127.0.0.1:%u/app.bin; }\n"
    "    location /secret { return 401; }\n"
    "  }\n"
    "  server { listen 127.0.0.1:%u; location / { return 301 https://127.0.0.1:%u$request_uri; } "
    "}\n"
    "}\n";

static void start_nginx(struct server *server, const char *tls_settings, uint16_t *plain_port)
{
    char conf[2048];
    const uint16_t port = servers_free_port();

    *plain_port = servers_free_port();
    snprintf(conf, sizeof conf, nginx_conf, (unsigned)port, tls_settings, (unsigned)*plain_port,
             (unsigned)*plain_port, (unsigned)port);
    scratch_write(&scratch, "nginx.conf", conf, strlen(conf));
    server_nginx(server, &scratch, "nginx.conf", port);
}

static void nginx_with_its_own_settings(void **state)
{
    struct server server;
    uint16_t plain;

    (void)state;
    need("nginx");
    trust("ca_cert.pem", (struct ota_tls_options){0});
    start_nginx(&server, "", &plain);
    assert_int_equal(update_from("127.0.0.1", server.port), OTA_OK);
    server_stop(&server);
    intake.accepted = 0;
    start_nginx(&server, "ssl_protocols TLSv1.2; ssl_session_tickets off;", &plain);
    assert_int_equal(update_from("127.0.0.1", server.port), OTA_OK);
    server_stop(&server);
}

static void nginx_in_ranges_and_resumed(void **state)
{
    struct server server;
    uint16_t plain;
    char url[128];

    (void)state;
    need("nginx");
    trust("ca_cert.pem", (struct ota_tls_options){0});
    start_nginx(&server, "", &plain);
    struct ota_https_update_options options = options_for("127.0.0.1", server.port, url);
    options.max_request = 4096;
    options.resume = true;
    assert_int_equal(ota_https_update_begin(&update, &options), OTA_OK);
    while (update.received < 20000) {
        assert_int_equal(ota_https_update_perform(&update), OTA_OK);
        platform.platform.wait(&platform.platform, 10);
    }
    assert_int_equal(update.transfer.connections, 1);
    ota_https_update_abort(&update);
    assert_int_equal(ota_https_update(&update, &options), OTA_OK);
    assert_memory_equal(ram.memory + RAM_OTA_0, file, file_len);
    assert_int_equal(update.transfer.connections, 1);
    assert_int_equal(update.transfer.status, 206);
    assert_int_equal(tls.handshakes, 2);
    assert_int_equal(tls.resumptions, 1);
    server_stop(&server);
}

static void nginx_redirects(void **state)
{
    struct server server;
    uint16_t plain;
    char url[128];

    (void)state;
    need("nginx");
    trust("ca_cert.pem", (struct ota_tls_options){0});
    start_nginx(&server, "", &plain);
    struct ota_https_update_options options = options_for("127.0.0.1", server.port, url);
    snprintf(url, sizeof url, "https://127.0.0.1:%u/gone", (unsigned)server.port);
    assert_int_equal(ota_https_update(&update, &options), OTA_OK);
    snprintf(url, sizeof url, "https://127.0.0.1:%u/down", (unsigned)server.port);
    assert_int_equal(ota_https_update(&update, &options), OTA_ERR_HTTP_REDIRECT);
    snprintf(url, sizeof url, "https://127.0.0.1:%u/secret", (unsigned)server.port);
    assert_int_equal(ota_https_update(&update, &options), OTA_ERR_HTTP_CREDENTIALS);
    snprintf(url, sizeof url, "https://127.0.0.1:%u/none", (unsigned)server.port);
    assert_int_equal(ota_https_update(&update, &options), OTA_ERR_HTTP_NOT_FOUND);
    snprintf(url, sizeof url, "http://127.0.0.1:%u/app.bin", (unsigned)plain);
    assert_int_equal(ota_https_update(&update, &options), OTA_ERR_URL);
    options.allow_http = true;
    assert_int_equal(ota_https_update(&update, &options), OTA_OK);
    assert_true(update.transfer.is_secure);
    assert_int_equal(update.transfer.redirects, 1);
    server_stop(&server);
}

/* ---- The agent's pull ------------------------------------------------------------------------- */

/* Checks once. Returns the pull's failure, OTA_OK after an update. */
static enum ota_err agent_checks(const char *url)
{
    static struct ota_agent agent;
    const struct ota_agent_options options = {
        .platform = &platform.platform,
        .device = &ram.device,
        .url = url,
        .secure = &tls.secure,
        .stay = true,
        .buffer = buffer,
        .buffer_size = sizeof buffer,
        .text = text,
        .text_size = sizeof text,
    };

    assert_int_equal(ota_agent_begin(&agent, &options), OTA_OK);
    while (!agent.is_restarting && agent.checks == 0) {
        platform.platform.wait(&platform.platform, ota_agent_poll(&agent));
    }
    ota_agent_end(&agent);
    assert_int_equal(agent.is_restarting, agent.pull.failure.err == OTA_OK);
    return agent.pull.failure.err;
}

static void the_agent_pulls_over_tls(void **state)
{
    struct server server;
    uint16_t plain;
    char url[128];

    (void)state;
    need("nginx");
    trust("ca_cert.pem", (struct ota_tls_options){0});
    start_nginx(&server, "", &plain);
    snprintf(url, sizeof url, "https://127.0.0.1:%u/app.bin", (unsigned)server.port);
    assert_int_equal(agent_checks(url), OTA_OK);
    assert_memory_equal(ram.memory + RAM_OTA_0, file, file_len);
    ram_device_make(&ram);
    snprintf(url, sizeof url, "http://127.0.0.1:%u/app.bin", (unsigned)plain);
    assert_int_equal(agent_checks(url), OTA_OK); /* sent on to https */
    assert_memory_equal(ram.memory + RAM_OTA_0, file, file_len);
    assert_int_equal(tls.handshakes, 2);
    ram_device_make(&ram);
    snprintf(url, sizeof url, "https://127.0.0.1:%u/down", (unsigned)server.port);
    assert_int_equal(agent_checks(url), OTA_ERR_HTTP_REDIRECT);
    snprintf(url, sizeof url, "https://localhost:%u/app.bin", (unsigned)server.port);
    assert_int_equal(agent_checks(url), OTA_ERR_TLS_NAME);
    server_stop(&server);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(as_its_users_do),
        TEST(with_tls_1_2_alone),
        TEST(tls_1_3_alone_is_too_new),
        TEST(the_wrong_ca),
        TEST(the_systems_store),
        TEST(the_wrong_name),
        TEST(an_address_among_the_names),
        TEST(a_name_among_the_names),
        TEST(an_expired_one),
        TEST(an_expired_one_where_nobody_knows_the_time),
        TEST(fingerprints),
        TEST(only_old_suites),
        TEST(short_records),
        TEST(sessions_are_resumed),
        TEST(lies_and_silences),
        TEST(closes_too_early),
        TEST(slow_handshakes),
        TEST(no_tls_at_all),
        TEST(nginx_with_its_own_settings),
        TEST(nginx_in_ranges_and_resumed),
        TEST(nginx_redirects),
        TEST(the_agent_pulls_over_tls),
    };

    return cmocka_run_group_tests(tests, set_up_group, tear_down_group);
}
