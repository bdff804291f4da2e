/* SPDX-License-Identifier: Apache-2.0 */
/* struct ota_platform on this system: clock, random numbers, log lines and TCP streams. */

#include <arpa/inet.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "posix/platform.h"

#define PATIENCE_MS 10000

static struct posix_platform posix;
static struct ota_platform *platform;
static int listener;
static uint16_t port;

static int begin(void **state)
{
    (void)state;
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t size = sizeof address;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(listener, (struct sockaddr *)&address, size) != 0 || listen(listener, 16) != 0 ||
        getsockname(listener, (struct sockaddr *)&address, &size) != 0) {
        return -1;
    }
    port = ntohs(address.sin_port);
    platform_init(&posix);
    platform = &posix.platform;
    return 0;
}

static int end(void **state)
{
    (void)state;
    platform_close(&posix);
    close(listener);
    return 0;
}

/* Reads until something has come, the peer has closed, or the stream fails. */
static enum ota_err read_some(struct ota_stream *stream, void *data, size_t capacity, size_t *len,
                              bool *ended)
{
    const uint32_t start = platform->now_ms(platform);
    enum ota_err err = stream->read(stream, data, capacity, len, ended);
    while (err == OTA_OK && *len == 0 && !*ended) {
        assert_true(platform->now_ms(platform) - start < PATIENCE_MS);
        platform->wait(platform, PATIENCE_MS);
        err = stream->read(stream, data, capacity, len, ended);
    }
    return err;
}

static void write_all(struct ota_stream *stream, const void *data, size_t len)
{
    const uint8_t *bytes = data;
    while (len > 0) {
        size_t sent;
        assert_int_equal(stream->write(stream, bytes, len, &sent), OTA_OK);
        if (sent == 0) {
            platform->wait(platform, PATIENCE_MS);
        }
        bytes += sent;
        len -= sent;
    }
}

/* Opens a stream to the listener and the other end of it. */
static struct ota_stream *open_pair(int *peer)
{
    struct ota_stream *stream = NULL;
    size_t sent;
    assert_int_equal(platform->connect(platform, "127.0.0.1", port, &stream), OTA_OK);
    *peer = accept(listener, NULL, NULL);
    assert_true(*peer >= 0);
    assert_int_equal(stream->write(stream, "", 0, &sent), OTA_OK);
    return stream;
}

static void test_time_rises_from_zero(void **unused)
{
    (void)unused;
    const uint32_t before = platform->now_ms(platform);
    assert_true(before < 1000);
    platform->wait(platform, 30);
    const uint32_t after = platform->now_ms(platform);
    assert_in_range(after - before, 29, PATIENCE_MS);
}

static void test_random_bytes_differ(void **unused)
{
    (void)unused;
    uint8_t a[400] = {0};
    uint8_t b[400] = {0};
    assert_int_equal(platform->random(platform, a, sizeof a), OTA_OK);
    assert_int_equal(platform->random(platform, b, sizeof b), OTA_OK);
    assert_memory_not_equal(a, b, sizeof a);
    assert_memory_not_equal(a + 300, b + 300, 100);
}

static void test_bytes_go_both_ways(void **unused)
{
    (void)unused;
    int peer;
    char data[16];
    size_t len;
    bool ended;
    struct ota_stream *stream = open_pair(&peer);
    write_all(stream, "hello", 5);
    assert_int_equal(read(peer, data, sizeof data), 5);
    assert_memory_equal(data, "hello", 5);

    assert_int_equal(stream->read(stream, data, sizeof data, &len, &ended), OTA_OK);
    assert_int_equal(len, 0);
    assert_false(ended);
    assert_int_equal(write(peer, "world", 5), 5);
    assert_int_equal(read_some(stream, data, 3, &len, &ended), OTA_OK);
    assert_int_equal(len, 3);
    assert_int_equal(read_some(stream, data + 3, sizeof data - 3, &len, &ended), OTA_OK);
    assert_int_equal(len, 2);
    assert_memory_equal(data, "world", 5);

    close(peer);
    assert_int_equal(read_some(stream, data, sizeof data, &len, &ended), OTA_OK);
    assert_int_equal(len, 0);
    assert_true(ended);
    /* The end stays the end, and is nothing to wake up for. */
    assert_int_equal(stream->read(stream, data, sizeof data, &len, &ended), OTA_OK);
    assert_true(ended);
    const uint32_t before = platform->now_ms(platform);
    platform->wait(platform, 30);
    assert_true(platform->now_ms(platform) - before >= 29);
    stream->close(stream);
}

static void test_a_full_stream_is_waited_for(void **unused)
{
    (void)unused;
    static uint8_t data[1 << 16];
    int peer;
    size_t sent;
    uint64_t in_flight = 0;
    struct ota_stream *stream = open_pair(&peer);
    do {
        assert_int_equal(stream->write(stream, data, sizeof data, &sent), OTA_OK);
        in_flight += sent;
    } while (sent == sizeof data);

    /* Nobody reads: the wait is over only with the time. */
    const uint32_t before = platform->now_ms(platform);
    platform->wait(platform, 30);
    assert_true(platform->now_ms(platform) - before >= 29);
    const pid_t reader = fork();
    if (reader == 0) {
        uint64_t got = 0;
        while (got < in_flight + sizeof data) {
            const ssize_t n = read(peer, data, sizeof data);
            if (n <= 0) {
                _exit(1);
            }
            got += (uint64_t)n;
        }
        _exit(0);
    }
    write_all(stream, data, sizeof data);
    int status;
    assert_int_equal(waitpid(reader, &status, 0), reader);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    stream->close(stream);
    close(peer);
}

static void test_broken_connections_are_told(void **unused)
{
    (void)unused;
    int peer;
    char data[16];
    size_t len;
    bool ended;
    struct ota_stream *stream = open_pair(&peer);
    const struct linger abruptly = {.l_onoff = 1, .l_linger = 0};
    assert_int_equal(setsockopt(peer, SOL_SOCKET, SO_LINGER, &abruptly, sizeof abruptly), 0);
    close(peer);
    assert_int_equal(read_some(stream, data, sizeof data, &len, &ended), OTA_ERR_CONNECTION_LOST);
    assert_int_equal(stream->write(stream, data, 1, &len), OTA_ERR_CONNECTION_LOST);
    stream->close(stream);
}

static void test_refused_connections_are_told(void **unused)
{
    (void)unused;
    struct ota_stream *stream = NULL;
    char data[16];
    size_t len;
    bool ended;
    close(listener);
    listener = -1;
    assert_int_equal(platform->connect(platform, "127.0.0.1", port, &stream), OTA_OK);
    assert_int_equal(read_some(stream, data, sizeof data, &len, &ended), OTA_ERR_CONNECT);
    assert_int_equal(stream->write(stream, data, 1, &len), OTA_ERR_CONNECT);
    stream->close(stream);
    assert_int_equal(platform->connect(platform, "no such host", 1, &stream), OTA_ERR_CONNECT);
}

static void test_each_address_of_a_name_is_tried(void **unused)
{
    (void)unused;
    struct ota_stream *stream = NULL;
    struct addrinfo *addresses = NULL;
    if (getaddrinfo("localhost", NULL, NULL, &addresses) != 0) {
        print_message("this machine does not know localhost\n");
        skip();
    }
    freeaddrinfo(addresses);
    /* Where ::1 comes first it refuses: the listener has the other address only. */
    assert_int_equal(platform->connect(platform, "localhost", port, &stream), OTA_OK);
    write_all(stream, "x", 1);
    stream->close(stream);
}

static void test_streams_have_a_limit_and_can_be_had_again(void **unused)
{
    (void)unused;
    struct ota_stream *streams[PLATFORM_SOCKETS_MAX];
    struct ota_stream *more;
    for (unsigned i = 0; i < PLATFORM_SOCKETS_MAX; i++) {
        assert_int_equal(platform->connect(platform, "127.0.0.1", port, &streams[i]), OTA_OK);
    }
    assert_int_equal(platform->connect(platform, "127.0.0.1", port, &more), OTA_ERR_CONNECT);
    streams[3]->close(streams[3]);
    assert_int_equal(platform->connect(platform, "127.0.0.1", port, &more), OTA_OK);
    /* The others are closed with the platform. */
}

/* What `write_lines` writes to standard error. */
static void capture(void (*write_lines)(void), char *text, size_t size)
{
    int pipes[2];
    assert_int_equal(pipe(pipes), 0);
    const int before = dup(STDERR_FILENO);
    dup2(pipes[1], STDERR_FILENO);
    write_lines();
    dup2(before, STDERR_FILENO);
    close(before);
    close(pipes[1]);
    const ssize_t len = read(pipes[0], text, size - 1);
    close(pipes[0]);
    text[len > 0 ? len : 0] = '\0';
}

static void log_warning(void)
{
    platform->log(platform, OTA_LOG_WARNING, "boot", "it is late");
}

static void log_much(void)
{
    static char text[5000];
    memset(text, 'x', sizeof text - 1);
    platform->log(platform, OTA_LOG_INFO, "boot", text);
}

static void log_progress(void)
{
    platform_log_progress(&posix, "update", "ota_1", 12, 4000000000u);
}

static void test_log_lines(void **unused)
{
    (void)unused;
    char line[2048];
    enum ota_log_level level;
    char *tag;
    char *text;
    capture(log_warning, line, sizeof line);
    assert_string_equal(line, "boot    it is late\n");
    assert_false(platform_parse_log(line, &level, &tag, &text));
    capture(log_progress, line, sizeof line);
    assert_string_equal(line, "");

    posix.marked_log = true;
    capture(log_warning, line, sizeof line);
    line[strcspn(line, "\n")] = '\0';
    assert_true(platform_parse_log(line, &level, &tag, &text));
    assert_int_equal(level, OTA_LOG_WARNING);
    assert_string_equal(tag, "boot");
    assert_string_equal(text, "it is late");

    capture(log_much, line, sizeof line);
    assert_in_range(strlen(line), 1000, 1024);
    assert_int_equal(line[strlen(line) - 1], '\n');
}

static void test_progress_lines(void **unused)
{
    (void)unused;
    char line[256];
    char *tag;
    char *name;
    uint32_t done;
    uint32_t total;
    posix.marked_log = true;
    capture(log_progress, line, sizeof line);
    assert_true(platform_parse_progress(line, &tag, &name, &done, &total));
    assert_string_equal(tag, "update");
    assert_string_equal(name, "ota_1");
    assert_int_equal(done, 12);
    assert_int_equal(total, 4000000000u);
}

static void test_lines_of_firmware_that_lies(void **unused)
{
    (void)unused;
    /* 036 marks a line, 037 separates its parts. */
    static const char *const lines[] = {
        "",
        "plain",
        "\036",
        "\0361",
        "\0361tag",
        "\0369tag\037text",
        "\036ptag\037name",
        "\036p\037\037",
        "\036ptag\037name\037x/1",
        "\036ptag\037name\0371",
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        char line[64];
        enum ota_log_level level;
        char *tag;
        char *text;
        uint32_t done;
        uint32_t total;
        strcpy(line, lines[i]);
        assert_false(platform_parse_log(line, &level, &tag, &text));
        strcpy(line, lines[i]);
        assert_false(platform_parse_progress(line, &tag, &text, &done, &total));
    }
}

static void note_restart(void *context, enum ota_restart_reason reason)
{
    (void)context;
    _exit((int)reason + 40);
}

static void test_restarts_end_the_process(void **unused)
{
    (void)unused;
    posix.on_restart = note_restart;
    for (int told = 0; told < 2; told++) {
        const pid_t child = fork();
        if (child == 0) {
            platform->restart(platform, OTA_RESTART_REJECTED);
            _exit(1);
        }
        int status;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), told == 0 ? 40 + OTA_RESTART_REJECTED : 0);
        posix.on_restart = NULL;
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_time_rises_from_zero),
        TEST(test_random_bytes_differ),
        TEST(test_bytes_go_both_ways),
        TEST(test_a_full_stream_is_waited_for),
        TEST(test_broken_connections_are_told),
        TEST(test_refused_connections_are_told),
        TEST(test_each_address_of_a_name_is_tried),
        TEST(test_streams_have_a_limit_and_can_be_had_again),
        TEST(test_log_lines),
        TEST(test_progress_lines),
        TEST(test_lines_of_firmware_that_lies),
        TEST(test_restarts_end_the_process),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
