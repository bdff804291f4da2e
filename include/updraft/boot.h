/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_BOOT_H
#define UPDRAFT_BOOT_H

/*
 * The bootloader's decision: from what the flash holds to the one image that runs, with the reasons
 * (docs/formats/otadata.md section 5). It proves every image before it chooses it, and writes only
 * the changes of state that the rules demand. It does not jump: that is the port's last step.
 *
 *     static struct ota_boot boot = { .device = &device };   (flash, crypto, chip, fuses filled in)
 *     static uint8_t buffer[1024];
 *     if (ota_boot_decide(&boot, buffer, sizeof buffer) == OTA_OK) run(boot.slot, &boot.region);
 *     else halt(boot.failure);
 */

#include <stdbool.h>
#include <stdint.h>

#include <updraft/device.h>
#include <updraft/otadata.h>

/* What happened on the way; `slot` and `failure` go with it where they have a meaning. */
enum ota_boot_event {
    OTA_BOOT_TABLE_BAD,     /* the partition table is not valid */
    OTA_BOOT_NO_OTADATA,    /* there is no otadata partition: the factory app it is */
    OTA_BOOT_OTADATA_BAD,   /* otadata is too small or cannot be read */
    OTA_BOOT_OTADATA_EMPTY, /* neither entry is valid */
    OTA_BOOT_TAKEN_BACK,    /* an image did not confirm itself: its entry became ABORTED */
    OTA_BOOT_SELECTED,      /* otadata selects this slot */
    OTA_BOOT_ON_TRIAL,      /* its entry was NEW and became PENDING_VERIFY */
    OTA_BOOT_BELOW_FLOOR,   /* an entry is passed over: its image's secure version is too low */
    OTA_BOOT_IMAGE_BAD,     /* this slot's image does not verify */
    OTA_BOOT_STATE_UNSAVED, /* a change of state could not be written: the slot is not booted on
                                trial, or the boot goes on as it stands */
    OTA_BOOT_ENTRY_WRITTEN, /* otadata was empty: an entry for this slot was written */
    OTA_BOOT_CHOSEN,        /* this slot runs */
    OTA_BOOT_NOTHING,       /* nothing is bootable */
};

struct ota_boot;

/* Called for each event, in order. */
typedef void ota_boot_event_fn(void *context, const struct ota_boot *boot,
                               enum ota_boot_event event, int slot, struct ota_failure failure);

struct ota_boot {
    /* The caller's part. `device` need not be opened: deciding opens it. */
    struct ota_device *device;
    bool test_app;               /* the test-app pin is held: boot only the test app */
    ota_boot_event_fn *on_event; /* NULL: none */
    void *context;

    /* The decision. */
    int slot;                     /* what runs, or OTA_SLOT_NONE */
    struct ota_region region;     /* where its image is */
    bool on_trial;                /* it must confirm itself before the next boot */
    struct ota_failure failure;   /* if nothing runs: the first cause */
    struct ota_image_check check; /* check.image: facts of the chosen image */

    /* Private. */
    bool initial;   /* otadata was never written: the slot that runs becomes its first entry */
    bool confirmed; /* the selected slot's image confirmed itself earlier */
};

/*
 * Decides. Opens `device` (its table and layout are then filled in), reads otadata, changes states,
 * proves images in the order of the rules until one verifies, and sets device->running_slot. Each
 * image is read at most once, through `buffer` (`buffer_size` bytes, at least 32).
 *
 * Returns OTA_OK; or OTA_ERR_NOTHING_BOOTABLE, or the error of a table that does not verify: then
 * stop and say so. Never loops.
 */
enum ota_err ota_boot_decide(struct ota_boot *boot, uint8_t *buffer, uint32_t buffer_size);

/* Returns an event's name in words, such as "image does not verify". */
const char *ota_boot_event_text(enum ota_boot_event event);

#endif
