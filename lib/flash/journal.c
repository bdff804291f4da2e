/* SPDX-License-Identifier: Apache-2.0 */
/* The resume journal. Every record has program units of its own and is written once, so that it
   needs nothing of the flash that NOR does not promise. */
#include "flash/journal_header.h"

#include "base/blank.h"
#include "base/bytes.h"
#include "base/mem.h"

/* Offsets in a checkpoint, docs/formats/journal.md section 3. */
#define CHECKPOINT_PROOF 4u
#define CHECKPOINT_CRC (CHECKPOINT_PROOF + OTA_CHECKPOINT_PROOF_SIZE)
#define CHECKPOINT_END (CHECKPOINT_CRC + 4u)

/* Nearer than this, checkpoints would cost more flash time than the transfer they save. */
#define INTERVAL_MIN 0x8000u

static uint32_t header_len(const struct ota_flash *flash)
{
    return ota__round_up(OTA__JOURNAL_HEADER, flash->write_size);
}

static uint32_t record_len(const struct ota_flash *flash)
{
    return ota__round_up(CHECKPOINT_END, flash->write_size);
}

bool ota_journal_can_mark(const struct ota_region *region)
{
    return region->size > region->flash->erase_size;
}

enum ota_err ota_journal_is_marked(const struct ota_region *region, bool *marked)
{
    uint32_t sector = region->flash->erase_size;
    bool blank = false;
    enum ota_err err = OTA_OK;

    if (ota_journal_can_mark(region)) {
        err = ota_region_is_blank(region, region->size - sector, sector, &blank);
    }
    *marked = !blank;
    return err;
}

/* Whether the transfer leaves the sector free, and the sector has room for a checkpoint. */
static bool has_room(const struct ota_journal *journal)
{
    const struct ota_flash *flash = journal->sector.flash;

    return journal->size <= journal->start &&
           header_len(flash) + record_len(flash) <= flash->erase_size;
}

static void journal_init(struct ota_journal *journal, const struct ota_region *region)
{
    uint32_t sector = region->flash->erase_size;

    memset(journal, 0, sizeof *journal);
    journal->start = region->size - sector;
    journal->sector.flash = region->flash;
    journal->sector.offset = region->offset + journal->start;
    journal->sector.size = sector;
}

/* Spreads the checkpoints so that a quarter of the room is left: those appended by later resumes
   lie closer. */
static uint32_t interval_for(const struct ota_flash *flash, uint32_t size)
{
    uint32_t room = (flash->erase_size - header_len(flash)) / record_len(flash);
    uint32_t planned = room - room / 4;
    uint32_t interval = size / planned + 1;

    return ota__round_up(ota__max(interval, INTERVAL_MIN), flash->erase_size);
}

enum ota_err ota_journal_begin(struct ota_journal *journal, const struct ota_region *region,
                               uint32_t size, const struct ota_identity *identity)
{
    return ota_journal_begin_changed(journal, region, size, identity, OTA_JOURNAL_AS_STORED);
}

enum ota_err ota_journal_begin_changed(struct ota_journal *journal, const struct ota_region *region,
                                       uint32_t size, const struct ota_identity *identity,
                                       uint8_t mode)
{
    uint8_t header[OTA_WRITE_SIZE_MAX];
    enum ota_err err;

    journal_init(journal, region);
    if (!ota_journal_can_mark(region)) {
        return OTA_OK;
    }
    journal->size = size;
    journal->identity = *identity;
    journal->resumable = identity->kind != OTA_IDENTITY_NONE && has_room(journal);
    journal->interval = journal->resumable ? interval_for(region->flash, size) : 0;
    journal->next = header_len(region->flash);

    memset(header, 0xFF, sizeof header);
    ota__put_le32(header, OTA__JOURNAL_MAGIC);
    header[OTA__JOURNAL_AT_VERSION] = OTA__JOURNAL_VERSION;
    header[OTA__JOURNAL_AT_KIND] = identity->kind;
    header[OTA__JOURNAL_AT_LEN] = identity->len;
    header[OTA__JOURNAL_AT_MODE] = mode;
    ota__put_le32(header + OTA__JOURNAL_AT_SIZE, size);
    memcpy(header + OTA__JOURNAL_AT_IDENTITY, identity->bytes, identity->len);
    journal->seed = ota_crc32(0, header, OTA__JOURNAL_AT_CRC);
    ota__put_le32(header + OTA__JOURNAL_AT_CRC, journal->seed);

    err = ota_region_erase(&journal->sector, 0, journal->sector.size);
    if (err == OTA_OK) {
        err = ota_region_write_verified(&journal->sector, 0, header, journal->next);
    }
    journal->open = err == OTA_OK;
    return err;
}

static bool header_decode(struct ota_journal *journal, const uint8_t *header)
{
    journal->identity.kind = header[OTA__JOURNAL_AT_KIND];
    journal->identity.len = header[OTA__JOURNAL_AT_LEN];
    journal->mode = header[OTA__JOURNAL_AT_MODE];
    journal->size = ota__get_le32(header + OTA__JOURNAL_AT_SIZE);
    journal->seed = ota__get_le32(header + OTA__JOURNAL_AT_CRC);
    memcpy(journal->identity.bytes, header + OTA__JOURNAL_AT_IDENTITY, OTA_IDENTITY_MAX);
    return ota__get_le32(header) == OTA__JOURNAL_MAGIC &&
           header[OTA__JOURNAL_AT_VERSION] == OTA__JOURNAL_VERSION &&
           ota_crc32(0, header, OTA__JOURNAL_AT_CRC) == journal->seed &&
           journal->identity.kind != OTA_IDENTITY_NONE &&
           journal->identity.len <= OTA_IDENTITY_MAX && has_room(journal);
}

static bool checkpoint_decode(const struct ota_journal *journal, const uint8_t *record,
                              struct ota_checkpoint *checkpoint)
{
    checkpoint->offset = ota__get_le32(record);
    memcpy(checkpoint->proof, record + CHECKPOINT_PROOF, OTA_CHECKPOINT_PROOF_SIZE);
    return checkpoint->offset <= journal->size &&
           ota_crc32(journal->seed, record, CHECKPOINT_CRC) ==
               ota__get_le32(record + CHECKPOINT_CRC);
}

/* Finds the last good checkpoint, and the place behind the last that was ever begun. */
static enum ota_err scan(struct ota_journal *journal)
{
    uint32_t stride = record_len(journal->sector.flash);
    uint32_t last_used = header_len(journal->sector.flash) - stride;
    uint32_t end = journal->sector.size - stride;

    for (uint32_t at = header_len(journal->sector.flash); at <= end; at += stride) {
        uint8_t record[CHECKPOINT_END];
        struct ota_checkpoint checkpoint;
        enum ota_err err = ota_region_read(&journal->sector, at, record, sizeof record);
        if (err != OTA_OK) {
            return err;
        }
        if (!ota__is_blank(record, sizeof record)) {
            last_used = at;
        }
        if (checkpoint_decode(journal, record, &checkpoint)) {
            journal->last = checkpoint;
        }
    }
    /* One place is left out: power may have failed before the first bit of a record there
       showed. */
    journal->next = last_used + 2 * stride;
    return OTA_OK;
}

enum ota_err ota_journal_open(struct ota_journal *journal, const struct ota_region *region)
{
    uint8_t header[OTA__JOURNAL_HEADER];
    enum ota_err err;

    journal_init(journal, region);
    if (!ota_journal_can_mark(region)) {
        return OTA_ERR_NO_DATA;
    }
    err = ota_region_read(&journal->sector, 0, header, sizeof header);
    if (err != OTA_OK) {
        return err;
    }
    if (!header_decode(journal, header)) {
        return OTA_ERR_NO_DATA;
    }
    journal->interval = interval_for(region->flash, journal->size);
    err = scan(journal);
    journal->resumable = err == OTA_OK;
    return err;
}

enum ota_err ota_journal_append(struct ota_journal *journal,
                                const struct ota_checkpoint *checkpoint)
{
    uint8_t record[OTA_WRITE_SIZE_MAX];
    uint32_t stride = record_len(journal->sector.flash);
    enum ota_err err;

    if (!journal->resumable || journal->next > journal->sector.size - stride) {
        return OTA_OK;
    }
    memset(record, 0xFF, sizeof record);
    ota__put_le32(record, checkpoint->offset);
    memcpy(record + CHECKPOINT_PROOF, checkpoint->proof, OTA_CHECKPOINT_PROOF_SIZE);
    ota__put_le32(record + CHECKPOINT_CRC, ota_crc32(journal->seed, record, CHECKPOINT_CRC));
    err = ota_region_write_verified(&journal->sector, journal->next, record, stride);
    if (err == OTA_OK) {
        journal->last = *checkpoint;
        journal->next += stride;
    }
    return err;
}

enum ota_err ota_journal_end(struct ota_journal *journal, uint32_t written)
{
    bool open = journal->open;

    journal->open = false;
    if (!open || written > journal->start) {
        return OTA_OK;
    }
    return ota_region_erase(&journal->sector, 0, journal->sector.size);
}
