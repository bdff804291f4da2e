/* SPDX-License-Identifier: Apache-2.0 */
/* Voice-tone images, put together byte by byte. */

#include "support/tones.h"

#include <string.h>

#include "support/images.h"

static void put32(uint8_t *p, uint32_t value)
{
    for (unsigned i = 0; i < 4; i++) {
        p[i] = (uint8_t)(value >> 8 * i);
    }
}

/* Bit by bit, so that it owes the library nothing. */
static uint32_t crc32_of(const uint8_t *data, size_t len)
{
    uint32_t crc = 0xFFFFFFFF;

    for (size_t i = 0; i < len; i++) {
        crc ^= data[i];
        for (unsigned bit = 0; bit < 8; bit++) {
            crc = (crc & 1) != 0 ? crc >> 1 ^ 0xEDB88320 : crc >> 1;
        }
    }
    return ~crc;
}

void tone_reseal(uint8_t *tone, size_t len)
{
    put32(tone + len - 6, crc32_of(tone, len - 6));
}

static size_t put_head(uint8_t *tone, const struct tone_facts *facts)
{
    tone[0] = 0x53;
    tone[1] = 0x20;
    tone[2] = (uint8_t)facts->files;
    put32(tone + 4, facts->format);
    if (facts->format == 0) {
        return 8;
    }
    put32(tone + 8, 0xF55F9876);
    memcpy(tone + 8 + 16, facts->version, strlen(facts->version));
    memcpy(tone + 8 + 48, facts->project, strlen(facts->project));
    memcpy(tone + 8 + 80, "12:00:00", 8);
    memcpy(tone + 8 + 96, "2024-01-01", 10);
    return 8 + 256;
}

size_t tone_make(uint8_t *tone, size_t capacity, const struct tone_facts *facts)
{
    size_t head = facts->format == 0 ? 8 : 8 + 256;
    size_t len = head + 64 * (size_t)facts->files;

    for (unsigned i = 0; i < facts->files; i++) {
        len += (facts->length[i] + 3) / 4 * 4;
    }
    if (len + 6 > capacity) {
        return 0;
    }
    memset(tone, 0, head + 64 * (size_t)facts->files);
    size_t at = put_head(tone, facts);
    uint32_t address = (uint32_t)(at + 64 * (size_t)facts->files);
    for (unsigned i = 0; i < facts->files; i++, at += 64) {
        uint8_t *entry = tone + at;
        uint32_t padded = (facts->length[i] + 3) / 4 * 4;
        entry[0] = 0x28;
        entry[1] = (uint8_t)i;
        entry[2] = (uint8_t)(i % 2);
        put32(entry + 4, address);
        put32(entry + 8, facts->length[i]);
        for (uint32_t k = 0; k < padded; k++) {
            tone[address + k] =
                k < facts->length[i] ? (uint8_t)noise(facts->seed, address + k) : 0xFF;
        }
        address += padded;
    }
    if (facts->format == 0) {
        return len;
    }
    tone[len + 4] = 0xAC;
    tone[len + 5] = 0xDF;
    tone_reseal(tone, len + 6);
    return len + 6;
}
