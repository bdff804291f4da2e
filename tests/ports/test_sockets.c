/* SPDX-License-Identifier: Apache-2.0 */
/* struct ota_platform on this system: datagrams, listeners, and connections to an address. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "posix/platform.h"

#define PATIENCE_MS 10000

static struct posix_platform posix;
static struct ota_platform *platform;

static int begin(void **state)
{
    (void)state;
    platform_init(&posix);
    platform = &posix.platform;
    return 0;
}

static int end(void **state)
{
    (void)state;
    platform_close(&posix);
    return 0;
}

static struct ota_address loopback(bool ipv6, uint16_t port)
{
    const struct ota_address ipv4_host = {.ip = {[10] = 0xFF, [11] = 0xFF, [12] = 127, [15] = 1},
                                          .port = port};
    const struct ota_address ipv6_host = {.ip = {[15] = 1}, .port = port};
    return ipv6 ? ipv6_host : ipv4_host;
}

static bool has_ipv6(void)
{
    const int descriptor = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    const struct ota_address host = loopback(true, 9);
    struct ota_datagrams *datagrams;
    if (descriptor < 0) {
        return false;
    }
    close(descriptor);
    /* Without an interface that has the address it is no use: try to send oneself something. */
    assert_int_equal(platform->open_datagrams(platform, 0, &datagrams), OTA_OK);
    struct ota_address self = host;
    struct ota_address from;
    char byte = 'x';
    size_t len = 0;
    self.port = datagrams->port;
    assert_int_equal(datagrams->send(datagrams, &byte, 1, &self), OTA_OK);
    platform->wait(platform, 200);
    assert_int_equal(datagrams->receive(datagrams, &byte, 1, &len, &from), OTA_OK);
    datagrams->close(datagrams);
    return len == 1;
}

/* --- datagrams ------------------------------------------------------------------------------ */

static size_t receive(struct ota_datagrams *datagrams, void *data, size_t capacity,
                      struct ota_address *from)
{
    size_t len = 0;
    const uint32_t start = platform->now_ms(platform);
    while (len == 0) {
        assert_true(platform->now_ms(platform) - start < PATIENCE_MS);
        platform->wait(platform, PATIENCE_MS);
        assert_int_equal(datagrams->receive(datagrams, data, capacity, &len, from), OTA_OK);
    }
    return len;
}

static void ask_and_answer(bool ipv6)
{
    struct ota_datagrams *device;
    struct ota_datagrams *host;
    struct ota_address from;
    char data[64];
    size_t len;
    assert_int_equal(platform->open_datagrams(platform, 0, &device), OTA_OK);
    assert_int_equal(platform->open_datagrams(platform, 0, &host), OTA_OK);
    assert_int_not_equal(device->port, 0);
    assert_int_not_equal(device->port, host->port);

    assert_int_equal(device->receive(device, data, sizeof data, &len, &from), OTA_OK);
    assert_int_equal(len, 0);
    const struct ota_address to = loopback(ipv6, device->port);
    assert_int_equal(host->send(host, "", 0, &to), OTA_OK);
    assert_int_equal(host->send(host, "AUTH", 4, &to), OTA_OK);
    assert_int_equal(receive(device, data, sizeof data, &from), 4);
    assert_memory_equal(data, "AUTH", 4);
    const struct ota_address expected = loopback(ipv6, host->port);
    assert_true(ota_address_same(&from, &expected));

    assert_int_equal(device->send(device, "OK, done", 8, &from), OTA_OK);
    /* What does not fit is lost, with its datagram. */
    assert_int_equal(receive(host, data, 2, &from), 2);
    assert_memory_equal(data, "OK", 2);
    assert_int_equal(host->receive(host, data, sizeof data, &len, &from), OTA_OK);
    assert_int_equal(len, 0);
    device->close(device);
    host->close(host);
}

static void test_datagrams_are_asked_and_answered(void **unused)
{
    (void)unused;
    ask_and_answer(false);
}

static void test_datagrams_over_ipv6(void **unused)
{
    (void)unused;
    if (!has_ipv6()) {
        print_message("this machine has no IPv6\n");
        skip();
    }
    ask_and_answer(true);
}

static void test_datagrams_to_nobody_are_lost_without_harm(void **unused)
{
    (void)unused;
    struct ota_datagrams *device;
    struct ota_datagrams *host;
    struct ota_address from;
    char data[64];
    size_t len;
    assert_int_equal(platform->open_datagrams(platform, 0, &device), OTA_OK);
    const struct ota_address nobody = loopback(false, device->port);
    device->close(device);
    assert_int_equal(platform->open_datagrams(platform, 0, &host), OTA_OK);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(host->send(host, "hello", 5, &nobody), OTA_OK);
        platform->wait(platform, 5);
        assert_int_equal(host->receive(host, data, sizeof data, &len, &from), OTA_OK);
        assert_int_equal(len, 0);
    }
    const struct ota_address nowhere = {.ip = {0x20, 0x01, 0x0d, 0xb8, [15] = 1}, .port = 9};
    assert_int_equal(host->send(host, "hello", 5, &nowhere), OTA_OK);
    host->close(host);
}

static void test_a_port_is_given_once(void **unused)
{
    (void)unused;
    struct ota_datagrams *datagrams;
    struct ota_datagrams *more_datagrams;
    struct ota_listener *listener;
    struct ota_listener *more;
    assert_int_equal(platform->open_datagrams(platform, 0, &datagrams), OTA_OK);
    const uint16_t port = datagrams->port;
    assert_int_equal(platform->open_datagrams(platform, port, &more_datagrams), OTA_ERR_PORT);
    assert_int_equal(platform->listen(platform, 0, &listener), OTA_OK);
    assert_int_equal(platform->listen(platform, listener->port, &more), OTA_ERR_PORT);
    datagrams->close(datagrams);
    assert_int_equal(platform->open_datagrams(platform, port, &datagrams), OTA_OK);
    assert_int_equal(datagrams->port, port);
}

/* --- connections ---------------------------------------------------------------------------- */

static struct ota_stream *accept_one(struct ota_listener *listener, struct ota_address *from)
{
    struct ota_stream *stream = NULL;
    const uint32_t start = platform->now_ms(platform);
    while (stream == NULL) {
        assert_true(platform->now_ms(platform) - start < PATIENCE_MS);
        platform->wait(platform, PATIENCE_MS);
        assert_int_equal(listener->accept(listener, &stream, from), OTA_OK);
    }
    return stream;
}

static size_t read_some(struct ota_stream *stream, void *data, size_t capacity, bool *ended)
{
    size_t len = 0;
    *ended = false;
    const uint32_t start = platform->now_ms(platform);
    while (len == 0 && !*ended) {
        assert_true(platform->now_ms(platform) - start < PATIENCE_MS);
        platform->wait(platform, PATIENCE_MS);
        assert_int_equal(stream->read(stream, data, capacity, &len, ended), OTA_OK);
    }
    return len;
}

static void write_all(struct ota_stream *stream, const char *text)
{
    for (size_t done = 0; done < strlen(text);) {
        size_t sent;
        assert_int_equal(stream->write(stream, text + done, strlen(text) - done, &sent), OTA_OK);
        if (sent == 0) {
            platform->wait(platform, PATIENCE_MS);
        }
        done += sent;
    }
}

static void connect_and_talk(bool ipv6)
{
    struct ota_listener *listener;
    struct ota_stream *near;
    struct ota_stream *far;
    struct ota_address from;
    char data[64];
    bool ended;
    assert_int_equal(platform->listen(platform, 0, &listener), OTA_OK);
    assert_int_equal(listener->accept(listener, &far, &from), OTA_OK);
    assert_null(far);
    const struct ota_address to = loopback(ipv6, listener->port);
    assert_int_equal(platform->connect_to(platform, &to, &near), OTA_OK);
    far = accept_one(listener, &from);
    const struct ota_address expected = loopback(ipv6, from.port);
    assert_true(ota_address_same(&from, &expected));

    write_all(near, "hello");
    assert_int_equal(read_some(far, data, sizeof data, &ended), 5);
    write_all(far, "and back");
    assert_int_equal(read_some(near, data, sizeof data, &ended), 8);
    assert_memory_equal(data, "and back", 8);
    near->close(near);
    assert_int_equal(read_some(far, data, sizeof data, &ended), 0);
    assert_true(ended);
    far->close(far);

    /* The port is there again at once, though the connection lingers. */
    const uint16_t port = listener->port;
    listener->close(listener);
    assert_int_equal(platform->listen(platform, port, &listener), OTA_OK);
    listener->close(listener);
}

static void test_connections_are_accepted(void **unused)
{
    (void)unused;
    connect_and_talk(false);
}

static void test_connections_over_ipv6(void **unused)
{
    (void)unused;
    if (!has_ipv6()) {
        print_message("this machine has no IPv6\n");
        skip();
    }
    connect_and_talk(true);
}

static void test_an_address_that_refuses(void **unused)
{
    (void)unused;
    struct ota_listener *listener;
    struct ota_stream *stream;
    char data[4];
    size_t len;
    bool ended;
    assert_int_equal(platform->listen(platform, 0, &listener), OTA_OK);
    const struct ota_address to = loopback(false, listener->port);
    listener->close(listener);
    assert_int_equal(platform->connect_to(platform, &to, &stream), OTA_OK);
    enum ota_err err = OTA_OK;
    const uint32_t start = platform->now_ms(platform);
    while (err == OTA_OK) {
        assert_true(platform->now_ms(platform) - start < PATIENCE_MS);
        platform->wait(platform, 100);
        err = stream->read(stream, data, sizeof data, &len, &ended);
    }
    assert_int_equal(err, OTA_ERR_CONNECT);
    stream->close(stream);
}

/* Writing to a peer that is gone fails, and no signal ends the program. */
static void test_half_open_peers(void **unused)
{
    (void)unused;
    struct ota_listener *listener;
    struct ota_stream *near;
    struct ota_stream *far;
    struct ota_address from;
    char data[64];
    bool ended;
    assert_int_equal(platform->listen(platform, 0, &listener), OTA_OK);
    const struct ota_address to = loopback(false, listener->port);
    assert_int_equal(platform->connect_to(platform, &to, &near), OTA_OK);
    far = accept_one(listener, &from);
    near->close(near);
    assert_int_equal(read_some(far, data, sizeof data, &ended), 0);
    assert_true(ended);
    enum ota_err err = OTA_OK;
    const uint32_t start = platform->now_ms(platform);
    while (err == OTA_OK) {
        size_t sent;
        assert_true(platform->now_ms(platform) - start < PATIENCE_MS);
        err = far->write(far, "x", 1, &sent);
        platform->wait(platform, 1);
    }
    assert_int_equal(err, OTA_ERR_CONNECTION_LOST);
    far->close(far);
}

/* --- limits --------------------------------------------------------------------------------- */

static void test_who_finds_no_room_waits(void **unused)
{
    (void)unused;
    struct ota_listener *listener;
    struct ota_datagrams *others[PLATFORM_SOCKETS_MAX];
    struct ota_stream *near[3];
    struct ota_stream *far;
    struct ota_address from;
    bool ended;
    char data[4];
    assert_int_equal(platform->listen(platform, 0, &listener), OTA_OK);
    const struct ota_address to = loopback(false, listener->port);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(platform->connect_to(platform, &to, &near[i]), OTA_OK);
        platform->wait(platform, PATIENCE_MS);
        write_all(near[i], "x");
    }
    unsigned count = 0;
    while (platform->open_datagrams(platform, 0, &others[count]) == OTA_OK) {
        count++;
    }
    assert_int_equal(count, PLATFORM_SOCKETS_MAX - 4);
    assert_int_equal(platform->open_datagrams(platform, 0, &others[count]), OTA_ERR_CONNECT);
    assert_int_equal(platform->listen(platform, 0, &listener), OTA_ERR_CONNECT);
    assert_int_equal(platform->connect_to(platform, &to, &far), OTA_ERR_CONNECT);
    assert_int_equal(platform->connect(platform, "127.0.0.1", to.port, &far), OTA_ERR_CONNECT);
    assert_int_equal(listener->accept(listener, &far, &from), OTA_OK);
    assert_null(far);

    /* Those in the queue are no reason to wake up as long as nothing can be done for them. */
    const uint32_t before = platform->now_ms(platform);
    platform->wait(platform, 30);
    assert_true(platform->now_ms(platform) - before >= 29);
    others[0]->close(others[0]);
    far = accept_one(listener, &from);
    assert_int_equal(read_some(far, data, sizeof data, &ended), 1);
}

static bool wait_sleeps(void)
{
    const uint32_t start = platform->now_ms(platform);
    platform->wait(platform, 30);
    return platform->now_ms(platform) - start >= 29;
}

/* What nobody wants to read wakes nobody, neither in the socket nor read ahead. */
static void test_who_does_not_read_sleeps(void **unused)
{
    (void)unused;
    struct ota_listener *listener;
    struct ota_stream *near;
    struct ota_stream *far;
    struct ota_address from;
    char data[4];
    bool ended;
    assert_int_equal(platform->listen(platform, 0, &listener), OTA_OK);
    const struct ota_address to = loopback(false, listener->port);
    assert_int_equal(platform->connect_to(platform, &to, &near), OTA_OK);
    far = accept_one(listener, &from);
    write_all(near, "some text");
    assert_false(wait_sleeps());
    far->paused = true;
    assert_true(wait_sleeps());
    far->paused = false;
    assert_int_equal(read_some(far, data, 1, &ended), 1);
    assert_false(wait_sleeps());
    far->paused = true;
    assert_true(wait_sleeps());
    far->paused = false;
    assert_int_equal(read_some(far, data, sizeof data, &ended), 4);
    assert_memory_equal(data, "ome ", 4);
}

static void test_no_descriptor_left(void **unused)
{
    (void)unused;
    struct ota_listener *listener;
    struct ota_stream *near;
    struct ota_stream *far;
    struct ota_address from;
    struct rlimit before;
    assert_int_equal(platform->listen(platform, 0, &listener), OTA_OK);
    const struct ota_address to = loopback(false, listener->port);
    assert_int_equal(platform->connect_to(platform, &to, &near), OTA_OK);
    write_all(near, "x");
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    struct rlimit none = before;
    none.rlim_cur = 0;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    const enum ota_err first = listener->accept(listener, &far, &from);
    struct ota_stream *const nobody = far;
    struct ota_datagrams *datagrams;
    const enum ota_err second = platform->open_datagrams(platform, 0, &datagrams);
    const uint32_t start = platform->now_ms(platform);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    platform->wait(platform, 30);
    const uint32_t slept = platform->now_ms(platform) - start;
    assert_int_equal(first, OTA_OK);
    assert_null(nobody);
    assert_int_equal(second, OTA_ERR_CONNECT);
    assert_true(slept >= 29);
    assert_int_equal(listener->accept(listener, &far, &from), OTA_OK);
    assert_non_null(far);
}

static unsigned count_descriptors(void)
{
    unsigned count = 0;
    for (int i = 0; i < 1024; i++) {
        count += dup2(i, i) == i ? 1 : 0;
    }
    return count;
}

static void test_nothing_is_left_open(void **unused)
{
    (void)unused;
    const unsigned before = count_descriptors();
    for (int i = 0; i < 50; i++) {
        struct ota_listener *listener;
        struct ota_datagrams *datagrams;
        struct ota_stream *near;
        struct ota_stream *again;
        struct ota_address from;
        assert_int_equal(platform->open_datagrams(platform, 0, &datagrams), OTA_OK);
        assert_int_equal(platform->listen(platform, 0, &listener), OTA_OK);
        const struct ota_address to = loopback(false, listener->port);
        assert_int_equal(platform->connect_to(platform, &to, &near), OTA_OK);
        assert_int_equal(platform->connect(platform, "127.0.0.1", listener->port, &again), OTA_OK);
        accept_one(listener, &from);
        platform_close(&posix);
        assert_int_equal(count_descriptors(), before);
    }
}

/* --- time ----------------------------------------------------------------------------------- */

static void test_time_of_day(void **unused)
{
    (void)unused;
    int64_t seconds;
    uint32_t minute;
    setenv("TZ", "CET-1", 1);
    tzset();
    assert_true(platform->unix_time(platform, &seconds));
    assert_true(platform->minute_of_week(platform, &minute));
    assert_in_range(llabs(seconds - (int64_t)time(NULL)), 0, 1);
    /* 1970 began on a Thursday; an hour east of Greenwich. */
    const uint32_t expected = (uint32_t)((seconds / 60 + 60 + (int64_t)3 * 24 * 60) % 10080);
    assert_in_range((minute + 10080 - expected) % 10080, 0, 1);
    unsetenv("TZ");
    tzset();
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_datagrams_are_asked_and_answered),
        TEST(test_datagrams_over_ipv6),
        TEST(test_datagrams_to_nobody_are_lost_without_harm),
        TEST(test_a_port_is_given_once),
        TEST(test_connections_are_accepted),
        TEST(test_connections_over_ipv6),
        TEST(test_an_address_that_refuses),
        TEST(test_half_open_peers),
        TEST(test_who_finds_no_room_waits),
        TEST(test_who_does_not_read_sleeps),
        TEST(test_no_descriptor_left),
        TEST(test_nothing_is_left_open),
        TEST(test_time_of_day),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
