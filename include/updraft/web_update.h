/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_WEB_UPDATE_H
#define UPDRAFT_WEB_UPDATE_H

/*
 * Update by browser or HTTP upload: one server that speaks all dialects of
 * docs/formats/web-upload.md at the same time, as a state machine without I/O. One struct ota_web
 * for the device, and a struct ota_web_connection for each connection, whose `http` the caller
 * drives (http_server.h). web_service.h does that for the agent.
 *
 *     ota_web_init(&web, &options);
 *     ota_web_open(&connection, &web, &peer, now_ms);
 *     ... ota_http_server_tick, _input, _output, _sent on connection.http until it is OVER ...
 *
 *     FREE --POST with a file--> RECEIVING --closing delimiter, last byte--> proven --> activated
 *      ^                             |                                        |           |
 *      +---- refused, failed, lost --+----------------------------------------+   answered, restart
 *
 * Routes:
 *
 * | request                        | answer                                                 |
 * | ------------------------------ | ------------------------------------------------------ |
 * | GET /, GET /update             | the page of the options, or a plain form               |
 * | POST /update                   | an upload; the dialect is chosen below                 |
 * | GET /ota/start?mode=&hash=     | ElegantOTA: 200 `OK`; its upload follows within 60 s.  |
 * |                                | 409, 503, 400 and the cause if that would be refused   |
 * | POST /ota/upload               | ElegantOTA's upload                                    |
 * | GET /update/info               | JSON: what runs, the slots (section 6)                 |
 * | POST /update/rollback          | 200, and back to the other image; 409 if there is none |
 * | POST /restart, /update/restart | 200, and the restart                                   |
 * | OPTIONS                        | 204 with Allow, never with CORS                        |
 * | another method, another path   | 405 with Allow, 404                                    |
 *
 * Which dialect answers an upload; the first line that fits:
 *
 * | upload                                                       | dialect    | for              |
 * | ------------------------------------------------------------ | ---------- | ---------------- |
 * | header `X-Updraft: 1`                                        | page       | by name, mode=fs |
 * | /ota/upload                                                  | ElegantOTA | what start said  |
 * | multipart, part `update`                                     | ESPHome    | firmware         |
 * | part `file`, or raw: name ends in `code.bin`, `littlefs.bin` | Psychic    | firmware, data   |
 * | multipart                                                    | Arduino    | by name          |
 * | raw, which is any other type of body                         | raw        | mode=fs, by name |
 *
 * By name: part `filesystem` is data, part `firmware` is not; else a file name that ends in
 * `littlefs.bin`, `spiffs.bin`, `fs.bin`, or is `filesystem….bin` is data; all else is firmware.
 *
 * What each is told (`E` is the Arduino updater's line: `ERROR[n]: text` on an ESP8266, the text
 * alone on an ESP32, and in brackets what that does not say: a gate's reason, or the true cause):
 *
 * | dialect    | success                                        | failure                       |
 * | ---------- | ---------------------------------------------- | ----------------------------- |
 * | Arduino    | 200 `…Update Success! Rebooting...`            | 200 `Update error: E`         |
 * | Psychic    | 200 `<b …>Update done for file.</b>`           | 500 ` Update.errorString() E` |
 * | raw        | 200 `Firmware update complete, rebooting now!` | 500 one of its three texts    |
 * | ElegantOTA | 200 `OK`                                       | 400 `E`                       |
 * | ESPHome    | 200 `Update Successful!`                       | 200 `Update Failed: E`        |
 * | page       | 200 JSON                                       | 4xx, 5xx JSON                 |
 *
 * Whatever the dialect, a request that carries no file, an empty one or two is 400; an upload while
 * another update is under way 409; one too long for its place 413, before its body comes; a gate's
 * refusal before the body of a raw upload 409 or 503. None of these changes anything. Each failure
 * has its cause in a header `X-Updraft-Error` too.
 *
 * Before anything else, every request is looked at for who sends it: a foreign Origin or
 * Sec-Fetch-Site is 403, and so is a foreign Referer of a GET that starts an update; without a
 * password a Host that could be anybody's name is 403; with one, its absence or a wrong one is 401.
 * After a wrong one there is a pause, which grows with them and in which nobody else's is looked at
 * (429), but for the peer's who last had it right.
 *
 * | client sends                                 | server answers                                |
 * | -------------------------------------------- | --------------------------------------------- |
 * | no login                                     | 401, `WWW-Authenticate: Basic …` and, behind  |
 * |                                              | it, `Digest …` with a nonce, if it has the    |
 * |                                              | password itself and random numbers            |
 * | `Authorization: Basic …`                     | what was asked for, or 401 after a pause      |
 * | `Authorization: Digest …`, a count not used  | the same                                      |
 * | the same, but a count used, or an old nonce  | 401 with `stale=true`: log in again           |
 */

#include <updraft/address.h>
#include <updraft/device.h>
#include <updraft/http_server.h>
#include <updraft/intake.h>
#include <updraft/multipart.h>
#include <updraft/platform.h>

#define OTA_WEB_SESSION_MS 60000u        /* from ElegantOTA's start to its upload */
#define OTA_WEB_SLACK 16384u             /* what a form may have round its file, */
#define OTA_WEB_TAIL 2048u               /* and of that behind it */
#define OTA_WEB_LOGIN_PAUSE_MS 500u      /* after a first wrong password; doubled each time, */
#define OTA_WEB_LOGIN_PAUSE_MAX_MS 8000u /* up to this; forgotten after a right one */
#define OTA_WEB_NONCE_MS 300000u         /* from the challenge of a Digest login to its last use */
#define OTA_WEB_NONCES 4u                /* challenges that are in use at a time */
#define OTA_WEB_NONCE_SIZE 20u
#define OTA_WEB_HOST_MAX 95u   /* bytes of Host, and of Origin without its scheme */
#define OTA_WEB_LOGIN_MAX 127u /* bytes of user, colon and password */

/* Bytes of a target, or of a header that counts; Host and the boundary of a form take up room among
   the headers that follow them. A Digest login has about 300. */
#define OTA_WEB_VALUE_MAX 447u

/* When the board restarts into what came. */
enum ota_web_restart {
    OTA_WEB_RESTART_BY_DIALECT = 0, /* at once, but after an upload in Psychic's dialect by hand */
    OTA_WEB_RESTART_AT_ONCE,
    OTA_WEB_RESTART_BY_HAND, /* only after POST /restart */
};

/* Things for a log. */
enum ota_web_event {
    OTA_WEB_LOGIN_FAILED,
    OTA_WEB_FOREIGN_REFUSED, /* another site's page, or a Host that is not ours */
    OTA_WEB_RESTART_ASKED,
    OTA_WEB_ROLLED_BACK,
    OTA_WEB_UPLOAD_REFUSED, /* for its request or its size: web->refused says why */
};

/* What is pointed to stays the caller's while the web is used. */
struct ota_web_options {
    struct ota_intake *intake;
    struct ota_device *device;

    const char *name; /* the board's, for people; NULL: none */
    const char
        *host_name; /* a Host that is accepted without a password, beside addresses, names without
                              a dot and NAME.local: "garden.example"; NULL: none */
    const char *origin; /* "https://garden.example", under which a proxy serves this; NULL: none */
    const char *user;   /* NULL or "": "admin" */
    const char *password; /* itself, not a hash of it; NULL or "": none is asked for */

    const void *page; /* HTML, compressed with gzip; NULL: a plain form */
    size_t page_len;

    enum ota_web_restart restart;
    uint32_t boot; /* a random number of this boot: how a page sees that the board was restarted */

    /* Fills `data` with bytes that nobody can guess; OTA_OK or OTA_ERR_CRYPTO. Asked once, by
       ota_web_init. NULL, or failing: the Digest login is not offered. */
    enum ota_err (*random)(void *context, void *data, size_t len);

    /* The board is to restart, and the peer has been told so. Called once for each reason to. */
    void (*on_restart)(void *context, enum ota_restart_reason reason);

    /* Gives the running image up, so that the other one boots: NULL: ota_slot_reject. */
    enum ota_err (*roll_back)(void *context);

    void (*on_event)(void *context, enum ota_web_event event); /* NULL: none */
    void *context;                                             /* for the four */
};

struct ota_web_connection;

/* The one upload that there may be. Private. */
struct ota_web_upload {
    struct ota_web_connection *owner; /* NULL: none */
    struct ota_multipart form;
    uint32_t body_len; /* OTA_SIZE_UNKNOWN: in chunks */
    uint32_t file_max; /* bytes that are left of it for the file and what follows the file */
    char md5[33];      /* of a text part of that name */
    uint8_t md5_len;   /* 33: it is none */
    bool in_md5;       /* the present part is that */
    bool in_file;      /* the present part is the file */
    bool had_file;     /* its part has begun */
    bool is_unnamed;   /* its name is empty */
    bool is_begun;     /* the intake is ours */
    bool is_proven;
};

/* A challenge that was answered rightly, and which counts of it have come. Private. */
struct ota_web_nonce {
    uint32_t serial;
    uint32_t highest;
    uint32_t seen; /* bit n: highest - n */
};

/* What Digest logins need. Private. */
struct ota_web_challenges {
    bool are_made;
    uint8_t key[16];
    uint32_t serial; /* of the last one */
    struct ota_web_nonce nonces[OTA_WEB_NONCES];
};

struct ota_web {
    /* To be read by anyone. */
    struct ota_web_options options;
    const char *refused; /* why the last upload was that OTA_WEB_UPLOAD_REFUSED told of */

    /* Private. */
    struct ota_web_upload upload;
    struct ota_digest session_hash; /* ElegantOTA's */
    struct ota_address session_peer;
    uint32_t session_ms;
    bool has_session, session_is_data;
    uint8_t failed_logins;      /* in a row */
    uint32_t failed_ms;         /* when the last was */
    struct ota_address trusted; /* who last logged in */
    struct ota_web_challenges challenges;
};

struct ota_web_connection {
    struct ota_http_server http; /* the caller drives it */

    /* Private: who asks for what, */
    struct ota_web *web;
    struct ota_address peer;
    struct ota_digest expected; /* of the file, by headers, session or text part */
    uint32_t size;              /* of the file, if it was said */
    uint8_t route, method, dialect, login, host_state;
    uint8_t file_kind; /* what the name of a raw body's file says */
    bool asks_data, is_data, is_form, from_page, fetch_is_foreign, host_is_strange;
    bool referer_is_foreign, referer_is_ours;
    bool is_bad_digest;
    uint8_t proof_kind;
    uint8_t proof[OTA_WEB_NONCE_SIZE]; /* of what is asked for, and in a 401 its nonce */
    const char *host;                  /* Host, or an Origin that came before it */
    const char *boundary;              /* NULL: none */

    /* and what it is answered. */
    uint8_t say;
    bool is_held, restarts;
    enum ota_restart_reason reason; /* of the restart behind the answer; 0: none */
    enum ota_err err;
    const char *word, *text; /* what kind of failure, for programs, and for people */
    uint32_t limit;          /* how much fits; 0: that is not it */
    uint32_t uptime_ms, received;

    /* For the caller to read ahead, see http_server.h. */
    char buffer[OTA_WEB_VALUE_MAX + 1];
};

/* Prepares the server. Returns OTA_OK or OTA_ERR_ARGUMENT: a part is missing, or the login is too
   long. */
enum ota_err ota_web_init(struct ota_web *web, const struct ota_web_options *options);

/* Starts a connection from `peer` (NULL: unknown) at `now_ms`; drive connection->http until it is
   OVER. A connection that is dropped before is ended with ota_http_server_closed. */
void ota_web_open(struct ota_web_connection *connection, struct ota_web *web,
                  const struct ota_address *peer, uint32_t now_ms);

#endif
