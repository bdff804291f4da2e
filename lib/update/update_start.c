/* SPDX-License-Identifier: Apache-2.0 */
/* Where an update begins: the target, and how much of an interrupted transfer stands in it. All of
   this only reads. */
#include "update/update_private.h"

#include "base/bytes.h"
#include "base/mem.h"
#include "update/target.h"

static struct ota_identity identity_of(const struct ota_update_options *options)
{
    if (options->expected.algorithm != OTA_HASH_NONE) {
        return ota_identity_from_digest(&options->expected);
    }
    return ota_identity_from_etag(options->etag);
}

/* ---- Going on -------------------------------------------------------------------------------- */

/* Makes of bytes of the flash what they were when they arrived: updraft/esp8266.h. */
static void undo_change(const struct ota_journal *journal, uint32_t offset, uint8_t *data,
                        uint32_t len)
{
    uint32_t at = OTA__MODE_OFFSET - offset; /* beyond `len`, if it lies before */

    if (journal->mode != OTA_JOURNAL_AS_STORED && at < len) {
        data[at] = journal->mode;
    }
}

/* Checks what the flash holds from the start up to `end`. */
static enum ota_err check_flash(struct ota_update *update, uint32_t end)
{
    enum ota_err err = ota__update_begin_check(update);
    uint8_t *buffer = update->options.buffer;

    for (uint32_t offset = 0; err == OTA_OK && offset < end;) {
        uint32_t n = ota__min(update->options.buffer_size, end - offset);
        err = ota_region_read(&update->region, offset, buffer, n);
        if (err == OTA_OK) {
            undo_change(&update->journal, offset, buffer, n);
            err = ota__update_check(update, buffer, n);
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
    bool proven = start >= OTA__HEAD && check_flash(update, last->offset) == OTA_OK &&
                  ota__update_digest_so_far(update, digest) == OTA_OK &&
                  memcmp(digest, last->proof, sizeof last->proof) == 0;

    if (proven && start != last->offset) {
        ota__update_release(update);
        proven = check_flash(update, start) == OTA_OK;
    }
    if (!proven) {
        ota__update_release(update);
        return false;
    }
    update->received = update->stored = start;
    return true;
}

static bool is_same_transfer(const struct ota_update *update)
{
    struct ota_identity identity = identity_of(&update->options);

    return update->journal.size == update->options.size &&
           ota_identity_equal(&update->journal.identity, &identity);
}

/* ---- Beginning ------------------------------------------------------------------------------- */

void ota__update_takes_plain(struct ota_update *update)
{
    if (update->slot != OTA_SLOT_NONE && update->options.size != OTA_SIZE_UNKNOWN) {
        update->rules.size_max = update->partition.size;
    }
}

/* Finds the target, and how much of what arrives and of what is stored it has room for. */
static enum ota_err find_target(struct ota_update *update)
{
    const struct ota_update_options *options = &update->options;
    struct ota__target target;
    enum ota_err err = ota__target_find(options->device, options->label, options, &target);

    if (err != OTA_OK) {
        return err;
    }
    update->partition = target.partition;
    update->region = target.region;
    update->slot = target.slot;
    ota_device_image_rules(options->device, &target.region, &update->rules);
    update->rules.size_max = target.limit;
    update->rules.allow_trailer = options->allow_trailer || ota__update_has_seals(update);
    if (target.slot == OTA_SLOT_NONE) {
        update->rules.form = OTA_IMAGE_DATA;
    }
    uint32_t most = target.limit;
    update->limit = ota__min(options->size, most);
    if (options->unwrap != NULL) {
        most = options->unwrap->methods->begin(update);
    } else {
        ota__update_takes_plain(update);
    }
    return options->size != OTA_SIZE_UNKNOWN && options->size > most ? OTA_ERR_TOO_LARGE : OTA_OK;
}

enum ota_err ota__update_find_start(struct ota_update *update, bool resume)
{
    const struct ota_update_options *options = &update->options;
    enum ota_err err = find_target(update);

    if (err != OTA_OK) {
        return err;
    }
    err = ota_journal_open(&update->journal, &update->region);
    if (err != OTA_OK && err != OTA_ERR_NO_DATA) {
        return err;
    }
    if (!resume || !update->journal.resumable || !is_same_transfer(update) || !restore(update)) {
        update->journal.identity = identity_of(options);
        err = ota__update_begin_check(update);
    }
    if (err == OTA_OK) {
        uint32_t total = options->size == OTA_SIZE_UNKNOWN ? OTA_SIZE_UNKNOWN : update->limit;
        err = ota_writer_begin(&update->writer, &update->region, update->stored, total,
                               options->buffer, options->buffer_size);
    }
    return err;
}
