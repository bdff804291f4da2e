/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_HTTP_CLIENT_H
#define UPDRAFT_HTTP_CLIENT_H

/*
 * One HTTP/1.0 or HTTP/1.1 exchange (RFC 9112) as a state machine without I/O: it says which bytes
 * to send, is told which bytes came, and calls back for the headers asked for, the end of the head
 * and the body.
 *
 *     struct ota_http_request request = {
 *         .method = "GET", .target = "/firmware", .minor_version = 1, .write_headers = my_headers,
 *         .wanted = my_wanted, .on_header = my_header, .on_head = my_head, .on_body = my_body,
 *         .buffer = buffer, .buffer_size = sizeof buffer, .context = me,
 *     };
 *     ota_http_client_begin(&client, &request, now_ms);
 *     while ((len = ota_http_client_output(&client, piece, sizeof piece)) > 0)
 *         ota_http_client_sent(&client, send(piece, len));
 *     while (client.state < OTA_HTTP_DONE && (len = receive(piece, sizeof piece)) > 0)
 *         ota_http_client_input(&client, piece, len);
 *     if (client.state < OTA_HTTP_DONE) ota_http_client_closed(&client);
 *
 *              head whole             length reached, last chunk, or closed where that ends a body
 *     HEAD ----------------> BODY ----------------------------------------------------> DONE
 *       |    no body follows: -------------------------------------------------------->  |
 *       +--> FAILED <----------+ an error, a time-out, closed too soon                   |
 *              ^---------------------------------------------- bytes after the end ------+
 *
 * Strict where strictness protects: a length stated twice, a length beside chunks, a transfer
 * encoding other than "chunked", bytes behind the end of the answer are errors. Line ends of LF
 * alone and a missing blank behind the colon are accepted, as the devices' own clients do.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <updraft/error.h>
#include <updraft/http_lines.h>
#include <updraft/sink.h>
#include <updraft/text.h>

/* All headers of an answer together may have this many bytes, those that nobody asked for included;
   and this many interim answers (1xx) may come before it. */
#define OTA_HTTP_HEAD_MAX 16384u
#define OTA_HTTP_INTERIM_MAX 8u

#define OTA_HTTP_HEAD_TIMEOUT_MS 15000u
#define OTA_HTTP_BODY_TIMEOUT_MS 60000u
#define OTA_HTTP_BODY_LEAST 1024u

/* What is known once the head is whole. */
struct ota_http_response {
    uint16_t status;       /* 100 to 999 */
    uint8_t minor_version; /* of HTTP/1.x */
    bool chunked;
    uint32_t length; /* of the body, bytes; OTA_SIZE_UNKNOWN if the head does not say */
};

/* What to ask and whom to tell. The caller's, and all it points to, until the exchange is over. A
   callback that returns an error ends the exchange with it. */
struct ota_http_request {
    const char *method;    /* "GET" */
    const char *target;    /* "/path?query"; NULL: write_target writes it */
    uint8_t minor_version; /* 0 or 1 */

    /* Write the target, and all header lines, each with its CR LF. They are called again for every
       piece of output and must write the same each time. write_headers may be NULL. */
    void (*write_target)(void *context, struct ota_text *text);
    void (*write_headers)(void *context, struct ota_text *text);
    const void *body; /* sent after the head; NULL: none. Its Content-Length is write_headers' */
    size_t body_len;

    /* Names of the headers to report, ended by NULL; at most 31 characters each. NULL: none. */
    const char *const *wanted;

    /* Header `index` of `wanted` has this value, terminated, without blanks around it. Called once
       for each line, so twice for a header that comes twice. */
    enum ota_err (*on_header)(void *context, unsigned index, const char *value);

    /* The head is whole; the body follows, if there is one. */
    enum ota_err (*on_head)(void *context, const struct ota_http_response *response);

    /* Bytes of the body, chunk framing removed. */
    enum ota_err (*on_body)(void *context, const void *data, size_t len);
    void *context;

    char *buffer; /* for one header value: a longer wanted one is an error */
    size_t buffer_size;

    uint32_t head_timeout_ms; /* from begin to a whole head; 0: OTA_HTTP_HEAD_TIMEOUT_MS */
    uint32_t body_timeout_ms; /* silence while the body comes; 0: OTA_HTTP_BODY_TIMEOUT_MS */
    uint32_t body_least; /* bytes of body that each stretch of body_timeout_ms must bring, so that a
                            server that trickles is not waited for; 0: OTA_HTTP_BODY_LEAST */
};

enum ota_http_state {
    OTA_HTTP_IDLE = 0, /* also the state of a zeroed object */
    OTA_HTTP_HEAD,
    OTA_HTTP_BODY,
    OTA_HTTP_DONE,
    OTA_HTTP_FAILED,
};

struct ota_http_client {
    /* To be read by anyone. */
    enum ota_http_state state;
    struct ota_failure failure; /* the first cause, and how much of the body had come */
    struct ota_http_response response;
    uint32_t received; /* bytes of body so far */

    /* Private. */
    const struct ota_http_request *request;
    struct ota_http_parser_place parser;
    struct ota_http_lines lines;
    size_t sent;
    uint32_t now_ms;
    uint32_t active_ms;        /* when the head began, or body last came */
    uint32_t stretch_ms;       /* when the present stretch of the body began, */
    uint32_t stretch_received; /* and what had come by then */
    uint8_t interim_count;
    bool is_interim, skips_body;
};

/* Starts an exchange at time `now_ms`. Returns OTA_OK or OTA_ERR_ARGUMENT. */
enum ota_err ota_http_client_begin(struct ota_http_client *client,
                                   const struct ota_http_request *request, uint32_t now_ms);

/* Copies the next bytes to send into `buffer`, at most `capacity`, and returns how many; 0 when all
   is sent. The same bytes come again until ota_http_client_sent says how many of them went out. */
size_t ota_http_client_output(const struct ota_http_client *client, void *buffer, size_t capacity);
void ota_http_client_sent(struct ota_http_client *client, size_t len);

/* Takes bytes that came. Returns OTA_OK or the first cause: OTA_ERR_HTTP_SYNTAX,
   OTA_ERR_HTTP_HEADER, OTA_ERR_TOO_LARGE for bytes after the end (or a length beyond 32 bits), a
   callback's error. OTA_ERR_STATE before begin. */
enum ota_err ota_http_client_input(struct ota_http_client *client, const void *data, size_t len);

/* The peer has closed. Returns OTA_OK if the answer was whole or this ends its body;
   OTA_ERR_CONNECTION_LOST in the head, OTA_ERR_INCOMPLETE in the body. */
enum ota_err ota_http_client_closed(struct ota_http_client *client);

/* It is now `now_ms`. Call before ota_http_client_input and whenever the time of
   ota_http_client_wait_ms has passed. Returns OTA_ERR_TIMEOUT when the answer is overdue. */
enum ota_err ota_http_client_tick(struct ota_http_client *client, uint32_t now_ms);

/* Milliseconds from the last tick until the answer is overdue; UINT32_MAX when nothing is
   awaited. */
uint32_t ota_http_client_wait_ms(const struct ota_http_client *client);

#endif
