/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_HTTP_FETCH_H
#define UPDRAFT_HTTP_FETCH_H

/*
 * The scheme for "http" and "https" in a chain of schemes (fetch.h): each fetch is one GET
 * (http_transfer.h, which has the table of what each side sends).
 *
 *     static struct ota_http_scheme web;
 *     ota_http_scheme_init(&web, &tls.secure, &files.scheme);     secure NULL: http only
 *     err = ota_fetch_open(&web.scheme, platform, &request, &fetch);
 *
 * An offset asks for a range; a server that knows none is OTA_ERR_HTTP_RANGE. A fetch's errors are
 * those of ota_http_transfer_get; a body that is cut short is OTA_ERR_INCOMPLETE,
 * OTA_ERR_CONNECTION_LOST or OTA_ERR_TIMEOUT. User and password in the URI are sent as Basic
 * authorization. Content codings (gzip) are not asked for and not taken.
 */

#include <updraft/fetch.h>
#include <updraft/http_transfer.h>
#include <updraft/secure.h>

#define OTA_HTTP_FETCHES 2u       /* open at once */
#define OTA_HTTP_FETCH_TEXT 2048u /* half of it is the longest URI, half the longest header */

/* One fetch. Private. */
struct ota_http_fetch {
    struct ota_fetch fetch;
    struct ota_http_transfer transfer;
    bool is_open;
    char text[OTA_HTTP_FETCH_TEXT];
};

struct ota_http_scheme {
    struct ota_scheme scheme; /* first: for the chain */

    /* May be changed between init and the first open. */
    struct ota_secure *secure;
    bool allow_downgrade; /* as in ota_http_transfer_options, and so on */
    uint8_t redirect_limit;
    uint32_t head_timeout_ms;
    uint32_t body_timeout_ms;
    uint32_t body_least;

    /* Private. */
    struct ota_http_fetch fetches[OTA_HTTP_FETCHES];
};

/* Prepares the scheme with `next` behind it in the chain (NULL: nothing). `secure` is the caller's
   as long as the scheme is used. */
void ota_http_scheme_init(struct ota_http_scheme *scheme, struct ota_secure *secure,
                          struct ota_scheme *next);

#endif
