/* SPDX-License-Identifier: Apache-2.0 */
/* gzip as one kind of compression among several. */
#include <updraft/gunzip.h>

static bool recognises(const struct ota_decoder *decoder, const uint8_t *head, size_t len,
                       bool is_app)
{
    (void)decoder;
    (void)is_app;
    return ota_is_gzip(head, len);
}

static enum ota_err begin(struct ota_decoder *decoder, const struct ota_decoder_options *options)
{
    struct ota_gunzip_decoder *self = (struct ota_gunzip_decoder *)decoder;
    const struct ota_gunzip_options own = {
        .next = options->next,
        .history = options->history,
        .allow_trailer = options->allow_trailer,
    };

    ota_gunzip_begin(&self->gunzip, &own);
    return OTA_OK;
}

void ota_gunzip_decoder_init(struct ota_gunzip_decoder *decoder)
{
    decoder->decoder =
        (struct ota_decoder){recognises, begin, &decoder->gunzip.sink, &decoder->gunzip.failure};
}
