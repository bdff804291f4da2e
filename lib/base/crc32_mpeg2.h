/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_CRC32_MPEG2_H
#define BASE_CRC32_MPEG2_H

/* CRC-32/MPEG-2, which Arduino's core for the ESP8266 uses: most significant bit first, not
   inverted at the end (docs/formats/README.md section 2). */

#include <stdint.h>

#define OTA__CRC32_MPEG2_START 0xFFFFFFFFu
#define OTA__CRC32_MPEG2_POLYNOMIAL 0x04C11DB7u

/* Returns the CRC after one byte more. */
uint32_t ota__crc32_mpeg2(uint32_t crc, uint8_t byte);

#endif
