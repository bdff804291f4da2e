/* SPDX-License-Identifier: Apache-2.0 */
/* The command in the staging region: docs/formats/staging.md section 2. */
#include "format/staging.h"

#include "base/bytes.h"
#include "base/mem.h"

#define MAGIC 0x43445055u /* "UPDC" */
#define VERSION 1u

/* Offsets in the header. */
#define AT_VERSION 4u
#define AT_ACTION 5u
#define AT_FLAGS 6u
#define AT_STORED 8u
#define AT_DESTINATION 16u
#define AT_UNIT 24u
#define AT_DIGEST 28u
#define AT_CRC (AT_DIGEST + OTA_SHA256_SIZE)
#define HEADER (AT_CRC + 4u)

/* Behind it: all of these are blank, or the command is out of force. */
#define VOID_SIZE 16u

static uint32_t void_offset(const struct ota_flash *flash)
{
    return ota__round_up(HEADER, flash->write_size);
}

uint32_t ota__command_head(const struct ota_flash *flash)
{
    return void_offset(flash) + ota__round_up(VOID_SIZE, flash->write_size);
}

/* ---- Reading --------------------------------------------------------------------------------- */

static struct ota_extent get_extent(const uint8_t *bytes)
{
    struct ota_extent extent = {ota__get_le32(bytes), ota__get_le32(bytes + 4)};

    return extent;
}

static bool decode(struct ota__command *command, const uint8_t header[HEADER])
{
    command->action = header[AT_ACTION];
    command->flags = header[AT_FLAGS];
    command->stored = get_extent(header + AT_STORED);
    command->destination = get_extent(header + AT_DESTINATION);
    command->unit = ota__get_le32(header + AT_UNIT);
    memcpy(command->digest, header + AT_DIGEST, sizeof command->digest);
    return ota__get_le32(header) == MAGIC && header[AT_VERSION] == VERSION &&
           ota_crc32(0, header, AT_CRC) == ota__get_le32(header + AT_CRC);
}

static void take_note(void *context, uint16_t value)
{
    struct ota__command *command = context;

    if (value < OTA__NOTE_BEGUN) {
        command->steps = ota__max(command->steps, value + 1u);
    } else if (value < OTA__NOTE_STATE) {
        command->is_begun = true;
        command->units = value & (OTA__NOTE_STATE - OTA__NOTE_BEGUN - 1u);
    } else {
        unsigned state = value & (OTA__NOTE_STATE - OTA__NOTE_BEGUN - 1u);
        command->states = (uint8_t)(command->states | 1u << (state & 7u));
        command->trials = (uint8_t)(command->trials + (state == OTA__STATE_TRIAL));
    }
}

enum ota_err ota__command_read(struct ota__command *command, const struct ota_region *region)
{
    const struct ota_flash *flash = region->flash;
    uint32_t head = ota__command_head(flash);
    uint8_t header[HEADER];
    bool blank = false;
    enum ota_err err = ota_region_read(region, 0, header, sizeof header);

    memset(command, 0, sizeof *command);
    command->region = *region;
    if (err == OTA_OK && decode(command, header)) {
        err = ota_region_is_blank(region, void_offset(flash), head - void_offset(flash), &blank);
        command->is_there = err == OTA_OK && blank;
    }
    if (err == OTA_OK && command->is_there) {
        err = ota__log_read(&command->log, region, head, take_note, command);
    }
    return err;
}

/* ---- Writing --------------------------------------------------------------------------------- */

static void put_extent(uint8_t *bytes, const struct ota_extent *extent)
{
    ota__put_le32(bytes, extent->offset);
    ota__put_le32(bytes + 4, extent->size);
}

static void encode(const struct ota__command *command, uint8_t *header)
{
    ota__put_le32(header, MAGIC);
    header[AT_VERSION] = VERSION;
    header[AT_ACTION] = command->action;
    header[AT_FLAGS] = command->flags;
    put_extent(header + AT_STORED, &command->stored);
    put_extent(header + AT_DESTINATION, &command->destination);
    ota__put_le32(header + AT_UNIT, command->unit);
    memcpy(header + AT_DIGEST, command->digest, sizeof command->digest);
    ota__put_le32(header + AT_CRC, ota_crc32(0, header, AT_CRC));
}

/* Makes the region ready for a header. Its last sector, which has the mark of updates, was erased
   since the power came if it is blank; of the others nobody knows. */
static enum ota_err clear(const struct ota_region *region)
{
    uint32_t last = region->size - region->flash->erase_size;
    bool blank = false;
    enum ota_err err = OTA_OK;

    if (last > 0) {
        err = ota_region_erase(region, 0, last);
    }
    if (err == OTA_OK) {
        err = ota_region_is_blank(region, last, region->size - last, &blank);
    }
    return err == OTA_OK && !blank ? ota_region_erase(region, last, region->size - last) : err;
}

enum ota_err ota__command_write(struct ota__command *command)
{
    const struct ota_region *region = &command->region;
    uint8_t header[OTA_WRITE_SIZE_MAX];
    enum ota_err err = clear(region);

    memset(header, 0xFF, sizeof header);
    encode(command, header);
    return err == OTA_OK ? ota_region_write_verified(region, 0, header, void_offset(region->flash))
                         : err;
}

enum ota_err ota__command_withdraw(struct ota__command *command)
{
    const struct ota_region *region = &command->region;
    uint32_t offset = void_offset(region->flash);
    uint8_t zeros[OTA_WRITE_SIZE_MAX];
    enum ota_err err;

    if (!command->is_there) {
        return OTA_OK;
    }
    memset(zeros, 0, sizeof zeros);
    err =
        ota_region_write_verified(region, offset, zeros, ota__command_head(region->flash) - offset);
    if (err == OTA_OK) {
        command->is_there = false;
        err = ota_region_erase(region, 0, region->size);
    }
    return err;
}

enum ota_err ota__command_note(struct ota__command *command, uint16_t value)
{
    enum ota_err err = ota__log_append(&command->log, value);

    if (err == OTA_OK) {
        take_note(command, value);
    }
    return err;
}

enum ota_err ota__command_note_state(struct ota__command *command, enum ota__note_state state)
{
    return ota__command_note(command, (uint16_t)(OTA__NOTE_STATE + state));
}
