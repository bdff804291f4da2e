/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The update. States and what is legal in each: updraft/update.h. In RECEIVING, bytes pass the
 * check first and the writer second, so that nothing is erased for an image that already failed.
 *
 *     begin, resume -> start: finds the target, and reads what may be gone on with -> RECEIVING
 *     write         -> take: check, at first the gate (may_write, open_target), writer, checkpoint
 *     end           -> proves -> PROVEN
 *
 * Only open_target and what follows it change the flash. An update that goes on where another left
 * off passes the gate in resume: what the image says is known there.
 */
#include <updraft/slot.h>
#include <updraft/update.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "update/slot_select.h"
#include "update/target.h"

/* Within so many bytes an image says what it is, if it ever does. */
#define HEAD 256u

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

static void end_md5(struct ota_update *update)
{
    if (update->md5_begun) {
        update->md5_begun = false;
        update->options.device->crypto->hash_abort(&update->md5);
    }
}

/* Ends the hashes, whatever state they are in. */
static void release(struct ota_update *update)
{
    ota_image_check_abort(&update->check);
    end_md5(update);
}

static enum ota_err fail(struct ota_update *update, enum ota_err err, uint32_t offset)
{
    update->failure.err = err;
    update->failure.offset = offset;
    update->state = OTA_UPDATE_FAILED;
    release(update);
    (void)end_journal(update);
    notify(update, OTA_EVENT_ERROR);
    return err;
}

/* The check and the hash of what arrives. */

/* Only if one is expected. */
static enum ota_err begin_md5(struct ota_update *update)
{
    enum ota_err err = OTA_OK;

    if (update->options.expected.algorithm == OTA_HASH_MD5) {
        err = update->options.device->crypto->hash_begin(&update->md5, OTA_HASH_MD5);
        update->md5_begun = err == OTA_OK;
    }
    return err;
}

/* The check's SHA-256 is wanted of every app, for the digest at its end; of data only where it is
   expected, or nothing but an entity tag names a transfer that keeps a journal. */
static void choose_hashes(struct ota_update *update)
{
    enum ota_hash_algorithm expected = update->options.expected.algorithm;
    bool is_named = update->journal.identity.kind != OTA_IDENTITY_NONE;

    update->rules.unhashed = update->rules.form == OTA_IMAGE_DATA &&
                             (expected == OTA_HASH_MD5 || (expected == OTA_HASH_NONE && !is_named));
}

static enum ota_err begin_check(struct ota_update *update)
{
    choose_hashes(update);
    enum ota_err err =
        ota_image_check_begin(&update->check, &update->rules, update->options.device->crypto);

    return err == OTA_OK ? begin_md5(update) : err;
}

static enum ota_err check_bytes(struct ota_update *update, const void *data, uint32_t len)
{
    enum ota_err err = ota_image_check_write(&update->check, data, len);

    if (err == OTA_OK && update->md5_begun) {
        err = update->options.device->crypto->hash_update(&update->md5, data, len);
    }
    return err;
}

/* Compares what arrived with the expected digest. */
static enum ota_err check_expected(struct ota_update *update)
{
    const struct ota_digest *expected = &update->options.expected;
    uint8_t digest[OTA_SHA256_SIZE] = {0};
    enum ota_err err = OTA_OK;

    if (expected->algorithm == OTA_HASH_NONE) {
        return OTA_OK;
    }
    if (update->md5_begun) {
        update->md5_begun = false;
        err = update->options.device->crypto->hash_finish(&update->md5, digest);
    } else {
        err = ota_image_check_digest(&update->check, digest);
    }
    if (err != OTA_OK) {
        return err;
    }
    memcpy(update->digest, digest, sizeof digest); /* the hash is over: this is in its place */
    return memcmp(digest, expected->bytes, ota_digest_size(expected->algorithm)) == 0
               ? OTA_OK
               : OTA_ERR_DIGEST;
}

/* Checkpoints. */

/* The digest of what arrived so far that proves a checkpoint: MD5 if that is expected, else
   SHA-256. */
static enum ota_err digest_so_far(const struct ota_update *update, uint8_t digest[OTA_SHA256_SIZE])
{
    const struct ota_crypto *crypto = update->options.device->crypto;
    struct ota_hash copy;

    if (!update->md5_begun) {
        return ota_image_check_digest(&update->check, digest);
    }
    enum ota_err err = crypto->hash_clone(&update->md5, &copy);
    return err == OTA_OK ? crypto->hash_finish(&copy, digest) : err;
}

static enum ota_err append_checkpoint(struct ota_update *update)
{
    struct ota_checkpoint checkpoint;
    uint8_t digest[OTA_SHA256_SIZE];
    enum ota_err err = digest_so_far(update, digest);

    if (err != OTA_OK) {
        return err;
    }
    checkpoint.offset = update->received;
    memcpy(checkpoint.proof, digest, sizeof checkpoint.proof);
    return ota_journal_append(&update->journal, &checkpoint);
}

static void plan_checkpoint(struct ota_update *update)
{
    uint32_t interval = update->journal.interval;

    update->next_checkpoint =
        update->journal.resumable ? (update->received / interval + 1) * interval : OTA_SIZE_UNKNOWN;
}

/* Where to begin. */

static struct ota_identity identity_of(const struct ota_update_options *options)
{
    if (options->expected.algorithm != OTA_HASH_NONE) {
        return ota_identity_from_digest(&options->expected);
    }
    return ota_identity_from_etag(options->etag);
}

static enum ota_err begin_writer(struct ota_update *update, uint32_t start)
{
    const struct ota_update_options *options = &update->options;

    return ota_writer_begin(&update->writer, &update->region, start, options->size, options->buffer,
                            options->buffer_size);
}

/* Checks what the flash holds from the start up to `end`. */
static enum ota_err check_flash(struct ota_update *update, uint32_t end)
{
    enum ota_err err = begin_check(update);
    uint8_t *buffer = update->options.buffer;

    for (uint32_t offset = 0; err == OTA_OK && offset < end;) {
        uint32_t n = ota__min(update->options.buffer_size, end - offset);
        err = ota_region_read(&update->region, offset, buffer, n);
        if (err == OTA_OK) {
            err = check_bytes(update, buffer, n);
        }
        offset += n;
    }
    return err;
}

/* Proves the journal's last checkpoint and goes on from it; false if that cannot be done. The
   writer goes on at a sector's start: if the checkpoint is not there, what is behind that is wanted
   again, and the check is brought back to that point. */
static bool restore(struct ota_update *update)
{
    const struct ota_checkpoint *last = &update->journal.last;
    uint32_t start = ota__round_down(last->offset, update->region.flash->erase_size);
    uint8_t digest[OTA_SHA256_SIZE];
    bool proven = start >= HEAD && check_flash(update, last->offset) == OTA_OK &&
                  digest_so_far(update, digest) == OTA_OK &&
                  memcmp(digest, last->proof, sizeof last->proof) == 0;

    if (proven && start != last->offset) {
        release(update);
        proven = check_flash(update, start) == OTA_OK;
    }
    if (!proven) {
        release(update);
        return false;
    }
    update->received = start;
    return true;
}

static bool is_same_transfer(const struct ota_update *update)
{
    struct ota_identity identity = identity_of(&update->options);

    return update->journal.size == update->options.size &&
           ota_identity_equal(&update->journal.identity, &identity);
}

/* Finds the target, and where in it to go on. Reads only. */
static enum ota_err find_start(struct ota_update *update, bool resume)
{
    const struct ota_update_options *options = &update->options;
    struct ota__target target;
    enum ota_err err = ota__target_find(options->device, options->label, &target);

    if (err != OTA_OK) {
        return err;
    }
    update->partition = target.partition;
    update->region = target.region;
    update->slot = target.slot;
    if (options->size != OTA_SIZE_UNKNOWN && options->size > target.region.size) {
        return OTA_ERR_TOO_LARGE;
    }
    ota_device_image_rules(options->device, &target.region, &update->rules);
    update->rules.allow_trailer = options->allow_trailer;
    if (target.slot == OTA_SLOT_NONE) {
        update->rules.form = OTA_IMAGE_DATA;
    }
    err = ota_journal_open(&update->journal, &target.region);
    if (err != OTA_OK && err != OTA_ERR_NO_DATA) {
        return err;
    }
    if (!resume || !update->journal.resumable || !is_same_transfer(update) || !restore(update)) {
        update->journal.identity = identity_of(options);
        err = begin_check(update);
    }
    return err == OTA_OK ? begin_writer(update, update->received) : err;
}

/* The gate, and the first changes to the flash. */

/* Begins at the first byte. If an update was cut short here, its trace is removed before its
   mark. */
static enum ota_err start_afresh(struct ota_update *update)
{
    struct ota_identity identity = update->journal.identity;
    bool marked = false;
    enum ota_err err = ota_journal_is_marked(&update->region, &marked);

    if (err == OTA_OK && marked) {
        err = ota_writer_heal(&update->writer, 0, update->region.size);
    }
    return err == OTA_OK ? ota_journal_begin(&update->journal, &update->region,
                                             update->options.size, &identity)
                         : err;
}

/* Goes on behind what was restored. What was proven beyond that, in a sector that was begun, is
   about to be erased: a checkpoint says so first, or the next one to resume would find nothing to
   prove. */
static enum ota_err go_on(struct ota_update *update)
{
    uint32_t sector = update->region.flash->erase_size;
    enum ota_err err = OTA_OK;

    if (update->received != update->journal.last.offset) {
        err = append_checkpoint(update);
    }
    if (err == OTA_OK) {
        err = ota_writer_heal(&update->writer, update->received,
                              ota__round_up(update->options.size, sector));
    }
    update->journal.open = err == OTA_OK;
    return err;
}

/* Withdraws the target from otadata, and makes it ready to be written. */
static enum ota_err open_target(struct ota_update *update, bool resumed)
{
    enum ota_err err = update->slot != OTA_SLOT_NONE
                           ? ota_slot_forget(update->options.device, update->slot)
                           : OTA_OK;

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

static enum ota_err ask(struct ota_update *update)
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
        err = ask(update);
    }
    if (err == OTA_OK && (described || pressed) && !update->is_open) {
        err = open_target(update, false);
    }
    return err;
}

/* Starting. */

static enum ota_err start(struct ota_update *update, const struct ota_update_options *options,
                          bool resume)
{
    enum ota_err err;

    if (update->state == OTA_UPDATE_RECEIVING) {
        return OTA_ERR_STATE;
    }
    memset(update, 0, sizeof *update);
    update->options = *options;
    if (options->device == NULL || options->size == 0 || options->buffer == NULL ||
        options->buffer_size < options->device->flash->write_size) {
        return fail(update, OTA_ERR_ARGUMENT, 0);
    }
    err = find_start(update, resume);
    /* The caller's strings are not used after this. */
    update->options.label = NULL;
    update->options.etag = NULL;
    if (err == OTA_OK && update->received > 0) {
        err = ask(update);
        if (err == OTA_OK) {
            err = open_target(update, true);
        }
    }
    if (err != OTA_OK) {
        return fail(update, err, 0);
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

enum ota_err ota_update_pending(struct ota_device *device, const char *label,
                                struct ota_identity *identity, uint32_t *size, uint32_t *offset)
{
    struct ota__target target;
    struct ota_journal journal;
    enum ota_err err = ota__target_find(device, label, &target);

    if (err == OTA_OK) {
        err = ota_journal_open(&journal, &target.region);
    }
    if (err != OTA_OK) {
        return err;
    }
    *identity = journal.identity;
    *size = journal.size;
    *offset = ota__round_down(journal.last.offset, device->flash->erase_size);
    return *offset == 0 ? OTA_ERR_NO_DATA : OTA_OK;
}

/* Receiving. */

/* Takes bytes that lie wholly before the next checkpoint. */
static enum ota_err take(struct ota_update *update, const uint8_t *data, uint32_t len)
{
    enum ota_err err = check_bytes(update, data, len);

    if (err != OTA_OK) {
        bool judged = update->check.failure.err == err;
        return fail(update, err, judged ? update->check.failure.offset : update->received);
    }
    if (!update->is_open || !update->was_asked) {
        err = pass_gate(update, len);
        if (err != OTA_OK) {
            return fail(update, err, 0);
        }
    }
    err = ota_writer_write(&update->writer, data, len);
    if (err != OTA_OK) {
        return fail(update, err, update->writer.failure.offset);
    }
    update->received += len;
    if (update->received == update->next_checkpoint) {
        err = append_checkpoint(update);
        plan_checkpoint(update);
    }
    return err == OTA_OK ? OTA_OK : fail(update, err, update->received);
}

static uint32_t room(const struct ota_update *update)
{
    uint32_t size = update->options.size;

    return (size == OTA_SIZE_UNKNOWN ? update->region.size : size) - update->received;
}

/* How many bytes may be taken at once. */
static uint32_t piece(const struct ota_update *update)
{
    uint32_t most = update->was_asked ? update->next_checkpoint - update->received : HEAD;

    return ota__min(room(update), most);
}

enum ota_err ota_update_expect(struct ota_update *update, const struct ota_digest *expected)
{
    if (update->state != OTA_UPDATE_RECEIVING || update->received != 0) {
        return OTA_ERR_STATE;
    }
    update->options.expected = *expected;
    end_md5(update);
    choose_hashes(update);
    enum ota_err err = begin_md5(update);
    return err == OTA_OK ? OTA_OK : fail(update, err, 0);
}

enum ota_err ota_update_write(struct ota_update *update, const void *data, size_t len)
{
    const uint8_t *bytes = data;

    if (update->state == OTA_UPDATE_FAILED) {
        return update->failure.err;
    }
    if (update->state != OTA_UPDATE_RECEIVING) {
        return OTA_ERR_STATE;
    }
    while (len > 0) {
        uint32_t most = piece(update);
        uint32_t n = len < most ? (uint32_t)len : most;
        enum ota_err err =
            n == 0 ? fail(update, OTA_ERR_TOO_LARGE, update->received) : take(update, bytes, n);
        if (err != OTA_OK) {
            return err;
        }
        bytes += n;
        len -= n;
    }
    notify(update, OTA_EVENT_PROGRESS);
    return OTA_OK;
}

/* Ending. */

static enum ota_err check_count(const struct ota_update *update)
{
    if (update->received == 0) {
        return OTA_ERR_NO_DATA;
    }
    return update->options.size != OTA_SIZE_UNKNOWN && room(update) != 0 ? OTA_ERR_INCOMPLETE
                                                                         : OTA_OK;
}

enum ota_err ota_update_end(struct ota_update *update)
{
    enum ota_err err;

    if (update->state == OTA_UPDATE_FAILED) {
        return update->failure.err;
    }
    if (update->state != OTA_UPDATE_RECEIVING) {
        return OTA_ERR_STATE;
    }
    err = check_count(update);
    if (err == OTA_OK) {
        err = check_expected(update);
    }
    if (err != OTA_OK) {
        return fail(update, err, update->received);
    }
    err = ota_image_check_finish(&update->check);
    if (err != OTA_OK) {
        return fail(update, err, update->check.failure.offset);
    }
    err = ota_writer_finish(&update->writer);
    if (err != OTA_OK) {
        return fail(update, err, update->writer.failure.offset);
    }
    err = end_journal(update);
    if (err != OTA_OK) {
        return fail(update, err, update->received);
    }
    update->state = OTA_UPDATE_PROVEN;
    notify(update, OTA_EVENT_PROVEN);
    return OTA_OK;
}

enum ota_err ota_update_activate(struct ota_update *update)
{
    enum ota_err err = OTA_OK;

    if (update->state != OTA_UPDATE_PROVEN) {
        return OTA_ERR_STATE;
    }
    if (update->slot != OTA_SLOT_NONE) {
        err = ota__slot_select(update->options.device, update->slot);
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
        update->received > update->journal.last.offset &&
        ota_writer_finish(&update->writer) == OTA_OK) {
        (void)append_checkpoint(update);
    }
    release(update);
    update->journal.open = false; /* it stays, and is not this object's any more */
    update->state = OTA_UPDATE_IDLE;
}

void ota_update_abort(struct ota_update *update)
{
    release(update);
    (void)end_journal(update);
    update->state = OTA_UPDATE_IDLE;
}

enum ota_err ota_update_from_source(struct ota_update *update, struct ota_source *source,
                                    uint8_t *buffer, size_t buffer_size)
{
    enum ota_err err = OTA_OK;
    size_t len = 0;

    if (update->state != OTA_UPDATE_RECEIVING) {
        return update->state == OTA_UPDATE_FAILED ? update->failure.err : OTA_ERR_STATE;
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
