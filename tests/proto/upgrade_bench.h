/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROTO_UPGRADE_BENCH_H
#define PROTO_UPGRADE_BENCH_H

/*
 * An upgrade list on a device made of RAM: a real intake and update, a clock that only the bench
 * moves, and sources in memory, found by a scheme of the bench's own ("mem:name").
 */

#include <updraft/gunzip.h>
#include <updraft/unwrap.h>
#include <updraft/upgrade_list.h>

#include "proto/ram_device.h"

#define BENCH_SOURCES_MAX 8
#define BENCH_IMAGE_SIZE 9000u
#define BENCH_TONE_MAX 4096u

/* What "mem:name" gives. */
struct bench_source {
    const char *name;
    const uint8_t *data;
    size_t len;
    bool hides_size;      /* says nothing of its length */
    uint32_t stated_size; /* says this in place of its length; 0: the truth */
    size_t piece;         /* bytes that a read gives at most; 0: as many as fit */
    size_t first;         /* bytes that the first read gives at most; 0: as the others */
    enum ota_err open_error;
    enum ota_err error; /* in place of its end */
    bool stalls;        /* in place of its end, nothing comes any more */

    /* What the bench saw. */
    unsigned opened, closed;
    size_t at;
    const char *ca_pem;
};

struct bench {
    struct ota_platform platform; /* first: a cast gets the bench back */
    struct ram_device ram;
    struct ota_intake intake;
    struct ota_gunzip_decoder gunzip;
    struct ota_decoder *decoders[2];
    struct ota_unwrap unwrap;
    struct ota_scheme scheme;
    struct ota_fetch fetch;
    struct bench_source *open; /* NULL: none */
    struct bench_source sources[BENCH_SOURCES_MAX];
    size_t source_count;
    struct ota_upgrade_item items[OTA_UPGRADE_ITEMS_MAX];
    struct ota_upgrade_list_options options;
    struct ota_upgrade_list list;
    uint32_t now;
    uint8_t buffer[4096], image[BENCH_IMAGE_SIZE + 64], tone[BENCH_TONE_MAX];
    size_t image_len, tone_len;
    uint8_t before[RAM_DEVICE_SIZE]; /* the flash as bench_remember_flash found it */
    char log[8192];
    char trace[2048]; /* events: "0:prepare 0:need 0:execute 0:finish 0=upgraded … end" */
    unsigned polls;
};

/* A set-up for cmocka: *state becomes a bench whose device runs 1.0.0 of project "test" from the
   factory app, with 1.1.0 in `image` and a tone image v1.0.1 in `tone`. */
int bench_set_up(void **state);

/* Adds a source, or an item; the item's defaults are the library's. */
struct bench_source *bench_add_source(struct bench *bench, const char *name, const void *data,
                                      size_t len);
struct ota_upgrade_item *bench_add_app(struct bench *bench, const char *uri);
struct ota_upgrade_item *bench_add_data(struct bench *bench, const char *uri);

/* Initialises the list anew and starts it. */
void bench_start(struct bench *bench);

/* Polls, moving the clock as far as each poll allows, until the list is through. */
void bench_run(struct bench *bench);
void bench_start_and_run(struct bench *bench);

/* Boots what the flash says, as the bootloader does, and confirms it. */
void bench_boot(struct bench *bench);

/* Makes a tone image of this format and version, with two files, in `tone`. */
void bench_make_tone(struct bench *bench, uint32_t format, const char *version,
                     const char *project);

/* Puts `tone` into the partition "storage". */
void bench_install_tone(struct bench *bench);

/* Makes an app of this project and version in `image`. */
void bench_make_image(struct bench *bench, const char *project, const char *version);

/* Makes the device one with one place to run from, before its first list: what was ota_0 and ota_1
   is where updates are staged, and swapped from. Boots it, as its bootloader does. */
void bench_stage(struct bench *bench);
void bench_boot_staged(struct bench *bench);

/* Gives the device a decoder of gzip. */
void bench_take_gzip(struct bench *bench);

/* Fail the test unless: the item had this outcome, error and reason; the flash is as remembered;
   "storage" begins with these bytes; the log has this in it. */
void bench_assert_result(const struct bench *bench, size_t item, enum ota_upgrade_outcome outcome,
                         enum ota_err err, int32_t reason);
void bench_remember_flash(struct bench *bench);
void bench_assert_flash_unchanged(const struct bench *bench);
void bench_assert_storage(const struct bench *bench, const void *data, size_t len);
void bench_assert_logged(const struct bench *bench, const char *text);

#endif
