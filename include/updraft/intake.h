/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_INTAKE_H
#define UPDRAFT_INTAKE_H

/*
 * The intake: the one door through which every way in reaches the update. It lets in one at a time,
 * asks the gates, and sees that what is proven is activated. A protocol that receives firmware
 * calls it in place of the update itself:
 *
 *     const struct ota_arrival arrival = {.way = "espota", .size = size, .expected = md5};
 *     err = ota_intake_begin(intake, &arrival);          OTA_ERR_BUSY: somebody else's turn;
 *                                                        OTA_ERR_RESTARTING: nobody's any more
 *     while (more && err == OTA_OK) err = ota_intake_write(intake, data, len);
 *     if (err == OTA_OK) err = ota_intake_end(intake);      proven
 *     if (err == OTA_OK) err = ota_intake_activate(intake); boots next; OTA_ERR_HELD: it will
 *     if (err != OTA_OK && err != OTA_ERR_HELD) tell_sender(ota_intake_reason(intake));
 *
 * A call that fails, but for OTA_ERR_BUSY, OTA_ERR_RESTARTING and OTA_ERR_HELD, leaves the intake
 * FREE again, the first cause in `failure` and its words in ota_intake_reason, until the next
 * begin.
 *
 *     FREE --begin, resume, reserve--> TAKEN --end--> READY --activate--> FREE (activated)
 *      ^                                 |             |   `- held -> HELD -poll-> FREE (activated)
 *      +---- abort, suspend, failure ----+-------------+--------------+
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <updraft/device.h>
#include <updraft/error.h>
#include <updraft/gate.h>
#include <updraft/update.h>

struct ota_intake;

enum ota_intake_event {
    OTA_INTAKE_STARTED,   /* bytes come in: see intake->arrival, intake->update */
    OTA_INTAKE_REFUSED,   /* a gate, or the update, said no before anything was changed */
    OTA_INTAKE_FAILED,    /* it had begun and came to nothing: intake->failure */
    OTA_INTAKE_PROVEN,    /* every check passed */
    OTA_INTAKE_HOLDING,   /* proven, and waits for a gate: intake->answer */
    OTA_INTAKE_ACTIVATED, /* what boots has changed, or the data is in place */
};

struct ota_intake_options {
    struct ota_device *device; /* opened */
    uint8_t *buffer;      /* for the update (ota_update_options); of at least 256 bytes, so that */
    uint32_t buffer_size; /* nothing is written before an image has said what it is; a sector, if
                             gzip is staged as it comes (staged_gzip.h) */
    struct ota_gate *gates;    /* NULL: everything passes */
    const char *data_label;    /* partition for "the file system"; NULL: the first data partition
                                  of subtype spiffs, fat or littlefs */
    bool allow_trailer;        /* as in ota_update_options */
    struct ota_unwrap *unwrap; /* likewise, for all ways in */

    /* The clock: milliseconds, and local time if it is known (platform.h has the same functions).
       Both may be NULL where no gate needs them. */
    uint32_t (*now_ms)(void *context);
    bool (*minute_of_week)(void *context, uint32_t *minute);

    void (*on_event)(void *context, const struct ota_intake *intake, enum ota_intake_event event);
    ota_update_event_fn *on_update; /* the update's own events, for progress */
    void *context;                  /* for the four */
};

/* What wants in. Copied, but for the two strings that are not kept. */
struct ota_arrival {
    const char *way;   /* "espota"; static */
    bool is_data;      /* for the data partition */
    const char *label; /* NULL: the next OTA slot, or options.data_label. Not kept */
    uint32_t size;     /* bytes to come, or OTA_SIZE_UNKNOWN */
    struct ota_digest expected;
    const char *etag; /* NULL, or the transfer's identity (update.h). Not kept */
    bool erase_ahead; /* as in ota_update_options */
    bool in_place;    /* likewise */
    bool attended;    /* whoever sends calls ota_intake_poll while it is held, and restarts */
    bool unasked; /* nobody wants this very image: the build that runs is OTA_ERR_SAME_VERSION */

    /* Asked when the gates are asked about the image, and before them: for a way in that has rules
       of its own, and could not look at what is compressed. `incoming` is NULL where there is no
       descriptor. Anything but OTA_OK ends the update with that. NULL: not asked. */
    enum ota_err (*judge)(void *context, const struct ota_app_descriptor *incoming);
    void *context; /* for it */
};

enum ota_intake_state {
    OTA_INTAKE_FREE = 0,
    OTA_INTAKE_TAKEN,
    OTA_INTAKE_READY, /* proven */
    OTA_INTAKE_HELD,  /* proven, and a gate holds it */
};

struct ota_intake {
    /* To be read by anyone. */
    enum ota_intake_state state;
    struct ota_arrival arrival; /* of the present or last one; label and etag are NULL */
    struct ota_failure failure; /* first cause of the last that failed; OTA_OK while all is well */
    struct ota_gate_answer answer; /* of the gate that last refused or held */
    struct ota_update update;
    struct ota_app_descriptor running; /* of the running image; empty strings if it has none */
    bool has_running;
    uint32_t accepted; /* activated since begin */
    bool is_closed;    /* set by its owner while nothing is to be let in: a restart is due */

    /* Private. */
    struct ota_intake_options options;
    char label[OTA_PARTITION_LABEL_MAX + 1]; /* of the target; empty: the next OTA slot */
    bool was_refused;                        /* a gate ended it */
};

/* Prepares an intake and reads what runs. Returns OTA_OK or OTA_ERR_ARGUMENT. */
enum ota_err ota_intake_init(struct ota_intake *intake, const struct ota_intake_options *options);

/*
 * Lets an arrival in and begins its update; resume goes on with an interrupted one of the same size
 * and identity (ota_update_resume), `*offset` being the first byte still wanted. Returns what
 * ota_intake_availability does, a gate's answer, OTA_ERR_NO_PARTITION if there is no data
 * partition, or what the update returns. The gates are asked again at the description, within
 * ota_intake_write.
 */
enum ota_err ota_intake_begin(struct ota_intake *intake, const struct ota_arrival *arrival);
enum ota_err ota_intake_resume(struct ota_intake *intake, const struct ota_arrival *arrival,
                               uint32_t *offset);

/* Asks whether an arrival would be let in now, and lets nothing in: for a protocol whose sender
   wants to know before it sends. Returns what ota_intake_begin would. */
enum ota_err ota_intake_ask(struct ota_intake *intake, const struct ota_arrival *arrival);

/*
 * For a protocol that drives the update itself (pull.h): lets the arrival in without beginning.
 * `*options` is how its update begins; the update is intake->update. When it is PROVEN call
 * ota_intake_end, which then only notes it; else ota_intake_abort or ota_intake_suspend.
 */
enum ota_err ota_intake_reserve(struct ota_intake *intake, const struct ota_arrival *arrival,
                                struct ota_update_options *options);

/* As the update's calls of these names (update.h). */
enum ota_err ota_intake_expect(struct ota_intake *intake, const struct ota_digest *expected);
enum ota_err ota_intake_write(struct ota_intake *intake, const void *data, size_t len);
enum ota_err ota_intake_end(struct ota_intake *intake);
void ota_intake_suspend(struct ota_intake *intake);
void ota_intake_abort(struct ota_intake *intake);

/* Asks the gates, and makes what is proven boot next. Returns OTA_OK; OTA_ERR_HELD: it is activated
   by ota_intake_poll when no gate holds it any more; another error: it is given up. */
enum ota_err ota_intake_activate(struct ota_intake *intake);

/* Looks after a held update: call about once a second. Returns milliseconds until it should be
   called again, UINT32_MAX when nothing is held. */
uint32_t ota_intake_poll(struct ota_intake *intake);

/* Tell whether an arrival would come as far as the gates now, and why not: OTA_OK, OTA_ERR_BUSY
   while another is in, OTA_ERR_RESTARTING while the intake is closed. For protocols that must say
   so early. */
bool ota_intake_is_free(const struct ota_intake *intake);
enum ota_err ota_intake_availability(const struct ota_intake *intake);

/* Why the last call failed, as a sentence without a full stop: the gate's words, or the error's. */
const char *ota_intake_reason(const struct ota_intake *intake);

#endif
