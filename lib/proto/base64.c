/* SPDX-License-Identifier: Apache-2.0 */
/* Base64, for the credentials of Basic authorization. */

#include "proto/base64.h"

void ota__base64_put(struct ota_text *text, const void *data, size_t len)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const uint8_t *bytes = data;

    for (size_t i = 0; i < len; i += 3) {
        size_t count = len - i < 3 ? len - i : 3;
        uint32_t group = (uint32_t)bytes[i] << 16;
        group |= count > 1 ? (uint32_t)bytes[i + 1] << 8 : 0;
        group |= count > 2 ? (uint32_t)bytes[i + 2] : 0;
        const char quad[4] = {
            alphabet[group >> 18],
            alphabet[group >> 12 & 63],
            count > 1 ? alphabet[group >> 6 & 63] : '=',
            count > 2 ? alphabet[group & 63] : '=',
        };
        ota_text_put_bytes(text, quad, sizeof quad);
    }
}
