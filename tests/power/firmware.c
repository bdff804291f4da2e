/* SPDX-License-Identifier: Apache-2.0 */
#include "power/firmware.h"

#include <string.h>

#include "power/staged.h"
#include "power/ways.h"

#define PIECE 1000u /* bytes of the transfer that arrive at once */

enum step firmware_check(struct board *board, const char *call, enum ota_err err)
{
    static const enum ota_err honest[] = {
        OTA_ERR_FLASH_VERIFY,   OTA_ERR_DIGEST,          OTA_ERR_IMAGE_MAGIC,
        OTA_ERR_IMAGE_CHIP,     OTA_ERR_IMAGE_REVISION,  OTA_ERR_IMAGE_HASH,
        OTA_ERR_IMAGE_SEGMENT,  OTA_ERR_IMAGE_MAPPING,   OTA_ERR_IMAGE_CHECKSUM,
        OTA_ERR_IMAGE_LAYOUT,   OTA_ERR_IMAGE_TRUNCATED, OTA_ERR_IMAGE_FORM,
        OTA_ERR_COMPRESSED_SUM,
    };

    board_trace(board, "        call    %s: %s", call, ota_err_name(err));
    if (err == OTA_OK) {
        return STEP_DONE;
    }
    for (size_t i = 0; i < sizeof honest / sizeof honest[0]; i++) {
        if (err == honest[i] && board->now.memo.weak) {
            return STEP_RETRY;
        }
    }
    (void)board_fail(board, "%s: %s", call, ota_err_name(err));
    return STEP_RETRY;
}

void firmware_announce(struct board *board, int image)
{
    struct memo *memo = &board->now.memo;

    memo->allowed |= 1u << image;
    memo->candidate = image;
    if (board->scenario->rollback) {
        memo->confirmed &= ~(1u << image);
    }
}

enum step firmware_acknowledge(struct board *board, enum step step, int image)
{
    if (step == STEP_DONE) {
        board->now.memo.allowed = 1u << image;
    }
    return step;
}

static bool is_data(const struct board *board, const struct board_image *image)
{
    return board->scenario->data != 0 && image == &board->images[board->scenario->data];
}

static struct ota_unwrap *unwrap(struct board *board)
{
    static struct ota_decoder *decoders[2];

    decoders[0] = &board->gunzip.decoder;
    ota_gunzip_decoder_init(&board->gunzip);
    ota_unwrap_init(&board->unwrap, decoders);
    return &board->unwrap;
}

static struct ota_update_options options_for(struct board *board, const struct board_image *image)
{
    const struct scenario *scenario = board->scenario;
    struct ota_update_options options = {
        .device = &board->device,
        .label = is_data(board, image) ? "storage" : NULL,
        .size = scenario->size_unknown ? OTA_SIZE_UNKNOWN : image->sent_size,
        .buffer = board->buffer,
        .buffer_size = board->buffer_size,
        .erase_ahead = scenario->ahead,
    };

    if (!scenario->no_identity) {
        options.expected = image->digest;
    }
    if (scenario->staged == STAGED_GZIP) {
        options.unwrap = staged_unwrap(board);
    } else if (scenario->packed) {
        options.unwrap = unwrap(board);
    }
    return options;
}

static enum step transfer(struct board *board, const struct board_image *image, uint32_t from,
                          uint32_t to)
{
    while (from < to) {
        uint32_t n = to - from < PIECE ? to - from : PIECE;
        enum ota_err err = ota_update_write(&board->update, image->sent + from, n);
        if (err != OTA_OK) {
            return firmware_check(board, "ota_update_write", err);
        }
        from += n;
    }
    return STEP_DONE;
}

bool firmware_holds(struct board *board, const struct ota_update *update, int image)
{
    const struct board_image *what = &board->images[image];
    const uint8_t *target = board->now.memory + update->region.offset;

    const bool unpacked = board->scenario->packed;
    const uint8_t *stored = unpacked ? what->bytes : what->sent;

    return memcmp(target, stored, unpacked ? what->size : what->sent_size) == 0 ||
           board_fail(board, "what was proven is not what arrived");
}

static enum step finish(struct board *board, int image)
{
    enum step step = firmware_check(board, "ota_update_end", ota_update_end(&board->update));

    if (step != STEP_DONE || !firmware_holds(board, &board->update, image)) {
        return STEP_RETRY;
    }
    const bool data = is_data(board, &board->images[image]);
    if (!data) {
        firmware_announce(board, image);
    }
    step = firmware_check(board, "ota_update_activate", ota_update_activate(&board->update));
    return data ? step : firmware_acknowledge(board, step, image);
}

#define CHECKPOINTS_ENOUGH 40u /* for all transfers of a story, with the gaps that cuts leave */

/* The journal's sector must be free, and have room for the header and records in program units of
   their own. */
bool firmware_keeps_checkpoints(const struct board *board)
{
    const struct scenario *scenario = board->scenario;
    const uint32_t unit = board->geometry->write_size;
    const uint32_t header = (84 + unit - 1) / unit * unit;
    const uint32_t record = (16 + unit - 1) / unit * unit;

    return !scenario->full && !scenario->no_identity && scenario->staged != STAGED_GZIP &&
           !scenario->packed && !scenario->size_unknown &&
           header + CHECKPOINTS_ENOUGH * record <= board->geometry->erase[0];
}

void firmware_attempt(struct board *board, int image)
{
    struct memo *memo = &board->now.memo;

    memo->attempts++;
    if (memo->incoming != image) {
        memo->incoming = image;
        memo->suspended = 0;
    }
}

bool firmware_resumed(struct board *board, int image, uint32_t offset)
{
    const uint32_t size = board->images[image].sent_size;
    const uint32_t sector = board->geometry->erase[0];
    const uint32_t suspended = board->now.memo.suspended;

    board_trace(board, "        resumes image %d from %u of %u", image, (unsigned)offset,
                (unsigned)size);
    if (offset > size) {
        return board_fail(board, "the transfer resumes behind its end");
    }
    if (offset < suspended / sector * sector) {
        return board_fail(board, "the transfer resumes at %u, although it had come to %u",
                          (unsigned)offset, (unsigned)suspended);
    }
    return true;
}

static enum step resume(struct board *board, int image, uint32_t *offset)
{
    const struct ota_update_options options = options_for(board, &board->images[image]);

    firmware_attempt(board, image);
    enum step step = firmware_check(board, "ota_update_resume",
                                    ota_update_resume(&board->update, &options, offset));
    return step != STEP_DONE || firmware_resumed(board, image, *offset) ? step : STEP_RETRY;
}

static enum step suspend(struct board *board, uint32_t limit)
{
    ota_update_suspend(&board->update);
    board->now.memo.suspended = firmware_keeps_checkpoints(board) ? limit : 0;
    return STEP_SUSPENDED;
}

enum step firmware_update(struct board *board, int image, uint32_t limit)
{
    const struct board_image *what = &board->images[image];
    uint32_t offset = 0;

    if (board->scenario->way != WAY_CALLS) {
        return way_update(board, image, limit);
    }
    enum step step = resume(board, image, &offset);

    if (step == STEP_DONE) {
        step = transfer(board, what, offset, limit < what->sent_size ? limit : what->sent_size);
    }
    if (step == STEP_DONE && limit < what->sent_size) {
        return suspend(board, limit);
    }
    board->now.memo.suspended = 0;
    if (step == STEP_DONE) {
        step = finish(board, image);
    }
    if (step != STEP_DONE) {
        ota_update_abort(&board->update);
    }
    return step;
}

enum step firmware_abandon(struct board *board, int image, uint32_t limit)
{
    const struct board_image *what = &board->images[image];
    const struct ota_update_options options = options_for(board, what);
    enum step step =
        firmware_check(board, "ota_update_begin", ota_update_begin(&board->update, &options));

    if (step == STEP_DONE) {
        step = transfer(board, what, 0, limit);
    }
    ota_update_abort(&board->update);
    return step;
}

static enum ota_err refuse(void *context, const struct ota_update *update)
{
    (void)context;
    (void)update;
    return OTA_ERR_REFUSED;
}

enum step firmware_refuse(struct board *board, int image)
{
    const struct board_image *what = &board->images[image];
    struct ota_update_options options = options_for(board, what);
    const unsigned operations = board->operations;
    uint32_t from = 0;

    if (board->scenario->way != WAY_CALLS) {
        return way_refuse(board, image);
    }
    options.may_write = refuse;
    enum step step =
        firmware_check(board, "ota_update_begin", ota_update_begin(&board->update, &options));
    while (step == STEP_DONE && board->update.state == OTA_UPDATE_RECEIVING &&
           from < what->sent_size) {
        uint32_t n = what->sent_size - from < PIECE ? what->sent_size - from : PIECE;
        (void)ota_update_write(&board->update, what->sent + from, n);
        from += n;
    }
    if (step == STEP_DONE && board->update.failure.err != OTA_ERR_REFUSED) {
        (void)board_fail(board, "what the gate refuses ends with %s",
                         ota_err_name(board->update.failure.err));
    }
    ota_update_abort(&board->update);
    if (board->operations != operations) {
        (void)board_fail(board, "an update that was refused has changed the flash");
    }
    return step;
}

enum step firmware_set_boot(struct board *board, int slot, int image)
{
    firmware_announce(board, image);
    /* The factory app is never on trial, nor is the image before this one, where it is swapped back. */
    if (slot == OTA_SLOT_FACTORY || (board->scenario->staged != STAGED_NOT && image == 0)) {
        board->now.memo.confirmed |= 1u << image;
    }
    return firmware_acknowledge(
        board, firmware_check(board, "ota_slot_set_boot", ota_slot_set_boot(&board->device, slot)),
        image);
}

enum step firmware_confirm(struct board *board)
{
    struct memo *memo = &board->now.memo;
    enum step step;

    memo->allowed |= 1u << board->running;
    memo->confirmed |= 1u << board->running;
    enum ota_err err = ota_slot_confirm(&board->device);
    if (err == OTA_ERR_NO_ACTIVE_ENTRY && !board->boot.on_trial) {
        err = OTA_OK; /* it runs although otadata does not say so: there is nothing to confirm */
    }
    step = firmware_check(board, "ota_slot_confirm", err);
    if (step == STEP_DONE) {
        memo->stable = board->running;
    }
    return firmware_acknowledge(board, step, board->running);
}

enum step firmware_reject(struct board *board)
{
    return firmware_check(board, "ota_slot_reject", ota_slot_reject(&board->device));
}

enum step firmware_erase_last(struct board *board)
{
    enum ota_err err = ota_slot_erase_last(&board->device);

    /* No entry names it any more: it was erased before the power failed. */
    return firmware_check(board, "ota_slot_erase_last", err == OTA_ERR_NO_PARTITION ? OTA_OK : err);
}

enum step firmware_write_entry(struct board *board, int slot, int image, uint32_t last,
                               uint32_t *sequence)
{
    const struct layout *layout = &board->layout;
    const struct ota_region region = {&board->nor.flash, layout->otadata, 2 * layout->otadata_unit};
    struct ota_otadata otadata;
    struct ota_otadata_entry entry;
    int active;
    int index;
    enum step step = firmware_check(board, "ota_otadata_read", ota_otadata_read(&otadata, &region));

    active = ota_otadata_active(&otadata);
    *sequence = active >= 0 ? otadata.entry[active].sequence : 0;
    if (step != STEP_DONE || *sequence >= last) {
        return step;
    }
    step = firmware_check(
        board, "ota_otadata_select",
        ota_otadata_select(&otadata, slot, board->scenario->slots, false, &index, &entry));
    if (step != STEP_DONE) {
        return step;
    }
    firmware_announce(board, image);
    return firmware_acknowledge(
        board,
        firmware_check(board, "ota_otadata_write", ota_otadata_write(&region, index, &entry)),
        image);
}

bool firmware_storage_holds(const struct board *board, int image)
{
    const struct board_image *what = &board->images[image];

    return memcmp(board->now.memory + board->layout.storage, what->bytes, what->size) == 0;
}
