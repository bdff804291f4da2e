/* SPDX-License-Identifier: Apache-2.0 */
#include "support/forge.h"

#include <assert.h>
#include <bearssl.h>
#include <string.h>

#include "support/images.h"

#define SKETCH 0x1000u
#define SKETCH_WORDS 0x1010u

void forge_put32(uint8_t *bytes, uint32_t value)
{
    for (int i = 0; i < 4; i++) {
        bytes[i] = (uint8_t)(value >> 8 * i);
    }
}

static uint32_t get32(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
           (uint32_t)bytes[3] << 24;
}

static uint8_t *add(struct forge *forge, uint32_t len)
{
    uint8_t *place = forge->bytes + forge->len;

    assert(len <= FORGE_MAX - forge->len);
    memset(place, 0, len);
    forge->len += len;
    return place;
}

void forge_header(struct forge *forge, uint8_t segments)
{
    uint8_t *header = add(forge, 8);

    header[0] = 0xE9;
    header[1] = segments;
    header[2] = 2;
    header[3] = 0x20;
    forge_put32(header + 4, 0x40080000);
    forge->sum = 0xEF;
}

void forge_extended(struct forge *forge, uint16_t chip, bool sha256)
{
    uint8_t *header = add(forge, 16);

    header[0] = 0xEE;
    header[4] = (uint8_t)chip;
    header[5] = (uint8_t)(chip >> 8);
    header[9] = 0xFF;
    header[10] = 0xFF;
    header[15] = sha256;
}

static void add_segment(struct forge *forge, uint32_t address, uint32_t len, bool app)
{
    uint8_t *header = add(forge, 8);
    uint32_t start = forge->len;
    uint8_t *data = add(forge, len);

    forge_put32(header, address);
    forge_put32(header + 4, len);
    for (uint32_t i = 0; i < len; i++) {
        data[i] = (uint8_t)noise(address, start + i);
    }
    if (app) {
        memset(data, 0, 256);
        forge_put32(data, 0xABCD5432);
        memcpy(data + 16, "3.2.1", 5);
        memcpy(data + 48, "forged", 6);
    }
    for (uint32_t i = 0; i < len; i++) {
        forge->sum ^= data[i];
    }
}

void forge_segment(struct forge *forge, uint32_t address, uint32_t len)
{
    add_segment(forge, address, len, false);
}

void forge_app(struct forge *forge, uint32_t address, uint32_t len)
{
    assert(len >= 256);
    add_segment(forge, address, len, true);
}

void forge_checksum(struct forge *forge)
{
    (void)add(forge, 16 - (forge->len & 15));
    forge->bytes[forge->len - 1] = forge->sum;
}

void forge_sha256(struct forge *forge)
{
    uint8_t digest[32];
    br_sha256_context sha;

    br_sha256_init(&sha);
    br_sha256_update(&sha, forge->bytes, forge->len);
    br_sha256_out(&sha, digest);
    memcpy(add(forge, sizeof digest), digest, sizeof digest);
}

void forge_esp32(struct forge *forge, uint16_t chip)
{
    forge->len = 0;
    forge_header(forge, 2);
    forge_extended(forge, chip, true);
    forge_app(forge, 0x3FFB0000, 300);
    forge_segment(forge, 0x40080000, 44);
    forge_checksum(forge);
    forge_sha256(forge);
}

void forge_reseal(struct forge *forge)
{
    uint32_t at = 24;

    forge->sum = 0xEF;
    for (unsigned i = 0; i < forge->bytes[1]; i++) {
        uint32_t len = get32(forge->bytes + at + 4);
        at += 8;
        for (uint32_t end = at + len; at < end; at++) {
            forge->sum ^= forge->bytes[at];
        }
    }
    forge->len = at;
    forge_checksum(forge);
    if (forge->bytes[23] != 0) {
        forge_sha256(forge);
    }
}

void forge_esp8266_v1(struct forge *forge)
{
    forge->len = 0;
    forge_header(forge, 2);
    forge_segment(forge, 0x40108000, 28);
    forge_segment(forge, 0x3FFE8000, 16);
    forge_checksum(forge);
}

/* Bit by bit, unlike the library. */
static uint32_t crc32_of(const uint8_t *bytes, uint32_t len)
{
    uint32_t crc = 0xFFFFFFFF;

    for (uint32_t i = 0; i < len; i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++) {
            crc = (crc & 1) != 0 ? crc >> 1 ^ 0xEDB88320u : crc >> 1;
        }
    }
    return ~crc;
}

static uint32_t crc32_mpeg2_of(const uint8_t *bytes, uint32_t len)
{
    uint32_t crc = 0xFFFFFFFF;

    for (uint32_t i = 0; i < len; i++) {
        crc ^= (uint32_t)bytes[i] << 24;
        for (int bit = 0; bit < 8; bit++) {
            crc = (crc & 0x80000000u) != 0 ? crc << 1 ^ 0x04C11DB7u : crc << 1;
        }
    }
    return crc;
}

void forge_esp8266_v2(struct forge *forge, uint32_t irom)
{
    uint8_t *header;
    uint8_t *data;
    uint32_t crc;

    forge->len = 0;
    forge_header(forge, 4);
    forge->bytes[0] = 0xEA;
    header = add(forge, 8);
    forge_put32(header + 4, irom);
    data = add(forge, irom);
    for (uint32_t i = 0; i < irom; i++) {
        data[i] = (uint8_t)noise(irom, i);
    }
    forge_header(forge, 2);
    forge_segment(forge, 0x40100000, 40);
    forge_segment(forge, 0x3FFE8000, 20);
    forge_checksum(forge);
    crc = crc32_of(forge->bytes, forge->len);
    forge_put32(add(forge, 4), (crc & 0x80000000u) != 0 ? ~crc : crc + 1);
}

void forge_esp8266_arduino(struct forge *forge, bool words)
{
    uint8_t *filler;

    forge_esp8266_v1(forge);
    filler = add(forge, SKETCH - forge->len);
    memset(filler, 0xAA, (size_t)(forge->bytes + SKETCH - filler));
    forge_header(forge, 2);
    forge_segment(forge, 0x40201010, 500);
    forge_segment(forge, 0x40100000, 100);
    if (words) {
        for (unsigned i = 0; i < 8; i++) { /* the checksum is made while they are zero */
            forge->sum ^= forge->bytes[SKETCH_WORDS + i];
            forge->bytes[SKETCH_WORDS + i] = 0;
        }
    }
    forge_checksum(forge);
    if (words) {
        uint32_t crc = crc32_mpeg2_of(forge->bytes, forge->len);
        forge_put32(forge->bytes + SKETCH_WORDS, forge->len);
        forge_put32(forge->bytes + SKETCH_WORDS + 4, crc);
    }
}

void forge_esp8266_rtos(struct forge *forge)
{
    forge->len = 0;
    forge_header(forge, 2);
    forge_app(forge, 0x40210010, 300);
    forge_segment(forge, 0x40100000, 44);
    forge_checksum(forge);
    forge_sha256(forge);
}
