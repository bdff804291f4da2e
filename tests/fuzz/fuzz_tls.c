/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The TLS stream against a hostile server, or somebody on the line to an honest one. The first byte
 * of the input chooses the client's options, the second how its reads are torn. Then either all
 * that follows is what the server says; or an honest server answers, and the input is a list of
 * what becomes of its bytes, four bytes each: how many pass before (two bytes), what is done, and
 * to how many or with what.
 *
 * Whatever comes: data is read only from the honest server, in order and unchanged; an error stays;
 * what was taken from the allocator and the network is given back. Two connections follow one
 * another, so that the second may resume the session of the first.
 */
#include <string.h>

#include <updraft/tls.h>

#include "fuzz/input.h"
#include "support/images.h"
#include "tls/certificates.h"
#include "tls/tls_server.h"

#define WIRE_SIZE 65536u
#define ANSWER_SIZE 6000u
#define REQUEST_SIZE 700u
#define TURNS 3000u

enum option {
    OPTION_LIES = 1,       /* the input is what the server says */
    OPTION_STRANGER = 2,   /* nobody is trusted */
    OPTION_PINNED = 4,     /* the certificate is, by its digest */
    OPTION_LEGACY = 8,     /* old suites will do */
    OPTION_SHORT = 16,     /* short records are asked for */
    OPTION_TIMELESS = 32,  /* nobody knows the time */
    OPTION_FORGETFUL = 64, /* sessions are not kept */
    OPTION_SINGLE = 128,   /* one connection */
};

enum deed {
    DEED_CHANGE = 0, /* a byte */
    DEED_DROP,
    DEED_INSERT, /* bytes of the input */
    DEED_REPEAT, /* what came last */
    DEED_END,    /* the connection, in order */
    DEED_LOSE,   /* with an error */
    DEED_COUNT
};

struct wire {
    uint8_t bytes[WIRE_SIZE];
    size_t len, taken;
    bool is_over;
};

static struct stage {
    struct ota_platform platform; /* first: a cast gets the stage back */
    struct ota_stream client_side, server_side;
    struct wire to_client, to_server;
    struct input input;
    uint8_t options;
    size_t piece;      /* bytes that a read of the client brings at most */
    uint32_t left;     /* of the honest server's bytes until the next deed */
    uint8_t deed;      /* DEED_COUNT: none is left */
    uint8_t amount;    /* of it */
    bool is_disturbed; /* one was done */
    bool is_lost;
    unsigned closed; /* sides */
    uint32_t random;
    struct ota_tls tls;
} stage;

/* ---- The wire -------------------------------------------------------------------------------- */

static void put(struct wire *wire, const uint8_t *data, size_t len)
{
    if (len > WIRE_SIZE - wire->len) {
        len = WIRE_SIZE - wire->len;
    }
    memcpy(wire->bytes + wire->len, data, len);
    wire->len += len;
}

static void put_byte(struct wire *wire, uint8_t byte)
{
    put(wire, &byte, 1);
}

static size_t take(struct wire *wire, void *data, size_t capacity)
{
    const size_t left = wire->len - wire->taken;
    const size_t len = capacity < left ? capacity : left;

    memcpy(data, wire->bytes + wire->taken, len);
    wire->taken += len;
    return len;
}

static void next_deed(void)
{
    stage.deed = DEED_COUNT;
    if (stage.input.left > 0) {
        stage.left = input_word(&stage.input) % 4096u;
        stage.deed = input_byte(&stage.input) % DEED_COUNT;
        stage.amount = input_byte(&stage.input);
    }
}

/* Does to the bytes on the wire what the input says. Returns how many of `data` it took. */
static size_t do_deed(const uint8_t *data, size_t len)
{
    struct wire *wire = &stage.to_client;
    size_t used = 0;

    stage.is_disturbed = true;
    switch ((enum deed)stage.deed) {
    case DEED_CHANGE:
        put_byte(wire, (uint8_t)(data[0] ^ stage.amount));
        used = 1;
        break;
    case DEED_DROP:
        used = stage.amount < len ? stage.amount : len;
        break;
    case DEED_INSERT:
        for (unsigned i = 0; i < stage.amount && stage.input.left > 0; i++) {
            put_byte(wire, input_byte(&stage.input));
        }
        break;
    case DEED_REPEAT:
        put(wire, wire->bytes + wire->len - (stage.amount < wire->len ? stage.amount : wire->len),
            stage.amount < wire->len ? stage.amount : wire->len);
        break;
    case DEED_END:
        wire->is_over = true;
        break;
    default:
        stage.is_lost = true;
        break;
    }
    next_deed();
    return used;
}

static enum ota_err server_write(struct ota_stream *stream, const void *data, size_t len,
                                 size_t *sent)
{
    const uint8_t *bytes = data;

    (void)stream;
    *sent = len;
    while (len > 0 && !stage.to_client.is_over && !stage.is_lost) {
        size_t n = stage.deed == DEED_COUNT || stage.left > len ? len : stage.left;
        put(&stage.to_client, bytes, n);
        stage.left -= stage.deed == DEED_COUNT ? 0 : (uint32_t)n;
        if (n == 0) {
            n = do_deed(bytes, len);
        }
        bytes += n;
        len -= n;
    }
    return OTA_OK;
}

static enum ota_err server_read(struct ota_stream *stream, void *data, size_t capacity, size_t *len,
                                bool *ended)
{
    (void)stream;
    *len = take(&stage.to_server, data, capacity);
    *ended = stage.to_server.is_over && stage.to_server.taken == stage.to_server.len;
    return OTA_OK;
}

static enum ota_err client_read(struct ota_stream *stream, void *data, size_t capacity, size_t *len,
                                bool *ended)
{
    struct wire *wire = &stage.to_client;

    (void)stream;
    *len = take(wire, data, stage.piece < capacity ? stage.piece : capacity);
    *ended = wire->is_over && wire->taken == wire->len;
    return *len == 0 && stage.is_lost ? OTA_ERR_CONNECTION_LOST : OTA_OK;
}

static enum ota_err client_write(struct ota_stream *stream, const void *data, size_t len,
                                 size_t *sent)
{
    (void)stream;
    *sent = stage.piece < len ? stage.piece : len;
    put(&stage.to_server, data, *sent);
    return OTA_OK;
}

static void client_close(struct ota_stream *stream)
{
    (void)stream;
    stage.closed++;
    stage.to_server.is_over = true;
}

static void server_close(struct ota_stream *stream)
{
    (void)stream;
    stage.closed++;
    stage.to_client.is_over = true;
}

/* ---- The platform ---------------------------------------------------------------------------- */

static enum ota_err random_bytes(struct ota_platform *platform, void *data, size_t len)
{
    (void)platform;
    for (size_t i = 0; i < len; i++) {
        stage.random = stage.random * 1664525u + 1013904223u;
        ((uint8_t *)data)[i] = (uint8_t)(stage.random >> 24);
    }
    return OTA_OK;
}

static uint32_t now_ms(struct ota_platform *platform)
{
    (void)platform;
    return 0;
}

static bool unix_time(struct ota_platform *platform, int64_t *seconds)
{
    (void)platform;
    *seconds = 1700000000; /* 2023 */
    return (stage.options & OPTION_TIMELESS) == 0;
}

static void log_line(struct ota_platform *platform, enum ota_log_level level, const char *tag,
                     const char *text)
{
    (void)platform;
    REQUIRE(level <= OTA_LOG_DEBUG);
    REQUIRE(strlen(tag) < 16 && strlen(text) < 256);
}

/* ---- A connection ---------------------------------------------------------------------------- */

struct talk {
    struct ota_stream *client, *server; /* server NULL: the input speaks */
    size_t asked;                       /* bytes of the request that the client has handed over, */
    size_t heard;                       /* and that the server has read */
    size_t answered, got;
    enum ota_err err;
    bool ended;
};

static void serve(struct talk *talk)
{
    uint8_t data[512];
    size_t len = 0;
    bool ended = false;

    if (talk->server == NULL) {
        return;
    }
    if (talk->heard < REQUEST_SIZE) {
        enum ota_err err = talk->server->read(talk->server, data, sizeof data, &len, &ended);
        talk->heard += len;
        if (err != OTA_OK || ended) {
            talk->server->close(talk->server);
            talk->server = NULL;
        }
        return;
    }
    for (size_t i = 0; i < sizeof data; i++) {
        data[i] = (uint8_t)noise(2, talk->answered + i);
    }
    size_t most = ANSWER_SIZE - talk->answered;
    if (most == 0 || talk->server->write(talk->server, data,
                                         most < sizeof data ? most : sizeof data, &len) != OTA_OK) {
        talk->server->close(talk->server);
        talk->server = NULL;
        return;
    }
    talk->answered += len;
}

static void ask(struct talk *talk)
{
    uint8_t data[REQUEST_SIZE] = {0};
    size_t len = 0;

    if (talk->asked < REQUEST_SIZE && talk->err == OTA_OK) {
        talk->err = talk->client->write(talk->client, data, REQUEST_SIZE - talk->asked, &len);
        REQUIRE(len <= REQUEST_SIZE - talk->asked);
        talk->asked += len;
    }
}

static void listen(struct talk *talk)
{
    uint8_t data[1000];
    size_t len = 0;

    if (talk->err != OTA_OK) {
        return;
    }
    talk->err = talk->client->read(talk->client, data, sizeof data, &len, &talk->ended);
    REQUIRE(talk->err == OTA_OK || len == 0);
    for (size_t i = 0; i < len; i++) {
        REQUIRE(talk->got < talk->answered + sizeof data);
        REQUIRE(data[i] == (uint8_t)noise(2, talk->got++));
    }
}

static void check(struct talk *talk)
{
    uint8_t data[8];
    size_t len = 0;
    bool ended;

    REQUIRE(talk->got == 0 || (stage.options & (OPTION_LIES | OPTION_STRANGER)) == 0);
    /* An end is one only if the honest server has said so. */
    REQUIRE(!talk->ended || talk->err != OTA_OK ||
            ((stage.options & OPTION_LIES) == 0 && talk->server == NULL &&
             talk->got == talk->answered));
    if (!stage.is_disturbed && (stage.options & (OPTION_LIES | OPTION_STRANGER)) == 0) {
        REQUIRE(talk->err == OTA_OK && talk->ended && talk->got == ANSWER_SIZE);
    }
    if (talk->err != OTA_OK) {
        REQUIRE(talk->err == OTA_ERR_TLS || talk->err == OTA_ERR_TLS_UNTRUSTED ||
                talk->err == OTA_ERR_TLS_NAME || talk->err == OTA_ERR_TLS_EXPIRED ||
                talk->err == OTA_ERR_CONNECTION_LOST || talk->err == OTA_ERR_NO_MEMORY);
        REQUIRE(talk->client->read(talk->client, data, sizeof data, &len, &ended) == talk->err);
        REQUIRE(len == 0);
        REQUIRE(talk->client->write(talk->client, data, sizeof data, &len) == talk->err);
        REQUIRE(len == 0);
    }
}

/* Grows as long as anything comes of the talk. */
static size_t moved(const struct talk *talk)
{
    return stage.to_client.len + stage.to_client.taken + stage.to_server.len +
           stage.to_server.taken + talk->asked + talk->heard + talk->got + stage.closed;
}

static void connect(struct tls_server *honest)
{
    struct ota_secure *secure = &stage.tls.secure;
    struct talk talk = {.err = OTA_OK};
    const unsigned closed = stage.closed;

    memset(&stage.to_client, 0, sizeof stage.to_client);
    memset(&stage.to_server, 0, sizeof stage.to_server);
    stage.is_lost = false;
    REQUIRE(secure->wrap(secure, &stage.platform, "server.test", NULL, &stage.client_side,
                         &talk.client) == OTA_OK);
    if (stage.options & OPTION_LIES) {
        put(&stage.to_client, stage.input.data, stage.input.left);
        stage.to_client.is_over = true;
    } else {
        talk.server = tls_server_wrap(honest, &stage.server_side);
    }
    size_t before = SIZE_MAX;
    for (unsigned i = 0; i < TURNS && talk.err == OTA_OK && !talk.ended && moved(&talk) != before;
         i++) {
        before = moved(&talk);
        ask(&talk);
        listen(&talk);
        serve(&talk);
    }
    check(&talk);
    talk.client->close(talk.client);
    if (talk.server != NULL) {
        talk.server->close(talk.server);
    }
    REQUIRE(stage.closed == closed + ((stage.options & OPTION_LIES) ? 1 : 2));
    REQUIRE(stage.tls.open_streams == 0);
}

/* ---- All of it ------------------------------------------------------------------------------- */

static void begin_tls(const struct tls_server *honest)
{
    static char fingerprint[96];
    struct ota_tls_options options = {
        .legacy_suites = (stage.options & OPTION_LEGACY) != 0,
        .no_resumption = (stage.options & OPTION_FORGETFUL) != 0,
        .max_fragment = stage.options & OPTION_SHORT ? 1024 : 0,
    };

    if (stage.options & OPTION_PINNED) {
        tls_server_fingerprint(honest, fingerprint);
        options.fingerprint = fingerprint;
    } else if ((stage.options & OPTION_STRANGER) == 0) {
        options.ca_pem = tls_server_certificate(honest);
    }
    REQUIRE(ota_tls_begin(&stage.tls, &options) == OTA_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct tls_server *honest; /* kept: to make one takes time */

    if (honest == NULL) {
        honest = tls_server_new("server.test");
    }
    test_random_restart(); /* a run depends on its input alone */
    memset(&stage, 0, sizeof stage);
    stage.platform = (struct ota_platform){
        .now_ms = now_ms, .random = random_bytes, .unix_time = unix_time, .log = log_line};
    stage.client_side =
        (struct ota_stream){.read = client_read, .write = client_write, .close = client_close};
    stage.server_side =
        (struct ota_stream){.read = server_read, .write = server_write, .close = server_close};
    stage.input = (struct input){data, size};
    stage.options = input_byte(&stage.input);
    stage.piece = 1 + 8u * input_byte(&stage.input);
    if (stage.options & OPTION_STRANGER) {
        stage.options &= (uint8_t)~OPTION_PINNED;
    }
    next_deed();
    begin_tls(honest);
    connect(honest);
    if ((stage.options & OPTION_SINGLE) == 0) {
        connect(honest);
    }
    REQUIRE(stage.is_disturbed ||
            (stage.options & (OPTION_LIES | OPTION_STRANGER | OPTION_SINGLE | OPTION_FORGETFUL |
                              OPTION_PINNED)) != 0 ||
            stage.tls.resumptions == 1);
    ota_tls_end(&stage.tls);
    return 0;
}
