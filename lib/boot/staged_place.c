/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Putting what is staged in its place: an app over the one that ran, or the content of a data
 * partition. What is staged is not changed by it, so it can be done again and again. It needs no
 * other note than that it has begun, and that it is proven done.
 */
#include "boot/staged.h"

#include <updraft/writer.h>

#include "base/bytes.h"

uint32_t ota__staged_kept(const struct ota__staged *staged)
{
    return staged->is_data ? 0 : staged->boot->device->staging->kept;
}

bool ota__staged_fits(const struct ota__staged *staged, uint32_t size)
{
    const struct ota_extent from = {staged->source.offset, staged->source.size};
    const struct ota_extent to = {staged->destination.offset, size};

    return size > ota__staged_kept(staged) && size <= staged->destination.size &&
           !ota__extents_meet(&from, &to);
}

/* Whatever reads blank is erased again: it may be so only because power failed here before. */
static enum ota_err write(const struct ota_staged_move *move, struct ota__staged *staged,
                          const struct ota__staged_reader *reader)
{
    const uint32_t half = staged->buffer_size / 2;
    const uint32_t sector = staged->source.flash->erase_size;
    const uint32_t start = ota__staged_kept(staged);
    struct ota_writer writer;
    enum ota_err err;

    /* It fits: that was proven. */
    (void)ota_writer_begin(&writer, &staged->destination, start, staged->size,
                           staged->buffer + half, half);
    err = ota_writer_heal(&writer, start, ota__round_up(staged->size, sector));
    return err == OTA_OK ? reader->feed(move, staged, &writer.sink) : err;
}

/* ---- Comparing ------------------------------------------------------------------------------- */

struct comparer {
    struct ota_sink sink; /* first */
    const struct ota_region *region;
    uint32_t offset;
};

static enum ota_err compare_write(struct ota_sink *sink, const void *data, size_t len)
{
    struct comparer *comparer = (struct comparer *)sink;
    bool same = false;
    enum ota_err err =
        ota_region_equals(comparer->region, comparer->offset, data, (uint32_t)len, &same);

    comparer->offset += (uint32_t)len;
    return err == OTA_OK && !same ? OTA_ERR_FLASH_VERIFY : err;
}

static enum ota_err compare_finish(struct ota_sink *sink)
{
    (void)sink;
    return OTA_OK;
}

static enum ota_err compare(const struct ota_staged_move *move, struct ota__staged *staged,
                            const struct ota__staged_reader *reader)
{
    struct comparer comparer = {.sink = {.write = compare_write, .finish = compare_finish},
                                .region = &staged->destination,
                                .offset = ota__staged_kept(staged)};

    return reader->feed(move, staged, &comparer.sink);
}

/* ---- The move -------------------------------------------------------------------------------- */

static enum ota_err write_and_compare(const struct ota_staged_move *move,
                                      struct ota__staged *staged,
                                      const struct ota__staged_reader *reader)
{
    enum ota_err err = write(move, staged, reader);

    if (err == OTA_OK) {
        err = compare(move, staged, reader);
    }
    return err == OTA_OK ? OTA_OK : ota__staged_report(staged, OTA_BOOT_STOPPED, err, 0);
}

enum ota_err ota__staged_place(const struct ota_staged_move *move, struct ota__staged *staged,
                               const struct ota__staged_reader *reader)
{
    struct ota__command *command = &staged->command;
    enum ota_err err = OTA_OK;

    if (ota__command_is(command, OTA__STATE_PROVEN)) {
        return OTA_OK;
    }
    if (!reader->prove(move, staged)) {
        /* Once the old content is lost, what is staged is all there is, for better or worse. */
        return command->is_begun ? ota__staged_report(staged, OTA_BOOT_STOPPED, OTA_ERR_DIGEST, 0)
                                 : ota__staged_refuse(staged);
    }
    if (!command->is_begun) {
        err = ota__command_note(command, OTA__NOTE_BEGUN);
    }
    if (err == OTA_OK) {
        err = write_and_compare(move, staged, reader);
    }
    return err == OTA_OK ? ota__command_note_state(command, OTA__STATE_PROVEN) : err;
}

enum ota_err ota__staged_place_again(const struct ota_staged_move *move, struct ota__staged *staged,
                                     const struct ota__staged_reader *reader)
{
    if (!ota__command_is(&staged->command, OTA__STATE_PROVEN) || !reader->prove(move, staged)) {
        return OTA_ERR_NO_ROLLBACK;
    }
    return write_and_compare(move, staged, reader);
}
