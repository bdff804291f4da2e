/* SPDX-License-Identifier: Apache-2.0 */
/* otadata's two entries: what they mean and how they are rewritten. docs/formats/otadata.md */
#include <updraft/crypto.h>
#include <updraft/otadata.h>

#include "base/bytes.h"
#include "base/mem.h"

#define NO_SEQUENCE 0xFFFFFFFFu
#define ENTRY_DISTANCE 0x1000u

/* Offsets in an entry, docs/formats/otadata.md section 1. */
#define ENTRY_LABEL 4u
#define ENTRY_STATE 24u
#define ENTRY_CRC 28u

uint32_t ota_otadata_crc(uint32_t sequence)
{
    uint8_t bytes[4];

    ota__put_le32(bytes, sequence);
    return ota_crc32(0xFFFFFFFF, bytes, sizeof bytes);
}

bool ota_image_state_is_known(uint32_t state)
{
    return state <= OTA_STATE_ABORTED || state == OTA_STATE_UNDEFINED;
}

bool ota_otadata_entry_is_written(const struct ota_otadata_entry *entry)
{
    return entry->sequence != NO_SEQUENCE && entry->crc == ota_otadata_crc(entry->sequence);
}

bool ota_otadata_entry_is_valid(const struct ota_otadata_entry *entry)
{
    return ota_otadata_entry_is_written(entry) && ota_image_state_is_known(entry->state) &&
           entry->state != OTA_STATE_INVALID && entry->state != OTA_STATE_ABORTED;
}

int ota_otadata_active(const struct ota_otadata *otadata)
{
    const struct ota_otadata_entry *entry = otadata->entry;
    bool first = ota_otadata_entry_is_valid(&entry[0]);
    bool second = ota_otadata_entry_is_valid(&entry[1]);

    if (first && (!second || entry[0].sequence >= entry[1].sequence)) {
        return 0;
    }
    return second ? 1 : -1;
}

int ota_otadata_slot(const struct ota_otadata_entry *entry, unsigned slots)
{
    return (int)((entry->sequence - 1) % slots);
}

/* The count and its complement, so that no other label passes for one. */
unsigned ota_otadata_trials(const struct ota_otadata_entry *entry)
{
    if (entry->state == OTA_STATE_NEW) {
        return 0;
    }
    return (entry->label[0] ^ entry->label[1]) == 0xFF ? entry->label[0] : 1;
}

void ota_otadata_set_trials(struct ota_otadata_entry *entry, uint8_t trials)
{
    entry->label[0] = trials;
    entry->label[1] = (uint8_t)~trials;
}

uint32_t ota_otadata_next_sequence(uint32_t current, unsigned slot, unsigned slots)
{
    uint32_t first = ota__max(current, 1); /* 0 does not count in step with the others */
    uint32_t residue = (slot + 1) % slots;
    uint32_t step = (residue + slots - first % slots) % slots;

    return step >= NO_SEQUENCE - first ? NO_SEQUENCE : first + step;
}

void ota_otadata_entry_decode(const uint8_t bytes[OTA_OTADATA_ENTRY_SIZE],
                              struct ota_otadata_entry *entry)
{
    entry->sequence = ota__get_le32(bytes);
    memcpy(entry->label, bytes + ENTRY_LABEL, sizeof entry->label);
    entry->state = ota__get_le32(bytes + ENTRY_STATE);
    entry->crc = ota__get_le32(bytes + ENTRY_CRC);
}

void ota_otadata_entry_encode(const struct ota_otadata_entry *entry,
                              uint8_t bytes[OTA_OTADATA_ENTRY_SIZE])
{
    ota__put_le32(bytes, entry->sequence);
    memcpy(bytes + ENTRY_LABEL, entry->label, sizeof entry->label);
    ota__put_le32(bytes + ENTRY_STATE, entry->state);
    ota__put_le32(bytes + ENTRY_CRC, entry->crc);
}

static uint32_t distance(const struct ota_region *region)
{
    return ota__max(ENTRY_DISTANCE, region->flash->erase_size);
}

uint32_t ota_otadata_entry_offset(const struct ota_region *region, int index)
{
    return index == 0 ? 0 : distance(region);
}

static bool has_room(const struct ota_region *region)
{
    return region->size / 2 >= distance(region);
}

enum ota_err ota_otadata_read(struct ota_otadata *otadata, const struct ota_region *region)
{
    if (!has_room(region)) {
        return OTA_ERR_NO_OTADATA;
    }
    for (int i = 0; i < OTA_OTADATA_ENTRIES; i++) {
        uint8_t bytes[OTA_OTADATA_ENTRY_SIZE];
        enum ota_err err =
            ota_region_read(region, ota_otadata_entry_offset(region, i), bytes, sizeof bytes);
        if (err != OTA_OK) {
            return err;
        }
        ota_otadata_entry_decode(bytes, &otadata->entry[i]);
    }
    return OTA_OK;
}

enum ota_err ota_otadata_erase(const struct ota_region *region, int index)
{
    if (!has_room(region)) {
        return OTA_ERR_NO_OTADATA;
    }
    return ota_region_erase(region, ota_otadata_entry_offset(region, index), distance(region));
}

enum ota_err ota_otadata_write(const struct ota_region *region, int index,
                               const struct ota_otadata_entry *entry)
{
    uint8_t bytes[OTA_WRITE_SIZE_MAX];
    uint32_t len = ota__round_up(OTA_OTADATA_ENTRY_SIZE, region->flash->write_size);
    uint32_t offset = ota_otadata_entry_offset(region, index);
    enum ota_err err;

    if (!has_room(region)) {
        return OTA_ERR_NO_OTADATA;
    }
    /* Nobody looks at what follows the entry: one unit is enough. */
    err = ota_region_erase(region, offset, ota__round_up(len, region->flash->erase_size));
    if (err != OTA_OK) {
        return err;
    }
    memset(bytes, 0xFF, sizeof bytes);
    ota_otadata_entry_encode(entry, bytes);
    return ota_region_write_verified(region, offset, bytes, len);
}

enum ota_err ota_otadata_select(const struct ota_otadata *otadata, int slot, unsigned slots,
                                bool trial, int *index, struct ota_otadata_entry *entry)
{
    int active = ota_otadata_active(otadata);
    uint32_t sequence = (uint32_t)slot + 1;

    if (slot < 0 || (unsigned)slot >= slots) {
        return OTA_ERR_ARGUMENT;
    }
    *index = 0;
    if (active >= 0) {
        const struct ota_otadata_entry *current = &otadata->entry[active];
        bool same = ota_otadata_slot(current, slots) == slot;
        *index = same ? active : 1 - active;
        sequence = same ? current->sequence
                        : ota_otadata_next_sequence(current->sequence, (unsigned)slot, slots);
    }
    if (sequence == NO_SEQUENCE) {
        return OTA_ERR_STATE;
    }
    *entry = otadata->entry[*index];
    entry->sequence = sequence;
    entry->state = trial ? OTA_STATE_NEW : OTA_STATE_UNDEFINED;
    entry->crc = ota_otadata_crc(sequence);
    return OTA_OK;
}
