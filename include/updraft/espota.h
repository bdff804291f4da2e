/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_ESPOTA_H
#define UPDRAFT_ESPOTA_H

/*
 * The device side of the Arduino update protocol (docs/formats/espota.md): takes pushes from the
 * Arduino IDE, PlatformIO, espota.py and `updraft push`. A state machine without I/O over struct
 * ota_intake; the caller has one socket for datagrams, makes the connection that is asked for, and
 * carries the bytes.
 *
 *     const struct ota_espota_options options = {
 *         .intake = &intake, .password = "secret", .random = random_bytes,
 *     };
 *     ota_espota_begin(&espota, &options, now);
 *     for (;;) {
 *         … ota_espota_datagram(&espota, &from, data, len);              one came
 *         ota_espota_tick(&espota, now);
 *         if ((len = ota_espota_reply(&espota, &to, text, sizeof text)) > 0) send(&to, text, len);
 *         if (espota.state == OTA_ESPOTA_CONNECTING) {
 *             connect(&espota.dial); ota_espota_connected(&espota);
 *         }
 *         … ota_espota_input(&espota, piece, received); or ota_espota_closed(&espota, why);
 *         len = ota_espota_output(&espota, piece, sizeof piece); … ota_espota_sent(…, sent);
 *         if (!ota_espota_has_connection(&espota)) close_if_open();
 *         wait(ota_espota_wait_ms(&espota));
 *     }
 *
 *     IDLE --invitation, no password-----------------------> begin --cannot: ERR--> IDLE
 *      | ^                                                     ^ |
 *      | `- nobody answers, Authentication Failed -+       right | `- OK --> CONNECTING
 *      |                                           |             |               |
 *      `- invitation --> PAUSING --pause over--> OFFERED --200--> VERIFYING  connected
 *                                                                                v
 *     IDLE <-- closed, -- LINGERING <-- REPORTING <-- SETTLING <--size bytes-- RECEIVING
 *              time-out                                  ^                       | refused
 *                                                        `------ DISCARDING <----+
 *
 * Another invitation takes the place of one in PAUSING or OFFERED. But of two senders at one host
 * the first has its turn: what the second one says waits until the login is judged, or
 * OTA_ESPOTA_TURN_MS have passed since the nonce. Who comes from VERIFYING on is told that the
 * device is busy, or is about to restart; from DISCARDING on, where it is neither, an invitation is
 * not heard. Time-outs, a broken connection and ota_espota_stop lead back to IDLE from anywhere.
 *
 * What each side sends. Datagrams, the device's without an end of line, to whoever sent the one
 * that they answer:
 *
 *     host                                    device
 *     command port size md5hex LF             OK                 it connects now
 *       command 0: sketch,                    AUTH nonce[64]     any login is allowed, or SHA-256
 *       100: file system                      AUTH nonce[32]     only MD5, or all the host can read
 *                                             ERR: text          it will not, and why
 *     200 cnonce response LF                  OK
 *       64 + 64 digits: PBKDF2-SHA-256        Authentication Failed
 *       32 + 32 digits: MD5                   ERR: text
 *
 * Connection, from the device to the port that the invitation named:
 *
 *     host                                    device
 *     size bytes of the image                 decimal number of bytes taken, for each piece; small
 *                                             ones are added up
 *                                             (a gap)
 *                                             OK                        accepted
 *                                             ERROR[n]: text LF         refused: ESP8266, RP2040
 *                                             text CR LF                refused: ESP32
 *
 * A refusal in the middle is told at once, and again after the last byte: senders that look only
 * then get it too.
 *
 * The 64-digit nonce serves every login: the MD5 form may be made from all of it, or from its
 * first 32 digits, which is all that hosts of the ESP32 before 3.3.1 read (docs/formats/espota.md
 * section 5).
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <updraft/address.h>
#include <updraft/crypto.h>
#include <updraft/error.h>
#include <updraft/intake.h>

/* Whose words and gap are used, and where the port is. */
enum ota_espota_profile {
    OTA_ESPOTA_BY_CHIP = 0, /* the device's: ESP8266 or ESP32 */
    OTA_ESPOTA_ESP8266,
    OTA_ESPOTA_ESP32,
    OTA_ESPOTA_RP2040,
};

#define OTA_ESPOTA_PORT_ESP8266 8266u
#define OTA_ESPOTA_PORT_ESP32 3232u
#define OTA_ESPOTA_PORT_RP2040 2040u

/* Logins, as a choice of what is allowed and as what was used. */
enum ota_espota_login {
    OTA_ESPOTA_LOGIN_ANY = 0, /* allowed: all that the password permits; used: none */
    OTA_ESPOTA_LOGIN_SHA256,  /* PBKDF2 */
    OTA_ESPOTA_LOGIN_MD5,     /* weak: who sees one can try passwords at full speed */
};

/* The numbers that sketches know from onError. */
enum ota_espota_error {
    OTA_ESPOTA_ERROR_AUTH = 0,
    OTA_ESPOTA_ERROR_BEGIN,
    OTA_ESPOTA_ERROR_CONNECT,
    OTA_ESPOTA_ERROR_RECEIVE,
    OTA_ESPOTA_ERROR_END,
    OTA_ESPOTA_ERROR_ERASE_SETTINGS, /* never given: the number is taken */
};

enum ota_espota_event {
    OTA_ESPOTA_INVITED,   /* someone wants to send: dial, size, is_data */
    OTA_ESPOTA_LOGGED_IN, /* login says how; MD5 deserves a warning */
    OTA_ESPOTA_START,     /* onStart: the update has begun */
    OTA_ESPOTA_PROGRESS,  /* onProgress: received of size; the first with 0 */
    OTA_ESPOTA_END,       /* onEnd: accepted and said so; restart, unless the intake is HELD */
    OTA_ESPOTA_ERROR,     /* onError: error and failure. Once per push */
};

#define OTA_ESPOTA_LOGIN_TIMEOUT_MS 15000u   /* for the answer to a nonce */
#define OTA_ESPOTA_RECEIVE_TIMEOUT_MS 15000u /* without a byte */
#define OTA_ESPOTA_PACE 1460u                /* bytes, of which so many must come … */
#define OTA_ESPOTA_PACE_MS \
    30000u                         /* in this time, or the time-out if longer. Hosts, too, give up
                                     when a piece of that size is not taken for 10 s */
#define OTA_ESPOTA_LINGER_MS 1000u /* for the peer to close after the last word */
#define OTA_ESPOTA_GAP_MS 1000u    /* before the last word: ESP8266, RP2040 */
#define OTA_ESPOTA_GAP_ESP32_MS 300u
#define OTA_ESPOTA_NO_GAP UINT32_MAX
#define OTA_ESPOTA_PAUSE_MAX_MS 5000u /* after many wrong logins; a host waits 10 s */
#define OTA_ESPOTA_QUICK_MS 1000u /* an invitation again this soon: the nonce was not understood */
#define OTA_ESPOTA_TURN_MS 2000u  /* for the answer to a nonce, while another sender wants one */
#define OTA_ESPOTA_DUPLICATE_MS 500u  /* sooner it is no new invitation, but the network's doing */
#define OTA_ESPOTA_COUNT_MIN 512u     /* bytes that are acknowledged at once; fewer */
#define OTA_ESPOTA_COUNT_DELAY_MS 20u /* only when nothing has come for this long */
#define OTA_ESPOTA_SLICE 100u         /* PBKDF2 iterations in a tick */
#define OTA_ESPOTA_ITERATIONS 10000u
#define OTA_ESPOTA_REPLY_SIZE 192u
#define OTA_ESPOTA_PROOF_SIZE (560u + 4u * sizeof(void *))
#define OTA_ESPOTA_CHALLENGE_SIZE 130u

struct ota_espota;

struct ota_espota_options {
    /* All pointers are the caller's until the object is no longer used. */
    struct ota_intake *intake; /* its device's crypto is used for logins */
    enum ota_espota_profile profile;

    /* The password: as text, or as what Arduino's setPasswordHash takes, hexadecimal of its
       SHA-256 and of its MD5. All NULL or empty: none is asked for. Which logins are possible
       follows: MD5 needs the text or the MD5; SHA-256 takes either hash, the text's SHA-256
       first. */
    const char *password;
    const char *sha256_hash, *md5_hash;
    enum ota_espota_login login; /* the only one that is allowed; ANY: each that is possible */

    uint32_t gap_ms; /* before the last word. 0: the profile's; OTA_ESPOTA_NO_GAP: none, which the
                        tools of the ESP8266 cannot read */
    uint32_t receive_timeout_ms; /* 0: OTA_ESPOTA_RECEIVE_TIMEOUT_MS */

    /* Fills `data` with bytes that nobody can guess. Returns OTA_OK or OTA_ERR_CRYPTO. Needed with
       a password. */
    enum ota_err (*random)(void *context, void *data, size_t len);

    /* NULL: none. It may read the object, and not call it. */
    void (*on_event)(void *context, const struct ota_espota *espota, enum ota_espota_event event);
    void *context; /* for both */
};

enum ota_espota_state {
    OTA_ESPOTA_IDLE = 0,
    OTA_ESPOTA_PAUSING,    /* the invited one waits for the pause after wrong logins */
    OTA_ESPOTA_OFFERED,    /* a nonce is out */
    OTA_ESPOTA_VERIFYING,  /* PBKDF2 runs, a slice in each tick */
    OTA_ESPOTA_CONNECTING, /* wants a connection to dial */
    OTA_ESPOTA_RECEIVING,
    OTA_ESPOTA_DISCARDING, /* refused; the rest is taken and thrown away */
    OTA_ESPOTA_SETTLING,   /* all is acknowledged; the gap before the last word */
    OTA_ESPOTA_REPORTING,  /* the last word is to be sent */
    OTA_ESPOTA_LINGERING,  /* it is sent; the peer closes first, if it does */
};

/* What an invitation says. Private. */
struct ota_espota_invitation {
    uint32_t size;
    uint16_t port;
    bool is_data;
    bool has_md5; /* the 32 characters were hexadecimal */
    uint8_t md5[OTA_MD5_SIZE];
};

/* The datagram that is to be sent. Private. */
enum ota_espota_reply {
    OTA_ESPOTA_REPLY_NONE = 0,
    OTA_ESPOTA_REPLY_OK,
    OTA_ESPOTA_REPLY_NONCE,
    OTA_ESPOTA_REPLY_WRONG,
    OTA_ESPOTA_REPLY_REFUSED,
    OTA_ESPOTA_REPLY_BUSY, /* to the stranger */
};

/* What goes over the connection. Private. */
enum ota_espota_telling {
    OTA_ESPOTA_TELLING_NOTHING = 0,
    OTA_ESPOTA_TELLING_COUNT, /* an acknowledgement */
    OTA_ESPOTA_TELLING_LINE,  /* OK, or the error line */
};

struct ota_espota {
    /* To be read by anyone. */
    enum ota_espota_state state;
    enum ota_espota_login login; /* of the present or last push */
    enum ota_espota_error error; /* of the last that failed */
    struct ota_failure failure;  /* its first cause; OTA_OK while all is well */
    struct ota_address dial;     /* who invited, and the port to connect to */
    uint32_t received;           /* bytes */
    uint32_t size;               /* that are to come */
    bool is_data;                /* for the file system */

    /* Private. */
    struct ota_espota_options options;
    struct ota_espota_invitation invitation;
    struct ota_address from;           /* of the datagram that the reply answers */
    struct ota_address stranger;       /* who came meanwhile, and is told to come again */
    struct ota_espota_invitation next; /* of another sender at that host, whose turn is next */
    uint16_t next_port;
    bool has_next;
    enum ota_espota_reply reply;
    const char *reason; /* a gate's words for the failure; NULL: the error's own */
    uint32_t now_ms;
    uint32_t since_ms;       /* when the state began, or something last came or went */
    uint32_t wrong_ms;       /* when the last wrong login was */
    uint32_t pace_ms;        /* when the last OTA_ESPOTA_PACE bytes were there */
    uint32_t paced;          /* bytes since then */
    uint32_t unacknowledged; /* bytes taken and not yet told of */
    uint32_t count;          /* of bytes, that is being told */
    enum ota_espota_telling telling;
    uint16_t told;       /* characters of it that went out */
    uint8_t wrongs;      /* wrong logins since the last right one */
    bool is_short;       /* the nonce is of 32 digits */
    bool is_answered;    /* the last 200, with this response, has its answer … */
    bool is_right;       /* … which was OK */
    bool uses_md5_hash;  /* PBKDF2 runs with the MD5 of the password */
    bool has_early_line; /* the refusal is to be told at once */
    bool is_ended;       /* the peer sends no more */
    char
        challenge[OTA_ESPOTA_CHALLENGE_SIZE]; /* the digits of the nonce; then ":" and the cnonce */
    uint8_t response[OTA_SHA256_SIZE];        /* the host's; later the digest that was calculated */
    union {
        uint64_t align;
        void *align_pointer;
        unsigned char bytes[OTA_ESPOTA_PROOF_SIZE];
    } proof; /* PBKDF2 */
};

/* Return the profile of a device, and the usual port of a profile. */
enum ota_espota_profile ota_espota_profile_of(const struct ota_device *device);
uint16_t ota_espota_port(enum ota_espota_profile profile);

/* Tell whether these options ask for a password, and whether a login in the weak form would
   pass. */
bool ota_espota_wants_password(const struct ota_espota_options *options);
bool ota_espota_allows_md5(const struct ota_espota_options *options);

/* Prepares the object; it then listens to datagrams. Returns OTA_OK or OTA_ERR_ARGUMENT: no
   intake, a password without `random`, a hash of another length, a login that the password does
   not permit. */
enum ota_err ota_espota_begin(struct ota_espota *espota, const struct ota_espota_options *options,
                              uint32_t now_ms);

/* Takes a datagram. What is none of this protocol is ignored. */
void ota_espota_datagram(struct ota_espota *espota, const struct ota_address *from,
                         const void *data, size_t len);

/* Writes the datagram that is to be sent now, if there is one, and to whom. Returns its length;
   0: none. It counts as sent. `capacity` of OTA_ESPOTA_REPLY_SIZE holds each; longer reasons are
   cut. */
size_t ota_espota_reply(struct ota_espota *espota, struct ota_address *to, void *buffer,
                        size_t capacity);

/* In CONNECTING: a connection to espota->dial was begun (whether it comes about shows later). */
void ota_espota_connected(struct ota_espota *espota);

/* Tells whether there should be a connection. Else the caller closes it. */
bool ota_espota_has_connection(const struct ota_espota *espota);

/* Takes bytes that came over the connection. */
void ota_espota_input(struct ota_espota *espota, const void *data, size_t len);

/* Copies what is to be sent into `buffer`, at most `capacity` bytes, and returns how many; 0:
   nothing now. They come again until ota_espota_sent says how many went out. */
size_t ota_espota_output(struct ota_espota *espota, void *buffer, size_t capacity);
void ota_espota_sent(struct ota_espota *espota, size_t len);

/* The connection ended: `why` is OTA_OK if the peer sends no more (what is to be sent may still
   reach it: has_connection tells), else what the stream said. */
void ota_espota_closed(struct ota_espota *espota, enum ota_err why);

/* It is now `now_ms`. Call before input and whenever the time of ota_espota_wait_ms has passed. */
void ota_espota_tick(struct ota_espota *espota, uint32_t now_ms);

/* Milliseconds from the last tick until it should be called again, and output and reply after it;
   0: at once; UINT32_MAX: when something comes. */
uint32_t ota_espota_wait_ms(const struct ota_espota *espota);

/* Gives up what is under way, without an event. */
void ota_espota_stop(struct ota_espota *espota);

/* Why the last push failed, as a sentence without a full stop: a gate's words, or the error's. */
const char *ota_espota_reason(const struct ota_espota *espota);

#endif
