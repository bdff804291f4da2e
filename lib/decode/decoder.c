/* SPDX-License-Identifier: Apache-2.0 */
/* Which decoder a stream is for. None of them is named here. */
#include <updraft/decoder.h>

#include "base/mem.h"

static const uint8_t gzip[OTA_DECODER_HEAD] = {0x1F, 0x8B};

struct ota_decoder *ota_decoder_find(struct ota_decoder *const *decoders, const uint8_t *head,
                                     size_t len, bool is_app)
{
    if (decoders == NULL) {
        return NULL;
    }
    while (*decoders != NULL && !(*decoders)->recognises(*decoders, head, len, is_app)) {
        decoders++;
    }
    return *decoders;
}

bool ota_is_gzip(const void *data, size_t len)
{
    return len >= sizeof gzip && memcmp(data, gzip, sizeof gzip) == 0;
}

bool ota_decoders_take_gzip(struct ota_decoder *const *decoders)
{
    return ota_decoder_find(decoders, gzip, sizeof gzip, true) != NULL;
}
