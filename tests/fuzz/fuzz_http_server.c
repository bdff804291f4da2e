/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as what a client sends on one connection. The first byte says how they are cut, the
 * second what the server answers and when; whatever the cut, what it understands and says is the
 * same.
 */
#include <stdbool.h>
#include <string.h>

#include <updraft/crypto.h>
#include <updraft/http_server.h>

#include "fuzz/input.h"

enum answers {
    AT_REQUEST = 1,
    AT_HEAD = 2,
    ON_GONE = 4,
    PAUSED = 8,
    KEEPS = 16
};

struct outcome {
    struct ota_http_server server;
    char buffer[80];
    uint8_t answers;
    bool in_request;
    const char *kept[3]; /* of the values of headers, as long as the head comes */
    uint32_t requests, ends, gone, sent;
    uint32_t told, said; /* checksums of what the callbacks were told, and of what was said */
};

static const char *const wanted[] = {"Host", "Content-Type", "X-One", NULL};

static void note(struct outcome *outcome, const void *data, size_t len)
{
    outcome->told = ota_crc32(outcome->told, data, len);
}

static void answer(struct outcome *outcome, uint16_t status)
{
    const struct ota_http_answer answer = {
        .status = status,
        .type = "text/plain",
        .body = "hello",
        .body_len = 5,
        .pause_ms = (outcome->answers & PAUSED) != 0 ? 100 : 0,
    };

    REQUIRE(ota_http_server_answer(&outcome->server, &answer) == OTA_OK);
}

static void on_request(void *context, enum ota_http_method method, const char *target)
{
    struct outcome *outcome = context;

    REQUIRE(!outcome->in_request);
    REQUIRE(target[0] == '/' || target[0] == '*');
    outcome->in_request = true;
    memset(outcome->kept, 0, sizeof outcome->kept);
    outcome->requests++;
    note(outcome, &method, sizeof method);
    note(outcome, target, strlen(target));
    if ((outcome->answers & AT_REQUEST) != 0) {
        answer(outcome, 404);
    }
}

static void on_header(void *context, unsigned index, const char *value)
{
    struct outcome *outcome = context;

    REQUIRE(outcome->in_request && !ota_http_server_is_answered(&outcome->server));
    note(outcome, wanted[index], strlen(wanted[index]));
    note(outcome, value, strlen(value));
    if ((outcome->answers & KEEPS) != 0) {
        outcome->kept[index] = ota_http_server_keep(&outcome->server, value, strlen(value));
        REQUIRE(outcome->kept[index] != NULL);
    }
}

static void on_head(void *context, const struct ota_http_asked *asked)
{
    struct outcome *outcome = context;

    REQUIRE(outcome->in_request && !ota_http_server_is_answered(&outcome->server));
    note(outcome, &asked->length, sizeof asked->length);
    for (size_t i = 0; i < sizeof outcome->kept / sizeof *outcome->kept; i++) {
        if (outcome->kept[i] != NULL) {
            note(outcome, outcome->kept[i], strlen(outcome->kept[i]));
        }
    }
    if ((outcome->answers & AT_HEAD) != 0) {
        answer(outcome, 413);
    }
}

static void on_body(void *context, const void *data, size_t len)
{
    struct outcome *outcome = context;

    REQUIRE(outcome->in_request && len > 0 && !ota_http_server_is_answered(&outcome->server));
    note(outcome, data, len);
}

static void on_end(void *context)
{
    struct outcome *outcome = context;

    REQUIRE(outcome->in_request);
    outcome->ends++;
    answer(outcome, 200);
}

static void on_gone(void *context, enum ota_err why)
{
    struct outcome *outcome = context;

    REQUIRE(outcome->in_request && why != OTA_OK);
    outcome->gone++;
    if ((outcome->answers & ON_GONE) != 0) {
        answer(outcome, 500);
    } else {
        outcome->in_request = false;
    }
}

static void on_sent(void *context)
{
    struct outcome *outcome = context;

    REQUIRE(outcome->in_request);
    outcome->in_request = false;
    outcome->sent++;
}

static const struct ota_http_handler handler = {
    .wanted = wanted,
    .on_request = on_request,
    .on_header = on_header,
    .on_head = on_head,
    .on_body = on_body,
    .on_end = on_end,
    .on_gone = on_gone,
    .on_sent = on_sent,
};

/* Sends what is due. A "100 Continue" does not count as said: it goes only to a client that waits
   for it, and the cut decides whether the body is there before it. */
static void say(struct outcome *outcome, size_t step)
{
    const struct ota_http_server *server = &outcome->server;
    const size_t interim = sizeof "HTTP/1.1 100 Continue\r\n\r\n" - 1;
    char piece[256];
    size_t len;

    while ((len = ota_http_server_output(&outcome->server, piece, step)) > 0) {
        REQUIRE(len <= step);
        const size_t ahead =
            server->continues && server->sent < interim ? interim - server->sent : 0;
        const size_t passed = ahead < len ? ahead : len;
        outcome->said = ota_crc32(outcome->said, piece + passed, len - passed);
        ota_http_server_sent(&outcome->server, len);
    }
}

static void run(struct outcome *outcome, uint8_t answers, const uint8_t *data, size_t size,
                size_t step)
{
    uint32_t now_ms = UINT32_MAX - 50;

    memset(outcome, 0, sizeof *outcome);
    outcome->answers = answers;
    REQUIRE(ota_http_server_begin(&outcome->server, &handler, outcome, outcome->buffer,
                                  sizeof outcome->buffer, now_ms) == OTA_OK);
    for (size_t at = 0; at < size && outcome->server.state != OTA_HTTP_SERVER_OVER;) {
        size_t len = step < size - at ? step : size - at;
        size_t certain = ota_http_server_wanted(&outcome->server);
        size_t taken = ota_http_server_input(&outcome->server, data + at, len);
        REQUIRE(taken <= len && taken >= (certain < len ? certain : len));
        at += taken;
        if (outcome->server.state == OTA_HTTP_SERVER_WHOLE) {
            memset(outcome->buffer, 'x', sizeof outcome->buffer); /* it is ours now */
        }
        now_ms += taken == 0 ? 100 : 0;
        ota_http_server_tick(&outcome->server, now_ms);
        say(outcome, step < 256 ? step : 256);
        if (taken == 0 && outcome->server.state == OTA_HTTP_SERVER_WHOLE) {
            REQUIRE(outcome->answers & PAUSED);
        }
    }
    ota_http_server_closed(&outcome->server, OTA_OK);
    ota_http_server_tick(&outcome->server, now_ms + 100);
    say(outcome, 256);
    REQUIRE(outcome->server.state == OTA_HTTP_SERVER_OVER);
    REQUIRE(!outcome->in_request);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct outcome whole, cut;
    struct input input = {data, size};
    size_t step = 1 + input_byte(&input) % 100;
    uint8_t answers = input_byte(&input) & 31;

    run(&whole, answers, input.data, input.left, input.left + 1);
    run(&cut, answers, input.data, input.left, step);
    /* Of a request with two things wrong, or an early answer, the cut decides what is seen
       first. */
    bool refused =
        whole.gone + cut.gone > 0 || whole.server.is_own_answer || cut.server.is_own_answer;
    if (!refused && (answers & (AT_REQUEST | AT_HEAD)) == 0) {
        REQUIRE(whole.requests == cut.requests && whole.ends == cut.ends);
        REQUIRE(whole.told == cut.told && whole.said == cut.said);
    }
    return 0;
}
