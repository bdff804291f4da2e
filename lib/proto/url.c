/* SPDX-License-Identifier: Apache-2.0 */
/* URLs: parsing, and resolving a Location header against the URL that it came from. */

#include "proto/url.h"

#include "base/mem.h"

static bool starts_with(const char *text, const char *start)
{
    return strlen(text) >= strlen(start) && ota_text_same_bytes(text, strlen(start), start);
}

/* The length of `text` up to the first of the `stops`, or to its end. */
static size_t span_until(const char *text, const char *stops)
{
    size_t len = 0;

    for (; text[len] != '\0'; len++) {
        for (const char *stop = stops; *stop != '\0'; stop++) {
            if (text[len] == *stop) {
                return len;
            }
        }
    }
    return len;
}

static bool is_printable(const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text <= ' ' || *text > '~') {
            return false;
        }
    }
    return true;
}

/* The bytes of "http://" or "https://" at the start, 0 if it is neither. */
static size_t scheme_length(const char *text, bool *secure)
{
    *secure = starts_with(text, "https://");
    if (*secure) {
        return strlen("https://");
    }
    return starts_with(text, "http://") ? strlen("http://") : 0;
}

static bool is_letter_or_digit(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool host_is_good(const struct ota__url_part *host, bool is_ipv6)
{
    for (size_t i = 0; i < host->len; i++) {
        char c = host->at[i];
        bool good = is_letter_or_digit(c) || c == '.' ||
                    (is_ipv6 ? c == ':' || c == '%' : c == '-' || c == '_');
        if (!good) {
            return false;
        }
    }
    return host->len > 0;
}

static enum ota_err parse_host(struct ota__url *url, const char *at, size_t len)
{
    const char *end = at + len;

    url->is_ipv6 = len > 0 && *at == '[';
    if (url->is_ipv6) {
        url->host.at = at + 1;
        url->host.len = span_until(at + 1, "]/?#");
        at += 1 + url->host.len;
        if (at >= end || *at != ']') {
            return OTA_ERR_URL;
        }
        at++;
    } else {
        url->host.at = at;
        url->host.len = span_until(at, ":/?#");
        at += url->host.len;
    }
    if (!host_is_good(&url->host, url->is_ipv6)) {
        return OTA_ERR_URL;
    }
    url->port = url->secure ? 443 : 80;
    if (at == end) {
        return OTA_OK;
    }
    uint32_t port;
    if (*at != ':' || !ota_text_read_decimal(at + 1, (size_t)(end - at) - 1, &port) || port == 0 ||
        port > UINT16_MAX) {
        return OTA_ERR_URL;
    }
    url->port = (uint16_t)port;
    return OTA_OK;
}

enum ota_err ota__url_parse(struct ota__url *url, const char *text)
{
    memset(url, 0, sizeof *url);
    size_t scheme = scheme_length(text, &url->secure);
    if (scheme == 0 || !is_printable(text)) {
        return OTA_ERR_URL;
    }
    const char *at = text + scheme;
    size_t len = span_until(at, "/?#");
    url->target.at = at + len;
    url->target.len = span_until(url->target.at, "#");

    for (size_t i = len; i > 0; i--) {
        if (at[i - 1] == '@') {
            url->has_credentials = true;
            url->credentials = (struct ota__url_part){at, i - 1};
            at += i;
            len -= i;
            break;
        }
    }
    return parse_host(url, at, len);
}

static bool same_host(const struct ota__url *a, const struct ota__url *b)
{
    if (a->host.len != b->host.len) {
        return false;
    }
    for (size_t i = 0; i < a->host.len; i++) {
        const char other[2] = {b->host.at[i], '\0'};
        if (!ota_text_same_bytes(&a->host.at[i], 1, other)) {
            return false;
        }
    }
    return true;
}

bool ota__url_same_origin(const struct ota__url *a, const struct ota__url *b)
{
    return a->secure == b->secure && a->port == b->port && same_host(a, b);
}

bool ota__url_keeps_trust(const struct ota__url *first, const struct ota__url *next)
{
    bool is_upgrade = !first->secure && first->port == 80 && next->secure && next->port == 443;

    return ota__url_same_origin(first, next) || (is_upgrade && same_host(first, next));
}

void ota__url_put_host(struct ota_text *text, const struct ota__url *url)
{
    ota_text_put(text, url->is_ipv6 ? "[" : "");
    ota_text_put_bytes(text, url->host.at, url->host.len);
    ota_text_put(text, url->is_ipv6 ? "]" : "");
    if (url->port != (url->secure ? 443 : 80)) {
        ota_text_put(text, ":");
        ota_text_put_decimal(text, url->port);
    }
}

void ota__url_put_target(struct ota_text *text, const struct ota__url *url)
{
    if (url->target.len == 0 || url->target.at[0] != '/') {
        ota_text_put(text, "/");
    }
    ota_text_put_bytes(text, url->target.at, url->target.len);
}

enum ota_err ota__url_credentials(const struct ota__url *url, char *out, size_t size, size_t *len)
{
    const char *at = url->credentials.at;
    const char *end = at + url->credentials.len;
    bool has_password = false;

    *len = 0;
    while (at < end) {
        if (*len == size) {
            return OTA_ERR_URL;
        }
        has_password = has_password || *at == ':';
        if (*at == '%') {
            const char digits[3] = {end - at > 2 ? at[1] : '\0', end - at > 2 ? at[2] : '\0', '\0'};
            uint8_t byte;
            if (!ota_text_read_hex(digits, &byte, 1)) {
                return OTA_ERR_URL;
            }
            out[(*len)++] = (char)byte;
            at += 3;
        } else {
            out[(*len)++] = *at++;
        }
    }
    /* "http://user@host": an empty password is still sent behind its colon. */
    if (!has_password) {
        if (*len == size) {
            return OTA_ERR_URL;
        }
        out[(*len)++] = ':';
    }
    return OTA_OK;
}

/* Removes "." and ".." from the path in place (RFC 3986 section 5.2.4). `path` begins with a slash
   and runs to a query or the end. */
static void remove_dots(char *path)
{
    char *query = path + span_until(path, "?");
    char *from = path;
    char *to = path;

    while (from < query) {
        size_t len = 1 + span_until(from + 1, "/?");
        bool last = from + len == query;
        if (len == 2 && from[1] == '.') {
            /* This folder: nothing is added. */
        } else if (len == 3 && from[1] == '.' && from[2] == '.') {
            while (to > path && *--to != '/') {
            }
        } else {
            memmove(to, from, len);
            to += len;
            last = false;
        }
        from += len;
        if (last) {
            *to++ = '/';
        }
    }
    if (to == path) {
        *to++ = '/';
    }
    memmove(to, query, strlen(query) + 1);
}

/* Puts `reference` at `keep` characters into the text. */
static enum ota_err splice(char *text, size_t size, size_t keep, const char *between,
                           const char *reference)
{
    size_t len = span_until(reference, "#");

    if (keep + strlen(between) + len >= size) {
        return OTA_ERR_URL;
    }
    memcpy(text + keep, between, strlen(between));
    keep += strlen(between);
    memcpy(text + keep, reference, len);
    text[keep + len] = '\0';
    return OTA_OK;
}

/* Cuts the credentials out of the URL, which a redirect must not set. */
static void drop_credentials(char *text, size_t scheme)
{
    size_t len = span_until(text + scheme, "/?#");

    for (size_t i = len; i > 0; i--) {
        if (text[scheme + i - 1] == '@') {
            memmove(text + scheme, text + scheme + i, strlen(text + scheme + i) + 1);
            return;
        }
    }
}

enum ota_err ota__url_resolve(char *text, size_t size, const char *reference)
{
    bool secure;
    size_t scheme = scheme_length(text, &secure);
    size_t authority = scheme + span_until(text + scheme, "/?#");
    size_t path_end = authority + span_until(text + authority, "?#");
    size_t reference_scheme = scheme_length(reference, &secure);
    enum ota_err err;

    if (scheme == 0 || *reference == '\0') {
        return OTA_ERR_URL;
    }
    if (reference_scheme != 0) {
        err = splice(text, size, 0, "", reference);
        scheme = reference_scheme;
    } else if (reference[span_until(reference, ":/?#")] == ':') {
        return OTA_ERR_URL; /* another scheme */
    } else if (starts_with(reference, "//")) {
        err = splice(text, size, scheme - 2, "", reference);
    } else if (*reference == '/') {
        err = splice(text, size, authority, "", reference);
    } else if (*reference == '?') {
        err = splice(text, size, path_end, path_end == authority ? "/" : "", reference);
    } else if (*reference == '#') {
        err = splice(text, size, authority + span_until(text + authority, "#"), "", "");
    } else {
        size_t folder = path_end;
        while (folder > authority && text[folder - 1] != '/') {
            folder--;
        }
        err = splice(text, size, folder, folder == authority ? "/" : "", reference);
    }
    if (err != OTA_OK) {
        return err;
    }
    drop_credentials(text, scheme);
    char *path = text + scheme + span_until(text + scheme, "/?#");
    if (*path == '/') {
        remove_dots(path);
    }
    struct ota__url url;
    return ota__url_parse(&url, text);
}
