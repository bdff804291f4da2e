/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_SLOT_H
#define UPDRAFT_SLOT_H

/*
 * Slots: which one boots, what is in each, and the life of an image after its update: on trial,
 * confirmed, or taken back. These are the calls of a running app (docs/formats/otadata.md
 * sections 6 and 7); the bootloader's side is boot.h.
 *
 *     if (ota_slot_is_on_trial(&device) && self_test_passed()) ota_slot_confirm(&device);
 *     else if (ota_slot_is_on_trial(&device)) { ota_slot_reject(&device); restart(); }
 */

#include <stdbool.h>

#include <updraft/device.h>
#include <updraft/otadata.h>

/* The OTA slot that the next update should go to: the one after the running one, round again from
   the last; the first if no OTA slot runs. OTA_SLOT_NONE if there is none but the running one. */
int ota_slot_next(const struct ota_device *device);

/* How many bytes the next update of the app may have; 0 if there can be none, or that cannot be
   told. */
uint32_t ota_slot_room(const struct ota_device *device);

/* The slot that otadata chooses, or, if it chooses none, what then boots: factory, the lowest OTA
   slot, the test app, in this order. It tells what is written, not what runs. Stores it in `*slot`
   (OTA_SLOT_NONE: nothing there). Returns OTA_ERR_NO_OTADATA or a read's error. */
enum ota_err ota_slot_boot(const struct ota_device *device, int *slot);

/* Stores in `*state` what otadata says of an OTA slot's image. Where both entries name it, the one
   with the larger sequence number counts. Returns OTA_ERR_ARGUMENT for a slot that is no OTA slot
   of the device, OTA_ERR_NO_ACTIVE_ENTRY if no entry names it, OTA_ERR_NO_OTADATA or a read's
   error. */
enum ota_err ota_slot_state(const struct ota_device *device, int slot, enum ota_image_state *state);

/* Reads the descriptor of the image in a slot, without proving it. Returns OTA_ERR_NO_PARTITION,
   OTA_ERR_IMAGE_MAGIC, OTA_ERR_IMAGE_DESCRIPTOR or a read's error. */
enum ota_err ota_slot_describe(const struct ota_device *device, int slot,
                               struct ota_app_descriptor *descriptor);

/* Proves the image in a slot, reading it once; facts and failure stay in `check`. Returns OTA_OK,
   the first failure, or OTA_ERR_NO_PARTITION. */
enum ota_err ota_slot_verify(const struct ota_device *device, int slot,
                             struct ota_image_check *check);

/* Makes a slot (OTA slot or OTA_SLOT_FACTORY) the one that boots, after proving its image. Factory:
   otadata is erased. Returns what ota_slot_verify returns, OTA_ERR_ARGUMENT for other slots,
   OTA_ERR_NO_OTADATA, or an error of the flash. Power may fail at any time: the old choice or the
   new one stands. */
enum ota_err ota_slot_set_boot(const struct ota_device *device, int slot);

/* Tells whether the running image is on trial: its entry is NEW or PENDING_VERIFY. False also where
   otadata cannot be read. */
bool ota_slot_is_on_trial(const struct ota_device *device);

/* Confirms the running image: its state becomes VALID (no write if it is) and the fuses' floor
   rises to its secure version. Returns OTA_ERR_NO_ACTIVE_ENTRY if otadata does not name the running
   slot (the factory app runs), OTA_ERR_NO_OTADATA, or an error of the flash or the fuses. */
enum ota_err ota_slot_confirm(const struct ota_device *device);

/* Tells whether another bootable image is there to go back to: the other entry's slot, or the
   factory app if that entry is not valid (never with fuses that have a floor). Returns OTA_OK,
   OTA_ERR_NO_ROLLBACK, or an error as ota_slot_confirm. */
enum ota_err ota_slot_can_roll_back(const struct ota_device *device);

/* Rejects the running image: its state becomes INVALID, so that the next boot takes the other one.
   The caller restarts. Returns what ota_slot_can_roll_back returns, before anything is changed. */
enum ota_err ota_slot_reject(const struct ota_device *device);

/* Erases the app of the entry that does not count, and that entry: the image before this one is
   gone for good. Returns OTA_ERR_NO_ACTIVE_ENTRY, OTA_ERR_NO_PARTITION if that entry names no slot,
   OTA_ERR_RUNNING_SLOT if it names the running one, or an error of the flash. */
enum ota_err ota_slot_erase_last(const struct ota_device *device);

/* Erases every otadata entry that names `slot`, which must not be the running one: called before
   the slot is overwritten, so that nothing boots or rolls back into what is half written. A choice
   of that slot that was not booted yet is withdrawn. Returns OTA_OK (also without otadata) or an
   error of the flash. */
enum ota_err ota_slot_forget(const struct ota_device *device, int slot);

/* Tells whether an image of this version (not empty) was rejected or taken back on this device, and
   still lies in its slot. Else a bad image would be fetched again for ever. */
bool ota_slot_was_rejected(const struct ota_device *device, const char *version);

#endif
