/* SPDX-License-Identifier: Apache-2.0 */
/* Images that lie in flash: the check fed from there, and the descriptor alone. */
#include "format/image_check.h"

#include "base/bytes.h"
#include "base/mem.h"

static enum ota_err feed(struct ota_image_check *check, const struct ota_region *region,
                         uint8_t *buffer, uint32_t len)
{
    enum ota_err err = ota_region_read(region, check->offset, buffer, len);

    if (err != OTA_OK) {
        return ota__image_fail(check, err, check->offset);
    }
    return ota_image_check_write(check, buffer, len);
}

/* How many bytes to read next: what the image needs, or, behind a version 1 image that a sketch
   follows, what leads there. That takes a look at the sketch's first byte. */
static enum ota_err next_len(struct ota_image_check *check, const struct ota_region *region,
                             uint32_t *len)
{
    uint8_t magic = 0;
    enum ota_err err;

    *len = ota_image_check_wanted(check);
    if (*len != 0 || check->failure.err != OTA_OK || check->stage == STAGE_END) {
        return check->failure.err;
    }
    err = ota_region_read(region, OTA__SKETCH_OFFSET, &magic, 1);
    if (err != OTA_OK) {
        return ota__image_fail(check, err, OTA__SKETCH_OFFSET);
    }
    if (magic == OTA__MAGIC) {
        *len = check->stage_left;
    }
    return OTA_OK;
}

enum ota_err ota_image_read(struct ota_image_check *check, const struct ota_image_rules *rules,
                            const struct ota_crypto *crypto, const struct ota_region *region,
                            uint8_t *buffer, uint32_t buffer_size)
{
    enum ota_err err = ota_image_check_begin(check, rules, crypto);
    uint32_t len = 0;

    if (err == OTA_OK && buffer_size == 0) {
        err = ota__image_fail(check, OTA_ERR_ARGUMENT, 0);
    }
    if (err == OTA_OK) {
        err = next_len(check, region, &len);
    }
    while (err == OTA_OK && len > 0) {
        err = feed(check, region, buffer, ota__min(len, buffer_size));
        if (err == OTA_OK) {
            err = next_len(check, region, &len);
        }
    }
    return err;
}

enum ota_err ota_image_verify(struct ota_image_check *check, const struct ota_image_rules *rules,
                              const struct ota_crypto *crypto, const struct ota_region *region,
                              uint8_t *buffer, uint32_t buffer_size)
{
    (void)ota_image_read(check, rules, crypto, region, buffer, buffer_size);
    return ota_image_check_finish(check);
}

uint32_t ota_image_read_secure_version(const struct ota_region *region, enum ota_image_form form)
{
    uint8_t bytes[8] = {0};
    enum ota_err err = ota_region_read(region, 0, bytes, 1);

    if (err == OTA_OK && bytes[0] == OTA__MAGIC) {
        err = ota_region_read(region, ota__app_descriptor_offset(form), bytes, sizeof bytes);
    }
    return err == OTA_OK && ota__get_le32(bytes) == OTA_APP_DESCRIPTOR_MAGIC
               ? ota__get_le32(bytes + 4)
               : 0;
}

enum ota_err ota_image_describe(const struct ota_region *region, enum ota_image_form form,
                                struct ota_app_descriptor *descriptor)
{
    uint8_t bytes[OTA_DESCRIPTOR_KEPT];
    uint32_t offset = ota__app_descriptor_offset(form);
    enum ota_err err = ota_region_read(region, 0, bytes, 1);

    if (err == OTA_OK && bytes[0] != OTA__MAGIC) {
        err = OTA_ERR_IMAGE_MAGIC;
    }
    if (err == OTA_OK) {
        err = ota_region_read(region, offset, bytes, sizeof bytes);
    }
    if (err == OTA_OK && !ota_app_descriptor_decode(bytes, descriptor)) {
        err = OTA_ERR_IMAGE_DESCRIPTOR;
    }
    return err;
}
