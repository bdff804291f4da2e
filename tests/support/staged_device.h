/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SUPPORT_STAGED_DEVICE_H
#define SUPPORT_STAGED_DEVICE_H

/*
 * A device with one place to run from, its images, and all that happens to it: updates by the real
 * update, boots by the real bootloader.
 *
 *     set-up: staged_device_open(&device, &(struct staged_facts){.swap = true, .rollback = true});
 *     test:   assert_int_equal(staged_device_send_app(&device, 1), OTA_OK);
 *             assert_int_equal(staged_device_boot(&device), OTA_OK);
 *             assert_int_equal(staged_device_runs(&device), 1);
 *
 *     0x0000 (unused) | app | staging | fs, 2 sectors | big, more than can be staged
 */

#include <stdbool.h>
#include <stdint.h>

#include <updraft/slot.h>
#include <updraft/staged_boot.h>
#include <updraft/staged_gzip.h>
#include <updraft/staging.h>
#include <updraft/unwrap.h>
#include <updraft/update.h>

#include "support/images.h"
#include "support/ram_flash.h"

#define STAGED_SECTOR 4096u
#define STAGED_APP 0x1000u
#define STAGED_APP_SIZE 0x6000u
#define STAGED_STAGING (STAGED_APP + STAGED_APP_SIZE)
#define STAGED_STAGING_SIZE 0xB000u
#define STAGED_FS (STAGED_STAGING + STAGED_STAGING_SIZE)
#define STAGED_FS_SIZE 0x2000u
#define STAGED_BIG (STAGED_FS + STAGED_FS_SIZE)
#define STAGED_BIG_SIZE 0xB000u
#define STAGED_IMAGES 4
#define STAGED_IMAGE_MAX 0x6000u
#define STAGED_EVENTS 32

struct staged_facts {
    bool swap;
    bool rollback;
    bool shared; /* staging begins in the middle of the app's place */
    bool inflates;
    bool fuses;
    uint32_t kept;
    uint32_t write_size; /* 0: 1 */
    uint32_t sector;     /* 0: STAGED_SECTOR */
};

struct staged_image {
    uint8_t bytes[STAGED_IMAGE_MAX];
    uint32_t len;
};

struct staged_event {
    enum ota_boot_event event;
    int slot;
    enum ota_err err;
};

struct staged_fuses {
    struct ota_fuses fuses; /* first: the object gets itself back by a cast */
    uint32_t version;
};

struct staged_device {
    struct ram_flash *chip;
    struct ota_partition data[2];
    struct ota_staging staging;
    struct staged_fuses fuses;
    struct ota_device device;
    struct ota_update update;
    struct ota_update_options options; /* of the next update: to be changed by a test */
    struct ota_boot boot;
    struct ota_staged_inflate inflate;
    struct ota_staged_gzip gzip;
    struct ota_decoder *decoders[2];
    struct ota_unwrap unwrap;
    struct staged_image images[STAGED_IMAGES]; /* image n has version n.0.0, and secure version n */
    struct staged_event events[STAGED_EVENTS]; /* of the last boot */
    unsigned event_count;
    uint8_t buffer[STAGED_SECTOR];
    uint32_t boot_buffer_size; /* bytes of it that the bootloader gets; all at first */
    uint8_t window[OTA_WINDOW_GZIP];
};

/* Seals of a bootloader that find every image well signed. */
extern const struct ota_seals staged_seals;

/* Makes the device, with image 0 in its place. */
void staged_device_open(struct staged_device *device, const struct staged_facts *facts);

/* Fails the test if the chip's rules were broken, or a hash was left running. */
void staged_device_close(struct staged_device *device);

/* Opens the device as a firmware does after a restart, whatever comes of it; the options are as at
   first. */
void staged_device_restart(struct staged_device *device);

/* Makes an image anew, of about that many bytes. */
void staged_device_make_image(struct staged_device *device, int n, uint32_t len);

/* Sends bytes to the app or to a data partition, up to and with the activation; and an image.
   Return the first error. */
enum ota_err staged_device_send(struct staged_device *device, const char *label, const void *bytes,
                                uint32_t len);
enum ota_err staged_device_send_app(struct staged_device *device, int image);

/* Boots, and opens the device as the firmware that runs then does. Returns what ota_staged_boot
   does. */
enum ota_err staged_device_boot(struct staged_device *device);

/* Which image lies in the app's place; -1: none. */
int staged_device_runs(const struct staged_device *device);

/* Tells whether the last boot told of this; stores the error with it, if not NULL. */
bool staged_device_told(const struct staged_device *device, enum ota_boot_event event,
                        enum ota_err *err);

/* Reads what is staged and what becomes of it. */
struct ota_staging_status staged_device_status(const struct staged_device *device);

/* The state of what is staged, alone. */
enum ota_staging_state staged_device_state(const struct staged_device *device);

#endif
