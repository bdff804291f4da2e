/* SPDX-License-Identifier: Apache-2.0 */
/* By nibbles, as in crc32.c. */
#include "base/crc32_mpeg2.h"

uint32_t ota__crc32_mpeg2(uint32_t crc, uint8_t byte)
{
    static const uint32_t table[16] = {
        0x00000000, 0x04C11DB7, 0x09823B6E, 0x0D4326D9, 0x130476DC, 0x17C56B6B,
        0x1A864DB2, 0x1E475005, 0x2608EDB8, 0x22C9F00F, 0x2F8AD6D6, 0x2B4BCB61,
        0x350C9B64, 0x31CD86D3, 0x3C8EA00A, 0x384FBDBD,
    };

    crc ^= (uint32_t)byte << 24;
    crc = crc << 4 ^ table[crc >> 28];
    return crc << 4 ^ table[crc >> 28];
}
