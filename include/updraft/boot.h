/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_BOOT_H
#define UPDRAFT_BOOT_H

/*
 * The bootloader's decision: from what the flash holds to the one image that runs, with the reasons
 * (docs/formats/otadata.md section 5). It proves every image before it chooses it, and writes only
 * the changes of state that the rules demand. It does not jump: that is the port's last step.
 *
 *     static struct ota_boot boot = { .device = &device, .read = ota_image_read };
 *     static uint8_t buffer[1024];
 *     if (ota_boot_decide(&boot, buffer, sizeof buffer) == OTA_OK && ota_boot_is_proven(&boot))
 *         run(boot.slot, &boot.region);
 *     else halt(boot.failure);
 *
 * `device` has its flash, crypto, chip and fuses filled in.
 *
 * If the device's trust is `at_boot`, an image runs only if one of its seals is by a trusted key
 * (trust.h). That decision is made so that a processor which passes over an instruction or a few,
 * once, because someone disturbs its supply, does not run another image: the seals are asked
 * twice, each step leaves its trace, and the traces are added up before the image is given away.
 * ota_boot_is_proven and ota_boot_is_sealed add them up once more, for the port to ask just before
 * it jumps. Such a processor may also jump to where the flash was read to: let the buffer begin at
 * an even address if it runs Thumb code, and forbid code in RAM if the chip can.
 */

#include <stdbool.h>
#include <stdint.h>

#include <updraft/device.h>
#include <updraft/otadata.h>
#include <updraft/trust.h>

/* What happened on the way; `slot` and `failure` go with it where they have a meaning. */
enum ota_boot_event {
    OTA_BOOT_TABLE_BAD,     /* the partition table is not valid */
    OTA_BOOT_NO_OTADATA,    /* there is no otadata partition: the factory app it is */
    OTA_BOOT_OTADATA_BAD,   /* otadata is too small or cannot be read */
    OTA_BOOT_OTADATA_EMPTY, /* neither entry is valid */
    OTA_BOOT_TAKEN_BACK,    /* an image did not confirm itself: its entry became ABORTED */
    OTA_BOOT_SELECTED,      /* otadata selects this slot */
    OTA_BOOT_ON_TRIAL,    /* its entry was NEW and became PENDING_VERIFY; or it was that, and boots
                               once more (trial_boot) */
    OTA_BOOT_BELOW_FLOOR, /* an entry is passed over: its image's secure version is too low */
    OTA_BOOT_IMAGE_BAD,   /* this slot's image does not verify, or is not signed as it should be */
    OTA_BOOT_SIGNATURE_BAD, /* it is not signed as it should be, which this device only reports */
    OTA_BOOT_STATE_UNSAVED, /* a change of state could not be written: the slot is not booted on
                                trial, or the boot goes on as it stands */
    OTA_BOOT_ENTRY_WRITTEN, /* otadata was empty: an entry for this slot was written */
    OTA_BOOT_REFUSED,       /* what is staged does not verify: it is not looked at again */
    OTA_BOOT_STOPPED,       /* moving what is staged could not go on: it does at the next boot */
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
    ota_image_read_fn *read; /* how images are proven: ota_image_read, which knows all forms; or
                                ota_image_read_plain, which is smaller. NULL: none verifies */
    bool test_app;           /* the test-app pin is held: boot only the test app */
    uint8_t trial_boots;     /* how often an image boots that has not confirmed itself, before it is
                            taken back; 0 and 1: once, as in the original */
    ota_boot_event_fn *on_event; /* NULL: none */
    void *context;

    /* The decision. */
    int slot;                 /* what runs, or OTA_SLOT_NONE */
    struct ota_region region; /* where its image is */
    bool on_trial;            /* it must confirm itself, before the last of its trial boots ends */
    uint8_t trial_boot;       /* with on_trial: which one this is, from 1 */
    struct ota_failure failure;            /* if nothing runs: the first cause */
    struct ota_image_check check;          /* check.image: facts of the chosen image */
    struct ota_signature_report signature; /* of the chosen image, where the trust is at_boot */

    /* Private. */
    volatile uint32_t proof; /* traces of the steps that were taken */
    bool initial;   /* otadata was never written: the slot that runs becomes its first entry */
    bool confirmed; /* the selected slot's image confirmed itself earlier */
};

/*
 * Decides. Opens `device` (its table and layout are then filled in), reads otadata, changes states,
 * proves images in the order of the rules until one verifies, and sets device->running_slot. Each
 * image is read at most once, through `buffer` (`buffer_size` bytes, at least 32, and what the
 * seals want); where there are keys on P-384, and its signature is by none of the others, twice
 * more: each time that the seals are asked, for SHA-384.
 *
 * Returns OTA_OK; or OTA_ERR_NOTHING_BOOTABLE, or the error of a table that does not verify: then
 * stop and say so. Never loops.
 */
enum ota_err ota_boot_decide(struct ota_boot *boot, uint8_t *buffer, uint32_t buffer_size);

/* Whether the chosen image went through all that this device demands. */
bool ota_boot_is_proven(const struct ota_boot *boot);

/* Whether it is signed by a trusted key. A bootloader that runs no other asks this instead: it
   holds, too, if what the device demands was lost on the way from the program to the memory. With a
   trust that only reports, it says only that the seals were asked. */
bool ota_boot_is_sealed(const struct ota_boot *boot);

/* Returns an event's name in words, such as "image does not verify". */
const char *ota_boot_event_text(enum ota_boot_event event);

#endif
