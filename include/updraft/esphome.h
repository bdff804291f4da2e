/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_ESPHOME_H
#define UPDRAFT_ESPHOME_H

/*
 * The device side of the ESPHome native update protocol (docs/formats/esphome.md): takes an image
 * from ESPHome's own tool or from `updraft push`. A state machine without I/O over struct
 * ota_intake, one object for each connection; the caller listens, carries the bytes and tells the
 * time.
 *
 *     const struct ota_esphome_options options = {
 *         .intake = &intake, .password = "secret", .random = random_bytes, .context = me,
 *     };
 *     ota_esphome_begin(&esphome, &options, now);                     a host has connected
 *     while (esphome.state != OTA_ESPHOME_DONE) {
 *         … ota_esphome_input(&esphome, piece, received); or ota_esphome_closed(&esphome, why);
 *         len = ota_esphome_output(&esphome, piece, sizeof piece);
 *         … ota_esphome_sent(&esphome, sent);
 *         ota_esphome_tick(&esphome, now);
 *     }
 *     close(); if (esphome.is_accepted) restart_soon();
 *
 *     IDLE --begin--> GREETING --magic--> TALKING --MD5 taken--> RECEIVING --all--> CLOSING -> DONE
 *                        |                   |                      |                  ^        ^
 *                        +--- error, time-out: one error byte ------+------------------+        |
 *                        +--- the peer has gone ------------------------------------------------+
 *
 * CLOSING: the last bytes leave, and what still comes is taken and thrown away, because a
 * connection that is closed on unread bytes may lose the answer. It ends when the peer closes, or
 * soon by itself.
 *
 * What each side sends; numbers are hexadecimal:
 *
 *     host                              device
 *     6C 26 F7 5C 45                    00 VV          version, 1 or 2
 *     features                          40             the host cannot read more, or
 *       01 compression                  48 SS          if it offers 04; SS is 00 here
 *       02 SHA-256                      41             no password
 *       04 the extended protocol        01 nonce[32]   MD5, if the host cannot SHA-256
 *                                       02 nonce[64]   SHA-256
 *     cnonce, response, as long         41
 *     00             after 48: an app; any other kind: 8E
 *     size[4]        big endian         42             the update has begun
 *     MD5[32]        hexadecimal        43
 *     the image                         47             version 2: for each 8192 bytes, or the rest
 *                                       44             all received
 *                                       45             proven, and boots next
 *     00             not waited for
 *
 * In place of each byte of the device, once, and then nothing more: an error
 * (ota_esphome_error_byte). After a wrong password the next nonce comes after a pause, which grows
 * with them up to OTA_ESPHOME_PAUSE_MAX_MS and ends with a right one. Features that are not known
 * are ignored. Compression is not offered: the image comes as it is.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <updraft/crypto.h>
#include <updraft/error.h>
#include <updraft/intake.h>

/* Whose error bytes and port are used. The libretiny chips are the BK72xx and RTL87xx. */
enum ota_esphome_profile {
    OTA_ESPHOME_BY_CHIP = 0, /* ESP8266 or ESP32, as the device's images are */
    OTA_ESPHOME_ESP8266,
    OTA_ESPHOME_ESP32,
    OTA_ESPHOME_RP2040,
    OTA_ESPHOME_LIBRETINY,
};

#define OTA_ESPHOME_PORT_ESP8266 8266u
#define OTA_ESPHOME_PORT_ESP32 3232u
#define OTA_ESPHOME_PORT_RP2040 2040u
#define OTA_ESPHOME_PORT_LIBRETINY 8892u

#define OTA_ESPHOME_HANDSHAKE_TIMEOUT_MS 20000u /* from begin until the size is known */
#define OTA_ESPHOME_DATA_TIMEOUT_MS 90000u      /* from there for the MD5, then for each block */
#define OTA_ESPHOME_PAUSE_MAX_MS 5000u          /* after many wrong passwords; a host waits 10 s */
#define OTA_ESPHOME_LINGER_MS 2000u             /* CLOSING, without a byte from the peer */
#define OTA_ESPHOME_LINGER_MAX_MS 60000u        /* CLOSING at most */

struct ota_esphome;

enum ota_esphome_event {
    OTA_ESPHOME_GREETED,   /* a host that speaks this protocol is there */
    OTA_ESPHOME_WEAK_AUTH, /* a warning: the password is asked for by MD5, which can be guessed from
                              what is heard on the network */
    OTA_ESPHOME_LET_IN,    /* auth says how */
    OTA_ESPHOME_STARTED,   /* the update has begun */
    OTA_ESPHOME_ACCEPTED,  /* proven, and boots next or is held: restart, unless is_held */
    OTA_ESPHOME_FAILED,    /* failure and answer; also before GREETED */
};

/* Wrong passwords since the last right one, on all connections together; zero at first. */
struct ota_esphome_guesses {
    uint32_t wrong_ms; /* when the last one was */
    uint8_t wrongs;
};

struct ota_esphome_options {
    /* All pointers are the caller's until the object is no longer used. */
    struct ota_intake *intake;           /* its device's crypto is used for the password */
    enum ota_esphome_profile profile;    /* see above */
    uint8_t version;                     /* 1 or 2; 0: 2 */
    const char *password;                /* UTF-8; NULL or empty: none is asked for */
    struct ota_esphome_guesses *guesses; /* they slow down who guesses; NULL: nobody is */
    bool refuse_md5;                     /* only SHA-256 proves the password */

    /* Fills `data` with bytes that nobody can guess. Returns OTA_OK or OTA_ERR_CRYPTO. Needed with
       a password. */
    enum ota_err (*random)(void *context, void *data, size_t len);

    /* NULL: none. It may read the object, and not call it. */
    void (*on_event)(void *context, const struct ota_esphome *esphome,
                     enum ota_esphome_event event);
    void *context; /* for both */
};

enum ota_esphome_state {
    OTA_ESPHOME_IDLE = 0, /* also the state of a zeroed object */
    OTA_ESPHOME_GREETING, /* nobody has spoken this protocol yet */
    OTA_ESPHOME_TALKING,
    OTA_ESPHOME_RECEIVING,
    OTA_ESPHOME_CLOSING,
    OTA_ESPHOME_DONE, /* close the connection */
};

#define OTA_ESPHOME_LINE_SIZE 64u
#define OTA_ESPHOME_REPLY_SIZE 72u /* all that is said before the image */

struct ota_esphome {
    /* To be read by anyone. */
    enum ota_esphome_state state;
    struct ota_failure failure;   /* the first cause, and how much of the image had come */
    uint8_t answer;               /* the error byte that tells it; 0: none */
    enum ota_hash_algorithm auth; /* that was asked for; OTA_HASH_NONE: no password */
    bool is_accepted;             /* the host is told that all is well */
    bool is_held;                 /* accepted, and a gate keeps it from booting yet */
    uint32_t size, received;      /* of the image, bytes */

    /* Private. */
    const struct ota_esphome_options *options;
    uint32_t now_ms, active_ms, closing_ms;
    uint8_t step;
    uint8_t features; /* of the host */
    uint8_t awaited;  /* bytes of the present step, and how many of them are in `line` */
    uint8_t line_len;
    uint8_t reply_len, reply_sent;
    uint8_t tail_len, tail_sent;
    uint8_t tail[2];      /* what is said behind the last block */
    bool is_pausing;      /* the nonce is held back after wrong passwords */
    bool has_begun;       /* the intake's update is this one */
    uint32_t blocks_told; /* acknowledged to the host */
    uint8_t line[OTA_ESPHOME_LINE_SIZE];
    uint8_t reply[OTA_ESPHOME_REPLY_SIZE];
    uint8_t nonce[OTA_SHA256_SIZE]; /* as it is; on the wire it is hexadecimal */
};

/* Starts for a host that has connected at time `now_ms`. Returns OTA_OK or OTA_ERR_ARGUMENT. */
enum ota_err ota_esphome_begin(struct ota_esphome *esphome,
                               const struct ota_esphome_options *options, uint32_t now_ms);

/* Copies the next bytes to send into `buffer`, at most `capacity`, and returns how many; 0 when
   there are none now. They come again until ota_esphome_sent says how many of them went out. */
size_t ota_esphome_output(const struct ota_esphome *esphome, void *buffer, size_t capacity);
void ota_esphome_sent(struct ota_esphome *esphome, size_t len);

/* Takes bytes that came. Returns OTA_OK or the first cause: OTA_ERR_PROTOCOL, OTA_ERR_AUTH,
   OTA_ERR_CRYPTO, or what the intake returns. OTA_ERR_STATE before begin. */
enum ota_err ota_esphome_input(struct ota_esphome *esphome, const void *data, size_t len);

/* The connection is over: `why` is OTA_OK if the peer closed it, else what the stream said. An
   update under way is given up. Returns OTA_OK if the image had been accepted, else the first
   cause: OTA_ERR_CONNECTION_LOST. Also ends an object that is no longer wanted. */
enum ota_err ota_esphome_closed(struct ota_esphome *esphome, enum ota_err why);

/* It is now `now_ms`. Call before input and whenever the time of ota_esphome_wait_ms has passed.
   Returns OTA_OK or the first cause: OTA_ERR_TIMEOUT. */
enum ota_err ota_esphome_tick(struct ota_esphome *esphome, uint32_t now_ms);

/* Milliseconds from the last tick until the next one is due; UINT32_MAX when nothing is awaited. */
uint32_t ota_esphome_wait_ms(const struct ota_esphome *esphome);

/* The default port of a profile, and the profile that BY_CHIP means for a device. */
uint16_t ota_esphome_port(enum ota_esphome_profile profile);
enum ota_esphome_profile ota_esphome_profile_of(const struct ota_device *device);

/* The byte that tells a host of an error: 80 to FF, docs/formats/esphome.md section 6. */
uint8_t ota_esphome_error_byte(enum ota_esphome_profile profile, enum ota_err err);

#endif
