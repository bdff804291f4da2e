/* SPDX-License-Identifier: Apache-2.0 */
/* The login, and how guessing it is slowed down: docs/formats/web-upload.md section 7. */

#include "proto/web_private.h"

#include "base/bytes.h"
#include "base/mem.h"
#include "base/secret.h"
#include "proto/base64.h"
#include "proto/guess_pause.h"

_Static_assert(OTA_WEB_LOGIN_PAUSE_MS == OTA__GUESS_PAUSE_MS, "what its header says");

const char *ota__web_user(const struct ota_web_options *options)
{
    return options->user != NULL && options->user[0] != '\0' ? options->user : "admin";
}

bool ota__web_needs_login(const struct ota_web *web)
{
    return web->options.password != NULL && web->options.password[0] != '\0';
}

/* How long after a wrong login nobody's is looked at. */
static uint32_t pause_of(const struct ota_web *web)
{
    return ota__guess_pause(web->failed_logins, OTA_WEB_LOGIN_PAUSE_MAX_MS);
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

static uint8_t judge_basic(const struct ota_web *web, const char *given)
{
    char right[LOGIN_TEXT_SIZE], padded[LOGIN_TEXT_SIZE] = {0};
    size_t len = strlen(given);

    compose_login(&web->options, right);
    memcpy(padded, given, len < sizeof padded ? len : sizeof padded);
    bool same = ota__same_secret(right, padded, sizeof right);
    ota__wipe(right, sizeof right);
    ota__wipe(padded, sizeof padded);
    return same ? OTA__WEB_LOGIN_RIGHT : OTA__WEB_LOGIN_WRONG;
}

/* Returns what stands behind the name of a scheme, or NULL if it is another one. */
static const char *behind(const char *value, const char *scheme)
{
    size_t len = strlen(scheme);

    if (strlen(value) < len || !ota_text_same_bytes(value, len, scheme)) {
        return NULL;
    }
    while (value[len] == ' ') {
        len++;
    }
    return value + len;
}

void ota__web_login_take(struct ota_web_connection *connection, const char *value)
{
    const char *basic = behind(value, "Basic "), *digest = behind(value, "Digest ");
    bool is_first = connection->login == OTA__WEB_LOGIN_NONE;

    if (!ota__web_needs_login(connection->web)) {
        return;
    }
    connection->login = OTA__WEB_LOGIN_WRONG;
    if (is_first && basic != NULL) {
        connection->login = judge_basic(connection->web, basic);
    } else if (is_first && digest != NULL) {
        connection->login = ota__web_digest_judge(connection, digest);
    }
}

void ota__web_login_put_challenges(const struct ota_web_connection *connection,
                                   struct ota_text *text)
{
    ota_text_put(text, "WWW-Authenticate: Basic realm=\"" OTA__WEB_REALM "\"\r\n");
    ota__web_digest_put_challenge(connection, text);
}

/* Asks for a login. */
static void challenge(struct ota_web_connection *connection, const char *text, uint32_t pause_ms)
{
    ota__web_digest_challenge(connection);
    ota__web_refuse_slowly(connection, 401, "LOGIN", text, pause_ms);
}

static void refuse_login(struct ota_web_connection *connection)
{
    struct ota_web *web = connection->web;
    const struct ota_web_options *options = &web->options;

    web->failed_logins = (uint8_t)ota__min(web->failed_logins + 1u, OTA__GUESSES_MAX);
    web->failed_ms = connection->http.now_ms;
    if (options->on_event != NULL) {
        options->on_event(options->context, OTA_WEB_LOGIN_FAILED);
    }
    challenge(connection, "wrong user name or password", pause_of(web));
}

bool ota__web_login_passes(struct ota_web_connection *connection)
{
    struct ota_web *web = connection->web;

    if (!ota__web_needs_login(web)) {
        return true;
    }
    if (connection->login == OTA__WEB_LOGIN_NONE) {
        challenge(connection, "a login is needed", 0);
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
    if (connection->login == OTA__WEB_LOGIN_STALE) {
        challenge(connection, "the login is out of date: give it once more", 0);
        return false;
    }
    web->failed_logins = 0;
    web->trusted = connection->peer;
    return true;
}
