/* SPDX-License-Identifier: Apache-2.0 */
#include "base/blank.h"

#include <stdint.h>

#include "base/mem.h"

bool ota__is_blank(const void *data, size_t len)
{
    const uint8_t *bytes = data;
    /* A run of equal bytes equals itself moved by one. */
    return len == 0 || (bytes[0] == 0xFF && memcmp(bytes, bytes + 1, len - 1) == 0);
}
