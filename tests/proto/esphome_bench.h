/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROTO_ESPHOME_BENCH_H
#define PROTO_ESPHOME_BENCH_H

/*
 * The two sides of the ESPHome protocol on a bench: a device made of RAM behind an intake, and a
 * host with an image in memory. Each is used alone against bytes that a test writes, or both
 * against each other.
 *
 *     esphome_make_image(bench, 9000);
 *     esphome_device_begin(bench);
 *     esphome_feed(bench, bytes, len, 1);
 *     assert_memory_equal(bench->said, …, bench->said_len);
 */

#include <updraft/esphome.h>
#include <updraft/esphome_host.h>

#include "proto/ram_device.h"

#define ESPHOME_IMAGE_MAX 40000u

struct esphome_bench {
    struct ram_device ram;
    uint8_t image[ESPHOME_IMAGE_MAX];
    size_t image_len;
    uint8_t md5[OTA_MD5_SIZE];
    uint32_t now;

    /* The device. */
    struct ota_intake intake;
    struct ota_esphome esphome;
    struct ota_esphome_options options;
    uint8_t buffer[4096];
    uint8_t random[OTA_SHA256_SIZE]; /* what its random numbers are; then counted up */
    enum ota_err random_error;
    uint8_t said[256]; /* what it has sent */
    size_t said_len;
    char events[16]; /* a letter for each */

    /* The host. */
    struct ota_esphome_host host;
    struct ota_esphome_host_options host_options;
    uint8_t host_random[OTA_SHA256_SIZE];
    enum ota_err source_error;
    uint8_t *sent; /* what it has sent: of ESPHOME_IMAGE_MAX + 256 bytes */
    size_t sent_len;
    char host_events[64];
};

/* A set-up function for cmocka: *state becomes a bench whose device has never been updated, with
   the smallest image there is. No password. */
int esphome_bench_set_up(void **state);
void esphome_bench_make(struct esphome_bench *bench);

/* Makes another image for it, its MD5, and gives both to the host. */
void esphome_make_image(struct esphome_bench *bench, uint32_t size);

/* Gives host and device this image. */
void esphome_use_image(struct esphome_bench *bench);

/* A connection to the device begins; nothing said yet. */
void esphome_device_begin(struct esphome_bench *bench);

/* Gives the device these bytes in pieces of `step` (0: all at once), and takes what it says after
   each, `capacity` bytes at a time. */
void esphome_feed(struct esphome_bench *bench, const void *data, size_t len, size_t step);
void esphome_take_said(struct esphome_bench *bench, size_t capacity);

/* Writes the host's bytes up to the image, without a password, into `bytes` and returns how
   many. */
size_t esphome_preamble(const struct esphome_bench *bench, uint8_t features, uint8_t bytes[64]);

/* The device has received the image, and it boots next. */
void esphome_assert_updated(const struct esphome_bench *bench);

/* The device failed: the last that it said is this byte, the intake is free, nothing boots anew. */
void esphome_assert_refused(const struct esphome_bench *bench, enum ota_err err, uint8_t answer);

/* The host begins, and takes what it wants to send into bench->sent, `capacity` bytes at a time. */
void esphome_host_begin(struct esphome_bench *bench);
void esphome_host_take(struct esphome_bench *bench, size_t capacity);

/* Carries bytes between both, pieces of at most `step` bytes, until neither has anything to say. */
void esphome_converse(struct esphome_bench *bench, size_t step);

#endif
