/* SPDX-License-Identifier: Apache-2.0 */
/* The sender of the Arduino update protocol when things go wrong: lost and doubled datagrams,
   passwords that are wrong, missing or asked for in the weak form, devices that refuse, fall silent
   or talk nonsense. */

#include "proto/pusher.h"

#include <stdio.h>
#include <string.h>

#define NONCE32 "0123456789abcdef0123456789abcdef"
#define NONCE64 NONCE32 "fedcba9876543210fedcba9876543210"
#define OTHER64 "fedcba9876543210fedcba9876543210" NONCE32

/* ---- Datagrams that are lost, doubled, late -------------------------------------------------- */

static void test_lost_invitations(void **state)
{
    (void)state;
    struct pusher pusher;

    pusher_begin(&pusher, NULL);
    for (uint32_t i = 1; i < OTA_ESPOTA_HOST_TRIES; i++) {
        pusher_expect_invitation(&pusher);
        assert_int_equal(pusher.host.tries, i);
        assert_int_equal(ota_espota_host_wait_ms(&pusher.host), OTA_ESPOTA_HOST_TRY_MS);
        assert_int_equal(pusher_wait(&pusher, OTA_ESPOTA_HOST_TRY_MS - 1), OTA_OK);
        assert_string_equal(pusher_datagram(&pusher), "");
        assert_int_equal(pusher_wait(&pusher, 1), OTA_OK);
    }
    pusher_expect_invitation(&pusher);
    assert_int_equal(pusher_answer(&pusher, "OK"), OTA_OK); /* the last one is good, too */
    pusher_connect(&pusher);
}

static void test_no_answer(void **state)
{
    (void)state;
    struct pusher pusher;

    pusher_begin(&pusher, NULL);
    while (pusher.host.state == OTA_ESPOTA_HOST_INVITING) {
        pusher_datagram(&pusher);
        pusher_wait(&pusher, ota_espota_host_wait_ms(&pusher.host));
    }
    assert_int_equal(pusher.now, OTA_ESPOTA_HOST_TRIES * OTA_ESPOTA_HOST_TRY_MS);
    pusher_expect_failure(&pusher, OTA_ERR_TIMEOUT, "no answer to 7 invitations: is the device on");
}

static void test_chosen_tries(void **state)
{
    (void)state;
    struct pusher pusher;

    pusher_prepare(&pusher, NULL);
    pusher.options.tries = 1;
    pusher.options.try_ms = 10;
    assert_int_equal(ota_espota_host_begin(&pusher.host, &pusher.options, 0), OTA_OK);
    pusher_expect_invitation(&pusher);
    assert_int_equal(pusher_wait(&pusher, 10), OTA_ERR_TIMEOUT);
}

/* The proof is sent again, and then all begins anew: the original forgets its question over a
   datagram that it does not expect. */
static void test_lost_proofs(void **state)
{
    (void)state;
    struct pusher pusher;
    char proof[160];

    pusher_begin(&pusher, "secret");
    pusher_expect_invitation(&pusher);
    pusher_answer(&pusher, "AUTH " NONCE64);
    snprintf(proof, sizeof proof, "%s", pusher_proof(&pusher));
    for (uint32_t i = 1; i < OTA_ESPOTA_HOST_LOGIN_TIMEOUT_MS / OTA_ESPOTA_HOST_LOGIN_TRY_MS; i++) {
        assert_int_equal(pusher_wait(&pusher, OTA_ESPOTA_HOST_LOGIN_TRY_MS), OTA_OK);
        assert_string_equal(pusher_datagram(&pusher), proof);
    }
    assert_int_equal(pusher_wait(&pusher, OTA_ESPOTA_HOST_LOGIN_TRY_MS), OTA_OK);
    pusher_expect_invitation(&pusher);
    pusher_answer(&pusher, "AUTH " OTHER64);
    assert_int_equal(pusher.host.login, OTA_ESPOTA_HOST_LOGIN_PBKDF2);
    assert_string_not_equal(pusher_proof(&pusher), proof);
    assert_int_equal(pusher_answer(&pusher, "OK"), OTA_OK);
    pusher_connect(&pusher);
}

static void test_proof_never_answered(void **state)
{
    (void)state;
    struct pusher pusher;
    unsigned proofs = 0;

    pusher_begin(&pusher, "secret");
    while (pusher.host.state != OTA_ESPOTA_HOST_FAILED) {
        if (pusher.host.state == OTA_ESPOTA_HOST_INVITING) {
            pusher_datagram(&pusher);
            pusher_answer(&pusher, "AUTH " NONCE64);
            pusher_proof(&pusher);
            proofs++;
        }
        pusher_datagram(&pusher);
        pusher_wait(&pusher, 500);
    }
    assert_int_equal(proofs, OTA_ESPOTA_HOST_LOGINS);
    assert_int_equal(pusher.host.login, OTA_ESPOTA_HOST_LOGIN_PBKDF2_MD5);
    pusher_expect_failure(&pusher, OTA_ERR_TIMEOUT, "asked for the password and never answered");
}

static void test_stops_answering(void **state)
{
    (void)state;
    struct pusher pusher;

    pusher_begin(&pusher, "secret");
    pusher_datagram(&pusher);
    pusher_answer(&pusher, "AUTH " NONCE64);
    pusher_proof(&pusher);
    pusher_answer(&pusher, "Authentication Failed");
    while (pusher.host.state == OTA_ESPOTA_HOST_INVITING) {
        pusher_datagram(&pusher);
        pusher_wait(&pusher, ota_espota_host_wait_ms(&pusher.host));
    }
    pusher_expect_failure(&pusher, OTA_ERR_TIMEOUT, "has stopped answering");
}

static void test_doubled_datagrams(void **state)
{
    (void)state;
    struct pusher pusher;
    char proof[160];

    pusher_begin(&pusher, "secret");
    pusher_expect_invitation(&pusher);
    pusher_answer(&pusher, "AUTH " NONCE64);
    pusher_answer(&pusher, "AUTH " NONCE64);
    snprintf(proof, sizeof proof, "%s", pusher_proof(&pusher));
    assert_int_equal(pusher_answer(&pusher, "AUTH " NONCE64), OTA_OK);
    assert_int_equal(pusher.host.state, OTA_ESPOTA_HOST_PROVING);
    assert_int_equal(pusher_answer(&pusher, "Authentication Failed"), OTA_OK);
    assert_int_equal(pusher_answer(&pusher, "Authentication Failed"), OTA_OK);
    pusher_expect_invitation(&pusher);
    pusher_answer(&pusher, "AUTH " OTHER64);
    assert_int_equal(pusher_answer(&pusher, "Authentication Failed"), OTA_OK); /* a late one */
    pusher_proof(&pusher);
    pusher_answer(&pusher, "OK");
    assert_int_equal(pusher_answer(&pusher, "OK"), OTA_OK);
    assert_int_equal(pusher_answer(&pusher, "AUTH " OTHER64), OTA_OK);
    assert_int_equal(pusher_answer(&pusher, "Nonsense"), OTA_OK);
    pusher_connect(&pusher);
    assert_int_equal(pusher_answer(&pusher, "ERR: late"), OTA_OK);
    assert_string_equal(pusher.log, "invited, challenged, md5 hash, invited, challenged, let in, "
                                    "connected");
}

/* An invitation that was sent again is answered by a device that asks anew: its last question
   counts. */
static void test_new_question(void **state)
{
    (void)state;
    struct pusher pusher;

    pusher_begin(&pusher, "secret");
    pusher_expect_invitation(&pusher);
    pusher_answer(&pusher, "AUTH " NONCE64);
    pusher_wait(&pusher, 1);
    pusher_answer(&pusher, "AUTH " OTHER64);
    pusher_proof(&pusher);
    pusher_answer(&pusher, "AUTH " NONCE32);
    assert_int_equal(pusher.host.login, OTA_ESPOTA_HOST_LOGIN_MD5);
    pusher_proof(&pusher);
    pusher_answer(&pusher, "AUTH " NONCE64);
    pusher_proof(&pusher);
    assert_int_equal(pusher_answer(&pusher, "AUTH " OTHER64), OTA_ERR_PROTOCOL); /* enough */
    pusher_expect_failure(&pusher, OTA_ERR_PROTOCOL, "AUTH " OTHER64);
}

/* ---- Passwords ------------------------------------------------------------------------------- */

static void test_proofs_of_all_forms(void **state)
{
    (void)state;
    struct pusher pusher;

    /* The numbers are those of test_espota_proof.c. */
    pusher_begin(&pusher, "open sesame");
    pusher_expect_invitation(&pusher);
    pusher_answer(&pusher, "AUTH 00070e151c232a31383f464d545b626970777e858c939aa1a8afb6bdc4cbd2d9");
    assert_string_equal(pusher_proof(&pusher),
                        "200 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f "
                        "2f980a06a96eabc318f842016ad8fdd79ef5d8544ca006a350f16e39c1650ac1\n");
    assert_int_equal(pusher_answer(&pusher, "Authentication Failed"), OTA_OK);
    pusher_expect_invitation(&pusher);
    pusher_answer(&pusher, "AUTH 00070e151c232a31383f464d545b626970777e858c939aa1a8afb6bdc4cbd2d9");
    assert_string_equal(pusher_proof(&pusher),
                        "200 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f "
                        "8baaccbbca916a5300346cb03bf9a41e988ce22752a92c3710c63eb0ee262cb3\n");
    assert_int_equal(pusher_answer(&pusher, "OK"), OTA_OK);
    assert_string_equal(pusher.log, "invited, challenged, md5 hash, invited, challenged, let in");

    pusher_begin(&pusher, "open sesame");
    pusher_expect_invitation(&pusher);
    pusher_answer(&pusher, "AUTH 00070e151c232a31383f464d545b6269");
    assert_string_equal(pusher_proof(&pusher), "200 000102030405060708090a0b0c0d0e0f "
                                               "0883c59fe9d6f6e90ecab967796c399f\n");
    assert_string_equal(pusher.log, "invited, challenged, weak");
}

static void test_wrong_password(void **state)
{
    (void)state;
    struct pusher pusher;

    pusher_begin(&pusher, "wrong");
    for (unsigned i = 0; i < 2; i++) {
        pusher_expect_invitation(&pusher);
        pusher_answer(&pusher, "AUTH " NONCE64);
        pusher_proof(&pusher);
        assert_int_equal(pusher_answer(&pusher, "Authentication Failed"),
                         i == 0 ? OTA_OK : OTA_ERR_AUTH);
    }
    pusher_expect_failure(&pusher, OTA_ERR_AUTH,
                          "password is wrong: the device says \"Authentication Failed\"");
}

static void test_missing_password(void **state)
{
    (void)state;
    struct pusher pusher;

    pusher_begin(&pusher, NULL);
    pusher_expect_invitation(&pusher);
    assert_int_equal(pusher_answer(&pusher, "AUTH " NONCE32), OTA_ERR_AUTH);
    pusher_expect_failure(&pusher, OTA_ERR_AUTH, "wants a password, and none was given");
}

static void test_weak_form_refused(void **state)
{
    (void)state;
    struct pusher pusher;

    pusher_prepare(&pusher, "secret");
    pusher.options.refuse_md5 = true;
    assert_int_equal(ota_espota_host_begin(&pusher.host, &pusher.options, 0), OTA_OK);
    pusher_expect_invitation(&pusher);
    assert_int_equal(pusher_answer(&pusher, "AUTH " NONCE32), OTA_ERR_AUTH);
    pusher_expect_failure(&pusher, OTA_ERR_AUTH, "by MD5, which is refused here");
}

static void test_nonsense_for_a_nonce(void **state)
{
    (void)state;
    static const char *const nonces[] = {"AUTH ", "AUTH 1234", "AUTH " NONCE32 "0",
                                         "AUTH " NONCE64 "0",
                                         "AUTH 0123456789 bcdef0123456789abcde!"};
    for (size_t i = 0; i < sizeof nonces / sizeof *nonces; i++) {
        struct pusher pusher;
        pusher_begin(&pusher, "secret");
        pusher_expect_invitation(&pusher);
        assert_int_equal(pusher_answer(&pusher, nonces[i]), OTA_ERR_PROTOCOL);
        pusher_expect_failure(&pusher, OTA_ERR_PROTOCOL, "not of this protocol");
    }
}

static void test_secrets_are_wiped(void **state)
{
    (void)state;
    struct pusher pusher;
    unsigned char nothing[sizeof pusher.host.proof] = {0};

    pusher_begin(&pusher, "secret");
    pusher_expect_invitation(&pusher);
    pusher_answer(&pusher, "AUTH " NONCE64);
    pusher_wait(&pusher, 1);
    assert_memory_not_equal(&pusher.host.proof, nothing, sizeof nothing);
    ota_espota_host_end(&pusher.host);
    assert_memory_equal(&pusher.host.proof, nothing, sizeof nothing);
}

/* ---- Answers --------------------------------------------------------------------------------- */

static void test_refusals(void **state)
{
    (void)state;
    static const struct {
        const char *answer;
        enum ota_err err;
        const char *words;
    } refusals[] = {
        {"ERR: ERROR[4]: Not Enough Space\n", OTA_ERR_PEER,
         "says \"ERROR[4]: Not Enough Space\": "},
        {"ERR: No Filesystem", OTA_ERR_PEER, "\"No Filesystem\": it has no file system"},
        {"ERR: on fire", OTA_ERR_PEER, "the device says \"on fire\""},
        {"ERR:", OTA_ERR_PEER, "the device says \"\""},
        {"HTTP/1.1 400 Bad Request\r\n\r\n", OTA_ERR_PROTOCOL, "\"HTTP/1.1 400 Bad Request\" is"},
        {"OKAY", OTA_ERR_PROTOCOL, "\"OKAY\""},
        {"AUTH", OTA_ERR_PROTOCOL, "\"AUTH\""},
    };
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        struct pusher pusher;
        pusher_begin(&pusher, "secret");
        pusher_expect_invitation(&pusher);
        assert_int_equal(pusher_answer(&pusher, ""), OTA_OK); /* nothing is no answer */
        assert_int_equal(pusher_answer(&pusher, refusals[i].answer), refusals[i].err);
        pusher_expect_failure(&pusher, refusals[i].err, refusals[i].words);
        assert_false(ota_espota_host_is_restarting(&pusher.host));
    }
}

/* Whoever says so in the words of our devices is worth another try; before that it is not known. */
static void test_about_to_restart(void **state)
{
    (void)state;
    static const char *const answers[] = {
        "ERR: Error: the device is about to restart: try again in a few seconds\r\n",
        "ERR: ERROR[15]: the device is about to restart: try again in a few seconds\n",
    };
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        struct pusher pusher;
        pusher_begin(&pusher, "secret");
        pusher_expect_invitation(&pusher);
        assert_false(ota_espota_host_is_restarting(&pusher.host));
        assert_int_equal(pusher_answer(&pusher, answers[i]), OTA_ERR_PEER);
        assert_true(ota_espota_host_is_restarting(&pusher.host));
        pusher_expect_failure(&pusher, OTA_ERR_PEER, "the device is about to restart");
    }
}

static void test_refusal_of_the_proof(void **state)
{
    (void)state;
    struct pusher pusher;

    pusher_begin(&pusher, "secret");
    pusher_expect_invitation(&pusher);
    pusher_answer(&pusher, "AUTH " NONCE64);
    pusher_proof(&pusher);
    assert_int_equal(pusher_answer(&pusher, "not today"), OTA_ERR_PEER);
    pusher_expect_failure(&pusher, OTA_ERR_PEER, "says \"not today\"");
}

/* An answer as long as a datagram can be is kept as far as it fits. */
static void test_long_answer(void **state)
{
    (void)state;
    struct pusher pusher;
    char answer[2000];

    memset(answer, 'x', sizeof answer);
    pusher_begin(&pusher, NULL);
    pusher_expect_invitation(&pusher);
    assert_int_equal(ota_espota_host_answer(&pusher.host, answer, sizeof answer), OTA_ERR_PROTOCOL);
    assert_int_equal(strlen(pusher.host.reply), OTA_ESPOTA_HOST_REPLY_SIZE - 1);
}

static void test_no_connection(void **state)
{
    (void)state;
    struct pusher pusher;

    pusher_begin(&pusher, NULL);
    pusher_expect_invitation(&pusher);
    pusher_answer(&pusher, "OK");
    assert_int_equal(ota_espota_host_wait_ms(&pusher.host), OTA_ESPOTA_HOST_CONNECT_TIMEOUT_MS);
    assert_int_equal(pusher_wait(&pusher, OTA_ESPOTA_HOST_CONNECT_TIMEOUT_MS - 1), OTA_OK);
    assert_int_equal(pusher_wait(&pusher, 1), OTA_ERR_CONNECT_BACK);
    pusher_expect_failure(&pusher, OTA_ERR_CONNECT_BACK,
                          "firewall on this computer probably keeps it out: allow incoming TCP "
                          "connections to port 43211");
}

/* The ESP8266 tells late that it will not. */
static void test_refusal_after_ok(void **state)
{
    (void)state;
    struct pusher pusher;

    pusher_begin(&pusher, NULL);
    pusher_expect_invitation(&pusher);
    pusher_answer(&pusher, "OK");
    assert_int_equal(pusher_answer(&pusher, "ERR: busy"), OTA_ERR_PEER);
    pusher_expect_failure(&pusher, OTA_ERR_PEER, "\"busy\"");
}

/* ---- The connection -------------------------------------------------------------------------- */

static void test_error_line_stops_the_image(void **state)
{
    (void)state;
    struct pusher pusher;
    char piece[8];

    pusher_begin_connected(&pusher);
    pusher_send(&pusher, 1000);
    assert_int_equal(pusher_input(&pusher, "1000Flash Wr"), OTA_OK);
    assert_int_equal(ota_espota_host_output(&pusher.host, piece, sizeof piece), 0);
    assert_int_equal(ota_espota_host_wait_ms(&pusher.host), OTA_ESPOTA_HOST_LINE_TIMEOUT_MS);
    assert_int_equal(pusher_input(&pusher, "ite Failed\r\n"), OTA_ERR_PEER);
    assert_int_equal(pusher.host.failure.offset, 1000);
    pusher_expect_failure(&pusher, OTA_ERR_PEER, "\"Flash Write Failed\": its flash");
}

static void test_error_line_without_end(void **state)
{
    (void)state;
    struct pusher pusher;
    char words[400];

    pusher_begin_connected(&pusher);
    pusher_input(&pusher, "Aborted");
    assert_int_equal(pusher_wait(&pusher, OTA_ESPOTA_HOST_LINE_TIMEOUT_MS), OTA_ERR_PEER);
    pusher_expect_failure(&pusher, OTA_ERR_PEER, "\"Aborted\"");

    memset(words, 'w', sizeof words);
    pusher_begin_connected(&pusher);
    assert_int_equal(ota_espota_host_input(&pusher.host, words, sizeof words), OTA_ERR_PEER);
    assert_int_equal(strlen(pusher.host.reply), OTA_ESPOTA_HOST_REPLY_SIZE - 1);
}

static void test_ok_too_early(void **state)
{
    (void)state;
    struct pusher pusher;

    pusher_begin_connected(&pusher);
    pusher_send(&pusher, 1000);
    assert_int_equal(pusher_input(&pusher, "1000OK"), OTA_ERR_PROTOCOL);
    pusher_expect_failure(&pusher, OTA_ERR_PROTOCOL, "said OK after 1000 of 3001 bytes");
}

static void test_connection_breaks(void **state)
{
    (void)state;
    struct pusher pusher;

    pusher_begin_connected(&pusher);
    pusher_send(&pusher, 1000);
    assert_int_equal(ota_espota_host_closed(&pusher.host, OTA_ERR_CONNECTION_LOST),
                     OTA_ERR_CONNECTION_LOST);
    pusher_expect_failure(&pusher, OTA_ERR_CONNECTION_LOST, "broke after 1000 of 3001 bytes");

    pusher_begin_connected(&pusher);
    pusher_send(&pusher, UINT32_MAX);
    pusher_input(&pusher, "3001");
    assert_int_equal(ota_espota_host_closed(&pusher.host, OTA_OK), OTA_ERR_CONNECTION_LOST);
    pusher_expect_failure(&pusher, OTA_ERR_CONNECTION_LOST, "without saying that it accepts");
}

static void test_stalls(void **state)
{
    (void)state;
    struct pusher pusher;

    pusher_begin_connected(&pusher);
    assert_int_equal(pusher_wait(&pusher, OTA_ESPOTA_HOST_STALL_TIMEOUT_MS - 1), OTA_OK);
    pusher_send(&pusher, 1000);
    assert_int_equal(pusher_wait(&pusher, OTA_ESPOTA_HOST_STALL_TIMEOUT_MS - 1), OTA_OK);
    pusher_input(&pusher, "1000");
    assert_int_equal(ota_espota_host_wait_ms(&pusher.host), OTA_ESPOTA_HOST_STALL_TIMEOUT_MS);
    assert_int_equal(pusher_wait(&pusher, OTA_ESPOTA_HOST_STALL_TIMEOUT_MS), OTA_ERR_TIMEOUT);
    pusher_expect_failure(&pusher, OTA_ERR_TIMEOUT, "nothing moved for 30 s after 1000 of 3001");
}

static void test_no_last_word(void **state)
{
    (void)state;
    struct pusher pusher;

    pusher_begin_connected(&pusher);
    pusher_send(&pusher, UINT32_MAX);
    pusher_wait(&pusher, OTA_ESPOTA_HOST_FINISH_TIMEOUT_MS - 1);
    pusher_input(&pusher, "3001");
    assert_int_equal(pusher_wait(&pusher, OTA_ESPOTA_HOST_FINISH_TIMEOUT_MS - 1), OTA_OK);
    assert_int_equal(pusher_wait(&pusher, 1), OTA_ERR_TIMEOUT);
    pusher_expect_failure(&pusher, OTA_ERR_TIMEOUT, "did not say within 60 s whether it accepts");
}

/* Digits for ever are no progress for ever. */
static void test_endless_digits(void **state)
{
    (void)state;
    struct pusher pusher;

    pusher_begin_connected(&pusher);
    pusher_send(&pusher, UINT32_MAX);
    while (pusher.host.state == OTA_ESPOTA_HOST_FINISHING) {
        assert_true(pusher.now <= OTA_ESPOTA_HOST_FINISH_MAX_MS);
        pusher_input(&pusher, "1");
        pusher_wait(&pusher, 1000);
    }
    pusher_expect_failure(&pusher, OTA_ERR_TIMEOUT, "did not say");
}

static void test_file_that_fails(void **state)
{
    (void)state;
    struct pusher pusher;

    pusher_begin_connected(&pusher);
    pusher.read_limit = 700;
    pusher.read_error = OTA_ERR_SOURCE;
    pusher_send(&pusher, UINT32_MAX);
    assert_int_equal(pusher.host.failure.offset, 700);
    pusher_expect_failure(&pusher, OTA_ERR_SOURCE, "image could not be read");
}

static void test_no_random_numbers(void **state)
{
    (void)state;
    struct pusher pusher;

    pusher_begin(&pusher, "secret");
    pusher.random_error = OTA_ERR_CRYPTO;
    pusher_expect_invitation(&pusher);
    assert_int_equal(pusher_answer(&pusher, "AUTH " NONCE64), OTA_ERR_CRYPTO);
    pusher_expect_failure(&pusher, OTA_ERR_CRYPTO, "could not be computed");
}

static void test_arguments(void **state)
{
    (void)state;
    struct pusher pusher;
    struct ota_espota_host_options good;

    pusher_prepare(&pusher, "secret");
    good = pusher.options;
    assert_int_equal(ota_espota_host_answer(&pusher.host, "OK", 2), OTA_ERR_STATE);
    assert_int_equal(ota_espota_host_input(&pusher.host, "OK", 2), OTA_ERR_STATE);
    assert_int_equal(ota_espota_host_closed(&pusher.host, OTA_OK), OTA_ERR_STATE);
    assert_int_equal(ota_espota_host_tick(&pusher.host, 0), OTA_ERR_STATE);
    assert_int_equal(ota_espota_host_wait_ms(&pusher.host), UINT32_MAX);
    assert_false(ota_espota_host_connected(&pusher.host));
    pusher.options.size = 0;
    assert_int_equal(ota_espota_host_begin(&pusher.host, &pusher.options, 0), OTA_ERR_ARGUMENT);
    pusher.options.size = 0x80000000u;
    assert_int_equal(ota_espota_host_begin(&pusher.host, &pusher.options, 0), OTA_ERR_ARGUMENT);
    pusher.options = good;
    pusher.options.host_port = 0;
    assert_int_equal(ota_espota_host_begin(&pusher.host, &pusher.options, 0), OTA_ERR_ARGUMENT);
    pusher.options = good;
    pusher.options.random = NULL;
    assert_int_equal(ota_espota_host_begin(&pusher.host, &pusher.options, 0), OTA_ERR_ARGUMENT);
    pusher.options = good;
    pusher.options.read = NULL;
    assert_int_equal(ota_espota_host_begin(&pusher.host, &pusher.options, 0), OTA_ERR_ARGUMENT);
    pusher.options = good;
    pusher.options.crypto = NULL;
    assert_int_equal(ota_espota_host_begin(&pusher.host, &pusher.options, 0), OTA_ERR_ARGUMENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lost_invitations),
        cmocka_unit_test(test_no_answer),
        cmocka_unit_test(test_chosen_tries),
        cmocka_unit_test(test_lost_proofs),
        cmocka_unit_test(test_proof_never_answered),
        cmocka_unit_test(test_stops_answering),
        cmocka_unit_test(test_doubled_datagrams),
        cmocka_unit_test(test_new_question),
        cmocka_unit_test(test_proofs_of_all_forms),
        cmocka_unit_test(test_wrong_password),
        cmocka_unit_test(test_missing_password),
        cmocka_unit_test(test_weak_form_refused),
        cmocka_unit_test(test_nonsense_for_a_nonce),
        cmocka_unit_test(test_secrets_are_wiped),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_about_to_restart),
        cmocka_unit_test(test_refusal_of_the_proof),
        cmocka_unit_test(test_long_answer),
        cmocka_unit_test(test_no_connection),
        cmocka_unit_test(test_refusal_after_ok),
        cmocka_unit_test(test_error_line_stops_the_image),
        cmocka_unit_test(test_error_line_without_end),
        cmocka_unit_test(test_ok_too_early),
        cmocka_unit_test(test_connection_breaks),
        cmocka_unit_test(test_stalls),
        cmocka_unit_test(test_no_last_word),
        cmocka_unit_test(test_endless_digits),
        cmocka_unit_test(test_file_that_fails),
        cmocka_unit_test(test_no_random_numbers),
        cmocka_unit_test(test_arguments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
