/* SPDX-License-Identifier: Apache-2.0 */
/* The Arduino update protocol as one of the agent's ways in: datagrams and the connection back are
   here, what is said in them is lib/proto/espota*.c's. */
#include <updraft/espota_service.h>
#include <updraft/text.h>

#include <string.h>

#include "agent/agent_private.h"
#include "agent/connect.h"
#include "agent/turn.h"

#define PIECE 1460u
#define DATAGRAMS_PER_TURN 8u
#define DATAGRAM_MAX 192u /* what is longer is none of this protocol */

/* ---- What the log says ----------------------------------------------------------------------- */

static void report(const struct ota_espota_service *service, enum ota_log_level level,
                   const char *text)
{
    ota__report(service->agent, level, service->service.name, text);
}

/* "192.168.1.50", then the words. */
static void report_host(const struct ota_espota_service *service, enum ota_log_level level,
                        const char *what, const char *why)
{
    char line[256];
    char host[OTA_ADDRESS_TEXT_SIZE];
    struct ota_text text;

    ota_text_begin(&text, line, sizeof line);
    ota_text_put(&text, ota_address_host_text(&service->espota.dial, host));
    ota_text_put(&text, what);
    ota_text_put(&text, why);
    report(service, level, ota_text_end(&text));
}

static void report_connect(const struct ota_espota_service *service)
{
    char line[160];
    char host[OTA_ADDRESS_TEXT_SIZE];
    struct ota_text text;

    ota_text_begin(&text, line, sizeof line);
    ota_text_put(&text, "cannot connect to ");
    ota_text_put(&text, ota_address_host_text(&service->espota.dial, host));
    ota_text_put(&text, " port ");
    ota_text_put_decimal(&text, service->espota.dial.port);
    ota_text_put(&text, ": a firewall there may block it");
    report(service, OTA_LOG_WARNING, ota_text_end(&text));
}

static void report_error(const struct ota_espota_service *service)
{
    const struct ota_espota *espota = &service->espota;

    switch (espota->error) {
    case OTA_ESPOTA_ERROR_AUTH:
        report_host(service, OTA_LOG_WARNING, " gave a wrong password", "");
        break;
    case OTA_ESPOTA_ERROR_CONNECT:
        report_connect(service);
        break;
    case OTA_ESPOTA_ERROR_RECEIVE:
        report_host(service, OTA_LOG_WARNING, ": ", ota_espota_reason(espota));
        break;
    default: /* mostly the intake's, which the agent reports */
        report_host(service, OTA_LOG_DEBUG, ": ", ota_espota_reason(espota));
        break;
    }
}

static void report_event(const struct ota_espota_service *service, enum ota_espota_event event)
{
    const struct ota_espota *espota = &service->espota;

    switch (event) {
    case OTA_ESPOTA_INVITED:
        report_host(service, OTA_LOG_DEBUG, " wants to push ",
                    espota->is_data ? "a file system" : "a sketch");
        break;
    case OTA_ESPOTA_LOGGED_IN:
        if (espota->login == OTA_ESPOTA_LOGIN_MD5) {
            report_host(service, OTA_LOG_WARNING,
                        " proved the password by MD5 only, which is soon guessed by who listens",
                        "");
        } else {
            report_host(service, OTA_LOG_INFO, " proved the password", "");
        }
        break;
    case OTA_ESPOTA_ERROR:
        report_error(service);
        break;
    default:
        break;
    }
}

/* Said once: how easily this board is updated by somebody else. */
static void report_weakness(const struct ota_espota_service *service)
{
    const struct ota_espota_options *options = &service->espota.options;

    if (!ota_espota_wants_password(options)) {
        ota__report_no_password(service->agent, service->service.name);
    } else if (ota_espota_allows_md5(options)) {
        report(service, OTA_LOG_INFO,
               "logins by MD5 are allowed, for old tools; they are weak: allow SHA-256 only if you "
               "can");
    }
}

/* What a gate holds the agent restarts into, later. */
static bool wants_restart(const struct ota_espota_service *service)
{
    return !service->options.stay && service->agent->intake.state != OTA_INTAKE_HELD;
}

/* From the acceptance on, before the host is told, nobody else is let in: what the restart would
   cut short could be what the host believes to be there. */
static void close_door(const struct ota_espota_service *service)
{
    const struct ota_espota *espota = &service->espota;

    if (espota->state >= OTA_ESPOTA_SETTLING && espota->failure.err == OTA_OK &&
        wants_restart(service)) {
        service->agent->intake.is_closed = true;
    }
}

/* The restart follows when everything was said: the agent waits for the end of this turn. */
static void restart_if_wanted(struct ota_espota_service *service)
{
    struct ota_agent *agent = service->agent;

    if (!wants_restart(service)) {
        return;
    }
    ota_agent_restart_in(agent, OTA_ESPOTA_RESTART_DELAY_MS,
                         service->espota.is_data ? OTA_RESTART_REQUESTED : OTA_RESTART_UPDATE);
}

static void on_event(void *context, const struct ota_espota *espota, enum ota_espota_event event)
{
    struct ota_espota_service *service = context;

    report_event(service, event);
    if (service->options.on_event != NULL) {
        service->options.on_event(service->options.context, espota, event);
    }
    if (event == OTA_ESPOTA_END) {
        restart_if_wanted(service);
    }
}

/* ---- Datagrams ------------------------------------------------------------------------------- */

static void close_datagrams(struct ota_espota_service *service)
{
    if (service->datagrams != NULL) {
        service->datagrams->close(service->datagrams);
        service->datagrams = NULL;
    }
}

static enum ota_err open_datagrams(struct ota_espota_service *service)
{
    struct ota_platform *platform = service->agent->options.platform;
    uint16_t port = service->options.port;

    if (port == 0) {
        port = ota_espota_port(service->espota.options.profile);
    }
    service->service.port = port;
    enum ota_err err = platform->open_datagrams(platform, port, &service->datagrams);
    if (err != OTA_OK) {
        service->datagrams = NULL;
    }
    return err;
}

static void reply(struct ota_espota_service *service)
{
    char text[OTA_ESPOTA_REPLY_SIZE];
    struct ota_address to;
    size_t len = ota_espota_reply(&service->espota, &to, text, sizeof text);

    if (len > 0 && service->datagrams != NULL) {
        (void)service->datagrams->send(service->datagrams, text, len, &to);
    }
}

/* Returns true if more may be there at once. */
static bool take_datagrams(struct ota_espota_service *service)
{
    char data[DATAGRAM_MAX];
    struct ota_address from;

    if (service->datagrams == NULL && open_datagrams(service) != OTA_OK) {
        return false;
    }
    for (unsigned i = 0; i < DATAGRAMS_PER_TURN; i++) {
        size_t len = 0;
        enum ota_err err =
            service->datagrams->receive(service->datagrams, data, sizeof data, &len, &from);
        if (err != OTA_OK) {
            close_datagrams(service);
            return false;
        }
        if (len == 0) {
            return false;
        }
        ota_espota_datagram(&service->espota, &from, data, len);
        reply(service);
    }
    return true;
}

/* ---- The connection -------------------------------------------------------------------------- */

static void connect_back(struct ota_espota_service *service)
{
    struct ota_platform *platform = service->agent->options.platform;
    enum ota_err err = platform->connect_to(platform, &service->espota.dial, &service->stream);

    service->has_ended = false;
    if (err == OTA_OK) {
        ota_espota_connected(&service->espota);
    } else {
        service->stream = NULL;
        ota_espota_closed(&service->espota, err);
    }
}

static void send_some(struct ota_espota_service *service)
{
    uint8_t piece[OTA_ESPOTA_REPLY_SIZE];
    size_t len;

    while ((len = ota_espota_output(&service->espota, piece, sizeof piece)) > 0) {
        size_t sent = 0;
        enum ota_err err = service->stream->write(service->stream, piece, len, &sent);
        ota_espota_sent(&service->espota, sent);
        if (err != OTA_OK) {
            ota_espota_closed(&service->espota, err);
            return;
        }
        if (sent < len) {
            return;
        }
    }
}

/* Takes what is there; the turn acknowledges it in one piece, so that neither side is kept busy
   with that. Returns true if more may be there at once. */
static bool receive_some(struct ota_espota_service *service)
{
    uint8_t piece[PIECE];

    for (unsigned i = 0; i < OTA__PIECES_PER_TURN; i++) {
        size_t len = 0;
        if (service->has_ended || !ota_espota_has_connection(&service->espota)) {
            return false;
        }
        enum ota_err err =
            service->stream->read(service->stream, piece, sizeof piece, &len, &service->has_ended);
        if (err == OTA_OK && len > 0) {
            ota_espota_input(&service->espota, piece, len);
        }
        if (err != OTA_OK || service->has_ended) {
            ota_espota_closed(&service->espota, err);
            return false;
        }
        if (len == 0) {
            return false;
        }
    }
    return true;
}

/* ---- The agent's calls ----------------------------------------------------------------------- */

static enum ota_err random_bytes(void *context, void *data, size_t len)
{
    struct ota_platform *platform =
        ((const struct ota_espota_service *)context)->agent->options.platform;

    return platform->random(platform, data, len);
}

static enum ota_err begin(struct ota_service *base, struct ota_agent *agent)
{
    struct ota_espota_service *service = (struct ota_espota_service *)base;
    struct ota_platform *platform = agent->options.platform;
    const struct ota_espota_options options = {
        .intake = &agent->intake,
        .profile = service->options.profile,
        .password = service->options.password,
        .sha256_hash = service->options.sha256_hash,
        .md5_hash = service->options.md5_hash,
        .login = service->options.login,
        .gap_ms = service->options.gap_ms,
        .receive_timeout_ms = service->options.receive_timeout_ms,
        .random = random_bytes,
        .on_event = on_event,
        .context = service,
    };

    service->agent = agent;
    if (platform->open_datagrams == NULL || platform->connect_to == NULL) {
        return OTA_ERR_ARGUMENT;
    }
    enum ota_err err = ota_espota_begin(&service->espota, &options, platform->now_ms(platform));
    if (err == OTA_OK) {
        err = open_datagrams(service);
    }
    if (err == OTA_OK) {
        report_weakness(service);
    }
    return err;
}

static uint32_t poll(struct ota_service *base, uint32_t now_ms)
{
    struct ota_espota_service *service = (struct ota_espota_service *)base;
    struct ota_espota *espota = &service->espota;

    ota_espota_tick(espota, ota__peer_time(service->agent, now_ms));
    reply(service);
    bool more = take_datagrams(service);
    if (espota->state == OTA_ESPOTA_CONNECTING) {
        ota__disconnect(&service->stream);
        connect_back(service);
    }
    if (service->stream != NULL) {
        more = receive_some(service) || more;
        send_some(service);
        close_door(service);
        if (!ota_espota_has_connection(espota)) {
            ota__disconnect(&service->stream);
        }
    }
    uint32_t wait_ms = more ? 0 : ota_espota_wait_ms(espota);
    bool looks = service->stream != NULL || service->datagrams == NULL;
    return looks && wait_ms > OTA__LOOK_MS ? OTA__LOOK_MS : wait_ms;
}

static void end(struct ota_service *base)
{
    struct ota_espota_service *service = (struct ota_espota_service *)base;

    ota_espota_stop(&service->espota);
    ota__disconnect(&service->stream);
    close_datagrams(service);
}

/* Invitations are still answered, with the reason why not: the intake is taken. */
static void pause(struct ota_service *base, bool paused)
{
    struct ota_espota_service *service = (struct ota_espota_service *)base;

    if (paused && service->stream != NULL) {
        ota_espota_stop(&service->espota);
        ota__disconnect(&service->stream);
    }
}

/* "esp32s3", as Arduino spells its variants. */
static void put_board(const struct ota_espota_service *service, struct ota_text *text)
{
    const struct ota_device *device = service->agent->options.device;
    const struct ota_chip_facts *facts = ota_chip_facts(device->chip.id);
    const char *name = service->options.board;

    if (name == NULL) {
        name = service->espota.options.profile == OTA_ESPOTA_ESP8266 || facts == NULL ? "generic"
                                                                                      : facts->name;
    }
    for (; *name != '\0'; name++) {
        if (*name != '-' || service->options.board != NULL) {
            ota_text_put_bytes(text, name, 1);
        }
    }
}

static bool advert(struct ota_service *base, struct ota_advert *advert)
{
    struct ota_espota_service *service = (struct ota_espota_service *)base;
    const struct ota_unwrap *unwrap = service->agent->options.unwrap;
    struct ota_text text;

    if (service->datagrams == NULL) {
        return false;
    }
    ota_text_begin(&text, service->board, sizeof service->board);
    ota_text_put(&text, "board=");
    put_board(service, &text);
    service->txt[0] = "tcp_check=no";
    service->txt[1] = "ssh_upload=no";
    service->txt[2] = ota_text_end(&text);
    service->txt[3] =
        ota_espota_wants_password(&service->espota.options) ? "auth_upload=yes" : "auth_upload=no";
    service->txt[4] =
        unwrap != NULL && ota_decoders_take_gzip(unwrap->decoders) ? "accept=gzip" : NULL;
    service->txt[5] = NULL;
    advert->type = "_arduino._tcp";
    advert->port = service->datagrams->port;
    advert->txt = service->txt;
    return true;
}

void ota_espota_service_init(struct ota_espota_service *service,
                             const struct ota_espota_service_options *options)
{
    memset(service, 0, sizeof *service);
    service->options = *options;
    service->service = (struct ota_service){
        .name = "espota",
        .begin = begin,
        .poll = poll,
        .end = end,
        .pause = pause,
        .advert = advert,
    };
}
