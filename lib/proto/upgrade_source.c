/* SPDX-License-Identifier: Apache-2.0 */
/* An item's source: opened, looked at, carried into the intake, closed. */
#include <updraft/staging.h>

#include "proto/upgrade_private.h"

#include "base/bytes.h"
#include "base/mem.h"

#define PIECE 1024u
/* One call carries at most this many pieces, so that a fast source leaves the program its turn. */
#define PIECES_PER_CALL 16u

enum ota_err ota__upgrade_open(struct ota_upgrade *upgrade)
{
    const struct ota_upgrade_item *item = upgrade->item;
    const struct ota_fetch_request request = {.uri = item->uri, .ca_pem = item->ca_pem};

    upgrade->stirred_ms = upgrade->now_ms;
    return ota_fetch_open(upgrade->options->schemes, upgrade->options->platform, &request,
                          &upgrade->fetch);
}

/* Reads what is there; pending if that is nothing. */
static enum ota_err read_some(struct ota_upgrade *upgrade, void *data, size_t capacity, size_t *len,
                              bool *pending)
{
    uint32_t stall_ms = upgrade->options->stall_ms;
    enum ota_err err;

    *len = 0;
    if (upgrade->ended) {
        return OTA_OK;
    }
    if (upgrade->fetch == NULL) {
        return OTA_ERR_STATE;
    }
    err = upgrade->fetch->read(upgrade->fetch, data, capacity, len, &upgrade->ended);
    if (err != OTA_OK) {
        return err;
    }
    if (*len > 0 || upgrade->ended) {
        upgrade->received += (uint32_t)*len;
        upgrade->stirred_ms = upgrade->now_ms;
        return OTA_OK;
    }
    if (stall_ms != UINT32_MAX && upgrade->now_ms - upgrade->stirred_ms >= stall_ms) {
        return OTA_ERR_TIMEOUT;
    }
    *pending = true;
    return OTA_OK;
}

enum ota_err ota_upgrade_peek(struct ota_upgrade *upgrade, size_t len, bool *pending)
{
    if (len > sizeof upgrade->head) {
        return OTA_ERR_ARGUMENT;
    }
    while (upgrade->head_len < len && !*pending) {
        size_t n;
        enum ota_err err = read_some(upgrade, upgrade->head + upgrade->head_len,
                                     len - upgrade->head_len, &n, pending);

        if (err != OTA_OK) {
            return err;
        }
        upgrade->head_len = (uint16_t)(upgrade->head_len + n);
        if (n == 0 && upgrade->ended) {
            return OTA_ERR_INCOMPLETE;
        }
    }
    return OTA_OK;
}

/* ---- Into the intake ------------------------------------------------------------------------- */

/* The checksum of the target's last sector; of one that cannot be read, none that it had before. */
static uint32_t sum_last_sector(const struct ota_upgrade *upgrade)
{
    const struct ota_region *region = &upgrade->options->intake->update.region;
    uint8_t piece[64];
    uint32_t sum = 0;

    for (uint32_t at = region->size - region->flash->erase_size; at < region->size;) {
        const uint32_t len = ota__min(sizeof piece, region->size - at);
        if (ota_region_read(region, at, piece, len) != OTA_OK) {
            return ~upgrade->last_sector;
        }
        sum = ota_crc32(sum, piece, len);
        at += len;
    }
    return sum;
}

/* The bytes to come; what the list states counts more than what the source does. */
static uint32_t size_of(const struct ota_upgrade *upgrade)
{
    return upgrade->item->size != 0 ? upgrade->item->size : upgrade->fetch->size;
}

/* Where neither length nor digest nor structure says so, nobody could tell the end of data from a
   connection that ended. */
static bool end_can_be_told(const struct ota_upgrade *upgrade)
{
    return upgrade->item->kind == OTA_UPGRADE_APP || size_of(upgrade) != OTA_SIZE_UNKNOWN ||
           upgrade->item->expected.algorithm != OTA_HASH_NONE || upgrade->is_tone;
}

/* One thing can be staged at a time, so that data among other items goes where it belongs at once.
   So does what a bootloader would unpack: what came out of it could not be compared here. */
static bool goes_in_place(const struct ota_upgrade *upgrade)
{
    const struct ota_staging *staging = upgrade->options->intake->options.device->staging;

    return upgrade->options->count > 1 ||
           (staging != NULL && staging->inflates && ota_is_gzip(upgrade->head, upgrade->head_len));
}

static enum ota_err write_some(struct ota_upgrade *upgrade, const void *data, size_t len)
{
    enum ota_err err = OTA_OK;

    if (upgrade->is_tone) {
        err = ota_tone_check_write(&upgrade->tone, data, len);
    }
    if (err != OTA_OK) {
        upgrade->err_offset = upgrade->tone.failure.offset;
        return err;
    }
    err = ota_intake_write(upgrade->options->intake, data, len);
    if (err != OTA_OK) {
        upgrade->has_begun = false; /* it is free again */
        upgrade->err_offset = upgrade->options->intake->failure.offset;
    }
    return err;
}

/* The first bytes are there: lets the item in. */
static enum ota_err begin(struct ota_upgrade *upgrade)
{
    const struct ota_upgrade_item *item = upgrade->item;
    bool is_data = item->kind == OTA_UPGRADE_DATA;
    const struct ota_arrival arrival = {
        .way = "list",
        .is_data = is_data,
        .label = is_data ? item->label : NULL,
        .size = size_of(upgrade),
        .expected = item->expected,
        .attended = true,
        .in_place = goes_in_place(upgrade),
        .judge = upgrade->is_compressed ? ota__upgrade_judge_app : NULL,
        .context = upgrade,
    };

    upgrade->is_tone = is_data && ota_tone_is(upgrade->head, upgrade->head_len);
    if (!end_can_be_told(upgrade)) {
        ota_upgrade_log(upgrade, OTA_LOG_ERROR,
                        "the source does not say how long it is: state size, md5 or sha256, so "
                        "that its end can be told from its loss");
        return OTA_ERR_HTTP_NO_LENGTH;
    }
    if (item->size != 0 && upgrade->fetch->size != OTA_SIZE_UNKNOWN &&
        item->size != upgrade->fetch->size) {
        return item->size > upgrade->fetch->size ? OTA_ERR_INCOMPLETE : OTA_ERR_TOO_LARGE;
    }
    enum ota_err err = ota_intake_begin(upgrade->options->intake, &arrival);
    if (err == OTA_OK) {
        upgrade->has_begun = true;
        upgrade->last_sector = sum_last_sector(upgrade);
        ota_tone_check_begin(&upgrade->tone);
        err = write_some(upgrade, upgrade->head, upgrade->head_len);
    }
    return err;
}

static enum ota_err end_of_source(struct ota_upgrade *upgrade)
{
    if (!upgrade->is_tone) {
        return OTA_OK;
    }
    enum ota_err err = ota_tone_check_finish(&upgrade->tone);
    upgrade->err_offset = upgrade->tone.failure.offset;
    return err;
}

enum ota_err ota__upgrade_receive(struct ota_upgrade *upgrade, bool *pending)
{
    uint8_t piece[PIECE];
    enum ota_err err = OTA_OK;

    if (!upgrade->has_begun) {
        /* Two bytes say whether it is a tone image; a source may have but one. */
        err = ota_upgrade_peek(upgrade, 2, pending);
        if (*pending) {
            return OTA_OK;
        }
        if (err == OTA_ERR_INCOMPLETE && upgrade->ended) {
            err = upgrade->head_len == 0 ? OTA_ERR_NO_DATA : OTA_OK;
        }
        if (err == OTA_OK) {
            err = begin(upgrade);
        }
    }
    for (unsigned i = 0; err == OTA_OK && i < PIECES_PER_CALL && !upgrade->ended; i++) {
        size_t len;
        err = read_some(upgrade, piece, sizeof piece, &len, pending);
        if (err == OTA_OK && len > 0) {
            err = write_some(upgrade, piece, len);
        }
        if (*pending) {
            return err;
        }
    }
    if (err != OTA_OK) {
        return err;
    }
    *pending = !upgrade->ended;
    return upgrade->ended ? end_of_source(upgrade) : OTA_OK;
}

/* ---- The end --------------------------------------------------------------------------------- */

static void close_source(struct ota_upgrade *upgrade)
{
    if (upgrade->fetch != NULL) {
        upgrade->fetch->close(upgrade->fetch);
        upgrade->fetch = NULL;
    }
}

static bool is_staged(const struct ota_update *update)
{
    return update->region.offset != update->partition.offset;
}

/* Tells whether the partition holds the bytes that were staged for it. */
static bool is_there_already(const struct ota_update *update)
{
    const struct ota_region place = {update->region.flash, update->partition.offset,
                                     update->partition.size};
    uint8_t piece[64];
    bool same = true;

    for (uint32_t at = 0; same && at < update->stored; at += sizeof piece) {
        const uint32_t len = ota__min(sizeof piece, update->stored - at);
        same = ota_region_read(&update->region, at, piece, len) == OTA_OK &&
               ota_region_equals(&place, at, piece, len, &same) == OTA_OK && same;
    }
    return same;
}

/* Tells whether the data partition held these very bytes already. The mark of an update under way
   takes the last sector: where the bytes reach into it, its content from before is what counts. */
static bool left_all_as_it_was(const struct ota_upgrade *upgrade)
{
    const struct ota_update *update = &upgrade->options->intake->update;
    const struct ota_writer_stats *stats = &update->writer.stats;
    const uint32_t sector = update->region.flash->erase_size;
    bool is_untouched = stats->pages == 0 && stats->sector_erases == 0 && stats->block_erases == 0;
    bool is_last_alone = stats->sectors_same >= update->region.size / sector - 1;

    if (upgrade->item->kind == OTA_UPGRADE_DATA && is_staged(update)) {
        return is_there_already(update);
    }
    return upgrade->item->kind == OTA_UPGRADE_DATA &&
           (is_untouched || (is_last_alone && sum_last_sector(upgrade) == upgrade->last_sector));
}

static enum ota_err prove_and_activate(struct ota_upgrade *upgrade)
{
    struct ota_intake *intake = upgrade->options->intake;
    enum ota_err err = ota_intake_end(intake);

    upgrade->is_unchanged = left_all_as_it_was(upgrade);
    close_source(upgrade); /* an activation may be held for hours */
    if (err != OTA_OK) {
        return err;
    }
    if (upgrade->is_unchanged && is_staged(&intake->update)) {
        ota_intake_abort(intake); /* a restart for it would be for nothing */
        return OTA_OK;
    }
    return ota_intake_activate(intake);
}

/* What has become of an activation that a gate holds. */
static enum ota_err wait_for_gate(struct ota_upgrade *upgrade, bool *pending)
{
    struct ota_intake *intake = upgrade->options->intake;

    (void)ota_intake_poll(intake);
    if (intake->state == OTA_INTAKE_HELD) {
        *pending = true;
        return OTA_OK;
    }
    return intake->failure.err;
}

enum ota_err ota__upgrade_finish(struct ota_upgrade *upgrade, enum ota_err err, bool *pending)
{
    struct ota_intake *intake = upgrade->options->intake;

    if (upgrade->has_begun && err != OTA_OK) {
        ota_intake_abort(intake);
        upgrade->has_begun = false;
    }
    if (!upgrade->has_begun) {
        close_source(upgrade);
        return err;
    }
    if (!upgrade->is_activating) {
        err = prove_and_activate(upgrade);
        upgrade->is_activating = err == OTA_ERR_HELD;
    }
    if (upgrade->is_activating) {
        err = wait_for_gate(upgrade, pending);
    }
    if (*pending) {
        return OTA_OK;
    }
    upgrade->has_begun = false;
    if (err != OTA_OK) {
        upgrade->err_offset = intake->failure.offset;
        return err;
    }
    return upgrade->is_unchanged ? OTA_ERR_SAME_VERSION : OTA_OK;
}
