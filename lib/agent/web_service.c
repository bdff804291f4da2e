/* SPDX-License-Identifier: Apache-2.0 */
/* The web server as one of the agent's ways in: connections are here, what is said on them is
   lib/proto/web_*.c's. */

#include <updraft/web_service.h>

#include <string.h>

#include <updraft/slot.h>

#include "agent/agent_private.h"
#include "agent/turn.h"

#define PIECE 1460u
/* Who waits for a place is looked at again after this time. */
#define CROWDED_LOOK_MS 200u
/* A new connection has this long to say something before it may be closed for another. */
#define PATIENCE_MS 2000u

/* ---- What the log says ------------------------------------------------------------------------ */

static void report(const struct ota_web_service *service, enum ota_log_level level,
                   const char *text)
{
    ota__report(service->agent, level, service->service.name, text);
}

static void on_event(void *context, enum ota_web_event event)
{
    const struct ota_web_service *service = context;

    switch (event) {
    case OTA_WEB_LOGIN_FAILED:
        report(service, OTA_LOG_WARNING, "a login with a wrong name or password was refused");
        break;
    case OTA_WEB_FOREIGN_REFUSED:
        report(service, OTA_LOG_WARNING,
               "a request was refused that another site's page sent, or that came by a strange "
               "name");
        break;
    case OTA_WEB_RESTART_ASKED:
        report(service, OTA_LOG_INFO, "a restart was asked for");
        break;
    default:
        report(service, OTA_LOG_INFO, "the running image is given up for the other one");
        ota__agent_tell(service->agent, OTA_AGENT_REJECTED);
        break;
    }
}

/* Said once: how easily this board is updated by somebody else. */
static void report_weakness(const struct ota_web_service *service)
{
    const char *password = service->options.password;

    if (password == NULL || password[0] == '\0') {
        report(service, OTA_LOG_WARNING,
               "no password is set: whoever reaches this board can update it");
    }
}

/* ---- What the web asks for -------------------------------------------------------------------- */

static void on_restart(void *context, enum ota_restart_reason reason)
{
    const struct ota_web_service *service = context;

    ota_agent_restart_in(service->agent, OTA_WEB_SERVICE_RESTART_DELAY_MS, reason);
}

/* An image on trial that is given up need not be watched any more. */
static enum ota_err roll_back(void *context)
{
    const struct ota_web_service *service = context;
    enum ota_err err = ota_slot_reject(service->agent->options.device);

    if (err == OTA_OK) {
        service->agent->is_on_trial = false;
    }
    return err;
}

/* ---- Connections ------------------------------------------------------------------------------ */

static void drop(struct ota_web_service_connection *connection)
{
    if (connection->stream != NULL) {
        ota_http_server_closed(&connection->web.http, OTA_ERR_CONNECTION_LOST);
        connection->stream->close(connection->stream);
        connection->stream = NULL;
    }
}

static void drop_all(const struct ota_web_service *service)
{
    for (unsigned i = 0; i < service->options.connection_count; i++) {
        drop(&service->options.connections[i]);
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

/* Feeds what came; what is left over belongs to the next request, and waits. */
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
    if (len > sizeof connection->stash) {
        ota_http_server_closed(http, OTA_ERR_PROTOCOL); /* never reads so much ahead */
        len = 0;
    }
    memmove(connection->stash, data, len);
    connection->stash_len = (uint8_t)len;
}

/* How much may be read now. In a head as much as the stash can keep; of a body all that is left. */
static size_t readable(const struct ota_web_service_connection *connection)
{
    size_t wanted = ota_http_server_wanted(&connection->web.http);

    if (wanted == 0 || connection->has_ended) {
        return 0;
    }
    if (wanted < sizeof connection->stash) {
        wanted = sizeof connection->stash;
    }
    return wanted < PIECE ? wanted : PIECE;
}

/* Returns true if more may be there at once. */
static bool receive_some(struct ota_web_service_connection *connection)
{
    struct ota_http_server *http = &connection->web.http;
    uint8_t piece[PIECE];

    for (unsigned i = 0; i < OTA__PIECES_PER_TURN; i++) {
        if (connection->stash_len > 0 && ota_http_server_wanted(http) > 0) {
            feed(connection, connection->stash, connection->stash_len);
        }
        size_t len = 0, capacity = readable(connection);
        if (capacity == 0 || connection->stash_len > 0) {
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

/* Moves a connection on. Returns how long it can be left alone. */
static uint32_t carry(struct ota_web_service_connection *connection, uint32_t now_ms)
{
    struct ota_http_server *http = &connection->web.http;

    ota_http_server_tick(http, now_ms);
    send_some(connection);
    bool more = receive_some(connection);
    if (connection->web.reason != 0) {
        connection->web.web->options.intake->is_closed = true; /* a restart follows the answer */
    }
    if (http->state == OTA_HTTP_SERVER_OVER) {
        drop(connection);
        return UINT32_MAX;
    }
    uint32_t wait_ms = more ? 0 : ota_http_server_wait_ms(http);
    return wait_ms < OTA__LOOK_MS ? wait_ms : OTA__LOOK_MS;
}

/* ---- Who comes -------------------------------------------------------------------------------- */

/* A connection that only waits for a request, the longest of them, and may be closed for another.
   */
static bool may_go(const struct ota_web_service_connection *connection, uint32_t now_ms)
{
    const struct ota_http_server *http = &connection->web.http;

    return http->is_idle && (http->requests > 0 || now_ms - http->since_ms >= PATIENCE_MS);
}

static struct ota_web_service_connection *find_place(const struct ota_web_service *service,
                                                     uint32_t now_ms)
{
    struct ota_web_service_connection *longest = NULL;

    for (unsigned i = 0; i < service->options.connection_count; i++) {
        struct ota_web_service_connection *connection = &service->options.connections[i];
        if (connection->stream == NULL) {
            return connection;
        }
        if (may_go(connection, now_ms) &&
            (longest == NULL ||
             now_ms - connection->web.http.since_ms > now_ms - longest->web.http.since_ms)) {
            longest = connection;
        }
    }
    return longest;
}

static enum ota_err open_listener(struct ota_web_service *service)
{
    struct ota_platform *platform = service->agent->options.platform;
    uint16_t port = service->options.port != 0 ? service->options.port : OTA_WEB_SERVICE_PORT;
    enum ota_err err = platform->listen(platform, port, &service->listener);

    if (err != OTA_OK) {
        service->listener = NULL;
    }
    return err;
}

static void close_listener(struct ota_web_service *service)
{
    if (service->listener != NULL) {
        service->listener->close(service->listener);
        service->listener = NULL;
    }
}

/* Lets in who comes, as long as there is a place. */
static void let_in(struct ota_web_service *service, uint32_t now_ms)
{
    struct ota_web_service_connection *place;
    struct ota_stream *stream;
    struct ota_address from;

    while (service->listener != NULL && (place = find_place(service, now_ms)) != NULL) {
        memset(&from, 0, sizeof from);
        if (service->listener->accept(service->listener, &stream, &from) != OTA_OK) {
            close_listener(service);
            return;
        }
        if (stream == NULL) {
            break;
        }
        drop(place);
        place->stream = stream;
        place->has_ended = false;
        place->stash_len = 0;
        ota_web_open(&place->web, &service->web, &from, now_ms);
    }
    if (service->listener != NULL) {
        service->listener->paused = service->is_paused || find_place(service, now_ms) == NULL;
    }
}

/* ---- The agent's calls ------------------------------------------------------------------------ */

static enum ota_err begin(struct ota_service *base, struct ota_agent *agent)
{
    struct ota_web_service *service = (struct ota_web_service *)base;
    struct ota_platform *platform = agent->options.platform;
    const struct ota_web_service_options *options = &service->options;
    struct ota_web_options web = {
        .intake = &agent->intake,
        .device = agent->options.device,
        .name = options->name != NULL ? options->name : agent->options.host_name,
        .host_name = options->host_name != NULL ? options->host_name : agent->options.host_name,
        .origin = options->origin,
        .user = options->user,
        .password = options->password,
        .page = options->page,
        .page_len = options->page_len,
        .restart = options->restart,
        .on_restart = on_restart,
        .roll_back = roll_back,
        .on_event = on_event,
        .context = service,
    };

    service->agent = agent;
    service->is_paused = false;
    if (platform->listen == NULL || options->connections == NULL ||
        options->connection_count == 0) {
        return OTA_ERR_ARGUMENT;
    }
    if (platform->random(platform, &web.boot, sizeof web.boot) != OTA_OK) {
        web.boot = platform->now_ms(platform);
    }
    memset(options->connections, 0, options->connection_count * sizeof *options->connections);
    enum ota_err err = ota_web_init(&service->web, &web);
    if (err == OTA_OK) {
        err = open_listener(service);
    }
    if (err == OTA_OK) {
        report_weakness(service);
    }
    return err;
}

static uint32_t poll(struct ota_service *base, uint32_t now_ms)
{
    struct ota_web_service *service = (struct ota_web_service *)base;
    uint32_t wait_ms = UINT32_MAX;

    if (service->listener == NULL && open_listener(service) != OTA_OK) {
        wait_ms = OTA__LOOK_MS;
    }
    if (!service->is_paused) {
        let_in(service, now_ms);
    }
    for (unsigned i = 0; i < service->options.connection_count; i++) {
        struct ota_web_service_connection *connection = &service->options.connections[i];
        if (connection->stream != NULL) {
            uint32_t wanted_ms = carry(connection, now_ms);
            wait_ms = wanted_ms < wait_ms ? wanted_ms : wait_ms;
        }
    }
    if (!service->is_paused) {
        let_in(service, now_ms); /* where others have gone */
        if (service->listener != NULL && service->listener->paused && wait_ms > CROWDED_LOOK_MS) {
            wait_ms = CROWDED_LOOK_MS;
        }
    }
    return wait_ms;
}

static void end(struct ota_service *base)
{
    struct ota_web_service *service = (struct ota_web_service *)base;

    drop_all(service);
    close_listener(service);
}

static void pause(struct ota_service *base, bool paused)
{
    struct ota_web_service *service = (struct ota_web_service *)base;

    service->is_paused = paused;
    if (paused) {
        drop_all(service);
    }
    if (service->listener != NULL) {
        service->listener->paused = paused;
    }
}

static bool advert(struct ota_service *base, struct ota_advert *advert)
{
    struct ota_web_service *service = (struct ota_web_service *)base;

    if (service->listener == NULL) {
        return false;
    }
    service->txt[0] = "path=/update";
    service->txt[1] = NULL;
    advert->type = "_http._tcp";
    advert->port = service->listener->port;
    advert->txt = service->txt;
    return true;
}

void ota_web_service_init(struct ota_web_service *service,
                          const struct ota_web_service_options *options)
{
    memset(service, 0, sizeof *service);
    service->options = *options;
    service->service = (struct ota_service){
        .name = "http",
        .begin = begin,
        .poll = poll,
        .end = end,
        .pause = pause,
        .advert = advert,
    };
}
