/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPDRAFT_TONE_H
#define UPDRAFT_TONE_H

/*
 * Voice-tone images (docs/formats/upgrade-list.md section 5): sounds for a data partition, with a
 * header that names their version. A check proves one while its bytes stream past; what lies in a
 * partition already is proven and read in place.
 *
 *     struct ota_tone_check check;
 *     ota_tone_check_begin(&check);
 *     while (more) err = ota_tone_check_write(&check, data, len);
 *     err = ota_tone_check_finish(&check);
 *     if (err == OTA_OK) use check.head; else report check.failure;
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <updraft/error.h>
#include <updraft/flash.h>

#define OTA_TONE_HEADER_SIZE 8u
#define OTA_TONE_HEAD_SIZE 264u /* header and description: what the version stands in */
#define OTA_TONE_ENTRY_SIZE 64u
#define OTA_TONE_FILES_MAX 256u
#define OTA_TONE_PROJECT "ESP_TONE_BIN" /* of every image of format 1 */

/* What an image says of itself. Format 0 has neither version nor project: they are empty. */
struct ota_tone_head {
    uint16_t files;
    uint32_t format; /* 0 or 1 */
    char version[33], project[33];
    char time[17], date[17];
};

/* One sound in it. */
struct ota_tone_file {
    uint8_t type;     /* 0: mp3, 1: wav */
    uint32_t address; /* from the image's start */
    uint32_t length;  /* bytes */
};

/* Tells whether these first bytes of something are a tone image's: two suffice. */
bool ota_tone_is(const void *data, size_t len);

/* Decodes the first bytes of an image: 8 suffice for format 0, OTA_TONE_HEAD_SIZE for format 1.
   Returns OTA_OK; OTA_ERR_IMAGE_TRUNCATED if `len` is too few; OTA_ERR_IMAGE_MAGIC if the tag or
   the description's mark is another; OTA_ERR_IMAGE_DESCRIPTOR for a format above 1;
   OTA_ERR_IMAGE_SEGMENT_COUNT for more than OTA_TONE_FILES_MAX files. */
enum ota_err ota_tone_head_decode(struct ota_tone_head *head, const void *data, size_t len);

/* The running check. Everything but the first three is private. */
struct ota_tone_check {
    struct ota_tone_head head;  /* once its bytes have passed */
    struct ota_failure failure; /* the first */
    uint32_t size;              /* of the whole image; 0 until known */

    uint8_t stage;
    uint8_t scratch_len;
    uint8_t scratch[112]; /* the bytes of a stage that is judged as a whole */
    uint16_t entry;       /* index of the next */
    uint32_t offset;      /* of the next byte */
    uint32_t stage_end;   /* offset at which the next stage begins */
    uint32_t data_end;    /* of the files so far, padding included */
    uint32_t crc;         /* running */
};

void ota_tone_check_begin(struct ota_tone_check *check);

/* Checks the next bytes. Returns OTA_OK or the first failure (also again on later calls): as
   ota_tone_head_decode, OTA_ERR_IMAGE_SEGMENT for a file entry that cannot be, OTA_ERR_IMAGE_HASH
   for a wrong CRC or tail, OTA_ERR_TOO_LARGE at the first byte behind the end. */
enum ota_err ota_tone_check_write(struct ota_tone_check *check, const void *data, size_t len);

/* Says that no more bytes come. Returns OTA_OK only if the image is whole and right; else the first
   failure, or OTA_ERR_IMAGE_TRUNCATED. */
enum ota_err ota_tone_check_finish(struct ota_tone_check *check);

/* Proves the image at the start of `region`, whatever follows it; its facts stay in `check`.
   Returns as the check's calls, or the flash's error. */
enum ota_err ota_tone_verify(struct ota_tone_check *check, const struct ota_region *region);

/* Looks up sound `index` of the proven image in `region`. Returns OTA_ERR_ARGUMENT if it has none
   of that number, or the read's error. */
enum ota_err ota_tone_file(const struct ota_tone_head *head, const struct ota_region *region,
                           unsigned index, struct ota_tone_file *file);

#endif
