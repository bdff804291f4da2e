/* SPDX-License-Identifier: Apache-2.0 */
/* Voice-tone images, proven as they stream past: docs/formats/upgrade-list.md section 5.
 *
 *     HEADER -> [DESCRIPTION -> REST] -> ENTRY … -> DATA -> [TRAILER] -> END
 *
 * What is in brackets is of format 1 only. REST is the part of the description that says nothing.
 */
#include <updraft/tone.h>

#include <updraft/crypto.h>

#include "base/bytes.h"
#include "base/mem.h"

#define TAG 0x2053u
#define DESCRIPTION_MAGIC 0xF55F9876u
#define DESCRIPTION_KEPT 112u /* of its bytes, up to and with the date */
#define ENTRY_TAG 0x28u
#define TAIL 0xDFACu
#define CRC_SIZE 4u
#define TRAILER_SIZE 6u
#define PIECE 256u

enum stage {
    STAGE_HEADER = 0,
    STAGE_DESCRIPTION,
    STAGE_REST,
    STAGE_ENTRY,
    STAGE_DATA,
    STAGE_TRAILER,
    STAGE_END,
};

bool ota_tone_is(const void *data, size_t len)
{
    return len >= 2 && ota__get_le16(data) == TAG;
}

/* ---- The head -------------------------------------------------------------------------------- */

static enum ota_err decode_header(struct ota_tone_head *head, const uint8_t *bytes)
{
    memset(head, 0, sizeof *head);
    head->files = ota__get_le16(bytes + 2);
    head->format = ota__get_le32(bytes + 4);
    if (!ota_tone_is(bytes, OTA_TONE_HEADER_SIZE)) {
        return OTA_ERR_IMAGE_MAGIC;
    }
    if (head->format > 1) {
        return OTA_ERR_IMAGE_DESCRIPTOR;
    }
    return head->files <= OTA_TONE_FILES_MAX ? OTA_OK : OTA_ERR_IMAGE_SEGMENT_COUNT;
}

static enum ota_err decode_description(struct ota_tone_head *head, const uint8_t *bytes)
{
    if (ota__get_le32(bytes) != DESCRIPTION_MAGIC) {
        return OTA_ERR_IMAGE_MAGIC;
    }
    memcpy(head->version, bytes + 16, 32);
    memcpy(head->project, bytes + 48, 32);
    memcpy(head->time, bytes + 80, 16);
    memcpy(head->date, bytes + 96, 16);
    return OTA_OK;
}

enum ota_err ota_tone_head_decode(struct ota_tone_head *head, const void *data, size_t len)
{
    const uint8_t *bytes = data;

    memset(head, 0, sizeof *head);
    if (len < OTA_TONE_HEADER_SIZE) {
        return OTA_ERR_IMAGE_TRUNCATED;
    }
    enum ota_err err = decode_header(head, bytes);
    if (err != OTA_OK || head->format == 0) {
        return err;
    }
    return len < OTA_TONE_HEAD_SIZE ? OTA_ERR_IMAGE_TRUNCATED
                                    : decode_description(head, bytes + OTA_TONE_HEADER_SIZE);
}

/* ---- The check ------------------------------------------------------------------------------- */

static enum ota_err fail(struct ota_tone_check *check, enum ota_err err, uint32_t offset)
{
    check->failure.err = err;
    check->failure.offset = offset;
    return err;
}

static void enter(struct ota_tone_check *check, enum stage stage, uint32_t end)
{
    check->stage = (uint8_t)stage;
    check->stage_end = end;
    check->scratch_len = 0;
}

static void enter_data(struct ota_tone_check *check)
{
    check->size = check->data_end + (check->head.format == 1 ? TRAILER_SIZE : 0);
    enter(check, STAGE_DATA, check->data_end);
}

static void enter_entries(struct ota_tone_check *check)
{
    check->data_end = check->offset + check->head.files * OTA_TONE_ENTRY_SIZE;
    if (check->head.files == 0) {
        enter_data(check);
    } else {
        enter(check, STAGE_ENTRY, check->offset + OTA_TONE_ENTRY_SIZE);
    }
}

static void decode_entry(const uint8_t *bytes, struct ota_tone_file *file)
{
    file->type = bytes[2];
    file->address = ota__get_le32(bytes + 4);
    file->length = ota__get_le32(bytes + 8);
}

/* Files follow one another, so that one number tells where the image ends. */
static enum ota_err take_entry(struct ota_tone_check *check)
{
    const uint8_t *bytes = check->scratch;
    uint32_t offset = check->offset - OTA_TONE_ENTRY_SIZE;
    const uint32_t end_max = UINT32_MAX - TRAILER_SIZE - 3;
    struct ota_tone_file file;

    decode_entry(bytes, &file);
    if (bytes[0] != ENTRY_TAG || bytes[1] != (uint8_t)check->entry ||
        file.address < check->data_end || file.address > end_max ||
        file.length > end_max - file.address) {
        return fail(check, OTA_ERR_IMAGE_SEGMENT, offset);
    }
    check->data_end = ota__round_up(file.address + file.length, 4);
    check->entry++;
    if (check->entry == check->head.files) {
        enter_data(check);
    } else {
        enter(check, STAGE_ENTRY, check->offset + OTA_TONE_ENTRY_SIZE);
    }
    return OTA_OK;
}

static enum ota_err take_trailer(struct ota_tone_check *check)
{
    if (ota__get_le16(check->scratch + CRC_SIZE) != TAIL) {
        return fail(check, OTA_ERR_IMAGE_HASH, check->offset - TRAILER_SIZE + CRC_SIZE);
    }
    if (ota__get_le32(check->scratch) != check->crc) {
        return fail(check, OTA_ERR_IMAGE_HASH, check->offset - TRAILER_SIZE);
    }
    enter(check, STAGE_END, check->offset);
    return OTA_OK;
}

/* The present stage has all its bytes. */
static enum ota_err end_stage(struct ota_tone_check *check)
{
    enum ota_err err;

    switch (check->stage) {
    case STAGE_HEADER:
        err = decode_header(&check->head, check->scratch);
        if (err != OTA_OK) {
            return fail(check, err, 0);
        }
        if (check->head.format == 1) {
            enter(check, STAGE_DESCRIPTION, check->offset + DESCRIPTION_KEPT);
        } else {
            enter_entries(check);
        }
        return OTA_OK;
    case STAGE_DESCRIPTION:
        err = decode_description(&check->head, check->scratch);
        if (err != OTA_OK) {
            return fail(check, err, OTA_TONE_HEADER_SIZE);
        }
        enter(check, STAGE_REST, OTA_TONE_HEAD_SIZE);
        return OTA_OK;
    case STAGE_REST:
        enter_entries(check);
        return OTA_OK;
    case STAGE_ENTRY:
        return take_entry(check);
    case STAGE_DATA:
        enter(check, check->head.format == 1 ? STAGE_TRAILER : STAGE_END, check->size);
        return OTA_OK;
    default:
        return take_trailer(check);
    }
}

static bool is_judged_whole(uint8_t stage)
{
    return stage != STAGE_REST && stage != STAGE_DATA;
}

void ota_tone_check_begin(struct ota_tone_check *check)
{
    memset(check, 0, sizeof *check);
    enter(check, STAGE_HEADER, OTA_TONE_HEADER_SIZE);
}

enum ota_err ota_tone_check_write(struct ota_tone_check *check, const void *data, size_t len)
{
    const uint8_t *bytes = data;

    while (check->failure.err == OTA_OK && len > 0) {
        if (check->stage == STAGE_END) {
            return fail(check, OTA_ERR_TOO_LARGE, check->offset);
        }
        uint32_t left = check->stage_end - check->offset;
        uint32_t n = len < left ? (uint32_t)len : left;
        if (is_judged_whole(check->stage)) {
            memcpy(check->scratch + check->scratch_len, bytes, n);
            check->scratch_len = (uint8_t)(check->scratch_len + n);
        }
        if (check->stage != STAGE_TRAILER) {
            check->crc = ota_crc32(check->crc, bytes, n);
        }
        check->offset += n;
        bytes += n;
        len -= n;
        /* A stage without bytes (no data) ends with the one before it. */
        while (check->failure.err == OTA_OK && check->stage != STAGE_END &&
               check->offset == check->stage_end) {
            (void)end_stage(check);
        }
    }
    return check->failure.err;
}

enum ota_err ota_tone_check_finish(struct ota_tone_check *check)
{
    if (check->failure.err == OTA_OK && check->stage != STAGE_END) {
        return fail(check, OTA_ERR_IMAGE_TRUNCATED, check->offset);
    }
    return check->failure.err;
}

/* ---- In a partition -------------------------------------------------------------------------- */

enum ota_err ota_tone_verify(struct ota_tone_check *check, const struct ota_region *region)
{
    uint8_t piece[PIECE];
    enum ota_err err = OTA_OK;

    ota_tone_check_begin(check);
    while (err == OTA_OK && check->stage != STAGE_END && check->offset < region->size) {
        uint32_t n = ota__min(ota__min(PIECE, region->size - check->offset),
                              check->stage_end - check->offset);
        err = ota_region_read(region, check->offset, piece, n);
        if (err != OTA_OK) {
            return fail(check, err, check->offset);
        }
        err = ota_tone_check_write(check, piece, n);
    }
    return ota_tone_check_finish(check);
}

enum ota_err ota_tone_file(const struct ota_tone_head *head, const struct ota_region *region,
                           unsigned index, struct ota_tone_file *file)
{
    uint8_t entry[OTA_TONE_ENTRY_SIZE];
    uint32_t directory = head->format == 1 ? OTA_TONE_HEAD_SIZE : OTA_TONE_HEADER_SIZE;

    if (index >= head->files) {
        return OTA_ERR_ARGUMENT;
    }
    enum ota_err err =
        ota_region_read(region, directory + index * OTA_TONE_ENTRY_SIZE, entry, sizeof entry);
    if (err == OTA_OK) {
        decode_entry(entry, file);
    }
    return err;
}
