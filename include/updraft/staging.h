/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_STAGING_H
#define UPDRAFT_STAGING_H

/*
 * Devices with one place to run from. An update is put into a staging region, and a command is left
 * for the bootloader, which moves it at the next boot. No partition table is needed.
 *
 *     static const struct ota_staging staging = {
 *         .app = {0x10000, 0x80000}, .staging = {0x90000, 0x83000}, .swap = true,
 *         .way = &ota_staging_in_flash,
 *     };
 *     device.staging = &staging;
 *     err = ota_staging_open(&device);          in place of ota_device_open
 *
 * From there on all is as on a device with two slots: ota_update_begin … activate,
 * ota_slot_confirm, ota_slot_reject, ota_slot_is_on_trial and the rest of slot.h. Slot 0 is the
 * place to run from, slot 1 what lies in the staging region; slot 0 always runs. The bootloader's
 * side is staged_boot.h.
 *
 *                  app (slot 0)                     staging (slot 1)
 *     copy    [ running image      ...... ]   [ update        ......... | C ]
 *     swap    [ running image      ...... ]   [ S | update    ......... | C ]   before
 *             [ update             ...... ]   [ running image ..... | S | C ]   after
 *
 * C is the command: one sector, or as many as it takes to note how far a swap has come. S is spare:
 * one swap unit. Where `staging` begins within `app` the two share what the running image leaves
 * free.
 *
 *     copy     The new image is copied over the old one. There is no way back, but if the place to
 *              run from goes bad the copy is made again, as long as the update is still staged.
 *     swap     The two change places, each sector erased once. With device->rollback the new image
 *              runs on trial, and is swapped back if it does not confirm itself. The old image
 *              stays until the next update begins; ota_slot_set_boot(device, 1) swaps it back, too.
 *     data     Data partitions (`data`) are updated by a copy from the staging region, if they fit:
 *              the old content stands until the new one is whole. Else in place; then a note, which
 *              outlives any loss of power, says until it is done that the partition is incomplete.
 *
 * Power may fail at any time, also in the bootloader, and there as often as it likes: DESIGN.md,
 * "Staged copy", has the argument, docs/formats/staging.md the bytes.
 *
 * There is one staging region. While a command waits for the restart that carries it out, an update
 * for another target (data, then an app) is refused: OTA_ERR_RESTARTING; one for the same target
 * replaces it. Data can go in place meanwhile, if that is asked for (ota_update_options.in_place),
 * as an upgrade list of several items does. While the running image is on trial nothing can be
 * staged, since the image before it is there: OTA_ERR_UNCONFIRMED.
 */

#include <stdbool.h>
#include <stdint.h>

#include <updraft/device.h>
#include <updraft/error.h>
#include <updraft/layout.h>
#include <updraft/partition.h>

#define OTA_STAGING_DATA_MAX 32u /* data partitions of a layout */

/* How the command gets to the bootloader. */
struct ota_staging_way;

/* In the staging region: it stands until what it asks for is proven done. The usual one. */
extern const struct ota_staging_way ota_staging_in_flash;

/* A device's layout. All offsets and sizes are bytes, and multiples of the erase size. It is the
   same for the app and for its bootloader. */
struct ota_staging {
    struct ota_extent app;     /* the place to run from */
    struct ota_extent staging; /* ends outside of `app`, or where `app` does */
    uint32_t kept; /* bytes at the start of `app` that are the bootloader's own: images have such,
                           too, and they are not copied. 0: none. Not with `swap` */
    bool swap;     /* else copy. Not where app and staging share space */
    bool inflates; /* the bootloader does: gzip is staged as it comes (staged_gzip.h) */
    uint32_t swap_unit; /* bytes moved at a time: a power of two times the erase size; 0: chosen so
                           that spare and command together are smallest. Larger is faster on chips
                           with cheap block erases, and takes a larger spare */
    const struct ota_partition *data;  /* partitions that may be updated, by label; NULL: none */
    uint8_t data_count;                /* 0 to OTA_STAGING_DATA_MAX */
    const struct ota_staging_way *way; /* NULL in a bootloader, which gives no commands */
};

/* Checks the layout, reads the command, and fills in device->layout, without a partition table.
   Sets device->running_slot to 0. To be called again after a restart only. Returns OTA_OK;
   OTA_ERR_ARGUMENT for a layout that cannot be, OTA_ERR_BOUNDS for one that is not inside the
   flash; or the read's error. */
enum ota_err ota_staging_open(struct ota_device *device);

/* How an update of a target would be made. */
enum ota_staging_plan {
    OTA_STAGING_COPY,     /* staged, then copied */
    OTA_STAGING_SWAP,     /* staged, then swapped */
    OTA_STAGING_IN_PLACE, /* data that does not fit: written where it belongs at once */
};

/* Tells how an update of `size` bytes (OTA_SIZE_UNKNOWN: as large as may be) of the app (label
   NULL) or of a data partition would be made, and where its bytes would first be put: `*extent` has
   the offset on the flash, and how many bytes there is room for. Returns OTA_OK,
   OTA_ERR_NO_PARTITION, OTA_ERR_TOO_LARGE, or what reading the running image's length gave. */
enum ota_err ota_staging_plan(const struct ota_device *device, const char *label, uint32_t size,
                              enum ota_staging_plan *plan, struct ota_extent *extent);

/* What the staging region and the command in it are about. */
enum ota_staging_state {
    OTA_STAGING_IDLE,      /* there is no command */
    OTA_STAGING_WAITING,   /* the next boot begins what it asks for */
    OTA_STAGING_UNDER_WAY, /* the bootloader has begun, and goes on at each boot until it is done */
    OTA_STAGING_ON_TRIAL,  /* swapped: the new image must confirm itself */
    OTA_STAGING_DONE,      /* copied, or swapped and confirmed */
    OTA_STAGING_GOING_BACK, /* the bootloader swaps back */
    OTA_STAGING_REJECTED,   /* the new image rejected itself; it is, or will be, swapped back */
    OTA_STAGING_TAKEN_BACK, /* swapped back: not confirmed, or the app chose the old one */
    OTA_STAGING_REFUSED,    /* what is staged did not verify: nothing was done */
};

struct ota_staging_status {
    enum ota_staging_state state;
    bool is_data;             /* it is a data partition's content, else an app's */
    bool is_swap;             /* else a copy */
    bool is_compressed;       /* what is staged is gzip */
    struct ota_extent stored; /* what was staged: where its bytes begin, and how many there are */
    struct ota_extent destination; /* the app's place or the data partition */
    struct ota_extent spare;   /* of a device that swaps: the region's first unit, or the one behind
                                      the old image */
    struct ota_extent command; /* where C is */
    struct ota_extent notes;   /* before it: which data is incomplete. Of no size without data */
    uint32_t steps, steps_done; /* of a swap that is under way, or going back */
};

/* Reads the command (for tools, and for those who want to know). Needs no opened device but its
   flash and its staging. Returns OTA_OK or the read's error. */
enum ota_err ota_staging_read(const struct ota_device *device, struct ota_staging_status *status);

/* Tells in `*incomplete` whether a data partition was being written in place, or a bootloader was
   copying into it, when power or the flash failed, and has not been written whole since. Of a
   device with a partition table, or one that eboot boots, it is told by the mark that the update
   leaves in the partition's last sector (docs/formats/journal.md section 1), which an image that
   fills the partition overwrites at its end. Returns OTA_OK, OTA_ERR_NO_PARTITION or a read's
   error. */
enum ota_err ota_data_is_incomplete(const struct ota_device *device, const char *label,
                                    bool *incomplete);

#endif
