/* SPDX-License-Identifier: Apache-2.0 */
/* Images and partition tables for tests, from the format notes. */
#include "support/images.h"

#include <assert.h>
#include <bearssl.h>
#include <string.h>

#define HEADER_SIZE 24u
#define SEGMENT_HEADER_SIZE 8u
#define DESCRIPTOR_SIZE 256u
#define PAYLOAD (HEADER_SIZE + SEGMENT_HEADER_SIZE + DESCRIPTOR_SIZE) /* file offset of it */
#define BLOCK 16u
#define DIGEST_SIZE 32u
#define LOAD_ADDRESS 0x3FFB0000u /* data RAM on each chip of the family that has a window there */
#define ENTRY_ADDRESS 0x40080000u

static void put16(uint8_t *p, uint32_t value)
{
    p[0] = (uint8_t)value;
    p[1] = (uint8_t)(value >> 8);
}

static void put32(uint8_t *p, uint32_t value)
{
    put16(p, value);
    put16(p + 2, value >> 16);
}

/* The finaliser of SplitMix64 over a counter: any word of the stream without those before it. */
uint32_t noise(uint64_t seed, uint64_t n)
{
    uint64_t z = seed * 0xD1342543DE82EF95u + (n + 1) * 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return (uint32_t)((z ^ (z >> 31)) >> 16);
}

static void put_text(uint8_t *p, size_t size, const char *text)
{
    size_t len = strlen(text);
    memcpy(p, text, len < size ? len : size);
}

static void put_descriptor(uint8_t *p, const struct image_facts *facts)
{
    put32(p, 0xABCD5432u);
    put32(p + 4, facts->secure_version);
    put_text(p + 16, 32, facts->version != NULL ? facts->version : "1.0.0");
    put_text(p + 48, 32, facts->project != NULL ? facts->project : "test");
    put_text(p + 80, 16, "12:00:00");
    put_text(p + 96, 16, "Jan  1 2025");
    put_text(p + 112, 32, "v5.2");
}

static void put_payload(uint8_t *image, size_t end, const struct image_facts *facts)
{
    for (size_t i = PAYLOAD; i < end; i++) {
        if (i >= facts->blank_from && i < facts->blank_to) {
            image[i] = 0xFF;
        } else if (i >= facts->common_from && i < facts->common_to) {
            image[i] = (uint8_t)noise(UINT64_MAX, i);
        } else if (facts->payload != NULL) {
            image[i] = facts->payload[i];
        } else {
            image[i] = (uint8_t)noise(facts->seed, facts->period > 0 ? i % facts->period : i);
        }
    }
}

size_t image_make(uint8_t *image, size_t capacity, const struct image_facts *facts)
{
    size_t tail = facts->plain ? 0 : DIGEST_SIZE;
    size_t size = facts->size > IMAGE_SIZE_MIN ? facts->size : IMAGE_SIZE_MIN;
    size_t summed = (size - tail + BLOCK - 1) / BLOCK * BLOCK; /* the checksum byte included */
    size_t data_end = summed - 4;
    if (summed + tail > capacity) {
        return 0;
    }

    memset(image, 0, summed);
    image[0] = 0xE9;
    image[1] = 1;
    image[2] = 2;    /* DIO */
    image[3] = 0x20; /* 4 MB at 40 MHz */
    put32(image + 4, ENTRY_ADDRESS);
    image[8] = 0xEE;
    put16(image + 12, facts->chip);
    put16(image + 17, 0xFFFF);
    image[23] = facts->plain ? 0 : 1;
    put32(image + HEADER_SIZE, LOAD_ADDRESS);
    put32(image + HEADER_SIZE + 4, (uint32_t)(data_end - HEADER_SIZE - SEGMENT_HEADER_SIZE));
    put_descriptor(image + HEADER_SIZE + SEGMENT_HEADER_SIZE, facts);
    put_payload(image, data_end, facts);

    uint8_t sum = 0xEF;
    for (size_t i = HEADER_SIZE + SEGMENT_HEADER_SIZE; i < data_end; i++) {
        sum ^= image[i];
    }
    image[summed - 1] = sum;

    if (!facts->plain) {
        br_sha256_context sha;
        br_sha256_init(&sha);
        br_sha256_update(&sha, image, summed);
        br_sha256_out(&sha, image + summed);
    }
    return summed + tail;
}

void table_make(uint8_t table[TABLE_SIZE], const struct table_row *row, size_t rows, bool md5)
{
    assert(rows < TABLE_SIZE / 32);
    memset(table, 0xFF, TABLE_SIZE);
    for (size_t i = 0; i < rows; i++) {
        uint8_t *p = table + 32 * i;
        memset(p, 0, 32);
        p[0] = 0xAA;
        p[1] = 0x50;
        p[2] = row[i].type;
        p[3] = row[i].subtype;
        put32(p + 4, row[i].offset);
        put32(p + 8, row[i].size);
        put_text(p + 12, 16, row[i].label);
        put32(p + 28, row[i].flags);
    }
    if (md5) {
        uint8_t *p = table + 32 * rows;
        br_md5_context context;
        p[0] = p[1] = 0xEB;
        br_md5_init(&context);
        br_md5_update(&context, table, 32 * rows);
        br_md5_out(&context, p + 16);
    }
}
