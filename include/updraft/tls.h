/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_TLS_H
#define UPDRAFT_TLS_H

/*
 * TLS 1.2 as a stream round a stream, on Mbed TLS (docs/formats/https-update.md section 1): what a
 * client hands to whatever connects, so that it speaks https. A library of its own, updraft_tls: a
 * program that does not name it links no Mbed TLS.
 *
 *     static struct ota_tls tls;
 *     const struct ota_tls_options options = {.ca_pem = my_ca_pem};
 *     err = ota_tls_begin(&tls, &options);
 *     agent_options.secure = &tls.secure;          or pull, http_fetch.h, https_update.h
 *     ...
 *     ota_tls_end(&tls);                           after the last stream was closed
 *
 * On POSIX the system's store (ports/posix/tls_store.h) is one more such text:
 *
 *     char *store = tls_store_load(NULL);          NULL: this system has none
 *     const struct ota_tls_options options = {.ca_pem = store};
 *
 * Whom it trusts:
 *
 *     ca_pem               a server whose certificate one of these has signed, or is one of them
 *                          (so a self-signed one is pinned by itself); for this host; valid now
 *     fingerprint          a server that has this very certificate, whatever its name, date and
 *                          issuer
 *     both                 both
 *     neither              nobody; each wrap must then bring certificates of its own
 *
 * The host is looked for among the DNS names and addresses of the certificate, and only where it
 * has none of either in its common name, as self-signed certificates made by hand often are. Dates
 * are checked while platform->unix_time knows the time. While it does not they cannot be: the log
 * says so once, and sessions made before are not resumed afterwards.
 *
 *     HANDSHAKE --done--> OPEN --close_notify--> ENDED
 *         |                |
 *         +----------------+--> FAILED: every further call returns the first cause
 *
 * What each side sends: RFC 5246. The client offers TLS 1.2 alone, its suites with forward secrecy
 * and authenticated encryption (ECDHE with AES-GCM, AES-CCM or ChaCha20-Poly1305; with
 * legacy_suites those without too), the host's name unless it is an address, extended master
 * secret, a ticket or the id of the last session with this host, and with max_fragment that
 * extension. It never renegotiates.
 *
 * Errors of the outer stream, beside the inner one's own:
 *
 *     OTA_ERR_TLS            no common suite or version, an alert, broken records, not TLS at all
 *     OTA_ERR_TLS_UNTRUSTED  neither signed by a trusted certificate nor the pinned one; signed too
 *                            weakly
 *     OTA_ERR_TLS_NAME       for another host
 *     OTA_ERR_TLS_EXPIRED    not valid at this time: too late or too early
 *     OTA_ERR_NO_MEMORY
 *     OTA_ERR_CRYPTO         the platform gave no random bytes
 *     OTA_ERR_CONNECTION_LOST  also for an end without close_notify, which anybody could have made
 *
 * The wrapper has no clock of its own: who reads from it limits head and body (http_client.h), and
 * a server that stops or trickles in the handshake ends in that limit. One call takes at most 64
 * KiB from the inner stream.
 *
 * Memory: Mbed TLS's allocator, calloc as it comes. A connection peaks at 47,684 bytes in its
 * handshake with an RSA server, and has 41,178 once open; 33,400 of these are Mbed TLS's two record
 * buffers, as Debian builds 2.28 (docs/formats/https-update.md section 1.5). Their sizes are
 * MBEDTLS_SSL_IN_CONTENT_LEN and _OUT_CONTENT_LEN of its configuration: 4096 and 1024 with
 * max_fragment 4096, if the server agrees; else it fails as soon as a record is too long.
 *
 * Mbed TLS 2.28 does not join a handshake message out of several records: max_fragment must be
 * larger than what the server sends of certificates.
 */

#include <stdbool.h>
#include <stdint.h>

#include <updraft/error.h>
#include <updraft/platform.h>
#include <updraft/secure.h>

#define OTA_TLS_SESSIONS 2u /* hosts whose last session is kept */
#define OTA_TLS_SESSION_S 3600u

struct ota_tls_options {
    /* The caller's until ota_tls_end. */
    const char
        *ca_pem; /* one or more certificates in PEM, text between them is passed over; NULL: none */

    /* Digest of the server's certificate (DER) in hexadecimal, either case, with or without ':' or
       ' ' between the bytes: 32 bytes are SHA-256; 20 are SHA-1, as ESP8266 sketches have it, which
       the log calls weak. NULL: none. */
    const char *fingerprint;

    bool any_name;      /* do not compare the host's name: for a CA of one's own */
    bool legacy_suites; /* also suites without forward secrecy, and CBC ones */
    bool no_resumption; /* keep no sessions */
    uint16_t
        max_fragment; /* ask for records of at most 512, 1024, 2048 or 4096 bytes; 0: do not ask */
};

struct ota__tls_trust;
struct ota__tls_session;

struct ota_tls {
    struct ota_secure secure; /* for clients */

    /* To be read by anyone. */
    uint32_t handshakes;  /* that came to an end, resumed ones included */
    uint32_t resumptions; /* of them */
    uint32_t open_streams;

    /* Private. */
    struct ota_tls_options options;
    struct ota__tls_trust *trust;
    struct ota__tls_session *sessions[OTA_TLS_SESSIONS];
    uint8_t fingerprint[32];
    uint8_t fingerprint_len; /* 0, 20, 32 */
    bool said_unknown_time, said_known_time, said_weak;
};

/* Prepares: reads the certificates and the fingerprint. Returns OTA_OK, OTA_ERR_ARGUMENT if either
   cannot be read or a number is out of its range, OTA_ERR_NO_MEMORY. */
enum ota_err ota_tls_begin(struct ota_tls *tls, const struct ota_tls_options *options);

/* Forgets the sessions, for instance because the network is another one. */
void ota_tls_forget_sessions(struct ota_tls *tls);

/* Releases everything. No stream may be open. */
void ota_tls_end(struct ota_tls *tls);

#endif
