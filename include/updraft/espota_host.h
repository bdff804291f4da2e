/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_ESPOTA_HOST_H
#define UPDRAFT_ESPOTA_HOST_H

/*
 * The sending side of the Arduino update protocol (docs/formats/espota.md): invites a device,
 * proves the password to it, waits until it connects back, and gives it the image. A state machine
 * without I/O: the caller has one socket for datagrams, listens at the port that the invitation
 * names, carries the bytes and tells the time.
 *
 *     struct ota_espota_host_options options = {
 *         .crypto = &ota_crypto_psa, .size = size, .host_port = listener->port,
 *         .password = password, .read = read_image, .random = random_bytes, .context = me,
 *     };
 *     memcpy(options.md5, md5_of_image, sizeof options.md5);
 *     ota_espota_host_begin(&host, &options, now);
 *     while (host.state < OTA_ESPOTA_HOST_DONE) {
 *         len = ota_espota_host_datagram(&host, piece, sizeof piece);
 *         if (len > 0) send_to_device(piece, len);
 *         … ota_espota_host_answer(&host, piece, received);   a datagram from the device came
 *         … ota_espota_host_connected(&host);                 the device has connected
 *         while ((len = ota_espota_host_output(&host, piece, sizeof piece)) > 0)
 *             ota_espota_host_sent(&host, send(piece, len));
 *         … ota_espota_host_input(&host, piece, received); or ota_espota_host_closed(&host, why);
 *         ota_espota_host_tick(&host, now);
 *     }
 *     if (host.state == OTA_ESPOTA_HOST_FAILED) print(ota_espota_host_message(&host, text, size));
 *
 *     IDLE --begin--> INVITING -AUTH-> COMPUTING -> PROVING -OK-> WAITING -connected-> SENDING
 *                      ^ | `-----------OK--------------|-------------^                    |
 *                      | |  wrong, or no answer: again |                               all sent
 *                      +-|-----------------------------+                                  v
 *                        +--> FAILED <-- ERR, time-out, error line, closed --------- FINISHING
 *                                                                                         | OK
 *                                                                                         v
 *                                                                                        DONE
 *
 * The caller gives it only datagrams and the connection of the device that it invited: others' it
 * drops. A connection while INVITING or PROVING counts as an OK that was lost. In DONE and FAILED
 * it closes all. When a write fails, what came before must still be read and given to input before
 * `closed` is told of it: the device's error line may lie there.
 *
 * What each side sends. Datagrams, the device's without an end of line:
 *
 *     host                                       device
 *     command port size md5hex LF                OK                        it connects now
 *                                                AUTH nonce[32]            MD5 form
 *                                                AUTH nonce[64]            PBKDF2 form
 *                                                ERR: text                 it will not
 *     200 cnonce response LF, each as long       OK
 *       as the nonce                             Authentication Failed
 *                                                ERR: text
 *
 * Connection, which the device opens to the port of the invitation:
 *
 *     host                                       device
 *     size bytes of the image                    decimal numbers, run together: some progress
 *                                                OK                        accepted
 *                                                any other text            refused; it says why
 *                                                end without OK            refused
 *
 * The numbers are not looked at: they come cut and glued together ("14601460", "81OK").
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <updraft/crypto.h>
#include <updraft/error.h>

/* Default OTA ports of the chips, and the commands. */
#define OTA_ESPOTA_HOST_PORT_ESP8266 8266u
#define OTA_ESPOTA_HOST_PORT_ESP32 3232u
#define OTA_ESPOTA_HOST_PORT_PICO 2040u

#define OTA_ESPOTA_HOST_TRIES 7u
#define OTA_ESPOTA_HOST_TRY_MS 1500u            /* between two invitations */
#define OTA_ESPOTA_HOST_LOGIN_TIMEOUT_MS 10000u /* for the answer to a proof */
#define OTA_ESPOTA_HOST_LOGIN_TRY_MS 2500u      /* between two sendings of it */
#define OTA_ESPOTA_HOST_LOGINS 4u               /* proofs in all */
#define OTA_ESPOTA_HOST_CONNECT_TIMEOUT_MS 10000u
#define OTA_ESPOTA_HOST_STALL_TIMEOUT_MS 30000u  /* nothing can be sent and nothing comes */
#define OTA_ESPOTA_HOST_FINISH_TIMEOUT_MS 60000u /* silence after the last byte */
#define OTA_ESPOTA_HOST_FINISH_MAX_MS 600000u    /* in all after the last byte */
#define OTA_ESPOTA_HOST_LINE_TIMEOUT_MS 1000u    /* for the rest of an error line */

struct ota_espota_host;

enum ota_espota_host_event {
    OTA_ESPOTA_HOST_INVITED,    /* an invitation goes out, the host->tries-th */
    OTA_ESPOTA_HOST_CHALLENGED, /* the device wants a password: host->login */
    OTA_ESPOTA_HOST_WEAK_AUTH,  /* a warning: it asks for the MD5 form, which is soon guessed */
    OTA_ESPOTA_HOST_MD5_HASH,   /* a warning: the password's SHA-256 did not fit, now its MD5 is
                                   tried, for devices that keep that */
    OTA_ESPOTA_HOST_LET_IN,     /* the device said OK, and is to connect */
    OTA_ESPOTA_HOST_CONNECTED,  /* it has */
    OTA_ESPOTA_HOST_PROGRESS,   /* host->sent has grown */
    OTA_ESPOTA_HOST_ALL_SENT,   /* the device checks it now */
    OTA_ESPOTA_HOST_SUCCEEDED,  /* the device has accepted it */
    OTA_ESPOTA_HOST_EVENT_COUNT /* how many there are; not an event */
};

/* What proves the password (docs/formats/espota.md section 5). */
enum ota_espota_host_login {
    OTA_ESPOTA_HOST_LOGIN_NONE = 0,   /* the device did not ask */
    OTA_ESPOTA_HOST_LOGIN_MD5,        /* 32-digit nonce: weak */
    OTA_ESPOTA_HOST_LOGIN_PBKDF2,     /* 64-digit nonce, from the password's SHA-256 */
    OTA_ESPOTA_HOST_LOGIN_PBKDF2_MD5, /* 64-digit nonce, from the password's MD5 */
};

struct ota_espota_host_options {
    /* All pointers are the caller's until the push is over. */
    const struct ota_crypto *crypto;
    uint32_t size;             /* of the image, 1 to 2147483647 bytes */
    uint8_t md5[OTA_MD5_SIZE]; /* of the image */
    uint16_t host_port;        /* where the caller listens */
    bool is_data;              /* for the file system: command 100 */
    const char *password;      /* UTF-8; NULL: none */
    bool refuse_md5;           /* do not prove the password in the MD5 form */

    /* Reads exactly `len` bytes of the image from `offset`; may be called again for the same ones.
       Returns OTA_OK, OTA_ERR_SOURCE or a more exact error. */
    enum ota_err (*read)(void *context, uint32_t offset, void *data, size_t len);

    /* Fills `data` with bytes that nobody can guess. Returns OTA_OK or OTA_ERR_CRYPTO. Asked only
       when the device wants a password. */
    enum ota_err (*random)(void *context, void *data, size_t len);

    void (*on_event)(void *context, const struct ota_espota_host *host,
                     enum ota_espota_host_event event); /* NULL: none */
    void *context;                                      /* for the three */

    /* 0: the values above. */
    uint32_t tries, try_ms;
    uint32_t login_timeout_ms, connect_timeout_ms, stall_timeout_ms, finish_timeout_ms;
};

enum ota_espota_host_state {
    OTA_ESPOTA_HOST_IDLE = 0,
    OTA_ESPOTA_HOST_INVITING,
    OTA_ESPOTA_HOST_COMPUTING, /* the proof, a piece in each tick */
    OTA_ESPOTA_HOST_PROVING,   /* the proof is out */
    OTA_ESPOTA_HOST_WAITING,   /* for the connection */
    OTA_ESPOTA_HOST_SENDING,
    OTA_ESPOTA_HOST_FINISHING, /* all is sent */
    OTA_ESPOTA_HOST_DONE,      /* the device has accepted it */
    OTA_ESPOTA_HOST_FAILED,
};

#define OTA_ESPOTA_HOST_REPLY_SIZE 160u /* of the device's own words; the longest known has 124 */
#define OTA_ESPOTA_HOST_PROOF_SIZE 688u

struct ota_espota_host {
    /* To be read by anyone. */
    enum ota_espota_host_state state;
    enum ota_espota_host_state failed_in; /* the state that the failure struck */
    struct ota_failure failure; /* the first cause, and how much of the image had been sent */
    enum ota_espota_host_login login;
    char reply[OTA_ESPOTA_HOST_REPLY_SIZE]; /* the device's words, if it said any; terminated */
    uint32_t tries;                         /* invitations since it last answered one */
    uint32_t sent;                          /* bytes of the image that went out */
    bool has_answered;                      /* it said anything at all */

    /* Private. */
    const struct ota_espota_host_options *options;
    uint32_t now_ms;
    uint32_t since_ms;  /* when the state began, or the device last stirred */
    uint32_t repeat_ms; /* when the datagram last went out */
    uint32_t all_sent_ms;
    uint16_t reply_len;
    uint8_t logins;
    bool is_due; /* a datagram waits to be sent */
    bool try_md5_hash;
    char challenge[130]; /* nonce ":" cnonce */
    uint8_t digits;      /* of each of the two */
    char response[65];
    union {
        uint64_t align;
        void *align_pointer;
        unsigned char bytes[OTA_ESPOTA_HOST_PROOF_SIZE];
    } proof;
};

/* Starts a push at time `now_ms`; the caller listens already. Returns OTA_OK or
   OTA_ERR_ARGUMENT. */
enum ota_err ota_espota_host_begin(struct ota_espota_host *host,
                                   const struct ota_espota_host_options *options, uint32_t now_ms);

/* Writes the datagram that is to go to the device now into `buffer` and returns its length; 0 when
   there is none now. 160 bytes hold each. It counts as sent: a lost one is made good by a later
   one. */
size_t ota_espota_host_datagram(struct ota_espota_host *host, void *buffer, size_t capacity);

/* Takes a datagram that the device sent. Returns OTA_OK or the first cause: OTA_ERR_PEER
   (host->reply), OTA_ERR_AUTH for a password that is wrong or missing, or a form that is refused,
   OTA_ERR_PROTOCOL for an answer that is none, OTA_ERR_CRYPTO. OTA_ERR_STATE before begin. */
enum ota_err ota_espota_host_answer(struct ota_espota_host *host, const void *data, size_t len);

/* Tells that the device has connected. Returns false if that is not wanted (now, or any more): the
   caller then closes this connection. */
bool ota_espota_host_connected(struct ota_espota_host *host);

/* Copies the next bytes of the image to send into `buffer`, at most `capacity`, and returns how
   many; 0 when there are none now. They come again until ota_espota_host_sent says how many of them
   went out. If the image cannot be read the push fails. */
size_t ota_espota_host_output(struct ota_espota_host *host, void *buffer, size_t capacity);
void ota_espota_host_sent(struct ota_espota_host *host, size_t len);

/* Takes bytes that came over the connection. Returns OTA_OK or the first cause: OTA_ERR_PEER with
   the device's words in host->reply, OTA_ERR_PROTOCOL for an OK before all was sent. OTA_ERR_STATE
   before begin. */
enum ota_err ota_espota_host_input(struct ota_espota_host *host, const void *data, size_t len);

/* The connection is over: `why` is OTA_OK if the device closed it, else what the stream said.
   Returns OTA_OK if the device had accepted the image, else the first cause: OTA_ERR_PEER,
   OTA_ERR_CONNECTION_LOST. */
enum ota_err ota_espota_host_closed(struct ota_espota_host *host, enum ota_err why);

/* It is now `now_ms`. Call before input and whenever the time of ota_espota_host_wait_ms has
   passed. Returns OTA_OK or the first cause: OTA_ERR_TIMEOUT, OTA_ERR_CONNECT_BACK if the device
   said OK and never connected, OTA_ERR_AUTH, OTA_ERR_PEER, OTA_ERR_CRYPTO. */
enum ota_err ota_espota_host_tick(struct ota_espota_host *host, uint32_t now_ms);

/* Milliseconds from the last tick until it should be called again; 0: at once (a datagram is due,
   or something to compute); UINT32_MAX when nothing is awaited. */
uint32_t ota_espota_host_wait_ms(const struct ota_espota_host *host);

/* Writes why the push failed into `text`, terminated, as one or two sentences without a full stop
   at the end: what was found, and what to do. 512 bytes hold each. Returns `text`. */
const char *ota_espota_host_message(const struct ota_espota_host *host, char *text, size_t size);

/* Tells whether the push failed because the device is about to restart, and said so as Updraft's
   devices do (OTA_ERR_RESTARTING): it is worth a new try in a second. */
bool ota_espota_host_is_restarting(const struct ota_espota_host *host);

/* Forgets what was made of the password. Called by itself in DONE and FAILED; for a push that is
   given up before. */
void ota_espota_host_end(struct ota_espota_host *host);

#endif
