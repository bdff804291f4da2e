/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Taking the wrapping off: updraft/unwrap.h. The update comes here by pointer, and what is left
 * goes back to it: ota__update_store.
 *
 *     write -> take_head: which form? -> settle; hold_back -> pass -> (decoder ->) store
 *     end   -> expected digest, trailer, pass what was held back but for that
 *
 * "received" counts all that came; "stored" what came out behind.
 */
#include "update/unwrap_private.h"

#include "base/bytes.h"
#include "base/mem.h"

/* ---- What a decoder puts out, and reads again ------------------------------------------------ */

static enum ota_err output_write(struct ota_sink *sink, const void *data, size_t len)
{
    return ota__update_store(((struct ota_unwrap_output *)sink)->update, data, len);
}

static enum ota_err output_finish(struct ota_sink *sink)
{
    (void)sink; /* the update has an end of its own */
    return OTA_OK;
}

static void output_abort(struct ota_sink *sink)
{
    (void)sink;
}

/* All of it was stored: it is on the flash, or in the writer's buffer. */
static enum ota_err history_read(struct ota_history *history, uint32_t offset, void *data,
                                 uint32_t len)
{
    const struct ota_update *update = ((struct ota_unwrap_history *)history)->update;
    const uint32_t flushed = ota_writer_flushed(&update->writer);
    const uint32_t on_flash = offset < flushed ? ota__min(len, flushed - offset) : 0;
    uint8_t *bytes = data;
    enum ota_err err = OTA_OK;

    if (on_flash > 0) {
        err = ota_region_read(&update->region, offset, bytes, on_flash);
    }
    if (on_flash < len) {
        const uint32_t from = offset + on_flash - flushed;
        memcpy(bytes + on_flash, update->writer.buffer + from, len - on_flash);
    }
    return err;
}

/* ---- Which form ------------------------------------------------------------------------------ */

/* Whether the SHA-256 of what arrives is wanted. */
static bool is_hashed(const struct ota_update *update)
{
    return ota__unwrap_trust(update) != NULL ||
           update->options.expected.algorithm == OTA_HASH_SHA256;
}

/* Whether a trailer that nobody who is trusted has made is passed over. */
static bool is_only_told(const struct ota_update *update)
{
    return ota__unwrap_trust(update) != NULL && update->options.device->trust->only_report;
}

/* How far what arrives has come cannot be told from what is stored: no checkpoints, the journal is
   but the mark. The target's end stands for that of the stream, so that whole blocks are erased. */
static enum ota_err begin_decoding(struct ota_update *update)
{
    struct ota_unwrap *unwrap = update->options.unwrap;
    const struct ota_decoder_options options = {
        .next = &unwrap->output.sink,
        .history = &unwrap->history.history,
        .allow_trailer = update->options.allow_trailer || is_only_told(update),
    };
    enum ota_err err = OTA_OK;

    update->is_compressed = true;
    update->journal.identity.kind = OTA_IDENTITY_NONE;
    update->limit = update->rules.size_max;
    /* It began once already, in the same place. */
    (void)ota_writer_begin(&update->writer, &update->region, 0, update->limit,
                           update->options.buffer, update->options.buffer_size);
    if (is_hashed(update)) {
        err = update->options.device->crypto->hash_begin(&unwrap->hash, OTA_HASH_SHA256);
        unwrap->hash_begun = err == OTA_OK;
    }
    return err == OTA_OK ? unwrap->decoder->begin(unwrap->decoder, &options) : err;
}

/* Decides by the first bytes, which are all in the tail. */
static enum ota_err settle(struct ota_update *update)
{
    struct ota_unwrap *unwrap = update->options.unwrap;
    const uint32_t size = update->options.size;
    const uint32_t room = update->rules.size_max + unwrap->hold;

    unwrap->is_settled = true;
    unwrap->decoder = ota_decoder_find(unwrap->decoders, unwrap->tail, unwrap->tail_len,
                                       update->slot != OTA_SLOT_NONE);
    if (unwrap->decoder != NULL) {
        return begin_decoding(update);
    }
    if (size != OTA_SIZE_UNKNOWN && size > room) {
        return ota__update_fail(update, OTA_ERR_TOO_LARGE, room);
    }
    ota__update_takes_plain(update);
    return OTA_OK;
}

/* What was resumed is plain: nothing else can be. */
static bool is_settled(const struct ota_update *update)
{
    return update->options.unwrap->is_settled || update->stored > 0;
}

/* ---- Passing on ------------------------------------------------------------------------------ */

static enum ota_err decode(struct ota_update *update, const void *data, size_t len)
{
    const struct ota_crypto *crypto = update->options.device->crypto;
    struct ota_unwrap *unwrap = update->options.unwrap;
    enum ota_err err = OTA_OK;

    if (unwrap->hash_begun) {
        err = crypto->hash_update(&unwrap->hash, data, len);
    }
    if (err == OTA_OK && update->md5_begun) {
        err = crypto->hash_update(&update->md5, data, len);
    }
    return err == OTA_OK ? unwrap->decoder->sink->write(unwrap->decoder->sink, data, len) : err;
}

/* Takes bytes that are no trailer. */
static enum ota_err pass(struct ota_update *update, const void *data, size_t len)
{
    return update->is_compressed ? decode(update, data, len) : ota__update_store(update, data, len);
}

/* Adds to the tail, and passes on what thereby leaves it. */
static enum ota_err hold_back(struct ota_update *update, const uint8_t *data, uint32_t len)
{
    struct ota_unwrap *unwrap = update->options.unwrap;
    const uint32_t all = unwrap->tail_len + len;
    const uint32_t leaving = all > unwrap->hold ? all - unwrap->hold : 0;
    const uint32_t old = ota__min(leaving, unwrap->tail_len);
    const uint32_t fresh = leaving - old;
    enum ota_err err = OTA_OK;

    if (old > 0) {
        err = pass(update, unwrap->tail, old);
    }
    if (err == OTA_OK && fresh > 0) {
        err = pass(update, data, fresh);
    }
    memmove(unwrap->tail, unwrap->tail + old, unwrap->tail_len - old);
    memcpy(unwrap->tail + (unwrap->tail_len - old), data + fresh, len - fresh);
    unwrap->tail_len = (uint16_t)(all - leaving);
    return err;
}

/* Puts the first bytes into the tail until they are enough. Returns how many it took. */
static uint32_t take_head(struct ota_unwrap *unwrap, const uint8_t *data, uint32_t len)
{
    const uint32_t n = ota__min(len, OTA_DECODER_HEAD - unwrap->tail_len);

    memcpy(unwrap->tail + unwrap->tail_len, data, n);
    unwrap->tail_len = (uint16_t)(unwrap->tail_len + n);
    return n;
}

static enum ota_err take(struct ota_update *update, const uint8_t *data, uint32_t len)
{
    struct ota_unwrap *unwrap = update->options.unwrap;
    uint32_t used = 0;
    enum ota_err err = OTA_OK;

    update->received += len;
    if (!is_settled(update)) {
        used = take_head(unwrap, data, len);
        if (unwrap->tail_len < OTA_DECODER_HEAD) {
            return OTA_OK;
        }
        err = settle(update);
    }
    return err == OTA_OK ? hold_back(update, data + used, len - used) : err;
}

/* ---- The methods ----------------------------------------------------------------------------- */

/* Fails the update, unless storing did. A decoder knows its place better. */
static enum ota_err fail(struct ota_update *update, enum ota_err err)
{
    const struct ota_failure *failure =
        update->is_compressed ? update->options.unwrap->decoder->failure : NULL;
    const bool is_known = failure != NULL && failure->err == err;

    return ota__update_fail(update, err, is_known ? failure->offset : update->received);
}

/* As much is held back as the longest trailer has, whichever keys there are: one by a longer key is
   to be seen as what it is, and not as the end of an image that is too long. */
static uint32_t unwrap_begin(struct ota_update *update)
{
    struct ota_unwrap *unwrap = update->options.unwrap;
    const uint32_t size = update->rules.size_max;

    unwrap->decoder = NULL;
    unwrap->is_settled = false;
    unwrap->tail_len = 0;
    unwrap->hold = ota__unwrap_trust(update) != NULL ? OTA_ARDUINO_TAIL_MAX : 0;
    unwrap->output.update = update;
    unwrap->history.update = update;
    update->rules.allow_trailer = update->rules.allow_trailer || is_only_told(update);
    const uint32_t most = size + unwrap->hold + (unwrap->decoders != NULL ? size / 8 : 0);
    unwrap->most = ota__min(update->options.size, most);
    return most;
}

static enum ota_err unwrap_write(struct ota_update *update, const void *data, size_t len)
{
    const uint32_t room = update->options.unwrap->most - update->received;
    const uint32_t n = len < room ? (uint32_t)len : room;
    enum ota_err err = n > 0 ? take(update, data, n) : OTA_OK;

    if (err == OTA_OK && n < len) {
        err = OTA_ERR_TOO_LARGE;
    }
    return err == OTA_OK ? OTA_OK : fail(update, err);
}

/* A stream without its end is a file that was cut short: all that was announced has come. */
static enum ota_err finish_decoding(const struct ota_decoder *decoder)
{
    enum ota_err err = decoder->sink->finish(decoder->sink);

    return err == OTA_ERR_INCOMPLETE ? OTA_ERR_IMAGE_TRUNCATED : err;
}

/* If less came than tells the form, it is plain. */
static enum ota_err finish(struct ota_update *update)
{
    struct ota_unwrap *unwrap = update->options.unwrap;
    uint32_t trailer_len = 0;
    enum ota_err err = ota__unwrap_check_expected(update);

    if (err == OTA_OK) {
        err = ota__unwrap_judge_trailer(update, &trailer_len);
    }
    if (err == OTA_OK && unwrap->tail_len > trailer_len) {
        err = pass(update, unwrap->tail, unwrap->tail_len - trailer_len);
    }
    if (err == OTA_OK && update->is_compressed) {
        err = finish_decoding(unwrap->decoder);
    }
    return err == OTA_OK && update->stored == 0 ? OTA_ERR_NO_DATA : err;
}

static void unwrap_release(struct ota_update *update)
{
    struct ota_unwrap *unwrap = update->options.unwrap;

    if (unwrap->hash_begun) {
        unwrap->hash_begun = false;
        update->options.device->crypto->hash_abort(&unwrap->hash);
    }
}

static enum ota_err unwrap_end(struct ota_update *update)
{
    enum ota_err err = finish(update);

    unwrap_release(update);
    return err == OTA_OK ? OTA_OK : fail(update, err);
}

void ota_unwrap_init(struct ota_unwrap *unwrap, struct ota_decoder *const *decoders)
{
    static const struct ota__unwrap_methods methods = {unwrap_begin, unwrap_write, unwrap_end,
                                                       unwrap_release};

    memset(unwrap, 0, sizeof *unwrap);
    unwrap->methods = &methods;
    unwrap->decoders = decoders;
    unwrap->output.sink = (struct ota_sink){output_write, output_finish, output_abort};
    unwrap->history.history.read = history_read;
}
