/* SPDX-License-Identifier: Apache-2.0 */
/* The ESP32 family's own rules: extended header, app descriptor, flash mapping.
   docs/formats/image.md sections 2 to 5, 9 and 11. */
#include "format/image_check.h"

#include "base/bytes.h"
#include "base/mem.h"

/* Offsets in the header, docs/formats/image.md section 2. */
#define HEADER_EXTENDED 8u
#define HEADER_CHIP_ID 12u
#define HEADER_MIN_REVISION 15u
#define HEADER_MAX_REVISION 17u
#define HEADER_HASH_APPENDED 23u

/* Offsets in the app descriptor, docs/formats/image.md section 9. */
#define DESCRIPTOR_SECURE_VERSION 4u
#define DESCRIPTOR_MIN_EFUSE_REVISION 176u
#define DESCRIPTOR_MAX_EFUSE_REVISION 178u
#define DESCRIPTOR_PAGE_SIZE 180u

/* Limits of 0 and 65535 are not set. */
static bool is_set(uint16_t limit)
{
    return limit != 0 && limit != 0xFFFF;
}

static bool is_below(uint16_t revision, uint16_t min)
{
    return is_set(min) && revision < min;
}

static bool is_above(uint16_t revision, uint16_t max)
{
    return is_set(max) && revision > max;
}

static enum ota_err check_chip(struct ota_image_check *check)
{
    const struct ota_chip *chip = &check->rules->chip;
    const struct ota_image *image = &check->image;

    if (chip->id == OTA_CHIP_ANY) {
        return OTA_OK;
    }
    if (image->chip_id != chip->id) {
        return ota__image_fail(check, OTA_ERR_IMAGE_CHIP, HEADER_CHIP_ID);
    }
    if (chip->ignore_revisions) {
        return OTA_OK;
    }
    if (chip->revision < image->min_revision) {
        return ota__image_fail(check, OTA_ERR_IMAGE_REVISION, HEADER_MIN_REVISION);
    }
    if (check->rules->role == OTA_ROLE_APP && !chip->ignore_max_revision &&
        is_above(chip->revision, image->max_revision)) {
        return ota__image_fail(check, OTA_ERR_IMAGE_REVISION, HEADER_MAX_REVISION);
    }
    return OTA_OK;
}

enum ota_err ota__image_esp32_header(struct ota_image_check *check)
{
    const uint8_t *header = check->scratch;
    struct ota_image *image = &check->image;

    memcpy(image->extended, header + HEADER_EXTENDED, sizeof image->extended);
    image->chip_id = ota__get_le16(header + HEADER_CHIP_ID);
    image->min_revision = ota__get_le16(header + HEADER_MIN_REVISION);
    image->max_revision = ota__get_le16(header + HEADER_MAX_REVISION);
    image->has_digest = header[HEADER_HASH_APPENDED] != 0;
    check->chip = ota_chip_facts(image->chip_id);
    if (check_chip(check) != OTA_OK) {
        return check->failure.err;
    }
    return ota__image_next_segment(check);
}

static bool has_descriptor(const struct ota_image *image)
{
    return image->descriptor_len == OTA_DESCRIPTOR_KEPT &&
           ota__get_le32(image->descriptor) == OTA_APP_DESCRIPTOR_MAGIC;
}

/* The range of eFuse block revisions; the first chip of the family has no such blocks. */
static enum ota_err check_efuse_revision(struct ota_image_check *check)
{
    const struct ota_chip *chip = &check->rules->chip;
    const uint8_t *descriptor = check->image.descriptor;

    if (chip->id == OTA_CHIP_ANY || chip->id == OTA_CHIP_ESP32 || chip->ignore_revisions) {
        return OTA_OK;
    }
    if (is_below(chip->efuse_block_revision,
                 ota__get_le16(descriptor + DESCRIPTOR_MIN_EFUSE_REVISION))) {
        return ota__image_fail(check, OTA_ERR_IMAGE_REVISION,
                               check->data_offset + DESCRIPTOR_MIN_EFUSE_REVISION);
    }
    if (is_above(chip->efuse_block_revision,
                 ota__get_le16(descriptor + DESCRIPTOR_MAX_EFUSE_REVISION))) {
        return ota__image_fail(check, OTA_ERR_IMAGE_REVISION,
                               check->data_offset + DESCRIPTOR_MAX_EFUSE_REVISION);
    }
    return OTA_OK;
}

enum ota_err ota__image_esp32_descriptor(struct ota_image_check *check)
{
    const struct ota_image_rules *rules = check->rules;
    const struct ota_image *image = &check->image;
    bool varies = check->chip != NULL && check->chip->page_log2_max != 0;

    if (image->form == OTA_IMAGE_ESP8266 || rules->role != OTA_ROLE_APP) {
        return OTA_OK;
    }
    if (!has_descriptor(image)) {
        if (varies || ota__image_needs_descriptor(rules)) {
            return ota__image_fail(check, OTA_ERR_IMAGE_DESCRIPTOR, check->data_offset);
        }
        return OTA_OK;
    }
    if (ota_image_secure_version(image) < rules->secure_version_floor) {
        return ota__image_fail(check, OTA_ERR_SECURE_VERSION,
                               check->data_offset + DESCRIPTOR_SECURE_VERSION);
    }
    return image->form == OTA_IMAGE_ESP32 ? check_efuse_revision(check) : OTA_OK;
}

/* The page size that the image states, where its chip lets it choose. */
static uint32_t page_size(const struct ota_image_check *check)
{
    const struct ota_chip_facts *chip = check->chip;
    uint8_t log2 = check->image.descriptor[DESCRIPTOR_PAGE_SIZE];

    if (check->rules->role == OTA_ROLE_APP && chip->page_log2_max != 0 &&
        log2 >= chip->page_log2_min && log2 <= chip->page_log2_max) {
        return (uint32_t)1 << log2;
    }
    return OTA_CHIP_PAGE_SIZE;
}

static bool is_mapped(const struct ota_chip_facts *chip, uint32_t address)
{
    return ota_chip_window_holds(chip->irom, address) || ota_chip_window_holds(chip->drom, address);
}

enum ota_err ota__image_check_mapping(struct ota_image_check *check)
{
    uint32_t distance = check->rules->flash_offset + check->data_offset - check->load_address;

    if (check->chip != NULL && is_mapped(check->chip, check->load_address) &&
        (distance & (page_size(check) - 1)) != 0) {
        return ota__image_fail(check, OTA_ERR_IMAGE_MAPPING, check->data_offset - 8);
    }
    return OTA_OK;
}
