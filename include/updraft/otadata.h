/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_OTADATA_H
#define UPDRAFT_OTADATA_H

/*
 * otadata: the two little records that say which slot boots (docs/formats/otadata.md).
 *
 * Each lies in an erase unit of its own, so that one can be rewritten while the other stands. The
 * valid entry with the larger sequence number counts; its slot is (sequence - 1) mod N. Everything
 * here is in terms of what is stored; the policy of who may change what is in slot.h and boot.h.
 *
 *     struct ota_otadata otadata;
 *     ota_otadata_read(&otadata, &region);
 *     int active = ota_otadata_active(&otadata);
 *     if (active >= 0) slot = ota_otadata_slot(&otadata.entry[active], layout.ota_run);
 */

#include <stdbool.h>
#include <stdint.h>

#include <updraft/error.h>
#include <updraft/flash.h>

#define OTA_OTADATA_SIZE 0x2000u   /* of the partition, at the least */
#define OTA_OTADATA_ENTRY_SIZE 32u /* bytes of an entry */
#define OTA_OTADATA_ENTRIES 2

/* What is known of the image in an entry's slot. Stored; not covered by the CRC. */
enum ota_image_state {
    OTA_STATE_NEW = 0x0,              /* set to boot, not tried yet */
    OTA_STATE_PENDING_VERIFY = 0x1,   /* on trial: taken back unless confirmed */
    OTA_STATE_VALID = 0x2,            /* confirmed */
    OTA_STATE_INVALID = 0x3,          /* rejected by itself */
    OTA_STATE_ABORTED = 0x4,          /* did not confirm: taken back */
    OTA_STATE_UNDEFINED = 0xFFFFFFFF, /* written where trial boots are not in use */
};

struct ota_otadata_entry {
    uint32_t sequence; /* 0xFFFFFFFF: none */
    uint8_t label[20]; /* unused by the formats, kept as found; but see ota_otadata_trials */
    uint32_t state;    /* enum ota_image_state, or anything a torn write left */
    uint32_t crc;      /* over the sequence alone */
};

struct ota_otadata {
    struct ota_otadata_entry entry[OTA_OTADATA_ENTRIES];
};

/* Returns the CRC that belongs to a sequence number; for 1 it is 0x4743989A. */
uint32_t ota_otadata_crc(uint32_t sequence);

/* Tells whether the state is one of the six that exist. */
bool ota_image_state_is_known(uint32_t state);

/* Returns "new", "pending-verify", "valid", "invalid", "aborted", "undefined" or "torn". */
const char *ota_image_state_name(uint32_t state);

/* Tells whether the entry's number and CRC were ever completely written. */
bool ota_otadata_entry_is_written(const struct ota_otadata_entry *entry);

/* Tells whether the entry may choose a slot: written, and its state known and neither INVALID nor
   ABORTED. */
bool ota_otadata_entry_is_valid(const struct ota_otadata_entry *entry);

/* Returns the index of the entry that counts, 0 or 1, or -1 if none is valid. */
int ota_otadata_active(const struct ota_otadata *otadata);

/* Returns the slot an entry chooses among `slots` (> 0) of them. */
int ota_otadata_slot(const struct ota_otadata_entry *entry, unsigned slots);

/* How often the image was booted on trial: 0 for NEW; for PENDING_VERIFY what the entry's label
   holds of it, or 1. Of other states it says nothing. docs/formats/otadata.md section 3.1 */
unsigned ota_otadata_trials(const struct ota_otadata_entry *entry);
void ota_otadata_set_trials(struct ota_otadata_entry *entry, uint8_t trials);

/* Returns the smallest sequence number that chooses `slot` (< slots) and is not below `current`.
   0xFFFFFFFF, which no entry may have, stands for all numbers beyond. (That 0 itself
   chooses a slot, by wrapping round, is not used: numbers that are written begin at 1.) */
uint32_t ota_otadata_next_sequence(uint32_t current, unsigned slot, unsigned slots);

void ota_otadata_entry_decode(const uint8_t bytes[OTA_OTADATA_ENTRY_SIZE],
                              struct ota_otadata_entry *entry);
void ota_otadata_entry_encode(const struct ota_otadata_entry *entry,
                              uint8_t bytes[OTA_OTADATA_ENTRY_SIZE]);

/* Reads both entries from the otadata partition. Returns OTA_ERR_NO_OTADATA if the region cannot
   hold two entries in erase units of their own, or the read's error. */
enum ota_err ota_otadata_read(struct ota_otadata *otadata, const struct ota_region *region);

/* Erases the unit of entry `index` and writes `entry` there as it is, CRC included; the other entry
   is not touched. If power fails in between, the entry reads as not valid. Returns
   OTA_ERR_NO_OTADATA, or an error of the flash. */
enum ota_err ota_otadata_write(const struct ota_region *region, int index,
                               const struct ota_otadata_entry *entry);

/* Erases entry `index` and all up to the other entry or the end: both erased are a factory reset.
   Returns as above. */
enum ota_err ota_otadata_erase(const struct ota_region *region, int index);

/* Returns where entry `index` begins in the partition: max(0x1000, erase size) apart. */
uint32_t ota_otadata_entry_offset(const struct ota_region *region, int index);

/*
 * Computes how otadata must change so that `slot` of `slots` boots: which entry to write (`*index`)
 * and with what (`*entry`); nothing is written. The state becomes NEW with `trial`, else UNDEFINED.
 * The entry that counts now is left alone unless it already names the slot. Returns
 * OTA_ERR_ARGUMENT if slot is not below slots, OTA_ERR_STATE if no sequence number is left (erase
 * otadata). docs/formats/otadata.md section 6.
 */
enum ota_err ota_otadata_select(const struct ota_otadata *otadata, int slot, unsigned slots,
                                bool trial, int *index, struct ota_otadata_entry *entry);

#endif
