/* SPDX-License-Identifier: Apache-2.0 */
/* The ESPHome update port as one of the agent's ways in: connections come and go here, what is said
   on them is lib/proto/esphome.c's. */
#include <updraft/esphome_service.h>
#include <updraft/text.h>

#include <string.h>

#include "agent/agent_private.h"
#include "agent/turn.h"

#define PIECE 1024u

/* ---- What the log says ----------------------------------------------------------------------- */

static struct ota_esphome_client *client_of(struct ota_esphome_service *service,
                                            const struct ota_esphome *esphome)
{
    struct ota_esphome_client *client = service->clients;

    while (&client->esphome != esphome) {
        client++;
    }
    return client;
}

static void report(const struct ota_esphome_service *service,
                   const struct ota_esphome_client *client, enum ota_log_level level,
                   const char *what, const char *why)
{
    char line[256], host[OTA_ADDRESS_TEXT_SIZE];
    struct ota_text text;

    ota_text_begin(&text, line, sizeof line);
    ota_text_put(&text, ota_address_host_text(&client->from, host));
    ota_text_put(&text, what);
    ota_text_put(&text, why);
    ota__report(service->agent, level, service->service.name, ota_text_end(&text));
}

/* What scans the network without speaking this protocol is nobody's business. */
static void report_failure(const struct ota_esphome_service *service,
                           const struct ota_esphome_client *client)
{
    enum ota_err err = client->esphome.failure.err;

    if (!client->has_greeted) {
        report(service, client, OTA_LOG_DEBUG,
               " does not speak this protocol: ", ota_err_text(err));
    } else {
        report(service, client, OTA_LOG_WARNING, ": ", ota_err_text(err));
    }
}

static void on_event(void *context, const struct ota_esphome *esphome, enum ota_esphome_event event)
{
    struct ota_esphome_service *service = context;
    struct ota_esphome_client *client = client_of(service, esphome);

    switch (event) {
    case OTA_ESPHOME_GREETED:
        client->has_greeted = true;
        report(service, client, OTA_LOG_INFO, " wants to update", "");
        break;
    case OTA_ESPHOME_WEAK_AUTH:
        report(service, client, OTA_LOG_WARNING,
               " can prove the password only by MD5, which is soon guessed by who listens", "");
        break;
    case OTA_ESPHOME_ACCEPTED: /* the restart follows when the host has gone: drop */
        service->agent->intake.is_closed |= !esphome->is_held;
        break;
    case OTA_ESPHOME_FAILED:
        report_failure(service, client);
        break;
    default: /* the intake reports the update itself */
        break;
    }
}

/* Said once: how easily this board is updated by somebody else. */
static void report_weakness(const struct ota_esphome_service *service)
{
    const char *password = service->options.password;

    if (password == NULL || password[0] == '\0') {
        ota__report_no_password(service->agent, service->service.name);
    }
}

/* ---- Connections ----------------------------------------------------------------------------- */

static void drop(struct ota_esphome_service *service, struct ota_esphome_client *client)
{
    bool wants_restart = client->esphome.is_accepted && !client->esphome.is_held;

    (void)ota_esphome_closed(&client->esphome, OTA_ERR_ABORTED);
    client->stream->close(client->stream);
    memset(client, 0, sizeof *client);
    if (wants_restart) {
        ota_agent_restart_in(service->agent, OTA_ESPHOME_RESTART_DELAY_MS, OTA_RESTART_UPDATE);
    }
}

/* Says no in the words of the protocol, to who has said nothing yet. The version comes before,
   because the first hosts do not look for an error there; and what has come is read, because the
   end is a reset otherwise. */
static void say_no(const struct ota_esphome_service *service, struct ota_stream *stream)
{
    const uint8_t answer[] = {0x00, service->options.version != 0 ? service->options.version : 2,
                              ota_esphome_error_byte(service->options.profile, OTA_ERR_BUSY)};
    uint8_t unread[16];
    size_t len;
    bool ended;

    (void)stream->read(stream, unread, sizeof unread, &len, &ended);
    (void)stream->write(stream, answer, sizeof answer, &len);
}

/* The same to who has greeted: in place of what it waits for. */
static void say_no_more(const struct ota_esphome_service *service, struct ota_stream *stream)
{
    const uint8_t answer = ota_esphome_error_byte(service->options.profile, OTA_ERR_BUSY);
    size_t len;

    (void)stream->write(stream, &answer, sizeof answer, &len);
}

/* Drops a client that has to go. One that waits for an answer is told: the first hosts wait for
   ever if they are not. */
static void dismiss(struct ota_esphome_service *service, struct ota_esphome_client *client)
{
    if (client->esphome.state == OTA_ESPHOME_GREETING) {
        say_no(service, client->stream);
    } else if (client->esphome.state == OTA_ESPHOME_TALKING) {
        say_no_more(service, client->stream);
    }
    drop(service, client);
}

static void send_some(struct ota_esphome_client *client)
{
    uint8_t piece[128];
    size_t len;

    while ((len = ota_esphome_output(&client->esphome, piece, sizeof piece)) > 0) {
        size_t sent = 0;
        enum ota_err err = client->stream->write(client->stream, piece, len, &sent);
        ota_esphome_sent(&client->esphome, sent);
        if (err != OTA_OK) {
            (void)ota_esphome_closed(&client->esphome, err);
            return;
        }
        if (sent < len) {
            return;
        }
    }
}

/* Returns true if more may be there at once. */
static bool receive_some(struct ota_esphome_client *client)
{
    uint8_t piece[PIECE];

    for (unsigned i = 0; i < OTA__PIECES_PER_TURN && client->esphome.state != OTA_ESPHOME_DONE;
         i++) {
        size_t len = 0;
        bool ended = false;
        enum ota_err err = client->stream->read(client->stream, piece, sizeof piece, &len, &ended);

        if (err == OTA_OK && len > 0) {
            client->heard_ms = client->esphome.now_ms;
            (void)ota_esphome_input(&client->esphome, piece, len);
            send_some(client);
        }
        if (err != OTA_OK || ended) {
            (void)ota_esphome_closed(&client->esphome, err);
            return false;
        }
        if (len == 0) {
            return false;
        }
    }
    return true;
}

/* Moves one connection on. Returns how long it can be left alone. */
static uint32_t carry(struct ota_esphome_service *service, struct ota_esphome_client *client)
{
    if (client->stream == NULL) {
        return UINT32_MAX;
    }
    (void)ota_esphome_tick(&client->esphome, service->now_ms);
    if (client->esphome.is_pausing) {
        client->heard_ms = service->now_ms; /* its silence is ours */
    }
    bool more = receive_some(client);
    if (client->esphome.state != OTA_ESPHOME_DONE) {
        send_some(client);
    }
    if (client->esphome.state == OTA_ESPHOME_DONE) {
        drop(service, client);
        return 0;
    }
    uint32_t wait_ms = more ? 0 : ota_esphome_wait_ms(&client->esphome);
    return wait_ms > OTA__LOOK_MS ? OTA__LOOK_MS : wait_ms;
}

/* ---- Who comes ------------------------------------------------------------------------------- */

/* Tells whether a client may be dropped for another one: nothing of it is under way. */
static bool yields(const struct ota_esphome_service *service,
                   const struct ota_esphome_client *client)
{
    return !client->esphome.has_begun && !client->esphome.is_accepted &&
           service->now_ms - client->heard_ms >= OTA_ESPHOME_SILENCE_MS;
}

/* Finds a place: a free one, or that of the client that has been silent longest. */
static struct ota_esphome_client *find_place(struct ota_esphome_service *service)
{
    struct ota_esphome_client *place = NULL;

    if (service->is_paused) {
        return NULL;
    }
    for (unsigned i = 0; i < OTA_ESPHOME_CLIENTS; i++) {
        struct ota_esphome_client *client = &service->clients[i];
        if (client->stream == NULL) {
            return client;
        }
        if (yields(service, client) && (place == NULL || service->now_ms - client->heard_ms >
                                                             service->now_ms - place->heard_ms)) {
            place = client;
        }
    }
    if (place != NULL) {
        dismiss(service, place);
    }
    return place;
}

static void welcome(struct ota_esphome_service *service, struct ota_stream *stream,
                    const struct ota_address *from)
{
    struct ota_esphome_client *client = find_place(service);

    if (client == NULL) {
        say_no(service, stream);
        stream->close(stream);
        return;
    }
    client->stream = stream;
    client->from = *from;
    client->heard_ms = service->now_ms;
    (void)ota_esphome_begin(&client->esphome, &service->protocol,
                            service->now_ms); /* tried before */
}

static enum ota_err open_listener(struct ota_esphome_service *service)
{
    struct ota_platform *platform = service->agent->options.platform;
    enum ota_esphome_profile profile = service->options.profile;
    uint16_t port = service->options.port;

    if (profile == OTA_ESPHOME_BY_CHIP) {
        profile = ota_esphome_profile_of(service->agent->options.device);
    }
    service->service.port = port != 0 ? port : ota_esphome_port(profile);
    enum ota_err err = platform->listen(platform, service->service.port, &service->listener);
    if (err != OTA_OK) {
        service->listener = NULL;
    }
    return err;
}

static void close_listener(struct ota_esphome_service *service)
{
    if (service->listener != NULL) {
        service->listener->close(service->listener);
        service->listener = NULL;
    }
}

static void look_who_comes(struct ota_esphome_service *service)
{
    struct ota_stream *stream = NULL;
    struct ota_address from;
    enum ota_err err = OTA_OK;

    if (service->listener == NULL && open_listener(service) != OTA_OK) {
        return;
    }
    do {
        err = service->listener->accept(service->listener, &stream, &from);
        if (err == OTA_OK && stream != NULL) {
            welcome(service, stream, &from);
        }
    } while (err == OTA_OK && stream != NULL);
    if (err != OTA_OK) {
        close_listener(service);
    }
}

/* ---- The agent's calls ----------------------------------------------------------------------- */

static enum ota_err random_bytes(void *context, void *data, size_t len)
{
    const struct ota_esphome_service *service = context;
    struct ota_platform *platform = service->agent->options.platform;

    return platform->random(platform, data, len);
}

static enum ota_err begin(struct ota_service *base, struct ota_agent *agent)
{
    struct ota_esphome_service *service = (struct ota_esphome_service *)base;

    service->agent = agent;
    service->protocol = (struct ota_esphome_options){
        .intake = &agent->intake,
        .profile = service->options.profile,
        .version = service->options.version,
        .password = service->options.password,
        .guesses = &service->guesses,
        .refuse_md5 = service->options.refuse_md5,
        .random = random_bytes,
        .on_event = on_event,
        .context = service,
    };
    if (agent->options.platform->listen == NULL ||
        ota_esphome_begin(&service->clients[0].esphome, &service->protocol, 0) != OTA_OK) {
        return OTA_ERR_ARGUMENT;
    }
    memset(service->clients, 0, sizeof service->clients);
    enum ota_err err = open_listener(service);
    if (err == OTA_OK) {
        report_weakness(service);
    }
    return err;
}

static void drop_all(struct ota_esphome_service *service)
{
    for (unsigned i = 0; i < OTA_ESPHOME_CLIENTS; i++) {
        if (service->clients[i].stream != NULL) {
            dismiss(service, &service->clients[i]);
        }
    }
}

static uint32_t poll(struct ota_service *base, uint32_t now_ms)
{
    struct ota_esphome_service *service = (struct ota_esphome_service *)base;
    uint32_t wait_ms = UINT32_MAX;

    service->now_ms = ota__peer_time(service->agent, now_ms);
    look_who_comes(service);
    for (unsigned i = 0; i < OTA_ESPHOME_CLIENTS; i++) {
        uint32_t wanted_ms = carry(service, &service->clients[i]);
        wait_ms = wanted_ms < wait_ms ? wanted_ms : wait_ms;
    }
    return service->listener == NULL && wait_ms > OTA__LOOK_MS ? OTA__LOOK_MS : wait_ms;
}

static void end(struct ota_service *base)
{
    struct ota_esphome_service *service = (struct ota_esphome_service *)base;

    drop_all(service);
    close_listener(service);
}

/* Who comes meanwhile is turned away, not left waiting: the platform would wake up for it without
   end. */
static void pause(struct ota_service *base, bool paused)
{
    struct ota_esphome_service *service = (struct ota_esphome_service *)base;

    service->is_paused = paused;
    if (paused) {
        drop_all(service);
    }
}

void ota_esphome_service_init(struct ota_esphome_service *service,
                              const struct ota_esphome_service_options *options)
{
    memset(service, 0, sizeof *service);
    service->options = *options;
    service->service = (struct ota_service){
        .name = "esphome",
        .begin = begin,
        .poll = poll,
        .end = end,
        .pause = pause,
    };
}
