/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_HTTPS_UPDATE_H
#define UPDRAFT_HTTPS_UPDATE_H

/*
 * An update from one URL, over https (docs/formats/https-update.md sections 2 to 4): in one call,
 * or step by step. It is for programs that decide themselves when to update and from where; the
 * agent's pull (pull.h) asks a server that decides. In a program with an agent, https_service.h
 * carries it.
 *
 * In one call, which waits with platform->wait until all is over:
 *
 *     static struct ota_https_update update;
 *     const struct ota_https_update_options options = {
 *         .platform = &platform, .intake = &agent.intake, .secure = &tls.secure,
 *         .url = "https://example.org/garden.bin", .text = text, .text_size = sizeof text,
 *     };
 *     err = ota_https_update(&update, &options);
 *     if (err == OTA_OK) restart();
 *
 * Step by step:
 *
 *     err = ota_https_update_begin(&update, &options);
 *     if (err == OTA_OK) err = ota_https_update_describe(&update, &descriptor);   waits; see below
 *     if (err == OTA_OK && !wanted(&descriptor)) ... ota_https_update_abort(&update);
 *     while (err == OTA_OK && !ota_https_update_is_complete(&update)) {
 *         err = ota_https_update_perform(&update);                                never waits
 *         platform->wait(platform, ota_https_update_wait_ms(&update));
 *     }
 *     if (err == OTA_OK) err = ota_https_update_finish(&update);
 *     else ota_https_update_abort(&update);
 *
 *     IDLE --begin--> OPENING --perform--> DESCRIBED --perform--> IN_PROGRESS --perform--> COMPLETE
 *                        |                    |                       |                       |
 *                        +--------------------+-----------+-----------+          finish --> DONE
 *                                                         +--> FAILED (first cause stays) <---+
 *
 * One perform takes at most one arrow. Nothing on the flash has been changed before the one out of
 * DESCRIBED, unless an interrupted update is resumed; abort, and whatever fails before it, leaves
 * everything as it was. A failure of the network later leaves the journal, so that the next begin
 * with `resume` goes on; abort leaves it too.
 *
 * What each side sends is in http_transfer.h. Which bytes are asked for:
 *
 *     plain             all, in one answer: 200
 *     resume            from where the flash has them: 206 with the identity of what is there; for
 *                       anything else (200, 416, other bytes, another tag) all are asked for, once
 *     max_request       in ranges of that size, on one connection if the server keeps it. The first
 *                       may be answered with 200 and the whole file; the others must be 206 with
 *                       the same total and the same tag, and at least 1024 bytes each, or the
 *                       update fails
 *
 * How the flash is erased: nothing before the image has said what it is. Then piece by piece, each
 * unit just before it is written, in 64 KiB blocks where the length is known and in sectors where
 * it is not (a chunked answer); or with bulk_erase at once, the file's length or the whole
 * partition. What is blank is left alone, and piece by piece also what is right already (writer.h).
 *
 * The image's version and project are compared by gates (gate.h: ota_gate_version, or a hook),
 * asked in the step out of DESCRIBED; a program that goes step by step may compare for itself.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <updraft/crypto.h>
#include <updraft/error.h>
#include <updraft/http_transfer.h>
#include <updraft/image.h>
#include <updraft/intake.h>
#include <updraft/platform.h>
#include <updraft/secure.h>

struct ota_https_update;

enum ota_https_update_event {
    OTA_HTTPS_UPDATE_ANSWERED,  /* the server has it: update->size */
    OTA_HTTPS_UPDATE_RESUMED,   /* going on at update->received */
    OTA_HTTPS_UPDATE_RESTARTED, /* an interrupted update cannot be gone on with: from the start */
    OTA_HTTPS_UPDATE_WRITTEN,   /* update->received bytes so far */
    OTA_HTTPS_UPDATE_ENDED,     /* DONE or FAILED: update->failure */
};

struct ota_https_update_options {
    /* All pointers are the caller's until the update is DONE, FAILED or aborted. */
    struct ota_platform *platform;
    struct ota_intake *intake; /* the agent's, or one of the program's own */
    struct ota_secure *secure; /* tls.h; NULL only with allow_http */
    const char *ca_pem;        /* as in ota_secure; NULL: the wrapper's own */
    const char *url;           /* as in ota_http_transfer_options */
    const char *credentials;   /* likewise */

    bool is_data;               /* as in ota_arrival: for a data partition */
    const char *label;          /* likewise; to resume a data partition it must be named here */
    struct ota_digest expected; /* likewise */

    uint32_t max_request; /* bytes of one range; 0: everything at once */
    bool resume;          /* go on with an interrupted update of the same file */
    bool bulk_erase;      /* erase first, then write; else each piece just before it is written */

    bool allow_http;        /* http URLs, and redirects to http from http */
    bool allow_downgrade;   /* with allow_http: redirects from https to http, too */
    uint8_t redirect_limit; /* as in ota_http_transfer_options, and so on */
    uint32_t head_timeout_ms;
    uint32_t body_timeout_ms;
    uint32_t body_least;
    char *text;
    size_t text_size;

    /* Adds header lines (ota_http_transfer_options); If-None-Match among them makes 304 an
       answer. */
    void (*write_headers)(void *context, struct ota_text *text);
    void (*on_event)(void *context, const struct ota_https_update *update,
                     enum ota_https_update_event event);
    void *context; /* for both */
};

enum ota_https_update_state {
    OTA_HTTPS_UPDATE_IDLE = 0,
    OTA_HTTPS_UPDATE_OPENING,
    OTA_HTTPS_UPDATE_DESCRIBED,
    OTA_HTTPS_UPDATE_IN_PROGRESS,
    OTA_HTTPS_UPDATE_COMPLETE,
    OTA_HTTPS_UPDATE_DONE,
    OTA_HTTPS_UPDATE_FAILED,
};

/* Enough for every app descriptor with what precedes it. */
#define OTA_HTTPS_UPDATE_HEAD 256u

struct ota_https_update {
    /* To be read by anyone. */
    enum ota_https_update_state state;
    struct ota_failure failure;        /* the first cause; its offset is in the file */
    uint32_t size;                     /* of the file; OTA_SIZE_UNKNOWN until (or if never) told */
    uint32_t received;                 /* bytes, those found on the flash included */
    struct ota_http_transfer transfer; /* status, host, redirects, connections */

    /* Private. */
    struct ota_https_update_options options;
    struct ota_identity pending; /* of an interrupted update, while start > 0 */
    uint32_t pending_size;
    uint32_t start;   /* where an interrupted update is gone on with; 0: from the beginning */
    bool is_answered; /* a good head came */
    bool is_taken;    /* the intake is this update's */
    bool has_more;    /* the last perform left off before the network did */
    char etag[OTA_IDENTITY_MAX + 1]; /* of the first answer */
    uint16_t head_len;
    uint8_t head[OTA_HTTPS_UPDATE_HEAD]; /* the first bytes, before they are written */
};

/*
 * All of it in one call. Returns OTA_OK when the image is proven and boots next; OTA_ERR_HELD with
 * state DONE when it is proven and a gate holds it (ota_intake_poll activates it later), with state
 * FAILED when a gate did not let it in; OTA_ERR_SAME_VERSION also for a 304; else why not, as the
 * calls below do.
 */
enum ota_err ota_https_update(struct ota_https_update *update,
                              const struct ota_https_update_options *options);

/* Prepares and asks. Returns OTA_ERR_ARGUMENT for missing parts, OTA_ERR_URL (also for http without
   allow_http, and https without secure), OTA_ERR_CONNECT, and what ota_intake_availability does. */
enum ota_err ota_https_update_begin(struct ota_https_update *update,
                                    const struct ota_https_update_options *options);

/*
 * What comes: performs, waiting with platform->wait, until that is known. Returns OTA_OK;
 * OTA_ERR_IMAGE_DESCRIPTOR if the image has none or is compressed, or it is data (the update can go
 * on: gates see what comes out); or what perform returns. May be called again, and at any time
 * between DESCRIBED and COMPLETE. Who takes longer than body_timeout_ms to decide finds the
 * connection timed out.
 */
enum ota_err ota_https_update_describe(struct ota_https_update *update,
                                       struct ota_app_descriptor *descriptor);

/*
 * Does what can be done now without waiting. Returns OTA_OK (see state), or the first cause: those
 * of ota_http_transfer_get, of ota_intake_begin and ota_intake_write; OTA_ERR_SAME_VERSION for a
 * 304; OTA_ERR_NO_DATA for an empty file; OTA_ERR_STATE if nothing was begun.
 */
enum ota_err ota_https_update_perform(struct ota_https_update *update);

/* Milliseconds after which perform is due at the latest, also before when the network stirs. */
uint32_t ota_https_update_wait_ms(const struct ota_https_update *update);

/* Tells whether the whole file has come. */
bool ota_https_update_is_complete(const struct ota_https_update *update);

/* Proves what came and makes it boot next. Returns OTA_OK, OTA_ERR_HELD (see ota_https_update),
   what ota_intake_end and ota_intake_activate return; OTA_ERR_INCOMPLETE, aborting, if not all has
   come; OTA_ERR_STATE if nothing was begun; the first cause if it had failed. */
enum ota_err ota_https_update_finish(struct ota_https_update *update);

/* Gives up and closes the connection; what was written stays for a resume. Legal in every state:
   what is DONE or FAILED stays that. */
void ota_https_update_abort(struct ota_https_update *update);

#endif
