/* SPDX-License-Identifier: Apache-2.0 */
/* The wrapper against Mbed TLS's server over memory: data both ways however it is cut, ends and
   failures. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "tls/pair.h"

static void trust_ca(struct pair *pair)
{
    pair_begin(pair, &(struct ota_tls_options){.ca_pem = pair_ca.pem});
}

static void data_goes_both_ways(void **state)
{
    struct pair *pair = *state;

    trust_ca(pair);
    pair_connect(pair, "server.test", NULL);
    assert_int_equal(pair_talk(pair, 5000, 60000), OTA_OK);
    assert_string_equal(pair->server_name, "server.test");
    assert_int_equal(pair->tls.handshakes, 1);
    assert_int_equal(pair->tls.resumptions, 0);
}

static void one_byte_at_a_time(void **state)
{
    struct pair *pair = *state;

    trust_ca(pair);
    pair->to_client.piece = 1;
    pair->to_server.piece = 1;
    pair->to_server.stutters = true;
    pair_connect(pair, "server.test", NULL);
    assert_int_equal(pair_talk(pair, 1500, 2500), OTA_OK);
}

/* The answer is the same wherever what the server sends is torn in two. */
static void torn_in_two(void **state)
{
    struct pair *pair = *state;
    size_t total;

    pair_begin(pair, &(struct ota_tls_options){.ca_pem = pair_ca.pem, .no_resumption = true});
    pair_connect(pair, "server.test", NULL);
    assert_int_equal(pair_talk(pair, 10, 100), OTA_OK);
    total = pair->to_client.sent;
    for (size_t cut = 1; cut < total; cut += cut % 100 < 12 ? 1 : 29) {
        pair_disconnect(pair);
        pair->to_client.hold = cut;
        pair_connect(pair, "server.test", NULL);
        assert_int_equal(pair_talk(pair, 10, 100), OTA_OK);
    }
}

static void a_certificate_of_its_own(void **state)
{
    struct pair *pair = *state;

    pair_begin(pair, &(struct ota_tls_options){0});
    pair_connect(pair, "server.test", pair_ca.pem);
    assert_int_equal(pair_talk(pair, 10, 10), OTA_OK);
    pair_disconnect(pair);
    pair_connect(pair, "server.test", NULL);
    assert_int_equal(pair_talk(pair, 10, 10), OTA_ERR_TLS_UNTRUSTED);
}

/* An end that anybody could have caused is no end: neither in the handshake nor in the data. */
static void truncation_is_an_error(void **state)
{
    struct pair *pair = *state;

    pair_begin(pair, &(struct ota_tls_options){.ca_pem = pair_ca.pem, .no_resumption = true});
    pair_connect(pair, "server.test", NULL);
    assert_int_equal(pair_talk(pair, 10, 3000), OTA_OK);
    size_t whole = pair->to_client.sent;
    for (size_t cut = 0; cut < whole - 1; cut += 41) {
        pair_disconnect(pair);
        pair->to_client.cut = cut + 1;
        pair_connect(pair, "server.test", NULL);
        assert_int_equal(pair_talk(pair, 10, 3000), OTA_ERR_CONNECTION_LOST);
    }
}

static void what_is_no_tls(void **state)
{
    static const char *const answers[] = {
        "HTTP/1.1 400 Bad Request\r\n\r\n",
        "\x15\x03\x03\x00\x02\x02\x28",         /* a fatal alert: handshake_failure */
        "\x16\x03\x03\x00\x04\x02\xff\xff\xff", /* a ServerHello that is too long */
        "SSH-2.0-x\r\n",
    };
    static const size_t lens[] = {28, 7, 9, 11};
    struct pair *pair = *state;

    trust_ca(pair);
    for (size_t i = 0; i < sizeof lens / sizeof *lens; i++) {
        unsigned char data[100];
        size_t len;
        bool ended;
        pair_connect(pair, "server.test", NULL);
        memcpy(pair->to_client.bytes, answers[i], lens[i]);
        pair->to_client.sent = lens[i];
        assert_int_equal(pair->client->read(pair->client, data, sizeof data, &len, &ended),
                         OTA_ERR_TLS);
        assert_int_equal(len, 0);
        pair_assert_logged(pair, "the handshake failed: Mbed TLS -0x");
        pair_disconnect(pair);
    }
}

/* Whatever byte of the server's is changed, nothing but its data is ever read. */
static void damage_is_seen(void **state)
{
    struct pair *pair = *state;

    pair_begin(pair, &(struct ota_tls_options){.ca_pem = pair_ca.pem, .no_resumption = true});
    pair_connect(pair, "server.test", NULL);
    assert_int_equal(pair_talk(pair, 0, 50), OTA_OK);
    size_t total = pair->to_client.sent;
    for (size_t at = 0; at < total; at += 17) {
        pair_disconnect(pair);
        pair_connect(pair, "server.test", NULL);
        pair->to_client.damage = at + 1;
        enum ota_err err = pair_talk(pair, 0, 50);
        assert_true(err == OTA_ERR_TLS || err == OTA_ERR_TLS_UNTRUSTED || err == OTA_ERR_TLS_NAME ||
                    err == OTA_ERR_TLS_EXPIRED || err == OTA_ERR_CONNECTION_LOST);
    }
}

static void errors_from_below(void **state)
{
    struct pair *pair = *state;

    trust_ca(pair);
    pair->read_error = OTA_ERR_CONNECT;
    pair_connect(pair, "server.test", NULL);
    assert_int_equal(pair_talk(pair, 1, 1), OTA_ERR_CONNECT);
    pair_disconnect(pair);
    pair->read_error = OTA_OK;
    pair->write_error = OTA_ERR_CONNECTION_LOST;
    pair_connect(pair, "server.test", NULL);
    assert_int_equal(pair_talk(pair, 1, 1), OTA_ERR_CONNECTION_LOST);
    pair_disconnect(pair);
    pair->write_error = OTA_OK;
    pair->random_error = OTA_ERR_CRYPTO;
    pair_connect(pair, "server.test", NULL);
    assert_int_equal(pair_talk(pair, 1, 1), OTA_ERR_CRYPTO);
}

static void begin_demands_what_it_can_use(void **state)
{
    struct pair *pair = *state;
    struct ota_secure *secure = &pair->tls.secure;
    struct ota_stream *outer;
    char host[200];

    assert_int_equal(ota_tls_begin(&pair->tls, &(struct ota_tls_options){.ca_pem = "no PEM"}),
                     OTA_ERR_ARGUMENT);
    assert_int_equal(ota_tls_begin(&pair->tls, &(struct ota_tls_options){.fingerprint = "AA:BB"}),
                     OTA_ERR_ARGUMENT);
    assert_int_equal(ota_tls_begin(&pair->tls, &(struct ota_tls_options){.fingerprint = "x"}),
                     OTA_ERR_ARGUMENT);
    assert_int_equal(ota_tls_begin(&pair->tls, &(struct ota_tls_options){.max_fragment = 1000}),
                     OTA_ERR_ARGUMENT);
    trust_ca(pair);
    assert_int_equal(secure->wrap(secure, &pair->platform, "h", "no PEM", &pair->inner, &outer),
                     OTA_ERR_ARGUMENT);
    memset(host, 'h', sizeof host);
    host[sizeof host - 1] = '\0';
    assert_int_equal(secure->wrap(secure, &pair->platform, host, NULL, &pair->inner, &outer),
                     OTA_ERR_ARGUMENT);
    assert_false(pair->inner_closed);
}

/* Records' lengths, as they went over the wire. */
static size_t longest_record(const struct pair_queue *queue)
{
    size_t longest = 0;

    for (size_t at = 0; at + 5 <= queue->sent;) {
        size_t len = (size_t)queue->bytes[at + 3] << 8 | queue->bytes[at + 4];
        longest = len > longest ? len : longest;
        at += 5 + len;
    }
    return longest;
}

static void short_records_on_request(void **state)
{
    static const uint16_t lens[] = {512, 1024, 2048, 4096};
    struct pair *pair = *state;

    for (size_t i = 0; i < 4; i++) {
        pair_begin(pair, &(struct ota_tls_options){
                             .ca_pem = pair_ca.pem,
                             .max_fragment = lens[i],
                         });
        pair_connect(pair, "server.test", NULL);
        assert_int_equal(pair_talk(pair, 5000, 20000), OTA_OK);
        /* explicit nonce and tag of AES-GCM on top */
        assert_in_range(longest_record(&pair->to_client), lens[i] / 2, lens[i] + 24u);
        assert_in_range(longest_record(&pair->to_server), 200, lens[i] + 24u);
        pair_disconnect(pair);
        ota_tls_end(&pair->tls);
    }
    trust_ca(pair);
    pair_connect(pair, "server.test", NULL);
    assert_int_equal(pair_talk(pair, 100, 20000), OTA_OK);
    assert_true(longest_record(&pair->to_client) > 4090);
}

static const int old_suites[] = {MBEDTLS_TLS_RSA_WITH_AES_128_CBC_SHA,
                                 MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA, 0};

static void old_suites_only_if_asked_for(void **state)
{
    struct pair *pair = *state;

    mbedtls_ssl_conf_ciphersuites(&pair->server_config, old_suites);
    trust_ca(pair);
    pair_connect(pair, "server.test", NULL);
    assert_int_equal(pair_talk(pair, 10, 10), OTA_ERR_TLS);
    pair_disconnect(pair);
    ota_tls_end(&pair->tls);
    pair_begin(pair, &(struct ota_tls_options){.ca_pem = pair_ca.pem, .legacy_suites = true});
    pair_connect(pair, "server.test", NULL);
    assert_int_equal(pair_talk(pair, 10, 10), OTA_OK);
}

static void old_versions_never(void **state)
{
    struct pair *pair = *state;

    mbedtls_ssl_conf_max_version(&pair->server_config, MBEDTLS_SSL_MAJOR_VERSION_3,
                                 MBEDTLS_SSL_MINOR_VERSION_2);
    pair_begin(pair, &(struct ota_tls_options){.ca_pem = pair_ca.pem, .legacy_suites = true});
    pair_connect(pair, "server.test", NULL);
    assert_int_equal(pair_talk(pair, 10, 10), OTA_ERR_TLS);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, pair_set_up, pair_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(data_goes_both_ways),
        TEST(one_byte_at_a_time),
        TEST(torn_in_two),
        TEST(a_certificate_of_its_own),
        TEST(truncation_is_an_error),
        TEST(what_is_no_tls),
        TEST(damage_is_seen),
        TEST(errors_from_below),
        TEST(begin_demands_what_it_can_use),
        TEST(short_records_on_request),
        TEST(old_suites_only_if_asked_for),
        TEST(old_versions_never),
    };

    return cmocka_run_group_tests(tests, pair_set_up_group, pair_tear_down_group);
}
