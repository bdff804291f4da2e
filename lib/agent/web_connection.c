/* SPDX-License-Identifier: Apache-2.0 */
/* One connection of the web server: bytes between its stream and lib/proto/http_server.c. */

#include "agent/web_connection.h"

#include <string.h>

#include "agent/turn.h"

#define PIECE 1460u

void ota__web_connection_drop(struct ota_web_service_connection *connection)
{
    if (connection->stream != NULL) {
        ota_http_server_closed(&connection->web.http, OTA_ERR_CONNECTION_LOST);
        connection->stream->close(connection->stream);
        connection->stream = NULL;
    }
}

static void send_some(struct ota_web_service_connection *connection)
{
    struct ota_http_server *http = &connection->web.http;
    uint8_t piece[PIECE];
    size_t len;

    while ((len = ota_http_server_output(http, piece, sizeof piece)) > 0) {
        size_t sent = 0;
        enum ota_err err = connection->stream->write(connection->stream, piece, len, &sent);
        ota_http_server_sent(http, sent);
        if (err != OTA_OK) {
            ota_http_server_closed(http, err);
            return;
        }
        if (sent < len) {
            return;
        }
    }
}

/* Feeds what came. What is left over belongs to the next request, and waits in the connection's own
   buffer, which is empty until then. */
static void feed(struct ota_web_service_connection *connection, const uint8_t *data, size_t len)
{
    struct ota_http_server *http = &connection->web.http;

    while (len > 0) {
        size_t taken = ota_http_server_input(http, data, len);
        data += taken;
        len -= taken;
        send_some(connection);
        if (taken == 0) {
            break;
        }
    }
    if (len > sizeof connection->web.buffer || http->state != OTA_HTTP_SERVER_WHOLE) {
        len = 0; /* never reads so much ahead; and of a connection that is over nothing matters */
    }
    memcpy(connection->web.buffer, data, len);
    connection->ahead = (uint16_t)len;
}

/* How much may be read now. In a head as much as its buffer can keep; of a body all that is
   left. */
static size_t readable(const struct ota_web_service_connection *connection)
{
    size_t wanted = ota_http_server_wanted(&connection->web.http);

    if (wanted == 0 || connection->has_ended) {
        return 0;
    }
    if (wanted < sizeof connection->web.buffer) {
        wanted = sizeof connection->web.buffer;
    }
    return wanted < PIECE ? wanted : PIECE;
}

/* Returns true if more may be there at once. */
static bool receive_some(struct ota_web_service_connection *connection)
{
    struct ota_http_server *http = &connection->web.http;
    uint8_t piece[PIECE];

    for (unsigned i = 0; i < OTA__PIECES_PER_TURN; i++) {
        if (connection->ahead > 0 && ota_http_server_wanted(http) > 0) {
            memcpy(piece, connection->web.buffer, connection->ahead);
            feed(connection, piece, connection->ahead);
        }
        size_t len = 0, capacity = readable(connection);
        if (capacity == 0 || connection->ahead > 0) {
            return false;
        }
        enum ota_err err = connection->stream->read(connection->stream, piece, capacity, &len,
                                                    &connection->has_ended);
        if (err == OTA_OK && len > 0) {
            feed(connection, piece, len);
        }
        if (err != OTA_OK || connection->has_ended) {
            ota_http_server_closed(http, err);
            send_some(connection);
            return false;
        }
        if (len == 0) {
            return false;
        }
    }
    return true;
}

uint32_t ota__web_connection_carry(struct ota_web_service_connection *connection, uint32_t now_ms)
{
    struct ota_http_server *http = &connection->web.http;

    ota_http_server_tick(http, now_ms);
    send_some(connection);
    bool more = receive_some(connection);
    connection->stream->paused = readable(connection) == 0 || connection->ahead > 0;
    if (connection->web.reason != 0) {
        connection->web.web->options.intake->is_closed = true; /* a restart follows the answer */
    }
    if (http->state == OTA_HTTP_SERVER_OVER) {
        ota__web_connection_drop(connection);
        return UINT32_MAX;
    }
    uint32_t wait_ms = more ? 0 : ota_http_server_wait_ms(http);
    return wait_ms < OTA__LOOK_MS ? wait_ms : OTA__LOOK_MS;
}
