/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BOOT_SELECT_H
#define BOOT_SELECT_H

/* From otadata to the slot at which the search for a bootable image starts. */

#include <updraft/boot.h>

/* Reports an event to the caller's function, if there is one. */
void ota__boot_report(const struct ota_boot *boot, enum ota_boot_event event, int slot,
                      enum ota_err err, uint32_t offset);

/* The same of what has no offset. */
void ota__boot_tell(const struct ota_boot *boot, enum ota_boot_event event, int slot,
                    enum ota_err err);

/* Raises the fuses' floor to the version of the image that runs: proven in this boot, and confirmed
   before. Fuses cannot be taken back, so what is merely stated in the flash never gets there. */
void ota__boot_raise_floor(const struct ota_boot *boot);

/* Decides that nothing runs. Returns `err`, which is the cause if none was kept before. */
enum ota_err ota__boot_stop(struct ota_boot *boot, enum ota_err err);

/*
 * Selects: docs/formats/otadata.md section 5.1. Changes states in otadata as it says. Stores the
 * slot (0 to 15 or OTA_SLOT_FACTORY) and sets boot->initial, boot->on_trial and boot->confirmed.
 * Returns OTA_OK, or the cause why otadata cannot be used at all.
 */
enum ota_err ota__boot_select(struct ota_boot *boot, int *slot);

/* Writes the first entry of an otadata that had none: `slot` runs. */
void ota__boot_write_first_entry(struct ota_boot *boot, int slot);

#endif
