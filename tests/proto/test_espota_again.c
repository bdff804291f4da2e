/* SPDX-License-Identifier: Apache-2.0 */
/* espota's device when datagrams come twice, late, or not at all, when passwords are guessed, and
   when the parts under it fail. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/espota_bench.h"
#include "support/faults.h"

#define BUSY_REPLY "ERR: Error: another update is under way: try again when it is over\r\n"

/* ---- Twice ----------------------------------------------------------------------------------- */

/* An invitation that comes again from the same socket brings the same nonce. */
static void test_invitation_twice(void **state)
{
    struct espota_bench *bench = bench_with_password(state);
    char first[sizeof bench->reply];

    bench_invite(bench);
    memcpy(first, bench->reply, sizeof first);
    bench_pass(bench, OTA_ESPOTA_DUPLICATE_MS - 1);
    bench_invite(bench); /* too soon: a host would read two answers where it expects one */
    assert_string_equal(bench->reply, "");
    bench_pass(bench, 1);
    bench_invite(bench);
    assert_string_equal(bench->reply, first);
    assert_string_equal(bench->events, "invited ");
    /* It is not a way to keep a nonce alive. */
    bench_pass(bench, OTA_ESPOTA_LOGIN_TIMEOUT_MS - OTA_ESPOTA_DUPLICATE_MS);
    assert_int_equal(bench->espota.state, OTA_ESPOTA_IDLE);
}

/* The answer comes twice, because the network doubled it or because OK was lost: OK again, until
   bytes come. */
static void test_right_answer_twice(void **state)
{
    struct espota_bench *bench = bench_with_password(state);
    char datagram[160];

    bench_invite(bench);
    bench_answer_md5(datagram, sizeof datagram, "secret", bench->reply + 5, CNONCE_MD5);
    bench_datagram(bench, datagram);
    assert_string_equal(bench->reply, "OK");
    bench_datagram(bench, datagram);
    assert_string_equal(bench->reply, "OK");
    bench_invite(bench); /* an invitation asks for a nonce, and there is none now */
    assert_string_equal(bench->reply, "");
    bench_connect(bench);
    bench_datagram(bench, datagram);
    assert_string_equal(bench->reply, "OK");
    bench->host = bench_address(51, 60000);
    bench_datagram(bench, datagram);
    assert_string_equal(bench->reply, "");
    bench->host = bench_address(50, 60000);
    bench_send(bench, bench->image, bench->image_len, 1460);
    bench_datagram(bench, datagram);
    assert_string_equal(bench->reply, "");
    bench_settle(bench);
    assert_string_equal(bench->events, "invited md5 start progress end ");
}

static void test_wrong_answer_twice(void **state)
{
    struct espota_bench *bench = bench_with_password(state);
    char datagram[160];

    bench_invite(bench);
    bench_answer_md5(datagram, sizeof datagram, "wrong", bench->reply + 5, CNONCE_MD5);
    bench_datagram(bench, datagram);
    assert_string_equal(bench->reply, WRONG_REPLY);
    bench_datagram(bench, datagram);
    assert_string_equal(bench->reply, WRONG_REPLY);
    assert_string_equal(bench->events, "invited error0:AUTH ");
    bench_invite(bench); /* after which it is of no more interest */
    bench_pass(bench, OTA_ESPOTA_LOGIN_TIMEOUT_MS);
    bench_datagram(bench, datagram);
    assert_string_equal(bench->reply, "");
    bench_answer_md5(datagram, sizeof datagram, "other", CNONCE_MD5, CNONCE_MD5);
    bench_datagram(bench, datagram);
    assert_string_equal(bench->reply, "");
}

static void test_refused_answer_twice(void **state)
{
    struct espota_bench *bench = bench_with_password(state);
    char datagram[160];

    bench->options.profile = OTA_ESPOTA_ESP32;
    bench_begin(bench);
    bench_invite_with(bench, 0, RAM_SLOT_SIZE + 1, bench->md5_digits);
    bench_answer_md5(datagram, sizeof datagram, "secret", bench->reply + 5, CNONCE_MD5);
    bench_datagram(bench, datagram);
    assert_string_equal(bench->reply, "ERR: Not Enough Space\r\n");
    bench_datagram(bench, datagram);
    assert_string_equal(bench->reply, "ERR: Not Enough Space\r\n");
    assert_string_equal(bench->events, "invited md5 error1:TOO_LARGE ");
}

/* While PBKDF2 runs, what comes twice changes nothing, and somebody else is told to wait. */
static void test_while_verifying(void **state)
{
    struct espota_bench *bench = *state;
    char datagram[160];

    bench->ram.device.crypto = &faulty_crypto; /* it counts what is left running */
    bench->options.password = "secret";
    bench_begin(bench);
    for (int someone_else = 0; someone_else < 2; someone_else++) {
        bench->host = bench_address(50, 60000);
        bench_invite(bench);
        bench_answer_pbkdf2(datagram, sizeof datagram, "secret", OTA_HASH_SHA256, bench->reply + 5,
                            CNONCE_SHA256);
        bench_datagram(bench, datagram);
        assert_string_equal(bench->reply, "");
        assert_int_equal(bench->espota.state, OTA_ESPOTA_VERIFYING);
        ota_espota_tick(&bench->espota, ++bench->now);
        bench_datagram(bench, datagram);
        bench_invite(bench);
        assert_string_equal(bench->reply, "");
        assert_int_equal(bench->espota.state, OTA_ESPOTA_VERIFYING);
        if (someone_else) {
            bench->host = bench_address(51, 60000);
            bench_invite(bench);
            assert_string_equal(bench->reply, BUSY_REPLY);
            assert_int_equal(bench->espota.state, OTA_ESPOTA_VERIFYING);
            bench->host = bench_address(50, 60000);
        }
        while (bench->espota.state == OTA_ESPOTA_VERIFYING) {
            ota_espota_tick(&bench->espota, ++bench->now);
            bench_take_reply(bench);
        }
        assert_string_equal(bench->reply, "OK");
        assert_true(ota_address_same(&bench->replied_to, &bench->host));
        ota_espota_stop(&bench->espota);
    }
}

/* Two senders at one address: the answer of the first would be judged by the nonce of the second.
   So that one waits, and then learns what became of it; a third does not even wait. */
static void test_two_senders(void **state)
{
    for (int is_wrong = 0; is_wrong < 2; is_wrong++) {
        struct espota_bench *bench = bench_with_password(state);
        char nonce[sizeof bench->reply];
        char datagram[160];
        bench->events[0] = '\0';
        bench->host = bench_address(50, 60000);
        bench_invite(bench);
        memcpy(nonce, bench->reply, sizeof nonce);
        for (unsigned i = 0; i < 2; i++) { /* it asks again while it waits */
            bench->host.port = 60001;
            bench_invite_with(bench, 100, 5000, bench->md5_digits);
            assert_string_equal(bench->reply, "");
            bench_pass(bench, OTA_ESPOTA_TURN_MS / 2 - 1);
            bench_take_reply(bench);
            assert_string_equal(bench->reply, "");
        }
        bench->host.port = 60002;
        bench_invite_with(bench, 100, 6000, bench->md5_digits);
        assert_string_equal(bench->reply, BUSY_REPLY);
        assert_true(ota_address_same(&bench->replied_to, &bench->host));
        bench->host.port = 60000;
        bench_answer_pbkdf2(datagram, sizeof datagram, is_wrong ? "wrong" : "secret",
                            OTA_HASH_SHA256, nonce + 5, CNONCE_SHA256);
        bench_datagram(bench, datagram);
        while (bench->espota.state == OTA_ESPOTA_VERIFYING) {
            assert_int_equal(ota_espota_wait_ms(&bench->espota), 0);
            ota_espota_tick(&bench->espota, ++bench->now);
            bench_take_reply(bench);
        }
        assert_string_equal(bench->reply, is_wrong ? WRONG_REPLY : "OK");
        assert_true(ota_address_same(&bench->replied_to, &bench->host));
        assert_int_equal(ota_espota_wait_ms(&bench->espota), 0);
        bench_pass(bench, 1);
        bench_take_reply(bench);
        bench->host.port = 60001;
        assert_true(ota_address_same(&bench->replied_to, &bench->host));
        if (is_wrong) {
            bench_login_pbkdf2(bench, "secret", OTA_HASH_SHA256);
            assert_string_equal(bench->reply, "OK");
            assert_string_equal(bench->events,
                                "invited error0:AUTH invited sha256 start progress ");
        } else {
            assert_string_equal(bench->reply, BUSY_REPLY);
            assert_string_equal(bench->events, "invited sha256 start progress ");
        }
        ota_espota_stop(&bench->espota);
    }
}

/* Who does not answer loses his turn; who is elsewhere does not have to wait, because his login
   cannot be taken for the other's. */
static void test_turn_is_over(void **state)
{
    for (int elsewhere = 0; elsewhere < 2; elsewhere++) {
        struct espota_bench *bench = bench_with_password(state);
        bench->host = bench_address(50, 60000);
        bench_invite(bench);
        bench->host = bench_address(elsewhere ? 51 : 50, 60001);
        bench_invite_with(bench, 100, 5000, bench->md5_digits);
        if (!elsewhere) {
            assert_string_equal(bench->reply, "");
            assert_int_equal(ota_espota_wait_ms(&bench->espota), OTA_ESPOTA_TURN_MS);
            bench_pass(bench, OTA_ESPOTA_TURN_MS);
            bench_take_reply(bench);
        }
        assert_memory_equal(bench->reply, "AUTH ", 5);
        assert_true(ota_address_same(&bench->replied_to, &bench->host));
        bench_login_pbkdf2(bench, "secret", OTA_HASH_SHA256);
        assert_string_equal(bench->reply, "OK");
        ota_espota_stop(&bench->espota);
    }
}

/* Somebody elsewhere takes the nonce away: who waited is forgotten, and asks again. */
static void test_waiting_in_vain(void **state)
{
    struct espota_bench *bench = bench_with_password(state);

    bench_invite(bench);
    bench->host.port++;
    bench_invite_with(bench, 100, 5000, bench->md5_digits);
    bench->host = bench_address(51, 60000);
    bench_invite(bench);
    assert_memory_equal(bench->reply, "AUTH ", 5);
    assert_int_equal(ota_espota_wait_ms(&bench->espota), OTA_ESPOTA_LOGIN_TIMEOUT_MS);
    bench_login_pbkdf2(bench, "secret", OTA_HASH_SHA256);
    assert_string_equal(bench->events, "invited invited sha256 start progress ");
}

/* It takes many short turns of the device's loop. */
static void test_slices(void **state)
{
    struct espota_bench *bench = bench_with_password(state);
    char datagram[160];
    unsigned ticks = 0;

    bench_invite(bench);
    bench_answer_pbkdf2(datagram, sizeof datagram, "secret", OTA_HASH_SHA256, bench->reply + 5,
                        CNONCE_SHA256);
    bench_datagram(bench, datagram);
    for (; bench->espota.state == OTA_ESPOTA_VERIFYING; ticks++) {
        ota_espota_tick(&bench->espota, bench->now);
    }
    assert_int_equal(ticks, OTA_ESPOTA_ITERATIONS / OTA_ESPOTA_SLICE);
}

/* ---- Hosts that cannot read a long nonce ----------------------------------------------------- */

/* Such a host asks again at once, from a new socket: then it gets 32 digits. */
static void test_quick_repeat(void **state)
{
    struct espota_bench *bench = bench_with_password(state);

    bench_invite(bench);
    assert_int_equal(strlen(bench->reply), 5 + 64);
    bench_pass(bench, OTA_ESPOTA_QUICK_MS - 1);
    bench->host.port++;
    bench_invite(bench);
    assert_int_equal(strlen(bench->reply), 5 + 32);
    bench_login_md5(bench, "secret", 32);
    assert_string_equal(bench->reply, "OK");
    ota_espota_stop(&bench->espota);
    /* The strong form with a short nonce is as good. */
    bench_invite(bench);
    bench->host.port++;
    bench_invite(bench);
    bench_login_pbkdf2(bench, "secret", OTA_HASH_SHA256);
    assert_string_equal(bench->reply, "OK");
}

/* Later it is a new attempt, another invitation is another push, and another host is another
   host. */
static void test_no_quick_repeat(void **state)
{
    struct espota_bench *bench = bench_with_password(state);

    bench_invite(bench);
    bench_pass(bench, OTA_ESPOTA_QUICK_MS);
    bench->host.port++;
    bench_invite(bench);
    assert_int_equal(strlen(bench->reply), 5 + 64);
    bench_pass(bench, OTA_ESPOTA_TURN_MS);
    bench->host.port++;
    bench_invite_with(bench, 0, bench->image_len - 1, bench->md5_digits);
    assert_int_equal(strlen(bench->reply), 5 + 64);
    bench->host = bench_address(51, 60000);
    bench_invite(bench);
    assert_int_equal(strlen(bench->reply), 5 + 64);
    /* Nor where the weak form is not allowed. */
    bench->options.login = OTA_ESPOTA_LOGIN_SHA256;
    bench_begin(bench);
    bench_invite(bench);
    bench->host.port++;
    bench_invite(bench);
    assert_int_equal(strlen(bench->reply), 5 + 64);
}

/* ---- Guessing -------------------------------------------------------------------------------- */

/* The first wrong answer costs nothing: a host that tries two forms is not slowed down. From then
   on the next nonce comes later and later, but always before hosts give up. */
static void test_guessing(void **state)
{
    struct espota_bench *bench = bench_with_password(state);
    static const uint32_t pauses[] = {0, 0, 500, 1000, 2000, 4000, 5000, 5000, 5000};

    for (size_t i = 0; i < sizeof pauses / sizeof *pauses; i++) {
        bench_invite(bench);
        if (pauses[i] > 0) {
            assert_string_equal(bench->reply, "");
            assert_int_equal(bench->espota.state, OTA_ESPOTA_PAUSING);
            assert_int_equal(ota_espota_wait_ms(&bench->espota), pauses[i]);
            bench_pass(bench, pauses[i] - 1);
            bench_invite(bench); /* again, which changes nothing */
            assert_string_equal(bench->reply, "");
            bench_pass(bench, 1);
            bench_take_reply(bench);
        }
        bench_login_md5(bench, "guess", 64);
        assert_string_equal(bench->reply, WRONG_REPLY);
    }
    bench_pass(bench, 4999);
    bench_invite(bench);
    assert_int_equal(ota_espota_wait_ms(&bench->espota), 1);
    bench_pass(bench, 1);
    bench_take_reply(bench);
    bench_login_md5(bench, "secret", 64);
    assert_string_equal(bench->reply, "OK");
    ota_espota_stop(&bench->espota);
    bench_invite(bench); /* all is forgiven */
    bench_login_md5(bench, "guess", 64);
    bench_invite(bench);
    assert_int_equal(bench->espota.state, OTA_ESPOTA_OFFERED);
}

/* The one who is held is the last one who asked. */
static void test_held_and_replaced(void **state)
{
    struct espota_bench *bench = bench_with_password(state);

    for (unsigned i = 0; i < 2; i++) {
        bench_invite(bench);
        bench_login_md5(bench, "guess", 64);
    }
    bench_invite(bench);
    bench->host = bench_address(51, 60000);
    bench_invite(bench);
    assert_string_equal(bench->reply, "");
    bench_pass(bench, 500);
    bench_take_reply(bench);
    assert_true(ota_address_same(&bench->replied_to, &bench->host));
    bench_login_md5(bench, "secret", 64);
    assert_string_equal(bench->reply, "OK");
}

/* ---- Parts that fail ------------------------------------------------------------------------- */

static void test_no_random(void **state)
{
    struct espota_bench *bench = bench_with_password(state);

    bench->random_err = OTA_ERR_CRYPTO;
    bench_invite(bench);
    assert_string_equal(bench->reply, "ERR: Error: the crypto library refused to work\r\n");
    assert_string_equal(bench->events, "invited error1:CRYPTO ");
    bench->random_err = OTA_OK;
    bench_invite(bench);
    assert_int_equal(bench->espota.state, OTA_ESPOTA_OFFERED);
}

/* Whichever call of the crypto library fails while a login is judged: nobody gets in by it, it is
   said, no hash is left running, and the next one who knows the password gets in. */
static bool fail_login(struct espota_bench *bench, unsigned number)
{
    static const enum ota_hash_algorithm forms[] = {OTA_HASH_MD5, OTA_HASH_SHA256};
    bool struck = false;

    (void)espota_bench_fresh((void **)&bench);
    bench->ram.device.crypto = &faulty_crypto;
    bench->options.password = "secret";
    bench->options.profile = OTA_ESPOTA_ESP32;
    bench_begin(bench);
    for (size_t i = 0; i < 2; i++) {
        bool struck_before = struck;
        bench_invite(bench);
        if (i == 0) {
            faults_set(FAULT_CRYPTO, number);
        }
        if (forms[i] == OTA_HASH_MD5) {
            bench_login_md5(bench, "secret", 32);
        } else {
            bench_login_pbkdf2(bench, "secret", OTA_HASH_SHA256);
        }
        struck = faults_struck();
        if (struck && !struck_before) {
            assert_memory_equal(bench->reply, "ERR: ", 5);
            assert_int_equal(bench->espota.state, OTA_ESPOTA_IDLE);
        } else {
            assert_string_equal(bench->reply, "OK");
            ota_espota_stop(&bench->espota);
        }
        assert_int_equal(faulty_crypto_running(), 0);
    }
    faults_clear();
    return struck;
}

static void test_failing_crypto(void **state)
{
    struct espota_bench *bench = *state;
    unsigned low = 1, high = 1000000;

    while (high - low > 1) { /* the last call of all; the iterations are alike */
        unsigned middle = low + (high - low) / 2;
        if (fail_login(bench, middle)) {
            low = middle;
        } else {
            high = middle;
        }
    }
    for (unsigned number = 1; number < 60; number++) {
        assert_true(fail_login(bench, number));
        assert_true(fail_login(bench, high - number));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_invitation_twice, espota_bench_fresh),
        cmocka_unit_test_setup(test_right_answer_twice, espota_bench_fresh),
        cmocka_unit_test_setup(test_wrong_answer_twice, espota_bench_fresh),
        cmocka_unit_test_setup(test_refused_answer_twice, espota_bench_fresh),
        cmocka_unit_test_setup(test_while_verifying, espota_bench_fresh),
        cmocka_unit_test_setup(test_two_senders, espota_bench_fresh),
        cmocka_unit_test_setup(test_turn_is_over, espota_bench_fresh),
        cmocka_unit_test_setup(test_waiting_in_vain, espota_bench_fresh),
        cmocka_unit_test_setup(test_slices, espota_bench_fresh),
        cmocka_unit_test_setup(test_quick_repeat, espota_bench_fresh),
        cmocka_unit_test_setup(test_no_quick_repeat, espota_bench_fresh),
        cmocka_unit_test_setup(test_guessing, espota_bench_fresh),
        cmocka_unit_test_setup(test_held_and_replaced, espota_bench_fresh),
        cmocka_unit_test_setup(test_no_random, espota_bench_fresh),
        cmocka_unit_test_setup(test_failing_crypto, espota_bench_fresh),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
