/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_JOURNAL_H
#define UPDRAFT_JOURNAL_H

/*
 * The resume journal: how far an update under way has come, kept in the last sector of the very
 * region that it writes, so that no partition is needed for it (docs/formats/journal.md).
 *
 * A header says which transfer this is; checkpoints follow it, each in program units of its own, each
 * with the first bytes of the SHA-256 of everything before its offset. A checkpoint is only a claim:
 * the update proves it by hashing what the flash holds.
 */

#include <stdbool.h>
#include <stdint.h>

#include <updraft/crypto.h>
#include <updraft/error.h>
#include <updraft/flash.h>

/* How a transfer is recognised as the same one. */
enum ota_identity_kind {
    OTA_IDENTITY_NONE = 0,
    OTA_IDENTITY_SHA256 = 1,
    OTA_IDENTITY_MD5 = 2,
    OTA_IDENTITY_ETAG = 3, /* an HTTP entity tag, as the server spells it; weak ones do not count */
};

#define OTA_IDENTITY_MAX 64u

struct ota_identity {
    uint8_t kind; /* enum ota_identity_kind */
    uint8_t len;  /* of bytes: 32, 16, or the tag's */
    uint8_t bytes[OTA_IDENTITY_MAX];
};

/* Tell whether two identities are the same transfer; make one from a digest or an entity tag. A tag
   that is weak, empty or longer than OTA_IDENTITY_MAX makes OTA_IDENTITY_NONE. */
bool ota_identity_equal(const struct ota_identity *a, const struct ota_identity *b);
struct ota_identity ota_identity_from_digest(const struct ota_digest *digest);
struct ota_identity ota_identity_from_etag(const char *etag);

#define OTA_CHECKPOINT_PROOF_SIZE 8u

/* "Everything before `offset` is written, and its SHA-256 begins with `proof`." */
struct ota_checkpoint {
    uint32_t offset;
    uint8_t proof[OTA_CHECKPOINT_PROOF_SIZE];
};

struct ota_journal {
    struct ota_region sector; /* the last erase unit of the region */
    uint32_t size;            /* of the transfer, bytes */
    struct ota_identity identity;
    struct ota_checkpoint last; /* offset 0: none yet */
    uint32_t interval;          /* bytes between checkpoints: a multiple of the erase size */
    uint32_t seed;              /* of the checkpoints' CRC: they belong to this header alone */
    uint32_t next;              /* offset in the sector of the next checkpoint */
    bool open;
};

/* Tells whether a journal can be kept: the transfer leaves the region's last sector free, and that
   sector has room for a header and a checkpoint. */
bool ota_journal_fits(const struct ota_region *region, uint32_t size);

/* Erases the region's last sector and writes a header. Returns OTA_ERR_BOUNDS if it does not fit, or
   the flash's error. */
enum ota_err ota_journal_begin(struct ota_journal *journal, const struct ota_region *region,
                               uint32_t size, const struct ota_identity *identity);

/* Finds the journal of an interrupted update: its size, its identity, its last checkpoint, and where
   to append. Returns OTA_ERR_NO_DATA if there is none, or the read's error. */
enum ota_err ota_journal_open(struct ota_journal *journal, const struct ota_region *region);

/* Appends a checkpoint; does nothing when the sector is full. Returns OTA_OK or the flash's error. */
enum ota_err ota_journal_append(struct ota_journal *journal,
                                const struct ota_checkpoint *checkpoint);

/* Erases the journal if it is open. Returns OTA_OK or the flash's error. */
enum ota_err ota_journal_end(struct ota_journal *journal);

#endif
