/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FORMAT_IMAGE_CHECK_H
#define FORMAT_IMAGE_CHECK_H

/* What the image check's files share: its stages, and the judgements that each form has of its
   own. */

#include <updraft/image.h>

enum ota__stage {
    STAGE_HEADER = 0,
    STAGE_SEGMENT,     /* a segment's header */
    STAGE_DESCRIPTOR,  /* the first bytes of segment 0 */
    STAGE_DATA,        /* of a segment, behind the descriptor if it has one */
    STAGE_PADDING,     /* up to and including the checksum */
    STAGE_DIGEST,      /* the appended SHA-256 */
    STAGE_IROM_HEADER, /* ESP8266 version 2 */
    STAGE_IROM,        /* ESP8266 version 2 */
    STAGE_CRC,         /* ESP8266 version 2 */
    STAGE_FILLER,      /* between the two images of Arduino's file, or a trailer already */
    STAGE_END,         /* the image is whole */
    STAGE_ANY,         /* OTA_IMAGE_DATA */
};

/* Arduino's file: where the sketch begins, and the two words in its first segment. */
#define OTA__SKETCH_OFFSET 0x1000u
#define OTA__SKETCH_WORDS 0x1010u
#define OTA__SKETCH_WORDS_END 0x1018u

#define OTA__MAGIC 0xE9u
#define OTA__MAGIC_V2 0xEAu

/* Where an app's descriptor begins: behind the headers of the image and of its first segment. */
static inline uint32_t ota__app_descriptor_offset(enum ota_image_form form)
{
    return form == OTA_IMAGE_ESP8266_RTOS ? 16 : 32;
}

/* Whether an app that tells no secure version, having no descriptor, is refused. */
static inline bool ota__image_needs_descriptor(const struct ota_image_rules *rules)
{
    return rules->require_descriptor || rules->secure_version_floor != 0;
}

/* Keeps the first failure; returns it. */
enum ota_err ota__image_fail(struct ota_image_check *check, enum ota_err err, uint32_t offset);

/* Goes on to a stage of `len` bytes. Fails with OTA_ERR_TOO_LARGE if they do not fit the
   partition. */
enum ota_err ota__image_enter(struct ota_image_check *check, enum ota__stage stage, uint32_t len);

/* The image is whole: only a trailer may follow, where the rules allow one. */
enum ota_err ota__image_enter_end(struct ota_image_check *check);

/* Goes on to the next segment's header, or past the last segment to the padding. */
enum ota_err ota__image_next_segment(struct ota_image_check *check);

/* Whether segment 0 of a header without an extension begins as an app descriptor does: then it is
   an image of ESP8266_RTOS_SDK. */
bool ota__image_looks_rtos(const struct ota_image *image);

/* The judgements of the ESP32 family: header and descriptor have been collected. */
enum ota_err ota__image_esp32_header(struct ota_image_check *check);
enum ota_err ota__image_esp32_descriptor(struct ota_image_check *check);

/* Whether a segment that is mapped through the flash cache lies where it can be mapped. */
enum ota_err ota__image_check_mapping(struct ota_image_check *check);

/* The ESP8266's: its stages, and its running CRC over bytes that are about to be passed. */
enum ota_err ota__image_esp8266_header(struct ota_image_check *check);
enum ota_err ota__image_esp8266_irom_header(struct ota_image_check *check);
enum ota_err ota__image_esp8266_end(struct ota_image_check *check, uint8_t stored_sum);
enum ota_err ota__image_esp8266_crc(struct ota_image_check *check);
enum ota_err ota__image_esp8266_no_sketch(struct ota_image_check *check);
void ota__image_esp8266_sum(struct ota_image_check *check, const uint8_t *data, uint32_t len);

#endif
