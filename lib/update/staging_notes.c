/* SPDX-License-Identifier: Apache-2.0 */
/* Data partitions that are written in place: what tells an incomplete one, docs/formats/staging.md
   section 4. */
#include "update/staging_private.h"

#include "base/bytes.h"
#include "base/mem.h"

/* A note is a partition's number, twice, and whether its update ended. */
#define NOTE_ENDED 1u
#define NOTES_MAX OTA_STAGING_DATA_MAX

/* The first place of a half says how often they have taken turns. It is written last. */
#define TURN 0x7F00u
#define TURNS 4u

/* The partitions whose last note says that they are being written, a bit each. */
struct notes {
    struct ota_region halves[2];
    struct ota__log log; /* of the half in force */
    uint32_t begun;
    unsigned turn;
    bool is_there; /* else neither is in force */
};

static void take_note(void *context, uint16_t value)
{
    struct notes *notes = context;
    uint32_t bit = 1u << (value / 2 & (NOTES_MAX - 1));

    notes->begun = (value & NOTE_ENDED) != 0 ? notes->begun & ~bit : notes->begun | bit;
}

static enum ota_err find_halves(const struct ota_device *device, struct notes *notes)
{
    struct ota__staging_map map;
    enum ota_err err = ota__staging_map(device->staging, device->flash, &map);

    for (unsigned i = 0; err == OTA_OK && i < 2; i++) {
        const uint32_t half = map.notes.size / 2;
        err = ota_region_init(&notes->halves[i], device->flash, map.notes.offset + i * half, half);
    }
    return err;
}

/* Tells whether this half is in force, beside what was found before it. */
static enum ota_err read_turn(struct notes *notes, const struct ota_region *half, bool *in_force)
{
    uint8_t record[OTA__LOG_RECORD] = {0};
    enum ota_err err = ota_region_read(half, 0, record, sizeof record);
    const uint16_t value = ota__get_le16(record);
    const unsigned turn = value % TURNS;

    *in_force = err == OTA_OK && (value ^ ota__get_le16(record + 2)) == 0xFFFF &&
                value - turn == TURN && (!notes->is_there || turn == (notes->turn + 1) % TURNS);
    if (*in_force) {
        notes->is_there = true;
        notes->turn = turn;
    }
    return err;
}

static enum ota_err read_notes(const struct ota_device *device, struct notes *notes)
{
    const struct ota_region *half = NULL;
    enum ota_err err;

    memset(notes, 0, sizeof *notes);
    err = find_halves(device, notes);
    for (unsigned i = 0; err == OTA_OK && i < 2; i++) {
        bool in_force = false;
        err = read_turn(notes, &notes->halves[i], &in_force);
        half = in_force ? &notes->halves[i] : half;
    }
    return err == OTA_OK && half != NULL
               ? ota__log_read(&notes->log, half, ota__log_stride(device->flash), take_note, notes)
               : err;
}

/* Begins the other half, with what still holds. This one is in force until that is done, and is not
   erased before it is needed again. */
static enum ota_err start_anew(struct notes *notes)
{
    const bool is_second = notes->is_there && notes->log.region.offset == notes->halves[0].offset;
    struct ota__log *log = &notes->log;
    enum ota_err err;

    log->region = notes->halves[is_second ? 1 : 0];
    log->next = ota__log_stride(log->region.flash);
    err = ota_region_erase(&log->region, 0, log->region.size);
    for (unsigned i = 0; err == OTA_OK && i < NOTES_MAX; i++) {
        if ((notes->begun >> i & 1u) != 0) {
            err = ota__log_append(log, (uint16_t)(2 * i));
        }
    }
    log->next = 0;
    return err == OTA_OK ? ota__log_append(log, (uint16_t)(TURN + (notes->turn + 1) % TURNS)) : err;
}

enum ota_err ota__staging_note_data(const struct ota_device *device, uint32_t partition_offset,
                                    bool is_begun)
{
    const struct ota_staging *staging = device->staging;
    struct notes notes;
    unsigned i = 0;
    enum ota_err err = read_notes(device, &notes);

    while (i < staging->data_count && staging->data[i].offset != partition_offset) {
        i++;
    }
    if (err != OTA_OK || i == staging->data_count || (notes.begun >> i & 1u) == is_begun) {
        return err;
    }
    if (!notes.is_there || ota__log_room(&notes.log) == 0) {
        notes.begun ^= 1u << i;
        return start_anew(&notes);
    }
    return ota__log_append(&notes.log, (uint16_t)(2 * i + (is_begun ? 0 : NOTE_ENDED)));
}

/* A device with a partition table, or booted by eboot, has the mark of an update, and no more. */
static enum ota_err is_marked(const struct ota_device *device, const char *label, bool *marked)
{
    struct ota_partition partition;
    struct ota_region region = {.flash = device->flash};
    enum ota_err err =
        ota_partition_find(&device->table, OTA_PARTITION_DATA, OTA_SUBTYPE_ANY, label, &partition);

    if (err != OTA_OK) {
        return err;
    }
    region.offset = partition.offset;
    region.size = ota__round_down(partition.size, device->flash->erase_size);
    return ota_journal_is_begun(&region, marked);
}

/* A copy that has begun since, or has ended, is not in the notes yet. */
static enum ota_err check_copy(const struct ota_device *device, const struct ota_partition *data,
                               bool *incomplete)
{
    struct ota__staging_map map;
    struct ota__command command;
    enum ota_err err = ota__staging_load(device, &map, &command);

    if (err == OTA_OK && ota__staging_has_begun_data(&command) &&
        command.destination.offset == data->offset) {
        *incomplete = !ota__command_is(&command, OTA__STATE_PROVEN);
    }
    return err;
}

enum ota_err ota_data_is_incomplete(const struct ota_device *device, const char *label,
                                    bool *incomplete)
{
    const struct ota_staging *staging = device->staging;
    const struct ota_partition *data;
    struct notes notes;
    enum ota_err err;

    *incomplete = false;
    if (staging == NULL || !staging->way->keeps_notes) {
        return is_marked(device, label, incomplete);
    }
    data = ota__staging_partition(staging, label);
    if (data == NULL) {
        return OTA_ERR_NO_PARTITION;
    }
    err = read_notes(device, &notes);
    *incomplete = err == OTA_OK && (notes.begun >> (data - staging->data) & 1u) != 0;
    return err == OTA_OK ? check_copy(device, data, incomplete) : err;
}
