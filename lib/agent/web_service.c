/* SPDX-License-Identifier: Apache-2.0 */
/* The web server as one of the agent's ways in: who comes and who has to go is decided here, what
   is said is lib/proto/web_*.c's. */

#include <updraft/web_service.h>

#include <string.h>

#include <updraft/slot.h>
#include <updraft/text.h>

#include "agent/agent_private.h"
#include "agent/turn.h"
#include "agent/web_connection.h"

/* A connection has this long to say what it wants before it may be closed for another; half of that
   when one was closed, and so on as long as more wait: a queue of those who say nothing is gone
   soon. An honest client's request is there when its connection is. */
#define PATIENCE_MS 2000u
#define PATIENCE_MIN_MS 100u

/* ---- What the log says ----------------------------------------------------------------------- */

static void report(const struct ota_web_service *service, enum ota_log_level level,
                   const char *text)
{
    ota__report(service->agent, level, service->service.name, text);
}

static void report_refusal(const struct ota_web_service *service)
{
    char line[128];
    struct ota_text text;

    ota_text_begin(&text, line, sizeof line);
    ota_text_put(&text, "an upload was refused: ");
    ota_text_put(&text, service->web.refused);
    report(service, OTA_LOG_WARNING, ota_text_end(&text));
}

/* The HTTP server has answered by itself: what is asked for was not understood. */
static void report_no_request(struct ota_web_service *service,
                              struct ota_web_service_connection *connection)
{
    const uint16_t status = connection->web.http.answer.status;
    char line[128];
    struct ota_text text;

    connection->is_refusal_told = true;
    ota_text_begin(&text, line, sizeof line);
    ota_text_put(&text, "a request was refused: ");
    ota_text_put_decimal(&text, status);
    ota_text_put(&text, " ");
    ota_text_put(&text, ota_http_reason(status));
    report(service, OTA_LOG_WARNING, ota_text_end(&text));
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
    case OTA_WEB_UPLOAD_REFUSED:
        report_refusal(service);
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
        ota__report_no_password(service->agent, service->service.name);
    }
}

/* ---- What the web asks for ------------------------------------------------------------------- */

static void on_restart(void *context, enum ota_restart_reason reason)
{
    const struct ota_web_service *service = context;

    ota_agent_restart_in(service->agent, OTA_WEB_SERVICE_RESTART_DELAY_MS, reason);
}

static enum ota_err random_bytes(void *context, void *data, size_t len)
{
    const struct ota_web_service *service = context;
    struct ota_platform *platform = service->agent->options.platform;

    return platform->random(platform, data, len);
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

/* ---- Who comes ------------------------------------------------------------------------------- */

static uint32_t patience_of(const struct ota_web_service *service)
{
    uint32_t patience = PATIENCE_MS >> service->pressed;

    return patience > PATIENCE_MIN_MS ? patience : PATIENCE_MIN_MS;
}

/* How long until a connection may be closed for another: one that waits for its first request or a
   further one, whose request's head is not whole yet, or whose answer is out and what it still
   sends is passed over. UINT32_MAX: it may not. */
static uint32_t stays_ms(const struct ota_web_service *service,
                         const struct ota_web_service_connection *connection, uint32_t now_ms)
{
    const struct ota_http_server *http = &connection->web.http;
    uint32_t patience = http->is_all_sent ? PATIENCE_MS : patience_of(service);
    uint32_t since = now_ms - http->since_ms;

    if (http->is_idle && http->requests > 0) {
        return 0;
    }
    if (!http->is_all_sent &&
        (http->state != OTA_HTTP_SERVER_HEAD || ota_http_server_is_answered(http))) {
        return UINT32_MAX;
    }
    return since < patience ? patience - since : 0;
}

/* Finds a free place, or the connection that has said nothing for the longest time. `*wait_ms` is
   how long until there is one. */
static struct ota_web_service_connection *find_place(const struct ota_web_service *service,
                                                     uint32_t now_ms, uint32_t *wait_ms)
{
    struct ota_web_service_connection *longest = NULL;

    *wait_ms = UINT32_MAX;
    for (unsigned i = 0; i < service->options.connection_count; i++) {
        struct ota_web_service_connection *connection = &service->options.connections[i];
        if (connection->stream == NULL) {
            *wait_ms = 0;
            return connection;
        }
        uint32_t stays = stays_ms(service, connection, now_ms);
        *wait_ms = stays < *wait_ms ? stays : *wait_ms;
        if (stays == 0 && (longest == NULL || now_ms - connection->web.http.since_ms >
                                                  now_ms - longest->web.http.since_ms)) {
            longest = connection;
        }
    }
    return longest;
}

static enum ota_err open_listener(struct ota_web_service *service)
{
    struct ota_platform *platform = service->agent->options.platform;
    uint16_t port = service->options.port != 0 ? service->options.port : OTA_WEB_SERVICE_PORT;
    service->service.port = port;
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

/* Makes room at a place, and lets somebody in there. */
static void give_place(struct ota_web_service *service, struct ota_web_service_connection *place,
                       struct ota_stream *stream, const struct ota_address *from, uint32_t now_ms)
{
    const struct ota_http_server *http = &place->web.http;
    bool was_silent = place->stream != NULL && (!http->is_idle || http->requests == 0);

    if (was_silent && patience_of(service) > PATIENCE_MIN_MS) {
        service->pressed++;
    }
    ota__web_connection_drop(place);
    place->stream = stream;
    place->has_ended = false;
    place->is_refusal_told = false;
    place->ahead = 0;
    ota_web_open(&place->web, &service->web, from, now_ms);
}

/* Lets in who comes, as long as there is a place. Returns how long until there is one for who
   waits: UINT32_MAX where that cannot be told, or nobody does. */
static uint32_t let_in(struct ota_web_service *service, uint32_t now_ms)
{
    struct ota_web_service_connection *place;
    struct ota_stream *stream;
    struct ota_address from;
    uint32_t wait_ms = UINT32_MAX;

    while (service->listener != NULL && (place = find_place(service, now_ms, &wait_ms)) != NULL) {
        memset(&from, 0, sizeof from);
        if (service->listener->accept(service->listener, &stream, &from) != OTA_OK) {
            close_listener(service);
            return UINT32_MAX;
        }
        if (stream == NULL) {
            service->listener->paused = false;
            service->pressed = 0; /* nobody waits */
            return UINT32_MAX;
        }
        give_place(service, place, stream, &from, now_ms);
    }
    if (service->listener != NULL) {
        service->listener->paused = true;
    }
    return wait_ms;
}

/* ---- The agent's calls ----------------------------------------------------------------------- */

static void drop_all(const struct ota_web_service *service)
{
    for (unsigned i = 0; i < service->options.connection_count; i++) {
        ota__web_connection_drop(&service->options.connections[i]);
    }
}

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
        .random = random_bytes,
        .on_restart = on_restart,
        .roll_back = roll_back,
        .on_event = on_event,
        .context = service,
    };

    service->agent = agent;
    service->is_paused = false;
    service->pressed = 0;
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

    now_ms = ota__peer_time(service->agent, now_ms);
    if (service->listener == NULL && open_listener(service) != OTA_OK) {
        wait_ms = OTA__LOOK_MS;
    }
    if (!service->is_paused) {
        (void)let_in(service, now_ms);
    }
    for (unsigned i = 0; i < service->options.connection_count; i++) {
        struct ota_web_service_connection *connection = &service->options.connections[i];
        if (connection->stream != NULL) {
            uint32_t wanted_ms = ota__web_connection_carry(connection, now_ms);
            if (connection->web.http.is_own_answer && !connection->is_refusal_told) {
                report_no_request(service, connection);
            }
            wait_ms = wanted_ms < wait_ms ? wanted_ms : wait_ms;
        }
    }
    if (!service->is_paused) {
        uint32_t place_ms = let_in(service, now_ms); /* where others have gone */
        wait_ms = place_ms < wait_ms ? place_ms : wait_ms;
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
