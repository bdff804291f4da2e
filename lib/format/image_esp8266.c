/* SPDX-License-Identifier: Apache-2.0 */
/* The ESP8266's own rules: version 1, version 2, and Arduino's file of two images.
   docs/formats/image.md sections 13 to 15. */
#include "format/image_check.h"

#include <updraft/esp8266.h>

#include "base/bytes.h"
#include "base/crc32_mpeg2.h"
#include "base/mem.h"

#define HEADER 8u
#define SIZE_OFFSET 3u
#define IROM_HEADER 8u
#define CRC_TRAILER 4u
#define CHECKSUM_SEED 0xEFu

enum ota_err ota__image_esp8266_header(struct ota_image_check *check)
{
    struct ota_image *image = &check->image;
    const struct ota_esp8266 *esp8266 = check->rules->esp8266;

    if (esp8266 != NULL && check->offset == HEADER && !esp8266->is_for(esp8266, image)) {
        return ota__image_fail(check, OTA_ERR_IMAGE_FLASH_SIZE, SIZE_OFFSET);
    }
    if (image->variant == OTA_VARIANT_V2 && check->offset == HEADER) {
        return ota__image_enter(check, STAGE_IROM_HEADER, IROM_HEADER);
    }
    if (image->variant == OTA_VARIANT_V1 && check->offset != HEADER) {
        image->variant = OTA_VARIANT_ARDUINO;
        check->sum = CHECKSUM_SEED;
    }
    return ota__image_next_segment(check);
}

enum ota_err ota__image_esp8266_irom_header(struct ota_image_check *check)
{
    uint32_t len = ota__get_le32(check->scratch + 4);

    if ((len & 15) != 0) {
        return ota__image_fail(check, OTA_ERR_IMAGE_LAYOUT, check->offset - 4);
    }
    return ota__image_enter(check, STAGE_IROM, len);
}

/* After a version 1 image that ends early enough, a sketch may follow. */
static enum ota_err end_version_1(struct ota_image_check *check)
{
    uint32_t end = check->offset;

    if (ota__image_looks_rtos(&check->image)) {
        return ota__image_fail(check, OTA_ERR_IMAGE_FORM, 0);
    }
    if (end >= OTA__SKETCH_OFFSET || check->rules->size_max < OTA__SKETCH_OFFSET + HEADER) {
        return ota__image_enter_end(check);
    }
    check->image.length = end;
    return ota__image_enter(check, STAGE_FILLER, OTA__SKETCH_OFFSET - end);
}

static enum ota_err end_sketch(struct ota_image_check *check)
{
    if (ota__get_le32(check->words) != check->offset) {
        return OTA_OK; /* a file of a core too old to have the words */
    }
    check->image.crc = check->crc;
    /* The checksum was made before the two words were filled in. */
    for (unsigned i = 0; i < sizeof check->words; i++) {
        check->sum ^= check->words[i];
    }
    uint32_t difference = ota__get_le32(check->words + 4) ^ check->crc;
    const struct ota_esp8266 *esp8266 = check->rules->esp8266;
    if (difference != 0 && (esp8266 == NULL || !esp8266->is_by_mode(difference, check->offset))) {
        return ota__image_fail(check, OTA_ERR_IMAGE_HASH, OTA__SKETCH_WORDS + 4);
    }
    return OTA_OK;
}

enum ota_err ota__image_esp8266_end(struct ota_image_check *check, uint8_t stored_sum)
{
    if (check->image.variant == OTA_VARIANT_ARDUINO && end_sketch(check) != OTA_OK) {
        return check->failure.err;
    }
    check->image.checksum = check->sum;
    if (stored_sum != check->sum) {
        return ota__image_fail(check, OTA_ERR_IMAGE_CHECKSUM, check->offset - 1);
    }
    switch (check->image.variant) {
    case OTA_VARIANT_V1:
        return end_version_1(check);
    case OTA_VARIANT_V2:
        return ota__image_enter(check, STAGE_CRC, CRC_TRAILER);
    default:
        return ota__image_enter_end(check);
    }
}

enum ota_err ota__image_esp8266_crc(struct ota_image_check *check)
{
    uint32_t crc = check->crc;

    check->image.crc = (crc & 0x80000000u) != 0 ? ~crc : crc + 1;
    if (ota__get_le32(check->scratch) != check->image.crc) {
        return ota__image_fail(check, OTA_ERR_IMAGE_HASH, check->offset - CRC_TRAILER);
    }
    return ota__image_enter_end(check);
}

/* What follows a version 1 image is no sketch: it is a trailer. */
enum ota_err ota__image_esp8266_no_sketch(struct ota_image_check *check)
{
    if (!check->rules->allow_trailer) {
        return ota__image_fail(check, OTA_ERR_TOO_LARGE, check->image.length);
    }
    return ota__image_enter(check, STAGE_END, check->rules->size_max - check->offset);
}

void ota__image_esp8266_sum(struct ota_image_check *check, const uint8_t *data, uint32_t len)
{
    if (check->stage == STAGE_END || check->stage == STAGE_CRC) {
        return;
    }
    if (check->image.variant == OTA_VARIANT_V2) {
        check->crc = ota_crc32(check->crc, data, len);
        return;
    }
    if (check->offset == 0) {
        check->crc = OTA__CRC32_MPEG2_START;
    }
    for (uint32_t i = 0; i < len; i++) {
        uint32_t at = check->offset + i;
        bool is_word = at >= OTA__SKETCH_WORDS && at < OTA__SKETCH_WORDS_END;
        if (is_word) {
            check->words[at - OTA__SKETCH_WORDS] = data[i];
        }
        check->crc = ota__crc32_mpeg2(check->crc, is_word ? 0 : data[i]);
    }
}
