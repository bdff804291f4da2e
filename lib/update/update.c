/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The update. States and what is legal in each: updraft/update.h.
 *
 *     begin, resume -> find_start: the target, and what may be gone on with -> RECEIVING
 *     write         -> (unwrap ->) store: check, at first the gate, writer, checkpoint
 *     end           -> proves -> PROVEN
 *
 * Only the gate (update_store.c) and what follows it change the flash. An update that goes on where
 * another left off passes it in resume: what the image says is known there.
 */
#include <updraft/slot.h>
#include <updraft/trust.h>

#include "update/update_private.h"

#include "base/mem.h"
#include "update/slot_select.h"
#include "update/staging_private.h"

static void notify(const struct ota_update *update, enum ota_update_event event)
{
    if (update->options.on_event != NULL) {
        update->options.on_event(update->options.context, update, event, update->received,
                                 update->options.size);
    }
}

/* Takes the mark away: whatever reads blank in the target now was erased whole. */
static enum ota_err end_journal(struct ota_update *update)
{
    return ota_journal_end(&update->journal, update->writer.prepared);
}

enum ota_err ota__update_fail(struct ota_update *update, enum ota_err err, uint32_t offset)
{
    if (update->state == OTA_UPDATE_FAILED) {
        return update->failure.err;
    }
    update->failure.err = err;
    update->failure.offset = offset;
    update->state = OTA_UPDATE_FAILED;
    ota__update_release(update);
    (void)end_journal(update);
    notify(update, OTA_EVENT_ERROR);
    return err;
}

/* ---- Starting -------------------------------------------------------------------------------- */

/* Can it be found out whether what arrives is signed as the device demands? */
static bool can_trust(const struct ota_update *update)
{
    const struct ota_update_options *options = &update->options;
    const struct ota_trust *trust = options->device->trust;
    bool finds_trailers =
        options->unwrap != NULL || trust == NULL || trust->arduino == NULL || trust->only_report;

    return finds_trailers &&
           (!ota__update_has_seals(update) || options->buffer_size >= OTA_SECURE_BLOCK_SIZE);
}

static enum ota_err start(struct ota_update *update, const struct ota_update_options *options,
                          bool resume)
{
    enum ota_err err;

    if (update->state == OTA_UPDATE_RECEIVING) {
        return OTA_ERR_STATE;
    }
    memset(update, 0, sizeof *update);
    update->options = *options;
    update->signature.err = OTA_ERR_SIGNATURE_MISSING;
    if (options->device == NULL || options->size == 0 || options->buffer == NULL ||
        options->buffer_size < options->device->flash->write_size || !can_trust(update)) {
        return ota__update_fail(update, OTA_ERR_ARGUMENT, 0);
    }
    err = ota__update_find_start(update, resume);
    /* The caller's strings are not used after this. */
    update->options.label = NULL;
    update->options.etag = NULL;
    if (err == OTA_OK && update->stored > 0) {
        err = ota__update_ask(update);
        if (err == OTA_OK) {
            err = ota__update_open_target(update, true);
        }
    }
    if (err != OTA_OK) {
        return ota__update_fail(update, err, 0);
    }
    update->state = OTA_UPDATE_RECEIVING;
    notify(update, OTA_EVENT_START);
    return OTA_OK;
}

enum ota_err ota_update_begin(struct ota_update *update, const struct ota_update_options *options)
{
    return start(update, options, false);
}

enum ota_err ota_update_resume(struct ota_update *update, const struct ota_update_options *options,
                               uint32_t *offset)
{
    enum ota_err err = start(update, options, true);

    *offset = err == OTA_OK ? update->received : 0;
    return err;
}

/* ---- Receiving ------------------------------------------------------------------------------- */

/* Is it RECEIVING? If not: the first cause, or OTA_ERR_STATE. */
static enum ota_err check_state(const struct ota_update *update)
{
    if (update->state == OTA_UPDATE_FAILED) {
        return update->failure.err;
    }
    return update->state == OTA_UPDATE_RECEIVING ? OTA_OK : OTA_ERR_STATE;
}

enum ota_err ota_update_write(struct ota_update *update, const void *data, size_t len)
{
    const struct ota_unwrap *unwrap = update->options.unwrap;
    enum ota_err err = check_state(update);

    if (err == OTA_OK) {
        err = unwrap != NULL ? unwrap->methods->write(update, data, len)
                             : ota__update_store(update, data, len);
        if (err == OTA_OK) {
            notify(update, OTA_EVENT_PROGRESS);
        }
    }
    return err;
}

/* ---- Ending ---------------------------------------------------------------------------------- */

static enum ota_err check_count(const struct ota_update *update)
{
    uint32_t size = update->options.size;

    if (update->received == 0) {
        return OTA_ERR_NO_DATA;
    }
    return size != OTA_SIZE_UNKNOWN && update->received < size ? OTA_ERR_INCOMPLETE : OTA_OK;
}

/* What arrived is whole. */
static enum ota_err check_arrived(struct ota_update *update)
{
    const struct ota_unwrap *unwrap = update->options.unwrap;
    enum ota_err err = check_count(update);

    if (err == OTA_OK) {
        err = unwrap != NULL ? unwrap->methods->end(update) : ota__update_check_expected(update);
    }
    return err;
}

/* The one place where it is decided whether somebody who is trusted has signed what is stored. */
static enum ota_err check_trust(struct ota_update *update)
{
    const struct ota_trust *trust = update->options.device->trust;

    if (ota__update_has_seals(update) && (trust->at_boot || update->signature.err != OTA_OK)) {
        return ota__update_ask_seals(update);
    }
    return trust == NULL || trust->only_report ? OTA_OK : update->signature.err;
}

enum ota_err ota_update_end(struct ota_update *update)
{
    enum ota_err err = check_state(update);

    if (err != OTA_OK) {
        return err;
    }
    err = check_arrived(update);
    if (err != OTA_OK) {
        return ota__update_fail(update, err, update->received);
    }
    err = ota_image_check_finish(&update->check);
    if (err != OTA_OK) {
        return ota__update_fail(update, err, update->check.failure.offset);
    }
    err = ota_writer_finish(&update->writer);
    if (err != OTA_OK) {
        return ota__update_fail(update, err, update->writer.failure.offset);
    }
    err = check_trust(update);
    if (err == OTA_OK) {
        err = end_journal(update);
    }
    if (err != OTA_OK) {
        return ota__update_fail(update, err, update->received);
    }
    update->state = OTA_UPDATE_PROVEN;
    notify(update, OTA_EVENT_PROVEN);
    return OTA_OK;
}

enum ota_err ota_update_activate(struct ota_update *update)
{
    const struct ota_device *device = update->options.device;
    enum ota_err err = OTA_OK;

    if (update->state != OTA_UPDATE_PROVEN) {
        return OTA_ERR_STATE;
    }
    if (device->staging != NULL) {
        err = device->staging->way->activate(update);
    } else if (update->slot != OTA_SLOT_NONE) {
        err = ota__slot_select(device, update->slot);
    }
    if (err == OTA_OK) {
        update->state = OTA_UPDATE_IDLE;
        notify(update, OTA_EVENT_ACTIVATED);
    }
    return err;
}

void ota_update_suspend(struct ota_update *update)
{
    if (update->state == OTA_UPDATE_RECEIVING && update->is_open && update->journal.resumable &&
        update->stored > update->journal.last.offset &&
        ota_writer_finish(&update->writer) == OTA_OK) {
        (void)ota__update_append_checkpoint(update);
    }
    ota__update_release(update);
    update->journal.open = false; /* it stays, and is not this object's any more */
    update->state = OTA_UPDATE_IDLE;
}

void ota_update_abort(struct ota_update *update)
{
    ota__update_release(update);
    (void)end_journal(update);
    update->state = OTA_UPDATE_IDLE;
}

enum ota_err ota_update_from_source(struct ota_update *update, struct ota_source *source,
                                    uint8_t *buffer, size_t buffer_size)
{
    enum ota_err err = check_state(update);
    size_t len = 0;

    if (err != OTA_OK) {
        return err;
    }
    do {
        err = source->read(source, buffer, buffer_size, &len);
        if (err != OTA_OK) {
            ota_update_suspend(update);
            return err;
        }
        err = ota_update_write(update, buffer, len);
    } while (err == OTA_OK && len > 0);
    return err == OTA_OK ? ota_update_end(update) : err;
}
