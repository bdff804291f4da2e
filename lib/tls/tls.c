/* SPDX-License-Identifier: Apache-2.0 */
/* The wrapper: whom it trusts, what it offers, and how it wraps a stream. */

#include <string.h>

#include <mbedtls/md.h>
#include <mbedtls/platform.h>
#include <mbedtls/ssl_ciphersuites.h>

#include "tls/tls_private.h"

/* Forward secrecy and authenticated encryption; what is quick without AES hardware comes after what
   is quick with it. */
static const int modern_suites[] = {
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    MBEDTLS_TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
    MBEDTLS_TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
    MBEDTLS_TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_CCM,
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_256_CCM,
    0,
};

static const int legacy_suites[] = {
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    MBEDTLS_TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
    MBEDTLS_TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
    MBEDTLS_TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_CCM,
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_256_CCM,
    MBEDTLS_TLS_DHE_RSA_WITH_AES_128_GCM_SHA256,
    MBEDTLS_TLS_DHE_RSA_WITH_AES_256_GCM_SHA384,
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256,
    MBEDTLS_TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256,
    MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA,
    MBEDTLS_TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA,
    MBEDTLS_TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA,
    MBEDTLS_TLS_RSA_WITH_AES_128_GCM_SHA256,
    MBEDTLS_TLS_RSA_WITH_AES_256_GCM_SHA384,
    MBEDTLS_TLS_RSA_WITH_AES_128_CBC_SHA256,
    MBEDTLS_TLS_RSA_WITH_AES_256_CBC_SHA256,
    MBEDTLS_TLS_RSA_WITH_AES_128_CBC_SHA,
    MBEDTLS_TLS_RSA_WITH_AES_256_CBC_SHA,
    0,
};

/* ---- Helpers of all files -------------------------------------------------------------------- */

bool ota__tls_is_memory(int code)
{
    /* A code of one layer and one of the layer below it are added: multiples of 0x80, and below
       that. */
    static const unsigned high[] = {0x1180, 0x2880, 0x3F80, 0x4D80, 0x5180, 0x6180, 0x7F00};
    unsigned value = (unsigned)-code;

    if (code >= 0) {
        return false;
    }
    for (size_t i = 0; i < sizeof high / sizeof *high; i++) {
        if ((value & 0x7F80u) == high[i]) {
            return true;
        }
    }
    return (value & 0x7Fu) == 0x10 || (value & 0x7Fu) == 0x6A; /* big numbers, ASN.1 */
}

void ota__tls_log(const struct ota__tls_stream *stream, enum ota_log_level level, const char *text,
                  const char *detail)
{
    struct ota_platform *platform = stream->platform;
    char line[240];
    struct ota_text out;

    if (platform->log == NULL) {
        return;
    }
    ota_text_begin(&out, line, sizeof line);
    ota_text_put(&out, stream->host);
    ota_text_put(&out, ": ");
    ota_text_put(&out, text);
    ota_text_put(&out, detail != NULL ? detail : "");
    platform->log(platform, level, "tls", ota_text_end(&out));
}

/* ---- Trust ----------------------------------------------------------------------------------- */

enum ota_err ota__tls_trust_read(struct ota__tls_trust **trust, const char *pem)
{
    const mbedtls_md_info_t *sha256 = mbedtls_md_info_from_type(MBEDTLS_MD_SHA256);
    const uint8_t *bytes = (const uint8_t *)pem;
    size_t len = strlen(pem);
    struct ota__tls_trust *made = mbedtls_calloc(1, sizeof *made);

    *trust = NULL;
    if (made == NULL) {
        return OTA_ERR_NO_MEMORY;
    }
    mbedtls_x509_crt_init(&made->chain);
    int code = mbedtls_x509_crt_parse(&made->chain, bytes, len + 1); /* the end of the text, too */
    if (code >= 0 && mbedtls_md(sha256, bytes, len, made->digest) == 0) {
        *trust =
            made; /* a positive code counts those of a store that are of a kind not known here */
        return OTA_OK;
    }
    ota__tls_trust_free(made);
    return ota__tls_is_memory(code) ? OTA_ERR_NO_MEMORY : OTA_ERR_ARGUMENT;
}

void ota__tls_trust_free(struct ota__tls_trust *trust)
{
    if (trust != NULL) {
        mbedtls_x509_crt_free(&trust->chain);
        mbedtls_free(trust);
    }
}

struct ota__tls_trust *ota__tls_trust_of(const struct ota__tls_stream *stream)
{
    return stream->own_trust != NULL ? stream->own_trust : stream->tls->trust;
}

/* Reads pairs of hexadecimal digits with ':' or ' ' between them, or nothing. */
static enum ota_err read_fingerprint(struct ota_tls *tls, const char *text)
{
    size_t len = 0;

    while (*text != '\0') {
        const char digits[3] = {text[0], text[1], '\0'};
        if (len == sizeof tls->fingerprint ||
            !ota_text_read_hex(digits, &tls->fingerprint[len], 1)) {
            return OTA_ERR_ARGUMENT;
        }
        len++;
        text += 2;
        if (*text == ':' || *text == ' ') {
            text++;
        }
    }
    tls->fingerprint_len = (uint8_t)len;
    return len == 20 || len == 32 ? OTA_OK : OTA_ERR_ARGUMENT;
}

/* ---- Wrapping -------------------------------------------------------------------------------- */

static int give_random(void *context, unsigned char *data, size_t len)
{
    struct ota__tls_stream *stream = context;
    enum ota_err err = stream->platform->random(stream->platform, data, len);

    if (err != OTA_OK) {
        stream->inner_err = OTA_ERR_CRYPTO;
        return MBEDTLS_ERR_SSL_INTERNAL_ERROR;
    }
    return 0;
}

/* The extension's code for a length, -1 for one that it does not have. */
static int fragment_code(uint16_t len)
{
    switch (len) {
    case 0:
        return MBEDTLS_SSL_MAX_FRAG_LEN_NONE;
    case 512:
        return MBEDTLS_SSL_MAX_FRAG_LEN_512;
    case 1024:
        return MBEDTLS_SSL_MAX_FRAG_LEN_1024;
    case 2048:
        return MBEDTLS_SSL_MAX_FRAG_LEN_2048;
    case 4096:
        return MBEDTLS_SSL_MAX_FRAG_LEN_4096;
    default:
        return -1;
    }
}

/* An empty list for Mbed TLS to find nobody in, where only a fingerprint is trusted. */
static mbedtls_x509_crt *chain_of(struct ota__tls_stream *stream)
{
    static mbedtls_x509_crt nobody;
    struct ota__tls_trust *trust = ota__tls_trust_of(stream);

    return trust != NULL ? &trust->chain : &nobody;
}

static int configure(struct ota__tls_stream *stream)
{
    const struct ota_tls_options *options = &stream->tls->options;
    mbedtls_ssl_config *config = &stream->config;
    int code = mbedtls_ssl_config_defaults(
        config, MBEDTLS_SSL_IS_CLIENT, MBEDTLS_SSL_TRANSPORT_STREAM, MBEDTLS_SSL_PRESET_DEFAULT);

    if (code != 0) {
        return code;
    }
    mbedtls_ssl_conf_rng(config, give_random, stream);
    mbedtls_ssl_conf_authmode(config, MBEDTLS_SSL_VERIFY_REQUIRED);
    mbedtls_ssl_conf_ca_chain(config, chain_of(stream), NULL);
    mbedtls_ssl_conf_verify(config, ota__tls_verify, stream);
    mbedtls_ssl_conf_ciphersuites(config, options->legacy_suites ? legacy_suites : modern_suites);
    mbedtls_ssl_conf_min_version(config, MBEDTLS_SSL_MAJOR_VERSION_3, MBEDTLS_SSL_MINOR_VERSION_3);
    mbedtls_ssl_conf_max_version(config, MBEDTLS_SSL_MAJOR_VERSION_3, MBEDTLS_SSL_MINOR_VERSION_3);
    mbedtls_ssl_conf_session_tickets(config, options->no_resumption
                                                 ? MBEDTLS_SSL_SESSION_TICKETS_DISABLED
                                                 : MBEDTLS_SSL_SESSION_TICKETS_ENABLED);
    return mbedtls_ssl_conf_max_frag_len(config,
                                         (unsigned char)fragment_code(options->max_fragment));
}

/* Makes Mbed TLS's objects ready for a handshake. An address is no server name (RFC 6066 section
   3). */
static int prepare(struct ota__tls_stream *stream)
{
    uint8_t address[16];
    bool is_name = ota__tls_host_address(stream->host, address) == 0;
    int code = configure(stream);

    if (code == 0) {
        code = mbedtls_ssl_setup(&stream->ssl, &stream->config);
    }
    if (code == 0) {
        code = mbedtls_ssl_set_hostname(&stream->ssl, is_name ? stream->host : NULL);
    }
    return code;
}

static enum ota_err wrap(struct ota_secure *self, struct ota_platform *platform, const char *host,
                         const char *ca_pem, struct ota_stream *inner, struct ota_stream **outer)
{
    struct ota_tls *tls = (struct ota_tls *)self;
    size_t len = strlen(host);
    enum ota_err err = OTA_OK;

    *outer = NULL;
    if (len > OTA__TLS_HOST_MAX) {
        return OTA_ERR_ARGUMENT;
    }
    struct ota__tls_stream *stream = mbedtls_calloc(1, sizeof *stream);
    if (stream == NULL) {
        return OTA_ERR_NO_MEMORY;
    }
    stream->tls = tls;
    stream->platform = platform;
    stream->inner = inner;
    memcpy(stream->host, host, len + 1);
    mbedtls_ssl_init(&stream->ssl);
    mbedtls_ssl_config_init(&stream->config);
    if (ca_pem != NULL) {
        err = ota__tls_trust_read(&stream->own_trust, ca_pem);
    }
    if (err == OTA_OK && prepare(stream) != 0) {
        err = OTA_ERR_NO_MEMORY; /* nothing else can fail */
    }
    if (err != OTA_OK) {
        ota__tls_stream_free(stream);
        return err;
    }
    ota__tls_stream_init(stream);
    ota__tls_session_offer(stream);
    if (tls->fingerprint_len == 20 && !tls->said_weak) {
        tls->said_weak = true;
        ota__tls_log(stream, OTA_LOG_WARNING,
                     "the certificate is pinned by its SHA-1, which is weak: use its SHA-256",
                     NULL);
    }
    *outer = &stream->stream;
    return OTA_OK;
}

/* ---- Beginning and end ----------------------------------------------------------------------- */

enum ota_err ota_tls_begin(struct ota_tls *tls, const struct ota_tls_options *options)
{
    enum ota_err err = OTA_OK;

    memset(tls, 0, sizeof *tls);
    tls->secure.wrap = wrap;
    tls->options = *options;
    if (fragment_code(options->max_fragment) < 0) {
        return OTA_ERR_ARGUMENT;
    }
    if (options->fingerprint != NULL) {
        err = read_fingerprint(tls, options->fingerprint);
    }
    if (err == OTA_OK && options->ca_pem != NULL) {
        err = ota__tls_trust_read(&tls->trust, options->ca_pem);
    }
    return err;
}

void ota_tls_end(struct ota_tls *tls)
{
    ota_tls_forget_sessions(tls);
    ota__tls_trust_free(tls->trust);
    tls->trust = NULL;
}
