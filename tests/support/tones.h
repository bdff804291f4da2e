/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SUPPORT_TONES_H
#define SUPPORT_TONES_H

/* Voice-tone images for tests, made from a few facts. Written from docs/formats/upgrade-list.md
   section 5, and not with the library. */

#include <stddef.h>
#include <stdint.h>

#define TONE_PROJECT "ESP_TONE_BIN"
#define TONE_FILES_MAX 32

struct tone_facts {
    uint32_t format;     /* 0 or 1 */
    const char *version; /* format 1 only */
    const char *project;
    unsigned files;
    uint32_t length[TONE_FILES_MAX];
    uint32_t seed; /* of the sounds' bytes */
};

/* Writes an image. Returns its length, or 0 if it does not fit. */
size_t tone_make(uint8_t *tone, size_t capacity, const struct tone_facts *facts);

/* Makes the CRC of an image of format 1 right again after a change to its bytes. */
void tone_reseal(uint8_t *tone, size_t len);

#endif
