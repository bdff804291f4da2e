/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether a certificate will do. Mbed TLS checks signatures and usage; dates are judged by the
 * platform's clock, names by the rules in tls.h, and a pinned certificate by its digest.
 */

#include <string.h>

#include <mbedtls/md.h>

#include "tls/tls_private.h"

#define DATE_FLAGS ((uint32_t)(MBEDTLS_X509_BADCERT_EXPIRED | MBEDTLS_X509_BADCERT_FUTURE))

/* Days from 1970-01-01 to a date of the Gregorian calendar: years begin in March, so that the leap
   day is a year's last. */
static int64_t days_to(int year, int month, int day)
{
    int64_t y = month > 2 ? year : year - 1;
    int64_t m = month > 2 ? month - 3 : month + 9;
    int64_t leaps = y / 4 - y / 100 + y / 400;

    return y * 365 + leaps + (m * 153 + 2) / 5 + day - 1 - 719468;
}

static int64_t seconds_to(const mbedtls_x509_time *time)
{
    return ((days_to(time->year, time->mon, time->day) * 24 + time->hour) * 60 + time->min) * 60 +
           time->sec;
}

/* The dates' flags at the present time; none while that is not known. */
static uint32_t date_flags(struct ota__tls_stream *stream, const mbedtls_x509_crt *certificate)
{
    struct ota_platform *platform = stream->platform;
    struct ota_tls *tls = stream->tls;
    int64_t now = 0;

    stream->dates_checked = platform->unix_time != NULL && platform->unix_time(platform, &now);
    if (!stream->dates_checked) {
        if (!tls->said_unknown_time) {
            ota__tls_log(stream, OTA_LOG_WARNING,
                         "the time is not known: dates of certificates are not checked", NULL);
        }
        tls->said_unknown_time = true;
        return 0;
    }
    if (tls->said_unknown_time && !tls->said_known_time) {
        tls->said_known_time = true;
        ota__tls_log(stream, OTA_LOG_INFO,
                     "the time is known: dates of certificates are checked from now on", NULL);
    }
    if (now > seconds_to(&certificate->valid_to)) {
        return MBEDTLS_X509_BADCERT_EXPIRED;
    }
    return now < seconds_to(&certificate->valid_from) ? MBEDTLS_X509_BADCERT_FUTURE : 0;
}

static bool is_pinned(const struct ota_tls *tls, const mbedtls_x509_crt *certificate)
{
    mbedtls_md_type_t type = tls->fingerprint_len == 20 ? MBEDTLS_MD_SHA1 : MBEDTLS_MD_SHA256;
    uint8_t digest[32];

    return mbedtls_md(mbedtls_md_info_from_type(type), certificate->raw.p, certificate->raw.len,
                      digest) == 0 &&
           memcmp(digest, tls->fingerprint, tls->fingerprint_len) == 0;
}

int ota__tls_verify(void *context, mbedtls_x509_crt *certificate, int depth, uint32_t *flags)
{
    struct ota__tls_stream *stream = context;
    const struct ota_tls *tls = stream->tls;
    bool only_pinned = tls->fingerprint_len > 0 && ota__tls_trust_of(stream) == NULL;

    stream->was_verified = true;
    *flags &= ~(DATE_FLAGS | MBEDTLS_X509_BADCERT_CN_MISMATCH);
    if (only_pinned) {
        *flags = 0;
        stream->dates_checked = true; /* as far as they ever will be */
    } else {
        *flags |= date_flags(stream, certificate);
    }
    if (depth == 0 && !only_pinned && !tls->options.any_name &&
        !ota__tls_host_is_in(stream->host, certificate)) {
        *flags |= MBEDTLS_X509_BADCERT_CN_MISMATCH;
        char subject[96];
        if (mbedtls_x509_dn_gets(subject, sizeof subject, &certificate->subject) > 0) {
            ota__tls_log(stream, OTA_LOG_WARNING, "the server's certificate is for ", subject);
        }
    }
    if (depth == 0 && tls->fingerprint_len > 0 && !is_pinned(tls, certificate)) {
        *flags |= MBEDTLS_X509_BADCERT_OTHER;
    }
    stream->flags |= *flags;
    return 0;
}

enum ota_err ota__tls_verdict(const struct ota__tls_stream *stream, uint32_t flags)
{
    enum ota_log_level level = OTA_LOG_WARNING;

    if ((flags & MBEDTLS_X509_BADCERT_OTHER) != 0) {
        ota__tls_log(stream, level, "the server's certificate is not the pinned one", NULL);
        return OTA_ERR_TLS_UNTRUSTED;
    }
    if ((flags & MBEDTLS_X509_BADCERT_NOT_TRUSTED) != 0) {
        ota__tls_log(stream, level, "nobody that is trusted has signed the server's certificate",
                     NULL);
        return OTA_ERR_TLS_UNTRUSTED;
    }
    if ((flags & ~(DATE_FLAGS | MBEDTLS_X509_BADCERT_CN_MISMATCH)) != 0) {
        ota__tls_log(stream, level,
                     "the server's certificate is signed too weakly, or not for servers", NULL);
        return OTA_ERR_TLS_UNTRUSTED;
    }
    if ((flags & MBEDTLS_X509_BADCERT_CN_MISMATCH) != 0) {
        return OTA_ERR_TLS_NAME;
    }
    ota__tls_log(stream, level,
                 (flags & MBEDTLS_X509_BADCERT_FUTURE) != 0
                     ? "the server's certificate is not valid yet"
                     : "the server's certificate is not valid any more",
                 NULL);
    return OTA_ERR_TLS_EXPIRED;
}
