/* SPDX-License-Identifier: Apache-2.0 */
/* Who may: docs/formats/web-upload.md section 7. */

#include "proto/web_private.h"

#include "base/bytes.h"
#include "base/mem.h"
#include "base/secret.h"
#include "proto/base64.h"

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

/* ---- Where the request leads ------------------------------------------------------------------ */

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

/* ---- Whose page sends it ---------------------------------------------------------------------- */

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

    len = len <= OTA_WEB_HOST_MAX ? len : 0;
    memcpy(connection->host, value, len);
    connection->host[len] = '\0';
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

static bool is_foreign(const struct ota_web_connection *connection)
{
    bool only_looks =
        connection->route == OTA__WEB_PAGE &&
        (connection->method == OTA_HTTP_GET || connection->method == OTA_HTTP_HEAD_ONLY);

    return connection->host_state == ORIGIN_IS_FOREIGN || connection->host_state == ORIGIN_WAITS ||
           (connection->fetch_is_foreign && !only_looks);
}

/* ---- The login -------------------------------------------------------------------------------- */

const char *ota__web_user(const struct ota_web_options *options)
{
    return options->user != NULL && options->user[0] != '\0' ? options->user : "admin";
}

static bool needs_login(const struct ota_web *web)
{
    return web->options.password != NULL && web->options.password[0] != '\0';
}

/* How long after a wrong login nobody's is looked at. */
static uint32_t pause_of(const struct ota_web *web)
{
    uint32_t pause = OTA_WEB_LOGIN_PAUSE_MS;

    for (unsigned i = 1; i < web->failed_logins && pause < OTA_WEB_LOGIN_PAUSE_MAX_MS; i++) {
        pause *= 2;
    }
    return web->failed_logins == 0 ? 0 : pause;
}

/* What stands behind "Basic ", as the right login has it: of fixed length, the rest zero. */
#define LOGIN_TEXT_SIZE (4 * ((OTA_WEB_LOGIN_MAX + 2) / 3) + 1)
static void compose_login(const struct ota_web_options *options, char text[LOGIN_TEXT_SIZE])
{
    char plain[OTA_WEB_LOGIN_MAX + 1];
    struct ota_text login, encoded;

    memset(text, 0, LOGIN_TEXT_SIZE);
    ota_text_begin(&login, plain, sizeof plain);
    ota_text_put(&login, ota__web_user(options));
    ota_text_put(&login, ":");
    ota_text_put(&login, options->password);
    ota_text_window(&encoded, text, LOGIN_TEXT_SIZE - 1, 0);
    ota__base64_put(&encoded, plain, ota_text_stored(&login));
    ota__wipe(plain, sizeof plain);
}

void ota__web_guard_login(struct ota_web_connection *connection, const char *value)
{
    char right[LOGIN_TEXT_SIZE], given[LOGIN_TEXT_SIZE] = {0};

    if (!needs_login(connection->web)) {
        return;
    }
    size_t skip = prefix_len(value, "Basic ");
    while (value[skip] == ' ') {
        skip++;
    }
    size_t len = strlen(value + skip);
    compose_login(&connection->web->options, right);
    memcpy(given, value + skip, len < sizeof given ? len : sizeof given);
    bool same = ota__same_secret(right, given, sizeof right) && skip > 0;
    ota__wipe(right, sizeof right);
    ota__wipe(given, sizeof given);
    connection->login = same && connection->login == OTA__WEB_LOGIN_NONE ? OTA__WEB_LOGIN_RIGHT
                                                                         : OTA__WEB_LOGIN_WRONG;
}

static void refuse_login(struct ota_web_connection *connection)
{
    struct ota_web *web = connection->web;
    const struct ota_web_options *options = &web->options;

    web->failed_logins = (uint8_t)ota__min(web->failed_logins + 1u, 8);
    web->failed_ms = connection->http.now_ms;
    if (options->on_event != NULL) {
        options->on_event(options->context, OTA_WEB_LOGIN_FAILED);
    }
    ota__web_refuse_slowly(connection, 401, "LOGIN", "wrong user name or password", pause_of(web));
}

static bool login_passes(struct ota_web_connection *connection)
{
    struct ota_web *web = connection->web;

    if (!needs_login(web)) {
        return true;
    }
    if (connection->login == OTA__WEB_LOGIN_NONE) {
        ota__web_refuse(connection, 401, "LOGIN", "a login is needed");
        return false;
    }
    bool is_trusted =
        connection->peer.port != 0 && ota_address_same_host(&connection->peer, &web->trusted);
    if (connection->http.now_ms - web->failed_ms < pause_of(web) && !is_trusted) {
        ota__web_refuse(connection, 429, "LOGIN", "wrong logins came just now: try again later");
        return false;
    }
    if (connection->login == OTA__WEB_LOGIN_WRONG) {
        refuse_login(connection);
        return false;
    }
    web->failed_logins = 0;
    web->trusted = connection->peer;
    return true;
}

bool ota__web_guard_passes(struct ota_web_connection *connection)
{
    const struct ota_web_options *options = &connection->web->options;
    bool foreign = is_foreign(connection);

    if (foreign || (connection->host_is_strange && !needs_login(connection->web))) {
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
    return login_passes(connection);
}
