/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The boot of a device with one place to run from: updraft/staged_boot.h.
 *
 *     open -> command? -> a move carries it out -> the app's place is proven -> run
 *                                                    '- not: the move restores it, once
 */
#include "boot/staged.h"

#include "base/bytes.h"
#include "base/mem.h"
#include "boot/prove.h"
#include "boot/select.h"

/* The least that everything here works with. */
#define BUFFER_MIN 256u

enum ota_err ota__staged_report(const struct ota__staged *staged, enum ota_boot_event event,
                                enum ota_err err, uint32_t offset)
{
    ota__boot_report(staged->boot, event, OTA__SLOT_STAGED, err, offset);
    return err;
}

/* ---- Proofs ---------------------------------------------------------------------------------- */

static bool prove_app(struct ota__staged *staged)
{
    return ota__boot_prove(staged->boot, OTA__SLOT_APP, staged->buffer, staged->buffer_size);
}

bool ota__staged_prove_image(struct ota__staged *staged, uint32_t offset)
{
    struct ota_extent *slot = &staged->boot->device->layout.ota[OTA__SLOT_STAGED];

    slot->offset = offset;
    slot->size = ota__min(staged->map.end - offset, staged->map.most);
    bool proven =
        ota__boot_prove(staged->boot, OTA__SLOT_STAGED, staged->buffer, staged->buffer_size);
    staged->boot->proof = 0; /* that is not what is about to run */
    return proven;
}

uint32_t ota__staged_measure_app(struct ota__staged *staged)
{
    struct ota_boot *boot = staged->boot;
    bool proven = prove_app(staged);

    boot->proof = 0; /* nor is that */
    return proven ? boot->check.image.length : 0;
}

static enum ota_err hash_region(struct ota__staged *staged, const struct ota_region *region,
                                uint8_t digest[OTA_SHA256_SIZE])
{
    const struct ota_crypto *crypto = staged->boot->device->crypto;
    uint32_t size = staged->command.stored.size;
    struct ota_hash hash;
    enum ota_err err = crypto->hash_begin(&hash, OTA_HASH_SHA256);

    if (err != OTA_OK) {
        return err;
    }
    for (uint32_t offset = 0; err == OTA_OK && offset < size;) {
        uint32_t n = ota__min(staged->buffer_size, size - offset);
        err = ota_region_read(region, offset, staged->buffer, n);
        if (err == OTA_OK) {
            err = crypto->hash_update(&hash, staged->buffer, n);
        }
        offset += n;
    }
    if (err != OTA_OK) {
        crypto->hash_abort(&hash);
        return err;
    }
    return crypto->hash_finish(&hash, digest);
}

bool ota__staged_has_digest(struct ota__staged *staged, const struct ota_region *region)
{
    uint8_t digest[OTA_SHA256_SIZE];
    enum ota_err err = hash_region(staged, region, digest);

    if (err == OTA_OK && memcmp(digest, staged->command.digest, sizeof digest) != 0) {
        err = OTA_ERR_DIGEST;
    }
    if (err != OTA_OK) {
        (void)ota__staged_report(staged, OTA_BOOT_IMAGE_BAD, err, 0);
    }
    return err == OTA_OK;
}

bool ota__staged_prove(struct ota__staged *staged)
{
    return ota__staged_has_digest(staged, &staged->source) &&
           (staged->is_data || ota__staged_prove_image(staged, staged->source.offset));
}

enum ota_err ota__staged_refuse(struct ota__staged *staged)
{
    enum ota_err err = ota__command_note_state(&staged->command, OTA__STATE_REFUSED);

    return ota__staged_report(staged, OTA_BOOT_REFUSED, err, 0);
}

/* ---- The command ----------------------------------------------------------------------------- */

/* Whether a data partition of the layout is what the command names. */
static bool is_partition(const struct ota_staging *staging, const struct ota_extent *extent)
{
    for (unsigned i = 0; i < staging->data_count; i++) {
        if (staging->data[i].offset == extent->offset && staging->data[i].size == extent->size) {
            return true;
        }
    }
    return false;
}

static bool is_inside(const struct ota_extent *extent, uint32_t start, uint32_t end)
{
    return extent->offset >= start && extent->offset <= end && extent->size <= end - extent->offset;
}

static struct ota_region region_of(const struct ota_device *device, const struct ota_extent *extent)
{
    struct ota_region region = {device->flash, extent->offset, extent->size};

    return region;
}

/* Finds out where the command's bytes are and belong: only where the layout says. */
static bool find_regions(struct ota__staged *staged)
{
    const struct ota_device *device = staged->boot->device;
    const struct ota_staging *staging = device->staging;
    const struct ota__command *command = &staged->command;
    const struct ota_extent *to = &staging->app;

    staged->is_data = (command->flags & OTA__COMMAND_DATA) != 0;
    if (staged->is_data) {
        to = &command->destination;
        if (!is_partition(staging, to)) {
            return false;
        }
    }
    staged->source = region_of(device, &command->stored);
    staged->destination = region_of(device, to);
    return is_inside(&command->stored, staging->staging.offset, staged->map.end);
}

static const struct ota_staged_move *find_move(const struct ota_staged_move *const *moves,
                                               const struct ota__staged *staged)
{
    while (*moves != NULL && !(*moves)->methods->takes(staged)) {
        moves++;
    }
    return *moves;
}

/* Nothing here can carry the command out. What has begun already must not run. */
static enum ota_err give_up(struct ota__staged *staged)
{
    if (!staged->command.is_begun) {
        return ota__staged_refuse(staged);
    }
    return ota__command_is(&staged->command, OTA__STATE_PROVEN)
               ? OTA_OK
               : ota__staged_report(staged, OTA_BOOT_STOPPED, OTA_ERR_ARGUMENT, 0);
}

static enum ota_err carry_out(struct ota__staged *staged,
                              const struct ota_staged_move *const *moves,
                              const struct ota_staged_move **move)
{
    if (!staged->command.is_there || ota__command_is(&staged->command, OTA__STATE_REFUSED)) {
        return OTA_OK;
    }
    *move = find_regions(staged) ? find_move(moves, staged) : NULL;
    if (*move == NULL) {
        return give_up(staged);
    }
    return (*move)->methods->carry_out(*move, staged);
}

/* ---- The decision ---------------------------------------------------------------------------- */

static enum ota_err run(struct ota_boot *boot)
{
    if (!ota_boot_is_proven(boot)) {
        return ota__boot_stop(boot, OTA_ERR_NOTHING_BOOTABLE);
    }
    boot->slot = OTA__SLOT_APP;
    boot->device->running_slot = OTA__SLOT_APP;
    if (boot->confirmed && boot->device->fuses != NULL) {
        ota__boot_raise_floor(boot);
    }
    if (!ota_boot_is_proven(boot)) {
        return ota__boot_stop(boot, OTA_ERR_NOTHING_BOOTABLE);
    }
    ota__boot_report(boot, OTA_BOOT_CHOSEN, OTA__SLOT_APP, OTA_OK, 0);
    return OTA_OK;
}

static enum ota_err open(struct ota__staged *staged)
{
    struct ota_device *device = staged->boot->device;
    enum ota_err err = ota__staging_open(device);

    device->running_slot = OTA_SLOT_NONE;
    if (err == OTA_OK &&
        staged->buffer_size < ota__max(BUFFER_MIN, 2 * device->flash->write_size)) {
        err = OTA_ERR_ARGUMENT;
    }
    return err == OTA_OK ? ota__staging_command(device->staging, device->flash, &staged->map,
                                                &staged->command)
                         : err;
}

static enum ota_err decide(struct ota__staged *staged, const struct ota_staged_move *const *moves)
{
    struct ota_boot *boot = staged->boot;
    const struct ota_staged_move *move = NULL;
    enum ota_err err = carry_out(staged, moves, &move);

    /* Data that cannot be put in its place keeps no app from running; nor does what has not begun,
       where the command's sectors take no record. */
    if (err != OTA_OK && !staged->is_data) {
        if (staged->command.is_begun) {
            return ota__boot_stop(boot, err);
        }
        ota__staged_report(staged, OTA_BOOT_STATE_UNSAVED, err, 0);
    }
    bool proven = prove_app(staged);
    if (!proven && move != NULL && !staged->is_data) {
        err = move->methods->restore(move, staged);
        proven = err == OTA_OK && prove_app(staged);
    }
    (void)ota__staging_open(boot->device); /* what is staged may be another now */
    return proven ? run(boot) : ota__boot_stop(boot, OTA_ERR_NOTHING_BOOTABLE);
}

enum ota_err ota_staged_boot(struct ota_boot *boot, const struct ota_staged_move *const *moves,
                             uint8_t *buffer, uint32_t buffer_size)
{
    struct ota__staged staged = {.boot = boot, .buffer_size = buffer_size};
    struct ota_failure none = {OTA_OK, 0};
    enum ota_err err;

    staged.buffer = buffer;
    boot->slot = OTA_SLOT_NONE;
    boot->proof = 0;
    boot->on_trial = false;
    boot->initial = false;
    boot->confirmed = false;
    boot->failure = none;
    err = open(&staged);
    if (err != OTA_OK) {
        ota__boot_report(boot, OTA_BOOT_TABLE_BAD, OTA_SLOT_NONE, err, 0);
        return ota__boot_stop(boot, err);
    }
    return decide(&staged, moves);
}
