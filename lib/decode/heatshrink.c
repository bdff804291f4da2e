/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A stream of bits, the highest of a byte first: a 1 and the 8 bits of a byte; or a 0, the distance
 * of a copy and its length, both less one. The last byte is filled up with zeros.
 */
#include <updraft/heatshrink.h>

#include "base/mem.h"
#include "decode/recent.h"

#define LITERAL_BITS 9u /* with the bit that says so */

static uint32_t take_bits(struct ota_heatshrink *heatshrink, unsigned count)
{
    heatshrink->count = (uint8_t)(heatshrink->count - count);
    return heatshrink->bits >> heatshrink->count & ((1u << count) - 1);
}

/* What was taken and not used. */
static uint32_t rest(const struct ota_heatshrink *heatshrink)
{
    return heatshrink->bits & ((1u << heatshrink->count) - 1);
}

/* How much may come out yet. */
static uint32_t room(const struct ota_heatshrink *heatshrink)
{
    return heatshrink->options.size - heatshrink->recent.produced;
}

/* What lies before the beginning is zeros, as the library's buffer is when it begins: its encoder
   makes use of them. */
static enum ota_err copy(struct ota_heatshrink *heatshrink, uint32_t distance, uint32_t len)
{
    struct ota_recent *recent = &heatshrink->recent;
    enum ota_err err = OTA_OK;

    if (len > room(heatshrink)) {
        return OTA_ERR_COMPRESSED_DATA;
    }
    for (; err == OTA_OK && len > 0 && distance > recent->produced; len--) {
        err = ota__recent_add(recent, 0);
    }
    return err == OTA_OK ? ota__recent_copy(recent, distance, len) : err;
}

/* Decodes what `count` bits say: a byte, or one of the two halves of a copy. */
static enum ota_err decode(struct ota_heatshrink *heatshrink, unsigned count, bool is_literal)
{
    const uint32_t value = take_bits(heatshrink, count);
    const uint32_t distance = heatshrink->distance;

    if (is_literal) {
        return ota__recent_add(&heatshrink->recent, (uint8_t)value);
    }
    heatshrink->distance = distance == 0 ? value + 1 : 0;
    return distance == 0 ? OTA_OK : copy(heatshrink, distance, value + 1);
}

/* Decodes all that is there as a whole. */
static enum ota_err take_byte(struct ota_heatshrink *heatshrink, uint8_t byte)
{
    const struct ota_heatshrink_options *options = &heatshrink->options;

    heatshrink->bits = heatshrink->bits << 8 | byte;
    heatshrink->count = (uint8_t)(heatshrink->count + 8);
    while (heatshrink->count > 0 && room(heatshrink) > 0) {
        const bool is_length = heatshrink->distance > 0;
        const bool is_literal = !is_length && rest(heatshrink) >> (heatshrink->count - 1) != 0;
        const unsigned count = is_length    ? options->lookahead_bits
                               : is_literal ? LITERAL_BITS
                                            : 1u + options->window_bits;
        if (heatshrink->count < count) {
            return OTA_OK;
        }
        const enum ota_err err = decode(heatshrink, count, is_literal);
        if (err != OTA_OK) {
            return err;
        }
    }
    return rest(heatshrink) == 0 ? OTA_OK : OTA_ERR_COMPRESSED_DATA;
}

/* ---- The sink -------------------------------------------------------------------------------- */

static enum ota_err note(struct ota_heatshrink *heatshrink, enum ota_err err)
{
    if (err != OTA_OK) {
        heatshrink->failure.err = err;
        heatshrink->failure.offset = heatshrink->taken;
    }
    return err;
}

static enum ota_err heatshrink_write(struct ota_sink *sink, const void *data, size_t len)
{
    struct ota_heatshrink *heatshrink = (struct ota_heatshrink *)sink;
    const uint8_t *bytes = data;

    for (size_t i = 0; heatshrink->failure.err == OTA_OK && i < len; i++) {
        if (heatshrink->is_finished) {
            return OTA_ERR_STATE;
        }
        const enum ota_err err =
            room(heatshrink) == 0 ? OTA_ERR_COMPRESSED_TRAILER : take_byte(heatshrink, bytes[i]);
        if (note(heatshrink, err) == OTA_OK) {
            heatshrink->taken++;
        }
    }
    return heatshrink->failure.err;
}

/* May the stream end here? If the size is not known: less than a byte of zeros is left, part of
   which may have been taken for the first half of a copy. */
static bool is_whole(const struct ota_heatshrink *heatshrink)
{
    const unsigned half = heatshrink->distance > 0 ? 1u + heatshrink->options.window_bits : 0;

    if (heatshrink->options.size != OTA_SIZE_UNKNOWN) {
        return room(heatshrink) == 0;
    }
    return half + heatshrink->count < 8 && heatshrink->distance <= 1 && rest(heatshrink) == 0;
}

static enum ota_err heatshrink_finish(struct ota_sink *sink)
{
    struct ota_heatshrink *heatshrink = (struct ota_heatshrink *)sink;

    if (heatshrink->failure.err != OTA_OK || heatshrink->is_finished) {
        return heatshrink->failure.err != OTA_OK ? heatshrink->failure.err : OTA_ERR_STATE;
    }
    if (!is_whole(heatshrink)) {
        return note(heatshrink, OTA_ERR_INCOMPLETE);
    }
    heatshrink->is_finished = true;
    enum ota_err err = ota__recent_give(&heatshrink->recent);
    if (err == OTA_OK) {
        err = heatshrink->options.next->finish(heatshrink->options.next);
    }
    return note(heatshrink, err);
}

static void heatshrink_abort(struct ota_sink *sink)
{
    struct ota_heatshrink *heatshrink = (struct ota_heatshrink *)sink;

    heatshrink->is_finished = true;
    heatshrink->options.next->abort(heatshrink->options.next);
}

enum ota_err ota_heatshrink_begin(struct ota_heatshrink *heatshrink,
                                  const struct ota_heatshrink_options *options)
{
    if (options->window_bits < OTA_HEATSHRINK_WINDOW_BITS_MIN ||
        options->window_bits > OTA_HEATSHRINK_WINDOW_BITS_MAX ||
        options->lookahead_bits < OTA_HEATSHRINK_LOOKAHEAD_BITS_MIN ||
        options->lookahead_bits >= options->window_bits) {
        return OTA_ERR_ARGUMENT;
    }
    memset(heatshrink, 0, sizeof *heatshrink);
    heatshrink->sink = (struct ota_sink){heatshrink_write, heatshrink_finish, heatshrink_abort};
    heatshrink->options = *options;
    ota__recent_begin(&heatshrink->recent, options->next, options->history);
    return OTA_OK;
}
