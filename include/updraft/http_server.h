/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_HTTP_SERVER_H
#define UPDRAFT_HTTP_SERVER_H

/*
 * The server's side of one HTTP/1.1 connection (RFC 9112) as a state machine without I/O: it is
 * told which bytes came, calls back for the request line, the headers asked for, the end of the
 * head, the body and the end, and says which bytes to send. One request is answered before the next
 * is read.
 *
 *     static const struct ota_http_handler handler = {
 *         .wanted = wanted, .on_request = my_request, .on_header = my_header, .on_head = my_head,
 *         .on_body = my_body, .on_end = my_end, .on_gone = my_gone, .on_sent = my_sent,
 *     };
 *     ota_http_server_begin(&server, &handler, me, buffer, sizeof buffer, now_ms);
 *     while (server.state != OTA_HTTP_SERVER_OVER) {
 *         ota_http_server_tick(&server, now_ms);
 *         used = ota_http_server_input(&server, bytes, len);      keep what it did not take
 *         while ((len = ota_http_server_output(&server, piece, sizeof piece)) > 0)
 *             ota_http_server_sent(&server, send(piece, len));
 *     }
 *     close the connection
 *
 *     HEAD --head whole--> BODY --last byte--> WHOLE --answer sent--> HEAD (kept alive), or OVER
 *      |                    |
 *      |                    +-- answered early, answer sent: the rest is passed over --> OVER
 *      +--------------------+-- malformed, overdue: --> JUNK --answer sent, silence--> OVER
 *
 * | who    | sends                                                                           |
 * | ------ | ------------------------------------------------------------------------------- |
 * | client | request line, headers, blank line                                               |
 * | server | `HTTP/1.1 100 Continue` if that is expected and on_head has not answered        |
 * | client | the body, by its length or in chunks; it may send the next request at once      |
 * | server | status line, Content-Type, the answer's own headers, Content-Length,            |
 * |        | `Connection: keep-alive` or `close`, blank line, body (none to a HEAD)          |
 *
 * Who answers: the callbacks, by ota_http_server_answer, at any time from on_request on. An answer
 * before the whole body has come says `Connection: close`; what still comes is passed over, up to a
 * bound, because a connection closed on unread bytes takes the answer with it. The server itself
 * answers
 *
 * | status | when                                                                             |
 * | ------ | -------------------------------------------------------------------------------- |
 * | 400    | not HTTP, two lengths, a length beside chunks, no Host or two, a body cut off    |
 * | 408    | the head takes too long, the body is silent or too slow                          |
 * | 413    | a length beyond 32 bits                                                          |
 * | 414    | a target that does not fit into the buffer                                       |
 * | 417    | an Expect other than 100-continue                                                |
 * | 431    | a wanted header that does not fit beside what the handler keeps of others, or    |
 * |        | OTA_HTTP_SERVER_HEAD_MAX exceeded                                                |
 * | 501    | a method that no server of this kind has, a Transfer-Encoding other than chunked |
 * | 505    | HTTP other than 1.x                                                              |
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <updraft/error.h>
#include <updraft/http_lines.h>
#include <updraft/sink.h>
#include <updraft/text.h>

#define OTA_HTTP_SERVER_HEAD_MAX 8192u /* bytes of all headers of a request together */

/* Milliseconds. A handler may set others for the first three. */
#define OTA_HTTP_SERVER_IDLE_MS 15000u /* from a connection, or an answer, to the next request */
#define OTA_HTTP_SERVER_HEAD_MS 10000u /* from a request's first byte to the end of its head */
#define OTA_HTTP_SERVER_BODY_MS 10000u /* silence while the body comes */
#define OTA_HTTP_SERVER_SEND_MS 10000u /* the peer takes nothing of the answer */
#define OTA_HTTP_SERVER_ANSWER_MS \
    60000u /* an answer altogether, and passing over what still comes */
#define OTA_HTTP_SERVER_LINGER_MS 2000u /* silence while what still comes is passed over */

/* In each window of time a body must bring so many bytes, or it is overdue. */
#define OTA_HTTP_SERVER_WINDOW_MS 30000u
#define OTA_HTTP_SERVER_WINDOW_BYTES 16384u

/* At most so many bytes are passed over after an early answer. */
#define OTA_HTTP_SERVER_DRAIN_MAX 0x800000u

enum ota_http_method {
    OTA_HTTP_GET = 1,
    OTA_HTTP_HEAD_ONLY, /* HEAD: answer as to a GET; the body is left out by itself */
    OTA_HTTP_POST,
    OTA_HTTP_PUT,
    OTA_HTTP_OPTIONS,
    OTA_HTTP_OTHER, /* one that exists */
};

/* What is known once the head is whole. */
struct ota_http_asked {
    enum ota_http_method method;
    bool has_length; /* the head says how long the body is, */
    bool chunked;    /* or it comes in chunks; neither: there is none */
    bool expects_continue;
    uint32_t length; /* of the body; OTA_SIZE_UNKNOWN if chunked, 0 if there is none */
};

/* An answer. What it points to stays until on_sent. */
struct ota_http_answer {
    uint16_t status;  /* 200 to 599 */
    const char *type; /* Content-Type; NULL: none */

    /* Write further header lines, each with its CR LF, and the body. They are called again for
       every piece of output and must write the same each time; if the body's length changes, the
       connection ends. NULL: none, and body. */
    void (*write_headers)(void *context, struct ota_text *text);
    void (*write_body)(void *context, struct ota_text *text);
    const void *body;
    size_t body_len;

    uint32_t pause_ms; /* to wait before it is sent: slows down who guesses passwords */
};

struct ota_http_handler {
    /* Names of the headers to report, ended by NULL; at most 31 characters each. */
    const char *const *wanted;

    /* A request begins: method and target ("/path?query", also of a target with scheme and host).
       The target is gone after the call. */
    void (*on_request)(void *context, enum ota_http_method method, const char *target);

    /* Header `index` of `wanted` has this value, without blanks around it. Once for each line. */
    void (*on_header)(void *context, unsigned index, const char *value);

    /* The head is whole: the place to refuse before the body comes. */
    void (*on_head)(void *context, const struct ota_http_asked *asked);

    /* Bytes of the body, chunk framing removed. */
    void (*on_body)(void *context, const void *data, size_t len);

    /* The request is whole. Who has not answered does so here, or later. */
    void (*on_end)(void *context);

    /* The request comes to nothing: OTA_ERR_CONNECTION_LOST, OTA_ERR_TIMEOUT, OTA_ERR_INCOMPLETE
       (the peer sends no more), OTA_ERR_HTTP_SYNTAX or OTA_ERR_HTTP_HEADER. It may be answered
       here, else the server does. */
    void (*on_gone)(void *context, enum ota_err why);

    /* The answer is sent, or never will be. NULL: nobody minds. */
    void (*on_sent)(void *context);

    uint32_t idle_ms, head_ms, body_ms; /* 0: as above */
};
/* Every on_request is followed by just one of: on_gone without an answer in it, or on_sent; after
   an answer by nothing else. */

enum ota_http_server_state {
    OTA_HTTP_SERVER_OVER = 0, /* close the connection. Also the state of a zeroed object */
    OTA_HTTP_SERVER_HEAD,
    OTA_HTTP_SERVER_BODY,
    OTA_HTTP_SERVER_WHOLE, /* takes no input until the answer is sent */
    OTA_HTTP_SERVER_JUNK,  /* what comes has no meaning any more */
};

struct ota_http_server {
    /* To be read by anyone. */
    enum ota_http_server_state state;
    bool is_idle;      /* HEAD, and nothing of a request has come */
    uint32_t requests; /* begun */

    /* Private. */
    const struct ota_http_handler *handler;
    void *context;
    char *buffer;
    struct ota_http_parser_place parser;
    struct ota_http_lines lines;
    struct ota_http_answer answer; /* status 0: none yet */
    uint32_t total, sent;          /* bytes of the answer, a 100 before it included */
    uint32_t body_len;             /* of the answer */
    uint32_t now_ms;
    uint32_t since_ms;  /* of the head, of the body's window, or of the answer */
    uint32_t active_ms; /* when something last came or went */
    uint32_t count;     /* bytes in the body's window, or passed over */
    uint16_t buffer_size, target_len;
    uint16_t kept; /* bytes at the end of the buffer that are the handler's */
    uint8_t method, hosts;
    bool has_ended, told, keep_alive, continues, expects, bad_expect, has_body, is_all_sent,
        is_own_answer;
};

/* Starts a connection that was accepted at `now_ms`. `buffer` takes a target or a header value at a
   time, and is the caller's until OVER. In the states BODY and WHOLE nothing is in it: who reads
   ahead may keep there what input did not take. Returns OTA_OK or OTA_ERR_ARGUMENT. */
enum ota_err ota_http_server_begin(struct ota_http_server *server,
                                   const struct ota_http_handler *handler, void *context,
                                   char *buffer, size_t buffer_size, uint32_t now_ms);

/* Takes bytes that came; returns how many. The rest belongs to a request after this one (or to
   nobody): offer it again when the state is HEAD. */
size_t ota_http_server_input(struct ota_http_server *server, const void *data, size_t len);

/* How many bytes may be read so that all of them will be taken: 0, none; in the head 1, and who has
   a place for what is left over (the buffer is one) may read more. */
size_t ota_http_server_wanted(const struct ota_http_server *server);

/* Copies the next bytes to send into `buffer`, at most `capacity`, and returns how many; the same
   come again until ota_http_server_sent says how many of them went out. */
size_t ota_http_server_output(struct ota_http_server *server, void *buffer, size_t capacity);
void ota_http_server_sent(struct ota_http_server *server, size_t len);

/* For the handler, in on_header: keeps `len` bytes at the end of the buffer until on_head has
   returned, so that they need no other place; what follows in the head has so much less. `text` may
   be the value, which is gone then. Returns the copy, terminated, or NULL if there is no room. */
const char *ota_http_server_keep(struct ota_http_server *server, const char *text, size_t len);

/* Answers the present request. Returns OTA_ERR_STATE if there is none, or it has its answer. */
enum ota_err ota_http_server_answer(struct ota_http_server *server,
                                    const struct ota_http_answer *answer);

/* Tells whether the present request has its answer. */
bool ota_http_server_is_answered(const struct ota_http_server *server);

/* How much of the body is still to come; OTA_SIZE_UNKNOWN if that is not known. */
uint32_t ota_http_server_left(const struct ota_http_server *server);

/* The peer sends no more (OTA_OK), or the connection is broken. After the first an answer can still
   be sent. */
void ota_http_server_closed(struct ota_http_server *server, enum ota_err err);

/* It is now `now_ms`. Call before ota_http_server_input and after ota_http_server_wait_ms at the
   latest. */
void ota_http_server_tick(struct ota_http_server *server, uint32_t now_ms);

/* Milliseconds from the last tick until the next one is due; UINT32_MAX when none is. */
uint32_t ota_http_server_wait_ms(const struct ota_http_server *server);

/* The words that belong to a status ("Not Found"). */
const char *ota_http_reason(unsigned status);

#endif
