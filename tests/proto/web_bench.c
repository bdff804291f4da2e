/* SPDX-License-Identifier: Apache-2.0 */
/* A web server on a bench. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <updraft/slot.h>

#include "proto/digits.h"
#include "proto/web_bench.h"
#include "support/images.h"

static const char boundary[] = "------------------------0123456789abcdef";

static void on_restart(void *context, enum ota_restart_reason reason)
{
    struct web_bench *bench = context;

    bench->restarts++;
    bench->reason = reason;
}

static void on_event(void *context, enum ota_web_event event)
{
    struct web_bench *bench = context;
    size_t len = strlen(bench->events);

    assert_true(len + 1 < sizeof bench->events);
    bench->events[len] = "LFRBU"[event];
    bench->events[len + 1] = '\0';
}

/* No two are the same, and a test may know them. */
static enum ota_err fill(void *context, void *data, size_t len)
{
    struct web_bench *bench = context;

    memset(data, ++bench->draws, len);
    return bench->draws_fail ? OTA_ERR_CRYPTO : OTA_OK;
}

void web_bench_make(struct web_bench *bench, uint32_t size)
{
    const struct image_facts facts = {.chip = OTA_CHIP_ESP32S3, .size = size, .version = "1.1.0"};
    const struct image_facts running = {.chip = OTA_CHIP_ESP32S3, .version = "1.0.0"};

    memset(bench, 0, sizeof *bench);
    ram_device_make(&bench->ram);
    assert_true(image_make(bench->ram.memory + RAM_FACTORY, RAM_SLOT_SIZE, &running) > 0);
    bench->image_len = image_make(bench->image, sizeof bench->image, &facts);
    assert_true(bench->image_len > 0);
    digits_of(OTA_HASH_MD5, bench->image, bench->image_len, bench->md5);
    digits_of(OTA_HASH_SHA256, bench->image, bench->image_len, bench->sha256);
    bench->now = UINT32_MAX - 1000;
    bench->intake_options = (struct ota_intake_options){
        .device = &bench->ram.device,
        .buffer = bench->buffer,
        .buffer_size = sizeof bench->buffer,
    };
    bench->options = (struct ota_web_options){
        .intake = &bench->intake,
        .device = &bench->ram.device,
        .boot = 0x5f0e9a31,
        .random = fill,
        .on_restart = on_restart,
        .on_event = on_event,
        .context = bench,
    };
}

void web_bench_begin(struct web_bench *bench)
{
    assert_int_equal(ota_intake_init(&bench->intake, &bench->intake_options), OTA_OK);
    assert_int_equal(ota_web_init(&bench->web, &bench->options), OTA_OK);
    bench->restarts = 0;
    bench->events[0] = '\0';
    for (unsigned i = 0; i < WEB_CONNECTIONS; i++) {
        memset(&bench->connection[i], 0, sizeof bench->connection[i]);
        web_bench_open(bench, i);
    }
    web_bench_note_flash(bench);
}

void web_bench_take_gzip(struct web_bench *bench)
{
    ota_gunzip_decoder_init(&bench->gunzip);
    bench->decoders[0] = &bench->gunzip.decoder;
    ota_unwrap_init(&bench->unwrap, bench->decoders);
    bench->intake_options.unwrap = &bench->unwrap;
    web_bench_begin(bench);
}

void web_bench_set_password(struct web_bench *bench, const char *user, const char *password)
{
    bench->options.user = user;
    bench->options.password = password;
    web_bench_begin(bench);
}

void web_bench_open(struct web_bench *bench, unsigned connection)
{
    const struct ota_address peer = {.ip = {[10] = 0xFF, 0xFF, 192, 168, 0, (uint8_t)connection},
                                     .port = 4000};

    if (bench->connection[connection].web != NULL) {
        ota_http_server_closed(&bench->connection[connection].http, OTA_ERR_CONNECTION_LOST);
    }
    ota_web_open(&bench->connection[connection], &bench->web, &peer, bench->now);
    bench->out_len[connection] = 0;
    bench->out[connection][0] = '\0';
}

void web_bench_compose(struct web_bench *bench, const char *head, const void *body, size_t len)
{
    size_t head_len = strlen(head);

    assert_true(head_len + 2 + len <= sizeof bench->request);
    memcpy(bench->request, head, head_len);
    memcpy(bench->request + head_len, "\r\n", 2);
    if (len > 0) {
        memcpy(bench->request + head_len + 2, body, len);
    }
    bench->request_len = head_len + 2 + len;
}

void web_bench_compose_form(struct web_bench *bench, const char *target, const char *lines,
                            const char *name, const char *file_name, const void *data, size_t len)
{
    static char body[WEB_IMAGE_MAX + 2048];
    char head[1024];
    int at;

    if (file_name != NULL) {
        at = snprintf(body, sizeof body,
                      "--%s\r\nContent-Disposition: form-data; name=\"%s\"; filename=\"%s\"\r\n"
                      "Content-Type: application/octet-stream\r\n\r\n",
                      boundary, name, file_name);
    } else {
        at =
            snprintf(body, sizeof body,
                     "--%s\r\nContent-Disposition: form-data; name=\"%s\"\r\n\r\n", boundary, name);
    }
    assert_true((size_t)at + len + 100 < sizeof body);
    if (len > 0) {
        memcpy(body + at, data, len);
    }
    size_t end = (size_t)at + len;
    end += (size_t)snprintf(body + end, sizeof body - end, "\r\n--%s--\r\n", boundary);
    snprintf(head, sizeof head,
             "POST %s HTTP/1.1\r\nHost: board\r\nContent-Length: %zu\r\n"
             "Content-Type: multipart/form-data; boundary=%s\r\n%s",
             target, end, boundary, lines);
    web_bench_compose(bench, head, body, end);
}

void web_bench_compose_raw(struct web_bench *bench, const char *target, const char *lines,
                           const void *data, size_t len)
{
    char head[1024];

    snprintf(head, sizeof head,
             "POST %s HTTP/1.1\r\nHost: board\r\nContent-Length: %zu\r\n"
             "Content-Type: application/x-www-form-urlencoded\r\n%s",
             target, len, lines);
    web_bench_compose(bench, head, data, len);
}

void web_bench_take(struct web_bench *bench, unsigned connection)
{
    struct ota_http_server *http = &bench->connection[connection].http;
    char *out = bench->out[connection];
    size_t *out_len = &bench->out_len[connection], len;

    while ((len = ota_http_server_output(http, out + *out_len,
                                         sizeof bench->out[0] - 1 - *out_len)) > 0) {
        *out_len += len;
        ota_http_server_sent(http, len);
    }
    assert_true(*out_len < sizeof bench->out[0] - 1);
    out[*out_len] = '\0';
}

void web_bench_feed(struct web_bench *bench, unsigned connection, const void *data, size_t len)
{
    struct ota_http_server *http = &bench->connection[connection].http;
    const char *bytes = data;

    while (len > 0 && http->state != OTA_HTTP_SERVER_OVER) {
        size_t taken = ota_http_server_input(http, bytes, len);
        bytes += taken;
        len -= taken;
        web_bench_take(bench, connection);
        if (taken == 0) {
            return;
        }
    }
}

void web_bench_send(struct web_bench *bench, unsigned connection)
{
    size_t at = 0, len = bench->request_len;

    while (at < len) {
        size_t piece = at == 0 && bench->first > 0 ? bench->first : bench->step;
        piece = piece == 0 || piece > len - at ? len - at : piece;
        web_bench_feed(bench, connection, bench->request + at, piece);
        at += piece;
    }
    web_bench_take(bench, connection);
}

void web_bench_wait(struct web_bench *bench, uint32_t ms)
{
    bench->now += ms;
    for (unsigned i = 0; i < WEB_CONNECTIONS; i++) {
        ota_http_server_tick(&bench->connection[i].http, bench->now);
        web_bench_take(bench, i);
    }
}

unsigned web_bench_ask(struct web_bench *bench)
{
    web_bench_open(bench, 0);
    web_bench_send(bench, 0);
    return web_bench_status(bench, 0);
}

unsigned web_bench_get(struct web_bench *bench, const char *target, const char *lines)
{
    char head[1024];

    snprintf(head, sizeof head, "GET %s HTTP/1.1\r\nHost: board\r\n%s", target, lines);
    web_bench_compose(bench, head, NULL, 0);
    return web_bench_ask(bench);
}

static const char *last_answer(const struct web_bench *bench, unsigned connection)
{
    const char *at = bench->out[connection], *last = NULL;

    while ((at = strstr(at, "HTTP/1.1 ")) != NULL) {
        last = at++;
    }
    return last;
}

unsigned web_bench_status(const struct web_bench *bench, unsigned connection)
{
    const char *answer = last_answer(bench, connection);

    return answer != NULL ? (unsigned)strtoul(answer + strlen("HTTP/1.1 "), NULL, 10) : 0;
}

const char *web_bench_body(const struct web_bench *bench, unsigned connection)
{
    const char *answer = last_answer(bench, connection);
    const char *body = answer != NULL ? strstr(answer, "\r\n\r\n") : NULL;

    return body != NULL ? body + 4 : "";
}

bool web_bench_has_line(const struct web_bench *bench, unsigned connection, const char *line)
{
    const char *answer = last_answer(bench, connection);
    const char *body = web_bench_body(bench, connection);
    char wanted[256];

    snprintf(wanted, sizeof wanted, "\r\n%s\r\n", line);
    const char *found = answer != NULL ? strstr(answer, wanted) : NULL;
    return found != NULL && found < body;
}

unsigned web_bench_upload(struct web_bench *bench, const char *lines)
{
    char head[1200];

    snprintf(head, sizeof head, "POST /update HTTP/1.1\r\nContent-Length: %zu\r\n%s",
             bench->image_len, lines);
    web_bench_compose(bench, head, bench->image, bench->image_len);
    return web_bench_ask(bench);
}

void web_bench_note_flash(struct web_bench *bench)
{
    memcpy(bench->before, bench->ram.memory, sizeof bench->before);
}

bool web_bench_same_flash(const struct web_bench *bench)
{
    return memcmp(bench->before, bench->ram.memory, sizeof bench->before) == 0;
}

static void assert_free(const struct web_bench *bench)
{
    assert_int_equal(bench->intake.state, OTA_INTAKE_FREE);
    assert_null(bench->web.upload.owner);
}

void web_bench_assert_updated(const struct web_bench *bench)
{
    int boots = OTA_SLOT_NONE;

    assert_free(bench);
    assert_memory_equal(bench->ram.memory + RAM_OTA_0, bench->image, bench->image_len);
    assert_int_equal(ota_slot_boot(&bench->ram.device, &boots), OTA_OK);
    assert_int_equal(boots, 0);
}

void web_bench_assert_data(const struct web_bench *bench)
{
    assert_free(bench);
    assert_memory_equal(bench->ram.memory + RAM_STORAGE, bench->image, bench->image_len);
}

void web_bench_assert_nothing(struct web_bench *bench)
{
    assert_free(bench);
    assert_int_equal(bench->restarts, 0);
    assert_true(web_bench_same_flash(bench));
}

void web_bench_assert_refused(struct web_bench *bench, unsigned status)
{
    assert_int_equal(web_bench_status(bench, 0), status);
    assert_true(web_bench_has_line(bench, 0, "Connection: close"));
    web_bench_assert_nothing(bench);
}
