/* SPDX-License-Identifier: Apache-2.0 */
/* ElegantOTA's session, from its start to its upload: docs/formats/web-upload.md section 5. */

#include "proto/web_private.h"

#include "base/mem.h"

static bool has_session(const struct ota_web_connection *connection)
{
    const struct ota_web *web = connection->web;

    return web->has_session && connection->http.now_ms - web->session_ms <= OTA_WEB_SESSION_MS;
}

static bool is_its_peer(const struct ota_web_connection *connection)
{
    return ota_address_same_host(&connection->peer, &connection->web->session_peer);
}

/* Tells whether a start may take the place of the one that waits for its upload. It is a GET, which
   any page can have sent in between: it must say the same, or come from our own page, as where an
   upload broke off and another file is tried. */
static bool may_replace(const struct ota_web_connection *connection)
{
    const struct ota_web *web = connection->web;
    const struct ota_digest *hash = &connection->expected;

    if (connection->referer_is_ours) {
        return true;
    }
    return is_its_peer(connection) && web->session_is_data == connection->asks_data &&
           web->session_hash.algorithm == hash->algorithm &&
           memcmp(web->session_hash.bytes, hash->bytes, ota_digest_size(hash->algorithm)) == 0;
}

void ota__web_elegant_start(struct ota_web_connection *connection)
{
    struct ota_web *web = connection->web;
    struct ota_intake *intake = web->options.intake;
    const struct ota_arrival arrival = {
        .way = OTA__WEB_WAY,
        .is_data = connection->asks_data,
        .size = OTA_SIZE_UNKNOWN,
        .expected = connection->expected,
    };

    if (connection->is_bad_digest) {
        ota__web_refuse_as_original(connection, "MD5 parameter invalid");
        return;
    }
    if (web->upload.owner != NULL || !ota_intake_is_free(intake) ||
        (has_session(connection) && !may_replace(connection))) {
        ota__web_refuse_busy(connection);
        return;
    }
    enum ota_err err = ota_intake_ask(intake, &arrival);
    if (err != OTA_OK) {
        connection->err = err;
        connection->text = ota_intake_reason(intake);
        ota__web_say(connection, OTA__WEB_SAY_START_FAILED);
        return;
    }
    web->has_session = true;
    web->session_is_data = connection->asks_data;
    web->session_hash = connection->expected;
    web->session_peer = connection->peer;
    web->session_ms = connection->http.now_ms;
    ota__web_say(connection, OTA__WEB_SAY_STARTED);
}

bool ota__web_elegant_go_on(struct ota_web_connection *connection)
{
    struct ota_web *web = connection->web;

    if (!has_session(connection) || !is_its_peer(connection)) {
        return false;
    }
    web->has_session = false;
    connection->is_data = web->session_is_data;
    if (connection->expected.algorithm == OTA_HASH_NONE) {
        connection->expected = web->session_hash;
    }
    return true;
}
