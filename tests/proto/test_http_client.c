/* SPDX-License-Identifier: Apache-2.0 */
/* The HTTP exchange: what is sent, how answers are read however they are cut, what is refused. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include <updraft/http_client.h>

/* What one exchange came to, in a form that two runs can be compared by. */
struct transcript {
    enum ota_http_state state;
    enum ota_err err;
    uint16_t status;
    bool chunked;
    uint32_t length;
    char headers[512];
    char body[512];
    size_t body_len;
    unsigned heads;
    enum ota_err head_answer, header_answer, body_answer; /* what the callbacks return */
};

static const char *const wanted[] = {"x-MD5", "Location", NULL};

static enum ota_err on_header(void *context, unsigned index, const char *value)
{
    struct transcript *transcript = context;
    size_t len = strlen(transcript->headers);

    snprintf(transcript->headers + len, sizeof transcript->headers - len, "%s=%s|", wanted[index],
             value);
    return transcript->header_answer;
}

static enum ota_err on_head(void *context, const struct ota_http_response *response)
{
    struct transcript *transcript = context;

    transcript->heads++;
    transcript->status = response->status;
    transcript->chunked = response->chunked;
    transcript->length = response->length;
    return transcript->head_answer;
}

static enum ota_err on_body(void *context, const void *data, size_t len)
{
    struct transcript *transcript = context;

    assert_true(transcript->body_len + len <= sizeof transcript->body);
    memcpy(transcript->body + transcript->body_len, data, len);
    transcript->body_len += len;
    return transcript->body_answer;
}

static void write_headers(void *context, struct ota_text *text)
{
    (void)context;
    ota_text_put(text, "Host: h\r\n");
}

static struct ota_http_request request_to(struct transcript *transcript, char *buffer, size_t size)
{
    return (struct ota_http_request){
        .method = "GET",
        .target = "/x",
        .minor_version = 1,
        .write_headers = write_headers,
        .wanted = wanted,
        .on_header = on_header,
        .on_head = on_head,
        .on_body = on_body,
        .context = transcript,
        .buffer = buffer,
        .buffer_size = size,
    };
}

static enum ota_err input(struct ota_http_client *client, const char *text)
{
    return ota_http_client_input(client, text, strlen(text));
}

/* Feeds the answer cut at `first` and, if `step` is not 0, into pieces of that many bytes; then the
   peer closes. */
static void run(struct transcript *transcript, const char *method, const char *answer, size_t len,
                size_t first, size_t step)
{
    char buffer[64];
    struct ota_http_client client;
    struct ota_http_request request = request_to(transcript, buffer, sizeof buffer);
    size_t at = 0;

    request.method = method;
    assert_int_equal(ota_http_client_begin(&client, &request, 0), OTA_OK);
    transcript->err = OTA_OK;
    while (at < len && transcript->err == OTA_OK) {
        size_t piece = at == 0 && first > 0 ? first : step != 0 ? step : len - at;
        piece = piece < len - at ? piece : len - at;
        /* A copy of just these bytes, so that a sanitizer sees a read past them. */
        char copy[1024];
        assert_true(piece <= sizeof copy);
        memcpy(copy + sizeof copy - piece, answer + at, piece);
        transcript->err = ota_http_client_input(&client, copy + sizeof copy - piece, piece);
        at += piece;
    }
    if (transcript->err == OTA_OK) {
        transcript->err = ota_http_client_closed(&client);
    }
    transcript->state = client.state;
    assert_int_equal(client.state == OTA_HTTP_FAILED, transcript->err != OTA_OK);
    assert_int_equal(client.failure.err, transcript->err);
    /* What is over stays over. */
    if (client.state == OTA_HTTP_FAILED) {
        assert_int_equal(input(&client, "x"), transcript->err);
        assert_int_equal(ota_http_client_closed(&client), transcript->err);
        assert_int_equal(ota_http_client_tick(&client, UINT32_MAX / 2), transcript->err);
    }
}

struct answer_case {
    const char *answer;
    enum ota_err err;
    uint16_t status;
    uint32_t length;
    const char *headers;
    const char *body;
};

#define UNKNOWN OTA_SIZE_UNKNOWN
#define MD5 "0123456789abcdef0123456789abcdef"

static const struct answer_case answers[] = {
    /* Good. */
    {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nx-MD5: " MD5 "\r\n\r\nhello", OTA_OK, 200, 5,
     "x-MD5=" MD5 "|", "hello"},
    {"HTTP/1.0 200 OK\nContent-Length:5\nX-mD5:" MD5 "\n\nhello", OTA_OK, 200, 5, "x-MD5=" MD5 "|",
     "hello"},
    {"HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", OTA_OK, 200, 0, "", ""},
    {"HTTP/1.1 200 OK\r\n\r\nuntil it closes", OTA_OK, 200, UNKNOWN, "", "until it closes"},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: "
     "chunked\r\n\r\n4\r\nwiki\r\n5;x=y\r\npedia\r\n0\r\n\r\n",
     OTA_OK, 200, UNKNOWN, "", "wikipedia"},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding:  Chunked \r\n\r\n1\r\na\r\n0\r\nx-MD5: trailer\r\n\r\n",
     OTA_OK, 200, UNKNOWN, "", "a"},
    {"HTTP/1.1 302 Found\r\nLocation:  /other \t\r\nContent-Length: 0\r\n\r\n", OTA_OK, 302, 0,
     "Location=/other|", ""},
    {"HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\n\r\n", OTA_OK, 304, 99, "", ""},
    {"HTTP/1.0 304 Not Modified\r\n\r\nFile not modified\n", OTA_OK, 304, UNKNOWN, "", ""},
    {"HTTP/1.1 204 No Content\r\n\r\n", OTA_OK, 204, UNKNOWN, "", ""},
    {"HTTP/1.1 100 Continue\r\nx-MD5: no\r\n\r\nHTTP/1.1 103 Hints\r\nLocation: no\r\n\r\n"
     "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
     OTA_OK, 200, 2, "", "ok"},
    {"HTTP/1.1 200 OK\r\nx-MD5: a\r\nx-MD5: b\r\nContent-Length: 0\r\n\r\n", OTA_OK, 200, 0,
     "x-MD5=a|x-MD5=b|", ""},
    {"HTTP/1.1 200 OK\r\nx-MD5:\r\nContent-Length: 0\r\n\r\n", OTA_OK, 200, 0, "x-MD5=|", ""},
    {"HTTP/1.1 200 OK\r\nA-header-with-a-name-longer-than-any-place-for-it: 1\r\n"
     "x-MD5x: no\r\nx-MD: no\r\nContent-Length: 1\r\n\r\n!",
     OTA_OK, 200, 1, "", "!"},
    {"HTTP/1.1 200 OK\r\nContent-Length: 4294967294\r\n\r\n", OTA_ERR_INCOMPLETE, 200, 4294967294u,
     "", ""},

    /* Lengths that contradict the body. */
    {"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello", OTA_ERR_INCOMPLETE, 200, 6, "", "hello"},
    {"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nhello", OTA_ERR_TOO_LARGE, 200, 4, "", "hell"},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nwiki\r\n", OTA_ERR_INCOMPLETE, 200,
     UNKNOWN, "", "wiki"},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n!", OTA_ERR_TOO_LARGE,
     200, UNKNOWN, "", "a"},

    /* Lengths that contradict each other, or themselves. */
    {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello", OTA_ERR_HTTP_HEADER,
     0, 0, "", ""},
    {"HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\nhello", OTA_ERR_HTTP_HEADER, 0, 0, "", ""},
    {"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nhello", OTA_ERR_HTTP_HEADER, 0, 0, "", ""},
    {"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n", OTA_ERR_HTTP_HEADER, 0, 0,
     "", ""},
    {"HTTP/1.1 200 OK\r\nContent-Length: 4294967295\r\n\r\n", OTA_ERR_TOO_LARGE, 0, 0, "", ""},
    {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
     OTA_ERR_HTTP_HEADER, 0, 0, "", ""},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", OTA_ERR_HTTP_HEADER, 0,
     0, "", ""},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\n\r\nhello", OTA_ERR_HTTP_HEADER, 0, 0, "",
     ""},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
     OTA_ERR_HTTP_HEADER, 0, 0, "", ""},
    {"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", OTA_ERR_HTTP_HEADER, 0, 0,
     "", ""},

    /* Not HTTP, or not ours. */
    {"", OTA_ERR_CONNECTION_LOST, 0, 0, "", ""},
    {"HTTP/1.1 200 OK\r\nContent-Le", OTA_ERR_CONNECTION_LOST, 0, 0, "", ""},
    {"SSH-2.0-OpenSSH\r\n", OTA_ERR_HTTP_SYNTAX, 0, 0, "", ""},
    {"HTTP/2.0 200 OK\r\n\r\n", OTA_ERR_HTTP_SYNTAX, 0, 0, "", ""},
    {"HTTP/1.1 20 OK\r\n\r\n", OTA_ERR_HTTP_SYNTAX, 0, 0, "", ""},
    {"HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n", OTA_ERR_HTTP_SYNTAX, 0,
     0, "", ""},
    {"HTTP/1.1 200 OK\r\nContent-Length : 0\r\n\r\n", OTA_ERR_HTTP_SYNTAX, 0, 0, "", ""},
    {"HTTP/1.1 200 OK\r\nBad Header: 1\r\n\r\n", OTA_ERR_HTTP_SYNTAX, 0, 0, "", ""},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", OTA_ERR_HTTP_SYNTAX, 200,
     UNKNOWN, "", ""},

    /* A header longer than its place (64 bytes with the end), but only where it is wanted. */
    {"HTTP/1.1 200 OK\r\nx-MD5: " MD5 MD5 "\r\n\r\n", OTA_ERR_HTTP_HEADER, 0, 0, "", ""},
    {"HTTP/1.1 200 OK\r\nx-other: " MD5 MD5 MD5 "\r\nContent-Length: 1\r\n\r\n!", OTA_OK, 200, 1,
     "", "!"},
};

static void assert_case(const struct answer_case *expected, const struct transcript *transcript)
{
    if (expected->err != transcript->err) {
        print_message("%s\n", expected->answer);
    }
    assert_int_equal(transcript->err, expected->err);
    assert_string_equal(transcript->headers, expected->headers);
    assert_int_equal(transcript->heads, expected->status != 0);
    if (expected->status != 0) {
        assert_int_equal(transcript->status, expected->status);
        assert_int_equal(transcript->length, expected->length);
    }
    assert_int_equal(transcript->body_len, strlen(expected->body));
    assert_memory_equal(transcript->body, expected->body, transcript->body_len);
}

static void test_answers_however_they_are_cut(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        size_t len = strlen(answers[i].answer);
        for (size_t first = 0; first <= len; first++) {
            struct transcript transcript = {0};
            run(&transcript, "GET", answers[i].answer, len, first, 0);
            assert_case(&answers[i], &transcript);
        }
        for (size_t step = 1; step <= 3; step++) {
            struct transcript transcript = {0};
            run(&transcript, "GET", answers[i].answer, len, 0, step);
            assert_case(&answers[i], &transcript);
        }
    }
}

static void test_the_answer_to_head_has_no_body(void **state)
{
    static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n";
    struct transcript transcript = {0};

    (void)state;
    run(&transcript, "HEAD", answer, sizeof answer - 1, 0, 0);
    assert_int_equal(transcript.err, OTA_OK);
    assert_int_equal(transcript.length, 5);
}

static void test_a_callback_ends_the_exchange(void **state)
{
    static const char answer[] = "HTTP/1.1 200 OK\r\nx-MD5: a\r\nContent-Length: 5\r\n\r\nhello";

    (void)state;
    for (size_t step = 0; step < 4; step++) {
        struct transcript header = {.header_answer = OTA_ERR_ARGUMENT};
        struct transcript head = {.head_answer = OTA_ERR_ABORTED};
        struct transcript body = {.body_answer = OTA_ERR_FLASH_WRITE};

        run(&header, "GET", answer, sizeof answer - 1, 0, step);
        assert_int_equal(header.err, OTA_ERR_ARGUMENT);
        assert_int_equal(header.heads, 0);
        run(&head, "GET", answer, sizeof answer - 1, 0, step);
        assert_int_equal(head.err, OTA_ERR_ABORTED);
        assert_int_equal(head.body_len, 0);
        run(&body, "GET", answer, sizeof answer - 1, 0, step);
        assert_int_equal(body.err, OTA_ERR_FLASH_WRITE);
    }
}

static void test_heads_are_bounded(void **state)
{
    static const char line[] = "x-filler: 0123456789012345678901234567890123456789\r\n";
    static const char interim[] = "HTTP/1.1 100 Continue\r\n\r\n";
    char buffer[64];
    struct transcript transcript = {0};
    struct ota_http_request request = request_to(&transcript, buffer, sizeof buffer);
    struct ota_http_client client;
    enum ota_err err;
    size_t bytes = 0;

    (void)state;
    assert_int_equal(ota_http_client_begin(&client, &request, 0), OTA_OK);
    err = input(&client, "HTTP/1.1 200 OK\r\n");
    while (err == OTA_OK) {
        err = ota_http_client_input(&client, line, sizeof line - 1);
        bytes += sizeof line - 1;
        assert_true(bytes < 2 * OTA_HTTP_HEAD_MAX);
    }
    assert_int_equal(err, OTA_ERR_HTTP_HEADER);
    assert_true(bytes > OTA_HTTP_HEAD_MAX / 2);

    assert_int_equal(ota_http_client_begin(&client, &request, 0), OTA_OK);
    for (unsigned i = 0; i < OTA_HTTP_INTERIM_MAX; i++) {
        assert_int_equal(ota_http_client_input(&client, interim, sizeof interim - 1), OTA_OK);
    }
    assert_int_equal(ota_http_client_input(&client, interim, sizeof interim - 1),
                     OTA_ERR_HTTP_SYNTAX);
}

static void test_output_comes_in_any_pieces(void **state)
{
    static const char expected[] = "POST /x HTTP/1.1\r\nHost: h\r\n\r\nbody";

    (void)state;
    for (size_t capacity = 1; capacity <= sizeof expected; capacity++) {
        for (size_t part = 1; part <= capacity; part++) {
            char buffer[64], sent[64];
            struct transcript transcript = {0};
            struct ota_http_request request = request_to(&transcript, buffer, sizeof buffer);
            struct ota_http_client client;
            size_t at = 0, len;

            request.method = "POST";
            request.body = "body";
            request.body_len = 4;
            assert_int_equal(ota_http_client_begin(&client, &request, 0), OTA_OK);
            char piece[64];
            while ((len = ota_http_client_output(&client, piece, capacity)) > 0) {
                size_t taken = part < len ? part : len;
                assert_true(at + taken < sizeof sent);
                memcpy(sent + at, piece, taken);
                at += taken;
                ota_http_client_sent(&client, taken);
            }
            assert_int_equal(at, sizeof expected - 1);
            assert_memory_equal(sent, expected, at);
        }
    }
}

static void test_time_limits(void **state)
{
    const uint32_t start = UINT32_MAX - 5; /* the clock wraps on the way */
    char buffer[64];
    struct transcript transcript = {0};
    struct ota_http_request request = request_to(&transcript, buffer, sizeof buffer);
    struct ota_http_client client;

    (void)state;
    /* The head has one limit, however it trickles. */
    request.head_timeout_ms = 100;
    request.body_timeout_ms = 50;
    request.body_least = 1;
    assert_int_equal(ota_http_client_begin(&client, &request, start), OTA_OK);
    assert_int_equal(ota_http_client_wait_ms(&client), 100);
    assert_int_equal(ota_http_client_tick(&client, start + 60), OTA_OK);
    assert_int_equal(ota_http_client_wait_ms(&client), 40);
    assert_int_equal(input(&client, "HTTP/1.1 200 OK\r\n"), OTA_OK);
    assert_int_equal(ota_http_client_tick(&client, start + 99), OTA_OK);
    assert_int_equal(ota_http_client_tick(&client, start + 100), OTA_ERR_TIMEOUT);
    assert_int_equal(client.failure.err, OTA_ERR_TIMEOUT);

    /* The body has one for each silence. */
    assert_int_equal(ota_http_client_begin(&client, &request, start), OTA_OK);
    assert_int_equal(ota_http_client_tick(&client, start + 90), OTA_OK);
    assert_int_equal(input(&client, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"), OTA_OK);
    for (uint32_t now = start + 130; now < start + 130 + 5 * 40; now += 40) {
        assert_int_equal(ota_http_client_tick(&client, now), OTA_OK);
        assert_int_equal(input(&client, "b"), OTA_OK);
        assert_int_equal(ota_http_client_wait_ms(&client), 50);
    }
    assert_int_equal(ota_http_client_tick(&client, start + 130 + 4 * 40 + 50), OTA_ERR_TIMEOUT);

    /* And one for how little may come in that time. */
    request.body_least = 4;
    assert_int_equal(ota_http_client_begin(&client, &request, start), OTA_OK);
    assert_int_equal(input(&client, "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n"), OTA_OK);
    for (uint32_t now = start + 12; now < start + 12 * 13; now += 12) {
        assert_int_equal(ota_http_client_tick(&client, now), OTA_OK);
        assert_int_equal(input(&client, "b"), OTA_OK); /* 4 in 48 */
    }
    for (uint32_t now = start + 12 * 12 + 16; now < start + 12 * 12 + 50; now += 16) {
        assert_int_equal(ota_http_client_tick(&client, now), OTA_OK);
        assert_int_equal(input(&client, "b"), OTA_OK); /* 3 in 48 */
    }
    assert_int_equal(ota_http_client_wait_ms(&client), 2);
    assert_int_equal(ota_http_client_tick(&client, start + 12 * 12 + 49), OTA_OK);
    assert_int_equal(ota_http_client_tick(&client, start + 12 * 12 + 50), OTA_ERR_TIMEOUT);

    /* Nothing is awaited when all is there. */
    assert_int_equal(ota_http_client_begin(&client, &request, start), OTA_OK);
    assert_int_equal(input(&client, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"), OTA_OK);
    assert_int_equal(client.state, OTA_HTTP_DONE);
    assert_int_equal(ota_http_client_wait_ms(&client), UINT32_MAX);
    assert_int_equal(ota_http_client_tick(&client, start + 1000), OTA_OK);
}

static void test_misuse(void **state)
{
    char buffer[64];
    struct transcript transcript = {0};
    struct ota_http_request request = request_to(&transcript, buffer, sizeof buffer);
    struct ota_http_client client = {0};

    (void)state;
    assert_int_equal(input(&client, "x"), OTA_ERR_STATE);
    assert_int_equal(ota_http_client_closed(&client), OTA_ERR_STATE);
    assert_int_equal(ota_http_client_tick(&client, 1), OTA_OK);
    assert_int_equal(ota_http_client_output(&client, buffer, sizeof buffer), 0);

    struct ota_http_request wrong = request;
    wrong.method = NULL;
    assert_int_equal(ota_http_client_begin(&client, &wrong, 0), OTA_ERR_ARGUMENT);
    wrong = request;
    wrong.minor_version = 2;
    assert_int_equal(ota_http_client_begin(&client, &wrong, 0), OTA_ERR_ARGUMENT);
    wrong = request;
    wrong.target = NULL;
    assert_int_equal(ota_http_client_begin(&client, &wrong, 0), OTA_ERR_ARGUMENT);
    wrong = request;
    wrong.on_header = NULL;
    assert_int_equal(ota_http_client_begin(&client, &wrong, 0), OTA_ERR_ARGUMENT);
    wrong = request;
    wrong.buffer_size = 0;
    assert_int_equal(ota_http_client_begin(&client, &wrong, 0), OTA_ERR_ARGUMENT);
    wrong.wanted = NULL;
    assert_int_equal(ota_http_client_begin(&client, &wrong, 0), OTA_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers_however_they_are_cut),
        cmocka_unit_test(test_the_answer_to_head_has_no_body),
        cmocka_unit_test(test_a_callback_ends_the_exchange),
        cmocka_unit_test(test_heads_are_bounded),
        cmocka_unit_test(test_output_comes_in_any_pieces),
        cmocka_unit_test(test_time_limits),
        cmocka_unit_test(test_misuse),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
