/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_BYTES_H
#define BASE_BYTES_H

/* Little-endian numbers in byte arrays, and the small arithmetic of offsets. */

#include <stdbool.h>
#include <stdint.h>

uint16_t ota__get_le16(const uint8_t *bytes);
uint32_t ota__get_le32(const uint8_t *bytes);
void ota__put_le16(uint8_t *bytes, uint16_t value);
void ota__put_le32(uint8_t *bytes, uint32_t value);

static inline uint32_t ota__min(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

static inline uint32_t ota__max(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

static inline bool ota__is_power_of_two(uint32_t value)
{
    return value != 0 && (value & (value - 1)) == 0;
}

/* `value` rounded down or up to a multiple of `unit`, a power of two. */
static inline uint32_t ota__round_down(uint32_t value, uint32_t unit)
{
    return value & ~(unit - 1);
}

static inline uint32_t ota__round_up(uint32_t value, uint32_t unit)
{
    return ota__round_down(value + unit - 1, unit);
}

#endif
