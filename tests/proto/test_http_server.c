/* SPDX-License-Identifier: Apache-2.0 */
/* A server's connection: how requests are read however they are cut, what is answered, what is
   refused, and when it is over. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include <updraft/http_server.h>

/* What one connection came to, in a form that two runs can be compared by. */
struct exchange {
    struct ota_http_server server;
    char buffer[64];
    char log[4096];
    char out[4096];
    size_t out_len;
    uint32_t now;
    unsigned answer_at_head; /* the status; 0: at the end */
    unsigned answer_on_gone; /* likewise; 0: the server does */
    uint32_t pause_ms;
    bool silent; /* never answers */
    bool keeps;  /* the values of headers, until the end of the head */
    const char *kept[2];
    bool in_body;
    size_t piece;      /* bytes that are sent at a time; 0: all */
    const char *grows; /* the answer's body, which changes */
};

static const char *const wanted[] = {"X-One", "Host", NULL};

static void __attribute__((format(printf, 2, 3)))
note(struct exchange *exchange, const char *format, ...)
{
    size_t len = strlen(exchange->log);
    va_list arguments;

    va_start(arguments, format);
    /* NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): begun in the line above */
    int added = vsnprintf(exchange->log + len, sizeof exchange->log - len, format, arguments);
    va_end(arguments);
    assert_in_range(added, 0, sizeof exchange->log - len - 1);
}

static void write_body(void *context, struct ota_text *text)
{
    ota_text_put(text, ((struct exchange *)context)->grows);
}

static void write_headers(void *context, struct ota_text *text)
{
    (void)context;
    ota_text_put(text, "X-Two: 2\r\n");
}

static void answer(struct exchange *exchange, unsigned status)
{
    const struct ota_http_answer answer = {
        .status = (uint16_t)status,
        .type = "text/plain",
        .write_headers = write_headers,
        .write_body = exchange->grows != NULL ? write_body : NULL,
        .body = "hello",
        .body_len = 5,
        .pause_ms = exchange->pause_ms,
    };

    assert_int_equal(ota_http_server_answer(&exchange->server, &answer), OTA_OK);
    assert_int_equal(ota_http_server_answer(&exchange->server, &answer), OTA_ERR_STATE);
}

static void on_request(void *context, enum ota_http_method method, const char *target)
{
    note(context, "<%d %s", method, target);
    ((struct exchange *)context)->in_body = false;
}

static void on_header(void *context, unsigned index, const char *value)
{
    struct exchange *exchange = context;

    note(exchange, "|%s=%s", wanted[index], value);
    if (exchange->keeps) {
        exchange->kept[index] = ota_http_server_keep(&exchange->server, value, strlen(value));
        note(exchange, exchange->kept[index] != NULL ? "+" : "-");
    }
}

static void on_head(void *context, const struct ota_http_asked *asked)
{
    struct exchange *exchange = context;

    note(exchange, "|%s%s%u", asked->chunked ? "c" : "", asked->expects_continue ? "e" : "",
         asked->length);
    assert_false(asked->has_length && asked->chunked);
    for (size_t i = 0; i < 2 && exchange->keeps; i++) {
        note(exchange, "(%s)", exchange->kept[i] != NULL ? exchange->kept[i] : "");
        exchange->kept[i] = NULL;
    }
    if (exchange->answer_at_head != 0) {
        answer(exchange, exchange->answer_at_head);
    }
}

static void on_body(void *context, const void *data, size_t len)
{
    struct exchange *exchange = context;

    assert_true(len > 0);
    note(exchange, "%s%.*s", exchange->in_body ? "" : "|", (int)len, (const char *)data);
    exchange->in_body = true;
}

static void on_end(void *context)
{
    struct exchange *exchange = context;

    note(exchange, ">");
    if (!exchange->silent) {
        answer(exchange, 200);
    }
}

static void on_gone(void *context, enum ota_err why)
{
    struct exchange *exchange = context;

    note(exchange, "!%s", ota_err_name(why));
    if (exchange->answer_on_gone != 0) {
        answer(exchange, exchange->answer_on_gone);
    }
}

static void on_sent(void *context)
{
    note(context, ".");
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

static void begin(struct exchange *exchange)
{
    exchange->server.state = OTA_HTTP_SERVER_OVER;
    exchange->log[0] = '\0';
    exchange->out_len = 0;
    exchange->now = UINT32_MAX - 5000; /* the clock wraps */
    assert_int_equal(ota_http_server_begin(&exchange->server, &handler, exchange, exchange->buffer,
                                           sizeof exchange->buffer, exchange->now),
                     OTA_OK);
}

static void send_some(struct exchange *exchange)
{
    char piece[4096];
    size_t size = exchange->piece != 0 ? exchange->piece : sizeof piece;
    size_t len;

    while ((len = ota_http_server_output(&exchange->server, piece, size)) > 0) {
        assert_true(exchange->out_len + len < sizeof exchange->out);
        memcpy(exchange->out + exchange->out_len, piece, len);
        exchange->out_len += len;
        ota_http_server_sent(&exchange->server, len);
    }
    exchange->out[exchange->out_len] = '\0';
}

/* Gives the connection these bytes, sending what it says in between. */
static void feed(struct exchange *exchange, const char *data, size_t len)
{
    while (len > 0 && exchange->server.state != OTA_HTTP_SERVER_OVER) {
        size_t wanted_now = ota_http_server_wanted(&exchange->server);
        /* A copy of just these bytes, so that a sanitizer sees a read past them. */
        char copy[2048];
        assert_true(len <= sizeof copy);
        memcpy(copy + sizeof copy - len, data, len);
        size_t taken = ota_http_server_input(&exchange->server, copy + sizeof copy - len, len);
        assert_true(taken <= len);
        assert_true(taken >= (wanted_now < len ? wanted_now : len));
        data += taken;
        len -= taken;
        send_some(exchange);
        if (taken == 0) {
            break;
        }
    }
}

static void feed_text(struct exchange *exchange, const char *text)
{
    feed(exchange, text, strlen(text));
}

static void wait_for(struct exchange *exchange, uint32_t ms)
{
    exchange->now += ms;
    ota_http_server_tick(&exchange->server, exchange->now);
    send_some(exchange);
}

#define HELLO(connection)                                                              \
    "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nX-Two: 2\r\nContent-Length: 5\r\n" \
    "Connection: " connection "\r\n\r\nhello"
#define REFUSED(status, words, len)                                                     \
    "HTTP/1.1 " status " " words "\r\nContent-Type: text/plain\r\nContent-Length: " len \
    "\r\nConnection: close\r\n\r\n" words "\n"
#define CONTINUE "HTTP/1.1 100 Continue\r\n\r\n"

struct request_case {
    const char *request;
    const char *log;
    const char *out;
    enum ota_http_server_state state;
};

#define HEAD OTA_HTTP_SERVER_HEAD
#define OVER OTA_HTTP_SERVER_OVER
#define JUNK OTA_HTTP_SERVER_JUNK

static const struct request_case cases[] = {
    /* Good. */
    {"GET /a?b=c HTTP/1.1\r\nHost: h\r\n\r\n", "<1 /a?b=c|Host=h|0>.", HELLO("keep-alive"), HEAD},
    {"GET / HTTP/1.1\nhost:h\nx-one: \n\n", "<1 /|Host=h|X-One=|0>.", HELLO("keep-alive"), HEAD},
    {"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", "<1 /|Host=h|0>.", HELLO("close"),
     OVER},
    {"GET / HTTP/1.0\r\n\r\n", "<1 /|0>.", HELLO("close"), OVER},
    {"GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", "<1 /|0>.", HELLO("keep-alive"), HEAD},
    {"GET / HTTP/1.3\r\nHost: h\r\n\r\n", "<1 /|Host=h|0>.", HELLO("keep-alive"), HEAD},
    {"\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n", "<1 /|Host=h|0>.", HELLO("keep-alive"), HEAD},
    {"GET http://h:80/x?y HTTP/1.1\r\nHost: h\r\n\r\n", "<1 /x?y|Host=h|0>.", HELLO("keep-alive"),
     HEAD},
    {"GET http://h HTTP/1.1\r\nHost: h\r\n\r\n", "<1 /|Host=h|0>.", HELLO("keep-alive"), HEAD},
    {"OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n", "<5 *|Host=h|0>.", HELLO("keep-alive"), HEAD},
    {"DELETE /x HTTP/1.1\r\nHost: h\r\n\r\n", "<6 /x|Host=h|0>.", HELLO("keep-alive"), HEAD},
    {"GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n", "<1 /|Host=h|0>.",
     HELLO("keep-alive"), HEAD},
    {"POST /u HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nworld", "<3 /u|Host=h|5|world>.",
     HELLO("keep-alive"), HEAD},
    {"POST /u HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n", "<3 /u|Host=h|0>.",
     HELLO("keep-alive"), HEAD},
    {"POST /u HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3;a=b\r\nwor\r\n2\r\nld\r\n"
     "0\r\nX-One: trailer\r\n\r\n",
     "<3 /u|Host=h|c4294967295|world>.", HELLO("keep-alive"), HEAD},
    {"POST /u HTTP/1.1\r\nHost: h\r\nExpect: 100-Continue\r\nContent-Length: 2\r\n\r\n",
     "<3 /u|Host=h|e2", CONTINUE, OTA_HTTP_SERVER_BODY},
    /* Two at once. */
    {"POST /1 HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nok\r\nGET /2 HTTP/1.1\r\nHost: h\r\n"
     "Connection: close\r\n\r\nGET /3 ",
     "<3 /1|Host=h|2|ok>.<1 /2|Host=h|0>.", HELLO("keep-alive") HELLO("close"), OVER},
    /* A length in a trailer promises nothing of what comes behind it. */
    {"POST /1 HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n"
     "Content-Length: 9\r\n\r\nGET /2 HTTP/1.1\r\nHost: h\r\n\r\n",
     "<3 /1|Host=h|c4294967295|ok>.<1 /2|Host=h|0>.", HELLO("keep-alive") HELLO("keep-alive"),
     HEAD},
    /* Refused. */
    {"BLA / HTTP/1.1\r\nHost: h\r\n\r\n", "", REFUSED("501", "Not Implemented", "16"), JUNK},
    {"CONNECT h:1 HTTP/1.1\r\nHost: h\r\n\r\n", "", REFUSED("501", "Not Implemented", "16"), JUNK},
    {"GET / HTTP/2.0\r\nHost: h\r\n\r\n", "", REFUSED("505", "HTTP Version Not Supported", "27"),
     JUNK},
    {"GET /\r\n\r\n", "", REFUSED("505", "HTTP Version Not Supported", "27"), JUNK},
    {"\x16\x03\x01\x02", "", REFUSED("501", "Not Implemented", "16"), JUNK},
    {"GET / HTTP/1.1\r\n\r\n", "<1 /!HTTP_HEADER", REFUSED("400", "Bad Request", "12"), JUNK},
    {"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "<1 /|Host=a|Host=b!HTTP_HEADER",
     REFUSED("400", "Bad Request", "12"), JUNK},
    {"GET / HTTP/1.1\r\nHost: h\r\nX One: 1\r\n\r\n", "<1 /|Host=h!HTTP_SYNTAX",
     REFUSED("400", "Bad Request", "12"), JUNK},
    {"GET / HTTP/1.1\r\nHost: h\r\nX-One : 1\r\n\r\n", "<1 /|Host=h!HTTP_SYNTAX",
     REFUSED("400", "Bad Request", "12"), JUNK},
    {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n",
     "<3 /|Host=h!HTTP_SYNTAX", REFUSED("400", "Bad Request", "12"), JUNK},
    {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1x\r\n\r\n", "<3 /|Host=h!HTTP_SYNTAX",
     REFUSED("400", "Bad Request", "12"), JUNK},
    {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
     "<3 /|Host=h!HTTP_SYNTAX", REFUSED("400", "Bad Request", "12"), JUNK},
    {"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
     "<3 /|Host=h!HTTP_HEADER", REFUSED("501", "Not Implemented", "16"), JUNK},
    {"POST / HTTP/1.0\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n", "<3 /|Host=h!HTTP_HEADER",
     REFUSED("400", "Bad Request", "12"), JUNK},
    {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4294967295\r\n\r\n", "<3 /|Host=h!HTTP_HEADER",
     REFUSED("413", "Content Too Large", "18"), JUNK},
    {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999999999999999\r\n\r\n",
     "<3 /|Host=h!HTTP_SYNTAX", REFUSED("400", "Bad Request", "12"), JUNK},
    {"GET / HTTP/1.1\r\nHost: h\r\nExpect: cake\r\n\r\n", "<1 /|Host=h!HTTP_HEADER",
     REFUSED("417", "Expectation Failed", "19"), JUNK},
    {"GET /0123456789012345678901234567890123456789012345678901234567890123 HTTP/1.1\r\n", "",
     REFUSED("414", "URI Too Long", "13"), JUNK},
    {"GET / HTTP/1.1\r\nX-One: 0123456789012345678901234567890123456789012345678901234567890123"
     "\r\n",
     "<1 /!HTTP_HEADER", REFUSED("431", "Request Header Fields Too Large", "32"), JUNK},
    {"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\nX",
     "<3 /|Host=h|c4294967295|ok!HTTP_SYNTAX", REFUSED("400", "Bad Request", "12"), JUNK},
};

static void assert_outcome(const struct exchange *exchange, const struct request_case *expected)
{
    if (strcmp(exchange->log, expected->log) != 0 || strcmp(exchange->out, expected->out) != 0 ||
        exchange->server.state != expected->state) {
        print_message("request:\n%s\n", expected->request);
    }
    assert_string_equal(exchange->log, expected->log);
    assert_string_equal(exchange->out, expected->out);
    assert_int_equal(exchange->server.state, expected->state);
}

static void test_requests_however_they_are_cut(void **state)
{
    struct exchange exchange = {.now = 0};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t len = strlen(cases[i].request);
        for (size_t cut = 0; cut < len; cut++) {
            begin(&exchange);
            feed(&exchange, cases[i].request, cut);
            feed(&exchange, cases[i].request + cut, len - cut);
            assert_outcome(&exchange, &cases[i]);
        }
        begin(&exchange);
        exchange.piece = 1;
        for (size_t at = 0; at < len; at++) {
            feed(&exchange, cases[i].request + at, 1);
        }
        exchange.piece = 0;
        assert_outcome(&exchange, &cases[i]);
    }
}

static void test_the_answer_to_head_has_no_body(void **state)
{
    struct exchange exchange = {.now = 0};

    (void)state;
    begin(&exchange);
    feed_text(&exchange, "HEAD / HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_string_equal(exchange.out, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nX-Two: 2\r\n"
                                      "Content-Length: 5\r\nConnection: keep-alive\r\n\r\n");
}

static void test_what_is_expected_is_granted_once_or_refused(void **state)
{
    struct exchange exchange = {.now = 0};
    static const char head[] =
        "POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n";

    (void)state;
    begin(&exchange);
    feed_text(&exchange, head);
    assert_string_equal(exchange.out, CONTINUE);
    feed_text(&exchange, "ok");
    assert_string_equal(exchange.out, CONTINUE HELLO("keep-alive"));
    assert_int_equal(exchange.server.state, HEAD);

    /* Who does not wait for it needs none. */
    begin(&exchange);
    char both[256];
    snprintf(both, sizeof both, "%sok", head);
    feed_text(&exchange, both);
    assert_string_equal(exchange.out, HELLO("keep-alive"));

    exchange.answer_at_head = 413;
    begin(&exchange);
    feed_text(&exchange, head);
    assert_string_equal(exchange.log, "<3 /|Host=h|e2.");
    assert_non_null(strstr(exchange.out, "HTTP/1.1 413 Content Too Large\r\n"));
    assert_non_null(strstr(exchange.out, "Connection: close\r\n"));
    assert_null(strstr(exchange.out, "100 Continue"));
    assert_int_equal(exchange.server.state, OTA_HTTP_SERVER_BODY);
    feed_text(&exchange, "o");
    assert_int_equal(exchange.server.state, OTA_HTTP_SERVER_BODY);
    feed_text(&exchange, "k");
    assert_int_equal(exchange.server.state, OVER);
}

/* Who refuses early lets the peer finish, within bounds, so that it reads the answer. */
static void test_an_early_answer_is_followed_by_silence(void **state)
{
    struct exchange exchange = {.answer_at_head = 409};
    static const char head[] = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100000000\r\n\r\n";
    static char flood[2000];

    (void)state;
    begin(&exchange);
    feed_text(&exchange, head);
    assert_non_null(strstr(exchange.out, " 409 Conflict\r\n"));
    wait_for(&exchange, OTA_HTTP_SERVER_LINGER_MS - 1);
    assert_int_equal(exchange.server.state, OTA_HTTP_SERVER_BODY);
    feed(&exchange, flood, sizeof flood);
    wait_for(&exchange, OTA_HTTP_SERVER_LINGER_MS - 1);
    assert_int_equal(exchange.server.state, OTA_HTTP_SERVER_BODY);
    wait_for(&exchange, 1);
    assert_int_equal(exchange.server.state, OVER);
    assert_string_equal(exchange.log, "<3 /|Host=h|100000000.");

    begin(&exchange);
    feed_text(&exchange, head);
    size_t passed = 0;
    while (exchange.server.state != OVER) {
        feed(&exchange, flood, sizeof flood);
        passed += sizeof flood;
        assert_true(passed < OTA_HTTP_SERVER_DRAIN_MAX + 2 * sizeof flood);
    }
    assert_true(passed > OTA_HTTP_SERVER_DRAIN_MAX);

    /* A trickle ends, too. */
    begin(&exchange);
    feed_text(&exchange, head);
    uint32_t waited = 0;
    while (exchange.server.state != OVER) {
        feed(&exchange, flood, 1);
        wait_for(&exchange, 1000);
        waited += 1000;
        assert_true(waited <= OTA_HTTP_SERVER_ANSWER_MS);
    }
    assert_int_equal(waited, OTA_HTTP_SERVER_ANSWER_MS);

    /* And the peer's end. */
    begin(&exchange);
    feed_text(&exchange, head);
    ota_http_server_closed(&exchange.server, OTA_OK);
    assert_int_equal(exchange.server.state, OVER);
}

static void test_time_limits(void **state)
{
    struct exchange exchange = {.now = 0};
    static const char head[] = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 50\r\n\r\n";

    (void)state;
    begin(&exchange);
    assert_true(exchange.server.is_idle);
    assert_int_equal(ota_http_server_wait_ms(&exchange.server), OTA_HTTP_SERVER_IDLE_MS);
    feed_text(&exchange, "\r\n"); /* is no request */
    wait_for(&exchange, OTA_HTTP_SERVER_IDLE_MS - 1);
    assert_int_equal(exchange.server.state, HEAD);
    wait_for(&exchange, 1);
    assert_int_equal(exchange.server.state, OVER);
    assert_string_equal(exchange.out, "");

    /* A head that comes byte by byte. */
    begin(&exchange);
    wait_for(&exchange, 5000);
    for (unsigned i = 0; i < 10; i++) {
        feed(&exchange, &head[i], 1);
        wait_for(&exchange, i < 9 ? OTA_HTTP_SERVER_HEAD_MS / 10 : 999);
        assert_int_equal(exchange.server.state, HEAD);
    }
    assert_int_equal(ota_http_server_wait_ms(&exchange.server), 1);
    wait_for(&exchange, 1);
    assert_string_equal(exchange.out, REFUSED("408", "Request Timeout", "16"));
    assert_int_equal(exchange.server.state, JUNK);
    wait_for(&exchange, OTA_HTTP_SERVER_LINGER_MS);
    assert_int_equal(exchange.server.state, OVER);
    assert_int_equal(ota_http_server_wait_ms(&exchange.server), UINT32_MAX);

    /* A body that falls silent. */
    begin(&exchange);
    feed_text(&exchange, head);
    wait_for(&exchange, OTA_HTTP_SERVER_BODY_MS - 1);
    feed_text(&exchange, "x");
    wait_for(&exchange, OTA_HTTP_SERVER_BODY_MS - 1);
    assert_string_equal(exchange.log, "<3 /|Host=h|50|x");
    wait_for(&exchange, 1);
    assert_string_equal(exchange.log, "<3 /|Host=h|50|x!TIMEOUT");
    assert_non_null(strstr(exchange.out, " 408 "));

    /* The next request of a connection has its time, too. */
    begin(&exchange);
    feed_text(&exchange, "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    wait_for(&exchange, OTA_HTTP_SERVER_IDLE_MS - 1);
    assert_int_equal(exchange.server.state, HEAD);
    wait_for(&exchange, 1);
    assert_int_equal(exchange.server.state, OVER);
}

/* A body must get on: one byte now and then is not enough. */
static void test_a_body_must_not_be_too_slow(void **state)
{
    struct exchange exchange = {.now = 0};
    static char bytes[1024];

    (void)state;
    memset(bytes, 'b', sizeof bytes);
    begin(&exchange);
    feed_text(&exchange, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\n");
    for (unsigned window = 0; window < 3; window++) {
        for (unsigned i = 0; i < 30; i++) {
            exchange.log[0] = '\0';
            feed(&exchange, bytes, OTA_HTTP_SERVER_WINDOW_BYTES / 30 + 1);
            wait_for(&exchange, OTA_HTTP_SERVER_WINDOW_MS / 30);
            assert_int_equal(exchange.server.state, OTA_HTTP_SERVER_BODY);
        }
    }
    exchange.log[0] = '\0';
    for (unsigned i = 0; i < 30; i++) {
        assert_int_equal(exchange.server.state, OTA_HTTP_SERVER_BODY);
        feed(&exchange, bytes, 10);
        wait_for(&exchange, OTA_HTTP_SERVER_WINDOW_MS / 30);
    }
    assert_int_equal(exchange.server.state, JUNK);
    assert_non_null(strstr(exchange.log, "!TIMEOUT"));
}

static void test_a_peer_that_takes_nothing(void **state)
{
    struct exchange exchange = {.silent = true};
    static const char request[] = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";

    (void)state;
    begin(&exchange);
    feed_text(&exchange, request);
    assert_int_equal(exchange.server.state, OTA_HTTP_SERVER_WHOLE);
    assert_int_equal(ota_http_server_wait_ms(&exchange.server), UINT32_MAX); /* ours to answer */
    assert_int_equal(ota_http_server_wanted(&exchange.server), 0);
    answer(&exchange, 200);
    exchange.now += OTA_HTTP_SERVER_SEND_MS - 1;
    ota_http_server_tick(&exchange.server, exchange.now);
    assert_int_equal(exchange.server.state, OTA_HTTP_SERVER_WHOLE);
    ota_http_server_sent(&exchange.server, 1);
    exchange.now += OTA_HTTP_SERVER_SEND_MS - 1;
    ota_http_server_tick(&exchange.server, exchange.now);
    assert_int_equal(exchange.server.state, OTA_HTTP_SERVER_WHOLE);
    exchange.now += 1;
    ota_http_server_tick(&exchange.server, exchange.now);
    assert_int_equal(exchange.server.state, OVER);
    assert_string_equal(exchange.log, "<1 /|Host=h|0>."); /* told all the same */
}

static void test_an_answer_that_is_held(void **state)
{
    struct exchange exchange = {.pause_ms = 3000};

    (void)state;
    begin(&exchange);
    feed_text(&exchange, "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_string_equal(exchange.out, "");
    wait_for(&exchange, 2999);
    assert_string_equal(exchange.out, "");
    assert_int_equal(ota_http_server_wait_ms(&exchange.server), 1);
    wait_for(&exchange, 1);
    assert_string_equal(exchange.out, HELLO("keep-alive"));
    assert_int_equal(exchange.server.state, HEAD);
}

static void test_an_answer_that_changes_ends_the_connection(void **state)
{
    struct exchange exchange = {.grows = "one"};
    char piece[10];

    (void)state;
    begin(&exchange);
    const char request[] = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
    ota_http_server_input(&exchange.server, request, sizeof request - 1);
    assert_int_equal(ota_http_server_output(&exchange.server, piece, sizeof piece), 10);
    ota_http_server_sent(&exchange.server, 10);
    exchange.grows = "three";
    assert_int_equal(ota_http_server_output(&exchange.server, piece, sizeof piece), 0);
    assert_int_equal(exchange.server.state, OVER);
}

static void test_a_peer_that_goes(void **state)
{
    struct exchange exchange = {.now = 0};
    static const char head[] = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nwor";

    (void)state;
    begin(&exchange);
    ota_http_server_closed(&exchange.server, OTA_OK);
    assert_int_equal(exchange.server.state, OVER);

    begin(&exchange);
    feed_text(&exchange, head);
    ota_http_server_closed(&exchange.server, OTA_ERR_CONNECTION_LOST);
    assert_int_equal(exchange.server.state, OVER);
    assert_string_equal(exchange.log, "<3 /|Host=h|5|wor!CONNECTION_LOST");

    /* Half closed: it may still read. */
    begin(&exchange);
    feed_text(&exchange, head);
    ota_http_server_closed(&exchange.server, OTA_OK);
    send_some(&exchange);
    assert_string_equal(exchange.log, "<3 /|Host=h|5|wor!INCOMPLETE");
    assert_string_equal(exchange.out, REFUSED("400", "Bad Request", "12"));
    assert_int_equal(exchange.server.state, OVER);

    exchange.answer_on_gone = 500;
    begin(&exchange);
    feed_text(&exchange, head);
    ota_http_server_closed(&exchange.server, OTA_OK);
    send_some(&exchange);
    assert_string_equal(exchange.log, "<3 /|Host=h|5|wor!INCOMPLETE.");
    assert_non_null(strstr(exchange.out, "HTTP/1.1 500 Internal Server Error\r\n"));

    /* A whole request is answered. */
    exchange.silent = true;
    begin(&exchange);
    feed_text(&exchange, head);
    feed_text(&exchange, "ld");
    ota_http_server_closed(&exchange.server, OTA_OK);
    assert_int_equal(exchange.server.state, OTA_HTTP_SERVER_WHOLE);
    answer(&exchange, 200);
    send_some(&exchange);
    assert_string_equal(exchange.out, HELLO("close"));
    assert_int_equal(exchange.server.state, OVER);
}

/* What is kept of a head takes its room from the headers that follow, and is gone with it. */
static void test_what_is_kept(void **state)
{
#define TWENTY "01234567890123456789"
    static const struct {
        const char *request, *log;
    } kept[] = {
        {"GET / HTTP/1.1\r\nHost: board\r\nX-One: one\r\n\r\n",
         "<1 /|Host=board+|X-One=one+|0(one)(board)>."},
        {"GET / HTTP/1.1\r\nX-One: one\r\nHost: board\r\n\r\n",
         "<1 /|X-One=one+|Host=board+|0(one)(board)>."},
        /* 64 for both, with a zero each. */
        {"GET / HTTP/1.1\r\nX-One: " TWENTY "0\r\nHost: " TWENTY TWENTY "1\r\n\r\n",
         "<1 /|X-One=" TWENTY "0+|Host=" TWENTY TWENTY "1+|0(" TWENTY "0)(" TWENTY TWENTY "1)>."},
        {"GET / HTTP/1.1\r\nX-One: " TWENTY "0\r\nHost: " TWENTY TWENTY "12\r\n\r\n",
         "<1 /|X-One=" TWENTY "0+!HTTP_HEADER"},
        {"GET / HTTP/1.1\r\nX-One: " TWENTY TWENTY TWENTY "\r\nX-One: 1\r\nX-One:\r\n"
         "Host:\r\n\r\n",
         "<1 /|X-One=" TWENTY TWENTY TWENTY "+|X-One=1+|X-One=+!HTTP_HEADER"},
    };
    struct exchange exchange = {.keeps = true};

    (void)state;
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) {
        for (size_t step = 0; step < 3; step++) { /* three times on one connection */
            size_t len = strlen(kept[i].request);
            if (step == 0) {
                begin(&exchange);
            }
            exchange.log[0] = '\0';
            feed(&exchange, kept[i].request, step == 1 ? len - 3 : len);
            feed_text(&exchange, step == 1 ? kept[i].request + len - 3 : "");
            if (exchange.server.state != HEAD) {
                assert_int_equal(step, 0);
                step = 3; /* refused */
            }
            assert_string_equal(exchange.log, kept[i].log);
        }
    }
    begin(&exchange);
    assert_null(ota_http_server_keep(&exchange.server, kept[0].request, sizeof exchange.buffer));
}

/* Behind the head the buffer is the caller's, to read ahead into. */
static void test_the_buffer_is_free_behind_the_head(void **state)
{
    static const char next[] = "GET /next HTTP/1.1\r\nHost: h\r\n\r\n";
    struct exchange exchange = {.silent = true};

    (void)state;
    begin(&exchange);
    feed_text(&exchange, "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n");
    assert_int_equal(exchange.server.state, OTA_HTTP_SERVER_BODY);
    memcpy(exchange.buffer, next, sizeof next);
    feed_text(&exchange, "3\r\nabc\r\n0\r\nX-One: trailer\r\n\r\n");
    assert_int_equal(exchange.server.state, OTA_HTTP_SERVER_WHOLE);
    answer(&exchange, 200);
    assert_string_equal(exchange.buffer, next);
    send_some(&exchange);
    assert_int_equal(exchange.server.state, HEAD);
    assert_string_equal(exchange.buffer, next);
    feed_text(&exchange, next);
    assert_string_equal(exchange.log, "<3 /|Host=h|c4294967295|abc>.<1 /next|Host=h|0>");
}

static void test_heads_are_bounded(void **state)
{
    struct exchange exchange = {.now = 0};
    unsigned lines = 0;

    (void)state;
    begin(&exchange);
    feed_text(&exchange, "GET / HTTP/1.1\r\nHost: h\r\n");
    while (exchange.server.state == HEAD) {
        feed_text(&exchange, "X-Other: 0123456789012345678901234567890123456789\r\n");
        assert_true(++lines < 1000);
    }
    assert_in_range(lines, OTA_HTTP_SERVER_HEAD_MAX / 60, OTA_HTTP_SERVER_HEAD_MAX / 40);
    assert_non_null(strstr(exchange.out, " 431 "));
}

static void test_misuse(void **state)
{
    struct ota_http_server server = {.state = OVER};
    struct ota_http_handler bad = handler;
    const struct ota_http_answer answer = {.status = 200};
    char buffer[64];

    (void)state;
    bad.on_end = NULL;
    assert_int_equal(ota_http_server_begin(&server, &bad, NULL, buffer, sizeof buffer, 0),
                     OTA_ERR_ARGUMENT);
    assert_int_equal(ota_http_server_begin(&server, &handler, NULL, buffer, 5, 0),
                     OTA_ERR_ARGUMENT);
    assert_int_equal(ota_http_server_input(&server, "x", 1), 0);
    assert_int_equal(ota_http_server_begin(&server, &handler, NULL, buffer, sizeof buffer, 0),
                     OTA_OK);
    assert_int_equal(ota_http_server_answer(&server, &answer), OTA_ERR_STATE);
    assert_int_equal(ota_http_server_input(&server, "", 0), 0);
    assert_string_equal(ota_http_reason(299), "Unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_requests_however_they_are_cut),
        cmocka_unit_test(test_the_answer_to_head_has_no_body),
        cmocka_unit_test(test_what_is_expected_is_granted_once_or_refused),
        cmocka_unit_test(test_an_early_answer_is_followed_by_silence),
        cmocka_unit_test(test_time_limits),
        cmocka_unit_test(test_a_body_must_not_be_too_slow),
        cmocka_unit_test(test_a_peer_that_takes_nothing),
        cmocka_unit_test(test_an_answer_that_is_held),
        cmocka_unit_test(test_an_answer_that_changes_ends_the_connection),
        cmocka_unit_test(test_a_peer_that_goes),
        cmocka_unit_test(test_what_is_kept),
        cmocka_unit_test(test_the_buffer_is_free_behind_the_head),
        cmocka_unit_test(test_heads_are_bounded),
        cmocka_unit_test(test_misuse),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
