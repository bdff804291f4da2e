/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_ESPHOME_HOST_H
#define UPDRAFT_ESPHOME_HOST_H

/*
 * The sending side of the ESPHome native update protocol (docs/formats/esphome.md): gives an image
 * to a device that listens. A state machine without I/O: the caller opens the TCP connection,
 * carries the bytes and tells the time.
 *
 *     struct ota_esphome_host_options options = {
 *         .crypto = &ota_crypto_psa, .size = size, .password = password,
 *         .read = read_image, .random = random_bytes, .context = me,
 *     };
 *     memcpy(options.md5, md5_of_image, sizeof options.md5);
 *     ota_esphome_host_begin(&host, &options, now);
 *     while (host.state < OTA_ESPHOME_HOST_DONE) {
 *         while ((len = ota_esphome_host_output(&host, piece, sizeof piece)) > 0)
 *             ota_esphome_host_sent(&host, send(piece, len));
 *         … ota_esphome_host_input(&host, piece, received);
 *         … or ota_esphome_host_closed(&host, why);
 *         ota_esphome_host_tick(&host, now);
 *     }
 *     if (host.state == OTA_ESPHOME_HOST_FAILED)
 *         print(ota_esphome_host_message(&host, text, sizeof text));
 *
 *     IDLE --begin--> CONNECTING --a byte--> TALKING --MD5 OK--> SENDING --all--> PROVING --> DONE
 *                         |                     |                   |                |
 *                         +---- error byte, time-out, closed, broken rules, source --+--> FAILED
 *
 * In DONE and FAILED the caller closes its connection; in DONE there is still one byte to be sent,
 * which may also be lost. An OTA_ERR_AUTH with a password of NULL means that the device wants one:
 * ask for it and begin again, over a new connection. When a write fails, what came before must
 * still be read and given to input before `closed` is told of it: an error byte may lie there.
 *
 * What each side sends; numbers are hexadecimal:
 *
 *     host                              device                              step
 *     6C 26 F7 5C 45                    00 VV          version, 1 or 2      VERSION
 *     07             features           40, 46, or 48 SS                    FEATURES
 *                                       41             no password          AUTH
 *                                       01 nonce[32]   MD5                  AUTH
 *                                       02 nonce[64]   SHA-256              AUTH
 *     cnonce, response, as long         41                                  AUTH_RESULT
 *     00             after 48: an app
 *     size[4]        big endian         42                                  SIZE
 *     MD5[32]        hexadecimal        43                                  CHECKSUM
 *     8192 bytes, or the rest           47             version 2            CHUNK
 *                                       44             all received         RECEIVED
 *                                       45             proven               END
 *     00
 *
 * In place of each byte of the device: an error, 80 or above, after which it closes. It is
 * recognised at every step. Bytes that are not in this table fail the push with OTA_ERR_PROTOCOL.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <updraft/crypto.h>
#include <updraft/error.h>

/* From begin until the device has let the host in; then for each answer, or block that leaves. */
#define OTA_ESPHOME_HOST_CONNECT_TIMEOUT_MS 20000u
#define OTA_ESPHOME_HOST_TIMEOUT_MS 90000u

struct ota_esphome_host;

enum ota_esphome_host_event {
    OTA_ESPHOME_HOST_CONNECTED,  /* the device has answered: host->version, host->features */
    OTA_ESPHOME_HOST_WEAK_AUTH,  /* a warning: the device asks for MD5, which can be broken */
    OTA_ESPHOME_HOST_LET_IN,     /* with or without a password: host->auth */
    OTA_ESPHOME_HOST_STARTED,    /* the device wants the image */
    OTA_ESPHOME_HOST_PROGRESS,   /* host->sent has grown */
    OTA_ESPHOME_HOST_ALL_SENT,   /* the device checks it now */
    OTA_ESPHOME_HOST_SUCCEEDED,  /* the device has accepted it, and restarts */
    OTA_ESPHOME_HOST_EVENT_COUNT /* how many there are; not an event */
};

struct ota_esphome_host_options {
    /* All pointers are the caller's until the push is over. */
    const struct ota_crypto *crypto;
    uint32_t size;             /* of the image, 1 to OTA_SIZE_UNKNOWN - 1 bytes */
    uint8_t md5[OTA_MD5_SIZE]; /* of the image */
    const char *password;      /* UTF-8; NULL: none */
    bool refuse_md5;           /* do not prove the password to a device that asks for MD5 */

    /* Reads exactly `len` bytes of the image from `offset`; may be called again for the same ones.
       Returns OTA_OK, OTA_ERR_SOURCE or a more exact error. */
    enum ota_err (*read)(void *context, uint32_t offset, void *data, size_t len);

    /* Fills `data` with bytes that nobody can guess. Returns OTA_OK or OTA_ERR_CRYPTO. Asked only
       when the device wants a password. */
    enum ota_err (*random)(void *context, void *data, size_t len);

    void (*on_event)(void *context, const struct ota_esphome_host *host,
                     enum ota_esphome_host_event event); /* NULL: none */
    void *context;                                       /* for the three */

    uint32_t connect_timeout_ms; /* 0: OTA_ESPHOME_HOST_CONNECT_TIMEOUT_MS */
    uint32_t timeout_ms;         /* 0: OTA_ESPHOME_HOST_TIMEOUT_MS */
};

enum ota_esphome_host_state {
    OTA_ESPHOME_HOST_IDLE = 0,
    OTA_ESPHOME_HOST_CONNECTING, /* output waits; nothing has come */
    OTA_ESPHOME_HOST_TALKING,
    OTA_ESPHOME_HOST_SENDING,
    OTA_ESPHOME_HOST_PROVING, /* all is sent */
    OTA_ESPHOME_HOST_DONE,    /* the device has accepted it */
    OTA_ESPHOME_HOST_FAILED,
};

/* What the device is to answer next. */
enum ota_esphome_host_step {
    OTA_ESPHOME_STEP_VERSION = 0,
    OTA_ESPHOME_STEP_FEATURES,
    OTA_ESPHOME_STEP_AUTH,
    OTA_ESPHOME_STEP_AUTH_RESULT,
    OTA_ESPHOME_STEP_SIZE,
    OTA_ESPHOME_STEP_CHECKSUM,
    OTA_ESPHOME_STEP_CHUNK,
    OTA_ESPHOME_STEP_RECEIVED,
    OTA_ESPHOME_STEP_END,
};

#define OTA_ESPHOME_HOST_LINE_SIZE 128u

struct ota_esphome_host {
    /* To be read by anyone. */
    enum ota_esphome_host_state state;
    enum ota_esphome_host_step step; /* where it is, or failed */
    struct ota_failure failure;      /* the first cause, and how much of the image had been sent */
    uint8_t answer;                  /* the byte that ended it, if has_answer */
    bool has_answer;
    uint8_t version;              /* 1 or 2; 0 while not known */
    uint8_t features;             /* of the device: 01 it can unpack, 02 it takes partitions */
    enum ota_hash_algorithm auth; /* OTA_HASH_NONE: the device wants no password */
    uint32_t sent;                /* bytes of the image that went out */
    uint32_t confirmed;           /* bytes that the device has acknowledged (version 2) */

    /* Private. */
    const struct ota_esphome_host_options *options;
    uint32_t now_ms, active_ms;
    uint32_t block;                           /* bytes of the present block still to be sent */
    uint8_t line[OTA_ESPHOME_HOST_LINE_SIZE]; /* what is to be sent; or a nonce that is coming */
    uint8_t line_len, line_sent;
    uint8_t nonce_len; /* bytes of the nonce so far */
    uint8_t awaited;   /* second bytes of an answer */
    bool is_extended;
};

/* Starts a push at time `now_ms`; the caller opens the connection. Returns OTA_OK or
   OTA_ERR_ARGUMENT. */
enum ota_err ota_esphome_host_begin(struct ota_esphome_host *host,
                                    const struct ota_esphome_host_options *options,
                                    uint32_t now_ms);

/* Copies the next bytes to send into `buffer`, at most `capacity`, and returns how many; 0 when
   there are none now. They come again until ota_esphome_host_sent says how many of them went out.
   If the image cannot be read the push fails, and the connection is to be closed. */
size_t ota_esphome_host_output(struct ota_esphome_host *host, void *buffer, size_t capacity);
void ota_esphome_host_sent(struct ota_esphome_host *host, size_t len);

/* Takes bytes that came. Returns OTA_OK or the first cause: OTA_ERR_PEER for an error byte of the
   device (host->answer), OTA_ERR_AUTH for one that says the password is wrong, a password that is
   missing, or MD5 that is refused, OTA_ERR_PROTOCOL, OTA_ERR_CRYPTO. OTA_ERR_STATE before begin. */
enum ota_err ota_esphome_host_input(struct ota_esphome_host *host, const void *data, size_t len);

/* The connection is over: `why` is OTA_OK if the device closed it, else what the stream said.
   Returns OTA_OK if the device had accepted the image, else the first cause: OTA_ERR_CONNECT,
   OTA_ERR_CONNECTION_LOST. */
enum ota_err ota_esphome_host_closed(struct ota_esphome_host *host, enum ota_err why);

/* It is now `now_ms`. Call before input and whenever the time of ota_esphome_host_wait_ms has
   passed. Returns OTA_OK or the first cause: OTA_ERR_CONNECT if the device never answered,
   OTA_ERR_TIMEOUT. */
enum ota_err ota_esphome_host_tick(struct ota_esphome_host *host, uint32_t now_ms);

/* Milliseconds from the last tick until the device is overdue; UINT32_MAX when nothing is
   awaited. */
uint32_t ota_esphome_host_wait_ms(const struct ota_esphome_host *host);

/* Writes why the push failed into `text`, terminated, as one or two sentences without a full stop
   at the end: what was found, where, and what to do. 512 bytes hold each. Returns `text`. */
const char *ota_esphome_host_message(const struct ota_esphome_host *host, char *text, size_t size);

/* What an error byte of a device means and what to do, as a sentence without a full stop; NULL for
   a byte that is no known error. */
const char *ota_esphome_answer_text(uint8_t answer);

#endif
