/* SPDX-License-Identifier: Apache-2.0 */
/* Whom the wrapper trusts: issuers, names, dates, pinned certificates, and sessions that rest on
   them. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "tls/pair.h"
#include "tls/tls_private.h"

#define DAY 86400
#define EPOCH_2020 1577836800 /* 2020-01-01, when certificates begin unless said otherwise */
#define EPOCH_2040 2208988800 /* and when they end */

static enum ota_err talk_to(struct pair *pair, const char *host)
{
    pair_disconnect(pair);
    pair_connect(pair, host, NULL);
    return pair_talk(pair, 10, 10);
}

/* What comes of a server with this certificate. */
static enum ota_err try_certificate(struct pair *pair, const struct certificate_facts *facts,
                                    const char *host)
{
    struct certificate certificate;

    certificate_make(&certificate, facts);
    pair_disconnect(pair);
    pair_serve(pair, &certificate);
    enum ota_err err = talk_to(pair, host);
    pair_disconnect(pair);
    certificate_free(&certificate);
    return err;
}

static void trust_ca(struct pair *pair)
{
    pair_begin(pair, &(struct ota_tls_options){.ca_pem = pair_ca.pem, .no_resumption = true});
}

/* ---- Issuers --------------------------------------------------------------------------------- */

static void another_ca(void **state)
{
    struct pair *pair = *state;

    pair_begin(pair, &(struct ota_tls_options){.ca_pem = pair_self_signed.pem});
    assert_int_equal(talk_to(pair, "server.test"), OTA_ERR_TLS_UNTRUSTED);
    pair_assert_logged(pair, "W tls: server.test: nobody that is trusted has signed");
    assert_int_equal(pair->tls.handshakes, 0);
}

/* The name and the key id may be a CA's, the signature is not. */
static void a_ca_of_the_same_name(void **state)
{
    struct pair *pair = *state;
    struct certificate impostor;

    certificate_make(&impostor,
                     &(struct certificate_facts){.subject = "CN=Test CA", .is_ca = true});
    trust_ca(pair);
    assert_int_equal(try_certificate(pair,
                                     &(struct certificate_facts){
                                         .subject = "CN=x",
                                         .dns_name = "server.test",
                                         .issuer = &impostor,
                                     },
                                     "server.test"),
                     OTA_ERR_TLS_UNTRUSTED);
    certificate_free(&impostor);
}

static void self_signed_and_pinned_as_ca(void **state)
{
    struct pair *pair = *state;

    pair_serve(pair, &pair_self_signed);
    pair_begin(pair, &(struct ota_tls_options){.ca_pem = pair_self_signed.pem});
    assert_int_equal(talk_to(pair, "server.test"), OTA_OK);
    assert_int_equal(talk_to(pair, "other.test"), OTA_ERR_TLS_NAME);
}

static void several_in_one_text(void **state)
{
    struct pair *pair = *state;
    char pem[8192];

    snprintf(pem, sizeof pem, "some words\n%s\n\n# more\n%s", pair_self_signed.pem, pair_ca.pem);
    pair_begin(pair, &(struct ota_tls_options){.ca_pem = pem});
    assert_int_equal(talk_to(pair, "server.test"), OTA_OK);
}

/* ---- Names ----------------------------------------------------------------------------------- */

static void names_of_a_certificate(void **state)
{
    static const unsigned char ipv4[] = {192, 168, 4, 1};
    static const unsigned char ipv6[] = {0xFE, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9};
    const struct certificate_facts address = {
        .subject = "CN=server.test", .issuer = &pair_ca, .address = ipv4, .address_len = 4};
    const struct certificate_facts address6 = {
        .subject = "CN=server.test", .issuer = &pair_ca, .address = ipv6, .address_len = 16};
    const struct certificate_facts common = {.subject = "CN=192.168.4.1", .issuer = &pair_ca};
    const struct certificate_facts two = {.subject = "CN=server.test",
                                          .issuer = &pair_ca,
                                          .dns_name = "a.test",
                                          .dns_name_2 = "*.b.test"};
    const struct {
        const struct certificate_facts *facts;
        const char *host;
        enum ota_err err;
    } cases[] = {
        {&address, "192.168.4.1", OTA_OK},
        {&address, "192.168.4.2", OTA_ERR_TLS_NAME},
        {&address, "server.test", OTA_ERR_TLS_NAME}, /* there are other names: not the common one */
        {&address6, "fe80::9", OTA_OK},
        {&address6, "FE80:0::0:9%eth0", OTA_OK},
        {&address6, "fe80::8", OTA_ERR_TLS_NAME},
        {&common, "192.168.4.1", OTA_OK}, /* made by hand */
        {&common, "192.168.4.11", OTA_ERR_TLS_NAME},
        {&two, "A.Test", OTA_OK},
        {&two, "x.b.test.", OTA_OK},
        {&two, "x.y.b.test", OTA_ERR_TLS_NAME},
        {&two, "b.test", OTA_ERR_TLS_NAME},
        {&two, "server.test", OTA_ERR_TLS_NAME},
    };
    struct pair *pair = *state;

    trust_ca(pair);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(try_certificate(pair, cases[i].facts, cases[i].host), cases[i].err);
    }
    pair_assert_logged(pair, "192.168.4.2: the server's certificate is for CN=server.test");
}

static void no_name_is_sent_for_an_address(void **state)
{
    struct pair *pair = *state;

    trust_ca(pair);
    assert_int_equal(talk_to(pair, "192.168.4.1"), OTA_ERR_TLS_NAME);
    assert_string_equal(pair->server_name, "");
    assert_int_equal(talk_to(pair, "server.test"), OTA_OK);
    assert_string_equal(pair->server_name, "server.test");
}

static void any_name_if_asked_for(void **state)
{
    struct pair *pair = *state;

    pair_begin(pair, &(struct ota_tls_options){.ca_pem = pair_ca.pem, .any_name = true});
    assert_int_equal(talk_to(pair, "whatever"), OTA_OK);
}

static void which_names_match(void **state)
{
    static const struct {
        const char *host, *name;
        bool matches;
    } cases[] = {
        {"a.test", "a.test", true},
        {"A.TEST", "a.test", true},
        {"a.test", "a.test.", true},
        {"a.test.", "a.test", true},
        {"a.test", "b.test", false},
        {"a.test", "a.tes", false},
        {"a.tes", "a.test", false},
        {"a.test", "*.test", false},
        {"a.b.test", "*.b.test", true},
        {"a.b.test", "*.B.Test", true},
        {".b.test", "*.b.test", false},
        {"b.test", "*.b.test", false},
        {"a.b.test", "*", false},
        {"a.b.test", "*.", false},
        {"a.b.test", "a*.b.test", false},
        {"a.b.test", "*.*.test", false},
        {"a.test", "", false},
        {"", "", false},
        {"*.b.test", "*.b.test", true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(ota__tls_host_matches(cases[i].host, cases[i].name, strlen(cases[i].name)),
                         cases[i].matches);
    }
    assert_false(ota__tls_host_matches("good.test", "good.test\0.evil", 15));
    assert_false(ota__tls_host_matches("good.test", "good.test\0", 10));
}

static void which_hosts_are_addresses(void **state)
{
    static const struct {
        const char *host;
        size_t len;
        uint8_t bytes[16];
    } cases[] = {
        {"1.2.3.4", 4, {1, 2, 3, 4}},
        {"255.255.255.255", 4, {255, 255, 255, 255}},
        {"1.2.3", 0, {0}},
        {"1.2.3.4.5", 0, {0}},
        {"1.2.3.256", 0, {0}},
        {"1.2.3.", 0, {0}},
        {"1..3.4", 0, {0}},
        {"a.b.c.d", 0, {0}},
        {"::", 16, {0}},
        {"::1", 16, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}},
        {"1::", 16, {0, 1}},
        {"1:2:3:4:5:6:7:8", 16, {0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7, 0, 8}},
        {"1:2:3:4:5:6:7::", 16, {0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7, 0, 0}},
        {"::ffff:1.2.3.4", 16, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 1, 2, 3, 4}},
        {"fe80::a%lo", 16, {0xFE, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 10}},
        {"1:2:3:4:5:6:7:8:9", 0, {0}},
        {"1:2:3:4:5:6:7", 0, {0}},
        {"1::2::3", 0, {0}},
        {":1::2", 0, {0}},
        {"1:2:", 0, {0}},
        {":::", 0, {0}},
        {"12345::", 0, {0}},
        {"g::", 0, {0}},
        {"1:2:3:4:5:6:7:1.2.3.4", 0, {0}},
        {"", 0, {0}},
    };
    uint8_t address[16];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(ota__tls_host_address(cases[i].host, address), cases[i].len);
        assert_memory_equal(address, cases[i].bytes, cases[i].len);
    }
}

/* ---- Dates ----------------------------------------------------------------------------------- */

static void dates_are_checked(void **state)
{
    static const struct {
        int64_t now;
        enum ota_err err;
    } cases[] = {
        {EPOCH_2020, OTA_OK},
        {EPOCH_2020 - 1, OTA_ERR_TLS_EXPIRED},
        {EPOCH_2040, OTA_OK},
        {EPOCH_2040 + 1, OTA_ERR_TLS_EXPIRED},
        {EPOCH_2020 + 60 * DAY, OTA_OK},
        {1, OTA_ERR_TLS_EXPIRED},
    };
    struct pair *pair = *state;

    trust_ca(pair);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        pair->unix_time = cases[i].now;
        assert_int_equal(talk_to(pair, "server.test"), cases[i].err);
    }
    pair_assert_logged(pair, "is not valid yet");
    pair_assert_logged(pair, "is not valid any more");
}

static void leap_days(void **state)
{
    struct pair *pair = *state;
    const struct certificate_facts facts = {.subject = "CN=x",
                                            .dns_name = "server.test",
                                            .issuer = &pair_ca,
                                            .from = "20240229120000",
                                            .to = "20240301000000"};

    trust_ca(pair);
    pair->unix_time = 1709208000; /* 2024-02-29 12:00:00 */
    assert_int_equal(try_certificate(pair, &facts, "server.test"), OTA_OK);
    pair->unix_time--;
    assert_int_equal(try_certificate(pair, &facts, "server.test"), OTA_ERR_TLS_EXPIRED);
    pair->unix_time = 1709251200; /* 2024-03-01 */
    assert_int_equal(try_certificate(pair, &facts, "server.test"), OTA_OK);
    pair->unix_time++;
    assert_int_equal(try_certificate(pair, &facts, "server.test"), OTA_ERR_TLS_EXPIRED);
}

/* The system's own clock has no say: these are not valid in any year that tests run in. */
static void the_time_is_the_platforms(void **state)
{
    struct pair *pair = *state;
    const struct certificate_facts past = {.subject = "CN=x",
                                           .dns_name = "server.test",
                                           .issuer = &pair_ca,
                                           .from = "20210101000000",
                                           .to = "20220101000000"};

    trust_ca(pair);
    pair->unix_time = EPOCH_2020 + 500 * DAY;
    assert_int_equal(try_certificate(pair, &past, "server.test"), OTA_OK);
    pair->unix_time = EPOCH_2020 + 2000 * DAY;
    assert_int_equal(try_certificate(pair, &past, "server.test"), OTA_ERR_TLS_EXPIRED);
}

static void time_unknown_and_then_known(void **state)
{
    struct pair *pair = *state;

    pair_begin(pair, &(struct ota_tls_options){.ca_pem = pair_ca.pem});
    pair->unix_time = 0;
    assert_int_equal(talk_to(pair, "server.test"), OTA_OK);
    pair_assert_logged(pair, "W tls: server.test: the time is not known: dates");
    size_t logged = strlen(pair->log);
    assert_int_equal(talk_to(pair, "server.test"), OTA_OK);
    assert_int_equal(strlen(pair->log), logged); /* said once */
    assert_int_equal(pair->tls.resumptions, 1);
    pair->unix_time = EPOCH_2040 + 1;
    assert_int_equal(talk_to(pair, "server.test"), OTA_ERR_TLS_EXPIRED);
    pair_assert_logged(pair, "I tls: server.test: the time is known: dates");
    assert_int_equal(pair->tls.resumptions, 1);
    pair->platform.unix_time = NULL; /* a platform that never knows */
    assert_int_equal(talk_to(pair, "server.test"), OTA_OK);
}

/* A name that is wrong and a date that is over: said is what is graver. */
static void the_gravest_is_said(void **state)
{
    struct pair *pair = *state;

    trust_ca(pair);
    pair->unix_time = EPOCH_2040 + 1;
    assert_int_equal(talk_to(pair, "other.test"), OTA_ERR_TLS_NAME);
    pair_disconnect(pair);
    pair_connect(pair, "other.test", pair_self_signed.pem);
    assert_int_equal(pair_talk(pair, 1, 1), OTA_ERR_TLS_UNTRUSTED);
}

/* ---- Pinned ---------------------------------------------------------------------------------- */

static void pinned_by_sha256(void **state)
{
    struct pair *pair = *state;
    char fingerprint[96];

    certificate_fingerprint(&pair_server_certificate, false, fingerprint);
    pair_begin(pair, &(struct ota_tls_options){.fingerprint = fingerprint});
    pair->unix_time = EPOCH_2040 + 1;
    assert_int_equal(talk_to(pair, "whatever.test"), OTA_OK);
    pair_disconnect(pair);
    pair_serve(pair, &pair_self_signed);
    ota_tls_forget_sessions(&pair->tls);
    assert_int_equal(talk_to(pair, "server.test"), OTA_ERR_TLS_UNTRUSTED);
    pair_assert_logged(pair, "is not the pinned one");
}

static void pinned_by_sha1(void **state)
{
    struct pair *pair = *state;
    char fingerprint[96];

    certificate_fingerprint(&pair_server_certificate, true, fingerprint);
    for (char *at = fingerprint; *at != '\0'; at++) {
        *at = *at == ':' ? ' ' : *at; /* as browsers show it */
    }
    pair_begin(pair, &(struct ota_tls_options){.fingerprint = fingerprint});
    assert_int_equal(talk_to(pair, "server.test"), OTA_OK);
    pair_assert_logged(pair, "which is weak");
    pair_disconnect(pair);
    pair_serve(pair, &pair_self_signed);
    ota_tls_forget_sessions(&pair->tls);
    assert_int_equal(talk_to(pair, "server.test"), OTA_ERR_TLS_UNTRUSTED);
}

static void pinned_and_signed(void **state)
{
    struct pair *pair = *state;
    char fingerprint[96];

    certificate_fingerprint(&pair_server_certificate, false, fingerprint);
    pair_begin(pair, &(struct ota_tls_options){
                         .fingerprint = fingerprint,
                         .ca_pem = pair_ca.pem,
                         .no_resumption = true,
                     });
    assert_int_equal(talk_to(pair, "server.test"), OTA_OK);
    assert_int_equal(talk_to(pair, "other.test"), OTA_ERR_TLS_NAME);
    pair_disconnect(pair);
    pair_connect(pair, "server.test", pair_self_signed.pem);
    assert_int_equal(pair_talk(pair, 1, 1), OTA_ERR_TLS_UNTRUSTED);
    assert_int_equal(try_certificate(pair,
                                     &(struct certificate_facts){
                                         .subject = "CN=x",
                                         .issuer = &pair_ca,
                                         .dns_name = "server.test",
                                     },
                                     "server.test"),
                     OTA_ERR_TLS_UNTRUSTED);
}

/* ---- Sessions -------------------------------------------------------------------------------- */

static void sessions_are_resumed(void **state)
{
    struct pair *pair = *state;

    pair_begin(pair, &(struct ota_tls_options){.ca_pem = pair_ca.pem});
    for (uint32_t i = 0; i < 5; i++) {
        assert_int_equal(talk_to(pair, "server.test"), OTA_OK);
        assert_int_equal(pair->tls.handshakes, i + 1);
        assert_int_equal(pair->tls.resumptions, i);
    }
    ota_tls_forget_sessions(&pair->tls);
    assert_int_equal(talk_to(pair, "server.test"), OTA_OK);
    assert_int_equal(pair->tls.resumptions, 4);
}

static void sessions_end(void **state)
{
    struct pair *pair = *state;

    pair_begin(pair, &(struct ota_tls_options){.ca_pem = pair_ca.pem});
    assert_int_equal(talk_to(pair, "server.test"), OTA_OK);
    pair->now_ms += OTA_TLS_SESSION_S * 1000;
    assert_int_equal(talk_to(pair, "server.test"), OTA_OK);
    assert_int_equal(pair->tls.resumptions, 1);
    pair->now_ms++; /* counts from when the certificate was checked */
    assert_int_equal(talk_to(pair, "server.test"), OTA_OK);
    assert_int_equal(pair->tls.resumptions, 1);
}

/* A session that rests on one trust is no ticket to another. */
static void sessions_belong_to_a_trust(void **state)
{
    struct pair *pair = *state;

    pair_begin(pair, &(struct ota_tls_options){.ca_pem = pair_ca.pem});
    assert_int_equal(talk_to(pair, "server.test"), OTA_OK);
    pair_disconnect(pair);
    pair_connect(pair, "server.test", pair_self_signed.pem);
    assert_int_equal(pair_talk(pair, 1, 1), OTA_ERR_TLS_UNTRUSTED);
    pair_disconnect(pair);
    pair_connect(pair, "server.test", pair_ca.pem);
    assert_int_equal(pair_talk(pair, 1, 1), OTA_OK);
    assert_int_equal(pair->tls.resumptions, 1); /* the same text */
    assert_int_equal(talk_to(pair, "other.test"), OTA_ERR_TLS_NAME);
}

static void a_server_that_forgot(void **state)
{
    struct pair *pair = *state;

    pair_begin(pair, &(struct ota_tls_options){.ca_pem = pair_ca.pem});
    assert_int_equal(talk_to(pair, "server.test"), OTA_OK);
    pair_disconnect(pair);
    pair_serve(pair, &pair_server_certificate);
    assert_int_equal(talk_to(pair, "server.test"), OTA_OK);
    assert_int_equal(pair->tls.resumptions, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, pair_set_up, pair_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(another_ca),
        TEST(a_ca_of_the_same_name),
        TEST(self_signed_and_pinned_as_ca),
        TEST(several_in_one_text),
        TEST(names_of_a_certificate),
        TEST(no_name_is_sent_for_an_address),
        TEST(any_name_if_asked_for),
        TEST(which_names_match),
        TEST(which_hosts_are_addresses),
        TEST(dates_are_checked),
        TEST(leap_days),
        TEST(the_time_is_the_platforms),
        TEST(time_unknown_and_then_known),
        TEST(the_gravest_is_said),
        TEST(pinned_by_sha256),
        TEST(pinned_by_sha1),
        TEST(pinned_and_signed),
        TEST(sessions_are_resumed),
        TEST(sessions_end),
        TEST(sessions_belong_to_a_trust),
        TEST(a_server_that_forgot),
    };

    return cmocka_run_group_tests(tests, pair_set_up_group, pair_tear_down_group);
}
