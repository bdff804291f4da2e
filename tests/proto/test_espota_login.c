/* SPDX-License-Identifier: Apache-2.0 */
/* espota's device and passwords: every form that hosts know, and what must not get in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/espota_bench.h"

/* "secret" */
#define SECRET_MD5 "5ebe2294ecd0e0f08eab7690d2a6ee69"
#define SECRET_SHA256 "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b"

/* What is out after an invitation: nothing is begun before somebody has logged in. */
static void assert_offered(const struct espota_bench *bench, size_t digits)
{
    assert_int_equal(strlen(bench->reply), 5 + digits);
    assert_memory_equal(bench->reply, "AUTH ", 5);
    assert_int_equal(strspn(bench->reply + 5, "0123456789abcdef"), digits);
    assert_int_equal(bench->espota.state, OTA_ESPOTA_OFFERED);
    assert_true(ota_intake_is_free(&bench->intake));
}

/* Neither the nonce nor anything that was made of the password is left. */
static void assert_forgotten(const struct espota_bench *bench)
{
    for (size_t i = 0; i < sizeof bench->espota.challenge; i++) {
        assert_int_equal(bench->espota.challenge[i], 0);
    }
    for (size_t i = 0; i < sizeof bench->espota.proof; i++) {
        assert_int_equal(bench->espota.proof.bytes[i], 0);
    }
}

static void assert_let_in(struct espota_bench *bench, const char *events)
{
    assert_string_equal(bench->reply, "OK");
    assert_int_equal(bench->espota.state, OTA_ESPOTA_CONNECTING);
    assert_string_equal(bench->events, events);
    assert_forgotten(bench);
    ota_espota_stop(&bench->espota);
    bench->events[0] = '\0';
}

static void assert_wrong(struct espota_bench *bench)
{
    assert_string_equal(bench->reply, WRONG_REPLY);
    assert_int_equal(bench->espota.state, OTA_ESPOTA_IDLE);
    assert_string_equal(bench->events, "invited error0:AUTH ");
    assert_true(ota_intake_is_free(&bench->intake));
    assert_forgotten(bench);
    bench->events[0] = '\0';
    bench_pass(bench, OTA_ESPOTA_PAUSE_MAX_MS); /* for those who try again in the same test */
}

/* ---- Who gets in ----------------------------------------------------------------------------- */

/* Hosts of the ESP8266 read all of the nonce, those of the ESP32 before 3.3.1 its first 32 digits,
   later ones all: each gets in, and one nonce serves them all. */
static void test_every_host(void **state)
{
    struct espota_bench *bench = bench_with_password(state);

    bench_invite(bench);
    assert_offered(bench, 64);
    bench_login_md5(bench, "secret", 64);
    assert_let_in(bench, "invited md5 start progress ");
    bench_invite(bench);
    bench_login_md5(bench, "secret", 32);
    assert_let_in(bench, "invited md5 start progress ");
    bench_invite(bench);
    bench_login_pbkdf2(bench, "secret", OTA_HASH_SHA256);
    assert_let_in(bench, "invited sha256 start progress ");
    bench_invite(bench);
    bench_login_pbkdf2(bench, "secret", OTA_HASH_MD5);
    assert_let_in(bench, "invited sha256 start progress ");
}

static void test_wrong_password(void **state)
{
    struct espota_bench *bench = bench_with_password(state);

    bench_invite(bench);
    bench_login_md5(bench, "Secret", 64);
    assert_wrong(bench);
    bench_invite(bench);
    bench_login_md5(bench, "", 32);
    assert_wrong(bench);
    bench_invite(bench);
    bench_login_pbkdf2(bench, "secret ", OTA_HASH_SHA256);
    assert_wrong(bench);
    bench_invite(bench);
    bench_login_pbkdf2(bench, "", OTA_HASH_MD5);
    assert_wrong(bench);
}

/* 33 digits of the nonce, say: only all of it, or 32, are a nonce. */
static void test_other_cuts(void **state)
{
    struct espota_bench *bench = bench_with_password(state);
    static const size_t cuts[] = {0, 1, 31, 33, 63};

    for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++) {
        bench_invite(bench);
        bench_login_md5(bench, "secret", cuts[i]);
        assert_wrong(bench);
    }
}

struct rule {
    const char *password, *sha256_hash, *md5_hash;
    enum ota_espota_login login;
    size_t digits;                   /* of the nonce; 0: begin refuses */
    bool md5, sha256, sha256_of_md5; /* which logins pass */
};

static void check_rule(struct espota_bench *bench, const struct rule *rule)
{
    bench->options.password = rule->password;
    bench->options.sha256_hash = rule->sha256_hash;
    bench->options.md5_hash = rule->md5_hash;
    bench->options.login = rule->login;
    if (rule->digits == 0) {
        assert_int_equal(ota_espota_begin(&bench->espota, &bench->options, bench->now),
                         OTA_ERR_ARGUMENT);
        return;
    }
    bench_begin(bench);
    assert_int_equal(ota_espota_allows_md5(&bench->espota.options), rule->md5);
    bench_invite(bench);
    assert_offered(bench, rule->digits);
    bench_login_md5(bench, "secret", 32);
    assert_string_equal(bench->reply, rule->md5 ? "OK" : WRONG_REPLY);
    bench_begin(bench);
    ota_intake_abort(&bench->intake);
    bench_invite(bench);
    bench_login_pbkdf2(bench, "secret", OTA_HASH_SHA256);
    assert_string_equal(bench->reply, rule->sha256 ? "OK" : WRONG_REPLY);
    bench_begin(bench);
    bench_invite(bench);
    bench_login_pbkdf2(bench, "secret", OTA_HASH_MD5);
    assert_string_equal(bench->reply, rule->sha256_of_md5 ? "OK" : WRONG_REPLY);
}

/* The login that is allowed, and what the password is kept as, settle what passes. */
static void test_rules(void **state)
{
    static const struct rule rules[] = {
        {"secret", NULL, NULL, OTA_ESPOTA_LOGIN_ANY, 64, true, true, true},
        {"secret", NULL, NULL, OTA_ESPOTA_LOGIN_SHA256, 64, false, true, true},
        {"secret", NULL, NULL, OTA_ESPOTA_LOGIN_MD5, 32, true, false, false},
        {NULL, SECRET_SHA256, NULL, OTA_ESPOTA_LOGIN_ANY, 64, false, true, false},
        {NULL, SECRET_SHA256, NULL, OTA_ESPOTA_LOGIN_SHA256, 64, false, true, false},
        {NULL, SECRET_SHA256, NULL, OTA_ESPOTA_LOGIN_MD5, 0, false, false, false},
        {NULL, NULL, SECRET_MD5, OTA_ESPOTA_LOGIN_ANY, 64, true, false, true},
        {NULL, NULL, SECRET_MD5, OTA_ESPOTA_LOGIN_SHA256, 64, false, false, true},
        {NULL, NULL, SECRET_MD5, OTA_ESPOTA_LOGIN_MD5, 32, true, false, false},
        {NULL, NULL, "5EBE2294ECD0E0F08EAB7690D2A6EE69", OTA_ESPOTA_LOGIN_ANY, 64, true, false,
         true},
        {"", SECRET_SHA256, SECRET_MD5, OTA_ESPOTA_LOGIN_ANY, 64, true, true, true},
        {NULL, SECRET_MD5, NULL, OTA_ESPOTA_LOGIN_ANY, 0, false, false, false},
        {NULL, NULL, "no hash at all", OTA_ESPOTA_LOGIN_ANY, 0, false, false, false},
    };
    struct espota_bench *bench = *state;

    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        check_rule(bench, &rules[i]);
    }
    bench->options.md5_hash = SECRET_MD5;
    bench->options.random = NULL;
    assert_int_equal(ota_espota_begin(&bench->espota, &bench->options, 0), OTA_ERR_ARGUMENT);
    bench->options.intake = NULL;
    bench->options.md5_hash = NULL;
    assert_int_equal(ota_espota_begin(&bench->espota, &bench->options, 0), OTA_ERR_ARGUMENT);
}

/* ---- Nonces ---------------------------------------------------------------------------------- */

static void test_nonces_differ(void **state)
{
    struct espota_bench *bench = bench_with_password(state);
    char first[sizeof bench->reply];

    bench_invite(bench);
    memcpy(first, bench->reply, sizeof first);
    bench_pass(bench, OTA_ESPOTA_LOGIN_TIMEOUT_MS);
    bench_invite(bench);
    assert_string_not_equal(bench->reply, first);
}

/* What was sent once gets nobody in again: neither as it is, nor to another nonce. */
static void test_replay(void **state)
{
    struct espota_bench *bench = bench_with_password(state);
    char datagram[160];

    bench_invite(bench);
    bench_answer_md5(datagram, sizeof datagram, "secret", bench->reply + 5, CNONCE_MD5);
    bench_datagram(bench, datagram);
    assert_string_equal(bench->reply, "OK");
    bench_connect(bench);
    bench_send(bench, bench->image, bench->image_len, 1460);
    bench_settle(bench);
    bench_datagram(bench, datagram);
    assert_string_equal(bench->reply, "");
    assert_int_equal(bench->espota.state, OTA_ESPOTA_IDLE);
    bench->events[0] = '\0';
    bench_invite(bench);
    bench_datagram(bench, datagram);
    assert_wrong(bench);
}

/* A right answer one millisecond before the time is over, and when it is. */
static void test_stale(void **state)
{
    struct espota_bench *bench = bench_with_password(state);
    char datagram[160];

    bench_invite(bench);
    assert_int_equal(ota_espota_wait_ms(&bench->espota), OTA_ESPOTA_LOGIN_TIMEOUT_MS);
    bench_pass(bench, OTA_ESPOTA_LOGIN_TIMEOUT_MS - 1);
    bench_login_md5(bench, "secret", 64);
    assert_let_in(bench, "invited md5 start progress ");

    bench_invite(bench);
    bench_answer_md5(datagram, sizeof datagram, "secret", bench->reply + 5, CNONCE_MD5);
    bench_pass(bench, OTA_ESPOTA_LOGIN_TIMEOUT_MS);
    assert_int_equal(bench->espota.state, OTA_ESPOTA_IDLE);
    assert_forgotten(bench);
    bench_datagram(bench, datagram);
    assert_string_equal(bench->reply, "");
    assert_string_equal(bench->events, "invited ");
    /* And nothing is lost by it: the next invitation is heard. */
    bench_invite(bench);
    assert_offered(bench, 64);
}

/* An invitation while a nonce is out is an invitation, and voids the nonce. What is begun is what
   the last one said. */
static void test_next_invitation(void **state)
{
    struct espota_bench *bench = bench_with_password(state);
    char datagram[160];

    bench_invite_with(bench, 0, 12345, "00000000000000000000000000000000");
    bench_pass(bench, OTA_ESPOTA_TURN_MS);
    bench_invite(bench);
    assert_offered(bench, 64);
    bench_login_md5(bench, "secret", 64);
    assert_int_equal(bench->espota.size, bench->image_len);
    assert_let_in(bench, "invited invited md5 start progress ");

    bench_invite_with(bench, 0, 12345, "00000000000000000000000000000000");
    bench_answer_md5(datagram, sizeof datagram, "secret", bench->reply + 5, CNONCE_MD5);
    bench->host = bench_address(51, 60001);
    bench_invite(bench);
    bench->events[0] = '\0';
    bench->host = bench_address(50, 60000);
    bench_datagram(bench, datagram); /* the first host's answer to a nonce that is void */
    assert_string_equal(bench->reply, "");
    assert_int_equal(bench->espota.state, OTA_ESPOTA_OFFERED);
    assert_string_equal(bench->events, "");
}

/* Who answers must be who asked; from which port does not matter. The answer goes there. */
static void test_source(void **state)
{
    struct espota_bench *bench = bench_with_password(state);
    char datagram[160];
    struct ota_address there = bench_address(50, 61234);

    bench_invite(bench);
    bench_answer_md5(datagram, sizeof datagram, "secret", bench->reply + 5, CNONCE_MD5);
    bench->host = bench_address(66, 60000);
    bench_datagram(bench, datagram);
    assert_string_equal(bench->reply, "");
    assert_int_equal(bench->espota.state, OTA_ESPOTA_OFFERED);
    bench->host = there;
    bench_datagram(bench, datagram);
    assert_string_equal(bench->reply, "OK");
    assert_true(ota_address_same(&bench->replied_to, &there));
    assert_int_equal(bench->espota.dial.port, BENCH_HOST_PORT);
    assert_true(ota_address_same_host(&bench->espota.dial, &there));
}

/* Answers of another length say nothing, and do not use up the nonce. */
static void test_bad_lengths(void **state)
{
    struct espota_bench *bench = bench_with_password(state);
    char right[160];
    static const char *const texts[] = {
        "200 " CNONCE_MD5 " " CNONCE_MD5 "0\n",
        "200 " CNONCE_MD5 " " CNONCE_SHA256 "\n",
        "200 " CNONCE_SHA256 " " CNONCE_MD5 "\n",
        "200 " CNONCE_MD5 "\n",
        "200 " CNONCE_MD5 " \n",
        "200 \n",
        "200\n",
        "201 " CNONCE_MD5 " " CNONCE_MD5 "\n",
    };

    bench_invite(bench);
    bench_answer_md5(right, sizeof right, "secret", bench->reply + 5, CNONCE_MD5);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        bench_datagram(bench, texts[i]);
        assert_string_equal(bench->reply, "");
        assert_int_equal(bench->espota.state, OTA_ESPOTA_OFFERED);
    }
    bench_datagram(bench, right);
    assert_let_in(bench, "invited md5 start progress ");
    bench_invite(bench);
    bench_datagram(bench, "200 " CNONCE_MD5 " zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz\n");
    assert_wrong(bench);
}

/* Each digit counts, in both forms. */
static void test_each_digit(void **state)
{
    struct espota_bench *bench = bench_with_password(state);
    char datagram[160];

    bench->keeps_random = true; /* one answer for all */
    bench_invite(bench);
    bench_answer_md5(datagram, sizeof datagram, "secret", bench->reply + 5, CNONCE_MD5);
    ota_espota_stop(&bench->espota);
    for (size_t at = 4; at < 4 + 32 + 1 + 32; at++) {
        char changed[160];
        if (datagram[at] == ' ') {
            continue;
        }
        memcpy(changed, datagram, sizeof changed);
        changed[at] = changed[at] == '0' ? '1' : '0';
        bench->events[0] = '\0';
        bench_pass(bench, OTA_ESPOTA_PAUSE_MAX_MS);
        bench_invite(bench);
        bench_datagram(bench, changed);
        assert_wrong(bench);
    }
    bench_invite(bench);
    bench_datagram(bench, datagram);
    assert_let_in(bench, "invited md5 start progress ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_every_host, espota_bench_fresh),
        cmocka_unit_test_setup(test_wrong_password, espota_bench_fresh),
        cmocka_unit_test_setup(test_other_cuts, espota_bench_fresh),
        cmocka_unit_test_setup(test_rules, espota_bench_fresh),
        cmocka_unit_test_setup(test_nonces_differ, espota_bench_fresh),
        cmocka_unit_test_setup(test_replay, espota_bench_fresh),
        cmocka_unit_test_setup(test_stale, espota_bench_fresh),
        cmocka_unit_test_setup(test_next_invitation, espota_bench_fresh),
        cmocka_unit_test_setup(test_source, espota_bench_fresh),
        cmocka_unit_test_setup(test_bad_lengths, espota_bench_fresh),
        cmocka_unit_test_setup(test_each_digit, espota_bench_fresh),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
