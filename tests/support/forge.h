/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SUPPORT_FORGE_H
#define SUPPORT_FORGE_H

/*
 * Images of every form, put together piece by piece, for tests that need one thing about them to be
 * wrong. Written from docs/formats/image.md, with BearSSL for the SHA-256, and not with the
 * library.
 *
 *     struct forge forge = {.len = 0};
 *     forge_header(&forge, 2);
 *     forge_extended(&forge, 0, true);
 *     forge_segment(&forge, 0x3FFB0000, 300);
 *     forge_segment(&forge, 0x40080000, 16);
 *     forge_checksum(&forge);
 *     forge_sha256(&forge);
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FORGE_MAX 0x10000u

struct forge {
    uint8_t bytes[FORGE_MAX];
    uint32_t len;
    uint8_t sum; /* of the segments since the last header */
};

/* Adds a common header: magic 0xE9 and so many segments. */
void forge_header(struct forge *forge, uint8_t segments);

/* Adds the extended header of the ESP32 family. */
void forge_extended(struct forge *forge, uint16_t chip, bool sha256);

/* Adds a segment of noise. The first 256 bytes of forge_app's are an app descriptor instead. */
void forge_segment(struct forge *forge, uint32_t address, uint32_t len);
void forge_app(struct forge *forge, uint32_t address, uint32_t len);

/* Closes the 16-byte block with the checksum; adds the SHA-256 of everything so far. */
void forge_checksum(struct forge *forge);
void forge_sha256(struct forge *forge);

/* A whole ESP32-family app of two segments, 344 bytes of data in all, with a SHA-256. */
void forge_esp32(struct forge *forge, uint16_t chip);

/* Makes checksum and SHA-256 of an ESP32-family image right again after a change to its bytes. */
void forge_reseal(struct forge *forge);

/* An ESP8266 image of version 1, of version 2 (with so many bytes of irom), Arduino's file of two
   images, and one of ESP8266_RTOS_SDK with a descriptor. */
void forge_esp8266_v1(struct forge *forge);
void forge_esp8266_v2(struct forge *forge, uint32_t irom);
void forge_esp8266_arduino(struct forge *forge, bool words);
void forge_esp8266_rtos(struct forge *forge);

void forge_put32(uint8_t *bytes, uint32_t value);

#endif
