/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The last sessions, one a host: what makes the second connection to a server cheap. A session
 * rests on the certificates that were checked when it began, so it is resumed only by a stream that
 * would check them in the same way.
 */

#include <string.h>

#include <mbedtls/platform.h>

#include "tls/tls_private.h"

struct ota__tls_session {
    char host[OTA__TLS_HOST_MAX + 1];
    uint8_t trust[32]; /* digest of the certificates that were trusted */
    uint32_t begun_ms; /* when they were checked */
    bool dates_checked;
    mbedtls_ssl_session session;
};

static void forget(struct ota__tls_session **place)
{
    if (*place != NULL) {
        mbedtls_ssl_session_free(&(*place)->session);
        mbedtls_free(*place);
        *place = NULL;
    }
}

static const uint8_t *trust_digest(const struct ota__tls_stream *stream)
{
    static const uint8_t none[32];
    const struct ota__tls_trust *trust = ota__tls_trust_of(stream);

    return trust != NULL ? trust->digest : none;
}

static uint32_t age_ms(const struct ota__tls_stream *stream, const struct ota__tls_session *session)
{
    return stream->platform->now_ms(stream->platform) - session->begun_ms;
}

/* The place of this stream's session, NULL if there is none. */
static struct ota__tls_session **find(struct ota__tls_stream *stream)
{
    for (unsigned i = 0; i < OTA_TLS_SESSIONS; i++) {
        struct ota__tls_session **place = &stream->tls->sessions[i];
        if (*place != NULL && ota_text_same((*place)->host, stream->host) &&
            memcmp((*place)->trust, trust_digest(stream), sizeof(*place)->trust) == 0) {
            return place;
        }
    }
    return NULL;
}

static bool knows_time(const struct ota__tls_stream *stream)
{
    struct ota_platform *platform = stream->platform;
    int64_t now;

    return platform->unix_time != NULL && platform->unix_time(platform, &now);
}

void ota__tls_session_offer(struct ota__tls_stream *stream)
{
    struct ota__tls_session **place = find(stream);

    if (place == NULL) {
        return;
    }
    if (age_ms(stream, *place) > 1000u * OTA_TLS_SESSION_S ||
        (!(*place)->dates_checked && knows_time(stream))) {
        forget(place);
        return;
    }
    if (mbedtls_ssl_set_session(&stream->ssl, &(*place)->session) == 0) {
        stream->has_offered = true;
        stream->dates_checked = (*place)->dates_checked; /* unless a certificate comes */
    }
}

/* An empty place, or the one of the oldest session. */
static struct ota__tls_session **choose_place(struct ota__tls_stream *stream)
{
    struct ota__tls_session **sessions = stream->tls->sessions;
    struct ota__tls_session **oldest = &sessions[0];

    for (unsigned i = 0; i < OTA_TLS_SESSIONS; i++) {
        if (sessions[i] == NULL) {
            return &sessions[i];
        }
        if (age_ms(stream, sessions[i]) > age_ms(stream, *oldest)) {
            oldest = &sessions[i];
        }
    }
    return oldest;
}

void ota__tls_session_keep(struct ota__tls_stream *stream)
{
    struct ota__tls_session **place = find(stream);
    uint32_t begun_ms = stream->platform->now_ms(stream->platform);

    if (stream->tls->options.no_resumption) {
        return;
    }
    if (place == NULL) {
        place = choose_place(stream);
    } else if (!stream->was_verified) {
        begun_ms = (*place)->begun_ms; /* resumed: the certificates are not checked anew */
    }
    forget(place);
    struct ota__tls_session *kept = mbedtls_calloc(1, sizeof *kept);
    if (kept == NULL) {
        return; /* the next handshake is a full one */
    }
    memcpy(kept->host, stream->host, sizeof kept->host);
    memcpy(kept->trust, trust_digest(stream), sizeof kept->trust);
    kept->begun_ms = begun_ms;
    kept->dates_checked = stream->dates_checked;
    mbedtls_ssl_session_init(&kept->session);
    *place = kept;
    if (mbedtls_ssl_get_session(&stream->ssl, &kept->session) != 0) {
        forget(place);
    }
}

void ota__tls_session_drop(struct ota__tls_stream *stream)
{
    struct ota__tls_session **place = find(stream);

    if (place != NULL) {
        forget(place);
    }
}

void ota_tls_forget_sessions(struct ota_tls *tls)
{
    for (unsigned i = 0; i < OTA_TLS_SESSIONS; i++) {
        forget(&tls->sessions[i]);
    }
}
