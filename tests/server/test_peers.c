/* SPDX-License-Identifier: Apache-2.0 */

/* The server over loopback: peers who mean no good or take no end, and the end of the server's
   life. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <curl/curl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include <cmocka.h>

#include "server/world.h"
#include "support/scratch.h"

static void assert_alive(struct world *world)
{
    struct answer answer = client_get(world->port, "/files/ok", NULL);
    assert_int_equal(answer.status, 200);
    assert_body(&answer, (const uint8_t *)"ok", 2);
    answer_free(&answer);
}

static void test_paths_that_lead_out(void **state)
{
    struct world *world = *state;
    static const char *const paths[] = {
        "/files/../../../../etc/passwd",
        "/files/..%2f..%2f..%2fetc/passwd",
        "/files/%2e%2e/%2e%2e/etc/passwd",
        "/files//etc/passwd",
        "/files/%2fetc%2fpasswd",
        "/../../etc/passwd",
        "/files/..",
        "/files/.",
        "/files/",
        "/files/./ok",
        "/files/ok/",
        "/files/ok%2f..%2fok",
        "/files/..\\..\\ok",
        "/files/%c0%ae%c0%ae/ok",
        "/files/.hidden",
        "/files/%00",
        "/files/%ff",
        "/files/ok%20",
    };
    scratch_replace(&world->folder, "ok", "ok", 2);
    scratch_write(&world->folder, ".hidden", "secret", 6);
    world_wait_listed(world, "ok", 2);
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        char request[256];
        snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
                 paths[i]);
        struct answer answer = world_ask(world, request);
        if (answer.status != 404) {
            fail_msg("%s: %ld", paths[i], answer.status);
        }
        answer_free(&answer);
    }
    assert_alive(world);
}

static void test_long_requests(void **state)
{
    struct world *world = *state;
    static char request[200000];
    scratch_replace(&world->folder, "ok", "ok", 2);
    world_wait_listed(world, "ok", 2);

    size_t len = (size_t)snprintf(request, sizeof request, "GET /pull HTTP/1.1\r\nHost: x\r\nX: ");
    memset(request + len, 'a', 100000);
    memcpy(request + len + 100000, "\r\n\r\n", 4);
    struct answer answer = client_exchange(world->port, request, len + 100004);
    assert_true(answer.status == 431 || answer.status == 0);
    answer_free(&answer);

    memcpy(request, "GET /", 5);
    memset(request + 5, 'a', 100000);
    memcpy(request + 100005, " HTTP/1.1\r\n\r\n", 13);
    answer = client_exchange(world->port, request, 100018);
    assert_true(answer.status == 414 || answer.status == 0);
    answer_free(&answer);

    len = (size_t)snprintf(request, sizeof request, "GET /pull HTTP/1.1\r\n");
    for (int i = 0; i < 5000; i++) {
        len += (size_t)snprintf(request + len, sizeof request - len, "X-%d: y\r\n", i);
    }
    len += (size_t)snprintf(request + len, sizeof request - len, "\r\n");
    answer = client_exchange(world->port, request, len);
    assert_true(answer.status == 431 || answer.status == 0);
    answer_free(&answer);

    /* Within the limit: an answer of ours, of bounded length. */
    len = (size_t)snprintf(request, sizeof request,
                           "GET /pull HTTP/1.1\r\nHost: x\r\nConnection: close\r\nUser-Agent: ");
    memset(request + len, 'a', 8000);
    memcpy(request + len + 8000, "\r\n\r\n", 4);
    answer = client_exchange(world->port, request, len + 8004);
    assert_int_equal(answer.status, 403);
    assert_in_range(answer.len, 1, 512);
    answer_free(&answer);
    assert_alive(world);
}

static void test_odd_requests(void **state)
{
    struct world *world = *state;
    scratch_replace(&world->folder, "ok", "ok", 2);
    world_wait_listed(world, "ok", 2);
    static const struct {
        const char *request;
        long status;
    } rows[] = {
        {"POST /pull HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 3\r\n\r\nabc",
         405},
        {"DELETE /files/ok HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 405},
        {"PUT /files/ok HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: "
         "chunked\r\n\r\n0\r\n\r\n",
         405},
        {"TRACE / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 405},
        {"GET /files/ok HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 4\r\n\r\nbody",
         200},
        {"GET /files/ok HTTP/1.0\r\n\r\n", 200},
        {"HEAD /files/ok HTTP/1.0\r\n\r\n", 200},
        {"get /files/ok HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 405},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct answer answer = world_ask(world, rows[i].request);
        if (answer.status != rows[i].status) {
            fail_msg("%s: %ld", rows[i].request, answer.status);
        }
        answer_free(&answer);
    }
    assert_alive(world);
}

/* Whatever these are answered, if at all, they end and the server lives. */
static void test_garbage(void **state)
{
    struct world *world = *state;
    scratch_replace(&world->folder, "ok", "ok", 2);
    world_wait_listed(world, "ok", 2);
    static const char *const garbage[] = {
        "\r\n\r\n\r\n\r\n",
        "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        "GET\r\n\r\n",
        "GET  HTTP/1.1\r\n\r\n",
        "GET /files/ok HTTP/9.9\r\n\r\n",
        "GET /files/ok HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        "GET /files/ok HTTP/1.1\r\nContent-Length: 99999999999999999999999\r\n\r\n",
        "GET /files/ok HTTP/1.1\r\n: x\r\n\r\n",
        "GET /files/ok HTTP/1.1\r\nno colon\r\n\r\n",
    };
    int sockets[sizeof garbage / sizeof garbage[0]];
    for (size_t i = 0; i < sizeof garbage / sizeof garbage[0]; i++) {
        sockets[i] = client_connect(world->port, 0);
        client_send(sockets[i], garbage[i], strlen(garbage[i]));
    }
    for (size_t i = 0; i < sizeof garbage / sizeof garbage[0]; i++) {
        assert_true(client_waits_for_end(sockets[i], 20000));
        close(sockets[i]);
    }
    for (uint32_t i = 0; i < 200; i++) {
        uint8_t *bytes = scratch_noise(100 + i, 300);
        memcpy(bytes, "GET /", i % 2 == 0 ? 5 : 0);
        const int fd = client_connect(world->port, 0);
        client_send(fd, bytes, 300);
        close(fd);
        free(bytes);
    }
    assert_alive(world);
}

/* One byte at a time: the time-out for silence never comes, the deadline does. */
static void test_slow_request(void **state)
{
    struct world *world = *state;
    const int fd = client_connect(world->port, 0);
    static const char start[] = "GET / HTTP/1.1\r\nX: ";
    client_send(fd, start, sizeof start - 1);
    bool ended = false;
    for (int i = 0; i < 100 && !ended; i++) {
        client_send(fd, "a", 1);
        ended = client_waits_for_end(fd, 100);
    }
    assert_true(ended);
    close(fd);
}

static void test_silent_connection(void **state)
{
    struct world *world = *state;
    const int fd = client_connect(world->port, 0);
    assert_true(client_waits_for_end(fd, 10000));
    close(fd);
}

static void test_reader_that_stops(void **state)
{
    struct world *world = *state;
    uint8_t *bytes = world_put_noise(world, "big", 14, WORLD_BIG);
    const int fd = world_begin_download(world, bytes, 1000);
    /* It reads nothing more: the log soon says that the answer broke off. */
    const struct server_request entry = world_wait_logged(world, 1);
    assert_false(entry.complete);
    assert_int_equal(entry.length, WORLD_BIG);
    close(fd);
    free(bytes);
}

static void test_many_connections(void **state)
{
    struct world *world = *state;
    scratch_replace(&world->folder, "ok", "ok", 2);
    world_wait_listed(world, "ok", 2);
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    const size_t count = limit.rlim_cur > 4400 ? 2000 : (limit.rlim_cur - 400) / 2;
    int *sockets = calloc(count, sizeof *sockets);
    for (size_t i = 0; i < count; i++) {
        sockets[i] = client_connect(world->port, 0);
        assert_true(sockets[i] >= 0);
        client_send(sockets[i], "GET /files/ok HTTP/1.1\r\n", 24);
    }
    assert_alive(world);
    for (size_t i = 0; i < count; i++) {
        client_send(sockets[i], "Host: x\r\nConnection: close\r\n\r\n", 30);
    }
    size_t answered = 0;
    for (size_t i = 0; i < count; i++) {
        char start[13] = "";
        answered += client_read(sockets[i], start, 12) == 12 && strcmp(start, "HTTP/1.1 200") == 0;
        close(sockets[i]);
    }
    assert_int_equal(answered, count);
    free(sockets);
}

struct stopping {
    struct server *server;
    pthread_t thread;
};

static void *stop(void *context)
{
    struct stopping *stopping = context;
    server_stop(stopping->server, 30000);
    return NULL;
}

static void test_stop_lets_answers_end(void **state)
{
    struct world *world = *state;
    uint8_t *bytes = world_put_noise(world, "big", 15, WORLD_BIG);
    uint8_t *got = malloc(WORLD_BIG);
    const int fd = world_begin_download(world, got, 1000);
    struct stopping stopping = {.server = world->server};
    world->server = NULL;
    assert_int_equal(pthread_create(&stopping.thread, NULL, stop, &stopping), 0);
    int late = 0;
    while ((late = client_connect(world->port, 0)) >= 0) { /* until it listens no more */
        close(late);
    }
    assert_int_equal(client_read(fd, got + 1000, WORLD_BIG - 1000), WORLD_BIG - 1000);
    assert_memory_equal(got, bytes, WORLD_BIG);
    assert_int_equal(pthread_join(stopping.thread, NULL), 0);
    assert_true(world_wait_logged(world, 1).complete);
    close(fd);
    free(got);
    free(bytes);
}

/* Nothing of it needs an answer; that the server stops is the test. */
static void test_stop_amid_garbage(void **state)
{
    struct world *world = *state;
    for (int round = 0; round < 200; round++) {
        char why[256] = "";
        const struct server_options options = {
            .folder = world->folder.path, .address = "127.0.0.1", .crypto = &ota_crypto_psa};
        struct server *server = server_start(&options, why, sizeof why);
        assert_non_null(server);
        int sockets[16];
        for (size_t i = 0; i < sizeof sockets / sizeof sockets[0]; i++) {
            sockets[i] = client_connect(server_port(server), 0);
            client_send(sockets[i], "GET / HTTP/9.9\r\n\r\n", 18);
        }
        server_stop(server, 0);
        for (size_t i = 0; i < sizeof sockets / sizeof sockets[0]; i++) {
            close(sockets[i]);
        }
    }
}

static void test_addresses(void **state)
{
    struct world *world = *state;
    char why[256] = "";
    struct server_options options = {.folder = world->folder.path,
                                     .address = "127.0.0.1",
                                     .port = world->port,
                                     .crypto = &ota_crypto_psa};
    assert_null(server_start(&options, why, sizeof why));
    assert_non_null(strstr(why, "Address already in use"));
    options.address = "example.org";
    assert_null(server_start(&options, why, sizeof why));
    assert_non_null(strstr(why, "example.org is no address"));
    options.address = "127.0.0.1";
    options.port = 0;
    options.folder = "/nowhere";
    assert_null(server_start(&options, why, sizeof why));
    assert_non_null(strstr(why, "/nowhere"));

    options.folder = world->folder.path;
    options.address = NULL;
    struct server *everywhere = server_start(&options, why, sizeof why);
    assert_non_null(everywhere);
    char expected[16];
    snprintf(expected, sizeof expected, ":%u", server_port(everywhere));
    assert_non_null(strstr(server_url(everywhere), expected));
    assert_null(strstr(server_url(everywhere), "0.0.0.0"));
    server_stop(everywhere, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, world_set_up, world_tear_down)
#define TEST_IMPATIENT(name) \
    cmocka_unit_test_setup_teardown(name, world_set_up_impatient, world_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_paths_that_lead_out),
        TEST(test_long_requests),
        TEST(test_odd_requests),
        TEST_IMPATIENT(test_garbage),
        TEST_IMPATIENT(test_slow_request),
        TEST_IMPATIENT(test_silent_connection),
        TEST_IMPATIENT(test_reader_that_stops),
        TEST(test_many_connections),
        TEST(test_stop_lets_answers_end),
        TEST(test_stop_amid_garbage),
        TEST(test_addresses),
    };
    curl_global_init(CURL_GLOBAL_DEFAULT);
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    curl_global_cleanup();
    return failed;
}
