/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_TLS_PRIVATE_H
#define UPDRAFT_TLS_PRIVATE_H

/*
 * Between the files of the TLS wrapper: tls.c prepares and wraps, stream.c is the stream,
 * certificate.c says whether a certificate will do, host.c compares names, session.c keeps
 * sessions.
 */

#include <stddef.h>

#include <mbedtls/ssl.h>
#include <mbedtls/x509_crt.h>

#include <updraft/text.h>
#include <updraft/tls.h>

#define OTA__TLS_HOST_MAX 127u
/* What is handed to Mbed TLS to send at once: requests are small. */
#define OTA__TLS_OUT_SIZE 512u

/* Certificates that are trusted. */
struct ota__tls_trust {
    mbedtls_x509_crt chain;
    uint8_t digest[32]; /* SHA-256 of the text: tells one trust from another */
};

enum ota__tls_phase {
    OTA__TLS_HANDSHAKE = 0,
    OTA__TLS_OPEN,
    OTA__TLS_ENDED,
    OTA__TLS_FAILED,
};

struct ota__tls_stream {
    struct ota_stream stream; /* first: a cast gets this back */
    struct ota_tls *tls;
    struct ota_platform *platform;
    struct ota_stream *inner;
    struct ota__tls_trust *own_trust; /* of this stream alone; NULL: the wrapper's */
    mbedtls_ssl_context ssl;
    mbedtls_ssl_config config;
    enum ota__tls_phase phase;
    enum ota_err err;       /* why it FAILED */
    enum ota_err inner_err; /* what the inner stream, or the platform's random, failed with */
    uint32_t flags;         /* MBEDTLS_X509_BADCERT_*, of all certificates of the chain */
    uint32_t budget;        /* bytes that this call may still take from the inner stream */
    bool was_verified;      /* a certificate came: the session was not resumed */
    bool has_offered;       /* a session */
    bool dates_checked;     /* of the certificates on which this session rests */
    char host[OTA__TLS_HOST_MAX + 1];
    size_t pending, pending_at; /* bytes of `out`, and those of them that Mbed TLS has taken */
    uint8_t out[OTA__TLS_OUT_SIZE];
};

/* ---- tls.c ----------------------------------------------------------------------------------- */

/* Reads certificates out of PEM. Returns OTA_OK, OTA_ERR_ARGUMENT or OTA_ERR_NO_MEMORY. */
enum ota_err ota__tls_trust_read(struct ota__tls_trust **trust, const char *pem);
void ota__tls_trust_free(struct ota__tls_trust *trust);

/* The certificates that this stream goes by; NULL if there are none. */
struct ota__tls_trust *ota__tls_trust_of(const struct ota__tls_stream *stream);

/* Writes a log line: the host, ": ", `text`, and `detail` if it is not NULL. */
void ota__tls_log(const struct ota__tls_stream *stream, enum ota_log_level level, const char *text,
                  const char *detail);

/* Tells whether a code of Mbed TLS stands for memory that was not to be had. */
bool ota__tls_is_memory(int code);

/* ---- stream.c -------------------------------------------------------------------------------- */

/* Makes the functions of a stream whose Mbed TLS objects are ready. */
void ota__tls_stream_init(struct ota__tls_stream *stream);

/* Releases a stream, all but its inner one. */
void ota__tls_stream_free(struct ota__tls_stream *stream);

/* ---- certificate.c --------------------------------------------------------------------------- */

/* Mbed TLS's callback for each certificate of a chain, the server's own at depth 0. */
int ota__tls_verify(void *context, mbedtls_x509_crt *certificate, int depth, uint32_t *flags);

/* What the flags of a chain come to, the gravest first; says in the log what is wrong. */
enum ota_err ota__tls_verdict(const struct ota__tls_stream *stream, uint32_t flags);

/* ---- host.c ---------------------------------------------------------------------------------- */

/* Reads an address, IPv4 or IPv6 (a zone behind '%' is passed over). Returns its bytes, 4 or 16; 0
   if `host` is a name. */
size_t ota__tls_host_address(const char *host, uint8_t address[16]);

/* Tells whether a name of a certificate, `len` characters, is `host`'s: "*." at its start stands
   for one label, in front of two at least. */
bool ota__tls_host_matches(const char *host, const char *name, size_t len);

/* Tells whether a certificate is for `host`, by the rules in tls.h. */
bool ota__tls_host_is_in(const char *host, const mbedtls_x509_crt *certificate);

/* ---- session.c ------------------------------------------------------------------------------- */

/* Offers the host's last session, if there is one that may be resumed, in a handshake to come. */
void ota__tls_session_offer(struct ota__tls_stream *stream);

/* Keeps the session of a handshake that came to its end; or forgets that of one that did not. */
void ota__tls_session_keep(struct ota__tls_stream *stream);
void ota__tls_session_drop(struct ota__tls_stream *stream);

#endif
