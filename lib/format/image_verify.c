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

/* Whether a sketch lies behind a version 1 image: that takes a look at its first byte. */
static bool sketch_follows(const struct ota_image_check *check, const struct ota_region *region)
{
    uint8_t magic = 0;

    return check->stage == STAGE_FILLER &&
           ota_region_read(region, OTA__SKETCH_OFFSET, &magic, 1) == OTA_OK && magic == OTA__MAGIC;
}

enum ota_err ota_image_verify(struct ota_image_check *check, const struct ota_image_rules *rules,
                              const struct ota_crypto *crypto, const struct ota_region *region,
                              uint8_t *buffer, uint32_t buffer_size)
{
    uint32_t wanted;

    if (ota_image_check_begin(check, rules, crypto) != OTA_OK) {
        return check->failure.err;
    }
    for (;;) {
        wanted = ota_image_check_wanted(check);
        if (wanted == 0 && sketch_follows(check, region)) {
            wanted = check->stage_left;
        }
        if (wanted == 0 || feed(check, region, buffer, ota__min(wanted, buffer_size)) != OTA_OK) {
            break;
        }
    }
    return ota_image_check_finish(check);
}

enum ota_err ota_image_describe(const struct ota_region *region, enum ota_image_form form,
                                struct ota_app_descriptor *descriptor)
{
    uint8_t bytes[OTA_DESCRIPTOR_KEPT];
    uint32_t offset = form == OTA_IMAGE_ESP8266_RTOS ? 16 : 32;
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
