/* SPDX-License-Identifier: Apache-2.0 */
/* Updates and the agent's pull over TLS from nginx. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <updraft/agent.h>

#include "tls/online.h"

/* ---- nginx ----------------------------------------------------------------------------------- */

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
    scratch_write(&online.scratch, "nginx.conf", conf, strlen(conf));
    server_nginx(server, &online.scratch, "nginx.conf", port);
}

static void nginx_with_its_own_settings(void **state)
{
    struct server server;
    uint16_t plain;

    (void)state;
    online_need("nginx");
    online_trust("ca_cert.pem", (struct ota_tls_options){0});
    start_nginx(&server, "", &plain);
    assert_int_equal(online_update_from("127.0.0.1", server.port), OTA_OK);
    server_stop(&server);
    online.intake.accepted = 0;
    start_nginx(&server, "ssl_protocols TLSv1.2; ssl_session_tickets off;", &plain);
    assert_int_equal(online_update_from("127.0.0.1", server.port), OTA_OK);
    server_stop(&server);
}

static void nginx_in_ranges_and_resumed(void **state)
{
    struct server server;
    uint16_t plain;
    char url[128];

    (void)state;
    online_need("nginx");
    online_trust("ca_cert.pem", (struct ota_tls_options){0});
    start_nginx(&server, "", &plain);
    struct ota_https_update_options options = online_options_for("127.0.0.1", server.port, url);
    options.max_request = 4096;
    options.resume = true;
    assert_int_equal(ota_https_update_begin(&online.update, &options), OTA_OK);
    while (online.update.received < 20000) {
        assert_int_equal(ota_https_update_perform(&online.update), OTA_OK);
        online.platform.platform.wait(&online.platform.platform, 10);
    }
    assert_int_equal(online.update.transfer.connections, 1);
    ota_https_update_abort(&online.update);
    assert_int_equal(ota_https_update(&online.update, &options), OTA_OK);
    assert_memory_equal(online.ram.memory + RAM_OTA_0, online.file, online.file_len);
    assert_int_equal(online.update.transfer.connections, 1);
    assert_int_equal(online.update.transfer.status, 206);
    assert_int_equal(online.tls.handshakes, 2);
    assert_int_equal(online.tls.resumptions, 1);
    server_stop(&server);
}

static void nginx_redirects(void **state)
{
    struct server server;
    uint16_t plain;
    char url[128];

    (void)state;
    online_need("nginx");
    online_trust("ca_cert.pem", (struct ota_tls_options){0});
    start_nginx(&server, "", &plain);
    struct ota_https_update_options options = online_options_for("127.0.0.1", server.port, url);
    snprintf(url, sizeof url, "https://127.0.0.1:%u/gone", (unsigned)server.port);
    assert_int_equal(ota_https_update(&online.update, &options), OTA_OK);
    snprintf(url, sizeof url, "https://127.0.0.1:%u/down", (unsigned)server.port);
    assert_int_equal(ota_https_update(&online.update, &options), OTA_ERR_HTTP_REDIRECT);
    snprintf(url, sizeof url, "https://127.0.0.1:%u/secret", (unsigned)server.port);
    assert_int_equal(ota_https_update(&online.update, &options), OTA_ERR_HTTP_CREDENTIALS);
    snprintf(url, sizeof url, "https://127.0.0.1:%u/none", (unsigned)server.port);
    assert_int_equal(ota_https_update(&online.update, &options), OTA_ERR_HTTP_NOT_FOUND);
    snprintf(url, sizeof url, "http://127.0.0.1:%u/app.bin", (unsigned)plain);
    assert_int_equal(ota_https_update(&online.update, &options), OTA_ERR_URL);
    options.allow_http = true;
    assert_int_equal(ota_https_update(&online.update, &options), OTA_OK);
    assert_true(online.update.transfer.is_secure);
    assert_int_equal(online.update.transfer.redirects, 1);
    server_stop(&server);
}

/* A server that closes after each answer: of all handshakes one is whole. */
static void ranges_resume_the_session(void **state)
{
    static const char *const settings[] = {
        "keepalive_timeout 0; ssl_protocols TLSv1.2;",
        "keepalive_timeout 0; ssl_protocols TLSv1.2; ssl_session_tickets off;"
        " ssl_session_cache shared:s:1m;",
    };
    struct server server;
    uint16_t plain;
    char url[128];

    (void)state;
    online_need("nginx");
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
        online_trust("ca_cert.pem", (struct ota_tls_options){0});
        start_nginx(&server, settings[i], &plain);
        struct ota_https_update_options options = online_options_for("127.0.0.1", server.port, url);
        options.max_request = 4096;
        assert_int_equal(ota_https_update(&online.update, &options), OTA_OK);
        assert_memory_equal(online.ram.memory + RAM_OTA_0, online.file, online.file_len);
        const uint32_t ranges = (uint32_t)((online.file_len + 4095) / 4096);
        assert_int_equal(online.update.transfer.connections, ranges);
        assert_int_equal(online.tls.handshakes, ranges);
        assert_int_equal(online.tls.resumptions, ranges - 1);
        server_stop(&server);
        ota_tls_end(&online.tls);
        free(online.certificates);
        online.certificates = NULL;
        ram_device_make(&online.ram);
    }
}

/* ---- Certificates that nginx has ------------------------------------------------------------- */

static const char two_hosts_conf[] =
    "daemon off; master_process off; pid nginx.pid;\n"
    "events {}\n"
    "http {\n"
    "  access_log off; root .;\n"
    "  server { listen 127.0.0.1:%u ssl default_server;\n"
    "    ssl_certificate other_cert.pem; ssl_certificate_key other_key.pem; }\n"
    "  server { listen 127.0.0.1:%u ssl; server_name localhost;\n"
    "    ssl_certificate leaf_cert.pem; ssl_certificate_key leaf_key.pem; }\n"
    "}\n";

/* One of two hosts at an address is meant; its certificate has one between it and the root. */
static void the_name_chooses_the_certificate(void **state)
{
    char conf[2048];
    struct server server;
    const uint16_t port = servers_free_port();

    (void)state;
    online_need("nginx");
    snprintf(conf, sizeof conf, two_hosts_conf, (unsigned)port, (unsigned)port);
    scratch_write(&online.scratch, "hosts.conf", conf, strlen(conf));
    online_trust("root_cert.pem", (struct ota_tls_options){0});
    server_nginx(&server, &online.scratch, "hosts.conf", port);
    assert_int_equal(online_update_from("localhost", port), OTA_OK);
    online.intake.accepted = 0;
    assert_int_equal(online_update_from("127.0.0.1", port), OTA_ERR_TLS_UNTRUSTED);
    server_stop(&server);
}

/* ---- The agent's pull ------------------------------------------------------------------------ */

/* Checks once. Returns the pull's failure, OTA_OK after an online.update. */
static enum ota_err agent_checks(const char *url)
{
    static struct ota_agent agent;
    const struct ota_agent_options options = {
        .platform = &online.platform.platform,
        .device = &online.ram.device,
        .url = url,
        .secure = &online.tls.secure,
        .stay = true,
        .buffer = online.buffer,
        .buffer_size = sizeof online.buffer,
        .text = online.text,
        .text_size = sizeof online.text,
    };

    assert_int_equal(ota_agent_begin(&agent, &options), OTA_OK);
    while (!agent.is_restarting && agent.checks == 0) {
        const uint32_t wait_ms = ota_agent_poll(&agent);
        online.platform.platform.wait(&online.platform.platform, wait_ms < 50 ? wait_ms : 50);
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
    online_need("nginx");
    online_trust("ca_cert.pem", (struct ota_tls_options){0});
    start_nginx(&server, "", &plain);
    snprintf(url, sizeof url, "https://127.0.0.1:%u/app.bin", (unsigned)server.port);
    assert_int_equal(agent_checks(url), OTA_OK);
    assert_memory_equal(online.ram.memory + RAM_OTA_0, online.file, online.file_len);
    ram_device_make(&online.ram);
    snprintf(url, sizeof url, "http://127.0.0.1:%u/app.bin", (unsigned)plain);
    assert_int_equal(agent_checks(url), OTA_OK); /* sent on to https */
    assert_memory_equal(online.ram.memory + RAM_OTA_0, online.file, online.file_len);
    assert_int_equal(online.tls.handshakes, 2);
    ram_device_make(&online.ram);
    snprintf(url, sizeof url, "https://127.0.0.1:%u/down", (unsigned)server.port);
    assert_int_equal(agent_checks(url), OTA_ERR_HTTP_REDIRECT);
    snprintf(url, sizeof url, "https://localhost:%u/app.bin", (unsigned)server.port);
    assert_int_equal(agent_checks(url), OTA_ERR_TLS_NAME);
    server_stop(&server);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, online_set_up, online_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(nginx_with_its_own_settings),
        TEST(nginx_in_ranges_and_resumed),
        TEST(nginx_redirects),
        TEST(ranges_resume_the_session),
        TEST(the_name_chooses_the_certificate),
        TEST(the_agent_pulls_over_tls),
    };

    return cmocka_run_group_tests(tests, online_set_up_group, online_tear_down_group);
}
