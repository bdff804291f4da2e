/* SPDX-License-Identifier: Apache-2.0 */
/* Images in flash: the library's check over them, and the two bytes that flash tools rewrite. */

#include "cli/flash_image.h"

#include <stdio.h>
#include <stdlib.h>

#include "cli/image_names.h"
#include "cli/output.h"

#define BUFFER_SIZE 65536u
#define HEADER_MODE 2u
#define HEADER_SPEED_SIZE 3u

enum ota_err flash_image_verify(struct ota_image_check *check, enum ota_image_role role,
                                uint16_t chip_id, const struct ota_region *region)
{
    struct ota_image_rules rules = {
        .form = OTA_IMAGE_DETECT,
        .role = role,
        .chip = {.id = chip_id, .ignore_max_revision = true, .ignore_revisions = true},
        .size_max = region->size,
        .flash_offset = region->offset,
        .allow_trailer = true,
    };
    uint8_t *buffer = output_allocate(BUFFER_SIZE);
    enum ota_err err =
        ota_image_verify(check, &rules, &ota_crypto_psa, region, buffer, BUFFER_SIZE);
    free(buffer);
    check->rules = NULL; /* they end here */
    return err;
}

const char *flash_image_name(const struct ota_image *image, char text[FLASH_IMAGE_NAME_SIZE])
{
    struct ota_app_descriptor app;
    struct ota_bootloader_descriptor bootloader;
    char unknown[IMAGE_CHIP_NAME_SIZE];
    char raw[FLASH_IMAGE_NAME_SIZE];

    if (ota_image_app_descriptor(image, &app)) {
        snprintf(raw, sizeof raw, "%s %s", app.project, app.version);
        return output_escape(raw, text, FLASH_IMAGE_NAME_SIZE);
    }
    if (ota_image_bootloader_descriptor(image, &bootloader)) {
        snprintf(raw, sizeof raw, "bootloader of IDF %s", bootloader.idf_version);
        return output_escape(raw, text, FLASH_IMAGE_NAME_SIZE);
    }
    snprintf(text, FLASH_IMAGE_NAME_SIZE, "%s image without description",
             image->form == OTA_IMAGE_ESP32 ? image_chip_name(image->chip_id, unknown)
                                            : image_form_name(image->form, image->variant));
    return text;
}

static int renew_digest(uint8_t *data, const struct ota_image *image)
{
    struct ota_hash hash;
    uint32_t hashed = image->length - OTA_SHA256_SIZE;
    if (ota_crypto_psa.hash_begin(&hash, OTA_HASH_SHA256) != OTA_OK) {
        return fail("the crypto library cannot compute SHA-256");
    }
    if (ota_crypto_psa.hash_update(&hash, data, hashed) != OTA_OK) {
        ota_crypto_psa.hash_abort(&hash);
        return fail("the crypto library cannot compute SHA-256");
    }
    if (ota_crypto_psa.hash_finish(&hash, data + hashed) != OTA_OK) {
        return fail("the crypto library cannot compute SHA-256");
    }
    return 0;
}

int flash_image_set(uint8_t *data, const struct ota_image *image, uint16_t chip_id,
                    const struct flash_settings *settings, const char *path)
{
    bool esp8266 = image->form != OTA_IMAGE_ESP32;
    uint8_t mode = image->spi_mode;
    uint8_t speed = image->spi_speed_size & 0x0F;
    uint8_t size = image->spi_speed_size >> 4;

    if (settings->mode == NULL && settings->speed == NULL && settings->size == NULL) {
        return 0;
    }
    if (settings->mode != NULL && !image_flash_mode_parse(settings->mode, &mode)) {
        return fail("%s: there is no flash mode '%s'; use qio, qout, dio or dout", path,
                    settings->mode);
    }
    if (settings->speed != NULL && !image_flash_speed_parse(chip_id, settings->speed, &speed)) {
        return fail("%s: the chip has no flash speed '%s'; use one such as 80m or 40m", path,
                    settings->speed);
    }
    if (settings->size != NULL && !image_flash_size_parse(esp8266, settings->size, &size)) {
        return fail("%s: the chip's images know no flash size '%s'; use one such as 4MB", path,
                    settings->size);
    }
    data[HEADER_MODE] = mode;
    data[HEADER_SPEED_SIZE] = (uint8_t)(size << 4 | speed);
    bool hashed = image->form == OTA_IMAGE_ESP32 && image->extended[15] != 0;
    return hashed && image->length > OTA_SHA256_SIZE ? renew_digest(data, image) : 0;
}
