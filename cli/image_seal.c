/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of an image that are computed from others: checksum, SHA-256, the encoded
   descriptor. */

#include "cli/image_writer.h"

#include <string.h>

#include "base/bytes.h"
#include "cli/digest.h"
#include "cli/image_writer_private.h"

uint8_t image_xor(uint8_t sum, const uint8_t *data, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        sum ^= data[i];
    }
    return sum;
}

bool image_reseal(uint8_t *data, size_t size, const struct ota_crypto *crypto)
{
    if (size < IMAGE_ESP32_HEADER || data[0] != 0xE9) {
        return false;
    }
    size_t offset = IMAGE_ESP32_HEADER;
    uint8_t sum = IMAGE_CHECKSUM_SEED;
    for (unsigned i = 0; i < data[1]; i++) {
        if (size - offset < IMAGE_SEGMENT_HEADER) {
            return false;
        }
        size_t len = ota__get_le32(data + offset + 4);
        offset += IMAGE_SEGMENT_HEADER;
        if (size - offset < len) {
            return false;
        }
        sum = image_xor(sum, data + offset, len);
        offset += len;
    }
    size_t end = (offset | 15) + 1;
    if (end > size || (data[23] != 0 && size - end < OTA_SHA256_SIZE)) {
        return false;
    }
    data[end - 1] = sum;
    return data[23] == 0 || digest_of(crypto, OTA_HASH_SHA256, data, end, data + end);
}

/* A text that may fill its field without an end mark. */
static void put_field(uint8_t *field, size_t size, const char *text)
{
    size_t len = strnlen(text, size);
    memcpy(field, text, len);
}

void image_descriptor_encode(const struct ota_app_descriptor *descriptor,
                             uint8_t bytes[OTA_APP_DESCRIPTOR_SIZE])
{
    memset(bytes, 0, OTA_APP_DESCRIPTOR_SIZE);
    ota__put_le32(bytes, OTA_APP_DESCRIPTOR_MAGIC);
    ota__put_le32(bytes + 4, descriptor->secure_version);
    put_field(bytes + 16, 32, descriptor->version);
    put_field(bytes + 48, 32, descriptor->project);
    put_field(bytes + 80, 16, descriptor->time);
    put_field(bytes + 96, 16, descriptor->date);
    put_field(bytes + 112, 32, descriptor->idf_version);
    memcpy(bytes + 144, descriptor->elf_sha256, OTA_SHA256_SIZE);
    ota__put_le16(bytes + 176, descriptor->min_efuse_block_revision);
    ota__put_le16(bytes + 178, descriptor->max_efuse_block_revision);
    bytes[180] = descriptor->page_size_log2;
    bytes[181] = descriptor->spi_mode;
}
