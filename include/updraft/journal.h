/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_JOURNAL_H
#define UPDRAFT_JOURNAL_H

/*
 * The resume journal: how far an update under way has come, kept in the last sector of the very
 * region that it writes, so that no partition is needed for it (docs/formats/journal.md).
 *
 * A header says which transfer this is; checkpoints follow it, each in program units of its own,
 * each with the first bytes of the digest of everything before its offset: MD5 if that is the
 * identity, else SHA-256. A checkpoint is only a claim: the update proves it by hashing what the
 * flash holds.
 *
 * The header is also the mark of an update under way, resumable or not: while the last sector is
 * blank, no update was cut short in this region.
 */

#include <stdbool.h>
#include <stdint.h>

#include <updraft/crypto.h>
#include <updraft/error.h>
#include <updraft/flash.h>

/* How a transfer is recognised as the same one. */
enum ota_identity_kind {
    OTA_IDENTITY_NONE = 0, /* not at all: such a transfer cannot be resumed */
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

/* "Everything before `offset` is written, and its digest begins with `proof`." */
struct ota_checkpoint {
    uint32_t offset;
    uint8_t proof[OTA_CHECKPOINT_PROOF_SIZE];
};

/* For `mode`: what is stored is what arrived. */
#define OTA_JOURNAL_AS_STORED 0xFFu

struct ota_journal {
    struct ota_region sector;     /* the last erase unit of the region */
    uint32_t start;               /* of the sector, in the region */
    uint32_t size;                /* of the transfer, bytes */
    struct ota_identity identity; /* of the transfer */
    uint8_t mode;                 /* OTA_JOURNAL_AS_STORED, or byte 2 as it arrived */
    struct ota_checkpoint last;   /* offset 0: none yet */
    uint32_t interval;            /* bytes between checkpoints: a multiple of the erase size */
    uint32_t seed;                /* of the checkpoints' CRC: they belong to this header alone */
    uint32_t next;                /* offset in the sector of the next checkpoint */
    bool open;                    /* there is a mark that ota_journal_end erases */
    bool resumable;               /* checkpoints are kept */
};

/* Tells whether a region has room for a mark: more than one sector. */
bool ota_journal_can_mark(const struct ota_region *region);

/* Tells in `*marked` whether the region's last sector is anything but blank: an update may have
   been cut short. True also where there is no room for a mark. Returns OTA_OK or the read's
   error. */
enum ota_err ota_journal_is_marked(const struct ota_region *region, bool *marked);

/* Tells in `*begun` whether the region's last sector begins with a header, resumable or not: an
   update was cut short, or is under way. Returns OTA_OK or the read's error. */
enum ota_err ota_journal_is_begun(const struct ota_region *region, bool *begun);

/* Erases the region's last sector and writes a header: the mark. `size` is the transfer's, or
   OTA_SIZE_UNKNOWN; checkpoints can be kept if it leaves the sector free, the identity is not
   OTA_IDENTITY_NONE and a checkpoint fits behind the header. Does nothing where there is no room.
   Returns OTA_OK or the flash's error. */
enum ota_err ota_journal_begin(struct ota_journal *journal, const struct ota_region *region,
                               uint32_t size, const struct ota_identity *identity);

/* As ota_journal_begin, for an image that is stored with another byte 2 than it arrived with
   (esp8266.h): `mode` is that which arrived, which checkpoints are of. */
enum ota_err ota_journal_begin_changed(struct ota_journal *journal, const struct ota_region *region,
                                       uint32_t size, const struct ota_identity *identity,
                                       uint8_t mode);

/* Finds the journal of an interrupted update: its size, its identity, its last checkpoint, and
   where to append. It is not `open` yet: whoever goes on with it sets that, when the region is such
   that the mark may go. Returns OTA_ERR_NO_DATA if there is none that can be resumed, or the read's
   error. */
enum ota_err ota_journal_open(struct ota_journal *journal, const struct ota_region *region);

/* Appends a checkpoint; does nothing when the sector is full. Returns OTA_OK or the flash's
   error. */
enum ota_err ota_journal_append(struct ota_journal *journal,
                                const struct ota_checkpoint *checkpoint);

/* Erases the journal, mark and all, if it is open, unless the `written` bytes of the region reach
   into its sector. Returns OTA_OK or the flash's error. */
enum ota_err ota_journal_end(struct ota_journal *journal, uint32_t written);

#endif
