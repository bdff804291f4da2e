/* SPDX-License-Identifier: Apache-2.0 */
/* The descriptors that an image carries about itself: docs/formats/image.md sections 9 and 10. */
#include <updraft/image.h>

#include "base/bytes.h"
#include "base/mem.h"

#define BOOTLOADER_MAGIC 0x50u
#define SECURE_VERSION 4u

/* A text ends at its first control character: who prints it may rely on one line. */
static void copy_text(char *to, const uint8_t *from, size_t len)
{
    size_t n = 0;

    while (n < len && from[n] >= 0x20 && from[n] != 0x7F) {
        to[n] = (char)from[n];
        n++;
    }
    to[n] = '\0';
}

bool ota_app_descriptor_decode(const uint8_t bytes[OTA_DESCRIPTOR_KEPT],
                               struct ota_app_descriptor *descriptor)
{
    if (ota__get_le32(bytes) != OTA_APP_DESCRIPTOR_MAGIC) {
        return false;
    }
    descriptor->secure_version = ota__get_le32(bytes + SECURE_VERSION);
    copy_text(descriptor->version, bytes + 16, 32);
    copy_text(descriptor->project, bytes + 48, 32);
    copy_text(descriptor->time, bytes + 80, 16);
    copy_text(descriptor->date, bytes + 96, 16);
    copy_text(descriptor->idf_version, bytes + 112, 32);
    memcpy(descriptor->elf_sha256, bytes + 144, OTA_SHA256_SIZE);
    descriptor->min_efuse_block_revision = ota__get_le16(bytes + 176);
    descriptor->max_efuse_block_revision = ota__get_le16(bytes + 178);
    descriptor->page_size_log2 = bytes[180];
    descriptor->spi_mode = bytes[181];
    return true;
}

bool ota_image_app_descriptor(const struct ota_image *image, struct ota_app_descriptor *descriptor)
{
    return image->form != OTA_IMAGE_ESP8266 && image->descriptor_len == OTA_DESCRIPTOR_KEPT &&
           ota_app_descriptor_decode(image->descriptor, descriptor);
}

bool ota_image_bootloader_descriptor(const struct ota_image *image,
                                     struct ota_bootloader_descriptor *descriptor)
{
    const uint8_t *bytes = image->descriptor;

    if (image->form != OTA_IMAGE_ESP32 || image->descriptor_len < OTA_BOOTLOADER_DESCRIPTOR_SIZE ||
        bytes[0] != BOOTLOADER_MAGIC) {
        return false;
    }
    descriptor->secure_version = bytes[3];
    descriptor->version = ota__get_le32(bytes + 4);
    copy_text(descriptor->idf_version, bytes + 8, 32);
    copy_text(descriptor->date_time, bytes + 40, 24);
    return true;
}

uint32_t ota_image_secure_version(const struct ota_image *image)
{
    bool has_descriptor = image->form != OTA_IMAGE_ESP8266 &&
                          image->descriptor_len == OTA_DESCRIPTOR_KEPT &&
                          ota__get_le32(image->descriptor) == OTA_APP_DESCRIPTOR_MAGIC;

    return has_descriptor ? ota__get_le32(image->descriptor + SECURE_VERSION) : 0;
}
