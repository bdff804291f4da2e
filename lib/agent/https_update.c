/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The update from one URL, step by step. States: updraft/https_update.h.
 *
 *     OPENING     open_step: the head of the answer, then the image's first bytes into update->head
 *     DESCRIBED   let_in: the intake begins and takes these
 *     IN_PROGRESS carry: from the transfer into the intake, range after range
 *
 * H1 Bytes go to the intake in the file's order, and without a gap: transfer.offset is
 *    update->received.
 * H2 The intake is TAKEN by this update only in IN_PROGRESS and COMPLETE, and in DESCRIBED after a
 *    resume.
 */

#include <updraft/https_update.h>

#include <string.h>

#include "format/image_check.h"
#include "proto/http_answer.h"

#define PIECE 1024u
/* One perform moves at most this many, so that a fast network leaves the program its turn. */
#define PIECES_PER_PERFORM 16u

static const char way[] = "https";

static void tell(const struct ota_https_update *update, enum ota_https_update_event event)
{
    if (update->options.on_event != NULL) {
        update->options.on_event(update->options.context, update, event);
    }
}

/* ---- Failing --------------------------------------------------------------------------------- */

/* Leaves the door to others. What is on the flash is good as far as it goes, unless more came than
   was announced. */
static void leave(struct ota_https_update *update, enum ota_err err)
{
    struct ota_intake *intake = update->options.intake;

    if (update->is_taken && intake->state == OTA_INTAKE_TAKEN) {
        if (err == OTA_ERR_TOO_LARGE) {
            ota_intake_abort(intake);
        } else {
            ota_intake_suspend(intake);
        }
    }
    update->is_taken = false;
    ota_http_transfer_end(&update->transfer);
}

static enum ota_err fail(struct ota_https_update *update, enum ota_err err, uint32_t offset)
{
    leave(update, err);
    update->failure = (struct ota_failure){err, offset};
    update->state = OTA_HTTPS_UPDATE_FAILED;
    tell(update, OTA_HTTPS_UPDATE_ENDED);
    return err;
}

/* The intake said no; it is free again. */
static enum ota_err refused(struct ota_https_update *update, enum ota_err err)
{
    const struct ota_intake *intake = update->options.intake;
    uint32_t offset = intake->failure.err == err ? intake->failure.offset : update->received;

    update->is_taken = false;
    return fail(update, err, offset);
}

/* ---- Asking ---------------------------------------------------------------------------------- */

static bool is_strong(const char *etag)
{
    return etag[0] == '"';
}

/* Asks for what comes next: a range of its size, or all of the rest. */
static enum ota_err ask(struct ota_https_update *update)
{
    uint32_t len = update->options.max_request;
    const char *if_range = is_strong(update->etag) ? update->etag : NULL;

    if (update->received == 0) {
        if_range = NULL;
    }
    if (update->size != OTA_SIZE_UNKNOWN && len > update->size - update->received) {
        len = update->size - update->received;
    }
    return ota_http_transfer_get(&update->transfer, update->received,
                                 len != 0 ? len : OTA_SIZE_UNKNOWN, if_range);
}

/* Where an interrupted update goes on. Only one that can be told from another file. */
static void find_start(struct ota_https_update *update)
{
    const struct ota_https_update_options *options = &update->options;
    const struct ota_intake_options *intake = &options->intake->options;
    const char *label = options->label;
    uint32_t offset = 0;

    if (label == NULL && options->is_data) {
        label = intake->data_label;
    }
    if (!options->resume || (label == NULL && options->is_data) ||
        ota_update_pending(intake->device, label, &update->pending, &update->pending_size,
                           &offset) != OTA_OK ||
        offset >= update->pending_size) {
        return;
    }
    if (options->expected.algorithm != OTA_HASH_NONE) {
        struct ota_identity expected = ota_identity_from_digest(&options->expected);
        update->start = ota_identity_equal(&expected, &update->pending) ? offset : 0;
    } else if (update->pending.kind == OTA_IDENTITY_ETAG &&
               ota__http_is_etag(update->pending.bytes, update->pending.len)) {
        memcpy(update->etag, update->pending.bytes, update->pending.len);
        update->etag[update->pending.len] = '\0';
        update->start = offset;
    }
    update->received = update->start;
    update->size = update->start > 0 ? update->pending_size : OTA_SIZE_UNKNOWN;
}

/* From the first byte, whatever is on the flash. */
static enum ota_err restart(struct ota_https_update *update)
{
    update->start = 0;
    update->received = 0;
    update->size = OTA_SIZE_UNKNOWN;
    update->etag[0] = '\0';
    update->is_answered = false;
    update->head_len = 0;
    ota_http_transfer_end(&update->transfer);
    update->transfer.size = OTA_SIZE_UNKNOWN;
    tell(update, OTA_HTTPS_UPDATE_RESTARTED);
    enum ota_err err = ask(update);
    return err == OTA_OK ? OTA_OK : fail(update, err, 0);
}

/* ---- Letting in ------------------------------------------------------------------------------ */

static struct ota_arrival arrival(const struct ota_https_update *update)
{
    const struct ota_https_update_options *options = &update->options;

    return (struct ota_arrival){
        .way = way,
        .is_data = options->is_data,
        .label = options->label,
        .size = update->size,
        .expected = options->expected,
        .etag = update->etag[0] != '\0' ? update->etag : NULL,
        .erase_ahead = options->bulk_erase,
    };
}

/* The rest is to be had: lets it in where the flash says. */
static enum ota_err go_on(struct ota_https_update *update)
{
    struct ota_intake *intake = update->options.intake;
    const struct ota_arrival rest = arrival(update);
    uint32_t offset = 0;
    enum ota_err err = ota_intake_resume(intake, &rest, &offset);

    if (err != OTA_OK) {
        return refused(update, err);
    }
    if (offset != update->start) {
        /* The flash does not hold what the journal claimed: what comes does not belong there. */
        ota_intake_suspend(intake);
        return restart(update);
    }
    update->is_taken = true;
    tell(update, OTA_HTTPS_UPDATE_RESUMED);
    return OTA_OK;
}

/* Lets in what is described, from its first byte. */
static enum ota_err let_in(struct ota_https_update *update)
{
    struct ota_intake *intake = update->options.intake;
    const struct ota_arrival all = arrival(update);
    enum ota_err err = OTA_OK;

    if (!update->is_taken) {
        err = ota_intake_begin(intake, &all);
        update->is_taken = err == OTA_OK;
    }
    if (err == OTA_OK && update->head_len > 0) {
        err = ota_intake_write(intake, update->head, update->head_len);
    }
    if (err != OTA_OK) {
        return refused(update, err);
    }
    update->state = OTA_HTTPS_UPDATE_IN_PROGRESS;
    update->has_more = true; /* nobody has looked at the network for a while */
    return OTA_OK;
}

/* ---- Reading --------------------------------------------------------------------------------- */

/* The head of an answer has been judged good by the transfer. Is it of the same file? */
static enum ota_err answered(struct ota_https_update *update)
{
    const struct ota_http_transfer *transfer = &update->transfer;

    if (update->received > 0 && update->etag[0] != '\0' && transfer->etag[0] != '\0' &&
        strcmp(update->etag, transfer->etag) != 0) {
        return OTA_ERR_HTTP_RANGE;
    }
    if (update->received > 0 && update->size != OTA_SIZE_UNKNOWN &&
        update->size != transfer->size) {
        return OTA_ERR_HTTP_RANGE;
    }
    update->size = transfer->size;
    if (!update->is_answered) {
        if (update->etag[0] == '\0') {
            memcpy(update->etag, transfer->etag, sizeof update->etag);
        }
        update->is_answered = true;
        tell(update, OTA_HTTPS_UPDATE_ANSWERED);
    }
    return OTA_OK;
}

/* A server that gives less than it was asked for, and little, would be asked for ever. */
static bool is_niggardly(const struct ota_http_transfer *transfer)
{
    uint32_t len = transfer->offset - transfer->range_from;

    return len < OTA_HTTP_BODY_LEAST && transfer->offset < transfer->range_to &&
           transfer->offset < transfer->size;
}

static bool is_whole(const struct ota_https_update *update)
{
    const struct ota_http_transfer *transfer = &update->transfer;

    return transfer->state == OTA_TRANSFER_DONE && transfer->offset == transfer->size;
}

/* Reads what there is now: `*len` bytes that follow those before. */
static enum ota_err read_some(struct ota_https_update *update, void *data, size_t capacity,
                              size_t *len)
{
    struct ota_http_transfer *transfer = &update->transfer;
    enum ota_http_transfer_state before = transfer->state;
    enum ota_err err = OTA_OK;

    *len = 0;
    if (before == OTA_TRANSFER_DONE && !is_whole(update)) {
        err = is_niggardly(transfer) ? OTA_ERR_HTTP_RANGE : ask(update);
        before = transfer->state;
    }
    if (err == OTA_OK && before != OTA_TRANSFER_DONE) {
        err = ota_http_transfer_read(transfer, data, capacity, len);
    }
    if (err == OTA_OK && before == OTA_TRANSFER_ASKING &&
        transfer->state >= OTA_TRANSFER_RECEIVING) {
        err = answered(update);
    }
    if (err != OTA_OK) {
        *len = 0;
        return err;
    }
    update->received += (uint32_t)*len;
    update->size = transfer->size;
    return OTA_OK;
}

/* ---- Steps ----------------------------------------------------------------------------------- */

/* The answer will not do for what is on the flash: then for all of it. */
static enum ota_err not_opened(struct ota_https_update *update, enum ota_err err)
{
    if (update->start > 0 && err == OTA_ERR_HTTP_RANGE) {
        return restart(update);
    }
    if (update->transfer.status == 304) {
        err = OTA_ERR_SAME_VERSION;
    }
    return fail(update, err, update->received);
}

static bool is_described(const struct ota_https_update *update)
{
    return update->start > 0 || update->head_len == sizeof update->head || is_whole(update);
}

/* OPENING: the head of the answer and the first bytes. */
static enum ota_err open_step(struct ota_https_update *update)
{
    for (unsigned i = 0; i < PIECES_PER_PERFORM; i++) {
        size_t len = 0;
        enum ota_err err = read_some(update, update->head + update->head_len,
                                     sizeof update->head - update->head_len, &len);
        if (err != OTA_OK) {
            return not_opened(update, err);
        }
        update->head_len = (uint16_t)(update->head_len + len);
        if (!update->is_answered) {
            return OTA_OK;
        }
        if (update->start > 0) {
            err = go_on(update);
            if (err != OTA_OK || update->start == 0) {
                return err;
            }
        } else if (is_whole(update) && update->head_len == 0) {
            return fail(update, OTA_ERR_NO_DATA, 0);
        }
        if (is_described(update)) {
            update->state = OTA_HTTPS_UPDATE_DESCRIBED;
            return OTA_OK;
        }
        if (len == 0) {
            return OTA_OK;
        }
    }
    return OTA_OK;
}

/* IN_PROGRESS: what there is now. */
static enum ota_err carry(struct ota_https_update *update)
{
    uint8_t piece[PIECE];

    update->has_more = true;
    for (unsigned i = 0; i < PIECES_PER_PERFORM && !is_whole(update); i++) {
        size_t len = 0;
        enum ota_err err = read_some(update, piece, sizeof piece, &len);
        if (err != OTA_OK) {
            return fail(update, err, update->received);
        }
        if (len == 0) {
            update->has_more = false;
            break;
        }
        err = ota_intake_write(update->options.intake, piece, len);
        if (err != OTA_OK) {
            return refused(update, err);
        }
        tell(update, OTA_HTTPS_UPDATE_WRITTEN);
    }
    if (is_whole(update)) {
        ota_http_transfer_end(&update->transfer);
        update->state = OTA_HTTPS_UPDATE_COMPLETE;
    }
    return OTA_OK;
}

enum ota_err ota_https_update_perform(struct ota_https_update *update)
{
    switch (update->state) {
    case OTA_HTTPS_UPDATE_OPENING:
        return open_step(update);
    case OTA_HTTPS_UPDATE_DESCRIBED:
        return let_in(update);
    case OTA_HTTPS_UPDATE_IN_PROGRESS:
        return carry(update);
    case OTA_HTTPS_UPDATE_COMPLETE:
        return OTA_OK;
    case OTA_HTTPS_UPDATE_FAILED:
        return update->failure.err;
    default:
        return OTA_ERR_STATE;
    }
}

uint32_t ota_https_update_wait_ms(const struct ota_https_update *update)
{
    if (update->has_more || (update->state != OTA_HTTPS_UPDATE_OPENING &&
                             update->state != OTA_HTTPS_UPDATE_IN_PROGRESS)) {
        return 0;
    }
    return ota_http_transfer_wait_ms(&update->transfer);
}

bool ota_https_update_is_complete(const struct ota_https_update *update)
{
    return update->state == OTA_HTTPS_UPDATE_COMPLETE;
}

/* ---- Describing ------------------------------------------------------------------------------ */

static bool decode_head(const struct ota_https_update *update,
                        struct ota_app_descriptor *descriptor)
{
    enum ota_image_form form = update->options.intake->options.device->form;
    uint32_t offset = ota__app_descriptor_offset(form);

    return !update->options.is_data && form != OTA_IMAGE_ESP8266 && update->head[0] == OTA__MAGIC &&
           update->head_len >= offset + OTA_DESCRIPTOR_KEPT &&
           ota_app_descriptor_decode(update->head + offset, descriptor);
}

enum ota_err ota_https_update_describe(struct ota_https_update *update,
                                       struct ota_app_descriptor *descriptor)
{
    struct ota_platform *platform = update->options.platform;
    bool has_descriptor;

    while (update->state == OTA_HTTPS_UPDATE_OPENING) {
        enum ota_err err = ota_https_update_perform(update);
        if (err != OTA_OK) {
            return err;
        }
        if (update->state == OTA_HTTPS_UPDATE_OPENING) {
            platform->wait(platform, ota_https_update_wait_ms(update));
        }
    }
    if (update->state < OTA_HTTPS_UPDATE_DESCRIBED || update->state > OTA_HTTPS_UPDATE_COMPLETE) {
        return update->state == OTA_HTTPS_UPDATE_FAILED ? update->failure.err : OTA_ERR_STATE;
    }
    has_descriptor =
        update->start > 0
            ? !update->options.is_data &&
                  ota_image_app_descriptor(&update->options.intake->update.check.image, descriptor)
            : decode_head(update, descriptor);
    return has_descriptor ? OTA_OK : OTA_ERR_IMAGE_DESCRIPTOR;
}

/* ---- Beginning and end ----------------------------------------------------------------------- */

enum ota_err ota_https_update_begin(struct ota_https_update *update,
                                    const struct ota_https_update_options *options)
{
    const struct ota_http_transfer_options transfer = {
        .platform = options->platform,
        .secure = options->secure,
        .ca_pem = options->ca_pem,
        .url = options->url,
        .credentials = options->credentials,
        .keep_alive = options->max_request != 0,
        .allow_downgrade = options->allow_downgrade,
        .refuse_http = !options->allow_http,
        .redirect_limit = options->redirect_limit,
        .head_timeout_ms = options->head_timeout_ms,
        .body_timeout_ms = options->body_timeout_ms,
        .body_least = options->body_least,
        .text = options->text,
        .text_size = options->text_size,
        .write_headers = options->write_headers,
        .context = options->context,
    };

    memset(update, 0, sizeof *update);
    if (options->intake == NULL) {
        return OTA_ERR_ARGUMENT;
    }
    enum ota_err err = ota_intake_availability(options->intake);
    if (err != OTA_OK) {
        return err;
    }
    update->options = *options;
    update->size = OTA_SIZE_UNKNOWN;
    err = ota_http_transfer_begin(&update->transfer, &transfer);
    if (err == OTA_OK) {
        find_start(update);
        err = ask(update);
    }
    if (err == OTA_OK) {
        update->state = OTA_HTTPS_UPDATE_OPENING;
    }
    return err;
}

enum ota_err ota_https_update_finish(struct ota_https_update *update)
{
    struct ota_intake *intake = update->options.intake;
    enum ota_err err;

    if (update->state == OTA_HTTPS_UPDATE_FAILED) {
        return update->failure.err;
    }
    if (update->state == OTA_HTTPS_UPDATE_IDLE || update->state == OTA_HTTPS_UPDATE_DONE) {
        return OTA_ERR_STATE;
    }
    if (update->state != OTA_HTTPS_UPDATE_COMPLETE) {
        return fail(update, OTA_ERR_INCOMPLETE, update->received);
    }
    err = ota_intake_end(intake);
    if (err == OTA_OK) {
        err = ota_intake_activate(intake);
    }
    if (err != OTA_OK && err != OTA_ERR_HELD) {
        return refused(update, err);
    }
    update->is_taken = false;
    update->state = OTA_HTTPS_UPDATE_DONE;
    tell(update, OTA_HTTPS_UPDATE_ENDED);
    return err;
}

void ota_https_update_abort(struct ota_https_update *update)
{
    if (update->state >= OTA_HTTPS_UPDATE_OPENING && update->state <= OTA_HTTPS_UPDATE_COMPLETE) {
        (void)fail(update, OTA_ERR_ABORTED, update->received);
    }
}

enum ota_err ota_https_update(struct ota_https_update *update,
                              const struct ota_https_update_options *options)
{
    struct ota_platform *platform = options->platform;
    enum ota_err err = ota_https_update_begin(update, options);

    while (err == OTA_OK && !ota_https_update_is_complete(update)) {
        enum ota_https_update_state before = update->state;
        err = ota_https_update_perform(update);
        uint32_t wait_ms = ota_https_update_wait_ms(update);
        if (err == OTA_OK && before == update->state && wait_ms > 0) {
            platform->wait(platform, wait_ms);
        }
    }
    return err == OTA_OK ? ota_https_update_finish(update) : err;
}
