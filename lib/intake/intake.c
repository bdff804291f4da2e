/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The door to the update: one at a time, past the gates. The states are in updraft/intake.h.
 *
 *     begin, resume, reserve -> admit (free? gates at BEGIN) -> the update
 *     the update, before it writes -> may_write (gates at DESCRIBED)
 *     activate, poll -> gates at ACTIVATE -> ota_update_activate
 */
#include <updraft/intake.h>
#include <updraft/slot.h>
#include <updraft/version.h>

#include "base/mem.h"

#define HELD_LOOK_MS 1000u

static void tell(const struct ota_intake *intake, enum ota_intake_event event)
{
    if (intake->options.on_event != NULL) {
        intake->options.on_event(intake->options.context, intake, event);
    }
}

/* ---- Saying no ------------------------------------------------------------------------------- */

/* Before anything was changed. */
static enum ota_err refuse(struct ota_intake *intake, enum ota_err err)
{
    intake->failure.err = err;
    intake->failure.offset = 0;
    intake->state = OTA_INTAKE_FREE;
    tell(intake, OTA_INTAKE_REFUSED);
    return err;
}

/* After the update has begun. It was refused, not failed, if a gate ended it. */
static enum ota_err give_up(struct ota_intake *intake, enum ota_err err)
{
    intake->failure = intake->update.failure;
    if (intake->failure.err != err) {
        intake->failure.err = err;
        intake->failure.offset = intake->update.received;
    }
    ota_update_abort(&intake->update);
    intake->state = OTA_INTAKE_FREE;
    tell(intake, intake->was_refused ? OTA_INTAKE_REFUSED : OTA_INTAKE_FAILED);
    return err;
}

const char *ota_intake_reason(const struct ota_intake *intake)
{
    return intake->answer.reason != NULL ? intake->answer.reason
                                         : ota_err_text(intake->failure.err);
}

/* ---- The gates ------------------------------------------------------------------------------- */

static enum ota_err ask_gates(struct ota_intake *intake, enum ota_gate_stage stage,
                              const struct ota_app_descriptor *incoming)
{
    const struct ota_intake_options *options = &intake->options;
    struct ota_gate_question question = {
        .stage = stage,
        .way = intake->arrival.way,
        .label = intake->label[0] != '\0' ? intake->label : NULL,
        .is_data = intake->arrival.is_data,
        .size = intake->arrival.size,
        .now_ms = options->now_ms != NULL ? options->now_ms(options->context) : 0,
        .incoming = incoming,
        .running = stage != OTA_GATE_BEGIN && intake->has_running ? &intake->running : NULL,
    };

    question.time_is_known = options->minute_of_week != NULL &&
                             options->minute_of_week(options->context, &question.minute_of_week);
    return ota_gate_ask(options->gates, &question, &intake->answer);
}

static bool find_descriptor(const struct ota_intake *intake, struct ota_app_descriptor *descriptor)
{
    return !intake->arrival.is_data &&
           ota_image_app_descriptor(&intake->update.check.image, descriptor);
}

/* A server that always has the same file would else have it installed again and again. */
static bool is_running(const struct ota_intake *intake)
{
    struct ota_app_descriptor descriptor;

    return intake->arrival.unasked && find_descriptor(intake, &descriptor) &&
           ota_app_descriptor_is_same_build(&descriptor, &intake->running);
}

static enum ota_err ask_about_image(struct ota_intake *intake, enum ota_gate_stage stage)
{
    struct ota_app_descriptor descriptor;
    bool has_descriptor = find_descriptor(intake, &descriptor);

    return ask_gates(intake, stage, has_descriptor ? &descriptor : NULL);
}

static enum ota_err ask_way(const struct ota_intake *intake)
{
    const struct ota_arrival *arrival = &intake->arrival;
    struct ota_app_descriptor descriptor;

    if (arrival->judge == NULL) {
        return OTA_OK;
    }
    bool has_descriptor = find_descriptor(intake, &descriptor);
    return arrival->judge(arrival->context, has_descriptor ? &descriptor : NULL);
}

/* The update asks before its first change to the flash. */
static enum ota_err may_write(void *context, const struct ota_update *update)
{
    struct ota_intake *intake = context;
    enum ota_err err = is_running(intake) ? OTA_ERR_SAME_VERSION : ask_way(intake);

    if (err == OTA_OK) {
        err = ask_about_image(intake, OTA_GATE_DESCRIBED);
    }
    (void)update;
    intake->was_refused = err != OTA_OK;
    return err;
}

/* ---- Coming in ------------------------------------------------------------------------------- */

static void on_update(void *context, const struct ota_update *update, enum ota_update_event event,
                      uint32_t done, uint32_t total)
{
    struct ota_intake *intake = context;

    if (intake->options.on_update != NULL) {
        intake->options.on_update(intake->options.context, update, event, done, total);
    }
}

/* Finds the label of the data partition that "the file system" means. */
static bool find_data_label(struct ota_intake *intake)
{
    static const uint8_t subtypes[] = {OTA_SUBTYPE_DATA_SPIFFS, OTA_SUBTYPE_DATA_LITTLEFS,
                                       OTA_SUBTYPE_DATA_FAT};
    const struct ota_partition_table *table = &intake->options.device->table;
    struct ota_partition partition;

    for (size_t i = 0; i < sizeof subtypes; i++) {
        if (ota_partition_find(table, OTA_PARTITION_DATA, subtypes[i], NULL, &partition) ==
            OTA_OK) {
            memcpy(intake->label, partition.label, sizeof intake->label);
            return true;
        }
    }
    return false;
}

/* Settles which partition is meant: intake->label stays empty for the next OTA slot. */
static enum ota_err settle_label(struct ota_intake *intake, const struct ota_arrival *arrival)
{
    const char *label = arrival->label;

    memset(intake->label, 0, sizeof intake->label);
    if (label == NULL && arrival->is_data) {
        label = intake->options.data_label;
        if (label == NULL) {
            return find_data_label(intake) ? OTA_OK : OTA_ERR_NO_PARTITION;
        }
    }
    if (label == NULL) {
        return OTA_OK;
    }
    if (strlen(label) >= sizeof intake->label) {
        return OTA_ERR_NO_PARTITION;
    }
    memcpy(intake->label, label, strlen(label));
    return OTA_OK;
}

static enum ota_err admit(struct ota_intake *intake, const struct ota_arrival *arrival)
{
    enum ota_err err = ota_intake_availability(intake);

    if (err != OTA_OK) {
        return err;
    }
    intake->arrival = *arrival;
    intake->arrival.label = NULL;
    intake->arrival.etag = NULL;
    intake->was_refused = false;
    memset(&intake->failure, 0, sizeof intake->failure);
    memset(&intake->answer, 0, sizeof intake->answer);
    err = settle_label(intake, arrival);
    if (err == OTA_OK) {
        err = ask_gates(intake, OTA_GATE_BEGIN, NULL);
    }
    if (err != OTA_OK) {
        return refuse(intake, err);
    }
    intake->state = OTA_INTAKE_TAKEN;
    return OTA_OK;
}

static void fill_update_options(struct ota_intake *intake, const struct ota_arrival *arrival,
                                struct ota_update_options *options)
{
    memset(options, 0, sizeof *options);
    options->device = intake->options.device;
    options->label = intake->label[0] != '\0' ? intake->label : NULL;
    options->size = arrival->size;
    options->expected = arrival->expected;
    options->etag = arrival->etag;
    options->erase_ahead = arrival->erase_ahead;
    options->in_place = arrival->in_place;
    options->allow_trailer = intake->options.allow_trailer;
    options->unwrap = intake->options.unwrap;
    options->buffer = intake->options.buffer;
    options->buffer_size = intake->options.buffer_size;
    options->on_event = on_update;
    options->may_write = may_write;
    options->context = intake;
}

enum ota_err ota_intake_reserve(struct ota_intake *intake, const struct ota_arrival *arrival,
                                struct ota_update_options *options)
{
    enum ota_err err = admit(intake, arrival);

    if (err == OTA_OK) {
        fill_update_options(intake, arrival, options);
        tell(intake, OTA_INTAKE_STARTED);
    }
    return err;
}

enum ota_err ota_intake_resume(struct ota_intake *intake, const struct ota_arrival *arrival,
                               uint32_t *offset)
{
    struct ota_update_options options;
    enum ota_err err = admit(intake, arrival);

    *offset = 0;
    if (err != OTA_OK) {
        return err;
    }
    fill_update_options(intake, arrival, &options);
    err = ota_update_resume(&intake->update, &options, offset);
    if (err != OTA_OK) {
        return refuse(intake, err);
    }
    tell(intake, OTA_INTAKE_STARTED);
    return OTA_OK;
}

/* Admits an arrival and begins its update, of which `on_event` is told. */
static enum ota_err enter(struct ota_intake *intake, const struct ota_arrival *arrival,
                          ota_update_event_fn *on_event)
{
    struct ota_update_options options;
    enum ota_err err = admit(intake, arrival);

    if (err != OTA_OK) {
        return err;
    }
    fill_update_options(intake, arrival, &options);
    options.on_event = on_event;
    err = ota_update_begin(&intake->update, &options);
    return err == OTA_OK ? OTA_OK : refuse(intake, err);
}

enum ota_err ota_intake_begin(struct ota_intake *intake, const struct ota_arrival *arrival)
{
    enum ota_err err = enter(intake, arrival, on_update);

    if (err == OTA_OK) {
        tell(intake, OTA_INTAKE_STARTED);
    }
    return err;
}

enum ota_err ota_intake_ask(struct ota_intake *intake, const struct ota_arrival *arrival)
{
    enum ota_err err = enter(intake, arrival, NULL);

    if (err == OTA_OK) {
        ota_intake_abort(intake);
    }
    return err;
}

/* ---- While it is in -------------------------------------------------------------------------- */

enum ota_err ota_intake_expect(struct ota_intake *intake, const struct ota_digest *expected)
{
    enum ota_err err = OTA_ERR_STATE;

    if (intake->state == OTA_INTAKE_TAKEN) {
        err = ota_update_expect(&intake->update, expected);
        if (err == OTA_OK) {
            intake->arrival.expected = *expected;
        } else if (err != OTA_ERR_STATE) {
            (void)give_up(intake, err);
        }
    }
    return err;
}

enum ota_err ota_intake_write(struct ota_intake *intake, const void *data, size_t len)
{
    enum ota_err err;

    if (intake->state != OTA_INTAKE_TAKEN) {
        return OTA_ERR_STATE;
    }
    err = ota_update_write(&intake->update, data, len);
    return err == OTA_OK ? OTA_OK : give_up(intake, err);
}

enum ota_err ota_intake_end(struct ota_intake *intake)
{
    enum ota_err err = OTA_OK;

    if (intake->state != OTA_INTAKE_TAKEN) {
        return OTA_ERR_STATE;
    }
    if (intake->update.state != OTA_UPDATE_PROVEN) {
        err = ota_update_end(&intake->update);
    }
    if (err != OTA_OK) {
        return give_up(intake, err);
    }
    intake->state = OTA_INTAKE_READY;
    tell(intake, OTA_INTAKE_PROVEN);
    return OTA_OK;
}

void ota_intake_suspend(struct ota_intake *intake)
{
    if (intake->state != OTA_INTAKE_FREE) {
        ota_update_suspend(&intake->update);
        intake->state = OTA_INTAKE_FREE;
    }
}

void ota_intake_abort(struct ota_intake *intake)
{
    if (intake->state != OTA_INTAKE_FREE) {
        ota_update_abort(&intake->update);
        intake->state = OTA_INTAKE_FREE;
    }
}

enum ota_err ota_intake_availability(const struct ota_intake *intake)
{
    if (intake->is_closed) {
        return OTA_ERR_RESTARTING;
    }
    return intake->state == OTA_INTAKE_FREE ? OTA_OK : OTA_ERR_BUSY;
}

bool ota_intake_is_free(const struct ota_intake *intake)
{
    return ota_intake_availability(intake) == OTA_OK;
}

/* ---- Activation ------------------------------------------------------------------------------ */

static enum ota_err activate(struct ota_intake *intake)
{
    enum ota_err err = ask_about_image(intake, OTA_GATE_ACTIVATE);

    if (err == OTA_ERR_HELD) {
        return err;
    }
    intake->was_refused = err != OTA_OK;
    if (err == OTA_OK) {
        err = ota_update_activate(&intake->update);
    }
    if (err != OTA_OK) {
        return give_up(intake, err);
    }
    intake->state = OTA_INTAKE_FREE;
    intake->accepted++;
    tell(intake, OTA_INTAKE_ACTIVATED);
    return OTA_OK;
}

enum ota_err ota_intake_activate(struct ota_intake *intake)
{
    enum ota_err err;

    if (intake->state != OTA_INTAKE_READY) {
        return OTA_ERR_STATE;
    }
    err = activate(intake);
    if (err == OTA_ERR_HELD) {
        intake->state = OTA_INTAKE_HELD;
        tell(intake, OTA_INTAKE_HOLDING);
    }
    return err;
}

uint32_t ota_intake_poll(struct ota_intake *intake)
{
    if (intake->state != OTA_INTAKE_HELD || activate(intake) != OTA_ERR_HELD) {
        return UINT32_MAX;
    }
    return HELD_LOOK_MS;
}

/* ---- Beginning ------------------------------------------------------------------------------- */

enum ota_err ota_intake_init(struct ota_intake *intake, const struct ota_intake_options *options)
{
    if (options->device == NULL || options->buffer == NULL || options->buffer_size == 0) {
        return OTA_ERR_ARGUMENT;
    }
    memset(intake, 0, sizeof *intake);
    intake->options = *options;
    intake->has_running = ota_slot_describe(options->device, options->device->running_slot,
                                            &intake->running) == OTA_OK;
    return OTA_OK;
}
