/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_HTTP_TRANSFER_H
#define UPDRAFT_HTTP_TRANSFER_H

/*
 * Files over http and https: GETs, whole or by ranges, through redirects, on a connection that is
 * used again where the server lets it (docs/formats/https-update.md section 2). It joins an HTTP
 * exchange (http_client.h) to the platform's network; nothing in it waits.
 *
 *     const struct ota_http_transfer_options options = {
 *         .platform = &platform, .secure = &tls.secure, .url = "https://host/firmware.bin",
 *         .text = text, .text_size = sizeof text,
 *     };
 *     err = ota_http_transfer_begin(&transfer, &options);
 *     if (err == OTA_OK) err = ota_http_transfer_get(&transfer, 0, OTA_SIZE_UNKNOWN, NULL);
 *     while (err == OTA_OK && transfer.state != OTA_TRANSFER_DONE) {
 *         err = ota_http_transfer_read(&transfer, data, sizeof data, &len);
 *         ... use len bytes; if there were none,
 *             platform->wait(ota_http_transfer_wait_ms(&transfer))
 *     }
 *     ota_http_transfer_end(&transfer);
 *
 *               head judged, body follows       body whole
 *     IDLE --get--> ASKING ------> RECEIVING -------------> DONE --get--> ASKING (the next range)
 *                   |   ^ redirect     |
 *                   |   +---           +--> FAILED <-- an error, a time-out, too little or too much
 *                   +--------------------------^
 *
 * What each side sends; [ ] where it applies:
 *
 *     GET target HTTP/1.1
 *     Host
 *     User-Agent: Updraft
 *     [Authorization: Basic]       credentials of the options or the URL; the first host only
 *     [Connection: close]          without keep_alive
 *     [Range: bytes=FROM-[TO]]     FROM > 0, or a length was given
 *     [If-Range: "etag"]
 *     [the caller's own lines]     the first host only
 *
 *     200            the whole file: an error if it was not wanted from its first byte
 *     206            only where a range was asked for; Content-Range begins where asked, and ends
 *                    there or earlier; its total is known, and the same in every answer
 *     301 302 303 307 308   followed, at most redirect_limit times; from https to http only if
 *                    allowed
 *     others         errors, see ota_http_transfer_get
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <updraft/error.h>
#include <updraft/http_client.h>
#include <updraft/journal.h>
#include <updraft/platform.h>
#include <updraft/secure.h>

#define OTA_HTTP_REDIRECTS 10u
#define OTA_HTTP_NO_REDIRECTS 255u
#define OTA_HTTP_TEXT_MIN 256u
#define OTA_HTTP_HOST_MAX 127u
#define OTA_HTTP_CREDENTIALS_MAX 127u

struct ota_http_transfer;

struct ota_http_transfer_options {
    /* All pointers are the caller's until ota_http_transfer_end. */
    struct ota_platform *platform;
    struct ota_secure *secure; /* NULL: https is OTA_ERR_URL */
    const char *ca_pem;        /* as in ota_secure; NULL: the wrapper's own */
    const char *url;           /* "http[s]://[user:password@]host[:port][/path]" */
    const char *credentials;   /* "user:password"; NULL: those of the URL */
    bool keep_alive;           /* for more than one get: use the connection again */
    bool allow_downgrade;      /* follow a redirect from https to http */
    bool refuse_http;          /* http is OTA_ERR_URL, and no redirect to it is followed */
    uint8_t redirect_limit;    /* 0: OTA_HTTP_REDIRECTS; OTA_HTTP_NO_REDIRECTS: follow none */

    uint32_t
        head_timeout_ms; /* connection, handshake and head together; 0: OTA_HTTP_HEAD_TIMEOUT_MS */
    uint32_t body_timeout_ms; /* as in ota_http_request */
    uint32_t body_least;      /* as in ota_http_request */

    char *text; /* work space: half for the URL, half for a header; the longest of each that can */
    size_t text_size; /* be served. At least OTA_HTTP_TEXT_MIN; 2048 is good */

    /* Adds header lines of the caller's, each with its CR LF; the same each time. NULL: none. */
    void (*write_headers)(void *context, struct ota_text *text);
    void *context;
};

enum ota_http_transfer_state {
    OTA_TRANSFER_IDLE = 0,
    OTA_TRANSFER_ASKING,
    OTA_TRANSFER_RECEIVING,
    OTA_TRANSFER_DONE,
    OTA_TRANSFER_FAILED,
};

struct ota_http_transfer {
    /* To be read by anyone. */
    enum ota_http_transfer_state state;
    struct ota_failure failure; /* the first cause; its offset is in the file */
    uint16_t status;            /* of the last answer; 0: none yet */
    uint32_t size;              /* of the whole file; OTA_SIZE_UNKNOWN until (or if never) told */
    uint32_t offset;            /* in the file, of the byte that comes next */
    char etag[OTA_IDENTITY_MAX + 1];  /* of the last answer; empty: none, or too long */
    char host[OTA_HTTP_HOST_MAX + 1]; /* that was asked last */
    uint16_t port;                    /* of it */
    bool is_secure;                   /* TLS is spoken with it */
    uint8_t redirects;                /* followed since the last get */
    uint32_t connections;             /* made since begin */

    /* Private. */
    struct ota_http_transfer_options options;
    struct ota_stream *stream;
    struct ota_http_client http;
    struct ota_http_request request;
    char *url; /* the present one, in options.text */
    size_t url_size;
    uint32_t range_from, range_to; /* asked for; to: just past the last byte, or OTA_SIZE_UNKNOWN */
    uint32_t content_start, content_end, content_total;
    uint32_t body_end; /* in the file, just past this answer's body; OTA_SIZE_UNKNOWN if not told */
    const char *if_range;
    uint8_t *out; /* where body goes while input is taken */
    size_t out_len;
    uint16_t seen; /* headers of the present answer, one bit each */
    bool away;     /* at another host than the first */
    bool closes;   /* the server ends the connection with this answer */
    bool is_asked; /* the whole request is out */
    bool is_reused, is_answered, is_redirected;
};

/* Prepares; nothing is sent yet. Returns OTA_ERR_URL, or OTA_ERR_ARGUMENT for missing parts or a
   text that is too small. */
enum ota_err ota_http_transfer_begin(struct ota_http_transfer *transfer,
                                     const struct ota_http_transfer_options *options);

/*
 * Asks for `len` bytes from `offset` on, OTA_SIZE_UNKNOWN for all that follow; legal when IDLE,
 * DONE or FAILED. With `if_range`, an entity tag that is the caller's until DONE, a file that has
 * changed is an answer 200, and so OTA_ERR_HTTP_RANGE where offset > 0. Returns OTA_OK,
 * OTA_ERR_STATE or OTA_ERR_CONNECT. What the reads then return:
 *
 *     OTA_ERR_CONNECT, OTA_ERR_CONNECTION_LOST, OTA_ERR_TIMEOUT, and those of TLS
 *     OTA_ERR_HTTP_SYNTAX, OTA_ERR_HTTP_HEADER
 *     OTA_ERR_HTTP_CREDENTIALS (401), _FORBIDDEN (403), _NOT_FOUND (404), _RANGE (416, or an answer
 *                              for other bytes), _REDIRECT (too many, not allowed, no Location),
 *                              _STATUS (all others, 304 among them: see status)
 *     OTA_ERR_INCOMPLETE       the body is shorter than announced
 *     OTA_ERR_TOO_LARGE        it is longer
 */
enum ota_err ota_http_transfer_get(struct ota_http_transfer *transfer, uint32_t offset,
                                   uint32_t len, const char *if_range);

/* Does what can be done without waiting, and reads what there is of the body: `*len` bytes, 0
   if there is nothing now. The last bytes may come with state DONE. Returns OTA_OK or the
   first cause. */
enum ota_err ota_http_transfer_read(struct ota_http_transfer *transfer, void *data, size_t capacity,
                                    size_t *len);

/* Milliseconds after which the next read is due at the latest, also before when the network
   stirs. */
uint32_t ota_http_transfer_wait_ms(const struct ota_http_transfer *transfer);

/* Tells whether the answer that comes is a part of the file (206). */
bool ota_http_transfer_is_part(const struct ota_http_transfer *transfer);

/* Closes the connection. May be called in any state, more than once. */
void ota_http_transfer_end(struct ota_http_transfer *transfer);

#endif
