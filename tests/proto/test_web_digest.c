/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Digest login: answered as a client does it, which this file does by itself (RFC 7616 section
 * 3.4), and answered wrongly, again, too late, and for something else.
 */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "proto/digits.h"
#include "proto/web_bench.h"
#include "support/faults.h"

static struct web_bench bench;

static void make(void)
{
    web_bench_make(&bench, 0);
    bench.options.user = "u";
    bench.options.password = "p";
    web_bench_begin(&bench);
}

static int set_up(void **state)
{
    (void)state;
    make();
    return 0;
}

/* ---- A client -------------------------------------------------------------------------------- */

/* What a client makes its answer from. */
struct client {
    const char *user, *realm, *password, *method, *uri, *nonce, *count, *cnonce, *qop;
};

static const struct client honest = {
    .user = "u",
    .realm = "Login Required",
    .password = "p",
    .method = "GET",
    .uri = "/update",
    .count = "00000001",
    .cnonce = "NzFjODI5",
    .qop = "auth",
};

static void hash(char digits[33], const char *format, ...) __attribute__((format(printf, 2, 3)));

static void hash(char digits[33], const char *format, ...)
{
    char text[512];
    va_list arguments;

    va_start(arguments, format);
    /* NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): begun in the line above */
    int len = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    assert_true(len > 0 && len < (int)sizeof text);
    digits_of(OTA_HASH_MD5, text, (size_t)len, digits);
}

static void respond(const struct client *client, char response[33])
{
    char first[33], second[33];

    hash(first, "%s:%s:%s", client->user, client->realm, client->password);
    hash(second, "%s:%s", client->method, client->uri);
    hash(response, "%s:%s:%s:%s:%s:%s", first, client->nonce, client->count, client->cnonce,
         client->qop, second);
}

static const char *login(const struct client *client)
{
    static char line[1024];
    char response[33];

    respond(client, response);
    snprintf(line, sizeof line,
             "Authorization: Digest username=\"%s\", realm=\"%s\", nonce=\"%s\", uri=\"%s\", "
             "cnonce=\"%s\", nc=%s, qop=%s, response=\"%s\", algorithm=MD5\r\n",
             client->user, client->realm, client->nonce, client->uri, client->cnonce, client->count,
             client->qop, response);
    return line;
}

/* Finds the nonce of the last answer on a connection, and whether it says that the one before was
   only too old. */
static void read_challenge(unsigned connection, char nonce[41], bool *stale)
{
    const char *at = strstr(bench.out[connection], "WWW-Authenticate: Digest realm=\"Login "
                                                   "Required\", qop=\"auth\", algorithm=MD5, "
                                                   "nonce=\"");
    const char *basic = strstr(bench.out[connection], "WWW-Authenticate: Basic realm=");

    assert_non_null(at);
    assert_non_null(basic);
    assert_true(basic < at); /* old tools look at the first */
    at = strstr(at, "nonce=\"") + strlen("nonce=\"");
    snprintf(nonce, 41, "%s", at);
    assert_int_equal(strspn(nonce, "0123456789abcdef"), 40);
    *stale = strncmp(at + 40, "\", stale=true\r\n", 15) == 0;
    assert_true(*stale || strncmp(at + 40, "\"\r\n", 3) == 0);
}

/* Asks without a login, and keeps the nonce that is offered. */
static void challenge(char nonce[41])
{
    bool stale;

    assert_int_equal(web_bench_get(&bench, "/update", ""), 401);
    read_challenge(0, nonce, &stale);
    assert_false(stale);
}

static unsigned get(const char *line)
{
    return web_bench_get(&bench, "/update", line);
}

/* ---- Challenges ------------------------------------------------------------------------------ */

static void test_nonces_differ(void **state)
{
    char nonces[3][41];

    (void)state;
    challenge(nonces[0]);
    challenge(nonces[1]);
    web_bench_begin(&bench); /* another boot, the same number at the same time */
    challenge(nonces[2]);
    assert_string_not_equal(nonces[0], nonces[1]);
    assert_memory_equal(nonces[0], nonces[2], 16);
    assert_memory_not_equal(nonces[0] + 16, nonces[2] + 16, 24);
    assert_memory_not_equal(nonces[0] + 16, nonces[1] + 16, 24);
}

static void test_it_needs_randomness(void **state)
{
    (void)state;
    bench.draws_fail = true;
    web_bench_begin(&bench);
    assert_int_equal(get(""), 401);
    assert_true(web_bench_has_line(&bench, 0, "WWW-Authenticate: Basic realm=\"Login Required\""));
    assert_null(strstr(bench.out[0], "Digest"));
    bench.options.random = NULL;
    web_bench_begin(&bench);
    assert_int_equal(get(""), 401);
    assert_null(strstr(bench.out[0], "Digest"));

    struct client client = honest;
    client.nonce = "0123456789012345678901234567890123456789";
    assert_int_equal(get(login(&client)), 0); /* held back as a wrong one */
    assert_string_equal(bench.events, "L");
}

/* ---- Right ones ------------------------------------------------------------------------------ */

static void test_right_ones(void **state)
{
    struct client client = honest;
    char nonce[41], count[9];

    (void)state;
    challenge(nonce);
    client.nonce = nonce;
    for (unsigned i = 1; i < 100; i++) {
        snprintf(count, sizeof count, "%08x", i);
        client.count = count;
        assert_int_equal(get(login(&client)), 200);
    }
    assert_string_equal(bench.events, "");
}

/* ElegantOTA's tool: the start brings the nonce, the upload goes on with it. */
static void test_an_upload(void **state)
{
    struct client client = honest;
    char nonce[41], target[128];

    (void)state;
    snprintf(target, sizeof target, "/ota/start?mode=fr&hash=%s", bench.md5);
    challenge(nonce);
    client.nonce = nonce;
    client.uri = target;
    assert_int_equal(web_bench_get(&bench, target, login(&client)), 200);
    client.count = "00000002";
    client.method = "POST";
    client.uri = "/ota/upload";
    web_bench_compose_form(&bench, "/ota/upload", login(&client), "firmware", "firmware",
                           bench.image, bench.image_len);
    assert_int_equal(web_bench_ask(&bench), 200);
    web_bench_assert_updated(&bench);
}

/* A client that knows of no nonce yet sends an empty body first. */
static void test_an_empty_body_first(void **state)
{
    char nonce[41], head[1024];
    struct client client = honest;
    bool stale;

    (void)state;
    web_bench_compose(&bench, "POST /update HTTP/1.1\r\nHost: board\r\nContent-Length: 0\r\n", NULL,
                      0);
    assert_int_equal(web_bench_ask(&bench), 401);
    assert_true(web_bench_has_line(&bench, 0, "Connection: keep-alive"));
    read_challenge(0, nonce, &stale);
    client.nonce = nonce;
    client.method = "POST";
    snprintf(head, sizeof head, "POST /update HTTP/1.1\r\n%sHost: board\r\nContent-Length: %zu\r\n",
             login(&client), bench.image_len);
    web_bench_compose(&bench, head, bench.image, bench.image_len);
    web_bench_send(&bench, 0); /* on the same connection */
    assert_int_equal(web_bench_status(&bench, 0), 200);
    web_bench_assert_updated(&bench);
}

static void test_every_method(void **state)
{
    static const struct {
        const char *method;
        unsigned status;
    } methods[] = {{"GET", 200}, {"HEAD", 200}, {"OPTIONS", 204}, {"PUT", 405}};
    struct client client = honest;
    char nonce[41], head[1024];

    (void)state;
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
        challenge(nonce);
        client.nonce = nonce;
        client.method = methods[i].method;
        snprintf(head, sizeof head, "%s /update HTTP/1.1\r\nHost: board\r\n%s", client.method,
                 login(&client));
        web_bench_compose(&bench, head, NULL, 0);
        assert_int_equal(web_bench_ask(&bench), methods[i].status);
    }
}

/* Writes a login whose form has a @ for the nonce and a # for the response. */
static void fill_in(char *out, size_t size, const char *form, const char *nonce,
                    const char *response)
{
    size_t len = 0;

    for (; *form != '\0'; form++) {
        if (*form == '@' || *form == '#') {
            len += (size_t)snprintf(out + len, size - len, "%s", *form == '@' ? nonce : response);
        } else {
            out[len++] = *form;
        }
        assert_true(len < size);
    }
    out[len] = '\0';
}

/* As clients write it, each in its own way, cut at every place. */
static void test_every_way_to_write_it(void **state)
{
    static const char *const forms[] = {
        "Digest username=\"u\", realm=\"Login Required\", nonce=\"@\", uri=\"/update\", "
        "cnonce=\"NzFjODI5\", nc=00000001, qop=auth, response=\"#\"",
        "digest nonce=@,response=#,nc=00000001,cnonce=NzFjODI5,qop=auth",
        "DIGEST  NONCE = \"@\" ,, Response=\"#\"\t,nc=\"00000001\",cnonce=NzFjODI5 , "
        "QOP=\"auth\", ALGORITHM=\"md5\",",
        "Digest username=\"a \\\"quoted\\\", nonce=1\", nonce=\"@\", response=\"#\", "
        "nc=00000001, cnonce=\"NzFjODI5\", qop=\"auth\", opaque=\"\", x=, algorithm=MD5",
    };
    struct client client = honest;
    char nonce[41], response[33], value[512], line[600];

    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        for (size_t cut = 0; cut < 420; cut += i == 0 ? 1 : 20) {
            set_up(state);
            challenge(nonce);
            client.nonce = nonce;
            respond(&client, response);
            fill_in(value, sizeof value, forms[i], nonce, response);
            snprintf(line, sizeof line, "Authorization: %s\r\n", value);
            bench.first = cut;
            if (get(line) != 200) {
                print_message("%s", line);
            }
            assert_int_equal(web_bench_status(&bench, 0), 200);
        }
    }
}

/* ---- Wrong ones ------------------------------------------------------------------------------ */

static void assert_wrong(const char *line)
{
    assert_int_equal(get(line), 0); /* nothing yet */
    if (strcmp(bench.events, "L") != 0) {
        print_message("%s", line);
    }
    assert_string_equal(bench.events, "L");
    web_bench_wait(&bench, OTA_WEB_LOGIN_PAUSE_MS);
    assert_int_equal(web_bench_status(&bench, 0), 401);
    assert_null(strstr(bench.out[0], "stale"));
    assert_non_null(strstr(bench.out[0], "Digest")); /* try again */
    web_bench_assert_nothing(&bench);
}

static void test_wrong_ones(void **state)
{
    static const struct client clients[] = {
        {.user = "U"},
        {.realm = "login required"},
        {.password = "q"},
        {.password = ""},
        {.method = "POST"},
        {.uri = "/restart"},
        {.uri = "/update?"},
        {.uri = "http://board/update"},
        {.qop = "auth-int"},
        {.count = "1"},
        {.count = "000000001"},
        {.nonce = "0123"},
        {.nonce = "01234567890123456789012345678901234567890"},
    };
    char nonce[41];

    for (size_t i = 0; i < sizeof clients / sizeof *clients; i++) {
        struct client client = clients[i];
        set_up(state);
        challenge(nonce);
        client.user = client.user != NULL ? client.user : honest.user;
        client.realm = client.realm != NULL ? client.realm : honest.realm;
        client.password = client.password != NULL ? client.password : honest.password;
        client.method = client.method != NULL ? client.method : honest.method;
        client.uri = client.uri != NULL ? client.uri : honest.uri;
        client.count = client.count != NULL ? client.count : honest.count;
        client.qop = client.qop != NULL ? client.qop : honest.qop;
        client.nonce = client.nonce != NULL ? client.nonce : nonce;
        client.cnonce = honest.cnonce;
        assert_wrong(login(&client));
    }
}

/* A field that is missing, or there twice, or is none. */
static void test_malformed_ones(void **state)
{
    static const char *const formats[] = {
        "nonce=\"@\", cnonce=\"NzFjODI5\", nc=00000001, qop=auth, response=#, algorithm=SHA-256",
        "nonce=\"@\", cnonce=\"NzFjODI5\", nc=00000001, qop=auth, response=#, algorithm=MD5-sess",
        "nonce=\"@\", cnonce=\"NzFjODI5\", nc=00000001, qop=auth, response=#, nc=00000001",
        "nonce=\"@\", cnonce=\"NzFjODI5\", nc=00000001, qop=auth, response=#, x",
        "nonce=\"@\", cnonce=\"NzFjODI5\", nc=00000001, qop=auth, response=#, x=\"",
        "nonce=\"@\", cnonce=\"NzFjODI5\", nc=00000001, qop=auth, response=\"#",
        "nonce=\"@\", cnonce=\"NzFjODI5\", nc=00000001, qop=auth, response=\"#\\",
        "nonce=\"@\", cnonce=\"NzFjODI5\", nc=00000001, qop=auth, response=#0",
        "nonce=\"@\", cnonce=\"NzFjODI5\", nc=00000001, response=#",
        "nonce=\"@\", cnonce=\"NzFjODI5\", qop=auth, response=#",
        "nonce=\"@\", nc=00000001, qop=auth, response=#",
        "opaque=\"@\", cnonce=\"NzFjODI5\", nc=00000001, qop=auth, response=#",
        "nonce=\"@\", cnonce=\"NzFjODI5\", nc=00000001, qop=auth, request=#",
    };
    struct client client = honest;
    char nonce[41], response[33], value[512], line[600];

    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        set_up(state);
        challenge(nonce);
        client.nonce = nonce;
        respond(&client, response);
        fill_in(value, sizeof value, formats[i], nonce, response);
        snprintf(line, sizeof line, "Authorization: Digest %s\r\n", value);
        assert_wrong(line);
    }
    set_up(state);
    challenge(nonce);
    client.nonce = nonce;
    snprintf(line, sizeof line, "%sAuthorization: Basic dTpw\r\n", login(&client));
    assert_wrong(line); /* two logins, each right */
}

/* A guess costs as much as one by Basic. */
static void test_guessing_takes_time(void **state)
{
    struct client client = honest;
    char nonce[41];

    (void)state;
    client.password = "q";
    for (uint32_t pause = OTA_WEB_LOGIN_PAUSE_MS; pause <= OTA_WEB_LOGIN_PAUSE_MAX_MS; pause *= 2) {
        challenge(nonce);
        client.nonce = nonce;
        assert_int_equal(get(login(&client)), 0);
        web_bench_wait(&bench, pause - 1);
        assert_int_equal(web_bench_status(&bench, 0), 0);
        web_bench_open(&bench, 0);
        assert_int_equal(get(login(&client)), 429);
        web_bench_wait(&bench, 1);
    }
}

/* ---- Too late, and again --------------------------------------------------------------------- */

/* It was right once: the client is to ask its user nothing, and log in again with the new nonce. */
static void assert_stale(const char *line, char nonce[41])
{
    bool stale;

    assert_int_equal(get(line), 401);
    read_challenge(0, nonce, &stale);
    assert_true(stale);
    assert_string_equal(web_bench_body(&bench, 0), "the login is out of date: give it once more\n");
    assert_string_equal(bench.events, ""); /* nobody guesses */
    web_bench_assert_nothing(&bench);
}

static void test_a_count_lets_in_once(void **state)
{
    static const struct {
        const char *count;
        bool passes;
    } counts[] = {
        {"00000001", true},  {"00000001", false}, {"00000000", false}, {"00000005", true},
        {"00000003", true},  {"00000004", true},  {"00000003", false}, {"00000005", false},
        {"00000025", true},  {"00000005", false}, {"00000006", true},  {"00000006", false},
        {"000001FF", true},  {"000001e0", true},  {"000001df", false}, {"00000100", false},
        {"ffffffff", true},  {"FFFFFFFF", false}, {"00000001", false}, {"fffffffe", true},
        {"0000000g", false},
    };
    struct client client = honest;
    char nonce[41], next[41];

    (void)state;
    challenge(nonce);
    client.nonce = nonce;
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        client.count = counts[i].count;
        if (counts[i].passes) {
            assert_int_equal(get(login(&client)), 200);
        } else {
            assert_stale(login(&client), next);
        }
    }
    client.nonce = next;
    client.count = "00000001";
    assert_int_equal(get(login(&client)), 200);
}

static void test_a_nonce_grows_old(void **state)
{
    struct client client = honest;
    char nonce[41], next[41];

    (void)state;
    challenge(nonce);
    client.nonce = nonce;
    assert_int_equal(get(login(&client)), 200);
    web_bench_wait(&bench, OTA_WEB_NONCE_MS);
    client.count = "00000002";
    assert_int_equal(get(login(&client)), 200);
    web_bench_wait(&bench, 1);
    client.count = "00000003";
    assert_stale(login(&client), next);
    client.nonce = next;
    assert_int_equal(get(login(&client)), 200);
}

/* Of another boot, or made up by someone who knows the password, or with another time. */
static void test_a_nonce_that_is_not_ours(void **state)
{
    struct client client = honest;
    char nonce[41], next[41];

    (void)state;
    challenge(nonce);
    client.nonce = nonce;
    web_bench_begin(&bench);
    assert_stale(login(&client), next);
    client.nonce = "0123456789012345678901234567890123456789";
    assert_stale(login(&client), next);
    client.nonce = "g123456789012345678901234567890123456789";
    assert_stale(login(&client), next);
    for (size_t i = 0; i < 40; i++) {
        challenge(nonce);
        nonce[i] = nonce[i] == '0' ? '1' : '0';
        client.nonce = nonce;
        assert_stale(login(&client), next);
    }
}

/* Only the last few that were answered are remembered; one that was forgotten lets nobody in, and
   challenges that nobody answers make no difference. */
static void test_a_nonce_that_was_forgotten(void **state)
{
    struct client client = honest;
    char nonces[OTA_WEB_NONCES + 1][41], next[41];

    (void)state;
    for (unsigned i = 0; i <= OTA_WEB_NONCES; i++) {
        challenge(nonces[i]);
    }
    for (unsigned i = 0; i < 100; i++) {
        challenge(next);
    }
    for (unsigned i = 0; i < OTA_WEB_NONCES; i++) {
        client.nonce = nonces[i];
        assert_int_equal(get(login(&client)), 200);
    }
    for (unsigned i = 0; i < OTA_WEB_NONCES; i++) { /* all of them still */
        client.nonce = nonces[i];
        client.count = "00000002";
        assert_int_equal(get(login(&client)), 200);
    }
    client.nonce = nonces[OTA_WEB_NONCES];
    assert_int_equal(get(login(&client)), 200);
    client.nonce = nonces[0];
    client.count = "00000003";
    assert_stale(login(&client), next);
    client.nonce = nonces[1];
    assert_int_equal(get(login(&client)), 200);
}

/* ---- Room, and faults ------------------------------------------------------------------------ */

/* The longest line that tools send, beside a host and a form's boundary; and one that is too
   long. */
static void test_long_ones(void **state)
{
    struct client client = honest;
    char nonce[41], target[400], lines[1200];

    (void)state;
    challenge(nonce);
    client.nonce = nonce;
    client.cnonce = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="; /* curl's */
    client.method = "POST";
    client.uri = "/ota/upload";
    snprintf(lines, sizeof lines, "Origin: http://board\r\n%s", login(&client));
    web_bench_compose_form(&bench, "/ota/upload", lines, "firmware", "x", bench.image,
                           bench.image_len);
    assert_int_equal(web_bench_ask(&bench), 400); /* no start, but let in */
    assert_string_equal(web_bench_body(&bench, 0), "no upload was started\n");

    client.method = "GET";
    client.count = "00000002";
    snprintf(target, sizeof target, "/ota/start?mode=fs&hash=%s", bench.md5);
    client.uri = target;
    snprintf(lines, sizeof lines, "Origin: http://board\r\n%s", login(&client));
    assert_int_equal(web_bench_get(&bench, target, lines), 200);

    memset(target, 'x', 300);
    memcpy(target, "/update?", 8);
    target[300] = '\0';
    client.count = "00000003";
    assert_int_equal(web_bench_get(&bench, target, login(&client)), 431);
}

static void log_in_under_faults(void *context)
{
    char nonce[41];
    bool stale;
    unsigned *logins = context;
    struct client client = honest;

    make();
    bench.ram.device.crypto = &faulty_crypto;
    if (web_bench_get(&bench, "/update", "") != 401 || strstr(bench.out[0], "Digest") == NULL) {
        assert_true(faults_struck());
        assert_true(
            web_bench_has_line(&bench, 0, "WWW-Authenticate: Basic realm=\"Login Required\""));
        return;
    }
    read_challenge(0, nonce, &stale);
    client.nonce = nonce;
    unsigned status = get(login(&client));
    assert_true(status == 200 || faults_struck());
    *logins += status == 200 ? 1 : 0;
    client.password = "q";
    client.count = "00000002";
    assert_int_not_equal(get(login(&client)), 200);
    assert_int_equal(faulty_crypto_running(), 0);
}

/* A crypto library that fails lets nobody in. */
static void test_crypto_that_fails(void **state)
{
    unsigned logins = 0;

    (void)state;
    assert_true(faults_everywhere(FAULT_CRYPTO, log_in_under_faults, &logins) > 10);
    assert_true(logins > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_nonces_differ, set_up),
        cmocka_unit_test_setup(test_it_needs_randomness, set_up),
        cmocka_unit_test_setup(test_right_ones, set_up),
        cmocka_unit_test_setup(test_an_upload, set_up),
        cmocka_unit_test_setup(test_an_empty_body_first, set_up),
        cmocka_unit_test_setup(test_every_method, set_up),
        cmocka_unit_test(test_every_way_to_write_it),
        cmocka_unit_test(test_wrong_ones),
        cmocka_unit_test(test_malformed_ones),
        cmocka_unit_test_setup(test_guessing_takes_time, set_up),
        cmocka_unit_test_setup(test_a_count_lets_in_once, set_up),
        cmocka_unit_test_setup(test_a_nonce_grows_old, set_up),
        cmocka_unit_test_setup(test_a_nonce_that_is_not_ours, set_up),
        cmocka_unit_test_setup(test_a_nonce_that_was_forgotten, set_up),
        cmocka_unit_test_setup(test_long_ones, set_up),
        cmocka_unit_test(test_crypto_that_fails),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
