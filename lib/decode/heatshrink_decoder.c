/* SPDX-License-Identifier: Apache-2.0 */
/* Heatshrink as one kind of compression among several. */
#include <updraft/heatshrink.h>

/* A stream begins with a byte, since there is nothing to copy: a 1 and its 8 bits. */
#define FIRST_BITS(byte) (0x100u | (byte))
#define APP FIRST_BITS(0xE9u)
#define APP_V2 FIRST_BITS(0xEAu) /* ESP8266 */

static bool recognises(const struct ota_decoder *decoder, const uint8_t *head, size_t len,
                       bool is_app)
{
    const unsigned bits = len < OTA_DECODER_HEAD ? 0 : (unsigned)head[0] << 1 | head[1] >> 7;

    (void)decoder;
    return is_app && (bits == APP || bits == APP_V2);
}

static enum ota_err begin(struct ota_decoder *decoder, const struct ota_decoder_options *options)
{
    struct ota_heatshrink_decoder *self = (struct ota_heatshrink_decoder *)decoder;
    const struct ota_heatshrink_options own = {
        .next = options->next,
        .history = options->history,
        .window_bits = self->window_bits,
        .lookahead_bits = self->lookahead_bits,
        .size = OTA_SIZE_UNKNOWN,
    };

    return ota_heatshrink_begin(&self->heatshrink, &own);
}

void ota_heatshrink_decoder_init(struct ota_heatshrink_decoder *decoder, uint8_t window_bits,
                                 uint8_t lookahead_bits)
{
    decoder->decoder = (struct ota_decoder){recognises, begin, &decoder->heatshrink.sink,
                                            &decoder->heatshrink.failure};
    decoder->window_bits = window_bits;
    decoder->lookahead_bits = lookahead_bits;
}
