/* SPDX-License-Identifier: Apache-2.0 */
/* A pull on a bench. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/digits.h"
#include "proto/pull_bench.h"
#include "support/images.h"

static enum ota_err on_offer(void *context, const struct ota_pull *pull)
{
    struct bench *bench = context;

    assert_ptr_equal(pull, &bench->pull);
    return bench->offer_answer;
}

static void on_event(void *context, const struct ota_pull *pull, enum ota_pull_event event)
{
    struct bench *bench = context;
    size_t len = strlen(bench->events);

    assert_ptr_equal(pull, &bench->pull);
    assert_true(len + 1 < sizeof bench->events);
    bench->events[len] = "DASR"[event]; /* reDirected, Again, reSumed, Retry */
}

void bench_make_image(struct bench *bench, uint32_t size)
{
    struct image_facts facts = {.chip = OTA_CHIP_ESP32S3, .size = size, .version = "1.1.0"};

    bench->image_len = image_make(bench->image, sizeof bench->image, &facts);
    facts.seed = 7;
    bench->other_len = image_make(bench->other, sizeof bench->other, &facts);
    assert_true(bench->image_len > 0 && bench->image_len == bench->other_len);
    digits_of(OTA_HASH_MD5, bench->image, bench->image_len, bench->md5);
    digits_of(OTA_HASH_MD5, bench->other, bench->other_len, bench->other_md5);
    digits_of(OTA_HASH_SHA256, bench->image, bench->image_len, bench->sha256);
    digits_of(OTA_HASH_SHA256, bench->other, bench->other_len, bench->other_sha256);
}

/* A device that has never been updated, and an image of BENCH_IMAGE_SIZE for it. */
static void bench_set_up(struct bench *bench, uint32_t size)
{
    memset(bench, 0, sizeof *bench);
    ram_device_make(&bench->ram);
    bench_make_image(bench, size);
    bench->now = UINT32_MAX - 20000; /* the clock wraps in longer tests */
    bench->facts = (struct ota_pull_facts){.chip = "esp32-s3",
                                           .project = "test",
                                           .version = "1.0.0",
                                           .sta_mac = {2, 0, 0, 0, 0, 1},
                                           .free_space = RAM_SLOT_SIZE,
                                           .chip_size = RAM_DEVICE_SIZE};
    bench->options = (struct ota_pull_options){
        .url = "http://server/update",
        .facts = &bench->facts,
        .update = &bench->update,
        .update_options = {.device = &bench->ram.device,
                           .buffer = bench->buffer,
                           .buffer_size = sizeof bench->buffer},
        .text = bench->text,
        .text_size = sizeof bench->text,
        .random = 1,
        .on_offer = on_offer,
        .on_event = on_event,
        .context = bench,
    };
}

void bench_begin(struct bench *bench)
{
    memset(bench->events, 0, sizeof bench->events);
    assert_int_equal(ota_pull_begin(&bench->pull, &bench->options, bench->now), OTA_OK);
    assert_int_equal(bench->pull.state, OTA_PULL_CONNECTING);
}

void bench_take_request(struct bench *bench)
{
    size_t at = 0, len;
    char piece[61];

    while ((len = ota_pull_output(&bench->pull, piece, sizeof piece)) > 0) {
        assert_true(at + len < sizeof bench->request);
        memcpy(bench->request + at, piece, len);
        at += len;
        ota_pull_sent(&bench->pull, len);
    }
    bench->request[at] = '\0';
}

bool bench_is_connected(const struct bench *bench)
{
    return bench->pull.state == OTA_PULL_EXCHANGING || bench->pull.state == OTA_PULL_SETTLING;
}

void bench_feed(struct bench *bench, const void *data, size_t len, size_t step)
{
    const uint8_t *bytes = data;

    for (size_t at = 0; at < len && bench_is_connected(bench);) {
        size_t piece = step == 0 || step > len - at ? len - at : step;
        ota_pull_input(&bench->pull, bytes + at, piece);
        at += piece;
    }
}

/* One connection: takes the request, answers with `head` and `len` bytes of body. */
void bench_answer(struct bench *bench, const char *head, const void *body, size_t len)
{
    assert_int_equal(bench->pull.state, OTA_PULL_CONNECTING);
    ota_pull_connected(&bench->pull);
    bench_take_request(bench);
    bench_feed(bench, head, strlen(head), bench->step);
    bench_feed(bench, body, len, bench->step);
}

void bench_close_connection(struct bench *bench)
{
    if (bench_is_connected(bench)) {
        ota_pull_closed(&bench->pull, OTA_OK);
    }
}

/* Lets the present wait pass. */
void bench_wait_out(struct bench *bench)
{
    assert_int_equal(bench->pull.state, OTA_PULL_WAITING);
    bench->now += ota_pull_wait_ms(&bench->pull) - 1;
    ota_pull_tick(&bench->pull, bench->now);
    assert_int_equal(bench->pull.state, OTA_PULL_WAITING);
    bench->now += 1;
    ota_pull_tick(&bench->pull, bench->now);
    assert_int_equal(bench->pull.state, OTA_PULL_CONNECTING);
}

const char *bench_format(char *buffer, size_t size, const char *pattern, ...)
{
    va_list arguments;

    va_start(arguments, pattern);
    /* NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): begun in the line above */
    int len = vsnprintf(buffer, size, pattern, arguments);
    va_end(arguments);
    assert_in_range(len, 0, size - 1);
    return buffer;
}

/* "HTTP/1.1 200 OK", the image's length and MD5. */
const char *bench_whole(const struct bench *bench, char head[512])
{
    return bench_format(head, 512, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\nx-MD5: %s\r\n\r\n",
                        bench->image_len, bench->md5);
}

void bench_assert_updated(const struct bench *bench)
{
    assert_int_equal(bench->pull.state, OTA_PULL_DONE);
    assert_int_equal(bench->pull.failure.err, OTA_OK);
    assert_int_equal(bench->pull.result, OTA_PULL_UPDATED);
    assert_int_equal(bench->update.state, OTA_UPDATE_PROVEN);
    assert_memory_equal(bench->ram.memory + RAM_OTA_0, bench->image, bench->image_len);
}

void bench_assert_failed(const struct bench *bench, enum ota_err err)
{
    assert_int_equal(bench->pull.state, OTA_PULL_DONE);
    assert_int_equal(bench->pull.result, OTA_PULL_FAILED);
    assert_int_equal(bench->pull.failure.err, err);
    assert_int_not_equal(bench->update.state, OTA_UPDATE_PROVEN);
    assert_int_not_equal(bench->update.state, OTA_UPDATE_RECEIVING);
    assert_int_equal(ota_pull_wait_ms(&bench->pull), UINT32_MAX);
}

/* What identifies the image: header lines, with the right values or another image's. */
const char *bench_identity_lines(const struct bench *bench, char kind, bool other, char line[256])
{
    switch (kind) {
    case 'm':
        return bench_format(line, 256, "x-MD5: %s\r\n", other ? bench->other_md5 : bench->md5);
    case 's':
        return bench_format(line, 256, "x-SHA256: %s\r\n",
                            other ? bench->other_sha256 : bench->sha256);
    case 'b':
        return bench_format(line, 256, "x-SHA256: %s\r\nETag: \"a\"\r\nx-MD5: %s\r\n",
                            other ? bench->other_sha256 : bench->sha256,
                            other ? bench->other_md5 : bench->md5);
    case 'e':
        return bench_format(line, 256, "ETag: %s\r\n", other ? "\"other\"" : "\"tag-1\"");
    case 'w':
        return bench_format(line, 256, "ETag: W/\"tag-1\"\r\n");
    default:
        return "";
    }
}

/* Receives `received` bytes of the image, then the connection ends. */
void bench_interrupt(struct bench *bench, char kind, size_t received)
{
    char head[512], line[256];

    bench_begin(bench);
    bench_format(head, sizeof head, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n%s\r\n",
                 bench->image_len, bench_identity_lines(bench, kind, false, line));
    bench_answer(bench, head, bench->image, received);
    assert_int_equal(bench->pull.state, OTA_PULL_EXCHANGING);
    ota_pull_closed(&bench->pull, OTA_OK);
    assert_int_equal(bench->pull.failure.err, OTA_ERR_INCOMPLETE);
    assert_int_equal(bench->pull.failure.offset, received);
    assert_string_equal(bench->events, "R");
    bench_wait_out(bench);
}

/* The start that the present request asks for; 0 without a Range. */
size_t bench_asked_range(const struct bench *bench)
{
    const char *line = strstr(bench->request, "\r\nRange: bytes=");
    unsigned long start = 0;

    if (line != NULL) {
        char *end;
        start = strtoul(line + strlen("\r\nRange: bytes="), &end, 10);
        assert_memory_equal(end, "-\r\n", 3);
    }
    return start;
}

/* Connects and takes the request that asks for the rest. */
size_t bench_connect_for_rest(struct bench *bench)
{
    ota_pull_connected(&bench->pull);
    bench_take_request(bench);
    size_t start = bench_asked_range(bench);
    assert_true(start > 0 && start < bench->image_len);
    assert_int_equal(start % 4096, 0);
    return start;
}

void bench_feed_rest_head(struct bench *bench, char kind, size_t start)
{
    char head[512], line[256];

    bench_format(
        head, sizeof head, "HTTP/1.1 206 Rest\r\nContent-Range: bytes %zu-%zu/%zu\r\n%s\r\n", start,
        bench->image_len - 1, bench->image_len, bench_identity_lines(bench, kind, false, line));
    bench_feed(bench, head, strlen(head), 0);
}

int bench_fresh(void **state)
{
    static struct bench bench;

    bench_set_up(&bench, BENCH_IMAGE_SIZE);
    *state = &bench;
    return 0;
}
