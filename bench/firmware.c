/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware.h"

#include <string.h>

#include "support/images.h"

void firmware_make(uint8_t *data, uint32_t size)
{
    static const char text[] = "error: %s at line %d, expected a value of type %s\n";

    for (uint32_t at = 0; at < size; at += 4) {
        const uint32_t function = at / 700, dice = noise(1, at);
        uint32_t word = dice % 100 < 35 ? noise(2, noise(3, at) % 400) : noise(4, at) & 0x0F1FFFFF;
        if (function % 9 == 0) {
            memcpy(&word, text + dice % 12 * 4, 4);
        } else if (function % 7 == 0 && at > 60000) {
            memcpy(&word, data + at - 28000 - function % 5 * 4000, 4);
        }
        memcpy(data + at, &word, 4);
    }
}
