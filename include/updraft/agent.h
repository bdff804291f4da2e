/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_AGENT_H
#define UPDRAFT_AGENT_H

/*
 * The agent keeps one device up to date: it asks a server at start and in every interval, takes
 * what is newer, restarts into it, and confirms the new image once that has reached the server
 * itself, or lets it reject itself when it does not. One event loop over struct ota_platform; no
 * thread, no heap, nothing that waits but ota_agent_run.
 *
 *     static struct ota_agent agent;
 *     static uint8_t buffer[4096];
 *     static char text[2048];
 *     const struct ota_agent_options options = {
 *         .platform = &platform, .device = &device, .url = "http://updates.example/",
 *         .buffer = buffer, .buffer_size = sizeof buffer, .text = text, .text_size = sizeof text,
 *     };
 *     if (ota_agent_begin(&agent, &options) == OTA_OK) ota_agent_run(&agent);
 *
 * A program with a loop of its own calls ota_agent_poll in it instead and sleeps no longer than
 * that says.
 *
 * The pull is one way in. Others are services (struct ota_service), which the same loop carries;
 * they and the pull share one intake (intake.h), and with it the gates and the rule of one at a
 * time.
 *
 *     begin --> WAITING --due--> CHECKING --offer taken--> (update) --proven--> activated, restart
 *                  ^                |                          |
 *                  +-- nothing newer, declined, failed --------+
 *
 *     on trial:  begin --> contact with the server --> confirmed
 *                      `-> confirm_timeout_s over ---> rejected, restart into the image before
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <updraft/device.h>
#include <updraft/error.h>
#include <updraft/intake.h>
#include <updraft/platform.h>
#include <updraft/pull.h>
#include <updraft/secure.h>
#include <updraft/slot.h>
#include <updraft/update.h>

#define OTA_AGENT_INTERVAL_S 3600u
#define OTA_AGENT_TRIAL_INTERVAL_S 10u /* between checks while on trial: contact is all it takes */
#define OTA_AGENT_CONFIRM_TIMEOUT_S 300u
#define OTA_AGENT_RELEASE_DELAY_MS \
    3000u /* from the moment that a gate lets go of an update to the restart into it */
#define OTA_AGENT_SECONDS_MAX 2000000u /* of either; 23 days, which a 32-bit clock can tell apart */

/* What confirms an image that runs on trial. */
enum ota_confirm_policy {
    OTA_CONFIRM_ON_CONTACT = 0, /* the server answered it: it can be updated again */
    OTA_CONFIRM_AT_ONCE,        /* it got as far as ota_agent_begin */
    OTA_CONFIRM_BY_CALLER,      /* ota_agent_confirm */
};

struct ota_agent;

enum ota_agent_event {
    OTA_AGENT_CHECKING,  /* asks the server now */
    OTA_AGENT_CHECKED,   /* done with that: agent->pull.result says how it went */
    OTA_AGENT_ACTIVATED, /* the new image boots next; the restart follows */
    OTA_AGENT_CONFIRMED, /* the running image is kept */
    OTA_AGENT_REJECTED,  /* the running image goes; the restart follows */
};

/*
 * A way in beside the pull, or anything else that the agent's loop should carry: an espota or
 * ESPHome receiver, a web server, an upgrade list. The agent calls it; what it does it does through
 * agent->intake and the platform. One that is not named in the options is not linked.
 */
struct ota_service {
    const char *name; /* "espota": its tag in the log, and its way in for the gates */

    uint16_t port; /* where it listens, or tried to: for messages; 0: nowhere */

    /* Opens its sockets. Returns OTA_OK or an error, with which ota_agent_begin ends: OTA_ERR_PORT
       if its port is taken. */
    enum ota_err (*begin)(struct ota_service *service, struct ota_agent *agent);

    /* Does what can be done now without waiting; at `now_ms` of the platform's clock. Returns after
       how many milliseconds it wants to be called again at the latest, also before when the network
       stirs; UINT32_MAX: only then. */
    uint32_t (*poll)(struct ota_service *service, uint32_t now_ms);

    /* Closes all it has open; an update of its own under way is given up. */
    void (*end)(struct ota_service *service);

    /* Closes its connections for as long as another way in updates, and takes none
       (options.exclusive). It is polled all the same. NULL: it does not mind. */
    void (*pause)(struct ota_service *service, bool paused);

    /* Fills in what the network should be told of it. Returns false if nothing. NULL: nothing. */
    bool (*advert)(struct ota_service *service, struct ota_advert *advert);

    struct ota_service *next; /* NULL: the last */
};

struct ota_agent_options {
    /* All pointers are the caller's until the agent is no longer used. */
    struct ota_platform *platform;
    struct ota_device *device; /* opened */
    const char *url;         /* as in ota_pull_options. NULL: no pull, only the trial is watched */
    const char *credentials; /* likewise */
    struct ota_secure *secure;              /* for https (tls.h); NULL: http only */
    const struct ota_pull_dialect *dialect; /* NULL: ota_pull_updraft */
    const char *label; /* NULL: firmware. Else the data partition to keep up to date */

    struct ota_service *services; /* further ways in, a chain, polled in its order; NULL: none */
    struct ota_gate *gates;       /* policy for all of them and the pull (gate.h); NULL: none */
    const char *data_label;       /* as in ota_intake_options */
    struct ota_unwrap *unwrap;    /* likewise: takes compressed and signed images (unwrap.h) */
    const char *host_name;        /* advertised as NAME.local with the services; NULL: not */
    bool exclusive;               /* while one way in updates, the others' connections are closed;
                                     not while a gate holds the update */

    /* What the server is told beyond what the flash says. */
    uint8_t sta_mac[6], ap_mac[6];
    const char *chip_id;     /* ESP8266's dialect; NULL: none */
    const char *sdk_version; /* NULL: the running image's own */

    uint32_t interval_s;     /* between checks, give or take a tenth; 0: OTA_AGENT_INTERVAL_S */
    uint32_t first_check_ms; /* the first check comes within this time, at random; 0: at once. For
                                   fleets that get their power back together. Not while on trial */
    uint32_t confirm_timeout_s; /* on trial at most; 0: OTA_AGENT_CONFIRM_TIMEOUT_S */
    enum ota_confirm_policy confirm;
    bool retry_rejected; /* take a version again that was rejected or taken back before */
    bool stay;           /* after an update, leave the restart to the caller */

    /* Asked before an update is taken, when anything may still be refused; NULL: yes. */
    bool (*may_update)(void *context, const struct ota_agent *agent);

    /* Asked on contact before the image on trial is confirmed: its self-test. No is not the end: it
       is asked again at the next contact, until the time is over. NULL: yes. */
    bool (*may_confirm)(void *context, const struct ota_agent *agent);

    void (*on_event)(void *context, const struct ota_agent *agent, enum ota_agent_event event);
    ota_update_event_fn *on_update; /* the update's own events, for a progress bar */
    void *context;                  /* for the four */

    uint8_t *buffer; /* for the update (ota_update_options) */
    uint32_t buffer_size;
    char *text; /* for the pull (ota_pull_options) */
    size_t text_size;
};

struct ota_agent {
    /* To be read by anyone. */
    struct ota_agent_options options;
    struct ota_app_descriptor running; /* of the running image; empty strings if it has none */
    bool is_on_trial;
    bool is_checking;
    bool is_restarting; /* the platform was told to restart, or with `stay` should be */
    uint32_t checks;    /* ended since begin */
    struct ota_pull pull;
    struct ota_intake intake; /* intake.update: of whatever way in */

    /* Private. */
    struct ota_pull_facts facts;
    uint8_t md5[OTA_MD5_SIZE], sha256[OTA_SHA256_SIZE];
    struct ota_stream *stream;
    uint32_t begun_ms, waiting_ms, wait_ms;
    uint32_t held_up_ms; /* in turns that took long, altogether */
    unsigned services_begun;
    const char *paused_for; /* the way that has the device for itself; NULL: none */
    bool is_advertised, is_polling;
    bool is_restart_due;
    enum ota_restart_reason restart_reason;
    uint32_t restart_since_ms, restart_delay_ms;
};

/*
 * Starts the agent. Reads and hashes the running image, so that the server can be told of it: some
 * time on a large one. Then opens the services, in their order. Returns OTA_OK, OTA_ERR_ARGUMENT
 * for missing parts or times out of range, OTA_ERR_URL, or what a service returns.
 */
enum ota_err ota_agent_begin(struct ota_agent *agent, const struct ota_agent_options *options);

/* Does what can be done now without waiting. Returns after how many milliseconds it wants to be
   called again at the latest, also before when the network stirs; UINT32_MAX: never, a restart is
   due. */
uint32_t ota_agent_poll(struct ota_agent *agent);

/* Polls and waits (platform->wait) until a restart is due; on a real board does not return. */
void ota_agent_run(struct ota_agent *agent);

/* Asks the server as soon as ota_agent_poll is called, unless it is being asked. */
void ota_agent_check_now(struct ota_agent *agent);

/* Confirm the running image, or reject it and restart into the one before, whatever the policy.
   Return what ota_slot_confirm and ota_slot_reject return; OTA_ERR_STATE if it is not on trial. */
enum ota_err ota_agent_confirm(struct ota_agent *agent);
enum ota_err ota_agent_reject(struct ota_agent *agent);

/* Restarts the board in `delay_ms`, so that what was said can still be sent: for services, after an
   activation. Until then nothing is let in (OTA_ERR_RESTARTING). A second call while one is due
   changes nothing. With options.stay the agent only says that it is due. */
void ota_agent_restart_in(struct ota_agent *agent, uint32_t delay_ms,
                          enum ota_restart_reason reason);

/* Ends the agent: closes its connection and its services, and suspends an update under way. */
void ota_agent_end(struct ota_agent *agent);

#endif
