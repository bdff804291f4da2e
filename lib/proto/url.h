/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_PROTO_URL_H
#define UPDRAFT_PROTO_URL_H

/*
 * URLs of http and https (RFC 3986): taken apart into spans of their own text, and resolved against
 * one another for redirects. Spans are not terminated and live as long as the text.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <updraft/error.h>
#include <updraft/text.h>

struct ota__url_part {
    const char *at;
    size_t len;
};

struct ota__url {
    bool secure;                      /* https */
    bool has_credentials;             /* there was a user part */
    bool is_ipv6;                     /* the host was in brackets */
    struct ota__url_part credentials; /* "user:password" as written, percent-encoded */
    struct ota__url_part host;        /* without brackets */
    uint16_t port;                    /* the scheme's own if none was given */
    struct ota__url_part target; /* path and query, without fragment; may lack its first slash */
};

/* Takes `text` apart. Returns OTA_ERR_URL for other schemes, an empty or impossible host, a port
   that is none, and for blanks, control characters and bytes beyond ASCII anywhere. */
enum ota_err ota__url_parse(struct ota__url *url, const char *text);

/* Tells whether scheme, host and port are the same. */
bool ota__url_same_origin(const struct ota__url *a, const struct ota__url *b);

/* Tells whether what `first` may be told (credentials, say) may also be told to `next`: the same
   origin, or its https where the first was http, both at their usual ports. */
bool ota__url_keeps_trust(const struct ota__url *first, const struct ota__url *next);

/* Add the value of a Host header (the port only where it is not the scheme's own, brackets round
   IPv6); and the target of a request line, with its first slash. */
void ota__url_put_host(struct ota_text *text, const struct ota__url *url);
void ota__url_put_target(struct ota_text *text, const struct ota__url *url);

/* Decodes the percent-encoding of the credentials into `out` and stores the length. Returns
   OTA_ERR_URL if they do not fit into `size` bytes or an escape is malformed. */
enum ota_err ota__url_credentials(const struct ota__url *url, char *out, size_t size, size_t *len);

/* Replaces the URL in `text` (a buffer of `size` bytes, which parses) by what `reference` means
   seen from there (RFC 3986 section 5): absolute, //host, /path, ?query or relative, with the dots
   worked out. Credentials in the reference are dropped. Returns OTA_ERR_URL, leaving `text`
   unspecified, if the result is no URL of ours or does not fit. */
enum ota_err ota__url_resolve(char *text, size_t size, const char *reference);

#endif
