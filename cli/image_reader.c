/* SPDX-License-Identifier: Apache-2.0 */
/* Reading an image file once, from front to back: the library's check judges it, and what passes by
   is noted for people. */

#include "cli/image_reader.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <updraft/crypto.h>

#include "base/bytes.h"
#include "cli/files.h"
#include "cli/image_input.h"
#include "cli/image_names.h"
#include "cli/output.h"
#include "cli/progress.h"

#define CHUNK 65536u
#define KEPT 64u /* bytes of the chunk before, kept in front of each */
#define DESCRIPTOR_AT 32u

struct reader {
    struct image_report *report;
    struct image_input input;
    struct progress progress;
    struct ota_image_rules rules;
    struct ota_image_check check;
    uint8_t *memory; /* KEPT + CHUNK bytes */
    uint8_t *chunk;  /* behind the kept ones */
    size_t chunk_len;
    uint64_t chunk_start; /* offset of the chunk in the file */
    uint64_t digest_at;   /* where the appended SHA-256 begins, or 0 */
    bool over;            /* the check takes no more */

    /* What lies behind the image. */
    bool filler;
    uint8_t filler_byte;
    struct signature_reader signatures;
};

static void on_segment(void *context, unsigned index, uint32_t offset, uint32_t load_address,
                       uint32_t length)
{
    struct image_report *report = context;
    (void)index; /* begins anew in the second image of an Arduino file */
    if (report->segment_count < IMAGE_REPORT_SEGMENTS) {
        report->segments[report->segment_count++] =
            (struct image_report_segment){offset, load_address, length};
    }
}

/* Fills the chunk as far as the file goes. Returns false after a message. */
static bool read_chunk(struct reader *reader)
{
    if (reader->chunk_len > 0) {
        memmove(reader->memory, reader->memory + reader->chunk_len, KEPT);
        reader->chunk_start += reader->chunk_len;
    }
    reader->chunk_len = 0;
    while (reader->chunk_len < CHUNK) {
        size_t len;
        if (!image_input_read(&reader->input, reader->chunk + reader->chunk_len,
                              CHUNK - reader->chunk_len, &len)) {
            return false;
        }
        if (len == 0) {
            break;
        }
        reader->chunk_len += len;
    }
    progress_update(&reader->progress, reader->input.file.offset);
    return true;
}

static bool begin(struct reader *reader, const struct image_reading *reading)
{
    struct image_report *report = reader->report;
    const uint8_t *head = reader->chunk;
    memcpy(report->first, head, reader->chunk_len < 8 ? reader->chunk_len : 8);
    bool long_enough = reader->chunk_len >= DESCRIPTOR_AT + 4;
    bool app = long_enough && ota__get_le32(head + DESCRIPTOR_AT) == OTA_APP_DESCRIPTOR_MAGIC;
    bool bootloader = long_enough && head[DESCRIPTOR_AT] == 0x50;
    bool as_bootloader = reading->bootloader || (!app && (bootloader || reading->lenient));
    report->role = as_bootloader ? OTA_ROLE_BOOTLOADER : OTA_ROLE_APP;
    reader->rules = (struct ota_image_rules){
        .form = reading->form,
        .role = report->role,
        .chip = reading->chip,
        .size_max = UINT32_MAX,
        .secure_version_floor = reading->secure_version_floor,
        .allow_trailer = true,
        .on_segment = on_segment,
        .context = report,
    };
    return ota_image_check_begin(&reader->check, &reader->rules, &ota_crypto_psa) == OTA_OK;
}

/* The bytes of the file at `offset`, if they are among those in memory. */
static const uint8_t *bytes_at(const struct reader *reader, uint64_t offset, size_t len)
{
    uint64_t first = reader->chunk_start > KEPT ? reader->chunk_start - KEPT : 0;
    if (offset < first || offset + len > reader->chunk_start + reader->chunk_len) {
        return NULL;
    }
    return reader->chunk + ((int64_t)offset - (int64_t)reader->chunk_start);
}

/* Notes the checksum and what digest the image must have, when the check has just passed, or
   refused, the checksum. An Arduino file's last image counts. */
static void note_checksum(struct reader *reader)
{
    struct image_report *report = reader->report;
    const struct ota_image_check *check = &reader->check;
    bool wrong = check->failure.err == OTA_ERR_IMAGE_CHECKSUM;
    uint32_t end = wrong ? check->failure.offset + 1 : (check->image.data_end | 15) + 1;
    const uint8_t *stored = bytes_at(reader, end - 1, 1);
    if (reader->digest_at != 0 || stored == NULL) {
        return;
    }
    report->checksum_known = true;
    report->checksum_good = !wrong;
    report->checksum_stored = *stored;
    if (check->image.has_digest &&
        ota_image_check_digest(check, report->digest_computed) == OTA_OK) {
        reader->digest_at = end;
    }
}

static void note_digest(struct reader *reader)
{
    struct image_report *report = reader->report;
    const uint8_t *stored = NULL;
    if (reader->digest_at != 0 && !report->digest_known) {
        stored = bytes_at(reader, reader->digest_at, OTA_SHA256_SIZE);
    }
    if (stored != NULL) {
        report->digest_known = true;
        memcpy(report->digest_stored, stored, OTA_SHA256_SIZE);
        report->digest_good = memcmp(stored, report->digest_computed, OTA_SHA256_SIZE) == 0;
    }
}

/* Gives the chunk to the check, in pieces that end where the check judges, so that its state can be
   seen there. */
static void check_chunk(struct reader *reader)
{
    struct ota_image_check *check = &reader->check;
    size_t done = 0;
    while (done < reader->chunk_len && !reader->over) {
        uint32_t wanted = ota_image_check_wanted(check);
        size_t len = reader->chunk_len - done;
        if (wanted > 0 && wanted < len) {
            len = wanted;
        }
        /* The check counts in 32 bits; what lies further back is no part of any image. */
        if (reader->chunk_start + done + len > UINT32_MAX) {
            reader->over = true;
            break;
        }
        uint32_t data_end = check->image.data_end;
        reader->over = ota_image_check_write(check, reader->chunk + done, len) != OTA_OK;
        done += len;
        bool summed = check->image.data_end != 0 && check->image.data_end == data_end;
        if (summed || check->failure.err == OTA_ERR_IMAGE_CHECKSUM) {
            note_checksum(reader);
        }
    }
    /* The sketch of an Arduino file, which the check does not announce, passes in one piece. */
    if (check->image.data_end != 0 && check->failure.err == OTA_OK) {
        note_checksum(reader);
    }
    note_digest(reader);
}

/* --- behind the image ----------------------------------------------------------------------- */

static void watch_trailer(struct reader *reader)
{
    uint64_t length = reader->check.image.length;
    uint64_t end = reader->chunk_start + reader->chunk_len;
    if (length != 0) {
        signature_reader_image_ends(&reader->signatures, length,
                                    reader->check.image.form == OTA_IMAGE_ESP32);
    }
    signature_reader_take(&reader->signatures, reader->chunk, reader->chunk_len);
    if (length == 0 || end <= length) {
        return;
    }
    size_t start = length > reader->chunk_start ? (size_t)(length - reader->chunk_start) : 0;
    if (length >= reader->chunk_start) {
        reader->filler_byte = reader->chunk[start];
        reader->filler = reader->filler_byte == 0xFF || reader->filler_byte == 0;
    }
    for (size_t i = start; i < reader->chunk_len && reader->filler; i++) {
        reader->filler = reader->chunk[i] == reader->filler_byte;
    }
}

/* --- the whole ------------------------------------------------------------------------------ */

/* The part of a version 2 image that stays in flash, which is no segment to the check. Its header
   is at 8, and behind it lies the header of the version 1 image. */
static void add_flash_part(struct image_report *report)
{
    if (report->image.variant != OTA_VARIANT_V2 || report->segment_count == 0 ||
        report->segment_count == IMAGE_REPORT_SEGMENTS) {
        return;
    }
    memmove(report->segments + 1, report->segments,
            report->segment_count * sizeof(report->segments[0]));
    report->segments[0] =
        (struct image_report_segment){8, 0, report->segments[1].offset - 8 - 8 - 8};
    report->segment_count++;
}

/* One over the packed bytes counts before one over what they unpack to: it is what a device that
   holds its key looks for. */
static bool find_signature(struct reader *reader)
{
    struct image_report *report = reader->report;
    if (report->is_packed) {
        const bool good = image_input_signature(&reader->input, &report->signature);
        if (!good || report->signature.kind == SIGNATURE_ARDUINO) {
            return good;
        }
    }
    return signature_reader_find(&reader->signatures, &report->signature);
}

static int conclude(struct reader *reader)
{
    struct image_report *report = reader->report;
    struct ota_image_check *check = &reader->check;
    report->is_packed = reader->input.is_packed;
    report->packed_size = reader->input.file.offset;
    report->packed_trailer = reader->input.trailer;
    report->file_size = reader->chunk_start + reader->chunk_len;
    report->has_file_digest =
        !reader->over && ota_image_check_digest(check, report->file_digest) == OTA_OK;
    (void)ota_image_check_finish(check);
    report->image = check->image;
    report->failure = check->failure;
    report->chip = check->image.form == OTA_IMAGE_ESP32 ? check->image.chip_id : OTA_CHIP_ESP8266;
    add_flash_part(report);
    if (report->failure.err == OTA_OK) {
        report->trailer = report->file_size - report->image.length;
        report->trailer_is_filler = report->trailer > 0 && reader->filler;
        if (!find_signature(reader)) {
            return fail("%s: %s", report->name, ota_err_text(OTA_ERR_CRYPTO));
        }
    }
    return 0;
}

static int read_whole(struct reader *reader, const struct image_reading *reading)
{
    if (!read_chunk(reader)) {
        return 1;
    }
    if (reader->chunk_len == 0) {
        return fail("%s: is empty", reader->report->name);
    }
    if (!begin(reader, reading)) {
        return fail("%s: cannot be checked: %s", reader->report->name,
                    ota_err_text(reader->check.failure.err));
    }
    while (reader->chunk_len > 0) {
        check_chunk(reader);
        reader->report->image = reader->check.image;
        watch_trailer(reader);
        /* Of what is wrong in its structure the rest says nothing. */
        bool settled = reader->check.failure.err != OTA_OK &&
                       (reader->digest_at == 0 || reader->report->digest_known);
        if (settled || reader->chunk_len < CHUNK) {
            break;
        }
        if (!read_chunk(reader)) {
            ota_image_check_abort(&reader->check);
            return 1;
        }
    }
    return conclude(reader);
}

int image_read(const char *path, const struct image_reading *reading, struct image_report *report)
{
    *report = (struct image_report){
        .path = path, .name = files_name(path), .wanted_chip = reading->chip.id};
    struct reader *reader = output_allocate(sizeof(*reader));
    memset(reader, 0, sizeof(*reader));
    reader->report = report;
    int status = image_input_open(&reader->input, path, reading->rsa_len);
    if (status == 0) {
        reader->memory = output_allocate(KEPT + CHUNK);
        memset(reader->memory, 0, KEPT);
        reader->chunk = reader->memory + KEPT;
        signature_reader_begin(&reader->signatures);
        reader->signatures.rsa_len = reading->rsa_len;
        reader->input.unpack = reading->unpack;
        reader->input.progress = &reader->progress;
        progress_begin(&reader->progress, stderr, report->name, reader->input.file.size);
        status = read_whole(reader, reading);
        progress_end(&reader->progress);
        signature_reader_end(&reader->signatures);
        image_input_close(&reader->input);
        free(reader->memory);
    }
    free(reader);
    return status;
}
