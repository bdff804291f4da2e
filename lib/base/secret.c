/* SPDX-License-Identifier: Apache-2.0 */
/* Comparing and forgetting secrets. */

#include "base/secret.h"

#include <stdint.h>

bool ota__same_secret(const void *a, const void *b, size_t len)
{
    /* volatile: each byte is read, and nothing is concluded before the last. */
    const volatile uint8_t *left = a;
    const volatile uint8_t *right = b;
    uint8_t differences = 0;

    for (size_t i = 0; i < len; i++) {
        uint8_t difference = left[i] ^ right[i];
        differences |= difference;
    }
    return differences == 0;
}

void ota__wipe(void *data, size_t len)
{
    volatile uint8_t *bytes = data;

    for (size_t i = 0; i < len; i++) {
        bytes[i] = 0;
    }
}
