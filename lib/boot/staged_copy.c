/* SPDX-License-Identifier: Apache-2.0 */
/* What is staged as it is, copied to its place. */
#include "boot/staged.h"

#include "base/bytes.h"

static bool prove(const struct ota_staged_move *move, struct ota__staged *staged)
{
    (void)move;
    staged->size = staged->source.size;
    return ota__staged_fits(staged, staged->size) && ota__staged_prove(staged);
}

static enum ota_err feed(const struct ota_staged_move *move, const struct ota__staged *staged,
                         struct ota_sink *sink)
{
    uint32_t offset = ota__staged_kept(staged);
    enum ota_err err = OTA_OK;

    (void)move;
    while (err == OTA_OK && offset < staged->source.size) {
        uint32_t n = ota__min(staged->buffer_size / 2, staged->source.size - offset);
        err = ota_region_read(&staged->source, offset, staged->buffer, n);
        if (err == OTA_OK) {
            err = sink->write(sink, staged->buffer, n);
        }
        offset += n;
    }
    return err == OTA_OK ? sink->finish(sink) : err;
}

static const struct ota__staged_reader reader = {.prove = prove, .feed = feed};

static bool takes(const struct ota__staged *staged)
{
    const struct ota__command *command = &staged->command;

    return command->action == OTA__COMMAND_COPY && (command->flags & OTA__COMMAND_GZIP) == 0;
}

static enum ota_err carry_out(const struct ota_staged_move *move, struct ota__staged *staged)
{
    return ota__staged_place(move, staged, &reader);
}

static enum ota_err restore(const struct ota_staged_move *move, struct ota__staged *staged)
{
    return ota__staged_place_again(move, staged, &reader);
}

static const struct ota__staged_methods methods = {
    .takes = takes, .carry_out = carry_out, .restore = restore};

const struct ota_staged_move ota_staged_copy = {.methods = &methods};
