/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The check of an app of the ESP32 family's form that lies in flash, written down in the order of
 * its bytes: what image_check.c must find out from a stream that may be cut anywhere, one can look
 * up here. docs/formats/image.md sections 2 to 5 and 11.
 */
#include "format/image_check.h"

#include "base/bytes.h"
#include "base/mem.h"

#define HEADER 24u
#define SEGMENT_HEADER 8u
#define SEGMENT_LIMIT 0x1000000u
#define CHECKSUM_SEED 0xEFu

/* Offsets, docs/formats/image.md sections 2 and 9. */
#define HEADER_EXTENDED 8u
#define HEADER_CHIP_ID 12u
#define HEADER_HASH_APPENDED 23u
#define DESCRIPTOR_SECURE_VERSION 4u

/* What goes with a check here, besides. */
struct reading {
    struct ota_image_check *check;
    const struct ota_region *region;
    uint8_t *buffer;
    uint32_t buffer_size;
};

/* Takes the next bytes. Returns false after noting what went wrong. */
static bool take(const struct reading *reading, uint8_t *to, uint32_t len)
{
    struct ota_image_check *check = reading->check;
    enum ota_err err = OTA_ERR_TOO_LARGE;

    if (len <= check->rules->size_max - check->offset) {
        err = ota_region_read(reading->region, check->offset, to, len);
    }
    if (err == OTA_OK) {
        err = check->crypto->hash_update(&check->hash, to, len);
    }
    if (err != OTA_OK) {
        (void)ota__image_fail(check, err, check->offset);
        return false;
    }
    check->offset += len;
    return true;
}

/* Takes bytes of a segment, which the checksum is over. */
static bool take_data(const struct reading *reading, uint8_t *to, uint32_t len)
{
    struct ota_image_check *check = reading->check;

    if (!take(reading, to, len)) {
        return false;
    }
    for (uint32_t i = 0; i < len; i++) {
        check->sum ^= to[i];
    }
    return true;
}

/* Takes a segment's data but for what was taken of it. */
static bool take_rest(const struct reading *reading, uint32_t len)
{
    while (len > 0) {
        uint32_t n = ota__min(len, reading->buffer_size);
        if (!take_data(reading, reading->buffer, n)) {
            return false;
        }
        len -= n;
    }
    return true;
}

static enum ota_err read_header(const struct reading *reading)
{
    struct ota_image_check *check = reading->check;
    struct ota_image *image = &check->image;
    const uint8_t *header = check->scratch;

    if (!take(reading, check->scratch, HEADER)) {
        return check->failure.err;
    }
    if (header[0] != OTA__MAGIC) {
        return ota__image_fail(check, OTA_ERR_IMAGE_MAGIC, 0);
    }
    image->segment_count = header[1];
    image->spi_mode = header[2];
    image->spi_speed_size = header[3];
    image->entry = ota__get_le32(header + 4);
    memcpy(image->extended, header + HEADER_EXTENDED, sizeof image->extended);
    image->chip_id = ota__get_le16(header + HEADER_CHIP_ID);
    image->has_digest = header[HEADER_HASH_APPENDED] != 0;
    if (image->chip_id != check->rules->chip.id) {
        return ota__image_fail(check, OTA_ERR_IMAGE_CHIP, HEADER_CHIP_ID);
    }
    if (image->segment_count == 0 && ota__image_needs_descriptor(check->rules)) {
        return ota__image_fail(check, OTA_ERR_IMAGE_DESCRIPTOR, HEADER);
    }
    return image->segment_count <= OTA_IMAGE_SEGMENTS_MAX
               ? OTA_OK
               : ota__image_fail(check, OTA_ERR_IMAGE_SEGMENT_COUNT, 1);
}

/* The first bytes of the first segment have just been taken. */
static enum ota_err check_descriptor(struct ota_image_check *check)
{
    const struct ota_image_rules *rules = check->rules;
    const uint8_t *descriptor = check->image.descriptor;
    uint32_t offset = check->offset - OTA_DESCRIPTOR_KEPT;

    if (ota__get_le32(descriptor) != OTA_APP_DESCRIPTOR_MAGIC) {
        return ota__image_needs_descriptor(rules)
                   ? ota__image_fail(check, OTA_ERR_IMAGE_DESCRIPTOR, offset)
                   : OTA_OK;
    }
    return ota__get_le32(descriptor + DESCRIPTOR_SECURE_VERSION) >= rules->secure_version_floor
               ? OTA_OK
               : ota__image_fail(check, OTA_ERR_SECURE_VERSION, offset + DESCRIPTOR_SECURE_VERSION);
}

static enum ota_err read_segment(const struct reading *reading, unsigned index)
{
    struct ota_image_check *check = reading->check;
    uint32_t len;

    if (!take(reading, check->scratch, SEGMENT_HEADER)) {
        return check->failure.err;
    }
    len = ota__get_le32(check->scratch + 4);
    if ((len & 3) != 0 || len >= SEGMENT_LIMIT || (index == 0 && len < OTA_APP_DESCRIPTOR_SIZE)) {
        return ota__image_fail(check, OTA_ERR_IMAGE_SEGMENT, check->offset - 4);
    }
    if (len > check->rules->size_max - check->offset) {
        return ota__image_fail(check, OTA_ERR_TOO_LARGE, check->offset);
    }
    if (index == 0) {
        check->image.descriptor_len = OTA_DESCRIPTOR_KEPT;
        if (!take_data(reading, check->image.descriptor, OTA_DESCRIPTOR_KEPT) ||
            check_descriptor(check) != OTA_OK) {
            return check->failure.err;
        }
        len -= OTA_DESCRIPTOR_KEPT;
    }
    (void)take_rest(reading, len);
    return check->failure.err;
}

/* The checksum ends the block of 16 bytes. */
static enum ota_err read_checksum(const struct reading *reading)
{
    struct ota_image_check *check = reading->check;
    uint32_t len = 16 - (check->offset & 15);

    check->image.data_end = check->offset;
    check->image.checksum = check->sum;
    if (take(reading, check->scratch, len) && check->scratch[len - 1] != check->sum) {
        (void)ota__image_fail(check, OTA_ERR_IMAGE_CHECKSUM, check->offset - 1);
    }
    return check->failure.err;
}

static enum ota_err read_digest(const struct reading *reading)
{
    struct ota_image_check *check = reading->check;
    uint8_t *digest = check->image.digest;
    enum ota_err err = ota_image_check_digest(check, digest);

    if (err != OTA_OK) {
        return ota__image_fail(check, err, check->offset);
    }
    if (take(reading, check->scratch, OTA_SHA256_SIZE) &&
        memcmp(check->scratch, digest, OTA_SHA256_SIZE) != 0) {
        (void)ota__image_fail(check, OTA_ERR_IMAGE_HASH, check->offset - OTA_SHA256_SIZE);
    }
    return check->failure.err;
}

static enum ota_err read(const struct reading *reading)
{
    struct ota_image *image = &reading->check->image;
    enum ota_err err = read_header(reading);

    for (unsigned i = 0; err == OTA_OK && i < image->segment_count; i++) {
        err = read_segment(reading, i);
    }
    if (err == OTA_OK) {
        err = read_checksum(reading);
    }
    if (err == OTA_OK && image->has_digest) {
        err = read_digest(reading);
    }
    image->length = reading->check->offset;
    return err;
}

enum ota_err ota_image_read_plain(struct ota_image_check *check,
                                  const struct ota_image_rules *rules,
                                  const struct ota_crypto *crypto, const struct ota_region *region,
                                  uint8_t *buffer, uint32_t buffer_size)
{
    struct reading reading = {.check = check, .region = region, .buffer_size = buffer_size};
    enum ota_err err = OTA_ERR_ARGUMENT;

    reading.buffer = buffer;
    memset(check, 0, sizeof *check);
    check->rules = rules;
    check->crypto = crypto;
    check->image.form = OTA_IMAGE_ESP32;
    check->sum = CHECKSUM_SEED;
    if (rules->form == OTA_IMAGE_ESP32 && rules->role == OTA_ROLE_APP && buffer_size > 0) {
        err = crypto->hash_begin(&check->hash, OTA_HASH_SHA256);
    }
    if (err != OTA_OK) {
        return ota__image_fail(check, err, 0);
    }
    check->hash_begun = true;
    return read(&reading);
}
