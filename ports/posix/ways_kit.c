/* SPDX-License-Identifier: Apache-2.0 */
/* The ways into a virtual board, put together. */

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <updraft/page.h>

#include "posix/tls_store.h"
#include "posix/ways_kit.h"

#define EVERY_DAY 0x7F
#define HOLD_RETRY_MS 5000u

static void say(const struct ways_kit *kit, enum ota_log_level level, const char *tag,
                const char *format, ...) __attribute__((format(printf, 4, 5)));

static void say(const struct ways_kit *kit, enum ota_log_level level, const char *tag,
                const char *format, ...)
{
    struct ota_platform *platform = &kit->board->platform.platform;
    char line[640];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    platform->log(platform, level, tag, line);
}

/* ---- Policy ---------------------------------------------------------------------------------- */

/* `updraft board hold` and `release`: the battery or the machine that is not in a safe state. */
static enum ota_err ask_hold(void *context, const struct ota_gate_question *question,
                             struct ota_gate_answer *answer)
{
    const struct board *board = context;
    (void)question;
    if (board->state->hold[0] == '\0') {
        return OTA_OK;
    }
    answer->reason = board->state->hold;
    answer->retry_ms = HOLD_RETRY_MS;
    return OTA_ERR_HELD;
}

/* `updraft board press`, or power that somebody switched on: arms the gate behind this one. */
static enum ota_err look_at_button(void *context, const struct ota_gate_question *question,
                                   struct ota_gate_answer *answer)
{
    struct ways_kit *kit = context;
    const int64_t passed_ms = platform_clock_ms() - kit->board->state->pressed_ms;
    (void)answer;
    if (passed_ms >= 0 && passed_ms < (int64_t)kit->ways.armed_s * 1000) {
        ota_gate_arm(&kit->armed, question->now_ms - (uint32_t)passed_ms);
    }
    return OTA_OK;
}

static void press_by_power(const struct ways_kit *kit)
{
    struct board_state *state = kit->board->state;
    if (state->reset_reason == BOARD_RESET_POWER_ON ||
        state->reset_reason == BOARD_RESET_EXTERNAL) {
        state->pressed_ms = platform_clock_ms();
    }
}

/* Makes the chain, from its end. */
static struct ota_gate *make_gates(struct ways_kit *kit)
{
    const struct ways *ways = &kit->ways;
    struct ota_gate *first = NULL;
    if (ways->refuse_same || ways->refuse_older || ways->refuse_project) {
        kit->version = (struct ota_gate_version){
            .gate = {ota_gate_version_ask, first},
            .refuse_same = ways->refuse_same,
            .refuse_older = ways->refuse_older,
            .refuse_other_project = ways->refuse_project,
        };
        first = &kit->version.gate;
    }
    if (ways->window_from != WAYS_CLOSED) {
        kit->window = (struct ota_gate_schedule)OTA_GATE_SCHEDULE(
            first, (uint16_t)ways->window_from, (uint16_t)ways->window_to, EVERY_DAY);
        first = &kit->window.gate;
    }
    if (ways->armed_s > 0) {
        press_by_power(kit);
        kit->armed = (struct ota_gate_armed)OTA_GATE_ARMED(first, (uint32_t)ways->armed_s * 1000u);
        kit->button = (struct ota_gate_hook)OTA_GATE_HOOK(&kit->armed.gate, look_at_button, kit);
        first = &kit->button.gate;
    }
    kit->hold = (struct ota_gate_hook)OTA_GATE_HOOK(first, ask_hold, kit->board);
    return &kit->hold.gate;
}

/* ---- Where updates are fetched from ---------------------------------------------------------- */

static bool open_tls(struct ways_kit *kit)
{
    const struct ways *ways = &kit->ways;
    /* A fingerprint pins the certificate by itself. */
    const bool wants_store = ways->ca_file != NULL || ways->fingerprint == NULL;
    kit->certificates = wants_store ? tls_store_load(ways->ca_file) : NULL;
    if (ways->ca_file != NULL && kit->certificates == NULL) {
        say(kit, OTA_LOG_ERROR, "tls", "%s: %s", ways->ca_file, strerror(errno));
        return false;
    }
    const struct ota_tls_options options = {.ca_pem = kit->certificates,
                                            .fingerprint = ways->fingerprint};
    const enum ota_err err = ota_tls_begin(&kit->tls, &options);
    if (err != OTA_OK) {
        say(kit, OTA_LOG_ERROR, "tls", "%s: %s",
            ways->ca_file != NULL ? ways->ca_file : "certificates", ota_err_text(err));
    }
    return err == OTA_OK;
}

static struct ota_scheme *make_schemes(struct ways_kit *kit)
{
    kit->mounts[0] = (struct file_mount){.name = "sdcard", .directory = kit->ways.sdcard};
    stdin_scheme_init(&kit->input, NULL);
    file_scheme_init(&kit->files, kit->mounts, kit->ways.sdcard != NULL ? 1 : 0,
                     &kit->input.scheme);
    ota_http_scheme_init(&kit->http, &kit->tls.secure, &kit->files.scheme);
    return &kit->http.scheme;
}

/* ---- What comes compressed ------------------------------------------------------------------- */

static struct ota_unwrap *make_unwrap(struct ways_kit *kit)
{
    const bool is_staged = kit->board->device.staging != NULL;
    ota_gunzip_decoder_init(&kit->gunzip);
    ota_staged_gzip_init(&kit->staged_gzip, kit->gzip_window, sizeof kit->gzip_window);
    ota_heatshrink_decoder_init(&kit->heatshrink, WAYS_KIT_WINDOW_BITS, WAYS_KIT_LOOKAHEAD_BITS);
    kit->decoders[0] = is_staged ? &kit->staged_gzip.decoder : &kit->gunzip.decoder;
    kit->decoders[1] = &kit->heatshrink.decoder;
    ota_unwrap_init(&kit->unwrap, kit->decoders);
    return &kit->unwrap;
}

/* ---- The ways -------------------------------------------------------------------------------- */

static bool is_from_input(const struct ota_upgrade_item *item)
{
    return strncmp(item->uri, "stdin:", 6) == 0;
}

/* In place of the first step of an item that the standard input was for, before a restart. */
static enum ota_err is_here_already(struct ota_upgrade *upgrade, bool *pending)
{
    (void)upgrade;
    *pending = false;
    return OTA_ERR_SAME_VERSION;
}

static const struct ota_upgrade_steps steps_once = {.prepare = is_here_already};

/* An item that must wait fetches its input again; one that is over does not, nor another one. */
static void note_input(struct ways_kit *kit, const struct ota_upgrade_list *list,
                       enum ota_upgrade_event event)
{
    const struct ota_upgrade *upgrade = &list->upgrade;
    struct board_state *state = kit->board->state;
    const bool is_open = event == OTA_UPGRADE_EVENT_STEP && upgrade->step > OTA_UPGRADE_PREPARE;
    const bool is_over = event == OTA_UPGRADE_EVENT_RESULT &&
                         list->results[upgrade->index].outcome != OTA_UPGRADE_FAILED;
    if (is_open && upgrade->fetch != NULL) {
        state->input_was_read = true;
    }
    if (event == OTA_UPGRADE_EVENT_RESULT) {
        kit->input.was_read = true;
    }
    if (is_over) {
        state->input_item = (uint32_t)upgrade->index + 1;
    }
}

/* "item 1 of the upgrade list failed, https://…: the server has no such file (404); 2 failed in
   all" */
static void tell_failures(const struct ways_kit *kit, const struct ota_upgrade_list *list)
{
    char in_all[48] = "";
    size_t failed = 0;
    size_t first = 0;
    for (size_t i = list->options.count; i-- > 0;) {
        if (list->results[i].outcome == OTA_UPGRADE_FAILED) {
            first = i;
            failed++;
        }
    }
    if (failed > 1) {
        snprintf(in_all, sizeof in_all, "; %zu failed in all", failed);
    }
    if (failed > 0) {
        board_set_trouble(kit->board, "item %zu of the upgrade list failed, %.120s: %s%s", first,
                          list->options.items[first].uri, ota_err_text(list->results[first].err),
                          in_all);
    }
}

static void on_list(void *context, const struct ota_upgrade_list *list,
                    enum ota_upgrade_event event)
{
    struct ways_kit *kit = context;
    if (event != OTA_UPGRADE_EVENT_FINISH) {
        if (is_from_input(list->upgrade.item)) {
            note_input(kit, list, event);
        }
        return;
    }
    tell_failures(kit, list);
    if (kit->board->pull_url == NULL) {
        board_set_idle(kit->board, !list->wants_restart);
    }
}

/* The standard input comes once: what was made of it before a restart is not asked for again. */
static void spare_input(struct ways_kit *kit)
{
    const struct board_state *state = kit->board->state;
    const size_t item = state->input_item;
    if (item > 0 && item <= kit->file.count && is_from_input(&kit->file.items[item - 1])) {
        kit->file.items[item - 1].steps = &steps_once;
    }
    kit->input.was_read = state->input_was_read;
}

static bool make_list(struct ways_kit *kit)
{
    if (!upgrade_file_load(&kit->file, kit->ways.upgrade_list)) {
        say(kit, OTA_LOG_ERROR, "list", "%s", kit->file.error);
        return false;
    }
    struct ota_scheme *schemes = make_schemes(kit);
    spare_input(kit);
    ota_upgrade_service_init(&kit->list, &(struct ota_upgrade_service_options){
                                             .items = kit->file.items,
                                             .count = kit->file.count,
                                             .schemes = schemes,
                                             .on_event = on_list,
                                             .context = kit,
                                         });
    return true;
}

/* The other ways in stay open; but nothing more is to be waited for. */
static void on_update_end(void *context, const struct ota_https_service *service, enum ota_err err)
{
    const struct ways_kit *kit = context;
    (void)service;
    if (err != OTA_OK && err != OTA_ERR_HELD && err != OTA_ERR_SAME_VERSION) {
        board_set_trouble(kit->board, "the update from %.120s failed: %s", kit->ways.update_url,
                          ota_err_text(err));
    }
    if (err != OTA_OK && kit->board->pull_url == NULL && kit->ways.upgrade_list == NULL) {
        board_set_idle(kit->board, true);
    }
}

/* Whether this check ended with what its user has to know: a policy's "not now" and "I have that
   one", and another way in that came first, are as it should be. */
static bool is_in_trouble(const struct ota_pull *pull)
{
    switch (pull->failure.err) {
    case OTA_ERR_HELD:
    case OTA_ERR_SAME_VERSION:
    case OTA_ERR_ABORTED:
    case OTA_ERR_BUSY:
    case OTA_ERR_RESTARTING:
        return false;
    default:
        return pull->result == OTA_PULL_FAILED || pull->result == OTA_PULL_DECLINED;
    }
}

void ways_kit_follow_check(const struct ways_kit *kit, const struct ota_agent *agent,
                           enum ota_agent_event event)
{
    if (event == OTA_AGENT_CHECKING) {
        board_set_idle(kit->board, false);
    } else if (event == OTA_AGENT_CHECKED) {
        if (is_in_trouble(&agent->pull)) {
            board_set_trouble(kit->board, "the update from %.120s failed: %s", kit->board->pull_url,
                              ota_err_text(agent->pull.failure.err));
        }
        board_set_idle(kit->board, agent->pull.result != OTA_PULL_UPDATED);
    }
}

/* The runner was told once, and tells every firmware that it starts. The one that this update
   brings, or that comes back after it, is not to do it again. */
static bool is_asked_to_update(const struct ways_kit *kit)
{
    const uint32_t reason = kit->board->state->reset_reason;
    return kit->ways.update_url != NULL &&
           (reason == BOARD_RESET_POWER_ON || reason == BOARD_RESET_EXTERNAL);
}

static void make_update(struct ways_kit *kit)
{
    const char *url = kit->ways.update_url;
    ota_https_service_init(&kit->update, &(struct ota_https_service_options){
                                             .update = {.secure = &kit->tls.secure,
                                                        .url = url,
                                                        .resume = true,
                                                        .allow_http = strncmp(url, "http:", 5) == 0,
                                                        .text = kit->update_text,
                                                        .text_size = sizeof kit->update_text},
                                             .on_end = on_update_end,
                                             .context = kit,
                                         });
    if (is_asked_to_update(kit)) {
        ota_https_service_start(&kit->update);
    }
}

enum {
    PORT_ESPOTA,
    PORT_ESPHOME,
    PORT_HTTP
};

static uint16_t find_free_listener_port(struct ota_platform *platform)
{
    struct ota_listener *listener;
    if (platform->listen(platform, 0, &listener) != OTA_OK) {
        return 0;
    }
    const uint16_t port = listener->port;
    listener->close(listener);
    return port;
}

static uint16_t find_free_datagram_port(struct ota_platform *platform)
{
    struct ota_datagrams *datagrams;
    if (platform->open_datagrams(platform, 0, &datagrams) != OTA_OK) {
        return 0;
    }
    const uint16_t port = datagrams->port;
    datagrams->close(datagrams);
    return port;
}

/* The port to open. Services take 0 for their usual one; here it means one that is free, and stays
   the board's over its restarts. */
static uint16_t choose_port(struct ways_kit *kit, unsigned way, int32_t port)
{
    uint16_t *kept = &kit->board->state->ports[way];
    if (port != 0) {
        return (uint16_t)port;
    }
    if (*kept == 0) {
        struct ota_platform *platform = &kit->board->platform.platform;
        *kept = way == PORT_ESPOTA ? find_free_datagram_port(platform)
                                   : find_free_listener_port(platform);
    }
    return *kept;
}

static void make_web(struct ways_kit *kit)
{
    const struct ways *ways = &kit->ways;
    ota_web_service_init(&kit->web,
                         &(struct ota_web_service_options){
                             .name = kit->board->settings.name,
                             .password = ways->password,
                             .page = ota_update_page,
                             .page_len = ota_update_page_size,
                             .restart = ways->restart_by_hand   ? OTA_WEB_RESTART_BY_HAND
                                        : ways->restart_at_once ? OTA_WEB_RESTART_AT_ONCE
                                                                : OTA_WEB_RESTART_BY_DIALECT,
                             .port = choose_port(kit, PORT_HTTP, ways->http),
                             .connections = kit->web_connections,
                             .connection_count = WAYS_KIT_WEB_CONNECTIONS,
                         });
}

static struct ota_service *link_service(struct ota_service *service, struct ota_service *next)
{
    service->next = next;
    return service;
}

/* Makes the chain, from its end. Returns false after logging why not. */
static bool make_services(struct ways_kit *kit, struct ota_service **first)
{
    const struct ways *ways = &kit->ways;
    *first = NULL;
    if (ways->upgrade_list != NULL) {
        if (!make_list(kit)) {
            return false;
        }
        *first = link_service(&kit->list.service, *first);
    }
    if (ways->update_url != NULL) {
        make_update(kit);
        *first = link_service(&kit->update.service, *first);
    }
    if (ways->http != WAYS_CLOSED) {
        make_web(kit);
        *first = link_service(&kit->web.service, *first);
    }
    if (ways->esphome != WAYS_CLOSED) {
        ota_esphome_service_init(&kit->esphome,
                                 &(struct ota_esphome_service_options){
                                     .port = choose_port(kit, PORT_ESPHOME, ways->esphome),
                                     .password = ways->password,
                                     .refuse_md5 = ways->refuse_md5,
                                 });
        *first = link_service(&kit->esphome.service, *first);
    }
    if (ways->espota != WAYS_CLOSED) {
        ota_espota_service_init(&kit->espota,
                                &(struct ota_espota_service_options){
                                    .port = choose_port(kit, PORT_ESPOTA, ways->espota),
                                    .password = ways->password,
                                    .login = ways->password != NULL && ways->refuse_md5
                                                 ? OTA_ESPOTA_LOGIN_SHA256
                                                 : OTA_ESPOTA_LOGIN_ANY,
                                });
        *first = link_service(&kit->espota.service, *first);
    }
    return true;
}

bool ways_kit_open(struct ways_kit *kit, struct board *board, struct ota_agent_options *options)
{
    memset(kit, 0, sizeof *kit);
    kit->board = board;
    if (!ways_read(&kit->ways, board->ways)) {
        say(kit, OTA_LOG_ERROR, "board", "the ways in that the runner names cannot be read");
        return false;
    }
    if (!open_tls(kit) || !make_services(kit, &options->services)) {
        return false;
    }
    options->url = board->pull_url;
    options->secure = &kit->tls.secure;
    options->gates = make_gates(kit);
    options->unwrap = make_unwrap(kit);
    options->host_name = kit->ways.host_name;
    options->exclusive = kit->ways.exclusive;
    /* Where there is no server to reach, to have started is all that can be proven. */
    options->confirm = board->pull_url != NULL ? OTA_CONFIRM_ON_CONTACT : OTA_CONFIRM_AT_ONCE;
    return true;
}

/* ---- What is said ---------------------------------------------------------------------------- */

void ways_kit_announce(const struct ways_kit *kit)
{
    const struct ways *ways = &kit->ways;
    if (ways->espota != WAYS_CLOSED && kit->espota.datagrams != NULL) {
        say(kit, OTA_LOG_INFO, "espota", "listening at UDP port %u",
            (unsigned)kit->espota.datagrams->port);
    }
    if (ways->esphome != WAYS_CLOSED && kit->esphome.listener != NULL) {
        say(kit, OTA_LOG_INFO, "esphome", "listening at TCP port %u",
            (unsigned)kit->esphome.listener->port);
    }
    if (ways->http != WAYS_CLOSED && kit->web.listener != NULL) {
        say(kit, OTA_LOG_INFO, kit->web.service.name, "listening at TCP port %u",
            (unsigned)kit->web.listener->port);
    }
}

bool ways_kit_has_work(const struct ways_kit *kit)
{
    return kit->board->pull_url != NULL || ways_any(&kit->ways);
}

bool ways_kit_is_idle(const struct ways_kit *kit)
{
    return kit->board->pull_url == NULL && kit->ways.upgrade_list == NULL &&
           !is_asked_to_update(kit);
}
