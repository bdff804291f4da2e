/* SPDX-License-Identifier: Apache-2.0 */
/* A web server made of memory. */

#include "agent/web_stage.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/images.h"

static struct web *web_of(struct ota_stream *stream)
{
    return (struct web *)(void *)((char *)stream - offsetof(struct web, stream));
}

/* ---- Replying -------------------------------------------------------------------------------- */

static void put(struct web *web, const void *bytes, size_t len)
{
    assert_true(web->reply_len + len <= WEB_REPLY_MAX);
    memcpy(web->reply + web->reply_len, bytes, len);
    web->reply_len += len;
}

static void put_text(struct web *web, const char *text)
{
    put(web, text, strlen(text));
}

/* The value of a header line of the request, up to the line's end; NULL if it has none. */
static const char *header_of(const struct web *web, const char *name, char value[256])
{
    const char *line = strstr(web->request, name);

    if (line == NULL) {
        return NULL;
    }
    line += strlen(name);
    snprintf(value, 256, "%.*s", (int)strcspn(line, "\r"), line);
    return value;
}

static void put_chunks(struct web *web, const uint8_t *bytes, size_t len)
{
    char line[32];

    while (len > 0) {
        size_t n = len < 700 ? len : 700;
        snprintf(line, sizeof line, "%zx;x=y\r\n", n);
        put_text(web, line);
        put(web, bytes, n);
        put_text(web, "\r\n");
        bytes += n;
        len -= n;
    }
    put_text(web, "0\r\n\r\n");
}

static void put_head(struct web *web, unsigned status)
{
    char line[64];

    snprintf(line, sizeof line, "HTTP/1.%d %u Whatever\r\n", web->habits.http_1_0 ? 0 : 1, status);
    put_text(web, line);
}

static void put_status(struct web *web, unsigned status, const char *lines)
{
    put_head(web, status);
    put_text(web, lines != NULL ? lines : "");
    put_text(web, status == 304 ? "\r\n" : "Content-Length: 4\r\n\r\nnone");
    web->reply_ends = true;
}

static void serve(struct web *web, bool is_part, size_t from, size_t to)
{
    const struct web_habits *habits = &web->habits;
    char line[128];

    put_head(web, is_part ? 206 : 200);
    if (web->etag != NULL) {
        snprintf(line, sizeof line, "ETag: %s\r\n", web->etag);
        put_text(web, line);
    }
    if (is_part) {
        const long start = (long)from + (from > 0 ? habits->start_lie : 0);
        const long total = (long)web->file_len + (from > 0 ? habits->total_lie : 0);
        snprintf(line, sizeof line, "Content-Range: bytes %ld-%ld/%ld\r\n", start,
                 start + (long)(to - from) - 1, total);
        put_text(web, line);
    }
    put_text(web, habits->extra_lines != NULL ? habits->extra_lines : "");
    put_text(web, habits->closes ? "Connection: Close\r\n" : "");
    web->reply_ends = habits->closes || habits->drops || habits->http_1_0 || habits->no_length;
    if (habits->chunked) {
        put_text(web, "Transfer-Encoding: chunked\r\n\r\n");
        put_chunks(web, web->file + from, to - from - habits->less);
        return;
    }
    if (!habits->no_length) {
        snprintf(line, sizeof line, "Content-Length: %ld\r\n",
                 (long)(to - from) + habits->length_lie);
        put_text(web, line);
        web->reply_ends = web->reply_ends || habits->length_lie != 0;
    }
    put_text(web, "\r\n");
    put(web, web->file + from, to - from);
}

static void serve_range(struct web *web, const char *range)
{
    char if_range[256];
    char *end = NULL;
    size_t from = strtoul(range + strlen("bytes="), &end, 10);
    size_t to = web->file_len;

    if (end[0] == '-' && end[1] != '\0') {
        to = strtoul(end + 1, NULL, 10) + 1;
    }
    to = to < web->file_len ? to : web->file_len;
    if (web->habits.no_ranges ||
        (!web->habits.no_if_range && header_of(web, "\r\nIf-Range: ", if_range) != NULL &&
         (web->etag == NULL || strcmp(if_range, web->etag) != 0))) {
        serve(web, false, 0, web->file_len);
    } else if (from >= web->file_len) {
        put_status(web, 416, NULL);
    } else {
        to = to + web->habits.more < web->file_len ? to + web->habits.more : to;
        if (web->habits.part_max != 0 && to > from + web->habits.part_max) {
            to = from + web->habits.part_max;
        }
        serve(web, true, from, to);
    }
}

/* The request is whole. */
static void answer(struct web *web)
{
    const struct web_habits *habits = &web->habits;
    char value[256], location[512];
    const char *range = header_of(web, "\r\nRange: ", value);
    size_t noted = strlen(web->ranges);

    snprintf(web->last_request, sizeof web->last_request, "%s", web->request);
    snprintf(web->ranges + noted, sizeof web->ranges - noted, "%s ", range != NULL ? range : "-");
    web->requests++;
    web->reply_len = 0;
    web->reply_at = 0;
    web->next_byte_ms = web->now;
    if (habits->other_file_after != 0 && web->requests == habits->other_file_after + 1) {
        web_make_file(web, (uint32_t)web->file_len, "1.2.0");
        web->etag = web->etag != NULL ? "\"other\"" : NULL;
    }
    if (web->requests <= habits->redirects) {
        snprintf(location, sizeof location, "Location: %s\r\n",
                 habits->location != NULL ? habits->location : "");
        put_status(web, habits->redirect_status, habits->location != NULL ? location : NULL);
    } else if (habits->needs != NULL && (header_of(web, "\r\nAuthorization: ", location) == NULL ||
                                         strcmp(location, habits->needs) != 0)) {
        put_status(web, 401, "WWW-Authenticate: Basic realm=\"x\"\r\n");
    } else if (habits->status != 0) {
        put_status(web, habits->status, habits->status_lines);
    } else if (range != NULL) {
        serve_range(web, range);
    } else {
        serve(web, false, 0, web->file_len);
    }
    web->request_len = 0;
    web->request[0] = '\0';
}

/* ---- The platform ---------------------------------------------------------------------------- */

/* An answer that has no end: the reply begins again at `from`. */
static void go_round(struct web *web, const char *from)
{
    const char *at = strstr((const char *)web->reply, from);

    if (web->reply_at == web->reply_len && at != NULL) {
        web->reply_at = (size_t)(at + strlen(from) - (const char *)web->reply);
    }
}

static enum ota_err stream_read(struct ota_stream *stream, void *data, size_t capacity, size_t *len,
                                bool *ended)
{
    struct web *web = web_of(stream);
    const struct web_habits *habits = &web->habits;
    size_t most = web->reply_len - web->reply_at;

    assert_true(web->is_open);
    *len = 0;
    *ended = false;
    if (habits->endless_body && most == 0 && web->reply_len > 0) {
        go_round(web, "\r\n\r\n");
        most = web->reply_len - web->reply_at;
    }
    if (habits->endless_head && web->reply_len > 0) {
        memset(data, 'a', capacity);
        memcpy(data, "\r\nx: ", capacity < 5 ? capacity : 5);
        if (web->reply_at < 15) {
            memcpy(data, web->reply, capacity < 15 ? capacity : 15);
            web->reply_at = 15;
            capacity = 15;
        }
        *len = capacity;
        return OTA_OK;
    }
    if (habits->cut != 0 && web->reply_at + most > habits->cut) {
        most = habits->cut - web->reply_at;
        if (most == 0) {
            return OTA_ERR_CONNECTION_LOST;
        }
    }
    if (habits->silent_after != 0 && web->reply_at + most > habits->silent_after) {
        most = habits->silent_after - web->reply_at;
    }
    most = most < capacity ? most : capacity;
    most = web->piece != 0 && web->piece < most ? web->piece : most;
    if (habits->byte_every_ms != 0 && most > 0) {
        most = (int32_t)(web->now - web->next_byte_ms) >= 0 ? 1 : 0;
        web->next_byte_ms += most > 0 ? habits->byte_every_ms : 0;
    }
    memcpy(data, web->reply + web->reply_at, most);
    web->reply_at += most;
    *len = most;
    *ended = web->reply_ends && !habits->endless_body && !habits->drops && web->reply_len > 0 &&
             web->reply_at == web->reply_len;
    return OTA_OK;
}

static bool is_asked(const struct web *web)
{
    uint32_t early = web->habits.answers_after;

    return early == 0 ? strstr(web->request, "\r\n\r\n") != NULL
                      : web->reply_len == 0 && web->request_len >= early;
}

static enum ota_err stream_write(struct ota_stream *stream, const void *data, size_t len,
                                 size_t *sent)
{
    struct web *web = web_of(stream);

    assert_true(web->is_open);
    if (web->reply_ends && web->reply_len > 0 && web->habits.answers_after == 0) {
        *sent = 0;
        return OTA_ERR_CONNECTION_LOST; /* it was closed after the last answer */
    }
    *sent = web->piece != 0 && web->piece < len ? web->piece : len;
    assert_true(web->request_len + *sent < sizeof web->request);
    memcpy(web->request + web->request_len, data, *sent);
    web->request_len += *sent;
    web->request[web->request_len] = '\0';
    if (is_asked(web)) {
        answer(web);
    }
    return OTA_OK;
}

static void stream_close(struct ota_stream *stream)
{
    struct web *web = web_of(stream);

    assert_true(web->is_open);
    web->is_open = false;
}

static enum ota_err connect(struct ota_platform *platform, const char *host, uint16_t port,
                            struct ota_stream **stream)
{
    struct web *web = (struct web *)platform;

    assert_false(web->is_open);
    if (web->habits.connect_error != OTA_OK) {
        return web->habits.connect_error;
    }
    snprintf(web->host, sizeof web->host, "%s", host);
    web->port = port;
    web->connections++;
    web->is_open = true;
    web->request_len = 0;
    web->reply_len = 0;
    web->reply_at = 0;
    web->reply_ends = false;
    *stream = &web->stream;
    return OTA_OK;
}

static uint32_t now_ms(struct ota_platform *platform)
{
    return ((struct web *)platform)->now;
}

static void web_wait(struct ota_platform *platform, uint32_t timeout_ms)
{
    struct web *web = (struct web *)platform;
    bool gives = web->reply_at < web->reply_len &&
                 (web->habits.silent_after == 0 || web->reply_at < web->habits.silent_after);
    bool takes = web->request_len > 0;
    bool stirs = web->is_open && (gives || takes);

    assert_int_not_equal(timeout_ms, UINT32_MAX);
    if (stirs && timeout_ms > 1) {
        timeout_ms = 1;
    }
    web->now += timeout_ms;
}

static void log_line(struct ota_platform *platform, enum ota_log_level level, const char *tag,
                     const char *text)
{
    struct web *web = (struct web *)platform;
    size_t len = strlen(web->log);

    snprintf(web->log + len, sizeof web->log - len, "%c %s: %s\n", "EWID"[level], tag, text);
}

/* ---- Set-up ---------------------------------------------------------------------------------- */

void web_make_file(struct web *web, uint32_t size, const char *version)
{
    const struct image_facts facts = {
        .chip = OTA_CHIP_ESP32S3,
        .size = size,
        .version = version,
        .seed = (uint32_t)version[2],
    };

    web->file_len = image_make(web->file, sizeof web->file, &facts);
    assert_true(web->file_len > 0);
}

void web_assert_installed(const struct web *web)
{
    assert_memory_equal(web->ram.memory + RAM_OTA_0, web->file, web->file_len);
}

int web_set_up(void **state)
{
    struct web *web = calloc(1, sizeof *web);

    assert_non_null(web);
    web->reply = malloc(WEB_REPLY_MAX);
    assert_non_null(web->reply);
    ram_device_make(&web->ram);
    assert_true(image_make(web->ram.memory + RAM_FACTORY, RAM_SLOT_SIZE,
                           &(struct image_facts){.chip = OTA_CHIP_ESP32S3, .version = "1.0.0"}) >
                0);
    web_make_file(web, 20000, "1.1.0");
    web->etag = "\"first\"";
    web->now = UINT32_MAX - 5000;
    web->platform = (struct ota_platform){
        .now_ms = now_ms,
        .connect = connect,
        .wait = web_wait,
        .log = log_line,
    };
    web->stream =
        (struct ota_stream){.read = stream_read, .write = stream_write, .close = stream_close};
    assert_int_equal(ota_intake_init(&web->intake,
                                     &(struct ota_intake_options){
                                         .device = &web->ram.device,
                                         .buffer = web->buffer,
                                         .buffer_size = sizeof web->buffer,
                                     }),
                     OTA_OK);
    *state = web;
    return 0;
}

int web_tear_down(void **state)
{
    struct web *web = *state;

    assert_false(web->is_open);
    free(web->reply);
    free(web);
    return 0;
}
