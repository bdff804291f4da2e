/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_PULL_H
#define UPDRAFT_PULL_H

/*
 * HTTP pull: the device asks a server whether there is something newer and takes it
 * (docs/formats/http-pull.md). A state machine without I/O, over an HTTP exchange and an update.
 * The caller makes the connections it asks for and carries the bytes.
 *
 *     ota_pull_begin(&pull, &options, now);
 *     for (;;) {
 *         ota_pull_tick(&pull, now);
 *         if (pull.state == OTA_PULL_DONE) break;
 *         if (pull.state == OTA_PULL_CONNECTING) {
 *             open(pull.host, pull.port, pull.is_secure); ota_pull_connected(&pull); continue;
 *         }
 *         len = ota_pull_output(&pull, piece, sizeof piece); … ota_pull_sent(&pull, sent);
 *         … ota_pull_input(&pull, piece, received); or ota_pull_closed(&pull, OTA_OK);
 *     }
 *     if (pull.result == OTA_PULL_UPDATED) { ota_update_activate(pull.options.update); restart(); }
 *
 *     IDLE -begin--> CONNECTING --connected--> EXCHANGING --answer whole--> SETTLING -closed-> DONE
 *                      ^    |                   |      |                      (or 500 ms)       ^
 *                      |    +---- broken -------+      +-- refused, current, declined, failed --+
 *                      |              |         |
 *                      +-- WAITING <--+         +-- redirected, or again without a range:
 *                        (back-off)                 CONNECTING at once
 *
 * Whenever the state leaves EXCHANGING or SETTLING, the caller closes its connection.
 *
 * What each side sends. Requests, in the order of the lines; [ ] where it applies:
 *
 *     ESP8266                       ESP32                         Updraft
 *     GET target HTTP/1.0           GET target HTTP/1.0           GET target HTTP/1.1
 *     Host                          Host                          Host
 *     User-Agent: ESP8266-http-…    User-Agent: ESP32-http-…      User-Agent: Updraft-http-Update
 *     [Authorization]               Connection: close             [Authorization]
 *     Connection: close             [Authorization]               Connection: close
 *     x-ESP8266-Chip-ID             Cache-Control: no-cache       Cache-Control: no-cache
 *     x-ESP8266-STA-MAC             x-ESP32-STA-MAC               x-Updraft-Chip
 *     x-ESP8266-AP-MAC              x-ESP32-AP-MAC                x-Updraft-Project
 *     x-ESP8266-free-space          x-ESP32-free-space            x-Updraft-STA-MAC
 *     x-ESP8266-sketch-size         x-ESP32-sketch-size           x-Updraft-free-space
 *     x-ESP8266-sketch-md5          [x-ESP32-sketch-md5]          x-Updraft-sketch-size
 *     x-ESP8266-chip-size           [x-ESP32-sketch-sha256]       [x-Updraft-sketch-md5]
 *     x-ESP8266-sdk-version         x-ESP32-chip-size             [x-Updraft-sketch-sha256]
 *     x-ESP8266-mode                x-ESP32-sdk-version           x-Updraft-chip-size
 *     [x-ESP8266-version]           x-ESP32-mode                  [x-Updraft-sdk-version]
 *     [Range] [If-Range]            [x-ESP32-version]             x-Updraft-mode
 *     Content-Length: 0             [Range] [If-Range]            [x-Updraft-version]
 *                                                                 [x-Updraft-accept]
 *                                                                 [Range] [If-Range]
 *
 * Range is sent only while an interrupted update waits (ota_update_pending); otherwise the first
 * two are, byte for byte, what the chips' own cores send. To another host than the first one, none
 * of the device's own lines and no Authorization are sent. The first one's https, where the URL
 * began with http and both are at their usual ports, is the same host; the way back is another.
 *
 * x-Updraft-accept says how an image may be compressed. What comes then is another file, with a
 * length, digests and an ETag of its own. It cannot be resumed: once a transfer of one has broken
 * off, "plain" stands before, for what the device would rather have. A server takes it for granted of the ESP8266's dialect,
 * whose cores unpack gzip: a program that speaks it and takes none gets images that it refuses.
 *
 * Answers:
 *
 *     200            the whole image. Content-Length demanded; x-MD5, x-SHA256, ETag taken. Begins
 *                    anew at 0, also when a range was asked for
 *     206            the rest, or a part of it: only if asked for, Content-Range begins where
 *                    asked, its total is the interrupted update's size, and the identity is the
 *                    same. Else again, without Range
 *     304            nothing newer
 *     301 302 303 307 308   followed, at most redirect_limit times; to https only if may_secure,
 *                    from https to http only if allow_downgrade
 *     401 403 404    refused: OTA_ERR_HTTP_CREDENTIALS, _FORBIDDEN, _NOT_FOUND
 *     416            again, without Range
 *     408 429 5xx    again later, Retry-After honoured
 *     other          refused: OTA_ERR_HTTP_STATUS
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <updraft/error.h>
#include <updraft/http_client.h>
#include <updraft/update.h>

enum ota_pull_mode {
    OTA_PULL_FIRMWARE = 0, /* "sketch" */
    OTA_PULL_FILE_SYSTEM,  /* "spiffs": update_options.label names the partition */
    OTA_PULL_VERSION,      /* "version": asks what there is, takes nothing */
};

/* What a request says of the device. Strings and digests are the caller's until the pull is over;
   one that is NULL or empty leaves its line out. No control characters. */
struct ota_pull_facts {
    const char *chip;        /* "esp32-s3"; Updraft's dialect */
    const char *project;     /* of the running image; Updraft's dialect */
    const char *version;     /* of the running image */
    const char *chip_id;     /* decimal; ESP8266's dialect */
    const char *sdk_version; /* free text */
    const char *accept;      /* "gzip", if the update's unwrap takes that; Updraft's dialect */
    uint8_t sta_mac[6], ap_mac[6];
    uint32_t free_space;          /* bytes that an image may have */
    uint32_t sketch_size;         /* bytes of the running image */
    uint32_t chip_size;           /* bytes of flash */
    const uint8_t *sketch_md5;    /* 16 bytes over the running image */
    const uint8_t *sketch_sha256; /* its 32 bytes */
};

/* One line of a request: a constant, or a fact with its spelling. */
struct ota_pull_line;

/* How a request is spelled. */
struct ota_pull_dialect {
    const char *name;
    uint8_t minor_version; /* of HTTP */
    uint8_t line_count;
    const struct ota_pull_line *lines;
};

extern const struct ota_pull_dialect ota_pull_esp8266;
extern const struct ota_pull_dialect ota_pull_esp32;
extern const struct ota_pull_dialect ota_pull_updraft;

#define OTA_PULL_REDIRECTS 10u
#define OTA_PULL_NO_REDIRECTS 255u
#define OTA_PULL_RETRIES 5u
#define OTA_PULL_BACKOFF_MS 1000u
#define OTA_PULL_BACKOFF_MAX_MS 60000u
#define OTA_PULL_RETRY_AFTER_MAX_S 3600u
#define OTA_PULL_CONNECT_TIMEOUT_MS 15000u
#define OTA_PULL_LINGER_MS 500u
#define OTA_PULL_TEXT_MIN 256u
#define OTA_PULL_HOST_MAX 127u
#define OTA_PULL_VERSION_MAX 63u
#define OTA_PULL_CREDENTIALS_MAX 127u

struct ota_pull;

enum ota_pull_event {
    OTA_PULL_REDIRECTED,    /* pull->host and port are the new ones */
    OTA_PULL_ASKED_AGAIN,   /* the rest is not to be had: from the start, without Range */
    OTA_PULL_RESUMED,       /* 206 accepted: going on at pull->offer.offset */
    OTA_PULL_RETRY_PLANNED, /* pull->failure struck; the next try begins in pull->wait_ms */
};

/* What a server offers, once its answer's head is whole. */
struct ota_pull_offer {
    uint16_t status;
    uint32_t size;   /* of the whole image, bytes */
    uint32_t offset; /* where the body begins in it */
    bool has_md5, has_sha256;
    uint8_t md5[OTA_MD5_SIZE];
    uint8_t sha256[OTA_SHA256_SIZE];
    char etag[OTA_IDENTITY_MAX + 1];        /* empty: none, or too long to be kept */
    char version[OTA_PULL_VERSION_MAX + 1]; /* x-version; empty: not said */
};

struct ota_pull_options {
    const char *url;                        /* "http[s]://[user:password@]host[:port][/path]" */
    const char *credentials;                /* "user:password"; NULL: those of the URL */
    const struct ota_pull_dialect *dialect; /* NULL: ota_pull_updraft */
    enum ota_pull_mode mode;
    const struct ota_pull_facts *facts;

    /* The update that takes the image, and how it begins: size, etag and, unless the caller expects
       a digest of its own, expected are filled in from the answer. NULL in mode VERSION. */
    struct ota_update *update;
    struct ota_update_options update_options;

    char *text; /* work space: half for the URL, half for a header; the longest of each that can */
    size_t text_size; /* be served. At least OTA_PULL_TEXT_MIN; 2048 is good */

    uint32_t random;      /* any number, different from device to device: spreads the retries */
    bool may_secure;      /* the caller speaks TLS where pull->is_secure says so; without, https is
                               OTA_ERR_URL */
    bool allow_downgrade; /* follow a redirect from https to http */
    uint8_t redirect_limit; /* 0: OTA_PULL_REDIRECTS; OTA_PULL_NO_REDIRECTS: follow none */
    uint8_t retry_limit;    /* tries without progress after the first; 0: OTA_PULL_RETRIES */
    bool no_retry;          /* the first break is final */
    bool prefer_plain;      /* rather have what can be resumed than what is compressed: an earlier
                               update was cut short (ota_update_was_cut_short) */
    uint32_t backoff_ms;    /* before the first retry, then doubled; 0: OTA_PULL_BACKOFF_MS */

    /* Asked before anything is erased: OTA_OK takes the offer, anything else declines it (and is
       the pull's failure). NULL: take. It may read the pull, and change options.update_options,
       with which the update then begins; it may not call it. */
    enum ota_err (*on_offer)(void *context, const struct ota_pull *pull);
    void (*on_event)(void *context, const struct ota_pull *pull, enum ota_pull_event event);
    void *context; /* for both */
};

enum ota_pull_state {
    OTA_PULL_IDLE = 0,
    OTA_PULL_WAITING,    /* nothing to do until wait_ms have passed */
    OTA_PULL_CONNECTING, /* wants a connection to host and port */
    OTA_PULL_EXCHANGING, /* output to send, input to take */
    OTA_PULL_SETTLING,   /* all has come; whatever more comes is too much */
    OTA_PULL_DONE,       /* see result */
};

enum ota_pull_result {
    OTA_PULL_UNDECIDED = 0,
    OTA_PULL_UPDATED,  /* the update is PROVEN; the caller activates it */
    OTA_PULL_CURRENT,  /* the server has nothing newer */
    OTA_PULL_ANSWERED, /* mode VERSION: offer.version */
    OTA_PULL_DECLINED, /* on_offer did not want it */
    OTA_PULL_FAILED,   /* see failure */
};

/* What the head of an answer asks for. Private. */
enum ota_pull_verdict {
    OTA_PULL_TAKE = 0,
    OTA_PULL_FOLLOW,
    OTA_PULL_AGAIN,
    OTA_PULL_LATER,
    OTA_PULL_STOP,
};

struct ota_pull {
    /* To be read by anyone. */
    enum ota_pull_state state;
    enum ota_pull_result result;
    struct ota_failure failure;       /* of the last try; its offset is in the image */
    struct ota_pull_offer offer;      /* of the last answer */
    char host[OTA_PULL_HOST_MAX + 1]; /* to connect to: a name or an address, no brackets */
    uint16_t port;
    bool is_secure;    /* with TLS */
    uint32_t wait_ms;  /* the length of the present wait */
    uint8_t redirects; /* followed since the last try began */
    uint8_t retries;   /* since there was progress */

    /* Private. */
    struct ota_pull_options options;
    struct ota_http_client http;
    struct ota_http_request request;
    char *url;                   /* the present one, in options.text */
    size_t url_size;             /* of each half of options.text */
    struct ota_identity pending; /* of the interrupted update, while range_start > 0 */
    uint32_t pending_size;
    uint32_t range_start; /* asked for; 0: no Range */
    uint32_t reached;     /* the most bytes that any try had */
    uint32_t now_ms, since_ms;
    uint32_t random;
    uint32_t retry_after_s;                             /* of the present answer; 0: not said */
    uint32_t content_start, content_end, content_total; /* of its Content-Range */
    uint16_t seen;                                      /* headers of it, one bit each */
    bool no_range, away, resumed, prefer_plain;
    bool took; /* the offer: the update is this pull's until the try ends */
    enum ota_pull_verdict verdict;
    enum ota_pull_result verdict_result;
    enum ota_err verdict_err;
};

/*
 * Starts a pull at time `now_ms`. `options` is copied, what it points to is the caller's until the
 * pull is over. Returns OTA_ERR_URL (also for https without may_secure), or
 * OTA_ERR_ARGUMENT for missing parts, a text too small, or control characters in the facts.
 */
enum ota_err ota_pull_begin(struct ota_pull *pull, const struct ota_pull_options *options,
                            uint32_t now_ms);

/* It is now `now_ms`: ends waits, watches time-outs. Call before the others, and after
   ota_pull_wait_ms at the latest. */
void ota_pull_tick(struct ota_pull *pull, uint32_t now_ms);

/* Milliseconds from the last tick until the next one is due; UINT32_MAX when none is. */
uint32_t ota_pull_wait_ms(const struct ota_pull *pull);

/* The connection that CONNECTING asked for has been begun. Ignored in other states. */
void ota_pull_connected(struct ota_pull *pull);

/* Copies the next bytes to send into `buffer` and returns how many; the same bytes come again until
   ota_pull_sent says how many went out. */
size_t ota_pull_output(const struct ota_pull *pull, void *buffer, size_t capacity);
void ota_pull_sent(struct ota_pull *pull, size_t len);

/* Takes bytes that came. What they led to is in state, result and failure. Ignored when no exchange
   is on. */
void ota_pull_input(struct ota_pull *pull, const void *data, size_t len);

/* The connection is gone: in order (OTA_OK), or with the error that it broke with, or could not be
   made with. */
void ota_pull_closed(struct ota_pull *pull, enum ota_err err);

/* Gives up: an update under way is suspended, so that a later pull can go on. The state is DONE,
   the result FAILED with OTA_ERR_ABORTED; no effect if it was DONE or IDLE. */
void ota_pull_stop(struct ota_pull *pull);

#endif
