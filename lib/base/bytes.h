/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_BYTES_H
#define BASE_BYTES_H

/* Little-endian numbers in byte arrays, and the small arithmetic of offsets. */

#include <stdbool.h>
#include <stdint.h>

static inline uint16_t ota__get_le16(const uint8_t *bytes)
{
    return (uint16_t)(bytes[0] | bytes[1] << 8);
}

static inline uint32_t ota__get_le32(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
           (uint32_t)bytes[3] << 24;
}

static inline void ota__put_le16(uint8_t *bytes, uint16_t value)
{
    bytes[0] = (uint8_t)value;
    bytes[1] = (uint8_t)(value >> 8);
}

static inline void ota__put_le32(uint8_t *bytes, uint32_t value)
{
    bytes[0] = (uint8_t)value;
    bytes[1] = (uint8_t)(value >> 8);
    bytes[2] = (uint8_t)(value >> 16);
    bytes[3] = (uint8_t)(value >> 24);
}

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
