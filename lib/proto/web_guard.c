/* SPDX-License-Identifier: Apache-2.0 */
/* Whose page sends it, and by which name: docs/formats/web-upload.md section 7. */

#include "proto/web_private.h"

#include "base/mem.h"

enum {
    HOST_NONE = 0,
    HOST_KNOWN,     /* connection->host is it */
    ORIGIN_WAITS,   /* connection->host is an Origin that came before it */
    ORIGIN_IS_OURS, /* both are known, and agree */
    ORIGIN_IS_FOREIGN,
};

static size_t prefix_len(const char *text, const char *prefix)
{
    size_t len = strlen(prefix);

    return strlen(text) >= len && ota_text_same_bytes(text, len, prefix) ? len : 0;
}

static bool same_letters(const char *a, const char *b, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        const char other[2] = {b[i], '\0'};
        if (!ota_text_same_bytes(a + i, 1, other)) {
            return false;
        }
    }
    return true;
}

static bool ends_with(const char *text, size_t len, const char *end)
{
    size_t end_len = strlen(end);

    return len > end_len && ota_text_same_bytes(text + len - end_len, end_len, end);
}

/* The length of a host and port without the port that is http's own. */
static size_t bare_len(const char *host)
{
    size_t len = strlen(host);

    return ends_with(host, len, ":80") ? len - 3 : len;
}

/* ---- Where the request leads ----------------------------------------------------------------- */

/* The length of a host without any port. */
static size_t name_len(const char *host)
{
    size_t len = strlen(host), at = len;

    while (at > 0 && host[at - 1] >= '0' && host[at - 1] <= '9') {
        at--;
    }
    return at > 0 && at < len && host[at - 1] == ':' ? at - 1 : len;
}

static bool is_address(const char *name, size_t len)
{
    if (len > 0 && name[0] == '[') {
        return true;
    }
    for (size_t i = 0; i < len; i++) {
        if (name[i] != '.' && (name[i] < '0' || name[i] > '9')) {
            return false;
        }
    }
    return len > 0;
}

/* Tells whether this is the host in an origin ("https://host:port"). */
static bool is_host_of(const char *origin, const char *name, size_t len)
{
    if (origin == NULL) {
        return false;
    }
    const char *host = origin + prefix_len(origin, "https://") + prefix_len(origin, "http://");
    size_t host_len = name_len(host);
    return host_len == len && same_letters(name, host, len);
}

/* A name that no stranger can make lead here: an address, one without a dot, the local network's,
   or our own. */
static bool is_ours(const struct ota_web_options *options, const char *host)
{
    size_t len = name_len(host);
    bool has_dot = false;

    if (is_address(host, len) || ends_with(host, len, ".local") ||
        (options->host_name != NULL && ota_text_same_bytes(host, len, options->host_name)) ||
        is_host_of(options->origin, host, len)) {
        return true;
    }
    for (size_t i = 0; i < len; i++) {
        has_dot = has_dot || host[i] == '.';
    }
    return !has_dot;
}

/* ---- Whose page sends it --------------------------------------------------------------------- */

/* Tells whether an origin, without its scheme, is this host. */
static bool same_host(const char *origin, const char *host)
{
    size_t len = bare_len(origin);

    return len > 0 && len == bare_len(host) && same_letters(origin, host, len);
}

/* One that is too long is the same as none. */
static void keep_host(struct ota_web_connection *connection, const char *value)
{
    size_t len = strlen(value);
    const char *kept =
        len <= OTA_WEB_HOST_MAX ? ota_http_server_keep(&connection->http, value, len) : NULL;

    connection->host = kept != NULL ? kept : "";
}

static void compare(struct ota_web_connection *connection, const char *origin, const char *host)
{
    connection->host_state = same_host(origin, host) ? ORIGIN_IS_OURS : ORIGIN_IS_FOREIGN;
}

void ota__web_guard_host(struct ota_web_connection *connection, const char *value)
{
    connection->host_is_strange = !is_ours(&connection->web->options, value);
    if (connection->host_state == ORIGIN_WAITS) {
        compare(connection, connection->host, value);
    } else if (connection->host_state == HOST_NONE) {
        keep_host(connection, value);
        connection->host_state = HOST_KNOWN;
    }
}

/* The length of what stands behind the scheme, without a slash at its end. */
static size_t rest_len(const char *rest)
{
    size_t len = strlen(rest);

    return len > 0 && rest[len - 1] == '/' ? len - 1 : len;
}

void ota__web_guard_origin(struct ota_web_connection *connection, const char *value)
{
    const char *ours = connection->web->options.origin;
    size_t scheme = prefix_len(value, "http://");
    size_t len = rest_len(value + scheme);
    char origin[OTA_WEB_HOST_MAX + 1];

    if (connection->host_state > HOST_KNOWN) {
        connection->host_state = ORIGIN_IS_FOREIGN; /* two of them */
        return;
    }
    if (ours != NULL && ota_text_same_bytes(value, scheme + len, ours)) {
        connection->host_state = ORIGIN_IS_OURS;
        return;
    }
    if (scheme == 0 || len == 0 || len > OTA_WEB_HOST_MAX) {
        connection->host_state = ORIGIN_IS_FOREIGN;
        return;
    }
    memcpy(origin, value + scheme, len);
    origin[len] = '\0';
    if (connection->host_state == HOST_KNOWN) {
        compare(connection, origin, connection->host);
    } else {
        keep_host(connection, origin);
        connection->host_state = ORIGIN_WAITS;
    }
}

void ota__web_guard_fetch(struct ota_web_connection *connection, const char *value)
{
    if (!ota_text_same(value, "same-origin") && !ota_text_same(value, "none")) {
        connection->fetch_is_foreign = true;
    }
}

/* The length of the origin at the beginning of an address. */
static size_t origin_len(const char *address)
{
    size_t len = prefix_len(address, "http://") + prefix_len(address, "https://");

    while (address[len] != '\0' && address[len] != '/' && address[len] != '?') {
        len++;
    }
    return len;
}

/* Browsers send no Origin with a GET of their own, and Sec-Fetch-Site only where there is TLS. They
   send Host first, so that what it is compared with is there; who does not is no browser. */
void ota__web_guard_referer(struct ota_web_connection *connection, const char *value)
{
    const char *ours = connection->web->options.origin;
    size_t scheme = prefix_len(value, "http://");
    size_t len = origin_len(value);
    char host[OTA_WEB_HOST_MAX + 1];

    if (ours != NULL && ota_text_same_bytes(value, len, ours)) {
        connection->referer_is_ours = true;
        return;
    }
    if (len == 0 || connection->host == NULL) {
        return;
    }
    if (scheme == 0 || len - scheme > OTA_WEB_HOST_MAX) {
        connection->referer_is_foreign = true;
        return;
    }
    memcpy(host, value + scheme, len - scheme);
    host[len - scheme] = '\0';
    connection->referer_is_ours = same_host(host, connection->host);
    connection->referer_is_foreign |= !connection->referer_is_ours;
}

static bool is_foreign(const struct ota_web_connection *connection)
{
    bool only_looks =
        connection->route == OTA__WEB_PAGE &&
        (connection->method == OTA_HTTP_GET || connection->method == OTA_HTTP_HEAD_ONLY);

    return connection->host_state == ORIGIN_IS_FOREIGN || connection->host_state == ORIGIN_WAITS ||
           (connection->fetch_is_foreign && !only_looks) ||
           (connection->referer_is_foreign && connection->route == OTA__WEB_ELEGANT_START);
}

/* ---- All of it ------------------------------------------------------------------------------- */

bool ota__web_guard_passes(struct ota_web_connection *connection)
{
    const struct ota_web_options *options = &connection->web->options;
    bool foreign = is_foreign(connection);

    if (foreign || (connection->host_is_strange && !ota__web_needs_login(connection->web))) {
        if (options->on_event != NULL) {
            options->on_event(options->context, OTA_WEB_FOREIGN_REFUSED);
        }
        if (foreign) {
            ota__web_refuse(connection, 403, "FOREIGN", "this comes from another site's page");
        } else {
            ota__web_refuse(connection, 403, "HOST",
                            "this name is not known to be the board's: use its address, or set "
                            "the name or a password");
        }
        return false;
    }
    return ota__web_login_passes(connection);
}
