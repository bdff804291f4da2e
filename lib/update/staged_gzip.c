/* SPDX-License-Identifier: Apache-2.0 */
/* gzip that is staged as it comes: updraft/staged_gzip.h. What comes out of it passes the update's
   check, what arrives is stored. */
#include <updraft/staged_gzip.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "decode/recent.h"
#include "format/image_check.h"
#include "update/staging_private.h"
#include "update/update_private.h"

/* ---- Looking into it ------------------------------------------------------------------------- */

static const struct ota_staged_gzip *gzip_of_output(const struct ota_sink *sink)
{
    return (const struct ota_staged_gzip *)(const void *)((const uint8_t *)sink -
                                                          offsetof(struct ota_staged_gzip, output));
}

static bool is_all_looked_at(const struct ota_staged_gzip *gzip)
{
    return gzip->window.size != 0;
}

/* Whether who copies upwards, as eboot does, would get to what it has not read yet. It erases a
   sector when it has as much as that holds. */
static bool overtakes(const struct ota_staged_gzip *gzip)
{
    const struct ota_update *update = gzip->output.update;
    const uint32_t sector = update->region.flash->erase_size;
    uint32_t written = update->partition.offset + ota__round_down(gzip->window.added, sector);

    return gzip->may_overlap && written > update->region.offset + gzip->arrived;
}

/* What comes out. Without a window it is not wanted any more once the image has said what it is. */
static enum ota_err output_write(struct ota_sink *sink, const void *data, size_t len)
{
    const struct ota_staged_gzip_output *output = (const struct ota_staged_gzip_output *)sink;
    enum ota_err err = ota_image_check_write(&output->update->check, data, len);

    ota_window_add(output->window, data, len);
    if (err == OTA_OK && overtakes(gzip_of_output(sink))) {
        err = OTA_ERR_TOO_LARGE;
    }
    if (err == OTA_OK && output->window->size == 0 &&
        ota_image_check_is_described(&output->update->check)) {
        err = OTA_ERR_ABORTED;
    }
    return err;
}

static enum ota_err output_finish(struct ota_sink *sink)
{
    (void)sink;
    return OTA_OK;
}

static void output_abort(struct ota_sink *sink)
{
    (void)sink;
}

/* Until the image has said what it is, all that comes out is passed on at once: what is kept back
   for longer copies would fill the writer's buffer. */
static enum ota_err inflate(struct ota_staged_gzip *gzip, const void *data, size_t len)
{
    enum ota_err err = gzip->gunzip.sink.write(&gzip->gunzip.sink, data, len);

    return err == OTA_OK && !ota_image_check_is_described(&gzip->output.update->check)
               ? ota__recent_give(&gzip->gunzip.inflate.recent)
               : err;
}

static enum ota_err look(struct ota_staged_gzip *gzip, const void *data, size_t len)
{
    enum ota_err err = OTA_OK;

    if (gzip->is_looking) {
        err = inflate(gzip, data, len);
    }
    if (err == OTA_ERR_ABORTED) {
        gzip->is_looking = false;
        err = OTA_OK;
    }
    if (err != OTA_OK) {
        gzip->failure = gzip->gunzip.failure;
    }
    return err;
}

static void keep_last(struct ota_staged_gzip *gzip, const uint8_t *data, size_t len)
{
    size_t n = len < sizeof gzip->last ? len : sizeof gzip->last;

    memmove(gzip->last, gzip->last + n, sizeof gzip->last - n);
    memcpy(gzip->last + sizeof gzip->last - n, data + len - n, n);
}

/* ---- What arrives ---------------------------------------------------------------------------- */

static struct ota_staged_gzip *gzip_of(struct ota_sink *sink)
{
    return (struct ota_staged_gzip *)(void *)((uint8_t *)sink -
                                              offsetof(struct ota_staged_gzip, sink));
}

static enum ota_err sink_write(struct ota_sink *sink, const void *data, size_t len)
{
    struct ota_staged_gzip *gzip = gzip_of(sink);
    enum ota_err err = look(gzip, data, len);

    keep_last(gzip, data, len);
    gzip->arrived += (uint32_t)len;
    return err == OTA_OK ? gzip->next->write(gzip->next, data, len) : err;
}

/* What comes out must not reach beyond its place, nor to what it comes from. */
static uint32_t room(const struct ota_staged_gzip *gzip)
{
    const struct ota_update *update = gzip->output.update;
    const struct ota_partition *place = &update->partition;
    uint32_t distance = update->region.offset - place->offset;

    return update->region.offset > place->offset && !gzip->may_overlap
               ? ota__min(place->size, distance)
               : place->size;
}

/* The check has seen as much as it could. */
static void end_check(struct ota_image_check *check, uint32_t size)
{
    check->stage = STAGE_ANY;
    check->offset = size;
}

static enum ota_err sink_finish(struct ota_sink *sink)
{
    struct ota_staged_gzip *gzip = gzip_of(sink);
    struct ota_update *update = gzip->output.update;
    uint32_t size = ota__get_le32(gzip->last);
    enum ota_err err = OTA_OK;

    if (gzip->is_looking) {
        err = gzip->gunzip.sink.finish(&gzip->gunzip.sink);
        gzip->failure = gzip->gunzip.failure;
    } else {
        end_check(&update->check, size);
    }
    if (err == OTA_OK && (size == 0 || size > room(gzip))) {
        err = size == 0 ? OTA_ERR_COMPRESSED_SUM : OTA_ERR_TOO_LARGE;
    }
    return err == OTA_OK ? gzip->next->finish(gzip->next) : err;
}

static void sink_abort(struct ota_sink *sink)
{
    (void)sink;
}

/* ---- The decoder ----------------------------------------------------------------------------- */

static bool recognises(const struct ota_decoder *decoder, const uint8_t *head, size_t len,
                       bool is_app)
{
    (void)decoder;
    (void)is_app;
    return ota_is_gzip(head, len);
}

static enum ota_err begin_inflating(struct ota_staged_gzip *gzip,
                                    const struct ota_decoder_options *options)
{
    const struct ota_gunzip_options own = {.next = options->next,
                                           .history = options->history,
                                           .allow_trailer = options->allow_trailer};

    ota_gunzip_begin(&gzip->gunzip, &own);
    gzip->decoder.sink = &gzip->gunzip.sink;
    gzip->decoder.failure = &gzip->gunzip.failure;
    return OTA_OK;
}

static enum ota_err begin_keeping(struct ota_staged_gzip *gzip, struct ota_update *update,
                                  const struct ota_decoder_options *options)
{
    const struct ota_gunzip_options own = {.next = &gzip->output.sink,
                                           .history = &gzip->window.history,
                                           .allow_trailer = options->allow_trailer};

    if (ota__update_has_seals(update)) {
        return OTA_ERR_COMPRESSED;
    }
    ota_gunzip_begin(&gzip->gunzip, &own);
    gzip->window.added = 0;
    gzip->output.update = update;
    gzip->next = options->next;
    gzip->failure.err = OTA_OK;
    gzip->is_looking = is_all_looked_at(gzip) || update->slot != OTA_SLOT_NONE;
    gzip->may_overlap = is_all_looked_at(gzip) && update->slot != OTA_SLOT_NONE &&
                        update->options.device->staging->way->copies_upwards;
    gzip->arrived = 0;
    update->rules.size_max = room(gzip);
    if (update->slot == OTA_SLOT_NONE) { /* the check of data has taken it when it began */
        update->check.stage_left = update->rules.size_max;
    }
    gzip->decoder.sink = &gzip->sink;
    gzip->decoder.failure = &gzip->failure;
    update->keeps_packed = true;
    return OTA_OK;
}

static enum ota_err begin(struct ota_decoder *decoder, const struct ota_decoder_options *options)
{
    struct ota_staged_gzip *gzip = (struct ota_staged_gzip *)decoder;
    struct ota_update *update = ((struct ota_unwrap_output *)options->next)->update;
    const struct ota_staging *staging = update->options.device->staging;

    if (staging == NULL || !staging->inflates || ota__staging_is_in_place(update)) {
        return begin_inflating(gzip, options);
    }
    return begin_keeping(gzip, update, options);
}

void ota_staged_gzip_init(struct ota_staged_gzip *gzip, uint8_t *window, uint32_t size)
{
    memset(gzip, 0, sizeof *gzip);
    gzip->decoder = (struct ota_decoder){recognises, begin, &gzip->sink, &gzip->failure};
    gzip->sink = (struct ota_sink){sink_write, sink_finish, sink_abort};
    gzip->output.sink = (struct ota_sink){output_write, output_finish, output_abort};
    gzip->output.window = &gzip->window;
    ota_window_init(&gzip->window, window, size);
}
