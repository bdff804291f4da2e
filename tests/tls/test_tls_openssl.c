/* SPDX-License-Identifier: Apache-2.0 */
/* Updates over TLS from `openssl s_server`, with certificates as its users make them. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <updraft/http_fetch.h>

#include "posix/tls_store.h"
#include "tls/online.h"

/* ---- openssl s_server -WWW ------------------------------------------------------------------- */

static void as_its_users_do(void **state)
{
    (void)state;
    online_need("openssl");
    online_trust("ca_cert.pem", (struct ota_tls_options){0});
    assert_int_equal(online_update_from_openssl("ca", "127.0.0.1", NULL, NULL, NULL), OTA_OK);
}

static void with_tls_1_2_alone(void **state)
{
    (void)state;
    online_need("openssl");
    online_trust("ca_cert.pem", (struct ota_tls_options){0});
    assert_int_equal(online_update_from_openssl("ca", "127.0.0.1", "-tls1_2", NULL, NULL), OTA_OK);
}

static void tls_1_3_alone_is_too_new(void **state)
{
    (void)state;
    online_need("openssl");
    online_trust("ca_cert.pem", (struct ota_tls_options){0});
    assert_int_equal(online_update_from_openssl("ca", "127.0.0.1", "-tls1_3", NULL, NULL),
                     OTA_ERR_TLS);
}

static void the_wrong_ca(void **state)
{
    (void)state;
    online_need("openssl");
    online_trust("other_cert.pem", (struct ota_tls_options){0});
    assert_int_equal(online_update_from_openssl("ca", "127.0.0.1", NULL, NULL, NULL),
                     OTA_ERR_TLS_UNTRUSTED);
}

static void the_systems_store(void **state)
{
    (void)state;
    online_need("openssl");
    online.certificates = tls_store_load(NULL);
    if (online.certificates == NULL) {
        print_message("this system has no store of online.certificates: skipped\n");
        skip();
    }
    online_trust(NULL, (struct ota_tls_options){.ca_pem = online.certificates});
    assert_int_equal(online_update_from_openssl("ca", "127.0.0.1", NULL, NULL, NULL),
                     OTA_ERR_TLS_UNTRUSTED);
}

static void the_wrong_name(void **state)
{
    (void)state;
    online_need("openssl");
    online_trust("other_cert.pem", (struct ota_tls_options){0});
    assert_int_equal(online_update_from_openssl("other", "127.0.0.1", NULL, NULL, NULL),
                     OTA_ERR_TLS_NAME);
}

static void an_address_among_the_names(void **state)
{
    (void)state;
    online_need("openssl");
    online_trust("ec_cert.pem", (struct ota_tls_options){0});
    assert_int_equal(online_update_from_openssl("ec", "127.0.0.1", NULL, NULL, NULL), OTA_OK);
}

static void a_name_among_the_names(void **state)
{
    (void)state;
    online_need("openssl");
    online_trust("ec_cert.pem", (struct ota_tls_options){0});
    assert_int_equal(online_update_from_openssl("ec", "localhost", NULL, NULL, NULL), OTA_OK);
}

static void an_expired_one(void **state)
{
    (void)state;
    online_need("openssl");
    online_trust("old_cert.pem", (struct ota_tls_options){0});
    assert_int_equal(online_update_from_openssl("old", "127.0.0.1", NULL, NULL, NULL),
                     OTA_ERR_TLS_EXPIRED);
}

static void an_expired_one_where_nobody_knows_the_time(void **state)
{
    (void)state;
    online_need("openssl");
    online.platform.platform.unix_time = NULL;
    online_trust("old_cert.pem", (struct ota_tls_options){0});
    assert_int_equal(online_update_from_openssl("old", "127.0.0.1", NULL, NULL, NULL), OTA_OK);
}

static void fingerprints(void **state)
{
    static const char *const files[] = {"sha256.txt", "sha1.txt"};

    (void)state;
    online_need("openssl");
    for (size_t i = 0; i < 2; i++) {
        char *fingerprint = tls_store_load(scratch_path(&online.scratch, files[i]));
        assert_non_null(fingerprint);
        fingerprint[strcspn(fingerprint, "\n")] = '\0';
        online.intake.accepted = 0;
        online_trust(NULL, (struct ota_tls_options){.fingerprint = fingerprint});
        assert_int_equal(online_update_from_openssl("ca", "localhost", NULL, NULL, NULL), OTA_OK);
        ota_tls_end(&online.tls);
        fingerprint[0] = fingerprint[0] == '0' ? '1' : '0';
        online.intake.accepted = 0;
        online_trust(NULL, (struct ota_tls_options){.fingerprint = fingerprint});
        assert_int_equal(online_update_from_openssl("ca", "127.0.0.1", NULL, NULL, NULL),
                         OTA_ERR_TLS_UNTRUSTED);
        ota_tls_end(&online.tls);
        free(fingerprint);
    }
}

static void each_new_suite(void **state)
{
    static const struct {
        const char *certificate, *suite;
    } cases[] = {
        {"ca", "ECDHE-RSA-AES128-GCM-SHA256"}, {"ec", "ECDHE-ECDSA-AES128-GCM-SHA256"},
        {"ca", "ECDHE-RSA-CHACHA20-POLY1305"}, {"ec", "ECDHE-ECDSA-CHACHA20-POLY1305"},
        {"ca", "ECDHE-RSA-AES256-GCM-SHA384"}, {"ec", "ECDHE-ECDSA-AES256-GCM-SHA384"},
        {"ec", "ECDHE-ECDSA-AES128-CCM"},      {"ec", "ECDHE-ECDSA-AES256-CCM"},
    };

    (void)state;
    online_need("openssl");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char file[32];
        snprintf(file, sizeof file, "%s_cert.pem", cases[i].certificate);
        online.intake.accepted = 0;
        online_trust(file, (struct ota_tls_options){0});
        assert_int_equal(online_update_from_openssl(cases[i].certificate, "127.0.0.1", "-tls1_2",
                                                    "-cipher", cases[i].suite),
                         OTA_OK);
        ota_tls_end(&online.tls);
        free(online.certificates);
        online.certificates = NULL;
    }
}

static void only_old_suites(void **state)
{
    static const char *const suites[] = {"AES128-SHA", "AES256-GCM-SHA384", "ECDHE-RSA-AES128-SHA"};

    (void)state;
    online_need("openssl");
    for (size_t i = 0; i < sizeof suites / sizeof *suites; i++) {
        online.intake.accepted = 0;
        online_trust("ca_cert.pem", (struct ota_tls_options){0});
        assert_int_equal(
            online_update_from_openssl("ca", "127.0.0.1", "-tls1_2", "-cipher", suites[i]),
            OTA_ERR_TLS);
        ota_tls_end(&online.tls);
        free(online.certificates);
        online_trust("ca_cert.pem", (struct ota_tls_options){.legacy_suites = true});
        assert_int_equal(
            online_update_from_openssl("ca", "127.0.0.1", "-tls1_2", "-cipher", suites[i]), OTA_OK);
        ota_tls_end(&online.tls);
        free(online.certificates);
        online.certificates = NULL;
    }
}

static void short_records(void **state)
{
    (void)state;
    online_need("openssl");
    online_trust("ca_cert.pem", (struct ota_tls_options){.max_fragment = 2048});
    assert_int_equal(online_update_from_openssl("ca", "127.0.0.1", NULL, NULL, NULL), OTA_OK);
    ota_tls_end(&online.tls);
    free(online.certificates);
    /* Mbed TLS 2.28 does not put a certificate of several records together. */
    online.intake.accepted = 0;
    online_trust("ca_cert.pem", (struct ota_tls_options){.max_fragment = 512});
    assert_int_equal(online_update_from_openssl("ca", "127.0.0.1", NULL, NULL, NULL), OTA_ERR_TLS);
}

/* ---- Fetching, and sessions ------------------------------------------------------------------ */

/* What the server's page says, with zero bytes in place of none. */
static enum ota_err fetch_page(struct ota_http_scheme *scheme, const char *uri, char *page,
                               size_t size)
{
    const struct ota_fetch_request request = {.uri = uri};
    struct ota_fetch *fetch;
    bool ended = false;
    size_t total = 0;
    enum ota_err err = ota_fetch_open(&scheme->scheme, &online.platform.platform, &request, &fetch);

    while (err == OTA_OK && !ended) {
        size_t len = 0;
        assert_true(total < size - 1);
        err = fetch->read(fetch, page + total, size - 1 - total, &len, &ended);
        total += len;
        if (len == 0 && !ended) {
            online.platform.platform.wait(&online.platform.platform, 20);
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
    online_need("openssl");
    online_trust("ca_cert.pem", (struct ota_tls_options){0});
    online_serve(&server, "ca", false, "-www", "-tls1_2", NULL);
    ota_http_scheme_init(&scheme, &online.tls.secure, NULL);
    snprintf(uri, sizeof uri, "https://127.0.0.1:%u/", (unsigned)server.port);
    assert_int_equal(fetch_page(&scheme, uri, page, sizeof page), OTA_OK);
    assert_non_null(strstr(page, "New, TLSv1.2"));
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(fetch_page(&scheme, uri, page, sizeof page), OTA_OK);
        assert_non_null(strstr(page, "Reused, TLSv1.2"));
    }
    assert_int_equal(online.tls.handshakes, 4);
    assert_int_equal(online.tls.resumptions, 3);
    server_stop(&server);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, online_set_up, online_tear_down)

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
        TEST(each_new_suite),
        TEST(only_old_suites),
        TEST(short_records),
        TEST(sessions_are_resumed),
    };

    return cmocka_run_group_tests(tests, online_set_up_group, online_tear_down_group);
}
