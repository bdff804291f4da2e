/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Storing. Bytes pass the check first, at first the gate, and the writer last, so that nothing is
 * erased for an image that already failed; from time to time a checkpoint says how far it has come.
 *
 *     store -> take: check, at first the gate (may_write, open_target), writer, checkpoint
 */
#include <updraft/esp8266.h>
#include <updraft/slot.h>

#include "update/update_private.h"

#include "base/bytes.h"
#include "base/mem.h"
#include "update/staging_private.h"

/* ---- Checkpoints ----------------------------------------------------------------------------- */

enum ota_err ota__update_append_checkpoint(struct ota_update *update)
{
    struct ota_checkpoint checkpoint;
    uint8_t digest[OTA_SHA256_SIZE];
    enum ota_err err = ota__update_digest_so_far(update, digest);

    if (err != OTA_OK) {
        return err;
    }
    checkpoint.offset = update->stored;
    memcpy(checkpoint.proof, digest, sizeof checkpoint.proof);
    return ota_journal_append(&update->journal, &checkpoint);
}

static void plan_checkpoint(struct ota_update *update)
{
    uint32_t interval = update->journal.interval;

    update->next_checkpoint =
        update->journal.resumable ? (update->stored / interval + 1) * interval : OTA_SIZE_UNKNOWN;
}

/* ---- What is changed ------------------------------------------------------------------------- */

/* Whether the image is stored with the mode of this board. What was compressed is left as it is, as
   in the original. A decoder reads it again, besides. */
static bool changes_mode(const struct ota_update *update)
{
    return update->rules.esp8266 != NULL && update->rules.form != OTA_IMAGE_DATA &&
           !update->is_compressed;
}

static enum ota_err put(struct ota_update *update, const uint8_t *data, uint32_t len)
{
    const struct ota_esp8266 *esp8266 = update->rules.esp8266;

    return changes_mode(update)
               ? esp8266->store(esp8266, &update->writer, update->stored, data, len)
               : ota_writer_write(&update->writer, data, len);
}

/* The byte that is about to be changed, if it is known by then. */
static uint8_t arrived_mode(const struct ota_update *update)
{
    return changes_mode(update) && ota_image_check_is_described(&update->check)
               ? update->check.image.spi_mode
               : OTA_JOURNAL_AS_STORED;
}

/* ---- The gate, and the first changes to the flash -------------------------------------------- */

/* Begins at the first byte. The trace of one that was cut short is removed before its mark. */
static enum ota_err start_afresh(struct ota_update *update)
{
    struct ota_identity identity = update->journal.identity;
    bool marked = false;
    enum ota_err err = ota_journal_is_marked(&update->region, &marked);

    if (err == OTA_OK && marked) {
        err = ota_writer_heal(&update->writer, 0, update->region.size);
    }
    return err == OTA_OK
               ? ota_journal_begin_changed(&update->journal, &update->region, update->options.size,
                                           &identity, arrived_mode(update))
               : err;
}

/* Goes on behind what was restored. What was proven beyond that, in a sector that was begun, is
   about to be erased: a checkpoint says so first, or the next one to resume would find nothing to
   prove. */
static enum ota_err go_on(struct ota_update *update)
{
    uint32_t sector = update->region.flash->erase_size;
    enum ota_err err = OTA_OK;

    if (update->stored != update->journal.last.offset) {
        err = ota__update_append_checkpoint(update);
    }
    if (err == OTA_OK) {
        err = ota_writer_heal(&update->writer, update->stored,
                              ota__round_up(update->options.size, sector));
    }
    update->journal.open = err == OTA_OK;
    return err;
}

/* Nothing that boots is to name what is about to change. */
static enum ota_err withdraw_target(const struct ota_update *update, bool resumed)
{
    const struct ota_device *device = update->options.device;

    if (device->staging != NULL) {
        return device->staging->way->open(update, resumed);
    }
    return update->slot != OTA_SLOT_NONE ? ota_slot_forget(device, update->slot) : OTA_OK;
}

enum ota_err ota__update_open_target(struct ota_update *update, bool resumed)
{
    enum ota_err err = withdraw_target(update, resumed);

    if (err == OTA_OK) {
        err = resumed ? go_on(update) : start_afresh(update);
    }
    if (err == OTA_OK && update->options.erase_ahead) {
        err = ota_writer_erase_ahead(&update->writer);
    }
    if (err == OTA_OK) {
        plan_checkpoint(update);
        update->is_open = true;
    }
    return err;
}

enum ota_err ota__update_ask(struct ota_update *update)
{
    const struct ota_update_options *options = &update->options;

    update->was_asked = true;
    return options->may_write != NULL ? options->may_write(options->context, update) : OTA_OK;
}

/* Passes the gate as soon as the image has said what it is. The writer holds back what came before,
   but not with a buffer too small for that: then the target is opened for `len` bytes more, and the
   question comes later. */
static enum ota_err pass_gate(struct ota_update *update, uint32_t len)
{
    bool described = ota_image_check_is_described(&update->check);
    bool pressed = update->writer.buffered + len >= update->writer.chunk;
    enum ota_err err = OTA_OK;

    if (described) {
        err = ota__update_ask(update);
    }
    if (err == OTA_OK && (described || pressed) && !update->is_open) {
        err = ota__update_open_target(update, false);
    }
    return err;
}

/* ---- Taking bytes ---------------------------------------------------------------------------- */

/* Takes bytes that lie wholly before the next checkpoint. */
static enum ota_err take(struct ota_update *update, const uint8_t *data, uint32_t len)
{
    enum ota_err err = update->keeps_packed ? OTA_OK : ota__update_check(update, data, len);

    if (err != OTA_OK) {
        bool judged = update->check.failure.err == err;
        return ota__update_fail(update, err,
                                judged ? update->check.failure.offset : update->stored);
    }
    if (!update->is_open || !update->was_asked) {
        err = pass_gate(update, len);
        if (err != OTA_OK) {
            return ota__update_fail(update, err, 0);
        }
    }
    err = put(update, data, len);
    if (err != OTA_OK) {
        return ota__update_fail(update, err, update->writer.failure.offset);
    }
    update->stored += len;
    if (update->options.unwrap == NULL) {
        update->received = update->stored;
    }
    if (update->stored == update->next_checkpoint) {
        err = ota__update_append_checkpoint(update);
        plan_checkpoint(update);
    }
    return err == OTA_OK ? OTA_OK : ota__update_fail(update, err, update->stored);
}

/* How many bytes may be taken at once. */
static uint32_t piece(const struct ota_update *update)
{
    uint32_t most = update->was_asked ? update->next_checkpoint - update->stored : OTA__HEAD;

    return ota__min(update->limit - update->stored, most);
}

enum ota_err ota__update_store(struct ota_update *update, const void *data, size_t len)
{
    const uint8_t *bytes = data;
    enum ota_err err = OTA_OK;

    while (err == OTA_OK && len > 0) {
        uint32_t most = piece(update);
        uint32_t n = len < most ? (uint32_t)len : most;
        err = n == 0 ? ota__update_fail(update, OTA_ERR_TOO_LARGE, update->stored)
                     : take(update, bytes, n);
        bytes += n;
        len -= n;
    }
    return err;
}
